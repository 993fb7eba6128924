//! `strategies`: the cards of all strategies, and of the zoo.

use crate::base::error::Error;
use crate::domain::op::OpKind;
use crate::strategies::every_strategy;
use crate::strategy::Claim;
use comfy_table::{ContentArrangement, Table, presets};

use super::Ended;
use super::output::to_stdout;

pub(crate) fn run() -> Result<Ended, Error> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["strategy", "also", "what it does", "claims", "needs"]);
    for strategy in every_strategy() {
        let card = strategy.card();
        let claim = match card.claim {
            Claim::Safe | Claim::SafeWhen(_) => "safe".to_owned(),
            Claim::Shows(kind) | Claim::ShowsWhen(kind, _) => format!("shows {}", kind.title()),
        };
        let when: String =
            card.claim.when().iter().map(|(name, text)| format!(" --{name} {text}")).collect();
        let claim = claim + &when;
        let needs: Vec<_> = card.needs.iter().copied().map(OpKind::name).collect();
        table.add_row([
            card.name,
            &card.aliases.join(", "),
            card.summary,
            &claim,
            &needs.join(", "),
        ]);
    }
    let lines: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    to_stdout(&lines)?;
    Ok(Ended::Well)
}
