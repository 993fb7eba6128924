//! Which sessions of both stores wait.

use super::STORES;
use crate::base::error::Error;
use crate::scheduler::Waits;
use crate::stores::remote::{LockScheduling, SessionNumbers, Watch};

/// A connection to each store that watches the others.
pub(super) struct PairWatch {
    watches: [Box<dyn Watch>; STORES],
}

impl PairWatch {
    pub(super) fn of(watches: [Box<dyn Watch>; STORES]) -> Self {
        Self { watches }
    }

    /// Runs `work` on the watch of a session's store, with the number by which that store knows the session.
    fn at(
        &mut self,
        session: i64,
        work: impl FnOnce(&mut dyn Watch, i64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some((place, session)) = SessionNumbers::split(session) else { return Ok(()) };
        self.watches.get_mut(place).map_or(Ok(()), |watch| work(&mut **watch, session))
    }

    /// Each watch, with those of these sessions that are of its store, as that store knows them; none without any.
    fn each_of<'w>(
        &'w mut self,
        sessions: &[i64],
    ) -> impl Iterator<Item = (&'w mut Box<dyn Watch>, Vec<i64>)> {
        let of_store = |store: usize| {
            let own = sessions.iter().filter_map(|session| SessionNumbers::split(*session));
            own.filter(move |(place, _)| *place == store).map(|(_, session)| session).collect()
        };
        let each: Vec<Vec<i64>> = (0..STORES).map(of_store).collect();
        self.watches.iter_mut().zip(each).filter(|(_, own)| !own.is_empty())
    }
}

impl Watch for PairWatch {
    /// No store can end a wait in the other: only a buyer can, which the gate sees. So it makes no difference that they
    /// are asked one after the other.
    fn waits(&mut self) -> Result<Waits, Error> {
        let mut all = Waits::new();
        for (place, watch) in self.watches.iter_mut().enumerate() {
            all.extend(SessionNumbers::of_server(place).waits(watch.waits()?));
        }
        Ok(all)
    }

    fn lock_scheduling(&mut self) -> Result<LockScheduling, Error> {
        let mut of_all = LockScheduling::FirstComeFirstServed;
        for watch in &mut self.watches {
            of_all = of_all.max(watch.lock_scheduling()?);
        }
        Ok(of_all)
    }

    fn hold_inside(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |watch, session| watch.hold_inside(session))
    }

    fn let_act(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |watch, session| watch.let_act(session))
    }

    fn hold_no_more(&mut self, session: i64) -> Result<(), Error> {
        self.at(session, |watch, session| watch.hold_no_more(session))
    }

    fn give_up(&mut self, sessions: &[i64]) -> Result<bool, Error> {
        for (watch, own) in self.each_of(sessions) {
            if watch.give_up(&own)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn break_off(&mut self, sessions: &[i64]) -> Result<(), Error> {
        self.each_of(sessions).try_for_each(|(watch, own)| watch.break_off(&own))
    }

    fn obituary(&mut self) -> Option<Error> {
        self.watches.iter_mut().find_map(|watch| watch.obituary())
    }
}
