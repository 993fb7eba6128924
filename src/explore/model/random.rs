//! Random schedules from a seed, for shops too large to follow every schedule.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::checks::{self, Shown};
use super::dice::{LAST, Method, Roll};
use super::state::State;
use crate::check::audit::Finding;
use crate::domain::buyer::Ending;
use crate::domain::op::Units;
use crate::worlds::stepped::{Actor, Cast, Cue, Part, Stage, Step};

/// Which random schedules to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// The number of schedules.
    pub schedules: u64,
    /// How steps are chosen.
    pub method: Method,
    /// Whether to stop soon after a finding.
    pub until_found: bool,
}

/// The random schedules that were followed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Sampled {
    /// Schedules followed.
    pub schedules: u64,
    /// How many of these were cut off, since they would not end.
    pub endless: u64,
    /// Steps of the longest schedule.
    pub longest: u64,
    /// How their steps were chosen.
    pub method: Method,
    /// The least probability with which each schedule shows a bug of that depth; none for plain schedules, and if one
    /// was longer than the pilots.
    pub chance: Option<f64>,
}

/// The results of random schedules.
pub(in crate::explore) struct Rolled {
    pub(in crate::explore) sampled: Sampled,
    /// Each kind of finding, with the first schedule that showed it.
    pub(in crate::explore) shown: Vec<Shown>,
    /// Schedules in which a buyer's checkout failed.
    pub(in crate::explore) failed: u64,
    /// The shortest of these schedules.
    pub(in crate::explore) first_failure: Option<Vec<Cue<Actor>>>,
    /// Whether a buyer bought in any of them.
    pub(in crate::explore) sold: bool,
}

/// Schedules that one thread follows at a time.
const CHUNK: u64 = 64;

/// Chunks that are followed between two checks of whether to stop. It does not depend on the number of threads.
const CHUNKS: usize = 16;

/// Steps between two checks of whether to stop.
const LOOK_UP: usize = 256;

/// Kinds after which a cast is replaced by a new one: it has room for as many again.
const MANY_KINDS: usize = 32_000;

/// Pilots: schedules that show how many steps a schedule has.
const PILOTS: u64 = 64;

/// Follows random schedules until `stopped` returns true. For each kind of finding it reports the first schedule,
/// without the buyers that the finding does not need.
pub(in crate::explore) fn sample<'s>(
    new_cast: impl Fn() -> Cast<'s> + Sync,
    open: impl Fn(&mut Cast<'s>) -> Stage + Sync,
    seed: u64,
    sampling: Sampling,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Rolled {
    let mut cast = new_cast();
    let opening = open(&mut cast);
    let steps = match sampling.method {
        Method::Plain => 0,
        Method::Pct { .. } => (0..PILOTS)
            .map(|number| {
                // Pilots are numbered from the other end, so that they are not schedules of the sample.
                let mut dice = Roll::new(seed, LAST - number, Method::Plain, 0, &opening);
                let next = |cast: &mut Cast<'_>, stage: &Stage| dice.next(cast, stage);
                Walk::follow(&mut cast, &opening, next, stopped).schedule.len()
            })
            .max()
            .unwrap_or(0),
    };
    let mut all = Chunk::default();
    let mut casts: Vec<(Cast<'s>, Stage)> = Vec::new();
    let mut next = 0;
    while next < sampling.schedules && !stopped() {
        casts.resize_with(CHUNKS, || {
            let mut cast = new_cast();
            let opening = open(&mut cast);
            (cast, opening)
        });
        let follow = |(place, (cast, opening)): (usize, &mut (Cast<'s>, Stage))| {
            let first = next + place as u64 * CHUNK;
            let mut chunk = Chunk::default();
            for number in first..sampling.schedules.min(first + CHUNK) {
                if cast.kinds() > MANY_KINDS {
                    *cast = new_cast();
                    *opening = open(cast);
                }
                let mut dice = Roll::new(seed, number, sampling.method, steps, opening);
                let next = |cast: &mut Cast<'_>, stage: &Stage| dice.next(cast, stage);
                chunk.enter(Walk::follow(cast, opening, next, stopped));
            }
            chunk
        };
        let chunks: Vec<Chunk> = casts.par_iter_mut().enumerate().map(follow).collect();
        chunks.into_iter().for_each(|chunk| all.then(chunk));
        next += CHUNK * CHUNKS as u64;
        if sampling.until_found && !all.found.is_empty() {
            break;
        }
    }
    let buyers = opening.actors().count() as f64;
    let k = steps as f64;
    let sampled = Sampled {
        schedules: all.schedules,
        endless: all.endless,
        longest: all.longest as u64,
        method: sampling.method,
        chance: match sampling.method {
            // In a schedule longer than the pilots, no priority change could come at the last steps.
            Method::Pct { depth } if (1..=steps).contains(&all.longest) => {
                Some(1.0 / (buyers * k.powf(f64::from(depth) - 1.0)))
            }
            _ => None,
        },
    };
    // A search that stops at a finding reports only the gravest one.
    let enough = if sampling.until_found { 1 } else { usize::MAX };
    let found = all.found.into_values().take(enough);
    let shown = found.map(|shown| shorter(&mut cast, &opening, shown, stopped)).collect();
    Rolled { sampled, shown, failed: all.failed, first_failure: all.first_failure, sold: all.sold }
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
    first_failure: Option<Vec<Cue<Actor>>>,
    sold: bool,
}

impl Chunk {
    /// Keeps a schedule in which a buyer's checkout failed, if it is shorter than the one before.
    fn keep_failure(&mut self, schedule: Vec<Cue<Actor>>) {
        if self.first_failure.as_ref().is_none_or(|known| schedule.len() < known.len()) {
            self.first_failure = Some(schedule);
        }
    }

    fn enter(&mut self, walk: Walk) {
        if walk.is_stopped {
            return;
        }
        self.schedules += 1;
        self.endless += u64::from(walk.is_endless);
        self.longest = self.longest.max(walk.schedule.len());
        self.sold |= walk.has_sold;
        if walk.has_failed {
            self.failed += 1;
            self.keep_failure(walk.schedule.clone());
        }
        for (finding, steps) in walk.found {
            self.found
                .entry(finding.kind.gravity())
                .or_insert_with(|| Shown { finding, schedule: walk.schedule[..steps].to_vec() });
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
#[derive(Default)]
struct Walk {
    schedule: Vec<Cue<Actor>>,
    /// The findings, each with the number of steps after which it was seen.
    found: Vec<(Finding, usize)>,
    is_endless: bool,
    /// Whether the search was stopped before the schedule's end.
    is_stopped: bool,
    /// Whether a buyer's checkout has failed at its end, and whether a buyer has bought.
    has_failed: bool,
    has_sold: bool,
    /// Units of each product that were promised.
    promised: Vec<i64>,
}

impl Walk {
    /// Follows the cues that `chooser` names, until it names none.
    fn follow(
        cast: &mut Cast<'_>,
        opening: &Stage,
        mut chooser: impl FnMut(&mut Cast<'_>, &Stage) -> Option<Cue<Actor>>,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Self {
        let stock = checks::stock_of(cast, opening);
        let most_steps = 10_000 + 100 * opening.actors().count();
        let mut stage = opening.clone();
        let mut walk = Self::default();
        while let Some(cue) = chooser(cast, &stage) {
            let steps = walk.schedule.len();
            walk.is_stopped = steps.is_multiple_of(LOOK_UP) && stopped();
            walk.is_endless = steps == most_steps || cast.is_full();
            if walk.is_endless || walk.is_stopped {
                return walk;
            }
            let Some(step) = stage.follow(cast, cue) else { continue };
            walk.schedule.push(cue);
            walk.look(cast, stock, &stage, &step);
        }
        if !stage.goes_on(cast) {
            let (end, findings) = checks::end_of(cast, stock, &stage);
            walk.has_failed = end.has_failed();
            walk.has_sold = end.has_sold();
            findings.into_iter().for_each(|finding| walk.note(finding));
        }
        walk
    }

    /// Notes findings after a step that are certain whatever comes later.
    fn look(&mut self, cast: &Cast<'_>, stock: Units, stage: &Stage, step: &Step) {
        let mover = (step.actor, step.ending);
        let sold = [Some(mover), step.other].into_iter().flatten();
        let buyer = sold.filter(|(_, ending)| *ending == Some(Ending::Bought)).map(|(who, _)| who);
        let want = buyer.filter_map(|buyer| stage.kind(buyer)).find_map(|kind| {
            match cast.kind_of(kind).part {
                Part::Gone { want, .. } => Some(want),
                _ => None,
            }
        });
        let Some(want) = want else { return self.look_at_leaks(step) };
        self.promised.resize(step.stock.len(), 0);
        for item in want.items() {
            self.promised[usize::from(item.0)] += i64::from(want.qty);
        }
        if self.promised.iter().any(|promised| *promised > i64::from(stock)) {
            let state = State::of(stage.store(), stage.kinds());
            let oversold = checks::promises(cast, stock, &state);
            oversold.into_iter().for_each(|finding| self.note(finding));
        }
        self.look_at_leaks(step);
    }

    fn look_at_leaks(&mut self, step: &Step) {
        checks::leaks(step.leaks).for_each(|leak| self.note(leak));
    }

    fn note(&mut self, finding: Finding) {
        if self.found.iter().all(|(known, _)| known.kind != finding.kind) {
            self.found.push((finding, self.schedule.len()));
        }
    }
}

/// Removes buyers that the same kind of finding does not need: tries half of them at a time, then a quarter, and so on
/// down to single buyers (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
fn shorter(
    cast: &mut Cast<'_>,
    opening: &Stage,
    shown: Shown,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Shown {
    let mut best = shown;
    let mut part = opening.actors().count().div_ceil(2);
    while part > 0 && !stopped() {
        let mut actors: Vec<Actor> = best.schedule.iter().map(|cue| cue.who).collect();
        actors.sort_unstable();
        actors.dedup();
        for some in actors.chunks(part) {
            if let Some(without) = leave_out(cast, opening, &best, some, stopped) {
                best = without;
            }
        }
        part /= 2;
    }
    best
}

/// The same finding without some of the buyers, if it still shows.
fn leave_out(
    cast: &mut Cast<'_>,
    opening: &Stage,
    shown: &Shown,
    some: &[Actor],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Option<Shown> {
    let mut others = shown.schedule.iter().copied().filter(|cue| !some.contains(&cue.who));
    // A step that cannot be made without the removed buyers is removed, too.
    let next = |cast: &mut Cast<'_>, stage: &Stage| {
        others.by_ref().find(|cue| stage.can_happen(cast, *cue))
    };
    let walk = Walk::follow(cast, opening, next, stopped);
    let kind = shown.finding.kind;
    let (finding, steps) = walk.found.iter().find(|(finding, _)| finding.kind == kind)?;
    Some(Shown { finding: finding.clone(), schedule: walk.schedule[..*steps].to_vec() })
}
