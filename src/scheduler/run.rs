//! One execution that was run: within which bounds, and how it ended.

use super::choice::Choice;

/// The bounds of each execution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Step limit.
    pub most_steps: usize,
    /// Whether an execution is given up once a client makes futile attempts again and again. Such an attempt ends in a
    /// conflict and has changed nothing, so it may as well not have been made: another execution covers what follows.
    pub cuts_futile: bool,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The scheduler had nothing more to choose.
    Over,
    /// It was given up, because executions that were run cover all that could follow.
    Cut,
    /// Its repeated beginning diverged: where and how.
    Diverged(String),
    /// It had as many steps as the limit allows, and would go on.
    TooLong,
    /// The search was stopped.
    Stopped,
}

/// An execution that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// How it ended.
    pub end: End,
    /// What happened in it.
    pub schedule: Vec<Choice>,
    /// Steps that were made, those of earlier tries included.
    pub steps: u64,
}
