//! A schedule as a table: one column for each buyer, one row for each step, the stock after the buyers.

use comfy_table::{CellAlignment, Table, presets};
use textwrap::core::display_width;

use super::width::Width;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
use crate::explore::TimelineRow;

/// The most buyers that get a column of their own.
const MOST_COLUMNS: usize = 6;

/// The most characters that all their columns may take together where the width has no bound; a wider timeline has one
/// column for all buyers.
const WIDEST: usize = 150;

/// The fewest characters of a column whose texts are folded.
const LEAST: usize = 28;

/// The same of the notes.
const LEAST_OF_NOTES: usize = 16;

/// The most rows that are all told; of a longer timeline this many are, half from the beginning and half from the end.
const MOST_ROWS: usize = 40;

/// A timeline.
#[must_use]
pub fn timeline(rows: &[TimelineRow], width: Width) -> String {
    rendered(rows, 0..0, width)
}

/// A timeline, without its middle if it is long: a replay tells all of it.
pub(super) fn excerpt(rows: &[TimelineRow], width: Width) -> String {
    match rows.len() {
        0..=MOST_ROWS => timeline(rows, width),
        all => rendered(rows, MOST_ROWS / 2..all - MOST_ROWS / 2, width),
    }
}

/// A timeline without the rows of a range.
fn rendered(rows: &[TimelineRow], left_out: std::ops::Range<usize>, width: Width) -> String {
    let mut actors: Vec<&str> = rows.iter().map(|row| row.actor.as_str()).collect();
    actors.sort_by_key(|actor| (matches!(*actor, "*" | "time"), actor.len(), *actor));
    actors.dedup();
    let title = |actor: &str| if actor == "*" { "worker".to_owned() } else { actor.to_owned() };
    let has_own = has_columns(rows, &actors, width);
    let mut header = vec!["step".to_owned()];
    match has_own {
        true => header.extend(actors.iter().map(|actor| title(actor))),
        false => header.extend(["who".to_owned(), "does".to_owned()]),
    }
    let looks = rows.iter().any(|row| !row.stock.is_empty());
    header.push(if looks { "stock".to_owned() } else { String::new() });
    let stock = header.len() - 1;
    header.push(String::new());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    let mut number = 0;
    for (place, row) in rows.iter().enumerate() {
        number += if row.goes_on { 0 } else { row.steps };
        if left_out.contains(&place) {
            if place == left_out.start {
                let steps = of(left_out.len() as u64, "step").replacen(' ', " more ", 1);
                table.add_row(["…".to_owned(), steps]);
            }
            continue;
        }
        let mut cells = vec![match (row.goes_on, row.steps) {
            (true, _) => String::new(),
            (false, 1) => number.to_string(),
            (false, steps) => format!("{}–{number}", number + 1 - steps),
        }];
        match has_own {
            true => cells.extend(actors.iter().map(|actor| match *actor == row.actor {
                true => printable(&row.did).into_owned(),
                false => String::new(),
            })),
            false => cells.extend([title(&row.actor), printable(&row.did).into_owned()]),
        }
        let stock: Vec<String> = row.stock.iter().map(ToString::to_string).collect();
        cells.push(stock.join(", "));
        cells.push(printable(&row.beside()).into_owned());
        table.add_row(cells);
    }
    for column in [0, stock] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    width.lines(table).into_iter().map(|line| line + "\n").collect()
}

/// Whether there is room for a column for each of these.
fn has_columns(rows: &[TimelineRow], actors: &[&str], width: Width) -> bool {
    let longest = |actor: &&str| {
        let theirs = rows.iter().filter(|row| row.actor == **actor);
        theirs.map(|row| display_width(&printable(&row.did))).max().unwrap_or(0)
    };
    let needed = |most: usize| actors.iter().map(|actor| longest(actor).min(most)).sum::<usize>();
    let notes = rows.iter().map(|row| display_width(&printable(&row.beside())));
    // Steps, stock, and the spaces between.
    let others = 16 + 2 * actors.len() + notes.max().unwrap_or(0).min(LEAST_OF_NOTES);
    actors.len() <= MOST_COLUMNS
        && needed(usize::MAX) <= WIDEST
        && needed(LEAST) + others <= width.columns()
}
