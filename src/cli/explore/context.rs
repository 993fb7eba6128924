//! The threads that search, and what may stop them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::clock::{self, Clock};
use crate::base::error::Error;
use crate::base::memory::resident_bytes;
use crate::base::monitor::Monitor;
use crate::base::text::quantity::count;
use crate::cli::output::to_stderr;
use crate::cli::progress::Progress;
use crate::cli::{Ended, interrupt};
use crate::explore::{Exploration, Limits};
use crate::render::TestCase;
use crate::worlds::threads::Control;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::flags::{ExploreArgs, LimitFlags};

/// The time between two looks at the memory that this program takes.
const LOOK_NS: u64 = 100_000_000;

/// So many threads; one a processor by default.
pub(crate) fn pool(jobs: Option<u64>) -> Result<ThreadPool, Error> {
    let threads = ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0) as usize).build();
    threads.map_err(|error| Error::world(format!("cannot start threads: {error}; try --jobs 1")))
}

/// The threads that search, the clock they are timed by, and what may stop them.
pub(super) struct SearchContext {
    threads: ThreadPool,
    clock: clock::Wall,
    most_ns: u64,
    /// The most memory that this program may take.
    most_bytes: u64,
    /// When that is looked at again, and whether it was too much.
    due_ns: AtomicU64,
    is_full: AtomicBool,
    pub(super) control: Control,
}

impl SearchContext {
    pub(super) fn start(limits: &LimitFlags) -> Result<Self, Error> {
        Self::start_with(limits, interrupt::control()?)
    }

    pub(super) fn start_with(limits: &LimitFlags, control: Control) -> Result<Self, Error> {
        let threads = pool(limits.jobs)?;
        let most_ns = limits.max_time.map_or(u64::MAX, clock::nanos);
        Ok(Self {
            threads,
            clock: clock::Wall::start(),
            most_ns,
            most_bytes: u64::MAX,
            due_ns: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
            control,
        })
    }

    /// The same for a search at a server, which ends when this program takes too much memory.
    pub(super) fn start_at_server(limits: &LimitFlags, control: Control) -> Result<Self, Error> {
        let usual = Limits::default().memory as u64;
        let most_bytes = limits.max_memory.unwrap_or(usual);
        Ok(Self { most_bytes, ..Self::start_with(limits, control)? })
    }

    /// Whether this program takes too much memory, as far as was looked.
    fn takes_too_much(&self) -> bool {
        let now = self.clock.now();
        let is_due = self.most_bytes < u64::MAX && now >= self.due_ns.load(Ordering::Relaxed);
        if is_due && !self.is_full.load(Ordering::Relaxed) {
            self.due_ns.store(now + LOOK_NS, Ordering::Relaxed);
            let is_full = resident_bytes().is_some_and(|taken| taken >= self.most_bytes);
            self.is_full.store(is_full, Ordering::Relaxed);
        }
        self.is_full.load(Ordering::Relaxed)
    }

    /// Works on these threads, and hands on how to ask whether to stop and to tell how far it is.
    pub(super) fn run<T: Send>(
        &self,
        progress: Progress<'_>,
        work: impl FnOnce(&Watcher<'_>) -> T + Send,
    ) -> T {
        let left = |most_ns: u64| Duration::from_nanos(most_ns.saturating_sub(self.clock.now()));
        self.control.end_after((self.most_ns < u64::MAX).then(|| left(self.most_ns)));
        let done = progress.watch(&self.control, || self.threads.install(|| work(&Watcher(self))));
        self.control.end_after(None);
        if self.is_full.load(Ordering::Relaxed) {
            let most = count(self.most_bytes);
            to_stderr(&format!(
                "--max-memory: the search ended when this program took {most} bytes\n"
            ));
        }
        done
    }

    pub(super) fn took(&self) -> Duration {
        Duration::from_nanos(self.clock.now())
    }

    /// The test case of a search; `again` is the command that repeats it.
    pub(super) fn test_case(
        &self,
        report: &Exploration,
        args: &ExploreArgs,
        again: &str,
        took: Duration,
    ) -> TestCase {
        let judgements = report.judge(&args.report.expectations());
        TestCase::of_exploration(report, &judgements, again, self.control.is_stopped(), took)
    }

    /// How a command has ended, if not by Ctrl-C.
    pub(super) fn ended(&self, ended: Ended) -> Ended {
        if self.control.is_stopped() { Ended::Interrupted } else { ended }
    }
}

/// Stops a search, and hears of its progress.
#[derive(Clone, Copy)]
pub(super) struct Watcher<'a>(&'a SearchContext);

impl Monitor for Watcher<'_> {
    fn is_stopped(&self) -> bool {
        self.0.control.is_stopped()
            || self.0.clock.now() >= self.0.most_ns
            || self.0.takes_too_much()
    }

    fn has_done(&self, more: u64) {
        self.0.control.count_served(more);
    }
}
