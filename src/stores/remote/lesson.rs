//! What running statements has shown of them, as data that copies of a server can share.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::scheduler::Footprint;

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
}

impl OverlapNotes {
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
    }
}
