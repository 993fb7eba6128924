//! What the files of the scheduler find by this name.

pub(crate) mod code_location {
    use serde::{Deserialize, Serialize};

    /// No statement of these tests was made at a known place.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub(crate) enum CodeLocation {}
}
