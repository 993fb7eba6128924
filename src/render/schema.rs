//! The JSON schema of the reports, from their types. It is kept in a file, which this test compares; to write it anew after a
//! report has changed:
//!
//! ```sh
//! REWRITE_SCHEMA=1 cargo test --lib the_schema_that_is_kept
//! ```

use std::{env, fs};

use super::json;

/// Every report that is written as JSON.
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

/// The schema of all reports, in JSON Schema's form of 2020-12.
fn schema() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = json(&settings.into_generator().into_root_schema_for::<AnyReport>()).unwrap();
    without_links(without_examples(schema))
}

/// Documentation without the examples in it, which are for readers of the code.
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

#[test]
fn the_schema_that_is_kept_is_the_one_of_the_types() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/report.schema.json");
    let schema = schema();
    if env::var_os("REWRITE_SCHEMA").is_some() {
        fs::write(file, &schema).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap();
    let lines = || kept.lines().zip(schema.lines());
    let differs = lines().find(|(kept, now)| kept != now);
    assert_eq!(
        differs, None,
        "the first line that is another; REWRITE_SCHEMA=1 writes the file anew"
    );
    assert_eq!(kept.len(), schema.len());
}
