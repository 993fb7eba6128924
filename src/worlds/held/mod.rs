//! The held world: buyers at a real server. Every statement is held at a turnstile until a chooser lets it go;
//! what is not a statement takes no time. Below statements the server itself decides what happens when.
//!
//! [`Theatre`] is a shop at a server, in which the same show can be put on again and again, each time in
//! another order; `visit` is what each buyer does in it.

mod step;
mod theatre;
mod visit;

pub use step::{Grain, Step, told};
pub use theatre::Theatre;
