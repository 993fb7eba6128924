//! The footprint of an SQL statement. Which footprints are independent, `Footprint::conflicts_with` says; all else stands
//! in this folder; it fails closed: what is not understood touches everything.
//!
//! - `reading.rs` reads a statement from its tokens (`tokens.rs`): what it does, which tables it names
//!   (`relations.rs`), which rows it is about (`rows.rs`), and whether it changes what others mean (`settings.rs`);
//! - `catalog.rs` holds what the database says of its tables, keys, references, triggers and functions;
//! - `witness.rs` holds what the server itself says that a statement opens: the union of both counts;
//! - `snapshot.rs` says, for each database, which statement takes a transaction's snapshot;
//! - `predicate.rs` reads from a statement's grammar which rows it is about; `columns.rs` says which values of a column
//!   differ; `row_footprint.rs` makes of both a footprint in rows, and `scans.rs`
//!   keeps who can see in which order rows were written;
//! - `effect.rs` is what a statement does: what it touches, and its footprint;
//! - `transactions.rs` follows the transactions of one connection: what a statement does in the one that it is in, at
//!   which isolation level (`levels.rs`), and what a rollback to a savepoint leaves of it (`savepoint.rs`);
//! - `division.rs` says which statements are not one step, because other sessions can come in between.

mod catalog;
mod columns;
mod division;
mod effect;
mod levels;
mod predicate;
mod reading;
mod relations;
mod row_footprint;
mod rows;
mod savepoint;
mod scans;
mod settings;
mod snapshot;
mod tokens;
mod transactions;
mod witness;

pub(super) use catalog::Catalog;
pub(super) use division::{Division, Overlaps};
pub(super) use effect::Effect;
pub(super) use reading::{Reading, StatementKind};
pub(super) use tokens::{Token, tokens};
pub(super) use transactions::{StatementOutcome, TransactionEffect, TransactionTracker};
pub(in crate::stores) use witness::OpenedTable;
pub(super) use witness::Witness;
