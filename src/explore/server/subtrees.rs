//! A search in subtrees, which several machines share.
//!
//! A search decides what to run next by what the orders before have touched. So it is cut after some steps: before the cut
//! every way to begin is explored, and what follows each way is a subtree, which is searched as if there were no other. Each
//! machine runs the first order of every subtree, so that it sees the same ones as the others, and all orders of its own.
//! Where the search is cut does not depend on the number of machines, so neither does what comes of it.

use serde::{Deserialize, Serialize};

use super::judged::JudgedExecution;
use super::results::Results;
use super::search::run;
use crate::base::error::Error;
use crate::base::fingerprint::fingerprint;
use crate::base::monitor::Monitor;
use crate::base::partition::Slice;
use crate::explore::bound::Plan;
use crate::scheduler::{Bounds, Columns, DepthFirst, Outline};

/// The search is cut where it has at least so many subtrees, if it has as many.
const ENOUGH_SUBTREES: usize = 128;

/// One machine's share of a search.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Subtrees {
    /// What comes before the subtrees, and is the same on every machine.
    pub(super) beginning: Results,
    /// The number of subtrees of the whole search.
    pub(super) all: usize,
    /// The fingerprint of how each of them parts from the others.
    pub(super) partings: String,
    /// The columns that tell rows apart.
    pub(super) stable: Columns,
    /// The subtrees that were searched here, each with its number, counted from 0.
    pub(super) searched: Vec<(usize, Results)>,
    /// Whether those showed enough for the others of this share to be left out.
    pub(super) is_enough: bool,
}

/// What a share of a search is made with.
pub(super) struct Share<'a> {
    pub(super) slice: Slice,
    pub(super) plan: Plan,
    pub(super) bounds: Bounds,
    pub(super) stopped: &'a (dyn Monitor + Sync),
}

impl Share<'_> {
    /// Searches the subtrees of this share. `beginning` is what was run before, and `stable` are the columns that tell rows
    /// apart. Returns none if the search was stopped.
    ///
    /// # Errors
    /// When the server fails.
    pub(super) fn search<E: JudgedExecution>(
        &self,
        execution: &mut E,
        beginning: Results,
        mut stable: Columns,
    ) -> Result<Option<Subtrees>, Error> {
        loop {
            match self.search_once(execution, &beginning, &stable) {
                Ok(subtrees) => return Ok(Some(Subtrees { beginning, stable, ..subtrees })),
                Err(Halt::WithFewer(columns)) => stable = columns,
                Err(Halt::Stopped) => return Ok(None),
                Err(Halt::Failed(error)) => return Err(error),
            }
        }
    }

    /// The same once, with these columns.
    fn search_once<E: JudgedExecution>(
        &self,
        execution: &mut E,
        beginning: &Results,
        stable: &Columns,
    ) -> Result<Subtrees, Halt> {
        let depth = self.depth(execution, stable)?;
        let enough = self.plan.enough_after_finding.unwrap_or(u64::MAX);
        let is_found_before = beginning.has_findings();
        let (mut run_here, mut is_found) = (beginning.covered.run, is_found_before);
        let mut subtrees = Subtrees::default();
        let mut outlines: Vec<Outline> = Vec::new();
        let mut search = self.cut_search(execution, stable, depth);
        while search.next_subtree() {
            let number = outlines.len();
            subtrees.is_enough = is_found && run_here >= enough;
            let is_ours = self.slice.has(number) && !subtrees.is_enough;
            if !is_ours {
                search.pass_over();
            }
            let mut subtree = Results::default();
            subtree.covered.complete =
                self.run(execution, &mut search, &mut subtree, |subtree| {
                    let is_found = is_found_before || subtree.has_findings();
                    is_ours && is_found && subtree.covered.run >= enough
                })?;
            outlines.extend(search.subtree().cloned());
            if is_ours {
                run_here += subtree.covered.run;
                is_found |= subtree.has_findings();
                subtrees.searched.push((number, subtree));
            }
        }
        self.check(&search)?;
        Ok(Subtrees {
            all: outlines.len(),
            partings: fingerprint(&Outline::partings(&outlines)),
            ..subtrees
        })
    }

    /// After how many steps to cut: no more than it takes to have enough subtrees.
    fn depth<E: JudgedExecution>(
        &self,
        execution: &mut E,
        stable: &Columns,
    ) -> Result<usize, Halt> {
        let (mut too_few, mut depth) = (0, 1);
        loop {
            match self.subtrees_after(execution, stable, depth)? {
                Cut::HasFew => (too_few, depth) = (depth, depth * 2),
                Cut::HasEnough => break,
                Cut::IsTheEnd => return Ok(depth),
            }
        }
        while too_few + 1 < depth {
            let middle = too_few.midpoint(depth);
            match self.subtrees_after(execution, stable, middle)? {
                Cut::HasEnough => depth = middle,
                Cut::HasFew | Cut::IsTheEnd => too_few = middle,
            }
        }
        Ok(depth)
    }

    /// What comes of a cut after so many steps, as the first order of each subtree shows it.
    fn subtrees_after<E: JudgedExecution>(
        &self,
        execution: &mut E,
        stable: &Columns,
        depth: usize,
    ) -> Result<Cut, Halt> {
        let mut search = self.cut_search(execution, stable, depth);
        let mut firsts = Results::default();
        let mut subtrees = 0;
        while subtrees < ENOUGH_SUBTREES && search.next_subtree() {
            search.pass_over();
            self.run(execution, &mut search, &mut firsts, |_| false)?;
            subtrees += 1;
        }
        self.check(&search)?;
        Ok(match subtrees {
            ENOUGH_SUBTREES => Cut::HasEnough,
            _ if firsts.longest > depth => Cut::HasFew,
            _ => Cut::IsTheEnd,
        })
    }

    fn cut_search<E: JudgedExecution>(
        &self,
        execution: &E,
        stable: &Columns,
        depth: usize,
    ) -> DepthFirst {
        DepthFirst::new(execution, self.plan.reduced).comparing(stable.clone()).cut_after(depth)
    }

    /// Runs the subtree that has begun; whether it was run to its end.
    fn run<E: JudgedExecution>(
        &self,
        execution: &mut E,
        search: &mut DepthFirst,
        results: &mut Results,
        is_enough: impl Fn(&Results) -> bool,
    ) -> Result<bool, Halt> {
        let Self { plan, bounds, stopped, .. } = *self;
        let is_whole = run(execution, search, plan, bounds, results, stopped, is_enough)?;
        self.check(search)?;
        Ok(is_whole)
    }

    /// Whether the search may go on.
    fn check(&self, search: &DepthFirst) -> Result<(), Halt> {
        match search.remaining() {
            _ if self.stopped.is_stopped() => Err(Halt::Stopped),
            Some(columns) => Err(Halt::WithFewer(columns.clone())),
            None => Ok(()),
        }
    }
}

/// What comes of a cut.
enum Cut {
    /// Enough subtrees.
    HasEnough,
    /// Too few, of which some go on behind the cut.
    HasFew,
    /// Too few, and none goes on.
    IsTheEnd,
}

/// Why a search does not go on.
enum Halt {
    /// It was stopped.
    Stopped,
    /// It has to begin anew, for only these columns have values that come out the same each time.
    WithFewer(Columns),
    /// Something has failed.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
