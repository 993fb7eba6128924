//! The footprint of an SQL statement. Which footprints are independent, `Footprint::conflicts_with` says; all else stands
//! in this folder; it fails closed: what is not understood touches everything.
//!
//! - `reading.rs` reads a statement from its tokens (`tokens.rs`): what it does, which tables it names
//!   (`relations.rs`), which rows it is about (`rows.rs`);
//! - `catalog.rs` holds what the database says of its tables, keys, references, triggers and functions;
//! - `witness.rs` holds what the server itself says that a statement opens: the union of both counts;
//! - `snapshot.rs` says, for each database, which statement takes a transaction's snapshot;
//! - `transactions.rs` follows the transactions of one connection;
//! - `division.rs` says which statements are not one step, because other sessions can come in between.

mod catalog;
mod division;
mod reading;
mod relations;
mod rows;
mod snapshot;
mod tokens;
mod transactions;
mod witness;

pub(super) use catalog::Catalog;
pub(super) use division::{Division, Overlaps};
pub(super) use reading::{Reading, StatementKind};
pub(super) use tokens::{Token, tokens};
pub(super) use transactions::{TransactionEffect, TransactionTracker};
pub(in crate::stores) use witness::OpenedTable;
pub(super) use witness::Witness;
