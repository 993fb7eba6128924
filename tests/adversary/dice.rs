//! Seeded dice: the same seed makes the same checkout.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// One checkout's dice.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// True in so many of a hundred rolls.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn number(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    /// One of several, each as likely as the others.
    pub(crate) fn one<T: Copy>(&mut self, several: &[T]) -> T {
        *self.any(several)
    }

    /// The same of what is not copied.
    pub(crate) fn any<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.number(0, several.len() - 1)]
    }
}
