//! Every statement order at a real server: each is run from the beginning, in a depth-first walk, and orders
//! that cannot differ from one that was run are left out.
//!
//! Two statements that have nothing to do with each other may as well come the other way round: sleep sets
//! (Godefroid 1996) leave out what differs in nothing else. Of buyers who want the same, the first to begin is
//! called A. What is left out so is equal to an order that is not: moving an independent statement forward
//! never lets B begin before A.

use std::collections::BTreeSet;

use super::exploration::{Exploration, Orders, Told};
use super::schedule::Schedule;
use super::timeline::Row;
use super::{again, evidence};
use crate::audit::Finding;
use crate::buyer::Ending;
use crate::control::Control;
use crate::entrant::Entrant;
use crate::error::Error;
use crate::finding::FindingKind;
use crate::op::{BuyerId, OpKind, Units, Want};
use crate::retry::Retries;
use crate::settings::Settings;
use crate::stores::remote::{Saying, Server, Terms, Touches};
use crate::stores::{Address, StoreKind, open_server};
use crate::text::quantity::of;
use crate::worlds::held::{Grain, Step, Theatre};
use crate::worlds::stepped::{Actor, Cue};

/// How often a buyer may fail in vain in one order. Once is enough to see that it begins again as it should.
const MOST_IN_VAIN: u32 = 2;

/// How often an order is run whose beginning does not come out as before.
const TRIES: usize = 3;

/// More statements than any schedule has that ends.
const MOST_STATEMENTS: usize = 2_000;

/// How a show can end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    /// Units of each product.
    pub shelves: Vec<Units>,
    /// What buyers had wanted and how their visits ended, in no order.
    pub visits: Vec<(Ending, Want)>,
    /// Lines in the order book.
    pub orders: usize,
    /// What is wrong.
    pub findings: Vec<FindingKind>,
}

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Whether orders are left out that cannot differ from others.
    pub reduced: bool,
    /// Orders to be content with once something was found; none to run all.
    pub enough_after_finding: Option<u64>,
}

/// A point at which somebody was chosen.
struct Fork {
    /// Whose statement was held, and which.
    held: Vec<(usize, Saying)>,
    /// Whoever need not be chosen here, and what its statement has to do with.
    asleep: Vec<(usize, Touches)>,
    /// Who was chosen here before, and is done with.
    done: Vec<(usize, Touches)>,
    chosen: usize,
    /// What the chosen one's step has turned out to have to do with.
    touches: Touches,
}

/// A finding and the best order that shows it.
struct Best {
    finding: Finding,
    /// Fewest statements, then fewest changes from one buyer to another.
    cost: (usize, usize),
    steps: Vec<Step>,
}

/// A walk under way.
struct Walker<'w, 't> {
    theatre: &'w mut Theatre<'t>,
    wants: Vec<Want>,
    walk: Walk,
    forks: Vec<Fork>,
    covered: Orders,
    outcomes: BTreeSet<Outcome>,
    best: Vec<Best>,
    /// Whether an order is given up in which somebody fails in vain again and again. An attempt that ends in a
    /// conflict and has changed nothing may as well not have been made; so what follows is seen elsewhere.
    cuts_vain: bool,
    /// Where the last order went another way that did.
    divergence: Option<String>,
}

/// Runs every statement order of these settings at a real server, within limits; says what was found, and in how
/// many ways it can end.
///
/// # Errors
/// [`Error::World`] when the server fails.
pub fn search_orders(
    entrant: &dyn Entrant,
    settings: &Settings,
    server: &dyn Server,
    walk: Walk,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<(Exploration, BTreeSet<Outcome>), Error> {
    Theatre::open(entrant, settings, server, Grain::Statement, |theatre| {
        let wants = theatre.wants().collect();
        let mut walker = Walker {
            theatre,
            wants,
            walk,
            forks: Vec::new(),
            covered: Orders { reduced: walk.reduced, ..Orders::default() },
            outcomes: BTreeSet::new(),
            best: Vec::new(),
            cuts_vain: walk.reduced && settings.policy.retries == Retries::Unlimited,
            divergence: None,
        };
        walker.run(stopped)?;
        let Walker { mut covered, outcomes, mut best, .. } = walker;
        covered.outcomes = outcomes.len() as u64;
        best.sort_by_key(|best| best.finding.kind.gravity());
        let findings: Vec<Told> = best
            .into_iter()
            .map(|Best { finding, steps, .. }| tell(entrant, settings, finding, &steps))
            .collect();
        let evidence = evidence(&findings, covered.complete);
        let report = Exploration {
            server: Some(server.version().to_owned()),
            orders: Some(covered),
            findings,
            ..Exploration::of(entrant, settings, evidence)
        };
        Ok((report, outcomes))
    })
}

/// Follows one schedule at a real server.
///
/// # Errors
/// [`Error::Input`] for a step that cannot be made, [`Error::World`] when the server fails.
pub fn replay_orders(
    entrant: &dyn Entrant,
    settings: &Settings,
    server: &dyn Server,
    schedule: &Schedule,
) -> Result<Exploration, Error> {
    Theatre::open(entrant, settings, server, Grain::Statement, |theatre| {
        theatre.begin()?;
        let mut steps = Vec::new();
        for (number, cue) in schedule.0.iter().enumerate() {
            let step = match cue {
                Cue { who: Actor::Buyer(buyer), .. } if *cue == Cue::step(cue.who) => {
                    theatre.step(*buyer as usize)?
                }
                _ => None,
            };
            let step = step.ok_or_else(|| {
                Error::input(format!(
                    "--schedule: step {} is `{cue}`, but nobody of that name has a statement to send then",
                    number + 1
                ))
            })?;
            steps.push(step);
        }
        let goes_on = !theatre.ready().is_empty();
        let stuck = theatre.send_home()?;
        let mut findings = Vec::new();
        if !goes_on {
            findings = judge(theatre, stuck)?.1;
        }
        let findings: Vec<Told> =
            findings.into_iter().map(|finding| tell(entrant, settings, finding, &steps)).collect();
        let evidence = evidence(&findings, false);
        Ok(Exploration {
            server: Some(server.version().to_owned()),
            findings,
            replayed: Some(timeline(settings, &steps)),
            ..Exploration::of(entrant, settings, evidence)
        })
    })
}

/// Gets a server ready for [`search_orders`] and [`replay_orders`]. A private one need not keep what it is told.
///
/// # Errors
/// [`Error::Input`] for settings that cannot be, or a strategy that cannot be stepped there; [`Error::World`] when
/// the server cannot be started or reached.
pub fn server_for(
    entrant: &dyn Entrant,
    settings: &Settings,
    address: &Address,
    control: &Control,
) -> Result<Box<dyn Server>, Error> {
    can_be_stepped(entrant, settings)?;
    let mut terms = Terms::of(settings, control);
    terms.connections = settings.buyers + BESIDE;
    terms.relaxed = true;
    open_server(settings.store, address, &terms)
}

/// Whether a strategy can be stepped at the store of these settings.
///
/// # Errors
/// [`Error::Input`] that says why not.
pub fn can_be_stepped(entrant: &dyn Entrant, settings: &Settings) -> Result<(), Error> {
    let card = entrant.card();
    settings.check_for(&card)?;
    if let Some((name, _)) = settings.faults.all().find(|(_, times)| *times > 0) {
        return Err(Error::input(format!(
            "--{name}: at a real server nothing goes wrong on purpose; leave out --store, or --{name}"
        )));
    }
    if settings.buyers > MOST_BUYERS {
        return Err(Error::input(format!(
            "`buyers` is {}; at a real server it can be {MOST_BUYERS} at most, a connection each",
            settings.buyers
        )));
    }
    let cannot = |kind: &&OpKind| **kind == OpKind::Queue || !settings.offers(**kind);
    if let Some(missing) = card.needs.iter().find(cannot) {
        return Err(Error::input(format!(
            "{} needs {}, which cannot be stepped at the store `{}`; leave out --store\n       \
             `oversell-sim stores` shows what each store offers",
            card.name,
            missing.name(),
            settings.store
        )));
    }
    if settings.store == StoreKind::Etcd {
        return Err(Error::input(
            "--store etcd: its requests cannot be held one by one yet; there are sqlite, postgres, mysql and redis",
        ));
    }
    Ok(())
}

/// The most buyers, each of whom has a connection of its own.
const MOST_BUYERS: u32 = 26;

/// Connections beside theirs.
const BESIDE: u32 = 4;

impl Walker<'_, '_> {
    fn run(&mut self, stopped: &dyn Fn() -> bool) -> Result<(), Error> {
        loop {
            if stopped() {
                return Ok(());
            }
            // What a server tidies up behind the scenes can come in between once, but not again and again.
            let mut came_out = false;
            for _ in 0..TRIES {
                came_out = self.run_one()?;
                if came_out {
                    break;
                }
            }
            if !came_out {
                self.covered.diverged += 1;
                self.covered.first_divergence =
                    self.covered.first_divergence.take().or(self.divergence.take());
            }
            let enough = self.walk.enough_after_finding.unwrap_or(u64::MAX);
            if !self.best.is_empty() && self.covered.run >= enough {
                return Ok(());
            }
            if !self.turn_back() {
                self.covered.complete = self.covered.diverged == 0;
                return Ok(());
            }
        }
    }

    /// Runs one order: as far as it was chosen already, and on. False if the beginning was not as before: whatever
    /// may follow there is not covered then.
    fn run_one(&mut self) -> Result<bool, Error> {
        self.theatre.begin()?;
        let mut steps: Vec<Step> = Vec::new();
        loop {
            let held = self.theatre.ready();
            let place = steps.len();
            if let Some(fork) = self.forks.get(place) {
                if fork.held != held {
                    let (before, now) = (said(&fork.held), said(&held));
                    return self.diverge(&steps, &format!("{now}; before it was {before}"));
                }
            } else if held.is_empty() {
                break;
            } else {
                let asleep = self.asleep();
                let fork = Fork {
                    held,
                    asleep,
                    done: Vec::new(),
                    chosen: usize::MAX,
                    touches: Touches::NOTHING,
                };
                let Some(chosen) = self.next_choice(&fork, place) else {
                    self.covered.cut_short += 1;
                    return self.theatre.send_home().map(|_| true);
                };
                self.forks.push(Fork { chosen, ..fork });
            }
            if place == MOST_STATEMENTS {
                self.theatre.send_home()?;
                return Err(Error::input(format!(
                    "a schedule has {} and does not end; try --retries 3",
                    of(MOST_STATEMENTS as u64, "statement")
                )));
            }
            let chosen = self.forks[place].chosen;
            let Some(step) = self.theatre.step(chosen)? else {
                return self.diverge(&steps, &format!("{} cannot move", actor(chosen)));
            };
            self.covered.statements += 1;
            self.forks[place].touches = step.touches;
            steps.push(step);
            if self.cuts_vain && self.theatre.most_in_vain() >= MOST_IN_VAIN {
                self.covered.cut_short += 1;
                return self.theatre.send_home().map(|_| true);
            }
        }
        let stuck = self.theatre.send_home()?;
        let (outcome, findings) = judge(self.theatre, stuck)?;
        self.covered.run += 1;
        self.covered.broken += u64::from(!findings.is_empty());
        self.outcomes.insert(outcome);
        self.keep(findings, &steps);
        Ok(true)
    }

    /// The beginning was not as before.
    fn diverge(&mut self, steps: &[Step], how: &str) -> Result<bool, Error> {
        let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
        let beginning = Schedule(cues.collect());
        self.divergence = Some(format!("after {beginning}: {how}"));
        self.theatre.send_home().map(|_| false)
    }

    /// Who need not be chosen next: who was chosen before at the last fork, or slept there, and whose statement
    /// has nothing to do with what was chosen instead.
    fn asleep(&self) -> Vec<(usize, Touches)> {
        let Some(last) = self.forks.last().filter(|_| self.walk.reduced) else { return Vec::new() };
        let slept = last.asleep.iter().chain(&last.done);
        let goes_on = |(place, touches): &&(usize, Touches)| {
            *place != last.chosen && !touches.meets(last.touches)
        };
        slept.filter(goes_on).copied().collect()
    }

    /// Who is to be chosen next at a fork, of which there are so many before it.
    fn next_choice(&self, fork: &Fork, before: usize) -> Option<usize> {
        let has_begun = |place: usize| self.forks[..before].iter().any(|fork| fork.chosen == place);
        let is_first_of_its_kind = |place: usize| {
            has_begun(place)
                || (0..place)
                    .all(|other| self.wants[other] != self.wants[place] || has_begun(other))
        };
        let is_among = |some: &[(usize, Touches)], place| some.iter().any(|(who, _)| *who == place);
        fork.held.iter().map(|(place, _)| *place).find(|place| {
            !is_among(&fork.done, *place)
                && !is_among(&fork.asleep, *place)
                && (!self.walk.reduced || is_first_of_its_kind(*place))
        })
    }

    /// Goes back to the last fork at which somebody else can be chosen; false if there is none.
    fn turn_back(&mut self) -> bool {
        while let Some(mut fork) = self.forks.pop() {
            fork.done.push((fork.chosen, fork.touches));
            if let Some(chosen) = self.next_choice(&fork, self.forks.len()) {
                self.forks.push(Fork { chosen, ..fork });
                return true;
            }
        }
        false
    }

    /// Keeps an order that shows something, if it does so in fewer statements, or fewer changes, than before.
    fn keep(&mut self, findings: Vec<Finding>, steps: &[Step]) {
        let changes = steps.windows(2).filter(|two| two[0].place != two[1].place).count();
        let cost = (steps.len(), changes);
        for finding in findings {
            let known = self.best.iter_mut().find(|best| best.finding.kind == finding.kind);
            match known {
                Some(best) if best.cost <= cost => {}
                Some(best) => *best = Best { finding, cost, steps: steps.to_vec() },
                None => self.best.push(Best { finding, cost, steps: steps.to_vec() }),
            }
        }
    }
}

/// What came of a show, of which so many never saw the end.
fn judge(theatre: &mut Theatre<'_>, stuck: usize) -> Result<(Outcome, Vec<Finding>), Error> {
    let round = theatre.round()?;
    let findings = match stuck {
        0 => round.ledger().audit(),
        stuck => {
            let amount = stuck as u64;
            let proof =
                format!("{} waiting, and nobody who could let them go on", of(amount, "buyer"));
            vec![Finding { kind: FindingKind::StuckBuyers, amount, proof }]
        }
    };
    let mut visits: Vec<(Ending, Want)> =
        round.visits.iter().map(|visit| (visit.ending, visit.want)).collect();
    visits.sort_unstable();
    let outcome = Outcome {
        shelves: round.books.shelves.clone(),
        visits,
        orders: round.books.orders.len(),
        findings: findings.iter().map(|finding| finding.kind).collect(),
    };
    Ok((outcome, findings))
}

fn tell(entrant: &dyn Entrant, settings: &Settings, finding: Finding, steps: &[Step]) -> Told {
    let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
    let schedule = Schedule(cues.collect()).to_string();
    Told {
        finding,
        again: again(entrant, settings, &schedule),
        by_hand: None,
        schedule,
        timeline: timeline(settings, steps),
    }
}

/// Who is held, and with what.
fn said(held: &[(usize, Saying)]) -> String {
    let words: Vec<String> =
        held.iter().map(|(place, saying)| format!("{} `{}`", actor(*place), saying.text)).collect();
    if words.is_empty() { "nobody".into() } else { words.join(", ") }
}

fn actor(place: usize) -> Actor {
    Actor::Buyer(place as BuyerId)
}

/// Steps in words. Whoever had to wait and goes on has a row of its own.
fn timeline(settings: &Settings, steps: &[Step]) -> Vec<Row> {
    let has_one = settings.items == 1;
    let mut rows = Vec::new();
    for step in steps {
        let left = |place: usize| {
            let ending = step.left.iter().find(|(who, _)| *who == place);
            ending.map_or(String::new(), |(_, ending)| match ending {
                Ending::Failed(why) => format!(", {why}"),
                ending => format!(", {}", ending.word()),
            })
        };
        let sent = shortened(&step.saying.text, has_one);
        let came_of_it = match &step.answer {
            Some(answer) => answered(answer) + &left(step.place),
            None => {
                let names: Vec<String> =
                    step.waits_for.iter().map(|place| actor(*place).to_string()).collect();
                match names.is_empty() {
                    true => " … waits".into(),
                    false => format!(" … waits for {}", names.join(", ")),
                }
            }
        };
        rows.push(Row::said(actor(step.place), sent + &came_of_it, false));
        for (place, answer) in &step.went_on {
            let did = format!("… goes on{}{}", answered(answer), left(*place));
            rows.push(Row::said(actor(*place), did, true));
        }
    }
    rows
}

fn answered(answer: &str) -> String {
    if answer.is_empty() { String::new() } else { format!(" → {answer}") }
}

/// Of one product it goes without saying which.
fn shortened(text: &str, has_one: bool) -> String {
    match has_one {
        true => text.replace(" WHERE item = 0 AND ", " WHERE ").replace(" WHERE item = 0", ""),
        false => text.to_owned(),
    }
}
