//! What a command reads, as fingerprints: machines compare it without sending it, and can say which file differs.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;

/// The fingerprint of all that a command reads, and those of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    fingerprint: String,
    /// By their names, where something is to be said of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
}

impl Inputs {
    /// Those of a command that has read this.
    #[must_use]
    pub(crate) fn of(value: &impl Debug) -> Self {
        Self { fingerprint: fingerprint(value), files: BTreeMap::new() }
    }

    /// The same, of which a part stands in the file of this name.
    #[must_use]
    pub(crate) fn with_file(mut self, name: &str, text: &impl Debug) -> Self {
        self.files.insert(name.to_owned(), fingerprint(text));
        self
    }

    /// A file of both that differs; none if it is not known which.
    #[must_use]
    pub(crate) fn differing(&self, other: &Self) -> Option<&str> {
        let differs = |(name, print): &(&String, &String)| {
            other.files.get(*name).is_some_and(|its| its != *print)
        };
        self.files.iter().find(differs).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_differs_is_known_by_its_name() {
        let read = |schema: &str, seed: &str| {
            let all = Inputs::of(&(schema, seed));
            all.with_file("schema.sql", &schema).with_file("seed.sql", &seed)
        };
        let ours = read("a", "b");
        assert_eq!((ours == read("a", "b"), ours.differing(&read("a", "b"))), (true, None));
        assert_eq!(ours.differing(&read("a", "c")), Some("seed.sql"));
        assert_eq!(ours.differing(&read("c", "b")), Some("schema.sql"));
        // Other files may have been read.
        let other = Inputs::of(&"c");
        assert_eq!((ours == other, ours.differing(&other)), (false, None));
    }
}
