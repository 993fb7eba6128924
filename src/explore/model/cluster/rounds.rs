//! What processes tell each other in each round of a search, so that all take the same decisions.

use super::successors::{read_choice, write_choice};
use crate::base::wire_format::{Decoder, Encoder};
use crate::scheduler::Choice;
use crate::worlds::stepped::{KindId, StoreId};

/// Where one process stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// States that it has met.
    pub(super) states: u64,
    /// States that it expands in this round.
    pub(super) block: u64,
    /// States of this level that it will still have to expand afterwards.
    pub(super) left: u64,
    /// Whether it has met a bound, or was stopped.
    pub(super) is_over: bool,
    /// Whether it has seen a finding.
    pub(super) has_finding: bool,
    /// Steps that were never worked out. Every process works out those of all processes, in the same order, and so kinds and
    /// stores have the same numbers everywhere.
    pub(super) missing: Vec<(StoreId, Choice<KindId>)>,
}

impl Status {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u64(self.states);
        out.u64(self.block);
        out.u64(self.left);
        out.u8(self.is_over.into());
        out.u8(self.has_finding.into());
        for (store, choice) in &self.missing {
            out.u32(*store);
            write_choice(&mut out, *choice);
        }
        out.into_bytes()
    }

    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut decoder = Decoder(message);
        let mut status = Self {
            states: decoder.u64()?,
            block: decoder.u64()?,
            left: decoder.u64()?,
            is_over: decoder.u8()? != 0,
            has_finding: decoder.u8()? != 0,
            missing: Vec::new(),
        };
        while !decoder.is_over() {
            status.missing.push((decoder.u32()?, read_choice(&mut decoder)?));
        }
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let missing = vec![(7, Choice::step(3)), (9, Choice::step(65_535))];
        let status =
            Status { states: 1, block: 2, left: 3, is_over: true, has_finding: false, missing };
        let written = status.write();
        assert_eq!(Status::read(&written), Some(status));
        assert_eq!(Status::read(&written[..written.len() - 1]), None);
    }
}
