//! A moment as people and scripts write it: RFC 3339, or seconds since the beginning of 1970.

use chrono::{DateTime, SecondsFormat};

use super::nearest::shown;

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;

/// Reads `2026-11-30T20:00:00Z`, or the same as `1796068800`, in nanoseconds since the beginning of 1970.
///
/// # Errors
/// A sentence that says what was expected.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit());
    let ns = match is_number {
        true => text.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(SECOND_NS)),
        false => DateTime::parse_from_rfc3339(text).ok().and_then(|at| at.timestamp_nanos_opt()),
    };
    ns.ok_or_else(|| {
        let without_zone = DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok();
        let zone = if without_zone { ": the zone is missing, such as Z or +01:00" } else { "" };
        format!(
            "expected a time such as 2026-11-30T20:00:00Z, or seconds since 1970, not `{}`{zone}",
            shown(text)
        )
    })
}

/// It as RFC 3339 has it, in UTC.
pub(crate) fn written(ns: i64) -> String {
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_in_every_zone_and_in_seconds() {
        for text in ["2026-11-30T20:00:00Z", "2026-11-30T21:00:00+01:00", "1796068800"] {
            assert_eq!(parse(text), Ok(1_796_068_800 * SECOND_NS), "{text}");
        }
        assert_eq!(written(1_796_068_800 * SECOND_NS), "2026-11-30T20:00:00Z");
        assert_eq!(parse(&written(1_234_567_891)), Ok(1_234_567_891));
    }

    #[test]
    fn what_is_no_moment_is_refused_and_a_missing_zone_is_named() {
        for text in ["", "now", "20:00", "-5", "99999999999999999999", "9999-01-01T00:00:00Z"] {
            assert!(parse(text).unwrap_err().contains("2026-11-30T20:00:00Z"), "{text}");
        }
        assert!(parse("2026-11-30T20:00:00").unwrap_err().contains("the zone is missing"));
    }
}
