//! The logbook: takes in one round after another, keeps what the report needs, forgets the rest.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::{Clock, Wall};
use crate::base::partition::Slice;
use crate::base::text::quantity::{count, of};
use crate::check::audit::{Finding, Naming};
use crate::check::expect::{Expectation, Judge, PartJudged};
use crate::check::report::Counted;
use crate::check::report::{
    Banner, BannerCount, Evidence, FigureTotals, Figures, Found, LockWaits, MOST_TIMED_ROUNDS,
    MOST_WINNERS_LISTED, Overtaking, RoundTimes, Run, Winner, WorstRound, over_time, overtakings,
};
use crate::check::round::Round;
use crate::domain::buyer::Visit;
use crate::domain::finding::FindingKind;

/// A run's rounds, as far as they have been raced.
#[derive(Debug)]
pub struct Logbook {
    clock: Wall,
    /// How long its parts took, if it is made of parts.
    took_ns: Option<u64>,
    entries: Entries,
    judge: Judge,
}

/// What is kept of rounds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Entries {
    rounds: u32,
    contended_rounds: u32,
    total: FigureTotals,
    /// With the number of each round.
    times: Vec<(u32, RoundTimes)>,
    findings: Vec<FoundIn>,
    banners: [u64; Banner::ALL.len()],
    /// With the number of the round.
    trouble: Option<(u32, String)>,
    worst: Option<WorstRound>,
}

/// A finding, and the round that showed the most of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct FoundIn {
    found: Found,
    round: u32,
}

/// The logbook of one part of a run, as it can stand in a file: enough to make the report of the whole run, once those of all
/// other parts are there.
#[derive(Debug, Serialize, Deserialize)]
pub struct PartOfRun {
    entries: Entries,
    judged: PartJudged,
    took_ns: u64,
    interrupted: bool,
}

impl PartOfRun {
    /// Its rounds alone, without what is expected of all.
    #[must_use]
    pub fn alone(&self) -> Logbook {
        let (entries, took_ns) = (self.entries.clone(), Some(self.took_ns));
        Logbook { entries, took_ns, ..Logbook::open(&[]) }
    }

    /// Whether it was cut short.
    #[must_use]
    pub fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Makes sure that it holds this part of so many rounds.
    ///
    /// # Errors
    /// What it lacks, or has beyond them.
    pub fn check(&self, slice: Slice, rounds: u32) -> Result<(), String> {
        let (found, share) = (self.entries.rounds, slice.share_of(rounds));
        if found != share {
            return Err(format!("it holds {}, not {share}", of(found.into(), "round")));
        }
        let worst = self.entries.worst.as_ref().map(|worst| worst.number);
        let is_its =
            |number: &u32| (1..=rounds).contains(number) && slice.has(*number as usize - 1);
        match worst.filter(|number| !is_its(number)) {
            Some(number) => Err(format!("round {number} is in it, which belongs to another part")),
            None => Ok(()),
        }
    }
}

impl Logbook {
    /// An empty one.
    #[must_use]
    pub fn open(expectations: &[Expectation]) -> Self {
        Self {
            clock: Wall::start(),
            took_ns: None,
            entries: Entries::default(),
            judge: Judge::new(expectations),
        }
    }

    /// Takes in a part of the run. Each part has its rounds in order; the parts come in any order.
    ///
    /// # Errors
    /// If it does not belong to these expectations.
    pub fn add_part(&mut self, part: PartOfRun) -> Result<(), String> {
        self.judge.see_part(part.judged)?;
        self.entries.add(part.entries);
        self.took_ns = Some(self.took_ns.unwrap_or(0).saturating_add(part.took_ns));
        Ok(())
    }

    /// It as a part of a run.
    #[must_use]
    pub fn into_part(self, interrupted: bool) -> PartOfRun {
        PartOfRun {
            judged: self.judge.of_part(),
            took_ns: self.clock.now(),
            entries: self.entries,
            interrupted,
        }
    }

    /// Audits a round and takes it in. Returns what happened in it.
    pub fn enter(&mut self, round: &Round) -> Figures {
        self.tell_trouble(round.number, round.books.trouble.clone());
        let figures = self.enter_audited(audited(round, Naming::Numbers), &round.visits);
        if let Some(worst) =
            self.entries.worst.as_mut().filter(|worst| worst.number == round.number)
        {
            let uses = round.tally.lock_uses.as_deref();
            worst.lock_waits = uses.map(|uses| LockWaits::of(uses, figures.lock_acquisitions));
        }
        figures
    }

    /// Takes in a round that was [audited] elsewhere, with those of its visits that were kept. Returns what happened in it.
    pub fn enter_audited(&mut self, counted: Counted, visits: &[Visit]) -> Figures {
        let Counted { number, mut gathered, findings, banners, .. } = counted;
        let figures = gathered.figures();
        let entries = &mut self.entries;
        entries.rounds += 1;
        entries.contended_rounds += u32::from(figures.most_inside > 1);
        entries.total.add(&gathered);
        for finding in findings {
            entries.enter_finding(number, finding);
        }
        for (sum, more) in entries.banners.iter_mut().zip(banners) {
            *sum += more;
        }
        if entries.times.len() < MOST_TIMED_ROUNDS {
            entries.times.extend(RoundTimes::of(&figures).map(|times| (number, times)));
        }
        self.judge.see_round(number, &figures);
        let worst = &mut entries.worst;
        if worst.as_ref().is_none_or(|worst| badness(&worst.figures) < badness(&figures)) {
            *worst = Some(worst_round(number, visits, figures));
        }
        figures
    }

    /// Notes what the server said when it first refused something in this round.
    pub(crate) fn tell_trouble(&mut self, round: u32, trouble: Option<String>) {
        if self.entries.trouble.is_none() {
            self.entries.trouble = trouble.map(|trouble| (round, trouble));
        }
    }

    /// Notes how long its rounds took elsewhere.
    #[cfg(feature = "cli")]
    pub(crate) fn took(&mut self, took_ns: u64) {
        self.took_ns = Some(took_ns);
    }

    /// Why the run could not have found anything, so that no finding proves nothing; none if it could.
    fn why_idle(&self, figures: &Figures) -> Option<String> {
        if self.entries.rounds == 0 {
            return Some("it was stopped before it began".into());
        }
        if self.entries.contended_rounds == 0 {
            return Some("no contention: no two buyers were inside at once".into());
        }
        let served = figures.served();
        if figures.failed > served / 2 {
            let (failed, served) = (count(figures.failed), count(served));
            return Some(format!("most buyers failed: {failed} of {served}"));
        }
        (figures.winners == 0).then(|| "no buyer bought anything".into())
    }

    /// Closes the logbook, and makes the report of the run.
    #[must_use]
    pub fn close(mut self, strategy: &str, interrupted: bool, again: String) -> Run {
        let findings = std::mem::take(&mut self.entries.findings);
        let mut findings: Vec<Found> = findings.into_iter().map(|one| one.found).collect();
        findings.sort_by_key(|found| found.kind.gravity());
        let of_all = self.entries.total.figures();
        let figures = Figures { findings: findings.len() as u64, ..of_all };
        let idle = self.why_idle(&figures);
        let evidence = match (&findings[..], &idle) {
            ([_, ..], _) => Evidence::Broken,
            ([], None) => Evidence::NotSeen,
            ([], Some(_)) => Evidence::Vacuous,
        };
        let incomplete = match evidence {
            Evidence::Vacuous => idle,
            _ => interrupted.then(|| "the run was cut short".into()),
        };
        let mut entries = self.entries;
        Run {
            strategy: strategy.to_owned(),
            evidence,
            rounds: entries.rounds,
            contended_rounds: entries.contended_rounds,
            interrupted,
            took: Duration::from_nanos(self.took_ns.unwrap_or_else(|| self.clock.now())),
            incomplete: incomplete.clone(),
            relative: None,
            figures,
            latencies: entries.total.latencies(),
            products: entries.total.products(),
            round_times: entries.times.into_iter().map(|(_, times)| times).collect(),
            banners: Banner::ALL
                .into_iter()
                .zip(entries.banners)
                .map(|(banner, buyers)| BannerCount {
                    banner,
                    text: banner.text(),
                    why: banner.why(),
                    buyers,
                })
                .collect(),
            findings,
            trouble: entries.trouble.map(|(_, trouble)| trouble),
            worst: entries.worst,
            expectations: self.judge.conclude(&figures, evidence, incomplete.as_deref()),
            again,
            hint: None,
        }
    }
}

impl Entries {
    fn enter_finding(&mut self, round: u32, finding: Finding) {
        let Finding { kind, amount, proof } = finding;
        let found = Found { kind, amount, rounds: 1, proof, worst: amount };
        self.add_finding(FoundIn { found, round }, |new, old| new.found.worst > old.found.worst);
    }

    /// Adds a finding, whose proof is told if it `says_more` than what was found before.
    fn add_finding(&mut self, new: FoundIn, says_more: fn(&FoundIn, &FoundIn) -> bool) {
        let is_same = |old: &&mut FoundIn| old.found.kind == new.found.kind;
        let Some(old) = self.findings.iter_mut().find(is_same) else {
            self.findings.push(new);
            return;
        };
        let amount = old.found.amount.saturating_add(new.found.amount);
        let rounds = old.found.rounds.saturating_add(new.found.rounds);
        if says_more(&new, old) {
            *old = new;
        }
        old.found = Found { amount, rounds, ..old.found.clone() };
    }

    /// Adds other rounds of the same run, as if all had been entered in order. Of several rounds that are equally bad the first
    /// is kept, and those of each part are in order.
    fn add(&mut self, other: Self) {
        self.rounds = self.rounds.saturating_add(other.rounds);
        self.contended_rounds = self.contended_rounds.saturating_add(other.contended_rounds);
        self.total.add(&other.total);
        self.times.extend(other.times);
        self.times.sort_by_key(|(number, _)| *number);
        self.times.truncate(MOST_TIMED_ROUNDS);
        for found in other.findings {
            self.add_finding(found, |new, old| {
                (new.found.worst, Reverse(new.round)) > (old.found.worst, Reverse(old.round))
            });
        }
        for (sum, more) in self.banners.iter_mut().zip(other.banners) {
            *sum = sum.saturating_add(more);
        }
        let troubles = self.trouble.take().into_iter().chain(other.trouble);
        self.trouble = troubles.min_by_key(|(number, _)| *number);
        let rank = |worst: &WorstRound| (badness(&worst.figures), Reverse(worst.number));
        let worst = self.worst.take().into_iter().chain(other.worst);
        self.worst = worst.max_by_key(rank);
    }
}

/// Audits a round, and counts what happened in it.
#[must_use]
pub fn audited(round: &Round, naming: Naming) -> Counted {
    let findings = round.ledger().audit_by(naming);
    let gathered = FigureTotals::from_round(round, &findings);
    let mut banners = [0; Banner::ALL.len()];
    for banner in round.visits.iter().filter_map(Banner::of) {
        banners[banner as usize] += 1;
    }
    Counted { number: round.number, gathered, findings, events: round.tally.events, banners }
}

/// What makes one round worse than another: its findings, the gravest first; then how much its buyers contended.
fn badness(figures: &Figures) -> ([u64; FindingKind::ALL.len()], u64) {
    let contention = figures.conflicts.saturating_add(figures.lock_waits);
    (FindingKind::ALL.map(|kind| figures.amount_of(kind)), contention)
}

/// What is kept of a round that is the worst so far.
fn worst_round(number: u32, visits: &[Visit], figures: Figures) -> WorstRound {
    let mut winners: Vec<Winner> = visits
        .iter()
        .filter_map(|visit| {
            Some(Winner {
                buyer: visit.buyer,
                units: visit.receipt()?.units(),
                at: visit.ended_ns,
                attempts: visit.attempts,
                waited: visit.waited_ns,
            })
        })
        .collect();
    winners.sort_unstable_by_key(|winner| (winner.at, winner.buyer));
    winners.truncate(MOST_WINNERS_LISTED);
    let mut overtakings: Vec<Overtaking> = match figures.overtakings {
        0 => Vec::new(),
        _ => overtakings(visits).collect(),
    };
    overtakings.sort_unstable_by_key(|one| Reverse((one.later, one.winner)));
    overtakings.truncate(MOST_WINNERS_LISTED);
    let winners_left_out = figures.winners - winners.len() as u64;
    // Of a large round not all visits are kept, and those that are say little of the rest.
    let over_time = match visits.len() as u64 == figures.buyers {
        true => over_time(visits),
        false => Vec::new(),
    };
    WorstRound {
        number,
        figures,
        winners,
        winners_left_out,
        overtakings,
        over_time,
        lock_waits: None,
    }
}
