//! What to type next, and what for: a command that leads on from a verdict.

use serde::Serialize;

/// A command that leads on from a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Hint {
    /// What for.
    pub purpose: Purpose,
    /// The command, or the call of the library that does the same.
    pub command: String,
}

/// What a command is printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Purpose {
    /// It finds the bug there, too, and tells the shortest schedule that shows it.
    Why,
    /// It follows every interleaving of the same checkout in a small shop.
    ProveIt,
    /// The strategy is known to be broken, and the command shows it.
    BreakIt,
    /// It follows every interleaving of the same strategy in the model: statements cannot be held where it was raced.
    InTheModel,
    /// It runs a shop in which buyers would contend, or in which there is less to search.
    Instead,
}

impl Purpose {
    /// How the line is labelled.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Why => "why",
            Self::ProveIt => "prove it",
            Self::BreakIt => "break it",
            Self::InTheModel => "in the model",
            Self::Instead => "instead",
        }
    }
}

impl Hint {
    /// A command for a purpose.
    #[doc(hidden)]
    #[must_use]
    pub fn new(purpose: Purpose, command: impl Into<String>) -> Self {
        Self { purpose, command: command.into() }
    }
}
