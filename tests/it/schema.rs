//! The JSON schema of the reports holds of what each command writes.
//!
//! Its validator knows the words that the schema has, and fails at any other. The schema in the documents allows further fields,
//! as later versions may have them; here none is allowed, so that each field has to be described.

use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

/// The words of a schema that say nothing about a value.
const REMARKS: [&str; 5] = ["$schema", "$defs", "title", "description", "format"];

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/reference/report.schema.json")).unwrap()
}

/// What a value has that its schema does not allow; `path` is where it stands.
fn faults(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    let Value::Object(words) = schema else {
        // `true` allows everything.
        return if *schema == Value::Bool(true) {
            vec![]
        } else {
            vec![format!("{path}: not allowed")]
        };
    };
    let mut all = Vec::new();
    let mut claim = |holds: bool, word: &str, wanted: &Value| {
        if !holds {
            all.push(format!("{path}: {word} {wanted}, and it is {value}"));
        }
    };
    let mut inner = Vec::new();
    for (word, wanted) in words {
        match word.as_str() {
            "type" => {
                let is = |name: &Value| is_of(value, name.as_str().unwrap());
                let holds = match wanted.as_array() {
                    Some(names) => names.iter().any(is),
                    None => is(wanted),
                };
                claim(holds, word, wanted);
            }
            "const" => claim(value == wanted, word, wanted),
            "enum" => claim(wanted.as_array().unwrap().contains(value), word, wanted),
            "minimum" => {
                let holds = value.as_f64().is_none_or(|number| number >= wanted.as_f64().unwrap());
                claim(holds, word, wanted);
            }
            "maximum" => {
                let holds = value.as_f64().is_none_or(|number| number <= wanted.as_f64().unwrap());
                claim(holds, word, wanted);
            }
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                claim(wanted.as_array().unwrap().iter().all(has), word, wanted);
            }
            "$ref" => {
                let target = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                inner.extend(faults(root, root.pointer(target).unwrap(), value, path));
            }
            "anyOf" | "oneOf" => {
                let of_each = wanted.as_array().unwrap().iter();
                let of_each: Vec<_> = of_each.map(|one| faults(root, one, value, path)).collect();
                let fitting = of_each.iter().filter(|faults| faults.is_empty()).count();
                if fitting == 0 {
                    // What fits best says most.
                    inner.extend(of_each.into_iter().min_by_key(Vec::len).unwrap());
                }
                claim(word == "anyOf" || fitting <= 1, word, wanted);
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    inner.extend(faults(root, wanted, item, &format!("{path}[{place}]")));
                }
            }
            "properties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    let path = format!("{path}.{name}");
                    match wanted.get(name) {
                        Some(schema) => inner.extend(faults(root, schema, field, &path)),
                        None => inner.push(format!("{path}: is not described")),
                    }
                }
            }
            // What fields are like that have no schema of their own; true for anything.
            "additionalProperties" => {
                let own = words.get("properties");
                for (name, field) in value.as_object().into_iter().flatten() {
                    if own.is_none_or(|own| own.get(name).is_none()) {
                        inner.extend(faults(root, wanted, field, &format!("{path}.{name}")));
                    }
                }
            }
            remark => {
                assert!(REMARKS.contains(&remark), "{path}: the validator does not know {remark}")
            }
        }
    }
    all.extend(inner);
    all
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("no type {other}"),
    }
}

/// The report of a command.
fn report(command: &str) -> Value {
    let mut program = Command::new(cargo_bin("oversell-sim"));
    program.args(command.split_whitespace()).args(["--format", "json"]);
    let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(!output.stdout.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_schema_holds_of_the_report_of_every_command() {
    let schema = schema();
    for command in [
        "race -S naive,cas --buyers 100 --rounds 5 --expect oversold=0 --expect winners=1",
        "race -S ordered-locks --items 3 --cart 2 --qty 1..2 --stock 20 --buyers 50 --retries 3 --backoff fixed:1ms",
        "race -S hold --store sqlite --buyers 10 --threads 4",
        "compare -S cas,naive --buyers 30 --rounds 6 --warmup 1 --expect oversold=0",
        "compare -S cas,conditional --buyers 10 --rounds 2 --warmup 0",
        "sweep -S cas,naive --buyers 2,5 --stock 1,2 --rounds 2",
        "simulate scenarios/policies-naive.toml --seeds 2",
        "simulate scenarios/last-iphone.toml --seed 1",
        "explore -S naive --find all",
        "explore -S cas --buyers 20",
        "explore -S cas --buyers any",
        "explore -S naive --buyers any",
        "explore -S naive --random --schedules 50 --seed 1",
        "explore -S naive --random=plain --schedules 50 --seed 1",
        "explore -S confirm-unheeded",
        "explore -S naive --store sqlite",
        "explore --checkout scenarios/own-checkout/checkout.toml",
        "replay -S naive --schedule ABAB",
    ] {
        let found = faults(&schema, &schema, &report(command), "");
        assert_eq!(found, Vec::<String>::new(), "{command}");
    }
}

#[test]
fn the_validator_finds_what_a_report_should_not_have() {
    let schema = schema();
    let right = report("explore -S naive");
    for (pointer, wrong) in [
        ("/evidence", Value::from("probably")),
        ("/buyers", Value::from("two")),
        ("/findings/0/kind", Value::Null),
        ("/covered/states", Value::from(-1)),
    ] {
        let mut report = right.clone();
        *report.pointer_mut(pointer).unwrap() = wrong;
        assert_ne!(faults(&schema, &schema, &report, ""), Vec::<String>::new(), "{pointer}");
    }
    let mut more = right.clone();
    more["more"] = Value::from(1);
    let mut less = right;
    less.as_object_mut().unwrap().remove("strategy");
    for report in [more, less] {
        assert_ne!(faults(&schema, &schema, &report, ""), Vec::<String>::new());
    }
}

#[test]
fn the_validator_looks_into_figures_that_are_listed_by_name() {
    let schema = schema();
    let mut sweep = report("sweep -S cas --buyers 2,5 --rounds 2");
    assert_eq!(faults(&schema, &schema, &sweep, ""), Vec::<String>::new());
    sweep["points"][0]["figures"]["elapsed"] = Value::from("long");
    assert_ne!(faults(&schema, &schema, &sweep, ""), Vec::<String>::new());
}

#[test]
fn the_program_prints_the_schema() {
    let output = Command::new(cargo_bin("oversell-sim")).arg("schema").output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), schema());
}
