//! The vocabulary, as plain data: what a buyer wants, what is done in a store and answered, how an attempt and a visit end,
//! what can be found wrong, and the settings of it all.

pub mod attempt;
pub(crate) mod books;
pub mod buyer;
pub(crate) mod card;
pub(crate) mod faults;
pub(crate) mod finding;
pub(crate) mod isolation;
pub mod op;
pub mod retry;
pub mod session;
pub mod settings;
pub(crate) mod store_kind;
pub(crate) mod verb;
