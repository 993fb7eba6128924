//! Reading a checkout from its file, with every mistake's place.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::{Condition, unknown};
use super::request::Request;
use super::step::{Call, End, Saved, Step};
use super::template::Template;
use super::{Audit, Checkout, GIVEN, GIVEN_AT_SETUP, ROWS, Role, STATUS, Script};
use crate::error::Error;
use crate::settings::Settings;
use crate::stores::StoreKind;
use crate::text::document::{self, Fault, plain_text};
use crate::text::nearest::{did_you_mean, shown};

type Entry<'d> = Spanned<DeValue<'d>>;

const TOP: [&str; 11] = [
    "title", "store", "url", "database", "schema", "seed", "setup", "alike", "step", "role",
    "audit",
];

const DATABASE: [&str; 2] = ["store", "url"];

/// Settings that a file may give; flags go before them.
const SETTINGS: [&str; 5] = ["buyers", "stock", "qty", "retries", "isolation"];

const STEP: [&str; 16] = [
    "name",
    "sql",
    "redis",
    "lua",
    "keys",
    "arguments",
    "http",
    "headers",
    "body",
    "when",
    "save",
    "bought_if",
    "sold_out_if",
    "conflict_if",
    "failed_if",
    "if_refused",
];

const ROLE: [&str; 3] = ["name", "buys", "step"];

const AUDIT: [&str; 3] = ["stock", "orders", "never"];

/// The most steps of one role.
const MOST_STEPS: usize = 200;

/// The most roles.
const MOST_ROLES: usize = 8;

impl Checkout {
    /// Every key that a file may have: its table, nothing for the top, and its name.
    pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
        let top = TOP.into_iter().chain(SETTINGS);
        let of = |table: &'static str| move |key: &'static str| (table, key);
        top.map(of(""))
            .chain(STEP.into_iter().map(of("step")))
            .chain(ROLE.into_iter().map(of("role")))
            .chain(DATABASE.into_iter().map(of("database")))
            .chain(AUDIT.into_iter().map(of("audit")))
    }

    /// Reads a file, and those that it names, which lie beside it. Its path is kept for as long as the process runs.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column when it does not make sense, or cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let source = document::read(path, "checkout")?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let path = path.display().to_string();
        let reader = Reader { source: &source, folder };
        reader.checkout(&path).map_err(|fault| fault.in_file(&path, &source))
    }
}

/// Somebody who reads one file.
struct Reader<'r> {
    source: &'r str,
    folder: &'r Path,
}

fn fault<T>(span: Range<usize>, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { span, message: message.into() })
}

fn text<'d>(key: &str, value: &'d Entry<'_>) -> Result<&'d str, Fault> {
    value
        .get_ref()
        .as_str()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be a text in quotes")), Ok)
}

fn switch(key: &str, value: &Entry<'_>) -> Result<bool, Fault> {
    value
        .get_ref()
        .as_bool()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be true or false")), Ok)
}

/// Texts: one, or a list of them.
fn texts<'d, 's>(key: &str, value: &'d Entry<'s>) -> Result<Vec<(&'d str, Range<usize>)>, Fault> {
    let one = |value: &'d Entry<'s>| Ok((text(key, value)?, value.span()));
    match value.get_ref().as_array() {
        Some(array) => array.iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

fn table<'d, 's>(key: &str, value: &'d Entry<'s>) -> Result<&'d DeTable<'s>, Fault> {
    value
        .get_ref()
        .as_table()
        .map_or_else(|| fault(value.span(), format!("`{key}` must be a table: write [{key}]")), Ok)
}

fn tables<'d, 's>(key: &str, value: &'d Entry<'s>) -> Result<Vec<&'d Entry<'s>>, Fault> {
    let is_wrong = || format!("`{key}` must be a list of tables: write [[{key}]]");
    let array = value.get_ref().as_array();
    let Some(array) = array else { return fault(value.span(), is_wrong()) };
    match array.iter().find(|entry| entry.get_ref().as_table().is_none()) {
        Some(wrong) => fault(wrong.span(), is_wrong()),
        None => Ok(array.iter().collect()),
    }
}

/// Refuses keys that are not known.
fn check_keys(table: &DeTable<'_>, known: &[&'static str], of: &str) -> Result<(), Fault> {
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

impl Reader<'_> {
    fn checkout(&self, path: &str) -> Result<Checkout, Fault> {
        let document = document::parse(self.source)?;
        let top = document.get_ref();
        let known: Vec<&str> = TOP.into_iter().chain(SETTINGS).collect();
        check_keys(top, &known, "a checkout")?;
        let Some(store) = top.get("store") else {
            return fault(
                0..0,
                "`store` is missing: which store is it written for? `store = \"postgres\"`",
            );
        };
        let kind = match text("store", store)? {
            "http" => StoreKind::Http,
            name => StoreKind::parse(name)
                .or_else(|why| fault(store.span(), format!("`store`: {why}, http")))?,
        };
        if !kind.is_sql() && !matches!(kind, StoreKind::Redis | StoreKind::Http) {
            return fault(
                store.span(),
                format!(
                    "`store`: nobody can say statements to {kind}; there are sqlite, postgres, mysql, redis \
                     and http"
                ),
            );
        }
        let mut checkout = Checkout {
            path: path.to_owned().leak(),
            title: String::new(),
            store: kind,
            url: None,
            database: None,
            schema: None,
            seed: None,
            setup: Vec::new(),
            roles: Vec::new(),
            audit: Audit::default(),
            alike: false,
            settings: Vec::new(),
        };
        let says = Says { store: kind, has_database: top.contains_key("database") };
        for (key, value) in top {
            match key.get_ref().as_ref() {
                "title" => text("title", value)?.clone_into(&mut checkout.title),
                "schema" => checkout.schema = Some(self.script("schema", value)?),
                "seed" => checkout.seed = Some(self.script("seed", value)?),
                "url" => checkout.url = Some(text("url", value)?.to_owned()),
                "database" => checkout.database = Some(database(value)?),
                "alike" => checkout.alike = switch("alike", value)?,
                "setup" => {
                    for (statement, span) in texts("setup", value)? {
                        let call = says
                            .call_in(statement)
                            .or_else(|why| fault(span.clone(), format!("`setup`: {why}")))?;
                        check_names(&call, &GIVEN_AT_SETUP.map(str::to_owned), &span)?;
                        checkout.setup.push(call);
                    }
                }
                "audit" => checkout.audit = self.audit(says, table("audit", value)?)?,
                name => {
                    if let Some(name) = SETTINGS.into_iter().find(|known| *known == name) {
                        let said = plain_text(value)
                            .map_err(str::to_owned)
                            .and_then(|text| Settings::default().set(name, &text).map(|()| text))
                            .or_else(|why| fault(value.span(), format!("`{name}`: {why}")))?;
                        checkout.settings.push((name, said));
                    }
                }
            }
        }
        if kind.is_sql() && checkout.schema.is_none() {
            return fault(
                0..0,
                "`schema` is missing: which file makes the tables? `schema = \"schema.sql\"`",
            );
        }
        if let (false, Some(value)) = (kind.is_sql(), top.get("schema").or(top.get("seed"))) {
            let message = format!("{kind} reads no such file; write what is to be said in `setup`");
            return fault(value.span(), message);
        }
        let about_a_shop = top.get("url").or(top.get("database"));
        if let (true, Some(value)) = (kind != StoreKind::Http, about_a_shop) {
            return fault(
                value.span(),
                "`url` and [database] are for a running shop, `store = \"http\"`; name a server with --url",
            );
        }
        checkout.roles = self.roles(says, top)?;
        if checkout.audit.stock.is_none() && checkout.audit.never.is_empty() {
            return fault(
                0..0,
                "nothing is audited: add a table [audit] with `stock` and `orders`, or with [audit.never]",
            );
        }
        if checkout.audit.stock.is_some()
            && checkout.roles.iter().filter(|role| role.buys).count() != 1
        {
            let span = top.get_key_value("role").map_or(0..0, |(key, _)| key.span());
            return fault(span, "exactly one role must buy: write `buys = false` in the others");
        }
        Ok(checkout)
    }

    fn script(&self, key: &str, value: &Entry<'_>) -> Result<Script, Fault> {
        let path = self.folder.join(text(key, value)?);
        let text = document::read(&path, key)
            .or_else(|error| fault(value.span(), format!("`{key}`: {error}")))?;
        Ok(Script { path: path.display().to_string(), text })
    }

    fn roles(&self, says: Says, top: &DeTable<'_>) -> Result<Vec<Role>, Fault> {
        match (top.get("step"), top.get("role")) {
            (Some(steps), None) => {
                let steps = self.steps(says, steps)?;
                Ok(vec![Role { name: String::new(), buys: true, steps }])
            }
            (None, Some(value)) => {
                let roles = tables("role", value)?;
                if roles.len() > MOST_ROLES {
                    return fault(value.span(), format!("there are more than {MOST_ROLES} roles"));
                }
                roles.into_iter().map(|role| self.role(says, role)).collect()
            }
            (Some(_), Some(role)) => fault(
                role.span(),
                "steps are either everybody's, [[step]], or each role's own, [[role.step]]",
            ),
            (None, None) => {
                fault(0..0, "there are no steps: add tables such as `[[step]]` with `sql`")
            }
        }
    }

    fn role(&self, says: Says, entry: &Entry<'_>) -> Result<Role, Fault> {
        let role = table("role", entry)?;
        check_keys(role, &ROLE, "a role")?;
        let Some(name) = role.get("name") else {
            return fault(entry.span(), "a role needs a `name`");
        };
        let buys = role.get("buys").map_or(Ok(true), |value| switch("buys", value))?;
        match role.get("step") {
            Some(steps) => Ok(Role {
                name: text("name", name)?.to_owned(),
                buys,
                steps: self.steps(says, steps)?,
            }),
            None => fault(entry.span(), "a role needs steps: [[role.step]]"),
        }
    }

    fn steps(&self, says: Says, value: &Entry<'_>) -> Result<Vec<Step>, Fault> {
        let entries = tables("step", value)?;
        if entries.is_empty() || entries.len() > MOST_STEPS {
            return fault(value.span(), format!("there must be between 1 and {MOST_STEPS} steps"));
        }
        let mut known = GIVEN.map(str::to_owned).to_vec();
        entries.into_iter().map(|entry| self.step(says, entry, &mut known)).collect()
    }

    fn step(&self, says: Says, entry: &Entry<'_>, known: &mut Vec<String>) -> Result<Step, Fault> {
        let keys = table("step", entry)?;
        check_keys(keys, &STEP, "a step")?;
        let name = keys.get("name").map(|value| text("name", value)).transpose()?;
        let call = self.call(says, entry, keys)?;
        check_names(&call.0, known, &call.1)?;
        let condition = |key: &str, known: &[String]| {
            let read = |value: &Entry<'_>| {
                Condition::parse(text(key, value)?, known)
                    .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))
            };
            keys.get(key).map(read).transpose()
        };
        let when = condition("when", known)?;
        let mut save = Vec::new();
        for (written, span) in
            keys.get("save").map_or(Ok(Vec::new()), |value| texts("save", value))?
        {
            let name = written.strip_suffix('?').unwrap_or(written);
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if !is_name || [ROWS, STATUS].contains(&name) || GIVEN.contains(&name) {
                let why = if is_name { "is taken" } else { "is no name" };
                return fault(
                    span,
                    format!("`save`: `{}` {why}; name a column of the answer", shown(name)),
                );
            }
            known.push(name.to_owned());
            save.push(Saved { name: name.to_owned(), may_be_none: name != written });
        }
        if says.store == StoreKind::Http {
            known.push(STATUS.to_owned());
            save.push(Saved { name: STATUS.to_owned(), may_be_none: false });
        }
        known.dedup();
        let mut known_here = known.clone();
        known_here.push(ROWS.to_owned());
        let mut ends = Vec::new();
        for end in End::ALL {
            let found = condition(&format!("{}_if", end.name()), &known_here)?;
            ends.extend(found.map(|condition| (condition, end)));
        }
        let if_refused = match keys.get("if_refused") {
            None => End::Failed,
            Some(value) => {
                let written = text("if_refused", value)?;
                let names = End::ALL.map(End::name);
                let end = End::ALL.into_iter().find(|end| end.name() == written);
                end.map_or_else(
                    || {
                        let near = did_you_mean(written, names);
                        let names = names.join(", ");
                        fault(value.span(), format!("`if_refused` must be one of {names}{near}"))
                    },
                    Ok,
                )?
            }
        };
        let line = self.source[..entry.span().start].matches('\n').count() + 1;
        Ok(Step { name: name.map(str::to_owned), line, call: call.0, when, save, ends, if_refused })
    }

    /// What a step says, and where it stands.
    fn call(
        &self,
        says: Says,
        entry: &Entry<'_>,
        keys: &DeTable<'_>,
    ) -> Result<(Call, Range<usize>), Fault> {
        let known = says.keys().join("` or `");
        let said: Vec<_> = ["sql", "redis", "lua", "http"]
            .into_iter()
            .filter_map(|key| Some((key, keys.get(key)?)))
            .collect();
        let (key, value) = match said[..] {
            [one] => one,
            [] => {
                let message = format!("the step says nothing: it needs `{known}`");
                return fault(entry.span(), message);
            }
            [_, (key, second), ..] => {
                let message = format!("the step says something already; leave out `{key}`");
                return fault(second.span(), message);
            }
        };
        if !says.keys().contains(&key) {
            let message = format!("`{key}` means nothing to {}; write `{known}`", says.store);
            return fault(value.span(), message);
        }
        let list = |key: &str| keys.get(key).map_or(Ok(Vec::new()), |value| texts(key, value));
        let templates = |key: &str| {
            let all = list(key)?.into_iter().map(|(text, _)| Template::parse(text));
            Ok::<Vec<Template>, Fault>(all.collect())
        };
        let call = match key {
            "lua" => {
                let Script { path, text: code } = self.script("lua", value)?;
                let name = Path::new(&path).file_name().unwrap_or_default();
                let name = name.to_string_lossy().into_owned();
                let (keys, arguments) = (templates("keys")?, templates("arguments")?);
                Call::Lua { name, code, keys, arguments }
            }
            "http" => {
                let request = Request::parse(text(key, value)?)
                    .and_then(|request| {
                        request.ok_or_else(|| {
                            "expected a method and a path, such as `POST /checkout`".into()
                        })
                    })
                    .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))?;
                let mut headers = Vec::new();
                for (header, span) in list("headers")? {
                    headers.push(
                        Request::parse_header(header)
                            .or_else(|why| fault(span, format!("`headers`: {why}")))?,
                    );
                }
                let body = keys.get("body").map(|value| text("body", value)).transpose()?;
                Call::Http(Request { headers, body: body.map(Template::parse), ..request })
            }
            _ => says
                .call_in(text(key, value)?)
                .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))?,
        };
        Ok((call, value.span()))
    }

    fn audit(&self, says: Says, keys: &DeTable<'_>) -> Result<Audit, Fault> {
        check_keys(keys, &AUDIT, "[audit]")?;
        let query = |key: &str, value: &Entry<'_>| {
            let call = says
                .call_in(text(key, value)?)
                .or_else(|why| fault(value.span(), format!("`{key}`: {why}")))?;
            match call.names().first() {
                Some(name) => fault(
                    value.span(),
                    format!("`{key}`: the audit has no values such as `{}`", shown(name)),
                ),
                None => Ok(call),
            }
        };
        let of = |key| keys.get(key).map(|value| query(key, value)).transpose();
        let (stock, orders) = (of("stock")?, of("orders")?);
        if let (Some(_), None) | (None, Some(_)) = (&stock, &orders) {
            let there = if stock.is_some() { "stock" } else { "orders" };
            let span = keys.get(there).map_or(0..0, Spanned::span);
            return fault(
                span,
                "`stock` and `orders` are held against each other: give both, or neither",
            );
        }
        let mut never = Vec::new();
        if let Some(value) = keys.get("never") {
            for (name, value) in table("audit.never", value)? {
                let name = name.get_ref().to_string();
                let call = query(&name, value)?;
                never.push((name, call));
            }
        }
        Ok(Audit { stock, orders, never })
    }
}

/// The database beside a running shop.
fn database(value: &Entry<'_>) -> Result<(StoreKind, String), Fault> {
    let keys = table("database", value)?;
    check_keys(keys, &DATABASE, "[database]")?;
    let (Some(store), Some(url)) = (keys.get("store"), keys.get("url")) else {
        return fault(value.span(), "[database] needs `store` and `url`");
    };
    let kind = StoreKind::parse(text("store", store)?)
        .or_else(|why| fault(store.span(), format!("`store`: {why}")))?;
    match kind.is_sql() {
        true => Ok((kind, text("url", url)?.to_owned())),
        false => fault(store.span(), format!("`store`: {kind} does not speak SQL")),
    }
}

/// What texts are read as.
#[derive(Clone, Copy)]
struct Says {
    store: StoreKind,
    has_database: bool,
}

impl Says {
    /// The keys by which a step says something.
    fn keys(self) -> &'static [&'static str] {
        match self.store {
            StoreKind::Redis => &["redis", "lua"],
            StoreKind::Http => &["http"],
            _ => &["sql"],
        }
    }

    /// What a text says.
    fn call_in(self, text: &str) -> Result<Call, String> {
        if text.trim().is_empty() {
            return Err("it says nothing".into());
        }
        let statement = || Call::Sql(text.trim().trim_end_matches(';').to_owned());
        match self.store {
            StoreKind::Redis => {
                Ok(Call::Redis(text.split_whitespace().map(Template::parse).collect()))
            }
            StoreKind::Http => match Request::parse(text)? {
                Some(request) => Ok(Call::Http(request)),
                None if self.has_database => Ok(statement()),
                None => Err("expected a request, such as `GET /stock`; or name a [database], and \
                             ask that"
                    .into()),
            },
            _ => Ok(statement()),
        }
    }
}

/// Refuses a call that needs values which nobody has.
fn check_names(call: &Call, known: &[String], span: &Range<usize>) -> Result<(), Fault> {
    match call.names().into_iter().find(|name| !known.iter().any(|known| known == name)) {
        Some(name) => fault(span.clone(), unknown(name, known)),
        None => Ok(()),
    }
}
