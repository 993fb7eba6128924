//! A transaction that the scheduler holds: its text, what it touches, and its result as text.

use serde_json::Value;

use super::keys::{self, PREFIX};
use super::wire::{self, TxnResponse};
use crate::scheduler::{Footprint, PendingStatement, Resources};

/// The statement that is pending, from the body of a transaction.
pub(super) fn pending(body: &Value) -> PendingStatement {
    let compared: Vec<String> = wire::list(body, "compare").iter().map(condition).collect();
    let steps = |name| {
        let steps: Vec<String> = wire::list(body, name).iter().map(step).collect();
        steps.join(", ")
    };
    let (then, otherwise) = (steps("success"), steps("failure"));
    let text = match (compared.is_empty(), otherwise.is_empty()) {
        (true, _) => then,
        (false, true) => format!("if {}: {then}", compared.join(" and ")),
        (false, false) => format!("if {}: {then}; else {otherwise}", compared.join(" and ")),
    };
    PendingStatement::new(text, touches(body))
}

/// What a transaction touches. Transactions that only add orders do not conflict with each other.
fn touches(body: &Value) -> Footprint {
    let compared =
        wire::list(body, "compare").iter().map(|compare| Footprint::reading(part(compare)));
    let steps = wire::list(body, "success").iter().chain(wire::list(body, "failure"));
    let is_conditional = !wire::list(body, "compare").is_empty();
    let stepped = steps.map(|step| {
        if let Some(range) = step.get("request_range") {
            return Footprint::reading(part(range));
        }
        match (step.get("request_put"), step.get("request_delete_range")) {
            (Some(put), _) if part(put) == Resources::ORDERS && !is_conditional => {
                Footprint::adding(Resources::ORDERS)
            }
            (Some(changed), _) | (None, Some(changed)) => Footprint::writing(part(changed)),
            (None, None) => Footprint::writing(Resources::ALL),
        }
    });
    compared.chain(stepped).fold(Footprint::NOTHING, |all, one| all | one)
}

/// The part of the store that a key belongs to.
fn part(about: &Value) -> Resources {
    let key = wire::decoded(about, "key");
    let is_of_orders = key == keys::all_orders() || key.starts_with(&keys::all_orders());
    match is_of_orders || key.starts_with(&keys::all_ordered()) {
        true => Resources::ORDERS,
        false => Resources::SHELVES,
    }
}

/// A key in short form. A line of the order book is shown without its number, which does not matter.
fn key(about: &Value) -> String {
    let key = wire::decoded(about, "key");
    match keys::read_order(&key) {
        Some((buyer, item)) => format!("order/{buyer}/{}", item.0),
        None => key.strip_prefix(PREFIX).unwrap_or(&key).to_owned(),
    }
}

fn condition(compare: &Value) -> String {
    let key = key(compare);
    match (wire::text(compare, "target"), wire::text(compare, "result")) {
        ("VALUE", _) => format!("{key} = {}", wire::decoded(compare, "value")),
        ("CREATE", "EQUAL") => format!("there is no {key}"),
        ("CREATE", _) => format!("there is {key}"),
        _ => format!("no client has written {key} since"),
    }
}

fn step(step: &Value) -> String {
    let about = |name| step.get(name);
    match (about("request_range"), about("request_put"), about("request_delete_range")) {
        (Some(range), ..) => format!("get {}", key(range)),
        (_, Some(put), _) => {
            let value = wire::decoded(put, "value");
            let space = if value.is_empty() { "" } else { " " };
            format!("put {}{space}{value}", key(put))
        }
        (.., Some(delete)) => format!("delete {}", key(delete)),
        _ => "something else".into(),
    }
}

/// The result of a transaction, as text.
pub(super) fn told(body: &Value, outcome: &TxnResponse) -> String {
    let found = outcome.steps.iter().flat_map(|range| &range.found);
    let found: Vec<&str> = found.map(|found| found.value.as_str()).collect();
    let is_conditional = !wire::list(body, "compare").is_empty();
    let word = match (is_conditional, outcome.succeeded) {
        (true, true) => "done",
        (true, false) => "not done",
        (false, _) if found.is_empty() && body.to_string().contains("request_range") => "nothing",
        (false, _) => "",
    };
    match (word.is_empty(), found.is_empty()) {
        (_, true) => word.into(),
        (true, false) => found.join(", "),
        (false, false) => format!("{word}: {}", found.join(", ")),
    }
}
