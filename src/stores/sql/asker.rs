//! A connection to the database of a user's shop: it is neither ours nor private, and is left as it is.

use super::{Database, SqlError};
use crate::describe::checkout::{Answer, StoreValue};
use crate::stores::remote::Asker;

/// One connection.
pub(in crate::stores) struct PlainConnection<D>(pub(in crate::stores) D);

impl<D: Database> Asker for PlainConnection<D> {
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> StoreValue) -> Result<Answer, String> {
        self.0.ask(text, value_of).map_err(SqlError::text)
    }
}
