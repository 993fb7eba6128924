//! The story: what happened when and where, for a class to follow.

use serde::Serialize;

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoryLine {
    /// When, in ns after the opening.
    pub at_ns: u64,
    /// Where.
    pub place: String,
    /// What.
    pub what: String,
}

/// The most lines that are kept.
pub const MOST_LINES: usize = 10_000;

/// Records what happens, if the caller asks for it.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// None: nothing is recorded.
    lines: Option<Vec<StoryLine>>,
}

impl Story {
    /// A story that is told.
    #[must_use]
    pub fn told() -> Self {
        Self { lines: Some(Vec::new()) }
    }

    /// Whether it is recorded.
    pub(super) fn is_told(&self) -> bool {
        self.lines.is_some()
    }

    /// Records a line. `line` is only called if the line is recorded.
    #[inline]
    pub(super) fn tell(&mut self, at_ns: u64, line: impl FnOnce() -> (String, String)) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.len() < MOST_LINES) {
            let (place, what) = line();
            lines.push(StoryLine { at_ns, place, what });
        }
    }

    /// The lines in the order of time.
    #[must_use]
    pub fn into_lines(self) -> Vec<StoryLine> {
        let mut lines = self.lines.unwrap_or_default();
        lines.sort_by_key(|line| line.at_ns);
        lines
    }
}
