//! The agenda: what will happen when. The only thing here that knows the time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events in the order of their time; of those that are due at once, in the order in which they were
/// entered. That, and nothing else, is what makes a world repeat to the byte.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    now_ns: u64,
    entered: u64,
    heap: BinaryHeap<Reverse<Entry<E>>>,
}

#[derive(Debug)]
struct Entry<E> {
    /// When, and in which order it was entered: as one number, which compares in one go.
    due: u128,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { now_ns: 0, entered: 0, heap: BinaryHeap::new() }
    }
}

impl<E> Agenda<E> {
    /// What time it is, in ns after the opening.
    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Enters an event. Nothing happens before now.
    #[inline]
    pub(super) fn enter(&mut self, at_ns: u64, event: E) {
        let due = u128::from(at_ns.max(self.now_ns)) << 64 | u128::from(self.entered);
        self.entered += 1;
        self.heap.push(Reverse(Entry { due, event }));
    }

    /// The next event; the time is then when it happens.
    #[inline]
    pub(super) fn next(&mut self) -> Option<E> {
        let Reverse(Entry { due, event }) = self.heap.pop()?;
        self.now_ns = (due >> 64) as u64;
        Some(event)
    }

    /// Lets time pass up to here, if nothing happens before.
    pub(super) fn wait_until(&mut self, at_ns: u64) {
        let next = self.heap.peek().map_or(u64::MAX, |Reverse(entry)| (entry.due >> 64) as u64);
        self.now_ns = self.now_ns.max(at_ns.min(next));
    }

    /// How many events were ever entered.
    pub(super) fn entered(&self) -> u64 {
        self.entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_those_of_one_moment_as_they_were_entered() {
        let mut agenda = Agenda::default();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            agenda.enter(at, event);
        }
        let mut seen = Vec::new();
        while let Some(event) = agenda.next() {
            seen.push((agenda.now_ns(), event));
        }
        assert_eq!(seen, [(1, 'a'), (3, 'b'), (5, 'c'), (5, 'd')]);
    }

    #[test]
    fn nothing_happens_in_the_past() {
        let mut agenda = Agenda::default();
        agenda.enter(9, 'a');
        agenda.next();
        agenda.enter(2, 'b');
        agenda.next();
        assert_eq!(agenda.now_ns(), 9);
    }
}
