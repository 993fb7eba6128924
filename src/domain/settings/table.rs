//! The table of settings: each is described here, once, and everything else is made of it.
//!
//! An entry is a line of documentation, the name, the field with its type, its default, its bounds, and the worlds in which
//! the setting means something; then what its flag says. To add a setting, add an entry, and the code that uses it.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::setting::{Flag, Part, Setting, World, bounds, settings};
use super::value::Value;
use crate::domain::buyer::Demand;
use crate::domain::faults::Faults;
use crate::domain::isolation::Isolation;
use crate::domain::op::{MOST_IN_CART, MOST_ITEMS, MOST_STOCK, Units};
use crate::domain::retry::{Backoff, Retries};
use crate::domain::store_kind::StoreKind;

/// The most buyers in one round.
pub const MOST_BUYERS: u64 = 10_000_000;
/// The most rounds.
pub const MOST_ROUNDS: u64 = 1_000_000;
/// The longest think time.
pub const LONGEST_THINK: Duration = Duration::from_secs(60);
/// The largest seed: what JSON readers that know only doubles still read exactly.
pub const MOST_SEED: u64 = 1 << 53;
/// The longest patience.
pub const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);
/// The most connections to a store.
pub const MOST_CONNECTIONS: u64 = 1_000;
/// The most kills in a round.
pub const MOST_KILLS: u64 = 1_000;
/// The longest hold or lease.
pub const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);

/// The default think time, 200 µs: about one round trip between an application server and its
/// database in the same data centre, which is the least that a real checkout spends between looking
/// and acting. With none, on few cores, most buyers would come and go within one time slice, and a
/// broken checkout would look safe.
pub const DEFAULT_THINK: Duration = Duration::from_micros(200);

const NANOSECOND: Duration = Duration::from_nanos(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// How often each fault may happen.
const FAULTS: RangeInclusive<u64> = 0..=Faults::MOST as u64;

/// The call of a builder.
fn call(name: &str, value: &impl Value) -> String {
    format!(".{name}({})", value.code())
}

settings! {
    /// How many buyers come in a round; in a race each on a thread of its own, unless told otherwise.
    "buyers" buyers: u32 = 1000, within 1..=MOST_BUYERS, in [Threads Stepped Held Timed] {
        part: Part::Shop,
        short: Some('b'),
        help: "How many buyers come at once [default: 1,000]",
        help_of_explore: Some("How many buyers there are; explore also takes any [default: 2, or as many as a file has roles]"),
        is_always_said: true,
        ..Flag::NUMBER
    }
    /// How many products there are; by default one.
    "items" items: u8 = 1, within 1..=MOST_ITEMS, in [Threads Stepped Held Timed] {
        part: Part::Carts,
        help: "How many products there are [default: {default}, or 2 for a strategy that is about carts]",
        ..Flag::NUMBER
    }
    /// How many units of each product there are at the start; by default one.
    "stock" stock: Units = 1, within 1..=MOST_STOCK, in [Threads Stepped Held Timed],
    set by |units: u32| crate::domain::settings::units(units), {
        part: Part::Shop,
        short: Some('s'),
        help: "How many units there are of each [default: {default}]",
        is_always_said: true,
        ..Flag::NUMBER
    }
    /// How many products are in each buyer's cart; by default one. Carts begin with a product of their own, buyer by buyer
    /// in turn.
    "cart" cart: u8 = 1, within 1..=MOST_IN_CART as u64, in [Threads Stepped Held Timed] {
        part: Part::Carts,
        help: "How many products are in each cart, beginning with another one for each buyer in turn [default: \
               {default}, or 2 for a strategy that is about carts]",
        ..Flag::NUMBER
    }
    /// How many units of each product a buyer wants; by default one.
    "qty" qty: Demand = Demand::ONE, within 1..=MOST_STOCK, in [Threads Stepped Held Timed],
    set by |units: u32| crate::domain::settings::between(units, units), {
        part: Part::Shop,
        value: Some("N|N..N"),
        help: "Units each buyer wants of each, all or none: a number, or a range such as 1..3 [default: {default}]",
        ..Flag::NUMBER
    }
    /// How many threads serve the buyers in turn; by default one thread for each buyer.
    "threads" threads: Option<u32> = None, within 1..=MOST_BUYERS, in [Threads],
    set by |threads: u32| Some(threads), {
        part: Part::Buyers,
        help: "Let N threads serve the buyers in turn [default: one thread a buyer]",
        ..Flag::NUMBER
    }
    /// How often the race is run; by default once.
    "rounds" rounds: u32 = 1, within 1..=MOST_ROUNDS, in [Threads] {
        part: Part::Buyers,
        help: "Run the race N times; the figures are added up [default: {default}]",
        ..Flag::NUMBER
    }
    /// Time spent at every [`think`](crate::domain::session::Session::think), between looking and acting; by default
    /// [`DEFAULT_THINK`](crate::domain::settings::DEFAULT_THINK).
    "think" think: Duration = DEFAULT_THINK, within Duration::ZERO..=LONGEST_THINK, in [Threads] {
        part: Part::Buyers,
        help: "Time between looking and acting [default: {default}, about one round trip to a database]",
        ..Flag::DURATION
    }
    /// How often a buyer tries again after a conflict; by default without limit.
    "retries" retries: Retries = Retries::Unlimited, in [Threads Stepped Held Timed] {
        part: Part::Buyers,
        value: Some("N|unlimited"),
        help: "How often a buyer tries again after a conflict: a number, or unlimited [default: {default}]",
        ..Flag::NUMBER
    }
    /// How long a buyer waits before it tries again; by default not at all.
    "backoff" backoff: Backoff = Backoff::None, in [Threads Timed] {
        part: Part::Buyers,
        value: Some("BACKOFF"),
        help: "Wait before trying again: none, fixed:1ms or exponential:50us..5ms [default: {default}]",
        ..Flag::NUMBER
    }
    /// How long a buyer keeps trying, and the longest it waits for a lock; by default 30 s.
    "patience" patience: Duration = Duration::from_secs(30), within NANOSECOND..=LONGEST_PATIENCE,
    in [Threads Timed] {
        part: Part::Buyers,
        help: "How long a buyer keeps trying, or waits for one lock or answer [default: {default}]",
        ..Flag::DURATION
    }
    /// The seed of the buyers' random choices; by default 0.
    "seed" seed: u64 = 0, within 0..=MOST_SEED, in [Threads Stepped Held Timed] {
        part: Part::Shop,
        help: "Seed of the buyers' random choices (quantities, backoff) [default: a new one, printed]",
        help_of_explore: Some("Seed of what buyers want, where that is a range [default: a new one]"),
        is_always_said: true,
        ..Flag::NUMBER
    }
    /// Where stock lives; by default in this process's memory. A private server is started where one is needed, and removed
    /// after.
    "store" store: StoreKind = StoreKind::Memory, in [Threads Held] {
        part: Part::Server,
        value: Some("STORE"),
        help: "Where stock lives: memory, sqlite, postgres, mysql, redis or etcd; a private server is started where \
               one is needed (`oversell-sim stores` lists what is ready) [default: {default}]",
        help_of_explore: Some(
            "Where stock lives: sqlite, postgres, mysql, redis or etcd; without --url a private server is started, \
             and removed afterwards [default: a model in memory]"
        ),
        ..Flag::SWITCH
    }
    /// How many connections to a database buyers share; by default 10.
    "connections" connections: u32 = 10, within 1..=MOST_CONNECTIONS, in [Threads] {
        part: Part::Server,
        help: "How many connections buyers share [default: {default}]",
        stores: |store| store != StoreKind::Memory,
        ..Flag::NUMBER
    }
    /// Whether the database itself refuses stock below zero; by default it does not.
    "stock-check" stock_check: bool = false, in [Threads Held] {
        part: Part::Tables,
        help: "Have the database itself refuse stock below zero: CHECK (stock >= 0)",
        stores: StoreKind::is_sql,
        ..Flag::SWITCH
    }
    /// How long a hold stands on a database; by default ten minutes.
    "hold-ttl" hold_ttl: Duration = Duration::from_secs(600), within MILLISECOND..=LONGEST_TTL,
    in [Threads] {
        part: Part::Timers,
        help: "How long a hold stands [default: 10m]",
        stores: |store| store != StoreKind::Memory,
        ..Flag::DURATION
    }
    /// How long a lease lasts on a database; by default ten seconds.
    "lease-ttl" lease_ttl: Duration = Duration::from_secs(10), within MILLISECOND..=LONGEST_TTL,
    in [Threads] {
        part: Part::Timers,
        help: "How long a lease lasts [default: {default}]",
        stores: |store| matches!(store, StoreKind::Redis | StoreKind::Etcd),
        ..Flag::DURATION
    }
    /// Whether locks are the database's own, which belong to no row; by default they are rows'.
    "advisory-locks" advisory_locks: bool = false, in [Threads Held] {
        part: Part::Tables,
        help: "Let locks be the database's own, which belong to no row (postgres, mysql)",
        ..Flag::SWITCH
    }
    /// Whether each unit of stock is a row, of which a checkout takes those that no other transaction has locked; by default
    /// stock is a number.
    "unit-rows" unit_rows: bool = false, in [Threads Held] {
        part: Part::Tables,
        help: "Keep stock as a row a unit, and take those that no other transaction has locked: FOR UPDATE SKIP \
               LOCKED (postgres, mysql)",
        ..Flag::SWITCH
    }
    /// Whether a private server may answer before its changes are on disk; by default it may not.
    "relaxed" relaxed: bool = false, in [Threads] {
        part: Part::Private,
        help: "Let a private server answer before its changes are on disk",
        stores: |store| !matches!(store, StoreKind::Memory | StoreKind::Etcd),
        ..Flag::SWITCH
    }
    /// How often a private server is killed in the middle of each round, and started again; by default never.
    "kill" kill: u32 = 0, within 0..=MOST_KILLS, in [Threads] {
        part: Part::Private,
        help: "Kill the private server N times in the middle of each round, as `kill -9` does, and start it again",
        ..Flag::NUMBER
    }
    /// How far transactions are kept apart; by default read committed.
    "isolation" isolation: Isolation = Isolation::ReadCommitted, in [Threads Stepped Held Timed] {
        part: Part::Transactions,
        value: Some("LEVEL"),
        help: "How far transactions are kept apart: read-committed, repeatable-read or serializable [default: \
               {default}]",
        help_of_explore: Some(
            "How far transactions are kept apart: read-committed, repeatable-read or serializable"
        ),
        stores: |store| store != StoreKind::Memory,
        ..Flag::SWITCH
    }
    faults {
        /// How often a server may die while it works for a buyer; by default never.
        "crashes" crashes: "Servers that die in the middle of what they do for a buyer; of a --checkout, programs between two \
                            statements"
        /// How often a hold or a lease may run out while its buyer still counts on it; by default never.
        "expiries" expiries: "Holds and leases that run out while a buyer still counts on them; of a --checkout, all holds at once"
        /// How often a payment may be declined; by default never.
        "declines" declines: "Payments that are declined"
        /// How often the payment provider's answer may be lost after the money has moved; by default never.
        "lost-answers" lost_answers:
            "Answers of the payment provider that are lost after the money has moved"
        /// How often a notice of the payment provider may come again; by default never.
        "redeliveries" redeliveries: "Notices of the payment provider that come again"
        /// How often the database may lose its power; by default never.
        "power-cuts" power_cuts:
            "Times that the database loses its power, and starts again with what was on disk"
        /// How often a plain read may go to a replica that does not have the last write yet; by default never.
        "stale-reads" stale_reads: "Plain reads that go to a copy which has not heard of the last write"
    }
}

pub(crate) use setters;
