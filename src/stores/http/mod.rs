//! A shop that runs already and answers requests, as a checkout in a file describes them. It is raced as it is; the
//! statements that it sends to its database are not observed.

mod executor;
#[cfg(all(fuzzing, feature = "app"))]
pub(super) mod fuzzing;

pub(super) use executor::HttpExecutor;
#[cfg(feature = "app")]
pub(super) use executor::answer_of;

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value as Json;
use ureq::http::Uri;

use super::Address;
use super::address::on_loopback;
use super::remote::{
    Asker, Fixture, Link, NoWaits, Refusal, Server, StepConnection, StoreConfig, Watch, is_not_ours,
};
use crate::base::error::Error;
use crate::base::text::server_url::without_password;
use crate::describe::checkout::{Answer, Call, Checkout, Shelves, StoreValue, Values};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::BuyerHandle;
use executor::value;

/// Connects to the database of a shop, to run the checkout file's queries there.
type OpensAsker = fn(StoreKind, &str, &Address, &StoreConfig) -> Result<Box<dyn Asker>, Error>;

/// Opens the shop at the address, or at the URL in its file.
pub(super) fn open(
    checkout: Arc<Checkout>,
    address: &Address,
    terms: &StoreConfig,
    open_asker: OpensAsker,
) -> Result<Box<dyn Server>, Error> {
    let url = address.url.as_ref().or(checkout.url.as_ref()).ok_or_else(|| {
        Error::input(format!(
            "{}: where is the shop? write `url = \"http://localhost:8080\"`, or add --url",
            checkout.path
        ))
    })?;
    let expected = || Error::input(format!("--url: `{url}`; expected http://localhost:8080"));
    let uri: Uri = url.with_password().parse().map_err(|_| expected())?;
    if uri.scheme_str() != Some("http") {
        return Err(expected());
    }
    on_loopback(uri.host().ok_or_else(expected)?, address)?;
    let base = url.with_password().trim_end_matches('/').to_owned();
    let asker = match &checkout.database {
        Some((kind, url)) => Some(open_asker(*kind, url.with_password(), address, terms)?),
        None => None,
    };
    Ok(Box::new(HttpShop {
        executor: HttpExecutor::new(&base, terms.settings.patience, &terms.control),
        version: format!("the shop at {}", without_password(&base)),
        base,
        checkout,
        terms: terms.clone(),
        shelves: Arc::default(),
        asker: Mutex::new(asker),
    }))
}

/// A running shop.
struct HttpShop {
    /// The HTTP client for the setup and audit calls.
    executor: HttpExecutor,
    base: String,
    version: String,
    checkout: Arc<Checkout>,
    terms: StoreConfig,
    shelves: Arc<Shelves>,
    asker: Mutex<Option<Box<dyn Asker>>>,
}

impl HttpShop {
    fn link(&self, handle: Option<BuyerHandle>) -> Box<dyn Link> {
        let StoreConfig { settings, control, .. } = &self.terms;
        let executor = HttpExecutor::new(&self.base, settings.patience, control);
        let (checkout, shelves) = (Arc::clone(&self.checkout), Arc::clone(&self.shelves));
        Box::new(StepConnection::new(executor, checkout, shelves, self.terms.clone(), handle))
    }

    /// Runs a setup or audit call of the checkout file. If the call is wrong, the error names its key.
    fn ask(&self, key: &str, call: &Call, value_of: Values<'_>) -> Result<Answer, Error> {
        match call {
            Call::Sql(sql) => match &mut *self.asker.lock() {
                Some(asker) => {
                    asker.ask(&sql.text, value_of).map_err(|why| self.mistaken(key, why))
                }
                None => Err(self.mistaken(key, "there is no [database] to be asked".into())),
            },
            Call::Http(request) => {
                let heard =
                    self.executor.ask(request, value_of).map_err(|refusal| match refusal {
                        Refusal::Lost(text) => {
                            Error::world(format!("{}: {text}", without_password(&self.base)))
                        }
                        refusal => self.mistaken(key, refusal.text()),
                    })?;
                match heard.trouble() {
                    Some(why) => Err(self.mistaken(key, why)),
                    None => rows(heard.json.as_ref()).map_err(|why| self.mistaken(key, why)),
                }
            }
            Call::Redis(_) | Call::Lua { .. } | Call::Program(_) | Call::Code(_) => {
                Ok(Answer::default())
            }
        }
    }

    fn mistaken(&self, key: &str, why: String) -> Error {
        Error::input(format!("{}: `{key}`: {why}", self.checkout.path))
    }
}

/// An answer as the audit reads it: a list of rows, each a list of values or a single value; or one value alone.
pub(super) fn rows(json: Option<&Json>) -> Result<Answer, String> {
    let row = |element: &Json| match element {
        Json::Array(columns) => Ok(columns.iter().map(value).collect()),
        Json::Object(_) => {
            Err("a row is an object, and its columns have no order; answer with a list".to_owned())
        }
        one => Ok(vec![value(one)]),
    };
    let rows = match json {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(elements)) => elements.iter().map(row).collect::<Result<_, _>>()?,
        Some(one) => vec![row(one)?],
    };
    Ok(Answer::found(vec![String::new()], rows))
}

impl Server for HttpShop {
    fn kind(&self) -> StoreKind {
        StoreKind::Http
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.base.clone()
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        Ok(self.link(None))
    }

    fn connect_held(&self, handle: BuyerHandle, _: bool) -> Result<Box<dyn Link>, Error> {
        Ok(self.link(Some(handle)))
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(NoWaits))
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        let Fixture { stock, buyers, .. } = opening;
        let ask = |key: &str, call: &Call, values: Values<'_>| self.ask(key, call, values);
        let mistaken = |key: &str, why| self.mistaken(key, why);
        *self.shelves.write() = self.checkout.set_up(stock, buyers, ask, mistaken)?;
        Ok(())
    }

    fn take_stock(&self, _: Fixture) -> Result<Books, Error> {
        let shelves = self.shelves.read().clone();
        let ask = |key: &str, call: &Call| self.ask(key, call, &|_| StoreValue::Null);
        let books = self.checkout.look_into(&shelves, ask, |key, why| self.mistaken(key, why))?;
        Ok(Books { trouble: self.terms.take_trouble(), ..books })
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        Err(is_not_ours())
    }
}
