//! Sweeps: every point of the grid, once, however often the walk was cut short.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

use crate::docs::{fields, read};

fn ran(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(cargo_bin("oversell-sim")).args(args).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const GRID: [&str; 9] =
    ["sweep", "-S", "cas,optimistic", "--buyers", "2..10", "--stock", "1,2", "--rounds", "2"];

#[test]
fn every_point_of_the_grid_is_a_line_with_its_settings() {
    let (code, out, err) = ran(Path::new("."), &[&GRID[..], &["--format", "csv"]].concat());
    assert_eq!(code, 0, "{err}");
    let rows: Vec<&str> = out.lines().collect();
    assert!(
        rows[0].starts_with("number,strategy,stock,buyers,evidence,findings,elapsed_min,"),
        "{out}"
    );
    let places: Vec<String> =
        rows[1..].iter().map(|row| row.split(',').take(4).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(places.len(), 12);
    assert_eq!(places[..4], ["1 cas 1 2", "2 cas 1 5", "3 cas 1 10", "4 cas 2 2"]);
    assert_eq!(places[11], "12 optimistic 2 10");
}

#[test]
fn a_sweep_goes_on_where_it_was_cut_short_and_measures_no_point_twice() {
    let folder = TempDir::new().unwrap();
    let args = [&GRID[..], &["--resume", "points.jsonl", "--format", "json"]].concat();
    let (code, out, err) = ran(folder.path(), &args);
    assert_eq!(code, 0, "{err}");
    let whole: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(whole["points"].as_array().unwrap().len(), 12);
    let path = folder.path().join("points.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 13, "the grid and a line a point");

    // As a kill leaves it: in the middle of a line.
    let kept: Vec<&str> = text.split_inclusive('\n').take(5).collect();
    let (kept, cut) = (kept[..4].concat(), &kept[4][..40]);
    fs::write(&path, format!("{kept}{cut}")).unwrap();
    let (code, out, err) = ran(folder.path(), &args);
    assert_eq!(code, 0, "{err}");
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(again["grid"], whole["grid"], "the seed is the file's");
    assert_eq!(again["points"].as_array().unwrap().len(), 12);
    for place in 0..3 {
        assert_eq!(again["points"][place], whole["points"][place], "measured once");
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&kept) && text.lines().count() == 13, "{text}");
}

#[test]
fn a_file_of_another_grid_is_refused_in_one_line_and_left_as_it_was() {
    let folder = TempDir::new().unwrap();
    let sweep = |more: &[&str]| {
        let args = ["sweep", "-S", "cas", "--rounds", "1", "--resume", "points.jsonl"];
        ran(folder.path(), &[&args[..], more].concat())
    };
    assert_eq!(sweep(&["-b", "2,4"]).0, 0);
    let text = fs::read_to_string(folder.path().join("points.jsonl")).unwrap();
    for (args, words) in [
        (&["-b", "2,5"][..], "it belongs to another grid: its --buyers is 2,4"),
        (&["-b", "2,4", "-s", "1,2"], "its --stock does not vary"),
        (&["-b", "2,4", "--think", "1ms"], "its --think is 200000"),
        (&["-b", "2,4", "--seed", "0"], "its --seed is "),
    ] {
        let (code, out, err) = sweep(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("points.jsonl")).unwrap(), text);
    fs::write(folder.path().join("points.jsonl"), "a diary\n").unwrap();
    let (code, _, err) = sweep(&["-b", "2,4"]);
    assert_eq!(code, 2);
    assert!(err.contains("it is no file of a sweep"), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("points.jsonl")).unwrap(), "a diary\n");
}

#[test]
fn what_cannot_be_swept_is_refused_in_one_line() {
    for (args, words) in [
        (&["-S", "cas", "--buyers", "10..1"][..], "write 1..10"),
        (&["-S", "cas", "--buyers", "0,5"], "--buyers: must be from 1"),
        (&["-S", "cas", "--think", "0..1ms"], "begins above 0"),
        (
            &["-S", "cas", "--stock", "1..1k", "--buyers", "1..1M", "--points", "900"],
            "10,000 at most",
        ),
        (&["-S", "optimstic", "--buyers", "1,2"], "did you mean `optimistic`?"),
        (&["-S", "cas", "--buyers", "1,2", "--connections", "5"], "means nothing to the store"),
        (&["--buyers", "1,2"], "--strategy"),
    ] {
        let (code, out, err) = ran(Path::new("."), &[&["sweep"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.starts_with("error: ") && err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn every_field_of_a_sweep_is_described() {
    let document = read("docs/reference/report.md");
    let (code, out, err) = ran(Path::new("."), &[&GRID[..], &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    let sweep: Value = serde_json::from_str(&out).unwrap();
    let mut all = Vec::new();
    fields(&sweep, "", &mut all);
    for field in all {
        // Settings and figures are those of a race; a setting that varies is named by the user.
        let listed = match (field.strip_prefix("grid.settings."), field.split_once(".figures.")) {
            (Some(setting), _) => format!("settings.{setting}"),
            (_, Some((_, figure))) => figure.to_owned(),
            _ if field.starts_with("points[].at.") => continue,
            _ => field.clone(),
        };
        assert!(document.contains(&format!("`{listed}`")), "report.md says nothing of {field}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_sweep_with_the_points_that_were_measured() {
    let folder = TempDir::new().unwrap();
    let sweep = |rounds: &str| {
        let mut command = Command::new(cargo_bin("oversell-sim"));
        command.args(["sweep", "-S", "cas", "-b", "2,500", "--rounds", rounds]);
        command.args(["--resume", "points.jsonl", "--format", "json", "-o", "sweep.json"]);
        command.current_dir(folder.path());
        command
    };
    let lines = || {
        let text = fs::read_to_string(folder.path().join("points.jsonl")).unwrap_or_default();
        text.lines().count()
    };
    let mut child = sweep("1000").spawn().unwrap();
    // The grid's line and that of the first point say that the second point has begun.
    while lines() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let read = || -> Value {
        serde_json::from_str(&fs::read_to_string(folder.path().join("sweep.json")).unwrap())
            .unwrap()
    };
    assert_eq!((read()["missing"].as_u64(), lines()), (Some(1), 2));
    let first = read()["points"][0].clone();
    // Another number of rounds is another grid.
    let refused = sweep("2").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let err = String::from_utf8(refused.stderr).unwrap();
    assert!(err.contains("its --rounds is 1000"), "{err}");
    assert_eq!(first["place"], Value::Null, "a place is part of its point");
    assert_eq!(first["at"]["buyers"], "2");
}
