//! A database that speaks SQL, behind an application.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use parking_lot::RwLock;
use rustix::process::Signal;

use super::analyzer::SqlAnalyzer;
use super::executor::{DatabaseInfo, NO_TRIGGERS};
use super::independence::{Catalog, Overlaps, Witness};
use super::{Database, Dialer, SqlError, Statement, hold_triggers};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::sql::{Rewriting, ScriptPlace, script_fault};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::proxy::{StatementAnalyzer, UpstreamServer, Wire};
use crate::scheduler::Waits;
use crate::stores::private::{Beside, ServerSandbox, archive};
use crate::stores::remote::{Lesson, LockScheduling, OverlapNotes, StoreConfig};
use crate::stores::upstream::{Endpoint, UpstreamDatabase};

/// A database whose tables can be saved and restored.
pub(in crate::stores) trait Keepsake: Database {
    /// The signal by which a server ends at once, even with clients connected, and has written all its data.
    const ENDS_BY: Signal;

    /// The isolation level of transactions that name none.
    fn usual_isolation(&mut self) -> Result<Isolation, SqlError>;

    /// Whether transactions that name no level see what others have not committed yet.
    fn sees_uncommitted(&mut self) -> Result<bool, SqlError> {
        Ok(false)
    }

    /// Saves every table.
    fn keep(&mut self) -> Result<(), SqlError>;

    /// Restores what has changed since then.
    fn put_back(&mut self) -> Result<(), SqlError>;

    /// Deletes what was saved.
    fn forget(&mut self) -> Result<(), SqlError>;

    /// Raises the isolation level of transactions on new connections; returns the settings that each connection needs
    /// for that.
    fn raise(&mut self, isolation: Isolation) -> Result<Vec<(String, String)>, SqlError>;

    /// The server's own client, which runs the statements that it reads; none if it is not installed.
    fn client(endpoint: &Endpoint) -> Option<Command>;

    /// The parser of the protocol on a new connection, which begins with these settings, and into whose statements this
    /// cure is written.
    fn wire(settings: Vec<(String, String)>, rewriting: Option<Arc<Rewriting>>) -> Box<dyn Wire>;
}

/// A database that speaks SQL, behind an application.
pub(in crate::stores) struct SqlUpstream<D: Dialer<Database: Keepsake>> {
    desk: D::Database,
    /// What the server reports about statements, over a connection of its own.
    witness: Arc<Witness>,
    endpoint: Endpoint,
    version: String,
    isolation: Isolation,
    known: Arc<RwLock<DatabaseInfo>>,
    may_hold_inside: bool,
    settings: Arc<RwLock<Vec<(String, String)>>>,
    rewriting: Option<Arc<Rewriting>>,
    has_kept: bool,
    control: Control,
    /// The private server, if it is one.
    sandbox: Option<ServerSandbox>,
}

impl<D: Dialer<Database: Keepsake>> SqlUpstream<D> {
    /// Connects to the database. Every connection through a proxy begins with these settings.
    pub(in crate::stores) fn open(
        dialer: &D,
        endpoint: Endpoint,
        sandbox: Option<ServerSandbox>,
        settings: Vec<(String, String)>,
        terms: &StoreConfig,
    ) -> Result<Self, Error> {
        let mut desk = dialer.dial(terms)?;
        let version = D::version(&mut desk).map_err(SqlError::into_error)?;
        let isolation = desk.usual_isolation().map_err(SqlError::into_error)?;
        let mut asked = dialer.dial(terms)?;
        let witness = Arc::new(Witness::asking(Box::new(move |text| asked.opens(text))));
        let (known, settings) = (Arc::default(), Arc::new(RwLock::new(settings)));
        let may_hold_inside = terms.hold_inside && (sandbox.is_some() || terms.allow_triggers);
        let has_kept = false;
        Ok(Self {
            desk,
            witness,
            endpoint,
            version,
            isolation,
            known,
            may_hold_inside,
            settings,
            rewriting: terms.rewriting.clone(),
            has_kept,
            control: terms.control.clone(),
            sandbox,
        })
    }
}

impl<D: Dialer<Database: Keepsake>> UpstreamDatabase for SqlUpstream<D> {
    fn version(&self) -> &str {
        &self.version
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn archive(&mut self, control: &Control, path: &Path) -> Result<(), Error> {
        let Some(sandbox) = &self.sandbox else { return Ok(()) };
        sandbox.end(D::Database::ENDS_BY, control)?;
        archive(sandbox, path)
    }

    fn run_script(&mut self, path: &str, text: &str) -> Result<(), String> {
        let dialect = D::KIND.dialect();
        let fault = |place, why: &str| script_fault(dialect, path, text, place, why);
        let Some(client) = D::Database::client(&self.endpoint) else {
            let ran = self.desk.run_script(text);
            return ran.map_err(|(error, place)| fault(place, &error.text()));
        };
        // What the tools of the server write, only its own client reads: rows to copy in, delimiters, commands of the
        // client's. And what the file sets for its session is gone with it.
        let sandbox = ServerSandbox::make("TERM").map_err(|error| error.to_string())?;
        let sandbox = sandbox.heeding(&self.control);
        let ran = sandbox.run(client, &Beside::reading(text.to_owned()));
        ran.map_err(|error| {
            let (place, why) = said_by_client(&error.to_string());
            fault(place, &why)
        })
    }

    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> StoreValue) -> Result<Answer, String> {
        self.known.read().catalog.note_question(text);
        self.desk.ask(text, value_of).map_err(SqlError::text)
    }

    fn waits(&mut self) -> Result<Waits, String> {
        self.desk.waits().map_err(SqlError::text)
    }

    fn lock_scheduling(&mut self) -> Result<LockScheduling, String> {
        self.desk.lock_scheduling().map_err(SqlError::text)
    }

    fn get_to_know(&mut self, first: usize) -> Result<Vec<String>, String> {
        let parts = hold_triggers::asked(&mut self.desk, Statement::RoomParts, true)
            .map_err(SqlError::text)?;
        let mut catalog = Catalog::of(D::KIND, &parts, self.isolation, std::iter::empty(), first);
        if self.desk.sees_uncommitted().map_err(SqlError::text)? {
            catalog.shows_uncommitted();
        }
        let names = catalog.names();
        if self.may_hold_inside {
            hold_triggers::install(&mut self.desk, true).map_err(SqlError::text)?;
        }
        *self.known.write() = DatabaseInfo {
            catalog: Arc::new(catalog),
            witness: Arc::clone(&self.witness),
            holds_inside: self.may_hold_inside,
            unheld: NO_TRIGGERS,
            // What was sent to set the application up is no part of any order.
            overlaps: Overlaps::default(),
            others: 0,
            // The sessions belong to the application.
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
        let scans = self.known.read().catalog.scans();
        match self.may_hold_inside {
            true => Ok(self.desk.learned().map_err(SqlError::text)?.wrapping_add(scans)),
            false => Ok(scans),
        }
    }

    fn lesson(&mut self) -> Result<Lesson, String> {
        let scans = self.known.read().catalog.all_scans();
        let several_rows = match self.may_hold_inside {
            true => self.desk.learned().map_err(SqlError::text)?,
            false => 0,
        };
        Ok(Lesson { several_rows, scans })
    }

    fn teach(&mut self, lesson: &Lesson) -> Result<(), String> {
        self.known.read().catalog.replace_scans(lesson.scans.clone());
        match self.may_hold_inside {
            true => self.desk.learn(lesson.several_rows).map_err(SqlError::text),
            false => Ok(()),
        }
    }

    fn overlaps(&self, is_own: &dyn Fn(&str) -> bool) -> Vec<String> {
        self.known.read().overlaps.told_but(is_own)
    }

    fn overlap_notes(&self) -> OverlapNotes {
        self.known.read().overlaps.notes()
    }

    fn add_overlap_notes(&self, notes: OverlapNotes) {
        self.known.read().overlaps.add(notes);
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

    fn behind(&self, first_session: i64) -> UpstreamServer {
        let (known, settings) = (Arc::clone(&self.known), Arc::clone(&self.settings));
        let kind: StoreKind = D::KIND;
        let rewriting = self.rewriting.clone();
        UpstreamServer {
            target: self.endpoint.target.clone(),
            first_session,
            wire: Box::new(move || D::Database::wire(settings.read().clone(), rewriting.clone())),
            analyzer: Box::new(move || {
                Box::new(SqlAnalyzer::new(kind, &known)) as Box<dyn StatementAnalyzer>
            }),
        }
    }
}

impl<D: Dialer<Database: Keepsake>> Drop for SqlUpstream<D> {
    fn drop(&mut self) {
        // A private server is removed with all its data.
        if self.may_hold_inside && self.sandbox.is_none() {
            let _ = hold_triggers::remove(&mut self.desk);
        }
        if self.has_kept && self.sandbox.is_none() {
            let _ = self.desk.forget();
        }
    }
}

/// The line that a server's client says a file is wrong in, and what is wrong: `psql:<stdin>:4: ERROR: …`, or
/// `ERROR 1064 (42000) at line 4: …`.
fn said_by_client(said: &str) -> (ScriptPlace, String) {
    const PSQL: &str = "psql:<stdin>:";
    const MARIADB: &str = " at line ";
    let number = |text: &str| {
        let (line, rest) = text.split_once(':')?;
        Some((ScriptPlace::Line(line.parse().ok()?), rest.trim_start().to_owned()))
    };
    let of_psql = || {
        let (_, behind) = said.rsplit_once(PSQL)?;
        number(behind)
    };
    let of_mariadb = || {
        let (before, behind) = said.split_once(MARIADB)?;
        let (place, why) = number(behind)?;
        Some((place, format!("{before}: {why}")))
    };
    of_psql().or_else(of_mariadb).unwrap_or((ScriptPlace::Unknown, said.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_a_client_names_is_found() {
        for (said, place, why) in [
            (
                "psql failed: psql:<stdin>:9: ERROR:  syntax error at or near \"x\" | LINE 3: x | ^",
                ScriptPlace::Line(9),
                "ERROR:  syntax error at or near \"x\" | LINE 3: x | ^",
            ),
            (
                "mariadb failed: ERROR 1064 (42000) at line 3: You have an error near 'x' at line 2",
                ScriptPlace::Line(3),
                "mariadb failed: ERROR 1064 (42000): You have an error near 'x' at line 2",
            ),
            ("psql failed: it said nothing", ScriptPlace::Unknown, "psql failed: it said nothing"),
        ] {
            assert_eq!(said_by_client(said), (place, why.to_owned()));
        }
    }
}
