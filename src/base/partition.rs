//! Partitions: numbered work, shared out among several machines.

use serde::{Deserialize, Serialize};

use super::text::nearest::shown;
use super::text::quantity::parse_count;

/// The most parts that work can be shared out among.
const MOST_PARTS: u32 = 100_000;

/// One of several parts of numbered work, as cargo-nextest's `slice:m/n` says it: the first of n parts has the first piece,
/// the one n places after it, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slice {
    /// Which part, counted from 1.
    part: u32,
    /// Of how many.
    of: u32,
}

impl Slice {
    /// All of the work.
    pub const WHOLE: Self = Self { part: 1, of: 1 };

    /// Reads `slice:2/7`, the second of seven parts.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected =
            || format!("expected slice:PART/PARTS, such as slice:2/7, not `{}`", shown(text));
        let numbers = text.trim().strip_prefix("slice:").ok_or_else(expected)?;
        let (part, of) = numbers.split_once('/').ok_or_else(expected)?;
        let of = parse_count(of, 1, MOST_PARTS.into()).map_err(|why| format!("parts: {why}"))?;
        let part = parse_count(part, 1, of).map_err(|why| format!("part: {why}"))?;
        Ok(Self { part: part as u32, of: of as u32 })
    }

    /// Whether the numbers make sense; those that were read from a file may not.
    #[must_use]
    pub fn is_valid(self) -> bool {
        (1..=self.of).contains(&self.part) && self.of <= MOST_PARTS
    }

    /// Which part it is, counted from 1.
    #[must_use]
    pub fn part(self) -> u32 {
        self.part
    }

    /// How many parts there are.
    #[must_use]
    pub fn of(self) -> u32 {
        self.of
    }

    /// Another part of the same work.
    #[must_use]
    pub fn sibling(self, part: u32) -> Self {
        Self { part, ..self }
    }

    /// How many of so many pieces are in this part.
    #[must_use]
    pub fn share_of(self, all: u32) -> u32 {
        all.saturating_sub(self.part - 1).div_ceil(self.of)
    }

    /// The place of one of its pieces in the whole, both counted from 0. The piece has to be one of its share.
    #[must_use]
    pub fn place_of(self, piece: u32) -> u32 {
        self.part - 1 + piece * self.of
    }

    /// Whether the piece in this place of the whole, counted from 0, is in this part.
    #[must_use]
    pub fn has(self, place: usize) -> bool {
        place % self.of as usize == self.part as usize - 1
    }
}

impl std::fmt::Display for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "slice:{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_in_exactly_one_part() {
        for (of, all) in [(1, 5), (2, 5), (7, 3), (7, 100), (100, 7), (3, 0)] {
            let mut seen = vec![0; all as usize];
            for part in 1..=of {
                let slice = Slice::parse(&format!("slice:{part}/{of}")).unwrap();
                for piece in 0..slice.share_of(all) {
                    let place = slice.place_of(piece) as usize;
                    assert!(slice.has(place));
                    seen[place] += 1;
                }
                let had = (0..all as usize).filter(|place| slice.has(*place)).count();
                assert_eq!(had, slice.share_of(all) as usize);
            }
            assert!(seen.iter().all(|times| *times == 1), "{all} pieces in {of} parts");
        }
    }

    #[test]
    fn the_last_pieces_of_the_most_work_are_reached() {
        let slice = Slice::parse("slice:7/7").unwrap();
        let share = slice.share_of(u32::MAX);
        assert!(slice.place_of(share - 1) > u32::MAX - 8);
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["", "2/7", "slice:0/7", "slice:8/7", "slice:1/0", "hash:1/2", "slice:1/200000"]
        {
            assert!(Slice::parse(text).is_err(), "{text}");
        }
        assert_eq!(Slice::parse("slice:1/1"), Ok(Slice::WHOLE));
        assert_eq!(Slice::parse("slice:2/7").unwrap().to_string(), "slice:2/7");
    }
}
