//! Which statements got into each other's way: somebody looked, somebody else changed what was looked at, and the first
//! acted on what it had seen.
//!
//! Warszawski and Bailis (*ACIDRain*, SIGMOD 2017) tell two kinds apart: those within one transaction, which a level of
//! isolation can keep apart, and those over several, which no level can.

use std::fmt;

use serde::Serialize;

use crate::explore::schedule::actor;
use crate::worlds::held::Step;

/// What cures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Both looking and acting are in one transaction.
    Level,
    /// They are in different ones, or in none.
    Scope,
}

/// Three steps, counted from 1, and what they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Who looked, and acted.
    pub who: String,
    /// Who changed it in between.
    pub other: String,
    /// What was looked at, and changed.
    pub table: String,
    /// The step that looked.
    pub looked: usize,
    /// The one that changed it.
    pub changed: usize,
    /// The one that acted on what had been seen.
    pub acted: usize,
    /// What cures it.
    pub reach: Reach,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, other, table, looked, changed, acted, reach } = self;
        writeln!(
            f,
            "{who} read {table} at {looked}; {other} changed it at {changed}; {who} acted on it at {acted}"
        )?;
        let cure = match reach {
            Reach::Level => {
                "all in one transaction: a row lock (FOR UPDATE) or a stronger isolation level cures it"
            }
            Reach::Scope => {
                "in different transactions: no isolation level cures it; look again, under a lock, where it is changed"
            }
        };
        write!(f, "{:LABEL$}{cure}", "")
    }
}

/// As wide as a label in a report.
const LABEL: usize = 17;

impl Conflict {
    /// The conflict in these steps that matters most: about a table that the audit asks for, where looking and acting are
    /// closest together.
    pub(in crate::explore) fn among(
        steps: &[Step],
        tables: &[String],
        audited: &[String],
    ) -> Option<Self> {
        let mut found: Vec<(bool, usize, Self)> = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let named = |step: &Step| names(&step.statement.text, table);
            let changes = |step: &Step| {
                let touched = step.statement.touches;
                named(step) && (touched.writes | touched.adds).tables().any(|one| one == number)
            };
            let looks = |step: &Step| named(step) && !step.statement.touches.changes();
            let is_audited = audited.iter().any(|name| name == table);
            for changed in (0..steps.len()).filter(|at| changes(&steps[*at])) {
                let other = steps[changed].place;
                let before = (0..changed).rev().filter(|at| steps[*at].place != other);
                let Some(looked) = before.clone().find(|at| looks(&steps[*at])) else { continue };
                let who = steps[looked].place;
                // Whoever has changed it itself since it looked acts on its own doing.
                let its = |at: &usize| steps[*at].place == who && changes(&steps[*at]);
                if (looked..changed).any(|at| its(&at)) {
                    continue;
                }
                let Some(acted) = (changed + 1..steps.len()).find(its) else { continue };
                let (first, last) = (&steps[looked].statement, &steps[acted].statement);
                let is_one = first.transaction.is_some() && first.transaction == last.transaction;
                let conflict = Self {
                    who: actor(who).to_string(),
                    other: actor(other).to_string(),
                    table: table.clone(),
                    looked: looked + 1,
                    changed: changed + 1,
                    acted: acted + 1,
                    reach: if is_one { Reach::Level } else { Reach::Scope },
                };
                found.push((!is_audited, acted - looked, conflict));
            }
        }
        found.sort_by_key(|(is_beside, far, _)| (*is_beside, *far));
        found.into_iter().next().map(|(.., conflict)| conflict)
    }

    /// Whether a step, counted from 0, is one of the three.
    pub(in crate::explore) fn is_about(&self, step: usize) -> bool {
        [self.looked, self.changed, self.acted].contains(&(step + 1))
    }
}

/// Whether a text names something: a table as a word, and a key, which may have any signs in it, as it is.
pub(in crate::explore) fn names(text: &str, name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match is_word {
        true => words(text).any(|word| word == name),
        false => text.split(' ').any(|word| word == name),
    }
}

/// The words of a text, in small letters.
pub(in crate::explore) fn words(text: &str) -> impl Iterator<Item = String> {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = text.split(move |c| !is_of_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}
