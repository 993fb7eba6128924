//! The cast: every kind of buyer, every state of the store, and what comes of one step.
//!
//! What a step does depends on the store and on the kind of buyer alone. It is worked out once, by
//! running the attempt over what it has heard, and kept. So a world is no more than a store and a
//! number of buyers in each kind, however long the attempts are.

use std::collections::BTreeMap;

use super::kind::{Kind, Ordered, Part, ordered_by, with};
use super::script::{Heard, Next};
use super::turns::{KindId, Move, StoreId, Turn, Turns};
use crate::attempt::{Bought, Failure, Missed};
use crate::buyer::Ending;
use crate::entrant::Entrant;
use crate::op::{Item, Op, Reply, Request, Units, Want};
use crate::retry::Retries;
use crate::stores::memory::model::{Grip, Model, Shelf};

/// All kinds and stores met so far, for one strategy.
pub struct Cast<'s> {
    entrant: &'s dyn Entrant,
    retries: Retries,
    /// Whether a step that nobody else can see is one with the step before it.
    merges: bool,
    kinds: Vec<Kind>,
    kind_ids: BTreeMap<Kind, KindId>,
    /// Units promised to one of each kind, of each product in its cart.
    promised: Vec<Units>,
    stores: Vec<Model>,
    store_ids: BTreeMap<Model, StoreId>,
    /// What comes of a step (none: it has to wait), as far as it was worked out.
    turns: Turns,
    full: bool,
    /// The memory that kinds and stores take, in bytes.
    bytes: usize,
}

/// The most ops of one attempt.
const MOST_OPS: usize = 1_000;

/// A kind and a store are each kept in a list and in an index.
const TWICE: usize = 2;

impl<'s> Cast<'s> {
    /// An empty cast.
    #[must_use]
    pub fn new(entrant: &'s dyn Entrant, retries: Retries) -> Self {
        Self {
            entrant,
            retries,
            merges: true,
            kinds: Vec::new(),
            kind_ids: BTreeMap::new(),
            promised: Vec::new(),
            stores: Vec::new(),
            store_ids: BTreeMap::new(),
            turns: Turns::default(),
            full: false,
            bytes: 0,
        }
    }

    /// The same, but every op is a step of its own, for checking that it makes no difference.
    #[must_use]
    pub fn unmerged(self) -> Self {
        Self { merges: false, ..self }
    }

    /// The kind of a buyer who has just come.
    pub fn newcomer(&mut self, want: Want) -> KindId {
        self.buyer(Kind::newcomer(want, 0)).0
    }

    /// The kind of a clerk before its first request.
    pub fn clerk(&mut self) -> KindId {
        self.intern(Kind { next: Some(Op::NextRequest), ..Kind::of(Part::IdleClerk) })
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

    /// What comes of the next step of somebody of this kind; none if it has left or has to wait.
    pub fn turn(&mut self, store: StoreId, kind: KindId) -> Option<Turn> {
        if let Some(known) = self.turns.get(store, kind) {
            return *known;
        }
        let turn = self.work_out(store, kind);
        self.turns.keep(store, kind, turn);
        turn
    }

    /// The same, if it was worked out before.
    #[inline]
    #[must_use]
    pub fn known_turn(&self, store: StoreId, kind: KindId) -> Option<&Option<Turn>> {
        self.turns.get(store, kind)
    }

    /// Units promised to somebody of this kind, of each product in its cart.
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

    fn work_out(&mut self, store_id: StoreId, id: KindId) -> Option<Turn> {
        let mut kind = self.kind_of(id).clone();
        let mut store = self.store_of(store_id).clone();
        let mut other = None;
        let (to, leaked_lock, reply) = match (kind.part, kind.next?) {
            (Part::IdleClerk, _) => {
                let (ticket, request) = store.queue.pop_front()?;
                store.serving = Some(ticket);
                let (to, _) = self.busy_clerk(Kind::of(Part::BusyClerk { want: request.want }));
                (to, false, Ok(Reply::Next(Some(request))))
            }
            (Part::BusyClerk { .. }, Op::Answer { sold }) => {
                let buyer = store.serving.take()? as KindId;
                let answer = sold.map_or(Err(Missed::Failed(Failure::NoAnswer)), |sold| {
                    Ok(Reply::Applied(sold))
                });
                let mut served = self.kind_of(buyer).clone();
                served.grip.place = false;
                let held = served.grip;
                let (answered, leaked_lock) = self.hear(served, answer, &kind.ordered);
                self.release(&mut store, held, answered);
                other = Some(Move { from: buyer, to: answered });
                (self.clerk(), leaked_lock, Ok(Reply::Done))
            }
            // Answered by the clerk's step, never by one of its own.
            (_, Op::AwaitAnswer) if kind.grip.place => return None,
            (Part::Buyer { .. }, Op::Submit(Request { want, .. })) => {
                kind.grip.place = true;
                let reply = Ok(Reply::Done);
                let (to, leaked_lock) = self.hear(kind, reply, &Ordered::new());
                store.queue.push_back((to.into(), Request { buyer: 0, want }));
                (to, leaked_lock, reply)
            }
            (part, op) => {
                let reply = store.apply(op, &mut kind.grip)?;
                let more = match (op, reply) {
                    (Op::PlaceOrder(order), Ok(_)) => ordered_by(order.want),
                    _ => Ordered::new(),
                };
                let held = kind.grip;
                let (to, leaked_lock) = match part {
                    Part::BusyClerk { .. } => {
                        kind.heard.push(reply);
                        kind.ordered = with(kind.ordered, &more);
                        self.busy_clerk(kind)
                    }
                    _ => self.hear(kind, reply, &more),
                };
                self.release(&mut store, held, to);
                (to, leaked_lock, reply)
            }
        };
        let refused = other.map_or(to, |other| other.to);
        let is_refused = self.kind_of(refused).part.ending() == Some(Ending::TurnedAway);
        Some(Turn {
            store: self.store(store),
            actor: Move { from: id, to },
            other,
            reply,
            leaked_lock,
            refused: is_refused.then_some(refused),
        })
    }

    /// Gives back the locks of an attempt that is over, as a closed connection does.
    fn release(&self, store: &mut Model, held: Grip, now: KindId) {
        if !self.kind_of(now).grip.holds_any() {
            store.release(held);
        }
    }

    /// A buyer hears a reply: what it is now, and whether its attempt ended and kept its lock.
    fn hear(&mut self, mut kind: Kind, reply: Heard, more: &Ordered) -> (KindId, bool) {
        kind.ordered = with(kind.ordered, more);
        // Who has left the queue hears nothing any more, though an order may still be written.
        if matches!(kind.part, Part::Buyer { .. }) {
            kind.heard.push(reply);
            kind.begun = true;
        }
        self.buyer(kind)
    }

    /// The number of a buyer who has heard this, or of what it is after its attempt; and whether an
    /// attempt ended and kept its lock.
    fn buyer(&mut self, mut kind: Kind) -> (KindId, bool) {
        let Part::Buyer { want, conflicts } = kind.part else { return (self.intern(kind), false) };
        let attempt = loop {
            match self.entrant.attempt(want, &kind.heard) {
                _ if kind.heard.len() == MOST_OPS => break Err(Missed::Failed(Failure::TooLong)),
                // Nobody else can see this step, so it is one with the step before. What is in the
                // cart is in the shop, so that this cannot fail.
                Next::Call(Op::PlaceOrder(order)) if self.merges && order.want == want => {
                    kind.ordered = with(kind.ordered, &ordered_by(order.want));
                    kind.heard.push(Ok(Reply::Done));
                }
                // Who stands in the queue can do nothing but wait.
                Next::Call(op) if kind.grip.place && op != Op::AwaitAnswer => {
                    break Err(Missed::Failed(Failure::Unsupported));
                }
                Next::End(_) if kind.grip.place => {
                    break Err(Missed::Failed(Failure::Unsupported));
                }
                Next::Call(op) => {
                    kind.next = Some(op);
                    return (self.intern(kind), false);
                }
                Next::End(attempt) => break attempt,
            }
        };
        let kept_its_lock = kind.grip.holds_any();
        let ending = match attempt {
            Ok(Bought) => Ending::Bought,
            Err(Missed::SoldOut) => Ending::TurnedAway,
            Err(Missed::Failed(why)) => Ending::Failed(why),
            // Who meets a conflict without a step would meet it for ever.
            Err(Missed::Conflict) if kind.begun && self.retries.allow(conflicts + 1) => {
                let conflicts = match self.retries {
                    Retries::Unlimited => 0,
                    Retries::AtMost(_) => conflicts + 1,
                };
                let again = Kind { ordered: kind.ordered, ..Kind::newcomer(want, conflicts) };
                let (again, leaked) = self.buyer(again);
                return (again, leaked || kept_its_lock);
            }
            Err(Missed::Conflict) => Ending::GaveUp,
        };
        let gone = Kind {
            ordered: kind.ordered,
            early: kind.early && ending == Ending::Bought,
            ..Kind::of(Part::Gone { want, ending })
        };
        // An attempt that was cut short by a failure could not help holding its lock.
        (self.intern(gone), kept_its_lock && !matches!(attempt, Err(Missed::Failed(_))))
    }

    /// The number of a clerk who serves somebody and has heard this; and whether it is done and kept a
    /// lock.
    fn busy_clerk(&mut self, mut kind: Kind) -> (KindId, bool) {
        let Part::BusyClerk { want } = kind.part else { return (self.intern(kind), false) };
        let next = loop {
            match self.entrant.serve(want, &kind.heard) {
                _ if kind.heard.len() == MOST_OPS => break Op::Answer { sold: None },
                Next::Call(Op::PlaceOrder(order)) if self.merges && order.want == want => {
                    kind.ordered = with(kind.ordered, &ordered_by(order.want));
                    kind.heard.push(Ok(Reply::Done));
                }
                Next::Call(op) => break op,
                Next::End(sold) => {
                    kind.heard.clear();
                    break Op::Answer { sold: sold.ok() };
                }
            }
        };
        let kept_its_lock = kind.grip.holds_any() && matches!(next, Op::Answer { sold: Some(_) });
        if matches!(next, Op::Answer { .. }) {
            kind.grip = Grip::default();
        }
        kind.next = Some(next);
        (self.intern(kind), kept_its_lock)
    }

    /// For a search that follows what came first: the store, and what everybody is, when it is
    /// remembered of all who are inside or have bought that they were so before this buyer was turned
    /// away. What is remembered of an attempt is forgotten with it.
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

    /// The same kind, with it remembered that it was inside or had bought; if it is or has.
    fn early(&mut self, id: KindId) -> KindId {
        let kind = self.kind_of(id);
        match kind.may_have_units() {
            true => self.intern(Kind { early: true, ..kind.clone() }),
            false => id,
        }
    }

    /// The same kind, with nothing remembered.
    pub fn plain(&mut self, id: KindId) -> KindId {
        match self.kind_of(id) {
            Kind { early: false, .. } => id,
            kind => self.intern(Kind { early: false, ..kind.clone() }),
        }
    }

    fn intern(&mut self, kind: Kind) -> KindId {
        if let Some(id) = self.kind_ids.get(&kind) {
            return *id;
        }
        let Ok(id) = KindId::try_from(self.kinds.len()) else {
            self.full = true;
            return 0;
        };
        self.bytes += TWICE
            * (size_of::<Kind>()
                + kind.heard.len() * size_of::<Heard>()
                + kind.ordered.len() * size_of::<(Item, i64)>());
        self.promised.push(match kind.part {
            Part::Gone { want, ending: Ending::Bought } => want.qty,
            _ => 0,
        });
        self.kinds.push(kind.clone());
        self.kind_ids.insert(kind, id);
        id
    }
}
