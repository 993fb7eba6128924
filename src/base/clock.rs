//! The one place that reads the time.
//!
//! Live worlds measure in nanoseconds since the clock was made. The counter behind [`Wall`] is the
//! processor's own where that is steady (about 10 ns a look), the operating system's elsewhere.

use std::sync::LazyLock;
use std::time::Duration;
use std::time::SystemTime;

/// How far two threads' looks at the clock may disagree, generously: the processor may reorder a
/// look with the work around it. What is concluded from the order of events allows for this much.
pub const SLACK_NS: u64 = 1_000;

/// A step of a stepped world in the audit's time: longer than what it takes clocks to agree.
pub const STEP_NS: u64 = 1_000 * SLACK_NS;

/// A source of time.
pub trait Clock: Clone + Send + Sync {
    /// Whether time passes; where it does not, durations are not recorded.
    const RUNS: bool;

    /// Nanoseconds since this clock (or the one it was cloned from) was made.
    fn now(&self) -> u64;
}

/// The counter. To ask the processor what its own is good for takes many times as long as a look at it, above all in a
/// virtual machine.
static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

/// Real time.
#[derive(Clone, Debug)]
pub struct Wall {
    clock: quanta::Clock,
    origin: u64,
}

impl Wall {
    /// Starts at 0 now. The first one in a process calibrates the counter, which takes up to a
    /// few milliseconds.
    #[must_use]
    pub fn start() -> Self {
        let clock = COUNTER.clone();
        let origin = clock.raw();
        Self { clock, origin }
    }
}

impl Clock for Wall {
    const RUNS: bool = true;

    #[inline(always)]
    fn now(&self) -> u64 {
        self.clock.delta_as_nanos(self.origin, self.clock.raw())
    }
}

/// A clock that stands still: for measuring what measuring costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stopped;

impl Clock for Stopped {
    const RUNS: bool = false;

    #[inline(always)]
    fn now(&self) -> u64 {
        0
    }
}

/// The date and the time of day, for reports that carry them. Nothing is decided by it.
#[cfg(feature = "cli")]
#[expect(clippy::disallowed_methods, reason = "a CI server's reports say when a run began")]
pub(crate) fn today() -> SystemTime {
    SystemTime::now()
}

/// What the machine's clock says, in nanoseconds since the beginning of 1970. It may be set at any time: what has to be
/// measured is measured with [`Wall`].
#[expect(clippy::disallowed_methods, reason = "a start that several machines have agreed on")]
pub(crate) fn machine_ns() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A duration in whole nanoseconds; the longest that fits in 64 bits is 584 years.
#[inline]
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
