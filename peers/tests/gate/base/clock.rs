//! A virtual clock, and the waits that end when its time has come.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::Condvar;

thread_local! {
    // shuttle runs all threads of an execution on one thread of the operating system.
    static TIME: RefCell<Time> = RefCell::default();
}

#[derive(Default)]
struct Time {
    now: Duration,
    /// What the threads that wait for a limited time wait for.
    waited_for: Vec<Arc<Condvar>>,
}

/// Time begins anew, for another execution.
pub(crate) fn restart() {
    TIME.take();
}

/// The time since the execution began.
pub(crate) fn since_start() -> Duration {
    TIME.with_borrow(|time| time.now)
}

/// Time passes. Every thread that waits for a limited time looks whether it is over.
pub(crate) fn pass(duration: Duration) {
    let waited_for = TIME.with_borrow_mut(|time| {
        time.now += duration;
        time.waited_for.clone()
    });
    for condition in waited_for {
        condition.notify_all();
    }
}

/// From now on the waits for this condition have a limit.
pub(crate) fn limit_waits_for(condition: &Arc<Condvar>) {
    TIME.with_borrow_mut(|time| {
        if !time.waited_for.iter().any(|known| Arc::ptr_eq(known, condition)) {
            time.waited_for.push(Arc::clone(condition));
        }
    });
}

/// A source of time, as in the library.
pub(crate) trait Clock {
    fn now(&self) -> u64;
}

/// The virtual time.
pub(crate) struct Wall;

impl Wall {
    pub(crate) fn start() -> Self {
        Self
    }
}

impl Clock for Wall {
    fn now(&self) -> u64 {
        nanos(since_start())
    }
}

/// A duration in whole nanoseconds.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
