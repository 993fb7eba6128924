//! The world of threads: the operating system decides what happens next.

mod live;
mod lock_log;
mod room;
mod runner;
mod start_barrier;
mod visit;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use crossbeam::sync::WaitGroup;
use parking_lot::Mutex;

pub use crate::base::control::Control;
pub use crate::check::round::{Counters, Round};
pub use live::Live;
pub use visit::{complete, serve, serve_queue};

use crate::base::clock::Clock;
use crate::base::error::Error;
use crate::base::text::quantity::count;
use crate::domain::books::Books;
use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::{BuyerId, OpKind};
use crate::domain::session::Session;
use crate::domain::settings::Settings;
use crate::stores::LiveStore;
use crate::strategy::Strategy;
use runner::{Runner, ServingTerms};
use start_barrier::StartBarrier;

/// A buyer thread's stack. A checkout needs a few KiB; what is left is room for a strategy of the
/// user's own.
const STACK_BYTES: usize = 256 * 1024;

/// How many buyers a thread serves before it counts them as served: counting each would be one more point of
/// contention.
const SERVED_STEP: usize = 256;

/// Runs one round: starts all buyers at once, and waits until the last has left.
///
/// # Errors
/// [`Error::World`] when the operating system refuses a thread, in which case no buyer has raced; or when a server
/// cannot say what came of it.
///
/// # Panics
/// When the strategy does, with its panic.
pub fn run<S, L, K>(
    strategy: &S,
    store: L,
    settings: &Settings,
    number: u32,
    clock: &K,
    control: &Control,
) -> Result<Round, Error>
where
    S: Strategy,
    L: LiveStore,
    K: Clock,
{
    let takings = Mutex::new(Takings::for_all(settings)?);
    let gate = StartBarrier::default();
    let track = Track { strategy, store: &store, settings, number, clock, control, gate, takings };
    track.run()?;
    let takings = track.takings.into_inner().or_panic();
    Ok(takings.into_round(number, settings, store.books()?))
}

/// Everything the threads of one round share. It is compiled once for each store, and not for each strategy: starting
/// threads is much code.
struct Track<'r, L: LiveStore, K> {
    strategy: &'r dyn Runner<L::Client<'r>, K>,
    store: &'r L,
    settings: &'r Settings,
    number: u32,
    clock: &'r K,
    control: &'r Control,
    gate: StartBarrier,
    takings: Mutex<Takings>,
}

/// What the threads hand in when they leave.
#[derive(Default)]
struct Takings {
    visits: Vec<Visit>,
    tally: Counters,
    panic: Option<Box<dyn Any + Send>>,
}

impl Takings {
    /// None yet, with room for those of all buyers.
    fn for_all(settings: &Settings) -> Result<Self, Error> {
        let threads = settings.threads();
        if let Some(most) = room::most_threads().filter(|most| *most < threads) {
            return Err(refused(most, threads));
        }
        // Every visit is kept twice for a moment, and its times are sorted.
        let mut visits: Vec<Visit> = Vec::new();
        if visits.try_reserve_exact(settings.buyers as usize * 3).is_err() {
            return Err(Error::world(format!(
                "there is no memory for {} buyers: lower --buyers",
                count(settings.buyers)
            )));
        }
        Ok(Self { visits, ..Self::default() })
    }

    /// The same, unless a thread has panicked: then with its panic.
    fn or_panic(mut self) -> Self {
        match self.panic.take() {
            Some(panic) => resume_unwind(panic),
            None => self,
        }
    }

    /// The round, with what is in the store when it is over.
    fn into_round(self, number: u32, settings: &Settings, books: Books) -> Round {
        let Self { visits, mut tally, .. } = self;
        tally.leaked_holds += leaked_holds(&visits, &books.holding);
        tally.leaked_locks += books.kept_locks;
        Round { number, stock: settings.stock, visits, books, tally }
    }
}

impl<'r, L: LiveStore, K: Clock> Track<'r, L, K> {
    fn run(&self) -> Result<(), Error> {
        // Each thread is detached as soon as it runs, and frees its own stack when it leaves. Joining ten thousand of
        // them one by one took as long as all the rest.
        thread::scope(|scope| {
            let starter = self.gate.starter();
            let (lined_up, gone_home) = (WaitGroup::new(), WaitGroup::new());
            let threads = self.threads();
            if self.strategy.card().asks_for(|kind| kind == OpKind::Queue) {
                let worker = || {
                    self.hand_in(|| self.employ_worker());
                    // However the worker ended, it has left: closing the store keeps buyers from waiting for it.
                    self.store.close();
                };
                spawn(scope, worker).map_err(|_| refused(0, threads))?;
            }
            if self.store.has_trouble() {
                spawn(scope, || self.store.make_trouble()).map_err(|_| refused(0, threads))?;
            }
            for first in 0..threads {
                let (lined_up, gone_home) = (lined_up.clone(), gone_home.clone());
                let buyers = move || {
                    self.hand_in(|| self.serve_in_turn(first, lined_up));
                    drop(gone_home);
                };
                if spawn(scope, buyers).is_err() {
                    self.store.close();
                    return Err(refused(first, threads));
                }
            }
            lined_up.wait();
            starter.fire(self.store.await_start(&|| self.clock.now()));
            gone_home.wait();
            self.store.close();
            Ok(())
        })
    }

    /// No more threads than there are buyers.
    fn threads(&self) -> u32 {
        let here = self.store.share().share_of(self.settings.buyers);
        self.settings.threads().min(here).max(1)
    }

    fn connect(&self) -> Session<Live<'r, L::Client<'r>, K>> {
        let client = self.store.connect();
        Session::new(Live::new(client, self.clock.clone(), self.settings.think, self.control))
    }

    /// Waits for the start, then serves every `threads`-th buyer from `first` on.
    fn serve_in_turn(&self, first: BuyerId, lined_up: WaitGroup) -> (Vec<Visit>, Counters) {
        let Settings { buyers, seed, .. } = self.settings;
        let policy = self.settings.policy();
        let terms =
            ServingTerms { seed: *seed, number: self.number, policy, control: self.control };
        let mut shop = self.connect();
        if self.control.records_locks() {
            shop.connection().record_locks(self.settings.threads());
        }
        // Prepares before the start whatever can be prepared.
        let share = self.store.share();
        let mut line: Vec<Visit> = (first..share.share_of(*buyers))
            .step_by(self.threads() as usize)
            .map(|piece| {
                let buyer = share.place_of(piece);
                let want_of = |place| self.settings.want(self.number, place);
                Visit::unserved(buyer, self.strategy.wants(buyer, &want_of))
            })
            .collect();
        drop(lined_up);
        let Some(gun) = self.gate.wait() else { return Default::default() };
        for some in line.chunks_mut(SERVED_STEP) {
            self.strategy.serve_each(&mut shop, some, &terms);
            some.iter_mut().for_each(|visit| visit.count_from(gun));
            self.control.count_served(some.len() as u64);
        }
        let mut tally = shop.into_connection().into_tally();
        tally.lock_uses.iter_mut().flatten().for_each(|one| one.count_from(gun));
        (line, tally)
    }

    /// Serves the queue until the shop closes.
    fn employ_worker(&self) -> (Vec<Visit>, Counters) {
        let mut shop = self.connect();
        self.strategy.serve_queue(&mut shop);
        (Vec::new(), shop.into_connection().into_tally())
    }

    /// Does a thread's work and keeps what comes of it, even if that is a panic.
    fn hand_in(&self, work: impl FnOnce() -> (Vec<Visit>, Counters)) {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        let mut takings = self.takings.lock();
        match outcome {
            Ok((visits, tally)) => {
                takings.visits.extend(visits);
                takings.tally.merge(&tally);
            }
            Err(panic) => takings.panic = Some(panic),
        }
    }
}

/// Holds that still stand although no failure cut their buyer's visit short.
pub(crate) fn leaked_holds(visits: &[Visit], holding: &[BuyerId]) -> u64 {
    if holding.is_empty() {
        return 0;
    }
    let holding: BTreeSet<BuyerId> = holding.iter().copied().collect();
    let is_over = |visit: &&Visit| !matches!(visit.ending, Ending::Failed(_) | Ending::Unserved);
    visits.iter().filter(is_over).filter(|visit| holding.contains(&visit.buyer)).count() as u64
}

/// The error when the operating system gives only so many of the threads that were asked for.
fn refused(given: u32, asked: u32) -> Error {
    Error::world(format!(
        "the operating system gives {} of {} threads; let fewer serve the buyers in turn, such as \
         --threads {}",
        count(given),
        count(asked),
        (given / 2).max(1)
    ))
}

/// Starts a thread with a stack of the size that fits.
fn spawn<'s>(
    scope: &'s thread::Scope<'s, '_>,
    work: impl FnOnce() + Send + 's,
) -> std::io::Result<()> {
    thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).map(drop)
}
