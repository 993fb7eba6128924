//! The report for a terminal: verdict first, then tables that fit one screen.
//!
//! Colours are ANSI escapes; the caller that prints strips them where they are not wanted.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};

use super::baseline;
use super::sections::{self, Section};
use super::verdict::{self, Verdict};
use crate::check::report::{Evidence, Report, Run};

/// The columns before a verdict's sentence.
pub(super) const LABEL_WIDTH: usize = 16;

/// Columns between two tables that stand side by side.
const GAP: &str = "     ";

/// The whole report.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let several = report.runs.len() > 1;
    for (place, run) in report.runs.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        text += &sections::settings_line(report, Some(run));
        text += "\n\n";
        text += &verdict_of(report, run);
        text += &details(run);
    }
    if several {
        text.push('\n');
        text += &titled(&sections::comparison(report));
    }
    if let Some(against) = &report.baseline {
        text += &format!("\n{}\n", titled(&baseline::against(against)));
        for remark in baseline::remarks(against) {
            text += &labelled("note", &remark);
        }
    }
    text
}

/// One verdict line for each run.
#[must_use]
pub fn verdicts(report: &Report) -> String {
    let line = |run: &Run| {
        let sentence = format!("{}: {}", run.strategy, Verdict::of(report, run).sentence);
        headline(run.evidence, &sentence)
    };
    report.runs.iter().map(line).collect()
}

/// The verdict's word, in its colour, and the sentence that it rests on.
pub(super) fn headline(evidence: Evidence, sentence: &str) -> String {
    let colour = match evidence {
        Evidence::Broken => AnsiColor::Red,
        Evidence::Proved | Evidence::NotSeen => AnsiColor::Green,
        Evidence::Vacuous => AnsiColor::Yellow,
    };
    let style = colour.on_default().bold();
    format!(" {style}{:<LABEL_WIDTH$}{style:#}{sentence}\n", verdict::word(evidence))
}

/// A line under the verdict.
pub(super) fn labelled(label: &str, text: &str) -> String {
    let gap = if label.len() < LABEL_WIDTH { "" } else { "  " };
    format!(" {label:<LABEL_WIDTH$}{gap}{text}\n")
}

fn verdict_of(report: &Report, run: &Run) -> String {
    let Verdict { sentence, next, .. } = Verdict::of(report, run);
    let next: String = next.iter().map(|(label, text)| labelled(label, text)).collect();
    headline(run.evidence, &sentence) + &next
}

fn details(run: &Run) -> String {
    let figures = &run.figures;
    let mut text = String::new();
    let mut add = |block: String| {
        if !block.is_empty() {
            text.push('\n');
            text += &block;
        }
    };
    add(titled(&sections::expectations(run)));
    add(titled(&sections::findings(run)));
    add(side_by_side(
        &titled(&sections::outcome(figures)),
        &titled(&sections::contention(figures)),
    ));
    add(titled(&sections::times(figures)));
    add(titled(&sections::products(run)));
    if let Some(worst) = run.worst.as_ref().filter(|worst| !worst.winners.is_empty()) {
        add(titled(&sections::winners(run, worst)));
        add(titled(&sections::overtakings(run, worst)));
    }
    add(titled(&sections::banners(run)));
    text
}

/// A table under its title; nothing for an empty one.
pub(super) fn titled(section: &Section) -> String {
    if section.rows.is_empty() {
        return String::new();
    }
    let bold = Style::new().bold();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if section.columns.is_empty() {
        table.add_rows(&section.rows);
        if let Some(values) = table.column_mut(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
    } else {
        let title = std::iter::once(section.title.as_str());
        table.set_header(title.chain(section.columns.iter().copied()));
        table.add_rows(&section.rows);
        for values in table.column_iter_mut().skip(1) {
            values.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = table.lines().map(|line| line.trim_end().to_owned());
    let title = match section.columns {
        [] => format!(" {}", section.title),
        _ => lines.next().unwrap_or_default(),
    };
    let mut text = format!("{bold}{title}{bold:#}\n");
    for line in lines {
        text += &line;
        text.push('\n');
    }
    text
}

/// Two blocks of lines beside each other.
fn side_by_side(left: &str, right: &str) -> String {
    let width = |line: &str| anstream::adapter::strip_str(line).to_string().chars().count();
    let widest = left.lines().map(width).max().unwrap_or(0);
    let (mut left, mut right) = (left.lines(), right.lines());
    let mut text = String::new();
    loop {
        let (Some(near), far) = (left.next(), right.next()) else {
            let Some(far) = right.next() else { return text };
            text += &format!("{:widest$}{GAP}{far}\n", "");
            continue;
        };
        let padding = " ".repeat(widest - width(near));
        let line = format!("{near}{padding}{GAP}{}", far.unwrap_or_default());
        text += line.trim_end();
        text.push('\n');
    }
}
