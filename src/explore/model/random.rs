//! Random schedules of the model, for shops too large to follow every schedule.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::checks::{self, Shown};
use super::execution::ModelExecution;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::check::audit::Finding;
use crate::explore::sampling::{Sampled, Sampling, chance};
use crate::scheduler::{
    Actor, Bounds, Choice, End, LAST, Method, RandomWalk, Replay, Scheduler, run_one,
};
use crate::worlds::stepped::{ModelState, TransitionTable};

/// The results of random schedules.
pub(in crate::explore) struct Rolled {
    pub(in crate::explore) sampled: Sampled,
    /// Each kind of finding, with the first schedule that showed it.
    pub(in crate::explore) shown: Vec<Shown>,
    /// Schedules in which a buyer's checkout failed.
    pub(in crate::explore) failed: u64,
    /// The shortest of these schedules.
    pub(in crate::explore) first_failure: Option<Vec<Choice>>,
    /// Whether a buyer bought in any of them.
    pub(in crate::explore) sold: bool,
}

/// Schedules that one thread follows at a time.
const CHUNK: u64 = 64;

/// Chunks that are followed between two checks of whether to stop. It does not depend on the number of threads.
const CHUNKS: usize = 16;

/// Kinds after which a table is replaced by a new one: it has room for as many again.
const MANY_KINDS: usize = 32_000;

/// Pilots: schedules that show how many steps a schedule has.
const PILOTS: u64 = 64;

/// Follows random schedules until `stopped` returns true. For each kind of finding it reports the first schedule,
/// without the buyers that the finding does not need.
///
/// # Errors
/// None that a model can have.
pub(in crate::explore) fn sample<'s>(
    new_table: impl Fn() -> TransitionTable<'s> + Sync,
    open: impl Fn(&mut TransitionTable<'s>) -> ModelState + Sync,
    seed: u64,
    sampling: Sampling,
    monitor: &(dyn Monitor + Sync),
) -> Result<Rolled, Error> {
    let stopped: &(dyn Fn() -> bool + Sync) = &|| monitor.is_stopped();
    let mut table = new_table();
    let opening = open(&mut table);
    let steps = match sampling.method {
        Method::Plain => 0,
        Method::Pct { .. } => {
            // Pilots are numbered from the other end, so that they are not schedules of the sample.
            let mut pilots = RandomWalk::new(seed, LAST - PILOTS + 1..LAST + 1, Method::Plain, 0);
            let mut longest = 0;
            while Scheduler::<ModelExecution<'_, '_>>::new_execution(&mut pilots) {
                let pilot = Followed::by(&mut table, &opening, &mut pilots, stopped)?;
                longest = longest.max(pilot.schedule.len());
            }
            longest
        }
    };
    let mut all = Chunk::default();
    let mut tables: Vec<(TransitionTable<'s>, ModelState)> = Vec::new();
    let mut next = 0;
    while next < sampling.schedules && !stopped() {
        tables.resize_with(CHUNKS, || {
            let mut table = new_table();
            let opening = open(&mut table);
            (table, opening)
        });
        let follow =
            |(place, (table, opening)): (usize, &mut (TransitionTable<'s>, ModelState))| {
                let first = next + place as u64 * CHUNK;
                let numbers = first..sampling.schedules.min(first + CHUNK).max(first);
                let mut schedules = RandomWalk::new(seed, numbers, sampling.method, steps);
                let mut chunk = Chunk::default();
                while Scheduler::<ModelExecution<'_, '_>>::new_execution(&mut schedules) {
                    if table.kinds() > MANY_KINDS {
                        *table = new_table();
                        *opening = open(table);
                    }
                    chunk.enter(Followed::by(table, opening, &mut schedules, stopped)?);
                    monitor.has_done(1);
                }
                Ok(chunk)
            };
        let chunks: Result<Vec<Chunk>, Error> =
            tables.par_iter_mut().enumerate().map(follow).collect();
        chunks?.into_iter().for_each(|chunk| all.then(chunk));
        next += CHUNK * CHUNKS as u64;
        if sampling.until_found && !all.found.is_empty() {
            break;
        }
    }
    let buyers = opening.actors().count();
    let sampled = Sampled {
        schedules: all.schedules,
        endless: all.endless,
        longest: all.longest as u64,
        method: sampling.method,
        chance: chance(sampling.method, buyers, steps, all.longest),
    };
    // A search that stops at a finding reports only the gravest one.
    let enough = if sampling.until_found { 1 } else { usize::MAX };
    let found = all.found.into_values().take(enough);
    let shown = found.map(|shown| shorter(&mut table, &opening, shown, stopped));
    let shown = shown.collect::<Result<_, Error>>()?;
    Ok(Rolled {
        sampled,
        shown,
        failed: all.failed,
        first_failure: all.first_failure,
        sold: all.sold,
    })
}

/// The results of some schedules.
#[derive(Default)]
struct Chunk {
    schedules: u64,
    endless: u64,
    longest: usize,
    /// The first finding of each kind, by gravity.
    found: BTreeMap<usize, Shown>,
    failed: u64,
    first_failure: Option<Vec<Choice>>,
    sold: bool,
}

impl Chunk {
    /// Keeps a schedule in which a buyer's checkout failed, if it is shorter than the one before.
    fn keep_failure(&mut self, schedule: Vec<Choice>) {
        if self.first_failure.as_ref().is_none_or(|known| schedule.len() < known.len()) {
            self.first_failure = Some(schedule);
        }
    }

    fn enter(&mut self, followed: Followed) {
        if followed.is_stopped {
            return;
        }
        self.schedules += 1;
        self.endless += u64::from(followed.is_endless);
        self.longest = self.longest.max(followed.schedule.len());
        self.sold |= followed.has_sold;
        if followed.has_failed {
            self.failed += 1;
            self.keep_failure(followed.schedule.clone());
        }
        for (finding, steps) in followed.found {
            self.found.entry(finding.kind.gravity()).or_insert_with(|| Shown {
                finding,
                schedule: followed.schedule[..steps].to_vec(),
            });
        }
    }

    fn then(&mut self, later: Self) {
        self.schedules += later.schedules;
        self.endless += later.endless;
        self.longest = self.longest.max(later.longest);
        self.failed += later.failed;
        self.sold |= later.sold;
        if let Some(schedule) = later.first_failure {
            self.keep_failure(schedule);
        }
        for (gravity, shown) in later.found {
            self.found.entry(gravity).or_insert(shown);
        }
    }
}

/// One schedule that was followed.
struct Followed {
    schedule: Vec<Choice>,
    /// The findings, each with the number of steps after which it was seen.
    found: Vec<(Finding, usize)>,
    is_endless: bool,
    /// Whether the search was stopped before the schedule's end.
    is_stopped: bool,
    /// Whether a buyer's checkout has failed at its end, and whether a buyer has bought.
    has_failed: bool,
    has_sold: bool,
}

impl Followed {
    /// Follows the schedule that the scheduler chooses.
    fn by<'c, 's>(
        table: &'c mut TransitionTable<'s>,
        opening: &ModelState,
        scheduler: &mut impl Scheduler<ModelExecution<'c, 's>>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, Error> {
        let most_steps = 10_000 + 100 * opening.actors().count();
        let bounds = Bounds { most_steps, cuts_futile: false };
        let mut execution = ModelExecution::of(table, opening);
        let run = run_one(&mut execution, scheduler, bounds, &|| stopped())?;
        let is_over = run.end == End::Over;
        let (end, found) = match is_over {
            true => execution.judge(),
            false => (None, execution.found()),
        };
        Ok(Self {
            schedule: run.schedule,
            found: found.to_vec(),
            is_endless: run.end == End::TooLong,
            is_stopped: run.end == End::Stopped,
            has_failed: end.as_ref().is_some_and(checks::FinalState::has_failed),
            has_sold: end.as_ref().is_some_and(checks::FinalState::has_sold),
        })
    }
}

/// Removes buyers that the same kind of finding does not need: tries half of them at a time, then a quarter, and so on
/// down to single buyers (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
fn shorter(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    shown: Shown,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Shown, Error> {
    let mut best = shown;
    let mut part = opening.actors().count().div_ceil(2);
    while part > 0 && !stopped() {
        let mut actors: Vec<Actor> = best.schedule.iter().map(|choice| choice.who).collect();
        actors.sort_unstable();
        actors.dedup();
        for some in actors.chunks(part) {
            if let Some(without) = leave_out(table, opening, &best, some, stopped)? {
                best = without;
            }
        }
        part /= 2;
    }
    Ok(best)
}

/// The same finding without some of the buyers, if it still shows.
fn leave_out(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    shown: &Shown,
    some: &[Actor],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Shown>, Error> {
    let others = shown.schedule.iter().copied().filter(|choice| !some.contains(&choice.who));
    // A step that cannot be made without the removed buyers is removed, too.
    let mut replay = Replay::of(others.collect()).skipping();
    let followed = Followed::by(table, opening, &mut replay, stopped)?;
    let mut found = followed.found.into_iter();
    let found = found.find(|(finding, _)| finding.kind == shown.finding.kind);
    Ok(found.map(|(finding, steps)| {
        let schedule = followed.schedule[..steps].to_vec();
        Shown { finding, schedule }
    }))
}
