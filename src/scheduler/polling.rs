//! Whether a buyer polls: its code asks the same again and again, is told no each time, and will go on so until another
//! buyer has moved.

/// A statement that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    text: String,
    answer: String,
    /// Whether it can have changed nothing.
    is_idle: bool,
}

/// Answers by which a statement that might change something says that it did not.
const NO: [&str; 5] = ["null", "0", "0 rows", "nothing", "false"];

/// How often more than it ever did of itself a buyer has to ask the same, until it is taken to poll.
const MORE: usize = 2;

/// What one buyer has asked since another moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Polling {
    asked: Vec<Asked>,
}

impl Polling {
    /// A statement was answered.
    pub(super) fn hears(&mut self, text: String, changes: bool, answer: &str) {
        let is_idle = !changes || NO.contains(&answer);
        self.asked.push(Asked { text, answer: answer.to_owned(), is_idle });
    }

    /// Another buyer has moved, or this one begins: what it asks next may be answered otherwise.
    pub(super) fn forget(&mut self) {
        self.asked.clear();
    }

    /// How often in a row it has asked the last statement and heard the same, without changing anything; 0 for one that may
    /// have.
    fn times(&self) -> usize {
        let Some(last) = self.asked.last().filter(|last| last.is_idle) else { return 0 };
        self.asked.iter().rev().take_while(|asked| *asked == last).count()
    }

    /// How often it has asked the same in vain and then gone on to this of itself: code that does so does not wait for
    /// others.
    pub(super) fn went_past(&self, next: &str) -> usize {
        match self.asked.last() {
            Some(last) if last.text != next => self.times(),
            _ => 0,
        }
    }

    /// Whether this would only be the same question again, and be answered the same, where so many times were not yet a
    /// reason to think so.
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
    fn whoever_asks_the_same_a_third_time_after_two_refusals_polls() {
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
