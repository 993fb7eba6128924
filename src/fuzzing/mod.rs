//! What the fuzz targets in `fuzz/` call: a function for each, which takes any bytes, and panics where a claim about a
//! parser or a protocol does not hold. Only `--cfg fuzzing` compiles it, so it is in no build that anything is run with.
//!
//! Each claim is said at its function. Beside it every target claims that nothing panics, that no integer overflows, and
//! that memory and time stay within the bounds that `fuzz/run.sh` sets.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a panic is a finding")]

mod answers;
mod files;
mod saved;
mod statements;
mod texts;
mod values;
mod wires;

pub use answers::{etcd, http};
pub use files::{app, checkout, scenario, spec};
pub use saved::saved;
pub use statements::{conditions, sql};
pub use texts::texts;
pub use values::{clicks, schedules, values};
pub use wires::{mysql, postgres, redis};

use std::borrow::Cow;

use crate::base::error::Error;

/// The input as text.
fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// A message about a fault is one line of text.
fn assert_line(message: &str) {
    assert!(!message.is_empty(), "no message");
    assert!(!message.contains(char::is_control), "a control character in {message:?}");
}

/// A message about a file is one line, which may have an excerpt of two lines below it. It names a place in the file.
fn assert_located(error: &Error, path: &str, source: &str) {
    let message = error.to_string();
    let lines: Vec<&str> = message.lines().collect();
    assert!(matches!(lines.len(), 1 | 3), "{message:?}");
    lines.iter().for_each(|line| assert_line(line));
    let mut place = lines[0].strip_prefix(path).expect("the path stands first").split(':').skip(1);
    let mut number = || place.next().and_then(|number| number.parse::<usize>().ok());
    let (line, column) = (number().expect("a line"), number().expect("a column"));
    let of_file = source.split('\n').nth(line - 1);
    let characters = of_file.expect("a line of the file").chars().count();
    assert!((1..=characters + 1).contains(&column), "{message:?}");
}
