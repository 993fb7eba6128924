//! The logbook: takes in one round after another, keeps what the report needs, forgets the rest.

use crate::audit::Finding;
use crate::buyer::Ending;
use crate::expect::{Expectation, Judge};
use crate::finding::FindingKind;
use crate::report::{
    Banner, BannerCount, Evidence, Figures, Found, Gathered, MOST_WINNERS_LISTED, Overtaking, Run,
    Winner, WorstRound,
};
use crate::round::{Counted, Round};

/// A run's rounds, as far as they have been raced.
#[derive(Debug)]
pub struct Logbook {
    rounds: u32,
    contended_rounds: u32,
    total: Gathered,
    findings: Vec<Found>,
    banners: [u64; Banner::ALL.len()],
    worst: Option<WorstRound>,
    judge: Judge,
}

impl Logbook {
    /// An empty one.
    #[must_use]
    pub fn open(expectations: &[Expectation]) -> Self {
        Self {
            rounds: 0,
            contended_rounds: 0,
            total: Gathered::default(),
            findings: Vec::new(),
            banners: [0; Banner::ALL.len()],
            worst: None,
            judge: Judge::new(expectations),
        }
    }

    /// Audits a round and takes it in.
    pub fn enter(&mut self, round: &Round) {
        self.enter_audited(audited(round), round);
    }

    /// Takes in a round that was [audited] elsewhere.
    pub fn enter_audited(&mut self, counted: Counted, round: &Round) {
        let number = counted.number;
        self.take_in(counted, |figures| worst_round(number, round, figures));
    }

    /// Takes in a round whose visits were not kept.
    pub fn enter_counted(&mut self, counted: Counted) {
        let number = counted.number;
        self.take_in(counted, |figures| WorstRound {
            number,
            figures,
            winners: Vec::new(),
            winners_left_out: figures.winners,
            overtakings: Vec::new(),
        });
    }

    fn take_in(&mut self, counted: Counted, worst_round: impl FnOnce(Figures) -> WorstRound) {
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
        self.judge.see_round(number, &figures);
        if self.worst.as_ref().is_none_or(|worst| badness(&worst.figures) < badness(&figures)) {
            self.worst = Some(worst_round(figures));
        }
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

    /// Closes the book.
    #[must_use]
    pub fn close(
        mut self,
        strategy: &str,
        interrupted: bool,
        again: String,
        explore: String,
    ) -> Run {
        self.findings.sort_by_key(|found| found.kind.gravity());
        let evidence = if !self.findings.is_empty() {
            Evidence::Broken
        } else if self.contended_rounds > 0 {
            Evidence::NotSeen
        } else {
            Evidence::Vacuous
        };
        let figures = Figures { findings: self.findings.len() as u64, ..self.total.figures() };
        Run {
            strategy: strategy.to_owned(),
            evidence,
            rounds: self.rounds,
            contended_rounds: self.contended_rounds,
            interrupted,
            relative: None,
            figures,
            products: self.total.products(),
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
            worst: self.worst,
            expectations: self.judge.conclude(&figures, evidence),
            again,
            explore,
        }
    }
}

/// Audits a round, and counts what happened in it.
#[must_use]
pub fn audited(round: &Round) -> Counted {
    let findings = round.ledger().audit();
    let gathered = Gathered::from_round(round, &findings);
    let mut banners = [0; Banner::ALL.len()];
    for banner in round.visits.iter().filter_map(Banner::of) {
        banners[banner as usize] += 1;
    }
    Counted { number: round.number, gathered, findings, events: round.tally.events, banners }
}

/// What makes one round worse than another: its findings, the gravest first; then how hard buyers
/// got into each other's way.
fn badness(figures: &Figures) -> ([u64; FindingKind::ALL.len()], u64) {
    (FindingKind::ALL.map(|kind| figures.amount_of(kind)), figures.conflicts + figures.lock_waits)
}

/// What is kept of a round that is the worst so far.
fn worst_round(number: u32, round: &Round, figures: Figures) -> WorstRound {
    let mut winners: Vec<Winner> = round
        .visits
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
    let winners_left_out = winners.len().saturating_sub(MOST_WINNERS_LISTED) as u64;
    winners.truncate(MOST_WINNERS_LISTED);
    let overtakings = if figures.overtakings > 0 { overtakings(round) } else { Vec::new() };
    WorstRound { number, figures, winners, winners_left_out, overtakings }
}

/// Winners who clicked later than the first of those who were turned away, the latest first.
fn overtakings(round: &Round) -> Vec<Overtaking> {
    let clicks = |ending: Ending| {
        let visits = round.visits.iter().filter(move |visit| visit.ending == ending);
        visits.map(|visit| (visit.began_ns, visit.buyer))
    };
    let Some((first_ns, loser)) = clicks(Ending::TurnedAway).min() else { return Vec::new() };
    let mut later: Vec<_> = clicks(Ending::Bought).filter(|(at_ns, _)| *at_ns > first_ns).collect();
    later.sort_unstable_by_key(|click| std::cmp::Reverse(*click));
    later.truncate(MOST_WINNERS_LISTED);
    let overtaking = |(at_ns, winner)| Overtaking { winner, loser, later: at_ns - first_ns };
    later.into_iter().map(overtaking).collect()
}
