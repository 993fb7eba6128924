//! A connection over which a described checkout's own statements are sent to a database.

use std::sync::Arc;

use super::independence::{
    Catalog, Effect, Overlaps, Reading, StatementKind, StatementOutcome, TransactionEffect,
    TransactionTracker, Witness,
};
use super::{Database, SqlError};
use crate::base::text::sql::{Sql, with_parameters};
use crate::describe::checkout::{Answer, Call, StoreValue};
use crate::domain::isolation::Isolation;
use crate::scheduler::{Footprint, PendingStatement};
use crate::stores::remote::{Refusal, Stays, StepExecutor};

/// What is known of a database, for every connection to it.
#[derive(Clone, Default)]
pub(in crate::stores) struct DatabaseInfo {
    pub(super) catalog: Arc<Catalog>,
    /// What the server reports about statements.
    pub(super) witness: Arc<Witness>,
    /// Whether triggers hold the statements that begin and act.
    pub(super) holds_inside: bool,
    /// Why triggers do not hold them, if they do not.
    pub(super) unheld: &'static str,
    /// Whether a step may leave something in the session.
    pub(super) may_leave_traces: bool,
    pub(super) overlaps: Overlaps,
    /// How many sessions there are beside each.
    pub(super) others: u32,
}

impl DatabaseInfo {
    /// What a statement does by itself at this isolation level, by its words and as the server says. `filled` is the
    /// statement with its values, where they are known.
    pub(super) fn effect(
        &self,
        reading: &Reading,
        text: &str,
        filled: Option<&str>,
        isolation: Isolation,
    ) -> Effect {
        let (effect, told) = self.catalog.effect_on_rows(reading, filled, isolation);
        effect | self.catalog.opened(reading, text, &self.witness, &told)
    }

    /// What a statement touches when it begins, if it does all of `effect`.
    pub(super) fn begins(
        &self,
        reading: &Reading,
        text: &str,
        transactions: &TransactionTracker,
        effect: Effect,
    ) -> Footprint {
        let opened = self.catalog.opened(reading, text, &self.witness, &[]);
        let reads = opened.footprint.reads.contents;
        self.catalog.begins(reading, transactions, effect) | Footprint::reading(reads)
    }

    /// Notes that a statement that begins and acts is sent in one step.
    pub(super) fn note_unheld(&self, text: &str) {
        self.overlaps.note_unheld(text, self.unheld);
    }
}

/// One connection, over which the statements of a described checkout are sent.
pub(super) struct SqlExecutor<D> {
    database: D,
    known: DatabaseInfo,
    transactions: TransactionTracker,
    /// Whether the transaction that is under way has changed anything.
    has_changed: bool,
    /// What the statement that is held does by itself.
    held: Option<Effect>,
    /// The commits of the order that is under way, one after the other: what each has changed, and whether it has changed
    /// rows that were there before.
    commits: Vec<(Footprint, bool)>,
    /// The number of that order.
    order: u64,
    /// Whether the transaction that is under way has.
    changes_rows: bool,
}

/// Why a statement that begins and acts is not held.
pub(in crate::stores) const NO_TRIGGERS: &str =
    "holding it inside takes triggers; add --allow-triggers";

impl<D: Database> SqlExecutor<D> {
    pub(super) fn new(database: D, known: DatabaseInfo) -> Self {
        let transactions = TransactionTracker::of(known.catalog.kind(), known.catalog.isolation());
        Self {
            database,
            known,
            transactions,
            has_changed: false,
            held: None,
            commits: Vec::new(),
            changes_rows: false,
            order: 0,
        }
    }

    /// What a statement does by itself, with these values.
    fn own_effect(
        &self,
        reading: &Reading,
        text: &str,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Effect {
        let dialect = self.known.catalog.kind().dialect();
        let mut is_clear = true;
        let filled = with_parameters(dialect, text, |name| match literal(&value_of(name)) {
            Some(literal) => literal,
            None => {
                is_clear = false;
                String::new()
            }
        });
        let isolation = self.transactions.isolation();
        self.known.effect(reading, text, is_clear.then_some(&filled), isolation)
    }

    /// Notes what a statement commits, and whether others may commit while it goes from row to row.
    fn note_commits(&mut self, reading: &Reading, text: &str, touches: &Footprint) {
        let DatabaseInfo { catalog, overlaps, others, .. } = &self.known;
        if self.order != overlaps.order() {
            (self.order, self.changes_rows) = (overlaps.order(), false);
            self.commits.clear();
        }
        if catalog.goes_from_row_to_row(reading, &self.transactions) {
            overlaps.note_row_by_row(text, touches, catalog.commits_that_matter(reading), *others);
        }
        let is_under_way = self.transactions.is_under_way();
        let adds_only = reading.changes_no_old_row() && !catalog.has_code();
        let changes_rows = !adds_only || is_under_way && self.changes_rows;
        let commits = matches!(reading.kind, StatementKind::Commits { .. }) || !is_under_way;
        self.changes_rows = changes_rows && !commits;
        if commits && touches.changes() {
            self.commits.push((touches.clone(), changes_rows));
            overlaps.note_commits(&self.commits);
        }
    }

    /// What a statement touches when it begins, if it is to be held between that and its first change; none if it is
    /// one step, or cannot be held.
    fn begins(&self, reading: &Reading, text: &str, effect: &Effect) -> Option<Footprint> {
        let division = self.known.catalog.division(reading, &self.transactions);
        let commits_at_once = !self.transactions.is_under_way();
        self.known.overlaps.note(division, reading, text, &effect.touches, commits_at_once);
        if !division.begins_and_acts() {
            return None;
        }
        if !self.known.holds_inside {
            self.known.note_unheld(text);
            return None;
        }
        Some(self.known.begins(reading, text, &self.transactions, effect.clone()))
    }
}

/// The statement of a call.
fn text(call: &Call) -> &str {
    match call {
        Call::Sql(sql) => &sql.text,
        // The reader of the checkout file has made sure that every call is a statement.
        Call::Redis(_) | Call::Lua { .. } | Call::Http(_) | Call::Program(_) | Call::Code(_) => "",
    }
}

/// A value as it is written in a statement; none for one whose writing depends on more than the dialect.
fn literal(value: &StoreValue) -> Option<String> {
    match value {
        StoreValue::Null => Some("NULL".into()),
        StoreValue::Int(number) => Some(number.to_string()),
        StoreValue::Text(text) if text.contains('\\') => None,
        StoreValue::Text(text) => Some(format!("'{}'", text.replace('\'', "''"))),
        StoreValue::Real(_) | StoreValue::Decimal(_) => None,
    }
}

/// What an error means to a described checkout.
fn refusal(error: SqlError) -> Refusal {
    match error {
        SqlError::Conflict => Refusal::Conflict,
        SqlError::Deadlock => Refusal::Deadlock,
        SqlError::LockTimeout => Refusal::Locked,
        SqlError::Lost(text) => Refusal::Lost(text),
        SqlError::Check => Refusal::Forbidden("a CHECK constraint forbids it".into()),
        SqlError::Forbidden(text) => Refusal::Forbidden(text),
        SqlError::Mistaken(text) | SqlError::Refused(text) => Refusal::Wrong(text),
        SqlError::Misused(why) => Refusal::Wrong(why.to_string()),
    }
}

impl<D: Database> StepExecutor for SqlExecutor<D> {
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal> {
        let text = text(call);
        let catalog = Arc::clone(&self.known.catalog);
        let reading = catalog.read(text);
        // In a race no statement is held, and only where transactions begin and end is to be known.
        let own = self.held.take().unwrap_or_else(|| catalog.effect(&reading));
        let frame = self.transactions.frame(&reading);
        let answer = self.database.ask(text, value_of);
        let outcome = match StatementOutcome::of(catalog.kind(), &answer) {
            // A constraint of SQLite may say that the whole transaction is rolled back.
            StatementOutcome::Refused if self.database.is_in_transaction() == Some(false) => {
                StatementOutcome::RolledBack
            }
            outcome => outcome,
        };
        self.transactions.note(frame, &reading, &own, outcome);
        self.has_changed = self.transactions.is_under_way()
            && (self.has_changed || reading.kind == StatementKind::Changes);
        answer.map_err(refusal)
    }

    fn told(&self, call: &Call, answer: &Answer) -> String {
        let reading = self.known.catalog.read(text(call));
        match reading.is_frame() || reading.kind == StatementKind::Sets {
            true => String::new(),
            false => answer.to_string(),
        }
    }

    fn pending(
        &mut self,
        call: &Call,
        text: String,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement {
        let statement = self::text(call);
        let reading = self.known.catalog.read(statement);
        let own = self.own_effect(&reading, statement, value_of);
        let frame = self.transactions.frame(&reading);
        let effect = self.transactions.effect(frame, &reading, own.clone());
        self.held = Some(own);
        let begins = self.begins(&reading, statement, &effect);
        self.note_commits(&reading, statement, &effect.touches);
        PendingStatement::new(text, effect.touches)
            .depending_on(effect.footprint)
            .in_transaction(self.transactions.holds(), self.transactions.rolled_back())
            .beginning_with(begins)
    }

    fn is_open(&self) -> bool {
        self.transactions.is_under_way()
    }

    fn during(&self, pending: PendingStatement) -> PendingStatement {
        pending.in_transaction(self.transactions.holds(), self.transactions.rolled_back())
    }

    fn taking_back(&self) -> Vec<Call> {
        let rollback = || Call::Sql(Sql::new(self.known.catalog.kind().dialect(), "ROLLBACK"));
        self.transactions.may_be_under_way().then(rollback).into_iter().collect()
    }

    fn stays(&self, call: &Call) -> Stays {
        let reading = self.known.catalog.read(text(call));
        match reading.kind {
            StatementKind::Commits { .. } if self.has_changed => Stays::Everything,
            // In SQLite, a savepoint that has begun a transaction commits it when it is released.
            StatementKind::Sets
                if self.has_changed
                    && matches!(
                        self.transactions.frame(&reading),
                        TransactionEffect::Ends { .. }
                    ) =>
            {
                Stays::Everything
            }
            StatementKind::Changes if !self.transactions.is_under_way() => Stays::Changes,
            StatementKind::Unknown => Stays::Everything,
            _ => Stays::Nothing,
        }
    }

    fn may_leave_traces(&self) -> bool {
        self.known.may_leave_traces
    }

    fn begin_anew(&mut self) -> Result<u64, Refusal> {
        self.transactions.begins_anew();
        self.has_changed = false;
        self.database.begin_anew().map_err(refusal)
    }
}
