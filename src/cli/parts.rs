//! Parts of a report: what `--partition` writes on each of several machines, and `merge` reads.
//!
//! A part is the report of its own share of the work, with the key `part`: which part it is, of which command, and all that
//! merging needs. Whatever a part of other work could be mistaken for is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::machine::Machine;
use crate::base::partition::Slice;
use crate::base::text::quantity::of;
use crate::check::report::SCHEMA;
use crate::command::{Command, quoted};
use crate::describe::checkout::Checkout;
use crate::render;
use crate::run::common::CommonWork;
use crate::run::logbook::{Logbook, PartOfRun};
use clap::Args;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meaning::refuse;

/// The version of the form of what stands under `part`.
const FORM: u32 = 1;

/// This program, with its commit where it is a release build.
pub(super) const BUILD: &str = env!("OVERSELL_SIM_VERSION");

/// The most parts that are named in a message.
const MOST_NAMED: usize = 10;

/// The flag for one part of the work.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PartitionFlag {
    /// Do one part of the work only, such as slice:2/7, the second of seven, and write a part of the report
    /// (`oversell-sim merge` makes the report of all parts)
    #[arg(long, value_name = "SLICE", value_parser = Slice::parse)]
    pub(super) partition: Option<Slice>,
}

impl PartitionFlag {
    /// The command that does this part of the work of a command, or that command where all of it is done.
    pub(super) fn named(&self, whole: Command) -> Command {
        match self.partition {
            Some(slice) => whole.flag("partition", &slice.to_string()),
            None => whole,
        }
    }

    /// Refuses what means nothing for a part. Each of the `needed` flags has to be given, for the reason beside it.
    pub(super) fn check(
        needed: &[(&str, bool, &str)],
        is_json: bool,
        about_all: &[(&str, bool)],
    ) -> Result<(), Error> {
        refuse(
            about_all,
            "is about all of the work, and --partition does a part of it: leave it to `oversell-sim merge`",
        )?;
        if let Some((flag, _, why)) = needed.iter().find(|(_, is_given, _)| !is_given) {
            return Err(Error::input(format!("--partition needs {flag}: {why}")));
        }
        if is_json {
            return Ok(());
        }
        Err(Error::input(
            "--partition writes a part of a report, which is JSON: add --format json, and choose another form when you \
             merge",
        ))
    }
}

/// Which part of which work it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    form: u32,
    /// The program that wrote it: two of the same version may differ between releases, and so may what they find.
    build: String,
    slice: Slice,
    /// The command that does all of the work on one machine.
    command: Vec<String>,
    /// What the command reads.
    inputs: Inputs,
}

impl Header {
    pub(super) fn new(slice: Slice, command: &Command, inputs: Inputs) -> Self {
        Self { form: FORM, build: BUILD.into(), slice, command: command.words().to_vec(), inputs }
    }

    /// The command that does all of the work on one machine.
    pub(super) fn command(&self) -> &[String] {
        &self.command
    }

    /// What that command reads.
    pub(super) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What to do where this part is missing, or is of no use.
    fn remedy(&self, slice: Slice) -> String {
        match self.command.iter().any(|word| word == "--start-at") {
            true => "start all parts again, at another time".into(),
            false => format!("make it again: {}", self.again(slice)),
        }
    }

    /// The command that makes this part, or another one.
    fn again(&self, slice: Slice) -> String {
        let words: Vec<_> = self.command.iter().map(|word| quoted(word)).collect();
        let only_parts_are_json = ["check", "survey"];
        let is_one =
            self.command.get(1).is_some_and(|verb| only_parts_are_json.contains(&verb.as_str()));
        let format = if is_one { "" } else { " --format json" };
        format!("{} --partition {slice}{format}", words.join(" "))
    }
}

/// What has to be known of a part for the runs of its strategies to be merged.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartOfRuns {
    pub(super) runs: Vec<PartOfRun>,
}

/// Adds each run of a part to its logbook. `rounds` is how many all parts have together.
pub(super) fn add_runs(
    runs: Vec<PartOfRun>,
    logbooks: &mut [Logbook],
    slice: Slice,
    rounds: u32,
) -> Result<(), String> {
    if runs.len() != logbooks.len() {
        return Err(format!("it holds {}", of(runs.len() as u64, "run")));
    }
    for (run, logbook) in runs.into_iter().zip(logbooks) {
        if run.was_interrupted() {
            return Err(CUT_SHORT.into());
        }
        run.check(slice, rounds)?;
        logbook.add_part(run)?;
    }
    Ok(())
}

/// Why a part that Ctrl-C ended is of no use.
const CUT_SHORT: &str = "it was cut short";

/// The report of a part that is nothing else: the command has no report in JSON, or none of a part.
#[derive(Serialize)]
pub(super) struct PartReport {
    schema: u32,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl PartReport {
    /// The report of a part that was made at this server, which is its name and version.
    pub(super) fn at(server: &str) -> Self {
        Self { server: Some(server.to_owned()), ..Self::default() }
    }
}

impl Default for PartReport {
    fn default() -> Self {
        Self { schema: SCHEMA, version: env!("CARGO_PKG_VERSION"), server: None }
    }
}

/// A report with what makes it a part.
#[derive(Serialize)]
struct Written<'a, R, B> {
    #[serde(flatten)]
    report: &'a R,
    part: WrittenPart<'a, B>,
}

#[derive(Serialize)]
struct WrittenPart<'a, B> {
    #[serde(flatten)]
    header: &'a Header,
    #[serde(flatten)]
    body: &'a B,
}

/// A part of a report, as JSON.
pub(super) fn written(
    report: &impl Serialize,
    header: &Header,
    body: &impl Serialize,
) -> Result<String, Error> {
    render::json(&Written { report, part: WrittenPart { header, body } })
}

/// What is read of a part: all of it, or as much as `P` knows.
#[derive(Deserialize)]
struct Read<P> {
    version: Option<String>,
    settings: Option<BTreeMap<String, Value>>,
    server: Option<String>,
    machine: Option<WrittenMachine>,
    part: Option<P>,
}

/// A machine as a report has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct WrittenMachine {
    os: String,
    arch: String,
    cores: usize,
}

/// A file that holds a part.
struct PartFile {
    path: PathBuf,
    version: String,
    settings: BTreeMap<String, Value>,
    server: Option<String>,
    machine: Option<WrittenMachine>,
    header: Header,
}

impl PartFile {
    fn open(path: &Path) -> Result<Self, Error> {
        let Read { version, settings, server, machine, part } = read::<IgnoredAny>(path)?;
        let refused = |why: &str| Error::input(format!("{}: {why}", path.display()));
        if part.is_none() {
            return Err(refused(
                "it is no part of a report: only what --partition has written can be merged",
            ));
        }
        let version = version.unwrap_or_default();
        if version != env!("CARGO_PKG_VERSION") {
            return Err(refused(&format!(
                "it was written by version {version}, and this is {}: merge it there",
                env!("CARGO_PKG_VERSION")
            )));
        }
        let header: Header = whole(path)?;
        if header.form != FORM || !header.slice.is_valid() {
            return Err(refused("its `part` is of no form that this version knows"));
        }
        if header.build != BUILD {
            return Err(refused(&format!(
                "it was written by version {}, and this is {BUILD}: merge it there",
                header.build
            )));
        }
        let (path, settings) = (path.to_path_buf(), settings.unwrap_or_default());
        Ok(Self { path, version, settings, server, machine, header })
    }

    fn refused(&self, why: &str) -> Error {
        Error::input(format!("{}: {why}", self.path.display()))
    }

    /// Its name and its number.
    fn named(&self) -> String {
        format!("{} ({})", self.path.display(), self.header.slice)
    }

    /// Makes sure that this is another part of the same work.
    fn check_same_work(&self, first: &Self) -> Result<(), Error> {
        let other = |what: &str, ours: &str, theirs: &str| {
            let first = first.path.display();
            self.refused(&format!(
                "it is a part of other work: its {what} is {ours}, and {theirs} in {first}"
            ))
        };
        let (ours, theirs) = (&self.header, &first.header);
        if ours.slice.of() != theirs.slice.of() {
            let [ours, theirs] = [ours, theirs].map(|header| header.slice.of().to_string());
            return Err(other("number of parts", &ours, &theirs));
        }
        let (said, said_first) = (flags(&ours.command), flags(&theirs.command));
        if let Some((name, ours, theirs)) = first_difference(&said, &said_first) {
            return Err(other(name, &ours, &theirs));
        }
        let is_same = |(name, value): &(&String, &Value)| first.settings.get(*name) == Some(value);
        if let Some((name, value)) = self.settings.iter().find(|setting| !is_same(setting)) {
            let theirs = first.settings.get(name).map_or("none".into(), Value::to_string);
            return Err(other(&format!("`{name}`"), &value.to_string(), &theirs));
        }
        if self.server != first.server {
            let [ours, theirs] =
                [self, first].map(|file| file.server.clone().unwrap_or("none".into()));
            return Err(other("server", &ours, &theirs));
        }
        if ours.command != theirs.command
            || ours.inputs != theirs.inputs
            || self.version != first.version
        {
            let first = first.path.display();
            return Err(self.refused(&match ours.inputs.differing(&theirs.inputs) {
                Some(file) => {
                    format!("it is a part of other work: {file} was another file than for {first}")
                }
                None => format!(
                    "it is a part of other work: the files that its command reads were others than for {first}"
                ),
            }));
        }
        Ok(())
    }
}

/// All parts of some work, each once, in order.
pub(super) struct Parts(Vec<PartFile>);

impl Parts {
    /// Opens all of them.
    ///
    /// # Errors
    /// [`Error::Input`] that names a part which is missing, doubled, or of other work.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut files = Vec::new();
        for path in paths {
            let file = PartFile::open(path)?;
            if let Some(first) = files.first() {
                file.check_same_work(first)?;
            }
            files.push(file);
        }
        files.sort_by_key(|file| file.header.slice);
        for pair in files.windows(2) {
            if pair[0].header.slice == pair[1].header.slice {
                return Err(Error::input(format!(
                    "{} and {} are the same part: leave one of them out",
                    pair[0].named(),
                    pair[1].path.display()
                )));
            }
        }
        let parts = Self(files);
        parts.check_complete()?;
        Ok(parts)
    }

    fn check_complete(&self) -> Result<(), Error> {
        let Some(first) = self.0.first() else { return Err(Error::input("there are no parts")) };
        let slice = first.header.slice;
        let here: BTreeSet<u32> = self.0.iter().map(|file| file.header.slice.part()).collect();
        let missing: Vec<u32> = (1..=slice.of()).filter(|part| !here.contains(part)).collect();
        let Some(next) = missing.first() else { return Ok(()) };
        let numbers: Vec<String> =
            missing.iter().take(MOST_NAMED).map(|part| slice.sibling(*part).to_string()).collect();
        let more = match missing.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let are = if missing.len() == 1 { "is" } else { "are" };
        Err(Error::input(format!(
            "of {} {} {are} missing: {}{more}\n       {}",
            of(slice.of().into(), "part"),
            missing.len(),
            numbers.join(", "),
            first.header.remedy(slice.sibling(*next)).replace("make it again", "to make it")
        )))
    }

    /// The command that does all of the work on one machine.
    pub(super) fn command(&self) -> &[String] {
        self.0.first().map_or(&[], |file| &file.header.command)
    }

    /// The server at which all of them were made, in its own words.
    pub(super) fn server(&self) -> Option<String> {
        self.0.first().and_then(|file| file.server.clone())
    }

    /// The machine that measured all of them; none if they were measured on machines that differ.
    pub(super) fn machine(&self) -> Option<Machine> {
        let first = self.0.first()?.machine.as_ref()?;
        let is_same = self.0.iter().all(|file| file.machine.as_ref() == Some(first));
        let WrittenMachine { os, arch, cores } = first.clone();
        is_same.then(|| Machine::written(os, arch, cores))
    }

    /// Makes sure that what the command reads is here as it was for the parts.
    pub(super) fn check_inputs(&self, inputs: &Inputs, path: &Path) -> Result<(), Error> {
        match self.0.first().filter(|file| file.header.inputs != *inputs) {
            Some(file) => Err(Error::input(format!(
                "{} is not as it was when {} was made: merge where the files are the same",
                inputs
                    .differing(&file.header.inputs)
                    .map_or_else(|| path.display().to_string(), str::to_owned),
                file.path.display()
            ))),
            None => Ok(()),
        }
    }

    /// Takes each part in turn, so that no more than one has to be kept.
    pub(super) fn each<B: DeserializeOwned>(
        &self,
        mut take: impl FnMut(Slice, B) -> Result<(), String>,
    ) -> Result<(), Error> {
        for file in &self.0 {
            let slice = file.header.slice;
            take(slice, whole(&file.path)?)
                .map_err(|why| file.refused(&format!("{why}; {}", file.header.remedy(slice))))?;
        }
        Ok(())
    }
}

/// What a command reads of a file that describes a shop, and of those beside it; nothing if there is no such file.
pub(super) fn inputs(path: Option<&Path>, described: Option<&Checkout>) -> Result<Inputs, Error> {
    let Some(path) = path else { return Ok(Inputs::of(&"")) };
    let text = fs::read(path)
        .map_err(|error| Error::input(format!("cannot read {}: {error}", path.display())))?;
    let all = Inputs::of(&(&text, described)).with_file(&path.display().to_string(), &text);
    let beside = described.into_iter().flat_map(Checkout::scripts);
    Ok(beside.fold(all, |all, (name, text)| all.with_file(name, &text)))
}

/// Makes sure that the race which is to be at a store is the one of which a part is to be done.
///
/// # Errors
/// [`Error::Input`] that names what differs.
pub(super) fn check_same_race(ours: &CommonWork, theirs: &CommonWork) -> Result<(), Error> {
    let other = |what: &str, ours: &str, theirs: &str| {
        Err(Error::input(format!(
            "the first part has begun another race at this store: its {what} is {theirs}, and here it is {ours}"
        )))
    };
    let (said, said_first) = (flags(&ours.command), flags(&theirs.command));
    if let Some((name, ours, theirs)) = first_difference(&said, &said_first) {
        return other(name, &ours, &theirs);
    }
    if ours.parts != theirs.parts {
        return other("number of parts", &ours.parts.to_string(), &theirs.parts.to_string());
    }
    if ours.build != theirs.build {
        return other("version", &ours.build, &theirs.build);
    }
    if ours.inputs != theirs.inputs {
        let file = ours.inputs.differing(&theirs.inputs);
        return Err(Error::input(format!(
            "the first part has begun another race at this store: {} not as it is here; all parts need the same files",
            file.map_or_else(
                || "what its command reads is".into(),
                |file| format!("its {file} is")
            ),
        )));
    }
    Ok(())
}

/// What stands under `part`.
fn whole<P: DeserializeOwned>(path: &Path) -> Result<P, Error> {
    let part = read::<P>(path)?.part;
    part.ok_or_else(|| Error::input(format!("{}: it is no part of a report", path.display())))
}

fn read<P: DeserializeOwned>(path: &Path) -> Result<Read<P>, Error> {
    let text = fs::read_to_string(path)
        .map_err(|error| Error::input(format!("cannot read {}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::input(format!(
            "{}:{line}:{column}: it is no part of a report: {error}",
            path.display()
        ))
    })
}

/// What a command says: its flags with their values, and its other words under their places.
fn flags(command: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut words = command.iter().skip(1).peekable();
    let mut place = 0;
    while let Some(word) = words.next() {
        if let Some((name, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
            all.entry(name.to_owned()).or_default().push(value.to_owned());
        } else if word.starts_with("--") {
            let value = words.next_if(|next| !next.starts_with("--")).cloned();
            all.entry(word.clone()).or_default().push(value.unwrap_or_else(|| "given".into()));
        } else {
            let name = if place == 0 { "command".to_owned() } else { "file".to_owned() };
            all.entry(name).or_default().push(word.clone());
            place += 1;
        }
    }
    all
}

/// The first flag that two commands say differently, with both values.
fn first_difference<'a>(
    ours: &'a BTreeMap<String, Vec<String>>,
    theirs: &'a BTreeMap<String, Vec<String>>,
) -> Option<(&'a str, String, String)> {
    let said = |flags: &BTreeMap<String, Vec<String>>, name: &str| {
        flags.get(name).map_or("not given".into(), |values| values.join(", "))
    };
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let name = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name))?;
    Some((name, said(ours, name), said(theirs, name)))
}
