//! One schedule of the model, step by step, and what is wrong at its end.

use super::checks::{self, Shown};
use super::opening::{check_card, open};
use crate::base::error::Error;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::finding::FindingKind;
use crate::domain::settings::Settings;
use crate::explore::completeness::{self, Looked, UNFINISHED};
use crate::explore::exploration::{Exploration, FindingReport, again, by_hand, search_again};
use crate::explore::incident::{Incident, IncidentKind};
use crate::explore::schedule::Schedule;
use crate::explore::timeline;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::{Actor, Choice, ModelState, Part, Step, TransitionTable};

/// The incident of failed checkouts: in how many ends one failed, and a shortest schedule to one of these ends.
pub(super) fn tell_failed(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    failed: Option<(u64, Vec<Choice<Actor>>)>,
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
            let seen_there = checks::so_far(table, settings.stock, &model_state, &steps);
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
    let found = checks::so_far(&mut table, settings.stock, &model_state, &steps);
    let timeline = timeline::told(&steps);
    let written = schedule.to_string();
    let findings: Vec<FindingReport> = found
        .into_iter()
        .map(|finding| FindingReport {
            finding,
            schedule: written.clone(),
            timeline: timeline.clone(),
            why: None,
            again: again(strategy, settings, &written),
            by_hand: Some(by_hand(strategy, settings)),
        })
        .collect();
    let looked = Looked {
        cut: model_state.goes_on(&mut table).then(|| UNFINISHED.into()),
        ..Looked::default()
    };
    let failed = model_state.kinds().any(|kind| match table.kind_of(kind).part {
        Part::Gone { ending, .. } => completeness::has_failed(ending),
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
    model_state: &mut ModelState,
    schedule: &[Choice<Actor>],
) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (number, choice) in schedule.iter().enumerate() {
        let step = model_state.follow(table, *choice).ok_or_else(|| {
            let number = number + 1;
            let Choice { who, act } = choice;
            let why = match (model_state.kind(*who).map(|kind| table.kind_of(kind).next), act) {
                (None, _) => "there is no buyer of that name",
                (_, Act::BackgroundTask) => "no background task runs in its name then",
                (_, act) if *act != Act::Step => {
                    return Error::input(format!(
                        "--schedule: step {number} is `{choice}`, which cannot happen then; faults \
                         happen as often as --crashes, --expiries and so on allow"
                    ));
                }
                (Some(None), _) => "it has left by then",
                (Some(Some(_)), _) => "it has to wait then",
            };
            Error::input(format!("--schedule: step {number} is {who}'s, but {why}"))
        })?;
        if table.is_full() {
            return Err(Error::input(format!(
                "--schedule: by step {} there are more kinds of buyer than can be told apart; replay \
                 the beginning alone, or with fewer --buyers",
                number + 1
            )));
        }
        steps.push(step);
    }
    Ok(steps)
}
