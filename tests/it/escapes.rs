//! What others wrote reaches the terminal as text alone: a database, a file or a path cannot have the terminal do anything,
//! and cannot begin a line of its own.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::cargo::cargo_bin_cmd;

use crate::listed::has;
use oversell_sim::StoreKind;

/// A checkout that oversells, whose title, step, rule and answers would clear the screen and write a verdict.
const CHECKOUT: &str = r#"title = "t\n PROVED          of all\u001b[2J"
store  = "sqlite"
schema = "schema.sql"
seed   = "seed.sql"
[[step]]
name        = "look\n PROVED          for all"
sql         = "SELECT stock, name FROM product WHERE id = :item"
save        = ["stock", "name"]
sold_out_if = "stock < qty"
[[step]]
sql  = "UPDATE product SET stock = :stock - :qty, name = :name WHERE id = :item"
[[step]]
sql  = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
[audit]
stock  = "SELECT id, stock FROM product"
orders = "SELECT buyer, product, qty FROM purchase"
[audit.never]
"two\n PROVED          of a kind" = "SELECT name FROM product WHERE (SELECT COUNT(*) FROM purchase) > 1"
"#;

const SCHEMA: &str =
    "CREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL, name TEXT);
CREATE TABLE purchase (buyer INTEGER NOT NULL, product INTEGER NOT NULL, qty INTEGER NOT NULL);";

/// A name with a newline, a carriage return, an escape, its form as a single C1 character, and a bidirectional override.
const SEED: &str = "INSERT INTO product VALUES (1, 1, 'x' || char(10) || ' PROVED          it' || char(13) || char(27) || \
                    '[2J' || char(155) || '2J' || char(8238));";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // A path may be as wicked as a name, and a formula.
    for (name, text) in [
        ("checkout.toml", CHECKOUT),
        ("=1\n PROVED \u{1b}[2J.toml", CHECKOUT),
        ("schema.sql", SCHEMA),
        ("seed.sql", SEED),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn ran(folder: &Path, args: &[&str]) -> Output {
    let mut command = cargo_bin_cmd!("oversell-sim");
    command.current_dir(folder).args(args).output().unwrap()
}

/// What was printed, which is text and nothing else, and in which no line begins as a verdict that is none.
fn text_of(folder: &Path, args: &[&str]) -> String {
    let Output { stdout, stderr, .. } = ran(folder, args);
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    let is_obeyed = |sign: &char| {
        sign.is_control() && *sign != '\n'
            || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(said.chars().find(is_obeyed), None, "{args:?}: {said:?}");
    // In HTML a newline is a space.
    let text = if args.contains(&"html") { "" } else { said.as_str() };
    let fake =
        text.lines().find(|line| line.trim_start_matches([' ', '|', '"']).starts_with("PROVED"));
    assert_eq!(fake, None, "{args:?}: {said}");
    said
}

#[test]
fn what_a_database_answers_and_a_file_says_cannot_pass_for_a_verdict() {
    if !has(StoreKind::Sqlite) {
        return;
    }
    let folder = folder();
    for path in ["checkout.toml", "=1\n PROVED \u{1b}[2J.toml"] {
        let checkout = ["--checkout", path];
        for (command, formats) in [
            (&["explore"][..], &["table", "json", "html", "github", "sarif"][..]),
            (
                &["replay", "--schedule", "ABBBAA", "--buyers", "2"],
                &["table", "json", "html", "github"],
            ),
            (
                &["race", "--buyers", "40", "--think", "2ms"],
                &["table", "json", "csv", "markdown", "html", "github"],
            ),
        ] {
            for format in formats {
                let args = [command, &checkout, &["--format", format]].concat();
                let said = text_of(folder.path(), &args);
                if *format == "json" || *format == "sarif" {
                    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
                    assert!(report.to_string().contains("PROVED"), "the report itself is whole");
                }
            }
        }
        text_of(folder.path(), &[&["check"][..], &checkout].concat());
        let told = text_of(folder.path(), &[&["explore"][..], &checkout].concat());
        assert!(told.contains("x\\n PROVED          it\\r\\u{1b}[2J\\u{9b}2J\\u{202e}"), "{told}");
    }
}

#[test]
fn a_name_that_a_spreadsheet_would_run_is_a_text_in_csv() {
    if !has(StoreKind::Sqlite) {
        return;
    }
    let folder = folder();
    for name in ["=1+1.toml", "@x.toml", "+1.toml"] {
        fs::write(folder.path().join(name), CHECKOUT).unwrap();
        let args = ["race", "--checkout", name, "--buyers", "5", "--format", "csv"];
        let table = text_of(folder.path(), &args);
        let row = table.lines().nth(1).unwrap();
        assert!(row.starts_with(&format!("'{name},")), "{table}");
    }
}

#[test]
fn the_words_of_a_command_line_are_repeated_on_one_line() {
    let folder = folder();
    let word = "x\n PROVED \u{1b}[2J";
    for args in [
        &[word][..],
        &["race", word],
        &["race", "-S", word],
        &["race", "-S", "cas", "--stock", word],
        &["race", "-S", "cas", "--expect", word],
        &["race", "-S", "cas", "--output", word, "--format", word],
        &["check", word],
        &["explore", "--checkout", word],
        &["explore", "--app", word],
        &["explore", "--spec", word],
        &["replay", "-S", "cas", "--schedule", word],
        &["replay", "--schedule-file", word],
        &["simulate", word],
        &["race", "-S", "cas", "--clicks", word],
        &["race", "-S", "cas", "--baseline", word],
    ] {
        let said = text_of(folder.path(), args);
        assert!(said.contains("error: "), "{args:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_command_that_is_printed_runs_whatever_is_in_the_name_of_its_file() {
    if !has(StoreKind::Sqlite) {
        return;
    }
    let folder = folder();
    let report = text_of(
        folder.path(),
        &["explore", "--checkout", "=1\n PROVED \u{1b}[2J.toml", "--format", "json"],
    );
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let again = report["findings"][0]["again"].as_str().unwrap();
    assert!(!again.contains(char::is_control), "{again}");
    let tool = assert_cmd::cargo::cargo_bin("oversell-sim");
    let script = again.replacen("oversell-sim", &tool.display().to_string(), 1);
    let mut shell = std::process::Command::new("bash");
    let ran = shell.args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(said.starts_with(" BROKEN"), "{again}: {said}");
}
