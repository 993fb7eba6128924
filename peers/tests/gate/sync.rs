//! The part of parking_lot's interface that the scheduler uses, over shuttle's locks. The wrapper that shuttle's authors
//! publish, `shuttle-parking_lot` 0.12.5, has no condition variables.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use shuttle::sync;

use crate::base::clock;

/// A mutex.
#[derive(Debug)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("no thread has panicked")))
    }
}

/// A locked mutex. It holds nothing only while its thread waits.
pub(crate) struct MutexGuard<'m, T>(Option<sync::MutexGuard<'m, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("locked")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("locked")
    }
}

/// A condition variable.
#[derive(Debug)]
pub(crate) struct Condvar(Arc<sync::Condvar>);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(Arc::new(sync::Condvar::new()))
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let locked = guard.0.take().expect("locked");
        guard.0 = Some(self.0.wait(locked).expect("no thread has panicked"));
    }

    /// Waits until it is notified, or until the first passing of time at which `limit` is over. If no time passes, the
    /// wait ends only when it is notified.
    pub(crate) fn wait_for<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        limit: Duration,
    ) -> WaitTimeoutResult {
        let end = clock::since_start() + limit;
        clock::limit_waits_for(&self.0);
        self.wait(guard);
        WaitTimeoutResult(clock::since_start() >= end)
    }
}

/// How a wait for a limited time has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    pub(crate) fn timed_out(self) -> bool {
        self.0
    }
}
