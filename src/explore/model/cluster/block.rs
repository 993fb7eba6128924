//! One block of states: expanding them, sending their successors to their owners, and noting what was found in them. The
//! block is cut into chunks, which threads expand side by side.

use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;

use super::super::expand::Expanded;
use super::super::states::Batch;
use super::arrivals::push;
use super::gathered::Seen;
use super::search::{ClusterSearch, Origin};
use super::successors::{self, Arrived};
use crate::base::error::Error;
use crate::base::wire_format::{Decoder, Encoder};
use crate::domain::finding::FindingKind;
use crate::scheduler::Choice;
use crate::worlds::stepped::KindId;

/// States that one thread expands at a time.
const CHUNK: usize = 512;

/// The chunks of a block.
pub(super) fn chunks_of(block: Range<u32>) -> Vec<Range<u32>> {
    let end = block.end;
    block.step_by(CHUNK).map(|start| start..end.min(start + CHUNK as u32)).collect()
}

impl ClusterSearch<'_, '_> {
    /// Expands the states of each chunk.
    pub(super) fn fill(&mut self, chunks: &[Range<u32>]) {
        self.expanded.resize_with(self.expanded.len().max(chunks.len()), Expanded::default);
        let (table, states, stock) = (&*self.table, &self.states, self.stock);
        let fill = |(one, chunk): (&mut Expanded, &Range<u32>)| {
            one.fill(table, states, chunk.clone(), stock);
        };
        match chunks.len() {
            0 | 1 => self.expanded.iter_mut().zip(chunks).for_each(fill),
            _ => self.expanded[..chunks.len()].par_iter_mut().zip(chunks).for_each(fill),
        }
    }

    /// Steps of the first so many chunks that were never worked out.
    pub(super) fn missing(&self, chunks: usize) -> Vec<(u32, Choice<KindId>)> {
        let missing = self.expanded[..chunks].iter().flat_map(|one| &one.missing);
        missing.copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Sends each successor to its owner, and takes in those that belong here.
    pub(super) fn exchange_successors(&mut self, chunks: &[Range<u32>]) -> Result<(), Error> {
        let processes = self.group.len();
        let written: Vec<Vec<Vec<u8>>> = self.expanded[..chunks.len()]
            .par_iter()
            .zip(chunks)
            .map(|(one, chunk)| successors::write(chunk.start, one, processes))
            .collect();
        let to = |process: usize| {
            let mut message = Encoder::default();
            written.iter().for_each(|chunk| message.bytes(&chunk[process]));
            message.into_bytes()
        };
        let out: Vec<Vec<u8>> = (0..processes).map(to).collect();
        drop(written);
        let bytes: usize = out.iter().map(Vec::len).sum();
        let expanded: usize = chunks.iter().map(Range::len).sum();
        // What comes from others is about as much as what goes to them.
        self.bytes_a_state = 2 * bytes / expanded.max(1);
        let heard = self.group.exchange(out)?;
        let mut parts: Vec<(usize, &[u8])> = Vec::new();
        for (process, message) in heard.iter().enumerate() {
            let mut decoder = Decoder(message);
            while !decoder.is_over() {
                let part = decoder.bytes().ok_or_else(|| self.group.garbled(process))?;
                parts.push((process, part));
            }
        }
        let table = &*self.table;
        let read = |(process, part): &(usize, &[u8])| (*process, successors::read(part, table));
        let read: Vec<(usize, Option<Arrived>)> = parts.par_iter().map(read).collect();
        let garbled = |process: usize| self.group.garbled(process);
        let arrived: Vec<(usize, Arrived)> = read
            .into_iter()
            .map(|(process, arrived)| Ok((process, arrived.ok_or_else(|| garbled(process))?)))
            .collect::<Result<_, Error>>()?;
        let batches: Vec<&Batch> = arrived.iter().map(|(_, arrived)| &arrived.states).collect();
        let Self { states, origins, arrivals, .. } = self;
        states.insert_all(&batches, |numbers| {
            for ((process, arrived), numbers) in arrived.iter().zip(numbers) {
                for ((from, way), number) in arrived.from.iter().zip(numbers) {
                    if number as usize == origins.len() {
                        let process = *process as u16;
                        push(origins, Origin { from: *from, process, by: way.choice });
                    }
                    arrivals.enter(number, (*process, *from), way.buyers, way.is_fault);
                }
            }
        });
        Ok(())
    }

    /// Takes note of what was found in the states of each chunk.
    pub(super) fn take_note(&mut self, chunks: &[Range<u32>]) {
        let mut expanded = std::mem::take(&mut self.expanded);
        for one in &mut expanded[..chunks.len()] {
            let mut start = 0;
            for end in &one.ends {
                let goes_on = one.ways[start..*end].iter().any(|way| !way.is_fault);
                self.arrivals.expanded((end - start) as u32, goes_on);
                start = *end;
            }
            for sighting in std::mem::take(&mut one.sightings).into_all() {
                // States keep no order of events: false sold-outs are left to the precedence search.
                if sighting.finding.kind != FindingKind::FalseSoldOut {
                    let gravity = sighting.finding.kind.gravity() as u32;
                    let spot = self.spot(sighting.state, sighting.step);
                    self.found.note(Seen::Finding(gravity), spot);
                }
            }
            if let Some(failed) = one.failed {
                let spot = self.spot(failed, None);
                self.found.note(Seen::Failure, spot);
            }
            for (state, end) in one.endings.drain(..) {
                self.ends.entry(end).or_insert(state);
            }
            self.found.is_premature |= one.premature;
        }
        self.expanded = expanded;
    }
}
