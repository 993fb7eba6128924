//! One member: the library while it is up, its disk always, and how much of the log it has reported.

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::messages::Message;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::util::NodeId;
use omnipaxos::{ClusterConfig, OmniPaxos, OmniPaxosConfig, ServerConfig};

use super::disk::{Disk, SharedDisk};
use super::letter::Entered;
use super::{Acknowledge, Decided, Leader, LogCommand, MemberId, Options, Position, Unworkable};

/// The library's part of a member.
pub(super) type Node<C> = OmniPaxos<Entered<C>, SharedDisk<C>>;

/// How the library numbers members: from 1, since 0 stands for no member.
pub(super) const fn node_id(member: MemberId) -> NodeId {
    member as NodeId + 1
}

/// How we number them.
pub(super) const fn member_id(node: NodeId) -> Option<MemberId> {
    match node {
        0 => None,
        _ => Some(node as MemberId - 1),
    }
}

/// One member.
pub(super) struct Member<C: LogCommand> {
    id: MemberId,
    /// None while it is down.
    pub(super) node: Option<Node<C>>,
    disk: SharedDisk<C>,
    /// Up to where the log was reported.
    told: Position,
    /// Whether what was reported is to be forgotten first.
    afresh: bool,
    /// Whether it may have something to send.
    pub(super) stirred: bool,
    /// Whose letters it missed and has not complained about yet.
    pub(super) missed: Vec<MemberId>,
    /// The later ballot that another member follows instead of this member's, and how often this member was
    /// told so.
    spurned: (Ballot, u32),
}

/// How often a leader hears of a later ballot before it assumes that no leader came of that ballot.
const PATIENCE: u32 = 3;

impl<C: LogCommand> Member<C> {
    /// A member with an empty disk.
    pub(super) fn open(id: MemberId, options: &Options) -> Result<Self, Unworkable> {
        let disk = SharedDisk::blank(options.durability);
        let mut member = Self {
            id,
            node: None,
            disk,
            told: 0,
            afresh: true,
            stirred: true,
            missed: Vec::new(),
            spurned: (Ballot::default(), 0),
        };
        member.start(options)?;
        Ok(member)
    }

    /// Comes up with what is on its disk.
    pub(super) fn start(&mut self, options: &Options) -> Result<(), Unworkable> {
        let config = OmniPaxosConfig {
            cluster_config: ClusterConfig {
                configuration_id: 1,
                nodes: (0..options.members).map(node_id).collect(),
                flexible_quorum: None,
            },
            server_config: ServerConfig {
                pid: node_id(self.id),
                election_tick_timeout: options.election_ticks,
                resend_message_tick_timeout: options.resend_ticks,
                leader_priority: options.priority(self.id),
                // A capacity to begin with, not a limit; the library's default is 100,000.
                buffer_size: 16,
                ..ServerConfig::default()
            },
        };
        let node = config.build(self.disk.clone());
        self.node = Some(node.map_err(|why| Unworkable::Refused(why.to_string()))?);
        self.stirred = true;
        Ok(())
    }

    /// Goes down.
    pub(super) fn crash(&mut self) {
        self.node = None;
        self.missed.clear();
        self.spurned = (Ballot::default(), 0);
        self.disk.write(Disk::crash);
        self.afresh = true;
    }

    /// Makes what it has written survive a crash.
    pub(super) fn flush(&self) {
        self.disk.write(Disk::flush);
    }

    /// Looks at its disk.
    pub(super) fn disk<T>(&self, look: impl FnOnce(&Disk<C>) -> T) -> T {
        self.disk.read(look)
    }

    /// The leader that it follows.
    pub(super) fn leader(&self) -> Option<Leader> {
        let node = self.node.as_ref()?;
        let (leader, ready) = node.get_current_leader()?;
        Some(Leader { member: member_id(leader)?, ready, ballot: node.get_promise().n })
    }

    /// Whether it takes proposals, as far as it knows itself.
    pub(super) fn leads(&self) -> bool {
        self.leader().is_some_and(|leader| leader.ready && leader.member == self.id)
    }

    /// What is new in its log.
    pub(super) fn decided(&mut self, acknowledge: Acknowledge) -> Decided<C> {
        if self.node.is_none() {
            return Decided { afresh: false, from: self.told, commands: Vec::new() };
        }
        let early = acknowledge == Acknowledge::Leader && self.leads();
        let overwritten = self.disk.write(Disk::take_overwritten);
        // Only what was reported before it was decided is ever overwritten.
        let taken_back = overwritten.is_some_and(|at| at < self.told);
        let afresh = std::mem::take(&mut self.afresh) || taken_back;
        self.disk.read(|disk| {
            let from = if afresh { disk.start() } else { self.told };
            let to = if early { disk.end() } else { disk.decided() };
            self.told = from.max(to);
            Decided { afresh, from, commands: disk.commands(from, to) }
        })
    }

    /// Up to where it needs no command any more, neither to report it nor for others to catch up.
    pub(super) fn dispensable(&self) -> Position {
        let decided = self.disk.read(Disk::decided_for_good);
        match self.node {
            Some(_) if !self.afresh => decided.min(self.told),
            _ => decided,
        }
    }

    /// Forgets what is before a position and hands it over.
    pub(super) fn forget(&self, before: Position) -> Vec<C> {
        self.disk.write(|disk| disk.forget(before))
    }

    /// A letter of `from` was lost on its way here. Members that prepare or recover repeat their letters. Only
    /// members that have agreed wait for each other, a follower for its leader or the other way.
    pub(super) fn has_missed(&mut self, from: MemberId) {
        if self.agrees_with(from) {
            self.recover(from);
        } else if !self.missed.contains(&from) {
            self.missed.push(from);
        }
    }

    /// A letter of this member was lost on its way to `to`.
    pub(super) fn was_missed(&mut self, to: MemberId) {
        if self.agrees_with(to) {
            self.recover(to);
        }
    }

    fn agrees_with(&self, leader: MemberId) -> bool {
        self.leader().is_some_and(|own| own.member == leader && own.ready)
    }

    /// Asks a leader to agree with this member anew on what it has.
    fn recover(&mut self, leader: MemberId) {
        if let Some(node) = &mut self.node {
            node.reconnected(node_id(leader));
        }
    }

    /// Hands a letter to the library, and does what the library leaves undone.
    pub(super) fn read(&mut self, message: Message<Entered<C>>) {
        let spurned = self.is_spurned_by(&message);
        let Some(node) = &mut self.node else { return };
        node.handle_incoming(message);
        if spurned {
            node.try_become_leader();
        }
    }

    /// Whether this member leads another that cannot follow it. The other has promised to follow no ballot
    /// before a later one, and no leader came of that later ballot: its owner crashed, or was not heard. The
    /// library lets both members wait for the next election, which need not ever come. All members can
    /// follow a leader with a higher ballot.
    ///
    /// Not at the first such request: the later ballot may well have a leader of which this member is about
    /// to hear.
    fn is_spurned_by(&mut self, message: &Message<Entered<C>>) -> bool {
        let (Some(node), Message::SequencePaxos(paxos)) = (&self.node, message) else {
            return false;
        };
        let PaxosMsg::PrepareReq(request) = &paxos.msg else { return false };
        if !self.leads() || request.n <= node.get_promise() {
            return false;
        }
        if self.spurned.0 != request.n {
            self.spurned = (request.n, 0);
        }
        self.spurned.1 += 1;
        self.spurned.1 >= PATIENCE
    }

    /// Whether a letter would undo what is decided here, or tells a leader of entries that it never sent.
    ///
    /// The former is an answer to a promise that the member has made again since, knowing more (the
    /// library asserts that there are none, and the leader may have trimmed what it would send); either can
    /// come of a disk that has lied.
    pub(super) fn is_undone_by(&self, message: &Message<Entered<C>>) -> bool {
        let (Some(node), Message::SequencePaxos(paxos)) = (&self.node, message) else {
            return false;
        };
        // In other states, and of other ballots, the library ignores them.
        let prepares = node.get_current_leader().is_some_and(|(_, ready)| !ready);
        let undoes = |from| prepares && from < node.get_decided_idx();
        match &paxos.msg {
            PaxosMsg::AcceptSync(sync) if sync.n == node.get_promise() => {
                undoes(sync.log_sync.sync_idx)
            }
            PaxosMsg::Promise(promise) if promise.n == node.get_promise() => {
                promise.log_sync.as_ref().is_some_and(|sync| undoes(sync.sync_idx))
            }
            PaxosMsg::Accepted(accepted) if accepted.n == node.get_promise() => {
                accepted.accepted_idx > node.get_accepted_idx()
            }
            _ => false,
        }
    }
}
