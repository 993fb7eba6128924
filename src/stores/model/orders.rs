//! The order book: how orders are written, found and cancelled, inside a transaction and outside.

use super::{Applied, HeldResources, Model, Standing, applied, done, failed};
use crate::domain::attempt::Failure;
use crate::domain::op::{Item, Op, Want};

impl Model {
    /// Does one op about the orders of the buyer with this standing.
    ///
    /// An order that is written only if there is none depends on a unique key: a second session waits until the first
    /// one's transaction is over. A session also waits if it cancels an order that another one is cancelling.
    pub(super) fn apply_to_orders(
        &mut self,
        op: Op,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Applied {
        if let Op::PlaceOrder(order) | Op::PlaceOrderOnce(order) = op {
            let knows = |item: Item| usize::from(item.0) < self.shelves.len();
            if !order.want.items().all(knows) {
                return failed(Failure::NoSuchItem);
            }
        }
        let has_order = !standing.orders.is_empty();
        let Some(transaction) = grip.transaction() else {
            return self.apply_to_book(op, standing);
        };
        let is_claimed = standing.claimed && !transaction.has_claimed();
        match op {
            Op::PlaceOrder(order) => {
                transaction.order(order.want);
                done()
            }
            Op::FindOrder => {
                transaction.has_looked();
                applied(transaction.has_ordered() || transaction.sees_before(has_order))
            }
            Op::PlaceOrderOnce(_) if transaction.has_ordered() => applied(false),
            Op::PlaceOrderOnce(_) if is_claimed => None,
            Op::PlaceOrderOnce(_) if has_order && !transaction.strikes_orders() => {
                match transaction.is_late_for(has_order) {
                    true => self.abort(grip, standing),
                    false => applied(false),
                }
            }
            Op::PlaceOrderOnce(order) => {
                transaction.claim();
                transaction.order(order.want);
                standing.claimed = true;
                applied(true)
            }
            Op::CancelOrder if !transaction.sees_before(has_order) => {
                let had_own = transaction.has_ordered();
                transaction.strike(&[]);
                applied(had_own)
            }
            Op::CancelOrder if is_claimed => None,
            Op::CancelOrder if transaction.is_late_for(has_order) => self.abort(grip, standing),
            Op::CancelOrder => {
                transaction.claim();
                transaction.strike(&standing.orders);
                standing.claimed = true;
                applied(true)
            }
            _ => failed(Failure::Unsupported),
        }
    }

    /// Does one op about orders outside any transaction.
    fn apply_to_book(&mut self, op: Op, standing: &mut Standing) -> Applied {
        let has_order = !standing.orders.is_empty();
        match op {
            Op::PlaceOrder(order) => {
                self.enter(order.want, standing);
                done()
            }
            Op::FindOrder => applied(has_order),
            Op::PlaceOrderOnce(_) if standing.claimed => None,
            Op::PlaceOrderOnce(order) => {
                if !has_order {
                    self.enter(order.want, standing);
                }
                applied(!has_order)
            }
            Op::CancelOrder if has_order && standing.claimed => None,
            Op::CancelOrder => {
                self.strike(standing);
                applied(has_order)
            }
            _ => failed(Failure::Unsupported),
        }
    }

    /// Removes all orders of this buyer from the book.
    pub(super) fn strike(&mut self, standing: &mut Standing) {
        standing.has_cancelled |= !standing.orders.is_empty();
        for want in std::mem::take(&mut standing.orders) {
            for item in want.items() {
                if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                    shelf.given_back = shelf.given_back.saturating_add(want.qty);
                    shelf.ordered = shelf.ordered.saturating_sub(want.qty);
                    shelf.stock += if self.counts_orders { want.qty } else { 0 };
                }
            }
        }
    }

    /// Adds an order to the book.
    pub(super) fn enter(&mut self, want: Want, standing: &mut Standing) {
        standing.orders.push(want);
        for item in want.items() {
            if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                shelf.ordered = shelf.ordered.saturating_add(want.qty);
                shelf.stock -= if self.counts_orders { want.qty } else { 0 };
            }
        }
    }
}
