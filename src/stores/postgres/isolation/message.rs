//! What a PostgreSQL server says to a session, as text.

use std::io;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, ErrorFields, Message};

/// What a session has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Rows with these columns follow.
    Columns(Vec<String>),
    /// A row; none stands for NULL.
    Row(Vec<Option<String>>),
    /// A statement is done.
    Done,
    /// A statement has failed.
    Failed(ServerMessage),
    /// A notice, a warning, or a line of the log.
    Notice(ServerMessage),
    /// A notification: from which process, on which channel, with which payload.
    Notified(i32, String, String),
    /// All that was sent is done, and the session can be sent more. Whether a transaction is open.
    Ready(bool),
    /// The connection has ended.
    Lost,
}

/// An error or a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerMessage {
    /// Such as `ERROR` or `NOTICE`.
    pub(crate) severity: String,
    /// The text.
    pub(crate) text: String,
    /// The error's code.
    pub(crate) code: String,
    /// More about it.
    pub(crate) detail: Option<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl ServerMessage {
    fn of(mut fields: ErrorFields<'_>) -> io::Result<Self> {
        let mut told = Self::default();
        while let Some(field) = fields.next()? {
            let text = || String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'S' => told.severity = text(),
                b'M' => told.text = text(),
                b'C' => told.code = text(),
                b'D' => told.detail = Some(text()),
                b'H' => told.hint = Some(text()),
                _ => {}
            }
        }
        Ok(told)
    }
}

/// What a message says to a session; none if it is of no interest.
pub(super) fn heard(message: Message) -> io::Result<Option<Heard>> {
    Ok(Some(match message {
        Message::RowDescription(body) => {
            Heard::Columns(body.fields().map(|field| Ok(field.name().to_owned())).collect()?)
        }
        Message::DataRow(body) => Heard::Row(row(&body)?),
        Message::CommandComplete(_) | Message::EmptyQueryResponse => Heard::Done,
        Message::ErrorResponse(body) => Heard::Failed(ServerMessage::of(body.fields())?),
        Message::NoticeResponse(body) => Heard::Notice(ServerMessage::of(body.fields())?),
        Message::NotificationResponse(body) => Heard::Notified(
            body.process_id(),
            body.channel()?.to_owned(),
            body.message()?.to_owned(),
        ),
        Message::ReadyForQuery(body) => Heard::Ready(body.status() != b'I'),
        _ => return Ok(None),
    }))
}

fn row(body: &DataRowBody) -> io::Result<Vec<Option<String>>> {
    let text = |range: Option<std::ops::Range<usize>>| {
        range.map(|range| String::from_utf8_lossy(&body.buffer()[range]).into_owned())
    };
    body.ranges().map(|range| Ok(text(range))).collect()
}
