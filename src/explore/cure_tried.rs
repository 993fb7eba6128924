//! Cures that were tried at a running application, and what came of each.

use std::fmt;

use serde::Serialize;

use crate::base::text::nearest::{did_you_mean, shown};
use crate::check::report::Evidence;
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;

/// A cure that can be tried without changing the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// The query that read locks its rows: `FOR UPDATE`.
    Lock,
    /// The UPDATE that wrote asks whether what was read still holds.
    Guard,
    /// Every transaction that names no level runs at this one.
    Isolation(Isolation),
}

/// What cures are called, but for the level.
const NAMES: [&str; 3] = ["lock", "guard", "isolation"];

impl Cure {
    /// Reads `lock`, `guard` or `isolation=LEVEL`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, level) = match text.split_once('=') {
            Some((name, level)) => (name.trim(), Some(level)),
            None => (text.trim(), None),
        };
        match (name, level) {
            ("lock", None) => Ok(Self::Lock),
            ("guard", None) => Ok(Self::Guard),
            ("isolation", Some(level)) => Isolation::parse(level).map(Self::Isolation),
            ("isolation", None) => {
                Err("expected isolation=LEVEL, such as isolation=serializable".into())
            }
            ("lock" | "guard", Some(_)) => Err(format!("expected {name}, without a value")),
            _ => Err(format!(
                "no cure `{}`{}; there are lock, guard and isolation=LEVEL",
                shown(name),
                did_you_mean(name, NAMES)
            )),
        }
    }

    /// The isolation level, if it is one.
    #[must_use]
    pub fn level(self) -> Option<Isolation> {
        match self {
            Self::Isolation(level) => Some(level),
            Self::Lock | Self::Guard => None,
        }
    }
}

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock => f.write_str("lock"),
            Self::Guard => f.write_str("guard"),
            Self::Isolation(level) => write!(f, "isolation={level}"),
        }
    }
}

/// A cure that was to be tried, and what was found with it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CureTried {
    /// The cure: `lock`, `guard` or `isolation=LEVEL`.
    pub cure: String,
    /// How far the verdict on the finding reaches: proved if no order shows it with the cure, broken if one does, vacuous if
    /// nothing could have been found, and not seen otherwise; none if the cure could not be tried.
    pub evidence: Option<Evidence>,
    /// Why it could not be tried, or why nothing is proved; none if neither is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// The statement as the application sends it, with `?` in the place of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The same statement with the cure in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// What else is found with the cure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<FindingKind>,
    /// Orders that were run.
    pub orders: u64,
    /// In how many of them a buyer had to wait for another.
    pub waited: u64,
    /// In how many of them a buyer's checkout failed.
    pub failed: u64,
    /// In how many of them the server broke a deadlock.
    pub resolved_deadlocks: u64,
    /// In how many of them a buyer bought whose guarded UPDATE had changed no row: the application did not look.
    #[serde(skip_serializing_if = "is_zero")]
    pub unheeded: u64,
    /// Every order with at most this many preemptions was covered; none if all orders were, or preemptions were not
    /// counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<u32>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CureTried {
    /// A cure that could not be tried.
    #[doc(hidden)]
    #[must_use]
    pub fn impossible(cure: Cure, why_not: String) -> Self {
        Self {
            cure: cure.to_string(),
            evidence: None,
            why_not: Some(why_not),
            before: None,
            statement: None,
            remains: Vec::new(),
            orders: 0,
            waited: 0,
            failed: 0,
            resolved_deadlocks: 0,
            unheeded: 0,
            preemptions: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cure_is_read_as_it_is_written() {
        for text in ["lock", "guard", "isolation=serializable", "isolation=repeatable-read"] {
            assert_eq!(Cure::parse(text).unwrap().to_string(), text);
        }
        for (text, why) in [
            ("loc", "did you mean `lock`?"),
            ("isolation", "expected isolation=LEVEL"),
            ("isolation=serialisable", "did you mean `serializable`?"),
            ("lock=1", "without a value"),
            ("", "there are lock, guard and isolation=LEVEL"),
        ] {
            let refused = Cure::parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
