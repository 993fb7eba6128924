//! An earlier report, against which a run is held: what is found now and was not before, and what takes longer.
//!
//! Both sides are read from the form in which reports are written, that of a race or of a comparison. Times are judged by
//! those of single rounds, which were measured at different times: the interval knows of no pairs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::{Evidence, SCHEMA};
use crate::base::error::Error;
use crate::base::machine::Machine;
use crate::base::statistics::{FEWEST, FiveNumbers, Ratio};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::percent;
use crate::domain::settings::Settings;

/// Settings that may be others: what they change is chance, or how sure a difference is.
const FREE: [&str; 2] = ["seed", "rounds"];

/// What a described checkout's shop decides, and is known only when it is open.
const OF_SHOP: [&str; 2] = ["items", "stock"];

/// The largest report that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// The times that every report has of each round.
const TIMES: [&str; 5] = ["elapsed", "latency.p50", "latency.p90", "latency.p99", "latency.max"];

/// How much worse a time may become.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// An earlier report.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: String,
    version: String,
    machine: Option<Measurer>,
    entries: Vec<Entry>,
}

/// What came of a run that was held against an earlier report.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// A report in a file, as far as a baseline needs it.
#[derive(Deserialize)]
struct Written {
    schema: u32,
    version: String,
    world: String,
    #[serde(default)]
    machine: Option<Measurer>,
    #[serde(default)]
    warmup: usize,
    store: Option<String>,
    #[serde(default)]
    server: Option<String>,
    settings: Option<BTreeMap<String, Value>>,
    runs: Option<Vec<WrittenRun>>,
    contenders: Option<Vec<WrittenContender>>,
}

/// The machine that a report names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Measurer {
    os: String,
    arch: String,
    cores: usize,
}

#[derive(Deserialize)]
struct WrittenContender {
    name: String,
    store: String,
    server: Option<String>,
    settings: BTreeMap<String, Value>,
    run: WrittenRun,
}

#[derive(Clone, Debug, Deserialize)]
struct WrittenRun {
    strategy: String,
    evidence: String,
    incomplete: Option<String>,
    findings: Vec<WrittenFinding>,
    #[serde(default)]
    round_times: Vec<WrittenTimes>,
}

#[derive(Clone, Debug, Deserialize)]
struct WrittenFinding {
    kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct WrittenTimes {
    elapsed: u64,
    latency: WrittenSpread,
}

#[derive(Clone, Debug, Deserialize)]
struct WrittenSpread {
    p50: u64,
    p90: u64,
    p99: u64,
    max: u64,
}

/// A run of a report, with its settings.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    store: String,
    server: Option<String>,
    settings: BTreeMap<String, Value>,
    run: WrittenRun,
}

impl Entry {
    fn level(&self) -> &str {
        self.settings.get("isolation").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether another is a run of the same checkout at the same store and level.
    fn is_like(&self, other: &Self) -> bool {
        (&self.run.strategy, &self.store, self.level())
            == (&other.run.strategy, &other.store, other.level())
    }

    /// What it is called among others.
    fn title(&self) -> String {
        format!("{} on {}", self.run.strategy, self.store)
    }

    fn times(&self, metric: &str) -> Vec<f64> {
        let time = |times: &WrittenTimes| match metric {
            "latency.p50" => times.latency.p50,
            "latency.p90" => times.latency.p90,
            "latency.p99" => times.latency.p99,
            "latency.max" => times.latency.max,
            _ => times.elapsed,
        };
        self.run.round_times.iter().map(|times| time(times) as f64).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.run.findings.iter().map(|found| found.kind.clone()).collect()
    }

    fn is_broken(&self) -> bool {
        self.run.evidence == Evidence::Broken.word()
    }

    fn proves_nothing(&self) -> bool {
        self.run.evidence == Evidence::Vacuous.word()
    }
}

impl Written {
    /// The runs, without the times of a warm-up.
    fn entries(self) -> Vec<Entry> {
        let settings = self.settings.unwrap_or_default();
        let (store, server) = (self.store.unwrap_or_default(), self.server);
        let of_race = self.runs.into_iter().flatten().map(|run| Entry {
            name: run.strategy.clone(),
            store: store.clone(),
            server: server.clone(),
            settings: settings.clone(),
            run,
        });
        let of_comparison = self.contenders.into_iter().flatten().map(|mut one| {
            one.run.round_times.drain(..self.warmup.min(one.run.round_times.len()));
            Entry {
                name: one.name,
                store: one.store,
                server: one.server,
                settings: one.settings,
                run: one.run,
            }
        });
        of_race.chain(of_comparison).collect()
    }
}

impl Baseline {
    /// Reads an earlier report.
    ///
    /// # Errors
    /// [`Error::Input`] for a file that cannot be read, or that holds no report of a race or of a comparison.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown_path = path.display();
        let refused = |why: &str| Error::input(format!("--baseline {shown_path}: {why}"));
        let size = path.metadata().map_err(|error| refused(&error.to_string()))?.len();
        if size > LARGEST {
            return Err(refused("it is larger than 1 GB, and no report that this tool writes"));
        }
        let text = std::fs::read(path).map_err(|error| refused(&error.to_string()))?;
        Self::parse(&shown_path.to_string(), &text).map_err(|why| refused(&why))
    }

    /// Reads an earlier report's text; `path` is for messages.
    ///
    /// # Errors
    /// A sentence that says why it is none.
    pub fn parse(path: &str, text: &[u8]) -> Result<Self, String> {
        const REMAKE: &str = "make one with `race` or `compare` and --format json";
        let written: Written = serde_json::from_slice(text).map_err(|error| {
            format!("it is no JSON report of a race or a comparison ({error}); {REMAKE}")
        })?;
        if written.schema != SCHEMA {
            return Err(format!(
                "its form is version {}, and this tool reads version {SCHEMA}; {REMAKE}",
                written.schema
            ));
        }
        if written.world != "threads" || written.runs.is_some() == written.contenders.is_some() {
            return Err(format!("it is no report of a race or a comparison; {REMAKE}"));
        }
        let (version, machine) = (written.version.clone(), written.machine.clone());
        let entries = written.entries();
        if let Some(one) = entries.iter().find(|one| one.proves_nothing()) {
            let why = one.run.incomplete.as_deref().unwrap_or("nothing could have been found");
            return Err(format!("its run of {} proves nothing: {why}", one.title()));
        }
        Ok(Self { path: path.to_owned(), version, machine, entries })
    }

    fn refused(&self, why: &str) -> Error {
        Error::input(format!("--baseline {}: {why}", self.path))
    }

    /// Checks, before anything is raced, that there is something to hold these runs against: each the name of a strategy,
    /// its settings, and whether its shop decides on products and stock.
    ///
    /// # Errors
    /// [`Error::Input`] that says what differs, and what to change.
    pub fn check<'a>(
        &self,
        runs: impl IntoIterator<Item = (&'a str, &'a Settings, bool)>,
        rounds: u32,
        limit: Option<MaxRegression>,
    ) -> Result<(), Error> {
        if let (Some(limit), true) = (limit, (rounds as usize) < FEWEST) {
            return Err(Error::input(format!(
                "--baseline: to judge {} takes at least {FEWEST} rounds; add --rounds 20, or judge findings alone with \
                 --max-regression none",
                limit.metric
            )));
        }
        for (strategy, settings, is_described) in runs {
            let run = WrittenRun {
                strategy: strategy.to_owned(),
                evidence: String::new(),
                incomplete: None,
                findings: Vec::new(),
                round_times: Vec::new(),
            };
            let settings = settings.in_effect();
            let store = settings.store.name().to_owned();
            let settings = serde_json::to_value(&settings)
                .and_then(serde_json::from_value)
                .map_err(|error| Error::world(format!("cannot write the settings: {error}")))?;
            let now = Entry { name: String::new(), store, server: None, settings, run };
            let free: &[&str] = if is_described { &OF_SHOP } else { &[] };
            self.earlier(&now, limit, free)?;
        }
        self.check_machine(limit)
    }

    /// The earlier run that this one is held against.
    fn earlier(
        &self,
        now: &Entry,
        limit: Option<MaxRegression>,
        free: &[&str],
    ) -> Result<&Entry, Error> {
        let Some(before) = self.entries.iter().find(|one| one.is_like(now)) else {
            let known: Vec<String> = self.entries.iter().map(Entry::title).collect();
            return Err(self.refused(&format!(
                "it has no run of {}{}; it has {}",
                now.title(),
                match now.level() {
                    "" => String::new(),
                    level => format!(" at {level}"),
                },
                known.join(", ")
            )));
        };
        for (name, value) in &now.settings {
            let is_free = FREE.contains(&name.as_str()) || free.contains(&name.as_str());
            let then = before.settings.get(name).unwrap_or(&Value::Null);
            if !is_free && then != value {
                return Err(self.refused(&format!(
                    "{} was measured with `{}` {then}, and here it is {value}; race with the same settings, or make a \
                     new baseline",
                    before.title(),
                    name.replace('_', "-")
                )));
            }
        }
        let rounds = before.run.round_times.len();
        if limit.is_some() && rounds < FEWEST {
            return Err(self.refused(&format!(
                "it has the times of {rounds} rounds of {}, and it takes {FEWEST}; make it with --rounds 20, or judge \
                 findings alone with --max-regression none",
                before.title()
            )));
        }
        Ok(before)
    }

    /// Refuses to judge times of another machine.
    fn check_machine(&self, limit: Option<MaxRegression>) -> Result<(), Error> {
        match (self.other_machine(), limit) {
            (Some(other), Some(_)) => Err(self.refused(&format!(
                "{other}; make a new baseline here, or judge findings alone with --max-regression none"
            ))),
            _ => Ok(()),
        }
    }

    fn other_machine(&self) -> Option<String> {
        let then = self.machine.as_ref()?;
        let Machine { os, arch, cores } = Machine::this();
        let is_this = (then.os.as_str(), then.arch.as_str(), then.cores) == (os, arch, cores);
        (!is_this).then(|| {
            format!(
                "it was measured on {} {} with {} cores, and this is {os} {arch} with {cores}",
                then.os, then.arch, then.cores
            )
        })
    }

    /// Holds a report, or a comparison, against the earlier one.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn hold(
        &self,
        report: &impl Serialize,
        limit: Option<MaxRegression>,
        allows_incomplete: bool,
        seed: u64,
    ) -> Result<AgainstBaseline, Error> {
        let written: Written = serde_json::to_value(report)
            .and_then(serde_json::from_value)
            .map_err(|error| Error::world(format!("cannot write the report: {error}")))?;
        let mut remarks: Vec<String> = self.other_machine().into_iter().collect();
        if self.version != written.version {
            remarks.push(format!("it was written by version {}", self.version));
        }
        let mut runs = Vec::new();
        for now in written.entries() {
            let before = self.earlier(&now, limit, &[])?;
            if let (Some(then), Some(server)) = (&before.server, &now.server)
                && then != server
            {
                remarks.push(format!("{} was measured on {then}, and now on {server}", now.name));
            }
            runs.push(change(before, &now, limit, allows_incomplete, seed));
        }
        Ok(AgainstBaseline {
            file: self.path.clone(),
            version: self.version.clone(),
            max_regression: limit,
            remarks,
            runs,
        })
    }
}

/// A run beside its earlier one.
fn change(
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
