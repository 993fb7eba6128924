//! Stock in this process's memory: the fastest shop there is, on the primitives its strategies are
//! named after: an atomic [`Word`] for the stock, a [`parking_lot::Mutex`] for the lock, a
//! [`crossbeam::channel`] for the worker's queue.

mod client;
mod word;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam::utils::CachePadded;
use parking_lot::Mutex;

pub use client::MemoryClient;
pub use word::{Plain, Versioned, Word};

use super::LiveStore;
use super::patience::Patience;
use super::queue::Queue;
use crate::base::error::Error;
use crate::domain::books::Books;
use crate::domain::op::{Item, Order, Units};

/// One product. Stock and lock have separate cache lines, so that a read of the stock does not slow down a wait for the
/// lock.
#[derive(Debug)]
struct MemoryShelf<W> {
    word: CachePadded<W>,
    lock: CachePadded<Mutex<()>>,
}

/// The in-process store: some products, one worker's queue.
#[derive(Debug)]
pub struct Memory<'w, W> {
    /// The first product is stored inline, so that it is found without an indirection.
    first: MemoryShelf<W>,
    others: Box<[MemoryShelf<W>]>,
    /// The orders of each client that was dropped.
    orders: Mutex<Vec<Vec<Order>>>,
    queue: Queue<'w>,
    patience: Patience<'w>,
}

impl<'w, W: Word> Memory<'w, W> {
    /// Opens a shop with `items` products (at least one) of `stock` units each, for at most `clients` threads at once.
    /// No client waits for a lock or an answer longer than `patience`, nor much longer than until `stop` is set.
    #[must_use]
    pub fn open(
        items: u8,
        stock: Units,
        clients: usize,
        patience: Duration,
        stop: &'w AtomicBool,
    ) -> Self {
        let patience = Patience { most: patience, stop };
        let shelf =
            || MemoryShelf { word: CachePadded::new(W::new(stock)), lock: CachePadded::default() };
        Self {
            first: shelf(),
            others: (1..items).map(|_| shelf()).collect(),
            orders: Mutex::default(),
            queue: Queue::open(clients, patience),
            patience,
        }
    }

    #[inline(always)]
    fn shelf(&self, item: Item) -> Option<&MemoryShelf<W>> {
        match item {
            Item(0) => Some(&self.first),
            Item(number) => self.others.get(usize::from(number) - 1),
        }
    }
}

impl<W: Word> LiveStore for Memory<'_, W> {
    type Client<'a>
        = MemoryClient<'a, W>
    where
        Self: 'a;

    fn connect(&self) -> MemoryClient<'_, W> {
        MemoryClient::new(self)
    }

    fn close(&self) {
        self.queue.close();
    }

    fn books(self) -> Result<Books, Error> {
        Ok(Books {
            shelves: std::iter::once(&self.first)
                .chain(&self.others)
                .map(|shelf| shelf.word.stock())
                .collect(),
            deepest_queue: self.queue.deepest(),
            orders: self.orders.into_inner().concat(),
            ..Books::default()
        })
    }
}
