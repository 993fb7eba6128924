//! A checkout that is described in a file, as a strategy: its ops are its [steps](crate::domain::op::Op::Step).

use std::sync::Arc;

use super::Strategy;
use crate::describe::checkout::Checkout;
use crate::domain::attempt::{Attempt, Bought, Missed};
use crate::domain::card::{About, Claim};
use crate::domain::op::{BuyerId, Onward, OpKind, Want};
use crate::domain::session::{Connection, Session};

impl Strategy for Checkout {
    fn about(&self) -> About {
        About {
            name: self.path,
            aliases: &[],
            summary: "a checkout of one's own",
            needs: match self.has_transactions() {
                true => &[OpKind::Step, OpKind::Transaction],
                false => &[OpKind::Step],
            },
            carts: self.takes_carts(),
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let role = self.role(shop.buyer());
        let products = want.items().count();
        let mut number = 0;
        let mut has_looked = false;
        loop {
            let onward = shop.step(number, want).await?;
            let looks = role
                .step_at(number.into(), products)
                .is_some_and(|(step, _)| !role.steps[step].save.is_empty());
            number = match onward {
                Onward::To(next) => next,
                Onward::Bought => return Ok(Bought),
                Onward::SoldOut => return Err(Missed::SoldOut),
            };
            // Between looking and acting.
            if looks && !std::mem::replace(&mut has_looked, true) {
                shop.think().await?;
            }
        }
    }

    fn described(&self) -> Option<Arc<Checkout>> {
        Some(Arc::new(self.clone()))
    }

    fn wants(&self, buyer: BuyerId, want_of: &dyn Fn(BuyerId) -> Want) -> Want {
        // All that act for a customer want the same.
        let want = want_of(self.round(buyer));
        if self.role(buyer).buys { want } else { Want { qty: 0, ..want } }
    }

    fn are_alike(&self, one: BuyerId, other: BuyerId) -> bool {
        // Buyers who are served by different processes are not: what they share within one matters, too.
        let copies =
            self.app.as_ref().and_then(|app| app.launch.as_ref()).map_or(1, |it| it.copies);
        let process = |buyer: BuyerId| buyer as usize % copies.max(1);
        self.alike
            && self.role_number(one) == self.role_number(other)
            && process(one) == process(other)
    }
}
