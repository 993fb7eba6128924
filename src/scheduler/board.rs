//! What is known of each buyer of an execution, and how that changes: plain data and plain functions, without locks and
//! without waiting.

use std::time::Duration;

use super::footprint::Footprint;
use super::polling::Polling;
use super::statement::PendingStatement;
use super::wait_graph::{HELD_INSIDE, Waits, is_in_cycle};
use crate::base::clock::nanos;

/// Which buyers' own code, between two statements, may run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCode {
    /// All buyers' code: it is part of this program, and none of it runs for long.
    AllAtOnce,
    /// One buyer's code at a time, so that it is known which buyer sends a statement: the code is an application's.
    /// Code that runs for longer than this without a statement is taken to wait for something that the scheduler cannot
    /// see.
    OneAtATime(Duration),
}

impl ClientCode {
    /// After how long without a statement code is taken to wait for something that the scheduler cannot see, if no other
    /// buyer can move; none if it never is.
    #[must_use]
    pub(crate) fn stalls_after(self) -> Option<Duration> {
        match self {
            Self::AllAtOnce => None,
            Self::OneAtATime(usually) => {
                Some((usually * STALLED).min(STALLED_AT_MOST).max(usually))
            }
        }
    }
}

/// What a buyer is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BuyerState {
    /// It is not in the shop.
    Absent,
    /// Its code could run, and waits until no other buyer's does.
    Runnable,
    /// It has a statement to send over a connection on which another buyer's statement is held.
    BehindOther,
    /// That other statement has been released, and this one is about to be held.
    Arriving,
    /// Its own code runs.
    Running,
    /// It is about to send this statement.
    Held(Box<PendingStatement>),
    /// It has sent a statement, and has not been answered.
    Sent,
    /// It has sent a statement, which has begun and is held inside the server.
    HeldInside,
    /// It has sent a statement, which waits for another session, as the server says.
    Blocked,
    /// It has found out by itself that another buyer is in its way, and tries again once another has moved.
    MustRetry,
    /// Its code has run for so long without a statement that it must wait for something that the scheduler cannot see.
    Unseen,
}

/// Code that was unseen before, and may run again since another buyer moved, has the usual time divided by this.
const AGAIN: u32 = 10;

/// The same code, once its threads have slept for this long: what another buyer has done has not woken it.
const ASLEEP: Duration = Duration::from_millis(20);

/// If no other buyer can move, code has this many times the usual time: to take it for unseen ends the execution, and
/// nothing can be said of it.
const STALLED: u32 = 10;

/// But no longer than this, unless the usual time is longer.
const STALLED_AT_MOST: Duration = Duration::from_secs(20);

/// Code whose threads are seen to work has this many times as long as that.
pub(super) const AT_WORK: u32 = 2;

/// For how long nothing has changed, and what the threads of the code that runs were seen to do meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quiet {
    pub(super) since_ns: u64,
    /// For how long all of them have slept, whenever they were looked at; 0 if that cannot be seen.
    pub(super) asleep_ns: u64,
    /// Whether one of them ran, or could have run, when they were last looked at.
    pub(super) is_at_work: bool,
}

/// What is known of a connection over which a buyer sends its statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuyerConnection {
    /// The number by which the server knows it; 0 if the server has none.
    pub session: i64,
    /// Whether its server has told the buyer that it waits; none if the server does not do so. The server tells it only
    /// after a check for deadlocks.
    told_to_wait: Option<bool>,
}

impl BuyerConnection {
    /// Another statement is under way over it, of which its server has said nothing yet, or none is.
    fn is_told_nothing(&mut self) {
        self.told_to_wait = self.told_to_wait.map(|_| false);
    }
}

/// How often in a row a buyer that no other has disturbed may begin again after attempts that have changed something. A
/// spin lock that counts its tries would go on for ever.
const CHANGED_ALONE_AT_MOST: u32 = 3;

/// What is known of one buyer.
#[derive(Clone, Debug)]
struct Buyer {
    state: BuyerState,
    /// The connection of the statement that it sends next, or has sent last.
    connection: BuyerConnection,
    /// The statement that was released last.
    last_sent: Option<PendingStatement>,
    /// Whether it begins again after an attempt that no other buyer disturbed, and none has since.
    retries_alone: bool,
    /// Its attempts in a row that ended in a conflict, that no other buyer disturbed, and that had changed something.
    changed_alone: u32,
    /// The footprint of all its steps.
    footprint: Footprint,
    /// The statements that it repeats, where its code is an application's.
    polling: Polling,
    /// Whether it is held at a statement that only repeats the last one, and would get the same answer.
    is_polling: bool,
    /// The statement that was released last and has not been answered, where its code is an application's.
    unanswered: Option<PendingStatement>,
    /// Attempts that ended in a conflict and had changed nothing.
    futile_attempts: u32,
    /// The first step of its attempt.
    first_step: Option<u64>,
    /// Whether another buyer has made a step since that conflicts with one of its own.
    is_disturbed: bool,
    /// Whether its code has run for too long, and has not been seen to do anything since.
    was_unseen: bool,
    /// Whether it has sent a statement in this execution.
    has_sent: bool,
    /// Whether its program has died.
    has_crashed: bool,
    /// Whether the server has refused the statement that was answered last.
    was_refused: bool,
}

impl Buyer {
    fn absent() -> Self {
        Self {
            state: BuyerState::Absent,
            connection: BuyerConnection::default(),
            last_sent: None,
            retries_alone: false,
            changed_alone: 0,
            footprint: Footprint::NOTHING,
            polling: Polling::default(),
            is_polling: false,
            unanswered: None,
            futile_attempts: 0,
            first_step: None,
            is_disturbed: false,
            was_unseen: false,
            has_sent: false,
            has_crashed: false,
            was_refused: false,
        }
    }

    /// The statement at which it is held, or the rest of one that has begun.
    fn held(&self) -> Option<PendingStatement> {
        match &self.state {
            BuyerState::Held(statement) => Some((**statement).clone()),
            BuyerState::HeldInside => self.last_sent.as_ref().map(PendingStatement::rest),
            _ => None,
        }
    }
}

/// Which buyers' code runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunningCode {
    /// The buyer whose code runs.
    pub runs: Option<usize>,
    /// The buyers whose code may run, as far as the scheduler can see.
    pub may_run: Vec<usize>,
    /// The buyer whose code ran last, if it is still in the shop.
    pub ran_last: Option<usize>,
}

/// What is known of every buyer.
#[derive(Debug)]
pub(super) struct Board {
    code: ClientCode,
    buyers: Vec<Buyer>,
    /// The answers since they were last taken, in the order in which they were noticed.
    answered: Vec<(usize, String)>,
    /// Whether a server has told a buyer that it waits, or waits no more, since this was last taken.
    has_news: bool,
    /// The most repeats of a statement after which a buyer's code went on by itself.
    usual_repeats: usize,
    /// How often a buyer was not chosen because it polls.
    passed_over: u64,
    /// How often a buyer was not chosen that began again after an attempt that had changed something.
    passed_over_changed: u64,
    /// Steps of this execution.
    steps: u64,
    /// Whether every buyer is to leave without another statement.
    is_closed: bool,
    /// Whether only one buyer is going to be moved at a time, whatever others could do.
    moves_one_by_one: bool,
    /// How often code was taken to wait for something that the scheduler cannot see.
    unseen: u64,
    /// The buyer whose code ran last, where one runs at a time.
    ran_last: Option<usize>,
}

impl Board {
    /// A board of this many buyers, all absent.
    pub(super) fn of(buyers: usize, code: ClientCode) -> Self {
        Self {
            code,
            buyers: vec![Buyer::absent(); buyers],
            answered: Vec::new(),
            has_news: false,
            usual_repeats: 0,
            passed_over: 0,
            passed_over_changed: 0,
            steps: 0,
            is_closed: false,
            moves_one_by_one: false,
            unseen: 0,
            ran_last: None,
        }
    }

    /// Begins an execution: every buyer comes in.
    pub(super) fn open(&mut self) {
        for buyer in &mut self.buyers {
            buyer.state = match self.code {
                ClientCode::AllAtOnce => BuyerState::Running,
                ClientCode::OneAtATime(_) => BuyerState::Runnable,
            };
            buyer.retries_alone = false;
            buyer.changed_alone = 0;
            buyer.footprint = Footprint::NOTHING;
            buyer.is_polling = false;
            buyer.unanswered = None;
            buyer.polling.reset();
            buyer.futile_attempts = 0;
            buyer.was_unseen = false;
            (buyer.has_sent, buyer.has_crashed) = (false, false);
        }
        self.answered.clear();
        self.ran_last = None;
        (self.steps, self.is_closed, self.moves_one_by_one) = (0, false, false);
    }

    /// Ends the execution: every buyer is to leave, whatever it waits for. Until it has left, its code runs.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        for buyer in &mut self.buyers {
            if buyer.state != BuyerState::Absent {
                buyer.state = BuyerState::Running;
            }
        }
    }

    /// Takes note that buyers come one by one until the next execution: no other is moved while one is there, whatever it
    /// could do.
    pub(super) fn move_one_by_one(&mut self) {
        self.moves_one_by_one = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn code(&self) -> ClientCode {
        self.code
    }

    pub(super) fn runs_one_at_a_time(&self) -> bool {
        self.code != ClientCode::AllAtOnce
    }

    pub(super) fn state(&self, place: usize) -> &BuyerState {
        &self.buyers[place].state
    }

    /// What every buyer is doing.
    pub(super) fn states(&self) -> Vec<BuyerState> {
        self.buyers.iter().map(|buyer| buyer.state.clone()).collect()
    }

    fn is_any(&self, states: &[BuyerState]) -> bool {
        self.buyers.iter().any(|buyer| states.contains(&buyer.state))
    }

    /// The buyers in any of these states.
    pub(super) fn those(&self, states: &[BuyerState]) -> Vec<usize> {
        let places = self.buyers.iter().enumerate();
        places.filter(|(_, buyer)| states.contains(&buyer.state)).map(|(place, _)| place).collect()
    }

    /// The held buyers, each with its statement.
    pub(super) fn held(&self) -> Vec<(usize, PendingStatement)> {
        let held = |(place, buyer): (usize, &Buyer)| Some((place, buyer.held()?));
        self.buyers.iter().enumerate().filter_map(held).collect()
    }

    /// The held buyers that are worth choosing, each with its statement. A buyer that begins again after a conflict
    /// would only meet the same conflict until another buyer has disturbed it, if its last attempt has changed nothing: it
    /// remembers nothing of it. A buyer that polls would only get the same answer again. If no buyer is worth choosing,
    /// all held buyers.
    pub(super) fn ready(&mut self) -> Vec<(usize, PendingStatement)> {
        let held = self.held();
        let is_worth = |(place, _): &&(usize, PendingStatement)| {
            !self.buyers[*place].retries_alone && !self.buyers[*place].is_polling
        };
        let worth: Vec<_> = held.iter().filter(is_worth).cloned().collect();
        if worth.is_empty() {
            return held;
        }
        for (place, _) in &held {
            let Buyer { is_polling, retries_alone, changed_alone, .. } = self.buyers[*place];
            self.passed_over += u64::from(is_polling);
            self.passed_over_changed += u64::from(retries_alone && changed_alone > 0);
        }
        worth
    }

    /// How often a buyer was not chosen because it polls.
    pub(super) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// How often a buyer was not chosen that began again after an attempt that had changed something.
    pub(super) fn passed_over_changed(&self) -> u64 {
        self.passed_over_changed
    }

    /// How often code was taken to wait for something that the scheduler cannot see.
    pub(super) fn unseen(&self) -> u64 {
        self.unseen
    }

    /// The most attempts of any buyer that ended in a conflict and had changed nothing.
    pub(super) fn most_futile_attempts(&self) -> u32 {
        self.buyers.iter().map(|buyer| buyer.futile_attempts).max().unwrap_or(0)
    }

    pub(super) fn session(&self, place: usize) -> i64 {
        self.buyers[place].connection.session
    }

    pub(super) fn set_session(&mut self, place: usize, session: i64) {
        self.buyers[place].connection.session = session;
    }

    /// Replaces what is known of a buyer's connection, and returns what was.
    pub(super) fn replace_connection(
        &mut self,
        place: usize,
        connection: BuyerConnection,
    ) -> BuyerConnection {
        std::mem::replace(&mut self.buyers[place].connection, connection)
    }

    /// The sessions of every buyer.
    pub(super) fn sessions(&self) -> Vec<i64> {
        self.buyers.iter().map(|buyer| buyer.connection.session).collect()
    }

    /// The buyers that a buyer waits for, as far as the server names them.
    pub(super) fn blockers(&self, place: usize, waits: &Waits) -> Vec<usize> {
        let session = self.session(place);
        let names = waits.iter().filter(|(who, blocker)| *who == session && *blocker != 0);
        let known =
            |blocker: i64| self.buyers.iter().position(|buyer| buyer.connection.session == blocker);
        let mut places: Vec<usize> = names.filter_map(|(_, blocker)| known(*blocker)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Steps of this execution by now.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// The first step of a buyer's attempt; none if it has made none.
    pub(super) fn first_step(&self, place: usize) -> Option<u64> {
        self.buyers[place].first_step
    }

    /// Which buyers' code runs.
    pub(super) fn running(&self) -> RunningCode {
        let mut running = RunningCode::default();
        for (place, buyer) in self.buyers.iter().enumerate() {
            match buyer.state {
                BuyerState::Running if !buyer.was_unseen => running.runs = Some(place),
                BuyerState::Running | BuyerState::Unseen => running.may_run.push(place),
                _ => {}
            }
        }
        let is_there = |place: &usize| self.buyers[*place].state != BuyerState::Absent;
        running.ran_last = self.ran_last.filter(is_there);
        running
    }

    /// Notes that an attempt of a buyer begins.
    pub(super) fn begin_attempt(&mut self, place: usize) {
        let buyer = &mut self.buyers[place];
        buyer.first_step = None;
        buyer.is_disturbed = false;
    }

    /// Notes that a buyer begins again after a conflict, and whether its attempt had changed anything. If it had not, and
    /// no other buyer has disturbed that attempt, the next would be the same again. If it had, the next may be another,
    /// and is not made for ever.
    pub(super) fn begin_again(&mut self, place: usize, has_changed: bool) {
        let buyer = &mut self.buyers[place];
        let is_alone = !buyer.is_disturbed;
        buyer.changed_alone = if is_alone && has_changed { buyer.changed_alone + 1 } else { 0 };
        buyer.retries_alone =
            is_alone && (!has_changed || buyer.changed_alone > CHANGED_ALONE_AT_MOST);
        buyer.futile_attempts += u32::from(!has_changed);
    }

    /// Notes that a buyer has stopped in this state. A statement at which it is held may be a poll.
    pub(super) fn stop(&mut self, place: usize, state: BuyerState) {
        if let (BuyerState::Held(statement), true) = (&state, self.runs_one_at_a_time()) {
            let buyer = &mut self.buyers[place];
            self.usual_repeats = self.usual_repeats.max(buyer.polling.went_past(statement));
            buyer.is_polling = buyer.polling.is_polling(statement, self.usual_repeats);
        }
        self.buyers[place].state = state;
        self.buyers[place].was_unseen = false;
    }

    /// Notes that a buyer has a statement to send over a connection on which another's is held. What it does with another
    /// connection at the same time goes before.
    pub(super) fn stop_behind(&mut self, place: usize) {
        let state = &mut self.buyers[place].state;
        if matches!(state, BuyerState::Running | BuyerState::Runnable | BuyerState::Unseen) {
            *state = BuyerState::BehindOther;
        }
    }

    /// Notes that a buyer has left. Code that waited for something that cannot be seen may go on.
    pub(super) fn leave(&mut self, place: usize) {
        self.disturb_polls(place);
        self.look_for_unseen();
        let buyer = &mut self.buyers[place];
        buyer.state = BuyerState::Absent;
        buyer.was_unseen = false;
        buyer.polling.reset();
    }

    /// Notes that a buyer's code runs, and is the code that ran last.
    pub(super) fn run_alone(&mut self, place: usize) {
        self.buyers[place].state = BuyerState::Running;
        self.ran_last = Some(place);
    }

    /// Releases a held buyer, which makes a step. False if it is not held.
    pub(super) fn release(&mut self, place: usize) -> bool {
        let Some(buyer) = self.buyers.get_mut(place) else { return false };
        match std::mem::replace(&mut buyer.state, BuyerState::Sent) {
            BuyerState::Held(statement) => {
                if self.code != ClientCode::AllAtOnce {
                    buyer.is_polling = false;
                    buyer.unanswered = Some((*statement).clone());
                }
                buyer.last_sent = Some(*statement);
                buyer.has_sent = true;
            }
            BuyerState::HeldInside => self.disturb_polls(place),
            other => {
                buyer.state = other;
                return false;
            }
        }
        let Some(buyer) = self.buyers.get_mut(place) else { return false };
        buyer.connection.is_told_nothing();
        self.steps += 1;
        buyer.first_step.get_or_insert(self.steps);
        for buyer in &mut self.buyers {
            if buyer.state == BuyerState::BehindOther {
                buyer.state = BuyerState::Arriving;
            }
        }
        self.look_for_unseen();
        self.forget_waits();
        true
    }

    /// Lets a buyer's program die in place of the statement at which it is held. The buyer is there until its connection
    /// is closed. False if it cannot: it has sent no statement, is not held, or the server is at work for it.
    pub(super) fn crash(&mut self, place: usize) -> bool {
        let can = self.can_crash(place);
        if can {
            let buyer = &mut self.buyers[place];
            (buyer.state, buyer.has_crashed) = (BuyerState::Running, true);
            self.steps += 1;
            self.forget_waits();
        }
        can
    }

    /// Whether a buyer's program can die in place of its next statement.
    pub(super) fn can_crash(&self, place: usize) -> bool {
        let buyer = self.buyers.get(place);
        buyer.is_some_and(|buyer| buyer.has_sent && matches!(buyer.state, BuyerState::Held(_)))
    }

    /// Whether a buyer's program has died.
    pub(super) fn has_crashed(&self, place: usize) -> bool {
        self.buyers[place].has_crashed
    }

    /// Something has happened that may let code go on that was not seen to do anything: it counts as running.
    fn look_for_unseen(&mut self) {
        for buyer in &mut self.buyers {
            if buyer.state == BuyerState::Unseen {
                buyer.state = BuyerState::Running;
            }
        }
    }

    /// Notes that a buyer may have changed something: those that poll may get another answer.
    fn disturb_polls(&mut self, place: usize) {
        let others = self.buyers.iter_mut().enumerate().filter(|(other, _)| *other != place);
        for (_, buyer) in others {
            buyer.is_polling = false;
            buyer.polling.forget();
        }
    }

    /// Notes the footprint of a buyer's last step. It disturbs the attempts of others that have made a step that
    /// conflicts with it.
    pub(super) fn has_made(&mut self, place: usize, footprint: &Footprint) {
        for (other, buyer) in self.buyers.iter_mut().enumerate() {
            if other == place {
                buyer.footprint = std::mem::take(&mut buyer.footprint) | footprint;
            } else if buyer.footprint.conflicts_with(footprint) {
                buyer.retries_alone = false;
                buyer.is_disturbed |= buyer.first_step.is_some();
            }
        }
    }

    /// Lets a buyer try again that has found out by itself that another was in its way; false if it has not.
    pub(super) fn retry(&mut self, place: usize) -> bool {
        let Some(buyer) = self.buyers.get_mut(place) else { return false };
        let must_retry = buyer.state == BuyerState::MustRetry;
        if must_retry {
            buyer.state = BuyerState::Sent;
        }
        must_retry
    }

    /// Notes the answer to a buyer's statement, and whether the server has refused it.
    pub(super) fn answer(&mut self, place: usize, answer: String, is_refused: bool) {
        let buyer = &mut self.buyers[place];
        if let Some(statement) = buyer.unanswered.take()
            && buyer.polling.hears(&statement, &answer, is_refused)
        {
            self.disturb_polls(place);
        }
        let buyer = &mut self.buyers[place];
        buyer.was_refused = is_refused;
        buyer.connection.is_told_nothing();
        buyer.state = match self.code {
            // The last answer to code that did not wait for it can come when the buyer has left.
            ClientCode::OneAtATime(_) if buyer.state == BuyerState::Absent => BuyerState::Absent,
            ClientCode::OneAtATime(_) if !self.is_closed => BuyerState::Runnable,
            _ => BuyerState::Running,
        };
        self.answered.push((place, answer));
    }

    /// Whether the server has refused the statement of a buyer that was answered last.
    pub(super) fn was_refused(&self, place: usize) -> bool {
        self.buyers[place].was_refused
    }

    /// The answers since they were last taken.
    pub(super) fn take_answered(&mut self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.answered)
    }

    /// Notes that the server tells this buyer when it waits. Until it has done so, no other report that it waits is
    /// believed.
    pub(super) fn expect_to_be_told(&mut self, place: usize) {
        self.buyers[place].connection.told_to_wait = Some(false);
    }

    /// Notes that the server has told this buyer that it waits, and that this is no deadlock; or that it waits no more.
    pub(super) fn be_told(&mut self, place: usize, waits: bool) {
        self.buyers[place].connection.told_to_wait = Some(waits);
        self.has_news = true;
    }

    /// Whether a server has told a buyer so since this was last taken.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Forgets which buyers wait, as the server has said: they count as sent.
    pub(super) fn forget_waits(&mut self) {
        for buyer in &mut self.buyers {
            if buyer.state == BuyerState::Blocked {
                buyer.state = BuyerState::Sent;
            }
        }
    }

    /// Whether a buyer's code may run now: no other buyer's runs, apart from code that was unseen and may have gone on,
    /// and no buyer before this one is runnable.
    pub(super) fn may_run(&self, place: usize) -> bool {
        let is_ahead = |(other, buyer): (usize, &Buyer)| match buyer.state {
            BuyerState::Running => !buyer.was_unseen,
            BuyerState::Runnable => other < place,
            _ => false,
        };
        !self.buyers.iter().enumerate().any(is_ahead)
    }

    /// Whether every buyer has come to rest: it is held, waits, or is absent.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_any(&[
            BuyerState::Running,
            BuyerState::Sent,
            BuyerState::Runnable,
            BuyerState::Arriving,
        ])
    }

    /// The buyers that have not come to rest, and whether each has sent a statement.
    pub(super) fn restless(&self) -> Vec<(usize, bool)> {
        let sent = self.those(&[BuyerState::Sent]);
        let other = self.those(&[BuyerState::Running, BuyerState::Runnable, BuyerState::Arriving]);
        let sent = sent.into_iter().map(|place| (place, true));
        sent.chain(other.into_iter().map(|place| (place, false))).collect()
    }

    /// Whether the server may be asked which sessions wait: a statement is under way, and no code runs or is about to.
    pub(super) fn waits_for_answers_alone(&self) -> bool {
        self.is_any(&[BuyerState::Sent])
            && !self.is_any(&[BuyerState::Running, BuyerState::Runnable, BuyerState::Arriving])
    }

    /// Whether a statement is under way that is to be held inside the server.
    pub(super) fn expects_to_hold_inside(&self) -> bool {
        let begins = |statement: &PendingStatement| statement.begins.is_some();
        let mut buyers = self.buyers.iter();
        buyers.any(|buyer| {
            buyer.state == BuyerState::Sent && buyer.last_sent.as_ref().is_some_and(begins)
        })
    }

    /// Marks buyers as unseen whose code has run without a statement for too long, if nothing has changed meanwhile. Returns
    /// whether there are any. Code of a closed execution waits for no other buyer's statement.
    pub(super) fn lose_sight(&mut self, quiet: Quiet) -> bool {
        let ClientCode::OneAtATime(usually) = self.code else { return false };
        let Some(stalled) = self.code.stalls_after() else { return false };
        if self.is_closed {
            return false;
        }
        let others_may_move = self.others_may_move();
        let mut has_lost = false;
        for buyer in self.buyers.iter_mut().filter(|buyer| buyer.state == BuyerState::Running) {
            let most = match (others_may_move, buyer.was_unseen, quiet.is_at_work) {
                (true, true, false) => usually / AGAIN,
                (true, true, true) | (true, false, false) => usually,
                (true, false, true) | (false, _, false) => stalled,
                (false, _, true) => stalled * AT_WORK,
            };
            let sleeps_again =
                others_may_move && buyer.was_unseen && quiet.asleep_ns >= nanos(ASLEEP);
            if quiet.since_ns >= nanos(most) || sleeps_again {
                buyer.state = BuyerState::Unseen;
                self.unseen += u64::from(!buyer.was_unseen);
                buyer.was_unseen = true;
                has_lost = true;
            }
        }
        has_lost
    }

    /// Whether it matters what the threads of a buyer's code do, that has run for this long without a statement.
    pub(super) fn depends_on_threads(&self, since_ns: u64) -> bool {
        let ClientCode::OneAtATime(usually) = self.code else { return false };
        let depends = |buyer: &Buyer| {
            buyer.state == BuyerState::Running && (buyer.was_unseen || since_ns >= nanos(usually))
        };
        !self.is_closed && self.buyers.iter().any(depends) && self.others_may_move()
    }

    /// Whether a buyer can move whose code does not run.
    fn others_may_move(&self) -> bool {
        let may_move = |buyer: &Buyer| {
            matches!(
                buyer.state,
                BuyerState::Held(_) | BuyerState::Runnable | BuyerState::HeldInside
            )
        };
        !self.moves_one_by_one && self.buyers.iter().any(may_move)
    }

    /// Takes in which sessions wait, as the server says; `sessions` are those that the buyers had when it was asked. If
    /// every statement under way waits, and none in a cycle, nothing will happen until another buyer moves. A cycle is
    /// a deadlock, which the server breaks by itself.
    pub(super) fn mark_blocked(&mut self, sessions: &[i64], waits: &Waits) {
        for (buyer, session) in self.buyers.iter_mut().zip(sessions) {
            if buyer.state == BuyerState::Sent && waits.contains(&(*session, HELD_INSIDE)) {
                buyer.state = BuyerState::HeldInside;
            }
        }
        let sent = self.those(&[BuyerState::Sent]);
        let is_known_to_wait = |place: &usize| {
            waits.iter().any(|(who, _)| *who == sessions[*place])
                && self.buyers[*place].connection.told_to_wait.unwrap_or(true)
        };
        let all_wait = sent.iter().all(is_known_to_wait);
        let is_deadlock = sent.iter().any(|place| is_in_cycle(sessions[*place], waits));
        if all_wait && !is_deadlock {
            for place in sent {
                self.buyers[place].state = BuyerState::Blocked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{Footprint, Resources};

    fn statement(text: &str) -> PendingStatement {
        PendingStatement::new(text.into(), Footprint::NOTHING)
    }

    /// Buyers with sessions 11, 12 …, each held with a statement.
    fn held(buyers: usize, code: ClientCode) -> Board {
        let mut board = Board::of(buyers, code);
        board.open();
        for place in 0..buyers {
            board.set_session(place, 11 + place as i64);
            board.stop(place, BuyerState::Held(Box::new(statement("UPDATE t"))));
        }
        board
    }

    const APPLICATION: ClientCode = ClientCode::OneAtATime(Duration::from_millis(100));

    #[test]
    fn a_program_dies_only_in_place_of_a_statement_behind_its_first() {
        let mut board = held(2, ClientCode::AllAtOnce);
        assert!(!board.crash(0), "it has sent nothing");
        assert!(board.release(0));
        assert!(!board.crash(0), "the server is at work for it");
        board.answer(0, String::new(), false);
        board.stop(0, BuyerState::Held(Box::new(statement("COMMIT"))));
        assert!(board.can_crash(0) && !board.can_crash(1));
        assert!(board.crash(0) && board.has_crashed(0) && !board.is_settled());
        assert!(!board.crash(0), "it is dead");
        board.leave(0);
        assert!(board.is_settled());
        board.open();
        assert!(!board.has_crashed(0), "another execution has begun");
    }

    #[test]
    fn a_closed_execution_has_settled_once_every_buyer_has_left_whatever_it_waited_for() {
        let mut board = held(2, APPLICATION);
        board.run_alone(1);
        assert!(board.lose_sight(quiet(Duration::from_secs(1))));
        assert!(board.is_settled());
        board.close();
        assert!(!board.is_settled());
        assert!(!board.lose_sight(quiet(Duration::from_secs(1))));
        board.leave(0);
        assert!(!board.is_settled());
        board.leave(1);
        assert!(board.is_settled());
    }

    #[test]
    fn an_answer_that_comes_when_its_buyer_has_left_does_not_bring_it_back() {
        let mut board = held(2, APPLICATION);
        board.close();
        board.leave(0);
        board.answer(0, "ROLLBACK".into(), false);
        board.leave(1);
        assert!(board.is_settled());
    }

    #[test]
    fn buyers_that_poll_are_passed_over_until_another_has_changed_something() {
        let mut board = held(4, APPLICATION);
        let look = statement("SELECT free FROM lock");
        let change =
            PendingStatement::new("UPDATE t".into(), Footprint::writing(Resources::SHELVES));
        let asks = |board: &mut Board, place: usize, statement: &PendingStatement, answer: &str| {
            board.stop(place, BuyerState::Held(Box::new(statement.clone())));
            assert!(board.release(place));
            board.answer(place, answer.into(), false);
            board.stop(place, BuyerState::Held(Box::new(statement.clone())));
        };
        let ready = |board: &mut Board| -> Vec<usize> {
            board.ready().into_iter().map(|(place, _)| place).collect()
        };
        for place in [0, 1, 0, 1] {
            asks(&mut board, place, &look, "no");
        }
        assert_eq!(ready(&mut board), [2, 3], "a poll does not wake another");
        asks(&mut board, 2, &change, "0 rows");
        assert_eq!(ready(&mut board), [0, 1, 2, 3], "it may have changed something all the same");
        for place in [0, 1, 0, 1] {
            asks(&mut board, place, &look, "no");
        }
        asks(&mut board, 2, &change, "0 rows");
        assert_eq!(ready(&mut board), [3], "that one polls, too");
        asks(&mut board, 2, &change, "1 rows");
        assert_eq!(ready(&mut board), [0, 1, 2, 3]);
    }

    #[test]
    fn a_buyer_that_is_held_stays_held_when_another_of_its_statements_has_to_wait_in_line() {
        let mut board = held(2, APPLICATION);
        board.stop_behind(0);
        assert_eq!(board.held().len(), 2);
        board.release(0);
        board.stop_behind(0);
        assert_eq!(board.state(0), &BuyerState::Sent);
        board.answer(0, "1 row".into(), false);
        board.stop_behind(0);
        assert_eq!(board.state(0), &BuyerState::BehindOther);
    }

    #[test]
    fn a_buyer_that_is_released_has_sent_and_the_others_stay_held() {
        let mut board = held(2, ClientCode::AllAtOnce);
        assert!(board.is_settled());
        assert!(board.release(0));
        assert!(!board.release(0));
        assert_eq!(board.states()[0], BuyerState::Sent);
        assert_eq!(board.held().len(), 1);
        assert!(!board.is_settled());
        assert_eq!((board.first_step(0), board.first_step(1)), (Some(1), None));
    }

    #[test]
    fn who_waits_is_blocked_until_another_moves() {
        let mut board = held(2, ClientCode::AllAtOnce);
        board.release(0);
        board.mark_blocked(&[11, 12], &vec![(11, 12)]);
        assert_eq!(board.state(0), &BuyerState::Blocked);
        assert_eq!(board.blockers(0, &vec![(11, 12), (11, 0), (11, 99)]), [1]);
        assert!(board.is_settled());
        board.release(1);
        assert_eq!(board.state(0), &BuyerState::Sent);
    }

    #[test]
    fn no_buyer_is_blocked_while_one_that_has_sent_may_still_be_answered_nor_in_a_deadlock() {
        let mut board = held(2, ClientCode::AllAtOnce);
        board.release(0);
        board.release(1);
        board.mark_blocked(&[11, 12], &vec![(11, 12)]);
        assert_eq!(board.states(), [BuyerState::Sent, BuyerState::Sent]);
        board.mark_blocked(&[11, 12], &vec![(11, 12), (12, 11)]);
        assert_eq!(board.states(), [BuyerState::Sent, BuyerState::Sent]);
        board.mark_blocked(&[11, 12], &vec![(11, 7), (12, 7)]);
        assert_eq!(board.states(), [BuyerState::Blocked, BuyerState::Blocked]);
    }

    #[test]
    fn a_buyer_whose_server_tells_it_that_it_waits_is_blocked_once_it_has_been_told() {
        let mut board = held(1, ClientCode::AllAtOnce);
        board.expect_to_be_told(0);
        board.release(0);
        board.mark_blocked(&[11], &vec![(11, 7)]);
        assert_eq!(board.state(0), &BuyerState::Sent);
        board.be_told(0, true);
        assert!(board.take_news());
        board.mark_blocked(&[11], &vec![(11, 7)]);
        assert_eq!(board.state(0), &BuyerState::Blocked);
    }

    #[test]
    fn a_buyer_waits_over_the_connection_of_its_last_statement_and_no_other() {
        let mut board = held(1, ClientCode::AllAtOnce);
        board.expect_to_be_told(0);
        let told = board.replace_connection(0, BuyerConnection::default());
        board.set_session(0, 21);
        board.release(0);
        board.mark_blocked(&board.sessions(), &vec![(11, 7)]);
        assert_eq!(board.state(0), &BuyerState::Sent);
        board.mark_blocked(&board.sessions(), &vec![(21, 7)]);
        assert_eq!(board.state(0), &BuyerState::Blocked, "this server tells nothing");
        board.answer(0, "1".into(), false);
        board.replace_connection(0, told);
        board.stop(0, BuyerState::Held(Box::new(statement("UPDATE t"))));
        board.release(0);
        board.mark_blocked(&board.sessions(), &vec![(11, 7)]);
        assert_eq!(board.state(0), &BuyerState::Sent, "the other server tells it");
    }

    #[test]
    fn a_statement_that_has_begun_is_held_with_the_rest_of_it() {
        let mut board = held(1, ClientCode::AllAtOnce);
        let begins = statement("INSERT").beginning_with(Some(Footprint::NOTHING));
        board.stop(0, BuyerState::Held(Box::new(begins.clone())));
        board.release(0);
        assert!(board.expects_to_hold_inside());
        board.mark_blocked(&[11], &vec![(11, HELD_INSIDE)]);
        assert_eq!(board.held(), [(0, begins.rest())]);
        assert!(board.release(0));
    }

    #[test]
    fn a_buyer_that_begins_again_is_worth_choosing_only_once_another_has_disturbed_it() {
        let mut board = held(2, ClientCode::AllAtOnce);
        let of_shelves = Footprint::writing(Resources::SHELVES);
        board.begin_attempt(0);
        board.release(0);
        board.answer(0, "conflict".into(), false);
        board.has_made(0, &of_shelves);
        board.begin_again(0, false);
        board.stop(0, BuyerState::Held(Box::new(statement("UPDATE t"))));
        let places = |board: &mut Board| -> Vec<usize> {
            board.ready().into_iter().map(|(place, _)| place).collect()
        };
        assert_eq!(places(&mut board), [1]);
        board.has_made(1, &Footprint::writing(Resources::ORDERS));
        assert_eq!(places(&mut board), [1]);
        board.release(1);
        board.has_made(1, &of_shelves);
        assert_eq!(places(&mut board), [0]);
        assert_eq!(board.most_futile_attempts(), 1);
    }

    #[test]
    fn a_buyer_whose_attempt_has_changed_something_begins_again_alone_but_not_for_ever() {
        let mut board = held(2, ClientCode::AllAtOnce);
        let again = |board: &mut Board| {
            board.begin_attempt(0);
            board.release(0);
            board.answer(0, "conflict".into(), false);
            board.begin_again(0, true);
            board.stop(0, BuyerState::Held(Box::new(statement("INCR tries"))));
            board.ready().len()
        };
        assert_eq!([(); 3].map(|()| again(&mut board)), [2, 2, 2]);
        assert_eq!(board.passed_over_changed(), 0);
        assert_eq!((again(&mut board), board.passed_over_changed()), (1, 1));
    }

    #[test]
    fn where_one_code_runs_at_a_time_an_answered_buyer_waits_for_its_turn() {
        let mut board = held(2, APPLICATION);
        board.release(1);
        board.answer(1, "1 row".into(), false);
        assert_eq!(board.state(1), &BuyerState::Runnable);
        assert!(board.may_run(1));
        board.run_alone(1);
        assert_eq!(
            board.running(),
            RunningCode { runs: Some(1), may_run: vec![], ran_last: Some(1) }
        );
        board.release(0);
        board.answer(0, "1 row".into(), false);
        assert!(!board.may_run(0));
    }

    /// Nothing has changed for this long, and what threads do cannot be seen.
    fn quiet(since: Duration) -> Quiet {
        Quiet { since_ns: nanos(since), ..Quiet::default() }
    }

    #[test]
    fn a_code_that_is_seen_to_work_has_longer_and_one_that_sleeps_again_has_less() {
        let mut board = held(2, APPLICATION);
        board.run_alone(1);
        assert!(!board.depends_on_threads(nanos(Duration::from_millis(99))));
        assert!(board.depends_on_threads(nanos(Duration::from_millis(100))));
        let at_work = |since| Quiet { is_at_work: true, ..quiet(since) };
        assert!(!board.lose_sight(at_work(Duration::from_millis(999))));
        // It may well answer: code that sleeps for the first time waits for a network, say.
        let asleep = Quiet { asleep_ns: nanos(ASLEEP), ..quiet(Duration::from_millis(99)) };
        assert!(!board.lose_sight(asleep));
        assert!(board.lose_sight(at_work(Duration::from_millis(1000))));
        // Another buyer moves.
        board.release(0);
        board.stop(0, BuyerState::Held(Box::new(statement("UPDATE t"))));
        assert!(board.depends_on_threads(0));
        assert!(!board.lose_sight(at_work(Duration::from_millis(99))));
        let asleep = Quiet { asleep_ns: nanos(ASLEEP) - 1, ..Quiet::default() };
        assert!(!board.lose_sight(asleep));
        let asleep = Quiet { asleep_ns: nanos(ASLEEP), ..Quiet::default() };
        assert!(board.lose_sight(asleep));
        // No other can move: that it sleeps makes no difference.
        let mut board = held(1, APPLICATION);
        board.run_alone(0);
        assert!(!board.lose_sight(asleep));
        assert!(!board.lose_sight(at_work(Duration::from_millis(1999))));
        assert!(board.lose_sight(at_work(Duration::from_millis(2000))));
    }

    #[test]
    fn a_code_that_runs_for_too_long_is_unseen_sooner_if_others_can_move() {
        let mut board = held(2, APPLICATION);
        board.run_alone(1);
        assert!(!board.lose_sight(quiet(Duration::from_millis(99))));
        assert!(board.lose_sight(quiet(Duration::from_millis(100))));
        assert_eq!((board.state(1), board.unseen()), (&BuyerState::Unseen, 1));
        // Another buyer moves: the code may go on, and has a tenth of the time to show it.
        board.release(0);
        assert_eq!(board.state(1), &BuyerState::Running);
        board.stop(0, BuyerState::Held(Box::new(statement("UPDATE t"))));
        assert!(board.lose_sight(quiet(Duration::from_millis(10))));
        assert_eq!(board.unseen(), 1);
        // Another buyer leaves: the same.
        board.leave(0);
        assert_eq!(board.state(1), &BuyerState::Running);
        // If no other buyer can move, the code has ten times as long.
        let mut board = held(1, APPLICATION);
        board.run_alone(0);
        assert!(!board.lose_sight(quiet(Duration::from_millis(999))));
        assert!(board.lose_sight(quiet(Duration::from_millis(1000))));
        // The same if another could move, but buyers come one by one.
        let mut board = held(2, APPLICATION);
        board.move_one_by_one();
        board.run_alone(0);
        assert!(!board.lose_sight(quiet(Duration::from_millis(999))));
        assert!(board.lose_sight(quiet(Duration::from_millis(1000))));
        // But not much longer.
        let mut board = held(1, ClientCode::OneAtATime(Duration::from_secs(10)));
        board.run_alone(0);
        assert!(!board.lose_sight(quiet(Duration::from_secs(19))));
        assert!(board.lose_sight(quiet(Duration::from_secs(20))));
    }
}
