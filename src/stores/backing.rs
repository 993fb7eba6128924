//! The databases behind a running application: started for it or found, looked into, and put back to where they were.

use crate::describe::checkout::{Answer, Value};
use crate::domain::isolation::Isolation;
use crate::proxy::{Behind, Target};
use crate::scheduler::Waits;

/// How clients get in.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// Where the server listens.
    pub(crate) target: Target,
    /// Who may come in; empty if nobody is asked.
    pub(crate) user: String,
    /// And by what word; empty if none is asked for.
    pub(crate) password: String,
    /// Where to; empty if there is but one place.
    pub(crate) database: String,
}

/// A database behind an application, at a desk of our own beside it.
pub(crate) trait Backing: Send {
    /// Its name and version, in its own words.
    fn version(&self) -> &str;

    /// How clients get in.
    fn door(&self) -> &Door;

    /// Runs a text of several statements.
    fn run_file(&mut self, text: &str) -> Result<(), String>;

    /// Asks something.
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, String>;

    /// Who waits for whom.
    fn waits(&mut self) -> Result<Waits, String>;

    /// From now on changes of this session are held inside the server.
    fn hold_inside(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// Lets the change of this session go that is held, and holds the next.
    fn let_act(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// Holds no change of this session any more.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), String> {
        Ok(())
    }

    /// What has been learned of how statements are made; another number once more has been learned.
    fn learned(&mut self) -> Result<i64, String> {
        Ok(0)
    }

    /// Statements that others can overlap with in ways that were not run, each with why.
    fn overlaps(&self) -> Vec<String> {
        Vec::new()
    }

    /// Looks at what there is, numbered from here on; says the names of the parts, in order.
    fn get_to_know(&mut self, first: usize) -> Result<Vec<String>, String>;

    /// Keeps everything as it is now.
    fn keep(&mut self) -> Result<(), String>;

    /// Puts back what has changed since.
    fn put_back(&mut self) -> Result<(), String>;

    /// Has every transaction that does not say otherwise kept apart at least so far, from the next connection on.
    fn raise(&mut self, isolation: Isolation) -> Result<(), String>;

    /// What a proxy in front of it needs to know.
    fn behind(&self, first_session: i64) -> Behind;
}
