//! Stores that are somewhere else: databases, behind a pool of connections.
//!
//! A [`Server`] is ready to be connected to; a [`Link`] is one connection to it, and does one op at a time. A
//! [`Site`] keeps the pool from round to round, and a [`Remote`] is one round's shop: the site, and what every
//! shop has beside its store, a clerk's queue and a payment provider.

#[cfg(feature = "http")]
mod asker;
mod client;
mod generated;
mod killer;
mod pool;
mod steps;
mod terms;

#[cfg(feature = "http")]
pub(in crate::stores) use asker::Asker;
pub use client::RemoteClient;
pub use steps::{Refusal, Speaker, Stays, StepLink};
pub use terms::Terms;

use super::LiveStore;
use super::patience::Patience;
use super::provider::Provider;
use super::queue::Queue;
use crate::base::error::Error;
use crate::domain::attempt::Missed;
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

    /// Where it is, as its own clients write it: for looking in while it is there. It may have a password in it.
    fn url(&self) -> String;

    /// Opens one more connection.
    ///
    /// # Errors
    /// [`Error::World`] when it is not to be had.
    fn connect(&self) -> Result<Box<dyn Link>, Error>;

    /// Opens one more connection, of a buyer with a handle to the gate, where its every statement is held, or
    /// only it itself.
    ///
    /// # Errors
    /// [`Error::World`] when it is not to be had.
    fn connect_held(
        &self,
        handle: BuyerHandle,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, Error>;

    /// What goes on in the code of buyers who are held.
    fn client_code(&self) -> ClientCode {
        ClientCode::AllAtOnce
    }

    /// The names of the parts that statements have to do with, in the order of their numbers; none where they are ours.
    fn part_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// What was seen since this was last asked that has to be known to judge what was covered.
    fn remarks(&self) -> Remarks {
        Remarks::default()
    }

    /// What has been learned of how statements are made, by running them; another number once more has been learned. From
    /// then on they may be held inside where they were not before.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn learned(&self) -> Result<i64, Error> {
        Ok(0)
    }

    /// Opens a connection of somebody who watches the others.
    ///
    /// # Errors
    /// [`Error::World`] when it is not to be had.
    fn watch(&self) -> Result<Box<dyn Watch>, Error>;

    /// Throws away whatever is there, and puts up shelves like these.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn stock_up(&self, opening: Opening) -> Result<(), Error>;

    /// What it says of shelves, orders and holds, over a connection of its own.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn take_stock(&self, opening: Opening) -> Result<Books, Error>;

    /// Kills it in the middle of whatever it does, as `kill -9` would, and starts it again with what is on
    /// disk. Of a group the member whose turn it is: every other time the leader.
    ///
    /// # Errors
    /// [`Error::World`] when it is none of ours, or does not come back.
    fn kill_and_restart(&self, number: u32) -> Result<(), Error>;
}

/// What has to be known to judge what was covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// In words.
    pub told: Vec<String>,
    /// Whether there may be orders that nobody could have chosen.
    pub hides_orders: bool,
}

/// Somebody who can ask a server which of its connections wait for each other.
pub trait Watch: Send {
    /// Who waits for whom at this moment.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot say.
    fn waits(&mut self) -> Result<Waits, Error>;

    /// From now on statements of this session are held inside the server, before each change that they make.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn hold_inside(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Lets the statement of this session that is held inside the server go on, to its next change at most.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn let_act(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Statements of this session are held inside the server no more.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn hold_no_more(&mut self, _session: i64) -> Result<(), Error> {
        Ok(())
    }

    /// No buyer can move but by waiting no longer, and these sessions wait. Has one of them hear at once what it would
    /// hear when it has waited long enough, if it does not wait for ever; whether there was one.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn give_up(&mut self, _sessions: &[i64]) -> Result<bool, Error> {
        Ok(false)
    }

    /// The schedule is over: these sessions were last seen to wait. Has those let go that nothing else will.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    fn break_off(&mut self, _sessions: &[i64]) -> Result<(), Error> {
        Ok(())
    }

    /// Why a connection is gone, if that is known better than by those who have lost it.
    fn obituary(&mut self) -> Option<Error> {
        None
    }
}

/// Of a server where nobody ever waits for anybody else but of its own accord.
#[derive(Debug)]
pub(super) struct NobodyWaits;

impl Watch for NobodyWaits {
    fn waits(&mut self) -> Result<Waits, Error> {
        Ok(Waits::new())
    }
}

/// Why a server is not to be killed.
pub(super) fn is_not_ours() -> Error {
    Error::world("a server that is none of ours is not to be killed")
}

/// One connection. Dropping it closes it.
pub trait Link: Send {
    /// One op in this buyer's name. Each is atomic on its own; an error inside a transaction or while a lock is
    /// held ends that, and nothing of it counts.
    ///
    /// # Errors
    /// [`Missed::Conflict`] when the server says that somebody got in between, [`Missed::Failed`] when it
    /// cannot do it.
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed>;

    /// Takes back whatever was not committed and gives back all locks; says how many those were.
    fn close_attempt(&mut self) -> u64;

    /// Whether it is of no more use.
    fn is_broken(&self) -> bool;

    /// Whether the attempt has changed anything that stays even if it ends in a conflict; none if its ops tell.
    fn has_changed(&self) -> Option<bool> {
        None
    }

    /// Whether an attempt may leave something in the server's session that outlives it: locks of the session's own,
    /// variables, settings, temporary tables.
    fn may_leave_traces(&self) -> bool {
        false
    }

    /// Makes the session as it was when it was opened, whatever has ended the last attempt. Says how many locks of its own
    /// the session still held, though nothing had cut an attempt short since it last did so. A link on which this fails is broken.
    fn begin_anew(&mut self) -> u64 {
        0
    }
}

/// What there is when the doors open.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Products.
    pub items: u8,
    /// Units of each.
    pub stock: Units,
    /// Buyers that will come.
    pub buyers: u32,
    /// Whether stock is no column, but what was never ordered.
    pub counts_orders: bool,
    /// Whether so few buyers come that not much has to be thrown away after them.
    pub is_small: bool,
}

/// So many buyers leave no more rows than are quickly deleted; what more leave is thrown away with its files.
const A_FEW: u32 = 26;

/// A server and the connections to it.
pub struct Site {
    /// Closed before the server removes its tables, which whoever left a transaction open would keep it from.
    pool: Pool,
    server: Box<dyn Server>,
    terms: Terms,
}

impl Site {
    /// Opens all connections.
    ///
    /// # Errors
    /// [`Error::World`] when one of them is not to be had.
    pub fn open(server: Box<dyn Server>, terms: Terms) -> Result<Self, Error> {
        let pool = Pool::fill(&*server, terms.connections)?;
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
    site: &'s Site,
    opening: Opening,
    queue: Queue<'s>,
    killer: Killer,
    provider: Provider,
    patience: Patience<'s>,
}

impl<'s> Remote<'s> {
    /// Opens a shop for a race of the strategy with this card.
    ///
    /// # Errors
    /// [`Error::World`] when the server cannot.
    pub fn open(site: &'s Site, settings: &Settings, card: &About) -> Result<Self, Error> {
        let opening = Opening {
            items: settings.items,
            stock: settings.stock,
            buyers: settings.buyers,
            counts_orders: card.names(OpKind::CountLeft),
            is_small: settings.buyers <= A_FEW,
        };
        site.server.stock_up(opening)?;
        let patience = Patience { most: site.terms.patience, stop: site.terms.control.stop_flag() };
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

    fn books(self) -> Result<Books, Error> {
        if let Some(error) = self.killer.failed() {
            return Err(error);
        }
        // Everybody has left: what a session holds now, nobody gives back.
        let kept_locks = self.site.pool.begin_anew();
        let books = self.site.server.take_stock(self.opening)?;
        Ok(Books {
            kept_locks,
            deepest_queue: self.queue.deepest(),
            payments: self.provider.payments(),
            trouble: books.trouble.or_else(|| self.site.terms.take_trouble()),
            ..books
        })
    }
}
