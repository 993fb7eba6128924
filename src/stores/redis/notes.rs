//! Notes of several processes, in a hash of their own.

use std::collections::BTreeMap;

use ::redis::{RedisResult, cmd};

use super::connection::RedisConnection;
use super::server::cannot;
use crate::base::error::Error;
use crate::stores::remote::Notes;

/// The key of the hash. It is none of the shop's, which are deleted when the shop is made.
const KEY: &str = "oversell-sim-parts";

/// A field that is always there: a hash without fields is no key.
const MADE: &str = "made";

/// A connection to the notes.
pub(super) struct RedisNotes(pub(super) RedisConnection);

impl Notes for RedisNotes {
    fn make(&mut self) -> Result<(), Error> {
        cmd("HSETNX").arg(KEY).arg(MADE).arg("").exec(&mut self.0).map_err(cannot)
    }

    fn all(&mut self) -> Result<Option<BTreeMap<String, String>>, Error> {
        let found: RedisResult<BTreeMap<String, String>> =
            cmd("HGETALL").arg(KEY).query(&mut self.0);
        let mut notes = found.map_err(cannot)?;
        Ok(notes.remove(MADE).map(|_| notes))
    }

    fn add(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        self.is_made()?;
        cmd("HSETNX").arg(KEY).arg(name).arg(text).query(&mut self.0).map_err(cannot)
    }

    fn replace(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        // One process writes a note, and the first part alone removes all: where they are gone in between, this one stays
        // and is found by the next race, which says how to remove it.
        let is_there: bool =
            cmd("HEXISTS").arg(KEY).arg(name).query(&mut self.0).map_err(cannot)?;
        if is_there {
            cmd("HSET").arg(KEY).arg(name).arg(text).exec(&mut self.0).map_err(cannot)?;
        }
        Ok(is_there)
    }

    fn remove(&mut self) -> Result<(), Error> {
        cmd("DEL").arg(KEY).exec(&mut self.0).map_err(cannot)
    }

    fn by_hand(&self) -> &'static str {
        "redis-cli --scan --pattern 'oversell-sim*' | xargs redis-cli del"
    }

    fn clock_us(&mut self) -> Result<Option<i64>, Error> {
        let (seconds, micros): (i64, i64) = cmd("TIME").query(&mut self.0).map_err(cannot)?;
        Ok(Some(seconds.saturating_mul(1_000_000).saturating_add(micros)))
    }
}

impl RedisNotes {
    fn is_made(&mut self) -> Result<(), Error> {
        let is_made: bool = cmd("HEXISTS").arg(KEY).arg(MADE).query(&mut self.0).map_err(cannot)?;
        match is_made {
            true => Ok(()),
            false => Err(Error::world(format!("Redis: the key {KEY} is gone"))),
        }
    }
}
