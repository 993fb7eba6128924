//! Figures by which runs can be ranked: times, rates and what contention costs.

use serde::Serialize;

use super::report::{Figures, METRICS, Metric, MetricValue};
use crate::base::text::nearest::{did_you_mean, shown};

/// Figures that are no times and still cost something.
const COSTS: [&str; 10] = [
    "attempts",
    "retries",
    "conflicts",
    "retries_per_sale",
    "wasted_work",
    "cas_failures",
    "version_conflicts",
    "lock_acquisitions",
    "lock_waits",
    "pool_waits",
];

/// The one rate.
const RATE: &str = "checkouts_per_second";

/// Which values of a figure are the better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
}

/// A figure by which runs are ranked.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// The figure.
    pub metric: &'static Metric,
    /// Which of its values are better.
    pub better: Better,
}

impl Gauge {
    /// The gauge that goes without saying.
    pub const DEFAULT: &'static str = "elapsed";

    /// The figure of this name.
    ///
    /// # Errors
    /// A sentence that says why it is none, with the nearest right name.
    pub fn parse(name: &str) -> Result<Self, String> {
        let gauges = METRICS.iter().filter_map(Self::of);
        let known: Vec<Self> = gauges.collect();
        if let Some(gauge) = known.iter().find(|gauge| gauge.metric.name == name) {
            return Ok(*gauge);
        }
        if METRICS.iter().any(|metric| metric.name == name) {
            return Err(format!(
                "`{name}` is no time, rate or cost, so that neither more nor less of it is better; name one such \
                 as elapsed, latency.p99, checkouts_per_second or conflicts"
            ));
        }
        let names = known.iter().map(|gauge| gauge.metric.name);
        Err(format!(
            "no figure named `{}`{}; name one such as elapsed, latency.p99, checkouts_per_second or conflicts",
            shown(name),
            did_you_mean(name, names)
        ))
    }

    fn of(metric: &'static Metric) -> Option<Self> {
        // The figure's value in an empty run tells its kind.
        let better = match (metric.value)(&Figures::default()) {
            MetricValue::Nanos(_) => Better::Lower,
            _ if metric.name == RATE => Better::Higher,
            _ if COSTS.contains(&metric.name) => Better::Lower,
            _ => return None,
        };
        Some(Self { metric, better })
    }

    /// Its value in a round.
    #[must_use]
    pub fn value(&self, figures: &Figures) -> f64 {
        (self.metric.value)(figures).number()
    }

    /// Whether it tells how fast something is.
    #[must_use]
    pub fn is_speed(&self) -> bool {
        self.metric.unit == "ns" || self.metric.name == RATE
    }

    /// How much worse a ratio is than 1, as a share: of a time that is one and a half times as long, 0.5. Below zero
    /// for what is better.
    #[must_use]
    pub fn worsening(&self, ratio: f64) -> f64 {
        match self.better {
            Better::Lower => ratio - 1.0,
            Better::Higher => 1.0 - ratio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cost_is_a_figure_and_what_is_no_cost_is_refused() {
        for name in COSTS.into_iter().chain([RATE, Gauge::DEFAULT, "latency.p99", "lock_wait.max"])
        {
            assert_eq!(Gauge::parse(name).unwrap().metric.name, name);
        }
        assert_eq!(Gauge::parse(RATE).unwrap().better, Better::Higher);
        assert!(Gauge::parse("winners").unwrap_err().contains("is no time, rate or cost"));
        assert!(Gauge::parse("latency.p9").unwrap_err().contains("did you mean `latency.p90`?"));
    }

    #[test]
    fn half_as_many_a_second_is_as_much_worse_as_half_of_them() {
        assert_eq!(Gauge::parse("elapsed").unwrap().worsening(1.5), 0.5);
        assert_eq!(Gauge::parse(RATE).unwrap().worsening(0.5), 0.5);
    }
}
