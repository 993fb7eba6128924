//! How wide the terminal is.

use std::io::IsTerminal;

use crate::render::Width;

/// The width that `COLUMNS` names, or else the terminal's. Without either, as in a pipe, nothing is folded, so that
/// what is printed is the same everywhere.
pub(super) fn of_stdout() -> Width {
    let named = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let measured = || {
        let stdout = std::io::stdout();
        let size = stdout.is_terminal().then(|| terminal_size::terminal_size_of(stdout));
        size.flatten().map(|(width, _)| width.0)
    };
    named.or_else(measured).filter(|columns| *columns > 0).map_or(Width::UNBOUNDED, Width::of)
}
