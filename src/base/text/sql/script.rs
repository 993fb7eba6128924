//! Where a text of several statements is wrong, of which the server says a place in its own way, or none.

use super::written::statements;
use super::{Dialect, TokenKind, pieces};
use crate::base::text::printable::printable;

/// Where a text has failed, as far as the server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptPlace {
    /// It does not say.
    Unknown,
    /// At this byte of the text.
    Byte(usize),
    /// In this line of the text, counted from 1.
    Line(usize),
    /// In a statement: so many before it have succeeded. `line` is a line of the statement, counted from 1, without the
    /// spaces before it.
    Statement {
        /// How many have succeeded.
        number: usize,
        /// The line in it.
        line: usize,
    },
}

/// The most characters of a statement that a message repeats.
const MOST_REPEATED: usize = 60;

/// Says what is wrong with a file of statements: with its line, and the beginning of the statement, where they are known.
#[must_use]
pub fn script_fault(
    dialect: Dialect,
    path: &str,
    text: &str,
    place: ScriptPlace,
    why: &str,
) -> String {
    let all = statements(dialect, text);
    let start = |statement: &str| {
        let offset = statement.as_ptr() as usize - text.as_ptr() as usize;
        offset + statement.len() - statement.trim_start().len()
    };
    let line_at =
        |at: usize| 1 + text.as_bytes().iter().take(at).filter(|it| **it == b'\n').count();
    let (line, statement) = match place {
        ScriptPlace::Unknown => (None, None),
        ScriptPlace::Byte(at) => {
            let statement = all.iter().rev().find(|one| start(one) <= at);
            (Some(line_at(at)), statement)
        }
        ScriptPlace::Line(line) => {
            let statement = all.iter().rev().find(|one| line_at(start(one)) <= line);
            (Some(line), statement)
        }
        // Behind a statement that has others inside, statements are not counted as the server counts them.
        ScriptPlace::Statement { number, line } => {
            let is_countable = !all.iter().take(number).any(|one| has_others_inside(dialect, one));
            let statement = all.get(number).filter(|_| is_countable);
            (
                statement.map(|one| line_at(first_word(dialect, one, start(one), line)) + line - 1),
                statement,
            )
        }
    };
    let place = line.map_or_else(|| path.to_owned(), |line| format!("{path}:{line}"));
    match statement.map(|statement| brief(dialect, statement)) {
        Some(brief) => format!("{place}: {why}, in `{brief}`"),
        None => format!("{place}: {why}"),
    }
}

/// Where a statement begins: at its first word, or before a comment where a line is counted from there.
fn first_word(dialect: Dialect, statement: &str, start: usize, line: usize) -> usize {
    if line > 1 {
        return start;
    }
    let trimmed = statement.trim_start();
    let pieces = pieces(dialect, trimmed);
    let before = pieces
        .iter()
        .take_while(|piece| matches!(piece.kind, TokenKind::Space | TokenKind::Comment))
        .map(|piece| piece.text.len());
    start + before.sum::<usize>()
}

/// Whether a statement may have others inside, which end in semicolons, too: what creates a trigger, a procedure, a
/// function or an event.
#[must_use]
pub fn has_others_inside(dialect: Dialect, statement: &str) -> bool {
    let pieces = pieces(dialect, statement);
    let words = pieces.iter().filter(|piece| piece.kind == TokenKind::Word);
    let words: Vec<String> = words.map(|word| word.text.to_lowercase()).take(12).collect();
    let has = |word: &str| words.iter().any(|one| one == word);
    let first = words.first().map_or("", String::as_str);
    let hides = pieces.iter().any(|piece| piece.kind == TokenKind::Unreadable);
    hides
        || first == "create"
            && ["trigger", "procedure", "function", "event", "package"].map(has).contains(&true)
        || matches!(first, "delimiter" | "do")
}

/// The beginning of a statement on one line, without comments.
fn brief(dialect: Dialect, statement: &str) -> String {
    let pieces = pieces(dialect, statement);
    let words = pieces.iter().map(|piece| match piece.kind {
        TokenKind::Comment => " ",
        _ => piece.text,
    });
    let words = words.collect::<String>();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut brief: String = line.chars().take(MOST_REPEATED).collect();
    if line.chars().nth(MOST_REPEATED).is_some() {
        brief.push('…');
    }
    printable(&brief).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "-- the shop\nCREATE TABLE a (\n  id INT\n);\n\n-- and\nINSERT INTO a\n  VALUES (1);\n";

    fn fault(text: &str, place: ScriptPlace) -> String {
        script_fault(Dialect::Postgres, "a.sql", text, place, "no")
    }

    #[test]
    fn a_place_is_told_by_its_line_whatever_way_the_server_says_it() {
        let statement = |number, line| ScriptPlace::Statement { number, line };
        let create = "in `CREATE TABLE a ( id INT )`";
        let insert = "in `INSERT INTO a VALUES (1)`";
        assert_eq!(fault(TEXT, ScriptPlace::Unknown), "a.sql: no");
        assert_eq!(fault(TEXT, ScriptPlace::Byte(31)), format!("a.sql:3: no, {create}"));
        assert_eq!(fault(TEXT, ScriptPlace::Line(8)), format!("a.sql:8: no, {insert}"));
        assert_eq!(fault(TEXT, statement(0, 1)), format!("a.sql:2: no, {create}"));
        assert_eq!(fault(TEXT, statement(1, 1)), format!("a.sql:7: no, {insert}"));
        assert_eq!(fault(TEXT, statement(1, 3)), format!("a.sql:8: no, {insert}"));
        assert_eq!(fault(TEXT, statement(2, 1)), "a.sql: no");
    }

    #[test]
    fn behind_a_statement_with_others_inside_no_line_is_told() {
        let text = "CREATE TRIGGER t BEGIN SELECT 1; END;\nSELECT 2";
        let at = |number| fault(text, ScriptPlace::Statement { number, line: 1 });
        assert!(at(0).starts_with("a.sql:1: no, in `CREATE TRIGGER"), "{}", at(0));
        assert_eq!(at(1), "a.sql: no");
    }

    #[test]
    fn a_long_statement_is_told_by_its_beginning() {
        let text = format!("SELECT '{}'", "x".repeat(900));
        assert!(fault(&text, ScriptPlace::Byte(9)).chars().count() < 100);
    }
}
