//! Machines that raced on one store together, as a table: the differences of their clocks as they are.

use super::sections::Section;
use crate::base::text::quantity::{count, duration};
use crate::check::report::{ClockDifference, CommonStart, RacingMachine};

/// One row for each machine.
pub(super) fn machines(start: &CommonStart) -> Section {
    let row = |machine: &RacingMachine| {
        let clock = machine.clock.map(|ClockDifference { ahead, uncertain, .. }| {
            format!("{} ± {}", signed(ahead), duration(uncertain))
        });
        vec![
            format!("slice:{}/{}", machine.part, start.machines.len()),
            count(machine.buyers),
            clock.unwrap_or_else(|| "unknown".into()),
            signed(machine.started),
            machine.started_by_server.map_or_else(|| "unknown".into(), signed),
            format!("+{}", duration(machine.first_click)),
            format!("+{}", duration(machine.last_answer)),
        ]
    };
    Section {
        title: format!("Start at {}", start.at),
        columns: vec![
            "buyers",
            "its clock",
            "started by it",
            "by the server's",
            "first click",
            "last answer",
        ],
        rows: start.machines.iter().map(row).collect(),
    }
}

/// What a reader of the table must know.
pub(super) fn remarks(start: &CommonStart) -> Vec<String> {
    let CommonStart { spread, spread_uncertain, machines, .. } = start;
    let first = match (spread, spread_uncertain) {
        (Some(spread), Some(uncertain)) => format!(
            "from the first start to the last it was {} by the server's clock, give or take {}; clicks and answers are counted \
             from the first",
            duration(*spread),
            duration(*uncertain)
        ),
        _ => "the server tells no clock, so it is not known how far the starts lie apart; clicks and answers are counted from \
              each machine's own start"
            .into(),
    };
    let moved = machines.iter().filter_map(|machine| {
        let ClockDifference { moved, uncertain, .. } = machine.clock?;
        // It is the difference of two readings.
        let surely = moved.unsigned_abs() > uncertain.saturating_mul(2);
        surely.then_some((moved.unsigned_abs(), moved, machine.part))
    });
    let most = moved.max().map(|(_, moved, part)| {
        format!(
            "during the race clocks moved against each other: the server's went {} against that of slice:{part}/{}",
            signed(moved),
            machines.len()
        )
    });
    std::iter::once(first).chain(most).collect()
}

/// A duration before or after something.
fn signed(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "+" };
    format!("{sign}{}", duration(ns.unsigned_abs()))
}
