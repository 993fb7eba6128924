//! Where the server is: a private one, or the user's.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::base::error::Error;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::private::{self, Beside, Package, ServerSandbox};
use crate::stores::remote::StoreConfig;

/// What has to be installed.
pub(in crate::stores) const PACKAGE: Package = Package {
    title: "PostgreSQL",
    debian: "postgresql",
    fedora: "postgresql-server",
    homebrew: "postgresql",
    places: &[
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
        "/usr/local/opt/postgresql@*/bin",
        "/usr/local/pgsql/bin",
    ],
    server: &["postgres"],
};

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// Connections beside the pool's: for the audit, for a rehearsal, and for the user's own clients.
const BESIDE: u32 = 24;

/// The only user of a private server.
const USER: &str = "oversell_sim";

/// Reads a URL.
pub(super) fn config(url: &str, address: &Address) -> Result<Config, Error> {
    let mut config: Config = url.parse().map_err(|error| {
        Error::input(format!(
            "--url: {error}; expected postgres://user:password@localhost/database"
        ))
    })?;
    for host in config.get_hosts() {
        if let Host::Tcp(name) = host {
            on_loopback(name, address)?;
        }
    }
    for ip in config.get_hostaddrs() {
        on_loopback(&ip.to_string(), address)?;
    }
    config.connect_timeout(CONNECTING);
    Ok(config)
}

/// Starts a private server on a socket in its own directory; returns its URL.
pub(super) fn start(terms: &StoreConfig) -> Result<(String, ServerSandbox), Error> {
    let initdb = PACKAGE.find(&["initdb"])?;
    let server = PACKAGE.find_server()?;
    // `QUIT` stops the server at once, without waiting for clients, and leaves no shared memory behind.
    let sandbox = ServerSandbox::make("QUIT")?;
    let password = private::password()?;
    let mut init = sandbox.command(&initdb);
    init.args(["--pgdata", "data", "--username", USER, "--auth", "scram-sha-256"]).args([
        "--pwfile",
        "/dev/stdin",
        "--encoding",
        "UTF8",
        "--no-locale",
        "--no-sync",
    ]);
    sandbox.run(init, &Beside::reading(password.clone()))?;
    let mut command = sandbox.command(&server);
    command
        .args(["-D", "data", "-c", "listen_addresses=", "-c"])
        .arg(format!("unix_socket_directories={}", sandbox.servers_dir().display()))
        .args(["-c", "unix_socket_permissions=0700"])
        .args(["-c", &format!("max_connections={}", terms.settings.connections + BESIDE)]);
    if terms.settings.relaxed {
        command.args(["-c", "synchronous_commit=off"]);
    }
    let url = format!(
        "postgresql://{USER}:{password}@/postgres?host={}",
        sandbox.servers_dir().display()
    );
    let config = config(&url, &Address::default())?;
    let answers = || super::Connection::open(&config, terms).is_ok();
    sandbox.start(command, Beside::default(), &terms.control, answers)?;
    Ok((url, sandbox))
}
