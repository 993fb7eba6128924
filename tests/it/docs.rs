//! The documents say what the code does.

use std::fs;
use std::path::Path;

use oversell_sim::report::METRICS;
use oversell_sim::strategies::ALL;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_figure_is_described_with_its_unit_as_the_code_describes_it() {
    let document = read("docs/report.md");
    for metric in METRICS {
        let row = format!("| `{}` | {} | {} |", metric.name, metric.unit, metric.meaning);
        assert!(document.contains(&row), "docs/report.md lacks this row:\n{row}");
    }
}

/// Names of all fields, however deep, with their parents'.
fn fields(value: &serde_json::Value, path: &str, all: &mut Vec<String>) {
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
    let document = read("docs/report.md");
    let report =
        oversell_sim::race(oversell_sim::strategies::naive::Naive).buyers(50).run().unwrap();
    let mut all = Vec::new();
    fields(&serde_json::to_value(&report).unwrap(), "", &mut all);
    for field in all {
        // A round's figures are the run's, and those are listed once.
        let name = field.rsplit('.').next().unwrap();
        let is_figure = field.contains("figures.");
        let listed = if is_figure { name.to_owned() } else { field.clone() };
        assert!(
            document.contains(&format!("`{listed}`"))
                || METRICS.iter().any(|m| m.name.ends_with(name)),
            "docs/report.md says nothing of {field}"
        );
    }
}

#[test]
fn the_readme_names_every_strategy() {
    let readme = read("README.md");
    for entrant in ALL {
        let name = entrant.card().name;
        assert!(readme.contains(&format!("`{name}`")), "README.md lacks {name}");
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
