//! When a search stops, though there is more to look at.

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// States met.
    pub states: usize,
    /// Bytes that states and the steps between them take.
    pub memory: usize,
    /// States to be content with once something was found; none to look at everything.
    pub enough_after_finding: Option<usize>,
}

impl Default for Limits {
    /// Generous: 50 million states, 2 GB, and everything looked at.
    fn default() -> Self {
        Self { states: 50_000_000, memory: 2_000_000_000, enough_after_finding: None }
    }
}
