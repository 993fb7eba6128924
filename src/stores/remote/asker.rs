//! Asking a database in the words of a file.

use crate::describe::checkout::{Answer, Value};

/// Who asks a database in somebody else's words.
pub(in crate::stores) trait Asker: Send {
    /// Asks.
    fn ask(&mut self, text: &str, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, String>;
}
