//! Opens a store: the one place that knows every kind of server.

use std::sync::Arc;

use super::Address;
#[cfg(all(
    feature = "redis",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
use super::pair::StorePair;
#[cfg(feature = "http")]
use super::remote::Asker;
#[cfg(all(
    feature = "redis",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
use super::remote::StepServer;
use super::remote::{Backend, Server, StoreConfig};
#[cfg(all(
    feature = "http",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
use super::sql::PlainConnection;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use super::sql::{BuiltinTables, CheckoutTables};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::checkout::Checkout;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
#[cfg(all(
    feature = "redis",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
use crate::scheduler::Resources;

/// Where races take place.
pub enum RaceTarget {
    /// In this process's memory.
    Memory,
    /// At a server.
    Backend(Backend),
}

impl RaceTarget {
    /// Gets the store of these settings ready, for a described checkout if there is one.
    ///
    /// # Errors
    /// [`Error::Input`] for an invalid address, [`Error::World`] when the server cannot be started or reached.
    pub fn open(
        settings: &Settings,
        checkout: Option<Arc<Checkout>>,
        address: &Address,
        control: &Control,
    ) -> Result<Self, Error> {
        if settings.store == StoreKind::Memory {
            return match address.url {
                None => Ok(Self::Memory),
                Some(_) => Err(Error::input(
                    "--url: the store in memory is nowhere else; name the server with --store",
                )),
            };
        }
        let terms = StoreConfig::of(settings, control).with_checkout(checkout);
        let server = open_server(settings.store, address, &terms)?;
        Backend::open(server, terms).map(Self::Backend)
    }

    /// The server, if there is one.
    #[must_use]
    pub fn server(&self) -> Option<&dyn Server> {
        match self {
            Self::Memory => None,
            Self::Backend(site) => Some(site.server()),
        }
    }

    /// Which store it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::Memory => StoreKind::Memory,
            Self::Backend(site) => site.server().kind(),
        }
    }

    /// The server's name and version, if there is one.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        match self {
            Self::Memory => None,
            Self::Backend(site) => Some(site.server().version().to_owned()),
        }
    }
}

/// Starts a private server, or finds the one that the address names.
///
/// # Errors
/// As [`RaceTarget::open`].
pub(crate) fn open_server(
    kind: StoreKind,
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn Server>, Error> {
    if let Some(checkout) = terms.checkout.as_ref()
        && let Some(beside) = checkout.beside
    {
        return open_pair(checkout, kind, beside, address, terms);
    }
    match kind {
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite => match &terms.checkout {
            Some(checkout) => {
                let tables = CheckoutTables::of(checkout, kind);
                Ok(Box::new(super::sqlite::open(address, terms, tables)?))
            }
            None => Ok(Box::new(super::sqlite::open(address, terms, BuiltinTables::at(kind))?)),
        },
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => match &terms.checkout {
            Some(checkout) => {
                let tables = CheckoutTables::of(checkout, kind);
                Ok(Box::new(super::postgres::open(address, terms, tables)?))
            }
            None => Ok(Box::new(super::postgres::open(address, terms, BuiltinTables::at(kind))?)),
        },
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => match &terms.checkout {
            Some(checkout) => {
                let tables = CheckoutTables::of(checkout, kind);
                Ok(Box::new(super::mysql::open(address, terms, tables)?))
            }
            None => Ok(Box::new(super::mysql::open(address, terms, BuiltinTables::at(kind))?)),
        },
        #[cfg(feature = "redis")]
        StoreKind::Redis => super::redis::open(address, terms),
        #[cfg(feature = "http")]
        StoreKind::Http => open_shop(address, terms),
        #[cfg(feature = "etcd")]
        StoreKind::Etcd => super::etcd::open(address, terms),
        #[allow(unreachable_patterns, reason = "some features leave nothing over")]
        kind => {
            let _ = (address, terms);
            Err(kind.left_out())
        }
    }
}

/// Starts the two stores of a described checkout.
fn open_pair(
    checkout: &Arc<Checkout>,
    kind: StoreKind,
    beside: StoreKind,
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn Server>, Error> {
    if address.url.is_some() {
        return Err(Error::input(format!(
            "--url: {} has two stores, {kind} and {beside}, which are always private servers; leave it out",
            checkout.path
        )));
    }
    #[cfg(all(
        feature = "redis",
        any(feature = "sqlite", feature = "postgres", feature = "mysql")
    ))]
    if beside == StoreKind::Redis {
        let tables = CheckoutTables::of(checkout, kind);
        let database: Box<dyn StepServer> = match kind {
            #[cfg(feature = "sqlite")]
            StoreKind::Sqlite => Box::new(super::sqlite::open(address, terms, tables)?),
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => Box::new(super::postgres::open(address, terms, tables)?),
            #[cfg(feature = "mysql")]
            StoreKind::Mysql => Box::new(super::mysql::open(address, terms, tables)?),
            kind => return Err(kind.left_out()),
        };
        // The first number that is no table's.
        let keys = Resources::table(database.part_names().len());
        let redis = super::redis::open_beside(address, terms, keys)?;
        let pair = StorePair::of(checkout, database, Box::new(redis), terms);
        return Ok(Box::new(pair));
    }
    let _ = terms;
    Err(beside.left_out())
}

/// Opens a running shop: the application that the file describes, or whatever answers at the URL.
#[cfg(feature = "http")]
fn open_shop(address: &Address, terms: &StoreConfig) -> Result<Box<dyn Server>, Error> {
    let Some(checkout) = terms.checkout.clone() else {
        return Err(Error::input(
            "--store http: a running shop is described by a file: --checkout",
        ));
    };
    #[cfg(feature = "app")]
    if let Some(app) = &checkout.app {
        return super::app::open(&checkout, app, address, terms);
    }
    super::http::open(checkout, address, terms, open_asker)
}

/// Connects to the database of a shop, to run the checkout file's queries there.
#[cfg(feature = "http")]
fn open_asker(
    kind: StoreKind,
    url: &str,
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn Asker>, Error> {
    match kind {
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite => Ok(Box::new(PlainConnection(super::sqlite::ask_at(url, terms)?))),
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => {
            Ok(Box::new(PlainConnection(super::postgres::ask_at(url, address, terms)?)))
        }
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => {
            Ok(Box::new(PlainConnection(super::mysql::ask_at(url, address, terms)?)))
        }
        kind => {
            let _ = (url, address, terms);
            Err(kind.left_out())
        }
    }
}
