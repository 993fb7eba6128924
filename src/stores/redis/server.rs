//! Where the server is: a private one, or the user's.

use std::time::Duration;

use ::redis::{Client, Connection, ConnectionAddr, RedisError, RedisResult, cmd};

use crate::base::error::Error;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::private::{self, Beside, Package, ServerSandbox};
use crate::stores::remote::StoreConfig;

/// What has to be installed.
pub(in crate::stores) const PACKAGE: Package = Package {
    title: "Redis",
    debian: "redis-server",
    fedora: "valkey",
    homebrew: "redis",
    places: &["/usr/sbin", "/opt/homebrew/opt/redis/bin", "/usr/local/opt/redis/bin"],
    server: &["redis-server", "valkey-server"],
};

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// How much longer than a buyer's patience an answer may take.
const GRACE: Duration = Duration::from_secs(5);

/// The error of a command that has to succeed.
pub(super) fn cannot(error: RedisError) -> Error {
    Error::world(format!("Redis: {error}"))
}

/// Reads a URL.
pub(super) fn client(url: &str, address: &Address) -> Result<Client, Error> {
    let client = Client::open(url).map_err(|error| {
        Error::input(format!("--url: {error}; expected redis://:PASSWORD@localhost:6379"))
    })?;
    match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => {
            on_loopback(host, address)?;
        }
        _ => {}
    }
    Ok(client)
}

/// Connects, with a timeout for every wait.
pub(super) fn dial(client: &Client, terms: &StoreConfig) -> Result<Connection, Error> {
    let dial = || {
        let mut connection = client.get_connection_with_timeout(CONNECTING)?;
        let within = Some(terms.settings.patience + GRACE);
        connection.set_read_timeout(within)?;
        connection.set_write_timeout(within)?;
        // A server that is still loading its file listens already.
        cmd("PING").exec(&mut connection)?;
        Ok(connection)
    };
    dial().map_err(|error: RedisError| Error::world(format!("cannot connect to Redis: {error}")))
}

/// The server's name and version.
pub(super) fn version(connection: &mut Connection) -> RedisResult<String> {
    let about: String = cmd("INFO").arg("server").query(connection)?;
    let value = |name: &str| about.lines().find_map(|line| line.strip_prefix(name));
    Ok(match value("valkey_version:") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", value("redis_version:").unwrap_or("of some version")),
    })
}

/// Starts a private server on a socket in its own directory. It appends every write to a file, and syncs the file
/// before it answers; with relaxed durability, it has no file.
pub(super) fn start(terms: &StoreConfig) -> Result<(String, ServerSandbox), Error> {
    let server = PACKAGE.find_server()?;
    let sandbox = ServerSandbox::make("KILL")?;
    let password = private::password()?;
    let socket = sandbox.servers_dir().join("socket");
    // The configuration goes to standard input: every user can see a process's flags.
    let appends = if terms.settings.relaxed { "no" } else { "yes" };
    let about = format!(
        "port 0\nunixsocket {}\nunixsocketperm 700\ndir {}\nrequirepass {password}\nsave \"\"\nappendonly {appends}\n\
         appendfsync always\nmaxclients {}\n",
        socket.display(),
        sandbox.servers_dir().display(),
        terms.settings.connections + 32,
    );
    let mut command = sandbox.command(&server);
    command.arg("-");
    let url = format!("redis+unix://{}?pass={password}", socket.display());
    let client = client(&url, &Address::default())?;
    sandbox
        .start(command, Beside::reading(about), &terms.control, || dial(&client, terms).is_ok())?;
    Ok((url, sandbox))
}
