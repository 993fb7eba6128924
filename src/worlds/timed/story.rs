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
    /// Where what arrives was sent from, and when; none where nothing arrives.
    pub sent: Option<Sending>,
    /// A hold that begins or ends, if one does.
    pub hold: Option<HoldChange>,
}

/// Where a message was sent, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sending {
    /// Where.
    pub place: String,
    /// When, in ns after the opening.
    pub at_ns: u64,
}

/// What becomes of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum HoldChange {
    /// A buyer has units on hold.
    Begins {
        /// The buyer.
        buyer: String,
        /// When the hold runs out, in ns after the opening.
        until_ns: u64,
    },
    /// It is over: confirmed, released, or run out.
    Ends {
        /// The buyer.
        buyer: String,
    },
}

impl StoryLine {
    /// A line at which nothing arrives and no hold changes.
    pub(super) fn new(at_ns: u64, place: String, what: String) -> Self {
        Self { at_ns, place, what, sent: None, hold: None }
    }

    /// The same line, for something that was sent from this place then.
    pub(super) fn sent_from(self, place: &str, at_ns: u64) -> Self {
        Self { sent: Some(Sending { place: place.to_owned(), at_ns }), ..self }
    }
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
        self.tell_line(|| {
            let (place, what) = line();
            StoryLine::new(at_ns, place, what)
        });
    }

    /// The same, for a line that says more than where and what.
    #[inline]
    pub(super) fn tell_line(&mut self, line: impl FnOnce() -> StoryLine) {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.len() < MOST_LINES) {
            lines.push(line());
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
