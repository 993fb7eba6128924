//! Waits that end when a buyer's patience runs out, or soon after the race is stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a wait checks whether the race was stopped. Seldom: with ten thousand buyers that wait for one lock, every
/// check is ten thousand wake-ups.
pub(super) const GLANCE: Duration = Duration::from_millis(250);

/// How long a client waits for a lock, an answer or a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'w> {
    pub(super) most: Duration,
    pub(super) stop: &'w AtomicBool,
}

impl Patience<'_> {
    /// Waits in short intervals: calls `wait` with a short bound until it returns a value, patience runs out, or the
    /// race is stopped.
    pub(super) fn wait<T>(self, mut wait: impl FnMut(Duration) -> Option<T>) -> Option<T> {
        let mut left = self.most;
        while !left.is_zero() && !self.stop.load(Ordering::Relaxed) {
            let glance = left.min(GLANCE);
            if let Some(value) = wait(glance) {
                return Some(value);
            }
            left -= glance;
        }
        None
    }
}
