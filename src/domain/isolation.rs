//! Isolation levels.

use std::fmt;

use serde::Serialize;

use crate::base::text::nearest::{did_you_mean, shown};

/// How far transactions are kept apart.
///
/// ```
/// use oversell_sim::{Evidence, Isolation, explore};
/// # use oversell_sim::strategies::transaction::Transaction;
///
/// let search = explore(Transaction).isolation(Isolation::ReadCommitted).run()?;
/// assert!(matches!(search.evidence, Evidence::Broken));
/// explore(Transaction).isolation(Isolation::Serializable).assert_proved();
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what is committed by then: what PostgreSQL does unless told otherwise.
    #[default]
    ReadCommitted,
    /// Everything is seen as it was at the beginning.
    RepeatableRead,
    /// As if transactions had come one after the other.
    Serializable,
}

impl Isolation {
    /// All of them, the weakest first.
    #[doc(hidden)]
    pub const ALL: [Self; 3] = [Self::ReadCommitted, Self::RepeatableRead, Self::Serializable];

    /// The name in flags and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read-committed",
            Self::RepeatableRead => "repeatable-read",
            Self::Serializable => "serializable",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|isolation| isolation.name() == text.trim()).ok_or_else(|| {
            let near = did_you_mean(text, names);
            format!("no isolation level `{}`{near}; there are {}", shown(text), names.join(", "))
        })
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
