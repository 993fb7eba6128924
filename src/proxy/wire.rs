//! What the proxy needs to know of a protocol: where a statement ends, and where its answer ends.

use bytes::BytesMut;

use crate::base::text::sql::{Dialect, RewriteOutcome};

/// What a client has sent, cut where the proxy can hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientMessage {
    /// To be forwarded at once: it asks for nothing that another connection could notice.
    Pass(Vec<u8>),
    /// The same, and it begins the session.
    Greets(Vec<u8>, Greeting),
    /// To be forwarded at once, too; the server will answer.
    Ask(Vec<u8>),
    /// The proxy answers this itself.
    Reply(Vec<u8>),
    /// The client asks for encryption. The proxy answers with these bytes, and what the client sends next, or has sent
    /// already, is a TLS handshake.
    Encrypt {
        /// What the proxy answers; empty if the client does not wait for an answer.
        answer: &'static [u8],
        /// The name of the database's protocol in the handshake (ALPN); empty if it has none.
        protocol: &'static str,
    },
    /// To be held until its turn comes.
    Hold(Vec<u8>, ClientStatement),
    /// To be forwarded as it is, and nothing after it is cut: it is about another connection, or the protocol has
    /// become one that the proxy does not understand.
    Rest(Vec<u8>),
}

/// What the message that begins a session says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// The statement that would set up the session as the message does, if it sets anything that matters.
    pub(crate) sets: Option<ClientStatement>,
    /// The name that the client gives itself.
    pub(crate) name: Option<String>,
}

/// A statement, or several that were sent as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientStatement {
    /// Its text as the client wrote it, with placeholders for values.
    pub(crate) text: String,
    /// The values of the placeholders, as a report shows them.
    pub(crate) values: Vec<String>,
    /// Whether a cure was written into its text.
    pub(crate) rewriting: RewriteOutcome,
}

/// What a server has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerMessage {
    /// The bytes to forward.
    pub(crate) bytes: Vec<u8>,
    /// The number by which the server knows the connection, once the server has told it.
    pub(crate) session: Option<i64>,
    /// The answer, if this is its end.
    pub(crate) answer: Option<Answered>,
}

/// The end of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The answer as a report shows it.
    pub(crate) text: String,
    /// The connection's transaction state, where there are transactions; none if the server does not say, so that it
    /// stays as it was.
    pub(crate) frame: Option<TransactionState>,
    /// Whether the server has refused the statement, which has changed nothing then.
    pub(crate) is_refused: bool,
    /// Whether the server has ended the transaction to break a deadlock.
    pub(crate) is_deadlock: bool,
}

/// A connection's transaction state after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionState {
    /// Whether a transaction is under way.
    pub(crate) is_open: bool,
    /// Whether it has failed, and the server refuses all but its end.
    pub(crate) has_failed: bool,
    /// Whether the next statement implicitly begins a transaction that does not end with the statement.
    pub(crate) begins_by_itself: bool,
}

impl TransactionState {
    /// No transaction is under way, and none begins by itself.
    pub(crate) const NONE: Self =
        Self { is_open: false, has_failed: false, begins_by_itself: false };
}

impl Default for TransactionState {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why the proxy cannot cut the stream any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Garbled(pub(crate) String);

/// The protocol parser of one connection, as far as the proxy has to follow the protocol.
pub(crate) trait Wire: Send {
    /// The dialect of its statements; none if they are no SQL.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    /// Cuts the next piece off what the client has sent; none if the piece is incomplete.
    ///
    /// # Errors
    /// [`Garbled`] for what the protocol does not allow.
    fn client(&mut self, sent: &mut BytesMut) -> Result<Option<ClientMessage>, Garbled>;

    /// The next piece that the server will answer, held or not, is now sent to the server.
    fn let_go(&mut self);

    /// Cuts the next message off what the server has sent; none if the message is incomplete.
    ///
    /// # Errors
    /// [`Garbled`] for what the protocol does not allow.
    fn server(&mut self, sent: &mut BytesMut) -> Result<Option<ServerMessage>, Garbled>;
}

/// The first byte of a TLS handshake.
pub(super) const HANDSHAKE: u8 = 0x16;

/// The longest message that the proxy reads: it takes a longer one for an error.
pub(crate) const MOST_BYTES: usize = 256 << 20;
