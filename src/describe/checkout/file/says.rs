//! What is sent to a store: how a text is read depends on which store it is.

use std::ops::Range;

use super::super::condition::unknown;
use super::super::request::RequestTemplate;
use super::super::step::Call;
use super::super::template::Template;
use super::entries::fault;
use crate::base::text::document::Fault;
use crate::base::text::nearest::shown;
use crate::base::text::sql::{Dialect, Sql, statements};
use crate::domain::store_kind::StoreKind;

/// The languages in which texts are read.
#[derive(Clone, Copy)]
pub(crate) struct Says {
    pub(crate) store: StoreKind,
    /// The dialect of the database beside a store that speaks no SQL; none if there is no such database.
    pub(crate) database: Option<Dialect>,
}

impl Says {
    /// The keys by which a step says something.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self.store {
            StoreKind::Redis => &["redis", "lua"],
            StoreKind::Http => &["http"],
            _ => &["sql"],
        }
    }

    /// What a text says.
    pub(crate) fn call_in(self, text: &str) -> Result<Call, String> {
        if text.trim().is_empty() {
            return Err("it says nothing".into());
        }
        let dialect = self.database.unwrap_or(self.store.dialect());
        // What takes two round trips, or could, is two steps: a statement order chooses when each of them runs.
        let statement = || match statements(dialect, text)[..] {
            [one] => Ok(Call::Sql(Sql::new(dialect, one.trim()))),
            [] => Err("it says nothing".to_owned()),
            [_, second, ..] => Err(format!(
                "there is a second statement, `{}`; each is a step of its own",
                shown(second.trim())
            )),
        };
        match self.store {
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
