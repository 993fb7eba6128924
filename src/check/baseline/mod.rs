//! An earlier report, against which a run is held: what is found now and was not before, and what takes longer.
//!
//! Both sides are read from the form in which reports are written, that of a race or of a comparison. Times are judged by
//! those of single rounds, which were measured at different times: the interval knows of no pairs.

mod change;
mod written;

pub use change::{AgainstBaseline, Change, MaxRegression, Verdict};

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::report::SCHEMA;
use crate::base::error::Error;
use crate::base::machine::Machine;
use crate::base::statistics::FEWEST;
use crate::domain::settings::Settings;
use change::change;
use written::{Entry, Measurer, Written, WrittenRun};

/// Settings that may be others: what they change is chance, or how sure a difference is.
const FREE: [&str; 2] = ["seed", "rounds"];

/// What a described checkout's shop decides, and is known only when it is open.
const OF_SHOP: [&str; 2] = ["items", "stock"];

/// The largest report that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// An earlier report.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: String,
    version: String,
    machine: Option<Measurer>,
    entries: Vec<Entry>,
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
