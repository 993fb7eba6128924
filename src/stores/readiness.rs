//! Which stores are ready here, and what to install for the rest.

use crate::base::error::Error;
use crate::domain::store_kind::StoreKind;

/// A store, and whether it can be raced on here and now.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Which store.
    pub kind: StoreKind,
    /// The server that would be used, as it reports itself; or why there is none, and what to do about it.
    pub server: Result<String, Error>,
}

/// Looks for each store's programs.
#[must_use]
pub fn readiness() -> Vec<Readiness> {
    StoreKind::ALL.map(|kind| Readiness { kind, server: found(kind) }).into()
}

fn found(kind: StoreKind) -> Result<String, Error> {
    match kind {
        StoreKind::Memory => Ok("this process".into()),
        #[cfg(feature = "sqlite")]
        StoreKind::Sqlite => Ok(format!("SQLite {}, built in", rusqlite::version())),
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => super::postgres::PACKAGE.found(),
        #[cfg(feature = "mysql")]
        StoreKind::Mysql => super::mysql::PACKAGE.found(),
        #[cfg(feature = "redis")]
        StoreKind::Redis => super::redis::PACKAGE.found(),
        #[cfg(feature = "etcd")]
        StoreKind::Etcd => super::etcd::PACKAGE.found(),
        #[allow(unreachable_patterns, reason = "some features leave nothing over")]
        kind => Err(kind.left_out()),
    }
}

/// Whether a test can be run that needs this store's programs. Where CI runs, they have to be there.
#[cfg(test)]
pub(super) fn is_installed(kind: StoreKind) -> bool {
    let Err(why) = found(kind) else { return true };
    assert!(std::env::var_os("CI").is_none(), "{why}");
    // Written past the test harness, which hides what a passing test prints.
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "\nNOT RUN on {kind}: {why}");
    false
}
