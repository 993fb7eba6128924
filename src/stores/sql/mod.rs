//! What the SQL databases have in common: the ops as statements. A [`Database`] runs statements over one
//! connection, and a [`SqlLink`] knows which op takes which.

#[cfg(feature = "app")]
mod analyzer;
#[cfg(feature = "http")]
mod asker;
mod books;
mod checkout_tables;
mod executor;
#[cfg(all(fuzzing, feature = "app"))]
pub(super) mod fuzzing;
mod held;
mod hold_triggers;
mod independence;
mod link;
#[cfg(feature = "cli")]
mod notes;
mod server;
mod statement;
mod tables;
mod traces;
#[cfg(feature = "app")]
mod upstream;

#[cfg(feature = "http")]
pub(super) use asker::PlainConnection;
pub(super) use checkout_tables::CheckoutTables;
pub(super) use independence::OpenedTable;
use link::SqlLink;
pub(super) use server::{Dialer, SqlServer};
pub(super) use statement::Statement;
pub(super) use tables::{BuiltinTables, Tables};
#[cfg(feature = "app")]
pub(super) use upstream::{Keepsake, SqlUpstream};

use crate::base::error::Error;
use crate::base::text::sql::ScriptPlace;
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::attempt::Failure;
use crate::domain::isolation::Isolation;
use crate::scheduler::BuyerHandle;
use crate::stores::remote::LockScheduling;

/// The columns of one row, as numbers; missing ones are 0.
pub(super) type Row = [i64; 3];

/// Values by the names that stand for them in a statement.
pub(super) type Parameters<'v> = &'v [(&'static str, i64)];

/// One connection to a database that speaks SQL.
pub(super) trait Database: Send {
    /// The text of a statement.
    fn text(statement: Statement) -> &'static str;

    /// Runs a statement; returns how many rows it changed, or at least found.
    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Result<u64, SqlError>;

    /// Runs a query, or a statement that returns rows.
    fn query(&mut self, statement: Statement, values: Parameters<'_>)
    -> Result<Vec<Row>, SqlError>;

    /// Runs a script: statements without values, of which nothing is returned.
    fn run(&mut self, script: Statement) -> Result<(), SqlError>;

    /// Runs a user's statement, with values for its parameters.
    fn ask(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError>;

    /// Whether a transaction is under way, where the server's client knows that by itself.
    fn is_in_transaction(&self) -> Option<bool> {
        None
    }

    /// Runs a user's text of several statements.
    fn run_file(&mut self, text: &str) -> Result<(), SqlError>;

    /// The same, and says where it has failed.
    fn run_script(&mut self, text: &str) -> Result<(), (SqlError, ScriptPlace)> {
        self.run_file(text).map_err(|error| (error, ScriptPlace::Unknown))
    }

    /// The tables that a statement opens, as the server itself says without running it; none where it does not say.
    fn opens(&mut self, text: &str) -> Vec<OpenedTable>;

    /// Switches to the schema or database of the checkout's own tables; transactions there have this isolation level,
    /// unless they name another.
    fn enter_room(&mut self, isolation: Isolation) -> Result<(), SqlError>;

    /// Prepares the connection to be held by this handle: has deadlocks found at once, and tells the handle what the
    /// server reports about waiting.
    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError>;

    /// In which order the server grants a lock to the sessions that wait for it.
    fn lock_scheduling(&mut self) -> Result<LockScheduling, SqlError> {
        Ok(LockScheduling::FirstComeFirstServed)
    }

    /// From now on, a lock that this connection takes holds each change that this session makes.
    fn hold_inside(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Releases this session's held change, and holds its next one.
    fn let_act(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Stops holding this session's changes.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Whether the server still has this session. It gives back what a session has before it forgets the session; where the
    /// client itself ends a session, it has none once that is closed.
    fn has_session(&mut self, _session: i64) -> Result<bool, SqlError> {
        Ok(false)
    }

    /// A number that changes when the triggers have learned more about statements that change several rows.
    fn learned(&mut self) -> Result<i64, SqlError> {
        Ok(0)
    }

    /// Lets the triggers know what was learned so far, by that number.
    fn learn(&mut self, _learned: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Resets the session to its state after it was opened, used its tables and got its handle, whatever it is doing.
    /// Returns how many session-level locks it still held.
    fn begin_anew(&mut self) -> Result<u64, SqlError>;

    /// If a deleted row matters to transactions at this level: a query for the statements that clean it up.
    fn tidies_up(_isolation: Isolation) -> Option<&'static str> {
        None
    }

    /// Which sessions of the server wait for which others; 0 is one that the server does not name, and
    /// [`HELD_INSIDE`](crate::scheduler::HELD_INSIDE) is this one.
    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError>;
}

/// Why a database did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SqlError {
    /// A conflict with another session: nothing of the transaction counts.
    Conflict,
    /// The server has ended the transaction to break a deadlock: nothing of it counts.
    Deadlock,
    /// A lock was not available in time.
    LockTimeout,
    /// Stock may not be below zero.
    Check,
    /// Another constraint, or a rule that the user has written into the database, forbids it.
    Forbidden(String),
    /// The connection is lost.
    Lost(String),
    /// The op is not valid here; nothing has happened.
    Misused(Failure),
    /// Anything else.
    Refused(String),
    /// A statement in the user's file is invalid; the text says where.
    Mistaken(String),
}

impl SqlError {
    /// The error of a statement that has to succeed.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Mistaken(text) => Error::input(text),
            error => Error::world(error.text()),
        }
    }

    /// The text of the error, for a statement that has to succeed.
    pub(super) fn text(self) -> String {
        match self {
            Self::Conflict => "another process is at work in the same tables".into(),
            Self::Deadlock => "a deadlock with another session in the same tables".into(),
            Self::LockTimeout => "another process keeps the tables locked".into(),
            Self::Check => "stock may not be below zero".into(),
            Self::Misused(why) => why.to_string(),
            Self::Forbidden(text)
            | Self::Lost(text)
            | Self::Refused(text)
            | Self::Mistaken(text) => text,
        }
    }
}

/// The value of one parameter; 0 if `values` has none.
pub(super) fn value_of(name: &str, values: Parameters<'_>) -> i64 {
    values.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
}

/// Checks what a database of two tables and a view says that statements open.
#[cfg(test)]
pub(super) fn says_what_statements_open(database: &mut impl Database, reads_by_view: &str) {
    let told = |opened: Vec<OpenedTable>, changes| {
        let of_kind = opened.into_iter().filter(|opened| opened.changes == changes);
        let mut names: Vec<String> = of_kind.map(|opened| opened.table).collect();
        names.sort();
        names.dedup();
        names
    };
    for table in ["product", "voucher"] {
        let make = format!("CREATE TABLE {table} (id INT PRIMARY KEY, n INT)");
        database.ask(&make, &|_| StoreValue::Null).unwrap();
    }
    let view = "CREATE VIEW shown AS SELECT n FROM voucher";
    database.ask(view, &|_| StoreValue::Null).unwrap();
    let opened = database.opens(reads_by_view);
    assert!(told(opened, false).contains(&"voucher".to_owned()));
    let update = "UPDATE product SET n = (SELECT max(n) FROM voucher) WHERE id = :item";
    let opened = database.opens(update);
    assert_eq!(told(opened.clone(), true), ["product"]);
    assert!(told(opened, false).contains(&"voucher".to_owned()));
    // An invalid statement opens nothing, and does no harm.
    assert_eq!(database.opens("SELECT n FROM nowhere"), []);
    let asked = database.ask("SELECT n FROM product", &|_| StoreValue::Null);
    assert_eq!(asked.unwrap().rows, Vec::<Vec<StoreValue>>::new());
}
