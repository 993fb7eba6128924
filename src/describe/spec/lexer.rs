//! The tokens of a specification, each with its place.

use std::ops::Range;

use crate::base::text::document::Fault;
use crate::base::text::nearest::shown;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, or a keyword if it stands without quotes.
    Word { text: String, is_quoted: bool },
    /// The SQL between braces.
    Block(String),
    /// A number.
    Number(u32),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `*`
    Star,
}

/// A token with the bytes that it stands for.
pub(super) type Spanned = (Token, Range<usize>);

/// Spaces within a line, which are left out at both ends of SQL in braces; line ends are not.
const SPACES: [char; 4] = [' ', '\t', '\r', '\u{c}'];

/// All tokens of a file.
pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let one = |token: Token| Ok((Some(token), 1));
        let (token, length) = match first {
            '\n' | ' ' | '\t' | '\r' | '\u{c}' => Ok((None, 1)),
            '#' => Ok((None, rest.find(['\n', '\r']).unwrap_or(rest.len()))),
            '(' => one(Token::Open),
            ')' => one(Token::Close),
            ',' => one(Token::Comma),
            '*' => one(Token::Star),
            '"' => quoted(rest),
            '{' => block(rest),
            '0'..='9' => number(rest),
            first if begins_name(first) => {
                let length = rest.find(|sign| !continues_name(sign)).unwrap_or(rest.len());
                let text = rest[..length].to_owned();
                Ok((Some(Token::Word { text, is_quoted: false }), length))
            }
            other => Err((
                other.len_utf8(),
                format!("unexpected `{}`; SQL stands in braces", shown(&other.to_string())),
            )),
        }
        .map_err(|(length, message)| Fault { span: at..at + length, message })?;
        if let Some(token) = token {
            tokens.push((token, at..at + length));
        }
        at += length;
    }
    Ok(tokens)
}

/// A token and its length, or none for what is no token; or the length of what is wrong, and why.
type Lexed = Result<(Option<Token>, usize), (usize, String)>;

fn begins_name(sign: char) -> bool {
    sign.is_ascii_alphabetic() || sign == '_' || !sign.is_ascii()
}

fn continues_name(sign: char) -> bool {
    begins_name(sign) || sign.is_ascii_digit() || sign == '$'
}

/// A name in quotes; a quote in it is written twice.
fn quoted(rest: &str) -> Lexed {
    let mut text = String::new();
    let mut signs = rest.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' if signs.next_if(|(_, next)| *next == '"').is_some() => text.push('"'),
            '"' => return Ok((Some(Token::Word { text, is_quoted: true }), at + 1)),
            '\n' => break,
            other => text.push(other),
        }
    }
    Err((1, "the quoted name does not end on its line".into()))
}

/// SQL in braces. No closing brace can stand in it.
fn block(rest: &str) -> Lexed {
    let Some(end) = rest.find('}') else {
        return Err((1, "the SQL that begins here does not end: no `}` follows".into()));
    };
    let sql = rest[1..end].trim_start_matches(SPACES).trim_end_matches(SPACES);
    Ok((Some(Token::Block(sql.to_owned())), end + 1))
}

fn number(rest: &str) -> Lexed {
    let length = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
    match rest[..length].parse() {
        Ok(number) => Ok((Some(Token::Number(number)), length)),
        Err(_) => Err((length, "the number is too large".into())),
    }
}
