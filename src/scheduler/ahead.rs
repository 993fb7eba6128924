//! Executions that several workers run ahead of time, each at its own copy of the program. One scheduler decides, in the
//! same order as with one copy: it is shown executions that were recorded ([`RecordedExecution`]), and waits for those that
//! it needs. So what it chooses, and when, does not depend on the number of workers.
//!
//! What comes next is guessed from the beginnings that the scheduler still has to explore. A guess that is wrong costs an
//! execution that was run in vain, and changes nothing else.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::beginning::Beginning;
use super::choice::{Actor, Choice};
use super::execution::Execution;
use super::footprint::Footprint;
use super::recorded::{RecordedRun, Recorder};
use super::repetition::Ready;
use super::run::{Bounds, Run};
use super::runner::run_one;
use crate::base::error::Error;

/// Beginnings for each worker that are run ahead of time.
const AHEAD: usize = 8;

/// Recorded executions for each worker that are kept; of more, the oldest are forgotten, and are run again if they are
/// needed.
const KEPT: usize = 64;

/// The executions that workers run ahead of a scheduler.
pub(crate) struct Ahead<R> {
    state: Mutex<AheadState<R>>,
    /// Whenever something is wanted, was recorded or has failed.
    changed: Condvar,
    workers: usize,
}

struct AheadState<R> {
    /// The beginnings to run, the next first.
    wanted: VecDeque<Beginning>,
    /// The beginnings under way.
    running: Vec<Vec<Choice>>,
    /// The executions that were run and that the scheduler has not come to yet.
    recorded: VecDeque<RecordedRun<R>>,
    failed: Option<Error>,
    is_over: bool,
}

impl<R> AheadState<R> {
    fn has(&self, beginning: &Beginning) -> bool {
        self.running.contains(&beginning.choices)
            || self.recorded.iter().any(|run| run.begins_with(&beginning.choices))
    }

    /// The recorded execution that begins so: the one that was run for this beginning, if there is one.
    fn take(&mut self, choices: &[Choice]) -> Option<RecordedRun<R>> {
        let exact = self.recorded.iter().position(|run| run.beginning == choices);
        let place =
            exact.or_else(|| self.recorded.iter().position(|run| run.begins_with(choices)))?;
        self.wanted.retain(|wanted| wanted.choices != choices);
        self.recorded.remove(place)
    }
}

impl<R> Ahead<R> {
    /// For so many workers.
    pub(crate) fn of(workers: usize) -> Self {
        let state = AheadState {
            wanted: VecDeque::new(),
            running: Vec::new(),
            recorded: VecDeque::new(),
            failed: None,
            is_over: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), workers }
    }

    /// Runs what is wanted, until the search is over or something fails. `judge` says what came of each execution.
    pub(crate) fn work<E: Execution>(
        &self,
        execution: &mut E,
        bounds: Bounds,
        stopped: &dyn Fn() -> bool,
        mut judge: impl FnMut(&mut E, &Run) -> Result<R, Error>,
    ) {
        let unwinding = FailsUnlessDone { ahead: self, is_done: false };
        while let Some(beginning) = self.next_wanted() {
            let choices = beginning.choices.clone();
            let mut recorder = Recorder::of(beginning);
            let run = run_one(execution, &mut recorder, bounds, stopped);
            let result = run.and_then(|run| judge(execution, &run));
            let mut state = self.state.lock();
            state.running.retain(|running| *running != choices);
            match result {
                Ok(result) => {
                    state.recorded.push_back(recorder.into_run(result));
                    if state.recorded.len() > self.workers * KEPT {
                        state.recorded.pop_front();
                    }
                }
                Err(error) => {
                    state.failed.get_or_insert(error);
                }
            }
            self.changed.notify_all();
        }
        unwinding.finish();
    }

    /// The next beginning to run; none once the search is over.
    fn next_wanted(&self) -> Option<Beginning> {
        let mut state = self.state.lock();
        loop {
            if state.is_over || state.failed.is_some() {
                return None;
            }
            while let Some(beginning) = state.wanted.pop_front() {
                if !state.has(&beginning) {
                    state.running.push(beginning.choices.clone());
                    return Some(beginning);
                }
            }
            self.changed.wait(&mut state);
        }
    }

    /// Ends the search: workers finish what they are running, and begin nothing more.
    pub(crate) fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Wants these beginnings from now on, and no others.
    fn want(&self, beginnings: Vec<Beginning>) {
        let mut state = self.state.lock();
        state.wanted = beginnings.into();
        self.changed.notify_all();
    }

    /// The execution that begins so, once it was run.
    fn wait_for(&self, beginning: &Beginning) -> Result<RecordedRun<R>, Error> {
        let mut state = self.state.lock();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if let Some(run) = state.take(&beginning.choices) {
                return Ok(run);
            }
            let is_next =
                state.wanted.front().is_some_and(|next| next.choices == beginning.choices);
            if !is_next && !state.running.contains(&beginning.choices) {
                state.wanted.push_front(beginning.clone());
                self.changed.notify_all();
            }
            self.changed.wait(&mut state);
        }
    }
}

/// Lets the search fail when dropped before a worker was done, so that nothing waits for it.
struct FailsUnlessDone<'a, R> {
    ahead: &'a Ahead<R>,
    is_done: bool,
}

impl<R> FailsUnlessDone<'_, R> {
    fn finish(mut self) {
        self.is_done = true;
    }
}

impl<R> Drop for FailsUnlessDone<'_, R> {
    fn drop(&mut self) {
        if !self.is_done {
            let error = Error::world("a thread of the search has ended");
            self.ahead.state.lock().failed.get_or_insert(error);
            self.ahead.changed.notify_all();
        }
    }
}

/// What a scheduler needs to know of a program whatever its execution.
struct Program {
    /// The clients, each with the first that is like it.
    clients: Vec<(Actor, Actor)>,
    has_only_steps: bool,
    is_deterministic: bool,
}

/// Executions that were recorded, as one that a scheduler can run.
pub(crate) struct RecordedExecution<'a, R> {
    ahead: &'a Ahead<R>,
    program: Program,
    /// How the next execution begins.
    beginning: Beginning,
    run: RecordedRun<R>,
    /// How many of its steps were made.
    made: usize,
    /// What was ready in a beginning that was repeated in the middle of the execution.
    repeated: Vec<Vec<Ready>>,
}

impl<'a, R: Default> RecordedExecution<'a, R> {
    /// The executions of this program that workers run.
    pub(crate) fn of(program: &impl Execution, ahead: &'a Ahead<R>) -> Self {
        let clients = program.clients().into_iter();
        let program = Program {
            clients: clients.map(|client| (client, program.first_alike(client))).collect(),
            has_only_steps: program.has_only_steps(),
            is_deterministic: program.is_deterministic(),
        };
        let beginning = Beginning::of(Vec::new());
        let (run, repeated) = (RecordedRun::default(), Vec::new());
        Self { ahead, program, beginning, run, made: 0, repeated }
    }

    /// What came of the execution, and how many of its steps were made.
    pub(crate) fn result(&self) -> (&R, usize) {
        (&self.run.result, self.made)
    }

    /// Whether all that was recorded has happened.
    pub(crate) fn is_at_its_end(&self) -> bool {
        self.made == self.run.steps.len()
    }

    /// Goes on in another execution that begins as this one, and then with this choice; false if there is none.
    fn depart(&mut self, choice: Choice) -> Result<bool, Error> {
        let made = self.run.steps[..self.made].iter().map(|step| step.choice);
        let choices = made.chain([choice]).collect();
        let other = self.ahead.wait_for(&Beginning { choices, ..self.beginning.clone() })?;
        let is_like = self.run.is_like(&other, self.made);
        let before = std::mem::replace(&mut self.run, other);
        let goes_on =
            is_like && self.run.steps.get(self.made).is_some_and(|it| it.choice == choice);
        if goes_on {
            let points = &self.run.points[..=self.made];
            self.repeated = points.iter().map(|point| point.ready.clone()).collect();
        } else {
            self.run = before;
        }
        Ok(goes_on)
    }
}

impl<R: Default> Execution for RecordedExecution<'_, R> {
    fn begin(&mut self) -> Result<(), Error> {
        self.made = 0;
        self.repeated.clear();
        self.run = self.ahead.wait_for(&self.beginning)?;
        Ok(())
    }

    fn clients(&self) -> Vec<Actor> {
        self.program.clients.iter().map(|(client, _)| *client).collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        let mut clients = self.program.clients.iter();
        clients.find(|(one, _)| *one == client).map_or(client, |(_, first)| *first)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        self.run.points.get(self.made).is_some_and(|point| point.left.contains(&client))
    }

    fn ready(&mut self) -> Vec<Ready> {
        self.run.points.get(self.made).map(|point| point.ready.clone()).unwrap_or_default()
    }

    fn is_deterministic(&self) -> bool {
        self.program.is_deterministic
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        self.choices().contains(&choice)
    }

    fn has_only_steps(&self) -> bool {
        self.program.has_only_steps
    }

    fn why_not(&mut self, _choice: Choice) -> String {
        "it cannot happen there".into()
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let is_next = |step: &super::recorded::RecordedStep| step.choice == choice;
        let is_refused = self.is_at_its_end() && self.run.refused == Some(choice);
        let follows = self.run.steps.get(self.made).is_some_and(is_next);
        if is_refused || !follows && !self.depart(choice)? {
            return Ok(None);
        }
        let footprint = self.run.steps[self.made].footprint.clone();
        self.made += 1;
        Ok(Some(footprint))
    }

    fn went_on(&self) -> Vec<Actor> {
        let last = self.made.checked_sub(1).and_then(|last| self.run.steps.get(last));
        last.map(|step| step.went_on.clone()).unwrap_or_default()
    }

    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        self.run.points.get(self.made).is_some_and(|point| point.may_go_on.contains(&client))
    }

    fn most_futile_attempts(&self) -> u32 {
        self.run.points.get(self.made).map_or(0, |point| point.futile)
    }

    fn looks_ahead(&self) -> usize {
        self.ahead.workers * AHEAD
    }

    fn expect(&mut self, beginnings: Vec<Beginning>) {
        if let Some(first) = beginnings.first() {
            self.beginning = first.clone();
        }
        self.ahead.want(beginnings);
    }

    fn repeated(&mut self) -> Vec<Vec<Ready>> {
        std::mem::take(&mut self.repeated)
    }

    fn abandon(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::scheduler::Resources;
    use crate::scheduler::run::End;
    use crate::scheduler::runner::run_all;
    use crate::scheduler::schedulers::{DepthFirst, PreemptionBounded, Scheduler};
    use crate::scheduler::toy::{Toy, ToyStep};

    const BOUNDS: Bounds = Bounds { most_steps: 100, cuts_futile: false };

    /// All runs that a scheduler has chosen.
    fn runs<E: Execution>(execution: &mut E, scheduler: &mut impl Scheduler<E>) -> Vec<Run> {
        let mut runs = Vec::new();
        let all = run_all(execution, scheduler, BOUNDS, &|| false, |_, run| {
            runs.push(run);
            Ok(true)
        });
        assert_eq!(all, Ok(true));
        runs
    }

    /// The same with so many workers, and how many executions those have run.
    fn runs_ahead<'a, S>(toy: &Toy, workers: usize, mut scheduler: S) -> (Vec<Run>, usize)
    where
        S: for<'b> Scheduler<RecordedExecution<'b, ()>> + 'a,
    {
        let (ahead, ran) = (Ahead::of(workers), AtomicUsize::new(0));
        let mut recorded = RecordedExecution::of(toy, &ahead);
        let found = thread::scope(|scope| {
            for _ in 0..workers {
                let (ahead, ran, mut toy) = (&ahead, &ran, toy.clone());
                scope.spawn(move || {
                    ahead.work(&mut toy, BOUNDS, &|| false, |_, _| {
                        ran.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    });
                });
            }
            let found = runs(&mut recorded, &mut scheduler);
            ahead.end();
            found
        });
        (found, ran.into_inner())
    }

    fn writers(clients: usize, steps: usize) -> Toy {
        Toy::of(vec![vec![Footprint::writing(Resources::SHELVES); steps]; clients])
    }

    fn touch() -> impl Strategy<Value = ToyStep> {
        let resource = || (0..3_usize).prop_map(Resources::table);
        prop_oneof![
            2 => resource().prop_map(|one| ToyStep::Touches(Footprint::reading(one))),
            3 => resource().prop_map(|one| ToyStep::Touches(Footprint::writing(one))),
            1 => (0..3_usize).prop_map(ToyStep::Awaits),
            2 => (0..2_usize).prop_map(ToyStep::Locks),
            2 => (0..2_usize).prop_map(ToyStep::Unlocks),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_scheduler_chooses_the_same_whatever_the_number_of_workers(
            clients in prop_oneof![
                prop::collection::vec(prop::collection::vec(touch(), 1..=4), 2),
                prop::collection::vec(prop::collection::vec(touch(), 1..=3), 3),
            ],
            are_alike in any::<bool>(),
            reduced in any::<bool>(),
            workers in 1..4_usize,
        ) {
            let toy = Toy::with_locks(clients);
            let toy = if are_alike { toy.alike() } else { toy };
            let depth_first = || DepthFirst::new(&toy, reduced);
            let alone = runs(&mut toy.clone(), &mut depth_first());
            prop_assert_eq!(runs_ahead(&toy, workers, depth_first()).0, alone);
            let bounded = || PreemptionBounded::new(&toy, reduced);
            let alone = runs(&mut toy.clone(), &mut bounded());
            prop_assert_eq!(runs_ahead(&toy, workers, bounded()).0, alone);
        }
    }

    #[test]
    fn of_writers_no_execution_is_run_in_vain() {
        for workers in 1..4 {
            let toy = writers(3, 2);
            let (found, ran) = runs_ahead(&toy, workers, DepthFirst::new(&toy, true));
            assert_eq!((found.len(), ran), (90, 90), "{workers}");
        }
    }

    #[test]
    fn a_beginning_that_comes_out_otherwise_each_time_diverges() {
        let toy = writers(2, 2).with_values_from(0);
        let (found, _) = runs_ahead(&toy, 2, DepthFirst::new(&toy, false));
        assert!(found.iter().any(|run| matches!(run.end, End::Diverged(_))), "{found:?}");
    }

    #[test]
    fn an_error_of_a_worker_ends_the_search_with_that_error() {
        let (toy, ahead) = (writers(2, 2), Ahead::of(2));
        let mut recorded = RecordedExecution::of(&toy, &ahead);
        let broken = Error::world("the server is gone");
        let found = thread::scope(|scope| {
            for _ in 0..2 {
                let (ahead, mut toy, broken) = (&ahead, toy.clone(), broken.clone());
                scope.spawn(move || {
                    ahead.work(&mut toy, BOUNDS, &|| false, |_, _| Err::<(), _>(broken.clone()));
                });
            }
            let mut depth_first = DepthFirst::new(&toy, true);
            run_all(&mut recorded, &mut depth_first, BOUNDS, &|| false, |_, _| Ok(true))
        });
        assert_eq!(found, Err(broken));
    }

    #[test]
    fn a_worker_that_panics_ends_the_search() {
        let (toy, ahead) = (writers(2, 2), Ahead::<()>::of(1));
        let mut recorded = RecordedExecution::of(&toy, &ahead);
        let found = thread::scope(|scope| {
            let (ahead, mut ran) = (&ahead, toy.clone());
            let worker = scope.spawn(move || {
                ahead.work(&mut ran, BOUNDS, &|| false, |_, _| {
                    std::panic::resume_unwind(Box::new(()))
                });
            });
            let mut depth_first = DepthFirst::new(&toy, true);
            let found =
                run_all(&mut recorded, &mut depth_first, BOUNDS, &|| false, |_, _| Ok(true));
            assert!(worker.join().is_err());
            found
        });
        assert_eq!(found, Err(Error::world("a thread of the search has ended")));
    }
}
