//! The list of all tests, and what this machine lacks to run them.
//!
//! The usual harness knows before a test begins whether it is ignored. Whether a server is installed shows only while
//! the tests run, so they run under `libtest-mimic`, with the same command line. A test that did not run, or did not
//! run everywhere, for want of a program is reported as ignored, with what is missing. In CI it fails.

use std::cell::RefCell;

use libtest_mimic::{Completion, Trial};
use oversell_sim::StoreKind;
use oversell_sim::unstable::stores::readiness;

/// A test: `#[test]` puts it on the list.
pub(crate) struct Test {
    /// Its path in this crate.
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

inventory::collect!(Test);

thread_local! {
    /// What the test that runs in this thread could not do, and why.
    static MISSED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// All tests, by name.
pub(crate) fn all() -> Vec<Trial> {
    let mut tests: Vec<Trial> = inventory::iter::<Test>.into_iter().map(trial).collect();
    tests.sort_by(|one, other| one.name().cmp(other.name()));
    tests
}

fn trial(test: &'static Test) -> Trial {
    let name = test.name.split_once("::").map_or(test.name, |(_, name)| name);
    Trial::ignorable_test(name, || {
        MISSED.take();
        (test.run)();
        let missed = MISSED.take();
        Ok(match missed.is_empty() {
            true => Completion::Completed,
            false => Completion::ignored_with(missed.join("; ")),
        })
    })
}

/// Notes that something of this test does not run, so that it is not reported as passed. To be called in the test's own
/// thread.
pub(crate) fn miss(why: &str) {
    MISSED.with_borrow_mut(|missed| {
        if !missed.iter().any(|other| other == why) {
            missed.push(why.to_owned());
        }
    });
}

/// Notes that a program is missing that has to be there in CI.
pub(crate) fn miss_program(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    miss(why);
}

/// Whether a store is ready here. If not, what the test does elsewhere is missed.
pub(crate) fn has(store: StoreKind) -> bool {
    let found = readiness().into_iter().find(|ready| ready.kind == store).unwrap();
    let Err(why) = found.server else { return true };
    miss_program(why.to_string().lines().next().unwrap());
    false
}
