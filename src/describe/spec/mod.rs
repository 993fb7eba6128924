//! A specification of PostgreSQL's isolation tester: sessions with steps of SQL, and the orders in which to run them.
//!
//! The format is described in `src/test/isolation/README` of PostgreSQL's source. A file is read into a [`Spec`], whose
//! permutations name steps by their places.

mod file;
mod interleavings;
mod lexer;
mod parser;

/// A specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// Where the file is, for messages.
    pub(crate) path: String,
    /// What is run before each permutation, block by block.
    pub(crate) setup: Vec<String>,
    /// What is run after each permutation.
    pub(crate) teardown: Option<String>,
    /// The sessions, each on a connection of its own.
    pub(crate) sessions: Vec<SpecSession>,
    /// The orders that the file lists; none if every order is to be run.
    pub(crate) permutations: Vec<Vec<PermutationStep>>,
    /// Steps that no listed permutation has, by their names.
    pub(crate) unused: Vec<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecSession {
    /// Its name.
    pub(crate) name: String,
    /// What it runs before its first step.
    pub(crate) setup: Option<String>,
    /// Its steps, in order.
    pub(crate) steps: Vec<SpecStep>,
    /// What it runs after all sessions' steps.
    pub(crate) teardown: Option<String>,
}

/// A step: statements that are sent as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpecStep {
    /// Its name.
    pub(crate) name: String,
    /// What it sends.
    pub(crate) sql: String,
}

/// The place of a step in a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StepId {
    /// Whose it is.
    pub(crate) session: usize,
    /// Which of the session's steps it is.
    pub(crate) step: usize,
}

/// A step in a permutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PermutationStep {
    /// Which.
    pub(crate) step: StepId,
    /// When its completion may be reported.
    pub(crate) markers: Vec<Marker>,
}

/// Delays the report that a step is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// `(*)`: it counts as waiting as soon as it is sent.
    Sent,
    /// `(step)`: it is not reported while the other step is under way.
    Step(StepId),
    /// `(step notices 2)`: it is not reported before the other step's session has got so many more notices.
    Notices(StepId, u32),
}

impl Spec {
    /// The step at this place.
    pub(crate) fn step(&self, id: StepId) -> &SpecStep {
        &self.sessions[id.session].steps[id.step]
    }

    /// The file's name without its folder and its ending.
    pub(crate) fn name(&self) -> &str {
        let path = std::path::Path::new(&self.path);
        path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(&self.path)
    }
}
