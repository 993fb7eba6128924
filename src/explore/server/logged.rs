//! An execution whose orders are written down. Orders that were run before are not run again: the scheduler, which decides
//! by nothing but what executions show, is told what they have shown.

use super::judged::JudgedExecution;
use super::order_log::{LoggedOrder, LoggedPoint, OrderLog};
use super::results::Judged;
use crate::base::error::Error;
use crate::domain::faults::Act;
use crate::scheduler::{Actor, Beginning, Choice, Execution, Footprint, PendingStatement};
use crate::worlds::held::{ServerStep, choice, choices};

/// Why a file is refused whose orders are not those of this search.
const OTHER: &str = "its orders come out otherwise now; name another file";

/// An execution, and the log of its orders.
pub(super) struct LoggedExecution<'l, 'f, 'r, E> {
    inner: &'r mut E,
    log: &'l mut OrderLog<'f>,
    /// The order under way: one of the log, or one that is run and will be written.
    order: LoggedOrder,
    is_known: bool,
    /// How many steps of it were made.
    made: usize,
    /// What the server had learned before the first order.
    learned: i64,
}

impl<'l, 'f, 'r, E: JudgedExecution> LoggedExecution<'l, 'f, 'r, E> {
    /// An execution with this log. The first order of the log is run once more, to see whether the server is the same.
    pub(super) fn open(inner: &'r mut E, log: &'l mut OrderLog<'f>) -> Result<Self, Error> {
        let learned = inner.learned()?;
        let mut logged =
            Self { inner, log, order: LoggedOrder::default(), is_known: false, made: 0, learned };
        logged.check_first()?;
        Ok(logged)
    }

    fn check_first(&mut self) -> Result<(), Error> {
        let Some(first) = self.log.first().cloned() else { return Ok(()) };
        let choices = choices(&first.steps);
        self.inner.expect(vec![Beginning::of(choices.clone())]);
        self.inner.begin()?;
        self.order = LoggedOrder::default();
        self.note();
        let mut is_same = true;
        for (step, choice) in first.steps.iter().zip(choices) {
            let made = match self.inner.take(choice)? {
                Some(_) => self.inner.last_step(),
                None => None,
            };
            self.note();
            is_same &= made.is_some_and(|made| {
                (made.footprint.by_table(), made.left, made.has_begun)
                    == (step.footprint.by_table(), step.left.clone(), step.has_begun)
            });
        }
        let alike = first.points.iter().zip(&self.order.points);
        is_same &= first.points.len() == self.order.points.len();
        for (before, now) in alike {
            let places = |point: &LoggedPoint| -> Vec<usize> {
                point.ready.iter().map(|(place, _)| *place).collect()
            };
            is_same &= places(before) == places(now);
            for ((_, before), (_, now)) in before.ready.iter().zip(&now.ready) {
                let [before, now] = [before, now].map(|number| self.log.statement(*number));
                is_same &= before.zip(now).is_some_and(|(before, now)| before.is_like(now));
            }
        }
        self.inner.abandon()?;
        self.order = LoggedOrder::default();
        if self.inner.learned()? != self.learned {
            self.log.give_up()?;
            return Ok(());
        }
        if is_same { Ok(()) } else { Err(self.log.refused(OTHER)) }
    }

    /// Notes what is known at this point.
    fn note(&mut self) {
        let ready = self.inner.ready();
        let mut may_go_on = self.inner.clients();
        may_go_on.retain(|client| !ready.iter().any(|(choice, _)| choice.who == *client));
        may_go_on.retain(|client| !self.inner.has_left(*client));
        may_go_on.retain(|client| self.inner.may_go_on_with_any_step(*client));
        let may_go_on = may_go_on.into_iter().filter_map(place).collect();
        let buyers = self.inner.clients().len();
        let numbered = |(choice, statement): &(Choice, PendingStatement)| {
            let place = match choice.act {
                Act::Expire => buyers,
                _ => place(choice.who)?,
            };
            Some((place, self.log.number(statement)))
        };
        let ready = ready.iter().filter_map(numbered).collect();
        self.order.points.push(LoggedPoint {
            ready,
            may_go_on,
            futile: self.inner.most_futile_attempts(),
        });
    }

    fn point(&self) -> Option<&LoggedPoint> {
        self.order.points.get(self.made)
    }
}

/// The index of a buyer.
fn place(client: Actor) -> Option<usize> {
    match client {
        Actor::Buyer(buyer) => Some(buyer as usize),
        Actor::Worker => None,
    }
}

impl<E: JudgedExecution> Execution for LoggedExecution<'_, '_, '_, E> {
    fn begin(&mut self) -> Result<(), Error> {
        if !self.is_known && !self.order.points.is_empty() {
            // It diverged, and is run again.
            self.has_come_to_its_end()?;
        }
        self.made = 0;
        let known = self.log.next();
        self.is_known = known.is_some();
        self.order = known.unwrap_or_default();
        if !self.is_known {
            self.inner.begin()?;
            self.note();
        }
        Ok(())
    }

    fn clients(&self) -> Vec<Actor> {
        self.inner.clients()
    }

    fn first_alike(&self, client: Actor) -> Actor {
        self.inner.first_alike(client)
    }

    fn has_left(&mut self, client: Actor) -> bool {
        let mut left = self.order.steps[..self.made].iter().flat_map(|step| &step.left);
        left.any(|(place, _)| Actor::buyer(*place) == client)
    }

    fn ready(&mut self) -> Vec<(Choice, PendingStatement)> {
        let ready = self.point().map(|point| point.ready.clone()).unwrap_or_default();
        let with_statement = |(place, number)| {
            let statement = self.log.statement(number)?.clone();
            Some((choice(place, &statement), statement))
        };
        ready.into_iter().filter_map(with_statement).collect()
    }

    fn can_happen(&mut self, choice: Choice) -> bool {
        self.choices().contains(&choice)
    }

    fn has_only_steps(&self) -> bool {
        self.inner.has_only_steps()
    }

    fn why_not(&mut self, choice: Choice) -> String {
        self.inner.why_not(choice)
    }

    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error> {
        if !self.is_known {
            let taken = self.inner.take(choice)?;
            if taken.is_some() {
                self.order.steps.extend(self.inner.last_step());
                self.made += 1;
                self.note();
            }
            return Ok(taken);
        }
        match self.order.steps.get(self.made) {
            Some(step) if step.choice() == choice => {
                self.made += 1;
                Ok(Some(step.footprint.clone()))
            }
            // It could not be made.
            None if self.order.judged.is_none() => Ok(None),
            _ => Err(self.log.refused(OTHER)),
        }
    }

    fn went_on(&self) -> Vec<Actor> {
        let last = self.made.checked_sub(1).and_then(|last| self.order.steps.get(last));
        last.map(|last| last.others(self.inner.clients().len())).unwrap_or_default()
    }

    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        let mut may = self.point().into_iter().flat_map(|point| &point.may_go_on);
        may.any(|place| Actor::buyer(*place) == client)
    }

    fn most_futile_attempts(&self) -> u32 {
        self.point().map_or(0, |point| point.futile)
    }

    fn looks_ahead(&self) -> usize {
        if self.log.first().is_some() { 0 } else { self.inner.looks_ahead() }
    }

    fn expect(&mut self, beginnings: Vec<Beginning>) {
        self.inner.expect(beginnings);
    }

    fn repeated(&mut self) -> Vec<Vec<(Choice, PendingStatement)>> {
        if self.is_known { Vec::new() } else { self.inner.repeated() }
    }

    fn abandon(&mut self) -> Result<(), Error> {
        if self.is_known { Ok(()) } else { self.inner.abandon() }
    }
}

impl<E: JudgedExecution> JudgedExecution for LoggedExecution<'_, '_, '_, E> {
    fn steps_so_far(&self) -> Vec<ServerStep> {
        self.order.steps[..self.made].to_vec()
    }

    fn last_step(&self) -> Option<ServerStep> {
        self.order.steps.get(self.made.checked_sub(1)?).cloned()
    }

    fn learned(&self) -> Result<i64, Error> {
        self.inner.learned()
    }

    fn told(&self) -> Vec<String> {
        self.inner.told()
    }

    fn judge(&mut self) -> Result<Judged, Error> {
        if !self.is_known {
            self.order.judged = Some(self.inner.judge()?);
            self.order.steps = self.inner.steps_so_far();
        }
        let judged = self.order.judged.clone();
        judged
            .filter(|_| self.made == self.order.steps.len())
            .ok_or_else(|| self.log.refused(OTHER))
    }

    fn has_come_to_its_end(&mut self) -> Result<(), Error> {
        if self.is_known {
            return Ok(());
        }
        if self.inner.learned()? != self.learned {
            // What was run before and what is run from now on do not go together.
            return self.log.give_up();
        }
        let mut order = std::mem::take(&mut self.order);
        let mut hidden = self.log.hidden().to_vec();
        let told = self.inner.told();
        hidden.extend(told.into_iter().filter(|one| !self.log.hidden().contains(one)));
        order.hidden = hidden;
        self.log.add(order)
    }
}
