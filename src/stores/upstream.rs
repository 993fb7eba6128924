//! The databases behind a running application: how they are started or found, read, and restored.

use std::path::Path;

use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::proxy::{Target, UpstreamServer};
use crate::scheduler::Waits;
use crate::stores::remote::{Lesson, LockScheduling, OverlapNotes};

/// How clients connect.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// Where the server listens.
    pub(crate) target: Target,
    /// The user name; empty if the server asks for none.
    pub(crate) user: String,
    /// The password; empty if the server asks for none.
    pub(crate) password: String,
    /// The database; empty if there is only one.
    pub(crate) database: String,
}

/// A database behind an application, over a connection of our own.
pub(crate) trait UpstreamDatabase: Send {
    /// The database's name and version, as it reports them.
    fn version(&self) -> &str;

    /// How clients connect.
    fn endpoint(&self) -> &Endpoint;

    /// Ends a private server, and archives what is in it. Nothing else may be asked of it then.
    fn archive(&mut self, control: &Control, path: &Path) -> Result<(), Error>;

    /// Runs a file of several statements. An error names the file, and the line if it is known.
    fn run_script(&mut self, path: &str, text: &str) -> Result<(), String>;

    /// Runs one statement with these values, and returns its answer.
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> StoreValue) -> Result<Answer, String>;

    /// Which sessions wait for which others.
    fn waits(&mut self) -> Result<Waits, String>;

    /// In which order the server grants a lock to the sessions that wait for it.
    fn lock_scheduling(&mut self) -> Result<LockScheduling, String> {
        Ok(LockScheduling::FirstComeFirstServed)
    }

    /// From now on, the server holds each change of this session.
    fn hold_inside(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// Releases this session's held change, and holds its next one.
    fn let_act(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// Stops holding this session's changes.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// A number that changes when more has been learned about how statements change rows.
    fn learned(&mut self) -> Result<i64, String> {
        Ok(0)
    }

    /// What it has taught so far.
    fn lesson(&mut self) -> Result<Lesson, String> {
        Ok(Lesson::default())
    }

    /// Replaces what it has taught.
    fn teach(&mut self, _lesson: &Lesson) -> Result<(), String> {
        Ok(())
    }

    /// Statements that can overlap with others in ways that were not explored, each with the reason; without those that
    /// are the application's own. Statements are known without their values and in brief.
    fn overlaps(&self, _is_own: &dyn Fn(&str) -> bool) -> Vec<String> {
        Vec::new()
    }

    /// What it has noted about such statements.
    fn overlap_notes(&self) -> OverlapNotes {
        OverlapNotes::default()
    }

    /// Adds what was noted elsewhere.
    fn add_overlap_notes(&self, _notes: OverlapNotes) {}

    /// Reads which tables or keys there are, and numbers them from `first` on; returns their names in that order.
    fn get_to_know(&mut self, first: usize) -> Result<Vec<String>, String>;

    /// Saves the current content.
    fn keep(&mut self) -> Result<(), String>;

    /// Restores what has changed since then.
    fn put_back(&mut self) -> Result<(), String>;

    /// From the next connection on, runs transactions that name no isolation level at this level or a higher one.
    fn raise(&mut self, isolation: Isolation) -> Result<(), String>;

    /// What a proxy in front of it needs to know.
    fn behind(&self, first_session: i64) -> UpstreamServer;
}
