//! Depth-first search through every schedule. Each is run from the beginning; schedules that are equivalent to one that
//! was run are left out.
//!
//! Independent steps can be swapped, and schedules that differ in nothing else are equivalent. The search is optimal
//! dynamic partial-order reduction: each execution shows its races, which are two dependent steps that could come the
//! other way round. For each, a schedule in which they do is added to the wakeup tree of the point before them, unless
//! one that covers it is there or asleep. Sleep sets (Godefroid, *Partial-Order Methods for the Verification of
//! Concurrent Systems*, 1996) keep what was explored from being explored again.
//!
//! What the literature does not have, and why nothing is lost:
//!
//! - A client that waits for a lock is not ready. Its statement was a step, by which it began to wait; it goes on as part
//!   of another's step, which then moves both clients, and is ordered before the next step of each. To take a step that
//!   may wait is always possible, so no race is hidden behind a lock. Who else goes on may change when a race is
//!   reversed; so an expected step counts for all that wait at that point.
//! - Every point needs a *source set*: for each schedule from there, a step is explored that can come first in an
//!   equivalent one. A step that is asleep stands for others only if the sequences of the wakeup tree are run as they
//!   were planned. Where a step of the tree cannot be made, since its client waits or is passed over, it is left out, and
//!   from there on only what is explored from a point itself counts as its source set. So it is where everything is
//!   explored, for that plans no sequences.
//! - Where a client is passed over since it polls, or waits for what cannot be seen, any step may let it go on, and no
//!   footprint tells. At such a point everything is explored, minus what is asleep. So it is where the first step of a
//!   reversal cannot be made, before the last step of an execution that was given up as futile (what was not made after
//!   it shows no race), at all points of an execution that diverged, and in programs in which more than steps can happen:
//!   a crash need not happen, and so shows no race until it does. Sleep sets alone remain there.
//! - Steps of different executions are compared, in which a program may make up other values: keys of sessions, numbers of
//!   orders. So only columns tell rows apart whose values are known to come out the same. One of them that does not, where
//!   a beginning is repeated, makes the search begin anew.
//! - Of clients that do the same, the first to begin is called A. The clients of a reversal are renamed so: from a point
//!   at which neither has begun, a schedule and the one with both exchanged lead to the same, names aside. What belongs to
//!   whom stands in values; so a reversal in which clients are renamed counts by whole tables.
//! - A search can be cut into *subtrees*, which are explored apart from each other: a subtree is what follows one way of
//!   making the first steps. No race in one adds a way to begin to another, since before the cut everything is explored,
//!   minus what is asleep.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{Event, Events, Precedence};
use super::outline::Outline;
use super::wakeup_tree::{Branch, can_come_first, insert, is_among_firsts, is_initial};
use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::beginning::Beginning;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;
use crate::scheduler::footprint::{Columns, Footprint};
use crate::scheduler::repetition::{Ready, are_alike, said};
use crate::scheduler::run::{End, Run};
use crate::scheduler::symmetry::Symmetry;

/// A point at which the search chose what happens.
struct BranchPoint {
    /// What could happen, each with its statement.
    ready: Vec<Ready>,
    /// The clients that have not left and are not ready.
    waiting: Vec<Actor>,
    /// The sleep set: steps that need not be made here. Those that are explored already come last.
    asleep: Events,
    /// How many of them were asleep when the search came here.
    inherited: usize,
    /// Whether the wakeup tree lacks a sequence at this point or at one before it.
    lacks_sequences: bool,
    /// The step chosen, as it turned out.
    chosen: Arc<Event>,
    /// What is to be explored after it.
    next: Vec<Branch>,
    /// What else is to be explored from here.
    others: Vec<Branch>,
}

impl BranchPoint {
    /// The step that a ready client would make by itself, whether it is done, has to wait or is refused.
    fn step(&self, choice: Choice, stable: &Columns) -> Option<Event> {
        let (_, pending) = self.ready.iter().find(|(ready, _)| *ready == choice)?;
        Some(Event::alone(choice, pending.expected().comparing(stable)))
    }

    /// Whether what is explored from here, or was before, has all that begins as `sequence` says.
    fn covers(&self, sequence: &[Arc<Event>]) -> bool {
        if !self.lacks_sequences {
            let mut explored = self.asleep.iter().chain([&self.chosen]);
            return explored.any(|event| can_come_first(event, sequence));
        }
        let others = self.others.iter().map(|branch| &branch.event);
        let from_here = self.asleep.iter().skip(self.inherited).chain([&self.chosen]).chain(others);
        from_here.into_iter().any(|event| is_among_firsts(event, sequence))
    }
}

/// A cut of a search into subtrees.
struct Cut {
    /// How many steps come before it.
    depth: usize,
    /// Whether the next execution is the first one of its subtree.
    begins: bool,
    /// Whether of the subtree under way no more than that is run.
    is_passed_over: bool,
    /// How the subtree under way begins, once that is known.
    outline: Option<Outline>,
}

/// A depth-first search under way.
pub(crate) struct DepthFirst {
    symmetry: Symmetry,
    /// Whether schedules that are equivalent to others are left out.
    reduced: bool,
    points: Vec<BranchPoint>,
    has_begun: bool,
    /// Whether the execution under way was given up because all that could follow is asleep.
    is_in_vain: bool,
    /// Columns whose values come out the same each time, and whether there are fewer of them than the search has taken
    /// for that from its beginning.
    stable: Columns,
    has_lost_some: bool,
    cut: Option<Cut>,
}

impl DepthFirst {
    /// A search that has run nothing yet. Where it is not `reduced`, it runs every schedule one by one.
    pub(crate) fn new<E: Execution>(execution: &E, reduced: bool) -> Self {
        let symmetry = Symmetry::of(execution, reduced);
        Self {
            symmetry,
            reduced,
            points: Vec::new(),
            has_begun: false,
            is_in_vain: false,
            stable: Columns::new(),
            has_lost_some: false,
            cut: None,
        }
    }

    /// The same search, cut after so many steps. It runs one subtree after the other, and each begins with
    /// [`next_subtree`](Self::next_subtree).
    pub(crate) fn cut_after(self, depth: usize) -> Self {
        let cut = Cut { depth, begins: false, is_passed_over: false, outline: None };
        Self { cut: Some(cut), ..self }
    }

    /// Ends the subtree under way, and begins the next one; false if none is left.
    pub(crate) fn next_subtree(&mut self) -> bool {
        let Some(cut) = &mut self.cut else { return false };
        *cut = Cut { depth: cut.depth, begins: true, is_passed_over: false, outline: None };
        self.points.truncate(cut.depth);
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        is_first || !self.has_lost_some && self.turn_back(0)
    }

    /// Runs no more of the subtree that has just begun than its first schedule.
    pub(crate) fn pass_over(&mut self) {
        if let Some(cut) = &mut self.cut {
            cut.is_passed_over = true;
        }
    }

    /// How the subtree under way begins, once its first execution has ended.
    pub(crate) fn subtree(&self) -> Option<&Outline> {
        self.cut.as_ref()?.outline.as_ref()
    }

    /// Takes note of how the subtree under way begins: with all steps so far, after which these are asleep.
    fn outline(&mut self, asleep: &[Arc<Event>]) {
        let choices = |events: &[Arc<Event>]| events.iter().map(|event| event.choice).collect();
        let inherited = self.points.iter().map(|point| &point.asleep[..point.inherited]);
        let outline = Outline {
            beginning: self.choices(self.points.len()),
            asleep: inherited.chain([asleep]).map(choices).collect(),
        };
        if let Some(cut) = &mut self.cut {
            cut.outline = Some(outline);
        }
    }

    /// How many steps come before the cut; none if there is no cut.
    fn depth(&self) -> usize {
        self.cut.as_ref().map_or(0, |cut| cut.depth)
    }

    /// The same search, which tells rows apart by these columns, whose values come out the same each time.
    pub(crate) fn comparing(self, stable: Columns) -> Self {
        Self { stable, ..self }
    }

    /// The columns whose values come out the same, if they are fewer than the search has taken for that: then what it
    /// has left out may matter, and it ends.
    pub(crate) fn remaining(&self) -> Option<&Columns> {
        self.has_lost_some.then_some(&self.stable)
    }

    /// Compares what is ready at a point with what was ready there before.
    fn compare(&mut self, number: usize, ready: &[Ready]) {
        let Some(point) = self.points.get_mut(number) else { return };
        for ((_, before), (_, now)) in point.ready.iter().zip(ready) {
            let [before, now] = [before, now].map(|it| it.expected().comparing(&self.stable));
            for column in before.differing_columns(&now) {
                self.has_lost_some |= self.stable.remove(&column);
            }
        }
    }

    /// The next sleep set: steps that were asleep at the last point, and are independent of the one made there.
    fn asleep(&self) -> Events {
        let last = self.points.last().filter(|_| self.reduced);
        let asleep = last.into_iter().flat_map(|last| {
            last.asleep.iter().filter(|event| !event.depends_on(&last.chosen)).cloned()
        });
        asleep.collect()
    }

    fn choices(&self, number: usize) -> Vec<Choice> {
        self.points[..number].iter().map(|point| point.chosen.choice).collect()
    }

    /// Explores everything from the point of this number.
    fn expand(&mut self, number: usize) {
        let before = self.choices(number);
        let Some(point) = self.points.get_mut(number) else { return };
        point.lacks_sequences = true;
        for (choice, _) in &point.ready {
            let is_there = point.chosen.choice == *choice
                || point.others.iter().any(|branch| branch.event.choice == *choice)
                || point.asleep.iter().any(|event| event.choice == *choice);
            if is_there || !self.symmetry.allows(choice.who, &before) {
                continue;
            }
            let event = point.step(*choice, &self.stable).map(Arc::new);
            point.others.extend(event.map(|event| Branch { event, next: Vec::new() }));
        }
    }

    /// Adds the reversal of each race of the execution that was run.
    fn reverse_races(&mut self) {
        let events: Events = self.points.iter().map(|point| Arc::clone(&point.chosen)).collect();
        let precedence = Precedence::of(&events);
        let depth = self.depth();
        let races = precedence.races().iter().copied();
        for (earlier, later) in races.filter(|(earlier, _)| *earlier >= depth) {
            let reversal = self.reversal(&events, &precedence, earlier, later);
            let moving = reversal.iter().map(|event| event.choice.who);
            let names = self.symmetry.names(moving, &self.choices(earlier));
            let reversal = renamed(reversal, &names);
            let point = &self.points[earlier];
            if point.covers(&reversal) {
                continue;
            }
            let last = earlier.checked_sub(1).map(|last| events[last].choice.who);
            let is_ready = |event: &Event| point.ready.iter().any(|(one, _)| *one == event.choice);
            match in_few_turns(reversal, last, is_ready) {
                Some(reversal) if point.lacks_sequences => {
                    self.points[earlier].others.extend(Branch::of(reversal));
                }
                Some(reversal) => insert(&mut self.points[earlier].others, reversal),
                None => self.expand(earlier),
            }
        }
    }

    /// What happens from the point before the earlier of two events that race so that the later comes first: all events
    /// that do not follow from the earlier, and then the later.
    fn reversal(
        &self,
        events: &[Arc<Event>],
        precedence: &Precedence,
        earlier: usize,
        later: usize,
    ) -> Events {
        let is_kept = |at: usize| at != earlier && !precedence.is_before(earlier, at);
        let rest = (earlier + 1..events.len()).filter(|at| is_kept(*at));
        let mut reversal: Events = rest.map(|at| Arc::clone(&events[at])).collect();
        let choice = events[later].choice;
        let point = &self.points[later];
        let mut expected =
            point.step(choice, &self.stable).unwrap_or_else(|| (*events[later]).clone());
        // A client that waits there without the earlier event may go on with the later.
        let mut all = expected.footprint.clone();
        for client in &point.waiting {
            let began = (0..later).rev().find(|at| events[*at].choice.who == *client);
            let Some(began) = began else { continue };
            let footprint =
                self.points[began].step(Choice::step(*client), &self.stable).map(|it| it.footprint);
            if is_kept(began) {
                let its = footprint.as_ref().unwrap_or(&events[began].footprint);
                expected.footprint = expected.footprint | its;
                expected.went_on.push(*client);
            }
            all = all | footprint.unwrap_or(Footprint::NOTHING);
        }
        // If more was touched than the statements say, nothing is taken away.
        if all.clone() | &events[later].footprint != all {
            expected.footprint = expected.footprint | &events[later].footprint;
        }
        reversal.push(Arc::new(expected));
        reversal
    }

    /// Backtracks to the last point from which something else is to be explored, of those after so many steps; false if
    /// there is none.
    fn turn_back(&mut self, depth: usize) -> bool {
        while self.points.len() > depth {
            let Some(mut last) = self.points.pop() else { break };
            last.asleep.push(last.chosen);
            let is_asleep = |event: &Event| last.asleep.iter().any(|it| it.choice == event.choice);
            last.others.retain(|branch| !is_asleep(&branch.event));
            if !last.others.is_empty() {
                let Branch { event, next } = last.others.remove(0);
                self.points.push(BranchPoint { chosen: event, next, ..last });
                return true;
            }
        }
        false
    }
}

/// The choices that are to be made first, one after the other.
fn firsts(mut branches: &[Branch]) -> Vec<Choice> {
    let mut choices = Vec::new();
    while let Some(first) = branches.first() {
        choices.push(first.event.choice);
        branches = &first.next;
    }
    choices
}

/// The same sequence with other names for these clients.
fn renamed(sequence: Events, names: &BTreeMap<Actor, Actor>) -> Events {
    if names.is_empty() {
        return sequence;
    }
    let name = |client: Actor| names.get(&client).copied().unwrap_or(client);
    let renamed = |event: Arc<Event>| {
        let choice = Choice { who: name(event.choice.who), ..event.choice };
        let went_on = event.went_on.iter().map(|client| name(*client)).collect();
        Arc::new(Event { choice, went_on, footprint: event.footprint.by_table() })
    };
    sequence.into_iter().map(renamed).collect()
}

/// The same sequence in an order in which clients take few turns, after a step of `last`. Its last event stays the last.
/// None if no event that can come first is ready.
fn in_few_turns(
    mut sequence: Events,
    mut last: Option<Actor>,
    is_ready: impl Fn(&Event) -> bool,
) -> Option<Events> {
    let mut ordered = Events::with_capacity(sequence.len());
    while !sequence.is_empty() {
        let may = |at: &usize| {
            (*at + 1 < sequence.len() || sequence.len() == 1)
                && is_initial(*at, &sequence)
                && (!ordered.is_empty() || is_ready(&sequence[*at]))
        };
        let first = (0..sequence.len())
            .filter(may)
            .min_by_key(|at| (Some(sequence[*at].choice.who) != last, sequence[*at].choice.who));
        // The last event may be the only one that is ready.
        let first = match first {
            None if is_ready(sequence.last()?) && is_initial(sequence.len() - 1, &sequence) => {
                sequence.len() - 1
            }
            first => first?,
        };
        let event = sequence.remove(first);
        last = Some(event.choice.who);
        ordered.push(event);
    }
    Some(ordered)
}

impl<E: Execution> Scheduler<E> for DepthFirst {
    fn new_execution(&mut self) -> bool {
        let depth = self.depth();
        let (is_first, goes_on) = match &mut self.cut {
            Some(cut) => (std::mem::take(&mut cut.begins), !cut.is_passed_over),
            None => (!std::mem::replace(&mut self.has_begun, true), true),
        };
        is_first || goes_on && !self.has_lost_some && self.turn_back(depth)
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        let ready = execution.ready();
        self.compare(so_far.len(), &ready);
        if let Some(point) = self.points.get(so_far.len()) {
            return Ok(match are_alike(&point.ready, &ready) {
                true => Next::Take(point.chosen.choice),
                false => Next::Diverged(format!(
                    "{}; before it was {}",
                    said(&ready),
                    said(&point.ready)
                )),
            });
        }
        self.is_in_vain = false;
        let asleep = self.asleep();
        if self.cut.as_ref().is_some_and(|cut| cut.depth == so_far.len()) {
            self.outline(&asleep);
        }
        if ready.is_empty() {
            return Ok(Next::Over);
        }
        let may = |choice: Choice| {
            ready.iter().any(|(one, _)| *one == choice)
                && !asleep.iter().any(|event| event.choice == choice)
                && self.symmetry.allows(choice.who, so_far)
        };
        let mut others = match self.points.last_mut() {
            Some(last) => std::mem::take(&mut last.next),
            None => Vec::new(),
        };
        let planned = others.len();
        others.retain(|branch| may(branch.event.choice));
        let lacks_sequences =
            others.len() < planned || self.points.last().is_some_and(|last| last.lacks_sequences);
        let inherited = asleep.len();
        let (chosen, next) = match others.is_empty() {
            false => {
                let Branch { event, next } = others.remove(0);
                (event, next)
            }
            true => {
                let last = so_far.last().filter(|last| self.reduced && may(**last)).copied();
                let first = || ready.iter().map(|(choice, _)| *choice).find(|choice| may(*choice));
                let Some(choice) = last.or_else(first) else {
                    self.is_in_vain = true;
                    return Ok(Next::Cut);
                };
                (Arc::new(Event::alone(choice, Footprint::NOTHING)), Vec::new())
            }
        };
        let is_ready = |client: &Actor| ready.iter().any(|(choice, _)| choice.who == *client);
        let mut waiting: Vec<Actor> =
            self.symmetry.clients().filter(|client| !is_ready(client)).collect();
        waiting.retain(|client| !execution.has_left(*client));
        let is_doubtful = waiting.iter().any(|client| execution.may_go_on_with_any_step(*client));
        let choice = chosen.choice;
        self.points.push(BranchPoint {
            ready,
            waiting,
            asleep,
            inherited,
            lacks_sequences,
            chosen,
            next,
            others,
        });
        let is_before_cut = so_far.len() < self.depth();
        if !self.reduced || is_doubtful || is_before_cut || !execution.has_only_steps() {
            self.expand(so_far.len());
        }
        Ok(Next::Take(choice))
    }

    fn has_taken(&mut self, so_far: &[Choice], footprint: Footprint, execution: &mut E) {
        let last = so_far.len().checked_sub(1);
        if let Some(point) = last.and_then(|last| self.points.get_mut(last)) {
            let went_on = execution.went_on();
            let footprint = footprint.comparing(&self.stable);
            point.chosen = Arc::new(Event { choice: point.chosen.choice, went_on, footprint });
        }
    }

    fn has_repeated(&mut self, number: usize, ready: &[Ready]) {
        self.compare(number, ready);
    }

    fn beginnings(&self, most: usize) -> Vec<Beginning> {
        let usual = Beginning {
            keeps_client: self.reduced,
            stable: Arc::new(self.stable.clone()),
            symmetry: Some(Arc::new(self.symmetry.clone())),
            ..Beginning::default()
        };
        let Some(last) = self.points.len().checked_sub(1) else { return vec![usual] };
        let from = |number: usize, asleep: &Events, event: &Event, next: &[Branch]| Beginning {
            choices: self.choices(number).into_iter().chain([event.choice]).collect(),
            hoped_for: firsts(next),
            asleep: asleep.clone(),
            asleep_from: number,
            ..usual.clone()
        };
        let point = &self.points[last];
        let mut beginnings = vec![from(last, &point.asleep, &point.chosen, &point.next)];
        let is_passed_over = self.cut.as_ref().is_some_and(|cut| cut.is_passed_over);
        let known = if is_passed_over { self.depth() } else { self.points.len() };
        for (number, point) in self.points.iter().enumerate().take(known).rev() {
            let mut asleep = point.asleep.clone();
            asleep.push(Arc::clone(&point.chosen));
            for Branch { event, next } in &point.others {
                if beginnings.len() >= most {
                    return beginnings;
                }
                if !asleep.iter().any(|it| it.choice == event.choice) {
                    beginnings.push(from(number, &asleep, event, next));
                    asleep.push(Arc::clone(event));
                }
            }
        }
        beginnings
    }

    fn has_ended(&mut self, run: &Run) {
        if self.cut.as_ref().is_some_and(|cut| cut.outline.is_none()) {
            self.outline(&Events::new());
        }
        let is_passed_over = self.cut.as_ref().is_some_and(|cut| cut.is_passed_over);
        if is_passed_over || !self.reduced {
            return;
        }
        match run.end {
            End::Over => self.reverse_races(),
            End::Cut => {
                if !self.is_in_vain {
                    self.expand(self.points.len().saturating_sub(1));
                }
                self.reverse_races();
            }
            End::Diverged(_) => (0..self.points.len()).for_each(|number| self.expand(number)),
            End::TooLong | End::Stopped => {}
        }
    }
}
