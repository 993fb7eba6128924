//! What a person can type in `play`.

use crate::base::text::nearest::did_you_mean;
use crate::domain::faults::Act;
use crate::render::Width;
use crate::scheduler::{Actor, Choice, Schedule};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// These choices, one after the other.
    Choices(Vec<Choice>),
    Help,
    Hint,
    Undo,
    Reset,
    Quit,
}

/// The words, and what each asks for.
const WORDS: [(&str, Asked, &str); 6] = [
    ("help", Asked::Help, "or ?: this"),
    ("hint", Asked::Hint, "whose step leads to a finding soonest, in the model"),
    ("undo", Asked::Undo, "take the last step back"),
    ("reset", Asked::Reset, "begin again"),
    ("quit", Asked::Quit, "or exit, or the end of the input: leave"),
    ("exit", Asked::Quit, ""),
];

/// The words of the prompt.
pub(super) const PROMPT: [&str; 5] = ["help", "undo", "hint", "reset", "quit"];

/// The column at which the meaning of a key begins.
const MEANING_AT: usize = 12;

/// Reads a line. Its first letter is enough for a word, unless a buyer among `clients` has that letter for a name.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn asked(line: &str, clients: &[Actor]) -> Result<Asked, String> {
    let lower = line.to_lowercase();
    if lower == "?" {
        return Ok(Asked::Help);
    }
    if let Some((_, asked, _)) = WORDS.iter().find(|(word, ..)| *word == lower) {
        return Ok(asked.clone());
    }
    let known = line.parse::<Schedule>().or_else(|_| line.to_uppercase().parse::<Schedule>());
    let is_named = |choice: &Choice| clients.contains(&choice.who);
    if !known.as_ref().is_ok_and(|schedule| schedule.0.iter().all(is_named)) {
        let short = WORDS.iter().filter(|(word, ..)| *word != "help");
        if let Some((_, asked, _)) = short.clone().find(|(word, ..)| word[..1] == lower) {
            return Ok(asked.clone());
        }
        let did_you_mean = did_you_mean(&lower, WORDS.map(|(word, ..)| word));
        if lower.len() > 2 && !did_you_mean.is_empty() {
            return Err(format!("no command is named `{line}`{did_you_mean}"));
        }
    }
    known
        .map(|schedule| Asked::Choices(schedule.0))
        .map_err(|why| format!("{why}; `help` lists what you can type"))
}

/// All keys and words, each with its meaning.
pub(super) fn help(width: Width) -> String {
    let mut all = vec![
        ("A, b, a27".to_owned(), "this buyer makes its next step".to_owned()),
        ("*".to_owned(), "the worker makes its next step".to_owned()),
        ("ABAB, A3".to_owned(), "several steps, one after the other".to_owned()),
    ];
    for act in Act::ALL.into_iter().filter(|act| *act != Act::Step) {
        all.push((format!("A{}", act.sign()), meaning(act).to_owned()));
    }
    for (word, _, meaning) in WORDS.into_iter().filter(|(.., meaning)| !meaning.is_empty()) {
        all.push((word.to_owned(), meaning.to_owned()));
    }
    let line = |(key, meaning): (String, String)| {
        let pad = MEANING_AT - 1;
        format!(" {key:<pad$}{meaning}\n")
    };
    let text: String = all.into_iter().map(line).collect();
    width.folded(&text, MEANING_AT)
}

/// What a sign behind a buyer's name does, and the flag that allows it.
fn meaning(act: Act) -> &'static str {
    match act {
        Act::Step => "makes its next step",
        Act::BackgroundTask => {
            "a background task in A's name makes its next step: a notice of the payment provider, or the recovery after a \
             crash"
        }
        Act::Expire => "A's hold and leases run out (--expiries)",
        Act::Decline => "A pays, and the payment is declined (--declines)",
        Act::LoseAnswer => "A pays, and the answer is lost (--lost-answers)",
        Act::Crash => "the server that works for A dies (--crashes)",
        Act::Redeliver => "a message about A comes again (--redeliveries)",
        Act::PowerCut => "A makes its next step, and the database loses its power (--power-cuts)",
        Act::StaleRead => "A reads what was there before the last write (--stale-reads)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyers(number: u32) -> Vec<Actor> {
        (0..number).map(Actor::Buyer).collect()
    }

    #[test]
    fn a_word_is_a_word_however_many_buyers_there_are() {
        for number in [2, 26] {
            assert_eq!(asked("help", &buyers(number)), Ok(Asked::Help));
            assert_eq!(asked("?", &buyers(number)), Ok(Asked::Help));
            assert_eq!(asked("Undo", &buyers(number)), Ok(Asked::Undo));
            assert_eq!(asked("exit", &buyers(number)), Ok(Asked::Quit));
        }
    }

    #[test]
    fn a_letter_is_a_word_only_where_no_buyer_has_it_for_a_name() {
        assert_eq!(asked("h", &buyers(2)), Ok(Asked::Hint));
        let h = Choice::step(Actor::Buyer(7));
        assert_eq!(asked("h", &buyers(8)), Ok(Asked::Choices(vec![h])));
        assert_eq!(asked("q", &buyers(2)), Ok(Asked::Quit));
    }

    #[test]
    fn a_slip_of_the_hand_is_not_taken_for_buyers() {
        let why = asked("udno", &buyers(2)).unwrap_err();
        assert!(why.contains("did you mean `undo`?"), "{why}");
        assert!(asked("abab", &buyers(2)).is_ok());
    }

    #[test]
    fn every_sign_is_explained() {
        let help = help(Width::of(80));
        for act in Act::ALL {
            assert!(help.contains(&format!(" A{}", act.sign())), "{help}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}
