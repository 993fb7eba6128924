//! The file in which a sweep keeps what it has measured: a line of JSON for the grid, and a line for each point, written
//! as soon as the point is done.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use crate::base::error::Error;
use crate::base::machine::Machine;
use crate::check::sweep::{Grid, SweepPoint};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first line.
#[derive(Serialize, Deserialize, PartialEq)]
struct Header {
    version: String,
    machine: Value,
    grid: Grid,
}

/// A file of lines of JSON, each written as soon as it is known. A last line that was cut off in the middle is left out.
pub(super) struct LineFile {
    path: PathBuf,
    file: File,
    /// The text of its whole lines.
    text: String,
}

impl LineFile {
    /// Opens a file, or makes one.
    ///
    /// # Errors
    /// [`Error::Input`] that names it, if it cannot be read and written.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let refused =
            |error: std::io::Error| Error::input(format!("--resume {}: {error}", path.display()));
        // Of anything else, nothing is known of when it ends.
        if path.exists() && !path.is_file() {
            return Err(refused(std::io::Error::other("it is no regular file")));
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(refused)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(refused)?;
        let text = whole_lines(bytes).map_err(|error| refused(std::io::Error::other(error)))?;
        Ok(Self { path: path.to_path_buf(), file, text })
    }

    /// Its whole lines.
    pub(super) fn lines(&self) -> std::str::Lines<'_> {
        self.text.lines()
    }

    /// The error for a file that cannot be used, for this reason.
    pub(super) fn refused(&self, why: &str) -> Error {
        Error::input(format!("--resume {}: {why}", self.path.display()))
    }

    /// Keeps the first of its lines, in so many bytes, or all; more can be added from now on.
    pub(super) fn keep(&mut self, bytes: Option<usize>) -> Result<(), Error> {
        let end = bytes.unwrap_or(self.text.len()) as u64;
        let failed = |error: std::io::Error| Error::input(format!("--resume: {error}"));
        self.file.set_len(end).map_err(failed)?;
        self.file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(())
    }

    /// Adds a line.
    pub(super) fn add(&mut self, line: &str) -> Result<(), Error> {
        let text = format!("{line}\n");
        self.file.write_all(text.as_bytes()).map_err(|error| {
            Error::world(format!("cannot write --resume {}: {error}", self.path.display()))
        })
    }
}

/// The whole lines of a file. Its last line may have been cut off in the middle, even of a letter.
fn whole_lines(mut bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    String::from_utf8(bytes)
}

/// The file of a sweep.
pub(super) struct ResumeFile(LineFile);

impl ResumeFile {
    /// Opens a file, or makes one.
    ///
    /// # Errors
    /// [`Error::Input`] that names it, if it cannot be read and written.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        LineFile::open(path).map(Self)
    }

    fn refused(&self, why: &str) -> Error {
        self.0.refused(why)
    }

    /// The seed of the sweep that it belongs to, if it has begun.
    pub(super) fn seed(&self) -> Option<u64> {
        let header: Header = serde_json::from_str(self.0.lines().next()?).ok()?;
        header.grid.settings.get("seed")?.as_u64()
    }

    /// The points that are in it, if it belongs to this grid. From now on more can be added.
    ///
    /// # Errors
    /// [`Error::Input`] if it belongs to another grid, version or machine, or is none.
    pub(super) fn begin(&mut self, grid: &Grid) -> Result<Vec<SweepPoint>, Error> {
        const OTHER: &str = "continue it with the same command, or name another file";
        let machine = serde_json::to_value(Machine::this()).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { version, machine, grid: grid.clone() };
        let mut lines = self.0.lines();
        let is_new = self.0.lines().next().is_none();
        let points = match lines.next() {
            None => Vec::new(),
            Some(first) => {
                let found: Header = serde_json::from_str(first).map_err(|_| {
                    self.refused("it is no file of a sweep; name another, which will be made")
                })?;
                if found.grid != header.grid {
                    let why = format!(
                        "it belongs to another grid: {}; {OTHER}",
                        differs(&found.grid, grid)
                    );
                    return Err(self.refused(&why));
                }
                if found != header {
                    let why =
                        "it was begun by another version or on another machine; name another file";
                    return Err(self.refused(why));
                }
                let read = |(line, number): (&str, usize)| {
                    let point: Result<SweepPoint, _> = serde_json::from_str(line);
                    point.map_err(|error| {
                        self.refused(&format!("line {number} is no point: {error}"))
                    })
                };
                lines.zip(2..).map(read).collect::<Result<Vec<_>, _>>()?
            }
        };
        self.0.keep(None)?;
        if is_new {
            self.add_line(&header)?;
        }
        Ok(points)
    }

    /// Adds a point.
    ///
    /// # Errors
    /// [`Error::World`] if it cannot be written.
    pub(super) fn add(&mut self, point: &SweepPoint) -> Result<(), Error> {
        self.add_line(point)
    }

    fn add_line(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let line = serde_json::to_string(line);
        let line = line.map_err(|error| Error::world(format!("cannot write --resume: {error}")))?;
        self.0.add(&line)
    }
}

/// What is other in two grids.
fn differs(found: &Grid, grid: &Grid) -> String {
    if found.strategies != grid.strategies {
        return format!("its strategies are {}", found.strategies.join(", "));
    }
    for dimension in &found.dimensions {
        if !grid.dimensions.contains(dimension) {
            return format!("its --{} is {}", dimension.name, dimension.values.join(","));
        }
    }
    if let Some(dimension) = grid.dimensions.iter().find(|one| !found.dimensions.contains(one)) {
        return format!("its --{} does not vary", dimension.name);
    }
    let other = found.settings.iter().find(|(name, value)| grid.settings.get(*name) != Some(value));
    other.map_or_else(
        || "its settings are others".into(),
        |(name, value)| format!("its --{} is {value}", name.replace('_', "-")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_that_was_cut_off_in_the_middle_of_a_letter_is_left_out() {
        let file = "{}\n{\"text\": \"ü".as_bytes();
        for length in 3..=file.len() {
            assert_eq!(whole_lines(file[..length].to_vec()).as_deref(), Ok("{}\n"));
        }
        assert_eq!(whole_lines(file[..2].to_vec()).as_deref(), Ok(""));
        assert!(whole_lines(b"\xff\n".to_vec()).is_err());
    }
}
