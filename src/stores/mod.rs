//! Stores: where stock lives.
//!
//! A live store is opened once a round; every buyer thread connects a [`Client`] of its own. The
//! audit looks at the store through [`LiveStore::books`], never through a client.

#![cfg_attr(
    not(all(
        feature = "sqlite",
        feature = "postgres",
        feature = "mysql",
        feature = "redis",
        feature = "etcd",
        feature = "http"
    )),
    allow(dead_code, unused_imports, reason = "what only the stores left out have a use for")
)]

mod address;
mod answer;
#[cfg(feature = "app")]
mod app;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(any(feature = "etcd", feature = "http"))]
mod heeding;
#[cfg(feature = "http")]
mod http;
pub mod memory;
pub mod model;
#[cfg(feature = "mysql")]
mod mysql;
mod open;
#[cfg(all(feature = "redis", any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
mod pair;
mod patience;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "private")]
mod private;
pub(crate) mod provider;
mod queue;
mod readiness;
#[cfg(feature = "redis")]
mod redis;
pub mod remote;
#[cfg(feature = "mysql")]
mod socket_waits;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "app")]
pub(crate) mod upstream;

pub use crate::domain::books::Books;
pub use crate::domain::store_kind::StoreKind;
pub use address::Address;
#[cfg(feature = "app")]
pub use app::{Passage, forget_kept};
#[cfg(all(fuzzing, feature = "etcd"))]
pub(crate) use etcd::fuzzing::read_etcd_answer;
#[cfg(all(fuzzing, feature = "app"))]
pub(crate) use http::fuzzing::read_http_answer;
pub use open::RaceTarget;
pub(crate) use open::open_server;
#[cfg(all(feature = "postgres", feature = "cli"))]
pub(crate) use postgres::isolation;
#[cfg(all(feature = "app", feature = "cli"))]
pub(crate) use private::end_left_over;
#[cfg(test)]
use readiness::is_installed;
pub use readiness::{Readiness, readiness};
#[cfg(all(fuzzing, feature = "app", feature = "postgres"))]
pub(crate) use sql::fuzzing::analyze_statements;

use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::domain::attempt::Missed;
use crate::domain::op::{BuyerId, Op, Reply};

/// A store that real threads race on.
pub trait LiveStore: Sync {
    /// One thread's connection.
    type Client<'a>: Client
    where
        Self: 'a;

    /// Connects one thread.
    fn connect(&self) -> Self::Client<'_>;

    /// Tells the worker that no more buyers will come, and buyers that there is no worker.
    fn close(&self);

    /// Whether faults are to be injected while buyers race.
    fn has_trouble(&self) -> bool {
        false
    }

    /// Injects these faults, on a thread of its own, until the store is closed.
    fn make_trouble(&self) {}

    /// Which of the buyers come from this process; all of them, unless other processes race at the same store.
    fn share(&self) -> Slice {
        Slice::WHOLE
    }

    /// Called when all buyers have lined up: returns the time at which they start, as `now` says it, when that has come.
    fn await_start(&self, now: &dyn Fn() -> u64) -> u64 {
        now()
    }

    /// What is in the store now. Complete once all clients are gone.
    ///
    /// # Errors
    /// [`Error::World`] when a server cannot say.
    fn books(self) -> Result<Books, Error>;
}

/// One thread's connection to a live store. Blocking: an op returns when it is done.
pub trait Client {
    /// Whether there are fewer connections than threads, so that a thread may have to wait for one.
    const IS_POOLED: bool = false;

    /// From now on, does all ops for this buyer.
    #[inline(always)]
    fn attend(&mut self, _buyer: BuyerId) {}

    /// Whether this op needs a connection from the pool first.
    fn lacks_connection(&self, _op: Op) -> bool {
        false
    }

    /// Takes a connection; returns whether it had to wait for one that another client used.
    ///
    /// # Errors
    /// [`Missed::Failed`] when no connection is free in time.
    fn check_out(&mut self) -> Result<bool, Missed> {
        Ok(false)
    }

    /// One round trip.
    ///
    /// # Errors
    /// [`Missed::Failed`] when the op cannot be done; [`Missed::Conflict`] when the server itself reports a conflict
    /// with another client.
    fn call(&mut self, op: Op) -> Result<Reply, Missed>;

    /// Drops whatever the attempt still holds, as a closed connection does, and returns how many locks those were.
    fn close_attempt(&mut self) -> u64;
}
