//! A network for tests: fixed latency, a partition as a predicate, and a machine a member that does
//! nothing but keep its commands.

use std::collections::BTreeMap;

use crate::worlds::timed::quorum::{Group, Letter, MemberId, Options, Position, Topic};

pub(super) type TestCommand = u32;

/// Whether a letter from one member to another gets through when it arrives.
pub(super) type Passes = Box<dyn Fn(MemberId, MemberId) -> bool>;

/// How long a letter takes.
const LATENCY: u64 = 3;
/// How long a tick takes.
const TICK: u64 = 2;

pub(super) struct Net {
    pub(super) group: Group<TestCommand>,
    pub(super) now: u64,
    queue: BTreeMap<(u64, u64), Letter<TestCommand>>,
    sent: u64,
    passes: Passes,
    /// Every how many letters one is lost; 0 for never.
    pub(super) loss: u64,
    /// How much longer than others a letter may take, and be overtaken.
    pub(super) jitter: u64,
    /// How much slower each member's clock goes than the one before it.
    pub(super) skew: u64,
    /// What each member's machine has been told, without what was trimmed.
    pub(super) machines: Vec<Vec<TestCommand>>,
    /// What was trimmed.
    pub(super) checkpoint: Vec<TestCommand>,
    /// How often a machine had to begin again.
    pub(super) afresh: u32,
    /// Every letter ever sent, as text, if a test asks for it.
    pub(super) trace: Option<Vec<String>>,
}

impl Net {
    pub(super) fn open(options: Options) -> Self {
        let machines = vec![Vec::new(); options.members];
        Self {
            group: Group::open(options).unwrap(),
            now: 0,
            queue: BTreeMap::new(),
            sent: 0,
            passes: Box::new(|_, _| true),
            loss: 0,
            jitter: 0,
            skew: 0,
            machines,
            checkpoint: Vec::new(),
            afresh: 0,
            trace: None,
        }
    }

    pub(super) fn members(&self) -> usize {
        self.machines.len()
    }

    /// From now on only these letters get through.
    pub(super) fn partition(&mut self, passes: impl Fn(MemberId, MemberId) -> bool + 'static) {
        self.passes = Box::new(passes);
    }

    /// Cuts these members off from all others, but not from each other.
    pub(super) fn cut_off(&mut self, few: &[MemberId]) {
        let few = few.to_vec();
        self.partition(move |from, to| few.contains(&from) == few.contains(&to));
    }

    pub(super) fn heal(&mut self) {
        self.partition(|_, _| true);
    }

    fn post(&mut self) {
        let mut letters = Vec::new();
        self.group.post(&mut letters);
        for letter in letters {
            self.sent += 1;
            if let Some(trace) = &mut self.trace {
                trace.push(format!("{} {letter:?}", self.now));
            }
            let chance = (self.sent * 7919) % 1009;
            let lost = self.loss > 0 && chance.is_multiple_of(self.loss);
            let late = chance % (self.jitter + 1);
            if !lost {
                self.queue.insert((self.now + LATENCY + late, self.sent), letter);
            }
        }
    }

    /// Proposes to a member that leads.
    pub(super) fn propose(
        &mut self,
        leader: MemberId,
        commands: impl IntoIterator<Item = TestCommand>,
    ) {
        for command in commands {
            assert!(self.group.propose(leader, command).is_ok());
        }
    }

    /// Machines take what is decided.
    pub(super) fn apply(&mut self) {
        for member in 0..self.members() {
            let decided = self.group.decided(member);
            let machine = &mut self.machines[member];
            if decided.afresh {
                machine.clear();
                self.afresh += 1;
            }
            if !decided.commands.is_empty() {
                let at: Position = self.group.progress(member).unwrap().trimmed + machine.len();
                assert_eq!(decided.from, at, "commands come without gaps");
            }
            machine.extend(decided.commands);
        }
    }

    /// A moment passes.
    pub(super) fn step(&mut self) {
        self.now += 1;
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let letter = entry.remove();
            if (self.passes)(letter.from, letter.to) {
                self.group.deliver(letter);
                self.post();
            }
        }
        for member in 0..self.members() {
            if self.now.is_multiple_of(TICK + self.skew * member as u64) {
                self.group.tick(member);
            }
        }
        self.post();
        self.apply();
    }

    pub(super) fn run(&mut self, moments: u64) {
        (0..moments).for_each(|_| self.step());
    }

    /// Who leads and takes proposals, by the latest ballot.
    pub(super) fn leader(&self) -> Option<MemberId> {
        let leaders = (0..self.members()).filter_map(|member| self.group.leader(member));
        let latest = leaders.filter(|leader| leader.ready).max_by_key(|leader| leader.ballot)?;
        Some(latest.member).filter(|member| {
            let own = self.group.leader(*member);
            own.is_some_and(|own| own.member == *member && own.ready)
        })
    }

    /// Runs until a member leads.
    pub(super) fn elect(&mut self) -> MemberId {
        for _ in 0..200 {
            self.step();
            if let Some(leader) = self.leader() {
                return leader;
            }
        }
        panic!("no member leads: {:?}", self.group)
    }

    /// Trims, and keeps what was trimmed.
    pub(super) fn trim(&mut self) {
        let trimmed = self.group.trim();
        for member in 0..self.members() {
            // A member that is down, or has just come up, will begin after what was trimmed.
            let machine = &mut self.machines[member];
            let known = trimmed.len().min(machine.len());
            assert_eq!(machine.drain(..known).collect::<Vec<_>>(), trimmed[..known]);
        }
        self.checkpoint.extend(trimmed);
    }

    /// How many letters on a topic are on their way.
    pub(super) fn pending(&self, topic: Topic) -> usize {
        self.queue.values().filter(|letter| letter.topic() == topic).count()
    }
}
