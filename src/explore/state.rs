//! States of a search: a store, and how many buyers there are of each kind.
//!
//! Identical buyers are not told apart, so a state takes a word for its store and one for each kind
//! that somebody is of, however many buyers there are.

use hashbrown::HashTable;

use crate::worlds::stepped::{KindId, Move, StoreId};

/// The most buyers that one word can count.
pub const MOST_OF_A_KIND: u32 = u16::MAX as u32;

/// More buyers than any number: one more or one less makes no difference.
pub const ANY: u32 = u32::MAX;

/// A state, unpacked: the kinds that somebody is of, in order, with how many.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The store.
    pub store: StoreId,
    /// Kinds with their numbers of buyers, or [`ANY`].
    pub crowd: Vec<(KindId, u32)>,
}

impl State {
    /// A state in which everybody is of these kinds.
    #[must_use]
    pub fn of(store: StoreId, kinds: impl Iterator<Item = KindId>) -> Self {
        let mut state = Self { store, crowd: Vec::new() };
        for kind in kinds {
            state.join(kind);
        }
        state
    }

    /// How many buyers are of a kind.
    #[must_use]
    pub fn count(&self, kind: KindId) -> u32 {
        self.place(kind).map_or(0, |at| self.crowd[at].1)
    }

    /// One buyer changes kind.
    pub fn apply(&mut self, change: Move) {
        if let Ok(at) = self.place(change.from) {
            match &mut self.crowd[at].1 {
                1 => drop(self.crowd.remove(at)),
                &mut ANY => {}
                count => *count -= 1,
            }
        }
        self.join(change.to);
    }

    fn join(&mut self, kind: KindId) {
        match self.place(kind) {
            // Stops at `ANY`.
            Ok(at) => self.crowd[at].1 = self.crowd[at].1.saturating_add(1),
            Err(at) => self.crowd.insert(at, (kind, 1)),
        }
    }

    fn place(&self, kind: KindId) -> Result<usize, usize> {
        self.crowd.binary_search_by_key(&kind, |(kind, _)| *kind)
    }
}

/// All states met so far, each once, by the order in which they were met.
#[derive(Debug, Default)]
pub struct States {
    words: Vec<u32>,
    ends: Vec<usize>,
    index: HashTable<u32>,
    packed: Vec<u32>,
}

impl States {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The memory they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
            + self.ends.capacity() * size_of::<usize>()
            + self.index.allocation_size()
    }

    /// Unpacks one into `state`.
    pub fn read(&self, id: u32, state: &mut State) {
        let words = self.words_of(id);
        state.store = words[0];
        state.crowd.clear();
        state.crowd.extend(words[1..].iter().map(|word| ((word >> 16) as KindId, word & 0xFFFF)));
    }

    /// The number of a state, and whether it is new.
    pub fn insert(&mut self, state: &State) -> (u32, bool) {
        self.packed.clear();
        self.packed.push(state.store);
        let crowd = state.crowd.iter().map(|(kind, count)| u32::from(*kind) << 16 | count);
        self.packed.extend(crowd);
        let hash = hash(&self.packed);
        let known = self.index.find(hash, |id| self.words_of(*id) == self.packed);
        if let Some(id) = known {
            return (*id, false);
        }
        let id = self.ends.len() as u32;
        self.words.extend_from_slice(&self.packed);
        self.ends.push(self.words.len());
        let (words, ends) = (&self.words, &self.ends);
        self.index.insert_unique(hash, id, |id| self::hash(slice(words, ends, *id)));
        (id, true)
    }

    fn words_of(&self, id: u32) -> &[u32] {
        slice(&self.words, &self.ends, id)
    }
}

fn slice<'w>(words: &'w [u32], ends: &[usize], id: u32) -> &'w [u32] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &words[start..ends[id]]
}

/// The same on every machine and in every run.
fn hash(words: &[u32]) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = rustc_hash::FxHasher::default();
    for word in words {
        hasher.write_u32(*word);
    }
    hasher.finish()
}
