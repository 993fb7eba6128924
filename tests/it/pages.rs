//! Reports as pages: what is in them, and what a reader can do with them in a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::strategies::every_strategy;
use serde_json::Value;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::listed::has;
use crate::shops::place;

/// The largest that a page may be without its data, in bytes.
const LARGEST: usize = 300_000;

/// Writes a page with these arguments, and says where it is.
fn page(folder: &TempDir, name: &str, args: &[&str]) -> PathBuf {
    let file = folder.path().join(name);
    let output = Command::new(cargo_bin("oversell-sim"))
        .args(args)
        .args(["--format", "html", "--output"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    file
}

/// The graph that a page embeds.
fn graph_of(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"id="graph">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The pages that are looked at in a browser.
fn pages(folder: &TempDir) -> Vec<PathBuf> {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/last-iphone.toml");
    let grid =
        ["sweep", "-S", "cas,naive", "--buyers", "2,5,20", "--stock", "1,2", "--rounds", "2"];
    let all: [(&str, &[&str]); 10] = [
        ("naive.html", &["explore", "--strategy", "naive"]),
        ("hold.html", &["explore", "--strategy", "lease"]),
        ("sqlite.html", &["explore", "--strategy", "naive", "--store", "sqlite"]),
        ("race.html", &["race", "--strategy", "cas,pessimistic", "--buyers", "200"]),
        ("story.html", &["simulate", scenario, "--seed", "1"]),
        ("any.html", &["explore", "--strategy", "naive", "--buyers", "any"]),
        (
            "compare.html",
            &["compare", "-S", "cas,conditional,naive", "--buyers", "50", "--rounds", "6"],
        ),
        ("sweep.html", &grid),
        ("check.html", &["check", scenario]),
        ("survey.html", &["survey", "--strategy", "naive,cas", "--store", "sqlite"]),
    ];
    all.iter().map(|(name, args)| page(folder, name, args)).collect()
}

#[test]
fn a_page_is_one_file_that_names_nothing_on_a_network() {
    let folder = TempDir::new().unwrap();
    for file in pages(&folder) {
        let text = fs::read_to_string(&file).unwrap();
        let without_data = match text.split_once(r#"id="graph">"#) {
            Some((before, rest)) => before.len() + rest.split_once("</script>").unwrap().1.len(),
            None => text.len(),
        };
        assert!(without_data <= LARGEST, "{}: {without_data} bytes", file.display());
        for sign in [" src=", "@import", "url(http", "<link"] {
            assert!(!text.contains(sign), "{}: {sign}", file.display());
        }
    }
}

#[test]
fn a_page_embeds_as_many_schedules_as_the_search_counts_and_as_many_verdicts() {
    let folder = TempDir::new().unwrap();
    let mut counted = 0;
    for strategy in every_strategy() {
        let name = strategy.card().name;
        let args = ["explore", "--strategy", name, "--buyers", "2", "--find", "all"];
        let file = page(&folder, "page.html", &args);
        let graph = graph_of(&fs::read_to_string(file).unwrap());
        let output = Command::new(cargo_bin("oversell-sim"))
            .args(args)
            .args(["--format", "json"])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let is_cut = graph["cut"].as_bool().unwrap();
        let states = graph["states"].as_array().unwrap();
        let finds = states.iter().any(|state| !state["findings"].as_array().unwrap().is_empty());
        let is_broken = report["evidence"] == "broken";
        if !is_cut {
            // A schedule without end is no state.
            let is_endless = report["findings"]
                .as_array()
                .unwrap()
                .iter()
                .any(|told| told["kind"] == "livelock");
            assert!(finds == is_broken || is_endless, "{name}: {finds}, {is_broken}");
        }
        let futures = &states[0]["futures"];
        let Some(log10) = report["covered"]["interleavings"]["log10"].as_f64() else { continue };
        if is_cut {
            assert!(futures.is_null(), "{name}: what is cut is not counted");
            continue;
        }
        counted += 1;
        let all = futures["all"].as_f64().unwrap();
        assert!((all.log10() - log10).abs() < 1e-9, "{name}: {all}, 10^{log10}");
        assert_eq!(futures["broken"].as_f64().unwrap() > 0.0, is_broken, "{name}");
    }
    assert!(counted >= 12, "{counted}");
}

#[test]
fn the_page_of_the_naive_checkout_counts_four_broken_schedules_of_six() {
    let folder = TempDir::new().unwrap();
    let file = page(&folder, "page.html", &["explore", "--strategy", "naive"]);
    let graph = graph_of(&fs::read_to_string(file).unwrap());
    // Two reads and two writes: six orders, of which AABB and BBAA are right.
    let futures = &graph["states"][0]["futures"];
    assert_eq!((futures["all"].as_f64(), futures["broken"].as_f64()), (Some(6.0), Some(4.0)));
}

#[test]
fn a_page_of_a_server_holds_the_orders_that_were_run() {
    let folder = TempDir::new().unwrap();
    let args = ["explore", "--strategy", "naive", "--store", "sqlite", "--find", "all"];
    let file = page(&folder, "page.html", &args);
    let graph = graph_of(&fs::read_to_string(file).unwrap());
    let output = Command::new(cargo_bin("oversell-sim"))
        .args(args)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let futures = &graph["states"][0]["futures"];
    // The orders that come first to find bugs early may be run again.
    let orders = &report["orders"];
    let [all, run, likely] =
        [&futures["all"], &orders["run"], &orders["likely"]].map(|number| number.as_f64().unwrap());
    assert!((run - likely..=run).contains(&all), "{all}: {orders}");
    let [broken, of_all] =
        [&futures["broken"], &orders["broken"]].map(|number| number.as_f64().unwrap());
    assert!((of_all - likely..=of_all).contains(&broken), "{broken}: {orders}");
    assert_eq!(graph["source"], "orders");
}

#[test]
fn the_page_of_a_simulation_without_a_story_says_why() {
    let folder = TempDir::new().unwrap();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/last-iphone.toml");
    let told = |name: &str, seeds: &str| {
        let args = ["simulate", scenario, "--seed", "1", "--seeds", seeds];
        fs::read_to_string(page(&folder, name, &args)).unwrap()
    };
    assert!(told("several.html", "3").contains("3 seeds are simulated, and a story is of one"));
    assert!(!told("one.html", "1").contains("no story"));
}

#[test]
fn a_page_of_random_orders_holds_each_that_was_run_once() {
    let folder = TempDir::new().unwrap();
    let args = [
        "explore",
        "-S",
        "naive",
        "--store",
        "sqlite",
        "--random",
        "--schedules",
        "60",
        "--seed",
        "1",
    ];
    let text = fs::read_to_string(page(&folder, "random.html", &args)).unwrap();
    let graph = graph_of(&text);
    assert_eq!((&graph["source"], &graph["cut"]), (&Value::from("orders"), &Value::from(false)));
    // Two reads, and two writes that each order its buyer's unit: six orders at most, of which AABB and BBAA are right.
    let futures = &graph["states"][0]["futures"];
    let (all, broken) = (futures["all"].as_f64().unwrap(), futures["broken"].as_f64().unwrap());
    assert!(broken >= 1.0 && broken < all && all < 60.0, "{futures}");
}

#[test]
fn the_unit_is_sold_twice_by_clicks_and_by_keys_and_a_link_leads_there() {
    let Some(browser) = Browser::start() else { return };
    let folder = TempDir::new().unwrap();
    let file = page(&folder, "naive.html", &["explore", "--strategy", "naive"]);
    browser.open(&file, "");
    assert!(
        browser
            .text("#futures")
            .contains("Of 6 ways to go on from here, something goes wrong in 4")
    );
    for buyer in ["A", "B", "A", "B"] {
        browser.click(&format!("button[data-choice={buyer}]"));
    }
    is_broken_in_four(&browser);
    browser.click("#undo");
    assert_eq!(browser.run("return location.hash"), "#ABA");
    assert!(browser.text("#news").is_empty(), "{}", browser.text("#news"));
    browser.open(&file, "");
    browser.press("abab");
    is_broken_in_four(&browser);
    browser.open(&file, "#AAB");
    assert!(browser.text("#news").contains("nothing is broken"));
    browser.open(&file, "#ABAB");
    is_broken_in_four(&browser);
    assert_eq!(browser.console(), [""; 0]);
}

/// The page says that the unit was sold twice, in four steps, and that no way is shorter.
fn is_broken_in_four(browser: &Browser) {
    let news = browser.text("#news");
    assert!(
        news.contains("2 units promised, 1 in stock") && news.contains("No way is shorter"),
        "{news}"
    );
    assert_eq!(browser.run("return location.hash"), "#ABAB");
    assert_eq!(browser.run("return document.querySelectorAll('#history tbody tr').length"), 4);
}

#[test]
fn hints_lead_a_reader_to_the_double_sale() {
    let Some(browser) = Browser::start() else { return };
    let folder = TempDir::new().unwrap();
    let file = page(&folder, "naive.html", &["explore", "--strategy", "naive", "--buyers", "3"]);
    browser.open(&file, "");
    for _ in 0..4 {
        browser.click("#hint");
        let hint = browser.text("#news");
        let next = hint.split_once(" next").unwrap().0.to_owned();
        browser.press(&next.to_lowercase());
    }
    assert!(browser.text("#news").starts_with("Broken!"), "{}", browser.text("#news"));
}

#[test]
fn pages_say_nothing_on_the_console_and_pass_the_checks_of_accessibility_in_both_themes() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = place("browser") else { return };
    let axe = fs::read_to_string(axe.modules.join("axe-core/axe.min.js")).unwrap();
    let folder = TempDir::new().unwrap();
    for file in pages(&folder) {
        for theme in ["light", "dark"] {
            browser.prefer(theme);
            browser.open(&file, "#AB");
            assert_eq!(browser.console(), [""; 0], "{}", file.display());
            browser.run(&axe);
            let found = browser.run_until_done(
                "const done = arguments[arguments.length - 1];
                 axe.run().then((found) => done(found.violations.map(
                     (one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`)));",
            );
            assert_eq!(found, Value::Array(Vec::new()), "{}, {theme}", file.display());
        }
    }
}

#[test]
fn what_a_page_draws_is_there() {
    let Some(browser) = Browser::start() else { return };
    let folder = TempDir::new().unwrap();
    let all = pages(&folder);
    let count = |file: &Path, selector: &str| {
        browser.open(file, "");
        let script = format!("return document.querySelectorAll({selector:?}).length");
        browser.run(&script).as_u64().unwrap()
    };
    let [naive, _, sqlite, race, story, _, compare, sweep, check, survey] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(count(naive, ".lanes .mark.reads"), 2);
    assert_eq!(count(naive, ".collisions svg path[marker-end]"), 2, "two arrows join three steps");
    assert!(count(sqlite, ".lanes .mark.writes") >= 2);
    // A write locks the whole database of SQLite: that it is the stock which collides is not known there.
    assert_eq!(count(sqlite, ".collisions svg path[marker-end]"), 0);
    if has(StoreKind::Postgres) {
        let args = ["explore", "--strategy", "naive", "--store", "postgres"];
        let postgres = page(&folder, "postgres.html", &args);
        assert_eq!(count(&postgres, ".collisions svg path[marker-end]"), 2);
        let own = folder.path().join("own");
        let own = own.to_str().unwrap();
        let made = Command::new(cargo_bin("oversell-sim"))
            .args(["init", "sql", own, "--store", "postgres"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let args = ["explore", "--checkout", &format!("{own}/checkout.toml")];
        let own = page(&folder, "own.html", &args);
        assert_eq!(count(&own, ".collisions svg path[marker-end]"), 2, "both name one row");
    }
    assert!(count(race, "svg.plot .bar-mark") >= 2);
    assert_eq!(count(race, "svg.plot:not(.gantt)"), 8, "four plots for each of two strategies");
    assert_eq!(count(race, "svg.gantt .waits"), 1, "the longest wait, of the strategy with a lock");
    assert!(
        count(race, "svg.gantt .holds") >= 2,
        "who held the lock meanwhile, and then the waiter"
    );
    assert!(count(story, "svg.map .message") > 10);
    assert_eq!(count(story, "svg.map .hold"), 1, "one buyer has the unit on hold");
    assert_eq!(count(compare, "svg.boxes circle"), 3 * 6, "six rounds of three contenders");
    assert_eq!(count(sweep, "svg.plot .series"), 2 * 2 * 2, "two figures, stocks and strategies");
    assert_eq!(count(check, "details pre"), 1);
    assert_eq!(count(survey, "table.survey .bad"), 2, "naive, in the model and on SQLite");
}

#[test]
fn pages_fit_a_phone() {
    let Some(browser) = Browser::start() else { return };
    let folder = TempDir::new().unwrap();
    browser.resize(380);
    for file in pages(&folder) {
        browser.open(&file, "");
        let width = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= 380, "{}: {width} wide", file.display());
    }
}
