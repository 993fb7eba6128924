//! An execution for tests: clients with a fixed number of steps each, which meet in nothing but their footprints and the
//! locks that they take.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::{Actor, Choice};
use super::execution::Execution;
use super::footprint::{Footprint, Resources};
use super::run::{Bounds, End, Run};
use super::runner::run_all;
use super::schedule::Schedule;
use super::schedulers::Scheduler;
use super::statement::PendingStatement;
use crate::base::error::Error;
use crate::domain::faults::Act;

/// One step of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ToyStep {
    /// It reads and writes.
    Touches(Footprint),
    /// It asks for a table until it has been written. Once it has asked [`MOST_ASKED`] times in vain, it is passed over
    /// until another has done something.
    Awaits(usize),
    /// It takes a lock, and waits in line for it while another client has it.
    Locks(usize),
    /// It lets go of a lock, if it has it. The first in line goes on at once.
    Unlocks(usize),
}

impl ToyStep {
    /// What it reads and writes. Locks are what others cannot touch.
    pub(super) fn footprint(self) -> Footprint {
        match self {
            Self::Touches(footprint) => footprint,
            Self::Awaits(table) => Footprint::reading(Resources::table(table)),
            Self::Locks(lock) | Self::Unlocks(lock) => {
                Footprint::writing(Resources::table(100 + lock))
            }
        }
    }
}

/// How often a client asks in vain before it is passed over.
const MOST_ASKED: usize = 1;

/// Clients with their steps.
#[derive(Clone, Debug)]
pub(super) struct Toy {
    clients: Vec<Vec<ToyStep>>,
    /// How many steps each has made.
    made: Vec<usize>,
    /// Who has each lock and who waits for it, in line.
    lines: BTreeMap<usize, Vec<Actor>>,
    /// Who went on with the last step.
    went_on: Vec<Actor>,
    /// The tables that were written.
    written: BTreeSet<usize>,
    /// How often each client has asked in vain since another moved.
    asked: Vec<usize>,
    /// Whether the last step asked in vain.
    has_asked_in_vain: bool,
    /// Whether clients with the same steps count as alike.
    are_alike: bool,
    /// The value that this execution sends, where each sends another one.
    value: Option<usize>,
    /// How many clients may die in an execution, after their first step, and which have.
    crashes: usize,
    crashed: Vec<Actor>,
}

impl Toy {
    /// Clients that differ from one another.
    pub(super) fn of(clients: Vec<Vec<Footprint>>) -> Self {
        let steps = |client: Vec<Footprint>| client.into_iter().map(ToyStep::Touches).collect();
        Self::with_locks(clients.into_iter().map(steps).collect())
    }

    /// Clients that differ from one another, and may take locks.
    pub(super) fn with_locks(clients: Vec<Vec<ToyStep>>) -> Self {
        Self {
            made: vec![0; clients.len()],
            asked: vec![0; clients.len()],
            clients,
            lines: BTreeMap::new(),
            went_on: Vec::new(),
            written: BTreeSet::new(),
            has_asked_in_vain: false,
            are_alike: false,
            value: None,
            crashes: 0,
            crashed: Vec::new(),
        }
    }

    /// The same, where so many clients may die.
    pub(super) fn with_crashes(self, crashes: usize) -> Self {
        Self { crashes, ..self }
    }

    /// The same, where clients with the same steps are alike.
    pub(super) fn alike(self) -> Self {
        Self { are_alike: true, ..self }
    }

    /// The same, where the last statement of each client has another value in each execution, from this one on.
    pub(super) fn with_values_from(self, first: usize) -> Self {
        Self { value: Some(first), ..self }
    }

    /// The schedules that a scheduler runs, as text, without those that it gave up.
    pub(super) fn schedules(self, scheduler: &mut impl Scheduler<Self>) -> Vec<String> {
        self.schedules_and_divergences(scheduler).0
    }

    /// The same, and how many executions diverged.
    pub(super) fn schedules_and_divergences(
        mut self,
        scheduler: &mut impl Scheduler<Self>,
    ) -> (Vec<String>, usize) {
        let mut schedules = Vec::new();
        let mut divergences = 0;
        self.run(scheduler, |run| match run.end {
            End::Over => schedules.push(Schedule(run.schedule).to_string()),
            End::Diverged(_) => divergences += 1,
            _ => {}
        });
        (schedules, divergences)
    }

    /// Runs all executions that a scheduler chooses, and hands each to `take_in`.
    pub(super) fn run(
        &mut self,
        scheduler: &mut impl Scheduler<Self>,
        mut take_in: impl FnMut(Run),
    ) {
        let bounds = Bounds { most_steps: 100, cuts_futile: false };
        let all = run_all(self, scheduler, bounds, &|| false, |_, run| {
            take_in(run);
            Ok(true)
        });
        assert_eq!(all, Ok(true));
    }

    fn place(client: Actor) -> usize {
        let Actor::Buyer(place) = client else { return usize::MAX };
        place as usize
    }

    fn next(&self, client: Actor) -> Option<ToyStep> {
        if self.crashed.contains(&client) {
            return None;
        }
        let place = Self::place(client);
        self.clients.get(place)?.get(self.made[place]).cloned()
    }

    fn is_passed_over(&self, client: Actor) -> bool {
        matches!(self.next(client), Some(ToyStep::Awaits(_)))
            && self.asked[Self::place(client)] >= MOST_ASKED
    }

    /// Whether the last step asked in vain, so that the client will ask again.
    pub(super) fn has_asked_in_vain(&self) -> bool {
        self.has_asked_in_vain
    }

    /// Whether a client can die: it has begun, has not left and does not wait.
    fn can_crash(&self, client: Actor) -> bool {
        let has_begun = self.made.get(Self::place(client)).is_some_and(|made| *made > 0);
        has_begun
            && self.crashed.len() < self.crashes
            && self.next(client).is_some()
            && !self.waits(client)
    }

    /// The locks that a client has.
    fn locks_of(&self, client: Actor) -> Vec<usize> {
        let has = self.lines.iter().filter(|(_, line)| line.first() == Some(&client));
        has.map(|(lock, _)| *lock).collect()
    }

    /// The footprint of a client's death: it gives back its locks.
    fn crash_footprint(&self, client: Actor) -> Footprint {
        let locks = self.locks_of(client).into_iter().map(ToyStep::Unlocks);
        locks.fold(Footprint::NOTHING, |all, unlocks| all | unlocks.footprint())
    }

    /// A client dies, and gives back its locks.
    fn crash(&mut self, client: Actor) -> Footprint {
        let footprint = self.crash_footprint(client);
        self.went_on.clear();
        for lock in self.locks_of(client) {
            let line = self.lines.entry(lock).or_default();
            line.remove(0);
            self.went_on.extend(line.first());
        }
        self.crashed.push(client);
        (self.has_asked_in_vain, self.asked) = (false, vec![0; self.clients.len()]);
        footprint
    }

    /// Whether a client waits for a lock.
    fn waits(&self, client: Actor) -> bool {
        self.lines.values().any(|line| line.iter().skip(1).any(|waits| *waits == client))
    }
}

impl Execution for Toy {
    fn begin(&mut self) -> Result<(), Error> {
        self.made.fill(0);
        self.lines.clear();
        self.asked.fill(0);
        self.written.clear();
        self.crashed.clear();
        self.value = self.value.map(|value| value + 1);
        Ok(())
    }

    fn clients(&self) -> Vec<Actor> {
        (0..self.clients.len()).map(Actor::buyer).collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        let steps = &self.clients[Self::place(client)];
        let first = self.clients.iter().position(|one| self.are_alike && one == steps);
        first.map_or(client, Actor::buyer)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        self.next(client).is_none() && !self.waits(client)
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let pending = |client| {
            let footprint = self.next(client).filter(|_| !self.waits(client))?.footprint();
            let place = Self::place(client);
            let is_last = self.made[place] + 1 == self.clients[place].len();
            let text = match self.value.filter(|_| is_last) {
                Some(value) => format!("step with the value {value}"),
                None => "step".into(),
            };
            Some((Choice::step(client), PendingStatement::new(text, footprint)))
        };
        let clients = self.clients();
        let worth = clients.iter().copied().filter(|client| !self.is_passed_over(*client));
        let can_crash = clients.iter().copied().filter(|client| self.can_crash(*client));
        let crash = |who| {
            let footprint = self.crash_footprint(who);
            (Choice { who, act: Act::Crash }, PendingStatement::new("dies".into(), footprint))
        };
        worth.filter_map(pending).chain(can_crash.map(crash)).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        match choice.is_step() {
            true => self.next(choice.who).is_some() && !self.waits(choice.who),
            false => choice.act == Act::Crash && self.can_crash(choice.who),
        }
    }

    fn has_only_steps(&self) -> bool {
        self.crashes == 0
    }

    fn why_not(&mut self, _choice: Choice) -> String {
        "it has no step left".into()
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        if !self.can_happen(choice) {
            return Ok(None);
        }
        if !choice.is_step() {
            return Ok(Some(self.crash(choice.who)));
        }
        let Some(step) = self.next(choice.who) else { return Ok(None) };
        let place = Self::place(choice.who);
        self.went_on.clear();
        self.has_asked_in_vain = matches!(step, ToyStep::Awaits(it) if !self.written.contains(&it));
        match self.has_asked_in_vain {
            true => self.asked[place] += 1,
            false => {
                self.made[place] += 1;
                self.asked.fill(0);
            }
        }
        match &step {
            ToyStep::Touches(footprint) => self.written.extend(footprint.changed().tables()),
            ToyStep::Awaits(_) => {}
            ToyStep::Locks(lock) => {
                let line = self.lines.entry(*lock).or_default();
                // A client may take a lock again that it has.
                if !line.contains(&choice.who) {
                    line.push(choice.who);
                }
            }
            ToyStep::Unlocks(lock) => {
                let line = self.lines.entry(*lock).or_default();
                if line.first() == Some(&choice.who) {
                    line.remove(0);
                    self.went_on.extend(line.first());
                }
            }
        }
        Ok(Some(step.footprint()))
    }

    fn went_on(&self) -> Vec<Actor> {
        self.went_on.clone()
    }

    fn abandon(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
