//! Simulating a shop from one seed, from the first click until the last buyer has left.

use super::line::CoroutineFactory;
use super::sim_config::SimConfig;
use super::story::{Story, StoryLine};
use super::visit_recorder::{Everything, Totals, VisitRecorder};
use super::world::TimedWorld;
use crate::base::error::Error;
use crate::check::audit::{Naming, RunningAudit};
use crate::check::report::{Banner, FigureTotals, overtakings};
use crate::check::report::{Counted, Outcome};
use crate::check::round::{Counters, Round};
use crate::domain::books::Books;
use crate::domain::op::{OpKind, Order};
use crate::strategy::Strategy;

/// The most buyers whose visits are kept, to be audited together. Of more, each is audited as it leaves:
/// the memory that takes does not grow with their number.
pub const MOST_KEPT: u64 = 1_000_000;

/// Simulates a shop from one seed, until `stopped` says so, and tells the story if that is wanted.
///
/// # Errors
/// [`Error::Input`] for a shop that cannot be.
pub fn simulate(
    strategy: &impl Strategy,
    scene: &SimConfig,
    seed: u64,
    story: Story,
    stopped: &dyn Fn() -> bool,
) -> Result<(Outcome, Vec<StoryLine>), Error> {
    play(strategy, scene, seed, story, stopped)
}

fn play(
    strategy: &dyn CoroutineFactory,
    scene: &SimConfig,
    seed: u64,
    story: Story,
    stopped: &dyn Fn() -> bool,
) -> Result<(Outcome, Vec<StoryLine>), Error> {
    let stock = scene.settings.stock;
    if scene.rush.buyers() <= MOST_KEPT || scene.quorum.is_some() {
        let (guests, mut books, mut tally, story) =
            run(strategy, scene, seed, story, Everything::default(), stopped)?;
        tally.overtakings = overtakings(&guests.visits).count() as u64;
        // A group's own books come before what each buyer's seat knows of it.
        if scene.quorum.is_none() {
            books.orders = guests.orders;
        }
        books.payments = books.payments.map(|_| guests.payments);
        let visits = guests.visits;
        let round = Round { number: 1, stock, visits, books, tally };
        return Ok((Outcome::Kept(Box::new(round)), story));
    }
    let takes_money = strategy.card().names(OpKind::Pay);
    let totals = Totals {
        gathered: FigureTotals::of(scene.settings.items.into()),
        audit: RunningAudit::open(scene.settings.items, stock, takes_money, Naming::Letters),
        banners: [0; Banner::ALL.len()],
    };
    let (totals, books, tally, story) = run(strategy, scene, seed, story, totals, stopped)?;
    let Totals { mut gathered, audit, banners } = totals;
    let findings = audit.close(&books.shelves, tally.leaked_locks, tally.leaked_holds);
    gathered.close(&books, stock, &tally, &findings);
    let counted = Counted { number: 1, gathered, findings, events: tally.events, banners };
    Ok((Outcome::Counted(Box::new(counted)), story))
}

/// Runs the world to its end and returns the shop's books. Orders are only in them if a group keeps them; the
/// list of payments is empty if the strategy takes money, and none if it does not.
fn run<G: VisitRecorder>(
    coroutines: &dyn CoroutineFactory,
    scene: &SimConfig,
    seed: u64,
    story: Story,
    guests: G,
    stopped: &dyn Fn() -> bool,
) -> Result<(G, Books, Counters, Vec<StoryLine>), Error> {
    let mut world = TimedWorld::open(coroutines, scene, seed, story, guests)?;
    world.run(stopped);
    let (shop, orders): (_, Vec<Order>) = match &world.council {
        Some(council) => council.books(),
        None => (&world.shop, Vec::new()),
    };
    let takes_money = coroutines.card().names(OpKind::Pay);
    let books = Books {
        shelves: shop.stocks(),
        orders,
        deepest_queue: world.deepest_queue(),
        given_back: shop.shelves.iter().map(|shelf| shelf.given_back).collect(),
        payments: takes_money.then(Vec::new),
        ..Books::default()
    };
    let TimedWorld { guests, mut tally, story, event_queue, crowd, .. } = world;
    tally.events = event_queue.entered();
    (tally.most_inside, tally.buyer_ns) = (crowd.most(), Some(crowd.buyer_ns()));
    Ok((guests, books, tally, story.into_lines()))
}
