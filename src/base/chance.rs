//! Seeded chance: a ChaCha stream for each buyer and purpose, so that no roll depends on which other
//! buyers roll, nor on how often.

use rand::rngs::{ChaCha8Rng, SysRng, Xoshiro256PlusPlus};
use rand::{SeedableRng, TryRng};

/// What is rolled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamPurpose {
    /// How many units a buyer wants.
    Want = 0,
    /// Which buyer makes the next step.
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
    #[inline]
    #[must_use]
    pub fn of(seed: u64, purpose: StreamPurpose, round: u32, buyer: u32) -> Self {
        let stream = ((purpose as u64) << 62) | (u64::from(round) << 32) | u64::from(buyer);
        Self { seed, stream, cast: None }
    }

    /// Dice that are never rolled, to stand in for others.
    #[must_use]
    pub fn none() -> Self {
        Self { seed: 0, stream: 0, cast: None }
    }

    /// The generator, where it left off.
    #[inline]
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        self.cast.get_or_insert_with(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(self.stream);
            rng
        })
    }
}

/// One seed's dice for many buyers, in a tenth of the space that [`Dice`] take: the ChaCha stream of a buyer
/// gives it a generator of its own, xoshiro256++ (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
/// Generators", 2021), which goes on from there.
#[derive(Debug)]
pub(crate) struct DiceBox {
    streams: ChaCha8Rng,
    first: u64,
}

impl DiceBox {
    /// The dice of all buyers in a round (below 2³⁰), for this purpose.
    pub(crate) fn of(seed: u64, purpose: StreamPurpose, round: u32) -> Self {
        let Dice { stream, .. } = Dice::of(seed, purpose, round, 0);
        Self { streams: ChaCha8Rng::seed_from_u64(seed), first: stream }
    }

    /// A buyer's.
    pub(crate) fn take(&mut self, buyer: u32) -> Xoshiro256PlusPlus {
        self.streams.set_stream(self.first | u64::from(buyer));
        self.streams.set_word_pos(0);
        Xoshiro256PlusPlus::from_rng(&mut self.streams)
    }
}

/// A seed for a run that named none, short enough to be typed again.
#[must_use]
pub fn fresh_seed() -> u64 {
    u64::from(SysRng.try_next_u32().unwrap_or(1)) % 1_000_000
}
