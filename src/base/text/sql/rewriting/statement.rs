//! A statement as its grammar reads it, and its tokens in their places.

use sqlparser::ast::{ObjectName, Query, Statement, Update};

use super::Dialect;
use crate::base::text::sql::{SqlToken, TokenKind, only_statement, pieces};

/// Why nothing is written into a statement that the grammar does not know.
pub(super) const NOT_UNDERSTOOD: &str = "it is not understood here";

/// The last part of a name: as it is written, and bare.
pub(super) fn last(name: &ObjectName) -> Option<(String, String)> {
    let part = name.0.last()?.as_ident()?;
    Some((part.to_string(), part.value.to_lowercase()))
}

/// A statement as its grammar reads it.
fn statement_of(dialect: Dialect, text: &str) -> Result<Statement, String> {
    only_statement(dialect, text).ok_or_else(|| NOT_UNDERSTOOD.into())
}

pub(super) fn query_of(dialect: Dialect, text: &str) -> Result<Box<Query>, String> {
    match statement_of(dialect, text)? {
        Statement::Query(query) => Ok(query),
        _ => Err("it is no SELECT".into()),
    }
}

/// An UPDATE of one table.
pub(super) fn update_of(dialect: Dialect, text: &str) -> Result<Update, String> {
    let update = match statement_of(dialect, text)? {
        Statement::Update(update) => update,
        Statement::Insert(_) => return Err("it is an INSERT, which changes no row".into()),
        Statement::Delete(_) => return Err("it is a DELETE".into()),
        _ => return Err("it is no UPDATE".into()),
    };
    match update.from.is_none() && update.table.joins.is_empty() {
        true => Ok(update),
        false => Err("it is an UPDATE of several tables".into()),
    }
}

/// A token that is neither space nor comment, and its place in the text.
pub(super) struct PlacedToken<'t> {
    pub(super) at: usize,
    pub(super) token: SqlToken<'t>,
    /// How many brackets are open around it.
    pub(super) depth: usize,
}

impl PlacedToken<'_> {
    pub(super) fn end(&self) -> usize {
        self.at + self.token.text.len()
    }

    /// The word in small letters; empty for anything else.
    pub(super) fn word(&self) -> String {
        match self.token.kind {
            TokenKind::Word => self.token.text.to_lowercase(),
            _ => String::new(),
        }
    }
}

pub(super) fn placed(dialect: Dialect, text: &str) -> Vec<PlacedToken<'_>> {
    let (mut at, mut depth) = (0, 0_usize);
    let mut all = Vec::new();
    for token in pieces(dialect, text) {
        if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        }
        if !matches!(token.kind, TokenKind::Space | TokenKind::Comment) {
            all.push(PlacedToken { at, token, depth });
        }
        if token.is_sign("(") {
            depth += 1;
        }
        at += token.text.len();
    }
    all
}

/// Where a statement ends, without its semicolon and what follows.
pub(super) fn end_of(tokens: &[PlacedToken<'_>]) -> usize {
    let last = tokens.iter().rev().find(|token| !token.token.is_sign(";"));
    last.map_or(0, PlacedToken::end)
}
