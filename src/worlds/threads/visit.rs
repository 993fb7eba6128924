//! One buyer's visit: attempts, and between them the retry policy.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::Live;
use crate::buyer::{Ending, Visit};
use crate::chance::Dice;
use crate::clock::{Clock, nanos};
use crate::op::{Item, Want};
use crate::retry::RetryPolicy;
use crate::session::Session;
use crate::stores::Client;
use crate::strategy::{Bought, Failure, Missed, Strategy};

/// Runs a future that never has to wait, which is all that live worlds know.
#[inline(always)]
pub fn complete<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Serves one buyer to the end. Times are on the race's clock; `visit` comes as
/// [`Visit::unserved`] made it.
#[inline(always)]
pub fn serve<S, C, K>(
    strategy: &S,
    shop: &mut Session<Live<'_, C, K>>,
    mut visit: Visit,
    policy: &RetryPolicy,
    dice: &mut Dice,
) -> Visit
where
    S: Strategy + ?Sized,
    C: Client,
    K: Clock,
{
    let want = Want { item: Item(0), qty: visit.wanted };
    visit.began_ns = shop.connection().now();
    visit.last_attempt_ns = visit.began_ns;
    visit.ending = loop {
        visit.attempts += 1;
        shop.serve(visit.buyer);
        let attempt = complete(strategy.attempt(shop, want))
            .unwrap_or(Err(Missed::Failed(Failure::Suspended)));
        shop.connection().close_attempt(matches!(attempt, Err(Missed::Failed(_))));
        match attempt {
            Ok(Bought) => break Ending::Bought,
            Err(Missed::SoldOut) => break Ending::TurnedAway,
            Err(Missed::Failed(_)) if shop.connection().is_stopped() => break Ending::Unserved,
            Err(Missed::Failed(why)) => break Ending::Failed(why),
            Err(Missed::Conflict) => {
                visit.conflicts += 1;
                if let Some(ending) = retry(shop, &mut visit, policy, dice) {
                    break ending;
                }
            }
        }
    };
    visit.looked = shop.has_looked();
    visit.ended_ns = shop.connection().now();
    visit.waited_ns = shop.connection().take_waited_ns();
    visit
}

/// After a conflict: waits for the next attempt, or says how the visit ends without one.
fn retry<C: Client, K: Clock>(
    shop: &mut Session<Live<'_, C, K>>,
    visit: &mut Visit,
    policy: &RetryPolicy,
    dice: &mut Dice,
) -> Option<Ending> {
    let live = shop.connection();
    if live.is_stopped() {
        return Some(Ending::Unserved);
    }
    let out_of_patience = live.now() - visit.began_ns >= nanos(policy.patience);
    if !policy.retries.allow(visit.conflicts) || out_of_patience {
        return Some(Ending::GaveUp);
    }
    let wait = policy.backoff.wait(visit.conflicts, dice);
    if !wait.is_zero() && !live.back_off(wait) {
        return Some(Ending::Unserved);
    }
    visit.last_attempt_ns = live.now();
    None
}
