//! Faults: what can go wrong around a checkout, as acts that may be chosen a limited number of times.

use std::fmt;

use serde::Serialize;

/// How often each thing may go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Faults {
    /// Servers that die while they work for a buyer.
    pub crashes: u8,
    /// Holds and leases whose timer runs out while their buyer still counts on them.
    pub expiries: u8,
    /// Payments that the provider declines.
    pub declines: u8,
    /// Answers of the provider that are lost after the money has moved.
    pub lost_answers: u8,
    /// Notices of the provider that come a second time. (A request in the queue comes again when the clerk
    /// has died over it.)
    pub redeliveries: u8,
    /// Times that the database loses its power, and starts again with what was on disk.
    pub power_cuts: u8,
    /// Plain reads that go to a replica which does not have the last write yet.
    pub stale_reads: u8,
}

/// What happens next to a buyer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It makes its next step.
    #[default]
    Step,
    /// An errand that the shop does in its name makes its next step.
    Errand,
    /// Its hold and its leases run out.
    Expire,
    /// It makes its next step, and that is a payment which is declined.
    Decline,
    /// It makes its next step, and that is a payment of which the answer is lost.
    LoseAnswer,
    /// The server that works for it dies.
    Crash,
    /// A message about it comes again.
    Redeliver,
    /// It makes its next step, or an errand about it does, and then the database loses its power: transactions
    /// under way are aborted, and commits that are not yet on disk are lost.
    PowerCut,
    /// It makes its next step, and that is a plain read that does not see the last write.
    StaleRead,
}

impl Act {
    /// All of them: first what happens in any run, then the faults.
    pub const ALL: [Self; 9] = [
        Self::Step,
        Self::Errand,
        Self::Expire,
        Self::Decline,
        Self::LoseAnswer,
        Self::Crash,
        Self::Redeliver,
        Self::PowerCut,
        Self::StaleRead,
    ];

    /// The sign behind a name in a schedule; nothing for a step.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Step => "",
            Self::Errand => "+",
            Self::Expire => "~",
            Self::Decline => "-",
            Self::LoseAnswer => "?",
            Self::Crash => "!",
            Self::Redeliver => "=",
            Self::PowerCut => "^",
            Self::StaleRead => "@",
        }
    }
}

impl Faults {
    /// Names of the settings, in order.
    #[doc(hidden)]
    pub const NAMES: [&str; 7] = [
        "crashes",
        "expiries",
        "declines",
        "lost-answers",
        "redeliveries",
        "power-cuts",
        "stale-reads",
    ];

    /// The most of each.
    #[doc(hidden)]
    pub const MOST: u8 = 20;

    /// Whether nothing may go wrong.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// One of them by the name of its setting.
    #[doc(hidden)]
    pub fn of_mut(&mut self, name: &str) -> Option<&mut u8> {
        Some(match name {
            "crashes" => &mut self.crashes,
            "expiries" => &mut self.expiries,
            "declines" => &mut self.declines,
            "lost-answers" => &mut self.lost_answers,
            "redeliveries" => &mut self.redeliveries,
            "power-cuts" => &mut self.power_cuts,
            "stale-reads" => &mut self.stale_reads,
            _ => return None,
        })
    }

    /// Each with its name.
    #[doc(hidden)]
    pub fn all(mut self) -> impl Iterator<Item = (&'static str, u8)> {
        Self::NAMES.into_iter().map(move |name| (name, self.of_mut(name).map_or(0, |times| *times)))
    }

    /// How often an act may still happen, if it is a fault.
    #[doc(hidden)]
    #[must_use]
    pub fn left(&self, act: Act) -> Option<u8> {
        Some(match act {
            Act::Step | Act::Errand => return None,
            Act::Expire => self.expiries,
            Act::Decline => self.declines,
            Act::LoseAnswer => self.lost_answers,
            Act::Crash => self.crashes,
            Act::Redeliver => self.redeliveries,
            Act::PowerCut => self.power_cuts,
            Act::StaleRead => self.stale_reads,
        })
    }

    /// Counts one; false if it may not happen any more.
    #[doc(hidden)]
    pub fn spend(&mut self, act: Act) -> bool {
        let times = match act {
            Act::Step | Act::Errand => return true,
            Act::Expire => &mut self.expiries,
            Act::Decline => &mut self.declines,
            Act::LoseAnswer => &mut self.lost_answers,
            Act::Crash => &mut self.crashes,
            Act::Redeliver => &mut self.redeliveries,
            Act::PowerCut => &mut self.power_cuts,
            Act::StaleRead => &mut self.stale_reads,
        };
        times.checked_sub(1).map(|left| *times = left).is_some()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = self.all().filter(|(_, times)| *times > 0);
        let words: Vec<String> = some
            .map(|(name, times)| match (name, times) {
                ("crashes", 1) => "1 crash".into(),
                ("expiries" | "redeliveries", 1) => {
                    format!("1 {}y", name.trim_end_matches("ies"))
                }
                (name, 1) => format!("1 {}", name.trim_end_matches('s').replace('-', " ")),
                (name, times) => format!("{times} {}", name.replace('-', " ")),
            })
            .collect();
        f.write_str(&words.join(", "))
    }
}
