//! Timers: holds and leases that run out. Those of a kind last equally long, so that the first to begin is the
//! first to run out, and one event at a time is enough.

use super::event::Event;
use super::story::{HoldChange, StoryLine};
use super::visit_recorder::VisitRecorder;
use super::world::TimedWorld;
use crate::scheduler::Actor;

impl<G: VisitRecorder> TimedWorld<'_, G> {
    /// A hold begins to run.
    pub(super) fn hold_runs(&mut self, seat: usize) {
        let until = self.now() + self.scene.shop.hold_ttl_ns;
        self.seats[seat].hold_until_ns = until;
        self.seats[seat].held = true;
        let buyer = self.seats[seat].buyer;
        if self.holders.len() <= seat {
            self.holders.resize(seat + 1, None);
        }
        self.holders[seat] = Some(buyer);
        self.timer_runs(Some(seat), buyer);
    }

    /// The timer of a buyer's hold begins to run, wherever the buyer is by now.
    pub(super) fn timer_runs(&mut self, seat: Option<usize>, buyer: u32) {
        let until = self.now() + self.scene.shop.hold_ttl_ns;
        if self.holds.is_empty() {
            self.event_queue.enter(until, Event::Holds);
        }
        self.last_hold_ns = until;
        self.holds.push_back((until, seat, buyer));
    }

    /// A lease begins to run.
    pub(super) fn lease_runs(&mut self, seat: usize) {
        let until = self.now() + self.scene.shop.lease_ttl_ns;
        self.seats[seat].lease_until_ns = until;
        if self.leases.is_empty() {
            self.event_queue.enter(until, Event::Leases);
        }
        self.leases.push_back((until, seat, self.seats[seat].buyer));
    }

    pub(super) fn holds_run_out(&mut self) {
        let now = self.now();
        while let Some((_, number, buyer)) = self.holds.pop_front_if(|(until, ..)| *until <= now) {
            let Some(number) = number else {
                self.propose_expiry(buyer);
                continue;
            };
            // Most buyers left long ago: this spares a look at their seats in memory.
            if self.holders.get(number) == Some(&Some(buyer))
                && let Some(seat) = self.seats.get_mut(number)
                && seat.standing.is_holding()
                && seat.hold_until_ns <= now
            {
                self.shop.expire_hold(&mut seat.standing);
                self.tally.holds_expired += 1;
                self.copy_writes(None);
                let place = &self.scene.shop.place;
                self.story.tell_line(|| {
                    let buyer = Actor::Buyer(buyer).to_string();
                    let what = format!("{buyer}'s hold runs out");
                    let hold = Some(HoldChange::Ends { buyer });
                    StoryLine { hold, ..StoryLine::new(now, place.clone(), what) }
                });
                self.see_off(number);
            }
        }
        if let Some((until, ..)) = self.holds.front() {
            self.event_queue.enter(*until, Event::Holds);
        }
    }

    pub(super) fn leases_run_out(&mut self) {
        let now = self.now();
        while let Some((_, number, buyer)) = self.leases.pop_front_if(|(until, ..)| *until <= now) {
            let seat = self.seats.get_mut(number).filter(|seat| seat.buyer == buyer);
            if let Some(seat) = seat
                && seat.standing.leases != 0
                && seat.lease_until_ns <= now
            {
                self.shop.expire_leases(&mut seat.standing);
                self.something_is_free = true;
                self.tell_shop(number, |name| format!("{name}'s lease runs out"));
                self.see_off(number);
            }
        }
        if let Some((until, ..)) = self.leases.front() {
            self.event_queue.enter(*until, Event::Leases);
        }
    }
}
