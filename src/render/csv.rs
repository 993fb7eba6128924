//! The report as CSV: one line for each strategy, one column for each figure, in the units of `docs/reference/report.md`.

use crate::base::error::Error;
use crate::base::text::printable::printable;
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
        writer.write_record(row.iter().map(|value| cell(value))).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// A value that a spreadsheet takes for a text or a number, and never for a formula, which could run a program or send
/// what is in the table: one that begins as a formula does gets an apostrophe in front. A number stays a number, below
/// zero, too.
///
/// Source: OWASP, <https://owasp.org/www-community/attacks/CSV_Injection>.
fn cell(value: &str) -> String {
    // Before `printable`, which makes an escape of a tab.
    let is_formula =
        value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
    match is_formula && !is_number {
        true => format!("'{}", printable(value)),
        false => printable(value).into_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_a_text_and_a_number_stays_a_number() {
        for (value, written) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("-inf", "'-inf"),
            ("-3", "-3"),
            ("-0.5", "-0.5"),
            ("+4", "+4"),
            ("1e-7", "1e-7"),
            ("a\n=1", "a\\n=1"),
            ("cas", "cas"),
            ("", ""),
        ] {
            assert_eq!(cell(value), written);
        }
        let row = vec!["=1,2".to_owned(), "-3".to_owned()];
        assert_eq!(lines(&["name", "stock"], [row]).unwrap(), "name,stock\n\"'=1,2\",-3\n");
    }
}
