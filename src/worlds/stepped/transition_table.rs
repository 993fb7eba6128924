//! The transition table: every kind of buyer, every state of the store, and what comes of one step.
//!
//! What a step does depends on the store and on the kind of buyer alone. It is worked out once, by
//! running the attempt over what it has heard, and kept. So a world is no more than a store and a
//! number of buyers in each kind, however long the attempts are.

use std::collections::BTreeMap;

use super::kind::{ActorRole, Kind};
use super::script::ScriptStep;
use super::scripted::Scripted;
use super::turns::{KindId, Leaks, Move, StoreId, Turn, Turns};
use crate::domain::attempt::OpResult;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::buyer::Ending;
use crate::domain::faults::Act;
use crate::domain::op::{Op, OpKind, Reply, Request, Units, Want};
use crate::domain::retry::Retries;
use crate::domain::settings::Settings;
use crate::scheduler::Choice;
use crate::stores::model::{HeldResources, Model, Shelf, Split, Standing, failed};

/// All kinds and stores met so far, for one strategy.
pub struct TransitionTable<'s> {
    pub(super) strategy: &'s dyn Scripted,
    retries: Retries,
    /// The acts that can happen here.
    acts: Vec<Act>,
    /// Whether a step that no other buyer can see merges with the step before it.
    merges: bool,
    kinds: Vec<Kind>,
    kind_ids: BTreeMap<Kind, KindId>,
    /// Units promised to one of each kind, of each product in its cart.
    promised: Vec<Units>,
    stores: Vec<Model>,
    store_ids: BTreeMap<Model, StoreId>,
    /// The results of the steps computed so far (none: the step has to wait).
    turns: Turns,
    full: bool,
    /// Whether an op looked for orders although the writing of orders is merged into other steps.
    asked_in_vain: bool,
    /// The memory that kinds and stores take, in bytes.
    bytes: usize,
}

/// The most ops of one attempt, one request or one background task.
pub(super) const MOST_OPS: usize = 1_000;

/// A kind and a store are each kept in a list and in an index.
const TWICE: usize = 2;

impl<'s> TransitionTable<'s> {
    /// An empty table.
    #[must_use]
    pub fn new(strategy: &'s dyn Scripted, settings: &Settings) -> Self {
        Self {
            strategy,
            retries: settings.retries,
            acts: acts(strategy, settings),
            merges: settings.faults.crashes == 0
                && settings.faults.power_cuts == 0
                && !looks_at_orders(strategy),
            kinds: Vec::new(),
            kind_ids: BTreeMap::new(),
            promised: Vec::new(),
            stores: Vec::new(),
            store_ids: BTreeMap::new(),
            turns: Turns::default(),
            full: false,
            asked_in_vain: false,
            bytes: 0,
        }
    }

    /// The same, but every op is a step of its own, for checking that it makes no difference.
    #[must_use]
    pub fn unmerged(self) -> Self {
        Self { merges: false, ..self }
    }

    /// The kind of a buyer that has just come.
    pub fn newcomer(&mut self, want: Want) -> KindId {
        self.buyer(Kind::newcomer(want, 0)).0
    }

    /// The kind of a worker before its first request.
    pub fn worker(&mut self) -> KindId {
        self.intern(Kind { next: Some(Op::NextRequest), ..Kind::of(ActorRole::IdleWorker) })
    }

    /// The number of a state of the store.
    pub fn store(&mut self, store: Model) -> StoreId {
        if let Some(id) = self.store_ids.get(&store) {
            return *id;
        }
        let id = self.stores.len() as StoreId;
        self.bytes += TWICE
            * (size_of::<Model>()
                + store.shelves.len() * size_of::<Shelf>()
                + store.split.len() * size_of::<Split>()
                + store.queue.len() * size_of::<(u32, Request)>());
        self.stores.push(store.clone());
        self.store_ids.insert(store, id);
        id
    }

    /// A state of the store by its number.
    #[must_use]
    pub fn store_of(&self, id: StoreId) -> &Model {
        &self.stores[id as usize]
    }

    /// All states of the store met so far, by number.
    pub fn all_stores(&self) -> impl Iterator<Item = &Model> {
        self.stores.iter()
    }

    /// All kinds met so far, by number.
    pub fn all_kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// A kind by its number.
    #[must_use]
    pub fn kind_of(&self, id: KindId) -> &Kind {
        &self.kinds[id as usize]
    }

    /// How many kinds were met.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there were more kinds than can be numbered; what came of later steps is then wrong.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether an op looked for orders although the strategy's card does not name such ops. The results are then wrong.
    #[must_use]
    pub fn was_asked_in_vain(&self) -> bool {
        self.asked_in_vain
    }

    /// Whether the writing of an order merges with the step before it.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.merges
    }

    /// The acts that can happen here: steps, and faults.
    #[must_use]
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Whether buyers pay here, as the card has it.
    #[must_use]
    pub fn takes_money(&self) -> bool {
        self.strategy.card().names(OpKind::Pay)
    }

    /// The result if this happens to a buyer of this kind; none if it cannot happen, say because the buyer has left or
    /// has to wait.
    pub fn turn(&mut self, store: StoreId, choice: Choice<KindId>) -> Option<Turn> {
        if let Some(known) = self.turns.get(store, choice) {
            return *known;
        }
        let turn = match choice.act {
            Act::Step => self.work_out_step(store, choice.who),
            _ => self.work_out_act(store, choice),
        };
        self.turns.keep(store, choice, turn);
        turn
    }

    /// The same, if it was computed before.
    #[inline]
    #[must_use]
    pub fn known_turn(&self, store: StoreId, choice: Choice<KindId>) -> Option<&Option<Turn>> {
        self.turns.get(store, choice)
    }

    /// Units promised to a buyer of this kind, of each product in its cart.
    #[inline]
    #[must_use]
    pub fn promised_to(&self, kind: KindId) -> Units {
        self.promised[usize::from(kind)]
    }

    /// The memory it takes, in bytes, as far as that can grow large.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.turns.bytes() + self.bytes
    }

    pub(super) fn work_out_step(&mut self, store_id: StoreId, id: KindId) -> Option<Turn> {
        let mut kind = self.kind_of(id).clone();
        let mut store = self.store_of(store_id).clone();
        let mut other = None;
        let (to, leaks, reply) = match (kind.part, kind.next?) {
            (ActorRole::IdleWorker, _) => {
                let (ticket, request) = store.queue.pop_front()?;
                store.serving = Some(ticket);
                let served = self.kind_of(ticket as KindId);
                let worker = Kind {
                    standing: served.standing.clone(),
                    background_task: served.background_task.clone(),
                    due: served.due.clone(),
                    ..Kind::of(ActorRole::BusyWorker { want: request.want })
                };
                let (to, leaks) = self.busy_worker(worker);
                (to, leaks, Ok(Reply::Next(Some(request))))
            }
            (ActorRole::BusyWorker { .. }, Op::Answer { sold }) => {
                let buyer = store.serving.take()? as KindId;
                let answer = sold.map_or(Err(Missed::Failed(Failure::NoAnswer)), |sold| {
                    Ok(Reply::Applied(sold))
                });
                let mut served = self.after_serving(buyer, kind);
                served.grip.place = false;
                let held = served.grip.clone();
                let (answered, leaks) = self.hear(served, answer);
                self.release(&mut store, &held, answered);
                other = Some(Move { from: buyer, to: answered });
                (self.worker(), leaks, Ok(Reply::Done))
            }
            // Answered by the worker's step, never by one of its own.
            (_, Op::AwaitAnswer) if kind.grip.place => return None,
            (ActorRole::Buyer { .. }, Op::Submit(Request { want, .. }))
                if !kind.grip.is_in_transaction() =>
            {
                kind.grip.place = true;
                let reply = Ok(Reply::Done);
                let (to, leaks) = self.hear(kind, reply);
                store.queue.push_back((to.into(), Request { buyer: 0, want }));
                (to, leaks, reply)
            }
            (_, op) => {
                let charges = kind.standing.charges;
                let reply = self.apply(&mut store, op, &mut kind.grip, &mut kind.standing)?;
                self.send_webhook(&mut kind, charges);
                let (to, leaks) = self.goes_on_with(&mut store, kind, reply);
                (to, leaks, reply)
            }
        };
        let actor = Move { from: id, to };
        let refused = self.refused(other.unwrap_or(actor).to);
        Some(Turn { other, leaks, refused, ..self.simply(store, actor, reply) })
    }

    /// Gives the reply to the actor that made the step. If its attempt is over, what it held is released.
    pub(super) fn goes_on_with(
        &mut self,
        store: &mut Model,
        mut kind: Kind,
        reply: OpResult,
    ) -> (KindId, Leaks) {
        let held = kind.grip.clone();
        let (to, leaks) = match kind.part {
            ActorRole::BusyWorker { .. } => {
                kind.heard.push(reply);
                self.busy_worker(kind)
            }
            _ => self.hear(kind, reply),
        };
        self.release(store, &held, to);
        (to, leaks)
    }

    /// The buyer of this kind after the worker served it: what the world keeps about the buyer is as the worker leaves
    /// it.
    pub(super) fn after_serving(&self, buyer: KindId, worker: Kind) -> Kind {
        let Kind { standing, background_task, due, .. } = worker;
        Kind { standing, background_task, due, ..self.kind_of(buyer).clone() }
    }

    /// A turn that changes no other buyer and in which nothing goes wrong.
    pub(super) fn simply(&mut self, store: Model, actor: Move, reply: OpResult) -> Turn {
        let refused = self.refused(actor.to);
        Turn {
            store: self.store(store),
            actor,
            other: None,
            reply,
            leaks: Leaks::default(),
            is_fault: false,
            refused,
        }
    }

    /// The same kind, if it has been rejected.
    fn refused(&self, kind: KindId) -> Option<KindId> {
        (self.kind_of(kind).part.ending() == Some(Ending::Rejected)).then_some(kind)
    }

    /// One op; none if it has to wait.
    pub(super) fn apply(
        &mut self,
        store: &mut Model,
        op: Op,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Option<OpResult> {
        let looks = matches!(
            op,
            Op::FindOrder | Op::PlaceOrderOnce(_) | Op::CancelOrder | Op::CountLeft { .. }
        );
        if self.merges && looks {
            self.asked_in_vain = true;
            return failed(Failure::Unsupported);
        }
        store.apply(op, grip, standing)
    }

    /// Gives back the locks of an attempt that is over, as a closed connection does.
    fn release(&self, store: &mut Model, held: &HeldResources, now: KindId) {
        if !self.kind_of(now).grip.holds_any() {
            store.release(held);
        }
    }

    /// A buyer hears a reply: what it is now, and what its attempt left behind if it ended.
    fn hear(&mut self, mut kind: Kind, reply: OpResult) -> (KindId, Leaks) {
        // A buyer that has left hears nothing any more, though an order may still be written for it.
        if matches!(kind.part, ActorRole::Buyer { .. }) {
            kind.heard.push(reply);
            kind.begun = true;
        }
        self.buyer(kind)
    }

    /// The number of a buyer that has heard this, or of its kind after the attempt. Also returns what the attempt left
    /// behind, if it ended.
    fn buyer(&mut self, mut kind: Kind) -> (KindId, Leaks) {
        let ActorRole::Buyer { want, conflicts } = kind.part else {
            return (self.intern(kind), Leaks::default());
        };
        let attempt = loop {
            match self.strategy.attempt(want, &kind.heard) {
                _ if kind.heard.len() == MOST_OPS => break Err(Missed::Failed(Failure::TooLong)),
                // No other buyer can see this step, so it merges with the step before. The shop has the products of the
                // cart, so this cannot fail.
                ScriptStep::Call(Op::PlaceOrder(order))
                    if self.merges && kind.orders_unseen(order) =>
                {
                    kind.standing.orders.push(order.want);
                    kind.heard.push(Ok(Reply::Done));
                }
                // A buyer in the queue can do nothing but wait.
                ScriptStep::Call(op) if kind.grip.place && op != Op::AwaitAnswer => {
                    break Err(Missed::Failed(Failure::Unsupported));
                }
                ScriptStep::End(_) if kind.grip.place => {
                    break Err(Missed::Failed(Failure::Unsupported));
                }
                ScriptStep::Call(op) => {
                    kind.next = Some(op);
                    return (self.intern(kind), Leaks::default());
                }
                ScriptStep::End(attempt) => break attempt,
            }
        };
        let lock = kind.grip.holds_any();
        // A buyer that meets a conflict without a step would meet it for ever.
        let may_try_again = kind.begun && self.retries.allow(conflicts + 1);
        if attempt == Err(Missed::Conflict) && may_try_again {
            let conflicts = match self.retries {
                Retries::Unlimited => 0,
                Retries::AtMost(_) => conflicts + 1,
            };
            let again = kind.after(ActorRole::Buyer { want, conflicts });
            let (again, leaks) = self.buyer(again);
            return (again, Leaks { lock: leaks.lock || lock, ..leaks });
        }
        let ending = Ending::after(attempt);
        let early = kind.early;
        let mut gone = kind.after(ActorRole::Gone { want, ending });
        gone.early = early && gone.may_have_units();
        // An attempt that was cut short by a failure could not help what it left behind.
        let leaks = match attempt {
            Err(Missed::Failed(_)) => Leaks::default(),
            _ => Leaks { lock, hold: gone.standing.is_holding() },
        };
        (self.intern(gone), leaks)
    }

    /// The number of a worker that serves a buyer and has heard this. Also returns what the worker left behind, if it is
    /// done with the buyer.
    fn busy_worker(&mut self, mut kind: Kind) -> (KindId, Leaks) {
        let ActorRole::BusyWorker { want } = kind.part else {
            return (self.intern(kind), Leaks::default());
        };
        let next = loop {
            match self.strategy.serve(want, &kind.heard) {
                _ if kind.heard.len() == MOST_OPS => break Op::Answer { sold: None },
                ScriptStep::Call(Op::PlaceOrder(order))
                    if self.merges && kind.orders_unseen(order) =>
                {
                    kind.standing.orders.push(order.want);
                    kind.heard.push(Ok(Reply::Done));
                }
                ScriptStep::Call(op) => break op,
                // The worker's attempt is over, and the request is still there.
                ScriptStep::End(Err(Missed::Conflict)) if !kind.heard.is_empty() => {
                    kind.heard.clear();
                    std::mem::take(&mut kind.grip).let_go(&mut kind.standing);
                }
                ScriptStep::End(sold) => {
                    kind.heard.clear();
                    break Op::Answer { sold: sold.ok() };
                }
            }
        };
        let lock = kind.grip.holds_any() && matches!(next, Op::Answer { sold: Some(_) });
        if matches!(next, Op::Answer { .. }) {
            std::mem::take(&mut kind.grip).let_go(&mut kind.standing);
        }
        kind.next = Some(next);
        (self.intern(kind), Leaks { lock, hold: false })
    }

    /// For the false-sold-out search: marks (`early`) the refused buyer, and every other buyer that may have units at
    /// this refusal. Returns the store and the crowd with these marks. The end of an attempt drops its mark, unless the
    /// buyer has bought or has held units. A retry and a crash always drop it.
    pub fn after_refusal(
        &mut self,
        store: StoreId,
        crowd: &[(KindId, u32)],
        refused: KindId,
    ) -> (StoreId, Vec<(KindId, u32)>) {
        let mut marked = Vec::new();
        for (kind, buyers) in crowd {
            let others = buyers - u32::from(*kind == refused);
            if others > 0 {
                marked.push((self.early(*kind), others));
            }
        }
        let witness = Kind { early: true, ..self.kind_of(refused).clone() };
        marked.push((self.intern(witness), 1));
        marked.sort_unstable();
        let mut store = self.store_of(store).clone();
        for ticket in store.queue.iter_mut().map(|(ticket, _)| ticket).chain(&mut store.serving) {
            *ticket = self.early(*ticket as KindId).into();
        }
        (self.store(store), marked)
    }

    /// Sets `early` on this kind if its buyer may have units.
    fn early(&mut self, id: KindId) -> KindId {
        let kind = self.kind_of(id);
        match kind.may_have_units() {
            true => self.intern(Kind { early: true, ..kind.clone() }),
            false => id,
        }
    }

    /// The same kind without the `early` mark.
    pub fn plain(&mut self, id: KindId) -> KindId {
        match self.kind_of(id) {
            Kind { early: false, .. } => id,
            kind => self.intern(Kind { early: false, ..kind.clone() }),
        }
    }

    pub(super) fn intern(&mut self, kind: Kind) -> KindId {
        if let Some(id) = self.kind_ids.get(&kind) {
            return *id;
        }
        let Ok(id) = KindId::try_from(self.kinds.len()) else {
            self.full = true;
            return 0;
        };
        self.bytes += TWICE
            * (size_of::<Kind>()
                + kind.heard.len() * size_of::<OpResult>()
                + kind.standing.orders.len() * size_of::<Want>());
        self.promised.push(match kind.part {
            ActorRole::Gone { want, ending: Ending::Bought } => want.qty,
            _ => 0,
        });
        self.kinds.push(kind.clone());
        self.kind_ids.insert(kind, id);
        id
    }
}

/// The acts that can happen in this shop.
fn acts(strategy: &dyn Scripted, settings: &Settings) -> Vec<Act> {
    let card = strategy.card();
    let runs_out = card.asks_for(|kind| matches!(kind, OpKind::Hold | OpKind::Lease));
    let has_background_tasks = card.names(OpKind::Webhook) || card.names(OpKind::Recover);
    let happens = |act: &Act| match act {
        Act::Step => true,
        Act::BackgroundTask => has_background_tasks,
        Act::Expire => runs_out,
        fault => settings.faults.left(*fault).is_some_and(|times| times > 0),
    };
    Act::ALL.into_iter().filter(happens).collect()
}

/// Whether a written order can make a difference to the next step of any buyer.
fn looks_at_orders(strategy: &dyn Scripted) -> bool {
    let looks = [
        OpKind::FindOrder,
        OpKind::CountLeft,
        OpKind::Transaction,
        OpKind::Webhook,
        OpKind::Recover,
    ];
    let card = strategy.card();
    looks.into_iter().any(|kind| card.names(kind))
}
