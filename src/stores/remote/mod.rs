//! Stores outside this process: databases, behind a pool of connections.
//!
//! A [`Server`] is ready to be connected to; a [`Link`] is one connection to it, and does one op at a time. A
//! [`Backend`] keeps the pool from round to round, and a [`Remote`] is one round's shop: the site, and what every
//! shop has beside its store, a worker's queue and a payment provider.

#[cfg(feature = "http")]
mod asker;
mod client;
mod common_race;
mod generated;
mod killer;
mod lesson;
#[cfg(feature = "cli")]
mod notes;
mod pool;
mod session_numbers;
mod step_server;
mod steps;
mod store_config;

#[cfg(feature = "http")]
pub(in crate::stores) use asker::Asker;
pub use client::RemoteClient;
pub use common_race::{CommonRace, Started};
pub(in crate::stores) use lesson::Matters;
pub(in crate::stores) use lesson::TRIES;
pub use lesson::{Lesson, OverlapNotes, Scan};
#[cfg(feature = "cli")]
pub use notes::Notes;
pub(in crate::stores) use session_numbers::SessionNumbers;
pub(in crate::stores) use step_server::StepServer;
pub use steps::{Refusal, Stays};
pub(crate) use steps::{StepConnection, StepExecutor};
pub use store_config::StoreConfig;

use super::LiveStore;
use super::patience::Patience;
use super::provider::Provider;
use super::queue::Queue;
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::base::text::quantity::of;
#[cfg(feature = "cli")]
use crate::describe::checkout::ProductStock;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::books::Books;
use crate::domain::card::About;
use crate::domain::op::{BuyerId, Op, OpKind, Reply, Units};
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{BuyerHandle, ClientCode, Waits};
use killer::Killer;
use pool::Pool;

/// A database that can be connected to. Dropping it leaves nothing behind.
pub trait Server: Send + Sync {
    /// Which store it is.
    fn kind(&self) -> StoreKind;

    /// Its name and version, in its own words, such as `PostgreSQL 15.18`.
    fn version(&self) -> &str;

    /// Its URL, as its own clients write it, so that the user can connect while it runs. It may contain a password.
    fn url(&self) -> String;

    /// Opens one more connection.
    ///
    /// # Errors
    /// [`Error::World`] when the connection cannot be opened.
    fn connect(&self) -> Result<Box<dyn Link>, Error>;

    /// Opens one more connection, of a buyer with a handle to the gate. The gate holds each of its statements if
    /// `holds_statements`, else only the buyer itself.
    ///
    /// # Errors
    /// [`Error::World`] when the connection cannot be opened.
    fn connect_held(
        &self,
        handle: BuyerHandle,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, Error>;

    /// Which held buyers' own code may run at the same time.
    fn client_code(&self) -> ClientCode {
        ClientCode::AllAtOnce
    }

    /// Whether no thread of its buyers' code runs or could run; none if that cannot be seen.
    fn code_is_asleep(&self) -> Option<bool> {
        None
    }

    /// Whether the work there should end now, even in the middle of an execution.
    fn is_over(&self) -> bool;

    /// Waits until what serves its buyers has done what it puts off until they have left, within bounds. False if it puts
    /// nothing off.
    fn come_to_rest(&self) -> bool {
        false
    }

    /// From now on, or no more, starts what serves its buyers anew for each execution, so that it remembers nothing;
    /// returns whether that can be done and was not the case already.
    fn start_fresh(&self, _fresh: bool) -> bool {
        false
    }

    /// The names of the tables or keys that statements can touch, in the order of their numbers; empty if they are
    /// ours.
    fn part_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Observations since the last call that are needed to judge what the search covered.
    fn remarks(&self) -> Remarks {
        Remarks::default()
    }

    /// A number that changes when running statements has shown more about how they change rows, or who sees in which
    /// order rows were written. From then on, statements may be held inside where they were not before, or may not be
    /// swapped where they were.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn learned(&self) -> Result<i64, Error> {
        Ok(0)
    }

    /// What each of its databases has taught so far: all that changes the number that [`learned`](Server::learned)
    /// returns.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn lessons(&self) -> Result<Vec<Lesson>, Error> {
        Ok(Vec::new())
    }

    /// Replaces what each of its databases has taught by what several copies of the server have, of which this is one.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot be reached.
    fn teach(&self, _lessons: &[Lesson]) -> Result<(), Error> {
        Ok(())
    }

    /// What each of its databases has noted about statements that could overlap; its remarks are made of that.
    fn overlap_notes(&self) -> Vec<OverlapNotes> {
        Vec::new()
    }

    /// Adds what copies of the server have noted.
    fn add_overlap_notes(&self, _notes: &[OverlapNotes]) {}

    /// Opens a connection that watches the others.
    ///
    /// # Errors
    /// [`Error::World`] when the connection cannot be opened.
    fn watch(&self) -> Result<Box<dyn Watch>, Error>;

    /// Deletes all data of the shop, and creates this initial stock.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn stock_up(&self, opening: Fixture) -> Result<(), Error>;

    /// Reads shelves, orders and holds, over a connection of its own.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn take_stock(&self, opening: Fixture) -> Result<Books, Error>;

    /// Opens a connection to the notes that several processes leave each other there.
    ///
    /// # Errors
    /// [`Error::Input`] if there can be none, [`Error::World`] when the connection cannot be opened.
    #[cfg(feature = "cli")]
    fn notes(&self) -> Result<Box<dyn Notes>, Error> {
        Err(Error::input(format!(
            "the store `{}` is not one at which several machines can race together",
            self.kind()
        )))
    }

    /// The products of a described checkout, as they were when the shop was last stocked up; none where they go by their
    /// numbers.
    #[cfg(feature = "cli")]
    fn products(&self) -> Vec<ProductStock> {
        Vec::new()
    }

    /// Takes over the shop that another process has stocked up there, with these products.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say what is there.
    #[cfg(feature = "cli")]
    fn take_over(&self, _products: Vec<ProductStock>) -> Result<(), Error> {
        Ok(())
    }

    /// Kills the server, whatever it is doing, as `kill -9` would, and starts it again with what is on disk. In a
    /// group, kills one member: every other time the leader.
    ///
    /// # Errors
    /// [`Error::World`] when this run did not start the server, or it does not come back.
    fn kill_and_restart(&self, number: u32) -> Result<(), Error>;
}

/// Observations that are needed to judge what the search covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// What was seen several times: how often, of what, and how.
    pub counted: Vec<(u64, &'static str, &'static str)>,
    /// The other observations, as text.
    pub told: Vec<String>,
    /// Whether there may be interleavings that the search could not choose.
    pub hides_orders: bool,
}

impl Remarks {
    /// All observations, as text.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let counted = self.counted.iter().filter(|(number, ..)| *number > 0);
        let counted = counted.map(|(number, what, how)| format!("{}: {how}", of(*number, what)));
        counted.chain(self.told.iter().cloned()).collect()
    }

    /// These observations and those at a copy of the server.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (number, what, how) in other.counted {
            match self.counted.iter_mut().find(|known| (known.1, known.2) == (what, how)) {
                Some(known) => known.0 += number,
                None => self.counted.push((number, what, how)),
            }
        }
        self.told.extend(
            other.told.into_iter().filter(|one| !self.told.contains(one)).collect::<Vec<_>>(),
        );
        self.hides_orders |= other.hides_orders;
        self
    }
}

/// In which order a server grants a lock to the sessions that wait for it. Of the databases of one checkout, the last of
/// these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockScheduling {
    /// In the order in which they began to wait.
    FirstComeFirstServed,
    /// One that began to wait later may go on first. Which session each waits for is known.
    AnyOrder,
    /// The same, where that is not known.
    AnyOrderUnseen,
}

/// Asks a server which of its connections wait for each other.
pub trait Watch: Send {
    /// Which sessions wait for which others at this moment.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn waits(&mut self) -> Result<Waits, Error>;

    /// In which order the server grants a lock to the sessions that wait for it.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn lock_scheduling(&mut self) -> Result<LockScheduling, Error> {
        Ok(LockScheduling::FirstComeFirstServed)
    }

    /// From now on, statements of this session are held inside the server, before each change that they make.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn hold_inside(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Releases this session's statement that is held inside the server, up to its next change at most.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn let_act(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Stops holding statements of this session inside the server.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Waits until the server has ended this session, whose connection was closed: its transaction is rolled back, and its
    /// locks are given back.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say, or takes too long.
    fn await_end(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Called when no buyer can move unless a wait ends, with the sessions that wait. Ends one of their waits at once,
    /// as its own timeout would; returns whether any of them has a timeout.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn give_up(&mut self, _sessions: &[i64]) -> Result<bool, Error> {
        Ok(false)
    }

    /// Called when the schedule is over, with the sessions that were last seen to wait. Ends the waits that nothing
    /// else would end.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn break_off(&mut self, _sessions: &[i64]) -> Result<(), Error> {
        Ok(())
    }

    /// Why a connection is lost, if that is known better here than by the client that lost it.
    fn obituary(&mut self) -> Option<Error> {
        None
    }
}

/// The watch of a server where no session waits for another, except that a client may itself choose to wait.
#[derive(Debug)]
pub(super) struct NoWaits;

impl Watch for NoWaits {
    fn waits(&mut self) -> Result<Waits, Error> {
        Ok(Waits::new())
    }
}

/// The error for a server that must not be killed.
pub(super) fn is_not_ours() -> Error {
    Error::world("a server that is none of ours is not to be killed")
}

/// One connection. Dropping it closes it.
pub trait Link: Send {
    /// Does one op for this buyer. Each op is atomic; an error inside a transaction or while a lock is held ends that,
    /// and nothing of it counts.
    ///
    /// # Errors
    /// [`Missed::Conflict`] when the server reports a conflict with another client, [`Missed::Failed`] when it cannot
    /// do the op.
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed>;

    /// Rolls back whatever was not committed and releases all locks; returns how many those were.
    fn close_attempt(&mut self) -> u64;

    /// Makes every hold run out that there is, in one statement.
    ///
    /// # Errors
    /// [`Missed::Failed`] when there is nothing that ends holds, or it is wrong. That the store does not do it, since
    /// another session is in the way, is no error: holds go on.
    fn end_holds(&mut self) -> Result<(), Missed> {
        Err(Missed::Failed(Failure::Unsupported))
    }

    /// Whether the connection is unusable.
    fn is_broken(&self) -> bool;

    /// Whether the attempt has changed anything that stays even if it ends in a conflict; none if its ops show that.
    fn has_changed(&self) -> Option<bool> {
        None
    }

    /// Whether an attempt may leave something in the server's session that outlives it: locks of the session's own,
    /// variables, settings, temporary tables.
    fn may_leave_traces(&self) -> bool {
        false
    }

    /// Resets the session to its state after opening, however the last attempt ended. Returns how many session-level
    /// locks it still held; 0 if an attempt was cut short since the last reset. A link on which this fails is broken.
    fn begin_anew(&mut self) -> u64 {
        0
    }
}

/// The initial state of the shop.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// Products.
    pub items: u8,
    /// Units of each.
    pub stock: Units,
    /// Buyers that will come.
    pub buyers: u32,
    /// Whether stock is no column, but is calculated from the orders.
    pub counts_orders: bool,
    /// Whether there are so few buyers that they leave little data to delete.
    pub is_small: bool,
}

impl Fixture {
    /// That of a race of the strategy with this card.
    #[must_use]
    pub fn of(settings: &Settings, card: &About) -> Self {
        Self {
            items: settings.items,
            stock: settings.stock,
            buyers: settings.buyers,
            counts_orders: card.names(OpKind::CountLeft),
            is_small: settings.buyers <= A_FEW,
        }
    }
}

/// The most buyers whose rows are few enough to be deleted; the tables of more buyers are truncated.
const A_FEW: u32 = 26;

/// A server and the connections to it.
pub struct Backend {
    /// Closed before the server removes its tables: a connection with an open transaction would keep it from that.
    pool: Pool,
    server: Box<dyn Server>,
    terms: StoreConfig,
}

impl Backend {
    /// Opens all connections.
    ///
    /// # Errors
    /// [`Error::World`] when one of them cannot be opened.
    pub fn open(server: Box<dyn Server>, terms: StoreConfig) -> Result<Self, Error> {
        let pool = Pool::fill(&*server, terms.settings.connections)?;
        Ok(Self { pool, server, terms })
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &dyn Server {
        &*self.server
    }
}

/// One round's shop.
pub struct Remote<'s> {
    site: &'s Backend,
    opening: Fixture,
    queue: Queue<'s>,
    killer: Killer,
    provider: Provider,
    patience: Patience<'s>,
}

impl<'s> Remote<'s> {
    /// Opens a shop for a race of the strategy with this card. If several processes race there, its stock is there
    /// already.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    pub fn open(site: &'s Backend, settings: &Settings, card: &About) -> Result<Self, Error> {
        let opening = Fixture::of(settings, card);
        if site.terms.common.is_none() {
            site.server.stock_up(opening)?;
        }
        let patience =
            Patience { most: site.terms.settings.patience, stop: site.terms.control.stop_flag() };
        let payers = if card.asks_for(|kind| kind == OpKind::Pay) { settings.buyers } else { 0 };
        Ok(Self {
            site,
            opening,
            queue: Queue::open(settings.threads() as usize, patience),
            killer: Killer::hire(settings.kill, settings.buyers),
            provider: Provider::open(payers),
            patience,
        })
    }
}

impl Remote<'_> {
    /// What is in the store, if this process may read that now. While others still race there, it may not.
    fn shelves(&self) -> Result<Books, Error> {
        let terms = &self.site.terms;
        match terms.common {
            None => self.site.server.take_stock(self.opening),
            Some(_) => Ok(Books { deadlocks: terms.take_deadlocks(), ..Books::default() }),
        }
    }
}

impl LiveStore for Remote<'_> {
    type Client<'a>
        = RemoteClient<'a>
    where
        Self: 'a;

    fn connect(&self) -> RemoteClient<'_> {
        RemoteClient::new(self)
    }

    fn close(&self) {
        self.queue.close();
        self.killer.dismiss();
    }

    fn has_trouble(&self) -> bool {
        self.killer.has_work()
    }

    fn make_trouble(&self) {
        self.killer.work(self.site.server());
    }

    fn share(&self) -> Slice {
        self.site.terms.common.as_ref().map_or(Slice::WHOLE, |common| common.slice())
    }

    fn await_start(&self, now: &dyn Fn() -> u64) -> u64 {
        let StoreConfig { common, control, .. } = &self.site.terms;
        common.as_ref().map_or_else(now, |common| common.await_start(now, control))
    }

    fn books(self) -> Result<Books, Error> {
        if let Some(error) = self.killer.failed() {
            return Err(error);
        }
        // All buyers have left, so a lock that a session still holds would never be released.
        let kept_locks = self.site.pool.begin_anew();
        let books = self.shelves()?;
        Ok(Books {
            kept_locks,
            deepest_queue: self.queue.deepest(),
            payments: self.provider.payments(),
            trouble: books.trouble.or_else(|| self.site.terms.take_trouble()),
            ..books
        })
    }
}
