//! The settings: one table of them, and what makes them fit together.

mod said;
mod setters;
mod setting;
mod table;
mod value;

pub use setting::{Flag, Part, Setting, World};
pub use table::{
    DEFAULT_THINK, LONGEST_PATIENCE, LONGEST_THINK, LONGEST_TTL, MOST_BUYERS, MOST_CONNECTIONS,
    MOST_KILLS, MOST_ROUNDS, MOST_SEED, Settings,
};

pub(crate) use setters::{between, setter, units};
pub(crate) use table::setters;

use super::card::About;
use super::isolation::Isolation;
use super::op::{BuyerId, Item, OpKind, Units, Want};
use super::retry::RetryPolicy;
use super::store_kind::StoreKind;
use crate::base::chance::{Dice, StreamPurpose};
use crate::base::error::Error;
use crate::base::text::quantity::count;

/// The most units that are rows.
pub const MOST_UNIT_ROWS: Units = 100_000;

/// A setting whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {why}")]
#[doc(hidden)]
pub struct Wrong {
    /// Which setting.
    pub name: &'static str,
    /// What is wrong with it, and what would not be: the rest of the sentence.
    pub why: String,
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        Self::input(wrong.to_string())
    }
}

impl Settings {
    /// Sets one of [`NAMES`](Self::NAMES) from its text.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        match Setting::named(name) {
            Some(setting) => (setting.set)(self, text),
            None => Err(format!("there is no setting `{name}`")),
        }
    }

    /// How often, how soon and for how long a buyer tries again.
    #[must_use]
    pub fn policy(&self) -> RetryPolicy {
        RetryPolicy { retries: self.retries, backoff: self.backoff, patience: self.patience }
    }

    /// The isolation level in effect: SQLite's transactions are serializable, whatever is asked for.
    #[must_use]
    pub fn kept_apart(&self) -> Isolation {
        match self.store {
            StoreKind::Sqlite => Isolation::Serializable,
            _ => self.isolation,
        }
    }

    /// How many visits there are in all rounds.
    #[must_use]
    pub fn visits(&self) -> u64 {
        u64::from(self.buyers) * u64::from(self.rounds)
    }

    /// What one buyer wants in one round. The first products of the carts rotate from buyer to buyer, and
    /// each cart goes on with the products that follow: of two buyers who want the same two products, one
    /// begins with the first and one with the second.
    #[must_use]
    pub fn want(&self, round: u32, buyer: BuyerId) -> Want {
        self.want_by(self.seed, round, buyer)
    }

    /// The same with another seed than the settings' own.
    #[must_use]
    pub fn want_by(&self, seed: u64, round: u32, buyer: BuyerId) -> Want {
        let mut dice = Dice::of(seed, StreamPurpose::Want, round, buyer);
        let qty = self.qty.roll(&mut dice);
        let items = u32::from(self.items.max(1));
        let first = buyer % items;
        let cart = (0..u32::from(self.cart)).map(|next| Item(((first + next) % items) as u8));
        Want::cart(cart, qty).unwrap_or(Want::one(Item(0), qty))
    }

    /// Whether the store offers a kind of op in this layout. Where each unit is a row, stock can only be read and
    /// taken.
    #[must_use]
    pub fn offers(&self, kind: OpKind) -> bool {
        use OpKind::{FindOrder, Pay, Queue, Read, Recover, Take, Transaction};
        let is_about_units =
            matches!(kind, FindOrder | Pay | Queue | Read | Recover | Take | Transaction);
        self.store.offers(kind) && (is_about_units || !self.unit_rows)
    }

    /// How many threads will run.
    #[must_use]
    pub fn threads(&self) -> u32 {
        self.threads.map_or(self.buyers, |threads| threads.min(self.buyers))
    }

    /// Checks each setting's bounds, and that the settings fit together.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self) -> Result<(), Wrong> {
        for setting in Self::TABLE {
            (setting.check)(self).map_err(|why| Wrong { name: setting.name, why })?;
        }
        for (name, is_on) in
            [("advisory-locks", self.advisory_locks), ("unit-rows", self.unit_rows)]
        {
            if is_on && !matches!(self.store, StoreKind::Postgres | StoreKind::Mysql) {
                let why =
                    format!("is on, but only postgres and mysql have such, not {}", self.store);
                return Err(Wrong { name, why });
            }
        }
        if self.unit_rows && self.stock > MOST_UNIT_ROWS {
            let why = format!(
                "is {}; of `unit-rows` there are {MOST_UNIT_ROWS} at most",
                count(self.stock)
            );
            return Err(Wrong { name: "stock", why });
        }
        if self.kill > 0 && !self.store.is_served() {
            let why = format!(
                "is {}, but the store `{}` has no server that could be killed: choose another store",
                self.kill, self.store
            );
            return Err(Wrong { name: "kill", why });
        }
        if self.cart > self.items {
            let why = format!(
                "is {}, but `items` is only {}: raise `items` or lower `cart`",
                self.cart, self.items
            );
            return Err(Wrong { name: "cart", why });
        }
        let wrong_qty = |why| Err(Wrong { name: "qty", why });
        if self.qty.least > self.qty.most {
            return wrong_qty(format!("is {}: the range is upside down", self.qty));
        }
        if self.qty.most > self.stock {
            return wrong_qty(format!(
                "is {}, but `stock` is only {}: raise `stock` or lower `qty`",
                self.qty,
                count(self.stock)
            ));
        }
        // A checkout that takes before it looks may take the units of all buyers at once.
        let wanted = i64::from(self.buyers) * i64::from(self.qty.most);
        if wanted > i64::from(Units::MAX) {
            return wrong_qty(format!(
                "is {}, and {} buyers would want more than the {} units that can be counted: lower \
                 `qty` or `buyers`",
                self.qty,
                count(self.buyers),
                count(Units::MAX)
            ));
        }
        Ok(())
    }

    /// The same, and that a strategy can sell what the buyers want.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check_for(&self, card: &About) -> Result<(), Wrong> {
        self.check()?;
        if self.cart > 1 && !card.carts {
            let why = format!(
                "is {}, but {} sells one product at a time; ordered-locks sells carts",
                self.cart, card.name
            );
            return Err(Wrong { name: "cart", why });
        }
        Ok(())
    }
}
