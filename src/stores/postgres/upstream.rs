//! A PostgreSQL server behind an application.

use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::connection::PostgresConnection;
use super::server;
use super::server::PACKAGE;
use crate::base::error::Error;
use crate::base::text::sql::Rewriting;
use crate::describe::checkout::StoreValue;
use crate::domain::isolation::Isolation;
use crate::proxy::{Postgres, Target, Wire};
use crate::stores::Address;
use crate::stores::remote::StoreConfig;
use crate::stores::sql::{Database, Keepsake, SqlError, SqlUpstream};
use crate::stores::upstream::{Endpoint, UpstreamDatabase};

/// The database that a private server has for the application.
const DATABASE: &str = "shop";

/// Starts a private server, or finds the one that the address names.
pub(in crate::stores) fn back(
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn UpstreamDatabase>, Error> {
    let (mut url, sandbox) = address.or_private(|| server::start(terms))?;
    if sandbox.is_some() && terms.archive.is_none() {
        let mut desk = PostgresConnection::open(&server::config(&url, address)?, terms)?;
        desk.run_file(&format!("CREATE DATABASE {DATABASE}")).map_err(SqlError::into_error)?;
    }
    if sandbox.is_some() {
        url = url.replace("/postgres?", &format!("/{DATABASE}?"));
    }
    let config = server::config(&url, address)?;
    let endpoint = endpoint(&config)?;
    // On a private server, every user may set this: the server looks for a deadlock at once, and not after a second.
    let at_once = ("deadlock_timeout".to_owned(), "10ms".to_owned());
    let settings = if sandbox.is_some() { vec![at_once] } else { Vec::new() };
    Ok(Box::new(SqlUpstream::open(&config, endpoint, sandbox, settings, terms)?))
}

/// The address, the login and the database of a URL.
fn endpoint(config: &Config) -> Result<Endpoint, Error> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let target = match config.get_hosts().first() {
        Some(Host::Unix(folder)) => Target::Unix(folder.join(format!(".s.PGSQL.{port}"))),
        Some(Host::Tcp(host)) => Target::Tcp(host.clone(), port),
        None => return Err(Error::input("the URL of the database names no host")),
    };
    let user = config.get_user().unwrap_or_default().to_owned();
    let password = config.get_password().map(|word| String::from_utf8_lossy(word).into_owned());
    let database = config.get_dbname().unwrap_or(&user).to_owned();
    Ok(Endpoint { target, user, password: password.unwrap_or_default(), database })
}

impl Keepsake for PostgresConnection {
    // A fast shutdown (PostgreSQL manual, 18.5).
    const ENDS_BY: Signal = Signal::INT;

    fn usual_isolation(&mut self) -> Result<Isolation, SqlError> {
        let told = self.ask("SHOW default_transaction_isolation", &|_| StoreValue::Null)?;
        let told =
            told.rows.first().and_then(|row| row.first()).map_or(String::new(), StoreValue::text);
        let says = |level: &Isolation| level.name().replace('-', " ") == told;
        Ok(Isolation::ALL.into_iter().find(says).unwrap_or(Isolation::ReadCommitted))
    }

    fn keep(&mut self) -> Result<(), SqlError> {
        self.run_file(include_str!("statements/keep.sql"))
    }

    fn put_back(&mut self) -> Result<(), SqlError> {
        self.run_file("SELECT oversell_sim_keep.put_back()")
    }

    fn forget(&mut self) -> Result<(), SqlError> {
        self.run_file("DROP SCHEMA IF EXISTS oversell_sim_keep CASCADE")
    }

    fn raise(&mut self, isolation: Isolation) -> Result<Vec<(String, String)>, SqlError> {
        let level = isolation.name().replace('-', " ");
        Ok(vec![("default_transaction_isolation".to_owned(), level)])
    }

    fn client(endpoint: &Endpoint) -> Option<Command> {
        let Endpoint { target, user, password, database } = endpoint;
        let (host, port) = match target {
            Target::Tcp(host, port) => (host.clone(), port.to_string()),
            Target::Unix(socket) => {
                let name = socket.file_name()?.to_str()?;
                let port = name.rsplit_once('.')?.1.to_owned();
                (socket.parent()?.to_str()?.to_owned(), port)
            }
        };
        let mut client = Command::new(PACKAGE.find(&["psql"]).ok()?);
        client.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]);
        client.args(["--host", &host, "--port", &port, "--username", user]);
        client.args(["--dbname", database, "--file=-"]).env("PGPASSWORD", password);
        Some(client)
    }

    fn wire(settings: Vec<(String, String)>, rewriting: Option<Arc<Rewriting>>) -> Box<dyn Wire> {
        Box::new(Postgres::with_settings(settings).rewriting(rewriting))
    }
}
