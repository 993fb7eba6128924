//! How the processes of a group find each other.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::link::Link;
use super::{GLANCE, ProcessGroup, SILENCE};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;

/// How long a connection may take to be made, and to say who is at its other end.
const GREETING: Duration = Duration::from_secs(3);

/// The first bytes of every connection.
const MAGIC: [u8; 16] = *b"oversell-sim 001";

/// The bytes of a greeting: the first bytes, which process of how many it is, and the fingerprint of its work.
pub(super) const GREETING_BYTES: usize = MAGIC.len() + 4 + 4 + FINGERPRINT;

/// The bytes of a fingerprint as text.
const FINGERPRINT: usize = 16;

/// What the process that has connected says when it was greeted.
const HEARD: u8 = 1;

/// What one process knows of a group before it has joined it.
#[derive(Clone, Debug)]
pub(crate) struct Rendezvous {
    /// Where each process listens.
    pub(crate) addresses: Vec<String>,
    /// Which of them this process is, counted from 0.
    pub(crate) me: usize,
    /// The fingerprint of the work. All processes have to have the same.
    pub(crate) work: String,
    /// How long to wait for the others to come.
    pub(crate) patience: Duration,
}

/// What the process at the other end of a new connection says of itself.
struct Greeting {
    process: usize,
    of: usize,
    work: Vec<u8>,
}

impl Rendezvous {
    /// Listens where the others expect this process; none if no other connects to it.
    ///
    /// # Errors
    /// [`Error::World`] if that is not possible.
    pub(crate) fn listen(&self) -> Result<Option<TcpListener>, Error> {
        if self.me + 1 == self.addresses.len() {
            return Ok(None);
        }
        let address = &self.addresses[self.me];
        let listener = TcpListener::bind(address.as_str()).map_err(|error| {
            Error::world(format!("process {}: cannot listen at {address}: {error}", self.me + 1))
        })?;
        Ok(Some(listener))
    }

    /// A process by its number, for a person.
    fn name(&self, process: usize) -> String {
        format!("process {} ({})", process + 1, self.addresses[process])
    }

    /// Waits until all processes have come: each connects to those before it.
    ///
    /// # Errors
    /// [`Error::World`] if one does not come in time, or the wait was ended; [`Error::Input`] if one has other work.
    pub(crate) fn join(
        &self,
        listener: Option<TcpListener>,
        control: &Control,
    ) -> Result<ProcessGroup, Error> {
        let clock = Wall::start();
        let mut links: Vec<Option<Link>> = self.addresses.iter().map(|_| None).collect();
        if let Some(listener) = &listener {
            let ready = listener.set_nonblocking(true);
            ready.map_err(|error| Error::world(format!("cannot wait for processes: {error}")))?;
        }
        let mut trouble = None;
        loop {
            for (process, link) in links.iter_mut().enumerate().take(self.me) {
                if link.is_none() {
                    match self.connect(process) {
                        Ok(known) => *link = Some(self.check(process, known)?),
                        Err(error) => trouble = Some(error),
                    }
                }
            }
            while let Some((socket, _)) =
                listener.as_ref().and_then(|listener| listener.accept().ok())
            {
                // What cannot greet is not of this group, and what has waited too long comes again.
                let Ok((socket, greeting)) = self.hear_out(socket) else { continue };
                let process = greeting.process;
                if process <= self.me || process >= links.len() || links[process].is_some() {
                    return Err(Error::input(format!(
                        "--process: two processes say that they are {}; give each its own number",
                        process + 1
                    )));
                }
                links[process] = Some(self.check(process, (socket, greeting))?);
            }
            let missing =
                links.iter().enumerate().position(|(at, link)| at != self.me && link.is_none());
            let Some(missing) = missing else {
                let control = control.clone();
                return Ok(ProcessGroup { me: self.me, links, round: 0, control });
            };
            let is_late = clock.now() > nanos(self.patience);
            if is_late || control.is_over() || !control.pause(GLANCE) {
                let trouble = trouble.filter(|_| missing < self.me);
                let why = trouble.map_or(String::new(), |error| format!(": {error}"));
                let name = self.name(missing);
                return Err(Error::world(format!(
                    "{name} has not come{why}; nothing was searched"
                )));
            }
        }
    }

    /// Connects to a process that listens.
    fn connect(&self, process: usize) -> io::Result<(TcpStream, Greeting)> {
        let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.addresses[process].to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, GREETING) {
                Ok(socket) => {
                    let (mut socket, greeting) = self.greet(socket)?;
                    socket.write_all(&[HEARD])?;
                    return Ok((socket, greeting));
                }
                Err(refused) => error = refused,
            }
        }
        Err(error)
    }

    /// Greets a process that has connected, and waits until it has heard that.
    fn hear_out(&self, socket: TcpStream) -> io::Result<(TcpStream, Greeting)> {
        let (mut socket, greeting) = self.greet(socket)?;
        socket.read_exact(&mut [0])?;
        Ok((socket, greeting))
    }

    /// Says who this process is, and hears who is at the other end.
    fn greet(&self, mut socket: TcpStream) -> io::Result<(TcpStream, Greeting)> {
        socket.set_nonblocking(false)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(GREETING))?;
        socket.set_write_timeout(Some(SILENCE))?;
        let mut said = MAGIC.to_vec();
        said.extend((self.me as u32).to_le_bytes());
        said.extend((self.addresses.len() as u32).to_le_bytes());
        said.extend(self.work.bytes().chain(std::iter::repeat(0)).take(FINGERPRINT));
        socket.write_all(&said)?;
        let mut heard = [0; GREETING_BYTES];
        socket.read_exact(&mut heard)?;
        let (magic, rest) = heard.split_at(MAGIC.len());
        let number = |bytes: &[u8]| {
            bytes.try_into().map_or(usize::MAX, |bytes| u32::from_le_bytes(bytes) as usize)
        };
        if magic != MAGIC {
            return Err(io::Error::other("something else answers there"));
        }
        let (process, of) = (number(&rest[..4]), number(&rest[4..8]));
        Ok((socket, Greeting { process, of, work: rest[8..].to_vec() }))
    }

    /// Checks that the process at the other end has the same work, and begins to listen to it.
    fn check(
        &self,
        process: usize,
        (socket, greeting): (TcpStream, Greeting),
    ) -> Result<Link, Error> {
        let name = self.name(process);
        if greeting.process != process || greeting.of != self.addresses.len() {
            return Err(Error::input(format!(
                "--processes: at {} is process {} of {}, not {} of {}; give every process the same list",
                self.addresses[process],
                greeting.process + 1,
                greeting.of,
                process + 1,
                self.addresses.len()
            )));
        }
        if greeting.work != self.work.as_bytes() {
            return Err(Error::input(format!(
                "{name} was given another command, or is another build of the program; give all processes the same, with \
                 --seed where quantities are drawn; only --process, --max-memory, --max-time and --jobs may differ"
            )));
        }
        let lost = |error| Error::world(format!("{name} is lost: {error}; nothing was searched"));
        Link::open(name.clone(), socket).map_err(lost)
    }
}
