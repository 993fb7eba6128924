//! The commands that take settings as flags, and which settings each of them takes.

use super::faults::Faults;

/// A command that takes settings as flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A race on threads.
    Race,
    /// Every interleaving.
    Explore,
    /// One schedule.
    Replay,
    /// One schedule that a person chooses.
    Play,
}

impl Verb {
    /// The word in the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Race => "race",
            Self::Explore => "explore",
            Self::Replay => "replay",
            Self::Play => "play",
        }
    }

    /// Whether the command takes this setting.
    #[must_use]
    pub fn takes(self, name: &str) -> bool {
        match name {
            // Where the engine chooses the steps, nothing takes time and no server is killed.
            "threads" | "rounds" | "think" | "backoff" | "patience" | "connections"
            | "hold-ttl" | "lease-ttl" | "relaxed" | "kill" => self == Self::Race,
            // A person plays against the model.
            "store" | "stock-check" | "advisory-locks" | "unit-rows" => self != Self::Play,
            fault if Faults::NAMES.contains(&fault) => self != Self::Race,
            _ => true,
        }
    }
}
