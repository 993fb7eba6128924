//! A strategy: the checkout protocol, as the code of **one attempt**.
//!
//! Whether to try again after a conflict, how often and how soon, is not the strategy's business:
//! that is the retry policy, which lives in the engine. So a strategy
//! file reads like the textbook, and every world can run it.
//!
//! ```
//! use oversell_sim::strategy::{About, Attempt, Bought, Claim, Connection, Missed, Session, Strategy, Want};
//! use oversell_sim::FindingKind;
//!
//! /// Looks, and writes what is left.
//! struct LookThenWrite;
//!
//! impl Strategy for LookThenWrite {
//!     fn about(&self) -> About {
//!         About::of_type::<Self>().claiming(Claim::Shows(FindingKind::Oversold))
//!     }
//!
//!     async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
//!         let seen = shop.read(want.item).await?;
//!         if seen < want.qty {
//!             return Err(Missed::SoldOut);
//!         }
//!         shop.write(want.item, seen - want.qty).await?;
//!         shop.place_order(want).await?;
//!         Ok(Bought)
//!     }
//! }
//!
//! let search = oversell_sim::explore(LookThenWrite).run()?;
//! assert_eq!(search.findings[0].finding.kind, FindingKind::Oversold);
//! # Ok::<(), oversell_sim::Error>(())
//! ```

mod described;

use std::sync::Arc;

pub use crate::domain::attempt::{Attempt, Bought, Failure, Missed};
pub use crate::domain::card::{About, BackgroundTask, Claim, When};
pub use crate::domain::op::{Also, BuyerId, Item, OpKind, Payment, Units, Version, Want};
pub use crate::domain::session::{Connection, Session};

use crate::describe::checkout::Checkout;

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
/// oversell_sim::explore(OneStep).buyers(3).stock(2).assert_proved();
/// ```
pub trait Strategy: Sync {
    /// The strategy's card.
    fn about(&self) -> About {
        About::of_type::<Self>()
    }

    /// The file that it was read from, if it is described in one.
    #[doc(hidden)]
    fn described(&self) -> Option<Arc<Checkout>> {
        None
    }

    /// Maps the generated demand, that of each place, to what this buyer wants; a role that does not buy returns a
    /// quantity of 0.
    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want {
        want_of(buyer)
    }

    /// Whether two buyers who want the same make the same steps, so that either can stand for the other.
    fn are_alike(&self, _one: BuyerId, _other: BuyerId) -> bool {
        true
    }

    /// One attempt to buy. It starts afresh each time and remembers nothing of the last.
    fn attempt<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> impl Future<Output = Attempt>;

    /// For a strategy that queues its buyers ([`submit`](Session::submit)): the shop's only worker
    /// serves one of them, in a session that acts in the buyer's name, and says whether it sold.
    /// Like an attempt it remembers nothing of the last; taking requests from the queue and
    /// answering them is the engine's part. A worker is only employed where the card
    /// [asks for](About::asks_for) [`OpKind::Queue`]; most strategies have none.
    ///
    /// # Errors
    /// After a [conflict](Missed::Conflict) it begins again, except on threads. After any other error, and on
    /// threads after every error, the buyer gets no answer.
    fn serve<C: Connection>(
        &self,
        _shop: &mut Session<C>,
        _want: Want,
    ) -> impl Future<Output = Result<bool, Missed>> {
        std::future::ready(Err(Missed::Failed(Failure::Unsupported)))
    }

    /// What the shop does when the payment provider tells it that a buyer's money has moved. The webhook may come
    /// at any moment after that, and may come twice. Only where the card needs
    /// [`OpKind::Webhook`].
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

    /// What the shop does about an attempt whose server has died. It knows only what the store and the
    /// provider tell it. Its own server may die, too; then it begins again. Only where the card needs
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
