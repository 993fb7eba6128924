//! A sweep for a terminal, as Markdown and as CSV.

use super::csv::lines;
use super::markdown::add_section;
use super::sections::Section;
use super::table::titled;
use super::verdict;
use super::width::Width;
use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::base::text::quantity::{count, duration, of, percent};
use crate::check::report::{Evidence, METRICS};
use crate::check::sweep::{Sweep, SweepPoint};

/// The whole sweep, for a terminal.
#[must_use]
pub fn sweep(sweep: &Sweep, width: Width) -> String {
    let mut text = format!(
        "{}\n\n{}\n",
        width.folded(&printable(&summary(sweep)), 0),
        titled(&table(sweep), width)
    );
    for note in notes(sweep) {
        text += &width.labelled("note", &note);
    }
    text + &width.labelled("again", &sweep.again)
}

/// The whole sweep as Markdown.
#[must_use]
pub fn sweep_markdown(sweep: &Sweep) -> String {
    let mut text = format!("# oversell-sim sweep\n\n{}\n", printable(&summary(sweep)));
    add_section(&mut text, &table(sweep));
    for note in notes(sweep) {
        text += &format!("\n{}\n", printable(&note));
    }
    text + &format!("\nagain: `{}`\n", printable(&sweep.again))
}

/// A line for each point: a column for each setting that varies, where the times of its rounds lie, and a column for each
/// figure.
///
/// # Errors
/// [`Error::World`] if the text cannot be written.
pub fn sweep_csv(sweep: &Sweep) -> Result<String, Error> {
    const OF_ROUNDS: [&str; 5] = [
        "elapsed_min",
        "elapsed_lower_quartile",
        "elapsed_median",
        "elapsed_upper_quartile",
        "elapsed_max",
    ];
    let varying = sweep.grid.dimensions.iter().map(|one| one.name.as_str());
    let varying: Vec<&str> = varying.collect();
    let header = ["number", "strategy"].into_iter().chain(varying.iter().copied());
    // A setting that varies is a figure, too, summed up over rounds.
    let figures: Vec<&str> =
        METRICS.iter().map(|one| one.name).filter(|name| !varying.contains(name)).collect();
    let header: Vec<&str> = header
        .chain(["evidence", "findings"])
        .chain(OF_ROUNDS)
        .chain(figures.iter().copied())
        .collect();
    let row = |point: &SweepPoint| {
        let mut row = vec![point.place.number.to_string(), point.place.strategy.clone()];
        row.extend(
            varying.iter().map(|name| point.place.at.get(*name).cloned().unwrap_or_default()),
        );
        row.extend([point.evidence.clone(), point.findings.join(" ")]);
        let numbers = point.numbers().map(|all| {
            [all.min, all.lower_quartile, all.median, all.upper_quartile, all.max]
                .map(|number| number.to_string())
        });
        row.extend(numbers.unwrap_or_default());
        let figure = |name: &&str| point.figures.get(*name).map(f64::to_string).unwrap_or_default();
        row.extend(figures.iter().map(figure));
        row
    };
    lines(&header, sweep.points.iter().map(row))
}

pub(super) fn summary(sweep: &Sweep) -> String {
    let setting = |name: &str| sweep.grid.settings.get(name).and_then(serde_json::Value::as_u64);
    let mut parts = vec![of(sweep.points.len() as u64, "point")];
    for (name, noun) in [("buyers", "buyer"), ("stock", "unit")] {
        parts.extend(setting(name).map(|number| of(number, noun)));
    }
    if let Some(store) = sweep.grid.settings.get("store").and_then(serde_json::Value::as_str) {
        parts.push(format!("on {store}"));
    }
    parts.extend(setting("rounds").map(|rounds| format!("{} each", of(rounds, "round"))));
    parts.extend(setting("seed").map(|seed| format!("seed {seed}")));
    parts.join(" · ")
}

pub(super) fn table(sweep: &Sweep) -> Section {
    let row = |point: &SweepPoint| {
        let number = |name: &str| point.figures.get(name).copied().unwrap_or_default();
        let nanos = |name: &str| duration(number(name).round() as u64);
        let mut place = vec![point.place.strategy.clone()];
        let values = sweep.grid.dimensions.iter().map(|one| {
            let value = point.place.at.get(&one.name).map_or("", String::as_str);
            format!("{} {value}", one.name)
        });
        place.extend(values);
        let of_rounds = |read: fn(&crate::base::statistics::FiveNumbers) -> f64| {
            let numbers = point.numbers();
            numbers.map(|all| duration(read(&all).round() as u64)).unwrap_or_default()
        };
        vec![
            place.join(" · "),
            word(&point.evidence).to_owned(),
            of_rounds(|all| all.median),
            of_rounds(|all| all.iqr()),
            nanos("latency.p99"),
            count(number("checkouts_per_second").round() as i64),
            percent(number("wasted_work")),
            count(number("oversold").round() as i64),
        ]
    };
    Section {
        title: "Point".into(),
        columns: vec!["verdict", "elapsed", "IQR", "p99", "a second", "wasted", "oversold"],
        rows: sweep.points.iter().map(row).collect(),
    }
}

fn word(evidence: &str) -> &'static str {
    let found = Evidence::ALL.into_iter().find(|one| one.word() == evidence);
    found.map_or("", verdict::word)
}

pub(super) fn notes(sweep: &Sweep) -> Vec<String> {
    match sweep.missing {
        0 => Vec::new(),
        some => vec![format!(
            "{} not measured: it was interrupted; with --resume the same command goes on",
            of(some.into(), "point")
        )],
    }
}
