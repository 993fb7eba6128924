//! The footprint of a statement: what it reads and writes. Two statements are independent, so that they can be swapped,
//! if their footprints do not conflict.

use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// A set of the resources in a shop.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Resources(u128);

impl Resources {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Shelves, and units that are rows.
    pub const SHELVES: Self = Self(1);
    /// The order book.
    pub const ORDERS: Self = Self(2);
    /// Holds.
    pub const HOLDS: Self = Self(4);
    /// Locks that belong to no row, and leases.
    pub const LOCKS: Self = Self(8);
    /// Everything.
    pub const ALL: Self = Self(u128::MAX);

    /// One of several tables that are not ours, counted from 0; beyond the 127th it is everything.
    #[must_use]
    pub fn table(number: usize) -> Self {
        u32::try_from(number)
            .ok()
            .filter(|number| *number < 127)
            .map_or(Self::ALL, |n| Self(1 << n))
    }

    fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The numbers of the tables; none if it is everything.
    pub fn tables(self) -> impl Iterator<Item = usize> {
        let some = if self == Self::ALL { 0 } else { self.0 };
        (0..127).filter(move |number| some >> number & 1 == 1)
    }
}

impl BitOr for Resources {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a statement reads, writes, and adds to without reading.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Footprint {
    /// What the statement depends on.
    pub reads: Resources,
    /// What it changes: other statements that read it or write it depend on that.
    pub writes: Resources,
    /// What it adds to: other statements that read it or write it depend on that, but not those that only add, too.
    pub adds: Resources,
}

impl Footprint {
    /// Nothing: it is independent of every other statement.
    pub const NOTHING: Self =
        Self { reads: Resources::NONE, writes: Resources::NONE, adds: Resources::NONE };

    /// Reads these.
    #[must_use]
    pub const fn reading(parts: Resources) -> Self {
        Self { reads: parts, ..Self::NOTHING }
    }

    /// Reads and writes these.
    #[must_use]
    pub const fn writing(parts: Resources) -> Self {
        Self { reads: parts, writes: parts, ..Self::NOTHING }
    }

    /// Adds to these.
    #[must_use]
    pub const fn adding(parts: Resources) -> Self {
        Self { adds: parts, ..Self::NOTHING }
    }

    /// Whether two statements are dependent, so that their order may matter.
    #[must_use]
    pub fn conflicts_with(self, other: Self) -> bool {
        let disturbs = |one: Self, other: Self| {
            one.writes.overlaps(other.reads | other.writes | other.adds)
                || one.adds.overlaps(other.reads)
        };
        disturbs(self, other) || disturbs(other, self)
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn changes(self) -> bool {
        self.writes != Resources::NONE || self.adds != Resources::NONE
    }
}

impl BitOr for Footprint {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            reads: self.reads | other.reads,
            writes: self.writes | other.writes,
            adds: self.adds | other.adds,
        }
    }
}
