//! The file in which a search at a server keeps the orders that it has run: a line of JSON for what is explored, and a
//! line for each order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::base::error::Error;
use crate::cli::resume::LineFile;
use crate::explore::OrderFile;
use crate::worlds::dyn_strategy::DynStrategy;
use serde::{Deserialize, Serialize};

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    /// The program's version.
    version: String,
    /// The command, without what bounds its time.
    explored: String,
    /// The server's version.
    server: String,
    /// A digest of the described checkout, its schema and all.
    checkout: u64,
}

/// Such a file.
pub(super) struct OrdersFile {
    lines: LineFile,
    /// The bytes of the first line.
    header: usize,
}

impl OrdersFile {
    /// Opens a file, or makes one. Also returns the lines of the orders in it.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read and written, or belongs to another search.
    pub(super) fn open(
        path: &Path,
        strategy: &dyn DynStrategy,
        explored: String,
        server: &str,
    ) -> Result<(Self, Vec<String>), Error> {
        let mut lines = LineFile::open(path)?;
        let mut hasher = DefaultHasher::new();
        format!("{:?}", strategy.described()).hash(&mut hasher);
        let now = Header {
            version: env!("CARGO_PKG_VERSION").into(),
            explored,
            server: server.into(),
            checkout: hasher.finish(),
        };
        let mut known = lines.lines().map(str::to_owned);
        let header = match known.next() {
            None => {
                let header = serde_json::to_string(&now);
                let header = header
                    .map_err(|error| Error::world(format!("cannot write --resume: {error}")))?;
                lines.keep(None)?;
                lines.add(&header)?;
                return Ok((Self { lines, header: header.len() + 1 }, Vec::new()));
            }
            Some(header) => header,
        };
        let known: Vec<String> = known.collect();
        let found: Header = serde_json::from_str(&header).map_err(|_| {
            lines.refused("it is no file of a search at a server; name another, which will be made")
        })?;
        if let Some(why) = differs(&found, &now) {
            return Err(lines.refused(&format!("{why}; name another file, which will be made")));
        }
        lines.keep(None)?;
        Ok((Self { lines, header: header.len() + 1 }, known))
    }
}

/// Why a file is that of another search; none if it is not.
fn differs(found: &Header, now: &Header) -> Option<String> {
    if found.version != now.version {
        Some(format!("it was begun by version {} of this program", found.version))
    } else if found.explored != now.explored {
        Some(format!("it belongs to another search: {}", found.explored))
    } else if found.server != now.server {
        Some(format!("it was begun on {}", found.server))
    } else if found.checkout != now.checkout {
        Some("the checkout has changed since it was begun".into())
    } else {
        None
    }
}

impl OrderFile for OrdersFile {
    fn append(&mut self, line: &str) -> Result<(), Error> {
        self.lines.add(line)
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.lines.keep(Some(self.header))
    }

    fn refused(&self, why: &str) -> Error {
        self.lines.refused(why)
    }
}
