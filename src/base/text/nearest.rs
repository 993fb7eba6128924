//! "Did you mean …?"

/// The candidate most like `word`, if any is like enough to be a slip of the hand.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no slip of the hand, and comparing it in full would be slow.
    let word: String = word.to_lowercase().chars().take(2 * MOST_REPEATED).collect();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(slips, candidate)| *slips <= 1 + candidate.len().max(word.len()) / 4)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// The most of a wrong word that is repeated, in characters.
const MOST_REPEATED: usize = 40;

/// A word as it can stand in a message: on one line, and not too long.
#[must_use]
pub fn shown(word: &str) -> String {
    let mut shown: String = word.chars().take(MOST_REPEATED).flat_map(char::escape_debug).collect();
    if word.chars().nth(MOST_REPEATED).is_some() {
        shown.push('…');
    }
    shown
}

/// `; did you mean …?` with the nearest candidate, or nothing.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{nearest, shown};

    #[test]
    fn a_slip_of_the_hand_finds_its_word_and_another_word_finds_none() {
        let names = ["optimistic", "pessimistic", "cas"];
        assert_eq!(nearest("optimstic", names), Some("optimistic"));
        assert_eq!(nearest("CAS", names), Some("cas"));
        assert_eq!(nearest("redlock", names), None);
    }

    #[test]
    fn a_word_in_a_message_stays_on_its_line() {
        assert_eq!(shown("ca\ns\u{1b}"), "ca\\ns\\u{1b}");
        assert_eq!(shown(&"x".repeat(900)).chars().count(), super::MOST_REPEATED + 1);
    }
}
