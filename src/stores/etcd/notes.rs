//! Notes of several processes, under a prefix of their own.

use std::collections::BTreeMap;

use super::cannot;
use super::gateway::Gateway;
use super::trouble::Done;
use super::wire::{self, Txn};
use crate::base::error::Error;
use crate::stores::remote::Notes;

/// The prefix of the keys. They are none of the shop's, which are deleted when the shop is made.
const PREFIX: &str = "oversell-sim-parts/";

/// A key that is there as long as notes may be.
const MADE: &str = "oversell-sim-parts/made";

/// A connection to the notes.
pub(super) struct EtcdNotes(pub(super) Gateway);

impl EtcdNotes {
    fn write(&mut self, condition: &[serde_json::Value], name: &str, text: &str) -> Done<bool> {
        let write = Txn::when(condition.iter().cloned()).then([wire::put(&key(name), text)]);
        Ok(self.0.commit(write)?.succeeded)
    }
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

impl Notes for EtcdNotes {
    fn make(&mut self) -> Result<(), Error> {
        let make = Txn::when([wire::is_absent(MADE)]).then([wire::put(MADE, "")]);
        self.0.commit(make).map(drop).map_err(cannot)
    }

    fn all(&mut self) -> Result<Option<BTreeMap<String, String>>, Error> {
        let found = self.0.commit(Txn::steps([wire::get_all(PREFIX)])).map_err(cannot)?;
        let found = found.step(0).map_err(cannot)?.found.iter();
        let note = |one: &wire::KeyValue| {
            Some((one.key.strip_prefix(PREFIX)?.to_owned(), one.value.clone()))
        };
        let mut notes: BTreeMap<String, String> = found.filter_map(note).collect();
        Ok(notes.remove("made").map(|_| notes))
    }

    fn add(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        let is_absent = wire::is_absent(&key(name));
        if self.write(&[wire::is_there(MADE), is_absent], name, text).map_err(cannot)? {
            return Ok(true);
        }
        match self.all()? {
            Some(_) => Ok(false),
            None => Err(Error::world(format!("etcd: the keys {PREFIX}… are gone"))),
        }
    }

    fn replace(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        self.write(&[wire::is_there(&key(name))], name, text).map_err(cannot)
    }

    fn remove(&mut self) -> Result<(), Error> {
        self.0.commit(Txn::steps([wire::delete_all(PREFIX)])).map(drop).map_err(cannot)
    }

    fn by_hand(&self) -> &'static str {
        "ETCDCTL_API=3 etcdctl del --prefix oversell-sim"
    }

    /// The members of a group have clocks of their own, of which etcd says nothing.
    fn clock_us(&mut self) -> Result<Option<i64>, Error> {
        Ok(None)
    }
}
