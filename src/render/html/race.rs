//! A race or a simulation as a page.

use serde::Serialize;

use super::lock_waits::WaitsPart;
use super::page::{Headline, Line, render};
use super::plot::{Plot, Scale, Unit};
use super::story_map::StoryMap;
use crate::base::error::Error;
use crate::base::samples::DurationClass;
use crate::base::text::quantity::{count, duration};
use crate::check::report::{Report, Run, TimeSlice};
use crate::render::baseline::{against, remarks};
use crate::render::common_start;
use crate::render::sections::{self, Section};
use crate::render::verdict::Verdict;
use crate::worlds::timed::StoryLine;

/// Everything on the page.
#[derive(Debug, Serialize)]
struct Page {
    title: String,
    command: &'static str,
    comparison: Option<Table>,
    /// The machines that raced on one store together.
    common_start: Option<Table>,
    /// Each run beside that of an earlier report.
    baseline: Option<Table>,
    notes: Vec<Line>,
    runs: Vec<RunPart>,
}

#[derive(Debug, Serialize)]
struct RunPart {
    name: String,
    headline: Headline,
    about: String,
    lines: Vec<Line>,
    plots: Vec<Plot>,
    tables: Vec<Table>,
    waits: Option<WaitsPart>,
    story: Option<StoryMap>,
}

/// A table of figures.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    title: String,
    /// The title, and of which run it is: no two tables of a page have the same.
    label: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The page of a race.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn race_page(report: &Report) -> Result<String, Error> {
    page(report, Vec::new(), None)
}

/// The page of a simulation, with a story for each run, in their order; none where none is told, and `no_story` says why.
/// `opens_s` is the time of day at the opening, in seconds after midnight.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn simulation_page(
    report: &Report,
    stories: &[Vec<StoryLine>],
    opens_s: u32,
    no_story: Option<&str>,
) -> Result<String, Error> {
    page(report, stories.iter().map(|story| StoryMap::of(story, opens_s)).collect(), no_story)
}

fn page(report: &Report, stories: Vec<StoryMap>, no_story: Option<&str>) -> Result<String, Error> {
    let command = if report.is_simulated() { "simulate" } else { "race" };
    let names: Vec<&str> = report.runs.iter().map(|run| run.strategy.as_str()).collect();
    let mut stories = stories.into_iter();
    let page = Page {
        title: format!("{command} {}", names.join(", ")),
        command,
        comparison: Table::of("all", sections::comparison(report)),
        common_start: report
            .common_start
            .as_ref()
            .and_then(|start| Table::of("all", common_start::machines(start))),
        baseline: report.baseline.as_ref().and_then(|one| Table::of("all", against(one))),
        notes: report
            .baseline
            .iter()
            .flat_map(remarks)
            .map(|remark| Line::text("note", &remark))
            .chain(
                report
                    .common_start
                    .iter()
                    .flat_map(common_start::remarks)
                    .map(|remark| Line::text("clocks", &remark)),
            )
            .chain(no_story.map(|why| Line::text("no story", why)))
            .collect(),
        runs: report.runs.iter().map(|run| part(report, run, stories.next())).collect(),
    };
    render("race.html", page)
}

fn part(report: &Report, run: &Run, story: Option<StoryMap>) -> RunPart {
    let Verdict { sentence, next, .. } = Verdict::of(report, run);
    let is_command = |label: &str| label != "the server said";
    let lines = next.iter().map(|(label, text)| match is_command(label) {
        true => Line::command(label, text),
        false => Line::text(label, text),
    });
    let figures = &run.figures;
    let worst = run.worst.as_ref();
    let tables = [
        Some(sections::expectations(run)),
        Some(sections::findings(run)),
        Some(sections::outcome(run)),
        Some(sections::contention(figures)),
        Some(sections::times(figures)),
        Some(sections::products(run)),
        worst.map(|worst| sections::winners(report, run, worst)),
        worst.map(|worst| sections::overtakings(report, run, worst)),
        Some(sections::banners(run)),
    ];
    RunPart {
        name: run.strategy.clone(),
        headline: Headline::new(run.evidence, sentence),
        about: sections::settings_line(report, Some(run)),
        lines: lines.collect(),
        plots: plots(report, run),
        tables: tables
            .into_iter()
            .flatten()
            .filter_map(|one| Table::of(&run.strategy, one))
            .collect(),
        waits: WaitsPart::of(report, run),
        story,
    }
}

impl Table {
    /// A section about `whom` as a table; none for an empty one.
    pub(super) fn of(whom: &str, section: Section) -> Option<Self> {
        let Section { title, columns, rows } = section;
        let label = format!("{title}: {whom}");
        (!rows.is_empty()).then_some(Self { title, label, columns, rows })
    }
}

fn plots(report: &Report, run: &Run) -> Vec<Plot> {
    let mut plots = Vec::new();
    if let [first, .., last] = &run.latencies[..] {
        plots.push(histogram(run, first, last));
        plots.push(cumulative(run, first, last));
    }
    if let Some(worst) = run.worst.as_ref().filter(|worst| worst.over_time.len() > 1) {
        let round = match run.rounds {
            1 => String::new(),
            _ => format!(" in {} {} (the worst)", report.round(), count(worst.number)),
        };
        plots.push(inside(&worst.over_time, &round));
        plots.push(conflicts(&worst.over_time, &round));
    }
    plots
}

/// The shortest duration of the class, if it is the first.
fn start_of(class: &DurationClass) -> f64 {
    class.up_to as f64 / 10_f64.powf(1.0 / 8.0)
}

fn histogram(run: &Run, first: &DurationClass, last: &DurationClass) -> Plot {
    let most = run.latencies.iter().map(|class| class.number).max().unwrap_or(0);
    let x = Scale::log(start_of(first), last.up_to as f64, Unit::Duration);
    let y = Scale::linear(most as f64, Unit::Count);
    let plot = Plot::new("From click to answer", ("time from click to answer", x), ("buyers", y));
    let mut from = start_of(first);
    let mut all = plot.described(format!(
        "Half of the buyers had their answer within {}, 99 in 100 within {}.",
        duration(run.figures.latency.p50),
        duration(run.figures.latency.p99)
    ));
    for class in &run.latencies {
        let to = class.up_to as f64;
        all = all.bar(from, to, class.number as f64);
        from = to;
    }
    all
}

fn cumulative(run: &Run, first: &DurationClass, last: &DurationClass) -> Plot {
    let all: u64 = run.latencies.iter().map(|class| class.number).sum();
    let x = Scale::log(start_of(first), last.up_to as f64, Unit::Duration);
    let y = Scale::linear(1.0, Unit::Share);
    let mut sum = 0;
    let points = run.latencies.iter().map(|class| {
        sum += class.number;
        (class.up_to as f64, sum as f64 / all.max(1) as f64)
    });
    let points: Vec<(f64, f64)> = std::iter::once((start_of(first), 0.0)).chain(points).collect();
    let title = "Share of buyers that had their answer";
    Plot::new(title, ("time from click to answer", x), ("share of buyers", y))
        .line("answered", points)
        .described("The same durations, added up.".into())
}

/// A figure of each slice, at its end.
fn over_time(
    slices: &[TimeSlice],
    figure: fn(&TimeSlice) -> u64,
) -> impl Iterator<Item = (f64, f64)> {
    slices.iter().map(move |slice| (slice.until as f64, figure(slice) as f64))
}

/// The axis of a round's time.
fn time_axis(slices: &[TimeSlice]) -> Scale {
    Scale::linear(slices.last().map_or(1.0, |slice| slice.until as f64), Unit::Duration)
}

fn inside(slices: &[TimeSlice], round: &str) -> Plot {
    let most = slices.iter().map(|slice| slice.inside.max(slice.answered)).max().unwrap_or(0);
    Plot::new(
        &format!("Buyers inside a checkout, by slices of time{round}"),
        ("time after the start", time_axis(slices)),
        ("buyers", Scale::linear(most as f64, Unit::Count)),
    )
    .line("inside at some time in this slice", over_time(slices, |slice| slice.inside))
    .line("answered in this slice", over_time(slices, |slice| slice.answered))
    .described(format!(
        "At most {} were inside at some time in one slice, not all of them at once.",
        count(most)
    ))
}

fn conflicts(slices: &[TimeSlice], round: &str) -> Plot {
    let most = slices.iter().map(|slice| slice.conflicts.max(slice.waited)).max().unwrap_or(0);
    Plot::new(
        &format!("Conflicts and waits{round}"),
        ("time after the start", time_axis(slices)),
        ("of buyers answered in this slice", Scale::linear(most as f64, Unit::Count)),
    )
    .line("attempts that ended in a conflict", over_time(slices, |slice| slice.conflicts))
    .line("buyers that had waited", over_time(slices, |slice| slice.waited))
    .described(format!(
        "{} conflicts, and {} buyers that had waited.",
        count(slices.iter().map(|slice| slice.conflicts).sum::<u64>()),
        count(slices.iter().map(|slice| slice.waited).sum::<u64>())
    ))
}
