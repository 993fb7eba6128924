//! Progress: only on a terminal, and only while work goes on. How much is left is told where it is known.

use std::fmt::Write;
use std::io::IsTerminal;
use std::thread;
use std::time::Duration;

use crate::base::text::printable::printable;
use crate::base::text::quantity::count;
use crate::worlds::threads::Control;
use crossbeam::channel::{bounded, tick};
use crossbeam::select;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// How often it is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Work of which it is shown how far it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress<'a> {
    /// What is done.
    pub(crate) name: &'a str,
    /// What is counted, such as `buyers` or `states`.
    pub(crate) unit: &'static str,
    /// How many there are, if that is known.
    pub(crate) all: Option<u64>,
    /// Whether the person wants to see it.
    pub(crate) wanted: bool,
}

impl Progress<'_> {
    /// Does the work. If it is wanted and standard error is a terminal, shows meanwhile what is done and how far it is,
    /// as the control says.
    pub(crate) fn watch<T>(self, control: &Control, work: impl FnOnce() -> T) -> T {
        if !self.wanted || !std::io::stderr().is_terminal() {
            return work();
        }
        let bar = self.bar();
        let served_before = control.served();
        let (end, ended) = bounded::<()>(0);
        thread::scope(|scope| {
            let bar = &bar;
            let ticker = move || {
                let ticks = tick(TICK);
                loop {
                    select! {
                        recv(ticks) -> _ => self.draw(bar, control, served_before),
                        recv(ended) -> _ => break,
                    }
                }
            };
            // If there is no thread to be had for it, the work goes on without a bar.
            let _ = thread::Builder::new().spawn_scoped(scope, ticker);
            let done = work();
            drop(end);
            bar.finish_and_clear();
            done
        })
    }

    fn bar(self) -> ProgressBar {
        let bar = match self.all {
            Some(all) => ProgressBar::new(all),
            None => ProgressBar::no_length(),
        };
        bar.with_style(style(SETTING_UP))
    }

    /// The form of the line once something is done.
    fn template(self) -> String {
        let unit = self.unit;
        match self.all {
            Some(_) => {
                format!("{{msg}} [{{bar:30}}] {{human_pos}} of {{human_len}} {unit} · {{eta}} left")
            }
            None => {
                format!("{{msg}} · {{human_pos}} {unit} · {{rate}} a second · {{elapsed}}")
            }
        }
    }

    fn draw(self, bar: &ProgressBar, control: &Control, served_before: u64) {
        let served = control.served() - served_before;
        match served {
            0 => {
                let doing = control.doing().unwrap_or_else(|| self.name.to_owned());
                bar.set_message(printable(&doing).into_owned());
            }
            _ => {
                bar.set_style(style(&self.template()));
                bar.set_message(printable(self.name).into_owned());
                bar.set_position(served);
            }
        }
        bar.tick();
    }
}

/// The form of the line while nothing is done that is counted.
const SETTING_UP: &str = "{msg} · {elapsed}";

fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, line: &mut dyn Write| {
        // If it cannot be written, it is not shown.
        let _ = write!(line, "{}", count(state.per_sec() as i128));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .progress_chars("━╸ ")
}

/// Does the work. If `wanted` and standard error is a terminal, shows how many of `buyers` have been
/// served meanwhile.
pub(crate) fn watched<T>(
    buyers: u64,
    name: &str,
    wanted: bool,
    control: &Control,
    work: impl FnOnce() -> T,
) -> T {
    Progress { name, unit: "buyers", all: Some(buyers), wanted }.watch(control, work)
}
