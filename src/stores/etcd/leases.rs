//! A lease: a key that a buyer creates, and that expires by itself.
//!
//! It is attached to a lease of etcd's that no client renews. etcd's leases last whole seconds, so the time is rounded
//! up. The members look for expired leases twice a second, and a new leader gives each lease its full time again.

use serde_json::Value;

use super::keys::{self, ProductField};
use super::link::EtcdLink;
use super::trouble::{Done, Trouble};
use super::wire::{self, Txn, whole_seconds};
use crate::domain::op::{BuyerId, Item, Reply, Version};

/// What a buyer has while it waits for a lease.
#[derive(Debug, Default)]
struct Wait {
    /// Its place in the queue, and the revision that created it.
    place: Option<(String, i64)>,
    /// The lease of etcd's that the key will be attached to.
    granted: Option<String>,
}

impl EtcdLink {
    /// Waits until no buyer has the lease, and takes it. The token is the number of leases of the product so far: the
    /// key's own revision grows, too, but would not fit.
    pub(super) fn lease(&mut self, buyer: BuyerId, item: Item) -> Done {
        let mut wait = Wait::default();
        let token = self.take_lease(buyer, item, &mut wait);
        if token.is_err() {
            self.drop_lease(wait.granted);
            // If this fails, the place stays. The buyers behind it check now and then whether the lease is free, and
            // pass it.
            let _ = wait.place.map(|(place, _)| self.do_all([wire::delete(&place)]));
        }
        token.map(Reply::Token)
    }

    /// The queue only keeps waiting buyers from trying all at once. A buyer that finds the lease free takes it,
    /// whatever its place.
    fn take_lease(&mut self, buyer: BuyerId, item: Item, wait: &mut Wait) -> Done<Version> {
        let until_ns = self.patience_ends_ns();
        let lasts = whole_seconds(self.terms.settings.lease_ttl);
        let (key, tokens) = (keys::lease(item), keys::part(item, ProductField::Tokens));
        let mut seen = self.do_all(look(item, wait))?;
        loop {
            if seen.step(0)?.first().is_some() {
                if wait.place.is_none() {
                    wait.place = Some(self.join(&keys::lease_line(item))?);
                    // To grant a lease of etcd's takes longer than to renew it, so it is granted before the wait.
                    wait.granted = Some(self.grant(lasts)?);
                } else {
                    let before = seen.steps.get(2).and_then(wire::Range::first);
                    let awaited = before.map_or(&key, |before| &before.key);
                    self.wait_for(awaited, seen.revision, until_ns)?;
                }
                seen = self.do_all(look(item, wait))?;
                continue;
            }
            let last = seen.step(1)?.only()?;
            let token = last.number::<Version>()?.wrapping_add(1);
            let lease = match wait.granted.take() {
                // It was granted before the wait, so it is renewed.
                Some(lease) if self.keep_alive(&lease)? => lease,
                _ => self.grant(lasts)?,
            };
            let takes = [wire::put_leased(&key, buyer, &lease), wire::put(&tokens, token)];
            let leaves = wait.place.iter().map(|(place, _)| wire::delete(place));
            let txn = Txn::when([wire::is_absent(&key), wire::is_unmoved(&tokens, Some(last))])
                .then(takes.into_iter().chain(leaves))
                .otherwise(look(item, wait));
            match self.commit(txn) {
                Ok(outcome) if outcome.succeeded => return Ok(token),
                Ok(outcome) => {
                    seen = outcome;
                    wait.granted = Some(lease);
                }
                Err(Trouble::NoLease) => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Joins the end of a queue.
    fn join(&mut self, line: &str) -> Done<(String, i64)> {
        loop {
            let session = self.session()?;
            let place = keys::place(line, &session);
            let steps = [wire::put_leased(&place, "", &session), wire::get(&place)];
            match self.do_all(steps) {
                Err(Trouble::NoLease) => self.session = None,
                made => return Ok((place, made?.step(1)?.only()?.created)),
            }
        }
    }

    /// Gives the lease back, if this buyer still has it. Each time that a buyer takes it has its own lease of etcd's,
    /// which ends only once.
    pub(super) fn unlease(&mut self, buyer: BuyerId, item: Item) -> Done {
        let seen = self.get(&keys::lease(item))?;
        match seen.first() {
            Some(found) if found.number() == Ok(buyer) => {
                Ok(Reply::Applied(self.revoke(&found.lease)?))
            }
            _ => Ok(Reply::Applied(false)),
        }
    }

    /// Ends a lease of etcd's that was not used. It would also expire by itself.
    pub(super) fn drop_lease(&mut self, lease: Option<String>) {
        if let Some(lease) = lease {
            let _ = self.revoke(&lease);
        }
    }
}

/// Reads the owner of the lease, the last token, and the place before the buyer's own if it has one.
fn look(item: Item, wait: &Wait) -> Vec<Value> {
    let before = |(_, made): &(String, i64)| wire::last_before(&keys::lease_line(item), *made);
    let always = [keys::lease(item), keys::part(item, ProductField::Tokens)];
    always.iter().map(|key| wire::get(key)).chain(wait.place.as_ref().map(before)).collect()
}
