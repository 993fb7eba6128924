//! Running text: what is emphasised in it, and how it is set on a terminal.

use anstyle::Style;
use pulldown_cmark::{Event, Tag, TagEnd};
use textwrap::{Options, WordSeparator, WordSplitter, termwidth, wrap};

/// The widest line that is easy to read.
const WIDEST: usize = 92;

/// What stands for a space where a line must not end.
const UNBROKEN: &str = "\u{a0}";

/// A text in pieces, each with its style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prose {
    pieces: Vec<(Style, String)>,
    style: Style,
    link: String,
}

impl Prose {
    /// Takes in an event of the Markdown between the start and the end of a paragraph.
    pub(crate) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.push(self.style, &text),
            // Code is not broken over lines, so that it can be copied.
            Event::Code(text) => {
                self.push(self.style, &format!("`{text}`").replace(' ', UNBROKEN));
            }
            Event::SoftBreak | Event::HardBreak => self.push(self.style, " "),
            Event::Start(Tag::Strong) => self.style = self.style.bold(),
            Event::Start(Tag::Emphasis) => self.style = self.style.italic(),
            Event::End(TagEnd::Strong | TagEnd::Emphasis) => self.style = Style::new(),
            Event::Start(Tag::Link { dest_url, .. }) => self.link = dest_url.to_string(),
            Event::End(TagEnd::Link) => {
                let link = std::mem::take(&mut self.link);
                self.push(self.style, &format!(" ({})", place_of(&link)));
            }
            _ => {}
        }
    }

    fn push(&mut self, style: Style, text: &str) {
        self.pieces.push((style, text.to_owned()));
    }

    /// Whether there is no text in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text alone.
    pub(crate) fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The letter of the choice that it names, as in "**a.** Yes".
    pub(crate) fn letter(&self) -> Option<String> {
        let (style, text) = self.pieces.first()?;
        let letter = text.strip_suffix('.').filter(|letter| letter.len() == 1)?;
        (*style == Style::new().bold()).then(|| letter.to_owned())
    }

    /// The text in lines that fit the terminal, behind a mark such as that of a list.
    pub(crate) fn lines(&self, mark: &str) -> String {
        let styled: String =
            self.pieces.iter().map(|(style, text)| format!("{style}{text}{style:#}")).collect();
        let first = format!("  {mark}");
        let rest = " ".repeat(first.len());
        let width = termwidth().min(WIDEST);
        let options = Options::new(width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        wrap(&styled, options).join("\n").replace(UNBROKEN, " ") + "\n"
    }
}

/// Where a link of a lesson leads, seen from the repository.
fn place_of(link: &str) -> String {
    let page = link.split('#').next().unwrap_or(link);
    match page.strip_prefix("../") {
        Some(page) => format!("docs/{page}"),
        None => format!("docs/lessons/{page}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulldown_cmark::Parser;

    fn prose(text: &str) -> Prose {
        Parser::new(text).fold(Prose::default(), |mut prose, event| {
            prose.take(event);
            prose
        })
    }

    #[test]
    fn a_text_is_set_in_lines_behind_its_mark_and_style_takes_up_no_room() {
        let text = prose(&format!("**One** two\nthree {}", "four ".repeat(30)));
        let lines = text.lines("1. ");
        assert!(lines.starts_with("  1. \u{1b}[1mOne\u{1b}[0m "), "{lines:?}");
        let plain = anstream::adapter::strip_str(&lines).to_string();
        assert!(plain.lines().skip(1).all(|line| line.starts_with("     four")), "{plain}");
        assert!(plain.lines().all(|line| line.chars().count() <= WIDEST), "{plain}");
    }

    #[test]
    fn a_link_is_told_with_its_page() {
        let text = prose("[The survey](../reference/survey.md#x) has it.");
        assert_eq!(text.plain(), "The survey (docs/reference/survey.md) has it.");
    }

    #[test]
    fn only_a_strong_letter_at_the_beginning_names_a_choice() {
        assert_eq!(prose("**a.** yes").letter(), Some("a".into()));
        for other in ["a. **yes**", "**yes.** a", "**a** yes", ""] {
            assert_eq!(prose(other).letter(), None, "{other}");
        }
    }

    #[test]
    fn code_stands_on_one_line_with_its_marks() {
        let text = prose(&format!("{}`a command of six words here`", "word ".repeat(15)));
        let lines = anstream::adapter::strip_str(&text.lines("")).to_string();
        assert!(lines.contains("  `a command of six words here`\n"), "{lines}");
    }
}
