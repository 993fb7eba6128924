//! Where the server is: a private one, or the user's.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::base::error::Error;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::private::{
    self, Beside, DATA, DataDirOrigin, DataDirTemplate, Package, ServerSandbox,
};
use crate::stores::remote::StoreConfig;
use crate::stores::sql::Dialer as _;

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

/// How `initdb` is called, beside the directory and the password.
const INITDB: [&str; 8] = [
    "--username",
    USER,
    "--auth",
    "scram-sha-256",
    "--encoding",
    "UTF8",
    "--no-locale",
    "--no-sync",
];

/// Reads a URL.
pub(super) fn config(url: &str, address: &Address) -> Result<Config, Error> {
    let mut config: Config = url.parse().map_err(|error| {
        Error::input(format!(
            "--url: {error}; expected postgres://USER:PASSWORD@localhost/DATABASE"
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

/// Whether a private server says, in the file with its process id, that it is still starting. It refuses connections
/// until it is ready, and each that it refuses costs it a process.
pub(super) fn is_starting(config: &Config) -> bool {
    let [Host::Unix(directory)] = config.get_hosts() else { return false };
    let about = std::fs::read_to_string(directory.join(DATA).join("postmaster.pid"));
    let status = about.ok().and_then(|about| about.lines().nth(7).map(str::to_owned));
    status.is_some_and(|status| status.trim_end() == "starting")
}

/// A path as it is written in a list, whatever is in it.
fn in_list(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

/// Starts a private server on a socket in its own directory; returns its URL.
pub(super) fn start(terms: &StoreConfig) -> Result<(String, ServerSandbox), Error> {
    start_with(terms, &[])
}

/// Starts a private server with these settings beside the usual ones, each as `name=value`.
pub(super) fn start_with(
    terms: &StoreConfig,
    settings: &[&str],
) -> Result<(String, ServerSandbox), Error> {
    let initdb = PACKAGE.find(&["initdb"])?;
    let server = PACKAGE.find_server()?;
    // `QUIT` stops the server at once, without waiting for clients, and leaves no shared memory behind.
    let sandbox = ServerSandbox::make("QUIT")?.heeding(&terms.control);
    let password = private::password()?;
    let template = DataDirTemplate::of("postgres", &[&initdb, &server], &INITDB);
    let initialize = |origin| {
        let mut init = sandbox.command(&initdb);
        init.args(["--pgdata", DATA, "--pwfile", "/dev/stdin"]).args(INITDB);
        let first = match origin {
            DataDirOrigin::Initialized => password.clone(),
            DataDirOrigin::Shared => private::password()?,
        };
        sandbox.run(init, &Beside::reading(first))
    };
    let origin = match &terms.archive {
        Some(archive) => {
            private::fill_from(&sandbox, archive)?;
            DataDirOrigin::Shared
        }
        None => template.fill(&sandbox, initialize)?,
    };
    if origin == DataDirOrigin::Shared {
        let mut alone = sandbox.command(&server);
        alone.args(["--single", "-F", "-D", DATA, "template1"]);
        let change = format!("ALTER ROLE {USER} PASSWORD '{password}'\n");
        sandbox.run(alone, &Beside::reading(change))?;
    }
    let mut command = sandbox.command(&server);
    command
        .args(["-D", DATA, "-c", "listen_addresses=", "-c"])
        .arg(format!("unix_socket_directories={}", in_list(sandbox.servers_dir())))
        .args(["-c", "unix_socket_permissions=0700"])
        .args(["-c", &format!("max_connections={}", terms.settings.connections + BESIDE)]);
    if terms.settings.relaxed {
        // The server may crash, but the operating system does not.
        command.args(["-c", "synchronous_commit=off"]);
        command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    let url = format!(
        "postgresql://{USER}:{password}@/postgres?host={}",
        private::in_url(sandbox.servers_dir())
    );
    let config = config(&url, &Address::default())?;
    let answers = || config.dial(terms).is_ok();
    sandbox.start(command, Beside::default(), &terms.control, answers)?;
    Ok((url, sandbox))
}
