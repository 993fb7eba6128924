//! Predicts which orders are likely to break something, from what each client sends in an execution in which the clients
//! come one after the other (after Warszawski and Bailis, *ACIDRain: Concurrency-Related Attacks on Database-Backed Web
//! Applications*, SIGMOD 2017).
//!
//! A client reads something, another changes it, and the first goes on as if it still were so. That takes one preemption:
//! the first client is stopped after it has read, the other runs to its end, and the first goes on. A prediction
//! decides nothing but which orders are run first: one that is wrong costs one execution.

use std::cmp::Reverse;

use super::choice::Actor;
use super::footprint::{Columns, Footprint, Region};
use super::statement::{PendingStatement, Phase};

/// A preemption that is likely to break something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LikelyPreemption {
    /// The clients that come before, one after the other,
    pub(crate) before: Vec<Actor>,
    /// the client that is stopped,
    pub(crate) whose: Actor,
    /// after so many of its steps,
    pub(crate) after: usize,
    /// and the client that runs in between.
    pub(crate) by: Actor,
}

/// One step of a client, as far as it matters to others.
#[derive(Clone, Debug, Default)]
struct StepEffect {
    /// What it sees, of what others may have changed.
    sees: Region,
    /// What others see changed from then on.
    changes: Region,
    /// The tables in which it changes what is there, and does not only add to it.
    rewrites: Region,
    /// All that it touches, locks included.
    touches: Footprint,
    /// The locks that its transaction holds before it.
    holds: Footprint,
}

impl StepEffect {
    fn of(statement: &PendingStatement) -> Self {
        let PendingStatement { touches, footprint, holds, begins, phase, .. } = statement;
        let all = match begins {
            Some(begins) if *phase == Phase::Sends => begins,
            _ => footprint,
        };
        let told = |exact: Region, said: &Region| match exact.is_everything() {
            true => Region::contents(said.tables()),
            false => exact,
        };
        let mut sees = told(all.reads.only_contents(), &touches.reads);
        if sees == Region::NONE {
            // The snapshot of its transaction decided before what it sees, but it is what the client goes by.
            sees = Region::contents(touches.reads.tables());
        }
        let said = touches.writes.clone() | touches.adds.clone();
        let changes = all.writes.clone() | all.adds.clone();
        let changes = told(changes.only_contents(), &said);
        let rewrites = match touches.writes.is_everything() {
            true => Region::NONE,
            false => Region::contents(touches.writes.tables()),
        };
        Self { sees, changes, rewrites, touches: all.clone(), holds: holds.clone() }
    }

    /// Whether another step does the same, perhaps to other rows.
    fn does_like(&self, other: &Self) -> bool {
        self.touches.by_table() == other.touches.by_table()
    }
}

/// What a client does when it comes first.
#[derive(Clone, Debug)]
pub(crate) struct ClientProfile {
    who: Actor,
    steps: Vec<StepEffect>,
}

impl ClientProfile {
    /// A client that sends these statements.
    pub(crate) fn of<'s>(
        who: Actor,
        statements: impl IntoIterator<Item = &'s PendingStatement>,
    ) -> Self {
        Self { who, steps: statements.into_iter().map(StepEffect::of).collect() }
    }

    /// Whether another client, which came later and has sent these statements, does the same up to its last: it may have
    /// come too late for the rest.
    pub(crate) fn begins_like<'s>(
        &self,
        statements: impl IntoIterator<Item = &'s PendingStatement>,
    ) -> bool {
        let theirs: Vec<StepEffect> = statements.into_iter().map(StepEffect::of).collect();
        let alike = self.steps.iter().zip(&theirs);
        let alike = alike.take_while(|(one, other)| one.does_like(other)).count();
        alike > 0 && alike + 1 >= theirs.len()
    }

    /// What another client would do that is like this one, had it come first. The other came later, and has sent these
    /// statements: values in which the two differ are each one's own.
    pub(crate) fn of_another<'s>(
        &self,
        who: Actor,
        statements: impl IntoIterator<Item = &'s PendingStatement>,
    ) -> Self {
        let theirs = statements.into_iter().map(StepEffect::of);
        let both = self.steps.iter().zip(theirs);
        let are_alike = |(one, other): &(&StepEffect, StepEffect)| one.does_like(other);
        let own: Columns = both
            .take_while(are_alike)
            .flat_map(|(one, other)| one.touches.differing_columns(&other.touches))
            .collect();
        let of_other = |step: &StepEffect| StepEffect {
            sees: step.sees.with_other_values(&own),
            changes: step.changes.with_other_values(&own),
            rewrites: step.rewrites.clone(),
            touches: step.touches.with_other_values(&own),
            holds: step.holds.with_other_values(&own),
        };
        Self { who, steps: self.steps.iter().map(of_other).collect() }
    }

    /// What others see changed by its steps from this one on.
    fn changes_from(&self, at: usize) -> Region {
        let steps = self.steps.iter().skip(at);
        steps.fold(Region::NONE, |all, step| all | step.changes.clone())
    }

    /// The locks that it holds after so many steps.
    fn holds_after(&self, steps: usize) -> Footprint {
        self.steps.get(steps).map_or(Footprint::NOTHING, |next| next.holds.clone())
    }
}

/// Two clients of which the first may be preempted by the other.
#[derive(Clone, Debug)]
pub(crate) struct Encounter {
    /// The clients that come before both, one after the other.
    pub(crate) before: Vec<Actor>,
    /// The client that is stopped.
    pub(crate) client: ClientProfile,
    /// The client that runs in between.
    pub(crate) other: ClientProfile,
}

/// How likely it is that an order breaks something: the first kind is the likeliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likelihood {
    /// A client changes what it has read, and another has changed it in between.
    ReadThenWritten,
    /// The same, but the first client only adds to it.
    ReadThenAddedTo,
    /// A client has read what another then changes, and changes something else.
    ReadThenActedOn,
    /// A client sees what another has changed and changes again later, such as what it takes back.
    SeenThenChangedAgain,
    /// A client sees what another has changed so far, but not what it will change.
    SeenHalfDone,
    /// Two clients may each wait for the other.
    Deadlock,
    /// The other has to wait before it changes anything, as far as the locks say.
    Waits,
}

/// The most preemptions by which the other client has to wait.
const MOST_WAITS: usize = 2;

/// The preemptions in these encounters that are likely to break something, the likeliest first, and `most` of them at
/// most.
pub(crate) fn likely_preemptions(encounters: &[Encounter], most: usize) -> Vec<LikelyPreemption> {
    let mut all: Vec<(Likelihood, LikelyPreemption)> = Vec::new();
    for Encounter { before, client, other } in encounters {
        for (likelihood, after) in preemptions(client, other) {
            let before = before.clone();
            let preemption = LikelyPreemption { before, whose: client.who, after, by: other.who };
            if all.iter().all(|(_, known)| *known != preemption) {
                all.push((likelihood, preemption));
            }
        }
    }
    all.sort_by_key(|(likelihood, preemption)| {
        (*likelihood, preemption.before.len(), Reverse(preemption.after))
    });
    let is_race = |likelihood: Likelihood| likelihood != Likelihood::Waits;
    let has_races = all.iter().any(|(likelihood, _)| is_race(*likelihood));
    let waits = if has_races { 0 } else { MOST_WAITS };
    let races = all.iter().filter(|(likelihood, _)| is_race(*likelihood)).count();
    all.into_iter().map(|(_, preemption)| preemption).take((races + waits).min(most)).collect()
}

/// Where one client may be preempted by the other: after how many of its steps.
fn preemptions(client: &ClientProfile, other: &ClientProfile) -> Vec<(Likelihood, usize)> {
    let theirs = other.changes_from(0);
    let is_near = |step: &StepEffect| {
        step.sees.meets(&theirs) || other.steps.iter().any(|one| one.sees.meets(&step.changes))
    };
    let mut found = Vec::new();
    for (at, step) in client.steps.iter().enumerate() {
        let later = client.changes_from(at + 1);
        if later == Region::NONE {
            break;
        }
        let read = step.sees.common(&theirs);
        let seen = other.steps.iter().any(|one| one.sees.meets(&step.changes));
        let is_own_change = read.meets(&step.changes);
        let likelihood = match () {
            () if read != Region::NONE && !is_own_change && read.meets(&later) => {
                match client.steps.iter().skip(at + 1).any(|step| step.rewrites.meets(&read)) {
                    true => Likelihood::ReadThenWritten,
                    false => Likelihood::ReadThenAddedTo,
                }
            }
            () if read != Region::NONE && !is_own_change => Likelihood::ReadThenActedOn,
            () if seen && step.changes.meets(&later) => Likelihood::SeenThenChangedAgain,
            () if seen => Likelihood::SeenHalfDone,
            () => continue,
        };
        // Between this step and the next that matters to the other client, the preemption may be anywhere: it is best
        // where the other does not have to wait.
        let next = client.steps.iter().skip(at + 1).position(is_near).map_or(1, |more| more + 1);
        let mut places = at + 1..=at + next;
        let place = places.find(|after| waits_at(client, *after, other, &read).is_none());
        found.push(match (place, waits_at(client, at + 1, other, &read)) {
            (Some(after), _) => (likelihood, after),
            (None, Some(waiting)) if is_deadlock(client, at + 1, waiting) => {
                (Likelihood::Deadlock, at + 1)
            }
            (None, _) => (Likelihood::Waits, at + 1),
        });
    }
    found
}

/// The step before which the other has to wait if the client stops after so many steps; none if the other comes to
/// change what was read before that, or to its end.
fn waits_at<'o>(
    client: &ClientProfile,
    after: usize,
    other: &'o ClientProfile,
    read: &Region,
) -> Option<&'o StepEffect> {
    let holds = client.holds_after(after);
    let has_changed = |step: &StepEffect| step.changes.meets(read);
    for step in &other.steps {
        if step.touches.conflicts_with(&holds) {
            return Some(step);
        }
        if has_changed(step) {
            return None;
        }
    }
    None
}

/// Whether the client, which stopped after so many steps, comes to need what the other holds that waits for it.
fn is_deadlock(client: &ClientProfile, after: usize, waiting: &StepEffect) -> bool {
    client.steps.iter().skip(after).any(|step| step.touches.conflicts_with(&waiting.holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::footprint::{Facet, Resources, Rows};

    const STOCK: usize = 3;
    const ORDERS: usize = 4;
    const LIMITS: usize = 5;

    fn table(number: usize) -> Resources {
        Resources::table(number)
    }

    fn rows(number: usize, column: &str, value: &str) -> Region {
        let values = [(column.to_owned(), value.to_owned())].into();
        Region::of_rows(Rows { table: number, facet: Facet::Contents, values })
    }

    fn reads(region: Region) -> Footprint {
        Footprint { reads: region, ..Footprint::NOTHING }
    }

    fn changes(region: Region) -> Footprint {
        Footprint { reads: region.clone(), writes: region, ..Footprint::NOTHING }
    }

    fn statement(footprint: Footprint) -> PendingStatement {
        PendingStatement::new("a statement".into(), footprint)
    }

    fn locking(footprint: Footprint, holds: Footprint) -> PendingStatement {
        statement(footprint).in_transaction(holds, Footprint::NOTHING)
    }

    fn profile(place: usize, statements: &[PendingStatement]) -> ClientProfile {
        ClientProfile::of(Actor::buyer(place), statements)
    }

    /// After how many steps the first of two clients is stopped, the likeliest first.
    fn places_of(client: ClientProfile, other: ClientProfile) -> Vec<usize> {
        let encounter = Encounter { before: Vec::new(), client, other };
        likely_preemptions(&[encounter], 8).into_iter().map(|likely| likely.after).collect()
    }

    /// The same of two that send the same.
    fn places(statements: &[PendingStatement]) -> Vec<usize> {
        places_of(profile(0, statements), profile(1, statements))
    }

    #[test]
    fn a_client_is_stopped_after_the_last_read_of_what_it_changes_later() {
        let (read, write) = (reads(table(STOCK).into()), changes(table(STOCK).into()));
        let order = Footprint::adding(table(ORDERS));
        let statements = [read.clone(), read, order, write].map(statement);
        assert_eq!(places(&statements), [2, 1]);
    }

    #[test]
    fn what_is_read_and_changed_comes_first_then_what_is_only_read_then_what_is_seen_half_done() {
        let statements = [
            reads(table(STOCK).into()),
            changes(table(STOCK).into()),
            reads(table(LIMITS).into()),
            Footprint::adding(table(ORDERS)),
        ];
        let other = [changes(table(STOCK).into()), changes(table(LIMITS).into())];
        let (client, other) = (statements.map(statement), other.map(statement));
        assert_eq!(places_of(profile(0, &client), profile(1, &other)), [1, 3, 2]);
    }

    #[test]
    fn what_is_read_and_changed_comes_before_what_is_read_and_added_to() {
        let (read, write) = (reads(table(STOCK).into()), changes(table(STOCK).into()));
        let statements =
            [read, reads(table(ORDERS).into()), Footprint::adding(table(ORDERS)), write];
        assert_eq!(places(&statements.map(statement)), [1, 2, 3]);
    }

    #[test]
    fn nothing_is_predicted_of_clients_that_never_meet() {
        let of = |buyer: &str| {
            let own = rows(STOCK, "buyer", buyer);
            [reads(own.clone()), changes(own), Footprint::adding(table(ORDERS))].map(statement)
        };
        assert_eq!(places_of(profile(0, &of("1")), profile(1, &of("2"))), [0; 0]);
    }

    #[test]
    fn of_a_client_that_came_too_late_the_first_shows_what_it_would_do_with_values_of_its_own() {
        let own = |buyer: &str| reads(rows(LIMITS, "buyer", buyer));
        let later = [changes(rows(LIMITS, "buyer", "1")), changes(rows(STOCK, "item", "7"))];
        let item = || reads(rows(STOCK, "item", "7"));
        let all: Vec<PendingStatement> =
            [own("1"), item()].into_iter().chain(later).map(statement).collect();
        let first = ClientProfile::of(Actor::buyer(0), &all);
        let second = [own("2"), item()].map(statement);
        let second = first.of_another(Actor::buyer(1), &second);
        assert_eq!(places_of(first, second), [2]);
    }

    #[test]
    fn a_client_begins_like_another_if_it_does_the_same_up_to_its_last_statement() {
        let read = || statement(reads(table(STOCK).into()));
        let limit = || statement(reads(table(LIMITS).into()));
        let (write, end) = (statement(changes(table(STOCK).into())), statement(Footprint::NOTHING));
        let first = profile(0, &[read(), limit(), write]);
        for (sent, begins_like) in [
            (vec![read(), limit(), end], true),
            (vec![read(), limit()], true),
            (vec![read()], true),
            (vec![limit(), read()], false),
            (vec![read(), read(), limit()], false),
            (vec![], false),
        ] {
            assert_eq!(first.begins_like(&sent), begins_like, "{sent:?}");
        }
    }

    #[test]
    fn a_client_that_holds_what_the_other_needs_is_not_stopped_there_but_once_it_holds_it_no_more()
    {
        let lock = Footprint::locking(table(LIMITS));
        let (read, write) = (reads(table(STOCK).into()), changes(table(STOCK).into()));
        let unlock = lock.given_back();
        let none = Footprint::NOTHING;
        let early = [
            locking(lock.clone(), none.clone()),
            locking(read.clone(), lock.clone()),
            locking(unlock.clone(), lock.clone()),
            locking(write.clone(), none.clone()),
        ];
        assert_eq!(places(&early), [3]);
        let late = [
            locking(lock.clone(), none.clone()),
            locking(read, lock.clone()),
            locking(write, lock.clone()),
            locking(unlock, lock.clone()),
        ];
        // Nothing else is left.
        assert_eq!(places(&late), [2]);
    }

    #[test]
    fn a_snapshot_that_decided_before_what_is_seen_does_not_hide_that_it_is_read() {
        let said = Footprint::reading(table(STOCK));
        let look = statement(said).depending_on(Footprint::NOTHING);
        let first_look = statement(Footprint::reading(table(LIMITS)))
            .depending_on(Footprint::reading(Resources::ALL));
        let write = statement(changes(table(STOCK).into()));
        assert_eq!(places(&[first_look, look, write]), [2]);
    }

    #[test]
    fn two_that_take_locks_in_two_orders_are_brought_to_hold_one_each() {
        let lock = |number: usize| Footprint::locking(table(number));
        let none = Footprint::NOTHING;
        let client = |one: usize, two: usize| {
            let change = |number: usize| changes(table(number).into()) | lock(number);
            [
                locking(change(one), none.clone()),
                locking(change(two), lock(one)),
                locking(none.clone(), lock(one) | lock(two)),
            ]
        };
        let (one, other) = (client(STOCK, ORDERS), client(ORDERS, STOCK));
        let found = preemptions(&profile(0, &one), &profile(1, &other));
        assert!(found.contains(&(Likelihood::Deadlock, 1)), "{found:?}");
    }

    #[test]
    fn no_more_are_predicted_than_are_asked_for() {
        let mut statements = vec![statement(reads(table(STOCK).into())); 9];
        statements.push(statement(changes(table(STOCK).into())));
        let encounter = |before: Vec<Actor>| Encounter {
            before,
            client: profile(0, &statements),
            other: profile(1, &statements),
        };
        let encounters = [encounter(vec![Actor::buyer(2)]), encounter(Vec::new())];
        let likely = likely_preemptions(&encounters, 10);
        let before: Vec<usize> = likely.iter().map(|likely| likely.before.len()).collect();
        // Those before which no client has come are the likelier ones.
        assert_eq!(before, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
