//! A server that speaks SQL: its tables, and connections to it.

use std::time::Duration;

use parking_lot::Mutex;

#[cfg(feature = "cli")]
use super::notes::SqlNotes;
use super::{CheckoutTables, Database, SqlError, Tables};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::error::Error;
#[cfg(feature = "cli")]
use crate::describe::checkout::ProductStock;
use crate::describe::checkout::{Answer, Call, Values};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{BuyerHandle, Waits};
use crate::stores::private::ServerSandbox;
#[cfg(feature = "cli")]
use crate::stores::remote::Notes;
use crate::stores::remote::{
    Fixture, Lesson, Link, LockScheduling, OverlapNotes, Remarks, Server, StepExecutor, StepServer,
    StoreConfig, Watch, is_not_ours,
};

/// Connects to a server.
pub(in crate::stores) trait Dialer: Send + Sync {
    /// The type of the connection.
    type Database: Database + 'static;

    /// Which store it is.
    const KIND: StoreKind;

    /// Connects.
    fn dial(&self, terms: &StoreConfig) -> Result<Self::Database, Error>;

    /// The server's name and version.
    fn version(database: &mut Self::Database) -> Result<String, SqlError>;
}

/// A server, with tables in it.
pub(in crate::stores) struct SqlServer<D: Dialer, T: Tables> {
    dialer: D,
    tables: T,
    url: String,
    version: String,
    terms: StoreConfig,
    /// The connection for setup and audit, as long as it is usable.
    desk: Mutex<Option<D::Database>>,
    /// Whether the tables have been made, and so are to be removed.
    has_tables: bool,
    /// The private server, if this run started it. Declared last, so that it ends after everything else.
    sandbox: Option<ServerSandbox>,
}

impl<D: Dialer, T: Tables> SqlServer<D, T> {
    /// Makes the tables, unless another process has.
    pub(in crate::stores) fn open(
        dialer: D,
        url: String,
        sandbox: Option<ServerSandbox>,
        terms: &StoreConfig,
        tables: T,
    ) -> Result<Self, Error> {
        let mut terms = terms.clone();
        terms.is_private = sandbox.is_some();
        let mut server = Self {
            dialer,
            tables,
            url,
            version: String::new(),
            terms,
            desk: Mutex::default(),
            has_tables: false,
            sandbox,
        };
        let mut database = server.dial()?;
        server.version = D::version(&mut database).map_err(SqlError::into_error)?;
        if !server.terms.joins() {
            server.tables.make(&mut database, &server.terms)?;
            server.has_tables = true;
        }
        Ok(server)
    }

    /// Runs `work` over the desk's connection; over a new one, if that one is lost.
    fn at_desk<W>(
        &self,
        work: impl Fn(&mut D::Database) -> Result<W, SqlError>,
    ) -> Result<W, Error> {
        let mut desk = self.desk.lock();
        if let Some(database) = &mut *desk {
            match work(database) {
                Err(SqlError::Lost(_)) => *desk = None,
                done => return done.map_err(SqlError::into_error),
            }
        }
        work(desk.insert(self.enter()?)).map_err(SqlError::into_error)
    }

    /// A connection to the tables.
    fn enter(&self) -> Result<D::Database, Error> {
        let mut database = self.dial()?;
        self.tables.enter(&mut database, &self.terms).map_err(SqlError::into_error)?;
        Ok(database)
    }

    fn dial(&self) -> Result<D::Database, Error> {
        self.dialer.dial(&self.terms).map_err(|error| {
            match self.sandbox.as_ref().and_then(ServerSandbox::obituary) {
                Some(said) => Error::world(format!("{error}\n       the server has ended: {said}")),
                None => error,
            }
        })
    }
}

/// The longest that a server may take to end a session whose connection was closed.
const ENDING: Duration = Duration::from_secs(30);

/// A connection that watches the others.
struct SqlWatcher<D>(D);

impl<D: Database> Watch for SqlWatcher<D> {
    fn waits(&mut self) -> Result<Waits, Error> {
        self.0.waits().map_err(SqlError::into_error)
    }

    fn lock_scheduling(&mut self) -> Result<LockScheduling, Error> {
        self.0.lock_scheduling().map_err(SqlError::into_error)
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), Error> {
        self.0.hold_inside(session).map_err(SqlError::into_error)
    }

    fn let_act(&mut self, session: i64) -> Result<(), Error> {
        self.0.let_act(session).map_err(SqlError::into_error)
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), Error> {
        self.0.hold_no_more(session).map_err(SqlError::into_error)
    }

    fn await_end(&mut self, session: i64) -> Result<(), Error> {
        let clock = Wall::start();
        // Each question is a round trip, in which the server goes on with its work.
        while self.0.has_session(session).map_err(SqlError::into_error)? {
            if clock.now() >= nanos(ENDING) {
                return Err(Error::world(format!(
                    "the server still has a session whose connection was closed {} s ago",
                    ENDING.as_secs()
                )));
            }
        }
        Ok(())
    }
}

impl<D: Dialer, T: Tables> Server for SqlServer<D, T> {
    fn kind(&self) -> StoreKind {
        D::KIND
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        Ok(self.tables.link(self.enter()?, &self.terms))
    }

    fn connect_held(
        &self,
        handle: BuyerHandle,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, Error> {
        let database = self.enter()?;
        self.tables
            .link_held(database, handle, &self.terms, holds_statements)
            .map_err(SqlError::into_error)
    }

    fn remarks(&self) -> Remarks {
        let overlaps = self.tables.overlaps().told();
        Remarks { hides_orders: !overlaps.is_empty(), told: overlaps, ..Remarks::default() }
    }

    fn part_names(&self) -> Vec<String> {
        self.tables.names()
    }

    fn learned(&self) -> Result<i64, Error> {
        let scans = self.tables.scans();
        match self.tables.holds_inside() {
            true => Ok(self.at_desk(Database::learned)?.wrapping_add(scans)),
            false => Ok(scans),
        }
    }

    fn lessons(&self) -> Result<Vec<Lesson>, Error> {
        let several_rows = match self.tables.holds_inside() {
            true => self.at_desk(Database::learned)?,
            false => 0,
        };
        Ok(vec![Lesson { several_rows, scans: self.tables.all_scans() }])
    }

    fn teach(&self, lessons: &[Lesson]) -> Result<(), Error> {
        let Some(lesson) = lessons.first() else { return Ok(()) };
        self.tables.replace_scans(lesson.scans.clone());
        match self.tables.holds_inside() {
            true => self.at_desk(|database| database.learn(lesson.several_rows)),
            false => Ok(()),
        }
    }

    fn overlap_notes(&self) -> Vec<OverlapNotes> {
        vec![self.tables.overlaps().notes()]
    }

    fn add_overlap_notes(&self, notes: &[OverlapNotes]) {
        notes.iter().for_each(|notes| self.tables.overlaps().add(notes.clone()));
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(SqlWatcher(self.dial()?)))
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        self.at_desk(|database| self.tables.stock_up(database, &self.terms, opening))?;
        // Deadlocks of an execution that was given up do not count.
        self.terms.take_deadlocks();
        Ok(())
    }

    fn take_stock(&self, opening: Fixture) -> Result<Books, Error> {
        let books =
            self.at_desk(|database| self.tables.take_stock(database, &self.terms, opening))?;
        Ok(Books { deadlocks: self.terms.take_deadlocks(), ..books })
    }

    #[cfg(feature = "cli")]
    fn notes(&self) -> Result<Box<dyn Notes>, Error> {
        Ok(Box::new(SqlNotes::over(self.dial()?)))
    }

    #[cfg(feature = "cli")]
    fn products(&self) -> Vec<ProductStock> {
        self.tables.products()
    }

    #[cfg(feature = "cli")]
    fn take_over(&self, products: Vec<ProductStock>) -> Result<(), Error> {
        self.at_desk(|database| self.tables.take_over(database, &self.terms, &products))
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        match &self.sandbox {
            Some(sandbox) => {
                sandbox.kill_and_restart(0, &self.terms.control, || self.dial().is_ok())
            }
            None => Err(is_not_ours()),
        }
    }
}

impl<D: Dialer> StepServer for SqlServer<D, CheckoutTables> {
    fn executor(&self, handle: Option<&BuyerHandle>) -> Result<Box<dyn StepExecutor>, Error> {
        let mut database = self.enter()?;
        if let Some(handle) = handle {
            database.attach(handle).map_err(SqlError::into_error)?;
        }
        Ok(Box::new(self.tables.executor(database)))
    }

    fn reset(&self, is_small: bool) -> Result<(), Error> {
        self.at_desk(|database| self.tables.furnish(database, &self.terms, is_small))
    }

    fn ask(&self, key: &str, call: &Call, value_of: Values<'_>) -> Result<Answer, Error> {
        self.at_desk(|database| self.tables.ask(key, database, call, value_of))
    }

    fn look(&self, key: &str, call: &Call) -> Result<Answer, Error> {
        self.at_desk(|database| self.tables.look(key, database, call))
    }
}

impl<D: Dialer, T: Tables> Drop for SqlServer<D, T> {
    fn drop(&mut self) {
        // A private server is removed with all its data.
        if self.has_tables && self.sandbox.is_none() {
            self.desk.get_mut().take();
            let _ = self.dial().map(|mut database| self.tables.remove(&mut database));
        }
    }
}
