//! One buyer's visit over a connection whose statements are held.

use super::step::{Grain, told};
use crate::base::clock::STEP_NS;
use crate::domain::attempt::OpResult;
use crate::domain::attempt::{Attempt, Bought, Failure, Missed};
use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::{BuyerId, Item, Op, Reply, Want};
use crate::domain::retry::Retries;
use crate::scheduler::{BuyerHandle, Footprint, PendingStatement, Resources};
use crate::stores::provider::Provider;
use crate::stores::remote::Link;
use crate::worlds::stepped::Scripted;
use crate::worlds::stepped::script::ScriptStep;

/// More ops than any attempt makes.
const MOST_OPS: usize = 1_000;

/// A buyer, and what its visit needs.
pub(super) struct HeldBuyer<'g> {
    pub(super) strategy: &'g dyn Scripted,
    pub(super) buyer: BuyerId,
    pub(super) want: Want,
    pub(super) retries: Retries,
    pub(super) grain: Grain,
    pub(super) provider: &'g Provider,
}

/// What came of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct FinishedVisit {
    pub(super) visit: Visit,
    /// Locks that attempts kept although no failure had cut them short.
    pub(super) leaked_locks: u64,
    /// Whether its connection is of no more use.
    pub(super) is_broken: bool,
}

impl FinishedVisit {
    /// The visit of a buyer that has no connection.
    pub(super) fn without_connection(buyer: BuyerId, want: Want) -> Self {
        Self { visit: Visit::unserved(buyer, want), leaked_locks: 0, is_broken: true }
    }

    /// Makes all holds run out so often, each time when it is released, in place of a visit.
    pub(super) fn of_the_clock(place: usize, link: &mut dyn Link, expiries: u8) -> Self {
        let ended = (0..expiries).try_for_each(|_| link.end_holds());
        let visit = Visit {
            ending: Ending::after(ended.map(|()| Bought)),
            ..Visit::unserved(place as BuyerId, Want { qty: 0, ..Want::one(Item(0), 1) })
        };
        Self { visit, leaked_locks: 0, is_broken: link.is_broken() }
    }

    /// Whether the buyer's program has died.
    pub(super) fn has_crashed(&self) -> bool {
        self.visit.ending == Ending::Failed(Failure::Crashed)
    }
}

impl HeldBuyer<'_> {
    /// Runs attempts until one is the last. Times are steps.
    pub(super) fn visit(&self, link: &mut dyn Link, handle: &BuyerHandle) -> FinishedVisit {
        let mut visit = Visit::unserved(self.buyer, self.want);
        let mut leaked_locks = 0;
        loop {
            visit.attempts += 1;
            handle.begin_attempt();
            let mut marks = Marks::default();
            let attempt = self.attempt(link, handle, &mut visit, &mut marks);
            let has_changed = link.has_changed().unwrap_or(marks.has_changed);
            let kept = link.close_attempt();
            let has_crashed = handle.has_crashed();
            let ended = handle.steps();
            visit.last_attempt_ns = handle.first_step().unwrap_or(ended) * STEP_NS;
            visit.ended_ns = ended * STEP_NS;
            if has_crashed {
                visit.ending = Ending::Failed(Failure::Crashed);
                break;
            }
            if handle.is_closed() {
                break;
            }
            if !matches!(attempt, Err(Missed::Failed(_))) {
                leaked_locks += kept;
            }
            if attempt == Err(Missed::Conflict) {
                visit.conflicts += 1;
                if self.retries.allow(visit.conflicts) {
                    handle.begin_again(has_changed);
                    continue;
                }
            }
            visit.ending = Ending::after(attempt);
            break;
        }
        FinishedVisit { visit, leaked_locks, is_broken: link.is_broken() }
    }

    fn attempt(
        &self,
        link: &mut dyn Link,
        handle: &BuyerHandle,
        visit: &mut Visit,
        marks: &mut Marks,
    ) -> Attempt {
        let mut heard: Vec<OpResult> = Vec::new();
        loop {
            if heard.len() == MOST_OPS {
                return Err(Missed::Failed(Failure::TooLong));
            }
            let op = match self.strategy.attempt(self.want, &heard) {
                ScriptStep::Call(op) => op.in_name_of(self.buyer),
                ScriptStep::End(attempt) => return attempt,
            };
            if self.grain == Grain::Op {
                let pending =
                    PendingStatement::new(format!("{op:?}"), Footprint::writing(Resources::ALL));
                if !handle.await_release(pending) {
                    return Err(Missed::Failed(Failure::Interrupted));
                }
            }
            let reply = match op.is_about_money() {
                true => self.provider.call(self.buyer, op),
                false => link.call(self.buyer, op),
            };
            if self.grain == Grain::Op {
                handle.answer(told(reply));
            }
            marks.note(op, reply);
            visit.looked |= matches!(op, Op::Read { .. } | Op::ReadVersioned { .. });
            visit.held |= matches!(op, Op::Hold { .. } | Op::CancelOrder)
                && reply == Ok(Reply::Applied(true));
            heard.push(reply);
        }
    }
}

/// Whether an attempt has made a change that stays even if it ends in a conflict.
#[derive(Debug, Default)]
struct Marks {
    is_in_transaction: bool,
    has_changed: bool,
}

impl Marks {
    fn note(&mut self, op: Op, reply: OpResult) {
        match op {
            Op::Begin => self.is_in_transaction = reply.is_ok(),
            Op::Commit | Op::CommitUnsynced => {
                self.is_in_transaction = false;
                self.has_changed |= reply.is_ok();
            }
            Op::Rollback => self.is_in_transaction = false,
            Op::Read { .. }
            | Op::ReadVersioned { .. }
            | Op::ReadFenced { .. }
            | Op::CountLeft { .. }
            | Op::FindOrder
            | Op::FindCharge => {}
            // The end of the attempt releases a lock in any case.
            Op::Lock { .. } | Op::Unlock { .. } => {}
            _ if self.is_in_transaction || matches!(reply, Ok(Reply::Applied(false)) | Err(_)) => {}
            _ => self.has_changed = true,
        }
    }
}
