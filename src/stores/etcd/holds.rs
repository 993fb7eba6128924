//! Holds: units off the shelf while a timer runs.
//!
//! The timer is a key with a lease of etcd's, and etcd deletes it when the time is up (whole seconds, rounded up; see
//! [`leases`](super::leases)). etcd does nothing else then, so a second key without a lease records who holds how much.
//! The next buyer that holds the same product first gives back the holds whose timers are gone.
//!
//! Confirming or releasing a hold leaves a lease of etcd's without keys, which ends when its time is up.

use super::keys::{self, ProductField};
use super::link::EtcdLink;
use super::trouble::{Done, Trouble};
use super::wire::{self, KeyValue, Txn, whole_seconds};
use crate::domain::attempt::Failure;
use crate::domain::op::{BuyerId, Item, Reply, Units};

/// The state of a buyer's hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HoldState {
    /// Its timer is running, or has run out and no client has noticed yet.
    Standing,
    /// The units are the buyer's for good.
    Confirmed,
    /// The units went back to the shelf.
    Over,
}

/// A buyer's hold, as it is kept: `product units state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoredHold {
    item: Item,
    qty: Units,
    state: HoldState,
}

impl StoredHold {
    pub(super) fn read(found: &KeyValue) -> Done<Self> {
        let mut words = found.value.split(' ');
        let mut read = || {
            let (item, qty) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            let state = match words.next()? {
                "standing" => HoldState::Standing,
                "confirmed" => HoldState::Confirmed,
                "over" => HoldState::Over,
                _ => return None,
            };
            Some(Self { item: Item(item), qty, state })
        };
        read().ok_or_else(|| {
            Trouble::Refused(format!("etcd: `{}` is `{}`, not a hold", found.key, found.value))
        })
    }

    pub(super) fn text(self) -> String {
        let state = match self.state {
            HoldState::Standing => "standing",
            HoldState::Confirmed => "confirmed",
            HoldState::Over => "over",
        };
        format!("{} {} {state}", self.item.0, self.qty)
    }
}

impl EtcdLink {
    /// Reserves units, after giving back the units of the product's expired holds.
    pub(super) fn hold(&mut self, buyer: BuyerId, item: Item, qty: Units) -> Done {
        let (own, stock) = (keys::hold(buyer), keys::part(item, ProductField::Stock));
        let mut granted = None;
        loop {
            let seen = self.do_all([
                wire::get(&own),
                wire::get(&stock),
                wire::count(&keys::holders(item)),
                wire::count(&keys::timers(item)),
            ])?;
            if seen.step(2)?.count > seen.step(3)?.count {
                self.give_back_lapsed(item)?;
                continue;
            }
            let before = seen.step(0)?.first();
            let has_one = match before.map(StoredHold::read).transpose()? {
                None | Some(StoredHold { state: HoldState::Over, .. }) => false,
                Some(StoredHold { state: HoldState::Confirmed, .. }) => true,
                // An expired hold is given back, and the loop starts again.
                Some(StoredHold { item, .. }) if self.give_back_units(buyer, item, false)? => {
                    continue;
                }
                Some(_) => true,
            };
            let shelf = seen.step(1)?.only()?;
            let units: Units = shelf.number()?;
            if has_one || units < qty {
                self.drop_lease(granted);
                return Ok(Reply::Applied(false));
            }
            let lease = match granted.take() {
                Some(lease) => lease,
                None => self.grant(whole_seconds(self.terms.settings.hold_ttl))?,
            };
            let kept = StoredHold { item, qty, state: HoldState::Standing };
            let unmoved = [wire::is_unmoved(&own, before), wire::is_unmoved(&stock, Some(shelf))];
            let txn = Txn::when(unmoved).then([
                wire::put(&stock, units.wrapping_sub(qty)),
                wire::put(&own, kept.text()),
                wire::put(&keys::holder(item, buyer), ""),
                wire::put_leased(&keys::timer(item, buyer), "", &lease),
            ]);
            match self.commit(txn) {
                Ok(outcome) if outcome.succeeded => return Ok(Reply::Applied(true)),
                Ok(_) => granted = Some(lease),
                Err(Trouble::NoLease) => {}
                Err(trouble) => return Err(trouble),
            }
        }
    }

    pub(super) fn confirm(&mut self, buyer: BuyerId, item: Item) -> Done {
        let (own, timer) = (keys::hold(buyer), keys::timer(item, buyer));
        loop {
            let seen = self.get(&own)?;
            let before = seen.first();
            let kept = match before.map(StoredHold::read).transpose()? {
                Some(kept) if kept.item == item => kept,
                _ => return Err(Trouble::Failed(Failure::NotHeld)),
            };
            match kept.state {
                HoldState::Confirmed => return Ok(Reply::Applied(true)),
                HoldState::Over => return Ok(Reply::Applied(false)),
                HoldState::Standing => {}
            }
            let confirmed = StoredHold { state: HoldState::Confirmed, ..kept };
            let txn = Txn::when([wire::is_unmoved(&own, before), wire::is_there(&timer)]).then([
                wire::put(&own, confirmed.text()),
                wire::delete(&keys::holder(item, buyer)),
                wire::delete(&timer),
            ]);
            if self.commit(txn)?.succeeded {
                return Ok(Reply::Applied(true));
            }
            self.give_back_units(buyer, item, false)?;
        }
    }

    pub(super) fn release(&mut self, buyer: BuyerId, item: Item) -> Done {
        let stood = self.give_back_units(buyer, item, true)?;
        if !stood {
            // If the hold has expired, its units are given back now, and not only when a later hold notices it.
            self.give_back_units(buyer, item, false)?;
        }
        Ok(Reply::Applied(stood))
    }

    /// Gives back the units of all expired holds of a product.
    fn give_back_lapsed(&mut self, item: Item) -> Done<()> {
        let (holders, timers) = (keys::holders(item), keys::timers(item));
        let seen = self.do_all([wire::get_all(&holders), wire::get_all(&timers)])?;
        // Both lists are sorted by key, so the same buyers have the same order in both.
        let mut running = seen.step(1)?.found.iter().peekable();
        for holder in &seen.step(0)?.found {
            let name = holder.key.strip_prefix(&holders).unwrap_or_default();
            if running.next_if(|timer| timer.key.strip_prefix(&timers) == Some(name)).is_some() {
                continue;
            }
            if let Ok(buyer) = name.parse() {
                self.give_back_units(buyer, item, false)?;
            }
        }
        Ok(())
    }

    /// Gives back the units of a buyer's standing hold, if its timer is running (`runs`) or has run out (not `runs`).
    /// False if there is no such hold.
    fn give_back_units(&mut self, buyer: BuyerId, item: Item, runs: bool) -> Done<bool> {
        let (own, timer) = (keys::hold(buyer), keys::timer(item, buyer));
        let (stock, given) =
            (keys::part(item, ProductField::Stock), keys::part(item, ProductField::GivenBack));
        loop {
            let seen = self.do_all([&own, &timer, &stock, &given].map(|key| wire::get(key)))?;
            let before = seen.step(0)?.first();
            let kept = match before.map(StoredHold::read).transpose()? {
                Some(kept) if kept.item == item && kept.state == HoldState::Standing => kept,
                _ => return Ok(false),
            };
            if seen.step(1)?.first().is_some() != runs {
                return Ok(false);
            }
            let (shelf, returned) = (seen.step(2)?.only()?, seen.step(3)?.only()?);
            let conditions = [
                wire::is_unmoved(&own, before),
                if runs { wire::is_there(&timer) } else { wire::is_absent(&timer) },
                wire::is_unmoved(&stock, Some(shelf)),
                wire::is_unmoved(&given, Some(returned)),
            ];
            let txn = Txn::when(conditions).then([
                wire::put(&stock, shelf.number::<Units>()?.wrapping_add(kept.qty)),
                wire::put(&given, returned.number::<Units>()?.saturating_add(kept.qty)),
                wire::put(&own, StoredHold { state: HoldState::Over, ..kept }.text()),
                wire::delete(&keys::holder(item, buyer)),
                wire::delete(&timer),
            ]);
            if self.commit(txn)?.succeeded {
                return Ok(true);
            }
        }
    }
}
