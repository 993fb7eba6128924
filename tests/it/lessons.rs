//! `learn` walks through the lessons. That their commands print what the pages show is held by `examples`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::servers::installed;

/// The pages of the lessons, in order.
fn pages() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lessons");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_lesson = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with(|first: char| first.is_numeric())
    };
    let mut paths: Vec<_> = names.filter(is_lesson).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// `learn` with these arguments, in a folder where nothing is.
fn begun(folder: &TempDir, args: &[&str]) -> Child {
    Command::new(cargo_bin("oversell-sim"))
        .arg("learn")
        .args(args)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Its exit code, and what it printed, when this is typed and nothing after it.
fn learned(args: &[&str], typed: &str) -> (i32, String, String) {
    let folder = TempDir::new().unwrap();
    let mut child = begun(&folder, args);
    // Who needs no answers closes its end early.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was left");
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn learn_lists_every_lesson_by_its_number() {
    let (code, out, err) = learned(&[], "");
    assert_eq!((code, err.as_str()), (0, ""));
    for page in pages() {
        let title = page.lines().next().unwrap().trim_start_matches("# ");
        assert!(out.contains(&format!(" {title}\n")), "{title}: {out}");
    }
}

#[test]
fn a_lesson_asks_says_whether_the_answer_is_right_and_walks_to_its_end() {
    let (code, out, err) = learned(&["1"], "maybe\nb\n\n\n\n\n\n\n");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let order = [
        "1. The double sale",
        "Your answer (a, b, c)? maybe",
        "Type a, b, c, or Enter to see the answer.",
        "Your answer (a, b, c)? b",
        "Not quite.",
        "c. A buyer who has read 1",
        "See it break",
        "$ oversell-sim race --buyers 1000",
        "See why",
        "    4                   writes 0, order      0  B overwrites what A wrote",
        "Fix",
        "See the proof",
        " PROVED ",
        "Exercise",
        "Think, then press Enter for the answer",
        "Six steps",
        "That was lesson 1. Next is 2. The lock: oversell-sim learn 2",
    ];
    let mut rest = out.as_str();
    for words in order {
        let place = rest.find(words).unwrap_or_else(|| panic!("{words} is not in\n{rest}"));
        rest = &rest[place + words.len()..];
    }
    assert!(learned(&["1"], "c\nq\n").1.contains("\n  Right.\n"));
}

#[test]
fn a_reader_who_leaves_runs_nothing_more() {
    for typed in ["q\n", "a\nquit\n"] {
        let (code, out, err) = learned(&["1"], typed);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(!out.contains("$ oversell-sim"), "{out}");
    }
}

/// The verdicts in a text, without those of races: there the operating system decides.
fn verdicts(text: &str) -> Vec<&str> {
    let mut is_race = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(command) = line.strip_prefix("$ oversell-sim ") {
            is_race = command.starts_with("race ");
        }
        let verdict =
            ["BROKEN  ", "PROVED  ", "SAFE SO FAR  "].into_iter().find(|it| line.starts_with(it));
        found.extend(verdict.filter(|_| !is_race));
    }
    found
}

#[test]
fn without_answers_each_lesson_is_printed_through_with_what_its_commands_print_here() {
    let stores = installed();
    for (place, page) in pages().iter().enumerate() {
        let stores_named = page.lines().filter(|line| line.starts_with("$ ")).filter_map(|line| {
            line.split_once("--store ").map(|(_, rest)| rest.split(' ').next().unwrap())
        });
        let lacks = |name: &str| stores.iter().all(|store| store.name() != name);
        if stores_named.into_iter().any(lacks) {
            continue;
        }
        let (code, out, err) = learned(&[&(place + 1).to_string()], "");
        assert_eq!((code, err.as_str()), (0, ""), "lesson {}: {out}", place + 1);
        assert!(!out.contains('\u{1b}') && !out.contains("Your answer"), "{out}");
        let shown = verdicts(page);
        assert!(shown.len() >= 3, "{page}");
        assert_eq!(verdicts(&out), shown, "lesson {}: {out}", place + 1);
        let names_files = out.contains("$ oversell-sim simulate scenarios/");
        let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_said = words.contains("to paste a command that names one, run it in a clone");
        assert_eq!(names_files, is_said, "lesson {}: {out}", place + 1);
    }
}

#[test]
fn what_could_not_be_run_here_is_not_shown_as_if_it_had_been() {
    let without_servers = Command::new(cargo_bin("oversell-sim"))
        .args(["learn", "10"])
        .env("PATH", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8(without_servers.stdout).unwrap();
    let err = String::from_utf8(without_servers.stderr).unwrap();
    let note = "--store etcd\n  It could not be run here. This is what the page shows, and not what was run:\n";
    // Servers are also looked for in their usual places.
    let expected = if err.contains("etcd is not installed") { 3 } else { 0 };
    assert_eq!(without_servers.status.code(), Some(expected), "{err}");
    assert_eq!(out.contains(note), expected == 3, "{out}");
    assert!(out.contains("That was lesson 10"), "{out}");
}

#[test]
fn ctrl_c_while_a_lesson_waits_for_an_answer_is_130() {
    let folder = TempDir::new().unwrap();
    let mut child = begun(&folder, &["1"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("before the first write has arrived") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the last choice was not printed");
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_lesson_that_is_not_there_is_one_line_and_exit_2() {
    for name in ["0", "11", "lock"] {
        let (code, out, err) = learned(&[name], "");
        assert_eq!((code, out.as_str()), (2, ""));
        let line = format!(
            "error: no lesson `{name}`: there are lessons 1 to 10, and `oversell-sim learn` lists them\n"
        );
        assert_eq!(err, line);
    }
}
