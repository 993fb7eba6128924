//! Who waited for whom in one round, for the locks that the checkout asked for.
//!
//! Every buyer notes on its own thread when it asked for a lock, when it had it, and when it was about to release it.
//! The note of a hold begins after the lock was taken and ends before it was released, so it is never longer than the
//! hold; the note of a wait is never shorter than the wait. Where the two overlap, one buyer had asked for the lock and
//! did not have it while the other held it. Nothing else is called a wait for a buyer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::op::{BuyerId, Item};

/// The most waits listed, and the most holds.
const MOST_LISTED: usize = 20;

/// The most holds listed for one wait.
const MOST_HOLDS_OF_A_WAIT: usize = 12;

/// One buyer's request for a lock, from when it asked until it released it. Times are on the race's clock, or after the
/// start once [`LockUse::count_from`] was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockUse {
    /// The buyer.
    pub buyer: BuyerId,
    /// The product whose lock it is.
    pub item: Item,
    /// When it asked.
    pub asked_ns: u64,
    /// When it had the lock, or its request failed.
    pub until_ns: u64,
    /// The last time at which it certainly held the lock; when its request failed, if it never had it.
    pub released_ns: u64,
    /// Whether it had the lock.
    pub had: bool,
    /// Whether it had to wait, for others who held the lock or had asked for it before.
    pub waited: bool,
}

impl LockUse {
    /// Turns times on the race's clock into times after the start.
    pub fn count_from(&mut self, start_ns: u64) {
        for time in [&mut self.asked_ns, &mut self.until_ns, &mut self.released_ns] {
            *time = time.saturating_sub(start_ns);
        }
    }
}

/// Who waited for whom in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LockWaits {
    /// Requests for a lock that were recorded.
    pub recorded: u64,
    /// Locks taken beyond those: only the first few thousand of a round are recorded.
    pub left_out: u64,
    /// Requests, of those recorded, that had to wait.
    pub waited: u64,
    /// The longest of these waits, the longest first: 20 at most.
    pub longest: Vec<LockWait>,
    /// The times that a lock was held while others waited for it, those with most waiters first: 20 at most.
    pub waited_for: Vec<LockHold>,
}

/// A buyer that waited for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LockWait {
    /// The buyer.
    pub buyer: BuyerId,
    /// The product whose lock it is, counted from 1.
    pub product: u64,
    /// When it asked, in ns after the start.
    pub asked: u64,
    /// When it had the lock, or had waited for too long.
    pub until: u64,
    /// Whether it had the lock in the end.
    pub had: bool,
    /// When it released the lock; as `until` if it never had it.
    pub released: u64,
    /// How often others held the lock while it waited, as far as recorded.
    pub holds: u64,
    /// Of these, those that took most of its wait, in the order of time: 12 at most.
    pub held_by: Vec<LockHold>,
}

impl LockWait {
    /// How long it waited, in ns.
    #[must_use]
    pub fn lasted(&self) -> u64 {
        self.until.saturating_sub(self.asked)
    }
}

/// A time for which a buyer held a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LockHold {
    /// The buyer.
    pub buyer: BuyerId,
    /// The product whose lock it is, counted from 1.
    pub product: u64,
    /// Since when it certainly held the lock, in ns after the start.
    pub from: u64,
    /// Until when it certainly held the lock.
    pub until: u64,
    /// How many waited for the lock meanwhile, as far as recorded.
    pub waiters: u64,
}

impl LockHold {
    /// How much of a wait it took, in ns.
    pub(crate) fn share_of(&self, asked: u64, until: u64) -> u64 {
        self.until.min(until).saturating_sub(self.from.max(asked))
    }

    /// How long it held the lock, in ns.
    #[must_use]
    pub fn lasted(&self) -> u64 {
        self.until.saturating_sub(self.from)
    }
}

impl LockWaits {
    /// Says who waited for whom, given what was recorded of a round and how many locks were taken in it.
    #[must_use]
    pub(crate) fn of(uses: &[LockUse], taken: u64) -> Self {
        let mut by_item: BTreeMap<Item, Vec<&LockUse>> = BTreeMap::new();
        for one in uses {
            by_item.entry(one.item).or_default().push(one);
        }
        let (mut longest, mut waited_for) = (Vec::new(), Vec::new());
        for uses in by_item.values() {
            let mut waits: Vec<&LockUse> = uses.iter().copied().filter(|one| one.waited).collect();
            let holds = holds(uses, &waits);
            waits.sort_unstable_by_key(|one| Reverse(one.until_ns.saturating_sub(one.asked_ns)));
            longest.extend(waits.iter().take(MOST_LISTED).map(|wait| listed(wait, &holds)));
            waited_for.extend(holds.into_iter().filter(|hold| hold.waiters > 0));
        }
        longest.sort_unstable_by_key(|wait: &LockWait| (Reverse(wait.lasted()), wait.buyer));
        longest.truncate(MOST_LISTED);
        waited_for.sort_unstable_by_key(|hold| {
            (Reverse((hold.waiters, hold.lasted())), hold.from, hold.buyer)
        });
        waited_for.truncate(MOST_LISTED);
        let recorded = uses.iter().filter(|one| one.had).count() as u64;
        Self {
            recorded: uses.len() as u64,
            left_out: taken.saturating_sub(recorded),
            waited: uses.iter().filter(|one| one.waited).count() as u64,
            longest,
            waited_for,
        }
    }
}

/// When one product's lock was held, in the order of time, and how many of these waits that took some of. No two
/// overlap: a buyer that has lost its lock, as after a pause in which a lease ran out, no longer holds it.
fn holds(uses: &[&LockUse], waits: &[&LockUse]) -> Vec<LockHold> {
    let mut holds: Vec<&LockUse> = uses.iter().copied().filter(|one| one.had).collect();
    holds.sort_unstable_by_key(|one| one.until_ns);
    let sorted = |time: fn(&LockUse) -> u64| {
        let mut times: Vec<u64> = waits.iter().map(|wait| time(wait)).collect();
        times.sort_unstable();
        times
    };
    let (asked, over) = (sorted(|wait| wait.asked_ns), sorted(|wait| wait.until_ns));
    let next = holds.iter().skip(1).map(|one| one.until_ns).chain([u64::MAX]);
    let told = holds.iter().zip(next).map(|(one, next)| {
        let (from, until) = (one.until_ns, one.released_ns.min(next));
        // A wait that has begun before a hold ends, and is not over when the hold begins, overlaps with it.
        let waiters = match from < until {
            true => {
                let begun = asked.partition_point(|time| *time < until);
                begun - over.partition_point(|time| *time <= from).min(begun)
            }
            false => 0,
        };
        LockHold {
            buyer: one.buyer,
            product: product(one.item),
            from,
            until,
            waiters: waiters as u64,
        }
    });
    told.collect()
}

/// A wait, with those who held the lock meanwhile.
fn listed(wait: &LockUse, holds: &[LockHold]) -> LockWait {
    let share = |hold: &LockHold| hold.share_of(wait.asked_ns, wait.until_ns);
    let first = holds.partition_point(|hold| hold.until <= wait.asked_ns);
    let during = holds[first..].iter().take_while(|hold| hold.from < wait.until_ns);
    let mut held_by: Vec<LockHold> = during.filter(|hold| share(hold) > 0).copied().collect();
    let all = held_by.len() as u64;
    held_by.sort_by_key(|hold| Reverse(share(hold)));
    held_by.truncate(MOST_HOLDS_OF_A_WAIT);
    held_by.sort_unstable_by_key(|hold| hold.from);
    LockWait {
        buyer: wait.buyer,
        product: product(wait.item),
        asked: wait.asked_ns,
        until: wait.until_ns,
        had: wait.had,
        released: wait.released_ns,
        holds: all,
        held_by,
    }
}

fn product(item: Item) -> u64 {
    u64::from(item.0) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buyer that asked for the first product's lock, had it and released it at these times.
    fn used(buyer: BuyerId, [asked_ns, until_ns, released_ns]: [u64; 3], waited: bool) -> LockUse {
        LockUse { buyer, item: Item(0), asked_ns, until_ns, released_ns, had: true, waited }
    }

    #[test]
    fn a_buyer_waited_for_those_who_held_the_lock_between_its_question_and_its_turn() {
        let uses = [
            used(0, [0, 10, 50], false),
            used(1, [5, 60, 70], true),
            used(2, [20, 80, 90], true),
            used(3, [100, 100, 110], false),
        ];
        let waits = LockWaits::of(&uses, 4);
        assert_eq!((waits.recorded, waits.left_out, waits.waited), (4, 0, 2));
        let told: Vec<_> = waits
            .longest
            .iter()
            .map(|wait| {
                let held_by: Vec<BuyerId> = wait.held_by.iter().map(|hold| hold.buyer).collect();
                (wait.buyer, wait.lasted(), held_by)
            })
            .collect();
        assert_eq!(told, [(2, 60, vec![0, 1]), (1, 55, vec![0])]);
        let waited_for: Vec<_> =
            waits.waited_for.iter().map(|hold| (hold.buyer, hold.waiters)).collect();
        assert_eq!(waited_for, [(0, 2), (1, 1)]);
    }

    #[test]
    fn no_buyer_is_said_to_have_waited_for_one_whose_hold_it_did_not_meet() {
        // 1 asked when 0 had released; 2 waited for another product's lock.
        let other = LockUse { item: Item(1), ..used(2, [12, 40, 41], true) };
        let waits =
            LockWaits::of(&[used(0, [0, 1, 10], false), used(1, [10, 30, 40], true), other], 3);
        assert!(waits.longest.iter().all(|wait| wait.held_by.is_empty() && wait.holds == 0));
        assert!(waits.waited_for.is_empty());
    }

    #[test]
    fn a_lock_that_another_has_taken_is_no_longer_held_by_the_first() {
        let uses =
            [used(0, [0, 1, 100], false), used(1, [2, 20, 30], true), used(2, [50, 60, 70], true)];
        let waits = LockWaits::of(&uses, 3);
        assert!(waits.longest.iter().find(|wait| wait.buyer == 2).unwrap().held_by.is_empty());
    }

    #[test]
    fn a_buyer_that_gave_up_has_waited_and_held_nothing() {
        let gave_up = LockUse { had: false, ..used(1, [2, 20, 20], true) };
        let waits = LockWaits::of(&[used(0, [0, 1, 30], false), gave_up], 1);
        assert_eq!((waits.waited, waits.left_out, waits.longest[0].had), (1, 0, false));
        assert_eq!(waits.longest[0].held_by[0].buyer, 0);
        assert_eq!(waits.waited_for.len(), 1);
    }

    #[test]
    fn lists_are_cut_and_the_numbers_are_of_all() {
        let uses: Vec<LockUse> = (0..100_u64)
            .map(|place| used(place as u32, [0, 10 * place + 1, 10 * place + 9], place > 0))
            .collect();
        let waits = LockWaits::of(&uses, 1_000);
        assert_eq!((waits.waited, waits.left_out), (99, 900));
        assert_eq!((waits.longest.len(), waits.waited_for.len()), (MOST_LISTED, MOST_LISTED));
        assert_eq!((waits.longest[0].buyer, waits.longest[0].holds), (99, 99));
        assert_eq!(waits.longest[0].held_by.len(), MOST_HOLDS_OF_A_WAIT);
        assert_eq!((waits.waited_for[0].buyer, waits.waited_for[0].waiters), (0, 99));
    }
}
