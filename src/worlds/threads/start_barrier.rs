//! The start barrier: every buyer waits here until the starter releases all of them at once.
//!
//! The starter holds a write lock, and every buyer waits to read. Releasing it wakes all readers with one call to the
//! operating system, and readers do not wait for each other, as they would behind a mutex and a condition variable.

use std::sync::{RwLock, RwLockWriteGuard};

/// A barrier that has not opened yet.
#[derive(Debug, Default)]
pub(super) struct StartBarrier {
    gun_ns: RwLock<Option<u64>>,
}

impl StartBarrier {
    /// Makes the caller the starter. The barrier stays shut until [`Starter`] is dropped.
    pub(super) fn starter(&self) -> Starter<'_> {
        Starter(self.gun_ns.write().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Waits for the start: returns its time, or none if the race was called off.
    pub(super) fn wait(&self) -> Option<u64> {
        self.gun_ns.read().map_or(None, |gun| *gun)
    }
}

/// Holds the barrier shut. Dropping it without `fire` calls the race off.
#[derive(Debug)]
pub(super) struct Starter<'a>(RwLockWriteGuard<'a, Option<u64>>);

impl Starter<'_> {
    /// Starts all buyers, at this time on the race's clock.
    pub(super) fn fire(mut self, now: u64) {
        *self.0 = Some(now);
    }
}
