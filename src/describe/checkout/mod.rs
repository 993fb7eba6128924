//! A checkout of one's own, described in a file: the statements that a shop sends, and what their answers mean.
//!
//! ```toml
//! store  = "postgres"
//! schema = "schema.sql"
//! seed   = "seed.sql"
//!
//! [[step]]
//! sql         = "SELECT stock FROM product WHERE id = :item"
//! save        = ["stock"]
//! sold_out_if = "stock < qty"
//!
//! [[step]]
//! sql = "UPDATE product SET stock = :stock - :qty WHERE id = :item"
//!
//! [[step]]
//! sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
//!
//! [audit]
//! stock  = "SELECT id, stock FROM product ORDER BY id"
//! orders = "SELECT buyer, product, qty FROM purchase"
//! ```
//!
//! Every key stands in `docs/reference/checkout.md`. A checkout is a [`Strategy`](crate::strategy::Strategy) whose ops are its
//! [steps](crate::domain::op::Op::Step), so every live world can run it; how a step is sent to a store is the store's
//! part.

mod code;
mod condition;
mod expiry;
pub(crate) mod file;
mod program;
mod reading;
mod request;
mod role;
pub(crate) mod script;
mod starter;
pub(crate) mod step;
pub(crate) mod template;
mod value;

pub use code::{BuyerCode, CodeContext, CodeEnd};
pub use condition::Condition;
pub use expiry::Expiry;
pub use program::ProgramTemplate;
pub use reading::{ProductStock, Shelves};
pub use request::{Find, JsonFind, RequestTemplate};
pub use role::Role;
pub use script::Script;
pub use starter::starter;
pub use step::{Call, Numbered, OnRefusal, Saved, Step, StepEnd};
pub use template::Template;
pub use value::{Answer, StoreValue, Values};

use std::sync::Arc;

use super::app::App;
use crate::base::error::Error;
use crate::base::text::server_url::ServerUrl;
use crate::base::text::sql::Dialect;
use crate::domain::isolation::Isolation;
use crate::domain::op::{BuyerId, MOST_ITEMS};
use crate::domain::settings::{Part, Setting, Settings};
use crate::domain::store_kind::StoreKind;

/// Values that every step knows by these names: the customer's number, the key of the product that it wants and how
/// many units, and an idempotency key of its own.
pub const GIVEN: [&str; 4] = ["buyer", "item", "qty", "key"];

/// The name of the value that is the status of a running shop's answer.
pub const STATUS: &str = "status";

/// The name of the value to which such an answer redirects the client; nothing if it does not redirect.
pub const LOCATION: &str = "location";

/// The name of the value that is what a program has printed.
pub const OUTPUT: &str = "output";

/// What a condition also knows: rows that the step returned or changed.
pub const ROWS: &str = "rows";

/// What a condition knows behind a step whose refusal does not end the attempt: whether the store has refused the last of
/// these steps. It is null if the store has not.
pub const REFUSED: &str = "refused";

/// Values that the statements of `setup` know.
pub const GIVEN_AT_SETUP: [&str; 2] = ["stock", "customers"];

/// What the audit asks the store.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// A row a product: its key and its stock; the stock alone if there is one.
    pub stock: Option<Call>,
    /// A row a line of an order: buyer, product and units; no product if there is one.
    pub orders: Option<Call>,
    /// Rules that must hold: each one's name, and the query that must return no row.
    pub never: Vec<(String, Call)>,
}

/// A checkout that was read from a file.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The file's path.
    pub path: &'static str,
    /// What it is about, for the reader; may be empty.
    pub title: String,
    /// The store that it is written for; of two, the SQL database.
    pub store: StoreKind,
    /// The store beside the SQL database, if there are two.
    pub beside: Option<StoreKind>,
    /// Where the shop is, if it is one that runs.
    pub url: Option<ServerUrl>,
    /// The database of such a shop, if statements are also sent to it directly: its kind, and its URL.
    pub database: Option<(StoreKind, ServerUrl)>,
    /// What makes the tables.
    pub schema: Option<Script>,
    /// What is in them before `setup`.
    pub seed: Option<Script>,
    /// What is sent after that, with values.
    pub setup: Vec<Call>,
    /// The roles that act in each customer's name, in turn.
    pub roles: Vec<Role>,
    /// What makes holds run out, if the file says so.
    pub expiry: Option<Expiry>,
    /// What the audit asks for.
    pub audit: Audit,
    /// Whether customers are interchangeable.
    pub alike: bool,
    /// Whether all buyers act in the name of the same customer.
    pub is_same_buyer: bool,
    /// The settings that stand in the file.
    pub settings: Vec<(&'static str, String)>,
    /// The application that the shop is, if one is started or found, prepared, and reset for each execution.
    pub app: Option<Arc<App>>,
}

impl Checkout {
    /// The number of the role of the buyer in this place. The first round of buyers has every role, in the order of the
    /// file; every later one has those that exist for each customer.
    #[must_use]
    pub fn role_number(&self, place: BuyerId) -> usize {
        let (place, first) = (place as usize, self.roles.len());
        match place.checked_sub(first) {
            None => place,
            Some(later) => self.lasting().nth(later % self.a_round()).unwrap_or_default(),
        }
    }

    /// The role of the buyer in this place.
    #[must_use]
    pub fn role(&self, place: BuyerId) -> &Role {
        &self.roles[self.role_number(place)]
    }

    /// The numbers of the roles that exist for each customer.
    fn lasting(&self) -> impl Iterator<Item = usize> {
        (0..self.roles.len()).filter(|number| !self.roles[*number].once)
    }

    /// How many buyers act for each customer after the first.
    fn a_round(&self) -> usize {
        self.lasting().count().max(1)
    }

    /// In which round of buyers, counted from 0, the buyer in this place comes.
    #[must_use]
    pub fn round(&self, place: BuyerId) -> BuyerId {
        let later = (place as usize).checked_sub(self.roles.len());
        later.map_or(0, |later| (later / self.a_round()) as BuyerId + 1)
    }

    /// Whether the audit counts units, and not only holds rules.
    #[must_use]
    pub fn counts_units(&self) -> bool {
        self.audit.stock.is_some()
    }

    /// The customer in whose name the buyer in this place acts, counted from 1.
    #[must_use]
    pub fn customer(&self, place: BuyerId) -> i64 {
        if self.is_same_buyer { 1 } else { i64::from(self.round(place)) + 1 }
    }

    /// The place of the buyer that buys for this customer.
    #[must_use]
    pub fn place_of(&self, customer: i64) -> Option<BuyerId> {
        let buys = self.roles.iter().position(|role| role.buys).unwrap_or(0);
        let place = match usize::try_from(customer.checked_sub(1)?).ok()? {
            0 => buys,
            customer => {
                let in_round = self.lasting().position(|number| number == buys)?;
                let before = (customer - 1).checked_mul(self.a_round())?;
                self.roles.len().checked_add(before)?.checked_add(in_round)?
            }
        };
        BuyerId::try_from(place).ok()
    }

    /// The number of buyers of a search where nothing says it: every role is there, and there are two at least.
    #[must_use]
    pub fn usual_buyers(&self) -> u32 {
        self.roles.len().max(2) as u32
    }

    /// The number of buyers that act for two customers.
    #[must_use]
    pub fn a_few(&self) -> u32 {
        (self.roles.len() + self.a_round()) as u32
    }

    /// How many customers there are if there are so many buyers, whatever their roles.
    #[must_use]
    pub fn customers(&self, buyers: u32) -> i64 {
        match buyers.checked_sub(1) {
            Some(last) => self.customer(last),
            None => 0,
        }
    }

    /// The names of its stores.
    #[must_use]
    pub fn store_names(&self) -> String {
        match self.beside {
            Some(beside) => format!("{} and {beside}", self.store),
            None => self.store.to_string(),
        }
    }

    /// Whether it can be sent to this store: another database than it was written for may understand it, too.
    ///
    /// # Errors
    /// [`Error::Input`] that says why not.
    pub fn check_store(&self, store: StoreKind) -> Result<(), Error> {
        let speaks_alike = store == self.store || store.is_sql() && self.store.is_sql();
        match speaks_alike {
            true => Ok(()),
            false => Err(Error::input(format!(
                "--store {store}: {} is written for {}; leave it out",
                self.path,
                self.store_names()
            ))),
        }
    }

    /// Whether a setting means something to it. `written` is the setting as its user wrote it, for the message.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn check_setting(&self, setting: &Setting, written: &str) -> Result<(), String> {
        let path = self.path;
        match (setting.flag.part, setting.name) {
            (Part::Tables, _) => {
                Err(format!("{written} is about tables of ours; {path} has its own"))
            }
            (Part::Carts, "cart") if self.takes_carts() => Ok(()),
            (Part::Carts, "cart") => Err(format!(
                "{written}: {path} takes one product; write `each = \"item\"` into the steps that take each product"
            )),
            (Part::Faults, _) if self.beside.is_some() => Err(format!(
                "{written} is for a checkout with one store; {path} uses {}",
                self.store_names()
            )),
            (Part::Faults, "crashes") if self.is_stepped_here() => Ok(()),
            (Part::Faults, "expiries") if self.is_stepped_here() => self.check_expiries(written),
            (Part::Carts | Part::Timers | Part::Faults, _) => Err(format!(
                "{written} means nothing to a checkout that is described in a file; leave it out"
            )),
            (_, "qty") if !self.steps_know("qty") => Err(format!(
                "{written}: {path} does not ask for it; write :qty where a step takes units"
            )),
            (_, "stock") if !self.setup_knows("stock") => Err(format!(
                "{written}: {path} does not ask for it; write a statement with :stock into its `setup`"
            )),
            _ => Ok(()),
        }
    }

    /// Whether its statements are sent from here, so that faults can happen between them.
    #[must_use]
    pub fn is_stepped_here(&self) -> bool {
        self.app.is_none() && self.store != StoreKind::Http
    }

    /// The files beside it that it names, and what is in them.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.schema.iter().chain(&self.seed);
        let files = files.map(|script| (script.path.as_str(), script.text.as_str()));
        let steps = self.roles.iter().flat_map(|role| &role.steps).map(|step| &step.call);
        files.chain(steps.filter_map(|call| match call {
            Call::Lua { name, code, .. } => Some((name.as_str(), code.as_str())),
            Call::Sql(_) | Call::Redis(_) | Call::Http(_) | Call::Program(_) | Call::Code(_) => {
                None
            }
        }))
    }

    /// Keeps it for as long as the process runs, as strategies are kept.
    #[must_use]
    pub fn kept(self) -> &'static Self {
        Box::leak(Box::new(self))
    }

    /// Whether any call of `setup` uses the value of this name.
    #[must_use]
    pub fn setup_knows(&self, name: &str) -> bool {
        self.setup.iter().any(|call| call.names().contains(&name))
    }

    /// Whether any of its steps uses the value of this name.
    #[must_use]
    pub fn steps_know(&self, name: &str) -> bool {
        let prepared = self.app.iter().flat_map(|app| &app.prepare);
        let mut steps = self.roles.iter().flat_map(|role| &role.steps).chain(prepared);
        steps.any(|step| {
            let conditions = step.when.iter().chain(step.ends.iter().map(|(holds, _)| holds));
            step.call.names().contains(&name)
                || conditions.into_iter().any(|condition| condition.names(name))
        })
    }

    /// Whether it makes steps for each product of a cart.
    #[must_use]
    pub fn takes_carts(&self) -> bool {
        self.roles.iter().any(|role| !role.loops.is_empty())
    }

    /// Whether any step begins a transaction.
    pub(crate) fn has_transactions(&self) -> bool {
        let begins = |step: &Step| match &step.call {
            Call::Sql(sql) => match sql.first_word().as_str() {
                "begin" | "start" => true,
                "savepoint" => sql.dialect == Dialect::Sqlite,
                _ => false,
            },
            Call::Redis(_)
            | Call::Lua { .. }
            | Call::Http(_)
            | Call::Program(_)
            | Call::Code(_) => false,
        };
        self.roles.iter().flat_map(|role| &role.steps).any(begins)
    }

    /// The settings, with those of the file in their place. The file's settings were checked when it was read.
    #[must_use]
    pub fn applied(&self, mut settings: Settings) -> Settings {
        settings.store = self.store;
        if self.takes_carts() {
            // How many products there are, the store says.
            settings.items = MOST_ITEMS as u8;
        }
        let database = match &self.app {
            Some(app) => app.upstreams.iter().map(|upstream| upstream.store).find(|s| s.is_sql()),
            None => Some(self.store),
        };
        if database == Some(StoreKind::Mysql) {
            // The server's default, unless the file says otherwise.
            settings.isolation = Isolation::RepeatableRead;
        }
        for (name, text) in &self.settings {
            let _ = settings.set(name, text);
        }
        settings
    }
}
