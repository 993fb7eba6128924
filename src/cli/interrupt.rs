//! Ctrl-C: the first ends the race and lets the report be written, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use crate::base::error::Error;
use crate::worlds::threads::Control;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

#[cfg(feature = "private")]
use super::output::to_stderr;
use super::output::to_stdout;

/// A control that Ctrl-C stops. If it is verbose, it tells on standard error what is started, asked and answered, if
/// anything is.
pub(crate) fn control_telling(verbose: bool) -> Result<Control, Error> {
    let control = control()?;
    #[cfg(feature = "private")]
    if verbose {
        return Ok(control.telling(|lines| {
            if !lines.is_empty() {
                to_stderr(&format!("{lines}\n"));
            }
        }));
    }
    let _ = verbose;
    Ok(control)
}

/// Whether Ctrl-C ends the program at once: as long as there is no work, and while files are read.
static HAS_NO_WORK: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// The number of the first process of a container.
const FIRST: u32 = 1;

/// From now on, Ctrl-C ends the program at once, until there is work of which something can be reported. The system does the
/// same, but not for the first process of a container.
pub(super) fn end_at_once() -> Result<(), Error> {
    if std::process::id() != FIRST {
        return Ok(());
    }
    for signal in [SIGINT, SIGTERM] {
        let flag = Arc::clone(&HAS_NO_WORK);
        flag::register_conditional_shutdown(signal, 128 + signal, flag).map_err(cannot_listen)?;
    }
    Ok(())
}

/// From now on, Ctrl-C is heeded by what has been made to listen for it.
pub(super) fn work_begins() {
    HAS_NO_WORK.store(false, Ordering::Relaxed);
}

/// A control that Ctrl-C stops.
pub(crate) fn control() -> Result<Control, Error> {
    let control = Control::default();
    for signal in [SIGINT, SIGTERM] {
        let stop = || Arc::clone(control.stop_flag());
        flag::register_conditional_shutdown(signal, 128 + signal, stop())
            .and_then(|_| flag::register(signal, stop()))
            .map_err(cannot_listen)?;
    }
    work_begins();
    Ok(control)
}

/// A file that grows beyond what `ulimit -f` allows is an error of the write, and does not end this program: its drafts
/// are removed.
pub(super) fn outlive_too_large_files() -> Result<(), Error> {
    flag::register(SIGXFSZ, Arc::default()).map(drop).map_err(cannot_listen)
}

/// What Ctrl-C does to a program that now waits for a person, and now runs something of its own.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// While this is set, Ctrl-C ends the program at once.
    pub(crate) is_waiting: Arc<AtomicBool>,
    /// Otherwise it sets this.
    pub(crate) interrupted: Arc<AtomicBool>,
}

/// Ctrl-C for a program that waits for a person.
pub(crate) fn waiting() -> Result<Waiting, Error> {
    let waiting = Waiting::default();
    for signal in [SIGINT, SIGTERM] {
        let is_waiting = Arc::clone(&waiting.is_waiting);
        flag::register_conditional_shutdown(signal, 128 + signal, is_waiting)
            .and_then(|_| flag::register(signal, Arc::clone(&waiting.interrupted)))
            .map_err(cannot_listen)?;
    }
    work_begins();
    Ok(waiting)
}

fn cannot_listen(error: std::io::Error) -> Error {
    Error::world(format!("cannot listen for signals: {error}"))
}

/// What has come of some work; none where Ctrl-C came while something was started or set up, which is no failure.
pub(crate) fn unless_stopped<T>(
    done: Result<T, Error>,
    control: &Control,
) -> Result<Option<T>, Error> {
    control.unless_stopped(done)
}

/// The same, and prints `what` was not done.
pub(crate) fn told_unless_stopped<T>(
    done: Result<T, Error>,
    control: &Control,
    what: &str,
) -> Result<Option<T>, Error> {
    let done = unless_stopped(done, control)?;
    if done.is_none() {
        to_stdout(&format!(" INTERRUPTED     {what}\n"))?;
    }
    Ok(done)
}
