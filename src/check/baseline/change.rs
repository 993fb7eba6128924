//! What has become worse since an earlier report, and what has not.

use serde::Serialize;

use super::written::Entry;
use crate::base::statistics::{FEWEST, FiveNumbers, Ratio};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::percent;

/// The times that every report has of each round.
const TIMES: [&str; 5] = ["elapsed", "latency.p50", "latency.p90", "latency.p99", "latency.max"];

/// How much worse a time may become.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MaxRegression {
    /// Which time.
    pub metric: &'static str,
    /// The share by which its median may rise.
    pub share: f64,
}

impl MaxRegression {
    /// Reads `10%`, of the time elapsed, or `latency.p99=10%`. `share` reads the share.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    #[doc(hidden)]
    pub fn parse(text: &str, share: impl Fn(&str) -> Result<f64, String>) -> Result<Self, String> {
        let (name, limit) = text.split_once('=').unwrap_or((TIMES[0], text));
        let name = name.trim();
        let metric = TIMES.into_iter().find(|time| *time == name).ok_or_else(|| {
            let near = did_you_mean(name, TIMES);
            format!("no time named `{}`{near}; there are {}", shown(name), TIMES.join(", "))
        })?;
        Ok(Self { metric, share: share(limit)? })
    }
}

/// What came of a run that was held against an earlier report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AgainstBaseline {
    /// The file of the earlier report.
    pub file: String,
    /// The version of the tool that wrote it.
    pub version: String,
    /// How much worse a time may become; none if only findings are judged.
    pub max_regression: Option<MaxRegression>,
    /// What else differs from then.
    pub remarks: Vec<String>,
    /// Each run beside its earlier one.
    pub runs: Vec<Change>,
}

/// A run beside an earlier one.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Change {
    /// The run's strategy, or the contender's name.
    pub name: String,
    /// Where the earlier times lie, in ns; none if only findings are judged.
    pub before: Option<FiveNumbers>,
    /// Where those of this run lie.
    pub now: Option<FiveNumbers>,
    /// How many times as large the median is as it was.
    pub ratio: Option<Ratio>,
    /// Findings that there were not before.
    pub new_findings: Vec<String>,
    /// Findings that are seen no more.
    pub gone_findings: Vec<String>,
    /// What it comes to.
    pub verdict: Verdict,
    /// The same in words.
    pub why: String,
}

/// What a change comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Something is found that was not before.
    NewFinding,
    /// It has certainly become slower, by more than is allowed as far as can be told.
    Regressed,
    /// It has certainly become slower, by less than that.
    Slower,
    /// The interval leaves open that there is no difference.
    WithinNoise,
    /// It has certainly become faster.
    Faster,
    /// Times are not judged.
    NotJudged,
    /// The run could not have shown a regression.
    Unproven,
}

impl Verdict {
    /// Whether a run with this verdict falls short.
    #[must_use]
    pub fn falls_short(self) -> bool {
        matches!(self, Self::NewFinding | Self::Regressed | Self::Unproven)
    }

    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NewFinding => "new finding",
            Self::Regressed => "REGRESSED",
            Self::Slower => "slower",
            Self::WithinNoise => "within the noise",
            Self::Faster => "faster",
            Self::NotJudged => "not judged",
            Self::Unproven => "unproven",
        }
    }
}

impl AgainstBaseline {
    /// Whether nothing has become worse.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.runs.iter().all(|change| !change.verdict.falls_short())
    }
}

/// A run beside its earlier one.
pub(super) fn change(
    before: &Entry,
    now: &Entry,
    limit: Option<MaxRegression>,
    allows_incomplete: bool,
    seed: u64,
) -> Change {
    let (then, kinds) = (before.kinds(), now.kinds());
    let without = |kinds: &[String], others: &[String]| -> Vec<String> {
        kinds.iter().filter(|kind| !others.contains(kind)).cloned().collect()
    };
    let (new_findings, gone_findings) = (without(&kinds, &then), without(&then, &kinds));
    let times = limit.map(|limit| (before.times(limit.metric), now.times(limit.metric)));
    let ratio = times.as_ref().and_then(|(then, now)| Ratio::unpaired(now, then, seed));
    let incomplete = now.run.incomplete.as_ref().filter(|_| !allows_incomplete);
    let (verdict, why) = match (limit, ratio) {
        _ if !new_findings.is_empty() => {
            (Verdict::NewFinding, format!("not found before: {}", new_findings.join(", ")))
        }
        _ if incomplete.is_some() => {
            let why = incomplete.map_or("", String::as_str);
            (Verdict::Unproven, format!("{why} (--allow-incomplete accepts it)"))
        }
        (None, _) => (Verdict::NotJudged, "no new finding; times are not judged".to_owned()),
        (Some(_), _) if before.is_broken() && !now.is_broken() => {
            let why = "the earlier run was broken, and what it left out costs time";
            (Verdict::NotJudged, why.to_owned())
        }
        (Some(limit), Some(ratio)) => judged(&ratio, limit),
        (Some(_), None) => {
            (Verdict::Unproven, format!("fewer than {FEWEST} whole rounds were raced"))
        }
    };
    let numbers = |values: Option<&Vec<f64>>| values.and_then(|values| FiveNumbers::of(values));
    Change {
        name: now.name.clone(),
        before: numbers(times.as_ref().map(|(then, _)| then)),
        now: numbers(times.as_ref().map(|(_, now)| now)),
        ratio,
        new_findings,
        gone_findings,
        verdict,
        why,
    }
}

/// What a ratio of times comes to. More than is allowed is what the medians show, if it is certain that there is any
/// difference: how much it really is lies in the interval.
fn judged(ratio: &Ratio, limit: MaxRegression) -> (Verdict, String) {
    let allowed = percent(limit.share);
    let metric = limit.metric;
    if ratio.low > 1.0 && ratio.ratio > 1.0 + limit.share {
        (Verdict::Regressed, format!("{metric} has risen by more than {allowed}"))
    } else if ratio.low > 1.0 {
        (Verdict::Slower, format!("{metric} has risen, by no more than {allowed}"))
    } else if ratio.high < 1.0 {
        (Verdict::Faster, format!("{metric} has fallen"))
    } else if ratio.high > 1.0 + limit.share {
        let why = format!(
            "no difference is certain, and the noise is larger than {allowed}: more --rounds would show more"
        );
        (Verdict::WithinNoise, why)
    } else {
        (Verdict::WithinNoise, format!("{metric} has not risen by more than {allowed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: MaxRegression = MaxRegression { metric: "elapsed", share: 0.1 };

    #[test]
    fn a_regression_is_a_rise_beyond_the_limit_that_is_certain() {
        for (ratio, low, high, verdict) in [
            (1.3, 1.05, 1.5, Verdict::Regressed),
            (1.3, 0.95, 1.5, Verdict::WithinNoise),
            (1.05, 1.01, 1.08, Verdict::Slower),
            (1.0, 0.98, 1.02, Verdict::WithinNoise),
            (0.8, 0.7, 0.9, Verdict::Faster),
        ] {
            assert_eq!(judged(&Ratio { ratio, low, high }, TEN).0, verdict, "{ratio}");
        }
        let wide = judged(&Ratio { ratio: 1.0, low: 0.5, high: 2.0 }, TEN).1;
        assert!(wide.contains("the noise is larger than 10.0 %"), "{wide}");
    }

    #[test]
    fn a_limit_names_its_time_or_means_the_time_elapsed() {
        let share = |text: &str| text.trim_end_matches('%').parse().map_err(|_| "share".to_owned());
        let parse = |text: &str| MaxRegression::parse(text, share);
        assert_eq!(parse("10%").unwrap().metric, "elapsed");
        assert_eq!(parse("latency.p99=10%").unwrap().metric, "latency.p99");
        assert!(parse("latency.p9=10%").unwrap_err().contains("did you mean `latency.p90`?"));
        assert!(parse("latency.p99=much").is_err());
    }
}
