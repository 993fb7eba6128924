//! The sessions of a specification as an execution that a scheduler can run: each choice sends a session's next step. A
//! session that waits for another is not chosen until it goes on.

use std::time::Duration;

use super::sessions::SpecSessions;
use crate::base::clock::{Clock, Wall};
use crate::base::error::Error;
use crate::describe::spec::{Spec, StepId};
use crate::scheduler::{
    Actor, Choice, Execution, Footprint, PendingStatement, Resources, is_in_cycle,
};
use crate::stores::isolation::IsolationServer;

/// What each session begins with. A session that waits is checked at once for a deadlock, and the server says so: from
/// then on nothing happens until another session moves.
const SETTINGS: &str = "-c deadlock_timeout=1ms -c log_lock_waits=on -c client_min_messages=log";

/// The first wait for an answer, before the server is asked whether the session is blocked.
const GLANCE: Duration = Duration::from_micros(300);

/// The longest wait between two such questions.
const LONGEST_GLANCE: Duration = Duration::from_millis(10);

/// The longest wait for the server to say that it has looked for a deadlock. A session may have set another time.
const LOOKING: Duration = Duration::from_millis(50);

/// The longest wait for a step that does not wait for another session, and for a deadlock to be resolved.
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// The code of the error that resolves a deadlock.
const DEADLOCK: &str = "40P01";

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StepResult {
    /// Rows and errors, as PostgreSQL's isolation tester prints them.
    Answered(String),
    /// It still waited for another session when no session had a step left that could be sent.
    Blocked,
    /// It was not sent, since its session waited.
    NotSent,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecEnd {
    /// The steps that were sent, in order.
    pub(crate) order: Vec<StepId>,
    /// By session and step.
    pub(crate) results: Vec<Vec<StepResult>>,
    /// The rows of the teardowns.
    pub(crate) at_end: String,
    /// Whether a step failed because of a deadlock.
    pub(crate) has_deadlock: bool,
}

/// Sessions that a scheduler moves.
pub(crate) struct SpecExecution<'a> {
    sessions: SpecSessions<'a>,
    /// By session, how many steps were sent.
    sent: Vec<usize>,
    /// By session, whether its last step is not answered yet.
    is_busy: Vec<bool>,
    end: SpecEnd,
    has_begun: bool,
    /// Whether the order before has left something behind.
    has_left_over: bool,
    /// Whether a step may prepare a transaction.
    prepares: bool,
    clock: Wall,
}

impl<'a> SpecExecution<'a> {
    /// Connects the sessions.
    ///
    /// # Errors
    /// When the server does not let them in.
    pub(crate) fn open(spec: &'a Spec, server: &'a IsolationServer) -> Result<Self, Error> {
        let sessions = SpecSessions::open(spec, server, SETTINGS)?;
        let count = spec.sessions.len();
        let steps = spec.sessions.iter().flat_map(|session| &session.steps);
        let prepares = |sql: &str| sql.to_uppercase().contains("PREPARE");
        Ok(Self {
            has_left_over: false,
            prepares: steps.map(|step| step.sql.as_str()).any(prepares),
            sessions,
            sent: vec![0; count],
            is_busy: vec![false; count],
            end: nothing_yet(spec),
            has_begun: false,
            clock: Wall::start(),
        })
    }

    /// Waits until every session has answered, or waits for another one.
    fn settle(&mut self) -> Result<(), Error> {
        let began = self.clock.now();
        let mut glance = GLANCE;
        let mut looking_since = None;
        loop {
            let Some(running) = self.running(glance)? else {
                let Some(unlooked) = self.unlooked() else { return Ok(()) };
                let since = *looking_since.get_or_insert(self.clock.now());
                let is_late = self.waited(since) > LOOKING;
                if is_late && !self.is_deadlocked()? {
                    return Ok(());
                }
                if self.waited(since) > LONGEST_STEP {
                    return Ok(());
                }
                self.listen(unlooked, GLANCE);
                continue;
            };
            looking_since = None;
            if self.waited(began) > LONGEST_STEP {
                let step = self.step_under_way(running);
                return Err(Error::world(format!(
                    "{}: the step `{step}` takes longer than {} seconds, and waits for no other session",
                    self.sessions.spec.path,
                    LONGEST_STEP.as_secs()
                )));
            }
            glance = (2 * glance).min(LONGEST_GLANCE);
        }
    }

    fn waited(&self, since: u64) -> Duration {
        Duration::from_nanos(self.clock.now() - since)
    }

    /// A session that is neither done nor blocked, after a wait for it; none if there is none.
    fn running(&mut self, glance: Duration) -> Result<Option<usize>, Error> {
        for session in self.busy() {
            self.listen(session, Duration::ZERO);
            if self.is_busy[session] && self.is_blocked(session)? {
                continue;
            }
            if self.is_busy[session] && !self.listen(session, glance) {
                return Ok(Some(session));
            }
            // It has answered. What it has done may have let others go on, also those that were blocked just now.
            return self.running(glance);
        }
        Ok(None)
    }

    /// Whether a session waits for another one. What has come while the server was asked counts more.
    fn is_blocked(&mut self, session: usize) -> Result<bool, Error> {
        Ok(self.sessions.is_blocked(session)? && !self.listen(session, Duration::ZERO))
    }

    /// A session that waits, and was not yet checked for a deadlock.
    fn unlooked(&self) -> Option<usize> {
        self.busy().into_iter().find(|session| !self.sessions.live[*session].has_looked)
    }

    fn is_deadlocked(&mut self) -> Result<bool, Error> {
        let waits = self.sessions.waits()?;
        let process = |session: &usize| i64::from(self.sessions.live[*session].wire.process());
        Ok(self.busy().iter().map(process).any(|process| is_in_cycle(process, &waits)))
    }

    fn busy(&self) -> Vec<usize> {
        (0..self.is_busy.len()).filter(|session| self.is_busy[*session]).collect()
    }

    /// Hears what there is of a session's answer, and takes note of it once it is whole. Whether it is.
    fn listen(&mut self, session: usize, within: Duration) -> bool {
        let live = &mut self.sessions.live[session];
        // Notices are not part of what a step comes to.
        let is_done = live.listen(within, &mut String::new());
        if is_done && self.is_busy[session] {
            self.is_busy[session] = false;
            let step = self.sent[session] - 1;
            self.end.results[session][step] = StepResult::Answered(live.answer.text());
            self.end.has_deadlock |=
                live.answer.error().is_some_and(|error| error.code == DEADLOCK);
        }
        is_done
    }

    fn step_under_way(&self, session: usize) -> &str {
        let step = self.sent[session].saturating_sub(1);
        &self.sessions.spec.sessions[session].steps[step].name
    }

    /// The next step of a session that can be sent one.
    fn next(&self, session: usize) -> Option<StepId> {
        let step = *self.sent.get(session)?;
        let is_left = step < self.sessions.spec.sessions[session].steps.len();
        (is_left && !self.is_busy[session]).then_some(StepId { session, step })
    }

    /// Ends the order: what still waits is cancelled, the teardowns are run, and every session is as new.
    ///
    /// # Errors
    /// When a teardown fails.
    pub(crate) fn finish(&mut self) -> Result<SpecEnd, Error> {
        let blocked = self.busy();
        for session in blocked.iter().copied() {
            let step = self.sent[session] - 1;
            self.end.results[session][step] = StepResult::Blocked;
            self.is_busy[session] = false;
            self.sessions.live[session].wire.cancel();
        }
        let path = &self.sessions.spec.path;
        for session in blocked {
            if !self.sessions.live[session].listen_to_the_end(LONGEST_STEP, &mut String::new()) {
                let step = self.step_under_way(session);
                return Err(Error::world(format!("{path}: the step `{step}` cannot be cancelled")));
            }
        }
        if self.prepares {
            self.sessions.forget_prepared()?;
        }
        self.end.at_end = self.sessions.tear_down_sessions();
        self.sessions.renew()?;
        self.end.at_end += &match self.sessions.tear_down() {
            Ok(rows) => rows,
            Err(why) => format!("teardown failed: {why}"),
        };
        self.has_begun = false;
        self.has_left_over = self.sessions.has_left_over()?;
        let nothing = nothing_yet(self.sessions.spec);
        Ok(std::mem::replace(&mut self.end, nothing))
    }
}

fn nothing_yet(spec: &Spec) -> SpecEnd {
    let results = spec.sessions.iter().map(|one| vec![StepResult::NotSent; one.steps.len()]);
    SpecEnd {
        order: Vec::new(),
        results: results.collect(),
        at_end: String::new(),
        has_deadlock: false,
    }
}

/// The session whose step this is.
fn session(choice: Choice) -> Option<usize> {
    match choice.who {
        Actor::Buyer(session) if choice.is_step() => Some(session as usize),
        _ => None,
    }
}

impl Execution for SpecExecution<'_> {
    fn begin(&mut self) -> Result<(), Error> {
        match self.has_left_over {
            true => self.sessions.start_anew()?,
            false => self.sessions.reconnect()?,
        }
        self.sent.fill(0);
        self.is_busy.fill(false);
        self.end = nothing_yet(self.sessions.spec);
        self.has_begun = true;
        self.sessions
            .set_up()
            .map(drop)
            .map_err(|why| Error::input(format!("{}: {}", self.sessions.spec.path, why.trim_end())))
    }

    fn clients(&self) -> Vec<Actor> {
        (0..self.sent.len()).map(Actor::buyer).collect()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        client
    }

    fn has_left(&mut self, client: Actor) -> bool {
        session(Choice::step(client)).is_none_or(|session| {
            let steps = self.sessions.spec.sessions.get(session).map_or(0, |one| one.steps.len());
            !self.is_busy[session] && self.sent[session] == steps
        })
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let next = (0..self.sent.len()).filter_map(|session| self.next(session));
        let pending = |id: StepId| {
            let name = self.sessions.spec.step(id).name.clone();
            // What a step touches is not known: it may be anything.
            let pending = PendingStatement::new(name, Footprint::writing(Resources::ALL));
            (Choice::step(Actor::buyer(id.session)), pending)
        };
        next.map(pending).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        session(choice).is_some_and(|session| self.next(session).is_some())
    }

    fn is_optional(&mut self, _choice: Choice) -> bool {
        false
    }

    fn has_only_steps(&self) -> bool {
        true
    }

    fn why_not(&mut self, _choice: Choice) -> String {
        "no session of that name has a step that can be sent then".into()
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        let Some(id) = session(choice).and_then(|session| self.next(session)) else {
            return Ok(None);
        };
        let live = &mut self.sessions.live[id.session];
        live.send(&self.sessions.spec.step(id).sql);
        self.sent[id.session] += 1;
        self.is_busy[id.session] = true;
        self.end.order.push(id);
        self.listen(id.session, GLANCE);
        self.settle()?;
        Ok(Some(Footprint::writing(Resources::ALL)))
    }

    fn abandon(&mut self) -> Result<(), Error> {
        if self.has_begun { self.finish().map(drop) } else { Ok(()) }
    }
}
