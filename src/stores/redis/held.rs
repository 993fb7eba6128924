//! A connection to Redis whose commands the scheduler holds until it releases them.

use ::redis::{ConnectionLike, ErrorKind, RedisError, RedisResult, Value, cmd, parse_redis_value};

use super::keys::PREFIX;
use super::scripts::Scripts;
use crate::scheduler::{BuyerHandle, Footprint, PendingStatement, Resources};

/// A connection whose commands are held at the scheduler's gate.
pub(super) struct HeldRedisConnection<C> {
    connection: C,
    handle: BuyerHandle,
    scripts: Scripts,
    /// Whether keys are watched.
    is_watching: bool,
}

impl<C: ConnectionLike> HeldRedisConnection<C> {
    pub(super) fn new(connection: C, handle: BuyerHandle) -> Self {
        Self { connection, handle, scripts: Scripts::new(), is_watching: false }
    }

    /// Waits until the commands are released, sends them, and passes the answer to the handle.
    fn take_turn<T>(
        &mut self,
        packed: &[u8],
        send: impl FnOnce(&mut C) -> RedisResult<T>,
        told: impl FnOnce(&T) -> String,
    ) -> RedisResult<T> {
        let commands = unpacked(packed);
        let pending = PendingStatement::new(self.shown(&commands), touches(&commands));
        // A buyer that has to leave sends no command any more, but stops watching keys.
        if !self.handle.await_release(pending) {
            if std::mem::take(&mut self.is_watching) {
                cmd("UNWATCH").exec(&mut self.connection)?;
            }
            return Err(RedisError::from((ErrorKind::Client, "interrupted")));
        }
        let answer = send(&mut self.connection);
        for name in commands.iter().filter_map(|words| words.first()) {
            match name.as_str() {
                "WATCH" => self.is_watching = true,
                "EXEC" | "UNWATCH" => self.is_watching = false,
                _ => {}
            }
        }
        self.handle.answer(match &answer {
            Ok(answer) => told(answer),
            Err(error) => error.to_string(),
        });
        answer
    }

    /// Commands on one line, in short form: scripts by name, and keys without our prefix.
    fn shown(&self, commands: &[Vec<String>]) -> String {
        let shown = |words: &Vec<String>| match &words[..] {
            [name, hash, _, arguments @ ..] if name == "EVALSHA" => {
                let name = self.scripts.name_of(hash).to_owned();
                std::iter::once(name).chain(arguments.iter().cloned()).collect()
            }
            words => words.to_vec(),
        };
        let lines: Vec<String> =
            commands.iter().map(|words| shown(words).join(" ").replace(PREFIX, "")).collect();
        lines.join("; ")
    }
}

/// What commands touch. Scripts and unknown commands touch everything.
fn touches(commands: &[Vec<String>]) -> Footprint {
    let of_command = |words: &Vec<String>| match words.first().map(String::as_str) {
        Some("GET" | "MGET" | "SISMEMBER" | "WATCH") => Footprint::reading(Resources::ALL),
        Some("MULTI" | "EXEC" | "UNWATCH") => Footprint::NOTHING,
        // The buyer's own line in the order book.
        Some("SADD" | "RPUSH") => Footprint::adding(Resources::ORDERS),
        _ => Footprint::writing(Resources::ALL),
    };
    commands.iter().map(of_command).fold(Footprint::NOTHING, |all, one| all | one)
}

/// Parses commands, as they are sent, into words.
fn unpacked(mut packed: &[u8]) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    while !packed.is_empty() {
        let Ok(Value::Array(words)) = parse_redis_value(packed) else { break };
        let length = packed_length(&words);
        packed = packed.get(length..).unwrap_or_default();
        commands.push(words.iter().map(word).collect());
    }
    commands
}

/// How many bytes a command of these words took: `*2\r\n$3\r\nGET\r\n$1\r\nx\r\n`.
fn packed_length(words: &[Value]) -> usize {
    let line = |number: usize| 1 + number.to_string().len() + 2;
    let of_word = |word: &Value| match word {
        Value::BulkString(bytes) => line(bytes.len()) + bytes.len() + 2,
        _ => 0,
    };
    line(words.len()) + words.iter().map(of_word).sum::<usize>()
}

fn word(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Okay => "OK".into(),
        Value::Nil => "nothing".into(),
        Value::Array(values) => {
            let words: Vec<String> = values.iter().map(word).collect();
            words.join(", ")
        }
        other => format!("{other:?}"),
    }
}

impl<C: ConnectionLike> ConnectionLike for HeldRedisConnection<C> {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.take_turn(packed, |connection| connection.req_packed_command(packed), word)
    }

    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.take_turn(
            packed,
            |connection| connection.req_packed_commands(packed, offset, count),
            |answers| {
                let words: Vec<String> = answers.iter().map(word).collect();
                words.join(", ")
            },
        )
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }

    fn check_connection(&mut self) -> bool {
        self.connection.check_connection()
    }

    fn is_open(&self) -> bool {
        self.connection.is_open()
    }
}
