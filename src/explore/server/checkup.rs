//! A checkup of an application: all buyers run serially, one after the other, and then once more. A statement that
//! differs the second time would make orders diverge.

use std::collections::BTreeSet;

use super::conflict::names;
use super::rehearsal::{come_alone, measured};
use crate::base::error::Error;
use crate::domain::buyer::Ending;
use crate::domain::settings::Settings;
use crate::scheduler::Actor;
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{Grain, Harness, ServerStep};

/// The result of a checkup.
#[derive(Clone, Debug)]
pub struct Checkup {
    /// The settings, with products and stock as the shop has them.
    pub settings: Settings,
    /// What each buyer did, by name.
    pub walks: Vec<Walked>,
    /// Tables that are only read.
    pub reads: Vec<String>,
    /// Tables that are written.
    pub writes: Vec<String>,
    /// Steps that differed the second time.
    pub differ: Vec<Differing>,
    /// Remarks on what a search will cover.
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

/// A step whose statement differed the second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The buyer's name.
    pub who: String,
    /// The number of the step among the buyer's own, counted from 1.
    pub step: usize,
    /// The statement the first time, and the second.
    pub said: (String, String),
    /// Whether only its values differ; else orders cannot be repeated.
    pub is_alike: bool,
}

/// Runs all buyers serially, twice.
///
/// # Errors
/// As [`rehearse`](crate::explore::rehearse).
pub fn check_up(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
) -> Result<Checkup, Error> {
    // The very first run fills the caches that the application has.
    crate::explore::rehearse(strategy, settings, server)?;
    let settings = measured(settings, server)?;
    let tables = server.part_names();
    Harness::open(strategy, &settings, server, Grain::Statement, |harness| {
        let mut walk = || -> Result<Vec<(Ending, Vec<ServerStep>)>, Error> {
            harness.begin_one_by_one()?;
            let alone = |place: usize| {
                let mut steps = Vec::new();
                let ending = come_alone(harness, place, &mut steps)?;
                if ending == Ending::Unserved {
                    let text =
                        steps.last().map_or(String::new(), |step| step.statement.text.clone());
                    return Err(Error::input(format!(
                        "{} is alone and has to wait: `{text}`; a buyer who left before has kept a lock",
                        Actor::buyer(place)
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
        let all: Vec<&ServerStep> = first.iter().flat_map(|(_, steps)| steps).collect();
        let with = |changes: bool| {
            let steps = all.iter().filter(move |step| step.statement.touches.changes() == changes);
            let named =
                |table: &&String| steps.clone().any(|step| names(&step.statement.text, table));
            tables.iter().filter(named).cloned().collect::<Vec<String>>()
        };
        let writes = with(true);
        let reads = with(false).into_iter().filter(|table| !writes.contains(table)).collect();
        let walked = |(place, (ending, steps)): (usize, &(Ending, Vec<ServerStep>))| {
            let transactions: BTreeSet<u64> =
                steps.iter().filter_map(|step| step.statement.transaction).collect();
            Walked {
                who: Actor::buyer(place).to_string(),
                ending: *ending,
                statements: steps.len(),
                transactions: transactions.len(),
            }
        };
        let walks = first.iter().enumerate().map(walked).collect();
        let remarks = harness.server().remarks().told();
        Ok(Checkup { settings: settings.clone(), walks, reads, writes, differ, remarks })
    })
}

/// Steps of one buyer that differ the second time, up to the first that differs in more than its values.
fn differing(place: usize, before: &[ServerStep], now: &[ServerStep]) -> Vec<Differing> {
    let mut found = Vec::new();
    for step in 0..before.len().max(now.len()) {
        let said = |steps: &[ServerStep]| steps.get(step).map(|step| step.statement.clone());
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
        found.push(Differing {
            who: Actor::buyer(place).to_string(),
            step: step + 1,
            said,
            is_alike,
        });
        if !is_alike {
            break;
        }
    }
    found
}
