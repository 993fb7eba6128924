//! What a scheduler chooses: whose step comes next, or what else happens to a client.

use std::fmt;

use crate::domain::faults::Act;
use crate::domain::op::BuyerId;

/// A client of the program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A buyer.
    Buyer(BuyerId),
    /// The worker.
    Worker,
}

impl Actor {
    /// The buyer with this index.
    pub(crate) fn buyer(place: usize) -> Self {
        Self::Buyer(place as BuyerId)
    }
}

impl fmt::Display for Actor {
    /// `A` to `Z`, then `a27`, `a28` …; the worker is `*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buyer(id @ 0..26) => write!(f, "{}", char::from(b'A' + *id as u8)),
            Self::Buyer(id) => write!(f, "a{}", id + 1),
            Self::Worker => f.write_str("*"),
        }
    }
}

/// What happens next, and to which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice<W = Actor> {
    /// To which.
    pub who: W,
    /// What.
    pub act: Act,
}

impl<W> Choice<W> {
    /// The next step of `who`.
    pub fn step(who: W) -> Self {
        Self { who, act: Act::Step }
    }

    /// Whether it is the client's own next step, and nothing else that happens to the client.
    pub fn is_step(&self) -> bool {
        self.act == Act::Step
    }
}

impl<W: fmt::Display> fmt::Display for Choice<W> {
    /// `A` for a step, `A!` for a crash …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.who, self.act.sign())
    }
}
