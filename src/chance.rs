//! Seeded chance: one ChaCha stream a buyer, so that a buyer's dice do not depend on who else rolls.

use rand::rngs::{ChaCha8Rng, SysRng};
use rand::{SeedableRng, TryRng};

use crate::op::BuyerId;

/// The dice of one buyer in one round. Cast only when first used: most buyers never roll.
#[derive(Debug)]
pub struct Dice {
    seed: u64,
    stream: u64,
    cast: Option<ChaCha8Rng>,
}

impl Dice {
    /// The dice of `buyer` in `round`.
    #[must_use]
    pub fn of(seed: u64, round: u32, buyer: BuyerId) -> Self {
        Self { seed, stream: (u64::from(round) << 32) | u64::from(buyer), cast: None }
    }

    /// The generator, where it left off.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        self.cast.get_or_insert_with(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(self.stream);
            rng
        })
    }
}

/// A seed for a run that named none, short enough to be typed again.
#[must_use]
pub fn fresh_seed() -> u64 {
    u64::from(SysRng.try_next_u32().unwrap_or(1)) % 1_000_000
}
