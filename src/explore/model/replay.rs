//! One schedule of the model, step by step, and what is wrong at its end.

use super::checks::{self, Shown};
use super::execution::ModelExecution;
use super::opening::{check_card, open};
use crate::base::error::Error;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::finding::FindingKind;
use crate::domain::settings::Settings;
use crate::explore::completeness::{self, Looked, UNFINISHED};
use crate::explore::exploration::{Exploration, FindingReport, again, by_hand, search_again};
use crate::explore::incident::{Incident, IncidentKind};
use crate::explore::timeline;
use crate::scheduler::{Bounds, Choice, End, Replay, Schedule, run_one};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{ActorRole, ModelState, ModelStep, TransitionTable};

/// The incident of failed checkouts: in how many ends one failed, and a shortest schedule to one of these ends.
pub(super) fn tell_failed(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    failed: Option<(u64, Vec<Choice>)>,
) -> Result<Vec<Incident>, Error> {
    let Some((orders, schedule)) = failed else { return Ok(Vec::new()) };
    let mut model_state = opening.clone();
    let steps = follow(table, &mut model_state, &schedule)?;
    let schedule = Schedule(schedule).to_string();
    let failure = steps.iter().find_map(|step| match step.ending {
        Some(Ending::Failed(why)) if why != Failure::Crashed => Some((step.actor, why)),
        _ => None,
    });
    let proof = match failure {
        Some((who, why)) => format!("{who}'s checkout: {why}"),
        None => "a buyer's checkout failed".into(),
    };
    Ok(vec![Incident {
        kind: IncidentKind::Failed,
        orders,
        proof,
        again: again(strategy, settings, &schedule),
        schedule,
        timeline: timeline::told(&steps),
    }])
}

/// Reports findings step by step, with named buyers.
pub(super) fn tell(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    shown: Vec<Shown>,
) -> Result<Vec<FindingReport>, Error> {
    shown
        .into_iter()
        .map(|Shown { finding, schedule }| {
            let mut model_state = opening.clone();
            let steps = follow(table, &mut model_state, &schedule)?;
            let seen_there =
                checks::so_far(table, settings.stock, &model_state, checks::left_behind(&steps));
            let finding_kind = finding.kind;
            let by_name = seen_there.into_iter().find(|seen| seen.kind == finding.kind);
            let schedule = Schedule(schedule).to_string();
            Ok(FindingReport {
                finding: by_name.unwrap_or(finding),
                // A schedule without end cannot be replayed; the search can be repeated.
                again: match finding_kind {
                    FindingKind::Livelock => search_again(strategy, settings),
                    _ => again(strategy, settings, &schedule),
                },
                why: None,
                serial: false,
                by_hand: Some(by_hand(strategy, settings)),
                schedule,
                timeline: timeline::told(&steps),
            })
        })
        .collect()
}

/// Follows one schedule.
///
/// # Errors
/// [`Error::Input`] for impossible settings, or for a step that cannot be made.
pub fn replay(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    schedule: &Schedule,
) -> Result<Exploration, Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let mut model_state = open(&mut table, strategy, settings)?;
    let steps = follow(&mut table, &mut model_state, &schedule.0);
    check_card(&table, strategy)?;
    let steps = steps?;
    let found =
        checks::so_far(&mut table, settings.stock, &model_state, checks::left_behind(&steps));
    let timeline = timeline::told(&steps);
    let written = schedule.to_string();
    let findings: Vec<FindingReport> = found
        .into_iter()
        .map(|finding| FindingReport {
            finding,
            schedule: written.clone(),
            timeline: timeline.clone(),
            why: None,
            serial: false,
            again: again(strategy, settings, &written),
            by_hand: Some(by_hand(strategy, settings)),
        })
        .collect();
    let looked = Looked {
        cut: model_state.goes_on(&mut table).then(|| UNFINISHED.into()),
        ..Looked::default()
    };
    let failed = model_state.kinds().any(|kind| match table.kind_of(kind).part {
        ActorRole::Gone { ending, .. } => completeness::has_failed(ending),
        _ => false,
    });
    Ok(Exploration {
        failed: failed.into(),
        replayed: Some(timeline),
        ..Exploration::of(strategy, settings, &looked, findings)
    })
}

/// Makes every step of a schedule.
pub(super) fn follow(
    table: &mut TransitionTable<'_>,
    state: &mut ModelState,
    schedule: &[Choice],
) -> Result<Vec<ModelStep>, Error> {
    let bounds = Bounds { most_steps: usize::MAX, cuts_futile: false };
    let mut execution = ModelExecution::of(table, state);
    let mut replay = Replay::of(schedule.to_vec());
    let run = run_one(&mut execution, &mut replay, bounds, &|| false)?;
    if run.end == End::TooLong {
        return Err(Error::input(format!(
            "--schedule: by step {} there are more kinds of buyer than can be told apart; replay \
             the beginning alone, or with fewer --buyers",
            run.steps
        )));
    }
    let (there, steps) = execution.into_parts();
    *state = there;
    Ok(steps)
}
