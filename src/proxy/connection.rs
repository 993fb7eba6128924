//! One connection through the proxy: two threads from the client to the server, and one for the way back.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use bytes::BytesMut;
use crossbeam::channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::UpstreamServer;
use super::analyzer::StatementAnalyzer;
use super::background::Client;
use super::certificate::Certificate;
use super::client_stream::ClientStream;
use super::tracker::{ConnectionId, SessionTracker};
use super::wire::{Answered, ClientMessage, Greeting, ServerMessage, Wire};
use crate::scheduler::{PendingStatement, SentText};

/// How many bytes are read at once.
const BLOCK: usize = 64 << 10;

/// How many pieces are taken in while one is held.
const MOST_PIECES: usize = 1_000;

/// How long an answer may be that is kept back until it is all there.
const MOST_KEPT: usize = 1 << 20;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A host and a port.
    Tcp(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// A connection to a server.
enum Far {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Target {
    fn connect(&self) -> io::Result<Far> {
        match self {
            Self::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port))?;
                stream.set_nodelay(true)?;
                Ok(Far::Tcp(stream))
            }
            Self::Unix(path) => UnixStream::connect(path).map(Far::Unix),
        }
    }
}

impl Far {
    fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    fn shut(&self, how: Shutdown) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        };
    }
}

impl Read for Far {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Far {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A piece that is to be sent.
enum QueuedMessage {
    /// At once.
    Pass(Vec<u8>),
    /// To be sent at once. The server's answer to it belongs to no buyer.
    Aside(Vec<u8>),
    /// The server will answer it. If it is a buyer's, it is held before.
    Asks(Vec<u8>, Option<(usize, Box<PendingStatement>)>),
}

/// What both directions of a connection share.
struct Shared {
    number: ConnectionId,
    tracker: Arc<SessionTracker>,
    wire: Mutex<Box<dyn Wire>>,
    analyzer: Mutex<Box<dyn StatementAnalyzer>>,
    /// What is added to a session's number, so that those of several servers are told apart.
    first_session: i64,
    certificate: Arc<Certificate>,
}

/// What closes connections from outside, by their numbers.
pub(super) type Closers = Arc<Mutex<BTreeMap<ConnectionId, Closer>>>;

/// What closes one.
pub(super) struct Closer {
    near: Arc<ClientStream>,
    far: Far,
}

impl Closer {
    pub(super) fn close(&self) {
        self.near.close();
        self.far.shut(Shutdown::Both);
    }
}

/// Serves a client that has connected, until either side is gone.
pub(super) fn serve(
    near: TcpStream,
    behind: &UpstreamServer,
    tracker: &Arc<SessionTracker>,
    certificate: &Arc<Certificate>,
    closers: &Closers,
) -> io::Result<()> {
    near.set_nodelay(true)?;
    let client = Client::between(near.peer_addr()?.port(), near.local_addr()?.port());
    let UpstreamServer { target, first_session, wire, analyzer } = behind;
    let near = Arc::new(ClientStream::plain(near));
    let far = target.connect()?;
    let closer = Closer { near: Arc::clone(&near), far: far.try_clone()? };
    let (far_in, far_out) = (far.try_clone()?, far);
    let number = tracker.opened(client);
    closers.lock().insert(number, closer);
    let closers = Arc::clone(closers);
    let shared = Arc::new(Shared {
        number,
        tracker: Arc::clone(tracker),
        wire: Mutex::new(wire()),
        analyzer: Mutex::new(analyzer()),
        first_session: *first_session,
        certificate: Arc::clone(certificate),
    });
    let (there, back) = (Arc::clone(&shared), shared);
    let near_back = Arc::clone(&near);
    let (takes_in, pieces) = bounded(MOST_PIECES);
    let taker = Arc::clone(&there);
    thread::Builder::new().spawn(move || {
        let _ = taker.take_in(&near, &takes_in);
    })?;
    thread::Builder::new().spawn(move || {
        let mut far_out = far_out;
        let _ = there.carry_there(&pieces, &mut far_out);
        there.tracker.closing(there.number);
        // Only this direction is closed, so that the server can react: its locks are free only when it closes its own
        // side.
        far_out.shut(Shutdown::Write);
    })?;
    thread::Builder::new().spawn(move || {
        let _ = back.carry_back(far_in, &near_back);
        near_back.close();
        back.tracker.closed(back.number);
        closers.lock().remove(&back.number);
    })?;
    Ok(())
}

impl Shared {
    /// Cuts what the client sends into pieces, and hands them on to be sent. It also takes in what arrives while a
    /// piece is held, so that the tracker knows whose turn it will be.
    fn take_in(&self, near: &ClientStream, pieces: &Sender<QueuedMessage>) -> io::Result<()> {
        let mut sent = BytesMut::new();
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        loop {
            let cut = self.wire.lock().client(&mut sent);
            match cut.map_err(|garbled| io::Error::other(garbled.0))? {
                Some(ClientMessage::Pass(bytes)) => {
                    pieces.send(QueuedMessage::Pass(bytes)).map_err(gone)?
                }
                Some(ClientMessage::Greets(bytes, Greeting { sets, name })) => {
                    if let Some(said) = sets {
                        self.analyzer.lock().see(&said);
                    }
                    if let Some(name) = name {
                        self.tracker.is_named(self.number, name);
                    }
                    pieces.send(QueuedMessage::Pass(bytes)).map_err(gone)?;
                }
                Some(ClientMessage::Ask(bytes)) => {
                    pieces.send(QueuedMessage::Aside(bytes)).map_err(gone)?;
                }
                Some(ClientMessage::Reply(bytes)) => near.write_all(&bytes)?,
                Some(ClientMessage::Encrypt { answer, protocol }) => {
                    near.encrypted(answer, &mut sent, self.certificate.config(protocol))?;
                }
                Some(ClientMessage::Hold(bytes, said)) => {
                    let pending = self.analyzer.lock().see(&said).pending(self.number);
                    let dialect = self.wire.lock().dialect();
                    let sent = SentText { text: said.text, dialect, rewriting: said.rewriting };
                    let pending = PendingStatement { sent: Some(Arc::new(sent)), ..pending };
                    let whose = self.tracker.comes(self.number, &pending);
                    let held = whose.map(|place| (place, Box::new(pending)));
                    pieces.send(QueuedMessage::Asks(bytes, held)).map_err(gone)?;
                }
                Some(ClientMessage::Rest(bytes)) => {
                    pieces.send(QueuedMessage::Pass(bytes)).map_err(gone)?;
                    while near.read(&mut sent)? > 0 {
                        pieces.send(QueuedMessage::Pass(sent.split().to_vec())).map_err(gone)?;
                    }
                    return Ok(());
                }
                None if near.read(&mut sent)? == 0 => return Ok(()),
                None => {}
            }
        }
    }

    /// Sends the pieces that were taken in, each in its turn.
    fn carry_there(&self, pieces: &Receiver<QueuedMessage>, far: &mut Far) -> io::Result<()> {
        for piece in pieces {
            match piece {
                QueuedMessage::Pass(bytes) => far.write_all(&bytes)?,
                QueuedMessage::Aside(bytes) => {
                    self.wire.lock().let_go();
                    far.write_all(&bytes)?;
                }
                QueuedMessage::Asks(bytes, held) => {
                    let whose = held.as_ref().map(|(place, _)| *place);
                    if let Some((place, pending)) = held {
                        self.tracker.steps_up(self.number, place, *pending);
                    }
                    self.tracker.sends(self.number, whose);
                    self.wire.lock().let_go();
                    far.write_all(&bytes)?;
                }
            }
        }
        Ok(())
    }

    /// Carries back what the server sends. The messages of an answer are kept back until the answer is complete and its
    /// turn has come, or until no whole message is left to forward.
    fn carry_back(&self, mut far: Far, near: &ClientStream) -> io::Result<()> {
        let (mut sent, mut kept) = (BytesMut::new(), Vec::new());
        loop {
            let cut = self.wire.lock().server(&mut sent);
            match cut.map_err(|garbled| io::Error::other(garbled.0))? {
                Some(ServerMessage { bytes, session, answer }) => {
                    let is_answer = answer.is_some();
                    kept.extend_from_slice(&bytes);
                    if let Some(session) = session {
                        self.tracker.registered(self.number, self.first_session + session);
                    }
                    if let Some(answer) = answer {
                        if let Some(frame) = answer.frame {
                            self.analyzer.lock().settle(frame);
                        }
                        if answer.is_deadlock {
                            self.tracker.count_deadlock();
                        }
                        let is_open = answer.frame.map(|frame| frame.is_open);
                        let Answered { text, is_refused, .. } = answer;
                        self.tracker.hear(self.number, text, is_refused, is_open);
                    } else if kept.len() < MOST_KEPT {
                        continue;
                    }
                    near.write_all(&kept)?;
                    kept.clear();
                    if is_answer {
                        self.tracker.delivered(self.number);
                    }
                }
                None => {
                    // The server has sent something unasked, or waits for the client before it goes on.
                    near.write_all(&kept)?;
                    kept.clear();
                    if read(&mut far, &mut sent)? == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Reads what there is; 0 at the end.
pub(super) fn read(from: &mut impl Read, into: &mut BytesMut) -> io::Result<usize> {
    let length = into.len();
    into.resize(length + BLOCK, 0);
    let count = from.read(&mut into[length..])?;
    into.truncate(length + count);
    Ok(count)
}
