//! Who waited for whom in a race's worst round: sentences, a Gantt chart of the longest wait, and tables.

use serde::Serialize;

use super::plot::{Scale, Tick, Unit, tenth};
use super::race::Table;
use crate::base::text::quantity::{count, duration, of};
use crate::check::report::{LockHold, LockWait, LockWaits, Report, Run};
use crate::render::sections::Section;

/// The most rows of a table.
const MOST_ROWS: usize = 10;

/// Measures of the chart, in the picture's own units.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 30.0;
const ROW: f64 = 26.0;

/// The part of the page that says who waited for whom.
#[derive(Debug, Serialize)]
pub(super) struct WaitsPart {
    title: String,
    sentences: Vec<String>,
    gantt: Option<Gantt>,
    tables: Vec<Table>,
}

/// The longest wait as a chart over time: a row for each buyer that held the lock meanwhile, and one for the buyer that
/// waited.
#[derive(Debug, Serialize)]
struct Gantt {
    title: String,
    width: f64,
    height: f64,
    left: f64,
    bottom: f64,
    x_label: String,
    ticks: Vec<Tick>,
    rows: Vec<GanttRow>,
}

#[derive(Debug, Serialize)]
struct GanttRow {
    label: String,
    y: f64,
    bars: Vec<GanttBar>,
}

#[derive(Debug, Serialize)]
struct GanttBar {
    /// `waits` or `holds`.
    class: &'static str,
    x: f64,
    width: f64,
    text: String,
}

impl WaitsPart {
    /// What a run's worst round recorded; none if nothing was recorded.
    pub(super) fn of(report: &Report, run: &Run) -> Option<Self> {
        let worst = run.worst.as_ref()?;
        let waits = worst.lock_waits.as_ref()?;
        let title = match run.rounds {
            1 => "Who waited for whom".to_owned(),
            _ => format!("Who waited for whom in round {} (the worst)", count(worst.number)),
        };
        let tables = [longest(waits, report), waited_for(waits, report)];
        Some(Self {
            title,
            sentences: sentences(waits, report, run),
            gantt: waits.longest.first().and_then(|wait| Gantt::of(wait, report)),
            tables: tables
                .into_iter()
                .filter_map(|section| Table::of(&run.strategy, section))
                .collect(),
        })
    }
}

/// A buyer, and which product's lock it is about if there are several.
fn name(buyer: u32, product: u64, report: &Report) -> String {
    match report.settings.items {
        0 | 1 => format!("buyer {buyer}"),
        _ => format!("buyer {buyer} (product {product})"),
    }
}

fn sentences(waits: &LockWaits, report: &Report, run: &Run) -> Vec<String> {
    if waits.recorded == 0 {
        let none = format!("No buyer waited for a lock: {} asks for none.", run.strategy);
        return match &report.server {
            None => vec![none],
            Some(server) => {
                vec![format!(
                    "{none} What its statements wait for inside {server} is not recorded."
                )]
            }
        };
    }
    let mut all = Vec::new();
    match (waits.waited, waits.longest.first()) {
        (0, _) | (_, None) => all.push(format!(
            "No buyer waited for a lock: of {}, each found the lock free.",
            of(waits.recorded, "request")
        )),
        (waited, Some(wait)) => {
            all.push(format!(
                "Of {} for a lock, {} had to wait.",
                of(waits.recorded, "request"),
                count(waited)
            ));
            all.push(longest_in_words(wait, report));
        }
    }
    if let Some(hold) = waits.waited_for.first() {
        all.push(format!(
            "The most waited for {}: it held the lock for {}, and {} for it waited meanwhile.",
            name(hold.buyer, hold.product, report),
            duration(hold.lasted()),
            of(hold.waiters, "other request")
        ));
    }
    if waits.left_out > 0 {
        all.push(format!(
            "Only the first {} were recorded; {} more locks were taken in the round.",
            of(waits.recorded, "request"),
            count(waits.left_out)
        ));
    }
    all
}

fn longest_in_words(wait: &LockWait, report: &Report) -> String {
    let who = name(wait.buyer, wait.product, report);
    let end = if wait.had { "" } else { ", and it did not get the lock" };
    let meanwhile = match (&wait.held_by[..], wait.holds) {
        ([], _) => "who held the lock meanwhile was not recorded".to_owned(),
        ([one], 1) => format!("meanwhile buyer {} held the lock", one.buyer),
        (_, holds) => format!("meanwhile the lock was held {} times", count(holds)),
    };
    format!("The longest wait was that of {who}: {}{end}; {meanwhile}.", duration(wait.lasted()))
}

fn longest(waits: &LockWaits, report: &Report) -> Section {
    let held_by = |wait: &LockWait| {
        // The one that took most of the wait first.
        let mut held_by: Vec<&LockHold> = wait.held_by.iter().collect();
        held_by.sort_by_key(|hold| std::cmp::Reverse(hold.share_of(wait.asked, wait.until)));
        match (held_by.first(), wait.holds) {
            (None, _) => "not recorded".to_owned(),
            (Some(one), 1) => format!("buyer {}", one.buyer),
            (Some(one), holds) => format!("buyer {}, and {} more", one.buyer, count(holds - 1)),
        }
    };
    let row = |wait: &LockWait| {
        let waited = duration(wait.lasted());
        let asked = format!("+{}", duration(wait.asked));
        vec![name(wait.buyer, wait.product, report), waited, asked, held_by(wait)]
    };
    Section {
        title: "The longest waits".into(),
        columns: vec!["waited", "asked at", "while the lock was held by"],
        rows: waits.longest.iter().take(MOST_ROWS).map(row).collect(),
    }
}

fn waited_for(waits: &LockWaits, report: &Report) -> Section {
    let row = |hold: &LockHold| {
        let (held, from) = (duration(hold.lasted()), format!("+{}", duration(hold.from)));
        vec![name(hold.buyer, hold.product, report), count(hold.waiters), held, from]
    };
    Section {
        title: "Who was waited for".into(),
        columns: vec!["waiting meanwhile", "held the lock for", "from"],
        rows: waits.waited_for.iter().take(MOST_ROWS).map(row).collect(),
    }
}

impl Gantt {
    /// The chart of a wait; none if it is not known who held the lock meanwhile.
    fn of(wait: &LockWait, report: &Report) -> Option<Self> {
        if wait.held_by.is_empty() {
            return None;
        }
        // Times are counted from when the buyer asked; what was before is cut off.
        let since = |time: u64| time.saturating_sub(wait.asked) as f64;
        let ends = wait.held_by.iter().map(|hold| hold.until).chain([wait.until, wait.released]);
        let scale = Scale::linear(ends.map(since).fold(0.0, f64::max), Unit::Duration);
        let x = |time: f64| tenth(LEFT + scale.share(time) * (WIDTH - LEFT - RIGHT));
        let bar = |class, from: u64, until: u64, text: String| {
            let (from, until) = (x(since(from)), x(since(until)));
            GanttBar { class, x: from, width: tenth((until - from).max(1.5)), text }
        };
        let mut rows: Vec<(String, Vec<GanttBar>)> = wait
            .held_by
            .iter()
            .map(|hold| {
                let who = name(hold.buyer, hold.product, report);
                let text = format!("{who} held the lock for {}", duration(hold.lasted()));
                (who, vec![bar("holds", hold.from, hold.until, text)])
            })
            .collect();
        let who = name(wait.buyer, wait.product, report);
        let waited = format!("{who} waited for {}", duration(wait.lasted()));
        let mut own = vec![bar("waits", wait.asked, wait.until, waited)];
        if wait.had {
            let lasted = wait.released.saturating_sub(wait.until);
            let held = format!("{who} held the lock for {}", duration(lasted));
            own.push(bar("holds", wait.until, wait.released, held));
        }
        rows.push((who.clone(), own));
        let bottom = rows.len() as f64 * ROW + 8.0;
        let row = |(place, (label, bars)): (usize, (String, Vec<GanttBar>))| GanttRow {
            label,
            y: place as f64 * ROW + 6.0,
            bars,
        };
        let tick = |value| Tick { at: x(value), text: scale.word(value) };
        let left_out = wait.holds - wait.held_by.len() as u64;
        let others = match left_out {
            0 => String::new(),
            _ => format!(" (the {} longest of {})", wait.held_by.len(), count(wait.holds)),
        };
        Some(Self {
            title: format!("The wait of {who}, and who held the lock meanwhile{others}"),
            width: WIDTH,
            height: bottom + 40.0,
            left: LEFT,
            bottom,
            x_label: format!("time since buyer {} asked", wait.buyer),
            ticks: scale.ticks().into_iter().map(tick).collect(),
            rows: rows.into_iter().enumerate().map(row).collect(),
        })
    }
}
