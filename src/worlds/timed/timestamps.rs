//! Recorded clicks, from a CSV file: the rush of last year, come again.
//!
//! ```csv
//! at,region
//! 2026-11-27T09:00:00.123456Z,eu
//! 2026-11-27T10:00:00.2+01:00,us
//! ```
//!
//! | in column `at` | what it is |
//! |---|---|
//! | `12.5ms`, `3s` | time since some beginning |
//! | `0.0125`, `1e-3`, `1764230400.25` | the same in seconds, as most programs write it |
//! | `2026-11-27T09:00:00.123456Z` | a moment, as RFC 3339 has it, with its offset |
//!
//! The first two may stand in one file, moments only among themselves. What counts is the time
//! after the earliest. What is finer than a nanosecond is rounded where it stands in seconds
//! (programs print more digits than they know) and cut off in a moment.
//!
//! If `at` is the only column it may have another name, or none. `region` is any text; other
//! columns are passed over. Lines need not be in order, empty ones do not count, and a byte order
//! mark or `\r\n` does no harm.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, Terminator};

pub use super::moment::MOST_HOURS;
use super::moment::{TimeOrigin, parse_time};
use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, nearest, shown};
use crate::base::text::quantity::{count, of};

/// The most clicks in a file.
pub const MOST_CLICKS: usize = 10_000_000;
/// The largest file, in bytes: a hundred for each of the most clicks.
const MOST_BYTES: u64 = 1 << 30;
/// The most regions.
const MOST_REGIONS: u16 = 10_000;
/// The longest name of a region, in bytes.
const LONGEST_NAME: usize = 1_000;
/// How much is read at once, in bytes.
const PIECE: usize = 1 << 16;
/// The longest line, or several if a quotation mark holds them together, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// One click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// When, in nanoseconds after the earliest.
    pub at_ns: u64,
    /// Where from: an index into [`Timestamps::regions`]; none if the file does not say.
    pub region: Option<u16>,
}

/// All clicks of a file, in order of time; at the same moment, in order of lines. There is at least
/// one, and the first is at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamps {
    clicks: Vec<Click>,
    regions: Vec<String>,
}

impl Timestamps {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Input`] that names the file, the first line that is wrong, what is wrong there and
    /// how many more are; or if it cannot be read, has no clicks, has more than 10 million, or is
    /// larger than 1 GiB, or one of its lines is larger than 1 MiB.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display();
        let file = File::open(path)
            .map_err(|error| Error::input(format!("cannot read the clicks {name}: {error}")))?;
        Self::from_csv(&name.to_string(), file)
    }

    /// Reads a source; `name` is what messages call it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_csv(name: &str, source: impl Read) -> Result<Self, Error> {
        let read = Rc::default();
        let source = Pieces { source: source.take(MOST_BYTES + 1), read: Rc::clone(&read) };
        // A record may have any number of fields, so that its line can say what is wrong with it.
        // It ends at \n alone, since the reader's count of lines falls behind at \r\n; \r is
        // trimmed off.
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(PIECE)
            // The last line may lack its end.
            .from_reader(source.chain(&b"\n"[..]));
        let mut gathered = ClickRecords::default();
        let mut columns = None;
        let mut record = ByteRecord::new();
        loop {
            let has_read = reader.read_byte_record(&mut record);
            if read.get() > LONGEST_LINE + PIECE {
                let line = reader.position().line();
                return Err(Error::input(format!("{name}:{line}: longer than 1 MiB")));
            }
            read.set(0);
            let has_read = has_read
                .map_err(|error| Error::input(format!("cannot read the clicks {name}: {error}")))?;
            if !has_read {
                break;
            }
            if reader.position().byte() > MOST_BYTES + 1 {
                return Err(Error::input(format!("{name} is larger than 1 GiB")));
            }
            // The reader does not know where the record began: empty lines may come before. But it
            // stands at the start of the next line.
            let line = reader.position().line().saturating_sub(1);
            record.trim();
            if record.len() == 1 && record.as_slice().is_empty() {
                continue;
            }
            let columns = match columns {
                Some(columns) => columns,
                None => {
                    let (found, is_header) = Columns::find(&record)
                        .map_err(|why| Error::input(format!("{name}:{line}: {why}")))?;
                    columns = Some(found);
                    if is_header {
                        continue;
                    }
                    found
                }
            };
            gathered.take(line, &columns, &record);
            if gathered.clicks.len() > MOST_CLICKS {
                let most = count(MOST_CLICKS as u64);
                return Err(Error::input(format!("{name} has more than {most} clicks")));
            }
        }
        gathered.finish().map_err(|(line, why)| match line {
            Some(line) => Error::input(format!("{name}:{line}: {why}")),
            None => Error::input(format!("{name} {why}")),
        })
    }

    /// The clicks, in order of time.
    #[must_use]
    pub fn clicks(&self) -> &[Click] {
        &self.clicks
    }

    /// The names of regions, in order of their first line; none if there is no such column.
    #[must_use]
    pub fn regions(&self) -> &[String] {
        &self.regions
    }

    /// Where the buyer with this number in order of time clicked, if the file says.
    #[must_use]
    pub fn region_of(&self, buyer: usize) -> Option<&str> {
        let region = self.clicks.get(buyer)?.region?;
        self.regions.get(usize::from(region)).map(String::as_str)
    }
}

/// A source of which no more is read once a line is too long.
struct Pieces<R> {
    source: R,
    /// How many bytes were read since the last whole line was found.
    read: Rc<Cell<usize>>,
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, piece: &mut [u8]) -> std::io::Result<usize> {
        if self.read.get() > LONGEST_LINE + PIECE {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let length = self.source.read(piece)?;
        self.read.set(self.read.get() + length);
        Ok(length)
    }
}

/// Which column stands where in a line.
#[derive(Clone, Copy, Debug)]
struct Columns {
    at: usize,
    region: Option<usize>,
    width: usize,
}

impl Columns {
    /// Finds the columns by the first line, and whether that is a header.
    fn find(first: &ByteRecord) -> Result<(Self, bool), String> {
        let names: Vec<String> =
            first.iter().map(|name| String::from_utf8_lossy(name).to_lowercase()).collect();
        if let [only] = names.as_slice() {
            let is_time = only.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
            return Ok((Self { at: 0, region: None, width: 1 }, !is_time));
        }
        let position = |name| names.iter().position(|known| known == name);
        let Some(at) = position("at") else {
            let names: Vec<String> = names.iter().take(5).map(|name| shown(name)).collect();
            return Err(format!(
                "of several columns one must be named `at`, but the first line is `{}`",
                names.join(",")
            ));
        };
        let region = position("region");
        // Other columns are ignored, but a misspelt `region` would lose all regions.
        if region.is_none()
            && let Some(slip) = names.iter().find(|name| nearest(name, ["region"]).is_some())
        {
            let near = did_you_mean(slip, ["region"]);
            return Err(format!("there is no column `{}`{near}", shown(slip)));
        }
        Ok((Self { at, region, width: names.len() }, true))
    }
}

/// What the lines so far have brought.
#[derive(Debug, Default)]
struct ClickRecords {
    /// When, in nanoseconds after the origin, and where from.
    clicks: Vec<(i64, Option<u16>)>,
    origin: Option<TimeOrigin>,
    regions: Vec<String>,
    numbers: BTreeMap<String, u16>,
    /// The first bad line, and what is wrong with it.
    bad: Option<(u64, String)>,
    more_bad: u64,
}

impl ClickRecords {
    fn take(&mut self, line: u64, columns: &Columns, record: &ByteRecord) {
        match self.read(columns, record) {
            Ok(click) => self.clicks.push(click),
            Err(_) if self.bad.is_some() => self.more_bad += 1,
            Err(why) => self.bad = Some((line, why)),
        }
    }

    fn read(
        &mut self,
        columns: &Columns,
        record: &ByteRecord,
    ) -> Result<(i64, Option<u16>), String> {
        if record.len() != columns.width {
            return Err(format!(
                "expected {}, found {}",
                of(columns.width as u64, "field"),
                count(record.len() as u64)
            ));
        }
        let field = |column| {
            std::str::from_utf8(record.get(column).unwrap_or_default())
                .map_err(|_| "the text is not UTF-8".to_owned())
        };
        let at = field(columns.at)?;
        let (origin, ns) = parse_time(at).map_err(|why| format!("`{}`: {why}", shown(at)))?;
        if *self.origin.get_or_insert(origin) != origin {
            return Err(match origin {
                TimeOrigin::Epoch => {
                    "a moment, but the lines above say how long after the beginning"
                }
                TimeOrigin::Beginning => {
                    "a time after the beginning, but the lines above are moments"
                }
            }
            .into());
        }
        let region = match columns.region.map(field).transpose()? {
            None | Some("") => None,
            Some(name) => Some(self.number(name)?),
        };
        Ok((ns, region))
    }

    /// The number of a region.
    fn number(&mut self, name: &str) -> Result<u16, String> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        if name.len() > LONGEST_NAME {
            return Err(format!(
                "the name of a region has more than {} bytes",
                count(LONGEST_NAME as u64)
            ));
        }
        let next = self.regions.len() as u16;
        if next >= MOST_REGIONS {
            return Err(format!("there are more than {} regions", count(MOST_REGIONS)));
        }
        self.numbers.insert(name.to_owned(), next);
        self.regions.push(name.to_owned());
        Ok(next)
    }

    /// Everything in order, or what is wrong, with its line if it has one.
    fn finish(mut self) -> Result<Timestamps, (Option<u64>, String)> {
        if let Some((line, why)) = self.bad {
            let more = match self.more_bad {
                0 => String::new(),
                more => format!(" (and {})", of(more, "more line")),
            };
            return Err((Some(line), why + &more));
        }
        self.clicks.sort_by_key(|(ns, _)| *ns);
        let (Some((first, _)), Some((last, _))) = (self.clicks.first(), self.clicks.last()) else {
            return Err((None, "has no clicks: expected a line for each".into()));
        };
        let first = *first;
        let hours = last.abs_diff(first) / 3_600_000_000_000;
        if hours >= MOST_HOURS {
            let (days, most) = (of(hours / 24, "day"), MOST_HOURS / 24);
            return Err((None, format!("spans {days} from first click to last; {most} at most")));
        }
        let clicks = self
            .clicks
            .into_iter()
            .map(|(ns, region)| Click { at_ns: ns.abs_diff(first), region })
            .collect();
        Ok(Timestamps { clicks, regions: self.regions })
    }
}
