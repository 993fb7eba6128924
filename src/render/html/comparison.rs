//! A comparison as a page.

use serde::Serialize;

use super::page::{Line, render};
use super::plot::{Boxes, Unit};
use super::race::Table;
use crate::base::error::Error;
use crate::base::text::quantity::of;
use crate::check::comparison::{Comparison, Contender, Standing};
use crate::render::comparison::{figure, median, notes, sections, settings_line, standing};
use crate::render::verdict::word;

#[derive(Debug, Serialize)]
struct Page {
    title: String,
    command: &'static str,
    about: String,
    standings: Vec<StandingRow>,
    lines: Vec<Line>,
    boxes: Boxes,
    tables: Vec<Table>,
}

/// A contender in a sentence.
#[derive(Debug, Serialize)]
struct StandingRow {
    name: String,
    word: &'static str,
    /// The class of its colour.
    class: &'static str,
    sentence: String,
}

/// The page of a comparison.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn comparison_page(comparison: &Comparison) -> Result<String, Error> {
    let all: Vec<&Contender> =
        comparison.ranked().into_iter().chain(comparison.unranked()).collect();
    let names: Vec<&str> = comparison.contenders.iter().map(|one| one.name.as_str()).collect();
    let mut lines: Vec<Line> =
        notes(comparison).iter().map(|note| Line::text("note", note)).collect();
    let hints = comparison.unranked().filter_map(|one| one.run.hint.as_ref());
    lines.extend(hints.map(|hint| Line::command(hint.purpose.label(), &hint.command)));
    lines.push(Line::command("again", &comparison.again));
    let unit = if comparison.unit == "ns" { Unit::Duration } else { Unit::Count };
    let boxes = all.iter().filter_map(|one| {
        let numbers = one.numbers?;
        let five = [
            numbers.min,
            numbers.lower_quartile,
            numbers.median,
            numbers.upper_quartile,
            numbers.max,
        ];
        let text = format!(
            "{}: median {}, from {} to {}",
            one.name,
            figure(comparison, numbers.median),
            figure(comparison, numbers.min),
            figure(comparison, numbers.max)
        );
        let is_ranked = one.standing != Standing::NotRanked;
        Some((one.name.clone(), five, one.values.clone(), text, is_ranked))
    });
    let title = format!("{} of {}", comparison.metric, of(comparison.cycles.into(), "round"));
    render(
        "comparison.html",
        Page {
            title: format!("compare {}", names.join(", ")),
            command: "compare",
            about: settings_line(comparison),
            standings: all.iter().map(|one| StandingRow::of(comparison, one)).collect(),
            lines,
            boxes: Boxes::new(&title, comparison.metric, unit, boxes.collect()),
            tables: sections(comparison)
                .into_iter()
                .filter_map(|section| Table::of("contenders", section))
                .collect(),
        },
    )
}

impl StandingRow {
    fn of(comparison: &Comparison, one: &Contender) -> Self {
        let is_ranked = one.standing != Standing::NotRanked;
        let sentence = match &one.unranked {
            Some(why) => format!("not ranked: {why}"),
            None => format!("{} · {}", median(comparison, one), standing(comparison, one)),
        };
        Self {
            name: one.name.clone(),
            word: word(one.run.evidence),
            class: if is_ranked { "good" } else { "bad" },
            sentence,
        }
    }
}
