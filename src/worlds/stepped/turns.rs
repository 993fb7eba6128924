//! Turns: what comes of one step. A step depends on the store and on the kind of buyer alone, so it is
//! worked out once and kept.

use std::hash::Hasher as _;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::script::Heard;

/// The number of a kind, in the order in which kinds were met.
pub type KindId = u16;

/// The number of a state of the store, in the order in which they were met.
pub type StoreId = u32;

/// One change of kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Somebody of this kind …
    pub from: KindId,
    /// … becomes one of this.
    pub to: KindId,
}

/// What comes of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The store afterwards.
    pub store: StoreId,
    /// What becomes of whoever stepped.
    pub actor: Move,
    /// What becomes of somebody else: the buyer whom the clerk has answered.
    pub other: Option<Move>,
    /// What whoever stepped has heard.
    pub reply: Heard,
    /// Whether an attempt ended and kept its lock.
    pub leaked_lock: bool,
    /// Whom this step turned away, as what it is now.
    pub refused: Option<KindId>,
}

/// Kinds that have a place in the row of each store. Few strategies have more; steps of later kinds are
/// looked up by their hash.
const ROW: usize = 64;

/// What came of each step; none of one that has to wait.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: Vec<(StoreId, KindId, Option<Turn>)>,
    /// A row a store: where in `turns`, plus one, for each of the first kinds.
    rows: Vec<Vec<u32>>,
    /// How much room the rows have.
    row_words: usize,
    /// Where in `turns`, for the other kinds.
    others: HashTable<u32>,
}

impl Turns {
    /// What came of a step, if it was worked out.
    #[inline]
    pub(super) fn get(&self, store: StoreId, kind: KindId) -> Option<&Option<Turn>> {
        let at = if usize::from(kind) < ROW {
            self.rows.get(store as usize)?.get(usize::from(kind))?.checked_sub(1)?
        } else {
            let is_it = |at: &u32| {
                let (of, by, _) = self.turns[*at as usize];
                (of, by) == (store, kind)
            };
            *self.others.find(hash(store, kind), is_it)?
        };
        Some(&self.turns[at as usize].2)
    }

    /// Keeps what came of a step.
    pub(super) fn keep(&mut self, store: StoreId, kind: KindId, turn: Option<Turn>) {
        let at = self.turns.len() as u32;
        self.turns.push((store, kind, turn));
        let (row, place) = (store as usize, usize::from(kind));
        if place < ROW {
            self.rows.resize_with(self.rows.len().max(row + 1), Vec::new);
            let row = &mut self.rows[row];
            self.row_words -= row.capacity();
            row.resize(row.len().max(place + 1), 0);
            row[place] = at + 1;
            self.row_words += row.capacity();
        } else {
            let turns = &self.turns;
            self.others.insert_unique(hash(store, kind), at, |at| {
                let (store, kind, _) = turns[*at as usize];
                hash(store, kind)
            });
        }
    }

    /// The memory they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.turns.capacity() * size_of::<(StoreId, KindId, Option<Turn>)>()
            + self.rows.capacity() * size_of::<Vec<u32>>()
            + self.row_words * size_of::<u32>()
            + self.others.allocation_size()
    }
}

/// The same on every machine and in every run.
fn hash(store: StoreId, kind: KindId) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(u64::from(store) << 16 | u64::from(kind));
    hasher.finish()
}
