//! Stock in a Redis server: the high-speed cache. An op of several steps is a script, which runs alone, or watches its
//! keys (`WATCH`, `MULTI`, `EXEC`).

#[cfg(feature = "app")]
mod analyzer;
mod blocking;
mod books;
mod connection;
mod described;
mod executor;
mod held;
mod keys;
mod link;
#[cfg(feature = "cli")]
mod notes;
mod replies;
mod scripts;
mod server;
#[cfg(feature = "app")]
mod upstream;

use ::redis::Client;

use super::Address;
use super::private::ServerSandbox;
#[cfg(feature = "cli")]
use super::remote::Notes;
use super::remote::{
    Fixture, Link, NoWaits, Server, StepExecutor, StepServer, StoreConfig, Watch, is_not_ours,
};
use crate::base::error::Error;
use crate::describe::checkout::{Answer, Call, StoreValue, Values};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::{BuyerHandle, Resources};
use described::DescribedKeys;
use held::HeldRedisConnection;
use link::RedisLink;
#[cfg(feature = "cli")]
use notes::RedisNotes;
use scripts::Scripts;

pub(super) use server::PACKAGE;
#[cfg(feature = "app")]
pub(super) use upstream::back;

/// Starts a private server, or finds the one that the address names. A server that has keys with our prefix is not
/// touched.
pub(super) fn open(address: &Address, terms: &StoreConfig) -> Result<Box<dyn Server>, Error> {
    Ok(Box::new(RedisServer::open(address, terms, Resources::ALL)?))
}

/// The same for a described checkout that has another store, too: its commands count as touching no more than `keys`.
pub(super) fn open_beside(
    address: &Address,
    terms: &StoreConfig,
    keys: Resources,
) -> Result<impl StepServer + use<>, Error> {
    RedisServer::open(address, terms, keys)
}

/// Keys in a Redis server.
struct RedisServer {
    client: Client,
    url: String,
    version: String,
    terms: StoreConfig,
    /// The checkout whose own keys are used, if it is described in a file.
    described: Option<DescribedKeys>,
    /// Whether the keys belong to this run, which deletes them at the end.
    owns_keys: bool,
    /// The private server, if this run started it. Declared last, so that it ends after everything else.
    sandbox: Option<ServerSandbox>,
}

impl RedisServer {
    fn open(address: &Address, terms: &StoreConfig, keys: Resources) -> Result<Self, Error> {
        let (url, sandbox) = address.or_private(|| server::start(terms))?;
        let client = server::client(&url, address)?;
        let terms = terms.clone();
        let described = terms.checkout.as_ref().map(|checkout| DescribedKeys::of(checkout, keys));
        let version = String::new();
        let mut redis = Self { client, url, version, terms, described, owns_keys: false, sandbox };
        let mut connection = server::dial(&redis.client, &redis.terms)?;
        redis.version = server::version(&mut connection).map_err(server::cannot)?;
        if redis.terms.joins() {
            return Ok(redis);
        }
        if redis.described.is_some() {
            DescribedKeys::check_empty(&mut connection)?;
            redis.owns_keys = true;
            return Ok(redis);
        }
        let count = books::count(&mut connection).map_err(server::cannot)?;
        if count > 0 {
            return Err(Error::world(format!(
                "the server has {count} keys {}* already\n       if an earlier run was killed, delete \
                 them: redis-cli --scan --pattern '{}*' | xargs redis-cli del",
                keys::PREFIX,
                keys::PREFIX
            )));
        }
        redis.owns_keys = true;
        Ok(redis)
    }
}

impl Server for RedisServer {
    fn kind(&self) -> StoreKind {
        StoreKind::Redis
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        if let Some(described) = &self.described {
            return Ok(Box::new(described.link(&self.client, &self.terms, None)?));
        }
        let connection = server::dial(&self.client, &self.terms)?;
        Ok(Box::new(RedisLink::new(connection, self.terms.clone(), None)))
    }

    fn connect_held(
        &self,
        handle: BuyerHandle,
        holds_statements: bool,
    ) -> Result<Box<dyn Link>, Error> {
        if let Some(described) = &self.described {
            return Ok(Box::new(described.link(&self.client, &self.terms, Some(handle))?));
        }
        let mut connection = server::dial(&self.client, &self.terms)?;
        if !holds_statements {
            return Ok(Box::new(RedisLink::new(connection, self.terms.clone(), Some(handle))));
        }
        // A script that the server does not know yet would take several steps at the gate.
        Scripts::new().load(&mut connection).map_err(server::cannot)?;
        let held = HeldRedisConnection::new(connection, handle.clone());
        Ok(Box::new(RedisLink::new(held, self.terms.clone(), Some(handle))))
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        match &self.described {
            Some(described) => Ok(Box::new(described.watch(&self.client, &self.terms)?)),
            None => Ok(Box::new(NoWaits)),
        }
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        let mut connection = server::dial(&self.client, &self.terms)?;
        self.terms.show_begins();
        match &self.described {
            Some(described) => described.stock_up(&mut connection, opening),
            None => books::stock_up(&mut connection, opening).map_err(server::cannot),
        }
    }

    fn take_stock(&self, opening: Fixture) -> Result<Books, Error> {
        let mut connection = server::dial(&self.client, &self.terms)?;
        match &self.described {
            Some(described) => described.take_stock(&mut connection, &self.terms),
            None => books::take_stock(&mut connection, opening).map_err(server::cannot),
        }
    }

    #[cfg(feature = "cli")]
    fn notes(&self) -> Result<Box<dyn Notes>, Error> {
        Ok(Box::new(RedisNotes(server::dial(&self.client, &self.terms)?)))
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        match &self.sandbox {
            Some(sandbox) => server::kill_and_restart(sandbox, &self.client, &self.terms),
            None => Err(is_not_ours()),
        }
    }
}

impl RedisServer {
    /// The keys of the checkout that is described in a file.
    fn of_checkout(&self) -> Result<&DescribedKeys, Error> {
        self.described.as_ref().ok_or_else(|| Error::world("Redis: there is no described checkout"))
    }
}

impl StepServer for RedisServer {
    fn executor(&self, handle: Option<&BuyerHandle>) -> Result<Box<dyn StepExecutor>, Error> {
        let executor = self.of_checkout()?.executor(&self.client, &self.terms, handle)?;
        Ok(Box::new(executor))
    }

    fn reset(&self, _: bool) -> Result<(), Error> {
        let mut connection = server::dial(&self.client, &self.terms)?;
        DescribedKeys::clear(&mut connection).map_err(server::cannot)
    }

    fn ask(&self, key: &str, call: &Call, value_of: Values<'_>) -> Result<Answer, Error> {
        let mut connection = server::dial(&self.client, &self.terms)?;
        self.of_checkout()?.ask(key, &mut connection, call, value_of)
    }

    fn look(&self, key: &str, call: &Call) -> Result<Answer, Error> {
        self.ask(key, call, &|_| StoreValue::Null)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A private server is removed with all its data.
        if self.owns_keys && self.sandbox.is_none() {
            let _ = server::dial(&self.client, &self.terms).map(|mut connection| {
                match &self.described {
                    Some(_) => DescribedKeys::clear(&mut connection),
                    None => books::clear(&mut connection),
                }
            });
        }
    }
}
