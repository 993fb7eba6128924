//! The model's shop as one that a person can schedule.

use super::checks::{self, Shown};
use super::execution::ModelExecution;
use super::limits::Limits;
use super::opening::open;
use super::search::Search;
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::domain::op::Units;
use crate::domain::settings::Settings;
use crate::explore::play::{ClientStatus, Outlook, Playable};
use crate::explore::timeline::TimelineRow;
use crate::scheduler::{Choice, Execution};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{ActorRole, ModelState, TransitionTable};
use crate::worlds::words::intention;

/// State limit of the search for a hint.
const LOOK_AHEAD: usize = 200_000;

/// Opens the model's shop and calls `play_it` with it.
///
/// # Errors
/// [`Error::Input`] for impossible settings; else what `play_it` says.
pub(crate) fn play<T>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    play_it: impl FnOnce(&mut ModelExecution<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    play_it(&mut ModelExecution::of(&mut table, &opening))
}

impl ModelExecution<'_, '_> {
    fn shortest_from(&mut self, state: ModelState) -> Outlook {
        let limits =
            Limits { states: LOOK_AHEAD, memory: usize::MAX, enough_after_finding: Some(0) };
        let stock = self.opening_stock();
        let seen = Search::with_stock(self.table, state, stock).run(limits, || false);
        let schedules = seen.shown.into_iter().map(|Shown { schedule, .. }| schedule);
        match schedules.min_by_key(Vec::len) {
            Some(way) => Outlook::Way(way),
            None if seen.complete => Outlook::Safe,
            None => Outlook::Unknown,
        }
    }
}

impl Playable for ModelExecution<'_, '_> {
    fn stock(&self) -> Vec<Units> {
        self.table.store_of(self.state.store()).stocks()
    }

    fn position(&mut self) -> Vec<ClientStatus> {
        let names = self.stock().len() > 1;
        let clients = self.clients();
        let client = |actor| {
            let can_move = self.can_happen(Choice::step(actor));
            let kind = self.state.kind(actor).map(|kind| self.table.kind_of(kind));
            let about = match kind.map(|kind| (kind.part, kind.next)) {
                Some((ActorRole::Gone { ending, .. }, _)) => ending.word().to_owned(),
                Some((ActorRole::IdleWorker, _)) if !can_move => "has no buyer to serve".into(),
                Some((_, Some(op))) if can_move => format!("about to {}", intention(op, names)),
                _ => "waits".into(),
            };
            ClientStatus { actor, about, can_move }
        };
        clients.into_iter().map(client).collect()
    }

    fn rows(&self) -> Vec<TimelineRow> {
        ModelExecution::rows(self)
    }

    fn is_over(&mut self) -> bool {
        !self.state.goes_on(self.table)
    }

    fn findings(&mut self) -> Result<Vec<Finding>, Error> {
        let stock = self.opening_stock();
        let (state, left_behind) = (self.state.clone(), checks::left_behind(self.steps()));
        Ok(checks::so_far(self.table, stock, &state, left_behind))
    }

    fn outlook(&mut self) -> Outlook {
        self.shortest_from(self.state.clone())
    }

    fn outlook_at_opening(&mut self) -> Outlook {
        self.shortest_from(self.opening().clone())
    }
}
