//! Redis's protocol, RESP 2 and 3, as the proxy follows it: every command is held on its own, however many are sent at
//! once.
//!
//! Source: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use bytes::BytesMut;
use redis_protocol::error::RedisProtocolError;
use redis_protocol::resp2::decode::decode as decode_2;
use redis_protocol::resp2::types::OwnedFrame as Frame2;
use redis_protocol::resp3::decode::complete::decode as decode_3;
use redis_protocol::resp3::types::OwnedFrame as Frame3;

use super::wire::{
    Answered, ClientMessage, ClientStatement, Garbled, HANDSHAKE, MOST_BYTES, ServerMessage,
    TransactionState, Wire,
};

/// Commands after which a connection no longer alternates between requests and replies.
const ENDLESS: [&str; 5] = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "PSYNC"];

/// A connection.
#[derive(Debug, Default)]
pub(crate) struct Redis {
    /// Whether the client has sent anything.
    has_begun: bool,
    /// Whether the client has asked for the third version of the protocol.
    is_third: bool,
    /// Whether it will be the third when the server has answered the command that is held.
    asks_for_third: bool,
    /// Commands that were sent and not answered.
    asked: usize,
    /// Whether the server collects commands, to execute them together.
    is_collecting: bool,
    /// Whether the proxy no longer parses what is sent.
    is_endless: bool,
}

impl Wire for Redis {
    fn client(&mut self, sent: &mut BytesMut) -> Result<Option<ClientMessage>, Garbled> {
        if let (Some(first), false) = (sent.first(), self.has_begun) {
            self.has_begun = true;
            // Redis itself listens for encrypted connections at a port of its own, and for others at another one.
            if *first == HANDSHAKE {
                return Ok(Some(ClientMessage::Encrypt { answer: b"", protocol: "" }));
            }
        }
        if self.is_endless && !sent.is_empty() {
            return Ok(Some(ClientMessage::Pass(sent.split().to_vec())));
        }
        check_depth(sent)?;
        let Some((words, length)) = command(sent)? else { return check_length(sent) };
        let bytes = sent.split_to(length).to_vec();
        let Some(name) = words.first().map(|word| word.to_uppercase()) else {
            return Ok(Some(ClientMessage::Pass(bytes)));
        };
        if ENDLESS.contains(&name.as_str()) {
            self.is_endless = true;
            return Ok(Some(ClientMessage::Pass(bytes)));
        }
        if name == "HELLO" {
            self.asks_for_third = words.get(1).is_some_and(|version| version == "3");
        }
        // The arguments may contain a password, so the text leaves them out.
        let text = if name == "AUTH" || name == "HELLO" { name } else { words.join("\u{1f}") };
        Ok(Some(ClientMessage::Hold(bytes, ClientStatement { text, ..ClientStatement::default() })))
    }

    fn let_go(&mut self) {
        self.asked += 1;
    }

    fn server(&mut self, sent: &mut BytesMut) -> Result<Option<ServerMessage>, Garbled> {
        if sent.is_empty() {
            return Ok(None);
        }
        if self.is_endless {
            return Ok(Some(ServerMessage {
                bytes: sent.split().to_vec(),
                ..ServerMessage::default()
            }));
        }
        check_depth(sent)?;
        let is_third = self.is_third || self.asks_for_third && sent.first() != Some(&b'*');
        let reply = match is_third {
            true => decode_3(sent).map_err(garbled)?.map(|(frame, length)| {
                (shown_3(&frame), is_error_3(&frame), is_push(&frame), length)
            }),
            false => decode_2(sent).map_err(garbled)?.map(|(frame, length)| {
                (shown_2(&frame), matches!(frame, Frame2::Error(_)), false, length)
            }),
        };
        let Some((text, is_refused, is_push, length)) = reply else {
            return check_length(sent);
        };
        let bytes = sent.split_to(length).to_vec();
        let mut heard = ServerMessage { bytes, ..ServerMessage::default() };
        if !is_push && self.asked > 0 {
            self.asked -= 1;
            self.is_third |= std::mem::take(&mut self.asks_for_third) && !is_refused;
            self.is_collecting = text == "QUEUED" || self.is_collecting && is_refused;
            let frame = TransactionState { is_open: self.is_collecting, ..TransactionState::NONE };
            // A script that ends in an error may have changed something before.
            heard.answer = Some(Answered { text, frame: Some(frame), ..Answered::default() });
        }
        Ok(Some(heard))
    }
}

/// How deep lists may be nested. The decoder calls itself for each.
const MOST_DEPTH: usize = 64;

/// The fewest bytes that a list takes which is nested in another.
const LEAST_LIST: usize = b"*1\r\n".len();

/// Refuses a frame whose lists are nested too deep, as far as it has come.
fn check_depth(sent: &[u8]) -> Result<(), Garbled> {
    if sent.len() <= MOST_DEPTH * LEAST_LIST {
        return Ok(());
    }
    // How many elements of each list are still to come, and whether it is an attribute, which stands before an element
    // and is none.
    let mut open: Vec<(u64, bool)> = Vec::new();
    let mut rest = sent;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let (Some((kind, digits)), behind) = (rest[..end].split_first(), &rest[end + 2..]) else {
            return Ok(());
        };
        rest = behind;
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        let number: u64 = number.unwrap_or(0);
        let is_attribute = *kind == b'|';
        if let (Some((left, _)), false) = (open.last_mut(), is_attribute) {
            *left -= 1;
        }
        match kind {
            b'*' | b'~' | b'>' => open.push((number, false)),
            b'%' | b'|' => open.push((number.saturating_mul(2), is_attribute)),
            b'$' | b'!' | b'=' if digits != b"-1" => {
                let length = usize::try_from(number).unwrap_or(usize::MAX).saturating_add(2);
                let Some(behind) = rest.get(length..) else { return Ok(()) };
                rest = behind;
            }
            _ => {}
        }
        let mut is_element = true;
        while let Some((_, was_attribute)) = open.pop_if(|(left, _)| *left == 0) {
            is_element = !was_attribute;
        }
        if open.len() > MOST_DEPTH {
            return Err(Garbled(format!("Redis: lists are nested more than {MOST_DEPTH} deep")));
        }
        if open.is_empty() && is_element {
            return Ok(());
        }
    }
    Ok(())
}

/// Says what is wrong without repeating what was sent, which the decoder does: it may be long, or a password.
fn garbled(error: RedisProtocolError) -> Garbled {
    Garbled(format!("Redis: {}", error.kind().to_str()))
}

fn check_length<T>(sent: &BytesMut) -> Result<Option<T>, Garbled> {
    match sent.len() {
        0..=MOST_BYTES => Ok(None),
        length => Err(Garbled(format!("a message of {length} bytes is none of Redis's"))),
    }
}

/// The words of a command, and its length; none if it is incomplete.
fn command(sent: &[u8]) -> Result<Option<(Vec<String>, usize)>, Garbled> {
    match sent.first() {
        None => Ok(None),
        Some(b'*') => {
            let decoded = decode_2(sent).map_err(garbled)?;
            let Some((Frame2::Array(words), length)) = decoded else { return Ok(None) };
            Ok(Some((words.iter().map(shown_2).collect(), length)))
        }
        // An inline command, such as a person types.
        Some(_) => {
            let Some(end) = sent.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
            let line = String::from_utf8_lossy(&sent[..end]).into_owned();
            Ok(Some((line.split_whitespace().map(str::to_owned).collect(), end + 1)))
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown_2(frame: &Frame2) -> String {
    match frame {
        Frame2::SimpleString(bytes) | Frame2::BulkString(bytes) => text(bytes),
        Frame2::Error(text) => text.clone(),
        Frame2::Integer(number) => number.to_string(),
        Frame2::Array(elements) => elements.iter().map(shown_2).collect::<Vec<_>>().join(", "),
        Frame2::Null => "nothing".into(),
    }
}

fn shown_3(frame: &Frame3) -> String {
    let listed = |frames: &[Frame3]| frames.iter().map(shown_3).collect::<Vec<_>>().join(", ");
    match frame {
        Frame3::BlobString { data, .. }
        | Frame3::SimpleString { data, .. }
        | Frame3::BlobError { data, .. }
        | Frame3::BigNumber { data, .. }
        | Frame3::VerbatimString { data, .. }
        | Frame3::ChunkedString(data) => text(data),
        Frame3::SimpleError { data, .. } => data.clone(),
        Frame3::Boolean { data, .. } => data.to_string(),
        Frame3::Number { data, .. } => data.to_string(),
        Frame3::Double { data, .. } => data.to_string(),
        Frame3::Null => "nothing".into(),
        Frame3::Array { data, .. } | Frame3::Push { data, .. } => listed(data),
        Frame3::Set { data, .. } => format!("{} elements", data.len()),
        Frame3::Map { data, .. } => format!("{} fields", data.len()),
        Frame3::Hello { .. } => String::new(),
    }
}

fn is_error_3(frame: &Frame3) -> bool {
    matches!(frame, Frame3::SimpleError { .. } | Frame3::BlobError { .. })
}

fn is_push(frame: &Frame3) -> bool {
    matches!(frame, Frame3::Push { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(text: &str) -> BytesMut {
        BytesMut::from(text)
    }

    #[test]
    fn a_client_that_begins_with_a_handshake_is_encrypted() {
        let mut wire = Redis::default();
        let encrypted = Some(ClientMessage::Encrypt { answer: b"", protocol: "" });
        assert_eq!(wire.client(&mut buffer("")).unwrap(), None);
        assert_eq!(wire.client(&mut buffer("\u{16}\u{3}\u{1}")).unwrap(), encrypted);
        assert!(matches!(wire.client(&mut buffer("PING\r\n")), Ok(Some(ClientMessage::Hold(..)))));
    }

    #[test]
    fn commands_that_are_sent_at_once_are_held_one_by_one() {
        let mut wire = Redis::default();
        let mut sent =
            buffer("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\nECHO hi\r\n*1\r\n$4");
        let mut held = Vec::new();
        while let Some(piece) = wire.client(&mut sent).unwrap() {
            let ClientMessage::Hold(_, said) = piece else { panic!("{piece:?}") };
            held.push(said.text);
        }
        assert_eq!(held, ["GET\u{1f}a", "PING", "ECHO\u{1f}hi"]);
        assert_eq!(&sent[..], b"*1\r\n$4");
    }

    #[test]
    fn an_answer_ends_where_its_frame_does_and_a_password_is_not_told() {
        let mut wire = Redis::default();
        let mut sent = buffer("AUTH secret\r\n");
        let Some(ClientMessage::Hold(_, said)) = wire.client(&mut sent).unwrap() else { panic!() };
        assert_eq!(said.text, "AUTH");
        wire.let_go();
        let mut sent = buffer("*2\r\n$1\r\na\r\n$-1");
        assert_eq!(wire.server(&mut sent).unwrap(), None);
        sent.extend_from_slice(b"\r\n+OK\r\n");
        let heard = wire.server(&mut sent).unwrap().unwrap();
        assert_eq!(heard.answer.unwrap().text, "a, nothing");
        // A reply without a request is no answer.
        assert_eq!(wire.server(&mut sent).unwrap().unwrap().answer, None);
    }

    #[test]
    fn what_is_said_of_a_garbled_command_does_not_repeat_it() {
        for sent in ["*2\r\n$4\r\nAUTH\r\n!secret\r\n", "*2\r\n$4\r\nAUTH\r\n$x\r\nsecret\r\n"] {
            let Garbled(why) = Redis::default().client(&mut buffer(sent)).unwrap_err();
            let bytes = why.chars().filter(char::is_ascii_digit).count();
            assert!(bytes == 0 && !why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn lists_that_are_nested_too_deep_are_refused_and_many_beside_each_other_are_not() {
        let nested = |list: &str, depth: usize| buffer(&format!("{}:1\r\n", list.repeat(depth)));
        let mut in_third = Redis { is_third: true, ..Redis::default() };
        for list in ["*1\r\n", "*2\r\n:1\r\n", "*2\r\n*0\r\n", "*2\r\n$1\r\na\r\n"] {
            let mut wire = Redis::default();
            assert!(wire.server(&mut nested(list, MOST_DEPTH)).unwrap().is_some(), "{list}");
            for depth in [MOST_DEPTH + 1, 100_000] {
                assert!(wire.server(&mut nested(list, depth)).is_err(), "{list}");
                assert!(wire.client(&mut nested(list, depth)).is_err(), "{list}");
                assert!(in_third.server(&mut nested(list, depth)).is_err(), "{list}");
            }
        }
        for list in ["~1\r\n", ">1\r\n", "%1\r\n:1\r\n", "|1\r\n+a\r\n", "|1\r\n:1\r\n:1\r\n*1\r\n"]
        {
            assert!(in_third.server(&mut nested(list, 100_000)).is_err(), "{list}");
        }
        let many = format!("*1000\r\n{}", "*1\r\n$1\r\na\r\n".repeat(1000));
        for mut wire in [Redis::default(), in_third] {
            let mut sent = buffer(&many);
            assert!(wire.server(&mut sent).unwrap().is_some() && sent.is_empty());
        }
    }

    #[test]
    fn in_the_third_version_what_is_pushed_is_no_answer() {
        let mut wire = Redis::default();
        let mut sent = buffer("HELLO 3\r\n");
        wire.client(&mut sent).unwrap();
        wire.let_go();
        let mut sent = buffer("%1\r\n$5\r\nproto\r\n:3\r\n");
        assert!(wire.server(&mut sent).unwrap().unwrap().answer.is_some());
        wire.let_go();
        let mut sent = buffer(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:7\r\n");
        assert_eq!(wire.server(&mut sent).unwrap().unwrap().answer, None);
        assert_eq!(wire.server(&mut sent).unwrap().unwrap().answer.unwrap().text, "7");
    }
}
