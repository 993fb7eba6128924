//! The configuration with which buyers use a server, and what its links report.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::CommonRace;
use super::generated::Generated;
use crate::base::control::Control;
use crate::base::text::sql::Rewriting;
use crate::describe::checkout::Checkout;
use crate::domain::op::{Item, MOST_ITEMS};
use crate::domain::settings::Settings;
#[cfg(feature = "mysql")]
use crate::stores::socket_waits::SocketWaits;

/// The terms on which a server is used. Clones share what the links report.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The settings of the run. `patience` is the longest wait for a connection, a lock, or one answer of the server.
    pub settings: Arc<Settings>,
    /// Whether the server was started for this run, and nothing else is in it.
    pub is_private: bool,
    /// Whether statements are to be held inside the server, where that can be done.
    pub hold_inside: bool,
    /// Whether triggers may be put on tables of a server that is not private, for as long as the run lasts.
    pub allow_triggers: bool,
    /// The archive of a data directory with which a private server begins.
    pub archive: Option<PathBuf>,
    /// The checkout whose own tables are used, if it is described in a file.
    pub checkout: Option<Arc<Checkout>>,
    /// A cure that is written into an application's statements on their way to its databases.
    pub(crate) rewriting: Option<Arc<Rewriting>>,
    /// The race of several processes at this store, if this process does a part of one.
    pub common: Option<Arc<CommonRace>>,
    /// What stops the run early.
    pub control: Control,
    told: Arc<LinkReports>,
}

/// What links report.
#[derive(Debug, Default)]
struct LinkReports {
    trouble: Mutex<Option<String>>,
    generated: Generated,
    deadlocks: AtomicU64,
    /// The waits of clients that cannot be interrupted.
    #[cfg(feature = "mysql")]
    waits: Arc<SocketWaits>,
    /// By product, how many clients have asked for its lock and not released it.
    asking: [AtomicU32; MOST_ITEMS as usize],
}

impl StoreConfig {
    /// The terms of these settings.
    #[must_use]
    pub fn of(settings: &Settings, control: &Control) -> Self {
        Self {
            settings: Arc::new(settings.clone()),
            is_private: false,
            hold_inside: false,
            allow_triggers: false,
            archive: None,
            checkout: None,
            rewriting: None,
            common: None,
            control: control.clone(),
            told: Arc::default(),
        }
    }

    /// The same terms, with the checkout that is described in a file, if there is one.
    #[must_use]
    pub fn with_checkout(self, checkout: Option<Arc<Checkout>>) -> Self {
        Self { checkout, ..self }
    }

    /// Whether another process has made the shop, which removes it, too.
    pub(in crate::stores) fn joins(&self) -> bool {
        self.common.as_ref().is_some_and(|common| common.joins())
    }

    /// The same terms, for a part of a race of several processes at this store.
    #[must_use]
    pub fn in_common(self, common: CommonRace) -> Self {
        Self { common: Some(Arc::new(common)), ..self }
    }

    /// The settings, to change them.
    pub(crate) fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }

    /// Whether statements may be held inside the server, by triggers.
    pub(in crate::stores) fn may_hold_inside(&self) -> bool {
        self.hold_inside && (self.is_private || self.allow_triggers)
    }

    /// Records the first unexpected server error of the round.
    pub(in crate::stores) fn note(&self, trouble: impl FnOnce() -> String) {
        self.told.trouble.lock().get_or_insert_with(trouble);
    }

    /// Records a lost connection in the same way, unless the server is killed on purpose.
    pub(in crate::stores) fn note_lost(&self, trouble: impl FnOnce() -> String) {
        if self.settings.kill == 0 {
            self.note(trouble);
        }
    }

    /// Takes the recorded error.
    pub(in crate::stores) fn take_trouble(&self) -> Option<String> {
        self.told.trouble.lock().take()
    }

    /// What is known of values that the server generates.
    pub(super) fn generated(&self) -> &Generated {
        &self.told.generated
    }

    /// Notes that another execution begins.
    pub(in crate::stores) fn show_begins(&self) {
        self.told.generated.opens();
    }

    /// The waits of clients that cannot be interrupted.
    #[cfg(feature = "mysql")]
    pub(in crate::stores) fn waits(&self) -> &Arc<SocketWaits> {
        &self.told.waits
    }

    /// Counts a deadlock that the server has broken.
    pub(in crate::stores) fn count_deadlock(&self) {
        self.told.deadlocks.fetch_add(1, Ordering::Relaxed);
    }

    /// How many deadlocks were counted since the last call.
    pub(in crate::stores) fn take_deadlocks(&self) -> u64 {
        self.told.deadlocks.swap(0, Ordering::Relaxed)
    }

    /// Notes that a client asks for a product's lock; returns whether another client has it, or asked before.
    pub(in crate::stores) fn asks(&self, item: Item) -> bool {
        self.asking(item).is_some_and(|asking| asking.fetch_add(1, Ordering::Relaxed) > 0)
    }

    /// Notes that a client no longer has the lock, or no longer asks for it.
    pub(in crate::stores) fn lets_go(&self, item: Item) {
        self.asking(item).map(|asking| asking.fetch_sub(1, Ordering::Relaxed));
    }

    fn asking(&self, item: Item) -> Option<&AtomicU32> {
        self.told.asking.get(usize::from(item.0))
    }
}
