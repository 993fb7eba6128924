//! What a buyer is called in the proof of a finding.

use crate::domain::op::BuyerId;
use crate::scheduler::Actor;

/// What buyers are called, so that each has one name in all of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `buyer 0`, `buyer 1` …, as the fields of a race's report count them.
    Numbers,
    /// `A`, `B` … `a27`, as schedules and stories name them.
    Letters,
}

impl Naming {
    /// The name of a buyer.
    #[must_use]
    pub fn of(self, buyer: BuyerId) -> String {
        match self {
            Self::Numbers => format!("buyer {buyer}"),
            Self::Letters => Actor::Buyer(buyer).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_a_schedule_and_numbers_those_of_a_report() {
        assert_eq!([0, 25, 26].map(|buyer| Naming::Letters.of(buyer)), ["A", "Z", "a27"]);
        assert_eq!(Naming::Numbers.of(26), "buyer 26");
    }
}
