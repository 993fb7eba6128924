//! A sweep: races at every point of a grid of settings.
//!
//! `docs/reference/report.md` describes each field. Points and grids are written to a file line by line, and read back, so
//! that a sweep that was cut short goes on where it was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::{METRICS, Run, SCHEMA};
use crate::base::machine::Machine;
use crate::base::statistics::FiveNumbers;

/// A setting and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Dimension {
    /// The setting's name.
    pub name: String,
    /// Its values, as they stand behind its flag.
    pub values: Vec<String>,
}

impl Dimension {
    /// A setting with these values.
    #[must_use]
    pub fn new(name: &str, values: Vec<String>) -> Self {
        Self { name: name.to_owned(), values }
    }
}

/// What is swept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Grid {
    /// The strategies, or the checkout's file.
    pub strategies: Vec<String>,
    /// The settings that vary, the one that varies least often first.
    pub dimensions: Vec<Dimension>,
    /// The settings that do not vary, as a report has them.
    pub settings: BTreeMap<String, Value>,
}

/// Where a point lies: a strategy, and a value of each setting that varies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Place {
    /// Which point of the grid, counted from 1.
    pub number: u32,
    /// The strategy's name, or the checkout's file.
    pub strategy: String,
    /// The value of each setting that varies, by its name.
    pub at: BTreeMap<String, String>,
}

/// What was measured at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SweepPoint {
    /// Where it lies.
    #[serde(flatten)]
    pub place: Place,
    /// How far the verdict reaches.
    pub evidence: String,
    /// The kinds of what the audit proved wrong, the gravest first.
    pub findings: Vec<String>,
    /// Why it supports no claim that something is absent; none if it does.
    pub incomplete: Option<String>,
    /// The time elapsed in each round, in ns: the first 1,000.
    pub elapsed: Vec<u64>,
    /// Every figure, by its name: all rounds together.
    pub figures: BTreeMap<String, f64>,
}

/// A grid, and what was measured at its points.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Sweep {
    /// The version of this form.
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub version: &'static str,
    /// The world, which decided what happened next: `threads`.
    pub world: &'static str,
    /// The machine.
    pub machine: Machine,
    /// What was swept.
    pub grid: Grid,
    /// What was measured, in the order of the grid.
    pub points: Vec<SweepPoint>,
    /// Points that were not measured, since Ctrl-C came first.
    pub missing: u32,
    /// The command that runs the same sweep again.
    pub again: String,
}

impl Grid {
    /// A grid.
    #[must_use]
    pub fn new(
        strategies: Vec<String>,
        dimensions: Vec<Dimension>,
        settings: BTreeMap<String, Value>,
    ) -> Self {
        Self { strategies, dimensions, settings }
    }

    /// How many points there are.
    #[must_use]
    pub fn size(&self) -> usize {
        let sizes = self.dimensions.iter().map(|one| one.values.len());
        sizes.chain([self.strategies.len()]).fold(1, usize::saturating_mul)
    }

    /// Every point: the last setting varies most often, the strategy least often.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let mut all: Vec<(String, BTreeMap<String, String>)> =
            self.strategies.iter().map(|name| (name.clone(), BTreeMap::new())).collect();
        for dimension in &self.dimensions {
            let mut finer = Vec::new();
            for (strategy, at) in all {
                for value in &dimension.values {
                    let mut at = at.clone();
                    at.insert(dimension.name.clone(), value.clone());
                    finer.push((strategy.clone(), at));
                }
            }
            all = finer;
        }
        let numbered = all.into_iter().zip(1..);
        numbered.map(|((strategy, at), number)| Place { number, strategy, at }).collect()
    }
}

impl SweepPoint {
    /// What came of a run there.
    #[must_use]
    pub fn of(place: &Place, run: &Run) -> Self {
        let figure = |metric: &super::report::Metric| {
            (metric.name.to_owned(), (metric.value)(&run.figures).number())
        };
        Self {
            place: place.clone(),
            evidence: run.evidence.word().to_owned(),
            findings: run.findings.iter().map(|found| found.kind.name().to_owned()).collect(),
            incomplete: run.incomplete.clone(),
            elapsed: run.round_times.iter().map(|times| times.elapsed).collect(),
            figures: METRICS.iter().map(figure).collect(),
        }
    }

    /// Where the times of its rounds lie.
    #[must_use]
    pub fn numbers(&self) -> Option<FiveNumbers> {
        let elapsed: Vec<f64> = self.elapsed.iter().map(|nanos| *nanos as f64).collect();
        FiveNumbers::of(&elapsed)
    }
}

impl Sweep {
    /// A grid with what was measured of it.
    #[must_use]
    pub fn new(grid: Grid, points: Vec<SweepPoint>, again: String) -> Self {
        let missing = grid.size().saturating_sub(points.len()) as u32;
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            world: "threads",
            machine: Machine::this(),
            grid,
            points,
            missing,
            again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_varies_most_often() {
        let dimension = |name: &str, values: &[&str]| {
            Dimension::new(name, values.iter().map(|it| (*it).into()).collect())
        };
        let grid = Grid::new(
            vec!["cas".into(), "naive".into()],
            vec![dimension("stock", &["1", "10"]), dimension("buyers", &["2", "5", "9"])],
            BTreeMap::new(),
        );
        let places = grid.places();
        assert_eq!((places.len(), grid.size()), (12, 12));
        let said = |place: &Place| {
            format!("{} {} {}", place.strategy, place.at["stock"], place.at["buyers"])
        };
        let first: Vec<String> = places.iter().take(4).map(said).collect();
        assert_eq!(first, ["cas 1 2", "cas 1 5", "cas 1 9", "cas 10 2"]);
        assert_eq!((said(&places[11]), places[11].number), ("naive 10 9".into(), 12));
    }
}
