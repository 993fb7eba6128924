//! What each key of each table of a simulated shop means.

use std::time::Duration;

use crate::base::clock::nanos;
use crate::base::text::quantity::{parse_count, parse_duration, parse_switch};
use crate::worlds::timed::delay::Delay;
use crate::worlds::timed::quorum::{Acknowledge, Durability};
use crate::worlds::timed::sim_config::{
    Balancer, Door, FaultRates, ProviderConfig, Quorum, Reads, Replicas, ShopConfig, Wallet,
};

/// The longest that anything in a scene lasts.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Every table of the world, with its keys.
pub(super) const TABLES: [(&str, &[&str]); 10] = [
    ("region", &REGION),
    ("product", &PRODUCT),
    ("shop", &SHOP),
    ("wallet", &WALLET),
    ("provider", &PROVIDER),
    ("faults", &FAULTS),
    ("replicas", &REPLICAS),
    ("quorum", &QUORUM),
    ("member", &MEMBER),
    ("blow", &BLOW),
];

pub(super) const REGION: [&str; 3] = ["name", "way", "share"];

pub(super) const MEMBER: [&str; 2] = ["name", "way"];

pub(super) const PRODUCT: [&str; 2] = ["name", "reads"];

pub(super) const BLOW: [&str; 5] = ["at", "cut_off", "heal", "crash", "restart"];

pub(super) const SHOP: [&str; 12] = [
    "place",
    "door",
    "servers",
    "workers",
    "balancer",
    "service",
    "store",
    "think",
    "hold_ttl",
    "lease_ttl",
    "sold_out_sign",
    "row_write",
];

pub(super) fn set_shop(shop: &mut ShopConfig, name: &str, text: &str) -> Result<(), String> {
    match name {
        "place" => text.clone_into(&mut shop.place),
        "door" => shop.door = Door::parse(text)?,
        "servers" => shop.servers = parse_count(text, 1, 10_000)? as u32,
        "workers" => shop.workers = parse_count(text, 1, 1_000_000)? as u32,
        "balancer" => shop.balancer = Balancer::parse(text)?,
        "service" => shop.service = Delay::parse(text)?,
        "store" => shop.store = Delay::parse(text)?,
        "think" => shop.think = Delay::parse(text)?,
        "hold_ttl" => shop.hold_ttl_ns = span(text)?,
        "lease_ttl" => shop.lease_ttl_ns = span(text)?,
        "sold_out_sign" => shop.sold_out_sign_ns = span(text)?,
        _ => shop.row_ns = span(text)?,
    }
    Ok(())
}

pub(super) const WALLET: [&str; 2] = ["pays", "never_pays"];

pub(super) fn set_wallet(wallet: &mut Wallet, name: &str, text: &str) -> Result<(), String> {
    match name {
        "pays" => wallet.pays = Delay::parse(text)?,
        _ => wallet.never_pays = share(text)?,
    }
    Ok(())
}

pub(super) const PROVIDER: [&str; 5] =
    ["way", "declines", "loses_answers", "webhook", "repeats_webhook"];

pub(super) fn set_provider(
    provider: &mut ProviderConfig,
    name: &str,
    text: &str,
) -> Result<(), String> {
    match name {
        "way" => provider.way = Delay::parse(text)?,
        "declines" => provider.declines = share(text)?,
        "loses_answers" => {
            provider.loses_answers = share(text).and_then(|share| {
                not_all(share, "if every answer is lost, a buyer asks for ever")
            })?;
        }
        "webhook" => provider.webhook = Delay::parse(text)?,
        _ => provider.repeats_webhook = share(text)?,
    }
    Ok(())
}

pub(super) const FAULTS: [&str; 6] = ["crashes", "restart", "pauses", "pause", "loss", "resend"];

pub(super) fn set_faults(faults: &mut FaultRates, name: &str, text: &str) -> Result<(), String> {
    match name {
        "crashes" => {
            faults.crashes = share(text).and_then(|share| {
                not_all(share, "if every op ends in a crash, nothing is ever looked after")
            })?;
        }
        "restart" => faults.restart = Delay::parse(text)?,
        "pauses" => faults.pauses = share(text)?,
        "pause" => faults.pause = Delay::parse(text)?,
        "loss" => {
            faults.loss = share(text).and_then(|share| {
                not_all(share, "if every packet is lost, no buyer ever arrives")
            })?;
        }
        _ => faults.resend_ns = span(text)?,
    }
    Ok(())
}

pub(super) const REPLICAS: [&str; 5] = ["reads", "lag", "way", "read_your_writes", "monotonic"];

pub(super) fn set_replicas(replicas: &mut Replicas, name: &str, text: &str) -> Result<(), String> {
    match name {
        "reads" => replicas.reads = Reads::parse(text)?,
        "lag" => replicas.lag = Delay::parse(text)?,
        "way" => replicas.way = Delay::parse(text)?,
        "read_your_writes" => replicas.read_your_writes = parse_switch(text)?,
        _ => replicas.monotonic = parse_switch(text)?,
    }
    Ok(())
}

pub(super) const QUORUM: [&str; 7] =
    ["acknowledge", "durability", "tick", "skew", "answer_within", "random_blows", "blows_within"];

pub(super) fn set_quorum(quorum: &mut Quorum, name: &str, text: &str) -> Result<(), String> {
    match name {
        "acknowledge" => {
            quorum.acknowledge = match text {
                "majority" => Acknowledge::Majority,
                "leader" => Acknowledge::Leader,
                _ => return Err("expected majority or leader".into()),
            }
        }
        "durability" => {
            quorum.durability = match text {
                "synced" => Durability::Synced,
                "unsynced" => Durability::Unsynced,
                _ => return Err("expected synced or unsynced".into()),
            }
        }
        "tick" => quorum.tick_ns = span(text)?.max(100_000),
        "skew" => quorum.skew = share(text)?,
        "answer_within" => quorum.answer_within_ns = span(text)?,
        "random_blows" => quorum.random_blows = parse_count(text, 0, 1_000)? as u32,
        _ => quorum.blows_within_ns = span(text)?,
    }
    Ok(())
}

pub(super) fn span(text: &str) -> Result<u64, String> {
    parse_duration(text, LONGEST).map(nanos)
}

/// Reads `5%` or `0.05`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let expected = || "expected a share from 0% to 100%, such as 5% or 0.05".to_owned();
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| expected())? / 100.0,
        None => text.parse().map_err(|_| expected())?,
    };
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(expected()) }
}

/// The largest share of what is tried again until it succeeds: a thousand tries on average.
const MOST_TRIED_AGAIN: f64 = 0.999;

/// Refuses a share that is all, or so close to it that what is tried again takes for ever.
pub(super) fn not_all(share: f64, why: &str) -> Result<f64, String> {
    match share <= MOST_TRIED_AGAIN {
        true => Ok(share),
        false => Err(format!("must be at most 99.9%: {why}")),
    }
}

/// Reads `09:00:00`.
pub(super) fn time_of_day(text: &str) -> Result<u32, String> {
    let expected = || "expected a time of day, such as \"09:00:00\"".to_owned();
    let parts: Vec<u32> = text
        .split(':')
        .map(|part| part.parse().map_err(|_| expected()))
        .collect::<Result<_, _>>()?;
    match parts[..] {
        [hours @ 0..24, minutes @ 0..60, seconds @ 0..60] => {
            Ok(hours * 3600 + minutes * 60 + seconds)
        }
        _ => Err(expected()),
    }
}
