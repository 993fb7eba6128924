//! Crashes, and what the two broken settings lose in them.

use super::net::Net;
use crate::worlds::timed::quorum::{Acknowledge, Delivery, Durability, Group, Options, Topic};

const ALICE: u32 = 1;
const BOB: u32 = 2;

#[test]
fn a_crashed_leader_is_replaced_and_nothing_acknowledged_is_lost() {
    let mut net = Net::open(Options { members: 5, ..Options::default() });
    let mut acknowledged: Vec<u32> = Vec::new();
    for round in 0..2 {
        let leader = net.elect();
        for command in 0..10 {
            assert!(net.group.propose(leader, round * 10 + command).is_ok());
        }
        // In the midst of things: some are decided, some not even sent.
        net.run(7);
        assert!(net.group.propose(leader, 100 + round).is_ok());
        acknowledged.clone_from(&net.machines[leader]);
        assert!(acknowledged.len() >= 10 * (round as usize + 1));
        net.group.crash(leader);
        net.run(100);
    }
    let last = net.leader().unwrap();
    assert!(net.machines[last].starts_with(&acknowledged));
}

#[test]
fn a_member_that_comes_back_is_told_the_log_from_its_beginning() {
    let mut net = Net::open(Options::default());
    let leader = net.elect();
    net.propose(leader, 0..5);
    net.run(20);
    net.group.crash(0);
    assert!(!net.group.is_up(0));
    net.propose(leader, 5..8);
    net.run(20);
    assert_eq!(net.machines[0], [0, 1, 2, 3, 4], "nothing is heard of a member that is down");

    net.group.restart(0);
    let replayed = net.group.decided(0);
    assert!(replayed.afresh && replayed.from == 0);
    assert_eq!(replayed.commands, [0, 1, 2, 3, 4]);
    net.run(40);
    let missed = net.machines[0].split_off(5);
    assert_eq!(missed, [5, 6, 7]);
}

#[test]
fn a_group_that_was_down_altogether_has_lost_nothing() {
    let mut net = Net::open(Options::default());
    let leader = net.elect();
    net.propose(leader, [ALICE]);
    net.run(20);
    (0..3).for_each(|member| net.group.crash(member));
    net.run(50);
    (0..3).for_each(|member| net.group.restart(member));
    let leader = net.elect();
    net.propose(leader, [BOB]);
    net.run(20);
    assert!(net.machines.iter().all(|machine| *machine == [ALICE, BOB]));
}

#[test]
fn a_member_that_promised_to_follow_only_itself_is_won_back() {
    let mut net = Net::open(Options::default());
    // Member 2 stands for election unheard and crashes; meanwhile the others agree on a lower ballot.
    net.partition(|from, _| from != 2);
    net.run(16);
    assert_eq!(net.leader(), Some(1));
    net.group.crash(2);
    net.heal();
    net.group.restart(2);
    net.run(100);
    let leader = net.leader().unwrap();
    net.propose(leader, [ALICE]);
    net.run(20);
    assert!(net.machines.iter().all(|machine| *machine == [ALICE]));
}

/// One unit, two buyers, and a leader that is cut off just when the first of them asks. Returns what
/// that leader had told the first, and what the log says in the end.
fn the_last_unit(acknowledge: Acknowledge) -> (Vec<u32>, Net) {
    let mut net = Net::open(Options { acknowledge, ..Options::default() });
    let old = net.elect();
    net.run(10);
    net.cut_off(&[old]);
    net.propose(old, [ALICE]);
    let told = net.group.decided(old).commands;
    net.run(100);

    let new = net.leader().filter(|new| *new != old).unwrap();
    net.propose(new, [BOB]);
    net.run(20);
    net.heal();
    net.run(100);
    (told, net)
}

#[test]
fn acknowledging_early_sells_the_last_unit_twice() {
    let (told, net) = the_last_unit(Acknowledge::Leader);
    assert_eq!(told, [ALICE], "she was told that it is hers");
    let followers = &net.machines[..2];
    assert!(followers.iter().all(|machine| *machine == [BOB]), "and so was he");
    assert_eq!(net.machines[2], [BOB], "her machine had to forget her");
    assert_eq!(net.afresh, 3 + 1, "each machine began once, and hers once more");
}

#[test]
fn acknowledging_by_majority_sells_the_last_unit_once() {
    let (told, net) = the_last_unit(Acknowledge::Majority);
    assert!(told.is_empty(), "she was told nothing");
    assert!(net.machines.iter().all(|machine| *machine == [BOB]));
}

#[test]
fn an_early_acknowledgement_is_not_repeated_when_it_comes_true() {
    let mut net = Net::open(Options { acknowledge: Acknowledge::Leader, ..Options::default() });
    let leader = net.elect();
    for command in 0..20 {
        assert!(net.group.propose(leader, command).is_ok());
        assert_eq!(net.group.decided(leader).commands, [command]);
        net.machines[leader].push(command);
        net.step();
    }
    net.run(20);
    assert!(net.machines.iter().all(|machine| machine.iter().copied().eq(0..20)));
}

/// All members crash after a sale was acknowledged by a majority. Returns what is left of it.
fn after_a_blackout(durability: Durability, flush: bool) -> Vec<u32> {
    let mut net = Net::open(Options { durability, ..Options::default() });
    let leader = net.elect();
    net.propose(leader, [ALICE]);
    net.run(20);
    assert_eq!(net.machines[leader], [ALICE], "acknowledged");
    if flush {
        (0..3).for_each(|member| net.group.flush(member));
    }
    (0..3).for_each(|member| net.group.crash(member));
    (0..3).for_each(|member| net.group.restart(member));
    let leader = net.elect();
    net.run(20);
    net.machines[leader].clone()
}

#[test]
fn disks_that_lie_lose_an_acknowledged_sale_in_a_blackout() {
    assert!(after_a_blackout(Durability::Unsynced, false).is_empty());
    assert_eq!(after_a_blackout(Durability::Unsynced, true), [ALICE]);
    assert_eq!(after_a_blackout(Durability::Synced, false), [ALICE]);
}

#[test]
fn one_disk_that_lies_is_enough_to_lose_a_sale() {
    // Alice's sale is on two of three disks; one forgets, and with the third it is a majority.
    let script = |durability| {
        let mut net = Net::open(Options { durability, ..Options::default() });
        let leader = net.elect();
        net.run(10);
        (0..3).for_each(|member| net.group.flush(member));
        net.cut_off(&[1]);
        net.propose(leader, [ALICE]);
        net.run(8);
        assert_eq!(net.machines[leader], [ALICE], "acknowledged");
        net.heal();
        net.group.crash(leader);
        net.group.crash(0);
        net.group.restart(0);
        let new = net.elect();
        net.run(20);
        net.machines[new].clone()
    };
    assert!(script(Durability::Unsynced).is_empty());
    assert_eq!(script(Durability::Synced), [ALICE]);
}

#[test]
fn what_is_trimmed_is_handed_over_and_not_replayed() {
    let mut net = Net::open(Options::default());
    let leader = net.elect();
    net.propose(leader, 0..10);
    net.run(20);
    net.trim();
    assert_eq!(net.checkpoint, (0..10).collect::<Vec<_>>());
    (0..3).for_each(|member| assert_eq!(net.group.progress(member).unwrap().trimmed, 10));

    net.group.crash(0);
    net.propose(leader, 10..15);
    net.run(20);
    net.trim();
    assert_eq!(net.checkpoint.len(), 10, "a member that is down still needs the rest");

    net.group.restart(0);
    let replayed = net.group.decided(0);
    assert!(replayed.afresh && replayed.from == 10 && replayed.commands.is_empty());
    net.machines[0].clear();
    net.run(40);
    assert_eq!(net.machines[0], [10, 11, 12, 13, 14]);
    net.trim();
    assert_eq!(net.checkpoint, (0..15).collect::<Vec<_>>());
}

#[test]
fn letters_to_the_dead_are_lost_and_the_overtaken_are_dropped() {
    let mut group = Group::<u32>::open(Options::default()).unwrap();
    let mut letters = Vec::new();
    group.post(&mut letters);
    group.tick(0);
    (0..5).for_each(|_| group.tick(0));
    group.post(&mut letters);
    let to_one = |letter: &&_| (letter as &super::super::Letter<u32>).to == 1;
    let mut from_zero = letters.iter().filter(|letter| letter.from == 0).filter(to_one).cloned();
    let (first, second) = (from_zero.next().unwrap(), from_zero.next().unwrap());
    assert_eq!(first.topic(), Topic::Heartbeat);
    assert_eq!(group.deliver(second.clone()), Delivery::Taken);
    assert_eq!(group.deliver(first), Delivery::Overtaken);
    assert_eq!(group.deliver(second.clone()), Delivery::Overtaken);
    group.crash(1);
    assert_eq!(group.deliver(second.clone()), Delivery::Down);
    group.restart(1);
    assert_eq!(group.deliver(second), Delivery::Reconnected);
}
