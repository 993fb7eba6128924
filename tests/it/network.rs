//! Machines for tests: each a network namespace of its own, on one bridge, with servers that all of them reach.
//!
//! `ip` makes the namespaces, which takes root on Linux. Where that is refused the test fails: what it claims was not tried.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::servers::{eventually, open_dir};

/// The beginning of the names of all namespaces, which the number of this process follows.
const PREFIX: &str = "oversell-test";

/// The servers' address on the bridge. Every network has its own bridge, so all networks have the same addresses.
const SERVERS: &str = "10.231.7.1";

/// The user that servers run as which refuse root.
const UNPRIVILEGED: [&str; 5] =
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];

/// The password of each server.
pub(crate) const PASSWORD: &str = "s3cret";

/// How many networks this process has made.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A network of several machines. Dropping it ends its servers and removes its namespaces.
pub(crate) struct Network {
    name: String,
    machines: u32,
    servers: Vec<Child>,
    dir: TempDir,
}

impl Network {
    pub(crate) fn of(machines: u32) -> Self {
        remove_stale();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}-{}-{number}", std::process::id());
        let network = Self { name, machines, servers: Vec::new(), dir: open_dir() };
        ip(&["netns", "add", &network.name]);
        network.at_bridge(&["link", "set", "lo", "up"]);
        network.at_bridge(&["link", "add", "bridge0", "type", "bridge"]);
        network.at_bridge(&["addr", "add", &format!("{SERVERS}/24"), "dev", "bridge0"]);
        network.at_bridge(&["link", "set", "bridge0", "up"]);
        for machine in 1..=machines {
            let (name, cable) = (network.machine(machine), format!("cable{machine}"));
            ip(&["netns", "add", &name]);
            let pair = ["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns"];
            network.at_bridge(&[&pair[..], &[&name]].concat());
            network.at_bridge(&["link", "set", &cable, "master", "bridge0", "up"]);
            let address = format!("10.231.7.{}/24", machine + 1);
            ip(&["-n", &name, "addr", "add", &address, "dev", "eth0"]);
            ip(&["-n", &name, "link", "set", "eth0", "up"]);
        }
        network
    }

    fn machine(&self, number: u32) -> String {
        format!("{}-{number}", self.name)
    }

    fn at_bridge(&self, words: &[&str]) {
        ip(&[&["-n", &self.name], words].concat());
    }

    /// A folder that all machines and servers share.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command on one of the machines, counted from 1.
    pub(crate) fn on(&self, machine: u32, program: impl AsRef<Path>) -> Command {
        command_in(&self.machine(machine), &[], program.as_ref())
    }

    /// The tool on one of the machines.
    pub(crate) fn tool(&self, machine: u32, args: &[&str]) -> Command {
        let mut tool = self.on(machine, cargo_bin("oversell-sim"));
        tool.args(args).current_dir(self.path()).env("TMPDIR", self.path());
        tool.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        tool.env_remove("COLUMNS");
        tool
    }

    /// Starts a PostgreSQL server that these machines reach, with a password. Returns the beginning of its URLs, to which the name
    /// of a database is added.
    pub(crate) fn start_postgres(&mut self, databases: &[&str]) -> String {
        let (data, secret) = (self.path().join("data"), self.path().join("password"));
        fs::write(&secret, PASSWORD).unwrap();
        let mut initdb = Command::new(UNPRIVILEGED[0]);
        initdb.args(&UNPRIVILEGED[1..]).arg(of_postgres("initdb")).current_dir("/");
        initdb.args(["--no-sync", "--username=tester", "--auth=scram-sha-256", "--pwfile"]);
        succeed(initdb.arg(&secret).arg("-D").arg(&data));
        let access = data.join("pg_hba.conf");
        let remote = format!("host all all {SERVERS}/24 scram-sha-256\n");
        fs::write(&access, fs::read_to_string(&access).unwrap() + &remote).unwrap();
        let mut server = command_in(&self.name, &UNPRIVILEGED, &of_postgres("postgres"));
        server.arg("-D").arg(&data).args(["-c", "fsync=off", "-c", "max_connections=400"]);
        server.args(["-c", &format!("listen_addresses={SERVERS}")]);
        server.args(["-c", &format!("unix_socket_directories={}", self.path().display())]);
        self.start(server);
        let url = format!("postgres://tester:{PASSWORD}@{SERVERS}/");
        let psql = |database: &str, said: &str| {
            let mut psql = self.on(1, of_postgres("psql"));
            psql.args(["-qAt", "-c", said]).arg(format!("{url}{database}")).output().unwrap()
        };
        eventually("PostgreSQL answers", || psql("postgres", "SELECT 1").status.success());
        for database in databases {
            let made = psql("postgres", &format!("CREATE DATABASE {database}"));
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        url
    }

    /// What a PostgreSQL server answers to a query.
    pub(crate) fn ask_postgres(&self, url: &str, query: &str) -> String {
        let mut psql = self.on(1, of_postgres("psql"));
        String::from_utf8(succeed(psql.args(["-qAt", "-c", query, url])).stdout).unwrap()
    }

    /// Starts a Redis server that these machines reach, with a password. Returns the beginning of its URLs, to which the number of a
    /// database is added.
    pub(crate) fn start_redis(&mut self) -> String {
        let mut server = command_in(&self.name, &[], Path::new("redis-server"));
        server.args(["--bind", SERVERS, "--requirepass", PASSWORD, "--save", "", "--dir"]);
        server.arg(self.path());
        self.start(server);
        let url = format!("redis://default:{PASSWORD}@{SERVERS}/");
        eventually("Redis answers", || self.ask_redis(&format!("{url}0"), &["PING"]) == "PONG\n");
        url
    }

    /// What a Redis server answers to a command.
    pub(crate) fn ask_redis(&self, url: &str, words: &[&str]) -> String {
        let mut client = self.on(1, "redis-cli");
        let answer = client.args(["--no-auth-warning", "-u", url]).args(words).output().unwrap();
        String::from_utf8(answer.stdout).unwrap()
    }

    fn start(&mut self, mut server: Command) {
        server.current_dir(self.path()).stdin(Stdio::null());
        server.stdout(Stdio::null()).stderr(Stdio::null());
        self.servers.push(server.spawn().unwrap());
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // Both servers end at once when they are told to quit, and leave nothing behind.
            let quit = Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
            if !quit.is_ok_and(|quit| quit.success()) {
                let _ = server.kill();
            }
            let _ = server.wait();
        }
        let machines = (1..=self.machines).map(|number| self.machine(number));
        for name in machines.chain([self.name.clone()]) {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
        }
    }
}

/// Removes the namespaces of test runs that were killed.
fn remove_stale() {
    let listed = succeed(Command::new("ip").args(["netns", "list"]));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let of_tests = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        if of_tests.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another run may be about to remove it, too.
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

/// A program in a namespace, run through another one.
fn command_in(namespace: &str, through: &[&str], program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).args(through).arg(program);
    command
}

fn ip(words: &[&str]) {
    succeed(Command::new("ip").args(words));
}

/// What a command prints, which has to succeed.
fn succeed(command: &mut Command) -> Output {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

/// A program of PostgreSQL's: Debian keeps them apart, by version.
fn of_postgres(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|one| one.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}
