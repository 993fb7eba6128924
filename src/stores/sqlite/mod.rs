//! Stock in an SQLite file, by the library that is built in. Journal: a write-ahead log, synced at every
//! commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};

use super::Address;
use super::answer::{AT_THE_END, AnswerSize, GRACE};
use super::private::ServerSandbox;
use super::remote::StoreConfig;
use super::sql::{
    Database, Dialer, OpenedTable, Parameters, Row, SqlError, SqlServer, Statement, Tables,
};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::error::Error;
use crate::base::text::nearest::shown;
use crate::base::text::quantity::duration;
use crate::base::text::sql::{Dialect, ScriptPlace, has_others_inside, statements};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;

/// Creates the file: at the address, else in a temporary directory. A file that exists already is not touched.
pub(super) fn open<T: Tables>(
    address: &Address,
    terms: &StoreConfig,
    tables: T,
) -> Result<SqlServer<File, T>, Error> {
    let file = File::make(address)?;
    file.link_up(terms, OpenFlags::SQLITE_OPEN_CREATE)?;
    let path = file.path.display().to_string();
    SqlServer::open(file, path, None, terms, tables)
}

/// Opens a shop's file, to run the checkout file's queries there.
#[cfg(feature = "http")]
pub(super) fn ask_at(url: &str, terms: &StoreConfig) -> Result<SqliteFile, Error> {
    let path = Path::new(path_of(url)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    SqliteFile::open(path, flags, terms)
        .map_err(|error| Error::world(format!("SQLite, {}: {error}", path.display())))
}

/// The path in a URL.
fn path_of(url: &str) -> Result<&str, Error> {
    match url.strip_prefix("sqlite:").unwrap_or(url) {
        "" | ":memory:" => Err(Error::input(format!(
            "the URL {} is of a database that every connection has for itself; name a file",
            shown(url)
        ))),
        path => Ok(path),
    }
}

/// A database in a file.
pub(in crate::stores) struct File {
    path: PathBuf,
    /// Where the file lies; a private directory is removed with it.
    home: FileLocation,
}

/// Where the file lies.
enum FileLocation {
    /// In a directory of its own.
    Private { _nest: Box<ServerSandbox> },
    /// At the path that the user has named.
    Named,
}

impl File {
    fn make(address: &Address) -> Result<Self, Error> {
        let Some(url) = &address.url else {
            let sandbox = ServerSandbox::make("KILL")?;
            let path = sandbox.own_dir().join("shop.sqlite");
            return Ok(Self { path, home: FileLocation::Private { _nest: Box::new(sandbox) } });
        };
        let path = PathBuf::from(path_of(url.with_password())?);
        if path.exists() {
            return Err(Error::input(format!(
                "--url: there is a file {} already; name one that is to be made",
                shown(&path.display().to_string())
            )));
        }
        Ok(Self { path, home: FileLocation::Named })
    }

    fn link_up(&self, terms: &StoreConfig, flags: OpenFlags) -> Result<SqliteFile, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | flags;
        SqliteFile::open(&self.path, flags, terms)
            .map_err(|error| Error::world(format!("SQLite, {}: {error}", self.path.display())))
    }
}

impl Dialer for File {
    type Database = SqliteFile;

    const KIND: StoreKind = StoreKind::Sqlite;

    fn dial(&self, terms: &StoreConfig) -> Result<SqliteFile, Error> {
        self.link_up(terms, OpenFlags::empty())
    }

    fn version(_: &mut SqliteFile) -> Result<String, SqlError> {
        Ok(format!("SQLite {}", rusqlite::version()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let FileLocation::Named = self.home {
            for ending in ["", "-wal", "-shm"] {
                let mut path = self.path.clone().into_os_string();
                path.push(ending);
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// How many statements stay prepared: all of ours, or as many of a checkout's.
const CACHED: usize = 200;

/// Instructions of SQLite's virtual machine between two checks whether a statement is to go on: about a tenth of a
/// millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// One connection to the file.
pub(super) struct SqliteFile {
    connection: Connection,
    path: PathBuf,
    terms: StoreConfig,
    handle: Option<BuyerHandle>,
    runtime: StatementRuntime,
}

/// How long a statement has run, without the time in which it waited for another session. Clones are of the same
/// connection.
#[derive(Clone)]
struct StatementRuntime {
    clock: Wall,
    since_ns: Arc<AtomicU64>,
}

impl StatementRuntime {
    fn start() -> Self {
        Self { clock: Wall::start(), since_ns: Arc::default() }
    }

    /// A statement begins, or goes on after it has waited.
    fn restart(&self) {
        self.since_ns.store(self.clock.now(), Ordering::Relaxed);
    }

    fn is_longer_than(&self, most: Duration) -> bool {
        self.clock.now().saturating_sub(self.since_ns.load(Ordering::Relaxed)) >= nanos(most)
    }
}

impl SqliteFile {
    fn open(path: &Path, flags: OpenFlags, terms: &StoreConfig) -> rusqlite::Result<Self> {
        let runtime = StatementRuntime::start();
        let connection = Self::connect(path, flags, terms, &runtime)?;
        let (path, terms) = (path.to_owned(), terms.clone());
        Ok(Self { connection, path, terms, handle: None, runtime })
    }

    fn connect(
        path: &Path,
        flags: OpenFlags,
        terms: &StoreConfig,
        runtime: &StatementRuntime,
    ) -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        runtime.restart();
        connection.busy_handler(Some(busy_handler(terms.clone(), runtime.clone())))?;
        let is_given_up = is_given_up(terms.clone(), runtime.clone());
        connection.progress_handler(INSTRUCTIONS, Some(is_given_up))?;
        connection.set_prepared_statement_cache_capacity(CACHED);
        connection.execute_batch(include_str!("statements/connect.sql"))?;
        if terms.settings.relaxed {
            connection.execute_batch(include_str!("statements/relaxed.sql"))?;
        }
        Ok(connection)
    }

    fn prepared(
        &self,
        statement: Statement,
        values: Parameters<'_>,
    ) -> rusqlite::Result<CachedStatement<'_>> {
        self.runtime.restart();
        let mut prepared = self.connection.prepare_cached(text(statement))?;
        for (name, value) in values {
            // A statement has no parameter for a value that it does not use.
            if let Some(place) = prepared.parameter_index(&format!(":{name}"))? {
                prepared.raw_bind_parameter(place, value)?;
            }
        }
        Ok(prepared)
    }

    fn ask_foreign(
        &self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> rusqlite::Result<Option<Answer>> {
        self.runtime.restart();
        let mut prepared = self.connection.prepare_cached(text)?;
        for place in 1..=prepared.parameter_count() {
            let name = prepared.parameter_name(place).and_then(|name| name.strip_prefix(':'));
            let value = value_of(name.unwrap_or_default());
            prepared.raw_bind_parameter(place, SqliteValue(value))?;
        }
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        if columns.is_empty() {
            return Ok(Some(Answer::changed(prepared.raw_execute()? as u64)));
        }
        let (mut rows, mut size) = (Vec::new(), AnswerSize::default());
        let mut found = prepared.raw_query();
        while let Some(row) = found.next()? {
            let value = |place| row.get_ref(place).map(received);
            let row: Vec<StoreValue> = (0..columns.len()).map(value).collect::<Result<_, _>>()?;
            if !size.add(&row) {
                return Ok(None);
            }
            rows.push(row);
        }
        Ok(Some(Answer::found(columns, rows)))
    }

    fn error(&self, error: rusqlite::Error) -> SqlError {
        match error.sqlite_error().map(|error| (error.code, error.extended_code)) {
            Some((ErrorCode::OperationInterrupted, _)) if self.terms.control.is_over() => {
                SqlError::Lost("SQLite: interrupted in the middle of a statement".into())
            }
            Some((ErrorCode::OperationInterrupted, _)) => SqlError::Refused(format!(
                "SQLite: the statement runs for longer than {} (--patience, and a little more)",
                duration(nanos(self.terms.settings.patience + GRACE))
            )),
            // Inside a transaction SQLite does not wait: another session has written what was read.
            Some((ErrorCode::DatabaseBusy, _)) if !self.connection.is_autocommit() => {
                SqlError::Conflict
            }
            Some((ErrorCode::DatabaseBusy, _)) => SqlError::LockTimeout,
            Some((_, rusqlite::ffi::SQLITE_CONSTRAINT_CHECK)) => SqlError::Check,
            Some((ErrorCode::ConstraintViolation, _)) => SqlError::Forbidden(error.to_string()),
            _ => match error {
                // The rest of the text would be repeated, whatever is in it.
                rusqlite::Error::SqlInputError { msg, .. } => {
                    SqlError::Refused(format!("SQLite: {msg}"))
                }
                error => SqlError::Refused(format!("SQLite: {error}")),
            },
        }
    }
}

impl Database for SqliteFile {
    fn text(statement: Statement) -> &'static str {
        text(statement)
    }

    fn ask(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError> {
        match self.ask_foreign(text, value_of) {
            // A transaction that SQLite has ended already leaves nothing to roll back.
            Err(_) if self.connection.is_autocommit() && is_rollback(text) => Ok(Answer::default()),
            Err(error) => Err(self.error(error)),
            Ok(answer) => answer
                .ok_or_else(|| SqlError::Refused(format!("SQLite: {}", AnswerSize::TOO_LARGE))),
        }
    }

    fn is_in_transaction(&self) -> Option<bool> {
        Some(!self.connection.is_autocommit())
    }

    fn run_file(&mut self, text: &str) -> Result<(), SqlError> {
        self.runtime.restart();
        self.connection.execute_batch(text).map_err(|error| self.error(error))
    }

    fn run_script(&mut self, text: &str) -> Result<(), (SqlError, ScriptPlace)> {
        let mut rest = text;
        for (number, statement) in statements(Dialect::Sqlite, text).into_iter().enumerate() {
            // From there on only SQLite itself knows where a statement ends.
            let piece = match has_others_inside(Dialect::Sqlite, statement) {
                true => rest,
                false => statement,
            };
            let before = text.len() - rest.len();
            self.connection.execute_batch(piece).map_err(|error| {
                let place = match &error {
                    rusqlite::Error::SqlInputError { sql, offset, .. } => {
                        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
                        let run = piece.len().saturating_sub(sql.len());
                        ScriptPlace::Byte(start + run + usize::try_from(*offset).unwrap_or(0))
                    }
                    _ if piece.len() == rest.len() && before > 0 => ScriptPlace::Unknown,
                    _ => ScriptPlace::Statement { number, line: 1 },
                };
                (self.error(error), place)
            })?;
            if piece.len() == rest.len() {
                break;
            }
            let end = statement.as_ptr() as usize + statement.len() - text.as_ptr() as usize;
            // Behind its semicolon, if there is one.
            rest = text.get(end + 1..).unwrap_or("");
        }
        Ok(())
    }

    fn opens(&mut self, text: &str) -> Vec<OpenedTable> {
        let opened = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&opened);
        let notes = move |asked: AuthContext<'_>| {
            let (table, changes) = match asked.action {
                AuthAction::Read { table_name, .. } => (table_name, false),
                AuthAction::Insert { table_name }
                | AuthAction::Update { table_name, .. }
                | AuthAction::Delete { table_name } => (table_name, true),
                _ => return Authorization::Allow,
            };
            noted.lock().push(OpenedTable { table: table.to_owned(), changes });
            Authorization::Allow
        };
        let asked = self.connection.authorizer(Some(notes)).and_then(|()| {
            let _ = self.connection.prepare(text);
            self.connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
        });
        drop(asked);
        std::mem::take(&mut *opened.lock())
    }

    /// The file is the only place for tables, and there is only one isolation level.
    fn enter_room(&mut self, _: Isolation) -> Result<(), SqlError> {
        Ok(())
    }

    /// A session that finds another one writing tries again only after another buyer has moved.
    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError> {
        self.handle = Some(handle.clone());
        let (handle, runtime) = (handle.clone(), self.runtime.clone());
        let obstructed = self.connection.busy_handler(Some(move |_| {
            let tries_again = handle.await_retry();
            runtime.restart();
            tries_again
        }));
        obstructed.map_err(|error| self.error(error))
    }

    /// Opens a new connection: no command would undo settings, temporary tables and attached files.
    fn begin_anew(&mut self) -> Result<u64, SqlError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Self::connect(&self.path, flags, &self.terms, &self.runtime);
        self.connection = opened.map_err(|error| self.error(error))?;
        match self.handle.clone() {
            Some(handle) => self.attach(&handle).map(|()| 0),
            None => Ok(0),
        }
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        Ok(Vec::new())
    }

    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Result<u64, SqlError> {
        let changed = self.prepared(statement, values).and_then(|mut ready| ready.raw_execute());
        changed.map(|rows| rows as u64).map_err(|error| self.error(error))
    }

    fn query(
        &mut self,
        statement: Statement,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, SqlError> {
        let collect = || {
            let mut prepared = self.prepared(statement, values)?;
            let columns = prepared.column_count();
            let mut rows = prepared.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let mut numbers = Row::default();
                for (place, number) in numbers.iter_mut().enumerate().take(columns) {
                    *number = row.get(place)?;
                }
                found.push(numbers);
            }
            Ok(found)
        };
        collect().map_err(|error| self.error(error))
    }

    fn run(&mut self, script: Statement) -> Result<(), SqlError> {
        self.runtime.restart();
        match self.connection.execute_batch(text(script)) {
            // A transaction that SQLite has ended already leaves nothing to roll back.
            Err(_) if script == Statement::Rollback && self.connection.is_autocommit() => Ok(()),
            done => done.map_err(|error| self.error(error)),
        }
    }
}

fn is_rollback(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_whole = words.clone().all(|word| !word.eq_ignore_ascii_case("to"));
    is_whole
        && words
            .next()
            .and_then(|word| word.get(..8))
            .is_some_and(|word| word.eq_ignore_ascii_case("rollback"))
}

/// A value as it is sent to the file.
struct SqliteValue(StoreValue);

impl ToSql for SqliteValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            StoreValue::Null => ToSqlOutput::Owned(rusqlite::types::Value::Null),
            StoreValue::Int(number) => (*number).into(),
            StoreValue::Real(number) => (*number).into(),
            StoreValue::Decimal(text) | StoreValue::Text(text) => text.as_str().into(),
        })
    }
}

/// A value as it is received.
fn received(value: ValueRef<'_>) -> StoreValue {
    match value {
        ValueRef::Null => StoreValue::Null,
        ValueRef::Integer(number) => StoreValue::Int(number),
        ValueRef::Real(number) => StoreValue::Real(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            StoreValue::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Waits for the session that is writing, with longer and longer pauses, as SQLite's own handler does; gives up when
/// patience runs out or the race is stopped.
fn busy_handler(
    terms: StoreConfig,
    runtime: StatementRuntime,
) -> impl FnMut(i32) -> bool + Send + 'static {
    const NAPS_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 50];
    let mut waited = Duration::ZERO;
    move |times| {
        if times == 0 {
            waited = Duration::ZERO;
        }
        let nap = NAPS_MS.get(times as usize).copied().unwrap_or(50);
        let nap = Duration::from_millis(nap);
        waited += nap;
        let tries_again = waited < terms.settings.patience && terms.control.pause(nap);
        runtime.restart();
        tries_again
    }
}

/// Whether SQLite is to give up the statement that runs: it has run for too long, or the work is to end.
fn is_given_up(
    terms: StoreConfig,
    runtime: StatementRuntime,
) -> impl FnMut() -> bool + Send + 'static {
    let most = terms.settings.patience + GRACE;
    move || {
        runtime.is_longer_than(most)
            || runtime.is_longer_than(AT_THE_END) && terms.control.is_over()
    }
}

/// The text of a statement for SQLite.
fn text(statement: Statement) -> &'static str {
    match statement {
        Statement::Check => include_str!("statements/check.sql"),
        Statement::Begin | Statement::BeginRepeatableRead | Statement::BeginSerializable => {
            include_str!("statements/begin.sql")
        }
        Statement::BeginLocking => include_str!("statements/begin_locking.sql"),
        Statement::Lock => include_str!("statements/lock.sql"),
        Statement::Now => include_str!("statements/now.sql"),
        Statement::NotesAreMade => include_str!("statements/notes_are_made.sql"),
        Statement::ServerClock => include_str!("statements/server_clock.sql"),
        Statement::RoomMake | Statement::RoomEnter | Statement::RoomLeave => {
            include_str!("statements/room_alone.sql")
        }
        Statement::RoomRaze => include_str!("statements/room_raze.sql"),
        Statement::RoomEmpty | Statement::RoomClear => {
            include_str!("statements/room_empty.sql")
        }
        Statement::RoomParts => include_str!("statements/room_parts.sql"),
        other => other.common(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::control::Control;
    use crate::domain::settings::Settings;
    use crate::stores::sql::says_what_statements_open;

    #[test]
    fn a_statement_opens_the_tables_behind_its_views_and_says_which_it_changes() {
        let terms = StoreConfig::of(&Settings::default(), &Control::default());
        let file = File::make(&Address::default()).unwrap();
        let mut database = file.link_up(&terms, OpenFlags::SQLITE_OPEN_CREATE).unwrap();
        says_what_statements_open(&mut database, "SELECT n FROM [shown]");
    }
}
