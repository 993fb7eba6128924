//! The model's states as a graph in which a reader is the scheduler. Buyers have names here: no two are merged.

use std::collections::{BTreeMap, VecDeque};

use super::checks;
use super::execution::ModelExecution;
use super::opening::open;
use crate::base::error::Error;
use crate::domain::attempt::OpResult;
use crate::domain::finding::FindingKind;
use crate::domain::op::{Item, Payment, Reply};
use crate::domain::settings::Settings;
use crate::explore::exploration::Exploration;
use crate::explore::play::Playable;
use crate::explore::play_graph::{
    Interned, MOST_ENTRIES, MOST_STATES, PlayGraph, PlayMove, PlaySource, PlayState, PlayStatus,
    lanes,
};
use crate::explore::timeline::TimelineRow;
use crate::scheduler::Execution;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{Leaks, ModelIdentity, ModelState, TransitionTable};
use crate::worlds::words::could_happen;

/// The graph of the shop that a report is about. Whether a buyer was told falsely that all is sold out depends on which
/// visit came before which; states that only differ in that are one where a complete search has found no such buyer.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub(crate) fn play_graph(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    report: &Exploration,
) -> Result<PlayGraph, Error> {
    let is_complete = report.covered.as_ref().is_some_and(|covered| covered.complete);
    let tells_order = !is_complete || report.amount_of(FindingKind::FalseSoldOut) > 0;
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    let mut execution = ModelExecution::of(&mut table, &opening);
    let builder = Builder {
        tells_order,
        numbers: BTreeMap::new(),
        waiting: VecDeque::new(),
        statuses: Interned::new(),
        rows: Interned::new(),
        findings: Interned::new(),
    };
    Ok(builder.build(&mut execution, opening))
}

/// What makes two states one: the shop, and what has been left behind on the way.
type Identity = (ModelIdentity, Leaks);

/// A state that is to be looked at, and what has been left behind on the way to it.
type Waiting = (ModelState, Leaks);

struct Builder {
    tells_order: bool,
    numbers: BTreeMap<Identity, usize>,
    waiting: VecDeque<Waiting>,
    statuses: Interned<PlayStatus>,
    rows: Interned<TimelineRow>,
    findings: Interned<String>,
}

impl Builder {
    fn build(mut self, shop: &mut ModelExecution<'_, '_>, opening: ModelState) -> PlayGraph {
        let clients: Vec<String> = shop.clients().iter().map(ToString::to_string).collect();
        let most = MOST_STATES.min(MOST_ENTRIES / clients.len().max(1)).max(1);
        let mut states = Vec::new();
        let mut cut = false;
        self.number(opening, Leaks::default(), most);
        while let Some((state, leaks)) = self.waiting.pop_front() {
            let mut here = self.describe(shop, &state, leaks);
            for choice in state.choices(shop.table) {
                let mut next = state.clone();
                let Some(step) = next.follow(shop.table, choice) else { continue };
                let leaks = leaks | step.leaks;
                let row = self.rows.place(TimelineRow::of(&step));
                let to = self.number(next, leaks, most);
                cut |= to.is_none();
                here.moves.push(PlayMove {
                    choice: choice.to_string(),
                    client: shop.clients().iter().position(|one| *one == choice.who).unwrap_or(0),
                    act: could_happen(choice.act),
                    rows: vec![row],
                    to,
                });
            }
            states.push(here);
        }
        let rows = self.rows.into_list();
        let mut graph = PlayGraph {
            source: PlaySource::Model,
            lanes: lanes(&rows),
            clients,
            statuses: self.statuses.into_list(),
            rows,
            findings: self.findings.into_list(),
            states,
            cut,
        };
        // A full table makes no more steps: then it is not known what can happen.
        if shop.is_full() {
            graph.cut = true;
            return graph;
        }
        graph.count_futures();
        graph
    }

    /// The number of a state, which is looked at later if it is new; none if there are too many.
    fn number(&mut self, state: ModelState, leaks: Leaks, most: usize) -> Option<usize> {
        let identity = (state.identity(self.tells_order), leaks);
        if let Some(number) = self.numbers.get(&identity) {
            return Some(*number);
        }
        let number = self.numbers.len();
        if number == most {
            return None;
        }
        self.numbers.insert(identity, number);
        self.waiting.push_back((state, leaks));
        Some(number)
    }

    /// A state, without what can happen next.
    fn describe(
        &mut self,
        shop: &mut ModelExecution<'_, '_>,
        state: &ModelState,
        leaks: Leaks,
    ) -> PlayState {
        shop.state = state.clone();
        let clients = shop.clients();
        let stock = shop.stock();
        let products = 0..stock.len() as u8;
        let mut statuses = Vec::new();
        let mut held = Vec::new();
        for client in shop.position() {
            let kind = state.kind(client.actor).map(|kind| shop.table.kind_of(kind));
            let heard = kind.map_or(&[][..], |kind| &kind.heard[..]);
            let holds = |item: u8| {
                let item = Item(item);
                let kind = kind?;
                let which = if stock.len() > 1 { format!(" of {item}") } else { String::new() };
                let lock = kind.grip.holds(item).then_some("lock");
                let lease = (kind.standing.leases >> item.0 & 1 == 1).then_some("lease");
                let what = lock.or(lease)?;
                Some(format!("{} holds the {what}{which}", client.actor))
            };
            held.extend(products.clone().filter_map(holds));
            if kind.is_some_and(|kind| kind.standing.is_holding()) {
                held.push(format!("{} has a unit on hold", client.actor));
            }
            let left = kind.is_some_and(|kind| kind.part.ending().is_some());
            let knows = if left { String::new() } else { knowledge(heard) };
            statuses.push(self.statuses.place(PlayStatus { about: client.about, knows, left }));
        }
        debug_assert_eq!(statuses.len(), clients.len());
        let stock_at_opening = shop.opening_stock();
        let found = checks::so_far(shop.table, stock_at_opening, state, leaks);
        PlayState {
            stock,
            held,
            clients: statuses,
            findings: found
                .into_iter()
                .map(|finding| self.findings.place(finding.words()))
                .collect(),
            moves: Vec::new(),
            futures: None,
        }
    }
}

/// What a buyer has heard in this attempt, in words.
fn knowledge(heard: &[OpResult]) -> String {
    let said = |reply: &OpResult| match reply {
        Ok(Reply::Stock(stock)) => Some(format!("stock was {stock}")),
        Ok(Reply::Versioned { stock, version }) => {
            Some(format!("stock was {stock}, version {version}"))
        }
        Ok(Reply::Token(token)) => Some(format!("its token is {token}")),
        Ok(Reply::Applied(true)) => Some("it took effect".into()),
        Ok(Reply::Applied(false)) => Some("it was refused".into()),
        Ok(Reply::Payment(Payment::Approved)) => Some("it has paid".into()),
        Ok(Reply::Payment(Payment::Declined)) => Some("its payment was declined".into()),
        Ok(Reply::Payment(Payment::Unknown)) => Some("it had no answer to its payment".into()),
        Ok(Reply::Done | Reply::Locked { .. } | Reply::Next(_) | Reply::Went(_)) | Err(_) => None,
    };
    heard.iter().filter_map(said).collect::<Vec<_>>().join("; ")
}
