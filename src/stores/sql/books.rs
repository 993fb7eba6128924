//! What the simulator does itself, beside the checkouts: it fills the tables, and reads them back for the audit.

use super::{Database, SqlError, Statement};
use crate::domain::books::Books;
use crate::domain::op::{Item, Order, Want};
use crate::stores::remote::{Fixture, StoreConfig};

/// Makes the tables.
pub(in crate::stores) fn create(
    database: &mut impl Database,
    terms: &StoreConfig,
) -> Result<(), SqlError> {
    database.run(Statement::Create)?;
    if terms.settings.unit_rows {
        database.run(Statement::Units)?;
    }
    if terms.settings.stock_check { database.run(Statement::Check) } else { Ok(()) }
}

/// Empties the tables, and inserts the stock of each product.
pub(in crate::stores) fn stock_up<D: Database>(
    database: &mut D,
    terms: &StoreConfig,
    opening: Fixture,
) -> Result<(), SqlError> {
    let may_delete = opening.is_small && D::tidies_up(terms.settings.isolation).is_none();
    database.run(if may_delete { Statement::Clear } else { Statement::Truncate })?;
    for item in 0..opening.items {
        let values = [("item", item.into()), ("stock", opening.stock.into())];
        database.change(Statement::PutUp, &values)?;
    }
    if terms.settings.unit_rows {
        database.run(Statement::UnitsClear)?;
        database.run(Statement::Begin)?;
        for item in 0..opening.items {
            for _ in 0..opening.stock {
                database.change(Statement::UnitsPutUp, &[("item", item.into())])?;
            }
        }
        database.run(Statement::Commit)?;
    }
    Ok(())
}

/// Reads the tables for the audit.
pub(in crate::stores) fn take_stock(
    database: &mut impl Database,
    terms: &StoreConfig,
    opening: Fixture,
) -> Result<Books, SqlError> {
    let shelves = match opening.counts_orders {
        true => Statement::ShelvesCounted,
        false if terms.settings.unit_rows => Statement::UnitsShelves,
        false => Statement::Shelves,
    };
    let shelves = database.query(shelves, &[])?;
    let orders = database.query(Statement::Orders, &[])?;
    let holding = database.query(Statement::Holding, &[])?;
    Ok(Books {
        shelves: shelves.iter().map(|[stock, ..]| *stock as i32).collect(),
        given_back: shelves.iter().map(|[_, given_back, _]| *given_back as i32).collect(),
        orders: orders
            .into_iter()
            .map(|[buyer, item, qty]| Order {
                buyer: buyer as u32,
                want: Want::one(Item(item as u8), qty as i32),
            })
            .collect(),
        holding: holding.into_iter().map(|[buyer, ..]| buyer as u32).collect(),
        ..Books::default()
    })
}
