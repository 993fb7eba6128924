//! What a server itself says that a statement opens, beside what its words say: the union of both counts.
//!
//! A server that has parsed a statement has locked every table that the statement names, through however many views and
//! in whatever spelling: PostgreSQL shows these locks in `pg_locks` (manual, 13.3.1 and 54.12), MariaDB in the plugin
//! `metadata_lock_info`, and SQLite asks its authorizer for each table. The statement itself is not run.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::base::memo::Memo;
use crate::base::text::sql::{Dialect, shape};

/// A table that a statement opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stores) struct OpenedTable {
    /// Its name, without its schema.
    pub(in crate::stores) table: String,
    /// Whether rows of it may be changed or locked.
    pub(in crate::stores) changes: bool,
}

/// Asks a server, over a connection that is used for nothing else.
pub(in crate::stores::sql) type Asks = Box<dyn FnMut(&str) -> Vec<OpenedTable> + Send>;

/// The answers so far, and the connection over which to ask for more.
#[derive(Default)]
pub(in crate::stores::sql) struct Witness {
    /// The shapes of statements.
    shapes: Memo<String>,
    /// The tables that statements of each shape open.
    heard: Mutex<BTreeMap<String, Vec<OpenedTable>>>,
    asks: Option<Mutex<Asks>>,
}

impl Witness {
    /// A witness that asks the server when a statement is first seen.
    pub(in crate::stores::sql) fn asking(asks: Asks) -> Self {
        Self { asks: Some(Mutex::new(asks)), ..Self::default() }
    }

    /// A witness that asks for these statements now, and for no others.
    pub(in crate::stores::sql) fn of<'t>(
        dialect: Dialect,
        texts: impl Iterator<Item = &'t str>,
        mut asks: impl FnMut(&str) -> Vec<OpenedTable>,
    ) -> Self {
        let heard = texts.map(|text| (shape(dialect, text), asks(text))).collect();
        Self { heard: Mutex::new(heard), ..Self::default() }
    }

    /// The tables that a statement opens; none where the server does not say.
    pub(super) fn opens(&self, dialect: Dialect, text: &str) -> Vec<OpenedTable> {
        let shape = self.shapes.get(text, |text| shape(dialect, text));
        if let Some(opened) = self.heard.lock().get(&*shape) {
            return opened.clone();
        }
        let Some(asks) = &self.asks else { return Vec::new() };
        let opened = asks.lock()(text);
        self.heard.lock().insert(shape.to_string(), opened.clone());
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Vec<OpenedTable> {
        vec![OpenedTable { table: "product".into(), changes: false }]
    }

    #[test]
    fn a_statement_is_asked_for_once_whatever_its_values() {
        let mut asked = 0;
        let asks = move |_: &str| {
            asked += 1;
            assert_eq!(asked, 1);
            product()
        };
        let witness = Witness::asking(Box::new(asks));
        for text in ["SELECT * FROM product WHERE id = 1", "SELECT * FROM product WHERE id = 2"] {
            assert_eq!(witness.opens(Dialect::Postgres, text), product());
        }
    }

    #[test]
    fn who_was_asked_beforehand_says_nothing_of_other_statements() {
        let witness = Witness::of(Dialect::Sqlite, ["SELECT 1"].into_iter(), |_| product());
        assert_eq!(witness.opens(Dialect::Sqlite, "SELECT 1"), product());
        assert_eq!(witness.opens(Dialect::Sqlite, "SELECT n FROM t"), []);
    }
}
