//! A MariaDB or MySQL server behind an application.

use std::process::Command;
use std::sync::Arc;

use ::mysql::Opts;
use rustix::process::Signal;

use super::connection::MysqlConnection;
use super::server;
use super::server::PACKAGE;
use crate::base::error::Error;
use crate::base::text::sql::Rewriting;
use crate::describe::checkout::StoreValue;
use crate::domain::isolation::Isolation;
use crate::proxy::{Mysql, Target, Wire};
use crate::stores::Address;
use crate::stores::remote::StoreConfig;
use crate::stores::sql::{Database, Keepsake, SqlError, SqlUpstream};
use crate::stores::upstream::{Endpoint, UpstreamDatabase};

/// The database that keeps the copies.
const KEEP: &str = "oversell_sim_keep";

/// Starts a private server, or finds the one that the address names.
pub(in crate::stores) fn back(
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn UpstreamDatabase>, Error> {
    let (url, sandbox) = address.or_private(|| server::start(terms))?;
    let opts = server::opts(&url, address, terms)?;
    let endpoint = endpoint(&opts);
    Ok(Box::new(SqlUpstream::open(&opts, endpoint, sandbox, Vec::new(), terms)?))
}

/// The address, the login and the database of a URL.
fn endpoint(opts: &Opts) -> Endpoint {
    let target = match opts.get_socket() {
        Some(socket) => Target::Unix(socket.into()),
        None => Target::Tcp(opts.get_ip_or_hostname().into_owned(), opts.get_tcp_port()),
    };
    let word = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Endpoint {
        target,
        user: word(opts.get_user()),
        password: word(opts.get_pass()),
        database: word(opts.get_db_name()),
    }
}

/// The rows of a query.
fn listed(desk: &mut MysqlConnection, query: &str) -> Result<Vec<Vec<StoreValue>>, SqlError> {
    Ok(desk.ask(query, &|_| StoreValue::Null)?.rows)
}

/// Every table, with the checksum and the number of its rows.
fn signs(desk: &mut MysqlConnection) -> Result<Vec<(String, String, String)>, SqlError> {
    let tables = listed(
        desk,
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name",
    )?;
    let mut signs = Vec::new();
    for table in tables.iter().flatten().map(StoreValue::text) {
        let sum = listed(desk, &format!("CHECKSUM TABLE `{table}`"))?;
        let sum = sum.first().and_then(|row| row.get(1)).map_or(String::new(), StoreValue::text);
        let count = listed(desk, &format!("SELECT COUNT(*) FROM `{table}`"))?;
        let count = count.iter().flatten().next().map_or(String::new(), StoreValue::text);
        signs.push((table, sum, count));
    }
    Ok(signs)
}

/// The isolation level of transactions that name none, in the server's words.
fn usual_level(desk: &mut MysqlConnection) -> Result<String, SqlError> {
    let told = listed(desk, "SELECT @@tx_isolation")
        .or_else(|_| listed(desk, "SELECT @@transaction_isolation"))?;
    Ok(told.iter().flatten().next().map_or(String::new(), StoreValue::text).to_lowercase())
}

impl Keepsake for MysqlConnection {
    const ENDS_BY: Signal = Signal::TERM;

    fn usual_isolation(&mut self) -> Result<Isolation, SqlError> {
        let told = usual_level(self)?;
        let says = |level: &Isolation| level.name() == told;
        Ok(Isolation::ALL.into_iter().find(says).unwrap_or(Isolation::RepeatableRead))
    }

    fn sees_uncommitted(&mut self) -> Result<bool, SqlError> {
        Ok(usual_level(self)? == "read-uncommitted")
    }

    fn keep(&mut self) -> Result<(), SqlError> {
        self.forget()?;
        self.run_file(&format!(
            "CREATE DATABASE {KEEP}; CREATE TABLE {KEEP}.signs (name VARCHAR(255), sum VARCHAR(32), n VARCHAR(32))"
        ))?;
        for (table, sum, count) in signs(self)? {
            self.run_file(&format!(
                "CREATE TABLE {KEEP}.`{table}` AS SELECT * FROM `{table}`; \
                 INSERT INTO {KEEP}.signs VALUES ('{table}', '{sum}', '{count}')"
            ))?;
        }
        Ok(())
    }

    fn put_back(&mut self) -> Result<(), SqlError> {
        let kept = listed(self, &format!("SELECT name, sum, n FROM {KEEP}.signs"))?;
        let now = signs(self)?;
        let changed = now.iter().filter(|(table, sum, count)| {
            let is_it =
                |row: &&Vec<StoreValue>| row.first().is_some_and(|name| name.text() == *table);
            kept.iter().find(is_it).is_none_or(|row| {
                row.get(1).map(StoreValue::text).as_ref() != Some(sum)
                    || row.get(2).map(StoreValue::text).as_ref() != Some(count)
            })
        });
        let mut said = "SET FOREIGN_KEY_CHECKS = 0; SET UNIQUE_CHECKS = 0;".to_owned();
        for (table, ..) in changed {
            let columns = listed(
                self,
                &format!(
                    "SELECT CONCAT('`', column_name, '`') FROM information_schema.columns \
                     WHERE table_schema = DATABASE() AND table_name = '{table}' \
                     AND extra NOT LIKE '%GENERATED%' ORDER BY ordinal_position"
                ),
            )?;
            let columns: Vec<String> = columns.iter().flatten().map(StoreValue::text).collect();
            let columns = columns.join(", ");
            // The table then numbers new rows from after the highest number that it contains.
            said += &format!(
                "DELETE FROM `{table}`; INSERT INTO `{table}` ({columns}) SELECT {columns} FROM {KEEP}.`{table}`; \
                 ALTER TABLE `{table}` AUTO_INCREMENT = 1;"
            );
        }
        said += "SET FOREIGN_KEY_CHECKS = 1; SET UNIQUE_CHECKS = 1";
        self.run_file(&said)
    }

    fn forget(&mut self) -> Result<(), SqlError> {
        self.run_file(&format!("DROP DATABASE IF EXISTS {KEEP}"))
    }

    fn raise(&mut self, isolation: Isolation) -> Result<Vec<(String, String)>, SqlError> {
        let level = isolation.name().replace('-', " ");
        self.run_file(&format!("SET GLOBAL TRANSACTION ISOLATION LEVEL {level}"))?;
        Ok(Vec::new())
    }

    fn client(endpoint: &Endpoint) -> Option<Command> {
        let Endpoint { target, user, password, database } = endpoint;
        let mut client = Command::new(PACKAGE.find(&["mariadb", "mysql"]).ok()?);
        // Nothing of the user's own configuration.
        client.arg("--no-defaults");
        match target {
            Target::Tcp(host, port) => {
                client.args(["--protocol=TCP", "--host", host, "--port", &port.to_string()])
            }
            Target::Unix(socket) => client.arg("--socket").arg(socket),
        };
        client.args(["--user", user, "--database", database]).env("MYSQL_PWD", password);
        Some(client)
    }

    fn wire(_: Vec<(String, String)>, rewriting: Option<Arc<Rewriting>>) -> Box<dyn Wire> {
        Box::new(Mysql::rewriting(rewriting))
    }
}
