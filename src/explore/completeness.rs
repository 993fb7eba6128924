//! How far a search's verdict reaches, and why it cannot show that a finding is absent where it cannot.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::checks::FinalState;
use crate::base::error::Error;
use crate::base::text::quantity::{count, of};
use crate::check::report::Evidence;
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::settings::Settings;

/// What a search has covered, beside its findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// Whether that is every order.
    pub(super) at_everything: bool,
    /// Why it covered less than was asked for; none if it did not.
    pub(super) cut: Option<String>,
    /// Why nothing could have been found; none if something could.
    pub(super) idle: Option<String>,
}

impl Looked {
    /// How far findings, or their absence, reach.
    pub(super) fn evidence(&self, has_findings: bool) -> Evidence {
        match &self.idle {
            _ if has_findings => Evidence::Broken,
            Some(_) => Evidence::Vacuous,
            None if self.at_everything => Evidence::Proved,
            None => Evidence::NotSeen,
        }
    }

    /// Why the search cannot show that a finding is absent; none if it can.
    pub(super) fn incomplete(&self, has_findings: bool) -> Option<String> {
        let idle = self.idle.clone().filter(|_| !has_findings);
        idle.or_else(|| self.cut.clone())
    }
}

/// Why a search was cut short: after this many states, steps, orders or the like.
pub(super) fn cut_after(number: u64, what: &str) -> String {
    format!("the search was cut short after {}", of(number, what))
}

/// Why a search was cut short that an error has ended after this many orders or the like.
pub(super) fn failed_after(number: u64, what: &str, error: &Error) -> String {
    let error = error.to_string();
    let first = error.lines().next().unwrap_or_default();
    format!("an error ended the search after {}: {first}", of(number, what))
}

/// Why an unfinished schedule cannot show that a finding is absent.
pub(super) const UNFINISHED: &str = "the schedule ends before every buyer has left";

/// Whether a visit ended in a failure of the checkout. A server that crashed on purpose is none.
pub(super) fn has_failed(ending: Ending) -> bool {
    matches!(ending, Ending::Failed(why) if why != Failure::Crashed)
}

impl FinalState {
    /// Whether a buyer's checkout failed.
    pub(super) fn has_failed(&self) -> bool {
        self.visits.keys().any(|(ending, ..)| has_failed(*ending))
    }

    /// Whether a buyer bought.
    pub(super) fn has_sold(&self) -> bool {
        self.visits.keys().any(|(ending, ..)| *ending == Ending::Bought)
    }
}

/// How many of these ends have a failure in them.
pub(super) fn failed_ends(ends: &BTreeSet<FinalState>) -> u64 {
    ends.iter().filter(|end| end.has_failed()).count() as u64
}

/// Why no schedule with these ends could have shown a finding; none if one could. `is_one_way` says that there is only
/// one schedule.
pub(super) fn idle_ends(
    ends: &BTreeSet<FinalState>,
    settings: &Settings,
    is_one_way: bool,
) -> Option<String> {
    match ends.is_empty() {
        true => None,
        false if is_one_way && settings.buyers == 1 => Some(alone()),
        false if ends.iter().all(FinalState::has_failed) => {
            Some("a buyer's checkout failed in every interleaving".into())
        }
        false if !ends.iter().any(FinalState::has_sold) => Some(unsold()),
        false => None,
    }
}

/// How visits ended in all the orders that were run at a server.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Fates {
    /// Visits, of all orders together.
    pub(super) visits: u64,
    /// Of these, in how many a buyer bought.
    pub(super) bought: u64,
    /// And how many ended in a failure.
    pub(super) failed: u64,
    /// Whether every shelf was empty when the doors opened.
    pub(super) is_sold_out: bool,
}

impl Fates {
    /// Adds the visits of other orders.
    #[cfg(feature = "cli")]
    pub(super) fn add(&mut self, other: Self) {
        self.visits += other.visits;
        self.bought += other.bought;
        self.failed += other.failed;
        self.is_sold_out |= other.is_sold_out;
    }

    /// Takes in the visits of one more order; returns whether one of them failed.
    pub(super) fn see(&mut self, endings: impl Iterator<Item = Ending>) -> bool {
        let failed_before = self.failed;
        for ending in endings {
            self.visits += 1;
            self.bought += u64::from(ending == Ending::Bought);
            self.failed += u64::from(has_failed(ending));
        }
        self.failed > failed_before
    }

    /// Why none of `orders` orders could have shown a finding; none if one could. In `failed` of them a checkout
    /// failed.
    pub(super) fn idle(&self, settings: &Settings, orders: u64, failed: u64) -> Option<String> {
        if orders == 0 {
            return Some("no order was run".into());
        }
        if orders == 1 && settings.buyers == 1 {
            return Some(alone());
        }
        if self.is_sold_out {
            return Some(
                "there is nothing to sell: every shelf is empty when the doors open".into(),
            );
        }
        if failed == orders {
            return Some("a buyer's checkout failed in every order".into());
        }
        if 2 * self.failed > self.visits {
            let (failed, all) = (count(self.failed), count(self.visits));
            return Some(format!(
                "most checkouts failed: {failed} of {all}, in all orders together"
            ));
        }
        (self.bought == 0).then(unsold)
    }
}

fn alone() -> String {
    "one buyer meets no other, and there is only one order".into()
}

fn unsold() -> String {
    "no buyer bought anything in any order".into()
}
