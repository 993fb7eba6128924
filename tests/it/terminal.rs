//! A terminal in which a program runs: what it shows, and keys that are typed. It is one of `script`'s, which every Linux
//! has, and so the program finds a real one.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// The longest wait until something more is shown.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most pieces in which what is waited for is shown.
const MOST_PIECES: usize = 10_000;

/// A terminal.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    chunks: Receiver<String>,
    seen: String,
}

impl Terminal {
    /// Runs a command line in a new terminal of 80 columns, in a folder, with these programs before others.
    pub(crate) fn run(command: &str, folder: &Path, programs: &Path) -> Self {
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let command = format!("stty cols 80 rows 24; exec {command}");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .current_dir(folder)
            .env("PATH", path)
            .env("TERM", "xterm")
            .env("HOME", folder)
            .env("INPUTRC", "/dev/null")
            .env("SHELL", "/bin/sh")
            .envs([("LC_ALL", "C.UTF-8"), ("HISTFILE", "/dev/null")])
            .env_remove("COLUMNS")
            .env_remove("EDITOR")
            .env_remove("VISUAL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let keys = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (send, chunks) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if send.send(String::from_utf8_lossy(&buffer[..read]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { child, keys, chunks, seen: String::new() }
    }

    /// Types these keys.
    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until this is shown, after what was waited for before. Returns what was shown until then.
    pub(crate) fn wait_for(&mut self, what: &str) -> String {
        for _ in 0..MOST_PIECES {
            if let Some(place) = self.seen.find(what) {
                let rest = self.seen.split_off(place + what.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.seen += &chunk,
                Err(why) => panic!("{what:?} is not shown ({why}) but {:?}", self.seen),
            }
        }
        panic!("{what:?} is not shown but {:?}", self.seen);
    }

    /// Waits until the program has ended. Returns how, and what was shown since.
    pub(crate) fn wait_for_end(&mut self) -> (ExitStatus, String) {
        for _ in 0..MOST_PIECES {
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.seen += &chunk,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:?}", self.seen),
            }
        }
        (self.child.wait().unwrap(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What has ended cannot be ended; else the terminal hangs up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
