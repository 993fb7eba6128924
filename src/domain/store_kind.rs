//! The stores by name, and what each can do.

use std::fmt;

use serde::Serialize;

use super::op::OpKind;
use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::sql::Dialect;

/// Where stock lives in a race on threads.
///
/// ```
/// use oversell_sim::{StoreKind, race};
/// # use oversell_sim::strategies::cas::Cas;
///
/// assert_eq!(race(Cas).buyers(50).store(StoreKind::Memory).run()?.store, "memory");
/// assert_eq!(StoreKind::parse("postgresql"), Ok(StoreKind::Postgres));
/// # Ok::<(), oversell_sim::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StoreKind {
    /// In this process's memory.
    #[default]
    Memory,
    /// In a file of the database that is a library.
    Sqlite,
    /// In a PostgreSQL server.
    Postgres,
    /// In a MariaDB or MySQL server.
    Mysql,
    /// In a Redis server.
    Redis,
    /// In a group of etcd servers that agree by Raft.
    Etcd,
    /// Somewhere behind a shop that runs and answers requests. Only a checkout that is described in a file knows what
    /// to ask it.
    Http,
}

impl StoreKind {
    /// All of them but [`Self::Http`], behind which there is a shop's own store.
    #[doc(hidden)]
    pub const ALL: [Self; 6] =
        [Self::Memory, Self::Sqlite, Self::Postgres, Self::Mysql, Self::Redis, Self::Etcd];

    /// The name in flags, scenarios and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Etcd => "etcd",
            Self::Http => "http",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let called = match text.trim() {
            "postgresql" => "postgres",
            "mariadb" => "mysql",
            name => name,
        };
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|kind| kind.name() == called).ok_or_else(|| {
            let near = did_you_mean(text, names);
            format!("no store `{}`{near}; there are {}", shown(text), names.join(", "))
        })
    }

    /// Whether it offers a kind of op. In front of any store there can be a worker's queue, and beside any but
    /// the one in memory, which is there for speed, a payment provider.
    #[doc(hidden)]
    #[must_use]
    pub fn offers(self, kind: OpKind) -> bool {
        use OpKind::{
            Add, Cache, CompareAndSet, CountLeft, Fence, FindOrder, Hold, Lease, Lock, Pay, Queue,
            Read, ReadVersioned, Recover, Shards, Step, Take, Transaction, Webhook, Write,
            WriteIfVersion,
        };
        match kind {
            _ if self == Self::Http => kind == Step,
            Read | ReadVersioned | Write | CompareAndSet | WriteIfVersion | Take | Add | Queue => {
                true
            }
            Lock => self != Self::Redis,
            // `Recover` cleans up after a server crash: on threads no buyer's server dies.
            Hold | Pay | FindOrder | Recover => self != Self::Memory,
            CountLeft | Transaction => self.is_sql(),
            Step => self.is_sql() || self == Self::Redis,
            Lease | Fence => matches!(self, Self::Redis | Self::Etcd),
            Cache | Shards | Webhook => false,
        }
    }

    /// Its dialect of SQL; that of PostgreSQL where it speaks none.
    #[doc(hidden)]
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Mysql => Dialect::Mysql,
            Self::Sqlite => Dialect::Sqlite,
            _ => Dialect::Postgres,
        }
    }

    /// The error for a store that this build leaves out.
    #[doc(hidden)]
    #[must_use]
    pub fn left_out(self) -> Error {
        Error::input(format!("this build does without {self}: build it with `--features {self}`"))
    }

    /// Whether it speaks SQL.
    #[must_use]
    pub fn is_sql(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres | Self::Mysql)
    }

    /// Whether it runs as a server, in a process of its own.
    #[must_use]
    pub fn is_served(self) -> bool {
        matches!(self, Self::Postgres | Self::Mysql | Self::Redis | Self::Etcd)
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
