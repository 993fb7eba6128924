//! Clocks of several machines, each beside the clock of the server that all of them reach.
//!
//! The server's clock is read between two readings of the machine's own. It was read at some moment between them, so half of
//! the time between them is by how much the difference may be wrong; of several readings the quickest is taken. It is measured
//! before the race and after it. What lies between the two is by how much one clock went ahead of the other meanwhile, and is added
//! to what may be wrong. A clock that was set forth and back in between is not seen.

use serde::{Deserialize, Serialize};

use crate::base::clock::{Clock, Wall, machine_ns};
use crate::base::error::Error;
use crate::check::report::ClockDifference;
use crate::stores::remote::Notes;

/// How often the server's clock is read, to have one quick reading.
const READINGS: usize = 9;

/// A microsecond, which is what servers tell of their clocks.
const MICRO_NS: i64 = 1_000;

/// What was read of the server's clock at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClockReading {
    /// By how much the machine's clock was ahead of the server's, in ns.
    ahead_ns: i64,
    /// What the server's clock said when the race's clock was at zero, in ns.
    zero_ns: i64,
    /// By how much both may be wrong.
    uncertain_ns: u64,
}

/// Readings of the race's clock and the machine's, and one of the server's between them.
#[derive(Clone, Copy, Debug)]
struct RoundTrip {
    /// On the race's clock.
    asked_ns: u64,
    /// By the machine's clock, not before `asked_ns`.
    machine_ns: i64,
    server_us: i64,
    /// On the race's clock.
    answered_ns: u64,
}

impl RoundTrip {
    fn reading(self) -> ClockReading {
        let Self { asked_ns, machine_ns, server_us, answered_ns } = self;
        let half_ns = answered_ns.saturating_sub(asked_ns).div_ceil(2);
        let server_ns = server_us.saturating_mul(MICRO_NS).saturating_add(MICRO_NS / 2);
        let middle_ns = asked_ns.saturating_add(half_ns);
        ClockReading {
            ahead_ns: machine_ns.saturating_add_unsigned(half_ns).saturating_sub(server_ns),
            zero_ns: server_ns.saturating_sub_unsigned(middle_ns),
            uncertain_ns: half_ns.saturating_add(MICRO_NS as u64),
        }
    }
}

/// Reads the server's clock; none if it has none.
pub(super) fn read(notes: &mut dyn Notes, clock: &Wall) -> Result<Option<ClockReading>, Error> {
    let mut best: Option<ClockReading> = None;
    for _ in 0..READINGS {
        let (asked_ns, machine_ns) = (clock.now(), machine_ns());
        let Some(server_us) = notes.clock_us()? else { return Ok(None) };
        let answered_ns = clock.now();
        let reading = RoundTrip { asked_ns, machine_ns, server_us, answered_ns }.reading();
        if best.is_none_or(|best| reading.uncertain_ns < best.uncertain_ns) {
            best = Some(reading);
        }
    }
    Ok(best)
}

/// What was read before a race and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClockReadings {
    pub(super) before: ClockReading,
    pub(super) after: ClockReading,
}

impl ClockReadings {
    /// What the report says of them.
    pub(super) fn difference(self) -> ClockDifference {
        let Self { before, after } = self;
        let moved = after.zero_ns.saturating_sub(before.zero_ns);
        ClockDifference::new(before.ahead_ns, before.uncertain_ns, moved)
    }

    /// What the server's clock said at a time on the race's clock.
    pub(super) fn by_server(self, race_ns: u64) -> i64 {
        self.before.zero_ns.saturating_add_unsigned(race_ns)
    }

    /// By how much that may be wrong.
    pub(super) fn uncertain_ns(self) -> u64 {
        let moved = self.difference().moved.unsigned_abs();
        self.before.uncertain_ns.max(self.after.uncertain_ns).saturating_add(moved)
    }
}

#[cfg(test)]
impl ClockReadings {
    /// What is read where the server's clock is steady, and says this when the race's clock is at zero.
    pub(super) fn steady(zero_ns: i64, uncertain_ns: u64) -> Self {
        let reading = ClockReading { ahead_ns: 0, zero_ns, uncertain_ns };
        Self { before: reading, after: reading }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn trip(asked_ns: u64, machine_ns: i64, server_us: i64, answered_ns: u64) -> ClockReading {
        RoundTrip { asked_ns, machine_ns, server_us, answered_ns }.reading()
    }

    #[test]
    fn a_machine_whose_clock_is_ahead_is_seen_to_be_within_half_of_the_round_trip() {
        // The machine's clock is three seconds ahead. The server reads its own a quarter into a round trip of 4 ms.
        let (zero_s, ahead_s) = (1_000, 3);
        let machine_ns = (zero_s + ahead_s) * SECOND + 10_000_000;
        let server_us = zero_s * 1_000_000 + 10_000 + 1_000;
        let reading = trip(10_000_000, machine_ns, server_us, 14_000_000);
        let wrong = (reading.ahead_ns - ahead_s * SECOND).unsigned_abs();
        assert!(wrong <= reading.uncertain_ns, "{reading:?}");
        assert!((2_000_000..2_002_000).contains(&reading.uncertain_ns), "{reading:?}");
        // What the server's clock said at zero on the race's clock is known as well.
        let wrong = (reading.zero_ns - zero_s * SECOND).unsigned_abs();
        assert!(wrong <= reading.uncertain_ns, "{reading:?}");
    }

    #[test]
    fn a_clock_that_is_behind_is_told_from_one_that_is_ahead() {
        let reading = trip(0, SECOND, 5_000_000, 2_000);
        assert!((reading.ahead_ns + 4 * SECOND).abs() < 10_000, "{reading:?}");
    }

    #[test]
    fn what_moved_during_the_race_is_added_to_what_may_be_wrong() {
        let before = trip(0, 0, 1_000_000, 2_000);
        // Ten seconds later, the server's clock has gained 5 ms.
        let after = trip(10_000_000_000, 0, 11_005_000, 10_000_002_000);
        let readings = ClockReadings { before, after };
        assert_eq!(readings.difference().moved, 5_000_000);
        assert!(readings.uncertain_ns() >= 5_000_000 + before.uncertain_ns);
        assert!((readings.by_server(0) - SECOND).abs() < 10_000, "{readings:?}");
    }

    #[test]
    fn clocks_that_make_no_sense_are_no_panic() {
        let reading = trip(u64::MAX, i64::MAX, i64::MIN, 0);
        let readings =
            ClockReadings { before: reading, after: trip(0, i64::MIN, i64::MAX, u64::MAX) };
        let _ = (readings.difference(), readings.by_server(u64::MAX), readings.uncertain_ns());
    }
}
