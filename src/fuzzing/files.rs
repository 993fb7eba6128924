//! Files that a user writes.

use std::path::Path;

use super::{assert_line, assert_located, text};
use crate::base::error::Error;
use crate::describe::app::App;
use crate::describe::checkout::Checkout;
use crate::describe::spec::{Marker, Spec};
use crate::scenario::Scenario;

/// Where the files lie that a checkout's file may name: `schema.sql` and `seed.sql`.
const OF_SQL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/describe/checkout/starter/sql/x.toml");

/// Where `take.lua` lies.
const OF_REDIS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/describe/checkout/starter/redis/x.toml");

/// Where the files lie that an application's file may name.
const OF_APP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/describe/app/starter/x.toml");

/// Where the files lie that a scenario may name.
const OF_SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/x.toml");

/// A scenario is read the same each time, or refused with a place.
pub fn scenario(data: &[u8]) {
    let source = text(data);
    let read = Scenario::parse(OF_SCENARIO, &source);
    match &read {
        // What is wrong may be in a file that it names.
        Err(Error::Input(message)) if !message.starts_with(OF_SCENARIO) => {
            message.lines().for_each(assert_line);
        }
        Err(error) => assert_located(error, OF_SCENARIO, &source),
        Ok(scenario) => {
            let again = Scenario::parse(OF_SCENARIO, &source).expect("it was read before");
            assert_eq!((again.title, again.seeds), (scenario.title.clone(), scenario.seeds));
            assert_eq!(again.settings, scenario.settings);
            assert_eq!(format!("{:?}", again.scene), format!("{:?}", scenario.scene));
            assert_eq!(format!("{:?}", again.expectations), format!("{:?}", scenario.expectations));
        }
    }
}

/// A checkout is read the same each time, or refused with a place.
pub fn checkout(data: &[u8]) {
    let source = text(data);
    let path = if source.contains(".lua") { OF_REDIS } else { OF_SQL };
    same_twice(&source, path, |source| Checkout::parse(Path::new(path), source));
}

/// An application's file is read the same each time, or refused with a place.
pub fn app(data: &[u8]) {
    let source = text(data);
    same_twice(&source, OF_APP, |source| App::parse(Path::new(OF_APP), source));
}

fn same_twice(source: &str, path: &str, read: impl Fn(&str) -> Result<Checkout, Error>) {
    match read(source) {
        Err(error) => assert_located(&error, path, source),
        Ok(checkout) => {
            let again = read(source).expect("it was read before");
            assert_eq!(format!("{checkout:?}"), format!("{again:?}"));
            checkout.roles.iter().flat_map(|role| &role.steps).for_each(|step| {
                step.call.names();
                let _ = step.call.shown(str::to_owned);
            });
        }
    }
}

/// A specification that is written anew says the same, or it is refused with a place.
pub fn spec(data: &[u8]) {
    let source = text(data);
    match Spec::parse("x.spec", &source) {
        Err(fault) => assert_located(&fault.in_file("x.spec", &source), "x.spec", &source),
        Ok(spec) => {
            let again = Spec::parse("x.spec", &written(&spec)).expect("it was written by us");
            assert_eq!(again, spec);
        }
    }
}

/// A specification as a file has it.
fn written(spec: &Spec) -> String {
    let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let block = |word: &str, sql: &str| format!("{word} {{ {sql} }}\n");
    let teardown = |sql: &Option<String>| sql.as_deref().map(|sql| block("teardown", sql));
    let mut file: String = spec.setup.iter().map(|sql| block("setup", sql)).collect();
    file.extend(teardown(&spec.teardown));
    for session in &spec.sessions {
        file += &format!("session {}\n", name(&session.name));
        file.extend(session.setup.as_deref().map(|sql| block("setup", sql)));
        for step in &session.steps {
            file += &block(&format!("step {}", name(&step.name)), &step.sql);
        }
        file.extend(teardown(&session.teardown));
    }
    for permutation in &spec.permutations {
        file += "permutation";
        for one in permutation {
            file += &format!(" {}", name(&spec.step(one.step).name));
            let markers = one.markers.iter().map(|marker| match marker {
                Marker::Sent => "*".to_owned(),
                Marker::Step(id) => name(&spec.step(*id).name),
                Marker::Notices(id, count) => {
                    format!("{} notices {count}", name(&spec.step(*id).name))
                }
            });
            let markers: Vec<String> = markers.collect();
            if !markers.is_empty() {
                file += &format!("({})", markers.join(", "));
            }
        }
        file += "\n";
    }
    file
}
