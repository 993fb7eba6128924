//! Waiting for what another task has: a lock, a lease, a row, an order.

use std::collections::VecDeque;

use super::visit_recorder::VisitRecorder;
use super::world::{LINES, ORDERS, TimedWorld};
use crate::base::clock::nanos;
use crate::domain::attempt::{Failure, Missed};

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// A task has to wait in this line: for a product's lock, lease or row, or for an order.
    pub(super) fn wait(&mut self, task: usize, place: usize) {
        self.waiting[place].push_back(task);
        self.tally.lock_waits += 1;
    }

    /// A task may not have to wait any more.
    pub(super) fn something_is_free(&mut self) {
        self.something_is_free = true;
    }

    /// The task that waits first in a line gets what was given back, then the next, and so on.
    pub(super) fn wake(&mut self) {
        self.something_is_free = false;
        for place in 0..self.waiting.len() {
            // Each waits for its own buyer's orders, and none for the task that stands before it.
            let all_may = place % LINES == ORDERS;
            for _ in 0..self.waiting[place].len() {
                let Some(first) = self.waiting[place].pop_front() else { break };
                match self.try_again(first) {
                    true => {}
                    false if all_may => self.waiting[place].push_back(first),
                    false => {
                        self.waiting[place].push_front(first);
                        break;
                    }
                }
            }
        }
    }

    /// No event is left, and a task still waits: the first of them loses patience. False if none waits.
    pub(super) fn give_up_waiting(&mut self) -> bool {
        let in_line = self.tasks.iter().find(|(_, task)| task.awaits_answer);
        let in_line = in_line.map(|(number, _)| (number, Failure::NoAnswer));
        let at_lock = self.waiting.iter_mut().find_map(VecDeque::pop_front);
        let at_lock = at_lock.map(|number| (number, Failure::LockTimeout));
        let Some((number, why)) = at_lock.or(in_line) else { return false };
        self.tasks[number].awaits_answer = false;
        let patience = nanos(self.scene.settings.patience);
        let until = self.seats[self.tasks[number].seat].clicked_ns + patience;
        self.event_queue.wait_until(until);
        self.go_on(number, Some(Err(Missed::Failed(why))), self.now());
        true
    }
}
