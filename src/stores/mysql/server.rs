//! Where the server is: a private one, or the user's.

use std::time::Duration;

use ::mysql::consts::CapabilityFlags;
use ::mysql::{Opts, OptsBuilder};

use crate::base::error::Error;
use crate::stores::Address;
use crate::stores::address::on_loopback;
use crate::stores::answer::GRACE;
use crate::stores::private::{self, Beside, DATA, DataDirTemplate, Package, ServerSandbox};
use crate::stores::remote::StoreConfig;
use crate::stores::sql::{Database as _, Statement};

/// What has to be installed.
pub(in crate::stores) const PACKAGE: Package = Package {
    title: "MariaDB",
    debian: "mariadb-server",
    fedora: "mariadb-server",
    homebrew: "mariadb",
    places: &["/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/opt/mariadb/bin"],
    server: &["mariadbd", "mysqld"],
};

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// Connections beside the pool's: for the audit, for a rehearsal, and for the user's own clients.
const BESIDE: u32 = 24;

/// The database of a private server.
const DATABASE: &str = "oversell_sim";

/// How the database is initialized, beside its directory.
const INSTALL: [&str; 3] =
    ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];

/// The size of the log in which a relaxed server notes its changes. Its own default is ten times as much to write at the
/// start.
const RELAXED_LOG: &str = "--innodb-log-file-size=10M";

/// How the database of a relaxed server is initialized: nothing of it has to outlive the operating system, so nothing
/// waits for the disk.
const INSTALL_RELAXED: [&str; 7] = [
    INSTALL[0],
    INSTALL[1],
    INSTALL[2],
    RELAXED_LOG,
    "--debug-no-sync",
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
];

/// How a relaxed server runs. Tables share one file: to empty one that has a file of its own makes a new file, which took
/// two thirds of the time between two statement orders.
const RELAXED: [&str; 5] = [
    RELAXED_LOG,
    "--debug-no-sync",
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-file-per-table=0",
];

/// Reads a URL.
pub(super) fn opts(url: &str, address: &Address, terms: &StoreConfig) -> Result<Opts, Error> {
    let opts = Opts::from_url(url).map_err(|error| {
        Error::input(format!("--url: {error}; expected mysql://USER:PASSWORD@localhost/DATABASE"))
    })?;
    if opts.get_db_name().is_none() {
        return Err(Error::input(
            "--url: no database is named; write mysql://user@localhost/database",
        ));
    }
    on_loopback(&opts.get_ip_or_hostname(), address)?;
    Ok(with_bounds(OptsBuilder::from_opts(opts), terms))
}

/// The same options with a timeout for every wait, and such that a row that an `UPDATE` finds counts as changed, even
/// if its values stay the same.
fn with_bounds(opts: OptsBuilder, terms: &StoreConfig) -> Opts {
    let within = Some(terms.settings.patience + GRACE);
    opts.read_timeout(within)
        .write_timeout(within)
        .tcp_connect_timeout(Some(CONNECTING))
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
        .stmt_cache_size(Statement::COUNT)
        .into()
}

/// Starts a private server on a socket in its own directory; returns its URL.
pub(super) fn start(terms: &StoreConfig) -> Result<(String, ServerSandbox), Error> {
    let server = PACKAGE.find_server()?;
    let install = PACKAGE.find(&["mariadb-install-db", "mysql_install_db"])?;
    let sandbox = ServerSandbox::make("KILL")?.heeding(&terms.control);
    let data = format!("--datadir={}", sandbox.servers_dir().join(DATA).display());
    let initialize = |arguments: &[&str]| {
        let mut make = sandbox.command(&install);
        make.args(["--no-defaults", &data]).args(arguments);
        sandbox.run(make, &Beside::default())
    };
    if let Some(archive) = &terms.archive {
        private::fill_from(&sandbox, archive)?;
    } else if terms.settings.relaxed {
        // An archive holds no password: the server itself sets it when it starts.
        DataDirTemplate::of("mariadb", &[&install, &server], &INSTALL_RELAXED)
            .fill(&sandbox, |_| initialize(&INSTALL_RELAXED))?;
    } else {
        // A server that has to keep what it acknowledged does not begin by making its log anew in another size.
        initialize(&INSTALL)?;
    }
    let password = private::password()?;
    let first = format!(
        "CREATE DATABASE IF NOT EXISTS {DATABASE};\n\
         SET PASSWORD FOR root@localhost = PASSWORD('{password}');\n"
    );
    let socket = sandbox.servers_dir().join("socket");
    let mut command = sandbox.command(&server);
    command
        .args(["--no-defaults", &data, "--skip-networking", "--skip-name-resolve"])
        .arg(format!("--socket={}", socket.display()))
        .arg("--init-file=/dev/stdin")
        .arg(format!("--tmpdir={}", sandbox.servers_dir().display()))
        .arg(format!("--pid-file={}", sandbox.servers_dir().join("pid").display()))
        .arg(format!("--max-connections={}", terms.settings.connections + BESIDE));
    if terms.settings.relaxed {
        command.args(RELAXED);
    }
    let socket = private::in_url(&socket);
    let url = format!("mysql://root:{password}@localhost/{DATABASE}?socket={socket}");
    let opts = opts(&url, &Address::default(), terms)?;
    let answers = || super::MysqlConnection::open(&opts, terms).is_ok();
    sandbox.start(command, Beside::reading(first), &terms.control, answers)?;
    // The plugin names the owners of locks that are no row locks. Without it, such waits are inferred from the
    // sessions' states.
    let _ = super::MysqlConnection::open(&opts, terms)
        .map(|mut connection| connection.run_file("INSTALL SONAME 'metadata_lock_info'"));
    Ok((url, sandbox))
}
