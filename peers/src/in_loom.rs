//! loom: real code on loom's own threads and atomics, run again and again until every execution that
//! the C11 memory model allows has been seen.
//!
//! As in its documentation, the body of a model builds the shared state, spawns threads, does one
//! share of the work itself, joins and asserts. There may be five threads in all, so there may be five
//! buyers. loom's types are imported and not switched in by `--cfg loom`, since nothing here is ever
//! to run without loom.
//!
//! Source: <https://docs.rs/loom/0.7>, "Writing tests", "Yielding" and `model::Builder`.

use std::sync::Arc;

use loom::model::Builder;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::{Checkout, STOCK, Verdict, insist_on_one_sale, verdict_of};

/// The most buyers. Each is a thread, and one is the main thread.
pub const MOST_BUYERS: u32 = loom::MAX_THREADS as u32;

/// Follows every execution, with no bound on preemptions.
///
/// # Panics
/// For more than [`MOST_BUYERS`], and if something else than an oversell is found.
#[must_use]
pub fn verdict(checkout: Checkout, buyers: u32) -> Verdict {
    match checkout {
        Checkout::Naive => check(buyers, || AtomicU32::new(STOCK), naive),
        Checkout::Cas => check(buyers, || AtomicU32::new(STOCK), cas),
        Checkout::Pessimistic => check(buyers, || Mutex::new(STOCK), pessimistic),
    }
}

fn check<S: 'static>(buyers: u32, open: fn() -> S, buy: fn(&S) -> bool) -> Verdict {
    let mut builder = Builder::new();
    builder.preemption_bound = None;
    verdict_of(move || {
        builder.check(move || {
            let shop = Arc::new(open());
            let others: Vec<_> = (1..buyers)
                .map(|_| {
                    let shop = Arc::clone(&shop);
                    thread::spawn(move || buy(&shop))
                })
                .collect();
            let mut sold = u32::from(buy(&shop));
            for other in others {
                sold += u32::from(other.join().is_ok_and(|bought| bought));
            }
            insist_on_one_sale(sold);
        });
    })
}

fn naive(stock: &AtomicU32) -> bool {
    let seen = stock.load(Ordering::SeqCst);
    if seen < 1 {
        return false;
    }
    stock.store(seen - 1, Ordering::SeqCst);
    true
}

/// Who fails has seen the newest stock, so with one unit no buyer fails twice, and the loop needs no
/// `yield_now` to be bounded. With it, loom has less to do for three buyers and more for four.
fn cas(stock: &AtomicU32) -> bool {
    loop {
        let seen = stock.load(Ordering::SeqCst);
        if seen < 1 {
            return false;
        }
        if stock.compare_exchange(seen, seen - 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return true;
        }
    }
}

fn pessimistic(stock: &Mutex<u32>) -> bool {
    let Ok(mut stock) = stock.lock() else { return false };
    if *stock < 1 {
        return false;
    }
    *stock -= 1;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a buyer should have bought")]
    fn a_model_that_sells_nothing_is_no_verdict() {
        let _ = check(2, || (), |()| false);
    }
}
