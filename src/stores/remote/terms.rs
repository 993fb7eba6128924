//! The terms on which buyers use a server, and what they have to tell of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::generated::Generated;
use crate::base::control::Control;
use crate::describe::checkout::Checkout;
use crate::domain::isolation::Isolation;
use crate::domain::op::{Item, MOST_ITEMS};
use crate::domain::settings::Settings;

/// On what terms a server is used. Clones share what they have to tell.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Products.
    pub items: u8,
    /// Connections in the pool.
    pub connections: u32,
    /// How far transactions are kept apart.
    pub isolation: Isolation,
    /// The longest wait for a connection, a lock, or one answer of the server.
    pub patience: Duration,
    /// How long a hold stands.
    pub hold_ttl: Duration,
    /// How long a lease lasts.
    pub lease_ttl: Duration,
    /// Whether the database itself refuses stock below zero.
    pub stock_check: bool,
    /// Whether locks are no row's.
    pub advisory_locks: bool,
    /// Whether stock is a row a unit.
    pub unit_rows: bool,
    /// Whether a private server may answer before what it did is on disk.
    pub relaxed: bool,
    /// Whether the server is killed on purpose.
    pub is_killed: bool,
    /// Whether the server was started for this run, and nothing else is in it.
    pub is_private: bool,
    /// Whether statements are to be held inside the server, where that can be done.
    pub hold_inside: bool,
    /// Whether triggers may be put on tables of a server that is not private, for as long as the run lasts.
    pub allow_triggers: bool,
    /// The checkout whose own tables are used, if it is described in a file.
    pub checkout: Option<Arc<Checkout>>,
    /// What ends it early.
    pub control: Control,
    told: Arc<Told>,
}

/// What links have to tell.
#[derive(Debug, Default)]
struct Told {
    trouble: Mutex<Option<String>>,
    generated: Generated,
    deadlocks: AtomicU64,
    /// By product, who has asked for its lock and not given it back.
    asking: [AtomicU32; MOST_ITEMS as usize],
}

impl Terms {
    /// The terms of these settings.
    #[must_use]
    pub fn of(settings: &Settings, control: &Control) -> Self {
        Self {
            items: settings.items,
            connections: settings.connections,
            isolation: settings.isolation,
            patience: settings.policy.patience,
            hold_ttl: settings.hold_ttl,
            lease_ttl: settings.lease_ttl,
            stock_check: settings.stock_check,
            advisory_locks: settings.advisory_locks,
            unit_rows: settings.unit_rows,
            relaxed: settings.relaxed,
            is_killed: settings.kill > 0,
            is_private: false,
            hold_inside: false,
            allow_triggers: false,
            checkout: None,
            control: control.clone(),
            told: Arc::default(),
        }
    }

    /// The same, if a checkout that is described in a file is to be used.
    #[must_use]
    pub fn with_checkout(self, checkout: Option<Arc<Checkout>>) -> Self {
        Self { checkout, ..self }
    }

    /// Whether statements may be held inside the server, by triggers.
    pub(in crate::stores) fn may_hold_inside(&self) -> bool {
        self.hold_inside && (self.is_private || self.allow_triggers)
    }

    /// Keeps what a server said when it refused something that it should not have; of several, the first.
    pub(in crate::stores) fn note(&self, trouble: impl FnOnce() -> String) {
        self.told.trouble.lock().get_or_insert_with(trouble);
    }

    /// The same of a connection that broke; where the server is killed on purpose that is no news.
    pub(in crate::stores) fn note_lost(&self, trouble: impl FnOnce() -> String) {
        if !self.is_killed {
            self.note(trouble);
        }
    }

    /// What was noted, once.
    pub(in crate::stores) fn take_trouble(&self) -> Option<String> {
        self.told.trouble.lock().take()
    }

    /// What is known of values that the server generates.
    pub(super) fn generated(&self) -> &Generated {
        &self.told.generated
    }

    /// The shelves are put up for another execution.
    pub(in crate::stores) fn show_begins(&self) {
        self.told.generated.opens();
    }

    /// Counts a deadlock that the server has broken.
    pub(in crate::stores) fn count_deadlock(&self) {
        self.told.deadlocks.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were counted since this was last asked.
    pub(in crate::stores) fn take_deadlocks(&self) -> u64 {
        self.told.deadlocks.swap(0, Ordering::Relaxed)
    }

    /// Somebody asks for a product's lock; whether somebody else has it, or asked before.
    pub(in crate::stores) fn asks(&self, item: Item) -> bool {
        self.asking(item).is_some_and(|asking| asking.fetch_add(1, Ordering::Relaxed) > 0)
    }

    /// And has it no more.
    pub(in crate::stores) fn lets_go(&self, item: Item) {
        self.asking(item).map(|asking| asking.fetch_sub(1, Ordering::Relaxed));
    }

    fn asking(&self, item: Item) -> Option<&AtomicU32> {
        self.told.asking.get(usize::from(item.0))
    }
}
