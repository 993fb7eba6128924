//! The commands of a lesson, run by this program itself.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::base::error::Error;
use tempfile::TempDir;

/// The scenarios that lessons name.
const SCENARIOS: [(&str, &str); 7] = [
    ("scenarios/iphone-leader.toml", include_str!("../../../scenarios/iphone-leader.toml")),
    ("scenarios/last-iphone.toml", include_str!("../../../scenarios/last-iphone.toml")),
    ("scenarios/leader-alone.toml", include_str!("../../../scenarios/leader-alone.toml")),
    ("scenarios/majority.toml", include_str!("../../../scenarios/majority.toml")),
    ("scenarios/rice-nearest.toml", include_str!("../../../scenarios/rice-nearest.toml")),
    ("scenarios/stale-naive.toml", include_str!("../../../scenarios/stale-naive.toml")),
    ("scenarios/unsynced.toml", include_str!("../../../scenarios/unsynced.toml")),
];

/// The mark in a page for lines that are left out.
const LEFT_OUT: &str = "…";

/// How a command of a lesson has ended.
pub(crate) struct Done {
    /// What it wrote to standard output.
    pub(crate) output: String,
    /// Its exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
}

/// Runs a command, in a folder that holds what it names and is gone afterwards.
pub(crate) fn run(command: &str, is_coloured: bool) -> Result<Done, Error> {
    let failed = |error: std::io::Error| Error::world(format!("cannot run `{command}`: {error}"));
    let words = shlex::split(command).unwrap_or_default();
    let folder = TempDir::new().map_err(failed)?;
    lay_out(folder.path(), &words).map_err(failed)?;
    let color = if is_coloured { "always" } else { "never" };
    let child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["--color", color])
        .args(words.iter().skip(1))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    Ok(Done {
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        code: output.status.code(),
    })
}

/// Writes the scenarios that a command names.
fn lay_out(folder: &Path, words: &[String]) -> std::io::Result<()> {
    for (name, text) in SCENARIOS.iter().filter(|(name, _)| words.iter().any(|it| it == name)) {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// As much of an output as the page shows: some first lines and, after lines that are left out, some last ones.
pub(crate) fn cut(output: &str, shown: &[String]) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let Some(head) = shown.iter().position(|line| line.trim() == LEFT_OUT) else {
        return output.to_owned();
    };
    let tail = shown.len() - head - 1;
    if lines.len() <= head + tail {
        return output.to_owned();
    }
    let (first, last) = (&lines[..head], &lines[lines.len() - tail..]);
    [first, &[" …"], last].concat().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::lesson::{Block, Lesson};
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_output_is_cut_where_the_page_cuts_it() {
        assert_eq!(cut("1\n2\n3\n4\n", &lines("a\n …\nb")), "1\n …\n4\n");
        assert_eq!(cut("1\n2\n3\n", &lines("a\n …")), "1\n …\n");
        assert_eq!(cut("1\n2\n", &lines("a\nb")), "1\n2\n");
        assert_eq!(cut("1\n2\n", &lines("a\n …\nb")), "1\n2\n");
    }

    #[test]
    fn every_scenario_that_a_lesson_names_is_there_and_no_other() {
        let blocks = |lesson: Lesson| {
            lesson.parts.into_iter().flat_map(|part| [part.blocks, part.answer].concat())
        };
        let commands = Lesson::all().into_iter().flat_map(blocks).filter_map(|block| match block {
            Block::Command { command, .. } => Some(command),
            _ => None,
        });
        let mut named: Vec<String> = commands
            .flat_map(|command| shlex::split(&command).unwrap_or_default())
            .filter(|word| word.ends_with(".toml"))
            .collect();
        named.sort();
        named.dedup();
        assert_eq!(named, SCENARIOS.map(|(name, _)| name));
    }
}
