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

/// All that could name something. `ORDER BY` and `GROUP BY` do not name a table that is called so, unless they follow a
/// point: both words are reserved.
pub(super) fn names(tokens: &[Token]) -> impl Iterator<Item = &str> {
    let is_clause = |at: usize| {
        let follows_point = at > 0 && tokens[at - 1].is_sign(".");
        let by = tokens.get(at + 1).is_some_and(|next| next.is(&["by"]));
        tokens[at].is(&["order", "group"]) && by && !follows_point
    };
    let may_name =
        |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text);
    let places = tokens.iter().enumerate();
    places
        .filter(move |(at, token)| may_name(token) && !is_clause(*at))
        .map(|(_, token)| token.word.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_names_no_table_that_is_called_like_it() {
        let names = |dialect, text: &str| -> Vec<String> {
            names(&tokens(dialect, text)).map(str::to_owned).collect()
        };
        assert_eq!(
            names(Dialect::Postgres, "SELECT a FROM job GROUP BY a ORDER BY a"),
            ["select", "a", "from", "job", "by", "a", "by", "a"]
        );
        for (dialect, text) in [
            (Dialect::Postgres, "SELECT * FROM \"order\" by"),
            (Dialect::Postgres, "SELECT * FROM public.order by"),
            (Dialect::Mysql, "SELECT * FROM `order` ORDER BY id"),
            (Dialect::Sqlite, "SELECT * FROM [order] ORDER BY id"),
        ] {
            assert!(names(dialect, text).contains(&"order".to_owned()), "{text}");
        }
    }
}
