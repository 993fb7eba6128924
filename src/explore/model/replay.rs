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
use crate::explore::exploration::{Exploration, Told, again, by_hand, search_again};
use crate::explore::incident::{Incident, IncidentKind};
use crate::explore::schedule::Schedule;
use crate::explore::timeline;
use crate::worlds::entrant::Entrant;
use crate::worlds::stepped::{Actor, Cast, Cue, Part, Stage, Step};

/// The incident of failed checkouts: in how many ends one failed, and a shortest schedule to one of these ends.
pub(super) fn tell_failed(
    cast: &mut Cast<'_>,
    opening: &Stage,
    entrant: &dyn Entrant,
    settings: &Settings,
    failed: Option<(u64, Vec<Cue<Actor>>)>,
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
    schedule: &[Cue<Actor>],
) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (number, cue) in schedule.iter().enumerate() {
        let step = stage.follow(cast, *cue).ok_or_else(|| {
            let number = number + 1;
            let Cue { who, act } = cue;
            let why = match (stage.kind(*who).map(|kind| cast.kind_of(kind).next), act) {
                (None, _) => "nobody goes by that name here",
                (_, Act::Errand) => "nobody has an errand in its name then",
                (_, act) if *act != Act::Step => {
                    return Error::input(format!(
                        "--schedule: step {number} is `{cue}`, which cannot happen then; faults \
                         happen as often as --crashes, --expiries and so on allow"
                    ));
                }
                (Some(None), _) => "it has left by then",
                (Some(Some(_)), _) => "it has to wait then",
            };
            Error::input(format!("--schedule: step {number} is {who}'s, but {why}"))
        })?;
        if cast.is_full() {
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
