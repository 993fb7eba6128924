//! Acts other than a buyer's own next step: the errands that the shop runs about it, and faults. The table computes
//! their results, as it does for steps.

use super::kind::{Kind, OnErrand, Part};
use super::script::Next;
use super::transition_table::{MOST_OPS, TransitionTable};
use super::turns::{Choice, KindId, Move, StoreId, Turn};
use crate::domain::attempt::OpResult;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::buyer::Ending;
use crate::domain::card::Errand;
use crate::domain::faults::Act;
use crate::domain::op::{Op, OpKind, Payment, Reply, Request};
use crate::stores::model::{Grip, Model};

impl TransitionTable<'_> {
    /// The result of an act that is not a plain step.
    pub(super) fn work_out_act(
        &mut self,
        store_id: StoreId,
        choice: Choice<KindId>,
    ) -> Option<Turn> {
        let kind = self.kind_of(choice.who).clone();
        let mut store = self.store_of(store_id).clone();
        // What happens to a request at the clerk is the clerk's doing.
        if kind.is_in_line() {
            return None;
        }
        // After the buyer has left, its timer is bound to run out: that is no fault.
        let is_fault = match choice.act {
            Act::Step | Act::Errand => false,
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
            Act::Errand => self.errand_step(store, choice.who, kind, None)?,
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
                        self.errand_step(store, choice.who, kind, None)?
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
                kind.due.push(Errand::Notice);
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

    /// A payment with this outcome: the buyer's own, or one on its errand.
    fn pays(
        &mut self,
        mut store: Model,
        from: KindId,
        mut kind: Kind,
        outcome: Payment,
    ) -> Option<Turn> {
        let Some(op) = kind.next.filter(|_| kind.is_paying()) else {
            return self.errand_step(store, from, kind, Some(outcome));
        };
        let charges = kind.standing.charges;
        let reply = paid(&mut kind, op, outcome)?;
        self.notice(&mut kind, charges);
        let (to, leaks) = self.goes_on_with(&mut store, kind, reply);
        Some(Turn { leaks, ..self.simply(store, Move { from, to }, reply) })
    }

    /// If money has moved, so that there are more charges than before, the provider will notify the shop.
    pub(super) fn notice(&self, kind: &mut Kind, charges_before: u8) {
        let tells = self.strategy.card().names(OpKind::Notice);
        let was_told = kind.due.contains(&Errand::Notice) || is_on(kind, Errand::Notice);
        if tells && kind.standing.charges > charges_before && !was_told {
            kind.due.push(Errand::Notice);
        }
    }

    /// Whether the provider may notify the shop once more of a payment.
    fn may_be_told_again(&self, kind: &Kind) -> bool {
        self.strategy.card().names(OpKind::Notice)
            && kind.standing.charges > 0
            && !kind.due.contains(&Errand::Notice)
            && !is_on(kind, Errand::Notice)
    }

    /// The shop makes the next step of the errand about this buyer, or starts an errand that is due. With an `outcome`,
    /// only if that step is a payment, which then ends like this.
    fn errand_step(
        &mut self,
        mut store: Model,
        from: KindId,
        mut kind: Kind,
        outcome: Option<Payment>,
    ) -> Option<Turn> {
        let mut going = match kind.errand.take() {
            Some(going) => *going,
            None if kind.due.is_empty() => return None,
            None => match self.sent_on(kind.due.remove(0), &kind)? {
                Some(going) => going,
                // The errand has nothing to do.
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
        kind.errand = self.goes_on(going, &kind)?.map(Box::new);
        self.notice(&mut kind, charges);
        if kind.errand.as_ref().is_none_or(|going| !going.grip.holds_any()) {
            store.release(&held);
        }
        if kind.errand.as_ref().is_none_or(|going| !going.grip.is_in_transaction()) {
            held.let_go(&mut kind.standing);
        }
        let to = self.intern(kind);
        Some(self.simply(store, Move { from, to }, reply))
    }

    /// The errand about this buyer that is under way or due, and its next op.
    #[must_use]
    pub fn next_errand(&self, kind: KindId) -> Option<(Errand, Option<Op>)> {
        let kind = self.kind_of(kind);
        if let Some(going) = &kind.errand {
            return Some((going.errand, Some(going.next)));
        }
        let errand = *kind.due.first()?;
        Some((errand, self.sent_on(errand, kind)?.map(|going| going.next)))
    }

    /// Starts an errand; none inside if it has nothing to do.
    fn sent_on(&self, errand: Errand, kind: &Kind) -> Option<Option<OnErrand>> {
        let fresh =
            OnErrand { errand, heard: Vec::new(), grip: Grip::default(), next: Op::FindOrder };
        self.goes_on(fresh, kind)
    }

    /// Continues an errand that has heard this; none inside if it is over.
    fn goes_on(&self, mut going: OnErrand, kind: &Kind) -> Option<Option<OnErrand>> {
        let want = kind.part.want()?;
        match self.strategy.errand(going.errand, want, &going.heard) {
            _ if going.heard.len() == MOST_OPS => Some(None),
            Next::Call(op) => {
                going.next = op;
                Some(Some(going))
            }
            Next::End(Err(Missed::Conflict)) if !going.heard.is_empty() => {
                self.sent_on(going.errand, kind)
            }
            Next::End(_) => Some(None),
        }
    }

    /// The server that runs this attempt, errand or clerk dies: its connection closes, and what it knew is lost.
    fn crash(&mut self, mut store: Model, from: KindId, mut kind: Kind) -> Option<Turn> {
        match (kind.part, &mut kind.errand) {
            (Part::Buyer { want, .. }, _) if kind.begun => {
                store.release(&kind.grip);
                if self.strategy.card().names(OpKind::Recover) {
                    kind.due.push(Errand::Recovery);
                }
                let ending = Ending::Failed(Failure::Crashed);
                let gone = kind.after(Part::Gone { want, ending });
                Some(self.becomes(store, from, gone))
            }
            // The request was not acknowledged, so the queue delivers it again.
            (Part::BusyClerk { want }, _) => {
                store.close(&kind.grip, &mut kind.standing);
                let ticket = store.serving.take()? as KindId;
                let served = self.after_serving(ticket, kind);
                let waits = self.intern(served);
                store.queue.push_front((waits.into(), Request { buyer: 0, want }));
                let to = self.clerk();
                let turn = self.simply(store, Move { from, to }, Ok(Reply::Done));
                Some(Turn { other: Some(Move { from: ticket, to: waits }), ..turn })
            }
            (_, Some(going)) if !going.heard.is_empty() => {
                store.close(&going.grip, &mut kind.standing);
                let errand = going.errand;
                kind.errand = self.sent_on(errand, &kind)?.map(Box::new);
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

/// Whether the shop is running this errand about the buyer.
fn is_on(kind: &Kind, errand: Errand) -> bool {
    kind.errand.as_ref().is_some_and(|going| going.errand == errand)
}
