//! What the SQL databases have in common: the ops as statements. A [`Database`] runs statements over one
//! connection, and a [`SqlLink`] knows which op takes which.

#[cfg(feature = "http")]
mod asker;
#[cfg(feature = "app")]
mod backing;
mod books;
mod held;
mod hold;
mod independence;
mod link;
mod room;
mod server;
#[cfg(feature = "app")]
mod sight;
mod speaker;
mod statement;
mod tables;
mod traces;

#[cfg(feature = "http")]
pub(super) use asker::Plain;
#[cfg(feature = "app")]
pub(super) use backing::{Keepsake, SqlBacking};
pub(super) use independence::Opened;
use link::SqlLink;
pub(super) use room::Room;
pub(super) use server::{Dialer, SqlServer};
pub(super) use statement::Statement;
pub(super) use tables::{Ours, Tables};

use crate::base::error::Error;
use crate::describe::checkout::{Answer, Value};
use crate::domain::attempt::Failure;
use crate::domain::isolation::Isolation;
use crate::scheduler::BuyerHandle;

/// The columns of one row, as numbers; those that there are not are 0.
pub(super) type Row = [i64; 3];

/// Values by the names that stand for them in a statement.
pub(super) type Values<'v> = &'v [(&'static str, i64)];

/// One connection to a database that speaks SQL.
pub(super) trait Database: Send {
    /// How it says a statement.
    fn text(statement: Statement) -> &'static str;

    /// Runs a statement; says how many rows it changed, or at least found.
    fn change(&mut self, statement: Statement, values: Values<'_>) -> Result<u64, SqlError>;

    /// Runs a query, or a statement that returns rows.
    fn query(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Row>, SqlError>;

    /// Runs a script: statements without values, of which nothing is returned.
    fn run(&mut self, script: Statement) -> Result<(), SqlError>;

    /// Runs a statement that is none of ours, with values for its parameters.
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, SqlError>;

    /// Runs a text of several statements that are none of ours.
    fn run_file(&mut self, text: &str) -> Result<(), SqlError>;

    /// The tables that a statement opens, as the server itself says without running it; none where it does not say.
    fn opens(&mut self, text: &str) -> Vec<Opened>;

    /// Goes to the place that is made for tables which are none of ours; transactions are kept so far apart there,
    /// where nothing else is said.
    fn enter_room(&mut self, isolation: Isolation) -> Result<(), SqlError>;

    /// Gets ready to be held by this handle: finds deadlocks at once, and tells the handle what there is to be told
    /// of waiting.
    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError>;

    /// From now on each change that this session makes is held by the lock that this connection takes.
    fn hold_inside(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Lets the change of this session go that is held, and holds the next.
    fn let_act(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// Holds no change of this session any more.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), SqlError> {
        Ok(())
    }

    /// What the triggers have learned of statements that change several rows; another number once they have learned more.
    fn learned(&mut self) -> Result<i64, SqlError> {
        Ok(0)
    }

    /// Makes the session as it was when it was opened, entered its room and was given its handle, whatever it is in the middle of.
    /// Says how many locks of its own it still held.
    fn begin_anew(&mut self) -> Result<u64, SqlError>;

    /// Where a deleted row matters to transactions at this level: a query for the statements that tidy it away.
    fn tidies_up(_isolation: Isolation) -> Option<&'static str> {
        None
    }

    /// Of all connections to the server, which waits for which; 0 is one that the server does not name, and
    /// [`HELD_INSIDE`](crate::scheduler::HELD_INSIDE) this one.
    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError>;
}

/// What a database says when it does not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SqlError {
    /// Somebody got in between: nothing of the transaction counts.
    Conflict,
    /// The server has ended the transaction to break a deadlock: nothing of it counts.
    Deadlock,
    /// A lock was not to be had in time.
    LockTimeout,
    /// Stock may not be below zero.
    Check,
    /// Another constraint forbids it, or a rule that somebody has written into the database.
    Forbidden(String),
    /// The connection is of no more use.
    Lost(String),
    /// The op makes no sense here; nothing has happened.
    Misused(Failure),
    /// Anything else.
    Refused(String),
    /// It makes no sense, and somebody's own file says so: here is where.
    Mistaken(String),
}

impl SqlError {
    /// As it is told of something that had to go well.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Mistaken(text) => Error::input(text),
            error => Error::world(error.text()),
        }
    }

    /// In words, of something that had to go well.
    pub(super) fn text(self) -> String {
        match self {
            Self::Conflict => "somebody else is at work in the same tables".into(),
            Self::Deadlock => "a deadlock with another session in the same tables".into(),
            Self::LockTimeout => "somebody else keeps the tables locked".into(),
            Self::Check => "stock may not be below zero".into(),
            Self::Misused(why) => why.to_string(),
            Self::Forbidden(text)
            | Self::Lost(text)
            | Self::Refused(text)
            | Self::Mistaken(text) => text,
        }
    }
}

/// The value of one parameter. One that nobody has a value for is 0.
pub(super) fn value_of(name: &str, values: Values<'_>) -> i64 {
    values.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
}

/// What a database of two tables and a view says that statements open.
#[cfg(test)]
pub(super) fn says_what_statements_open(database: &mut impl Database, reads_by_view: &str) {
    let told = |opened: Vec<Opened>, changes| {
        let of_kind = opened.into_iter().filter(|opened| opened.changes == changes);
        let mut names: Vec<String> = of_kind.map(|opened| opened.table).collect();
        names.sort();
        names.dedup();
        names
    };
    for table in ["product", "voucher"] {
        let make = format!("CREATE TABLE {table} (id INT PRIMARY KEY, n INT)");
        database.ask(&make, &|_| Value::Null).unwrap();
    }
    let view = "CREATE VIEW shown AS SELECT n FROM voucher";
    database.ask(view, &|_| Value::Null).unwrap();
    let opened = database.opens(reads_by_view);
    assert!(told(opened, false).contains(&"voucher".to_owned()));
    let update = "UPDATE product SET n = (SELECT max(n) FROM voucher) WHERE id = :item";
    let opened = database.opens(update);
    assert_eq!(told(opened.clone(), true), ["product"]);
    assert!(told(opened, false).contains(&"voucher".to_owned()));
    // What makes no sense is not told, and does no harm.
    assert_eq!(database.opens("SELECT n FROM nowhere"), []);
    let asked = database.ask("SELECT n FROM product", &|_| Value::Null);
    assert_eq!(asked.unwrap().rows, Vec::<Vec<Value>>::new());
}
