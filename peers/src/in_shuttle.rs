//! shuttle: real code on shuttle's own threads and atomics, run under a scheduler; here the one that
//! enumerates every schedule.
//!
//! As in its documentation, a test is what it would be on `std`, with the imports replaced, in a call
//! to a check function. This is what `shuttle::check_dfs` does, but for a setting: a schedule that
//! fails is a result here and is not printed. shuttle's atomics are sequentially consistent.
//!
//! Source: <https://docs.rs/shuttle/0.9>, "Choosing a scheduler and running a test".

use shuttle::scheduler::DfsScheduler;
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::sync::{Arc, Mutex};
use shuttle::{Config, FailurePersistence, Runner, thread};

use crate::{Checkout, STOCK, Verdict, insist_on_one_sale, verdict_of};

/// Follows every schedule.
///
/// # Panics
/// If something else than an oversell is found.
#[must_use]
pub fn verdict(checkout: Checkout, buyers: u32) -> Verdict {
    match checkout {
        Checkout::Naive => check(buyers, || AtomicU32::new(STOCK), naive),
        Checkout::Cas => check(buyers, || AtomicU32::new(STOCK), cas),
        Checkout::Pessimistic => check(buyers, || Mutex::new(STOCK), pessimistic),
    }
}

fn check<S: Send + Sync + 'static>(buyers: u32, open: fn() -> S, buy: fn(&S) -> bool) -> Verdict {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    verdict_of(move || {
        Runner::new(DfsScheduler::new(None, false), config).run(move || {
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
