//! The banner: what a shopper sees at the end. One exact outcome, one banner.

use serde::Serialize;

use crate::domain::buyer::{Ending, Visit};

/// What a buyer was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Banner {
    /// Bought.
    OrderPlaced,
    /// Rejected without a conflict, after looking at the stock.
    OutOfStock,
    /// Rejected without a conflict and without looking: the store itself said no.
    CurrentlyUnavailable,
    /// Rejected after a conflict: there was enough when the buyer first looked.
    NoLongerAvailable,
    /// The payment did not go through.
    PaymentDeclined,
    /// The reservation ran out before the payment was there.
    ReservationExpired,
    /// Abandoned the purchase, or something broke.
    FailedToProcess,
}

impl Banner {
    /// All of them, the happiest first.
    #[doc(hidden)]
    pub const ALL: [Self; 7] = [
        Self::OrderPlaced,
        Self::OutOfStock,
        Self::CurrentlyUnavailable,
        Self::NoLongerAvailable,
        Self::PaymentDeclined,
        Self::ReservationExpired,
        Self::FailedToProcess,
    ];

    /// The banner at the end of a visit; none for a buyer that was never served.
    #[doc(hidden)]
    #[must_use]
    pub fn of(visit: &Visit) -> Option<Self> {
        Some(match visit.ending {
            Ending::Bought => Self::OrderPlaced,
            Ending::Rejected if visit.conflicts > 0 => Self::NoLongerAvailable,
            Ending::Rejected if visit.looked => Self::OutOfStock,
            Ending::Rejected => Self::CurrentlyUnavailable,
            Ending::Declined => Self::PaymentDeclined,
            Ending::Expired => Self::ReservationExpired,
            Ending::Abandoned | Ending::Failed(_) => Self::FailedToProcess,
            Ending::Unserved => return None,
        })
    }

    /// The words on it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::OrderPlaced => "Order placed",
            Self::OutOfStock => "Out of Stock",
            Self::CurrentlyUnavailable => "Currently Unavailable",
            Self::NoLongerAvailable => "no longer available from this seller",
            Self::PaymentDeclined => "Payment declined",
            Self::ReservationExpired => "Your reservation has expired",
            Self::FailedToProcess => "Failed to process",
        }
    }

    /// What had happened to those who saw it.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::OrderPlaced => "has a receipt",
            Self::OutOfStock => "looked, and too little was left",
            Self::CurrentlyUnavailable => "asked, and the store said no",
            Self::NoLongerAvailable => "saw enough, then lost to a faster buyer",
            Self::PaymentDeclined => "held a unit, and the payment did not go through",
            Self::ReservationExpired => "held a unit, and paid too late",
            Self::FailedToProcess => "abandoned the purchase, or something broke",
        }
    }
}

/// How many buyers saw a banner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BannerCount {
    /// Which outcome.
    pub banner: Banner,
    /// The words on it.
    pub text: &'static str,
    /// What had happened to those who saw it.
    pub why: &'static str,
    /// How many saw it, over all rounds.
    pub buyers: u64,
}
