//! Code of a test that is a step of a checkout, instead of a request or a program.

use std::fmt;
use std::sync::Arc;

/// What the code of a buyer is given.
#[derive(Clone, Copy)]
pub struct CodeContext<'c> {
    /// Where its database is; the address is this buyer's alone.
    pub url: &'c str,
    /// The buyer's number, counted from 1.
    pub buyer: i64,
    /// Whether its end is not waited for any more.
    pub is_given_up: &'c dyn Fn() -> bool,
}

/// How the code of a buyer has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeEnd {
    /// The buyer has what it came for.
    Bought,
    /// Too little was left.
    SoldOut,
    /// It has failed, or has panicked: why.
    Failed(String),
    /// It was given up before it had ended, and is gone.
    GivenUp,
    /// It was given up, and blocks its thread: it may still do something.
    LeftBehind,
}

impl CodeEnd {
    /// The `status` of a step whose code is sold out.
    pub const STATUS_SOLD_OUT: i64 = 3;
}

/// The code of a buyer.
#[derive(Clone)]
pub struct BuyerCode(Arc<dyn Fn(CodeContext<'_>) -> CodeEnd + Send + Sync>);

impl fmt::Debug for BuyerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuyerCode").finish_non_exhaustive()
    }
}

impl BuyerCode {
    /// This code, which returns when it has ended or was given up.
    pub fn new(runs: impl Fn(CodeContext<'_>) -> CodeEnd + Send + Sync + 'static) -> Self {
        Self(Arc::new(runs))
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, context: CodeContext<'_>) -> CodeEnd {
        (self.0)(context)
    }
}
