//! A shop at a real server as one that a person can schedule.

use super::results::judge;
use super::transcript::{cut, timeline};
use crate::base::error::Error;
use crate::check::audit::Finding;
use crate::domain::op::Units;
use crate::domain::settings::Settings;
use crate::explore::play::{ClientStatus, Outlook, Playable};
use crate::explore::timeline::TimelineRow;
use crate::scheduler::{Actor, Choice, Execution, Footprint, PendingStatement};
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::held::{Grain, Harness};

/// The longest that a statement is told, in characters.
const MOST_SAID: usize = 60;

/// A shop at a server, and what is wrong there once nothing more can happen.
pub(crate) struct ServerPlay<'p, 'h> {
    harness: &'p mut Harness<'h>,
    settings: &'p Settings,
    /// The findings, once they are known.
    findings: Option<Vec<Finding>>,
    /// How a buyer's code stalled, if that was the end.
    stalled: Option<String>,
}

/// Opens a shop at a server and calls `play_it` with it.
///
/// # Errors
/// [`Error::World`] when the server fails; else what `play_it` says.
pub(crate) fn play_at_server<T>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    server: &dyn Server,
    play_it: impl FnOnce(&mut ServerPlay<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    Harness::open(strategy, settings, server, Grain::Statement, |harness| {
        play_it(&mut ServerPlay { harness, settings, findings: None, stalled: None })
    })
}

impl Execution for ServerPlay<'_, '_> {
    fn begin(&mut self) -> Result<(), Error> {
        (self.findings, self.stalled) = (None, None);
        Execution::begin(self.harness)
    }

    fn clients(&self) -> Vec<Actor> {
        self.harness.clients()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        self.harness.first_alike(client)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        self.harness.has_left(client)
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        Execution::ready(self.harness)
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        self.findings.is_none() && self.harness.can_happen(choice)
    }

    fn is_optional(&mut self, choice: Choice) -> bool {
        self.harness.is_optional(choice)
    }

    fn has_only_steps(&self) -> bool {
        self.harness.has_only_steps()
    }

    fn why_not(&mut self, choice: Choice) -> String {
        self.harness.why_not(choice)
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        self.harness.take(choice)
    }

    fn abandon(&mut self) -> Result<(), Error> {
        // Once the findings are known, every buyer has left.
        match self.findings {
            Some(_) => Ok(()),
            None => self.harness.abandon(),
        }
    }
}

impl Playable for ServerPlay<'_, '_> {
    /// Only the server knows, and it is asked when all is over.
    fn stock(&self) -> Vec<Units> {
        Vec::new()
    }

    fn position(&mut self) -> Vec<ClientStatus> {
        let ready = self.ready();
        let client = |actor| {
            let next = ready.iter().find(|(choice, _)| choice.who == actor);
            let about = match (next, self.harness.ending(actor)) {
                (Some((_, pending)), _) => {
                    format!("about to send {}", cut(&pending.text, MOST_SAID))
                }
                (None, Some(ending)) => ending.word().to_owned(),
                (None, None) => "waits".into(),
            };
            ClientStatus { actor, about, can_move: next.is_some() }
        };
        self.clients().into_iter().map(client).collect()
    }

    fn rows(&self) -> Vec<TimelineRow> {
        timeline(self.settings, &self.harness.server().part_names(), self.harness.steps())
    }

    fn is_over(&mut self) -> bool {
        self.findings.is_some() || self.ready().is_empty()
    }

    fn findings(&mut self) -> Result<Vec<Finding>, Error> {
        if self.findings.is_none() && self.ready().is_empty() {
            let stuck = self.harness.send_home()?;
            let judged = judge(self.harness, stuck)?;
            (self.findings, self.stalled) = (Some(judged.findings), judged.stalled);
        }
        Ok(self.findings.clone().unwrap_or_default())
    }

    fn unjudged(&self) -> Option<&str> {
        self.stalled.as_deref()
    }

    fn outlook(&mut self) -> Outlook {
        Outlook::NotSearched
    }

    fn outlook_at_opening(&mut self) -> Outlook {
        Outlook::NotSearched
    }
}
