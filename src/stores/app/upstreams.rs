//! Opens the databases behind an application.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::base::text::server_url::ServerUrl;
use crate::domain::store_kind::StoreKind;
use crate::stores::Address;
use crate::stores::remote::StoreConfig;
use crate::stores::upstream::UpstreamDatabase;

/// Starts a private server, or finds the one that the URL names.
pub(super) fn open(
    kind: StoreKind,
    url: Option<&ServerUrl>,
    allow_remote: bool,
    terms: &StoreConfig,
) -> Result<Box<dyn UpstreamDatabase>, Error> {
    let url = url.cloned();
    let allow_triggers = terms.allow_triggers;
    let address = Address { url, allow_remote, allow_triggers, ..Address::default() };
    match kind {
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => crate::stores::postgres::back(&address, terms),
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => crate::stores::mysql::back(&address, terms),
        #[cfg(feature = "redis")]
        StoreKind::Redis => crate::stores::redis::back(&address, terms),
        kind => {
            let _ = (&address, terms);
            Err(kind.left_out())
        }
    }
}

/// The program of a private server.
pub(super) fn server_program(kind: StoreKind) -> Result<PathBuf, Error> {
    match kind {
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => crate::stores::postgres::PACKAGE.find_server(),
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => crate::stores::mysql::PACKAGE.find_server(),
        #[cfg(feature = "redis")]
        StoreKind::Redis => crate::stores::redis::PACKAGE.find_server(),
        kind => Err(kind.left_out()),
    }
}
