//! One connection to PostgreSQL, on which every wait has a bound.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::error::Error;
use crate::stores::remote::Terms;
use crate::stores::sql::{Database, Row, SqlError, Statement, Values};

/// How much longer than a buyer's patience an answer may take: the server itself gives up before.
const GRACE: Duration = Duration::from_secs(5);

/// A statement that the server has parsed, and the names of its parameters in their order.
struct Prepared {
    statement: tokio_postgres::Statement,
    names: Vec<&'static str>,
}

/// The same with values for its parameters, each in both widths that there are.
struct Bound {
    statement: tokio_postgres::Statement,
    numbers: Vec<(i32, i64)>,
}

impl Prepared {
    fn bind(&self, values: Values<'_>) -> Result<Bound, SqlError> {
        let numbers = self.names.iter().zip(self.statement.params()).map(|(name, width)| {
            let known = values.iter().find(|(known, _)| known == name);
            let wide = known.map_or(0, |(_, value)| *value);
            match i32::try_from(wide) {
                Err(_) if *width == Type::INT4 => {
                    Err(SqlError::Refused(format!("{name} is {wide}, which is too much")))
                }
                narrow => Ok((narrow.unwrap_or_default(), wide)),
            }
        });
        Ok(Bound { numbers: numbers.collect::<Result<_, _>>()?, statement: self.statement.clone() })
    }
}

impl Bound {
    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let widths = self.statement.params().iter().zip(&self.numbers);
        widths
            .map(|(width, (narrow, wide))| match *width {
                Type::INT4 => narrow as &(dyn ToSql + Sync),
                _ => wide as _,
            })
            .collect()
    }
}

/// One connection.
pub(in crate::stores) struct Connection {
    client: Client,
    runtime: Runtime,
    prepared: Vec<Option<Prepared>>,
    version: String,
    patience: Duration,
}

impl Connection {
    /// Dials.
    pub(super) fn open(config: &Config, terms: &Terms) -> Result<Self, Error> {
        let cannot = |why: String| Error::world(format!("cannot connect to PostgreSQL: {why}"));
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| cannot(error.to_string()))?;
        let patience = terms.patience;
        let client = runtime
            .block_on(async {
                let (client, connection) = config.connect(NoTls).await?;
                // It ends when the client is dropped, or breaks, which the client is told.
                tokio::spawn(async { drop(connection.await) });
                Ok(client)
            })
            .map_err(|error: tokio_postgres::Error| cannot(said(&error)))?;
        let mut connection = Self {
            client,
            runtime,
            prepared: (0..Statement::COUNT).map(|_| None).collect(),
            version: String::new(),
            patience,
        };
        connection.greet().map_err(|error| cannot(error.text()))?;
        Ok(connection)
    }

    /// Agrees on how long to wait, and hears the server's version.
    fn greet(&mut self) -> Result<(), SqlError> {
        let patience_ms = self.patience.as_millis().clamp(1, i32::MAX as u128);
        let greeting = format!("SET lock_timeout = {patience_ms}; SHOW server_version");
        for message in self.wait(self.client.simple_query(&greeting))? {
            if let SimpleQueryMessage::Row(row) = message {
                let version = row.get(0).unwrap_or_default();
                version.split(' ').next().unwrap_or_default().clone_into(&mut self.version);
            }
        }
        Ok(())
    }

    /// The server's version, such as `15.18`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Waits for an answer, but not for ever.
    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SqlError> {
        let within = self.patience + GRACE;
        match self.runtime.block_on(async { tokio::time::timeout(within, answer).await }) {
            Ok(answered) => answered.map_err(|error| sql_error(&error)),
            Err(_) => Err(SqlError::Lost("PostgreSQL: no answer in time".into())),
        }
    }

    /// Has a statement parsed, the first time it is used.
    fn prepare(&mut self, statement: Statement) -> Result<&Prepared, SqlError> {
        let place = statement as usize;
        if self.prepared[place].is_none() {
            let (numbered, names) = numbered(text(statement));
            let statement = self.wait(self.client.prepare(&numbered))?;
            self.prepared[place] = Some(Prepared { statement, names });
        }
        self.prepared[place].as_ref().ok_or_else(|| SqlError::Refused(String::new()))
    }
}

impl Database for Connection {
    fn change(&mut self, statement: Statement, values: Values<'_>) -> Result<u64, SqlError> {
        let bound = self.prepare(statement)?.bind(values)?;
        self.wait(self.client.execute(&bound.statement, &bound.values()))
    }

    fn query(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Row>, SqlError> {
        let bound = self.prepare(statement)?.bind(values)?;
        let rows = self.wait(self.client.query(&bound.statement, &bound.values()))?;
        rows.iter().map(row).collect()
    }

    fn run(&mut self, script: Statement) -> Result<(), SqlError> {
        self.wait(self.client.batch_execute(text(script)))
    }
}

fn row(row: &tokio_postgres::Row) -> Result<Row, SqlError> {
    let mut numbers = Row::default();
    for (column, number) in row.columns().iter().zip(&mut numbers) {
        let place = column.name();
        *number = match *column.type_() {
            Type::INT4 => row.try_get::<_, i32>(place).map(i64::from),
            _ => row.try_get(place),
        }
        .map_err(|error| SqlError::Refused(error.to_string()))?;
    }
    Ok(numbers)
}

/// PostgreSQL counts its parameters: `:item` becomes `$1`, and the names are kept in that order.
fn numbered(text: &'static str) -> (String, Vec<&'static str>) {
    let mut names: Vec<&'static str> = Vec::new();
    let mut pieces = text.split(':');
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        if name.is_empty() {
            // A colon in a comment.
            numbered.push(':');
            numbered += rest;
            continue;
        }
        let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        numbered += &format!("${}{rest}", place + 1);
    }
    (numbered, names)
}

/// What an error means to a checkout.
fn sql_error(error: &tokio_postgres::Error) -> SqlError {
    match error.code() {
        Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            SqlError::Conflict
        }
        Some(&SqlState::LOCK_NOT_AVAILABLE) => SqlError::LockTimeout,
        Some(&SqlState::CHECK_VIOLATION) => SqlError::Check,
        // The server is going down, or has thrown us out.
        Some(state) if state.code().starts_with("57P") => SqlError::Lost(said(error)),
        Some(_) => SqlError::Refused(format!("PostgreSQL: {}", said(error))),
        None => SqlError::Lost(format!("PostgreSQL: {}", said(error))),
    }
}

/// The server's own words, as far as it said any.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error().map(DbError::message) {
        Some(message) => message.to_owned(),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// How PostgreSQL says it.
fn text(statement: Statement) -> &'static str {
    match statement {
        Statement::CommitUnsynced => include_str!("statements/commit_unsynced.sql"),
        other => other.common(),
    }
}
