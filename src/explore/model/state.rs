//! A state of a search: a store, and how many buyers there are of each kind.

use crate::worlds::stepped::{KindId, Move, StoreId, Turn};

/// The most buyers that one word can count.
pub const MOST_OF_A_KIND: u32 = u16::MAX as u32;

/// Any number of buyers: one more or one less makes no difference.
pub const ANY: u32 = u32::MAX;

/// A state, unpacked: the store, and the kinds that occur, in order, each with its number of buyers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The store.
    pub store: StoreId,
    /// Kinds with their numbers of buyers, or [`ANY`].
    pub crowd: Vec<(KindId, u32)>,
}

impl State {
    /// The state of a store with actors of these kinds.
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

    /// The state after one step.
    #[must_use]
    pub fn after(&self, turn: &Turn) -> Self {
        let mut there = Self { store: turn.store, crowd: self.crowd.clone() };
        there.apply(turn.actor);
        turn.other.into_iter().for_each(|other| there.apply(other));
        there
    }

    /// Moves one buyer to another kind.
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
