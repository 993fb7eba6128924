//! HTTP over the sockets of a private group, which lie in a directory that no other user reaches.
//!
//! On a loopback port, every local user could connect to the members, and to their consensus protocol, which bypasses
//! etcd's authentication of clients. A socket in a closed directory prevents both, and occupies no port.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

use crate::base::control::Control;
use crate::stores::heeding;

/// An HTTP agent that takes a URL's host and port as the name of a socket in this directory, as etcd names its sockets.
pub(super) fn agent(config: Config, dir: &Arc<Path>, control: &Control) -> Agent {
    heeding::agent_over(config, Sockets(Arc::clone(dir)), control)
}

/// Connects to sockets in a directory.
#[derive(Debug)]
struct Sockets(Arc<Path>);

impl Connector for Sockets {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Socket>, Error> {
        let name = details.uri.authority().ok_or(Error::HostNotFound)?;
        // A member that has not created its socket yet does not listen yet.
        let stream =
            UnixStream::connect(self.0.join(name.as_str())).map_err(|error| {
                match error.kind() {
                    ErrorKind::NotFound => io::Error::from(ErrorKind::ConnectionRefused),
                    _ => error,
                }
            })?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Socket { stream, buffers: LazyBuffers::new(input, output) }))
    }
}

/// One connection.
#[derive(Debug)]
struct Socket {
    stream: UnixStream,
    buffers: LazyBuffers,
}

/// How long a read or a write may take; none for no limit.
fn bound(timeout: &NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|left| *left)
}

/// Turns the error of a read or write that timed out into a timeout.
fn trouble(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(reason),
        _ => error.into(),
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(bound(&timeout))?;
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output).map_err(|error| trouble(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(bound(&timeout))?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(input) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(|error| trouble(error, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether the connection can be used for another request: a read finds neither data nor the end of the stream.
    fn is_open(&mut self) -> bool {
        let mut look = || {
            self.stream.set_nonblocking(true)?;
            let read = self.stream.read(&mut [0]);
            self.stream.set_nonblocking(false)?;
            read
        };
        look().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}
