//! A search for a terminal: the verdict, the shortest schedule as a timeline, what was covered.

use std::time::Duration;

use super::table::headline;
use super::timeline::{excerpt, timeline};
use super::verdict;
use super::width::Width;
use crate::base::clock::nanos;
use crate::base::text::quantity::{count, duration, of, ordinal, percent};
use crate::check::report::Evidence;
use crate::domain::finding::FindingKind;
use crate::explore::{
    AnyBuyers, Covered, CureTried, Exploration, FindingReport, Incident, LevelTried, Method,
    OrderCoverage, Sampled,
};

/// The whole report. The time it took is a parameter of its own, for it is the only thing that varies.
#[must_use]
pub fn exploration(report: &Exploration, took: Option<Duration>, width: Width) -> String {
    let mut text = headline(report.evidence, &sentence(report), width);
    for (label, what) in lines(report, took) {
        text += &width.labelled_lines(label, &what);
    }
    for hint in &report.hints {
        text += &width.labelled(hint.purpose.label(), &hint.command);
    }
    // Several findings often have the same schedule: it is told once.
    for way in report.findings.chunk_by(|one, next| one.schedule == next.schedule) {
        text += &story(way, width);
    }
    for incident in &report.incidents {
        text += &incident_story(incident, &report.findings, width);
    }
    if let (Some(rows), []) = (&report.replayed, &report.findings[..]) {
        text.push('\n');
        text += &timeline(rows, width);
    }
    text
}

/// What stands under the verdict, each with its label: who came, what was covered and what was not, a cure. What goes on
/// in another line is a text of its own.
pub(super) fn lines(
    report: &Exploration,
    took: Option<Duration>,
) -> Vec<(&'static str, Vec<String>)> {
    let mut lines: Vec<(&'static str, Vec<String>)> = Vec::new();
    if !report.roles.is_empty() {
        lines.push(("who", vec![report.roles.join(" · ")]));
    }
    if let Some(orders) = &report.orders {
        lines.push(("covered", of_orders(report, orders, took)));
        if report.evidence == Evidence::Proved {
            lines.push(("not covered", vec![match report.server {
                    Some(_) => format!(
                        "the order in which one query locks several rows, waits that run into a time-out, {}{}other \
                         quantities",
                        beyond_the_crashes(report),
                        beyond_the_expiries(report)
                    ),
                    None => beyond_the_model(report),
                }]));
        }
    }
    if let (Some(_), Some(why)) = (&report.failure, &report.incomplete) {
        lines.push(("not covered", vec![format!("what comes after: {why}")]));
    }
    if report.evidence == Evidence::Vacuous && report.buyers == 1 {
        lines.push(("instead", vec!["let more than one buyer come, such as --buyers 2".into()]));
    }
    let places = if report.covered.is_some() { "way to end" } else { "order" };
    for (label, number, what) in [
        ("failed", report.failed, "a buyer's checkout in"),
        ("deadlocks", report.resolved_deadlocks, "resolved by the server in"),
    ] {
        if number > 0 && report.replayed.is_none() {
            lines.push((label, vec![format!("{what} {}", plural(number, places))]));
        }
    }
    for remark in folded(&report.remarks) {
        lines.push(("mind", vec![remark]));
    }
    for tried in &report.tries {
        lines.push(("tried", cure_tried(tried)));
    }
    if !report.tries.is_empty() {
        // A level that was tried is told there.
    } else if let Some(why) = &report.no_level {
        lines.push(("cure", vec![why.words()]));
    } else if let Some(last) = report.cures.last() {
        lines.push(("cure", vec![cure(last)]));
    }
    if let Some(covered) = &report.covered {
        lines.push(("covered", coverage(report, covered, took)));
        if report.evidence == Evidence::Proved {
            lines.push(("not covered", vec![beyond_the_model(report)]));
        }
    }
    if let Some(sampled) = &report.sampled {
        lines.push(("covered", sample(report, sampled, took)));
    }
    lines
}

/// The report for any number of buyers.
#[must_use]
pub fn any_buyers(report: &AnyBuyers, took: Duration, width: Width) -> String {
    let mut text = headline(report.evidence, &sentence_for_any(report), width);
    for (label, what) in lines_for_any(report, took) {
        text += &width.labelled_lines(label, &what);
    }
    for hint in &report.hints {
        text += &width.labelled(hint.purpose.label(), &hint.command);
    }
    if let Some(least) = &report.least {
        text += &exploration(least, None, width);
    }
    text
}

/// What the verdict's word rests on, for any number of buyers.
pub(super) fn sentence_for_any(report: &AnyBuyers) -> String {
    let stock = of(report.stock.unsigned_abs().into(), "unit");
    match report.evidence {
        Evidence::Broken if report.oversold || least_oversells(report) => {
            format!("enough buyers are promised more than the {stock} there is")
        }
        Evidence::Broken => "nothing is promised twice, but something else is wrong".into(),
        Evidence::Proved if report.below_zero => {
            format!("however many buyers come for {stock}, none is promised twice")
        }
        Evidence::Proved => format!(
            "however many buyers come for {stock}, none is promised twice and no shelf falls below zero"
        ),
        _ => "the store has no end; nothing was promised twice as far as it was followed".into(),
    }
}

/// What stands under that verdict, each line with its label.
pub(super) fn lines_for_any(
    report: &AnyBuyers,
    took: Duration,
) -> Vec<(&'static str, Vec<String>)> {
    let covered = format!(
        "any number of buyers: {} of {}, in {}",
        of(report.markings as u64, "marking"),
        of(report.kinds as u64, "kind"),
        duration(nanos(took))
    );
    let mut lines = vec![("covered", vec![covered])];
    match (&report.least, report.proved_up_to) {
        (Some(least), _) => {
            let least = of(least.buyers.into(), "buyer");
            lines.push(("least", vec![format!("{least} can break it")]));
        }
        (None, Some(buyers)) => {
            let buyers = of(buyers.into(), "buyer");
            let what = format!("other findings, such as deadlocks: proved up to {buyers}");
            lines.push(("not covered", vec![what]));
        }
        (None, None) => {}
    }
    lines
}

fn least_oversells(report: &AnyBuyers) -> bool {
    report.least.as_ref().is_some_and(|least| least.amount_of(FindingKind::Oversold) > 0)
}

/// What the verdict's word rests on.
pub(super) fn sentence(report: &Exploration) -> String {
    let buyers = of(report.buyers.into(), "buyer");
    let crowd = match report.stock {
        // A shop that does not count units.
        0 => buyers,
        stock => format!("{buyers} and {}", of(stock.unsigned_abs().into(), "unit")),
    };
    if let (Evidence::Vacuous, Some(why)) = (report.evidence, &report.incomplete) {
        return format!("{crowd}{} · {why}", place(report));
    }
    match (&report.findings[..], &report.covered) {
        ([first, ..], _) => {
            let unit = if report.server.is_some() { "statement" } else { "step" };
            let way = match (&report.replayed, &report.sampled) {
                (Some(_), _) => "in",
                (None, Some(_)) => "first seen in",
                (None, None) => "shortest way:",
            };
            format!("{}{} · {way} {}", amount(first), place(report), of(first.length(), unit))
        }
        ([], None) if report.orders.is_some() => match report.evidence {
            Evidence::Proved => {
                format!("no finding in any {} of {crowd}{}", order(report), place(report))
            }
            _ => match report.orders.as_ref().and_then(|orders| orders.preemptions) {
                Some(preemptions) => format!(
                    "no finding in any {} of {crowd} with at most {}{} · not a proof",
                    order(report),
                    of_preemptions(preemptions),
                    place(report)
                ),
                None => format!(
                    "nothing wrong seen in some {}s of {crowd}{} · not complete, so not a proof",
                    order(report),
                    place(report)
                ),
            },
        },
        ([], None) if report.sampled.is_some() => {
            let schedules = report.sampled.as_ref().map_or(0, |sampled| sampled.schedules);
            format!("not seen in {} of {crowd} · not a proof", of(schedules, "schedule"))
        }
        ([], None) => match &report.incomplete {
            Some(why) => format!("nothing wrong so far with {crowd}, but {why}"),
            None => format!("nothing wrong at the end of this schedule of {crowd}"),
        },
        ([], Some(covered)) if covered.complete => {
            format!("no finding in any interleaving of {crowd}")
        }
        ([], Some(covered)) => format!(
            "nothing wrong seen in {} of {crowd} · not complete, so not a proof",
            of(covered.states as u64, "state")
        ),
    }
}

/// The server, and the isolation level of its transactions; empty for the model.
fn place(report: &Exploration) -> String {
    match &report.server {
        None => String::new(),
        Some(server) if report.has_transactions => {
            format!(" on {server}, {}", report.isolation.name().replace('-', " "))
        }
        Some(server) => format!(" on {server}"),
    }
}

/// Whether the last level that was tried cures the finding.
fn cure(tried: &LevelTried) -> String {
    let level = tried.isolation;
    let run = of(tried.orders, "order");
    let failed = match tried.failed {
        0 => String::new(),
        failed => format!(", in {} of which a buyer came too late and failed", count(failed)),
    };
    let titles: Vec<&str> = tried.remains.iter().map(|kind| kind.title()).collect();
    let remains = match titles[..] {
        [] => String::new(),
        _ => format!("; what remains there: {}", titles.join(", ")),
    };
    match (tried.evidence, tried.preemptions) {
        (Evidence::Proved, _) => {
            format!("--isolation {level} (proved: {run} run{failed}){remains}")
        }
        (Evidence::Broken, _) => format!("no isolation level, for it is broken at {level}, too"),
        (_, Some(preemptions)) => format!(
            "perhaps --isolation {level}: not found in any order with at most {}, {run}{failed}{remains}",
            of_preemptions(preemptions)
        ),
        (Evidence::Vacuous, _) => {
            format!("unknown: --isolation {level} proves nothing either way ({run}{failed})")
        }
        _ => format!("perhaps --isolation {level}: not seen in the first {run}{failed}{remains}"),
    }
}

/// What a cure does about the finding, what it costs, and the statement with it, to be copied.
fn cure_tried(tried: &CureTried) -> Vec<String> {
    let CureTried { cure, evidence, why_not, statement, remains, orders, preemptions, .. } = tried;
    let why_not = why_not.as_ref().map_or(String::new(), |why| format!("; {why}"));
    let verdict = match evidence {
        None => format!("not tried{why_not}"),
        Some(Evidence::Proved) => "proved".to_owned(),
        Some(Evidence::Broken) => format!("still broken{why_not}"),
        Some(Evidence::Vacuous) => format!("proves nothing either way{why_not}"),
        Some(Evidence::NotSeen) => match preemptions {
            Some(preemptions) => format!(
                "not found in any order with at most {}, which is no proof{why_not}",
                of_preemptions(*preemptions)
            ),
            None => format!("not found in the orders that were run, which is no proof{why_not}"),
        },
    };
    let mut text = format!("{cure}: {verdict}");
    if evidence.is_some() {
        let costs = [
            (tried.waited, "a buyer waited"),
            (tried.failed, "a buyer's checkout failed"),
            (tried.resolved_deadlocks, "the server broke a deadlock"),
        ];
        let costs = costs.iter().filter(|(orders, _)| *orders > 0);
        let costs = costs.map(|(orders, what)| format!(", in {} of them {what}", count(*orders)));
        text += &format!(" ({} run{})", of(*orders, "order"), costs.collect::<String>());
    }
    if !remains.is_empty() {
        let titles: Vec<&str> = remains.iter().map(|kind| kind.title()).collect();
        text += &format!("; what else is found: {}", titles.join(", "));
    }
    if tried.unheeded > 0 {
        text += &format!(
            "; in {} a buyer bought whose UPDATE had changed no row: the application has to look how many rows it has changed",
            of(tried.unheeded, "order")
        );
    }
    std::iter::once(text).chain(statement.clone()).collect()
}

/// What a proof in the model does not cover.
fn beyond_the_model(report: &Exploration) -> String {
    let crashes = if report.faults.crashes == 0 { "crashes, " } else { "" };
    format!("weak memory order, {crashes}other quantities")
}

/// What a proof at a server does not cover of crashes: a buyer's program dies as often as was asked for, the server itself
/// never.
fn beyond_the_crashes(report: &Exploration) -> &'static str {
    match report.faults.crashes {
        0 => "crashes, ",
        _ => "more crashes, crashes of the server, ",
    }
}

/// What a proof at a server does not cover of holds: all that there are run out at once, as often as was asked for.
fn beyond_the_expiries(report: &Exploration) -> &'static str {
    match report.faults.expiries {
        0 => "",
        _ => "holds that run out one by one, ",
    }
}

/// What may go wrong in what was covered.
fn with_faults(report: &Exploration) -> String {
    match report.faults.is_none() {
        true => String::new(),
        false => format!(", with up to {}", report.faults),
    }
}

/// What an order is an order of: statements at a server, steps in the model.
fn order(report: &Exploration) -> &'static str {
    if report.server.is_some() { "statement order" } else { "interleaving" }
}

/// What was covered, order by order.
fn of_orders(report: &Exploration, orders: &OrderCoverage, took: Option<Duration>) -> Vec<String> {
    let (buyers, faults) = (of(report.buyers.into(), "buyer"), with_faults(report));
    let order = order(report);
    // Orders that were likely to break are run once more if the search goes on.
    let is_cut = orders.likely == orders.run;
    let run = of(if is_cut { orders.run } else { orders.run - orders.likely }, "order");
    let mut text = match (orders.complete, orders.reduced) {
        (true, false) => format!("every {order} of {buyers}{faults}: {run}, one by one"),
        (true, true) => {
            format!("every {order} of {buyers}{faults}: {run} run, and no other is different")
        }
        (false, _) => match orders.preemptions {
            Some(preemptions) => {
                let few = of(orders.with_few_preemptions, "schedule");
                let more = match orders.run - orders.likely - orders.with_few_preemptions {
                    0 => String::new(),
                    more => format!("; and {} with more", count(more)),
                };
                format!(
                    "every {order} of {buyers} with at most {}{faults}: {few}{more}",
                    of_preemptions(preemptions)
                )
            }
            None => format!("not every {order} of {buyers}{faults}: {run} run"),
        },
    };
    if orders.cut_short > 0 {
        text += &format!(" ({} more were begun, and led nowhere new)", count(orders.cut_short));
    }
    match orders.likely {
        0 => {}
        _ if is_cut => text += " to find bugs early",
        likely => text += &format!("; and {} before, to find bugs early", count(likely)),
    }
    if orders.broken > 0 {
        let broken = count(orders.broken);
        text += &match is_cut || orders.likely == 0 {
            true => format!(", {broken} of them broken"),
            false => format!("; {broken} of all {} broken", count(orders.run)),
        };
    }
    if let Some(first) = orders.first_broken.filter(|_| report.server.is_some()) {
        text += &format!(", found in the {}", ordinal(first));
    }
    let mut lines = vec![text];
    if orders.diverged > 0 {
        lines.push(format!(
            "{} not as before when the beginning was repeated, and so not covered",
            of(orders.diverged, "order")
        ));
        lines.extend(orders.first_divergence.iter().map(|first| format!("the first {first}")));
    }
    let statements = match report.server {
        Some(_) => format!("{} sent", of(orders.statements, "statement")),
        None => format!("{} made", of(orders.statements, "step")),
    };
    lines.extend(took.map(|took| {
        let rate = orders.run as f64 / took.as_secs_f64().max(1e-9);
        let rate = count(rate as u64);
        format!("in {} · {rate} orders a second, {statements}", duration(nanos(took)))
    }));
    lines
}

/// A number and its noun, where the noun may end in a verb.
fn plural(number: u64, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "way to end") => format!("{} ways to end", count(number)),
        _ => of(number, what),
    }
}

fn of_preemptions(number: u32) -> String {
    of(number.into(), "preemption")
}

fn amount(told: &FindingReport) -> String {
    let finding = &told.finding;
    verdict::amount(finding.kind, finding.amount)
}

fn coverage(report: &Exploration, covered: &Covered, took: Option<Duration>) -> Vec<String> {
    let states = format!(
        "{}, {}",
        of(covered.states as u64, "state"),
        of(covered.transitions, "transition")
    );
    let faults = with_faults(report);
    let what = match (covered.complete, covered.interleavings) {
        (true, Some(ways)) if !covered.reduced => format!(
            "every interleaving of {}{faults}, one by one: {ways}, {} in all, nothing merged",
            of(report.buyers.into(), "buyer"),
            of(covered.transitions, "step")
        ),
        (true, Some(ways)) => format!(
            "every interleaving of {}{faults}: {ways}, as {states}",
            of(report.buyers.into(), "buyer")
        ),
        (true, None) => {
            format!(
                "every interleaving of {}{faults}, as {states}",
                of(report.buyers.into(), "buyer")
            )
        }
        (false, _) => format!("not every interleaving; the shortest first: {states}"),
    };
    let mut lines = vec![what];
    if covered.precedence_states > 0 {
        let states = of(covered.precedence_states as u64, "state");
        lines.push(format!("and who came before whom, as {states}"));
    }
    let bytes = match covered.reduced {
        true => format!(" · {} bytes a state", count(covered.bytes_per_state as u64)),
        false => String::new(),
    };
    match took {
        None => {
            let last = lines.pop().unwrap_or_default();
            lines.push(last + &bytes);
        }
        Some(took) => {
            let rate = covered.states as f64 / took.as_secs_f64().max(1e-9);
            let rate = count(rate as u64);
            lines.push(format!("in {} · {rate} states a second{bytes}", duration(nanos(took))));
        }
    }
    lines
}

/// What random schedules have covered.
fn sample(report: &Exploration, sampled: &Sampled, took: Option<Duration>) -> Vec<String> {
    let Sampled { schedules, endless, longest, method, chance } = sampled;
    let mut text = match method {
        Method::Plain => format!("{}, plain", of(*schedules, "schedule")),
        Method::Pct { depth } => format!("{} by PCT of depth {depth}", of(*schedules, "schedule")),
    };
    text += &format!(", seed {}, of up to {}", report.seed, of(*longest, "step"));
    if *endless > 0 {
        text += &format!("; {} did not end", count(*endless));
    }
    let mut lines = vec![text];
    if let (Some(chance), Method::Pct { depth }) = (chance, method) {
        let seen = percent(1.0 - (1.0 - chance).powf(*schedules as f64));
        lines.push(format!(
            "a bug of depth {depth} would have shown with a chance of at least {seen}"
        ));
    }
    lines.extend(took.map(|took| format!("in {}", duration(nanos(took)))));
    lines
}

/// What a schedule shows in which no buyer comes between another's statements.
pub(in crate::render) const SERIAL: &str =
    "one buyer after the other: no statement of one comes between two of another";

/// Remarks for a terminal: of many statements that were run in one step, two are shown.
pub(in crate::render) fn folded(remarks: &[String]) -> Vec<String> {
    let is_alike = |remark: &&String| remark.contains("` was run in one step, though ");
    let alike = remarks.iter().filter(is_alike).count();
    let (mut shown, mut lines) = (0, Vec::new());
    for remark in remarks {
        if alike > MOST_ALIKE && is_alike(&remark) {
            shown += 1;
            if shown == MOST_ALIKE {
                let more = of((alike - MOST_ALIKE + 1) as u64, "more statement");
                lines.push(format!("{more}: run in one step, too; --format json names them"));
            }
            if shown >= MOST_ALIKE {
                continue;
            }
        }
        lines.push(remark.clone());
    }
    lines
}

/// The most remarks of one kind that are shown one by one.
const MOST_ALIKE: usize = 3;

/// One schedule, and everything that is wrong at its end.
fn story(way: &[FindingReport], width: Width) -> String {
    let Some(first) = way.first() else { return String::new() };
    let mut text = format!("\n{}\n", excerpt(&first.timeline, width));
    for told in way {
        text += &width.labelled(told.finding.kind.title(), &told.finding.proof);
    }
    if let Some(why) = &first.why {
        text += &width.labelled_lines("why", &why.sentences());
    }
    if first.serial {
        text += &width.labelled("why", SERIAL);
    }
    text += &width.labelled("again", &first.again);
    if let Some(by_hand) = &first.by_hand {
        text += &width.labelled("by hand", by_hand);
    }
    text
}

/// An incident, which is no finding; with its timeline, unless a finding has the same schedule.
fn incident_story(incident: &Incident, findings: &[FindingReport], width: Width) -> String {
    let Incident { kind, proof, schedule, timeline, again, .. } = incident;
    let is_told = findings.iter().any(|told| told.schedule == *schedule);
    match is_told {
        true => width.labelled(kind.title(), proof),
        false => {
            let way = excerpt(timeline, width);
            format!(
                "\n{way}\n{}{}",
                width.labelled(kind.title(), proof),
                width.labelled("again", again)
            )
        }
    }
}
