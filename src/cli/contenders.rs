//! Who is compared: strategies and checkouts, at each store, at each isolation level.

use std::path::{Path, PathBuf};

use crate::base::error::Error;
use crate::domain::settings::{Setting, Settings};
use crate::run::compare::Entrant;
use crate::stores::{Address, StoreKind};
use crate::strategies;
use crate::worlds::dyn_strategy::DynStrategy;

use super::flags::{self, Given, applied};
use super::meaning::{check_level, refuse};
use super::output::to_stderr;
use super::race::{tell_left_out, with_list};
use crate::explore::with_carts;

/// What was said of the contenders.
pub(super) struct Lineup<'a> {
    /// Strategies, as lists of names.
    pub(super) strategies: &'a [String],
    /// Files that describe checkouts.
    pub(super) checkouts: &'a [PathBuf],
    /// Files that describe applications.
    pub(super) apps: &'a [PathBuf],
    /// Stores; none if none was named.
    pub(super) stores: &'a [String],
    /// Isolation levels; none if none was named.
    pub(super) levels: &'a [String],
    /// The settings that go without saying.
    pub(super) settings: &'a Settings,
    /// Settings of the race that were given.
    pub(super) of_race: &'a [(&'static Setting, String)],
    /// Settings of the store that were given.
    pub(super) of_store: &'a [(&'static Setting, String)],
    /// Where the server is.
    pub(super) address: &'a Address,
}

/// The contenders, each with a name of its own.
///
/// # Errors
/// [`Error::Input`] if there are fewer than two, if one is named twice, and for flags that mean nothing to any of them.
pub(super) fn lineup(said: &Lineup<'_>) -> Result<Vec<Entrant>, Error> {
    refuse_url(said)?;
    let mut entrants = Vec::new();
    for place in places(said)? {
        if !said.strategies.is_empty() {
            add_strategies(said, &place, &mut entrants)?;
        }
    }
    let files: Vec<&PathBuf> = said.checkouts.iter().chain(said.apps).collect();
    let folder = common_folder(&files);
    let name = |path: &PathBuf| path.strip_prefix(&folder).unwrap_or(path).display().to_string();
    for path in said.checkouts {
        add_checkout(said, path, &name(path), &mut entrants)?;
    }
    for path in said.apps {
        add_app(said, path, &name(path), &mut entrants)?;
    }
    for (place, one) in entrants.iter().enumerate() {
        if entrants[..place].iter().any(|other| other.name == one.name) {
            return Err(Error::input(format!("{} is named twice; leave one out", one.name)));
        }
    }
    match entrants.len() {
        0 | 1 => Err(Error::input(
            "a comparison needs at least two contenders: name several with --strategy, --checkout, --app, \
             --store or --isolation",
        )),
        _ => Ok(entrants),
    }
}

/// The folder that several files are in; nothing if there is but one.
fn common_folder(paths: &[&PathBuf]) -> PathBuf {
    let parents = || paths.iter().filter_map(|path| path.parent());
    let Some(first) = parents().next().filter(|_| paths.len() > 1) else { return PathBuf::new() };
    let holds_all = |folder: &&Path| parents().all(|parent| parent.starts_with(folder));
    first.ancestors().find(holds_all).map(Path::to_path_buf).unwrap_or_default()
}

/// Refuses a server that runs already where contenders would need one each: it has room for the tables of one.
fn refuse_url(said: &Lineup<'_>) -> Result<(), Error> {
    let checkouts = said.checkouts.len() + usize::from(!said.strategies.is_empty());
    if !said.apps.is_empty() {
        let given = [("--url", said.address.url.is_some())];
        return refuse(&given, "an application's file says itself where everything is");
    }
    let several = [
        ("several in --store", said.stores.len() > 1),
        ("several levels in --isolation", said.levels.len() > 1),
        ("several checkouts, each with tables of its own", checkouts > 1),
    ];
    match several.into_iter().find(|(_, is_so)| *is_so) {
        Some((what, _)) if said.address.url.is_some() => Err(Error::input(format!(
            "--url: it names one server, and there are {what}; leave it out, and a private server is started for each"
        ))),
        _ => Ok(()),
    }
}

/// A store at a level, as texts, if they were named.
#[derive(Clone, Copy)]
struct Place<'a> {
    store: Option<&'a str>,
    level: Option<&'a str>,
}

/// Every store at every level that it has.
fn places<'a>(said: &Lineup<'a>) -> Result<Vec<Place<'a>>, Error> {
    let stores: Vec<Option<&str>> = match said.stores {
        [] => vec![None],
        all => all.iter().map(|store| Some(store.as_str())).collect(),
    };
    let mut places = Vec::new();
    let mut refused = None;
    for store in &stores {
        let settings = applied(said.settings.clone(), &texts(&[("store", *store)]))?;
        let mut at_levels = 0;
        for level in said.levels {
            let named = applied(settings.clone(), &texts(&[("isolation", Some(level))]))?;
            let checked = match settings.store {
                StoreKind::Memory => Err(Error::input(
                    "--isolation: means nothing to the store `memory`; leave it out, or choose another --store",
                )),
                _ => check_level("--isolation", Some(named.isolation), &settings),
            };
            match checked {
                Ok(()) => {
                    at_levels += 1;
                    places.push(Place { store: *store, level: Some(level) });
                }
                Err(error) => refused = Some(error),
            }
        }
        if at_levels == 0 {
            places.push(Place { store: *store, level: None });
        }
    }
    let has_level = places.iter().any(|place| place.level.is_some());
    match refused {
        // Where several stores are compared, one that has no levels stands in the comparison once.
        Some(error) if !has_level && !said.strategies.is_empty() => Err(error),
        _ => Ok(places),
    }
}

/// The same for a file, which names its store itself where no other is named: whether that has a level is known once the
/// file is read.
fn places_of_file<'a>(said: &Lineup<'a>) -> Result<Vec<Place<'a>>, Error> {
    match (said.stores, said.levels) {
        ([_, ..], _) => places(said),
        ([], []) => Ok(vec![Place { store: None, level: None }]),
        ([], levels) => {
            Ok(levels.iter().map(|level| Place { store: None, level: Some(level) }).collect())
        }
    }
}

/// Settings that were named, each with its text.
fn texts(named: &[(&str, Option<&str>)]) -> Given {
    let of =
        |(name, text): &(&str, Option<&str>)| Some((Setting::named(name)?, (*text)?.to_owned()));
    named.iter().filter_map(of).collect()
}

fn add_strategies(
    said: &Lineup<'_>,
    place: &Place<'_>,
    entrants: &mut Vec<Entrant>,
) -> Result<(), Error> {
    let names = || said.strategies.iter().map(String::as_str);
    let at = texts(&[("store", place.store), ("isolation", place.level)]);
    let settings = applied(said.settings.clone(), &at)?;
    let settings = applied(settings, &meant(said, place)?)?;
    let chosen = strategies::select(names(), &settings).map_err(with_list)?;
    let settings = applied(with_carts(settings, &chosen, said.of_race), said.of_race)?;
    settings.check()?;
    tell_left_out(&strategies::left_out(names(), &settings), &settings);
    for strategy in chosen {
        let lacking = strategy.card().needs.iter().find(|kind| !settings.offers(**kind));
        if let (Some(kind), true) = (lacking, said.stores.len() > 1) {
            to_stderr(&format!(
                "left out: {} on {}, which does not offer {}\n",
                strategy.card().name,
                settings.store,
                kind.name()
            ));
            continue;
        }
        let name = strategy.card().name;
        entrants.push(entrant(said, place, strategy, name, settings.clone()));
    }
    Ok(())
}

/// The settings of the store that mean something there.
fn meant(said: &Lineup<'_>, place: &Place<'_>) -> Result<Given, Error> {
    let store = applied(said.settings.clone(), &texts(&[("store", place.store)]))?.store;
    let means = |setting: &Setting, store: StoreKind| (setting.flag.stores)(store);
    for (setting, _) in said.of_store {
        if said.stores.len() < 2 && !means(setting, store) {
            return Err(Error::input(format!(
                "--{}: means nothing to the store `{store}`; leave it out, or choose another --store",
                setting.name
            )));
        }
    }
    let relaxed = said.of_store.iter().any(|(setting, _)| setting.name == "relaxed");
    let is_theirs =
        said.address.url.is_some() && !matches!(store, StoreKind::Sqlite | StoreKind::Http);
    refuse(
        &[("--relaxed", relaxed && is_theirs)],
        "is for private servers, and --url names one that runs already",
    )?;
    Ok(said.of_store.iter().filter(|(setting, _)| means(setting, store)).cloned().collect())
}

fn add_checkout(
    said: &Lineup<'_>,
    path: &Path,
    name: &str,
    entrants: &mut Vec<Entrant>,
) -> Result<(), Error> {
    let (strategy, checkout) = flags::checkout(path)?;
    for place in places_of_file(said)? {
        let given = [
            texts(&[("store", place.store), ("isolation", place.level)]),
            said.of_store.to_vec(),
            said.of_race.to_vec(),
        ]
        .concat();
        let settings = flags::described(checkout, said.settings.clone(), &given)?;
        checkout.check_store(settings.store)?;
        if place.level.is_some() {
            check_level("--isolation", Some(settings.isolation), &settings)?;
        }
        settings.check()?;
        entrants.push(entrant(said, &place, strategy, name, settings));
    }
    Ok(())
}

/// An application, at each isolation level that was named.
fn add_app(
    said: &Lineup<'_>,
    path: &Path,
    name: &str,
    entrants: &mut Vec<Entrant>,
) -> Result<(), Error> {
    let given = [("--store", !said.stores.is_empty())];
    refuse(&given, "an application's file says itself where everything is")?;
    let (strategy, app) = flags::app(path, false)?;
    for place in places_of_file(said)? {
        let level = texts(&[("isolation", place.level)]);
        let given = [level, said.of_store.to_vec(), said.of_race.to_vec()].concat();
        let settings = flags::described(app, said.settings.clone(), &given)?;
        check_level("--isolation", place.level.map(|_| settings.isolation), &settings)?;
        settings.check()?;
        entrants.push(entrant(said, &place, strategy, name, settings));
    }
    Ok(())
}

fn entrant(
    said: &Lineup<'_>,
    place: &Place<'_>,
    strategy: &'static dyn DynStrategy,
    name: &str,
    settings: Settings,
) -> Entrant {
    let mut name = name.to_owned();
    if said.stores.len() > 1 {
        name += &format!(" on {}", settings.store);
    }
    if let Some(level) = place.level.filter(|_| said.levels.len() > 1) {
        name += &format!(" at {level}");
    }
    Entrant { name, strategy, settings }
}
