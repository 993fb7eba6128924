//! The progress bar: only on a terminal, and only while work goes on.

use std::io::IsTerminal;
use std::thread;
use std::time::Duration;

use crate::worlds::threads::Control;
use crossbeam::channel::{bounded, tick};
use crossbeam::select;
use indicatif::{ProgressBar, ProgressStyle};

/// How often it is redrawn.
const TICK: Duration = Duration::from_millis(100);

const TEMPLATE: &str = "{msg} [{bar:30}] {human_pos} of {human_len} buyers · {eta} left";

/// Does the work. If `wanted` and standard error is a terminal, shows how many of `buyers` have been
/// served meanwhile.
pub(crate) fn watched<T>(
    buyers: u64,
    name: &str,
    wanted: bool,
    control: &Control,
    work: impl FnOnce() -> T,
) -> T {
    if !wanted || !std::io::stderr().is_terminal() {
        return work();
    }
    let style = ProgressStyle::with_template(TEMPLATE)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ");
    let bar = ProgressBar::new(buyers).with_style(style).with_message(name.to_owned());
    let served_before = control.served();
    let (end, ended) = bounded::<()>(0);
    thread::scope(|scope| {
        let bar = &bar;
        let ticker = move || {
            let ticks = tick(TICK);
            loop {
                select! {
                    recv(ticks) -> _ => bar.set_position(control.served() - served_before),
                    recv(ended) -> _ => break,
                }
            }
        };
        // If there is no thread to be had for it, the race goes on without a bar.
        let _ = thread::Builder::new().spawn_scoped(scope, ticker);
        let done = work();
        drop(end);
        bar.finish_and_clear();
        done
    })
}
