//! Notes of several processes, in a table of a database.

use std::collections::BTreeMap;

use super::{Database, SqlError, Statement};
use crate::base::error::Error;
use crate::describe::checkout::StoreValue;
use crate::stores::remote::Notes;

/// The table. A name is short, and a text is some hundred bytes of JSON.
const MAKE: &str = "CREATE TABLE IF NOT EXISTS oversell_sim_parts (name VARCHAR(40) PRIMARY KEY, said TEXT NOT NULL)";
const ALL: &str = "SELECT name, said FROM oversell_sim_parts";
const ADD: &str = "INSERT INTO oversell_sim_parts (name, said) VALUES (:name, :said)";
const REPLACE: &str = "UPDATE oversell_sim_parts SET said = :said WHERE name = :name";
const REMOVE: &str = "DROP TABLE IF EXISTS oversell_sim_parts";

/// A connection to the notes.
pub(super) struct SqlNotes<D>(D);

impl<D: Database> SqlNotes<D> {
    pub(super) fn over(database: D) -> Self {
        Self(database)
    }

    /// Runs a statement about one note; returns how many rows it has changed.
    fn change(&mut self, statement: &str, name: &str, text: &str) -> Result<u64, SqlError> {
        let value_of = |parameter: &str| match parameter {
            "name" => StoreValue::Text(name.to_owned()),
            _ => StoreValue::Text(text.to_owned()),
        };
        self.0.ask(statement, &value_of).map(|answer| answer.count)
    }

    /// The first number that a query returns; 0 if there is none.
    fn number(&mut self, query: Statement) -> Result<i64, Error> {
        let rows = self.0.query(query, &[]).map_err(SqlError::into_error)?;
        Ok(rows.first().map_or(0, |[number, ..]| *number))
    }
}

impl<D: Database> Notes for SqlNotes<D> {
    fn make(&mut self) -> Result<(), Error> {
        self.0.run_file(MAKE).map_err(SqlError::into_error)
    }

    fn all(&mut self) -> Result<Option<BTreeMap<String, String>>, Error> {
        if self.number(Statement::NotesAreMade)? == 0 {
            return Ok(None);
        }
        let answer = self.0.ask(ALL, &|_| StoreValue::Null).map_err(SqlError::into_error)?;
        let note = |row: &Vec<StoreValue>| Some((row.first()?.text(), row.get(1)?.text()));
        Ok(Some(answer.rows.iter().filter_map(note).collect()))
    }

    fn add(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        match self.change(ADD, name, text) {
            Ok(_) => Ok(true),
            Err(SqlError::Forbidden(_)) => Ok(false),
            Err(error) => Err(error.into_error()),
        }
    }

    fn replace(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        let changed = self.change(REPLACE, name, text).map_err(SqlError::into_error)?;
        Ok(changed > 0)
    }

    fn remove(&mut self) -> Result<(), Error> {
        self.0.run_file(REMOVE).map_err(SqlError::into_error)
    }

    fn by_hand(&self) -> &'static str {
        "DROP TABLE IF EXISTS oversell_sim_parts, oversell_sim_shelf, oversell_sim_orders, oversell_sim_holds, \
         oversell_sim_units"
    }

    fn clock_us(&mut self) -> Result<Option<i64>, Error> {
        self.number(Statement::ServerClock).map(Some)
    }
}
