//! The rehearsal of a described checkout: the buyers run serially, one after the other, before a search or a race. A
//! step that makes no sense to the store fails here, and is reported with its place in the file.

use super::results::{Judged, judge, stalled};
use super::steady::blend;
use super::transcript::timeline;
use crate::base::error::Error;
use crate::base::text::quantity::of;
use crate::check::audit::Finding;
use crate::describe::checkout::Call;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::timeline::TimelineRow;
use crate::scheduler::{Actor, PendingStatement, Phase};
use crate::stores::remote::{Fixture, Server};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{Grain, Harness, Remaining, ServerStep};

/// Statement limit of a buyer that is alone: one that sends more is reported as one that never leaves.
const MOST_ALONE: usize = 1_000;

/// How a rehearsal went.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The settings, with products and stock as the shop has them.
    pub settings: Settings,
    /// How each visit ended, and in how many statements.
    pub visits: Vec<(Ending, usize)>,
    /// The statements and their answers, in words.
    pub timeline: Vec<TimelineRow>,
    /// What is wrong even when buyers run serially.
    pub findings: Vec<Finding>,
    /// What the server refused, where the file allows that.
    pub refused: Option<String>,
}

/// Runs all buyers serially, one after the other.
///
/// # Errors
/// [`Error::Input`] with file and line for a step that makes no sense to the store, or for a buyer that never leaves;
/// [`Error::World`] when the server fails.
pub fn rehearse(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
) -> Result<Rehearsal, Error> {
    let settings = measured(settings, server)?;
    Harness::open(strategy, &settings, server, Grain::Statement, |harness| {
        let buyers = settings.buyers as usize;
        let is_app = strategy.is_app();
        let walk = if is_app { repeatable_visits } else { visits };
        let (visits, mut steps) = walk(harness, buyers)?;
        // A buyer that waits for what earlier buyers have kept is stuck; buyers that have not come yet are not.
        let waits = visits.iter().filter(|(ending, _)| *ending == Ending::Unserved).count();
        // A statement that makes no sense to the store fails here, too.
        harness.rehearse_expiry()?;
        harness.send_home()?;
        let waits = Remaining { buyers: waits, stalled: None };
        let Judged { mut findings, trouble, outcome, .. } = judge(harness, waits)?;
        let broke =
            |ending: &Ending| matches!(ending, Ending::Failed(why) if *why != Failure::Condition);
        if outcome.visits.iter().any(|(ending, _)| broke(ending)) {
            return Err(Error::input(trouble.unwrap_or_else(|| {
                format!("{}: a buyer that was alone has failed", strategy.card().name)
            })));
        }
        if is_app && steps.is_empty() {
            let is_code = strategy.described().is_some_and(|checkout| {
                let mut steps = checkout.roles.iter().flat_map(|role| &role.steps);
                steps.any(|step| matches!(step.call, Call::Code(_)))
            });
            let asks = match is_code {
                true => "does the code connect to the URL that it is given?",
                false => {
                    "does the application take its database's address from the environment that `env` in [app] gives it?"
                }
            };
            return Err(Error::input(format!(
                "{}: no statement has come through the proxy; {asks}",
                strategy.card().name
            )));
        }
        // Values that differ the second time were made up by the server. A second run that does not end teaches
        // nothing.
        if keeps_values(strategy)
            && let Ok((again, found)) = once_more(harness, buyers)
        {
            blend(&mut steps, &mut findings, &again, &found);
        }
        let timeline = timeline(&settings, &harness.server().part_names(), &steps);
        Ok(Rehearsal { settings: settings.clone(), visits, timeline, findings, refused: trouble })
    })
}

/// How each visit ended, and in how many statements.
type Visits = Vec<(Ending, usize)>;

/// What came of it when each buyer came alone, and the steps.
type Walk = (Visits, Vec<ServerStep>);

/// Runs each buyer alone; runs all of them again if the server learns that statements take more steps than was known.
fn visits(harness: &mut Harness<'_>, buyers: usize) -> Result<Walk, Error> {
    let known = harness.server().learned()?;
    let told = visits_once(harness, buyers)?;
    if harness.server().learned()? == known {
        return Ok(told);
    }
    visits_again(harness, buyers)
}

/// Runs each buyer of an application alone until it does the same when it is run again: at once, or when its caches are
/// full, or if it is started anew each time. If it never does, the search finds that orders come out otherwise.
fn repeatable_visits(harness: &mut Harness<'_>, buyers: usize) -> Result<Walk, Error> {
    let first = visits_once(harness, buyers)?;
    let mut last = visits_again(harness, buyers);
    if let Ok(second) = &last {
        if is_alike(&first, second) {
            return last;
        }
        // A cache spares reads. What changes nothing more was not done.
        if ends(&first) == ends(second) && changes(&first) == changes(second) {
            let third = visits_again(harness, buyers);
            if third.as_ref().is_ok_and(|third| is_alike(second, third)) {
                return third;
            }
            last = third;
        }
    }
    if !harness.server().start_fresh(true) {
        return last;
    }
    let one = visits_again(harness, buyers)?;
    let other = visits_again(harness, buyers)?;
    if !is_alike(&one, &other) {
        harness.server().start_fresh(false);
    }
    Ok(other)
}

/// How the visits ended.
fn ends(walk: &Walk) -> Vec<Ending> {
    walk.0.iter().map(|(ending, _)| *ending).collect()
}

/// The statements that were sent, values aside, and by which buyer. In how many steps a statement is held does not count:
/// the server may have learned that meanwhile.
fn sent(walk: &Walk) -> impl Iterator<Item = (usize, &PendingStatement)> {
    let steps = walk.1.iter().filter(|step| step.statement.phase == Phase::Sends);
    steps.map(|step| (step.place, &step.statement))
}

/// Statements without their values.
fn shapes<'w>(sent: impl Iterator<Item = (usize, &'w PendingStatement)>) -> Vec<(usize, &'w str)> {
    sent.map(|(place, statement)| (place, statement.shape.as_ref().unwrap_or(&statement.text)))
        .map(|(place, shape)| (place, shape.as_str()))
        .collect()
}

/// The statements that changed something.
fn changes(walk: &Walk) -> Vec<(usize, &str)> {
    shapes(sent(walk).filter(|(_, statement)| statement.touches.changes()))
}

/// Whether the same statements were sent, and the visits ended in the same way.
fn is_alike(one: &Walk, other: &Walk) -> bool {
    ends(one) == ends(other) && shapes(sent(one)) == shapes(sent(other))
}

/// The same as [`visits_once`], after an execution that has begun.
fn visits_again(harness: &mut Harness<'_>, buyers: usize) -> Result<Walk, Error> {
    harness.send_home()?;
    visits_once(harness, buyers)
}

fn visits_once(harness: &mut Harness<'_>, buyers: usize) -> Result<Walk, Error> {
    harness.begin_one_by_one()?;
    let (mut visits, mut steps) = (Vec::new(), Vec::new());
    for place in 0..buyers {
        let before = steps.len();
        let ending = come_alone(harness, place, &mut steps)?;
        visits.push((ending, steps.len() - before));
        if ending == Ending::Unserved {
            break;
        }
    }
    Ok((visits, steps))
}

/// Whether the report may show values that the server makes up, of a checkout that begins anew for every execution.
fn keeps_values(strategy: &dyn DynStrategy) -> bool {
    strategy.described().is_some_and(|checkout| {
        let mut steps = checkout.roles.iter().flat_map(|role| &role.steps);
        let keeps = steps.any(|step| !step.save.is_empty()) || !checkout.audit.never.is_empty();
        keeps && checkout.app.is_none() && checkout.store != StoreKind::Http
    })
}

/// Runs all buyers serially once more, and returns the steps and the findings.
fn once_more(
    harness: &mut Harness<'_>,
    buyers: usize,
) -> Result<(Vec<ServerStep>, Vec<Finding>), Error> {
    harness.begin_one_by_one()?;
    let mut steps = Vec::new();
    for place in 0..buyers {
        come_alone(harness, place, &mut steps)?;
    }
    harness.send_home()?;
    Ok((steps, judge(harness, Remaining::default())?.findings))
}

/// The settings: of a described checkout with products and stock as its shop has them, of any other unchanged.
///
/// # Errors
/// As [`rehearse`].
pub fn as_furnished(
    strategy: &dyn DynStrategy,
    settings: Settings,
    server: &dyn Server,
) -> Result<Settings, Error> {
    match strategy.described() {
        Some(_) => rehearse(strategy, &settings, server).map(|rehearsal| rehearsal.settings),
        None => Ok(settings),
    }
}

/// The settings, with products and stock as they are at the opening.
pub(in crate::explore) fn measured(
    settings: &Settings,
    server: &dyn Server,
) -> Result<Settings, Error> {
    let opening = Fixture {
        items: settings.items,
        stock: settings.stock,
        buyers: settings.buyers,
        counts_orders: false,
        is_small: true,
    };
    server.stock_up(opening)?;
    let books = server.take_stock(opening)?;
    let mut settings = settings.clone();
    match books.put_up.first() {
        Some(stock) => {
            settings.items = books.put_up.len() as u8;
            settings.stock = (*stock).max(1);
        }
        // Products go by their numbers.
        None => settings.items = settings.cart,
    }
    match settings.cart > settings.items {
        true => Err(Error::input(format!(
            "`cart` is {}, but `audit.stock` finds only {}: lower `cart`",
            settings.cart,
            of(settings.items.into(), "product")
        ))),
        false => Ok(settings),
    }
}

/// Sends a buyer's statements one after the other until the buyer leaves. If it has to wait for what earlier buyers
/// have kept, it is [`Ending::Unserved`].
pub(in crate::explore) fn come_alone(
    harness: &mut Harness<'_>,
    place: usize,
    steps: &mut Vec<ServerStep>,
) -> Result<Ending, Error> {
    let mut last = String::new();
    for _ in 0..MOST_ALONE {
        let Some(step) = harness.step(place)? else {
            if harness.is_stalled(place) {
                return Err(Error::input(stalled(harness, place)));
            }
            // The buyer has nothing to send.
            return Ok(harness.how_it_left(place).unwrap_or(Ending::Bought));
        };
        let left = step.left.iter().find(|(who, _)| *who == place).map(|(_, ending)| *ending);
        let waits = step.answer.is_none() && !step.has_begun;
        if waits && place == 0 {
            return Err(Error::input(format!(
                "{} is the first to come, is alone, and has to wait: `{}`",
                Actor::buyer(place),
                step.statement.text
            )));
        }
        last.clone_from(&step.statement.text);
        steps.push(step);
        if harness.is_stalled(place) {
            return Err(Error::input(stalled(harness, place)));
        }
        if waits {
            return Ok(Ending::Unserved);
        }
        if let Some(ending) = left {
            return Ok(ending);
        }
    }
    Err(Error::input(format!(
        "{} is alone and has said {MOST_ALONE} statements without an end, at last `{last}`; what it takes for a conflict \
         is none",
        Actor::buyer(place)
    )))
}
