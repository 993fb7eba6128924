//! What a step was answered, and the same as PostgreSQL's isolation tester prints it.

use crate::stores::isolation::{Heard, ServerMessage};

/// What libpq says of a connection that has ended in the middle of a statement.
const LOST: &str = "server closed the connection unexpectedly\n\
                    \tThis probably means the server terminated abnormally\n\
                    \tbefore or while processing the request.\n\n";

/// What was answered, statement by statement.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    parts: Vec<Part>,
}

/// What one statement was answered.
#[derive(Clone, Debug)]
enum Part {
    /// Rows of a statement that is not done.
    Rows(ResultSet),
    /// All rows of a statement.
    Found(ResultSet),
    Done,
    Failed(ServerMessage),
    Lost,
}

#[derive(Clone, Debug)]
struct ResultSet {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    /// Takes in what was heard, if it is part of the answer.
    pub(super) fn take_in(&mut self, heard: Heard) {
        match heard {
            Heard::Columns(columns) => {
                self.parts.push(Part::Rows(ResultSet { columns, rows: Vec::new() }));
            }
            Heard::Row(row) => {
                if let Some(Part::Rows(set)) = self.parts.last_mut() {
                    set.rows.push(row);
                }
            }
            Heard::Done => {
                let rows = self.parts.pop_if(|part| matches!(part, Part::Rows(_)));
                self.parts.push(match rows {
                    Some(Part::Rows(set)) => Part::Found(set),
                    _ => Part::Done,
                });
            }
            Heard::Failed(message) => {
                // Of a statement that fails, libpq gives no rows.
                self.parts.pop_if(|part| matches!(part, Part::Rows(_)));
                self.parts.push(Part::Failed(message));
            }
            Heard::Lost => self.parts.push(Part::Lost),
            Heard::Notice(_) | Heard::Notified(..) | Heard::Ready(_) => {}
        }
    }

    /// The error, if there is one.
    pub(super) fn error(&self) -> Option<&ServerMessage> {
        self.parts.iter().find_map(|part| match part {
            Part::Failed(message) => Some(message),
            _ => None,
        })
    }

    /// Rows and errors, as the tester prints them.
    pub(super) fn text(&self) -> String {
        self.parts.iter().fold(String::new(), |mut text, part| {
            match part {
                Part::Found(set) => set.print(&mut text),
                Part::Rows(_) | Part::Done => {}
                Part::Failed(message) => text += &said(message),
                Part::Lost => text += LOST,
            }
            text
        })
    }

    /// The rows of the last statement, if it returned any, as the tester prints them after a setup or a teardown.
    pub(super) fn last_rows(&self) -> String {
        let mut text = String::new();
        if let Some(Part::Found(set)) = self.parts.last() {
            set.print(&mut text);
        }
        text
    }
}

/// An error or a notice on a line.
pub(super) fn said(message: &ServerMessage) -> String {
    format!("{}:  {}\n", message.severity, message.text)
}

/// The same with all that libpq prints of a notice.
pub(super) fn said_in_full(message: &ServerMessage) -> String {
    let more = [("DETAIL", &message.detail), ("HINT", &message.hint)];
    more.into_iter().fold(said(message), |text, (name, more)| match more {
        Some(more) => text + name + ":  " + more + "\n",
        None => text,
    })
}

impl ResultSet {
    /// Prints it as libpq's `PQprint` does: numbers to the right, all else to the left; bytes count, not characters.
    fn print(&self, text: &mut String) {
        if self.columns.is_empty() {
            return;
        }
        let forms: Vec<Form> = (0..self.columns.len()).map(|place| self.form(place)).collect();
        let header = self.columns.iter().map(String::as_str);
        text.push_str(&line(&forms, header));
        let rules: Vec<String> = forms.iter().map(|form| "-".repeat(form.width)).collect();
        text.push_str(&(rules.join("+") + "\n"));
        for row in &self.rows {
            let cells = row.iter().map(|cell| cell.as_deref().unwrap_or_default());
            text.push_str(&line(&forms, cells));
        }
        let plural = if self.rows.len() == 1 { "" } else { "s" };
        text.push_str(&format!("({} row{plural})\n\n", self.rows.len()));
    }

    /// How a column is printed.
    fn form(&self, place: usize) -> Form {
        let cells = || self.rows.iter().filter_map(|row| row.get(place)?.as_deref());
        let name = self.columns.get(place).map_or(0, String::len);
        Form {
            is_number: cells().filter(|cell| !cell.is_empty()).all(looks_like_a_number),
            width: cells().map(str::len).fold(name, usize::max),
        }
    }
}

/// How a column is printed.
struct Form {
    is_number: bool,
    width: usize,
}

fn line<'a>(forms: &[Form], cells: impl Iterator<Item = &'a str>) -> String {
    let padded = forms.iter().zip(cells).map(|(form, cell)| {
        let padding = " ".repeat(form.width.saturating_sub(cell.len()));
        if form.is_number { padding + cell } else { cell.to_owned() + &padding }
    });
    padded.collect::<Vec<_>>().join("|") + "\n"
}

/// Whether `PQprint` takes a value for a number: a date of digits and dashes is one, too.
fn looks_like_a_number(cell: &str) -> bool {
    let fits = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | 'E' | 'e' | ' ' | '-');
    cell.chars().all(fits)
        && !cell.starts_with(['E', 'e'])
        && cell.ends_with(|sign: char| sign.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(columns: &[&str], rows: &[&[Option<&str>]]) -> Answer {
        let mut answer = Answer::default();
        answer.take_in(Heard::Columns(columns.iter().map(|name| (*name).to_owned()).collect()));
        for row in rows {
            let row = row.iter().map(|cell| cell.map(str::to_owned)).collect();
            answer.take_in(Heard::Row(row));
        }
        answer.take_in(Heard::Done);
        answer
    }

    #[test]
    fn rows_are_printed_as_the_tester_prints_them() {
        let rows: &[&[Option<&str>]] =
            &[&[Some("1"), Some("one"), None], &[Some("10"), Some("é"), Some("-2.5")]];
        let answer = answer(&["n", "word", "x"], rows);
        let text = " n|word|   x\n--+----+----\n 1|one |    \n10|é  |-2.5\n(2 rows)\n\n";
        assert_eq!(answer.text(), text);
        assert_eq!(answer.last_rows(), text);
    }

    #[test]
    fn a_result_without_columns_is_not_printed_and_one_without_rows_is() {
        assert_eq!(answer(&[], &[&[]]).text(), "");
        assert_eq!(answer(&["n"], &[]).text(), "n\n-\n(0 rows)\n\n");
    }

    #[test]
    fn a_date_counts_as_a_number_and_an_exponent_alone_does_not() {
        assert!(looks_like_a_number("2020-01-02"));
        assert!(!looks_like_a_number("e1"));
        assert!(!looks_like_a_number("1-"));
        assert!(!looks_like_a_number("1x"));
    }

    #[test]
    fn a_statement_that_fails_has_no_rows_and_those_before_it_keep_theirs() {
        let mut answer = answer(&["n"], &[&[Some("1")]]);
        answer.take_in(Heard::Columns(vec!["x".into()]));
        answer.take_in(Heard::Row(vec![Some("2".into())]));
        let text = "division by zero".to_owned();
        let message = ServerMessage { severity: "ERROR".into(), text, ..ServerMessage::default() };
        answer.take_in(Heard::Failed(message));
        assert_eq!(answer.text(), "n\n-\n1\n(1 row)\n\nERROR:  division by zero\n");
        assert_eq!(answer.last_rows(), "");
        assert!(answer.error().is_some());
    }
}
