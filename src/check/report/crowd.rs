//! How many buyers were inside a checkout at once.
//!
//! Counted after the race from when each came and went, so that counting does not disturb the race.

use rayon::prelude::*;

use crate::domain::buyer::{Ending, Visit};

/// The most visits, of those that came to an end, that were under way at one moment. Two visits that only
/// touch do not overlap.
#[must_use]
pub fn most_inside(visits: &[Visit]) -> u64 {
    let times = |of: fn(&Visit) -> u64| {
        let mut times: Vec<u64> =
            visits.par_iter().filter(|visit| visit.ending != Ending::Unserved).map(of).collect();
        times.par_sort_unstable();
        times
    };
    let (came, went) = (times(|visit| visit.began_ns), times(|visit| visit.ended_ns));
    let mut left = 0;
    let mut most = 0;
    for (entered, came) in came.iter().enumerate() {
        // No buyer leaves before it comes, so `left` stays within bounds and below `entered`.
        while went[left] <= *came && left < entered {
            left += 1;
        }
        most = most.max(entered + 1 - left);
    }
    most as u64
}
