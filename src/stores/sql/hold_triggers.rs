//! Statements that are held inside the server: triggers on every table wait, before each change, for a lock that the
//! explorer holds.

use super::{Database, SqlError, Statement};
use crate::describe::checkout::{Answer, StoreValue};

/// Puts the triggers on every table, or on those of this schema alone.
pub(super) fn install<D: Database>(database: &mut D, everywhere: bool) -> Result<(), SqlError> {
    run_each(database, Statement::HoldInside, everywhere)
}

/// Removes the triggers.
pub(super) fn remove<D: Database>(database: &mut D) -> Result<(), SqlError> {
    run_each(database, Statement::HoldNoMore, true)
}

fn run_each<D: Database>(
    database: &mut D,
    query: Statement,
    everywhere: bool,
) -> Result<(), SqlError> {
    for statement in listed(database, D::text(query), everywhere)? {
        database.ask(&statement, &|_| StoreValue::Null)?;
    }
    Ok(())
}

/// The statements that a query returns, for every schema or for this one alone.
pub(super) fn listed<D: Database>(
    database: &mut D,
    query: &str,
    everywhere: bool,
) -> Result<Vec<String>, SqlError> {
    let rows = database.ask(query, &|_| StoreValue::Int(everywhere.into()))?.rows;
    Ok(rows.iter().flatten().map(StoreValue::text).collect())
}

/// The answer to one of our queries that has the parameter `:everywhere`.
pub(super) fn asked<D: Database>(
    database: &mut D,
    query: Statement,
    everywhere: bool,
) -> Result<Answer, SqlError> {
    database.ask(D::text(query), &|_| StoreValue::Int(everywhere.into()))
}
