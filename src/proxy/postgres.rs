//! PostgreSQL's protocol, version 3, as the proxy follows it.
//!
//! The proxy holds whatever a client sends up to the message that makes the server work: a simple query, or an extended
//! one up to its Sync (or Flush). It forwards the preparing of a statement at once, because no other connection can
//! notice it. It ends encryption itself, so that it can read the traffic, and forwards authentication unread.
//!
//! Source: <https://www.postgresql.org/docs/current/protocol.html>.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};

use super::wire::{
    Answered, ClientMessage, ClientStatement, Garbled, Greeting, HANDSHAKE, MOST_BYTES,
    ServerMessage, TransactionState, Wire,
};
use crate::base::text::sql::{Dialect, ReadValue, RewriteOutcome, Rewriting};

/// Codes of a first message that are no protocol version.
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// Types whose binary form is a whole number.
const WHOLE: [u32; 4] = [20, 21, 23, 26];

/// A statement that the client has prepared, and the types of its parameters.
#[derive(Clone, Debug, Default)]
struct PostgresPreparedStatement {
    text: String,
    types: Vec<u32>,
    /// The types of the columns that it returns, once the server has described them.
    columns: Vec<u32>,
    /// Whether a cure was written into it.
    rewriting: RewriteOutcome,
}

/// A prepared statement with its values.
#[derive(Clone, Debug, Default)]
struct Portal {
    said: ClientStatement,
    /// Types and forms of its columns, as far as they are known.
    columns: Vec<(u32, bool)>,
}

impl Portal {
    /// A statement without values.
    fn of(text: String) -> Self {
        let said = ClientStatement { text, ..ClientStatement::default() };
        Self { said, columns: Vec::new() }
    }
}

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Postgres {
    /// Settings that every session is given at its beginning, beside those that the client sends.
    settings: Vec<(String, String)>,
    /// The cure that is written into statements, if one is.
    rewriting: Option<Arc<Rewriting>>,
    /// The value that this transaction has read of the column that the cure is about.
    read: ReadValue,
    has_started: bool,
    /// Whether the client has asked for encryption.
    is_encrypted: bool,
    /// Whether the server has let the client in.
    is_in: bool,
    statements: BTreeMap<String, PostgresPreparedStatement>,
    portals: BTreeMap<String, Portal>,
    /// The bytes read since the last piece.
    batch: Vec<u8>,
    /// The portals that these bytes ask the server to execute.
    executes: Vec<Portal>,
    /// Statements that the server was asked to describe, in order.
    asked_about: VecDeque<String>,
    /// The one of them whose columns the server is about to tell.
    described: Option<String>,
    /// What is held, in order: it will be under way when it is released.
    held: VecDeque<PostgresExecution>,
    /// What the server is executing, in order.
    under_way: VecDeque<PostgresExecution>,
    /// Whether the client copies rows in.
    copies_in: bool,
    frame: TransactionState,
}

/// One or more statements, sent as one, that the server is executing.
#[derive(Debug, Default)]
struct PostgresExecution {
    /// Whether its end is no answer to a buyer, because nothing was held.
    is_aside: bool,
    /// How many answers are to come, where no Sync ends them.
    flushed: Option<usize>,
    /// The types and forms of the columns, if they are known.
    columns: Vec<(u32, bool)>,
    first_row: Option<Vec<String>>,
    rows: u64,
    /// The place of the value that the cure is about.
    reads: Option<usize>,
    tag: Option<String>,
    error: Option<String>,
    is_deadlock: bool,
}

impl Postgres {
    /// A connection whose session begins with these settings, unless the client says otherwise.
    pub(crate) fn with_settings(settings: Vec<(String, String)>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The same connection, with a cure that is written into statements.
    pub(crate) fn rewriting(self, rewriting: Option<Arc<Rewriting>>) -> Self {
        Self { rewriting, ..self }
    }

    /// The same, where the server has let the client in.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn in_session(rewriting: Option<Arc<Rewriting>>) -> Self {
        let begun = Self { has_started: true, is_in: true, ..Self::default() };
        begun.rewriting(rewriting)
    }

    /// A query, or a message that prepares one, with the cure in it if the cure is meant for it.
    fn cured<'m>(&self, message: &'m [u8]) -> (Cow<'m, [u8]>, RewriteOutcome) {
        let as_it_is = Cow::Borrowed(message);
        let (kind, body) = (message[0], &message[5..]);
        let (Some(rewriting), b'Q' | b'P') = (&self.rewriting, kind) else {
            return (as_it_is, RewriteOutcome::NotMeant);
        };
        let mut rest = body;
        // A statement that is prepared has a name first.
        let name =
            if kind == b'P' { text(&mut rest).map(|_| body.len() - rest.len()) } else { Some(0) };
        let (Some(from), Some(said)) = (name, text(&mut rest)) else {
            return (as_it_is, RewriteOutcome::NotMeant);
        };
        // A prepared statement is executed again after other values were read.
        let read = self.read.get().filter(|_| kind == b'Q');
        let (cured, outcome) = rewriting.apply(Dialect::Postgres, &said, read);
        let Some(cured) = cured else { return (as_it_is, outcome) };
        if body.get(from..from + said.len()) != Some(said.as_bytes()) {
            // It is no UTF-8, and was read with other signs in it.
            return (as_it_is, RewriteOutcome::Missed);
        }
        let parts = [&body[..from], cured.as_bytes(), &body[from + said.len()..]];
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + 4;
        let Ok(length) = u32::try_from(length) else { return (as_it_is, RewriteOutcome::Missed) };
        let mut whole = vec![kind];
        whole.extend_from_slice(&length.to_be_bytes());
        parts.iter().for_each(|part| whole.extend_from_slice(part));
        (Cow::Owned(whole), outcome)
    }

    /// The first message of all, which has no kind.
    fn greeting(&mut self, sent: &mut BytesMut) -> Result<Option<ClientMessage>, Garbled> {
        if sent.first() == Some(&HANDSHAKE) && !self.is_encrypted {
            return Ok(Some(self.encrypt(b"")));
        }
        let Some(length) = length_at(sent, 0)? else { return Ok(None) };
        if !(8..=1 << 20).contains(&length) {
            return Err(Garbled("the connection does not begin as PostgreSQL's do".into()));
        }
        if sent.len() < length {
            return Ok(None);
        }
        let mut first = sent.split_to(length);
        match (&first[4..8]).get_u32() {
            TLS if !self.is_encrypted => Ok(Some(self.encrypt(b"S"))),
            TLS | GSS => Ok(Some(ClientMessage::Reply(b"N".to_vec()))),
            CANCEL => Ok(Some(ClientMessage::Rest(first.to_vec()))),
            // Behind the version comes a zero at least.
            _ if first.len() <= 8 || first.last() != Some(&0) => {
                Err(Garbled("the connection does not begin as PostgreSQL's do".into()))
            }
            _ => {
                self.has_started = true;
                let mut message = first.split_off(4);
                // Names and values, up to an empty name.
                message.truncate(message.len() - 1);
                let sets = isolation_set_by(&message[4..]);
                let name = application_name(&message[4..]);
                for (name, value) in &self.settings {
                    for text in [name, value] {
                        message.extend_from_slice(text.as_bytes());
                        message.extend_from_slice(&[0]);
                    }
                }
                message.extend_from_slice(&[0]);
                let mut whole = (message.len() as u32 + 4).to_be_bytes().to_vec();
                whole.extend_from_slice(&message);
                Ok(Some(ClientMessage::Greets(whole, Greeting { sets, name })))
            }
        }
    }

    fn encrypt(&mut self, answer: &'static [u8]) -> ClientMessage {
        self.is_encrypted = true;
        ClientMessage::Encrypt { answer, protocol: "postgresql" }
    }

    /// Reads a message of the extended protocol that does not end a piece.
    fn note(&mut self, kind: u8, mut body: &[u8], rewriting: RewriteOutcome) -> Option<()> {
        match kind {
            b'P' => {
                let name = text(&mut body)?;
                let text = text(&mut body)?;
                let count = number(&mut body)?;
                let types = (0..count).map(|_| (body.remaining() >= 4).then(|| body.get_u32()));
                let types = types.collect::<Option<_>>()?;
                let columns = Vec::new();
                let prepared = PostgresPreparedStatement { text, types, columns, rewriting };
                self.statements.insert(name, prepared);
            }
            b'B' => {
                let portal = text(&mut body)?;
                let prepared = self.statements.get(&text(&mut body)?).cloned().unwrap_or_default();
                let values = values(&mut body, &prepared.types)?;
                let forms: Vec<u16> =
                    (0..number(&mut body)?).map(|_| number(&mut body)).collect::<Option<_>>()?;
                let columns = prepared.columns.iter().enumerate();
                let columns = columns.map(|(place, kind)| (*kind, is_binary(&forms, place)));
                let PostgresPreparedStatement { text, rewriting, .. } = prepared;
                let said = ClientStatement { text, values, rewriting };
                self.portals.insert(portal, Portal { said, columns: columns.collect() });
            }
            b'E' => {
                let portal = text(&mut body)?;
                self.executes.push(self.portals.get(&portal).cloned().unwrap_or_default());
            }
            b'D' => {
                let (what, name) = (body.try_get_u8().ok()?, text(&mut body)?);
                if what == b'S' {
                    self.asked_about.push_back(name);
                }
            }
            b'C' => {
                let (what, name) = (body.try_get_u8().ok()?, text(&mut body)?);
                match what {
                    b'S' => drop(self.statements.remove(&name)),
                    _ => drop(self.portals.remove(&name)),
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Cuts a piece: all that is ready to be sent.
    fn cut(&mut self, ends_by_sync: bool) -> ClientMessage {
        let bytes = std::mem::take(&mut self.batch);
        let executes = std::mem::take(&mut self.executes);
        if executes.is_empty() {
            if !ends_by_sync {
                return ClientMessage::Pass(bytes);
            }
            self.held
                .push_back(PostgresExecution { is_aside: true, ..PostgresExecution::default() });
            return ClientMessage::Ask(bytes);
        }
        let flushed = (!ends_by_sync).then_some(executes.len());
        let columns = executes.last().map_or(Vec::new(), |portal| portal.columns.clone());
        let reads = match &executes[..] {
            [only] => self.reads(&only.said.text),
            _ => None,
        };
        self.held.push_back(PostgresExecution {
            flushed,
            columns,
            reads,
            ..PostgresExecution::default()
        });
        // The server executes several at once one after the other, and the scheduler releases no other buyer in
        // between.
        let texts: Vec<&str> = executes.iter().map(|portal| portal.said.text.as_str()).collect();
        // A comment at the end of one goes to the end of its line.
        let has_comment = texts.iter().any(|text| text.contains("--"));
        let text = texts.join(if has_comment { "\n; " } else { "; " });
        let each = executes.iter().map(|portal| portal.said.rewriting);
        let rewriting = each.fold(RewriteOutcome::NotMeant, RewriteOutcome::and);
        let values = executes.into_iter().flat_map(|portal| portal.said.values).collect();
        ClientMessage::Hold(bytes, ClientStatement { text, values, rewriting })
    }

    /// The place of the value that the cure is about, if this statement reads it.
    fn reads(&self, text: &str) -> Option<usize> {
        self.rewriting.as_ref()?.reads(Dialect::Postgres, text)
    }

    /// Reads a message about a statement that is under way; returns the answer if this is its end.
    fn hear(&mut self, message: &Message) -> Option<Answered> {
        match message {
            Message::ReadyForQuery(body) => {
                self.copies_in = false;
                self.frame = TransactionState {
                    is_open: body.status() != b'I',
                    has_failed: body.status() == b'E',
                    ..TransactionState::NONE
                };
            }
            Message::ParameterDescription(body) => {
                let name = self.asked_about.pop_front()?;
                let types = body.parameters().collect::<Vec<u32>>().ok()?;
                if let Some(prepared) = self.statements.get_mut(&name) {
                    prepared.types = types;
                }
                self.described = Some(name);
            }
            Message::RowDescription(body) => {
                let types = body.fields().map(|field| Ok(field.type_oid())).collect().ok()?;
                let name = self.described.take();
                if let Some(prepared) = name.and_then(|name| self.statements.get_mut(&name)) {
                    prepared.columns = types;
                }
            }
            Message::NoData => self.described = None,
            Message::CopyInResponse(_) => self.copies_in = true,
            _ => {}
        }
        let under_way = self.under_way.front_mut()?;
        let has_ended_one = match message {
            Message::RowDescription(body) => {
                let fields = body.fields().map(|field| Ok((field.type_oid(), field.format() != 0)));
                under_way.columns = fields.collect().ok()?;
                false
            }
            Message::DataRow(body) => {
                under_way.rows += 1;
                if under_way.first_row.is_none() {
                    under_way.first_row = row(body, &under_way.columns);
                }
                false
            }
            Message::CommandComplete(body) => {
                under_way.tag = body.tag().ok().map(str::to_owned);
                true
            }
            Message::EmptyQueryResponse | Message::PortalSuspended => true,
            Message::ErrorResponse(body) => {
                under_way.error = Some(complaint(body));
                under_way.is_deadlock = field(body, b'C').is_some_and(|code| code == DEADLOCK);
                under_way.flushed = under_way.flushed.map(|_| 1);
                true
            }
            _ => false,
        };
        if let (Some(flushed), true) = (&mut under_way.flushed, has_ended_one) {
            *flushed -= 1;
        }
        let is_over = match under_way.flushed {
            Some(left) => left == 0,
            None => matches!(message, Message::ReadyForQuery(_)),
        };
        if !is_over {
            return None;
        }
        let ended = self.under_way.pop_front().filter(|ended| !ended.is_aside)?;
        let PostgresExecution { first_row, rows, tag, error, flushed, is_deadlock, reads, .. } =
            ended;
        if let Some(place) = reads {
            let only = first_row.as_ref().filter(|_| rows == 1 && error.is_none());
            self.read.is_read(only.and_then(|row| row.get(place)).cloned());
        }
        if flushed.is_some() {
            // The server tells the transaction state only at the next Sync. Until then what was flushed is part of a
            // transaction.
            self.frame.is_open = true;
        }
        if !self.frame.is_open {
            self.read.forget();
        }
        let is_refused = error.is_some();
        let first_row = first_row.map(|row| row.join(", "));
        let text = error.or(first_row.map(|row| if rows > 1 { row + " …" } else { row }));
        let text = text.unwrap_or_else(|| tag.map_or(String::new(), |tag| counted(&tag)));
        Some(Answered { text, frame: Some(self.frame), is_refused, is_deadlock })
    }
}

impl Wire for Postgres {
    fn dialect(&self) -> Option<Dialect> {
        Some(Dialect::Postgres)
    }

    fn client(&mut self, sent: &mut BytesMut) -> Result<Option<ClientMessage>, Garbled> {
        if !self.has_started {
            return self.greeting(sent);
        }
        loop {
            if sent.is_empty() {
                return Ok(None);
            }
            let Some(length) = length_at(sent, 1)? else { return Ok(None) };
            if sent.len() < 1 + length {
                return Ok(None);
            }
            let message = sent.split_to(1 + length);
            let kind = message[0];
            // Authentication, and rows that the client copies in, are no statements. Behind a statement that is yet to be
            // held they are held with it.
            let is_copied =
                matches!(kind, b'd' | b'c' | b'f' | b'X') || self.copies_in && kind == b'S';
            let passes = !self.is_in || is_copied && self.executes.is_empty();
            if passes && self.batch.is_empty() {
                return Ok(Some(ClientMessage::Pass(message.to_vec())));
            }
            let (message, rewriting) = match passes {
                true => (Cow::Borrowed(&message[..]), RewriteOutcome::NotMeant),
                false => self.cured(&message),
            };
            let body = &message[5..];
            self.batch.extend_from_slice(&message);
            match kind {
                b'Q' => {
                    let text = text(&mut &*body).unwrap_or_default();
                    let mut portal = Portal::of(text);
                    portal.said.rewriting = rewriting;
                    self.executes.push(portal);
                    return Ok(Some(self.cut(true)));
                }
                b'F' => {
                    self.executes.push(Portal::of("a function call".into()));
                    return Ok(Some(self.cut(true)));
                }
                b'S' => return Ok(Some(self.cut(true))),
                b'H' => return Ok(Some(self.cut(false))),
                _ if passes => {
                    return Ok(Some(ClientMessage::Pass(std::mem::take(&mut self.batch))));
                }
                kind => self.note(kind, body, rewriting).ok_or_else(|| {
                    Garbled("a message of PostgreSQL's extended protocol makes no sense".into())
                })?,
            }
        }
    }

    fn let_go(&mut self) {
        self.under_way.extend(self.held.pop_front());
    }

    fn server(&mut self, sent: &mut BytesMut) -> Result<Option<ServerMessage>, Garbled> {
        // The proxy itself answers whether there is encryption, so every message of the server has a kind.
        if sent.is_empty() {
            return Ok(None);
        }
        let Some(length) = length_at(sent, 1)? else { return Ok(None) };
        if sent.len() < 1 + length {
            return Ok(None);
        }
        let bytes = sent.split_to(1 + length);
        let mut heard = ServerMessage { bytes: bytes.to_vec(), ..ServerMessage::default() };
        // A message that the parser does not know is forwarded as it is.
        let Ok(Some(message)) = Message::parse(&mut bytes.clone()) else { return Ok(Some(heard)) };
        match &message {
            Message::AuthenticationOk => self.is_in = true,
            Message::BackendKeyData(body) => heard.session = Some(body.process_id().into()),
            _ => {}
        }
        heard.answer = self.hear(&message);
        Ok(Some(heard))
    }
}

/// The length of a message without its kind; none if it has not come yet.
fn length_at(sent: &BytesMut, at: usize) -> Result<Option<usize>, Garbled> {
    let Some(mut bytes) = sent.get(at..at + 4) else { return Ok(None) };
    match bytes.get_u32() as usize {
        length @ 4..=MOST_BYTES => Ok(Some(length)),
        length => Err(Garbled(format!("a message of {length} bytes is none of PostgreSQL's"))),
    }
}

/// A text that ends with a zero.
fn text(body: &mut &[u8]) -> Option<String> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let text = String::from_utf8_lossy(&body[..end]).into_owned();
    body.advance(end + 1);
    Some(text)
}

fn number(body: &mut &[u8]) -> Option<u16> {
    body.try_get_u16().ok()
}

/// Whether the value in this place is binary: the list is empty for none, has one entry for all, or one for each.
fn is_binary(forms: &[u16], place: usize) -> bool {
    match forms {
        [] => false,
        [all] => *all == 1,
        each => each.get(place) == Some(&1),
    }
}

/// The values of a Bind message, as a report shows them.
fn values(body: &mut &[u8], types: &[u32]) -> Option<Vec<String>> {
    let forms: Vec<u16> = (0..number(body)?).map(|_| number(body)).collect::<Option<_>>()?;
    let count = usize::from(number(body)?);
    let value = |place: usize| {
        let length = body.try_get_i32().ok()?;
        let Ok(length) = usize::try_from(length) else { return Some("null".to_owned()) };
        let bytes = body.get(..length)?;
        let kind = types.get(place).copied().unwrap_or(0);
        let shown = shown(bytes, kind, is_binary(&forms, place));
        body.advance(length);
        Some(shown)
    };
    (0..count).map(value).collect()
}

/// A value as a report shows it.
fn shown(bytes: &[u8], kind: u32, is_binary: bool) -> String {
    let mut rest = bytes;
    match (is_binary, bytes.len()) {
        (false, _) => String::from_utf8_lossy(bytes).into_owned(),
        (true, 2) if WHOLE.contains(&kind) => rest.get_i16().to_string(),
        (true, 4) if WHOLE.contains(&kind) => rest.get_i32().to_string(),
        (true, 8) if WHOLE.contains(&kind) => rest.get_i64().to_string(),
        (true, 1) if kind == 16 => (bytes[0] != 0).to_string(),
        (true, _) if matches!(kind, 25 | 1042 | 1043) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => "…".into(),
    }
}

/// The first row of an answer.
fn row(body: &DataRowBody, columns: &[(u32, bool)]) -> Option<Vec<String>> {
    let buffer = body.buffer();
    let mut ranges = body.ranges();
    let mut values = Vec::new();
    while let Some(range) = ranges.next().ok()? {
        let (kind, is_binary) = columns.get(values.len()).copied().unwrap_or((0, true));
        values.push(match range {
            None => "null".into(),
            Some(range) => shown(buffer.get(range)?, kind, is_binary),
        });
    }
    Some(values)
}

/// The text of a refusal by the server.
fn complaint(body: &ErrorResponseBody) -> String {
    field(body, b'M').unwrap_or_else(|| "refused".into())
}

/// One field of a refusal by the server, by its letter.
fn field(body: &ErrorResponseBody, letter: u8) -> Option<String> {
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        if field.type_() == letter {
            return Some(String::from_utf8_lossy(field.value_bytes()).into_owned());
        }
    }
    None
}

/// The code of an error that breaks a deadlock.
const DEADLOCK: &str = "40P01";

/// A command tag, such as `UPDATE 1`, in words.
fn counted(tag: &str) -> String {
    let mut words = tag.split(' ');
    let (verb, last) = (words.next().unwrap_or_default(), words.next_back());
    match (verb, last) {
        ("SELECT" | "FETCH", Some("0")) => "nothing".into(),
        ("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY", Some("1")) => "1 row".into(),
        ("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY", Some(rows)) => format!("{rows} rows"),
        _ => String::new(),
    }
}

/// A statement in place of the settings of a greeting (names and values, each ended by a zero byte) that are about the
/// isolation level; none if none are. They may stand in `options`, as on a command line (PostgreSQL manual, 55.2.1).
fn isolation_set_by(settings: &[u8]) -> Option<ClientStatement> {
    let texts: Vec<_> = settings.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let is_about_it = |pair: &&[std::borrow::Cow<'_, str>]| {
        pair.iter().any(|text| text.to_lowercase().contains("isolation"))
    };
    let about: Vec<String> =
        texts.chunks(2).filter(is_about_it).map(|pair| pair.join(" ")).collect();
    let words = about.join(" ").replace(|char: char| !char.is_alphanumeric() && char != '_', " ");
    (!about.is_empty())
        .then(|| ClientStatement { text: format!("SET {words}"), ..ClientStatement::default() })
}

/// The value of `application_name` in a greeting; none if it is empty.
fn application_name(settings: &[u8]) -> Option<String> {
    let texts: Vec<_> = settings.split(|byte| *byte == 0).collect();
    let named = texts.chunks_exact(2).find(|pair| pair[0] == b"application_name")?;
    Some(String::from_utf8_lossy(named[1]).into_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::{ColumnRead, StatementCure};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(body);
        message
    }

    fn all(messages: &[Vec<u8>]) -> BytesMut {
        BytesMut::from(&messages.concat()[..])
    }

    fn inside() -> Postgres {
        Postgres::in_session(None)
    }

    #[test]
    fn encryption_is_begun_once_and_for_gssapi_not_at_all() {
        let encrypted = |answer| Some(ClientMessage::Encrypt { answer, protocol: "postgresql" });
        let declined = Some(ClientMessage::Reply(b"N".to_vec()));
        let tls = || BytesMut::from(&[0, 0, 0, 8, 4, 210, 22, 47][..]);
        let mut gss = BytesMut::from(&[0, 0, 0, 8, 4, 210, 22, 48][..]);
        let mut wire = Postgres::default();
        assert_eq!(wire.client(&mut gss).unwrap(), declined);
        assert_eq!(wire.client(&mut tls()).unwrap(), encrypted(b"S"));
        assert_eq!(wire.client(&mut tls()).unwrap(), declined);
        let mut handshake = BytesMut::from(&b"\x16\x03\x01"[..]);
        assert_eq!(Postgres::default().client(&mut handshake).unwrap(), encrypted(b""));
        assert_eq!(&handshake[..], b"\x16\x03\x01", "the handshake is read whole");
        assert!(wire.client(&mut BytesMut::from(&b"\x16\x03\x01\x02"[..])).is_err());
    }

    #[test]
    fn a_first_message_that_says_nothing_of_the_session_is_refused() {
        for first in [&[0, 0, 0, 8, 0, 3, 0, 0][..], &[0, 0, 0, 9, 0, 3, 0, 0, 1]] {
            assert!(Postgres::default().client(&mut BytesMut::from(first)).is_err(), "{first:?}");
        }
        let mut least = BytesMut::from(&[0, 0, 0, 9, 0, 3, 0, 0, 0][..]);
        let greets = Postgres::default().client(&mut least).unwrap();
        assert!(matches!(greets, Some(ClientMessage::Greets(bytes, _)) if bytes.len() == 9));
    }

    fn locking() -> Postgres {
        let cure = StatementCure::Lock { table: "t".into() };
        let rewriting = Rewriting { shape: "SELECT a FROM t WHERE b = ?".into(), cure };
        inside().rewriting(Some(Arc::new(rewriting)))
    }

    #[test]
    fn a_cure_is_written_into_a_query_and_into_what_is_prepared() {
        let mut sent = all(&[message(b'Q', b"SELECT a FROM t WHERE b = 7\0")]);
        let Some(ClientMessage::Hold(bytes, said)) = locking().client(&mut sent).unwrap() else {
            panic!()
        };
        assert_eq!(bytes, message(b'Q', b"SELECT a FROM t WHERE b = 7 FOR UPDATE\0"));
        assert_eq!(said.text, "SELECT a FROM t WHERE b = 7 FOR UPDATE");
        assert_eq!(said.rewriting, RewriteOutcome::Done);
        let cure = StatementCure::Lock { table: "t".into() };
        let shape = "SELECT a FROM t WHERE b = $1".into();
        let mut wire = inside().rewriting(Some(Arc::new(Rewriting { shape, cure })));
        let rest = [
            message(b'B', b"\0s\0\0\0\0\x01\0\0\0\x017\0\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
        ];
        let prepared = message(b'P', b"s\0SELECT a FROM t WHERE b = $1\0\0\x01\0\0\0\x17");
        let mut sent = all(&[&[prepared][..], &rest].concat());
        let Some(ClientMessage::Hold(bytes, said)) = wire.client(&mut sent).unwrap() else {
            panic!()
        };
        let with_it =
            message(b'P', b"s\0SELECT a FROM t WHERE b = $1 FOR UPDATE\0\0\x01\0\0\0\x17");
        assert_eq!(bytes, [&[with_it][..], &rest].concat().concat());
        assert_eq!((said.values, said.rewriting), (vec!["7".into()], RewriteOutcome::Done));
    }

    #[test]
    fn other_statements_are_sent_as_they_are_and_one_that_cannot_have_the_cure_is_missed() {
        for (text, rewriting) in [
            (&b"SELECT a FROM t\0"[..], RewriteOutcome::NotMeant),
            (b"SELECT a FROM t WHERE b = '\xff'\0", RewriteOutcome::Missed),
        ] {
            let whole = message(b'Q', text);
            let mut sent = all(std::slice::from_ref(&whole));
            let Some(ClientMessage::Hold(bytes, said)) = locking().client(&mut sent).unwrap()
            else {
                panic!()
            };
            assert_eq!((bytes, said.rewriting), (whole, rewriting));
        }
    }

    #[test]
    fn a_guard_has_the_value_that_this_transaction_has_read_and_no_older_one() {
        let read = ColumnRead { shape: "SELECT a FROM t".into(), place: 0, column: "a".into() };
        let cure = StatementCure::Unchanged(read);
        let rewriting = Rewriting { shape: "UPDATE t SET a = ?".into(), cure };
        let mut wire = inside().rewriting(Some(Arc::new(rewriting)));
        let said = |wire: &mut Postgres, text: &[u8]| {
            let Some(ClientMessage::Hold(_, said)) =
                wire.client(&mut all(&[message(b'Q', text)])).unwrap()
            else {
                panic!()
            };
            wire.let_go();
            said
        };
        let hear = |wire: &mut Postgres, rows: usize, status: &[u8]| {
            let row = message(b'D', b"\0\x01\0\0\0\x015");
            let mut heard = all(&vec![row; rows]);
            heard.extend_from_slice(&message(b'C', b"SELECT 1\0"));
            heard.extend_from_slice(&message(b'Z', status));
            while wire.server(&mut heard).unwrap().is_some() {}
        };
        let column = b"\0\x01a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
        said(&mut wire, b"SELECT a FROM t\0");
        wire.server(&mut all(&[message(b'T', column)])).unwrap();
        hear(&mut wire, 1, b"T");
        let written = said(&mut wire, b"UPDATE t SET a = 4\0");
        assert_eq!(written.text, "UPDATE t SET a = 4 WHERE a = 5");
        hear(&mut wire, 0, b"I");
        let after = said(&mut wire, b"UPDATE t SET a = 4\0");
        assert_eq!(
            (after.text.as_str(), after.rewriting),
            ("UPDATE t SET a = 4", RewriteOutcome::Missed)
        );
        hear(&mut wire, 0, b"T");
        said(&mut wire, b"SELECT a FROM t\0");
        wire.server(&mut all(&[message(b'T', column)])).unwrap();
        hear(&mut wire, 2, b"T");
        let of_two = said(&mut wire, b"UPDATE t SET a = 4\0");
        assert_eq!(of_two.rewriting, RewriteOutcome::Missed);
        hear(&mut wire, 0, b"I");
        for _ in 0..2 {
            said(&mut wire, b"SELECT a FROM t\0");
            wire.server(&mut all(&[message(b'T', column)])).unwrap();
            hear(&mut wire, 1, b"T");
        }
        let after_two = said(&mut wire, b"UPDATE t SET a = 4\0");
        assert_eq!(after_two.rewriting, RewriteOutcome::Missed, "they may have been two rows");
    }

    #[test]
    fn settings_come_with_the_greeting() {
        let mut wire = Postgres::with_settings(vec![("a".into(), "b".into())]);
        let mut sent = BytesMut::from(&b"\0\0\0\x0f\0\x03\0\0u\0me\0\0"[..]);
        sent[3] = sent.len() as u8;
        let Some(ClientMessage::Greets(greeting, said)) = wire.client(&mut sent).unwrap() else {
            panic!()
        };
        assert_eq!(said, Greeting::default());
        assert_eq!(&greeting[4..], b"\0\x03\0\0u\0me\0a\0b\0\0");
        assert_eq!(usize::from(greeting[3]), greeting.len());
    }

    #[test]
    fn an_isolation_level_in_the_greeting_is_a_statement_that_sets_it() {
        for (settings, text) in [
            (
                &b"user\0me\0default_transaction_isolation\0serializable\0"[..],
                "SET default_transaction_isolation serializable",
            ),
            (
                b"user\0me\0options\0-c default_transaction_isolation=repeatable\\ read\0",
                "SET options  c default_transaction_isolation repeatable  read",
            ),
        ] {
            let greeting = [&[0, 3, 0, 0][..], settings, &[0]].concat();
            let whole = [&(greeting.len() as u32 + 4).to_be_bytes()[..], &greeting].concat();
            let cut = Postgres::default().client(&mut BytesMut::from(&whole[..])).unwrap();
            let Some(ClientMessage::Greets(bytes, said)) = cut else { panic!("{cut:?}") };
            assert_eq!((bytes, said.sets.unwrap().text.as_str()), (whole, text));
        }
    }

    #[test]
    fn a_client_is_known_by_the_name_in_its_greeting() {
        for (settings, name) in [
            (&b"user\0me\0application_name\0jobs\0"[..], Some("jobs")),
            (b"user\0application_name\0application_name\0\0", None),
        ] {
            let greeting = [&[0, 3, 0, 0][..], settings, &[0]].concat();
            let whole = [&(greeting.len() as u32 + 4).to_be_bytes()[..], &greeting].concat();
            let cut = Postgres::default().client(&mut BytesMut::from(&whole[..])).unwrap();
            let Some(ClientMessage::Greets(_, said)) = cut else { panic!("{cut:?}") };
            assert_eq!(said.name.as_deref(), name);
        }
    }

    #[test]
    fn a_prepared_statement_is_held_with_its_values_up_to_its_sync_and_preparing_is_not() {
        let mut wire = inside();
        let parse = message(b'P', b"s\0UPDATE t SET a = $1\0\0\x01\0\0\0\x17");
        let mut sent = all(&[parse, message(b'S', b"")]);
        assert!(matches!(wire.client(&mut sent).unwrap(), Some(ClientMessage::Ask(_))));
        let bind = message(b'B', b"\0s\0\0\x01\0\x01\0\x01\0\0\0\x04\0\0\0\x2a\0\0");
        let mut sent = all(&[bind, message(b'E', b"\0\0\0\0\0")]);
        assert_eq!(wire.client(&mut sent).unwrap(), None);
        sent.extend_from_slice(&message(b'S', b""));
        let Some(ClientMessage::Hold(bytes, said)) = wire.client(&mut sent).unwrap() else {
            panic!()
        };
        assert_eq!(bytes.last_chunk::<5>(), Some(b"S\0\0\0\x04"));
        assert_eq!(
            (said.text.as_str(), &said.values[..]),
            ("UPDATE t SET a = $1", &["42".to_owned()][..])
        );
    }

    #[test]
    fn a_comment_at_the_end_of_a_statement_hides_none_that_is_sent_with_it() {
        let mut wire = inside();
        let mut messages = Vec::new();
        for text in ["SELECT 1 -- it", "UPDATE t SET a = 1"] {
            messages.push(message(b'P', &[b"\0", text.as_bytes(), b"\0\0\0"].concat()));
            messages.push(message(b'B', b"\0\0\0\0\0\0\0\0"));
            messages.push(message(b'E', b"\0\0\0\0\0"));
        }
        messages.push(message(b'S', b""));
        let cut = wire.client(&mut all(&messages)).unwrap();
        let Some(ClientMessage::Hold(_, said)) = cut else { panic!("{cut:?}") };
        assert_eq!(said.text, "SELECT 1 -- it\n; UPDATE t SET a = 1");
    }

    #[test]
    fn answers_end_in_the_order_of_questions_and_what_was_aside_belongs_to_no_request() {
        let mut wire = inside();
        let mut sent = all(&[
            message(b'P', b"\0SELECT 1\0\0\0"),
            message(b'S', b""),
            message(b'Q', b"UPDATE t SET a = 1\0"),
        ]);
        wire.client(&mut sent).unwrap();
        wire.client(&mut sent).unwrap();
        wire.let_go();
        wire.let_go();
        let ready = |status| message(b'Z', &[status]);
        let mut sent =
            all(&[message(b'1', b""), ready(b'I'), message(b'C', b"UPDATE 1\0"), ready(b'T')]);
        let mut answers = Vec::new();
        while let Some(heard) = wire.server(&mut sent).unwrap() {
            answers.push(heard.answer);
        }
        let last = answers.pop().flatten().unwrap();
        assert!(answers.iter().all(Option::is_none), "{answers:?}");
        assert_eq!(last.text, "1 row");
        assert!(last.frame.unwrap().is_open);
    }

    #[test]
    fn rows_that_are_copied_in_pass_until_their_end() {
        let mut wire = inside();
        wire.client(&mut all(&[message(b'Q', b"COPY t FROM STDIN\0")])).unwrap();
        wire.let_go();
        wire.server(&mut all(&[message(b'G', b"\0\0\0")])).unwrap();
        let mut sent = all(&[message(b'd', b"1\n"), message(b'c', b"")]);
        for _ in 0..2 {
            assert!(matches!(wire.client(&mut sent).unwrap(), Some(ClientMessage::Pass(_))));
        }
        let mut sent = all(&[message(b'C', b"COPY 1\0"), message(b'Z', b"I")]);
        assert_eq!(wire.server(&mut sent).unwrap().unwrap().answer, None);
        assert_eq!(wire.server(&mut sent).unwrap().unwrap().answer.unwrap().text, "1 row");
    }

    #[test]
    fn rows_that_are_copied_in_before_the_end_of_their_statement_are_held_with_it() {
        let mut wire = inside();
        let piece = [
            message(b'P', b"\0COPY t FROM STDIN\0\0\0"),
            message(b'B', b"\0\0\0\0\0\0\0\0"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'd', b"1\n"),
            message(b'c', b""),
            message(b'S', b""),
        ];
        let mut sent = all(&piece);
        let Some(ClientMessage::Hold(bytes, said)) = wire.client(&mut sent).unwrap() else {
            panic!()
        };
        assert_eq!((bytes, &*said.text), (piece.concat(), "COPY t FROM STDIN"));
        sent.extend_from_slice(&message(b'Q', b"SELECT 1\0"));
        let Some(ClientMessage::Hold(_, said)) = wire.client(&mut sent).unwrap() else { panic!() };
        assert_eq!(said.text, "SELECT 1");
    }

    #[test]
    fn what_is_none_of_the_protocols_is_told() {
        let mut sent = BytesMut::from(&b"GET / HTTP/1.1\r\n"[..]);
        assert!(Postgres::default().client(&mut sent).is_err());
        assert!(inside().client(&mut BytesMut::from(&[b'Q', 0xff, 0, 0, 0][..])).is_err());
    }
}
