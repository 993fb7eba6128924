//! The rehearsal of a described checkout, as a person reads it.

use super::timeline::timeline;
use super::width::Width;
use crate::base::text::quantity::of;
use crate::domain::buyer::Ending;
use crate::domain::op::BuyerId;
use crate::explore::Rehearsal;
use crate::scheduler::Actor;

/// How each visit of the serial run ended, and the timeline of its statements.
#[must_use]
pub fn rehearsal(rehearsal: &Rehearsal, server: &str, next: &str, width: Width) -> String {
    let mut text = width.labelled("rehearsed", &format!("buyers one after the other on {server}"));
    for (buyer, (ending, statements)) in rehearsal.visits.iter().enumerate() {
        let word = match ending {
            Ending::Failed(why) => why.to_string(),
            ending => ending.word().into(),
        };
        let took = of(*statements as u64, "statement");
        text += &width
            .labelled(&Actor::Buyer(buyer as BuyerId).to_string(), &format!("{word} · {took}"));
    }
    for finding in &rehearsal.findings {
        let why = format!("{}, even so", finding.proof);
        text += &width.labelled(finding.kind.title(), &why);
    }
    if let Some(refused) = &rehearsal.refused {
        text += &width.labelled("refused", refused);
    }
    text += &width.labelled("next", next);
    text.push('\n');
    text + &timeline(&rehearsal.timeline, width)
}
