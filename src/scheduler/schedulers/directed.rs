//! Orders that are given in outline: who goes first and how far, who follows. Where one cannot be followed, and after its
//! end, the client that moved last goes on for as long as it can, then the next in line.

use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;
use crate::scheduler::run::Run;
use crate::scheduler::statement::PendingStatement;

/// A stretch of steps of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Whose steps.
    pub(crate) who: Actor,
    /// How many at most. It ends before that if the client has left or has to wait.
    pub(crate) most_steps: usize,
}

impl Stretch {
    /// As many steps as the client can make.
    #[must_use]
    pub(crate) fn all_of(who: Actor) -> Self {
        Self { who, most_steps: usize::MAX }
    }
}

/// The steps of an execution, each with its statement.
pub(crate) type SentSteps = Vec<(Choice, PendingStatement)>;

/// Runs orders that are given in outline, one after the other.
#[derive(Debug)]
pub(crate) struct Directed {
    outlines: std::vec::IntoIter<Vec<Stretch>>,
    outline: Vec<Stretch>,
    /// The stretch that is followed, and how many of its steps were made.
    at: usize,
    made: usize,
    /// The steps of the execution under way, and of those that have ended.
    sent: SentSteps,
    all_sent: Vec<SentSteps>,
}

impl Directed {
    /// Runs these orders.
    #[must_use]
    pub(crate) fn along(outlines: Vec<Vec<Stretch>>) -> Self {
        Self {
            outlines: outlines.into_iter(),
            outline: Vec::new(),
            at: 0,
            made: 0,
            sent: Vec::new(),
            all_sent: Vec::new(),
        }
    }

    /// What was sent in each execution that has ended.
    #[must_use]
    pub(crate) fn sent(&self) -> &[SentSteps] {
        &self.all_sent
    }

    /// The next step of the outline; none if the outline is at its end.
    fn outlined(&mut self, ready: &[(Choice, PendingStatement)]) -> Option<Choice> {
        while let Some(stretch) = self.outline.get(self.at) {
            let step = Choice::step(stretch.who);
            if self.made < stretch.most_steps && ready.iter().any(|(choice, _)| *choice == step) {
                self.made += 1;
                return Some(step);
            }
            self.at += 1;
            self.made = 0;
        }
        None
    }
}

impl<E: Execution> Scheduler<E> for Directed {
    fn new_execution(&mut self) -> bool {
        let next = self.outlines.next();
        let is_there = next.is_some();
        self.outline = next.unwrap_or_default();
        is_there
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        if so_far.is_empty() {
            (self.at, self.made) = (0, 0);
            self.sent.clear();
        }
        let ready = execution.ready();
        let last = so_far.last().copied();
        let next = self
            .outlined(&ready)
            .or_else(|| last.filter(|last| ready.iter().any(|(choice, _)| choice == last)))
            .or_else(|| ready.iter().map(|(choice, _)| *choice).find(Choice::is_step));
        let Some(next) = next else { return Ok(Next::Over) };
        self.sent.extend(ready.into_iter().find(|(choice, _)| *choice == next));
        Ok(Next::Take(next))
    }

    fn has_ended(&mut self, _run: &Run) {
        self.all_sent.push(std::mem::take(&mut self.sent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::footprint::{Footprint, Resources};
    use crate::scheduler::toy::{Toy, ToyStep};

    fn stretch(place: usize, most_steps: usize) -> Stretch {
        Stretch { who: Actor::buyer(place), most_steps }
    }

    fn schedules(toy: Toy, outline: Vec<Stretch>) -> Vec<String> {
        toy.schedules(&mut Directed::along(vec![outline]))
    }

    #[test]
    fn an_outline_is_followed_and_then_each_client_goes_on_for_as_long_as_it_can() {
        let step = || Footprint::writing(Resources::SHELVES);
        let toy = Toy::of(vec![vec![step(), step(), step()], vec![step(), step()], vec![step()]]);
        assert_eq!(schedules(toy.clone(), vec![stretch(1, 1)]), ["BBAAAC"]);
        let outline = vec![stretch(0, 2), Stretch::all_of(Actor::buyer(1)), stretch(0, 9)];
        assert_eq!(schedules(toy, outline), ["AABBAC"]);
    }

    #[test]
    fn where_a_client_has_to_wait_the_order_goes_on_with_the_next() {
        use ToyStep::{Locks, Unlocks};
        let client = || vec![Locks(0), Unlocks(0)];
        let toy = Toy::with_locks(vec![client(), client()]);
        let outline = vec![stretch(0, 1), Stretch::all_of(Actor::buyer(1)), stretch(1, 1)];
        assert_eq!(schedules(toy, outline), ["ABAB"]);
    }
}
