//! Packed states: one word for the store, and one word for each kind that occurs, in order. Identical buyers are only
//! counted, so the size of a state does not depend on their number.

use super::state::State;
use crate::worlds::stepped::{KindId, Move, StoreId, Turn};

/// Several packed states, one behind the other.
#[derive(Debug, Default)]
pub(in crate::explore) struct Packed {
    words: Vec<u32>,
    ends: Vec<usize>,
}

impl Packed {
    /// The number of states.
    pub(in crate::explore) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of words of all states.
    pub(in crate::explore) fn words(&self) -> usize {
        self.words.len()
    }

    /// Removes all states.
    pub(in crate::explore) fn clear(&mut self) {
        self.words.clear();
        self.ends.clear();
    }

    /// The memory they take, in bytes.
    pub(in crate::explore) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>() + self.ends.capacity() * size_of::<usize>()
    }

    /// The words of one state.
    #[inline]
    pub(in crate::explore) fn words_of(&self, place: usize) -> &[u32] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.words[start..self.ends[place]]
    }

    /// Adds a state that is packed already.
    pub(in crate::explore) fn push(&mut self, words: &[u32]) {
        self.words.extend_from_slice(words);
        self.ends.push(self.words.len());
    }

    /// Packs a state and adds it.
    pub(in crate::explore) fn push_state(&mut self, state: &State) {
        self.words.push(state.store);
        self.words.extend(state.crowd.iter().map(|(kind, count)| word(*kind, *count)));
        self.ends.push(self.words.len());
    }

    /// Adds the state to which one step leads from `here`.
    pub(in crate::explore) fn push_after(&mut self, here: &[u32], turn: &Turn) {
        let start = self.words.len();
        self.words.extend_from_slice(here);
        self.words[start] = turn.store;
        self.apply(start + 1, turn.actor);
        if let Some(other) = turn.other {
            self.apply(start + 1, other);
        }
        self.ends.push(self.words.len());
    }

    /// Moves one buyer of the last crowd, which begins at `start`, to another kind.
    fn apply(&mut self, start: usize, change: Move) {
        if change.from == change.to {
            return;
        }
        let crowd = &mut self.words[start..];
        let from = crowd.partition_point(|word| kind_of(*word) < change.from);
        let to = crowd.partition_point(|word| kind_of(*word) < change.to);
        debug_assert_eq!(kind_of(crowd[from]), change.from, "the buyer that changes is there");
        let leaves_none = count_of(crowd[from]) == 1;
        let joins_some = crowd.get(to).is_some_and(|word| kind_of(*word) == change.to);
        match (leaves_none, joins_some) {
            (false, true) => {
                crowd[from] -= 1;
                crowd[to] += 1;
            }
            (true, true) => {
                crowd[to] += 1;
                self.words.remove(start + from);
            }
            (false, false) => {
                crowd[from] -= 1;
                self.words.insert(start + to, word(change.to, 1));
            }
            // The word moves to its new place, and the words between shift by one.
            (true, false) => {
                crowd[from] = word(change.to, 1);
                if from < to {
                    crowd[from..to].rotate_left(1);
                } else {
                    crowd[to..=from].rotate_right(1);
                }
            }
        }
    }
}

/// Unpacks a state.
pub(in crate::explore) fn unpack(words: &[u32]) -> State {
    let crowd = crowd_of(words).collect();
    State { store: store_of(words), crowd }
}

/// The store of a packed state.
#[inline]
pub(in crate::explore) fn store_of(words: &[u32]) -> StoreId {
    words[0]
}

/// The kinds of a packed state, each with its number of buyers.
#[inline]
pub(in crate::explore) fn crowd_of(words: &[u32]) -> impl Iterator<Item = (KindId, u32)> {
    words[1..].iter().map(|word| (kind_of(*word), count_of(*word)))
}

fn word(kind: KindId, count: u32) -> u32 {
    u32::from(kind) << 16 | count
}

fn kind_of(word: u32) -> KindId {
    (word >> 16) as KindId
}

fn count_of(word: u32) -> u32 {
    word & 0xFFFF
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::attempt::Missed;
    use crate::domain::attempt::OpResult;
    use crate::worlds::stepped::Leaks;

    fn turn(store: StoreId, actor: Move, other: Option<Move>) -> Turn {
        let reply: OpResult = Err(Missed::Conflict);
        let (leaks, is_fault, refused) = (Leaks::default(), false, None);
        Turn { store, actor, other, reply, leaks, is_fault, refused }
    }

    proptest! {
        #[test]
        fn a_step_on_packed_words_is_the_same_step(
            kinds in prop::collection::vec(0..6_u16, 2..20),
            who in any::<prop::sample::Index>(),
            to in 0..8_u16,
            also in prop::option::of(0..8_u16),
        ) {
            let mut state = State::of(7, kinds.iter().copied());
            let from = *who.get(&kinds);
            let actor = Move { from, to };
            // The other buyer to change is of the lowest kind that is left.
            let mut after = state.clone();
            after.apply(actor);
            let other = also.map(|to| Move { from: after.crowd[0].0, to });
            let mut packed = Packed::default();
            packed.push_state(&state);
            let here = packed.words_of(0).to_vec();
            packed.push_after(&here, &turn(9, actor, other));
            state.store = 9;
            state.apply(actor);
            other.into_iter().for_each(|other| state.apply(other));
            prop_assert_eq!(unpack(packed.words_of(1)), state);
        }
    }
}
