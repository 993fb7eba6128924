//! How a group is set up, and the two ways to set it up wrongly on purpose.

use super::MemberId;

/// When a leader says that a command is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// Right: once a majority has it.
    Majority,
    /// Broken on purpose: as soon as the leader has written it down itself. The next leader need not
    /// have heard of it.
    Leader,
}

/// What is left of a member's notes after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Right: everything that was written.
    Synced,
    /// Broken on purpose: what was written by the last [`flush`](super::Group::flush). The member has
    /// promised and acknowledged more than that.
    Unsynced,
}

/// How a group is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many members, from [`Options::FEWEST`] to [`Options::MOST`]. An even number tolerates no more
    /// crashes than the odd one below it.
    pub members: usize,
    /// How many of its own ticks a member waits for heartbeats. Must take longer than a round trip.
    pub election_ticks: u64,
    /// After how many of its own ticks a member repeats what was not answered while it prepares or
    /// recovers. Best longer than a round trip: less repeats what is already being answered.
    pub resend_ticks: u64,
    /// One priority a member. The member with the highest leads first, and is preferred where several stand
    /// for election at once. Without priorities it is the member with the highest number. A member that
    /// comes back does not take the lead from one that has it.
    pub priorities: Option<Vec<u32>>,
    /// When a leader says that a command is done.
    pub acknowledge: Acknowledge,
    /// What is left of a member's notes after a crash.
    pub durability: Durability,
}

impl Options {
    /// Fewer members have nothing to agree on.
    pub const FEWEST: usize = 2;
    /// More members only make each other wait.
    pub const MOST: usize = 15;

    /// The priority of a member.
    pub(super) fn priority(&self, member: MemberId) -> u32 {
        self.priorities.as_ref().and_then(|all| all.get(member)).copied().unwrap_or(0)
    }

    /// Whether a group can be set up like this.
    pub(super) fn check(&self) -> Result<(), Unworkable> {
        let members = self.members;
        if !(Self::FEWEST..=Self::MOST).contains(&members) {
            return Err(Unworkable::Members(members));
        }
        if self.election_ticks == 0 {
            return Err(Unworkable::Never("election_ticks"));
        }
        if self.resend_ticks == 0 {
            return Err(Unworkable::Never("resend_ticks"));
        }
        match &self.priorities {
            Some(all) if all.len() != members => {
                Err(Unworkable::Priorities { given: all.len(), members })
            }
            _ => Ok(()),
        }
    }
}

impl Default for Options {
    /// Three members, as most groups have, and nothing broken.
    fn default() -> Self {
        Self {
            members: 3,
            election_ticks: 5,
            resend_ticks: 10,
            priorities: None,
            acknowledge: Acknowledge::Majority,
            durability: Durability::Synced,
        }
    }
}

/// Why a group cannot be set up as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unworkable {
    /// Too few or too many members.
    #[error("members is {0}; a group has from {least} to {most}", least = Options::FEWEST, most = Options::MOST)]
    Members(usize),
    /// A time-out that never comes.
    #[error("{0} is 0 and would never be over; make it at least 1")]
    Never(&'static str),
    /// Not one priority a member.
    #[error("priorities names {given} members of {members}; give each one, or leave them out")]
    Priorities {
        /// How many there are.
        given: usize,
        /// How many there should be.
        members: usize,
    },
    /// The library has an objection of its own.
    #[error("no group can be formed: {0}")]
    Refused(String),
}
