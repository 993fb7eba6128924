//! A server that speaks SQL: its tables, and connections to it.

use parking_lot::Mutex;

use super::{Database, SqlError, SqlLink, Statement, books, held};
use crate::error::Error;
use crate::stores::private::Nest;
use crate::stores::remote::{Link, Opening, Seat, Server, Terms, Waits, Watch, is_not_ours};
use crate::stores::{Books, StoreKind};

/// Who knows how to connect to one.
pub(in crate::stores) trait Dialer: Send + Sync {
    /// What comes of it.
    type Database: Database + 'static;

    /// Which store it is.
    const KIND: StoreKind;

    /// Connects.
    fn dial(&self, terms: &Terms) -> Result<Self::Database, Error>;

    /// The server's name and version.
    fn version(database: &mut Self::Database) -> Result<String, SqlError>;
}

/// A server, with our tables in it.
pub(in crate::stores) struct SqlServer<D: Dialer> {
    dialer: D,
    url: String,
    version: String,
    terms: Terms,
    /// The connection of whoever keeps the books, while it is of use.
    desk: Mutex<Option<D::Database>>,
    /// Whether the tables are ours, and so to be removed.
    owns_tables: bool,
    /// The private server, if it is one. Last, so that it is there until everything else is gone.
    nest: Option<Nest>,
}

impl<D: Dialer> SqlServer<D> {
    /// Makes the tables.
    pub(in crate::stores) fn open(
        dialer: D,
        url: String,
        nest: Option<Nest>,
        terms: &Terms,
    ) -> Result<Self, Error> {
        let terms = terms.clone();
        let mut server = Self {
            dialer,
            url,
            version: String::new(),
            terms,
            desk: Mutex::default(),
            owns_tables: false,
            nest,
        };
        let mut database = server.dial()?;
        server.version = D::version(&mut database).map_err(cannot)?;
        books::create(&mut database, &server.terms).map_err(|error| {
            Error::world(format!(
                "cannot make the tables oversell_sim_*: {}\n       if an earlier run was killed, drop them: \
                 DROP TABLE oversell_sim_shelf, oversell_sim_orders, oversell_sim_holds",
                error.text()
            ))
        })?;
        server.owns_tables = true;
        Ok(server)
    }

    /// Does something at the desk; with a new connection, if the one that was there is of no more use.
    fn at_desk<T>(
        &self,
        work: impl Fn(&mut D::Database) -> Result<T, SqlError>,
    ) -> Result<T, Error> {
        let mut desk = self.desk.lock();
        if let Some(database) = &mut *desk {
            match work(database) {
                Err(SqlError::Lost(_)) => *desk = None,
                done => return done.map_err(cannot),
            }
        }
        work(desk.insert(self.dial()?)).map_err(cannot)
    }

    fn dial(&self) -> Result<D::Database, Error> {
        self.dialer.dial(&self.terms).map_err(|error| {
            match self.nest.as_ref().and_then(Nest::obituary) {
                Some(said) => Error::world(format!("{error}\n       the server has ended: {said}")),
                None => error,
            }
        })
    }
}

/// Somebody who watches the others.
struct Watcher<D>(D);

impl<D: Database> Watch for Watcher<D> {
    fn waits(&mut self) -> Result<Waits, Error> {
        self.0.waits().map_err(cannot)
    }
}

/// What a server that had to go along has said.
fn cannot(error: SqlError) -> Error {
    Error::world(error.text())
}

impl<D: Dialer> Server for SqlServer<D> {
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
        Ok(Box::new(SqlLink::new(self.dial()?, self.terms.clone())))
    }

    fn connect_held(&self, seat: Seat, holds_statements: bool) -> Result<Box<dyn Link>, Error> {
        let database = self.dial()?;
        held::link(database, seat, D::KIND, &self.terms, holds_statements).map_err(cannot)
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(Watcher(self.dial()?)))
    }

    fn stock_up(&self, opening: Opening) -> Result<(), Error> {
        self.at_desk(|database| books::stock_up(database, &self.terms, opening))
    }

    fn take_stock(&self, opening: Opening) -> Result<Books, Error> {
        self.at_desk(|database| books::take_stock(database, &self.terms, opening))
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        match &self.nest {
            Some(nest) => nest.kill_and_restart(0, &self.terms.control, || self.dial().is_ok()),
            None => Err(is_not_ours()),
        }
    }
}

impl<D: Dialer> Drop for SqlServer<D> {
    fn drop(&mut self) {
        // A private server goes with everything that is in it.
        if self.owns_tables && self.nest.is_none() {
            let _ = self.dial().map(|mut database| database.run(Statement::Drop));
        }
    }
}
