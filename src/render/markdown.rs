//! The report as Markdown, for a pull request or a wiki.

use comfy_table::{Table, presets};

use super::baseline;
use super::common_start;
use super::sections::{self, Section};
use super::verdict::Verdict;
use crate::base::text::printable::printable;
use crate::check::report::Report;

/// The whole report.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let settings = sections::settings_line(report, None);
    let mut text = format!("# oversell-sim race\n\n{}\n", printable(&settings));
    add_section(&mut text, &sections::comparison(report));
    for run in &report.runs {
        let Verdict { word, sentence, next } = Verdict::of(report, run);
        let (name, sentence) = (printable(&run.strategy), printable(&sentence));
        text += &format!("\n## {name}: {word}\n\n{sentence}\n");
        for (label, next) in next {
            text += &format!("\n{label}: `{}`\n", printable(&next));
        }
        let figures = &run.figures;
        for section in [
            sections::expectations(run),
            sections::findings(run),
            sections::outcome(run),
            sections::contention(figures),
            sections::times(figures),
            sections::products(run),
        ] {
            add_section(&mut text, &section);
        }
        if let Some(worst) = &run.worst {
            add_section(&mut text, &sections::winners(report, run, worst));
            add_section(&mut text, &sections::overtakings(report, run, worst));
        }
        add_section(&mut text, &sections::banners(run));
    }
    if let Some(start) = &report.common_start {
        add_section(&mut text, &common_start::machines(start));
        for remark in common_start::remarks(start) {
            text += &format!("\n{}\n", printable(&remark));
        }
    }
    if let Some(against) = &report.baseline {
        add_section(&mut text, &baseline::against(against));
        for remark in baseline::remarks(against) {
            text += &format!("\n{}\n", printable(&remark));
        }
    }
    text
}

/// Adds a table whose first column is named after it; nothing for an empty one.
pub(super) fn add_section(text: &mut String, section: &Section) {
    let filled =
        |row: &Vec<String>| row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1);
    let Some(width) = section.rows.iter().map(filled).max() else { return };
    let title = printable(&section.title);
    let mut header = vec![&*title];
    header.extend(&section.columns);
    header.resize(width, "");
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in &section.rows {
        let mut cells: Vec<String> =
            row.iter().map(|cell| printable(cell).replace('|', "\\|")).collect();
        cells.resize(width, String::new());
        table.add_row(cells);
    }
    *text += &format!("\n{table}\n");
}
