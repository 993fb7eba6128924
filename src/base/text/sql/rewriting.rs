//! Cures that are written into statements: a row lock on what a query reads, and a condition on what an UPDATE changes.
//!
//! | statement | with the cure |
//! |---|---|
//! | `SELECT stock FROM product WHERE id = 1` | `… FOR UPDATE` |
//! | `UPDATE product SET stock = stock - 1 WHERE id = 1` | `… AND stock >= 1` |
//! | `UPDATE product SET stock = 0 WHERE id = 1`, after 1 was read | `… AND stock = 1` |
//!
//! Only the text of a statement changes, where the cure goes. What cannot be rewritten so is refused, with the reason.

use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, GroupByExpr, JoinOperator, ObjectName,
    Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, UnaryOperator,
    Update, Value,
};

use super::{Dialect, SqlToken, TokenKind, only_statement, pieces, shape, statements, with_room};

/// A cure that is written into every statement of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// The shape of the statement: its text with `?` in the place of each value.
    pub shape: String,
    /// The cure.
    pub cure: StatementCure,
}

/// What is written into a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementCure {
    /// `FOR UPDATE`, for the rows of this table.
    Lock {
        /// The table's name in small letters.
        table: String,
    },
    /// The condition that a column has at least what the UPDATE takes from it.
    Enough,
    /// The condition that a column still has the value that was read.
    Unchanged(ColumnRead),
}

/// A column that a query has read and an UPDATE sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRead {
    /// The shape of the query.
    pub shape: String,
    /// Which column of its answer it is, counted from 0.
    pub place: usize,
    /// The column as the UPDATE writes it.
    pub column: String,
}

/// The value of such a column, as the transaction that is under way has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadValue {
    /// How often the query was answered.
    answers: u32,
    value: Option<String>,
}

impl ReadValue {
    /// The query was answered: with this value, if the answer was one row.
    pub fn is_read(&mut self, value: Option<String>) {
        self.answers = self.answers.saturating_add(1);
        self.value = value;
    }

    /// The transaction has ended.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The value; none if it was read more than once, for those may have been several rows.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| self.answers == 1)
    }
}

/// Whether a cure was written into what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewriteOutcome {
    /// No statement of the shape is in it.
    #[default]
    NotMeant,
    /// It was written into every statement of the shape.
    Done,
    /// A statement of the shape is sent without it.
    Missed,
}

impl RewriteOutcome {
    /// The outcome for two texts that are sent as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missed, _) | (_, Self::Missed) => Self::Missed,
            (Self::Done, _) | (_, Self::Done) => Self::Done,
            (Self::NotMeant, Self::NotMeant) => Self::NotMeant,
        }
    }
}

impl Rewriting {
    /// A text with the cure in it, if it is to be sent so. `read` is the value of the column that was read, where the cure
    /// needs one and it is known.
    #[must_use]
    pub fn apply(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> (Option<String>, RewriteOutcome) {
        let (mut written, mut from) = (String::new(), 0);
        let mut outcome = RewriteOutcome::NotMeant;
        for statement in statements(dialect, text) {
            if shape(dialect, statement) != self.shape {
                continue;
            }
            let Ok(cured) = self.cure.write_into(dialect, statement, read) else {
                return (None, RewriteOutcome::Missed);
            };
            // The statement is a part of the text.
            let at = statement.as_ptr() as usize - text.as_ptr() as usize;
            written += &text[from..at];
            written += &cured;
            from = at + statement.len();
            outcome = RewriteOutcome::Done;
        }
        if outcome == RewriteOutcome::NotMeant {
            return (None, outcome);
        }
        written += &text[from..];
        (Some(written), outcome)
    }
}

impl Rewriting {
    /// The place, in the answer to a text, of the value that the cure needs; none if it is not read there.
    #[must_use]
    pub fn reads(&self, dialect: Dialect, text: &str) -> Option<usize> {
        let StatementCure::Unchanged(read) = &self.cure else { return None };
        (shape(dialect, text) == read.shape).then_some(read.place)
    }
}

impl StatementCure {
    /// One statement with the cure in it.
    ///
    /// # Errors
    /// A sentence that says why it cannot be written into the statement.
    pub fn write_into(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> Result<String, String> {
        with_room(text, || self.written_into(dialect, text, read))
            .unwrap_or_else(|| Err(NOT_UNDERSTOOD.into()))
    }

    fn written_into(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> Result<String, String> {
        match self {
            Self::Lock { table } => with_lock(dialect, text, table),
            Self::Enough => {
                let update = update_of(dialect, text)?;
                let taken = update.assignments.iter().filter_map(|one| match set_by(one) {
                    SetTo::Less { column, amount } => Some(format!("{column} >= {amount}")),
                    _ => None,
                });
                let taken: Vec<String> = taken.collect();
                match taken.is_empty() {
                    true => Err("it takes nothing from a column".into()),
                    false => with_condition(dialect, text, &taken.join(" AND ")),
                }
            }
            Self::Unchanged(ColumnRead { column, .. }) => {
                let read = read.ok_or("the value that was read is not known")?;
                // Anything else would have to be quoted.
                if read.parse::<i64>().is_err() {
                    return Err(format!("`{column}` was read as no whole number"));
                }
                update_of(dialect, text)?;
                with_condition(dialect, text, &format!("{column} = {read}"))
            }
        }
    }
}

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

fn with_lock(dialect: Dialect, text: &str, table: &str) -> Result<String, String> {
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

const NOT_UNDERSTOOD: &str = "it is not understood here";

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

/// What an assignment of an UPDATE sets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SetTo {
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

fn set_by(assignment: &Assignment) -> SetTo {
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

/// The last part of a name: as it is written, and bare.
fn last(name: &ObjectName) -> Option<(String, String)> {
    let part = name.0.last()?.as_ident()?;
    Some((part.to_string(), part.value.to_lowercase()))
}

/// A statement as its grammar reads it.
fn statement_of(dialect: Dialect, text: &str) -> Result<Statement, String> {
    only_statement(dialect, text).ok_or_else(|| NOT_UNDERSTOOD.into())
}

fn query_of(dialect: Dialect, text: &str) -> Result<Box<Query>, String> {
    match statement_of(dialect, text)? {
        Statement::Query(query) => Ok(query),
        _ => Err("it is no SELECT".into()),
    }
}

/// An UPDATE of one table.
fn update_of(dialect: Dialect, text: &str) -> Result<Update, String> {
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
struct PlacedToken<'t> {
    at: usize,
    token: SqlToken<'t>,
    /// How many brackets are open around it.
    depth: usize,
}

impl PlacedToken<'_> {
    fn end(&self) -> usize {
        self.at + self.token.text.len()
    }

    /// The word in small letters; empty for anything else.
    fn word(&self) -> String {
        match self.token.kind {
            TokenKind::Word => self.token.text.to_lowercase(),
            _ => String::new(),
        }
    }
}

fn placed(dialect: Dialect, text: &str) -> Vec<PlacedToken<'_>> {
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
fn end_of(tokens: &[PlacedToken<'_>]) -> usize {
    let last = tokens.iter().rev().find(|token| !token.token.is_sign(";"));
    last.map_or(0, PlacedToken::end)
}

/// An UPDATE that also asks for this condition.
fn with_condition(dialect: Dialect, text: &str, condition: &str) -> Result<String, String> {
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

    #[test]
    fn only_statements_of_the_shape_are_rewritten_and_all_of_them() {
        let rewriting = Rewriting {
            shape: "SELECT stock FROM product WHERE id = ?".into(),
            cure: StatementCure::Lock { table: "product".into() },
        };
        let apply = |text: &str| rewriting.apply(Dialect::Postgres, text, None);
        assert_eq!(
            apply("BEGIN; SELECT stock  FROM product /* here */ WHERE id = 7 ; COMMIT"),
            (
                Some(
                    "BEGIN; SELECT stock  FROM product /* here */ WHERE id = 7 FOR UPDATE ; COMMIT"
                        .into()
                ),
                RewriteOutcome::Done
            )
        );
        for other in ["SELECT stock FROM product WHERE id > 7", "", "COMMIT"] {
            assert_eq!(apply(other), (None, RewriteOutcome::NotMeant));
        }
        let counted = Rewriting { shape: "SELECT count(*) FROM product".into(), ..rewriting };
        let missed = counted.apply(Dialect::Postgres, "SELECT count(*) FROM product", None);
        assert_eq!(missed, (None, RewriteOutcome::Missed));
    }

    #[test]
    fn one_that_is_missed_counts_more_than_one_that_is_done() {
        use RewriteOutcome::{Done, Missed, NotMeant};
        assert_eq!(Done.and(Missed), Missed);
        assert_eq!(NotMeant.and(Done), Done);
        assert_eq!(NotMeant.and(NotMeant), NotMeant);
    }
}
