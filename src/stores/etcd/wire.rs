//! What is said to etcd and what it answers: JSON, with keys and values in base64 and numbers as text.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::trouble::Trouble;

/// A key as it was at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: String,
    pub(super) value: String,
    /// The revision that made it.
    pub(super) created: i64,
    /// The last revision that wrote it.
    pub(super) modified: i64,
    /// The lease of etcd's that it goes with; empty if it stays.
    pub(super) lease: String,
}

impl Found {
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
    pub(super) found: Vec<Found>,
    /// How many keys there are, or how many were deleted, where nothing more was asked.
    pub(super) count: i64,
}

impl Range {
    /// The only key, if it was there.
    pub(super) fn first(&self) -> Option<&Found> {
        self.found.first()
    }

    /// The only key, which has to be there.
    pub(super) fn only(&self) -> Result<&Found, Trouble> {
        self.first().ok_or_else(|| Trouble::Refused("etcd: a key of the shop is gone".into()))
    }
}

/// What a transaction came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Whether all comparisons held.
    pub(super) succeeded: bool,
    /// The store's revision by then.
    pub(super) revision: i64,
    /// What each step has found, in their order.
    pub(super) steps: Vec<Range>,
}

impl Outcome {
    /// What one step has found.
    pub(super) fn step(&self, place: usize) -> Result<&Range, Trouble> {
        self.steps.get(place).ok_or_else(|| Trouble::Refused("etcd: half an answer".into()))
    }
}

/// Steps that count together or not at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Txn {
    compare: Vec<Value>,
    success: Vec<Value>,
    failure: Vec<Value>,
}

impl Txn {
    /// Under these conditions.
    pub(super) fn when(compare: impl IntoIterator<Item = Value>) -> Self {
        Self { compare: compare.into_iter().collect(), ..Self::default() }
    }

    /// These steps, whatever there is.
    pub(super) fn steps(success: impl IntoIterator<Item = Value>) -> Self {
        Self::default().then(success)
    }

    /// What to do if they hold.
    pub(super) fn then(mut self, steps: impl IntoIterator<Item = Value>) -> Self {
        self.success.extend(steps);
        self
    }

    /// What to do if not.
    pub(super) fn otherwise(mut self, steps: impl IntoIterator<Item = Value>) -> Self {
        self.failure.extend(steps);
        self
    }

    /// As it is sent.
    pub(super) fn body(self) -> Value {
        let Self { compare, success, failure } = self;
        json!({ "compare": compare, "success": success, "failure": failure })
    }
}

/// The key has this value.
pub(super) fn has_value(key: &str, value: impl ToString) -> Value {
    let value = encode(&value.to_string());
    json!({ "key": encode(key), "target": "VALUE", "result": "EQUAL", "value": value })
}

/// The key is there.
pub(super) fn is_there(key: &str) -> Value {
    json!({ "key": encode(key), "target": "CREATE", "result": "GREATER", "create_revision": "0" })
}

/// It is not.
pub(super) fn is_absent(key: &str) -> Value {
    json!({ "key": encode(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0" })
}

/// Nobody has written the key since it was looked at; none: it was not there.
pub(super) fn is_unmoved(key: &str, seen: Option<&Found>) -> Value {
    let modified = seen.map_or(0, |found| found.modified).to_string();
    json!({ "key": encode(key), "target": "MOD", "result": "EQUAL", "mod_revision": modified })
}

/// Writes a key.
pub(super) fn put(key: &str, value: impl ToString) -> Value {
    json!({ "request_put": { "key": encode(key), "value": encode(&value.to_string()) } })
}

/// Writes a key that goes when this lease of etcd's ends.
pub(super) fn put_leased(key: &str, value: impl ToString, lease: &str) -> Value {
    let value = encode(&value.to_string());
    json!({ "request_put": { "key": encode(key), "value": value, "lease": lease } })
}

/// Looks at a key.
pub(super) fn get(key: &str) -> Value {
    json!({ "request_range": { "key": encode(key) } })
}

/// Looks at all keys that begin like this.
pub(super) fn get_all(prefix: &str) -> Value {
    json!({ "request_range": { "key": encode(prefix), "range_end": end_of(prefix) } })
}

/// Counts them.
pub(super) fn count(prefix: &str) -> Value {
    let (key, end) = (encode(prefix), end_of(prefix));
    json!({ "request_range": { "key": key, "range_end": end, "count_only": true } })
}

/// The one of them that was made last, of those made before this revision.
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

/// Deletes all keys that begin like this.
pub(super) fn delete_all(prefix: &str) -> Value {
    json!({ "request_delete_range": { "key": encode(prefix), "range_end": end_of(prefix) } })
}

/// Text as it is sent.
pub(super) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// Text that was encoded, as far as it is one.
pub(super) fn decoded(body: &Value, name: &str) -> String {
    let bytes = STANDARD.decode(text(body, name)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first key that does not begin like this any more. No prefix of ours ends in the highest byte.
pub(super) fn end_of(prefix: &str) -> String {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    STANDARD.encode(end)
}

/// A number, which is left out where it is 0.
pub(super) fn number(body: &Value, name: &str) -> i64 {
    match body.get(name) {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(number) => number.as_i64().unwrap_or(0),
        None => 0,
    }
}

/// Text, which is left out where there is none.
pub(super) fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body.get(name).and_then(Value::as_str).unwrap_or("")
}

/// Whether something is so; left out where it is not.
pub(super) fn flag(body: &Value, name: &str) -> bool {
    body.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// A list, which is left out where it is empty.
pub(super) fn list<'v>(body: &'v Value, name: &str) -> &'v [Value] {
    body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The time that a lease of etcd's lasts that has to last this long: it counts whole seconds.
pub(super) fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).clamp(1, u64::MAX.into()) as u64
}

/// The store's revision when it answered.
pub(super) fn revision(body: &Value) -> i64 {
    body.get("header").map_or(0, |header| number(header, "revision"))
}

/// What a transaction came to.
pub(super) fn read_outcome(body: &Value) -> Result<Outcome, Trouble> {
    let steps = list(body, "responses").iter().map(read_step).collect::<Result<_, _>>()?;
    Ok(Outcome { succeeded: flag(body, "succeeded"), revision: revision(body), steps })
}

fn read_step(step: &Value) -> Result<Range, Trouble> {
    if let Some(range) = step.get("response_range") {
        return read_range(range);
    }
    let deleted = step.get("response_delete_range");
    Ok(Range { count: deleted.map_or(0, |deleted| number(deleted, "deleted")), found: Vec::new() })
}

/// What was found.
fn read_range(body: &Value) -> Result<Range, Trouble> {
    let decode = |pair: &Value, name: &str| {
        let bytes = STANDARD.decode(text(pair, name)).ok();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
            Trouble::Refused("etcd: a key of the shop is not as it was written".into())
        })
    };
    let read = |pair: &Value| {
        Ok(Found {
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
