//! A server that can be one of the stores of a described checkout which has two.

use super::{Server, StepExecutor};
use crate::base::error::Error;
use crate::describe::checkout::{Answer, Call, Values};
use crate::scheduler::BuyerHandle;

/// A server to which steps of a described checkout are sent beside those to another server.
pub(in crate::stores) trait StepServer: Server {
    /// Opens one more connection, over which steps are sent. With a handle, it is registered there.
    ///
    /// # Errors
    /// [`Error::World`] when the connection cannot be opened.
    fn executor(&self, handle: Option<&BuyerHandle>) -> Result<Box<dyn StepExecutor>, Error>;

    /// Restores what is there before `setup`.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot, [`Error::Input`] when a file makes no sense to it.
    fn reset(&self, is_small: bool) -> Result<(), Error>;

    /// Sends a call of `setup`, whose key is named in errors.
    ///
    /// # Errors
    /// [`Error::Input`] when the call makes no sense to the server, [`Error::World`] when the server cannot be asked.
    fn ask(&self, key: &str, call: &Call, value_of: Values<'_>) -> Result<Answer, Error>;

    /// Sends a query of the audit.
    ///
    /// # Errors
    /// As [`StepServer::ask`].
    fn look(&self, key: &str, call: &Call) -> Result<Answer, Error>;
}
