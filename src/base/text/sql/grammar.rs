//! A statement as `sqlparser`'s grammar reads it.
//!
//! What stands in a statement may be nested, and is read, printed and dropped by functions that call themselves. So a
//! statement that may be nested deep is read on a stack of its own, and one that may be nested deeper than that is not read.

use std::thread;

use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect as Rules, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::{Dialect, TokenKind, pieces};

/// The most words and operators in a statement that is read. Each may nest what stands before it once more.
const MOST_WORDS: usize = 2_000;

/// How many there may be in one that is read on any stack. Of one that begins with a hundred, printing it overflows 2 MiB
/// where the grammar is compiled without optimization.
const FEW_WORDS: usize = 30;

/// The stack for all others. Only what is used of it takes memory.
const STACK: usize = 64 << 20;

/// Calls `read`, which reads this text with [`only_statement`], where the stack is large enough for that; none if no thread
/// can be started.
pub(crate) fn with_room<T: Send>(text: &str, read: impl FnOnce() -> T + Send) -> Option<T> {
    if has_few_words(text) {
        return Some(read());
    }
    thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read).ok()?.join().ok()
    })
}

/// Reads the only statement of a text; none if it is not understood, has too many words, or is not the only one.
pub(crate) fn only_statement(dialect: Dialect, text: &str) -> Option<Statement> {
    let rules: &dyn Rules = match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Mysql => &MySqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
    };
    if is_long(dialect, text) {
        return None;
    }
    let mut all = Parser::parse_sql(rules, text).ok()?;
    all.pop().filter(|_| all.is_empty())
}

/// Whether a text has few words and signs, whatever they mean.
fn has_few_words(text: &str) -> bool {
    let mut words = 0;
    let mut is_in_word = false;
    for sign in text.chars() {
        let continues = sign.is_alphanumeric() || sign == '_';
        let is_in_one = sign.is_whitespace() || continues && is_in_word;
        words += usize::from(!is_in_one);
        is_in_word = continues;
        if words > FEW_WORDS {
            return false;
        }
    }
    true
}

/// Whether a text has too many words and operators. Values may be as many as there are.
fn is_long(dialect: Dialect, text: &str) -> bool {
    // Each has a byte at least.
    if text.len() <= MOST_WORDS {
        return false;
    }
    let tokens = pieces(dialect, text);
    let words = tokens.iter().filter(|token| match token.kind {
        TokenKind::Word | TokenKind::Name => true,
        TokenKind::Sign => !matches!(token.text, "," | "(" | ")" | ";"),
        _ => false,
    });
    words.count() > MOST_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_of_any_length_and_depth_is_read_and_printed_or_refused() {
        for (start, part) in [
            ("SELECT a FROM t WHERE a = 1", " OR a = 1"),
            ("SELECT 1", " UNION SELECT 1"),
            ("SELECT a", "::int"),
            ("SELECT a", " IS NULL"),
            ("SELECT ", "- "),
            ("SELECT ", "("),
            ("SELECT ", "NOT "),
            ("SELECT ", "(SELECT "),
            ("SELECT CASE WHEN ", " CASE WHEN "),
            ("SELECT a FROM ", "(SELECT a FROM "),
            ("EXPLAIN ", "EXPLAIN "),
            ("SELECT a", " BETWEEN a AND a"),
            ("SELECT f", "(f"),
        ] {
            for times in [20, 60, 1_000, 2_000, 20_000] {
                let text = format!("{start}{}", part.repeat(times));
                let read = || only_statement(Dialect::Postgres, &text).map(|one| one.to_string());
                with_room(&text, read).expect("a thread");
            }
        }
    }

    #[test]
    fn many_rows_are_no_long_statement_and_many_conditions_are() {
        let rows = vec!["(1, -2, 'x')"; 1_000].join(", ");
        let insert = format!("INSERT INTO t VALUES {rows}");
        let is_read = |text: &str| {
            with_room(text, || only_statement(Dialect::Postgres, text).is_some()).expect("a thread")
        };
        assert!(is_read(&insert));
        let where_it_is = |times| vec!["a = 1"; times].join(" OR ");
        let query = |times| format!("SELECT a FROM t WHERE {}", where_it_is(times));
        assert!(is_read(&query(600)));
        assert!(!is_read(&query(700)));
    }
}
