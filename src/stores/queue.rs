//! The queue in front of the clerk: a channel, whatever the store behind it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use super::patience::{GLANCE, Patience};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{Op, Reply, Request};

/// A request on its way to the clerk, with the line on which to answer it.
type Queued = (Request, Sender<bool>);

/// One clerk's queue.
#[derive(Debug)]
pub(super) struct Queue<'w> {
    /// `None` wakes the clerk to look whether the shop has closed.
    line: (Sender<Option<Queued>>, Receiver<Option<Queued>>),
    closed: AtomicBool,
    deepest: AtomicU64,
    patience: Patience<'w>,
}

/// What one thread has to do with the queue.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// A buyer's: where its answer will come.
    awaiting: Option<Receiver<bool>>,
    /// The clerk's: where whom it serves waits.
    serving: Option<Sender<bool>>,
}

impl<'w> Queue<'w> {
    /// For at most so many threads at once.
    pub(super) fn open(clients: usize, patience: Patience<'w>) -> Self {
        Self {
            // Who finds it full waits to get in: those whose patience ran out leave requests behind.
            line: bounded(clients + 1),
            closed: AtomicBool::new(false),
            deepest: AtomicU64::new(0),
            patience,
        }
    }

    /// There is no clerk any more, or nobody left to serve.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // If the queue is full the clerk is awake, and will look by itself.
        let _ = self.line.0.try_send(None);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The longest that it ever was, in requests.
    pub(super) fn deepest(&self) -> u64 {
        self.deepest.load(Ordering::Relaxed)
    }
}

impl Place {
    /// An op that is about the queue.
    pub(super) fn call(&mut self, queue: &Queue<'_>, op: Op) -> Result<Reply, Missed> {
        match op {
            Op::Submit(request) => self.submit(queue, request),
            Op::AwaitAnswer => self.await_answer(queue),
            Op::NextRequest => Ok(self.next_request(queue)),
            Op::Answer { sold } => self.answer(sold),
            _ => failed(Failure::Unsupported),
        }
    }

    /// Whether an answer is still to come.
    #[inline(always)]
    pub(super) fn is_awaiting(&self) -> bool {
        self.awaiting.is_some()
    }

    /// Does not wait for an answer any more.
    pub(super) fn leave(&mut self) {
        self.awaiting = None;
    }

    fn submit(&mut self, queue: &Queue<'_>, request: Request) -> Result<Reply, Missed> {
        let (answer, awaiting) = bounded(1);
        let mut queued = Some((request, answer));
        let joined = queue.patience.wait(|glance| {
            if queue.is_closed() {
                return Some(false);
            }
            match queue.line.0.send_timeout(queued.take(), glance) {
                Ok(()) => Some(true),
                Err(SendTimeoutError::Timeout(back)) => {
                    queued = back;
                    None
                }
                Err(SendTimeoutError::Disconnected(_)) => Some(false),
            }
        });
        if joined != Some(true) {
            return failed(Failure::NoAnswer);
        }
        self.awaiting = Some(awaiting);
        Ok(Reply::Done)
    }

    fn await_answer(&mut self, queue: &Queue<'_>) -> Result<Reply, Missed> {
        let Some(line) = self.awaiting.take() else { return failed(Failure::Unsupported) };
        let heard = queue.patience.wait(|glance| match line.recv_timeout(glance) {
            Ok(sold) => Some(Some(sold)),
            Err(RecvTimeoutError::Disconnected) => Some(None),
            Err(RecvTimeoutError::Timeout) => queue.is_closed().then_some(None),
        });
        heard.flatten().map_or(failed(Failure::NoAnswer), |sold| Ok(Reply::Applied(sold)))
    }

    fn next_request(&mut self, queue: &Queue<'_>) -> Reply {
        // Whoever still stands in the queue of a shop that has closed has left long ago.
        while !queue.is_closed() {
            let Ok(Some((request, answer))) = queue.line.1.recv_timeout(GLANCE) else { continue };
            queue.deepest.fetch_max(queue.line.1.len() as u64 + 1, Ordering::Relaxed);
            self.serving = Some(answer);
            return Reply::Next(Some(request));
        }
        Reply::Next(None)
    }

    fn answer(&mut self, sold: Option<bool>) -> Result<Reply, Missed> {
        let Some(line) = self.serving.take() else { return failed(Failure::Unsupported) };
        // A buyer whose patience ran out is no longer listening, and that is no fault of the clerk.
        let _ = sold.map(|sold| line.try_send(sold));
        Ok(Reply::Done)
    }
}

fn failed<T>(why: Failure) -> Result<T, Missed> {
    Err(Missed::Failed(why))
}
