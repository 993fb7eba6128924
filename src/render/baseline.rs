//! A run beside an earlier one, as a table.

use super::comparison::{interval, measured, times};
use super::sections::Section;
use crate::base::statistics::FiveNumbers;
use crate::check::baseline::{AgainstBaseline, Change};

/// One row for each run.
pub(super) fn against(against: &AgainstBaseline) -> Section {
    let metric = against.max_regression.map_or("elapsed", |limit| limit.metric);
    let median = |numbers: Option<FiveNumbers>| {
        numbers.map(|numbers| measured(metric, numbers.median)).unwrap_or_default()
    };
    let row = |change: &Change| {
        vec![
            change.name.clone(),
            median(change.before),
            median(change.now),
            change.ratio.map(|ratio| times(ratio.ratio)).unwrap_or_default(),
            change.ratio.map(|ratio| interval(&ratio)).unwrap_or_default(),
            change.verdict.words().to_owned(),
        ]
    };
    Section {
        title: format!("Compared with {} ({metric})", against.file),
        columns: vec!["before", "now", "ratio", "95 % interval", "verdict"],
        rows: against.runs.iter().map(row).collect(),
    }
}

/// What a reader of the table must know.
pub(super) fn remarks(against: &AgainstBaseline) -> Vec<String> {
    let of = |change: &Change| {
        let gone = match &change.gone_findings[..] {
            [] => String::new(),
            all => format!("; no longer found: {}", all.join(", ")),
        };
        format!("{}: {}{gone}", change.name, change.why)
    };
    against.runs.iter().map(of).chain(against.remarks.iter().cloned()).collect()
}
