//! Limits: when a search stops before it has covered everything.

/// The limits of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most states.
    pub states: usize,
    /// The most bytes that states and the steps between them may take.
    pub memory: usize,
    /// Stop after this many states once a finding exists; none to look at all.
    pub enough_after_finding: Option<usize>,
}

impl Default for Limits {
    /// 50 million states, 2 GB, and no early stop after a finding.
    fn default() -> Self {
        Self { states: 50_000_000, memory: 2_000_000_000, enough_after_finding: None }
    }
}
