//! Entries of a document: texts, lists and tables, and what is said if they are none.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::text::document::Fault;
use crate::base::text::nearest::{did_you_mean, shown};

/// A value and its place.
pub(crate) type Entry<'d> = Spanned<DeValue<'d>>;

pub(crate) fn fault<T>(span: Range<usize>, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { span, message: message.into() })
}

pub(crate) fn text<'d>(key: &str, value: &'d Entry<'_>) -> Result<&'d str, Fault> {
    value
        .get_ref()
        .as_str()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be a text in quotes")), Ok)
}

pub(crate) fn switch(key: &str, value: &Entry<'_>) -> Result<bool, Fault> {
    value
        .get_ref()
        .as_bool()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be true or false")), Ok)
}

/// Texts: one, or a list of them.
pub(crate) fn texts<'d, 's>(
    key: &str,
    value: &'d Entry<'s>,
) -> Result<Vec<(&'d str, Range<usize>)>, Fault> {
    let one = |value: &'d Entry<'s>| Ok((text(key, value)?, value.span()));
    match value.get_ref().as_array() {
        Some(array) => array.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

pub(crate) fn table<'d, 's>(key: &str, value: &'d Entry<'s>) -> Result<&'d DeTable<'s>, Fault> {
    value
        .get_ref()
        .as_table()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be a table: write [{key}]")), Ok)
}

pub(crate) fn tables<'d, 's>(key: &str, value: &'d Entry<'s>) -> Result<Vec<&'d Entry<'s>>, Fault> {
    let is_wrong = || format!("`{key}` must be a list of tables: write [[{key}]]");
    let array = value.get_ref().as_array();
    let Some(array) = array else { return fault(value.span(), is_wrong()) };
    match array.iter().find(|entry| entry.get_ref().as_table().is_none()) {
        Some(wrong) => fault(wrong.span(), is_wrong()),
        None => Ok(array.iter().collect()),
    }
}

/// Refuses keys that are not known.
pub(crate) fn check_keys(
    table: &DeTable<'_>,
    known: &[&'static str],
    of: &str,
) -> Result<(), Fault> {
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            let near = did_you_mean(name, known.iter().copied());
            let known = known.join(", ");
            return fault(
                key.span(),
                format!("unknown key `{}`{near}; {of} has {known}", shown(name)),
            );
        }
    }
    Ok(())
}
