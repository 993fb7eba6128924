//! The strategies, in the order a class meets them, and their registry. Bugs live in the `zoo`.
//!
//! Adding one is one file here and one line below.
//!
//! Each is a [`Strategy`](crate::strategy::Strategy), to be raced and explored, and to be read:
//!
//! ```
//! use oversell_sim::strategies::{naive::Naive, pessimistic::Pessimistic};
//! use oversell_sim::{Evidence, explore};
//!
//! assert!(matches!(explore(Naive).run()?.evidence, Evidence::Broken));
//! assert!(matches!(explore(Pessimistic).run()?.evidence, Evidence::Proved));
//! # Ok::<(), oversell_sim::Error>(())
//! ```

#[doc(hidden)]
pub mod zoo;

use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::worlds::dyn_strategy::DynStrategy;

/// Declares each strategy's module and lists its type: one line a strategy.
macro_rules! registry {
    ($($module:ident :: $strategy:ident,)+) => {
        $(pub mod $module;)+

        /// Every registered strategy, in the order a class meets them.
        pub static ALL: &[&dyn DynStrategy] = &[$(&$module::$strategy),+];
    };
}

registry! {
    naive::Naive,
    pessimistic::Pessimistic,
    cas::Cas,
    optimistic::Optimistic,
    conditional::Conditional,
    decrement_first::DecrementFirst,
    sequencer::Sequencer,
    ordered_locks::OrderedLocks,
    hold::Hold,
    webhook::Webhook,
    outbox::Outbox,
    authorize::Authorize,
    transaction::Transaction,
    lease::Lease,
    fenced_lease::FencedLease,
    pipeline::Pipeline,
    sharded::Sharded,
}

/// Every strategy and every animal of the [`zoo`].
///
/// ```
/// let mut names = oversell_sim::strategies::every_strategy().map(|strategy| strategy.card().name);
/// assert!(names.any(|name| name == "pessimistic"));
/// ```
pub fn every_strategy() -> impl Iterator<Item = &'static dyn DynStrategy> {
    ALL.iter().chain(zoo::ALL).copied()
}

/// Finds a strategy, or an animal of the zoo, by its name or one of its aliases.
///
/// ```
/// use oversell_sim::strategies::find;
///
/// assert_eq!(find("cas").unwrap().card().name, "cas");
/// assert!(find("cass").is_err_and(|error| error.to_string().contains("did you mean `cas`?")));
/// ```
///
/// # Errors
/// [`Error::Input`] for an unknown name, with the nearest right one.
pub fn find(name: &str) -> Result<&'static dyn DynStrategy, Error> {
    let is_called = |strategy: &&dyn DynStrategy| {
        let card = strategy.card();
        card.name == name || card.aliases.contains(&name)
    };
    every_strategy().find(is_called).ok_or_else(|| {
        let names = every_strategy().flat_map(|strategy| {
            let card = strategy.card();
            std::iter::once(card.name).chain(card.aliases.iter().copied())
        });
        Error::input(format!("no strategy named `{}`{}", shown(name), did_you_mean(name, names)))
    })
}

/// The strategies of which this list names several at once.
fn group(name: &str) -> Option<&'static [&'static dyn DynStrategy]> {
    match name {
        "all" => Some(ALL),
        "zoo" => Some(zoo::ALL),
        _ => None,
    }
}

/// The first op that a strategy needs, and that the store of these settings does not offer.
fn lacks(strategy: &dyn DynStrategy, settings: &Settings) -> Option<OpKind> {
    strategy.card().needs.iter().copied().find(|kind| !settings.offers(*kind))
}

/// The names in a list of names that are separated by commas.
fn names_in<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let names = names.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty())
}

/// What [`select`] leaves out of `all` and `zoo`: each strategy, with the first op that it needs and that the store of
/// these settings does not offer.
pub fn left_out<'a>(
    names: impl IntoIterator<Item = &'a str>,
    settings: &Settings,
) -> Vec<(&'static dyn DynStrategy, OpKind)> {
    let in_groups = names_in(names).filter_map(group).flatten();
    let mut left_out: Vec<(&'static dyn DynStrategy, OpKind)> = Vec::new();
    for (strategy, kind) in
        in_groups.filter_map(|strategy| Some((*strategy, lacks(*strategy, settings)?)))
    {
        if left_out.iter().all(|(other, _)| other.card().name != strategy.card().name) {
            left_out.push((strategy, kind));
        }
    }
    left_out
}

/// Reads a list such as `cas`, `cas,optimistic`, `all` (without the zoo) or `zoo`, these two of what
/// threads can race on the store of these settings ([`left_out`] names the others). Each is in the answer once, in the
/// order first named.
///
/// # Errors
/// As [`find`].
#[doc(hidden)]
pub fn select<'a>(
    names: impl IntoIterator<Item = &'a str>,
    settings: &Settings,
) -> Result<Vec<&'static dyn DynStrategy>, Error> {
    select_where(names, |strategy| lacks(strategy, settings).is_none())
}

/// The same in the model, which offers every op.
///
/// # Errors
/// As [`select`].
#[doc(hidden)]
pub fn select_in_model<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<&'static dyn DynStrategy>, Error> {
    select_where(names, |_| true)
}

fn select_where<'a>(
    names: impl IntoIterator<Item = &'a str>,
    is_meant: impl Fn(&dyn DynStrategy) -> bool,
) -> Result<Vec<&'static dyn DynStrategy>, Error> {
    let mut chosen: Vec<&'static dyn DynStrategy> = Vec::new();
    for name in names_in(names) {
        let named: Vec<_> = match group(name) {
            Some(all) => all.iter().copied().filter(|strategy| is_meant(*strategy)).collect(),
            None => vec![find(name)?],
        };
        for strategy in named {
            if chosen.iter().all(|other| other.card().name != strategy.card().name) {
                chosen.push(strategy);
            }
        }
    }
    if chosen.is_empty() {
        return Err(Error::input("no strategy is named"));
    }
    Ok(chosen)
}
