//! What happened at a real server, in words.

use super::conflict::{Conflict, is_serial, names};
use super::named_tables::NamedTables;
use super::results::IncidentExample;
use crate::check::audit::Finding;
use crate::describe::checkout::{Audit, Call, Checkout};
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::settings::Settings;
use crate::explore::exploration::FindingReport;
use crate::explore::exploration::again;
use crate::explore::incident::Incident;
use crate::explore::timeline::TimelineRow;
use crate::explore::touch::Touch;
use crate::scheduler::Phase;
use crate::scheduler::{Actor, Schedule};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{ServerStep, actor, choices};

/// A finding with its schedule, as a timeline. A long timeline is folded. `why` says which statements interfere.
pub(in crate::explore) fn tell(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    tables: &[String],
    finding: Finding,
    steps: &[ServerStep],
) -> FindingReport {
    let schedule = Schedule(choices(steps)).to_string();
    let audited = strategy.described().map_or(Vec::new(), |checkout| audited(&checkout));
    let serial = strategy.is_app() && is_serial(steps);
    let is_explained = strategy.is_app() && !serial;
    let why = is_explained.then(|| Conflict::among(steps, tables, &audited)).flatten();
    let timeline = match steps.len() {
        0..=MOST_WHOLE => timeline(settings, tables, steps),
        _ => folded(settings, tables, steps, why.as_ref()),
    };
    FindingReport {
        finding,
        again: again(strategy, settings, &schedule),
        by_hand: None,
        schedule,
        why,
        serial,
        timeline,
    }
}

/// An incident with its schedule, as a timeline.
pub(in crate::explore) fn tell_incident(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    tables: &[String],
    incident: IncidentExample,
) -> Incident {
    let IncidentExample { kind, orders, proof, steps, .. } = incident;
    let schedule = Schedule(choices(&steps)).to_string();
    let timeline = match steps.len() {
        0..=MOST_WHOLE => timeline(settings, tables, &steps),
        _ => folded(settings, tables, &steps, None),
    };
    let again = again(strategy, settings, &schedule);
    Incident { kind, orders, proof, schedule, timeline, again }
}

/// The most steps that are told one by one; of more, only those that matter are.
const MOST_WHOLE: usize = 30;

/// The longest that a statement outside the conflict is told, and its answer, in characters.
const MOST_SAID: usize = 100;
const MOST_ANSWERED: usize = 40;

/// The tables of the audit's statements: what is in stock, orders, and what must never be.
fn audited(checkout: &Checkout) -> Vec<String> {
    let Audit { stock, orders, never } = &checkout.audit;
    let never = never.iter().map(|(_, call)| call);
    let texts = stock.iter().chain(orders).chain(never).filter_map(|call| match call {
        Call::Sql(sql) => Some(&sql.text),
        Call::Redis(_) | Call::Lua { .. } | Call::Http(_) | Call::Program(_) | Call::Code(_) => {
            None
        }
    });
    let tables = texts.flat_map(|text| NamedTables::of(text).read);
    // Where the stock is asked for in another way, no table is known to have it.
    let is_sql = matches!(stock, Some(Call::Sql(_)));
    let no_table = (!is_sql).then(String::new);
    no_table.into_iter().chain(tables).collect()
}

/// Steps in words, with many that do not matter folded into one row. A step matters if it is one of the conflict's
/// three, if it changes the conflict's table, or if a buyer waits, goes on or leaves with it.
fn folded(
    settings: &Settings,
    tables: &[String],
    steps: &[ServerStep],
    why: Option<&Conflict>,
) -> Vec<TimelineRow> {
    let matters = |at: usize| {
        let step = &steps[at];
        let is_of_table = |why: &Conflict| names(&step.statement.text, &why.table);
        step.answer.is_none()
            || !step.went_on.is_empty()
            || !step.left.is_empty()
            || why.is_some_and(|why| {
                why.is_about(at) || step.statement.touches.changes() && is_of_table(why)
            })
    };
    let mut rows = Vec::new();
    let mut at = 0;
    while at < steps.len() {
        if matters(at) {
            let is_whole = why.is_some_and(|why| why.is_about(at));
            for mut row in timeline(settings, tables, &steps[at..=at]) {
                if !is_whole {
                    row.did = shortened_by_far(&row.did);
                }
                rows.push(row);
            }
            at += 1;
            continue;
        }
        let place = steps[at].place;
        let run = (at..steps.len()).take_while(|at| steps[*at].place == place && !matters(*at));
        let count = run.count();
        match count {
            1 => rows.extend(
                timeline(settings, tables, &steps[at..=at])
                    .into_iter()
                    .map(|row| TimelineRow { did: shortened_by_far(&row.did), ..row }),
            ),
            _ => rows.push(TimelineRow::folded(client_name(place, settings), count as u32)),
        }
        at += count;
    }
    rows
}

/// A text without its end if it has more than so many characters.
pub(in crate::explore) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A row's statement and answer, each without its end if it is long.
fn shortened_by_far(did: &str) -> String {
    match did.rsplit_once(" → ") {
        Some((said, answer)) => {
            format!("{} → {}", cut(said, MOST_SAID), cut(answer, MOST_ANSWERED))
        }
        None => cut(did, MOST_SAID),
    }
}

/// Steps in words. A buyer that had to wait and goes on has a row of its own. `tables` are the names of what footprints
/// number.
pub(in crate::explore) fn timeline(
    settings: &Settings,
    tables: &[String],
    steps: &[ServerStep],
) -> Vec<TimelineRow> {
    let has_one = settings.items == 1;
    let name = |place: usize| client_name(place, settings);
    let mut rows = Vec::new();
    for step in steps {
        let left = |place: usize| {
            let ending = step.left.iter().find(|(who, _)| *who == place);
            ending.map_or(String::new(), |(_, ending)| match ending {
                Ending::Failed(Failure::Crashed) => String::new(),
                Ending::Failed(why) => format!(", {why}"),
                ending => format!(", {}", ending.word()),
            })
        };
        let expires = match step.statement.act {
            Act::Expire => "holds run out: ",
            _ => "",
        };
        let sent = expires.to_owned() + &phase(step) + &shortened(&step.statement.text, has_one);
        let came_of_it = match &step.answer {
            Some(answer) => answered(answer) + &left(step.place),
            None if step.has_begun => String::new(),
            None => {
                let names: Vec<String> = step.waits_for.iter().map(|place| name(*place)).collect();
                match names.is_empty() {
                    true => " … waits".into(),
                    false => format!(" … waits for {}", names.join(", ")),
                }
            }
        };
        // A statement that has only begun has not changed anything yet.
        let begins = step.statement.begins.as_ref().filter(|_| step.has_begun);
        let touched = begins.unwrap_or(&step.statement.touches);
        let touches = Touch::of_footprint(touched, tables).into_iter();
        rows.push(TimelineRow {
            touches: touches.map(|one| one.with_rows(&step.statement.footprint, tables)).collect(),
            code: step.statement.code.clone(),
            waits: step.answer.is_none() && !step.has_begun,
            ..TimelineRow::said(name(step.place), sent + &came_of_it, false)
        });
        for (place, answer) in &step.went_on {
            let did = format!("… goes on{}{}", answered(answer), left(*place));
            rows.push(TimelineRow::said(name(*place), did, true));
        }
        for place in &step.began {
            rows.push(TimelineRow::said(name(*place), "… goes on, and has begun".into(), true));
        }
    }
    rows
}

/// The name of a buyer in a timeline, or of what ends holds.
pub(super) fn client_name(place: usize, settings: &Settings) -> String {
    match actor(place, settings.buyers as usize) {
        Actor::Worker => "time".into(),
        buyer @ Actor::Buyer(_) => buyer.to_string(),
    }
}

/// Which part of a statement a step is, where it is held inside the server.
fn phase(step: &ServerStep) -> String {
    match step.statement.phase {
        Phase::Acts => "acts: ".into(),
        Phase::Sends if step.has_begun => "begins: ".into(),
        Phase::Sends => String::new(),
    }
}

fn answered(answer: &str) -> String {
    if answer.is_empty() { String::new() } else { format!(" → {answer}") }
}

/// The text; if there is only one product, without the condition that names it.
fn shortened(text: &str, has_one: bool) -> String {
    match has_one {
        true => text.replace(" WHERE item = 0 AND ", " WHERE ").replace(" WHERE item = 0", ""),
        false => text.to_owned(),
    }
}
