//! The report for a terminal: the comparison, if there are several runs; of each run its verdict first, then tables that
//! fit one screen.
//!
//! Colours are ANSI escapes; the caller that prints strips them where they are not wanted.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};
use textwrap::core::display_width;

use super::baseline;
use super::common_start;
use super::sections::{self, Section};
use super::verdict::{self, Verdict};
use super::width::Width;
use crate::base::text::printable::printable;
use crate::check::report::{Evidence, Report, Run};

/// The columns before a verdict's sentence.
pub(super) const LABEL_WIDTH: usize = 16;

/// Columns between two tables that stand side by side.
const GAP: &str = "     ";

/// The whole report.
#[must_use]
pub fn table(report: &Report, width: Width) -> String {
    let mut text = String::new();
    if report.runs.len() > 1 {
        text += &titled(&fitting(sections::comparison(report), width), width);
        if !text.is_empty() {
            text.push('\n');
        }
    }
    for (place, run) in report.runs.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        text += &width.folded(&printable(&sections::settings_line(report, Some(run))), 0);
        text += "\n\n";
        text += &verdict_of(report, run, width);
        text += &details(report, run, width);
    }
    if let Some(start) = &report.common_start {
        text += &format!("\n{}\n", titled(&common_start::machines(start), width));
        for remark in common_start::remarks(start) {
            text += &width.labelled("note", &remark);
        }
    }
    if let Some(against) = &report.baseline {
        text += &format!("\n{}\n", titled(&baseline::against(against), width));
        for remark in baseline::remarks(against) {
            text += &width.labelled("note", &remark);
        }
    }
    text
}

/// One verdict line for each run.
#[must_use]
pub fn verdicts(report: &Report, width: Width) -> String {
    let line = |run: &Run| {
        let sentence = format!("{}: {}", run.strategy, Verdict::of(report, run).sentence);
        headline(run.evidence, &sentence, width)
    };
    report.runs.iter().map(line).collect()
}

/// The verdict's word, in its colour, and the sentence that it rests on.
pub(super) fn headline(evidence: Evidence, sentence: &str, width: Width) -> String {
    let colour = match evidence {
        Evidence::Broken => AnsiColor::Red,
        Evidence::Proved | Evidence::NotSeen => AnsiColor::Green,
        Evidence::Vacuous => AnsiColor::Yellow,
    };
    worded(verdict::word(evidence), colour, sentence, width)
}

/// A word in a colour, and a sentence.
pub(super) fn worded(word: &str, colour: AnsiColor, sentence: &str, width: Width) -> String {
    let style = colour.on_default().bold();
    let sentence = printable(sentence);
    let line = format!(" {style}{word:<LABEL_WIDTH$}{style:#}{sentence}\n");
    width.folded(&line, LABEL_WIDTH + 1)
}

fn verdict_of(report: &Report, run: &Run, width: Width) -> String {
    let Verdict { sentence, next, .. } = Verdict::of(report, run);
    let next: String = next.iter().map(|(label, text)| width.labelled(label, text)).collect();
    headline(run.evidence, &sentence, width) + &next
}

fn details(report: &Report, run: &Run, width: Width) -> String {
    let figures = &run.figures;
    let mut text = String::new();
    let mut add = |block: String| {
        if !block.is_empty() {
            text.push('\n');
            text += &block;
        }
    };
    add(titled(&sections::expectations(run), width));
    add(titled(&sections::findings(run), width));
    add(side_by_side(
        &titled(&sections::outcome(run), width),
        &titled(&sections::contention(figures), width),
        width,
    ));
    add(titled(&sections::times(figures), width));
    add(titled(&sections::products(run), width));
    if let Some(worst) = run.worst.as_ref().filter(|worst| !worst.winners.is_empty()) {
        add(titled(&sections::winners(report, run, worst), width));
        add(titled(&sections::overtakings(report, run, worst), width));
    }
    add(titled(&sections::banners(run), width));
    text
}

/// A table under its title; nothing for an empty one.
pub(super) fn titled(section: &Section, width: Width) -> String {
    if section.rows.is_empty() {
        return String::new();
    }
    let bold = Style::new().bold();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let title = printable(&section.title);
    let rows = section.rows.iter().map(|row| row.iter().map(|cell| printable(cell)));
    if section.columns.is_empty() {
        table.add_rows(rows);
        if let Some(values) = table.column_mut(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
    } else {
        let header = std::iter::once(&*title);
        table.set_header(header.chain(section.columns.iter().copied()));
        table.add_rows(rows);
        for values in table.column_iter_mut().skip(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = width.lines(table).into_iter();
    let title = match section.columns.is_empty() {
        true => format!(" {title}"),
        false => lines.next().unwrap_or_default(),
    };
    let mut text = format!("{bold}{title}{bold:#}\n");
    for line in lines {
        text += &line;
        text.push('\n');
    }
    text
}

/// Two blocks of lines beside each other, or one below the other where there is no room.
fn side_by_side(left: &str, right: &str, width: Width) -> String {
    let widest = |block: &str| block.lines().map(display_width).max().unwrap_or(0);
    let most = widest(left);
    if most + GAP.len() + widest(right) > width.columns() {
        return format!("{left}\n{right}");
    }
    let (mut left, mut right) = (left.lines(), right.lines());
    let mut text = String::new();
    loop {
        let (Some(near), far) = (left.next(), right.next()) else {
            let Some(far) = right.next() else { return text };
            text += &format!("{:most$}{GAP}{far}\n", "");
            continue;
        };
        let padding = " ".repeat(most - display_width(near));
        let line = format!("{near}{padding}{GAP}{}", far.unwrap_or_default());
        text += line.trim_end();
        text.push('\n');
    }
}

/// Columns of a comparison that are left out where there is no room, the first of them first.
const LEFT_OUT: [&str; 6] = ["lock waits", "wasted", "conflicts", "elapsed", "p50", "relative"];

/// A table with as many of its columns as there is room for.
fn fitting(mut section: Section, width: Width) -> Section {
    for name in LEFT_OUT {
        if section.width() <= width.columns() {
            break;
        }
        section.leave_out(name);
    }
    section
}
