//! The order book: one key for each line, and one key for each buyer that has an order.

use serde_json::Value;

use super::keys;
use super::link::EtcdLink;
use super::trouble::Done;
use super::wire::{self, Txn};
use crate::domain::op::{BuyerId, Order, Reply};

impl EtcdLink {
    pub(super) fn place_order(&mut self, order: Order) -> Done {
        let lines = self.lines(order);
        self.do_all(lines)?;
        Ok(Reply::Done)
    }

    pub(super) fn place_order_once(&mut self, order: Order) -> Done {
        let txn = Txn::when([wire::is_absent(&keys::ordered(order.buyer))]);
        let lines = self.lines(order);
        Ok(Reply::Applied(self.commit(txn.then(lines))?.succeeded))
    }

    pub(super) fn find_order(&mut self, buyer: BuyerId) -> Done {
        let found = self.get(&keys::ordered(buyer))?;
        Ok(Reply::Applied(found.first().is_some()))
    }

    pub(super) fn cancel_order(&mut self, buyer: BuyerId) -> Done {
        let ordered = keys::ordered(buyer);
        let steps = [wire::delete_all(&keys::orders(buyer)), wire::delete(&ordered)];
        let txn = Txn::when([wire::is_there(&ordered)]).then(steps);
        Ok(Reply::Applied(self.commit(txn)?.succeeded))
    }

    /// The steps that write an order: one line for each product, and the buyer's marker.
    fn lines(&mut self, order: Order) -> Vec<Value> {
        let Order { buyer, want } = order;
        let number = self.orders;
        self.orders = number.wrapping_add(1);
        let line = |item| wire::put(&keys::order(buyer, self.number, number, item), want.qty);
        let marker = wire::put(&keys::ordered(buyer), "");
        want.items().map(line).chain([marker]).collect()
    }
}
