//! Which statements interfere: one buyer reads, another buyer writes what was read, and then the first buyer writes it.
//!
//! Warszawski and Bailis (*ACIDRain*, SIGMOD 2017) distinguish two kinds: conflicts within one transaction, which an
//! isolation level can prevent, and conflicts across several transactions, which no level can.

use std::fmt;

use serde::Serialize;

use crate::scheduler::Actor;
use crate::worlds::held::ServerStep;

/// What can cure a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// An isolation level: the buyer reads and writes in one transaction.
    Level,
    /// No level: the buyer reads and writes in different transactions, or in none.
    Scope,
}

/// Three steps, counted from 1, and the table that they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Conflict {
    /// The buyer that read, and wrote last.
    pub who: String,
    /// The buyer that wrote the table in between.
    pub other: String,
    /// The table that was read, and written.
    pub table: String,
    /// The step that read.
    pub looked: usize,
    /// The step that wrote the table.
    pub changed: usize,
    /// The step at which the first buyer wrote the table, after the other. Whether that rests on what it had read is not
    /// known.
    pub acted: usize,
    /// What can cure it.
    pub reach: Reach,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, other, table, looked, changed, acted, reach } = self;
        writeln!(
            f,
            "{who} read {table} at {looked}; {other} wrote it at {changed}; {who} wrote it at {acted}"
        )?;
        let cure = match reach {
            Reach::Level => {
                "all in one transaction: a row lock (FOR UPDATE) or a stronger isolation level can cure it"
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
    /// The conflict in these steps that matters most: on the table that the audit reads first, if there is one (what is in
    /// stock comes before the orders), with the steps that read and act closest together.
    pub(in crate::explore) fn among(
        steps: &[ServerStep],
        tables: &[String],
        audited: &[String],
    ) -> Option<Self> {
        let mut found: Vec<(usize, usize, Self)> = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let named = |step: &ServerStep| names(&step.statement.text, table);
            let changes = |step: &ServerStep| {
                named(step) && step.statement.touches.changed().tables().any(|one| one == number)
            };
            let looks = |step: &ServerStep| named(step) && !step.statement.touches.changes();
            let is_named = |name: &String| name == table;
            let audited_at = audited.iter().position(is_named).unwrap_or(usize::MAX);
            for changed in (0..steps.len()).filter(|at| changes(&steps[*at])) {
                let other = steps[changed].place;
                let before = (0..changed).rev().filter(|at| steps[*at].place != other);
                let Some(looked) = before.clone().find(|at| looks(&steps[*at])) else { continue };
                let who = steps[looked].place;
                // A buyer that has changed the table itself since it read acts on its own change: that is no conflict.
                let its = |at: &usize| steps[*at].place == who && changes(&steps[*at]);
                if (looked..changed).any(|at| its(&at)) {
                    continue;
                }
                let Some(acted) = (changed + 1..steps.len()).find(its) else { continue };
                let (first, last) = (&steps[looked].statement, &steps[acted].statement);
                let is_one = first.transaction.is_some() && first.transaction == last.transaction;
                let conflict = Self {
                    who: Actor::buyer(who).to_string(),
                    other: Actor::buyer(other).to_string(),
                    table: table.clone(),
                    looked: looked + 1,
                    changed: changed + 1,
                    acted: acted + 1,
                    reach: if is_one { Reach::Level } else { Reach::Scope },
                };
                found.push((audited_at, acted - looked, conflict));
            }
        }
        found.sort_by_key(|(audited_at, far, _)| (*audited_at, *far));
        found.into_iter().next().map(|(.., conflict)| conflict)
    }

    /// Whether a step, counted from 0, is one of the three.
    pub(in crate::explore) fn is_about(&self, step: usize) -> bool {
        [self.looked, self.changed, self.acted].contains(&(step + 1))
    }
}

/// Whether a text names a table or a key: a table as a word, a key, which may have any signs in it, as it is.
pub(in crate::explore) fn names(text: &str, name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match is_word {
        true => words(text).any(|word| word == name),
        false => text.split(' ').any(|word| word == name),
    }
}

/// The words of a text, in lower case.
pub(in crate::explore) fn words(text: &str) -> impl Iterator<Item = String> {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = text.split(move |c| !is_of_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}
