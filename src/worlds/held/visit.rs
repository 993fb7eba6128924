//! One buyer's visit over a connection whose statements are held.

use crate::attempt::{Attempt, Failure, Missed};
use crate::buyer::{Ending, Visit};
use crate::clock::STEP_NS;
use crate::entrant::Entrant;
use crate::op::{BuyerId, Op, Reply, Want};
use crate::retry::Retries;
use crate::stores::provider::Provider;
use crate::stores::remote::{Link, Seat};
use crate::worlds::stepped::script::{Heard, Next};

/// More ops than any attempt makes.
const MOST_OPS: usize = 1_000;

/// A buyer and what it stands in front of.
pub(super) struct Guest<'g> {
    pub(super) entrant: &'g dyn Entrant,
    pub(super) buyer: BuyerId,
    pub(super) want: Want,
    pub(super) retries: Retries,
    pub(super) provider: &'g Provider,
}

/// What came of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    pub(super) visit: Visit,
    /// Locks that attempts kept though nothing had cut them short.
    pub(super) leaked_locks: u64,
    /// Whether its connection is of no more use.
    pub(super) is_broken: bool,
}

impl Guest<'_> {
    /// Attempts until one is the last. Times are steps.
    pub(super) fn visit(&self, link: &mut dyn Link, seat: &Seat) -> Left {
        let mut visit = Visit::unserved(self.buyer, self.want);
        let mut leaked_locks = 0;
        loop {
            visit.attempts += 1;
            let began = seat.steps();
            let attempt = self.attempt(link, &mut visit);
            let kept = link.close_attempt();
            visit.last_attempt_ns = (began + 1) * STEP_NS;
            visit.ended_ns = seat.steps() * STEP_NS;
            if seat.is_closed() {
                break;
            }
            if !matches!(attempt, Err(Missed::Failed(_))) {
                leaked_locks += kept;
            }
            if attempt == Err(Missed::Conflict) {
                visit.conflicts += 1;
                if self.retries.allow(visit.conflicts) {
                    seat.begins_again();
                    continue;
                }
            }
            visit.ending = Ending::after(attempt);
            break;
        }
        Left { visit, leaked_locks, is_broken: link.is_broken() }
    }

    fn attempt(&self, link: &mut dyn Link, visit: &mut Visit) -> Attempt {
        let mut heard: Vec<Heard> = Vec::new();
        loop {
            if heard.len() == MOST_OPS {
                return Err(Missed::Failed(Failure::TooLong));
            }
            let op = match self.entrant.attempt(self.want, &heard) {
                Next::Call(op) => op.in_name_of(self.buyer),
                Next::End(attempt) => return attempt,
            };
            let reply = match op.is_about_money() {
                true => self.provider.call(self.buyer, op),
                false => link.call(self.buyer, op),
            };
            visit.looked |= matches!(op, Op::Read { .. } | Op::ReadVersioned { .. });
            visit.held |= matches!(op, Op::Hold { .. } | Op::CancelOrder)
                && reply == Ok(Reply::Applied(true));
            heard.push(reply);
        }
    }
}
