//! The group as a whole: all that can happen to it from outside.

use omnipaxos::messages::Message;
use std::fmt;

use super::letter::{Content, Entered, Letter};
use super::links::{Arrival, Links};
use super::member::{Member, member_id};
use super::{LogCommand, MemberId, Options, Position, Unworkable};

/// Members that agree on one log of commands.
///
/// See the [module](super) for what it expects of its caller.
pub struct Group<C: LogCommand> {
    options: Options,
    members: Vec<Member<C>>,
    links: Links,
    /// Letters on their way out of the library. Kept for its room.
    leaving: Vec<Message<Entered<C>>>,
}

/// Why a member does not take a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The member is down, or does not exist. On a real network no answer would come.
    #[error("the member is down")]
    Down,
    /// It does not lead.
    #[error("the member does not lead")]
    NotLeader {
        /// The leader, as far as the member knows. None if it knows of none, or stands for election itself.
        leader: Option<MemberId>,
    },
}

/// What a member has not reported before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided<C> {
    /// The caller must undo the effects of all that was reported before and begin again, with what
    /// [`Group::trim`] has handed over, or with nothing. This is set when a member has just come up; and,
    /// with [`Acknowledge::Leader`](super::Acknowledge::Leader), when what it has reported turns out not to be
    /// in the log.
    pub afresh: bool,
    /// The position of the first of these commands.
    pub from: Position,
    /// The commands, in the order of the log.
    pub commands: Vec<C>,
}

/// The leader that a member follows. The member may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leader {
    /// The leader.
    pub member: MemberId,
    /// Whether this member has agreed with the leader on the log so far, and so, if it is the leader
    /// itself, takes proposals.
    pub ready: bool,
    /// By which ballot: of two members that disagree, the one with the higher ballot follows the later leader.
    pub ballot: u32,
}

/// How far a member's log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it begins: what is before was trimmed.
    pub trimmed: Position,
    /// Up to where it knows it to be decided.
    pub decided: Position,
    /// Up to where it is written, decided or not.
    pub written: Position,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Read.
    Taken,
    /// Lost: the receiver is down, or there is no such member.
    Down,
    /// Lost: the receiver has been down since it was sent, and the connection is a new one.
    Reconnected,
    /// Dropped: a later letter has come first, or this one has come before.
    Overtaken,
    /// Dropped: it would undo what is decided. It answers a letter that the member sent long before and has
    /// sent again since; or, if a disk has lied, its content is not true.
    Outdated,
}

impl<C: LogCommand> Group<C> {
    /// A group whose members are all up and have agreed on nothing yet, not even on a leader.
    ///
    /// # Errors
    /// If no group can be formed of these options.
    pub fn open(options: Options) -> Result<Self, Unworkable> {
        options.check()?;
        let ids = 0..options.members;
        let members = ids.map(|id| Member::open(id, &options)).collect::<Result<_, _>>()?;
        let links = Links::new(options.members);
        Ok(Self { options, members, links, leaving: Vec::new() })
    }

    /// How it was set up.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// A member's clock ticks. Clocks of different members may go at different speeds. A member that is
    /// down has no clock.
    pub fn tick(&mut self, member: MemberId) {
        if let Some(member) = self.members.get_mut(member)
            && let Some(node) = &mut member.node
        {
            node.tick();
            member.stirred = true;
        }
    }

    /// Asks a member to have a command decided, and returns where in the log it wrote it. That is no
    /// promise: it is decided once [`Group::decided`] reports this command at this position. If another
    /// is reported there, this one was overwritten and will never be decided.
    ///
    /// # Errors
    /// If the member is down or does not lead.
    pub fn propose(&mut self, member: MemberId, command: C) -> Result<Position, Refused> {
        let Some(proposer) = self.members.get_mut(member) else { return Err(Refused::Down) };
        let (leads, leader) = (proposer.leads(), proposer.leader());
        let Some(node) = &mut proposer.node else { return Err(Refused::Down) };
        let others = leader.map(|leader| leader.member).filter(|leader| *leader != member);
        if !leads {
            return Err(Refused::NotLeader { leader: others });
        }
        let position = node.get_accepted_idx();
        // The library itself refuses only while membership changes, which it never does here.
        node.append(Entered(command)).map_err(|_| Refused::NotLeader { leader: others })?;
        proposer.stirred = true;
        Ok(position)
    }

    /// A letter arrives now.
    pub fn deliver(&mut self, letter: Letter<C>) -> Delivery {
        let Letter { from, to, stamp, content } = letter;
        let counts = !content.topic().is_heartbeat();
        let Some(member) = self.members.get_mut(to) else { return Delivery::Down };
        if member.node.is_none() {
            return Delivery::Down;
        }
        let arrival = self.links.arrive(from, to, stamp, counts);
        match arrival {
            None => return Delivery::Down,
            Some(Arrival::OtherLife) => return Delivery::Reconnected,
            Some(Arrival::Overtaken) => return Delivery::Overtaken,
            Some(Arrival::InOrder) => {}
            Some(Arrival::AfterLoss) => member.has_missed(from),
        }
        member.stirred = true;
        match content {
            Content::Lost => member.was_missed(from),
            Content::Paxos(message) if member.is_undone_by(&message) => return Delivery::Outdated,
            Content::Paxos(message) => member.read(message),
        }
        Delivery::Taken
    }

    /// Puts the letters that members have written since the last call into `outgoing`, in the order in which
    /// each member sends them. Letters that a member has not sent when it crashes are never sent.
    ///
    /// Commands that were proposed to one leader between two calls travel together, in a letter for each
    /// follower.
    pub fn post(&mut self, outgoing: &mut Vec<Letter<C>>) {
        for (from, member) in self.members.iter_mut().enumerate() {
            if !std::mem::take(&mut member.stirred) {
                continue;
            }
            let Some(node) = &mut member.node else { continue };
            node.take_outgoing_messages(&mut self.leaving);
            let complaints = member.missed.drain(..).map(|to| (to, Content::Lost));
            let messages = self.leaving.drain(..).filter_map(|message| {
                let to = member_id(message.get_receiver())?;
                Some((to, Content::Paxos(message)))
            });
            for (to, content) in complaints.chain(messages) {
                let counts = !content.topic().is_heartbeat();
                if let Some(stamp) = self.links.stamp(from, to, counts) {
                    outgoing.push(Letter { from, to, stamp, content });
                }
            }
        }
    }

    /// What a member has found decided since it was last asked. Each command comes once, in the order of
    /// the log, until [`Decided::afresh`] says to begin again. Nothing from a member that is down.
    ///
    /// With [`Acknowledge::Leader`](super::Acknowledge::Leader), a member that believes it leads reports
    /// what it has written down itself as well.
    pub fn decided(&mut self, member: MemberId) -> Decided<C> {
        match self.members.get_mut(member) {
            Some(member) => member.decided(self.options.acknowledge),
            None => Decided { afresh: false, from: 0, commands: Vec::new() },
        }
    }

    /// The leader that a member follows. None if it follows none yet, or is down.
    #[must_use]
    pub fn leader(&self, member: MemberId) -> Option<Leader> {
        self.members.get(member)?.leader()
    }

    /// How far a member's log goes, even while it is down. None if there is no such member.
    #[must_use]
    pub fn progress(&self, member: MemberId) -> Option<Progress> {
        Some(self.members.get(member)?.disk(|disk| Progress {
            trimmed: disk.start(),
            decided: disk.decided(),
            written: disk.end(),
        }))
    }

    /// A member goes down, with all that is not on its disk, and with
    /// [`Durability::Unsynced`](super::Durability::Unsynced) with part of what is.
    pub fn crash(&mut self, member: MemberId) {
        if let Some(member) = self.members.get_mut(member).filter(|member| member.node.is_some()) {
            member.crash();
        }
    }

    /// A member comes back with what is on its disk, and asks the others what it has missed.
    pub fn restart(&mut self, member: MemberId) {
        let Some(down) = self.members.get_mut(member).filter(|member| member.node.is_none()) else {
            return;
        };
        // The same options were found workable when the group was opened.
        if down.start(&self.options).is_ok() {
            self.links.revive(member);
        }
    }

    /// Whether a member is up.
    #[must_use]
    pub fn is_up(&self, member: MemberId) -> bool {
        self.members.get(member).is_some_and(|member| member.node.is_some())
    }

    /// A member makes sure that what it has written so far survives a crash. Does nothing with
    /// [`Durability::Synced`](super::Durability::Synced).
    pub fn flush(&mut self, member: MemberId) {
        if let Some(member) = self.members.get(member) {
            member.flush();
        }
    }

    /// Forgets the commands that all members know to be decided, crash or no crash, and that all who are up
    /// have reported, and hands them over, in the order of the log: a member that comes up later begins
    /// its log after them, and a caller that needs their effects must have kept those.
    ///
    /// The group does this itself rather than by letters among members, since the library's own trimming can
    /// leave a later leader with less than it needs. While a member is down or cut off nothing after its log
    /// can be forgotten, since no other member could send it what it lacks.
    #[must_use]
    pub fn trim(&mut self) -> Vec<C> {
        let before = self.members.iter().map(Member::dispensable).min().unwrap_or(0);
        let mut forgotten = self.members.iter().map(|member| member.forget(before));
        let first = forgotten.next().unwrap_or_default();
        forgotten.for_each(drop);
        first
    }
}

impl<C: LogCommand> fmt::Debug for Group<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.iter().enumerate();
        f.debug_struct("Group")
            .field("options", &self.options)
            .field(
                "members",
                &members.map(|(id, _)| (self.leader(id), self.progress(id))).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
