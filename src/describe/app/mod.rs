//! A user's running application, unmodified: how it is started, which databases it uses, how a buyer gets to the last
//! click, and how its state is reset.
//!
//! ```toml
//! [app]
//! command = ["python3", "shop.py"]
//! url     = "http://127.0.0.1:{port}"
//! env     = { PORT = "{port}", DATABASE_URL = "{postgres_url}" }
//!
//! [upstream.postgres]
//! schema = "schema.sql"
//!
//! [[prepare]]
//! http = "POST /login"
//! form = { user = "u{buyer}" }
//!
//! [[step]]
//! http      = "POST /buy"
//! bought_if = "status = 200"
//!
//! [audit]
//! stock  = "SELECT id, stock FROM product ORDER BY id"
//! orders = "SELECT buyer, product, qty FROM purchase"
//! ```
//!
//! A buyer can be a program instead of a request: `command = ["python3", "buy.py", "{buyer}"]`. Then nothing has to
//! answer at a `url`.
//!
//! Every key stands in `docs/reference/app.md`. What is raced and audited is a
//! [`Checkout`](crate::describe::checkout::Checkout) over HTTP, like that of any other shop; an [`App`] is what belongs
//! to it beside that.

mod file;
mod starter;

pub use starter::starter;

use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use super::checkout::script::Script;
use super::checkout::step::{Call, Step};
use super::checkout::template::Template;
use crate::base::text::server_url::ServerUrl;
use crate::domain::store_kind::StoreKind;

/// An application, and what stands around it.
#[derive(Clone, Debug)]
pub struct App {
    /// Where it answers; none if buyers are programs, and nothing runs beside them.
    pub url: Option<Template>,
    /// The path that is requested to see whether it answers; begins with a slash.
    pub health: String,
    /// How it is started, and what its programs run in; none if it runs already.
    pub launch: Option<Launch>,
    /// The databases behind it, each of which has a proxy in front.
    pub upstreams: Vec<Upstream>,
    /// How a buyer gets to the last click. Nothing is held meanwhile.
    pub prepare: Vec<Step>,
    /// How the state is reset before each schedule; none if the engine finds out what was written and undoes it.
    pub reset: Option<Reset>,
    /// What the application sends by itself, as the file says.
    pub ignored: Ignored,
    /// How long a request's own code may take from one statement to the next. After that, the engine assumes that it
    /// waits for something that the proxies cannot see.
    pub unseen_after: Duration,
    /// How long the application is watched at rest before the first checkout, if the file says so: what it sends then it
    /// sends by itself.
    pub watched_for: Option<Duration>,
}

/// How an application is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its arguments; empty if no application is started, and there are only programs that buy.
    pub command: Vec<Template>,
    /// Where it runs.
    pub folder: PathBuf,
    /// How many processes of it answer requests, each at a port of its own.
    pub copies: usize,
    /// What is added to its environment.
    pub env: Vec<(String, Template)>,
    /// Programs that are run before, each to its end.
    pub setup: Vec<Vec<Template>>,
    /// The longest that each of these programs may take.
    pub setup_timeout: Duration,
    /// The longest that it may take to answer.
    pub start_timeout: Duration,
    /// The file to which all is written that it prints, and its setup.
    pub log: Option<PathBuf>,
    /// Whether it is started anew for each execution. Where it remembers what restoring its data does not take back, it is
    /// in any case.
    pub is_fresh: bool,
}

/// A database behind it.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Which store it is.
    pub store: StoreKind,
    /// The URL of one that runs already; else a private one is started.
    pub url: Option<ServerUrl>,
    /// The port at which the application reaches it; 0 for any that is free.
    pub listen: u16,
    /// The script that creates its tables, if the application does not.
    pub schema: Option<Script>,
    /// The script that fills them.
    pub seed: Option<Script>,
}

/// Statements that the file calls the application's own: they are no buyer's.
#[derive(Clone, Debug, Default)]
pub struct Ignored {
    /// Tables: a statement that touches these and no others.
    pub tables: Vec<String>,
    /// Patterns: a statement whose text one of them matches.
    pub statements: Vec<Regex>,
    /// Names under which a client connects to PostgreSQL.
    pub application_names: Vec<String>,
}

/// How the state is reset, as the file says.
#[derive(Clone, Debug)]
pub struct Reset {
    /// Requests and statements.
    pub calls: Vec<Call>,
    /// Programs, each run to its end.
    pub commands: Vec<Vec<Template>>,
}

impl App {
    /// Whether an application is started.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.launch.as_ref().is_some_and(|launch| !launch.command.is_empty())
    }
}

impl Upstream {
    /// What the names of its values begin with, such as `postgres` in `{postgres_url}`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.store.name()
    }
}

/// The values of each upstream that a file can name, such as `{postgres_url}`.
pub const OF_UPSTREAM: [&str; 7] =
    ["url", "host", "port", "user", "password", "database", "certificate"];
