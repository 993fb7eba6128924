//! How many preemptions a search tries, and how far it goes.

use crate::base::partition::Slice;
use crate::scheduler::Bounds;

/// States of the model to be content with once something was found, if only the first finding is asked for.
pub const ENOUGH_STATES: usize = 200_000;

/// Orders of statements at a real server, likewise.
pub const ENOUGH_ORDERS: u64 = 500;

/// How many preemptions a search tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreemptionBound {
    /// Schedules with at most this many, and no others.
    AtMost(u32),
    /// Schedules with few first, and then all.
    FewFirst,
}

/// The most preemptions that a search tries before it runs all schedules.
const FEW: u32 = 2;

impl PreemptionBound {
    /// The most preemptions that are counted.
    pub(super) fn most(self) -> u32 {
        match self {
            Self::AtMost(most) => most,
            Self::FewFirst => FEW,
        }
    }
}

/// Which schedules a search runs, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether schedules that are likely to break something come first, before all others. Those are run all the same.
    pub likely_first: bool,
    /// Whether schedules with few preemptions come first, and how many are enough; none for depth first alone.
    pub preemptions: Option<PreemptionBound>,
    /// Whether schedules that are equivalent to others are left out.
    pub reduced: bool,
    /// Stop after this many schedules once a finding exists; none to run all.
    pub enough_after_finding: Option<u64>,
    /// Stop after this many schedules in any case; none to run all.
    pub most: Option<u64>,
    /// Whether the schedules that are run are kept, for a page that shows them.
    pub keeps_schedules: bool,
    /// Which share of the schedules is run, where several machines share them; none to run all.
    pub share: Option<Slice>,
}

impl Plan {
    /// Whether a finding in schedules with few preemptions is enough to run no others.
    pub(super) fn is_content_with_few(&self) -> bool {
        self.enough_after_finding.is_some() && self.preemptions == Some(PreemptionBound::FewFirst)
    }

    /// Every schedule, but of equivalent ones only one.
    pub const EVERYTHING: Self = Self {
        likely_first: false,
        preemptions: None,
        reduced: true,
        enough_after_finding: None,
        most: None,
        keeps_schedules: false,
        share: None,
    };

    /// Every schedule, one by one.
    pub const ONE_BY_ONE: Self = Self { reduced: false, ..Self::EVERYTHING };
}

/// The bounds of each execution at a server. A longer schedule is reported as one without end.
pub(super) const AT_SERVER: Bounds = Bounds { most_steps: 5_000, cuts_futile: false };
