//! A server with one lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use shuttle::thread;

use crate::scheduler::Waits;
use crate::shop::{Buyer, at_most};
use crate::{Condvar, Mutex};

/// How many steps others may make while the server says who waits, and before it answers: enough for a buyer to be
/// answered and to come to rest.
const MOST_STEPS: usize = 40;

/// The server. A buyer's session has the buyer's number, counted from 1.
#[derive(Debug)]
pub(crate) struct Server {
    lock: Mutex<Lock>,
    unlocked: Condvar,
    /// Whether it tells buyers that they wait.
    tells: bool,
    /// Whether it has told a buyer last that it waits. With two buyers, only one of them ever waits.
    has_told: AtomicBool,
}

/// Who has the lock, and who waits for it, in order.
#[derive(Debug, Default)]
struct Lock {
    holder: Option<usize>,
    queue: VecDeque<usize>,
}

impl Lock {
    /// Gives the lock to the first in the queue, if it is free.
    fn grant(&mut self) {
        if self.holder.is_none() {
            self.holder = self.queue.pop_front();
        }
    }
}

fn others_step() {
    (0..at_most(MOST_STEPS)).for_each(|_| thread::yield_now());
}

fn session(place: usize) -> i64 {
    place as i64 + 1
}

impl Server {
    pub(crate) fn start(tells: bool) -> Self {
        Self {
            lock: Mutex::new(Lock::default()),
            unlocked: Condvar::new(),
            tells,
            has_told: AtomicBool::new(false),
        }
    }

    pub(crate) fn connect(&self, buyer: &Buyer) {
        buyer.handle.register(session(buyer.place));
        if self.tells {
            buyer.handle.expect_to_be_told();
        }
    }

    /// Waits until the buyer has the lock.
    pub(crate) fn lock(&self, buyer: &Buyer) {
        if !self.request(buyer.place) {
            self.tell(buyer, true);
            self.await_grant(buyer.place);
            others_step();
            self.tell(buyer, false);
        }
    }

    /// Asks for the lock. False if another has it.
    pub(crate) fn request(&self, place: usize) -> bool {
        let mut lock = self.lock.lock();
        lock.queue.push_back(place);
        lock.grant();
        lock.holder == Some(place)
    }

    /// Waits until the buyer has the lock for which it has asked.
    pub(crate) fn await_grant(&self, place: usize) {
        let mut lock = self.lock.lock();
        while lock.holder != Some(place) {
            self.unlocked.wait(&mut lock);
        }
    }

    fn tell(&self, buyer: &Buyer, waits: bool) {
        if self.tells {
            // The server looks for a deadlock first.
            thread::yield_now();
            self.has_told.store(waits, SeqCst);
            buyer.handle.be_told(waits);
        }
    }

    pub(crate) fn unlock(&self) {
        let mut lock = self.lock.lock();
        lock.holder = None;
        lock.grant();
        drop(lock);
        self.unlocked.notify_all();
    }

    /// The buyers that wait.
    pub(crate) fn waiting(&self) -> Vec<usize> {
        self.lock.lock().queue.iter().copied().collect()
    }

    /// Whether the buyer that waits was told so, if the server tells that.
    pub(crate) fn has_told(&self) -> bool {
        !self.tells || self.has_told.load(SeqCst)
    }

    /// Which session waits for which, as the gate asks for it. It may have changed before the gate hears it.
    pub(crate) fn who_waits(&self) -> Waits {
        let lock = self.lock.lock();
        let holder = lock.holder.map_or(0, session);
        let waits = lock.queue.iter().map(|place| (session(*place), holder)).collect();
        drop(lock);
        others_step();
        waits
    }
}
