//! One report of all parts: the visits of all buyers against what the first part read of the store when all had ended.
//!
//! The audit is done here, and not by the part that made the shop, so that no visit has to be sent anywhere: it stands in its part's
//! file. Where the order of events matters, visits of different machines are only compared as far as their clocks are known.

use std::collections::BTreeSet;

use super::clocks::ClockReadings;
use super::part::PartOfCommonRace;
use super::visits::VisitRow;
use crate::base::partition::Slice;
use crate::base::text::moment;
use crate::base::text::quantity::{count, of};
use crate::check::report::{
    Banner, CommonStart, Counted, FigureTotals, RacingMachine, most_inside,
};
use crate::check::round::{Counters, Round};
use crate::domain::books::Books;
use crate::domain::buyer::Visit;
use crate::domain::settings::Settings;
use crate::run::logbook::Logbook;
use crate::worlds::threads::leaked_holds;

/// The longest time after the start that a visit can have. Beyond it, what is added would not fit.
const LONGEST_NS: u64 = u64::MAX / 8;

/// All parts of a race, as they are read one after the other.
#[derive(Debug)]
pub struct Gathering {
    /// With products and stock as the shop has them, once a part is here.
    settings: Settings,
    /// Whether the shop itself says how many products there are, and how many units.
    is_described: bool,
    parts: Vec<Gathered>,
    shop: Option<Books>,
    tally: Counters,
    beside: Option<Books>,
    race: Option<String>,
    start_ns: i64,
    took_ns: u64,
}

/// What is kept of a part.
#[derive(Debug)]
struct Gathered {
    slice: Slice,
    visits: Vec<Visit>,
    clocks: Option<ClockReadings>,
    started_ns: i64,
    started_race_ns: u64,
}

impl Gathered {
    /// What the server's clock said when buyers started.
    fn started_by_server(&self) -> Option<i64> {
        self.clocks.map(|clocks| clocks.by_server(self.started_race_ns))
    }

    /// Its visits on a scale that begins so much earlier.
    fn shifted(&self, by_ns: u64) -> impl Iterator<Item = Visit> + '_ {
        self.visits.iter().map(move |visit| Visit {
            began_ns: visit.began_ns.saturating_add(by_ns),
            last_attempt_ns: visit.last_attempt_ns.saturating_add(by_ns),
            ended_ns: visit.ended_ns.saturating_add(by_ns),
            ..*visit
        })
    }

    /// By how much times on that scale may be wrong; none if nothing is known of that.
    fn uncertain_ns(&self) -> Option<u64> {
        self.clocks.map(ClockReadings::uncertain_ns)
    }
}

impl Gathering {
    /// No parts yet, of a race with these settings; of a checkout that is described in a file, if so.
    #[must_use]
    pub fn of(settings: &Settings, is_described: bool) -> Self {
        Self {
            settings: settings.clone(),
            is_described,
            parts: Vec::new(),
            shop: None,
            tally: Counters::default(),
            beside: None,
            race: None,
            start_ns: 0,
            took_ns: 0,
        }
    }

    /// The settings, with products and stock as the shop has them.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// Takes in a part.
    ///
    /// # Errors
    /// Why it is no part of this race, or says too little.
    pub fn add(&mut self, slice: Slice, part: PartOfCommonRace) -> Result<(), String> {
        if part.was_interrupted || part.visits.iter().any(VisitRow::is_unserved) {
            return Err("it was cut short".into());
        }
        let first = self.race.get_or_insert_with(|| part.race.clone());
        if *first != part.race {
            return Err("it raced at another time, or at another store".into());
        }
        if !part.missing.is_empty() {
            let missing: Vec<String> = part.missing.iter().map(ToString::to_string).collect();
            return Err(format!("the race is incomplete: {}", missing.join("; ")));
        }
        let Settings { items, stock, .. } = self.settings;
        if self.is_described && self.parts.is_empty() {
            (self.settings.items, self.settings.stock) = (part.items, part.stock);
        } else if (part.items, part.stock) != (items, stock) {
            return Err("its shop had other products or units than that of the other parts".into());
        }
        let visits: Vec<Visit> = part.visits.into_iter().map(Visit::from).collect();
        check(slice, &visits, &self.settings)?;
        if slice.part() == 1 {
            let shop = part.shop.ok_or("it does not hold what was in the store at the end")?;
            // Without a query for the stock, a described checkout has no shelves.
            let has_none = self.is_described && shop.shelves.is_empty() && shop.put_up.is_empty();
            if shop.shelves.len() != usize::from(self.settings.items) && !has_none {
                return Err(format!("it holds {}", of(shop.shelves.len() as u64, "shelf")));
            }
            self.shop = Some(shop);
        }
        self.tally.merge(&part.tally);
        let beside = self.beside.take();
        self.beside = Some(together(beside.unwrap_or_default(), part.beside));
        self.start_ns = part.start_ns;
        self.took_ns = self.took_ns.max(part.took_ns);
        let (clocks, started_ns) = (part.clocks, part.started_ns);
        let started_race_ns = part.started_race_ns;
        self.parts.push(Gathered { slice, visits, clocks, started_ns, started_race_ns });
        Ok(())
    }

    /// Enters the race into a logbook, audited. Returns how the machines started together.
    ///
    /// # Errors
    /// If the part that made the shop is not there.
    pub fn enter(mut self, logbook: &mut Logbook) -> Result<CommonStart, String> {
        let shop = self.shop.take().ok_or("the part that made the shop is missing")?;
        self.parts.sort_by_key(|part| part.slice);
        let shifts = self.shifts();
        let parts = || self.parts.iter().zip(&shifts);
        let visits: Vec<Visit> = parts().flat_map(|(part, by)| part.shifted(*by)).collect();
        let widened = parts().flat_map(|(part, by)| widened(part, *by)).collect();
        let beside = self.beside.take().unwrap_or_default();
        let books = together(shop, beside);
        let mut tally = std::mem::take(&mut self.tally);
        tally.leaked_holds =
            tally.leaked_holds.saturating_add(leaked_holds(&visits, &books.holding));
        tally.most_inside = self.surely_inside(&shifts);
        let (number, stock) = (1, self.settings.stock);
        let round = Round { number, stock, visits: widened, books, tally };
        let findings = round.ledger().audit();
        let mut gathered = FigureTotals::of(round.books.shelves.len());
        visits.iter().for_each(|visit| gathered.see(visit));
        gathered.close(&round.books, stock, &round.tally, &findings);
        let mut banners = [0; Banner::ALL.len()];
        for banner in visits.iter().filter_map(Banner::of) {
            banners[banner as usize] += 1;
        }
        logbook.tell_trouble(1, round.books.trouble.clone());
        logbook.enter_audited(Counted { number, gathered, findings, events: 0, banners }, &visits);
        logbook.took(self.took_ns);
        Ok(self.start(&shifts))
    }

    /// By how much later each part started than the first one of all; 0 where that is not known of each.
    fn shifts(&self) -> Vec<u64> {
        let started: Option<Vec<i64>> =
            self.parts.iter().map(Gathered::started_by_server).collect();
        let started = started.unwrap_or_else(|| vec![0; self.parts.len()]);
        let first = started.iter().min().copied().unwrap_or_default();
        let later = started.iter().map(|started| started.saturating_sub(first).unsigned_abs());
        later.map(|later| later.min(LONGEST_NS)).collect()
    }

    /// The most buyers that were surely inside at once: in one part by its own clock, or in all, where visits are as short as
    /// they may have been.
    fn surely_inside(&self, shifts: &[u64]) -> u64 {
        let alone = self.parts.iter().map(|part| most_inside(&part.visits)).max().unwrap_or(0);
        let narrowed = self.parts.iter().zip(shifts).flat_map(|(part, by)| narrowed(part, *by));
        most_inside(&narrowed.collect::<Vec<_>>()).max(alone)
    }

    fn start(&self, shifts: &[u64]) -> CommonStart {
        let is_known = self.parts.iter().all(|part| part.clocks.is_some());
        let uncertain = || {
            let mut all: Vec<u64> = self.parts.iter().filter_map(Gathered::uncertain_ns).collect();
            all.sort_unstable();
            // The first start and the last one are of two machines.
            all.iter().rev().take(2).fold(0_u64, |sum, one| sum.saturating_add(*one))
        };
        let machine = |(part, by): (&Gathered, &u64)| {
            let clicks = part.visits.iter().map(|visit| visit.began_ns).min();
            let answers = part.visits.iter().map(|visit| visit.ended_ns).max();
            RacingMachine {
                part: part.slice.part(),
                buyers: part.visits.len() as u64,
                clock: part.clocks.map(ClockReadings::difference),
                started: part.started_ns,
                started_by_server: part
                    .started_by_server()
                    .map(|started| started.saturating_sub(self.start_ns)),
                first_click: clicks.unwrap_or_default().saturating_add(*by),
                last_answer: answers.unwrap_or_default().saturating_add(*by),
            }
        };
        CommonStart {
            at: moment::written(self.start_ns),
            spread: is_known.then(|| shifts.iter().max().copied().unwrap_or_default()),
            spread_uncertain: is_known.then(uncertain),
            machines: self.parts.iter().zip(shifts).map(machine).collect(),
        }
    }
}

/// Makes sure that these are the visits of each of a part's buyers, once.
fn check(slice: Slice, visits: &[Visit], settings: &Settings) -> Result<(), String> {
    let buyers: BTreeSet<u32> = visits.iter().map(|visit| visit.buyer).collect();
    let share = slice.share_of(settings.buyers) as usize;
    if visits.len() != share || buyers.len() != share {
        return Err(format!("it holds {}, not {share}", of(buyers.len() as u64, "buyer")));
    }
    let is_its = |buyer: &&u32| **buyer < settings.buyers && slice.has(**buyer as usize);
    if let Some(buyer) = buyers.iter().find(|buyer| !is_its(buyer)) {
        return Err(format!("buyer {buyer} is in it, who belongs to another part"));
    }
    let makes_sense = |visit: &&Visit| {
        let times = [visit.began_ns, visit.last_attempt_ns, visit.ended_ns, LONGEST_NS];
        visit.attempts == 0 || times.is_sorted()
    };
    match visits.iter().find(|visit| !makes_sense(visit)) {
        Some(visit) => Err(format!("the times of buyer {} make no sense", count(visit.buyer))),
        None => Ok(()),
    }
}

/// A part's visits as long as they may have been. If one of them ends before another begins, it did.
fn widened(part: &Gathered, by_ns: u64) -> impl Iterator<Item = Visit> + '_ {
    let uncertain = part.uncertain_ns();
    part.shifted(by_ns).map(move |visit| match uncertain {
        Some(wrong) => Visit {
            began_ns: visit.began_ns.saturating_sub(wrong),
            last_attempt_ns: visit.last_attempt_ns.saturating_sub(wrong),
            ended_ns: visit.ended_ns.saturating_add(wrong),
            ..visit
        },
        None => Visit { began_ns: 0, last_attempt_ns: 0, ended_ns: u64::MAX, ..visit },
    })
}

/// A part's visits as short as they may have been. If two of them overlap, they did.
fn narrowed(part: &Gathered, by_ns: u64) -> impl Iterator<Item = Visit> + '_ {
    let uncertain = part.uncertain_ns().unwrap_or(u64::MAX);
    part.shifted(by_ns).map(move |visit| {
        let began_ns = visit.began_ns.saturating_add(uncertain);
        let ended_ns = visit.ended_ns.saturating_sub(uncertain).max(began_ns);
        Visit { began_ns, ended_ns, ..visit }
    })
}

/// What one part, or the store, knows, and what another knows beside it.
fn together(mut books: Books, other: Books) -> Books {
    books.kept_locks = books.kept_locks.saturating_add(other.kept_locks);
    books.deepest_queue = books.deepest_queue.max(other.deepest_queue);
    books.deadlocks = books.deadlocks.saturating_add(other.deadlocks);
    books.trouble = books.trouble.or(other.trouble);
    books.payments = match (books.payments, other.payments) {
        (Some(mut sums), Some(more)) => {
            sums.resize(sums.len().max(more.len()), 0);
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum = sum.saturating_add(more);
            }
            Some(sums)
        }
        (one, other) => one.or(other),
    };
    books
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::{Evidence, Run};
    use crate::domain::buyer::Ending;
    use crate::domain::finding::FindingKind;
    use crate::domain::op::{Item, Order, Want};

    const MS: u64 = 1_000_000;

    /// A visit between these milliseconds after the start.
    fn visit(buyer: u32, ending: Ending, began: u64, ended: u64) -> Visit {
        Visit {
            ending,
            attempts: 1,
            began_ns: began * MS,
            last_attempt_ns: began * MS,
            ended_ns: ended * MS,
            ..Visit::unserved(buyer, Want::one(Item(0), 1))
        }
    }

    /// The books of a shop with as many units left, and an order for each of these visits that has a receipt.
    fn books(left: i32, visits: &[Visit]) -> Books {
        let orders = visits
            .iter()
            .filter_map(|visit| Some(Order { buyer: visit.buyer, want: visit.receipt()? }));
        Books { shelves: vec![left], orders: orders.collect(), ..Books::default() }
    }

    fn settings(buyers: u32, stock: i32) -> Settings {
        Settings { buyers, stock, ..Settings::default() }
    }

    /// One part of so many, whose server's clock said `zero_ms` when buyers started, and how uncertain that is.
    fn part(
        slice: Slice,
        visits: &[Visit],
        clocks: Option<(i64, u64)>,
        shop: &Books,
        settings: &Settings,
    ) -> PartOfCommonRace {
        let its = visits.iter().filter(|visit| slice.has(visit.buyer as usize));
        let clocks = clocks.map(|(zero_ms, uncertain_ms)| {
            ClockReadings::steady(zero_ms * MS as i64, uncertain_ms * MS)
        });
        PartOfCommonRace {
            race: "race".into(),
            start_ns: 0,
            started_ns: 0,
            started_race_ns: 0,
            clocks,
            items: settings.items,
            stock: settings.stock,
            visits: its.map(VisitRow::from).collect(),
            tally: Counters::default(),
            beside: Books::default(),
            shop: (slice.part() == 1).then(|| shop.clone()),
            missing: Vec::new(),
            took_ns: 1,
            was_interrupted: false,
        }
    }

    fn slice(part: u32, of: u32) -> Slice {
        Slice::parse(&format!("slice:{part}/{of}")).unwrap()
    }

    /// What comes of a race of which each part has these clocks.
    fn merged(
        visits: &[Visit],
        shop: &Books,
        stock: i32,
        clocks: &[Option<(i64, u64)>],
    ) -> (Run, CommonStart) {
        let settings = settings(visits.len() as u32, stock);
        let mut gathering = Gathering::of(&settings, false);
        let of = clocks.len() as u32;
        // In whatever order they are given.
        for number in (1..=of).rev() {
            let (slice, clocks) = (slice(number, of), clocks[number as usize - 1]);
            gathering.add(slice, part(slice, visits, clocks, shop, &settings)).unwrap();
        }
        let mut logbook = Logbook::open(&[]);
        let start = gathering.enter(&mut logbook).unwrap();
        (logbook.close("cas", false, String::new()), start)
    }

    #[test]
    fn any_number_of_parts_come_to_the_verdict_of_one_machine() {
        use Ending::{Bought, Rejected};
        // Two of three units are sold twice, and the shelf fell by two.
        let endings = [Bought, Bought, Bought, Rejected, Bought, Rejected];
        let visits: Vec<Visit> =
            (0..).zip(endings).map(|(buyer, ending)| visit(buyer, ending, 0, 9)).collect();
        for (left, stock) in [(1, 3), (0, 4), (0, 3)] {
            let shop = books(left, &visits);
            let mut alone = Logbook::open(&[]);
            let tally = Counters::default();
            let (number, books) = (1, shop.clone());
            alone.enter(&Round { number, stock, visits: visits.clone(), books, tally });
            let alone = alone.close("cas", false, String::new());
            for of in [1, 2, 4, 6] {
                let (run, start) = merged(&visits, &shop, stock, &vec![Some((0, 0)); of]);
                assert_eq!(run.findings, alone.findings, "{of} parts");
                assert_eq!((run.evidence, run.figures), (alone.evidence, alone.figures));
                assert_eq!(run.latencies, alone.latencies);
                assert_eq!((start.machines.len(), start.spread), (of, Some(0)));
            }
        }
    }

    /// Buyer 1 of the second machine was told "sold out" ten milliseconds before buyer 0 of the first clicked.
    fn told_too_early(clocks: Option<(i64, u64)>) -> Option<u64> {
        let visits = [visit(0, Ending::Bought, 30, 40), visit(1, Ending::Rejected, 10, 20)];
        let (run, _) = merged(&visits, &books(0, &visits), 1, &[clocks, clocks]);
        let is_it = |found: &&crate::check::report::Found| found.kind == FindingKind::FalseSoldOut;
        run.findings.iter().find(is_it).map(|found| found.amount)
    }

    #[test]
    fn a_false_sold_out_is_only_found_where_clocks_are_known_well_enough() {
        assert_eq!(told_too_early(Some((0, 4))), Some(1));
        // Each of the two may be wrong by so much.
        assert_eq!(told_too_early(Some((0, 6))), None);
        assert_eq!(told_too_early(None), None);
    }

    #[test]
    fn a_machine_that_started_later_is_compared_by_the_servers_clock() {
        let visits = [visit(0, Ending::Bought, 30, 40), visit(1, Ending::Rejected, 10, 20)];
        let shop = books(0, &visits);
        // The second machine started 15 ms after the first, so its refusal may have been right.
        let (run, start) = merged(&visits, &shop, 1, &[Some((100, 0)), Some((115, 0))]);
        assert_eq!(run.findings, []);
        assert_eq!((start.spread, start.spread_uncertain), (Some(15 * MS), Some(0)));
        assert_eq!(start.machines[1].first_click, 25 * MS);
        assert_eq!(run.figures.elapsed, 40 * MS);
    }

    #[test]
    fn buyers_of_two_machines_are_inside_at_once_only_if_they_surely_are() {
        let visits = [visit(0, Ending::Bought, 0, 10), visit(1, Ending::Rejected, 5, 15)];
        let shop = books(0, &visits);
        let inside = |clocks| merged(&visits, &shop, 1, &[clocks, clocks]).0;
        assert_eq!(inside(Some((0, 1))).figures.most_inside, 2);
        // What was not contended proves nothing.
        for clocks in [Some((0, 4)), None] {
            let run = inside(clocks);
            assert_eq!((run.figures.most_inside, run.evidence), (1, Evidence::Vacuous));
        }
    }

    #[test]
    fn a_part_that_says_too_little_is_refused_whatever_its_file_says() {
        let visits = [visit(0, Ending::Bought, 0, 1), visit(1, Ending::Rejected, 0, 1)];
        let (shop, settings) = (books(0, &visits), settings(2, 1));
        type Spoil = fn(&mut PartOfCommonRace);
        let spoils: [(Spoil, &str); 8] = [
            (|part| part.stock = 2, "other products or units"),
            (|part| part.was_interrupted = true, "cut short"),
            (|part| part.visits.clear(), "it holds 0 buyers, not 1"),
            (
                |part| part.visits = vec![VisitRow::from(&visit(1, Ending::Bought, 0, 1))],
                "another part",
            ),
            (
                |part| part.visits = vec![VisitRow::from(&visit(0, Ending::Bought, 2, 1))],
                "no sense",
            ),
            (
                |part| part.visits = vec![VisitRow::from(&visit(0, Ending::Unserved, 0, 1))],
                "cut short",
            ),
            (|part| part.shop = None, "does not hold what was in the store"),
            (|part| part.race = "another".into(), "at another time"),
        ];
        for (spoil, expected) in spoils {
            let mut gathering = Gathering::of(&settings, false);
            let [one, two] = [slice(1, 2), slice(2, 2)];
            gathering.add(two, part(two, &visits, None, &shop, &settings)).unwrap();
            let mut spoiled = part(one, &visits, None, &shop, &settings);
            spoil(&mut spoiled);
            let why = gathering.add(one, spoiled).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let mut gathering = Gathering::of(&settings, false);
        let two = slice(2, 2);
        gathering.add(two, part(two, &visits, None, &shop, &settings)).unwrap();
        assert!(gathering.enter(&mut Logbook::open(&[])).is_err());
    }
}
