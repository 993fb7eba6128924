//! Buyers, an explorer, and what both know without the gate.
//!
//! What they know stands in std's atomics and mutexes: shuttle does not switch threads there, so the tests' own notes are
//! made in one step with the call that they are about.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::thread::{self, JoinHandle};

use crate::base::clock;
use crate::scheduler::{BuyerHandle, ClientCode, Footprint, Gate, PendingStatement, Waits};

/// How far time passes at once, where it passes: further than the gate waits before it asks a server.
const TICK: Duration = Duration::from_micros(500);

/// A shop with a gate.
pub(crate) struct Shop {
    pub(crate) gate: Arc<Gate>,
    /// Whether each buyer was let go on and has not come to rest since.
    moves: Vec<AtomicBool>,
    /// The buyers in the order in which they were released, and in which they sent.
    released: Mutex<Vec<usize>>,
    sent: Mutex<Vec<usize>>,
    /// How many buyers' code runs.
    running: AtomicUsize,
    /// How many buyers of the execution have left, or are about to.
    left: AtomicUsize,
    is_over: AtomicBool,
}

impl Shop {
    /// A shop whose buyers are about to come in.
    pub(crate) fn open(buyers: usize, code: ClientCode) -> Arc<Self> {
        let shop = Arc::new(Self {
            gate: Gate::of(buyers, code),
            moves: (0..buyers).map(|_| AtomicBool::new(false)).collect(),
            released: Mutex::default(),
            sent: Mutex::default(),
            running: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        shop.open_again();
        shop
    }

    /// Begins an execution.
    pub(crate) fn open_again(&self) {
        self.moves.iter().for_each(|moves| moves.store(true, SeqCst));
        self.left.store(0, SeqCst);
        self.gate.open();
    }

    /// A thread for each buyer.
    pub(crate) fn admit(
        self: &Arc<Self>,
        visit: impl Fn(&Buyer) + Send + Sync + 'static,
    ) -> Vec<JoinHandle<()>> {
        let visit = Arc::new(visit);
        let of = |place| {
            let (buyer, visit) = (self.buyer(place), Arc::clone(&visit));
            thread::spawn(move || visit(&buyer))
        };
        (0..self.moves.len()).map(of).collect()
    }

    pub(crate) fn buyer(self: &Arc<Self>, place: usize) -> Buyer {
        Buyer { shop: Arc::clone(self), place, handle: self.gate.handle(place) }
    }

    /// The buyers that were let go on and have not come to rest since.
    pub(crate) fn moving(&self) -> Vec<usize> {
        (0..self.moves.len()).filter(|place| self.moves[*place].load(SeqCst)).collect()
    }

    /// Waits until every buyer has come to rest at a server at which no session waits.
    pub(crate) fn settle(&self) -> Vec<(usize, String)> {
        self.settle_at(|| Ok(Waits::new()))
    }

    pub(crate) fn settle_at(
        &self,
        who_waits: impl FnMut() -> Result<Waits, String>,
    ) -> Vec<(usize, String)> {
        self.gate.settle(who_waits, || None, || false).expect("time is too short for silence")
    }

    /// Releases a buyer.
    pub(crate) fn release(&self, place: usize) {
        self.release_and(place, &[]);
    }

    /// Releases a buyer, so that others that are behind it arrive.
    pub(crate) fn release_and(&self, place: usize, behind: &[usize]) {
        for moves in behind.iter().chain(&[place]) {
            self.moves[*moves].store(true, SeqCst);
        }
        self.released.lock().unwrap().push(place);
        assert!(self.gate.release(place));
    }

    /// Lets a buyer try again; false if it does not wait for that.
    pub(crate) fn retry(&self, place: usize) -> bool {
        let was_moving = self.moves[place].swap(true, SeqCst);
        let retries = self.gate.retry(place);
        if !retries {
            self.moves[place].store(was_moving, SeqCst);
        }
        retries
    }

    /// Asserts that the statements were sent in the order in which they were released.
    pub(crate) fn assert_all_sent(&self) {
        assert_eq!(*self.sent.lock().unwrap(), *self.released.lock().unwrap());
    }

    /// The buyers that may be released.
    pub(crate) fn ready(&self) -> Vec<usize> {
        self.gate.ready().into_iter().map(|(place, _)| place).collect()
    }

    /// One of them, at random.
    pub(crate) fn any_ready(&self) -> Option<usize> {
        let ready = self.ready();
        (!ready.is_empty()).then(|| ready[at_most(ready.len() - 1)])
    }

    /// The first of them.
    pub(crate) fn first_ready(&self) -> Option<usize> {
        self.ready().first().copied()
    }

    /// Whether every buyer of the execution has left, or is about to.
    pub(crate) fn have_left(&self) -> bool {
        self.left.load(SeqCst) == self.moves.len()
    }

    /// Runs this while time passes, however fast.
    pub(crate) fn while_time_passes<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        let shop = Arc::clone(self);
        let ticks = thread::spawn(move || {
            while !shop.is_over.load(SeqCst) {
                clock::pass(TICK);
                thread::yield_now();
            }
        });
        let result = run();
        self.is_over.store(true, SeqCst);
        ticks.join().unwrap();
        result
    }
}

/// A number of at most so much, at random.
pub(crate) fn at_most(most: usize) -> usize {
    use shuttle::rand::Rng;
    shuttle::rand::thread_rng().gen_range(0..=most)
}

/// Waits for these threads.
pub(crate) fn join(threads: Vec<JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// One buyer's side.
pub(crate) struct Buyer {
    shop: Arc<Shop>,
    pub(crate) place: usize,
    pub(crate) handle: BuyerHandle,
}

impl Buyer {
    fn rests(&self) {
        self.shop.moves[self.place].store(false, SeqCst);
    }

    /// Waits until a statement may be sent. False if this buyer is to leave instead.
    pub(crate) fn await_release(&self, text: &str) -> bool {
        self.rests();
        let statement = PendingStatement::new(text.into(), Footprint::NOTHING);
        let is_released = self.handle.await_release(statement);
        if is_released {
            let mut sent = self.shop.sent.lock().unwrap();
            let released = self.shop.released.lock().unwrap();
            let times = |those: &[usize]| those.iter().filter(|one| **one == self.place).count();
            assert!(times(&sent) < times(&released), "not released");
            sent.push(self.place);
        }
        is_released
    }

    /// Waits until a statement may be sent, lets a server carry it out, and notes the answer. False if this buyer is to
    /// leave instead.
    pub(crate) fn send(&self, text: &str, carry_out: impl FnOnce()) -> bool {
        let is_released = self.await_release(text);
        if is_released {
            carry_out();
            self.handle.answer(format!("{text} is done"));
        }
        is_released
    }

    /// Waits until another buyer has moved. False if this buyer is to leave instead.
    pub(crate) fn await_retry(&self) -> bool {
        self.rests();
        self.handle.await_retry()
    }

    /// Stops behind another buyer's statement.
    pub(crate) fn stop_behind(&self) {
        self.rests();
        self.handle.stop_behind();
    }

    /// Code that must run alone.
    pub(crate) fn run_alone(&self) {
        assert_eq!(self.shop.running.fetch_add(1, SeqCst), 0, "another buyer's code runs");
        thread::yield_now();
        self.shop.running.fetch_sub(1, SeqCst);
    }

    pub(crate) fn leave(&self) {
        self.rests();
        self.shop.left.fetch_add(1, SeqCst);
        self.handle.leave();
    }
}
