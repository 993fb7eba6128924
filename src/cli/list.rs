//! `strategies`: the cards of all strategies, and of the zoo.

use crate::base::error::Error;
use crate::domain::op::OpKind;
use crate::strategies::every_strategy;
use crate::strategy::{About, Claim};
use anstyle::Style;

use super::output::to_stdout;
use super::{Ended, width};

/// Columns for a name and the spaces around it.
const NAME_WIDTH: usize = 20;

pub(crate) fn run() -> Result<Ended, Error> {
    let width = width::of_stdout();
    let all: String = every_strategy().map(|strategy| told(&strategy.card())).collect();
    to_stdout(&width.folded(&all, NAME_WIDTH))?;
    Ok(Ended::Well)
}

/// What a strategy does; below it what it claims, what it needs from a store, and its other names.
fn told(card: &About) -> String {
    let claim = match card.claim {
        Claim::Safe | Claim::SafeWhen(_) => "safe".to_owned(),
        Claim::Shows(kind) | Claim::ShowsWhen(kind, _) => format!("shows {}", kind.title()),
    };
    let when: String =
        card.claim.when().iter().map(|(name, text)| format!(" --{name} {text}")).collect();
    let needs: Vec<_> = card.needs.iter().copied().map(OpKind::name).collect();
    let also = match card.aliases {
        [] => String::new(),
        aliases => format!(" · also {}", aliases.join(", ")),
    };
    let bold = Style::new().bold();
    let (name, indent) = (card.name, NAME_WIDTH - 1);
    format!(
        " {bold}{name:<indent$}{bold:#}{}\n {:indent$}{claim}{when} · needs {}{also}\n",
        card.summary,
        "",
        needs.join(", ")
    )
}
