//! The tool with real servers: what it tells, and that it leaves nothing behind whatever way it ends.

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::prelude::*;
use oversell_sim::unstable::control::Control;
use tempfile::TempDir;

use crate::counters::processes;
use crate::listed::has;

/// Stores that keep something outside the process.
const OUTSIDE: [StoreKind; 5] =
    [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql, StoreKind::Redis, StoreKind::Etcd];

/// Those of which the server is installed. What the test does at the others is missed.
pub(crate) fn installed() -> Vec<StoreKind> {
    OUTSIDE.into_iter().filter(|store| has(*store)).collect()
}

/// The tool, with a directory of its own for everything temporary.
fn tool(tmp: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args).env("TMPDIR", tmp).stdin(Stdio::null());
    command
}

/// A directory that also servers can enter which are not to run as root.
pub(crate) fn open_dir() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    dir
}

/// Processes that have to do with a directory: they were told its name, or are in it.
pub(crate) fn processes_of(dir: &Path) -> Vec<String> {
    let name = dir.to_str().unwrap();
    let found = processes(|line, cwd| cwd.starts_with(dir) || line.contains(name));
    found.into_iter().map(|(_, line)| line).collect()
}

/// Waits until something holds; there is a bound.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let control = Control::default();
    for _ in 0..1_500 {
        if holds() {
            return;
        }
        control.pause(Duration::from_millis(20));
    }
    panic!("{what}: not within 30 s");
}

/// Nothing is left: no file, no process.
pub(crate) fn assert_nothing_left(dir: &Path, after: &str) {
    let files: Vec<_> = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(files.is_empty(), "after {after}: {files:?}");
    let processes = processes_of(dir);
    assert!(processes.is_empty(), "after {after}: {processes:?}");
}

#[test]
fn every_store_sells_what_it_has_and_leaves_nothing_behind() {
    for store in installed() {
        let dir = open_dir();
        let args = ["race", "-S", "all", "--store", store.name(), "--buyers", "60", "--stock", "7"];
        let more = ["--rounds", "2", "--format", "csv", "--no-progress"];
        let output = tool(dir.path(), &[&args[..], &more].concat()).output().unwrap();
        assert_nothing_left(dir.path(), "a race");
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let header = rows.headers().unwrap().clone();
        let place = |name: &str| header.iter().position(|column| column == name).unwrap();
        let mut safe = 0;
        for row in rows.records().map(Result::unwrap) {
            let figure = |name: &str| row[place(name)].to_owned();
            let strategy = figure("strategy");
            let card = oversell_sim::strategies::find(&strategy).unwrap().card();
            let claims_to_be_safe = card.claim.shows().is_none();
            assert_eq!(figure("failed"), "0", "{strategy} on {store}");
            if claims_to_be_safe {
                safe += 1;
                assert_eq!(figure("winners"), "14", "{strategy} on {store}");
                assert_eq!(figure("findings"), "0", "{strategy} on {store}");
            }
        }
        assert!(safe >= 6, "{store}: only {safe} safe strategies\n{table}");
    }
}

#[test]
fn the_naive_checkout_oversells_on_every_store() {
    for store in installed() {
        let dir = open_dir();
        let args =
            ["race", "-S", "naive", "--store", store.name(), "--buyers", "60", "--stock", "3"];
        let more = ["--think", "5ms", "--expect", "oversold > 0", "-q"];
        let output = tool(dir.path(), &[&args[..], &more].concat()).output().unwrap();
        assert!(output.status.success(), "{store}: {}", String::from_utf8_lossy(&output.stdout));
        assert_nothing_left(dir.path(), "a race");
    }
}

#[test]
fn a_check_in_the_database_does_not_prevent_overselling_and_refuses_stock_below_zero() {
    for store in installed().into_iter().filter(|store| store.is_sql()) {
        let race = |strategy: &str| {
            let args = ["-S", strategy, "--store", store.name(), "--buyers", "60"];
            figures(&[&args[..], &["--stock-check", "--think", "5ms"]].concat())
        };
        let figures = race("naive");
        assert!(figures["oversold"].as_u64() > Some(0), "{store}: {figures}");
        let figures = race("decrement-first");
        assert_eq!(figures["winners"], 1, "{store}: {figures}");
        assert_eq!(figures["failed"], 59, "{store}: {figures}");
        assert_eq!(figures["stock_left"], 0, "{store}: {figures}");
    }
}

/// A race that goes on until something ends it.
pub(crate) fn endless(dir: &Path, store: StoreKind) -> Child {
    let args = ["race", "-S", "conditional", "--store", store.name(), "--no-progress"];
    let more = ["--buyers", "50", "--rounds", "1000000"];
    begun(dir, store, &[&args[..], &more].concat())
}

/// Every statement order of more buyers than a test can wait for.
fn endless_search(dir: &Path, store: StoreKind) -> Child {
    let args =
        ["explore", "-S", "naive", "--store", store.name(), "--buyers", "9", "--find", "all"];
    begun(dir, store, &args)
}

/// The tool, with its server.
fn begun(dir: &Path, store: StoreKind, args: &[&str]) -> Child {
    let child = tool(dir, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the server runs", || {
        let has_files = fs::read_dir(dir).unwrap().count() > 0;
        // A shell keeps SQLite's directory; the others have a server beside it.
        has_files && processes_of(dir).len() >= if store.is_served() { 2 } else { 1 }
    });
    child
}

#[test]
fn nothing_is_left_behind_by_a_race_or_a_search_that_is_stopped_or_killed() {
    for store in installed() {
        for signal in ["-INT", "-TERM", "-KILL"] {
            let dir = open_dir();
            let begin = match (signal, store) {
                // Etcd's requests are not held.
                ("-INT", _) | (_, StoreKind::Etcd) => endless,
                _ => endless_search,
            };
            let mut child = begin(dir.path(), store);
            // Somewhere in the middle of starting or racing, each time elsewhere.
            Control::default().pause(Duration::from_millis(u64::from(child.id() % 7) * 150));
            let kill =
                Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
            assert!(kill.success());
            let status = child.wait().unwrap();
            assert!(!status.success(), "{store} after {signal}: {status}");
            // A process that was killed leaves the rest to its keeper, which takes a moment.
            eventually("everything is gone", || {
                fs::read_dir(dir.path()).unwrap().count() == 0
                    && processes_of(dir.path()).is_empty()
            });
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_runs_have_left_that_were_killed_with_their_keepers_is_ended_by_clean_and_by_the_next_run() {
    let store = StoreKind::Redis;
    if !has(store) {
        return;
    }
    for later in [&["clean"][..], &["race", "-S", "cas", "--store", "sqlite", "--buyers", "2"]] {
        let dir = open_dir();
        let mut beside = endless(dir.path(), store);
        let of_other = processes_of(dir.path());
        let mut killed = endless(dir.path(), store);
        // Each has a keeper and a server.
        eventually("both run", || processes_of(dir.path()).len() == 4);
        let name = dir.path().to_str().unwrap();
        let is_keeper = |line: &str, _: &Path| line.starts_with("sh ") && line.contains(name);
        let its_own = |(_, line): &(String, String)| !of_other.contains(line);
        let keepers = processes(is_keeper).into_iter().filter(its_own).map(|(process, _)| process);
        let mut kill = Command::new("kill");
        // A keeper that is gone is replaced, unless the run is killed at the same moment.
        kill.arg("-KILL").args(keepers).arg(killed.id().to_string());
        assert!(kill.status().unwrap().success());
        killed.wait().unwrap();
        let homes = || fs::read_dir(dir.path()).unwrap().count();
        assert_eq!((homes(), processes_of(dir.path()).len()), (2, 3), "nothing is left");
        let done = tool(dir.path(), later).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(later != ["clean"] || said.contains("ended what 1 killed run had left"), "{said}");
        // The run beside it goes on.
        assert_eq!(homes(), 1);
        assert!(beside.try_wait().unwrap().is_none());
        assert_eq!(processes_of(dir.path()).len(), of_other.len());
        let pid = beside.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        beside.wait().unwrap();
        assert_nothing_left(dir.path(), "everything");
    }
}

/// The figures of one strategy's race.
fn figures(args: &[&str]) -> serde_json::Value {
    let dir = open_dir();
    let form = ["--format", "json", "--no-progress"];
    let output = tool(dir.path(), &[&["race"], args, &form].concat()).output().unwrap();
    assert_nothing_left(dir.path(), "a race");
    let said = String::from_utf8_lossy(&output.stderr);
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(report["runs"][0]["trouble"], serde_json::Value::Null);
    report["runs"][0]["figures"].clone()
}

#[test]
fn no_acknowledged_order_is_lost_when_the_server_is_killed() {
    for store in installed().into_iter().filter(|store| store.is_served()) {
        let args = ["-S", "hold", "--store", store.name(), "--kill", "3", "--buyers", "240"];
        let figures = figures(&[&args[..], &["--stock", "120"]].concat());
        assert!(figures["disconnects"].as_u64() > Some(0), "{store}: no buyer noticed\n{figures}");
        assert_eq!(figures["winners"], 120, "{store}: {figures}");
        assert_eq!(figures["findings"], 0, "{store}: {figures}");
    }
}

#[test]
fn no_buyer_waits_for_the_answer_of_a_server_that_is_dead() {
    for store in installed().into_iter().filter(|store| store.is_served()) {
        let dir = open_dir();
        let args = ["race", "-S", "hold", "--store", store.name(), "--kill", "2", "--stock", "60"];
        // With a patience much longer than the test's.
        let more = ["--buyers", "120", "--patience", "10m", "-q", "--expect", "winners = 60"];
        let mut command = tool(dir.path(), &[&args[..], &more].concat());
        let race = RefCell::new(command.stdout(Stdio::null()).spawn().unwrap());
        eventually("the race is over", || race.borrow_mut().try_wait().unwrap().is_some());
        assert!(race.borrow_mut().wait().unwrap().success(), "{store}");
        assert_nothing_left(dir.path(), "a race");
    }
}

#[test]
fn a_server_that_keeps_no_file_loses_orders_when_it_is_killed_and_the_audit_says_so() {
    if !has(StoreKind::Redis) {
        return;
    }
    let args = ["-S", "conditional", "--store", "redis", "--kill", "1", "--relaxed"];
    let figures = figures(&[&args[..], &["--buyers", "200", "--stock", "150"]].concat());
    assert!(figures["lost_order"].as_u64() > Some(0), "{figures}");
}

/// Panics in the middle of a checkout.
struct Panics;

impl Strategy for Panics {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let stock = shop.read(want.item).await?;
        panic!("in the middle of it, with {stock} left");
    }
}

#[test]
fn nothing_is_left_behind_by_a_checkout_that_panics() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("shop.sqlite");
    let race = oversell_sim::race(Panics).buyers(4).store(StoreKind::Sqlite);
    let race = race.url(file.to_str().unwrap());
    assert!(std::panic::catch_unwind(|| race.run()).is_err());
    assert_nothing_left(dir.path(), "a panic");
}

#[test]
fn a_strategy_on_a_store_that_lacks_an_op_is_told_where_to_go() {
    for (store, strategy, words) in [
        (
            "memory",
            "hold",
            "hold needs hold, which the store `memory` does not offer; race it on sqlite, ",
        ),
        ("postgres", "lease", "race it on redis, etcd"),
        ("redis", "transaction", "race it on sqlite, postgres, mysql"),
        ("mysql", "webhook", "explore it instead"),
    ] {
        let dir = TempDir::new().unwrap();
        let output =
            tool(dir.path(), &["race", "-S", strategy, "--store", store]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(said.contains("oversell-sim stores"), "{said}");
        assert_nothing_left(dir.path(), "a refusal");
    }
}

#[test]
fn bad_addresses_are_one_clear_line() {
    let dir = TempDir::new().unwrap();
    let taken = dir.path().join("taken.sqlite");
    fs::write(&taken, "something").unwrap();
    let nowhere = dir.path().join("no/such/folder.sqlite");
    for (store, url, code, words) in [
        ("memory", "x", 2, "name the server with --store"),
        ("postgres", "postgres://db.internal/shop", 2, "add --allow-remote"),
        ("postgres", "postgres://10.0.0.7/shop", 2, "10.0.0.7 is not on this machine"),
        ("postgres", "host=127.0.0.1 hostaddr=10.0.0.7", 2, "10.0.0.7 is not on this machine"),
        ("postgres", "nonsense", 2, "--url: "),
        ("postgres", "postgres://me@127.0.0.1:1/shop", 3, "Connection refused"),
        ("mysql", "mysql://me@db.internal/shop", 2, "add --allow-remote"),
        ("mysql", "mysql://me@127.0.0.1", 2, "no database is named"),
        ("mysql", "http://127.0.0.1", 2, "--url: "),
        ("mysql", "mysql://me@127.0.0.1:1/shop", 3, "cannot connect to MySQL"),
        ("redis", "redis://cache.internal", 2, "add --allow-remote"),
        ("redis", "nonsense", 2, "--url: "),
        ("redis", "redis://127.0.0.1:1", 3, "Connection refused"),
        ("sqlite", ":memory:", 2, "name a file"),
        ("sqlite", "sqlite:", 2, "name a file"),
        ("sqlite", taken.to_str().unwrap(), 2, "there is a file"),
        ("sqlite", nowhere.to_str().unwrap(), 3, "unable to open database file"),
    ] {
        let args = ["race", "-S", "cas", "--store", store, "--url", url];
        let output = tool(dir.path(), &args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{store} {url}: {said}");
        assert!(said.contains(words), "{store} {url}: {said}");
        assert!(said.lines().count() <= 2, "{store} {url}: {said}");
    }
    assert_eq!(fs::read_to_string(taken).unwrap(), "something");
}

#[test]
fn a_file_that_is_named_is_made_and_removed() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("shop.sqlite");
    let args = ["race", "-S", "cas", "--store", "sqlite", "-q", "--buyers", "20", "--url"];
    let args = [&args[..], &[file.to_str().unwrap()]].concat();
    assert!(tool(dir.path(), &args).output().unwrap().status.success());
    assert_nothing_left(dir.path(), "a race");
}

#[test]
fn a_server_that_is_not_installed_is_named_with_what_to_install() {
    let dir = TempDir::new().unwrap();
    let output = tool(dir.path(), &["stores"]).env("PATH", "/nowhere").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Debian keeps PostgreSQL off PATH, where it is found; Redis it puts on PATH.
    assert!(said.contains("missing redis"), "{said}");
    assert!(said.contains("apt-get install redis-server"), "{said}");
    assert!(said.contains("ready   sqlite"), "{said}");
    let args = ["race", "-S", "cas", "--store", "redis"];
    let output = tool(dir.path(), &args).env("PATH", "/nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Redis is not installed") && said.contains("--url"), "{said}");
    assert_nothing_left(dir.path(), "a refusal");
}

/// A Redis server of the user's, on a port of its own.
struct UsersRedis {
    server: Child,
    url: String,
}

impl UsersRedis {
    fn start(dir: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(dir)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let users = Self { server, url: format!("redis://127.0.0.1:{port}") };
        eventually("the user's server answers", || users.ask(&["PING"]).contains("PONG"));
        users
    }

    /// Sends a command in its simplest form and reads what comes back at once.
    fn ask(&self, words: &[&str]) -> String {
        use std::io::Read;
        let address = self.url.trim_start_matches("redis://");
        let Ok(mut stream) = std::net::TcpStream::connect(address) else { return String::new() };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(format!("{}\r\n", words.join(" ")).as_bytes()).unwrap();
        let mut reply = [0; 512];
        let length = stream.read(&mut reply).unwrap_or(0);
        String::from_utf8_lossy(&reply[..length]).into_owned()
    }
}

impl Drop for UsersRedis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_server_of_the_users_keeps_what_is_its_own_and_nothing_of_ours() {
    if !has(StoreKind::Redis) {
        return;
    }
    let dir = TempDir::new().unwrap();
    let users = UsersRedis::start(dir.path());
    users.ask(&["SET", "mine", "1"]);
    let tmp = open_dir();
    let args =
        ["race", "-S", "all", "--store", "redis", "--url", &users.url, "-q", "--buyers", "50"];
    let output = tool(tmp.path(), &args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(users.ask(&["KEYS", "*"]), "*1\r\n$4\r\nmine\r\n");
    // What another user has there under our name is not touched either.
    users.ask(&["SET", "oversell-sim:stock:0", "7"]);
    let output = tool(tmp.path(), &args).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("has 1 keys oversell-sim:* already"), "{said}");
    assert!(users.ask(&["GET", "oversell-sim:stock:0"]).contains('7'));
    assert_nothing_left(tmp.path(), "races on the user's server");
}
