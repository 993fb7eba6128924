//! The two stores of a described checkout, behind one scheduler: an SQL database, and Redis beside it.

mod executor;
mod watch;

use std::sync::Arc;

use super::remote::{
    Fixture, Lesson, Link, OverlapNotes, Remarks, Server, StepConnection, StepServer, StoreConfig,
    Watch,
};
use crate::base::error::Error;
use crate::describe::checkout::{Call, Checkout, Shelves, Values};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use executor::PairExecutor;
use watch::PairWatch;

/// What the second store is called among the tables of the first.
const REDIS: &str = "Redis";

/// How many stores there are.
const STORES: usize = 2;

/// The place of the store to which a call is sent: the database is the first.
fn place_of(call: &Call) -> usize {
    match call {
        Call::Sql(_) => 0,
        // The reader of the checkout file has made sure that everything else is for Redis.
        Call::Redis(_) | Call::Lua { .. } | Call::Http(_) | Call::Program(_) | Call::Code(_) => 1,
    }
}

/// An SQL database and Redis.
pub(super) struct StorePair {
    checkout: Arc<Checkout>,
    shelves: Arc<Shelves>,
    version: String,
    terms: StoreConfig,
    stores: [Box<dyn StepServer>; STORES],
}

impl StorePair {
    /// The stores of this checkout.
    pub(super) fn of(
        checkout: &Arc<Checkout>,
        database: Box<dyn StepServer>,
        redis: Box<dyn StepServer>,
        terms: &StoreConfig,
    ) -> Self {
        let version = format!("{} and {}", database.version(), redis.version());
        Self {
            checkout: Arc::clone(checkout),
            shelves: Arc::default(),
            version,
            terms: terms.clone(),
            stores: [database, redis],
        }
    }

    fn database(&self) -> &dyn StepServer {
        &*self.stores[0]
    }

    fn store_of(&self, call: &Call) -> &dyn StepServer {
        &*self.stores[place_of(call)]
    }

    fn link(&self, handle: Option<BuyerHandle>) -> Result<Box<dyn Link>, Error> {
        let executor = PairExecutor::open(&self.stores, handle.clone())?;
        let (checkout, shelves) = (Arc::clone(&self.checkout), Arc::clone(&self.shelves));
        Ok(Box::new(StepConnection::new(executor, checkout, shelves, self.terms.clone(), handle)))
    }

    fn mistaken(&self, key: &str, why: &str) -> Error {
        Error::input(format!("{}: `{key}`: {why}", self.checkout.path))
    }
}

impl Server for StorePair {
    fn kind(&self) -> StoreKind {
        self.database().kind()
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        let [database, redis] = &self.stores;
        format!("{} and {}", database.url(), redis.url())
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        self.link(None)
    }

    fn connect_held(&self, handle: BuyerHandle, _: bool) -> Result<Box<dyn Link>, Error> {
        self.link(Some(handle))
    }

    fn part_names(&self) -> Vec<String> {
        let mut names = self.database().part_names();
        names.push(REDIS.to_owned());
        names
    }

    fn remarks(&self) -> Remarks {
        let [database, redis] = &self.stores;
        database.remarks().and(redis.remarks())
    }

    fn learned(&self) -> Result<i64, Error> {
        self.database().learned()
    }

    fn lessons(&self) -> Result<Vec<Lesson>, Error> {
        self.database().lessons()
    }

    fn teach(&self, lessons: &[Lesson]) -> Result<(), Error> {
        self.database().teach(lessons)
    }

    fn overlap_notes(&self) -> Vec<OverlapNotes> {
        self.database().overlap_notes()
    }

    fn add_overlap_notes(&self, notes: &[OverlapNotes]) {
        self.database().add_overlap_notes(notes);
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        let [database, redis] = &self.stores;
        Ok(Box::new(PairWatch::of([database.watch()?, redis.watch()?])))
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        self.terms.show_begins();
        let Fixture { stock, buyers, is_small, .. } = opening;
        self.stores.iter().try_for_each(|store| store.reset(is_small))?;
        let ask =
            |key: &str, call: &Call, values: Values<'_>| self.store_of(call).ask(key, call, values);
        let mistaken = |key: &str, why: String| self.mistaken(key, &why);
        *self.shelves.write() = self.checkout.set_up(stock, buyers, ask, mistaken)?;
        // Deadlocks of an execution that was given up do not count.
        self.terms.take_deadlocks();
        Ok(())
    }

    fn take_stock(&self, _: Fixture) -> Result<Books, Error> {
        let shelves = self.shelves.read().clone();
        let ask = |key: &str, call: &Call| self.store_of(call).look(key, call);
        let mistaken = |key: &str, why: String| self.mistaken(key, &why);
        let books = self.checkout.look_into(&shelves, ask, mistaken)?;
        let (trouble, deadlocks) = (self.terms.take_trouble(), self.terms.take_deadlocks());
        Ok(Books { trouble, deadlocks, ..books })
    }

    /// Kills one of the two: the database first, and then each in turn.
    fn kill_and_restart(&self, number: u32) -> Result<(), Error> {
        let turn = number as usize;
        self.stores[turn % STORES].kill_and_restart(number / STORES as u32)
    }
}
