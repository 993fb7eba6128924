//! Stock in an SQLite file, by the library that is built in. Journal: a write-ahead log, synced at every
//! commit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};

use super::private::Nest;
use super::remote::{Link, NobodyWaits, Opening, Seat, Server, Terms, Watch, is_not_ours};
use super::sql::{self, Database, Row, SqlError, SqlLink, Statement, Values};
use super::{Address, Books, StoreKind};
use crate::error::Error;
use crate::text::nearest::shown;

/// Makes the file: where the address says, else in a temporary directory. A file that is there already is not
/// touched.
pub(super) fn open(address: &Address, terms: &Terms) -> Result<Box<dyn Server>, Error> {
    Ok(Box::new(Sqlite::open(address, terms)?))
}

/// A database in a file.
struct Sqlite {
    path: PathBuf,
    /// Whose file it is, and gone with it.
    home: Home,
    version: String,
    terms: Terms,
}

/// Where the file lies.
enum Home {
    /// In a directory of its own.
    Private { _nest: Nest },
    /// Where the user wants it.
    Named,
}

impl Sqlite {
    fn open(address: &Address, terms: &Terms) -> Result<Self, Error> {
        let (path, home) = match &address.url {
            Some(url) => {
                let path = PathBuf::from(url.strip_prefix("sqlite:").unwrap_or(url));
                if path.exists() {
                    return Err(Error::input(format!(
                        "--url: there is a file {} already; name one that is to be made",
                        shown(&path.display().to_string())
                    )));
                }
                (path, Home::Named)
            }
            None => {
                let nest = Nest::make("KILL")?;
                (nest.path().join("shop.sqlite"), Home::Private { _nest: nest })
            }
        };
        let version = format!("SQLite {}", rusqlite::version());
        let sqlite = Self { path, home, version, terms: terms.clone() };
        let mut file = sqlite.link_up(OpenFlags::SQLITE_OPEN_CREATE)?;

        sql::create(&mut file, terms).map_err(|error| sqlite.cannot(error))?;
        Ok(sqlite)
    }

    fn link_up(&self, flags: OpenFlags) -> Result<SqliteFile, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | flags;
        SqliteFile::open(&self.path, flags, &self.terms)
            .map_err(|error| self.cannot(SqlError::Refused(error.to_string())))
    }

    fn cannot(&self, error: SqlError) -> Error {
        Error::world(format!("SQLite, {}: {}", self.path.display(), error.text()))
    }
}

impl Server for Sqlite {
    fn kind(&self) -> StoreKind {
        StoreKind::Sqlite
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.path.display().to_string()
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        let file = self.link_up(OpenFlags::empty())?;
        Ok(Box::new(SqlLink::new(file, self.terms.clone())))
    }

    fn connect_held(&self, seat: Seat, holds_statements: bool) -> Result<Box<dyn Link>, Error> {
        let file = self.link_up(OpenFlags::empty())?;
        sql::held::link(file, seat, StoreKind::Sqlite, &self.terms, holds_statements)
            .map_err(|error| self.cannot(error))
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(NobodyWaits))
    }

    fn stock_up(&self, opening: Opening) -> Result<(), Error> {
        let mut file = self.link_up(OpenFlags::empty())?;
        sql::stock_up(&mut file, &self.terms, opening).map_err(|error| self.cannot(error))
    }

    fn take_stock(&self, opening: Opening) -> Result<Books, Error> {
        let mut file = self.link_up(OpenFlags::empty())?;
        sql::take_stock(&mut file, &self.terms, opening).map_err(|error| self.cannot(error))
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        Err(is_not_ours())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Home::Named = self.home {
            for ending in ["", "-wal", "-shm"] {
                let mut path = self.path.clone().into_os_string();
                path.push(ending);
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// One connection to the file.
struct SqliteFile {
    connection: Connection,
}

impl SqliteFile {
    fn open(path: &Path, flags: OpenFlags, terms: &Terms) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_handler(Some(busy_handler(terms.clone())))?;
        connection.set_prepared_statement_cache_capacity(Statement::COUNT);
        connection.execute_batch(include_str!("statements/connect.sql"))?;
        if terms.relaxed {
            connection.execute_batch(include_str!("statements/relaxed.sql"))?;
        }
        Ok(Self { connection })
    }

    fn prepared(
        &self,
        statement: Statement,
        values: Values<'_>,
    ) -> rusqlite::Result<CachedStatement<'_>> {
        let mut prepared = self.connection.prepare_cached(text(statement))?;
        for (name, value) in values {
            // A value that a statement has no use for is none of its parameters.
            if let Some(place) = prepared.parameter_index(&format!(":{name}"))? {
                prepared.raw_bind_parameter(place, value)?;
            }
        }
        Ok(prepared)
    }

    fn error(&self, error: rusqlite::Error) -> SqlError {
        match error.sqlite_error().map(|error| (error.code, error.extended_code)) {
            // In the middle of a transaction it does not wait: somebody has written what was read.
            Some((ErrorCode::DatabaseBusy, _)) if !self.connection.is_autocommit() => {
                SqlError::Conflict
            }
            Some((ErrorCode::DatabaseBusy, _)) => SqlError::LockTimeout,
            Some((_, rusqlite::ffi::SQLITE_CONSTRAINT_CHECK)) => SqlError::Check,
            _ => SqlError::Refused(format!("SQLite: {error}")),
        }
    }
}

impl Database for SqliteFile {
    fn text(statement: Statement) -> &'static str {
        text(statement)
    }

    /// Whoever finds that somebody else is writing tries again when somebody has moved, and not sooner.
    fn take_seat(&mut self, seat: &Seat) -> Result<(), SqlError> {
        let seat = seat.clone();
        let obstructed = self.connection.busy_handler(Some(move |_| seat.is_obstructed()));
        obstructed.map_err(|error| self.error(error))
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        Ok(Vec::new())
    }

    fn change(&mut self, statement: Statement, values: Values<'_>) -> Result<u64, SqlError> {
        let changed = self.prepared(statement, values).and_then(|mut ready| ready.raw_execute());
        changed.map(|rows| rows as u64).map_err(|error| self.error(error))
    }

    fn query(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Row>, SqlError> {
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
        match self.connection.execute_batch(text(script)) {
            // Of one that SQLite has thrown away already nothing is left to take back.
            Err(_) if script == Statement::Rollback && self.connection.is_autocommit() => Ok(()),
            done => done.map_err(|error| self.error(error)),
        }
    }
}

/// Waits for whoever is writing, in longer and longer naps, as SQLite's own handler does; but no longer than
/// until the race is stopped.
fn busy_handler(terms: Terms) -> impl FnMut(i32) -> bool + Send + 'static {
    const NAPS_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 50];
    let mut waited = Duration::ZERO;
    move |times| {
        if times == 0 {
            waited = Duration::ZERO;
        }
        let nap = NAPS_MS.get(times as usize).copied().unwrap_or(50);
        let nap = Duration::from_millis(nap);
        waited += nap;
        waited < terms.patience && terms.control.pause(nap)
    }
}

/// How SQLite says it.
fn text(statement: Statement) -> &'static str {
    match statement {
        Statement::Check => include_str!("statements/check.sql"),
        Statement::Begin | Statement::BeginRepeatableRead | Statement::BeginSerializable => {
            include_str!("statements/begin.sql")
        }
        Statement::BeginLocking => include_str!("statements/begin_locking.sql"),
        Statement::Lock => include_str!("statements/lock.sql"),
        Statement::Now => include_str!("statements/now.sql"),
        other => other.common(),
    }
}
