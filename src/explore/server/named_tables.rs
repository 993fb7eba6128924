//! Which table a statement changes by its own words, and which it reads from: for a reader, who is told nothing rather
//! than something false. A footprint, which must miss nothing, names more.

use crate::base::text::sql::{Dialect, SqlToken, TokenKind, pieces};

/// The tables that a statement names where tables stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NamedTables {
    /// Behind `FROM` and `JOIN`.
    pub(super) read: Vec<String>,
    /// Behind `UPDATE`, `INSERT INTO` and the like.
    pub(super) changed: Vec<String>,
}

/// Words that may stand between a verb and the table that it changes.
const BETWEEN: [&str; 6] = ["only", "ignore", "low_priority", "delayed", "high_priority", "or"];

/// Words that may follow a table and are no alias of it.
const ENDS: [&str; 18] = [
    "where",
    "on",
    "using",
    "set",
    "join",
    "inner",
    "left",
    "right",
    "cross",
    "full",
    "natural",
    "group",
    "order",
    "limit",
    "for",
    "returning",
    "values",
    "union",
];

impl NamedTables {
    /// The tables of one statement or several, as a report shows them.
    pub(super) fn of(text: &str) -> Self {
        let says =
            |piece: &SqlToken<'_>| !matches!(piece.kind, TokenKind::Space | TokenKind::Comment);
        // What a report leaves out names no table.
        let text = text.replace('…', "etc");
        let tokens: Vec<SqlToken<'_>> =
            pieces(Dialect::Postgres, &text).into_iter().filter(says).collect();
        let mut tables = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind != TokenKind::Word {
                continue;
            }
            match token.text.to_lowercase().as_str() {
                "from" if is_deleting(&tokens[..at]) => {
                    tables.changed.extend(table(&tokens[at + 1..]))
                }
                "from" => tables.read.extend(list(&tokens[at + 1..])),
                "join" => tables.read.extend(table(&tokens[at + 1..])),
                "into" => tables.changed.extend(table(&tokens[at + 1..])),
                "update" if begins(&tokens[..at]) => {
                    tables.changed.extend(table(&tokens[at + 1..]))
                }
                _ => {}
            }
        }
        tables
    }
}

/// Whether a statement, or one in brackets, begins after these tokens: `FOR UPDATE` and `DO UPDATE` begin none.
fn begins(before: &[SqlToken<'_>]) -> bool {
    before.last().is_none_or(|last| matches!(last.text, ";" | "(" | ")" | ":"))
}

/// Whether the word before is `DELETE`.
fn is_deleting(before: &[SqlToken<'_>]) -> bool {
    let words: Vec<String> = before.iter().rev().map(|token| token.text.to_lowercase()).collect();
    let verb = words.iter().find(|word| !BETWEEN.contains(&word.as_str()));
    verb.is_some_and(|word| word == "delete")
}

/// The table that these tokens begin with, by the last part of its name, and what follows it.
fn table_of<'t, 's>(mut tokens: &'t [SqlToken<'s>]) -> Option<(String, &'t [SqlToken<'s>])> {
    while let [first, rest @ ..] = tokens
        && BETWEEN.contains(&first.text.to_lowercase().as_str())
    {
        tokens = rest;
    }
    let [first, rest @ ..] = tokens else { return None };
    let (mut name, mut rest) = (named(first)?, rest);
    while let [point, next, more @ ..] = rest
        && point.text == "."
    {
        (name, rest) = (named(next)?, more);
    }
    Some((name, rest))
}

fn table(tokens: &[SqlToken<'_>]) -> Option<String> {
    table_of(tokens).map(|(name, _)| name)
}

/// The tables of a list, each perhaps with an alias.
fn list(mut tokens: &[SqlToken<'_>]) -> Vec<String> {
    let mut tables = Vec::new();
    while let Some((name, rest)) = table_of(tokens) {
        tables.push(name);
        let is_word = |token: &&SqlToken<'_>| {
            matches!(token.kind, TokenKind::Word | TokenKind::Name)
                && !ENDS.contains(&token.text.to_lowercase().as_str())
        };
        let alias = rest.iter().take(2).take_while(is_word).count();
        match &rest[alias..] {
            [comma, more @ ..] if comma.text == "," => tokens = more,
            _ => break,
        }
    }
    tables
}

/// A name without its quotes, in small letters.
fn named(token: &SqlToken<'_>) -> Option<String> {
    let bare = token.text.trim_matches(['"', '`', '[', ']']).to_lowercase();
    let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text);
    (is_name && bare != "select").then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_where_tables_stand() {
        for (text, read, changed) in [
            ("BEGIN; SELECT product FROM purchase WHERE buyer = 1", &["purchase"][..], &[][..]),
            ("SELECT … FROM a x, b.c AS y LEFT JOIN d ON d.id = x.id", &["a", "c", "d"], &[]),
            ("SELECT stock FROM product WHERE id = 1 FOR UPDATE", &["product"], &[]),
            (
                "UPDATE product SET stock = 0 WHERE id IN (SELECT id FROM cart)",
                &["cart"],
                &["product"],
            ),
            (
                "INSERT INTO \"order\" (…) VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
                &[],
                &["order"],
            ),
            (
                "WITH c AS (SELECT id FROM event FOR UPDATE) UPDATE event SET a = 1",
                &["event"],
                &["event"],
            ),
            ("DELETE FROM only shop.cart WHERE id = 1", &[], &["cart"]),
            ("SELECT a FROM job ORDER BY a", &["job"], &[]),
            ("COMMIT", &[], &[]),
        ] {
            let NamedTables { read: reads, changed: changes } = NamedTables::of(text);
            assert_eq!(
                (&reads[..], &changes[..]),
                (&owned(read)[..], &owned(changed)[..]),
                "{text}"
            );
        }
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}
