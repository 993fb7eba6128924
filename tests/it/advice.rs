//! Commands that are printed: each carries every setting, is read as it was meant, runs, and comes to the verdict of the
//! line in which it stands.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::strategies::{every_strategy, find};
use oversell_sim::strategy::Claim;
use oversell_sim::unstable::command::{Command, Verb, located, quoted, without_password};
use oversell_sim::unstable::op::OpKind;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::Address;
use tempfile::TempDir;

use crate::listed::has;

/// A value of each setting that is not the usual one.
fn unusual(name: &str) -> &'static str {
    match name {
        "buyers" => "7",
        "items" => "3",
        "stock" => "5",
        "cart" => "2",
        "qty" => "2..3",
        "threads" | "rounds" | "connections" => "6",
        "think" | "patience" | "hold-ttl" | "lease-ttl" => "11ms",
        "retries" => "4",
        "backoff" => "fixed:2ms",
        "seed" => "99",
        "store" => "postgres",
        "stock-check" | "advisory-locks" | "unit-rows" | "relaxed" => "true",
        "isolation" => "serializable",
        _ => "1",
    }
}

#[test]
fn every_setting_that_is_not_as_usual_stands_in_the_command_that_takes_it() {
    let (naive, transaction) = (find("naive").unwrap(), find("transaction").unwrap());
    for verb in [Verb::Race, Verb::Explore, Verb::Replay, Verb::Play] {
        for name in Settings::NAMES {
            let mut settings = Settings::default();
            settings.set("qty", "1..2").unwrap();
            settings.set(name, unusual(name)).unwrap();
            let usual = Settings::default().value_of(name);
            assert_ne!(settings.value_of(name), usual, "say an unusual value of `{name}`");
            // A level is only taken where there are transactions.
            let strategy = if name == "isolation" { transaction } else { naive };
            let command = Command::of(verb, strategy, &settings).to_string();
            let words = shlex::split(&command).unwrap();
            let at = words.iter().position(|word| *word == format!("--{name}"));
            assert_eq!(at.is_some(), verb.takes(name), "`{name}` of {verb:?}: {command}");
            if let Some(at) = at.filter(|_| unusual(name) != "true") {
                assert_eq!(words[at + 1], unusual(name), "{command}");
            }
        }
    }
}

#[test]
fn each_command_takes_every_setting_that_is_said_of_it() {
    for (name, verb) in [
        ("race", Verb::Race),
        ("explore", Verb::Explore),
        ("replay", Verb::Replay),
        ("play", Verb::Play),
    ] {
        let help = ran(&[name, "--help"], "");
        for setting in Settings::NAMES.into_iter().filter(|setting| verb.takes(setting)) {
            assert!(help.contains(&format!("--{setting}")), "{name} does not know --{setting}");
        }
    }
}

#[test]
fn a_shell_reads_each_word_as_it_was_meant() {
    for word in ["a b", "it's", "$HOME", "*A", "-x.toml", "semi;colon", "\"q\"", "ü", "", "!!"] {
        let command = Command::new("check").flag("checkout", word).to_string();
        let words = shlex::split(&command).unwrap();
        let given = words[2..].join("=");
        assert_eq!(given, format!("--checkout={word}"), "{command}");
    }
    assert_eq!(quoted("scenarios/plain-name_1.toml"), "scenarios/plain-name_1.toml");
    assert_eq!(
        Command::new("simulate").word("-x.toml").to_string(),
        "oversell-sim simulate ./-x.toml"
    );
}

#[test]
fn a_password_is_never_printed() {
    for (url, shown) in [
        ("postgres://me:secret@localhost/shop", "postgres://me@localhost/shop"),
        ("postgres://me:se@cr/et@localhost:5432/shop", "postgres://me@localhost:5432/shop"),
        ("redis://:secret@localhost:6379", "redis://localhost:6379"),
        ("postgres://localhost/shop?user=me&password=secret", "postgres://localhost/shop?user=me"),
        ("mysql://localhost/shop?sslpassword=secret", "mysql://localhost/shop"),
        ("mysql://me@localhost/shop", "mysql://me@localhost/shop"),
        ("shelf.db", "shelf.db"),
    ] {
        assert_eq!(without_password(url), shown);
        let address = Address { url: Some(url.into()), allow_remote: true, ..Address::default() };
        let command = Command::new("race").at(&address).to_string();
        assert!(!command.contains("secret"), "{command}");
        assert_eq!(located("oversell-sim race", &address), command);
    }
}

/// What the program printed, with this as its input.
fn ran(arguments: &[&str], input: &str) -> String {
    let mut child = Process::new(cargo_bin("oversell-sim"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}{err}");
    out
}

/// The first verdict in what was printed.
fn verdict(printed: &str) -> &'static str {
    let words = ["BROKEN", "PROVED", "SAFE SO FAR", "PROVES NOTHING"];
    let of = |line: &str| words.into_iter().find(|word| line.starts_with(&format!(" {word}  ")));
    printed.lines().find_map(of).unwrap_or_else(|| panic!("no verdict in\n{printed}"))
}

/// Labels and commands in what was printed.
fn advice(printed: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for line in printed.lines() {
        let Some((label, command)) = line.split_once("oversell-sim ") else { continue };
        let label = label.trim().to_owned();
        let words = shlex::split(command).unwrap_or_else(|| panic!("no command: {line}"));
        found.push((label, words));
    }
    found
}

/// The line that says what was found.
fn headline(printed: &str) -> &str {
    printed.lines().find(|line| line.starts_with(" BROKEN ")).unwrap_or_default()
}

/// How often a race is run again until threads meet in the same way.
const RACES: usize = 20;

/// Runs a command, and every command that it prints, and compares their verdicts. Returns the labels.
fn follow(line: &str) -> Vec<String> {
    let words = shlex::split(line).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let printed = ran(&words, "");
    let said = verdict(&printed);
    let mut labels = Vec::new();
    for (label, command) in advice(&printed) {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let what = || format!("{line}\n{printed}\n{label}: {}", command.join(" "));
        match label.as_str() {
            "why" => assert_eq!(
                (said, verdict(&ran(&arguments, ""))),
                ("BROKEN", "BROKEN"),
                "{}",
                what()
            ),
            "break it" => {
                assert_ne!(said, "BROKEN", "{}", what());
                assert_eq!(verdict(&ran(&arguments, "")), "BROKEN", "{}", what());
            }
            "prove it" | "in the model" => {
                assert_eq!(verdict(&ran(&arguments, "")), "PROVED", "{}", what())
            }
            "instead" => {
                let is_otherwise = (0..RACES).any(|_| verdict(&ran(&arguments, "")) != said);
                assert!(is_otherwise, "{}", what());
            }
            "by hand" => assert!(ran(&arguments, "quit\n").contains("scheduler"), "{}", what()),
            "again" if arguments[0] == "replay" => {
                // What it shows there is the same, whatever was found first.
                let again = ran(&arguments, "");
                assert_eq!(said, verdict(&again), "{}", what());
                let found = headline(&again)
                    .split(" · ")
                    .next()
                    .unwrap()
                    .trim_start_matches(" BROKEN")
                    .trim();
                let kind = found.split(" by ").next().unwrap().split(" for ").next().unwrap();
                assert!(printed.contains(kind), "{}\n{again}", what());
            }
            "again" => {
                let same = (0..RACES).any(|_| verdict(&ran(&arguments, "")) == said);
                assert!(same, "{}", what());
            }
            "to have one" => {
                let told = ran(&arguments, "");
                assert!(told.contains("clicks \"Place Your Order\""), "{}\n{told}", what());
            }
            _ => panic!("a command under an unknown label\n{}", what()),
        }
        assert_ne!(arguments, words, "it recommends itself: {}", what());
        labels.push(label);
    }
    labels
}

#[test]
fn every_command_that_a_search_prints_comes_to_the_verdict_it_stands_in() {
    for strategy in every_strategy() {
        let card = strategy.card();
        let labels = follow(&format!("explore --strategy {}", card.name));
        // What the reference calls broken is broken where nothing else is said.
        assert_eq!(
            labels.contains(&"again".to_owned()),
            card.claim.shows().is_some(),
            "{}",
            card.name
        );
        if let Claim::ShowsWhen(..) = card.claim {
            let has_level = card.names(OpKind::Transaction);
            let level = if has_level { "--isolation read-committed" } else { "" };
            let other = "--buyers 2 --stock 1 --qty 1 --crashes 0 --expiries 0 --declines 0 --lost-answers 0 \
                         --stale-reads 0 --power-cuts 0";
            let carts = if card.carts { "--items 2 --cart 2" } else { "" };
            let labels =
                follow(&format!("explore --strategy {} {other} {level} {carts}", card.name));
            let leads_on =
                ["again", "break it"].iter().any(|label| labels.contains(&(*label).to_owned()));
            assert!(leads_on, "{}: {labels:?}", card.name);
        }
    }
    for line in [
        "explore -S naive --items 2 --cart 1 --buyers 4",
        "explore -S naive --qty 1..2 --stock 2 --buyers 3 --seed 4",
        "explore -S naive --random --buyers 5",
        "explore -S transaction --isolation serializable",
        "explore -S optimistic --buyers 300 --stock 40 --max-states 500",
        "explore -S optimistic --retries 1 --buyers 3",
        "explore -S two-tabs --buyers any",
        "explore -S ordered-locks --items 1 --cart 1",
        "explore -S cart-order --items 3 --cart 2 --buyers 3",
    ] {
        follow(line);
    }
}

#[test]
fn every_command_that_a_race_prints_comes_to_the_verdict_it_stands_in() {
    let in_memory = StoreKind::Memory;
    for strategy in every_strategy() {
        let card = strategy.card();
        if card.needs.iter().any(|kind| !in_memory.offers(*kind)) {
            continue;
        }
        // Those who get stuck wait for as long as their patience lasts.
        let crowd = "--buyers 40 --stock 3 --patience 300ms";
        let labels = follow(&format!("race --strategy {} {crowd}", card.name));
        assert!(!labels.is_empty(), "{}", card.name);
    }
    for line in [
        "race -S naive --items 5 --stock 20 --buyers 300",
        "race -S naive --qty 1..3 --stock 9 --buyers 100 --threads 8",
        "race -S cas --buyers 1",
        "race -S cas --threads 1 --buyers 20",
        "race -S optimistic --retries 2 --backoff fixed:1ms --buyers 50",
        "race -S ordered-locks --items 1 --cart 1 --buyers 50",
        "race -S ordered-locks --items 3 --buyers 50",
    ] {
        follow(line);
    }
}

/// Whether a store is ready here.
fn is_ready(store: &str) -> bool {
    has(StoreKind::parse(store).unwrap())
}

#[test]
fn every_command_about_a_server_says_which_and_how_it_was_set_up() {
    for (store, line, label) in [
        ("sqlite", "race --store sqlite -S naive --buyers 30 --rounds 10", "why"),
        ("sqlite", "race --store sqlite -S conditional --buyers 30", "prove it"),
        ("sqlite", "explore --store sqlite -S naive", "again"),
        ("redis", "race --store redis -S naive --buyers 30 --rounds 20", "why"),
        ("redis", "race --store redis -S lease --buyers 20", "break it"),
        (
            "postgres",
            "race --store postgres -S transaction --isolation serializable --buyers 20",
            "prove it",
        ),
        (
            "postgres",
            "race --store postgres -S conditional --unit-rows --stock 4 --buyers 30",
            "in the model",
        ),
        ("postgres", "explore --store postgres -S transaction", "prove it"),
        ("postgres", "explore --store postgres -S pessimistic --advisory-locks --stock-check", ""),
        (
            "mysql",
            "race --store mysql -S transaction --isolation repeatable-read --buyers 60 --rounds 5",
            "why",
        ),
    ] {
        if !is_ready(store) {
            continue;
        }
        let labels = follow(line);
        assert!(label.is_empty() || labels.contains(&label.to_owned()), "{line}: {labels:?}");
    }
}

#[test]
fn every_command_about_a_simulated_shop_comes_to_the_verdict_it_stands_in() {
    for line in [
        "simulate scenarios/hold-or-lose.toml --buyers 30 --stock 12 --seeds 20",
        "simulate scenarios/first-packet.toml --strategy naive --buyers 30 --stock 12 --seeds 20",
    ] {
        assert!(!follow(line).is_empty(), "{line}");
    }
}

/// A described checkout at PostgreSQL whose buyers take one unit each, with these steps before and after.
fn written(folder: &Path, begin: &str, lock: &str, buyer: &str) -> String {
    let file = folder.join("checkout.toml");
    let text = format!(
        r#"store = "postgres"
schema = "schema.sql"

[[step]]
sql = "{begin}"

[[step]]
sql = "SELECT stock FROM product WHERE id = :item{lock}"
save = ["stock"]
sold_out_if = "stock < 1"

[[step]]
sql = "UPDATE product SET stock = :stock - 1 WHERE id = :item"

[[step]]
sql = "INSERT INTO purchase (buyer, product, qty) VALUES ({buyer}, :item, 1)"

[[step]]
sql = "COMMIT"

[audit]
stock = "SELECT id, stock FROM product ORDER BY id"
orders = "SELECT buyer, product, qty FROM purchase"
"#
    );
    fs::write(&file, text).unwrap();
    let schema = "CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
         CREATE TABLE purchase (id serial PRIMARY KEY, buyer int, product int, qty int);
         INSERT INTO product VALUES (1, 1);";
    fs::write(folder.join("schema.sql"), schema).unwrap();
    file.display().to_string()
}

/// The line that names a cure.
fn cure(printed: &str) -> &str {
    printed.lines().find_map(|line| line.strip_prefix(" cure ")).unwrap_or_default().trim()
}

#[test]
fn a_checkout_that_sets_its_level_itself_is_not_told_that_no_level_cures_it() {
    if !is_ready("postgres") {
        return;
    }
    let folder = TempDir::new().unwrap();
    for begin in
        ["BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED"]
    {
        let file = written(folder.path(), begin, "", ":buyer");
        let printed = ran(&["explore", "--checkout", &file], "");
        assert_eq!(verdict(&printed), "BROKEN");
        assert!(
            cure(&printed)
                .starts_with("--isolation was not tried, for a statement sets the level itself"),
            "{printed}"
        );
    }
}

#[test]
fn what_one_buyer_alone_breaks_is_cured_by_no_level_and_that_is_the_reason_given() {
    if !is_ready("postgres") {
        return;
    }
    let folder = TempDir::new().unwrap();
    // A lock keeps the buyers apart, but the order is written in another name.
    let file = written(folder.path(), "BEGIN", " FOR UPDATE", ":buyer + 100");
    let printed = ran(&["explore", "--checkout", &file], "");
    assert_eq!(verdict(&printed), "BROKEN");
    assert_eq!(cure(&printed), "no isolation level, for one buyer alone breaks it", "{printed}");
}

#[test]
fn a_level_is_judged_by_the_finding_that_it_was_asked_to_cure() {
    if !is_ready("postgres") {
        return;
    }
    let folder = TempDir::new().unwrap();
    // Two buyers get the unit unless they are kept apart; that orders are in another's name is wrong in any case.
    let file = written(folder.path(), "BEGIN", "", ":buyer + 100");
    let printed = ran(&["explore", "--checkout", &file], "");
    assert!(headline(&printed).contains("oversold"), "{printed}");
    let said = cure(&printed);
    assert!(said.starts_with("--isolation repeatable-read (proved"), "{printed}");
    assert!(said.contains("what remains there: "), "{printed}");
}
