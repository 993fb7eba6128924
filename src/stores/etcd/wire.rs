//! Requests to etcd and its answers: JSON, with keys and values in base64 and numbers as text.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::trouble::Trouble;

/// A key and its value at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyValue {
    pub(super) key: String,
    pub(super) value: String,
    /// The revision that created it.
    pub(super) created: i64,
    /// The last revision that wrote it.
    pub(super) modified: i64,
    /// The lease of etcd's that it is attached to; empty if there is none.
    pub(super) lease: String,
}

impl KeyValue {
    /// Its value as a number.
    pub(super) fn number<T: FromStr>(&self) -> Result<T, Trouble> {
        self.value.parse().map_err(|_| {
            Trouble::Refused(format!("etcd: `{}` is `{}`, not a number", self.key, self.value))
        })
    }
}

/// What a step of a transaction has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    pub(super) found: Vec<KeyValue>,
    /// How many keys there are, or how many were deleted, if the step asked only for that.
    pub(super) count: i64,
}

impl Range {
    /// The only key, if it was there.
    pub(super) fn first(&self) -> Option<&KeyValue> {
        self.found.first()
    }

    /// The only key, which has to be there.
    pub(super) fn only(&self) -> Result<&KeyValue, Trouble> {
        self.first().ok_or_else(|| Trouble::Refused("etcd: a key of the shop is gone".into()))
    }
}

/// The result of a transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct TxnResponse {
    /// Whether all comparisons held.
    pub(super) succeeded: bool,
    /// The store's revision at that time.
    pub(super) revision: i64,
    /// What each step has found, in their order.
    pub(super) steps: Vec<Range>,
}

impl TxnResponse {
    /// What one step has found.
    pub(super) fn step(&self, place: usize) -> Result<&Range, Trouble> {
        self.steps.get(place).ok_or_else(|| Trouble::Refused("etcd: half an answer".into()))
    }
}

/// A transaction: all of its steps take effect, or none.
#[derive(Clone, Debug, Default)]
pub(super) struct Txn {
    compare: Vec<Value>,
    success: Vec<Value>,
    failure: Vec<Value>,
}

impl Txn {
    /// A transaction with these conditions, and without steps yet.
    pub(super) fn when(compare: impl IntoIterator<Item = Value>) -> Self {
        Self { compare: compare.into_iter().collect(), ..Self::default() }
    }

    /// A transaction of these steps, without conditions.
    pub(super) fn steps(success: impl IntoIterator<Item = Value>) -> Self {
        Self::default().then(success)
    }

    /// Adds the steps to run if the conditions hold.
    pub(super) fn then(mut self, steps: impl IntoIterator<Item = Value>) -> Self {
        self.success.extend(steps);
        self
    }

    /// Adds the steps to run if the conditions do not hold.
    pub(super) fn otherwise(mut self, steps: impl IntoIterator<Item = Value>) -> Self {
        self.failure.extend(steps);
        self
    }

    /// The body of the request.
    pub(super) fn body(self) -> Value {
        let Self { compare, success, failure } = self;
        json!({ "compare": compare, "success": success, "failure": failure })
    }
}

/// The condition that the key has this value.
pub(super) fn has_value(key: &str, value: impl ToString) -> Value {
    let value = encode(&value.to_string());
    json!({ "key": encode(key), "target": "VALUE", "result": "EQUAL", "value": value })
}

/// The condition that the key exists.
pub(super) fn is_there(key: &str) -> Value {
    json!({ "key": encode(key), "target": "CREATE", "result": "GREATER", "create_revision": "0" })
}

/// The condition that the key does not exist.
pub(super) fn is_absent(key: &str) -> Value {
    json!({ "key": encode(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0" })
}

/// The condition that the key was not written since `seen` was read; none: the key did not exist then.
pub(super) fn is_unmoved(key: &str, seen: Option<&KeyValue>) -> Value {
    let modified = seen.map_or(0, |found| found.modified).to_string();
    json!({ "key": encode(key), "target": "MOD", "result": "EQUAL", "mod_revision": modified })
}

/// Writes a key.
pub(super) fn put(key: &str, value: impl ToString) -> Value {
    json!({ "request_put": { "key": encode(key), "value": encode(&value.to_string()) } })
}

/// Writes a key that etcd deletes when this lease ends.
pub(super) fn put_leased(key: &str, value: impl ToString, lease: &str) -> Value {
    let value = encode(&value.to_string());
    json!({ "request_put": { "key": encode(key), "value": value, "lease": lease } })
}

/// Reads a key.
pub(super) fn get(key: &str) -> Value {
    json!({ "request_range": { "key": encode(key) } })
}

/// Reads all keys with this prefix.
pub(super) fn get_all(prefix: &str) -> Value {
    json!({ "request_range": { "key": encode(prefix), "range_end": end_of(prefix) } })
}

/// Counts the keys with this prefix.
pub(super) fn count(prefix: &str) -> Value {
    let (key, end) = (encode(prefix), end_of(prefix));
    json!({ "request_range": { "key": key, "range_end": end, "count_only": true } })
}

/// Reads the newest of the keys with this prefix that were created before this revision.
pub(super) fn last_before(prefix: &str, created: i64) -> Value {
    json!({ "request_range": {
        "key": encode(prefix),
        "range_end": end_of(prefix),
        "max_create_revision": (created - 1).to_string(),
        "sort_order": "DESCEND",
        "sort_target": "CREATE",
        "limit": "1",
    } })
}

/// Deletes a key.
pub(super) fn delete(key: &str) -> Value {
    json!({ "request_delete_range": { "key": encode(key) } })
}

/// Deletes all keys with this prefix.
pub(super) fn delete_all(prefix: &str) -> Value {
    json!({ "request_delete_range": { "key": encode(prefix), "range_end": end_of(prefix) } })
}

/// Encodes text as etcd expects it.
pub(super) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// Decodes text. What is not valid base64 gives an empty text, and bytes that are not UTF-8 are replaced.
pub(super) fn decoded(body: &Value, name: &str) -> String {
    let bytes = STANDARD.decode(text(body, name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first key after all keys with this prefix. No prefix of ours ends in the highest byte.
pub(super) fn end_of(prefix: &str) -> String {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    STANDARD.encode(end)
}

/// A number of an answer; etcd leaves it out if it is 0.
pub(super) fn number(body: &Value, name: &str) -> i64 {
    match body.get(name) {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(number) => number.as_i64().unwrap_or(0),
        None => 0,
    }
}

/// A text of an answer; etcd leaves it out if it is empty.
pub(super) fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body.get(name).and_then(Value::as_str).unwrap_or("")
}

/// A flag of an answer; etcd leaves it out if it is false.
pub(super) fn flag(body: &Value, name: &str) -> bool {
    body.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A list of an answer; etcd leaves it out if it is empty.
pub(super) fn list<'v>(body: &'v Value, name: &str) -> &'v [Value] {
    body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The time to live of a lease of etcd's that has to last this long: whole seconds, rounded up.
pub(super) fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).clamp(1, u64::MAX.into()) as u64
}

/// The store's revision when it answered.
pub(super) fn revision(body: &Value) -> i64 {
    body.get("header").map_or(0, |header| number(header, "revision"))
}

/// The result of a transaction.
pub(super) fn read_outcome(body: &Value) -> Result<TxnResponse, Trouble> {
    let steps = list(body, "responses").iter().map(read_step).collect::<Result<_, _>>()?;
    Ok(TxnResponse { succeeded: flag(body, "succeeded"), revision: revision(body), steps })
}

fn read_step(step: &Value) -> Result<Range, Trouble> {
    if let Some(range) = step.get("response_range") {
        return read_range(range);
    }
    let deleted = step.get("response_delete_range");
    Ok(Range { count: deleted.map_or(0, |deleted| number(deleted, "deleted")), found: Vec::new() })
}

/// Reads the keys of an answer.
fn read_range(body: &Value) -> Result<Range, Trouble> {
    let decode = |pair: &Value, name: &str| {
        let bytes = STANDARD.decode(text(pair, name)).ok();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            Trouble::Refused("etcd: a key of the shop is not as it was written".into())
        })
    };
    let read = |pair: &Value| {
        Ok(KeyValue {
            key: decode(pair, "key")?,
            value: decode(pair, "value")?,
            created: number(pair, "create_revision"),
            modified: number(pair, "mod_revision"),
            lease: text(pair, "lease").into(),
        })
    };
    let found = list(body, "kvs").iter().map(read).collect::<Result<_, Trouble>>()?;
    Ok(Range { found, count: number(body, "count") })
}
