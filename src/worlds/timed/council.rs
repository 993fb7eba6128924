//! The council: a store that is a group of members, who agree on every op before it counts. Each member
//! carries out what was decided, in the same order, on a shop of its own; the leader's answers.

use std::collections::BTreeMap;

use rand::RngExt;
use slab::Slab;

use super::agenda::Agenda;
use super::guests::Guestbook;
use super::quorum::{Delivery, Group, Letter, MemberId, Options};
use super::scene::{Blow, Quorum};
use super::world::{Event, World};
use crate::attempt::{Failure, Missed};
use crate::chance::Dice;
use crate::error::Error;
use crate::op::{BuyerId, Op, Order, Reply};
use crate::stores::model::{Grip, Model, Standing};
use crate::strategy::Strategy;

/// What the group agrees on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// An op of a buyer, and which question it answers.
    Op { question: u64, buyer: BuyerId, op: Op },
    /// A buyer's hold runs out.
    Expire { buyer: BuyerId },
}

/// A shop as one member knows it.
#[derive(Clone, Debug)]
struct Machine {
    shop: Model,
    /// How each buyer stands, with its connection.
    buyers: BTreeMap<BuyerId, (Grip, Standing)>,
}

impl Machine {
    fn new(shop: &Model) -> Self {
        Self { shop: shop.clone(), buyers: BTreeMap::new() }
    }

    /// Carries out a command; none if it cannot be done without waiting, which no op here may.
    fn apply(&mut self, command: &Command) -> Option<Result<Reply, Missed>> {
        match command {
            Command::Op { buyer, op, .. } => {
                let (grip, standing) = self.buyers.entry(*buyer).or_default();
                self.shop.apply(*op, grip, standing)
            }
            Command::Expire { buyer } => {
                let (_, standing) = self.buyers.entry(*buyer).or_default();
                self.shop.expire_hold(standing);
                None
            }
        }
    }
}

/// The members, their network, and who waits for their answer.
pub(super) struct Council {
    group: Group<Command>,
    machines: Vec<Machine>,
    opening: Model,
    /// Letters on their way, and when the last on each link arrives.
    letters: Slab<Letter<Command>>,
    arrived_ns: BTreeMap<(MemberId, MemberId), u64>,
    post: Vec<Letter<Command>>,
    /// Who is cut off from all others, if anybody is.
    cut_off: Vec<MemberId>,
    blows: Vec<Blow>,
    questions: u64,
    /// Whose question it is, by its number.
    asked: BTreeMap<u64, usize>,
}

impl Council {
    pub(super) fn open(
        quorum: &Quorum,
        shop: &Model,
        agenda: &mut Agenda<Event>,
        dice: &mut Dice,
    ) -> Result<Self, Error> {
        let members = quorum.members.len();
        // Whoever is named first leads first.
        let priorities = (0..members as u32).rev().collect();
        let options = Options {
            members,
            priorities: Some(priorities),
            acknowledge: quorum.acknowledge,
            durability: quorum.durability,
            ..Options::default()
        };
        let group = Group::open(options).map_err(|why| Error::input(why.to_string()))?;
        for member in 0..members {
            agenda.enter(0, Event::Tick(member));
        }
        let mut blows = Vec::new();
        for (at_ns, blow) in quorum.script.iter().cloned().chain(rolled(quorum, dice)) {
            agenda.enter(at_ns, Event::Blow(blows.len()));
            blows.push(blow);
        }
        Ok(Self {
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
        })
    }

    fn can_reach(&self, from: MemberId, to: MemberId) -> bool {
        self.cut_off.contains(&from) == self.cut_off.contains(&to)
    }

    /// Whom the shop asks: a member that leads and is ready, the first in order; of two who both think that
    /// they lead, the shop may well ask the wrong one.
    fn leader(&self) -> Option<MemberId> {
        (0..self.machines.len()).find(|member| {
            let leader = self.group.leader(*member);
            leader.is_some_and(|leader| leader.ready && leader.member == *member)
        })
    }

    /// The books of the member who knows most.
    pub(super) fn books(&self) -> (&Model, Vec<Order>) {
        let decided =
            |member: &usize| self.group.progress(*member).map_or(0, |progress| progress.decided);
        let best = (0..self.machines.len()).max_by_key(decided).unwrap_or(0);
        let machine = &self.machines[best];
        let orders = machine.buyers.iter().flat_map(|(buyer, (_, standing))| {
            standing.orders.iter().map(|want| Order { buyer: *buyer, want: *want })
        });
        (&machine.shop, orders.collect())
    }
}

/// Blows that the dice deal: a member is cut off or dies, and is back a while later.
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

impl<S: Strategy + ?Sized, G: Guestbook> World<'_, S, G> {
    /// A task's op arrives at the shop's place: it goes to the leader, as far as anybody knows one.
    pub(super) fn ask_council(&mut self, number: usize, op: Op) {
        let buyer = self.seats[self.tasks[number].seat].buyer;
        let within = self.scene.quorum.as_ref().map_or(0, |quorum| quorum.answer_within_ns);
        let deadline = self.now() + within;
        let Some(council) = &mut self.council else { return };
        council.questions += 1;
        let question = council.questions;
        council.asked.insert(question, number);
        self.tasks[number].question = question;
        self.agenda.enter(deadline, Event::TimeOut(number, question));
        if let Some(leader) = council.leader() {
            let _ = council.group.propose(leader, Command::Op { question, buyer, op });
            self.after_group_moved(leader);
        }
    }

    /// A hold has run out: that, too, is for the group to agree on.
    pub(super) fn propose_expiry(&mut self, buyer: BuyerId) {
        let Some(council) = &mut self.council else { return };
        if let Some(leader) = council.leader() {
            let _ = council.group.propose(leader, Command::Expire { buyer });
            self.after_group_moved(leader);
        }
    }

    /// Something happens among members.
    pub(super) fn council_event(&mut self, event: Event) {
        let now = self.now();
        let Some(quorum) = &self.scene.quorum else { return };
        let Some(council) = &mut self.council else { return };
        match event {
            Event::Tick(member) => {
                council.group.tick(member);
                let last = (quorum.members.len() - 1).max(1) as f64;
                let slower = 1.0 + quorum.skew * member as f64 / last;
                let next = now + (quorum.tick_ns as f64 * slower) as u64;
                self.agenda.enter(next, Event::Tick(member));
                self.after_group_moved(member);
            }
            Event::Letter(number) => {
                let letter = council.letters.remove(number);
                let to = letter.to;
                // Who was cut off meanwhile does not get it.
                if council.can_reach(letter.from, to) {
                    let commands = letter.commands();
                    let (from, topic) = (letter.from, letter.topic());
                    if council.group.deliver(letter) == Delivery::Taken && commands > 0 {
                        self.story.tell(now, || {
                            let name = |member: MemberId| quorum.members[member].0.clone();
                            (name(to), format!("{} from {}", topic.name(), name(from)))
                        });
                    }
                }
                self.after_group_moved(to);
            }
            Event::Blow(number) => {
                let blow = council.blows[number].clone();
                let name = |member: &MemberId| quorum.members[*member].0.clone();
                let (place, what) = match &blow {
                    Blow::Partition(members) => {
                        let names: Vec<String> = members.iter().map(name).collect();
                        (names.join(", "), "is cut off from the others")
                    }
                    Blow::Heal => ("network".into(), "everybody can reach everybody again"),
                    Blow::Crash(member) => (name(member), "dies"),
                    Blow::Restart(member) => (name(member), "is back"),
                };
                self.story.tell(now, || (place, what.to_owned()));
                match blow {
                    Blow::Partition(members) => council.cut_off = members,
                    Blow::Heal => council.cut_off.clear(),
                    Blow::Crash(member) => council.group.crash(member),
                    Blow::Restart(member) => council.group.restart(member),
                }
                self.after_group_moved(0);
            }
            _ => {}
        }
    }

    /// A task has waited long enough for the group.
    pub(super) fn time_out(&mut self, number: usize, question: u64) {
        let Some(council) = &mut self.council else { return };
        if council.asked.remove(&question).is_some() {
            let seat = self.tasks[number].seat;
            self.tell_shop(seat, |name| format!("no majority answers for {name} in time"));
            self.go_on(number, Some(Err(Missed::Failed(Failure::NoMajority))), self.now());
        }
    }

    /// Carries out what members have decided, answers who asked the one that acted, and posts their letters.
    fn after_group_moved(&mut self, acted: MemberId) {
        let now = self.now();
        let Some(quorum) = &self.scene.quorum else { return };
        let mut answers = Vec::new();
        if let Some(council) = &mut self.council {
            let decided = council.group.decided(acted);
            if decided.afresh {
                council.machines[acted] = Machine::new(&council.opening);
            }
            let leads = council.group.leader(acted).is_some_and(|leader| leader.member == acted);
            for command in decided.commands {
                let reply = council.machines[acted].apply(&command);
                if let (true, Command::Op { question, op, .. }, Some(reply)) =
                    (leads, &command, reply)
                    && let Some(task) = council.asked.remove(question)
                {
                    answers.push((task, *op, reply));
                }
            }
            council.group.post(&mut council.post);
            let post = std::mem::take(&mut council.post);
            for letter in post {
                let (from, to) = (letter.from, letter.to);
                if !council.can_reach(from, to) {
                    continue;
                }
                let ways = [from, to].map(|member| quorum.members[member].1.roll(self.dice.rng()));
                let last = council.arrived_ns.entry((from, to)).or_default();
                *last = (now + ways[0] + ways[1]).max(*last);
                let number = council.letters.insert(letter);
                self.agenda.enter(*last, Event::Letter(number));
            }
        }
        for (task, op, reply) in answers {
            let seat = self.tasks[task].seat;
            if matches!(op, Op::Hold { .. }) && reply == Ok(Reply::Applied(true)) {
                self.hold_runs(seat);
            }
            self.replied(task, op, reply);
        }
    }
}
