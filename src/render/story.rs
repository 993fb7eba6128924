//! A story for a terminal: when, where, what.

use crate::worlds::timed::{MOST_LINES, StoryLine};
use anstyle::Style;

use super::width::Width;
use crate::base::text::printable::printable;

/// The story line by line; `opens_s` is the time of day at the opening, in seconds after midnight.
#[must_use]
pub fn story(lines: &[StoryLine], opens_s: u32, width: Width) -> String {
    let length = |line: &StoryLine| printable(&line.place).chars().count();
    let widest = lines.iter().map(length).max().unwrap_or(0);
    let dim = Style::new().dimmed();
    let mut text: String = lines
        .iter()
        .map(|line| {
            let clock = time_of_day(opens_s, line.at_ns);
            let (place, what) = (printable(&line.place), printable(&line.what));
            let line = format!(" {dim}{clock}{dim:#}   {place:widest$}   {what}\n");
            width.folded(&line, clock.len() + widest + 7)
        })
        .collect();
    if lines.len() == MOST_LINES {
        text += " …\n";
    }
    text
}

/// `09:00:00.011 204`: to the microsecond.
pub(super) fn time_of_day(opens_s: u32, at_ns: u64) -> String {
    let (seconds, micros) = (at_ns / 1_000_000_000, at_ns / 1_000 % 1_000_000);
    let of_day = (u64::from(opens_s) + seconds) % (24 * 3600);
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03} {:03}", micros / 1_000, micros % 1_000)
}
