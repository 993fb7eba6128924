//! A buyer in virtual time, from its click until nothing more can happen to it.

use std::collections::VecDeque;

use rand::rngs::Xoshiro256PlusPlus;

use crate::domain::buyer::{Ending, Visit};
use crate::domain::card::BackgroundTask;
use crate::domain::op::{BuyerId, Want};
use crate::stores::model::Standing;

/// The number of a seat, a task or any other subject of an event: small, for events are many.
pub(super) type SubjectId = u32;

/// A buyer who has clicked.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) buyer: BuyerId,
    pub(super) want: Want,
    /// Where it is.
    pub(super) region: u16,
    pub(super) dice: Xoshiro256PlusPlus,
    pub(super) clicked_ns: u64,
    pub(super) attempt_ns: u64,
    pub(super) ended_ns: u64,
    pub(super) ending: Option<Ending>,
    pub(super) attempts: u32,
    pub(super) conflicts: u32,
    pub(super) looked: bool,
    /// Whether it ever stood in another buyer's way without having bought.
    pub(super) held: bool,
    /// How it stands with the shop and the payment provider.
    pub(super) standing: Standing,
    /// When its hold and its lease run out.
    pub(super) hold_until_ns: u64,
    pub(super) lease_until_ns: u64,
    /// Its attempt, while one is under way.
    pub(super) attempt: Option<SubjectId>,
    /// Whether a background task about it is under way, and which are due.
    pub(super) in_background_task: bool,
    pub(super) due: VecDeque<BackgroundTask>,
    /// Webhooks and recoveries that are on their way.
    pub(super) to_come: u32,
    /// How often a background task about it was put off because no majority could decide.
    pub(super) put_off: u32,
    /// Its replica must show all writes up to this time: that of the latest it has read, or written itself.
    pub(super) seen_ns: u64,
}

impl Seat {
    pub(super) fn new(
        buyer: BuyerId,
        want: Want,
        region: u16,
        clicked_ns: u64,
        dice: Xoshiro256PlusPlus,
    ) -> Self {
        Self {
            buyer,
            want,
            region,
            dice,
            clicked_ns,
            attempt_ns: clicked_ns,
            ended_ns: clicked_ns,
            ending: None,
            attempts: 0,
            conflicts: 0,
            looked: false,
            held: false,
            standing: Standing::default(),
            hold_until_ns: 0,
            lease_until_ns: 0,
            attempt: None,
            in_background_task: false,
            due: VecDeque::new(),
            to_come: 0,
            put_off: 0,
            seen_ns: 0,
        }
    }

    /// Whether nothing will happen to it any more.
    pub(super) fn is_over(&self) -> bool {
        self.ending.is_some()
            && self.attempt.is_none()
            && !self.in_background_task
            && self.due.is_empty()
            && self.to_come == 0
            && !self.standing.has_timer()
    }

    /// The visit, as the audit sees it.
    pub(super) fn visit(&self) -> Visit {
        Visit {
            ending: self.ending.unwrap_or(Ending::Unserved),
            attempts: self.attempts,
            conflicts: self.conflicts,
            looked: self.looked,
            began_ns: self.clicked_ns,
            last_attempt_ns: self.attempt_ns,
            ended_ns: self.ended_ns,
            waited_ns: 0,
            held: self.held || self.standing.has_stood_in_the_way(),
            ..Visit::unserved(self.buyer, self.want)
        }
    }
}
