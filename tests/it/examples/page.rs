//! A document's fenced blocks, and the commands in them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// A document of the project.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// The first word after the fence.
    pub(crate) language: String,
    /// The second word: the file that the reader is to put the block into.
    pub(crate) file: Option<String>,
    pub(crate) text: String,
    /// Where its text stands in the page.
    pub(crate) place: Range<usize>,
}

/// A command, and what the document shows as its output.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
}

/// README.md, and every page under docs/.
pub(crate) fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap().flatten() {
            let path = folder.join(entry.file_name());
            match root.join(&path).is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "md") => paths.push(path),
                false => {}
            }
        }
    }
    paths.sort();
    let read = |path: PathBuf| Page { text: fs::read_to_string(root.join(&path)).unwrap(), path };
    paths.into_iter().map(read).collect()
}

impl Page {
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut found: Vec<Block> = Vec::new();
        let mut is_in_block = false;
        for (event, place) in Parser::new(&self.text).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let mut words = info.split_whitespace().map(str::to_owned);
                    let language = words.next().unwrap_or_default();
                    let empty = place.start..place.start;
                    let file = words.next();
                    found.push(Block { language, file, text: String::new(), place: empty });
                    is_in_block = true;
                }
                Event::Text(_) if is_in_block => {
                    let block = found.last_mut().unwrap();
                    let start = if block.text.is_empty() { place.start } else { block.place.start };
                    block.place = start..place.end;
                    block.text = self.text[block.place.clone()].to_owned();
                }
                Event::End(TagEnd::CodeBlock) => is_in_block = false,
                _ => {}
            }
        }
        found
    }

    /// Where its links lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let target = |event| match event {
            Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
            _ => None,
        };
        Parser::new(&self.text).filter_map(target).collect()
    }

    /// Its headings, as a link names them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut is_in_heading = false;
        for event in Parser::new(&self.text) {
            match event {
                Event::Start(Tag::Heading { .. }) => {
                    is_in_heading = true;
                    found.push(String::new());
                }
                Event::End(TagEnd::Heading(_)) => is_in_heading = false,
                Event::Text(text) | Event::Code(text) if is_in_heading => {
                    found.last_mut().unwrap().push_str(&text);
                }
                _ => {}
            }
        }
        let slug = |heading: String| -> String {
            let kept =
                heading.chars().filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
            kept.flat_map(char::to_lowercase)
                .map(|sign| if sign == ' ' { '-' } else { sign })
                .collect()
        };
        found.into_iter().map(slug).collect()
    }
}

impl Block {
    pub(crate) fn has_commands(&self) -> bool {
        matches!(self.language.as_str(), "console" | "sh")
    }

    /// Its commands: of a `console` block with their outputs, of a `sh` block alone.
    pub(crate) fn examples(&self) -> Vec<Example> {
        let mut found: Vec<Example> = Vec::new();
        let mut goes_on = false;
        for line in self.text.lines() {
            let command = match self.language.as_str() {
                "console" => line.strip_prefix("$ "),
                _ if line.is_empty() || line.starts_with('#') => continue,
                _ => Some(line),
            };
            match (goes_on, command, found.last_mut()) {
                (true, _, Some(last)) => {
                    last.command.push('\n');
                    last.command.push_str(line);
                }
                (_, Some(command), _) => {
                    found.push(Example { command: command.to_owned(), output: Vec::new() });
                }
                (_, None, Some(last)) => last.output.push(line.to_owned()),
                (_, None, None) => panic!("output without a command: {line}"),
            }
            let is_command = goes_on || command.is_some();
            goes_on = is_command && line.ends_with('\\');
        }
        found
    }
}
