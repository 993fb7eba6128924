//! A comparison for a terminal, as Markdown and as CSV.

use super::baseline;
use super::csv::lines;
use super::markdown::add_section;
use super::sections::Section;
use super::table::{headline, titled};
use super::verdict;
use super::width::Width;
use crate::base::error::Error;
use crate::base::statistics::{FEWEST, Ratio};
use crate::base::text::printable::printable;
use crate::base::text::quantity::{count, duration, of, percent};
use crate::check::comparison::{Comparison, Contender, Standing};
use crate::check::gauge::Better;
use crate::check::report::{METRICS, MetricValue};

/// The most outliers of a contender that are named one by one.
const MOST_OUTLIERS: usize = 5;

/// The whole comparison, for a terminal.
#[must_use]
pub fn comparison(comparison: &Comparison, width: Width) -> String {
    let mut text = format!("{}\n", width.folded(&printable(&settings_line(comparison)), 0));
    for section in sections(comparison) {
        let block = titled(&section, width);
        if !block.is_empty() {
            text += &format!("\n{block}");
        }
    }
    text.push('\n');
    for note in notes(comparison) {
        text += &width.labelled("note", &note);
    }
    for one in comparison.unranked() {
        if let Some(hint) = &one.run.hint {
            text += &width.labelled(hint.purpose.label(), &hint.command);
        }
    }
    text + &width.labelled("again", &comparison.again)
}

/// One line for each contender.
#[must_use]
pub fn standings(comparison: &Comparison, width: Width) -> String {
    let line = |one: &Contender| {
        let sentence = format!("{}: {}", one.name, sentence(comparison, one));
        headline(one.run.evidence, &sentence, width)
    };
    comparison.ranked().into_iter().chain(comparison.unranked()).map(line).collect()
}

/// The whole comparison as Markdown.
#[must_use]
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let mut text = format!("# oversell-sim compare\n\n{}\n", printable(&settings_line(comparison)));
    for section in sections(comparison) {
        add_section(&mut text, &section);
    }
    for note in notes(comparison) {
        text += &format!("\n{}\n", printable(&note));
    }
    text + &format!("\nagain: `{}`\n", printable(&comparison.again))
}

/// A line for each contender.
///
/// # Errors
/// [`Error::World`] if the text cannot be written.
pub fn comparison_csv(comparison: &Comparison) -> Result<String, Error> {
    let header = [
        "name",
        "strategy",
        "store",
        "isolation",
        "evidence",
        "cycles",
        "metric",
        "unit",
        "min",
        "lower_quartile",
        "median",
        "upper_quartile",
        "max",
        "mild_outliers",
        "severe_outliers",
        "ratio",
        "ratio_low",
        "ratio_high",
        "standing",
    ];
    let row = |one: &Contender| {
        let number = |number: Option<f64>| number.map(|it| it.to_string()).unwrap_or_default();
        let numbers = |read: fn(&crate::base::statistics::FiveNumbers) -> f64| {
            number(one.numbers.as_ref().map(read))
        };
        let outliers = |word: &str| {
            one.outliers.iter().filter(|one| one.severity.word() == word).count().to_string()
        };
        vec![
            one.name.clone(),
            one.run.strategy.clone(),
            one.store.to_owned(),
            one.settings.value_of("isolation"),
            one.run.evidence.word().to_owned(),
            comparison.cycles.to_string(),
            comparison.metric.to_owned(),
            comparison.unit.to_owned(),
            numbers(|all| all.min),
            numbers(|all| all.lower_quartile),
            numbers(|all| all.median),
            numbers(|all| all.upper_quartile),
            numbers(|all| all.max),
            outliers("mild"),
            outliers("severe"),
            number(one.ratio.map(|ratio| ratio.ratio)),
            number(one.ratio.map(|ratio| ratio.low)),
            number(one.ratio.map(|ratio| ratio.high)),
            standing(comparison, one).to_owned(),
        ]
    };
    lines(&header, comparison.contenders.iter().map(row))
}

/// What was raced, on one line.
pub(super) fn settings_line(comparison: &Comparison) -> String {
    let Comparison { metric, cycles, warmup, seed, .. } = comparison;
    let mut parts = Vec::new();
    if let Some(settings) = comparison.contenders.first().map(|one| &one.settings) {
        parts.push(of(settings.buyers.into(), "buyer"));
        parts.push(of(settings.stock.unsigned_abs().into(), "unit"));
        parts.push(of(settings.threads().into(), "thread"));
        parts.push(format!("think {}", duration(crate::base::clock::nanos(settings.think))));
    }
    let warm = match warmup {
        0 => String::new(),
        some => format!(" after {} of warm-up", count(*some)),
    };
    parts.push(format!("{metric} of {} in turn{warm}", of((*cycles).into(), "round")));
    parts.push(format!("seed {seed}"));
    parts.join(" · ")
}

pub(super) fn sections(comparison: &Comparison) -> Vec<Section> {
    let mut sections = vec![
        ranking(comparison),
        spread(comparison),
        outliers(comparison),
        apart(comparison),
        unmet(comparison),
    ];
    sections.extend(comparison.baseline.as_ref().map(baseline::against));
    sections
}

/// Those that are ranked, the best first.
fn ranking(comparison: &Comparison) -> Section {
    let row = |one: &Contender| {
        vec![
            one.name.clone(),
            median(comparison, one),
            one.ratio.map(|ratio| times(ratio.ratio)).unwrap_or_default(),
            one.ratio.map(|ratio| interval(&ratio)).unwrap_or_default(),
            standing(comparison, one).to_owned(),
        ]
    };
    Section {
        title: match &comparison.reference {
            Some(name) => format!("Compared with {name}"),
            None => "Contenders".into(),
        },
        columns: vec!["median", "ratio", "95 % interval", "verdict"],
        rows: comparison.ranked().into_iter().map(row).collect(),
    }
}

fn spread(comparison: &Comparison) -> Section {
    let row = |one: &Contender| {
        let Some(numbers) = one.numbers else { return vec![one.name.clone()] };
        let relative = numbers.iqr() / numbers.median;
        let relative = if relative.is_finite() { percent(relative) } else { String::new() };
        let mut row = vec![one.name.clone()];
        row.extend(
            [numbers.min, numbers.lower_quartile, numbers.upper_quartile, numbers.max]
                .map(|value| figure(comparison, value)),
        );
        row.push(relative);
        row
    };
    Section {
        title: "Spread".into(),
        columns: vec!["min", "1st quartile", "3rd quartile", "max", "IQR/median"],
        rows: comparison.ranked().into_iter().chain(comparison.unranked()).map(row).collect(),
    }
}

fn outliers(comparison: &Comparison) -> Section {
    let row = |one: &&Contender| {
        let many = |word| one.outliers.iter().filter(|one| one.severity.word() == word).count();
        let kinds = format!("{} mild, {} severe", many("mild"), many("severe"));
        let mut named: Vec<String> = one
            .outliers
            .iter()
            .take(MOST_OUTLIERS)
            .map(|one| format!("round {} ({})", one.number, figure(comparison, one.value)))
            .collect();
        if one.outliers.len() > MOST_OUTLIERS {
            named.push("…".into());
        }
        vec![one.name.clone(), kinds, named.join(", ")]
    };
    let with_some = comparison.contenders.iter().filter(|one| !one.outliers.is_empty());
    Section {
        title: format!(
            "Outliers of {} (beyond Tukey's fences)",
            of(comparison.cycles.into(), "round")
        ),
        columns: vec![],
        rows: with_some.collect::<Vec<_>>().iter().map(row).collect(),
    }
}

/// Those that are not ranked, with the reason.
fn apart(comparison: &Comparison) -> Section {
    let row = |one: &Contender| {
        vec![
            one.name.clone(),
            verdict::word(one.run.evidence).into(),
            median(comparison, one),
            one.ratio.map(|ratio| times(ratio.ratio)).unwrap_or_default(),
            one.unranked.clone().unwrap_or_default(),
        ]
    };
    Section {
        title: "Not ranked".into(),
        columns: vec!["verdict", "median", "ratio", "why"],
        rows: comparison.unranked().map(row).collect(),
    }
}

/// Expectations that did not hold.
fn unmet(comparison: &Comparison) -> Section {
    let row = |one: &Contender| {
        let unmet: Vec<String> = one.run.unmet().collect();
        unmet.into_iter().map(|why| vec![one.name.clone(), why]).collect::<Vec<_>>()
    };
    let rows = comparison.contenders.iter().flat_map(row).collect();
    Section { title: "Expected".into(), columns: vec!["not met"], rows }
}

/// What a reader of the tables must know.
pub(super) fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = &comparison.cut_short {
        notes.push(format!(
            "{} of {} rounds were raced: {why}",
            count(comparison.cycles),
            count(comparison.rounds)
        ));
    }
    if comparison.contenders.iter().any(|one| one.standing == Standing::TooFewRounds) {
        notes.push(format!("an interval takes at least {FEWEST} rounds: raise --rounds"));
    }
    let unranked =
        comparison.unranked().any(|one| Some(&one.name) == comparison.reference.as_ref());
    if let (true, Some(name)) = (unranked, &comparison.reference) {
        notes.push(format!(
            "{name} is not ranked, and what it leaves out costs time: what is slower need not be worse"
        ));
    }
    let failed = comparison.ranked().into_iter().filter(|one| one.run.figures.failed > 0);
    for one in failed {
        notes.push(format!("{}: {} failed", one.name, of(one.run.figures.failed, "buyer")));
    }
    let intervals = comparison.ranked().iter().filter(|one| one.ratio.is_some()).count();
    if intervals > 2 {
        notes.push(format!(
            "each of the {intervals} intervals has a chance of 5 % to miss the true ratio"
        ));
    }
    notes.extend(comparison.baseline.iter().flat_map(baseline::remarks));
    notes
}

/// Where a contender stands, as a sentence.
pub(super) fn sentence(comparison: &Comparison, one: &Contender) -> String {
    let stands = standing(comparison, one);
    let median = median(comparison, one);
    if let Some(why) = &one.unranked {
        return format!("{median} · not ranked: {why}");
    }
    match (&one.ratio, &comparison.reference) {
        (Some(ratio), Some(reference)) => format!(
            "{median} · {stands}: {} of {reference} ({})",
            times(ratio.ratio),
            interval(ratio)
        ),
        _ => format!("{median} · {stands}"),
    }
}

/// Where a contender stands, in words.
pub(super) fn standing(comparison: &Comparison, one: &Contender) -> &'static str {
    let is_speed = comparison.unit == "ns" || comparison.better == Better::Higher;
    match one.standing {
        Standing::Reference => "reference",
        Standing::Better if is_speed => "faster",
        Standing::Worse if is_speed => "slower",
        Standing::Better => "less",
        Standing::Worse => "more",
        Standing::WithinNoise => "within the noise",
        Standing::TooFewRounds => "too few rounds",
        Standing::NoRatio => "no ratio",
        Standing::NotRanked => "not ranked",
    }
}

pub(super) fn median(comparison: &Comparison, one: &Contender) -> String {
    one.numbers.map_or_else(|| "no round".into(), |numbers| figure(comparison, numbers.median))
}

pub(super) fn times(ratio: f64) -> String {
    format!("{ratio:.2}×")
}

pub(super) fn interval(ratio: &Ratio) -> String {
    format!("{} to {}", times(ratio.low), times(ratio.high))
}

pub(super) fn figure(comparison: &Comparison, value: f64) -> String {
    measured(comparison.metric, value)
}

/// A value of a figure for a reader; between two whole numbers lies a half.
pub(super) fn measured(metric: &str, value: f64) -> String {
    let kind = METRICS.iter().find(|one| one.name == metric);
    let kind = kind.map(|one| (one.value)(&crate::check::report::Figures::default()));
    match kind {
        Some(MetricValue::Nanos(_)) => duration(value.round() as u64),
        Some(MetricValue::Share(_)) => percent(value),
        _ if value.fract() == 0.0 || value >= 100.0 => count(value.round() as i64),
        _ => format!("{value:.1}"),
    }
}
