//! A checkup for a terminal.

use anstyle::AnsiColor;

use super::exploration::folded;
use super::table::worded;
use super::width::Width;
use crate::base::text::quantity::of;
use crate::explore::Checkup;

/// The most differing steps that are told.
const MOST_TOLD: usize = 3;

/// The most characters that are shown of a text of which only a part matters.
const WIDE: usize = 60;

/// The whole checkup: the application, its servers, and the command to run next.
#[must_use]
pub fn checkup(checkup: &Checkup, name: &str, servers: &str, next: &str, width: Width) -> String {
    let diverges = checkup.differ.iter().any(|step| !step.is_alike);
    let (word, colour) = match diverges {
        true => ("DIVERGES", AnsiColor::Yellow),
        false => ("READY", AnsiColor::Green),
    };
    let mut text = worded(word, colour, &format!("{name} on {servers}"), width);
    let mut line = |label: &str, what: String| text += &width.labelled(label, &what);
    for walked in &checkup.walks {
        let statements = of(walked.statements as u64, "statement");
        let transactions = match walked.transactions {
            0 => "no transaction".into(),
            number => of(number as u64, "transaction"),
        };
        line(&walked.who, format!("{statements}, {transactions}; {}", walked.ending.word()));
    }
    line("changes", listed(&checkup.writes));
    line("looks at", listed(&checkup.reads));
    for step in checkup.differ.iter().filter(|step| !step.is_alike) {
        let (before, now) = &step.said;
        line(
            "diverges",
            format!(
                "{}'s step {} was `{}`, and is `{}`: what decides that has to be put back or held still",
                step.who,
                step.step,
                around(before, 0),
                around(now, 0)
            ),
        );
    }
    let alike: Vec<_> = checkup.differ.iter().filter(|step| step.is_alike).collect();
    for step in alike.iter().take(MOST_TOLD) {
        let (before, now) = &step.said;
        let at = before.chars().zip(now.chars()).take_while(|(one, other)| one == other).count();
        let what = format!("{} `{}`, then `{}`", step.step, around(before, at), around(now, at));
        line("values differ", format!("{}'s step {what}", step.who));
    }
    if !alike.is_empty() {
        let all = of(alike.len() as u64, "step");
        line("", format!("{all} in all; taken for the same, as the statements are"));
    }
    for remark in folded(&checkup.remarks) {
        line("mind", remark);
    }
    line("next", next.to_owned());
    text
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// The part of a text around an index, from a little before it.
fn around(text: &str, at: usize) -> String {
    let from = at.saturating_sub(WIDE / 3);
    let part: String = text.chars().skip(from).take(WIDE).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if text.chars().count() > from + WIDE { "…" } else { "" };
    format!("{before}{part}{after}")
}
