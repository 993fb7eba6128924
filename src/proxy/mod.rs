//! A proxy between a running application and its databases. The application does not know of it. Every statement is
//! held until its turn comes.
//!
//! A [`Wire`](wire::Wire) cuts a protocol into statements and answers. A [`StatementAnalyzer`](analyzer::StatementAnalyzer) knows what a statement
//! touches. A [`SessionTracker`] knows which buyer sent it and has it wait at the gate. A connection carries the bytes. A client
//! that asks for encryption gets it, with a [`Certificate`] of the run; the way from the proxy to the server stays plain.

mod analyzer;
mod background;
mod certificate;
mod client_stream;
mod connection;
#[cfg(feature = "mysql")]
mod mysql;
mod peer;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod tracker;
mod wire;

pub(crate) use analyzer::{AnalyzedStatement, StatementAnalyzer};
pub(crate) use certificate::Certificate;
pub(crate) use connection::Target;
#[cfg(feature = "mysql")]
pub(crate) use mysql::Mysql;
pub(crate) use peer::groups_are_asleep;
#[cfg(feature = "postgres")]
pub(crate) use postgres::Postgres;
#[cfg(feature = "redis")]
pub(crate) use redis::Redis;
pub(crate) use tracker::{Irregularities, SessionTracker};
#[cfg(fuzzing)]
pub(crate) use wire::{Answered, ClientMessage, Greeting};
pub(crate) use wire::{ClientStatement, TransactionState, Wire};

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::base::error::Error;
use connection::Closers;

/// What a proxy needs to know of the server behind it.
pub(crate) struct UpstreamServer {
    /// Where the server listens.
    pub(crate) target: Target,
    /// What is added to the numbers of its sessions.
    pub(crate) first_session: i64,
    /// Makes the protocol parser of a new connection.
    pub(crate) wire: Box<dyn Fn() -> Box<dyn Wire> + Send>,
    /// Makes the interpreter of a new connection's statements.
    pub(crate) analyzer: Box<dyn Fn() -> Box<dyn StatementAnalyzer> + Send>,
}

/// A listening port on loopback. Dropping it closes the port, and every connection through it.
pub(crate) struct Proxy {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    closers: Closers,
    listens: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens at a port, or at any that is free.
    ///
    /// # Errors
    /// [`Error::World`] when it is taken.
    pub(crate) fn open(
        port: u16,
        behind: UpstreamServer,
        tracker: Arc<SessionTracker>,
        certificate: Arc<Certificate>,
    ) -> Result<Self, Error> {
        let cannot = |error| Error::world(format!("cannot listen on 127.0.0.1:{port}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let closers = Closers::default();
        let (over, ends) = (Arc::clone(&is_over), Arc::clone(&closers));
        let listen = move || {
            for near in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A client whose server is not there finds its connection closed, as it would without the proxy.
                let Ok(near) = near else { continue };
                let _ = connection::serve(near, &behind, &tracker, &certificate, &ends);
            }
        };
        let listens = thread::Builder::new()
            .spawn(listen)
            .map_err(|error| Error::world(format!("cannot start threads: {error}")))?;
        Ok(Self { address, is_over, closers, listens: Some(listens) })
    }

    /// The port it listens at.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Closes every connection; clients that connect anew are served.
    pub(crate) fn hang_up(&self) {
        for closer in self.closers.lock().values() {
            closer.close();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.hang_up();
        // This connection wakes the thread that listens.
        let _ = TcpStream::connect(self.address);
        if let Some(listens) = self.listens.take() {
            let _ = listens.join();
        }
        self.hang_up();
    }
}
