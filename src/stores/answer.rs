//! What is waited for, and how much of it is taken in: one answer of a server, and one connection to it.

use std::time::Duration;

#[cfg(any(feature = "mysql", feature = "redis"))]
use crossbeam::channel::{RecvTimeoutError, bounded};

use crate::base::control::Control;
use crate::describe::checkout::StoreValue;

/// How much longer than a buyer's patience an answer may take: the server itself gives up before.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long an answer may still take once the work is to end. A server that works answers in this time, so that what was
/// done is known; of one that does not, nothing more is to be known.
pub(super) const AT_THE_END: Duration = Duration::from_secs(3);

/// The same for a connection: nothing is under way on it that could be known.
const CONNECTING_AT_THE_END: Duration = Duration::from_secs(1);

/// How often to check whether the work is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// The largest answer to a statement that is kept, in bytes.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The wait for one answer: bounded, and bounded more closely once the work is to end.
#[derive(Debug)]
pub(super) struct AnswerWait<'c> {
    control: &'c Control,
    left: Duration,
    at_the_end: Duration,
    is_at_the_end: bool,
    /// Most answers come in the first glance: whether the work is to end, which all threads share, is not asked before.
    has_waited: bool,
}

impl<'c> AnswerWait<'c> {
    /// A wait for at most `within`.
    pub(super) fn new(control: &'c Control, within: Duration) -> Self {
        let (is_at_the_end, has_waited) = (false, false);
        Self { control, left: within, at_the_end: AT_THE_END, is_at_the_end, has_waited }
    }

    /// The same for a connection that is being opened.
    pub(super) fn connecting(control: &'c Control, within: Duration) -> Self {
        Self { at_the_end: CONNECTING_AT_THE_END, ..Self::new(control, within) }
    }

    /// How long to wait before this is asked again; none if the time is up.
    pub(super) fn glance(&mut self) -> Option<Duration> {
        if self.has_waited && !self.is_at_the_end && self.control.is_over() {
            self.is_at_the_end = true;
            self.left = self.left.min(self.at_the_end);
        }
        let glance = self.left.min(GLANCE);
        self.has_waited = true;
        self.left -= glance;
        (!glance.is_zero()).then_some(glance)
    }

    /// Why the answer is no longer waited for.
    pub(super) fn given_up(&self) -> &'static str {
        Self::why(self.is_at_the_end)
    }

    /// Why an answer is no longer waited for: the work is to end, or else the time is up.
    pub(super) fn why(is_at_the_end: bool) -> &'static str {
        match is_at_the_end {
            true => "interrupted while an answer was waited for",
            false => "no answer in time",
        }
    }
}

/// Connects on a thread of its own, for a client that cannot be interrupted while it connects. The thread that gets no
/// answer in time goes on until its client gives up, and what it gets then is closed.
#[cfg(any(feature = "mysql", feature = "redis"))]
pub(super) fn connect_within<T: Send + 'static>(
    control: &Control,
    within: Duration,
    connect: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (tells, told) = bounded(1);
    let work = move || {
        let _ = tells.send(connect());
    };
    let thread = std::thread::Builder::new().name("connect".into()).spawn(work);
    thread.map_err(|error| format!("cannot start a thread: {error}"))?;
    let mut wait = AnswerWait::connecting(control, within);
    while let Some(glance) = wait.glance() {
        match told.recv_timeout(glance) {
            Ok(connected) => return connected,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("the client has failed".into()),
        }
    }
    Err(wait.given_up().into())
}

/// How much of an answer has come.
#[derive(Debug, Default)]
pub(super) struct AnswerSize(usize);

impl AnswerSize {
    /// What is said of an answer that is too large.
    pub(super) const TOO_LARGE: &'static str =
        "the answer takes more than 64 MiB; have the statement return fewer rows";

    /// Adds a row; false if the answer is too large now.
    pub(super) fn add(&mut self, row: &[StoreValue]) -> bool {
        let texts = row.iter().map(|value| match value {
            StoreValue::Text(text) | StoreValue::Decimal(text) => text.len(),
            StoreValue::Null | StoreValue::Int(_) | StoreValue::Real(_) => 0,
        });
        self.0 += size_of::<Vec<StoreValue>>() + size_of_val(row) + texts.sum::<usize>();
        self.0 <= MOST_BYTES
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// How long a wait would take, if nothing came.
    fn all(wait: &mut AnswerWait<'_>) -> Duration {
        std::iter::from_fn(|| wait.glance()).sum()
    }

    #[test]
    fn a_wait_has_its_bound_and_a_closer_one_once_the_work_is_to_end() {
        let control = Control::default();
        let within = Duration::from_secs(35);
        let mut wait = AnswerWait::new(&control, within);
        assert_eq!(all(&mut wait), within);
        assert_eq!(wait.given_up(), "no answer in time");
        let mut wait = AnswerWait::new(&control, within);
        assert_eq!(wait.glance(), Some(GLANCE));
        control.stop_flag().store(true, Ordering::Relaxed);
        assert_eq!(all(&mut wait), AT_THE_END);
        assert_eq!(wait.given_up(), "interrupted while an answer was waited for");
        // It is never made longer.
        let mut wait = AnswerWait::new(&control, GLANCE);
        assert_eq!(all(&mut wait), GLANCE);
    }

    #[cfg(any(feature = "mysql", feature = "redis"))]
    #[test]
    fn a_client_that_connects_for_ever_is_not_waited_for() {
        let (keeps, kept) = bounded::<()>(0);
        let control = Control::default();
        let connect = move || match kept.recv() {
            Ok(()) | Err(_) => Ok(()),
        };
        let connected = connect_within(&control, GLANCE, connect);
        assert_eq!(connected, Err("no answer in time".into()));
        drop(keeps);
        assert_eq!(connect_within(&control, AT_THE_END, || Ok(1)), Ok(1));
    }

    #[test]
    fn an_answer_is_too_large_by_its_rows_or_by_its_texts() {
        let mut size = AnswerSize::default();
        let row = [StoreValue::Int(1)];
        let most = MOST_BYTES / (size_of::<Vec<StoreValue>>() + size_of_val(&row));
        assert!((0..most).all(|_| size.add(&row)));
        assert!(!size.add(&row));
        let text = StoreValue::Text("x".repeat(MOST_BYTES));
        assert!(!AnswerSize::default().add(&[text]));
    }
}
