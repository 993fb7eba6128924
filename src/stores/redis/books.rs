//! What the simulator does itself, beside the checkouts: it initializes the keys, and reads them back for the audit.

use ::redis::{RedisResult, cmd, pipe};

use super::connection::RedisConnection;
use super::keys::{self, of_buyer, of_item};
use crate::domain::books::Books;
use crate::domain::op::{BuyerId, Item, Order, Units, Want};
use crate::stores::remote::Fixture;

/// All keys with our prefix.
fn all(connection: &mut RedisConnection) -> RedisResult<Vec<String>> {
    let mut scan = cmd("SCAN");
    scan.cursor_arg(0).arg("MATCH").arg(format!("{}*", keys::PREFIX)).arg("COUNT").arg(1000);
    scan.iter(connection)?.collect()
}

/// Counts our keys.
pub(super) fn count(connection: &mut RedisConnection) -> RedisResult<usize> {
    all(connection).map(|keys| keys.len())
}

/// Deletes our keys.
pub(super) fn clear(connection: &mut RedisConnection) -> RedisResult<()> {
    for some in all(connection)?.chunks(1000) {
        cmd("DEL").arg(some).exec(connection)?;
    }
    Ok(())
}

/// Deletes our keys, and writes the initial keys of each product.
pub(super) fn stock_up(connection: &mut RedisConnection, opening: Fixture) -> RedisResult<()> {
    clear(connection)?;
    let mut together = pipe();
    together.atomic();
    for item in (0..opening.items).map(Item) {
        together.cmd("SET").arg(of_item("stock", item)).arg(opening.stock).ignore();
        for what in ["version", "seen", "given-back"] {
            together.cmd("SET").arg(of_item(what, item)).arg(0).ignore();
        }
    }
    together.exec(connection)
}

/// Reads all keys for the audit.
pub(super) fn take_stock(connection: &mut RedisConnection, opening: Fixture) -> RedisResult<Books> {
    let items = || (0..opening.items).map(Item);
    let mut units = |what: &str| -> RedisResult<Vec<Units>> {
        let keys: Vec<String> = items().map(|item| of_item(what, item)).collect();
        let units: Vec<Option<Units>> = cmd("MGET").arg(keys).query(connection)?;
        Ok(units.into_iter().map(Option::unwrap_or_default).collect())
    };
    let (shelves, given_back) = (units("stock")?, units("given-back")?);
    let buyers: Vec<BuyerId> = cmd("SMEMBERS").arg(keys::ORDERED).query(connection)?;
    let mut orders = Vec::new();
    for buyer in buyers {
        let lines: Vec<String> =
            cmd("LRANGE").arg(of_buyer("order", buyer)).arg(0).arg(-1).query(connection)?;
        orders.extend(lines.iter().filter_map(|line| order(buyer, line)));
    }
    let mut holding = Vec::new();
    for item in items() {
        let members: Vec<String> =
            cmd("ZRANGE").arg(of_item("holds", item)).arg(0).arg(-1).query(connection)?;
        let buyer = |member: String| member.split(':').next()?.parse::<BuyerId>().ok();
        holding.extend(members.into_iter().filter_map(buyer));
    }
    Ok(Books { shelves, orders, given_back, holding, ..Books::default() })
}

/// Reads one line of an order.
fn order(buyer: BuyerId, line: &str) -> Option<Order> {
    let (item, qty) = line.split_once(':')?;
    Some(Order { buyer, want: Want::one(Item(item.parse().ok()?), qty.parse().ok()?) })
}
