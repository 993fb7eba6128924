//! A connection to one process: a thread that reads, one that writes, and the messages between them and the work.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::{GLANCE, SILENCE};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;

/// How often a process says that it lives.
const BEAT: Duration = Duration::from_secs(1);

/// How long to wait for the others once this process was stopped.
const AT_THE_END: Duration = Duration::from_secs(5);

/// The round of a message that says no more than that a process lives.
const ALIVE: u64 = u64::MAX;

/// The most bytes of one message: many times more than a round of a search needs.
const MOST_BYTES: u64 = 1 << 33;

/// A connection to one process.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    socket: TcpStream,
    /// None once no more will be sent.
    outgoing: Option<Sender<(u64, Vec<u8>)>>,
    incoming: Receiver<io::Result<(u64, Vec<u8>)>>,
    threads: Vec<JoinHandle<()>>,
}

impl Link {
    /// Begins to listen to a process.
    pub(super) fn open(name: String, socket: TcpStream) -> io::Result<Self> {
        socket.set_read_timeout(Some(SILENCE))?;
        let (outgoing, to_send) = unbounded::<(u64, Vec<u8>)>();
        let (received, incoming) = unbounded();
        let (to_read, to_write) = (socket.try_clone()?, socket.try_clone()?);
        let reader = thread::Builder::new().name("reads a process".into()).spawn(move || {
            let mut from = BufReader::with_capacity(1 << 16, to_read);
            loop {
                let message = read(&mut from);
                let is_over = message.is_err();
                let is_alive = matches!(message, Ok((ALIVE, _)));
                if !is_alive && received.send(message).is_err() || is_over {
                    return;
                }
            }
        })?;
        let writer = thread::Builder::new()
            .name("writes to a process".into())
            .spawn(move || write_all(to_write, &to_send))?;
        Ok(Self { name, socket, outgoing: Some(outgoing), incoming, threads: vec![writer, reader] })
    }
}

impl Link {
    /// Sends a message. If it cannot be sent, the connection is closed, and nothing is received either.
    pub(super) fn send(&self, round: u64, message: Vec<u8>) {
        let _ = self.outgoing.as_ref().map(|outgoing| outgoing.send((round, message)));
    }

    /// The message of this round. The other end hears from the process every second, or gives up.
    pub(super) fn receive(&self, round: u64, control: &Control) -> Result<Vec<u8>, Error> {
        let lost =
            |why: &str| Error::world(format!("{} is lost: {why}; nothing is proved", self.name));
        let mut stopped: Option<Wall> = None;
        loop {
            match self.incoming.recv_timeout(GLANCE) {
                Ok(Ok((its_round, message))) if its_round == round => return Ok(message),
                Ok(Ok(_)) => return Err(lost("it is at another point of the search")),
                Ok(Err(error)) => return Err(lost(&why_lost(&error))),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(lost("the connection is closed"));
                }
                Err(RecvTimeoutError::Timeout) if !control.is_stopped() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if stopped.get_or_insert_with(Wall::start).now() > nanos(AT_THE_END) {
                        return Err(lost("it has not answered since this one was stopped"));
                    }
                }
            }
        }
    }
}

/// Reads one message.
fn read(from: &mut impl Read) -> io::Result<(u64, Vec<u8>)> {
    let mut number = [0; 8];
    from.read_exact(&mut number)?;
    let round = u64::from_le_bytes(number);
    from.read_exact(&mut number)?;
    let length = u64::from_le_bytes(number);
    if length > MOST_BYTES {
        return Err(io::Error::other("a message is too long"));
    }
    // It grows while it is read, so a length that was made up takes no memory.
    let mut message = Vec::new();
    from.take(length).read_to_end(&mut message)?;
    if (message.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((round, message))
}

/// Writes messages until there will be no more.
fn write_all(mut to: TcpStream, messages: &Receiver<(u64, Vec<u8>)>) {
    loop {
        let (round, message) = match messages.recv_timeout(BEAT) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => (ALIVE, Vec::new()),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let mut header = round.to_le_bytes().to_vec();
        header.extend((message.len() as u64).to_le_bytes());
        if to.write_all(&header).and_then(|()| to.write_all(&message)).is_err() {
            // The thread that reads finds the connection closed.
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Why a connection was lost.
fn why_lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "it has ended, or has lost a process itself".into()
        }
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("it has said nothing for {} seconds", SILENCE.as_secs())
        }
        _ => error.to_string(),
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The thread that writes sends what is left, and ends; then the one that reads is woken.
        drop(self.outgoing.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }
}
