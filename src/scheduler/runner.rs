//! Runs executions of a program as a scheduler chooses.

use super::choice::Choice;
use super::execution::Execution;
use super::run::{Bounds, End, Run};
use super::schedule::Schedule;
use super::schedulers::{Next, Scheduler};
use crate::base::error::Error;

/// Limit of a client's futile attempts in one execution. One is enough to see that it begins again as it should.
const MOST_FUTILE: u32 = 2;

/// How often an execution is run whose repeated beginning diverges. Background work of a server can disturb one run,
/// but not several in a row.
const TRIES: usize = 3;

/// Steps between two checks of whether to stop.
const LOOK_UP: usize = 256;

/// Runs one execution.
///
/// # Errors
/// When the program or the scheduler fails.
pub(crate) fn run_one<E, S>(
    execution: &mut E,
    scheduler: &mut S,
    bounds: Bounds,
    stopped: &dyn Fn() -> bool,
) -> Result<Run, Error>
where
    E: Execution,
    S: Scheduler<E> + ?Sized,
{
    let mut schedule = Vec::new();
    execution.begin()?;
    let end = loop {
        let choice = match scheduler.next_choice(&schedule, execution)? {
            Next::Take(choice) => choice,
            Next::Over => break End::Over,
            Next::Cut => break End::Cut,
            Next::Diverged(how) => break diverged(&schedule, &how),
        };
        let looks_up = !schedule.is_empty() && schedule.len().is_multiple_of(LOOK_UP);
        if looks_up && stopped() {
            break End::Stopped;
        }
        if schedule.len() == bounds.most_steps || execution.is_full() {
            break End::TooLong;
        }
        let taken = execution.take(choice).map_err(|error| in_schedule(error, &schedule))?;
        let Some(footprint) = taken else {
            break diverged(&schedule, &format!("{} cannot move", choice.who));
        };
        for (number, ready) in execution.repeated().iter().enumerate() {
            scheduler.has_repeated(number, ready);
        }
        schedule.push(choice);
        scheduler.has_taken(&schedule, footprint, execution);
        if bounds.cuts_futile && execution.most_futile_attempts() >= MOST_FUTILE {
            break End::Cut;
        }
    };
    if end != End::Over {
        execution.abandon()?;
    }
    Ok(Run { end, steps: schedule.len() as u64, schedule })
}

/// Runs one execution after the other, and hands each to `take_in`, until the scheduler has none left, the search is
/// stopped or `take_in` returns false. Returns whether the scheduler has none left.
///
/// # Errors
/// When the program, the scheduler or `take_in` fails.
pub(crate) fn run_all<E, S>(
    execution: &mut E,
    scheduler: &mut S,
    bounds: Bounds,
    stopped: &dyn Fn() -> bool,
    mut take_in: impl FnMut(&mut E, Run) -> Result<bool, Error>,
) -> Result<bool, Error>
where
    E: Execution,
    S: Scheduler<E> + ?Sized,
{
    loop {
        if stopped() {
            return Ok(false);
        }
        if !scheduler.new_execution() {
            return Ok(true);
        }
        let most_ahead = execution.looks_ahead();
        if most_ahead > 0 {
            execution.expect(scheduler.beginnings(most_ahead));
        }
        let run = match run_again_if_it_diverges(execution, scheduler, bounds, stopped) {
            // It was stopped in the middle of an execution, which is no failure.
            Err(_) if stopped() => return Ok(false),
            run => run?,
        };
        if run.end == End::Stopped {
            return Ok(false);
        }
        scheduler.has_ended(&run);
        match take_in(execution, run) {
            Ok(true) => {}
            Err(error) if !stopped() => return Err(error),
            Ok(false) | Err(_) => return Ok(false),
        }
    }
}

/// Runs one execution, some times more if it diverges.
fn run_again_if_it_diverges<E, S>(
    execution: &mut E,
    scheduler: &mut S,
    bounds: Bounds,
    stopped: &dyn Fn() -> bool,
) -> Result<Run, Error>
where
    E: Execution,
    S: Scheduler<E> + ?Sized,
{
    let mut run = run_one(execution, scheduler, bounds, stopped)?;
    for _ in 1..TRIES {
        if !matches!(run.end, End::Diverged(_)) {
            break;
        }
        let steps = run.steps;
        run = run_one(execution, scheduler, bounds, stopped)?;
        run.steps += steps;
    }
    Ok(run)
}

fn diverged(schedule: &[Choice], how: &str) -> End {
    End::Diverged(format!("after {}: {how}", Schedule(schedule.to_vec())))
}

/// The error, with the schedule in which it happened.
pub(crate) fn in_schedule(error: Error, schedule: &[Choice]) -> Error {
    match error {
        Error::World(text) if !schedule.is_empty() => {
            let schedule = Schedule(schedule.to_vec());
            Error::world(format!("{text}\n       in the schedule that begins {schedule}"))
        }
        error => error,
    }
}
