//! The world: buyers, a network, a shop and its payment provider, in virtual time.
//!
//! Everything that happens is an [`Event`] on the [agenda](super::agenda). A strategy's code takes no time
//! itself: it is asked what comes next as soon as a reply is known, and what it asks for arrives when the
//! ways there and back have been added up. So an op is one event, whatever lies between two of them.

use std::collections::VecDeque;

use rand::RngExt;
use slab::Slab;

use super::agenda::Agenda;
use super::arrivals::Clicks;
use super::council::Council;
use super::floor::{Floor, Let};
use super::guests::Guestbook;
use super::line::{Asked, End, Heard, Script, Then};
use super::replica::Copies;
use super::scene::{Quorum, Scene};
use super::seat::Seat;
use super::story::Story;
use crate::attempt::{Attempt, Bought, Failure, Missed};
use crate::buyer::Ending;
use crate::chance::{Dice, Purpose};
use crate::clock::nanos;
use crate::error::Error;
use crate::op::{Op, OpKind, Reply};
use crate::report::Banner;
use crate::round::Tally;
use crate::stores::model::{Grip, Model};
use crate::strategy::{Errand, Strategy};
use crate::worlds::stepped::Actor;

/// The number of a seat, a task or whatever else an event is about: small, for events are many.
pub(super) type Key = u32;

/// What happens next, and to which buyer's seat or to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next buyer clicks.
    Click,
    /// A buyer's packet reaches the door.
    Door(Key),
    /// A buyer is let in.
    Admit(Key),
    /// A task's code goes on.
    Go(Key),
    /// A task's op arrives where it is done.
    Arrive(Key),
    /// A task's buyer goes away to pay.
    Away(Key),
    /// A task's code has ended.
    Done(Key),
    /// Something is to be done in a buyer's name.
    Due(Key, Errand),
    /// The clerk looks whether somebody waits.
    Clerk,
    /// A clerk takes the place of one who died.
    ClerkBack,
    /// The first of all holds runs out.
    Holds,
    /// The first of all leases runs out.
    Leases,
    /// Holds have run out, and the group has not agreed on it yet.
    StillHeld,
    /// A member's clock ticks.
    Tick(Key),
    /// A letter between members arrives.
    Letter(Key),
    /// Something happens to members.
    Blow(Key),
    /// This question to the group has waited long enough for its answer.
    TimeOut(Key),
}

/// Whose code a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A buyer's attempt.
    Attempt,
    /// Somebody's on an errand.
    Errand(Errand),
    /// The clerk's, serving the buyer of that task.
    Clerk(usize),
}

/// Lines in front of a product: for its lock, its lease, its row, and for orders.
pub(super) const LINES: usize = 4;

/// Which of them is for orders.
pub(super) const ORDERS: usize = 3;

/// A piece of a strategy's code that is under way.
pub(super) struct Task<'w> {
    pub(super) seat: usize,
    pub(super) role: Role,
    script: Script<'w>,
    pub(super) grip: Grip,
    /// The server on which a worker is busy with it.
    server: Option<usize>,
    /// The op that is on its way.
    pub(super) op: Option<Op>,
    /// What it will hear when it goes on.
    reply: Option<Heard>,
    /// How it ended.
    end: Option<End>,
    /// The clerk's answer, if it came before it was waited for; whether it is waited for.
    answer: Option<Heard>,
    awaits_answer: bool,
}

/// A simulated shop under way.
pub(super) struct World<'w, S: ?Sized, G> {
    strategy: &'w S,
    pub(super) scene: &'w Scene,
    seed: u64,
    has_clerk: bool,
    hears_notices: bool,
    recovers: bool,
    pub(super) agenda: Agenda<Event>,
    clicks: Clicks,
    next_buyer: u32,
    pub(super) seats: Slab<Seat>,
    pub(super) tasks: Slab<Task<'w>>,
    pub(super) shop: Model,
    floor: Floor,
    copies: Option<Copies>,
    pub(super) council: Option<Council>,
    /// The world's own dice, for what is nobody's.
    pub(super) dice: Dice,
    /// Tasks in front of the clerk.
    line: VecDeque<usize>,
    clerk_is_busy: bool,
    /// Tasks that wait for each product's lock or lease.
    waiting: Vec<VecDeque<usize>>,
    /// Whether something was given back that somebody may wait for.
    something_is_free: bool,
    /// When holds run out, and whose: each for as long, so the first is the first.
    holds: VecDeque<(u64, Option<usize>, u32)>,
    /// When the last hold ran out, or would have.
    last_hold_ns: u64,
    leases: VecDeque<(u64, usize, u32)>,
    pub(super) story: Story,
    pub(super) tally: Tally,
    deepest_queue: u64,
    /// Buyers who have clicked and have no answer yet.
    inside: u64,
    pub(super) guests: G,
}

/// How often an errand is put off because nobody can decide: a group that never has a majority again must
/// not keep the shop open for ever.
const MOST_PUT_OFF: u32 = 100;

/// The world's dice beside those that say when buyers click (round 0) and the buyers' own (round 1).
const OWN_DICE: u32 = 2;

impl<'w, S: Strategy + ?Sized, G: Guestbook> World<'w, S, G> {
    /// Opens the shop.
    pub(super) fn open(
        strategy: &'w S,
        scene: &'w Scene,
        seed: u64,
        story: Story,
        guests: G,
    ) -> Result<Self, Error> {
        let card = strategy.about();
        let settings = &scene.settings;
        let mut dice = Dice::of(seed, Purpose::World, OWN_DICE, 0);
        let mut agenda = Agenda::default();
        let needs = |kind| card.needs.contains(&kind);
        let shop = Model {
            isolation: settings.isolation,
            counts_orders: needs(OpKind::CountLeft),
            ..Model::open(settings.items, settings.stock)
        };
        let council = scene
            .quorum
            .as_ref()
            .map(|quorum| Council::open(quorum, &shop, &mut agenda, &mut dice))
            .transpose()?;
        let mut clicks = scene.rush.clicks(Dice::of(seed, Purpose::World, 0, 0));
        if let Some(first) = clicks.next() {
            agenda.enter(first, Event::Click);
        }
        Ok(Self {
            strategy,
            scene,
            seed,
            has_clerk: card.asks_for(|kind| kind == OpKind::Queue),
            hears_notices: needs(OpKind::Notice),
            recovers: needs(OpKind::Recover),
            agenda,
            clicks,
            next_buyer: 0,
            seats: Slab::new(),
            tasks: Slab::new(),
            copies: scene.replicas.as_ref().map(|_| Copies::of(&shop, scene.shop.servers)),
            shop,
            floor: Floor::open(&scene.shop),
            council,
            dice,
            line: VecDeque::new(),
            clerk_is_busy: false,
            waiting: vec![VecDeque::new(); LINES * usize::from(settings.items)],
            something_is_free: false,
            holds: VecDeque::new(),
            last_hold_ns: 0,
            leases: VecDeque::new(),
            story,
            tally: Tally::default(),
            deepest_queue: 0,
            inside: 0,
            guests,
        })
    }

    /// Lets everything happen, until all have left or `stopped` says so.
    pub(super) fn run(&mut self, stopped: &dyn Fn() -> bool) {
        let mut events = 0_u64;
        loop {
            while let Some(event) = self.agenda.next() {
                self.happen(event);
                if self.something_is_free {
                    self.wake();
                }
                events += 1;
                if events.is_multiple_of(1 << 16) && stopped() {
                    return;
                }
                if self.council.is_some() && self.everybody_has_left() && self.is_settled() {
                    return;
                }
            }
            if !self.give_up_waiting() {
                return;
            }
        }
    }

    /// The most requests that ever stood in front of the clerk.
    pub(super) fn deepest_queue(&self) -> u64 {
        self.deepest_queue
    }

    fn everybody_has_left(&self) -> bool {
        self.seats.is_empty()
            && self.next_buyer > 0
            && u64::from(self.next_buyer) == self.scene.rush.buyers()
    }

    /// Whether the group has given back what those who have left still held, or has had the time to.
    fn is_settled(&self) -> bool {
        let settles_ns = self.scene.quorum.as_ref().map_or(0, Quorum::settles_ns);
        self.council.as_ref().is_none_or(Council::has_settled)
            || self.now() > self.last_hold_ns.saturating_add(settles_ns)
    }

    pub(super) fn now(&self) -> u64 {
        self.agenda.now_ns()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Click => self.click(),
            Event::Door(seat) => self.at_door(seat as usize),
            Event::Admit(seat) => self.admit(seat as usize),
            Event::Go(task) => {
                let task = task as usize;
                let heard = self.tasks[task].reply.take();
                self.go_on(task, heard, self.now());
            }
            Event::Arrive(task) => self.arrive(task as usize),
            Event::Away(task) => self.away(task as usize),
            Event::Done(task) => self.done(task as usize),
            Event::Due(seat, errand) => {
                let seat = seat as usize;
                self.seats[seat].to_come -= 1;
                self.seats[seat].due.push_back(errand);
                self.send_on_errand(seat);
            }
            Event::Clerk => self.serve_next(),
            Event::ClerkBack => {
                self.clerk_is_busy = false;
                self.serve_next();
            }
            Event::Holds => self.holds_run_out(),
            Event::Leases => self.leases_run_out(),
            Event::StillHeld => self.still_held(),
            Event::Tick(_) | Event::Letter(_) | Event::Blow(_) => self.council_event(event),
            Event::TimeOut(question) => self.time_out(question.into()),
        }
    }

    fn click(&mut self) {
        let (now, buyer) = (self.now(), self.next_buyer);
        self.next_buyer += 1;
        self.inside += 1;
        self.tally.most_inside = self.tally.most_inside.max(self.inside);
        let region = self.region_of(buyer);
        let want = self.scene.settings.want_by(self.seed, 1, buyer);
        let seat = self.seats.insert(Seat::new(self.seed, buyer, want, region, now));
        self.tell(seat, || "clicks \"Place Your Order\"".into());
        let arrives = now + self.trip(seat);
        self.agenda.enter(arrives, Event::Door(seat as Key));
        if let Some(next) = self.clicks.next() {
            self.agenda.enter(next, Event::Click);
        }
    }

    /// Where a buyer is: as it was recorded, else in turn, as the regions' shares say.
    fn region_of(&self, buyer: u32) -> usize {
        let regions = &self.scene.regions;
        if let Some(name) = self.scene.rush.region_of(buyer.into()) {
            return regions.iter().position(|region| region.name == name).unwrap_or(0);
        }
        let all: u32 = regions.iter().map(|region| region.share).sum();
        let mut place = buyer % all.max(1);
        for (number, region) in regions.iter().enumerate() {
            match place.checked_sub(region.share) {
                Some(rest) => place = rest,
                None => return number,
            }
        }
        0
    }

    /// How long a packet takes between a buyer and the shop; one that is lost is sent again.
    pub(super) fn trip(&mut self, seat: usize) -> u64 {
        let Scene { regions, trouble, .. } = self.scene;
        let seat = &mut self.seats[seat];
        let mut ns = regions[seat.region].way.roll(seat.dice.rng());
        let mut resend_ns = trouble.resend_ns;
        while trouble.loss > 0.0 && seat.dice.rng().random_bool(trouble.loss) {
            ns = ns.saturating_add(resend_ns);
            resend_ns = resend_ns.saturating_mul(2).min(60_000_000_000);
        }
        ns
    }

    fn at_door(&mut self, seat: usize) {
        let now = self.now();
        if self.seats[seat].attempt.is_some() {
            self.tell(seat, || "is back from paying".into());
            return self.admit(seat);
        }
        self.tell_shop(seat, |name| format!("{name}'s packet reaches the load balancer"));
        match self.floor.at_door(now, self.seats[seat].clicked_ns) {
            Let::In(at) if at <= now => self.admit(seat),
            Let::In(at) => self.agenda.enter(at, Event::Admit(seat as Key)),
            Let::Away => self.leave(seat, Ending::GaveUp),
        }
    }

    fn admit(&mut self, seat: usize) {
        let server = self.floor.choose(self.seats[seat].buyer);
        if self.scene.shop.servers > 1 {
            self.tell_shop(seat, |name| format!("{name} goes to server {}", server + 1));
        }
        if self.floor.take_in(server, seat) {
            self.start(seat, server);
        }
    }

    /// A worker begins with a request.
    fn start(&mut self, seat: usize, server: usize) {
        let now = self.now();
        let patience = nanos(self.scene.settings.policy.patience);
        let task = match self.seats[seat].attempt {
            Some(task) => {
                self.tasks[task].reply = Some(Ok(Reply::Done));
                task
            }
            None if now - self.seats[seat].clicked_ns > patience => {
                self.leave(seat, Ending::GaveUp);
                return self.free(server);
            }
            None => self.attempt(seat),
        };
        self.tasks[task].server = Some(server);
        let service = self.scene.shop.service.roll(self.seats[seat].dice.rng());
        self.agenda.enter(now + service, Event::Go(task as Key));
    }

    /// A worker has nothing to do any more.
    fn free(&mut self, server: usize) {
        if let Some(next) = self.floor.next_in_line(server) {
            self.start(next, server);
        }
    }

    /// A buyer begins an attempt.
    fn attempt(&mut self, number: usize) -> usize {
        let now = self.now();
        let seat = &mut self.seats[number];
        seat.attempts += 1;
        seat.attempt_ns = now;
        let script = Script::attempt(self.strategy, seat.buyer, seat.want);
        let task = self.employ(number, Role::Attempt, script);
        self.seats[number].attempt = Some(task);
        task
    }

    fn employ(&mut self, seat: usize, role: Role, script: Script<'w>) -> usize {
        self.tasks.insert(Task {
            seat,
            role,
            script,
            grip: Grip::default(),
            server: None,
            op: None,
            reply: None,
            end: None,
            answer: None,
            awaits_answer: false,
        })
    }

    /// A task's code goes on at this time, which may be yet to come: nobody can tell.
    pub(super) fn go_on(&mut self, number: usize, heard: Option<Heard>, at_ns: u64) {
        let task = &mut self.tasks[number];
        match task.script.go_on(heard) {
            Then::Ends(end) => {
                task.end = Some(end);
                self.agenda.enter(at_ns, Event::Done(number as Key));
            }
            Then::Waits(Asked::Think) => {
                task.reply = Some(Ok(Reply::Done));
                let seat = &mut self.seats[task.seat];
                let think = self.scene.shop.think.roll(seat.dice.rng());
                self.agenda.enter(at_ns + think, Event::Go(number as Key));
            }
            Then::Waits(Asked::Away) if task.role == Role::Attempt => {
                self.agenda.enter(at_ns, Event::Away(number as Key));
            }
            Then::Waits(Asked::Away) => {
                task.reply = Some(Ok(Reply::Done));
                self.agenda.enter(at_ns, Event::Go(number as Key));
            }
            Then::Waits(Asked::Op(Op::AwaitAnswer)) => match task.answer.take() {
                Some(answer) => {
                    task.reply = Some(answer);
                    self.agenda.enter(at_ns, Event::Go(number as Key));
                }
                None => task.awaits_answer = true,
            },
            Then::Waits(Asked::Op(op)) => {
                task.op = Some(op);
                let arrives = at_ns + self.pause(number) + self.way(number, op);
                self.agenda.enter(arrives, Event::Arrive(number as Key));
            }
        }
    }

    /// How long somebody is paused before it sends an op.
    fn pause(&mut self, task: usize) -> u64 {
        let trouble = &self.scene.trouble;
        let seat = &mut self.seats[self.tasks[task].seat];
        if trouble.pauses > 0.0 && seat.dice.rng().random_bool(trouble.pauses) {
            return trouble.pause.roll(seat.dice.rng());
        }
        0
    }

    /// How far it is to where an op is done, one way.
    pub(super) fn way(&mut self, task: usize, op: Op) -> u64 {
        let rng = self.seats[self.tasks[task].seat].dice.rng();
        match op {
            Op::Charge { .. } | Op::Refund | Op::FindCharge => self.scene.provider.way.roll(rng),
            Op::Read { .. } => match &self.scene.replicas {
                Some(replicas) if replicas.is_read() => replicas.way.roll(rng),
                _ => self.scene.shop.store.roll(rng),
            },
            _ => self.scene.shop.store.roll(rng),
        }
    }

    /// A buyer goes away to pay, and comes back or not.
    fn away(&mut self, task: usize) {
        let seat = self.tasks[task].seat;
        if let Some(server) = self.tasks[task].server.take() {
            self.free(server);
        }
        let wallet = &self.scene.wallet;
        let rng = self.seats[seat].dice.rng();
        if wallet.never_pays > 0.0 && rng.random_bool(wallet.never_pays) {
            self.tell(seat, || "goes away and never pays".into());
            self.seats[seat].held = true;
            return self.leave(seat, Ending::GaveUp);
        }
        let pays = wallet.pays.roll(rng);
        let back = self.now() + self.trip(seat) + pays + self.trip(seat);
        self.agenda.enter(back, Event::Door(seat as Key));
    }

    /// A task's code has ended.
    fn done(&mut self, number: usize) {
        let Some(end) = self.tasks[number].end.take() else { return };
        let (seat, role) = (self.tasks[number].seat, self.tasks[number].role);
        match (end, role) {
            (End::Attempt(attempt), Role::Attempt) => self.attempt_is_over(seat, number, attempt),
            (End::Errand(ended), Role::Errand(errand)) => {
                self.dismiss(number);
                self.seats[seat].is_on_errand = false;
                match ended {
                    Err(Missed::Conflict) => self.seats[seat].due.push_front(errand),
                    Err(Missed::Failed(Failure::NoMajority)) => self.try_later(seat, errand),
                    _ => {}
                }
                self.send_on_errand(seat);
                self.see_off(seat);
            }
            (End::Served(sold), Role::Clerk(client)) => {
                self.dismiss(number);
                let answer =
                    sold.map(Reply::Applied).map_err(|_| Missed::Failed(Failure::NoAnswer));
                self.answer(client, answer);
                self.clerk_is_busy = false;
                self.serve_next();
            }
            _ => {
                self.dismiss(number);
            }
        }
    }

    fn attempt_is_over(&mut self, number: usize, task: usize, attempt: Attempt) {
        let now = self.now();
        let seat = &mut self.seats[number];
        seat.looked |= self.tasks[task].script.has_looked();
        let keeps_lock = self.tasks[task].grip.holds_any();
        let policy = self.scene.settings.policy;
        let ending = match attempt {
            Ok(Bought) => Ending::Bought,
            Err(Missed::SoldOut) => Ending::TurnedAway,
            Err(Missed::Declined) => Ending::Declined,
            Err(Missed::Expired) => Ending::Expired,
            Err(Missed::Failed(why)) => Ending::Failed(why),
            Err(Missed::Conflict) => {
                seat.conflicts += 1;
                let in_time = now - seat.clicked_ns <= nanos(policy.patience);
                if policy.retries.allow(seat.conflicts) && in_time {
                    let wait = policy.backoff.wait(seat.conflicts, &mut seat.dice);
                    let server = self.tasks[task].server.take();
                    self.tally.leaked_locks += u64::from(keeps_lock);
                    self.dismiss(task);
                    let again = self.attempt(number);
                    self.tasks[again].server = server;
                    return self.agenda.enter(now + nanos(wait), Event::Go(again as Key));
                }
                Ending::GaveUp
            }
        };
        // What became of the op that nobody answered is unknown: somebody has to look after it, as after a
        // crash.
        if attempt == Err(Missed::Failed(Failure::NoMajority)) && self.recovers {
            self.try_later(number, Errand::Recovery);
        }
        if !matches!(attempt, Err(Missed::Failed(_))) {
            self.tally.leaked_locks += u64::from(keeps_lock);
            self.tally.leaked_holds += u64::from(self.seats[number].standing.is_holding());
        }
        self.leave(number, ending);
    }

    /// A buyer's visit is over; whatever runs for it there ends, too.
    fn leave(&mut self, number: usize, ending: Ending) {
        let answered = self.now() + self.trip(number);
        let server = self.seats[number].attempt.take().and_then(|task| self.dismiss(task));
        let seat = &mut self.seats[number];
        self.inside -= 1;
        seat.ending = Some(ending);
        seat.ended_ns = answered;
        if self.story.is_told()
            && let Some(banner) = Banner::of(&seat.visit())
        {
            let region = &self.scene.regions[seat.region].name;
            let name = Actor::Buyer(seat.buyer);
            self.story
                .tell(answered, || (region.clone(), format!("{name} sees \"{}\"", banner.text())));
        }
        self.see_off(number);
        if let Some(server) = server {
            self.free(server);
        }
    }

    /// A task is over: its connection closes. Says which server it was on.
    fn dismiss(&mut self, number: usize) -> Option<usize> {
        let task = self.tasks.remove(number);
        if task.grip.holds_any() || task.grip.is_in_transaction() {
            self.shop.release(&task.grip);
            if let Some(seat) = self.seats.get_mut(task.seat) {
                task.grip.let_go(&mut seat.standing);
            }
            self.something_is_free = true;
        }
        task.server
    }

    /// Forgets a buyer of whom nothing is left to wait for.
    pub(super) fn see_off(&mut self, number: usize) {
        let is_over = self.seats.get(number).is_some_and(Seat::is_over);
        if is_over {
            let seat = self.seats.remove(number);
            self.guests.see_off(&seat.visit(), &seat.standing);
        }
    }

    /// Somebody of the shop's is sent on the first errand that is due about a buyer.
    fn send_on_errand(&mut self, number: usize) {
        let seat = &mut self.seats[number];
        if seat.is_on_errand {
            return;
        }
        let Some(errand) = seat.due.pop_front() else { return };
        seat.is_on_errand = true;
        let script = Script::errand(self.strategy, errand, seat.buyer, seat.want);
        let service = self.scene.shop.service.roll(seat.dice.rng());
        let task = self.employ(number, Role::Errand(errand), script);
        self.agenda.enter(self.now() + service, Event::Go(task as Key));
    }

    /// Something will have to be done in a buyer's name, after a while.
    pub(super) fn will_be_due(&mut self, seat: usize, after_ns: u64, errand: Errand) {
        self.seats[seat].to_come += 1;
        self.agenda.enter(self.now() + after_ns, Event::Due(seat as Key, errand));
    }

    /// Nobody could decide: it is tried again after a while, unless that has been said too often.
    fn try_later(&mut self, number: usize, errand: Errand) {
        let seat = &mut self.seats[number];
        seat.put_off += 1;
        if seat.put_off <= MOST_PUT_OFF {
            let after = self.scene.trouble.restart.roll(seat.dice.rng());
            self.will_be_due(number, after, errand);
        }
    }

    /// The clerk turns to the next in line.
    fn serve_next(&mut self) {
        if self.clerk_is_busy || !self.has_clerk {
            return;
        }
        let Some(client) = self.line.pop_front() else { return };
        self.clerk_is_busy = true;
        let number = self.tasks[client].seat;
        self.tell_shop(number, |name| format!("the clerk turns to {name}"));
        let seat = &self.seats[number];
        let script = Script::serve(self.strategy, seat.buyer, seat.want);
        let task = self.employ(number, Role::Clerk(client), script);
        self.agenda.enter(self.now(), Event::Go(task as Key));
    }

    /// A buyer joins the line in front of the clerk.
    pub(super) fn queue_up(&mut self, task: usize) {
        self.line.push_back(task);
        self.deepest_queue = self.deepest_queue.max(self.line.len() as u64);
        self.agenda.enter(self.now(), Event::Clerk);
    }

    /// The clerk's answer goes to a buyer.
    fn answer(&mut self, client: usize, answer: Heard) {
        let way = self.way(client, Op::AwaitAnswer);
        let task = &mut self.tasks[client];
        if std::mem::take(&mut task.awaits_answer) {
            task.reply = Some(answer);
            self.agenda.enter(self.agenda.now_ns() + way, Event::Go(client as Key));
        } else {
            task.answer = Some(answer);
        }
    }

    /// The server that runs a task dies.
    pub(super) fn crash(&mut self, number: usize) {
        let (seat, role) = (self.tasks[number].seat, self.tasks[number].role);
        self.tell_shop(seat, |name| format!("the server that works for {name} dies"));
        let after = self.scene.trouble.restart.roll(self.seats[seat].dice.rng());
        match role {
            Role::Attempt => {
                if self.recovers {
                    self.will_be_due(seat, after, Errand::Recovery);
                }
                self.leave(seat, Ending::Failed(Failure::Crashed));
            }
            Role::Errand(errand) => {
                self.dismiss(number);
                self.seats[seat].is_on_errand = false;
                self.will_be_due(seat, after, errand);
            }
            // The request was not acknowledged, and so it comes again.
            Role::Clerk(client) => {
                self.dismiss(number);
                self.line.push_front(client);
                self.agenda.enter(self.now() + after, Event::ClerkBack);
            }
        }
    }

    /// Somebody has to wait for a product's lock or lease.
    pub(super) fn wait(&mut self, task: usize, place: usize) {
        self.waiting[place].push_back(task);
        self.tally.lock_waits += 1;
    }

    /// Somebody may not have to wait any more.
    pub(super) fn something_is_free(&mut self) {
        self.something_is_free = true;
    }

    /// Whoever waits first gets what was given back, and so on.
    fn wake(&mut self) {
        self.something_is_free = false;
        for place in 0..self.waiting.len() {
            // Each waits for orders of its own, and nobody for whoever stands before it.
            let all_may = place % LINES == ORDERS;
            for _ in 0..self.waiting[place].len() {
                let Some(first) = self.waiting[place].pop_front() else { break };
                match self.try_again(first) {
                    true => {}
                    false if all_may => self.waiting[place].push_back(first),
                    false => {
                        self.waiting[place].push_front(first);
                        break;
                    }
                }
            }
        }
    }

    /// Nothing happens any more, and somebody still waits: the first of them loses patience.
    fn give_up_waiting(&mut self) -> bool {
        let in_line = self.tasks.iter().find(|(_, task)| task.awaits_answer);
        let in_line = in_line.map(|(number, _)| (number, Failure::NoAnswer));
        let at_lock = self.waiting.iter_mut().find_map(VecDeque::pop_front);
        let at_lock = at_lock.map(|number| (number, Failure::LockTimeout));
        let Some((number, why)) = at_lock.or(in_line) else { return false };
        self.tasks[number].awaits_answer = false;
        let patience = nanos(self.scene.settings.policy.patience);
        let until = self.seats[self.tasks[number].seat].clicked_ns + patience;
        self.agenda.wait_until(until);
        self.go_on(number, Some(Err(Missed::Failed(why))), self.now());
        true
    }

    /// Whether the provider's notices are listened to.
    pub(super) fn hears_notices(&self) -> bool {
        self.hears_notices
    }

    /// A hold begins to run.
    pub(super) fn hold_runs(&mut self, seat: usize) {
        let until = self.now() + self.scene.shop.hold_ttl_ns;
        self.seats[seat].hold_until_ns = until;
        self.seats[seat].held = true;
        self.timer_runs(Some(seat), self.seats[seat].buyer);
    }

    /// The timer of a buyer's hold begins to run, wherever the buyer is by now.
    pub(super) fn timer_runs(&mut self, seat: Option<usize>, buyer: u32) {
        let until = self.now() + self.scene.shop.hold_ttl_ns;
        if self.holds.is_empty() {
            self.agenda.enter(until, Event::Holds);
        }
        self.last_hold_ns = until;
        self.holds.push_back((until, seat, buyer));
    }

    /// A lease begins to run.
    pub(super) fn lease_runs(&mut self, seat: usize) {
        let until = self.now() + self.scene.shop.lease_ttl_ns;
        self.seats[seat].lease_until_ns = until;
        if self.leases.is_empty() {
            self.agenda.enter(until, Event::Leases);
        }
        self.leases.push_back((until, seat, self.seats[seat].buyer));
    }

    fn holds_run_out(&mut self) {
        let now = self.now();
        while let Some((_, number, buyer)) = self.holds.pop_front_if(|(until, ..)| *until <= now) {
            let Some(number) = number else {
                self.propose_expiry(buyer);
                continue;
            };
            let seat = self.seats.get_mut(number).filter(|seat| seat.buyer == buyer);
            if let Some(seat) = seat
                && seat.standing.is_holding()
                && seat.hold_until_ns <= now
            {
                self.shop.expire_hold(&mut seat.standing);
                self.tally.holds_expired += 1;
                self.tell_shop(number, |name| format!("{name}'s hold runs out"));
                self.see_off(number);
            }
        }
        if let Some((until, ..)) = self.holds.front() {
            self.agenda.enter(*until, Event::Holds);
        }
    }

    fn leases_run_out(&mut self) {
        let now = self.now();
        while let Some((_, number, buyer)) = self.leases.pop_front_if(|(until, ..)| *until <= now) {
            let seat = self.seats.get_mut(number).filter(|seat| seat.buyer == buyer);
            if let Some(seat) = seat
                && seat.standing.leases != 0
                && seat.lease_until_ns <= now
            {
                self.shop.expire_leases(&mut seat.standing);
                self.something_is_free = true;
                self.tell_shop(number, |name| format!("{name}'s lease runs out"));
                self.see_off(number);
            }
        }
        if let Some((until, ..)) = self.leases.front() {
            self.agenda.enter(*until, Event::Leases);
        }
    }

    /// Copies of the stock, if there are any.
    pub(super) fn copies(&mut self) -> Option<&mut Copies> {
        self.copies.as_mut()
    }

    /// The server that works on a task.
    pub(super) fn server_of(&self, task: usize) -> usize {
        self.tasks[task].server.unwrap_or(0)
    }

    /// Tells what a buyer does where it is.
    fn tell(&mut self, seat: usize, what: impl FnOnce() -> String) {
        let (now, seat) = (self.agenda.now_ns(), &self.seats[seat]);
        let region = &self.scene.regions[seat.region].name;
        let name = Actor::Buyer(seat.buyer);
        self.story.tell(now, || (region.clone(), format!("{name} {}", what())));
    }

    /// Tells what happens in the shop about a buyer.
    pub(super) fn tell_shop(&mut self, seat: usize, what: impl FnOnce(Actor) -> String) {
        let (now, seat) = (self.agenda.now_ns(), &self.seats[seat]);
        let place = &self.scene.shop.place;
        self.story.tell(now, || (place.clone(), what(Actor::Buyer(seat.buyer))));
    }
}
