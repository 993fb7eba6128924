//! What a person types at a prompt, line by line, where Ctrl-C ends the waiting.

use std::io::{BufRead, IsTerminal, Read};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::base::error::Error;
use crossbeam::channel::{Receiver, bounded};
use crossbeam::select;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::interrupt::work_begins;
use super::output::to_stdout;

/// The longest line that is read.
const LONGEST_LINE: u64 = 4096;

/// What came at the prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Nothing more will come.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Standard input, read by a thread of its own, and Ctrl-C beside it.
#[derive(Debug)]
pub(super) struct Keyboard {
    lines: Receiver<String>,
    interrupts: Receiver<()>,
}

impl Keyboard {
    /// Reads from now on. Both threads end with the program.
    pub(super) fn open() -> Result<Self, Error> {
        let (bell, rung) = UnixStream::pair().map_err(cannot_read)?;
        for signal in [SIGINT, SIGTERM] {
            let bell = bell.try_clone().map_err(cannot_read)?;
            pipe::register(signal, bell).map_err(cannot_read)?;
        }
        work_begins();
        let (interrupt, interrupts) = bounded(1);
        spawn(move || {
            let mut rung = rung;
            while rung.read_exact(&mut [0]).is_ok() && interrupt.send(()).is_ok() {}
        })?;
        let (line, lines) = bounded(0);
        spawn(move || {
            while let Some(typed) = read_line() {
                if line.send(typed).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { lines, interrupts })
    }

    /// Waits for the next line. One that comes from a file or a pipe is shown, as a terminal shows what is typed.
    pub(super) fn next(&self) -> Result<Typed, Error> {
        let typed = match self.interrupts.try_recv() {
            Ok(()) => Typed::Interrupted,
            Err(_) => select! {
                recv(self.interrupts) -> _ => Typed::Interrupted,
                recv(self.lines) -> line => line.map_or(Typed::End, Typed::Line),
            },
        };
        match &typed {
            Typed::Line(line) if !std::io::stdin().is_terminal() => {
                to_stdout(&format!("{line}\n"))?
            }
            Typed::Line(_) => {}
            Typed::End | Typed::Interrupted => to_stdout("\n")?,
        }
        Ok(typed)
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::Builder::new().spawn(work).map(drop).map_err(cannot_read)
}

/// The next line of standard input; none if there is no more.
fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LONGEST_LINE).read_line(&mut line);
    matches!(read, Ok(1..)).then(|| line.trim().to_owned())
}

fn cannot_read(error: std::io::Error) -> Error {
    Error::world(format!("cannot wait for what is typed: {error}"))
}
