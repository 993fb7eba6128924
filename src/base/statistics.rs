//! What a few measured values say: where they lie, which of them are outliers, and how much larger one set of them is
//! than another, with an interval that says how sure that is.
//!
//! Quantiles are interpolated as R does by default (type 7). Outliers are those of Tukey's fences, as in criterion. An
//! interval is a percentile bootstrap (Efron 1979) of the ratio of two medians.

use rand::RngExt;
use rand::seq::IndexedRandom;
use serde::Serialize;

use super::chance::{Dice, StreamPurpose};

/// The fewest values of which an interval is made. Of fewer, the smallest and the largest enclose the median less often
/// than 95 times in 100.
pub const FEWEST: usize = 6;

/// The share of intervals that enclose the true ratio.
pub const CONFIDENCE: f64 = 0.95;

/// How often values are drawn again for an interval: enough that its ends change by less than they could mean.
const MOST_RESAMPLES: usize = 10_000;

/// The same, where there are so many values that each drawing takes long.
const FEWEST_RESAMPLES: usize = 1_000;

/// The most values that are drawn for one interval, if it is not fewer than [`FEWEST_RESAMPLES`] drawings.
const MOST_DRAWN: usize = 10_000_000;

/// Where values lie: the five numbers of a box plot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FiveNumbers {
    /// The smallest.
    pub min: f64,
    /// A quarter are no larger than this.
    pub lower_quartile: f64,
    /// Half are no larger than this.
    pub median: f64,
    /// Three quarters are no larger than this.
    pub upper_quartile: f64,
    /// The largest.
    pub max: f64,
}

impl FiveNumbers {
    /// Of these values; none if there are none.
    #[doc(hidden)]
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self {
            min,
            lower_quartile: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper_quartile: quantile(&sorted, 0.75),
            max,
        })
    }

    /// The interquartile range: how far apart the middle half of the values lies.
    #[doc(hidden)]
    #[must_use]
    pub fn iqr(&self) -> f64 {
        self.upper_quartile - self.lower_quartile
    }

    /// How far beyond Tukey's fences a value lies; none if it is between them.
    fn severity(&self, value: f64) -> Option<Severity> {
        let beyond = (self.lower_quartile - value).max(value - self.upper_quartile);
        if beyond > 3.0 * self.iqr() {
            Some(Severity::Severe)
        } else if beyond > 1.5 * self.iqr() {
            Some(Severity::Mild)
        } else {
            None
        }
    }
}

/// How far an outlier lies from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// More than 1.5 interquartile ranges beyond the nearer quartile.
    Mild,
    /// More than three.
    Severe,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mild => "mild",
            Self::Severe => "severe",
        }
    }
}

/// A value that lies far from the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Outlier {
    /// Which value, counted from 1.
    pub number: u32,
    /// The value.
    pub value: f64,
    /// How far from the others.
    pub severity: Severity,
}

/// The values that lie beyond Tukey's fences, in the order in which they were measured.
#[must_use]
pub fn outliers(values: &[f64]) -> Vec<Outlier> {
    let Some(numbers) = FiveNumbers::of(values) else { return Vec::new() };
    let outlier = |(value, number): (&f64, u32)| {
        Some(Outlier { number, value: *value, severity: numbers.severity(*value)? })
    };
    values.iter().zip(1..).filter_map(outlier).collect()
}

/// How many times as large the median of some values is as that of others, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Ratio {
    /// The ratio of the medians.
    pub ratio: f64,
    /// The lower end of the 95 % confidence interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Ratio {
    /// Of values that were measured in pairs, each beside its partner: what has disturbed both is in both. None if there
    /// are fewer pairs than [`FEWEST`], or if medians are zero.
    #[doc(hidden)]
    #[must_use]
    pub fn paired(values: &[f64], reference: &[f64], seed: u64) -> Option<Self> {
        Self::paired_by(drawings(values.len()), values, reference, seed)
    }

    fn paired_by(drawings: usize, values: &[f64], reference: &[f64], seed: u64) -> Option<Self> {
        let count = values.len().min(reference.len());
        let draw = |dice: &mut Dice| {
            let rng = dice.rng();
            let places = (0..count).map(|_| rng.random_range(0..count));
            places.map(|place| (values[place], reference[place])).unzip()
        };
        Self::bootstrap(&values[..count], &reference[..count], drawings, seed, draw)
    }

    /// Of values that were measured at different times.
    #[doc(hidden)]
    #[must_use]
    pub fn unpaired(values: &[f64], reference: &[f64], seed: u64) -> Option<Self> {
        let drawings = drawings(values.len().max(reference.len()));
        let draw = |dice: &mut Dice| (redrawn(values, dice), redrawn(reference, dice));
        Self::bootstrap(values, reference, drawings, seed, draw)
    }

    fn bootstrap(
        values: &[f64],
        reference: &[f64],
        drawings: usize,
        seed: u64,
        draw: impl Fn(&mut Dice) -> (Vec<f64>, Vec<f64>),
    ) -> Option<Self> {
        if values.len().min(reference.len()) < FEWEST {
            return None;
        }
        let mut dice = Dice::of(seed, StreamPurpose::World, 0, 0);
        let ratio = |(mut values, mut reference): (Vec<f64>, Vec<f64>)| {
            let ratio = median(&mut values)? / median(&mut reference)?;
            (ratio.is_finite() && ratio > 0.0).then_some(ratio)
        };
        let seen = ratio((values.to_vec(), reference.to_vec()))?;
        let drawn: Option<Vec<f64>> = (0..drawings).map(|_| ratio(draw(&mut dice))).collect();
        let drawn = sorted(&drawn?);
        let outside = (1.0 - CONFIDENCE) / 2.0;
        Some(Self {
            ratio: seen,
            low: quantile(&drawn, outside),
            high: quantile(&drawn, 1.0 - outside),
        })
    }

    /// Whether the interval leaves open that there is no difference, or shows that the difference is smaller than this
    /// share.
    #[doc(hidden)]
    #[must_use]
    pub fn is_within(&self, share: f64) -> bool {
        self.low <= 1.0 + share && self.high >= 1.0 - share
    }
}

/// How often so many values are drawn again.
fn drawings(count: usize) -> usize {
    (MOST_DRAWN / count.max(1)).clamp(FEWEST_RESAMPLES, MOST_RESAMPLES)
}

fn redrawn(values: &[f64], dice: &mut Dice) -> Vec<f64> {
    let rng = dice.rng();
    (0..values.len()).filter_map(|_| values.choose(rng).copied()).collect()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The value below which this share of sorted values lies; between two of them in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(below), sorted.get(above)) {
        (Some(low), Some(high)) => low + (high - low) * (place - place.floor()),
        _ => f64::NAN,
    }
}

/// The median, of values that are put in another order.
fn median(values: &mut [f64]) -> Option<f64> {
    let (count, middle) = (values.len(), values.len() / 2);
    if count == 0 {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_five_numbers_are_those_of_r() {
        // quantile(c(7, 15, 36, 39, 40, 41)) in R.
        let numbers = FiveNumbers::of(&[41.0, 7.0, 40.0, 15.0, 39.0, 36.0]).unwrap();
        let FiveNumbers { min, lower_quartile, median, upper_quartile, max } = numbers;
        assert_eq!(
            [min, lower_quartile, median, upper_quartile, max],
            [7.0, 20.25, 37.5, 39.75, 41.0]
        );
        assert_eq!(numbers.iqr(), 19.5);
        assert_eq!(FiveNumbers::of(&[]), None);
        assert_eq!(FiveNumbers::of(&[3.0]).unwrap().median, 3.0);
    }

    #[test]
    fn an_outlier_is_named_by_its_place_and_by_how_far_it_lies_beyond_the_fences() {
        // Quartiles 11 and 13: mild beyond 8 and 16, severe beyond 5 and 19.
        let values = [10.0, 11.0, 11.0, 12.0, 12.0, 13.0, 13.0, 16.5, 4.0];
        let numbers = FiveNumbers::of(&values).unwrap();
        assert_eq!((numbers.lower_quartile, numbers.upper_quartile), (11.0, 13.0));
        let found: Vec<(u32, Severity)> =
            outliers(&values).iter().map(|one| (one.number, one.severity)).collect();
        assert_eq!(found, [(8, Severity::Mild), (9, Severity::Severe)]);
        assert_eq!(outliers(&[5.0; 9]), []);
    }

    #[test]
    fn values_that_never_differ_have_a_ratio_that_is_certain() {
        let ratio = Ratio::paired(&[30.0; 8], &[20.0; 8], 1).unwrap();
        assert_eq!((ratio.ratio, ratio.low, ratio.high), (1.5, 1.5, 1.5));
        assert!(!ratio.is_within(0.01) && ratio.is_within(0.5));
    }

    #[test]
    fn there_is_no_interval_of_too_few_values_and_no_ratio_to_zero() {
        assert_eq!(Ratio::paired(&[1.0; FEWEST - 1], &[1.0; FEWEST - 1], 1), None);
        assert_eq!(Ratio::unpaired(&[1.0; FEWEST], &[1.0; FEWEST - 1], 1), None);
        assert_eq!(Ratio::paired(&[1.0; 9], &[0.0; 9], 1), None);
        assert_eq!(Ratio::paired(&[0.0; 9], &[1.0; 9], 1), None);
    }

    #[test]
    fn what_disturbs_both_of_a_pair_widens_the_interval_only_where_they_are_not_paired() {
        // The machine becomes three times as slow half way.
        let reference: Vec<f64> = (0..20)
            .map(|round| if round < 10 { 100.0 } else { 300.0 } + f64::from(round))
            .collect();
        let values: Vec<f64> = reference.iter().map(|value| value * 1.2).collect();
        let paired = Ratio::paired(&values, &reference, 7).unwrap();
        let unpaired = Ratio::unpaired(&values, &reference, 7).unwrap();
        assert!((paired.low - 1.2).abs() < 1e-9 && (paired.high - 1.2).abs() < 1e-9, "{paired:?}");
        assert!(unpaired.low < 0.7 && unpaired.high > 1.7, "{unpaired:?}");
    }

    /// Values as measured times are: a few times as long as usual now and then.
    fn measured(trial: u32, count: usize, scale: f64) -> Vec<f64> {
        let mut dice = Dice::of(11, StreamPurpose::World, trial, 1);
        let rng = dice.rng();
        let one = |_| {
            let (one, other): (f64, f64) = (rng.random_range(0.0..1.0), rng.random_range(0.0..1.0));
            scale * (1.0 + 0.2 * one + if other > 0.9 { 3.0 * one } else { 0.0 })
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn of_a_hundred_intervals_of_two_equals_about_five_leave_out_one() {
        for count in [FEWEST, 20] {
            let trials = 200;
            let wrong = (0..trials)
                .filter(|trial| {
                    let values = measured(2 * trial, count, 1.0);
                    let reference = measured(2 * trial + 1, count, 1.0);
                    let paired = Ratio::paired_by(300, &values, &reference, 3).unwrap();
                    paired.low > 1.0 || paired.high < 1.0
                })
                .count();
            assert!(wrong * 100 <= 8 * trials as usize, "{wrong} of {trials} with {count} values");
        }
    }

    #[test]
    fn a_difference_of_a_third_is_seen_in_twenty_values() {
        let seen = (0..100)
            .filter(|trial| {
                let values = measured(2 * trial, 20, 1.33);
                let reference = measured(2 * trial + 1, 20, 1.0);
                !Ratio::paired_by(300, &values, &reference, 3).unwrap().is_within(0.01)
            })
            .count();
        assert!(seen > 95, "{seen} of 100");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn the_ratio_lies_in_its_interval_and_of_identical_values_both_are_one(
            values in prop::collection::vec(1.0..1e9_f64, FEWEST..30),
            seed in any::<u64>(),
        ) {
            let one = Ratio::paired(&values, &values, seed).unwrap();
            prop_assert_eq!((one.ratio, one.low, one.high), (1.0, 1.0, 1.0));
            let apart = Ratio::unpaired(&values, &values, seed).unwrap();
            prop_assert!(apart.low <= 1.0 && apart.high >= 1.0, "{:?}", apart);
        }

        #[test]
        fn a_unit_of_measurement_changes_no_ratio(
            pairs in prop::collection::vec((1.0..1e6_f64, 1.0..1e6_f64), FEWEST..30),
            // A power of two, so that nothing is rounded.
            power in -20..20_i32,
        ) {
            let (values, reference): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let scaled = |values: &[f64]| -> Vec<f64> {
                values.iter().map(|value| value * 2_f64.powi(power)).collect()
            };
            prop_assert_eq!(
                Ratio::paired_by(500, &values, &reference, 5),
                Ratio::paired_by(500, &scaled(&values), &scaled(&reference), 5)
            );
            let numbers = FiveNumbers::of(&values).unwrap();
            let of_scaled = FiveNumbers::of(&scaled(&values)).unwrap();
            prop_assert_eq!(of_scaled.median, numbers.median * 2_f64.powi(power));
            prop_assert_eq!(outliers(&values).len(), outliers(&scaled(&values)).len());
        }

        #[test]
        fn the_larger_of_two_has_the_inverse_ratio(
            pairs in prop::collection::vec((1.0..1e6_f64, 1.0..1e6_f64), FEWEST..30),
        ) {
            let (values, reference): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let there = Ratio::paired_by(500, &values, &reference, 5).unwrap();
            let back = Ratio::paired_by(500, &reference, &values, 5).unwrap();
            prop_assert!((there.ratio * back.ratio - 1.0).abs() < 1e-9);
            prop_assert!(there.low <= there.high);
        }
    }
}
