//! Every interleaving: the stepped world under the chooser that chooses everything.

mod any;
mod brute;
mod builder;
mod checks;
mod dice;
mod drawing;
mod expand;
mod game;
mod graph;
mod packed;
mod precedence;
mod random;
mod recording;
pub mod schedule;
mod search;
mod state;
mod states;
mod timeline;

use serde::Serialize;

pub use any::{AnyBuyers, MOST_BUYERS, any_buyers};
pub use brute::{Tried, try_all};
pub use builder::{Explore, explore};
pub use checks::End;
pub use dice::Method;
pub use drawing::StateGraph;
pub use game::Game;
pub use graph::Ways;
pub use random::{Sampled, Sampling};
pub use recording::Recording;
pub use schedule::Schedule;
pub use search::{Limits, Search, Seen, Shown};
pub use state::{ANY, MOST_OF_A_KIND, State};
pub use timeline::Row;

use crate::audit::Finding;
use crate::entrant::Entrant;
use crate::error::Error;
use crate::expect::{Expectation, Judge};
use crate::finding::FindingKind;
use crate::op::{Op, OpKind, Want};
use crate::report::{Evidence, Figures, Judgement, SCHEMA};
use crate::settings::Settings;
use crate::stores::memory::model::Model;
use crate::worlds::stepped::{Actor, Cast, Stage, Step};

/// Everything there is to say about a search, or about one schedule. The same bytes every time.
#[derive(Clone, Debug, Serialize)]
pub struct Exploration {
    /// The version of this form.
    pub schema: u32,
    /// The version of the tool that wrote it.
    pub version: &'static str,
    /// The strategy's name.
    pub strategy: String,
    /// Buyers.
    pub buyers: u32,
    /// Products in the shop.
    pub items: u8,
    /// Units of each at the beginning.
    pub stock: i32,
    /// Products in each buyer's cart.
    pub cart: u8,
    /// The seed of all dice: of what buyers want, where that is a range, and of rolled schedules.
    pub seed: u64,
    /// How far the verdict reaches.
    pub evidence: Evidence,
    /// What was covered; none if schedules were rolled, or a single one was replayed.
    pub covered: Option<Covered>,
    /// What was rolled; none if nothing was.
    pub sampled: Option<Sampled>,
    /// What was found, the gravest first, each with a shortest schedule to it.
    pub findings: Vec<Told>,
    /// The one schedule that was replayed, told step by step; none for a search.
    pub replayed: Option<Vec<Row>>,
}

/// What a search has covered.
#[derive(Clone, Debug, Serialize)]
pub struct Covered {
    /// States, identical buyers counted and not told apart.
    pub states: usize,
    /// Steps between them.
    pub transitions: u64,
    /// Bytes that a state took, with the steps from it, on average.
    pub bytes_per_state: usize,
    /// States of a second search that tells apart who came before whom; zero if none was needed,
    /// since nobody was turned away before enough was promised to others.
    pub precedence_states: usize,
    /// Whether states were remembered and identical buyers merged; else everything was followed one
    /// by one, and a state is one way to it.
    pub reduced: bool,
    /// Whether that is every interleaving.
    pub complete: bool,
    /// How many interleavings that is; none if it is not complete, or some never end.
    pub interleavings: Option<Ways>,
}

/// A finding with its story.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// What.
    #[serde(flatten)]
    pub finding: Finding,
    /// Whose step comes when.
    pub schedule: String,
    /// The same, told step by step.
    pub timeline: Vec<Row>,
    /// The command that tells it again.
    pub again: String,
    /// The command with which a person can try it; none for a checkout that the program does not know.
    pub by_hand: Option<String>,
}

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
    let mut cast = Cast::new(entrant, settings.policy.retries);
    let opening = open(&mut cast, entrant, settings)?;
    let mut search = Search::from(&mut cast, opening.clone());
    let seen = search.run(limits, stopped);
    let drawn = draw(&search);
    let covered = Covered {
        states: seen.states,
        transitions: seen.transitions,
        bytes_per_state: seen.bytes_per_state,
        precedence_states: seen.precedence_states,
        reduced: true,
        complete: seen.complete,
        interleavings: seen.interleavings,
    };
    let findings = tell(&mut cast, &opening, entrant, settings, seen.shown)?;
    let evidence = evidence(&findings, seen.complete);
    let found = Exploration {
        covered: Some(covered),
        findings,
        ..Exploration::of(entrant, settings, evidence)
    };
    Ok((found, drawn))
}

/// Follows every schedule one by one, with nothing remembered and nothing merged, for checking that
/// [`search_all`] forgets nothing. `most_states` is the most ways to a state that it looks at.
///
/// # Errors
/// [`Error::Input`] for impossible settings.
pub fn search_unreduced(
    entrant: &dyn Entrant,
    settings: &Settings,
    most_states: u64,
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    let mut cast = Cast::new(entrant, settings.policy.retries).unmerged();
    let opening = open(&mut cast, entrant, settings)?;
    let tried = try_all(&mut cast, &opening, most_states, stopped);
    let covered = Covered {
        states: tried.steps as usize + 1,
        transitions: tried.steps,
        bytes_per_state: 0,
        precedence_states: 0,
        reduced: false,
        complete: tried.complete,
        interleavings: tried.complete.then(|| Ways::exactly(tried.schedules)),
    };
    // In these schedules an order is a step of its own, and in a replay it is not.
    let mut without_orders = |Shown { finding, schedule }: Shown| {
        let steps = follow(&mut cast, &mut opening.clone(), &schedule)?;
        let is_order = |step: &Step| matches!(step.op, Op::PlaceOrder(_));
        let steps = steps.iter().filter(|step| !is_order(step));
        Ok(Shown { finding, schedule: steps.map(|step| step.actor).collect() })
    };
    let shown: Vec<Shown> =
        tried.shown.into_iter().map(&mut without_orders).collect::<Result<_, Error>>()?;
    let mut merged = Cast::new(entrant, settings.policy.retries);
    let opening = open(&mut merged, entrant, settings)?;
    let findings = tell(&mut merged, &opening, entrant, settings, shown)?;
    let evidence = evidence(&findings, tried.complete);
    Ok(Exploration {
        covered: Some(covered),
        findings,
        ..Exploration::of(entrant, settings, evidence)
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
    stopped: impl Fn() -> bool,
) -> Result<Exploration, Error> {
    let mut cast = Cast::new(entrant, settings.policy.retries);
    let opening = open(&mut cast, entrant, settings)?;
    let new_cast = || Cast::new(entrant, settings.policy.retries);
    // What could be refused was refused above.
    let open_again =
        |cast: &mut Cast<'_>| open(cast, entrant, settings).unwrap_or_else(|_| opening.clone());
    let (sampled, shown) = random::sample(new_cast, open_again, settings.seed, sampling, stopped);
    let findings = tell(&mut cast, &opening, entrant, settings, shown)?;
    let evidence = evidence(&findings, false);
    Ok(Exploration {
        sampled: Some(sampled),
        findings,
        ..Exploration::of(entrant, settings, evidence)
    })
}

/// How far findings, or their absence, reach.
fn evidence(findings: &[Told], complete: bool) -> Evidence {
    match (findings, complete) {
        ([_, ..], _) => Evidence::Broken,
        ([], true) => Evidence::Proved,
        ([], false) => Evidence::NotSeen,
    }
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
            let by_name = seen_there.into_iter().find(|seen| seen.kind == finding.kind);
            let schedule = Schedule(schedule).to_string();
            Ok(Told {
                finding: by_name.unwrap_or(finding),
                again: again(entrant, settings, &schedule),
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
    let mut cast = Cast::new(entrant, settings.policy.retries);
    let mut stage = open(&mut cast, entrant, settings)?;
    let steps = follow(&mut cast, &mut stage, &schedule.0)?;
    let found = checks::so_far(&mut cast, settings.stock, &stage, &steps);
    let timeline = timeline::told(&steps);
    let written = schedule.to_string();
    let findings: Vec<Told> = found
        .into_iter()
        .map(|finding| Told {
            finding,
            schedule: written.clone(),
            timeline: timeline.clone(),
            again: again(entrant, settings, &written),
            by_hand: Some(by_hand(entrant, settings)),
        })
        .collect();
    let evidence = evidence(&findings, false);
    Ok(Exploration {
        findings,
        replayed: Some(timeline),
        ..Exploration::of(entrant, settings, evidence)
    })
}

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
    Ok(Stage::open(cast, Model::open(settings.items, settings.stock), &wants, has_clerk))
}

/// Makes every step of a schedule.
fn follow(cast: &mut Cast<'_>, stage: &mut Stage, schedule: &[Actor]) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (number, actor) in schedule.iter().enumerate() {
        let step = stage.step(cast, *actor).ok_or_else(|| {
            let why = match stage.kind(*actor).map(|kind| cast.kind_of(kind).next) {
                None => "nobody goes by that name here",
                Some(None) => "it has left by then",
                Some(Some(_)) => "it has to wait then",
            };
            Error::input(format!("--schedule: step {} is {actor}'s, but {why}", number + 1))
        })?;
        steps.push(step);
    }
    Ok(steps)
}

/// The command that replays a schedule.
fn again(entrant: &dyn Entrant, settings: &Settings, schedule: &str) -> String {
    let name = entrant.card().name;
    // The clerk's sign means something to a shell.
    let quote = if schedule.contains('*') { "'" } else { "" };
    format!(
        "oversell-sim replay --strategy {name}{} --schedule {quote}{schedule}{quote}",
        settings.shop_flags()
    )
}

/// The command with which a person is the scheduler of the same shop.
fn by_hand(entrant: &dyn Entrant, settings: &Settings) -> String {
    format!("oversell-sim play --strategy {}{}", entrant.card().name, settings.shop_flags())
}

/// Reads an expectation that a search can be held against.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_expectation(text: &str) -> Result<Expectation, String> {
    let expectation = Expectation::parse(text)?;
    let names: Vec<String> = FindingKind::ALL.into_iter().map(FindingKind::name).collect();
    let name = expectation.name();
    if ["evidence", "findings"].contains(&name) || names.iter().any(|known| known == name) {
        return Ok(expectation);
    }
    Err(format!(
        "nothing races here, so there is no `{name}`; expect evidence, findings or one of {}",
        names.join(", ")
    ))
}

/// Holds expectations against findings and the evidence for them.
fn judge<'t>(
    expectations: &[Expectation],
    findings: impl IntoIterator<Item = &'t Told>,
    evidence: Evidence,
) -> Vec<Judgement> {
    let mut figures = Figures::default();
    for told in findings {
        figures.findings += 1;
        *figures.amount_of_mut(told.finding.kind) = told.finding.amount;
    }
    let mut judge = Judge::new(expectations);
    judge.see_round(1, &figures);
    judge.conclude(&figures, evidence)
}

impl Exploration {
    /// A report of which only the settings and the evidence are known.
    fn of(entrant: &dyn Entrant, settings: &Settings, evidence: Evidence) -> Self {
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            strategy: entrant.card().name.to_owned(),
            buyers: settings.buyers,
            items: settings.items,
            stock: settings.stock,
            cart: settings.cart,
            seed: settings.seed,
            evidence,
            covered: None,
            sampled: None,
            findings: Vec::new(),
            replayed: None,
        }
    }

    /// Holds expectations against what was found.
    #[must_use]
    pub fn judge(&self, expectations: &[Expectation]) -> Vec<Judgement> {
        judge(expectations, &self.findings, self.evidence)
    }

    /// How much of a finding was found, in the unit of its kind.
    #[must_use]
    pub fn amount_of(&self, kind: FindingKind) -> u64 {
        self.findings
            .iter()
            .find(|told| told.finding.kind == kind)
            .map_or(0, |told| told.finding.amount)
    }
}
