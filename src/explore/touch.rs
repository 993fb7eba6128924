//! What a step reads, changes or locks, by name: what a drawing of a schedule has a lane for, beside those of the buyers.

use std::fmt;

use serde::Serialize;

use crate::domain::attempt::OpResult;
use crate::domain::op::{Item, Op, Reply};
use crate::scheduler::{Footprint, Resources};
use crate::worlds::stepped::ModelStep;

/// What a step does to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// It reads it.
    Reads,
    /// It changes it, whether or not it reads it first.
    Writes,
    /// It takes its lock.
    Locks,
    /// It gives its lock back.
    Unlocks,
}

/// A thing that a step touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Touch {
    /// Its name: `stock`, `orders`, or a table's.
    pub what: String,
    /// What the step does to it.
    pub access: Access,
    /// Which rows of it, where a statement at a server says so: two that name the same values are about the same rows.
    #[serde(skip)]
    pub(crate) rows: Option<String>,
}

/// What is said where it is not known which tables or keys a statement touches.
const NOT_KNOWN: &str = "all";

/// What the order book is called.
const ORDERS: &str = "orders";

impl Touch {
    fn new(what: impl Into<String>, access: Access) -> Self {
        Self { what: what.into(), access, rows: None }
    }

    /// What a step of the model touches. Transactions have no lane.
    pub(super) fn of_step(step: &ModelStep) -> Vec<Self> {
        let names = step.stock.len() > 1;
        let mut touches = step.op.map_or(Vec::new(), |op| of_op(op, step.reply, names));
        let order = Self::new(ORDERS, Access::Writes);
        if step.ordered && !touches.contains(&order) {
            touches.push(order);
        }
        touches
    }

    /// What a statement at a server touches. `tables` are the names of what a footprint numbers; none for the built-in
    /// tables.
    pub(super) fn of_footprint(touched: &Footprint, tables: &[String]) -> Vec<Self> {
        const BUILT_IN: [(Resources, &str); 4] = [
            (Resources::SHELVES, "stock"),
            (Resources::ORDERS, ORDERS),
            (Resources::HOLDS, "holds"),
            (Resources::LOCKS, "locks"),
        ];
        let names = |of: Resources| -> Vec<&str> {
            match tables {
                _ if of == Resources::ALL => vec![NOT_KNOWN],
                [] => BUILT_IN
                    .iter()
                    .filter(|(one, _)| of.tables().any(|number| *one == Resources::table(number)))
                    .map(|(_, name)| *name)
                    .collect(),
                _ => of
                    .tables()
                    .filter_map(|number| tables.get(number))
                    .map(String::as_str)
                    .collect(),
            }
        };
        let written = names(touched.changed());
        let read = names(touched.reads.contents).into_iter().filter(|name| !written.contains(name));
        let read = read.map(|name| Self::new(name, Access::Reads));
        let written = written.iter().map(|name| Self::new(*name, Access::Writes));
        read.chain(written).collect()
    }

    /// The same with the rows that a statement with this footprint is about.
    #[must_use]
    pub(super) fn with_rows(self, footprint: &Footprint, tables: &[String]) -> Self {
        let number = tables.iter().position(|table| *table == self.what);
        let rows = number.and_then(|number| footprint.rows_read_of(number));
        Self { rows, ..self }
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = match self.access {
            Access::Reads => "reads",
            Access::Writes => "writes",
            Access::Locks => "locks",
            Access::Unlocks => "unlocks",
        };
        write!(f, "{does} {}", self.what)
    }
}

/// What an op touches. A conditional op that was refused has only read.
fn of_op(op: Op, reply: OpResult, names: bool) -> Vec<Touch> {
    let of = |what: &str, item: Item| match names {
        true => format!("{what} of {item}"),
        false => what.to_owned(),
    };
    let if_applied = match reply {
        Ok(Reply::Applied(true)) => Access::Writes,
        _ => Access::Reads,
    };
    let one = |what: String, access| vec![Touch::new(what, access)];
    match op {
        Op::Read { item } | Op::ReadVersioned { item } | Op::ReadFenced { item, .. } => {
            one(of("stock", item), Access::Reads)
        }
        Op::Write { item, .. } | Op::Add { item, .. } => one(of("stock", item), Access::Writes),
        Op::CompareAndSet { item, .. }
        | Op::WriteIfVersion { item, .. }
        | Op::WriteFenced { item, .. }
        | Op::Take { item, .. }
        | Op::TakeFromShard { item, .. }
        | Op::TakeFromAll { item, .. } => one(of("stock", item), if_applied),
        Op::Hold { item, .. } | Op::Release { item } => vec![
            Touch::new(of("stock", item), if_applied),
            Touch::new(of("holds", item), if_applied),
        ],
        Op::Confirm { item } => one(of("holds", item), if_applied),
        Op::Lock { item } => one(of("lock", item), Access::Locks),
        Op::Unlock { item } => one(of("lock", item), Access::Unlocks),
        Op::Lease { item } => one(of("lease", item), Access::Locks),
        Op::Unlease { item } => match reply {
            Ok(Reply::Applied(false)) => one(of("lease", item), Access::Reads),
            _ => one(of("lease", item), Access::Unlocks),
        },
        Op::TakeCached { item, .. } => one(of("cache", item), if_applied),
        Op::AddCached { item, .. } => one(of("cache", item), Access::Writes),
        Op::CountLeft { .. } | Op::FindOrder => one(ORDERS.into(), Access::Reads),
        Op::PlaceOrder(_) => one(ORDERS.into(), Access::Writes),
        Op::PlaceOrderOnce(_) | Op::CancelOrder => one(ORDERS.into(), if_applied),
        Op::FindCharge => one("payments".into(), Access::Reads),
        Op::Charge { .. } | Op::Authorize | Op::Capture | Op::Void | Op::Refund => {
            one("payments".into(), Access::Writes)
        }
        Op::Submit(_) | Op::NextRequest | Op::Answer { .. } => one("queue".into(), Access::Writes),
        Op::AwaitAnswer => one("queue".into(), Access::Reads),
        Op::Begin | Op::Commit | Op::CommitUnsynced | Op::Rollback | Op::Step { .. } => Vec::new(),
    }
}
