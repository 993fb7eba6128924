//! A session over a socket: what is sent does not wait for its answer, and every wait has a bound.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::message::{Heard, heard};
use crate::base::error::Error;

/// The longest wait for the server's next message while a connection is opened, or for it to take what is sent.
const GREETING: Duration = Duration::from_secs(10);

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 14;

/// A session.
pub(crate) struct RawSession {
    socket: PathBuf,
    stream: UnixStream,
    incoming: BytesMut,
    process: i32,
    secret: i32,
    is_lost: bool,
}

impl RawSession {
    /// Connects to the server at a socket, with the parameters of a session.
    ///
    /// # Errors
    /// When the server does not let the session in.
    pub(super) fn open(
        socket: &Path,
        password: &[u8],
        parameters: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let opened = Self::connect(socket).and_then(|mut session| {
            session.enter(password, parameters)?;
            Ok(session)
        });
        opened.map_err(|error| Error::world(format!("cannot connect to PostgreSQL: {error}")))
    }

    fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(GREETING))?;
        let (socket, incoming) = (socket.to_owned(), BytesMut::with_capacity(PIECE));
        Ok(Self { socket, stream, incoming, process: 0, secret: 0, is_lost: false })
    }

    fn enter(&mut self, password: &[u8], parameters: &[(&str, &str)]) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        frontend::startup_message(parameters.iter().copied(), &mut buffer)?;
        self.stream.write_all(&buffer)?;
        let mut scram = ScramSha256::new(password, ChannelBinding::unsupported());
        loop {
            let Some(message) = self.message(GREETING)? else {
                return Err(io::Error::other("no answer in time"));
            };
            buffer.clear();
            match message {
                Message::AuthenticationSasl(_) => {
                    frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), &mut buffer)?;
                }
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data())?;
                    frontend::sasl_response(scram.message(), &mut buffer)?;
                }
                Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
                Message::BackendKeyData(body) => {
                    (self.process, self.secret) = (body.process_id(), body.secret_key());
                }
                Message::ReadyForQuery(_) => return Ok(()),
                other => {
                    if let Some(Heard::Failed(told)) = heard(other)? {
                        return Err(io::Error::other(told.text));
                    }
                }
            }
            self.stream.write_all(&buffer)?;
        }
    }

    /// The number of the server's process.
    pub(crate) fn process(&self) -> i32 {
        self.process
    }

    /// Whether the connection has ended.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Sends statements as one.
    pub(crate) fn send(&mut self, sql: &str) {
        let mut buffer = BytesMut::new();
        let sent = frontend::query(sql, &mut buffer).and_then(|()| self.stream.write_all(&buffer));
        self.is_lost |= sent.is_err();
    }

    /// What is heard next, within this time; none if nothing is.
    pub(crate) fn hear(&mut self, within: Duration) -> Option<Heard> {
        loop {
            // What was sent before the connection ended is still heard.
            match self.message(within).and_then(|message| message.map(heard).transpose()) {
                Ok(Some(Some(heard))) => return Some(heard),
                Ok(Some(None)) => {}
                Ok(None) if self.is_lost => return Some(Heard::Lost),
                Ok(None) => return None,
                Err(_) => {
                    self.is_lost = true;
                    return Some(Heard::Lost);
                }
            }
        }
    }

    /// The next message within this time; none if there is none.
    fn message(&mut self, within: Duration) -> io::Result<Option<Message>> {
        loop {
            if let Some(message) = Message::parse(&mut self.incoming)? {
                return Ok(Some(message));
            }
            if !is_readable(&self.stream, within)? {
                return Ok(None);
            }
            let mut piece = [0; PIECE];
            let read = self.stream.read(&mut piece)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.incoming.extend_from_slice(&piece[..read]);
        }
    }

    /// Asks the server to give up what this session is doing. Whether and when it does, the session hears.
    pub(crate) fn cancel(&self) {
        let mut buffer = BytesMut::new();
        frontend::cancel_request(self.process, self.secret, &mut buffer);
        if let Ok(mut stream) = UnixStream::connect(&self.socket) {
            let _ = stream.write_all(&buffer);
            // The server closes the connection once it has passed the request on.
            let _ = stream.set_read_timeout(Some(GREETING));
            let _ = stream.read(&mut [0]);
        }
    }
}

impl Drop for RawSession {
    fn drop(&mut self) {
        let mut buffer = BytesMut::new();
        frontend::terminate(&mut buffer);
        let _ = self.stream.write_all(&buffer);
    }
}

/// Whether there is something to read within this time.
fn is_readable(stream: &UnixStream, within: Duration) -> io::Result<bool> {
    let within = Timespec {
        tv_sec: within.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: within.subsec_nanos().into(),
    };
    match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&within)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
