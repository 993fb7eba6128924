//! Isolation levels that were tried against a finding.

use serde::Serialize;

use super::cure_tried::{Cure, CureTried};
use crate::check::report::Evidence;
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;

/// A level, and what was found there.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LevelTried {
    /// The isolation level.
    pub isolation: Isolation,
    /// How far the verdict on the finding reaches: proved if no order shows it there, broken if one does, and not seen if
    /// there were too many orders.
    pub evidence: Evidence,
    /// What else is found there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<FindingKind>,
    /// Orders that were run.
    pub orders: u64,
    /// In how many of them a buyer's checkout failed, for example because the server said that it came too late.
    pub failed: u64,
    /// Every order with at most this many preemptions was covered; none if all orders were, or preemptions were not
    /// counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<u32>,
}

impl LevelTried {
    /// What is told of a cure that is a level; none if it is none, or could not be tried.
    #[doc(hidden)]
    #[must_use]
    pub fn of(cure: Cure, tried: &CureTried) -> Option<Self> {
        let CureTried { remains, orders, failed, preemptions, .. } = tried.clone();
        let (isolation, evidence) = (cure.level()?, tried.evidence?);
        Some(Self { isolation, evidence, remains, orders, failed, preemptions })
    }
}

/// Why no level had to be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoLevel {
    /// This statement of the checkout sets the level itself.
    SetsItsOwn(String),
    /// One buyer alone breaks it.
    Alone,
    /// It is broken even if buyers come one after the other.
    OneByOne,
}

impl NoLevel {
    /// The reason in words.
    #[doc(hidden)]
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::SetsItsOwn(statement) => {
                format!(
                    "--isolation was not tried, for a statement sets the level itself: {statement}"
                )
            }
            Self::Alone => "no isolation level, for one buyer alone breaks it".into(),
            Self::OneByOne => {
                "no isolation level, for it is broken even if buyers come one after the other"
                    .into()
            }
        }
    }
}
