//! The client's side of a connection through the proxy: plain, or encrypted from the point on where the client asks for it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;
use rustls::server::{ServerConfig, ServerConnection};

use super::connection::read;

/// How many bytes are encrypted at once: those of one record.
const RECORD: usize = 16 << 10;

/// A stream that one thread reads and several write.
///
/// A writer takes `writes` first and `session` second. The reader takes `session` alone, and only while it decrypts, so that
/// it goes on reading while a writer waits for the client.
pub(super) struct ClientStream {
    stream: TcpStream,
    /// Held while anything is written, so that records are sent in the order in which they were encrypted.
    writes: Mutex<()>,
    /// None as long as the connection is plain.
    session: Mutex<Option<ServerConnection>>,
}

impl ClientStream {
    /// A stream that is plain.
    pub(super) fn plain(stream: TcpStream) -> Self {
        Self { stream, writes: Mutex::default(), session: Mutex::default() }
    }

    /// Reads what there is, decrypted; 0 at the end.
    pub(super) fn read(&self, into: &mut BytesMut) -> io::Result<usize> {
        if self.session.lock().is_none() {
            return read(&mut &self.stream, into);
        }
        let (before, mut raw) = (into.len(), BytesMut::new());
        // What has come before may have ended with the end of what is encrypted.
        let mut is_over = self.decrypt(&raw, into)?;
        while !is_over && into.len() == before {
            raw.clear();
            is_over = read(&mut &self.stream, &mut raw)? == 0 || self.decrypt(&raw, into)?;
        }
        Ok(into.len() - before)
    }

    /// Writes all of it, encrypted if the stream is.
    pub(super) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let _writes = self.writes.lock();
        if self.session.lock().is_none() {
            return (&self.stream).write_all(bytes);
        }
        for record in bytes.chunks(RECORD) {
            let encrypted = self.encrypt(|session| session.writer().write_all(record))?;
            (&self.stream).write_all(&encrypted)?;
        }
        Ok(())
    }

    /// Answers a client that asks for encryption with these bytes, and goes through the handshake. What the client has
    /// sent already belongs to the handshake; afterwards the buffer has what was decrypted.
    pub(super) fn encrypted(
        &self,
        answer: &[u8],
        sent: &mut BytesMut,
        config: Arc<ServerConfig>,
    ) -> io::Result<()> {
        let _writes = self.writes.lock();
        (&self.stream).write_all(answer)?;
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        *self.session.lock() = Some(session);
        let mut raw = sent.split();
        loop {
            let decrypted = self.decrypt(&raw, sent);
            // If the handshake has failed, this says why.
            (&self.stream).write_all(&self.encrypt(|_| Ok(()))?)?;
            let is_over = decrypted?;
            if !self.session.lock().as_ref().is_some_and(|session| session.is_handshaking()) {
                return Ok(());
            }
            raw.clear();
            if is_over || read(&mut &self.stream, &mut raw)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Closes both directions. A client that is not being written to is told that this is the end of what is encrypted.
    pub(super) fn close(&self) {
        if let Some(_writes) = self.writes.try_lock() {
            let farewell = self.encrypt(|session| {
                session.send_close_notify();
                Ok(())
            });
            // The client may be gone, or not read what it is sent.
            let _ = self.stream.set_nonblocking(true);
            let _ = farewell.and_then(|bytes| (&self.stream).write_all(&bytes));
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Decrypts; returns whether the client has ended the encrypted stream.
    fn decrypt(&self, mut raw: &[u8], into: &mut BytesMut) -> io::Result<bool> {
        let mut session = self.session.lock();
        let Some(session) = session.as_mut() else { return Ok(true) };
        loop {
            let state = session.process_new_packets().map_err(io::Error::other)?;
            let begins = into.len();
            into.resize(begins + state.plaintext_bytes_to_read(), 0);
            session.reader().read_exact(&mut into[begins..])?;
            if raw.is_empty() || state.peer_has_closed() {
                return Ok(state.peer_has_closed());
            }
            session.read_tls(&mut raw)?;
        }
    }

    /// What is to be sent once the session has done this; nothing if the stream is plain.
    fn encrypt(
        &self,
        act: impl FnOnce(&mut ServerConnection) -> io::Result<()>,
    ) -> io::Result<Vec<u8>> {
        let (mut session, mut encrypted) = (self.session.lock(), Vec::new());
        if let Some(session) = session.as_mut() {
            act(session)?;
            while session.wants_write() {
                session.write_tls(&mut encrypted)?;
            }
        }
        Ok(encrypted)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use rustls::crypto::ring;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use super::*;
    use crate::proxy::Certificate;

    type EncryptedClient = StreamOwned<ClientConnection, TcpStream>;

    fn connected() -> (TcpStream, ClientStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, ClientStream::plain(listener.accept().unwrap().0))
    }

    /// A client that trusts this certificate alone, and knows these protocols.
    fn trusting(certificate: &Certificate, host: &str, alpn: &[&str]) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(certificate.authority().as_bytes()).unwrap();
        roots.add(root).unwrap();
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        ClientConnection::new(config.into(), host.to_owned().try_into().unwrap()).unwrap()
    }

    /// Has a client encrypt its connection, and both do something.
    fn encrypted<T: Send + 'static>(
        host: &'static str,
        client: impl FnOnce(EncryptedClient) -> T + Send + 'static,
        server: impl FnOnce(&ClientStream, BytesMut),
    ) -> T {
        let certificate = Certificate::make().unwrap();
        let session = trusting(&certificate, host, &["other", "postgresql"]);
        let (plain, stream) = connected();
        let client = thread::spawn(move || {
            let mut plain = plain;
            let mut answer = [0];
            plain.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"S");
            client(StreamOwned::new(session, plain))
        });
        let mut sent = BytesMut::new();
        stream.encrypted(b"S", &mut sent, certificate.config("postgresql")).unwrap();
        server(&stream, sent);
        client.join().unwrap()
    }

    #[test]
    fn what_is_sent_comes_whole_in_both_directions_at_once_under_every_name_of_this_machine() {
        const LENGTH: usize = 3 << 20;
        let bytes = || (0..LENGTH).map(|place| (place % 251) as u8).collect::<Vec<u8>>();
        for host in ["127.0.0.1", "localhost", "::1"] {
            let client = move |mut client: EncryptedClient| {
                client.write_all(&bytes()).unwrap();
                let mut heard = vec![0; LENGTH];
                client.read_exact(&mut heard).unwrap();
                assert!(heard == bytes());
                assert_eq!(client.conn.alpn_protocol(), Some(&b"postgresql"[..]));
                client.conn.send_close_notify();
                client.flush().unwrap();
                // The proxy answers that with the end of its own side.
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            };
            encrypted(host, client, |stream, mut sent| {
                thread::scope(|scope| {
                    scope.spawn(|| stream.write_all(&bytes()).unwrap());
                    while sent.len() < LENGTH {
                        assert!(stream.read(&mut sent).unwrap() > 0);
                    }
                });
                assert!(sent == bytes());
                assert_eq!(stream.read(&mut sent).unwrap(), 0, "the client has ended it");
                assert_eq!(stream.read(&mut sent).unwrap(), 0, "and it stays ended");
                stream.close();
            });
        }
    }

    #[test]
    fn a_client_that_trusts_another_authority_ends_the_handshake_and_is_told_nothing() {
        let (plain, stream) = connected();
        let (ours, theirs) = (Certificate::make().unwrap(), Certificate::make().unwrap());
        let mut client = StreamOwned::new(trusting(&theirs, "localhost", &[]), plain);
        let client = thread::spawn(move || client.write_all(b"secret"));
        let mut sent = BytesMut::new();
        let why = stream.encrypted(b"", &mut sent, ours.config("")).unwrap_err();
        assert!(why.to_string().starts_with("received fatal alert"), "{why}");
        assert!(sent.is_empty());
        assert!(client.join().unwrap().is_err());
    }

    #[test]
    fn a_client_of_another_protocol_is_refused_where_the_protocol_has_a_name() {
        for (protocol, names, is_taken) in [
            ("postgresql", &["http/1.1"][..], false),
            ("postgresql", &[], true),
            ("", &["h2"], true),
        ] {
            let (plain, stream) = connected();
            let certificate = Certificate::make().unwrap();
            let mut client = StreamOwned::new(trusting(&certificate, "localhost", names), plain);
            let client =
                thread::spawn(move || client.write_all(b"hi").and_then(|()| client.flush()));
            let shaken = stream.encrypted(b"", &mut BytesMut::new(), certificate.config(protocol));
            assert_eq!(shaken.is_ok(), is_taken, "{protocol} {names:?}: {shaken:?}");
            drop(stream);
            let _ = client.join().unwrap();
        }
    }

    #[test]
    fn what_was_sent_before_encryption_was_asked_for_is_no_part_of_what_is_encrypted() {
        let (mut plain, stream) = connected();
        plain.write_all(b"DROP TABLE product").unwrap();
        let mut sent = BytesMut::new();
        stream.read(&mut sent).unwrap();
        let certificate = Certificate::make().unwrap();
        assert!(stream.encrypted(b"S", &mut sent, certificate.config("")).is_err());
        assert!(sent.is_empty());
    }
}
