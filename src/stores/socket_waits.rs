//! Waits of a client that reads its socket by itself, and cannot be interrupted: soon after the work is to end, the socket
//! is shut down, and the client finds its connection closed. Where the system gives no second handle to a socket, the
//! server is asked to end the statement, which a server that works does.

use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::answer::AT_THE_END;
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;

/// How often to check whether the work is to end.
const GLANCE: Duration = Duration::from_millis(50);

/// The sockets of all such clients of a run.
#[derive(Debug)]
pub(super) struct SocketWaits {
    clock: Wall,
    sockets: Mutex<Vec<Weak<SocketWait>>>,
    is_watched: AtomicBool,
}

/// One client's socket, and since when it waits there.
pub(super) struct SocketWait {
    clock: Wall,
    /// None if the system gives no second handle to it.
    socket: Option<TcpStream>,
    /// Asks the server to end the statement, on a connection of its own.
    ask_to_end: AskToEnd,
    /// 0 if it does not wait.
    since_ns: AtomicU64,
}

/// A wait that is under way, until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<SocketWait>);

/// Asks a server to end a statement. It may take long: connecting does.
type AskToEnd = Arc<dyn Fn() + Send + Sync>;

impl fmt::Debug for SocketWait {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.debug_struct("SocketWait").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Default for SocketWaits {
    fn default() -> Self {
        Self { clock: Wall::start(), sockets: Mutex::default(), is_watched: AtomicBool::new(false) }
    }
}

impl SocketWaits {
    /// Watches over one more socket, whose number has to be that of an open file.
    pub(super) fn watch_over(
        self: &Arc<Self>,
        socket: RawFd,
        control: &Control,
        ask_to_end: impl Fn() + Send + Sync + 'static,
    ) -> Arc<SocketWait> {
        self.watch_over_handle(second_handle(socket), control, Arc::new(ask_to_end))
    }

    fn watch_over_handle(
        self: &Arc<Self>,
        socket: Option<TcpStream>,
        control: &Control,
        ask_to_end: AskToEnd,
    ) -> Arc<SocketWait> {
        let (clock, since_ns) = (self.clock.clone(), AtomicU64::new(0));
        let wait = Arc::new(SocketWait { clock, socket, ask_to_end, since_ns });
        let mut sockets = self.sockets.lock();
        sockets.retain(|other| other.strong_count() > 0);
        sockets.push(Arc::downgrade(&wait));
        drop(sockets);
        if !self.is_watched.swap(true, Ordering::Relaxed) {
            let (all, control) = (Arc::downgrade(self), control.clone());
            let watcher = thread::Builder::new().name("waits".into());
            // Without this thread, a wait has its bound all the same.
            let _ = watcher.spawn(move || watch(&all, &control));
        }
        wait
    }

    /// Shuts the sockets down at which a client waits for too long.
    fn break_off(&self) {
        for socket in self.sockets.lock().iter().filter_map(Weak::upgrade) {
            let since_ns = socket.since_ns.load(Ordering::Relaxed);
            let is_late = self.clock.now().saturating_sub(since_ns) >= nanos(AT_THE_END);
            if since_ns > 0 && is_late {
                socket.break_off(since_ns);
            }
        }
    }
}

impl SocketWait {
    fn break_off(&self, since_ns: u64) {
        if let Some(socket) = &self.socket {
            let _ = socket.shutdown(Shutdown::Both);
            return;
        }
        // The next request, if this one is of no avail, is as long after it.
        let now = self.clock.now().max(1);
        let order = Ordering::Relaxed;
        if self.since_ns.compare_exchange(since_ns, now, order, order).is_ok() {
            let ask_to_end = Arc::clone(&self.ask_to_end);
            let _ = thread::Builder::new().name("end".into()).spawn(move || ask_to_end());
        }
    }

    /// The client begins to wait.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.since_ns.store(self.clock.now().max(1), Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.since_ns.store(0, Ordering::Relaxed);
    }
}

/// Looks after the sockets as long as there are any.
fn watch(all: &Weak<SocketWaits>, control: &Control) {
    let own = Control::default();
    while let Some(all) = all.upgrade() {
        if control.is_over() {
            all.break_off();
        }
        drop(all);
        own.pause(GLANCE);
    }
}

/// A second handle to a socket of this process.
#[cfg(target_os = "linux")]
fn second_handle(socket: RawFd) -> Option<TcpStream> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

    let this = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
    // Whatever kind of socket it is, it is shut down in the same way.
    pidfd_getfd(this, socket, PidfdGetfdFlags::empty()).ok().map(TcpStream::from)
}

/// Other systems give none.
#[cfg(not(target_os = "linux"))]
fn second_handle(_: RawFd) -> Option<TcpStream> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_wait_is_broken_off_once_the_work_is_to_end_and_a_socket_without_one_stays() {
        let (waits, control) = (Arc::new(SocketWaits::default()), Control::default());
        let (mut ours, _theirs) = UnixStream::pair().unwrap();
        let (mut idle, mut other) = UnixStream::pair().unwrap();
        let wait = waits.watch_over(ours.as_raw_fd(), &control, || {});
        let _no_wait = waits.watch_over(idle.as_raw_fd(), &control, || {});
        if wait.socket.is_none() {
            // The system is too old, or does not allow it.
            return;
        }
        let under_way = wait.begin();
        control.stop_flag().store(true, Ordering::Relaxed);
        // This would wait for ever.
        assert_eq!(ours.read(&mut [0]).unwrap(), 0);
        drop(under_way);
        std::io::Write::write_all(&mut other, b"x").unwrap();
        assert_eq!(idle.read(&mut [0]).unwrap(), 1);
    }

    #[test]
    fn the_server_is_asked_to_end_a_statement_where_there_is_no_second_handle_to_its_socket() {
        let (waits, control) = (Arc::new(SocketWaits::default()), Control::default());
        let (tells, told) = crossbeam::channel::unbounded();
        let ask = |of: &'static str| {
            let tells = tells.clone();
            Arc::new(move || tells.send(of).unwrap())
        };
        let wait = waits.watch_over_handle(None, &control, ask("the one that waits"));
        let _no_wait = waits.watch_over_handle(None, &control, ask("the other"));
        let _under_way = wait.begin();
        control.stop_flag().store(true, Ordering::Relaxed);
        // Without the request, this would wait for ever.
        assert_eq!(told.recv(), Ok("the one that waits"));
        assert!(told.is_empty());
    }
}
