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

/// Every report that is written as JSON.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(title = "A report of oversell-sim")]
#[expect(dead_code, reason = "only its schema is read")]
enum AnyReport {
    /// Of `race` and `simulate`.
    Race(crate::check::report::Report),
    /// Of `compare`.
    Comparison(crate::check::comparison::Comparison),
    /// Of `sweep`.
    Sweep(crate::check::sweep::Sweep),
    /// Of `explore` and `replay`.
    Search(crate::explore::Exploration),
    /// Of `explore --buyers any`.
    AnyBuyers(crate::explore::AnyBuyers),
}

/// The schema of all reports, in JSON Schema's form of 2020-12. `docs/reference/report.schema.json` holds it.
///
/// # Errors
/// As [`json`].
#[cfg(feature = "schema")]
pub fn schema() -> Result<String, Error> {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    json(&settings.into_generator().into_root_schema_for::<AnyReport>())
        .map(without_examples)
        .map(without_links)
}

/// Documentation without the examples in it, which are for readers of the code.
#[cfg(feature = "schema")]
fn without_examples(mut text: String) -> String {
    // As JSON writes lines.
    const BEGINS: &str = r"\n\n```\n";
    const ENDS: &str = r"\n```";
    while let Some(start) = text.find(BEGINS) {
        let inside = start + BEGINS.len();
        let end = text[inside..].find(ENDS).map_or(inside, |end| inside + end + ENDS.len());
        text.replace_range(start..end, "");
    }
    text
}

/// Documentation without the targets of its links into the code: `[text](crate::…)` becomes `text`.
#[cfg(feature = "schema")]
fn without_links(mut text: String) -> String {
    while let Some(target) = text.find("](crate::") {
        let end = text[target..].find(')').map_or(text.len(), |end| target + end + 1);
        text.replace_range(target..end, "");
        if let Some(start) = text[..target].rfind('[') {
            text.remove(start);
        }
    }
    text
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
