//! The model as an execution that a scheduler can run.

use super::checks;
use super::state::State;
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::op::Units;
#[cfg(feature = "cli")]
use crate::explore::timeline::{self, TimelineRow};
use crate::scheduler::{Actor, Choice, Execution, Footprint, PendingStatement, Resources};
use crate::worlds::stepped::{ActorRole, ModelState, ModelStep, Scripted, TransitionTable};
use crate::worlds::words::intention;

/// Every step of the model may read and write everything: steps are not told apart here.
const EVERYTHING: Footprint = Footprint::writing(Resources::ALL);

/// A shop of the model.
pub(crate) struct ModelExecution<'c, 's> {
    pub(in crate::explore) table: &'c mut TransitionTable<'s>,
    opening: ModelState,
    pub(in crate::explore) state: ModelState,
    steps: Vec<ModelStep>,
    /// The findings so far that are certain whatever comes later, each with the number of steps after which it was
    /// seen.
    found: Vec<(Finding, usize)>,
    /// Units of each product that were promised.
    promised: Vec<i64>,
    stock: Units,
    /// For each buyer the first that wants the same and does the same; empty if none is alike.
    alike: Vec<Actor>,
}

impl<'c, 's> ModelExecution<'c, 's> {
    /// The shop in its opening state.
    pub(in crate::explore) fn of(table: &'c mut TransitionTable<'s>, opening: &ModelState) -> Self {
        let stock = checks::stock_of(table, opening);
        Self {
            table,
            opening: opening.clone(),
            state: opening.clone(),
            steps: Vec::new(),
            found: Vec::new(),
            promised: Vec::new(),
            stock,
            alike: Vec::new(),
        }
    }

    /// The same, where a search may use that buyers of this strategy are alike. Buyers of one kind want the same.
    pub(in crate::explore) fn with_alike(self, strategy: &dyn Scripted) -> Self {
        let kinds: Vec<_> =
            self.opening.actors().map(|who| (who, self.opening.kind(who))).collect();
        let is_alike = |one: Actor, other: Actor| match (one, other) {
            (Actor::Buyer(one), Actor::Buyer(other)) => strategy.are_alike(one, other),
            _ => one == other,
        };
        let first = |(who, kind): &(Actor, _)| {
            let first = kinds.iter().find(|(one, of)| of == kind && is_alike(*one, *who));
            first.map_or(*who, |(one, _)| *one)
        };
        let alike = kinds.iter().map(first).collect();
        Self { alike, ..self }
    }

    /// The findings of the execution, each with the number of steps after which it was seen, and how it ended; no end if
    /// something can still happen that is no fault.
    pub(in crate::explore) fn judge(
        &mut self,
    ) -> (Option<checks::FinalState>, &[(Finding, usize)]) {
        let mut end = None;
        if !self.state.goes_on(self.table) {
            let (how, findings) = checks::end_of(self.table, self.stock, &self.state);
            let steps = self.steps.len();
            findings.into_iter().for_each(|finding| self.note(finding, steps));
            end = Some(how);
        }
        (end, &self.found)
    }

    /// The state that was reached, and the steps to it.
    pub(in crate::explore) fn into_parts(self) -> (ModelState, Vec<ModelStep>) {
        (self.state, self.steps)
    }

    /// The findings so far that are certain whatever comes later, each with the number of steps after which it was seen.
    pub(in crate::explore) fn found(&self) -> &[(Finding, usize)] {
        &self.found
    }

    /// Notes findings after the next step that are certain whatever comes later.
    fn look(&mut self, step: &ModelStep) {
        let steps = self.steps.len() + 1;
        let mover = (step.actor, step.ending);
        let sold = [Some(mover), step.other].into_iter().flatten();
        let buyer = sold.filter(|(_, ending)| *ending == Some(Ending::Bought)).map(|(who, _)| who);
        let mut kinds = buyer.filter_map(|buyer| self.state.kind(buyer));
        let want = kinds.find_map(|kind| match self.table.kind_of(kind).part {
            ActorRole::Gone { want, .. } => Some(want),
            _ => None,
        });
        if let Some(want) = want {
            self.promised.resize(step.stock.len(), 0);
            for item in want.items() {
                self.promised[usize::from(item.0)] += i64::from(want.qty);
            }
            if self.promised.iter().any(|promised| *promised > i64::from(self.stock)) {
                let state = State::of(self.state.store(), self.state.kinds());
                let oversold = checks::promises(self.table, self.stock, &state);
                oversold.into_iter().for_each(|finding| self.note(finding, steps));
            }
        }
        checks::leaks(step.leaks).for_each(|leak| self.note(leak, steps));
    }

    fn note(&mut self, finding: Finding, steps: usize) {
        if self.found.iter().all(|(known, _)| known.kind != finding.kind) {
            self.found.push((finding, steps));
        }
    }
}

/// What a person who schedules the shop sees of it.
#[cfg(feature = "cli")]
impl ModelExecution<'_, '_> {
    /// The shop's stock when it opened.
    pub(in crate::explore) fn opening_stock(&self) -> Units {
        self.stock
    }

    /// The opening state.
    pub(in crate::explore) fn opening(&self) -> &ModelState {
        &self.opening
    }

    /// The steps of this execution.
    pub(in crate::explore) fn steps(&self) -> &[ModelStep] {
        &self.steps
    }

    /// The steps of this execution, in words.
    pub(in crate::explore) fn rows(&self) -> Vec<TimelineRow> {
        timeline::told(&self.steps)
    }
}

impl Execution for ModelExecution<'_, '_> {
    fn begin(&mut self) -> Result<(), Error> {
        self.state.clone_from(&self.opening);
        self.steps.clear();
        self.found.clear();
        self.promised.clear();
        Ok(())
    }

    fn clients(&self) -> Vec<Actor> {
        self.opening.actors().collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        let place = self.opening.actors().position(|one| one == client);
        place.and_then(|place| self.alike.get(place)).copied().unwrap_or(client)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        let kind = self.state.kind(client);
        kind.is_none_or(|kind| self.table.kind_of(kind).next.is_none())
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let ready = self.choices();
        let names = self.table.store_of(self.state.store()).stocks().len() > 1;
        let said = |choice: Choice| {
            let next = self.state.kind(choice.who).map(|kind| self.table.kind_of(kind).next);
            let op = next.flatten().filter(|_| choice.is_step());
            op.map_or_else(|| choice.to_string(), |op| intention(op, names))
        };
        ready.into_iter().map(|one| (one, PendingStatement::new(said(one), EVERYTHING))).collect()
    }

    fn is_deterministic(&self) -> bool {
        true
    }

    fn choices(&mut self) -> Vec<Choice> {
        self.state.choices(self.table)
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        self.state.can_happen(self.table, choice)
    }

    fn is_optional(&mut self, choice: Choice) -> bool {
        self.state.is_fault(self.table, choice)
    }

    fn has_only_steps(&self) -> bool {
        self.table.acts() == [Act::Step]
    }

    fn why_not(&mut self, choice: Choice) -> String {
        let Choice { who, act } = choice;
        let why = match (self.state.kind(who).map(|kind| self.table.kind_of(kind).next), act) {
            (None, _) => "there is no buyer of that name",
            (_, Act::BackgroundTask) => "no background task runs in its name then",
            (_, act) if act != Act::Step => {
                "faults happen as often as --crashes, --expiries and so on allow"
            }
            (Some(None), _) => "it has left by then",
            (Some(Some(_)), _) => "it has to wait then",
        };
        why.into()
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let Some(step) = self.state.follow(self.table, choice) else { return Ok(None) };
        self.look(&step);
        self.steps.push(step);
        Ok(Some(EVERYTHING))
    }

    fn is_full(&self) -> bool {
        self.table.is_full()
    }

    fn abandon(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
