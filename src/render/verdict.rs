//! The verdict in words: a keyword, a sentence, and the commands to run next.

use crate::base::text::quantity::{count, of};
use crate::check::report::{Evidence, Report, Run};
use crate::domain::finding::FindingKind;

/// A run's verdict in words.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// `BROKEN`, `SAFE SO FAR` or `PROVES NOTHING`.
    pub(super) word: &'static str,
    /// What the verdict rests on.
    pub(super) sentence: String,
    /// The commands to run next: labels and texts.
    pub(super) next: Vec<(&'static str, String)>,
}

/// The word alone, as it stands in a comparison.
pub(super) fn word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Proved => "PROVED",
        Evidence::Broken => "BROKEN",
        Evidence::NotSeen => "SAFE SO FAR",
        Evidence::Vacuous => "PROVES NOTHING",
    }
}

impl Verdict {
    pub(super) fn of(report: &Report, run: &Run) -> Self {
        let traded = match run.figures.stock {
            // A shop that does not count units.
            0 => format!("{} served", of(run.figures.winners, "buyer")),
            stock => format!(
                "{}, {} sold",
                of(stock.unsigned_abs(), "unit"),
                count(run.figures.units_sold)
            ),
        };
        let round = report.round();
        let rounds = of(run.rounds.into(), round);
        let (sentence, next) = match (run.evidence, run.gravest()) {
            (Evidence::Broken, Some(found)) => {
                let amount = amount(found.kind, found.amount);
                let spread = match run.rounds {
                    1 => String::new(),
                    all => format!(" · in {} of {} {round}s", count(found.rounds), count(all)),
                };
                (format!("{traded} · {amount}{spread}"), vec![("again", run.again.clone())])
            }
            (Evidence::Vacuous, _) if run.rounds == 0 => {
                (format!("stopped before the first {round} was raced"), Vec::new())
            }
            (Evidence::Vacuous, _) => {
                let why = run.incomplete.as_deref().unwrap_or_default();
                let next = match run.contended_rounds {
                    0 => Vec::new(),
                    _ => vec![("again", run.again.clone())],
                };
                (format!("{traded} · {why}"), next)
            }
            _ => {
                let vacuous = run.rounds - run.contended_rounds;
                let apart = match vacuous {
                    0 => String::new(),
                    some => format!(", {} of them without contention", count(some)),
                };
                let failed = match run.figures.failed {
                    0 => String::new(),
                    some => format!(" · {} failed", of(some, "buyer")),
                };
                (
                    format!(
                        "{traded} · nothing wrong seen in {rounds}{apart}{failed} · not a proof"
                    ),
                    Vec::new(),
                )
            }
        };
        let mut next = next;
        if let Some(hint) = &run.hint {
            next.insert(0, (hint.purpose.label(), hint.command.clone()));
        }
        if let Some(said) = &run.trouble {
            next.insert(0, ("the server said", said.clone()));
        }
        let sentence = match run.interrupted {
            true => format!("{sentence} · interrupted"),
            false => sentence,
        };
        Self { word: word(run.evidence), sentence, next }
    }
}

/// How a finding's amount is said: `oversold by 213 units`, `false sold-out for 3 buyers`.
pub(super) fn amount(kind: FindingKind, amount: u64) -> String {
    let title = kind.title();
    let amount = of(amount, kind.unit());
    match kind.unit() {
        "unit" => format!("{title} by {amount}"),
        "buyer" => format!("{title} for {amount}"),
        "lock" => format!("{title}, {amount}"),
        _ => title.to_owned(),
    }
}
