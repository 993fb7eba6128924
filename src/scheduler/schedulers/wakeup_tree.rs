//! A wakeup tree (Abdulla, Aronis, Jonsson and Sagonas, *Source Sets: A Foundation for Optimal Dynamic Partial Order
//! Reduction*, JACM 2017): what is still to be explored from a point of an execution, as sequences of steps.

use std::sync::Arc;

use super::event::{Event, Events};

/// A step that is to be made, and what is to be made after it.
#[derive(Debug)]
pub(super) struct Branch {
    /// The step, as it is expected.
    pub(super) event: Arc<Event>,
    /// What is to be explored after it; nothing in particular if this is empty.
    pub(super) next: Vec<Branch>,
}

impl Branch {
    /// The steps of a sequence, one after the other; none if it is empty.
    pub(super) fn of(sequence: Events) -> Option<Self> {
        sequence.into_iter().rev().fold(None, |next: Option<Self>, event| {
            Some(Self { event, next: next.into_iter().collect() })
        })
    }
}

/// Whether the sequence holds an event and nothing there has to come before it.
pub(super) fn is_among_firsts(event: &Event, sequence: &[Arc<Event>]) -> bool {
    let who = event.choice.who;
    let at = sequence.iter().position(|one| one.choice.who == who);
    at.is_some_and(|at| is_initial(at, sequence))
}

/// Whether an event can come first in some execution that begins as `sequence` says: the sequence holds it and nothing
/// there comes before it, or it is independent of all that the sequence holds.
pub(super) fn can_come_first(event: &Event, sequence: &[Arc<Event>]) -> bool {
    let is_held = sequence.iter().any(|one| one.choice.who == event.choice.who);
    match is_held {
        true => is_among_firsts(event, sequence),
        false => !sequence.iter().any(|one| one.depends_on(event)),
    }
}

/// Whether nothing in the sequence has to come before the event at this place.
pub(super) fn is_initial(at: usize, sequence: &[Arc<Event>]) -> bool {
    !sequence[..at].iter().any(|before| sequence[at].depends_on(before))
}

/// Adds a sequence, unless what is there covers all that could follow it.
pub(super) fn insert(branches: &mut Vec<Branch>, mut sequence: Events) {
    for branch in branches.iter_mut() {
        if !can_come_first(&branch.event, &sequence) {
            continue;
        }
        let who = branch.event.choice.who;
        if let Some(at) = sequence.iter().position(|one| one.choice.who == who) {
            sequence.remove(at);
        }
        if !branch.next.is_empty() && !sequence.is_empty() {
            insert(&mut branch.next, sequence);
        }
        return;
    }
    branches.extend(Branch::of(sequence));
}
