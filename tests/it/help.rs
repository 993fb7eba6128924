//! The help text of each command has examples, and they run.

use std::path::Path;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;

use crate::examples::Folder;

/// What the program says of itself, or of one command.
fn help(args: &[&str]) -> String {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    let output = command.args(args).arg("--help").env_remove("COLUMNS").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all commands.
fn commands() -> Vec<String> {
    let text = help(&[]);
    let list = text.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let name = |line: &str| {
        let line = line.strip_prefix("  ")?;
        let is_name = !line.starts_with(' ') && !line.starts_with("help ");
        is_name.then(|| line.split_whitespace().next().map(str::to_owned))?
    };
    list.lines().filter_map(name).collect()
}

/// The examples of a command: each is a comment, and the lines that follow it.
fn examples(command: &str) -> Vec<Vec<String>> {
    let text = help(&[command]);
    let Some((_, after)) = text.split_once("\nExamples:\n") else { return Vec::new() };
    let mut all: Vec<Vec<String>> = Vec::new();
    for line in after.lines().map(str::trim) {
        match line.starts_with('#') {
            true => all.push(Vec::new()),
            false => all.last_mut().expect("a comment comes first").push(line.to_owned()),
        }
    }
    all
}

#[test]
fn each_command_has_two_examples_in_its_help_text_that_run() {
    let program = cargo_bin("oversell-sim");
    let all = commands();
    assert!(all.len() >= 13, "{all:?}");
    for command in all {
        let examples = examples(&command);
        assert!(examples.len() >= 2, "`{command} --help` has too few examples: {examples:?}");
        // What one example has written the next may read, as a reader would run them.
        let folder = Folder::new(&program);
        for lines in examples {
            let is_its = |line: &String| line.contains(&format!("oversell-sim {command}"));
            assert!(lines.iter().any(is_its), "an example of another command: {lines:?}");
            // One machine alone comes to nothing there; `common_start.rs` runs all.
            let is_for_several = |line: &String| line.contains("--start-at");
            if !lines.iter().any(is_for_several) && lines.iter().all(|line| folder.can_run(line)) {
                run(&lines.join("\n"), folder.dir.path(), &folder.path);
            }
        }
    }
}

/// Runs lines of a shell, of which none may fail.
fn run(lines: &str, folder: &Path, path: &str) {
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", lines]).current_dir(folder).env("PATH", path).env("HOME", folder);
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines}\n{said}{}", String::from_utf8_lossy(&output.stdout));
}
