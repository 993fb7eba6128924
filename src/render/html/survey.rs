//! A survey as a page.

use serde::Serialize;

use super::page::render;
use crate::base::error::Error;
use crate::explore::{Survey, SurveyColumn, SurveyVerdict};
use crate::render::survey::title;

#[derive(Debug, Serialize)]
struct Page {
    title: &'static str,
    command: &'static str,
    servers: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    title: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    word: String,
    /// The class of its colour.
    class: &'static str,
    /// A shortest schedule to the finding; empty if there is none.
    schedule: String,
}

/// The page of a survey.
///
/// # Errors
/// [`Error::World`] if it cannot be written.
pub fn survey_page(survey: &Survey) -> Result<String, Error> {
    let servers: Vec<&str> =
        survey.places.iter().filter_map(|place| place.server.as_deref()).collect();
    let rows = survey
        .rows
        .iter()
        .map(|row| Row { title: title(row), cells: row.verdicts.iter().map(Cell::of).collect() });
    render(
        "survey.html",
        Page {
            title: "Every strategy at every store",
            command: "survey",
            servers: servers.join(", "),
            columns: survey.places.iter().map(SurveyColumn::title).collect(),
            rows: rows.collect(),
        },
    )
}

impl Cell {
    fn of(verdict: &SurveyVerdict) -> Self {
        let cell = |word: &str, class| Self { word: word.into(), class, schedule: String::new() };
        match verdict {
            SurveyVerdict::Proved => cell("proved", "good"),
            SurveyVerdict::Broken(kind, schedule) => {
                Self { schedule: schedule.clone(), ..cell(kind.title(), "bad") }
            }
            SurveyVerdict::TooMany => cell("too many orders", "doubtful"),
            SurveyVerdict::Vacuous => cell("proves nothing", "doubtful"),
            SurveyVerdict::Refused => cell("not offered", "quiet"),
            SurveyVerdict::NotRun => cell("not run", "doubtful"),
        }
    }
}
