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

mod tables;
mod world;

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::document;
use crate::base::text::document::{Fault, plain_text};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::parse_switch;
use crate::check::expect::Expectation;
use crate::check::report::Report;
use crate::command::Command;
use crate::domain::settings::{Setting, Settings, World};
use crate::run::rounds::race_all;
use crate::run::seeds::simulate_all;
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::timed::SimConfig;
use world::SimConfigBuilder;

/// The keys beside the settings.
const OWN_KEYS: [&str; 4] = ["title", "strategy", "expect", "allow_incomplete"];

/// A race and what is expected of it.
#[non_exhaustive]
pub struct Scenario {
    /// What it is about, for the reader; may be empty.
    pub title: String,
    /// The strategies that race.
    pub strategies: Vec<&'static dyn DynStrategy>,
    /// The settings under which they race.
    #[doc(hidden)]
    pub settings: Settings,
    /// What is expected of it.
    pub expectations: Vec<Expectation>,
    /// For a simulation: what the shop is made of; none for a race on threads.
    pub scene: Option<SimConfig>,
    /// How many seeds to simulate, from the settings' own on.
    pub seeds: u32,
    /// Whether the expectations may also hold of a run that proves nothing, or was cut short.
    pub allows_incomplete: bool,
    /// Its file.
    path: String,
}

impl Scenario {
    /// The same; if `allows`, its expectations may also hold of a run that proves nothing or was cut short.
    #[must_use]
    pub fn allowing_incomplete(mut self, allows: bool) -> Self {
        self.allows_incomplete |= allows;
        let all = std::mem::take(&mut self.expectations).into_iter();
        self.expectations = all.map(|one| one.allowing_incomplete(allows)).collect();
        self
    }

    /// Every key that a file may have: its table, nothing for the top, and its name.
    #[doc(hidden)]
    pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
        let settings = Settings::TABLE.iter().filter(|setting| !setting.is_fault());
        let top =
            settings.map(|setting| setting.name).chain(OWN_KEYS).chain(SimConfigBuilder::KEYS);
        let inner = tables::TABLES.into_iter();
        top.map(|key| ("", key))
            .chain(inner.flat_map(|(table, keys)| keys.iter().map(move |key| (table, *key))))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column when it does not make sense, or cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let source = document::read(path, "scenario")?;
        Self::parse(&path.display().to_string(), &source)
    }

    /// Reads a file, with some settings in place of its own: names and texts, as they stand behind flags.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[doc(hidden)]
    pub fn read_with(path: &Path, said: &[(&str, &Option<String>)]) -> Result<Self, Error> {
        let source = document::read(path, "scenario")?;
        Self::parse_with(&path.display().to_string(), &source, said)
    }

    /// Reads a file's text; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column.
    pub fn parse(path: &str, source: &str) -> Result<Self, Error> {
        Self::parse_with(path, source, &[])
    }

    fn parse_with(
        path: &str,
        source: &str,
        said: &[(&str, &Option<String>)],
    ) -> Result<Self, Error> {
        let folder = Path::new(path).parent().unwrap_or(Path::new("."));
        let read = Self::from_source(source, folder, said);
        let scenario = read.map_err(|fault| fault.in_file(path, source))?;
        Ok(Self { path: path.to_owned(), ..scenario })
    }

    fn from_source(
        source: &str,
        folder: &Path,
        said: &[(&str, &Option<String>)],
    ) -> Result<Self, Fault> {
        let document = document::parse(source)?;
        let mut scenario = Self {
            title: String::new(),
            strategies: Vec::new(),
            settings: Settings::default(),
            expectations: Vec::new(),
            scene: None,
            seeds: 1,
            allows_incomplete: false,
            path: String::new(),
        };
        let mut plan = SimConfigBuilder::default();
        // Where each setting stands, for a fault that is found only after all are read.
        let mut spans = Vec::new();
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                // Which strategies `all` means depends on the store.
                "strategy" => {}
                name if SimConfigBuilder::KEYS.contains(&name) => plan.read(key, value)?,
                _ => scenario.read_key(key, value)?,
            }
            spans.push((key.get_ref().as_ref(), key.span()));
        }
        for (name, text) in said {
            if let Some(text) = text {
                let wrong = |why| Fault { span: 0..0, message: format!("--{name}: {why}") };
                scenario.settings.set(name, text).map_err(wrong)?;
            }
        }
        if let Some(value) = document.get_ref().get("strategy") {
            scenario.strategies = read_strategies(value, &scenario.settings)?;
        }
        scenario.settings.check().map_err(|wrong| Fault {
            span: spans
                .iter()
                .find(|(key, _)| *key == wrong.name)
                .map_or(0..0, |(_, span)| span.clone()),
            message: wrong.to_string(),
        })?;
        scenario.seeds = plan.seeds.unwrap_or(1);
        if !plan.is_empty() {
            let is_for_races = |key: &str| {
                Setting::named(key).is_some_and(|setting| !setting.is_in(&[World::Timed]))
            };
            if let Some((key, span)) = spans.iter().find(|(key, _)| is_for_races(key)) {
                let message =
                    format!("`{key}` is for races on threads, and this is a simulated shop");
                return Err(Fault { span: span.clone(), message });
            }
            scenario.scene = Some(plan.scene(&scenario.settings, folder)?);
        }
        let missing = |message: &str| Err(Fault { span: 0..0, message: message.into() });
        if scenario.strategies.is_empty() {
            return missing("no strategy is named: add a line such as `strategy = \"cas\"`");
        }
        if scenario.expectations.is_empty() {
            return missing("nothing is expected: add a table such as `[expect]` `oversold = 0`");
        }
        let allows = scenario.allows_incomplete;
        Ok(scenario.allowing_incomplete(allows))
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
            "expect" => match value.get_ref().as_table() {
                Some(table) => read_expectations(table, "", &mut self.expectations)?,
                None => {
                    return Err(at_value("`expect` must be a table: write `[expect]`".into()));
                }
            },
            "allow_incomplete" => {
                let is_on = match value.get_ref().as_bool() {
                    Some(is_on) => Ok(is_on),
                    None => plain_text(value)
                        .map_err(str::to_owned)
                        .and_then(|text| parse_switch(&text)),
                };
                self.allows_incomplete =
                    is_on.map_err(|why| at_value(format!("`{name}`: {why}")))?;
            }
            _ => match Setting::named(name) {
                Some(setting) if setting.is_fault() => {
                    let message = format!(
                        "`{name}` counts faults for `explore`; of a simulated shop, say how often things go wrong in its \
                         tables, such as [faults]"
                    );
                    return Err(Fault { span: key.span(), message });
                }
                Some(_) => plain_text(value)
                    .map_err(str::to_owned)
                    .and_then(|text| self.settings.set(name, &text))
                    .map_err(|why| at_value(format!("`{name}`: {why}")))?,
                None => {
                    let known =
                        Self::keys().filter(|(table, _)| table.is_empty()).map(|(_, key)| key);
                    return Err(Fault {
                        span: key.span(),
                        message: format!(
                            "unknown key `{}`{}",
                            shown(name),
                            did_you_mean(name, known)
                        ),
                    });
                }
            },
        }
        Ok(())
    }

    /// Races all strategies, or simulates a shop for each of them.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses threads, or a
    /// server cannot be started or reached.
    pub fn run(&self) -> Result<Report, Error> {
        self.run_until(&Control::default())
    }

    /// The same, until it is told to stop.
    pub(crate) fn run_until(&self, control: &Control) -> Result<Report, Error> {
        match &self.scene {
            None => race_all(&self.strategies, &self.settings, &self.expectations, control),
            Some(scene) => {
                let strategies = &self.strategies;
                let again = Command::new("simulate").word(&self.path);
                simulate_all(strategies, scene, self.seeds, &self.expectations, &again, control)
            }
        }
    }
}

/// `"cas"`, `"cas, optimistic"`, `"all"` or `["cas", "optimistic"]`.
fn read_strategies(
    value: &Spanned<DeValue<'_>>,
    settings: &Settings,
) -> Result<Vec<&'static dyn DynStrategy>, Fault> {
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
        strategies::select([name], settings).map_err(|error| fault(error.to_string()))?;
        names.push(name);
    }
    strategies::select(names, settings)
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
