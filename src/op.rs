//! Ops: the round trips a checkout can make to a store, as plain data.
//!
//! A strategy never touches stock; it sends an [`Op`] and awaits the [`Reply`]. Each op is atomic on
//! its own. What lies *between* two ops is where somebody else gets in.

use std::fmt;

use serde::Serialize;

/// Units of stock. Signed, because a broken checkout can sell below zero and the audit must see it.
pub type Units = i32;

/// The most units in stock: a broken checkout can then oversell twice over before anything wraps.
pub const MOST_STOCK: u64 = 1_000_000_000;

/// The number of one buyer, counted from 0.
pub type BuyerId = u32;

/// How often a shelf was written through [`Op::WriteIfVersion`]. Wraps after 2³² writes.
pub type Version = u32;

/// The most products a shop has.
pub const MOST_ITEMS: u64 = 16;

/// The most products in one cart.
pub const MOST_IN_CART: usize = 4;

/// Which product an op is about, counted from 0 and up to [`MOST_ITEMS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Item(pub u8);

impl fmt::Display for Item {
    /// `#1`, `#2` …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", u32::from(self.0) + 1)
    }
}

/// What one buyer came for: a product, or a cart of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Want {
    /// The product; of a cart, the one that was put into it first.
    pub item: Item,
    /// How many units of each: all of them or none. At least 1.
    pub qty: Units,
    /// What else is in the cart.
    pub also: Also,
}

/// What is in a cart beside its first product, in the order in which it was put there: a byte a
/// product, counted from 1. A single word, which compilers keep in a register where an array would go
/// through memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Also(u32);

const _: () = assert!(MOST_IN_CART - 1 <= size_of::<Also>());

impl Want {
    /// A single product.
    #[must_use]
    pub const fn one(item: Item, qty: Units) -> Self {
        Self { item, qty, also: Also(0) }
    }

    /// A cart of these products, `qty` units of each; none if it is empty or too full, names a product
    /// twice, or one beyond [`MOST_ITEMS`].
    #[must_use]
    pub fn cart(items: impl IntoIterator<Item = Item>, qty: Units) -> Option<Self> {
        let mut items = items.into_iter();
        let mut want = Self::one(items.next()?, qty);
        for (place, item) in items.by_ref().take(MOST_IN_CART - 1).enumerate() {
            if u64::from(item.0) >= MOST_ITEMS || want.units_of(item) == qty {
                return None;
            }
            want.also.0 |= (u32::from(item.0) + 1) << (8 * place);
        }
        items.next().is_none().then_some(want)
    }

    /// Whether it is several products.
    #[inline(always)]
    #[must_use]
    pub fn is_cart(self) -> bool {
        self.also != Also(0)
    }

    /// The products, in the order in which they were put into the cart.
    pub fn items(self) -> impl Iterator<Item = Item> + Clone {
        let also = self.also.0.to_le_bytes().into_iter().take_while(|number| *number > 0);
        std::iter::once(self.item).chain(also.map(|number| Item(number - 1)))
    }

    /// How many units that is in all.
    #[must_use]
    pub fn units(self) -> i64 {
        i64::from(self.qty) * self.items().count() as i64
    }

    /// How many units of one product.
    #[must_use]
    pub fn units_of(self, item: Item) -> Units {
        if self.items().any(|wanted| wanted == item) { self.qty } else { 0 }
    }
}

/// A row in the store's order book: the shop's own record that it owes somebody units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// Who is owed.
    pub buyer: BuyerId,
    /// What.
    pub want: Want,
}

/// One atomic round trip to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Look at the stock → [`Reply::Stock`].
    Read {
        /// The product.
        item: Item,
    },
    /// Look at stock and version together → [`Reply::Versioned`].
    ReadVersioned {
        /// The product.
        item: Item,
    },
    /// Overwrite the stock, whatever it is → [`Reply::Done`].
    Write {
        /// The product.
        item: Item,
        /// The new stock.
        stock: Units,
    },
    /// Overwrite the stock if it still is what was expected → [`Reply::Applied`].
    CompareAndSet {
        /// The product.
        item: Item,
        /// The stock seen before.
        expected: Units,
        /// The new stock.
        new: Units,
    },
    /// Overwrite the stock and raise its version, if the version is still the one given →
    /// [`Reply::Applied`]. The only op that moves the version.
    WriteIfVersion {
        /// The product.
        item: Item,
        /// The version seen before.
        version: Version,
        /// The new stock.
        stock: Units,
    },
    /// Decrement if enough is left → [`Reply::Applied`].
    Take {
        /// The product.
        item: Item,
        /// Units to take.
        qty: Units,
    },
    /// Add units, or with a negative number take them without looking → [`Reply::Stock`] with what
    /// is left afterwards, which may be below zero.
    Add {
        /// The product.
        item: Item,
        /// Units to add.
        qty: Units,
    },
    /// Wait for the product's lock and take it → [`Reply::Locked`].
    Lock {
        /// The product.
        item: Item,
    },
    /// Give the product's lock back → [`Reply::Done`].
    Unlock {
        /// The product.
        item: Item,
    },
    /// Write a row into the order book → [`Reply::Done`].
    PlaceOrder(Order),
    /// Join the queue in front of the clerk → [`Reply::Done`].
    Submit(Request),
    /// Wait for the clerk's answer to what was submitted → [`Reply::Applied`].
    AwaitAnswer,
    /// For a clerk: wait for the next in the queue → [`Reply::Next`].
    NextRequest,
    /// For a clerk: tell the buyer being served whether it was sold to, or hang up on it →
    /// [`Reply::Done`].
    Answer {
        /// Whether the units were sold; none if the clerk cannot say.
        sold: Option<bool>,
    },
}

/// The kinds of op, for saying what a strategy needs and what a store offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpKind {
    /// [`Op::Read`]
    Read,
    /// [`Op::ReadVersioned`]
    ReadVersioned,
    /// [`Op::Write`]
    Write,
    /// [`Op::CompareAndSet`]
    CompareAndSet,
    /// [`Op::WriteIfVersion`]
    WriteIfVersion,
    /// [`Op::Take`]
    Take,
    /// [`Op::Add`]
    Add,
    /// [`Op::Lock`] and [`Op::Unlock`]
    Lock,
    /// [`Op::Submit`], [`Op::AwaitAnswer`], [`Op::NextRequest`] and [`Op::Answer`]
    Queue,
}

impl OpKind {
    /// Whether it needs a store that keeps a version beside the stock.
    #[must_use]
    pub fn is_versioned(self) -> bool {
        matches!(self, Self::ReadVersioned | Self::WriteIfVersion)
    }

    /// The name as it stands in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadVersioned => "read-versioned",
            Self::Write => "write",
            Self::CompareAndSet => "compare-and-set",
            Self::WriteIfVersion => "write-if-version",
            Self::Take => "take",
            Self::Add => "add",
            Self::Lock => "lock",
            Self::Queue => "queue",
        }
    }
}

/// One buyer's place in the clerk's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Who asks.
    pub buyer: BuyerId,
    /// For what.
    pub want: Want,
}

/// What a store answers to an [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    /// Done; there is nothing to say.
    Done,
    /// The stock.
    Stock(Units),
    /// The stock and its version, of one moment.
    Versioned {
        /// The stock.
        stock: Units,
        /// Its version.
        version: Version,
    },
    /// Whether a conditional op took effect.
    Applied(bool),
    /// The lock is held now.
    Locked {
        /// Whether somebody else had it first.
        waited: bool,
    },
    /// The next in the queue; none when the shop has closed.
    Next(Option<Request>),
}
