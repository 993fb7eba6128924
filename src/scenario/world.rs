//! The simulated part of a scenario: what the shop is made of, table by table.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tables::{
    BLOW, FAULTS, MEMBER, PRODUCT, PROVIDER, QUORUM, REGION, REPLICAS, SHOP, WALLET, set_faults,
    set_provider, set_quorum, set_replicas, set_shop, set_wallet, span, time_of_day,
};
use crate::base::error::Error;
use crate::base::text::document::{Fault, plain_text};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::base::text::quantity::{of, parse_count};
use crate::domain::settings::Settings;
use crate::worlds::timed::arrivals::Arrivals;
use crate::worlds::timed::delay::Delay;
use crate::worlds::timed::quorum::{Acknowledge, Durability};
use crate::worlds::timed::sim_config::{Blow, Quorum, Reads, Region, Replicas, SimConfig};
use crate::worlds::timed::timestamps::Timestamps;

/// A key with its place.
pub(super) type SpannedKey<'k> = Spanned<Cow<'k, str>>;

/// A value with its place.
pub(super) type SpannedValue<'v> = Spanned<DeValue<'v>>;

/// What the file says of the world, as far as it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct SimConfigBuilder {
    /// How many seeds to try.
    pub(super) seeds: Option<u32>,
    clicks: Option<(Arrivals, Range<usize>)>,
    opens_s: Option<u32>,
    regions: Vec<Region>,
    products: Vec<ProductEntry>,
    shop: Vec<TableEntry>,
    wallet: Vec<TableEntry>,
    provider: Vec<TableEntry>,
    faults: Vec<TableEntry>,
    replicas: Option<Vec<TableEntry>>,
    quorum: Option<Vec<TableEntry>>,
    members: Vec<(String, Delay)>,
    blows: Vec<(u64, BlowNamed, Range<usize>)>,
    /// Where the first thing about the world stands.
    first: Range<usize>,
    /// Where each key stands.
    places: Vec<(String, Range<usize>)>,
}

/// The most regions; they are counted in 16 bits.
const MOST_REGIONS: usize = 1_000;

/// A product's name, and its policy with its place.
type ProductEntry = (String, Option<(Reads, Range<usize>)>);

/// A key and its value in some table.
#[derive(Clone, Debug)]
struct TableEntry {
    name: String,
    text: String,
    key: Range<usize>,
    value: Range<usize>,
}

/// A blow to members that are still given by name, not by number.
#[derive(Clone, Debug)]
enum BlowNamed {
    CutOff(Vec<String>),
    Heal,
    Crash(String),
    Restart(String),
}

impl SimConfigBuilder {
    /// The keys and tables that say something of the world.
    pub(super) const KEYS: [&'static str; 13] = [
        "seeds", "clicks", "opens", "region", "product", "shop", "wallet", "provider", "faults",
        "replicas", "quorum", "member", "blow",
    ];

    /// Reads one of [`KEYS`](Self::KEYS).
    pub(super) fn read(
        &mut self,
        key: &SpannedKey<'_>,
        value: &SpannedValue<'_>,
    ) -> Result<(), Fault> {
        let at_value = |message: String| Fault { span: value.span(), message };
        if self.first.is_empty() {
            self.first = key.span();
        }
        let name = key.get_ref().as_ref();
        self.places.push((name.to_owned(), key.span()));
        let text = || plain_text(value).map_err(|why| at_value(format!("`{name}`: {why}")));
        let explained = |why: String| at_value(format!("`{name}`: {why}"));
        match name {
            "seeds" => {
                let most = u64::from(u32::MAX);
                self.seeds = Some(parse_count(&text()?, 1, most).map_err(explained)? as u32);
            }
            "clicks" => {
                let clicks = Arrivals::parse(&text()?).map_err(explained)?;
                self.clicks = Some((clicks, value.span()));
            }
            "opens" => self.opens_s = Some(time_of_day(&text()?).map_err(explained)?),
            "region" => {
                for (table, place) in tables(name, value)? {
                    let region = region(name, table, &place)?;
                    let names = self.regions.iter().map(|known| known.name.as_str());
                    only_once(name, &region.name, names, place.clone())?;
                    if self.regions.len() == MOST_REGIONS {
                        let message = format!("there are more than {MOST_REGIONS} regions");
                        return Err(Fault { span: place, message });
                    }
                    self.regions.push(region);
                }
            }
            "member" => {
                for (table, place) in tables(name, value)? {
                    let Region { name: member, way, .. } = region(name, table, &place)?;
                    let names = self.members.iter().map(|(known, _)| known.as_str());
                    only_once(name, &member, names, place)?;
                    self.members.push((member, way));
                }
            }
            "product" => {
                for (table, place) in tables(name, value)? {
                    let (product, reads) = product(table, &place)?;
                    let names = self.products.iter().map(|(known, _)| known.as_str());
                    only_once(name, &product, names, place)?;
                    self.products.push((product, reads));
                }
            }
            "blow" => {
                for (table, place) in tables(name, value)? {
                    self.blows.push(blow(table, place)?);
                }
            }
            "replicas" => self.replicas = Some(said(name, value)?),
            "quorum" => self.quorum = Some(said(name, value)?),
            "shop" => self.shop = said(name, value)?,
            "wallet" => self.wallet = said(name, value)?,
            "provider" => self.provider = said(name, value)?,
            _ => self.faults = said(name, value)?,
        }
        Ok(())
    }

    /// Whether anything was said of a world.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The scene: what the file says, and defaults for the rest. Files are looked for beside the scenario.
    pub(super) fn scene(self, settings: &Settings, folder: &Path) -> Result<SimConfig, Fault> {
        let places = &self.places;
        let at = |names: &[&str]| {
            let place = |name: &&str| places.iter().find(|(known, _)| known == name);
            names.iter().find_map(place).map_or(self.first.clone(), |(_, place)| place.clone())
        };
        let (clicks, clicks_at) = self.clicks.unwrap_or((Arrivals::Same, self.first.clone()));
        let rush = clicks
            .load(settings.buyers.into(), folder)
            .map_err(|error| Fault { span: clicks_at.clone(), message: error.to_string() })?;
        let mut scene = SimConfig::plain(settings.clone(), &Arrivals::Same)
            .map_err(|error: Error| Fault { span: 0..0, message: error.to_string() })?;
        scene.settings.buyers = u32::try_from(rush.buyers()).unwrap_or(u32::MAX);
        scene.rush = rush;
        scene.opens_s = self.opens_s.unwrap_or(scene.opens_s);
        if self.regions.is_empty() {
            let message =
                "there are no regions: add a table such as `[[region]]` with `name` and `way`";
            return Err(Fault { span: self.first, message: message.into() });
        }
        scene.regions = self.regions;
        if scene.regions.iter().all(|region| region.share == 0) {
            let message = "every region's `share` is 0: no buyer comes".into();
            return Err(Fault { span: at(&["region"]), message });
        }
        let recorded = scene.rush.recorded().map_or(&[][..], Timestamps::regions);
        for name in recorded {
            let known = scene.regions.iter().map(|region| region.name.as_str());
            if known.clone().all(|known| known != name) {
                let near = did_you_mean(name, known);
                let message = format!(
                    "clicks come from `{}`, and no [[region]] is called so{near}",
                    shown(name)
                );
                return Err(Fault { span: clicks_at, message });
            }
        }
        for said in &self.shop {
            said.read(|name, text| set_shop(&mut scene.shop, name, text), &SHOP)?;
        }
        for said in &self.wallet {
            said.read(|name, text| set_wallet(&mut scene.wallet, name, text), &WALLET)?;
        }
        for said in &self.provider {
            said.read(|name, text| set_provider(&mut scene.provider, name, text), &PROVIDER)?;
        }
        for said in &self.faults {
            said.read(|name, text| set_faults(&mut scene.faults, name, text), &FAULTS)?;
        }
        let (named, items) = (self.products.len(), usize::from(settings.items));
        if named > 0 && named != items {
            let message = format!(
                "{} named, and the shop has {}: write `items = {named}`, or name them all",
                of(named as u64, "product"),
                of(items as u64, "product")
            );
            return Err(Fault { span: at(&["product"]), message });
        }
        if let Some(all) = &self.replicas {
            let mut replicas = Replicas {
                lag: Delay::always(Duration::from_millis(100)),
                reads: Reads::Nearest,
                own_reads: self.products.iter().map(|(_, reads)| Some(reads.as_ref()?.0)).collect(),
                way: Delay::always(Duration::from_micros(250)),
                read_your_writes: false,
                monotonic: false,
            };
            for said in all {
                said.read(|name, text| set_replicas(&mut replicas, name, text), &REPLICAS)?;
            }
            scene.replicas = Some(replicas);
        } else if let Some((_, place)) = self.products.iter().find_map(|(_, reads)| reads.as_ref())
        {
            let message = "there are no copies to be read, or not: add a table `[replicas]`".into();
            return Err(Fault { span: place.clone(), message });
        }
        scene.products = self.products.into_iter().map(|(name, _)| name).collect();
        scene.check_hold().map_err(|why| Fault {
            span: self
                .shop
                .iter()
                .find(|said| said.name == "hold_ttl")
                .map_or(at(&["region"]), |said| said.value.clone()),
            message: format!("`hold_ttl`: {why}"),
        })?;
        match (self.quorum, self.members, self.blows) {
            (Some(all), members, blows) => {
                scene.quorum = Some(quorum(&all, members, blows, &at(&["member", "quorum"]))?);
            }
            (None, members, blows) if members.is_empty() && blows.is_empty() => {}
            (None, ..) => {
                let message = "members and blows are a group's: add a table `[quorum]`".into();
                return Err(Fault { span: at(&["member", "blow"]), message });
            }
        }
        Ok(scene)
    }
}

/// The group, with its members given by number.
fn quorum(
    all: &[TableEntry],
    members: Vec<(String, Delay)>,
    blows: Vec<(u64, BlowNamed, Range<usize>)>,
    first: &Range<usize>,
) -> Result<Quorum, Fault> {
    if !(2..=15).contains(&members.len()) {
        let message = format!(
            "a group has 2 to 15 members, and {} are named: add tables such as `[[member]]` with `name` \
             and `way`",
            members.len()
        );
        return Err(Fault { span: first.clone(), message });
    }
    let number = |name: &str, span: &Range<usize>| {
        let names = members.iter().map(|(name, _)| name.as_str());
        members.iter().position(|(member, _)| member == name).ok_or_else(|| Fault {
            span: span.clone(),
            message: format!("no member is called `{}`{}", shown(name), did_you_mean(name, names)),
        })
    };
    let mut script = Vec::new();
    for (at_ns, blow, span) in blows {
        let blow = match blow {
            BlowNamed::CutOff(names) if names.is_empty() => {
                let message = "`cut_off` names no member".into();
                return Err(Fault { span, message });
            }
            BlowNamed::CutOff(names) if members.iter().all(|(name, _)| names.contains(name)) => {
                let message =
                    "`cut_off` names every member: there is none left to be cut off from".into();
                return Err(Fault { span, message });
            }
            BlowNamed::CutOff(names) => {
                let members = names.iter().map(|name| number(name, &span));
                Blow::Partition(members.collect::<Result<_, Fault>>()?)
            }
            BlowNamed::Heal => Blow::Heal,
            BlowNamed::Crash(name) => Blow::Crash(number(&name, &span)?),
            BlowNamed::Restart(name) => Blow::Restart(number(&name, &span)?),
        };
        script.push((at_ns, blow));
    }
    let mut quorum = Quorum {
        members,
        acknowledge: Acknowledge::Majority,
        durability: Durability::Synced,
        tick_ns: 100_000_000,
        skew: 0.0,
        answer_within_ns: 5_000_000_000,
        script,
        random_blows: 0,
        blows_within_ns: 10_000_000_000,
    };
    for said in all {
        said.read(|name, text| set_quorum(&mut quorum, name, text), &QUORUM)?;
    }
    Ok(quorum)
}

impl TableEntry {
    /// Sets what it says, if there is such a key.
    fn read(
        &self,
        mut set: impl FnMut(&str, &str) -> Result<(), String>,
        known: &[&'static str],
    ) -> Result<(), Fault> {
        if !known.contains(&self.name.as_str()) {
            let near = did_you_mean(&self.name, known.iter().copied());
            let message = format!("unknown key `{}`{near}", shown(&self.name));
            return Err(Fault { span: self.key.clone(), message });
        }
        set(&self.name, &self.text).map_err(|why| Fault {
            span: self.value.clone(),
            message: format!("`{}`: {why}", self.name),
        })
    }
}

/// All keys of a table.
fn said(name: &str, value: &SpannedValue<'_>) -> Result<Vec<TableEntry>, Fault> {
    let table = value.get_ref().as_table().ok_or_else(|| Fault {
        span: value.span(),
        message: format!("`{name}` must be a table: write `[{name}]`"),
    })?;
    said_in(table)
}

fn said_in(table: &DeTable<'_>) -> Result<Vec<TableEntry>, Fault> {
    let one = |(key, value): (&SpannedKey<'_>, &SpannedValue<'_>)| {
        let name = key.get_ref().to_string();
        let text = match value.get_ref() {
            DeValue::Boolean(yes) => Ok(yes.to_string()),
            _ => plain_text(value),
        };
        let text =
            text.map_err(|why| Fault { span: value.span(), message: format!("`{name}`: {why}") })?;
        Ok(TableEntry { name, text, key: key.span(), value: value.span() })
    };
    table.iter().map(one).collect()
}

/// The tables of a list of tables, and where each stands.
fn tables<'t, 'v>(
    name: &str,
    value: &'t SpannedValue<'v>,
) -> Result<Vec<(&'t DeTable<'v>, Range<usize>)>, Fault> {
    let fault = || Fault {
        span: value.span(),
        message: format!("`{name}` must be a list of tables: write `[[{name}]]`"),
    };
    let list = value.get_ref().as_array().ok_or_else(fault)?;
    let one = |item: &'t SpannedValue<'v>| {
        item.get_ref().as_table().map(|table| (table, item.span())).ok_or_else(fault)
    };
    list.iter().map(one).collect()
}

/// Refuses a second entry of the same name: the two could not be told apart.
fn only_once<'n>(
    kind: &str,
    name: &str,
    mut known: impl Iterator<Item = &'n str>,
    span: Range<usize>,
) -> Result<(), Fault> {
    if known.all(|known| known != name) {
        return Ok(());
    }
    Err(Fault { span, message: format!("there is another {kind} called `{}`", shown(name)) })
}

fn region(kind: &str, table: &DeTable<'_>, place: &Range<usize>) -> Result<Region, Fault> {
    let mut region = Region { name: String::new(), way: Delay::NONE, share: 1 };
    for said in said_in(table)? {
        said.read(
            |name, text| {
                match name {
                    "name" => text.clone_into(&mut region.name),
                    "way" => region.way = Delay::parse(text)?,
                    _ => region.share = parse_count(text, 0, 1_000_000)? as u32,
                }
                Ok(())
            },
            if kind == "region" { &REGION } else { &MEMBER },
        )?;
    }
    if region.name.is_empty() {
        let message = format!("this {kind} has no name: add a line such as `name = \"Tokyo\"`");
        return Err(Fault { span: place.clone(), message });
    }
    Ok(region)
}

fn product(table: &DeTable<'_>, place: &Range<usize>) -> Result<ProductEntry, Fault> {
    let (mut product, mut reads) = (String::new(), None);
    for said in said_in(table)? {
        said.read(
            |name, text| {
                match name {
                    "name" => text.clone_into(&mut product),
                    _ => reads = Some((Reads::parse(text)?, said.value.clone())),
                }
                Ok(())
            },
            &PRODUCT,
        )?;
    }
    if product.is_empty() {
        let message = "this product has no name: add a line such as `name = \"rice\"`";
        return Err(Fault { span: place.clone(), message: message.into() });
    }
    Ok((product, reads))
}

fn blow(table: &DeTable<'_>, whole: Range<usize>) -> Result<(u64, BlowNamed, Range<usize>), Fault> {
    let (mut at_ns, mut blow) = (0, None);
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if blow.is_some() && name != "at" && BLOW.contains(&name) {
            let message = "a blow is one thing: write another `[[blow]]` for this".into();
            return Err(Fault { span: key.span(), message });
        }
        let fault = |why: String| Fault { span: value.span(), message: format!("`{name}`: {why}") };
        let text = || plain_text(value).map_err(|why| fault(why.into()));
        match name {
            "at" => at_ns = span(&text()?).map_err(fault)?,
            "crash" => blow = Some((BlowNamed::Crash(text()?), value.span())),
            "restart" => blow = Some((BlowNamed::Restart(text()?), value.span())),
            "heal" => blow = Some((BlowNamed::Heal, value.span())),
            "cut_off" => {
                let list = value.get_ref().as_array().ok_or_else(|| {
                    fault("expected a list of members, such as [\"Tokyo\"]".into())
                })?;
                let names =
                    list.iter().map(|name| plain_text(name).map_err(|why| fault(why.into())));
                blow = Some((BlowNamed::CutOff(names.collect::<Result<_, _>>()?), value.span()));
            }
            _ => {
                let near = did_you_mean(name, BLOW);
                let message = format!("unknown key `{}`{near}", shown(name));
                return Err(Fault { span: key.span(), message });
            }
        }
    }
    let (blow, span) = blow.ok_or_else(|| Fault {
        span: whole,
        message: "a blow says what happens: `cut_off`, `heal`, `crash` or `restart`".into(),
    })?;
    Ok((at_ns, blow, span))
}
