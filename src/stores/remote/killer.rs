//! Kills the server in the middle of a race, and starts it again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};
use parking_lot::{Condvar, Mutex};

use super::Server;
use crate::base::error::Error;

/// What wakes the killer.
enum KillerMessage {
    /// Enough attempts are over for a kill to be due.
    Kill,
    /// The race is over.
    GoHome,
}

/// The work of one thread: a number of kills, spread over a race.
pub(super) struct Killer {
    kills: u32,
    buyers: u32,
    attempts: AtomicU64,
    calls: (Sender<KillerMessage>, Receiver<KillerMessage>),
    failed: Mutex<Option<Error>>,
    /// How often the server has come back, and the signal that it has.
    returns: (Mutex<u32>, Condvar),
}

impl Killer {
    /// A killer for a race of this many buyers.
    pub(super) fn hire(kills: u32, buyers: u32) -> Self {
        Self {
            kills,
            buyers,
            attempts: AtomicU64::new(0),
            // Room for every call, so that no buyer ever waits here.
            calls: bounded(kills as usize + 1),
            failed: Mutex::new(None),
            returns: (Mutex::new(0), Condvar::new()),
        }
    }

    /// Whether there is anything to do.
    pub(super) fn has_work(&self) -> bool {
        self.kills > 0
    }

    /// Counts an attempt that is over. A kill is due after each equal share of the buyers.
    pub(super) fn count_attempt(&self) {
        if self.kills == 0 {
            return;
        }
        let due = |attempts: u64| attempts * (u64::from(self.kills) + 1) / u64::from(self.buyers);
        let before = self.attempts.fetch_add(1, Ordering::Relaxed);
        for _ in due(before)..due(before + 1).min(self.kills.into()) {
            let _ = self.calls.0.try_send(KillerMessage::Kill);
        }
    }

    /// The race is over: the killer stops after the kills that are already due.
    pub(super) fn dismiss(&self) {
        let _ = self.calls.0.try_send(KillerMessage::GoHome);
    }

    /// Kills the server whenever a kill is due, until dismissed.
    pub(super) fn work(&self, server: &dyn Server) {
        let mut number = 0;
        while let Ok(KillerMessage::Kill) = self.calls.1.recv() {
            if let Err(error) = server.kill_and_restart(number) {
                self.failed.lock().get_or_insert(error);
                return;
            }
            number += 1;
            *self.returns.0.lock() = number;
            self.returns.1.notify_all();
        }
    }

    /// How often the server has come back.
    pub(super) fn returns(&self) -> u32 {
        *self.returns.0.lock()
    }

    /// Waits until the server has come back more often than this, for at most `time`; whether it has.
    pub(super) fn await_return(&self, known: u32, time: Duration) -> bool {
        let (count, signal) = &self.returns;
        let mut count = count.lock();
        !signal.wait_while_for(&mut count, |count| *count == known, time).timed_out()
    }

    /// Why the server did not come back, if it did not.
    pub(super) fn failed(&self) -> Option<Error> {
        self.failed.lock().take()
    }
}
