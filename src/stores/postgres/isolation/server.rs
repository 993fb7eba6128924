//! The server, and what each session there begins with: as PostgreSQL's own test driver sets them up.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::Host;

use super::message::Heard;
use super::session::RawSession;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::domain::settings::Settings;
use crate::stores::Address;
use crate::stores::postgres::server;
use crate::stores::private::ServerSandbox;
use crate::stores::remote::StoreConfig;

/// The database in which specifications are run. One of PostgreSQL's own names it.
const DATABASE: &str = "isolation_regression";

/// The most sessions at once, with the one that watches them.
const CONNECTIONS: u32 = 100;

/// The server's settings beside those of every private server. Some specifications prepare transactions.
const SETTINGS: [&str; 2] = ["max_prepared_transactions=10", "synchronous_commit=on"];

/// The longest wait for an answer to a statement of our own.
const OURS: Duration = Duration::from_secs(60);

/// A private server for specifications.
pub(crate) struct IsolationServer {
    socket: PathBuf,
    user: String,
    password: Vec<u8>,
    version: String,
    /// Ends the server when it is dropped.
    _sandbox: ServerSandbox,
}

impl IsolationServer {
    /// Starts a server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or does not start.
    pub(crate) fn start(control: &Control) -> Result<Self, Error> {
        let settings = Settings { connections: CONNECTIONS, relaxed: true, ..Settings::default() };
        let terms = StoreConfig::of(&settings, control);
        let (url, sandbox) = server::start_with(&terms, &SETTINGS)?;
        let config = server::config(&url, &Address::default())?;
        let Some(Host::Unix(directory)) = config.get_hosts().first() else {
            return Err(Error::world("the private server has no socket"));
        };
        let mut server = Self {
            socket: directory.join(".s.PGSQL.5432"),
            user: config.get_user().unwrap_or_default().to_owned(),
            password: config.get_password().unwrap_or_default().to_owned(),
            version: String::new(),
            _sandbox: sandbox,
        };
        let mut desk = server.open("postgres", "oversell-sim", "")?;
        let told = ask(&mut desk, "SHOW server_version")?;
        let version = told.first().and_then(|row| row.first().cloned().flatten());
        server.version = version.unwrap_or_default().split(' ').next().unwrap_or_default().into();
        create_database(&mut desk)?;
        Ok(server)
    }

    /// The server's version, such as `15.18`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Puts an empty database in the place of the one that sessions were in, ends these, and drops the roles that were
    /// made there.
    ///
    /// # Errors
    /// When the database cannot be dropped, as where a transaction there is prepared.
    pub(crate) fn renew_database(&self) -> Result<(), Error> {
        let mut desk = self.open("postgres", "oversell-sim", "")?;
        ask(&mut desk, &format!("DROP DATABASE {DATABASE} WITH (FORCE)"))?;
        for row in ask(&mut desk, include_str!("../statements/isolation_roles.sql"))? {
            if let Some(Some(statement)) = row.first() {
                ask(&mut desk, statement)?;
            }
        }
        create_database(&mut desk)
    }

    /// Opens a session under this name, with settings as on a command line, such as `-c deadlock_timeout=1ms`.
    ///
    /// # Errors
    /// When the server does not let it in.
    pub(crate) fn session(&self, name: &str, settings: &str) -> Result<RawSession, Error> {
        self.open(DATABASE, name, settings)
    }

    fn open(&self, database: &str, name: &str, settings: &str) -> Result<RawSession, Error> {
        let options = format!("-c intervalstyle=postgres_verbose {settings}");
        let parameters = [
            ("user", self.user.as_str()),
            ("database", database),
            ("application_name", name),
            ("client_encoding", "UTF8"),
            ("timezone", "America/Los_Angeles"),
            ("datestyle", "Postgres, MDY"),
            ("options", &options),
        ];
        RawSession::open(&self.socket, &self.password, &parameters)
    }
}

fn create_database(desk: &mut RawSession) -> Result<(), Error> {
    let script = include_str!("../statements/isolation_database.sql");
    script.split_inclusive(";\n").try_for_each(|statement| ask(desk, statement).map(drop))
}

/// The rows that a statement of our own returns.
///
/// # Errors
/// When the statement fails, or the server does not answer.
pub(crate) fn ask(
    session: &mut RawSession,
    statement: &str,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    session.send(statement);
    let mut rows = Vec::new();
    let mut failed = None;
    loop {
        match session.hear(OURS) {
            Some(Heard::Row(row)) => rows.push(row),
            Some(Heard::Failed(told)) => failed = Some(told.text),
            Some(Heard::Ready(_)) => break,
            Some(Heard::Lost) => {
                failed.get_or_insert_with(|| "the connection is lost".into());
                break;
            }
            None => return Err(Error::world("PostgreSQL: no answer in time")),
            Some(_) => {}
        }
    }
    match failed {
        Some(why) => Err(Error::world(format!("PostgreSQL: {why}"))),
        None => Ok(rows),
    }
}
