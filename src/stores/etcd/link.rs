//! One connection: how each op is performed, and what an attempt is told when an op fails.

use std::time::Duration;

use serde_json::{Value, json};

use super::Etcd;
use super::gateway::Gateway;
use super::trouble::{Done, Trouble};
use super::wire::{self, Range, Txn, TxnResponse};
use crate::base::clock::{Clock, Wall, nanos};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Item, Op, Reply};
use crate::stores::patience::GLANCE;
use crate::stores::remote::{Link, StoreConfig};

/// A lease of etcd's to which the connection's locks are attached.
#[derive(Clone, Debug)]
pub(super) struct LeaseSession {
    pub(super) lease: String,
    pub(super) renewed_ns: u64,
}

/// One connection to a group of etcd servers.
pub(super) struct EtcdLink {
    pub(super) gateway: Gateway,
    pub(super) terms: StoreConfig,
    pub(super) clock: Wall,
    /// The connection's number: each connection numbers its orders from 0.
    pub(super) number: u64,
    /// Orders it has written.
    pub(super) orders: u64,
    /// Locks that it has. They are attached to the lease of etcd's in `session`.
    pub(super) held: Vec<Item>,
    pub(super) session: Option<LeaseSession>,
    pub(super) is_broken: bool,
}

impl EtcdLink {
    /// A connection that sends its requests to one member first.
    pub(super) fn new(etcd: &Etcd, gateway: Gateway, number: u64) -> Self {
        Self {
            gateway,
            terms: etcd.terms.clone(),
            clock: etcd.clock.clone(),
            number,
            orders: 0,
            held: Vec::new(),
            session: None,
            is_broken: false,
        }
    }

    /// Runs a transaction: all of its steps take effect, or none.
    pub(super) fn commit(&mut self, txn: Txn) -> Done<TxnResponse> {
        self.gateway.commit(txn)
    }

    /// Runs steps as one transaction without conditions.
    pub(super) fn do_all(&mut self, steps: impl IntoIterator<Item = Value>) -> Done<TxnResponse> {
        self.commit(Txn::steps(steps))
    }

    /// Reads one key.
    pub(super) fn get(&mut self, key: &str) -> Done<Range> {
        let mut outcome = self.do_all([wire::get(key)])?;
        Ok(outcome.steps.pop().unwrap_or_default())
    }

    /// Gets a lease of etcd's, to which keys can be attached.
    pub(super) fn grant(&mut self, seconds: u64) -> Done<String> {
        let body = json!({ "TTL": seconds.to_string() });
        let lease = self.gateway.post("/v3/lease/grant", &body)?;
        match wire::text(&lease, "ID") {
            "" => Err(Trouble::Refused("etcd: granted a lease without a number".into())),
            lease => Ok(lease.into()),
        }
    }

    /// Renews a lease of etcd's for its full time; false if it has ended.
    pub(super) fn keep_alive(&mut self, lease: &str) -> Done<bool> {
        let answer = self.gateway.post("/v3/lease/keepalive", &json!({ "ID": lease }))?;
        Ok(answer.get("result").is_some_and(|result| wire::number(result, "TTL") > 0))
    }

    /// Revokes a lease of etcd's, and deletes its keys; false if it had ended.
    pub(super) fn revoke(&mut self, lease: &str) -> Done<bool> {
        match self.gateway.post("/v3/lease/revoke", &json!({ "ID": lease })) {
            Ok(_) => Ok(true),
            Err(Trouble::NoLease) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// When the patience of a wait that begins now runs out.
    pub(super) fn patience_ends_ns(&self) -> u64 {
        self.clock.now().saturating_add(nanos(self.terms.settings.patience))
    }

    /// Waits a while for the deletion of a key that existed at this revision; fails if it is time to give up.
    pub(super) fn wait_for(&mut self, key: &str, revision: i64, until_ns: u64) -> Done<()> {
        if self.terms.control.is_stopped() {
            return Err(Trouble::Failed(Failure::Interrupted));
        }
        let left = Duration::from_nanos(until_ns.saturating_sub(self.clock.now()));
        if left.is_zero() {
            return Err(Trouble::Failed(Failure::LockTimeout));
        }
        self.gateway.await_deletion(key, revision, left.min(GLANCE))
    }

    fn perform(&mut self, buyer: BuyerId, op: Op) -> Done {
        match op {
            Op::Read { item } => self.read(item),
            Op::ReadVersioned { item } => self.read_versioned(item),
            Op::Write { item, stock } => self.write(item, stock),
            Op::CompareAndSet { item, expected, new } => self.compare_and_set(item, expected, new),
            Op::WriteIfVersion { item, version, stock } => {
                self.write_if_version(item, version, stock)
            }
            Op::Take { item, qty } => self.take(item, qty),
            Op::Add { item, qty } => self.add(item, qty),
            Op::Lock { item } => self.lock(item),
            Op::Unlock { item } => self.unlock(item),
            Op::Lease { item } => self.lease(buyer, item),
            Op::Unlease { item } => self.unlease(buyer, item),
            Op::ReadFenced { item, token } => self.read_fenced(item, token),
            Op::WriteFenced { item, token, stock } => self.write_fenced(item, token, stock),
            Op::Hold { item, qty } => self.hold(buyer, item, qty),
            Op::Confirm { item } => self.confirm(buyer, item),
            Op::Release { item } => self.release(buyer, item),
            Op::PlaceOrder(order) => self.place_order(order),
            Op::PlaceOrderOnce(order) => self.place_order_once(order),
            Op::FindOrder => self.find_order(buyer),
            Op::CancelOrder => self.cancel_order(buyer),
            _ => Err(Trouble::Failed(Failure::Unsupported)),
        }
    }

    /// What an attempt is told of an error.
    fn missed(&mut self, trouble: Trouble) -> Missed {
        Missed::Failed(match trouble {
            Trouble::Conflict => return Missed::Conflict,
            Trouble::Failed(why) => why,
            Trouble::NoMajority(_) => {
                // Another member may reach a majority.
                self.gateway.move_on();
                Failure::NoMajority
            }
            Trouble::Lost(text) => {
                self.is_broken = true;
                self.terms.note_lost(|| text);
                Failure::Disconnected
            }
            refused @ (Trouble::NoLease | Trouble::Refused(_)) => {
                self.terms.note(|| refused.text());
                Failure::Refused
            }
        })
    }
}

impl Link for EtcdLink {
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed> {
        if !op.is_within(self.terms.settings.items) {
            return Err(Missed::Failed(Failure::NoSuchItem));
        }
        self.perform(buyer, op).map_err(|trouble| self.missed(trouble))
    }

    fn close_attempt(&mut self) -> u64 {
        self.give_back_locks()
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl Drop for EtcdLink {
    fn drop(&mut self) {
        self.gateway.hurry();
        self.end_session();
    }
}
