//! In a terminal, what takes long shows how far it is, and Ctrl-C ends it with the report of what was done.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;

use crate::listed::has;
use crate::servers::open_dir;
use crate::terminal::Terminal;

/// Ctrl-C, as a terminal sends it.
const CTRL_C: &str = "\u{3}";

/// Runs the program in a terminal until each of these is shown, and presses Ctrl-C. What it says after that.
fn interrupted(args: &str, folder: &Path, shown: &[&str]) -> String {
    let program = cargo_bin("oversell-sim");
    let programs = program.parent().unwrap();
    let mut terminal = Terminal::run(&format!("oversell-sim {args}"), folder, programs);
    for what in shown {
        terminal.wait_for(what);
    }
    terminal.type_keys(CTRL_C);
    let (status, said) = terminal.wait_for_end();
    assert_eq!(status.code(), Some(130), "{args}: {said}");
    said
}

#[test]
fn a_search_of_the_model_shows_its_states_and_ctrl_c_tells_what_was_searched() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said =
        interrupted("explore -S cas --buyers 60 --stock 30", root, &["exploring", " states · "]);
    assert!(said.contains("not complete, so not a proof"), "{said}");
}

#[test]
fn ctrl_c_while_a_server_starts_is_no_failure_of_a_comparison_or_a_sweep() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compare = "compare -S cas,conditional --store postgres";
    let said = interrupted(compare, root, &["starting postgres"]);
    // The server may have been up by then, and no round was raced.
    let is_told = ["INTERRUPTED     before a round was raced", "of 0 rounds"];
    assert!(is_told.into_iter().any(|words| said.contains(words)), "{said}");
    let sweep = "sweep -S cas --buyers 10,20 --store postgres";
    let said = interrupted(sweep, root, &["starting postgres"]);
    assert!(said.contains("2 points not measured"), "{said}");
}

#[test]
fn random_schedules_are_counted_out_of_all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let args = "explore -S cas --buyers 30 --random --schedules 10M";
    let said = interrupted(args, root, &[" of 10,000,000 schedules · "]);
    assert!(said.contains("not seen in "), "{said}");
}

#[test]
fn a_simulation_scenarios_and_a_survey_show_how_far_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = open_dir();
    let scenario = "strategy = \"cas\"\nbuyers = 20\nrounds = 1_000_000\n[expect]\noversold = 0\n";
    fs::write(folder.path().join("long.toml"), scenario).unwrap();
    let seeds = "simulate scenarios/last-iphone.toml --seeds 1000000";
    let said = interrupted(seeds, root, &["simulating", " buyers · ", " left"]);
    assert!(said.contains("interrupted"), "{said}");
    let said = interrupted("check long.toml", folder.path(), &["long.toml", " buyers · ", " left"]);
    assert!(said.contains("1 cut short"), "{said}");
    for (search, words) in [
        ("strategy = \"cas\"\nbuyers = 60\nstock = 30\n", "states · "),
        ("strategy = \"cas\"\nbuyers = 60\nstock = 30\npreemptions = 20\n", "schedules · "),
        ("strategy = \"pessimistic\"\nbuyers = 8\nstore = \"sqlite\"\n", "orders · "),
    ] {
        let text = format!("run = \"explore\"\n{search}[expect]\noversold = 0\n");
        fs::write(folder.path().join("search.toml"), text).unwrap();
        let said = interrupted("check search.toml", folder.path(), &["search.toml", words]);
        assert!(said.contains("1 cut short"), "{said}");
    }
    let said = interrupted("survey --store sqlite", root, &["surveying", " verdicts · "]);
    assert!(said.contains("not run"), "{said}");
}

#[test]
fn an_application_that_does_not_start_says_what_is_waited_for_and_ctrl_c_reports() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let folder = open_dir();
    let mut init = Command::new(cargo_bin("oversell-sim"));
    assert!(
        init.args(["init", "app", "shop"])
            .current_dir(folder.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    let file = folder.path().join("shop/shop.toml");
    let text = fs::read_to_string(&file).unwrap();
    let is_command = |line: &str| line.split('=').next().is_some_and(|key| key.trim() == "command");
    let lines = text.lines().map(|line| match is_command(line) {
        true => "command = [\"sleep\", \"600\"]",
        false => line,
    });
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    for (command, words) in [
        ("explore", "interrupted before the first order was run"),
        ("doctor", "INTERRUPTED     before the application was walked through"),
        ("race", "stopped before the first round was raced"),
    ] {
        let args = format!("{command} --app shop/shop.toml");
        let said = interrupted(&args, folder.path(), &["starting sleep"]);
        // On a narrow terminal the sentence goes on in the next line.
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain(&said).contains(&plain(words)), "{command}: {said}");
    }
}

#[test]
fn orders_at_a_server_are_shown_and_those_that_were_run_are_told_after_ctrl_c() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let args = "explore -S pessimistic --buyers 6 --store postgres";
    let said = interrupted(args, root, &["starting postgres", "exploring", " orders · "]);
    assert!(said.contains("not complete, so not a proof"), "{said}");
}

#[test]
fn ctrl_c_leaves_no_file_of_a_part_of_a_search_whether_its_server_starts_or_it_runs() {
    if !has(StoreKind::Sqlite) || !has(StoreKind::Postgres) {
        return;
    }
    let folder = open_dir();
    for (store, shown) in [("postgres", "starting postgres"), ("sqlite", " orders · ")] {
        let args = format!(
            "explore -S pessimistic --buyers 6 --store {store} --partition slice:1/2 --format json -o part.json"
        );
        let said = interrupted(&args, folder.path(), &[shown]);
        assert!(!folder.path().join("part.json").exists(), "{store}: {said}");
        assert!(!said.contains("error"), "{store}: {said}");
    }
}

#[test]
fn nothing_is_shown_in_a_pipe_or_where_it_is_not_wanted() {
    let search = ["explore", "-S", "cas", "--buyers", "200", "--seed", "1"];
    let piped = Command::new(cargo_bin("oversell-sim")).args(search).output().unwrap();
    assert_eq!(String::from_utf8(piped.stderr).unwrap(), "");
    let program = cargo_bin("oversell-sim");
    let args = format!("oversell-sim {} --no-progress", search.join(" "));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (status, said) = Terminal::run(&args, root, program.parent().unwrap()).wait_for_end();
    assert!(status.success() && said.contains("PROVED") && !said.contains("exploring"), "{said}");
}

#[test]
fn ctrl_c_at_the_prompt_of_play_tells_what_was_played() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = cargo_bin("oversell-sim");
    let mut stores = vec![""];
    stores.extend(has(StoreKind::Sqlite).then_some(" --store sqlite"));
    for store in stores {
        let line = format!("oversell-sim play -S naive{store}");
        let mut terminal = Terminal::run(&line, root, program.parent().unwrap());
        terminal.wait_for("next (");
        terminal.type_keys("A\n");
        terminal.wait_for("next (");
        terminal.type_keys(CTRL_C);
        let (status, said) = terminal.wait_for_end();
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(said.contains("step  A") && said.contains("Not broken this time"), "{said}");
    }
}
