//! One buyer's handle to the gate: what its connection tells, and where it waits.

use std::sync::Arc;

use parking_lot::MutexGuard;

use super::board::{Board, BuyerConnection, BuyerState, RunningCode};
use super::gate::Gate;
use super::statement::PendingStatement;

/// One buyer's handle to a [`Gate`].
#[derive(Clone, Debug)]
pub struct BuyerHandle {
    gate: Arc<Gate>,
    place: usize,
}

impl Gate {
    /// One buyer's handle.
    #[must_use]
    pub(crate) fn handle(self: &Arc<Self>, place: usize) -> BuyerHandle {
        BuyerHandle::of(Arc::clone(self), place)
    }
}

impl BuyerHandle {
    pub(super) fn of(gate: Arc<Gate>, place: usize) -> Self {
        Self { gate, place }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.gate.board.lock()
    }

    /// Which of the buyers it is, counted from 0.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// Whether this buyer is in the shop.
    pub(crate) fn is_there(&self) -> bool {
        *self.board().state(self.place) != BuyerState::Absent
    }

    /// Notes the number by which the server knows this buyer's connection.
    pub(crate) fn register(&self, session: i64) {
        self.board().set_session(self.place, session);
    }

    /// Returns what was noted of this buyer's connection, and forgets it.
    pub(crate) fn take_connection(&self) -> BuyerConnection {
        self.board().replace_connection(self.place, BuyerConnection::default())
    }

    /// Notes that this buyer, which has several connections, sends its next statement over this one.
    pub(crate) fn use_connection(&self, connection: BuyerConnection) {
        self.board().replace_connection(self.place, connection);
    }

    /// Notes that the server tells this buyer when it waits. Until it has done so, no other report that it waits is
    /// believed.
    pub(crate) fn expect_to_be_told(&self) {
        self.board().expect_to_be_told(self.place);
    }

    /// Notes that the server has told this buyer that it waits, and that this is no deadlock; or that it waits no more.
    pub(crate) fn be_told(&self, waits: bool) {
        self.board().be_told(self.place, waits);
        self.gate.explorer.notify_one();
    }

    /// Waits until this statement may be sent; false if the buyer is to leave instead, or its program dies.
    pub(crate) fn await_release(&self, statement: PendingStatement) -> bool {
        self.stop(BuyerState::Held(Box::new(statement)))
    }

    /// This buyer has found out by itself that another buyer is in its way. Waits until another has moved; false if
    /// this buyer is to leave instead.
    pub(crate) fn await_retry(&self) -> bool {
        self.stop(BuyerState::MustRetry)
    }

    fn stop(&self, state: BuyerState) -> bool {
        let mut board = self.board();
        if board.is_closed() || board.has_crashed(self.place) {
            return false;
        }
        // A buyer that tries again sends the same statement, and is not held again.
        if *board.state(self.place) == BuyerState::Sent && state != BuyerState::MustRetry {
            return true;
        }
        board.stop(self.place, state);
        self.gate.code_has_stopped(&mut board);
        self.gate.explorer.notify_one();
        while *board.state(self.place) != BuyerState::Sent {
            if board.is_closed() || board.has_crashed(self.place) {
                return false;
            }
            self.gate.buyers[self.place].wait(&mut board);
        }
        true
    }

    /// This buyer has a statement to send over a connection on which another buyer's is held.
    pub(crate) fn stop_behind(&self) {
        let mut board = self.board();
        if !board.is_closed() {
            board.stop_behind(self.place);
            self.gate.code_has_stopped(&mut board);
            self.gate.explorer.notify_one();
        }
    }

    /// Waits until this buyer's code may run, where one runs at a time.
    pub(crate) fn await_running(&self) {
        let mut board = self.board();
        self.await_turn(&mut board);
    }

    fn await_turn(&self, board: &mut MutexGuard<'_, Board>) {
        while *board.state(self.place) == BuyerState::Runnable && !board.is_closed() {
            if board.may_run(self.place) {
                board.run_alone(self.place);
                // The explorer has seen this buyer do something.
                self.gate.explorer.notify_one();
                return;
            }
            self.gate.buyers[self.place].wait(board);
        }
    }

    /// Notes the answer to this buyer's statement. Returns when the buyer's own code may go on.
    pub(crate) fn answer(&self, answer: String) {
        self.hear(answer, false);
    }

    /// As [`BuyerHandle::answer`], with whether the server has refused the statement, which has changed nothing then.
    pub(crate) fn hear(&self, answer: String, is_refused: bool) {
        let mut board = self.board();
        board.answer(self.place, answer, is_refused);
        self.await_turn(&mut board);
    }

    /// Notes that this buyer begins again after a conflict, and whether its attempt had changed anything.
    pub fn begin_again(&self, has_changed: bool) {
        self.board().begin_again(self.place, has_changed);
    }

    /// Which buyers' code runs.
    pub(crate) fn running(&self) -> RunningCode {
        self.board().running()
    }

    /// Notes that this buyer has left.
    pub fn leave(&self) {
        let mut board = self.board();
        board.leave(self.place);
        self.gate.code_has_stopped(&mut board);
        self.gate.explorer.notify_one();
    }

    /// Notes that an attempt begins.
    pub fn begin_attempt(&self) {
        self.board().begin_attempt(self.place);
    }

    /// The first step of this buyer's attempt; none if it has made none.
    #[must_use]
    pub fn first_step(&self) -> Option<u64> {
        self.board().first_step(self.place)
    }

    /// Steps of this execution by now.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.board().steps()
    }

    /// Waits until every buyer is to leave.
    pub fn await_close(&self) {
        let mut board = self.board();
        while !board.is_closed() {
            self.gate.buyers[self.place].wait(&mut board);
        }
    }

    /// Whether this buyer's program has died: it says nothing more to the server.
    pub(crate) fn has_crashed(&self) -> bool {
        self.board().has_crashed(self.place)
    }

    /// Whether every buyer is to leave.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.board().is_closed()
    }
}
