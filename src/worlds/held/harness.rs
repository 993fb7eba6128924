//! A harness: one shop at a server. It runs execution after execution, each in another order.

use std::sync::Arc;
use std::thread;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::overlap::OverlappingTransactions;
use super::overtaking::{GoneOn, Turn, WaitingPair, may_want_the_same};
use super::step::{Grain, ServerStep, actor};
use super::visit::{FinishedVisit, HeldBuyer};
use crate::base::error::Error;
use crate::check::round::{Counters, Round};
use crate::domain::attempt::Failure;
use crate::domain::buyer::Ending;
use crate::domain::faults::{Act, Faults};
use crate::domain::op::{BuyerId, OpKind, Want};
use crate::domain::settings::Settings;
#[cfg(feature = "cli")]
use crate::scheduler::Actor;
use crate::scheduler::{
    BuyerHandle, ClientCode, Footprint, Gate, PendingStatement, Phase, Unsettled,
};
use crate::stores::provider::Provider;
use crate::stores::remote::{Fixture, LockScheduling, Server, Watch};
use crate::worlds::stepped::Scripted;
use crate::worlds::threads::leaked_holds;

/// How often the steps of an execution are made again because a buyer was overtaken. On a busy machine, of two that waited
/// for a row in PostgreSQL the later was first in up to a third of all tries.
const TRIES: usize = 20;

/// A shop at a server.
pub(crate) struct Harness<'h> {
    server: &'h dyn Server,
    settings: &'h Settings,
    kinds: Vec<usize>,
    /// Whether each buyer's program never dies.
    live_on: Vec<bool>,
    opening: Fixture,
    takes_money: bool,
    /// Whether all buyers act for one customer, who was promised whatever any of them was.
    are_one: bool,
    gate: Arc<Gate>,
    watch: Box<dyn Watch>,
    calls: Vec<Sender<Arc<Provider>>>,
    lefts: Receiver<(usize, FinishedVisit)>,
    /// How many buyers' sessions may keep traces, and so are reset at the end of an execution; and the results of that.
    renewals: usize,
    renewed: Receiver<(usize, Renewed)>,
    /// Whether each buyer's session may keep traces.
    traces: Vec<bool>,
    /// How many programs may still die in this execution.
    crashes_left: u8,
    provider: Arc<Provider>,
    /// The result of each buyer's visit, once it is over.
    over: Vec<Option<FinishedVisit>>,
    /// The last statement that each buyer has sent.
    sent: Vec<PendingStatement>,
    /// The sessions whose changes are held inside the server, by buyer; 0 for none.
    held_inside: Vec<i64>,
    /// The steps of this execution.
    steps: Vec<ServerStep>,
    /// Its transactions in which the server refuses what is not serializable.
    transactions: OverlappingTransactions,
    /// How often the other of two buyers that waited for the same lock could have gone on first, and that was not seen.
    other_turns: u64,
}

impl<'h> Harness<'h> {
    /// Opens a harness, calls `use_it` with it, and then lets every buyer leave.
    ///
    /// # Errors
    /// [`Error::World`] when the server gives too few connections, or the operating system too few threads.
    pub(crate) fn open<T>(
        strategy: &dyn Scripted,
        settings: &'h Settings,
        server: &'h dyn Server,
        grain: Grain,
        use_it: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let card = strategy.card();
        let buyers = settings.buyers as usize;
        let want = |buyer| strategy.wants(buyer, &|place| settings.want(1, place));
        let wants: Vec<Want> = (0..settings.buyers).map(want).collect();
        let are_alike = |one: usize, other: usize| {
            wants[one] == wants[other] && strategy.are_alike(one as BuyerId, other as BuyerId)
        };
        let first_like = |place| (0..place).find(|one| are_alike(*one, place)).unwrap_or(place);
        let described = strategy.described();
        let lives_on = |buyer| described.as_ref().is_none_or(|checkout| checkout.role(buyer).once);
        // One place more for what ends holds.
        let clock = (settings.faults.expiries > 0).then_some(buyers);
        let places = buyers + usize::from(clock.is_some());
        let gate = Gate::of(places, server.client_code());
        let (tells, lefts) = unbounded();
        let (renews, renewed) = unbounded();
        let mut renewals = 0;
        thread::scope(|scope| {
            let mut calls = Vec::with_capacity(buyers);
            let mut traces = Vec::with_capacity(buyers);
            for (place, want) in wants.iter().copied().enumerate() {
                let handle = gate.handle(place);
                let connect = {
                    let handle = handle.clone();
                    move || server.connect_held(handle.clone(), grain == Grain::Statement)
                };
                let mut link = Some(connect()?);
                let (calls_it, called) = unbounded::<Arc<Provider>>();
                let (tells, renews) = (tells.clone(), renews.clone());
                let may_leave_traces = link.as_ref().is_some_and(|link| link.may_leave_traces());
                renewals += usize::from(may_leave_traces);
                traces.push(may_leave_traces);
                let retries = settings.retries;
                let work = move || {
                    for provider in called {
                        // Whatever happens in the visit, the buyer leaves, so that no other waits for it.
                        let leaves = Leaves(&handle);
                        let buyer = place as BuyerId;
                        let guest = HeldBuyer {
                            strategy,
                            buyer,
                            want,
                            retries,
                            grain,
                            provider: &provider,
                        };
                        let mut left = match &mut link {
                            Some(link) => guest.visit(&mut **link, &handle),
                            None => FinishedVisit::without_connection(buyer, want),
                        };
                        if left.has_crashed() {
                            // Its connection is closed without a word; the next execution begins with a new one.
                            drop(link.take());
                            link = connect().ok();
                            left.is_broken |= link.is_none();
                        }
                        let _ = tells.send((place, left));
                        drop(leaves);
                        if may_leave_traces {
                            // Only after the close: the other buyers must meet what this buyer leaves behind.
                            handle.await_close();
                            let kept_locks = link.as_mut().map_or(0, |link| link.begin_anew());
                            let is_broken = link.as_ref().is_none_or(|link| link.is_broken());
                            let _ = renews.send((place, Renewed { kept_locks, is_broken }));
                        }
                    }
                };
                thread::Builder::new().spawn_scoped(scope, work).map_err(|error| {
                    Error::world(format!("cannot start threads: {error}; lower --buyers"))
                })?;
                calls.push(calls_it);
            }
            if let Some(place) = clock {
                let handle = gate.handle(place);
                let mut link = server.connect_held(handle.clone(), grain == Grain::Statement)?;
                let (calls_it, called) = unbounded::<Arc<Provider>>();
                let (tells, renews) = (tells.clone(), renews.clone());
                let may_leave_traces = link.may_leave_traces();
                renewals += usize::from(may_leave_traces);
                let expiries = settings.faults.expiries;
                let work = move || {
                    for _ in called {
                        let leaves = Leaves(&handle);
                        let left = FinishedVisit::of_the_clock(place, &mut *link, expiries);
                        let _ = tells.send((place, left));
                        drop(leaves);
                        if may_leave_traces {
                            handle.await_close();
                            let kept_locks = link.begin_anew();
                            let is_broken = link.is_broken();
                            let _ = renews.send((place, Renewed { kept_locks, is_broken }));
                        }
                    }
                };
                thread::Builder::new()
                    .spawn_scoped(scope, work)
                    .map_err(|error| Error::world(format!("cannot start threads: {error}")))?;
                calls.push(calls_it);
            }
            drop((tells, renews));
            let mut harness = Self {
                server,
                settings,
                kinds: (0..buyers).map(first_like).collect(),
                live_on: (0..settings.buyers).map(lives_on).collect(),
                opening: Fixture {
                    items: settings.items,
                    stock: settings.stock,
                    buyers: settings.buyers,
                    counts_orders: card.names(OpKind::CountLeft),
                    is_small: true,
                },
                are_one: described.as_ref().is_some_and(|checkout| checkout.is_same_buyer),
                takes_money: card.asks_for(|kind| kind == OpKind::Pay),
                gate,
                watch: server.watch()?,
                calls,
                lefts,
                renewals,
                renewed,
                traces,
                crashes_left: 0,
                provider: Arc::new(Provider::open(0)),
                over: vec![None; places],
                sent: vec![PendingStatement::new(String::new(), Footprint::NOTHING); places],
                held_inside: vec![0; places],
                steps: Vec::new(),
                transactions: OverlappingTransactions::of(places),
                other_turns: 0,
            };
            let used = use_it(&mut harness);
            // Whether `use_it` failed or not, no buyer stays held. A server that cannot be told so any more takes away
            // nothing of what was found.
            let _ = harness.hold_no_more();
            harness.gate.close();
            used
        })
    }

    /// The server.
    #[must_use]
    pub(crate) fn server(&self) -> &dyn Server {
        self.server
    }

    /// How often a buyer's code was found to wait for something that the scheduler cannot see.
    #[must_use]
    pub(crate) fn unseen(&self) -> u64 {
        self.gate.unseen()
    }

    /// How often a buyer was not chosen because its code polls: it asks the same again, and would hear the same.
    #[must_use]
    pub(crate) fn passed_over(&self) -> u64 {
        self.gate.passed_over()
    }

    /// How often a buyer was not chosen that began again after an attempt that had changed something.
    #[must_use]
    pub(crate) fn passed_over_changed(&self) -> u64 {
        self.gate.passed_over_changed()
    }

    /// How often the other of two buyers that waited for the same lock could have gone on first, and that was not seen.
    #[must_use]
    pub(crate) fn other_turns(&self) -> u64 {
        self.other_turns
    }

    /// For each buyer, the first buyer that wants the same and does the same.
    #[must_use]
    pub(crate) fn kinds(&self) -> &[usize] {
        &self.kinds
    }

    /// Resets the store, and lets every buyer come in and run up to its first statement.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.open_doors(false)
    }

    /// The same for an execution in which buyers come one by one: no other is moved while one is there.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) fn begin_one_by_one(&mut self) -> Result<(), Error> {
        self.open_doors(true)
    }

    fn open_doors(&mut self, one_by_one: bool) -> Result<(), Error> {
        self.server.stock_up(self.opening)?;
        let payers = if self.takes_money { self.settings.buyers } else { 0 };
        self.provider = Arc::new(Provider::open(payers));
        self.over.fill(None);
        self.steps.clear();
        self.crashes_left = self.settings.faults.crashes;
        self.transactions = OverlappingTransactions::of(self.over.len());
        self.gate.open();
        if one_by_one {
            self.gate.move_one_by_one();
        }
        for call in &self.calls {
            let _ = call.send(Arc::clone(&self.provider));
        }
        self.settle().map(drop)
    }

    /// The buyers that the search may choose next, and the statement that each would send.
    #[must_use]
    pub(crate) fn ready(&self) -> Vec<(usize, PendingStatement)> {
        let mut ready = self.gate.ready();
        ready.retain(|(place, _)| *place < self.kinds.len());
        if ready.is_empty() {
            // No buyer is worth choosing: then all are.
            ready = self.held();
        }
        self.as_of_now(ready)
    }

    /// The buyers that are held, each with its statement.
    fn held(&self) -> Vec<(usize, PendingStatement)> {
        let mut held = self.gate.held();
        held.retain(|(place, _)| *place < self.kinds.len());
        held
    }

    /// The index of what ends holds, and that as a statement: as long as a buyer can move, or if it has begun.
    #[must_use]
    pub(crate) fn may_expire(&self) -> Vec<(usize, PendingStatement)> {
        let held = self.gate.held();
        let has_buyers = held.iter().any(|(place, _)| *place < self.kinds.len());
        let mut clock: Vec<_> =
            held.into_iter().filter(|(place, _)| *place >= self.kinds.len()).collect();
        clock.retain(|(_, statement)| has_buyers || statement.phase == Phase::Acts);
        for (_, statement) in &mut clock {
            statement.act = Act::Expire;
        }
        self.as_of_now(clock)
    }

    /// Makes all holds run out, whether a buyer is there or not, if anything does that. Of a file that says so wrongly, the
    /// error comes from [`round`](Self::round).
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub(crate) fn rehearse_expiry(&mut self) -> Result<(), Error> {
        let clock = self.kinds.len();
        while self.gate.held().iter().any(|(place, _)| *place == clock) {
            self.make(clock, Act::Step)?;
        }
        Ok(())
    }

    /// Whether something can still happen that is no fault.
    #[must_use]
    pub(crate) fn goes_on(&self) -> bool {
        let is_under_way =
            |(_, statement): &(usize, PendingStatement)| statement.phase == Phase::Acts;
        !self.held().is_empty() || self.may_expire().iter().any(is_under_way)
    }

    /// The buyers whose program may die in place of the statement at which they are held, and that as a statement. What a
    /// program does that exists once, such as a scheduled job, another begins again: it does not die here.
    #[must_use]
    pub(crate) fn may_crash(&self) -> Vec<(usize, PendingStatement)> {
        let held = match self.crashes_left {
            0 => Vec::new(),
            _ => self.held(),
        };
        let crash = |(place, next): (usize, PendingStatement)| {
            self.can_crash(place).then(|| (place, next.crash_before(self.traces[place])))
        };
        self.as_of_now(held.into_iter().filter_map(crash).collect())
    }

    /// Whether a buyer's program may die now.
    #[must_use]
    pub(crate) fn can_crash(&self, place: usize) -> bool {
        let lives_on = self.live_on.get(place).copied().unwrap_or(true);
        self.crashes_left > 0 && !lives_on && self.gate.can_crash(place)
    }

    /// These statements as they are after the steps that were made.
    fn as_of_now(&self, held: Vec<(usize, PendingStatement)>) -> Vec<(usize, PendingStatement)> {
        if !self.transactions.may_be_refused() {
            return held;
        }
        held.into_iter().map(|(place, statement)| (place, statement.beside_a_commit())).collect()
    }

    /// The faults that may happen in an execution.
    #[must_use]
    pub(crate) fn faults(&self) -> Faults {
        self.settings.faults
    }

    /// Whether a buyer is held at a statement, whether it is worth choosing or not.
    #[must_use]
    pub(crate) fn is_held(&self, place: usize) -> bool {
        self.gate.held().iter().any(|(held, _)| *held == place)
    }

    /// Whether a buyer has sent a statement that waits for another buyer.
    #[must_use]
    pub(crate) fn waits_for_server(&self, place: usize) -> bool {
        self.gate.waiting_for_server().contains(&place)
    }

    /// Whether a buyer has left.
    #[must_use]
    pub(crate) fn is_over(&self, place: usize) -> bool {
        self.over.get(place).is_none_or(Option::is_some)
    }

    /// How a buyer's visit ended; none if it is still there, or if there is no such buyer.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn ending(&self, buyer: Actor) -> Option<Ending> {
        let Actor::Buyer(buyer) = buyer else { return None };
        self.over.get(buyer as usize)?.map(|left| left.visit.ending)
    }

    /// How the visit of a buyer ended that may have left since the last step; none if it is still there.
    #[must_use]
    pub(crate) fn how_it_left(&mut self, place: usize) -> Option<Ending> {
        self.see_off();
        self.over[place].map(|left| left.visit.ending)
    }

    /// The steps of this execution.
    #[must_use]
    pub(crate) fn steps(&self) -> &[ServerStep] {
        &self.steps
    }

    /// The most attempts of any buyer that ended in a conflict and had changed nothing.
    #[must_use]
    pub(crate) fn most_in_vain(&self) -> u32 {
        self.gate.most_futile_attempts()
    }

    /// Releases one buyer's statement and waits until its result is known; none if the buyer is not held.
    ///
    /// # Errors
    /// [`Error::World`] when the server falls silent or is gone.
    pub(crate) fn step(&mut self, place: usize) -> Result<Option<ServerStep>, Error> {
        self.make(place, Act::Step)
    }

    /// The same for whatever may happen to a buyer; none if it cannot. If a buyer is overtaken in this step, all steps of
    /// this execution are made again.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub(crate) fn make(&mut self, place: usize, act: Act) -> Result<Option<ServerStep>, Error> {
        match self.make_once(place, act)? {
            Some((_, true)) => self.make_in_turn(),
            made => Ok(made.map(|(step, _)| step)),
        }
    }

    /// Makes the steps of this execution again, from its beginning, until no buyer is overtaken. Returns the last step; none
    /// if not all could be made.
    fn make_in_turn(&mut self) -> Result<Option<ServerStep>, Error> {
        let steps = self.steps.iter().map(|step| (step.place, step.statement.act));
        let steps: Vec<(usize, Act)> = steps.collect();
        let mut last = None;
        for _ in 0..TRIES {
            self.send_home()?;
            self.begin()?;
            let (made, is_overtaken) = self.make_all(&steps)?;
            if !is_overtaken {
                return Ok(made);
            }
            last = made;
        }
        self.other_turns += 1;
        Ok(last)
    }

    /// Makes these steps, up to one in which a buyer is overtaken. Returns the last step, none if not all were made, and
    /// whether a buyer was overtaken.
    fn make_all(&mut self, steps: &[(usize, Act)]) -> Result<(Option<ServerStep>, bool), Error> {
        let mut last = None;
        for (place, act) in steps {
            let Some((step, is_overtaken)) = self.make_once(*place, *act)? else {
                return Ok((None, false));
            };
            if is_overtaken {
                let are_all_made = self.steps.len() == steps.len();
                return Ok((are_all_made.then_some(step), true));
            }
            last = Some(step);
        }
        Ok((last, false))
    }

    /// Makes one step. Returns it, and whether a buyer was overtaken in it.
    fn make_once(&mut self, place: usize, act: Act) -> Result<Option<(ServerStep, bool)>, Error> {
        let can_be = match act {
            Act::Step => self.gate.held(),
            Act::Crash => self.may_crash(),
            Act::Expire => self.may_expire(),
            _ => Vec::new(),
        };
        let Some((_, pending)) = can_be.into_iter().find(|(who, _)| *who == place) else {
            return Ok(None);
        };
        let commits = pending.footprint.commits();
        let pending = match self.transactions.may_be_refused() {
            true => pending.beside_a_commit(),
            false => pending,
        };
        if act != Act::Crash {
            self.transactions.sends(place, &pending.footprint);
        }
        let waited = self.gate.waiting();
        let pairs = self.waiting_pairs()?;
        let inside = self.gate.held_inside();
        self.sent[place] = pending.clone();
        match act {
            Act::Crash => self.crash(place)?,
            _ => self.release(place, &pending)?,
        }
        let mut answered = self.settle()?;
        for other in &waited {
            // A buyer that found its conflict by itself retries now: the server does not know that it waits.
            if self.gate.retry(*other) {
                let more = self.settle()?;
                let still_waits = self.gate.waiting().contains(other);
                answered.extend(more.into_iter().filter(|(who, _)| who != other || !still_waits));
            }
        }
        answered.extend(self.give_up()?);
        let waits = self.gate.waiting_for_server().contains(&place);
        let mut waits_for = Vec::new();
        if waits {
            let waits = self.watch.waits().map_err(|error| self.broke(&error.to_string()))?;
            waits_for = self.gate.blockers(place, &waits);
        }
        let mut answer = None;
        let mut went_on = Vec::new();
        for (who, what) in answered {
            match who == place && answer.is_none() {
                true => answer = Some(what),
                false => went_on.push((who, what)),
            }
        }
        if act == Act::Crash {
            answer = Some(String::new());
        }
        if waits {
            // A buyer that retries by itself was only answered that it has to wait.
            answer = None;
        }
        let is_inside = self.gate.held_inside();
        let has_begun = is_inside.contains(&place);
        let began: Vec<usize> =
            is_inside.into_iter().filter(|who| *who != place && !inside.contains(who)).collect();
        let own = match &pending.begins {
            Some(begins) if has_begun => begins.clone(),
            _ => pending.footprint.clone(),
        };
        let own = if waits { own | &pending.holds } else { own };
        // What is given back to a buyer that waits may take it a part of its way, though it does not go on yet.
        let is_let_on = |who: &&usize| self.sent[**who].footprint.conflicts_with(&own);
        let let_on: Vec<usize> = waited.iter().filter(is_let_on).copied().collect();
        let others = went_on.iter().map(|(who, _)| who).chain(&began).chain(&let_on);
        let footprint = others.fold(own, |all, who| all | &self.sent[*who].footprint);
        let left = self.see_off();
        let answered = went_on.iter().map(|(who, _)| *who).chain(answer.is_some().then_some(place));
        let footprint = answered.fold(footprint, |all, who| all | self.rolled_back(who));
        if commits || went_on.iter().any(|(who, _)| self.sent[*who].footprint.commits()) {
            self.transactions.has_committed();
        }
        // An application may send a buyer's statements over several connections: where its transaction ends is not seen.
        if !matches!(self.server.client_code(), ClientCode::OneAtATime(_)) {
            for (who, next) in self.gate.held() {
                self.transactions.comes_to(who, &next);
            }
            left.iter().for_each(|(who, _)| self.transactions.leaves(*who));
        }
        self.gate.has_made(place, &footprint);
        let is_overtaken = self.overtakes(&pairs, &went_on)?;
        let step = ServerStep {
            place,
            statement: pending,
            answer,
            has_begun,
            waits_for,
            went_on,
            began,
            left,
            footprint,
        };
        self.steps.push(step.clone());
        Ok(Some((step, is_overtaken)))
    }

    /// The buyers that wait for the same lock at a server where the later may go on first. Where it is not seen who waits for
    /// whom, counts that two may.
    fn waiting_pairs(&mut self) -> Result<Vec<WaitingPair>, Error> {
        let waiting = self.gate.blocked();
        if waiting.len() < 2 {
            return Ok(Vec::new());
        }
        let scheduling = self.watch.lock_scheduling();
        Ok(match scheduling.map_err(|error| self.broke(&error.to_string()))? {
            LockScheduling::FirstComeFirstServed => Vec::new(),
            LockScheduling::AnyOrder => WaitingPair::all(&self.steps, &waiting),
            LockScheduling::AnyOrderUnseen => {
                let wanted = waiting.iter().map(|place| &self.sent[*place].footprint);
                self.other_turns += u64::from(may_want_the_same(&wanted.collect::<Vec<_>>()));
                Vec::new()
            }
        })
    }

    /// Whether the later of a pair has gone on before the earlier. Counts the pairs of which the later could have, and that
    /// was not seen.
    fn overtakes(
        &mut self,
        pairs: &[WaitingPair],
        went_on: &[(usize, String)],
    ) -> Result<bool, Error> {
        if pairs.is_empty() {
            return Ok(false);
        }
        let held = self.gate.held();
        for pair in pairs {
            let gone_on = |place: usize, other: usize| {
                let (_, answer) = went_on.iter().find(|(who, _)| *who == place)?;
                let next = held.iter().find(|(who, _)| *who == place);
                let wanted = &self.sent[other].footprint;
                Some(GoneOn {
                    text: &self.sent[place].text,
                    answer,
                    is_refused: self.gate.was_refused(place),
                    holds: next.is_some_and(|(_, next)| next.holds.conflicts_with(wanted)),
                })
            };
            let earlier = gone_on(pair.earlier, pair.later);
            let later = gone_on(pair.later, pair.earlier);
            let is_behind = match (&earlier, &later) {
                (None, Some(_)) => {
                    let waits =
                        self.watch.waits().map_err(|error| self.broke(&error.to_string()))?;
                    self.gate.blockers(pair.earlier, &waits).contains(&pair.later)
                }
                _ => false,
            };
            match Turn::of(earlier, later, is_behind) {
                Turn::Later => return Ok(true),
                Turn::Earlier if pair.is_covered => {}
                Turn::Earlier | Turn::Unknown => self.other_turns += 1,
                Turn::Neither => {}
            }
        }
        Ok(false)
    }

    /// The footprint of the end of the transaction that a buyer was in when it sent its last statement, if that has
    /// ended since, or has given back locks since, as far as a savepoint.
    fn rolled_back(&self, place: usize) -> Footprint {
        let sent = &self.sent[place];
        let held = self.gate.held().into_iter().find(|(held, _)| *held == place);
        match held {
            Some((_, next))
                if next.rolled_back != Footprint::NOTHING
                    && next.holds.clone() | &sent.holds == next.holds =>
            {
                Footprint::NOTHING
            }
            _ => sent.rolled_back.clone(),
        }
    }

    /// Releases a buyer's statement, or the rest of it. If the statement is to be held inside the server, arranges that
    /// first.
    fn release(&mut self, place: usize, pending: &PendingStatement) -> Result<(), Error> {
        let session = self.gate.session(place);
        let held = self.held_inside[place];
        match pending.phase {
            Phase::Acts => {
                self.gate.release(place);
                return self.watch.let_act(held);
            }
            Phase::Sends if pending.begins.is_some() => {
                if held != session {
                    self.let_pass(place)?;
                    self.watch.hold_inside(session)?;
                    self.held_inside[place] = session;
                }
            }
            Phase::Sends => self.let_pass(place)?,
        }
        self.gate.release(place);
        Ok(())
    }

    /// Lets a buyer's program die, and waits until the server has ended its session.
    fn crash(&mut self, place: usize) -> Result<(), Error> {
        self.let_pass(place)?;
        let session = self.gate.session(place);
        self.gate.crash(place);
        self.crashes_left = self.crashes_left.saturating_sub(1);
        self.watch.await_end(session)
    }

    /// Stops holding this buyer's statements inside the server.
    fn let_pass(&mut self, place: usize) -> Result<(), Error> {
        match std::mem::take(&mut self.held_inside[place]) {
            0 => Ok(()),
            session => self.watch.hold_no_more(session),
        }
    }

    /// Stops holding every buyer's statements inside the server.
    fn hold_no_more(&mut self) -> Result<(), Error> {
        (0..self.held_inside.len()).try_for_each(|place| self.let_pass(place))
    }

    /// While buyers are blocked and none is held, makes the server end one wait early. Returns the answers that follow.
    fn give_up(&mut self) -> Result<Vec<(usize, String)>, Error> {
        let mut answered = Vec::new();
        loop {
            let waiting = self.gate.blocked_sessions();
            if waiting.is_empty() || self.goes_on() {
                return Ok(answered);
            }
            let gave_up = self.watch.give_up(&waiting);
            if !gave_up.map_err(|error| self.broke(&error.to_string()))? {
                return Ok(answered);
            }
            self.gate.forget_waits();
            answered.extend(self.settle()?);
        }
    }

    /// The buyers that have left since the last call.
    fn see_off(&mut self) -> Vec<(usize, Ending)> {
        let mut left = Vec::new();
        while let Ok((place, what)) = self.lefts.try_recv() {
            self.over[place] = Some(what);
            if place < self.kinds.len() {
                left.push((place, what.visit.ending));
            }
        }
        left.sort_by_key(|(place, _)| *place);
        left
    }

    fn settle(&mut self) -> Result<Vec<(usize, String)>, Error> {
        let (watch, sent, server) = (&mut self.watch, &self.sent, self.server);
        let buyers = self.kinds.len();
        let waits = || watch.waits().map_err(|error| error.to_string());
        let settled = self.gate.settle(waits, || server.code_is_asleep(), || server.is_over());
        settled.map_err(|unsettled| match unsettled {
            Unsettled::Silent(restless) => {
                let told = |(place, has_sent): &(usize, bool)| {
                    let buyer = actor(*place, buyers);
                    match has_sent {
                        true => format!("no answer to {buyer}'s `{}`", sent[*place].text),
                        false => format!("no statement of {buyer} and no end of its request"),
                    }
                };
                let told: Vec<String> = restless.iter().map(told).collect();
                Error::world(format!(
                    "{}: {} for half a minute or longer, and it does not say that any session waits",
                    self.server.version(),
                    told.join(", ")
                ))
            }
            Unsettled::Watch(why) => self.broke(&why),
            Unsettled::Stopped => Error::world("stopped in the middle of a schedule"),
        })
    }

    /// The error for a connection that is of no more use, whichever it is.
    fn broke(&self, why: &str) -> Error {
        let version = self.server.version();
        Error::world(format!("{version}: a connection broke in the middle of a schedule: {why}"))
    }

    /// Whether a buyer's code has run for so long without a statement that it must wait for something that cannot be seen,
    /// or is slow.
    #[must_use]
    pub(crate) fn is_stalled(&self, place: usize) -> bool {
        self.gate.stalled().contains(&place)
    }

    /// Makes every buyer that is still there leave, and returns which those were.
    ///
    /// # Errors
    /// [`Error::World`] when a connection is gone.
    pub(crate) fn send_home(&mut self) -> Result<Remaining, Error> {
        self.see_off();
        let stalled = self.gate.stalled().first().copied();
        let still_there = self.over.iter().filter(|left| left.is_none()).count();
        // What ends holds is no buyer.
        let waits_beside = self.over.iter().skip(self.kinds.len()).any(Option::is_none);
        self.hold_no_more()?;
        let blocked = if still_there > 0 { self.gate.blocked_sessions() } else { Vec::new() };
        self.gate.close();
        if !blocked.is_empty() {
            self.watch.break_off(&blocked).map_err(|error| self.broke(&error.to_string()))?;
        }
        for _ in 0..still_there {
            let Ok((place, left)) = self.lefts.recv() else {
                return Err(Error::world("a buyer's thread has ended"));
            };
            self.over[place] = Some(left);
        }
        for _ in 0..self.renewals {
            let Ok((place, Renewed { kept_locks, is_broken })) = self.renewed.recv() else {
                return Err(Error::world("a buyer's thread has ended"));
            };
            if let Some(left) = &mut self.over[place] {
                left.is_broken |= is_broken;
                let is_over = !matches!(left.visit.ending, Ending::Failed(_) | Ending::Unserved);
                left.leaked_locks += if is_over { kept_locks } else { 0 };
            }
        }
        self.settle()?;
        if self.over.iter().flatten().any(|left| left.is_broken) {
            return Err(self.watch.obituary().unwrap_or_else(|| self.broke("closed")));
        }
        Ok(Remaining { buyers: still_there - usize::from(waits_beside), stalled })
    }

    /// The result of the execution, once every buyer has left.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    pub(crate) fn round(&mut self) -> Result<Round, Error> {
        let books = self.server.take_stock(self.opening)?;
        let is_wrong = |left: &FinishedVisit| left.visit.ending == Ending::Failed(Failure::Refused);
        if self.over.iter().skip(self.kinds.len()).flatten().any(is_wrong) {
            return Err(Error::input(books.trouble.unwrap_or_else(|| "[expiry] is wrong".into())));
        }
        let lefts = || self.over.iter().take(self.kinds.len()).flatten();
        let mut visits: Vec<_> = lefts().map(|left| left.visit).collect();
        if self.are_one {
            let served = visits.iter().position(|visit| visit.ending == Ending::Bought);
            visits.swap(0, served.unwrap_or(0));
            visits.truncate(1);
            visits[0].buyer = 0;
        }
        let tally = Counters {
            leaked_locks: lefts().map(|left| left.leaked_locks).sum(),
            leaked_holds: leaked_holds(&visits, &books.holding),
            ..Counters::default()
        };
        let books = crate::domain::books::Books { payments: self.provider.payments(), ..books };
        Ok(Round { number: 1, stock: self.settings.stock, visits, books, tally })
    }
}

/// The buyers that had not left when an execution came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remaining {
    /// How many.
    pub buyers: usize,
    /// The first of them whose code had run for so long without a statement that it was waiting for something that cannot
    /// be seen, or was slow.
    pub stalled: Option<usize>,
}

/// The result of resetting a session.
struct Renewed {
    /// Locks of the session's own that it still held.
    kept_locks: u64,
    /// Whether its connection is of no more use.
    is_broken: bool,
}

/// Makes its buyer leave when dropped, however the visit ends.
struct Leaves<'s>(&'s BuyerHandle);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
