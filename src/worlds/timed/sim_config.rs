//! The configuration of a simulation: everything that a simulated shop is made of beside its checkout. Shares are from 0 to 1.

use std::time::Duration;

use super::arrivals::{Arrivals, Rush};
use super::delay::Delay;
use super::quorum::{Acknowledge, Durability};
use crate::base::error::Error;
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::parse_count;
use crate::domain::card::About;
use crate::domain::op::{Item, OpKind};
use crate::domain::settings::Settings;

/// Everything that a simulated shop is made of.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Buyers, stock, retries, patience, seed …; threads, rounds and think time mean nothing here.
    pub settings: Settings,
    /// Where buyers are.
    pub regions: Vec<Region>,
    /// When they click.
    pub rush: Rush,
    /// The shop.
    pub shop: ShopConfig,
    /// What buyers do once they have something to pay for.
    pub wallet: Wallet,
    /// The payment provider.
    pub provider: ProviderConfig,
    /// What goes wrong, and how often.
    pub faults: FaultRates,
    /// What the products are called, by number, as far as they have names.
    pub products: Vec<String>,
    /// Copies of the stock that are read in place of it.
    pub replicas: Option<Replicas>,
    /// The group that agrees on every op, if the store is one.
    pub quorum: Option<Quorum>,
    /// What the clock on the shop's wall says at the opening, in seconds after midnight.
    pub opens_s: u32,
}

/// Where buyers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// From there to the shop's door, one way.
    pub way: Delay,
    /// Its share of the buyers, relative to the other regions' shares.
    pub share: u32,
}

/// How requests are shared out among servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancer {
    /// Each in turn.
    RoundRobin,
    /// The server with the fewest requests, in work or in line.
    LeastBusy,
    /// Always the same for the same buyer.
    Hash,
}

impl Balancer {
    const ALL: [(&'static str, Self); 3] =
        [("round-robin", Self::RoundRobin), ("least-busy", Self::LeastBusy), ("hash", Self::Hash)];

    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        named(text, &Self::ALL, "balancer")
    }
}

/// Who is let in, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Every buyer, at once.
    Open,
    /// So many a second, the rest are told to come again later (a token bucket that holds a second's
    /// worth).
    TokenBucket {
        /// Admitted in a second.
        per_s: u32,
    },
    /// Every buyer waits this long after its click, and is then let in in the order of clicks: fair to buyers
    /// far away, as far as the wait is longer than their way.
    WaitingRoom {
        /// How long after the click, in ns.
        window_ns: u64,
    },
}

impl Door {
    /// Reads `open`, `token-bucket:100/s` or `waiting-room:250ms`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || "expected open, token-bucket:100/s or waiting-room:250ms".to_owned();
        match text.trim().split_once(':') {
            None if text.trim() == "open" => Ok(Self::Open),
            Some(("token-bucket", rate)) => {
                let rate = rate.strip_suffix("/s").ok_or_else(expected)?;
                Ok(Self::TokenBucket { per_s: parse_count(rate, 1, 1_000_000_000)? as u32 })
            }
            Some(("waiting-room", window)) => {
                let longest = Duration::from_secs(3600);
                let window = crate::base::text::quantity::parse_duration(window, longest)?;
                Ok(Self::WaitingRoom { window_ns: crate::base::clock::nanos(window) })
            }
            _ => Err(expected()),
        }
    }
}

/// The shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopConfig {
    /// Where it stands.
    pub place: String,
    /// Who is let in.
    pub door: Door,
    /// How many application servers there are.
    pub servers: u32,
    /// How many requests each works on at once.
    pub workers: u32,
    /// How requests are shared out.
    pub balancer: Balancer,
    /// What a server has to do for a request before it asks the store for anything.
    pub service: Delay,
    /// From a server to the store, one way.
    pub store: Delay,
    /// Between looking and acting.
    pub think: Delay,
    /// How long a hold stands, in ns.
    pub hold_ttl_ns: u64,
    /// How long a lease runs, in ns.
    pub lease_ttl_ns: u64,
    /// How long a server that the store told "sold out" repeats that without asking the store, in ns; 0: it
    /// always asks.
    pub sold_out_sign_ns: u64,
    /// How long the store is busy with a write of one row, for one op at a time, in ns; 0: for no time.
    pub row_ns: u64,
}

/// What buyers do once they have something to pay for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wallet {
    /// How long they are away to pay.
    pub pays: Delay,
    /// The share of those who never come back.
    pub never_pays: f64,
}

/// The payment provider.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderConfig {
    /// From the shop to the provider and its decision, one way.
    pub way: Delay,
    /// The share of payments that it declines.
    pub declines: f64,
    /// The share of its answers that are lost after the money has moved.
    pub loses_answers: f64,
    /// How long after a payment it tells the shop.
    pub webhook: Delay,
    /// The share of webhooks that come again.
    pub repeats_webhook: f64,
}

/// What goes wrong, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRates {
    /// The share of ops after which the server that sent them dies.
    pub crashes: f64,
    /// How long it takes until another server looks after what it left.
    pub restart: Delay,
    /// The share of ops before which the task that sends them is paused.
    pub pauses: f64,
    /// For how long.
    pub pause: Delay,
    /// The share of packets between buyers and the shop that are lost, and sent again.
    pub loss: f64,
    /// How long a sender waits before it sends again; twice as long each time.
    pub resend_ns: u64,
}

/// Copies of the stock, one in each region of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicas {
    /// How far behind they are.
    pub lag: Delay,
    /// Where plain reads go, of products without a policy of their own.
    pub reads: Reads,
    /// Products' own policies, by number.
    pub own_reads: Vec<Option<Reads>>,
    /// From a server to its replica, one way.
    pub way: Delay,
    /// Whether a buyer that has written waits until a replica has that write.
    pub read_your_writes: bool,
    /// Whether a buyer never reads anything older than it has read.
    pub monotonic: bool,
}

impl Replicas {
    /// Where plain reads of a product go.
    #[must_use]
    pub fn reads_of(&self, item: Item) -> Reads {
        self.own_reads.get(usize::from(item.0)).copied().flatten().unwrap_or(self.reads)
    }

    /// Whether plain reads of a product go to the copies.
    #[must_use]
    pub fn are_read(&self, item: Item) -> bool {
        self.reads_of(item) == Reads::Nearest
    }
}

/// Where plain reads go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// To the leader: strong consistency.
    Leader,
    /// To the nearest replica: eventual consistency.
    Nearest,
}

impl Reads {
    const ALL: [(&'static str, Self); 2] = [("leader", Self::Leader), ("nearest", Self::Nearest)];

    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        named(text, &Self::ALL, "policy")
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, reads)| *reads == self).map_or("", |(name, _)| name)
    }
}

/// A group that agrees on every op before it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Quorum {
    /// Its members: names, and how far each is from the shop, one way.
    pub members: Vec<(String, Delay)>,
    /// When an op is acknowledged.
    pub acknowledge: Acknowledge,
    /// What a crash leaves of what was written.
    pub durability: Durability,
    /// How often members' clocks tick.
    pub tick_ns: u64,
    /// By how much members' clocks differ: the share by which the last is slower than the first.
    pub skew: f64,
    /// How long a server waits for an answer before it tells its buyer that the shop cannot decide.
    pub answer_within_ns: u64,
    /// What happens to members, in order of time.
    pub script: Vec<(u64, Blow)>,
    /// How many blows more a seed rolls, within this time.
    pub random_blows: u32,
    /// Within which time, in ns after the opening.
    pub blows_within_ns: u64,
}

impl Quorum {
    /// How long after everything else it takes at most, in ns, until all blows to members have happened and the
    /// members that are left have agreed.
    #[must_use]
    pub fn settles_ns(&self) -> u64 {
        let scripted = self.script.iter().map(|(at_ns, _)| *at_ns).max().unwrap_or(0);
        let rolled = if self.random_blows > 0 { self.blows_within_ns.saturating_mul(2) } else { 0 };
        scripted.max(rolled).saturating_add(self.answer_within_ns.saturating_mul(3))
    }
}

/// Something that happens to the members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Those named are cut off from all others.
    Partition(Vec<usize>),
    /// Every member can reach every other again.
    Heal,
    /// A member dies.
    Crash(usize),
    /// It comes back with what it had written down.
    Restart(usize),
}

/// Reads one of several names.
fn named<T: Copy>(text: &str, all: &[(&'static str, T)], what: &str) -> Result<T, String> {
    let names = all.iter().map(|(name, _)| *name);
    let found = all.iter().find(|(name, _)| *name == text.trim());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let list: Vec<&str> = names.clone().collect();
        let near = did_you_mean(text, names);
        format!("no {what} `{}`{near}; there are {}", shown(text), list.join(", "))
    })
}

impl SimConfig {
    /// Whether a hold stands for long enough to pay in.
    ///
    /// # Errors
    /// A sentence that says that it does not.
    pub fn check_hold(&self) -> Result<(), String> {
        let shortest_ns = self.regions.iter().map(|region| region.way.least_ns()).min();
        if self.shop.hold_ttl_ns > shortest_ns.unwrap_or(0).saturating_mul(2) {
            return Ok(());
        }
        Err("shorter than a packet's way to the nearest buyer and back: every hold would run out \
             before any buyer could pay"
            .into())
    }

    /// Whether a strategy can work here.
    ///
    /// # Errors
    /// [`Error::Input`] with what is in its way.
    pub fn check_for(&self, card: &About) -> Result<(), Error> {
        self.settings.check_for(card)?;
        let waits = |kind: &OpKind| {
            matches!(kind, OpKind::Lock | OpKind::Lease | OpKind::Queue | OpKind::Transaction)
        };
        if self.quorum.is_some()
            && let Some(kind) = card.needs.iter().find(|kind| waits(kind))
        {
            return Err(Error::input(format!(
                "{} needs {}, and a group that agrees on ops offers none that wait: leave [quorum] out, \
                 or take another strategy",
                card.name,
                kind.name()
            )));
        }
        Ok(())
    }
}

/// An always-open shop without any faults, everything near and at once, for tests to start from.
impl SimConfig {
    /// A scene of these settings and clicks, in which everything but the network is ideal.
    ///
    /// # Errors
    /// As [`Arrivals::load`].
    pub fn plain(settings: Settings, arrivals: &Arrivals) -> Result<Self, Error> {
        let rush = arrivals.load(settings.buyers.into(), std::path::Path::new("."))?;
        let settings = Settings { buyers: rush.buyers() as u32, ..settings };
        let millis = |ms| Delay::always(Duration::from_millis(ms));
        let micros = |us| Delay::always(Duration::from_micros(us));
        Ok(Self {
            settings,
            regions: vec![Region { name: "here".into(), way: millis(10), share: 1 }],
            rush,
            shop: ShopConfig {
                place: "shop".into(),
                door: Door::Open,
                servers: 2,
                workers: 64,
                balancer: Balancer::RoundRobin,
                service: micros(300),
                store: micros(250),
                think: micros(200),
                hold_ttl_ns: 600_000_000_000,
                lease_ttl_ns: 10_000_000_000,
                sold_out_sign_ns: 0,
                row_ns: 0,
            },
            wallet: Wallet { pays: Delay::always(Duration::from_secs(90)), never_pays: 0.0 },
            provider: ProviderConfig {
                way: millis(35),
                declines: 0.0,
                loses_answers: 0.0,
                webhook: Delay::always(Duration::from_secs(2)),
                repeats_webhook: 0.0,
            },
            faults: FaultRates {
                crashes: 0.0,
                restart: Delay::always(Duration::from_secs(5)),
                pauses: 0.0,
                pause: Delay::always(Duration::from_secs(15)),
                loss: 0.0,
                resend_ns: 200_000_000,
            },
            products: Vec::new(),
            replicas: None,
            quorum: None,
            opens_s: 9 * 3600,
        })
    }
}
