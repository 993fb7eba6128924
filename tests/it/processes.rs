//! One search by several processes: each ends with the report of one process, or says in one line why it cannot.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

/// Addresses of so many processes on this machine.
fn addresses(processes: usize) -> String {
    let listeners: Vec<TcpListener> =
        (0..processes).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap().to_string());
    addresses.collect::<Vec<_>>().join(",")
}

/// Starts a search.
fn start(args: &str) -> Child {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args.split_whitespace()).env_remove("COLUMNS").env_remove("GITHUB_STEP_SUMMARY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Starts the processes of a search.
fn start_all(args: &str, processes: usize) -> Vec<Child> {
    let addresses = addresses(processes);
    let start = |me| start(&format!("{args} --processes {addresses} --process {me}"));
    (1..=processes).map(start).collect()
}

/// How a process has ended, and what it has said.
fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Waits until a process is connected to so many others.
fn wait_until_connected(child: &Child, others: usize) {
    let readers = || {
        let threads = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let name = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("comm")).ok();
        let names = threads.flatten().filter_map(name);
        names.filter(|name| name.trim() == "reads a process").count()
    };
    for _ in 0..3_000 {
        if readers() == others {
            return;
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    panic!("the processes have not come together");
}

/// A report without what it says of memory, which is spent otherwise.
fn report(text: &str) -> Value {
    let mut report: Value = serde_json::from_str(text).unwrap();
    report["covered"]["bytes_per_state"] = Value::Null;
    report
}

#[test]
fn two_processes_report_what_one_reports() {
    for search in ["hold --buyers 4 --stock 2", "naive --buyers 3 --find all", "optimistic"] {
        let search = format!("explore --strategy {search} --format json");
        let (code, alone, _) = ended(start(&search));
        let alone = report(&alone);
        for child in start_all(&search, 2) {
            let (its_code, out, err) = ended(child);
            assert_eq!((its_code, err.as_str()), (code, ""));
            let found = report(&out);
            for same in ["evidence", "covered", "incomplete", "failed"] {
                assert_eq!(found[same], alone[same], "{search}: {same}");
            }
            let lengths = |report: &Value| -> Vec<(Value, usize)> {
                let findings = report["findings"].as_array().unwrap().iter();
                let length = |told: &Value| told["timeline"].as_array().unwrap().len();
                findings.map(|told| (told["kind"].clone(), length(told))).collect()
            };
            assert_eq!(lengths(&found), lengths(&alone), "{search}");
            for told in found["findings"].as_array().unwrap() {
                let again = told["again"].as_str().unwrap().strip_prefix("oversell-sim ").unwrap();
                let (_, replayed, err) = ended(start(&again.replace('\'', "")));
                assert!(replayed.contains(told["proof"].as_str().unwrap()), "{replayed}{err}");
            }
        }
    }
}

#[test]
fn a_process_that_dies_is_one_line_and_no_verdict_at_the_others() {
    let mut all = start_all("explore -S cas --buyers 60 --stock 30 --no-progress", 3);
    all.iter().for_each(|child| wait_until_connected(child, 2));
    all[1].kill().unwrap();
    let (_, out, _) = ended(all.remove(1));
    assert_eq!(out, "");
    for child in all {
        let (code, out, err) = ended(child);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(3), "", 1), "{err}");
        assert!(err.contains("is lost: ") && err.contains("nothing is proved"), "{err}");
    }
}

#[test]
fn ctrl_c_at_one_process_ends_all_without_a_proof() {
    let mut all = start_all("explore -S cas --buyers 60 --stock 30 --no-progress", 2);
    all.iter().for_each(|child| wait_until_connected(child, 1));
    let kill = Command::new("kill").args(["-INT", &all[1].id().to_string()]).status().unwrap();
    assert!(kill.success());
    let (code, out, _) = ended(all.remove(1));
    assert_eq!(code, Some(130));
    assert!(out.contains("not complete, so not a proof"), "{out}");
    let (code, out, err) = ended(all.remove(0));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("not complete, so not a proof") && !out.contains("PROVED"), "{out}");
}

#[test]
fn processes_with_different_commands_search_nothing() {
    let addresses = addresses(2);
    let search = |buyers, me| {
        start(&format!(
            "explore -S cas --buyers {buyers} --processes {addresses} --process {me} --max-time 20s"
        ))
    };
    for child in [search(2, 1), search(3, 2)] {
        let (code, out, err) = ended(child);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(2), "", 1), "{err}");
        assert!(err.contains("was given another command"), "{err}");
    }
}

#[test]
fn a_process_that_does_not_come_is_named() {
    let addresses = addresses(2);
    for (me, missing) in [(1, 2), (2, 1)] {
        let (code, out, err) = ended(start(&format!(
            "explore -S cas --processes {addresses} --process {me} --max-time 200ms"
        )));
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(3), "", 1), "{err}");
        assert!(err.contains(&format!("process {missing} (127.0.0.1:")), "{err}");
        assert!(err.contains("has not come"), "{err}");
    }
}

#[test]
fn a_list_that_makes_no_sense_is_one_line() {
    for (flags, words) in [
        ("--processes one,two:7000 --process 1", "expected HOST:PORT, such as one:7000, not `one`"),
        ("--processes one:0,two:7000 --process 1", "expected HOST:PORT"),
        ("--processes one:7000,one:7000 --process 1", "one:7000 is there twice"),
        ("--processes one:7000,two:7000 --process 3", "3 is none of the 2 in --processes"),
        ("--processes one:7000,two:7000", "--process"),
        ("--process 1", "--processes"),
    ] {
        let (code, out, err) = ended(start(&format!("explore -S cas {flags}")));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{flags}: {err}");
        assert!(err.contains(words), "{flags}: {err}");
    }
}
