//! Scenarios: a race and what is expected of it, as a TOML file.
//!
//! ```toml
//! title = "the last unit"
//! strategy = ["cas", "optimistic"]   # or "cas", or "all"
//! buyers = 1000                      # every setting goes by the name of its flag
//! stock = 1
//!
//! [expect]
//! winners = 1                        # = 1, in every round
//! latency.p99 = "< 5s"
//! evidence = "not seen"
//! ```

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::entrant::Entrant;
use crate::error::Error;
use crate::expect::Expectation;
use crate::report::Report;
use crate::rounds::race_all;
use crate::settings::Settings;
use crate::strategies;
use crate::text::excerpt::excerpt;
use crate::text::nearest::{did_you_mean, shown};
use crate::worlds::threads::Control;

/// The largest file read.
const MOST_BYTES: u64 = 1 << 20;

/// The keys beside the settings.
const OWN_KEYS: [&str; 3] = ["title", "strategy", "expect"];

/// A race and what is expected of it.
pub struct Scenario {
    /// What it is about, for the reader; may be empty.
    pub title: String,
    /// Who races.
    pub entrants: Vec<&'static dyn Entrant>,
    /// On what settings.
    pub settings: Settings,
    /// What must come of it.
    pub expectations: Vec<Expectation>,
}

/// What is wrong, and where in the source.
struct Fault {
    span: Range<usize>,
    message: String,
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column when it does not make sense, or cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display();
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::input(format!("cannot read the scenario {name}: {why}"))
        };
        let mut source = String::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut source))
            .map_err(|error| unreadable(&error))?;
        if source.len() as u64 > MOST_BYTES {
            return Err(unreadable(&"it is larger than 1 MiB"));
        }
        Self::parse(&name.to_string(), &source)
    }

    /// Reads a file's text; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column.
    pub fn parse(path: &str, source: &str) -> Result<Self, Error> {
        Self::from_source(source)
            .map_err(|fault| Error::input(excerpt(path, source, fault.span, &fault.message)))
    }

    fn from_source(source: &str) -> Result<Self, Fault> {
        let document = DeTable::parse(source).map_err(|error| Fault {
            span: error.span().unwrap_or(0..0),
            message: error.message().lines().collect::<Vec<_>>().join(", "),
        })?;
        let mut scenario = Self {
            title: String::new(),
            entrants: Vec::new(),
            settings: Settings::default(),
            expectations: Vec::new(),
        };
        // Where each setting stands, for a fault that only shows when all are read.
        let mut spans = Vec::new();
        for (key, value) in document.get_ref() {
            scenario.read_key(key, value)?;
            spans.push((key.get_ref().as_ref(), key.span()));
        }
        scenario.settings.check().map_err(|wrong| Fault {
            span: spans
                .iter()
                .find(|(key, _)| *key == wrong.name)
                .map_or(0..0, |(_, span)| span.clone()),
            message: wrong.to_string(),
        })?;
        let missing = |message: &str| Err(Fault { span: 0..0, message: message.into() });
        if scenario.entrants.is_empty() {
            return missing("no strategy is named: add a line such as `strategy = \"cas\"`");
        }
        if scenario.expectations.is_empty() {
            return missing("nothing is expected: add a table such as `[expect]` `oversold = 0`");
        }
        Ok(scenario)
    }

    fn read_key(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), Fault> {
        let name = key.get_ref().as_ref();
        let at_value = |message| Fault { span: value.span(), message };
        match name {
            "title" => match value.get_ref().as_str() {
                Some(title) => title.clone_into(&mut self.title),
                None => return Err(at_value("`title` must be a text in quotes".into())),
            },
            "strategy" => self.entrants = read_strategies(value)?,
            "expect" => match value.get_ref().as_table() {
                Some(table) => read_expectations(table, "", &mut self.expectations)?,
                None => {
                    return Err(at_value("`expect` must be a table: write `[expect]`".into()));
                }
            },
            _ if Settings::NAMES.contains(&name) => plain_text(value)
                .map_err(str::to_owned)
                .and_then(|text| self.settings.set(name, &text))
                .map_err(|why| at_value(format!("`{name}`: {why}")))?,
            _ => {
                let known = Settings::NAMES.into_iter().chain(OWN_KEYS);
                return Err(Fault {
                    span: key.span(),
                    message: format!("unknown key `{}`{}", shown(name), did_you_mean(name, known)),
                });
            }
        }
        Ok(())
    }

    /// Races everybody.
    ///
    /// # Errors
    /// As [`race_all`].
    pub fn run(&self, control: &Control) -> Result<Report, Error> {
        race_all(&self.entrants, &self.settings, &self.expectations, control)
    }
}

/// `"cas"`, `"cas, optimistic"`, `"all"` or `["cas", "optimistic"]`.
fn read_strategies(value: &Spanned<DeValue<'_>>) -> Result<Vec<&'static dyn Entrant>, Fault> {
    let values = match value.get_ref().as_array() {
        Some(array) => array.iter().collect(),
        None => vec![value],
    };
    let mut names = Vec::new();
    for value in values {
        let fault = |message| Fault { span: value.span(), message };
        let name = value.get_ref().as_str().ok_or_else(|| {
            fault("`strategy` must be a name in quotes, or a list of them".to_owned())
        })?;
        strategies::select([name]).map_err(|error| fault(error.to_string()))?;
        names.push(name);
    }
    strategies::select(names)
        .map_err(|error| Fault { span: value.span(), message: error.to_string() })
}

/// A dotted name makes a table inside the table.
fn read_expectations(
    table: &DeTable<'_>,
    prefix: &str,
    expectations: &mut Vec<Expectation>,
) -> Result<(), Fault> {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        if let Some(inner) = value.get_ref().as_table() {
            read_expectations(inner, &format!("{name}."), expectations)?;
            continue;
        }
        let condition =
            plain_text(value).map_err(|why| Fault { span: value.span(), message: why.into() })?;
        expectations.push(Expectation::of(&name, &condition).map_err(|message| {
            // Whatever is wrong with the name is marked there.
            let span = match Expectation::knows(&name) {
                true => value.span(),
                false => key.span(),
            };
            Fault { span, message }
        })?);
    }
    Ok(())
}

/// A number or a text, as it would stand behind a flag.
fn plain_text(value: &Spanned<DeValue<'_>>) -> Result<String, &'static str> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Float(number) => Ok(number.as_str().replace('_', "")),
        DeValue::Integer(number) => {
            i128::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| "the number is too large")
        }
        _ => Err("expected a number, or a text in quotes"),
    }
}
