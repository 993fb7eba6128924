//! Random crashes, partitions, losses and trims.

use proptest::prelude::*;

use super::net::Net;
use crate::worlds::timed::quorum::{Acknowledge, Durability, Options};

#[derive(Clone, Debug)]
enum ChaosEvent {
    Run(u64),
    /// Members whose bit is set hear only each other, and so do those whose bit is not.
    Cut(usize),
    /// This member receives letters, but its own do not arrive.
    Mute(usize),
    Heal,
    Crash(usize),
    Restart(usize),
    Propose(usize),
    Flush(usize),
    Trim,
}

fn event() -> impl Strategy<Value = ChaosEvent> {
    let member = || 0..5_usize;
    prop_oneof![
        6 => (1..40_u64).prop_map(ChaosEvent::Run),
        2 => (0..32_usize).prop_map(ChaosEvent::Cut),
        1 => member().prop_map(ChaosEvent::Mute),
        2 => Just(ChaosEvent::Heal),
        2 => member().prop_map(ChaosEvent::Crash),
        3 => member().prop_map(ChaosEvent::Restart),
        6 => (1..4_usize).prop_map(ChaosEvent::Propose),
        2 => member().prop_map(ChaosEvent::Flush),
        1 => Just(ChaosEvent::Trim),
    ]
}

/// Every how many letters one is lost, and how late a letter may be.
type Weather = (u64, u64);

fn weather() -> impl Strategy<Value = Weather> {
    (prop_oneof![Just(0), 3..20_u64], prop_oneof![3 => Just(0), 1 => 1..5_u64])
}

/// Runs these events, then ends all faults and lets the group recover. Calls `look` after each event and
/// at the end.
fn live(
    options: Options,
    weather: Weather,
    events: &[ChaosEvent],
    mut look: impl FnMut(&Net),
) -> Net {
    let mut net = Net::open(options);
    (net.loss, net.jitter) = weather;
    let members = net.members();
    let mut name = 0;
    for event in events {
        match *event {
            ChaosEvent::Run(moments) => net.run(moments),
            ChaosEvent::Cut(bits) => {
                net.partition(move |from, to| bits >> from & 1 == bits >> to & 1)
            }
            ChaosEvent::Mute(member) => net.partition(move |from, _| from != member),
            ChaosEvent::Heal => net.heal(),
            ChaosEvent::Crash(member) => net.group.crash(member),
            ChaosEvent::Restart(member) => net.group.restart(member),
            // To every member that believes that it leads.
            ChaosEvent::Propose(times) => (0..times * members).for_each(|nth| {
                name += u32::from(net.group.propose(nth % members, name).is_ok());
            }),
            ChaosEvent::Flush(member) => net.group.flush(member),
            ChaosEvent::Trim => net.trim(),
        }
        net.apply();
        look(&net);
    }
    (net.loss, net.jitter) = (0, 0);
    net.heal();
    (0..members).for_each(|member| net.group.restart(member));
    net.run(300);
    look(&net);
    net
}

/// Returns a closure that checks that all logs, from its first call to its last, are prefixes of one log.
fn one_log(longest: &mut Vec<u32>) -> impl FnMut(&Net) {
    |net| {
        for member in (0..net.members()).filter(|member| net.group.is_up(*member)) {
            let mut log = net.checkpoint.clone();
            log.extend(&net.machines[member]);
            let common = log.len().min(longest.len());
            assert_eq!(log[..common], longest[..common], "of {member}");
            if log.len() > longest.len() {
                *longest = log;
            }
        }
    }
}

/// Asserts that all members have the same log, and that one leads.
fn assert_united(net: &Net) {
    assert!(net.leader().is_some(), "{:?}", net.group);
    let first = &net.machines[0];
    assert!(net.machines.iter().all(|machine| machine == first), "{:?}", net.machines);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_is_one_log_whatever_happens_and_nothing_decided_is_lost(
        members in 3..=5_usize,
        resend_ticks in 1..10_u64,
        weather in weather(),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let mut longest = Vec::new();
        let options = Options { members, resend_ticks, ..Options::default() };
        let net = live(options, weather, &events, one_log(&mut longest));
        assert_united(&net);
        assert_eq!(net.checkpoint.len() + net.machines[0].len(), longest.len());
    }

    #[test]
    fn nothing_breaks_but_promises_when_disks_lie_and_leaders_are_hasty(
        early: bool,
        weather in weather(),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let acknowledge = if early { Acknowledge::Leader } else { Acknowledge::Majority };
        // Trimming is left out: logs that disagree cannot be trimmed to one checkpoint.
        let events: Vec<_> = events.into_iter().filter(|event| !matches!(event, ChaosEvent::Trim)).collect();
        let durability = Durability::Unsynced;
        live(Options { acknowledge, durability, ..Options::default() }, weather, &events, |_| {});
    }

    #[test]
    fn hasty_leaders_lose_promises_but_end_up_with_one_log(
        weather in weather(),
        events in prop::collection::vec(event(), 1..40),
    ) {
        let acknowledge = Acknowledge::Leader;
        let net = live(Options { acknowledge, ..Options::default() }, weather, &events, |_| {});
        assert_united(&net);
    }
}
