//! What the simulator does itself, beside the checkouts: it initializes the keys, and reads them back for the audit.

use serde_json::{Value, json};

use super::gateway::Gateway;
use super::keys::{self, PREFIX, ProductField};
use super::trouble::{Done, Trouble};
use super::wire::{self, KeyValue, Range, Txn};
use crate::domain::books::Books;
use crate::domain::op::{Item, Order, Units, Want};
use crate::stores::remote::Fixture;

/// The most keys of one read: the size of an answer is limited.
const PAGE: usize = 2_000;

/// Counts our keys.
pub(super) fn count_all(gateway: &mut Gateway) -> Done<i64> {
    Ok(gateway.commit(Txn::steps([wire::count(PREFIX)]))?.step(0)?.count)
}

/// Deletes our keys.
pub(super) fn clear(gateway: &mut Gateway) -> Done<()> {
    gateway.commit(Txn::steps([wire::delete_all(PREFIX)])).map(drop)
}

/// Deletes our keys, and writes the initial keys of each product.
pub(super) fn stock_up(gateway: &mut Gateway, opening: Fixture) -> Done<()> {
    clear(gateway)?;
    let put_up = |item| {
        ProductField::ALL.map(|part| {
            let value = if part == ProductField::Stock { opening.stock } else { 0 };
            wire::put(&keys::part(Item(item), part), value)
        })
    };
    gateway.commit(Txn::steps((0..opening.items).flat_map(put_up))).map(drop)
}

/// Reads all keys for the audit.
pub(super) fn take_stock(gateway: &mut Gateway, opening: Fixture) -> Done<Books> {
    let mut books = Books::default();
    for item in (0..opening.items).map(Item) {
        let parts = [ProductField::Stock, ProductField::GivenBack];
        let steps = parts.map(|part| wire::get(&keys::part(item, part)));
        let seen = gateway.commit(Txn::steps(steps))?;
        books.shelves.push(seen.step(0)?.only()?.number()?);
        books.given_back.push(seen.step(1)?.only()?.number()?);
    }
    each(gateway, &keys::all_orders(), |line| {
        let (buyer, item) = keys::read_order(&line.key)?;
        let qty: Units = line.value.parse().ok()?;
        books.orders.push(Order { buyer, want: Want::one(item, qty) });
        Some(())
    })?;
    each(gateway, &keys::all_holders(), |holder| {
        books.holding.push(keys::read_holder(&holder.key)?);
        Some(())
    })?;
    Ok(books)
}

/// Reads all keys with this prefix, page by page.
fn each(
    gateway: &mut Gateway,
    prefix: &str,
    mut read: impl FnMut(&KeyValue) -> Option<()>,
) -> Done<()> {
    let mut from = wire::encode(prefix);
    loop {
        let page = page(gateway, &from, prefix)?;
        for found in &page.found {
            read(found).ok_or_else(|| {
                let KeyValue { key, value, .. } = found;
                Trouble::Refused(format!("etcd: `{key}` is `{value}`, which is none of ours"))
            })?;
        }
        match page.found.last() {
            // The smallest key after the last one.
            Some(last) if page.found.len() == PAGE => {
                from = wire::encode(&(last.key.clone() + "\0"))
            }
            _ => return Ok(()),
        }
    }
}

fn page(gateway: &mut Gateway, from: &str, prefix: &str) -> Done<Range> {
    let step: Value = json!({ "request_range": {
        "key": from,
        "range_end": wire::end_of(prefix),
        "limit": PAGE.to_string(),
    } });
    let mut outcome = gateway.commit(Txn::steps([step]))?;
    Ok(outcome.steps.pop().unwrap_or_default())
}
