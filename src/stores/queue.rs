//! The queue in front of the worker: a channel, for every store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use super::patience::{GLANCE, Patience};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{Op, Reply, Request};

/// A request to the worker, with the channel for its answer.
type Queued = (Request, Sender<bool>);

/// One worker's queue.
#[derive(Debug)]
pub(super) struct Queue<'w> {
    /// `None` wakes the worker to look whether the shop has closed.
    line: (Sender<Option<Queued>>, Receiver<Option<Queued>>),
    closed: AtomicBool,
    deepest: AtomicU64,
    patience: Patience<'w>,
}

/// The state of one thread in the queue.
#[derive(Debug, Default)]
pub(super) struct QueuePlace {
    /// Of a buyer: the channel on which it gets its answer.
    awaiting: Option<Receiver<bool>>,
    /// Of the worker: the channel to the buyer that it serves.
    serving: Option<Sender<bool>>,
}

impl<'w> Queue<'w> {
    /// A queue for at most `clients` threads at once.
    pub(super) fn open(clients: usize, patience: Patience<'w>) -> Self {
        Self {
            // A buyer that finds the queue full waits: a buyer whose patience ran out leaves its request in the queue.
            line: bounded(clients + 1),
            closed: AtomicBool::new(false),
            deepest: AtomicU64::new(0),
            patience,
        }
    }

    /// Closes the queue: the worker has gone, or there are no buyers left.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // If the queue is full the worker is awake, and will look by itself.
        let _ = self.line.0.try_send(None);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The greatest length of the queue so far, in requests.
    pub(super) fn deepest(&self) -> u64 {
        self.deepest.load(Ordering::Relaxed)
    }
}

impl QueuePlace {
    /// Does an op that is about the queue.
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

    /// Stops waiting for an answer.
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
        // When the shop is closed, the buyers whose requests are still in the queue have left.
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
        // A buyer whose patience ran out no longer listens, and that is no error of the worker's.
        let _ = sold.map(|sold| line.try_send(sold));
        Ok(Reply::Done)
    }
}

fn failed<T>(why: Failure) -> Result<T, Missed> {
    Err(Missed::Failed(why))
}
