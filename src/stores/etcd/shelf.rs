//! Ops on the stock. etcd compares and writes, but does not calculate: a client that changes a number reads it first,
//! and reads it again if another client has written in between. An op is done when its own write has taken effect.

use super::keys::{self, ProductField};
use super::link::EtcdLink;
use super::trouble::{Done, Trouble};
use super::wire::{self, KeyValue, Txn};
use crate::domain::op::{Item, Reply, Units, Version};

impl EtcdLink {
    pub(super) fn read(&mut self, item: Item) -> Done {
        let stock = self.get(&keys::part(item, ProductField::Stock))?;
        Ok(Reply::Stock(stock.only()?.number()?))
    }

    pub(super) fn read_versioned(&mut self, item: Item) -> Done {
        let parts = [ProductField::Stock, ProductField::Version]
            .map(|part| wire::get(&keys::part(item, part)));
        let seen = self.do_all(parts)?;
        let stock = seen.step(0)?.only()?.number()?;
        Ok(Reply::Versioned { stock, version: seen.step(1)?.only()?.number()? })
    }

    pub(super) fn write(&mut self, item: Item, stock: Units) -> Done {
        self.do_all([wire::put(&keys::part(item, ProductField::Stock), stock)])?;
        Ok(Reply::Done)
    }

    pub(super) fn compare_and_set(&mut self, item: Item, expected: Units, new: Units) -> Done {
        let stock = keys::part(item, ProductField::Stock);
        let txn = Txn::when([wire::has_value(&stock, expected)]).then([wire::put(&stock, new)]);
        Ok(Reply::Applied(self.commit(txn)?.succeeded))
    }

    pub(super) fn write_if_version(&mut self, item: Item, version: Version, new: Units) -> Done {
        let stock = keys::part(item, ProductField::Stock);
        let versions = keys::part(item, ProductField::Version);
        let txn = Txn::when([wire::has_value(&versions, version)])
            .then([wire::put(&stock, new), wire::put(&versions, version.wrapping_add(1))]);
        Ok(Reply::Applied(self.commit(txn)?.succeeded))
    }

    pub(super) fn take(&mut self, item: Item, qty: Units) -> Done {
        let left = |stock: Units| (stock >= qty).then(|| stock.wrapping_sub(qty));
        Ok(Reply::Applied(self.change(item, left)?.is_some()))
    }

    pub(super) fn add(&mut self, item: Item, qty: Units) -> Done {
        let left = self.change(item, |stock| Some(stock.wrapping_add(qty)))?;
        Ok(Reply::Stock(left.unwrap_or_default()))
    }

    /// Replaces the stock by what `work` computes from it, unless `work` returns none. Returns the new stock.
    fn change(&mut self, item: Item, work: impl Fn(Units) -> Option<Units>) -> Done<Option<Units>> {
        let stock = keys::part(item, ProductField::Stock);
        let mut seen: KeyValue = self.get(&stock)?.only()?.clone();
        loop {
            let Some(new) = work(seen.number()?) else { return Ok(None) };
            let txn = Txn::when([wire::is_unmoved(&stock, Some(&seen))])
                .then([wire::put(&stock, new)])
                .otherwise([wire::get(&stock)]);
            let outcome = self.commit(txn)?;
            if outcome.succeeded {
                return Ok(Some(new));
            }
            seen = outcome.step(0)?.only()?.clone();
        }
    }

    pub(super) fn read_fenced(&mut self, item: Item, token: Version) -> Done {
        let get_stock = wire::get(&keys::part(item, ProductField::Stock));
        match self.show(item, token, get_stock)? {
            Some(stock) => Ok(Reply::Stock(stock.only()?.number()?)),
            None => Err(Trouble::Conflict),
        }
    }

    pub(super) fn write_fenced(&mut self, item: Item, token: Version, stock: Units) -> Done {
        let put_stock = wire::put(&keys::part(item, ProductField::Stock), stock);
        Ok(Reply::Applied(self.show(item, token, put_stock)?.is_some()))
    }

    /// Records a token and runs a step, unless a higher token was recorded before; returns what the step has found.
    fn show(
        &mut self,
        item: Item,
        token: Version,
        step: serde_json::Value,
    ) -> Done<Option<wire::Range>> {
        let seen = keys::part(item, ProductField::Seen);
        // Usually this token was recorded before, and need not be written again.
        let mut txn = Txn::when([wire::has_value(&seen, token)]);
        let mut notes = None;
        loop {
            let steps = std::iter::once(step.clone()).chain(notes);
            let outcome = self.commit(txn.then(steps).otherwise([wire::get(&seen)]))?;
            let found = outcome.step(0)?;
            if outcome.succeeded {
                return Ok(Some(found.clone()));
            }
            let latest = found.only()?;
            if latest.number::<Version>()? > token {
                return Ok(None);
            }
            txn = Txn::when([wire::is_unmoved(&seen, Some(latest))]);
            notes = Some(wire::put(&seen, token));
        }
    }
}
