//! One connection to PostgreSQL, on which every wait has a timeout.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{
    AsyncMessage, CancelToken, Client, Config, NoTls, RowStream, SimpleQueryMessage, Socket,
};

use super::dynamic::{PostgresValue, Received, kind_of};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::sql::{Dialect, ScriptPlace, TokenKind, pieces, with_parameters};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::scheduler::{BuyerHandle, HELD_INSIDE};
use crate::stores::answer::{AnswerSize, AnswerWait, GRACE};
use crate::stores::remote::{LockScheduling, StoreConfig};
use crate::stores::sql::{Database, OpenedTable, Parameters, Row, SqlError, Statement, value_of};

/// The longest wait until the server has taken the request to give a statement up.
const CANCELLING: Duration = Duration::from_secs(1);

/// The class of the first lock that holds a session's changes; the second's is the next (`hold_inside.sql`).
const FIRST_LOCK: i32 = 760_412_377;

/// A statement that the server has parsed, and the names of its parameters in their order.
struct PostgresBuiltinStatement {
    statement: tokio_postgres::Statement,
    names: Vec<&'static str>,
}

/// A prepared statement with the values of its parameters, each as a 32-bit and as a 64-bit integer.
struct BoundStatement {
    statement: tokio_postgres::Statement,
    numbers: Vec<(i32, i64)>,
}

impl PostgresBuiltinStatement {
    fn bind(&self, values: Parameters<'_>) -> Result<BoundStatement, SqlError> {
        let numbers = self.names.iter().zip(self.statement.params()).map(|(name, width)| {
            let wide = value_of(name, values);
            match i32::try_from(wide) {
                Err(_) if *width == Type::INT4 => {
                    Err(SqlError::Refused(format!("{name} is {wide}, which is too much")))
                }
                narrow => Ok((narrow.unwrap_or_default(), wide)),
            }
        });
        Ok(BoundStatement {
            numbers: numbers.collect::<Result<_, _>>()?,
            statement: self.statement.clone(),
        })
    }
}

impl BoundStatement {
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

/// A user's statement.
struct PostgresUserStatement {
    /// Its text with numbered parameters.
    numbered: String,
    /// The names of its parameters in their order.
    names: Vec<String>,
    /// As the server has parsed it, by the types of its values.
    prepared: BTreeMap<Vec<u32>, tokio_postgres::Statement>,
}

impl PostgresUserStatement {
    fn read(text: &str) -> Self {
        let (numbered, names) = numbered(text);
        let names = names.into_iter().map(str::to_owned).collect();
        Self { numbered, names, prepared: BTreeMap::new() }
    }
}

/// One connection.
pub(in crate::stores) struct PostgresConnection {
    client: Client,
    line: ConnectionDriver,
    prepared: Vec<Option<PostgresBuiltinStatement>>,
    /// The user's statements, by their text.
    foreign: BTreeMap<String, PostgresUserStatement>,
    /// The query that returns which sessions wait for which others.
    waits: Option<tokio_postgres::Statement>,
    version: String,
    /// The statements that set up the session, which are run again after a reset.
    settings: String,
}

/// The network side of a connection, which a thread has to poll while an answer is awaited. Here the thread that waits
/// for the answer polls it, so that no other thread has to be woken.
struct ConnectionDriver {
    runtime: Runtime,
    /// None once the connection has ended: a pending answer fails only after the stream is dropped.
    stream: Option<Box<tokio_postgres::Connection<Socket, NoTlsStream>>>,
    within: Duration,
    control: Control,
    cancel: CancelToken,
    /// The buyer's handle, which is told when the server reports that the session has to wait.
    handle: Option<BuyerHandle>,
}

impl ConnectionDriver {
    /// Waits for an answer, for at most `within`. One that does not come in time is given up, with its connection.
    fn wait<T>(
        &mut self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, SqlError> {
        let Self { runtime, stream, within, control, handle, .. } = self;
        let mut answer = pin!(answer);
        let answered = poll_fn(|context| {
            let answered = answer.as_mut().poll(context);
            if answered.is_ready() {
                return answered;
            }
            if let Some(open) = stream {
                while let Poll::Ready(news) = open.poll_message(context) {
                    match news {
                        Some(Ok(AsyncMessage::Notice(notice))) => tell(handle.as_ref(), &notice),
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => {
                            *stream = None;
                            break;
                        }
                    }
                }
            }
            answer.as_mut().poll(context)
        });
        let mut wait = AnswerWait::new(control, *within);
        if let Some(answered) = runtime.block_on(within_wait(&mut wait, answered)) {
            return answered.map_err(|error| sql_error(&error));
        }
        let why = format!("PostgreSQL: {}", wait.given_up());
        if stream.is_some() {
            self.give_up();
            self.stream = None;
        }
        Err(SqlError::Lost(why))
    }

    /// Asks the server to end the statement that it is at. One that went on would keep its locks, and send its rows.
    fn give_up(&self) {
        let cancelled = self.cancel.cancel_query(NoTls);
        let _ = self.runtime.block_on(async { timeout(CANCELLING, cancelled).await });
    }
}

/// What comes of some work in the time that a wait has; none if it takes longer.
async fn within_wait<T>(wait: &mut AnswerWait<'_>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    while let Some(glance) = wait.glance() {
        if let Ok(done) = timeout(glance, work.as_mut()).await {
            return Some(done);
        }
    }
    None
}

/// The rows of an answer; none if it is too large.
async fn collected(
    answer: impl Future<Output = Result<RowStream, tokio_postgres::Error>>,
) -> Result<Option<Result<Vec<Vec<StoreValue>>, SqlError>>, tokio_postgres::Error> {
    let mut answer = pin!(answer.await?);
    let (mut rows, mut size) = (Vec::new(), AnswerSize::default());
    while let Some(row) = poll_fn(|context| answer.as_mut().poll_next(context)).await {
        match foreign_row(&row?) {
            Ok(row) if size.add(&row) => rows.push(row),
            Ok(_) => return Ok(None),
            Err(error) => return Ok(Some(Err(error))),
        }
    }
    Ok(Some(Ok(rows)))
}

impl PostgresConnection {
    /// Connects, sets the lock timeout, and reads the server's version.
    pub(super) fn open(config: &Config, terms: &StoreConfig) -> Result<Self, Error> {
        let cannot = |why: String| Error::world(format!("cannot connect to PostgreSQL: {why}"));
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| cannot(error.to_string()))?;
        let within = terms.settings.patience + GRACE;
        let control = terms.control.clone();
        let mut wait = AnswerWait::connecting(&control, within);
        let connected = runtime
            .block_on(within_wait(&mut wait, config.connect(NoTls)))
            .ok_or_else(|| cannot(wait.given_up().into()))?;
        let (client, stream) = connected.map_err(|error| cannot(said(&error)))?;
        let (stream, cancel) = (Some(Box::new(stream)), client.cancel_token());
        let mut line = ConnectionDriver { runtime, stream, within, control, cancel, handle: None };
        let patience_ms = terms.settings.patience.as_millis().clamp(1, i32::MAX as u128);
        let settings = format!("SET lock_timeout = {patience_ms}");
        let greeting = format!("{settings}; SHOW server_version");
        let heard =
            line.wait(client.simple_query(&greeting)).map_err(|error| cannot(error.text()))?;
        let version = heard.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.split(' ').next(),
            _ => None,
        });
        let version = version.unwrap_or_default().to_owned();
        let prepared = (0..Statement::COUNT).map(|_| None).collect();
        let foreign = BTreeMap::new();
        Ok(Self { client, line, prepared, foreign, waits: None, version, settings })
    }

    /// The server's version, such as `15.18`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// PostgreSQL reports an error before it releases locks. If the buyer has a handle, the error is passed on only
    /// after the server has released them.
    fn after<T>(&mut self, done: Result<T, SqlError>) -> Result<T, SqlError> {
        if done.is_err() && self.line.handle.is_some() {
            self.run_text("")?;
        }
        done
    }

    /// Runs `SET` statements now, and again after each reset of the session.
    fn agree_on(&mut self, settings: &str) -> Result<(), SqlError> {
        self.run_text(settings)?;
        self.settings += "; ";
        self.settings += settings;
        Ok(())
    }

    fn run_text(&mut self, script: &str) -> Result<(), SqlError> {
        self.line.wait(self.client.batch_execute(script))
    }

    /// Reads a user's statement the first time it is used, and prepares it the first time it has values of these types.
    fn prepare_foreign(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<(tokio_postgres::Statement, Vec<PostgresValue>), SqlError> {
        let foreign = self
            .foreign
            .entry(text.to_owned())
            .or_insert_with(|| PostgresUserStatement::read(text));
        let sent: Vec<PostgresValue> =
            foreign.names.iter().map(|name| PostgresValue(value_of(name))).collect();
        let kinds: Vec<Type> = sent.iter().map(|PostgresValue(value)| kind_of(value)).collect();
        let key: Vec<u32> = kinds.iter().map(Type::oid).collect();
        if let Some(prepared) = foreign.prepared.get(&key) {
            return Ok((prepared.clone(), sent));
        }
        let prepared = self.line.wait(self.client.prepare_typed(&foreign.numbered, &kinds))?;
        foreign.prepared.insert(key, prepared.clone());
        Ok((prepared, sent))
    }

    fn ask_foreign(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError> {
        if !self.foreign.contains_key(text) && copies_by_client(text) {
            return Err(SqlError::Refused(
                "PostgreSQL: COPY from STDIN or to STDOUT is for a client that sends or takes rows; use INSERT \
                 or SELECT"
                    .into(),
            ));
        }
        let (statement, sent) = self.prepare_foreign(text, value_of)?;
        if statement.columns().is_empty() {
            let values: Vec<&(dyn ToSql + Sync)> = sent.iter().map(|sent| sent as _).collect();
            let changed = self.line.wait(self.client.execute(&statement, &values))?;
            return Ok(Answer::changed(changed));
        }
        let rows = self.line.wait(collected(self.client.query_raw(&statement, &sent)))?;
        let columns = statement.columns();
        let columns = columns.iter().map(|column| column.name().to_owned()).collect();
        let Some(rows) = rows else {
            self.line.give_up();
            return Err(SqlError::Refused(format!("PostgreSQL: {}", AnswerSize::TOO_LARGE)));
        };
        Ok(Answer::found(columns, rows?))
    }

    /// Prepares a statement, the first time it is used.
    fn prepare(&mut self, statement: Statement) -> Result<&PostgresBuiltinStatement, SqlError> {
        let place = statement as usize;
        if self.prepared[place].is_none() {
            let (numbered, names) = numbered(text(statement));
            let statement = self.line.wait(self.client.prepare(&numbered))?;
            self.prepared[place] = Some(PostgresBuiltinStatement { statement, names });
        }
        self.prepared[place].as_ref().ok_or_else(|| SqlError::Refused(String::new()))
    }
}

impl Database for PostgresConnection {
    fn text(statement: Statement) -> &'static str {
        text(statement)
    }

    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Result<u64, SqlError> {
        let bound = self.prepare(statement)?.bind(values)?;
        let done = self.line.wait(self.client.execute(&bound.statement, &bound.values()));
        self.after(done)
    }

    fn query(
        &mut self,
        statement: Statement,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, SqlError> {
        let bound = self.prepare(statement)?.bind(values)?;
        let rows = self.line.wait(self.client.query(&bound.statement, &bound.values()));
        self.after(rows)?.iter().map(row).collect()
    }

    fn run(&mut self, script: Statement) -> Result<(), SqlError> {
        let done = self.run_text(text(script));
        self.after(done)
    }

    fn ask(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError> {
        let answer = self.ask_foreign(text, value_of);
        self.after(answer)
    }

    fn run_file(&mut self, text: &str) -> Result<(), SqlError> {
        self.run_text(text)
    }

    fn run_script(&mut self, text: &str) -> Result<(), (SqlError, ScriptPlace)> {
        let (number, position) = (Cell::new(0), Cell::new(None));
        let client = &self.client;
        let run = async {
            let mut messages = pin!(client.simple_query_raw(text).await?);
            while let Some(message) = poll_fn(|context| messages.as_mut().poll_next(context)).await
            {
                let message = message.inspect_err(|error| {
                    position.set(error.as_db_error().and_then(DbError::position).cloned());
                })?;
                if let SimpleQueryMessage::CommandComplete(_) = message {
                    number.set(number.get() + 1);
                }
            }
            Ok(())
        };
        self.line.wait(run).map_err(|error| {
            let place = match position.take() {
                // It counts characters from 1.
                Some(ErrorPosition::Original(place)) => {
                    let mut letters = text.char_indices().map(|(at, _)| at);
                    let at = letters.nth((place as usize).saturating_sub(1));
                    ScriptPlace::Byte(at.unwrap_or(text.len()))
                }
                _ => ScriptPlace::Statement { number: number.get(), line: 1 },
            };
            (error, place)
        })
    }

    fn opens(&mut self, text: &str) -> Vec<OpenedTable> {
        let script = include_str!("statements/opens.sql").replace("$1", &numbered(text).0);
        let Ok(heard) = self.line.wait(self.client.simple_query(&script)) else {
            // The statement cannot be prepared, at least not here: the transaction is still open.
            let _ = self.run_text("ROLLBACK");
            return Vec::new();
        };
        let opened = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some(OpenedTable { table: row.get(0)?.to_owned(), changes: row.get(1)? == "t" })
            }
            _ => None,
        };
        heard.iter().filter_map(opened).collect()
    }

    fn enter_room(&mut self, isolation: Isolation) -> Result<(), SqlError> {
        self.agree_on(text(Statement::RoomEnter))?;
        self.agree_on(&format!(
            "SET default_transaction_isolation = '{}'",
            isolation.name().replace('-', " ")
        ))
    }

    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError> {
        let row = self.line.wait(self.client.query_one("SELECT pg_backend_pid()", &[]))?;
        handle.register(row.get::<_, i32>(0).into());
        // Not every user may set this. If it is not set, the server looks for a deadlock only after a second.
        if self.agree_on(include_str!("statements/attach.sql")).is_ok() {
            handle.expect_to_be_told();
            self.line.handle = Some(handle.clone());
        }
        Ok(())
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), SqlError> {
        self.run_text(&format!("SELECT pg_advisory_lock({FIRST_LOCK}, {session})"))
    }

    fn let_act(&mut self, session: i64) -> Result<(), SqlError> {
        let text = include_str!("statements/let_act.sql");
        self.run_text(&text.replace("$1", &session.to_string()))
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), SqlError> {
        self.run_text(&format!("SELECT pg_advisory_unlock({FIRST_LOCK}, {session})"))
    }

    /// A process that ends rolls back and releases its locks first (`before_shmem_exit`), and only then leaves the list of
    /// those that are there (`on_shmem_exit`).
    fn has_session(&mut self, session: i64) -> Result<bool, SqlError> {
        let asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::bigint)";
        let row = self.line.wait(self.client.query_one(asked, &[&session]))?;
        Ok(row.get(0))
    }

    fn learned(&mut self) -> Result<i64, SqlError> {
        let asked = "SELECT last_value FROM oversell_sim_hold.of_rows";
        let row = self.line.wait(self.client.query_one(asked, &[]))?;
        Ok(row.get(0))
    }

    fn learn(&mut self, learned: i64) -> Result<(), SqlError> {
        self.run_text(&format!("SELECT setval('oversell_sim_hold.of_rows', {learned})"))
    }

    fn begin_anew(&mut self) -> Result<u64, SqlError> {
        let script = format!("{};\n{}", include_str!("statements/begin_anew.sql"), self.settings);
        let heard = self.line.wait(self.client.simple_query(&script))?;
        let (mut held, mut prepared) = (0, Vec::new());
        for message in heard {
            let SimpleQueryMessage::Row(row) = message else { continue };
            if let Ok(Some(count)) = row.try_get("held") {
                held = count.parse().unwrap_or(0);
            } else if let Ok(Some(name)) = row.try_get("deallocate") {
                prepared.push(format!("DEALLOCATE {name}"));
            }
        }
        if !prepared.is_empty() {
            self.run_text(&prepared.join("; "))?;
        }
        Ok(held)
    }

    /// Which serializable transactions conflict depends on the pages that contain the rows, and deleted rows take up
    /// space there.
    fn tidies_up(isolation: Isolation) -> Option<&'static str> {
        (isolation == Isolation::Serializable).then_some(include_str!("statements/room_tidy.sql"))
    }

    /// Sessions wait for a row in the order in which they came. But where the transaction that they wait for has changed
    /// the row, each of them then locks its new version, and a later one may be faster. Those that wait for a transaction
    /// itself, as at a unique key, all wake at once (`src/backend/access/heap/README.tuplock`, `heap_lock_tuple`).
    fn lock_scheduling(&mut self) -> Result<LockScheduling, SqlError> {
        Ok(LockScheduling::AnyOrder)
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        if self.waits.is_none() {
            let prepared =
                self.line.wait(self.client.prepare(include_str!("statements/waits.sql")))?;
            self.waits = Some(prepared);
        }
        let Some(waits) = &self.waits else { return Ok(Vec::new()) };
        let rows = self.line.wait(self.client.query(waits, &[]))?;
        Ok(rows
            .iter()
            .map(|row| {
                let blocker = row.get::<_, Option<i32>>(1).map_or(HELD_INSIDE, i64::from);
                (row.get::<_, i32>(0).into(), blocker)
            })
            .collect())
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

/// A row of any types.
fn foreign_row(row: &tokio_postgres::Row) -> Result<Vec<StoreValue>, SqlError> {
    let value = |(place, column): (usize, &tokio_postgres::Column)| {
        row.try_get::<_, Received>(place).map(|Received(value)| value).map_err(|error| {
            let why = error.source().map_or(error.to_string(), ToString::to_string);
            SqlError::Refused(format!("the column `{}` {why}", column.name()))
        })
    };
    row.columns().iter().enumerate().map(value).collect()
}

/// Whether a statement has rows sent by its client, or to it, in place of an answer.
fn copies_by_client(text: &str) -> bool {
    let words = pieces(Dialect::Postgres, text).into_iter();
    let mut words = words.filter(|piece| piece.kind == TokenKind::Word).map(|piece| piece.text);
    words.next().is_some_and(|first| first.eq_ignore_ascii_case("COPY"))
        && words
            .any(|word| ["STDIN", "STDOUT"].iter().any(|stream| word.eq_ignore_ascii_case(stream)))
}

/// Tells a handle whether its session waits, if the server's notice is about that: `process 18 still waiting for
/// ShareLock on transaction 731 after 1.094 ms`, and later `process 18 acquired ShareLock …`.
fn tell(handle: Option<&BuyerHandle>, notice: &DbError) {
    let Some(handle) = handle else { return };
    if is_held_inside(notice.message()) {
        return;
    }
    if notice.message().contains(" still waiting for ") {
        handle.be_told(true);
    } else if notice.message().contains(" acquired ") {
        handle.be_told(false);
    }
}

/// Whether a message is about a lock by which the explorer holds a statement: `… on advisory lock [5,760412377,18,2]
/// …`.
fn is_held_inside(message: &str) -> bool {
    let lock = |class: i32| format!(",{class},");
    message.contains(" advisory lock [")
        && (message.contains(&lock(FIRST_LOCK)) || message.contains(&lock(FIRST_LOCK + 1)))
}

/// PostgreSQL numbers its parameters: `:item` becomes `$1`, and the names are kept in that order.
fn numbered(text: &str) -> (String, Vec<&str>) {
    let mut names: Vec<&str> = Vec::new();
    let numbered = with_parameters(Dialect::Postgres, text, |name| {
        let known = names.iter().position(|known| *known == name);
        let place = known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        format!("${}", place + 1)
    });
    (numbered, names)
}

/// What an error means to a checkout.
fn sql_error(error: &tokio_postgres::Error) -> SqlError {
    match error.code() {
        Some(&SqlState::T_R_SERIALIZATION_FAILURE) => SqlError::Conflict,
        Some(&SqlState::T_R_DEADLOCK_DETECTED) => SqlError::Deadlock,
        Some(&SqlState::LOCK_NOT_AVAILABLE) => SqlError::LockTimeout,
        Some(&SqlState::CHECK_VIOLATION) => SqlError::Check,
        Some(&SqlState::RAISE_EXCEPTION) => SqlError::Forbidden(said(error)),
        Some(state) if state.code().starts_with("23") => SqlError::Forbidden(said(error)),
        // The server is shutting down, or has ended the connection.
        Some(state) if state.code().starts_with("57P") => SqlError::Lost(said(error)),
        Some(_) => SqlError::Refused(format!("PostgreSQL: {}", said(error))),
        None => SqlError::Lost(format!("PostgreSQL: {}", said(error))),
    }
}

/// The server's message, if there is one.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error().map(DbError::message) {
        Some(message) => message.to_owned(),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// The text of a statement for PostgreSQL.
fn text(statement: Statement) -> &'static str {
    match statement {
        Statement::RoomClear => include_str!("statements/room_clear.sql"),
        Statement::Truncate => include_str!("statements/truncate.sql"),
        Statement::UnitsClear => include_str!("statements/units_clear.sql"),
        Statement::CommitUnsynced => include_str!("statements/commit_unsynced.sql"),
        other => other.common(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::server;
    use super::*;
    use crate::domain::settings::Settings;
    use crate::domain::store_kind::StoreKind;
    use crate::stores::sql::says_what_statements_open;
    use crate::stores::{Address, is_installed};

    #[test]
    fn a_copy_by_the_client_is_told_from_one_by_the_server() {
        for by_client in ["copy t from stdin", "/* all */ COPY (SELECT 'stdin') TO STDOUT"] {
            assert!(copies_by_client(by_client), "{by_client}");
        }
        for other in
            ["COPY t TO '/tmp/stdout'", "SELECT stdin FROM copy", "COPY t FROM PROGRAM 'x'"]
        {
            assert!(!copies_by_client(other), "{other}");
        }
    }

    #[test]
    fn a_statement_opens_the_tables_behind_its_views_and_says_which_it_changes() {
        if !is_installed(StoreKind::Postgres) {
            return;
        }
        let terms = StoreConfig::of(&Settings::default(), &Control::default());
        let (url, _nest) = server::start(&terms).unwrap();
        let to = server::config(&url, &Address::default()).unwrap();
        let mut connection = PostgresConnection::open(&to, &terms).unwrap();
        says_what_statements_open(&mut connection, "SELECT n FROM U&\"sh\\006fwn\"");
    }
}
