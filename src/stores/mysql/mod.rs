//! Stock in a MariaDB or MySQL server, in InnoDB tables.

mod connection;
mod locks;
mod server;
#[cfg(feature = "app")]
mod upstream;

use ::mysql::Opts;

use super::Address;
use super::remote::StoreConfig;
use super::sql::{Dialer, SqlError, SqlServer, Tables};
use crate::base::error::Error;
use crate::domain::store_kind::StoreKind;
use connection::MysqlConnection;

pub(super) use server::PACKAGE;
#[cfg(feature = "app")]
pub(super) use upstream::back;

/// Starts a private server, or finds the one that the address names, and makes the tables.
pub(super) fn open<T: Tables>(
    address: &Address,
    terms: &StoreConfig,
    tables: T,
) -> Result<SqlServer<Opts, T>, Error> {
    let (url, sandbox) = address.or_private(|| server::start(terms))?;
    let opts = server::opts(&url, address, terms)?;
    SqlServer::open(opts, url, sandbox, terms, tables)
}

/// Connects to a shop's database, to run the checkout file's queries there.
#[cfg(feature = "http")]
pub(super) fn ask_at(
    url: &str,
    address: &Address,
    terms: &StoreConfig,
) -> Result<MysqlConnection, Error> {
    MysqlConnection::open(&server::opts(url, address, terms)?, terms)
}

impl Dialer for Opts {
    type Database = MysqlConnection;

    const KIND: StoreKind = StoreKind::Mysql;

    fn dial(&self, terms: &StoreConfig) -> Result<MysqlConnection, Error> {
        MysqlConnection::open(self, terms)
    }

    fn version(connection: &mut MysqlConnection) -> Result<String, SqlError> {
        connection.version()
    }
}
