//! Replicas: copies of the stock, each a little behind the other. Every write reaches each of them after
//! a lag of its own, in order.

use std::collections::VecDeque;

use crate::domain::op::Units;
use crate::stores::model::Model;

/// A value that a copy shows from some time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplicaValue {
    /// Units.
    pub(super) stock: Units,
    /// When that was written, in ns after the opening.
    pub(super) written_ns: u64,
    /// From when on the copy shows it.
    pub(super) visible_ns: u64,
}

/// One product in one copy: what it shows, and what is on its way to it.
#[derive(Clone, Debug)]
struct Copy {
    shown: ReplicaValue,
    coming: VecDeque<ReplicaValue>,
}

/// The copies of all products, one a server.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    /// By server, then by product.
    servers: Vec<Vec<Copy>>,
}

impl Copies {
    /// Copies that are up to date.
    pub(super) fn of(shop: &Model, servers: u32) -> Self {
        let copy = |stock: Units| Copy {
            shown: ReplicaValue { stock, written_ns: 0, visible_ns: 0 },
            coming: VecDeque::new(),
        };
        let copies: Vec<Copy> = shop.stocks().into_iter().map(copy).collect();
        Self { servers: vec![copies; servers as usize] }
    }

    /// The last that was written of a product, on its way to the copies or there.
    pub(super) fn latest(&self, item: u8) -> Option<Units> {
        let copy = self.servers.first()?.get(usize::from(item))?;
        Some(copy.coming.back().unwrap_or(&copy.shown).stock)
    }

    /// A write is on its way to every copy; `lag` rolls for how long.
    pub(super) fn write(
        &mut self,
        item: u8,
        now_ns: u64,
        stock: Units,
        mut lag: impl FnMut() -> u64,
    ) {
        for copies in &mut self.servers {
            let Some(copy) = copies.get_mut(usize::from(item)) else { continue };
            copy.catch_up(now_ns);
            let last = copy.coming.back().map_or(0, |seen| seen.visible_ns);
            let visible_ns = now_ns.saturating_add(lag()).max(last);
            copy.coming.push_back(ReplicaValue { stock, written_ns: now_ns, visible_ns });
        }
    }

    /// What a copy shows now; or, to a buyer that has seen what was written at `since_ns`, what it will
    /// show as soon as it has that, too.
    pub(super) fn read(
        &mut self,
        server: usize,
        item: u8,
        now_ns: u64,
        since_ns: u64,
    ) -> ReplicaValue {
        let copy = self.servers.get_mut(server).and_then(|all| all.get_mut(usize::from(item)));
        let Some(copy) = copy else {
            return ReplicaValue { stock: 0, written_ns: 0, visible_ns: 0 };
        };
        copy.catch_up(now_ns);
        let newer = copy.coming.iter().take_while(|seen| seen.written_ns <= since_ns).last();
        *newer.unwrap_or(&copy.shown)
    }
}

impl Copy {
    fn catch_up(&mut self, now_ns: u64) {
        while let Some(seen) = self.coming.pop_front_if(|seen| seen.visible_ns <= now_ns) {
            self.shown = seen;
        }
    }
}
