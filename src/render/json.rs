//! A report as JSON, described field by field in `docs/reference/report.md`.

use serde::Serialize;

use crate::base::error::Error;
use crate::base::text::printable::printable_json;
use crate::explore::StateGraph;

/// The whole report, indented, with a newline at the end.
///
/// # Errors
/// [`Error::World`] if the report holds what JSON cannot.
pub fn json(report: &impl Serialize) -> Result<String, Error> {
    whole(serde_json::to_string_pretty(report))
}

/// The states of a search for programs, on one long line.
///
/// # Errors
/// As [`json`].
pub fn state_graph(graph: &StateGraph) -> Result<String, Error> {
    whole(serde_json::to_string(graph))
}

fn whole(written: serde_json::Result<String>) -> Result<String, Error> {
    written
        .map(|text| printable_json(text) + "\n")
        .map_err(|error| Error::world(format!("cannot write the report as JSON: {error}")))
}
