//! Settings written out: by name, as calls, and in a report.

use std::time::Duration;

use serde::Serialize;

use super::Settings;
use crate::base::clock::nanos;
use crate::base::text::quantity::exact_duration;
use crate::domain::isolation::Isolation;
use crate::domain::op::Units;
use crate::domain::retry::Backoff;
use crate::domain::store_kind::StoreKind;
use crate::domain::verb::Verb;

impl Settings {
    /// Whether the seed makes a difference in a world that uses it only to roll what buyers want.
    #[must_use]
    pub fn has_rolled_wants(&self) -> bool {
        self.qty.least != self.qty.most
    }

    /// A shop of the same kind on the same store, small enough to follow every interleaving.
    #[must_use]
    pub fn small(&self) -> Self {
        let stock = self.stock.min(3).max(self.qty.most);
        let most_buyers = if stock == 1 && self.cart == 1 { 60 } else { 6 };
        Self { buyers: self.buyers.min(most_buyers), stock, ..self.without_time() }
    }

    /// The same without the settings that mean something only where ops take time.
    pub(crate) fn without_time(&self) -> Self {
        let mut settings = Self::default();
        for name in Self::NAMES.into_iter().filter(|name| Verb::Explore.takes(name)) {
            // Cannot fail: the setting itself has written the text.
            let _ = settings.set(name, &self.value_of(name));
        }
        settings
    }

    /// The same shop in the model, which has no tables.
    #[must_use]
    pub fn in_the_model(&self) -> Self {
        let has_no_tables = Self { stock_check: false, advisory_locks: false, ..self.clone() };
        Self { store: StoreKind::Memory, unit_rows: false, kill: 0, ..has_no_tables }
    }

    /// The calls that give these settings to [`race`](crate::race()), leaving out defaults.
    #[must_use]
    pub fn calls(&self) -> String {
        let duration = |wait: Duration| format!("Duration::from_nanos({})", wait.as_nanos());
        let argument = |name, text| match name {
            "think" => duration(self.think),
            "patience" => duration(self.policy.patience),
            "retries" => format!("Retries::{:?}", self.policy.retries),
            "backoff" => match self.policy.backoff {
                Backoff::None => "Backoff::None".into(),
                Backoff::Fixed(wait) => format!("Backoff::Fixed({})", duration(wait)),
                Backoff::Exponential { first, most } => format!(
                    "Backoff::Exponential {{ first: {}, most: {} }}",
                    duration(first),
                    duration(most)
                ),
            },
            "isolation" => format!("Isolation::{:?}", self.isolation),
            "store" => format!("StoreKind::{:?}", self.store),
            "hold-ttl" => duration(self.hold_ttl),
            "lease-ttl" => duration(self.lease_ttl),
            _ => text,
        };
        self.unusual()
            .map(|(name, text)| match name {
                "qty" => format!(".qty_between({}, {})", self.qty.least, self.qty.most),
                _ => format!(".{}({})", name.replace('-', "_"), argument(name, text)),
            })
            .collect()
    }

    /// The text of one of [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn value_of(&self, name: &str) -> String {
        self.all().find(|(_, known, _)| *known == name).map_or(String::new(), |(.., text)| text)
    }

    /// Names and texts of the settings that a reader must know to repeat the race: buyers, stock,
    /// seed, and whatever else is not as usual.
    pub(crate) fn unusual(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        self.all().filter_map(|(shown, name, text)| shown.then_some((name, text)))
    }

    /// Whether a reader must know it, name and text of every setting.
    fn all(&self) -> impl Iterator<Item = (bool, &'static str, String)> + use<> {
        let usual = Self::default();
        let (policy, usually) = (&self.policy, &usual.policy);
        [
            (true, "buyers", self.buyers.to_string()),
            (self.items != usual.items, "items", self.items.to_string()),
            (true, "stock", self.stock.to_string()),
            (self.cart != usual.cart, "cart", self.cart.to_string()),
            (self.qty != usual.qty, "qty", self.qty.to_string()),
            (self.threads.is_some(), "threads", self.threads().to_string()),
            (self.rounds != usual.rounds, "rounds", self.rounds.to_string()),
            (self.think != usual.think, "think", exact_duration(self.think)),
            (policy.retries != usually.retries, "retries", policy.retries.to_string()),
            (policy.backoff != usually.backoff, "backoff", policy.backoff.to_string()),
            (policy.patience != usually.patience, "patience", exact_duration(policy.patience)),
            (true, "seed", self.seed.to_string()),
            (self.store != usual.store, "store", self.store.to_string()),
            (self.connections != usual.connections, "connections", self.connections.to_string()),
            (self.stock_check, "stock-check", self.stock_check.to_string()),
            (self.hold_ttl != usual.hold_ttl, "hold-ttl", exact_duration(self.hold_ttl)),
            (self.lease_ttl != usual.lease_ttl, "lease-ttl", exact_duration(self.lease_ttl)),
            (self.advisory_locks, "advisory-locks", self.advisory_locks.to_string()),
            (self.unit_rows, "unit-rows", self.unit_rows.to_string()),
            (self.relaxed, "relaxed", self.relaxed.to_string()),
            (self.kill > 0, "kill", self.kill.to_string()),
            (self.isolation != usual.isolation, "isolation", self.isolation.to_string()),
        ]
        .into_iter()
        .chain(self.faults.all().map(|(name, times)| (times > 0, name, times.to_string())))
    }

    /// The settings as a report holds them.
    #[must_use]
    pub fn record(&self) -> SettingsRecord {
        SettingsRecord {
            buyers: self.buyers,
            items: self.items,
            stock: self.stock,
            cart: self.cart,
            qty: self.qty.to_string(),
            threads: self.threads(),
            rounds: self.rounds,
            think: nanos(self.think),
            retries: self.policy.retries.to_string(),
            backoff: self.policy.backoff.to_string(),
            patience: nanos(self.policy.patience),
            seed: self.seed,
            store: self.store,
            connections: self.connections,
            stock_check: self.stock_check,
            hold_ttl: nanos(self.hold_ttl),
            lease_ttl: nanos(self.lease_ttl),
            advisory_locks: self.advisory_locks,
            unit_rows: self.unit_rows,
            relaxed: self.relaxed,
            kill: self.kill,
            isolation: self.kept_apart(),
        }
    }
}

/// Settings in a report. Durations are nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingsRecord {
    /// Buyers in a round.
    pub buyers: u32,
    /// Products.
    pub items: u8,
    /// Units of each at the gun.
    pub stock: Units,
    /// Products in each cart.
    pub cart: u8,
    /// Units each buyer wants of each: a number, or a range such as `1..3`.
    pub qty: String,
    /// Threads that served the buyers.
    pub threads: u32,
    /// Rounds asked for.
    pub rounds: u32,
    /// Time between looking and acting, in ns.
    pub think: u64,
    /// `unlimited`, or how often a buyer tries again.
    pub retries: String,
    /// `none`, `fixed:…` or `exponential:…`.
    pub backoff: String,
    /// How long a buyer keeps trying, in ns.
    pub patience: u64,
    /// The seed of every buyer's dice.
    pub seed: u64,
    /// Where stock lived.
    pub store: StoreKind,
    /// Connections to it, where it is a database.
    pub connections: u32,
    /// Whether the database itself refused stock below zero.
    pub stock_check: bool,
    /// How long a hold stood, in ns.
    pub hold_ttl: u64,
    /// How long a lease lasted, in ns.
    pub lease_ttl: u64,
    /// Whether locks were the database's own, which belong to no row.
    pub advisory_locks: bool,
    /// Whether stock was a row a unit.
    pub unit_rows: bool,
    /// Whether a private server might answer before what it did was on disk.
    pub relaxed: bool,
    /// How often a private server was to be killed in each round.
    pub kill: u32,
    /// How far transactions are kept apart.
    pub isolation: Isolation,
}
