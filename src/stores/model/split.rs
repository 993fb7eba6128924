//! One product's stock, split over shards: each is a row of its own, so that buyers do not all contend for one row.

use super::{Applied, applied, failed};
use crate::domain::attempt::Failure;
use crate::domain::op::{Op, SHARDS, Units};

/// The shards of one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Split {
    /// Units on each shard.
    pub units: [Units; SHARDS],
    /// The shard that the next take uses.
    pub turn: u8,
}

impl Split {
    /// Spreads this stock over the shards, as evenly as possible.
    #[must_use]
    pub fn new(stock: Units) -> Self {
        let shards = SHARDS as Units;
        let mut units = [stock / shards; SHARDS];
        units
            .iter_mut()
            .take((stock % shards).unsigned_abs() as usize)
            .for_each(|units| *units += 1);
        Self { units, turn: 0 }
    }

    /// Units on all shards together.
    #[must_use]
    pub fn stock(&self) -> Units {
        self.units.iter().fold(0, |sum, units| sum.wrapping_add(*units))
    }

    /// Does one op about the shards.
    pub(super) fn apply(&mut self, op: Op) -> Applied {
        match op {
            Op::TakeFromShard { qty, .. } => applied(self.take(qty)),
            Op::TakeFromAll { qty, .. } => applied(self.take_from_all(qty)),
            _ => failed(Failure::Unsupported),
        }
    }

    /// Takes units from the next shard, if that many are on it, and moves on to the one after it.
    fn take(&mut self, qty: Units) -> bool {
        let turn = usize::from(self.turn) % SHARDS;
        self.turn = ((turn + 1) % SHARDS) as u8;
        let has_enough = self.units[turn] >= qty;
        self.units[turn] -= if has_enough { qty } else { 0 };
        has_enough
    }

    /// Takes units from as many shards as needed, if all shards together have that many.
    fn take_from_all(&mut self, qty: Units) -> bool {
        if self.stock() < qty {
            return false;
        }
        let mut missing = qty;
        for units in &mut self.units {
            let some = missing.min(*units);
            *units -= some;
            missing -= some;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stock_is_spread_evenly_and_each_shard_has_its_turn() {
        let mut split = Split::new(6);
        assert_eq!(split.units, [2, 2, 1, 1]);
        let taken: Vec<bool> = (0..5).map(|_| split.take(2)).collect();
        assert_eq!(taken, [true, true, false, false, false], "two are left, on two shards");
        assert!(!split.take_from_all(3) && split.take_from_all(2));
        assert_eq!(split.stock(), 0);
    }

    proptest! {
        #[test]
        fn all_shards_together_are_one_shelf(
            stock in 0_i32..50,
            takes in prop::collection::vec((1_i32..5, any::<bool>()), 0..60),
        ) {
            let (mut split, mut left) = (Split::new(stock), stock);
            for (qty, from_all) in takes {
                let taken = if from_all { split.take_from_all(qty) } else { split.take(qty) };
                let is_right = if from_all { taken == (left >= qty) } else { !taken || left >= qty };
                prop_assert!(is_right);
                left -= if taken { qty } else { 0 };
                prop_assert_eq!(split.stock(), left);
                prop_assert!(split.units.iter().all(|units| *units >= 0));
            }
        }
    }
}
