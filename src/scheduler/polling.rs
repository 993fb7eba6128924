//! Detects polling: a buyer's code sends the same statement again and again, gets the same answer without a change each
//! time, and will do so until another buyer has changed something.

/// A statement that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AnsweredStatement {
    text: String,
    answer: String,
    /// Whether it can have changed nothing.
    is_idle: bool,
}

/// Answers by which a statement that might change something says that it did not.
const NO: [&str; 5] = ["null", "0", "0 rows", "nothing", "false"];

/// How many more repeats than code ever made before it went on by itself are taken for polling.
const MORE: usize = 2;

/// Whether a statement that might change something says with this answer that it did not.
pub(super) fn says_no(answer: &str) -> bool {
    NO.contains(&answer)
}

/// The answered statements of one buyer since another buyer may have changed something.
#[derive(Clone, Debug, Default)]
pub(super) struct Polling {
    asked: Vec<AnsweredStatement>,
}

impl Polling {
    /// Records a statement and its answer.
    pub(super) fn hears(&mut self, text: String, changes: bool, answer: &str) {
        let is_idle = !changes || says_no(answer);
        self.asked.push(AnsweredStatement { text, answer: answer.to_owned(), is_idle });
    }

    /// Forgets all statements: another buyer may have changed something, or this one begins, so that the next answer may
    /// differ.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }

    /// How often in a row the last statement was sent and answered the same, without a change; 0 if it may have changed
    /// something.
    fn times(&self) -> usize {
        let Some(last) = self.asked.last().filter(|last| last.is_idle) else { return 0 };
        self.asked.iter().rev().take_while(|asked| *asked == last).count()
    }

    /// How often the last statement was repeated in vain before the code went on to `next` by itself: such code does
    /// not wait for other buyers.
    pub(super) fn went_past(&self, next: &str) -> usize {
        match self.asked.last() {
            Some(last) if last.text != next => self.times(),
            _ => 0,
        }
    }

    /// Whether `next` would only repeat the last statement and get the same answer, where `usual` repeats are no sign
    /// of that yet.
    pub(super) fn is_polling(&self, next: &str, usual: usize) -> bool {
        self.times() >= usual + MORE && self.asked.last().is_some_and(|last| last.text == next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "SET lock a NX PX 30000";

    fn asked(statements: &[(&str, bool, &str)]) -> Polling {
        let mut polling = Polling::default();
        for (text, changes, answer) in statements {
            polling.hears((*text).into(), *changes, answer);
        }
        polling
    }

    #[test]
    fn a_buyer_that_asks_the_same_a_third_time_after_two_refusals_polls() {
        let polling = asked(&[(LOCK, true, "null"), (LOCK, true, "null")]);
        assert!(polling.is_polling(LOCK, 0));
        assert!(!polling.is_polling("GET stock", 0));
        assert!(!asked(&[(LOCK, true, "null")]).is_polling(LOCK, 0));
    }

    #[test]
    fn whatever_may_have_changed_something_is_no_poll() {
        let add = "INSERT INTO line VALUES (1)";
        assert!(!asked(&[(add, true, "1 rows"), (add, true, "1 rows")]).is_polling(add, 0));
        let look = "SELECT taken FROM locks";
        assert!(asked(&[(look, false, "t"), (look, false, "t")]).is_polling(look, 0));
    }

    #[test]
    fn another_answer_or_another_move_ends_it() {
        let mut polling = asked(&[(LOCK, true, "null"), (LOCK, true, "null")]);
        polling.hears(LOCK.into(), true, "OK");
        assert!(!polling.is_polling(LOCK, 0));
        let mut polling = asked(&[(LOCK, true, "null"), (LOCK, true, "null")]);
        polling.forget();
        assert!(!polling.is_polling(LOCK, 0));
    }

    #[test]
    fn code_that_asks_the_same_three_times_and_goes_on_has_to_ask_it_more_often() {
        let look = "SELECT * FROM settings";
        let polling = asked(&[(look, false, "1"), (look, false, "1"), (look, false, "1")]);
        let usual = polling.went_past("UPDATE product SET stock = 0");
        assert_eq!(usual, 3);
        assert!(!polling.is_polling(look, usual));
        assert_eq!(polling.went_past(look), 0);
    }
}
