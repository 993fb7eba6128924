//! Notes that several processes leave each other at a server, apart from the shop: texts under names.
//!
//! All that race together reach the same server, and need reach nothing else. A note is a row, or a key, of a few bytes.

use std::collections::BTreeMap;

use crate::base::error::Error;

/// A connection to the notes. Dropping it leaves them there.
pub trait Notes: Send {
    /// Makes the place for notes, if it is not there.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn make(&mut self) -> Result<(), Error>;

    /// All notes, by name; none if there is no place for them.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn all(&mut self) -> Result<Option<BTreeMap<String, String>>, Error>;

    /// Adds a note. False if there is one of this name.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot, or there is no place for notes.
    fn add(&mut self, name: &str, text: &str) -> Result<bool, Error>;

    /// Replaces a note. False if there is none of this name.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot, or there is no place for notes.
    fn replace(&mut self, name: &str, text: &str) -> Result<bool, Error>;

    /// Removes all notes, and the place for them.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn remove(&mut self) -> Result<(), Error>;

    /// What removes by hand all that a race of several processes has left there: a command, or a statement.
    fn by_hand(&self) -> &'static str;

    /// What the server's clock says, in microseconds since the beginning of 1970; none if it does not say.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot be asked.
    fn clock_us(&mut self) -> Result<Option<i64>, Error>;
}
