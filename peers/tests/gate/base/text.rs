//! What the files of the scheduler find by this name.

pub(crate) mod code_location {
    use serde::{Deserialize, Serialize};

    /// No statement of these tests was made at a known place.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub(crate) enum CodeLocation {}
}

pub(crate) mod sql {
    /// No statement of these tests is SQL.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Dialect {}

    /// No cure is written into any.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) enum RewriteOutcome {
        #[default]
        NotMeant,
    }
}
