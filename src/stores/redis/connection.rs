//! One connection to Redis. Its waits for an answer end soon after the work is to end, and its answers have a bound: the
//! client library has neither, and lends its socket to no other.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ::redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ConnectionLike, RedisError, RedisResult, Value, cmd,
};

use super::replies;
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::stores::answer::{AT_THE_END, AnswerWait, MOST_BYTES};

/// The longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(5);

/// How often to check whether the work is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// The largest answer to a command of our own, in bytes: the orders of a large race.
const MOST_OF_OURS: usize = 1 << 30;

/// One connection.
pub(super) struct RedisConnection {
    socket: BufReader<Socket>,
    database: i64,
    is_open: bool,
}

impl RedisConnection {
    /// Connects, and logs in. No answer is waited for longer than `within`.
    pub(super) fn open(
        info: &ConnectionInfo,
        within: Duration,
        control: &Control,
    ) -> RedisResult<Self> {
        let socket = BufReader::new(Socket::open(info.addr(), within, control)?);
        let settings = info.redis_settings();
        let mut connection = Self { socket, database: settings.db(), is_open: true };
        if let Some(password) = settings.password() {
            let mut login = cmd("AUTH");
            login.arg(settings.username()).arg(password);
            login.exec(&mut connection).map_err(not_logged_in)?;
        }
        if settings.db() != 0 {
            cmd("SELECT").arg(settings.db()).exec(&mut connection)?;
        }
        Ok(connection)
    }

    /// Sends a user's command, and reads its reply.
    pub(super) fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.send(&command.get_packed_command())?;
        self.reply(MOST_BYTES)?.extract_error()
    }

    fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        if !self.is_open {
            return Err(io::Error::from(ErrorKind::NotConnected).into());
        }
        let socket = self.socket.get_mut();
        socket.begin();
        let sent = socket.write_all(packed).map_err(RedisError::from);
        self.close_on_failure(sent)
    }

    /// Reads the next reply. What is left of one that was not read to its end would be taken for the next.
    fn reply(&mut self, most: usize) -> RedisResult<Value> {
        if !self.is_open {
            return Err(io::Error::from(ErrorKind::NotConnected).into());
        }
        self.socket.get_mut().begin();
        let read = replies::read(&mut self.socket, most);
        self.close_on_failure(read)
    }

    fn close_on_failure<T>(&mut self, done: RedisResult<T>) -> RedisResult<T> {
        done.inspect_err(|_| {
            self.is_open = false;
            self.socket.get_ref().stream.shutdown();
        })
    }
}

fn not_logged_in(error: RedisError) -> RedisError {
    match error.is_io_error() {
        true => error,
        false => io::Error::other(format!("Password authentication failed: {error}")).into(),
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.send(packed)?;
        self.reply(MOST_OF_OURS)
    }

    /// Of the replies, the first `offset` say only that a command was queued.
    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.send(packed)?;
        let queued: Vec<Value> =
            (0..offset).map(|_| self.reply(MOST_OF_OURS)).collect::<RedisResult<_>>()?;
        let replies = (0..count).map(|_| self.reply(MOST_OF_OURS)).collect::<RedisResult<_>>()?;
        queued.into_iter().try_for_each(|reply| reply.extract_error().map(drop))?;
        Ok(replies)
    }

    fn get_db(&self) -> i64 {
        self.database
    }

    fn check_connection(&mut self) -> bool {
        cmd("PING").exec(self).is_ok()
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}

/// The server's socket, and how long it may be waited for.
struct Socket {
    stream: Stream,
    clock: Wall,
    control: Control,
    within: Duration,
    /// When the wait began, and when it ends.
    from_ns: u64,
    until_ns: u64,
    is_at_the_end: bool,
}

impl Socket {
    fn open(to: &ConnectionAddr, within: Duration, control: &Control) -> io::Result<Self> {
        let stream = match to {
            ConnectionAddr::Tcp(host, port) => Stream::Tcp(connected(host, *port)?),
            ConnectionAddr::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
            _ => return Err(io::Error::other("an encrypted connection cannot be made")),
        };
        stream.glance()?;
        let (clock, control) = (Wall::start(), control.clone());
        let (from_ns, until_ns, is_at_the_end) = (0, 0, false);
        Ok(Self { stream, clock, control, within, from_ns, until_ns, is_at_the_end })
    }

    /// Begins another wait.
    fn begin(&mut self) {
        self.from_ns = self.clock.now();
        self.until_ns = self.from_ns.saturating_add(nanos(self.within));
        self.is_at_the_end = false;
    }

    /// Fails if the time is up. Most answers come in the first glance: whether the work is to end, which all threads share,
    /// is not asked before.
    fn check_time(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        if now.saturating_sub(self.from_ns) < nanos(GLANCE) {
            return Ok(());
        }
        if !self.is_at_the_end && self.control.is_over() {
            self.is_at_the_end = true;
            self.until_ns = self.until_ns.min(now.saturating_add(nanos(AT_THE_END)));
        }
        match now < self.until_ns {
            true => Ok(()),
            false => {
                let why = AnswerWait::why(self.is_at_the_end);
                Err(io::Error::new(ErrorKind::TimedOut, why))
            }
        }
    }

    /// Reads or writes, until the time is up.
    fn until_done(
        &mut self,
        mut work: impl FnMut(&mut Stream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            // Bytes that come one at a time do not make the wait longer.
            self.check_time()?;
            match work(&mut self.stream) {
                Err(error) if is_glance(&error) => {}
                done => return done,
            }
        }
    }
}

/// Whether only a glance is over.
fn is_glance(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.until_done(|stream| match stream {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.until_done(|stream| match stream {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// From now on, no read and no write takes longer than a glance.
    fn glance(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(GLANCE))?;
                stream.set_write_timeout(Some(GLANCE))
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(GLANCE))?;
                stream.set_write_timeout(Some(GLANCE))
            }
        }
    }

    fn shutdown(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

/// Connects to the first of a host's addresses that listens.
fn connected(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::atomic::Ordering;
    use std::thread;

    use ::redis::{Client, pipe};

    use super::*;

    /// A connection to a server that takes whatever comes, and says this.
    fn served(
        words: Vec<u8>,
        within: Duration,
        control: &Control,
    ) -> (RedisConnection, thread::JoinHandle<()>) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", server.local_addr().unwrap());
        let serve = move || {
            let (mut client, _) = server.accept().unwrap();
            let _ = client.write_all(&words);
            // Until the client has gone.
            let _ = io::copy(&mut client, &mut io::sink());
        };
        let thread = thread::spawn(serve);
        let info = Client::open(url).unwrap().get_connection_info().clone();
        (RedisConnection::open(&info, within, control).unwrap(), thread)
    }

    #[test]
    fn an_answer_is_waited_for_until_patience_is_over_or_the_work_is_to_end() {
        let control = Control::default();
        let (mut connection, server) = served(Vec::new(), GLANCE, &control);
        let late = connection.ask(&cmd("PING")).unwrap_err();
        assert!(late.is_io_error() && late.to_string().contains("no answer in time"), "{late}");
        assert!(!connection.is_open());
        server.join().unwrap();

        // An answer of which only a part comes is waited for no longer.
        let (mut connection, server) = served(b"$9\r\nab".to_vec(), Duration::MAX, &control);
        control.stop_flag().store(true, Ordering::Relaxed);
        // This would wait for ever.
        let ended = connection.ask(&cmd("PING")).unwrap_err();
        assert!(ended.to_string().contains("interrupted"), "{ended}");
        server.join().unwrap();
    }

    #[test]
    fn an_answer_that_is_too_large_closes_the_connection() {
        let words = format!("${}\r\n", MOST_BYTES + 1).into_bytes();
        let (mut connection, server) = served(words, CONNECTING, &Control::default());
        let refused = connection.ask(&cmd("PING")).unwrap_err();
        assert!(replies::is_too_large(&refused), "{refused}");
        assert!(!connection.is_open() && connection.ask(&cmd("PING")).is_err());
        server.join().unwrap();
    }

    #[test]
    fn a_transaction_of_which_a_command_is_refused_is_an_error_and_leaves_no_reply_behind() {
        let words = b"+OK\r\n-ERR no such command\r\n-EXECABORT discarded\r\n+PONG\r\n".to_vec();
        let (mut connection, server) = served(words, CONNECTING, &Control::default());
        let mut together = pipe();
        together.atomic().cmd("WRONG");
        let refused = together.exec(&mut connection).unwrap_err();
        assert!(refused.to_string().contains("no such command"), "{refused}");
        assert!(connection.check_connection());
        drop(connection);
        server.join().unwrap();
    }
}
