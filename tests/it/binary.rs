//! The program from outside: what it prints, what it leaves, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;
use oversell_sim::strategies::zoo;
use tempfile::TempDir;

use crate::listed::miss_program;

/// Runs the program in a folder of its own.
fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(cargo_bin("oversell-sim"));
    command.args(args).current_dir(folder).env_remove("COLUMNS").output().unwrap()
}

/// What a run with these arguments printed and how it ended: exit code, stdout, stderr.
fn ran(args: &[&str]) -> (i32, String, String) {
    seen(run(Path::new("."), args))
}

fn seen(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_headline_command_sells_one_unit_to_one_buyer() {
    let (code, out, err) = ran(&["race", "--buyers", "1000", "--stock", "1", "--strategy", "cas"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for words in ["SAFE SO FAR", "1 unit, 1 sold", "Outcome", "Contention", "What buyers saw"] {
        assert!(out.contains(words), "{out}");
    }
    assert!(!out.contains('\u{1b}'), "no colour into a pipe: {out}");
}

/// The names in a line such as `left out, for …: a, b (…)`.
fn names_left_out(line: &str) -> Vec<&str> {
    let names = line.split_once(": ").unwrap().1.split(" (").next().unwrap();
    assert!(line.starts_with("left out, for ") && line.ends_with(')'), "{line}");
    names.split(", ").collect()
}

#[test]
fn whatever_a_race_of_the_zoo_leaves_out_is_named_with_what_the_store_lacks() {
    let args = ["race", "-S", "zoo", "--buyers", "10", "--patience", "50ms", "--format", "csv"];
    let (code, out, err) = ran(&args);
    assert_eq!(code, 0, "{err}");
    let raced: Vec<&str> = out.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    let mut all: Vec<&str> = err.lines().flat_map(names_left_out).chain(raced).collect();
    let mut zoo: Vec<&str> = zoo::ALL.iter().map(|entrant| entrant.card().name).collect();
    all.sort_unstable();
    zoo.sort_unstable();
    assert_eq!(all, zoo, "{err}");
    assert!(err.contains("left out, for the store `memory` does not offer hold: "), "{err}");
    assert!(err.contains("(to be raced on sqlite, postgres, mysql, redis, etcd)"), "{err}");
    let named = ["race", "-S", "cas,conditional", "--buyers", "10"];
    assert_eq!(ran(&named).2, "", "nothing was left out");
}

#[test]
fn the_zoo_in_memory_has_less_patience_unless_a_flag_says_how_much() {
    let patience = |more: &[&str]| {
        let args = ["race", "-S", "zoo", "--buyers", "10", "--format", "json"];
        let (code, out, err) = ran(&[&args[..], more].concat());
        assert_eq!(code, 0, "{err}");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        report["settings"]["patience"].as_u64().unwrap()
    };
    assert_eq!(patience(&[]), 2_010_000_000);
    assert_eq!(patience(&["--patience", "70ms"]), 70_000_000);
}

#[test]
fn finding_an_oversell_is_a_result_and_missing_an_expectation_is_exit_1() {
    let naive = ["race", "-S", "naive", "--rounds", "20", "--seed", "5"];
    let (code, out, _) = ran(&naive);
    assert_eq!(code, 0);
    assert!(out.contains("BROKEN"), "{out}");
    assert!(
        out.contains(
            "oversell-sim race --strategy naive --buyers 1000 --stock 1 --rounds 20 --seed 5"
        ),
        "{out}"
    );
    let (code, out, _) = ran(&[&naive[..], &["--expect", "oversold = 0"]].concat());
    assert_eq!(code, 1);
    assert!(out.contains("oversold = 0  NOT MET"), "{out}");
    let (code, ..) = ran(&[&naive[..], &["--expect", "evidence = broken"]].concat());
    assert_eq!(code, 0);
}

#[test]
fn an_unmet_expectation_is_told_even_where_the_report_is_for_machines() {
    for args in [&["--format", "json"][..], &["--format", "csv"], &["--quiet"]] {
        let (code, out, err) =
            ran(&[&["race", "-S", "naive", "--rounds", "20", "--expect", "winners = 1"], args]
                .concat());
        assert_eq!(code, 1, "{out}");
        assert!(err.contains("naive: expected winners = 1, but it was "), "{err}");
    }
}

#[test]
fn expectations_hold_in_every_round_and_totals_over_all() {
    let race = ["race", "-S", "cas", "--rounds", "3", "--buyers", "100", "-q"];
    for (expected, code) in [("winners = 1", 0), ("total.winners = 3", 0), ("winners = 3", 1)] {
        assert_eq!(ran(&[&race[..], &["--expect", expected]].concat()).0, code, "{expected}");
    }
}

#[test]
fn bad_input_is_one_clear_line_and_exit_2() {
    for (args, words) in [
        (&["race", "-S", "optimstic"][..], "did you mean `optimistic`?"),
        (&["race"], "--strategy"),
        (&["race", "-S", "cas", "--buyers", "0"], "must be from 1 to 10,000,000"),
        (&["race", "-S", "cas", "--stock", "0"], "must be from 1 to 1,000,000,000"),
        (&["race", "-S", "cas", "--stock", "9999999999999999999999"], "must be from 1 to"),
        (&["race", "-S", "cas", "--qty", "3"], "`qty` is 3, but `stock` is only 1"),
        (&["race", "-S", "cas", "--qty", "3..1", "--stock", "9"], "write 1..3"),
        (&["race", "-S", "cas", "--think", "5"], "with its unit"),
        (&["race", "-S", "cas", "--think", "0,5ms"], "with its unit"),
        (&["race", "-S", "cas", "--retries", "-1"], "--retries"),
        (&["race", "-S", ""], "no strategy is named"),
        (&["race", "-S", "cas", "--expect", "wasted_work < 10"], "a share from 0 to 1"),
        (&["race", "-S", "cas", "--output", "no-such-folder/"], "--output"),
        (&["race", "-S", "cas", "--retries", "many"], "or `unlimited`"),
        (&["race", "-S", "cas", "--backoff", "fixd:1ms"], "expected none, fixed:1ms"),
        (&["race", "-S", "cas", "--expect", "overslod = 0"], "did you mean `oversold`?"),
        (&["race", "-S", "cas", "--expect", "oversold"], "expected a comparison"),
        (&["race", "-S", "cas", "--format", "jsn"], "json"),
        (&["race", "-S", "cas", "--output", "/no/such/folder/x"], "its folder does not exist"),
        (&["rcae"], "race"),
        (&["man", "rce"], "did you mean `race`?"),
    ] {
        let (code, out, err) = ran(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.starts_with("error: "), "{err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn a_report_in_a_file_is_whole_and_leaves_nothing_else_behind() {
    let folder = TempDir::new().unwrap();
    let args = ["race", "-S", "cas", "--buyers", "50", "--format", "json", "-o", "report.json"];
    let (code, out, _) = seen(run(folder.path(), &args));
    assert_eq!((code, out.as_str()), (0, ""));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("report.json")).unwrap())
            .unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["runs"][0]["figures"]["winners"], 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_race_leaves_the_old_report_as_it_was() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("report.txt"), "old").unwrap();
    // More threads than fit into 1 GB of addresses.
    let script = format!(
        "ulimit -v 1000000; exec {} race -S cas --buyers 100000 -o report.txt",
        cargo_bin("oversell-sim").display()
    );
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let (code, _, err) = seen(output);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("of 100,000 threads") && err.contains("--threads "), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("report.txt")).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn more_threads_than_a_process_can_have_are_refused_and_not_tried() {
    let (code, out, err) = ran(&["race", "-S", "cas", "--buyers", "1M"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("of 1,000,000 threads") && err.contains("--threads "), "{err}");
}

#[cfg(unix)]
#[test]
fn a_report_is_written_through_a_link_and_keeps_its_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = TempDir::new().unwrap();
    let (target, link) = (folder.path().join("target"), folder.path().join("link"));
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("target", &link).unwrap();
    let (code, ..) = seen(run(folder.path(), &["race", "-S", "cas", "-q", "-o", "link"]));
    assert_eq!(code, 0);
    assert!(fs::read_to_string(&target).unwrap().contains("SAFE SO FAR"));
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(link.is_symlink());
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = Command::new(cargo_bin("oversell-sim"))
        .args(["race", "-S", "cas,optimistic", "--buyers", "50", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_race_with_a_report_of_what_was_done() {
    let folder = TempDir::new().unwrap();
    let scenario = |name: &str, rounds| {
        let text =
            format!("strategy = \"cas\"\nbuyers = 20\nrounds = {rounds}\n[expect]\noversold = 0\n");
        fs::write(folder.path().join(name), text).unwrap();
    };
    scenario("a.toml", 1);
    scenario("b.toml", 1_000_000);
    let mut child = Command::new(cargo_bin("oversell-sim"))
        .args(["check", "a.toml", "b.toml"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // The first scenario's line says that the second has begun.
    out.read_line(&mut line).unwrap();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    out.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(line.contains(" CUT   b.toml"), "{line}");
    assert!(line.contains("2 scenarios: 1 ok, 1 cut short"), "{line}");
}

#[test]
fn check_says_a_line_each_and_why_it_fell_short() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "a-good.toml",
        "title = \"good\"\nstrategy = \"cas\"\nbuyers = 50\n[expect]\nwinners = 1\n",
    );
    write("b-short.toml", "strategy = \"naive\"\nrounds = 20\n[expect]\noversold = 0\n");
    let (code, out, err) = seen(run(folder.path(), &["check", ".", "--junit", "out.xml"]));
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains(" ok    ./a-good.toml   good\n"), "{out}");
    assert!(out.contains("naive: expected oversold = 0, but it was "), "{out}");
    assert!(out.contains("2 scenarios: 1 ok, 1 fell short"), "{out}");
    let junit = fs::read_to_string(folder.path().join("out.xml")).unwrap();
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"1\""), "{junit}");

    write("c-wrong.toml", "strategy = \"cas\"\n\n\nbuyer = 1000\n[expect]\nwinners = 1\n");
    let (code, _, err) = seen(run(folder.path(), &["check", "."]));
    assert_eq!(code, 2);
    let excerpt = "./c-wrong.toml:4:1: unknown key `buyer`; did you mean `buyers`?\n  \
                   4 | buyer = 1000\n    | ^^^^^\n";
    assert_eq!(err, format!("error: {excerpt}"));
}

#[test]
fn the_file_of_a_checkout_or_an_application_is_no_scenario_and_the_error_names_the_flag() {
    let folder = TempDir::new().unwrap();
    for (kind, file, hint) in [
        ("sql", "checkout.toml", "`check --checkout FILE`"),
        ("app", "shop.toml", "`doctor --app FILE`"),
    ] {
        assert_eq!(seen(run(folder.path(), &["init", kind, kind])).0, 0);
        let (code, _, err) = seen(run(folder.path(), &["check", &format!("{kind}/{file}")]));
        assert_eq!(code, 2, "{err}");
        let line = err.lines().next().unwrap();
        assert!(line.contains("read as a scenario") && line.contains(hint), "{err}");
    }
    let text = "strategy = \"cas\"\nsteps = 3\n[expect]\nwinners = 1\n";
    fs::write(folder.path().join("slip.toml"), text).unwrap();
    let (_, _, err) = seen(run(folder.path(), &["check", "slip.toml"]));
    assert!(err.contains("unknown key `steps`"), "{err}");
}

#[test]
fn a_scenario_that_is_not_there_is_exit_2_and_the_others_are_run_all_the_same() {
    let (code, out, err) = ran(&["check", "/no/such/file.toml", "scenarios/last-unit.toml"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: cannot read the scenario /no/such/file.toml"), "{err}");
    assert!(out.contains("2 scenarios: 1 ok, 1 could not be run"), "{out}");
}

#[test]
fn the_scenarios_that_are_shipped_all_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, err) = seen(run(folder, &["check", "scenarios"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.matches(" ok ").count(), out.matches(".toml").count(), "{out}");
}

#[test]
fn strategies_completions_and_manual_pages_are_printed() {
    let (code, out, _) = ran(&["strategies"]);
    assert_eq!(code, 0);
    for words in ["pessimistic", "mutex", "compare-and-set", "shows false sold-out"] {
        assert!(out.contains(words), "{out}");
    }
    for page in [&["man"][..], &["man", "race"]] {
        let (code, out, _) = ran(page);
        assert!(code == 0 && out.contains(".TH oversell"), "{out}");
    }
}

#[test]
fn every_command_has_a_manual_page_and_one_step_in_an_empty_folder_writes_all_of_them() {
    let folder = TempDir::new().unwrap();
    let (code, out, err) = seen(run(folder.path(), &["man", "--all", "man/man1"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let (_, help, _) = ran(&["--help"]);
    let (_, after) = help.split_once("Commands:\n").unwrap();
    let (listed, _) = after.split_once("\n\n").unwrap();
    let commands = listed.lines().filter(|line| !line.starts_with("   "));
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() > 15 && commands.contains(&"race"), "{commands:?}");
    let pages = folder.path().join("man/man1");
    for command in commands.iter().filter(|command| **command != "help") {
        let page = fs::read_to_string(pages.join(format!("oversell-sim-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(command), "{command}: {page}");
        let title = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
        assert!(title.replace('\\', "").contains("\"oversell-sim 0."), "{command}: {title}");
    }
    let page = fs::read_to_string(pages.join("oversell-sim.1")).unwrap();
    let named: Vec<&str> = page.lines().filter_map(|line| line.strip_suffix("(1)")).collect();
    assert_eq!(named.len(), commands.len() - 1, "{named:?}");
    for name in named {
        let name = name.replace('\\', "");
        assert!(pages.join(format!("{name}.1")).is_file(), "{name} is named, and has no page");
    }
    assert_eq!(fs::read_dir(pages).unwrap().count(), commands.len());
    let (code, _, err) = seen(run(folder.path(), &["man", "race", "--all", "pages"]));
    assert_eq!(code, 2, "{err}");
}

#[test]
fn completions_and_manual_pages_have_their_step_in_the_guide() {
    let guide = crate::docs::read("docs/how-to/install.md");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(guide.contains(&format!("oversell-sim completions {shell}")), "{shell}");
    }
    assert!(guide.contains("oversell-sim man --all "));
}

#[test]
fn colour_comes_when_asked_for() {
    let (_, out, _) = ran(&["--color", "always", "race", "-S", "cas", "--buyers", "20"]);
    assert!(out.contains("\u{1b}["), "{out}");
}

#[test]
fn explore_proves_breaks_and_sets_the_exit_code() {
    let (code, out, _) =
        ran(&["explore", "-S", "cas", "--buyers", "60", "--expect", "evidence = proved"]);
    assert_eq!(code, 0);
    assert!(out.contains("PROVED") && out.contains("1,891 states"), "{out}");
    let (code, out, err) =
        ran(&["explore", "-S", "naive", "--seed", "1", "--expect", "oversold = 0"]);
    assert_eq!((code, err.as_str()), (1, "expected oversold = 0, but it was 1\n"));
    assert!(out.contains("BROKEN") && out.contains("--schedule ABAB"), "{out}");
    let (code, out, _) =
        ran(&["explore", "-S", "cas", "--buyers", "any", "--expect", "evidence = proved"]);
    assert_eq!(code, 0);
    assert!(out.contains("any number of buyers: 4 markings of 4 kinds"), "{out}");
    let (code, out, _) = ran(&["replay", "-S", "naive", "--schedule", "ABAB"]);
    assert_eq!(code, 0);
    assert!(out.contains("2 units promised, 1 in stock"), "{out}");
}

#[test]
fn explore_replay_and_play_say_what_is_wrong_with_their_input() {
    for (args, words) in [
        (&["explore", "-S", "nave"][..], "did you mean `naive`?"),
        (&["explore", "-S", "cas", "--buyers", "100k"], "65535 at most"),
        (&["explore", "-S", "cas", "--buyers", "many"], "--buyers"),
        (
            &["explore", "-S", "cas", "--buyers", "any", "--qty", "1..2", "-s", "3"],
            "`qty` must be one",
        ),
        (&["play", "-S", "cas", "--buyers", "any"], "only explore takes any"),
        (
            &["explore", "-S", "cas", "--expect", "winners = 1"],
            "expect evidence, findings, failed, resolved_deadlocks or one of",
        ),
        (
            &["replay", "-S", "naive", "--schedule", "ABC"],
            "step 3 is C's, but there is no buyer of that name",
        ),
        (&["replay", "-S", "naive", "--schedule", "AAA"], "step 3 is A's, but it has left by then"),
        (
            &["replay", "-S", "pessimistic", "--schedule", "AB"],
            "step 2 is B's, but it has to wait then",
        ),
        (&["replay", "-S", "naive", "--schedule", "A%"], "expected a buyer"),
        (&["replay", "-S", "naive", "--schedule", "A!"], "which cannot happen then"),
        (&["race", "-S", "hold"], "race it on sqlite"),
        (&["race", "-S", "webhook"], "explore it instead"),
        (&["race", "-S", "cas", "--crashes", "1"], "--crashes"),
        (&["explore", "-S", "hold", "--crashes", "21"], "--crashes"),
        (&["explore", "-S", "transaction", "--isolation", "snapshot"], "no isolation level"),
        (&["explore", "-S", "hold", "--buyers", "any"], "needs a number of buyers"),
        (
            &["replay", "-S", "naive", "--schedule-file", "/no/such"],
            "cannot read the schedule /no/such",
        ),
        (&["explore"], "name the checkout, such as --strategy naive"),
        (&["play"], "name the checkout"),
        (&["replay", "-S", "naive"], "--schedule"),
        (
            &["explore", "-S", "cas", "--buyers", "any", "--graph", "g.json"],
            "--graph: needs a number",
        ),
        (&["explore", "-S", "cas", "--random", "--no-reduce"], "cannot be used with"),
        (&["explore", "-S", "cas", "--random=dice"], "pct, plain"),
        (&["explore", "-S", "cas", "--schedules", "5"], "--random"),
        (&["explore", "-S", "cas", "--jobs", "0"], "--jobs"),
        (&["explore", "-S", "cas", "--max-time", "5"], "--max-time"),
        (
            &["explore", "-S", "cas", "--cart", "2", "--items", "2"],
            "cas sells one product at a time",
        ),
        (&["explore", "-S", "cart-order", "--cart", "3", "--items", "2"], "`items` is only 2"),
    ] {
        let (code, out, err) = ran(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?} {err}");
        assert!(err.contains(words), "{args:?}: {err}");
    }
}

#[test]
fn a_search_that_is_cut_short_says_so_and_leaves_no_half_drawing() {
    let folder = TempDir::new().unwrap();
    let search = ["explore", "-S", "cas", "--buyers", "25", "--stock", "12"];
    for limit in [["--max-states", "1000"], ["--max-memory", "1M"], ["--max-time", "100ms"]] {
        let (code, out, _) = ran(&[&search[..], &limit].concat());
        assert_eq!(code, 0);
        assert!(out.contains("not complete, so not a proof") && !out.contains("PROVED"), "{out}");
    }
    let drawn = [&search[..], &["--max-states", "1000", "--graph", "g.json"]].concat();
    let (code, out, err) = seen(run(folder.path(), &drawn));
    assert_eq!(code, 2);
    assert!(out.contains("not complete, so not a proof"), "the report is there: {out}");
    assert!(err.contains("draw a smaller shop, such as --buyers 12"), "{err}");
    let both = ["explore", "-S", "naive", "--graph", "g.json", "--record", "g.json"];
    assert_eq!(seen(run(folder.path(), &both)).0, 2, "one file cannot be two");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let (code, ..) = seen(run(folder.path(), &["explore", "-S", "naive", "--graph", "g.json"]));
    assert_eq!(code, 0);
    let drawn = fs::read_to_string(folder.path().join("g.json")).unwrap();
    let drawn: serde_json::Value = serde_json::from_str(&drawn).unwrap();
    assert_eq!(drawn["states"].as_array().unwrap().len(), 7);
}

#[test]
fn what_explore_records_replays_unless_a_flag_says_otherwise() {
    let folder = TempDir::new().unwrap();
    let in_folder = |args: &[&str]| seen(run(folder.path(), args));
    let found = ["explore", "-S", "naive", "-b", "3", "--seed", "5", "--record", "sale.toml"];
    assert_eq!(in_folder(&found).0, 0);
    let replay = ["replay", "--schedule-file", "sale.toml"];
    let (code, out, err) = in_folder(&replay);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("2 units promised, 1 in stock") && out.contains("--buyers 3"), "{out}");
    for (more, words) in [
        (["--buyers", "2"], "the schedule was recorded with --buyers 3; leave the flag out"),
        (["--strategy", "cas"], "the schedule was recorded of naive"),
    ] {
        let (code, out, err) = in_folder(&[&replay[..], &more].concat());
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(words), "{err}");
    }
    let (code, _, err) = in_folder(&["explore", "-S", "cas", "--record", "none.toml"]);
    assert_eq!(code, 0);
    assert!(err.contains("nothing was found"), "{err}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the recording is there");
}

#[test]
fn dice_and_one_by_one_are_flags_too() {
    let random =
        ["explore", "-S", "cas", "-b", "30", "--random", "--schedules", "200", "--seed", "1"];
    let (code, out, _) = ran(&random);
    assert_eq!(code, 0);
    assert!(out.contains("not seen in 200 schedules of 30 buyers and 1 unit"), "{out}");
    assert!(out.contains("PCT of depth 2") && out.contains("chance of at least"), "{out}");
    let (_, out, _) = ran(&["explore", "-S", "naive", "--no-reduce", "--find", "all"]);
    // Both read first, in either order, then write and order interleave: 2 · 4! / (2! 2!) = 12. Or one
    // writes before the other reads 0 and leaves, before or after the first one's order: 2 · 2.
    assert!(out.contains("every interleaving of 2 buyers, one by one: 16,"), "{out}");
}

/// What `play` says to these lines.
fn played(strategy: &str, lines: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new(cargo_bin("oversell-sim"))
        .args(["play", "-S", strategy])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    seen(child.wait_with_output().unwrap()).1
}

#[test]
fn play_can_be_won_lost_taken_back_and_left() {
    assert!(
        played("naive", "a\nb\na\nb\n")
            .contains("Broken: 2 units promised, 1 in stock. No way is shorter.")
    );
    let longer = played("naive", "a\nundo\nhint\nAA\nreset\nA\nB\nBA\n");
    assert!(longer.contains("A next: it can be broken in 4 steps"), "{longer}");
    assert!(longer.contains("No way is shorter."), "{longer}");
    let lost = played("naive", "aab\n");
    assert!(lost.contains("all buyers have left and nothing is broken: undo or reset"), "{lost}");
    assert!(lost.contains("Not broken this time, but it can be, in 4 steps."), "{lost}");
    assert!(played("cas", "ab\nhint\nquit\n").contains("nothing goes wrong from here"));
    assert!(
        played("naive", "c\n7\nundo\n")
            .contains("C cannot come next: there is no buyer of that name")
    );
}

#[test]
fn a_buyer_has_one_name_wherever_a_schedule_or_a_story_names_it() {
    let told = |args: &[&str]| ran(args).1;
    let crowd = ["--buyers", "3", "--stock", "2", "--qty", "1..2", "--seed", "2"];
    let searched = told(&[&["explore", "-S", "decrement-first"][..], &crowd].concat());
    assert!(searched.contains("C wanted 1 unit and was told"), "{searched}");
    let replayed = ["replay", "-S", "charge-again", "--lost-answers", "1", "--schedule", "BAB?B"];
    let replayed = told(&replayed);
    assert!(replayed.contains(" double charge   B paid more than once"), "{replayed}");
    let several = [
        "simulate",
        concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/acknowledge-leader.toml"),
        "--buyers",
        "12",
        "--stock",
        "3",
    ];
    let simulated = told(&several);
    assert!(simulated.contains(" A clicks \"") && simulated.contains("\n Winners"), "{simulated}");
    for told in [&searched, &replayed, &simulated] {
        assert!(!told.contains("buyer 0") && !told.contains("buyer 1"), "{told}");
        assert!(!told.contains("buyer 2"), "{told}");
    }
}

#[test]
fn play_explains_its_keys_and_help_is_no_buyer() {
    let text = played("naive", "help\n?\nquit\n");
    assert_eq!(text.matches("the server that works for A dies (--crashes)").count(), 2, "{text}");
    assert!(!text.contains("there is no buyer of that name"), "{text}");
    let slip = played("naive", "udno\nquit\n");
    assert!(slip.contains("no command is named `udno`; did you mean `undo`?"), "{slip}");
}

#[test]
fn simulate_says_why_it_tells_no_story_and_its_command_tells_one() {
    let crowd = ["simulate", "scenarios/first-packet.toml", "--buyers", "400", "--seed", "3"];
    let several = ["simulate", "scenarios/last-iphone.toml", "--seeds", "2"];
    for (args, why) in [
        (&crowd[..], "400 buyers come, and a story is of 12 at most"),
        (&several, "2 seeds are simulated, and a story is of one"),
    ] {
        let (code, out, _) = ran(args);
        assert_eq!(code, 0, "{out}");
        assert!(out.contains(why), "{out}");
        let (_, command) = out.split_once(" to have one     oversell-sim ").unwrap();
        let words: Vec<&str> = command.lines().next().unwrap().split(' ').collect();
        let (code, out, err) = ran(&words);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("   A clicks \"") && !out.contains("no story"), "{out}");
    }
    for quiet in [&["--quiet"][..], &["--format", "json"]] {
        assert!(!ran(&[&crowd[..], quiet].concat()).1.contains("no story"));
    }
}

/// What the build script says of the version, in a folder, with this profile.
fn built_version(folder: &Path, profile: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = folder.join("target/build");
    if !script.exists() {
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        let mut rustc = Command::new("rustc");
        let built = rustc.args(["--edition", "2024", "-o"]).arg(&script).arg(root.join("build.rs"));
        assert!(built.status().unwrap().success());
    }
    let mut script = Command::new(script);
    script.current_dir(folder).env("CARGO_PKG_VERSION", "1.2.3").env("PROFILE", profile);
    let said = String::from_utf8(script.output().unwrap().stdout).unwrap();
    let version =
        said.lines().find_map(|line| line.strip_prefix("cargo:rustc-env=OVERSELL_SIM_VERSION="));
    version.unwrap().to_owned()
}

#[test]
fn a_release_names_the_commit_that_was_built_and_no_commit_of_another_repository() {
    let folder = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=me", "-c", "user.email=me@localhost"]).args(words);
        git.env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z").current_dir(folder.path());
        String::from_utf8(git.output().unwrap().stdout).unwrap().trim().to_owned()
    };
    if Command::new("git").arg("--version").output().is_err() {
        return miss_program("git");
    }
    assert_eq!(built_version(folder.path(), "release"), "1.2.3");
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "a commit"]);
    let commit = git(&["rev-parse", "--short=9", "HEAD"]);
    assert_eq!(commit.len(), 9);
    assert_eq!(built_version(folder.path(), "release"), format!("1.2.3 ({commit} 2026-01-02)"));
    assert_eq!(built_version(folder.path(), "debug"), "1.2.3");
    // A packaged crate that is unpacked within a repository is another's.
    let unpacked = folder.path().join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    assert_eq!(built_version(&unpacked, "release"), "1.2.3");
    let noted = "{\n  \"git\": {\n    \"sha1\": \"0123456789abcdef0123456789abcdef01234567\"\n  },\n  \"path_in_vcs\": \"\"\n}";
    fs::write(unpacked.join(".cargo_vcs_info.json"), noted).unwrap();
    assert_eq!(built_version(&unpacked, "release"), "1.2.3 (012345678)");
}

#[test]
fn the_version_is_told() {
    let output = Command::new(cargo_bin("oversell-sim")).arg("--version").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = concat!("oversell-sim ", env!("CARGO_PKG_VERSION"));
    assert!(said.starts_with(expected), "{said}");
}
