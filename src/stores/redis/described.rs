//! The keys of a checkout that is described in a file: a whole database, which is emptied and filled again for every
//! execution.

use std::sync::Arc;

use ::redis::{Client, RedisResult, cmd};

use super::blocking::{Blocking, RedisWatcher};
use super::connection::RedisConnection;
use super::executor::{RedisConnector, RedisExecutor, ask, may_leave_traces, rows};
use crate::base::error::Error;
use crate::describe::checkout::{Answer, Call, Checkout, Shelves, StoreValue, Values};
use crate::domain::books::Books;
use crate::scheduler::{BuyerHandle, Resources};
use crate::stores::remote::{Fixture, Refusal, StepConnection, StoreConfig};

/// A described checkout, which has a database of its own.
pub(super) struct DescribedKeys {
    checkout: Arc<Checkout>,
    shelves: Arc<Shelves>,
    blocking: Blocking,
    /// What every command counts as touching.
    keys: Resources,
}

impl DescribedKeys {
    pub(super) fn of(checkout: &Arc<Checkout>, keys: Resources) -> Self {
        Self {
            checkout: Arc::clone(checkout),
            shelves: Arc::default(),
            blocking: Blocking::default(),
            keys,
        }
    }

    /// Fails if the database has keys, because the checkout would delete them.
    pub(super) fn check_empty(connection: &mut RedisConnection) -> Result<(), Error> {
        let keys: u64 = cmd("DBSIZE").query(connection).map_err(super::server::cannot)?;
        match keys {
            0 => Ok(()),
            keys => Err(Error::world(format!(
                "the database has {keys} keys, which would be thrown away; name an empty one, such as \
                 redis://localhost/9"
            ))),
        }
    }

    pub(super) fn clear(connection: &mut RedisConnection) -> RedisResult<()> {
        cmd("FLUSHDB").exec(connection)
    }

    pub(super) fn link(
        &self,
        client: &Client,
        terms: &StoreConfig,
        handle: Option<BuyerHandle>,
    ) -> Result<StepConnection<RedisExecutor>, Error> {
        let executor = self.executor(client, terms, handle.as_ref())?;
        let (checkout, shelves) = (Arc::clone(&self.checkout), Arc::clone(&self.shelves));
        Ok(StepConnection::new(executor, checkout, shelves, terms.clone(), handle))
    }

    /// Opens a connection over which steps are sent.
    pub(super) fn executor(
        &self,
        client: &Client,
        terms: &StoreConfig,
        handle: Option<&BuyerHandle>,
    ) -> Result<RedisExecutor, Error> {
        let mut connection = super::server::dial(client, terms)?;
        let steps = self.checkout.roles.iter().flat_map(|role| &role.steps);
        let expiry = self.checkout.expiry.iter().map(|expiry| &expiry.call);
        let mut calls = steps.map(|step| &step.call).chain(expiry);
        let mut line = RedisConnector {
            client: client.clone(),
            terms: terms.clone(),
            handle: handle.cloned(),
            blocking: self.blocking.clone(),
            keys: self.keys,
            may_leave_traces: calls.any(may_leave_traces),
            number: 0,
        };
        line.register(&mut connection).map_err(super::server::cannot)?;
        Ok(RedisExecutor::new(connection, line))
    }

    /// Opens a connection that sees which clients wait.
    pub(super) fn watch(
        &self,
        client: &Client,
        terms: &StoreConfig,
    ) -> Result<RedisWatcher, Error> {
        let connection = super::server::dial(client, terms)?;
        Ok(RedisWatcher { connection, blocking: self.blocking.clone() })
    }

    pub(super) fn stock_up(
        &self,
        connection: &mut RedisConnection,
        opening: Fixture,
    ) -> Result<(), Error> {
        Self::clear(connection).map_err(super::server::cannot)?;
        let Fixture { stock, buyers, .. } = opening;
        let ask =
            |key: &str, call: &Call, values: Values<'_>| self.ask(key, connection, call, values);
        let mistaken = |key: &str, why| self.mistaken(key, why);
        *self.shelves.write() = self.checkout.set_up(stock, buyers, ask, mistaken)?;
        Ok(())
    }

    pub(super) fn take_stock(
        &self,
        connection: &mut RedisConnection,
        terms: &StoreConfig,
    ) -> Result<Books, Error> {
        let shelves = self.shelves.read().clone();
        let ask = |key: &str, call: &Call| self.ask(key, connection, call, &|_| StoreValue::Null);
        let books = self.checkout.look_into(&shelves, ask, |key, why| self.mistaken(key, why))?;
        Ok(Books { trouble: terms.take_trouble(), ..books })
    }

    /// Runs a setup or audit call of the checkout file. If the call is wrong, the error names its key.
    pub(super) fn ask(
        &self,
        key: &str,
        connection: &mut RedisConnection,
        call: &Call,
        value_of: Values<'_>,
    ) -> Result<Answer, Error> {
        match ask(connection, call, value_of) {
            Ok(said) => Ok(rows(&said)),
            Err(Refusal::Lost(text)) => Err(Error::world(text)),
            Err(refusal) => Err(self.mistaken(key, refusal.text())),
        }
    }

    fn mistaken(&self, key: &str, why: String) -> Error {
        Error::input(format!("{}: `{key}`: {why}", self.checkout.path))
    }
}
