//! One time in a file of recorded clicks; [`timestamps`](super::timestamps) lists the three kinds.

use chrono::DateTime;

use super::delay::span;
use crate::base::text::quantity::count;

/// The longest from the first click to the last, in hours: 31 days.
pub const MOST_HOURS: u64 = 31 * 24;

/// The most plain seconds: those since 1970 fit, milliseconds since then do not.
const MOST_SECONDS: u64 = 9_000_000_000;

/// From where a time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeOrigin {
    /// Some beginning that the file does not tell.
    Beginning,
    /// The year 1970.
    Epoch,
}

/// Reads any of the three kinds of time: from where it counts, and how many nanoseconds.
///
/// # Errors
/// A sentence that says what was expected.
pub(super) fn parse_time(text: &str) -> Result<(TimeOrigin, i64), String> {
    // The year comes first. `1.5e-3` has its minus in the same place.
    if text.split_once('-').is_some_and(|(year, _)| year.parse::<u16>().is_ok()) {
        let moment = DateTime::parse_from_rfc3339(text).map_err(
            |_| "expected a moment with its offset, such as 2026-11-27T09:00:00.123456Z",
        )?;
        let ns = moment.timestamp_nanos_opt().ok_or("moments may be from 1678 to 2261")?;
        return Ok((TimeOrigin::Epoch, ns));
    }
    let ns = if text.starts_with(['-', '−']) || text.ends_with(char::is_alphabetic) {
        span(text, MOST_HOURS)?.as_nanos() as i64
    } else {
        parse_seconds(text)?
    };
    Ok((TimeOrigin::Beginning, ns))
}

/// Reads seconds without a unit, exactly: since 1970 they have more digits than an `f64` holds.
fn parse_seconds(text: &str) -> Result<i64, String> {
    let expected = || "expected a time, such as 12.5ms, 0.0125 or 2026-11-27T09:00:00Z".to_owned();
    let too_many = || format!("plain numbers are seconds, {} at most", count(MOST_SECONDS));
    if text.contains(['e', 'E']) {
        let seconds: f64 = text.parse().map_err(|_| expected())?;
        if !(0.0..=MOST_SECONDS as f64).contains(&seconds) {
            return Err(if seconds > 0.0 { too_many() } else { expected() });
        }
        return Ok((seconds * 1e9).round() as i64);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !(whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()))
        || whole.len() + fraction.len() == 0
    {
        return Err(expected());
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
    if whole > MOST_SECONDS {
        return Err(too_many());
    }
    let mut digits = fraction.bytes().map(|digit| i64::from(digit - b'0'));
    let ns = (0..9).fold(0, |ns, _| ns * 10 + digits.next().unwrap_or(0));
    let up = i64::from(digits.next().unwrap_or(0) >= 5);
    Ok(whole as i64 * 1_000_000_000 + ns + up)
}
