//! One step of a checkout: what is sent to the store, and what its answer means.

use std::fmt;

use super::code::BuyerCode;
use super::condition::Condition;
use super::program::ProgramTemplate;
use super::request::RequestTemplate;
use super::template::Template;
use crate::base::text::server_url::without_passwords;
use crate::base::text::sql::{Sql, on_one_line, parameters};

/// What is said to the store.
#[derive(Clone, Debug)]
pub enum Call {
    /// A statement, with its parameters as `:name`.
    Sql(Sql),
    /// A command, in words.
    Redis(Vec<Template>),
    /// A script in Lua, with its keys and arguments.
    Lua {
        /// The file's name.
        name: String,
        /// What is in it.
        code: String,
        /// Its `KEYS`.
        keys: Vec<Template>,
        /// Its `ARGV`.
        arguments: Vec<Template>,
    },
    /// A request to a running shop.
    Http(RequestTemplate),
    /// A program, run to its end.
    Program(ProgramTemplate),
    /// Code of a test, run to its end.
    Code(BuyerCode),
}

impl Call {
    /// A command of one word.
    #[must_use]
    pub fn word(word: &str) -> Self {
        Self::Redis(vec![Template::plain(word)])
    }

    /// The names of the values that it needs.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Sql(sql) => parameters(sql.dialect, &sql.text),
            Self::Redis(words) => words.iter().flat_map(Template::names).collect(),
            Self::Lua { keys, arguments, .. } => {
                keys.iter().chain(arguments).flat_map(Template::names).collect()
            }
            Self::Http(request) => request.names().collect(),
            Self::Program(program) => program.names().collect(),
            Self::Code(_) => Vec::new(),
        }
    }

    /// Whether it sends statements over connections of its own, to addresses that are its buyer's alone.
    #[must_use]
    pub fn has_own_addresses(&self) -> bool {
        matches!(self, Self::Program(_) | Self::Code(_))
    }

    /// On one line, with something in the place of each value.
    #[must_use]
    pub fn shown(&self, text_of: impl Fn(&str) -> String) -> String {
        let filled = |word: &Template| word.filled_with(&text_of);
        match self {
            Self::Sql(sql) => on_one_line(sql.dialect, &sql.text, &text_of),
            Self::Redis(words) => words.iter().map(filled).collect::<Vec<_>>().join(" "),
            Self::Lua { name, keys, arguments, .. } => {
                let words = keys.iter().chain(arguments).map(filled);
                std::iter::once(name.clone()).chain(words).collect::<Vec<_>>().join(" ")
            }
            Self::Http(RequestTemplate { method, path, body, .. }) => {
                let body = body.as_ref().map_or(String::new(), |body| format!(" {}", filled(body)));
                let path = filled(path);
                format!("{method} {}{body}", without_passwords(&path))
            }
            Self::Program(program) => program.shown(&text_of),
            Self::Code(_) => "the code".to_owned(),
        }
    }
}

/// How a step can end the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// The buyer has what it came for.
    Bought,
    /// Too little is left.
    SoldOut,
    /// Another session got in between: the attempt begins again.
    Conflict,
    /// Something is wrong.
    Failed,
}

impl StepEnd {
    /// The ways that a key can name.
    pub const ALL: [Self; 4] = [Self::Bought, Self::SoldOut, Self::Conflict, Self::Failed];

    /// As it stands in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::SoldOut => "sold_out",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
        }
    }
}

/// What follows when the store refuses a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefusal {
    /// The attempt ends like this.
    Ends(StepEnd),
    /// The next step follows.
    GoesOn,
}

impl OnRefusal {
    /// Everything that `if_refused` can say.
    pub const ALL: [Self; 5] = [
        Self::Ends(StepEnd::Bought),
        Self::Ends(StepEnd::SoldOut),
        Self::Ends(StepEnd::Conflict),
        Self::Ends(StepEnd::Failed),
        Self::GoesOn,
    ];

    /// As it stands in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ends(end) => end.name(),
            Self::GoesOn => "go_on",
        }
    }
}

/// A value of an answer that is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The column, and the name of the value from then on.
    pub name: String,
    /// Whether the answer may have no row.
    pub may_be_none: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is called, if anything.
    pub name: Option<String>,
    /// Which line of the file it begins in.
    pub line: usize,
    /// What is said to the store.
    pub call: Call,
    /// The step is left out unless this holds.
    pub when: Option<Condition>,
    /// What is kept of the first row.
    pub save: Vec<Saved>,
    /// What ends the attempt, the first that holds.
    pub ends: Vec<(Condition, StepEnd)>,
    /// What it means when the store refuses it, because of a constraint or an unavailable lock; none if the file does
    /// not say, and so does not expect it.
    pub if_refused: Option<OnRefusal>,
}

/// How it is called in messages: `step 3, reserve`.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'s>(pub usize, pub &'s Step);

impl fmt::Display for Numbered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.0 + 1)?;
        self.1.name.as_ref().map_or(Ok(()), |name| write!(f, ", {name}"))
    }
}
