//! The tables of a report, as rows of text: what the terminal and Markdown have in common.

use crate::base::clock::nanos;
use crate::base::samples::Spread;
use crate::base::text::quantity::{count, duration, of, percent};
use crate::check::audit::Naming;
use crate::check::report::{
    BannerCount, Figures, Overtaking, Product, Report, Run, Winner, WorstRound,
};
use crate::domain::buyer::Demand;
use crate::domain::retry::{Backoff, Retries};
use crate::domain::settings::Settings;
use textwrap::core::display_width;

use super::verdict;

/// The most winners shown; the JSON report lists more.
const MOST_WINNERS_SHOWN: usize = 5;

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) title: String,
    /// Names of the columns after the first; empty if the rows need none.
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Section {
    /// How many columns a terminal needs to show all of it.
    pub(super) fn width(&self) -> usize {
        let header = std::iter::once(self.title.as_str()).chain(self.columns.iter().copied());
        let mut most: Vec<usize> = header.map(display_width).collect();
        for row in &self.rows {
            for (most, cell) in most.iter_mut().zip(row) {
                *most = display_width(cell).max(*most);
            }
        }
        // A space before each, and one behind.
        most.iter().map(|most| most + 2).sum()
    }

    /// Takes one of the named columns away.
    pub(super) fn leave_out(&mut self, name: &str) {
        let Some(place) = self.columns.iter().position(|column| *column == name) else { return };
        self.columns.remove(place);
        for row in self.rows.iter_mut().filter(|row| row.len() > place + 1) {
            row.remove(place + 1);
        }
    }
}

/// One row for a figure: name, value, remark.
fn row(name: &str, value: impl Into<String>, remark: impl Into<String>) -> Vec<String> {
    vec![name.into(), value.into(), remark.into()]
}

/// Whether the shop of a run counts units, as far as that was seen.
fn counts_units(run: &Run) -> bool {
    let figures = &run.figures;
    run.rounds == 0 || figures.stock != 0 || figures.stock_left != 0 || figures.oversold > 0
}

/// The settings on one line. Some are left out where they have their defaults.
pub(super) fn settings_line(report: &Report, run: Option<&Run>) -> String {
    let settings = &report.settings;
    let Settings { buyers, stock, qty, rounds, think, seed, .. } = settings;
    let mut parts = vec![of((*buyers).into(), "buyer")];
    if report.runs.is_empty() || report.runs.iter().any(counts_units) {
        parts.push(of(stock.unsigned_abs().into(), "unit"));
    }
    if *qty != Demand::ONE {
        parts.push(format!("{qty} each"));
    }
    if let Some(run) = run {
        let store = report.server.as_deref().unwrap_or(report.store);
        parts.push(format!("{} on {store}", run.strategy));
    }
    if let Some(start) = &report.common_start {
        parts.push(of(start.machines.len() as u64, "machine"));
    }
    if !report.is_simulated() {
        parts.push(of(settings.threads().into(), "thread"));
        if report.server.is_some() {
            parts.push(of(settings.connections.into(), "connection"));
        }
        if *rounds != 1 {
            parts.push(of((*rounds).into(), "round"));
        }
        parts.push(format!("think {}", duration(nanos(*think))));
    }
    if settings.retries != Retries::Unlimited {
        parts.push(format!("retries {}", settings.retries));
    }
    if settings.backoff != Backoff::None {
        parts.push(format!("backoff {}", settings.backoff));
    }
    if settings.patience != Settings::default().patience {
        parts.push(format!("patience {}", duration(nanos(settings.patience))));
    }
    parts.push(format!("seed {seed}"));
    parts.join(" · ")
}

/// What became of buyers and units; of buyers alone where the shop does not count units.
pub(super) fn outcome(run: &Run) -> Section {
    let figures = &run.figures;
    let counted = |name, number: u64| row(name, count(number), "");
    let rare = |name, number: u64| (number > 0).then(|| counted(name, number));
    let counts_units = counts_units(run);
    let mut rows = vec![counted("winners", figures.winners)];
    if counts_units {
        rows.push(row("units sold", count(figures.units_sold), ""));
    }
    rows.push(counted("rejected", figures.rejected));
    rows.push(counted("abandoned", figures.abandoned));
    if counts_units {
        rows.push(counted("oversold", figures.oversold));
        rows.push(counted("undersold", figures.undersold));
        rows.push(row("stock left", count(figures.stock_left), ""));
    }
    rows.extend(rare("payment declined", figures.declined));
    rows.extend(rare("paid too late", figures.expired));
    rows.extend(rare("failed", figures.failed));
    rows.extend(rare("unserved", figures.unserved));
    Section { title: "Outcome".into(), columns: Vec::new(), rows }
}

/// Contention between buyers. Figures of mechanisms that the strategy does not use are left out.
pub(super) fn contention(figures: &Figures) -> Section {
    let mut rows = vec![
        row("attempts", count(figures.attempts), ""),
        row("conflicts", count(figures.conflicts), ""),
        row("retries a sale", format!("{:.1}", figures.retries_per_sale), ""),
        row("work thrown away", percent(figures.wasted_work), ""),
        row("most inside at once", count(figures.most_inside), ""),
        row("inside on average", format!("{:.1}", figures.mean_inside), ""),
    ];
    if figures.cas_failures > 0 {
        rows.push(row("CAS failures", count(figures.cas_failures), ""));
    }
    if figures.version_conflicts > 0 {
        rows.push(row("version conflicts", count(figures.version_conflicts), ""));
    }
    if figures.lock_acquisitions > 0 {
        let waits = figures.lock_waits as f64 / figures.lock_acquisitions as f64;
        rows.push(row("locks taken", count(figures.lock_acquisitions), ""));
        rows.push(row("locks waited for", count(figures.lock_waits), percent(waits)));
    }
    if figures.deepest_queue > 0 {
        rows.push(row("deepest queue", count(figures.deepest_queue), ""));
    }
    for (name, number) in [
        ("resolved deadlocks", figures.resolved_deadlocks),
        ("lost connections", figures.disconnects),
        ("holds run out", figures.holds_expired),
        ("stale reads", figures.stale_reads),
        ("overtakings", figures.overtakings),
    ] {
        if number > 0 {
            rows.push(row(name, count(number), ""));
        }
    }
    Section { title: "Contention".into(), columns: Vec::new(), rows }
}

pub(super) fn times(figures: &Figures) -> Section {
    let spread = |name: &str, times: Spread| {
        let times = [times.p50, times.p90, times.p99, times.max].map(duration);
        std::iter::once(name.to_owned()).chain(times).collect()
    };
    let mut rows = vec![spread("click to answer", figures.latency)];
    if figures.lock_acquisitions > 0 {
        rows.push(spread("waiting for a lock", figures.lock_wait));
        rows.push(spread("holding a lock", figures.lock_hold));
    }
    if figures.pool_waits > 0 {
        rows.push(spread("waiting for a connection", figures.pool_wait));
    }
    Section { title: "Latency".into(), columns: vec!["p50", "p90", "p99", "max"], rows }
}

/// One row for each product. Empty if there is only one.
pub(super) fn products(run: &Run) -> Section {
    let row = |product: &Product| {
        vec![
            product.name.clone(),
            product.reads.unwrap_or_default().into(),
            count(product.buyers),
            count(product.units_sold),
            count(product.oversold),
            count(product.stale_reads),
            duration(product.latency.p50),
            duration(product.latency.p99),
        ]
    };
    Section {
        title: "By product".into(),
        columns: vec!["reads", "buyers", "sold", "oversold", "stale reads", "p50", "p99"],
        rows: run.products.iter().map(row).collect(),
    }
}

/// The findings. Empty if there are none.
pub(super) fn findings(run: &Run) -> Section {
    let rows = run
        .findings
        .iter()
        .map(|found| row(found.kind.title(), of(found.amount, found.kind.unit()), &found.proof))
        .collect();
    let title = if run.rounds > 1 { "Findings (proof from the worst round)" } else { "Findings" };
    Section { title: title.into(), columns: Vec::new(), rows }
}

/// Adds a row with the number of entries that have no row.
fn add_rest(rows: &mut Vec<Vec<String>>, all: u64) {
    let more = all.saturating_sub(rows.len() as u64);
    if more > 0 {
        rows.push(vec![format!("and {} more", count(more))]);
    }
}

/// What buyers are called: the story of a simulated shop names them by letters.
fn naming(report: &Report) -> Naming {
    if report.is_simulated() { Naming::Letters } else { Naming::Numbers }
}

pub(super) fn winners(report: &Report, run: &Run, worst: &WorstRound) -> Section {
    let naming = naming(report);
    let counts_units = counts_units(run);
    let units = |winner: &Winner| counts_units.then(|| count(winner.units));
    let of_winner = |winner: &Winner| {
        let cells =
            [format!("+{}", duration(winner.at)), count(winner.attempts), duration(winner.waited)];
        [naming.of(winner.buyer)].into_iter().chain(units(winner)).chain(cells).collect()
    };
    let mut rows: Vec<Vec<String>> =
        worst.winners.iter().take(MOST_WINNERS_SHOWN).map(of_winner).collect();
    add_rest(&mut rows, worst.figures.winners);
    let title = match run.rounds {
        1 => "Winners".into(),
        _ => format!("Winners of round {} (the worst)", worst.number),
    };
    let columns = counts_units.then_some("units").into_iter().chain(["at", "attempts", "waited"]);
    Section { title, columns: columns.collect(), rows }
}

/// Buyers who won though a buyer who was rejected had clicked before. Empty if there are none.
pub(super) fn overtakings(report: &Report, run: &Run, worst: &WorstRound) -> Section {
    let naming = naming(report);
    let one = |overtaking: &Overtaking| {
        let Overtaking { winner, loser, later } = overtaking;
        let (later, loser) = (duration(*later), naming.of(*loser));
        let words = format!("clicked {later} later than {loser}, who was rejected");
        row(&naming.of(*winner), words, "")
    };
    let mut rows: Vec<_> = worst.overtakings.iter().take(MOST_WINNERS_SHOWN).map(one).collect();
    add_rest(&mut rows, worst.figures.overtakings);
    let title = match run.rounds {
        1 => "Overtakings".into(),
        _ => format!("Overtakings of round {}", worst.number),
    };
    Section { title, columns: Vec::new(), rows }
}

pub(super) fn banners(run: &Run) -> Section {
    let seen = |banner: &&BannerCount| banner.buyers > 0;
    let rows = run
        .banners
        .iter()
        .filter(seen)
        .map(|banner| row(banner.text, count(banner.buyers), banner.why))
        .collect();
    Section { title: "What buyers saw".into(), columns: Vec::new(), rows }
}

/// The expectations. Empty if there are none.
pub(super) fn expectations(run: &Run) -> Section {
    let rows = run
        .expectations
        .iter()
        .map(|judgement| {
            let fate = if judgement.held { "held" } else { "NOT MET" };
            let place = match judgement.round {
                Some(round) if run.rounds > 1 => format!(" in round {}", count(round)),
                _ => String::new(),
            };
            row(&judgement.expectation, fate, format!("{}{place}", judgement.seen()))
        })
        .collect();
    Section { title: "Expected".into(), columns: Vec::new(), rows }
}

/// One row for each run, fastest first. Empty if there is only one.
pub(super) fn comparison(report: &Report) -> Section {
    let mut runs: Vec<(&Run, f64)> =
        report.runs.iter().filter_map(|run| Some((run, run.relative?))).collect();
    runs.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let rows = runs
        .into_iter()
        .map(|(run, relative)| {
            let figures = &run.figures;
            vec![
                run.strategy.clone(),
                verdict::word(run.evidence).into(),
                count(figures.units_sold),
                count(figures.oversold),
                count(figures.conflicts),
                count(figures.lock_waits),
                percent(figures.wasted_work),
                duration(figures.latency.p50),
                duration(figures.latency.p99),
                duration(figures.elapsed),
                format!("{relative:.2}×"),
            ]
        })
        .collect();
    Section {
        title: "Comparison".into(),
        columns: vec![
            "verdict",
            "sold",
            "oversold",
            "conflicts",
            "lock waits",
            "wasted",
            "p50",
            "p99",
            "elapsed",
            "relative",
        ],
        rows,
    }
}
