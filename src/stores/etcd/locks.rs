//! Locks: each is a queue of keys, and the oldest key has the lock.
//!
//! This is the algorithm of etcd's own clients. etcd's lock service follows it, too. But a call of that service that is
//! cut short, because the race is stopped, loses its place in the queue, and deletes its key some time later, even if
//! the client has asked for the lock again by then.
//!
//! All keys of a connection are attached to one lease of etcd's, its session: no client waits forever for one that has
//! died.

use std::time::Duration;

use super::keys;
use super::link::{EtcdLink, LeaseSession};
use super::trouble::{Done, Trouble};
use super::wire::{self, Txn, whole_seconds};
use crate::base::clock::{Clock, nanos};
use crate::domain::attempt::Failure;
use crate::domain::op::{Item, Reply};
use crate::domain::settings::LONGEST_THINK;

/// A session that is at least this old is renewed when a lock is asked for.
const STALE: Duration = Duration::from_secs(10);

/// How much longer than all waits a session lasts.
const MARGIN: Duration = Duration::from_secs(30);

impl EtcdLink {
    /// Takes a product's lock. A connection that already has it waits for itself, until its patience runs out.
    pub(super) fn lock(&mut self, item: Item) -> Done {
        if self.held.contains(&item) {
            let waited = self.terms.control.pause(self.terms.settings.patience);
            let why = if waited { Failure::LockTimeout } else { Failure::Interrupted };
            return Err(Trouble::Failed(why));
        }
        let had_it_first = self.terms.asks(item);
        self.held.push(item);
        let queued = match self.line_up(item) {
            Ok(queued) => queued,
            Err(trouble) => {
                // The key must not stay in the queue, where other clients would wait for it.
                let _ = self.give_back(item);
                return Err(trouble);
            }
        };
        Ok(Reply::Locked { waited: queued || had_it_first })
    }

    pub(super) fn unlock(&mut self, item: Item) -> Done {
        if !self.held.contains(&item) {
            return Err(Trouble::Failed(Failure::NotLocked));
        }
        match self.give_back(item)? {
            true => Ok(Reply::Done),
            false => Err(Trouble::Refused("etcd: a lock ended before it was given back".into())),
        }
    }

    /// Releases all locks; returns how many those were.
    pub(super) fn give_back_locks(&mut self) -> u64 {
        let held = self.held.clone();
        for item in &held {
            let _ = self.give_back(*item);
        }
        held.len() as u64
    }

    /// Ends the session, and all locks with it.
    pub(super) fn end_session(&mut self) {
        self.held.drain(..).for_each(|item| self.terms.lets_go(item));
        let session = self.session.take();
        self.drop_lease(session.map(|session| session.lease));
    }

    /// Waits in the queue until all earlier keys are gone; returns whether there were any.
    fn line_up(&mut self, item: Item) -> Done<bool> {
        let until_ns = self.patience_ends_ns();
        let line = keys::line(item);
        let mut queued = false;
        'line: loop {
            let lease = self.session()?;
            let place = keys::place(&line, &lease);
            let put = wire::put_leased(&place, "", &lease);
            let txn = Txn::when([wire::is_absent(&place)]).then([put, wire::get(&place)]);
            let made = match self.commit(txn.otherwise([wire::get(&place), wire::get(&place)])) {
                Err(Trouble::NoLease) => {
                    self.session = None;
                    continue;
                }
                outcome => outcome?.step(1)?.only()?.created,
            };
            loop {
                let seen = self.do_all([wire::get(&place), wire::last_before(&line, made)])?;
                if seen.step(0)?.first().is_none() {
                    // The session ended during the wait: the connection joins the end of the queue again.
                    self.session = None;
                    continue 'line;
                }
                let Some(before) = seen.step(1)?.first() else { return Ok(queued) };
                queued = true;
                self.wait_for(&before.key, seen.revision, until_ns)?;
            }
        }
    }

    /// Deletes the connection's key from the queue; false if it was gone already. If the request fails, the connection
    /// is unusable, and its session ends with it.
    fn give_back(&mut self, item: Item) -> Done<bool> {
        if let Some(place) = self.held.iter().position(|held| *held == item) {
            self.held.swap_remove(place);
            self.terms.lets_go(item);
        }
        let Some(session) = &self.session else { return Ok(false) };
        let place = keys::place(&keys::line(item), &session.lease);
        let gone = self.do_all([wire::delete(&place)]);
        self.is_broken |= gone.is_err();
        Ok(gone?.step(0)?.count > 0)
    }

    /// The session. It lasts for as long as a client can wait for a lock and think while holding it.
    pub(super) fn session(&mut self) -> Done<String> {
        let now = self.clock.now();
        if let Some(LeaseSession { lease, renewed_ns }) = self.session.clone() {
            if now.saturating_sub(renewed_ns) < nanos(STALE) {
                return Ok(lease);
            }
            if self.keep_alive(&lease)? {
                self.session = Some(LeaseSession { lease: lease.clone(), renewed_ns: now });
                return Ok(lease);
            }
        }
        let lasts = self.terms.settings.patience.saturating_add(LONGEST_THINK + STALE + MARGIN);
        let lease = self.grant(whole_seconds(lasts))?;
        self.session = Some(LeaseSession { lease: lease.clone(), renewed_ns: now });
        Ok(lease)
    }
}
