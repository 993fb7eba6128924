//! Searches at servers that go on where they were stopped.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind::{self, Etcd, Mysql, Postgres, Redis, Sqlite};
use serde_json::Value;

use crate::servers::{installed, open_dir};

fn explored(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(cargo_bin("oversell-sim"))
        .arg("explore")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A search with more in it than one way to end.
fn search(store: StoreKind) -> Vec<&'static str> {
    match store {
        Postgres => vec!["--store", "postgres", "--strategy", "transaction"],
        Mysql => vec!["--store", "mysql", "--strategy", "pessimistic"],
        Sqlite => vec!["--store", "sqlite", "--strategy", "transaction"],
        Redis => vec!["--store", "redis", "--strategy", "naive", "--preemptions", "2"],
        Etcd => vec!["--store", "etcd", "--strategy", "conditional"],
        other => panic!("{other}"),
    }
}

#[test]
fn a_search_goes_on_where_it_was_stopped_and_says_the_same() {
    for store in installed() {
        let folder = open_dir();
        let args = [&search(store)[..], &["--seed", "1", "--format", "json"]].concat();
        let (code, plain, err) = explored(folder.path(), &args);
        assert!(code < 2, "{store}: {err}");
        let resumed = [&args[..], &["--resume", "orders.jsonl"]].concat();
        let run = || {
            let (again, out, err) = explored(folder.path(), &resumed);
            assert_eq!(again, code, "{store}: {err}");
            let [same, expected] =
                [&out, &plain].map(|text| serde_json::from_str::<Value>(text).unwrap());
            assert_eq!(same, expected, "{store}");
        };
        run();
        let path = folder.path().join("orders.jsonl");
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        assert!(lines.len() > 3, "{store}: {whole}");
        // As a kill leaves it: after an order, in the middle of a line, in the middle of the first; and all there.
        let half = lines[..lines.len() / 2].concat();
        let cut = format!("{half}{}", &lines[lines.len() / 2][..30]);
        for kept in [&half, &cut, &lines[0][..20], &whole] {
            fs::write(&path, kept).unwrap();
            run();
            assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), lines.len(), "{store}");
        }
    }
}

#[test]
fn orders_of_another_search_are_refused_in_one_line_and_left_as_they_were() {
    let folder = open_dir();
    let base = ["--store", "sqlite", "--strategy", "naive", "--resume", "orders.jsonl"];
    let explore = |more: &[&str]| explored(folder.path(), &[&base[..], more].concat());
    assert_eq!(explore(&[]).0, 0);
    let path = folder.path().join("orders.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    for (more, words) in [
        (&["--stock", "2"][..], "it belongs to another search: oversell-sim explore"),
        (&["--find", "all"], "it belongs to another search"),
        (&["--preemptions", "1"], "it belongs to another search"),
        (&["--random"], "cannot be used with"),
    ] {
        let (code, out, err) = explore(more);
        assert_eq!((code, out.as_str()), (2, ""), "{more:?}: {err}");
        assert!(err.contains(words), "{more:?}: {err}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    for (content, words) in [
        ("a diary\n".to_owned(), "it is no file of a search at a server"),
        (format!("{}\n{{}}\n", text.lines().next().unwrap()), "line 2 is no order"),
        (text.replacen("\"version\":\"", "\"version\":\"9.", 1), "it was begun by version 9."),
    ] {
        fs::write(&path, &content).unwrap();
        let (code, out, err) = explore(&[]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(words), "{err}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let model = ["--strategy", "naive", "--resume", "orders.jsonl"];
    let (code, _, err) = explored(folder.path(), &model);
    assert_eq!(code, 2);
    assert!(err.contains("--resume: is for a real server"), "{err}");
}
