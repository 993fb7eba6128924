//! The permutations that a specification lists, and whether they give what is expected of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::describe::spec::Spec;
use crate::stores::isolation::IsolationServer;
use crate::worlds::spec::{Listed, run_listed};

/// The most variants of an expected output: `name_1.out` to `name_9.out`.
const VARIANTS: u32 = 9;

/// What came of the permutations of a specification.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SpecAgreement {
    /// The file.
    pub spec: String,
    /// The server, with its version.
    pub server: String,
    /// How many permutations were begun.
    pub permutations: u64,
    /// Whether all of them were run to their end.
    pub complete: bool,
    /// Whether the output is what is expected; none if no expected output was found.
    pub agrees: Option<bool>,
    /// The expected output that it was held against: the one that it is most like.
    pub expected: Option<String>,
    /// How it differs from that one, as a unified diff.
    pub difference: Option<String>,
    /// The output, in the form of PostgreSQL's isolation tester.
    pub output: String,
}

/// Runs the permutations that a file lists, or every order if it lists none, and compares their output with
/// `../expected/NAME.out` beside the file's folder, or one of its variants.
///
/// # Errors
/// When the server fails, or an expected output cannot be read.
pub(crate) fn run_permutations(
    spec: &Spec,
    server: &IsolationServer,
    monitor: &(dyn Monitor + Sync),
) -> Result<SpecAgreement, Error> {
    let expected = expected_outputs(spec)?;
    let Listed { output, permutations, is_complete, is_stopped } =
        run_listed(spec, server, monitor)?;
    // What was cut short says nothing.
    let expected = if is_stopped { Vec::new() } else { expected };
    let nearest = nearest(expected, &output);
    let agrees = nearest.as_ref().map(|(_, text)| *text == output);
    let difference = nearest.as_ref().filter(|(_, text)| *text != output);
    let difference = difference.map(|(path, text)| {
        let diff = TextDiff::from_lines(text.as_str(), &output);
        let name = path.display().to_string();
        diff.unified_diff().header(&name, "this run").to_string()
    });
    Ok(SpecAgreement {
        spec: spec.path.clone(),
        server: format!("PostgreSQL {}", server.version()),
        permutations,
        complete: is_complete,
        agrees,
        expected: nearest.map(|(path, _)| path.display().to_string()),
        difference,
        output,
    })
}

/// The outputs that are expected of a specification.
fn expected_outputs(spec: &Spec) -> Result<Vec<(PathBuf, String)>, Error> {
    let folder = Path::new(&spec.path).parent().unwrap_or(Path::new("")).join("../expected");
    let variants = (1..=VARIANTS).map(|variant| format!("_{variant}"));
    let paths = std::iter::once(String::new()).chain(variants);
    let paths = paths.map(|variant| folder.join(format!("{}{variant}.out", spec.name())));
    let read = |path: PathBuf| match fs::read(&path) {
        Ok(bytes) => Ok((path, String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => Err(Error::world(format!("cannot read {}: {error}", path.display()))),
    };
    paths.filter(|path| path.exists()).map(read).collect()
}

/// The expected output that is the output, or the one that it is most like.
fn nearest(expected: Vec<(PathBuf, String)>, output: &str) -> Option<(PathBuf, String)> {
    let is_equal = |(_, text): &(PathBuf, String)| text == output;
    let equal = expected.iter().position(is_equal);
    let mut expected = expected.into_iter();
    match equal {
        Some(place) => expected.nth(place),
        None => expected.min_by_key(|(_, text)| changed_lines(text, output)),
    }
}

fn changed_lines(expected: &str, output: &str) -> usize {
    let diff = TextDiff::from_lines(expected, output);
    diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal).count()
}
