//! A type-erased strategy, run one op at a time.

use std::sync::Arc;

use super::script::{self, ScriptStep};
use crate::describe::checkout::Checkout;
use crate::domain::attempt::{Attempt, Missed, OpResult};
use crate::domain::card::{About, BackgroundTask};
use crate::domain::op::{BuyerId, Want};
use crate::strategy::Strategy;

/// A strategy of any type that can be asked for its next op. Every [`Strategy`] is one.
#[doc(hidden)]
pub trait Scripted: Sync {
    /// The strategy's card.
    fn card(&self) -> About;

    /// As [`Strategy::described`].
    fn described(&self) -> Option<Arc<Checkout>>;

    /// As [`Strategy::wants`].
    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want;

    /// As [`Strategy::are_alike`].
    fn are_alike(&self, one: BuyerId, other: BuyerId) -> bool;

    /// What a buyer does next in an attempt in which it has heard this.
    fn attempt(&self, want: Want, heard: &[OpResult]) -> ScriptStep<Attempt>;

    /// What the worker does next when serving this want and having heard this.
    fn serve(&self, want: Want, heard: &[OpResult]) -> ScriptStep<Result<bool, Missed>>;

    /// What the shop does next in a background task about this want, having heard this.
    fn background_task(
        &self,
        background_task: BackgroundTask,
        want: Want,
        heard: &[OpResult],
    ) -> ScriptStep<Result<(), Missed>>;

    /// Whether the strategy is the checkout of a running application.
    fn is_app(&self) -> bool {
        self.described().is_some_and(|checkout| checkout.app.is_some())
    }
}

impl<S: Strategy> Scripted for S {
    fn card(&self) -> About {
        self.about()
    }

    fn described(&self) -> Option<Arc<Checkout>> {
        Strategy::described(self)
    }

    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want {
        Strategy::wants(self, buyer, want_of)
    }

    fn are_alike(&self, one: BuyerId, other: BuyerId) -> bool {
        Strategy::are_alike(self, one, other)
    }

    fn attempt(&self, want: Want, heard: &[OpResult]) -> ScriptStep<Attempt> {
        script::attempt(self, want, heard)
    }

    fn serve(&self, want: Want, heard: &[OpResult]) -> ScriptStep<Result<bool, Missed>> {
        script::serve(self, want, heard)
    }

    fn background_task(
        &self,
        background_task: BackgroundTask,
        want: Want,
        heard: &[OpResult],
    ) -> ScriptStep<Result<(), Missed>> {
        script::background_task(self, background_task, want, heard)
    }
}
