//! The keeper: a process of its own that ends the servers of a directory and removes it, however this process ends.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::home::{Home, NOBODY, is_root};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;

/// The longest that a keeper may take: it gives the servers ten seconds to end before it kills them.
const ENDING: Duration = Duration::from_secs(60);

/// How often to check whether it has ended. A server that has ended is waited for as often.
const GLANCE: Duration = Duration::from_millis(5);

/// The keeper of a directory.
pub(super) struct Keeper {
    home: Home,
    signal: String,
    process: Child,
}

impl Keeper {
    /// Starts the keeper of these directories, which ends servers with this signal.
    pub(super) fn start(home: &Home, signal: &str) -> io::Result<Self> {
        // It prints nothing: by its standard output, it keeps the directory locked.
        let output = home.lock().map_or_else(Stdio::null, Stdio::from);
        let process = Command::new("sh")
            .args(["-c", include_str!("keeper.sh"), "keeper"])
            .arg(home.ours())
            .args([signal, "server"])
            .arg(if is_root() { NOBODY.to_string() } else { String::new() })
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(Stdio::null())
            // Ctrl-C must reach this process only, and not the keeper.
            .process_group(0)
            .spawn()?;
        Ok(Self { home: home.clone(), signal: signal.to_owned(), process })
    }

    /// The directory that it removes.
    pub(super) fn dir(&self) -> &Path {
        self.home.ours()
    }

    /// What is in the environment of the programs that it ends.
    pub(super) fn mark(&self) -> &str {
        self.home.mark()
    }

    /// Tells it which processes there are. One that was killed hears nothing, and another one takes its place. False if
    /// none can.
    pub(super) fn hear(&mut self, line: &str) -> bool {
        self.tell(line) || self.is_replaced() && self.tell(line)
    }

    fn tell(&mut self, line: &str) -> bool {
        let pipe = self.process.stdin.as_mut();
        pipe.is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok())
    }

    /// Puts another keeper in its place.
    fn is_replaced(&mut self) -> bool {
        let _ = self.process.kill();
        let _ = self.process.wait();
        match Self::start(&self.home, &self.signal) {
            Ok(other) => {
                *self = other;
                true
            }
            Err(_) => false,
        }
    }

    /// Has it end the processes of this line and remove the directory, and waits until it has. `meanwhile` is called again
    /// and again. If the keeper was killed, another one does its work.
    pub(super) fn dismiss(&mut self, line: &str, mut meanwhile: impl FnMut()) {
        let is_done = self.has_ended_well(&mut meanwhile)
            || self.is_replaced() && self.tell(line) && self.has_ended_well(&mut meanwhile);
        if !is_done {
            let _ = fs::remove_dir_all(self.home.ours());
        }
    }

    /// Lets it begin, and waits until it has ended.
    fn has_ended_well(&mut self, meanwhile: &mut impl FnMut()) -> bool {
        drop(self.process.stdin.take());
        let (clock, control) = (Wall::start(), Control::default());
        while clock.now() < nanos(ENDING) {
            meanwhile();
            match self.process.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => control.pause(GLANCE),
                Err(_) => return false,
            };
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory, and a process that is to end.
    fn kept() -> (Home, Child) {
        let mut sleeps = Command::new("sleep");
        (Home::make().unwrap(), sleeps.arg("1000").process_group(0).spawn().unwrap())
    }

    fn dismiss(keeper: &mut Keeper, process: &mut Child) {
        keeper.dismiss(&format!("{}\n", process.id()), || {
            let _ = process.try_wait();
        });
    }

    #[test]
    fn a_keeper_that_was_killed_is_replaced_when_it_is_told_something_and_at_the_end() {
        for told_after in [false, true] {
            let (home, mut process) = kept();
            let mut keeper = Keeper::start(&home, "TERM").unwrap();
            let line = format!("{}\n", process.id());
            assert!(keeper.hear(&line));
            keeper.process.kill().unwrap();
            let killed = keeper.process.id();
            let _ = keeper.process.wait();
            if told_after {
                assert!(keeper.hear(&line));
                assert_ne!(keeper.process.id(), killed);
            }
            dismiss(&mut keeper, &mut process);
            assert!(process.try_wait().unwrap().is_some(), "the process runs on");
            assert!(!home.ours().exists(), "the directory is left");
        }
    }
}
