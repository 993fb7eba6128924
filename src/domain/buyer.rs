//! Buyers: what each came for, and how the visit went.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, Bought, Failure, Missed};
use super::op::{BuyerId, Units, Want};
use crate::base::chance::Dice;
use crate::base::text::quantity;

/// How many units each buyer wants: a number, or a range to roll from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The fewest, at least 1.
    pub least: Units,
    /// The most, at least `least`.
    pub most: Units,
}

impl Demand {
    /// One unit each.
    pub const ONE: Self = Self { least: 1, most: 1 };

    /// What one buyer wants. Rolls only where there is a choice.
    #[must_use]
    pub fn roll(self, dice: &mut Dice) -> Units {
        if self.least == self.most {
            self.least
        } else {
            dice.rng().random_range(self.least..=self.most)
        }
    }

    /// Reads `2` or `1..3` (both ends included).
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let units = |text| {
            quantity::parse_count(text, 1, crate::domain::op::MOST_STOCK)
                .map(|units| units as Units)
        };
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let (least, most) = (units(least)?, units(most)?);
        if least > most {
            return Err(format!("the range is upside down; write {most}..{least}"));
        }
        Ok(Self { least, most })
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most {
            write!(f, "{}", self.least)
        } else {
            write!(f, "{}..{}", self.least, self.most)
        }
    }
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ending {
    /// The shop promised the units: there is a receipt.
    Bought,
    /// Told that too little is left.
    Rejected,
    /// Lost too often, or for too long.
    Abandoned,
    /// The payment did not go through.
    Declined,
    /// The units were reserved for it, and the reservation ran out.
    Expired,
    /// Something broke.
    Failed(Failure),
    /// Ctrl-C came first.
    Unserved,
}

impl Ending {
    /// How a visit ends if this attempt is its last. After a conflict, the buyer has abandoned the purchase.
    #[inline(always)]
    #[must_use]
    pub fn after(attempt: Attempt) -> Self {
        match attempt {
            Ok(Bought) => Self::Bought,
            Err(Missed::SoldOut) => Self::Rejected,
            Err(Missed::Declined) => Self::Declined,
            Err(Missed::Expired) => Self::Expired,
            Err(Missed::Failed(why)) => Self::Failed(why),
            Err(Missed::Conflict) => Self::Abandoned,
        }
    }

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
            Self::Declined => "declined",
            Self::Expired => "too late",
            Self::Failed(_) => "failed",
            Self::Unserved => "not served",
        }
    }
}

/// One buyer's visit, as the buyer saw it: what was promised, and when. Times are nanoseconds
/// after the gun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The buyer.
    pub buyer: BuyerId,
    /// What it came for.
    pub want: Want,
    /// How it ended.
    pub ending: Ending,
    /// Attempts made, the first included.
    pub attempts: u32,
    /// Attempts that ended in a conflict.
    pub conflicts: u32,
    /// Whether the buyer ever looked at the stock before acting.
    pub looked: bool,
    /// When the visit began.
    pub began_ns: u64,
    /// When the last attempt began.
    pub last_attempt_ns: u64,
    /// When the buyer had its answer.
    pub ended_ns: u64,
    /// Time spent waiting: for a lock, in the queue, or between attempts.
    pub waited_ns: u64,
    /// Whether the buyer ever had units on hold or on order that may have gone back.
    pub held: bool,
}

impl Visit {
    /// A buyer that has not come in yet.
    #[inline]
    #[must_use]
    pub fn unserved(buyer: BuyerId, want: Want) -> Self {
        Self {
            buyer,
            want,
            ending: Ending::Unserved,
            attempts: 0,
            conflicts: 0,
            looked: false,
            began_ns: 0,
            last_attempt_ns: 0,
            ended_ns: 0,
            waited_ns: 0,
            held: false,
        }
    }

    /// Turns times on the race's clock into times after the gun.
    #[inline]
    pub fn count_from(&mut self, gun_ns: u64) {
        for time in [&mut self.began_ns, &mut self.last_attempt_ns, &mut self.ended_ns] {
            *time = time.saturating_sub(gun_ns);
        }
    }

    /// What was promised to this buyer. A receipt is for all it wanted, or there is none.
    #[must_use]
    pub fn receipt(&self) -> Option<Want> {
        (self.ending == Ending::Bought).then_some(self.want)
    }

    /// From the buyer's click to its answer.
    #[must_use]
    pub fn latency_ns(&self) -> u64 {
        self.ended_ns.saturating_sub(self.began_ns)
    }
}
