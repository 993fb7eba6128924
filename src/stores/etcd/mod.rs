//! Stock in etcd: a group of servers that agree by Raft on every write.
//!
//! Requests go to etcd's own JSON gateway. A private group has three members, each with its own log on disk; one of
//! them may fail. The connections are spread over the members.

mod books;
mod cluster;
#[cfg(fuzzing)]
pub(super) mod fuzzing;
mod gateway;
mod held;
mod holds;
mod keys;
mod leases;
mod link;
mod locks;
#[cfg(feature = "cli")]
mod notes;
mod orders;
mod shelf;
mod sockets;
mod trouble;
mod wire;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::Address;
use super::private::ServerSandbox;
#[cfg(feature = "cli")]
use super::remote::Notes;
use super::remote::{Fixture, Link, NoWaits, Server, StoreConfig, Watch, is_not_ours};
use crate::base::clock::Wall;
use crate::base::error::Error;
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use gateway::{Gateway, Members};
use link::EtcdLink;
#[cfg(feature = "cli")]
use notes::EtcdNotes;
use trouble::Trouble;

pub(super) use cluster::PACKAGE;

/// Starts a private group, or finds the one that the address names. A group that has keys with our prefix already is
/// not touched.
pub(super) fn open(address: &Address, terms: &StoreConfig) -> Result<Box<dyn Server>, Error> {
    Ok(Box::new(Etcd::open(address, terms)?))
}

/// A group of etcd servers.
struct Etcd {
    members: Members,
    version: String,
    terms: StoreConfig,
    clock: Wall,
    /// Connections opened so far.
    opened: AtomicUsize,
    /// Whether the keys belong to this run, which deletes them at the end.
    owns_keys: bool,
    /// The private servers, if this run started them. Declared last, so that they end after everything else.
    sandbox: Option<ServerSandbox>,
}

impl Etcd {
    fn open(address: &Address, terms: &StoreConfig) -> Result<Self, Error> {
        let (members, sandbox) = match &address.url {
            Some(urls) => (cluster::members(urls.with_password(), address)?, None),
            None => {
                let (members, sandbox) = cluster::start(terms)?;
                (members, Some(sandbox))
            }
        };
        let mut etcd = Self {
            members,
            version: String::new(),
            terms: terms.clone(),
            clock: Wall::start(),
            opened: AtomicUsize::new(0),
            owns_keys: false,
            sandbox,
        };
        etcd.version = etcd.ask_version().map_err(cannot)?;
        if etcd.terms.joins() {
            return Ok(etcd);
        }
        let keys = books::count_all(&mut etcd.dial(0)).map_err(cannot)?;
        if keys > 0 {
            return Err(Error::world(format!(
                "there are keys {prefix}… in this etcd already, {keys} of them\n       if an earlier run \
                 was killed, delete them: ETCDCTL_API=3 etcdctl del --prefix {prefix}",
                prefix = keys::PREFIX
            )));
        }
        etcd.owns_keys = true;
        Ok(etcd)
    }

    /// A client of a member that answers and knows the leader: of this one, or of the next that does.
    fn dial(&self, turn: usize) -> Gateway {
        let places = self.members.len().max(1);
        let sees_leader =
            |place: &usize| cluster::sees_leader(&mut Gateway::brief(&self.members, *place));
        let mut turns = (turn..).take(places).map(|place| place % places);
        // If no member does, the first one that listens reports the error.
        let place = turns.find(sees_leader).unwrap_or(turn % places);
        let StoreConfig { settings, control, .. } = &self.terms;
        Gateway::new(&self.members, place, settings.patience, control)
    }

    fn ask_version(&self) -> Result<String, Trouble> {
        let mut gateway = self.dial(0);
        let status = gateway.post("/v3/maintenance/status", &json!({}))?;
        let group = gateway.post("/v3/cluster/member/list", &json!({}))?;
        let members = wire::list(&group, "members").len();
        let plural = if members == 1 { "" } else { "s" };
        Ok(format!("etcd {}, {members} member{plural}", wire::text(&status, "version")))
    }
}

/// The error of a request that has to succeed.
fn cannot(trouble: Trouble) -> Error {
    Error::world(trouble.text())
}

impl Server for Etcd {
    fn kind(&self) -> StoreKind {
        StoreKind::Etcd
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.members.listed()
    }

    /// The connections use the members in turn.
    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(EtcdLink::new(self, self.dial(number), number as u64)))
    }

    fn connect_held(
        &self,
        handle: BuyerHandle,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, Error> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        // All connections use the same member: another one may be a moment behind.
        let mut gateway = self.dial(0);
        if holds_statements {
            gateway.sit_down(handle);
        }
        Ok(Box::new(EtcdLink::new(self, gateway, number as u64)))
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(NoWaits))
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        books::stock_up(&mut self.dial(0), opening).map_err(cannot)
    }

    fn take_stock(&self, opening: Fixture) -> Result<Books, Error> {
        books::take_stock(&mut self.dial(0), opening).map_err(cannot)
    }

    #[cfg(feature = "cli")]
    fn notes(&self) -> Result<Box<dyn Notes>, Error> {
        Ok(Box::new(EtcdNotes(self.dial(0))))
    }

    fn kill_and_restart(&self, number: u32) -> Result<(), Error> {
        let Some(sandbox) = &self.sandbox else { return Err(is_not_ours()) };
        let members = self.members.len();
        let leads = |place: &usize| cluster::leads(&mut Gateway::brief(&self.members, *place));
        let leader = (0..members).find(leads).unwrap_or(0);
        let place = if number.is_multiple_of(2) { leader } else { (leader + 1) % members };
        let answers = || cluster::sees_leader(&mut Gateway::brief(&self.members, place));
        sandbox.kill_and_restart(place, &self.terms.control, answers)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // A private group is removed with all its data.
        if self.owns_keys && self.sandbox.is_none() {
            let _ = books::clear(&mut self.dial(0));
        }
    }
}
