//! A Redis server behind an application.

use std::path::Path;
use std::sync::Arc;

use ::redis::{ConnectionAddr, RedisResult, cmd, pipe};

use super::analyzer::{KeyNumbers, RedisAnalyzer};
use super::connection::RedisConnection;
use super::server;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::checkout::{Answer, StoreValue};
use crate::domain::isolation::Isolation;
use crate::proxy::{Redis as RedisWire, StatementAnalyzer, Target, UpstreamServer, Wire};
use crate::scheduler::Waits;
use crate::stores::Address;
use crate::stores::private::ServerSandbox;
use crate::stores::remote::StoreConfig;
use crate::stores::upstream::{Endpoint, UpstreamDatabase};

/// The most keys that have a number of their own.
const MOST_KEYS: usize = 24;

/// Starts a private server, or finds the one that the address names.
pub(in crate::stores) fn back(
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn UpstreamDatabase>, Error> {
    let (url, sandbox) = address.or_private(|| server::start(terms))?;
    let client = server::client(&url, address)?;
    let mut desk = server::dial(&client, terms)?;
    let version = server::version(&mut desk).map_err(server::cannot)?;
    let info = client.get_connection_info();
    let target = match info.addr() {
        ConnectionAddr::Unix(path) => Target::Unix(path.clone()),
        ConnectionAddr::Tcp(host, port) => Target::Tcp(host.clone(), *port),
        _ => return Err(Error::input("a proxy cannot stand in front of an encrypted connection")),
    };
    let settings = info.redis_settings();
    let word = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let endpoint = Endpoint {
        target,
        user: word(settings.username()),
        password: word(settings.password()),
        database: settings.db().to_string(),
    };
    Ok(Box::new(Backed {
        desk,
        endpoint,
        version,
        known: Arc::default(),
        kept: Vec::new(),
        _nest: sandbox,
    }))
}

/// A Redis server behind an application.
struct Backed {
    desk: RedisConnection,
    endpoint: Endpoint,
    version: String,
    known: KeyNumbers,
    /// Keys, their values, and after how many milliseconds they expire; 0 for never.
    kept: Vec<(Vec<u8>, Vec<u8>, i64)>,
    /// The private server, if this run started it. Declared last, so that it ends after the connection.
    _nest: Option<ServerSandbox>,
}

impl Backed {
    fn keys(&mut self) -> RedisResult<Vec<Vec<u8>>> {
        let mut keys: Vec<Vec<u8>> = cmd("KEYS").arg("*").query(&mut self.desk)?;
        keys.sort();
        Ok(keys)
    }
}

fn told(error: ::redis::RedisError) -> String {
    format!("Redis: {error}")
}

impl UpstreamDatabase for Backed {
    fn archive(&mut self, _: &Control, path: &Path) -> Result<(), Error> {
        match self.keys() {
            Ok(keys) if keys.is_empty() => std::fs::write(path, "")
                .map_err(|error| Error::world(format!("cannot write {}: {error}", path.display()))),
            Ok(_) => Err(Error::input(
                "--keep: the setup has written to Redis, whose data is not kept; leave out --keep",
            )),
            Err(error) => Err(server::cannot(error)),
        }
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn run_script(&mut self, path: &str, _: &str) -> Result<(), String> {
        Err(format!("{path}: Redis reads no such file"))
    }

    fn ask(&mut self, _: &str, _: &dyn Fn(&str) -> StoreValue) -> Result<Answer, String> {
        Err("Redis does not speak SQL".into())
    }

    /// The clients that wait for an element of a list. The server does not know which client will add one, so each
    /// waits for 0.
    fn waits(&mut self) -> Result<Waits, String> {
        let clients: String = cmd("CLIENT").arg("LIST").query(&mut self.desk).map_err(told)?;
        let waits = |line: &str| {
            let value = |name: &str| line.split(' ').find_map(|word| word.strip_prefix(name));
            let is_blocked = value("flags=")?.contains('b');
            is_blocked.then(|| value("id=")?.parse().ok()).flatten().map(|id: i64| (id, 0))
        };
        Ok(clients.lines().filter_map(waits).collect())
    }

    fn get_to_know(&mut self, first: usize) -> Result<Vec<String>, String> {
        let keys = self.keys().map_err(told)?;
        let mut names: Vec<String> = keys
            .iter()
            .take(MOST_KEYS)
            .map(|key| String::from_utf8_lossy(key).into_owned())
            .collect();
        *self.known.write() = (first, names.clone());
        names.push("other keys".into());
        Ok(names)
    }

    fn keep(&mut self) -> Result<(), String> {
        let mut kept = Vec::new();
        for key in self.keys().map_err(told)? {
            let what: Option<Vec<u8>> =
                cmd("DUMP").arg(&key).query(&mut self.desk).map_err(told)?;
            let left: i64 = cmd("PTTL").arg(&key).query(&mut self.desk).map_err(told)?;
            kept.extend(what.map(|what| (key, what, left.max(0))));
        }
        self.kept = kept;
        Ok(())
    }

    fn put_back(&mut self) -> Result<(), String> {
        let mut all = pipe();
        all.cmd("FLUSHDB").ignore();
        for (key, what, left) in &self.kept {
            all.cmd("RESTORE").arg(key).arg(*left).arg(what).ignore();
        }
        all.exec(&mut self.desk).map_err(told)
    }

    fn raise(&mut self, _: Isolation) -> Result<(), String> {
        Ok(())
    }

    fn behind(&self, first_session: i64) -> UpstreamServer {
        let known = Arc::clone(&self.known);
        UpstreamServer {
            target: self.endpoint.target.clone(),
            first_session,
            wire: Box::new(|| Box::new(RedisWire::default()) as Box<dyn Wire>),
            analyzer: Box::new(move || {
                Box::new(RedisAnalyzer::new(&known)) as Box<dyn StatementAnalyzer>
            }),
        }
    }
}
