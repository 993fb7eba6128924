//! Statements about savepoints, and the savepoints of a transaction.
//!
//! | database | `ROLLBACK TO` | source |
//! |---|---|---|
//! | PostgreSQL | gives back the locks that were taken since the savepoint; so does a statement that fails, at once, as far as the last savepoint | manual, 13.3; `AbortSubTransaction` |
//! | InnoDB | keeps the locks of rows, but for rows that were inserted since | MySQL manual, 15.3.4 |
//! | SQLite | keeps the lock of the writer | *Savepoints*, 2 |
//!
//! In SQLite a savepoint outside a transaction begins one, and its `RELEASE` commits it.

use super::tokens::Token;
use crate::base::text::sql::{Dialect, TokenKind};
use crate::scheduler::Footprint;

/// What a statement does with the savepoint of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SavepointDeed {
    /// It sets it.
    Sets(String),
    /// It undoes what was done since.
    RollsBackTo(String),
    /// It forgets it, and keeps what was done since.
    Releases(String),
}

impl SavepointDeed {
    /// Reads a statement; none if it is not about a savepoint, or its name may be another than it seems.
    pub(super) fn of(dialect: Dialect, text: &str, tokens: &[Token]) -> Option<Self> {
        let (first, rest) = tokens.split_first()?;
        let without = |tokens: &'_ [Token], words: &[&str]| match tokens.split_first() {
            Some((token, rest)) if token.is(words) && !rest.is_empty() => rest.len(),
            _ => tokens.len(),
        };
        let behind = |words: &[&str], tokens: &[Token]| without(tokens, words);
        let last = |count: usize| &tokens[tokens.len() - count..];
        let deed: (fn(String) -> Self, &[Token]) = match first.word.as_str() {
            "savepoint" => (Self::Sets, rest),
            "release" => (Self::Releases, last(behind(&["savepoint"], rest))),
            "rollback" => {
                let rest = last(behind(&["work", "transaction"], rest));
                let (to, rest) = rest.split_first()?;
                if !to.is(&["to"]) {
                    return None;
                }
                (Self::RollsBackTo, last(behind(&["savepoint"], rest)))
            }
            _ => return None,
        };
        let (make, [name]) = deed else { return None };
        // PostgreSQL tells names in quotes apart by their case, which tokens do not keep.
        let is_clear = match name.kind {
            TokenKind::Word => first.kind == TokenKind::Word,
            TokenKind::Name => {
                let in_quotes = text.split_once(['"', '`', '[']).map_or("", |(_, name)| name);
                dialect != Dialect::Postgres || in_quotes == in_quotes.to_lowercase()
            }
            _ => false,
        };
        is_clear.then(|| make(name.word.clone()))
    }
}

/// A savepoint of a transaction, and what its transaction held and was to do when it was set.
#[derive(Clone, Debug)]
pub(super) struct Savepoint {
    pub(super) name: String,
    pub(super) holds: Footprint,
    pub(super) end: Footprint,
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn deed(dialect: Dialect, text: &str) -> Option<SavepointDeed> {
        SavepointDeed::of(dialect, text, &tokens(dialect, text))
    }

    #[test]
    fn a_savepoint_is_known_by_its_name_however_the_statement_is_written() {
        use SavepointDeed::{Releases, RollsBackTo, Sets};
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            for (text, expected) in [
                ("SAVEPOINT a", Sets("a".into())),
                ("savepoint A;", Sets("a".into())),
                ("RELEASE SAVEPOINT a", Releases("a".into())),
                ("ROLLBACK TO a", RollsBackTo("a".into())),
                ("ROLLBACK TO SAVEPOINT a", RollsBackTo("a".into())),
                ("ROLLBACK WORK TO /* it */ SAVEPOINT a", RollsBackTo("a".into())),
                ("ROLLBACK TO savepoint", RollsBackTo("savepoint".into())),
            ] {
                assert_eq!(deed(dialect, text), Some(expected), "{text}");
            }
        }
        assert_eq!(deed(Dialect::Postgres, "SAVEPOINT \"s1_x2\""), Some(Sets("s1_x2".into())));
        assert_eq!(deed(Dialect::Mysql, "SAVEPOINT `S1`"), Some(Sets("s1".into())));
        assert_eq!(deed(Dialect::Sqlite, "RELEASE \"s1\""), Some(Releases("s1".into())));
    }

    #[test]
    fn a_name_that_may_be_another_is_none() {
        for text in [
            "SAVEPOINT \"S\"",
            "SAVEPOINT",
            "SAVEPOINT a b",
            "ROLLBACK TO SAVEPOINT :name",
            "ROLLBACK TO 'a'",
            "ROLLBACK",
            "ROLLBACK AND CHAIN",
            "COMMIT",
        ] {
            assert_eq!(deed(Dialect::Postgres, text), None, "{text}");
        }
    }
}
