//! What a server's tables are for: our shop, or somebody's own.

use std::sync::Arc;

use parking_lot::Mutex;

use super::independence::{Catalog, Overlaps};
use super::speaker::Known;
use super::{Database, SqlError, SqlLink, Statement, books, held, hold};
use crate::base::error::Error;
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use crate::stores::remote::{Link, Opening, Terms};

/// Whose tables are in a server.
pub(in crate::stores) trait Tables: Send + Sync {
    /// Makes them.
    fn make<D: Database>(&self, database: &mut D, terms: &Terms) -> Result<(), Error>;

    /// Gets a connection ready for them.
    fn enter(&self, database: &mut impl Database, terms: &Terms) -> Result<(), SqlError>;

    /// Whether triggers hold statements inside the server.
    fn holds_inside(&self) -> bool;

    /// Statements that others can overlap with in ways that were not run, each with why.
    fn overlaps(&self) -> Vec<String> {
        Vec::new()
    }

    /// Removes them.
    fn remove<D: Database>(&self, database: &mut D) -> Result<(), SqlError>;

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

    /// The same with a handle to the gate, where its every statement is held, or only it itself.
    fn link_held<D: Database + 'static>(
        &self,
        database: D,
        handle: BuyerHandle,
        terms: &Terms,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError>;
}

/// Why our own statements are not held inside of a server that is not private.
const IN_PRIVATE: &str = "it is only held inside of a private server; leave out --url";

/// Our own.
pub(in crate::stores) struct Ours {
    kind: StoreKind,
    known: Mutex<Known>,
}

impl Ours {
    /// At this store.
    pub(in crate::stores) fn at(kind: StoreKind) -> Self {
        let catalog = Arc::new(Catalog::unknown(kind));
        Self { kind, known: Mutex::new(Known { catalog, ..Known::default() }) }
    }

    /// Asks what there is, and has changes held inside the server, where that is wanted and allowed.
    fn get_to_know<D: Database>(&self, database: &mut D, terms: &Terms) -> Result<(), SqlError> {
        let parts = hold::asked(database, Statement::RoomParts, terms.is_private)?;
        let catalog = Catalog::of(self.kind, &parts, terms.isolation, std::iter::empty(), 0);
        // Tables that are none of ours, in a server that is none of ours, are left alone.
        let holds_inside = terms.may_hold_inside() && terms.is_private;
        if holds_inside && self.kind != StoreKind::Sqlite {
            hold::install(database, true)?;
        }
        let (catalog, overlaps) = (Arc::new(catalog), Overlaps::default());
        *self.known.lock() =
            Known { catalog, holds_inside, unheld: IN_PRIVATE, overlaps, ..Known::default() };
        Ok(())
    }
}

impl Tables for Ours {
    fn make<D: Database>(&self, database: &mut D, terms: &Terms) -> Result<(), Error> {
        books::create(database, terms).map_err(|error| {
            Error::world(format!(
                "cannot make the tables oversell_sim_*: {}\n       if an earlier run was killed, drop them: \
                 DROP TABLE oversell_sim_shelf, oversell_sim_orders, oversell_sim_holds",
                error.text()
            ))
        })?;
        match terms.hold_inside {
            true => self.get_to_know(database, terms).map_err(SqlError::into_error),
            false => Ok(()),
        }
    }

    fn holds_inside(&self) -> bool {
        self.known.lock().holds_inside
    }

    fn overlaps(&self) -> Vec<String> {
        self.known.lock().overlaps.told()
    }

    fn enter(&self, _: &mut impl Database, _: &Terms) -> Result<(), SqlError> {
        Ok(())
    }

    fn remove<D: Database>(&self, database: &mut D) -> Result<(), SqlError> {
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
        handle: BuyerHandle,
        terms: &Terms,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError> {
        held::link(database, handle, self.known.lock().clone(), terms, holds_statements)
    }
}
