//! The tables of a user's checkout, in a schema or database that is made for them: created from files, emptied and
//! filled again for every execution, and read by audit queries that are no part of the checkout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::executor::{DatabaseInfo, NO_TRIGGERS, SqlExecutor};
use super::hold_triggers::{self, asked, listed};
use super::independence::{Catalog, Overlaps, Witness};
use super::{Database, SqlError, Statement, Tables, traces};
use crate::base::error::Error;
use crate::base::text::sql::{ScriptPlace, script_fault};
use crate::describe::checkout::{Answer, Call, Checkout, Script, Shelves, StoreValue, Values};
#[cfg(feature = "cli")]
use crate::describe::checkout::{Audit, ProductStock};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use crate::stores::remote::{Fixture, Link, Scan, StepConnection, StoreConfig};

/// The tables of a described checkout.
pub(in crate::stores) struct CheckoutTables {
    checkout: Arc<Checkout>,
    kind: StoreKind,
    shelves: Arc<Shelves>,
    known: Mutex<DatabaseInfo>,
    empties: Mutex<Empties>,
    /// Whether the schema has run.
    has_built: AtomicBool,
    /// Whether the seed has run.
    has_seeded: AtomicBool,
}

/// The statements that empty all tables.
#[derive(Clone, Default)]
struct Empties {
    /// For any number of rows.
    many: Vec<String>,
    /// For a few rows, if nothing else happens when one is deleted.
    few: Vec<String>,
}

impl CheckoutTables {
    /// The tables of this checkout, at this store.
    pub(in crate::stores) fn of(checkout: &Arc<Checkout>, kind: StoreKind) -> Self {
        let checkout = Arc::clone(checkout);
        let (shelves, known, empties) = (Arc::default(), Mutex::default(), Mutex::default());
        let (has_built, has_seeded) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { checkout, kind, shelves, known, empties, has_built, has_seeded }
    }

    fn build(&self, database: &mut impl Database, terms: &StoreConfig) -> Result<(), SqlError> {
        database.enter_room(terms.settings.isolation)?;
        run_script(database, self.kind, self.checkout.schema.as_ref(), &self.has_built)
    }

    /// Restores the data that the files create.
    pub(super) fn furnish<D: Database>(
        &self,
        database: &mut D,
        terms: &StoreConfig,
        is_small: bool,
    ) -> Result<(), SqlError> {
        self.known.lock().overlaps.begin_order();
        match &self.checkout.seed {
            Some(seed) => {
                let Empties { many, few } = self.empties.lock().clone();
                for statement in if is_small { few } else { many } {
                    database.ask(&statement, &|_| StoreValue::Null)?;
                }
                run_script(database, self.kind, Some(seed), &self.has_seeded)?;
            }
            // Rows that the schema itself has inserted can only be restored by running the schema again.
            None => {
                for statement in listed(database, D::text(Statement::RoomRaze), terms.is_private)? {
                    database.ask(&statement, &|_| StoreValue::Null)?;
                }
                self.build(database, terms)?;
                self.hold_inside(database, terms)?;
            }
        }
        Ok(())
    }

    /// Runs a setup or audit query of the checkout file; an SQL error names the key.
    pub(super) fn ask(
        &self,
        key: &str,
        database: &mut impl Database,
        call: &Call,
        value_of: Values<'_>,
    ) -> Result<Answer, SqlError> {
        let Call::Sql(sql) = call else { return Ok(Answer::default()) };
        database.ask(&sql.text, value_of).map_err(|error| match error {
            SqlError::Lost(_) => error,
            error => self.mistaken(key, &error.text()),
        })
    }

    /// Runs a query of the audit, and notes in which order it sees rows.
    pub(super) fn look(
        &self,
        key: &str,
        database: &mut impl Database,
        call: &Call,
    ) -> Result<Answer, SqlError> {
        if let Call::Sql(sql) = call {
            let catalog = Arc::clone(&self.known.lock().catalog);
            catalog.note_question(&sql.text);
        }
        self.ask(key, database, call, &|_| StoreValue::Null)
    }

    fn mistaken(&self, key: &str, why: &str) -> SqlError {
        SqlError::Mistaken(format!("{}: `{key}`: {why}", self.checkout.path))
    }

    /// Reads which tables there are, and how they are emptied.
    fn get_to_know<D: Database>(
        &self,
        database: &mut D,
        terms: &StoreConfig,
    ) -> Result<(), SqlError> {
        let parts = asked(database, Statement::RoomParts, terms.is_private)?;
        let many = listed(database, D::text(Statement::RoomEmpty), terms.is_private)?;
        let mut few = listed(database, D::text(Statement::RoomClear), terms.is_private)?;
        let steps = self.checkout.roles.iter().flat_map(|role| &role.steps);
        let expiry = self.checkout.expiry.iter().map(|expiry| &expiry.call);
        let calls = steps.map(|step| &step.call).chain(expiry);
        let texts = calls.filter_map(|call| match call {
            Call::Sql(sql) => Some(sql.text.as_str()),
            Call::Redis(_)
            | Call::Lua { .. }
            | Call::Http(_)
            | Call::Program(_)
            | Call::Code(_) => None,
        });
        let may_leave = texts.clone().any(|text| traces::may_leave(self.kind, text));
        let catalog =
            Arc::new(Catalog::of(self.kind, &parts, terms.settings.isolation, texts.clone(), 0));
        let opening = texts.filter(|text| catalog.may_ask_for(&catalog.read(text)));
        let opens = |text: &str| database.opens(text);
        let witness = Arc::new(Witness::of(self.kind.dialect(), opening, opens));
        // What a trigger or a function does is not known.
        let may_leave_traces = catalog.has_code() || may_leave;
        if let Some(query) = D::tidies_up(catalog.isolation()) {
            few.extend(listed(database, query, terms.is_private)?);
        }
        let few = if catalog.has_code() { many.clone() } else { few };
        *self.empties.lock() = Empties { many, few };
        let (holds_inside, overlaps) = (terms.may_hold_inside(), Overlaps::default());
        *self.known.lock() = DatabaseInfo {
            catalog,
            witness,
            holds_inside,
            unheld: NO_TRIGGERS,
            may_leave_traces,
            overlaps,
            others: terms.settings.buyers.saturating_sub(1),
        };
        self.hold_inside(database, terms)
    }

    /// Installs the triggers that hold changes inside the server, if that is wanted and allowed.
    fn hold_inside<D: Database>(
        &self,
        database: &mut D,
        terms: &StoreConfig,
    ) -> Result<(), SqlError> {
        match self.kind != StoreKind::Sqlite && terms.may_hold_inside() {
            true => hold_triggers::install(database, terms.is_private),
            false => Ok(()),
        }
    }

    /// A connection over which steps are sent.
    pub(super) fn executor<D: Database>(&self, database: D) -> SqlExecutor<D> {
        SqlExecutor::new(database, self.known.lock().clone())
    }

    fn step_link<D: Database>(
        &self,
        database: D,
        terms: &StoreConfig,
        handle: Option<BuyerHandle>,
    ) -> StepConnection<SqlExecutor<D>> {
        let executor = self.executor(database);
        let shelves = Arc::clone(&self.shelves);
        StepConnection::new(executor, Arc::clone(&self.checkout), shelves, terms.clone(), handle)
    }
}

/// Runs a file beside the checkout, and says where it is wrong. It runs anew for each order: one that has succeeded once is
/// not looked at so closely again.
fn run_script(
    database: &mut impl Database,
    kind: StoreKind,
    script: Option<&Script>,
    has_succeeded: &AtomicBool,
) -> Result<(), SqlError> {
    let Some(Script { path, text }) = script else { return Ok(()) };
    let run = match has_succeeded.load(Ordering::Relaxed) {
        true => database.run_file(text).map_err(|error| (error, ScriptPlace::Unknown)),
        false => database.run_script(text),
    };
    has_succeeded.fetch_or(run.is_ok(), Ordering::Relaxed);
    run.map_err(|(error, place)| match error {
        SqlError::Lost(_) => error,
        error => SqlError::Mistaken(script_fault(kind.dialect(), path, text, place, &error.text())),
    })
}

impl Tables for CheckoutTables {
    fn make<D: Database>(&self, database: &mut D, terms: &StoreConfig) -> Result<(), Error> {
        database.run(Statement::RoomMake).map_err(|error| {
            Error::world(format!(
                "cannot make a place for the checkout's tables, oversell_sim_checkout: {}\n       if an earlier run \
                 was killed, remove it: {}",
                error.text(),
                D::text(Statement::RoomLeave).trim_end()
            ))
        })?;
        let made = self.build(database, terms).and_then(|()| self.get_to_know(database, terms));
        made.map_err(|error| {
            let _ = database.run(Statement::RoomLeave);
            error.into_error()
        })
    }

    fn enter(&self, database: &mut impl Database, terms: &StoreConfig) -> Result<(), SqlError> {
        database.enter_room(terms.settings.isolation)
    }

    fn holds_inside(&self) -> bool {
        self.known.lock().holds_inside
    }

    fn names(&self) -> Vec<String> {
        self.known.lock().catalog.names()
    }

    fn scans(&self) -> i64 {
        self.known.lock().catalog.scans()
    }

    fn all_scans(&self) -> Vec<Scan> {
        self.known.lock().catalog.all_scans()
    }

    fn replace_scans(&self, scans: Vec<Scan>) {
        self.known.lock().catalog.replace_scans(scans);
    }

    fn overlaps(&self) -> Overlaps {
        self.known.lock().overlaps.clone()
    }

    fn remove<D: Database>(&self, database: &mut D) -> Result<(), SqlError> {
        if self.known.lock().holds_inside {
            hold_triggers::remove(database)?;
        }
        database.run(Statement::RoomLeave)
    }

    fn stock_up(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        opening: Fixture,
    ) -> Result<(), SqlError> {
        terms.show_begins();
        self.furnish(database, terms, opening.is_small)?;
        let Fixture { stock, buyers, .. } = opening;
        let ask =
            |key: &str, call: &Call, values: Values<'_>| self.ask(key, database, call, values);
        let mistaken = |key: &str, why: String| self.mistaken(key, &why);
        *self.shelves.write() = self.checkout.set_up(stock, buyers, ask, mistaken)?;
        Ok(())
    }

    #[cfg(feature = "cli")]
    fn products(&self) -> Vec<ProductStock> {
        self.shelves.read().clone()
    }

    #[cfg(feature = "cli")]
    fn take_over<D: Database>(
        &self,
        database: &mut D,
        terms: &StoreConfig,
        products: &[ProductStock],
    ) -> Result<(), SqlError> {
        *self.shelves.write() = products.to_vec();
        // Whether this user may use what is there shows now, and not only when buyers fail.
        let Audit { stock, never, .. } = &self.checkout.audit;
        let stock = stock.iter().map(|call| ("audit.stock", call));
        let rules = never.iter().map(|(name, call)| (name.as_str(), call));
        if let Some((key, call)) = stock.chain(rules).next() {
            self.ask(key, database, call, &|_| StoreValue::Null)?;
        }
        self.get_to_know(database, terms)
    }

    fn take_stock(
        &self,
        database: &mut impl Database,
        terms: &StoreConfig,
        _: Fixture,
    ) -> Result<Books, SqlError> {
        let shelves = self.shelves.read().clone();
        let ask = |key: &str, call: &Call| self.look(key, database, call);
        let books = self.checkout.look_into(&shelves, ask, |key, why| self.mistaken(key, &why))?;
        Ok(Books { trouble: terms.take_trouble(), ..books })
    }

    fn link<D: Database + 'static>(&self, database: D, terms: &StoreConfig) -> Box<dyn Link> {
        Box::new(self.step_link(database, terms, None))
    }

    fn link_held<D: Database + 'static>(
        &self,
        mut database: D,
        handle: BuyerHandle,
        terms: &StoreConfig,
        _: bool,
    ) -> Result<Box<dyn Link>, SqlError> {
        database.attach(&handle)?;
        Ok(Box::new(self.step_link(database, terms, Some(handle))))
    }
}
