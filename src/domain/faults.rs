//! Faults: what can go wrong around a checkout, as acts that may be chosen a limited number of times.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes [`Faults`] of a list: each fault with its field, its setting's name, and the act by which it happens.
macro_rules! faults {
    ($($(#[$about:meta])+ $name:literal $field:ident by $act:ident;)+) => {
        /// How often each fault may happen.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[non_exhaustive]
    pub struct Faults {
            $($(#[$about])+ pub $field: u8,)+
        }

        impl Faults {
            /// Names of the settings, in order.
            pub const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// Each with its name.
            pub fn all(self) -> impl Iterator<Item = (&'static str, u8)> {
                [$(($name, self.$field)),+].into_iter()
            }

            /// How often an act may still happen, if it is a fault.
            #[must_use]
            pub fn left(&self, act: Act) -> Option<u8> {
                match act {
                    Act::Step | Act::BackgroundTask => None,
                    $(Act::$act => Some(self.$field),)+
                }
            }

            /// Counts one; false if it may not happen any more.
            pub fn spend(&mut self, act: Act) -> bool {
                let times = match act {
                    Act::Step | Act::BackgroundTask => return true,
                    $(Act::$act => &mut self.$field,)+
                };
                times.checked_sub(1).map(|left| *times = left).is_some()
            }
        }
    };
}

faults! {
    /// Servers that die while they work for a buyer.
    "crashes" crashes by Crash;
    /// Holds and leases whose timer runs out while their buyer still counts on them.
    "expiries" expiries by Expire;
    /// Payments that the provider declines.
    "declines" declines by Decline;
    /// Answers of the provider that are lost after the money has moved.
    "lost-answers" lost_answers by LoseAnswer;
    /// Notices of the provider that come a second time. (A request in the queue comes again when the worker
    /// has died over it.)
    "redeliveries" redeliveries by Redeliver;
    /// Times that the database loses its power, and starts again with what was on disk.
    "power-cuts" power_cuts by PowerCut;
    /// Plain reads that go to a replica which does not have the last write yet.
    "stale-reads" stale_reads by StaleRead;
}

/// What happens next to a buyer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It makes its next step.
    #[default]
    Step,
    /// An [background task](crate::domain::card::BackgroundTask) that the shop does in its name makes its next step.
    BackgroundTask,
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
    /// It makes its next step, or a background task about it does, and then the database loses its power: transactions
    /// under way are aborted, and commits that are not yet on disk are lost.
    PowerCut,
    /// It makes its next step, and that is a plain read that does not see the last write.
    StaleRead,
}

impl Act {
    /// All of them: first what happens in any run, then the faults.
    pub const ALL: [Self; 9] = [
        Self::Step,
        Self::BackgroundTask,
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
            Self::BackgroundTask => "+",
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
    /// The most of each.
    #[doc(hidden)]
    pub const MOST: u8 = 20;

    /// Whether nothing may go wrong.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
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
