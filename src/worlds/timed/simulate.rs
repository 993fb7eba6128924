//! Simulating: one seed is a round, and many seeds are many rounds, on all cores.

use super::guests::Everything;
use super::scene::Scene;
use super::story::{Line, Story};
use super::world::World;
use crate::error::Error;
use crate::op::OpKind;
use crate::round::Round;
use crate::stores::Books;
use crate::strategy::Strategy;

/// Simulates a shop from one seed, until `stopped` says so, and tells the story if that is wanted.
///
/// # Errors
/// [`Error::Input`] for a shop that cannot be.
pub fn simulate<S: Strategy + ?Sized>(
    strategy: &S,
    scene: &Scene,
    seed: u64,
    story: Story,
    stopped: &dyn Fn() -> bool,
) -> Result<(Round, Vec<Line>), Error> {
    let mut world = World::open(strategy, scene, seed, story, Everything::default())?;
    world.run(stopped);
    let (shop, orders) = match &world.council {
        Some(council) => {
            let (shop, orders) = council.books();
            (shop.clone(), Some(orders))
        }
        None => (world.shop.clone(), None),
    };
    let deepest_queue = world.deepest_queue();
    let mut tally = std::mem::take(&mut world.tally);
    let guests = std::mem::take(&mut world.guests);
    tally.overtakings = guests.overtakings();
    let takes_money = strategy.about().needs.contains(&OpKind::Pay);
    let round = Round {
        number: 1,
        store: "simulated",
        stock: scene.settings.stock,
        books: Books {
            shelves: shop.stocks(),
            orders: orders.unwrap_or(guests.orders),
            deepest_queue,
            given_back: shop.shelves.iter().map(|shelf| shelf.given_back).collect(),
            payments: takes_money.then_some(guests.payments),
        },
        visits: guests.visits,
        tally,
    };
    Ok((round, std::mem::take(&mut world.story).into_lines()))
}
