//! What a server's tables are for: our shop, or somebody's own.

use super::{Database, SqlError, SqlLink, Statement, books, held};
use crate::error::Error;
use crate::stores::Books;
use crate::stores::remote::{Link, Opening, Seat, Terms};

/// Whose tables are in a server.
pub(in crate::stores) trait Tables: Send + Sync {
    /// Makes them.
    fn make<D: Database>(&self, database: &mut D, terms: &Terms) -> Result<(), Error>;

    /// Gets a connection ready for them.
    fn enter(&self, database: &mut impl Database, terms: &Terms) -> Result<(), SqlError>;

    /// Removes them.
    fn remove(&self, database: &mut impl Database) -> Result<(), SqlError>;

    /// Throws away what is in them, and puts up shelves.
    fn stock_up(
        &self,
        database: &mut impl Database,
        terms: &Terms,
        opening: Opening,
    ) -> Result<(), SqlError>;

    /// What is in them.
    fn take_stock(
        &self,
        database: &mut impl Database,
        terms: &Terms,
        opening: Opening,
    ) -> Result<Books, SqlError>;

    /// A buyer's link over a connection.
    fn link<D: Database + 'static>(&self, database: D, terms: &Terms) -> Box<dyn Link>;

    /// The same with a seat at a turnstile, where its every statement is held, or only it itself.
    fn link_held<D: Database + 'static>(
        &self,
        database: D,
        seat: Seat,
        terms: &Terms,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError>;
}

/// Our own.
pub(in crate::stores) struct Ours(pub(in crate::stores) crate::stores::StoreKind);

impl Tables for Ours {
    fn make<D: Database>(&self, database: &mut D, terms: &Terms) -> Result<(), Error> {
        books::create(database, terms).map_err(|error| {
            Error::world(format!(
                "cannot make the tables oversell_sim_*: {}\n       if an earlier run was killed, drop them: \
                 DROP TABLE oversell_sim_shelf, oversell_sim_orders, oversell_sim_holds",
                error.text()
            ))
        })
    }

    fn enter(&self, _: &mut impl Database, _: &Terms) -> Result<(), SqlError> {
        Ok(())
    }

    fn remove(&self, database: &mut impl Database) -> Result<(), SqlError> {
        database.run(Statement::Drop)
    }

    fn stock_up(
        &self,
        database: &mut impl Database,
        terms: &Terms,
        opening: Opening,
    ) -> Result<(), SqlError> {
        books::stock_up(database, terms, opening)
    }

    fn take_stock(
        &self,
        database: &mut impl Database,
        terms: &Terms,
        opening: Opening,
    ) -> Result<Books, SqlError> {
        books::take_stock(database, terms, opening)
    }

    fn link<D: Database + 'static>(&self, database: D, terms: &Terms) -> Box<dyn Link> {
        Box::new(SqlLink::new(database, terms.clone()))
    }

    fn link_held<D: Database + 'static>(
        &self,
        database: D,
        seat: Seat,
        terms: &Terms,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError> {
        held::link(database, seat, self.0, terms, holds_statements)
    }
}
