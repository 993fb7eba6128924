//! The tables in a server: those of our own shop, or those of a user's checkout.

use std::sync::Arc;

use parking_lot::Mutex;

use super::executor::DatabaseInfo;
use super::independence::{Catalog, Overlaps};
use super::{Database, SqlError, SqlLink, Statement, books, held, hold_triggers};
use crate::base::error::Error;
#[cfg(feature = "cli")]
use crate::describe::checkout::ProductStock;
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use crate::stores::remote::{Fixture, Link, Scan, StoreConfig};

/// What is done with the tables in a server.
pub(in crate::stores) trait Tables: Send + Sync {
    /// Creates the tables.
    fn make<D: Database>(&self, database: &mut D, terms: &StoreConfig) -> Result<(), Error>;

    /// Prepares a connection for the tables.
    fn enter(&self, database: &mut impl Database, terms: &StoreConfig) -> Result<(), SqlError>;

    /// Whether triggers hold statements inside the server.
    fn holds_inside(&self) -> bool;

    /// The names of the tables, in the order of their numbers; empty if they are ours.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// How many ways of seeing in which order rows were written were met so far.
    fn scans(&self) -> i64 {
        0
    }

    /// Each of these ways, at the place that is its number.
    fn all_scans(&self) -> Vec<Scan> {
        Vec::new()
    }

    /// Replaces them.
    fn replace_scans(&self, _scans: Vec<Scan>) {}

    /// Statements that can overlap with others in ways that were not explored.
    fn overlaps(&self) -> Overlaps;

    /// Removes the tables.
    fn remove<D: Database>(&self, database: &mut D) -> Result<(), SqlError>;

    /// Deletes what is in the tables, and creates the initial stock.
    fn stock_up(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        opening: Fixture,
    ) -> Result<(), SqlError>;

    /// See [`Server::products`](crate::stores::remote::Server::products).
    #[cfg(feature = "cli")]
    fn products(&self) -> Vec<ProductStock> {
        Vec::new()
    }

    /// See [`Server::take_over`](crate::stores::remote::Server::take_over).
    #[cfg(feature = "cli")]
    fn take_over<D: Database>(
        &self,
        _database: &mut D,
        _terms: &StoreConfig,
        _products: &[ProductStock],
    ) -> Result<(), SqlError> {
        Ok(())
    }

    /// Reads the tables for the audit.
    fn take_stock(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        opening: Fixture,
    ) -> Result<Books, SqlError>;

    /// A buyer's link over a connection.
    fn link<D: Database + 'static>(&self, database: D, terms: &StoreConfig) -> Box<dyn Link>;

    /// A buyer's link with a handle to the gate. The gate holds each of its statements if `holds_statements`, else only
    /// the buyer itself.
    fn link_held<D: Database + 'static>(
        &self,
        database: D,
        handle: BuyerHandle,
        terms: &StoreConfig,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError>;
}

/// Why our own statements are not held inside of a server that is not private.
const IN_PRIVATE: &str = "it is only held inside of a private server; leave out --url";

/// The tables of our own shop.
pub(in crate::stores) struct BuiltinTables {
    kind: StoreKind,
    known: Mutex<DatabaseInfo>,
}

impl BuiltinTables {
    /// Our own tables at this store.
    pub(in crate::stores) fn at(kind: StoreKind) -> Self {
        let catalog = Arc::new(Catalog::unknown(kind));
        Self { kind, known: Mutex::new(DatabaseInfo { catalog, ..DatabaseInfo::default() }) }
    }

    /// Reads which tables there are, and installs the triggers that hold changes inside the server, if that is wanted
    /// and allowed.
    fn get_to_know<D: Database>(
        &self,
        database: &mut D,
        terms: &StoreConfig,
    ) -> Result<(), SqlError> {
        let parts = hold_triggers::asked(database, Statement::RoomParts, terms.is_private)?;
        let catalog =
            Catalog::of(self.kind, &parts, terms.settings.isolation, std::iter::empty(), 0);
        // Other tables in a server that this run did not start get no triggers.
        let holds_inside = terms.may_hold_inside() && terms.is_private;
        if holds_inside && self.kind != StoreKind::Sqlite {
            hold_triggers::install(database, true)?;
        }
        let (catalog, overlaps) = (Arc::new(catalog), Overlaps::default());
        *self.known.lock() = DatabaseInfo {
            catalog,
            holds_inside,
            unheld: IN_PRIVATE,
            overlaps,
            ..DatabaseInfo::default()
        };
        Ok(())
    }
}

impl Tables for BuiltinTables {
    fn make<D: Database>(&self, database: &mut D, terms: &StoreConfig) -> Result<(), Error> {
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

    fn overlaps(&self) -> Overlaps {
        self.known.lock().overlaps.clone()
    }

    fn enter(&self, _: &mut impl Database, _: &StoreConfig) -> Result<(), SqlError> {
        Ok(())
    }

    fn remove<D: Database>(&self, database: &mut D) -> Result<(), SqlError> {
        database.run(Statement::Drop)
    }

    fn stock_up(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        opening: Fixture,
    ) -> Result<(), SqlError> {
        books::stock_up(database, terms, opening)
    }

    fn take_stock(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        opening: Fixture,
    ) -> Result<Books, SqlError> {
        books::take_stock(database, terms, opening)
    }

    fn link<D: Database + 'static>(&self, database: D, terms: &StoreConfig) -> Box<dyn Link> {
        Box::new(SqlLink::new(database, terms.clone()))
    }

    fn link_held<D: Database + 'static>(
        &self,
        database: D,
        handle: BuyerHandle,
        terms: &StoreConfig,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, SqlError> {
        held::link(database, handle, self.known.lock().clone(), terms, holds_statements)
    }
}
