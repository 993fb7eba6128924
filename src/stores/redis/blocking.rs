//! Commands that wait for another client: `BLPOP` and the like.

use std::sync::Arc;

use ::redis::{RedisResult, cmd};
use parking_lot::Mutex;

use super::connection::RedisConnection;
use super::server::cannot;
use crate::base::error::Error;
use crate::scheduler::Waits;
use crate::stores::remote::Watch;

/// A client, and the longest that its command waits, in milliseconds; none if it waits for ever.
type Waiter = (i64, Option<u64>);

/// Clients that have sent a command that may wait, in that order. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocking(Arc<Mutex<Vec<Waiter>>>);

impl Blocking {
    /// Notes that a client sends a command that waits at most this long.
    pub(super) fn begins(&self, client: i64, longest_ms: Option<u64>) {
        self.0.lock().push((client, longest_ms));
    }

    /// Notes that a client's command has been answered.
    pub(super) fn ends(&self, client: i64) {
        self.0.lock().retain(|(known, _)| *known != client);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Which of these clients is the first whose command times out.
    fn first_to_give_up(&self, clients: &[i64]) -> Option<i64> {
        let blocking = self.0.lock();
        let some = blocking.iter().filter(|(client, _)| clients.contains(client));
        some.filter_map(|(client, longest)| Some((longest.as_ref()?, *client)))
            .min_by_key(|(longest, _)| **longest)
            .map(|(_, client)| client)
    }
}

/// How long a command waits at most: none if it does not wait, `Some(None)` if it has no timeout.
pub(super) fn longest_wait(words: &[String]) -> Option<Option<u64>> {
    let at = |place: usize| words.get(place).map_or("", String::as_str);
    let name = at(0).to_uppercase();
    let ms = |word: &str, a_unit: f64| {
        // The server refuses a timeout that is not a number.
        let number: f64 = word.parse().unwrap_or(0.0);
        (number > 0.0).then_some((number * a_unit) as u64)
    };
    match name.as_str() {
        "BLPOP" | "BRPOP" | "BLMOVE" | "BRPOPLPUSH" | "BZPOPMIN" | "BZPOPMAX" => {
            Some(ms(at(words.len().saturating_sub(1)), 1_000.0))
        }
        "BLMPOP" | "BZMPOP" => Some(ms(at(1), 1_000.0)),
        "WAIT" => Some(ms(at(2), 1.0)),
        "WAITAOF" => Some(ms(at(3), 1.0)),
        "XREAD" | "XREADGROUP" => {
            let block = words.iter().position(|word| word.eq_ignore_ascii_case("block"))?;
            Some(ms(at(block + 1), 1.0))
        }
        _ => None,
    }
}

/// Asks the server which clients wait.
pub(super) struct RedisWatcher {
    pub(super) connection: RedisConnection,
    pub(super) blocking: Blocking,
}

impl RedisWatcher {
    fn unblock(&mut self, client: i64, how: &str) -> Result<bool, Error> {
        let unblocked: RedisResult<u64> =
            cmd("CLIENT").arg("UNBLOCK").arg(client).arg(how).query(&mut self.connection);
        unblocked.map(|clients| clients > 0).map_err(cannot)
    }
}

impl Watch for RedisWatcher {
    /// Redis runs one command at a time, so its list of clients is exact at that moment.
    fn waits(&mut self) -> Result<Waits, Error> {
        if self.blocking.is_empty() {
            return Ok(Waits::new());
        }
        let list: String = cmd("CLIENT").arg("LIST").query(&mut self.connection).map_err(cannot)?;
        Ok(list.lines().filter_map(blocked).map(|client| (client, 0)).collect())
    }

    fn give_up(&mut self, sessions: &[i64]) -> Result<bool, Error> {
        match self.blocking.first_to_give_up(sessions) {
            Some(client) => self.unblock(client, "TIMEOUT"),
            None => Ok(false),
        }
    }

    fn break_off(&mut self, sessions: &[i64]) -> Result<(), Error> {
        sessions.iter().try_for_each(|client| self.unblock(*client, "ERROR").map(drop))
    }
}

/// The number of a client that waits, from a line of `CLIENT LIST`: `id=3 … flags=b …`.
fn blocked(line: &str) -> Option<i64> {
    let value = |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name));
    value("flags=")?.contains('b').then(|| value("id=")?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        command.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_longest_wait_is_read_from_where_each_command_has_it() {
        assert_eq!(longest_wait(&words("blpop tokens 1.5")), Some(Some(1_500)));
        assert_eq!(longest_wait(&words("BRPOP a b 0")), Some(None));
        assert_eq!(longest_wait(&words("BLMPOP 2 1 a LEFT")), Some(Some(2_000)));
        assert_eq!(longest_wait(&words("XREAD COUNT 1 BLOCK 20 STREAMS s $")), Some(Some(20)));
        assert_eq!(longest_wait(&words("XREAD STREAMS s 0")), None);
        assert_eq!(longest_wait(&words("LPOP tokens")), None);
    }

    #[test]
    fn the_shortest_wait_ends_first_and_of_equal_ones_the_oldest() {
        let blocking = Blocking::default();
        blocking.begins(1, None);
        blocking.begins(2, Some(9));
        blocking.begins(3, Some(5));
        blocking.begins(4, Some(5));
        assert_eq!(blocking.first_to_give_up(&[1, 2, 3, 4]), Some(3));
        assert_eq!(blocking.first_to_give_up(&[1, 2]), Some(2));
        assert_eq!(blocking.first_to_give_up(&[1]), None);
        blocking.ends(3);
        assert_eq!(blocking.first_to_give_up(&[3, 4]), Some(4));
    }

    #[test]
    fn a_client_that_waits_is_told_by_its_flags() {
        assert_eq!(blocked("id=7 addr=x flags=b db=0"), Some(7));
        assert_eq!(blocked("id=7 addr=x flags=N db=0"), None);
    }
}
