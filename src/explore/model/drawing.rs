//! The states of a search and the steps between them, for drawing programs.

use serde::Serialize;

use super::search::Search;
use crate::check::report::SCHEMA;
use crate::domain::op::Units;
use crate::worlds::stepped::{ActorRole, Kind, KindId, StoreId};
use crate::worlds::words::intention;

/// States, identical buyers counted and not told apart, and the steps between them. The first is the
/// shop at its opening.
#[derive(Clone, Debug, Serialize)]
pub struct StateGraph {
    /// The version of this form.
    pub schema: u32,
    /// States of the store, by number.
    pub stores: Vec<StoreNode>,
    /// Kinds of buyer, by number.
    pub kinds: Vec<KindNode>,
    /// States, by number.
    pub states: Vec<StateNode>,
    /// Steps.
    pub steps: Vec<StepArrow>,
}

/// One state of the store.
#[derive(Clone, Debug, Serialize)]
pub struct StoreNode {
    /// Units of each product.
    pub stock: Vec<Units>,
    /// The version of each product: how often it was written with one.
    pub versions: Vec<u32>,
    /// Whether each product's lock is held.
    pub locked: Vec<bool>,
    /// Requests in the worker's queue.
    pub queue: usize,
}

/// One kind: identical buyers.
#[derive(Clone, Debug, Serialize)]
pub struct KindNode {
    /// `buyer` or `worker`.
    pub who: &'static str,
    /// Replies heard in this attempt.
    pub heard: usize,
    /// What it does next, or how it ended.
    pub about: String,
}

/// One state: a store, and the number of buyers of each kind.
#[derive(Clone, Debug, Serialize)]
pub struct StateNode {
    /// Which store.
    pub store: StoreId,
    /// Kinds, each with its number of buyers.
    pub crowd: Vec<(KindId, u32)>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct StepArrow {
    /// From this state …
    pub from: u32,
    /// … to this.
    pub to: u32,
    /// How many buyers could make it.
    pub by: u16,
}

impl StateGraph {
    /// The graph of the states that a search has met.
    pub(in crate::explore) fn of(search: &Search<'_, '_>) -> Self {
        let table = search.table();
        let names = table.all_stores().any(|store| store.shelves.len() > 1);
        let states: Vec<StateNode> = search
            .all_states()
            .map(|state| StateNode { store: state.store, crowd: state.crowd })
            .collect();
        // Stores and kinds that only the search for false sold-outs has met have higher numbers; they are left out.
        let stores = states.iter().map(|state| state.store as usize + 1).max().unwrap_or(0);
        let kinds = states.iter().flat_map(|state| &state.crowd);
        let kinds = kinds.map(|(kind, _)| usize::from(*kind) + 1).max().unwrap_or(0);
        Self {
            schema: SCHEMA,
            stores: table
                .all_stores()
                .take(stores)
                .map(|store| StoreNode {
                    stock: store.stocks(),
                    versions: store.shelves.iter().map(|shelf| shelf.version).collect(),
                    locked: store
                        .shelves
                        .iter()
                        .map(|shelf| shelf.locked || shelf.row_locked)
                        .collect(),
                    queue: store.queue.len(),
                })
                .collect(),
            kinds: table.all_kinds().take(kinds).map(|kind| KindNode::of(kind, names)).collect(),
            states,
            steps: search.all_steps().map(|(from, to, by)| StepArrow { from, to, by }).collect(),
        }
    }
}

impl KindNode {
    fn of(kind: &Kind, names: bool) -> Self {
        Self {
            who: match kind.part {
                ActorRole::Buyer { .. } | ActorRole::Gone { .. } => "buyer",
                ActorRole::IdleWorker | ActorRole::BusyWorker { .. } => "worker",
            },
            heard: kind.heard.len(),
            about: match (kind.part, kind.next) {
                (ActorRole::Gone { ending, .. }, _) => ending.word().to_owned(),
                (_, Some(op)) => format!("about to {}", intention(op, names)),
                (_, None) => "waits".to_owned(),
            },
        }
    }
}
