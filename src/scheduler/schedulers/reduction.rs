//! The reduced search against the search that runs every schedule, on clients that can be counted by hand and on random
//! ones: it runs one schedule of each equivalence class, and begins none in vain.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::DepthFirst;
use super::event::{Event, Events};
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;
use crate::scheduler::footprint::{Footprint, Resources};
use crate::scheduler::run::End;
use crate::scheduler::toy::{Toy, ToyStep};

/// An equivalence class of schedules in Foata's normal form: the steps that can come first, then those that can come
/// once these were made, and so on.
type Class = BTreeSet<(usize, Choice, Vec<Actor>)>;

/// The class of a schedule. What was asked in vain leads to nothing, and does not count.
fn class(toy: &Toy, schedule: &[Choice]) -> Class {
    let mut toy = toy.clone();
    toy.begin().unwrap();
    let mut events = Events::new();
    let mut levels: Vec<usize> = Vec::new();
    for choice in schedule {
        let footprint = toy.take(*choice).unwrap().unwrap();
        if toy.has_asked_in_vain() {
            continue;
        }
        let event = Arc::new(Event { choice: *choice, went_on: toy.went_on(), footprint });
        let before = events.iter().zip(&levels).filter(|(one, _)| event.depends_on(one));
        levels.push(before.map(|(_, level)| level + 1).max().unwrap_or(0));
        events.push(event);
    }
    let placed = events.iter().zip(levels);
    placed.map(|(event, level)| (level, event.choice, event.went_on.clone())).collect()
}

/// What a search has run.
#[derive(Debug, Default)]
struct Searched {
    classes: BTreeSet<Class>,
    run: usize,
    in_vain: usize,
}

fn search(toy: &Toy, reduced: bool) -> Searched {
    let mut searched = Searched::default();
    toy.clone().run(&mut DepthFirst::new(toy, reduced), |run| match run.end {
        End::Over => {
            searched.run += 1;
            searched.classes.insert(class(toy, &run.schedule));
        }
        _ => searched.in_vain += 1,
    });
    searched
}

/// The same by several parts of a search which is cut after `depth` steps: each runs every `of`-th subtree. All see the same
/// subtrees.
fn search_in_parts(toy: &Toy, reduced: bool, depth: usize, of: usize) -> Searched {
    let mut searched = Searched::default();
    let outlines = (0..of).map(|part| {
        let mut search = DepthFirst::new(toy, reduced).cut_after(depth);
        let mut outlines = Vec::new();
        while search.next_subtree() {
            let is_ours = outlines.len() % of == part;
            if !is_ours {
                search.pass_over();
            }
            toy.clone().run(&mut search, |run| match run.end {
                _ if !is_ours => {}
                End::Over => {
                    searched.run += 1;
                    searched.classes.insert(class(toy, &run.schedule));
                }
                _ => searched.in_vain += 1,
            });
            outlines.push(search.subtree().unwrap().clone());
        }
        outlines
    });
    let outlines: Vec<_> = outlines.collect();
    assert!(outlines.windows(2).all(|two| two[0] == two[1]), "{outlines:?}");
    searched
}

/// How many schedules the reduced search runs, which are one of each class; it begins none in vain.
fn run(toy: &Toy) -> usize {
    let Searched { classes, run, in_vain } = search(toy, true);
    assert_eq!((classes.len(), in_vain), (run, 0));
    run
}

const fn reads(resource: Resources) -> Footprint {
    Footprint::reading(resource)
}

const fn writes(resource: Resources) -> Footprint {
    Footprint::writing(resource)
}

#[test]
fn of_writers_every_order_is_run() {
    // n! orders of n writes, whatever else each client does.
    let [x, own] = [Resources::SHELVES, Resources::NONE];
    for (clients, orders) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        let toy = Toy::of(vec![vec![reads(own), writes(x), reads(own)]; clients]);
        assert_eq!(run(&toy), orders);
    }
}

#[test]
fn each_reader_comes_before_the_writer_or_after_it() {
    // Readers do not disturb each other: 2^n. With a look at something else before, too.
    let [x, y] = [Resources::SHELVES, Resources::ORDERS];
    for readers in 1..=7 {
        let mut clients = vec![vec![writes(x)]];
        clients.extend(vec![vec![reads(y), reads(x)]; readers]);
        assert_eq!(run(&Toy::of(clients)), 1 << readers);
    }
}

#[test]
fn of_two_writers_and_readers_the_order_of_the_writers_and_the_place_of_each_reader_count() {
    // 2 orders of the writers, and each reader before both, between them, or after both: 2 · 3^n.
    let x = Resources::SHELVES;
    for readers in 0..=4 {
        let mut clients = vec![vec![writes(x)]; 2];
        clients.extend(vec![vec![reads(x)]; readers]);
        assert_eq!(run(&Toy::of(clients)), 2 * 3_usize.pow(readers as u32));
    }
}

#[test]
fn lock_users_are_run_in_every_order_of_coming_and_leaving() {
    // n! orders in which they come; and between the n comings and the n leavings, which follow the line, the n-th
    // Catalan number of orders: 2! · 2, 3! · 5, 4! · 14.
    let x = Resources::SHELVES;
    let user = vec![ToyStep::Locks(0), ToyStep::Touches(writes(x)), ToyStep::Unlocks(0)];
    for (users, orders) in [(2, 4), (3, 30), (4, 336)] {
        assert_eq!(run(&Toy::with_locks(vec![user.clone(); users])), orders);
        // Clients that are alike come in one order.
        let alike = Toy::with_locks(vec![user.clone(); users]).alike();
        assert_eq!(run(&alike), orders / (1..=users).product::<usize>());
    }
}

#[test]
fn who_looks_for_the_last_zero_meets_those_who_write_it() {
    // Client i reads the cell before its own and writes its own; the first reads all cells, the last first.
    let cell = Resources::table;
    let looks = (0..=3).rev().map(|at| reads(cell(at))).collect();
    let mut clients = vec![looks];
    clients.extend((1..=3).map(|at| vec![reads(cell(at - 1)), writes(cell(at))]));
    let toy = Toy::of(clients);
    assert_eq!(run(&toy), search(&toy, false).classes.len());
}

#[test]
fn two_that_lock_in_opposite_order_meet_in_a_deadlock_once() {
    let locks = |first, second| {
        vec![
            ToyStep::Locks(first),
            ToyStep::Locks(second),
            ToyStep::Unlocks(second),
            ToyStep::Unlocks(first),
        ]
    };
    let toy = Toy::with_locks(vec![locks(0, 1), locks(1, 0)]);
    assert_eq!(run(&toy), search(&toy, false).classes.len());
}

#[test]
fn a_reversal_that_cannot_be_followed_to_its_end_loses_no_class() {
    // A asks for ever, but not twice in a row: that it asks as often as it did before cannot be repeated.
    let shelves = Resources::SHELVES;
    let toy = Toy::with_locks(vec![
        vec![ToyStep::Awaits(1)],
        vec![ToyStep::Touches(writes(shelves)), ToyStep::Unlocks(0)],
        vec![ToyStep::Touches(reads(shelves)), ToyStep::Locks(1)],
        vec![ToyStep::Locks(0), ToyStep::Locks(1)],
    ]);
    let classes = search(&toy, true).classes;
    assert_eq!((classes.len(), classes), (8, search(&toy, false).classes));
}

fn touch() -> BoxedStrategy<ToyStep> {
    let resource = || (0..3_usize).prop_map(Resources::table);
    prop_oneof![
        2 => resource().prop_map(|one| ToyStep::Touches(reads(one))),
        2 => resource().prop_map(|one| ToyStep::Touches(writes(one))),
        1 => resource().prop_map(|one| ToyStep::Touches(Footprint::adding(one))),
        1 => (resource(), resource()).prop_map(|(one, other)| {
            ToyStep::Touches(reads(one) | writes(other))
        }),
    ]
    .boxed()
}

fn step() -> BoxedStrategy<ToyStep> {
    prop_oneof![
        6 => touch(),
        2 => (0..2_usize).prop_map(ToyStep::Locks),
        2 => (0..2_usize).prop_map(ToyStep::Unlocks),
    ]
    .boxed()
}

fn asking() -> BoxedStrategy<ToyStep> {
    prop_oneof![3 => step(), 1 => (0..3_usize).prop_map(ToyStep::Awaits)].boxed()
}

/// Clients with eight steps in all at most, so that every schedule can be run.
fn clients(step: BoxedStrategy<ToyStep>) -> impl Strategy<Value = Vec<Vec<ToyStep>>> {
    prop_oneof![
        prop::collection::vec(prop::collection::vec(step.clone(), 1..=4), 2),
        prop::collection::vec(prop::collection::vec(step.clone(), 1..=3), 3),
        prop::collection::vec(prop::collection::vec(step, 1..=2), 4),
    ]
}

/// The least of the classes that differ from one another only in the names of clients that are alike.
fn without_names(toy: &mut Toy, class: &Class) -> Class {
    let clients = toy.clients();
    let kinds: Vec<Actor> = clients.iter().map(|client| toy.first_alike(*client)).collect();
    let mut orders = vec![Vec::<Actor>::new()];
    for (place, _) in clients.iter().enumerate() {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                let free = clients.iter().enumerate().filter(|(other, client)| {
                    kinds[*other] == kinds[place] && !order.contains(client)
                });
                free.map(|(_, client)| [&order[..], &[*client]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    let named = |order: &Vec<Actor>| -> Class {
        let name = |client: &Actor| order[clients.iter().position(|one| one == client).unwrap()];
        let of = |(level, choice, others): &(usize, Choice, Vec<Actor>)| {
            let choice = Choice { who: name(&choice.who), ..*choice };
            (*level, choice, others.iter().map(name).collect())
        };
        class.iter().map(of).collect()
    };
    orders.iter().map(named).min().unwrap()
}

#[test]
fn the_subtrees_of_writers_are_the_ways_to_begin() {
    // Of three writers with two steps each 6! / 2!³ orders are run, and before a cut after two steps are 3 · 3 ways.
    let toy = Toy::of(vec![vec![writes(Resources::SHELVES); 2]; 3]);
    let mut search = DepthFirst::new(&toy, true).cut_after(2);
    let mut orders = Vec::new();
    while search.next_subtree() {
        let mut run = 0;
        toy.clone().run(&mut search, |_| run += 1);
        orders.push(run);
    }
    assert_eq!((orders.len(), orders.iter().sum::<usize>()), (9, 90));
    // After AA come 4! / 2!² orders, and after AB those of one step of A, one of B and two of C: 4! / 2!. Who has made
    // the first step makes the second one first.
    assert_eq!(orders, [6, 12, 12, 6, 12, 12, 6, 12, 12]);
    assert_eq!(search_in_parts(&toy, true, 2, 4).run, 90);
}

#[test]
fn of_random_clients_that_lock_few_schedules_are_begun_in_vain() {
    // Any step is expected to let all go on that wait, which few do.
    let mut runner = TestRunner::deterministic();
    let (mut run, mut in_vain) = (0, 0);
    for _ in 0..100 {
        let clients = clients(step()).new_tree(&mut runner).unwrap().current();
        let searched = search(&Toy::with_locks(clients), true);
        (run, in_vain) = (run + searched.run, in_vain + searched.in_vain);
    }
    assert!(in_vain * 20 <= run, "{in_vain} in vain, {run} run");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_random_clients_each_class_is_run_once_and_no_schedule_is_begun_in_vain(
        clients in clients(touch()),
    ) {
        let toy = Toy::with_locks(clients);
        let [reduced, every] = [true, false].map(|reduced| search(&toy, reduced));
        prop_assert_eq!(&reduced.classes, &every.classes);
        prop_assert_eq!((reduced.run, reduced.in_vain), (every.classes.len(), 0));
    }

    #[test]
    fn of_random_clients_that_lock_each_class_is_run_once(clients in clients(step())) {
        let toy = Toy::with_locks(clients);
        let [reduced, every] = [true, false].map(|reduced| search(&toy, reduced));
        prop_assert_eq!(&reduced.classes, &every.classes);
        prop_assert_eq!(reduced.run, every.classes.len());
    }

    #[test]
    fn of_random_clients_that_lock_the_subtrees_of_a_search_run_each_class_once(
        clients in clients(step()),
        depth in 0..6_usize,
        of in 1..4_usize,
    ) {
        let toy = Toy::with_locks(clients);
        let whole = search(&toy, false);
        let reduced = search_in_parts(&toy, true, depth, of);
        prop_assert_eq!(&reduced.classes, &whole.classes);
        prop_assert_eq!(reduced.run, whole.classes.len());
        let every = search_in_parts(&toy, false, depth, of);
        prop_assert_eq!((every.classes, every.run), (whole.classes, whole.run));
    }

    #[test]
    fn of_random_clients_that_are_alike_and_may_die_or_ask_the_subtrees_of_a_search_run_each_class_names_aside(
        first in prop::collection::vec(asking(), 1..=2),
        other in prop::collection::vec(asking(), 1..=2),
        crashes in 0..=1_usize,
        depth in 0..6_usize,
        of in 1..4_usize,
    ) {
        let toy = Toy::with_locks(vec![first.clone(), first, other]).alike().with_crashes(crashes);
        let mut names = toy.clone();
        let mut named = |classes: BTreeSet<Class>| -> BTreeSet<Class> {
            classes.iter().map(|one| without_names(&mut names, one)).collect()
        };
        let every = named(search(&toy, false).classes);
        prop_assert_eq!(named(search_in_parts(&toy, true, depth, of).classes), every);
    }

    #[test]
    fn of_random_clients_that_lock_and_may_die_each_class_is_run(
        clients in prop_oneof![
            prop::collection::vec(prop::collection::vec(step(), 1..=3), 2),
            prop::collection::vec(prop::collection::vec(step(), 1..=2), 3),
        ],
        crashes in 1..=2_usize,
    ) {
        let toy = Toy::with_locks(clients).with_crashes(crashes);
        let [reduced, every] = [true, false].map(|reduced| search(&toy, reduced));
        prop_assert_eq!(&reduced.classes, &every.classes);
        prop_assert!(reduced.run <= every.run);
    }

    #[test]
    fn of_random_clients_that_are_alike_and_may_die_each_class_is_run_names_aside(
        first in prop::collection::vec(step(), 1..=2),
        other in prop::collection::vec(step(), 1..=2),
    ) {
        let mut toy = Toy::with_locks(vec![first.clone(), first, other]).alike().with_crashes(1);
        let [reduced, every] = [true, false].map(|reduced| {
            let classes = search(&toy, reduced).classes;
            classes.iter().map(|one| without_names(&mut toy, one)).collect::<BTreeSet<_>>()
        });
        prop_assert_eq!(reduced, every);
    }

    #[test]
    fn of_random_clients_that_are_alike_each_class_is_run_names_aside(
        first in prop::collection::vec(step(), 1..=3),
        other in prop::collection::vec(step(), 1..=2),
    ) {
        let mut toy = Toy::with_locks(vec![first.clone(), first, other]).alike();
        let [reduced, every] = [true, false].map(|reduced| {
            let classes = search(&toy, reduced).classes;
            classes.iter().map(|one| without_names(&mut toy, one)).collect::<BTreeSet<_>>()
        });
        prop_assert_eq!(reduced, every);
    }

    #[test]
    fn of_random_clients_that_ask_until_another_has_written_each_class_is_run(
        clients in clients(asking()),
    ) {
        let toy = Toy::with_locks(clients);
        let [reduced, every] = [true, false].map(|reduced| search(&toy, reduced));
        prop_assert_eq!(reduced.classes, every.classes);
    }
}
