//! Detects polling: a buyer's code sends the same statements again and again, gets the same answers without a change each
//! time, and will do so until another buyer has changed something.

use std::collections::{BTreeMap, BTreeSet};

use super::statement::PendingStatement;

/// A statement that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AnsweredStatement {
    words: Words,
    answer: String,
    /// Whether it can have changed nothing, or says so.
    is_idle: bool,
}

/// What makes two statements the same. One that was refused is the same with other values: each try may have a token of
/// its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    Text(String),
    Shape(String),
}

impl Words {
    fn are_of(&self, statement: &PendingStatement) -> bool {
        match self {
            Self::Text(text) => *text == statement.text,
            Self::Shape(shape) => *shape == shape_of(statement),
        }
    }
}

/// Answers by which a statement that might change something says that it did not.
const NO: [&str; 6] = ["null", "0", "0 rows", "nothing", "false", "f"];

/// How many more repeats than code ever made before it went on by itself are taken for polling.
const MORE: usize = 2;

/// The most statements of one try.
const LONGEST: usize = 16;

/// The answered statements of one buyer.
#[derive(Clone, Debug, Default)]
pub(super) struct Polling {
    /// Since another buyer may have changed something.
    asked: Vec<AnsweredStatement>,
    /// Those that say of themselves that they have changed nothing, since its buyer has changed something.
    in_vain: BTreeSet<(Words, String)>,
    /// Whether every statement of a transaction so far was idle.
    transactions: BTreeMap<u64, bool>,
}

impl Polling {
    /// Records a statement and its answer. Returns whether others that poll may get another answer now. A statement that
    /// says that it has changed nothing is believed the second time, for it may be a script with no better answer.
    pub(super) fn hears(
        &mut self,
        statement: &PendingStatement,
        answer: &str,
        is_refused: bool,
    ) -> bool {
        let changes = statement.touches.changes();
        // A statement that only reads may take locks, or end a transaction that holds some.
        let writes = changes || statement.footprint.writes_anything();
        let before = statement.transaction.map(|number| self.transactions.get(&number).copied());
        let ends_in_vain = statement.ends_transaction && before == Some(Some(true));
        let is_idle = !changes || is_refused || ends_in_vain || NO.contains(&answer);
        if let (Some(number), false) = (statement.transaction, ends_in_vain) {
            let was_idle = before.flatten().unwrap_or(!statement.ends_transaction);
            self.transactions.insert(number, was_idle && is_idle);
        }
        let words = match is_idle && changes {
            true => Words::Shape(shape_of(statement).to_owned()),
            false => Words::Text(statement.text.clone()),
        };
        let may_have_changed = match (is_idle, writes) {
            (true, false) => false,
            (true, true) => self.in_vain.insert((words.clone(), answer.to_owned())),
            (false, _) => {
                self.in_vain.clear();
                true
            }
        };
        self.asked.push(AnsweredStatement { words, answer: answer.to_owned(), is_idle });
        may_have_changed
    }

    /// Another buyer may have changed something, so that the next answer may differ.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }

    /// Forgets everything: its buyer begins or leaves.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// How often in a row the last statements were sent and answered the same, without a change, if `length` statements are
    /// one try. 0 if the last one may have changed something.
    fn times(&self, length: usize) -> usize {
        let idle = self.asked.iter().rev().take_while(|asked| asked.is_idle).count();
        let tail = &self.asked[self.asked.len() - idle..];
        let earlier = tail.iter().rev().skip(length);
        let same = tail.iter().rev().zip(earlier).take_while(|(asked, earlier)| asked == earlier);
        if idle < length { 0 } else { (same.count() + length) / length }
    }

    /// The lengths of a try after which the next statement may be `next` again, or may not.
    fn lengths(&self, next: &PendingStatement, is_again: bool) -> impl Iterator<Item = usize> {
        let known = self.asked.iter().rev().take(LONGEST).enumerate();
        let fits = known.filter(move |(_, asked)| asked.words.are_of(next) == is_again);
        fits.map(|(place, _)| place + 1)
    }

    /// How often the last statements were repeated in vain before the code went on to `next` by itself: such code does not
    /// wait for other buyers.
    pub(super) fn went_past(&self, next: &PendingStatement) -> usize {
        self.lengths(next, false).map(|length| self.times(length)).max().unwrap_or(0)
    }

    /// Whether `next` would only go on with one more try and get the same answer, where `usual` repeats are no sign of that
    /// yet.
    pub(super) fn is_polling(&self, next: &PendingStatement, usual: usize) -> bool {
        self.lengths(next, true).any(|length| self.times(length) >= usual + MORE)
    }
}

fn shape_of(statement: &PendingStatement) -> &str {
    statement.shape.as_ref().unwrap_or(&statement.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{Footprint, Resources};

    fn look(text: &str) -> PendingStatement {
        PendingStatement::new(text.into(), Footprint::reading(Resources::SHELVES))
    }

    fn change(text: &str) -> PendingStatement {
        PendingStatement::new(text.into(), Footprint::writing(Resources::SHELVES))
    }

    /// The lock, with the token of a try.
    fn lock(token: u32) -> PendingStatement {
        let shape = Some("SET lock ? NX".to_owned());
        PendingStatement { shape, ..change(&format!("SET lock {token} NX")) }
    }

    fn asked(statements: &[(&PendingStatement, &str)]) -> Polling {
        let mut polling = Polling::default();
        for (statement, answer) in statements {
            polling.hears(statement, answer, false);
        }
        polling
    }

    #[test]
    fn a_buyer_that_asks_the_same_a_third_time_after_two_refusals_polls() {
        let polling = asked(&[(&lock(1), "nothing"), (&lock(1), "nothing")]);
        assert!(polling.is_polling(&lock(1), 0));
        assert!(!polling.is_polling(&look("GET stock"), 0));
        assert!(!asked(&[(&lock(1), "nothing")]).is_polling(&lock(1), 0));
    }

    #[test]
    fn a_refused_try_may_have_a_token_of_its_own_and_what_is_read_may_not() {
        let polling = asked(&[(&lock(1), "nothing"), (&lock(2), "nothing")]);
        assert!(polling.is_polling(&lock(3), 0));
        let shaped = |text: &str| PendingStatement { shape: Some("GET ?".into()), ..look(text) };
        let polling = asked(&[(&shaped("GET 1"), "5"), (&shaped("GET 2"), "5")]);
        assert!(!polling.is_polling(&shaped("GET 3"), 0));
    }

    #[test]
    fn a_try_may_have_several_statements_and_is_whole_before_it_counts() {
        let (see, set, end) = (look("SELECT owner"), change("UPDATE lock"), look("ROLLBACK"));
        let one = [(&see, "7"), (&set, "0 rows"), (&end, "")];
        let polling = asked(&[one, one].concat());
        assert!(polling.is_polling(&see, 0));
        assert!(!polling.is_polling(&set, 0));
        let polling = asked(&[&one[..], &one[..2]].concat());
        assert!(!polling.is_polling(&end, 0));
    }

    #[test]
    fn a_transaction_that_changed_nothing_ends_without_a_change() {
        let in_transaction = |number, statement: PendingStatement| PendingStatement {
            transaction: Some(number),
            ..statement
        };
        let end = |number| PendingStatement {
            ends_transaction: true,
            ..in_transaction(number, change("COMMIT"))
        };
        let set = |number| in_transaction(number, change("UPDATE lock"));
        let mut polling =
            asked(&[(&set(1), "0 rows"), (&end(1), ""), (&set(2), "0 rows"), (&end(2), "")]);
        assert!(polling.is_polling(&set(3), 0));
        assert!(!polling.hears(&set(3), "0 rows", false));
        assert!(!polling.hears(&end(3), "", false));
        assert!(polling.hears(&set(4), "1 row", false));
        assert!(polling.hears(&end(4), "", false));
        assert!(polling.hears(&end(4), "", false), "it has changed something before");
        assert!(asked(&[]).hears(&end(5), "", false), "nothing is known of it");
    }

    #[test]
    fn a_refused_statement_is_a_try_in_vain() {
        let mut polling = Polling::default();
        let insert = change("INSERT INTO lock");
        polling.hears(&insert, "duplicate key", true);
        polling.hears(&insert, "duplicate key", true);
        assert!(polling.is_polling(&insert, 0));
    }

    #[test]
    fn what_says_that_it_changed_nothing_is_believed_the_second_time() {
        let mut polling = Polling::default();
        let unlock = change("EVAL unlock");
        assert!(polling.hears(&unlock, "nothing", false));
        assert!(!polling.hears(&unlock, "nothing", false));
        polling.forget();
        assert!(!polling.hears(&unlock, "nothing", false));
        assert!(polling.hears(&lock(1), "OK", false));
        assert!(polling.hears(&unlock, "nothing", false), "it has the lock again");
        assert!(!polling.hears(&look("GET lock"), "nothing", false));
    }

    #[test]
    fn whatever_may_have_changed_something_is_no_poll() {
        let add = change("INSERT INTO line VALUES (1)");
        assert!(!asked(&[(&add, "1 rows"), (&add, "1 rows")]).is_polling(&add, 0));
        let look = look("SELECT taken FROM locks");
        assert!(asked(&[(&look, "t"), (&look, "t")]).is_polling(&look, 0));
    }

    #[test]
    fn another_answer_or_another_move_ends_it() {
        let mut polling = asked(&[(&lock(1), "nothing"), (&lock(1), "nothing")]);
        polling.hears(&lock(1), "OK", false);
        assert!(!polling.is_polling(&lock(1), 0));
        let mut polling = asked(&[(&lock(1), "nothing"), (&lock(1), "nothing")]);
        polling.forget();
        assert!(!polling.is_polling(&lock(1), 0));
    }

    #[test]
    fn code_that_asks_the_same_three_times_and_goes_on_has_to_ask_it_more_often() {
        let look = look("SELECT * FROM settings");
        let polling = asked(&[(&look, "1"), (&look, "1"), (&look, "1")]);
        let usual = polling.went_past(&change("UPDATE product SET stock = 0"));
        assert_eq!(usual, 3);
        assert!(!polling.is_polling(&look, usual));
        assert_eq!(polling.went_past(&look), 0);
    }
}
