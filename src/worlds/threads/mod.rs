//! The world of threads: the operating system decides what happens next.

mod control;
mod gate;
mod live;
mod visit;

use std::thread;

use crossbeam::sync::WaitGroup;

pub use control::Control;
pub use live::{Live, Tally};
pub use visit::{complete, serve};

use crate::buyer::Visit;
use crate::chance::Dice;
use crate::clock::Clock;
use crate::error::Error;
use crate::op::{BuyerId, OpKind, Units};
use crate::session::Session;
use crate::settings::Settings;
use crate::stores::{Books, LiveStore};
use crate::strategy::Strategy;
use crate::text::quantity::count;
use gate::Gate;

/// A buyer thread's stack. A checkout needs a few KiB; what is left is room for a strategy of the
/// user's own.
const STACK_BYTES: usize = 256 * 1024;

/// How many buyers a thread serves before it says so: telling after each would be one more thing to
/// contend for.
const SERVED_STEP: usize = 256;

/// All that is known of one round when everybody has gone home.
#[derive(Clone, Debug)]
pub struct Round {
    /// Which round, counted from 1.
    pub number: u32,
    /// The store it was raced on.
    pub store: &'static str,
    /// Units at the gun.
    pub stock: Units,
    /// Every buyer's visit, in no particular order. Times are nanoseconds after the gun.
    pub visits: Vec<Visit>,
    /// What the store says.
    pub books: Books,
    /// What the connections counted.
    pub tally: Tally,
}

/// Runs one round: lines the buyers up, fires, waits for the last to leave.
///
/// # Errors
/// [`Error::World`] when the operating system refuses a thread; nobody has raced then.
pub fn run<S, L, K>(
    strategy: &S,
    store: L,
    settings: &Settings,
    number: u32,
    clock: &K,
    control: &Control,
) -> Result<Round, Error>
where
    S: Strategy + ?Sized,
    L: LiveStore,
    K: Clock,
{
    let threads = settings.threads();
    let gate = Gate::default();
    let mut visits = Vec::with_capacity(settings.buyers as usize);
    let mut tally = Tally::default();
    let connect =
        || Session::new(Live::new(store.connect(), clock.clone(), settings.think, control));
    let work = |first: BuyerId, lined_up: WaitGroup| {
        let mut shop = connect();
        let mut line = (first..settings.buyers).step_by(threads as usize).map(|buyer| {
            let mut dice = Dice::of(settings.seed, number, buyer);
            (Visit::unserved(buyer, settings.qty.roll(&mut dice)), dice)
        });
        // Everything that can be ready before the gun is.
        let mut next = line.next();
        let mut served = Vec::with_capacity(settings.buyers.div_ceil(threads) as usize);
        drop(lined_up);
        let gun = gate.wait()?;
        while let Some((mut visit, mut dice)) = next {
            if !control.is_stopped() {
                visit = serve(strategy, &mut shop, visit, &settings.policy, &mut dice);
                visit.count_from(gun);
            }
            served.push(visit);
            if served.len() % SERVED_STEP == 0 {
                control.count_served(SERVED_STEP as u64);
            }
            next = line.next();
        }
        control.count_served((served.len() % SERVED_STEP) as u64);
        Some((served, shop.into_connection().into_tally()))
    };
    let needs_a_clerk = strategy.about().needs.contains(&OpKind::Queue);

    thread::scope(|scope| {
        let starter = gate.starter();
        let lined_up = WaitGroup::new();
        let refused = |given: u32| {
            Error::world(format!(
                "the operating system gave {} of {} threads; let fewer serve the buyers in turn, \
                 such as --threads {}",
                count(given),
                count(threads),
                (given / 2).max(1)
            ))
        };
        let new_thread = || thread::Builder::new().stack_size(STACK_BYTES);
        let clerk = match needs_a_clerk {
            false => None,
            true => Some(
                new_thread()
                    .spawn_scoped(scope, || {
                        let mut shop = connect();
                        // A clerk that fails leaves its buyers waiting, who then say so themselves.
                        let _ = complete(strategy.clerk(&mut shop));
                        shop.into_connection().into_tally()
                    })
                    .map_err(|_| refused(0))?,
            ),
        };
        let mut buyers = Vec::with_capacity(threads as usize);
        for first in 0..threads {
            let lined_up = lined_up.clone();
            match new_thread().spawn_scoped(scope, move || work(first, lined_up)) {
                Ok(buyer) => buyers.push(buyer),
                Err(_) => {
                    store.close();
                    return Err(refused(first));
                }
            }
        }
        lined_up.wait();
        starter.fire(clock.now());

        for buyer in buyers {
            match buyer.join() {
                Ok(Some((served, counted))) => {
                    visits.extend(served);
                    tally.merge(&counted);
                }
                Ok(None) => {}
                Err(panic) => {
                    store.close();
                    std::panic::resume_unwind(panic);
                }
            }
        }
        store.close();
        if let Some(clerk) = clerk {
            tally.merge(&clerk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        Ok(())
    })?;

    Ok(Round { number, store: L::NAME, stock: settings.stock, visits, books: store.books(), tally })
}
