//! What one connection holds of the store, and gives back when it closes.

use super::standing::Standing;
use super::transaction::ModelTransaction;
use crate::domain::op::{Item, MOST_ITEMS};

/// What one connection holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldResources {
    /// Locks that outlive any transaction: one bit for each product.
    locks: u16,
    /// Whether it has a place in the queue.
    pub place: bool,
    /// The transaction under way. It is boxed, because most connections have none.
    transaction: Option<Box<ModelTransaction>>,
}

const _: () = assert!(MOST_ITEMS <= u16::BITS as u64, "a bit a product");

/// The bit of a product.
pub(super) fn bit(item: Item) -> u16 {
    1_u16.checked_shl(item.0.into()).unwrap_or(0)
}

impl HeldResources {
    /// Whether it holds a product's lock.
    #[must_use]
    pub fn holds(&self, item: Item) -> bool {
        self.locks & bit(item) != 0
    }

    /// Whether its transaction holds a product's row, in a store that has had `cuts` power cuts.
    pub(super) fn holds_row_since(&self, item: Item, cuts: u8) -> bool {
        !self.began_before(cuts)
            && self.transaction.as_ref().is_some_and(|transaction| transaction.holds_row(item))
    }

    /// Whether its transaction began before the last of `cuts` power cuts, and so is over.
    pub(super) fn began_before(&self, cuts: u8) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.cuts != cuts)
    }

    /// Whether it holds any lock: of a row, or outside transactions.
    #[must_use]
    pub fn holds_any(&self) -> bool {
        self.locks != 0 || self.transaction.as_ref().is_some_and(|held| held.holds_any_row())
    }

    /// Releases the claim of its transaction on its buyer's orders, so that no other session waits for it any more.
    pub fn let_go(&self, standing: &mut Standing) {
        standing.claimed &= !self.transaction.as_ref().is_some_and(|held| held.has_claimed());
    }

    /// Whether a transaction is under way.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    pub(super) fn lock(&mut self, item: Item) {
        self.locks |= bit(item);
    }

    pub(super) fn unlock(&mut self, item: Item) {
        self.locks &= !bit(item);
    }

    /// Begins a transaction; false if one is under way.
    pub(super) fn begin(&mut self, fresh: impl FnOnce() -> ModelTransaction) -> bool {
        let begins = self.transaction.is_none();
        if begins {
            self.transaction = Some(Box::new(fresh()));
        }
        begins
    }

    pub(super) fn transaction(&mut self) -> Option<&mut ModelTransaction> {
        self.transaction.as_deref_mut()
    }

    pub(super) fn end_transaction(&mut self) -> Option<Box<ModelTransaction>> {
        self.transaction.take()
    }
}
