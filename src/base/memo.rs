//! What a function returns for a text, so that it need not be run again for the same text.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many texts are remembered. All are forgotten when there is one more.
const MOST: usize = 4096;

/// What a function has returned for each text. The function depends on nothing else.
#[derive(Debug)]
pub(crate) struct Memo<V>(Arc<Mutex<BTreeMap<String, Arc<V>>>>);

impl<V> Clone for Memo<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<V> Memo<V> {
    /// What the function returns for this text; it is run if that is not known.
    pub(crate) fn get(&self, text: &str, function: impl FnOnce(&str) -> V) -> Arc<V> {
        if let Some(known) = self.0.lock().get(text) {
            return Arc::clone(known);
        }
        let value = Arc::new(function(text));
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.to_owned(), Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_run_once_for_a_text_until_too_many_are_known() {
        let memo = Memo::default();
        let mut run = 0;
        let mut length = |text: &str| {
            *memo.get(text, |text| {
                run += 1;
                text.len()
            })
        };
        for _ in 0..2 {
            assert_eq!([length("a"), length("bc")], [1, 2]);
        }
        for number in 0..MOST {
            length(&format!("{number}"));
        }
        assert_eq!(length("a"), 1);
        assert_eq!(run, 2 + MOST + 1);
        assert!(memo.0.lock().len() <= MOST);
    }
}
