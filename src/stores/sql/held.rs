//! A database whose statements are held until somebody lets them go.

use super::{Database, Row, SqlError, SqlLink, Statement, Values, value_of, with_parameters};
use crate::attempt::Failure;
use crate::stores::StoreKind;
use crate::stores::model::Isolation;
use crate::stores::remote::{Link, Parts, Saying, Seat, Terms, Touches};

/// A link of a buyer with a seat at a turnstile, where its every statement is held, or only it itself.
pub(in crate::stores) fn link<D: Database + 'static>(
    mut database: D,
    seat: Seat,
    kind: StoreKind,
    terms: &Terms,
    holds_statements: bool,
) -> Result<Box<dyn Link>, SqlError> {
    database.take_seat(&seat)?;
    let terms = terms.clone();
    Ok(match holds_statements {
        true => Box::new(SqlLink::new(Held { database, seat, kind, under_way: None }, terms)),
        false => Box::new(SqlLink::new(database, terms)),
    })
}

/// A connection with a turnstile in front of it.
struct Held<D> {
    database: D,
    seat: Seat,
    kind: StoreKind,
    under_way: Option<UnderWay>,
}

/// A transaction.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    isolation: Isolation,
    /// Whether it has looked at anything yet: that is when it is decided what it sees.
    has_looked: bool,
    /// What it has to do with so far.
    touches: Touches,
}

impl<D: Database> Held<D> {
    /// Waits for its turn, has it done, and tells what was answered.
    fn take_turn<T>(
        &mut self,
        statement: Statement,
        values: Values<'_>,
        send: impl FnOnce(&mut D) -> Result<T, SqlError>,
        told: impl FnOnce(&T) -> String,
    ) -> Result<T, SqlError> {
        let touches = self.touches(statement);
        let text = shown(D::text(statement), values);
        if !self.seat.pass(Saying { text, touches }) {
            // On the way home nobody begins anything or brings it to an end, but everybody tidies up.
            if self.under_way.take().is_some() {
                self.database.run(Statement::Rollback)?;
            }
            return match statement {
                Statement::AdvisoryUnlock | Statement::Rollback => send(&mut self.database),
                _ => Err(SqlError::Misused(Failure::Interrupted)),
            };
        }
        let answer = send(&mut self.database);
        self.note(statement, touches, answer.is_ok());
        self.seat.hear(match &answer {
            Ok(answer) => told(answer),
            Err(SqlError::Conflict) => "conflict".into(),
            Err(SqlError::LockTimeout) => "no lock in time".into(),
            Err(SqlError::Check) => "refused: stock below zero".into(),
            Err(error) => error.clone().text(),
        });
        answer
    }

    /// What a statement has to do with, here and now.
    fn touches(&self, statement: Statement) -> Touches {
        let own = of_statement(statement);
        // In a file, whoever writes keeps everybody else from writing.
        let own = match self.kind {
            StoreKind::Sqlite if own.changes() || statement == Statement::BeginLocking => {
                Touches::writing(Parts::ALL)
            }
            _ => own,
        };
        let Some(under_way) = self.under_way else { return own };
        match statement {
            Statement::Commit | Statement::CommitUnsynced | Statement::Rollback => {
                match under_way.isolation {
                    // Who may commit depends on what others have read and written.
                    Isolation::Serializable => Touches::writing(Parts::ALL),
                    _ => under_way.touches,
                }
            }
            // What it will see of everything is decided now.
            _ if !under_way.has_looked && self.keeps_snapshots(under_way.isolation) => {
                own | Touches::reading(Parts::ALL)
            }
            _ => own,
        }
    }

    fn keeps_snapshots(&self, isolation: Isolation) -> bool {
        self.kind == StoreKind::Sqlite || isolation != Isolation::ReadCommitted
    }

    /// Keeps track of the transaction.
    fn note(&mut self, statement: Statement, touches: Touches, is_done: bool) {
        let begun = |isolation| {
            let touches =
                if statement == Statement::BeginLocking { touches } else { Touches::NOTHING };
            Some(UnderWay { isolation, has_looked: false, touches })
        };
        match statement {
            Statement::Begin | Statement::BeginLocking if is_done => {
                self.under_way = begun(Isolation::ReadCommitted);
            }
            Statement::BeginRepeatableRead if is_done => {
                self.under_way = begun(Isolation::RepeatableRead);
            }
            Statement::BeginSerializable if is_done => {
                self.under_way = begun(Isolation::Serializable);
            }
            Statement::Commit | Statement::CommitUnsynced | Statement::Rollback => {
                self.under_way = None;
            }
            _ => {
                if let Some(under_way) = &mut self.under_way {
                    under_way.has_looked = true;
                    // What it has only read matters to nobody when it ends.
                    if touches.changes() {
                        under_way.touches = under_way.touches | of_end(touches);
                    }
                }
            }
        }
    }
}

/// What it means to others when a transaction ends that did this.
fn of_end(touches: Touches) -> Touches {
    Touches { reads: Parts::NONE, ..touches }
}

/// What a statement by itself has to do with.
fn of_statement(statement: Statement) -> Touches {
    use Statement as S;
    const SHELVES: Parts = Parts::SHELVES;
    const ORDERS: Parts = Parts::ORDERS;
    const HOLDS: Parts = Parts::HOLDS;
    match statement {
        S::Read | S::ReadVersioned | S::UnitsLeft => Touches::reading(SHELVES),
        S::Write
        | S::CompareAndSet
        | S::WriteIfVersion
        | S::Take
        | S::Add
        | S::Lock
        | S::UnitsLock
        | S::UnitsTake
        | S::GiveBack => Touches::writing(SHELVES),
        S::CountLeft => Touches::reading(SHELVES | ORDERS),
        S::PlaceOrder => Touches::adding(ORDERS),
        S::PlaceOrderOnce | S::CancelOrder => Touches::writing(ORDERS),
        S::FindOrder => Touches::reading(ORDERS),
        S::HoldOf | S::HoldsRunOutUnits => Touches::reading(HOLDS),
        S::HoldPlace
        | S::HoldForget
        | S::HoldConfirm
        | S::HoldRelease
        | S::HoldsRunOut
        | S::HoldsReturned => Touches::writing(HOLDS),
        S::AdvisoryLock | S::AdvisoryUnlock => Touches::writing(Parts::LOCKS),
        S::Begin
        | S::BeginRepeatableRead
        | S::BeginSerializable
        | S::BeginLocking
        | S::Commit
        | S::CommitUnsynced
        | S::Rollback
        | S::Now => Touches::NOTHING,
        // No checkout's.
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
        | S::Holding => Touches::writing(Parts::ALL),
    }
}

impl<D: Database> Database for Held<D> {
    fn text(statement: Statement) -> &'static str {
        D::text(statement)
    }

    fn change(&mut self, statement: Statement, values: Values<'_>) -> Result<u64, SqlError> {
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

    fn query(&mut self, statement: Statement, values: Values<'_>) -> Result<Vec<Row>, SqlError> {
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

    fn take_seat(&mut self, seat: &Seat) -> Result<(), SqlError> {
        self.database.take_seat(seat)
    }

    fn waits(&mut self) -> Result<Vec<(i64, i64)>, SqlError> {
        self.database.waits()
    }
}

/// A statement on one line, with its values, as short as it can be told: without comments, without times, which
/// are never the same twice, and without what all our tables' names begin with.
fn shown(text: &'static str, values: Values<'_>) -> String {
    let told = with_parameters(text, |name| match name.ends_with("_ms") {
        true => "…".into(),
        false => value_of(name, values).to_string(),
    });
    let lines = told.lines().filter(|line| !line.trim_start().starts_with("--"));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ").replace("oversell_sim_", "")
}

/// How many columns a query has, at least one.
fn columns(text: &str) -> usize {
    let list = text.split("SELECT").nth(1).or_else(|| text.split("RETURNING").nth(1));
    let list = list.unwrap_or_default().split("FROM").next().unwrap_or_default();
    list.matches(',').count() + 1
}
