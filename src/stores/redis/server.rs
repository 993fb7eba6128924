//! Where the server is: a private one, or the user's.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ::redis::{Client, ConnectionAddr, RedisError, RedisResult, cmd};

use super::connection::RedisConnection;
use crate::base::error::Error;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::answer::{GRACE, connect_within};
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
pub(super) fn dial(client: &Client, terms: &StoreConfig) -> Result<RedisConnection, Error> {
    let (info, within) =
        (client.get_connection_info().clone(), terms.settings.patience.saturating_add(GRACE));
    let control = terms.control.clone();
    let dial = move || {
        let mut connection = RedisConnection::open(&info, within, &control)?;
        // A server that is still loading its file listens already.
        cmd("PING").exec(&mut connection)?;
        Ok(connection)
    };
    let dial = move || dial().map_err(|error: RedisError| error.to_string());
    connect_within(&terms.control, within, dial)
        .map_err(|why| Error::world(format!("cannot connect to Redis: {why}")))
}

/// The server's name and version.
pub(super) fn version(connection: &mut RedisConnection) -> RedisResult<String> {
    let about: String = cmd("INFO").arg("server").query(connection)?;
    let value = |name: &str| about.lines().find_map(|line| line.strip_prefix(name));
    Ok(match value("valkey_version:") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", value("redis_version:").unwrap_or("of some version")),
    })
}

/// A path as it is written in a configuration, whatever is in it.
fn in_configuration(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    format!("\"{}\"", bytes.map(|byte| format!("\\x{byte:02x}")).collect::<String>())
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
        in_configuration(&socket),
        in_configuration(sandbox.servers_dir()),
        terms.settings.connections + 32,
    );
    let mut command = sandbox.command(&server);
    command.arg("-");
    let url = format!("redis+unix://{}?pass={password}", private::in_url(&socket));
    let client = client(&url, &Address::default())?;
    sandbox
        .start(command, Beside::reading(about), &terms.control, || dial(&client, terms).is_ok())?;
    Ok((url, sandbox))
}
