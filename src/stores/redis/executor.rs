//! Sends a described checkout's commands to Redis.

use ::redis::{Client, Cmd, ConnectionLike, ErrorKind, RedisError, Value as RedisValue, cmd};

use super::blocking::{Blocking, longest_wait};
use super::connection::RedisConnection;
use super::replies::is_too_large;
use crate::describe::checkout::{Answer, Call, StoreValue};
use crate::scheduler::{BuyerHandle, Footprint, PendingStatement, Resources};
use crate::stores::answer::AnswerSize;
use crate::stores::remote::{Refusal, Stays, StepExecutor, StoreConfig};

/// Commands that only read.
pub(super) const LOOKS: [&str; 23] = [
    "GET",
    "MGET",
    "EXISTS",
    "STRLEN",
    "TTL",
    "PTTL",
    "TYPE",
    "HGET",
    "HMGET",
    "HGETALL",
    "HEXISTS",
    "HLEN",
    "LRANGE",
    "LLEN",
    "LINDEX",
    "SISMEMBER",
    "SMEMBERS",
    "SCARD",
    "ZSCORE",
    "ZRANGE",
    "ZRANK",
    "ZCARD",
    "WATCH",
];

/// Commands that change the database, and not the connection; and those that begin or end a transaction, or end the
/// watching of keys, which is undone when the attempt ends.
const CHANGES: [&str; 58] = [
    "SET",
    "SETNX",
    "SETEX",
    "PSETEX",
    "GETSET",
    "GETDEL",
    "GETEX",
    "APPEND",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "DECR",
    "DECRBY",
    "MSET",
    "MSETNX",
    "DEL",
    "UNLINK",
    "EXPIRE",
    "PEXPIRE",
    "PERSIST",
    "HSET",
    "HSETNX",
    "HMSET",
    "HINCRBY",
    "HDEL",
    "LPUSH",
    "RPUSH",
    "LPOP",
    "RPOP",
    "LREM",
    "LTRIM",
    "LMOVE",
    "RPOPLPUSH",
    "SADD",
    "SREM",
    "SPOP",
    "SMOVE",
    "ZADD",
    "ZREM",
    "ZINCRBY",
    "ZPOPMIN",
    "ZPOPMAX",
    "BLPOP",
    "BRPOP",
    "BLMOVE",
    "BRPOPLPUSH",
    "BZPOPMIN",
    "BZPOPMAX",
    "BLMPOP",
    "BZMPOP",
    "XADD",
    "PUBLISH",
    "EVAL",
    "UNWATCH",
    "MULTI",
    "EXEC",
    "DISCARD",
    "PING",
];

/// Whether a command may leave something on its connection: another database, another name, a subscription. An unknown
/// command may.
pub(super) fn may_leave_traces(call: &Call) -> bool {
    let name = name(call);
    !LOOKS.contains(&name.as_str()) && !CHANGES.contains(&name.as_str())
}

/// How a connection is opened, and what is known about it.
pub(super) struct RedisConnector {
    pub(super) client: Client,
    pub(super) terms: StoreConfig,
    pub(super) handle: Option<BuyerHandle>,
    pub(super) blocking: Blocking,
    /// What every command counts as touching.
    pub(super) keys: Resources,
    /// Whether a step may leave something on the connection.
    pub(super) may_leave_traces: bool,
    /// The number by which the server knows the connection; 0 without a handle.
    pub(super) number: i64,
}

impl RedisConnector {
    /// With a handle, asks for the number by which the server knows this connection, and registers it.
    pub(super) fn register(&mut self, connection: &mut RedisConnection) -> Result<(), RedisError> {
        if let Some(handle) = &self.handle {
            self.number = cmd("CLIENT").arg("ID").query(connection)?;
            handle.register(self.number);
        }
        Ok(())
    }
}

/// One connection, over which the commands of a described checkout are sent.
pub(super) struct RedisExecutor {
    connection: RedisConnection,
    line: RedisConnector,
    /// Whether keys are watched.
    is_watching: bool,
    /// Whether commands are queued by `MULTI`.
    is_collecting: bool,
}

impl RedisExecutor {
    pub(super) fn new(connection: RedisConnection, line: RedisConnector) -> Self {
        Self { connection, line, is_watching: false, is_collecting: false }
    }

    /// Replaces this connection by a new one.
    fn redial(&mut self) -> Result<(), String> {
        let dialled = super::server::dial(&self.line.client, &self.line.terms);
        self.connection = dialled.map_err(|error| error.to_string())?;
        (self.is_watching, self.is_collecting) = (false, false);
        self.line.register(&mut self.connection).map_err(|error| error.to_string())
    }

    /// How long a command waits for others at most; see [`longest_wait`].
    fn longest_wait(
        &self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Option<Option<u64>> {
        match call {
            // A queued command does not wait.
            Call::Redis(words) if !self.is_collecting => {
                let words: Vec<String> = words.iter().map(|word| word.filled(value_of)).collect();
                longest_wait(&words)
            }
            _ => None,
        }
    }

    /// Notes how a command that was run has changed the state of the connection.
    fn note(&mut self, name: &str) {
        match name {
            "WATCH" => self.is_watching = true,
            "UNWATCH" => self.is_watching = false,
            "MULTI" => self.is_collecting = true,
            "EXEC" | "DISCARD" => (self.is_watching, self.is_collecting) = (false, false),
            _ => {}
        }
    }
}

/// The command's name, in capitals.
/// Whether this `SET` answers what stood there, `SET … GET`, and not whether it has changed anything.
fn answers_the_old_value(call: &Call) -> bool {
    let Call::Redis(words) = call else { return false };
    let mut options = words.iter().skip(3).map(|word| word.filled(|_| StoreValue::Null));
    options.any(|option| option.eq_ignore_ascii_case("GET"))
}

fn name(call: &Call) -> String {
    match call {
        Call::Redis(words) => {
            let first = words.first().map(|word| word.filled(|_| StoreValue::Null));
            first.unwrap_or_default().to_uppercase()
        }
        // The reader of the checkout file has made sure that there are no statements and no requests.
        Call::Lua { .. } | Call::Sql(_) | Call::Http(_) | Call::Program(_) | Call::Code(_) => {
            "EVAL".into()
        }
    }
}

/// A command with its values.
fn command(call: &Call, value_of: &dyn Fn(&str) -> StoreValue) -> Cmd {
    match call {
        Call::Redis(words) => {
            let mut words = words.iter().map(|word| word.filled(value_of));
            let mut command = cmd(&words.next().unwrap_or_default());
            for word in words {
                command.arg(word);
            }
            command
        }
        Call::Lua { code, keys, arguments, .. } => {
            let mut command = cmd("EVAL");
            command.arg(code).arg(keys.len());
            for word in keys.iter().chain(arguments) {
                command.arg(word.filled(value_of));
            }
            command
        }
        Call::Sql(_) | Call::Http(_) | Call::Program(_) | Call::Code(_) => cmd("PING"),
    }
}

/// Sends a command, and returns the reply.
pub(super) fn ask(
    connection: &mut RedisConnection,
    call: &Call,
    value_of: &dyn Fn(&str) -> StoreValue,
) -> Result<RedisValue, Refusal> {
    connection.ask(&command(call, value_of)).map_err(|error: RedisError| match error.kind() {
        _ if is_too_large(&error) => Refusal::Wrong(format!("Redis: {}", AnswerSize::TOO_LARGE)),
        ErrorKind::Io => Refusal::Lost(format!("Redis: {error}")),
        _ if !connection.is_open() => Refusal::Lost(format!("Redis: {error}")),
        _ => Refusal::Wrong(format!("Redis: {error}")),
    })
}

/// One element of a reply, as a value.
fn value(said: &RedisValue) -> StoreValue {
    match said {
        RedisValue::Nil => StoreValue::Null,
        RedisValue::Int(number) => StoreValue::Int(*number),
        RedisValue::Double(number) => StoreValue::Real(*number),
        RedisValue::Boolean(yes) => StoreValue::Int(i64::from(*yes)),
        RedisValue::Okay => StoreValue::Text("OK".into()),
        RedisValue::SimpleString(text) => StoreValue::Text(text.clone()),
        RedisValue::BulkString(bytes) => {
            StoreValue::Text(String::from_utf8_lossy(bytes).into_owned())
        }
        RedisValue::Array(elements) | RedisValue::Set(elements) => {
            let words: Vec<String> = elements.iter().map(|said| value(said).to_string()).collect();
            StoreValue::Text(words.join(","))
        }
        other => StoreValue::Text(format!("{other:?}")),
    }
}

/// A reply as one row, whose columns have positions and no names.
fn answer(said: &RedisValue) -> Answer {
    let values = match said {
        RedisValue::Nil => return Answer { columns: vec![String::new()], ..Answer::default() },
        RedisValue::Array(elements) | RedisValue::Set(elements) => {
            elements.iter().map(value).collect()
        }
        one => vec![value(one)],
    };
    let count = values.len() as u64;
    let columns = vec![String::new(); values.len().max(1)];
    let rows = if values.is_empty() { Vec::new() } else { vec![values] };
    Answer { columns, rows, count, trouble: None }
}

/// A reply as the audit reads it: each element is a row, whose columns are separated by commas.
pub(super) fn rows(said: &RedisValue) -> Answer {
    let elements = match said {
        RedisValue::Nil => Vec::new(),
        RedisValue::Array(elements) | RedisValue::Set(elements) => {
            elements.iter().map(value).collect()
        }
        one => vec![value(one)],
    };
    // If none of the keys exists, there are no rows.
    let elements = if elements.iter().all(StoreValue::is_null) { Vec::new() } else { elements };
    let row = |element: StoreValue| match &element {
        StoreValue::Text(text) => {
            text.split(',').map(|part| StoreValue::Text(part.trim().into())).collect()
        }
        _ => vec![element],
    };
    Answer::found(vec![String::new()], elements.into_iter().map(row).collect())
}

impl StepExecutor for RedisExecutor {
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal> {
        let name = name(call);
        let longest = self.longest_wait(call, value_of);
        if let Some(longest_ms) = longest {
            self.line.blocking.begins(self.line.number, longest_ms);
        }
        let said = ask(&mut self.connection, call, value_of);
        if longest.is_some() {
            self.line.blocking.ends(self.line.number);
        }
        // An `EXEC` that fails has ended the transaction, too.
        if said.is_ok() || name == "EXEC" {
            self.note(&name);
        }
        match said? {
            // A watched key has changed.
            RedisValue::Nil if name == "EXEC" => Err(Refusal::Conflict),
            said => Ok(answer(&said)),
        }
    }

    fn told(&self, _: &Call, answer: &Answer) -> String {
        answer.to_string()
    }

    /// Queued commands are run only by `EXEC`.
    fn pending(
        &mut self,
        call: &Call,
        text: String,
        _value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement {
        let touches = match name(call).as_str() {
            "MULTI" | "DISCARD" | "UNWATCH" => Footprint::NOTHING,
            "EXEC" => Footprint::writing(self.line.keys),
            _ if self.is_collecting => Footprint::NOTHING,
            looks if LOOKS.contains(&looks) => Footprint::reading(self.line.keys),
            _ => Footprint::writing(self.line.keys),
        };
        PendingStatement::new(text, touches)
    }

    fn taking_back(&self) -> Vec<Call> {
        match (self.is_collecting, self.is_watching) {
            (true, _) => vec![Call::word("DISCARD")],
            (false, true) => vec![Call::word("UNWATCH")],
            (false, false) => Vec::new(),
        }
    }

    fn stays(&self, call: &Call) -> Stays {
        match name(call).as_str() {
            "EXEC" => Stays::Everything,
            "MULTI" | "DISCARD" | "UNWATCH" => Stays::Nothing,
            looks if self.is_collecting || LOOKS.contains(&looks) => Stays::Nothing,
            // They may change something and answer nothing.
            "GETSET" | "EVAL" | "EVALSHA" | "FCALL" => Stays::Everything,
            "SET" if answers_the_old_value(call) => Stays::Everything,
            _ => Stays::Changes,
        }
    }

    fn may_leave_traces(&self) -> bool {
        self.line.may_leave_traces
    }

    /// Opens a new connection: `RESET` would also undo the login and the choice of the database.
    fn begin_anew(&mut self) -> Result<u64, Refusal> {
        self.redial().map(|()| 0).map_err(Refusal::Lost)
    }
}
