//! TOML documents that a user has written: read with a bound on their size, and every fault with its place.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::excerpt::excerpt;
use super::printable::printable;
use crate::base::error::Error;

/// The largest file read, in bytes.
pub const MOST_BYTES: u64 = 1 << 20;

/// What is wrong, and where in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The bytes that are wrong.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub message: String,
}

impl Fault {
    /// Says it with file, line and column.
    #[must_use]
    pub fn in_file(self, path: &str, source: &str) -> Error {
        Error::input(excerpt(path, source, self.span, &self.message))
    }
}

/// Reads a whole file; `what` it is, for messages.
///
/// # Errors
/// [`Error::Input`] if it cannot be read or is larger than 1 MiB.
pub fn read(path: &Path, what: &str) -> Result<String, Error> {
    let unreadable = |why: &dyn std::fmt::Display| {
        let path = path.display().to_string();
        Error::input(format!("cannot read the {what} {}: {why}", printable(&path)))
    };
    let mut source = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut source))
        .map_err(|error| unreadable(&error))?;
    if source.len() as u64 > MOST_BYTES {
        return Err(unreadable(&"it is larger than 1 MiB"));
    }
    Ok(source)
}

/// Reads a document's keys.
///
/// # Errors
/// Where it is no TOML.
pub fn parse(source: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    DeTable::parse(source).map_err(|error| Fault {
        span: error.span().unwrap_or(0..0),
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    })
}

/// A number or a text, as it would stand behind a flag.
///
/// # Errors
/// A sentence that says what was expected.
pub fn plain_text(value: &Spanned<DeValue<'_>>) -> Result<String, &'static str> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Float(number) => Ok(number.as_str().replace('_', "")),
        DeValue::Integer(number) => {
            i128::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| "the number is too large")
        }
        _ => Err("expected a number, or a text in quotes"),
    }
}
