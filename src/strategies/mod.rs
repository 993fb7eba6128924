//! The strategies, in the order a class meets them, and their registry. Bugs live in the `zoo`.
//!
//! Adding one is one file here and one line below.

#[doc(hidden)]
pub mod zoo;

use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::domain::settings::Settings;
use crate::worlds::entrant::Entrant;

/// Declares each strategy's module and lists its type: one line a strategy.
macro_rules! registry {
    ($($module:ident :: $strategy:ident,)+) => {
        $(pub mod $module;)+

        /// Every registered strategy, in the order a class meets them.
        #[doc(hidden)]
        pub static ALL: &[&dyn Entrant] = &[$(&$module::$strategy),+];
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

/// Every strategy and every animal of the `zoo`.
#[doc(hidden)]
pub fn everybody() -> impl Iterator<Item = &'static dyn Entrant> {
    ALL.iter().chain(zoo::ALL).copied()
}

/// Finds a strategy, or an animal of the zoo, by its name or one of its aliases.
///
/// # Errors
/// [`Error::Input`] for an unknown name, with the nearest right one.
#[doc(hidden)]
pub fn find(name: &str) -> Result<&'static dyn Entrant, Error> {
    let is_called = |entrant: &&dyn Entrant| {
        let card = entrant.card();
        card.name == name || card.aliases.contains(&name)
    };
    everybody().find(is_called).ok_or_else(|| {
        let names = everybody().flat_map(|entrant| {
            let card = entrant.card();
            std::iter::once(card.name).chain(card.aliases.iter().copied())
        });
        Error::input(format!("no strategy named `{}`{}", shown(name), did_you_mean(name, names)))
    })
}

/// The strategies for which the store offers every op that they need.
fn raceable(all: &[&'static dyn Entrant], settings: &Settings) -> Vec<&'static dyn Entrant> {
    let can_race =
        |entrant: &&&dyn Entrant| entrant.card().needs.iter().all(|kind| settings.offers(*kind));
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
) -> Result<Vec<&'static dyn Entrant>, Error> {
    let mut chosen: Vec<&'static dyn Entrant> = Vec::new();
    let names = names.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        let named = match name {
            "all" => raceable(ALL, settings),
            "zoo" => raceable(zoo::ALL, settings),
            name => vec![find(name)?],
        };
        for entrant in named {
            if chosen.iter().all(|other| other.card().name != entrant.card().name) {
                chosen.push(entrant);
            }
        }
    }
    if chosen.is_empty() {
        return Err(Error::input("no strategy is named"));
    }
    Ok(chosen)
}
