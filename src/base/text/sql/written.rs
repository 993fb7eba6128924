//! Statements in words: with values in the place of parameters, on one line, without values, or in brief.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::{Dialect, SqlToken, TokenKind, pieces};
use crate::base::memo::Memo;

/// A part of a statement, by its bytes there.
#[derive(Debug)]
enum Part {
    /// A parameter's name.
    Parameter(Range<usize>),
    Comment(Range<usize>),
    Other(Range<usize>),
}

/// The parts of the statements of each dialect, which are sent again and again with other values.
static PARTS: LazyLock<[Memo<Vec<Part>>; 3]> = LazyLock::new(Default::default);

fn parts(dialect: Dialect, text: &str) -> Arc<Vec<Part>> {
    PARTS[dialect as usize].get(text, |text| {
        let mut end = 0;
        let part = |piece: SqlToken<'_>| {
            let start = end;
            end += piece.text.len();
            match piece.parameter() {
                Some(name) => Part::Parameter(end - name.len()..end),
                None if piece.kind == TokenKind::Comment => Part::Comment(start..end),
                None => Part::Other(start..end),
            }
        };
        pieces(dialect, text).into_iter().map(part).collect()
    })
}

/// The names of a statement's parameters, each as often as it stands there.
#[must_use]
pub fn parameters(dialect: Dialect, text: &str) -> Vec<&str> {
    pieces(dialect, text).into_iter().filter_map(SqlToken::parameter).collect()
}

/// A statement with something else in the place of each parameter.
pub fn with_parameters<'t>(
    dialect: Dialect,
    text: &'t str,
    mut stands_for: impl FnMut(&'t str) -> String,
) -> String {
    let mut written = String::with_capacity(text.len());
    for part in parts(dialect, text).iter() {
        match part {
            Part::Parameter(name) => written += &stands_for(&text[name.clone()]),
            Part::Comment(said) | Part::Other(said) => written += &text[said.clone()],
        }
    }
    written
}

/// A statement on one line: without comments, and with something else in the place of each parameter.
pub fn on_one_line<'t>(
    dialect: Dialect,
    text: &'t str,
    mut stands_for: impl FnMut(&'t str) -> String,
) -> String {
    let mut written = String::with_capacity(text.len());
    for part in parts(dialect, text).iter() {
        match part {
            Part::Parameter(name) => written += &stands_for(&text[name.clone()]),
            Part::Comment(_) => written.push(' '),
            Part::Other(said) => written += &text[said.clone()],
        }
    }
    spaced(&written)
}

/// The statements of a text, separated by semicolons. A part that has only spaces and comments is no statement.
#[must_use]
pub fn statements(dialect: Dialect, text: &str) -> Vec<&str> {
    let (mut found, mut begun, mut at, mut says) = (Vec::new(), 0, 0, false);
    for piece in pieces(dialect, text) {
        if piece.is_sign(";") {
            if says {
                found.push(&text[begun..at]);
            }
            (begun, says) = (at + piece.text.len(), false);
        } else {
            says |= !matches!(piece.kind, TokenKind::Space | TokenKind::Comment);
        }
        at += piece.text.len();
    }
    if says {
        found.push(&text[begun..]);
    }
    found
}

/// A statement with values in the place of `$1` and `?`, on one line.
#[must_use]
pub fn filled(dialect: Dialect, text: &str, values: &[String]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut next = 0;
    let put = |written: &mut String, place: usize, or: &str| match values.get(place) {
        Some(value) if value == "null" || value.parse::<f64>().is_ok() => written.push_str(value),
        Some(value) => written.push_str(&format!("'{}'", value.replace('\'', "''"))),
        None => written.push_str(or),
    };
    for piece in pieces(dialect, text) {
        match piece.kind {
            TokenKind::Placeholder if piece.text == "?" => {
                put(&mut written, next, "?");
                next += 1;
            }
            TokenKind::Placeholder => {
                let place = piece.text[1..].parse::<usize>().unwrap_or(0);
                put(&mut written, place.wrapping_sub(1), piece.text);
            }
            TokenKind::Comment => written.push(' '),
            _ => written.push_str(piece.text),
        }
    }
    spaced(&written)
}

/// A statement in which every value that stands there is a `?`, on one line.
#[must_use]
pub fn shape(dialect: Dialect, text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(dialect, text) {
        match piece.kind {
            // In double quotes it may be a name.
            TokenKind::Text if !piece.text.starts_with('"') => written.push('?'),
            TokenKind::Number => written.push('?'),
            TokenKind::Comment => written.push(' '),
            _ => written.push_str(piece.text),
        }
    }
    spaced(&written)
}

/// With one space between words.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest list of columns that is told.
const LONG_LIST: usize = 40;

/// A statement that stands on one line, as short as a reader can do with: without quotes around names, and without
/// long lists of columns.
#[must_use]
pub fn in_brief(text: &str) -> String {
    let text = text.replace(['"', '`'], "");
    // Every place is the same in it: no letter but an ASCII one is another.
    let lower = text.to_ascii_lowercase();
    let cut = |from: usize, to: usize| match to.saturating_sub(from) > LONG_LIST {
        true => format!("{}…{}", &text[..from], &text[to..]),
        false => text.clone(),
    };
    match lower.split(' ').next() {
        Some("select") => match lower.find(" from ") {
            Some(from) => cut("select ".len(), from),
            None => text.clone(),
        },
        Some("insert") => match (text.find('('), lower.find(") values")) {
            (Some(open), Some(close)) if open < close => cut(open + 1, close),
            _ => text.clone(),
        },
        _ => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: Dialect = Dialect::Postgres;

    #[test]
    fn only_a_single_colon_in_front_of_a_name_names_a_parameter() {
        let names = |text| parameters(POSTGRES, text);
        assert_eq!(names("SELECT :a, b::text, ':c', \":d\", x[1:2] := 1"), ["a"]);
        assert_eq!(names("-- it's :a\n:b /* :c ' */ :d"), ["b", "d"]);
        assert_eq!(names("$$ :a $$ :b $x$ :c $$ $x$ :d $1"), ["b", "d"]);
        assert_eq!(names("'it''s :a' :b"), ["b"]);
        assert_eq!(names(":é_1+:é_1"), ["é_1", "é_1"]);
        assert_eq!(parameters(Dialect::Mysql, r"SELECT 'it\'s :a', `:b`, :c # :d"), ["c"]);
        assert_eq!(parameters(Dialect::Sqlite, "SELECT [:a], `:b`, :c"), ["c"]);
    }

    #[test]
    fn what_is_left_open_goes_to_the_end() {
        for text in ["' :a", "/* :a", "$$ :a", "-- :a", ":", "$", "$x"] {
            assert_eq!(parameters(POSTGRES, text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_statement_fits_on_one_line() {
        let text = "SELECT 1 -- one\n  FROM t\n WHERE id = :id";
        assert_eq!(on_one_line(POSTGRES, text, |_| "7".into()), "SELECT 1 FROM t WHERE id = 7");
    }

    #[test]
    fn a_text_is_cut_into_its_statements() {
        assert_eq!(
            statements(POSTGRES, "BEGIN; SELECT ';' -- ; \n;; COMMIT; -- the end"),
            ["BEGIN", " SELECT ';' -- ; \n", " COMMIT"]
        );
        assert!(statements(POSTGRES, " ; ").is_empty());
        assert_eq!(statements(Dialect::Mysql, r"SELECT 'it\'s;'; SELECT 2").len(), 2);
    }

    #[test]
    fn values_stand_where_they_are_sent_to_and_are_no_part_of_a_shape() {
        let values = ["7".to_owned(), "it's".to_owned()];
        assert_eq!(
            filled(POSTGRES, "UPDATE t SET a = $2 WHERE id = $1", &values),
            "UPDATE t SET a = 'it''s' WHERE id = 7"
        );
        assert_eq!(
            filled(Dialect::Mysql, "UPDATE t\n SET a = ?, b = ? -- so", &values[..1]),
            "UPDATE t SET a = 7, b = ?"
        );
        assert_eq!(
            shape(POSTGRES, "SELECT 'x' FROM t1 WHERE id = 17"),
            "SELECT ? FROM t1 WHERE id = ?"
        );
    }

    #[test]
    fn a_comment_is_no_part_of_a_shape_nor_of_what_is_shown() {
        for tag in ["traceparent='00-5bd6-01'", "traceparent='00-77aa-02',line='3'"] {
            for text in [format!("SELECT 1 /*{tag}*/"), format!("/*{tag}*/ SELECT 1 -- {tag}")] {
                assert_eq!(shape(POSTGRES, &text), "SELECT ?");
                assert_eq!(filled(POSTGRES, &text, &[]), "SELECT 1");
            }
        }
    }

    #[test]
    fn a_long_list_of_columns_is_left_out() {
        let long = "SELECT \"a\".\"id\", \"a\".\"title\", \"a\".\"description\", \"a\".\"price\", \"a\".\"created\" FROM \"a\" LIMIT 1";
        assert_eq!(in_brief(long), "SELECT … FROM a LIMIT 1");
        assert_eq!(in_brief("SELECT stock FROM product"), "SELECT stock FROM product");
        let insert =
            "INSERT INTO a (id, title, description, price, currency, created) VALUES (1, 'x')";
        assert_eq!(in_brief(insert), "INSERT INTO a (…) VALUES (1, 'x')");
    }

    #[test]
    fn a_statement_without_columns_or_with_letters_that_change_their_length_is_told_too() {
        assert_eq!(in_brief("SELECT FROM t"), "SELECT FROM t");
        // In small letters `İ` is longer, and the sign for kelvin is shorter: together they are as long as before.
        let long = format!("SELECT {}İİ\u{212a} FROM t", "ü, ".repeat(20));
        assert_eq!(in_brief(&long), "SELECT … FROM t");
    }
}
