//! A search, or one schedule, as a page.

use std::time::Duration;

use serde::Serialize;

use super::page::{Headline, Line, render};
use super::swim_lanes::{SameThing, SwimLanes};
use crate::base::error::Error;
use crate::base::text::quantity::of;
use crate::check::report::{Evidence, Hint};
use crate::domain::finding::FindingKind;
use crate::explore::{AnyBuyers, Exploration, FindingReport, PlayGraph};

use crate::render::exploration::{SERIAL, lines, lines_for_any, sentence, sentence_for_any};
use crate::render::verdict::word;

/// Everything on the page.
#[derive(Debug, Serialize)]
struct Page<'a> {
    title: String,
    command: &'static str,
    headline: Headline,
    about: String,
    lines: Vec<Line>,
    schedules: Vec<Told>,
    /// What the reader tries to do as the scheduler.
    aim: String,
    graph: Option<&'a PlayGraph>,
}

/// One schedule, and everything that is wrong at its end.
#[derive(Debug, Serialize)]
struct Told {
    title: String,
    findings: Vec<Line>,
    lanes: SwimLanes,
    /// The schedule as text, which the page can play.
    schedule: String,
    lines: Vec<Line>,
}

/// The page of a search, or of one schedule. With `graph` the reader is the scheduler.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn exploration_page(
    report: &Exploration,
    took: Option<Duration>,
    graph: Option<&PlayGraph>,
) -> Result<String, Error> {
    let under = under_verdict(lines(report, took), &report.hints);
    let schedules = told_of(report);
    let command = if report.replayed.is_some() { "replay" } else { "explore" };
    render(
        "exploration.html",
        Page {
            title: format!("{}: {}", report.strategy, word(report.evidence)),
            command,
            headline: Headline::new(report.evidence, sentence(report)),
            about: about(report),
            lines: under,
            schedules,
            aim: aim(report) + &faults_to_choose(report),
            graph,
        },
    )
}

/// The page for any number of buyers.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn any_buyers_page(report: &AnyBuyers, took: Duration) -> Result<String, Error> {
    let least = report.least.as_ref();
    render(
        "exploration.html",
        Page {
            title: format!("{}: {}", report.strategy, word(report.evidence)),
            command: "explore",
            headline: Headline::new(report.evidence, sentence_for_any(report)),
            about: format!("{} · any number of buyers · the model", report.strategy),
            lines: under_verdict(lines_for_any(report, took), &report.hints),
            schedules: least.map_or(Vec::new(), told_of),
            aim: String::new(),
            graph: None,
        },
    )
}

/// The lines under a verdict, and then the commands to run next.
fn under_verdict(lines: Vec<(&'static str, Vec<String>)>, hints: &[Hint]) -> Vec<Line> {
    let lines = lines.iter().map(|(label, text)| Line::text(label, &text.join(" ")));
    let hints = hints.iter().map(|hint| Line::command(hint.purpose.label(), &hint.command));
    lines.chain(hints).collect()
}

/// The schedules that a report shows: those of findings, those of incidents, or the one that was replayed.
fn told_of(report: &Exploration) -> Vec<Told> {
    // Of the built-in tables it is known what a statement touches; with one product they have one row of stock. A
    // checkout of a file has tables of its own, of which two statements may touch different rows.
    let is_of_file = report.strategy.ends_with(".toml");
    let same_thing = match () {
        () if report.server.is_none() => Some(SameThing::ByName),
        () if is_of_file => Some(SameThing::ByRows),
        () => (report.items == 1).then_some(SameThing::ByName),
    };
    let ways = report.findings.chunk_by(|one, next| one.schedule == next.schedule);
    let mut schedules: Vec<Told> = ways.filter_map(|way| told(way, same_thing)).collect();
    let is_told = |schedule: &str| report.findings.iter().any(|one| one.schedule == schedule);
    for incident in report.incidents.iter().filter(|one| !is_told(&one.schedule)) {
        schedules.push(Told {
            title: incident.kind.title().to_owned(),
            findings: vec![Line::text(incident.kind.title(), &incident.proof)],
            lanes: SwimLanes::of(&incident.timeline, None, None),
            schedule: incident.schedule.clone(),
            lines: vec![Line::command("again", &incident.again)],
        });
    }
    if let (Some(rows), []) = (&report.replayed, &report.findings[..]) {
        schedules.push(Told {
            title: "The schedule".into(),
            findings: Vec::new(),
            lanes: SwimLanes::of(rows, None, None),
            schedule: String::new(),
            lines: Vec::new(),
        });
    }
    schedules
}

/// What was explored, in a line.
fn about(report: &Exploration) -> String {
    let mut parts = vec![report.strategy.clone(), of(report.buyers.into(), "buyer")];
    if report.stock > 0 {
        parts.push(of(report.stock.unsigned_abs().into(), "unit"));
    }
    match &report.server {
        Some(server) => parts.push(server.clone()),
        None => parts.push("the model".into()),
    }
    if report.has_transactions {
        parts.push(report.isolation.name().replace('-', " "));
    }
    if !report.faults.is_none() {
        parts.push(format!("up to {}", report.faults));
    }
    parts.join(" · ")
}

/// What the reader tries to do.
fn aim(report: &Exploration) -> String {
    match (report.stock, report.evidence) {
        (_, Evidence::Proved) => {
            "No order breaks this checkout. Try it: whatever you choose, nothing goes wrong.".into()
        }
        (1, _) => "Choose whose step comes next, and try to sell the same unit twice.".into(),
        (0, _) => "Choose whose step comes next, and try to break a promise of the shop.".into(),
        (stock, _) => format!(
            "Choose whose step comes next, and try to sell more than the {} there are.",
            of(stock.unsigned_abs().into(), "unit")
        ),
    }
}

/// What else the reader chooses.
fn faults_to_choose(report: &Exploration) -> String {
    match report.faults.is_none() {
        true => String::new(),
        false => format!(" You also choose what goes wrong on the way: up to {}.", report.faults),
    }
}

/// The findings that come of a client which acts on what it read before another changed it.
const OF_COLLISIONS: [FindingKind; 3] =
    [FindingKind::Oversold, FindingKind::LostUpdate, FindingKind::NegativeStock];

/// One schedule, and all findings that it shows. Which steps collide the report says, or else what they touch, where it
/// is known by what two steps touch the same thing.
fn told(way: &[FindingReport], same_thing: Option<SameThing>) -> Option<Told> {
    let first = way.first()?;
    // Where something else goes wrong on the way, such as a lease that runs out, that may be what matters.
    let has_only_steps = first.schedule.chars().all(|c| c.is_alphanumeric() || c == '*');
    let is_of_collision = way.iter().any(|told| OF_COLLISIONS.contains(&told.finding.kind));
    let same_thing = same_thing.filter(|_| has_only_steps && is_of_collision);
    let collision = first.why.as_ref().filter(|why| why.reach.is_some());
    let mut below = Vec::new();
    if let Some(why) = &first.why {
        below.push(Line::text("why", &why.to_string()));
    }
    if first.serial {
        below.push(Line::text("why", SERIAL));
    }
    below.push(Line::command("again", &first.again));
    if let Some(by_hand) = &first.by_hand {
        below.push(Line::command("by hand", by_hand));
    }
    Some(Told {
        title: format!("{} in {}", first.finding.kind.title(), of(first.length(), "step")),
        findings: way
            .iter()
            .map(|told| Line::text(told.finding.kind.title(), &told.finding.proof))
            .collect(),
        lanes: SwimLanes::of(&first.timeline, collision, same_thing),
        schedule: first.schedule.clone(),
        lines: below,
    })
}
