//! A schedule with its shop, as a TOML file that a person can read and change:
//!
//! ```toml
//! strategy = "naive"
//! buyers = 2          # every setting goes by the name of its flag
//! stock = 1
//! seed = 5
//! steps = 4           # detects a file that was cut short
//! schedule = "ABAB"
//! ```

use std::fmt;
use std::path::Path;

use crate::base::error::Error;
use crate::base::text::document;
use crate::base::text::document::{Fault, plain_text};
use crate::base::text::nearest::{did_you_mean, shown};
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::scheduler::Schedule;

/// The keys beside the settings.
const OWN_KEYS: [&str; 3] = ["strategy", "steps", "schedule"];

/// A schedule and its shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The strategy's name; none if the file has only a schedule.
    pub strategy: Option<String>,
    /// The shop; none if the file has only a schedule.
    pub settings: Option<Settings>,
    /// Whose step comes when.
    pub schedule: Schedule,
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(strategy) = &self.strategy {
            writeln!(f, "strategy = {}", toml_text(strategy))?;
        }
        for (name, text) in self.settings.iter().flat_map(Settings::unusual) {
            // An application's own file says which store it has.
            if name == "store" && StoreKind::parse(&text).is_err() {
                continue;
            }
            match text.parse::<u64>() {
                Ok(number) => writeln!(f, "{name} = {number}")?,
                Err(_) => writeln!(f, "{name} = {}", toml_text(&text))?,
            }
        }
        writeln!(f, "steps = {}", self.schedule.0.len())?;
        writeln!(f, "schedule = \"{}\"", self.schedule)
    }
}

/// A text in TOML. What JSON escapes, TOML escapes likewise, and of control characters DEL, too.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

impl Recording {
    /// Reads a file: a recording, or a schedule alone.
    ///
    /// # Errors
    /// [`Error::Input`] with file, line and column.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&path.display().to_string(), &document::read(path, "schedule")?)
    }

    /// Reads a file's text; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn parse(path: &str, source: &str) -> Result<Self, Error> {
        if !source.contains('=') {
            let schedule = source.parse().map_err(|why| Error::input(format!("{path}: {why}")))?;
            return Ok(Self { strategy: None, settings: None, schedule });
        }
        Self::from_source(source).map_err(|fault| fault.in_file(path, source))
    }

    fn from_source(source: &str) -> Result<Self, Fault> {
        let document = document::parse(source)?;
        let mut settings = Settings::default();
        let (mut strategy, mut steps, mut schedule) = (None, None, None);
        for (key, value) in document.get_ref() {
            let name = key.get_ref().as_ref();
            let fault =
                |why: String| Fault { span: value.span(), message: format!("`{name}`: {why}") };
            let text = plain_text(value).map_err(|why| fault(why.into()))?;
            match name {
                "strategy" => strategy = Some(text),
                "steps" => steps = Some((text, value.span())),
                "schedule" => schedule = Some(text.parse::<Schedule>().map_err(fault)?),
                _ if Settings::NAMES.contains(&name) => settings.set(name, &text).map_err(fault)?,
                _ => {
                    let near = did_you_mean(name, Settings::NAMES.into_iter().chain(OWN_KEYS));
                    let message = format!("unknown key `{}`{near}", shown(name));
                    return Err(Fault { span: key.span(), message });
                }
            }
        }
        let cut_short = |what: &str| Fault {
            span: source.len()..source.len(),
            message: format!("there is no `{what}`: the file was cut short, or is no recording"),
        };
        let schedule = schedule.ok_or_else(|| cut_short("schedule"))?;
        let (steps, span) = steps.ok_or_else(|| cut_short("steps"))?;
        if steps != schedule.0.len().to_string() {
            let message = format!(
                "`steps` is {}, but the schedule has {}: one of them was changed, or cut short",
                shown(&steps),
                schedule.0.len()
            );
            return Err(Fault { span, message });
        }
        let strategy = Some(strategy.ok_or_else(|| cut_short("strategy"))?);
        Ok(Self { strategy, settings: Some(settings), schedule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_of_a_checkout_whose_path_has_quotes_is_read_again() {
        let recording = Recording {
            strategy: Some("my \"shop\"\\\u{7f}\n.toml".into()),
            settings: Some(Settings::default()),
            schedule: "ABAB".parse().unwrap(),
        };
        assert_eq!(Recording::parse("x.toml", &recording.to_string()).unwrap(), recording);
    }
}
