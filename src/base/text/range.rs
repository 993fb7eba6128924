//! Lists of values in one text: `1,10,100`, `1..10k`, `0,10us..1ms`.

use std::time::Duration;

use super::quantity::{count, exact_duration, parse_count, parse_duration};

/// The most values in one list.
pub const MOST_VALUES: usize = 1_000;

/// The longest duration in a list.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What a range is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Duration,
}

impl Kind {
    fn text(self, number: u64) -> String {
        match self {
            Self::Count => number.to_string(),
            Self::Duration => exact_duration(Duration::from_nanos(number)),
        }
    }
}

/// The values in a list, each as a text, in the order written and each once. Between the ends of a range `a..b` lie 1, 2
/// and 5 times each power of ten; with `points` so many values, each larger than the one before by the same factor.
///
/// # Errors
/// A sentence that says what was expected.
pub fn values(text: &str, points: Option<u32>) -> Result<Vec<String>, String> {
    let mut all: Vec<String> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let found = match part.split_once("..") {
            Some((low, high)) => range(low, high, points)?,
            None => vec![part.to_owned()],
        };
        for value in found {
            if !all.contains(&value) {
                all.push(value);
            }
        }
        if all.len() > MOST_VALUES {
            return Err(format!("are more than {} values", count(MOST_VALUES as u64)));
        }
    }
    Ok(all)
}

fn range(low: &str, high: &str, points: Option<u32>) -> Result<Vec<String>, String> {
    let ((low, kind), (high, of_high)) = (end(low)?, end(high)?);
    if low == 0 {
        return Err(
            "a range grows by factors, and so begins above 0; write 0 beside it, such as 0,1..10k"
                .into(),
        );
    }
    if kind != of_high {
        return Err(
            "a range goes from a number to a number, or from a duration to a duration".into()
        );
    }
    if low > high {
        return Err(format!(
            "the range is upside down: write {}..{}",
            kind.text(high),
            kind.text(low)
        ));
    }
    let numbers = match points {
        Some(points) => by_factor(low, high, points),
        None => by_decades(low, high),
    };
    Ok(numbers.into_iter().map(|number| kind.text(number)).collect())
}

fn end(text: &str) -> Result<(u64, Kind), String> {
    let text = text.trim();
    match (parse_count(text, 0, u64::MAX / 10), parse_duration(text, LONGEST)) {
        (Ok(number), _) => Ok((number, Kind::Count)),
        (_, Ok(time)) => Ok((crate::base::clock::nanos(time), Kind::Duration)),
        (Err(why), Err(_)) => Err(why),
    }
}

/// Both ends, and 1, 2 and 5 times each power of ten between them.
fn by_decades(low: u64, high: u64) -> Vec<u64> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let steps = powers.flat_map(|power| [1, 2, 5].map(|step| step * power));
    let between = steps.filter(|number| (low + 1..high).contains(number));
    let mut all: Vec<u64> = std::iter::once(low).chain(between).collect();
    if high > low {
        all.push(high);
    }
    all
}

/// So many numbers, both ends among them, each as many times as large as the one before, rounded to three digits; those
/// that are rounded to the same are one.
fn by_factor(low: u64, high: u64, points: u32) -> Vec<u64> {
    let steps = points.saturating_sub(1).max(1);
    let factor = high as f64 / low as f64;
    let number = |step: u32| match step {
        0 => low,
        last if last == steps => high,
        step => {
            rounded(low as f64 * factor.powf(f64::from(step) / f64::from(steps))).clamp(low, high)
        }
    };
    let mut all: Vec<u64> = (0..=steps).map(number).collect();
    all.dedup();
    all
}

/// A number with three digits and zeros.
fn rounded(number: f64) -> u64 {
    let unit = 10_f64.powf((number.log10().floor() - 2.0).max(0.0));
    ((number / unit).round() * unit).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_goes_by_1_2_and_5_and_holds_both_its_ends() {
        for (text, all) in [
            ("7", "7"),
            ("1,10,100", "1 10 100"),
            ("1..100", "1 2 5 10 20 50 100"),
            ("3..30", "3 5 10 20 30"),
            ("5..5", "5"),
            ("0,10us..100us", "0 10us 20us 50us 100us"),
            ("1..5, 2, 8", "1 2 5 8"),
        ] {
            assert_eq!(values(text, None).unwrap().join(" "), all, "{text}");
        }
    }

    #[test]
    fn so_many_points_grow_by_one_factor() {
        assert_eq!(values("1..1000", Some(4)).unwrap().join(" "), "1 10 100 1000");
        assert_eq!(values("1..4", Some(9)).unwrap().join(" "), "1 2 3 4");
        assert_eq!(values("2..32", Some(5)).unwrap().join(" "), "2 4 8 16 32");
        assert_eq!(values("100us..1ms", Some(3)).unwrap().join(" "), "100us 316us 1ms");
        assert_eq!(values("2..32", Some(1)).unwrap().join(" "), "2 32");
    }

    #[test]
    fn what_is_no_range_is_refused_with_what_would_be_one() {
        for (text, words) in [
            ("10..1", "write 1..10"),
            ("0..10", "begins above 0"),
            ("0..1ms", "begins above 0"),
            ("1..10ms", "from a duration to a duration"),
            ("1..", "expected a whole number"),
            ("a..b", "expected a whole number"),
        ] {
            assert!(values(text, None).unwrap_err().contains(words), "{text}");
        }
    }
}
