//! `learn`: the lessons of `docs/lessons/`, in the terminal.

mod lesson;
mod prose;
mod reader;
mod run;

use crate::base::error::Error;
use anstyle::Style;
use clap::Args;

use super::output::to_stdout;
use super::{Ended, interrupt};
use lesson::{Block, Lesson, Part};
use reader::{Answer, Reader};

/// What `learn` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct LearnArgs {
    /// The number of the lesson [default: list the lessons]
    lesson: Option<String>,
}

/// Whether a walk through a lesson goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    On,
    Quit,
}

pub(crate) fn run(args: &LearnArgs) -> Result<Ended, Error> {
    let lessons = Lesson::all();
    let Some(name) = &args.lesson else {
        to_stdout(&listing(&lessons))?;
        return Ok(Ended::Well);
    };
    let number = name.parse::<usize>().ok().filter(|number| (1..=lessons.len()).contains(number));
    let Some(number) = number else {
        return Err(Error::input(format!(
            "no lesson `{name}`: there are lessons 1 to {}, and `oversell-sim learn` lists them",
            lessons.len()
        )));
    };
    let mut walk = Walk {
        reader: Reader::new(interrupt::waiting()?),
        failed: None,
        is_coloured: anstream::AutoStream::choice(&std::io::stdout())
            != anstream::ColorChoice::Never,
    };
    let next = walk.lesson(&lessons[number - 1])?;
    if walk.reader.is_interrupted() {
        return Ok(Ended::Interrupted);
    }
    if next == Next::On {
        to_stdout(&match lessons.get(number) {
            Some(next) => format!(
                "\n  That was lesson {number}. Next is {}: oversell-sim learn {}\n",
                next.title,
                number + 1
            ),
            None => format!("\n  That was lesson {number}, the last.\n"),
        })?;
    }
    Ok(walk.failed.map_or(Ended::Well, Ended::WithErrors))
}

fn listing(lessons: &[Lesson]) -> String {
    let line = |lesson: &Lesson| {
        let (number, title) = lesson.title.split_once(' ').unwrap_or_default();
        format!("{number:>4} {title}\n")
    };
    let lines: String = lessons.iter().map(line).collect();
    format!("Ten lessons of five minutes each\n\n{lines}\nnext   oversell-sim learn 1\n")
}

/// A walk through a lesson.
struct Walk {
    reader: Reader,
    /// The exit code of the last command that could not be run.
    failed: Option<u8>,
    is_coloured: bool,
}

impl Walk {
    fn lesson(&mut self, lesson: &Lesson) -> Result<Next, Error> {
        let bold = Style::new().bold();
        to_stdout(&format!("{bold}{}{bold:#}\n", lesson.title))?;
        self.show(&lesson.opening)?;
        let last = lesson.parts.len() - 1;
        for (place, part) in lesson.parts.iter().enumerate() {
            to_stdout(&format!("\n{bold}{}{bold:#}\n", part.title))?;
            let mut next = self.show(&part.blocks)?;
            if next == Next::On && !part.answer.is_empty() {
                next = self.answer(part)?;
            }
            if next == Next::On && place < last {
                next = self.wait("\n  Enter to go on, q to leave ")?;
            }
            if next == Next::Quit {
                return Ok(next);
            }
        }
        Ok(Next::On)
    }

    /// Lets the reader think, and shows the answer.
    fn answer(&mut self, part: &Part) -> Result<Next, Error> {
        let choices = part.choices();
        match part.right_choice() {
            Some(right) if !choices.is_empty() => match self.choose(&choices)? {
                Answer::Quit => return Ok(Next::Quit),
                Answer::Line(line) if line == right => to_stdout("\n  Right.\n")?,
                Answer::Line(line) if !line.is_empty() => to_stdout("\n  Not quite.\n")?,
                _ => {}
            },
            _ => {
                if self.wait("\n  Think, then press Enter for the answer ")? == Next::Quit {
                    return Ok(Next::Quit);
                }
            }
        }
        self.show(&part.answer)
    }

    /// One of the choices, or an empty line from a reader who wants to see the answer.
    fn choose(&mut self, choices: &[String]) -> Result<Answer, Error> {
        let question = format!("\n  Your answer ({})? ", choices.join(", "));
        loop {
            match self.reader.ask(&question)? {
                Answer::Line(line) if !line.is_empty() && !choices.contains(&line) => {
                    let choices = choices.join(", ");
                    to_stdout(&format!("  Type {choices}, or Enter to see the answer.\n"))?;
                }
                answer => return Ok(answer),
            }
        }
    }

    fn wait(&mut self, question: &str) -> Result<Next, Error> {
        Ok(if self.reader.ask(question)? == Answer::Quit { Next::Quit } else { Next::On })
    }

    fn show(&mut self, blocks: &[Block]) -> Result<Next, Error> {
        let mut was_item = false;
        for block in blocks {
            let is_item = matches!(block, Block::Prose { mark, .. } if !mark.is_empty());
            if !(was_item && is_item) {
                to_stdout("\n")?;
            }
            was_item = is_item;
            match block {
                Block::Prose { mark, text } => to_stdout(&text.lines(mark))?,
                Block::Code(code) => {
                    let lines: String =
                        code.lines().map(|line| format!("      {line}\n")).collect();
                    to_stdout(&lines)?;
                }
                Block::Command { command, shown } => self.command(command, shown)?,
            }
            if self.reader.is_interrupted() {
                return Ok(Next::Quit);
            }
        }
        Ok(Next::On)
    }

    /// Runs a command. Where it cannot be run, such as for want of a server, what the page shows is printed instead.
    fn command(&mut self, command: &str, shown: &[String]) -> Result<(), Error> {
        let bold = Style::new().bold();
        to_stdout(&format!("  {bold}$ {command}{bold:#}\n"))?;
        let done = run::run(command, self.is_coloured)?;
        if self.reader.is_interrupted() {
            return to_stdout(&done.output);
        }
        if done.code == Some(0) {
            return to_stdout(&run::cut(&done.output, shown));
        }
        self.failed = Some(done.code.and_then(|code| u8::try_from(code).ok()).unwrap_or(3));
        to_stdout(
            "  It could not be run here. This is what the page shows, and not what was run:\n",
        )?;
        to_stdout(&shown.iter().map(|line| format!("{line}\n")).collect::<String>())
    }
}
