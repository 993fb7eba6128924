//! A private server is private: no other user of the machine lists its directory, reads a file in it, or connects to it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use oversell_sim::StoreKind;

use crate::listed::miss;
use crate::servers::{assert_nothing_left, endless, eventually, installed, open_dir, processes_of};

/// A user who is neither root nor the one that the servers run as.
const OTHER: u32 = 1;

/// The user that servers run as where the tool runs as root.
const NOBODY: u32 = 65_534;

/// Whether we may become another user. If not, the test is missed.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        miss("only root can become another user");
    }
    is_root
}

/// What a command says that another user runs.
fn as_user(user: u32, program: &str, args: &[&str]) -> Output {
    // Programs that every user can run: what root has first in its path may be its own.
    let mut command = Command::new(program);
    command.args(args).current_dir("/").env("PATH", "/usr/bin:/bin").uid(user).gid(user);
    command.output().unwrap()
}

/// A race that goes on, with its server; ended when it goes out of scope.
struct Race {
    dir: tempfile::TempDir,
    tool: Child,
}

impl Race {
    fn begin(store: StoreKind) -> Self {
        let dir = open_dir();
        let tool = endless(dir.path(), store);
        let race = Self { dir, tool };
        eventually("the server has its socket", || race.sockets().len() >= sockets_of(store));
        race
    }

    /// The directory that the tool has made.
    fn nest(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.dir.path()).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    /// Every file in it.
    fn files(&self) -> Vec<PathBuf> {
        fn all(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                found.push(entry.path());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    all(&entry.path(), found);
                }
            }
        }
        let mut found = Vec::new();
        all(self.dir.path(), &mut found);
        found
    }

    fn sockets(&self) -> Vec<PathBuf> {
        use std::os::unix::fs::FileTypeExt;
        let is_socket = |path: &PathBuf| {
            fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket())
        };
        self.files().into_iter().filter(is_socket).collect()
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        let _ = self.tool.kill();
        let _ = self.tool.wait();
        eventually("everything is gone", || {
            fs::read_dir(self.dir.path()).unwrap().count() == 0
                && processes_of(self.dir.path()).is_empty()
        });
        assert_nothing_left(self.dir.path(), "a race");
    }
}

/// Of etcd one a member for clients, and one for the other members.
fn sockets_of(store: StoreKind) -> usize {
    if store == StoreKind::Etcd { 6 } else { 1 }
}

/// Stores with a server that is installed here.
fn served() -> impl Iterator<Item = StoreKind> {
    installed().into_iter().filter(|store| store.is_served())
}

/// Connects, and says why it cannot.
const CONNECT: &str = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";

#[test]
fn no_other_user_lists_the_directory_reads_a_file_or_connects() {
    if !is_root() {
        return;
    }
    for store in served() {
        let race = Race::begin(store);
        let other = |program: &str, args: &[&str]| as_user(OTHER, program, args);
        let nest = race.nest();
        for dir in [nest.clone(), nest.join("server")] {
            let listed = other("ls", &[dir.to_str().unwrap()]);
            assert!(!listed.status.success(), "{store}: {listed:?}");
            assert!(listed.stdout.is_empty(), "{store}: {listed:?}");
        }
        let files = race.files();
        assert!(files.len() > 3, "{store}: {files:?}");
        for file in files.iter().filter(|path| path.is_file()) {
            let read = other("cat", &[file.to_str().unwrap()]);
            assert!(!read.status.success(), "{store}: {} is read", file.display());
        }
        for socket in race.sockets() {
            let socket = socket.to_str().unwrap();
            let refused = other("python3", &["-c", CONNECT, socket]);
            let why = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(why.contains("PermissionError"), "{store}, {socket}: {why}");
            // Root, who reaches everything, does connect: it is there.
            let ours = Command::new("python3").args(["-c", CONNECT, socket]).output().unwrap();
            assert!(ours.status.success(), "{store}, {socket}: {ours:?}");
        }
    }
}

#[test]
fn no_private_server_listens_on_a_port() {
    for store in served() {
        let race = Race::begin(store);
        let mut inodes = BTreeSet::new();
        for (process, _) in crate::counters::processes(|line, cwd| {
            cwd.starts_with(race.dir.path()) || line.contains(race.dir.path().to_str().unwrap())
        }) {
            for entry in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten()
            {
                let target = fs::read_link(entry.path()).unwrap_or_default();
                let name = target.to_string_lossy().into_owned();
                let inode = name.strip_prefix("socket:[").and_then(|n| n.strip_suffix(']'));
                inodes.extend(inode.map(str::to_owned));
            }
        }
        assert!(!inodes.is_empty(), "{store}: no socket at all");
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let table = fs::read_to_string(table).unwrap_or_default();
            let listening = table.lines().filter(|line| {
                let columns: Vec<&str> = line.split_whitespace().collect();
                columns.get(3) == Some(&"0A") && columns.get(9).is_some_and(|n| inodes.contains(*n))
            });
            assert_eq!(listening.count(), 0, "{store} listens on a port");
        }
    }
}

#[test]
fn no_password_lies_in_the_directory() {
    for store in served() {
        let race = Race::begin(store);
        for name in ["password", "init.sql", "redis.conf"] {
            assert!(!race.files().iter().any(|path| path.ends_with(name)), "{store}: {name}");
        }
        // A file that is written by hand is small; the others are the databases' own.
        let is_small = |path: &&PathBuf| {
            path.metadata().is_ok_and(|about| about.is_file() && about.len() < 100_000)
        };
        for file in race.files().iter().filter(is_small) {
            let text = String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
            for words in ["requirepass", "SET PASSWORD FOR root"] {
                assert!(!text.contains(words), "{store}: {} says {words}", file.display());
            }
        }
    }
}

/// The user that the servers run as cannot have root write where it wants.
#[test]
fn the_servers_user_plants_no_link_where_root_writes() {
    if !is_root() {
        return;
    }
    for store in served() {
        let race = Race::begin(store);
        let victim = tempfile::NamedTempFile::new().unwrap();
        let log = if store == StoreKind::Etcd { "log-1" } else { "log" };
        for name in [log, "setup-log", "anything"] {
            let place = race.nest().join(name);
            let args = ["-sf", victim.path().to_str().unwrap(), place.to_str().unwrap()];
            let planted = as_user(NOBODY, "ln", &args);
            assert!(!planted.status.success(), "{store}: {name} was planted");
        }
        let moved = as_user(
            NOBODY,
            "mv",
            &[
                race.nest().join("server").to_str().unwrap(),
                race.nest().join("x").to_str().unwrap(),
            ],
        );
        assert!(!moved.status.success(), "{store}: the servers' directory was moved");
        assert_eq!(fs::read(victim.path()).unwrap(), b"", "{store}");
    }
}

/// An application that is starting for as long as the test takes, behind proxies at these ports. It notes the passwords
/// that it is told.
fn starting_app(folder: &Path, tmp: &Path, stores: &[(StoreKind, u16)]) -> Child {
    let upstreams = stores
        .iter()
        .map(|(store, port)| format!("[upstream.{store}]\nlisten = {port}\n"))
        .collect::<String>();
    let told = stores.iter().map(|(store, _)| format!("{{{store}_password}}"));
    let told = told.collect::<Vec<_>>().join("\\n");
    let file = format!(
        "[app]\nurl = \"http://127.0.0.1:{{port}}\"\nenv = {{ TOLD = \"{told}\" }}\n\
         command = [\"sh\", \"-c\", \"umask 077; echo \\\"$TOLD\\\" > told; exec sleep 300\"]\n{upstreams}\
         [[step]]\nhttp = \"GET /\"\n[audit]\nstock = \"GET /\"\norders = \"GET /\"\n"
    );
    fs::write(folder.join("shop.toml"), file).unwrap();
    let mut tool = Command::new(assert_cmd::cargo::cargo_bin("oversell-sim"));
    tool.args(["doctor", "--no-progress", "--app"]).arg(folder.join("shop.toml"));
    tool.env("TMPDIR", tmp).spawn().unwrap()
}

/// Says something to a port, and prints what comes back.
const SAY: &str = "import socket, sys
line = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
line.settimeout(10)
line.sendall(bytes.fromhex(sys.argv[2]))
print(line.recv(1000))";

/// A port of 127.0.0.1 is for every local user. Behind a proxy's, the database asks for the password, which no other user can see.
#[test]
fn a_proxy_lets_no_other_user_in_and_no_password_is_where_others_read_it() {
    if !is_root() {
        return;
    }
    // What a client says first: nothing in MySQL; in PostgreSQL its version, its user and its database.
    let startup = b"user\0oversell_sim\0database\0postgres\0\0";
    let mut postgres = (startup.len() as u32 + 8).to_be_bytes().to_vec();
    postgres.extend([0, 3, 0, 0]);
    postgres.extend(startup);
    let first_words = [
        (StoreKind::Postgres, postgres, "SCRAM-SHA-256"),
        (StoreKind::Redis, b"*1\r\n$6\r\nDBSIZE\r\n".to_vec(), "NOAUTH"),
    ];
    let first_words: Vec<_> =
        first_words.into_iter().filter(|(store, ..)| crate::listed::has(*store)).collect();
    let folder = tempfile::tempdir().unwrap();
    let listeners: Vec<_> =
        first_words.iter().map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    drop(listeners);
    let stores: Vec<_> =
        first_words.iter().map(|(store, ..)| *store).zip(ports.iter().copied()).collect();
    let dir = open_dir();
    let _race = Race { tool: starting_app(folder.path(), dir.path(), &stores), dir };
    let told = folder.path().join("told");
    eventually("the application is told its passwords", || {
        fs::read_to_string(&told).is_ok_and(|told| told.lines().count() >= stores.len())
    });
    let passwords = fs::read_to_string(&told).unwrap();
    for ((store, words, answer), port) in first_words.iter().zip(&ports) {
        let words: String = words.iter().map(|byte| format!("{byte:02x}")).collect();
        let said = as_user(OTHER, "python3", &["-c", SAY, &port.to_string(), &words]);
        let said = format!("{said:?}");
        assert!(said.contains(answer), "{store}: {said}");
    }
    // Neither the command lines nor the environments that another user can read.
    let seen =
        as_user(OTHER, "sh", &["-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"]);
    let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.contains("sleep"), "nothing was seen at all");
    for password in passwords.lines().filter(|line| !line.is_empty()) {
        assert!(password.len() >= 32, "{password}");
        assert!(!seen.contains(password), "a password is seen");
    }
}
