//! Waiting no longer than a buyer's patience lasts, nor much longer than until the race is stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a wait looks up to see whether the race was stopped. Seldom: with ten thousand buyers
/// in front of one lock, every look is ten thousand wake-ups.
pub(super) const GLANCE: Duration = Duration::from_millis(250);

/// How long anybody waits for a lock, an answer or a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience<'w> {
    pub(super) most: Duration,
    pub(super) stop: &'w AtomicBool,
}

impl Patience<'_> {
    /// Waits in glances: calls `wait` with a short bound until it yields, patience runs out, or the
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
