//! A row lock that is written into a query.

use sqlparser::ast::{GroupByExpr, JoinOperator, Select, SetExpr, TableFactor, TableWithJoins};

use super::statement::{NOT_UNDERSTOOD, end_of, last, placed, query_of};
use super::{Dialect, with_room};

/// Functions that sum rows up, whose rows no lock can name.
const SUMS: [&str; 19] = [
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "every",
    "bool_and",
    "bool_or",
    "bit_and",
    "bit_or",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "group_concat",
    "json_arrayagg",
    "json_objectagg",
];

/// A query that locks the rows of a table that it reads.
///
/// # Errors
/// A sentence that says why it cannot.
pub fn locked(dialect: Dialect, text: &str, table: &str) -> Result<String, String> {
    with_room(text, || with_lock(dialect, text, table))
        .unwrap_or_else(|| Err(NOT_UNDERSTOOD.into()))
}

pub(super) fn with_lock(dialect: Dialect, text: &str, table: &str) -> Result<String, String> {
    let query = query_of(dialect, text)?;
    if !query.locks.is_empty() {
        return Err("it locks what it reads already".into());
    }
    if query.with.is_some() {
        return Err("it reads from a WITH; lock the rows in a query of their own".into());
    }
    let select = match &*query.body {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { op, .. } => {
            return Err(format!(
                "no row of a {op} can be locked; lock the rows in a query of their own"
            ));
        }
        _ => return Err("it is no plain SELECT".into()),
    };
    if let Some(what) = sums_up(dialect, select) {
        return Err(format!(
            "no row behind {what} can be locked; lock the rows in a query of their own"
        ));
    }
    let called = called_in(&select.from, table)?;
    let is_one_of_several = select.from.len() > 1 || !select.from[0].joins.is_empty();
    let lock = match dialect {
        Dialect::Postgres if is_one_of_several => format!(" FOR UPDATE OF {called}"),
        Dialect::Postgres | Dialect::Mysql => " FOR UPDATE".to_owned(),
        Dialect::Sqlite => return Err("SQLite locks no rows".into()),
    };
    let end = end_of(&placed(dialect, text));
    let written = format!("{}{lock}{}", &text[..end], &text[end..]);
    match query_of(dialect, &written) {
        Ok(query) if query.locks.len() == 1 => Ok(written),
        _ => Err(NOT_UNDERSTOOD.into()),
    }
}

/// What in a query leaves no rows to lock: DISTINCT, GROUP BY, a sum.
fn sums_up(dialect: Dialect, select: &Select) -> Option<&'static str> {
    let is_grouped = !matches!(
        &select.group_by,
        GroupByExpr::Expressions(by, more) if by.is_empty() && more.is_empty()
    );
    if select.distinct.is_some() {
        return Some("DISTINCT");
    }
    if is_grouped || select.having.is_some() {
        return Some("GROUP BY");
    }
    let shown: Vec<String> = select.projection.iter().map(ToString::to_string).collect();
    let shown = shown.join(", ");
    let tokens = placed(dialect, &shown);
    let calls = tokens.windows(2).filter(|two| two[1].token.is_sign("("));
    let mut called = calls.map(|two| two[0].word());
    called.find_map(|word| match word.as_str() {
        "over" => Some("a window function"),
        word if SUMS.contains(&word) => Some("an aggregate"),
        _ => None,
    })
}

/// What a query calls a table that it reads itself.
fn called_in(from: &[TableWithJoins], table: &str) -> Result<String, String> {
    for item in from {
        // Each table, and whether an outer join may have no row of it.
        let mut tables = vec![(&item.relation, false)];
        for join in &item.joins {
            let is_nullable = match &join.join_operator {
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => true,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
                    tables.iter_mut().for_each(|(_, is_nullable)| *is_nullable = true);
                    false
                }
                JoinOperator::FullOuter(_) => {
                    tables.iter_mut().for_each(|(_, is_nullable)| *is_nullable = true);
                    true
                }
                _ => false,
            };
            tables.push((&join.relation, is_nullable));
        }
        for (factor, is_nullable) in tables {
            let TableFactor::Table { name, alias, .. } = factor else { continue };
            let Some((written, bare)) = last(name) else { continue };
            if bare != table {
                continue;
            }
            if is_nullable {
                return Err(format!(
                    "`{table}` is in the nullable side of an outer join; lock its rows in a query of their own"
                ));
            }
            return Ok(alias.as_ref().map_or(written, |alias| alias.name.to_string()));
        }
    }
    Err(format!(
        "`{table}` is read in a part of it that FOR UPDATE does not reach; lock its rows in a query of their own"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Mysql];

    #[test]
    fn a_query_locks_the_rows_that_it_reads() {
        for (text, written) in [
            (
                "SELECT stock FROM product WHERE id = 1",
                "SELECT stock FROM product WHERE id = 1 FOR UPDATE",
            ),
            (
                "select stock from shop.product p where id = 1 order by id limit 1 ; -- last",
                "select stock from shop.product p where id = 1 order by id limit 1 FOR UPDATE ; -- last",
            ),
            (
                "SELECT stock FROM product /* the shelf */ /*route='/buy'*/",
                "SELECT stock FROM product FOR UPDATE /* the shelf */ /*route='/buy'*/",
            ),
            (
                "SELECT (SELECT 1), lower(name) FROM product WHERE id IN (SELECT max(id) FROM cart)",
                "SELECT (SELECT 1), lower(name) FROM product WHERE id IN (SELECT max(id) FROM cart) FOR UPDATE",
            ),
        ] {
            for dialect in BOTH {
                assert_eq!(locked(dialect, text, "product").as_deref(), Ok(written));
            }
        }
        let prepared = "SELECT \"stock\" FROM \"product\" WHERE \"id\" = $1";
        let written = format!("{prepared} FOR UPDATE");
        assert_eq!(locked(Dialect::Postgres, prepared, "product"), Ok(written));
        let prepared = "SELECT `stock` FROM `product` WHERE `id` = ?";
        let written = format!("{prepared} FOR UPDATE");
        assert_eq!(locked(Dialect::Mysql, prepared, "product"), Ok(written));
    }

    #[test]
    fn of_several_tables_postgres_locks_the_one_that_is_meant() {
        let text =
            "SELECT p.stock FROM product p LEFT JOIN brand b ON b.id = p.brand WHERE p.id = 1";
        let of = |dialect| locked(dialect, text, "product").unwrap();
        assert_eq!(of(Dialect::Postgres), format!("{text} FOR UPDATE OF p"));
        assert_eq!(of(Dialect::Mysql), format!("{text} FOR UPDATE"));
        let text = "SELECT 1 FROM \"cart\" INNER JOIN \"product\" ON true";
        let written = format!("{text} FOR UPDATE OF \"product\"");
        assert_eq!(locked(Dialect::Postgres, text, "product"), Ok(written));
    }

    #[test]
    fn what_has_no_rows_to_lock_is_refused_with_the_reason() {
        for (text, why) in [
            ("SELECT count(*) FROM product", "an aggregate"),
            ("SELECT 1 + SUM (stock) FROM product", "an aggregate"),
            ("SELECT rank() OVER (ORDER BY id) FROM product", "a window function"),
            ("SELECT DISTINCT stock FROM product", "DISTINCT"),
            ("SELECT stock FROM product GROUP BY stock", "GROUP BY"),
            ("SELECT id FROM product UNION SELECT 1", "UNION"),
            ("WITH p AS (SELECT 1) SELECT stock FROM product", "WITH"),
            ("SELECT stock FROM product FOR UPDATE", "already"),
            ("SELECT stock FROM product FOR SHARE", "already"),
            ("SELECT 1 FROM cart LEFT JOIN product ON true", "nullable side"),
            ("SELECT 1 FROM product RIGHT JOIN cart ON true", "nullable side"),
            ("SELECT 1 FROM cart WHERE id IN (SELECT id FROM product)", "does not reach"),
            ("SELECT 1 FROM (SELECT id FROM product) p", "does not reach"),
            ("UPDATE product SET stock = 1", "no SELECT"),
            ("SELECT stock FROM product; SELECT 2", "not understood"),
            ("SELECT FROM WHERE", "not understood"),
        ] {
            for dialect in BOTH {
                let refused = locked(dialect, text, "product").unwrap_err();
                assert!(refused.contains(why), "{text}: {refused}");
            }
        }
        let full = "SELECT 1 FROM product FULL JOIN cart ON true";
        assert!(locked(Dialect::Postgres, full, "product").unwrap_err().contains("nullable side"));
    }
}
