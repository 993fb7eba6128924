//! The replicated state machine: a store that is a group of members, which agree on every op before it counts. Each member
//! carries out what was decided, in the same order, on a shop of its own. The leader's shop gives the answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::RngExt;
use slab::Slab;

use super::event::Event;
use super::event_queue::EventQueue;
use super::quorum::{Delivery, Group, Letter, MemberId, Options, Topic};
use super::seat::SubjectId;
use super::sim_config::{Blow, Quorum};
use crate::base::chance::Dice;
use crate::base::error::Error;
use crate::domain::attempt::Missed;
use crate::domain::op::{BuyerId, Op, Order, Reply};
use crate::stores::model::{HeldResources, Model, Standing};

/// What the group agrees on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GroupCommand {
    /// An op of a buyer, and which question it answers.
    Op { question: u64, buyer: BuyerId, op: Op },
    /// A buyer's hold runs out.
    Expire { buyer: BuyerId },
}

/// A shop as one member knows it.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    shop: Model,
    /// How each buyer stands, with its connection.
    buyers: BTreeMap<BuyerId, (HeldResources, Standing)>,
    /// How many holds stand unconfirmed.
    holds: usize,
}

impl Machine {
    pub(super) fn new(shop: &Model) -> Self {
        Self { shop: shop.clone(), buyers: BTreeMap::new(), holds: 0 }
    }

    /// Carries out a command; none if it cannot be done without waiting, which no op here may. For a hold that
    /// runs out the reply says whether it still stood.
    pub(super) fn apply(&mut self, command: &GroupCommand) -> Option<Result<Reply, Missed>> {
        let (GroupCommand::Op { buyer, .. } | GroupCommand::Expire { buyer }) = command;
        let (grip, standing) = self.buyers.entry(*buyer).or_default();
        let held = standing.is_holding();
        let reply = match command {
            GroupCommand::Op { op, .. } => self.shop.apply(*op, grip, standing),
            GroupCommand::Expire { .. } => {
                self.shop.expire_hold(standing);
                Some(Ok(Reply::Applied(held)))
            }
        };
        self.holds += usize::from(standing.is_holding());
        self.holds -= usize::from(held);
        reply
    }
}

/// The members, their network, and the tasks that wait for their answer.
pub(super) struct ReplicatedStateMachine {
    pub(super) group: Group<GroupCommand>,
    pub(super) machines: Vec<Machine>,
    pub(super) opening: Model,
    /// Letters on their way, each with the time at which it was sent.
    letters: Slab<(Letter<GroupCommand>, u64)>,
    /// When the last on each link arrives.
    arrived_ns: BTreeMap<(MemberId, MemberId), u64>,
    post: Vec<Letter<GroupCommand>>,
    /// The members that are cut off from all others, if any.
    pub(super) cut_off: Vec<MemberId>,
    pub(super) blows: Vec<Blow>,
    pub(super) questions: u64,
    /// The task that asked each question, by the number of the question.
    pub(super) asked: BTreeMap<u64, usize>,
    /// Commands that could not be proposed yet.
    unasked: VecDeque<GroupCommand>,
    /// Buyers whose hold has run out, until that is agreed on.
    pub(super) running_out: BTreeSet<BuyerId>,
    /// Whether an [`Event::StillHeld`] is to come, which asks again.
    pub(super) asks_again: bool,
    /// Questions by which the group agreed on a hold; the timer of that hold runs since then.
    pub(super) timed: BTreeSet<u64>,
}

impl ReplicatedStateMachine {
    pub(super) fn open(
        quorum: &Quorum,
        shop: &Model,
        event_queue: &mut EventQueue<Event>,
        dice: &mut Dice,
    ) -> Result<Self, Error> {
        let members = quorum.members.len();
        // The member that is named first leads first.
        let priorities = (0..members as u32).rev().collect();
        let options = Options {
            members,
            priorities: Some(priorities),
            acknowledge: quorum.acknowledge,
            durability: quorum.durability,
            ..Options::default()
        };
        let group = Group::open(options).map_err(|why| Error::input(why.to_string()))?;
        let mut blows = Vec::new();
        for (at_ns, blow) in quorum.script.iter().cloned().chain(rolled(quorum, dice)) {
            event_queue.enter(at_ns, Event::Blow(blows.len() as SubjectId));
            blows.push(blow);
        }
        let mut council = Self {
            group,
            machines: vec![Machine::new(shop); members],
            opening: shop.clone(),
            letters: Slab::new(),
            arrived_ns: BTreeMap::new(),
            post: Vec::new(),
            cut_off: Vec::new(),
            blows,
            questions: 0,
            asked: BTreeMap::new(),
            unasked: VecDeque::new(),
            running_out: BTreeSet::new(),
            asks_again: false,
            timed: BTreeSet::new(),
        };
        council.elect(quorum, event_queue, dice);
        Ok(council)
    }

    /// Lets the members elect a leader before the shop opens; letters that are on their way then arrive after.
    fn elect(&mut self, quorum: &Quorum, event_queue: &mut EventQueue<Event>, dice: &mut Dice) {
        let mut before = EventQueue::default();
        for member in 0..self.machines.len() {
            before.enter(0, Event::Tick(member as SubjectId));
        }
        for _ in 0..MOST_EVENTS_BEFORE {
            let is_led = |member| self.group.leader(member).is_some_and(|leader| leader.ready);
            let is_quiet =
                self.letters.iter().all(|(_, (letter, _))| letter.topic().is_heartbeat());
            if is_quiet && (0..self.machines.len()).all(is_led) {
                break;
            }
            match before.next() {
                Some(Event::Tick(member)) => self.tick(member as MemberId, quorum, &mut before),
                Some(Event::Letter(number)) => drop(self.letter(number as usize)),
                _ => break,
            }
            for member in 0..self.machines.len() {
                let _ = self.group.decided(member);
            }
            self.send(quorum, &mut before, dice);
        }
        let opens_ns = before.now_ns();
        self.arrived_ns.values_mut().for_each(|at_ns| *at_ns = at_ns.saturating_sub(opens_ns));
        while let Some(event) = before.next() {
            event_queue.enter(before.now_ns() - opens_ns, event);
        }
    }

    /// A member's clock ticks, and will again.
    pub(super) fn tick(
        &mut self,
        member: MemberId,
        quorum: &Quorum,
        event_queue: &mut EventQueue<Event>,
    ) {
        self.group.tick(member);
        let last = (quorum.members.len() - 1).max(1) as f64;
        let slower = 1.0 + quorum.skew * member as f64 / last;
        let next = event_queue.now_ns() + (quorum.tick_ns as f64 * slower) as u64;
        event_queue.enter(next, Event::Tick(member as SubjectId));
    }

    /// A letter arrives. Returns its sender, its receiver and, if the receiver took it in and it was no heartbeat,
    /// its topic; and when it was sent.
    pub(super) fn letter(&mut self, number: usize) -> (MemberId, MemberId, Option<Topic>, u64) {
        let (letter, sent_ns) = self.letters.remove(number);
        let (from, to, topic) = (letter.from, letter.to, letter.topic());
        let tells = !topic.is_heartbeat();
        // A receiver that was cut off from the sender meanwhile does not get it.
        let is_taken = self.can_reach(from, to) && self.group.deliver(letter) == Delivery::Taken;
        (from, to, (is_taken && tells).then_some(topic), sent_ns)
    }

    /// Sends the letters that members have written.
    pub(super) fn send(
        &mut self,
        quorum: &Quorum,
        event_queue: &mut EventQueue<Event>,
        dice: &mut Dice,
    ) {
        self.group.post(&mut self.post);
        for letter in std::mem::take(&mut self.post) {
            let (from, to) = (letter.from, letter.to);
            if !self.can_reach(from, to) {
                continue;
            }
            let ways = [from, to].map(|member| quorum.members[member].1.roll(dice.rng()));
            let last = self.arrived_ns.entry((from, to)).or_default();
            let now = event_queue.now_ns();
            *last = (now + ways[0] + ways[1]).max(*last);
            let number = self.letters.insert((letter, now));
            event_queue.enter(*last, Event::Letter(number as SubjectId));
        }
    }

    /// Proposes a command to the leader, or keeps it until there is one; returns the leader.
    pub(super) fn ask(&mut self, command: GroupCommand) -> Option<MemberId> {
        self.unasked.push_back(command);
        self.ask_again()
    }

    /// Proposes the commands that could not be proposed before.
    pub(super) fn ask_again(&mut self) -> Option<MemberId> {
        let leader = self.leader()?;
        while let Some(command) = self.unasked.pop_front() {
            let is_wanted = match &command {
                GroupCommand::Op { question, .. } => self.asked.contains_key(question),
                GroupCommand::Expire { .. } => true,
            };
            if is_wanted && self.group.propose(leader, command.clone()).is_err() {
                self.unasked.push_front(command);
                break;
            }
        }
        Some(leader)
    }

    fn can_reach(&self, from: MemberId, to: MemberId) -> bool {
        self.cut_off.contains(&from) == self.cut_off.contains(&to)
    }

    /// The member that the shop asks: one that leads and is ready, the first in order. Of two that both believe
    /// that they lead, the shop may well ask the wrong one.
    fn leader(&self) -> Option<MemberId> {
        (0..self.machines.len()).find(|member| {
            let leader = self.group.leader(*member);
            leader.is_some_and(|leader| leader.ready && leader.member == *member)
        })
    }

    fn best(&self) -> &Machine {
        let decided =
            |member: &usize| self.group.progress(*member).map_or(0, |progress| progress.decided);
        &self.machines[(0..self.machines.len()).max_by_key(decided).unwrap_or(0)]
    }

    /// Whether the group has agreed on every hold's end.
    pub(super) fn has_settled(&self) -> bool {
        self.best().holds == 0
    }

    /// The books of the member that knows most.
    pub(super) fn books(&self) -> (&Model, Vec<Order>) {
        let machine = self.best();
        let orders = machine.buyers.iter().flat_map(|(buyer, (_, standing))| {
            standing.orders.iter().map(|want| Order { buyer: *buyer, want: *want })
        });
        (&machine.shop, orders.collect())
    }
}

/// The most events among members before the opening: then the shop opens, even without a leader.
const MOST_EVENTS_BEFORE: usize = 100_000;

/// Blows that are drawn at random: a member is cut off or dies, and is back a while later.
fn rolled(quorum: &Quorum, dice: &mut Dice) -> Vec<(u64, Blow)> {
    let mut blows = Vec::new();
    let members = quorum.members.len();
    let within = quorum.blows_within_ns.max(1);
    for _ in 0..quorum.random_blows {
        let at = dice.rng().random_range(0..within);
        let lasts = dice.rng().random_range(0..within);
        let member = dice.rng().random_range(0..members);
        let (blow, after) = match dice.rng().random_bool(0.5) {
            true => (Blow::Partition(vec![member]), Blow::Heal),
            false => (Blow::Crash(member), Blow::Restart(member)),
        };
        blows.push((at, blow));
        blows.push((at.saturating_add(lasts), after));
    }
    blows
}
