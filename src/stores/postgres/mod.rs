//! Stock in a PostgreSQL server.

mod connection;
mod server;

use tokio_postgres::Config;

use super::private::Nest;
use super::remote::{Link, Opening, Server, Terms, is_not_ours};
use super::sql::{self, Database, SqlError, SqlLink, Statement};
use super::{Address, Books, StoreKind};
use crate::error::Error;
use connection::Connection;

pub(super) use server::PACKAGE;

/// A database in a PostgreSQL server.
pub struct Postgres {
    config: Config,
    url: String,
    version: String,
    terms: Terms,
    /// Whether the tables are ours, and so to be removed.
    owns_tables: bool,
    /// The private server, if it is one. Last, so that it is there until everything else is gone.
    nest: Option<Nest>,
}

impl Postgres {
    /// Starts a private server, or finds the one that the address names, and makes the tables.
    ///
    /// # Errors
    /// [`Error::Input`] for a URL that cannot be, [`Error::World`] when the server cannot be started or
    /// reached, or the tables cannot be made.
    pub fn open(address: &Address, terms: &Terms) -> Result<Self, Error> {
        let (url, nest) = match &address.url {
            Some(url) => (url.clone(), None),
            None => {
                let (url, nest) = server::start(terms)?;
                (url, Some(nest))
            }
        };
        let config = server::config(&url, address)?;
        let terms = terms.clone();
        let mut postgres =
            Self { config, url, version: String::new(), terms, owns_tables: false, nest };
        let mut connection = postgres.dial()?;
        postgres.version = format!("PostgreSQL {}", connection.version());
        sql::create(&mut connection, &postgres.terms).map_err(sql::cannot_create)?;
        postgres.owns_tables = true;
        Ok(postgres)
    }

    fn dial(&self) -> Result<Connection, Error> {
        Connection::open(&self.config, &self.terms)
    }
}

/// What a server that had to go along has said.
fn cannot(error: SqlError) -> Error {
    Error::world(error.text())
}

impl Server for Postgres {
    fn kind(&self) -> StoreKind {
        StoreKind::Postgres
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

    fn stock_up(&self, opening: Opening) -> Result<(), Error> {
        sql::stock_up(&mut self.dial()?, &self.terms, opening).map_err(cannot)
    }

    fn take_stock(&self, opening: Opening) -> Result<Books, Error> {
        sql::take_stock(&mut self.dial()?, &self.terms, opening).map_err(cannot)
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        match &self.nest {
            Some(nest) => nest.kill_and_restart(0, &self.terms.control, || self.dial().is_ok()),
            None => Err(is_not_ours()),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A private server goes with everything that is in it.
        if self.owns_tables && self.nest.is_none() {
            let _ = self.dial().map(|mut connection| connection.run(Statement::Drop));
        }
    }
}
