//! A permutation as PostgreSQL's isolation tester runs it, and its output in the tester's form.
//!
//! A step is sent when the step before it is done or waits. It waits if the server says so, or if a marker delays the
//! report of its completion. The rules are those of `src/test/isolation/isolationtester.c`.

use std::time::Duration;

use super::sessions::SpecSessions;
use crate::base::clock::{Clock, Wall};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::describe::spec::{Marker, PermutationStep, Spec};
use crate::stores::isolation::IsolationServer;

/// The first wait for an answer, before the server is asked whether the session is blocked.
const GLANCE: Duration = Duration::from_micros(300);

/// The longest wait between two such questions.
const LONGEST_GLANCE: Duration = Duration::from_millis(10);

/// The longest wait for a step. Then it is cancelled; after as long again, the file is given up.
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// What has come of the permutations of a file.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// What the tester would print.
    pub(crate) output: String,
    /// How many permutations were begun.
    pub(crate) permutations: u64,
    /// Whether all were run to their end.
    pub(crate) is_complete: bool,
    /// Whether it was stopped from outside.
    pub(crate) is_stopped: bool,
}

/// Why a file is given up.
enum GivenUp {
    /// What was run says why.
    Said,
    /// The search was stopped.
    Stopped,
    /// The server failed.
    Failed(Error),
}

impl From<Error> for GivenUp {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Runs the permutations that a file lists, or every order of all steps if it lists none.
///
/// # Errors
/// When the server fails.
pub(crate) fn run_listed(
    spec: &Spec,
    server: &IsolationServer,
    monitor: &(dyn Monitor + Sync),
) -> Result<Listed, Error> {
    let mut sessions = SpecSessions::open(spec, server, "")?;
    let mut output: String =
        spec.unused.iter().map(|name| format!("unused step name: {name}\n")).collect();
    output += &format!("Parsed test spec with {} sessions\n", spec.sessions.len());
    let mut permutations = 0;
    let mut run = |steps: &[PermutationStep]| {
        if monitor.is_stopped() {
            return Err(GivenUp::Stopped);
        }
        permutations += 1;
        sessions.reconnect()?;
        let mut run = ListedRun::new(&mut sessions, steps, monitor, &mut output);
        run.run()?;
        monitor.has_done(1);
        Ok(())
    };
    let done = match spec.permutations.is_empty() {
        true => spec.each_interleaving(run),
        false => spec.permutations.iter().try_for_each(|steps| run(steps)),
    };
    match done {
        Err(GivenUp::Failed(error)) => Err(error),
        done => {
            let is_stopped = matches!(done, Err(GivenUp::Stopped));
            Ok(Listed { output, permutations, is_complete: done.is_ok(), is_stopped })
        }
    }
}

/// A permutation under way.
struct ListedRun<'r, 's> {
    sessions: &'r mut SpecSessions<'s>,
    steps: &'r [PermutationStep],
    monitor: &'r (dyn Monitor + Sync),
    output: &'r mut String,
    /// By session, the place of the step that is sent and not reported as complete.
    active: Vec<Option<usize>>,
    /// The places of steps that wait, in the order in which they were sent.
    waiting: Vec<usize>,
    /// By place and marker, how many notices there must be.
    targets: Vec<Vec<u32>>,
    clock: Wall,
}

/// Whether a step is looked at again, and whether it may wait.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    is_again: bool,
    may_wait: bool,
}

/// A step that was just sent.
const FIRST: Look = Look { is_again: false, may_wait: true };
/// A step that has waited, and may wait on.
const AGAIN: Look = Look { is_again: true, may_wait: true };
/// A step that has waited, and whose end is awaited.
const TO_THE_END: Look = Look { is_again: true, may_wait: false };

impl<'r, 's> ListedRun<'r, 's> {
    fn new(
        sessions: &'r mut SpecSessions<'s>,
        steps: &'r [PermutationStep],
        monitor: &'r (dyn Monitor + Sync),
        output: &'r mut String,
    ) -> Self {
        let active = vec![None; sessions.live.len()];
        let targets = steps.iter().map(|step| vec![0; step.markers.len()]).collect();
        let waiting = Vec::new();
        Self { sessions, steps, monitor, output, active, waiting, targets, clock: Wall::start() }
    }

    fn run(&mut self) -> Result<(), GivenUp> {
        let spec = self.sessions.spec;
        let names = self.steps.iter().map(|step| format!(" {}", spec.step(step.step).name));
        let names: String = names.collect();
        *self.output += &format!("\nstarting permutation:{names}\n");
        match self.sessions.set_up() {
            Ok(told) => *self.output += &told,
            Err(told) => {
                *self.output += &told;
                return Err(GivenUp::Said);
            }
        }
        for place in 0..self.steps.len() {
            self.await_session(self.steps[place].step.session)?;
            self.send(place)?;
        }
        self.look_at_all(TO_THE_END)?;
        if !self.waiting.is_empty() {
            *self.output += "failed to complete permutation due to mutually-blocking steps\n";
            return Err(GivenUp::Said);
        }
        *self.output += &self.sessions.tear_down_sessions();
        match self.sessions.tear_down() {
            Ok(told) => *self.output += &told,
            Err(why) => *self.output += &format!("teardown failed: {why}"),
        }
        Ok(())
    }

    /// Waits until a session is done with its last step.
    fn await_session(&mut self, session: usize) -> Result<(), GivenUp> {
        let began = self.clock.now();
        while let Some(place) = self.active[session] {
            if !self.look_at(place, TO_THE_END)? {
                self.waiting.retain(|one| *one != place);
            }
            self.look_at_all(AGAIN)?;
            let waited = Duration::from_nanos(self.clock.now() - began);
            if self.active[session].is_some() && waited > 2 * LONGEST_STEP {
                return Err(self.too_long(place, waited));
            }
            self.check_stopped()?;
        }
        Ok(())
    }

    /// Sends a step, and looks at it and at all that wait.
    fn send(&mut self, place: usize) -> Result<(), GivenUp> {
        let step = self.steps[place].step;
        let live = &mut self.sessions.live[step.session];
        if live.wire.is_lost() {
            let name = &self.sessions.spec.step(step).name;
            *self.output +=
                &format!("failed to send query for step {name}: no connection to the server\n\n");
            return Err(GivenUp::Said);
        }
        live.send(&self.sessions.spec.step(step).sql);
        self.active[step.session] = Some(place);
        for (marker, target) in self.steps[place].markers.iter().zip(&mut self.targets[place]) {
            if let Marker::Notices(other, more) = marker {
                *target = self.sessions.live[other.session].notices.saturating_add(*more);
            }
        }
        let waits = self.look_at(place, FIRST)?;
        self.look_at_all(AGAIN)?;
        if waits {
            self.waiting.push(place);
        }
        Ok(())
    }

    /// Looks at all steps that wait, and takes away those that are complete; again, while one of them may have been
    /// waited for.
    fn look_at_all(&mut self, look: Look) -> Result<(), GivenUp> {
        loop {
            let (before, notices) = (self.waiting.len(), self.notices());
            let mut has_marked = false;
            for place in self.waiting.clone() {
                match self.look_at(place, look)? {
                    true => has_marked |= !self.steps[place].markers.is_empty(),
                    false => self.waiting.retain(|one| *one != place),
                }
            }
            let is_news = self.waiting.len() < before || self.notices() > notices;
            if !has_marked || !is_news {
                return Ok(());
            }
        }
    }

    fn notices(&self) -> u32 {
        self.sessions.live.iter().map(|live| live.notices).sum()
    }

    /// Waits until a step is complete, and reports it; or until it waits, if it may. Whether it waits.
    fn look_at(&mut self, place: usize, look: Look) -> Result<bool, GivenUp> {
        let PermutationStep { step, markers } = &self.steps[place];
        if !look.is_again && markers.contains(&Marker::Sent) {
            self.report_waiting(place);
            return Ok(true);
        }
        let began = self.clock.now();
        let mut glance = if look.is_again { Duration::ZERO } else { GLANCE };
        let mut is_cancelled = false;
        while !self.sessions.live[step.session].listen(glance, self.output) {
            if look.may_wait && self.sessions.is_blocked(step.session)? {
                // What has come while the server was asked counts more.
                if self.sessions.live[step.session].listen(Duration::ZERO, self.output) {
                    break;
                }
                if !look.is_again {
                    self.report_waiting(place);
                }
                return Ok(true);
            }
            glance = (2 * glance).clamp(GLANCE, LONGEST_GLANCE);
            let waited = Duration::from_nanos(self.clock.now() - began);
            if waited > LONGEST_STEP && !is_cancelled {
                self.sessions.live[step.session].wire.cancel();
                let name = &self.sessions.spec.step(*step).name;
                let seconds = waited.as_secs();
                *self.output +=
                    &format!("isolationtester: canceling step {name} after {seconds} seconds\n");
                is_cancelled = true;
            }
            if waited > 2 * LONGEST_STEP {
                return Err(self.too_long(place, waited));
            }
            self.check_stopped()?;
        }
        if self.is_delayed(place) {
            if !look.is_again {
                self.report_waiting(place);
            }
            return Ok(true);
        }
        self.report(place, look);
        Ok(false)
    }

    fn check_stopped(&self) -> Result<(), GivenUp> {
        if self.monitor.is_stopped() { Err(GivenUp::Stopped) } else { Ok(()) }
    }

    fn too_long(&mut self, place: usize, waited: Duration) -> GivenUp {
        let name = &self.sessions.spec.step(self.steps[place].step).name;
        *self.output += &format!("step {name} timed out after {} seconds\n", waited.as_secs());
        GivenUp::Said
    }

    /// Whether a marker delays the report that a step is complete.
    fn is_delayed(&self, place: usize) -> bool {
        let markers = self.steps[place].markers.iter().zip(&self.targets[place]);
        let mut delays = markers.map(|(marker, target)| match marker {
            Marker::Sent => false,
            Marker::Step(other) => {
                let active = self.active[other.session];
                active.is_some_and(|place| self.steps[place].step == *other)
            }
            Marker::Notices(other, _) => self.sessions.live[other.session].notices < *target,
        });
        delays.any(|delays| delays)
    }

    fn report_waiting(&mut self, place: usize) {
        let step = self.sessions.spec.step(self.steps[place].step);
        *self.output += &format!("step {}: {} <waiting ...>\n", step.name, step.sql);
    }

    /// Reports that a step is complete, what it was answered, and what its session was notified of.
    fn report(&mut self, place: usize, look: Look) {
        let id = self.steps[place].step;
        let step = self.sessions.spec.step(id);
        *self.output += &match look.is_again {
            true => format!("step {}: <... completed>\n", step.name),
            false => format!("step {}: {}\n", step.name, step.sql),
        };
        let live = &mut self.sessions.live[id.session];
        *self.output += &live.answer.text();
        let notified = std::mem::take(&mut live.notified);
        let name = live.name.clone();
        for (process, channel, payload) in notified {
            let sender = self.sessions.live.iter().find(|live| live.wire.process() == process);
            let sender = sender.map_or_else(|| format!("PID {process}"), |live| live.name.clone());
            *self.output +=
                &format!("{name}: NOTIFY \"{channel}\" with payload \"{payload}\" from {sender}\n");
        }
        self.active[id.session] = None;
    }
}
