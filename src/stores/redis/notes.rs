//! Notes of several processes, in a hash of their own.

use std::collections::BTreeMap;

use ::redis::{RedisResult, Script, cmd};

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
        let script = Script::new(include_str!("scripts/note_add.lua"));
        let mut call = script.key(KEY);
        let added: i64 = call.arg(MADE).arg(name).arg(text).invoke(&mut self.0).map_err(cannot)?;
        match added {
            -1 => Err(Error::world(format!("Redis: the key {KEY} is gone"))),
            added => Ok(added == 1),
        }
    }

    fn replace(&mut self, name: &str, text: &str) -> Result<bool, Error> {
        let script = Script::new(include_str!("scripts/note_replace.lua"));
        script.key(KEY).arg(name).arg(text).invoke(&mut self.0).map_err(cannot)
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
