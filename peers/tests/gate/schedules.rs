//! Which interleavings a test is run on.

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::base::clock;

/// The seed of all schedules: each run of the tests has the same.
const SEED: u64 = 1;

/// How many changes of priority a PCT schedule has at most.
const PCT_DEPTH: usize = 3;

/// Runs a test on this many schedules in which each step is chosen at random, and on as many of PCT.
pub(crate) fn on_random_schedules(
    schedules: usize,
    test: impl Fn() + Copy + Send + Sync + 'static,
) {
    on(RandomScheduler::new_from_seed(SEED, schedules), test);
    on(PctScheduler::new_from_seed(SEED, PCT_DEPTH, schedules), test);
}

/// Runs a test on every schedule, and returns how many there are.
pub(crate) fn on_every_schedule(test: impl Fn() + Send + Sync + 'static) -> usize {
    on(DfsScheduler::new(None, false), test)
}

fn on(scheduler: impl Scheduler + 'static, test: impl Fn() + Send + Sync + 'static) -> usize {
    Runner::new(scheduler, Config::new()).run(move || {
        clock::restart();
        test();
    })
}
