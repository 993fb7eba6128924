//! Cures that are written into statements: a row lock on what a query reads, and a condition on what an UPDATE changes.
//!
//! | statement | with the cure |
//! |---|---|
//! | `SELECT stock FROM product WHERE id = 1` | `… FOR UPDATE` |
//! | `UPDATE product SET stock = stock - 1 WHERE id = 1` | `… AND stock >= 1` |
//! | `UPDATE product SET stock = 0 WHERE id = 1`, after 1 was read | `… AND stock = 1` |
//!
//! Only the text of a statement changes, where the cure goes. What cannot be rewritten so is refused, with the reason.

mod guard;
mod lock;
mod statement;

use super::{Dialect, shape, statements, with_room};
use guard::{SetTo, set_by, with_condition};
use lock::with_lock;
use statement::{NOT_UNDERSTOOD, update_of};

pub use guard::guard_for;
pub use lock::locked;

/// A cure that is written into every statement of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// The shape of the statement: its text with `?` in the place of each value.
    pub shape: String,
    /// The cure.
    pub cure: StatementCure,
}

/// What is written into a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementCure {
    /// `FOR UPDATE`, for the rows of this table.
    Lock {
        /// The table's name in small letters.
        table: String,
    },
    /// The condition that a column has at least what the UPDATE takes from it.
    Enough,
    /// The condition that a column still has the value that was read.
    Unchanged(ColumnRead),
}

/// A column that a query has read and an UPDATE sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRead {
    /// The shape of the query.
    pub shape: String,
    /// Which column of its answer it is, counted from 0.
    pub place: usize,
    /// The column as the UPDATE writes it.
    pub column: String,
}

/// The value of such a column, as the transaction that is under way has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadValue {
    /// How often the query was answered.
    answers: u32,
    value: Option<String>,
}

impl ReadValue {
    /// The query was answered: with this value, if the answer was one row.
    pub fn is_read(&mut self, value: Option<String>) {
        self.answers = self.answers.saturating_add(1);
        self.value = value;
    }

    /// The transaction has ended.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The value; none if it was read more than once, for those may have been several rows.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| self.answers == 1)
    }
}

/// Whether a cure was written into what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewriteOutcome {
    /// No statement of the shape is in it.
    #[default]
    NotMeant,
    /// It was written into every statement of the shape.
    Done,
    /// A statement of the shape is sent without it.
    Missed,
}

impl RewriteOutcome {
    /// The outcome for two texts that are sent as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missed, _) | (_, Self::Missed) => Self::Missed,
            (Self::Done, _) | (_, Self::Done) => Self::Done,
            (Self::NotMeant, Self::NotMeant) => Self::NotMeant,
        }
    }
}

impl Rewriting {
    /// A text with the cure in it, if it is to be sent so. `read` is the value of the column that was read, where the cure
    /// needs one and it is known.
    #[must_use]
    pub fn apply(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> (Option<String>, RewriteOutcome) {
        let (mut written, mut from) = (String::new(), 0);
        let mut outcome = RewriteOutcome::NotMeant;
        for statement in statements(dialect, text) {
            if shape(dialect, statement) != self.shape {
                continue;
            }
            let Ok(cured) = self.cure.write_into(dialect, statement, read) else {
                return (None, RewriteOutcome::Missed);
            };
            // The statement is a part of the text.
            let at = statement.as_ptr() as usize - text.as_ptr() as usize;
            written += &text[from..at];
            written += &cured;
            from = at + statement.len();
            outcome = RewriteOutcome::Done;
        }
        if outcome == RewriteOutcome::NotMeant {
            return (None, outcome);
        }
        written += &text[from..];
        (Some(written), outcome)
    }
}

impl Rewriting {
    /// The place, in the answer to a text, of the value that the cure needs; none if it is not read there.
    #[must_use]
    pub fn reads(&self, dialect: Dialect, text: &str) -> Option<usize> {
        let StatementCure::Unchanged(read) = &self.cure else { return None };
        (shape(dialect, text) == read.shape).then_some(read.place)
    }
}

impl StatementCure {
    /// One statement with the cure in it.
    ///
    /// # Errors
    /// A sentence that says why it cannot be written into the statement.
    pub fn write_into(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> Result<String, String> {
        with_room(text, || self.written_into(dialect, text, read))
            .unwrap_or_else(|| Err(NOT_UNDERSTOOD.into()))
    }

    fn written_into(
        &self,
        dialect: Dialect,
        text: &str,
        read: Option<&str>,
    ) -> Result<String, String> {
        match self {
            Self::Lock { table } => with_lock(dialect, text, table),
            Self::Enough => {
                let update = update_of(dialect, text)?;
                let taken = update.assignments.iter().filter_map(|one| match set_by(one) {
                    SetTo::Less { column, amount } => Some(format!("{column} >= {amount}")),
                    _ => None,
                });
                let taken: Vec<String> = taken.collect();
                match taken.is_empty() {
                    true => Err("it takes nothing from a column".into()),
                    false => with_condition(dialect, text, &taken.join(" AND ")),
                }
            }
            Self::Unchanged(ColumnRead { column, .. }) => {
                let read = read.ok_or("the value that was read is not known")?;
                // Anything else would have to be quoted.
                if read.parse::<i64>().is_err() {
                    return Err(format!("`{column}` was read as no whole number"));
                }
                update_of(dialect, text)?;
                with_condition(dialect, text, &format!("{column} = {read}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_of_the_shape_are_rewritten_and_all_of_them() {
        let rewriting = Rewriting {
            shape: "SELECT stock FROM product WHERE id = ?".into(),
            cure: StatementCure::Lock { table: "product".into() },
        };
        let apply = |text: &str| rewriting.apply(Dialect::Postgres, text, None);
        assert_eq!(
            apply("BEGIN; SELECT stock  FROM product /* here */ WHERE id = 7 ; COMMIT"),
            (
                Some(
                    "BEGIN; SELECT stock  FROM product /* here */ WHERE id = 7 FOR UPDATE ; COMMIT"
                        .into()
                ),
                RewriteOutcome::Done
            )
        );
        for other in ["SELECT stock FROM product WHERE id > 7", "", "COMMIT"] {
            assert_eq!(apply(other), (None, RewriteOutcome::NotMeant));
        }
        let counted = Rewriting { shape: "SELECT count(*) FROM product".into(), ..rewriting };
        let missed = counted.apply(Dialect::Postgres, "SELECT count(*) FROM product", None);
        assert_eq!(missed, (None, RewriteOutcome::Missed));
    }

    #[test]
    fn one_that_is_missed_counts_more_than_one_that_is_done() {
        use RewriteOutcome::{Done, Missed, NotMeant};
        assert_eq!(Done.and(Missed), Missed);
        assert_eq!(NotMeant.and(Done), Done);
        assert_eq!(NotMeant.and(NotMeant), NotMeant);
    }
}
