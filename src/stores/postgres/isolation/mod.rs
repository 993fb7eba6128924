//! A private PostgreSQL server for specifications of the isolation tester, and sessions there over which a statement is
//! sent without a wait for its answer.

mod message;
mod server;
mod session;

pub(crate) use message::{Heard, ServerMessage};
pub(crate) use server::{IsolationServer, ask};
pub(crate) use session::RawSession;
