//! A survey as a page in Markdown.

use comfy_table::{Table, presets};

use crate::base::text::printable::printable;
use crate::explore::{Survey, SurveyColumn, SurveyRow, SurveyVerdict};

/// The longest schedule that is shown whole.
const MOST_STEPS: usize = 24;

/// The whole page.
#[must_use]
pub fn survey(survey: &Survey) -> String {
    let servers: Vec<&str> =
        survey.places.iter().filter_map(|place| place.server.as_deref()).collect();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let names = survey.places.iter().map(SurveyColumn::title);
    table.set_header(["strategy".to_owned()].into_iter().chain(names));
    for row in &survey.rows {
        let cells = row.verdicts.iter().map(cell);
        table.add_row([title(row)].into_iter().chain(cells));
    }
    format!(
        "{}\nSeen on {}.\n\n{table}\n",
        include_str!("survey.md"),
        if servers.is_empty() {
            "the model alone".into()
        } else {
            printable(&servers.join(", ")).into_owned()
        },
    )
}

impl SurveyColumn {
    /// The column's name.
    #[must_use]
    pub fn title(&self) -> String {
        match self.server {
            None => "model".into(),
            Some(_) => self.store.name().into(),
        }
    }
}

/// The row's name.
pub(super) fn title(row: &SurveyRow) -> String {
    match row.isolation {
        None => row.strategy.into(),
        Some(level) => format!("{}, {}", row.strategy, level.name().replace('-', " ")),
    }
}

fn cell(verdict: &SurveyVerdict) -> String {
    match verdict {
        SurveyVerdict::Proved => "proved".into(),
        SurveyVerdict::Broken(kind, schedule) if schedule.chars().count() <= MOST_STEPS => {
            format!("**{}** `{schedule}`", kind.title())
        }
        SurveyVerdict::Broken(kind, schedule) => {
            let start: String = schedule.chars().take(MOST_STEPS).collect();
            format!("**{}** `{start}…`", kind.title())
        }
        SurveyVerdict::TooMany => "too many orders".into(),
        SurveyVerdict::NotRun => "not run".into(),
        SurveyVerdict::Vacuous => "proves nothing".into(),
        SurveyVerdict::Refused => "—".into(),
    }
}
