//! The kinds of finding: what the audit, or a search, can prove wrong, and what a broken strategy claims to show.

use serde::{Deserialize, Serialize};

/// The kinds of finding. Their names are also figures of the report, and `--expect` takes them.
///
/// ```
/// use oversell_sim::FindingKind;
///
/// assert_eq!(FindingKind::LostUpdate.name(), "lost_update");
/// assert!(FindingKind::Oversold.gravity() < FindingKind::Undersold.gravity());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// More units were promised than there were. Counted in units.
    Oversold,
    /// Units stayed unsold while buyers who wanted no more than that left without. Counted in
    /// units.
    Undersold,
    /// The shelf fell by less than was sold: a buyer's write was overwritten. Counted in units.
    LostUpdate,
    /// The shelf fell by more than was sold or ordered: units are gone and no buyer has them. Counted in
    /// units.
    LeakedStock,
    /// The shelf stood below zero at the end. Counted in units.
    NegativeStock,
    /// Buyers were told "sold out" though at no moment of their last attempt too little was left.
    /// Counted in buyers.
    FalseSoldOut,
    /// Buyers were promised units that are not in the order book. Counted in buyers.
    LostOrder,
    /// The order book says that buyers got more than they were promised. Counted in buyers.
    OrderWithoutReceipt,
    /// Buyers paid, and have no order. Counted in buyers.
    ChargedWithoutUnit,
    /// Buyers have an order, and the payment provider has no payment of theirs. Counted in buyers.
    UnitWithoutCharge,
    /// Buyers paid more than once. Counted in buyers.
    DoubleCharge,
    /// A rule of the shop's own audit is broken. Counted in rules. Only for a checkout that is described in a file.
    BrokenRule,
    /// Attempts ended and kept their lock. Counted in locks.
    LeakedLock,
    /// Visits ended and kept units on hold. Counted in holds.
    LeakedHold,
    /// Buyers wait for each other, and none of them can go on. Counted in buyers. Only in the model: on
    /// threads a wait ends with the buyer's patience.
    Deadlock,
    /// From some moment on, no schedule ever ends: some buyer retries for ever. Counted once. Only in the
    /// model.
    Livelock,
}

impl FindingKind {
    /// All kinds, the gravest first.
    #[doc(hidden)]
    pub const ALL: [Self; 16] = [
        Self::Oversold,
        Self::DoubleCharge,
        Self::ChargedWithoutUnit,
        Self::UnitWithoutCharge,
        Self::BrokenRule,
        Self::NegativeStock,
        Self::LostUpdate,
        Self::LeakedStock,
        Self::LostOrder,
        Self::OrderWithoutReceipt,
        Self::Deadlock,
        Self::Livelock,
        Self::FalseSoldOut,
        Self::Undersold,
        Self::LeakedLock,
        Self::LeakedHold,
    ];

    /// Its place among all kinds: 0 is the gravest.
    #[must_use]
    pub fn gravity(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or(Self::ALL.len())
    }

    /// What its amount is counted in, for one of them.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Oversold
            | Self::Undersold
            | Self::LostUpdate
            | Self::LeakedStock
            | Self::NegativeStock => "unit",
            Self::FalseSoldOut
            | Self::ChargedWithoutUnit
            | Self::UnitWithoutCharge
            | Self::DoubleCharge
            | Self::LostOrder
            | Self::OrderWithoutReceipt
            | Self::Deadlock => "buyer",
            Self::BrokenRule => "rule",
            Self::Livelock => "time",
            Self::LeakedLock => "lock",
            Self::LeakedHold => "hold",
        }
    }

    /// The name in reports and expectations.
    #[must_use]
    pub fn name(self) -> String {
        self.title().replace([' ', '-'], "_")
    }

    /// The name as a reader sees it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Oversold => "oversold",
            Self::Undersold => "undersold",
            Self::LostUpdate => "lost update",
            Self::LeakedStock => "leaked stock",
            Self::NegativeStock => "negative stock",
            Self::FalseSoldOut => "false sold-out",
            Self::LostOrder => "lost order",
            Self::OrderWithoutReceipt => "order without receipt",
            Self::LeakedLock => "leaked lock",
            Self::ChargedWithoutUnit => "charged without unit",
            Self::UnitWithoutCharge => "unit without charge",
            Self::DoubleCharge => "double charge",
            Self::LeakedHold => "leaked hold",
            Self::Deadlock => "deadlock",
            Self::Livelock => "livelock",
            Self::BrokenRule => "broken rule",
        }
    }
}
