//! Turns: the result of one step. A step depends only on the store and on the kind of buyer, so its result is computed
//! once and kept.

use std::ops::BitOr;

use std::hash::Hasher as _;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::domain::attempt::OpResult;
use crate::domain::faults::Act;
use crate::scheduler::Choice;

/// The number of a kind, in the order in which kinds were met.
pub type KindId = u16;

/// The number of a state of the store, in the order in which they were met.
pub type StoreId = u32;

/// One change of kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// A buyer of this kind …
    pub from: KindId,
    /// … becomes one of this.
    pub to: KindId,
}

/// What an attempt left behind when it ended, though nothing kept it from tidying up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaks {
    /// A lock.
    pub lock: bool,
    /// Units on hold.
    pub hold: bool,
}

impl BitOr for Leaks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { lock: self.lock | other.lock, hold: self.hold | other.hold }
    }
}

/// What comes of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The store afterwards.
    pub store: StoreId,
    /// The change of the buyer or worker that made the step.
    pub actor: Move,
    /// The change of another: the buyer that the worker has answered, or was serving when it crashed.
    pub other: Option<Move>,
    /// The reply to the step.
    pub reply: OpResult,
    /// What the attempt left behind, if this step ended it.
    pub leaks: Leaks,
    /// Whether it is something that goes wrong, and so need not happen.
    pub is_fault: bool,
    /// The new kind of the buyer that the step was about, if that buyer has been rejected.
    pub refused: Option<KindId>,
}

/// Kinds whose steps have a place in the row of each store. Few strategies have more; steps of later
/// kinds, and whatever else can happen, are looked up by their hash.
const ROW: usize = 64;

/// The result of each step; none for a step that has to wait.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turns: Vec<(StoreId, Choice<KindId>, Option<Turn>)>,
    /// One row for each store: for each of the first kinds, the index in `turns`, plus one.
    rows: Vec<Vec<u32>>,
    /// How much room the rows have.
    row_words: usize,
    /// The index in `turns`, for everything else.
    others: HashTable<u32>,
}

impl Turns {
    /// What came of a step, if it was worked out.
    #[inline]
    pub(super) fn get(&self, store: StoreId, choice: Choice<KindId>) -> Option<&Option<Turn>> {
        let at = if let Some(place) = place(choice) {
            self.rows.get(store as usize)?.get(place)?.checked_sub(1)?
        } else {
            let is_it = |at: &u32| {
                let (of, by, _) = self.turns[*at as usize];
                (of, by) == (store, choice)
            };
            *self.others.find(hash(store, choice), is_it)?
        };
        Some(&self.turns[at as usize].2)
    }

    /// Keeps what came of a step.
    pub(super) fn keep(&mut self, store: StoreId, choice: Choice<KindId>, turn: Option<Turn>) {
        let at = self.turns.len() as u32;
        self.turns.push((store, choice, turn));
        let row = store as usize;
        if let Some(place) = place(choice) {
            self.rows.resize_with(self.rows.len().max(row + 1), Vec::new);
            let row = &mut self.rows[row];
            self.row_words -= row.capacity();
            row.resize(row.len().max(place + 1), 0);
            row[place] = at + 1;
            self.row_words += row.capacity();
        } else {
            let turns = &self.turns;
            self.others.insert_unique(hash(store, choice), at, |at| {
                let (store, choice, _) = turns[*at as usize];
                hash(store, choice)
            });
        }
    }

    /// The memory they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.turns.capacity() * size_of::<(StoreId, Choice<KindId>, Option<Turn>)>()
            + self.rows.capacity() * size_of::<Vec<u32>>()
            + self.row_words * size_of::<u32>()
            + self.others.allocation_size()
    }
}

/// The place of a choice in the row of a store, if it has one.
#[inline]
fn place(choice: Choice<KindId>) -> Option<usize> {
    (choice.act == Act::Step && usize::from(choice.who) < ROW).then_some(choice.who.into())
}

/// A hash that is the same on every machine and in every run.
fn hash(store: StoreId, choice: Choice<KindId>) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(u64::from(store) << 32 | u64::from(choice.who) << 8 | choice.act as u64);
    hasher.finish()
}
