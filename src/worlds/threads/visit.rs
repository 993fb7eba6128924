//! One buyer's visit: attempts, and between them the retry policy.

use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Live;
use crate::base::chance::Dice;
use crate::base::clock::{Clock, nanos};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::{Op, OpKind, Reply, Want};
use crate::domain::retry::{Backoff, RetryPolicy};
use crate::domain::session::{Connection, Session};
use crate::stores::Client;
use crate::strategy::Strategy;

/// Polls a future that never has to wait: live worlds know no other. None if it does wait.
#[inline(always)]
pub fn complete<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Whether the strategy's code can look for an order. For a checkout in a file only the audit can.
fn can_look<S: Strategy + ?Sized>(strategy: &S) -> bool {
    !strategy.about().names(OpKind::Step)
}

/// How long a buyer waits before it looks for an order again, when the answer to that was lost, too.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Serves one buyer to the end. Times are on the race's clock; `visit` comes as
/// [`Visit::unserved`] made it.
///
/// What is counted stays in registers and is written once, in place: copying a visit just written
/// stalls the processor for longer than a whole checkout takes.
#[inline(always)]
pub fn serve<S, C, K>(
    strategy: &S,
    shop: &mut Session<Live<'_, C, K>>,
    visit: &mut Visit,
    policy: &RetryPolicy,
    dice: &mut Dice,
) where
    S: Strategy + ?Sized,
    C: Client,
    K: Clock,
{
    let Visit { buyer, want, .. } = *visit;
    shop.attend(buyer);
    shop.connection().attend(buyer);
    let began_ns = shop.connection().now();
    let mut last_attempt_ns = began_ns;
    let (mut attempts, mut conflicts) = (0_u32, 0_u32);
    let ending = loop {
        attempts = attempts.saturating_add(1);
        let attempt = complete(strategy.attempt(shop, want))
            .unwrap_or(Err(Missed::Failed(Failure::Suspended)));
        shop.connection().close_attempt(matches!(attempt, Err(Missed::Failed(_))));
        match attempt {
            Err(Missed::Failed(why)) if is_unknown(why) && can_look(strategy) => {
                match look(strategy, shop, want, began_ns + nanos(policy.patience)) {
                    Ok(true) => break Ending::Bought,
                    // The same as if there had been no attempt.
                    Ok(false) => conflicts = conflicts.saturating_add(1),
                    Err(why) => break failed(shop, why),
                }
            }
            Err(Missed::Failed(why)) => break failed(shop, why),
            Err(Missed::Conflict) => conflicts = conflicts.saturating_add(1),
            last => break Ending::after(last),
        }
        match retry(shop, began_ns, conflicts, policy, dice) {
            ControlFlow::Continue(now) => last_attempt_ns = now,
            ControlFlow::Break(ending) => break ending,
        }
    };
    visit.ending = ending;
    visit.attempts = attempts;
    visit.conflicts = conflicts;
    visit.looked = shop.has_looked();
    visit.began_ns = began_ns;
    visit.last_attempt_ns = last_attempt_ns;
    visit.ended_ns = shop.connection().now();
    visit.held = shop.connection().take_held();
    visit.waited_ns = shop.connection().take_waited_ns();
}

/// Serves the queue until the shop closes. A buyer that the worker's code fails to serve gets no answer.
pub fn serve_queue<S, C, K>(strategy: &S, shop: &mut Session<Live<'_, C, K>>)
where
    S: Strategy + ?Sized,
    C: Client,
    K: Clock,
{
    while let Some(Ok(Reply::Next(Some(request)))) =
        complete(shop.connection().call(Op::NextRequest))
    {
        shop.attend(request.buyer);
        shop.connection().attend(request.buyer);
        let sold = complete(strategy.serve(shop, request.want)).and_then(Result::ok);
        shop.connection().close_attempt(sold.is_none());
        // Cannot fail: there is a request to answer.
        let _ = complete(shop.connection().call(Op::Answer { sold }));
    }
}

/// Whether the outcome of an attempt that failed like this is unknown: its last op may have taken effect, or not.
fn is_unknown(why: Failure) -> bool {
    matches!(why, Failure::Disconnected | Failure::NoMajority)
}

/// Called after a lost answer. Recovers what is left of the attempt, as the shop does after a server died, and then
/// looks for an order. Repeats both while answers are lost, until patience runs out.
#[cold]
fn look<S, C, K>(
    strategy: &S,
    shop: &mut Session<Live<'_, C, K>>,
    want: Want,
    until_ns: u64,
) -> Result<bool, Failure>
where
    S: Strategy + ?Sized,
    C: Client,
    K: Clock,
{
    shop.connection().count_disconnect();
    let recovers = strategy.about().names(OpKind::Recover);
    loop {
        let recovered =
            if recovers { complete(strategy.recover(shop, want)) } else { Some(Ok(())) };
        let looked = match recovered {
            Some(Ok(())) => complete(shop.find_order()),
            Some(Err(missed)) => Some(Err(missed)),
            None => None,
        };
        shop.connection().close_attempt(true);
        let why = match looked {
            Some(Ok(is_there)) => return Ok(is_there),
            Some(Err(Missed::Failed(why))) if !is_unknown(why) => return Err(why),
            Some(Err(Missed::Failed(why))) => why,
            Some(Err(_)) => Failure::Disconnected,
            None => return Err(Failure::Suspended),
        };
        if shop.connection().now() >= until_ns || !shop.connection().back_off(LOOK_AGAIN) {
            return Err(why);
        }
    }
}

/// How a visit with this failure ends: unserved if the race was stopped, and failed otherwise.
#[cold]
fn failed<C: Client, K: Clock>(shop: &mut Session<Live<'_, C, K>>, why: Failure) -> Ending {
    if shop.connection().is_stopped() { Ending::Unserved } else { Ending::Failed(why) }
}

/// After a conflict: waits, and returns when the next attempt begins, or how the visit ends without one.
#[inline(always)]
fn retry<C: Client, K: Clock>(
    shop: &mut Session<Live<'_, C, K>>,
    began_ns: u64,
    conflicts: u32,
    policy: &RetryPolicy,
    dice: &mut Dice,
) -> ControlFlow<Ending, u64> {
    let live = shop.connection();
    if live.is_stopped() {
        return ControlFlow::Break(Ending::Unserved);
    }
    let now = live.now();
    let out_of_patience = K::RUNS && now - began_ns >= nanos(policy.patience);
    if out_of_patience || !policy.retries.allow(conflicts) {
        return ControlFlow::Break(Ending::Abandoned);
    }
    if policy.backoff == Backoff::None {
        return ControlFlow::Continue(now);
    }
    let wait = policy.backoff.wait(conflicts, || dice.rng());
    if now - began_ns + nanos(wait) >= nanos(policy.patience) {
        return ControlFlow::Break(Ending::Abandoned);
    }
    match live.back_off(wait) {
        true => ControlFlow::Continue(live.now()),
        false => ControlFlow::Break(Ending::Unserved),
    }
}
