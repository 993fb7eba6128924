//! A text from a file beside a checkout.

/// A text from a file beside the checkout.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file's path, for messages.
    pub path: String,
    /// What is in it.
    pub text: String,
}
