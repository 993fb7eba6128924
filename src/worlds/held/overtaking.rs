//! Which of two buyers goes on first that wait for the same lock, where the server may let the later overtake the earlier.
//!
//! A search cannot choose that. It need not see the later go on first, if it sees the same in another schedule: there the
//! later begins to wait first. Both schedules are explored, since the two statements conflict. So it is enough to see the
//! one that began to wait first go on first in each, provided that the earlier could as well have begun to wait right after
//! the later. It could if nothing that happened in between has changed what its statement reads, and if none has waited
//! for it meanwhile. What it holds and others only try to get, without waiting, is noted elsewhere.

use super::step::ServerStep;
use crate::scheduler::Footprint;

/// Which of a pair has gone on before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The one that began to wait first.
    Earlier,
    /// The other: it has overtaken the first.
    Later,
    /// None, or both without being in each other's way.
    Neither,
    /// Both have gone on, and which was first is not known.
    Unknown,
}

/// A buyer that had to wait, and has gone on with the last step.
#[derive(Clone, Copy, Debug)]
pub(super) struct GoneOn<'s> {
    /// Its statement, with its values.
    pub(super) text: &'s str,
    pub(super) answer: &'s str,
    /// Whether the server has refused the statement.
    pub(super) is_refused: bool,
    /// Whether it holds now what the other of the pair has asked for.
    pub(super) holds: bool,
}

impl Turn {
    /// Which of the two has gone on first, of those that have. `is_behind` says that the earlier waits for the later now.
    pub(super) fn of(
        earlier: Option<GoneOn<'_>>,
        later: Option<GoneOn<'_>>,
        is_behind: bool,
    ) -> Self {
        match (earlier, later) {
            (Some(_), None) => Self::Earlier,
            (None, Some(_)) if is_behind => Self::Later,
            (None, _) => Self::Neither,
            // Who was first has given it back by now.
            (Some(GoneOn { holds: false, .. }), Some(GoneOn { holds: true, .. })) => Self::Earlier,
            (Some(GoneOn { holds: true, .. }), Some(GoneOn { holds: false, .. })) => Self::Later,
            (Some(GoneOn { holds: true, .. }), Some(GoneOn { holds: true, .. })) => Self::Neither,
            // What the server refuses is in no other's way; and the same done twice has no order.
            (Some(one), Some(other))
                if one.is_refused && other.is_refused
                    || one.text == other.text && one.answer == other.answer =>
            {
                Self::Neither
            }
            (Some(_), Some(_)) => Self::Unknown,
        }
    }
}

/// Whether two of these statements, which all wait, may wait for the same lock.
pub(super) fn may_want_the_same(waiting: &[&Footprint]) -> bool {
    waiting
        .iter()
        .enumerate()
        .any(|(at, one)| waiting[at + 1..].iter().any(|other| one.conflicts_with(*other)))
}

/// Two buyers that wait for the same lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaitingPair {
    /// The place of the buyer that began to wait first.
    pub(super) earlier: usize,
    /// The place of the other.
    pub(super) later: usize,
    /// Whether what follows if the later goes on first follows in another schedule as well.
    pub(super) is_covered: bool,
}

impl WaitingPair {
    /// All pairs among the buyers of these places, which wait after these steps.
    pub(super) fn all(steps: &[ServerStep], waiting: &[usize]) -> Vec<Self> {
        let begun = |place: &usize| steps.iter().rposition(|step| step.place == *place);
        let mut begun: Vec<usize> = waiting.iter().filter_map(begun).collect();
        begun.sort_unstable();
        let pairs = begun
            .iter()
            .enumerate()
            .flat_map(|(at, earlier)| begun[at + 1..].iter().map(move |later| (*earlier, *later)));
        pairs.filter_map(|(earlier, later)| Self::of(steps, earlier, later)).collect()
    }

    /// The pair of the buyers that began to wait with these two steps; none if they wait for something else.
    fn of(steps: &[ServerStep], earlier: usize, later: usize) -> Option<Self> {
        let (first, second) = (&steps[earlier], &steps[later]);
        let is_behind = second.waits_for.contains(&first.place);
        let wait_for_one = first.waits_for.iter().any(|place| second.waits_for.contains(place));
        if !is_behind && !wait_for_one || !first.footprint.conflicts_with(&second.footprint) {
            return None;
        }
        // Any other statement reads what it locks once it has the lock, or has begun in a step of its own.
        let takes_snapshot = first.statement.footprint.reads.is_everything();
        let matters = |step: &ServerStep| {
            step.waits_for.contains(&first.place) || takes_snapshot && step.footprint.changes()
        };
        let is_covered = !steps[earlier + 1..later].iter().any(matters);
        Some(Self { earlier: first.place, later: second.place, is_covered })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{PendingStatement, Resources};

    fn row() -> Footprint {
        Footprint::locking(Resources::table(0))
    }

    fn step(place: usize, footprint: Footprint, waits_for: &[usize]) -> ServerStep {
        ServerStep {
            place,
            statement: PendingStatement::new(
                "UPDATE product SET stock = 0".into(),
                footprint.clone(),
            ),
            answer: None,
            has_begun: false,
            waits_for: waits_for.to_vec(),
            went_on: Vec::new(),
            began: Vec::new(),
            left: Vec::new(),
            footprint,
        }
    }

    fn pair(earlier: usize, later: usize, is_covered: bool) -> WaitingPair {
        WaitingPair { earlier, later, is_covered }
    }

    #[test]
    fn two_wait_for_the_same_if_one_is_behind_the_other_or_both_wait_for_the_same_buyer() {
        let behind = [step(0, row(), &[]), step(2, row(), &[0]), step(1, row(), &[2])];
        assert_eq!(WaitingPair::all(&behind, &[1, 2]), [pair(2, 1, true)]);
        let beside = [step(0, row(), &[]), step(2, row(), &[0]), step(1, row(), &[0])];
        assert_eq!(WaitingPair::all(&beside, &[1, 2]), [pair(2, 1, true)]);
        let other = [step(0, row(), &[]), step(2, row(), &[0]), step(1, row(), &[3])];
        assert_eq!(WaitingPair::all(&other, &[1, 2]), []);
        let elsewhere = Footprint::locking(Resources::table(1));
        let other = [step(0, row(), &[]), step(2, row(), &[0]), step(1, elsewhere, &[0])];
        assert_eq!(WaitingPair::all(&other, &[1, 2]), []);
    }

    #[test]
    fn of_three_that_wait_two_that_may_want_the_same_lock_are_enough() {
        let elsewhere = Footprint::locking(Resources::table(1));
        assert!(!may_want_the_same(&[&row()]));
        assert!(!may_want_the_same(&[&row(), &elsewhere]));
        assert!(may_want_the_same(&[&row(), &elsewhere, &row()]));
    }

    #[test]
    fn a_buyer_that_another_has_waited_for_meanwhile_could_not_have_begun_to_wait_later() {
        let steps = [step(1, row(), &[0]), step(3, row(), &[1]), step(2, row(), &[0])];
        assert_eq!(WaitingPair::all(&steps, &[1, 2]), [pair(1, 2, false)]);
    }

    #[test]
    fn a_buyer_that_has_taken_its_snapshot_could_not_have_begun_to_wait_after_a_change() {
        let snapshot = Footprint::reading(Resources::ALL) | row();
        for (first, between, is_covered) in [
            (snapshot.clone(), Footprint::writing(Resources::table(1)), false),
            (snapshot, Footprint::reading(Resources::table(1)), true),
            (
                Footprint::reading(Resources::table(1)) | row(),
                Footprint::writing(Resources::table(1)),
                true,
            ),
        ] {
            let steps = [step(1, first, &[0]), step(3, between, &[]), step(2, row(), &[0])];
            assert_eq!(WaitingPair::all(&steps, &[1, 2]), [pair(1, 2, is_covered)]);
        }
    }

    #[test]
    fn who_went_first_is_known_while_the_other_waits_or_holds_it_and_not_once_neither_does() {
        let gone_on =
            |text, answer, is_refused, holds| Some(GoneOn { text, answer, is_refused, holds });
        let [one, other, refused, holder] = [
            gone_on("UPDATE 1", "1 row", false, false),
            gone_on("UPDATE 2", "1 row", false, false),
            gone_on("UPDATE 2", "conflict", true, false),
            gone_on("UPDATE 3", "1 row", false, true),
        ];
        assert_eq!(Turn::of(one, None, false), Turn::Earlier);
        assert_eq!(Turn::of(None, one, true), Turn::Later);
        assert_eq!(Turn::of(None, one, false), Turn::Neither);
        assert_eq!(Turn::of(one, holder, false), Turn::Earlier);
        assert_eq!(Turn::of(holder, one, false), Turn::Later);
        assert_eq!(Turn::of(holder, holder, false), Turn::Neither, "they share it");
        assert_eq!(Turn::of(one, other, false), Turn::Unknown);
        assert_eq!(Turn::of(one, one, false), Turn::Neither);
        assert_eq!(Turn::of(refused, refused, false), Turn::Neither);
        assert_eq!(Turn::of(one, refused, false), Turn::Unknown);
    }
}
