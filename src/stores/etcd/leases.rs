//! A lease: a key that whoever wants it makes, and that goes by itself.
//!
//! It is tied to a lease of etcd's that nobody keeps alive. Those last whole seconds, so the time is rounded
//! up; the members look for what has run out twice a second, and a new leader gives everybody the whole time
//! again.

use super::Trouble;
use super::keys::{self, Part};
use super::link::{Done, EtcdLink, whole_seconds};
use super::wire::{self, Outcome, Txn};
use crate::op::{BuyerId, Item, Reply, Version};

impl EtcdLink {
    /// Waits until nobody has the lease, and takes it. The token counts the leases of the product: the key's
    /// own revision grows, too, but would not fit.
    pub(super) fn lease(&mut self, buyer: BuyerId, item: Item) -> Done {
        let until_ns = self.patience_ends_ns();
        let (key, tokens) = (keys::lease(item), keys::part(item, Part::Tokens));
        let look = [wire::get(&key), wire::get(&tokens)];
        let mut seen: Outcome = self.do_all(look.clone())?;
        let mut granted: Option<String> = None;
        loop {
            if seen.step(0)?.first().is_some() {
                if let Err(trouble) = self.wait_for(&key, seen.revision, until_ns) {
                    self.drop_lease(granted);
                    return Err(trouble);
                }
                seen = self.do_all(look.clone())?;
                continue;
            }
            let last = seen.step(1)?.only()?;
            let token = last.number::<Version>()?.wrapping_add(1);
            let lease = match granted.take() {
                // It has lasted since before the wait.
                Some(lease) if self.keep_alive(&lease)? => lease,
                _ => self.grant(whole_seconds(self.terms.lease_ttl))?,
            };
            let txn = Txn::when([wire::is_absent(&key), wire::is_unmoved(&tokens, Some(last))])
                .then([wire::put_leased(&key, buyer, &lease), wire::put(&tokens, token)])
                .otherwise(look.clone());
            match self.commit(txn) {
                Ok(outcome) if outcome.succeeded => return Ok(Reply::Token(token)),
                Ok(outcome) => {
                    seen = outcome;
                    granted = Some(lease);
                }
                Err(Trouble::NoLease) => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Gives it back, if it still is this buyer's: etcd's own lease is of this one time, and ends once.
    pub(super) fn unlease(&mut self, buyer: BuyerId, item: Item) -> Done {
        let seen = self.get(&keys::lease(item))?;
        match seen.first() {
            Some(found) if found.number() == Ok(buyer) => {
                Ok(Reply::Applied(self.revoke(&found.lease)?))
            }
            _ => Ok(Reply::Applied(false)),
        }
    }

    /// Ends a lease of etcd's that was not put to use. It would end by itself.
    pub(super) fn drop_lease(&mut self, lease: Option<String>) {
        if let Some(lease) = lease {
            let _ = self.revoke(&lease);
        }
    }
}
