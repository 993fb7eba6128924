//! Stock in a PostgreSQL server.

mod connection;
mod dynamic;
#[cfg(feature = "cli")]
pub(crate) mod isolation;
mod server;
#[cfg(feature = "app")]
mod upstream;

use tokio_postgres::Config;

use super::Address;
use super::remote::StoreConfig;
use super::sql::{Dialer, SqlError, SqlServer, Tables};
use crate::base::error::Error;
use crate::domain::store_kind::StoreKind;
use connection::PostgresConnection;

pub(super) use server::PACKAGE;
#[cfg(feature = "app")]
pub(super) use upstream::back;

/// Starts a private server, or finds the one that the address names, and makes the tables.
pub(super) fn open<T: Tables>(
    address: &Address,
    terms: &StoreConfig,
    tables: T,
) -> Result<SqlServer<Config, T>, Error> {
    let (url, sandbox) = address.or_private(|| server::start(terms))?;
    let config = server::config(&url, address)?;
    SqlServer::open(config, url, sandbox, terms, tables)
}

/// Connects to a shop's database, to run the checkout file's queries there.
#[cfg(feature = "http")]
pub(super) fn ask_at(
    url: &str,
    address: &Address,
    terms: &StoreConfig,
) -> Result<PostgresConnection, Error> {
    PostgresConnection::open(&server::config(url, address)?, terms)
}

impl Dialer for Config {
    type Database = PostgresConnection;

    const KIND: StoreKind = StoreKind::Postgres;

    fn dial(&self, terms: &StoreConfig) -> Result<PostgresConnection, Error> {
        match server::is_starting(self) {
            true => Err(Error::world("cannot connect to PostgreSQL: it is starting")),
            false => PostgresConnection::open(self, terms),
        }
    }

    fn version(connection: &mut PostgresConnection) -> Result<String, SqlError> {
        Ok(format!("PostgreSQL {}", connection.version()))
    }
}
