//! What every page has: its templates, its style sheet, its verdict.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::base::error::Error;
use crate::check::report::Evidence;
use crate::render::verdict;

/// The templates by name.
const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("page.html")),
    ("parts.html", include_str!("parts.html")),
    ("comparison.html", include_str!("comparison.html")),
    ("exploration.html", include_str!("exploration.html")),
    ("race.html", include_str!("race.html")),
    ("suites.html", include_str!("suites.html")),
    ("survey.html", include_str!("survey.html")),
    ("sweep.html", include_str!("sweep.html")),
];

/// The verdict at the top of a page.
#[derive(Debug, Serialize)]
pub(super) struct Headline {
    /// `BROKEN`, `PROVED` and so on.
    pub(super) word: &'static str,
    /// The class of its colour.
    pub(super) class: &'static str,
    /// What it rests on.
    pub(super) sentence: String,
}

impl Headline {
    pub(super) fn new(evidence: Evidence, sentence: String) -> Self {
        let class = match evidence {
            Evidence::Broken => "bad",
            Evidence::Proved | Evidence::NotSeen => "good",
            Evidence::Vacuous => "doubtful",
        };
        Self { word: verdict::word(evidence), class, sentence }
    }
}

/// A line under the verdict.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) text: String,
    /// Whether it is a command to paste.
    pub(super) is_command: bool,
}

impl Line {
    pub(super) fn text(label: &str, text: &str) -> Self {
        // A terminal's lines are broken and indented; a page breaks its own.
        let words: Vec<&str> = text.split_whitespace().collect();
        Self { label: label.to_owned(), text: words.join(" "), is_command: false }
    }

    pub(super) fn command(label: &str, command: &str) -> Self {
        Self { label: label.to_owned(), text: command.to_owned(), is_command: true }
    }
}

/// Renders a template with what it needs, in the frame of a page.
pub(super) fn render(template: &str, context: impl Serialize) -> Result<String, Error> {
    let failed =
        |error: minijinja::Error| Error::world(format!("cannot write the page: {error:#}"));
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        templates.add_template(name, text).map_err(failed)?;
    }
    templates.add_global("version", env!("CARGO_PKG_VERSION"));
    templates.add_global("style", include_str!("page.css"));
    templates.add_global("page_script", include_str!("page.js"));
    templates.add_global("scheduler_script", include_str!("scheduler.js"));
    let context = Value::from(Serde(context));
    templates.get_template(template).and_then(|page| page.render(context)).map_err(failed)
}
