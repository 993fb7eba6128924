//! Where a store is: a private one that is started for the occasion, or one that is named by its URL.

use std::sync::Arc;

#[cfg(feature = "private")]
use super::private::Nest;
use super::remote::{Server, Site, Terms};
#[cfg(all(
    feature = "http",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
use super::sql::Plain;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use super::sql::{Ours, Room};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::checkout::Checkout;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;

/// Where to find a server. By default nowhere: a private one is started, and removed after use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The URL of a server that is running already, such as `postgres://me:secret@localhost/shop`; for SQLite
    /// the path of a file that is to be made.
    pub url: Option<String>,
    /// Whether it may be on another machine. What is sent there is load, and a lot of it.
    pub allow_remote: bool,
    /// Whether triggers may be put on its tables for as long as a search lasts, which hold statements inside of it.
    pub allow_triggers: bool,
}

impl Address {
    /// The URL that it names, or that of a private server which is started.
    #[cfg(feature = "private")]
    pub(super) fn or_private(
        &self,
        start: impl FnOnce() -> Result<(String, Nest), Error>,
    ) -> Result<(String, Option<Nest>), Error> {
        match &self.url {
            Some(url) => Ok((url.clone(), None)),
            None => start().map(|(url, nest)| (url, Some(nest))),
        }
    }
}

/// Where races take place.
pub enum Venue {
    /// In this process's memory.
    Memory,
    /// At a server.
    Site(Site),
}

impl Venue {
    /// Gets the store of these settings ready, for a described checkout if there is one.
    ///
    /// # Errors
    /// [`Error::Input`] for an address that cannot be, [`Error::World`] when the server cannot be started or
    /// reached.
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
        let terms = Terms::of(settings, control).with_checkout(checkout);
        let server = open_server(settings.store, address, &terms)?;
        Site::open(server, terms).map(Self::Site)
    }

    /// The server, if there is one.
    #[must_use]
    pub fn server(&self) -> Option<&dyn Server> {
        match self {
            Self::Memory => None,
            Self::Site(site) => Some(site.server()),
        }
    }

    /// Which store it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::Memory => StoreKind::Memory,
            Self::Site(site) => site.server().kind(),
        }
    }

    /// The server's name and version, if there is one.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        match self {
            Self::Memory => None,
            Self::Site(site) => Some(site.server().version().to_owned()),
        }
    }
}

/// Starts a private server, or finds the one that the address names.
///
/// # Errors
/// As [`Venue::open`].
pub(crate) fn open_server(
    kind: StoreKind,
    address: &Address,
    terms: &Terms,
) -> Result<Box<dyn Server>, Error> {
    match kind {
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite => match &terms.checkout {
            Some(checkout) => super::sqlite::open(address, terms, Room::of(checkout, kind)),
            None => super::sqlite::open(address, terms, Ours::at(kind)),
        },
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => match &terms.checkout {
            Some(checkout) => super::postgres::open(address, terms, Room::of(checkout, kind)),
            None => super::postgres::open(address, terms, Ours::at(kind)),
        },
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => match &terms.checkout {
            Some(checkout) => super::mysql::open(address, terms, Room::of(checkout, kind)),
            None => super::mysql::open(address, terms, Ours::at(kind)),
        },
        #[cfg(feature = "redis")]
        StoreKind::Redis => super::redis::open(address, terms),
        #[cfg(feature = "http")]
        StoreKind::Http => super::http::open(address, terms),
        #[cfg(feature = "etcd")]
        StoreKind::Etcd => super::etcd::open(address, terms),
        #[allow(unreachable_patterns, reason = "some features leave nothing over")]
        kind => {
            let _ = (address, terms);
            Err(super::readiness::left_out(kind))
        }
    }
}

/// Connects to the database of somebody's shop, to ask it something.
#[cfg(feature = "http")]
pub(super) fn open_asker(
    kind: StoreKind,
    url: &str,
    address: &Address,
    terms: &Terms,
) -> Result<Box<dyn super::http::Asker>, Error> {
    match kind {
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite => Ok(Box::new(Plain(super::sqlite::ask_at(url, terms)?))),
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => Ok(Box::new(Plain(super::postgres::ask_at(url, address, terms)?))),
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => Ok(Box::new(Plain(super::mysql::ask_at(url, address, terms)?))),
        kind => {
            let _ = (url, address, terms);
            Err(super::readiness::left_out(kind))
        }
    }
}

/// Refuses a host off this machine, unless that is allowed.
///
/// # Errors
/// [`Error::Input`] that names the flag which allows it.
#[cfg(any(feature = "private", feature = "http"))]
pub(super) fn on_loopback(host: &str, address: &Address) -> Result<(), Error> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_loopback || address.allow_remote {
        return Ok(());
    }
    Err(Error::input(format!(
        "{} is not on this machine; oversell-sim sends load only to loopback\n       \
         to race against it on purpose, add --allow-remote",
        crate::base::text::nearest::shown(host)
    )))
}
