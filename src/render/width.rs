//! How wide what is printed may be, and how it is made to fit: tables by their columns, sentences at spaces, and commands
//! so that they can still be copied. No word is broken.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width as TableWidth};
use textwrap::{Options, WordSeparator, WordSplitter};

use super::table::LABEL_WIDTH;
use crate::base::text::printable::printable;

/// Columns that there are in any case.
const LEAST: u16 = 40;

/// What a shell reads as a line that goes on.
const GOES_ON: &str = " \\";

/// How many columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(Option<u16>);

impl Width {
    /// As many as it takes: in a file or a pipe.
    pub const UNBOUNDED: Self = Self(None);

    /// So many, as in a terminal.
    #[must_use]
    pub fn of(columns: u16) -> Self {
        Self(Some(columns.max(LEAST)))
    }

    /// The number of columns, or the largest number.
    pub(super) fn columns(self) -> usize {
        self.0.map_or(usize::MAX, usize::from)
    }

    /// A text whose lines fit. The rest of a line that did not begins `hang` columns from the edge.
    #[must_use]
    pub fn folded(self, text: &str, hang: usize) -> String {
        let Some(columns) = self.0 else { return text.to_owned() };
        let indent = " ".repeat(hang);
        let options = Options::new(columns.into())
            .subsequent_indent(&indent)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        let fit = |line: &str| match textwrap::core::display_width(line) <= columns.into() {
            true => line.to_owned(),
            false => textwrap::wrap(line, &options).join("\n"),
        };
        text.split('\n').map(fit).collect::<Vec<_>>().join("\n")
    }

    /// A line of a report: its label, and its text beside it. A command goes on after `\`, as a shell reads it.
    #[must_use]
    pub fn labelled(self, label: &str, text: &str) -> String {
        let (label, text) = (printable(label), printable(text));
        let gap = if label.len() < LABEL_WIDTH { "" } else { "  " };
        let line = format!(" {label:<LABEL_WIDTH$}{gap}{text}\n");
        match text.starts_with("oversell-sim ") {
            true => self.folded_command(&line),
            false => self.folded(&line, LABEL_WIDTH + 1),
        }
    }

    /// The same of several lines, of which only the first has the label.
    #[must_use]
    pub(super) fn labelled_lines(self, label: &str, lines: &[String]) -> String {
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        labels.zip(lines).map(|(label, line)| self.labelled(label, line)).collect()
    }

    /// A line that ends in a command, which is divided between its words.
    fn folded_command(self, line: &str) -> String {
        let most = self.columns().saturating_sub(GOES_ON.len());
        if textwrap::core::display_width(line.trim_end()) <= self.columns() {
            return line.to_owned();
        }
        let (mut text, mut length) = (String::new(), 0);
        for word in shell_words(line.trim_end()) {
            let width = textwrap::core::display_width(word.trim_end());
            if length + width > most && length > LABEL_WIDTH + 1 {
                text.truncate(text.trim_end().len());
                text += &format!("{GOES_ON}\n{:indent$}", "", indent = LABEL_WIDTH + 1);
                length = LABEL_WIDTH + 1;
            }
            text += word;
            length += textwrap::core::display_width(word);
        }
        text + "\n"
    }

    /// Lines of a table of no more columns than there are, if its words are not too long for that.
    pub(super) fn lines(self, mut table: Table) -> Vec<String> {
        if let Some(columns) = self.0 {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
            let longest = longest_words(&mut table);
            for (column, longest) in table.column_iter_mut().zip(longest) {
                let least = longest + column.padding_width();
                column.set_constraint(ColumnConstraint::LowerBoundary(TableWidth::Fixed(least)));
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// The length of the longest word of each column.
fn longest_words(table: &mut Table) -> Vec<u16> {
    let mut longest = vec![0; table.column_count()];
    for row in table.header().into_iter().chain(table.row_iter()) {
        for (most, cell) in longest.iter_mut().zip(row.cell_iter()) {
            let content = cell.content();
            let words = content.split_whitespace().map(textwrap::core::display_width);
            *most = words.max().unwrap_or(0).max(*most);
        }
    }
    longest.into_iter().map(|most| u16::try_from(most).unwrap_or(u16::MAX / 2)).collect()
}

/// The words of a command with the spaces behind them. What is quoted stays together, and so do a flag and its value.
fn shell_words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote) = (Vec::new(), 0, None);
    let mut before = ' ';
    for (place, sign) in line.char_indices() {
        let is_value = line[start..].starts_with("--") && sign != '-';
        if quote.is_none() && before == ' ' && sign != ' ' && place > start && !is_value {
            words.push(&line[start..place]);
            start = place;
        }
        quote = match quote {
            None if sign == '\'' || sign == '"' => Some(sign),
            Some(open) if open == sign => None,
            same => same,
        };
        before = sign;
    }
    words.push(&line[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use comfy_table::presets;

    #[test]
    fn a_line_is_folded_at_spaces_and_goes_on_under_its_text() {
        let line = Width::of(40).labelled("covered", "every interleaving of 2 buyers, one by one");
        assert_eq!(
            line,
            " covered         every interleaving of 2\n                 buyers, one by one\n"
        );
    }

    #[test]
    fn a_command_that_is_folded_is_read_by_a_shell_as_it_was() {
        let command = "oversell-sim race --strategy naive --expect 'oversold = 0' --buyers 1000";
        let line = Width::of(48).labelled("again", command);
        assert!(line.lines().count() > 2 && line.lines().all(|line| line.len() <= 48), "{line}");
        let pasted = line.replace("\\\n", " ");
        let label = pasted.strip_prefix(" again").unwrap();
        assert_eq!(shlex::split(label), shlex::split(command));
    }

    #[test]
    fn a_table_is_made_narrower_without_breaking_a_word() {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.add_row([
            "SELECT stock FROM product_with_a_long_name WHERE id = 1",
            "and a note of it",
        ]);
        let lines = Width::of(50).lines(table);
        assert!(
            lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= 50),
            "{lines:?}"
        );
        assert!(lines.iter().any(|line| line.contains("product_with_a_long_name")), "{lines:?}");
    }

    #[test]
    fn without_a_bound_nothing_is_folded() {
        let long = "word ".repeat(100);
        assert_eq!(Width::UNBOUNDED.folded(&long, 0), long);
    }
}
