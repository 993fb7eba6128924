//! Specifications of PostgreSQL's isolation tester for a terminal.

use std::collections::BTreeSet;
use std::time::Duration;

use anstyle::AnsiColor;

use super::table::worded;
use super::width::Width;
use crate::base::clock::nanos;
use crate::base::text::printable::{printable, printable_lines};
use crate::base::text::quantity::{count, duration, of};
use crate::explore::{SpecAgreement, SpecOrders, SpecOutcome, SpecStepResult};

/// The most outcomes that are shown; the JSON report has more.
const MOST_SHOWN: usize = 12;

/// Whether the permutations of a file gave what was expected of them. Where nothing is, their output comes first.
pub(crate) fn spec_agreement(report: &SpecAgreement, took: Duration, width: Width) -> String {
    let SpecAgreement { spec, permutations, .. } = report;
    let figures = format!("{} in {}", of(*permutations, "permutation"), duration(nanos(took)));
    let expected = report.expected.as_deref().unwrap_or_default();
    match (report.agrees, &report.difference) {
        (Some(true), _) => worded(
            "AGREES",
            AnsiColor::Green,
            &format!("{spec}: {figures}, as {expected} says"),
            width,
        ),
        (_, Some(difference)) => {
            let sentence = format!("{spec}: {figures}, not as {expected} says");
            worded("DIFFERS", AnsiColor::Red, &sentence, width)
                + "\n"
                + &printable_lines(difference)
        }
        _ => {
            let why =
                if report.complete { "no expected output to compare with" } else { "stopped" };
            let sentence = format!("{spec}: {figures} · {why}");
            let last = worded("RAN", AnsiColor::Yellow, &sentence, width);
            format!("{}\n{last}", printable_lines(&report.output))
        }
    }
}

/// How many files of a folder agree.
pub(crate) fn spec_sum(reports: &[SpecAgreement], took: Duration, width: Width) -> String {
    let permutations: u64 = reports.iter().map(|report| report.permutations).sum();
    let count_of = |agrees| reports.iter().filter(|report| report.agrees == agrees).count() as u64;
    let (agree, differ, alone) = (count_of(Some(true)), count_of(Some(false)), count_of(None));
    let a_second = permutations as f64 / took.as_secs_f64().max(1e-9);
    let mut parts = vec![
        format!("{} of {} agree", count(agree), of(reports.len() as u64, "specification")),
        of(permutations, "permutation"),
        format!("{} a second", count(a_second as i128)),
    ];
    if differ > 0 {
        parts.insert(1, format!("{} differ", count(differ)));
    }
    if alone > 0 {
        parts.insert(1, format!("{} without an expected output", count(alone)));
    }
    let (word, colour) = match (differ, alone) {
        (0, 0) => ("AGREES", AnsiColor::Green),
        (0, _) => ("RAN", AnsiColor::Yellow),
        _ => ("DIFFERS", AnsiColor::Red),
    };
    worded(word, colour, &parts.join(" · "), width)
}

/// What every order of a file's steps comes to.
pub(crate) fn spec_orders(report: &SpecOrders, took: Duration, width: Width) -> String {
    let orders = of(report.orders, "order");
    let outcomes = of(report.outcomes.len() as u64, "outcome");
    let sessions = of(report.sessions.len() as u64, "session");
    let (word, colour, all) = match report.complete {
        true => ("EVERY ORDER", AnsiColor::Green, ""),
        false => ("SOME ORDERS", AnsiColor::Yellow, " · not all"),
    };
    let sentence =
        format!("{orders} of the steps of {sessions} on {}: {outcomes}{all}", report.server);
    let mut text = worded(word, colour, &sentence, width);
    let a_second = report.orders as f64 / took.as_secs_f64().max(1e-9);
    let mut line = |label: &str, what: String| text += &width.labelled(label, &what);
    line(
        "covered",
        format!(
            "{}: {orders} in {} · {} orders a second",
            report.spec,
            duration(nanos(took)),
            count(a_second as i128)
        ),
    );
    line(
        "not covered",
        "what comes between the statements of one step, another victim of a deadlock, waits that run into a time-out, another \
         session that goes on first of those that wait for one lock"
            .into(),
    );
    if report.deadlocks > 0 {
        line("deadlocks", format!("resolved by the server in {}", of(report.deadlocks, "order")));
    }
    if report.blocked > 0 {
        line(
            "blocked",
            format!(
                "in {}, a session waits to the end for one that has no step left",
                of(report.blocked, "order")
            ),
        );
    }
    if report.diverged > 0 {
        line(
            "mind",
            format!(
                "{} went on otherwise when the beginning was repeated",
                of(report.diverged, "order")
            ),
        );
    }
    if report.other_outcomes > 0 {
        line(
            "mind",
            format!("{} came to still other outcomes", of(report.other_outcomes, "order")),
        );
    }
    let varying = varying(&report.outcomes);
    for (place, outcome) in report.outcomes.iter().take(MOST_SHOWN).enumerate() {
        text.push('\n');
        text += &outcome_of(place + 1, outcome, &varying, width);
    }
    if let more @ 1.. = report.outcomes.len().saturating_sub(MOST_SHOWN) {
        text += &format!("\n {} more: --format json has them\n", of(more as u64, "outcome"));
    }
    text
}

/// The places of steps that do not come to the same in all outcomes.
fn varying(outcomes: &[SpecOutcome]) -> BTreeSet<usize> {
    let Some((first, others)) = outcomes.split_first() else { return BTreeSet::new() };
    let differs = |place: &usize| {
        let result = |outcome: &SpecOutcome| {
            let SpecStepResult { answer, why, .. } = &outcome.results[*place];
            (answer.clone(), *why)
        };
        others.iter().any(|other| result(other) != result(first))
    };
    (0..first.results.len()).filter(differs).collect()
}

fn outcome_of(
    number: usize,
    outcome: &SpecOutcome,
    varying: &BTreeSet<usize>,
    width: Width,
) -> String {
    let orders = of(outcome.orders, "order");
    let said = format!("{orders}, such as {}", outcome.order.join(" "));
    let mut text = width.labelled(&format!("outcome {number}"), &said);
    for place in varying {
        let SpecStepResult { step, answer, why } = &outcome.results[*place];
        let answer = answer.as_deref().or(*why).unwrap_or_default().trim_end();
        let mut lines = answer.lines();
        let step = printable(step);
        text += &format!("   {step}: {}\n", printable(lines.next().unwrap_or("done")));
        for line in lines {
            let (line, indent) = (printable(line), step.chars().count());
            text += &format!("   {:indent$}  {line}\n", "");
        }
    }
    for line in outcome.at_end.trim_end().lines() {
        text += &format!("   at the end: {}\n", printable(line));
    }
    text
}
