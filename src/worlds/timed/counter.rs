//! The counter: what comes of an op when it arrives at the store, a replica, or the payment provider.

use rand::RngExt;

use super::quorum::Acknowledge;
use super::story::{HoldChange, StoryLine};
use super::visit_recorder::VisitRecorder;

use super::rows::Rows;
use super::world::{LINES, ORDERS, TaskRole, TimedWorld};
use crate::domain::attempt::{Failure, Missed, OpResult};
use crate::domain::card::BackgroundTask;
use crate::domain::op::{BuyerId, Item, Op, Payment, Reply};
use crate::scheduler::Actor;
use crate::worlds::words::done;

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// A task's op arrives where it is done.
    pub(super) fn arrive(&mut self, number: usize) {
        let Some(op) = self.tasks[number].op else { return };
        match op {
            op if op.is_about_money() => {
                let reply = self.at_provider(number, op);
                self.replied(number, op, reply);
            }
            Op::Submit(_) => {
                self.queue_up(number);
                self.replied(number, op, Ok(Reply::Done));
            }
            Op::Read { item } if self.goes_to_copy(number, op) => self.read_copy(number, op, item),
            op if self.council.is_some() => self.ask_council(number, op),
            op => {
                if !self.try_op(number, op) {
                    let place = self.line_for(number, op);
                    self.wait(number, place);
                }
            }
        }
    }

    /// In which line a task waits: one that waits for a row does not stand behind one that waits for a lock.
    fn line_for(&self, number: usize, op: Op) -> usize {
        let in_transaction = self.tasks[number].grip.is_in_transaction();
        let line = match op {
            Op::Lock { .. } if !in_transaction => 0,
            Op::Lease { .. } => 1,
            Op::PlaceOrderOnce(_) | Op::CancelOrder => ORDERS,
            _ => 2,
        };
        op.item().map_or(0, |item| usize::from(item.0)) * LINES + line
    }

    /// Does the op that a task waits for, if that is possible by now.
    pub(super) fn try_again(&mut self, number: usize) -> bool {
        match self.tasks[number].op {
            Some(op) => self.try_op(number, op),
            None => true,
        }
    }

    /// Does an op at the store; false if it has to wait.
    fn try_op(&mut self, number: usize, op: Op) -> bool {
        let before = self.rows.as_ref().map(|_| Rows::look(&self.shop));
        let task = &mut self.tasks[number];
        let seat = task.seat;
        let standing = &mut self.seats[seat].standing;
        let Some(reply) = self.shop.apply(op, &mut task.grip, standing) else { return false };
        match (op, reply) {
            (Op::Hold { .. }, Ok(Reply::Applied(true))) => self.hold_runs(seat),
            (Op::Lease { .. }, Ok(Reply::Token(_))) => self.lease_runs(seat),
            (Op::Lock { .. }, Ok(_)) => self.tally.lock_acquisitions += 1,
            (Op::CompareAndSet { .. }, Ok(Reply::Applied(false))) => self.tally.cas_failures += 1,
            (Op::WriteIfVersion { .. }, Ok(Reply::Applied(false))) => {
                self.tally.version_conflicts += 1;
            }
            _ => {}
        }
        let gives_back = matches!(
            op,
            Op::Unlock { .. } | Op::Unlease { .. } | Op::Commit | Op::CommitUnsynced | Op::Rollback
        );
        if gives_back || reply == Err(Missed::Conflict) {
            self.something_is_free();
        }
        self.copy_writes(Some(seat));
        let now = self.now();
        let done = match (&mut self.rows, before) {
            (Some(rows), Some(before)) => rows.write(&before, &Rows::look(&self.shop), now),
            _ => now,
        };
        self.replied_at(number, op, reply, done);
        true
    }

    /// The task that sent an op gets the reply after the way back, unless its server dies first.
    pub(super) fn replied(&mut self, number: usize, op: Op, reply: OpResult) {
        self.replied_at(number, op, reply, self.now());
    }

    /// The same, for an op that is only done at `done_ns`.
    fn replied_at(&mut self, number: usize, op: Op, reply: OpResult, done_ns: u64) {
        let task = &self.tasks[number];
        let (seat, role) = (task.seat, task.role);
        let (now, buyer) = (self.now(), self.seats[seat].buyer);
        let scene = self.scene;
        let stock = self.shop.stock_of(Item(0));
        let names = self.shop.shelves.len() > 1;
        // A leader that answers before the others have heard of it has not asked them.
        let is_alone =
            scene.quorum.as_ref().is_some_and(|it| it.acknowledge == Acknowledge::Leader);
        self.story.tell_line(|| {
            let place = match (op, &scene.quorum) {
                (op, _) if op.is_about_money() => "the bank".to_owned(),
                (_, Some(quorum)) => {
                    let members = quorum.members.len();
                    let agreed = if is_alone { 1 } else { members / 2 + 1 };
                    format!("{agreed} of {members}")
                }
                _ => scene.shop.place.clone(),
            };
            let who = match role {
                TaskRole::Attempt => Actor::Buyer(buyer).to_string(),
                TaskRole::BackgroundTask(BackgroundTask::Webhook) => {
                    format!("for {}, told of its payment: the shop", Actor::Buyer(buyer))
                }
                TaskRole::BackgroundTask(BackgroundTask::Recovery) => {
                    format!("for {}, after the crash: the shop", Actor::Buyer(buyer))
                }
                TaskRole::QueueWorker(_) => {
                    format!("for {}: the queue worker", Actor::Buyer(buyer))
                }
            };
            let shows = match op {
                Op::PlaceOrder(_) => String::new(),
                op if op.is_about_money() => String::new(),
                _ if scene.quorum.is_some() => String::new(),
                _ => format!("; stock {stock}"),
            };
            let agreed = match (op, &scene.quorum) {
                (op, _) if op.is_about_money() => "",
                (_, Some(_)) if is_alone => "decides alone: ",
                (_, Some(_)) => "quorum: ",
                _ => "",
            };
            // Where there are copies, what is not read from one is read from the leader.
            let from = match (op, &scene.replicas) {
                (Op::Read { .. }, Some(_)) => " from the leader (strong consistency)",
                _ => "",
            };
            let what = format!("{agreed}{who} {}{from}{shows}", done(op, reply, names, ""));
            let hold = hold_change(op, reply, buyer, now + scene.shop.hold_ttl_ns);
            StoryLine { hold, ..StoryLine::new(now, place, what) }
        });
        let crashes = scene.faults.crashes;
        let may_crash = crashes > 0.0 && !matches!(op, Op::Submit(_));
        if may_crash && self.seats[seat].dice.random_bool(crashes) {
            return self.crash(number);
        }
        let back = done_ns + self.way(number, op);
        self.go_on(number, Some(reply), back);
    }

    /// The provider decides, moves money or not, and tells the shop later if it listens.
    fn at_provider(&mut self, number: usize, op: Op) -> OpResult {
        let number = self.tasks[number].seat;
        let provider = &self.scene.provider;
        let seat = &mut self.seats[number];
        let rng = &mut seat.dice;
        let may_decline = provider.declines > 0.0 && op != Op::Capture;
        let outcome = if !op.is_payment() {
            Payment::Approved
        } else if may_decline && rng.random_bool(provider.declines) {
            Payment::Declined
        } else if provider.loses_answers > 0.0 && rng.random_bool(provider.loses_answers) {
            Payment::Unknown
        } else {
            Payment::Approved
        };
        let before = seat.standing.charges;
        let answer = seat.standing.at_provider(op, outcome);
        let has_moved = seat.standing.charges > before;
        if has_moved && self.hears_webhooks() {
            let seat = &mut self.seats[number];
            let after = provider.webhook.roll(&mut seat.dice);
            let again =
                provider.repeats_webhook > 0.0 && seat.dice.random_bool(provider.repeats_webhook);
            let later = after.saturating_mul(2);
            self.will_be_due(number, after, BackgroundTask::Webhook);
            if again {
                self.will_be_due(number, later, BackgroundTask::Webhook);
            }
        }
        answer.ok_or(Missed::Failed(Failure::Unsupported))
    }

    /// Whether a task's op goes to the nearest copy: a plain read, of a product whose policy says so.
    pub(super) fn goes_to_copy(&self, task: usize, op: Op) -> bool {
        let Op::Read { item } = op else { return false };
        // Reads in a transaction go to the leader.
        !self.tasks[task].grip.is_in_transaction()
            && self.scene.replicas.as_ref().is_some_and(|replicas| replicas.are_read(item))
    }

    /// A read at the nearest copy, which may be behind.
    fn read_copy(&mut self, number: usize, op: Op, item: Item) {
        let (now, server, seat) = (self.now(), self.server_of(number), self.tasks[number].seat);
        let Some(replicas) = &self.scene.replicas else { return };
        let since = self.seats[seat].seen_ns;
        let Some(copies) = &mut self.copies else { return };
        let seen = copies.read(server, item.0, now, since);
        if replicas.monotonic {
            self.seats[seat].seen_ns = since.max(seen.written_ns);
        }
        if seen.stock != self.shop.stock_of(item) {
            self.tally.stale_reads[usize::from(item.0)] += 1;
        }
        let wait = seen.visible_ns.saturating_sub(now);
        let back = now + wait + self.way(number, op);
        let behind = if seen.stock == self.shop.stock_of(item) { "" } else { ", which is behind" };
        self.tell_shop(seat, |name| {
            format!(
                "{name} reads {} from the nearest copy{behind} (eventual consistency)",
                seen.stock
            )
        });
        self.go_on(number, Some(Ok(Reply::Stock(seen.stock))), back);
    }

    /// What was written is on its way to the copies; `by` is the seat of the buyer whose op wrote it, if one did.
    pub(super) fn copy_writes(&mut self, by: Option<usize>) {
        let (Some(replicas), Some(copies)) = (&self.scene.replicas, &mut self.copies) else {
            return;
        };
        let now = self.event_queue.now_ns();
        for (item, stock) in (0..).zip(self.shop.stocks()) {
            if copies.latest(item) == Some(stock) {
                continue;
            }
            copies.write(item, now, stock, || replicas.lag.roll(self.dice.rng()));
            if let Some(seat) = by
                && replicas.read_your_writes
            {
                self.seats[seat].seen_ns = now;
            }
        }
    }
}

/// What an op does to its buyer's hold, which would run out at `until_ns`.
fn hold_change(op: Op, reply: OpResult, buyer: BuyerId, until_ns: u64) -> Option<HoldChange> {
    let buyer = Actor::Buyer(buyer).to_string();
    match (op, reply) {
        (Op::Hold { .. }, Ok(Reply::Applied(true))) => Some(HoldChange::Begins { buyer, until_ns }),
        (Op::Confirm { .. } | Op::Release { .. }, Ok(Reply::Applied(true))) => {
            Some(HoldChange::Ends { buyer })
        }
        _ => None,
    }
}
