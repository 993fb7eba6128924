//! Scenarios that explore, and scenarios of checkouts and applications that are described in files.

use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::{Evidence, Scenario, ScenarioReport};
use tempfile::TempDir;

/// A checkout in SQLite that takes if enough is left; with `look`, it looks first and takes what it saw.
fn checkout(look: bool) -> String {
    let steps = match look {
        true => {
            "[[step]]\nsql = \"SELECT stock FROM product WHERE id = :item\"\nsave = \"stock\"\n\
             sold_out_if = \"stock < qty\"\n\
             [[step]]\nsql = \"UPDATE product SET stock = :stock - :qty WHERE id = :item\"\n"
        }
        false => {
            "[[step]]\nsql = \"UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty\"\n\
             sold_out_if = \"rows = 0\"\n"
        }
    };
    format!(
        "store = \"sqlite\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\n{steps}\
         [[step]]\nsql = \"INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)\"\n\
         [audit]\nstock = \"SELECT id, stock FROM product\"\n\
         orders = \"SELECT buyer, product, qty FROM purchase\"\n"
    )
}

/// A folder with both checkouts in `shop/`, and a scenario.
fn folder(scenario: &str) -> TempDir {
    let here = TempDir::new().unwrap();
    let shop = here.path().join("shop");
    fs::create_dir(&shop).unwrap();
    for (name, text) in [
        ("safe.toml", checkout(false)),
        ("naive.toml", checkout(true)),
        (
            "schema.sql",
            "CREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL);\n\
             CREATE TABLE purchase (buyer INTEGER, product INTEGER, qty INTEGER);\n"
                .to_owned(),
        ),
        ("seed.sql", "INSERT INTO product (id, stock) VALUES (1, 1);\n".to_owned()),
    ] {
        fs::write(shop.join(name), text).unwrap();
    }
    fs::write(here.path().join("it.toml"), scenario).unwrap();
    here
}

/// What `check` says of a scenario, and its exit code.
fn checked(here: &Path, more: &[&str]) -> (i32, String) {
    let output = Command::new(cargo_bin("oversell-sim"))
        .args(["check", "it.toml"])
        .args(more)
        .current_dir(here)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_checkout_of_ones_own_is_explored_from_a_scenario() {
    let safe = "run = \"explore\"\ncheckout = \"shop/safe.toml\"\nbuyers = 3\n\
                [expect]\nevidence = \"proved\"\n";
    let (code, said) = checked(folder(safe).path(), &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(" ok    it.toml  shop/safe.toml"), "{said}");
    let naive = safe.replace("safe.toml", "naive.toml");
    let (code, said) = checked(folder(&naive).path(), &[]);
    assert_eq!(code, 1, "{said}");
    for words in [
        " SHORT it.toml  shop/naive.toml",
        "shop/naive.toml: expected evidence = proved, but it was broken",
        "again: oversell-sim replay --checkout shop/naive.toml --buyers 3 --schedule ",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_checkout_of_ones_own_is_raced_from_a_scenario_in_any_folder() {
    let scenario = "checkout = \"shop/safe.toml\"\nbuyers = 20\n[expect]\nwinners = 1\n";
    let here = folder(scenario);
    let (code, said) = checked(here.path(), &["--allow-incomplete"]);
    assert_eq!(code, 0, "{said}");
    // The path is relative to the scenario, not to where the program runs.
    let scenario = Scenario::read(&here.path().join("it.toml")).unwrap();
    let ScenarioReport::Raced(report) = scenario.run().unwrap() else { panic!("a race") };
    assert_eq!(report.runs[0].figures.winners, 1);
    assert_eq!(report.store, "sqlite");
}

#[test]
fn each_strategy_is_explored_with_what_its_claim_is_about() {
    let scenario = Scenario::parse(
        "any.toml",
        "run = \"explore\"\nstrategy = [\"cas\", \"webhook\"]\n[expect]\nevidence = \"proved\"\n",
    )
    .unwrap();
    let ScenarioReport::Explored(searches) = scenario.run().unwrap() else { panic!("a search") };
    let [cas, webhook] = &searches.reports[..] else { panic!("{searches:?}") };
    assert_eq!(cas.exploration.evidence, Evidence::Proved);
    assert_eq!(cas.exploration.buyers, 2, "not the thousand of a race");
    assert_eq!(cas.exploration.faults.all().filter(|(_, times)| *times > 0).count(), 0);
    assert_eq!(webhook.exploration.evidence, Evidence::Proved);
    assert!(webhook.exploration.faults.all().any(|(_, times)| times > 0));
    assert!(webhook.again.starts_with("oversell-sim explore --strategy webhook "));
}

#[test]
fn a_search_that_was_cut_short_holds_no_expectation() {
    let long = "run = \"explore\"\nstrategy = \"cas\"\nbuyers = 200\nstock = 90\nmax_time = \"50ms\"\n\
                [expect]\noversold = 0\n";
    let (code, said) = checked(folder(long).path(), &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("which proves nothing"), "{said}");
    assert!(said.contains("--max-time 50ms"), "{said}");
    let few = "run = \"explore\"\nstrategy = \"naive\"\npreemptions = 0\n[expect]\noversold = 0\n";
    assert_eq!(checked(folder(few).path(), &[]).0, 0, "one after the other");
}

#[test]
fn what_a_scenario_says_wrongly_is_told_with_its_place() {
    let expect = "\n[expect]\noversold = 0\n";
    for (text, words) in [
        (
            "run = \"exlore\"\nstrategy = \"cas\"",
            "it.toml:1:7: `run`: expected one of race, explore, simulate, not `exlore`; did you mean `explore`?",
        ),
        ("run = 3\nstrategy = \"cas\"", "it.toml:1:7: `run` must be a word in quotes"),
        (
            "run = \"simulate\"\nstrategy = \"cas\"",
            "it.toml:1:1: a simulated shop needs buyers somewhere: add a [[region]]",
        ),
        (
            "run = \"explore\"\nstrategy = \"cas\"\nseeds = 3\n[[region]]\nname = \"a\"",
            "it.toml:1:1: `run`: this is a simulated shop",
        ),
        ("run = \"explore\"\nstrategy = \"cas\"\nrounds = 5", "it.toml:3:1: `rounds` is for races"),
        ("run = \"explore\"\nstrategy = \"cas\"\nmax_tim = \"5s\"", "did you mean `max_time`?"),
        ("run = \"explore\"\nstrategy = \"cas\"\nmax_time = \"5\"", "it.toml:3:12: `max_time`: "),
        (
            "strategy = \"cas\"\npreemptions = 2",
            "it.toml:2:1: `preemptions` is for a search: add `run = \"explore\"`",
        ),
        (
            "run = \"explore\"\nstrategy = \"cas\"\nstock-check = \"true\"",
            "it.toml:3:1: `stock-check`: the model in memory has no tables",
        ),
        (
            "run = \"explore\"\nstrategy = \"hold\"\nstore = \"sqlite\"\ncrashes = 1",
            "it.toml:4:1: `crashes`: at a real server nothing goes wrong on purpose",
        ),
        (
            "run = \"explore\"\nstrategy = \"cas\"\nqty = 3",
            "it.toml:3:1: `qty` is 3, but `stock` is only 1",
        ),
        (
            "checkout = \"shop/none.toml\"",
            "it.toml:1:12: `checkout`: there is no file shop/none.toml; a path is relative",
        ),
        ("checkout = 3", "it.toml:1:12: `checkout` must be a path in quotes"),
        (
            "checkout = \"shop/safe.toml\"\nstrategy = \"cas\"",
            "it.toml:2:1: `strategy` and `checkout` are two checkouts",
        ),
        (
            "checkout = \"shop/safe.toml\"\napp = \"shop/safe.toml\"",
            "are two shops: name one of them",
        ),
        (
            "checkout = \"shop/safe.toml\"\nsame_buyer = true",
            "it.toml:2:1: `same_buyer` is for an application",
        ),
        (
            "checkout = \"shop/safe.toml\"\nunit-rows = \"true\"",
            "it.toml:2:1: `unit-rows` is about tables of ours; shop/safe.toml has its own",
        ),
        (
            "checkout = \"shop/safe.toml\"\nstock = 3",
            "it.toml:2:1: `stock`: shop/safe.toml does not ask for it",
        ),
        (
            "checkout = \"shop/safe.toml\"\nstore = \"redis\"",
            "it.toml:2:9: `store`: shop/safe.toml is written for sqlite, not redis",
        ),
        (
            "checkout = \"shop/safe.toml\"\n[[region]]\nname = \"a\"",
            "it.toml:1:1: `checkout`: a simulated shop has no checkout of its own",
        ),
        ("checkout = \"shop/schema.sql\"", "shop/schema.sql:1:"),
        ("", "add a line such as `strategy = \"cas\"`, or `checkout = \"shop.toml\"`"),
    ] {
        let here = folder(&format!("{text}{expect}"));
        let (code, said) = checked(here.path(), &[]);
        assert_eq!(code, 2, "{text}: {said}");
        assert!(said.contains(words), "{text}: {said}");
    }
    let races = "run = \"explore\"\nstrategy = \"cas\"\n[expect]\nwinners = 1\n";
    let (code, said) = checked(folder(races).path(), &[]);
    assert!(
        code == 2 && said.contains("it.toml:4:1: nothing races here, so there is no `winners`"),
        "{said}"
    );
}

#[test]
fn what_only_a_server_of_the_users_needs_is_refused_where_there_is_none() {
    let race = "strategy = \"cas\"\nbuyers = 20\n[expect]\nwinners = 1\n";
    let (code, said) = checked(folder(race).path(), &["--allow-remote"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--allow-remote: no scenario here names a checkout"), "{said}");
    let own = "run = \"explore\"\ncheckout = \"shop/safe.toml\"\n[expect]\noversold = 0\n";
    assert_eq!(checked(folder(own).path(), &["--allow-triggers"]).0, 0);
}
