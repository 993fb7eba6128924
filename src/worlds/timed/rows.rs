//! Rows: a store writes each of them for one op at a time, and the others wait their turn. What a popular
//! product's row costs, and what splitting it saves.

use crate::op::{Item, SHARDS};
use crate::stores::model::Model;

/// Until when each row is busy.
#[derive(Debug)]
pub(super) struct Rows {
    /// How long a write takes, in ns.
    write_ns: u64,
    /// By product: the shelf, and each of its shards.
    busy_until_ns: Vec<[u64; 1 + SHARDS]>,
}

/// What is on each row of a product.
type Units = [i32; 1 + SHARDS];

impl Rows {
    /// Rows that are all free.
    pub(super) fn free(items: u8, write_ns: u64) -> Self {
        Self { write_ns, busy_until_ns: vec![[0; 1 + SHARDS]; items.into()] }
    }

    /// What is on the rows of a product.
    pub(super) fn look(shop: &Model, item: Item) -> Units {
        let number = usize::from(item.0);
        let mut units = [0; 1 + SHARDS];
        units[0] = shop.shelves.get(number).map_or(0, |shelf| shelf.stock);
        if let Some(split) = shop.split.get(number) {
            units[1..].copy_from_slice(&split.units);
        }
        units
    }

    /// The rows of a product were written; when that is done. What was not changed was not written.
    pub(super) fn write(&mut self, item: Item, before: Units, after: Units, now_ns: u64) -> u64 {
        let Some(busy) = self.busy_until_ns.get_mut(usize::from(item.0)) else { return now_ns };
        let written = before.iter().zip(&after).zip(busy).filter(|((was, is), _)| was != is);
        let done = written.map(|(_, busy)| {
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
        let item = Item(1);
        assert_eq!(rows.write(item, [5, 0, 0, 0, 0], [4, 0, 0, 0, 0], 100), 110);
        assert_eq!(rows.write(item, [4, 0, 0, 0, 0], [3, 0, 0, 0, 0], 103), 120);
        assert_eq!(rows.write(item, [3, 1, 0, 0, 0], [3, 0, 0, 0, 0], 104), 114, "another row");
        assert_eq!(
            rows.write(item, [3, 0, 1, 1, 0], [2, 0, 0, 0, 0], 105),
            130,
            "the last of three"
        );
        assert_eq!(rows.write(item, [2, 0, 0, 0, 0], [2, 0, 0, 0, 0], 106), 106, "none");
        assert_eq!(
            rows.write(Item(0), [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], 106),
            116,
            "another product"
        );
        assert_eq!(rows.write(item, [2, 0, 0, 0, 0], [1, 0, 0, 0, 0], 500), 510, "long after");
    }
}
