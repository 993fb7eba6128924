//! What to type next, and what for: a command that leads on from a verdict.

use serde::Serialize;

/// A command that leads on from a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What for.
    pub purpose: Purpose,
    /// The command, or the call of the library that does the same.
    pub command: String,
}

/// What a command is printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It is broken there, too, and the shortest way to it is told.
    Why,
    /// It follows every interleaving of the same checkout in a small shop.
    ProveIt,
    /// The strategy is known to be broken, and there it shows.
    BreakIt,
    /// It follows every interleaving of the same strategy in the model: where it was raced its statements cannot be held.
    InTheModel,
    /// There buyers would meet, or less would have to be searched.
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
    #[must_use]
    pub fn new(purpose: Purpose, command: impl Into<String>) -> Self {
        Self { purpose, command: command.into() }
    }
}
