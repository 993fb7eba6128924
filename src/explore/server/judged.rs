//! An execution at a server whose end can be judged: one that is run, or one that was run before.

use super::orders::remarks;
use super::results::{Judged, judge};
use crate::base::error::Error;
use crate::scheduler::{Execution, in_schedule};
use crate::worlds::held::{Harness, ServerStep, choices};

/// An execution at a server whose end can be judged.
pub(super) trait JudgedExecution: Execution {
    /// Its steps so far.
    fn steps_so_far(&self) -> Vec<ServerStep>;

    /// The last of them.
    fn last_step(&self) -> Option<ServerStep>;

    /// Lets every buyer leave that is still there, and judges what came of it.
    ///
    /// # Errors
    /// When the server fails.
    fn judge(&mut self) -> Result<Judged, Error>;

    /// A number that changes when a server that is searched has learned more ([`Server::learned`]).
    ///
    /// [`Server::learned`]: crate::stores::remote::Server::learned
    ///
    /// # Errors
    /// When a server cannot say.
    fn learned(&self) -> Result<i64, Error>;

    /// What the servers have to remark so far.
    fn told(&self) -> Vec<String>;

    /// Takes note that the execution is over, and was not stopped in the middle.
    ///
    /// # Errors
    /// When that cannot be written down.
    fn has_come_to_its_end(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl JudgedExecution for Harness<'_> {
    fn steps_so_far(&self) -> Vec<ServerStep> {
        self.steps().to_vec()
    }

    fn last_step(&self) -> Option<ServerStep> {
        self.steps().last().cloned()
    }

    fn learned(&self) -> Result<i64, Error> {
        self.server().learned()
    }

    fn told(&self) -> Vec<String> {
        remarks(std::iter::once(self)).told
    }

    fn judge(&mut self) -> Result<Judged, Error> {
        let stuck = self.send_home();
        let stuck = stuck.map_err(|error| in_schedule(error, &choices(self.steps())))?;
        judge(self, stuck)
    }
}
