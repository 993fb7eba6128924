//! A database that speaks SQL, behind an application.

use std::sync::Arc;

use parking_lot::RwLock;

use super::independence::{Catalog, Overlaps, Witness};
use super::sight::SqlSight;
use super::speaker::{Known, NO_TRIGGERS};
use super::{Database, Dialer, SqlError, Statement, hold};
use crate::base::error::Error;
use crate::describe::checkout::{Answer, Value};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::proxy::{Behind, Sight, Wire};
use crate::scheduler::Waits;
use crate::stores::backing::{Backing, Door};
use crate::stores::private::Nest;
use crate::stores::remote::Terms;

/// A database whose tables can be kept and put back.
pub(in crate::stores) trait Keepsake: Database {
    /// How far transactions are kept apart where nobody says.
    fn usual_isolation(&mut self) -> Result<Isolation, SqlError>;

    /// Keeps every table as it is.
    fn keep(&mut self) -> Result<(), SqlError>;

    /// Puts back what has changed since.
    fn put_back(&mut self) -> Result<(), SqlError>;

    /// Throws away what was kept.
    fn forget(&mut self) -> Result<(), SqlError>;

    /// Has transactions of new connections kept apart so far; what each connection has to be told for that.
    fn raise(&mut self, isolation: Isolation) -> Result<Vec<(String, String)>, SqlError>;

    /// Who follows the protocol on a new connection, which begins with these settings.
    fn wire(settings: Vec<(String, String)>) -> Box<dyn Wire>;
}

/// One.
pub(in crate::stores) struct SqlBacking<D: Dialer<Database: Keepsake>> {
    desk: D::Database,
    /// What the server says of statements, over a connection of its own.
    witness: Arc<Witness>,
    door: Door,
    version: String,
    isolation: Isolation,
    known: Arc<RwLock<Known>>,
    may_hold_inside: bool,
    settings: Arc<RwLock<Vec<(String, String)>>>,
    has_kept: bool,
    /// The private server, if it is one.
    nest: Option<Nest>,
}

impl<D: Dialer<Database: Keepsake>> SqlBacking<D> {
    /// Sits down at the desk. Every connection through a proxy begins with these settings.
    pub(in crate::stores) fn open(
        dialer: &D,
        door: Door,
        nest: Option<Nest>,
        settings: Vec<(String, String)>,
        terms: &Terms,
    ) -> Result<Self, Error> {
        let mut desk = dialer.dial(terms)?;
        let version = D::version(&mut desk).map_err(SqlError::into_error)?;
        let isolation = desk.usual_isolation().map_err(SqlError::into_error)?;
        let mut asked = dialer.dial(terms)?;
        let witness = Arc::new(Witness::asking(Box::new(move |text| asked.opens(text))));
        let (known, settings) = (Arc::default(), Arc::new(RwLock::new(settings)));
        let may_hold_inside = terms.hold_inside && (nest.is_some() || terms.allow_triggers);
        let has_kept = false;
        Ok(Self {
            desk,
            witness,
            door,
            version,
            isolation,
            known,
            may_hold_inside,
            settings,
            has_kept,
            nest,
        })
    }
}

impl<D: Dialer<Database: Keepsake>> Backing for SqlBacking<D> {
    fn version(&self) -> &str {
        &self.version
    }

    fn door(&self) -> &Door {
        &self.door
    }

    fn run_file(&mut self, text: &str) -> Result<(), String> {
        self.desk.run_file(text).map_err(SqlError::text)
    }

    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, String> {
        self.desk.ask(text, value_of).map_err(SqlError::text)
    }

    fn waits(&mut self) -> Result<Waits, String> {
        self.desk.waits().map_err(SqlError::text)
    }

    fn get_to_know(&mut self, first: usize) -> Result<Vec<String>, String> {
        let parts =
            hold::asked(&mut self.desk, Statement::RoomParts, true).map_err(SqlError::text)?;
        let catalog = Catalog::of(D::KIND, &parts, self.isolation, std::iter::empty(), first);
        let names = catalog.names();
        if self.may_hold_inside {
            hold::install(&mut self.desk, true).map_err(SqlError::text)?;
        }
        *self.known.write() = Known {
            catalog: Arc::new(catalog),
            witness: Arc::clone(&self.witness),
            holds_inside: self.may_hold_inside,
            unheld: NO_TRIGGERS,
            overlaps: Overlaps::default(),
            // Sessions are the application's own.
            may_leave_traces: false,
        };
        Ok(names)
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), String> {
        self.desk.hold_inside(session).map_err(SqlError::text)
    }

    fn let_act(&mut self, session: i64) -> Result<(), String> {
        self.desk.let_act(session).map_err(SqlError::text)
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), String> {
        self.desk.hold_no_more(session).map_err(SqlError::text)
    }

    fn learned(&mut self) -> Result<i64, String> {
        match self.may_hold_inside {
            true => self.desk.learned().map_err(SqlError::text),
            false => Ok(0),
        }
    }

    fn overlaps(&self) -> Vec<String> {
        self.known.read().overlaps.told()
    }

    fn keep(&mut self) -> Result<(), String> {
        self.has_kept = true;
        self.desk.keep().map_err(SqlError::text)
    }

    fn put_back(&mut self) -> Result<(), String> {
        self.desk.put_back().map_err(SqlError::text)
    }

    fn raise(&mut self, isolation: Isolation) -> Result<(), String> {
        if isolation <= self.isolation {
            return Ok(());
        }
        let settings = self.desk.raise(isolation).map_err(SqlError::text)?;
        self.settings.write().extend(settings);
        self.isolation = isolation;
        Ok(())
    }

    fn behind(&self, first_session: i64) -> Behind {
        let (known, settings) = (Arc::clone(&self.known), Arc::clone(&self.settings));
        let kind: StoreKind = D::KIND;
        Behind {
            target: self.door.target.clone(),
            first_session,
            wire: Box::new(move || D::Database::wire(settings.read().clone())),
            sight: Box::new(move || Box::new(SqlSight::new(kind, &known)) as Box<dyn Sight>),
        }
    }
}

impl<D: Dialer<Database: Keepsake>> Drop for SqlBacking<D> {
    fn drop(&mut self) {
        // A private server goes with everything that is in it.
        if self.may_hold_inside && self.nest.is_none() {
            let _ = hold::remove(&mut self.desk);
        }
        if self.has_kept && self.nest.is_none() {
            let _ = self.desk.forget();
        }
    }
}
