//! What the proxy has to know of a protocol: where a statement ends, and where its answer does.

use bytes::BytesMut;

/// What a client has sent, cut where something can be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// To be handed on at once: it asks for nothing that anybody else could notice.
    Pass(Vec<u8>),
    /// The same, and the server will answer.
    Ask(Vec<u8>),
    /// To be answered by the proxy itself.
    Reply(Vec<u8>),
    /// To be held until its turn comes.
    Hold(Vec<u8>, Said),
    /// To be handed on as what it is: nothing is cut after it. It is about somebody else's connection, or the
    /// protocol has become one that nobody here understands.
    Rest(Vec<u8>),
}

/// A statement, or several that were sent as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// As the client wrote it, with places for values.
    pub(crate) text: String,
    /// What stands in these places, as a reader sees it.
    pub(crate) values: Vec<String>,
}

/// What a server has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// To be handed on.
    pub(crate) bytes: Vec<u8>,
    /// By what number the server knows the connection, once it has said so.
    pub(crate) session: Option<i64>,
    /// What the answer says, if this is its end.
    pub(crate) answer: Option<Answered>,
}

/// The end of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    /// As a reader sees it.
    pub(crate) text: String,
    /// How it stands with transactions, where there are such; none if that is not said, and so as it was.
    pub(crate) frame: Option<Frame>,
    /// Whether the server has ended the transaction to break a deadlock.
    pub(crate) is_deadlock: bool,
}

/// How a connection stands after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Whether a transaction is under way.
    pub(crate) is_open: bool,
    /// Whether the next statement begins one by itself that does not end with it.
    pub(crate) begins_by_itself: bool,
}

impl Frame {
    /// No transaction is under way, and none begins by itself.
    pub(crate) const NONE: Self = Self { is_open: false, begins_by_itself: false };
}

impl Default for Frame {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why nothing more can be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Garbled(pub(crate) String);

/// One connection, as far as its protocol has to be followed.
pub(crate) trait Wire: Send {
    /// Cuts the next piece off what the client has sent; none if it is not all there.
    ///
    /// # Errors
    /// [`Garbled`] for what is none of the protocol's.
    fn client(&mut self, sent: &mut BytesMut) -> Result<Option<Piece>, Garbled>;

    /// What comes next of what is answered, held or not, is sent to the server.
    fn let_go(&mut self);

    /// Cuts the next message off what the server has sent; none if it is not all there.
    ///
    /// # Errors
    /// [`Garbled`] for what is none of the protocol's.
    fn server(&mut self, sent: &mut BytesMut) -> Result<Option<Heard>, Garbled>;
}

/// The longest message that is read: longer ones are somebody's mistake.
pub(crate) const MOST_BYTES: usize = 256 << 20;
