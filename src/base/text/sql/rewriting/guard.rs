//! The condition that guards an UPDATE: that there is as much as it takes, or that nothing has changed since the query that
//! it follows.

use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, SelectItem, SetExpr, UnaryOperator, Value,
};

use super::statement::{NOT_UNDERSTOOD, PlacedToken, end_of, last, placed, query_of, update_of};
use super::{ColumnRead, Dialect, StatementCure, with_room};
use crate::base::text::sql::{TokenKind, pieces, shape};

/// What an assignment of an UPDATE sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SetTo {
    /// A column less an amount.
    Less { column: String, amount: String },
    /// A column and more.
    More,
    /// A value that stands there.
    Value { column: String },
    /// Anything else.
    Other,
}

/// The guard for an UPDATE, which follows a query in the same transaction.
///
/// # Errors
/// A sentence that says why none can be made.
pub fn guard_for(dialect: Dialect, update: &str, query: &str) -> Result<StatementCure, String> {
    with_room(&format!("{update} {query}"), || guard_of(dialect, update, query))
        .unwrap_or_else(|| Err(NOT_UNDERSTOOD.into()))
}

fn guard_of(dialect: Dialect, update: &str, query: &str) -> Result<StatementCure, String> {
    let all: Vec<SetTo> = update_of(dialect, update)?.assignments.iter().map(set_by).collect();
    let mut amounts = all.iter().filter_map(|set| match set {
        SetTo::Less { amount, .. } => Some(amount),
        _ => None,
    });
    if let Some(first) = amounts.clone().next() {
        // Values of `?` come one for each, and in order.
        return match amounts.any(|amount| amount.contains('?')) {
            true => Err(format!(
                "the amount `{first}` of a prepared statement cannot stand in it twice on the wire; add the condition in the \
                 application"
            )),
            false => Ok(StatementCure::Enough),
        };
    }
    let columns = columns_of(dialect, query)?;
    let read: Vec<(usize, &String)> = all
        .iter()
        .filter_map(|set| {
            let SetTo::Value { column } = set else { return None };
            let place = columns.iter().position(|name| *name == bare(column))?;
            Some((place, column))
        })
        .collect();
    match read[..] {
        [(place, column)] => {
            let is_prepared =
                pieces(dialect, update).iter().any(|piece| piece.kind == TokenKind::Placeholder);
            if is_prepared {
                return Err(format!(
                    "it sets `{column}` to a value that the application has computed, and is prepared without its values: \
                     the value that was read cannot be added on the wire"
                ));
            }
            let shape = shape(dialect, query);
            Ok(StatementCure::Unchanged(ColumnRead { shape, place, column: column.clone() }))
        }
        [] if all.contains(&SetTo::More) => {
            Err("it raises a column, and takes nothing from one".into())
        }
        [] => Err("it neither takes an amount from a column nor sets one that was read".into()),
        _ => Err(format!(
            "it sets several columns that were read ({}); guard it with a version column",
            read.iter().map(|(_, column)| column.as_str()).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// The columns of a query's answer, by their names in small letters; empty for what is no column.
fn columns_of(dialect: Dialect, query: &str) -> Result<Vec<String>, String> {
    let query = query_of(dialect, query)?;
    let SetExpr::Select(select) = &*query.body else {
        return Err("what was read are no columns of a table".into());
    };
    select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::UnnamedExpr(read) | SelectItem::ExprWithAlias { expr: read, .. } => {
                Ok(column_in(read).map_or(String::new(), |column| bare(&column)))
            }
            _ => Err("which column was read is not known, for the query says `*`".into()),
        })
        .collect()
}

pub(super) fn set_by(assignment: &Assignment) -> SetTo {
    let AssignmentTarget::ColumnName(name) = &assignment.target else { return SetTo::Other };
    let Some((column, set)) = last(name) else { return SetTo::Other };
    match inside(&assignment.value) {
        Expr::BinaryOp { left, op, right } => {
            let Some(of) = column_in(left).filter(|of| bare(of) == set) else {
                return SetTo::Other;
            };
            let less =
                |amount: &Expr| SetTo::Less { column: of.clone(), amount: amount.to_string() };
            match (op, inside(right)) {
                (BinaryOperator::Minus, amount) if is_amount(amount) => less(amount),
                (BinaryOperator::Plus, Expr::UnaryOp { op: UnaryOperator::Minus, expr })
                    if is_amount(expr) =>
                {
                    less(expr)
                }
                (BinaryOperator::Plus, amount) if is_amount(amount) => SetTo::More,
                _ => SetTo::Other,
            }
        }
        value if is_amount(value) => SetTo::Value { column },
        _ => SetTo::Other,
    }
}

/// An expression without the brackets around it.
fn inside(of: &Expr) -> &Expr {
    match of {
        Expr::Nested(inner) => inside(inner),
        other => other,
    }
}

/// Whether an expression is a number or a placeholder.
fn is_amount(of: &Expr) -> bool {
    match inside(of) {
        Expr::Value(value) => matches!(value.value, Value::Number(..) | Value::Placeholder(_)),
        Expr::Cast { expr, .. } => is_amount(expr),
        _ => false,
    }
}

/// A column, as it is written.
fn column_in(of: &Expr) -> Option<String> {
    match inside(of) {
        name @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => Some(name.to_string()),
        _ => None,
    }
}

/// A name without its quotes and what stands before it, in small letters.
fn bare(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.trim_matches(['"', '`']).to_lowercase()
}

/// An UPDATE that also asks for this condition.
pub(super) fn with_condition(
    dialect: Dialect,
    text: &str,
    condition: &str,
) -> Result<String, String> {
    let tokens = placed(dialect, text);
    let outer = |from: usize, words: &[&str]| {
        let mut rest = tokens.iter().enumerate().skip(from);
        let is_it =
            |token: &PlacedToken<'_>| token.depth == 0 && words.contains(&token.word().as_str());
        rest.find(|(_, token)| is_it(token)).map(|(number, _)| number)
    };
    let found = outer(0, &["where"]);
    let ends = outer(found.unwrap_or(0), &["returning", "order", "limit"]);
    let end = end_of(&tokens[..ends.unwrap_or(tokens.len())]);
    let written = match found {
        None => format!("{} WHERE {condition}{}", &text[..end], &text[end..]),
        Some(place) => {
            let from = tokens.get(place + 1).ok_or(NOT_UNDERSTOOD)?.at;
            let old = text.get(from..end).ok_or(NOT_UNDERSTOOD)?;
            let body = &tokens[place + 1..ends.unwrap_or(tokens.len())];
            let is_either = body.iter().any(|token| {
                let is_or = matches!(token.word().as_str(), "or" | "xor");
                token.depth == 0 && (is_or || token.token.is_sign("||"))
            });
            let old = if is_either { format!("({old})") } else { old.to_owned() };
            format!("{}{old} AND {condition}{}", &text[..from], &text[end..])
        }
    };
    // It is one more condition, and nothing else has changed its meaning.
    let asked = update_of(dialect, &written)?.selection.map(|all| all.to_string());
    let expected = |all: &String| *all == condition || all.ends_with(&format!(" AND {condition}"));
    asked.filter(expected).map(|_| written).ok_or_else(|| NOT_UNDERSTOOD.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Mysql];

    const READ: &str = "SELECT id, stock FROM product WHERE id = 1";

    fn guarded(dialect: Dialect, text: &str, read: Option<&str>) -> Result<String, String> {
        guard_for(dialect, text, READ)?.write_into(dialect, text, read)
    }

    #[test]
    fn an_update_that_takes_an_amount_asks_whether_there_is_as_much() {
        for (text, written) in [
            (
                "UPDATE product SET stock = stock - 1 WHERE id = 1",
                "UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock >= 1",
            ),
            (
                "UPDATE product SET at = now(), stock = (stock - 2) WHERE id = 1 OR id = 2; -- two",
                "UPDATE product SET at = now(), stock = (stock - 2) WHERE (id = 1 OR id = 2) AND stock >= 2; -- two",
            ),
            (
                "UPDATE product SET stock = stock + -1",
                "UPDATE product SET stock = stock + -1 WHERE stock >= 1",
            ),
        ] {
            for dialect in BOTH {
                assert_eq!(guarded(dialect, text, None).as_deref(), Ok(written));
            }
        }
        let text = "UPDATE \"product\" SET \"stock\" = \"product\".\"stock\" - $1 WHERE \"id\" = $2 RETURNING id";
        let written = "UPDATE \"product\" SET \"stock\" = \"product\".\"stock\" - $1 WHERE \"id\" = $2 \
                       AND \"product\".\"stock\" >= $1 RETURNING id";
        assert_eq!(guarded(Dialect::Postgres, text, None).as_deref(), Ok(written));
        let text = "UPDATE product SET stock = stock - 1 WHERE id = ? ORDER BY id LIMIT 1";
        let written =
            "UPDATE product SET stock = stock - 1 WHERE id = ? AND stock >= 1 ORDER BY id LIMIT 1";
        assert_eq!(guarded(Dialect::Mysql, text, None).as_deref(), Ok(written));
    }

    #[test]
    fn an_update_that_sets_what_was_computed_asks_whether_it_is_still_what_was_read() {
        let text = "UPDATE product SET stock = 0 WHERE id = 1";
        let written = format!("{text} AND stock = 1");
        assert_eq!(guarded(Dialect::Postgres, text, Some("1")), Ok(written));
        let StatementCure::Unchanged(read) = guard_for(Dialect::Postgres, text, READ).unwrap()
        else {
            panic!()
        };
        assert_eq!((read.place, read.column.as_str()), (1, "stock"));
        for (read, why) in [(None, "not known"), (Some("1 OR true"), "no whole number")] {
            let refused = guarded(Dialect::Postgres, text, read).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn where_no_guard_can_be_made_the_reason_is_given() {
        for (text, why) in [
            ("UPDATE product SET stock = stock + 1 WHERE id = 1", "raises"),
            ("UPDATE product SET stock = 1, id = 2", "several columns"),
            ("UPDATE product SET name = 'x' WHERE id = 1", "neither"),
            ("UPDATE product SET stock = greatest(stock - 1, 0)", "neither"),
            ("UPDATE product SET stock = other - 1", "neither"),
            ("INSERT INTO product VALUES (1)", "INSERT"),
            ("DELETE FROM product", "DELETE"),
            ("SELECT 1", "no UPDATE"),
            ("UPDATE", "not understood"),
        ] {
            for dialect in BOTH {
                let refused = guard_for(dialect, text, READ).unwrap_err();
                assert!(refused.contains(why), "{text}: {refused}");
            }
        }
        let twice = "UPDATE product SET stock = stock - ? WHERE id = ?";
        assert!(guard_for(Dialect::Mysql, twice, READ).unwrap_err().contains("twice"));
        let prepared = "UPDATE product SET stock = ? WHERE id = ?";
        assert!(guard_for(Dialect::Mysql, prepared, READ).unwrap_err().contains("is prepared"));
        let joined = "UPDATE product SET stock = 1 FROM cart";
        assert!(guard_for(Dialect::Postgres, joined, READ).unwrap_err().contains("several tables"));
        let plain = "UPDATE product SET stock = 0";
        let all = guard_for(Dialect::Postgres, plain, "SELECT * FROM product").unwrap_err();
        assert!(all.contains("says `*`"), "{all}");
    }
}
