//! Links between members: the little of TCP that the protocol counts on.
//!
//! Letters from one member to another are numbered. A letter is dropped if a later one has overtaken it, if
//! it comes twice, or if its receiver has crashed since it was sent. A number that is missing when a later
//! one arrives is a lost letter. Heartbeats go over every link all the time, so that no loss stays unnoticed
//! for longer than one of them takes. Lost heartbeats themselves are not counted.

use super::MemberId;

/// What a letter bears besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The number of the letter on this link, from 1.
    number: u64,
    /// How many letters that count were sent on this link, this one included if it counts.
    counted: u64,
    /// Which life of the receiver it was sent to.
    life: u32,
}

/// How a letter arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// As the next.
    InOrder,
    /// As the next that arrived, and at least one that counts was lost before it.
    AfterLoss,
    /// After a later one, or a second time.
    Overtaken,
    /// After the receiver had crashed and come back.
    OtherLife,
}

/// One direction between two members.
#[derive(Clone, Debug, Default)]
struct PeerLink {
    sent: u64,
    sent_counted: u64,
    seen: u64,
    seen_counted: u64,
}

/// All links of a group.
#[derive(Clone, Debug)]
pub(super) struct Links {
    members: usize,
    links: Vec<PeerLink>,
    lives: Vec<u32>,
}

impl Links {
    pub(super) fn new(members: usize) -> Self {
        Self {
            members,
            links: vec![PeerLink::default(); members * members],
            lives: vec![0; members],
        }
    }

    /// The stamp of the next letter; `counts` unless it can be lost without harm. None if either end is
    /// no member.
    pub(super) fn stamp(&mut self, from: MemberId, to: MemberId, counts: bool) -> Option<Stamp> {
        let life = *self.lives.get(to)?;
        let link = self.link(from, to)?;
        link.sent += 1;
        link.sent_counted += u64::from(counts);
        Some(Stamp { number: link.sent, counted: link.sent_counted, life })
    }

    /// Takes note of a letter that arrives. None if either end is no member.
    pub(super) fn arrive(
        &mut self,
        from: MemberId,
        to: MemberId,
        stamp: Stamp,
        counts: bool,
    ) -> Option<Arrival> {
        let life = *self.lives.get(to)?;
        let link = self.link(from, to)?;
        if stamp.life != life {
            return Some(Arrival::OtherLife);
        }
        if stamp.number <= link.seen {
            return Some(Arrival::Overtaken);
        }
        let expected = link.seen_counted + u64::from(counts);
        link.seen = stamp.number;
        link.seen_counted = stamp.counted;
        Some(if stamp.counted > expected { Arrival::AfterLoss } else { Arrival::InOrder })
    }

    /// A member comes back: all letters sent to it before are lost. It will not ask for them, since a member
    /// that comes back begins by asking all others for everything.
    pub(super) fn revive(&mut self, member: MemberId) {
        if let Some(life) = self.lives.get_mut(member) {
            *life += 1;
        }
        for from in 0..self.members {
            if let Some(link) = self.link(from, member) {
                link.seen = link.sent;
                link.seen_counted = link.sent_counted;
            }
        }
    }

    fn link(&mut self, from: MemberId, to: MemberId) -> Option<&mut PeerLink> {
        if from >= self.members || to >= self.members {
            return None;
        }
        self.links.get_mut(from * self.members + to)
    }
}
