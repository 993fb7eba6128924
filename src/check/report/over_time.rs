//! What happened over time in one round.

use serde::{Deserialize, Serialize};

use crate::domain::buyer::{Ending, Visit};

/// The most slices that a round is divided into. A round of few buyers has as many as buyers.
const MOST_SLICES: usize = 50;

/// What happened in one slice of a round's time. Attempts are counted in the slice in which their visit ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TimeSlice {
    /// When the slice ends, in ns after the start of the round.
    pub until: u64,
    /// Buyers that were inside a checkout at some time in it.
    pub inside: u64,
    /// Buyers that had their answer in it.
    pub answered: u64,
    /// Of these, those that were promised units.
    pub winners: u64,
    /// Attempts of those that were answered which had ended in a conflict.
    pub conflicts: u64,
    /// Buyers of those that were answered which had waited: for a lock, in the queue, or between attempts.
    pub waited: u64,
}

/// A round's time from the first click to the last answer, in slices of equal length. Empty if no visit came to an end.
#[must_use]
pub fn over_time(visits: &[Visit]) -> Vec<TimeSlice> {
    let ended = || visits.iter().filter(|visit| visit.ending != Ending::Unserved);
    let (Some(first), Some(last)) =
        (ended().map(|visit| visit.began_ns).min(), ended().map(|visit| visit.ended_ns).max())
    else {
        return Vec::new();
    };
    let most = ended().take(MOST_SLICES).count();
    let length = (last - first).div_ceil(most as u64).max(1);
    let slices = most.min(((last - first) / length + 1) as usize);
    let slice_of = |at: u64| (((at - first) / length) as usize).min(slices - 1);
    let mut told: Vec<TimeSlice> = (1..=slices as u64)
        .map(|end| TimeSlice { until: first + end * length, ..TimeSlice::default() })
        .collect();
    // How many more are inside from a slice on, and how many fewer after it.
    let mut change = vec![0_i64; slices + 1];
    for visit in ended() {
        let here = slice_of(visit.ended_ns);
        change[slice_of(visit.began_ns)] += 1;
        change[here + 1] -= 1;
        let slice = &mut told[here];
        slice.answered += 1;
        slice.winners += u64::from(visit.ending == Ending::Bought);
        slice.conflicts += u64::from(visit.conflicts);
        slice.waited += u64::from(visit.waited_ns > 0);
    }
    let mut inside = 0;
    for (slice, change) in told.iter_mut().zip(change) {
        inside += change;
        slice.inside = inside.unsigned_abs();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::op::{Item, Want};

    fn visit(buyer: u32, began_ns: u64, ended_ns: u64, ending: Ending) -> Visit {
        let want = Want::one(Item(0), 1);
        Visit {
            ending,
            attempts: 2,
            conflicts: 1,
            began_ns,
            ended_ns,
            ..Visit::unserved(buyer, want)
        }
    }

    #[test]
    fn every_visit_that_ended_is_counted_in_the_slice_of_its_answer() {
        let visits = [
            visit(0, 0, 10, Ending::Bought),
            visit(1, 5, 500, Ending::Rejected),
            visit(2, 0, 400, Ending::Unserved),
        ];
        let told = over_time(&visits);
        let [first, second] = told[..] else {
            panic!("two visits ended, and so two slices: {told:?}")
        };
        assert_eq!((first.answered, first.winners, first.conflicts), (1, 1, 1));
        assert_eq!((second.answered, second.winners, second.conflicts), (1, 0, 1));
        assert_eq!((first.inside, second.inside), (2, 1));
        assert_eq!((first.until, second.until), (250, 500));
    }

    #[test]
    fn many_visits_make_fifty_slices_and_each_is_counted_once() {
        let visits: Vec<Visit> =
            (0..1_000).map(|buyer| visit(buyer, 0, u64::from(buyer) + 1, Ending::Bought)).collect();
        let told = over_time(&visits);
        assert_eq!((told.len(), told[0].inside, told[49].until), (50, 1_000, 1_000));
        assert_eq!(told.iter().map(|slice| slice.answered).sum::<u64>(), 1_000);
        assert!(told.is_sorted_by(|one, next| one.inside > next.inside));
    }

    #[test]
    fn a_round_that_no_buyer_left_has_no_slices() {
        assert_eq!(over_time(&[visit(0, 0, 10, Ending::Unserved)]), []);
        assert_eq!(over_time(&[]), []);
    }
}
