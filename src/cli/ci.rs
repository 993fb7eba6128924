//! What a CI server is told: JUnit XML in a file, beside the report; annotations and a job summary for GitHub; or SARIF in
//! place of the report.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::clock::{Clock, Wall, today};
use crate::base::error::Error;
use crate::render::{SourceFile, TestCase, TestSuite, annotations, job_summary, junit, sarif};
use clap::Args;

use super::Ended;
use super::output::{Output, shown, to_stdout};

/// The file that a job summary is appended to, as GitHub names it.
const SUMMARY_FILE: &str = "GITHUB_STEP_SUMMARY";

/// The folder of the repository, as GitHub names it.
const WORKSPACE: &str = "GITHUB_WORKSPACE";

/// The flag for JUnit XML.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct JunitFlag {
    /// Write the results as JUnit XML, too, which CI servers read
    #[arg(long, value_name = "FILE", help_heading = "The report")]
    pub(super) junit: Option<PathBuf>,
}

/// What a CI server is to be told of a command, as it comes in.
pub(super) struct CiLog {
    command: &'static str,
    junit: Option<Output>,
    is_github: bool,
    sarif: Option<Output>,
    suites: Vec<TestSuite>,
}

/// A suite that is under way.
pub(super) struct OpenSuite {
    name: String,
    file: Option<SourceFile>,
    began: SystemTime,
    clock: Wall,
}

impl OpenSuite {
    /// It with its cases, now that it is over.
    pub(super) fn over(self, mut cases: Vec<TestCase>) -> TestSuite {
        let Self { name, file, began, clock } = self;
        let described_in = file.as_ref().map(|file| Path::new(&file.named));
        let findings = cases.iter_mut().flat_map(|case| &mut case.findings);
        for place in findings.flat_map(|finding| &mut finding.places) {
            place.code.file = tagged_file(&place.code.file, described_in);
        }
        let took = Duration::from_nanos(clock.now());
        TestSuite { name, file, began, took, cases }
    }
}

/// The file that a tag names, as a path in the repository. A relative path is looked for in the folder of the file that
/// describes the run, and in the folders around that.
fn tagged_file(tagged: &str, described_in: Option<&Path>) -> String {
    let path = Path::new(tagged);
    let folder = described_in.and_then(|file| file.canonicalize().ok());
    let candidates = folder.iter().flat_map(|file| file.ancestors().skip(1));
    let found = candidates.map(|folder| folder.join(path)).find(|file| file.is_file());
    match (path.is_absolute(), found) {
        (false, Some(found)) => in_repository(&found),
        (false, None) => tagged.to_owned(),
        (true, _) => in_repository(path),
    }
}

impl CiLog {
    /// An empty one. That the file can be written is made sure of now.
    pub(super) fn open(
        command: &'static str,
        flag: &JunitFlag,
        is_github: bool,
    ) -> Result<Self, Error> {
        let junit = flag.junit.as_deref().map(|path| Output::open(Some(path), "--junit"));
        let (junit, sarif) = (junit.transpose()?, None);
        Ok(Self { command, junit, is_github, sarif, suites: Vec::new() })
    }

    /// The same, which also writes SARIF to this file, or to standard output, if that is wanted.
    pub(super) fn writing_sarif(self, wanted: bool, to: Option<&Path>) -> Result<Self, Error> {
        let sarif = wanted.then(|| Output::open(to, "--output")).transpose()?;
        Ok(Self { sarif, ..self })
    }

    /// Begins a suite: of the command, or of a file that the command runs by itself.
    pub(super) fn begin(&self, file: Option<&Path>, is_of_file: bool) -> OpenSuite {
        let named = file.map(|path| path.display().to_string());
        let name = named.clone().filter(|_| is_of_file).unwrap_or_else(|| self.command.to_owned());
        let in_repository = file.map(in_repository);
        let file = named.zip(in_repository);
        let file = file.map(|(named, in_repository)| SourceFile { named, in_repository });
        OpenSuite { name, file, began: today(), clock: Wall::start() }
    }

    /// Ends a suite, and prints its annotations.
    pub(super) fn end(&mut self, suite: OpenSuite, cases: Vec<TestCase>) -> Result<(), Error> {
        self.add(suite.over(cases))
    }

    /// Adds a suite that has ended, and prints its annotations.
    pub(super) fn add(&mut self, suite: TestSuite) -> Result<(), Error> {
        if self.is_github {
            to_stdout(&annotations(&suite))?;
        }
        self.suites.push(suite);
        Ok(())
    }

    /// The suites that have ended.
    pub(super) fn suites(&self) -> &[TestSuite] {
        &self.suites
    }

    /// Writes the files.
    pub(super) fn close(self) -> Result<(), Error> {
        if let Some(file) = self.junit {
            file.write(&junit(self.command, &self.suites)?)?;
        }
        if let Some(output) = self.sarif {
            output.write(&sarif(&self.suites)?)?;
        }
        match env::var_os(SUMMARY_FILE).filter(|path| self.is_github && !path.is_empty()) {
            Some(path) => append(Path::new(&path), &job_summary(self.command, &self.suites)),
            None => Ok(()),
        }
    }
}

/// Runs a command that is one suite: `work` adds its cases. An error is a case, too, of this name.
pub(super) fn logged(
    mut log: CiLog,
    file: Option<&Path>,
    name: &str,
    work: impl FnOnce(&mut Vec<TestCase>) -> Result<Ended, Error>,
) -> Result<Ended, Error> {
    let suite = log.begin(file, false);
    let mut cases = Vec::new();
    let outcome = work(&mut cases);
    if let Err(error) = &outcome {
        cases.push(TestCase::of_error(name, error));
    }
    let written = log.end(suite, cases).and_then(|()| log.close());
    // If both failed, the first error is the one to mend.
    outcome.and_then(|ended| written.map(|()| ended))
}

/// A file's path in the repository, as far as that is known.
fn in_repository(path: &Path) -> String {
    let workspace = env::var_os(WORKSPACE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let workspace = workspace.or_else(|| env::current_dir().ok());
    let workspace = workspace.and_then(|folder| folder.canonicalize().ok());
    let absolute = path.canonicalize().ok();
    let inner = match (&workspace, &absolute) {
        (Some(workspace), Some(absolute)) => absolute.strip_prefix(workspace).ok(),
        _ => None,
    };
    let inner = inner.unwrap_or_else(|| path.strip_prefix(".").unwrap_or(path));
    inner.display().to_string()
}

fn append(path: &Path, text: &str) -> Result<(), Error> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(shown(text).as_bytes())).map_err(|error| {
        Error::world(format!("cannot write {SUMMARY_FILE} {}: {error}", path.display()))
    })
}
