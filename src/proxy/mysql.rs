//! MySQL's protocol, as the proxy follows it: queries in text, and prepared statements.
//!
//! The proxy removes from the server's offer what would be more to follow: compression, and whatever changes how answers
//! end. It offers encryption, which it ends itself, and forwards authentication unread.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::wire::{
    Answered, ClientMessage, ClientStatement, Garbled, MOST_BYTES, ServerMessage, TransactionState,
    Wire,
};
use crate::base::text::sql::{Dialect, ReadValue, RewriteOutcome, Rewriting};

/// Commands, by their first byte.
const QUERY: u8 = 0x03;
const CHANGE_USER: u8 = 0x11;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const CLOSE: u8 = 0x19;

/// Capabilities that the proxy removes from the server's offer. Low: compression, local files. High: a second
/// compression, query attributes, answers without column metadata, and answers that end in a newer way.
const NOT_OFFERED_LOW: u16 = 0x0020 | 0x0080;
const NOT_OFFERED_HIGH: u16 = 0x0100 | 0x0200 | 0x0400 | 0x0800;

/// The capability of encryption, which the proxy has and the server behind it need not have.
const TLS: u16 = 0x0800;

/// The length of the packet that asks for encryption: the beginning of a client's greeting.
const TLS_REQUEST: usize = 32;

/// The server's status flags.
const IN_TRANSACTION: u16 = 0x0001;
const AUTOCOMMIT: u16 = 0x0002;
const MORE_TO_COME: u16 = 0x0008;

/// A packet's head: its length in three bytes, and its number.
const HEAD: usize = 4;

/// A packet of the greatest length continues in the next.
const LONGEST: usize = 0xff_ffff;

/// The code of the error with which the server breaks a deadlock.
const DEADLOCK: u16 = 1213;

/// How far the connection has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The server is to send its greeting.
    #[default]
    Greeting,
    /// The client authenticates.
    Proving,
    /// Commands and answers.
    Commands,
}

/// Which part of an answer comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ResponsePart {
    /// Its first packet.
    First,
    /// So many column definitions, and an end packet.
    Columns(u64),
    /// Rows, and an end packet.
    Rows,
}

/// A statement that the client has prepared.
#[derive(Clone, Debug, Default)]
struct MysqlPreparedStatement {
    text: String,
    parameters: u16,
    types: Vec<u8>,
    /// Whether a cure was written into it.
    rewriting: RewriteOutcome,
}

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Mysql {
    stage: Stage,
    /// The cure that is written into statements, if one is.
    rewriting: Option<Arc<Rewriting>>,
    /// The value that this transaction has read of the column that the cure is about.
    read: ReadValue,
    /// Whether the client authenticates over an encrypted connection. It has sent one packet more than the server has
    /// seen, and counts packets.
    is_ahead: bool,
    statements: BTreeMap<u32, MysqlPreparedStatement>,
    /// The text of a statement that the server is about to prepare.
    preparing: Option<(String, RewriteOutcome)>,
    /// What is held, in order: it will be under way when it is released.
    held: VecDeque<MysqlExecution>,
    under_way: Option<MysqlExecution>,
}

/// The format of a statement's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// In text.
    Text,
    /// In the binary format of prepared statements.
    Binary,
}

/// A statement that the server is executing.
#[derive(Debug)]
struct MysqlExecution {
    part: ResponsePart,
    form: Form,
    columns: Vec<u8>,
    first_row: Option<Vec<String>>,
    /// The place of the value that the cure is about.
    reads: Option<usize>,
    rows: u64,
    changed: Option<u64>,
    /// Whether the answer's text gives the number of rows it has changed, and not only that it was done.
    counts: bool,
}

impl Mysql {
    /// A connection, with a cure that is written into statements.
    pub(crate) fn rewriting(rewriting: Option<Arc<Rewriting>>) -> Self {
        Self { rewriting, ..Self::default() }
    }

    /// The same, where the server has let the client in.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn in_session(rewriting: Option<Arc<Rewriting>>) -> Self {
        Self { stage: Stage::Commands, ..Self::rewriting(rewriting) }
    }

    /// A query, or a command that prepares one, with the cure in it if the cure is meant for it; its text, and whether the
    /// cure was written.
    fn cured(&self, packet: Vec<u8>) -> (Vec<u8>, String, RewriteOutcome) {
        let said = packet.get(HEAD + 1..).unwrap_or(&[]);
        let text = String::from_utf8_lossy(said).into_owned();
        let Some(rewriting) = &self.rewriting else {
            return (packet, text, RewriteOutcome::NotMeant);
        };
        // A prepared statement is executed again after other values were read.
        let read = self.read.get().filter(|_| packet.get(HEAD) == Some(&QUERY));
        let (cured, outcome) = rewriting.apply(Dialect::Mysql, &text, read);
        let Some(cured) = cured else { return (packet, text, outcome) };
        let length = 1 + cured.len();
        // It is no UTF-8, and was read with other signs in it; or it would take several packets.
        if said != text.as_bytes() || length >= LONGEST {
            return (packet, text, RewriteOutcome::Missed);
        }
        let mut whole = (length as u32).to_le_bytes()[..3].to_vec();
        whole.extend_from_slice(&packet[3..=HEAD]);
        whole.extend_from_slice(cured.as_bytes());
        (whole, cured, outcome)
    }

    /// A statement that is to be executed.
    fn execution(&self, form: Form, text: &str) -> MysqlExecution {
        let reads = self.rewriting.as_ref().and_then(|cure| cure.reads(Dialect::Mysql, text));
        MysqlExecution { reads, ..MysqlExecution::new(form, text) }
    }

    /// Changes what the server's greeting offers, and returns the number of the session.
    fn greeting(packet: &mut [u8]) -> Option<i64> {
        // The layout: a version, text that ends with a zero, and the session; then eight bytes, one byte, and the
        // offer.
        let version = packet.get(HEAD + 1..)?.iter().position(|byte| *byte == 0)?;
        let at = HEAD + 1 + version + 1;
        let session = u32::from_le_bytes(packet.get(at..at + 4)?.try_into().ok()?);
        let low = at + 4 + 8 + 1;
        change(packet, low, |offered| offered & !NOT_OFFERED_LOW | TLS)?;
        // A character set and the status flags come in between.
        change(packet, low + 2 + 1 + 2, |offered| offered & !NOT_OFFERED_HIGH)?;
        // MariaDB offers more in bytes that MySQL leaves empty.
        packet.get_mut(low + 8 + 6..low + 8 + 10)?.fill(0);
        Some(session.into())
    }

    /// What the client sends to authenticate.
    fn proving(&mut self, mut packet: Vec<u8>) -> ClientMessage {
        let wants =
            packet.get(HEAD..HEAD + 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
        let is_first = self.stage == Stage::Proving && packet.get(HEAD - 1) == Some(&1);
        if is_first && packet.len() == HEAD + TLS_REQUEST && wants & TLS != 0 {
            self.is_ahead = true;
            return ClientMessage::Encrypt { answer: b"", protocol: "" };
        }
        if self.is_ahead {
            if packet.get(HEAD - 1) == Some(&2) {
                // The server would begin a handshake of its own.
                change(&mut packet, HEAD, |wanted| wanted & !TLS);
            }
            renumber(&mut packet, 1_u8.wrapping_neg());
        }
        ClientMessage::Pass(packet)
    }

    /// The text and the values of a prepared statement that is to be executed.
    fn executed(&mut self, mut body: &[u8]) -> Option<ClientStatement> {
        let id = body.try_get_u32_le().ok()?;
        let prepared = self.statements.get_mut(&id)?;
        let (text, rewriting) = (prepared.text.clone(), prepared.rewriting);
        let count = usize::from(prepared.parameters);
        if count == 0 {
            return Some(ClientStatement { text, values: Vec::new(), rewriting });
        }
        // Flags, and the iteration count.
        body.get(..5)?;
        body.advance(5);
        let nulls = body.get(..count.div_ceil(8))?.to_vec();
        body.advance(nulls.len());
        if body.try_get_u8().ok()? == 1 {
            let types = body.get(..2 * count)?.chunks(2).map(|kind| kind[0]).collect();
            prepared.types = types;
            body.advance(2 * count);
        }
        let types = prepared.types.clone();
        let value = |place: usize| match nulls[place / 8] >> (place % 8) & 1 {
            1 => "null".to_owned(),
            _ => types.get(place).and_then(|kind| binary(*kind, &mut body)).unwrap_or("?".into()),
        };
        Some(ClientStatement { text, values: (0..count).map(value).collect(), rewriting })
    }

    /// Reads a packet of the answer that is under way; returns the answer if this is its end.
    fn hear(&mut self, body: &[u8]) -> Option<Answered> {
        let under_way = self.under_way.as_mut()?;
        let first = body.first().copied().unwrap_or(0);
        let is_end = first == 0xfe && body.len() < 9;
        let mut rest = body.get(1..).unwrap_or(&[]);
        match (under_way.part, first) {
            (_, 0xff) => {
                // An error code; then, behind a `#`, five letters.
                let from = if rest.get(2) == Some(&b'#') { 8 } else { 2 };
                let is_deadlock = rest.starts_with(&DEADLOCK.to_le_bytes());
                let why = String::from_utf8_lossy(rest.get(from..).unwrap_or(&[])).into_owned();
                self.under_way = None;
                // An error does not tell the transaction state: a duplicate key leaves a transaction open, and a
                // deadlock does not.
                return Some(Answered { text: why, frame: None, is_refused: true, is_deadlock });
            }
            (ResponsePart::First, 0x00) => {
                under_way.changed = length(&mut rest);
                length(&mut rest)?;
                let status = rest.try_get_u16_le().ok()?;
                return self.ended(status);
            }
            (ResponsePart::First, _) => {
                let mut all = body;
                under_way.part = ResponsePart::Columns(length(&mut all)?);
            }
            (ResponsePart::Columns(0), _) if is_end => under_way.part = ResponsePart::Rows,
            (ResponsePart::Columns(left), _) => {
                under_way.columns.push(column_type(body).unwrap_or(0xfd));
                under_way.part = ResponsePart::Columns(left.saturating_sub(1));
            }
            (ResponsePart::Rows, _) if is_end => {
                rest.try_get_u16_le().ok()?;
                let status = rest.try_get_u16_le().ok()?;
                return self.ended(status);
            }
            (ResponsePart::Rows, _) => {
                under_way.rows += 1;
                if under_way.first_row.is_none() {
                    under_way.first_row = match under_way.form {
                        Form::Text => text_row(body),
                        Form::Binary => binary_row(body, &under_way.columns),
                    };
                }
            }
        }
        None
    }

    /// An answer has ended, or one of several that belong to one command.
    fn ended(&mut self, status: u16) -> Option<Answered> {
        if status & MORE_TO_COME != 0 {
            let under_way = self.under_way.as_mut()?;
            under_way.part = ResponsePart::First;
            under_way.columns.clear();
            return None;
        }
        let MysqlExecution { columns, first_row, rows, changed, counts, reads, .. } =
            self.under_way.take()?;
        if let Some(place) = reads {
            let only = first_row.as_ref().filter(|_| rows == 1);
            self.read.is_read(only.and_then(|row| row.get(place)).cloned());
        }
        if status & IN_TRANSACTION == 0 {
            self.read.forget();
        }
        let first_row = first_row.map(|row| row.join(", "));
        let changed = changed.filter(|_| counts);
        let text = match (first_row, changed) {
            (Some(row), _) if rows > 1 => format!("{row} …"),
            (Some(row), _) => row,
            (None, _) if !columns.is_empty() => "nothing".into(),
            (None, Some(1)) => "1 row".into(),
            (None, Some(rows)) => format!("{rows} rows"),
            (None, None) => String::new(),
        };
        let frame = TransactionState {
            is_open: status & IN_TRANSACTION != 0,
            has_failed: false,
            begins_by_itself: status & AUTOCOMMIT == 0,
        };
        Some(Answered { text, frame: Some(frame), is_refused: false, is_deadlock: false })
    }
}

impl Wire for Mysql {
    fn dialect(&self) -> Option<Dialect> {
        Some(Dialect::Mysql)
    }

    fn client(&mut self, sent: &mut BytesMut) -> Result<Option<ClientMessage>, Garbled> {
        let Some(packet) = packet(sent)? else { return Ok(None) };
        if self.stage != Stage::Commands {
            return Ok(Some(self.proving(packet)));
        }
        let body = &packet[HEAD..];
        let rest = body.get(1..).unwrap_or(&[]);
        match body.first().copied().unwrap_or(0) {
            QUERY => {
                let (packet, text, rewriting) = self.cured(packet);
                self.held.push_back(self.execution(Form::Text, &text));
                let said = ClientStatement { text, values: Vec::new(), rewriting };
                Ok(Some(ClientMessage::Hold(packet, said)))
            }
            EXECUTE => {
                let said = self.executed(rest).unwrap_or_default();
                self.held.push_back(self.execution(Form::Binary, &said.text));
                Ok(Some(ClientMessage::Hold(packet, said)))
            }
            PREPARE => {
                let (packet, text, rewriting) = self.cured(packet);
                self.preparing = Some((text, rewriting));
                Ok(Some(ClientMessage::Pass(packet)))
            }
            CLOSE => {
                if let Ok(id) = (&mut &*rest).try_get_u32_le() {
                    self.statements.remove(&id);
                }
                Ok(Some(ClientMessage::Pass(packet)))
            }
            CHANGE_USER => {
                self.stage = Stage::Proving;
                Ok(Some(ClientMessage::Pass(packet)))
            }
            _ => Ok(Some(ClientMessage::Pass(packet))),
        }
    }

    fn let_go(&mut self) {
        self.under_way = self.held.pop_front();
    }

    fn server(&mut self, sent: &mut BytesMut) -> Result<Option<ServerMessage>, Garbled> {
        let Some(mut packet) = packet(sent)? else { return Ok(None) };
        let mut heard = ServerMessage::default();
        let first = packet.get(HEAD).copied().unwrap_or(0);
        if self.is_ahead {
            renumber(&mut packet, 1);
        }
        match self.stage {
            Stage::Greeting if first == 0xff => {}
            Stage::Greeting => {
                heard.session = Self::greeting(&mut packet);
                self.stage = Stage::Proving;
            }
            // The packets of each command are counted anew.
            Stage::Proving if first == 0x00 => {
                (self.stage, self.is_ahead) = (Stage::Commands, false)
            }
            Stage::Proving => {}
            Stage::Commands => {
                let body = &packet[HEAD..];
                if let Some((text, rewriting)) = self.preparing.take() {
                    let mut rest = body.get(1..).unwrap_or(&[]);
                    if first == 0x00
                        && let (Ok(id), Ok(_), Ok(parameters)) =
                            (rest.try_get_u32_le(), rest.try_get_u16_le(), rest.try_get_u16_le())
                    {
                        let types = Vec::new();
                        let prepared =
                            MysqlPreparedStatement { text, parameters, types, rewriting };
                        self.statements.insert(id, prepared);
                    }
                } else {
                    heard.answer = self.hear(body);
                }
            }
        }
        heard.bytes = packet;
        Ok(Some(heard))
    }
}

impl MysqlExecution {
    fn new(form: Form, text: &str) -> Self {
        let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
        let counts = matches!(first.as_str(), "insert" | "update" | "delete" | "replace");
        let (columns, part) = (Vec::new(), ResponsePart::First);
        let (first_row, reads) = (None, None);
        Self { part, form, columns, first_row, reads, rows: 0, changed: None, counts }
    }
}

/// The next packet, with those that continue it; none if it is incomplete.
fn packet(sent: &mut BytesMut) -> Result<Option<Vec<u8>>, Garbled> {
    let mut end = 0;
    loop {
        let Some(head) = sent.get(end..end + HEAD) else { return Ok(None) };
        let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        end += HEAD + length;
        if end > MOST_BYTES {
            return Err(Garbled(format!("a message of {end} bytes is none of MySQL's")));
        }
        if sent.len() < end {
            return Ok(None);
        }
        if length < LONGEST {
            return Ok(Some(sent.split_to(end).to_vec()));
        }
    }
}

/// Changes two bytes of a packet, such as capabilities; none if they are not there.
fn change(packet: &mut [u8], at: usize, how: impl FnOnce(u16) -> u16) -> Option<()> {
    let two = packet.get_mut(at..at + 2)?;
    let changed = how(u16::from_le_bytes([two[0], two[1]]));
    two.copy_from_slice(&changed.to_le_bytes());
    Some(())
}

/// Adds to the number of a packet, modulo 256.
fn renumber(packet: &mut [u8], by: u8) {
    if let Some(number) = packet.get_mut(HEAD - 1) {
        *number = number.wrapping_add(by);
    }
}

/// A number whose first byte says how long it is.
fn length(body: &mut &[u8]) -> Option<u64> {
    Some(match body.try_get_u8().ok()? {
        0xfc => body.try_get_u16_le().ok()?.into(),
        0xfd => body.try_get_uint_le(3).ok()?,
        0xfe => body.try_get_u64_le().ok()?,
        short => short.into(),
    })
}

/// A text that follows its own length.
fn text(body: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(length(body)?).ok()?;
    let text = String::from_utf8_lossy(body.get(..length)?).into_owned();
    body.advance(length);
    Some(text)
}

/// The type of a column, from the packet that defines it: six texts, and some numbers.
fn column_type(mut body: &[u8]) -> Option<u8> {
    for _ in 0..6 {
        text(&mut body)?;
    }
    body.get(1 + 2 + 4).copied()
}

fn text_row(mut body: &[u8]) -> Option<Vec<String>> {
    let mut values = Vec::new();
    while !body.is_empty() {
        if body[0] == 0xfb {
            body.advance(1);
            values.push("null".to_owned());
        } else {
            values.push(text(&mut body)?);
        }
    }
    Some(values)
}

fn binary_row(body: &[u8], columns: &[u8]) -> Option<Vec<String>> {
    let nulls = body.get(1..1 + (columns.len() + 9) / 8)?;
    let mut rest = body.get(1 + nulls.len()..)?;
    let value = |(place, kind): (usize, &u8)| match nulls[(place + 2) / 8] >> ((place + 2) % 8) & 1
    {
        1 => Some("null".to_owned()),
        _ => binary(*kind, &mut rest),
    };
    columns.iter().enumerate().map(value).collect()
}

/// A value of this type in the binary format.
fn binary(kind: u8, body: &mut &[u8]) -> Option<String> {
    Some(match kind {
        0x01 => body.try_get_i8().ok()?.to_string(),
        0x02 | 0x0d => body.try_get_i16_le().ok()?.to_string(),
        0x03 | 0x09 => body.try_get_i32_le().ok()?.to_string(),
        0x08 => body.try_get_i64_le().ok()?.to_string(),
        0x04 => body.try_get_f32_le().ok()?.to_string(),
        0x05 => body.try_get_f64_le().ok()?.to_string(),
        0x06 => "null".into(),
        // Dates and times follow their own length.
        0x07 | 0x0a | 0x0b | 0x0c => {
            let length = usize::from(body.try_get_u8().ok()?);
            body.get(..length)?;
            body.advance(length);
            "…".into()
        }
        _ => text(body)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::StatementCure;

    fn packets(bodies: &[&[u8]]) -> BytesMut {
        let mut all = BytesMut::new();
        for (number, body) in bodies.iter().enumerate() {
            all.extend_from_slice(&(body.len() as u32).to_le_bytes()[..3]);
            all.extend_from_slice(&[number as u8]);
            all.extend_from_slice(body);
        }
        all
    }

    fn at_commands() -> Mysql {
        Mysql::in_session(None)
    }

    #[test]
    fn an_answer_ends_with_the_last_of_its_packets() {
        let mut wire = at_commands();
        let mut sent = packets(&[b"\x03SELECT 7"]);
        let Some(ClientMessage::Hold(_, said)) = wire.client(&mut sent).unwrap() else { panic!() };
        assert_eq!(said.text, "SELECT 7");
        wire.let_go();
        let column =
            b"\x03def\x00\x00\x00\x017\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00";
        let mut sent =
            packets(&[b"\x01", column, b"\xfe\x00\x00\x03\x00", b"\x017", b"\xfe\x00\x00\x01\x00"]);
        let mut heard = Vec::new();
        while let Some(one) = wire.server(&mut sent).unwrap() {
            heard.push(one.answer);
        }
        let last = heard.pop().flatten().unwrap();
        assert!(heard.iter().all(Option::is_none));
        assert_eq!(last.text, "7");
        assert_eq!(
            last.frame,
            Some(TransactionState { is_open: true, has_failed: false, begins_by_itself: true })
        );
    }

    #[test]
    fn a_prepared_statement_is_told_with_its_values() {
        let mut wire = at_commands();
        wire.client(&mut packets(&[b"\x16UPDATE t SET a = ? WHERE b = ?"])).unwrap();
        wire.server(&mut packets(&[b"\x00\x05\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"])).unwrap();
        let mut sent = packets(&[b"\x17\x05\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x03\x00\xfd\x00\x2a\x00\x00\x00\x02hi"]);
        let Some(ClientMessage::Hold(_, said)) = wire.client(&mut sent).unwrap() else { panic!() };
        assert_eq!(said.text, "UPDATE t SET a = ? WHERE b = ?");
        assert_eq!(said.values, ["42", "hi"]);
    }

    #[test]
    fn a_cure_is_written_into_a_query_and_into_what_is_prepared() {
        let cure = StatementCure::Lock { table: "t".into() };
        let rewriting = Rewriting { shape: "SELECT a FROM t WHERE b = ?".into(), cure };
        let rewriting = Some(Arc::new(rewriting));
        let mut wire = Mysql { rewriting, ..at_commands() };
        let mut sent = packets(&[b"\x03SELECT a FROM t WHERE b = 7"]);
        let Some(ClientMessage::Hold(bytes, said)) = wire.client(&mut sent).unwrap() else {
            panic!()
        };
        assert_eq!(bytes, packets(&[b"\x03SELECT a FROM t WHERE b = 7 FOR UPDATE"]));
        assert_eq!(said.rewriting, RewriteOutcome::Done);
        let mut sent = packets(&[b"\x16SELECT a FROM t WHERE b = ?"]);
        let prepared = packets(&[b"\x16SELECT a FROM t WHERE b = ? FOR UPDATE"]);
        let passed = wire.client(&mut sent).unwrap();
        assert_eq!(passed, Some(ClientMessage::Pass(prepared.to_vec())));
        wire.server(&mut packets(&[b"\x00\x05\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00"])).unwrap();
        let execute = b"\x17\x05\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x03\x00\x07\x00\x00\x00";
        let Some(ClientMessage::Hold(_, said)) = wire.client(&mut packets(&[execute])).unwrap()
        else {
            panic!()
        };
        assert_eq!(said.text, "SELECT a FROM t WHERE b = ? FOR UPDATE");
        assert_eq!((said.values, said.rewriting), (vec!["7".into()], RewriteOutcome::Done));
        let other = b"\x03SELECT a FROM t WHERE b = '\xff'";
        let Some(ClientMessage::Hold(bytes, said)) = wire.client(&mut packets(&[other])).unwrap()
        else {
            panic!()
        };
        assert_eq!((bytes.len(), said.rewriting), (HEAD + other.len(), RewriteOutcome::Missed));
    }

    #[test]
    fn what_would_change_how_answers_end_is_not_offered() {
        let mut greeting =
            b"\x0a8.0\x00\x07\x00\x00\x00abcdefgh\x00\xff\xff\x08\x02\x00\xff\xff\x15".to_vec();
        greeting.extend_from_slice(&[0xff; 10]);
        greeting.extend_from_slice(b"abcdefghijkl\x00");
        let mut wire = Mysql::default();
        let heard = wire.server(&mut packets(&[&greeting])).unwrap().unwrap();
        assert_eq!(heard.session, Some(7));
        let at = HEAD + 1 + 4 + 4 + 8 + 1;
        assert_eq!(heard.bytes[at..at + 2], (!NOT_OFFERED_LOW | TLS).to_le_bytes());
        assert_eq!(heard.bytes[at + 5..at + 7], (!NOT_OFFERED_HIGH).to_le_bytes());
    }

    #[test]
    fn the_packet_that_asks_for_encryption_is_kept_from_the_server_and_from_the_count() {
        let numbered = |number: u8, body: &[u8]| {
            let head = [body.len() as u8, 0, 0, number];
            BytesMut::from(&[&head, body].concat()[..])
        };
        let request = [&[0x85, 0xae, 0xff, 0x01][..], &[0; 28]].concat();
        let greeting = [&request[..], b"me\0"].concat();
        let encrypt = Some(ClientMessage::Encrypt { answer: b"", protocol: "" });
        let mut wire = Mysql { stage: Stage::Proving, ..Mysql::default() };
        assert_eq!(wire.client(&mut numbered(1, &request)).unwrap(), encrypt);
        let passed = wire.client(&mut numbered(2, &greeting)).unwrap();
        let Some(ClientMessage::Pass(bytes)) = passed else { panic!("{passed:?}") };
        assert_eq!(bytes[3], 1);
        assert_eq!(bytes[4..8], [0x85, 0xa6, 0xff, 0x01], "the server has no TLS to begin");
        assert_eq!(bytes[8..], greeting[4..]);
        for (sent, server, heard) in [(2, true, 3), (4, false, 3), (4, true, 5)] {
            let (mut packet, bytes) = (numbered(sent, b"\x01\x03"), |bytes: Vec<u8>| bytes[3]);
            let number = match server {
                true => bytes(wire.server(&mut packet).unwrap().unwrap().bytes),
                false => match wire.client(&mut packet).unwrap() {
                    Some(ClientMessage::Pass(sent)) => bytes(sent),
                    other => panic!("{other:?}"),
                },
            };
            assert_eq!(number, heard);
        }
        let mut ok = numbered(6, b"\x00\x00\x00\x02\x00\x00\x00");
        assert_eq!(wire.server(&mut ok).unwrap().unwrap().bytes[3], 7);
        wire.client(&mut packets(&[b"\x03SELECT 7"])).unwrap();
        wire.let_go();
        let mut answer = numbered(1, b"\x00\x00\x00\x02\x00\x00\x00");
        assert_eq!(wire.server(&mut answer).unwrap().unwrap().bytes[3], 1, "commands count anew");
    }
}
