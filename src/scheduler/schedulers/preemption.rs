//! Schedules by their number of preemptions. A preemption makes a client wait that could go on. Schedules without one
//! come first, then those with one, and so on. Most bugs need few (Musuvathi and Qadeer, *Iterative Context Bounding for
//! Systematic Testing of Multithreaded Programs*, PLDI 2007); and where a checkout has dozens of statements, all
//! schedules are too many.
//!
//! A preemption just before a step is equivalent to the preemption just after it, if the step is independent of
//! everything that the others do before its client moves again; it is left out. Every schedule with as few preemptions
//! is equivalent to one that is run: moving the step forward adds no preemption.
//!
//! What happens to a client beside its own steps, such as a crash, is no preemption: the client that moved last goes on.

use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::beginning::Beginning;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;
use crate::scheduler::footprint::Footprint;
use crate::scheduler::repetition::{ReadyDigest, said};
use crate::scheduler::run::{End, Run};
use crate::scheduler::symmetry::Symmetry;

/// The first choices of a schedule. The client of the last step then goes on for as long as it can.
#[derive(Default)]
struct Prefix {
    choices: Vec<Choice>,
    /// What was ready before each of them, where an execution has been there.
    ready: Vec<ReadyDigest>,
}

/// One step of the execution under way.
struct Taken {
    choice: Choice,
    footprint: Footprint,
    /// What could have been chosen instead, and its digest.
    ready: Vec<Choice>,
    digest: ReadyDigest,
    /// Whether its client left with it.
    has_left: bool,
}

/// Preemptions by one client, out of one stretch of another client's steps, each earlier than the one before.
struct Chain {
    choices: Vec<Choice>,
    /// The footprint of each step, and what was ready before it.
    footprints: Vec<Footprint>,
    digests: Vec<ReadyDigest>,
    /// The steps before which the search preempts, the first to be tried last.
    positions: Vec<usize>,
    /// What is chosen there instead.
    instead: Choice,
    /// Where the stretch ends, and the footprint of what comes in between with the preemption there; none if it is not
    /// known.
    end: usize,
    between: Option<Footprint>,
}

impl Chain {
    /// The next of its positions, and how many are left then; none if it is at its end. Where it is `reduced`, a
    /// preemption is left out that makes no difference.
    fn next(&self, reduced: bool) -> Option<(usize, usize)> {
        let mut end = self.end;
        for (left, position) in self.positions.iter().copied().enumerate().rev() {
            let is_independent =
                |between: &Footprint| !between.conflicts_with(&self.footprints[position]);
            let makes_no_difference =
                position + 1 == end && self.between.as_ref().is_some_and(is_independent);
            if !reduced || !makes_no_difference {
                return Some((left, position));
            }
            end = position;
        }
        None
    }

    /// The choices up to a preemption at this position.
    fn choices_at(&self, position: usize) -> Vec<Choice> {
        [&self.choices[..position], &[self.instead]].concat()
    }
}

/// Runs all schedules with a number of preemptions, which begins at none and is raised by
/// [`deepen`](PreemptionBounded::deepen).
pub(crate) struct PreemptionBounded {
    symmetry: Symmetry,
    /// Whether preemptions that make no difference are left out. Where more than steps can happen, they may make one: what
    /// happens to a client beside its steps depends on how far it has come.
    reduced: bool,
    preemptions: u32,
    /// Prefixes with this number of preemptions.
    same: Vec<Prefix>,
    /// The chain that is followed, and those that come after it.
    chain: Option<Chain>,
    chains: std::vec::IntoIter<Chain>,
    /// Chains that lead to schedules with one preemption more.
    next: Vec<Chain>,
    /// The prefix of the execution under way; where it comes from a chain, the position there.
    prefix: Prefix,
    preempted_at: Option<usize>,
    taken: Vec<Taken>,
    /// What is ready at the end, and its digest.
    ready: Vec<Choice>,
    digest: ReadyDigest,
}

impl PreemptionBounded {
    /// A search that has run nothing yet. Where it is not `reduced`, it runs every schedule one by one.
    pub(crate) fn new<E: Execution>(execution: &E, reduced: bool) -> Self {
        let clients = execution.clients().into_iter();
        let is_first = |one: &Actor| !reduced || execution.first_alike(*one) == *one;
        // A worker has nothing to do before a buyer has come.
        let begins = clients.filter(|one| matches!(one, Actor::Buyer(_))).filter(is_first);
        Self {
            symmetry: Symmetry::of(execution, reduced),
            reduced: reduced && execution.has_only_steps(),
            preemptions: 0,
            same: begins
                .map(|client| Prefix { choices: vec![Choice::step(client)], ready: Vec::new() })
                .collect(),
            chain: None,
            chains: Vec::new().into_iter(),
            next: Vec::new(),
            prefix: Prefix::default(),
            preempted_at: None,
            taken: Vec::new(),
            ready: Vec::new(),
            digest: ReadyDigest::default(),
        }
    }

    /// The number of preemptions in the schedules that it runs.
    #[must_use]
    pub(crate) fn preemptions(&self) -> u32 {
        self.preemptions
    }

    /// Whether every schedule has at most as many preemptions: there is none with one more.
    #[must_use]
    pub(crate) fn is_everything(&self) -> bool {
        self.next.is_empty()
    }

    /// Allows one preemption more.
    pub(crate) fn deepen(&mut self) {
        self.preemptions += 1;
        self.chains = std::mem::take(&mut self.next).into_iter();
    }

    /// The next prefix out of the chain that is followed; none if the chain is at its end.
    fn next_of_chain(&mut self) -> Option<(usize, Prefix)> {
        let chain = self.chain.as_mut()?;
        let Some((left, position)) = chain.next(self.reduced) else {
            chain.positions.clear();
            return None;
        };
        chain.positions.truncate(left);
        chain.end = position;
        let (choices, ready) = (chain.choices_at(position), chain.digests[..=position].to_vec());
        Some((position, Prefix { choices, ready }))
    }

    /// What else could have been chosen after the first `at` of these choices; of clients that are alike and have not
    /// begun, only the first.
    fn others<'a>(&'a self, choices: &'a [Choice], at: usize) -> impl Iterator<Item = Choice> + 'a {
        let ready = self.taken.get(at).map_or(&self.ready, |taken| &taken.ready);
        let may = move |choice: &Choice| {
            choices.get(at) != Some(choice) && self.symmetry.allows(choice.who, &choices[..at])
        };
        ready.iter().copied().filter(may)
    }

    /// Records the alternatives to an execution, after its prefix.
    fn branch(&mut self, is_over: bool) {
        let begun = self.prefix.choices.len();
        let choices: Vec<Choice> = self.taken.iter().map(|taken| taken.choice).collect();
        let footprints: Vec<Footprint> =
            self.taken.iter().map(|taken| taken.footprint.clone()).collect();
        let mut digests: Vec<ReadyDigest> = self.taken.iter().map(|taken| taken.digest).collect();
        digests.push(self.digest);
        let with = |at: usize, other: Choice| Prefix {
            choices: [&choices[..at], &[other]].concat(),
            ready: digests[..=at].to_vec(),
        };
        let (mut same, mut next) = (Vec::new(), Vec::new());
        // What happens beside the clients' own steps may happen at any time, even when all clients have left.
        let from = if self.is_very_first() { 0 } else { begun };
        for at in from..choices.len() + usize::from(is_over) {
            let others = self.others(&choices, at).filter(|other| !other.is_step());
            same.extend(others.map(|other| with(at, other)));
        }
        let mut end = choices.len();
        while let Some(last) = choices[..end].iter().rposition(Choice::is_step) {
            let whose = choices[last].who;
            let is_others = |choice: &Choice| choice.is_step() && choice.who != whose;
            let before = choices[..last].iter().rposition(is_others).map_or(0, |at| at + 1);
            let start = (before..last).find(|at| choices[*at].is_step()).unwrap_or(last);
            let end_of_stretch = last + 1;
            // Where the client before could not go on, any other client may come next, and that is no preemption.
            if start >= begun {
                let others = self.others(&choices, start).filter(Choice::is_step);
                same.extend(others.map(|other| with(start, other)));
            }
            for instead in self.symmetry.clients().map(Choice::step) {
                let can = |at: &usize| self.others(&choices, *at).any(|other| other == instead);
                let positions: Vec<usize> =
                    (begun.max(start + 1)..end_of_stretch).filter(can).collect();
                if positions.is_empty() {
                    continue;
                }
                // If the client has left and the other follows, the schedule itself shows what comes after a preemption
                // there.
                let follows =
                    self.taken[last].has_left && choices.get(end_of_stretch) == Some(&instead);
                next.push(Chain {
                    choices: choices.clone(),
                    footprints: footprints.clone(),
                    digests: digests.clone(),
                    positions,
                    instead,
                    end: end_of_stretch,
                    between: follows.then(|| all(&footprints[end_of_stretch..])),
                });
            }
            end = before;
        }
        self.same.append(&mut same);
        self.next.append(&mut next);
    }

    /// Whether this is the execution in which the first client begins, and nothing was chosen otherwise.
    fn is_very_first(&self) -> bool {
        let first = self.symmetry.clients().next().map(Choice::step);
        self.prefix.choices.len() == 1 && self.prefix.choices.first().copied() == first
    }
}

/// What several steps read and write, taken together.
fn all(footprints: &[Footprint]) -> Footprint {
    footprints.iter().fold(Footprint::NOTHING, |all, one| all | one)
}

impl<E: Execution> Scheduler<E> for PreemptionBounded {
    fn new_execution(&mut self) -> bool {
        self.taken.clear();
        loop {
            if let Some(prefix) = self.same.pop() {
                (self.prefix, self.preempted_at) = (prefix, None);
                return true;
            }
            if let Some((position, prefix)) = self.next_of_chain() {
                (self.prefix, self.preempted_at) = (prefix, Some(position));
                return true;
            }
            self.chain = self.chains.next();
            if self.chain.is_none() {
                return false;
            }
        }
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        self.taken.truncate(so_far.len());
        (self.ready, self.digest) = ReadyDigest::now(execution);
        let before = self.prefix.ready.get(so_far.len());
        if before.is_some_and(|before| !before.is_like(self.digest)) {
            return Ok(Next::Diverged(said(&execution.ready())));
        }
        let last = so_far.iter().rfind(|choice| choice.is_step());
        let prefixed = self.prefix.choices.get(so_far.len()).copied();
        let next = prefixed
            .or_else(|| last.copied().filter(|last| self.ready.contains(last)))
            .or_else(|| self.ready.iter().copied().find(Choice::is_step))
            .or_else(|| self.ready.iter().copied().find(|choice| !execution.is_optional(*choice)));
        Ok(next.map_or(Next::Over, Next::Take))
    }

    fn has_taken(&mut self, so_far: &[Choice], footprint: Footprint, execution: &mut E) {
        if let Some(choice) = so_far.last().copied() {
            let has_left = execution.has_left(choice.who);
            let ready = std::mem::take(&mut self.ready);
            // Steps of different executions are compared, in which values may differ.
            let footprint = footprint.by_table();
            self.taken.push(Taken { choice, footprint, ready, digest: self.digest, has_left });
        }
    }

    fn beginnings(&self, most: usize) -> Vec<Beginning> {
        let same = self.same.iter().rev().map(|prefix| prefix.choices.clone());
        let first = |chain: &Chain| {
            let (_, position) = chain.next(self.reduced)?;
            Some(chain.choices_at(position))
        };
        let firsts = self.chains.as_slice().iter().filter_map(first);
        let all = std::iter::once(self.prefix.choices.clone()).chain(same).chain(firsts);
        all.take(most).map(Beginning::of).collect()
    }

    fn has_ended(&mut self, run: &Run) {
        let is_whole = matches!(run.end, End::Over | End::Cut);
        if let (Some(position), Some(chain)) = (self.preempted_at, &mut self.chain) {
            let whose = chain.choices[position].who;
            let others = self.taken.iter().skip(position);
            let others = others.take_while(|taken| taken.choice != Choice::step(whose));
            let between = others.fold(Footprint::NOTHING, |all, taken| all | &taken.footprint);
            chain.between = is_whole.then_some(between);
        }
        if is_whole {
            self.branch(run.end == End::Over);
        }
    }
}
