//! One process's part in a race of several at one store.

use std::sync::OnceLock;
use std::time::Duration;

use crate::base::clock::machine_ns;
use crate::base::control::Control;
use crate::base::partition::Slice;

/// The longest nap before the time of the start is looked at again: the machine's clock may be set meanwhile.
const LONGEST_NAP: Duration = Duration::from_millis(200);

/// How long before the start the thread naps no more, but looks at the clock without a pause.
const AWAKE: Duration = Duration::from_millis(2);

/// What a process knows of the race of which it does a part.
#[derive(Debug)]
pub struct CommonRace {
    slice: Slice,
    /// Whether another process makes the shop, which removes it, too.
    joins: bool,
    /// When buyers start, in nanoseconds since the beginning of 1970.
    start_ns: i64,
    /// When they did.
    started: OnceLock<Started>,
}

/// When the buyers of a part started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// On the race's clock, in ns.
    pub race_ns: u64,
    /// By the machine's clock, in nanoseconds since the beginning of 1970.
    pub machine_ns: i64,
}

impl CommonRace {
    /// This part of a race whose buyers start at this time by the machine's clock, in nanoseconds since the beginning of 1970.
    #[must_use]
    pub fn new(slice: Slice, start_ns: i64) -> Self {
        Self { slice, joins: slice.part() > 1, start_ns, started: OnceLock::new() }
    }

    /// One that makes no shop, whichever part it is.
    #[must_use]
    pub fn joining(self) -> Self {
        Self { joins: true, ..self }
    }

    /// Whether another process makes the shop, which removes it, too.
    pub(in crate::stores) fn joins(&self) -> bool {
        self.joins
    }

    /// Which part it is.
    #[must_use]
    pub fn slice(&self) -> Slice {
        self.slice
    }

    /// How long it is until the start; none once it has come.
    #[must_use]
    pub fn until_start(&self) -> Option<Duration> {
        let left = self.start_ns.saturating_sub(machine_ns());
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_nanos)
    }

    /// When buyers started; none if they have not.
    #[must_use]
    pub fn started(&self) -> Option<Started> {
        self.started.get().copied()
    }

    /// Waits until the start, or until the race is stopped. Returns when that was, as `now` says it.
    pub(super) fn await_start(&self, now: &dyn Fn() -> u64, control: &Control) -> u64 {
        while let Some(left) = self.until_start() {
            let nap = left.saturating_sub(AWAKE).min(LONGEST_NAP);
            if control.is_stopped() || !control.pause(nap) {
                break;
            }
        }
        let started = Started { race_ns: now(), machine_ns: machine_ns() };
        self.started.get_or_init(|| started).race_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn buyers_start_when_the_time_has_come_and_not_before() {
        let start_ns = machine_ns() + SECOND / 20;
        let race = CommonRace::new(Slice::WHOLE, start_ns);
        assert_eq!(race.started(), None);
        assert_eq!(race.await_start(&|| 7, &Control::default()), 7);
        let started = race.started().unwrap();
        assert!(started.race_ns == 7 && started.machine_ns >= start_ns, "{started:?}");
        assert_eq!(race.until_start(), None);
    }

    #[test]
    fn a_race_that_is_stopped_waits_for_no_start() {
        let race = CommonRace::new(Slice::WHOLE, machine_ns() + 3_600 * SECOND);
        let control = Control::default();
        control.stop_flag().store(true, std::sync::atomic::Ordering::Relaxed);
        race.await_start(&|| 7, &control);
        assert!(race.until_start().is_some());
    }
}
