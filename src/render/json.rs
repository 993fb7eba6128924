//! A report as JSON, described field by field in `docs/report.md`.

use serde::Serialize;

use crate::error::Error;

/// The whole report, indented, with a newline at the end.
///
/// # Errors
/// [`Error::World`], should the report hold what JSON cannot.
pub fn json(report: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(report)
        .map(|text| text + "\n")
        .map_err(|error| Error::world(format!("cannot write the report as JSON: {error}")))
}
