//! A checkup of an application: everybody comes alone, one after the other, and then all of them once more. What is said
//! the second time and was not the first would make orders diverge.

use std::collections::BTreeSet;

use super::conflict::names;
use super::rehearsal::{come_alone, measured};
use crate::base::error::Error;
use crate::domain::buyer::Ending;
use crate::domain::settings::Settings;
use crate::explore::schedule::actor;
use crate::stores::remote::Server;
use crate::worlds::entrant::Entrant;
use crate::worlds::held::{Grain, Harness, Step};

/// How an application looks.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// The settings, with products and stock as the shop has them.
    pub settings: Settings,
    /// What each buyer did, by name.
    pub walks: Vec<Walked>,
    /// Tables that are looked at, and nothing more.
    pub reads: Vec<String>,
    /// Tables that are changed.
    pub writes: Vec<String>,
    /// Steps whose values were others the second time: whose, which of its own counted from 1, and both.
    pub differ: Vec<Differing>,
    /// What else has to be known to judge what will be covered.
    pub remarks: Vec<String>,
}

/// One buyer's checkout.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The buyer's name.
    pub who: String,
    /// How its visit ended.
    pub ending: Ending,
    /// Statements that are held.
    pub statements: usize,
    /// Transactions among them.
    pub transactions: usize,
}

/// A step that is not said in the same words twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// Whose.
    pub who: String,
    /// Which of its own, counted from 1.
    pub step: usize,
    /// What it was the first time, and the second.
    pub said: (String, String),
    /// Whether it is the same but for its values; else orders cannot be repeated.
    pub is_alike: bool,
}

/// Has everybody come alone, twice.
///
/// # Errors
/// As [`rehearse`](crate::explore::rehearse).
pub fn check_up(
    entrant: &dyn Entrant,
    settings: &Settings,
    server: &dyn Server,
) -> Result<Checkup, Error> {
    // The first walk of all fills whatever caches the application has.
    crate::explore::rehearse(entrant, settings, server)?;
    let settings = measured(settings, server)?;
    let tables = server.part_names();
    Harness::open(entrant, &settings, server, Grain::Statement, |harness| {
        let mut walk = || -> Result<Vec<(Ending, Vec<Step>)>, Error> {
            harness.begin()?;
            let alone = |place: usize| {
                let mut steps = Vec::new();
                let ending = come_alone(harness, place, &mut steps)?;
                if ending == Ending::Unserved {
                    let text =
                        steps.last().map_or(String::new(), |step| step.statement.text.clone());
                    return Err(Error::input(format!(
                        "{} is alone and has to wait: `{text}`; a buyer who left before has kept a lock",
                        actor(place)
                    )));
                }
                Ok((ending, steps))
            };
            let walked = (0..settings.buyers as usize).map(alone).collect();
            harness.send_home()?;
            walked
        };
        let (first, second) = (walk()?, walk()?);
        let mut differ = Vec::new();
        for (place, ((_, before), (_, now))) in first.iter().zip(&second).enumerate() {
            differ.extend(differing(place, before, now));
        }
        let all: Vec<&Step> = first.iter().flat_map(|(_, steps)| steps).collect();
        let with = |changes: bool| {
            let steps = all.iter().filter(move |step| step.statement.touches.changes() == changes);
            let named =
                |table: &&String| steps.clone().any(|step| names(&step.statement.text, table));
            tables.iter().filter(named).cloned().collect::<Vec<String>>()
        };
        let writes = with(true);
        let reads = with(false).into_iter().filter(|table| !writes.contains(table)).collect();
        let walked = |(place, (ending, steps)): (usize, &(Ending, Vec<Step>))| {
            let transactions: BTreeSet<u64> =
                steps.iter().filter_map(|step| step.statement.transaction).collect();
            Walked {
                who: actor(place).to_string(),
                ending: *ending,
                statements: steps.len(),
                transactions: transactions.len(),
            }
        };
        let walks = first.iter().enumerate().map(walked).collect();
        let remarks = harness.server().remarks().told;
        Ok(Checkup { settings: settings.clone(), walks, reads, writes, differ, remarks })
    })
}

/// Steps of one buyer that were said otherwise the second time; up to the first that was another one altogether.
fn differing(place: usize, before: &[Step], now: &[Step]) -> Vec<Differing> {
    let mut found = Vec::new();
    for step in 0..before.len().max(now.len()) {
        let said = |steps: &[Step]| steps.get(step).map(|step| step.statement.clone());
        let (before, now) = (said(before), said(now));
        if before.as_ref().map(|said| &said.text) == now.as_ref().map(|said| &said.text) {
            continue;
        }
        let is_alike = match (&before, &now) {
            (Some(before), Some(now)) => before.is_like(now),
            _ => false,
        };
        let text = |said: Option<crate::scheduler::PendingStatement>| {
            said.map_or("nothing".to_owned(), |said| said.text)
        };
        let said = (text(before), text(now));
        found.push(Differing { who: actor(place).to_string(), step: step + 1, said, is_alike });
        if !is_alike {
            break;
        }
    }
    found
}
