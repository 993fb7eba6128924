//! Properties: whatever text comes in is read or refused, never a panic; and the audit agrees with
//! arithmetic on rounds of any kind.

use oversell_sim::unstable::attempt::Failure;
use oversell_sim::unstable::buyer::{Demand, Ending, Visit};
use oversell_sim::unstable::report::{METRICS, most_inside};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Backoff, Error, Expectation, FindingKind, Retries, Scenario};
use proptest::prelude::*;

use crate::fixture::{round_of, visit};

/// Text with the pieces of a scenario in it, so that some of it gets far.
fn near_scenario() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("strategy = \"cas\"\n".to_owned()),
        Just("buyers = 10\n".to_owned()),
        Just("[expect]\n".to_owned()),
        Just("oversold = 0\n".to_owned()),
        Just("latency.p99 = \"< 5ms\"\n".to_owned()),
        Just("qty = \"1..".to_owned()),
        Just("[[".to_owned()),
        Just("= ".to_owned()),
        Just("\"\"\"".to_owned()),
        "[a-z_.]{1,8} = [0-9x\"_.-]{1,9}\n",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Text with the pieces of an expectation in it, so that some of it is one.
fn near_expectation() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        prop::sample::select(METRICS).prop_map(|metric| metric.name.to_owned()),
        Just("evidence".to_owned()),
        "[a-z_.]{0,9}",
    ];
    let sign = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", "==", ""]);
    let value = prop_oneof!["[0-9]{1,4}( ?%|ms|us)?", Just("not seen".to_owned()), any::<String>()];
    let near = ("(total\\.)?", name, " ?", sign, " ?", value).prop_map(
        |(total, name, before, sign, after, value)| {
            format!("{total}{name}{before}{sign}{after}{value}")
        },
    );
    prop_oneof![1 => any::<String>(), 3 => near]
}

/// Text that is the value of some setting, or nearly so.
fn near_setting() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{1,3}(_[0-9]{3}|k|ms|us|s|m)?",
        "[0-9]{1,2}\\.\\.[0-9]{1,2}",
        "(fixed|exponential):[0-9]{1,3}us(\\.\\.[0-9]{1,3}ms)?",
        "true|false|none|unlimited",
        "memory|sqlite|postgres|redis|read-committed|serializable",
    ]
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Bought),
        Just(Ending::Rejected),
        Just(Ending::Abandoned),
        Just(Ending::Failed(Failure::LockTimeout)),
        Just(Ending::Unserved)
    ]
}

fn any_visits() -> impl Strategy<Value = Vec<Visit>> {
    prop::collection::vec((any_ending(), 1..4_i32, 0..50_u64, 0..50_u64), 0..40).prop_map(|all| {
        let visits = all.into_iter().zip(0..).map(|((ending, wanted, began, stay), buyer)| Visit {
            began_ns: began,
            last_attempt_ns: began,
            ended_ns: began + stay,
            ..visit(buyer, wanted, ending)
        });
        visits.collect()
    })
}

proptest! {
    #[test]
    fn any_scenario_is_read_or_refused_with_its_place(text in near_scenario()) {
        if let Err(error) = Scenario::parse("any.toml", &text) {
            let Error::Input(message) = error else { panic!("{error}") };
            prop_assert!(message.starts_with("any.toml:"), "{message}");
        }
    }

    /// What is read says what it is about, and reads back; what is refused is told why, on one line.
    #[test]
    fn any_expectation_is_read_or_refused(text in near_expectation()) {
        match Expectation::parse(&text) {
            Ok(read) => {
                prop_assert!(text.trim().starts_with(read.name()) || text.contains("total."), "{text}");
                let again = Expectation::parse(&read.to_string()).map(|read| read.to_string());
                prop_assert_eq!(again, Ok(read.to_string()));
            }
            Err(why) => prop_assert_eq!(why.lines().count(), 1, "{}", why),
        }
    }

    #[test]
    fn an_expectation_reads_back_from_its_own_words(
        metric in prop::sample::select(METRICS),
        sign in prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]),
        total: bool,
        number in 0..1_000_u32,
    ) {
        let (number, unit) = match metric.unit {
            "ns" => (number, "ms"),
            "share" => (number % 101, " %"),
            _ => (number, ""),
        };
        let prefix = if total { "total." } else { "" };
        let text = format!("{prefix}{} {sign} {number}{unit}", metric.name);
        let said = Expectation::parse(&text).unwrap().to_string();
        prop_assert_eq!(Expectation::parse(&said).unwrap().to_string(), said);
    }

    /// What is read reads back from its own words; what is refused changes nothing, and is told why on one line.
    #[test]
    fn any_setting_is_read_or_refused(
        name in prop::sample::select(Settings::NAMES.to_vec()),
        text in near_setting(),
    ) {
        let mut settings = Settings::default();
        match settings.set(name, &text) {
            Ok(()) => {
                let mut again = Settings::default();
                prop_assert_eq!(again.set(name, &settings.value_of(name)), Ok(()));
                prop_assert_eq!(again, settings);
            }
            Err(why) => {
                prop_assert_eq!(why.lines().count(), 1, "{}", why);
                prop_assert_eq!(settings, Settings::default());
            }
        }
    }

    #[test]
    fn a_demand_reads_back_from_its_own_words(least in 1..1_000_i32, more in 0..1_000_i32) {
        let demand = Demand { least, most: least + more };
        prop_assert_eq!(Demand::parse(&demand.to_string()), Ok(demand));
    }

    #[test]
    fn a_retry_policy_reads_back_from_its_own_words(
        retries in prop_oneof![Just(Retries::Unlimited), any::<u32>().prop_map(Retries::AtMost)],
        first_us in 0..1_000_u64,
        more_us in 0..1_000_u64,
    ) {
        let micros = std::time::Duration::from_micros;
        let backoff =
            Backoff::Exponential { first: micros(first_us), most: micros(first_us + more_us) };
        prop_assert_eq!(Retries::parse(&retries.to_string()), Ok(retries));
        prop_assert_eq!(Backoff::parse(&backoff.to_string()), Ok(backoff));
    }

    /// Sold and not sold add up, and no two findings contradict each other.
    #[test]
    fn the_audit_adds_up(stock in 1..60_i32, visits in any_visits()) {
        let round = round_of(stock, visits);
        let ledger = round.ledger();
        let found = ledger.audit();
        let amount = |kind| found.iter().find(|f| f.kind == kind).map_or(0, |f| f.amount as i64);
        let sold = ledger.units_sold();
        prop_assert_eq!(amount(FindingKind::Oversold), (sold - i64::from(stock)).max(0));
        prop_assert!(amount(FindingKind::Oversold) == 0 || amount(FindingKind::Undersold) == 0);
        prop_assert!(amount(FindingKind::Undersold) <= (i64::from(stock) - sold).max(0));
        // The books are as they should be, so nothing is lost between shelf, orders and receipts.
        let kinds = [FindingKind::LostUpdate, FindingKind::LeakedStock, FindingKind::LostOrder];
        for kind in kinds.into_iter().chain([FindingKind::OrderWithoutReceipt]) {
            prop_assert_eq!(amount(kind), 0, "{:?}", kind);
        }
    }

    #[test]
    fn the_crowd_is_counted_as_by_looking_at_every_moment(visits in any_visits()) {
        // A visit that takes no time at all is inside at no moment, but did come in.
        let visits: Vec<Visit> = visits
            .into_iter()
            .map(|visit| Visit { ended_ns: visit.ended_ns.max(visit.began_ns + 1), ..visit })
            .collect();
        let inside = |at: u64| {
            let is_inside = |visit: &&Visit| {
                visit.ending != Ending::Unserved && visit.began_ns <= at && at < visit.ended_ns
            };
            visits.iter().filter(is_inside).count() as u64
        };
        prop_assert_eq!(most_inside(&visits), (0..=100).map(inside).max().unwrap_or(0));
    }
}

/// Whether some order of these visits, in which none comes after one that began when it was over, makes
/// every answer right for a shop of so many units (Wing and Gong, 1993): all orders are tried.
fn is_linearizable(stock: i32, open: &[Visit]) -> bool {
    let earliest_end = open.iter().map(|visit| visit.ended_ns).min();
    let can_be_next = |visit: &Visit| Some(visit.began_ns) <= earliest_end;
    let is_right = |visit: &Visit| (visit.want.qty <= stock) == (visit.ending == Ending::Bought);
    open.is_empty()
        || (0..open.len()).any(|next| {
            let visit = &open[next];
            let mut others = open.to_vec();
            others.remove(next);
            let taken = visit.receipt().map_or(0, |want| want.qty);
            can_be_next(visit) && is_right(visit) && is_linearizable(stock - taken, &others)
        })
}

proptest! {
    /// Nothing is sold twice and no buyer is rejected falsely exactly if some order of the visits makes
    /// every answer right: the two findings together are linearizability.
    #[test]
    fn a_history_is_linearizable_unless_it_oversells_or_says_sold_out_falsely(
        stock in 1..5_i32,
        visits in prop::collection::vec((any::<bool>(), 1..3_i32, 0..12_u64, 0..6_u64), 0..7),
    ) {
        let ms = 1_000_000;
        let visits: Vec<Visit> = visits
            .into_iter()
            .zip(0..)
            .map(|((bought, wanted, began, stay), buyer)| {
                let ending = if bought { Ending::Bought } else { Ending::Rejected };
                let began_ns = began * 2 * ms;
                let ended_ns = began_ns + (2 * stay + 1) * ms;
                let visit = visit(buyer, wanted, ending);
                Visit { began_ns, last_attempt_ns: began_ns, ended_ns, ..visit }
            })
            .collect();
        let found = round_of(stock, visits.clone()).ledger().audit();
        let wrong = [FindingKind::Oversold, FindingKind::FalseSoldOut];
        let is_wrong = found.iter().any(|finding| wrong.contains(&finding.kind));
        prop_assert_eq!(is_linearizable(stock, &visits), !is_wrong, "{:?}", found);
    }
}
