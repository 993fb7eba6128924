//! Tasks: pieces of a strategy's code that are under way, of buyers, of a queue worker and in background tasks; how they go on,
//! end, and die.

use rand::RngExt;

use super::event::Event;
use super::line::{Asked, Coroutine, CoroutineEnd, Then};
use super::seat::SubjectId;
use super::visit_recorder::VisitRecorder;
use super::world::{MOST_PUT_OFF, Task, TaskRole, TimedWorld};
use crate::domain::attempt::{Failure, Missed, OpResult};
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::op::{Op, Reply};
use crate::stores::model::HeldResources;

impl<'w, G: VisitRecorder> TimedWorld<'w, G> {
    /// A task begins with a piece of code.
    pub(super) fn employ(
        &mut self,
        seat: usize,
        role: TaskRole,
        coroutine: Coroutine<'w>,
    ) -> usize {
        self.tasks.insert(Task {
            seat,
            role,
            coroutine,
            grip: HeldResources::default(),
            server: None,
            op: None,
            reply: None,
            end: None,
            answer: None,
            awaits_answer: false,
        })
    }

    /// A task's code goes on at this time. If the time is yet to come the code runs already now: no other task can
    /// tell the difference.
    pub(super) fn go_on(&mut self, number: usize, heard: Option<OpResult>, at_ns: u64) {
        let task = &mut self.tasks[number];
        match task.coroutine.go_on(heard) {
            Then::Ends(end) => {
                task.end = Some(end);
                self.event_queue.enter(at_ns, Event::Done(number as SubjectId));
            }
            Then::Waits(Asked::Think) => {
                task.reply = Some(Ok(Reply::Done));
                let seat = &mut self.seats[task.seat];
                let think = self.scene.shop.think.roll(&mut seat.dice);
                self.event_queue.enter(at_ns + think, Event::Go(number as SubjectId));
            }
            Then::Waits(Asked::Away) if task.role == TaskRole::Attempt => {
                self.event_queue.enter(at_ns, Event::Away(number as SubjectId));
            }
            Then::Waits(Asked::Away) => {
                task.reply = Some(Ok(Reply::Done));
                self.event_queue.enter(at_ns, Event::Go(number as SubjectId));
            }
            Then::Waits(Asked::Op(Op::AwaitAnswer)) => match task.answer.take() {
                Some(answer) => {
                    task.reply = Some(answer);
                    self.event_queue.enter(at_ns, Event::Go(number as SubjectId));
                }
                None => task.awaits_answer = true,
            },
            Then::Waits(Asked::Op(op)) => {
                task.op = Some(op);
                let arrives = at_ns + self.pause(number) + self.way(number, op);
                self.event_queue.enter(arrives, Event::Arrive(number as SubjectId));
            }
        }
    }

    /// How long a task is paused before it sends an op.
    pub(super) fn pause(&mut self, task: usize) -> u64 {
        let faults = &self.scene.faults;
        let seat = &mut self.seats[self.tasks[task].seat];
        if faults.pauses > 0.0 && seat.dice.random_bool(faults.pauses) {
            return faults.pause.roll(&mut seat.dice);
        }
        0
    }

    /// How far it is to where an op is done, one way.
    pub(super) fn way(&mut self, task: usize, op: Op) -> u64 {
        let goes_to_copy = self.goes_to_copy(task, op);
        let rng = &mut self.seats[self.tasks[task].seat].dice;
        match &self.scene.replicas {
            _ if op.is_about_money() => self.scene.provider.way.roll(rng),
            Some(replicas) if goes_to_copy => replicas.way.roll(rng),
            _ => self.scene.shop.store.roll(rng),
        }
    }

    /// A task's code has ended.
    pub(super) fn done(&mut self, number: usize) {
        let Some(end) = self.tasks[number].end.take() else { return };
        let (seat, role) = (self.tasks[number].seat, self.tasks[number].role);
        match (end, role) {
            (CoroutineEnd::Attempt(attempt), TaskRole::Attempt) => {
                self.attempt_is_over(seat, number, attempt)
            }
            (CoroutineEnd::BackgroundTask(ended), TaskRole::BackgroundTask(background_task)) => {
                self.dismiss(number);
                self.seats[seat].in_background_task = false;
                match ended {
                    Err(Missed::Conflict) => self.seats[seat].due.push_front(background_task),
                    Err(Missed::Failed(Failure::NoMajority)) => {
                        self.try_later(seat, background_task)
                    }
                    _ => {}
                }
                self.start_background_task(seat);
                self.see_off(seat);
            }
            (CoroutineEnd::Served(Err(Missed::Conflict)), TaskRole::QueueWorker(client)) => {
                self.dismiss(number);
                self.line.push_front(client);
                self.queue_worker_is_busy = false;
                self.serve_next();
            }
            (CoroutineEnd::Served(sold), TaskRole::QueueWorker(client)) => {
                self.dismiss(number);
                let answer =
                    sold.map(Reply::Applied).map_err(|_| Missed::Failed(Failure::NoAnswer));
                self.answer(client, answer);
                self.queue_worker_is_busy = false;
                self.serve_next();
            }
            _ => {
                self.dismiss(number);
            }
        }
    }

    /// A task is over: its connection closes. Says which server it was on.
    pub(super) fn dismiss(&mut self, number: usize) -> Option<usize> {
        let task = self.tasks.remove(number);
        if task.grip.holds_any() || task.grip.is_in_transaction() {
            match self.seats.get_mut(task.seat) {
                Some(seat) => self.shop.close(&task.grip, &mut seat.standing),
                None => self.shop.release(&task.grip),
            }
            self.something_is_free = true;
        }
        task.server
    }

    /// The server that runs a task dies.
    pub(super) fn crash(&mut self, number: usize) {
        let (seat, role) = (self.tasks[number].seat, self.tasks[number].role);
        self.tell_shop(seat, |name| format!("the server that works for {name} dies"));
        let after = self.scene.faults.restart.roll(&mut self.seats[seat].dice);
        match role {
            TaskRole::Attempt => {
                if self.recovers {
                    self.will_be_due(seat, after, BackgroundTask::Recovery);
                }
                self.leave(seat, Ending::Failed(Failure::Crashed));
            }
            TaskRole::BackgroundTask(background_task) => {
                self.dismiss(number);
                self.seats[seat].in_background_task = false;
                self.will_be_due(seat, after, background_task);
            }
            // The request was not acknowledged, and so it comes again.
            TaskRole::QueueWorker(client) => {
                self.dismiss(number);
                self.line.push_front(client);
                self.event_queue.enter(self.now() + after, Event::QueueWorkerBack);
            }
        }
    }

    /// The shop begins the first background task that is due about a buyer, unless one is under way.
    pub(super) fn start_background_task(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        if seat.in_background_task {
            return;
        }
        let Some(background_task) = seat.due.pop_front() else { return };
        seat.in_background_task = true;
        let coroutine =
            self.coroutines.background_task(&self.slot, background_task, seat.buyer, seat.want);
        let service = self.scene.shop.service.roll(&mut seat.dice);
        let task = self.employ(number, TaskRole::BackgroundTask(background_task), coroutine);
        self.event_queue.enter(self.now() + service, Event::Go(task as SubjectId));
    }

    /// A background task about a buyer will be due after a while.
    pub(super) fn will_be_due(
        &mut self,
        seat: usize,
        after_ns: u64,
        background_task: BackgroundTask,
    ) {
        self.seats[seat].to_come += 1;
        self.event_queue
            .enter(self.now() + after_ns, Event::Due(seat as SubjectId, background_task));
    }

    /// No majority could decide: the background task is tried again after a while, unless that has happened too often.
    pub(super) fn try_later(&mut self, number: usize, background_task: BackgroundTask) {
        let seat = &mut self.seats[number];
        seat.put_off += 1;
        if seat.put_off <= MOST_PUT_OFF {
            let after = self.scene.faults.restart.roll(&mut seat.dice);
            self.will_be_due(number, after, background_task);
        }
    }
}
