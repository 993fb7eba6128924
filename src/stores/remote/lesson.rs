//! What running statements has shown of them, as data that copies of a server can share.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::scheduler::{Footprint, Region};

/// A way of seeing in which order rows were written: the number of a table, and the columns that name the rows.
pub type Scan = (usize, BTreeSet<String>);

/// What one database has taught about statements: as [`Server::learned`](super::Server::learned) counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Tables of which one statement has changed several rows, a bit each.
    pub several_rows: i64,
    /// The ways of seeing in which order rows were written, each at the place that is its number.
    pub scans: Vec<Scan>,
}

impl Lesson {
    /// Adds this to what is known already.
    pub fn add_to(self, known: &mut Self) {
        known.several_rows |= self.several_rows;
        for scan in self.scans {
            if !known.scans.contains(&scan) {
                known.scans.push(scan);
            }
        }
    }
}

/// Why a statement that does not wait for the lock of one row cannot be held.
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "without SQL there are no such statements")
)]
pub(in crate::stores) const TRIES: &str =
    "it does not wait for a lock that another statement may hold while it runs";
/// Why one that does not wait for a lock by name cannot be held.
const TRIES_BY_NAME: &str = "it may find a lock taken that another statement takes and gives back";

/// Why one that goes from row to row cannot be held.
const ROW_BY_ROW: &str = "it goes from row to row, and others may commit more than once meanwhile";
/// The most different sequences of commits that are remembered. Beyond, any may have happened.
const MOST_SEQUENCES: usize = 4096;

/// Which commits of others make a difference to a statement that goes from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::stores) struct Matters {
    /// How many it takes.
    pub(in crate::stores) commits: usize,
    /// Whether those that only add rows count.
    pub(in crate::stores) new_rows: bool,
}

/// Why a statement was not held inside.
pub(in crate::stores) type Reason = Cow<'static, str>;

/// Statements that could overlap with others in ways that were not explored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapNotes {
    /// Each with the reason.
    pub(in crate::stores) unheld: BTreeMap<String, Reason>,
    /// Statements that count as unheld beside those that commit at once: what they touch, and the reason.
    pub(in crate::stores) locking: BTreeMap<String, (Footprint, Reason)>,
    /// Statements that check whether a lock by name is free.
    pub(in crate::stores) tries_by_name: BTreeSet<String>,
    /// Whether a statement takes a lock by name and gives it back before it ends.
    pub(in crate::stores) takes_briefly: bool,
    /// What was changed by statements that commit at once.
    pub(in crate::stores) committed: Footprint,
    /// Statements that go from row to row, each as the last commit has left it: what they touch, and which commits of others
    /// meanwhile make a difference.
    pub(in crate::stores) row_by_row: BTreeMap<String, (Footprint, Matters)>,
    /// The commits of one session in one order, one after the other: what each has changed, and whether it has changed rows
    /// that were there before.
    pub(in crate::stores) sequences: BTreeSet<Vec<(Footprint, bool)>>,
    /// The most sessions that may commit while a statement of another one runs.
    pub(in crate::stores) others: u32,
}

impl OverlapNotes {
    /// Notes a statement that goes from row to row, what it touches, and which commits of others meanwhile matter.
    pub(in crate::stores) fn note_row_by_row(
        &mut self,
        text: &str,
        touches: &Footprint,
        matters: Matters,
    ) {
        let (all, _) =
            self.row_by_row.entry(text.to_owned()).or_insert((Footprint::NOTHING, matters));
        *all = std::mem::take(all) | touches;
    }

    /// Notes the commits of one session in one order.
    pub(in crate::stores) fn note_sequence(&mut self, commits: &[(Footprint, bool)]) {
        if self.sequences.len() < MOST_SEQUENCES {
            self.sequences.insert(commits.to_vec());
        } else {
            self.sequences.insert(vec![(Footprint::everything(), true); 3]);
        }
    }

    /// Whether others may commit what a statement touches, while it runs, so often that it matters.
    fn is_overlapped(&self, touches: &Footprint, matters: Matters) -> bool {
        let counts = |(commit, changes_rows): &&(Footprint, bool)| {
            let changed = Footprint { reads: Region::NONE, ..commit.clone() };
            touches.conflicts_with(changed) && (*changes_rows || matters.new_rows)
        };
        let count = |commits: &Vec<(Footprint, bool)>| commits.iter().filter(counts).count();
        let most = self.sequences.iter().map(count).max().unwrap_or(0);
        most.saturating_mul(self.others as usize) >= matters.commits
    }

    /// Adds these notes to others.
    pub fn add_to(self, known: &mut Self) {
        known.unheld.extend(self.unheld);
        for (text, (touches, why)) in self.locking {
            let (all, _) = known.locking.entry(text).or_insert((Footprint::NOTHING, why));
            *all = std::mem::take(all) | touches;
        }
        known.tries_by_name.extend(self.tries_by_name);
        known.takes_briefly |= self.takes_briefly;
        known.committed = std::mem::take(&mut known.committed) | self.committed;
        for (text, (touches, matters)) in self.row_by_row {
            known.note_row_by_row(&text, &touches, matters);
        }
        known.sequences.extend(self.sequences);
        known.others = known.others.max(self.others);
    }
}

impl OverlapNotes {
    /// What these notes come to: each statement that could overlap with others, with the reason.
    #[must_use]
    #[cfg(feature = "cli")]
    pub(crate) fn told(&self) -> Vec<String> {
        self.told_but(|_| false)
    }

    /// The same without these statements.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "without SQL there are no such statements")
    )]
    pub(in crate::stores) fn told_but(&self, is_left_out: impl Fn(&str) -> bool) -> Vec<String> {
        let changed = Footprint { reads: Region::NONE, ..self.committed.clone() };
        // A change also locks, while it runs, the rows that it refers to, which it only reads.
        let against = |why: &str| if why == TRIES { &self.committed } else { &changed };
        let locking = self.locking.iter();
        let locking = locking.filter(|(_, (touches, why))| touches.conflicts_with(against(why)));
        let locking = locking.map(|(text, (_, why))| (text, &**why));
        let tries = self.tries_by_name.iter().filter(|_| self.takes_briefly);
        let tries = tries.map(|text| (text, TRIES_BY_NAME));
        let told = |(text, why): (&String, &str)| {
            format!("`{text}` was run in one step, though others can overlap with it: {why}")
        };
        let unheld = self.unheld.iter().map(|(text, why)| (text, &**why));
        let row_by_row = self.row_by_row.iter();
        let row_by_row =
            row_by_row.filter(|(_, (touches, matters))| self.is_overlapped(touches, *matters));
        let row_by_row = row_by_row.map(|(text, _)| (text, ROW_BY_ROW));
        let all: BTreeMap<&String, &str> =
            row_by_row.chain(tries).chain(locking).chain(unheld).collect();
        let all = all.into_iter();
        all.filter(|(text, _)| !is_left_out(text)).map(told).collect()
    }
}
