//! Reads a reply of Redis (RESP2), and takes in no more than it may.

use std::io::{self, BufRead, ErrorKind as IoErrorKind, Read};

use ::redis::{ErrorKind, RedisError, RedisResult, Value, parse_redis_value};

/// How deep a reply may be nested.
const DEEPEST: usize = 64;

/// What is said of a reply that is too large.
pub(super) const TOO_LARGE: &str = "the answer takes too much memory";

/// Whether a reply was too large.
pub(super) fn is_too_large(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Client && error.to_string().starts_with(TOO_LARGE)
}

/// Reads one reply that takes at most so many bytes of memory.
pub(super) fn read(input: &mut impl BufRead, most: usize) -> RedisResult<Value> {
    Reader { input, left: most }.reply(DEEPEST)
}

struct Reader<'i, R> {
    input: &'i mut R,
    /// How many bytes it may still take.
    left: usize,
}

impl<R: BufRead> Reader<'_, R> {
    fn reply(&mut self, depth: usize) -> RedisResult<Value> {
        self.take(size_of::<Value>())?;
        let line = self.line()?;
        let (kind, text) = line.split_at_checked(1).ok_or_else(garbled)?;
        match kind {
            b"+" if text == b"OK" => Ok(Value::Okay),
            b"+" => Ok(Value::SimpleString(String::from_utf8_lossy(text).into_owned())),
            b":" => number(text).map(Value::Int),
            b"$" => match usize::try_from(number(text)?) {
                Ok(length) => self.bulk(length).map(Value::BulkString),
                Err(_) => Ok(Value::Nil),
            },
            b"*" => match usize::try_from(number(text)?) {
                Ok(length) => self.array(length, depth).map(Value::Array),
                Err(_) => Ok(Value::Nil),
            },
            b"-" => parse_redis_value(&[&line, &b"\r\n"[..]].concat()),
            _ => Err(garbled()),
        }
    }

    /// A line without its end.
    fn line(&mut self) -> RedisResult<Vec<u8>> {
        let mut line = Vec::new();
        let most = u64::try_from(self.left).unwrap_or(u64::MAX);
        self.input.take(most).read_until(b'\n', &mut line)?;
        self.take(line.len())?;
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            return Ok(line);
        }
        match self.left {
            0 => Err(too_large()),
            _ => Err(io::Error::from(IoErrorKind::UnexpectedEof).into()),
        }
    }

    fn bulk(&mut self, length: usize) -> RedisResult<Vec<u8>> {
        self.take(length)?;
        let mut bytes = Vec::new();
        let all = length.saturating_add(2);
        self.input.take(all as u64).read_to_end(&mut bytes)?;
        match bytes.len() == all && bytes.ends_with(b"\r\n") {
            true => bytes.truncate(length),
            false => return Err(io::Error::from(IoErrorKind::UnexpectedEof).into()),
        }
        Ok(bytes)
    }

    fn array(&mut self, length: usize, depth: usize) -> RedisResult<Vec<Value>> {
        let depth = depth.checked_sub(1).ok_or_else(garbled)?;
        // Of each element, at least its own size is counted, before any is read.
        match length.checked_mul(size_of::<Value>()) {
            Some(all) if all <= self.left => (0..length).map(|_| self.reply(depth)).collect(),
            _ => Err(too_large()),
        }
    }

    fn take(&mut self, bytes: usize) -> RedisResult<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }
}

fn number(text: &[u8]) -> RedisResult<i64> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(garbled)
}

fn too_large() -> RedisError {
    RedisError::from((ErrorKind::Client, TOO_LARGE))
}

fn garbled() -> RedisError {
    RedisError::from((ErrorKind::Parse, "the server does not speak Redis's protocol"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut bytes: &[u8], most: usize) -> RedisResult<Value> {
        let reply = read(&mut bytes, most);
        assert!(reply.is_err() || bytes.is_empty(), "not read to its end");
        reply
    }

    #[test]
    fn each_kind_of_reply_is_read() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        for (bytes, reply) in [
            ("+OK\r\n", Value::Okay),
            ("+QUEUED\r\n", Value::SimpleString("QUEUED".into())),
            (":-7\r\n", Value::Int(-7)),
            ("$4\r\na\r\nb\r\n", bulk("a\r\nb")),
            ("$0\r\n\r\n", bulk("")),
            ("$-1\r\n", Value::Nil),
            ("*-1\r\n", Value::Nil),
            ("*0\r\n", Value::Array(Vec::new())),
            (
                "*2\r\n*1\r\n:1\r\n$1\r\nx\r\n",
                Value::Array(vec![Value::Array(vec![Value::Int(1)]), bulk("x")]),
            ),
        ] {
            assert_eq!(of(bytes.as_bytes(), 1_000).unwrap(), reply, "{bytes:?}");
        }
        let refused = of(b"-WRONGTYPE not a list\r\n", 1_000).unwrap().extract_error();
        assert!(refused.unwrap_err().to_string().contains("not a list"));
    }

    #[test]
    fn a_reply_that_breaks_off_or_is_none_is_an_error() {
        for bytes in ["", "+O", "$3\r\nab", "*2\r\n:1\r\n", "$1\r\nabc"] {
            let error = of(bytes.as_bytes(), 1_000).unwrap_err();
            assert!(error.is_io_error(), "{bytes:?}: {error}");
        }
        let deep = "*1\r\n".repeat(DEEPEST + 2);
        for bytes in ["\r\n", "HTTP/1.1 400\r\n", ":x\r\n", &deep] {
            let error = of(bytes.as_bytes(), 100_000).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Parse, "{bytes:?}: {error}");
        }
    }

    #[test]
    fn a_reply_is_too_large_by_its_text_by_its_elements_or_by_a_line_without_an_end() {
        let text = format!("${}\r\n{}\r\n", 900, "x".repeat(900));
        let elements = format!("*20\r\n{}", ":1\r\n".repeat(20));
        for bytes in [
            &text,
            &elements,
            &format!("+{}", "x".repeat(900)),
            "*2000000000\r\n",
            "$8000000000\r\n",
        ] {
            let error = of(bytes.as_bytes(), 800).unwrap_err();
            assert!(is_too_large(&error), "{error}");
        }
        assert!(of(text.as_bytes(), 2_000).is_ok() && of(elements.as_bytes(), 8_000).is_ok());
    }
}
