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

/// Kills a private server, and starts it again.
pub(super) fn kill_and_restart(
    sandbox: &ServerSandbox,
    client: &Client,
    terms: &StoreConfig,
) -> Result<(), Error> {
    sandbox.kill(0)?;
    cut_off_unfinished(sandbox)?;
    sandbox.kill_and_restart(0, &terms.control, || dial(client, terms).is_ok())
}

/// Cuts a transaction off the append-only file of which the killed server had written only a part. Redis itself cuts off only
/// the command that is not whole, and leaves the others behind their `MULTI`: they are run when the file is read for the
/// second time, with the next transaction (mended in Valkey: pull request 4342).
fn cut_off_unfinished(sandbox: &ServerSandbox) -> Result<(), Error> {
    let of_one_file = "appendonly.aof";
    let of_several_files = "appendonlydir/appendonly.aof.manifest";
    let names = [of_several_files, of_one_file].into_iter();
    let mut files = names.map(|name| sandbox.servers_dir().join(name));
    let Some(file) = files.find(|file| file.exists()) else { return Ok(()) };
    let mut check = sandbox.command(&PACKAGE.find(&["redis-check-aof", "valkey-check-aof"])?);
    check.arg("--fix").arg(file);
    // It asks before it cuts.
    sandbox.run(check, &Beside::reading("y\n".into()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use ::redis::pipe;

    use super::*;
    use crate::base::control::Control;
    use crate::domain::settings::Settings;
    use crate::domain::store_kind::StoreKind;
    use crate::stores::is_installed;

    /// Takes a unit and places an order, in one transaction.
    fn take(connection: &mut RedisConnection, order: &str) {
        let mut together = pipe();
        together.atomic().cmd("DECR").arg("stock").ignore();
        together.cmd("SET").arg(order).arg("placed").ignore();
        together.exec(connection).unwrap();
    }

    fn stock(connection: &mut RedisConnection) -> i64 {
        cmd("GET").arg("stock").query(connection).unwrap()
    }

    #[test]
    fn a_transaction_of_which_a_killed_server_has_written_a_part_is_never_run() {
        if !is_installed(StoreKind::Redis) {
            return;
        }
        let terms = StoreConfig::of(&Settings::default(), &Control::default());
        let (url, sandbox) = start(&terms).unwrap();
        let client = client(&url, &Address::default()).unwrap();
        let open = || dial(&client, &terms).unwrap();
        let again = || kill_and_restart(&sandbox, &client, &terms).unwrap();
        let mut connection = open();
        cmd("SET").arg("stock").arg(10).exec(&mut connection).unwrap();
        take(&mut connection, "lost");

        // As if it had been killed while it wrote the second command.
        sandbox.kill(0).unwrap();
        let file = sandbox.servers_dir().join("appendonlydir/appendonly.aof.1.incr.aof");
        let written = fs::read(&file).unwrap();
        let at = written.windows(4).rposition(|bytes| bytes == b"lost").unwrap();
        File::options().write(true).open(&file).unwrap().set_len(at as u64).unwrap();
        again();
        let mut connection = open();
        assert_eq!(stock(&mut connection), 10);
        take(&mut connection, "kept");
        again();
        assert_eq!(stock(&mut open()), 9);
    }
}
