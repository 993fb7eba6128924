//! The pool: a fixed number of connections, handed out in turn.

use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::killer::Killer;
use super::{Link, Server, StoreConfig};
use crate::base::error::Error;

/// How soon a connection that could not be opened is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// How seldom, if it is still not to be opened. Also how late a race may notice that it was stopped.
const SELDOM: Duration = Duration::from_millis(320);

/// A place in the pool: a connection, or none where one broke and has to be opened again.
type PoolSlot = Option<Box<dyn Link>>;

/// The places that no client uses now.
pub(super) struct Pool {
    free: (Sender<PoolSlot>, Receiver<PoolSlot>),
}

impl Pool {
    /// Opens all connections.
    pub(super) fn fill(server: &dyn Server, connections: u32) -> Result<Self, Error> {
        let free = bounded(connections as usize);
        for _ in 0..connections {
            // Cannot fail: there is room for each.
            let _ = free.0.try_send(Some(server.connect()?));
        }
        Ok(Self { free })
    }

    /// A free place, if there is one at once.
    pub(super) fn try_take(&self) -> Option<PoolSlot> {
        self.free.1.try_recv().ok()
    }

    /// A free place, within this time.
    pub(super) fn take_within(&self, time: Duration) -> Option<PoolSlot> {
        self.free.1.recv_timeout(time).ok()
    }

    /// Resets the sessions of all connections that no client uses to their state after opening; returns how many
    /// session-level locks they still held.
    pub(super) fn begin_anew(&self) -> u64 {
        let free: Vec<PoolSlot> = self.free.1.try_iter().collect();
        let mut kept = 0;
        for mut place in free {
            if let Some(link) = place.as_mut().filter(|link| link.may_leave_traces()) {
                kept += link.begin_anew();
            }
            self.give(place);
        }
        kept
    }

    /// Gives a place back.
    pub(super) fn give(&self, link: PoolSlot) {
        let kept = link.filter(|link| !link.is_broken());
        // Cannot fail: it was taken from there.
        let _ = self.free.0.try_send(kept);
    }
}

/// Opens a connection, again and again until patience runs out or the race is stopped: a server that was
/// killed may come back. Every try costs the server a process or a thread, so they become rarer; the killer says when
/// the server is back.
pub(super) fn reconnect(server: &dyn Server, terms: &StoreConfig, killer: &Killer) -> PoolSlot {
    let mut left = terms.settings.patience;
    let mut pause = AGAIN;
    loop {
        let returns = killer.returns();
        match server.connect() {
            Ok(link) => return Some(link),
            Err(error) if left.is_zero() || terms.control.is_stopped() => {
                terms.note(|| error.to_string());
                return None;
            }
            Err(_) => {}
        }
        if !killer.await_return(returns, pause.min(left)) {
            left = left.saturating_sub(pause);
            pause = (pause * 2).min(SELDOM);
        }
    }
}
