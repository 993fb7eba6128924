//! Reading a checkout from its file, with every mistake's place.

pub(crate) mod entries;
mod says;
mod steps;

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use super::{Audit, Checkout, Expiry, GIVEN, GIVEN_AT_SETUP, Role, Script};
use crate::base::error::Error;
use crate::base::text::document;
use crate::base::text::document::{Fault, plain_text};
use crate::base::text::nearest::shown;
use crate::base::text::server_url::ServerUrl;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use entries::{Entry, check_keys, fault, switch, table, tables, text, texts};

pub(crate) use says::Says;
use says::check_names;
use steps::{STEP, Steps};

const TOP: [&str; 12] = [
    "title", "store", "url", "database", "schema", "seed", "setup", "alike", "step", "role",
    "expiry", "audit",
];

const DATABASE: [&str; 2] = ["store", "url"];

/// Settings that a file may give; flags go before them.
pub(crate) const SETTINGS: [&str; 6] = ["buyers", "stock", "qty", "cart", "retries", "isolation"];

const ROLE: [&str; 4] = ["name", "buys", "once", "step"];

const EXPIRY: [&str; 5] = ["sql", "redis", "lua", "keys", "arguments"];

const AUDIT: [&str; 3] = ["stock", "orders", "never"];

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
            .chain(EXPIRY.into_iter().map(of("expiry")))
            .chain(AUDIT.into_iter().map(of("audit")))
    }

    /// Reads a file, and those that it names, which lie beside it. Its path is kept for as long as the process runs.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column when it does not make sense, or cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(path, &document::read(path, "checkout")?)
    }

    /// Reads a file's text, and the files that it names.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn parse(path: &Path, source: &str) -> Result<Self, Error> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let path = path.display().to_string();
        let reader = Reader { source, folder, addresses: None };
        reader.checkout(&path).map_err(|fault| fault.in_file(&path, source))
    }
}

/// Reads one file.
pub(crate) struct Reader<'r> {
    pub(crate) source: &'r str,
    pub(crate) folder: &'r Path,
    /// The names of the addresses that a step's program may use; none where no step can be a program.
    pub(crate) addresses: Option<&'r [String]>,
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
        let (kind, beside) = stores(store)?;
        let asked = top.get("database").map(database).transpose()?;
        let dialect = asked.as_ref().map(|(kind, _)| kind.dialect());
        let says = Says { store: kind, beside, database: dialect };
        let mut checkout = self.common(path, says, top, &[])?;
        checkout.database = asked;
        for (key, value) in top {
            match key.get_ref().as_ref() {
                "schema" => checkout.schema = Some(self.script("schema", value)?),
                "seed" => checkout.seed = Some(self.script("seed", value)?),
                "url" => checkout.url = Some(text("url", value)?.into()),
                _ => {}
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
        if let Some((key, value)) = top.get_key_value("expiry") {
            if kind == StoreKind::Http {
                let why = "[expiry]: the statements of a shop that runs already are not sent from here; leave it out";
                return fault(key.span(), why);
            }
            checkout.expiry = Some(self.expiry(says, value)?);
        }
        Ok(checkout)
    }

    /// Reads what every file has that describes a checkout. Its steps know the values named in `before`, too.
    pub(crate) fn common(
        &self,
        path: &str,
        says: Says,
        top: &DeTable<'_>,
        before: &[String],
    ) -> Result<Checkout, Fault> {
        let mut checkout = Checkout {
            path: path.to_owned().leak(),
            title: String::new(),
            store: says.store,
            beside: says.beside,
            url: None,
            database: None,
            schema: None,
            seed: None,
            setup: Vec::new(),
            roles: Vec::new(),
            expiry: None,
            audit: Audit::default(),
            alike: false,
            is_same_buyer: false,
            settings: Vec::new(),
            app: None,
        };
        for (key, value) in top {
            match key.get_ref().as_ref() {
                "title" => text("title", value)?.clone_into(&mut checkout.title),
                "alike" => checkout.alike = switch("alike", value)?,
                "setup" => {
                    for (call, span) in says.calls("setup", value)? {
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
        checkout.roles = self.roles(says, top, before)?;
        if let (Some(value), false) = (top.get("cart"), checkout.takes_carts()) {
            return fault(
                value.span(),
                "`cart`: write `each = \"item\"` into the steps that take each product",
            );
        }
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
        if let (true, Some((key, _))) =
            (checkout.roles.iter().all(|role| role.once), top.get_key_value("role"))
        {
            return fault(
                key.span(),
                "one role must act for each customer: leave `once` out there",
            );
        }
        Ok(checkout)
    }

    pub(crate) fn script(&self, key: &str, value: &Entry<'_>) -> Result<Script, Fault> {
        let path = self.folder.join(text(key, value)?);
        let text = document::read(&path, key)
            .or_else(|error| fault(value.span(), format!("`{key}`: {error}")))?;
        Ok(Script { path: path.display().to_string(), text })
    }

    fn roles(&self, says: Says, top: &DeTable<'_>, before: &[String]) -> Result<Vec<Role>, Fault> {
        match (top.get("step"), top.get("role")) {
            (Some(steps), None) => {
                let given = GIVEN.iter().map(|name| (*name).to_owned()).chain(before.to_vec());
                let Steps { all: steps, loops } = self.steps_of(says, steps, given.collect())?;
                Ok(vec![Role { name: String::new(), buys: true, once: false, steps, loops }])
            }
            (None, Some(value)) => {
                let roles = tables("role", value)?;
                if roles.len() > MOST_ROLES {
                    return fault(value.span(), format!("there are more than {MOST_ROLES} roles"));
                }
                roles.into_iter().map(|role| self.role(says, role, before)).collect()
            }
            (Some(_), Some(role)) => fault(
                role.span(),
                "steps are either shared by all roles, [[step]], or each role's own, [[role.step]]",
            ),
            (None, None) => {
                fault(0..0, "there are no steps: add tables such as `[[step]]` with `sql`")
            }
        }
    }

    fn role(&self, says: Says, entry: &Entry<'_>, before: &[String]) -> Result<Role, Fault> {
        let role = table("role", entry)?;
        check_keys(role, &ROLE, "a role")?;
        let Some(name) = role.get("name") else {
            return fault(entry.span(), "a role needs a `name`");
        };
        let once = role.get("once").map_or(Ok(false), |value| switch("once", value))?;
        let buys = role.get("buys").map_or(Ok(!once), |value| switch("buys", value))?;
        if let (true, true, Some(value)) = (once, buys, role.get("buys")) {
            let why = "`buys`: a role that exists once acts for no customer, and buys nothing";
            return fault(value.span(), why);
        }
        let name = text("name", name)?.to_owned();
        let given: Vec<String> = match once {
            true => Vec::new(),
            false => GIVEN.iter().map(|name| (*name).to_owned()).chain(before.to_vec()).collect(),
        };
        match role.get("step") {
            Some(steps) => {
                let Steps { all: steps, loops } = self.steps_of(says, steps, given)?;
                Ok(Role { name, buys, once, steps, loops })
            }
            None => fault(entry.span(), "a role needs steps: [[role.step]]"),
        }
    }

    fn expiry(&self, says: Says, value: &Entry<'_>) -> Result<Expiry, Fault> {
        let keys = table("expiry", value)?;
        check_keys(keys, &EXPIRY, "[expiry]")?;
        let (call, span) = self.call(says, "[expiry]", value, keys)?;
        match call.names().first() {
            Some(name) => fault(
                span,
                format!("[expiry]: it ends all holds, and has no values such as `{}`", shown(name)),
            ),
            None => {
                let line = self.source[..span.start].matches('\n').count() + 1;
                Ok(Expiry { line, call })
            }
        }
    }

    fn audit(&self, says: Says, keys: &DeTable<'_>) -> Result<Audit, Fault> {
        check_keys(keys, &AUDIT, "[audit]")?;
        let query = |key: &str, value: &Entry<'_>| {
            let (call, span) = says.call(key, value)?;
            match call.names().first() {
                Some(name) => fault(
                    span,
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

/// The store that a file is written for; or its SQL database, and the store that is used beside it.
fn stores(value: &Entry<'_>) -> Result<(StoreKind, Option<StoreKind>), Fault> {
    let one = |(name, span): (&str, Range<usize>)| {
        let kind = match name {
            "http" => StoreKind::Http,
            name => StoreKind::parse(name)
                .or_else(|why| fault(span.clone(), format!("`store`: {why}, http")))?,
        };
        match kind.is_sql() || matches!(kind, StoreKind::Redis | StoreKind::Http) {
            true => Ok(kind),
            false => fault(
                span,
                format!(
                    "`store`: a checkout cannot run statements at {kind}; there are sqlite, postgres, mysql, redis \
                     and http"
                ),
            ),
        }
    };
    let kinds: Vec<StoreKind> =
        texts("store", value)?.into_iter().map(one).collect::<Result<_, _>>()?;
    match kinds[..] {
        [kind] => Ok((kind, None)),
        [sql, StoreKind::Redis] | [StoreKind::Redis, sql] if sql.is_sql() => {
            Ok((sql, Some(StoreKind::Redis)))
        }
        _ => {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let named = match names.is_empty() {
                true => "no store is named".to_owned(),
                false => format!("{} cannot be used together", names.join(" and ")),
            };
            let why = "name one store, or one SQL database and redis: `store = [\"postgres\", \"redis\"]`";
            fault(value.span(), format!("`store`: {named}; {why}"))
        }
    }
}

/// The database beside a running shop.
fn database(value: &Entry<'_>) -> Result<(StoreKind, ServerUrl), Fault> {
    let keys = table("database", value)?;
    check_keys(keys, &DATABASE, "[database]")?;
    let (Some(store), Some(url)) = (keys.get("store"), keys.get("url")) else {
        return fault(value.span(), "[database] needs `store` and `url`");
    };
    let kind = StoreKind::parse(text("store", store)?)
        .or_else(|why| fault(store.span(), format!("`store`: {why}")))?;
    match kind.is_sql() {
        true => Ok((kind, text("url", url)?.into())),
        false => fault(store.span(), format!("`store`: {kind} does not speak SQL")),
    }
}
