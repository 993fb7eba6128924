//! The report as CSV: one line for each strategy, one column for each figure, in the units of `docs/reference/report.md`.

use crate::base::error::Error;
use crate::check::report::{METRICS, MetricValue, Report, Run};

/// The figures of every run, with a header.
///
/// # Errors
/// [`Error::World`] if the text cannot be written.
pub fn csv(report: &Report) -> Result<String, Error> {
    let names = METRICS.iter().map(|metric| metric.name);
    let header: Vec<&str> =
        ["strategy", "store", "evidence", "rounds"].into_iter().chain(names).collect();
    lines(&header, report.runs.iter().map(|run| record(report, run)))
}

/// A header, and the lines below it.
pub(super) fn lines(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::world(format!("cannot write the report as CSV: {error}"))
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn record(report: &Report, run: &Run) -> Vec<String> {
    let figure = |value| match value {
        MetricValue::Count(number) => number.to_string(),
        MetricValue::Nanos(nanos) => nanos.to_string(),
        MetricValue::Share(number) | MetricValue::Ratio(number) => number.to_string(),
    };
    let first = [
        run.strategy.clone(),
        report.store.to_owned(),
        run.evidence.word().to_owned(),
        run.rounds.to_string(),
    ];
    first
        .into_iter()
        .chain(METRICS.iter().map(|metric| figure((metric.value)(&run.figures))))
        .collect()
}
