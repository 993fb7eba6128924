//! Counts and durations: `10_000`, `10k`, `1.5ms` in; `10,000`, `1.5 ms`, `17.1 %` out.

use std::time::Duration;

/// A decimal number, exactly: `digits` divided by ten to the `places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: u128,
    places: u32,
}

/// The most digits read: with any unit behind them they still fit.
const MOST_DIGITS: usize = 24;

impl Decimal {
    /// So many of a unit of ten to the `power`, if that is a whole number.
    fn whole(self, power: u32) -> Option<u128> {
        match power.checked_sub(self.places) {
            Some(power) => Some(self.digits * 10_u128.pow(power)),
            None => {
                let divisor = 10_u128.pow(self.places - power);
                self.digits.is_multiple_of(divisor).then(|| self.digits / divisor)
            }
        }
    }
}

/// Splits `10.5k` into its number and its suffix. Digits may be grouped by `_`, and by `,` where it
/// stands before three digits: a comma is no decimal point here.
fn split(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | ',')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut groups = whole.split(',').skip(1);
    if !groups.all(|group| group.len() == 3) || fraction.contains(',') {
        return None;
    }
    let bare = |text: &str| text.replace(['_', ','], "");
    let (whole, fraction) = (bare(whole), bare(fraction));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || number.ends_with('.') || whole.len() + fraction.len() > MOST_DIGITS {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((Decimal { digits, places: fraction.len() as u32 }, suffix.trim_start()))
}

/// Reads `true` or `false`.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

/// Reads a whole number such as `1000`, `1_000`, `1,000`, `10k`, `1.5M` from `least` to `most`.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_count(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let parsed = split(text).and_then(|(number, suffix)| {
        let power = match suffix {
            "" => 0,
            "k" | "K" => 3,
            "m" | "M" => 6,
            "g" | "G" => 9,
            _ => return None,
        };
        Some(number.whole(power))
    });
    match parsed {
        None => Err("expected a whole number, such as 1000, 1_000 or 1k".into()),
        Some(None) => Err("expected a whole number".into()),
        Some(Some(number)) => u64::try_from(number)
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| format!("must be from {} to {}", count(least), count(most))),
    }
}

/// Reads a duration such as `200us`, `1.5ms`, `10s`, `2m`, `1h` or `0`, up to `longest`. What is
/// finer than a nanosecond is refused.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_duration(text: &str, longest: Duration) -> Result<Duration, String> {
    let parsed = split(text).and_then(|(number, unit)| {
        let (times, power) = match unit {
            "" if number.digits == 0 => (1, 0),
            "ns" => (1, 0),
            "us" | "µs" | "μs" => (1, 3),
            "ms" => (1, 6),
            "s" => (1, 9),
            "m" | "min" => (60, 9),
            "h" => (3600, 9),
            _ => return None,
        };
        Decimal { digits: number.digits * times, ..number }.whole(power)
    });
    match parsed {
        None => Err("expected a duration with its unit, such as 200us, 1.5ms or 10s".into()),
        Some(nanos) if nanos > longest.as_nanos() => {
            Err(format!("must be {} at most", exact_duration(longest)))
        }
        Some(nanos) => Ok(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))),
    }
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn count(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Nanoseconds for a reader: `0 ns`, `312 µs`, `1.1 ms`, `12 s`; two digits or three.
#[must_use]
pub fn duration(nanos: u64) -> String {
    let scaled = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")]
        .into_iter()
        .map(|(unit, name)| (nanos as f64 / unit, name))
        // What would round up to 1.0 of a larger unit is said in that unit.
        .find(|(number, _)| *number >= 0.9995);
    match scaled {
        None => format!("{nanos} ns"),
        Some((number, unit)) if number < 9.95 => format!("{number:.1} {unit}"),
        Some((number, "s")) => format!("{} s", count(number.round() as u64)),
        Some((number, unit)) => format!("{number:.0} {unit}"),
    }
}

/// A duration in the largest unit that loses nothing, in the form [`parse_duration`] reads.
#[must_use]
pub fn exact_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")]
        .into_iter()
        .find(|(unit, _)| nanos > 0 && nanos.is_multiple_of(*unit))
    {
        Some((unit, name)) => format!("{}{name}", nanos / unit),
        None => format!("{nanos}ns"),
    }
}

/// `0.1714` as `17.1 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `1 buyer`, `2 buyers`: the number and its noun, with an `s` where there are several.
#[must_use]
pub fn of(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A place in a sequence: `1st`, `2nd`, `1,013th`.
pub fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{ending}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_sequence_end_as_they_are_said() {
        let said = [1, 2, 3, 4, 11, 12, 13, 21, 102, 1013].map(ordinal);
        let places =
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "1,013th"];
        assert_eq!(said, places);
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn counts_read_the_way_people_write_them() {
        for (text, number) in [
            ("7", 7),
            ("10_000", 10_000),
            ("10,000", 10_000),
            ("10k", 10_000),
            ("1.5 M", 1_500_000),
        ] {
            assert_eq!(parse_count(text, 0, 1 << 40), Ok(number), "{text}");
        }
    }

    #[test]
    fn counts_are_read_exactly() {
        for (text, number) in
            [("1.001M", 1_001_000), ("16.1k", 16_100), ("9007199254740993", 9_007_199_254_740_993)]
        {
            assert_eq!(parse_count(text, 0, u64::MAX), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_in_bounds_is_refused() {
        for text in [
            "", "k", "-1", ".5", "5.", "1.5", "1e3", "10x", "1.2.3", "99", "NaN", "inf", "1,5",
            "1,0000", "0,5k", "1.0005k",
        ] {
            assert!(parse_count(text, 0, 50).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_read_the_way_people_write_them() {
        for (text, nanos) in [
            ("0", 0),
            ("200us", 200_000),
            ("200 µs", 200_000),
            ("1.5ms", 1_500_000),
            ("1_000ns", 1_000),
            ("2m", 120_000_000_000),
        ] {
            assert_eq!(parse_duration(text, HOUR), Ok(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["", "5", "ms", "-1ms", "2h", "1 fortnight", "0,5ms", "0.5ns"] {
            assert!(parse_duration(text, HOUR).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_reader_sees_is_short_and_right() {
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(count(999u64), "999");
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.0 µs"),
            (312_400, "312 µs"),
            (999_999, "1.0 ms"),
            (1_100_000, "1.1 ms"),
            (9_960_000, "10 ms"),
            (12_000_000_000, "12 s"),
        ] {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn an_exact_duration_reads_back_as_itself() {
        for nanos in [0, 1, 200_000, 1_500_000, 60_000_000_000] {
            let wait = Duration::from_nanos(nanos);
            assert_eq!(parse_duration(&exact_duration(wait), HOUR), Ok(wait));
        }
    }
}
