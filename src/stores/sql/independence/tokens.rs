//! The tokens of a statement that say something: no spaces and no comments, names without their quotes.

use crate::base::text::sql::{Dialect, SqlToken, TokenKind, pieces};

/// A token that is neither a space nor a comment.
#[derive(Clone, Debug)]
pub(in crate::stores::sql) struct Token {
    pub(in crate::stores::sql) kind: TokenKind,
    /// In small letters, without quotes.
    pub(in crate::stores::sql) word: String,
}

impl Token {
    /// Whether it is one of these words, unquoted.
    pub(in crate::stores::sql) fn is(&self, words: &[&str]) -> bool {
        self.kind == TokenKind::Word && words.contains(&self.word.as_str())
    }

    /// Whether it is this sign.
    pub(in crate::stores::sql) fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.word == sign
    }

    /// Whether it could name something.
    pub(super) fn may_name(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text)
    }

    /// Whether it stands for a value.
    pub(super) fn is_value(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::Number | TokenKind::Text | TokenKind::Parameter | TokenKind::Placeholder
        )
    }
}

/// The longest name that PostgreSQL keeps, in bytes: it cuts off what is longer.
const LONGEST_NAME: usize = 63;

/// The tokens of a text, without semicolons behind it.
pub(in crate::stores::sql) fn tokens(dialect: Dialect, text: &str) -> Vec<Token> {
    let token = |piece: SqlToken<'_>| {
        let mut word = piece.text.to_lowercase();
        if matches!(piece.kind, TokenKind::Name | TokenKind::Text) {
            let quote = word.chars().next_back().unwrap_or_default();
            let open = if quote == ']' { '[' } else { quote };
            let bare = word.trim_start_matches(open).trim_end_matches(quote);
            word = bare.replace(&format!("{quote}{quote}"), &quote.to_string());
        }
        if dialect == Dialect::Postgres && matches!(piece.kind, TokenKind::Name | TokenKind::Word) {
            let cut = (0..=LONGEST_NAME).rev().find(|at| word.is_char_boundary(*at));
            word.truncate(cut.unwrap_or(0).min(word.len()));
        }
        Token { kind: piece.kind, word }
    };
    let says = |piece: &SqlToken<'_>| !matches!(piece.kind, TokenKind::Space | TokenKind::Comment);
    let mut tokens: Vec<Token> =
        pieces(dialect, text).into_iter().filter(says).map(token).collect();
    while tokens.last().is_some_and(|token| token.is_sign(";")) {
        tokens.pop();
    }
    tokens
}

/// `U&"…"`: a name in escapes.
pub(super) fn has_escaped_name(tokens: &[Token]) -> bool {
    tokens.windows(3).any(|three| {
        three[0].is(&["u"]) && three[1].is_sign("&") && three[2].kind == TokenKind::Name
    })
}

/// Words behind which a bracket begins no call.
const NO_FUNCTIONS: [&str; 30] = [
    "in",
    "values",
    "exists",
    "and",
    "or",
    "not",
    "where",
    "on",
    "using",
    "as",
    "from",
    "join",
    "select",
    "into",
    "by",
    "having",
    "when",
    "then",
    "else",
    "any",
    "all",
    "some",
    "set",
    "over",
    "filter",
    "materialized",
    "union",
    "except",
    "intersect",
    "conflict",
];

/// Names in front of a bracket: functions, and some that are none.
pub(super) fn functions(tokens: &[Token]) -> Vec<String> {
    let calls = |two: &&[Token]| {
        matches!(two[0].kind, TokenKind::Word | TokenKind::Name)
            && two[1].is_sign("(")
            && !(two[0].kind == TokenKind::Word && NO_FUNCTIONS.contains(&two[0].word.as_str()))
    };
    tokens.windows(2).filter(calls).map(|two| two[0].word.clone()).collect()
}
