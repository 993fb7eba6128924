//! The settings of a race, their bounds and their defaults.
//!
//! Each has one reader, shared by the flag and the scenario key of the same name.

mod said;

use std::time::Duration;

pub use said::SettingsRecord;

use super::buyer::Demand;
use super::card::About;
use super::faults::Faults;
use super::isolation::Isolation;
use super::op::{BuyerId, Item, MOST_IN_CART, MOST_ITEMS, MOST_STOCK, OpKind, Units, Want};
use super::retry::{Backoff, Retries, RetryPolicy};
use super::store_kind::StoreKind;
use crate::base::chance::{Dice, Purpose};
use crate::base::error::Error;
use crate::base::text::quantity::{
    count, exact_duration, parse_count, parse_duration, parse_switch,
};

/// The most buyers in one round.
pub const MOST_BUYERS: u64 = 10_000_000;
/// The most rounds.
pub const MOST_ROUNDS: u64 = 1_000_000;
/// The longest think time.
pub const LONGEST_THINK: Duration = Duration::from_secs(60);
/// The largest seed: what JSON readers that know only doubles still read exactly.
pub const MOST_SEED: u64 = 1 << 53;
/// The longest patience.
pub const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);
/// The most connections to a store.
pub const MOST_CONNECTIONS: u64 = 1_000;
/// The most units that are rows.
pub const MOST_UNIT_ROWS: Units = 100_000;
/// The most kills in a round.
pub const MOST_KILLS: u64 = 1_000;
/// The longest hold or lease.
pub const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);

/// The default think time, 200 µs: about one round trip between an application server and its
/// database in the same data centre, which is the least that a real checkout spends between looking
/// and acting. With none, on few cores, most buyers would come and go within one time slice, and a
/// broken checkout would look safe.
pub const DEFAULT_THINK: Duration = Duration::from_micros(200);

/// The settings of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many buyers come in a round.
    pub buyers: u32,
    /// How many products there are.
    pub items: u8,
    /// How many units of each there are at the gun.
    pub stock: Units,
    /// How many products are in each buyer's cart; see [`Settings::want`].
    pub cart: u8,
    /// How many units of each a buyer wants.
    pub qty: Demand,
    /// How many threads serve the buyers; none: one thread a buyer.
    pub threads: Option<u32>,
    /// How often the race is run.
    pub rounds: u32,
    /// Time spent between looking and acting.
    pub think: Duration,
    /// How often and how soon to try again, and for how long.
    pub policy: RetryPolicy,
    /// Seeds every buyer's dice.
    pub seed: u64,
    /// Where stock lives.
    pub store: StoreKind,
    /// How many connections to it there are, where it is a database.
    pub connections: u32,
    /// Whether the database itself refuses stock below zero.
    pub stock_check: bool,
    /// How long a hold stands on a real store.
    pub hold_ttl: Duration,
    /// How long a lease lasts on a real store.
    pub lease_ttl: Duration,
    /// Whether locks are the database's own, which belong to no row.
    pub advisory_locks: bool,
    /// Whether each unit of stock is a row; a checkout takes rows that no other transaction has locked.
    pub unit_rows: bool,
    /// Whether a private server may answer before what it did is on disk.
    pub relaxed: bool,
    /// How often a private server is killed in the middle of a round, and started again.
    pub kill: u32,
    /// How far transactions are kept apart, where there are any.
    pub isolation: Isolation,
    /// Which faults may happen in the model, and how often.
    pub faults: Faults,
}

impl Default for Settings {
    /// A thousand buyers, one unit.
    fn default() -> Self {
        Self {
            buyers: 1000,
            items: 1,
            stock: 1,
            cart: 1,
            qty: Demand::ONE,
            threads: None,
            rounds: 1,
            think: DEFAULT_THINK,
            policy: RetryPolicy {
                retries: Retries::Unlimited,
                backoff: Backoff::None,
                patience: Duration::from_secs(30),
            },
            seed: 0,
            store: StoreKind::Memory,
            connections: 10,
            stock_check: false,
            hold_ttl: Duration::from_secs(600),
            lease_ttl: Duration::from_secs(10),
            advisory_locks: false,
            unit_rows: false,
            relaxed: false,
            kill: 0,
            isolation: Isolation::default(),
            faults: Faults::default(),
        }
    }
}

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

fn parse_patience(text: &str) -> Result<Duration, String> {
    let patience = parse_duration(text, LONGEST_PATIENCE)?;
    if patience.is_zero() {
        return Err("a buyer without patience buys nothing; give it at least 1ns".into());
    }
    Ok(patience)
}

fn parse_ttl(text: &str) -> Result<Duration, String> {
    let ttl = parse_duration(text, LONGEST_TTL)?;
    if ttl < Duration::from_millis(1) {
        return Err("must be at least 1ms".into());
    }
    Ok(ttl)
}

impl Settings {
    /// The names of all settings, which are their flags and their scenario keys.
    pub const NAMES: [&str; 29] = [
        "buyers",
        "items",
        "stock",
        "cart",
        "qty",
        "threads",
        "rounds",
        "think",
        "retries",
        "backoff",
        "patience",
        "seed",
        "store",
        "connections",
        "stock-check",
        "hold-ttl",
        "lease-ttl",
        "advisory-locks",
        "unit-rows",
        "relaxed",
        "kill",
        "isolation",
        "crashes",
        "expiries",
        "declines",
        "lost-answers",
        "redeliveries",
        "power-cuts",
        "stale-reads",
    ];

    /// Sets one of [`NAMES`](Self::NAMES) from its text.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "buyers" => self.buyers = parse_count(text, 1, MOST_BUYERS)? as u32,
            "items" => self.items = parse_count(text, 1, MOST_ITEMS)? as u8,
            "stock" => self.stock = parse_count(text, 1, MOST_STOCK)? as Units,
            "cart" => self.cart = parse_count(text, 1, MOST_IN_CART as u64)? as u8,
            "qty" => self.qty = Demand::parse(text)?,
            "threads" => self.threads = Some(parse_count(text, 1, MOST_BUYERS)? as u32),
            "rounds" => self.rounds = parse_count(text, 1, MOST_ROUNDS)? as u32,
            "think" => self.think = parse_duration(text, LONGEST_THINK)?,
            "retries" => self.policy.retries = Retries::parse(text)?,
            "backoff" => self.policy.backoff = Backoff::parse(text)?,
            "patience" => self.policy.patience = parse_patience(text)?,
            "seed" => self.seed = parse_count(text, 0, MOST_SEED)?,
            "store" => self.store = StoreKind::parse(text)?,
            "connections" => self.connections = parse_count(text, 1, MOST_CONNECTIONS)? as u32,
            "stock-check" => self.stock_check = parse_switch(text)?,
            "hold-ttl" => self.hold_ttl = parse_ttl(text)?,
            "lease-ttl" => self.lease_ttl = parse_ttl(text)?,
            "advisory-locks" => self.advisory_locks = parse_switch(text)?,
            "unit-rows" => self.unit_rows = parse_switch(text)?,
            "relaxed" => self.relaxed = parse_switch(text)?,
            "kill" => self.kill = parse_count(text, 0, MOST_KILLS)? as u32,
            "isolation" => self.isolation = Isolation::parse(text)?,
            _ => match self.faults.of_mut(name) {
                Some(times) => *times = parse_count(text, 0, Faults::MOST.into())? as u8,
                None => return Err(format!("there is no setting `{name}`")),
            },
        }
        Ok(())
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
        let mut dice = Dice::of(seed, Purpose::Want, round, buyer);
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
        let within = |name, value: i128, most: u64| {
            if (1..=i128::from(most)).contains(&value) {
                return Ok(());
            }
            Err(Wrong {
                name,
                why: format!("is {}; it must be from 1 to {}", count(value), count(most)),
            })
        };
        within("buyers", self.buyers.into(), MOST_BUYERS)?;
        within("items", self.items.into(), MOST_ITEMS)?;
        within("stock", self.stock.into(), MOST_STOCK)?;
        within("cart", self.cart.into(), MOST_IN_CART as u64)?;
        within("rounds", self.rounds.into(), MOST_ROUNDS)?;
        within("connections", self.connections.into(), MOST_CONNECTIONS)?;
        within("threads", self.threads().into(), MOST_BUYERS)?;
        within("qty", self.qty.least.into(), MOST_STOCK)?;
        within("qty", self.qty.most.into(), MOST_STOCK)?;
        for (name, wait, longest) in [
            ("think", self.think, LONGEST_THINK),
            ("patience", self.policy.patience, LONGEST_PATIENCE),
            ("hold-ttl", self.hold_ttl, LONGEST_TTL),
            ("lease-ttl", self.lease_ttl, LONGEST_TTL),
        ] {
            if wait > longest {
                let why = format!("must be {} at most", exact_duration(longest));
                return Err(Wrong { name, why });
            }
        }
        if self.policy.patience.is_zero() {
            return Err(Wrong { name: "patience", why: "must be at least 1ns".into() });
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
                "is {}, but nobody serves the store `{}` who could be killed: choose another store",
                self.kill, self.store
            );
            return Err(Wrong { name: "kill", why });
        }
        if u64::from(self.kill) > MOST_KILLS {
            let why = format!("is {}; it must be {} at most", self.kill, count(MOST_KILLS));
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

/// What a builder over [`Settings`] offers in every world: the shop and its buyers.
macro_rules! shop_setters {
    () => {
        /// How many buyers come; in a race each on a thread of its own, unless told otherwise.
        pub fn buyers(mut self, buyers: u32) -> Self {
            self.settings.buyers = buyers;
            self
        }

        /// How many products there are; by default one.
        pub fn items(mut self, items: u8) -> Self {
            self.settings.items = items;
            self
        }

        /// How many products are in each buyer's cart; by default one. Carts begin with a product of
        /// their own, buyer by buyer in turn.
        pub fn cart(mut self, products: u8) -> Self {
            self.settings.cart = products;
            self
        }

        /// How many units of each product there are.
        pub fn stock(mut self, stock: u32) -> Self {
            self.settings.stock = $crate::domain::settings::units(stock);
            self
        }

        /// How many units of each product a buyer wants; by default one.
        pub fn qty(self, qty: u32) -> Self {
            self.qty_between(qty, qty)
        }

        /// Each buyer wants a random number of units, both ends included.
        pub fn qty_between(mut self, least: u32, most: u32) -> Self {
            let [least, most] = [least, most].map($crate::domain::settings::units);
            self.settings.qty = $crate::domain::buyer::Demand { least, most };
            self
        }

        /// How often a buyer tries again after a conflict; by default without limit.
        pub fn retries(mut self, retries: $crate::domain::retry::Retries) -> Self {
            self.settings.policy.retries = retries;
            self
        }

        /// How far transactions are kept apart; by default read committed.
        pub fn isolation(mut self, isolation: $crate::domain::isolation::Isolation) -> Self {
            self.settings.isolation = isolation;
            self
        }

        /// How often a server may die while it works for a buyer.
        pub fn crashes(mut self, times: u8) -> Self {
            self.settings.faults.crashes = times;
            self
        }

        /// How often a hold or a lease may run out while its buyer still counts on it.
        pub fn expiries(mut self, times: u8) -> Self {
            self.settings.faults.expiries = times;
            self
        }

        /// How often a payment may be declined.
        pub fn declines(mut self, times: u8) -> Self {
            self.settings.faults.declines = times;
            self
        }

        /// How often the payment provider's answer may be lost after the money has moved.
        pub fn lost_answers(mut self, times: u8) -> Self {
            self.settings.faults.lost_answers = times;
            self
        }

        /// How often a notice of the payment provider may come again.
        pub fn redeliveries(mut self, times: u8) -> Self {
            self.settings.faults.redeliveries = times;
            self
        }

        /// How often the database may lose its power.
        pub fn power_cuts(mut self, times: u8) -> Self {
            self.settings.faults.power_cuts = times;
            self
        }

        /// How often a plain read may go to a replica that does not have the last write yet.
        pub fn stale_reads(mut self, times: u8) -> Self {
            self.settings.faults.stale_reads = times;
            self
        }

        /// Seeds the buyers' dice; by default 0.
        pub fn seed(mut self, seed: u64) -> Self {
            self.settings.seed = seed;
            self
        }
    };
}
pub(crate) use shop_setters;

/// A number that does not fit becomes the largest one, which [`Settings::check`] refuses.
pub(crate) fn units(number: u32) -> Units {
    Units::try_from(number).unwrap_or(Units::MAX)
}
