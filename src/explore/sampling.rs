//! Random schedules: which to run, and what was run.

use serde::Serialize;

use crate::scheduler::Method;

/// Which random schedules to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// The number of schedules.
    pub schedules: u64,
    /// How steps are chosen.
    pub method: Method,
    /// Whether to stop soon after a finding.
    pub until_found: bool,
}

/// The random schedules that were run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Sampled {
    /// Schedules run.
    pub schedules: u64,
    /// How many of these were cut off, since they would not end.
    pub endless: u64,
    /// Steps of the longest schedule.
    pub longest: u64,
    /// How their steps were chosen.
    pub method: Method,
    /// The least probability with which each schedule shows a bug of that depth; none for plain schedules, and if one
    /// was longer than the pilots.
    pub chance: Option<f64>,
}

/// The least probability with which each schedule of `clients` clients shows a bug of the method's depth, if pilots had
/// `steps` steps at most and schedules `longest`.
pub(super) fn chance(method: Method, clients: usize, steps: usize, longest: usize) -> Option<f64> {
    match method {
        // In a schedule longer than the pilots, no priority change could come at the last steps.
        Method::Pct { depth } if (1..=steps).contains(&longest) => {
            Some(1.0 / (clients as f64 * (steps as f64).powf(f64::from(depth) - 1.0)))
        }
        _ => None,
    }
}
