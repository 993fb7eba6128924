//! Which names in a statement stand where a table must.

use super::tokens::Token;
use crate::base::text::sql::TokenKind;

/// Words between the keyword in front of a table and its name.
const BEFORE_TABLES: [&str; 9] = [
    "only",
    "lateral",
    "ignore",
    "low_priority",
    "high_priority",
    "delayed",
    "quick",
    "table",
    "if",
];

/// Words that end a list of tables, and are not an alias.
const AFTER_TABLES: [&str; 22] = [
    "where",
    "on",
    "set",
    "values",
    "select",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "full",
    "cross",
    "natural",
    "group",
    "order",
    "limit",
    "for",
    "union",
    "returning",
    "using",
    "having",
    "straight_join",
];

/// Names that stand where a table must, except for those that the statement itself gives to its queries.
pub(super) fn relations(tokens: &[Token]) -> Vec<String> {
    let own = own_names(tokens);
    let mut relations = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = begins_tables(tokens, at);
        at += 1;
        if !begins {
            continue;
        }
        loop {
            while tokens.get(at).is_some_and(|token| token.is(&BEFORE_TABLES)) {
                at += 1;
            }
            let Some(first) = tokens.get(at).filter(|token| {
                matches!(token.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text)
                    && !token.word.starts_with('@')
            }) else {
                break;
            };
            let mut name = first.word.clone();
            let mut qualified = false;
            at += 1;
            while tokens.get(at).is_some_and(|token| token.is_sign(".")) {
                let Some(next) = tokens.get(at + 1) else { break };
                name.clone_from(&next.word);
                qualified = true;
                at += 2;
            }
            // A call that returns rows is a function.
            let is_call = tokens.get(at).is_some_and(|token| token.is_sign("("));
            let is_insert = tokens[..at].iter().rev().take(4).any(|token| token.is(&["into"]));
            if (is_insert || !is_call) && (qualified || !own.contains(&name)) {
                relations.push(name);
            }
            // Its alias, and then perhaps the next table.
            if tokens.get(at).is_some_and(|token| token.is_sign("*")) {
                at += 1;
            }
            if tokens.get(at).is_some_and(|token| token.is(&["as"])) {
                at += 1;
            }
            let is_alias = |token: &Token| {
                matches!(token.kind, TokenKind::Word | TokenKind::Name) && !token.is(&AFTER_TABLES)
            };
            if tokens.get(at).is_some_and(is_alias) {
                at += 1;
            }
            if !tokens.get(at).is_some_and(|token| token.is_sign(",")) {
                break;
            }
            at += 1;
        }
    }
    relations
}

/// Whether a list of tables begins behind this token.
fn begins_tables(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let before = at.checked_sub(1).map(|at| &tokens[at]);
    let is_before = |words: &[&str]| before.is_some_and(|token| token.is(words));
    if token.is(&["from"]) {
        // `IS DISTINCT FROM`, `extract(day FROM …)`.
        let is_comparison =
            is_before(&["distinct"]) && at >= 2 && tokens[at - 2].is(&["is", "not"]);
        return !is_comparison && !is_argument(tokens, at);
    }
    if token.is(&["update"]) {
        return !is_before(&["for", "key", "on", "do"]);
    }
    if token.is(&["using"]) {
        return !tokens.get(at + 1).is_some_and(|next| next.is_sign("("));
    }
    if token.is(&["insert", "replace"]) {
        let next = tokens.get(at + 1);
        let goes_on =
            next.is_some_and(|next| next.is(&["into", "ignore", "low_priority", "delayed", "or"]));
        return at == 0 && !goes_on;
    }
    if token.is(&["lock", "table", "truncate"]) {
        return at == 0;
    }
    token.is(&["join", "into", "straight_join"])
        || token.is(&["ignore"])
            && is_before(&["insert"])
            && !tokens.get(at + 1).is_some_and(|next| next.is(&["into"]))
}

/// Whether a `FROM` stands inside the brackets of a function that has one in its arguments.
fn is_argument(tokens: &[Token], at: usize) -> bool {
    let mut depth = 0;
    for place in (1..at).rev() {
        if tokens[place].is_sign(")") {
            depth += 1;
        } else if tokens[place].is_sign("(") {
            if depth == 0 {
                return tokens[place - 1].is(&[
                    "extract",
                    "substring",
                    "trim",
                    "overlay",
                    "substr",
                ]);
            }
            depth -= 1;
        } else if depth == 0 && tokens[place].is(&["select"]) {
            return false;
        }
    }
    false
}

/// The names that a statement gives to its own queries: `WITH name AS (…)`, `name (columns) AS (…)`.
fn own_names(tokens: &[Token]) -> Vec<String> {
    if !tokens.first().is_some_and(|token| token.is(&["with"])) {
        return Vec::new();
    }
    let mut names = Vec::new();
    for at in 1..tokens.len() {
        if !tokens[at].is(&["as"]) {
            continue;
        }
        let mut next = at + 1;
        while tokens.get(next).is_some_and(|token| token.is(&["not", "materialized"])) {
            next += 1;
        }
        if !tokens.get(next).is_some_and(|token| token.is_sign("(")) {
            continue;
        }
        let mut name = at - 1;
        if tokens[name].is_sign(")") {
            while name > 0 && !tokens[name].is_sign("(") {
                name -= 1;
            }
            name = name.saturating_sub(1);
        }
        if matches!(tokens[name].kind, TokenKind::Word | TokenKind::Name) {
            names.push(tokens[name].word.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;
    use crate::base::text::sql::Dialect;

    #[test]
    fn tables_are_the_names_that_stand_where_a_table_must() {
        let of = |text: &str| relations(&tokens(Dialect::Postgres, text));
        let mysql = |text: &str| relations(&tokens(Dialect::Mysql, text));
        assert_eq!(
            of("SELECT * FROM public.product p, \"order\" AS o, lines"),
            ["product", "order", "lines"]
        );
        assert_eq!(
            of("SELECT a FROM x JOIN y USING (id) LEFT JOIN ONLY z ON true"),
            ["x", "y", "z"]
        );
        assert_eq!(
            of("WITH n AS (SELECT 1 FROM a), m (b) AS (SELECT 2) UPDATE p SET q = 1 FROM n, m"),
            ["a", "p"]
        );
        assert_eq!(
            of("INSERT INTO t (a) SELECT b FROM s ON CONFLICT (a) DO UPDATE SET c = 1"),
            ["t", "s"]
        );
        assert_eq!(of("SELECT extract(day FROM at) FROM t WHERE a IS DISTINCT FROM b"), ["t"]);
        assert_eq!(of("SELECT 1 FROM t FOR UPDATE"), ["t"]);
        assert_eq!(of("SELECT n FROM generate_series(1, 2) AS n"), Vec::<String>::new());
        assert_eq!(of("DELETE FROM a USING b WHERE a.id = b.id"), ["a", "b"]);
        assert_eq!(mysql("INSERT IGNORE t VALUES (1)"), ["t"]);
        assert_eq!(mysql("REPLACE shop.`stock$item` VALUES (1)"), ["stock$item"]);
        assert_eq!(mysql("SELECT a INTO @x FROM t"), ["t"]);
    }
}
