//! SQL, as far as it has to be told apart: parameters, words, and what is neither.

/// A piece of a statement. All of them, put together, are the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// `:name`, of which this is the name.
    Parameter(&'t str),
    /// A keyword, a name, or a number, as it is written.
    Word(&'t str),
    /// Signs, spaces, texts in quotes.
    Other(&'t str),
    /// A comment.
    Comment(&'t str),
}

/// The pieces of a statement, in order. A colon in a text or a comment names nothing, nor does one of two, as in
/// `total::text`.
#[must_use]
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text }
}

/// See [`pieces`].
#[derive(Clone, Debug)]
pub struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let text = self.rest;
        let first = text.chars().next()?;
        let (length, make): (usize, fn(&'t str) -> Piece<'t>) = match first {
            ':' if text.starts_with("::") => (2, Piece::Other),
            ':' => match text[1..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
                true => (1 + word_length(&text[1..]), |piece| Piece::Parameter(&piece[1..])),
                false => (1, Piece::Other),
            },
            '\'' | '"' | '`' => (1 + through(&text[1..], &text[..1]), Piece::Other),
            '$' => (dollar_quoted(text), Piece::Other),
            '-' if text.starts_with("--") => {
                (text.find('\n').unwrap_or(text.len()), Piece::Comment)
            }
            '/' if text.starts_with("/*") => (2 + through(&text[2..], "*/"), Piece::Comment),
            first if is_of_word(first) => (word_length(text), Piece::Word),
            first => (first.len_utf8(), Piece::Other),
        };
        let (piece, rest) = text.split_at(length);
        self.rest = rest;
        Some(make(piece))
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_of_word(c)).unwrap_or(text.len())
}

/// Up to and with this; or all, if it never comes.
fn through(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// How long a text is that stands between two of the same `$tag$`; 1 if none begins here.
fn dollar_quoted(text: &str) -> usize {
    let tag = 1 + word_length(&text[1..]);
    match text[tag..].starts_with('$') {
        true => tag + 1 + through(&text[tag + 1..], &text[..=tag]),
        false => 1,
    }
}

/// The names of a statement's parameters, each as often as it stands there.
pub fn parameters(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Parameter(name) => Some(name),
        _ => None,
    })
}

/// A statement with something else in the place of each parameter.
pub fn with_parameters<'t>(text: &'t str, mut stands_for: impl FnMut(&'t str) -> String) -> String {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Parameter(name) => written += &stands_for(name),
            Piece::Word(piece) | Piece::Other(piece) | Piece::Comment(piece) => written += piece,
        }
    }
    written
}

/// A statement on one line: without comments, and with something else in the place of each parameter.
pub fn on_one_line<'t>(text: &'t str, mut stands_for: impl FnMut(&'t str) -> String) -> String {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Parameter(name) => written += &stands_for(name),
            Piece::Word(piece) | Piece::Other(piece) => written += piece,
            Piece::Comment(_) => written.push(' '),
        }
    }
    let words: Vec<&str> = written.split_whitespace().collect();
    words.join(" ")
}

/// The statements of a text, which stand behind each other with semicolons between them.
#[must_use]
pub fn statements(text: &str) -> Vec<&str> {
    let (mut found, mut begun, mut at) = (Vec::new(), 0, 0);
    for piece in pieces(text) {
        let length = length(piece);
        if piece == Piece::Other(";") {
            found.push(&text[begun..at]);
            begun = at + length;
        }
        at += length;
    }
    found.push(&text[begun..]);
    found.retain(|statement| !statement.trim().is_empty());
    found
}

fn length(piece: Piece<'_>) -> usize {
    match piece {
        Piece::Parameter(name) => 1 + name.len(),
        Piece::Word(piece) | Piece::Other(piece) | Piece::Comment(piece) => piece.len(),
    }
}

/// A statement with values in the place of `$1` and `?`, on one line.
#[must_use]
pub fn filled(text: &str, values: &[String]) -> String {
    let mut written = String::with_capacity(text.len());
    let (mut next, mut is_numbered) = (0, false);
    let put = |written: &mut String, place: usize, or: &str| match values.get(place) {
        Some(value) if value == "null" || value.parse::<f64>().is_ok() => written.push_str(value),
        Some(value) => written.push_str(&format!("'{}'", value.replace('\'', "''"))),
        None => written.push_str(or),
    };
    for piece in pieces(text) {
        match piece {
            Piece::Other("$") => {
                is_numbered = true;
                continue;
            }
            Piece::Word(digits) if is_numbered => {
                let place = digits.parse::<usize>().unwrap_or(0);
                put(&mut written, place.wrapping_sub(1), &format!("${digits}"));
            }
            Piece::Other("?") => {
                put(&mut written, next, "?");
                next += 1;
            }
            Piece::Parameter(name) => written.push_str(&format!(":{name}")),
            Piece::Comment(_) => written.push(' '),
            Piece::Word(piece) | Piece::Other(piece) => written.push_str(piece),
        }
        is_numbered = false;
    }
    let words: Vec<&str> = written.split_whitespace().collect();
    words.join(" ")
}

/// A statement in which every value that stands there is a `?`, on one line.
#[must_use]
pub fn shape(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Other(text) if text.starts_with('\'') => written.push('?'),
            Piece::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                written.push('?')
            }
            Piece::Parameter(name) => written.push_str(&format!(":{name}")),
            Piece::Comment(_) => written.push(' '),
            Piece::Word(piece) | Piece::Other(piece) => written.push_str(piece),
        }
    }
    let words: Vec<&str> = written.split_whitespace().collect();
    words.join(" ")
}

/// The longest list of columns that is told.
const LONG_LIST: usize = 40;

/// A statement that stands on one line, as short as a reader can do with: without quotes around names, and without
/// long lists of columns.
#[must_use]
pub fn in_brief(text: &str) -> String {
    let text = text.replace(['"', '`'], "");
    let lower = text.to_lowercase();
    let cut = |from: usize, to: usize| match to - from > LONG_LIST {
        true => format!("{}…{}", &text[..from], &text[to..]),
        false => text.clone(),
    };
    // Only where letters in both cases are as long as each other do places agree.
    if lower.len() != text.len() {
        return text;
    }
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
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<&str> {
        parameters(text).collect()
    }

    #[test]
    fn only_a_single_colon_in_front_of_a_name_names_a_parameter() {
        assert_eq!(names("SELECT :a, b::text, ':c', \":d\", `:e`, x[1:2] := 1"), ["a"]);
        assert_eq!(names("-- it's :a\n:b /* :c ' */ :d"), ["b", "d"]);
        assert_eq!(names("$$ :a $$ :b $x$ :c $$ $x$ :d $1"), ["b", "d"]);
        assert_eq!(names("'it''s :a' :b"), ["b"]);
        assert_eq!(names(":é_1+:é_1"), ["é_1", "é_1"]);
    }

    #[test]
    fn what_is_left_open_goes_to_the_end() {
        for text in ["' :a", "/* :a", "$$ :a", "-- :a", ":", "$", "$x"] {
            assert_eq!(names(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_statement_fits_on_one_line() {
        let told = on_one_line("SELECT 1 -- one\n  FROM t\n WHERE id = :id", |_| "7".into());
        assert_eq!(told, "SELECT 1 FROM t WHERE id = 7");
    }

    #[test]
    fn a_text_is_cut_into_its_statements() {
        assert_eq!(
            statements("BEGIN; SELECT ';' -- ; \n;; COMMIT;"),
            ["BEGIN", " SELECT ';' -- ; \n", " COMMIT"]
        );
        assert!(statements(" ; ").is_empty());
    }

    #[test]
    fn values_stand_where_they_are_sent_to_and_are_no_part_of_a_shape() {
        let values = ["7".to_owned(), "it's".to_owned()];
        assert_eq!(
            filled("UPDATE t SET a = $2 WHERE id = $1", &values),
            "UPDATE t SET a = 'it''s' WHERE id = 7"
        );
        assert_eq!(
            filled("UPDATE t\n SET a = ?, b = ? -- so", &values[..1]),
            "UPDATE t SET a = 7, b = ?"
        );
        assert_eq!(shape("SELECT 'x' FROM t1 WHERE id = 17"), "SELECT ? FROM t1 WHERE id = ?");
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

    proptest! {
        #[test]
        fn nothing_is_lost_between_pieces(text in "[-:'\"`$/*a-c_ \\né0-9]{0,40}") {
            prop_assert_eq!(with_parameters(&text, |name| format!(":{name}")), text);
        }
    }
}
