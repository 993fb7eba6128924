//! What members write to each other.

use omnipaxos::messages::Message;
use omnipaxos::messages::ballot_leader_election::HeartbeatMsg;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::storage::{Entry, NoSnapshot};

use super::links::Stamp;
use super::{LogCommand, MemberId};

/// A command as the library keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entered<C>(pub(super) C);

impl<C: LogCommand> Entry for Entered<C> {
    type Snapshot = NoSnapshot;
}

/// What is in a letter.
#[derive(Clone, Debug)]
pub(super) enum Content<C: LogCommand> {
    /// The library's.
    Paxos(Message<Entered<C>>),
    /// Ours: "something of yours was lost on its way to me".
    Lost,
}

/// Something on its way from one member to another.
#[derive(Clone, Debug)]
pub struct Letter<C: LogCommand> {
    /// The sender.
    pub from: MemberId,
    /// The receiver.
    pub to: MemberId,
    pub(super) stamp: Stamp,
    pub(super) content: Content<C>,
}

impl<C: LogCommand> Letter<C> {
    /// What it is about, for a timeline.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.content.topic()
    }

    /// How many commands it carries, for a network where size matters.
    #[must_use]
    pub fn commands(&self) -> usize {
        let Content::Paxos(Message::SequencePaxos(paxos)) = &self.content else { return 0 };
        match &paxos.msg {
            PaxosMsg::AcceptDecide(accept) => accept.entries.len(),
            PaxosMsg::AcceptSync(sync) => sync.log_sync.suffix.len(),
            PaxosMsg::Promise(promise) => {
                promise.log_sync.as_ref().map_or(0, |sync| sync.suffix.len())
            }
            PaxosMsg::ProposalForward(commands) => commands.len(),
            _ => 0,
        }
    }
}

impl<C: LogCommand> Content<C> {
    pub(super) fn topic(&self) -> Topic {
        let paxos = match self {
            Self::Lost => return Topic::Lost,
            Self::Paxos(Message::BLE(election)) => {
                return match election.msg {
                    HeartbeatMsg::Request(_) => Topic::Heartbeat,
                    HeartbeatMsg::Reply(_) => Topic::HeartbeatReply,
                };
            }
            Self::Paxos(Message::SequencePaxos(paxos)) => &paxos.msg,
        };
        match paxos {
            PaxosMsg::PrepareReq(_) => Topic::PrepareRequest,
            PaxosMsg::Prepare(_) => Topic::Prepare,
            PaxosMsg::Promise(_) => Topic::Promise,
            PaxosMsg::AcceptSync(_) => Topic::AcceptSync,
            PaxosMsg::AcceptDecide(_) => Topic::Accept,
            PaxosMsg::Accepted(_) => Topic::Accepted,
            PaxosMsg::NotAccepted(_) => Topic::NotAccepted,
            PaxosMsg::Decide(_) => Topic::Decide,
            PaxosMsg::ProposalForward(_)
            | PaxosMsg::Compaction(_)
            | PaxosMsg::AcceptStopSign(_)
            | PaxosMsg::ForwardStopSign(_) => Topic::Other,
        }
    }
}

/// What a letter is about, in the protocol's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// "Who is there?"
    Heartbeat,
    /// "I am up, and this is the leader that I follow."
    HeartbeatReply,
    /// "I have come back, or missed something: if you lead, prepare me again."
    PrepareRequest,
    /// "I want to lead."
    Prepare,
    /// "I follow you and no earlier leader; this is what I have."
    Promise,
    /// "This is what you lack, or have wrongly."
    AcceptSync,
    /// "Write this down." Also says what has been decided by now.
    Accept,
    /// "It is written down."
    Accepted,
    /// "I follow a later leader than you."
    NotAccepted,
    /// "This much is decided."
    Decide,
    /// "Something of yours was lost on its way to me."
    Lost,
    /// What this group never sends: forwarded proposals, trimming and changes of membership.
    Other,
}

impl Topic {
    /// As it stands in a timeline.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::HeartbeatReply => "heartbeat reply",
            Self::PrepareRequest => "prepare request",
            Self::Prepare => "prepare",
            Self::Promise => "promise",
            Self::AcceptSync => "accept-sync",
            Self::Accept => "accept",
            Self::Accepted => "accepted",
            Self::NotAccepted => "not accepted",
            Self::Decide => "decide",
            Self::Lost => "letter lost",
            Self::Other => "other",
        }
    }

    /// Whether only the election depends on it: if it is lost, the next one makes up for it.
    #[must_use]
    pub fn is_heartbeat(self) -> bool {
        matches!(self, Self::Heartbeat | Self::HeartbeatReply)
    }
}
