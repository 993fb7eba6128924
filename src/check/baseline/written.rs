//! A report as it is written, as far as a baseline needs it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::check::report::Evidence;

/// A report in a file, as far as a baseline needs it.
#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) schema: u32,
    pub(super) version: String,
    pub(super) world: String,
    #[serde(default)]
    pub(super) machine: Option<Measurer>,
    #[serde(default)]
    pub(super) warmup: usize,
    pub(super) store: Option<String>,
    #[serde(default)]
    pub(super) server: Option<String>,
    pub(super) settings: Option<BTreeMap<String, Value>>,
    pub(super) runs: Option<Vec<WrittenRun>>,
    pub(super) contenders: Option<Vec<WrittenContender>>,
}

/// The machine that a report names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Measurer {
    pub(super) os: String,
    pub(super) arch: String,
    pub(super) cores: usize,
}

#[derive(Deserialize)]
pub(super) struct WrittenContender {
    pub(super) name: String,
    pub(super) store: String,
    pub(super) server: Option<String>,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) run: WrittenRun,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct WrittenRun {
    pub(super) strategy: String,
    pub(super) evidence: String,
    pub(super) incomplete: Option<String>,
    pub(super) findings: Vec<WrittenFinding>,
    #[serde(default)]
    pub(super) round_times: Vec<WrittenTimes>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct WrittenFinding {
    pub(super) kind: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct WrittenTimes {
    pub(super) elapsed: u64,
    pub(super) latency: WrittenSpread,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct WrittenSpread {
    p50: u64,
    p90: u64,
    p99: u64,
    pub(super) max: u64,
}

/// A run of a report, with its settings.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) store: String,
    pub(super) server: Option<String>,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) run: WrittenRun,
}

impl Entry {
    pub(super) fn level(&self) -> &str {
        self.settings.get("isolation").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether another is a run of the same checkout at the same store and level.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.run.strategy, &self.store, self.level())
            == (&other.run.strategy, &other.store, other.level())
    }

    /// What it is called among others.
    pub(super) fn title(&self) -> String {
        format!("{} on {}", self.run.strategy, self.store)
    }

    pub(super) fn times(&self, metric: &str) -> Vec<f64> {
        let time = |times: &WrittenTimes| match metric {
            "latency.p50" => times.latency.p50,
            "latency.p90" => times.latency.p90,
            "latency.p99" => times.latency.p99,
            "latency.max" => times.latency.max,
            _ => times.elapsed,
        };
        self.run.round_times.iter().map(|times| time(times) as f64).collect()
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.run.findings.iter().map(|found| found.kind.clone()).collect()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.run.evidence == Evidence::Broken.word()
    }

    pub(super) fn proves_nothing(&self) -> bool {
        self.run.evidence == Evidence::Vacuous.word()
    }
}

impl Written {
    /// The runs, without the times of a warm-up.
    pub(super) fn entries(self) -> Vec<Entry> {
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
