//! One connection to MariaDB or MySQL.

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use ::mysql::consts::ColumnType;
use ::mysql::prelude::Queryable;
use ::mysql::{Conn, Opts, Params};

use super::locks::waits_beside;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::sql::{Dialect, ScriptPlace, with_parameters};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::scheduler::{BuyerHandle, HELD_INSIDE};
use crate::stores::answer::{AnswerSize, GRACE, connect_within};
use crate::stores::remote::{LockScheduling, StoreConfig};
use crate::stores::socket_waits::SocketWait;
use crate::stores::sql::{Database, OpenedTable, Parameters, Row, SqlError, Statement, value_of};

/// A statement that the server has parsed, and the names of its parameters in their order.
#[derive(Clone)]
struct MysqlBuiltinStatement {
    statement: ::mysql::Statement,
    names: Arc<[&'static str]>,
}

/// A user's statement with parameters.
#[derive(Clone)]
struct MysqlUserStatement {
    statement: ::mysql::Statement,
    /// The names of its parameters in their order.
    names: Arc<[String]>,
}

/// One connection.
pub(in crate::stores) struct MysqlConnection {
    conn: Conn,
    opts: Opts,
    control: Control,
    wait: Arc<SocketWait>,
    prepared: Vec<Option<MysqlBuiltinStatement>>,
    /// The user's statements, by their text; none for one without parameters, which is not prepared.
    foreign: BTreeMap<String, Option<MysqlUserStatement>>,
    in_transaction: bool,
    /// In which order the server grants a lock, once it was asked.
    lock_scheduling: Option<LockScheduling>,
    /// Sessions whose changes are held inside the server by a lock of this one.
    held_inside: Vec<i64>,
    /// The statements that set up the session, which are run again after a reset.
    settings: Vec<String>,
}

/// The longest wait until the server has taken the request to give a statement up.
const CANCELLING: Duration = Duration::from_secs(1);

/// The prefixes of the two locks that hold a session's changes; the session's number follows. See `hold_inside.sql`.
const FIRST_LOCK: &str = "oversell_sim_hold_1_";
const SECOND_LOCK: &str = "oversell_sim_hold_2_";
/// The prefix of the lock that a session has while its change is held.
const ARRIVED: &str = "oversell_sim_hold_3_";

impl MysqlConnection {
    /// Connects, and sets the lock timeout and the isolation level.
    pub(super) fn open(opts: &Opts, terms: &StoreConfig) -> Result<Self, Error> {
        let (opts, patience) = (opts.clone(), terms.settings.patience);
        let (waits, control) = (Arc::clone(terms.waits()), terms.control.clone());
        let dial = move || {
            let mut conn = Conn::new(opts.clone())?;
            // In whole seconds, at least one.
            let patience = patience.as_secs().clamp(1, 31_536_000);
            // A reset makes the session forget the collation that was negotiated when it connected.
            let letters: Option<String> = conn.query_first("SELECT @@collation_connection")?;
            let letters = letters.unwrap_or_default();
            let (session, again) = (conn.connection_id(), opts.clone());
            let ask_to_end = move || give_up(again.clone(), session);
            let set = letters.split('_').next().unwrap_or_default();
            let mut connection = Self {
                wait: waits.watch_over(conn.as_raw_fd(), &control, ask_to_end),
                conn,
                opts,
                control,
                prepared: vec![None; Statement::COUNT],
                foreign: BTreeMap::new(),
                in_transaction: false,
                lock_scheduling: None,
                held_inside: Vec::new(),
                settings: vec![format!("SET NAMES {set} COLLATE {letters}")],
            };
            connection.agree_on(format!("SET SESSION innodb_lock_wait_timeout = {patience}"))?;
            connection.agree_on("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".into())?;
            Ok(connection)
        };
        let dial = move || dial().map_err(|error: ::mysql::Error| said(&error));
        connect_within(&terms.control, terms.settings.patience + GRACE, dial)
            .map_err(|why| Error::world(format!("cannot connect to MySQL: {why}")))
    }

    /// Runs a `SET` statement now, and again after each reset of the session.
    fn agree_on(&mut self, setting: String) -> Result<(), ::mysql::Error> {
        self.conn.query_drop(&setting)?;
        self.settings.push(setting);
        Ok(())
    }

    /// Releases the session-level locks; returns how many those were, or 0 if the server cannot tell.
    fn give_back_locks(&mut self) -> u64 {
        let held = self.conn.query_first::<u64, _>("SELECT RELEASE_ALL_LOCKS()");
        held.ok().flatten().unwrap_or(0)
    }

    /// Resets the session to its state after opening.
    fn reset(&mut self) -> Result<(), ::mysql::Error> {
        self.conn.reset()?;
        self.prepared.fill(None);
        self.foreign.clear();
        self.in_transaction = false;
        for setting in self.settings.clone() {
            self.conn.query_drop(setting)?;
        }
        Ok(())
    }

    /// The server's name and version, such as `MariaDB 10.11.19`.
    pub(super) fn version(&mut self) -> Result<String, SqlError> {
        let asked = self.conn.query_first::<String, _>("SELECT VERSION()");
        let version = asked.map_err(|error| self.error(&error))?.unwrap_or_default();
        let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
        Ok(format!("{name} {}", version.split('-').next().unwrap_or_default()))
    }

    /// Which of the sessions whose changes are held by this one have reached a change.
    fn arrived(&mut self) -> Result<Vec<i64>, SqlError> {
        let mut arrived = Vec::new();
        for session in self.held_inside.clone() {
            let query = format!("SELECT IS_USED_LOCK('{ARRIVED}{session}')");
            let owner: Option<Option<i64>> =
                self.conn.query_first(query).map_err(|error| self.error(&error))?;
            if owner.flatten() == Some(session) {
                arrived.push(session);
            }
        }
        Ok(arrived)
    }

    /// The tables that a statement opens: it is explained, with NULL for each value, and not run.
    fn opened(&mut self, text: &str) -> Result<Vec<OpenedTable>, ::mysql::Error> {
        let marked = with_parameters(Dialect::Mysql, text, |_| "?".into());
        self.conn.query_drop("START TRANSACTION")?;
        let explained = self.conn.prep(format!("EXPLAIN {marked}"))?;
        let values = vec![::mysql::Value::NULL; explained.num_params().into()];
        self.conn.exec_drop(&explained, Params::Positional(values))?;
        let opened = self
            .conn
            .query_map(include_str!("statements/opens.sql"), |(table, changes): (String, bool)| {
                OpenedTable { table, changes }
            });
        self.conn.close(explained)?;
        opened
    }

    /// Prepares a statement, the first time it is used.
    fn prepare(&mut self, statement: Statement) -> Result<MysqlBuiltinStatement, SqlError> {
        let place = statement as usize;
        if let Some(prepared) = &self.prepared[place] {
            return Ok(prepared.clone());
        }
        let mut names = Vec::new();
        let marked = with_parameters(Dialect::Mysql, text(statement), |name| {
            names.push(name);
            "?".into()
        });
        let statement = self.conn.prep(marked).map_err(|error| self.error(&error))?;
        let prepared = MysqlBuiltinStatement { statement, names: names.into() };
        self.prepared[place] = Some(prepared.clone());
        Ok(prepared)
    }

    /// Reads a user's statement the first time it is used, and prepares it if it has parameters: without, not every
    /// statement can be prepared.
    fn prepare_foreign(
        &mut self,
        text: &str,
    ) -> Result<Option<MysqlUserStatement>, ::mysql::Error> {
        if let Some(prepared) = self.foreign.get(text) {
            return Ok(prepared.clone());
        }
        let mut names = Vec::new();
        let marked = with_parameters(Dialect::Mysql, text, |name| {
            names.push(name.to_owned());
            "?".into()
        });
        let prepared = match names.is_empty() {
            true => None,
            false => {
                Some(MysqlUserStatement { statement: self.conn.prep(marked)?, names: names.into() })
            }
        };
        self.foreign.insert(text.to_owned(), prepared.clone());
        Ok(prepared)
    }

    fn ask_foreign(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Option<Answer>, ::mysql::Error> {
        let (session, opts) = (self.conn.connection_id(), self.opts.clone());
        let give_up = || give_up(opts, session);
        let Some(MysqlUserStatement { statement, names }) = self.prepare_foreign(text)? else {
            return answer(self.conn.query_iter(text)?, give_up);
        };
        let values = names.iter().map(|name| sent(value_of(name))).collect();
        answer(self.conn.exec_iter(statement, Params::Positional(values))?, give_up)
    }

    /// What an error means to a checkout. After a lock timeout, a transaction is rolled back as a whole and may be
    /// tried again, as after a deadlock; the server itself would keep the earlier statements.
    fn error(&self, error: &::mysql::Error) -> SqlError {
        /// A lock timeout.
        const LOCK_WAIT: u16 = 1205;
        /// A deadlock, broken by ending this transaction.
        const DEADLOCK: u16 = 1213;
        /// MariaDB: a row was written since the snapshot.
        const CONFLICT: u16 = 1020;
        /// MariaDB's and MySQL's codes of a violated CHECK.
        const CHECKS: [u16; 2] = [4025, 3819];
        /// The server is going down, or has ended the connection.
        const LOST: [u16; 3] = [1053, 1927, 4031];
        /// A violated UNIQUE, FOREIGN KEY or NOT NULL; `SIGNAL`.
        const FORBIDDEN: [u16; 9] = [1022, 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1644];
        /// MySQL's code of `NOWAIT`.
        const LOCKED: u16 = 3572;
        let ::mysql::Error::MySqlError(error) = error else {
            return SqlError::Lost(format!("MySQL: {}", said(error)));
        };
        let text = || format!("MySQL: {}", without_line(&error.message).0);
        match error.code {
            LOCK_WAIT if self.in_transaction => SqlError::Conflict,
            LOCK_WAIT => SqlError::LockTimeout,
            DEADLOCK => SqlError::Deadlock,
            CONFLICT => SqlError::Conflict,
            code if CHECKS.contains(&code) => SqlError::Check,
            code if LOST.contains(&code) => SqlError::Lost(text()),
            code if FORBIDDEN.contains(&code) => SqlError::Forbidden(text()),
            LOCKED => SqlError::LockTimeout,
            _ => SqlError::Refused(text()),
        }
    }
}

impl Database for MysqlConnection {
    fn text(statement: Statement) -> &'static str {
        text(statement)
    }

    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Result<u64, SqlError> {
        let _under_way = self.wait.begin();
        let MysqlBuiltinStatement { statement, names } = self.prepare(statement)?;
        let done = self.conn.exec_drop(statement, bound(&names, values));
        done.map_err(|error| self.error(&error))?;
        Ok(self.conn.affected_rows())
    }

    fn query(
        &mut self,
        statement: Statement,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, SqlError> {
        if statement == Statement::Add {
            // There is no RETURNING for an UPDATE here.
            self.change(statement, values)?;
            let left = self.conn.query_first::<i64, _>(include_str!("statements/add_left.sql"));
            let left = left.map_err(|error| self.error(&error))?;
            return Ok(left.map(|left| [left, 0, 0]).into_iter().collect());
        }
        let _under_way = self.wait.begin();
        let MysqlBuiltinStatement { statement, names } = self.prepare(statement)?;
        let rows: Result<Vec<::mysql::Row>, _> = self.conn.exec(statement, bound(&names, values));
        let rows = rows.map_err(|error| self.error(&error))?;
        Ok(rows.into_iter().map(row).collect())
    }

    fn run(&mut self, script: Statement) -> Result<(), SqlError> {
        let _under_way = self.wait.begin();
        for statement in text(script).split(';').map(str::trim).filter(|text| !text.is_empty()) {
            self.conn.query_drop(statement).map_err(|error| self.error(&error))?;
        }
        self.in_transaction = matches!(
            script,
            Statement::Begin | Statement::BeginRepeatableRead | Statement::BeginSerializable
        );
        Ok(())
    }

    fn ask(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError> {
        let _under_way = self.wait.begin();
        let answer = self.ask_foreign(text, value_of).map_err(|error| self.error(&error));
        if matches!(answer, Err(SqlError::Lost(_))) && self.control.is_over() {
            // A server that still works ends the statement, which would keep its locks otherwise.
            let (session, opts) = (self.conn.connection_id(), self.opts.clone());
            let cancel = move || {
                give_up(opts, session);
                Ok(())
            };
            let _ = connect_within(&self.control, CANCELLING, cancel);
        }
        let answer = answer?;
        answer.ok_or_else(|| SqlError::Refused(format!("MySQL: {}", AnswerSize::TOO_LARGE)))
    }

    fn run_file(&mut self, text: &str) -> Result<(), SqlError> {
        self.run_script(text).map_err(|(error, _)| error)
    }

    fn run_script(&mut self, text: &str) -> Result<(), (SqlError, ScriptPlace)> {
        let _under_way = self.wait.begin();
        let mut number = 0;
        let mut run = |conn: &mut Conn| {
            let mut results = conn.query_iter(text)?;
            while let Some(mut rows) = results.iter() {
                rows.try_for_each(|row| row.map(drop))?;
                number += 1;
            }
            Ok(())
        };
        run(&mut self.conn).map_err(|error| {
            let line = match &error {
                ::mysql::Error::MySqlError(error) => without_line(&error.message).1,
                _ => 1,
            };
            (self.error(&error), ScriptPlace::Statement { number, line })
        })
    }

    fn opens(&mut self, text: &str) -> Vec<OpenedTable> {
        let _under_way = self.wait.begin();
        let opened = self.opened(text);
        let _ = self.conn.query_drop("ROLLBACK");
        opened.unwrap_or_default()
    }

    fn enter_room(&mut self, isolation: Isolation) -> Result<(), SqlError> {
        let _under_way = self.wait.begin();
        let level = isolation.name().replace('-', " ");
        let level = format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
        let entered = self.agree_on(text(Statement::RoomEnter).trim().to_owned());
        entered.and_then(|()| self.agree_on(level)).map_err(|error| self.error(&error))
    }

    fn begin_anew(&mut self) -> Result<u64, SqlError> {
        let _under_way = self.wait.begin();
        let held = self.give_back_locks();
        self.reset().map(|()| held).map_err(|error| self.error(&error))
    }

    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError> {
        handle.register(self.conn.connection_id().into());
        Ok(())
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), SqlError> {
        self.run_file(&format!("DO GET_LOCK('{FIRST_LOCK}{session}', 0)"))?;
        self.held_inside.push(session);
        Ok(())
    }

    fn let_act(&mut self, session: i64) -> Result<(), SqlError> {
        // Releases the change that waits at the first lock, takes that lock again before the change leaves the second,
        // and waits until it has left.
        self.run_file(&format!(
            "DO GET_LOCK('{SECOND_LOCK}{session}', 0); DO RELEASE_LOCK('{FIRST_LOCK}{session}'); \
             DO GET_LOCK('{FIRST_LOCK}{session}', 60); DO RELEASE_LOCK('{SECOND_LOCK}{session}'); \
             DO GET_LOCK('{SECOND_LOCK}{session}', 60); DO RELEASE_LOCK('{SECOND_LOCK}{session}')"
        ))
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), SqlError> {
        self.held_inside.retain(|held| *held != session);
        self.run_file(&format!("DO RELEASE_LOCK('{FIRST_LOCK}{session}')"))
    }

    /// A thread that ends rolls back and releases its locks first, and only then leaves the list of those that are there.
    fn has_session(&mut self, session: i64) -> Result<bool, SqlError> {
        let _under_way = self.wait.begin();
        let asked = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ?";
        let found = self.conn.exec_first::<i64, _, _>(asked, (session,));
        found.map(|sessions| sessions.unwrap_or(0) > 0).map_err(|error| self.error(&error))
    }

    fn lock_scheduling(&mut self) -> Result<LockScheduling, SqlError> {
        if let Some(known) = self.lock_scheduling {
            return Ok(known);
        }
        let _under_way = self.wait.begin();
        let version = self.conn.query_first::<String, _>("SELECT VERSION()");
        let version = version.map_err(|error| self.error(&error))?.unwrap_or_default();
        let asked = "SHOW GLOBAL VARIABLES LIKE 'innodb_lock_schedule_algorithm'";
        let algorithm = self.conn.query_first::<(String, String), _>(asked);
        let algorithm = algorithm.map_err(|error| self.error(&error))?;
        let (_, algorithm) = algorithm.unwrap_or_default();
        Ok(*self.lock_scheduling.insert(lock_scheduling_of(&version, &algorithm)))
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        let _under_way = self.wait.begin();
        let told =
            self.conn.query_first::<(String, String, String), _>("SHOW ENGINE INNODB STATUS");
        let told = told.map_err(|error| self.error(&error))?;
        let mut all = told.map(|(.., status)| waits_in(&status)).unwrap_or_default();
        let others = waits_beside(&mut self.conn, &self.held_inside);
        all.extend(others.map_err(|error| self.error(&error))?);
        all.extend(self.arrived()?.into_iter().map(|session| (session, HELD_INSIDE)));
        Ok(all)
    }
}

/// In which order InnoDB grants a lock, by the server's version and its variable `innodb_lock_schedule_algorithm`, which
/// MariaDB had until 10.6. MySQL 8 weighs transactions by how many wait for them (MySQL Reference Manual,
/// "Transaction Scheduling"); until 8.0.20, it did so only where many wait.
fn lock_scheduling_of(version: &str, algorithm: &str) -> LockScheduling {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let is_in_order = match version.contains("MariaDB") {
        true => !algorithm.eq_ignore_ascii_case("vats"),
        false => major.is_some_and(|major| major < 8),
    };
    match is_in_order {
        true => LockScheduling::FirstComeFirstServed,
        false => LockScheduling::AnyOrderUnseen,
    }
}

/// The sessions that wait for a lock, of the transactions in InnoDB's status. The status does not name the sessions
/// that they wait for. InnoDB's tables of lock waits would, but are refreshed at most ten times a second.
fn waits_in(status: &str) -> Vec<(i64, i64)> {
    let transactions = status.split("---TRANSACTION ").skip(1);
    let waiting = transactions.filter(|about| about.contains("LOCK WAIT"));
    let thread = |about: &str| {
        let (_, after) = about.split_once("thread id ")?;
        after.split(',').next()?.trim().parse().ok()
    };
    waiting.filter_map(|about| Some((thread(about)?, 0))).collect()
}

/// The values of the parameters, in their order.
fn bound(names: &[&str], values: Parameters<'_>) -> Params {
    let value = |name: &&str| ::mysql::Value::Int(value_of(name, values));
    if names.is_empty() {
        Params::Empty
    } else {
        Params::Positional(names.iter().map(value).collect())
    }
}

/// A row's numbers. Sums arrive as decimals, which are text.
fn row(row: ::mysql::Row) -> Row {
    let mut numbers = Row::default();
    for (value, number) in row.unwrap().into_iter().zip(&mut numbers) {
        *number = match value {
            ::mysql::Value::Int(value) => value,
            ::mysql::Value::UInt(value) => i64::try_from(value).unwrap_or(i64::MAX),
            ::mysql::Value::Bytes(text) => {
                std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
            }
            _ => 0,
        };
    }
    numbers
}

/// A value as it is sent to the server.
fn sent(value: StoreValue) -> ::mysql::Value {
    match value {
        StoreValue::Null => ::mysql::Value::NULL,
        StoreValue::Int(number) => ::mysql::Value::Int(number),
        StoreValue::Real(number) => ::mysql::Value::Double(number),
        StoreValue::Decimal(text) | StoreValue::Text(text) => {
            ::mysql::Value::Bytes(text.into_bytes())
        }
    }
}

/// Asks the server to end the statement that a session is at. The client reads an answer to its end, and one that is too
/// large may take for ever.
fn give_up(opts: Opts, session: u32) {
    let kill = |mut conn: Conn| conn.query_drop(format!("KILL QUERY {session}"));
    let _ = Conn::new(opts).and_then(kill);
}

/// The answer to a user's statement; none if it is too large, and given up then.
fn answer<P: ::mysql::prelude::Protocol>(
    mut result: ::mysql::QueryResult<'_, '_, '_, P>,
    give_up: impl FnOnce(),
) -> Result<Option<Answer>, ::mysql::Error> {
    let columns = result.columns();
    let kinds: Vec<ColumnType> =
        columns.as_ref().iter().map(::mysql::Column::column_type).collect();
    let columns: Vec<String> =
        columns.as_ref().iter().map(|column| column.name_str().into_owned()).collect();
    let changed = result.affected_rows();
    let (mut rows, mut size) = (Vec::new(), AnswerSize::default());
    for row in result.by_ref() {
        let values = row?.unwrap().into_iter().zip(&kinds);
        let row: Vec<StoreValue> = values.map(|(value, kind)| received(value, *kind)).collect();
        if !size.add(&row) {
            give_up();
            return Ok(None);
        }
        rows.push(row);
    }
    Ok(Some(match columns.is_empty() {
        true => Answer::changed(changed),
        false => Answer::found(columns, rows),
    }))
}

/// A value as it is received: for a statement that was sent without preparation, every value is text.
fn received(value: ::mysql::Value, kind: ColumnType) -> StoreValue {
    match value {
        ::mysql::Value::NULL => StoreValue::Null,
        ::mysql::Value::Int(number) => StoreValue::Int(number),
        ::mysql::Value::UInt(number) => i64::try_from(number)
            .map_or_else(|_| StoreValue::Text(number.to_string()), StoreValue::Int),
        ::mysql::Value::Float(number) => StoreValue::Real(number.into()),
        ::mysql::Value::Double(number) => StoreValue::Real(number),
        ::mysql::Value::Bytes(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match text.parse() {
                Ok(number) if is_whole(kind) => StoreValue::Int(number),
                _ if kind == ColumnType::MYSQL_TYPE_NEWDECIMAL => StoreValue::Decimal(text),
                _ => StoreValue::Text(text),
            }
        }
        other @ (::mysql::Value::Date(..) | ::mysql::Value::Time(..)) => {
            StoreValue::Text(other.as_sql(true).trim_matches('\'').to_owned())
        }
    }
}

fn is_whole(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
    )
}

fn said(error: &::mysql::Error) -> String {
    match error {
        ::mysql::Error::MySqlError(error) => error.message.clone(),
        other => other.to_string(),
    }
}

/// The text of a statement for MariaDB and MySQL.
fn text(statement: Statement) -> &'static str {
    match statement {
        Statement::Begin | Statement::BeginLocking => include_str!("statements/begin.sql"),
        Statement::BeginRepeatableRead => include_str!("statements/begin_repeatable_read.sql"),
        Statement::BeginSerializable => include_str!("statements/begin_serializable.sql"),
        Statement::PlaceOrderOnce => include_str!("statements/place_order_once.sql"),
        Statement::Add => include_str!("statements/add.sql"),
        Statement::AdvisoryLock => include_str!("statements/advisory_lock.sql"),
        Statement::AdvisoryUnlock => include_str!("statements/advisory_unlock.sql"),
        Statement::Units => include_str!("statements/units.sql"),
        Statement::UnitsClear => include_str!("statements/units_clear.sql"),
        Statement::Now => include_str!("statements/now.sql"),
        Statement::NotesAreMade => include_str!("statements/notes_are_made.sql"),
        Statement::ServerClock => include_str!("statements/server_clock.sql"),
        Statement::RoomMake => include_str!("statements/room_make.sql"),
        Statement::RoomEnter => include_str!("statements/room_enter.sql"),
        Statement::RoomLeave => include_str!("statements/room_leave.sql"),
        Statement::RoomRaze => include_str!("statements/room_raze.sql"),
        Statement::RoomEmpty | Statement::RoomClear => {
            include_str!("statements/room_empty.sql")
        }
        Statement::RoomParts => include_str!("statements/room_parts.sql"),
        Statement::HoldInside => include_str!("statements/hold_inside.sql"),
        Statement::HoldNoMore => include_str!("statements/hold_no_more.sql"),
        other => other.common(),
    }
}

/// A message without the line of the statement at its end, and that line; the first, if it names none. Of what follows in
/// the text, which the server repeats, it has the rest of one line.
fn without_line(message: &str) -> (String, usize) {
    let found = message.rsplit_once(" at line ");
    let line = found.and_then(|(before, line)| Some((before, line.parse().ok()?)));
    let (message, line) = line.unwrap_or((message, 1));
    let near = message.find(" near '").and_then(|near| Some(near + message[near..].find('\n')?));
    let message = near.map_or_else(|| message.to_owned(), |end| format!("{}…'", &message[..end]));
    (message, line)
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
    fn a_message_repeats_no_more_than_a_line_of_a_text() {
        let said = "You have an error near 'NUL\n);\nCREATE TABLE next (id INT)' at line 4";
        assert_eq!(without_line(said), ("You have an error near 'NUL…'".into(), 4));
        assert_eq!(without_line("no"), ("no".into(), 1));
    }

    #[test]
    fn mysql_8_grants_locks_by_weight_and_mariadb_in_order_unless_it_is_told_otherwise() {
        for (version, algorithm, expected) in [
            ("10.11.19-MariaDB-0+deb12u1", "", LockScheduling::FirstComeFirstServed),
            ("10.5.29-MariaDB", "fcfs", LockScheduling::FirstComeFirstServed),
            ("10.5.29-MariaDB", "vats", LockScheduling::AnyOrderUnseen),
            ("5.7.44-log", "", LockScheduling::FirstComeFirstServed),
            ("8.0.43", "", LockScheduling::AnyOrderUnseen),
            ("9.4.0", "", LockScheduling::AnyOrderUnseen),
            ("of some version", "", LockScheduling::AnyOrderUnseen),
        ] {
            assert_eq!(lock_scheduling_of(version, algorithm), expected, "{version} {algorithm}");
        }
    }

    #[test]
    fn a_statement_opens_the_tables_behind_its_views_and_says_which_it_changes() {
        if !is_installed(StoreKind::Mysql) {
            return;
        }
        let terms = StoreConfig::of(&Settings::default(), &Control::default());
        let (url, _nest) = server::start(&terms).unwrap();
        let to = server::opts(&url, &Address::default(), &terms).unwrap();
        let mut connection = MysqlConnection::open(&to, &terms).unwrap();
        // The server that is tested is MariaDB, of a version without that variable.
        let scheduling = connection.lock_scheduling().unwrap();
        assert_eq!(scheduling, LockScheduling::FirstComeFirstServed);
        says_what_statements_open(&mut connection, "SELECT n FROM `shown`");
    }
}
