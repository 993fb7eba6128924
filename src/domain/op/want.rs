//! What buyers come for: a product, or a cart of several, and the order that is written for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BuyerId, Units};

/// The most products a shop has.
pub const MOST_ITEMS: u64 = 16;

/// The most products in one cart.
pub const MOST_IN_CART: usize = 4;

/// Which product an op is about, counted from 0; a shop has 16 at most.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Item(pub u8);

impl fmt::Display for Item {
    /// `#1`, `#2` …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", u32::from(self.0) + 1)
    }
}

/// What one buyer came for: a product, or a cart of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
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
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Also(u32);

const _: () = assert!(MOST_IN_CART - 1 <= size_of::<Also>());

impl Want {
    /// A single product.
    #[must_use]
    pub const fn one(item: Item, qty: Units) -> Self {
        Self { item, qty, also: Also(0) }
    }

    /// A cart of these products, `qty` units of each; none if it is empty or too full, names a product
    /// twice, or one that no shop has.
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

/// A row in the store's order book: the shop's own record that it owes a buyer units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Order {
    /// The buyer who is owed the units.
    pub buyer: BuyerId,
    /// What it owes.
    pub want: Want,
}
