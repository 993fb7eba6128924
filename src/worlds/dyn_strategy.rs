//! A type-erased strategy, so that strategies of different types can stand in one list.
//!
//! Each world adds a method here, and the impl below gives it to every [`Strategy`]. The code behind the method is
//! still compiled for each strategy by itself.

use crate::base::clock::Wall;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::check::report::Outcome;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::stores::RaceTarget;
use crate::stores::memory::{Memory, Plain, Versioned, Word};
use crate::stores::remote::Remote;
use crate::strategy::Strategy;
use crate::worlds::stepped::Scripted;
use crate::worlds::threads::{self, Round};
use crate::worlds::timed::{self, SimConfig, Story, StoryLine};

/// A strategy of any type.
pub trait DynStrategy: Scripted {
    /// Races one round on real threads, in a store of this target.
    ///
    /// # Errors
    /// As [`threads::run`].
    fn race(
        &self,
        target: &RaceTarget,
        settings: &Settings,
        number: u32,
        clock: &Wall,
        control: &Control,
    ) -> Result<Round, Error>;

    /// Simulates a shop from one seed, until `stopped` says so.
    ///
    /// # Errors
    /// [`Error::Input`] for a shop that cannot be.
    fn simulate(
        &self,
        scene: &SimConfig,
        seed: u64,
        story: Story,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Outcome, Vec<StoryLine>), Error>;
}

impl<S: Strategy> DynStrategy for S {
    fn race(
        &self,
        target: &RaceTarget,
        settings: &Settings,
        number: u32,
        clock: &Wall,
        control: &Control,
    ) -> Result<Round, Error> {
        match target {
            RaceTarget::Backend(backend) => {
                let shop = Remote::open(backend, settings, &self.about())?;
                threads::run(self, shop, settings, number, clock, control)
            }
            RaceTarget::Memory if self.about().asks_for(OpKind::is_versioned) => {
                race_in_memory::<_, Versioned>(self, settings, number, clock, control)
            }
            RaceTarget::Memory => {
                race_in_memory::<_, Plain>(self, settings, number, clock, control)
            }
        }
    }

    fn simulate(
        &self,
        scene: &SimConfig,
        seed: u64,
        story: Story,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Outcome, Vec<StoryLine>), Error> {
        timed::simulate(self, scene, seed, story, stopped)
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
        settings.patience,
        control.stop_flag(),
    );
    threads::run(strategy, store, settings, number, clock, control)
}
