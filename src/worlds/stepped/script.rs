//! A script: what an attempt does next, given what it has heard so far.
//!
//! An attempt has no memory but the replies to its ops. So running its future over recorded replies leads to the one op
//! that it would send next. The future itself is not kept.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::domain::attempt::{Attempt, Failure, Missed, OpResult};
use crate::domain::card::BackgroundTask;
use crate::domain::op::{Op, Want};
use crate::domain::session::{Connection, Session};
use crate::strategy::Strategy;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptStep<T> {
    /// This op.
    Call(Op),
    /// Nothing: it has ended.
    End(T),
}

/// What a buyer does next in an attempt in which it has heard this.
pub fn attempt<S: Strategy + ?Sized>(
    strategy: &S,
    want: Want,
    heard: &[OpResult],
) -> ScriptStep<Attempt> {
    let mut shop = Session::new(Recorded { heard, asked: None });
    let polled = poll(strategy.attempt(&mut shop, want));
    next(polled, shop, Err(Missed::Failed(Failure::Suspended)))
}

/// What the worker does next when serving this want and having heard this.
pub fn serve<S: Strategy + ?Sized>(
    strategy: &S,
    want: Want,
    heard: &[OpResult],
) -> ScriptStep<Result<bool, Missed>> {
    let mut shop = Session::new(Recorded { heard, asked: None });
    let polled = poll(strategy.serve(&mut shop, want));
    next(polled, shop, Err(Missed::Failed(Failure::Suspended)))
}

/// What the shop does next in a background task about this want, having heard this.
pub fn background_task<S: Strategy + ?Sized>(
    strategy: &S,
    background_task: BackgroundTask,
    want: Want,
    heard: &[OpResult],
) -> ScriptStep<Result<(), Missed>> {
    let mut shop = Session::new(Recorded { heard, asked: None });
    let polled = match background_task {
        BackgroundTask::Webhook => poll(strategy.notified(&mut shop, want)),
        BackgroundTask::Recovery => poll(strategy.recover(&mut shop, want)),
    };
    next(polled, shop, Err(Missed::Failed(Failure::Suspended)))
}

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn next<T>(polled: Poll<T>, shop: Session<Recorded<'_>>, suspended: T) -> ScriptStep<T> {
    match (polled, shop.into_connection().asked) {
        (Poll::Ready(end), _) => ScriptStep::End(end),
        (Poll::Pending, Some(op)) => ScriptStep::Call(op),
        // The future waits for something that is not an op, and that never comes here.
        (Poll::Pending, None) => ScriptStep::End(suspended),
    }
}

/// A connection that gives the recorded replies, as far as they go.
struct Recorded<'h> {
    heard: &'h [OpResult],
    asked: Option<Op>,
}

/// A recorded reply, or a future that is never ready.
struct Playback(Option<OpResult>);

impl Future for Playback {
    type Output = OpResult;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<OpResult> {
        self.0.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Connection for Recorded<'_> {
    fn call(&mut self, op: Op) -> impl Future<Output = OpResult> + Unpin {
        match self.heard.split_first() {
            Some((reply, rest)) => {
                self.heard = rest;
                Playback(Some(*reply))
            }
            None => {
                self.asked.get_or_insert(op);
                Playback(None)
            }
        }
    }

    fn think(&mut self) -> impl Future<Output = Result<(), Missed>> + Unpin {
        std::future::ready(Ok(()))
    }
}
