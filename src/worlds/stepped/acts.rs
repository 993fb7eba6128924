//! Acts other than a buyer's own next step: the background tasks that the shop runs about it, and faults. The table computes
//! their results, as it does for steps.

use super::kind::{ActorRole, Kind, RunningTask};
use super::script::ScriptStep;
use super::transition_table::{MOST_OPS, TransitionTable};
use super::turns::{KindId, Move, StoreId, Turn};
use crate::domain::attempt::OpResult;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::faults::Act;
use crate::domain::op::{Op, OpKind, Payment, Reply, Request};
use crate::scheduler::Choice;
use crate::stores::model::{HeldResources, Model};

impl TransitionTable<'_> {
    /// The result of an act that is not a plain step.
    pub(super) fn work_out_act(
        &mut self,
        store_id: StoreId,
        choice: Choice<KindId>,
    ) -> Option<Turn> {
        let kind = self.kind_of(choice.who).clone();
        let mut store = self.store_of(store_id).clone();
        // What happens to a request at the worker is the worker's doing.
        if kind.is_in_line() {
            return None;
        }
        // After the buyer has left, its timer is bound to run out: that is no fault.
        let is_fault = match choice.act {
            Act::Step | Act::BackgroundTask => false,
            Act::Expire => kind.part.ending().is_none(),
            Act::Decline
            | Act::LoseAnswer
            | Act::Crash
            | Act::Redeliver
            | Act::PowerCut
            | Act::StaleRead => true,
        };
        if is_fault && !store.faults.spend(choice.act) {
            return None;
        }
        let turn = match choice.act {
            Act::Step => return None,
            Act::BackgroundTask => self.background_step(store, choice.who, kind, None)?,
            Act::Expire if store.can_expire(&kind.standing) => {
                let mut kind = kind;
                store.expire(&mut kind.standing);
                self.becomes(store, choice.who, kind)
            }
            Act::Decline => self.pays(store, choice.who, kind, Payment::Declined)?,
            Act::LoseAnswer => self.pays(store, choice.who, kind, Payment::Unknown)?,
            Act::Crash => self.crash(store, choice.who, kind)?,
            Act::PowerCut => {
                let turn = match self.work_out_step(store_id, choice.who) {
                    Some(turn) => turn,
                    None => {
                        let store = self.store_of(store_id).clone();
                        self.background_step(store, choice.who, kind, None)?
                    }
                };
                let mut store = self.store_of(turn.store).clone();
                store.faults.spend(choice.act);
                store.lose_power();
                Turn { store: self.store(store), ..turn }
            }
            Act::StaleRead => {
                let Some(Op::Read { item }) = kind.next.filter(|_| !kind.grip.is_in_transaction())
                else {
                    return None;
                };
                let reply = Ok(Reply::Stock(store.read_behind(item)?));
                let (to, leaks) = self.goes_on_with(&mut store, kind, reply);
                Turn { leaks, ..self.simply(store, Move { from: choice.who, to }, reply) }
            }
            Act::Redeliver if self.may_be_told_again(&kind) => {
                let mut kind = kind;
                kind.due.push(BackgroundTask::Webhook);
                self.becomes(store, choice.who, kind)
            }
            Act::Expire | Act::Redeliver => return None,
        };
        Some(Turn { is_fault, ..turn })
    }

    /// The buyer changes to another kind without a step.
    fn becomes(&mut self, store: Model, from: KindId, kind: Kind) -> Turn {
        let to = self.intern(kind);
        self.simply(store, Move { from, to }, Ok(Reply::Done))
    }

    /// A payment with this outcome: the buyer's own, or one in its background task.
    fn pays(
        &mut self,
        mut store: Model,
        from: KindId,
        mut kind: Kind,
        outcome: Payment,
    ) -> Option<Turn> {
        let Some(op) = kind.next.filter(|_| kind.is_paying()) else {
            return self.background_step(store, from, kind, Some(outcome));
        };
        let charges = kind.standing.charges;
        let reply = paid(&mut kind, op, outcome)?;
        self.send_webhook(&mut kind, charges);
        let (to, leaks) = self.goes_on_with(&mut store, kind, reply);
        Some(Turn { leaks, ..self.simply(store, Move { from, to }, reply) })
    }

    /// If money has moved, so that there are more charges than before, the provider will notify the shop.
    pub(super) fn send_webhook(&self, kind: &mut Kind, charges_before: u8) {
        let tells = self.strategy.card().names(OpKind::Webhook);
        let was_told =
            kind.due.contains(&BackgroundTask::Webhook) || is_on(kind, BackgroundTask::Webhook);
        if tells && kind.standing.charges > charges_before && !was_told {
            kind.due.push(BackgroundTask::Webhook);
        }
    }

    /// Whether the provider may notify the shop once more of a payment.
    fn may_be_told_again(&self, kind: &Kind) -> bool {
        self.strategy.card().names(OpKind::Webhook)
            && kind.standing.charges > 0
            && !kind.due.contains(&BackgroundTask::Webhook)
            && !is_on(kind, BackgroundTask::Webhook)
    }

    /// The shop makes the next step of the background task about this buyer, or starts a background task that is due. With an `outcome`,
    /// only if that step is a payment, which then ends like this.
    fn background_step(
        &mut self,
        mut store: Model,
        from: KindId,
        mut kind: Kind,
        outcome: Option<Payment>,
    ) -> Option<Turn> {
        let mut going = match kind.background_task.take() {
            Some(going) => *going,
            None if kind.due.is_empty() => return None,
            None => match self.sent_on(kind.due.remove(0), &kind)? {
                Some(going) => going,
                // The background task has nothing to do.
                None if outcome.is_some() => return None,
                None => return Some(self.becomes(store, from, kind)),
            },
        };
        let charges = kind.standing.charges;
        let reply = match (outcome, going.next) {
            (None, op) => self.apply(&mut store, op, &mut going.grip, &mut kind.standing)?,
            (Some(outcome), op) => paid(&mut kind, op, outcome)?,
        };
        going.heard.push(reply);
        let held = going.grip.clone();
        kind.background_task = self.goes_on(going, &kind)?.map(Box::new);
        self.send_webhook(&mut kind, charges);
        if kind.background_task.as_ref().is_none_or(|going| !going.grip.holds_any()) {
            store.release(&held);
        }
        if kind.background_task.as_ref().is_none_or(|going| !going.grip.is_in_transaction()) {
            held.let_go(&mut kind.standing);
        }
        let to = self.intern(kind);
        Some(self.simply(store, Move { from, to }, reply))
    }

    /// The background task about this buyer that is under way or due, and its next op.
    #[must_use]
    pub fn next_background_task(&self, kind: KindId) -> Option<(BackgroundTask, Option<Op>)> {
        let kind = self.kind_of(kind);
        if let Some(going) = &kind.background_task {
            return Some((going.background_task, Some(going.next)));
        }
        let background_task = *kind.due.first()?;
        Some((background_task, self.sent_on(background_task, kind)?.map(|going| going.next)))
    }

    /// Starts a background task; none inside if it has nothing to do.
    fn sent_on(&self, background_task: BackgroundTask, kind: &Kind) -> Option<Option<RunningTask>> {
        let fresh = RunningTask {
            background_task,
            heard: Vec::new(),
            grip: HeldResources::default(),
            next: Op::FindOrder,
        };
        self.goes_on(fresh, kind)
    }

    /// Continues a background task that has heard this; none inside if it is over.
    fn goes_on(&self, mut going: RunningTask, kind: &Kind) -> Option<Option<RunningTask>> {
        let want = kind.part.want()?;
        match self.strategy.background_task(going.background_task, want, &going.heard) {
            _ if going.heard.len() == MOST_OPS => Some(None),
            ScriptStep::Call(op) => {
                going.next = op;
                Some(Some(going))
            }
            ScriptStep::End(Err(Missed::Conflict)) if !going.heard.is_empty() => {
                self.sent_on(going.background_task, kind)
            }
            ScriptStep::End(_) => Some(None),
        }
    }

    /// The server that runs this attempt, background task or worker dies: its connection closes, and what it knew is lost.
    fn crash(&mut self, mut store: Model, from: KindId, mut kind: Kind) -> Option<Turn> {
        match (kind.part, &mut kind.background_task) {
            (ActorRole::Buyer { want, .. }, _) if kind.begun => {
                store.release(&kind.grip);
                if self.strategy.card().names(OpKind::Recover) {
                    kind.due.push(BackgroundTask::Recovery);
                }
                let ending = Ending::Failed(Failure::Crashed);
                let gone = kind.after(ActorRole::Gone { want, ending });
                Some(self.becomes(store, from, gone))
            }
            // The request was not acknowledged, so the queue delivers it again.
            (ActorRole::BusyWorker { want }, _) => {
                store.close(&kind.grip, &mut kind.standing);
                let ticket = store.serving.take()? as KindId;
                let served = self.after_serving(ticket, kind);
                let waits = self.intern(served);
                store.queue.push_front((waits.into(), Request { buyer: 0, want }));
                let to = self.worker();
                let turn = self.simply(store, Move { from, to }, Ok(Reply::Done));
                Some(Turn { other: Some(Move { from: ticket, to: waits }), ..turn })
            }
            (_, Some(going)) if !going.heard.is_empty() => {
                store.close(&going.grip, &mut kind.standing);
                let background_task = going.background_task;
                kind.background_task = self.sent_on(background_task, &kind)?.map(Box::new);
                Some(self.becomes(store, from, kind))
            }
            _ => None,
        }
    }
}

/// A payment with this outcome; none if the provider would repeat an earlier answer, or if the op is no payment.
fn paid(kind: &mut Kind, op: Op, outcome: Payment) -> Option<OpResult> {
    let can_be = kind.standing.can_pay(op, outcome);
    can_be.then(|| kind.standing.at_provider(op, outcome).map(Ok)).flatten()
}

/// Whether the shop is running this background task about the buyer.
fn is_on(kind: &Kind, background_task: BackgroundTask) -> bool {
    kind.background_task.as_ref().is_some_and(|going| going.background_task == background_task)
}
