//! Every interleaving: the stepped world under the chooser that chooses everything.

mod any;
mod brute;
mod builder;
mod checks;
mod checkup;
mod completeness;
mod conflict;
mod cure;
mod dice;
mod drawing;
mod expand;
mod exploration;
mod game;
mod graph;
mod harvest;
mod incident;
mod limits;
mod onward;
mod orders;
mod packed;
mod precedence;
mod random;
mod reality;
mod recording;
mod rehearsal;
pub mod schedule;
mod search;
mod state;
mod states;
mod steady;
mod survey;
mod switches;
mod timeline;
mod transcript;
mod walk;

pub use any::{AnyBuyers, MOST_BUYERS, any_buyers};
pub use brute::{Tried, try_all};
pub use builder::{Explore, explore};
pub use checks::{End, Shown};
pub use checkup::{Checkup, Differing, Walked, check_up};
pub use conflict::{Conflict, Reach};
pub use cure::{LevelTried, NoLevel, gravest, no_level, try_level, try_levels};
pub use dice::Method;
pub use drawing::StateGraph;
pub use exploration::{Covered, Exploration, Orders, Told, parse_expectation};
pub use game::{Game, Outlook};
pub use graph::Ways;
pub use harvest::Outcome;
pub use incident::{Incident, IncidentKind};
pub use limits::Limits;
pub use onward::{Onward, after_any, after_race, after_search, after_simulation};
pub use orders::{can_be_stepped, replay_orders, search_orders, server_for, server_to_rehearse_at};
use random::Rolled;
pub use random::{Sampled, Sampling};
pub use reality::{Agreement, Difference, compare};
pub use recording::Recording;
pub use rehearsal::{Rehearsal, as_furnished, rehearse};
pub use schedule::Schedule;
pub use search::{Search, Seen};
pub use state::{ANY, MOST_OF_A_KIND, State};
pub use survey::{Place, Survey, SurveyRow, Verdict, survey};
pub use timeline::Row;
pub use walk::{Switches, Walk};

use crate::base::error::Error;
use crate::base::text::quantity::of;
use crate::command::Command;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::finding::FindingKind;
use crate::domain::op::{Op, OpKind, Want};
use crate::domain::settings::Settings;
use crate::domain::verb::Verb;
use crate::stores::model::Model;
use crate::worlds::entrant::Entrant;
use crate::worlds::stepped::{Actor, Cast, Cue, Part, Stage, Step};
use completeness::{Looked, cut_after, failed_ends, idle_ends};

/// Follows every schedule of these settings, the shortest first, within limits.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_all(
    entrant: &dyn Entrant,
    settings: &Settings,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    search(entrant, settings, limits, stopped, |_| ()).map(|(found, ())| found)
}

/// The same, and draws the states that it met.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_and_draw(
    entrant: &dyn Entrant,
    settings: &Settings,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Result<(Exploration, StateGraph), Error> {
    search(entrant, settings, limits, stopped, StateGraph::of)
}

fn search<T>(
    entrant: &dyn Entrant,
    settings: &Settings,
    limits: Limits,
    stopped: impl Fn() -> bool,
    draw: impl FnOnce(&Search<'_, '_>) -> T,
) -> Result<(Exploration, T), Error> {
    let mut cast = Cast::new(entrant, settings);
    let opening = open(&mut cast, entrant, settings)?;
    let mut search = Search::from(&mut cast, opening.clone());
    let seen = search.run(limits, stopped);
    let drawn = draw(&search);
    check_card(&cast, entrant)?;
    let covered = Covered {
        states: seen.states,
        transitions: seen.transitions,
        bytes_per_state: seen.bytes_per_state,
        precedence_states: seen.precedence_states,
        reduced: true,
        complete: seen.complete,
        interleavings: seen.interleavings,
    };
    let looked = Looked {
        at_everything: seen.complete,
        cut: (!seen.complete).then(|| cut_after(seen.states as u64, "state")),
        idle: idle_ends(&seen.ends, settings, seen.interleavings == Some(Ways::exactly(1))),
    };
    let failed = failed_ends(&seen.ends);
    let incidents = seen.failed.map(|schedule| (failed, schedule));
    let incidents = tell_failed(&mut cast, &opening, entrant, settings, incidents)?;
    let findings = tell(&mut cast, &opening, entrant, settings, seen.shown)?;
    let found = Exploration {
        covered: Some(covered),
        failed,
        incidents,
        ..Exploration::of(entrant, settings, &looked, findings)
    };
    Ok((found, drawn))
}

/// Follows every schedule one by one, with nothing remembered and nothing merged, for checking that
/// [`search_all`] forgets nothing. A state is here one way to it.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_unreduced(
    entrant: &dyn Entrant,
    settings: &Settings,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    let mut cast = Cast::new(entrant, settings).unmerged();
    let opening = open(&mut cast, entrant, settings)?;
    let tried = try_all(&mut cast, &opening, limits, stopped);
    let covered = Covered {
        states: tried.steps as usize + 1,
        transitions: tried.steps,
        bytes_per_state: 0,
        precedence_states: 0,
        reduced: false,
        complete: tried.complete,
        interleavings: tried.complete.then(|| Ways::exactly(tried.schedules)),
    };
    // In these schedules an order is a step of its own, and in a replay it mostly is not.
    let merges = Cast::new(entrant, settings).merges();
    let mut without_orders = |schedule: Vec<Cue<Actor>>| -> Result<_, Error> {
        let mut stage = opening.clone();
        let mut kept = Vec::new();
        for cue in schedule {
            let kind = stage.kind(cue.who).map(|kind| cast.kind_of(kind).clone());
            let steps = follow(&mut cast, &mut stage, &[cue])?;
            let is_unseen = |step: &Step| match (step.op, &kind) {
                (Some(Op::PlaceOrder(order)), Some(kind)) => kind.orders_unseen(order),
                _ => false,
            };
            if !merges || !steps.iter().any(is_unseen) {
                kept.push(cue);
            }
        }
        Ok(kept)
    };
    let shorter = |Shown { finding, schedule }: Shown| {
        without_orders(schedule).map(|schedule| Shown { finding, schedule })
    };
    let shown: Vec<Shown> = tried.shown.into_iter().map(shorter).collect::<Result<_, Error>>()?;
    let failed = failed_ends(&tried.ends);
    let incidents = match tried.failed {
        Some(schedule) => Some((failed, without_orders(schedule)?)),
        None => None,
    };
    let mut merged = Cast::new(entrant, settings);
    let opening = open(&mut merged, entrant, settings)?;
    let incidents = tell_failed(&mut merged, &opening, entrant, settings, incidents)?;
    let findings = tell(&mut merged, &opening, entrant, settings, shown)?;
    let looked = Looked {
        at_everything: tried.complete,
        cut: (!tried.complete).then(|| cut_after(tried.steps, "step")),
        idle: idle_ends(&tried.ends, settings, tried.complete && tried.schedules == 1),
    };
    Ok(Exploration {
        covered: Some(covered),
        failed,
        incidents,
        ..Exploration::of(entrant, settings, &looked, findings)
    })
}

/// Follows schedules that are rolled from the seed.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn sample(
    entrant: &dyn Entrant,
    settings: &Settings,
    sampling: Sampling,
    stopped: impl Fn() -> bool + Sync,
) -> Result<Exploration, Error> {
    let mut cast = Cast::new(entrant, settings);
    let opening = open(&mut cast, entrant, settings)?;
    let new_cast = || Cast::new(entrant, settings);
    // What could be refused was refused above.
    let open_again =
        |cast: &mut Cast<'_>| open(cast, entrant, settings).unwrap_or_else(|_| opening.clone());
    let Rolled { sampled, shown, failed, first_failure, sold } =
        random::sample(new_cast, open_again, settings.seed, sampling, &stopped);
    let followed = sampled.schedules;
    let idle = match sampled.schedules - sampled.endless {
        0 => None,
        ended if failed == ended => Some("a buyer's checkout failed in every schedule".into()),
        _ if !sold => Some("no buyer bought anything in any schedule".into()),
        _ if settings.buyers == 1 && settings.faults.is_none() => {
            Some("one buyer meets no other".into())
        }
        _ => None,
    };
    let looked = Looked {
        at_everything: false,
        cut: match sampled.endless {
            _ if followed < sampling.schedules => Some(cut_after(followed, "schedule")),
            0 => None,
            endless => Some(format!("{} did not end", of(endless, "schedule"))),
        },
        idle,
    };
    let incidents = first_failure.map(|schedule| (failed, schedule));
    let incidents = tell_failed(&mut cast, &opening, entrant, settings, incidents)?;
    let findings = tell(&mut cast, &opening, entrant, settings, shown)?;
    Ok(Exploration {
        sampled: Some(sampled),
        failed,
        incidents,
        ..Exploration::of(entrant, settings, &looked, findings)
    })
}

/// Whoever looks for orders must say so: else writing one would not be a step that others can see.
fn check_card(cast: &Cast<'_>, entrant: &dyn Entrant) -> Result<(), Error> {
    if !cast.was_asked_in_vain() {
        return Ok(());
    }
    Err(Error::input(format!(
        "{} looks for orders, and its card does not say so: let `about()` name what it needs, with \
         `OpKind::FindOrder` or `OpKind::CountLeft` among it",
        entrant.card().name
    )))
}

/// Tells how a buyer's checkout failed in so many ends, and the shortest way to one of them.
fn tell_failed(
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

/// Tells what was found step by step, of buyers by name.
fn tell(
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
                // What never ends cannot be replayed; the search can be made again.
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

/// Why one schedule bears no claim that something is absent.
const UNFINISHED: &str = "the schedule ends before every buyer has left";

/// Opens the shop that the settings describe.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn open(
    cast: &mut Cast<'_>,
    entrant: &dyn Entrant,
    settings: &Settings,
) -> Result<Stage, Error> {
    settings.check_for(&entrant.card())?;
    if settings.buyers > MOST_OF_A_KIND {
        return Err(Error::input(format!(
            "`buyers` is {}; with every interleaving it can be {MOST_OF_A_KIND} at most",
            settings.buyers
        )));
    }
    let wants: Vec<Want> = (0..settings.buyers).map(|buyer| settings.want(1, buyer)).collect();
    let has_clerk = entrant.card().asks_for(|kind| kind == OpKind::Queue);
    Ok(Stage::open(cast, shop(entrant, settings), &wants, has_clerk))
}

/// The store of such a shop.
fn shop(entrant: &dyn Entrant, settings: &Settings) -> Model {
    let card = entrant.card();
    Model {
        isolation: settings.isolation,
        faults: settings.faults,
        ..Model::for_ops(settings.items, settings.stock, |kind| card.names(kind))
    }
}

/// Makes every step of a schedule.
fn follow(
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

/// The command that replays a schedule.
fn again(entrant: &dyn Entrant, settings: &Settings, schedule: &str) -> String {
    Command::of(Verb::Replay, entrant, settings).flag("schedule", schedule).into()
}

/// The command that makes the same search.
fn search_again(entrant: &dyn Entrant, settings: &Settings) -> String {
    Command::of(Verb::Explore, entrant, settings).into()
}

/// The command with which a person is the scheduler of the same shop.
fn by_hand(entrant: &dyn Entrant, settings: &Settings) -> String {
    Command::of(Verb::Play, entrant, settings).into()
}
