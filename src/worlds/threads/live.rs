//! A connection to a live store, as a buyer on a thread of its own sees it.
//!
//! Every op is done when its call returns, so the future is always ready and an attempt compiles to
//! straight code. That needs [`Live::call`] to be a plain inlined function returning a ready future:
//! written as an `async fn`, an attempt cost 12 ns more.
//!
//! Replies are matched and not compared with `==`: that is a call, for which the reply goes through memory, and cost 29
//! of 209 instructions of a `cas` checkout.

use std::future::{Ready, ready};
use std::time::Duration;

use super::Control;
use super::lock_log::{LockLog, request};
use crate::base::clock::{Clock, nanos};
use crate::check::round::Counters;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Item, MOST_ITEMS, Op, Reply};
use crate::domain::session::Connection;
use crate::stores::Client;

/// A live store's client with the buyer's think time in front of it and a tally behind.
#[derive(Debug)]
pub struct Live<'w, C, K> {
    client: C,
    clock: K,
    think_ns: u64,
    control: &'w Control,
    tally: Counters,
    waited_ns: u64,
    /// Whether units were on hold or ordered for the buyer, and may have gone back.
    held: bool,
    /// When each product's lock was taken.
    locked_ns: [u64; MOST_ITEMS as usize],
    /// The buyer for whom every op is made.
    buyer: BuyerId,
    locks: LockLog,
}

impl<'w, C: Client, K: Clock> Live<'w, C, K> {
    /// Puts a client to use.
    pub fn new(client: C, clock: K, think: Duration, control: &'w Control) -> Self {
        Self {
            client,
            clock,
            think_ns: nanos(think),
            control,
            tally: Counters::default(),
            waited_ns: 0,
            held: false,
            locked_ns: [0; MOST_ITEMS as usize],
            buyer: 0,
            locks: LockLog::default(),
        }
    }

    /// Records from now on when locks are asked for, held and released, as one of so many threads.
    pub(super) fn record_locks(&mut self, threads: u32) {
        self.locks = LockLog::of_one_of(threads);
    }

    /// The time on the race's clock.
    #[inline(always)]
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Whether the race should end now.
    pub fn is_stopped(&self) -> bool {
        self.control.is_stopped()
    }

    /// Waits between two attempts; false if the race was stopped.
    #[inline(never)]
    pub fn back_off(&mut self, wait: Duration) -> bool {
        let began = self.clock.now();
        let goes_on = self.control.pause(wait);
        self.waited_ns += self.clock.now() - began;
        goes_on
    }

    /// Drops whatever the attempt still holds. If no failure cut the attempt short, the attempt has leaked its locks.
    #[inline(always)]
    pub fn close_attempt(&mut self, was_cut_short: bool) {
        if K::RUNS && self.locks.is_open() {
            match C::IS_POOLED {
                true => self.locks.lose_all(),
                false => self.locks.release_all(self.clock.now()),
            }
        }
        let held = self.client.close_attempt();
        if !was_cut_short {
            self.tally.leaked_locks += held;
        }
    }

    /// Time spent waiting since the last call.
    #[inline(always)]
    pub fn take_waited_ns(&mut self) -> u64 {
        std::mem::take(&mut self.waited_ns)
    }

    /// Whether units were on hold or ordered since the last call, and may have gone back.
    #[inline(always)]
    pub fn take_held(&mut self) -> bool {
        std::mem::take(&mut self.held)
    }

    /// Counts a connection that broke before an answer came. What had been on hold or ordered may have gone back.
    #[cold]
    pub fn count_disconnect(&mut self) {
        self.tally.disconnects += 1;
        self.held = true;
    }

    /// From now on, every op is made for this buyer.
    #[inline(always)]
    pub fn attend(&mut self, buyer: BuyerId) {
        self.buyer = buyer;
        self.client.attend(buyer);
    }

    /// Closes the connection and returns its tally.
    pub fn into_tally(self) -> Counters {
        Counters { lock_uses: self.locks.into_uses(), ..self.tally }
    }

    #[inline(never)]
    fn ponder(&mut self) -> Result<(), Missed> {
        match self.control.pause(Duration::from_nanos(self.think_ns)) {
            true => Ok(()),
            false => Err(Missed::Failed(Failure::Interrupted)),
        }
    }

    /// Takes a connection from the pool, if the op needs one.
    fn check_out(&mut self, op: Op) -> Result<(), Missed> {
        if !self.client.lacks_connection(op) {
            return Ok(());
        }
        let asked_ns = self.clock.now();
        let taken = self.client.check_out();
        if taken != Ok(false) {
            let waited_ns = self.clock.now() - asked_ns;
            self.waited_ns += waited_ns;
            self.tally.pool_waits += 1;
            self.tally.pool_wait.record(waited_ns);
        }
        taken.map(drop)
    }

    /// The same for a store outside this process, where a call costs nothing beside the round trip: so it is compiled
    /// once, and not for every op of every strategy.
    #[inline(never)]
    fn perform_afar(&mut self, op: Op) -> Result<Reply, Missed> {
        if !self.locks.is_open() {
            return self.perform(op);
        }
        let began_ns = self.clock.now();
        let reply = self.perform(op);
        match (&reply, op) {
            // The connection may be lost, or the transaction ended.
            (Err(_), _) => self.locks.lose_all(),
            (Ok(_), Op::Unlock { item }) => self.locks.release(item, began_ns),
            // With a transaction its row locks end.
            (Ok(_), Op::Commit | Op::CommitUnsynced | Op::Rollback) => {
                self.locks.release_all(began_ns);
            }
            (Ok(_), _) => self.locks.hold_until(self.clock.now()),
        }
        reply
    }

    #[inline(always)]
    fn perform(&mut self, op: Op) -> Result<Reply, Missed> {
        if C::IS_POOLED {
            self.check_out(op)?;
        }
        match op {
            Op::Lock { item } if K::RUNS && self.locks.has_room() => self.lock_recorded(item),
            Op::Lock { item } => self.lock(item),
            Op::Unlock { item } => {
                if K::RUNS && !C::IS_POOLED && self.locks.is_open() {
                    self.locks.release(item, self.clock.now());
                }
                let reply = self.client.call(op);
                if K::RUNS && reply.is_ok() {
                    self.tally.lock_hold.record(self.clock.now() - self.locked_ns[place(item)]);
                }
                reply
            }
            Op::AwaitAnswer => {
                let began = self.clock.now();
                let reply = self.client.call(op);
                self.waited_ns += self.clock.now() - began;
                reply
            }
            Op::CompareAndSet { .. } => {
                let reply = self.client.call(op);
                self.tally.cas_failures += u64::from(matches!(reply, Ok(Reply::Applied(false))));
                reply
            }
            Op::WriteIfVersion { .. } => {
                let reply = self.client.call(op);
                self.tally.version_conflicts +=
                    u64::from(matches!(reply, Ok(Reply::Applied(false))));
                reply
            }
            Op::Hold { .. } | Op::CancelOrder => {
                let reply = self.client.call(op);
                self.held |= matches!(reply, Ok(Reply::Applied(true)));
                reply
            }
            _ => self.client.call(op),
        }
    }

    /// A lock that was free counts as held from when it was asked for: the few ns it took are not worth another reading
    /// of the clock while the lock is held.
    #[inline(always)]
    fn lock(&mut self, item: Item) -> Result<Reply, Missed> {
        let asked_ns = self.clock.now();
        let reply = self.client.call(Op::Lock { item });
        let mut locked_ns = asked_ns;
        if !matches!(reply, Ok(Reply::Locked { waited: false })) {
            locked_ns = self.clock.now();
            self.waited_ns += locked_ns - asked_ns;
        }
        self.locked_ns[place(item)] = locked_ns;
        if let Ok(Reply::Locked { waited }) = reply {
            self.tally.lock_acquisitions += 1;
            if waited {
                self.tally.lock_waits += 1;
                self.tally.lock_wait.record(locked_ns - asked_ns);
            }
        }
        reply
    }

    /// The same, recorded: the clock is read while the lock is held, so that the record of a hold begins within it.
    #[cold]
    fn lock_recorded(&mut self, item: Item) -> Result<Reply, Missed> {
        let asked_ns = self.clock.now();
        let reply = self.lock(item);
        let times = [asked_ns, self.clock.now()];
        self.locks.record(request(self.buyer, item, times, &reply));
        reply
    }
}

/// The index of a product's time. For a product that is not there, any index will do.
#[inline(always)]
fn place(item: Item) -> usize {
    usize::from(item.0) % MOST_ITEMS as usize
}

#[allow(refining_impl_trait, reason = "a ready future is the point: see the head of this file")]
impl<C: Client, K: Clock> Connection for Live<'_, C, K> {
    #[inline(always)]
    fn call(&mut self, op: Op) -> Ready<Result<Reply, Missed>> {
        ready(if C::IS_POOLED { self.perform_afar(op) } else { self.perform(op) })
    }

    #[inline(always)]
    fn think(&mut self) -> Ready<Result<(), Missed>> {
        ready(if self.think_ns == 0 { Ok(()) } else { self.ponder() })
    }
}
