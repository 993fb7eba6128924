//! The word a shelf's stock is kept in.
//!
//! [`Plain`] is one atomic integer: all that compare-and-set, decrement-if-enough and a lock need.
//! [`Versioned`] packs stock and version into one 64-bit atomic, so that both can be read, compared
//! and replaced in one step. On both, every method is one atomic step.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::domain::op::{Units, Version};

/// Stock as an atomic.
pub trait Word: Send + Sync {
    /// A word holding this stock, at version 0.
    fn new(stock: Units) -> Self;

    /// The stock.
    fn stock(&self) -> Units;

    /// Overwrites the stock. The version stays.
    fn set(&self, stock: Units);

    /// Overwrites the stock if it is `expected`. The version stays.
    fn compare_and_set(&self, expected: Units, new: Units) -> bool;

    /// Takes `qty` if at least that much is there. The version stays.
    fn take(&self, qty: Units) -> bool;

    /// Adds `qty`; returns what is there afterwards. The version stays.
    fn add(&self, qty: Units) -> Units;

    /// Stock and version, read in one step, if this word has a version.
    fn versioned(&self) -> Option<(Units, Version)>;

    /// Overwrites the stock and raises the version, if the version is still this one; returns whether it did, if this
    /// word has a version. `guess` is the stock that is likely there: a right guess saves a read, a wrong one does no
    /// harm.
    fn set_if_version(&self, version: Version, guess: Units, new: Units) -> Option<bool>;
}

/// Stock alone.
#[derive(Debug)]
pub struct Plain(AtomicI32);

impl Word for Plain {
    fn new(stock: Units) -> Self {
        Self(AtomicI32::new(stock))
    }

    #[inline(always)]
    fn stock(&self) -> Units {
        self.0.load(Ordering::Acquire)
    }

    #[inline(always)]
    fn set(&self, stock: Units) {
        self.0.store(stock, Ordering::Release);
    }

    #[inline(always)]
    fn compare_and_set(&self, expected: Units, new: Units) -> bool {
        self.0.compare_exchange(expected, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    #[inline(always)]
    fn take(&self, qty: Units) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |stock| {
                (stock >= qty).then(|| stock - qty)
            })
            .is_ok()
    }

    #[inline(always)]
    fn add(&self, qty: Units) -> Units {
        self.0.fetch_add(qty, Ordering::AcqRel).wrapping_add(qty)
    }

    #[inline(always)]
    fn versioned(&self) -> Option<(Units, Version)> {
        None
    }

    #[inline(always)]
    fn set_if_version(&self, _: Version, _: Units, _: Units) -> Option<bool> {
        None
    }
}

/// Stock in the upper half, version in the lower: adding units never carries into the version.
#[derive(Debug)]
pub struct Versioned(AtomicU64);

const fn pack(stock: Units, version: Version) -> u64 {
    ((stock.cast_unsigned() as u64) << 32) | version as u64
}

const fn unpack(word: u64) -> (Units, Version) {
    (((word >> 32) as u32).cast_signed(), word as Version)
}

impl Versioned {
    /// Replaces the stock by what `decide` makes of it, leaving the version; false if `decide`
    /// declines.
    #[inline(always)]
    fn replace(&self, decide: impl Fn(Units) -> Option<Units>) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                let (stock, version) = unpack(word);
                decide(stock).map(|new| pack(new, version))
            })
            .is_ok()
    }
}

impl Word for Versioned {
    fn new(stock: Units) -> Self {
        Self(AtomicU64::new(pack(stock, 0)))
    }

    #[inline(always)]
    fn stock(&self) -> Units {
        unpack(self.0.load(Ordering::Acquire)).0
    }

    #[inline(always)]
    fn set(&self, new: Units) {
        self.replace(|_| Some(new));
    }

    #[inline(always)]
    fn compare_and_set(&self, expected: Units, new: Units) -> bool {
        self.replace(|stock| (stock == expected).then_some(new))
    }

    #[inline(always)]
    fn take(&self, qty: Units) -> bool {
        self.replace(|stock| (stock >= qty).then(|| stock - qty))
    }

    #[inline(always)]
    fn add(&self, qty: Units) -> Units {
        let change = pack(qty, 0);
        unpack(self.0.fetch_add(change, Ordering::AcqRel).wrapping_add(change)).0
    }

    #[inline(always)]
    fn versioned(&self) -> Option<(Units, Version)> {
        Some(unpack(self.0.load(Ordering::Acquire)))
    }

    #[inline(always)]
    fn set_if_version(&self, version: Version, guess: Units, new: Units) -> Option<bool> {
        let next = pack(new, version.wrapping_add(1));
        let mut expected = pack(guess, version);
        loop {
            match self.0.compare_exchange(expected, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(true),
                // The version is still this one, only the stock was not as guessed.
                Err(seen) if unpack(seen).1 == version => expected = seen,
                Err(_) => return Some(false),
            }
        }
    }
}
