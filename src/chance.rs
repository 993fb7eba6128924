//! Seeded chance: a ChaCha stream for each buyer and purpose, so that no roll depends on who else
//! rolls, nor on how often.

use rand::rngs::{ChaCha8Rng, SysRng};
use rand::{SeedableRng, TryRng};

use crate::op::BuyerId;

/// What is rolled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// How many units a buyer wants.
    Want = 0,
    /// Whose step comes next.
    Schedule = 1,
    /// How long a buyer waits before it tries again.
    Backoff = 2,
    /// What a world rolls beside its buyers. Round 0, buyer 0 is when buyers click
    /// ([`Rush::clicks`](crate::worlds::timed::arrivals::Rush::clicks)). With this the two bits
    /// that a stream has for its purpose are used up.
    World = 3,
}

/// The dice of one buyer in one round. Cast only when first used: most buyers never roll.
#[derive(Debug)]
pub struct Dice {
    seed: u64,
    stream: u64,
    cast: Option<ChaCha8Rng>,
}

impl Dice {
    /// The dice that `buyer` has in `round` (below 2³⁰) for this purpose.
    #[must_use]
    pub fn of(seed: u64, purpose: Purpose, round: u32, buyer: BuyerId) -> Self {
        let stream = ((purpose as u64) << 62) | (u64::from(round) << 32) | u64::from(buyer);
        Self { seed, stream, cast: None }
    }

    /// Dice that are never rolled, to stand in for others.
    #[must_use]
    pub fn none() -> Self {
        Self { seed: 0, stream: 0, cast: None }
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
