//! The event queue: what will happen when. The only thing here that knows the time.
//!
//! It is a calendar queue (Brown, "Calendar queues: a fast O(1) priority queue implementation for the
//! simulation event set problem", 1988) of three parts: what happens later lies unordered on the page of the
//! calendar that it is on, and a page is sorted once, when it is turned to; what is still entered on the page
//! that is open goes to a heap, which stays small.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Events in the order of their time; of those that are due at once, in the order in which they were
/// entered. That, and nothing else, is what makes a world repeat to the byte.
#[derive(Debug)]
pub(super) struct EventQueue<E> {
    now_ns: u64,
    entered: u64,
    /// What stood on the open page when it was turned to, the last first.
    open: Vec<ScheduledEvent<E>>,
    /// What was entered before the next page since then.
    soon: BinaryHeap<Reverse<ScheduledEvent<E>>>,
    /// The number of the page after the one that is open.
    next_page: u64,
    /// Everything else, by page.
    later: BTreeMap<u64, Vec<ScheduledEvent<E>>>,
}

/// How long a page is: 2²⁴ ns, 17 ms. Much longer than an op takes, and much shorter than a buyer.
const PAGE_BITS: u32 = 24;

#[derive(Debug)]
struct ScheduledEvent<E> {
    /// When, in ns after the opening, and in which order it was entered.
    due: (u64, u64),
    event: E,
}

impl<E> PartialEq for ScheduledEvent<E> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<E> Eq for ScheduledEvent<E> {}

impl<E> PartialOrd for ScheduledEvent<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for ScheduledEvent<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // As one number, the two compare in one go.
        let whole = |(at, entered): (u64, u64)| u128::from(at) << 64 | u128::from(entered);
        whole(self.due).cmp(&whole(other.due))
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            now_ns: 0,
            entered: 0,
            open: Vec::new(),
            soon: BinaryHeap::new(),
            next_page: 1,
            later: BTreeMap::new(),
        }
    }
}

impl<E> EventQueue<E> {
    /// What time it is, in ns after the opening.
    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Enters an event. Nothing happens before now.
    #[inline]
    pub(super) fn enter(&mut self, at_ns: u64, event: E) {
        let at_ns = at_ns.max(self.now_ns);
        let due = (at_ns, self.entered);
        self.entered += 1;
        let entry = ScheduledEvent { due, event };
        match at_ns >> PAGE_BITS {
            page if page < self.next_page => self.soon.push(Reverse(entry)),
            page => self.later.entry(page).or_default().push(entry),
        }
    }

    /// The next event; the time is then when it happens.
    #[inline]
    pub(super) fn next(&mut self) -> Option<E> {
        let comes_soon = match (self.open.last(), self.soon.peek()) {
            (Some(open), Some(Reverse(soon))) => soon < open,
            (open, soon) => open.is_none() && soon.is_some(),
        };
        let ScheduledEvent { due, event } = match comes_soon {
            true => self.soon.pop()?.0,
            false if self.open.is_empty() => self.turn_page()?,
            false => self.open.pop()?,
        };
        self.now_ns = due.0;
        Some(event)
    }

    /// Opens the next page that has anything on it; the first entry there.
    #[cold]
    fn turn_page(&mut self) -> Option<ScheduledEvent<E>> {
        let (page, entries) = self.later.pop_first()?;
        self.open = entries;
        self.open.sort_unstable_by(|one, other| other.cmp(one));
        self.next_page = page + 1;
        self.open.pop()
    }

    /// Lets time pass up to here, where nothing is to come.
    pub(super) fn wait_until(&mut self, at_ns: u64) {
        debug_assert!(self.open.is_empty() && self.soon.is_empty() && self.later.is_empty());
        self.now_ns = self.now_ns.max(at_ns);
    }

    /// How many events were ever entered.
    pub(super) fn entered(&self) -> u64 {
        self.entered
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_come_by_time_and_those_of_one_moment_as_they_were_entered() {
        let mut event_queue = EventQueue::default();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            event_queue.enter(at, event);
        }
        let mut seen = Vec::new();
        while let Some(event) = event_queue.next() {
            seen.push((event_queue.now_ns(), event));
        }
        assert_eq!(seen, [(1, 'a'), (3, 'b'), (5, 'c'), (5, 'd')]);
    }

    proptest! {
        #[test]
        fn pages_make_no_difference_to_the_order(
            delays in prop::collection::vec((0_u64..1 << 29, any::<bool>()), 0..200),
        ) {
            let (mut event_queue, mut sorted) = (EventQueue::default(), BTreeMap::new());
            let check = |event_queue: &mut EventQueue<u64>, sorted: &mut BTreeMap<(u64, u64), u64>| {
                let seen = event_queue.next();
                prop_assert_eq!(seen, sorted.pop_first().map(|(_, number)| number));
                Ok(seen.is_some())
            };
            for (number, (delay, happens)) in (0..).zip(delays) {
                sorted.insert((event_queue.now_ns() + delay, number), number);
                event_queue.enter(event_queue.now_ns() + delay, number);
                if happens {
                    check(&mut event_queue, &mut sorted)?;
                }
            }
            while check(&mut event_queue, &mut sorted)? {}
        }
    }

    #[test]
    fn nothing_happens_in_the_past() {
        let mut event_queue = EventQueue::default();
        event_queue.enter(9, 'a');
        event_queue.next();
        event_queue.enter(2, 'b');
        event_queue.next();
        assert_eq!(event_queue.now_ns(), 9);
    }
}
