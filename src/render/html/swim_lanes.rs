//! A schedule as swim lanes: a column for each client, a column for each thing that steps touch, a row for each step.

use serde::Serialize;

use crate::explore::{Access, Conflict, TimelineRow, Touch, lanes};

/// The most clients that have a column of their own.
const MOST_COLUMNS: usize = 6;

/// Rows that are all shown; of a longer schedule, those that matter are.
const MOST_WHOLE: usize = 14;

/// Rows that are folded into one only if there are at least so many of them.
const FEWEST_FOLDED: usize = 3;

/// A schedule, ready to be drawn.
#[derive(Debug, Serialize)]
pub(super) struct SwimLanes {
    /// Clients with a column each; empty if there are too many, so that all share one.
    clients: Vec<String>,
    /// What steps touch, a column each.
    things: Vec<String>,
    /// Whether rows tell the stock.
    has_stock: bool,
    /// Rows in groups: a group that is folded has nothing in it that matters.
    groups: Vec<Group>,
    /// Whether a step locks something.
    has_locks: bool,
    /// Whether a step waits.
    has_waits: bool,
    /// The three steps that collide, in words; none if that is not known.
    collision: Option<String>,
}

#[derive(Debug, Serialize)]
struct Group {
    is_folded: bool,
    /// Steps in it.
    steps: u32,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    /// The number of the step, or the numbers; empty where an earlier step goes on.
    number: String,
    actor: String,
    did: String,
    stock: String,
    note: String,
    /// Where in the application's code it was made; empty if that is not known.
    code: String,
    waits: bool,
    /// A mark for each thing, in their order.
    marks: Vec<Mark>,
    /// Its place among the three that collide; 0 for none.
    collides: u8,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Mark {
    /// `R`, `W`, `L`, `U`; empty for none.
    sign: &'static str,
    /// The class of its colour.
    class: &'static str,
    /// In words.
    does: &'static str,
    /// Its place among the three that collide; 0 for none.
    collides: u8,
}

/// Three rows that collide: one client reads a thing, another writes it, and then the first writes it, too.
struct Collision {
    rows: [usize; 3],
    thing: String,
}

/// By what it is known that two steps touch the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameThing {
    /// By its name: there is one of it.
    ByName,
    /// By its name and the rows that both statements name.
    ByRows,
}

impl SwimLanes {
    /// The schedule of these rows. `why` names the steps that collide, if that is known already; otherwise they are
    /// found, if it is known which steps touch the same thing.
    pub(super) fn of(
        rows: &[TimelineRow],
        why: Option<&Conflict>,
        same_thing: Option<SameThing>,
    ) -> Self {
        let collision = match (why, same_thing) {
            (Some(why), _) => collision_of(rows, why),
            (None, Some(same_thing)) => closest_collision(rows, same_thing),
            (None, None) => None,
        };
        let mut clients: Vec<String> = rows.iter().map(|row| row.actor.clone()).collect();
        clients.sort_by_key(|name| (name == "*", name.len(), name.clone()));
        clients.dedup();
        if clients.len() > MOST_COLUMNS {
            clients.clear();
        }
        let things = lanes(rows);
        let mut number = 0;
        let mut drawn = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            number += if row.goes_on { 0 } else { row.steps };
            let collides = collision
                .as_ref()
                .and_then(|collision| collision.rows.iter().position(|one| *one == place));
            let collides = collides.map_or(0, |place| place as u8 + 1);
            let mark = |thing: &String| {
                let touch = row.touches.iter().filter(|touch| touch.what == *thing).max();
                let mark = touch.map_or_else(Mark::default, |touch| Mark::of(touch.access));
                let is_it = collision.as_ref().is_some_and(|found| found.thing == *thing);
                Mark { collides: if is_it { collides } else { 0 }, ..mark }
            };
            let stock: Vec<String> = row.stock.iter().map(ToString::to_string).collect();
            drawn.push(Row {
                number: match (row.goes_on, row.steps) {
                    (true, _) => String::new(),
                    (false, 1) => number.to_string(),
                    (false, steps) => format!("{}–{number}", number + 1 - steps),
                },
                actor: row.actor.clone(),
                did: row.did.clone(),
                stock: stock.join(", "),
                note: row.note.clone().unwrap_or_default(),
                code: row.code.as_ref().map_or(String::new(), ToString::to_string),
                waits: row.waits,
                marks: things.iter().map(mark).collect(),
                collides,
            });
        }
        let words = collision.as_ref().map(|collision| {
            let [looked, changed, acted] = collision.rows.map(|row| &drawn[row]);
            format!(
                "{} read {} at {}; {} wrote it at {}; {} wrote it at {}.",
                looked.actor,
                collision.thing,
                looked.number,
                changed.actor,
                changed.number,
                acted.actor,
                acted.number
            )
        });
        Self {
            clients,
            things,
            has_stock: rows.iter().any(|row| !row.stock.is_empty()),
            groups: grouped(drawn, rows),
            has_locks: rows
                .iter()
                .flat_map(|row| &row.touches)
                .any(|touch| matches!(touch.access, Access::Locks | Access::Unlocks)),
            has_waits: rows.iter().any(|row| row.waits),
            collision: words,
        }
    }
}

impl Mark {
    fn of(access: Access) -> Self {
        let (sign, class, does) = match access {
            Access::Reads => ("R", "reads", "reads"),
            Access::Writes => ("W", "writes", "writes"),
            Access::Locks => ("L", "locks", "locks"),
            Access::Unlocks => ("U", "locks", "unlocks"),
        };
        Self { sign, class, does, collides: 0 }
    }
}

/// The rows in groups. In a long schedule, runs of rows in which nothing collides, waits or goes on are folded.
fn grouped(drawn: Vec<Row>, rows: &[TimelineRow]) -> Vec<Group> {
    let matters = |row: &Row, told: &TimelineRow| {
        row.collides > 0 || !row.note.is_empty() || told.waits || told.goes_on
    };
    let last = drawn.len().saturating_sub(1);
    let is_long = drawn.len() > MOST_WHOLE;
    let mut groups: Vec<Group> = Vec::new();
    for (place, (row, told)) in drawn.into_iter().zip(rows).enumerate() {
        let is_folded = is_long && place > 0 && place < last && !matters(&row, told);
        let steps = if told.goes_on { 0 } else { told.steps };
        match groups.last_mut().filter(|group| group.is_folded == is_folded) {
            Some(group) => {
                group.steps += steps;
                group.rows.push(row);
            }
            None => groups.push(Group { is_folded, steps, rows: vec![row] }),
        }
    }
    for group in &mut groups {
        group.is_folded &= group.rows.len() >= FEWEST_FOLDED;
    }
    groups
}

/// The rows of the steps that a conflict names.
fn collision_of(rows: &[TimelineRow], why: &Conflict) -> Option<Collision> {
    let row_of = |step: usize| {
        let mut number = 0;
        rows.iter().position(|row| {
            number += if row.goes_on { 0 } else { row.steps as usize };
            !row.goes_on && row.steps == 1 && number == step
        })
    };
    let rows = [row_of(why.looked)?, row_of(why.changed)?, row_of(why.acted)?];
    Some(Collision { rows, thing: why.table.clone() })
}

/// The collision whose first and last rows are closest, where a client changes what it has read before another changed
/// it.
fn closest_collision(rows: &[TimelineRow], same_thing: SameThing) -> Option<Collision> {
    let does = |place: usize, thing: &Touch, access: Access| {
        let is_same = |touch: &&Touch| {
            touch.what == thing.what
                && match same_thing {
                    SameThing::ByName => true,
                    SameThing::ByRows => touch.rows.is_some() && touch.rows == thing.rows,
                }
        };
        rows[place].touches.iter().filter(is_same).any(|touch| touch.access == access)
    };
    let mut closest: Option<Collision> = None;
    for looked in 0..rows.len() {
        let read = rows[looked].touches.iter().filter(|touch| touch.access == Access::Reads);
        for thing in read {
            let who = &rows[looked].actor;
            let changes = |place: &usize| does(*place, thing, Access::Writes);
            let after = looked + 1..rows.len();
            let Some(changed) = after.clone().find(changes) else { continue };
            if rows[changed].actor == *who {
                continue;
            }
            // A client that reads again decides on what it has read then.
            let looks_again =
                |place: &usize| rows[*place].actor == *who && does(*place, thing, Access::Reads);
            let its = |place: &usize| rows[*place].actor == *who && changes(place);
            let Some(acted) = (changed + 1..rows.len()).find(its) else { continue };
            if (looked + 1..acted).any(|place| looks_again(&place)) {
                continue;
            }
            let length = |found: &Collision| found.rows[2] - found.rows[0];
            let found = Collision { rows: [looked, changed, acted], thing: thing.what.clone() };
            if closest.as_ref().is_none_or(|closest| length(&found) < length(closest)) {
                closest = Some(found);
            }
        }
    }
    closest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore;

    /// The schedule that a search of this checkout shows first.
    fn shown(strategy: impl crate::strategy::Strategy + 'static) -> Vec<TimelineRow> {
        let report = explore::explore(strategy).run().unwrap();
        report.findings[0].timeline.clone()
    }

    #[test]
    fn the_naive_checkout_reads_then_another_writes_then_it_writes() {
        let rows = shown(crate::strategies::naive::Naive);
        let found = closest_collision(&rows, SameThing::ByName).unwrap();
        assert_eq!((found.rows, found.thing.as_str()), ([1, 2, 3], "stock"));
        let lanes = SwimLanes::of(&rows, None, Some(SameThing::ByName));
        assert_eq!(lanes.clients, ["A", "B"]);
        assert_eq!(lanes.things, ["stock", "orders"]);
        let words = "B read stock at 2; A wrote it at 3; B wrote it at 4.";
        assert_eq!(lanes.collision.as_deref(), Some(words));
    }

    #[test]
    fn a_buyer_that_reads_again_before_it_acts_does_not_collide() {
        let mut rows = shown(crate::strategies::naive::Naive);
        let again = rows[1].clone();
        rows.insert(3, again);
        assert!(closest_collision(&rows, SameThing::ByName).is_none());
    }

    #[test]
    fn statements_about_rows_collide_only_if_they_name_the_same() {
        let of_rows = |named: [Option<&str>; 3]| {
            let mut rows = shown(crate::strategies::naive::Naive);
            for (row, named) in rows[1..].iter_mut().zip(named) {
                for touch in &mut row.touches {
                    touch.rows = named.map(Into::into);
                }
            }
            closest_collision(&rows, SameThing::ByRows).map(|found| found.rows)
        };
        assert_eq!(of_rows([Some("id = 1"); 3]), Some([1, 2, 3]));
        assert_eq!(of_rows([Some("id = 1"), Some("id = 2"), Some("id = 1")]), None);
        assert_eq!(of_rows([Some("id = 1"), None, Some("id = 1")]), None);
        assert_eq!(of_rows([None; 3]), None);
    }

    #[test]
    fn only_a_long_schedule_is_folded_and_never_what_collides() {
        let rows = shown(crate::strategies::naive::Naive);
        assert!(
            SwimLanes::of(&rows, None, Some(SameThing::ByName))
                .groups
                .iter()
                .all(|group| !group.is_folded)
        );
        let mut plain = rows[0].clone();
        plain.touches.clear();
        let mut long = vec![plain; 20];
        long.splice(10..10, rows);
        let lanes = SwimLanes::of(&long, None, Some(SameThing::ByName));
        let folded: u32 =
            lanes.groups.iter().filter(|group| group.is_folded).map(|group| group.steps).sum();
        // 24 steps, less the first, the last, and the three that collide.
        assert_eq!(folded, 24 - 5);
        let collides = |group: &Group| group.rows.iter().any(|row| row.collides > 0);
        assert!(!lanes.groups.iter().any(|group| group.is_folded && collides(group)));
    }
}
