//! What a shell offers when Tab is pressed, in each shell itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

use crate::listed::miss_program;
use crate::terminal::Terminal;

/// What is typed, and what it is to become.
const TYPED: [(&str, &str); 13] = [
    ("oversell-sim surv", "survey"),
    ("oversell-sim explore --max-st", "--max-states"),
    ("oversell-sim explore --strategy opt", "optimistic"),
    ("oversell-sim race -S cas,opt", "cas,optimistic"),
    ("oversell-sim explore --strategy=opt", "--strategy=optimistic"),
    ("oversell-sim race --strategy=cas,opt", "--strategy=cas,optimistic"),
    ("oversell-sim race --backoff=fixed:1ms --strategy cas --store=postg", "--store=postgres"),
    ("oversell-sim race --strategy cas --store postg", "postgres"),
    ("oversell-sim explore -S transaction --store mysql --isolation ser", "serializable"),
    (
        "oversell-sim explore -S transaction --store mysql --try isolation=ser",
        "isolation=serializable",
    ),
    ("oversell-sim explore --app shop.toml --try lock,gua", "lock,guard"),
    ("oversell-sim simulate scenarios/last-i", "scenarios/last-iphone.toml"),
    ("oversell-sim man surv", "survey"),
];

/// Whether a shell is here. If not, the test is missed.
fn has(shell: &str) -> bool {
    let is_here =
        Command::new(shell).args(["-c", "true"]).status().is_ok_and(|status| status.success());
    if !is_here {
        miss_program(&format!("{shell} is not installed: apt-get install {shell}"));
    }
    is_here
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn programs() -> std::path::PathBuf {
    cargo_bin("oversell-sim").parent().unwrap().to_path_buf()
}

/// Types each line and Tab into a shell that `begin` has prepared, and waits until it is completed.
fn complete_in(shell: &str, begin: &str) {
    let mut terminal = Terminal::run(shell, folder(), &programs());
    terminal.type_keys(&format!("PS1='rea''dy> '; {begin}; echo be''gun\n"));
    terminal.wait_for("begun");
    for (line, completed) in TYPED {
        terminal.wait_for("ready> ");
        terminal.type_keys(&format!("{line}\t"));
        let typed = line.rsplit(' ').next().unwrap();
        let rest = completed.strip_prefix(typed).unwrap();
        terminal.wait_for(rest);
        // Ctrl-U takes the line back, and the next begins.
        terminal.type_keys("\u{15}\n");
    }
}

#[test]
fn bash_completes_commands_flags_strategies_lists_stores_levels_and_files() {
    if has("bash") {
        let begin = "source <(oversell-sim completions bash)";
        complete_in("bash --norc --noprofile -i", begin);
    }
}

#[test]
fn zsh_completes_commands_flags_strategies_lists_stores_levels_and_files() {
    if has("zsh") {
        let begin = "autoload -Uz compinit; compinit -D -u; source <(oversell-sim completions zsh)";
        complete_in("zsh -f -i", begin);
    }
}

#[test]
fn a_file_in_a_folder_of_fpath_completes_in_zsh_from_the_first_tab_on() {
    if !has("zsh") {
        return;
    }
    let functions = TempDir::new().unwrap();
    let script = Command::new(cargo_bin("oversell-sim")).args(["completions", "zsh"]).output();
    fs::write(functions.path().join("_oversell-sim"), script.unwrap().stdout).unwrap();
    let begin = format!(
        "fpath=({} $fpath); autoload -Uz compinit; compinit -D -u",
        functions.path().display()
    );
    complete_in("zsh -f -i", &begin);
}

#[test]
fn fish_completes_commands_flags_strategies_lists_stores_levels_and_files() {
    if !has("fish") {
        return;
    }
    let path = format!("{}:{}", programs().display(), std::env::var("PATH").unwrap());
    for (line, completed) in TYPED {
        let script =
            format!("oversell-sim completions fish | source; complete --do-complete '{line}'");
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "--command", &script]).current_dir(folder()).env("PATH", &path);
        let output = fish.output().unwrap();
        let offered = String::from_utf8(output.stdout).unwrap();
        let first: Vec<&str> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(first, [completed], "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Command::new(cargo_bin("oversell-sim")).args(["completions", shell]).output();
        let script = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(
            script.contains("COMPLETE") && script.contains("oversell-sim"),
            "{shell}: {script}"
        );
    }
}
