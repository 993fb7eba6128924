//! The logbook: takes in one round after another, keeps what the report needs, forgets the rest.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::clock::{Clock, Wall};
use crate::base::text::quantity::count;
use crate::check::audit::Finding;
use crate::check::expect::{Expectation, Judge};
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
    rounds: u32,
    contended_rounds: u32,
    total: FigureTotals,
    times: Vec<RoundTimes>,
    findings: Vec<Found>,
    banners: [u64; Banner::ALL.len()],
    trouble: Option<String>,
    worst: Option<WorstRound>,
    judge: Judge,
}

impl Logbook {
    /// An empty one.
    #[must_use]
    pub fn open(expectations: &[Expectation]) -> Self {
        Self {
            clock: Wall::start(),
            rounds: 0,
            contended_rounds: 0,
            total: FigureTotals::default(),
            times: Vec::new(),
            findings: Vec::new(),
            banners: [0; Banner::ALL.len()],
            trouble: None,
            worst: None,
            judge: Judge::new(expectations),
        }
    }

    /// Audits a round and takes it in. Returns what happened in it.
    pub fn enter(&mut self, round: &Round) -> Figures {
        if self.trouble.is_none() {
            self.trouble.clone_from(&round.books.trouble);
        }
        let figures = self.enter_audited(audited(round), &round.visits);
        if let Some(worst) = self.worst.as_mut().filter(|worst| worst.number == round.number) {
            let uses = round.tally.lock_uses.as_deref();
            worst.lock_waits = uses.map(|uses| LockWaits::of(uses, figures.lock_acquisitions));
        }
        figures
    }

    /// Takes in a round that was [audited] elsewhere, with those of its visits that were kept. Returns what happened in it.
    pub fn enter_audited(&mut self, counted: Counted, visits: &[Visit]) -> Figures {
        let Counted { number, mut gathered, findings, banners, .. } = counted;
        let figures = gathered.figures();
        self.rounds += 1;
        self.contended_rounds += u32::from(figures.most_inside > 1);
        self.total.add(&gathered);
        for finding in findings {
            self.enter_finding(finding);
        }
        for (sum, more) in self.banners.iter_mut().zip(banners) {
            *sum += more;
        }
        if self.times.len() < MOST_TIMED_ROUNDS {
            self.times.extend(RoundTimes::of(&figures));
        }
        self.judge.see_round(number, &figures);
        if self.worst.as_ref().is_none_or(|worst| badness(&worst.figures) < badness(&figures)) {
            self.worst = Some(worst_round(number, visits, figures));
        }
        figures
    }

    /// Why the run could not have found anything, so that no finding proves nothing; none if it could.
    fn why_idle(&self, figures: &Figures) -> Option<String> {
        if self.rounds == 0 {
            return Some("it was stopped before it began".into());
        }
        if self.contended_rounds == 0 {
            return Some("no contention: no two buyers were inside at once".into());
        }
        let served = figures.buyers - figures.unserved;
        if 2 * figures.failed > served {
            let (failed, served) = (count(figures.failed), count(served));
            return Some(format!("most buyers failed: {failed} of {served}"));
        }
        (figures.winners == 0).then(|| "no buyer bought anything".into())
    }

    fn enter_finding(&mut self, finding: Finding) {
        let Finding { kind, amount, proof } = finding;
        match self.findings.iter_mut().find(|found| found.kind == kind) {
            None => self.findings.push(Found { kind, amount, rounds: 1, proof, worst: amount }),
            Some(found) => {
                found.amount += amount;
                found.rounds += 1;
                if amount > found.worst {
                    found.worst = amount;
                    found.proof = proof;
                }
            }
        }
    }

    /// Closes the logbook, and makes the report of the run.
    #[must_use]
    pub fn close(mut self, strategy: &str, interrupted: bool, again: String) -> Run {
        self.findings.sort_by_key(|found| found.kind.gravity());
        let figures = Figures { findings: self.findings.len() as u64, ..self.total.figures() };
        let idle = self.why_idle(&figures);
        let evidence = match (&self.findings[..], &idle) {
            ([_, ..], _) => Evidence::Broken,
            ([], None) => Evidence::NotSeen,
            ([], Some(_)) => Evidence::Vacuous,
        };
        let incomplete = match evidence {
            Evidence::Vacuous => idle,
            _ => interrupted.then(|| "the run was cut short".into()),
        };
        Run {
            strategy: strategy.to_owned(),
            evidence,
            rounds: self.rounds,
            contended_rounds: self.contended_rounds,
            interrupted,
            took: Duration::from_nanos(self.clock.now()),
            incomplete: incomplete.clone(),
            relative: None,
            figures,
            latencies: self.total.latencies(),
            products: self.total.products(),
            round_times: self.times,
            banners: Banner::ALL
                .into_iter()
                .zip(self.banners)
                .map(|(banner, buyers)| BannerCount {
                    banner,
                    text: banner.text(),
                    why: banner.why(),
                    buyers,
                })
                .collect(),
            findings: self.findings,
            trouble: self.trouble,
            worst: self.worst,
            expectations: self.judge.conclude(&figures, evidence, incomplete.as_deref()),
            again,
            hint: None,
        }
    }
}

/// Audits a round, and counts what happened in it.
#[must_use]
pub fn audited(round: &Round) -> Counted {
    let findings = round.ledger().audit();
    let gathered = FigureTotals::from_round(round, &findings);
    let mut banners = [0; Banner::ALL.len()];
    for banner in round.visits.iter().filter_map(Banner::of) {
        banners[banner as usize] += 1;
    }
    Counted { number: round.number, gathered, findings, events: round.tally.events, banners }
}

/// What makes one round worse than another: its findings, the gravest first; then how much its buyers contended.
fn badness(figures: &Figures) -> ([u64; FindingKind::ALL.len()], u64) {
    (FindingKind::ALL.map(|kind| figures.amount_of(kind)), figures.conflicts + figures.lock_waits)
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
