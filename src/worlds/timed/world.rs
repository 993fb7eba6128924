//! The world: buyers, a network, a shop and its payment provider, in virtual time.
//!
//! Everything that happens is an [`Event`] on the [event_queue](super::event_queue). A strategy's code takes no time
//! itself: it is asked what comes next as soon as a reply is known, and what it asks for arrives when the
//! ways there and back have been added up. So an op is one event, however far apart two ops are.

use std::collections::VecDeque;
use std::rc::Rc;

use slab::Slab;

use super::arrivals::Clicks;
use super::event::Event;
use super::event_queue::EventQueue;
use super::line::{Coroutine, CoroutineEnd, CoroutineFactory, SimChannel};
use super::negative_cache::NegativeCache;
use super::occupancy::Occupancy;
use super::replica::Copies;
use super::replicated_state_machine::ReplicatedStateMachine;
use super::rows::Rows;
use super::seat::Seat;
use super::server_pool::ServerPool;
use super::sim_config::{Quorum, SimConfig};
use super::story::Story;
use super::visit_recorder::VisitRecorder;
use crate::base::chance::{Dice, DiceBox, StreamPurpose};
use crate::base::error::Error;
use crate::check::round::Counters;
use crate::domain::attempt::OpResult;
use crate::domain::card::BackgroundTask;
use crate::domain::op::{Op, OpKind};
use crate::scheduler::Actor;
use crate::stores::model::{HeldResources, Model};

/// Whose code a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskRole {
    /// A buyer's attempt.
    Attempt,
    /// The shop's, in a background task about a buyer.
    BackgroundTask(BackgroundTask),
    /// The queue worker's, serving the buyer of that task.
    QueueWorker(usize),
}

/// Lines in front of a product: for its lock, its lease, its row, and for orders.
pub(super) const LINES: usize = 4;

/// Which of them is for orders.
pub(super) const ORDERS: usize = 3;

/// A piece of a strategy's code that is under way.
pub(super) struct Task<'w> {
    pub(super) seat: usize,
    pub(super) role: TaskRole,
    pub(super) coroutine: Coroutine<'w>,
    pub(super) grip: HeldResources,
    /// The server on which a worker is busy with it.
    pub(super) server: Option<usize>,
    /// The op that is on its way.
    pub(super) op: Option<Op>,
    /// What it will hear when it goes on.
    pub(super) reply: Option<OpResult>,
    /// How it ended.
    pub(super) end: Option<CoroutineEnd>,
    /// The queue worker's answer, if it came before it was waited for; whether it is waited for.
    pub(super) answer: Option<OpResult>,
    pub(super) awaits_answer: bool,
}

/// A simulated shop under way.
pub(super) struct TimedWorld<'w, G> {
    pub(super) coroutines: &'w dyn CoroutineFactory,
    pub(super) scene: &'w SimConfig,
    pub(super) seed: u64,
    pub(super) has_queue_worker: bool,
    pub(super) hears_webhooks: bool,
    pub(super) recovers: bool,
    pub(super) event_queue: EventQueue<Event>,
    pub(super) clicks: Clicks,
    pub(super) next_buyer: u32,
    pub(super) seats: Slab<Seat>,
    pub(super) tasks: Slab<Task<'w>>,
    /// What all tasks' code speaks through.
    pub(super) slot: Rc<SimChannel>,
    pub(super) shop: Model,
    pub(super) floor: ServerPool,
    /// "Sold out" signs, if servers put up any.
    pub(super) signs: Option<NegativeCache>,
    /// Who waits for which row, if writing one takes any time.
    pub(super) rows: Option<Rows>,
    pub(super) copies: Option<Copies>,
    pub(super) council: Option<ReplicatedStateMachine>,
    /// Every buyer's own dice.
    pub(super) dice_box: DiceBox,
    /// The world's dice, for what belongs to no buyer.
    pub(super) dice: Dice,
    /// Tasks in front of the queue worker.
    pub(super) line: VecDeque<usize>,
    pub(super) queue_worker_is_busy: bool,
    /// Tasks that wait in each line of each product: see [`LINES`].
    pub(super) waiting: Vec<VecDeque<usize>>,
    /// Whether something was given back for which a task may wait.
    pub(super) something_is_free: bool,
    /// When each hold runs out, and its seat and buyer. All last equally long, so the first to begin is the first
    /// to run out.
    pub(super) holds: VecDeque<(u64, Option<usize>, u32)>,
    /// The buyer at each seat who has held something, until it leaves.
    pub(super) holders: Vec<Option<u32>>,
    /// When the last hold ran out, or would have.
    pub(super) last_hold_ns: u64,
    pub(super) leases: VecDeque<(u64, usize, u32)>,
    pub(super) story: Story,
    pub(super) tally: Counters,
    pub(super) deepest_queue: u64,
    /// Buyers who have clicked and have no answer yet.
    pub(super) crowd: Occupancy,
    pub(super) guests: G,
}

/// How often the background tasks about a buyer are put off because no majority can decide: a group that never has a
/// majority again must not keep the shop open for ever.
pub(super) const MOST_PUT_OFF: u32 = 100;

/// Of the world's dice, those of round 0 say when buyers click, and these are the buyers' own.
const BUYERS_DICE: u32 = 1;
/// These are for what belongs to no buyer.
const OWN_DICE: u32 = 2;

impl<'w, G: VisitRecorder> TimedWorld<'w, G> {
    /// Opens the shop.
    pub(super) fn open(
        coroutines: &'w dyn CoroutineFactory,
        scene: &'w SimConfig,
        seed: u64,
        story: Story,
        guests: G,
    ) -> Result<Self, Error> {
        let card = coroutines.card();
        let settings = &scene.settings;
        let mut dice = Dice::of(seed, StreamPurpose::World, OWN_DICE, 0);
        let mut event_queue = EventQueue::default();
        let shop = Model {
            isolation: settings.isolation,
            ..Model::for_ops(settings.items, settings.stock, |kind| card.names(kind))
        };
        let council = scene
            .quorum
            .as_ref()
            .map(|quorum| ReplicatedStateMachine::open(quorum, &shop, &mut event_queue, &mut dice))
            .transpose()?;
        let mut clicks = scene.rush.clicks(Dice::of(seed, StreamPurpose::World, 0, 0));
        if let Some(first) = clicks.next() {
            event_queue.enter(first, Event::Click);
        }
        Ok(Self {
            coroutines,
            scene,
            seed,
            has_queue_worker: card.asks_for(|kind| kind == OpKind::Queue),
            hears_webhooks: card.names(OpKind::Webhook),
            recovers: card.names(OpKind::Recover),
            event_queue,
            clicks,
            next_buyer: 0,
            seats: Slab::new(),
            tasks: Slab::new(),
            slot: Rc::default(),
            copies: scene.replicas.as_ref().map(|_| Copies::of(&shop, scene.shop.servers)),
            shop,
            floor: ServerPool::open(&scene.shop),
            signs: (scene.shop.sold_out_sign_ns > 0)
                .then(|| NegativeCache::none(&scene.shop, settings.items)),
            rows: (scene.shop.row_ns > 0).then(|| Rows::free(settings.items, scene.shop.row_ns)),
            council,
            dice_box: DiceBox::of(seed, StreamPurpose::World, BUYERS_DICE),
            dice,
            line: VecDeque::new(),
            queue_worker_is_busy: false,
            waiting: vec![VecDeque::new(); LINES * usize::from(settings.items)],
            something_is_free: false,
            holds: VecDeque::new(),
            holders: Vec::new(),
            last_hold_ns: 0,
            leases: VecDeque::new(),
            story,
            tally: Counters { stale_reads: vec![0; settings.items.into()], ..Counters::default() },
            deepest_queue: 0,
            crowd: Occupancy::default(),
            guests,
        })
    }

    /// Handles events until all buyers have left or `stopped` says so.
    pub(super) fn run(&mut self, stopped: &dyn Fn() -> bool) {
        let mut events = 0_u64;
        loop {
            while let Some(event) = self.event_queue.next() {
                self.happen(event);
                if self.something_is_free {
                    self.wake();
                }
                events += 1;
                if events.is_multiple_of(1 << 16) && stopped() {
                    return;
                }
                if self.council.is_some() && self.all_buyers_have_left() && self.is_settled() {
                    return;
                }
            }
            if !self.give_up_waiting() {
                return;
            }
        }
    }

    /// The most requests that ever stood in front of the queue worker.
    pub(super) fn deepest_queue(&self) -> u64 {
        self.deepest_queue
    }

    pub(super) fn all_buyers_have_left(&self) -> bool {
        self.seats.is_empty()
            && self.next_buyer > 0
            && u64::from(self.next_buyer) == self.scene.rush.buyers()
    }

    /// Whether the group has given back what buyers that have left still held, or has had the time to.
    pub(super) fn is_settled(&self) -> bool {
        let settles_ns = self.scene.quorum.as_ref().map_or(0, Quorum::settles_ns);
        self.council.as_ref().is_none_or(ReplicatedStateMachine::has_settled)
            || self.now() > self.last_hold_ns.saturating_add(settles_ns)
    }

    pub(super) fn now(&self) -> u64 {
        self.event_queue.now_ns()
    }

    pub(super) fn happen(&mut self, event: Event) {
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
            Event::Due(seat, background_task) => {
                let seat = seat as usize;
                self.seats[seat].to_come -= 1;
                self.seats[seat].due.push_back(background_task);
                self.start_background_task(seat);
            }
            Event::QueueWorker => self.serve_next(),
            Event::QueueWorkerBack => {
                self.queue_worker_is_busy = false;
                self.serve_next();
            }
            Event::Holds => self.holds_run_out(),
            Event::Leases => self.leases_run_out(),
            Event::StillHeld => self.still_held(),
            Event::Tick(_) | Event::Letter(_) | Event::Blow(_) => self.council_event(event),
            Event::TimeOut(question) => self.time_out(question.into()),
        }
    }

    /// whether the provider's webhooks are listened to.
    pub(super) fn hears_webhooks(&self) -> bool {
        self.hears_webhooks
    }

    /// The server that works on a task.
    pub(super) fn server_of(&self, task: usize) -> usize {
        self.tasks[task].server.unwrap_or(0)
    }

    /// Tells what a buyer does where it is.
    pub(super) fn tell(&mut self, seat: usize, what: impl FnOnce() -> String) {
        let (now, seat) = (self.event_queue.now_ns(), &self.seats[seat]);
        let region = &self.scene.regions[usize::from(seat.region)].name;
        let name = Actor::Buyer(seat.buyer);
        self.story.tell(now, || (region.clone(), format!("{name} {}", what())));
    }

    /// Tells what happens in the shop about a buyer.
    pub(super) fn tell_shop(&mut self, seat: usize, what: impl FnOnce(Actor) -> String) {
        let (now, seat) = (self.event_queue.now_ns(), &self.seats[seat]);
        let place = &self.scene.shop.place;
        self.story.tell(now, || (place.clone(), what(Actor::Buyer(seat.buyer))));
    }
}
