//! Every algorithm on clients whose schedules can be counted by hand.

use std::collections::BTreeSet;

use super::{DepthFirst, Method, PreemptionBounded, RandomWalk, Replay};
use crate::base::error::Error;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::footprint::{Footprint, Resources};
use crate::scheduler::run::Bounds;
use crate::scheduler::runner::run_all;
use crate::scheduler::schedule::Schedule;
use crate::scheduler::toy::Toy;

/// A step that conflicts with every other.
const WRITE: Footprint = Footprint::writing(Resources::SHELVES);

/// A step that conflicts with no other.
const NOTHING: Footprint = Footprint::NOTHING;

/// Clients of so many steps that all conflict.
fn writers(clients: usize, steps: usize) -> Toy {
    Toy::of(vec![vec![WRITE; steps]; clients])
}

/// The number of times that a schedule leaves a client that could go on.
fn preemptions(schedule: &str, steps: usize) -> usize {
    let schedule: Vec<char> = schedule.chars().collect();
    let is_one = |at: &usize| {
        let before = schedule[at - 1];
        let made = schedule[..*at].iter().filter(|client| **client == before).count();
        schedule[*at] != before && made < steps
    };
    (1..schedule.len()).filter(is_one).count()
}

#[test]
fn depth_first_runs_every_order_once() {
    // Two clients of three steps: 6! / (3! · 3!) = 20. Three of two: 6! / (2! · 2! · 2!) = 90.
    for (clients, steps, orders) in [(2, 3, 20), (3, 2, 90)] {
        let toy = writers(clients, steps);
        let schedules = toy.clone().schedules(&mut DepthFirst::new(&toy, false));
        let different: BTreeSet<&String> = schedules.iter().collect();
        assert_eq!((schedules.len(), different.len()), (orders, orders));
    }
}

#[test]
fn depth_first_runs_one_of_several_orders_of_independent_steps() {
    let toy = Toy::of(vec![vec![NOTHING; 3]; 3]);
    let schedules = toy.clone().schedules(&mut DepthFirst::new(&toy, true));
    assert_eq!(schedules, ["AAABBBCCC"]);
}

#[test]
fn depth_first_keeps_every_order_of_the_steps_that_conflict() {
    // Each client writes once, between two steps that conflict with nothing: 3! orders of the writes.
    let toy = Toy::of(vec![vec![NOTHING, WRITE, NOTHING]; 3]);
    let schedules = toy.clone().schedules(&mut DepthFirst::new(&toy, true));
    let writes = |schedule: &String| -> String {
        let mut made = [0; 3];
        let is_write = |client: &char| {
            let place = *client as usize - 'A' as usize;
            made[place] += 1;
            made[place] == 2
        };
        schedule.chars().filter(is_write).collect()
    };
    let orders: BTreeSet<String> = schedules.iter().map(writes).collect();
    assert_eq!((schedules.len(), orders.len()), (6, 6));
}

#[test]
fn of_clients_that_are_alike_depth_first_lets_the_first_begin() {
    // 3! names for each order of three clients that are alike: 90 / 6 = 15.
    let toy = writers(3, 2).alike();
    let schedules = toy.clone().schedules(&mut DepthFirst::new(&toy, true));
    assert_eq!(schedules.len(), 15);
    assert!(schedules.iter().all(|schedule| schedule.starts_with('A')));
}

#[test]
fn preemption_bounding_runs_the_orders_with_so_many_preemptions_and_no_others() {
    let steps = 3;
    let toy = writers(2, steps);
    let every = toy.clone().schedules(&mut DepthFirst::new(&toy, false));
    let mut bounded = PreemptionBounded::new(&toy, false);
    let mut run = 0;
    loop {
        let few: BTreeSet<String> = toy.clone().schedules(&mut bounded).into_iter().collect();
        let as_many =
            |schedule: &&String| preemptions(schedule, steps) == bounded.preemptions() as usize;
        let expected: BTreeSet<String> = every.iter().filter(as_many).cloned().collect();
        assert_eq!(few, expected, "with {} preemptions", bounded.preemptions());
        run += few.len();
        if bounded.is_everything() {
            break;
        }
        bounded.deepen();
    }
    assert_eq!((run, bounded.preemptions()), (20, 4));
}

#[test]
fn a_preemption_before_an_independent_step_is_left_out() {
    // B can preempt A before its second and third step; only the second conflicts.
    let toy = Toy::of(vec![vec![WRITE, WRITE, NOTHING], vec![WRITE]]);
    let mut bounded = PreemptionBounded::new(&toy, true);
    let none = toy.clone().schedules(&mut bounded);
    assert_eq!(none, ["BAAA", "AAAB"]);
    bounded.deepen();
    assert_eq!(toy.schedules(&mut bounded), ["ABAA"]);
}

#[test]
fn a_repeated_beginning_that_goes_on_in_another_way_is_noticed() {
    // What each client sends last is never the same. So no schedule that repeats a beginning up to there can be run, and
    // those with one preemption all do.
    let toy = |first| writers(2, 2).with_values_from(first);
    let (_, divergences) = toy(0).schedules_and_divergences(&mut DepthFirst::new(&toy(0), false));
    assert!(divergences > 0);
    let mut bounded = PreemptionBounded::new(&toy(0), false);
    assert_eq!(toy(0).schedules_and_divergences(&mut bounded).0, ["BBAA", "AABB"]);
    bounded.deepen();
    assert_eq!(toy(9).schedules_and_divergences(&mut bounded), (vec![], 2));
    for (toy, diverges) in [(toy(0), true), (writers(2, 2), false)] {
        let mut random = RandomWalk::new(1, 0..20, Method::Plain, 4);
        assert_eq!(toy.schedules(&mut random).len(), 20);
        assert_eq!(random.divergence().is_some(), diverges);
    }
}

#[test]
fn random_schedules_are_the_same_for_the_same_seed_and_number() {
    for method in [Method::Plain, Method::Pct { depth: 3 }] {
        let toy = writers(3, 4);
        let of =
            |seed, numbers| toy.clone().schedules(&mut RandomWalk::new(seed, numbers, method, 12));
        let all = of(7, 0..50);
        assert_eq!(all.len(), 50);
        assert_eq!(of(7, 20..21), all[20..21]);
        assert_ne!(of(8, 0..50), all);
        assert!(all.iter().collect::<BTreeSet<_>>().len() > 10, "{method:?}");
    }
}

#[test]
fn pct_of_depth_one_runs_clients_one_after_the_other() {
    let toy = writers(3, 4);
    let mut pct = RandomWalk::new(1, 0..100, Method::Pct { depth: 1 }, 12);
    let schedules: BTreeSet<String> = toy.schedules(&mut pct).into_iter().collect();
    assert!(schedules.iter().all(|schedule| preemptions(schedule, 4) == 0));
    // Every one of the 3! orders of clients.
    assert_eq!(schedules.len(), 6);
}

#[test]
fn pct_finds_a_bug_of_depth_two_as_often_as_it_promises() {
    // The bug: B's first step comes between A's second and third. n = 2, k = 6: at least 1 in 2 · 6 = 12.
    let toy = writers(2, 3);
    let mut pct = RandomWalk::new(3, 0..1_200, Method::Pct { depth: 2 }, 6);
    let schedules = toy.schedules(&mut pct);
    let found = schedules.iter().filter(|schedule| schedule.starts_with("AAB")).count();
    assert!(found >= 100, "{found} of 1,200");
}

#[test]
fn a_replay_follows_its_schedule_and_names_the_step_that_cannot_be_made() {
    let schedule = |text: &str| text.parse::<Schedule>().unwrap().0;
    let toy = writers(2, 2);
    assert_eq!(toy.clone().schedules(&mut Replay::of(schedule("ABBA"))), ["ABBA"]);
    let longer = schedule("AAAB");
    assert_eq!(toy.clone().schedules(&mut Replay::of(longer.clone()).skipping()), ["AAB"]);
    let bounds = Bounds { most_steps: 10, cuts_futile: false };
    let run =
        run_all(&mut toy.clone(), &mut Replay::of(longer), bounds, &|| false, |_, _| Ok(true));
    let why = "--schedule: step 3 is A's, but it has no step left";
    assert_eq!(run, Err(Error::input(why)));
}

#[test]
fn a_person_takes_choices_back() {
    use super::{Person, Said};
    let [a, b] = [0, 1].map(|place| Choice::step(Actor::buyer(place)));
    // A is taken back, B and then A are chosen.
    let mut says =
        [Said::Take(a), Said::Undo, Said::Take(b), Said::Take(a), Said::Quit].into_iter();
    let mut heard = Vec::new();
    let mut person = Person::new(|so_far: &[Choice], _: &mut Toy| {
        heard.push(Schedule(so_far.to_vec()).to_string());
        Ok(says.next().unwrap_or(Said::Quit))
    });
    let schedules = writers(2, 2).schedules(&mut person);
    drop(person);
    assert_eq!(schedules, ["BA"]);
    assert_eq!(heard, ["", "A", "", "B", "BA"]);
}
