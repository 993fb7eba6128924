//! The tokens of a statement, each with the text that it stands for.

use sqlparser::dialect::{Dialect as Rules, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::Dialect;
use super::mysql::WholeComments;

/// What a piece of a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `:name`.
    Parameter,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A text in quotes of whatever form. In MySQL one in double quotes may be a name, too.
    Text,
    /// A number.
    Number,
    /// `?` or `$1`.
    Placeholder,
    /// A sign: an operator, a bracket, a comma.
    Sign,
    /// Spaces and ends of lines.
    Space,
    /// A comment.
    Comment,
    /// It cannot be read: a comment that MySQL executes as a part of the statement; or the rest of a text, from a quote
    /// or a comment that does not end.
    Unreadable,
}

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlToken<'t> {
    /// What it is.
    pub kind: TokenKind,
    /// As it is written, with its quotes or its colon.
    pub text: &'t str,
}

impl<'t> SqlToken<'t> {
    /// A parameter's name.
    #[must_use]
    pub fn parameter(self) -> Option<&'t str> {
        (self.kind == TokenKind::Parameter).then(|| &self.text[1..])
    }

    /// Whether it is this sign.
    #[must_use]
    pub fn is_sign(self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }
}

/// The pieces of a text, in order. All of them, put together, are the text.
#[must_use]
pub fn pieces(dialect: Dialect, text: &str) -> Vec<SqlToken<'_>> {
    let rules: &dyn Rules = match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Mysql => &WholeComments(MySqlDialect {}),
        Dialect::Sqlite => &SQLiteDialect {},
    };
    let mut tokens = Vec::new();
    let mut tokenizer = Tokenizer::new(rules, text).with_unescape(false);
    let is_whole = tokenizer.tokenize_with_location_into_buf(&mut tokens).is_ok();
    let mut reader = TokenReader { text, at: 0, place: Location::new(1, 1), pieces: Vec::new() };
    for TokenWithSpan { token, span } in &tokens {
        let from = reader.at;
        let to = reader.advance(span.end);
        reader.push(kind(token), from, to);
    }
    if !is_whole || reader.at < text.len() {
        reader.push(TokenKind::Unreadable, reader.at, text.len());
    }
    with_parameters_joined(text, reader.pieces)
}

/// Turns the tokenizer's lines and columns into places in the text.
struct TokenReader<'t> {
    text: &'t str,
    at: usize,
    place: Location,
    pieces: Vec<SqlToken<'t>>,
}

impl TokenReader<'_> {
    /// Moves on to a line and column; says where that is.
    fn advance(&mut self, to: Location) -> usize {
        for letter in self.text[self.at..].chars() {
            if self.place >= to {
                break;
            }
            self.at += letter.len_utf8();
            match letter {
                '\n' => self.place = Location::new(self.place.line + 1, 1),
                _ => self.place.column += 1,
            }
        }
        self.at
    }

    fn push(&mut self, kind: TokenKind, from: usize, to: usize) {
        let text = &self.text[from..to];
        if text.is_empty() {
            return;
        }
        // MySQL and MariaDB execute such a comment. Elsewhere it is rare, and only makes a search run more orders.
        let kind = match kind {
            TokenKind::Comment if text.starts_with("/*!") || text.starts_with("/*M!") => {
                TokenKind::Unreadable
            }
            kind => kind,
        };
        self.pieces.push(SqlToken { kind, text });
    }
}

fn kind(token: &Token) -> TokenKind {
    match token {
        Token::Word(word) => match word.quote_style {
            Some(_) => TokenKind::Name,
            None => TokenKind::Word,
        },
        Token::Number(..) => TokenKind::Number,
        Token::Placeholder(_) => TokenKind::Placeholder,
        Token::Whitespace(space) => match space {
            Whitespace::Space | Whitespace::Newline | Whitespace::Tab => TokenKind::Space,
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_) => {
                TokenKind::Comment
            }
        },
        Token::Char(_) | Token::EOF => TokenKind::Sign,
        token if is_text(token) => TokenKind::Text,
        _ => TokenKind::Sign,
    }
}

fn is_text(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}

/// A colon and the word behind it are a parameter.
fn with_parameters_joined<'t>(text: &'t str, pieces: Vec<SqlToken<'t>>) -> Vec<SqlToken<'t>> {
    let mut joined: Vec<SqlToken<'t>> = Vec::with_capacity(pieces.len());
    let mut at = 0;
    for piece in pieces {
        let end = at + piece.text.len();
        let begins_name = piece.text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        match joined.last_mut() {
            Some(colon) if piece.kind == TokenKind::Word && begins_name && colon.is_sign(":") => {
                // A parameter's name has none of the signs that other names may contain in this dialect.
                let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
                let length = piece.text.find(|c| !is_of_name(c)).unwrap_or(piece.text.len());
                *colon = SqlToken { kind: TokenKind::Parameter, text: &text[at - 1..at + length] };
                if length < piece.text.len() {
                    joined.push(SqlToken { kind: TokenKind::Sign, text: &piece.text[length..] });
                }
            }
            _ => joined.push(piece),
        }
        at = end;
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Dialect; 3] = [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite];

    fn of_kind(dialect: Dialect, kind: TokenKind, text: &str) -> Vec<&str> {
        let pieces = pieces(dialect, text);
        pieces.iter().filter(|piece| piece.kind == kind).map(|piece| piece.text).collect()
    }

    #[test]
    fn an_escaped_quote_does_not_end_a_text() {
        let postgres = r"SELECT E'it\'s', 'a\', U&'\0041', $q$ it's $q$ FROM product";
        assert_eq!(
            of_kind(Dialect::Postgres, TokenKind::Text, postgres),
            [r"E'it\'s'", r"'a\'", r"U&'\0041'", "$q$ it's $q$"]
        );
        assert_eq!(
            of_kind(Dialect::Postgres, TokenKind::Word, postgres),
            ["SELECT", "FROM", "product"]
        );
        let mysql = r#"SELECT 'it\'s', "Bob\"s", 'it''s' FROM product"#;
        assert_eq!(
            of_kind(Dialect::Mysql, TokenKind::Text, mysql),
            [r"'it\'s'", r#""Bob\"s""#, "'it''s'"]
        );
        assert_eq!(of_kind(Dialect::Mysql, TokenKind::Word, mysql), ["SELECT", "FROM", "product"]);
    }

    #[test]
    fn comments_are_those_of_the_dialect() {
        let words = |dialect, text| of_kind(dialect, TokenKind::Word, text).join(" ");
        assert_eq!(
            words(Dialect::Mysql, "SELECT 5--1 # it's\n FROM product"),
            "SELECT FROM product"
        );
        assert_eq!(
            words(Dialect::Mysql, "SELECT 5-- 1 FROM a\nFROM product"),
            "SELECT FROM product"
        );
        assert_eq!(
            words(Dialect::Postgres, "SELECT 5--1 FROM a\nFROM product"),
            "SELECT FROM product"
        );
        assert_eq!(
            words(Dialect::Postgres, "/* a /* b */ it's */ SELECT 1 FROM product"),
            "SELECT FROM product"
        );
        assert_eq!(words(Dialect::Sqlite, "/* /* */ SELECT 1 -- it's"), "SELECT");
    }

    #[test]
    fn names_may_have_signs_in_them_that_the_dialect_allows() {
        assert_eq!(of_kind(Dialect::Mysql, TokenKind::Word, "stock$item"), ["stock$item"]);
        assert_eq!(of_kind(Dialect::Postgres, TokenKind::Word, "t$x"), ["t$x"]);
        assert_eq!(of_kind(Dialect::Postgres, TokenKind::Name, "\"a\"\"b\""), ["\"a\"\"b\""]);
        assert_eq!(of_kind(Dialect::Mysql, TokenKind::Name, "`a``b`"), ["`a``b`"]);
        assert_eq!(of_kind(Dialect::Sqlite, TokenKind::Name, "[a b]"), ["[a b]"]);
    }

    #[test]
    fn what_is_left_open_or_hidden_from_us_is_unreadable() {
        for text in ["SELECT 'a", "SELECT \"a", "/* a", "SELECT $$ a"] {
            assert_eq!(of_kind(Dialect::Postgres, TokenKind::Unreadable, text).len(), 1, "{text}");
        }
        for hidden in ["SELECT 1 /*M! FROM product */", "SELECT 1 /*!50000 FROM product */"] {
            assert_eq!(of_kind(Dialect::Mysql, TokenKind::Unreadable, hidden).len(), 1, "{hidden}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_pieces(text in "[-:'\"`$/*!#a-cEUM&_ \\\\\\né0-9?@.]{0,40}") {
            for dialect in ALL {
                let pieces = pieces(dialect, &text);
                let all: String = pieces.iter().map(|piece| piece.text).collect();
                prop_assert_eq!(&all, &text);
            }
        }
    }
}
