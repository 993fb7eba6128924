//! A database connection whose statements the scheduler holds until it releases them.

use std::sync::Arc;

use super::executor::DatabaseInfo;
use super::independence::{
    Division, Effect, Reading, StatementKind, StatementOutcome, TransactionTracker,
};
use super::{Database, OpenedTable, Parameters, Row, SqlError, SqlLink, Statement, value_of};
use crate::base::text::sql::{ScriptPlace, on_one_line};
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::attempt::Failure;
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{BuyerHandle, Facet, Footprint, PendingStatement, Resources, Rows};
use crate::stores::remote::{Link, Refusal, StoreConfig};

/// A link of a buyer with a handle to the gate. The gate holds each of its statements if `holds_statements`, else only
/// the buyer itself.
pub(in crate::stores) fn link<D: Database + 'static>(
    mut database: D,
    handle: BuyerHandle,
    known: DatabaseInfo,
    terms: &StoreConfig,
    holds_statements: bool,
) -> Result<Box<dyn Link>, SqlError> {
    database.attach(&handle)?;
    let terms = terms.clone();
    Ok(match holds_statements {
        true => {
            let transactions =
                TransactionTracker::of(known.catalog.kind(), Isolation::ReadCommitted);
            Box::new(SqlLink::new(
                HeldSqlConnection { database, handle, known, transactions },
                terms,
            ))
        }
        false => Box::new(SqlLink::new(database, terms)),
    })
}

/// A connection whose statements are held at the scheduler's gate.
struct HeldSqlConnection<D> {
    database: D,
    handle: BuyerHandle,
    known: DatabaseInfo,
    transactions: TransactionTracker,
}

impl<D: Database> HeldSqlConnection<D> {
    /// The reading of one of our statements. One that begins or ends a transaction may be a script of several.
    fn reading(&self, statement: Statement) -> Arc<Reading> {
        let begins = |level| StatementKind::Begins(Some(level));
        Arc::new(Reading::of_frame(match statement {
            Statement::Begin => begins(Isolation::ReadCommitted),
            Statement::BeginRepeatableRead => begins(Isolation::RepeatableRead),
            Statement::BeginSerializable => begins(Isolation::Serializable),
            Statement::BeginLocking => StatementKind::BeginsLocking,
            Statement::Commit | Statement::CommitUnsynced => {
                StatementKind::Commits { chains: false }
            }
            Statement::Rollback => StatementKind::RollsBack { chains: false },
            _ => return self.known.catalog.read(D::text(statement)),
        }))
    }

    /// Waits until the statement is released, sends it, and passes the answer to the handle.
    fn take_turn<T>(
        &mut self,
        statement: Statement,
        values: Parameters<'_>,
        send: impl FnOnce(&mut D) -> Result<T, SqlError>,
        told: impl FnOnce(&T) -> String,
    ) -> Result<T, SqlError> {
        let kind = self.known.catalog.kind();
        let reading = self.reading(statement);
        let frame = self.transactions.frame(&reading);
        let own = of_statement(statement, values);
        let effect = self.transactions.effect(frame, &reading, own.clone());
        let text = shown(kind, D::text(statement), values);
        let begins = self.begins(&reading, statement, &text, &effect);
        let pending = PendingStatement::new(text, effect.touches)
            .depending_on(effect.footprint)
            .in_transaction(self.transactions.holds(), self.transactions.rolled_back())
            .beginning_with(begins);
        if !self.handle.await_release(pending) {
            // A buyer that has to leave begins and commits nothing, but rolls back its transaction and releases its
            // locks.
            if self.transactions.breaks_off() {
                self.database.run(Statement::Rollback)?;
            }
            return match statement {
                Statement::AdvisoryUnlock | Statement::Rollback => send(&mut self.database),
                _ => Err(SqlError::Misused(Failure::Interrupted)),
            };
        }
        let answer = send(&mut self.database);
        self.transactions.note(frame, &reading, &own, StatementOutcome::of(kind, &answer));
        let text = match &answer {
            Ok(answer) => told(answer),
            Err(SqlError::Conflict) => "conflict".into(),
            Err(SqlError::Deadlock) => Refusal::Deadlock.text(),
            Err(SqlError::LockTimeout) => "no lock in time".into(),
            Err(SqlError::Check) => "refused: stock below zero".into(),
            Err(error) => error.clone().text(),
        };
        self.handle.hear(text, answer.is_err());
        answer
    }

    /// What a statement touches when it begins, if it is to be held between that and its first change.
    fn begins(
        &self,
        reading: &Reading,
        statement: Statement,
        text: &str,
        effect: &Effect,
    ) -> Option<Footprint> {
        let DatabaseInfo { catalog, holds_inside, overlaps, .. } = &self.known;
        // Of these statements, only the one for holds that have run out goes from row to row. No row that it has passed is
        // one of these later, unless time goes by, so one that finds none could have been run before what came in between.
        let division = match catalog.division(reading, &self.transactions) {
            Division::BeginsAndActsBesideCommits(_) => Division::BeginsAndActs,
            division => division,
        };
        let commits_at_once = !self.transactions.is_under_way();
        overlaps.note(division, reading, text, &effect.touches, commits_at_once);
        if !division.begins_and_acts() {
            return None;
        }
        if !holds_inside {
            self.known.note_unheld(text);
            return None;
        }
        Some(match catalog.kind() {
            StoreKind::Postgres => {
                let Footprint { reads, writes, adds } = of_tables(statement).touches;
                let own = Effect::reading(reads.contents | writes.contents | adds.contents);
                let frame = self.transactions.frame(reading);
                self.transactions.effect(frame, reading, own).footprint
            }
            _ => effect.touches.clone() | &effect.by_table,
        })
    }
}

/// What a statement does by itself, with these values.
fn of_statement(statement: Statement, values: Parameters<'_>) -> Effect {
    use Statement as S;
    let effect = of_tables(statement);
    match statement {
        S::Read
        | S::ReadVersioned
        | S::Write
        | S::CompareAndSet
        | S::WriteIfVersion
        | S::Take
        | S::Add
        | S::GiveBack => effect.of_one_row(shelf(values)),
        _ => effect,
    }
}

/// The shelf that these values are about, whose primary key is its item.
fn shelf(values: Parameters<'_>) -> Rows {
    let item = value_of("item", values).to_string();
    Rows { table: 0, facet: Facet::Contents, values: [("item".to_owned(), item)].into() }
}

/// What a statement does by itself, in whole tables.
fn of_tables(statement: Statement) -> Effect {
    use Statement as S;
    const SHELVES: Resources = Resources::SHELVES;
    const ORDERS: Resources = Resources::ORDERS;
    const HOLDS: Resources = Resources::HOLDS;
    match statement {
        S::Read | S::ReadVersioned | S::UnitsLeft => Effect::reading(SHELVES),
        S::Write
        | S::CompareAndSet
        | S::WriteIfVersion
        | S::Take
        | S::Add
        | S::UnitsTake
        | S::GiveBack => Effect::changing(SHELVES),
        S::Lock | S::UnitsLock => Effect::locking(SHELVES),
        S::CountLeft => Effect::reading(SHELVES | ORDERS),
        S::PlaceOrder => Effect::adding(ORDERS),
        S::PlaceOrderOnce | S::CancelOrder => Effect::changing(ORDERS),
        S::FindOrder => Effect::reading(ORDERS),
        S::HoldOf | S::HoldsRunOutUnits => Effect::reading(HOLDS),
        S::HoldPlace
        | S::HoldForget
        | S::HoldConfirm
        | S::HoldRelease
        | S::HoldsRunOut
        | S::HoldsReturned => Effect::changing(HOLDS),
        S::AdvisoryLock | S::AdvisoryUnlock => Effect::changing(Resources::LOCKS).at_once(),
        S::Begin
        | S::BeginRepeatableRead
        | S::BeginSerializable
        | S::BeginLocking
        | S::Commit
        | S::CommitUnsynced
        | S::Rollback
        | S::Now => Effect::NOTHING,
        // No checkout uses these.
        S::Create
        | S::Check
        | S::Drop
        | S::Truncate
        | S::Clear
        | S::PutUp
        | S::Shelves
        | S::ShelvesCounted
        | S::Orders
        | S::Units
        | S::UnitsClear
        | S::UnitsPutUp
        | S::UnitsShelves
        | S::Holding
        | S::RoomMake
        | S::RoomEnter
        | S::RoomLeave
        | S::RoomRaze
        | S::RoomEmpty
        | S::RoomClear
        | S::RoomParts
        | S::HoldInside
        | S::NotesAreMade
        | S::ServerClock
        | S::HoldNoMore => Effect::everything(),
    }
}

impl<D: Database> Database for HeldSqlConnection<D> {
    fn text(statement: Statement) -> &'static str {
        D::text(statement)
    }

    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Result<u64, SqlError> {
        self.take_turn(
            statement,
            values,
            |database| database.change(statement, values),
            |rows| match rows {
                1 => "1 row".into(),
                rows => format!("{rows} rows"),
            },
        )
    }

    fn query(
        &mut self,
        statement: Statement,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, SqlError> {
        let columns = columns(D::text(statement));
        self.take_turn(
            statement,
            values,
            |database| database.query(statement, values),
            |rows| match rows.first() {
                None => "nothing".into(),
                Some(first) => {
                    let numbers: Vec<String> =
                        first.iter().take(columns).map(i64::to_string).collect();
                    let more = if rows.len() > 1 { " …" } else { "" };
                    format!("{}{more}", numbers.join(", "))
                }
            },
        )
    }

    fn run(&mut self, script: Statement) -> Result<(), SqlError> {
        self.take_turn(script, &[], |database| database.run(script), |()| String::new())
    }

    fn ask(
        &mut self,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, SqlError> {
        self.database.ask(text, value_of)
    }

    fn run_file(&mut self, text: &str) -> Result<(), SqlError> {
        self.database.run_file(text)
    }

    fn run_script(&mut self, text: &str) -> Result<(), (SqlError, ScriptPlace)> {
        self.database.run_script(text)
    }

    fn opens(&mut self, text: &str) -> Vec<OpenedTable> {
        self.database.opens(text)
    }

    fn enter_room(&mut self, isolation: Isolation) -> Result<(), SqlError> {
        self.database.enter_room(isolation)
    }

    fn attach(&mut self, handle: &BuyerHandle) -> Result<(), SqlError> {
        self.database.attach(handle)
    }

    fn learned(&mut self) -> Result<i64, SqlError> {
        self.database.learned()
    }

    fn begin_anew(&mut self) -> Result<u64, SqlError> {
        self.database.begin_anew()
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        self.database.waits()
    }
}

/// A statement on one line, with its values, in short form: without times, which are never the same twice, and without
/// the prefix of our tables' names.
fn shown(kind: StoreKind, text: &'static str, values: Parameters<'_>) -> String {
    let told = on_one_line(kind.dialect(), text, |name| match name.ends_with("_ms") {
        true => "…".into(),
        false => value_of(name, values).to_string(),
    });
    told.replace("oversell_sim_", "")
}

/// How many columns a query has, at least one.
fn columns(text: &str) -> usize {
    let list = text.split("SELECT").nth(1).or_else(|| text.split("RETURNING").nth(1));
    let list = list.unwrap_or_default().split("FROM").next().unwrap_or_default();
    list.matches(',').count() + 1
}
