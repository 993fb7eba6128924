//! A strategy: the checkout protocol, as the code of **one attempt**.
//!
//! Whether to try again after a conflict, how often and how soon, is not the strategy's business:
//! that is the [retry policy](crate::retry::RetryPolicy), which lives in the engine. So a strategy
//! file reads like the textbook, and every world can run it.

use std::sync::Arc;

use crate::attempt::{Attempt, Failure, Missed};
use crate::checkout::Checkout;
use crate::finding::FindingKind;
use crate::op::{BuyerId, OpKind, Want};
use crate::session::{Connection, Session};

/// What a strategy claims of itself; tests hold it to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// No finding, ever, as long as nothing goes wrong around it.
    Safe,
    /// No finding, ever, under these settings.
    SafeWhen(When),
    /// Broken on purpose: it can be made to show this.
    Shows(FindingKind),
    /// Broken on purpose: under these settings it can be made to show this.
    ShowsWhen(FindingKind, When),
}

/// Settings by name: what a claim is about, such as a crash.
pub type When = &'static [(&'static str, &'static str)];

impl Claim {
    /// The settings that it is about, beside the usual ones.
    #[must_use]
    pub fn when(self) -> When {
        match self {
            Self::SafeWhen(when) | Self::ShowsWhen(_, when) => when,
            Self::Safe | Self::Shows(_) => &[],
        }
    }

    /// The finding that it can be made to show, if it is broken.
    #[must_use]
    pub fn shows(self) -> Option<FindingKind> {
        match self {
            Self::Shows(kind) | Self::ShowsWhen(kind, _) => Some(kind),
            Self::Safe | Self::SafeWhen(_) => None,
        }
    }
}

/// What the shop does in a buyer's name beside the buyer's own attempt: each is a few ops of its own, and
/// may come at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errand {
    /// The payment provider has told the shop that money has moved: [`Strategy::notified`].
    Notice,
    /// The server that ran the buyer's attempt died, and another looks after what it left behind:
    /// [`Strategy::recover`].
    Recovery,
}

/// A strategy's card: everything about it but its code.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The name that `--strategy` takes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// The ops it needs of a store, besides placing orders.
    pub needs: &'static [OpKind],
    /// Whether it sells carts of several products. Any other is given one product at a time.
    pub carts: bool,
    /// What it promises.
    pub claim: Claim,
}

impl About {
    /// Whether it says in so many words that it needs this kind of op.
    #[must_use]
    pub fn names(&self, kind: OpKind) -> bool {
        self.needs.contains(&kind)
    }

    /// Whether it needs this kind of op. A strategy that does not say what it needs gets everything.
    #[must_use]
    pub fn asks_for(&self, is: impl Fn(OpKind) -> bool) -> bool {
        self.needs.is_empty() || self.needs.iter().any(|kind| is(*kind))
    }

    /// The card of a strategy that did not write one: named after its type, claiming to be safe.
    #[must_use]
    pub fn of_type<S: ?Sized>() -> Self {
        Self {
            name: type_name::<S>(),
            aliases: &[],
            summary: "a strategy of your own",
            needs: &[],
            carts: true,
            claim: Claim::Safe,
        }
    }
}

/// A type's name without its path.
pub(crate) fn type_name<S: ?Sized>() -> &'static str {
    let path = std::any::type_name::<S>();
    path.rsplit("::").next().unwrap_or(path)
}

/// A checkout protocol. Implement [`attempt`](Strategy::attempt); the rest has defaults.
///
/// ```
/// use oversell_sim::prelude::*;
///
/// /// Decrement in one step, if enough is left.
/// struct OneStep;
///
/// impl Strategy for OneStep {
///     async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
///         if !shop.take(want.item, want.qty).await? {
///             return Err(SoldOut);
///         }
///         shop.place_order(want).await?;
///         Ok(Bought)
///     }
/// }
///
/// oversell_sim::race(OneStep).buyers(100).stock(3).assert_no_oversell();
/// ```
pub trait Strategy: Sync {
    /// The strategy's card.
    fn about(&self) -> About {
        About::of_type::<Self>()
    }

    /// The file that it was read from, if it is described in one.
    fn described(&self) -> Option<Arc<Checkout>> {
        None
    }

    /// What this buyer comes for, where the dice say this. Whoever does no more than errands for others wants
    /// none of it.
    fn wants(&self, _buyer: BuyerId, want: Want) -> Want {
        want
    }

    /// Whether two who want the same do the same, so that one stands for the other.
    fn are_alike(&self, _one: BuyerId, _other: BuyerId) -> bool {
        true
    }

    /// One attempt to buy. It starts afresh each time and remembers nothing of the last.
    fn attempt<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> impl Future<Output = Attempt>;

    /// For a strategy that queues its buyers ([`submit`](Session::submit)): the shop's only clerk
    /// serves one of them, in a session that acts in the buyer's name, and says whether it sold.
    /// Like an attempt it remembers nothing of the last; taking requests from the queue and
    /// answering them is the engine's part. A clerk is only employed where the card
    /// [asks for](About::asks_for) [`OpKind::Queue`]; most strategies have none.
    ///
    /// # Errors
    /// After a [conflict](Missed::Conflict) it begins again, but on threads; otherwise the buyer gets no answer.
    fn serve<C: Connection>(
        &self,
        _shop: &mut Session<C>,
        _want: Want,
    ) -> impl Future<Output = Result<bool, Missed>> {
        std::future::ready(Err(Missed::Failed(Failure::Unsupported)))
    }

    /// What the shop does when the payment provider tells it that a buyer's money has moved: at any moment
    /// after it has, and perhaps twice. Only where the card needs [`OpKind::Notice`].
    ///
    /// # Errors
    /// After a [conflict](Missed::Conflict) it begins again; after anything else it is over.
    fn notified<C: Connection>(
        &self,
        _shop: &mut Session<C>,
        _want: Want,
    ) -> impl Future<Output = Result<(), Missed>> {
        std::future::ready(Ok(()))
    }

    /// What the shop does about an attempt whose server has died. It knows no more than what the store
    /// and the provider tell it, and may die itself and begin again. Only where the card needs
    /// [`OpKind::Recover`].
    ///
    /// # Errors
    /// After a [conflict](Missed::Conflict) it begins again; after anything else it is over.
    fn recover<C: Connection>(
        &self,
        _shop: &mut Session<C>,
        _want: Want,
    ) -> impl Future<Output = Result<(), Missed>> {
        std::future::ready(Ok(()))
    }
}
