//! Every wait has a bound and heeds the first Ctrl-C; memory and files have bounds, too. Each is told.

use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::unstable::control::Control;
use tempfile::TempDir;

use crate::counters::processes;
use crate::listed::{has, miss};
use crate::servers::{assert_nothing_left, endless, eventually, installed, open_dir};

/// The tool, with a directory of its own for everything temporary.
fn tool(tmp: &Path, args: &str) -> Command {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args.split_whitespace()).current_dir(tmp).env("TMPDIR", tmp).stdin(Stdio::null());
    command
}

/// Begins it, and keeps what it prints.
fn begun(tmp: &Path, args: &str) -> Child {
    tool(tmp, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it has printed, and its exit code, once it has ended: within half a minute.
fn ended(child: Child) -> (Option<i32>, String) {
    let child = RefCell::new(child);
    eventually("the tool ends", || child.borrow_mut().try_wait().unwrap().is_some());
    said(&child.into_inner().wait_with_output().unwrap())
}

fn ran(tmp: &Path, args: &str) -> (Option<i32>, String) {
    ended(begun(tmp, args))
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn signal(signal: &str, process: u32) {
    let done = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(done.success());
}

/// A checkout at this store, of which the first step is this query.
fn checkout(folder: &Path, store: StoreKind, query: &str) {
    let made = tool(folder, &format!("init sql --store {store} checkout")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let file = folder.join("checkout/checkout.toml");
    let text = fs::read_to_string(&file).unwrap();
    let usual = "SELECT stock FROM product WHERE id = :item";
    assert!(text.contains(usual));
    fs::write(file, text.replace(usual, query)).unwrap();
}

/// A checkout at Redis, of which the first step is this script.
fn script(folder: &Path, lua: &str) {
    let made = tool(folder, "init redis checkout").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let file = folder.join("checkout/checkout.toml");
    let text = fs::read_to_string(&file).unwrap();
    let usual = "redis       = \"GET stock:{item}\"";
    assert!(text.contains(usual));
    fs::write(file, text.replace(usual, "lua = \"look.lua\"")).unwrap();
    fs::write(folder.join("checkout/look.lua"), lua).unwrap();
}

/// A checkout whose first step its store never comes to the end of.
fn without_end(folder: &Path, store: StoreKind) {
    match store {
        StoreKind::Sqlite => checkout(folder, store, ENDLESS),
        StoreKind::Redis => script(folder, "while true do end"),
        store => checkout(folder, store, ASLEEP),
    }
}

/// A query that SQLite never comes to the end of.
const ENDLESS: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) AS stock FROM c";

/// A query that PostgreSQL answers after ten minutes.
const ASLEEP: &str = "SELECT stock FROM product, pg_sleep(600) WHERE id = :item";

#[test]
fn a_server_that_accepts_and_stays_silent_is_given_up_at_the_first_ctrl_c() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    for (store, url) in [
        ("postgres", format!("postgres://me:secret@{at}/shop")),
        ("mysql", format!("mysql://me:secret@{at}/shop")),
        ("redis", format!("redis://:secret@{at}")),
        ("etcd", format!("http://{at}")),
    ] {
        let dir = TempDir::new().unwrap();
        let race = format!("race -S naive --store {store} --url {url} --patience 10m");
        let race = begun(dir.path(), &race);
        let accepted = silent.accept().unwrap();
        signal("-INT", race.id());
        let (code, said) = ended(race);
        assert_eq!(code, Some(130), "{store}: {said}");
        assert!(said.contains("interrupted"), "{store}: {said}");
        drop(accepted);
    }
}

#[test]
fn a_server_that_accepts_and_stays_silent_is_given_up_when_patience_runs_out() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let dir = TempDir::new().unwrap();
    let race = format!(
        "race -S naive --store postgres --url postgres://me:secret@{at}/shop --patience 100ms"
    );
    let (code, said) = ran(dir.path(), &race);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("cannot connect to PostgreSQL: no answer in time"), "{said}");
}

#[test]
fn a_private_server_that_is_frozen_is_given_up_at_the_first_ctrl_c_and_leaves_nothing_behind() {
    for (store, server) in [(StoreKind::Postgres, "postgres"), (StoreKind::Etcd, "etcd")] {
        if !has(store) {
            continue;
        }
        let dir = open_dir();
        let race = endless(dir.path(), store);
        let of_server = || {
            let of_dir = processes(|line, cwd| {
                line.contains(server) && !line.starts_with("sh") && cwd.starts_with(dir.path())
            });
            of_dir.into_iter().map(|(process, _)| process)
        };
        eventually("the server runs", || of_server().next().is_some());
        for process in of_server() {
            let _ = Command::new("kill").args(["-STOP", &process.to_string()]).output();
        }
        signal("-INT", race.id());
        let (code, said) = ended(race);
        assert_eq!(code, Some(130), "{store}: {said}");
        assert_nothing_left(dir.path(), "a race at a frozen server");
    }
}

#[test]
fn ctrl_c_while_a_killed_server_comes_back_tells_what_was_raced() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let dir = open_dir();
    let race = "race -S conditional --store postgres --buyers 2000 --kill 1000 --rounds 1000 --no-progress";
    let race = begun(dir.path(), race);
    // Killed again and again, it is starting most of the time.
    let log = || {
        let mut entries = fs::read_dir(dir.path()).unwrap().flatten();
        entries.find_map(|entry| fs::read_to_string(entry.path().join("log")).ok())
    };
    let starts = |log: String| log.matches("starting PostgreSQL").count();
    eventually("the server was killed", || log().is_some_and(|log| starts(log) > 2));
    signal("-INT", race.id());
    let (code, said) = ended(race);
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("interrupted") && !said.contains("error:"), "{said}");
    assert_nothing_left(dir.path(), "a race");
}

#[test]
fn a_statement_that_does_not_end_ends_with_the_time_of_a_search() {
    for store in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Redis] {
        if !has(store) {
            continue;
        }
        let dir = open_dir();
        without_end(dir.path(), store);
        let search = "explore --checkout checkout/checkout.toml --max-time 1s --no-progress";
        let (code, said) = ran(dir.path(), search);
        assert_eq!(code, Some(0), "{store}: {said}");
        assert!(said.contains("PROVES NOTHING"), "{store}: {said}");
        assert!(said.contains("--max-time was over"), "{store}: {said}");
    }
}

#[test]
fn a_statement_that_does_not_end_ends_at_the_first_ctrl_c() {
    for store in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Redis] {
        if !has(store) {
            continue;
        }
        for what in ["explore", "race", "check"] {
            let dir = open_dir();
            without_end(dir.path(), store);
            let patience = if what == "race" { "--patience 10m" } else { "" };
            let args = format!("{what} --checkout checkout/checkout.toml {patience}");
            let run = begun(dir.path(), &args);
            let shop = || fs::read_dir(dir.path()).unwrap().count() > 1;
            eventually("the store is there", shop);
            Control::default().pause(Duration::from_secs(2));
            signal("-INT", run.id());
            let (code, said) = ended(run);
            assert_eq!(code, Some(130), "{what} at {store}: {said}");
        }
    }
}

#[test]
fn a_statement_of_sqlite_that_takes_longer_than_patience_is_refused_with_its_place() {
    let dir = TempDir::new().unwrap();
    checkout(dir.path(), StoreKind::Sqlite, ENDLESS);
    let race = "race --checkout checkout/checkout.toml --patience 100ms --no-progress";
    let (code, said) = ran(dir.path(), race);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("checkout.toml:"), "{said}");
    assert!(said.contains("runs for longer than 5.1 s (--patience"), "{said}");
}

#[test]
fn an_answer_of_ten_million_rows_is_refused_with_its_place_and_the_bound() {
    let sqlite = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10000000) \
                  SELECT 5 AS stock, n FROM c";
    for (store, query) in [
        (StoreKind::Sqlite, sqlite),
        (StoreKind::Postgres, "SELECT 5 AS stock, n FROM generate_series(1, 10000000) n"),
        (StoreKind::Mysql, "SELECT 5 AS stock, seq FROM seq_1_to_10000000"),
    ] {
        if !has(store) {
            continue;
        }
        let dir = open_dir();
        checkout(dir.path(), store, query);
        let (code, said) = ran(dir.path(), "check --checkout checkout/checkout.toml --no-progress");
        assert_eq!(code, Some(2), "{store}: {said}");
        assert!(said.contains("checkout.toml:"), "{store}: {said}");
        assert!(said.contains("the answer takes more than 64 MiB"), "{store}: {said}");
    }
}

#[test]
fn an_answer_of_redis_that_is_too_large_is_refused_with_its_place_and_the_bound() {
    if !has(StoreKind::Redis) {
        return;
    }
    let dir = open_dir();
    script(dir.path(), "return string.rep('x', 70 * 1024 * 1024)");
    let (code, said) = ran(dir.path(), "check --checkout checkout/checkout.toml --no-progress");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("checkout.toml:"), "{said}");
    assert!(said.contains("the answer takes more than 64 MiB"), "{said}");
}

#[test]
fn a_copy_by_the_client_is_refused_with_its_place() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let dir = open_dir();
    checkout(dir.path(), StoreKind::Postgres, "COPY product TO STDOUT");
    let (code, said) = ran(dir.path(), "check --checkout checkout/checkout.toml --no-progress");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("checkout.toml:") && said.contains("COPY"), "{said}");
}

#[test]
fn a_search_at_a_server_ends_when_this_program_takes_too_much_memory() {
    let dir = TempDir::new().unwrap();
    let (code, said) =
        ran(dir.path(), "explore -S conditional --store sqlite --max-memory 1M --no-progress");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("--max-memory: the search ended"), "{said}");
    assert!(!said.contains(" PROVED "), "{said}");
}

#[test]
fn a_scenario_of_clicks_without_an_end_takes_no_memory() {
    let dir = TempDir::new().unwrap();
    let scenario = "strategy = \"cas\"\nclicks = \"csv:/dev/zero\"\n[[region]]\nname = \"eu\"\nway = \"1ms\"\n\
                    [expect]\noversold = 0\n";
    fs::write(dir.path().join("s.toml"), scenario).unwrap();
    let (code, said) = ran(dir.path(), "check s.toml --no-progress");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("/dev/zero:1: longer than 1 MiB"), "{said}");
}

#[test]
fn too_many_threads_in_the_environment_are_refused() {
    let dir = TempDir::new().unwrap();
    let mut search = tool(dir.path(), "explore -S cas");
    let (code, said) = said(&search.env("RAYON_NUM_THREADS", "99999999").output().unwrap());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("RAYON_NUM_THREADS=99999999: must be from 1 to 1,024"), "{said}");
}

/// The system heeds no signal for the first process of a container, unless that listens for it.
#[test]
fn the_first_process_of_a_container_gives_up_a_pipe_at_the_first_signal() {
    let contained = ["--pid", "--fork", "--kill-child"];
    let can_be_first = Command::new("unshare").args(contained).arg("true").output();
    if !can_be_first.is_ok_and(|done| done.status.success()) {
        miss("no container of processes can be made");
        return;
    }
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("pipe.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut container = Command::new("unshare");
        container.args(contained).arg(cargo_bin("oversell-sim")).args(["check", "pipe.toml"]);
        let container = container.current_dir(dir.path()).spawn().unwrap();
        // Opened as soon as it is read.
        let writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        let is_tool = |line: &str, cwd: &Path| cwd == dir.path() && !line.starts_with("unshare");
        let tool = processes(is_tool).into_iter().next().unwrap().0;
        signal(name, tool.parse().unwrap());
        assert_eq!(ended(container).0, Some(code), "{name}");
        drop(writer);
    }
}

#[test]
fn a_file_to_resume_from_that_is_a_pipe_is_refused() {
    let dir = TempDir::new().unwrap();
    let made = Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(made.success());
    for run in ["explore -S cas --store sqlite", "sweep -S cas --buyers 2,3"] {
        let (code, said) = ran(dir.path(), &format!("{run} --resume pipe"));
        assert_eq!(code, Some(2), "{run}: {said}");
        assert!(said.contains("--resume pipe: it is no regular file"), "{run}: {said}");
    }
}

/// Runs the tool where no file may be longer than 0 bytes, and where the standard output takes nothing, if so.
fn limited(dir: &Path, args: &str, is_full: bool) -> (Option<i32>, String) {
    let to = if is_full { ">/dev/full" } else { "" };
    let script = format!("ulimit -f 0; exec \"$0\" {args} {to}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(cargo_bin("oversell-sim")).current_dir(dir);
    said(&shell.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind_and_is_exit_3() {
    for args in ["explore -S cas --output report.txt --no-progress", "init sql ."] {
        let dir = TempDir::new().unwrap();
        let (code, said) = limited(dir.path(), args, false);
        assert_eq!(code, Some(3), "{args}: {said}");
        assert!(said.contains("File too large"), "{args}: {said}");
        assert_nothing_left(dir.path(), args);
    }
}

#[test]
fn a_help_text_that_cannot_be_written_is_exit_3() {
    let dir = TempDir::new().unwrap();
    for args in ["--help", "race --help", "help race", "--version"] {
        let (code, said) = limited(dir.path(), args, true);
        assert_eq!(code, Some(3), "{args}: {said}");
        assert!(said.contains("cannot write to standard output"), "{args}: {said}");
    }
}

#[test]
fn private_servers_start_in_a_directory_of_whatever_name() {
    for store in installed() {
        let dir = open_dir();
        let odd = dir.path().join("it's \"50%\" & more, #1");
        fs::create_dir(&odd).unwrap();
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&odd, fs::Permissions::from_mode(0o777)).unwrap();
        let race = format!("race -S conditional --store {store} --buyers 5 --no-progress");
        let (code, said) = ran(&odd, &race);
        assert_eq!(code, Some(0), "{store}: {said}");
        assert_nothing_left(&odd, "a race");
    }
}
