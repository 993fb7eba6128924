//! Scenarios: a race, a search or a simulated shop, and what is expected of it, as a TOML file.
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
//!
//! ```toml
//! run = "explore"                    # every interleaving, or at a server every order of statements
//! checkout = "shop.toml"             # in place of `strategy`; or app = "app.toml"
//!
//! [expect]
//! evidence = "proved"
//! ```

mod described;
mod report;
mod search;
mod tables;
mod world;

pub use report::{ScenarioReport, SearchReport, Searches};

use std::ops::Range;
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
use crate::command::Command;
use crate::domain::settings::{Setting, Settings, World, Wrong};
use crate::domain::store_kind::StoreKind;
use crate::explore::{check_counted, check_expectation};
use crate::run::rounds::race_all_at;
use crate::run::seeds::simulate_all;
use crate::stores::Address;
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::timed::SimConfig;
use described::Described;
use search::Search;
use world::SimConfigBuilder;

/// The keys beside the settings, and beside those of a search, a described checkout and a simulated world.
const OWN_KEYS: [&str; 5] = ["title", "run", "strategy", "expect", "allow_incomplete"];

/// What `run` can say.
const RUNS: [&str; 3] = ["race", "explore", "simulate"];

/// A setting that the file names, and where.
struct SaidSetting {
    setting: &'static Setting,
    text: String,
    key: Range<usize>,
    value: Range<usize>,
}

/// What is wrong with a scenario: in its own file, or in one that it names.
enum Mistake {
    Here(Fault),
    Elsewhere(Error),
}

impl From<Fault> for Mistake {
    fn from(fault: Fault) -> Self {
        Self::Here(fault)
    }
}

/// A race, a search or a simulated shop, and what is expected of it.
///
/// ```
/// let text = "run = 'explore'\nstrategy = 'cas'\n[expect]\nevidence = 'proved'";
/// let scenario = oversell_sim::Scenario::parse("cas.toml", text)?;
/// assert!(scenario.run()?.met_expectations());
/// # Ok::<(), oversell_sim::Error>(())
/// ```
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
    /// For a simulation: what the shop is made of; none for a race on threads, and for a search.
    pub scene: Option<SimConfig>,
    /// How many seeds to simulate, from the settings' own on.
    pub seeds: u32,
    /// Whether the expectations may also hold of a run that proves nothing, or was cut short.
    pub allows_incomplete: bool,
    /// Its file.
    path: String,
    /// For a search: how far it goes.
    search: Option<Search>,
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
        let settings = Settings::TABLE.iter().map(|setting| setting.name);
        let own = OWN_KEYS.into_iter().chain(described::KEYS).chain(Search::KEYS);
        let top = settings.chain(own).chain(SimConfigBuilder::KEYS);
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
        let scenario = read.map_err(|mistake| match mistake {
            Mistake::Here(fault) => fault.in_file(path, source),
            Mistake::Elsewhere(error) => error,
        })?;
        Ok(Self { path: path.to_owned(), ..scenario })
    }

    fn from_source(
        source: &str,
        folder: &Path,
        said: &[(&str, &Option<String>)],
    ) -> Result<Self, Mistake> {
        let document = document::parse(source)?;
        let table = document.get_ref();
        described::refuse_other_file(table)?;
        let run = table.get("run").map(read_run).transpose()?;
        let mut scenario = Self {
            title: String::new(),
            strategies: Vec::new(),
            settings: Settings::default(),
            expectations: Vec::new(),
            scene: None,
            seeds: 1,
            allows_incomplete: false,
            path: String::new(),
            search: (run == Some("explore")).then(Search::default),
        };
        let mut plan = SimConfigBuilder::default();
        let mut settings = Vec::new();
        // Where each key stands, for a fault that is found only after all are read.
        let mut spans = Vec::new();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                // Which strategies `all` means depends on the store.
                "run" | "strategy" => {}
                name if described::KEYS.contains(&name) => {}
                name if SimConfigBuilder::KEYS.contains(&name) => plan.read(key, value)?,
                _ => settings.extend(scenario.read_key(key, value)?),
            }
            spans.push((key.get_ref().as_ref(), key.span()));
        }
        let place = |name: &str| {
            let found = spans.iter().find(|(key, _)| *key == name);
            found.map_or(0..0, |(_, span)| span.clone())
        };
        let misfit = |wrong: Wrong| Fault { span: place(wrong.name), message: wrong.to_string() };
        for (name, text) in said {
            if let Some(text) = text {
                let wrong = |why| Fault { span: 0..0, message: format!("--{name}: {why}") };
                scenario.settings.set(name, text).map_err(wrong)?;
            }
        }
        let described = Described::read(table, folder)?;
        if !plan.is_empty() {
            let mut others = described.iter().map(|described| described.key.clone());
            let other = run.filter(|run| *run != "simulate").map(|_| ("run", place("run")));
            if let Some((key, span)) = others.next().or(other) {
                let message = format!(
                    "`{key}`: {}",
                    match key {
                        "run" =>
                            "this is a simulated shop, since it says where buyers are; leave it out",
                        _ => "a simulated shop has no checkout of its own; name a `strategy`",
                    }
                );
                return Err(Fault { span, message }.into());
            }
        } else if run == Some("simulate") {
            let message = "a simulated shop needs buyers somewhere: add a [[region]]".to_owned();
            return Err(Fault { span: place("run"), message }.into());
        }
        match (&described, table.get("strategy")) {
            (Some(described), Some(_)) => {
                let message = format!(
                    "`strategy` and `{}` are two checkouts: name one of them",
                    described.key.0
                );
                return Err(Fault { span: place("strategy"), message }.into());
            }
            (Some(described), None) => scenario.take_described(described, &settings)?,
            (None, Some(value)) => {
                let is_in_model =
                    scenario.search.is_some() && scenario.settings.store == StoreKind::Memory;
                scenario.strategies = read_strategies(value, &scenario.settings, is_in_model)?;
                scenario.take_strategies(&settings)?;
            }
            (None, None) => {}
        }
        match &scenario.search {
            None => scenario.settings.check().map_err(misfit)?,
            Some(search) => {
                for (strategy, settings) in scenario.strategies.iter().zip(&search.settings) {
                    settings.check_for(&strategy.card()).map_err(misfit)?;
                }
            }
        }
        scenario.seeds = plan.seeds.unwrap_or(1);
        if !plan.is_empty() {
            let is_for_races = |key: &str| {
                Setting::named(key).is_some_and(|setting| !setting.is_in(&[World::Timed]))
            };
            if let Some((key, span)) = spans.iter().find(|(key, _)| is_for_races(key)) {
                let message =
                    format!("`{key}` is for races on threads, and this is a simulated shop");
                return Err(Fault { span: span.clone(), message }.into());
            }
            scenario.scene = Some(plan.scene(&scenario.settings, folder)?);
        }
        let missing = |message: &str| Err(Fault { span: 0..0, message: message.into() }.into());
        if scenario.strategies.is_empty() {
            return missing(
                "no strategy is named: add a line such as `strategy = \"cas\"`, or `checkout = \"shop.toml\"`",
            );
        }
        if scenario.expectations.is_empty() {
            return missing("nothing is expected: add a table such as `[expect]` `oversold = 0`");
        }
        let allows = scenario.allows_incomplete;
        Ok(scenario.allowing_incomplete(allows))
    }

    /// Takes a checkout of a file in place of strategies.
    fn take_described(&mut self, described: &Described, said: &[SaidSetting]) -> Result<(), Fault> {
        self.strategies = vec![described.checkout];
        let usual = Settings::default();
        match &mut self.search {
            None => self.settings = described.settings(usual, said, true)?,
            Some(search) => {
                let buyers = described.checkout.usual_buyers();
                let usual = Settings { buyers, ..usual };
                self.settings = described.settings(usual, said, false)?;
                search.settings = vec![self.settings.clone()];
            }
        }
        Ok(())
    }

    /// Finds out in which shop each strategy is explored, if they are.
    fn take_strategies(&mut self, said: &[SaidSetting]) -> Result<(), Fault> {
        let Some(search) = &mut self.search else { return Ok(()) };
        let settings_of = |strategy: &&dyn DynStrategy| Search::settings_of(*strategy, said);
        search.settings = self.strategies.iter().map(settings_of).collect::<Result<_, _>>()?;
        if let Some(first) = search.settings.first() {
            self.settings = first.clone();
        }
        Ok(())
    }

    /// Reads a key; if it is a setting, returns it, too.
    fn read_key(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Option<SaidSetting>, Fault> {
        let name = key.get_ref().as_ref();
        let at_value = |message| Fault { span: value.span(), message };
        match name {
            "title" => match value.get_ref().as_str() {
                Some(title) => title.clone_into(&mut self.title),
                None => return Err(at_value("`title` must be a text in quotes".into())),
            },
            "expect" => match value.get_ref().as_table() {
                Some(table) => {
                    let is_search = self.search.is_some();
                    read_expectations(table, "", is_search, &mut self.expectations)?;
                }
                None => {
                    return Err(at_value("`expect` must be a table: write `[expect]`".into()));
                }
            },
            "allow_incomplete" => self.allows_incomplete = switch(name, value)?,
            _ if Search::KEYS.contains(&name) => {
                let Some(search) = &mut self.search else {
                    let message = format!("`{name}` is for a search: add `run = \"explore\"`");
                    return Err(Fault { span: key.span(), message });
                };
                let text = plain_text(value).map_err(str::to_owned);
                text.and_then(|text| search.read(name, &text))
                    .map_err(|why| at_value(format!("`{name}`: {why}")))?;
            }
            _ => match Setting::named(name) {
                Some(setting) if setting.is_fault() && self.search.is_none() => {
                    let message = format!(
                        "`{name}` counts faults for `explore`; of a simulated shop, say how often things go wrong in its \
                         tables, such as [faults]"
                    );
                    return Err(Fault { span: key.span(), message });
                }
                Some(setting) => {
                    if self.search.is_some() {
                        let fault = |message| Fault { span: key.span(), message };
                        Search::check_setting(setting).map_err(fault)?;
                    }
                    let explained = |why: String| at_value(format!("`{name}`: {why}"));
                    let text = plain_text(value).map_err(|why| explained(why.to_owned()))?;
                    self.settings.set(name, &text).map_err(explained)?;
                    let (key, value) = (key.span(), value.span());
                    return Ok(Some(SaidSetting { setting, text, key, value }));
                }
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
        Ok(None)
    }

    /// Whether it is a search.
    #[must_use]
    pub fn is_search(&self) -> bool {
        self.search.is_some()
    }

    /// What the progress of its searches counts; none if it is no search.
    #[cfg(feature = "cli")]
    pub(crate) fn searches_count(&self) -> Option<&'static str> {
        self.search.as_ref().map(Search::unit)
    }

    /// Whether its checkout is described in a file.
    #[cfg(feature = "cli")]
    pub(crate) fn is_described(&self) -> bool {
        self.strategies.iter().any(|strategy| strategy.described().is_some())
    }

    /// Races all strategies, explores them, or simulates a shop for each of them.
    ///
    /// # Errors
    /// [`Error::Input`] for impossible settings, [`Error::World`] when the operating system refuses threads, or a
    /// server cannot be started or reached.
    pub fn run(&self) -> Result<ScenarioReport, Error> {
        self.run_until(&Address::default(), &Control::default())
    }

    /// The same, until it is told to stop, with what an address allows.
    pub(crate) fn run_until(
        &self,
        address: &Address,
        control: &Control,
    ) -> Result<ScenarioReport, Error> {
        let Self { strategies, settings, expectations, .. } = self;
        strategies.iter().try_for_each(|strategy| check_counted(*strategy, expectations))?;
        match (&self.search, &self.scene) {
            (Some(search), _) => search.run(self, address, control).map(ScenarioReport::Explored),
            (None, None) => race_all_at(address, strategies, settings, expectations, control)
                .map(|report| ScenarioReport::Raced(Box::new(report))),
            (None, Some(scene)) => {
                let again = Command::new("simulate").word(&self.path);
                simulate_all(strategies, scene, self.seeds, expectations, &again, control)
                    .map(|report| ScenarioReport::Raced(Box::new(report)))
            }
        }
    }
}

/// What is run: one of [`RUNS`].
fn read_run(value: &Spanned<DeValue<'_>>) -> Result<&'static str, Fault> {
    let fault = |message| Fault { span: value.span(), message };
    let Some(word) = value.get_ref().as_str() else {
        return Err(fault("`run` must be a word in quotes, such as \"explore\"".to_owned()));
    };
    RUNS.into_iter().find(|run| *run == word).ok_or_else(|| {
        let (words, nearest) = (RUNS.join(", "), did_you_mean(word, RUNS));
        fault(format!("`run`: expected one of {words}, not `{}`{nearest}", shown(word)))
    })
}

/// `true` or `false`, with or without quotes.
fn switch(name: &str, value: &Spanned<DeValue<'_>>) -> Result<bool, Fault> {
    let is_on = match value.get_ref().as_bool() {
        Some(is_on) => Ok(is_on),
        None => plain_text(value).map_err(str::to_owned).and_then(|text| parse_switch(&text)),
    };
    is_on.map_err(|why| Fault { span: value.span(), message: format!("`{name}`: {why}") })
}

/// `"cas"`, `"cas, optimistic"`, `"all"` or `["cas", "optimistic"]`.
fn read_strategies(
    value: &Spanned<DeValue<'_>>,
    settings: &Settings,
    is_in_model: bool,
) -> Result<Vec<&'static dyn DynStrategy>, Fault> {
    let select = |names: &[&str]| match is_in_model {
        true => strategies::select_in_model(names.iter().copied()),
        false => strategies::select(names.iter().copied(), settings),
    };
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
        select(&[name]).map_err(|error| fault(error.to_string()))?;
        names.push(name);
    }
    select(&names).map_err(|error| Fault { span: value.span(), message: error.to_string() })
}

/// A dotted name makes a table inside the table.
fn read_expectations(
    table: &DeTable<'_>,
    prefix: &str,
    is_search: bool,
    expectations: &mut Vec<Expectation>,
) -> Result<(), Fault> {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        if let Some(inner) = value.get_ref().as_table() {
            read_expectations(inner, &format!("{name}."), is_search, expectations)?;
            continue;
        }
        let condition =
            plain_text(value).map_err(|why| Fault { span: value.span(), message: why.into() })?;
        let expectation = Expectation::of(&name, &condition).map_err(|message| {
            // Whatever is wrong with the name is marked there.
            let span = match Expectation::knows(&name) {
                true => value.span(),
                false => key.span(),
            };
            Fault { span, message }
        })?;
        if is_search {
            check_expectation(&expectation)
                .map_err(|message| Fault { span: key.span(), message })?;
        }
        expectations.push(expectation);
    }
    Ok(())
}
