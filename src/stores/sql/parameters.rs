//! Parameters by name: files say `:item`, and each database has its own sign for it.

use super::Values;

/// A statement with something else in the place of each `:name`.
pub(in crate::stores) fn with_parameters(
    text: &'static str,
    mut stands_for: impl FnMut(&'static str) -> String,
) -> String {
    let mut pieces = text.split(':');
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        // A colon in a comment names nothing.
        written += &if name.is_empty() { ":".to_owned() } else { stands_for(name) };
        written += rest;
    }
    written
}

/// The value of one parameter. One that nobody has a value for is 0.
pub(in crate::stores) fn value_of(name: &str, values: Values<'_>) -> i64 {
    values.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
}
