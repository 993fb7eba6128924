//! `interleave(|database_url, buyer| async move { … })`: every statement order of code that uses a database, in a user's
//! `#[test]`.

use std::error::Error as StdError;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::bound::{ENOUGH_ORDERS, Plan, PreemptionBound};
use super::buyer_task;
use super::exploration::{Exploration, proved};
use super::server::orders::{replay_orders, search_orders, server_for};
use super::server::rehearsal::as_furnished;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::sql::Sql;
use crate::describe::app::{App, Ignored, Upstream};
use crate::describe::checkout::{
    Audit, BuyerCode, Call, Checkout, CodeEnd, Condition, Role, STATUS, Saved, Script, Step,
    StepEnd,
};
use crate::domain::finding::FindingKind;
use crate::domain::isolation::Isolation;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::Schedule;
use crate::stores::Address;
use crate::stores::remote::Server;

/// How long the code may take from one statement to the next. After that it is taken to wait for something that is not
/// seen, such as a lock of its own.
const UNSEEN_AFTER: Duration = Duration::from_secs(5);

/// What came of it when a buyer's code has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sale {
    /// The buyer was told that it has what it came for.
    Bought,
    /// The buyer was told that too little is left.
    SoldOut,
}

/// Prepares a search through every statement order of code that uses a database: 2 buyers at a private PostgreSQL
/// server, until told otherwise.
///
/// The code is run as it is, once for each buyer and order. It is given the URL of its database and the number of its
/// buyer, counted from 1. Each buyer has a thread with a runtime of Tokio of its own, and a URL of its own, which leads
/// through a proxy that holds each statement until its turn comes. An error or a panic is a buyer whose checkout has
/// failed.
///
/// ```no_run
/// use oversell_sim::Sale;
///
/// oversell_sim::interleave(|database_url, buyer| async move {
///     let (mut client, connection) =
///         tokio_postgres::connect(&database_url, tokio_postgres::NoTls).await?;
///     tokio::spawn(connection);
///     let transaction = client.transaction().await?;
///     let look = "SELECT stock FROM product WHERE id = 1 FOR UPDATE";
///     let stock: i32 = transaction.query_one(look, &[]).await?.get(0);
///     if stock < 1 {
///         return Ok::<_, tokio_postgres::Error>(Sale::SoldOut);
///     }
///     transaction.execute("UPDATE product SET stock = $1 WHERE id = 1", &[&(stock - 1)]).await?;
///     let order = "INSERT INTO purchase (buyer, product) VALUES ($1, 1)";
///     transaction.execute(order, &[&(buyer as i32)]).await?;
///     transaction.commit().await?;
///     Ok(Sale::Bought)
/// })
/// .schema(
///     "CREATE TABLE product (id int PRIMARY KEY, stock int NOT NULL);
///      CREATE TABLE purchase (buyer int NOT NULL, product int NOT NULL)",
/// )
/// .seed("INSERT INTO product VALUES (1, 1)")
/// .stock("SELECT id, stock FROM product ORDER BY id")
/// .orders("SELECT buyer, product, 1 FROM purchase")
/// .assert_proved();
/// ```
#[track_caller]
pub fn interleave<C, F, E>(code: C) -> Interleave
where
    C: Fn(String, u32) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Sale, E>> + 'static,
    E: Into<Box<dyn StdError>> + 'static,
{
    let code = Arc::new(code);
    Interleave {
        code: BuyerCode::new(move |context| buyer_task::run(&code, context)),
        caller: Location::caller(),
        store: StoreKind::Postgres,
        schema: None,
        seed: None,
        stock: None,
        orders: None,
        never: Vec::new(),
        buyers: 2,
        alike: false,
        isolation: None,
        preemptions: None,
        max_time: None,
    }
}

/// A search through the statement orders of code that has not been run yet. Made by [`interleave`].
#[derive(Clone, Debug)]
#[must_use = "a search does nothing until it is run"]
pub struct Interleave {
    code: BuyerCode,
    caller: &'static Location<'static>,
    store: StoreKind,
    schema: Option<String>,
    seed: Option<String>,
    stock: Option<String>,
    orders: Option<String>,
    never: Vec<(String, String)>,
    buyers: u32,
    alike: bool,
    isolation: Option<Isolation>,
    preemptions: Option<u32>,
    max_time: Option<Duration>,
}

impl Interleave {
    /// The database: [`StoreKind::Postgres`], unless said otherwise, or [`StoreKind::Mysql`].
    pub fn store(mut self, store: StoreKind) -> Self {
        self.store = store;
        self
    }

    /// The statements that make the tables.
    pub fn schema(mut self, statements: impl Into<String>) -> Self {
        self.schema = Some(statements.into());
        self
    }

    /// The statements that fill them.
    pub fn seed(mut self, statements: impl Into<String>) -> Self {
        self.seed = Some(statements.into());
        self
    }

    /// The query that asks for the stock: a row for each product, its key and its units.
    pub fn stock(mut self, query: impl Into<String>) -> Self {
        self.stock = Some(query.into());
        self
    }

    /// The query that asks for the orders: a row for each line of an order, with buyer, product and units. It is held
    /// against the stock, and against what each buyer was told.
    pub fn orders(mut self, query: impl Into<String>) -> Self {
        self.orders = Some(query.into());
        self
    }

    /// A rule by its name, and a query that must return no row.
    pub fn never(mut self, rule: impl Into<String>, query: impl Into<String>) -> Self {
        self.never.push((rule.into(), query.into()));
        self
    }

    /// How many buyers run the code.
    pub fn buyers(mut self, buyers: u32) -> Self {
        self.buyers = buyers;
        self
    }

    /// Whether buyers are interchangeable, so that the search is shorter: the code does the same for each, whatever its
    /// number.
    pub fn alike(mut self, alike: bool) -> Self {
        self.alike = alike;
        self
    }

    /// The isolation level of transactions that name none.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Only orders in which buyers that could go on are made to wait at most this many times.
    pub fn preemptions(mut self, most: u32) -> Self {
        self.preemptions = Some(most);
        self
    }

    /// The longest that the search may take.
    pub fn max_time(mut self, most: Duration) -> Self {
        self.max_time = Some(most);
        self
    }

    /// Runs the search: the orders that are likely to break something first, then those with few preemptions, then all. A
    /// finding among the first ends it.
    ///
    /// # Errors
    /// [`Error::Input`] for code that fails when buyers come one after the other, or for statements that the database
    /// refuses; [`Error::World`] when it cannot be started.
    pub fn run(&self) -> Result<Exploration, Error> {
        let preemptions = match self.preemptions {
            Some(most) => PreemptionBound::AtMost(most),
            None => PreemptionBound::FewFirst,
        };
        let plan = Plan {
            preemptions: Some(preemptions),
            likely_first: true,
            enough_after_finding: Some(ENOUGH_ORDERS),
            ..Plan::EVERYTHING
        };
        self.at_server(|checkout, settings, server, control| {
            let is_over = || control.is_over();
            search_orders(checkout, settings, server, plan, &is_over).map(|(found, _)| found)
        })
    }

    /// Follows one schedule, such as `ABBA`.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`Error::Input`] for a schedule that cannot be followed.
    pub fn replay(&self, schedule: &str) -> Result<Exploration, Error> {
        let schedule: Schedule = schedule.parse().map_err(Error::Input)?;
        self.at_server(|checkout, settings, server, _| {
            replay_orders(checkout, settings, server, &schedule)
        })
    }

    /// Runs the search and insists on a proof: no finding, in any statement order.
    ///
    /// # Panics
    /// With the schedule to a finding as a timeline, if there is one; if the search could not prove that there is none; and
    /// if it could not be run.
    #[track_caller]
    pub fn assert_proved(&self) -> Exploration {
        proved(self.run())
    }

    /// Starts the database, and explores there.
    fn at_server(
        &self,
        explores: impl FnOnce(&Checkout, &Settings, &dyn Server, &Control) -> Result<Exploration, Error>,
    ) -> Result<Exploration, Error> {
        let checkout = self.checkout()?.kept();
        let mut settings =
            checkout.applied(Settings { buyers: self.buyers, ..Settings::default() });
        settings.isolation = self.isolation.unwrap_or(settings.isolation);
        settings.check()?;
        let control = Control::default();
        let server = server_for(checkout, &settings, &Address::default(), &control)?;
        let settings = as_furnished(checkout, settings, &*server)?;
        control.end_after(self.max_time);
        let found = explores(checkout, &settings, &*server, &control)?;
        Ok(self.signed(found))
    }

    /// The code as a checkout.
    fn checkout(&self) -> Result<Checkout, Error> {
        let Self { store, stock, orders, never, .. } = self;
        let mistaken = |why: &str| Err(Error::input(format!("{}: {why}", self.caller)));
        if !matches!(store, StoreKind::Postgres | StoreKind::Mysql) {
            return mistaken(&format!(
                "no proxy holds the statements of {store}; use StoreKind::Postgres or StoreKind::Mysql"
            ));
        }
        if stock.is_some() != orders.is_some() {
            return mistaken(
                "`stock` and `orders` are held against each other: give both, or neither",
            );
        }
        if stock.is_none() && never.is_empty() {
            return mistaken("nothing is audited: add `stock` and `orders`, or `never`");
        }
        let call = |query: &String| Call::Sql(Sql::new(store.dialect(), query.trim()));
        let is_sold_out = Condition::parse(
            &format!("{STATUS} = {}", CodeEnd::STATUS_SOLD_OUT),
            &[STATUS.to_owned()],
        );
        let step = Step {
            name: None,
            line: self.caller.line() as usize,
            call: Call::Code(self.code.clone()),
            when: None,
            save: vec![Saved { name: STATUS.to_owned(), may_be_none: true }],
            ends: vec![(is_sold_out.map_err(Error::Input)?, StepEnd::SoldOut)],
            if_refused: None,
        };
        let script = |what: &str, text: &Option<String>| {
            let path = format!("{}: `{what}`", self.caller);
            text.clone().map(|text| Script { path, text })
        };
        let upstream = Upstream {
            store: *store,
            url: None,
            listen: 0,
            schema: script("schema", &self.schema),
            seed: script("seed", &self.seed),
        };
        let app = App {
            url: None,
            health: "/".into(),
            launch: None,
            upstreams: vec![upstream],
            prepare: Vec::new(),
            reset: None,
            ignored: Ignored::default(),
            unseen_after: UNSEEN_AFTER,
            watched_for: None,
        };
        Ok(Checkout {
            path: self.caller.file(),
            title: String::new(),
            store: StoreKind::Http,
            beside: None,
            url: None,
            database: None,
            schema: None,
            seed: None,
            setup: Vec::new(),
            roles: vec![Role {
                name: String::new(),
                buys: stock.is_some(),
                once: false,
                steps: vec![step],
                loops: Vec::new(),
            }],
            expiry: None,
            audit: Audit {
                stock: stock.as_ref().map(call),
                orders: orders.as_ref().map(call),
                never: never.iter().map(|(name, query)| (name.clone(), call(query))).collect(),
            },
            alike: self.alike,
            is_same_buyer: false,
            settings: Vec::new(),
            app: Some(Arc::new(app)),
        })
    }

    /// Replaces the commands that show a finding again by what to write in the same test.
    fn signed(&self, mut exploration: Exploration) -> Exploration {
        let again = |schedule: &str| {
            format!(
                "{}: end the call with .replay({schedule:?}), and print what it returns",
                self.caller
            )
        };
        for incident in &mut exploration.incidents {
            incident.again = again(&incident.schedule);
        }
        for told in &mut exploration.findings {
            told.again = match told.finding.kind {
                FindingKind::Livelock => format!("{}: run the search again", self.caller),
                _ => again(&told.schedule),
            };
            told.by_hand = None;
        }
        exploration
    }
}
