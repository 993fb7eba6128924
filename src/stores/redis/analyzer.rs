//! The commands that an application sends to Redis, as far as they have to be known.

use std::sync::Arc;

use parking_lot::RwLock;

use super::executor::LOOKS;
use crate::proxy::{AnalyzedStatement, ClientStatement, StatementAnalyzer, TransactionState};
use crate::scheduler::{Footprint, Resources};

/// The number of the first key, and the keys that have a number of their own; all others have the number after the
/// last.
pub(super) type KeyNumbers = Arc<RwLock<(usize, Vec<String>)>>;

/// Commands that touch no key.
const APART: [&str; 14] = [
    "AUTH", "HELLO", "CLIENT", "SELECT", "PING", "ECHO", "INFO", "COMMAND", "CONFIG", "QUIT",
    "MULTI", "DISCARD", "UNWATCH", "RESET",
];

/// Commands that change the one key that they name.
const CHANGES: [&str; 36] = [
    "SET",
    "SETNX",
    "SETEX",
    "PSETEX",
    "GETSET",
    "GETDEL",
    "GETEX",
    "APPEND",
    "INCR",
    "DECR",
    "INCRBY",
    "DECRBY",
    "INCRBYFLOAT",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PERSIST",
    "HSET",
    "HSETNX",
    "HMSET",
    "HDEL",
    "HINCRBY",
    "HINCRBYFLOAT",
    "LPUSH",
    "RPUSH",
    "LPOP",
    "RPOP",
    "LREM",
    "LTRIM",
    "SADD",
    "SREM",
    "SPOP",
    "ZADD",
    "ZREM",
    "ZINCRBY",
    "ZPOPMIN",
];

/// One connection.
pub(super) struct RedisAnalyzer {
    known: KeyNumbers,
    /// What the commands that were queued since `MULTI` touch; none outside of `MULTI`.
    collected: Option<Footprint>,
    /// The watched keys.
    watched: Footprint,
    collections: u64,
}

impl RedisAnalyzer {
    pub(super) fn new(known: &KeyNumbers) -> Self {
        let watched = Footprint::NOTHING;
        Self { known: Arc::clone(known), collected: None, watched, collections: 0 }
    }

    fn own(&self, words: &[&str]) -> Footprint {
        let (first, keys) = &*self.known.read();
        let all = (*first..=first + keys.len()).map(Resources::table);
        let all = all.fold(Resources::NONE, |all, part| all | part);
        let part = |key: &str| {
            let place = keys.iter().position(|known| known == key).unwrap_or(keys.len());
            Resources::table(first + place)
        };
        let name = words.first().map_or(String::new(), |word| word.to_uppercase());
        let of_all = |from: usize| {
            words.iter().skip(from).fold(Resources::NONE, |parts, key| parts | part(key))
        };
        match (name.as_str(), words.get(1)) {
            (name, _) if APART.contains(&name) => Footprint::NOTHING,
            ("MGET" | "EXISTS" | "WATCH", _) => Footprint::reading(of_all(1)),
            ("DEL" | "UNLINK", _) => Footprint::writing(of_all(1)),
            (looks, Some(key)) if LOOKS.contains(&looks) => Footprint::reading(part(key)),
            (changes, Some(key)) if CHANGES.contains(&changes) => Footprint::writing(part(key)),
            // A script, or a command that may touch any key.
            _ => Footprint::writing(all),
        }
    }
}

impl StatementAnalyzer for RedisAnalyzer {
    fn see(&mut self, said: &ClientStatement) -> AnalyzedStatement {
        let words: Vec<&str> = said.text.split('\u{1f}').collect();
        let name = words.first().map_or(String::new(), |word| word.to_uppercase());
        let own = self.own(&words);
        let touches = match (name.as_str(), self.collected.clone()) {
            ("MULTI", _) => {
                self.collected = Some(Footprint::NOTHING);
                self.collections += 1;
                Footprint::NOTHING
            }
            ("DISCARD", _) => {
                self.collected = None;
                Footprint::NOTHING
            }
            ("EXEC", Some(collected)) => collected | &self.watched,
            (_, Some(collected)) => {
                self.collected = Some(collected | own);
                Footprint::NOTHING
            }
            ("WATCH", None) => {
                self.watched = std::mem::take(&mut self.watched) | &own;
                own
            }
            _ => own,
        };
        let transaction = self.collected.is_some().then_some(self.collections);
        if name == "EXEC" {
            (self.collected, self.watched) = (None, Footprint::NOTHING);
        }
        let text = words.join(" ");
        let shape: Vec<&str> =
            words.iter().enumerate().map(|(at, word)| if at < 2 { *word } else { "?" }).collect();
        // A command is one step.
        let footprint = touches.clone();
        AnalyzedStatement {
            text,
            shape: shape.join(" "),
            code: None,
            touches,
            footprint,
            holds: Footprint::NOTHING,
            rolled_back: Footprint::NOTHING,
            begins: None,
            transaction,
            // What EXEC does is known only now: it is no end of what went before.
            ends_transaction: false,
        }
    }

    fn settle(&mut self, _: TransactionState) {}
}
