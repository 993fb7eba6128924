//! The steps of a described checkout: what is sent to a store, what is saved of its answers, and what they mean.
//!
//! A [`StepExecutor`] sends one step over one connection; a [`StepConnection`] does everything else, for every store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::generated::hands_on;
use super::{Link, StoreConfig};
use crate::describe::checkout::{
    Answer, Call, Checkout, Numbered, OnRefusal, REFUSED, ROWS, Role, Saved, Shelves, Step,
    StepEnd, StoreValue,
};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Item, Onward, Op, Reply, Want};
use crate::scheduler::{Actor, BuyerHandle, PendingStatement};

/// Why a store did not do what a step said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A conflict with another session: nothing of the transaction counts.
    Conflict,
    /// The store has ended the transaction to break a deadlock: nothing of it counts.
    Deadlock,
    /// A lock was not available.
    Locked,
    /// A constraint, or a rule of the shop's own in the store, forbids the step.
    Forbidden(String),
    /// The connection is lost.
    Lost(String),
    /// The step is invalid for the store.
    Wrong(String),
}

impl Refusal {
    /// The refusal as text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Conflict => "conflict".into(),
            Self::Deadlock => "deadlock".into(),
            Self::Locked => "no lock in time".into(),
            Self::Forbidden(text) | Self::Lost(text) | Self::Wrong(text) => text.clone(),
        }
    }
}

/// Sends steps to a store, over one connection.
pub(crate) trait StepExecutor: Send {
    /// Sends a step, with values by name, and returns the answer.
    ///
    /// # Errors
    /// When the store does not do it.
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal>;

    /// The answer as text for the reader.
    fn told(&self, call: &Call, answer: &Answer) -> String;

    /// The step that is about to be sent with these values, as the scheduler holds it: what it touches in the current
    /// transaction, and what when it begins, if it is to be held between that and its first change. A reader sees
    /// `text`.
    fn pending(
        &mut self,
        call: &Call,
        text: String,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement;

    /// Whether a transaction is under way for certain.
    fn is_open(&self) -> bool {
        !self.taking_back().is_empty()
    }

    /// Another store's statement, as the scheduler holds it, while the transaction of this one goes on, if one is under
    /// way.
    fn during(&self, pending: PendingStatement) -> PendingStatement {
        pending
    }

    /// The calls that roll back whatever the attempt has not committed; none if there is nothing to roll back.
    fn taking_back(&self) -> Vec<Call>;

    /// How much of a call's effect would stay, even if the attempt ended in a conflict.
    fn stays(&self, call: &Call) -> Stays;

    /// Whether a step may leave something in the server's session that outlives the attempt; see
    /// [`Link::may_leave_traces`].
    fn may_leave_traces(&self) -> bool {
        false
    }

    /// Resets the session to its state after opening; returns how many session-level locks it still held.
    ///
    /// # Errors
    /// When the store does not do it: the connection is unusable.
    fn begin_anew(&mut self) -> Result<u64, Refusal> {
        Ok(0)
    }
}

/// How much of a call's effect stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Nothing: the call only reads, or its changes are not committed yet.
    Nothing,
    /// The changes of the call, if there are any.
    Changes,
    /// All changes so far.
    Everything,
}

/// The name of a saved value, and the product of the cart that it was saved for, if it was saved for each.
type SavedName = (Option<usize>, String);

/// The buyer of an attempt, and the values that the attempt has saved.
#[derive(Debug)]
struct AttemptContext {
    buyer: BuyerId,
    customer: i64,
    want: Want,
    shelves: Arc<Shelves>,
    /// The place in the cart of the product that a step is made for, if it is made for each.
    product: Option<usize>,
    /// The values that its steps have saved.
    kept: BTreeMap<SavedName, StoreValue>,
    /// The names of those saved values that the server has generated.
    generated: BTreeMap<SavedName, String>,
    /// Whether the store has refused the last step whose refusal does not end the attempt.
    is_refused: bool,
}

impl AttemptContext {
    /// The saved value that a name stands for: that of the product that the step is made for or, where none was saved for
    /// each product, the last that was saved.
    fn saved_name(&self, name: &str) -> SavedName {
        let of_product = (self.product, name.to_owned());
        match self.kept.contains_key(&of_product) {
            true => of_product,
            false => (None, name.to_owned()),
        }
    }

    /// Notes that the server has generated a value that was saved, and its name.
    fn generate(&mut self, name: &str, told: String) {
        self.generated.insert((self.product, name.to_owned()), told.clone());
        self.generated.insert((None, name.to_owned()), told);
    }

    /// Saves a value.
    fn save(&mut self, name: &str, value: StoreValue) {
        match self.product {
            Some(_) => drop(self.kept.insert((self.product, name.to_owned()), value.clone())),
            None => self.kept.retain(|(_, kept), _| kept != name),
        }
        self.kept.insert((None, name.to_owned()), value);
    }

    /// The value of a name.
    fn value_of(&self, name: &str) -> StoreValue {
        match name {
            "buyer" => StoreValue::Int(self.customer),
            "item" => {
                let shelves = self.shelves.read();
                let mut cart = self.want.items();
                let item = cart.nth(self.product.unwrap_or_default()).unwrap_or(self.want.item);
                let place = item.0;
                // Where the file has no query for the stock, products are known by their numbers.
                match shelves.get(usize::from(place)) {
                    Some((key, _)) => key.clone(),
                    None => StoreValue::Int(i64::from(place) + 1),
                }
            }
            "qty" => StoreValue::Int(self.want.qty.max(1).into()),
            "key" => StoreValue::Text(format!("key-{}", self.customer)),
            REFUSED if self.is_refused => StoreValue::Int(1),
            REFUSED => StoreValue::Null,
            name => self.kept.get(&self.saved_name(name)).cloned().unwrap_or(StoreValue::Null),
        }
    }

    /// The identity of a step that passes on values that the server has generated: its number, and its text with the
    /// names of these values in their place. The buyer's role is known by its place.
    fn shape(&self, call: &Call, number: usize) -> Option<String> {
        let told = |name: &str| {
            self.generated.get(&self.saved_name(name)).filter(|_| hands_on(call, name))
        };
        call.names().into_iter().any(|name| told(name).is_some()).then(|| {
            let shown = call.shown(|name| match told(name) {
                Some(told) => told.clone(),
                None => self.value_of(name).to_string(),
            });
            format!("step {}: {shown}", number + 1)
        })
    }

    /// Saves null for all values that a step names: the store has refused it.
    fn forget(&mut self, step: &Step) {
        for Saved { name, .. } in &step.save {
            self.save(name, StoreValue::Null);
        }
    }

    /// Saves the values that a step names; the error says which are missing.
    fn keep(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        let mut kept = Ok(());
        for (place, Saved { name, may_be_none }) in step.save.iter().enumerate() {
            let column = answer.column(name, place);
            let row = answer.rows.first();
            let value = column.and_then(|column| row?.get(column));
            self.save(name, value.cloned().unwrap_or(StoreValue::Null));
            if column.is_none() && !answer.columns.is_empty() {
                let there = answer.columns.join(", ");
                kept = kept.and(Err(format!("the answer has no column `{name}`; it has {there}")));
            } else if value.is_none() && !may_be_none {
                kept = kept.and(Err(format!(
                    "there is no row, and `{name}` is to be saved; where there need not be one, write \"{name}?\""
                )));
            }
        }
        kept
    }
}

/// What came of a step that did not miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MadeStep {
    /// The next step follows, if there is one.
    Done,
    /// The attempt ends.
    Ends(Onward),
}

/// One buyer's connection, over which steps are sent.
pub(crate) struct StepConnection<S> {
    executor: S,
    checkout: Arc<Checkout>,
    terms: StoreConfig,
    handle: Option<BuyerHandle>,
    /// Whether it is part of a schedule, which names its buyer by a letter.
    is_scheduled: bool,
    memory: AttemptContext,
    has_changed: bool,
    has_bought: bool,
    /// Whether the store, and not the checkout itself, has ended an attempt since the session was last reset.
    was_cut_short: bool,
    is_broken: bool,
}

impl<S: StepExecutor> StepConnection<S> {
    /// A link over this connection; with a handle, its every step is held there.
    pub(crate) fn new(
        executor: S,
        checkout: Arc<Checkout>,
        shelves: Arc<Shelves>,
        terms: StoreConfig,
        handle: Option<BuyerHandle>,
    ) -> Self {
        let want = Want::one(Item(0), 1);
        let memory = AttemptContext {
            buyer: 0,
            customer: 1,
            want,
            shelves,
            product: None,
            kept: BTreeMap::new(),
            generated: BTreeMap::new(),
            is_refused: false,
        };
        Self {
            executor,
            checkout,
            terms,
            is_scheduled: handle.is_some(),
            handle,
            memory,
            has_changed: false,
            has_bought: false,
            was_cut_short: false,
            is_broken: false,
        }
    }

    /// The same; `is_scheduled` says whether it is part of a schedule, where what is held are not its own steps.
    #[cfg(feature = "app")]
    pub(crate) fn scheduled(self, is_scheduled: bool) -> Self {
        Self { is_scheduled, ..self }
    }

    /// Runs the first step from this one on whose condition holds.
    fn step(&mut self, buyer: BuyerId, number: u16, want: Want) -> Result<Onward, Missed> {
        self.memory.buyer = buyer;
        self.memory.customer = self.checkout.customer(buyer);
        self.memory.want = want;
        let checkout = Arc::clone(&self.checkout);
        let role = checkout.role(buyer);
        let onward = match self.next(role, number.into()) {
            Some((place, number)) => match self.make(number, &role.steps[number])? {
                // Finds out at once whether it was the last step.
                MadeStep::Done => self
                    .next(role, place + 1)
                    .map_or(Onward::Bought, |(next, _)| Onward::To(next as u16)),
                MadeStep::Ends(end) => end,
            },
            None => Onward::Bought,
        };
        self.has_bought = onward == Onward::Bought;
        Ok(onward)
    }

    /// The first step from this place on whose condition holds: its place, and its number. From then on its product is
    /// the one that values are about. A step that is left out was not refused.
    fn next(&mut self, role: &Role, from: usize) -> Option<(usize, usize)> {
        let memory = &mut self.memory;
        let products = memory.want.items().count();
        let mut place = from;
        loop {
            let (number, product) = role.step_at(place, products)?;
            let step = &role.steps[number];
            memory.product = product;
            if step.when.as_ref().is_none_or(|when| when.holds(|name| memory.value_of(name))) {
                return Some((place, number));
            }
            if step.if_refused == Some(OnRefusal::GoesOn) {
                memory.is_refused = false;
            }
            place += 1;
        }
    }

    fn make(&mut self, number: usize, step: &Step) -> Result<MadeStep, Missed> {
        let stays = self.executor.stays(&step.call);
        let answer = match self.say(&step.call, Some(number)) {
            None => return Err(Missed::Failed(Failure::Interrupted)),
            Some(Ok(answer)) => answer,
            Some(Err(refusal)) => return self.refused(number, step, &refusal, stays),
        };
        if step.if_refused == Some(OnRefusal::GoesOn) {
            self.memory.is_refused = false;
        }
        self.has_changed |= match stays {
            Stays::Nothing => false,
            Stays::Changes => answer.count > 0,
            Stays::Everything => true,
        };
        let kept = self.memory.keep(step, &answer);
        self.note_generated(number, step);
        let rows = StoreValue::Int(i64::try_from(answer.count).unwrap_or(i64::MAX));
        let value_of = |name: &str| match name {
            ROWS => rows.clone(),
            name => self.memory.value_of(name),
        };
        let end = step.ends.iter().find(|(condition, _)| condition.holds(value_of));
        match (end, answer.trouble.map_or(kept, Err)) {
            (Some((_, end)), _) => ended(*end, Failure::Condition),
            (None, Ok(())) => Ok(MadeStep::Done),
            (None, Err(why)) => {
                self.tell(number, step, &why);
                Err(Missed::Failed(Failure::Refused))
            }
        }
    }

    /// Notes which of the values that a step has saved are generated. They are only told apart if steps are held.
    fn note_generated(&mut self, number: usize, step: &Step) {
        let Self { handle: Some(_), checkout, terms, memory, .. } = self else { return };
        for Saved { name, .. } in &step.save {
            let value = memory.value_of(name);
            match terms.generated().kept(checkout, memory.buyer, number, name, &value) {
                Some(told) => memory.generate(name, told),
                None => memory.generated.retain(|(product, known), _| {
                    known != name || product.is_some() && *product != memory.product
                }),
            };
        }
    }

    /// Sends a call; with a handle, waits for its release first. None if the buyer has to leave instead. The call may
    /// be a step of the file, with its number.
    fn say(&mut self, call: &Call, number: Option<usize>) -> Option<Result<Answer, Refusal>> {
        let Self { executor, handle, memory, .. } = self;
        let value_of = |name: &str| memory.value_of(name);
        let Some(handle) = handle else { return Some(executor.say(call, &value_of)) };
        let text = call.shown(|name| value_of(name).to_string());
        let pending = executor.pending(call, text, &value_of);
        let shape = number.and_then(|number| memory.shape(call, number));
        if !handle.await_release(PendingStatement { shape, ..pending }) {
            return None;
        }
        let answer = executor.say(call, &value_of);
        let text = match &answer {
            Ok(answer) => executor.told(call, answer),
            Err(refusal) => refusal.text(),
        };
        handle.hear(text, answer.is_err());
        Some(answer)
    }

    fn refused(
        &mut self,
        number: usize,
        step: &Step,
        refusal: &Refusal,
        stays: Stays,
    ) -> Result<MadeStep, Missed> {
        // A buyer that has to leave while its statement waits gets an error from the store.
        let is_sent_home = self.handle.as_ref().is_some_and(BuyerHandle::is_closed);
        if is_sent_home && !matches!(refusal, Refusal::Lost(_)) {
            self.was_cut_short = true;
            return Err(Missed::Failed(Failure::Interrupted));
        }
        let can_be_expected = matches!(refusal, Refusal::Locked | Refusal::Forbidden(_));
        let provided = step.if_refused.filter(|_| can_be_expected);
        let is_provided_for = provided.is_some_and(|end| end != OnRefusal::Ends(StepEnd::Failed));
        self.was_cut_short |= !is_provided_for;
        let why = match refusal {
            Refusal::Conflict => return Err(Missed::Conflict),
            Refusal::Deadlock => {
                self.terms.count_deadlock();
                return Err(Missed::Conflict);
            }
            Refusal::Lost(text) => {
                self.is_broken = true;
                self.terms.note_lost(|| text.clone());
                return Err(Missed::Failed(Failure::Disconnected));
            }
            Refusal::Locked => Failure::LockTimeout,
            Refusal::Forbidden(_) | Refusal::Wrong(_) => Failure::Refused,
        };
        match provided {
            Some(OnRefusal::GoesOn) => {
                // What a routine has committed before it was refused stays.
                self.has_changed |= stays == Stays::Everything;
                self.memory.is_refused = true;
                self.memory.forget(step);
                self.note_generated(number, step);
                Ok(MadeStep::Done)
            }
            Some(OnRefusal::Ends(StepEnd::Failed)) => {
                self.tell(number, step, &refusal.text());
                // The file asks for this end.
                ended(StepEnd::Failed, Failure::Condition)
            }
            Some(OnRefusal::Ends(end)) => ended(end, why),
            None => {
                self.tell(number, step, &refusal.text());
                Err(Missed::Failed(why))
            }
        }
    }

    /// Records what went wrong, for the report. In a schedule a buyer has a letter; elsewhere it is told by the number that
    /// the statements have as `buyer`.
    fn tell(&self, number: usize, step: &Step, why: &str) {
        let Checkout { path, .. } = &*self.checkout;
        let AttemptContext { buyer, customer, .. } = self.memory;
        let role = self.checkout.role(buyer);
        let letter = self.is_scheduled.then_some(Actor::Buyer(buyer));
        let who = match (letter, role.name.as_str()) {
            (Some(letter), "") => letter.to_string(),
            (Some(letter), name) => format!("{letter} ({name})"),
            (None, "") => format!("customer {customer}"),
            (None, name) if role.once => name.to_owned(),
            (None, name) => format!("{name} of customer {customer}"),
        };
        let named = Numbered(number, step);
        self.terms.note(|| format!("{path}:{}: {named}, {who}: {why}", step.line));
    }

    /// Rolls back whatever is not committed; returns whether there was anything.
    fn take_back(&mut self) -> bool {
        if self.is_broken || self.has_crashed() {
            return false;
        }
        let calls = self.executor.taking_back();
        for call in &calls {
            // A buyer that has to leave does not wait for its turn.
            let said = match self.say(call, None) {
                // The server takes it back when the connection is closed.
                None if self.has_crashed() => return false,
                None => self.executor.say(call, &|_| StoreValue::Null),
                Some(said) => said,
            };
            self.is_broken |= said.is_err();
        }
        !calls.is_empty()
    }

    /// Whether the buyer's program has died, and says nothing more.
    fn has_crashed(&self) -> bool {
        self.handle.as_ref().is_some_and(BuyerHandle::has_crashed)
    }
}

/// The result of an attempt that ends like this.
fn ended(end: StepEnd, why: Failure) -> Result<MadeStep, Missed> {
    match end {
        StepEnd::Bought => Ok(MadeStep::Ends(Onward::Bought)),
        StepEnd::SoldOut => Ok(MadeStep::Ends(Onward::SoldOut)),
        StepEnd::Conflict => Err(Missed::Conflict),
        StepEnd::Failed => Err(Missed::Failed(why)),
    }
}

impl<S: StepExecutor> Link for StepConnection<S> {
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed> {
        match op {
            Op::Step { number, want } => self.step(buyer, number, want).map(Reply::Went),
            _ => Err(Missed::Failed(Failure::Unsupported)),
        }
    }

    fn close_attempt(&mut self) -> u64 {
        // If a buyer has bought and not committed, its purchase is rolled back, and the attempt counts as left open. If
        // it has not bought, its transaction is rolled back as after a request that ends in an error.
        let is_open = self.executor.is_open();
        let was_left_open = self.take_back() && is_open && self.has_bought;
        self.memory.kept.clear();
        self.memory.generated.clear();
        (self.memory.is_refused, self.memory.product) = (false, None);
        (self.has_changed, self.has_bought) = (false, false);
        was_left_open.into()
    }

    fn end_holds(&mut self) -> Result<(), Missed> {
        let Some(call) = self.checkout.expiry() else {
            return Err(Missed::Failed(Failure::Unsupported));
        };
        match self.say(&call, None) {
            None => Err(Missed::Failed(Failure::Interrupted)),
            Some(Ok(_) | Err(Refusal::Conflict | Refusal::Locked)) => Ok(()),
            Some(Err(Refusal::Deadlock)) => {
                self.terms.count_deadlock();
                Ok(())
            }
            Some(Err(Refusal::Lost(text))) => {
                self.is_broken = true;
                self.terms.note_lost(|| text);
                Err(Missed::Failed(Failure::Disconnected))
            }
            Some(Err(Refusal::Forbidden(text) | Refusal::Wrong(text))) => {
                let Checkout { path, expiry, .. } = &*self.checkout;
                let line = expiry.as_ref().map_or(1, |expiry| expiry.line);
                self.terms.note(|| format!("{path}:{line}: [expiry]: {text}"));
                Err(Missed::Failed(Failure::Refused))
            }
        }
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }

    fn has_changed(&self) -> Option<bool> {
        Some(self.has_changed)
    }

    fn may_leave_traces(&self) -> bool {
        self.executor.may_leave_traces()
    }

    fn begin_anew(&mut self) -> u64 {
        if self.is_broken || !self.executor.may_leave_traces() {
            return 0;
        }
        let was_cut_short = std::mem::take(&mut self.was_cut_short);
        match self.executor.begin_anew() {
            Ok(_) if was_cut_short => 0,
            Ok(kept) => kept,
            Err(refusal) => {
                self.terms.note_lost(|| refusal.text());
                self.is_broken = true;
                0
            }
        }
    }
}
