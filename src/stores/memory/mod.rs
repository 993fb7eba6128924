//! Stock in this process's memory: the fastest shop there is, on the primitives its strategies are
//! named after: an atomic [`Word`] for the stock, a [`parking_lot::Mutex`] for the lock, a
//! [`crossbeam::channel`] for the clerk's queue.

mod client;
mod word;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};
use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

pub use client::MemoryClient;
pub use word::{Plain, Versioned, Word};

use super::{Books, LiveStore};
use crate::op::{Item, OpKind, Order, Request, Units};

/// Whether it offers a kind of op.
#[must_use]
pub fn offers(kind: OpKind) -> bool {
    match kind {
        OpKind::Read
        | OpKind::ReadVersioned
        | OpKind::Write
        | OpKind::CompareAndSet
        | OpKind::WriteIfVersion
        | OpKind::Take
        | OpKind::Add
        | OpKind::Lock
        | OpKind::Queue => true,
        OpKind::Hold
        | OpKind::Pay
        | OpKind::FindOrder
        | OpKind::CountLeft
        | OpKind::Lease
        | OpKind::Fence
        | OpKind::Transaction
        | OpKind::Cache
        | OpKind::Shards
        | OpKind::Notice
        | OpKind::Recover => false,
    }
}

/// How often a wait looks up to see whether the race was stopped. Seldom: with ten thousand buyers
/// in front of one lock, every look is ten thousand wake-ups.
const GLANCE: Duration = Duration::from_millis(250);

/// A request on its way to the clerk, with the line on which to answer it.
type Queued = (Request, Sender<bool>);

/// One product. Who looks at the stock does not disturb who waits for the lock.
#[derive(Debug)]
struct Shelf<W> {
    word: CachePadded<W>,
    lock: CachePadded<Mutex<()>>,
}

/// The in-process store: some products, one clerk's queue.
#[derive(Debug)]
pub struct Memory<'w, W> {
    /// The first product has its place here, where it is found without a detour.
    first: Shelf<W>,
    others: Box<[Shelf<W>]>,
    /// What each client that has left had written.
    orders: Mutex<Vec<Vec<Order>>>,
    /// `None` on the queue wakes the clerk to look whether the shop has closed.
    queue: (Sender<Option<Queued>>, Receiver<Option<Queued>>),
    closed: AtomicBool,
    deepest_queue: AtomicU64,
    patience: Duration,
    stop: &'w AtomicBool,
}

impl<'w, W: Word> Memory<'w, W> {
    /// Opens a shop with so many products (at least one) of `stock` units each, for at most `clients` threads at once.
    /// Nobody waits for a lock or an answer longer than `patience`, nor much longer than until
    /// `stop` is set.
    #[must_use]
    pub fn open(
        items: u8,
        stock: Units,
        clients: usize,
        patience: Duration,
        stop: &'w AtomicBool,
    ) -> Self {
        let shelf =
            || Shelf { word: CachePadded::new(W::new(stock)), lock: CachePadded::default() };
        Self {
            first: shelf(),
            others: (1..items).map(|_| shelf()).collect(),
            orders: Mutex::default(),
            // Who finds it full waits to get in: those whose patience ran out leave requests behind.
            queue: bounded(clients + 1),
            closed: AtomicBool::new(false),
            deepest_queue: AtomicU64::new(0),
            patience,
            stop,
        }
    }

    #[inline(always)]
    fn shelf(&self, item: Item) -> Option<&Shelf<W>> {
        match item {
            Item(0) => Some(&self.first),
            Item(number) => self.others.get(usize::from(number) - 1),
        }
    }

    /// Whether there is no clerk any more, or nobody left to serve.
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits in glances: calls `wait` with a short bound until it yields, patience runs out, or the
    /// race is stopped.
    fn patiently<T>(&self, mut wait: impl FnMut(Duration) -> Option<T>) -> Option<T> {
        let mut left = self.patience;
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

impl<W: Word> LiveStore for Memory<'_, W> {
    type Client<'a>
        = MemoryClient<'a, W>
    where
        Self: 'a;

    const NAME: &'static str = "memory";

    fn connect(&self) -> MemoryClient<'_, W> {
        MemoryClient::new(self)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // If the queue is full the clerk is awake, and will look by itself.
        let _ = self.queue.0.try_send(None);
    }

    fn books(self) -> Books {
        Books {
            shelves: std::iter::once(&self.first)
                .chain(&self.others)
                .map(|shelf| shelf.word.stock())
                .collect(),
            orders: self.orders.into_inner().concat(),
            deepest_queue: self.deepest_queue.into_inner(),
            ..Books::default()
        }
    }
}
