//! The orders that are likely to break something: they are run before all others, so that a bug is found early. What the
//! search covers afterwards does not count on them.

use super::judged::JudgedExecution;
use super::results::Results;
use super::search::run;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::explore::bound::Plan;
use crate::scheduler::{
    Actor, Bounds, ClientProfile, Directed, Encounter, LikelyPreemption, PendingStatement,
    SentSteps, Stretch, likely_preemptions,
};

/// Kinds of client that are looked at: each takes an order in which its first client comes first.
const MOST_KINDS: usize = 3;

/// The most orders that are run because they are likely to break something.
const MOST_LIKELY: usize = 8;

/// Runs orders in which the clients come one after the other, and then those that are likely to break something, as
/// these show. Returns whether the search may go on.
pub(super) fn run_likely<E: JudgedExecution>(
    execution: &mut E,
    plan: Plan,
    bounds: Bounds,
    results: &mut Results,
    stopped: &(dyn Monitor + Sync),
) -> Result<bool, Error> {
    let clients = execution.clients();
    if clients.len() < 2 {
        return Ok(true);
    }
    let mut orders = Vec::new();
    let mut run_along = |outlines: Vec<Vec<Stretch>>, orders: &mut Vec<SentSteps>| {
        let mut directed = Directed::along(outlines);
        let goes_on = run(execution, &mut directed, plan, bounds, results, stopped, |_| false);
        orders.extend_from_slice(directed.sent());
        goes_on
    };
    let mut goes_on = run_along(vec![vec![Stretch::all_of(clients[0])]], &mut orders)?;
    let kinds = orders.first().map_or(Vec::new(), |sent| kinds(&clients, sent));
    if goes_on {
        let others = kinds.iter().skip(1).map(|kind| vec![Stretch::all_of(kind[0])]);
        goes_on = run_along(others.collect(), &mut orders)?;
    }
    if goes_on {
        let likely = likely_preemptions(&encounters(&kinds, &orders), MOST_LIKELY);
        let likely = likely.into_iter().map(outline).collect();
        goes_on = run_along(likely, &mut Vec::new())?;
    }
    results.were_likely();
    Ok(goes_on)
}

/// The clients by kind, two of each at most. Those that begin as the first client, as far as this order shows it, are
/// taken to be like it.
fn kinds(clients: &[Actor], sent: &SentSteps) -> Vec<Vec<Actor>> {
    let mut kinds: Vec<(ClientProfile, Vec<Actor>)> = Vec::new();
    for client in clients {
        let is_like = |(profile, _): &&mut (ClientProfile, Vec<Actor>)| {
            profile.begins_like(statements(sent, *client))
        };
        match kinds.iter_mut().find(is_like) {
            Some((_, alike)) => alike.push(*client),
            None => {
                kinds.push((ClientProfile::of(*client, statements(sent, *client)), vec![*client]));
            }
        }
    }
    let two = |(_, alike): (ClientProfile, Vec<Actor>)| alike.into_iter().take(2).collect();
    kinds.into_iter().take(MOST_KINDS).map(two).collect()
}

/// The order with this preemption and no other.
fn outline(preemption: LikelyPreemption) -> Vec<Stretch> {
    let LikelyPreemption { before, whose, after, by } = preemption;
    let stopped = Stretch { who: whose, most_steps: after };
    let before = before.into_iter().map(Stretch::all_of);
    before.chain([stopped, Stretch::all_of(by), Stretch::all_of(whose)]).collect()
}

/// The clients that may preempt one another, where each kind has come first in one of these orders: two of a kind, the
/// first of two kinds, and the second of an order by the third.
fn encounters(kinds: &[Vec<Actor>], orders: &[SentSteps]) -> Vec<Encounter> {
    let firsts: Vec<ClientProfile> = kinds
        .iter()
        .zip(orders)
        .map(|(kind, sent)| ClientProfile::of(kind[0], statements(sent, kind[0])))
        .collect();
    let mut encounters = Vec::new();
    for ((at, client), sent) in firsts.iter().enumerate().zip(orders) {
        let encounter = |other| Encounter { before: Vec::new(), client: client.clone(), other };
        if let Some(second) = kinds[at].get(1) {
            encounters.push(encounter(client.of_another(*second, statements(sent, *second))));
        }
        let others = firsts.iter().enumerate().filter(|(other, _)| *other != at);
        encounters.extend(others.map(|(_, other)| encounter(other.clone())));
        encounters.extend(of_latecomers(sent));
    }
    encounters
}

/// The second client of an order and the third: what a client takes back, it may only do if it comes too late.
fn of_latecomers(sent: &SentSteps) -> Option<Encounter> {
    let mut clients: Vec<Actor> = sent.iter().map(|(choice, _)| choice.who).collect();
    clients.dedup();
    let [first, second, third, ..] = clients[..] else { return None };
    let profile = |who| ClientProfile::of(who, statements(sent, who));
    Some(Encounter { before: vec![first], client: profile(second), other: profile(third) })
}

/// What a client has sent.
fn statements(sent: &SentSteps, who: Actor) -> impl Iterator<Item = &PendingStatement> {
    let own = sent.iter().filter(move |(choice, _)| choice.who == who);
    own.map(|(_, statement)| statement)
}
