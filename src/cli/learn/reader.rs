//! The person who reads a lesson: what is asked of them, and what they answer.

use std::io::{BufRead, IsTerminal, Read};
use std::sync::atomic::Ordering;

use super::super::interrupt::Waiting;
use super::super::output::to_stdout;
use crate::base::error::Error;

/// The longest line that is read.
const LONGEST_LINE: u64 = 4096;

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A line, perhaps empty.
    Line(String),
    /// None was asked for: what is printed is read later, or by a program.
    Unasked,
    /// The reader has had enough.
    Quit,
}

/// Who reads.
pub(crate) struct Reader {
    /// Whether there is a line to be had.
    is_asked: bool,
    waiting: Waiting,
}

impl Reader {
    /// A reader at a terminal, or one whose answers stand in a file. What goes from a terminal into a file or a pipe
    /// asks nothing.
    pub(crate) fn new(waiting: Waiting) -> Self {
        let is_asked = !std::io::stdin().is_terminal() || std::io::stdout().is_terminal();
        Self { is_asked, waiting }
    }

    /// Whether Ctrl-C was pressed while a command ran.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.waiting.interrupted.load(Ordering::SeqCst)
    }

    /// Asks, and waits for a line. Ctrl-C ends the program here.
    pub(crate) fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        if !self.is_asked {
            return Ok(Answer::Unasked);
        }
        let is_terminal = std::io::stdin().is_terminal();
        if is_terminal {
            to_stdout(question)?;
        }
        // First this, then a look: no Ctrl-C falls between the two.
        self.waiting.is_waiting.store(true, Ordering::SeqCst);
        if self.is_interrupted() {
            return Ok(Answer::Quit);
        }
        let mut line = Vec::new();
        let read = std::io::stdin().lock().take(LONGEST_LINE).read_until(b'\n', &mut line);
        self.waiting.is_waiting.store(false, Ordering::SeqCst);
        match read {
            Ok(0) if is_terminal => {
                to_stdout("\n")?;
                return Ok(Answer::Quit);
            }
            // The answers have come to an end: the rest is printed without questions.
            Ok(0) => {
                self.is_asked = false;
                return Ok(Answer::Unasked);
            }
            Ok(_) => {}
            Err(error) => {
                return Err(Error::world(format!("cannot read standard input: {error}")));
            }
        }
        let line = String::from_utf8_lossy(&line).trim().to_lowercase();
        if !is_terminal {
            to_stdout(&format!("{question}{line}\n"))?;
        }
        Ok(match line.as_str() {
            "q" | "quit" => Answer::Quit,
            _ => Answer::Line(line),
        })
    }
}
