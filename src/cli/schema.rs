//! `schema`: the JSON schema of the reports.

use crate::base::error::Error;

use super::Ended;
use super::output::to_stdout;

/// As `examples/schema.rs` has written it.
const SCHEMA: &str = include_str!("../../docs/reference/report.schema.json");

pub(crate) fn run() -> Result<Ended, Error> {
    to_stdout(SCHEMA).map(|()| Ended::Well)
}
