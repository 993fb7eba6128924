//! A consensus group: members that agree on one log of commands, even if letters are lost.
//!
//! The protocol is Omni-Paxos (Ng, Haridi and Carbone, "Omni-Paxos: breaking the barriers of partial
//! connectivity", EuroSys 2023), run by the library of its authors: a leader is elected by heartbeats,
//! writes commands down, sends them to the others, and they are *decided* once a majority has them. Any
//! two majorities have a member in common, so the next leader has heard of all that was ever decided.
//!
//! Nothing here reads a clock, waits, draws random numbers or sends anything. The caller of a [`Group`] owns time and
//! the network: it calls [`Group::tick`] for each member as often as that member's clock ticks, takes the
//! letters from [`Group::post`], and hands each to [`Group::deliver`] when it arrives, or never. The same
//! calls give the same letters.
//!
//! **Proposals go to the leader, or are refused.** The library would let a follower forward them. Then a
//! command could be lost on a way that the shop never sees, or reach the log after the shop had given up
//! and asked elsewhere, and the hop would cost nothing in the shop's own network. Clients of etcd, Raft
//! and the like are redirected, so [`Refused::NotLeader`] names the leader, as far as that member knows it.
//!
//! **Accepted is not decided.** A leader that has lost its majority does not know it yet. It goes on
//! taking proposals and decides none of them; the caller hears nothing and times out. The outcome of such
//! a command is then *unknown*: the next leader may not have heard of it, and it is overwritten; or may
//! have, and it is decided late, even after the shop has tried again. A command that must not count twice
//! needs a unique name, which the state machine looks for.
//!
//! **A link is like a TCP connection.** The protocol counts on letters of one sender to one receiver to
//! come in order, or not at all ([`deliver`](Group::deliver) drops those that were overtaken or come
//! twice), on nothing to arrive from before a crash, and on being told when something was lost. The group
//! provides all of it: letters are numbered, and a gap makes both ends agree anew on what they have.
//! So partitions need no announcement, neither when they begin nor when they heal.
//!
//! **Time-outs.** A heartbeat must be answered before the next is due: `election_ticks` has to be longer
//! than a round trip, or no member hears another in time and no member leads. A leader is elected within a
//! few such periods of a majority being able to talk; a crashed one is replaced within a few as well.
//!
//! Two settings are **broken on purpose**: [`Acknowledge::Leader`] says "done" before a majority has the
//! command, as asynchronous replication does; [`Durability::Unsynced`] says "written" of what a crash
//! takes away, as a disk does without `fsync`. Each loses sales that a buyer was promised.

mod disk;
mod group;
mod letter;
mod links;
mod member;
mod options;
#[cfg(test)]
mod tests;

pub use group::{Decided, Delivery, Group, Leader, Progress, Refused};
pub use letter::{Letter, Topic};
pub use options::{Acknowledge, Durability, Options, Unworkable};

use std::fmt::Debug;

/// The number of a member, from 0.
pub type MemberId = usize;

/// A place in the log, counted from 0 as if nothing had ever been trimmed.
pub type Position = usize;

/// What a group can agree on. Compared only to see whether a command was overwritten by another.
pub trait LogCommand: Clone + Debug + PartialEq {}

impl<C: Clone + Debug + PartialEq> LogCommand for C {}
