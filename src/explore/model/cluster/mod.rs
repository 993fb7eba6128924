//! One search through all states by several processes. A state belongs to the process that its hash names, which alone
//! remembers it; each process expands its own, and sends every successor to its owner.
//!
//! All processes take the same decisions in the same rounds, from what all have said, so all end with the same report.

mod arrivals;
mod block;
mod conclusion;
mod gathered;
mod rounds;
mod search;
mod successors;

use super::limits::Limits;
use super::opening::open;
use super::searches::report;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::process_group::ProcessGroup;
use crate::domain::settings::Settings;
use crate::explore::exploration::Exploration;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::stepped::TransitionTable;
use search::ClusterSearch;

/// Follows every schedule of these settings together with other processes, which search the same. The bound of memory is
/// that of this process, the bound of states that of all together.
///
/// # Errors
/// [`Error::Input`] for impossible settings; [`Error::World`] if a process is lost.
pub(crate) fn search_among(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    limits: Limits,
    monitor: &impl Monitor,
    mut group: ProcessGroup,
) -> Result<Exploration, Error> {
    let mut table = TransitionTable::new(strategy, settings);
    let opening = open(&mut table, strategy, settings)?;
    let mut search = ClusterSearch::from(&mut table, &opening, &mut group);
    let seen = search.run(limits, monitor)?;
    group.part();
    report(&mut table, &opening, strategy, settings, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process_group::in_threads;
    use crate::domain::faults::Faults;
    use crate::domain::finding::FindingKind;
    use crate::explore::search_all;
    use crate::strategies::{every_strategy, find};

    /// What so many processes find, each as it reports it.
    fn among(
        processes: usize,
        strategy: &dyn DynStrategy,
        settings: &Settings,
        limits: Limits,
    ) -> Vec<Exploration> {
        let works = vec!["same"; processes];
        in_threads(&works, |group| {
            search_among(strategy, settings, limits, &|| false, group.unwrap()).unwrap()
        })
    }

    /// What has to be the same, however many search: the verdict, the counts, and how long each schedule is.
    fn essence(found: &Exploration) -> String {
        let covered = found.covered.as_ref().unwrap();
        let ways = covered.interleavings.map(|ways| match ways.exact() {
            Some(exact) => exact.to_string(),
            None => format!("10^{:.9}", ways.log10()),
        });
        let findings: Vec<(FindingKind, u64)> = found
            .findings
            .iter()
            .map(|told| match told.finding.kind {
                // What comes after the shortest schedule to it is one of many.
                FindingKind::Livelock => (told.finding.kind, 0),
                kind => (kind, told.length()),
            })
            .collect();
        let incidents: Vec<(usize, u64)> =
            found.incidents.iter().map(|told| (told.timeline.len(), told.orders)).collect();
        format!(
            "{} {:?} {:?} {} of {} states, {} steps, {} more, {ways:?} ways, {findings:?}, {} failed {incidents:?}",
            found.strategy,
            found.evidence,
            found.incomplete,
            covered.complete,
            covered.states,
            covered.transitions,
            covered.precedence_states,
            found.failed,
        )
    }

    #[test]
    fn several_processes_find_what_one_finds() {
        let faults = Faults { crashes: 1, expiries: 1, ..Faults::default() };
        let shops: [(Settings, &[usize]); 2] = [
            (Settings { buyers: 2, stock: 1, ..Settings::default() }, &[1, 2, 3]),
            (Settings { buyers: 3, stock: 2, faults, ..Settings::default() }, &[3]),
        ];
        let mut compared = 0;
        for strategy in every_strategy() {
            for (shop, processes) in &shops {
                let Ok(alone) = search_all(strategy, shop, Limits::default(), || false) else {
                    continue;
                };
                for processes in *processes {
                    for found in among(*processes, strategy, shop, Limits::default()) {
                        assert_eq!(essence(&found), essence(&alone), "{processes} processes");
                    }
                }
                compared += 1;
            }
        }
        assert!(compared > 60, "{compared}");
    }

    #[test]
    fn every_process_writes_the_same_report() {
        let shop = Settings { buyers: 3, stock: 1, ..Settings::default() };
        for name in ["naive", "hold", "optimistic"] {
            let found = among(3, find(name).unwrap(), &shop, Limits::default());
            let written: Vec<String> =
                found.iter().map(|found| serde_json::to_string(found).unwrap()).collect();
            assert!(written.iter().all(|one| *one == written[0]), "{name}");
        }
    }

    #[test]
    fn a_bound_that_one_process_meets_is_no_proof_at_any() {
        let faults = Faults { expiries: 2, ..Faults::default() };
        let shop = Settings { buyers: 8, stock: 2, faults, ..Settings::default() };
        let strategy = find("hold").unwrap();
        let found = in_threads(&["same"; 2], |group| {
            let group = group.unwrap();
            let memory = if group.me() == 0 { 1 << 40 } else { 100_000 };
            let limits = Limits { memory, ..Limits::default() };
            search_among(strategy, &shop, limits, &|| false, group).unwrap()
        });
        let stopped = in_threads(&["same"; 2], |group| {
            let group = group.unwrap();
            let is_stopped = group.me() == 1;
            search_among(strategy, &shop, Limits::default(), &|| is_stopped, group).unwrap()
        });
        let few = Limits { states: 500, ..Limits::default() };
        for found in found.into_iter().chain(stopped).chain(among(2, strategy, &shop, few)) {
            assert_eq!(found.evidence, crate::check::report::Evidence::NotSeen, "{found}");
            assert!(found.incomplete.unwrap().contains("cut short after"));
        }
    }

    #[test]
    fn a_process_that_is_lost_is_an_error_of_all_others() {
        let shop = Settings { buyers: 8, stock: 2, ..Settings::default() };
        let strategy = find("hold").unwrap();
        let found = in_threads(&["same"; 3], |group| {
            let mut group = group.unwrap();
            if group.me() == 2 {
                let _ = group.gather(Vec::new());
                return None;
            }
            Some(search_among(strategy, &shop, Limits::default(), &|| false, group))
        });
        for found in found.into_iter().flatten() {
            let error = found.unwrap_err().to_string();
            assert!(error.ends_with("nothing is proved"), "{error}");
        }
    }
}
