//! A lesson: a page of `docs/lessons/`, read from its Markdown.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::prose::Prose;

/// The pages, in order.
const PAGES: [&str; 10] = [
    include_str!("../../../docs/lessons/01-the-double-sale.md"),
    include_str!("../../../docs/lessons/02-the-lock.md"),
    include_str!("../../../docs/lessons/03-compare-and-swap.md"),
    include_str!("../../../docs/lessons/04-versions.md"),
    include_str!("../../../docs/lessons/05-holds-and-timers.md"),
    include_str!("../../../docs/lessons/06-paying-twice.md"),
    include_str!("../../../docs/lessons/07-isolation-levels.md"),
    include_str!("../../../docs/lessons/08-the-lock-that-expired.md"),
    include_str!("../../../docs/lessons/09-rice-and-iphones.md"),
    include_str!("../../../docs/lessons/10-the-majority.md"),
];

/// One lesson.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    /// Its number and its title, as its first heading has them.
    pub(crate) title: String,
    /// What stands before the first part.
    pub(crate) opening: Vec<Block>,
    /// Its parts, in order.
    pub(crate) parts: Vec<Part>,
}

/// What stands below one heading of a lesson.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// The heading.
    pub(crate) title: String,
    /// What is shown at once.
    pub(crate) blocks: Vec<Block>,
    /// What the page folds away until the reader has thought about it.
    pub(crate) answer: Vec<Block>,
}

/// A block of a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// A paragraph, or an item of a list with the mark that stands before it.
    Prose { mark: String, text: Prose },
    /// Code to read.
    Code(String),
    /// A command to run, and what the page shows of its output.
    Command { command: String, shown: Vec<String> },
}

impl Lesson {
    /// All lessons, in order.
    pub(crate) fn all() -> Vec<Self> {
        PAGES.iter().map(|page| Self::read(page)).collect()
    }

    /// Reads a page. What follows a horizontal rule is for readers of the page only.
    fn read(page: &str) -> Self {
        let mut reader = Reader::default();
        for event in Parser::new(page) {
            if event == Event::Rule {
                break;
            }
            reader.take(event);
        }
        reader.lesson
    }
}

impl Part {
    /// The letters of the choices, if this part asks the reader to choose.
    pub(crate) fn choices(&self) -> Vec<String> {
        let letter = |block: &Block| match block {
            Block::Prose { mark, text } if !mark.is_empty() => text.letter(),
            _ => None,
        };
        self.blocks.iter().filter_map(letter).collect()
    }

    /// The letter of the right choice: the answer begins with it.
    pub(crate) fn right_choice(&self) -> Option<String> {
        match self.answer.first()? {
            Block::Prose { text, .. } => text.letter(),
            _ => None,
        }
    }
}

/// Puts a lesson together from the events of its Markdown.
#[derive(Default)]
struct Reader {
    lesson: Lesson,
    text: Prose,
    /// The mark of the list's next item, and of the item that is being read.
    next_mark: Option<u64>,
    mark: String,
    is_answer: bool,
    language: Option<String>,
    code: String,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::End(TagEnd::Heading(_)) => self.head(),
            Event::Start(Tag::List(first)) => self.next_mark = first,
            Event::Start(Tag::Item) => self.mark = self.mark_of_item(),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => self.end_prose(),
            Event::Start(Tag::CodeBlock(kind)) => {
                let words = match kind {
                    CodeBlockKind::Fenced(words) => words.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.language = Some(words);
            }
            Event::Text(text) if self.language.is_some() => self.code.push_str(&text),
            Event::End(TagEnd::CodeBlock) => self.end_code(),
            Event::Html(html) if html.starts_with("<details>") => self.is_answer = true,
            Event::Html(html) if html.starts_with("</details>") => self.is_answer = false,
            other => self.text.take(other),
        }
    }

    fn head(&mut self) {
        let title = std::mem::take(&mut self.text).plain();
        match self.lesson.title.is_empty() {
            true => self.lesson.title = title,
            false => self.lesson.parts.push(Part { title, ..Part::default() }),
        }
    }

    fn mark_of_item(&mut self) -> String {
        match &mut self.next_mark {
            None => "- ".into(),
            Some(number) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
        }
    }

    fn end_prose(&mut self) {
        let text = std::mem::take(&mut self.text);
        let mark = std::mem::take(&mut self.mark);
        if !text.is_empty() {
            self.push(Block::Prose { mark, text });
        }
    }

    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.code);
        if self.language.take().as_deref() != Some("console") {
            return self.push(Block::Code(code));
        }
        for example in code.split("$ ").skip(1) {
            let mut lines = example.trim_end().lines().map(str::to_owned);
            let command = lines.next().unwrap_or_default();
            self.push(Block::Command { command, shown: lines.collect() });
        }
    }

    fn push(&mut self, block: Block) {
        match self.lesson.parts.last_mut() {
            None => self.lesson.opening.push(block),
            Some(part) if self.is_answer => part.answer.push(block),
            Some(part) => part.blocks.push(block),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: [&str; 6] =
        ["Predict", "See it break", "See why", "Fix", "See the proof", "Exercise"];

    fn command(block: &Block) -> Option<(&str, &[String])> {
        match block {
            Block::Command { command, shown } => Some((command, shown)),
            _ => None,
        }
    }

    fn commands(blocks: &[Block]) -> Vec<(&str, &[String])> {
        blocks.iter().filter_map(command).collect()
    }

    #[test]
    fn every_lesson_has_the_one_form() {
        for (place, lesson) in Lesson::all().iter().enumerate() {
            let title = &lesson.title;
            assert!(title.starts_with(&format!("{}. ", place + 1)), "{title}");
            assert!(!lesson.opening.is_empty(), "{title}");
            let titles: Vec<&str> = lesson.parts.iter().map(|part| part.title.as_str()).collect();
            assert_eq!(titles, FORM, "{title}");
            for (part, name) in lesson.parts.iter().zip(FORM) {
                let has_answer = ["Predict", "Exercise"].contains(&name);
                assert_eq!(!part.answer.is_empty(), has_answer, "{title}, {name}");
                assert!(!part.blocks.is_empty(), "{title}, {name}");
            }
        }
    }

    #[test]
    fn every_prediction_has_three_choices_and_an_answer_among_them() {
        for lesson in Lesson::all() {
            let predict = &lesson.parts[0];
            assert_eq!(predict.choices(), ["a", "b", "c"], "{}", lesson.title);
            let right = predict.right_choice().unwrap_or_default();
            assert!(predict.choices().contains(&right), "{}: {right:?}", lesson.title);
        }
    }

    #[test]
    fn every_lesson_shows_what_breaks_and_what_is_proved() {
        for lesson in Lesson::all() {
            let shows = |part: usize, word: &str| {
                let commands = commands(&lesson.parts[part].blocks);
                commands.iter().any(|(_, shown)| shown.iter().any(|line| line.contains(word)))
            };
            assert!(shows(1, " BROKEN "), "{}", lesson.title);
            assert!(shows(3, " SAFE SO FAR "), "{}", lesson.title);
            assert!(shows(4, " PROVED "), "{}", lesson.title);
            assert!(!commands(&lesson.parts[5].answer).is_empty(), "{}", lesson.title);
        }
    }

    #[test]
    fn every_command_of_a_lesson_is_one_of_this_program() {
        for lesson in Lesson::all() {
            for part in &lesson.parts {
                for (command, _) in commands(&[part.blocks.clone(), part.answer.clone()].concat()) {
                    let words = shlex::split(command).unwrap_or_default();
                    assert_eq!(words.first().map(String::as_str), Some("oversell-sim"));
                    let is_shell = |word: &String| ["|", ">", "&&", ";"].contains(&word.as_str());
                    assert!(!words.iter().any(is_shell), "{}: {command}", lesson.title);
                }
            }
        }
    }

    #[test]
    fn a_page_is_read_into_parts_blocks_and_answers() {
        let lesson = Lesson::read(
            "# 1. A\n\nSome *words*.\n\n## Predict\n\n1. one\n2. two\n\n- **a.** x\n\n<details>\n\
             <summary>Answer</summary>\n\n**a.** y\n\n</details>\n\n## Fix\n\n```console\n$ one\n1\n\
             $ two\n```\n\n---\n\nNext\n",
        );
        assert_eq!((lesson.title.as_str(), lesson.opening.len()), ("1. A", 1));
        let [predict, fix] = &lesson.parts[..] else { panic!("{:?}", lesson.parts) };
        let mark = |block: &Block| match block {
            Block::Prose { mark, .. } => mark.clone(),
            _ => String::new(),
        };
        let marks: Vec<String> = predict.blocks.iter().map(mark).collect();
        assert_eq!(marks, ["1. ", "2. ", "- "]);
        assert_eq!(
            (predict.choices(), predict.right_choice()),
            (vec!["a".into()], Some("a".into()))
        );
        assert_eq!(commands(&fix.blocks), [("one", &["1".to_owned()][..]), ("two", &[])]);
    }
}
