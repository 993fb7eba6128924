//! Orders that are run at several copies of a shop, side by side. The search is the same as at one: it is shown each order
//! when it comes to it, wherever that was run.

use std::thread;

use super::judged::JudgedExecution;
use super::orders::not_run;
use super::results::Judged;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::domain::settings::Settings;
use crate::scheduler::{
    Actor, Ahead, Beginning, Bounds, Choice, End, Execution, Footprint, PendingStatement,
    RecordedExecution,
};
use crate::stores::remote::{OverlapNotes, Server};
use crate::worlds::held::{Grain, Harness, ServerStep};
use crate::worlds::stepped::Scripted;

/// What came of an order.
#[derive(Clone, Debug, Default)]
struct RanOrder {
    steps: Vec<ServerStep>,
    /// What is known of its end, if it was run to its end.
    judged: Option<Judged>,
    /// Why there may be orders that were not run, as far as its harness knew then.
    not_run: Vec<&'static str>,
}

/// A shop of which there are several copies, each with a thread that runs orders there.
pub(super) struct SideBySide<'a> {
    orders: RecordedExecution<'a, RanOrder>,
    servers: &'a [&'a dyn Server],
}

/// Searches with these harnesses, each on a thread of its own. All have left when this returns.
pub(super) fn side_by_side<T>(
    harnesses: &mut [&mut Harness<'_>],
    servers: &[&dyn Server],
    bounds: Bounds,
    stopped: &(dyn Monitor + Sync),
    search: impl FnOnce(&mut SideBySide<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let ahead = Ahead::of(harnesses.len());
    let Some(first) = harnesses.first() else {
        return Err(Error::world("no copy of the shop to search at"));
    };
    let mut side_by_side = SideBySide { orders: RecordedExecution::of(&**first, &ahead), servers };
    thread::scope(|scope| {
        let ends = Ends(&ahead);
        for harness in harnesses.iter_mut() {
            let ahead = &ahead;
            let work = move || {
                ahead.work(&mut **harness, bounds, &|| stopped.is_stopped(), |harness, run| {
                    let steps = harness.steps().to_vec();
                    let is_over = run.end == End::Over;
                    let judged = is_over.then(|| harness.judge()).transpose()?;
                    Ok(RanOrder { steps, judged, not_run: not_run(harness) })
                });
            };
            thread::Builder::new().spawn_scoped(scope, work).map_err(|error| {
                Error::world(format!("cannot start threads: {error}; lower --jobs"))
            })?;
        }
        let found = search(&mut side_by_side);
        drop(ends);
        found
    })
}

/// Ends the work when dropped, however the search has ended.
struct Ends<'a>(&'a Ahead<RanOrder>);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Execution for SideBySide<'_> {
    fn begin(&mut self) -> Result<(), Error> {
        self.orders.begin()
    }

    fn clients(&self) -> Vec<Actor> {
        self.orders.clients()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        self.orders.first_alike(client)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        self.orders.has_left(client)
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        self.orders.ready()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        self.orders.can_happen(choice)
    }

    fn is_optional(&mut self, choice: Choice) -> bool {
        self.orders.is_optional(choice)
    }

    fn has_only_steps(&self) -> bool {
        self.orders.has_only_steps()
    }

    fn why_not(&mut self, choice: Choice) -> String {
        self.orders.why_not(choice)
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        self.orders.take(choice)
    }

    fn went_on(&self) -> Vec<Actor> {
        self.orders.went_on()
    }

    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        self.orders.may_go_on_with_any_step(client)
    }

    fn most_futile_attempts(&self) -> u32 {
        self.orders.most_futile_attempts()
    }

    fn looks_ahead(&self) -> usize {
        self.orders.looks_ahead()
    }

    fn expect(&mut self, beginnings: Vec<Beginning>) {
        self.orders.expect(beginnings);
    }

    fn repeated(&mut self) -> Vec<Vec<(Choice, PendingStatement)>> {
        self.orders.repeated()
    }

    fn abandon(&mut self) -> Result<(), Error> {
        self.orders.abandon()
    }
}

impl JudgedExecution for SideBySide<'_> {
    fn steps_so_far(&self) -> Vec<ServerStep> {
        let (ran, made) = self.orders.result();
        ran.steps[..made].to_vec()
    }

    fn last_step(&self) -> Option<ServerStep> {
        let (ran, made) = self.orders.result();
        ran.steps.get(made.checked_sub(1)?).cloned()
    }

    fn judge(&mut self) -> Result<Judged, Error> {
        let (ran, _) = self.orders.result();
        let judged = ran.judged.clone().filter(|_| self.orders.is_at_its_end());
        judged.ok_or_else(|| Error::world("an order ended before its end was known"))
    }

    fn learned(&self) -> Result<i64, Error> {
        learned(self.servers)
    }

    fn told(&self) -> Vec<String> {
        share_overlap_notes(self.servers);
        let mut told = Vec::new();
        let not_run = self.orders.result().0.not_run.iter().map(|why| (*why).to_owned());
        for one in self.servers.iter().flat_map(|server| server.remarks().told()).chain(not_run) {
            if !told.contains(&one) {
                told.push(one);
            }
        }
        told
    }
}

/// A number that changes when any of these servers learns more.
pub(super) fn learned(servers: &[&dyn Server]) -> Result<i64, Error> {
    servers.iter().try_fold(0, |all: i64, server| Ok(all.wrapping_add(server.learned()?)))
}

/// Lets each of these servers know what any of them has learned, so that footprints mean the same at all.
pub(super) fn share_lessons(servers: &[&dyn Server]) -> Result<(), Error> {
    if servers.len() < 2 {
        return Ok(());
    }
    let mut all = Vec::new();
    for server in servers {
        for (place, lesson) in server.lessons()?.into_iter().enumerate() {
            match all.get_mut(place) {
                Some(known) => lesson.add_to(known),
                None => all.push(lesson),
            }
        }
    }
    servers.iter().try_for_each(|server| server.teach(&all))
}

/// Lets each of these servers know which statements could overlap at any of them: what one has sent may overlap with what
/// another has.
pub(super) fn share_overlap_notes(servers: &[&dyn Server]) {
    if servers.len() < 2 {
        return;
    }
    let noted: Vec<Vec<OverlapNotes>> = servers.iter().map(|one| one.overlap_notes()).collect();
    for server in servers {
        noted.iter().for_each(|notes| server.add_overlap_notes(notes));
    }
}

/// Opens a harness at each of these servers, and calls `use_them` with all of them.
///
/// # Errors
/// As [`Harness::open`].
pub(super) fn with_harnesses<'h, T>(
    strategy: &dyn Scripted,
    settings: &'h Settings,
    servers: &[&'h dyn Server],
    use_them: impl FnOnce(&mut [&mut Harness<'h>]) -> Result<T, Error>,
) -> Result<T, Error> {
    open_rest(strategy, settings, servers, Vec::new(), Box::new(use_them))
}

/// What is done with harnesses.
type Use<'u, 'h, T> = Box<dyn FnOnce(&mut [&mut Harness<'h>]) -> Result<T, Error> + 'u>;

/// The same, where some are open already.
fn open_rest<'h, T>(
    strategy: &dyn Scripted,
    settings: &'h Settings,
    servers: &[&'h dyn Server],
    mut opened: Vec<&mut Harness<'h>>,
    use_them: Use<'_, 'h, T>,
) -> Result<T, Error> {
    let Some((server, others)) = servers.split_first() else { return use_them(&mut opened) };
    Harness::open(strategy, settings, *server, Grain::Statement, |harness| {
        let all = opened.into_iter().chain([harness]).collect();
        open_rest(strategy, settings, others, all, use_them)
    })
}
