//! Flags that mean nothing where they are given: each is refused in one line that says what to change, so that no
//! flag is ignored in silence.

use crate::base::error::Error;
use crate::domain::op::OpKind;
use crate::domain::settings::Settings;
use crate::stores::StoreKind;
use crate::stores::model::Isolation;
use crate::worlds::dyn_strategy::DynStrategy;

/// Refuses each of these flags that was given; `why` is the rest of the line.
///
/// # Errors
/// [`Error::Input`] for the first of them.
pub(super) fn refuse(flags: &[(&str, bool)], why: &str) -> Result<(), Error> {
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Error::input(format!("{flag}: {why}"))),
        None => Ok(()),
    }
}

/// Refuses a level that the store of these settings does not have, if one was named.
///
/// # Errors
/// [`Error::Input`] that names the store.
pub(super) fn check_level(
    flag: &str,
    level: Option<Isolation>,
    settings: &Settings,
) -> Result<(), Error> {
    let Some(level) = level else { return Ok(()) };
    match settings.store {
        StoreKind::Sqlite if level != Isolation::Serializable => Err(Error::input(format!(
            "{flag}: SQLite's transactions are serializable, and nothing less; leave it out, or choose another \
             --store"
        ))),
        StoreKind::Redis | StoreKind::Etcd => Err(Error::input(format!(
            "{flag}: the store `{}` has no isolation levels; leave it out, or choose another --store",
            settings.store
        ))),
        _ => Ok(()),
    }
}

/// Refuses a level where a strategy begins no transactions that it could be about, if one was named.
///
/// # Errors
/// [`Error::Input`] that names the strategy.
pub(super) fn check_level_of(
    strategy: &dyn DynStrategy,
    level: Option<Isolation>,
) -> Result<(), Error> {
    let card = strategy.card();
    match level {
        Some(_) if !card.names(OpKind::Transaction) => Err(Error::input(format!(
            "--isolation: {} begins no transactions; leave it out",
            card.name
        ))),
        _ => Ok(()),
    }
}
