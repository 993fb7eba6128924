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
use crate::explore::exploration::{Exploration, Told, again, by_hand, search_again};
use crate::explore::incident::{Incident, IncidentKind};
use crate::explore::timeline;
use crate::scheduler::{Bounds, Choice, End, Replay, Schedule, run_one};
use crate::worlds::entrant::Entrant;
use crate::worlds::stepped::{Cast, Part, Stage, Step};

/// The incident of failed checkouts: in how many ends one failed, and a shortest schedule to one of these ends.
pub(super) fn tell_failed(
    cast: &mut Cast<'_>,
    opening: &Stage,
    entrant: &dyn Entrant,
    settings: &Settings,
    failed: Option<(u64, Vec<Choice>)>,
) -> Result<Vec<Incident>, Error> {
    let Some((orders, schedule)) = failed else { return Ok(Vec::new()) };
    let mut stage = opening.clone();
    let steps = follow(cast, &mut stage, &schedule)?;
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
        again: again(entrant, settings, &schedule),
        schedule,
        timeline: timeline::told(&steps),
    }])
}

/// Reports findings step by step, with named buyers.
pub(super) fn tell(
    cast: &mut Cast<'_>,
    opening: &Stage,
    entrant: &dyn Entrant,
    settings: &Settings,
    shown: Vec<Shown>,
) -> Result<Vec<Told>, Error> {
    shown
        .into_iter()
        .map(|Shown { finding, schedule }| {
            let mut stage = opening.clone();
            let steps = follow(cast, &mut stage, &schedule)?;
            let seen_there = checks::so_far(cast, settings.stock, &stage, &steps);
            let finding_kind = finding.kind;
            let by_name = seen_there.into_iter().find(|seen| seen.kind == finding.kind);
            let schedule = Schedule(schedule).to_string();
            Ok(Told {
                finding: by_name.unwrap_or(finding),
                // A schedule without end cannot be replayed; the search can be repeated.
                again: match finding_kind {
                    FindingKind::Livelock => search_again(entrant, settings),
                    _ => again(entrant, settings, &schedule),
                },
                why: None,
                by_hand: Some(by_hand(entrant, settings)),
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
    entrant: &dyn Entrant,
    settings: &Settings,
    schedule: &Schedule,
) -> Result<Exploration, Error> {
    let mut cast = Cast::new(entrant, settings);
    let mut stage = open(&mut cast, entrant, settings)?;
    let steps = follow(&mut cast, &mut stage, &schedule.0);
    check_card(&cast, entrant)?;
    let steps = steps?;
    let found = checks::so_far(&mut cast, settings.stock, &stage, &steps);
    let timeline = timeline::told(&steps);
    let written = schedule.to_string();
    let findings: Vec<Told> = found
        .into_iter()
        .map(|finding| Told {
            finding,
            schedule: written.clone(),
            timeline: timeline.clone(),
            why: None,
            again: again(entrant, settings, &written),
            by_hand: Some(by_hand(entrant, settings)),
        })
        .collect();
    let looked =
        Looked { cut: stage.goes_on(&mut cast).then(|| UNFINISHED.into()), ..Looked::default() };
    let failed = stage.kinds().any(|kind| match cast.kind_of(kind).part {
        Part::Gone { ending, .. } => completeness::has_failed(ending),
        _ => false,
    });
    Ok(Exploration {
        failed: failed.into(),
        replayed: Some(timeline),
        ..Exploration::of(entrant, settings, &looked, findings)
    })
}

/// Makes every step of a schedule.
pub(super) fn follow(
    cast: &mut Cast<'_>,
    stage: &mut Stage,
    schedule: &[Choice],
) -> Result<Vec<Step>, Error> {
    let bounds = Bounds { most_steps: usize::MAX, cuts_futile: false };
    let mut execution = ModelExecution::of(cast, stage);
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
    *stage = there;
    Ok(steps)
}
