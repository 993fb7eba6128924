//! Visits: a buyer clicks, comes to the door, is let in, tries, goes away to pay, and leaves.

use rand::RngExt;

use super::event::Event;
use super::seat::Seat;
use super::seat::SubjectId;
use super::server_pool::Let;
use super::sim_config::SimConfig;
use super::story::StoryLine;
use super::visit_recorder::VisitRecorder;
use super::world::{TaskRole, TimedWorld};
use crate::base::clock::nanos;
use crate::check::report::Banner;
use crate::domain::attempt::{Attempt, Failure, Missed};
use crate::domain::buyer::Ending;
use crate::domain::card::BackgroundTask;
use crate::domain::op::Reply;
use crate::scheduler::Actor;

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// The next buyer clicks.
    pub(super) fn click(&mut self) {
        let (now, buyer) = (self.now(), self.next_buyer);
        self.next_buyer += 1;
        self.crowd.comes(now);
        let region = self.region_of(buyer);
        let want = self.scene.settings.want_by(self.seed, 1, buyer);
        let dice = self.dice_box.take(buyer);
        let seat = self.seats.insert(Seat::new(buyer, want, region, now, dice));
        self.tell(seat, || "clicks \"Place Your Order\"".into());
        let arrives = now + self.trip(seat);
        self.event_queue.enter(arrives, Event::Door(seat as SubjectId));
        if let Some(next) = self.clicks.next() {
            self.event_queue.enter(next, Event::Click);
        }
    }

    /// Where a buyer is: as it was recorded, else in turn, as the regions' shares say.
    pub(super) fn region_of(&self, buyer: u32) -> u16 {
        let regions = &self.scene.regions;
        if let Some(name) = self.scene.rush.region_of(buyer.into()) {
            return regions.iter().position(|region| region.name == name).unwrap_or(0) as u16;
        }
        let all: u32 = regions.iter().map(|region| region.share).sum();
        let mut place = buyer % all.max(1);
        for (number, region) in (0..).zip(regions) {
            match place.checked_sub(region.share) {
                Some(rest) => place = rest,
                None => return number,
            }
        }
        0
    }

    /// How long a packet takes between a buyer and the shop; one that is lost is sent again.
    pub(super) fn trip(&mut self, seat: usize) -> u64 {
        let SimConfig { regions, faults, .. } = self.scene;
        let seat = &mut self.seats[seat];
        let mut ns = regions[usize::from(seat.region)].way.roll(&mut seat.dice);
        let mut resend_ns = faults.resend_ns;
        while faults.loss > 0.0 && seat.dice.random_bool(faults.loss) {
            ns = ns.saturating_add(resend_ns);
            resend_ns = resend_ns.saturating_mul(2).min(60_000_000_000);
        }
        ns
    }

    /// A buyer's packet reaches the door, for the first time or when it is back from paying.
    pub(super) fn at_door(&mut self, seat: usize) {
        let now = self.now();
        if self.seats[seat].attempt.is_some() {
            self.tell_shop(seat, |name| format!("{name} is back from paying"));
            return self.admit(seat);
        }
        let seat_there = &self.seats[seat];
        let (buyer, clicked_ns) = (seat_there.buyer, seat_there.clicked_ns);
        let region = usize::from(seat_there.region);
        let scene = self.scene;
        self.story.tell_line(|| {
            let what = format!("{}'s packet reaches the load balancer", Actor::Buyer(buyer));
            let line = StoryLine::new(now, scene.shop.place.clone(), what);
            line.sent_from(&scene.regions[region].name, clicked_ns)
        });
        match self.floor.at_door(now, self.seats[seat].clicked_ns) {
            Let::In(at) if at <= now => self.admit(seat),
            Let::In(at) => self.event_queue.enter(at, Event::Admit(seat as SubjectId)),
            Let::Away => self.leave(seat, Ending::Abandoned),
        }
    }

    /// A buyer is let in, and given to a server.
    pub(super) fn admit(&mut self, seat: usize) {
        let server = self.floor.choose(self.seats[seat].buyer);
        if self.scene.shop.servers > 1 {
            self.tell_shop(seat, |name| format!("{name} goes to server {}", server + 1));
        }
        if self.floor.take_in(server, seat) && !self.start(seat, server) {
            self.free(server);
        }
    }

    /// A worker begins with a request; false if there is nothing to do for it.
    fn start(&mut self, seat: usize, server: usize) -> bool {
        let now = self.now();
        let patience = nanos(self.scene.settings.patience);
        let task = match self.seats[seat].attempt {
            Some(task) => {
                self.tasks[task as usize].reply = Some(Ok(Reply::Done));
                task as usize
            }
            None if now - self.seats[seat].clicked_ns > patience => {
                self.leave(seat, Ending::Abandoned);
                return false;
            }
            None if self.has_sign(server, seat) => {
                self.tell_shop(seat, |name| {
                    format!("server {} has a sign for {name}: sold out", server + 1)
                });
                self.leave(seat, Ending::Rejected);
                return false;
            }
            None => self.attempt(seat),
        };
        self.tasks[task].server = Some(server);
        let service = self.scene.shop.service.roll(&mut self.seats[seat].dice);
        self.event_queue.enter(now + service, Event::Go(task as SubjectId));
        true
    }

    /// Whether a server has a "sold out" sign for what a buyer wants.
    fn has_sign(&self, server: usize, seat: usize) -> bool {
        let (want, now) = (self.seats[seat].want, self.now());
        self.signs.as_ref().is_some_and(|signs| signs.turn_away(server, want, now))
    }

    /// A worker is free: it takes the first request in line for which there is something to do.
    pub(super) fn free(&mut self, server: usize) {
        while let Some(next) = self.floor.next_in_line(server) {
            if self.start(next, server) {
                break;
            }
        }
    }

    /// A buyer begins an attempt.
    pub(super) fn attempt(&mut self, number: usize) -> usize {
        let now = self.now();
        let seat = &mut self.seats[number];
        seat.attempts += 1;
        seat.attempt_ns = now;
        let coroutine = self.coroutines.attempt(&self.slot, seat.buyer, seat.want);
        let task = self.employ(number, TaskRole::Attempt, coroutine);
        self.seats[number].attempt = Some(task as SubjectId);
        task
    }

    /// A buyer goes away to pay, and comes back or not.
    pub(super) fn away(&mut self, task: usize) {
        let seat = self.tasks[task].seat;
        if let Some(server) = self.tasks[task].server.take() {
            self.free(server);
        }
        let wallet = &self.scene.wallet;
        let rng = &mut self.seats[seat].dice;
        if wallet.never_pays > 0.0 && rng.random_bool(wallet.never_pays) {
            self.tell(seat, || "goes away and never pays".into());
            self.seats[seat].held = true;
            return self.leave(seat, Ending::Abandoned);
        }
        let pays = wallet.pays.roll(rng);
        let back = self.now() + self.trip(seat) + pays + self.trip(seat);
        self.event_queue.enter(back, Event::Door(seat as SubjectId));
    }

    /// An attempt has ended: another begins, or the buyer leaves.
    pub(super) fn attempt_is_over(&mut self, number: usize, task: usize, attempt: Attempt) {
        let now = self.now();
        let seat = &mut self.seats[number];
        seat.looked |= self.tasks[task].coroutine.has_looked();
        let keeps_lock = self.tasks[task].grip.holds_any();
        let policy = self.scene.settings.policy();
        if attempt == Err(Missed::Conflict) {
            seat.conflicts += 1;
            let in_time = now - seat.clicked_ns <= nanos(policy.patience);
            if policy.retries.allow(seat.conflicts) && in_time {
                let wait = policy.backoff.wait(seat.conflicts, || &mut seat.dice);
                let server = self.tasks[task].server.take();
                self.tally.leaked_locks += u64::from(keeps_lock);
                self.dismiss(task);
                let again = self.attempt(number);
                self.tasks[again].server = server;
                return self.event_queue.enter(now + nanos(wait), Event::Go(again as SubjectId));
            }
        }
        // The outcome of the op that no majority answered is unknown: a background task has to look after it, as
        // after a crash.
        if attempt == Err(Missed::Failed(Failure::NoMajority)) && self.recovers {
            self.try_later(number, BackgroundTask::Recovery);
        }
        if !matches!(attempt, Err(Missed::Failed(_))) {
            self.tally.leaked_locks += u64::from(keeps_lock);
            self.tally.leaked_holds += u64::from(self.seats[number].standing.is_holding());
        }
        let ending = Ending::after(attempt);
        if ending == Ending::Rejected {
            let (server, want) = (self.server_of(task), self.seats[number].want);
            if let Some(signs) = &mut self.signs {
                signs.put_up(server, want, now);
            }
        }
        self.leave(number, ending);
    }

    /// A buyer's visit is over; its attempt ends too, if one still runs.
    pub(super) fn leave(&mut self, number: usize, ending: Ending) {
        let answered = self.now() + self.trip(number);
        let task = self.seats[number].attempt.take();
        let server = task.and_then(|task| self.dismiss(task as usize));
        let seat = &mut self.seats[number];
        seat.ending = Some(ending);
        seat.ended_ns = answered;
        self.crowd.leaves(self.event_queue.now_ns(), answered);
        if self.story.is_told()
            && let Some(banner) = Banner::of(&seat.visit())
        {
            let region = &self.scene.regions[usize::from(seat.region)].name;
            let name = Actor::Buyer(seat.buyer);
            let (now, shop) = (self.event_queue.now_ns(), &self.scene.shop.place);
            self.story.tell_line(|| {
                let what = format!("{name} sees \"{}\"", banner.text());
                StoryLine::new(answered, region.clone(), what).sent_from(shop, now)
            });
        }
        self.see_off(number);
        if let Some(server) = server {
            self.free(server);
        }
    }

    /// Forgets a buyer if nothing more can happen to it.
    pub(super) fn see_off(&mut self, number: usize) {
        let is_over = self.seats.get(number).is_some_and(Seat::is_over);
        if is_over {
            let seat = self.seats.remove(number);
            if let Some(holder) = self.holders.get_mut(number) {
                *holder = None;
            }
            self.guests.see_off(&seat.visit(), &seat.standing);
        }
    }
}
