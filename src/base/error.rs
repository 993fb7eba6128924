//! What can go wrong outside a race: the input, or the world the tool runs in.

/// Why there is no report. Both kinds read as one clear line, with more lines where a source
/// excerpt or a next step helps.
///
/// ```
/// use oversell_sim::{Error, race};
/// # use oversell_sim::strategies::cas::Cas;
///
/// match race(Cas).buyers(0).run() {
///     Err(Error::Input(why)) => assert!(why.contains("buyers"), "{why}"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command, the scenario or the settings are wrong. Exit code 2.
    #[error("{0}")]
    Input(String),
    /// The world outside failed: the operating system, a file, a server. Exit code 3.
    #[error("{0}")]
    World(String),
}

impl Error {
    /// The command, the scenario or the settings are wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }

    /// The world outside failed.
    pub fn world(message: impl Into<String>) -> Self {
        Self::World(message.into())
    }
}
