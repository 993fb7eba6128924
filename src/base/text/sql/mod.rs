//! SQL as text: which dialect it is written in, its tokens, and statements in words that a reader sees.
//!
//! Tokens come from `sqlparser`'s tokenizer, which knows each dialect's quotes, escapes and comments. What a
//! statement does is read from its tokens (`stores/sql/`), and what is not understood there counts as touching
//! everything; its grammar is read only for the rows that it is about, and where a cure is written into it.

mod grammar;
mod lexer;
mod mysql;
mod rewriting;
mod script;
mod tags;
mod written;

pub(crate) use grammar::{only_statement, with_room};
pub use lexer::{SqlToken, TokenKind, pieces};
pub use rewriting::{
    ColumnRead, ReadValue, RewriteOutcome, Rewriting, StatementCure, guard_for, locked,
};
pub use script::{ScriptPlace, has_others_inside, script_fault};
pub use tags::code_location;
pub use written::{filled, in_brief, on_one_line, parameters, shape, statements, with_parameters};

/// A dialect of SQL, by the database that speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, with `standard_conforming_strings` on, as it is by default.
    Postgres,
    /// MariaDB and MySQL, with backslash escapes, as by default. A text in double quotes may be a name there.
    Mysql,
    /// SQLite.
    Sqlite,
}

/// A statement, or several, in one dialect. Parameters are written `:name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The dialect in which it is written.
    pub dialect: Dialect,
    /// As it is written.
    pub text: String,
}

impl Sql {
    /// A text in a dialect.
    #[must_use]
    pub fn new(dialect: Dialect, text: impl Into<String>) -> Self {
        Self { dialect, text: text.into() }
    }

    /// The first word, in small letters; empty if it begins with none.
    #[must_use]
    pub fn first_word(&self) -> String {
        let pieces = pieces(self.dialect, &self.text);
        let mut words = pieces.iter().filter(|piece| piece.kind == TokenKind::Word);
        words.next().map_or(String::new(), |word| word.text.to_lowercase())
    }
}
