//! What is sent to a store: how a text is read depends on which store it is.

use std::ops::Range;

use toml::de::DeTable;

use super::super::condition::unknown;
use super::super::request::RequestTemplate;
use super::super::step::Call;
use super::super::template::Template;
use super::entries::{Entry, fault, text};
use crate::base::text::document::Fault;
use crate::base::text::nearest::shown;
use crate::base::text::sql::{Dialect, Sql, statements};
use crate::domain::store_kind::StoreKind;

/// The languages in which texts are read.
#[derive(Clone, Copy)]
pub(crate) struct Says {
    pub(crate) store: StoreKind,
    /// The store that is used beside the SQL database, if there are two.
    pub(crate) beside: Option<StoreKind>,
    /// The dialect of the database beside a store that speaks no SQL; none if there is no such database.
    pub(crate) database: Option<Dialect>,
}

/// The keys by which a query of a file with two stores says which of them is asked.
const EITHER: [&str; 2] = ["sql", "redis"];

/// How such a query is written.
const WRITTEN: &str = "{ sql = \"…\" } or { redis = \"…\" }";

impl Says {
    /// The keys by which a step says something.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match (self.store, self.beside) {
            (_, Some(_)) => &["sql", "redis", "lua"],
            (StoreKind::Redis, None) => &["redis", "lua"],
            (StoreKind::Http, None) => &["http"],
            (_, None) => &["sql"],
        }
    }

    /// How a file that has one store gets the other, if a step or a query is written for that.
    pub(super) fn needed_for(self, key: &str) -> String {
        let needed = match (self.store, self.beside, key) {
            (StoreKind::Redis, None, "sql") => StoreKind::Postgres,
            (store, None, "redis" | "lua") if store.is_sql() => store,
            _ => return String::new(),
        };
        format!("; to use both, write `store = [\"{needed}\", \"redis\"]`")
    }

    /// What each of the texts of a list says, or one text alone; and where it stands.
    pub(super) fn calls(
        self,
        key: &str,
        value: &Entry<'_>,
    ) -> Result<Vec<(Call, Range<usize>)>, Fault> {
        match value.get_ref().as_array() {
            Some(array) => array.iter().map(|value| self.call(key, value)).collect(),
            None => Ok(vec![self.call(key, value)?]),
        }
    }

    /// What a query of `setup` or of the audit says, and where it stands. In a file with two stores it also says which
    /// of them is asked.
    pub(super) fn call(self, key: &str, value: &Entry<'_>) -> Result<(Call, Range<usize>), Fault> {
        let (of, said) = match (value.get_ref().as_table(), self.beside) {
            (None, None) => (None, value),
            (Some(keys), Some(_)) => {
                let (of, said) = only(key, keys, value)?;
                (Some(of), said)
            }
            (None, Some(_)) => {
                return fault(
                    value.span(),
                    format!("`{key}`: this file has two stores; say which is asked: {WRITTEN}"),
                );
            }
            (Some(keys), None) => {
                let of = EITHER.into_iter().find(|of| keys.contains_key(*of)).unwrap_or_default();
                let needed = self.needed_for(of);
                let why = "this file has one store; write the query alone, as a text in quotes";
                return fault(value.span(), format!("`{key}`: {why}{needed}"));
            }
        };
        let call = match of {
            Some(of) => self.call_of(of, text(of, said)?),
            None => self.call_in(text(key, said)?),
        };
        let call = call.or_else(|why| fault(said.span(), format!("`{key}`: {why}")))?;
        Ok((call, said.span()))
    }

    /// What a text says behind this key.
    pub(super) fn call_of(self, key: &str, text: &str) -> Result<Call, String> {
        let store = match (key, self.beside) {
            ("redis", Some(beside)) => beside,
            _ => self.store,
        };
        self.call_at(store, text)
    }

    /// What a text says to the only store.
    pub(crate) fn call_in(self, text: &str) -> Result<Call, String> {
        self.call_at(self.store, text)
    }

    fn call_at(self, store: StoreKind, text: &str) -> Result<Call, String> {
        if text.trim().is_empty() {
            return Err("it says nothing".into());
        }
        let dialect = self.database.unwrap_or(store.dialect());
        // What takes two round trips, or could, is two steps: a statement order chooses when each of them runs.
        let statement = || match statements(dialect, text)[..] {
            [one] => Ok(Call::Sql(Sql::new(dialect, one.trim()))),
            [] => Err("it says nothing".to_owned()),
            [_, second, ..] => Err(format!(
                "there is a second statement, `{}`; each is a step of its own",
                shown(second.trim())
            )),
        };
        match store {
            StoreKind::Redis if is_sql(text) => {
                let needed = self.needed_for("sql");
                Err(format!("`{}` is SQL, and no command of Redis{needed}", shown(text.trim())))
            }
            StoreKind::Redis => {
                Ok(Call::Redis(text.split_whitespace().map(Template::parse).collect()))
            }
            // `DELETE` begins a statement as well as a request.
            StoreKind::Http if self.database.is_some() && !names_path(text) => statement(),
            StoreKind::Http => match RequestTemplate::parse(text)? {
                Some(request) => Ok(Call::Http(request)),
                None if self.database.is_some() => statement(),
                None => Err("expected a request, such as `GET /stock`; or name a [database], and \
                             ask that"
                    .into()),
            },
            _ => statement(),
        }
    }
}

/// The only key of a query, which says which store is asked, and its text.
fn only<'e, 'd>(
    key: &str,
    keys: &'e DeTable<'d>,
    value: &Entry<'_>,
) -> Result<(&'static str, &'e Entry<'d>), Fault> {
    let mut said = keys.iter();
    if let (Some((name, said)), None) = (said.next(), said.next())
        && let Some(of) = EITHER.into_iter().find(|of| name.get_ref() == of)
    {
        return Ok((of, said));
    }
    fault(value.span(), format!("`{key}` must be {WRITTEN}"))
}

/// Whether a text is a statement in SQL that no Redis server would take for a command.
fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    match words.next().unwrap_or_default().to_uppercase().as_str() {
        // This command chooses a database, by its number.
        "SELECT" => words.count() > 1,
        "INSERT" | "UPDATE" | "DELETE" | "WITH" => true,
        _ => false,
    }
}

/// Whether what stands behind the first word is a path.
fn names_path(text: &str) -> bool {
    text.split_whitespace().nth(1).is_some_and(|word| word.starts_with('/'))
}

/// Refuses a call that needs values which are not known there.
pub(super) fn check_names(call: &Call, known: &[String], span: &Range<usize>) -> Result<(), Fault> {
    match call.names().into_iter().find(|name| !known.iter().any(|known| known == name)) {
        Some(name) => fault(span.clone(), unknown(name, known)),
        None => Ok(()),
    }
}
