//! What a member has written down, which outlives its crashes.
//!
//! The library owns a member's storage for as long as the member is up and gives it up with the member,
//! so the disk is shared between the library, which writes, and the group, which reads what is decided,
//! forgets what no member needs, and makes it crash.
//!
//! Positions count from the beginning of the log, trimmed or not. Nothing here fails and no position is
//! out of bounds: a member whose disk has lied ([`Durability::Unsynced`]) may be asked for what it does not
//! have, and then returns nothing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::{NoSnapshot, StopSign, Storage, StorageOp, StorageResult};

use super::letter::Entered;
use super::{Durability, LogCommand, Position};

/// The pages of a disk.
#[derive(Clone, Debug)]
struct Pages<C> {
    /// The log without what was trimmed.
    log: VecDeque<Entered<C>>,
    /// How much was trimmed.
    start: Position,
    promise: Option<Ballot>,
    accepted: Option<Ballot>,
    decided: Position,
}

impl<C> Pages<C> {
    const fn blank() -> Self {
        Self { log: VecDeque::new(), start: 0, promise: None, accepted: None, decided: 0 }
    }

    /// One past the last position.
    fn end(&self) -> Position {
        self.start + self.log.len()
    }

    /// Where in `log` a position is; its end if it is not there.
    fn index(&self, position: Position) -> usize {
        position.saturating_sub(self.start).min(self.log.len())
    }
}

/// A member's disk.
#[derive(Debug)]
pub(super) struct Disk<C> {
    written: Pages<C>,
    /// What a crash leaves. None where that is all that was written.
    flushed: Option<Pages<C>>,
    /// Up to where both logs are the same.
    common: Position,
    /// The first position that held one command and then another.
    overwritten: Option<Position>,
}

impl<C: LogCommand> Disk<C> {
    /// An empty disk.
    pub(super) const fn blank(durability: Durability) -> Self {
        let flushed = match durability {
            Durability::Synced => None,
            Durability::Unsynced => Some(Pages::blank()),
        };
        Self { written: Pages::blank(), flushed, common: 0, overwritten: None }
    }

    /// The first position that was not trimmed.
    pub(super) const fn start(&self) -> Position {
        self.written.start
    }

    /// One past the last position.
    pub(super) fn end(&self) -> Position {
        self.written.end()
    }

    /// Up to where the log is decided, as far as is known and still there.
    pub(super) fn decided(&self) -> Position {
        self.written.decided.min(self.end())
    }

    /// Up to where the log would be known to be decided after a crash.
    pub(super) fn decided_for_good(&self) -> Position {
        let pages = self.flushed.as_ref().unwrap_or(&self.written);
        pages.decided.min(pages.end())
    }

    /// The commands of some positions, as far as they are there.
    pub(super) fn commands(&self, from: Position, to: Position) -> Vec<C> {
        let (from, to) = (self.written.index(from), self.written.index(to));
        self.written.log.range(from..to.max(from)).map(|entered| entered.0.clone()).collect()
    }

    /// The first position that was overwritten since this was last asked.
    pub(super) const fn take_overwritten(&mut self) -> Option<Position> {
        self.overwritten.take()
    }

    /// Makes all that was written survive a crash.
    pub(super) fn flush(&mut self) {
        let Some(flushed) = &mut self.flushed else { return };
        let (written, kept) = (&self.written, self.written.index(self.common));
        flushed.log.truncate(kept);
        flushed.log.extend(written.log.range(kept..).cloned());
        flushed.promise = written.promise;
        flushed.accepted = written.accepted;
        flushed.decided = written.decided;
        self.common = written.end();
    }

    /// The member crashes: an unsynced disk loses what was not flushed.
    pub(super) fn crash(&mut self) {
        if let Some(flushed) = &self.flushed {
            self.written = flushed.clone();
            self.common = self.written.end();
        }
        self.overwritten = None;
    }

    /// Forgets what is before a position, which must be decided for good, and hands it over.
    pub(super) fn forget(&mut self, before: Position) -> Vec<C> {
        let count = self.written.index(before);
        if let Some(flushed) = &mut self.flushed {
            flushed.log.drain(..count.min(flushed.log.len()));
            flushed.start += count;
        }
        self.written.start += count;
        self.written.log.drain(..count).map(|entered| entered.0).collect()
    }

    /// Replaces everything from a position by other entries.
    fn replace(&mut self, from: Position, entries: Vec<Entered<C>>) {
        let index = self.written.index(from);
        let old = self.written.log.range(index..);
        let same = old.zip(&entries).take_while(|(old, new)| old == new).count();
        let differs = index + same;
        if differs < self.written.log.len() {
            let at = self.written.start + differs;
            self.overwritten = Some(self.overwritten.map_or(at, |first| first.min(at)));
            self.common = self.common.min(at);
        }
        self.written.log.truncate(index);
        self.written.log.extend(entries);
    }
}

/// A disk that the group shares with the library.
#[derive(Debug)]
pub(super) struct SharedDisk<C>(Rc<RefCell<Disk<C>>>);

impl<C> Clone for SharedDisk<C> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<C: LogCommand> SharedDisk<C> {
    /// An empty disk.
    pub(super) fn blank(durability: Durability) -> Self {
        Self(Rc::new(RefCell::new(Disk::blank(durability))))
    }

    /// Looks at it.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Disk<C>) -> T) -> T {
        look(&self.0.borrow())
    }

    /// Changes it.
    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Disk<C>) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    fn note(&self, change: impl FnOnce(&mut Pages<C>)) -> StorageResult<()> {
        self.write(|disk| change(&mut disk.written));
        Ok(())
    }
}

impl<C: LogCommand> Storage<Entered<C>> for SharedDisk<C> {
    /// A crash comes only between two calls from outside, so everything that one call does is atomic.
    fn write_atomically(&mut self, ops: Vec<StorageOp<Entered<C>>>) -> StorageResult<()> {
        ops.into_iter().try_for_each(|op| match op {
            StorageOp::AppendEntry(entry) => self.append_entry(entry),
            StorageOp::AppendEntries(entries) => self.append_entries(entries),
            StorageOp::AppendOnPrefix(from, entries) => self.append_on_prefix(from, entries),
            StorageOp::SetPromise(ballot) => self.set_promise(ballot),
            StorageOp::SetDecidedIndex(decided) => self.set_decided_idx(decided),
            StorageOp::SetAcceptedRound(ballot) => self.set_accepted_round(ballot),
            StorageOp::SetCompactedIdx(start) => self.set_compacted_idx(start),
            StorageOp::Trim(before) => self.trim(before),
            StorageOp::SetStopsign(sign) => self.set_stopsign(sign),
            StorageOp::SetSnapshot(snapshot) => self.set_snapshot(snapshot),
        })
    }

    fn append_entry(&mut self, entry: Entered<C>) -> StorageResult<()> {
        self.note(|pages| pages.log.push_back(entry))
    }

    fn append_entries(&mut self, entries: Vec<Entered<C>>) -> StorageResult<()> {
        self.note(|pages| pages.log.extend(entries))
    }

    fn append_on_prefix(&mut self, from: usize, entries: Vec<Entered<C>>) -> StorageResult<()> {
        self.write(|disk| disk.replace(from, entries));
        Ok(())
    }

    fn set_promise(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.note(|pages| pages.promise = Some(ballot))
    }

    fn set_decided_idx(&mut self, decided: usize) -> StorageResult<()> {
        self.note(|pages| pages.decided = decided)
    }

    fn get_decided_idx(&self) -> StorageResult<usize> {
        Ok(self.read(|disk| disk.written.decided))
    }

    fn set_accepted_round(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.note(|pages| pages.accepted = Some(ballot))
    }

    fn get_accepted_round(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.read(|disk| disk.written.accepted))
    }

    fn get_entries(&self, from: usize, to: usize) -> StorageResult<Vec<Entered<C>>> {
        let whole = self.read(|disk| disk.start() <= from && to <= disk.end());
        let commands = if whole { self.read(|disk| disk.commands(from, to)) } else { Vec::new() };
        Ok(commands.into_iter().map(Entered).collect())
    }

    fn get_log_len(&self) -> StorageResult<usize> {
        Ok(self.read(|disk| disk.written.log.len()))
    }

    fn get_suffix(&self, from: usize) -> StorageResult<Vec<Entered<C>>> {
        let end = self.read(Disk::end);
        self.get_entries(from, end)
    }

    fn get_promise(&self) -> StorageResult<Option<Ballot>> {
        Ok(self.read(|disk| disk.written.promise))
    }

    /// No member joins or leaves a group.
    fn set_stopsign(&mut self, _: Option<StopSign>) -> StorageResult<()> {
        Ok(())
    }

    fn get_stopsign(&self) -> StorageResult<Option<StopSign>> {
        Ok(None)
    }

    /// Never asked for: the group trims all disks itself, see [`Group::trim`](super::Group::trim).
    fn trim(&mut self, before: usize) -> StorageResult<()> {
        self.write(|disk| disk.forget(before));
        Ok(())
    }

    fn set_compacted_idx(&mut self, _: usize) -> StorageResult<()> {
        Ok(())
    }

    fn get_compacted_idx(&self) -> StorageResult<usize> {
        Ok(self.read(Disk::start))
    }

    /// There are no snapshots.
    fn set_snapshot(&mut self, _: Option<NoSnapshot>) -> StorageResult<()> {
        Ok(())
    }

    fn get_snapshot(&self) -> StorageResult<Option<NoSnapshot>> {
        Ok(None)
    }
}
