//! What was said at a real server, in words.

use super::again;
use super::exploration::Told;
use super::schedule::Schedule;
use super::timeline::Row;
use crate::audit::Finding;
use crate::buyer::Ending;
use crate::entrant::Entrant;
use crate::op::BuyerId;
use crate::settings::Settings;
use crate::stores::remote::Saying;
use crate::worlds::held::Step;
use crate::worlds::stepped::{Actor, Cue};

/// A finding with its story.
pub(super) fn tell(
    entrant: &dyn Entrant,
    settings: &Settings,
    finding: Finding,
    steps: &[Step],
) -> Told {
    let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
    let schedule = Schedule(cues.collect()).to_string();
    Told {
        finding,
        again: again(entrant, settings, &schedule),
        by_hand: None,
        schedule,
        timeline: timeline(settings, steps),
    }
}

/// Who is held, and with what.
pub(super) fn said(held: &[(usize, Saying)]) -> String {
    let words: Vec<String> =
        held.iter().map(|(place, saying)| format!("{} `{}`", actor(*place), saying.text)).collect();
    if words.is_empty() { "nobody".into() } else { words.join(", ") }
}

/// A buyer by its place.
pub(super) fn actor(place: usize) -> Actor {
    Actor::Buyer(place as BuyerId)
}

/// Steps in words. Whoever had to wait and goes on has a row of its own.
pub(super) fn timeline(settings: &Settings, steps: &[Step]) -> Vec<Row> {
    let has_one = settings.items == 1;
    let mut rows = Vec::new();
    for step in steps {
        let left = |place: usize| {
            let ending = step.left.iter().find(|(who, _)| *who == place);
            ending.map_or(String::new(), |(_, ending)| match ending {
                Ending::Failed(why) => format!(", {why}"),
                ending => format!(", {}", ending.word()),
            })
        };
        let sent = shortened(&step.saying.text, has_one);
        let came_of_it = match &step.answer {
            Some(answer) => answered(answer) + &left(step.place),
            None => {
                let names: Vec<String> =
                    step.waits_for.iter().map(|place| actor(*place).to_string()).collect();
                match names.is_empty() {
                    true => " … waits".into(),
                    false => format!(" … waits for {}", names.join(", ")),
                }
            }
        };
        rows.push(Row::said(actor(step.place), sent + &came_of_it, false));
        for (place, answer) in &step.went_on {
            let did = format!("… goes on{}{}", answered(answer), left(*place));
            rows.push(Row::said(actor(*place), did, true));
        }
    }
    rows
}

fn answered(answer: &str) -> String {
    if answer.is_empty() { String::new() } else { format!(" → {answer}") }
}

/// Of one product it goes without saying which.
fn shortened(text: &str, has_one: bool) -> String {
    match has_one {
        true => text.replace(" WHERE item = 0 AND ", " WHERE ").replace(" WHERE item = 0", ""),
        false => text.to_owned(),
    }
}
