//! What is printed fits the terminal, and no word is broken.

use std::collections::BTreeSet;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::unstable::render::{Width, table};
use oversell_sim::unstable::settings::Settings;

use crate::fixture::{report, round};
use crate::listed::has;
use oversell_sim::unstable::buyer::Ending::{Bought, Rejected};

/// What the program prints where there are so many columns; in a pipe, if it is not said how many.
fn printed(args: &[&str], columns: Option<&str>) -> String {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args).env_remove("COLUMNS");
    if let Some(columns) = columns {
        command.env("COLUMNS", columns);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Holds that no line is wider than 80, and that each word is one of the text without a bound.
fn assert_fits(narrow: &str, wide: &str, what: &str) {
    let words = |text: &str| -> BTreeSet<String> {
        let is_certain = |word: &&str| !word.chars().any(|sign| sign.is_ascii_digit());
        text.split_whitespace().filter(is_certain).map(str::to_owned).collect()
    };
    let wide = words(wide);
    for line in narrow.lines() {
        assert!(line.chars().count() <= 80, "{what}: {line}");
    }
    let broken: Vec<String> =
        words(narrow).into_iter().filter(|word| word != "\\" && !wide.contains(word)).collect();
    // Durations come out in one unit or in another.
    let units = ["ns", "µs", "ms", "s", "·"];
    assert!(broken.iter().all(|word| units.contains(&word.as_str())), "{what}: {broken:?}");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_word_is_broken() {
    let mut all: Vec<&[&str]> = vec![
        &["strategies"],
        &["stores"],
        &["explore", "-S", "naive", "--seed", "1"],
        &["explore", "-S", "naive", "-b", "7", "--find", "all", "--seed", "1"],
        &["explore", "-S", "other-lock", "--seed", "1"],
        &["explore", "-S", "hold", "--seed", "1"],
        &["explore", "-S", "cas", "--buyers", "any"],
        &["explore", "-S", "cas", "-b", "40", "--random", "--schedules", "50", "--seed", "1"],
        &["replay", "-S", "confirm-unheeded", "--schedule", "AAA", "--seed", "1"],
        &["simulate", "scenarios/last-iphone.toml", "--seed", "1"],
        &["simulate", "scenarios/first-packet.toml", "--buyers", "400", "--seed", "1"],
        &["check", "scenarios/last-unit.toml"],
    ];
    for (store, args) in [
        (StoreKind::Sqlite, &["explore", "-S", "naive", "--store", "sqlite", "--seed", "1"][..]),
        (
            StoreKind::Postgres,
            &["explore", "-S", "transaction", "--store", "postgres", "--seed", "1"],
        ),
    ] {
        if has(store) {
            all.push(args);
        }
    }
    for args in all {
        assert_fits(&printed(args, Some("80")), &printed(args, None), &args.join(" "));
    }
}

#[test]
fn a_race_of_all_begins_with_a_comparison_that_fits() {
    let race = ["race", "-S", "all", "--buyers", "1000", "--stock", "100", "--seed", "1"];
    let text = printed(&race, Some("80"));
    assert!(text.starts_with(" Comparison"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let first = text.split("\n\n").next().unwrap();
    assert!(first.lines().any(|line| line.contains("SAFE SO FAR")), "in one line: {first}");
    assert!(first.lines().next().unwrap().contains("p99"), "{first}");
}

#[test]
fn the_tables_of_a_race_fit_whatever_their_figures() {
    let settings =
        Settings { buyers: 1_000_000, stock: 300_000, seed: u64::MAX, ..Settings::default() };
    let endings: Vec<_> = (0..40).map(|buyer| if buyer < 30 { Bought } else { Rejected }).collect();
    let rounds = [round(3, &endings)];
    let shown = |width| {
        anstream::adapter::strip_str(&table(&report("naive", &settings, &rounds), width))
            .to_string()
    };
    assert_fits(&shown(Width::of(80)), &shown(Width::UNBOUNDED), "naive");
}

#[test]
fn a_command_that_goes_on_in_the_next_line_is_one_command_to_a_shell() {
    let text = printed(&["explore", "-S", "other-lock", "--seed", "1"], Some("60"));
    let (_, again) = text.split_once("\n again").unwrap();
    let again = again.split("\n by hand").next().unwrap();
    assert!(again.lines().count() > 1, "{again}");
    let mut shell = Command::new("sh");
    let program = cargo_bin("oversell-sim");
    shell.args(["-c", &again.replace("oversell-sim", &program.display().to_string())]);
    let output = shell.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("#1: 2 units promised, 1 in stock"), "{said}");
}
