//! What a search asks while it runs, and what it tells meanwhile.

/// Stops a search, and hears how far it has come. A closure that says whether to stop is one, too.
pub trait Monitor {
    /// Whether the search should end now.
    fn is_stopped(&self) -> bool;

    /// Hears that so many more states, orders or schedules are done.
    fn has_done(&self, _more: u64) {}
}

impl<F: Fn() -> bool> Monitor for F {
    fn is_stopped(&self) -> bool {
        self()
    }
}
