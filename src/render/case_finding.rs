//! A finding of a test case as annotations and SARIF show it: a sentence, and where in the code it is.

use serde::{Deserialize, Serialize};

use crate::base::text::code_location::CodeLocation;
use crate::check::report::{Found, Run};
use crate::domain::finding::FindingKind;
use crate::explore::FindingReport;

/// What was found in a test case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseFinding {
    /// Its kind.
    pub kind: FindingKind,
    /// What was found, why, and the command that shows it again.
    pub message: String,
    /// The places in the code that have to do with it, as far as tags of statements say so. At the first it can be
    /// repaired.
    pub places: Vec<CodePlace>,
}

/// A place in the code, and what happens there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodePlace {
    /// Where it is.
    pub code: CodeLocation,
    /// What happens there.
    pub what: String,
}

impl CaseFinding {
    /// A finding of a search.
    pub(super) fn of(report: &FindingReport) -> Self {
        let FindingReport { finding, why, again, .. } = report;
        let mut message = format!("{}: {}", finding.kind.title(), finding.proof);
        if let Some(why) = why {
            let why = why.to_string();
            let lines: Vec<&str> = why.lines().map(str::trim).collect();
            message += &format!("\n{}", lines.join("\n"));
        }
        message += &format!("\nagain: {again}");
        let places = why.iter().flat_map(|why| {
            let made = |code: &Option<CodeLocation>, who: &str, did: &str| {
                let what = format!("{who} {did} {}", why.table);
                code.clone().map(|code| CodePlace { code, what })
            };
            [
                made(&why.looked_in, &why.who, "reads"),
                made(&why.acted_in, &why.who, "writes"),
                made(&why.changed_in, &why.other, "writes"),
            ]
        });
        Self { kind: finding.kind, message, places: places.flatten().collect() }
    }

    /// A finding of a race, in which statements are not followed.
    pub(super) fn of_race(run: &Run, found: &Found) -> Self {
        let Found { kind, proof, .. } = found;
        let message = format!("{}: {proof}\nagain: {}", kind.title(), run.again);
        Self { kind: *kind, message, places: Vec::new() }
    }
}
