//! The strategies, in the order a class meets them, and their registry. Bugs live in the `zoo`.
//!
//! Adding one is one file here and one line below.

#[doc(hidden)]
pub mod zoo;

use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
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
pub fn everybody() -> impl Iterator<Item = &'static dyn DynStrategy> {
    ALL.iter().chain(zoo::ALL).copied()
}

/// Finds a strategy, or an animal of the zoo, by its name or one of its aliases.
///
/// # Errors
/// [`Error::Input`] for an unknown name, with the nearest right one.
pub fn find(name: &str) -> Result<&'static dyn DynStrategy, Error> {
    let is_called = |strategy: &&dyn DynStrategy| {
        let card = strategy.card();
        card.name == name || card.aliases.contains(&name)
    };
    everybody().find(is_called).ok_or_else(|| {
        let names = everybody().flat_map(|strategy| {
            let card = strategy.card();
            std::iter::once(card.name).chain(card.aliases.iter().copied())
        });
        Error::input(format!("no strategy named `{}`{}", shown(name), did_you_mean(name, names)))
    })
}

/// The strategies for which the store offers every op that they need.
fn raceable(
    all: &[&'static dyn DynStrategy],
    settings: &Settings,
) -> Vec<&'static dyn DynStrategy> {
    let can_race = |strategy: &&&dyn DynStrategy| {
        strategy.card().needs.iter().all(|kind| settings.offers(*kind))
    };
    all.iter().filter(can_race).copied().collect()
}

/// Reads a list such as `cas`, `cas,optimistic`, `all` (without the zoo) or `zoo`, these two of what
/// threads can race on the store of these settings. Each is in the answer once, in the order first named.
///
/// # Errors
/// As [`find`].
#[doc(hidden)]
pub fn select<'a>(
    names: impl IntoIterator<Item = &'a str>,
    settings: &Settings,
) -> Result<Vec<&'static dyn DynStrategy>, Error> {
    let mut chosen: Vec<&'static dyn DynStrategy> = Vec::new();
    let names = names.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let named = match name {
            "all" => raceable(ALL, settings),
            "zoo" => raceable(zoo::ALL, settings),
            name => vec![find(name)?],
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
