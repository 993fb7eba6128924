//! Many durations, kept small: an HDR histogram behind a short list.
//!
//! Ten thousand buyer threads record a sample or two each, and a histogram apiece would be
//! gigabytes; one thread that serves millions of buyers records millions. So samples gather in a
//! list, and only a list that fills up is poured into a histogram.

use std::fmt::Write;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Samples in the list before they are poured.
const FULL: usize = 4096;
/// The longest sample told apart: two hours, in ns.
const LONGEST_NS: u64 = 7_200_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;

/// The most samples that a text may say there are: more than any run has, and few enough to be added up.
const MOST: u64 = 1 << 48;

/// A set of durations in nanoseconds. As text it is each value with its number, such as `1200 1350*3`: of more than 4,096,
/// each is the longest of those that the histogram does not tell apart, so that sets which were texts are merged without loss.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Samples {
    fresh: Vec<u64>,
    poured: Option<Box<Histogram<u64>>>,
}

impl Samples {
    /// Records one duration.
    #[inline(always)]
    pub fn record(&mut self, nanos: u64) {
        if self.fresh.len() >= FULL {
            self.pour();
        }
        self.fresh.push(nanos);
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        for nanos in &other.fresh {
            self.record(*nanos);
        }
        if let Some(theirs) = &other.poured {
            self.pour();
            if let Some(ours) = &mut self.poured {
                // Cannot fail: both have the same bounds.
                let _ = ours.add(theirs.as_ref());
            }
        }
    }

    #[cold]
    fn pour(&mut self) {
        if self.poured.is_none() {
            // Cannot fail: the bounds are constants that a test opens.
            self.poured = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).ok().map(Box::new);
        }
        if let Some(histogram) = &mut self.poured {
            for nanos in self.fresh.drain(..) {
                histogram.saturating_record(nanos);
            }
        }
    }

    /// Where the samples lie. All zero if there are none.
    #[must_use]
    pub fn spread(&mut self) -> Spread {
        if self.poured.is_none() {
            return self.spread_of_few();
        }
        self.pour();
        let Some(histogram) = self.poured.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Spread::default();
        };
        Spread {
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        }
    }

    /// The samples in classes, eight of which make a factor of ten; from the first to the last that has any. At most a
    /// hundred and three.
    #[must_use]
    pub fn classes(&self) -> Vec<DurationClass> {
        const A_DECADE: f64 = 8.0;
        const MOST: i32 = 103;
        let bounds = (0..MOST).map(|place| 10_f64.powf(f64::from(place) / A_DECADE) as u64);
        let mut classes: Vec<DurationClass> =
            bounds.map(|up_to| DurationClass { up_to, number: 0 }).collect();
        let last = classes.len() - 1;
        let mut see = |nanos: u64, number: u64| {
            let place = classes.partition_point(|class| class.up_to < nanos).min(last);
            classes[place].number += number;
        };
        match &self.poured {
            None => self.fresh.iter().for_each(|nanos| see(*nanos, 1)),
            Some(histogram) => {
                self.fresh.iter().for_each(|nanos| see(*nanos, 1));
                for step in histogram.iter_recorded() {
                    see(step.value_iterated_to(), step.count_since_last_iteration());
                }
            }
        }
        let has_any = |class: &DurationClass| class.number > 0;
        let first = classes.iter().position(has_any).unwrap_or(classes.len());
        let last = classes.iter().rposition(has_any).map_or(first, |last| last + 1);
        // Very short classes have the same bounds in whole nanoseconds: they are one.
        let mut told: Vec<DurationClass> = Vec::new();
        for class in &classes[first..last] {
            match told.last_mut().filter(|told| told.up_to == class.up_to) {
                Some(told) => told.number += class.number,
                None => told.push(*class),
            }
        }
        told
    }

    /// The same of a list that was never full: a histogram takes longer to make than a round of a few buyers.
    fn spread_of_few(&mut self) -> Spread {
        self.fresh.sort_unstable();
        let up_to = |share: f64| {
            let place = (share * self.fresh.len() as f64).ceil() as usize;
            self.fresh.get(place.saturating_sub(1)).copied().unwrap_or(0)
        };
        Spread { p50: up_to(0.5), p90: up_to(0.9), p99: up_to(0.99), max: up_to(1.0) }
    }
}

impl From<Samples> for String {
    fn from(mut samples: Samples) -> Self {
        let mut text = Self::new();
        let mut say = |value: u64, number: u64| {
            let gap = if text.is_empty() { "" } else { " " };
            // Cannot fail: it is written to memory.
            let _ = match number {
                1 => write!(text, "{gap}{value}"),
                _ => write!(text, "{gap}{value}*{number}"),
            };
        };
        if samples.poured.is_some() {
            samples.pour();
        }
        match &samples.poured {
            None => {
                samples.fresh.sort_unstable();
                for same in samples.fresh.chunk_by(|one, next| one == next) {
                    say(same[0], same.len() as u64);
                }
            }
            Some(histogram) => histogram
                .iter_recorded()
                .for_each(|step| say(step.value_iterated_to(), step.count_since_last_iteration())),
        }
        text
    }
}

impl TryFrom<String> for Samples {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut all = Vec::new();
        let mut total = 0_u64;
        for word in text.split_whitespace() {
            let (value, number) = word.split_once('*').unwrap_or((word, "1"));
            let read = |text: &str| text.parse::<u64>().map_err(|_| format!("no samples: {word}"));
            let (value, number) = (read(value)?, read(number)?);
            total = total.saturating_add(number);
            if total > MOST {
                return Err("more samples than any run has".into());
            }
            all.push((value, number));
        }
        let mut samples = Self::default();
        if total <= FULL as u64 {
            for (value, number) in all {
                samples.fresh.extend((0..number).map(|_| value));
            }
        } else {
            samples.pour();
            for histogram in samples.poured.iter_mut() {
                all.iter().for_each(|(value, number)| {
                    histogram.saturating_record_n(*value, *number);
                });
            }
        }
        Ok(samples)
    }
}

/// Durations of about the same length, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DurationClass {
    /// The longest that belongs to the class, in ns. The shortest is longer than the class before allows.
    pub up_to: u64,
    /// How many there are.
    pub number: u64,
}

/// Percentiles of a set of durations, in nanoseconds; of more than 4,096, right to three digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Spread {
    /// Half were no longer than this.
    pub p50: u64,
    /// Nine in ten were no longer than this.
    pub p90: u64,
    /// 99 in 100 were no longer than this.
    pub p99: u64,
    /// None was longer than this.
    pub max: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_three_digits_however_the_samples_were_gathered() {
        let (mut one, mut other, mut whole) =
            (Samples::default(), Samples::default(), Samples::default());
        for nanos in 1..=10_000u64 {
            if nanos % 3 == 0 { &mut one } else { &mut other }.record(nanos * 1_000);
            whole.record(nanos * 1_000);
        }
        one.merge(&other);
        let spread = whole.spread();
        assert_eq!(one.spread(), spread);
        for (seen, true_value) in
            [(spread.p50, 5_000_000), (spread.p90, 9_000_000), (spread.max, 10_000_000u64)]
        {
            assert!(seen.abs_diff(true_value) <= true_value / 1_000, "{seen} for {true_value}");
        }
    }

    #[test]
    fn percentiles_of_few_are_exact() {
        let mut few = Samples::default();
        (1..=1_000).rev().for_each(|nanos| few.record(nanos * 1_001));
        let exact = Spread { p50: 500_500, p90: 900_900, p99: 990_990, max: 1_001_000 };
        assert_eq!(few.spread(), exact);
        few.record(1_002_001);
        assert_eq!(few.spread().max, 1_002_001, "looking at them loses none");
    }

    #[test]
    fn every_sample_is_in_one_class_whether_or_not_the_list_was_poured() {
        for many in [1_000_u64, 10_000] {
            let mut samples = Samples::default();
            (1..=many).for_each(|nanos| samples.record(nanos * 1_000));
            let classes = samples.classes();
            assert_eq!(classes.iter().map(|class| class.number).sum::<u64>(), many);
            assert!(classes.is_sorted_by(|one, next| one.up_to < next.up_to));
            let below = classes.iter().filter(|class| class.up_to <= 100_000);
            let below: u64 = below.map(|class| class.number).sum();
            assert!(below.abs_diff(100) <= 1, "{below} of {many} up to 100 µs");
        }
        assert_eq!(Samples::default().classes(), []);
    }

    #[test]
    fn sets_that_were_texts_are_merged_without_loss() {
        for (many, parts) in [(0, 2), (10, 7), (4_096, 2), (4_097, 2), (30_000, 3), (6_000, 7)] {
            let mut whole = Samples::default();
            let mut dealt = vec![Samples::default(); parts];
            for number in 0..many as u64 {
                // Some are zero, and some longer than the longest that is told apart.
                let nanos = number.pow(4) % 9_999_999_999_999;
                whole.record(nanos);
                dealt[number as usize % parts].record(nanos);
            }
            let mut merged = Samples::default();
            for part in dealt.into_iter().rev() {
                let text = String::from(part);
                merged.merge(&Samples::try_from(text.clone()).unwrap());
                assert_eq!(text, String::from(Samples::try_from(text.clone()).unwrap()));
            }
            assert_eq!(merged.spread(), whole.spread(), "{many} in {parts} parts");
            assert_eq!(merged.classes(), whole.classes(), "{many} in {parts} parts");
            assert_eq!(String::from(merged), String::from(whole), "{many} in {parts} parts");
        }
    }

    #[test]
    fn what_says_no_samples_is_refused() {
        for text in ["x", "1*", "*3", "-1", "1.5", "1*18446744073709551615", "9*281474976710656 1"]
        {
            assert!(Samples::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn no_samples_have_no_spread() {
        assert_eq!(Samples::default().spread(), Spread::default());
    }
}
