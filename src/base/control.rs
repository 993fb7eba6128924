//! What a race shares with the thread that watches it: how far it is, and whether it should stop.

#[cfg(feature = "private")]
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::clock::{Clock, Wall, nanos};
use super::error::Error;

/// The longest sleep between two checks whether the race was stopped.
const GLANCE: Duration = Duration::from_millis(20);

/// Watches and stops a race from another thread.
#[derive(Clone, Debug, Default)]
pub struct Control {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    doing: Arc<Mutex<Option<String>>>,
    /// A clock, and the time on it after which the work should end.
    deadline: Arc<Mutex<Option<(Wall, u64)>>>,
    records_locks: bool,
    #[cfg(feature = "private")]
    listener: Option<Listener>,
}

/// Hears, line by line, what is done.
#[cfg(feature = "private")]
#[derive(Clone)]
struct Listener(Arc<dyn Fn(&str) + Send + Sync>);

#[cfg(feature = "private")]
impl fmt::Debug for Listener {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.write_str("Listener")
    }
}

impl Control {
    /// The same, which tells `listener`, line by line, what is done.
    #[cfg(all(feature = "private", feature = "cli"))]
    #[must_use]
    pub(crate) fn telling(self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Listener(Arc::new(listener))), ..self }
    }

    /// Tells the listener something, if there is one.
    #[cfg(feature = "private")]
    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(Listener(listener)) = &self.listener {
            listener(&line());
        }
    }

    /// The same, for a race that records who has locks when. That takes two readings of the clock a lock, while it is held.
    #[must_use]
    pub fn recording_locks(self) -> Self {
        Self { records_locks: true, ..self }
    }

    /// Whether the race records who has locks when.
    #[must_use]
    pub(crate) fn records_locks(&self) -> bool {
        self.records_locks
    }

    /// The flag that stops the race when set, for a signal handler.
    #[must_use]
    pub fn stop_flag(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Whether the race should end now.
    #[inline]
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// From now on the work should end after this time; none lifts that.
    pub fn end_after(&self, most: Option<Duration>) {
        *self.deadline.lock() = most.map(|most| (Wall::start(), nanos(most)));
    }

    /// Whether whatever is under way should end now: the race was stopped, or its time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let is_late = |(clock, most): &(Wall, u64)| clock.now() >= *most;
        self.is_stopped() || self.deadline.lock().as_ref().is_some_and(is_late)
    }

    /// What has come of some work; none where the race was stopped while something was started, asked or set up, which is
    /// no failure.
    ///
    /// # Errors
    /// Every other error of the work.
    pub(crate) fn unless_stopped<T>(&self, done: Result<T, Error>) -> Result<Option<T>, Error> {
        match done {
            Err(Error::World(_)) if self.is_stopped() => Ok(None),
            done => done.map(Some),
        }
    }

    /// Buyers served so far, over all rounds.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    pub(crate) fn count_served(&self, buyers: u64) {
        self.served.fetch_add(buyers, Ordering::Relaxed);
    }

    /// What is being done before the first buyer is served, such as `starting postgres`.
    #[must_use]
    pub fn doing(&self) -> Option<String> {
        self.doing.lock().clone()
    }

    /// Notes what is being done.
    #[cfg(feature = "private")]
    pub(crate) fn begin(&self, what: impl Into<String>) {
        let what = what.into();
        self.tell(|| what.clone());
        *self.doing.lock() = Some(what);
    }

    /// Pauses the calling thread for this long, in short sleeps; false if the race was stopped.
    #[expect(clippy::disallowed_methods, reason = "the one place where a live world waits")]
    pub fn pause(&self, time: Duration) -> bool {
        let mut left = time;
        while !left.is_zero() {
            if self.is_stopped() {
                return false;
            }
            let nap = left.min(GLANCE);
            std::thread::sleep(nap);
            left -= nap;
        }
        true
    }
}
