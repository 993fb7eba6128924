//! The statements that an application sends to a database, as far as they have to be known.

use std::sync::Arc;

use parking_lot::RwLock;

use super::executor::DatabaseInfo;
use super::independence::{
    Effect, StatementKind, StatementOutcome, TransactionEffect, TransactionTracker,
};
use crate::base::text::sql::{Dialect, code_location, filled, in_brief, shape, statements};
use crate::domain::store_kind::StoreKind;
use crate::proxy::{
    AnalyzedStatement, ClientStatement, StatementAnalyzer, TransactionState as State,
};
use crate::scheduler::Footprint;

/// Why several statements that are sent at once are no proof.
const AT_ONCE: &str = "they are sent at once, and cannot be held one by one";

/// One connection.
pub(in crate::stores) struct SqlAnalyzer {
    dialect: Dialect,
    known: Arc<RwLock<DatabaseInfo>>,
    transactions: TransactionTracker,
    state: State,
    /// The number of transactions that have begun.
    begun: u64,
    /// Statements that were let through since the last held one, and are shown with the next.
    before: Vec<String>,
}

/// What one statement of those that are about to be sent does.
struct One {
    effect: Effect,
    begins: Option<Footprint>,
}

impl SqlAnalyzer {
    pub(in crate::stores) fn new(kind: StoreKind, known: &Arc<RwLock<DatabaseInfo>>) -> Self {
        Self {
            dialect: kind.dialect(),
            known: Arc::clone(known),
            transactions: TransactionTracker::of(kind, known.read().catalog.isolation()),
            state: State::NONE,
            begun: 0,
            before: Vec::new(),
        }
    }

    /// Reads one of the statements that are about to be sent.
    fn see_one(&mut self, text: &str, filled: Option<&str>) -> One {
        let known = self.known.read().clone();
        let catalog = &known.catalog;
        self.transactions.is_usually_at(catalog.isolation());
        let reading = catalog.read(text);
        let frame = self.transactions.frame(&reading);
        let begins = match frame {
            TransactionEffect::Begins(_) | TransactionEffect::BeginsLocking => true,
            TransactionEffect::Ends { .. } => false,
            // With autocommit off, a session begins a transaction implicitly.
            TransactionEffect::GoesOn => {
                let does = self.state.begins_by_itself && reading.kind != StatementKind::Sets;
                let begins = does && !self.transactions.is_under_way();
                if begins {
                    self.transactions.begins_by_itself();
                }
                begins
            }
        };
        let own = known.effect(&reading, text, filled, self.transactions.isolation());
        let effect = self.transactions.effect(frame, &reading, own.clone());
        let division = catalog.division(&reading, &self.transactions);
        let brief = in_brief(&shape(self.dialect, text));
        let commits_at_once = !self.transactions.is_under_way();
        known.overlaps.note(division, &reading, &brief, &effect.touches, commits_at_once);
        let begins_with = match division.begins_and_acts() {
            true if known.holds_inside => {
                Some(known.begins(&reading, text, &self.transactions, effect.clone()))
            }
            true => {
                known.note_unheld(&brief);
                None
            }
            false => None,
        };
        self.transactions.note(frame, &reading, &own, StatementOutcome::Done);
        self.begun += u64::from(begins);
        One { effect, begins: begins_with }
    }

    /// Reads all statements that are about to be sent.
    fn see_all(&mut self, said: &ClientStatement) -> One {
        let text = &said.text;
        let texts = statements(self.dialect, text);
        // A value is written with its quotes doubled, which is all that it takes unless there are backslashes.
        let is_clear = !said.values.iter().any(|value| value.contains('\\'));
        let filled = filled(self.dialect, text, &said.values);
        let filled = (texts.len() == 1 && is_clear).then_some(filled.as_str());
        let all: Vec<One> = texts.iter().map(|text| self.see_one(text, filled)).collect();
        let touching = all.iter().filter(|one| one.effect.touches != Footprint::NOTHING).count();
        if touching > 1 {
            let brief = in_brief(&shape(self.dialect, text));
            self.known.read().overlaps.note_unheld(&brief, AT_ONCE);
        }
        let effects = all.iter().map(|one| one.effect.clone());
        let effect = effects.fold(Effect::NOTHING, |all, one| all | one);
        // If there are several, the first one that is held inside may follow others: together they touch everything
        // above.
        let begins = match touching {
            1 => all.into_iter().find_map(|one| one.begins),
            _ => {
                let together = || effect.touches.clone() | &effect.footprint;
                all.iter().any(|one| one.begins.is_some()).then(together)
            }
        };
        One { effect, begins }
    }
}

impl StatementAnalyzer for SqlAnalyzer {
    fn see(&mut self, said: &ClientStatement) -> AnalyzedStatement {
        let was_under_way = self.transactions.is_under_way();
        let (holds, rolled_back) = (self.transactions.holds(), self.transactions.rolled_back());
        let One { effect: Effect { touches, footprint, .. }, begins } = self.see_all(said);
        let is_framed = was_under_way || self.transactions.is_under_way();
        let text = in_brief(&filled(self.dialect, &said.text, &said.values));
        let shape = shape(self.dialect, &said.text);
        let code = code_location(self.dialect, &said.text);
        let transaction = is_framed.then_some(self.begun);
        let ends_transaction = was_under_way && !self.transactions.is_under_way();
        if touches == Footprint::NOTHING {
            // A statement that is not held is only shown if it begins a transaction.
            if self.transactions.is_under_way() && !was_under_way {
                self.before.push(text.clone());
            }
            return AnalyzedStatement {
                text,
                shape,
                code,
                touches,
                footprint,
                holds,
                rolled_back,
                begins,
                transaction,
                ends_transaction,
            };
        }
        let mut told = std::mem::take(&mut self.before);
        told.push(text);
        let text = told.join("; ");
        AnalyzedStatement {
            text,
            shape,
            code,
            touches,
            footprint,
            holds,
            rolled_back,
            begins,
            transaction,
            ends_transaction,
        }
    }

    fn settle(&mut self, state: State) {
        self.state = state;
        match (state.is_open, self.transactions.is_under_way()) {
            (false, true) => {
                self.transactions.breaks_off();
                self.before.clear();
            }
            // The cause of this transaction is not known: whatever it has done so far may matter when it ends.
            (true, false) => {
                self.begun += 1;
                self.transactions.is_found_open();
            }
            (true, true) if state.has_failed => self.transactions.is_broken_off(),
            // Where statements are sent before the last is answered, the error may be known later than what ends it.
            (true, true) => self.transactions.goes_on(),
            (false, false) => {}
        }
    }
}
