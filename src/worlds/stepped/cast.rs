//! The cast: every kind of buyer, every state of the store, and what comes of one step.
//!
//! What a step does depends on the store and on the kind of buyer alone. It is worked out once, by
//! running the attempt over what it has heard, and kept. So a world is no more than a store and a
//! number of buyers in each kind, however long the attempts are.

use std::collections::BTreeMap;

use super::script::{Heard, Next};
use super::turns::Turns;
use crate::attempt::{Bought, Failure, Missed};
use crate::buyer::Ending;
use crate::entrant::Entrant;
use crate::op::{Item, Op, Reply, Request, Units, Want};
use crate::retry::Retries;
use crate::stores::memory::model::{Grip, Model};

/// The number of a kind, in the order in which kinds were met.
pub type KindId = u16;

/// The number of a state of the store, in the order in which they were met.
pub type StoreId = u32;

/// Who somebody is, apart from what it has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A buyer who wants this and has lost so often. Losses are only counted where retries are
    /// limited: a buyer who may lose for ever starts afresh each time.
    Buyer {
        /// What it came for.
        want: Want,
        /// Conflicts so far.
        conflicts: u32,
    },
    /// A buyer who has left.
    Gone {
        /// What it came for.
        want: Want,
        /// How its visit ended.
        ending: Ending,
    },
    /// The clerk, waiting for the next in the queue.
    IdleClerk,
    /// The clerk, serving somebody who wants this.
    BusyClerk {
        /// What the buyer came for.
        want: Want,
    },
}

/// One kind: all who are alike in everything that can make a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Who it is.
    pub part: Part,
    /// What it has heard in this attempt, private ops included.
    pub heard: Vec<Heard>,
    /// What it holds of the store.
    pub grip: Grip,
    /// What stands in the order book in its name; with a clerk, in the name of whom it serves.
    pub ordered: Ordered,
    /// The op it will send next; none if it has left.
    pub next: Option<Op>,
}

/// Units in the order book, by product.
pub type Ordered = BTreeMap<Item, Units>;

/// Adds what stands in another book.
fn with(mut ordered: Ordered, more: &Ordered) -> Ordered {
    for (item, units) in more {
        *ordered.entry(*item).or_default() += units;
    }
    ordered
}

/// What an order adds to the book.
fn ordered_by(want: Want) -> Ordered {
    want.items().map(|item| (item, want.qty)).collect()
}

/// One change of kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Somebody of this kind …
    pub from: KindId,
    /// … becomes one of this.
    pub to: KindId,
}

/// What comes of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The store afterwards.
    pub store: StoreId,
    /// What becomes of whoever stepped.
    pub actor: Move,
    /// What becomes of somebody else: the buyer whom the clerk has answered.
    pub other: Option<Move>,
    /// What whoever stepped has heard.
    pub reply: Heard,
    /// Whether an attempt ended and kept its lock.
    pub leaked_lock: bool,
}

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
}

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
        }
    }

    /// The same, but every op is a step of its own, for checking that it makes no difference.
    #[must_use]
    pub fn unmerged(self) -> Self {
        Self { merges: false, ..self }
    }

    /// The kind of a buyer who has just come.
    pub fn newcomer(&mut self, want: Want) -> KindId {
        self.buyer(want, 0, Vec::new(), Grip::default(), Ordered::new()).0
    }

    /// The kind of a clerk before its first request.
    pub fn clerk(&mut self) -> KindId {
        self.intern(Kind {
            part: Part::IdleClerk,
            heard: Vec::new(),
            grip: Grip::default(),
            ordered: Ordered::new(),
            next: Some(Op::NextRequest),
        })
    }

    /// The number of a state of the store.
    pub fn store(&mut self, store: Model) -> StoreId {
        if let Some(id) = self.store_ids.get(&store) {
            return *id;
        }
        let id = self.stores.len() as StoreId;
        self.stores.push(store.clone());
        self.store_ids.insert(store, id);
        id
    }

    /// A state of the store by its number.
    #[must_use]
    pub fn store_of(&self, id: StoreId) -> &Model {
        &self.stores[id as usize]
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
        // A kind and a store are each kept twice, with what they hold.
        const A_KIND_OR_STORE: usize = 2 * 256;
        self.turns.bytes() + (self.kinds.len() + self.stores.len()) * A_KIND_OR_STORE
    }

    fn work_out(&mut self, store_id: StoreId, id: KindId) -> Option<Turn> {
        let Kind { part, heard, mut grip, ordered, next } = self.kind_of(id).clone();
        let mut store = self.store_of(store_id).clone();
        let moved = |to| Move { from: id, to };
        match (part, next?) {
            (Part::IdleClerk, _) => {
                let (ticket, request) = store.queue.pop_front()?;
                store.serving = Some(ticket);
                let (to, _) =
                    self.busy_clerk(request.want, Vec::new(), Grip::default(), Ordered::new());
                let store = self.store(store);
                let reply = Ok(Reply::Next(Some(request)));
                Some(Turn { store, actor: moved(to), other: None, reply, leaked_lock: false })
            }
            (Part::BusyClerk { .. }, Op::Answer { sold }) => {
                let buyer = store.serving.take()? as KindId;
                let answer = sold.map_or(Err(Missed::Failed(Failure::NoAnswer)), |sold| {
                    Ok(Reply::Applied(sold))
                });
                let mut held = self.kind_of(buyer).grip;
                held.place = false;
                let (answered, leaked_lock) = self.hear(buyer, answer, held, &ordered);
                self.release(&mut store, held, answered);
                let to = self.clerk();
                let store = self.store(store);
                let other = Some(Move { from: buyer, to: answered });
                Some(Turn { store, actor: moved(to), other, reply: Ok(Reply::Done), leaked_lock })
            }
            // Answered by the clerk's step, never by one of its own.
            (_, Op::AwaitAnswer) if grip.place => None,
            (Part::Buyer { want, .. }, Op::Submit(_)) => {
                grip.place = true;
                let reply = Ok(Reply::Done);
                let (to, leaked_lock) = self.hear(id, reply, grip, &Ordered::new());
                store.queue.push_back((to.into(), Request { buyer: 0, want }));
                let store = self.store(store);
                Some(Turn { store, actor: moved(to), other: None, reply, leaked_lock })
            }
            (_, op) => {
                let reply = store.apply(op, &mut grip)?;
                let more = match (op, reply) {
                    (Op::PlaceOrder(order), Ok(_)) => ordered_by(order.want),
                    _ => Ordered::new(),
                };
                let (to, leaked_lock) = match part {
                    Part::BusyClerk { want } => {
                        let mut heard = heard;
                        heard.push(reply);
                        self.busy_clerk(want, heard, grip, with(ordered, &more))
                    }
                    _ => self.hear(id, reply, grip, &more),
                };
                self.release(&mut store, grip, to);
                let store = self.store(store);
                Some(Turn { store, actor: moved(to), other: None, reply, leaked_lock })
            }
        }
    }

    /// Gives back the locks of an attempt that is over, as a closed connection does.
    fn release(&self, store: &mut Model, held: Grip, now: KindId) {
        if !self.kind_of(now).grip.holds_any() {
            store.release(held);
        }
    }

    /// A buyer hears a reply: what it is now, and whether its attempt ended and kept its lock.
    fn hear(&mut self, id: KindId, reply: Heard, grip: Grip, more: &Ordered) -> (KindId, bool) {
        let kind = self.kind_of(id);
        let Part::Buyer { want, conflicts } = kind.part else { return (id, false) };
        let ordered = with(kind.ordered.clone(), more);
        let mut heard = kind.heard.clone();
        heard.push(reply);
        self.buyer(want, conflicts, heard, grip, ordered)
    }

    /// The kind of a buyer in an attempt, or after it.
    fn buyer(
        &mut self,
        want: Want,
        conflicts: u32,
        mut heard: Vec<Heard>,
        grip: Grip,
        mut ordered: Ordered,
    ) -> (KindId, bool) {
        let attempt = loop {
            match self.entrant.attempt(want, &heard) {
                // Nobody else can see this step, so it is one with the step before.
                Next::Call(Op::PlaceOrder(order)) if self.merges => {
                    ordered = with(ordered, &ordered_by(order.want));
                    heard.push(Ok(Reply::Done));
                }
                // Who stands in the queue can do nothing but wait.
                Next::Call(op) if grip.place && op != Op::AwaitAnswer => {
                    break Err(Missed::Failed(Failure::Unsupported));
                }
                Next::Call(op) => {
                    let part = Part::Buyer { want, conflicts };
                    let kind = Kind { part, heard, grip, ordered, next: Some(op) };
                    return (self.intern(kind), false);
                }
                Next::End(attempt) => break attempt,
            }
        };
        let gone = |ending| Part::Gone { want, ending };
        let part = match attempt {
            Ok(Bought) => gone(Ending::Bought),
            Err(Missed::SoldOut) => gone(Ending::TurnedAway),
            Err(Missed::Failed(why)) => gone(Ending::Failed(why)),
            Err(Missed::Conflict) if self.retries.allow(conflicts + 1) => {
                let conflicts = match self.retries {
                    Retries::Unlimited => 0,
                    Retries::AtMost(_) => conflicts + 1,
                };
                let (again, leaked) =
                    self.buyer(want, conflicts, Vec::new(), Grip::default(), ordered);
                return (again, leaked || grip.holds_any());
            }
            Err(Missed::Conflict) => gone(Ending::GaveUp),
        };
        let kind = Kind { part, heard: Vec::new(), grip: Grip::default(), ordered, next: None };
        // An attempt that was cut short by a failure could not help holding its lock.
        (self.intern(kind), grip.holds_any() && !matches!(attempt, Err(Missed::Failed(_))))
    }

    /// The kind of a clerk who is serving.
    fn busy_clerk(
        &mut self,
        want: Want,
        mut heard: Vec<Heard>,
        grip: Grip,
        mut ordered: Ordered,
    ) -> (KindId, bool) {
        let next = loop {
            match self.entrant.serve(want, &heard) {
                Next::Call(Op::PlaceOrder(order)) if self.merges => {
                    ordered = with(ordered, &ordered_by(order.want));
                    heard.push(Ok(Reply::Done));
                }
                Next::Call(op) => break op,
                Next::End(sold) => {
                    heard.clear();
                    break Op::Answer { sold: sold.ok() };
                }
            }
        };
        let ended = matches!(next, Op::Answer { .. });
        let kept_its_lock = grip.holds_any() && matches!(next, Op::Answer { sold: Some(_) });
        let grip_left = if ended { Grip::default() } else { grip };
        let part = Part::BusyClerk { want };
        let kind = Kind { part, heard, grip: grip_left, ordered, next: Some(next) };
        (self.intern(kind), kept_its_lock)
    }

    fn intern(&mut self, kind: Kind) -> KindId {
        if let Some(id) = self.kind_ids.get(&kind) {
            return *id;
        }
        let Ok(id) = KindId::try_from(self.kinds.len()) else {
            self.full = true;
            return 0;
        };
        self.promised.push(match kind.part {
            Part::Gone { want, ending: Ending::Bought } => want.qty,
            _ => 0,
        });
        self.kinds.push(kind.clone());
        self.kind_ids.insert(kind, id);
        id
    }
}
