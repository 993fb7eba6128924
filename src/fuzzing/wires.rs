//! The wire protocols that the proxy follows, in both directions.
//!
//! An input is a conversation. Its first byte says how to begin, its second where each segment is cut in two. Segments
//! follow, each behind `CLIENT` or `SERVER`, which no text in UTF-8 contains. A segment is a message, and its length is
//! added unless the first byte says that the segments are the raw bytes of a stream.

use std::sync::Arc;

use bytes::BytesMut;

use crate::base::text::sql::{
    ColumnRead, Dialect, RewriteOutcome, Rewriting, StatementCure, shape,
};
use crate::proxy::{
    Answered, ClientMessage, ClientStatement, Greeting, Mysql, Postgres, Redis, Wire,
};

/// The next segment is from the client.
const CLIENT: u8 = 0xf5;

/// The next segment is from the server.
const SERVER: u8 = 0xf6;

/// Segments are raw bytes.
const RAW: u8 = 1;

/// The connection has been let in when the conversation begins.
const IS_IN: u8 = 2;

/// A cure is written into statements.
const CURED: u8 = 4;

/// Which cure it is: a lock, a guard, or the value that was read.
const WHICH: u8 = 8 | 16;

/// A conversation is the same however its bytes are cut. The server is sent what the client has sent, but for the cure and
/// for what PostgreSQL's first message says of the session, and the client what the server has sent. A statement with a
/// cure in it is read as it is reported.
pub fn postgres(data: &[u8]) {
    let framed = |segment: &[u8], is_first: bool| match (is_first, segment) {
        // The first message of all has no kind.
        (true, body) => [&(body.len() as u32 + 4).to_be_bytes()[..], body].concat(),
        (false, [kind, body @ ..]) => {
            [&[*kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
        }
        (false, []) => Vec::new(),
    };
    let Some(talk) = Conversation::read(data, framed) else { return };
    let open = |cure| match talk.is_in() {
        true => Postgres::in_session(cure),
        false => Postgres::with_settings(Vec::new()).rewriting(cure),
    };
    let told = talk.hold(|| open(talk.cure(Dialect::Postgres)));
    told.assert_forwarded(|one| match one {
        ClientMessage::Greets(..) | ClientMessage::Encrypt { .. } => false,
        ClientMessage::Hold(_, said) => said.rewriting == RewriteOutcome::NotMeant,
        // A cure may have been written into a statement that is only prepared.
        ClientMessage::Pass(_) | ClientMessage::Ask(_) => talk.flags & CURED == 0,
        _ => true,
    });
    assert!(told.is_over || told.backward.bytes() == told.server, "{told:?}");
    for (bytes, said) in told.held() {
        if bytes.first() == Some(&b'Q') {
            assert_same_statement(&mut Postgres::in_session(None), bytes, said);
        }
    }
}

/// The same of MySQL's protocol. Offers are taken out of the server's greeting, and of the client's answer; no length
/// changes.
pub fn mysql(data: &[u8]) {
    let framed = |segment: &[u8], _: bool| {
        let length = (segment.len() as u32).to_le_bytes();
        [&length[..3], &[0], segment].concat()
    };
    let Some(talk) = Conversation::read(data, framed) else { return };
    let open = |cure| match talk.is_in() {
        true => Mysql::in_session(cure),
        false => Mysql::rewriting(cure),
    };
    let told = talk.hold(|| open(talk.cure(Dialect::Mysql)));
    if talk.is_in() {
        told.assert_forwarded(|one| match one {
            ClientMessage::Hold(_, said) => said.rewriting == RewriteOutcome::NotMeant,
            ClientMessage::Pass(_) => talk.flags & CURED == 0,
            _ => true,
        });
    }
    let length = told.backward.bytes().len();
    assert!(told.is_over || length == told.server.len(), "{told:?}");
    for (bytes, said) in told.held() {
        if bytes.get(4) == Some(&3) {
            assert_same_statement(&mut Mysql::in_session(None), bytes, said);
        }
    }
}

/// The same of Redis's protocol, of which every byte is forwarded. What follows `AUTH` and `HELLO` is not told.
pub fn redis(data: &[u8]) {
    let Some(talk) = Conversation::read(data, |segment, _| segment.to_vec()) else { return };
    let told = talk.hold(Redis::default);
    told.assert_forwarded(|_| true);
    assert!(told.is_over || told.backward.bytes() == told.server, "{told:?}");
    for (bytes, said) in told.held() {
        // Where a word has a separator in it, the text does not tell which the first word is.
        let name = said.text.split('\u{1f}').next().unwrap_or_default().to_uppercase();
        let is_secret = matches!(&*name, "AUTH" | "HELLO") && !bytes.contains(&0x1f);
        assert!(!is_secret || said.text == name, "{}", said.text);
        let mut wire = Redis::default();
        wire.client(&mut BytesMut::from("PING\r\n")).expect("a command");
        assert_same_statement(&mut wire, bytes, said);
    }
}

/// What is forwarded is read as it was reported.
fn assert_same_statement(wire: &mut impl Wire, bytes: &[u8], said: &ClientStatement) {
    let mut bytes = BytesMut::from(bytes);
    match wire.client(&mut bytes) {
        Ok(Some(ClientMessage::Hold(_, again))) => assert_eq!(again.text, said.text),
        other => panic!("{said:?} is read as {other:?}"),
    }
    assert!(bytes.is_empty(), "{bytes:?} is left");
}

/// A conversation.
struct Conversation {
    flags: u8,
    cut: u8,
    /// Whether each is from the server, and its bytes.
    segments: Vec<(bool, Vec<u8>)>,
}

impl Conversation {
    fn read(data: &[u8], framed: impl Fn(&[u8], bool) -> Vec<u8>) -> Option<Self> {
        let [flags, cut, rest @ ..] = data else { return None };
        let mut has_begun = flags & IS_IN != 0;
        let mut segments = Vec::new();
        let mut is_server = false;
        for part in rest.split_inclusive(|byte| matches!(*byte, CLIENT | SERVER)) {
            let (segment, next) = match part {
                [segment @ .., last @ (CLIENT | SERVER)] => (segment, Some(*last)),
                all => (all, None),
            };
            if !segment.is_empty() {
                let is_first = !is_server && !has_begun;
                has_begun |= !is_server;
                let bytes = match flags & RAW {
                    0 => framed(segment, is_first),
                    _ => segment.to_vec(),
                };
                segments.push((is_server, bytes));
            }
            is_server = next == Some(SERVER);
        }
        Some(Self { flags: *flags, cut: *cut, segments })
    }

    fn is_in(&self) -> bool {
        self.flags & IS_IN != 0
    }

    fn cure(&self, dialect: Dialect) -> Option<Arc<Rewriting>> {
        if self.flags & CURED == 0 {
            return None;
        }
        let query = shape(dialect, "SELECT stock FROM product WHERE id = 1");
        let (text, cure) = match self.flags & WHICH {
            0 => (query.as_str(), StatementCure::Lock { table: "product".into() }),
            8 => ("UPDATE product SET stock = stock - 1 WHERE id = 1", StatementCure::Enough),
            _ => {
                let column = "stock".into();
                let read = ColumnRead { shape: query.clone(), place: 0, column };
                ("UPDATE product SET stock = 0 WHERE id = 1", StatementCure::Unchanged(read))
            }
        };
        Some(Arc::new(Rewriting { shape: shape(dialect, text), cure }))
    }

    /// Holds it three times, cut in other places each time, and asserts that this makes no difference.
    fn hold<W: Wire>(&self, open: impl Fn() -> W) -> Told {
        let whole = self.hold_cut(&mut open(), |length| length);
        let in_two = self.hold_cut(&mut open(), |length| usize::from(self.cut) % (length + 1));
        assert_eq!(whole, in_two);
        if self.segments.iter().all(|(_, bytes)| bytes.len() < 64) {
            assert_eq!(whole, self.hold_cut(&mut open(), |_| 1));
        }
        whole
    }

    /// Holds it. Of what is left of each segment, as many bytes come next as `cut` says of its length.
    fn hold_cut(&self, wire: &mut impl Wire, cut: impl Fn(usize) -> usize) -> Told {
        let mut told = Told::default();
        let (mut from_client, mut from_server) = (BytesMut::new(), BytesMut::new());
        for (is_server, segment) in &self.segments {
            let mut rest = &segment[..];
            while !rest.is_empty() && !told.is_over {
                let next = match cut(rest.len()) {
                    0 => rest.len(),
                    next => next,
                };
                let (now, later) = rest.split_at(next);
                rest = later;
                match is_server {
                    true => {
                        from_server.extend_from_slice(now);
                        told.hear(wire, &mut from_server);
                    }
                    false => {
                        from_client.extend_from_slice(now);
                        told.send(wire, &mut from_client);
                    }
                }
            }
        }
        told.client = self.sent(false, from_client.len(), told.is_over);
        told.server = self.sent(true, from_server.len(), told.is_over);
        told
    }

    /// What one side has sent, without so many bytes at its end that were not read. Nothing, if the conversation broke off.
    fn sent(&self, by_server: bool, left: usize, is_over: bool) -> Vec<u8> {
        let its = self.segments.iter().filter(|(is_server, _)| *is_server == by_server);
        let mut all: Vec<u8> = its.flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        all.truncate(if is_over { 0 } else { all.len() - left });
        all
    }
}

/// What came of a conversation.
#[derive(Debug, Default, PartialEq)]
struct Told {
    forward: Vec<ClientMessage>,
    backward: Backward,
    /// What each side has sent that was read.
    client: Vec<u8>,
    server: Vec<u8>,
    /// Whether it broke off, or the rest of it is not cut.
    is_over: bool,
    garbled: Option<String>,
}

/// What the client was sent: bytes, and what they meant.
#[derive(Debug, Default, PartialEq)]
struct Backward {
    pieces: Vec<(Vec<u8>, Option<i64>, Option<Answered>)>,
}

impl Backward {
    fn bytes(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|(bytes, ..)| bytes.iter().copied()).collect()
    }
}

impl Told {
    fn send(&mut self, wire: &mut impl Wire, sent: &mut BytesMut) {
        loop {
            match wire.client(sent) {
                Ok(None) => return,
                Ok(Some(ClientMessage::Pass(bytes))) => match self.forward.last_mut() {
                    // Where nothing is cut any more, bytes go as they come.
                    Some(ClientMessage::Pass(all)) => all.extend(bytes),
                    _ => self.forward.push(ClientMessage::Pass(bytes)),
                },
                Ok(Some(message)) => {
                    if matches!(message, ClientMessage::Hold(..) | ClientMessage::Ask(_)) {
                        wire.let_go();
                    }
                    self.is_over = matches!(message, ClientMessage::Rest(_));
                    self.forward.push(message);
                }
                Err(garbled) => self.garbled = Some(garbled.0),
            }
            self.is_over |= self.garbled.is_some();
            if self.is_over {
                return;
            }
        }
    }

    fn hear(&mut self, wire: &mut impl Wire, sent: &mut BytesMut) {
        loop {
            match wire.server(sent) {
                Ok(None) => return,
                Ok(Some(heard)) => match self.backward.pieces.last_mut() {
                    Some((bytes, None, None)) => {
                        bytes.extend(heard.bytes);
                        let last = self.backward.pieces.last_mut().expect("there is one");
                        (last.1, last.2) = (heard.session, heard.answer);
                    }
                    _ => self.backward.pieces.push((heard.bytes, heard.session, heard.answer)),
                },
                Err(garbled) => {
                    (self.garbled, self.is_over) = (Some(garbled.0), true);
                    return;
                }
            }
        }
    }

    fn held(&self) -> impl Iterator<Item = (&[u8], &ClientStatement)> {
        self.forward.iter().filter_map(|message| match message {
            ClientMessage::Hold(bytes, said) => Some((&bytes[..], said)),
            _ => None,
        })
    }

    /// The bytes that the server is sent are the beginning of those that the client has sent, if all messages go as they
    /// came. What is behind may be kept until more comes.
    fn assert_forwarded(&self, goes_as_it_came: impl Fn(&ClientMessage) -> bool) {
        if self.is_over || !self.forward.iter().all(goes_as_it_came) {
            return;
        }
        let mut all = Vec::new();
        for message in &self.forward {
            match message {
                ClientMessage::Pass(bytes)
                | ClientMessage::Ask(bytes)
                | ClientMessage::Rest(bytes)
                | ClientMessage::Hold(bytes, _)
                | ClientMessage::Greets(bytes, Greeting { .. }) => all.extend_from_slice(bytes),
                // It is an answer to eight bytes of PostgreSQL's, which no server sees.
                ClientMessage::Reply(_) => return,
                ClientMessage::Encrypt { .. } => {}
            }
        }
        assert!(self.client.starts_with(&all), "{all:?} of {:?}", self.client);
    }
}
