//! One machine's part of a search of statement orders, and the report of all parts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::order_log::OrderLog;
use super::orders::{Place, concluded, gathered, hide_learned, keep_steady, remarks_of_all};
use super::results::Results;
use super::side_by_side::with_harnesses;
use super::subtrees::Subtrees;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::partition::Slice;
use crate::domain::settings::Settings;
use crate::explore::bound::Plan;
use crate::explore::exploration::Exploration;
use crate::stores::remote::{Lesson, OverlapNotes, Remarks, Server};
use crate::worlds::dyn_strategy::DynStrategy;

/// What one part of a search has run, and what its server has shown.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartOfSearch {
    /// The names of what footprints number.
    tables: Vec<String>,
    /// The subtrees; none if the part was stopped.
    subtrees: Option<Box<Subtrees>>,
    /// Remarks on what was covered, and whether some orders could not be chosen.
    told: Vec<String>,
    hides_orders: bool,
    /// Whether the server still learned in the last of several searches.
    has_learned: bool,
    /// What each of its databases has taught.
    lessons: Vec<Lesson>,
    /// Statements that could overlap, in each of its databases.
    overlaps: Vec<OverlapNotes>,
}

impl PartOfSearch {
    /// Whether it was stopped before its end.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.subtrees.is_none()
    }
}

/// Runs one part of a search: the share that the plan names, at copies of a server, side by side.
///
/// # Errors
/// As [`search_orders`](super::orders::search_orders); [`Error::Input`] for a log of another search.
pub(crate) fn search_part(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    servers: &[&dyn Server],
    plan: Plan,
    stopped: &(dyn Monitor + Sync),
    mut log: Option<&mut OrderLog<'_>>,
) -> Result<PartOfSearch, Error> {
    with_harnesses(strategy, settings, servers, |harnesses| {
        let (results, has_learned) =
            gathered(harnesses, servers, settings, plan, stopped, log.as_deref_mut())?;
        let Results { mut subtrees, failure, .. } = results;
        if let Some(error) = failure {
            return Err(error);
        }
        let Remarks { told, hides_orders, .. } = remarks_of_all(harnesses, servers, log.as_deref());
        let Some(harness) = harnesses.first_mut() else {
            return Err(Error::world("no server to search at"));
        };
        if let Some(subtrees) = &mut subtrees {
            let Subtrees { beginning, searched, .. } = &mut **subtrees;
            let searched = searched.iter_mut().map(|(_, results)| results);
            searched.chain([beginning]).for_each(|results| keep_steady(strategy, harness, results));
        }
        let server = harness.server();
        let (lessons, overlaps) = (server.lessons()?, server.overlap_notes());
        let tables = server.part_names();
        Ok(PartOfSearch { tables, subtrees, told, hides_orders, has_learned, lessons, overlaps })
    })
}

/// Notes that the parts have not seen the same subtrees.
fn hide_other_cut(remarks: &mut Remarks) {
    remarks.hides_orders = true;
    remarks.told.push(
        "the same beginnings came out otherwise on one machine than on another, and so there may be orders in no part".into(),
    );
}

/// Why a part is of no use.
const OTHER: &str = "its orders came out otherwise than those of the other parts";

/// The parts of a search, one after the other.
pub(crate) struct PartsOfSearch {
    first: PartOfSearch,
    /// The subtrees that any part has searched, by their numbers.
    searched: BTreeMap<usize, Results>,
    /// Whether the search was cut into other subtrees on one machine than on another: what one has left out, another may
    /// not have run.
    is_cut_otherwise: bool,
}

impl PartsOfSearch {
    /// Adds one more part.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(crate) fn add(
        known: Option<Self>,
        slice: Slice,
        part: PartOfSearch,
    ) -> Result<Self, String> {
        let mut part = part;
        let Some(subtrees) = &mut part.subtrees else { return Err("it was cut short".into()) };
        let searched = std::mem::take(&mut subtrees.searched);
        let (all, is_enough) = (subtrees.all, subtrees.is_enough);
        let mut parts = match known {
            Some(known) => known.with(part)?,
            None => Self { first: part, searched: BTreeMap::new(), is_cut_otherwise: false },
        };
        let mut expected = (0..all).filter(|number| slice.has(*number));
        for (number, results) in searched {
            if expected.next() != Some(number) {
                return Err("it does not hold the orders of this part".into());
            }
            parts.searched.insert(number, results);
        }
        match expected.next() {
            Some(_) if !is_enough => Err("it does not hold all orders of this part".into()),
            _ => Ok(parts),
        }
    }

    /// The same with what another part was shown, whose subtrees are the same.
    fn with(mut self, other: PartOfSearch) -> Result<Self, String> {
        let first = &mut self.first;
        let (Some(known), Some(subtrees)) = (&first.subtrees, &other.subtrees) else {
            return Err(OTHER.into());
        };
        let is_same = known.beginning.covered.run == subtrees.beginning.covered.run
            && known.beginning.outcomes == subtrees.beginning.outcomes
            && first.tables == other.tables;
        if !is_same {
            return Err(OTHER.into());
        }
        // Where columns have stable values for one part only, or one server has taught more, what other parts have left
        // out may matter.
        first.has_learned |=
            other.has_learned || first.lessons != other.lessons || known.stable != subtrees.stable;
        self.is_cut_otherwise |= known.all != subtrees.all || known.partings != subtrees.partings;
        first.hides_orders |= other.hides_orders;
        first.told.extend(other.told);
        for (place, notes) in other.overlaps.into_iter().enumerate() {
            match first.overlaps.get_mut(place) {
                Some(known) => notes.add_to(known),
                None => first.overlaps.push(notes),
            }
        }
        Ok(self)
    }

    /// The report of all parts.
    ///
    /// # Errors
    /// If a subtree is missing that one search would have come to.
    pub(crate) fn report(
        self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        plan: Plan,
        server: String,
    ) -> Result<Exploration, String> {
        let Self { first, searched, is_cut_otherwise } = self;
        let PartOfSearch {
            tables,
            subtrees,
            mut told,
            mut hides_orders,
            has_learned,
            overlaps,
            ..
        } = first;
        let enough = plan.enough_after_finding.unwrap_or(u64::MAX);
        let Subtrees { beginning: mut results, all, .. } = *subtrees.unwrap_or_default();
        results.covered.reduced = plan.reduced;
        let has_enough =
            |results: &Results| results.has_findings() && results.covered.run >= enough;
        let (mut is_whole, mut has_gap, mut next) = (true, false, 0);
        for (number, subtree) in searched {
            if has_enough(&results) {
                break;
            }
            has_gap |= number != next;
            next = number + 1;
            is_whole &= subtree.covered.complete;
            results.absorb(subtree);
        }
        // Every search has a subtree.
        let leaves_some_out = next != all || all == 0;
        // Where machines have seen different subtrees, their shares need not fit together.
        if (has_gap || leaves_some_out && !has_enough(&results)) && !is_cut_otherwise {
            return Err("some orders are in no part".into());
        }
        is_whole &= !has_gap && !leaves_some_out;
        results.covered.complete = is_whole && results.covered.diverged == 0;
        let overlaps: Vec<String> = overlaps.iter().flat_map(OverlapNotes::told).collect();
        hides_orders |= !overlaps.is_empty();
        told.extend(overlaps);
        told.sort();
        told.dedup();
        let mut remarks = Remarks { told, hides_orders, ..Remarks::default() };
        if has_learned {
            hide_learned(&mut remarks);
        }
        if is_cut_otherwise {
            hide_other_cut(&mut remarks);
        }
        let place = Place { version: server, tables };
        Ok(concluded(strategy, settings, plan, results, remarks, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::cas::Cas;

    #[test]
    fn a_search_without_any_subtree_is_refused() {
        let part = PartOfSearch {
            tables: Vec::new(),
            subtrees: Some(Box::default()),
            told: Vec::new(),
            hides_orders: false,
            has_learned: false,
            lessons: Vec::new(),
            overlaps: Vec::new(),
        };
        let parts = PartsOfSearch::add(None, Slice::WHOLE, part).unwrap();
        let report = parts.report(&Cas, &Settings::default(), Plan::EVERYTHING, String::new());
        assert_eq!(report.unwrap_err(), "some orders are in no part");
    }
}
