//! Runs the queries of a checkout file on a database.

use crate::describe::checkout::{Answer, StoreValue};

/// A connection over which the queries of a checkout file are run.
pub(in crate::stores) trait Asker: Send {
    /// Runs one query with these values.
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> StoreValue) -> Result<Answer, String>;
}
