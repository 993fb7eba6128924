//! What the files of the scheduler find by this name.

pub(crate) mod faults {
    use serde::{Deserialize, Serialize};

    /// What a statement stands for.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(crate) enum Act {
        #[default]
        Step,
        Crash,
    }
}
