//! What CI servers are told: JUnit XML, annotations and job summaries, of every command that takes expectations.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

const NAIVE: &str = "strategy = \"naive\"\nrounds = 20\n[expect]\noversold = 0\n";

/// The program in a folder, as if no CI server had started it.
fn program(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args.split_whitespace()).current_dir(folder);
    command.env_remove("GITHUB_STEP_SUMMARY").env_remove("GITHUB_WORKSPACE");
    command
}

/// What a command printed and how it ended: exit code and standard output.
fn seen(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The lines that GitHub takes for annotations.
fn annotations(out: &str) -> Vec<&str> {
    out.lines().filter(|line| line.starts_with("::")).collect()
}

#[test]
fn each_command_writes_a_failure_with_what_was_not_met_and_the_command_that_shows_it() {
    let here = folder_of(&[("naive.toml", NAIVE)]);
    for (command, name, again) in [
        (
            "race -S naive --rounds 20 --expect oversold=0",
            "oversell-sim race",
            "oversell-sim race ",
        ),
        ("explore -S naive --expect oversold=0", "oversell-sim explore", "oversell-sim replay "),
        (
            "explore -S naive -b any --expect oversold=0",
            "oversell-sim explore",
            "oversell-sim replay ",
        ),
        ("check naive.toml", "naive.toml", "oversell-sim race "),
        (
            "compare -S cas,naive -b 50 --rounds 6 --warmup 0 --expect oversold=0",
            "oversell-sim compare",
            "oversell-sim compare ",
        ),
    ] {
        let (code, _) = seen(&mut program(here.path(), &format!("{command} --junit out.xml")));
        assert_eq!(code, 1, "{command}");
        let junit = read(&here, "out.xml");
        let case = format!("<testcase name=\"naive\" classname=\"{name}\" assertions=\"1\"");
        for words in [
            case.as_str(),
            "failures=\"1\" errors=\"0\"",
            "message=\"expected oversold = 0, but it was ",
            &format!("again: {again}"),
            "BROKEN",
            "timestamp=\"20",
        ] {
            assert!(junit.contains(words), "{command}: no {words} in {junit}");
        }
    }
}

#[test]
fn a_comparison_has_an_annotation_for_each_contender_that_falls_short() {
    let here = folder_of(&[]);
    let args = "compare -S cas,naive -b 50 --rounds 6 --expect oversold=0 --format github";
    let (code, out) = seen(&mut program(here.path(), args));
    assert_eq!(code, 1, "{out}");
    let told = annotations(&out);
    assert!(matches!(told[..], [one] if one.contains("title=naive%3A not as expected")), "{out}");
    assert!(out.contains("Compared with cas"), "{out}");
}

#[test]
fn a_finding_that_was_not_expected_to_be_absent_fails_no_case() {
    let here = folder_of(&[]);
    let (code, _) = seen(&mut program(here.path(), "explore -S naive --junit out.xml"));
    assert_eq!(code, 0);
    let junit = read(&here, "out.xml");
    assert!(junit.contains("failures=\"0\" errors=\"0\"") && junit.contains("BROKEN"), "{junit}");
}

#[test]
fn times_are_those_of_the_wall_clock_also_where_time_is_simulated() {
    // In virtual time, its buyers wait for eight minutes.
    let slow = "strategy = \"cas\"\nbuyers = 3\n[[region]]\nname = \"far\"\nway = \"4m\"\n\
                [expect]\noversold = 0\n";
    let here = folder_of(&[("slow.toml", slow)]);
    let (code, out) =
        seen(&mut program(here.path(), "check slow.toml --allow-incomplete --junit out.xml"));
    assert_eq!(code, 0, "{out}");
    let junit = read(&here, "out.xml");
    let times = junit.split("time=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let seconds: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    assert_eq!(seconds.len(), 3, "{junit}");
    assert!(seconds.iter().all(|seconds| *seconds < 240.0), "{junit}");
}

#[test]
fn an_error_is_a_case_of_its_own() {
    let here = folder_of(&[]);
    for command in ["race -S cas --buyers 1M", "explore --checkout no.toml", "simulate no.toml"] {
        let (code, _) = seen(&mut program(here.path(), &format!("{command} --junit out.xml")));
        assert!(code == 2 || code == 3, "{command}");
        let junit = read(&here, "out.xml");
        assert!(junit.contains("tests=\"1\" skipped=\"0\" failures=\"0\" errors=\"1\""), "{junit}");
        assert!(junit.contains("<error message="), "{junit}");
    }
}

#[test]
fn two_reports_are_not_written_into_one_file() {
    let here = folder_of(&[]);
    for command in ["race -S cas", "explore -S cas"] {
        let command = format!("{command} --output one --junit one");
        let output = program(here.path(), &command).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(err, "error: --output and --junit must be different files\n", "{command}");
    }
}

#[test]
fn github_is_told_in_annotations_of_what_did_not_hold() {
    let here =
        folder_of(&[("naive.toml", NAIVE), ("wrong.toml", "strategy = \"cas\"\n\n buyer = 3\n")]);
    for command in
        ["race -S naive --rounds 20 --expect oversold=0", "explore -S naive --expect oversold=0"]
    {
        let (code, out) = seen(&mut program(here.path(), &format!("{command} --format github")));
        assert_eq!(code, 1, "{out}");
        assert!(out.starts_with(' ') || out.starts_with("1,000 buyers"), "the report first: {out}");
        let [annotation] = annotations(&out)[..] else { panic!("{out}") };
        let title = "::error title=naive%3A not as expected::expected oversold = 0, but it was ";
        assert!(
            annotation.starts_with(title) && annotation.contains("%0Aagain: oversell-sim "),
            "{out}"
        );
    }
    let (code, out) =
        seen(&mut program(here.path(), "check naive.toml wrong.toml --format github"));
    assert_eq!(code, 2, "{out}");
    let [naive, wrong] = annotations(&out)[..] else { panic!("{out}") };
    assert!(naive.starts_with("::error file=naive.toml,title=naive%3A not"), "{out}");
    assert!(wrong.starts_with("::error file=wrong.toml,line=3,col=2,title="), "{out}");
    assert!(wrong.contains("did you mean `buyers`?%0A"), "{out}");
    let (code, out) =
        seen(&mut program(here.path(), "race -S cas --format github --expect oversold=0"));
    assert_eq!((code, annotations(&out).len()), (0, 0), "{out}");
}

#[test]
fn a_job_summary_is_added_to_the_file_that_github_names() {
    let here = folder_of(&[("naive.toml", NAIVE), ("summary.md", "from another program\n")]);
    for (command, heading) in [
        ("race -S naive --rounds 20 --expect oversold=0", "## oversell-sim race"),
        ("explore -S naive --expect oversold=0", "## oversell-sim explore"),
        ("check ./naive.toml", "## oversell-sim check"),
        ("replay -S naive --schedule ABAB --expect oversold=0", "## oversell-sim replay"),
    ] {
        let mut program = program(here.path(), &format!("{command} --format github"));
        program.env("GITHUB_STEP_SUMMARY", "summary.md");
        assert_eq!(seen(&mut program).0, 1, "{command}");
        let summary = read(&here, "summary.md");
        let (before, own) = summary.split_once(heading).unwrap();
        assert!(before.starts_with("from another program\n"), "{summary}");
        for words in ["| **not as expected** | BROKEN: ", "<details>", "again: oversell-sim "] {
            assert!(own.contains(words), "{command}: {summary}");
        }
    }
    let mut program = program(here.path(), "race -S cas --format github");
    let output = program.env("GITHUB_STEP_SUMMARY", "no/such/file").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(err.starts_with("error: cannot write GITHUB_STEP_SUMMARY no/such/file: "), "{err}");
}

#[test]
fn a_file_is_annotated_by_its_path_in_the_repository() {
    let here = folder_of(&[]);
    let inner = here.path().join("tests/races");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("naive.toml"), NAIVE).unwrap();
    let mut program = program(&inner, "check ./naive.toml --format github");
    let (_, out) = seen(program.env("GITHUB_WORKSPACE", here.path()));
    assert!(out.contains("::error file=tests/races/naive.toml,title="), "{out}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_told_as_one() {
    let long = "strategy = \"cas\"\nbuyers = 20\nrounds = 1_000_000\n[expect]\noversold = 0\n";
    // On a busy machine its buyers may not meet.
    let short = "strategy = \"cas\"\nbuyers = 20\nallow_incomplete = true\n[expect]\nwinners = 1\n";
    let here = folder_of(&[("a.toml", short), ("b.toml", long)]);
    let mut child = program(here.path(), "check a.toml b.toml --format github --junit out.xml")
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    // The first scenario's line says that the second has begun.
    out.read_line(&mut text).unwrap();
    interrupt(&child);
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(
        annotations(&text),
        ["::error file=b.toml,title=cas%3A interrupted::interrupted before its end"]
    );
    assert!(read(&here, "summary.md").contains("| **interrupted** |"));
    assert!(read(&here, "out.xml").contains("<error message=\"interrupted\"/>"));
}

fn interrupt(child: &Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}
