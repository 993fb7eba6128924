//! Successors of states, on their way to the process that each belongs to.

use super::super::expand::{Expanded, Way};
use super::super::packed::{crowd_of, store_of};
use super::super::states::{Batch, owner_of};
use crate::base::wire_format::{Decoder, Encoder};
use crate::domain::faults::Act;
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, TransitionTable};

/// Successors that have come from one process, in its order: the states, and from where and by which step each was reached.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    pub(super) states: Batch,
    pub(super) from: Vec<(u32, Way)>,
}

/// Writes the successors of some states, beginning with the state `first`, for each process those that belong to it.
pub(super) fn write(first: u32, expanded: &Expanded, processes: usize) -> Vec<Vec<u8>> {
    let mut out: Vec<Encoder> = (0..processes).map(|_| Encoder::default()).collect();
    let mut successors = expanded.there.all().zip(&expanded.ways);
    let mut start = 0;
    for (from, end) in (first..).zip(&expanded.ends) {
        for ((words, hash), way) in successors.by_ref().take(end - start) {
            let out = &mut out[owner_of(hash, processes)];
            out.u32(from);
            write_choice(out, way.choice);
            out.u16(way.buyers);
            out.u8(way.is_fault.into());
            out.words(words);
        }
        start = *end;
    }
    out.into_iter().map(Encoder::into_bytes).collect()
}

/// Reads what [`write`] has written for this process; none if it makes no sense.
pub(super) fn read(message: &[u8], table: &TransitionTable<'_>) -> Option<Arrived> {
    let mut arrived = Arrived::default();
    let mut decoder = Decoder(message);
    let mut words = Vec::new();
    while !decoder.is_over() {
        let from = decoder.u32()?;
        let choice = read_choice(&mut decoder)?;
        let (buyers, is_fault) = (decoder.u16()?, decoder.u8()? != 0);
        decoder.words_into(&mut words)?;
        if !is_state(&words, table) {
            return None;
        }
        arrived.states.push_with(|packed| packed.push(&words));
        arrived.from.push((from, Way { choice, buyers, is_fault }));
    }
    Some(arrived)
}

/// Writes a choice.
pub(super) fn write_choice(out: &mut Encoder, Choice { who, act }: Choice<KindId>) {
    let act = Act::ALL.iter().position(|known| *known == act).unwrap_or_default();
    out.u16(who);
    out.u8(act as u8);
}

/// Reads a choice.
pub(super) fn read_choice(decoder: &mut Decoder<'_>) -> Option<Choice<KindId>> {
    let who = decoder.u16()?;
    let act = *Act::ALL.get(usize::from(decoder.u8()?))?;
    Some(Choice { who, act })
}

/// Whether words are a state of stores and kinds that are known here.
pub(super) fn is_state(words: &[u32], table: &TransitionTable<'_>) -> bool {
    if words.is_empty() || store_of(words) as usize >= table.all_stores().count() {
        return false;
    }
    let is_known = |(kind, buyers): (KindId, u32)| usize::from(kind) < table.kinds() && buyers > 0;
    crowd_of(words).all(is_known) && words[1..].is_sorted_by(|one, next| one >> 16 < next >> 16)
}
