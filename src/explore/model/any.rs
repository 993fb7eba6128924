//! Any number of buyers: can more units be promised than are in stock, however many buyers come?
//!
//! With kinds and counts, a shop is a vector addition system: a store, and a number of buyers of each kind, for some
//! kinds *any number*. Whether a state with a promise too many can be reached is a coverability question. Karp and
//! Miller's construction answers it ("Parallel program schemata", 1969): if a state is reached again with more buyers
//! of some kinds, the number of buyers of these kinds is unbounded. The construction ends if there are finitely many
//! stores and kinds.
//!
//! The worker may call any buyer in its queue, not only the first. This over-approximates the queue, so a proof holds.
//! If all buyers want the same product, it adds no behaviour; with carts, overselling that is only reachable this way
//! is not reported.

use std::collections::BTreeSet;

use serde::Serialize;

use super::checks;
use super::opening::{check_card, shop};
use super::searches::search_all;
use super::state::{ANY, State};
use crate::base::error::Error;
use crate::check::expect::Expectation;
use crate::check::report::Hint;
use crate::check::report::{Evidence, Figures, Judgement, SCHEMA};
use crate::domain::op::{Op, OpKind, Request, Units, Want};
use crate::domain::settings::Settings;
use crate::explore::completeness::cut_after;
use crate::explore::{Exploration, Limits};
use crate::scheduler::Choice;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{ActorRole, KindId, StoreId, TransitionTable};

/// Limit of markings; beyond it the state space is taken to be infinite, and the construction stops.
const MOST_MARKINGS: usize = 1_000;

/// The same limit for kinds.
const MOST_KINDS: usize = 100;

/// The usual upper bound of the search for the least number of buyers that breaks a strategy.
pub const MOST_BUYERS: u32 = 30;

/// State limit of that search, for each number of buyers.
const MOST_STATES: usize = 200_000;

/// The report for any number of buyers.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnyBuyers {
    /// The version of this form.
    pub schema: u32,
    /// The strategy's name.
    pub strategy: String,
    /// Units at the beginning.
    pub stock: Units,
    /// `proved`: no unit is promised twice, however many buyers come. `broken`: enough buyers oversell, or a few buyers
    /// show any other finding. `not seen`: the construction did not end, and nothing was found as far as it went.
    pub evidence: Evidence,
    /// Why the report cannot show that a finding is absent; none if it can.
    pub incomplete: Option<String>,
    /// Whether the construction covered every state.
    pub complete: bool,
    /// Whether enough buyers can be promised more than the stock, as far as the construction went.
    pub oversold: bool,
    /// Whether stock can fall below zero, if only for a moment, as far as the construction went.
    pub below_zero: bool,
    /// Markings met.
    pub markings: usize,
    /// Kinds of buyer met.
    pub kinds: usize,
    /// The largest number of buyers without a finding of any kind in any interleaving; none if that was not shown even
    /// for a single buyer.
    pub proved_up_to: Option<u32>,
    /// The search with the least number of buyers that shows a finding of any kind; none if no number up to the bound
    /// does.
    pub least: Option<Exploration>,
    /// Commands to run next; empty if none helps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
}

/// Checks any number of buyers who all want the same number of units, and looks for the least number, up to
/// `most_buyers`, that shows a finding of any kind. The search for each number stays within `limits`. Everything stops
/// once `stopped` returns true.
///
/// # Errors
/// [`Error::Input`] for impossible settings, or if buyers want different numbers of units.
pub fn any_buyers(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    most_buyers: u32,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Result<AnyBuyers, Error> {
    Settings { buyers: 1, ..settings.clone() }.check_for(&strategy.card())?;
    if settings.qty.least != settings.qty.most {
        return Err(Error::input("`qty` must be one number where `buyers` is any"));
    }
    if let Some((name, _)) = settings.faults.all().find(|(_, times)| *times > 0) {
        return Err(Error::input(format!(
            "`{name}` needs a number of buyers, and `buyers` is any"
        )));
    }
    let mut table = TransitionTable::new(strategy, settings);
    let cover = cover(&mut table, strategy, settings, &stopped);
    check_card(&table, strategy)?;
    let (mut proved_up_to, mut least) = (None, None);
    for buyers in 1..=most_buyers {
        let some = Settings { buyers, ..settings.clone() };
        if some.check().is_err() {
            break;
        }
        let limits = Limits { states: limits.states.min(MOST_STATES), ..limits };
        let found = search_all(strategy, &some, limits, &stopped)?;
        let is_whole = found.covered.as_ref().is_some_and(|covered| covered.complete);
        match &found.findings[..] {
            [_, ..] => {
                least = Some(found);
                break;
            }
            [] if is_whole => proved_up_to = Some(buyers),
            [] => break,
        }
    }
    Ok(AnyBuyers {
        schema: SCHEMA,
        strategy: strategy.card().name.to_owned(),
        stock: settings.stock,
        evidence: match cover {
            _ if cover.oversold || least.is_some() => Evidence::Broken,
            Cover { complete: true, .. } => Evidence::Proved,
            Cover { .. } => Evidence::NotSeen,
        },
        incomplete: (!cover.complete).then(|| cut_after(cover.markings as u64, "marking")),
        complete: cover.complete,
        oversold: cover.oversold,
        below_zero: cover.below_zero,
        markings: cover.markings,
        kinds: table.kinds(),
        proved_up_to,
        least,
        hints: Vec::new(),
    })
}

impl AnyBuyers {
    /// Checks expectations against the report: `evidence` is about any number of buyers, findings are about the least
    /// number that breaks the strategy.
    #[must_use]
    pub fn judge(&self, expectations: &[Expectation]) -> Vec<Judgement> {
        let mut figures = self.least.as_ref().map_or_else(Figures::default, Exploration::figures);
        if self.oversold && figures.oversold == 0 {
            // The construction does not say by how many units: count one.
            figures.oversold = 1;
            figures.findings += 1;
        }
        crate::explore::exploration::judge(
            expectations,
            &figures,
            self.evidence,
            self.incomplete.as_deref(),
        )
    }
}

/// What the construction has seen.
struct Cover {
    markings: usize,
    complete: bool,
    oversold: bool,
    below_zero: bool,
}

fn cover(
    table: &mut TransitionTable<'_>,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    stopped: impl Fn() -> bool,
) -> Cover {
    // One kind of newcomer for each product that a cart can begin with.
    let carts = (0..settings.items.into()).map(|buyer| settings.want(1, buyer));
    let mut crowd: Vec<_> = carts.map(|cart| (table.newcomer(cart), ANY)).collect();
    let has_worker = strategy.card().asks_for(|kind| kind == OpKind::Queue);
    if has_worker {
        crowd.push((table.worker(), 1));
    }
    crowd.sort_unstable();
    let opening = State { store: table.store(shop(strategy, settings)), crowd };
    let mut known = BTreeSet::from([opening.clone()]);
    // Each marking with the index of its parent.
    let mut tree = vec![(opening, None)];
    let mut next = 0;
    let (mut oversold, mut below_zero) = (false, false);
    let is_endless = |tree: &[_], table: &TransitionTable<'_>| {
        tree.len() > MOST_MARKINGS || table.kinds() > MOST_KINDS
    };
    while next < tree.len() && !is_endless(&tree, table) && !stopped() {
        let here = tree[next].0.clone();
        oversold |= checks::promises(table, settings.stock, &here).is_some();
        below_zero |= table.store_of(here.store).stocks().iter().any(|stock| *stock < 0);
        for mut there in successors(table, &here) {
            fill_up(&mut there, &tree, next);
            if known.insert(there.clone()) {
                tree.push((there, Some(next)));
            }
        }
        next += 1;
    }
    let is_exact = !has_worker || settings.items == 1;
    let complete = next == tree.len() && (is_exact || !oversold);
    Cover { markings: tree.len(), complete, oversold: oversold && is_exact, below_zero }
}

/// Karp and Miller's acceleration: kinds that have grown since an ancestor become unbounded.
fn fill_up(there: &mut State, tree: &[(State, Option<usize>)], from: usize) {
    let mut ancestor = Some(from);
    while let Some(at) = ancestor {
        let (before, parent) = &tree[at];
        if before.store == there.store && covers(there, before) {
            let grown: Vec<KindId> = there
                .crowd
                .iter()
                .filter(|(kind, count)| *count > before.count(*kind))
                .map(|(kind, _)| *kind)
                .collect();
            for (kind, count) in &mut there.crowd {
                if grown.contains(kind) {
                    *count = ANY;
                }
            }
        }
        ancestor = *parent;
    }
}

fn covers(more: &State, less: &State) -> bool {
    less.crowd.iter().all(|(kind, count)| more.count(*kind) >= *count)
}

/// Every successor of a marking.
fn successors(table: &mut TransitionTable<'_>, here: &State) -> Vec<State> {
    let mut all = Vec::new();
    for (kind, _) in &here.crowd {
        for store in stores_for(table, here, *kind) {
            for act in table.acts().to_vec() {
                let Some(turn) = table.turn(store, Choice { who: *kind, act }) else { continue };
                all.push(State { store: without_queue(table, turn.store), ..here.after(&turn) });
            }
        }
    }
    all
}

/// The stores from which this kind may step: for an idle worker, one for each kind of waiting buyer, with that buyer in
/// the queue; for any other kind, the store as it is.
fn stores_for(table: &mut TransitionTable<'_>, here: &State, kind: KindId) -> Vec<StoreId> {
    if table.kind_of(kind).part != ActorRole::IdleWorker {
        return vec![here.store];
    }
    let waiting: Vec<(KindId, Want)> = here
        .crowd
        .iter()
        .filter_map(|(kind, _)| match table.kind_of(*kind) {
            waiting if waiting.next == Some(Op::AwaitAnswer) && waiting.grip.place => {
                match waiting.part {
                    ActorRole::Buyer { want, .. } => Some((*kind, want)),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect();
    waiting
        .into_iter()
        .map(|(kind, want)| {
            let mut store = table.store_of(here.store).clone();
            store.queue.push_back((kind.into(), Request { buyer: 0, want }));
            table.store(store)
        })
        .collect()
}

fn without_queue(table: &mut TransitionTable<'_>, store: StoreId) -> StoreId {
    if table.store_of(store).queue.is_empty() {
        return store;
    }
    let mut store = table.store_of(store).clone();
    store.queue.clear();
    table.store(store)
}
