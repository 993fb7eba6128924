//! Rows: a store writes each of them for one op at a time, and the others wait their turn. This shows what a
//! popular product's row costs, and what splitting it saves.

use crate::domain::op::SHARDS;
use crate::stores::model::Model;

/// What is on each row of each product: the shelf, and each of its shards.
type RowUnits = Vec<[i32; 1 + SHARDS]>;

/// Until when each row is busy.
#[derive(Debug)]
pub(super) struct Rows {
    /// How long a write takes, in ns.
    write_ns: u64,
    busy_until_ns: Vec<[u64; 1 + SHARDS]>,
}

impl Rows {
    /// Rows that are all free.
    pub(super) fn free(items: u8, write_ns: u64) -> Self {
        Self { write_ns, busy_until_ns: vec![[0; 1 + SHARDS]; items.into()] }
    }

    /// What is on the rows now.
    pub(super) fn look(shop: &Model) -> RowUnits {
        let mut units = vec![[0; 1 + SHARDS]; shop.shelves.len()];
        for (rows, shelf) in units.iter_mut().zip(&shop.shelves) {
            rows[0] = shelf.stock;
        }
        for (rows, split) in units.iter_mut().zip(&shop.split) {
            rows[1..].copy_from_slice(&split.units);
        }
        units
    }

    /// Rows were written; returns when that is done. A row that was not changed was not written.
    pub(super) fn write(&mut self, before: &RowUnits, after: &RowUnits, now_ns: u64) -> u64 {
        let rows = before.iter().flatten().zip(after.iter().flatten());
        let written = rows.zip(self.busy_until_ns.iter_mut().flatten());
        let done = written.filter(|((was, is), _)| was != is).map(|(_, busy)| {
            *busy = now_ns.max(*busy).saturating_add(self.write_ns);
            *busy
        });
        done.max().unwrap_or(now_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_of_one_row_come_one_after_the_other_and_of_several_side_by_side() {
        let mut rows = Rows::free(2, 10);
        let mut write = |before: [i32; 5], after: [i32; 5], now| {
            rows.write(&vec![[7; 5], before], &vec![[7; 5], after], now)
        };
        assert_eq!(write([5, 0, 0, 0, 0], [4, 0, 0, 0, 0], 100), 110);
        assert_eq!(write([4, 0, 0, 0, 0], [3, 0, 0, 0, 0], 103), 120);
        assert_eq!(write([3, 1, 0, 0, 0], [3, 0, 0, 0, 0], 104), 114, "another row");
        assert_eq!(write([3, 0, 1, 1, 0], [2, 0, 0, 0, 0], 105), 130, "the last of three");
        assert_eq!(write([2, 0, 0, 0, 0], [2, 0, 0, 0, 0], 106), 106, "none");
        assert_eq!(write([2, 0, 0, 0, 0], [1, 0, 0, 0, 0], 500), 510, "long after");
        let other = rows.write(&vec![[1; 5], [1; 5]], &vec![[0, 1, 1, 1, 1], [1; 5]], 106);
        assert_eq!(other, 116, "another product");
    }
}
