//! The documents say what the code does.

use std::fs;
use std::path::Path;

use oversell_sim::strategies::{every_strategy, find};
use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::report::{METRICS, Metric};
use oversell_sim::unstable::rounds::race_all;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::threads::Control;
use oversell_sim::{Expectation, Scenario};

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The table of figures in `docs/reference/report.md`.
pub(crate) fn figures() -> String {
    let row =
        |metric: &Metric| format!("| `{}` | {} | {} |\n", metric.name, metric.unit, metric.meaning);
    let rows: String = METRICS.iter().map(row).collect();
    format!("{FIGURES}|---|---|---|\n{rows}")
}

/// How that table begins.
pub(crate) const FIGURES: &str = "| figure | unit | meaning |\n";

/// Where a user of the library begins, by file: what is public there, and needs an example that runs.
const ENTRY_POINTS: &[(&str, &[&str])] = &[
    ("src/lib.rs", &["pub mod report {", "pub mod prelude {"]),
    ("src/run/race.rs", &["pub fn race<", "pub struct Race<"]),
    ("src/explore/builder.rs", &["pub fn explore<", "pub struct Explore<"]),
    ("src/explore/interleave.rs", &["pub fn interleave"]),
    ("src/explore/exploration.rs", &["pub struct Exploration {"]),
    ("src/scenario/mod.rs", &["pub struct Scenario {"]),
    ("src/check/report/mod.rs", &["pub struct Report {"]),
    ("src/check/report/evidence.rs", &["pub enum Evidence {"]),
    ("src/check/expect.rs", &["pub struct Expectation {"]),
    ("src/domain/finding.rs", &["pub enum FindingKind {"]),
    ("src/domain/isolation.rs", &["pub enum Isolation {"]),
    ("src/domain/retry.rs", &["pub enum Retries {", "pub enum Backoff {"]),
    ("src/domain/store_kind.rs", &["pub enum StoreKind {"]),
    ("src/domain/session.rs", &["pub struct Session<"]),
    ("src/base/error.rs", &["pub enum Error {"]),
    ("src/strategy/mod.rs", &["pub trait Strategy"]),
    ("src/strategies/mod.rs", &["pub fn find(", "pub fn every_strategy("]),
];

#[test]
fn every_entry_point_of_the_library_has_an_example() {
    let library = read("src/lib.rs");
    for (file, items) in ENTRY_POINTS {
        let text = read(file);
        for item in *items {
            let (before, _) =
                text.split_once(&format!("\n{item}")).unwrap_or_else(|| panic!("{file}: {item}"));
            let own = before.lines().rev().take_while(|line| {
                line.starts_with("///") || line.starts_with("#[") || line.starts_with("//!")
            });
            let marks = own.filter(|line| line.starts_with("/// ```")).count();
            assert!(marks >= 2, "{file}: `{item}` has no example");
        }
    }
    for module in ["src/lib.rs", "src/strategy/mod.rs", "src/strategies/mod.rs"] {
        let marks = read(module).lines().filter(|line| line.starts_with("//! ```")).count();
        assert!(marks >= 2, "{module} has no example");
    }
    // What stands at the root of the library is in the list above.
    let at_root = library.lines().filter_map(|line| line.strip_prefix("pub use "));
    let names = at_root.flat_map(|line| {
        let path = line.trim_end_matches(';');
        let names = path.rsplit_once("::").map_or(path, |(_, names)| names);
        let list = path.split_once('{').map_or(names, |(_, list)| list.trim_end_matches('}'));
        list.split(", ").map(str::to_owned).collect::<Vec<_>>()
    });
    // These come from a call that has an example.
    let results = ["Sale", "Interleave", "ScenarioReport", "SearchReport", "Searches"];
    let is_entry = |name: &String| !results.contains(&name.as_str()) && !name.contains(" as ");
    for name in names.filter(is_entry) {
        let items = ENTRY_POINTS.iter().flat_map(|(_, items)| *items);
        let mut named = items.map(|item| item.rsplit(' ').find(|word| *word != "{").unwrap());
        let is_it = |word: &str| word.trim_end_matches(['<', '(', '{']) == name;
        assert!(named.any(is_it), "{name} is not among the entry points");
    }
}

#[test]
fn every_figure_is_described_with_its_unit_as_the_code_describes_it() {
    let document = read("docs/reference/report.md");
    assert!(document.contains(&figures()), "docs/reference/report.md should have\n{}", figures());
}

/// Names of all fields, however deep, with their parents'.
pub(crate) fn fields(value: &serde_json::Value, path: &str, all: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                fields(value, &path, all);
                all.push(path);
            }
        }
        serde_json::Value::Array(values) => {
            for value in values {
                fields(value, &format!("{path}[]"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_the_json_report_is_described() {
    let document = read("docs/reference/report.md");
    let expected = [Expectation::parse("oversold = 0").unwrap()];
    let settings = Settings { buyers: 50, rounds: 50, ..Settings::default() };
    let control = Control::default();
    let report = race_all(&[find("naive").unwrap()], &settings, &expected, &control).unwrap();
    let mut all = Vec::new();
    fields(&serde_json::to_value(&report).unwrap(), "", &mut all);
    assert!(all.len() > 60, "the report was not looked through");
    for field in all {
        // The figures of a run and of its worst round are the same, and are listed once.
        let listed = match field.split_once("figures.") {
            Some((_, figure)) => figure,
            None => &field,
        };
        assert!(
            document.contains(&format!("`{listed}`")),
            "docs/reference/report.md says nothing of {field}"
        );
    }
}

#[test]
fn every_field_of_an_exploration_is_described() {
    let document = read("docs/reference/report.md");
    let naive = oversell_sim::explore(oversell_sim::strategies::naive::Naive);
    let mut all = Vec::new();
    fields(&serde_json::to_value(naive.run().unwrap()).unwrap(), "", &mut all);
    assert!(all.len() > 20, "the report was not looked through");
    for field in all {
        assert!(
            document.contains(&format!("`{field}`")),
            "docs/reference/report.md says nothing of {field}"
        );
    }
}

#[test]
fn the_reference_names_every_strategy() {
    let reference = read("docs/reference/strategies.md");
    for strategy in every_strategy() {
        let name = strategy.card().name;
        let is_there = reference.contains(&format!("`{name}`"));
        assert!(is_there, "docs/reference/strategies.md lacks {name}");
    }
}

#[test]
fn the_changelog_counts_strategies_and_bugs_as_they_are() {
    let changes = read("CHANGELOG.md");
    let bugs = oversell_sim::strategies::zoo::ALL.len();
    let strategies = every_strategy().count() - bugs;
    for words in [format!("{strategies} strategies;"), format!("A zoo of {bugs} small bugs")] {
        assert!(changes.contains(&words), "CHANGELOG.md does not say `{words}`");
    }
}

#[test]
fn every_dependency_has_its_line_in_the_architecture() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let architecture = read("ARCHITECTURE.md");
    for table in ["dependencies", "dev-dependencies"] {
        for name in manifest[table].as_table().unwrap().keys() {
            assert!(architecture.contains(&format!("`{name}`")), "no line for {name}");
        }
    }
}

#[test]
fn a_scenario_that_is_said_to_be_one_of_the_repository_is_that() {
    let own = "checkout = \"own-checkout/";
    let shipped = read("scenarios/own-checkout.toml");
    let shipped: String =
        shipped.lines().filter(|line| !line.starts_with('#')).fold(String::new(), |all, line| {
            all + &line.replace(own, "checkout = \"scenarios/own-checkout/") + "\n"
        });
    for path in ["docs/how-to/ci.md", "docs/reference/scenario.md"] {
        let block = format!("```toml own-checkout.toml\n{shipped}```\n");
        assert!(read(path).contains(&block), "{path} should have\n{block}");
    }
}

#[test]
fn a_lesson_that_names_a_scenario_says_where_it_is() {
    for page in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lessons")).unwrap() {
        let path = page.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if let Some((before, _)) = text.split_once("oversell-sim simulate scenarios/") {
            let before = before.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_said =
                before.contains("in the repository") || before.contains("of the repository");
            assert!(is_said && before.contains("clone"), "{}", path.display());
        }
    }
}

/// Every key stands in the first column of a table, in the section of its own table.
fn describes(path: &str, keys: impl Iterator<Item = (&'static str, &'static str)>) -> usize {
    let document = read(path);
    let mut looked_at = 0;
    for (table, key) in keys {
        let section = match table {
            "" => document.split("\n### ").next().unwrap(),
            _ => {
                let is_its = |part: &&str| {
                    part.starts_with(&format!("`[{table}]`"))
                        || part.starts_with(&format!("`[[{table}]]`"))
                };
                document.split("\n### ").find(is_its).unwrap_or_else(|| panic!("no [{table}]"))
            }
        };
        let names = [format!("`{key}`"), format!("`[{key}]`"), format!("`[[{key}]]`")];
        let first_cells =
            section.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
        let is_there =
            first_cells.into_iter().any(|cell| names.iter().any(|name| cell.contains(name)));
        assert!(is_there, "{path} says nothing of {key} in [{table}]");
        looked_at += 1;
    }
    looked_at
}

#[test]
fn every_key_of_a_scenario_is_described_under_its_table() {
    assert!(describes("docs/reference/scenario.md", Scenario::keys()) > 70);
}

#[test]
fn every_key_of_a_checkout_is_described_under_its_table() {
    assert!(describes("docs/reference/checkout.md", Checkout::keys()) > 30);
}
