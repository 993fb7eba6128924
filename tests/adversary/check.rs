//! The differential check: the search that leaves orders out against the one that does not, and a proof against races.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oversell_sim::unstable::checkout::Checkout;
use oversell_sim::unstable::clock::{Clock, Wall, nanos};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::explore::{
    OrderOutcome, Plan, as_furnished, search_orders, server_for,
};
use oversell_sim::unstable::round::Round;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stepped::Scripted as _;
use oversell_sim::unstable::stores::{Address, RaceTarget};
use oversell_sim::{Error, Evidence, Exploration, FindingKind, StoreKind};

use super::recipe::Recipe;

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Orders of a search; one that does not end within them is too large.
    pub(crate) orders: u64,
    /// The longest that a search, or the races, may take.
    pub(crate) time: Duration,
    /// Races of what was proved.
    pub(crate) races: u32,
    /// Whether what is broken is raced, too, and each race has to end in one of the ways that the search has seen.
    pub(crate) compares_outcomes: bool,
}

/// What came of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Both searches found this, and no race found more.
    Agreed {
        evidence: Evidence,
        /// Orders that the search ran that leaves some out, and the one that does not.
        orders: (u64, u64),
        races: u32,
    },
    /// The search that leaves nothing out did not end in time.
    TooLarge,
    /// The search that leaves orders out does not claim to be complete: it has no verdict to be held against.
    Incomplete(String),
    /// One buyer after the other cannot get through: the generator's mistake.
    Refused(String),
    /// A search or a race did not work at all.
    Failed(String),
    /// Two answers that cannot both be right.
    Contradiction(Kind, String),
}

/// Which two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One search finds what the other does not.
    Findings,
    /// One search ends in ways in which the other does not.
    Outcomes,
    /// The shortest schedules to a finding have not the same length.
    Lengths,
    /// What was proved is broken in a race.
    Race,
    /// A race ends in a way in which no order does.
    Unforeseen,
}

/// Private servers, one a database, for many checkouts one after the other.
#[derive(Default)]
pub(crate) struct Hosts {
    control: Control,
    venues: BTreeMap<StoreKind, RaceTarget>,
}

/// Connections that a private server is ready for; it allows for more beside them.
const CONNECTIONS: u32 = 4;

impl Hosts {
    /// Where a checkout's tables can be made.
    fn address(&mut self, kind: StoreKind) -> Result<Address, Error> {
        if kind == StoreKind::Sqlite {
            return Ok(Address::default());
        }
        if !self.venues.contains_key(&kind) {
            let settings = Settings {
                store: kind,
                relaxed: true,
                connections: CONNECTIONS,
                ..Settings::default()
            };
            let venue = RaceTarget::open(&settings, None, &Address::default(), &self.control)?;
            self.venues.insert(kind, venue);
        }
        let mut url = self.venues[&kind].server().map(|server| server.url());
        if let (StoreKind::Postgres, Some(url)) = (kind, &mut url) {
            // In a race a deadlock takes as long as PostgreSQL waits before it looks for one: usually a second.
            *url += "&options=-c%20deadlock_timeout%3D20ms";
        }
        Ok(Address { url: url.map(Into::into), allow_triggers: true, ..Address::default() })
    }

    /// Checks a checkout that is written to this folder.
    pub(crate) fn check(&mut self, recipe: &Recipe, folder: &Path, bounds: Bounds) -> Verdict {
        let checked = self.try_check(recipe, folder, bounds);
        checked.unwrap_or_else(|error| {
            // Whatever state a server is in after that, the next checkout has a new one.
            if matches!(error, Error::World(_)) {
                self.venues.remove(&recipe.store);
            }
            Verdict::Failed(error.to_string())
        })
    }

    fn try_check(
        &mut self,
        recipe: &Recipe,
        folder: &Path,
        bounds: Bounds,
    ) -> Result<Verdict, Error> {
        let path = recipe.write(folder).map_err(|error| Error::world(error.to_string()))?;
        let checkout = match Checkout::read(&path) {
            Ok(checkout) => checkout,
            Err(error) => return Ok(Verdict::Refused(error.to_string())),
        };
        let address = self.address(recipe.store)?;
        let settings = settings(&checkout);
        let (fast, slow) = {
            let server = match server_for(&checkout, &settings, &address, &self.control) {
                Err(Error::Input(why)) => return Ok(Verdict::Refused(why)),
                server => server?,
            };
            let settings = match as_furnished(&checkout, settings.clone(), &*server) {
                Err(Error::Input(why)) => return Ok(Verdict::Refused(why)),
                settings => settings?,
            };
            let search = |reduced| search(&checkout, &settings, &*server, reduced, bounds);
            let slow = search(false)?;
            if !is_complete(&slow.0) {
                return Ok(match why_incomplete(&slow.0) {
                    Some(why) => Verdict::Incomplete(format!("unreduced: {why}")),
                    None => Verdict::TooLarge,
                });
            }
            (search(true)?, slow)
        };
        if !is_complete(&fast.0) {
            let why =
                why_incomplete(&fast.0).unwrap_or_else(|| "it takes longer than unreduced".into());
            return Ok(Verdict::Incomplete(why));
        }
        if let Some((kind, why)) = difference(&fast, &slow) {
            return Ok(Verdict::Contradiction(kind, why));
        }
        let is_proved = fast.0.evidence == Evidence::Proved;
        let mut races = 0;
        if bounds.races > 0 && (is_proved || bounds.compares_outcomes) {
            let foreseen = bounds.compares_outcomes.then_some(&slow.1);
            let race = Race { checkout: &checkout, settings: &settings, is_proved, foreseen };
            let (raced, found) = race.run(&address, bounds, &self.control)?;
            if let Some((kind, why)) = found {
                return Ok(Verdict::Contradiction(kind, format!("race {raced}: {why}")));
            }
            races = raced;
        }
        Ok(Verdict::Agreed {
            evidence: fast.0.evidence,
            orders: (orders(&fast.0), orders(&slow.0)),
            races,
        })
    }

    /// The smallest checkout that is found to show the same kind of contradiction when things are left out of it one
    /// by one, and what it shows; none if each of them is needed.
    pub(crate) fn shrink(
        &mut self,
        recipe: &Recipe,
        kind: Kind,
        folder: &Path,
        bounds: Bounds,
    ) -> Option<(Recipe, String)> {
        let mut smallest = None;
        let mut tries = MOST_TRIES;
        while let Some(smaller) = self.step_smaller(
            smallest.as_ref().map_or(recipe, |(recipe, _)| recipe),
            kind,
            folder,
            bounds,
            &mut tries,
        ) {
            smallest = Some(smaller);
        }
        smallest
    }

    fn step_smaller(
        &mut self,
        recipe: &Recipe,
        kind: Kind,
        folder: &Path,
        bounds: Bounds,
        tries: &mut usize,
    ) -> Option<(Recipe, String)> {
        for smaller in recipe.smaller() {
            *tries = tries.checked_sub(1)?;
            match self.check(&smaller, folder, bounds) {
                Verdict::Contradiction(same, why) if same == kind => return Some((smaller, why)),
                _ => {}
            }
        }
        None
    }
}

/// Races of a checkout, and what must not come of them.
struct Race<'r> {
    checkout: &'r Checkout,
    settings: &'r Settings,
    is_proved: bool,
    /// How orders can end, if a race has to end like one of them.
    foreseen: Option<&'r BTreeSet<OrderOutcome>>,
}

impl Race<'_> {
    /// Races until something contradicts the search; says in how many rounds, and what.
    fn run(
        &self,
        address: &Address,
        bounds: Bounds,
        control: &Control,
    ) -> Result<(u32, Option<(Kind, String)>), Error> {
        let settings = Settings {
            threads: Some(self.settings.buyers),
            connections: self.settings.buyers,
            relaxed: true,
            patience: bounds.time,
            ..self.settings.clone()
        };
        let venue = RaceTarget::open(&settings, self.checkout.described(), address, control)?;
        let Some(server) = venue.server() else { return Ok((0, None)) };
        let settings = as_furnished(self.checkout, settings, server)?;
        let clock = Wall::start();
        for number in 1..=bounds.races {
            let round = self.checkout.race(&venue, &settings, number, &clock, control)?;
            if let Some(found) = self.contradiction(&round) {
                return Ok((number, Some(found)));
            }
            if clock.now() > nanos(bounds.time) {
                return Ok((number, None));
            }
        }
        Ok((bounds.races, None))
    }

    fn contradiction(&self, round: &Round) -> Option<(Kind, String)> {
        let findings = round.ledger().audit();
        if let (true, Some(finding)) = (self.is_proved, findings.first()) {
            return Some((
                Kind::Race,
                format!("proved, and {}: {}", finding.kind.title(), finding.proof),
            ));
        }
        let foreseen = self.foreseen?;
        let mut visits: Vec<_> =
            round.visits.iter().map(|visit| (visit.ending, visit.want)).collect();
        visits.sort_unstable();
        let outcome = OrderOutcome {
            shelves: round.books.shelves.clone(),
            visits,
            orders: round.books.orders.len(),
            findings: findings.iter().map(|finding| finding.kind).collect(),
        };
        (!foreseen.contains(&outcome)).then(|| (Kind::Unforeseen, format!("{outcome:?}")))
    }
}

/// The most smaller checkouts that are tried in place of one.
const MOST_TRIES: usize = 60;

/// The settings that a checkout's file gives it.
fn settings(checkout: &Checkout) -> Settings {
    checkout.applied(Settings { buyers: 2, ..Settings::default() })
}

type Searched = (Exploration, BTreeSet<OrderOutcome>);

fn search(
    checkout: &Checkout,
    settings: &Settings,
    server: &dyn oversell_sim::unstable::stores::remote::Server,
    reduced: bool,
    bounds: Bounds,
) -> Result<Searched, Error> {
    let (asked, clock) = (AtomicU64::new(0), Wall::start());
    let stopped = || {
        asked.fetch_add(1, Ordering::Relaxed) >= bounds.orders || clock.now() > nanos(bounds.time)
    };
    let plan = Plan { reduced, ..Plan::EVERYTHING };
    search_orders(checkout, settings, server, plan, &stopped)
}

fn is_complete(report: &Exploration) -> bool {
    report.orders.as_ref().is_some_and(|orders| orders.complete)
}

fn orders(report: &Exploration) -> u64 {
    report.orders.as_ref().map_or(0, |orders| orders.run)
}

/// Why a search that could have ended is not complete.
fn why_incomplete(report: &Exploration) -> Option<String> {
    let orders = report.orders.as_ref()?;
    let remark = report.remarks.first().cloned();
    orders.first_divergence.as_ref().map(|where_| format!("not as before {where_}")).or(remark)
}

/// In what two searches differ.
fn difference(fast: &Searched, slow: &Searched) -> Option<(Kind, String)> {
    let (found, all) = (shortest(&fast.0), shortest(&slow.0));
    let kinds = |found: &BTreeMap<FindingKind, u64>| found.keys().copied().collect::<Vec<_>>();
    let ran = format!("{} and {} orders", orders(&fast.0), orders(&slow.0));
    if kinds(&found) != kinds(&all) {
        return Some((
            Kind::Findings,
            format!("reduced {}, unreduced {} ({ran})", told(&found), told(&all)),
        ));
    }
    if fast.1 != slow.1 {
        let mut why =
            format!("{} outcomes reduced, {} unreduced ({ran})", fast.1.len(), slow.1.len());
        for outcome in slow.1.difference(&fast.1) {
            let _ = write!(why, "\nmissed: {outcome:?}");
        }
        for outcome in fast.1.difference(&slow.1) {
            let _ = write!(why, "\nmade up: {outcome:?}");
        }
        return Some((Kind::Outcomes, why));
    }
    (found != all).then(|| {
        (Kind::Lengths, format!("reduced {}, unreduced {} ({ran})", told(&found), told(&all)))
    })
}

/// What was found, and in how many statements at the least.
fn shortest(report: &Exploration) -> BTreeMap<FindingKind, u64> {
    report.findings.iter().map(|told| (told.finding.kind, told.length())).collect()
}

fn told(found: &BTreeMap<FindingKind, u64>) -> String {
    match found.is_empty() {
        true => "proved".into(),
        false => {
            let each = found.iter().map(|(kind, length)| format!("{} in {length}", kind.title()));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}
