//! A gate in front of a server: each buyer is held there with its next statement until the explorer releases it, and the
//! explorer waits there until every buyer has come to rest.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::board::{AT_WORK, Board, BuyerState, ClientCode, Quiet};
use super::footprint::Footprint;
use super::statement::PendingStatement;
use super::wait_graph::Waits;
use crate::base::clock::{Clock, Wall, nanos};

/// How long the gate waits without seeing any buyer do anything: a server that is silent for longer has failed. If code may
/// take longer than that, the gate waits this much longer than code may take.
const SILENCE: Duration = Duration::from_secs(30);

/// How long an answer usually takes at most. Only if there is none by then, the gate asks the server which sessions
/// wait.
const USUALLY: Duration = Duration::from_micros(400);

/// The same for a statement under way that is to be held inside the server.
const SOON: Duration = Duration::from_micros(100);

/// How long to wait from one look at the threads of the buyers' code to the next.
const LOOK: Duration = Duration::from_millis(2);

/// What the threads of the buyers' code were seen to do since anything has changed.
#[derive(Clone, Copy, Debug, Default)]
struct Threads {
    looked_ns: Option<u64>,
    asleep_since_ns: Option<u64>,
    are_at_work: bool,
}

impl Threads {
    fn are_due(&self, now: u64) -> bool {
        self.looked_ns.is_none_or(|looked| now - looked >= nanos(LOOK))
    }

    fn see(&mut self, now: u64, are_asleep: Option<bool>) {
        self.looked_ns = Some(now);
        self.are_at_work = are_asleep == Some(false);
        self.asleep_since_ns = match are_asleep {
            Some(true) => self.asleep_since_ns.or(Some(now)),
            Some(false) | None => None,
        };
    }

    fn quiet(&self, seen_ns: u64, now: u64) -> Quiet {
        Quiet {
            since_ns: now - seen_ns,
            asleep_ns: self.asleep_since_ns.map_or(0, |since| now - since),
            is_at_work: self.are_at_work,
        }
    }
}

/// The gate of all buyers of an execution, and of the executions that follow.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(super) board: Mutex<Board>,
    /// Wakes the explorer.
    pub(super) explorer: Condvar,
    /// Wakes each buyer.
    pub(super) buyers: Vec<Condvar>,
}

/// Why it is not known what every buyer is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsettled {
    /// No buyer has been seen to do anything for too long. These have not come to rest: their places, and whether each
    /// has sent a statement.
    Silent(Vec<(usize, bool)>),
    /// The server could not say which sessions wait.
    Watch(String),
    /// The search is to end now.
    Stopped,
}

impl Gate {
    /// A gate for this many buyers, all absent.
    #[must_use]
    pub(crate) fn of(buyers: usize, code: ClientCode) -> Arc<Self> {
        Arc::new(Self {
            board: Mutex::new(Board::of(buyers, code)),
            explorer: Condvar::new(),
            buyers: (0..buyers).map(|_| Condvar::new()).collect(),
        })
    }

    /// Begins an execution: every buyer comes in.
    pub(crate) fn open(&self) {
        self.board.lock().open();
    }

    /// Ends the execution: every held buyer leaves without another statement.
    pub(crate) fn close(&self) {
        let mut board = self.board.lock();
        board.close();
        self.wake_buyers();
    }

    fn wake_buyers(&self) {
        for buyer in &self.buyers {
            buyer.notify_all();
        }
    }

    /// A buyer's code has stopped. If one buyer's code runs at a time, another's may run now. An application's code may
    /// also have let other buyers go on by something that is no statement, such as closing a connection.
    pub(super) fn code_has_stopped(&self, board: &mut Board) {
        if board.runs_one_at_a_time() {
            board.forget_waits();
            self.wake_buyers();
        }
    }

    /// How often a buyer's code was taken to wait for something that the scheduler cannot see.
    #[must_use]
    pub(crate) fn unseen(&self) -> u64 {
        self.board.lock().unseen()
    }

    /// The held buyers, each with its statement.
    #[must_use]
    pub(crate) fn held(&self) -> Vec<(usize, PendingStatement)> {
        self.board.lock().held()
    }

    /// The held buyers that are worth choosing, each with its statement; the board says which are not.
    #[must_use]
    pub(crate) fn ready(&self) -> Vec<(usize, PendingStatement)> {
        self.board.lock().ready()
    }

    /// How often a buyer was not chosen because it polls.
    #[must_use]
    pub(crate) fn passed_over(&self) -> u64 {
        self.board.lock().passed_over()
    }

    /// How often a buyer was not chosen that began again after an attempt that had changed something.
    #[must_use]
    pub(crate) fn passed_over_changed(&self) -> u64 {
        self.board.lock().passed_over_changed()
    }

    /// The buyers that wait for another buyer, in whatever way.
    #[must_use]
    pub(crate) fn waiting(&self) -> Vec<usize> {
        self.board.lock().those(&[BuyerState::Blocked, BuyerState::MustRetry, BuyerState::Unseen])
    }

    /// Takes note that buyers come one by one until the next execution: their code has the time that code has if no other
    /// buyer can move.
    pub(crate) fn move_one_by_one(&self) {
        self.board.lock().move_one_by_one();
    }

    /// The buyers whose code has run for so long without a statement that it must wait for something that cannot be seen,
    /// or is slow.
    #[must_use]
    pub(crate) fn stalled(&self) -> Vec<usize> {
        self.board.lock().those(&[BuyerState::Unseen])
    }

    /// The buyers that have sent a statement which waits for another buyer.
    #[must_use]
    pub(crate) fn waiting_for_server(&self) -> Vec<usize> {
        self.board.lock().those(&[BuyerState::Blocked, BuyerState::MustRetry])
    }

    /// The buyers that wait for another session, as the server says.
    #[must_use]
    pub(crate) fn blocked(&self) -> Vec<usize> {
        self.board.lock().those(&[BuyerState::Blocked])
    }

    /// Whether the server has refused the statement of a buyer that was answered last.
    #[must_use]
    pub(crate) fn was_refused(&self, place: usize) -> bool {
        self.board.lock().was_refused(place)
    }

    /// The sessions of the buyers that wait for another session, as the server says.
    #[must_use]
    pub(crate) fn blocked_sessions(&self) -> Vec<i64> {
        let board = self.board.lock();
        board.those(&[BuyerState::Blocked]).into_iter().map(|place| board.session(place)).collect()
    }

    /// Forgets which buyers wait, as the server has said: they count as sent.
    pub(crate) fn forget_waits(&self) {
        self.board.lock().forget_waits();
    }

    /// The most attempts of any buyer that ended in a conflict and had changed nothing.
    #[must_use]
    pub(crate) fn most_futile_attempts(&self) -> u32 {
        self.board.lock().most_futile_attempts()
    }

    /// Releases a buyer's statement, or the rest of one that is held inside the server; the caller has to tell the
    /// server to let that go on. False if the buyer is not held.
    pub(crate) fn release(&self, place: usize) -> bool {
        let is_released = self.board.lock().release(place);
        if is_released {
            self.buyers[place].notify_all();
        }
        is_released
    }

    /// Whether a buyer's program can die in place of its next statement.
    #[must_use]
    pub(crate) fn can_crash(&self, place: usize) -> bool {
        self.board.lock().can_crash(place)
    }

    /// Lets a buyer's program die in place of its next statement; false if it cannot.
    pub(crate) fn crash(&self, place: usize) -> bool {
        let crashes = self.board.lock().crash(place);
        if crashes {
            self.buyers[place].notify_all();
        }
        crashes
    }

    /// Notes the footprint of a buyer's last step.
    pub(crate) fn has_made(&self, place: usize, footprint: &Footprint) {
        self.board.lock().has_made(place, footprint);
    }

    /// Lets a buyer try again that has found out by itself that another was in its way; false if it has not.
    pub(crate) fn retry(&self, place: usize) -> bool {
        let retries = self.board.lock().retry(place);
        if retries {
            self.buyers[place].notify_all();
        }
        retries
    }

    /// The buyers whose statements have begun and are held inside the server.
    #[must_use]
    pub(crate) fn held_inside(&self) -> Vec<usize> {
        self.board.lock().those(&[BuyerState::HeldInside])
    }

    /// The number by which the server knows a buyer's connection.
    #[must_use]
    pub(crate) fn session(&self, place: usize) -> i64 {
        self.board.lock().session(place)
    }

    /// The buyers that a buyer waits for, as far as the server names them.
    #[must_use]
    pub(crate) fn blockers(&self, place: usize, waits: &Waits) -> Vec<usize> {
        self.board.lock().blockers(place, waits)
    }

    /// Waits until every buyer has come to rest: no code runs, and every statement that was sent has been answered, or
    /// waits as the server itself says. The gate asks the server only where an answer is late. Returns what was
    /// answered meanwhile.
    ///
    /// `code_is_asleep` tells whether no thread of the buyers' code runs or could run; none if that cannot be seen. Code that
    /// works has longer until it is taken to wait for something that cannot be seen, and code that was taken to wait
    /// before, and still sleeps, has less.
    ///
    /// # Errors
    /// When no buyer is seen to do anything for half a minute (longer if code may take so long), the server
    /// cannot say which sessions wait, or the search is to end now.
    pub(crate) fn settle(
        &self,
        mut who_waits: impl FnMut() -> Result<Waits, String>,
        code_is_asleep: impl Fn() -> Option<bool>,
        is_over: impl Fn() -> bool,
    ) -> Result<Vec<(usize, String)>, Unsettled> {
        let mut board = self.board.lock();
        let silence = match board.code().stalls_after() {
            Some(stalled) if stalled * AT_WORK >= SILENCE => stalled * AT_WORK + SILENCE,
            _ => SILENCE,
        };
        let clock = Wall::start();
        let mut seen_ns = clock.now();
        let mut seen = board.states();
        let mut threads = Threads::default();
        loop {
            if board.is_settled() {
                return Ok(board.take_answered());
            }
            let usually = if board.expects_to_hold_inside() { SOON } else { USUALLY };
            let timed_out = self.explorer.wait_for(&mut board, usually).timed_out();
            if timed_out && is_over() {
                return Err(Unsettled::Stopped);
            }
            let states = board.states();
            if seen != states {
                (seen, threads) = (states, Threads::default());
                seen_ns = clock.now();
            }
            let now = clock.now();
            if threads.are_due(now) && board.depends_on_threads(now - seen_ns) {
                drop(board);
                threads.see(now, code_is_asleep());
                board = self.board.lock();
                if board.states() != seen {
                    continue;
                }
            }
            if board.lose_sight(threads.quiet(seen_ns, now)) {
                self.wake_buyers();
                continue;
            }
            if now - seen_ns >= nanos(silence) {
                return Err(Unsettled::Silent(board.restless()));
            }
            let is_late = timed_out || board.take_news();
            if is_late && board.waits_for_answers_alone() {
                let (sessions, before) = (board.sessions(), board.states());
                drop(board);
                let waits = who_waits().map_err(Unsettled::Watch)?;
                board = self.board.lock();
                // A buyer that was answered meanwhile may have let others go on since.
                if board.states() == before {
                    board.mark_blocked(&sessions, &waits);
                }
            }
        }
    }
}
