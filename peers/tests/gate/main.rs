//! The locking of the controlled scheduler, on many interleavings.
//!
//! The files of `src/scheduler/` are compiled here as they stand. What they call `parking_lot` is [`sync`], the same
//! interface over shuttle's locks, and what they call `crate::base::clock` is a virtual clock. shuttle chooses after each
//! operation on a lock which thread goes on, and fails where all threads wait: so a wake-up that is lost is a deadlock.
//! The buyers, the explorer and the servers are the tests' own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

// By this name the files of the scheduler find the locks.
extern crate self as parking_lot;

mod base {
    pub(crate) mod clock;
    pub(crate) mod text;
}
mod claims;
mod domain;
mod scheduler;
mod schedules;
mod server;
mod shop;
mod sync;

pub(crate) use sync::{Condvar, Mutex, MutexGuard};
