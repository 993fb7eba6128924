//! All states met so far, each once, by the order in which they were met.
//!
//! States are looked up in batches. Each [`Shard`] of the index has its own share of hashes, so that all shards can
//! look up at once. New states are numbered afterwards, in the order of the batches, so the numbers do not depend on
//! the number of threads.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use super::packed::Packed;
use super::state::State;

/// The number of shards of the index.
const SHARDS: usize = 16;

/// The most states that can be numbered.
pub(in crate::explore) const MOST_STATES: usize = NEW as usize;

/// Marks a state that has no number yet; the other bits are its index among the new states of its shard.
const NEW: u32 = 1 << 31;

/// Fewer states are looked up by one thread: to start others would take longer.
const WORTH_SHARING: usize = 2_000;

/// States to be looked up, in order.
#[derive(Debug, Default)]
pub(in crate::explore) struct Batch {
    packed: Packed,
    hashes: Vec<u32>,
    /// Which of them each shard has to look up.
    by_shard: [Vec<u32>; SHARDS],
}

impl Batch {
    /// The number of states.
    pub(in crate::explore) fn len(&self) -> usize {
        self.packed.len()
    }

    /// The memory that the words and hashes need, in bytes, whatever the capacity.
    pub(in crate::explore) fn bytes(&self) -> usize {
        self.packed.words() * size_of::<u32>()
            + self.len() * (size_of::<usize>() + 3 * size_of::<u32>())
    }

    /// The words of the last state.
    pub(in crate::explore) fn last(&self) -> &[u32] {
        self.packed.words_of(self.len() - 1)
    }

    /// Removes all states.
    pub(in crate::explore) fn clear(&mut self) {
        self.packed.clear();
        self.hashes.clear();
        self.by_shard.iter_mut().for_each(Vec::clear);
    }

    /// Adds a state.
    pub(in crate::explore) fn push_with(&mut self, push: impl FnOnce(&mut Packed)) {
        push(&mut self.packed);
        let place = self.packed.len() - 1;
        let hash = hash(self.packed.words_of(place));
        self.hashes.push(hash);
        self.by_shard[shard_of(hash)].push(place as u32);
    }

    /// The states, each with its hash.
    #[cfg(feature = "cli")]
    pub(in crate::explore) fn all(&self) -> impl Iterator<Item = (&[u32], u32)> {
        self.hashes.iter().enumerate().map(|(place, hash)| (self.packed.words_of(place), *hash))
    }
}

/// A share of the index.
#[derive(Debug, Default)]
struct Shard {
    /// Hash and number of each state.
    table: HashTable<(u32, u32)>,
}

/// What a shard has found: for each state that was looked up its number, or [`NEW`] with its index; and the new states,
/// by batch and index.
struct LookedUp {
    numbers: Vec<u32>,
    new: Vec<(u32, u32)>,
}

/// All states.
#[derive(Debug, Default)]
pub(in crate::explore) struct States {
    packed: Packed,
    shards: [Shard; SHARDS],
}

impl States {
    /// The number of states.
    pub(in crate::explore) fn len(&self) -> usize {
        self.packed.len()
    }

    /// The memory they take, in bytes.
    pub(in crate::explore) fn bytes(&self) -> usize {
        let index = self.shards.iter().map(|shard| shard.table.allocation_size()).sum::<usize>();
        self.packed.bytes() + index
    }

    /// The words of one state.
    pub(in crate::explore) fn words_of(&self, state: u32) -> &[u32] {
        self.packed.words_of(state as usize)
    }

    /// The states with only the first.
    pub(in crate::explore) fn open(first: &State) -> Self {
        let mut states = Self::default();
        let mut batch = Batch::default();
        batch.push_with(|packed| packed.push_state(first));
        states.insert_all(&[&batch], drop);
        states
    }

    /// Looks up states, and passes their numbers, batch by batch, to `enter`. New states get the next numbers, in the
    /// order of the batches.
    pub(in crate::explore) fn insert_all(
        &mut self,
        batches: &[&Batch],
        enter: impl FnOnce(Vec<Vec<u32>>) + Send,
    ) {
        let States { packed, shards } = self;
        let asked: usize = batches.iter().map(|batch| batch.len()).sum();
        let is_shared = asked >= WORTH_SHARING;
        let look_up = |(at, shard): (usize, &mut Shard)| shard.look_up(at, packed, batches);
        let found: Vec<LookedUp> = match is_shared {
            true => shards.par_iter_mut().enumerate().map(look_up).collect(),
            false => shards.iter_mut().enumerate().map(look_up).collect(),
        };
        let (numbers, given) = give_numbers(packed, batches, &found);
        let settle = |(shard, (found, given)): (&mut Shard, (&LookedUp, &Vec<u32>))| {
            shard.settle(batches, found, given);
        };
        if is_shared {
            let answers = found.par_iter().zip(&given);
            rayon::join(|| enter(numbers), || shards.par_iter_mut().zip(answers).for_each(settle));
        } else {
            shards.iter_mut().zip(found.iter().zip(&given)).for_each(settle);
            enter(numbers);
        }
    }
}

impl Shard {
    /// Looks up its share of the batches, and adds an entry for each new state.
    fn look_up(&mut self, at: usize, known: &Packed, batches: &[&Batch]) -> LookedUp {
        let mut found = LookedUp { numbers: Vec::new(), new: Vec::new() };
        for (number, batch) in batches.iter().enumerate() {
            for place in &batch.by_shard[at] {
                let hash = batch.hashes[*place as usize];
                let words = batch.packed.words_of(*place as usize);
                let is_it = |(its_hash, number): &(u32, u32)| {
                    *its_hash == hash && words == words_of(*number, known, batches, &found.new)
                };
                let entry = self.table.entry(spread(hash), is_it, |(hash, _)| spread(*hash));
                let answer = match entry {
                    Entry::Occupied(entry) => entry.get().1,
                    Entry::Vacant(entry) => {
                        let answer = NEW | found.new.len() as u32;
                        entry.insert((hash, answer));
                        found.new.push((number as u32, *place));
                        answer
                    }
                };
                found.numbers.push(answer);
            }
        }
        found
    }

    /// Records the numbers of the new states.
    fn settle(&mut self, batches: &[&Batch], found: &LookedUp, given: &[u32]) {
        for (place, (&(batch, at), number)) in found.new.iter().zip(given).enumerate() {
            let hash = batches[batch as usize].hashes[at as usize];
            let is_it = |(_, number): &(u32, u32)| *number == NEW | place as u32;
            if let Some(entry) = self.table.find_mut(spread(hash), is_it) {
                entry.1 = *number;
            }
        }
    }
}

/// The words of a state that has a number, or of one that is new.
fn words_of<'w>(
    number: u32,
    known: &'w Packed,
    batches: &'w [&Batch],
    new: &[(u32, u32)],
) -> &'w [u32] {
    if number & NEW == 0 {
        return known.words_of(number as usize);
    }
    let (batch, place) = new[(number & !NEW) as usize];
    batches[batch as usize].packed.words_of(place as usize)
}

/// Numbers new states in the order of the batches, and stores them. Returns the number of each state of each batch, and
/// of each new state of each shard.
fn give_numbers(
    known: &mut Packed,
    batches: &[&Batch],
    found: &[LookedUp],
) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let mut given: Vec<Vec<u32>> = found.iter().map(|found| vec![NEW; found.new.len()]).collect();
    let mut answers: Vec<_> = found.iter().map(|found| found.numbers.iter()).collect();
    let mut number_batch = |batch: &&Batch| {
        let number = |(place, hash): (usize, &u32)| {
            let shard = shard_of(*hash);
            let answer = answers[shard].next().copied().unwrap_or_default();
            if answer & NEW == 0 {
                return answer;
            }
            let given = &mut given[shard][(answer & !NEW) as usize];
            if *given == NEW {
                *given = known.len() as u32;
                known.push(batch.packed.words_of(place));
            }
            *given
        };
        batch.hashes.iter().enumerate().map(number).collect()
    };
    let numbers = batches.iter().map(&mut number_batch).collect();
    (numbers, given)
}

/// A hash that is the same on every machine and in every run. Each word is mixed by itself, so that a processor can mix
/// several at once. The order of the words does not matter, for a word says what kind it counts.
fn hash(words: &[u32]) -> u32 {
    const ODD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03];
    let mix = |word: u32, odd: u64| {
        let mixed = (u64::from(word) + 1).wrapping_mul(odd);
        mixed ^ mixed >> 29
    };
    let crowd = words[1..].iter().map(|word| mix(*word, ODD[0]));
    let sum = crowd.fold(mix(words[0], ODD[1]), u64::wrapping_add);
    (sum.wrapping_mul(ODD[1]) >> 32) as u32
}

/// Which of so many processes has the states with this hash. It looks at the highest bits, the shards at the lowest.
#[cfg(feature = "cli")]
pub(in crate::explore) fn owner_of(hash: u32, processes: usize) -> usize {
    ((u64::from(hash) * processes as u64) >> 32) as usize
}

fn shard_of(hash: u32) -> usize {
    hash as usize % SHARDS
}

/// Spreads a hash for the table, which uses the highest and the lowest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)
}
