//! Which rows of each table a statement is about: those in which some columns have values that stand in the statement.
//! `sqlparser`'s grammar reads it. What is not as simple as the forms below has no such rows, and is about whole tables.
//!
//! | statement | its rows |
//! |---|---|
//! | `SELECT … FROM a JOIN b … WHERE a.x = 1 AND …` | of each table those that `WHERE` names |
//! | `UPDATE t SET … WHERE x = 1 AND …` | those that `WHERE` names, before; and after, but for the columns that it sets |
//! | `DELETE FROM t WHERE x = 1 AND …` | those that `WHERE` names |
//! | `INSERT INTO t (x, …) VALUES (1, …), …` | one by one |
//!
//! A condition counts if it must hold for every row that the statement finds: `column = value`, joined by `AND`.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{
    AssignmentTarget, BinaryOperator, Delete, Expr, FromTable, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Insert, JoinOperator, ObjectName, Query, SelectItem, SetExpr,
    Statement, TableFactor, TableObject, TableWithJoins, UnaryOperator, Update, Value,
};

use super::columns::Literal;
use super::rows::may_be_misread;
use crate::base::text::sql::{Dialect, only_statement, with_room};

/// The values of some columns, by name in small letters.
pub(super) type Pins = BTreeMap<String, Literal>;

/// A statement as its grammar reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadStatement {
    pub(super) access: RowAccess,
    /// How many conditions its `WHERE` joins with `AND`.
    pub(super) conditions: usize,
    /// The columns that it counts or adds up, if it does nothing else with the rows that it finds.
    pub(super) sums_up: Option<BTreeSet<String>>,
}

/// What a statement does with rows of its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowAccess {
    /// It reads rows, or locks them, of each of these tables.
    Finds(Vec<(String, Pins)>),
    /// It changes rows of a table, and sets these columns.
    Updates { table: String, pins: Pins, sets: BTreeSet<String> },
    /// It deletes rows of a table.
    Deletes { table: String, pins: Pins },
    /// It adds rows to a table. Columns that it does not name have what the table gives them.
    Inserts { table: String, columns: Vec<String>, rows: Vec<Pins> },
}

impl RowAccess {
    /// The tables that it names.
    pub(super) fn tables(&self) -> Vec<String> {
        match self {
            Self::Finds(tables) => tables.iter().map(|(table, _)| table.clone()).collect(),
            Self::Updates { table, .. }
            | Self::Deletes { table, .. }
            | Self::Inserts { table, .. } => vec![table.clone()],
        }
    }
}

/// Reads a statement that has its values in it; none if it has not one of the forms.
pub(super) fn read_statement(dialect: Dialect, text: &str) -> Option<ReadStatement> {
    // SQLite's writer has the file to itself.
    if dialect == Dialect::Sqlite || may_be_misread(dialect, text) {
        return None;
    }
    with_room(text, || read_only(dialect, text)).flatten()
}

fn read_only(dialect: Dialect, text: &str) -> Option<ReadStatement> {
    match only_statement(dialect, text)? {
        Statement::Query(query) => {
            let SetExpr::Select(select) = &*query.body else { return None };
            Some(ReadStatement {
                sums_up: sums_up(&query),
                ..ReadStatement::of(of_query(&query)?, select.selection.as_ref())
            })
        }
        Statement::Update(update) => {
            Some(ReadStatement::of(of_update(&update)?, update.selection.as_ref()))
        }
        Statement::Delete(delete) => {
            Some(ReadStatement::of(of_delete(&delete)?, delete.selection.as_ref()))
        }
        Statement::Insert(insert) => Some(ReadStatement::of(of_insert(&insert)?, None)),
        _ => None,
    }
}

impl ReadStatement {
    fn of(access: RowAccess, conditions: Option<&Expr>) -> Self {
        Self { access, conditions: joined(conditions).len(), sums_up: None }
    }
}

/// The columns that a query counts or adds up, if its answer says nothing else of the rows that it finds.
fn sums_up(query: &Query) -> Option<BTreeSet<String>> {
    let SetExpr::Select(select) = &*query.body else { return None };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, more) if by.is_empty() && more.is_empty());
    let is_plain = query.locks.is_empty()
        && select.distinct.is_none()
        && select.having.is_none()
        && select.into.is_none()
        && !is_grouped;
    let mut columns = BTreeSet::new();
    for item in &select.projection {
        let (SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }) = item
        else {
            return None;
        };
        if !is_summed_up(item, &mut columns) {
            return None;
        }
    }
    is_plain.then_some(columns)
}

/// Functions whose value is the same in whatever order they take in their rows.
const SUMS: [&str; 4] = ["count", "sum", "min", "max"];

/// Whether an expression is a value, or made of sums; and the columns in it.
fn is_summed_up(item: &Expr, columns: &mut BTreeSet<String>) -> bool {
    match item {
        Expr::Nested(inner) => is_summed_up(inner, columns),
        Expr::Value(_) => true,
        Expr::BinaryOp { left, right, .. } => {
            is_summed_up(left, columns) && is_summed_up(right, columns)
        }
        Expr::Function(function) => {
            let (Some(name), FunctionArguments::List(list)) =
                (last(&function.name), &function.args)
            else {
                return false;
            };
            let is_plain = function.over.is_none()
                && function.filter.is_none()
                && function.within_group.is_empty()
                && list.clauses.is_empty();
            let is_sum = SUMS.contains(&name.as_str());
            is_plain
                && list.args.iter().all(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => is_sum,
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) if is_sum => {
                        names_columns(of, columns)
                    }
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(of)) if name == "coalesce" => {
                        is_summed_up(of, columns)
                    }
                    _ => false,
                })
        }
        _ => false,
    }
}

/// Whether an expression is made of columns and values alone, and the columns in it.
fn names_columns(of: &Expr, columns: &mut BTreeSet<String>) -> bool {
    match of {
        Expr::Nested(inner) => names_columns(inner, columns),
        Expr::Value(_) => true,
        Expr::Identifier(name) => {
            columns.insert(name.value.to_lowercase());
            true
        }
        Expr::CompoundIdentifier(parts) => {
            columns.extend(parts.last().map(|name| name.value.to_lowercase()));
            true
        }
        Expr::BinaryOp { left, right, .. } => {
            names_columns(left, columns) && names_columns(right, columns)
        }
        _ => false,
    }
}

/// A table as a statement calls it, and its name.
type Called = (String, String);

fn of_query(query: &Query) -> Option<RowAccess> {
    let (None, SetExpr::Select(select)) = (&query.with, &*query.body) else { return None };
    let tables = select.from.iter().map(called).collect::<Option<Vec<_>>>()?.concat();
    // MySQL tells `a` from `A`.
    let names: BTreeSet<_> = tables.iter().map(|(called, _)| called).collect();
    if names.len() < tables.len() {
        return None;
    }
    let conditions = select.selection.as_ref();
    let found = tables
        .iter()
        .map(|(called, name)| (name.clone(), pins(conditions, called, tables.len() == 1)));
    Some(RowAccess::Finds(found.collect()))
}

fn of_update(update: &Update) -> Option<RowAccess> {
    let (None, None) = (&update.from, &update.or) else { return None };
    let [(called, table)] = &called(&update.table)?[..] else { return None };
    let mut sets = BTreeSet::new();
    for assignment in &update.assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else { return None };
        sets.insert(last(name)?);
    }
    let pins = pins(update.selection.as_ref(), called, true);
    Some(RowAccess::Updates { table: table.clone(), pins, sets })
}

fn of_delete(delete: &Delete) -> Option<RowAccess> {
    let (None, true) = (&delete.using, delete.tables.is_empty()) else { return None };
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = &from[..] else { return None };
    let [(called, table)] = &called(from)?[..] else { return None };
    let pins = pins(delete.selection.as_ref(), called, true);
    Some(RowAccess::Deletes { table: table.clone(), pins })
}

fn of_insert(insert: &Insert) -> Option<RowAccess> {
    let is_plain = insert.on.is_none()
        && insert.or.is_none()
        && !insert.ignore
        && !insert.replace_into
        && !insert.overwrite
        && insert.overriding.is_none()
        && insert.assignments.is_empty()
        && !insert.columns.is_empty();
    let (true, TableObject::TableName(name), Some(source)) =
        (is_plain, &insert.table, &insert.source)
    else {
        return None;
    };
    let (None, SetExpr::Values(values)) = (&source.with, &*source.body) else { return None };
    let columns = insert.columns.iter().map(last).collect::<Option<Vec<String>>>()?;
    let rows = values.rows.iter().map(|row| {
        let values = columns.iter().zip(&row.content);
        values.filter_map(|(column, value)| Some((column.clone(), literal(value)?))).collect()
    });
    Some(RowAccess::Inserts { table: last(name)?, rows: rows.collect(), columns })
}

/// The tables of one item in a list of tables; none if anything else stands there.
fn called(from: &TableWithJoins) -> Option<Vec<Called>> {
    let mut all = vec![of_factor(&from.relation)?];
    for join in &from.joins {
        match &join.join_operator {
            JoinOperator::Join(_)
            | JoinOperator::Inner(_)
            | JoinOperator::Left(_)
            | JoinOperator::LeftOuter(_)
            | JoinOperator::CrossJoin(_) => all.push(of_factor(&join.relation)?),
            _ => return None,
        }
    }
    Some(all)
}

fn of_factor(factor: &TableFactor) -> Option<Called> {
    let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
    let name = last(name)?;
    let called = match alias {
        Some(alias) if alias.columns.is_empty() => alias.name.value.to_lowercase(),
        Some(_) => return None,
        None => name.clone(),
    };
    Some((called, name))
}

/// The last part of a name, in small letters.
fn last(name: &ObjectName) -> Option<String> {
    Some(name.0.last()?.as_ident()?.value.to_lowercase())
}

/// The columns of a table that conditions compare with a value, where nothing but `AND` joins them. `is_alone` says that
/// no other table is there whose column could be meant.
fn pins(conditions: Option<&Expr>, table: &str, is_alone: bool) -> Pins {
    let mut pins = Pins::new();
    for condition in joined(conditions) {
        let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { continue };
        for (column, value) in [(left, right), (right, left)] {
            let column = column_of(column, table, is_alone);
            pins.extend(column.zip(literal(value)));
        }
    }
    pins
}

/// The conditions that `AND` joins.
fn joined(conditions: Option<&Expr>) -> Vec<&Expr> {
    let mut joined = Vec::new();
    let mut left: Vec<&Expr> = conditions.into_iter().collect();
    while let Some(condition) = left.pop() {
        match condition {
            Expr::Nested(inner) => left.push(inner),
            Expr::BinaryOp { left: one, op: BinaryOperator::And, right: other } => {
                left.extend([&**one, &**other]);
            }
            one => joined.push(one),
        }
    }
    joined
}

/// The name of a column of this table.
fn column_of(expression: &Expr, table: &str, is_alone: bool) -> Option<String> {
    match expression {
        Expr::Nested(inner) => column_of(inner, table, is_alone),
        Expr::Identifier(name) if is_alone => Some(name.value.to_lowercase()),
        Expr::CompoundIdentifier(parts) => match &parts[..] {
            [.., of, name] if of.value.to_lowercase() == table => Some(name.value.to_lowercase()),
            _ => None,
        },
        _ => None,
    }
}

/// A value that stands there as it is.
fn literal(expression: &Expr) -> Option<Literal> {
    match expression {
        Expr::Nested(inner) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            let number = literal(expr).filter(|number| !number.is_quoted)?;
            Some(Literal { text: format!("-{}", number.text), ..number })
        }
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(Literal { text: text.clone(), is_quoted: false }),
            Value::SingleQuotedString(text) => {
                Some(Literal { text: text.clone(), is_quoted: true })
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<RowAccess> {
        read_statement(Dialect::Postgres, text).map(|statement| statement.access)
    }

    fn told(pins: &Pins) -> String {
        let one = |(column, value): (&String, &Literal)| format!("{column}={}", value.text);
        pins.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn found(text: &str) -> Option<Vec<String>> {
        match of(text)? {
            RowAccess::Finds(tables) => {
                let told = |(table, pins): &(String, Pins)| format!("{table}: {}", told(pins));
                Some(tables.iter().map(told).collect())
            }
            _ => None,
        }
    }

    #[test]
    fn a_query_finds_the_rows_for_which_its_conditions_must_hold() {
        for (text, expected) in [
            ("SELECT * FROM p WHERE id = 1 AND (name = 'a')", "p: id=1 name=a"),
            ("SELECT * FROM p WHERE 1 = id FOR UPDATE", "p: id=1"),
            ("SELECT * FROM shop.P AS x WHERE x.Id = -1", "p: id=-1"),
            ("SELECT * FROM p WHERE id = 1 OR stock = 0", "p: "),
            ("SELECT * FROM p WHERE NOT id = 1", "p: "),
            ("SELECT * FROM p WHERE id > 1 AND id = other", "p: "),
            ("SELECT * FROM p WHERE id IN (1, 2)", "p: "),
            ("SELECT count(*) FROM p", "p: "),
        ] {
            assert_eq!(found(text).as_deref(), Some(&[expected.to_owned()][..]), "{text}");
        }
    }

    #[test]
    fn in_a_join_each_condition_belongs_to_the_table_that_it_names() {
        let text = "SELECT * FROM line l INNER JOIN product ON product.id = l.product \
                    LEFT JOIN price ON price.product = product.id \
                    WHERE l.basket = 7 AND price.currency = 'EUR' AND stock = 1";
        let expected = ["line: basket=7", "product: ", "price: currency=EUR"];
        assert_eq!(found(text).unwrap(), expected);
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_read() {
        for (depth, is_read) in [(10, true), (10_000, false)] {
            let (open, close) = ("(".repeat(depth), ")".repeat(depth));
            let text = format!("SELECT stock FROM p WHERE {open}id = 1{close}");
            assert_eq!(of(&text).is_some(), is_read, "{depth}");
        }
    }

    #[test]
    fn what_only_sums_up_says_nothing_of_an_order() {
        let sums = |text: &str| {
            let sums_up = read_statement(Dialect::Postgres, text)?.sums_up?;
            Some(sums_up.into_iter().collect::<Vec<_>>().join(" "))
        };
        for (text, columns) in [
            ("SELECT count(*) FROM o WHERE item = 1", ""),
            ("SELECT COALESCE(SUM(o.qty), 0) + 1 FROM o", "qty"),
            ("SELECT (1) AS a FROM o WHERE id = 1 LIMIT 1", ""),
            ("SELECT max(id), min(qty) AS q FROM o", "id qty"),
        ] {
            assert_eq!(sums(text).as_deref(), Some(columns), "{text}");
        }
        for text in [
            "SELECT qty FROM o",
            "SELECT * FROM o LIMIT 1",
            "SELECT count(*) FROM o GROUP BY item",
            "SELECT DISTINCT 1 FROM o",
            "SELECT array_agg(id) FROM o",
            "SELECT sum(qty) OVER () FROM o",
            "SELECT count(*) FROM o FOR UPDATE",
            "UPDATE o SET qty = 1",
        ] {
            assert_eq!(sums(text), None, "{text}");
        }
    }

    #[test]
    fn what_has_another_form_is_not_read() {
        for text in [
            "WITH x AS (SELECT 1) SELECT * FROM p WHERE id = 1",
            "SELECT 1 FROM p WHERE id = 1 UNION SELECT 2 FROM q",
            "SELECT * FROM (SELECT * FROM p) AS x WHERE id = 1",
            "SELECT * FROM p RIGHT JOIN q ON p.id = q.id WHERE p.id = 1",
            "UPDATE p SET a = 1 FROM q WHERE p.id = 1",
            "INSERT INTO p (id) SELECT 1",
            "INSERT INTO p (id) VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT INTO p VALUES (1)",
            "DELETE FROM p USING q WHERE p.id = 1",
            "SELECT 1; SELECT 2",
            "LOCK TABLE p",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_change_says_what_it_sets_and_an_insert_what_it_gives() {
        let RowAccess::Updates { table, pins, sets } =
            of("UPDATE \"Product\" SET stock = stock - 1, name = 'b' WHERE id = 1 AND stock > 0")
                .unwrap()
        else {
            panic!("no update");
        };
        assert_eq!((table.as_str(), told(&pins).as_str()), ("product", "id=1"));
        assert_eq!(sets.into_iter().collect::<Vec<_>>(), ["name", "stock"]);
        let RowAccess::Inserts { columns, rows, .. } =
            of("INSERT INTO o (id, buyer, at) VALUES (1, 'x', now()), (2, 'y', DEFAULT)").unwrap()
        else {
            panic!("no insert");
        };
        assert_eq!(columns, ["id", "buyer", "at"]);
        assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), ["buyer=x id=1", "buyer=y id=2"]);
        assert!(matches!(of("DELETE FROM o WHERE id = 1"), Some(RowAccess::Deletes { .. })));
    }
}
