//! The commands that take settings as flags, and which settings each of them takes.

use super::settings::{Setting, World};

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

    /// The worlds that the command runs.
    #[must_use]
    pub fn worlds(self) -> &'static [World] {
        match self {
            Self::Race => &[World::Threads],
            Self::Explore | Self::Replay => &[World::Stepped, World::Held],
            Self::Play => &[World::Stepped],
        }
    }

    /// Whether the command takes this setting: it means something in one of the command's worlds.
    #[must_use]
    pub fn takes(self, name: &str) -> bool {
        Setting::named(name).is_some_and(|setting| setting.is_in(self.worlds()))
    }
}
