//! The rehearsal of a described checkout, as a person reads it.

use super::exploration::timeline;
use super::table::labelled;
use crate::base::text::quantity::of;
use crate::domain::buyer::Ending;
use crate::domain::op::BuyerId;
use crate::explore::Rehearsal;
use crate::scheduler::Actor;

/// How each visit of the serial run ended, and the timeline of its statements.
#[must_use]
pub fn rehearsal(rehearsal: &Rehearsal, server: &str, next: &str) -> String {
    let mut text = labelled("rehearsed", &format!("buyers one after the other on {server}"));
    for (buyer, (ending, statements)) in rehearsal.visits.iter().enumerate() {
        let word = match ending {
            Ending::Failed(why) => why.to_string(),
            ending => ending.word().into(),
        };
        let took = of(*statements as u64, "statement");
        text += &labelled(&Actor::Buyer(buyer as BuyerId).to_string(), &format!("{word} · {took}"));
    }
    for finding in &rehearsal.findings {
        let why = format!("{}, even so", finding.proof);
        text += &labelled(finding.kind.title(), &why);
    }
    if let Some(refused) = &rehearsal.refused {
        text += &labelled("refused", refused);
    }
    text += &labelled("next", next);
    text.push('\n');
    text + &timeline(&rehearsal.timeline)
}
