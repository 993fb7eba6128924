//! When one thread's buyers asked for locks, had them and released them: the first of a round, as many as there is room
//! for, so that a race of a million buyers records no more than one of a thousand.

use crate::check::report::LockUse;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Item, Reply};

/// The most that all threads of a round record together, unless there are more threads: each records at least one.
const MOST_OF_A_ROUND: u32 = 5_000;

/// What one thread has recorded.
#[derive(Debug, Default)]
pub(super) struct LockLog {
    /// Whether anything is recorded.
    is_on: bool,
    /// How many more can be recorded.
    room: u32,
    /// Locks that are held.
    open: Vec<LockUse>,
    /// When they were last known to be held.
    known_ns: u64,
    /// Locks that were released, and waits that were given up.
    over: Vec<LockUse>,
}

impl LockLog {
    /// An empty one, for one of so many threads.
    pub(super) fn of_one_of(threads: u32) -> Self {
        let room = (MOST_OF_A_ROUND / threads.max(1)).max(1);
        Self { is_on: true, room, ..Self::default() }
    }

    /// Whether another use of a lock can be recorded.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    /// Whether a lock of which it has a record is held.
    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Notes that a buyer has a lock, or gave up waiting for it.
    pub(super) fn record(&mut self, one: LockUse) {
        self.room = self.room.saturating_sub(1);
        if one.had {
            self.known_ns = one.until_ns;
            self.open.push(one);
        } else {
            self.over.push(one);
        }
    }

    /// Notes that the locks are still held: an op has succeeded.
    pub(super) fn hold_until(&mut self, now_ns: u64) {
        self.known_ns = now_ns;
    }

    /// Notes that a lock was released, which it was not before this time.
    #[cold]
    pub(super) fn release(&mut self, item: Item, now_ns: u64) {
        if let Some(place) = self.open.iter().position(|one| one.item == item) {
            let one = self.open.swap_remove(place);
            self.over.push(LockUse { released_ns: now_ns, ..one });
        }
    }

    /// Notes that all locks may have been released since they were last known to be held.
    #[cold]
    pub(super) fn lose_all(&mut self) {
        self.release_all(self.known_ns);
    }

    /// Notes that all locks were released, which they were not before this time.
    #[cold]
    pub(super) fn release_all(&mut self, now_ns: u64) {
        let open = self.open.drain(..);
        self.over.extend(open.map(|one| LockUse { released_ns: now_ns.max(one.until_ns), ..one }));
    }

    /// All that was recorded, when no lock is held any more; none if nothing was to be recorded.
    pub(super) fn into_uses(self) -> Option<Vec<LockUse>> {
        self.is_on.then_some(self.over)
    }
}

/// A buyer's request for a lock that has come to its end, one way or the other.
pub(super) fn request(
    buyer: BuyerId,
    item: Item,
    [asked_ns, until_ns]: [u64; 2],
    reply: &Result<Reply, Missed>,
) -> LockUse {
    let (had, waited) = match reply {
        Ok(Reply::Locked { waited }) => (true, *waited),
        // Of what else failed it is not known whether it waited for the lock.
        reply => (false, matches!(reply, Err(Missed::Failed(Failure::LockTimeout)))),
    };

    LockUse { buyer, item, asked_ns, until_ns, released_ns: until_ns, had, waited }
}
