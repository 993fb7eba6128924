//! Which rows a statement is about, as far as its words tell: the columns that its `WHERE` pins, and whether it lists
//! more than one row.

use super::tokens::Token;
use crate::base::text::sql::{Dialect, TokenKind, pieces};

/// Whether two lists of values stand behind `VALUES`.
pub(super) fn has_many_rows(tokens: &[Token]) -> bool {
    let values = tokens.iter().position(|token| token.is(&["values", "value"]));
    let lists = values.map_or(&tokens[..0], |at| &tokens[at + 1..]);
    let (mut depth, mut lists_begun) = (0_usize, 0);
    for token in lists {
        if token.is_sign("(") {
            lists_begun += usize::from(depth == 0);
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && !token.is_sign(",") {
            break;
        }
    }
    lists_begun > 1
}

/// Whether the conditions of a statement may be read in another way than the server reads them: where `AND` belongs to
/// something that stands in no brackets, and where MySQL's operators bind otherwise or mean something else.
pub(super) fn may_be_misread(dialect: Dialect, text: &str) -> bool {
    const OF_MYSQL: [&str; 9] =
        ["xor", "div", "mod", "binary", "collate", "regexp", "rlike", "sounds", "between"];
    let tokens: Vec<_> = pieces(dialect, text);
    let begins = |word: &str| ["where", "on", "using", "having"].contains(&word);
    let first = tokens.iter().position(|token| begins(&token.text.to_lowercase()));
    let tokens = &tokens[first.unwrap_or(tokens.len())..];
    tokens.iter().enumerate().any(|(at, token)| {
        let word = token.text.to_lowercase();
        let follows = |sign: &str| tokens.get(at + 1).is_some_and(|next| next.text == sign);
        match (token.kind, dialect) {
            (TokenKind::Word, _) if word == "case" => true,
            (TokenKind::Word, Dialect::Mysql) => OF_MYSQL.contains(&word.as_str()),
            (TokenKind::Sign, Dialect::Mysql) => {
                ["||", "&&", ":="].contains(&token.text)
                    || token.text == "|"
                    || token.text == "&"
                    || token.text == "!" && !follows("=")
                    || token.text == ":" && follows("=")
            }
            _ => false,
        }
    })
}

/// The columns that the statement's own `WHERE` compares with a value, where nothing but `AND` joins its conditions.
pub(super) fn pins(tokens: &[Token]) -> Vec<String> {
    let mut depth = 0_usize;
    let mut start = None;
    let mut end = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(&["where"]) {
            start = Some(at + 1);
        } else if depth == 0
            && start.is_some()
            && token.is(&["returning", "order", "limit", "for", "lock"])
        {
            end = end.min(at);
        }
    }
    let Some(start) = start else { return Vec::new() };
    let conditions = &tokens[start..end.max(start)];
    let mut depth = 0_usize;
    let mut split = vec![Vec::new()];
    for token in conditions {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(&["or", "xor", "between"]) {
            return Vec::new();
        }
        match depth == 0 && token.is(&["and"]) {
            true => split.push(Vec::new()),
            false => split.last_mut().map_or((), |last: &mut Vec<&Token>| last.push(token)),
        }
    }
    split.iter().filter_map(|condition| pin(condition)).collect()
}

/// `column = value`, `t.column = value`, or the other way round.
fn pin(condition: &[&Token]) -> Option<String> {
    let equals = condition.iter().position(|token| token.is_sign("="))?;
    let (left, right) = (&condition[..equals], &condition[equals + 1..]);
    let column = |side: &[&Token]| match side {
        [name] | [_, _, name] if matches!(name.kind, TokenKind::Word | TokenKind::Name) => {
            (side.len() == 1 || side[1].is_sign(".")).then(|| name.word.clone())
        }
        _ => None,
    };
    let is_value = |side: &[&Token]| match side {
        [value] => value.is_value(),
        [sign, value] => sign.is_sign("-") && value.is_value(),
        _ => is_sum(side),
    };
    match (column(left), column(right)) {
        (Some(name), _) if is_value(right) => Some(name),
        (_, Some(name)) if is_value(left) => Some(name),
        _ => None,
    }
}

/// Values that are put together: `100 + :buyer`, `'order-' || :buyer`.
fn is_sum(side: &[&Token]) -> bool {
    side.len() % 2 == 1
        && side.iter().enumerate().all(|(at, token)| match at % 2 {
            0 => token.is_value(),
            _ => ["+", "-", "*", "||"].into_iter().any(|sign| token.is_sign(sign)),
        })
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;
    use crate::base::text::sql::Dialect;

    #[test]
    fn conditions_whose_and_or_operators_bind_otherwise_may_be_misread() {
        let case = "SELECT 1 FROM p WHERE CASE WHEN id = 1 THEN a AND id = 1 ELSE b END";
        for dialect in [Dialect::Postgres, Dialect::Mysql] {
            assert!(may_be_misread(dialect, case));
            assert!(!may_be_misread(dialect, "SELECT 1 FROM p WHERE id = 1 AND a != 2"));
        }
        for condition in ["id = 1 || a = 2", "id = 1 AND a XOR b", "id = 1 AND !a", "@a := id = 1"]
        {
            let text = format!("SELECT 1 FROM p WHERE {condition}");
            assert!(may_be_misread(Dialect::Mysql, &text), "{text}");
        }
        let sets = "UPDATE p SET a = (@left := a || b) WHERE id = 1";
        assert!(!may_be_misread(Dialect::Mysql, sets));
    }

    #[test]
    fn columns_are_pinned_where_nothing_but_and_joins_conditions() {
        let of = |text: &str| pins(&tokens(Dialect::Postgres, text));
        assert_eq!(of("UPDATE p SET s = s - 1 WHERE p.id = $1 AND s >= :qty"), ["id"]);
        assert_eq!(of("UPDATE p SET s = 1 WHERE id = 100 + :buyer RETURNING s"), ["id"]);
        assert_eq!(of("UPDATE p SET s = 1 WHERE id = 1 OR s = 2"), Vec::<String>::new());
        assert_eq!(
            of("UPDATE p SET s = 1 WHERE id = (SELECT 1 WHERE a = 1)"),
            Vec::<String>::new()
        );
        assert_eq!(of("UPDATE p SET s = 1"), Vec::<String>::new());
    }
}
