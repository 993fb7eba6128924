//! An entrant: a strategy whose type is forgotten, so that unlike ones can stand in one list.
//!
//! Each world adds a method here, and every [`Strategy`] gets it for nothing. The code behind the
//! method is still compiled for each strategy by itself.

use std::sync::Arc;

use crate::attempt::{Attempt, Missed};
use crate::checkout::Checkout;
use crate::clock::Wall;
use crate::control::Control;
use crate::error::Error;
use crate::op::{BuyerId, OpKind, Want};
use crate::round::Outcome;
use crate::settings::Settings;
use crate::stores::Venue;
use crate::stores::memory::{Memory, Plain, Versioned, Word};
use crate::stores::remote::Remote;
use crate::strategy::{About, Errand, Strategy};
use crate::worlds::stepped::script::{self, Heard, Next};
use crate::worlds::threads::{self, Round};
use crate::worlds::timed::{self, Line, Scene, Story};

/// A strategy of any type.
pub trait Entrant: Sync {
    /// The strategy's card.
    fn card(&self) -> About;

    /// As [`Strategy::described`].
    fn described(&self) -> Option<Arc<Checkout>>;

    /// Whether it is a running application's.
    fn is_app(&self) -> bool {
        self.described().is_some_and(|checkout| checkout.app.is_some())
    }

    /// As [`Strategy::wants`].
    fn wants(&self, buyer: BuyerId, want: Want) -> Want;

    /// As [`Strategy::are_alike`].
    fn are_alike(&self, one: BuyerId, other: BuyerId) -> bool;

    /// Races one round on real threads, in a store of this venue.
    ///
    /// # Errors
    /// As [`threads::run`].
    fn race(
        &self,
        venue: &Venue,
        settings: &Settings,
        number: u32,
        clock: &Wall,
        control: &Control,
    ) -> Result<Round, Error>;

    /// What a buyer does next in an attempt in which it has heard this.
    fn attempt(&self, want: Want, heard: &[Heard]) -> Next<Attempt>;

    /// Simulates a shop from one seed, until `stopped` says so.
    ///
    /// # Errors
    /// [`Error::Input`] for a shop that cannot be.
    fn simulate(
        &self,
        scene: &Scene,
        seed: u64,
        story: Story,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Outcome, Vec<Line>), Error>;

    /// What the clerk does next when serving this want and having heard this.
    fn serve(&self, want: Want, heard: &[Heard]) -> Next<Result<bool, Missed>>;

    /// What the shop does next on an errand about this want, having heard this.
    fn errand(&self, errand: Errand, want: Want, heard: &[Heard]) -> Next<Result<(), Missed>>;
}

impl<S: Strategy> Entrant for S {
    fn card(&self) -> About {
        self.about()
    }

    fn described(&self) -> Option<Arc<Checkout>> {
        Strategy::described(self)
    }

    fn wants(&self, buyer: BuyerId, want: Want) -> Want {
        Strategy::wants(self, buyer, want)
    }

    fn are_alike(&self, one: BuyerId, other: BuyerId) -> bool {
        Strategy::are_alike(self, one, other)
    }

    fn race(
        &self,
        venue: &Venue,
        settings: &Settings,
        number: u32,
        clock: &Wall,
        control: &Control,
    ) -> Result<Round, Error> {
        match venue {
            Venue::Site(site) => {
                let shop = Remote::open(site, settings, &self.about())?;
                threads::run(self, shop, settings, number, clock, control)
            }
            Venue::Memory if self.about().asks_for(OpKind::is_versioned) => {
                race_in_memory::<_, Versioned>(self, settings, number, clock, control)
            }
            Venue::Memory => race_in_memory::<_, Plain>(self, settings, number, clock, control),
        }
    }

    fn simulate(
        &self,
        scene: &Scene,
        seed: u64,
        story: Story,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Outcome, Vec<Line>), Error> {
        timed::simulate(self, scene, seed, story, stopped)
    }

    fn attempt(&self, want: Want, heard: &[Heard]) -> Next<Attempt> {
        script::attempt(self, want, heard)
    }

    fn serve(&self, want: Want, heard: &[Heard]) -> Next<Result<bool, Missed>> {
        script::serve(self, want, heard)
    }

    fn errand(&self, errand: Errand, want: Want, heard: &[Heard]) -> Next<Result<(), Missed>> {
        script::errand(self, errand, want, heard)
    }
}

/// Races on the memory store with this kind of word under the stock.
fn race_in_memory<S: Strategy, W: Word>(
    strategy: &S,
    settings: &Settings,
    number: u32,
    clock: &Wall,
    control: &Control,
) -> Result<Round, Error> {
    let store = Memory::<W>::open(
        settings.items,
        settings.stock,
        settings.threads() as usize,
        settings.policy.patience,
        control.stop_flag(),
    );
    threads::run(strategy, store, settings, number, clock, control)
}
