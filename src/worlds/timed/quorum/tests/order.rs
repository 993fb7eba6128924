//! No setting is broken: one log, one order, and a member that was away catches up.

use super::net::Net;
use crate::worlds::timed::quorum::{Group, Options, Refused, Topic, Unworkable};

#[test]
fn a_leader_is_elected_within_three_time_outs() {
    for members in 2..=7 {
        let mut net = Net::open(Options { members, ..Options::default() });
        let leader = net.elect();
        assert_eq!(leader, members - 1, "without priorities the last leads");
        assert!(net.now <= 3 * 5 * 2, "{members} members took until {}", net.now);
    }
}

#[test]
fn the_member_with_priority_leads_first() {
    let mut net = Net::open(Options { priorities: Some(vec![3, 2, 1]), ..Options::default() });
    assert_eq!(net.elect(), 0);
}

#[test]
fn clocks_may_go_at_different_speeds() {
    let mut net = Net::open(Options { members: 5, ..Options::default() });
    net.skew = 1;
    let leader = net.elect();
    net.propose(leader, 0..5);
    net.run(200);
    assert_eq!(net.leader(), Some(leader), "the slowest clock goes at a third of the fastest");
    assert!(net.machines.iter().all(|machine| machine.iter().copied().eq(0..5)));
}

#[test]
fn all_members_decide_the_same_in_the_same_order() {
    let mut net = Net::open(Options { members: 5, ..Options::default() });
    let leader = net.elect();
    for command in 0..50 {
        assert_eq!(net.group.propose(leader, command), Ok(command as usize));
        net.run(u64::from(command % 3));
    }
    net.run(20);
    let all: Vec<u32> = (0..50).collect();
    assert!(net.machines.iter().all(|machine| *machine == all));
    assert_eq!(net.afresh, 5, "each began once");
}

#[test]
fn commands_of_one_moment_travel_together() {
    let mut net = Net::open(Options::default());
    let leader = net.elect();
    net.run(20);
    net.propose(leader, 0..10);
    net.step();
    assert_eq!(net.pending(Topic::Accept), 2, "one letter a follower");
}

#[test]
fn followers_say_who_leads_and_no_member_answers_for_those_that_are_down() {
    let mut net = Net::open(Options::default());
    assert_eq!(net.group.propose(0, 7), Err(Refused::NotLeader { leader: None }));
    let leader = net.elect();
    net.run(10);
    assert_eq!(net.group.propose(0, 7), Err(Refused::NotLeader { leader: Some(leader) }));
    net.group.crash(0);
    assert_eq!(net.group.propose(0, 7), Err(Refused::Down));
    assert_eq!(net.group.propose(99, 7), Err(Refused::Down));
}

#[test]
fn a_minority_decides_nothing_while_the_majority_goes_on() {
    let mut net = Net::open(Options { members: 5, ..Options::default() });
    let old = net.elect();
    net.run(10);
    net.cut_off(&[old, 0]);
    assert!(net.group.propose(old, 1).is_ok(), "it does not know yet that it is cut off");
    net.run(200);
    assert!(net.machines[old].is_empty());
    let new = net.leader().unwrap();
    assert!(![old, 0].contains(&new));
    assert!(net.group.propose(old, 2).is_ok(), "nor will it while it is cut off");
    assert!(net.group.propose(new, 3).is_ok());
    net.run(20);
    assert_eq!(net.machines[new], [3]);
    assert!(net.machines[old].is_empty() && net.machines[0].is_empty());

    net.heal();
    net.run(100);
    assert!(net.machines.iter().all(|machine| *machine == [3]), "{:?}", net.machines);
    assert!(matches!(net.group.propose(old, 4), Err(Refused::NotLeader { .. })));
}

#[test]
fn an_unanswered_command_may_be_decided_late() {
    let mut net = Net::open(Options::default());
    let leader = net.elect();
    net.run(10);
    // Only letters of the leader get through: it receives none itself.
    net.partition(move |from, _| from == leader);
    assert!(net.group.propose(leader, 1).is_ok());
    net.run(5);
    net.group.crash(leader);
    assert!(net.machines.iter().all(Vec::is_empty), "the client that asked was told nothing");
    net.heal();
    net.run(100);
    assert!(net.machines[..2].iter().all(|machine| *machine == [1]), "those who have it go on");
}

#[test]
fn a_lost_letter_is_made_up_for_without_further_proposals() {
    // Proposed at 2 in a heartbeat's 10 moments, it takes three letters of 3 moments each.
    let ways = [(Topic::Accept, 3, true), (Topic::Accepted, 6, false), (Topic::Decide, 9, true)];
    for (topic, sent, down) in ways {
        let mut net = Net::open(Options::default());
        let leader = net.elect();
        net.run(32 - net.now);
        net.propose(leader, [1]);
        net.run(sent - 2);
        assert_eq!(net.pending(topic), 2);
        net.partition(move |from, _| (from == leader) != down);
        net.run(3);
        net.heal();
        net.run(40);
        assert!(net.machines.iter().all(|machine| *machine == [1]), "without {topic:?}");
        assert_eq!(net.group.leader(leader).unwrap().ballot, 1, "nor does it take an election");
    }
}

#[test]
fn an_impossible_group_is_refused() {
    let open = |options| Group::<u32>::open(options).err();
    let with = Options::default;
    assert_eq!(open(Options { members: 1, ..with() }), Some(Unworkable::Members(1)));
    assert_eq!(open(Options { members: 16, ..with() }), Some(Unworkable::Members(16)));
    let never = Some(Unworkable::Never("election_ticks"));
    assert_eq!(open(Options { election_ticks: 0, ..with() }), never);
    let priorities = Some(Unworkable::Priorities { given: 1, members: 3 });
    assert_eq!(open(Options { priorities: Some(vec![1]), ..with() }), priorities);
}

#[test]
fn the_same_script_sends_the_same_letters() {
    let script = || {
        let mut net = Net::open(Options { members: 5, ..Options::default() });
        net.trace = Some(Vec::new());
        net.loss = 11;
        for round in 0..8 {
            net.run(40);
            for member in 0..5 {
                let _ = net.group.propose(member, round);
            }
            match round % 4 {
                0 => net.cut_off(&[(round / 2) as usize, 4]),
                1 => net.heal(),
                2 => net.group.crash(round as usize % 5),
                _ => (0..5).for_each(|member| net.group.restart(member)),
            }
        }
        net.trace.unwrap()
    };
    let letters = script();
    assert!(letters.len() > 1000);
    assert_eq!(letters, script());
}
