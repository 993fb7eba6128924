//! The part of a race that is compiled for each strategy and each store: buyers served one after the other, and the
//! worker's loop.

use super::{Control, Live, serve, serve_queue};
use crate::base::chance::{Dice, StreamPurpose};
use crate::base::clock::Clock;
use crate::domain::buyer::Visit;
use crate::domain::card::About;
use crate::domain::op::{BuyerId, Want};
use crate::domain::retry::RetryPolicy;
use crate::domain::session::Session;
use crate::stores::Client;
use crate::strategy::Strategy;

/// What holds for every buyer of a round.
pub(super) struct ServingTerms<'r> {
    pub(super) seed: u64,
    /// The number of the round.
    pub(super) number: u32,
    pub(super) policy: RetryPolicy,
    pub(super) control: &'r Control,
}

/// A strategy of any type that threads can run with this client. Every [`Strategy`] is one.
pub(super) trait Runner<C, K>: Sync {
    /// As [`Strategy::about`].
    fn card(&self) -> About;

    /// As [`Strategy::wants`].
    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want;

    /// Serves these buyers one after the other, until the race is stopped. Several at a time, so that one virtual call
    /// costs nothing.
    fn serve_each(
        &self,
        shop: &mut Session<Live<'_, C, K>>,
        visits: &mut [Visit],
        terms: &ServingTerms<'_>,
    );

    /// As [`serve_queue`](super::serve_queue).
    fn serve_queue(&self, shop: &mut Session<Live<'_, C, K>>);
}

impl<S: Strategy, C: Client, K: Clock> Runner<C, K> for S {
    fn card(&self) -> About {
        self.about()
    }

    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want {
        Strategy::wants(self, buyer, want_of)
    }

    fn serve_each(
        &self,
        shop: &mut Session<Live<'_, C, K>>,
        visits: &mut [Visit],
        terms: &ServingTerms<'_>,
    ) {
        let ServingTerms { seed, number, policy, control } = terms;
        for visit in visits.iter_mut().take_while(|_| !control.is_stopped()) {
            let mut dice = Dice::of(*seed, StreamPurpose::Backoff, *number, visit.buyer);
            serve(self, shop, visit, policy, &mut dice);
        }
    }

    fn serve_queue(&self, shop: &mut Session<Live<'_, C, K>>) {
        serve_queue(self, shop);
    }
}
