//! A step that was made, and which other steps it cannot be swapped with.

use std::sync::Arc;

use crate::domain::faults::Act;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::footprint::Footprint;

/// A step that was made, or one that is expected.
#[derive(Clone, Debug)]
pub(in crate::scheduler) struct Event {
    /// What was chosen.
    pub(in crate::scheduler) choice: Choice,
    /// The clients that had to wait, and went on as part of this step.
    pub(in crate::scheduler) went_on: Vec<Actor>,
    /// What it reads and writes, all that went on included.
    pub(in crate::scheduler) footprint: Footprint,
}

impl Event {
    /// A step of one client alone.
    pub(super) fn alone(choice: Choice, footprint: Footprint) -> Self {
        Self { choice, went_on: Vec::new(), footprint }
    }

    /// Whether a client moves in this step.
    pub(super) fn moves(&self, client: Actor) -> bool {
        self.choice.who == client || self.went_on.contains(&client)
    }

    /// Whether two steps are dependent: they move the same client, their footprints conflict, or one may take from the other
    /// the chance to happen. Of faults there are only so many, and holds run out only while a client can move.
    pub(in crate::scheduler) fn depends_on(&self, other: &Self) -> bool {
        let [is_step, other_is_step] = [self, other].map(|event| event.choice.is_step());
        let ends_holds = [self, other].iter().any(|event| event.choice.act == Act::Expire);
        ends_holds
            || !is_step && !other_is_step
            || self.moves(other.choice.who)
            || other.went_on.iter().any(|client| self.moves(*client))
            || self.footprint.conflicts_with(&other.footprint)
    }
}

/// Steps one after the other.
pub(in crate::scheduler) type Events = Vec<Arc<Event>>;

/// Which events of an execution happen before which others: those that are dependent, in their order, and whatever
/// follows from that.
pub(super) struct Precedence {
    /// For each event a bit for each earlier one that happens before it.
    before: Vec<Vec<u64>>,
    /// The races: pairs of dependent events of different clients with nothing in between that is ordered after the one
    /// and before the other. The later could come before the earlier.
    races: Vec<(usize, usize)>,
}

const BITS: usize = u64::BITS as usize;

impl Precedence {
    /// The precedence of the events of one execution.
    pub(super) fn of(events: &[Arc<Event>]) -> Self {
        let mut precedence = Self { before: Vec::with_capacity(events.len()), races: Vec::new() };
        for (later, event) in events.iter().enumerate() {
            let mut before = vec![0; later.div_ceil(BITS)];
            for earlier in (0..later).rev() {
                let is_known = before[earlier / BITS] >> (earlier % BITS) & 1 == 1;
                if is_known || !event.depends_on(&events[earlier]) {
                    continue;
                }
                before[earlier / BITS] |= 1 << (earlier % BITS);
                for (word, more) in before.iter_mut().zip(&precedence.before[earlier]) {
                    *word |= more;
                }
                // A client that moved in the earlier event stands before the later one only because of that.
                if !events[earlier].moves(event.choice.who) {
                    precedence.races.push((earlier, later));
                }
            }
            precedence.before.push(before);
        }
        precedence
    }

    /// Whether one event happens before a later one.
    pub(super) fn is_before(&self, earlier: usize, later: usize) -> bool {
        let word = self.before.get(later).and_then(|before| before.get(earlier / BITS));
        word.is_some_and(|word| word >> (earlier % BITS) & 1 == 1)
    }

    /// The races.
    pub(super) fn races(&self) -> &[(usize, usize)] {
        &self.races
    }
}
