//! A running application as a server: a proxy in front of each of its databases holds the statements of its buyers.

mod certified;
mod customers;
mod kept;
mod launch;
mod passage;
mod programs;
mod upstreams;

pub use kept::forget_kept;
pub use passage::Passage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::Address;
use super::address::on_loopback;
use super::private::{ServerSandbox, TimeLimit};
use super::remote::{
    Fixture, Lesson, Link, LockScheduling, OverlapNotes, Refusal, Remarks, Server, SessionNumbers,
    StepConnection, StoreConfig, Watch, is_not_ours,
};
use super::upstream::{Endpoint, UpstreamDatabase};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::server_url::without_password;
use crate::describe::app::{App, Upstream};
use crate::describe::checkout::{
    Answer, Call, Checkout, RequestTemplate, Shelves, StoreValue, Values,
};
use crate::domain::books::Books;
use crate::domain::store_kind::StoreKind;
use crate::proxy::{Irregularities, Proxy, SessionTracker, groups_are_asleep};
use crate::scheduler::{BuyerHandle, ClientCode, HELD_INSIDE, Waits};
use crate::stores::http::{HttpExecutor, rows};
use certified::Certified;
use customers::{AppExecutor, Customers};
use kept::KeptDatabases;
use launch::{AppCopy, Named, launch};
use programs::Programs;

/// The fewest connections that a private server of an application accepts.
const CONNECTIONS: u32 = 200;

/// The shortest time-out of a request that prepares a buyer, or is raced.
const SHORTEST: Duration = Duration::from_secs(60);

/// How long an application is watched while no request is under way, to see what it sends by itself: at first, and if
/// it sends anything.
const WATCHED: Duration = Duration::from_millis(300);
const WATCHED_AT_WORK: Duration = Duration::from_millis(1_500);

/// Time in which it computes, or waits for a processor, does not count, but for so much; and how often it is looked at.
const AWAKE_AT_MOST: Duration = Duration::from_secs(10);
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// After how many executions it is watched in the same way.
const WATCHED_AFTERWARDS: u32 = 1;

/// How long it may take at most until it has done what its requests have put off, and how often it is asked for that.
const RESTLESS_AT_MOST: Duration = Duration::from_secs(5);
const ASKED_EVERY: Duration = Duration::from_millis(5);

/// Why each execution takes long, and why that is so: the file asks for it, or else the rehearsal has seen the need.
const FRESH: &str = "the application was started anew for each order, as `fresh` in [app] says";
const FORGETS: &str = "the application was started anew for each order: once its data was put back, it did not do the same again";

/// The longest that one program of a reset may take, where the application is not started here.
const RESETTING: Duration = Duration::from_secs(600);

/// Where requests go without a port.
const HTTP_PORT: u16 = 80;

/// A running application.
struct AppServer {
    checkout: Arc<Checkout>,
    app: Arc<App>,
    /// The processes of the application; there is at least one.
    copies: Vec<AppCopy>,
    version: String,
    terms: StoreConfig,
    shelves: Arc<Shelves>,
    customers: Arc<Customers>,
    /// Runs the steps that are programs; none if there are none.
    programs: Option<Arc<Programs>>,
    tracker: Arc<SessionTracker>,
    /// The handles of the buyers whose statements are held.
    handles: Mutex<Vec<BuyerHandle>>,
    /// The initial state, and the stock and number of customers that it was prepared for.
    kept: Mutex<Option<InitialState>>,
    /// How many buyers have come that are not held.
    connected: AtomicUsize,
    /// How often the application was watched after checkouts.
    watched: AtomicU32,
    /// Whether the application is started anew for each execution.
    is_fresh: AtomicBool,
    /// The names of the tables and keys that statements can touch, in the order of their numbers.
    parts: Mutex<Vec<String>>,
    /// The application. Declared first, so that it ends before the proxies and the databases that it uses.
    sandbox: Arc<Mutex<Option<ServerSandbox>>>,
    proxies: Vec<Proxy>,
    databases: Arc<Mutex<Vec<Box<dyn UpstreamDatabase>>>>,
    /// The file by which the application can check who it is connected to.
    certified: Certified,
}

/// The state at the beginning of each execution.
struct InitialState {
    customers: i64,
    stock: crate::domain::op::Units,
    books: Books,
}

/// Starts the application, or finds it running, with a proxy in front of each of its databases.
pub(super) fn open(
    checkout: &Arc<Checkout>,
    app: &Arc<App>,
    address: &Address,
    terms: &StoreConfig,
) -> Result<Box<dyn Server>, Error> {
    let tracker = Arc::new(SessionTracker::default());
    // The application decides how many connections it keeps open.
    let mut terms = terms.clone();
    let connections = &mut terms.settings_mut().connections;
    *connections = CONNECTIONS.max(*connections);
    let terms = &terms;
    let certified = Certified::make()?;
    launch::empty_log(app)?;
    let kept =
        address.keep.then(|| KeptDatabases::of(app, checkout.path, &terms.control)).transpose()?;
    if let Some(kept) = &kept
        && !kept.are_there(app, &terms.control)?
    {
        make_and_keep(app, address, terms, &certified, kept)?;
    }
    let mut behind = Behind::open(app, address, terms, &certified, &tracker, kept.as_ref())?;
    for database in &mut behind.databases {
        database.raise(terms.settings.isolation).map_err(Error::world)?;
    }
    let Behind { databases, proxies, named } = behind;
    let copies = AppCopy::all(app, &named)?;
    let ports = copies.iter().map(|copy| checked_port(copy, checkout.path, address));
    let ports = if app.url.is_some() { ports.collect::<Result<_, _>>()? } else { Vec::new() };
    let AppCopy { base, named } = &copies[0];
    if kept.is_none() {
        launch::set_up(app, named, &terms.control)?;
    }
    let sandbox = match app.is_started() {
        true => Some(launch(app, &copies, &terms.control)?),
        false if app.url.is_none() || launch::answers(app, base, &terms.control) => None,
        false => {
            return Err(Error::world(format!(
                "no application answers at {}{}; start it, or add `command` to [app] in {}",
                without_password(base),
                app.health,
                checkout.path
            )));
        }
    };
    let versions: Vec<&str> = databases.iter().map(|database| database.version()).collect();
    let version = versions.join(" and ");
    tracker.serves_at(ports, app.ignored.clone());
    let programs = Programs::of(checkout, app, named)?;
    let patience = terms.settings.patience.max(SHORTEST);
    Ok(Box::new(AppServer {
        customers: Arc::new(Customers::new(
            copies.iter().map(|copy| copy.base.clone()).collect(),
            patience,
            &terms.control,
            &tracker,
            programs.clone(),
        )),
        programs,
        checkout: Arc::clone(checkout),
        app: Arc::clone(app),
        copies,
        version,
        terms: terms.clone(),
        shelves: Arc::default(),
        tracker,
        handles: Mutex::default(),
        kept: Mutex::default(),
        connected: AtomicUsize::new(0),
        watched: AtomicU32::new(0),
        is_fresh: AtomicBool::new(app.launch.as_ref().is_some_and(|launch| launch.is_fresh)),
        parts: Mutex::default(),
        sandbox: Arc::new(Mutex::new(sandbox)),
        proxies,
        databases: Arc::new(Mutex::new(databases)),
        certified,
    }))
}

/// The databases behind an application, each with a proxy in front.
struct Behind {
    databases: Vec<Box<dyn UpstreamDatabase>>,
    proxies: Vec<Proxy>,
    named: Named,
}

impl Behind {
    /// Starts or finds them, filled by schema and seed, or with what was kept.
    fn open(
        app: &App,
        address: &Address,
        terms: &StoreConfig,
        certified: &Certified,
        tracker: &Arc<SessionTracker>,
        kept: Option<&KeptDatabases>,
    ) -> Result<Self, Error> {
        let mut behind = Self { databases: Vec::new(), proxies: Vec::new(), named: Named::new() };
        for (place, upstream) in app.upstreams.iter().enumerate() {
            let archive = kept.map(|kept| kept.archive(upstream.name()));
            let is_kept = archive.is_some();
            let mut terms = terms.clone();
            terms.archive = archive;
            let url = upstream.url.as_ref();
            let mut database = upstreams::open(upstream.store, url, address.allow_remote, &terms)?;
            if !is_kept {
                terms.control.begin("loading schema and seed");
                fill(&mut *database, upstream)?;
            }
            let first_session = SessionNumbers::of_server(place).first();
            let (server, certificate) = (database.behind(first_session), certified.certificate());
            let proxy = Proxy::open(upstream.listen, server, Arc::clone(tracker), certificate)?;
            behind.named.extend(names(upstream, database.endpoint(), proxy.port()));
            behind.named.push((format!("{}_certificate", upstream.name()), certified.path()));
            behind.proxies.push(proxy);
            behind.databases.push(database);
        }
        Ok(behind)
    }
}

/// Fills the databases, sets the application up, and keeps what came of it.
fn make_and_keep(
    app: &App,
    address: &Address,
    terms: &StoreConfig,
    certified: &Certified,
    kept: &KeptDatabases,
) -> Result<(), Error> {
    kept.remove(app);
    let before = kept.files()?;
    let behind = Behind::open(app, address, terms, certified, &Arc::default(), None)?;
    let Behind { mut databases, proxies, named } = behind;
    launch::set_up(app, &AppCopy::all(app, &named)?[0].named, &terms.control)?;
    drop(proxies);
    terms.control.begin("keeping the filled databases");
    for (database, upstream) in databases.iter_mut().zip(&app.upstreams) {
        database.archive(&terms.control, &kept.archive(upstream.name()))?;
    }
    kept.are_complete(&before)
}

/// Runs the schema and the seed of an upstream, if the file names them.
fn fill(database: &mut dyn UpstreamDatabase, upstream: &Upstream) -> Result<(), Error> {
    for script in upstream.schema.iter().chain(&upstream.seed) {
        database.run_script(&script.path, &script.text).map_err(Error::input)?;
    }
    Ok(())
}

/// The values that tell an application how to reach a database: the proxy's address, the login and the database's name.
fn names(upstream: &Upstream, endpoint: &Endpoint, port: u16) -> Named {
    let name = upstream.name();
    let scheme = match upstream.store {
        StoreKind::Postgres => "postgresql",
        store => store.name(),
    };
    let Endpoint { user, password, database, .. } = endpoint;
    let login = match (user.is_empty(), password.is_empty()) {
        (true, true) => String::new(),
        (_, true) => format!("{user}@"),
        _ => format!("{user}:{password}@"),
    };
    let url = format!("{scheme}://{login}127.0.0.1:{port}/{database}");
    let port = port.to_string();
    let host = "127.0.0.1";
    let all = [
        ("url", url.as_str()),
        ("host", host),
        ("port", &port),
        ("user", user),
        ("password", password),
        ("database", database),
    ];
    all.map(|(what, value)| (format!("{name}_{what}"), value.to_owned())).to_vec()
}

/// The port at which a copy of an application answers, if its address is one on this machine, or may be elsewhere.
fn checked_port(copy: &AppCopy, path: &str, address: &Address) -> Result<u16, Error> {
    let base = &copy.base;
    let expected = || {
        let base = without_password(base);
        Error::input(format!("{path}: `url`: `{base}`; expected http://127.0.0.1:{{port}}"))
    };
    let uri: ureq::http::Uri = base.parse().map_err(|_| expected())?;
    if uri.scheme_str() != Some("http") {
        return Err(expected());
    }
    on_loopback(uri.host().ok_or_else(expected)?, address)?;
    Ok(uri.port_u16().unwrap_or(HTTP_PORT))
}

impl AppServer {
    /// The copy that everything is asked which is no buyer's.
    fn first(&self) -> &AppCopy {
        &self.copies[0]
    }

    /// Runs a setup, reset or audit call of the checkout file. If the call is wrong, the error names its key.
    fn ask(&self, key: &str, call: &Call, value_of: Values<'_>) -> Result<Answer, Error> {
        let mistaken = |why: String| self.mistaken(key, &why);
        match call {
            Call::Sql(sql) => {
                let place = self.app.upstreams.iter().position(|upstream| upstream.store.is_sql());
                let place =
                    place.ok_or_else(|| mistaken("there is no database that speaks SQL".into()))?;
                self.databases.lock()[place].ask(&sql.text, value_of).map_err(mistaken)
            }
            Call::Http(request) => self.request(key, request, value_of),
            Call::Redis(_) | Call::Lua { .. } | Call::Program(_) | Call::Code(_) => {
                Ok(Answer::default())
            }
        }
    }

    fn request(
        &self,
        key: &str,
        request: &RequestTemplate,
        value_of: Values<'_>,
    ) -> Result<Answer, Error> {
        let StoreConfig { settings, control, .. } = &self.terms;
        let executor = HttpExecutor::new(&self.first().base, settings.patience, control);
        let ask = || executor.ask_unless_over(&self.terms.control, request, value_of);
        let heard = self.tracker.during_request(None, ask);
        let heard = heard.map_err(|refusal| match refusal {
            Refusal::Lost(text) => self.lost(&text),
            refusal => self.mistaken(key, &refusal.text()),
        })?;
        match heard.trouble() {
            Some(why) => Err(self.mistaken(key, &why)),
            None => rows(heard.json.as_ref()).map_err(|why| self.mistaken(key, &why)),
        }
    }

    fn mistaken(&self, key: &str, why: &str) -> Error {
        Error::input(format!("{}: `{key}`: {why}", self.checkout.path))
    }

    /// The last lines that the application has printed, as more lines of an error.
    fn printed(&self) -> String {
        let Some(said) = self.sandbox.lock().as_ref().map(ServerSandbox::last_words) else {
            return String::new();
        };
        let log = self.app.launch.as_ref().and_then(|launch| launch.log.as_ref());
        let more = match log {
            Some(log) => format!("all of it is in {}", log.display()),
            None => "`log` in [app] names a file for all of it".to_owned(),
        };
        format!("\n       the application printed: {said}\n       {more}")
    }

    /// Tells what the application has printed since this was last done.
    fn tell_news(&self) {
        if let Some(sandbox) = &*self.sandbox.lock() {
            sandbox.tell_news(&self.terms.control);
        }
    }

    /// The error of an application that no longer answers. If it was started here and has ended, with its last output.
    fn lost(&self, why: &str) -> Error {
        match self.sandbox.lock().as_ref().and_then(ServerSandbox::obituary) {
            Some(said) => Error::world(format!("the application has ended: {said}")),
            None => Error::world(format!("{}: {why}", without_password(&self.first().base))),
        }
    }

    /// Prepares the initial state: runs the setup and each customer's preparation, and reads which tables and keys
    /// there are.
    fn prepare(&self, opening: Fixture) -> Result<(), Error> {
        let Fixture { stock, buyers, .. } = opening;
        self.terms.control.begin("preparing the customers");
        let ask = |key: &str, call: &Call, values: Values<'_>| self.ask(key, call, values);
        let mistaken = |key: &str, why: String| self.mistaken(key, &why);
        let set_up = self.checkout.set_up(stock, buyers, ask, mistaken)?;
        *self.shelves.write() = set_up;
        let customers = self.checkout.customers(buyers);
        let prepared = self.customers.prepare(&self.app.prepare, customers, &self.shelves);
        self.tell_news();
        prepared.map_err(|(step, why)| {
            let obituary = self.sandbox.lock().as_ref().and_then(ServerSandbox::obituary);
            match obituary {
                Some(said) => Error::world(format!("the application has ended: {said}")),
                None if self.terms.control.is_over() => {
                    Error::world("interrupted while the customers were prepared")
                }
                None => {
                    let printed = self.printed();
                    Error::input(format!("{}:{}: {why}{printed}", self.checkout.path, step.line))
                }
            }
        })?;
        let mut parts = Vec::new();
        for database in self.databases.lock().iter_mut() {
            let names = database.get_to_know(parts.len()).map_err(Error::world)?;
            parts.extend(names);
        }
        self.tracker.knows_tables(&parts);
        *self.parts.lock() = parts;
        Ok(())
    }

    /// Opens a proxy in front of each database for the buyer in this place alone, and names their addresses.
    fn own_addresses(&self, place: usize) -> Result<(Vec<Proxy>, Named), Error> {
        let (mut proxies, mut named) = (Vec::new(), Named::new());
        let databases = self.databases.lock();
        for (number, (upstream, database)) in
            self.app.upstreams.iter().zip(databases.iter()).enumerate()
        {
            let behind = database.behind(SessionNumbers::of_server(number).first());
            let proxy =
                Proxy::open(0, behind, Arc::clone(&self.tracker), self.certified.certificate())?;
            self.tracker.serves_buyer(proxy.port(), place);
            named.extend(names(upstream, database.endpoint(), proxy.port()));
            proxies.push(proxy);
        }
        Ok((proxies, named))
    }

    /// Watches the application while no request is under way: what it sends then it sends by itself.
    fn watch_at_rest(&self, is_first: bool) {
        // Beside the code of a test nothing runs. Programs may have started something before.
        if self.app.url.is_none() && self.app.launch.is_none() {
            return;
        }
        self.terms.control.begin("watching the application at rest");
        if let Some(told) = self.app.watched_for.filter(|_| is_first) {
            self.pauses_asleep(told);
        } else if self.pauses_asleep(WATCHED) && self.tracker.is_busy() {
            self.pauses_asleep(WATCHED_AT_WORK);
        }
    }

    /// Pauses until the application, with all that it has started, has been asleep for so long, as far as that is seen,
    /// within bounds. A machine that is busy otherwise may not let it send anything. Returns whether that was not broken
    /// off.
    fn pauses_asleep(&self, most: Duration) -> bool {
        let groups = self.sandbox.lock().as_ref().map_or_else(Vec::new, ServerSandbox::groups);
        let clock = Wall::start();
        let mut awake_ns = 0;
        loop {
            let begun_ns = clock.now();
            if !self.terms.control.pause(LOOKED_EVERY) {
                return false;
            }
            let now = clock.now();
            if groups_are_asleep(&groups) == Some(false) {
                awake_ns += now - begun_ns;
            }
            if now >= nanos(most) + awake_ns.min(nanos(AWAKE_AT_MOST)) {
                return true;
            }
        }
    }

    /// Ends the application.
    fn end_application(&self) {
        self.sandbox.lock().take();
        for proxy in &self.proxies {
            proxy.hang_up();
        }
    }

    /// Starts the application that was ended. What it sends until it answers is no work of its own.
    fn start_again(&self) -> Result<(), Error> {
        self.tracker.during_request(None, || {
            let sandbox = launch(&self.app, &self.copies, &self.terms.control)?;
            *self.sandbox.lock() = Some(sandbox);
            self.tracker.has_restarted();
            self.terms.control.pause(WATCHED);
            Ok(())
        })
    }

    /// What is to be said of the statements that the application sends by itself.
    fn remark_on_own(&self) -> Option<String> {
        let disturbed: Vec<usize> = self.tracker.disturbed()?.tables().collect();
        let parts = self.parts.lock();
        let names = disturbed.iter().filter_map(|number| parts.get(*number).map(String::as_str));
        let names: Vec<&str> = names.collect();
        let names = if names.is_empty() { "what buyers use".to_owned() } else { names.join(", ") };
        Some(format!(
            "statements of the application's own may touch {names}, as buyers do: at which points they come was not chosen"
        ))
    }

    /// Runs the `[reset]` of the file, if there is one.
    fn reset(&self) -> Result<(), Error> {
        self.tracker.during_request(None, || self.reset_as_told())
    }

    fn reset_as_told(&self) -> Result<(), Error> {
        let Some(reset) = &self.app.reset else { return Ok(()) };
        for call in &reset.calls {
            self.ask("reset", call, &|_| StoreValue::Null)?;
        }
        if !reset.commands.is_empty() {
            let sandbox = ServerSandbox::make("TERM")?;
            for words in &reset.commands {
                let command = launch::command(words, &self.app, &self.first().named);
                let most = self.app.launch.as_ref().map_or(RESETTING, |it| it.setup_timeout);
                let most = TimeLimit { most, set_by: "`setup_timeout` in [app]" };
                sandbox.oversee(command, &self.terms.control, most)?;
            }
        }
        Ok(())
    }

    fn books(&self) -> Result<Books, Error> {
        let shelves = self.shelves.read().clone();
        let ask = |key: &str, call: &Call| self.ask(key, call, &|_| StoreValue::Null);
        self.checkout.look_into(&shelves, ask, |key, why| self.mistaken(key, &why))
    }

    /// Fails if the audit's books differ from those of the initial state.
    fn check_reset(&self, kept: &Books) -> Result<(), Error> {
        let now = self.books()?;
        let differs = match () {
            () if now.shelves != kept.shelves => {
                format!("the stock was {:?} and is {:?}", kept.shelves, now.shelves)
            }
            () if now.orders.len() != kept.orders.len() => {
                format!("there were {} orders and are {}", kept.orders.len(), now.orders.len())
            }
            () if now.broken != kept.broken => format!("{} is broken", now.broken.join(", ")),
            () => return Ok(()),
        };
        Err(Error::input(format!(
            "{}: putting everything back does not put back what the audit looks at: {differs}; see [reset]",
            self.checkout.path
        )))
    }
}

impl Server for AppServer {
    fn kind(&self) -> StoreKind {
        StoreKind::Http
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn url(&self) -> String {
        self.first().base.clone()
    }

    fn connect(&self) -> Result<Box<dyn Link>, Error> {
        Ok(self.link(None))
    }

    fn connect_held(&self, handle: BuyerHandle, _: bool) -> Result<Box<dyn Link>, Error> {
        let mut handles = self.handles.lock();
        if handle.place() == 0 {
            handles.clear();
        }
        handles.push(handle.clone());
        if let Some(programs) = &self.programs {
            let place = handle.place();
            programs.give_addresses(&self.checkout, place, || self.own_addresses(place))?;
        }
        Ok(self.link(Some(handle)))
    }

    fn client_code(&self) -> ClientCode {
        ClientCode::OneAtATime(self.app.unseen_after)
    }

    fn code_is_asleep(&self) -> Option<bool> {
        self.tracker.code_is_asleep()
    }

    fn is_over(&self) -> bool {
        self.terms.control.is_over()
    }

    fn start_fresh(&self, fresh: bool) -> bool {
        self.app.is_started() && self.is_fresh.swap(fresh, Ordering::SeqCst) != fresh
    }

    fn part_names(&self) -> Vec<String> {
        self.parts.lock().clone()
    }

    fn remarks(&self) -> Remarks {
        let Irregularities { own, parallel, unclear, left_open, shared } = self.tracker.sightings();
        let counted = [
            (
                own,
                "statement",
                "of no buyer's but the application's own, as far as is known, and let through unheld",
            ),
            (
                parallel,
                "statement",
                "sent by a request beside another of its own, and held in one order of the two",
            ),
            (unclear, "statement", "of one buyer or another, and taken for one's"),
            (
                shared,
                "statement",
                "over a connection that buyers share, and in its place there: there are orders that were not run",
            ),
            (left_open, "request", "answered with a transaction left open"),
        ];
        let is_own = |brief: &str| self.tracker.is_only_own(brief);
        let databases = self.databases.lock();
        let mut told: Vec<String> =
            databases.iter().flat_map(|database| database.overlaps(&is_own)).collect();
        drop(databases);
        told.extend(self.remark_on_own());
        let hides_orders = shared + unclear + parallel > 0 || !told.is_empty();
        if self.is_fresh.load(Ordering::SeqCst) {
            let is_asked_for = self.app.launch.as_ref().is_some_and(|launch| launch.is_fresh);
            told.insert(0, if is_asked_for { FRESH } else { FORGETS }.to_owned());
        }
        Remarks { counted: counted.into(), told, hides_orders }
    }

    fn learned(&self) -> Result<i64, Error> {
        let mut databases = self.databases.lock();
        databases.iter_mut().try_fold(0, |all: i64, database| {
            Ok(all.wrapping_add(database.learned().map_err(Error::world)?))
        })
    }

    fn lessons(&self) -> Result<Vec<Lesson>, Error> {
        let mut databases = self.databases.lock();
        databases.iter_mut().map(|database| database.lesson().map_err(Error::world)).collect()
    }

    fn teach(&self, lessons: &[Lesson]) -> Result<(), Error> {
        let mut databases = self.databases.lock();
        let mut each = databases.iter_mut().zip(lessons);
        each.try_for_each(|(database, lesson)| database.teach(lesson).map_err(Error::world))
    }

    fn overlap_notes(&self) -> Vec<OverlapNotes> {
        self.databases.lock().iter().map(|database| database.overlap_notes()).collect()
    }

    fn add_overlap_notes(&self, notes: &[OverlapNotes]) {
        for (database, notes) in self.databases.lock().iter().zip(notes) {
            database.add_overlap_notes(notes.clone());
        }
    }

    fn watch(&self) -> Result<Box<dyn Watch>, Error> {
        Ok(Box::new(Guard {
            control: self.terms.control.clone(),
            databases: Arc::clone(&self.databases),
            tracker: Arc::clone(&self.tracker),
            sandbox: Arc::clone(&self.sandbox),
            programs: self.programs.clone(),
        }))
    }

    fn stock_up(&self, opening: Fixture) -> Result<(), Error> {
        self.tracker.stands_aside();
        let is_fresh = self.is_fresh.load(Ordering::SeqCst) && self.kept.lock().is_some();
        if is_fresh {
            self.end_application();
        }
        let customers = self.checkout.customers(opening.buyers);
        let mut kept = self.kept.lock();
        let is_known = kept
            .as_ref()
            .is_some_and(|kept| kept.customers == customers && kept.stock == opening.stock);
        if is_known && self.app.reset.is_some() {
            if is_fresh {
                self.start_again()?;
            }
            // What orders have shown of statements stays known; what is sent to reset and prepare the shop does not count.
            let (lessons, notes) = (self.lessons()?, self.overlap_notes());
            self.reset()?;
            self.prepare(opening)?;
            self.teach(&lessons)?;
            self.add_overlap_notes(&notes);
        } else if is_known {
            if self.watched.fetch_add(1, Ordering::SeqCst) < WATCHED_AFTERWARDS {
                self.watch_at_rest(false);
            }
            for database in self.databases.lock().iter_mut() {
                database.put_back().map_err(|why| {
                    Error::world(format!(
                        "cannot put everything back: {why}; has a request left a transaction open?"
                    ))
                })?;
            }
            if is_fresh {
                self.start_again()?;
            }
            self.customers.put_back();
        } else {
            // A state that was prepared for another stock or number of customers is undone first.
            let has_reset = kept.is_some() && self.app.reset.is_some();
            if kept.is_some() && !has_reset {
                for database in self.databases.lock().iter_mut() {
                    database.put_back().map_err(Error::world)?;
                }
            }
            if is_fresh {
                self.start_again()?;
            }
            if has_reset {
                self.reset()?;
            }
            self.prepare(opening)?;
            self.tracker.is_prepared();
            self.watch_at_rest(true);
            if self.app.reset.is_none() {
                for database in self.databases.lock().iter_mut() {
                    database.keep().map_err(Error::world)?;
                }
            }
            let books = self.books()?;
            *kept = Some(InitialState { customers, stock: opening.stock, books });
        }
        if let Some(kept) = kept.as_ref().filter(|_| is_known) {
            self.check_reset(&kept.books)?;
        }
        self.terms.take_trouble();
        self.tracker.take_deadlocks();
        let handles = self.handles.lock().clone();
        if !handles.is_empty() {
            self.tracker.holds(handles);
        }
        Ok(())
    }

    fn come_to_rest(&self) -> bool {
        let clock = Wall::start();
        while clock.now() < nanos(RESTLESS_AT_MOST) && !self.tracker.is_at_rest() {
            if !self.terms.control.pause(ASKED_EVERY) {
                break;
            }
        }
        true
    }

    fn take_stock(&self, _: Fixture) -> Result<Books, Error> {
        let (trouble, deadlocks) = (self.terms.take_trouble(), self.tracker.take_deadlocks());
        self.tell_news();
        let said = self.sandbox.lock().as_ref().map(ServerSandbox::last_words);
        let trouble = match (trouble, said) {
            (Some(trouble), Some(said)) if self.customers.take_erred() => {
                Some(format!("{trouble}; the application printed: {said}"))
            }
            (trouble, _) => trouble,
        };
        Ok(Books { trouble, deadlocks, ..self.books()? })
    }

    fn kill_and_restart(&self, _number: u32) -> Result<(), Error> {
        Err(is_not_ours())
    }
}

impl AppServer {
    fn link(&self, handle: Option<BuyerHandle>) -> Box<dyn Link> {
        let shares_customers = self.checkout.is_same_buyer || self.checkout.roles.len() > 1;
        let number = (handle.is_none() && shares_customers)
            .then(|| self.connected.fetch_add(1, Ordering::Relaxed));
        let (customers, tracker) = (Arc::clone(&self.customers), Arc::clone(&self.tracker));
        let is_scheduled = handle.is_some();
        let executor = AppExecutor::new(customers, tracker, handle, number);
        let (checkout, shelves) = (Arc::clone(&self.checkout), Arc::clone(&self.shelves));
        let steps = StepConnection::new(executor, checkout, shelves, self.terms.clone(), None);
        Box::new(steps.scheduled(is_scheduled))
    }
}

impl Drop for AppServer {
    fn drop(&mut self) {
        // Statements that are held go on, and the application ends before its databases do.
        self.tracker.stands_aside();
        self.sandbox.lock().take();
        if let Some(programs) = &self.programs {
            programs.close();
        }
        self.proxies.clear();
    }
}

/// Asks each database which sessions wait, and checks that the application still runs.
struct Guard {
    control: Control,
    databases: Arc<Mutex<Vec<Box<dyn UpstreamDatabase>>>>,
    tracker: Arc<SessionTracker>,
    sandbox: Arc<Mutex<Option<ServerSandbox>>>,
    programs: Option<Arc<Programs>>,
}

impl Guard {
    fn has_ended(&self) -> Option<Error> {
        if let Some(left_behind) =
            self.programs.as_ref().and_then(|programs| programs.left_behind())
        {
            return Some(left_behind);
        }
        let said = self.sandbox.lock().as_ref().and_then(ServerSandbox::obituary)?;
        Some(Error::world(format!("the application has ended: {said}")))
    }
}

impl Guard {
    /// Runs `work` on the database of a session, with the number by which that database knows the session.
    fn at(
        &self,
        session: i64,
        work: impl FnOnce(&mut dyn UpstreamDatabase, i64) -> Result<(), String>,
    ) -> Result<(), Error> {
        let Some((place, session)) = SessionNumbers::split(session) else { return Ok(()) };
        match self.databases.lock().get_mut(place) {
            Some(database) => work(&mut **database, session).map_err(Error::world),
            None => Ok(()),
        }
    }
}

/// How many times to check whether a program that has closed its connections has ended, and how long to wait between
/// two checks.
const LOOKS: u32 = 20;
const GLANCE: Duration = Duration::from_millis(5);

impl Watch for Guard {
    fn obituary(&mut self) -> Option<Error> {
        (0..LOOKS).find_map(|_| {
            self.has_ended().or_else(|| {
                self.control.pause(GLANCE);
                None
            })
        })
    }

    fn waits(&mut self) -> Result<Waits, Error> {
        if let Some(ended) = self.has_ended() {
            return Err(ended);
        }
        let mut all = Waits::new();
        for (place, database) in self.databases.lock().iter_mut().enumerate() {
            let waits = database.waits().map_err(Error::world)?;
            all.extend(SessionNumbers::of_server(place).waits(waits));
        }
        // What the application itself is doing will end by itself, unless it waits for a buyer.
        let waiting: Vec<i64> = all.iter().map(|(who, _)| *who).collect();
        all.retain(|(_, whom)| {
            let is_known = ![0, HELD_INSIDE].contains(whom) && !waiting.contains(whom);
            !is_known || !self.tracker.works_by_itself(*whom)
        });
        Ok(all)
    }

    fn lock_scheduling(&mut self) -> Result<LockScheduling, Error> {
        let mut of_all = LockScheduling::FirstComeFirstServed;
        for database in self.databases.lock().iter_mut() {
            of_all = of_all.max(database.lock_scheduling().map_err(Error::world)?);
        }
        Ok(of_all)
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |database, session| database.hold_inside(session))
    }

    fn let_act(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |database, session| database.let_act(session))
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |database, session| database.hold_no_more(session))
    }
}
