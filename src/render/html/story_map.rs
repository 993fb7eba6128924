//! What happened in a simulated shop, on a map of places over time: a column for each place, a row for each line of the
//! story, an arrow for each message, a bar for each hold while its timer runs.

use serde::Serialize;

use crate::base::text::quantity::duration;
use crate::render::story::time_of_day;
use crate::worlds::timed::{HoldChange, MOST_LINES, Sending, StoryLine};

/// The most lines that are drawn.
const MOST_DRAWN: usize = 400;

/// Measures of the picture, in its own units.
const ROW: f64 = 26.0;
const TOP: f64 = 46.0;
const CLOCK: f64 = 158.0;
const COLUMN: f64 = 216.0;
const HOLD: f64 = 26.0;

/// The most holds that have a column of their own.
const MOST_HOLDS: usize = 6;

/// The map.
#[derive(Debug, Serialize)]
pub(super) struct StoryMap {
    width: f64,
    height: f64,
    top: f64,
    places: Vec<Place>,
    lines: Vec<Line>,
    arrows: Vec<Arrow>,
    holds: Vec<Hold>,
    /// Whether there are more lines than are drawn.
    cut: bool,
}

#[derive(Debug, Serialize)]
struct Place {
    name: String,
    x: f64,
}

#[derive(Debug, Serialize)]
struct Line {
    y: f64,
    x: f64,
    clock: String,
    place: String,
    what: String,
}

#[derive(Debug, Serialize)]
struct Arrow {
    from_x: f64,
    from_y: f64,
    to_x: f64,
    to_y: f64,
}

#[derive(Debug, Serialize)]
struct Hold {
    x: f64,
    from_y: f64,
    to_y: f64,
    label: String,
    text: String,
}

impl StoryMap {
    /// The map of a story; `opens_s` is the time of day at the opening, in seconds after midnight.
    pub(super) fn of(story: &[StoryLine], opens_s: u32) -> Self {
        let cut = story.len() > MOST_DRAWN || story.len() == MOST_LINES;
        let story = &story[..story.len().min(MOST_DRAWN)];
        let mut names: Vec<&str> = Vec::new();
        for line in story {
            let sent = line.sent.iter().map(|sent| sent.place.as_str());
            for name in sent.chain([line.place.as_str()]) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let holds = holds(story);
        let left = CLOCK + holds.len() as f64 * HOLD;
        let x_of = |name: &str| {
            let column = names.iter().position(|one| *one == name).unwrap_or(0);
            left + 12.0 + column as f64 * COLUMN
        };
        let y_of = |line: usize| TOP + (line as f64 + 0.5) * ROW;
        let arrow = |(number, line): (usize, &StoryLine)| {
            let sent = line.sent.as_ref()?;
            Some(Arrow {
                from_x: x_of(&sent.place),
                from_y: y_of(0).max(sent_at(story, sent, y_of)),
                to_x: x_of(&line.place),
                to_y: y_of(number),
            })
        };
        Self {
            width: left + names.len() as f64 * COLUMN,
            height: TOP + story.len() as f64 * ROW + 8.0,
            top: TOP,
            places: names
                .iter()
                .map(|name| Place { name: (*name).into(), x: x_of(name) })
                .collect(),
            lines: story
                .iter()
                .enumerate()
                .map(|(number, line)| Line {
                    y: y_of(number),
                    x: x_of(&line.place),
                    clock: time_of_day(opens_s, line.at_ns),
                    place: line.place.clone(),
                    what: line.what.clone(),
                })
                .collect(),
            arrows: story.iter().enumerate().filter_map(arrow).collect(),
            holds: holds
                .into_iter()
                .enumerate()
                .map(|(column, span)| Hold {
                    x: CLOCK + column as f64 * HOLD,
                    from_y: y_of(span.from),
                    to_y: span.to.map_or(y_of(story.len().saturating_sub(1)), y_of),
                    label: span.buyer,
                    text: span.text,
                })
                .collect(),
            cut,
        }
    }
}

/// How far down something was sent: at the line that tells of it, else between the lines before and after it.
fn sent_at(story: &[StoryLine], sent: &Sending, y_of: impl Fn(usize) -> f64) -> f64 {
    let told = story.iter().position(|line| line.at_ns == sent.at_ns && line.place == sent.place);
    if let Some(line) = told {
        return y_of(line);
    }
    let after = story.partition_point(|line| line.at_ns <= sent.at_ns);
    let before = after.saturating_sub(1);
    match (story.get(before), story.get(after)) {
        (Some(earlier), Some(later)) if earlier.at_ns <= sent.at_ns => {
            let gap = (later.at_ns - earlier.at_ns).max(1) as f64;
            let share = (sent.at_ns - earlier.at_ns) as f64 / gap;
            y_of(before) + share * (y_of(after) - y_of(before))
        }
        _ => y_of(before),
    }
}

/// A hold from the line at which it begins to the one at which it ends, if it does.
struct HoldSpan {
    buyer: String,
    from: usize,
    to: Option<usize>,
    text: String,
}

fn holds(story: &[StoryLine]) -> Vec<HoldSpan> {
    let mut spans = Vec::new();
    for (from, line) in story.iter().enumerate() {
        let Some(HoldChange::Begins { buyer, until_ns }) = &line.hold else { continue };
        let ends = |line: &StoryLine| matches!(&line.hold, Some(HoldChange::Ends { buyer: other }) if other == buyer);
        let to = (from + 1..story.len()).find(|number| ends(&story[*number]));
        let timer = duration(until_ns.saturating_sub(line.at_ns));
        let text = match to {
            Some(to) => format!(
                "{buyer}'s hold: a timer of {timer}, over after {}",
                duration(story[to].at_ns - line.at_ns)
            ),
            None => format!("{buyer}'s hold: a timer of {timer}"),
        };
        spans.push(HoldSpan { buyer: buyer.clone(), from, to, text });
    }
    spans.truncate(MOST_HOLDS);
    spans
}
