//! The queue worker, and the line in front of it.

use super::event::Event;
use super::seat::SubjectId;
use super::visit_recorder::VisitRecorder;
use super::world::{TaskRole, TimedWorld};
use crate::domain::attempt::OpResult;
use crate::domain::op::Op;

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// The queue worker turns to the next in line.
    pub(super) fn serve_next(&mut self) {
        if self.queue_worker_is_busy || !self.has_queue_worker {
            return;
        }
        let Some(client) = self.line.pop_front() else { return };
        self.queue_worker_is_busy = true;
        let number = self.tasks[client].seat;
        self.tell_shop(number, |name| format!("the queue worker turns to {name}"));
        let seat = &self.seats[number];
        let coroutine = self.coroutines.serve(&self.slot, seat.buyer, seat.want);
        let task = self.employ(number, TaskRole::QueueWorker(client), coroutine);
        self.event_queue.enter(self.now(), Event::Go(task as SubjectId));
    }

    /// A buyer joins the line in front of the queue worker.
    pub(super) fn queue_up(&mut self, task: usize) {
        self.line.push_back(task);
        self.deepest_queue = self.deepest_queue.max(self.line.len() as u64);
        self.event_queue.enter(self.now(), Event::QueueWorker);
    }

    /// The queue worker's answer goes to a buyer.
    pub(super) fn answer(&mut self, client: usize, answer: OpResult) {
        let way = self.way(client, Op::AwaitAnswer);
        let task = &mut self.tasks[client];
        if std::mem::take(&mut task.awaits_answer) {
            task.reply = Some(answer);
            self.event_queue.enter(self.event_queue.now_ns() + way, Event::Go(client as SubjectId));
        } else {
            task.answer = Some(answer);
        }
    }
}
