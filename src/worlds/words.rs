//! Text for ops: what a buyer or the worker did and with what result, and what it is about to do. Products are named
//! where there are several.

use crate::domain::attempt::OpResult;
use crate::domain::faults::Act;
use crate::domain::op::{Item, Op, Payment, Reply};

/// An op that was made, and its result. `other` names the buyer that a worker's op was about.
pub(crate) fn done(op: Op, reply: OpResult, names: bool, other: &str) -> String {
    let of = |item| of(names, item);
    let took_effect = reply == Ok(Reply::Applied(true));
    match (op, reply) {
        (Op::Read { item }, Ok(Reply::Stock(stock))) => format!("reads {stock}{}", of(item)),
        (Op::ReadVersioned { item }, Ok(Reply::Versioned { stock, version })) => {
            format!("reads {stock}{}, version {version}", of(item))
        }
        (Op::Write { item, stock }, Ok(_)) => format!("writes {stock}{}", of(item)),
        (Op::CompareAndSet { item, expected, new }, _) if took_effect => {
            format!("swaps {expected} for {new}{}", of(item))
        }
        (Op::CompareAndSet { item, expected, new }, _) => {
            format!("cannot swap {expected} for {new}{}", of(item))
        }
        (Op::WriteIfVersion { item, stock, version }, _) if took_effect => {
            format!("writes {stock}{} over version {version}", of(item))
        }
        (Op::WriteIfVersion { item, version, .. }, _) => {
            format!("finds version {version}{} gone", of(item))
        }
        (Op::Take { item, qty }, _) if took_effect => format!("takes {qty}{}", of(item)),
        (Op::Take { item, qty }, Ok(_)) => format!("is refused {qty}{}", of(item)),
        (Op::Add { item, qty }, Ok(Reply::Stock(left))) if qty < 0 => {
            format!("takes {}{} unseen, leaves {left}", -qty, of(item))
        }
        (Op::Add { item, qty }, _) => format!("puts {qty}{} back", of(item)),
        (Op::Lock { item }, Ok(_)) => format!("locks{}", named(names, item)),
        (Op::Unlock { item }, _) => format!("unlocks{}", named(names, item)),
        (Op::Submit(_), _) => "joins the queue".into(),
        (Op::NextRequest, _) => format!("takes the request of {other}"),
        (Op::Answer { sold: Some(true) }, _) => format!("sells to {other}"),
        (Op::Answer { sold: Some(false) }, _) => format!("rejects {other}"),
        (Op::Answer { sold: None }, _) => {
            format!("closes the request of {other} without an answer")
        }
        (Op::PlaceOrder(_), Ok(_)) => "writes its order".into(),
        (Op::PlaceOrderOnce(_), _) if took_effect => "writes its order".into(),
        (Op::PlaceOrderOnce(_), Ok(_)) => "finds its order written".into(),
        (Op::CancelOrder, _) if took_effect => "strikes its order out".into(),
        (Op::CancelOrder, Ok(_)) => "finds no order to strike out".into(),
        (Op::FindOrder, _) if took_effect => "finds its order".into(),
        (Op::FindOrder, Ok(_)) => "finds no order".into(),
        (Op::CountLeft { item }, Ok(Reply::Stock(units))) => {
            format!("counts {units} left{}", of(item))
        }
        (Op::Hold { item, qty }, _) if took_effect => format!("holds {qty}{}", of(item)),
        (Op::Hold { item, qty }, _) => format!("cannot hold {qty}{}", of(item)),
        (Op::Confirm { item }, _) if took_effect => format!("confirms its hold{}", of(item)),
        (Op::Confirm { item }, _) => format!("finds its hold{} gone", of(item)),
        (Op::Release { item }, _) if took_effect => format!("releases its hold{}", of(item)),
        (Op::Release { item }, _) => format!("has no hold{} to release", of(item)),
        (Op::Charge { .. }, Ok(Reply::Payment(Payment::Approved))) => "pays".into(),
        (Op::Charge { .. }, Ok(Reply::Payment(Payment::Declined))) => "pays: declined".into(),
        (Op::Charge { .. }, Ok(Reply::Payment(Payment::Unknown))) => {
            "pays, and the answer is lost".into()
        }
        (Op::Authorize, Ok(Reply::Payment(Payment::Approved))) => "has the price set aside".into(),
        (Op::Authorize, Ok(Reply::Payment(Payment::Declined))) => {
            "has nothing set aside: declined".into()
        }
        (Op::Authorize, Ok(Reply::Payment(Payment::Unknown))) => {
            "has the price set aside, and the answer is lost".into()
        }
        (Op::Capture, Ok(Reply::Payment(Payment::Approved))) => "pays what was set aside".into(),
        (Op::Capture, Ok(Reply::Payment(Payment::Declined))) => {
            "has nothing set aside to pay with".into()
        }
        (Op::Capture, Ok(Reply::Payment(Payment::Unknown))) => {
            "pays what was set aside, and the answer is lost".into()
        }
        (Op::Void, _) if took_effect => "keeps what was set aside".into(),
        (Op::Void, Ok(_)) => "has nothing set aside".into(),
        (Op::Refund, _) if took_effect => "is refunded".into(),
        (Op::Refund, _) => "has nothing to be refunded".into(),
        (Op::FindCharge, _) if took_effect => "finds its payment".into(),
        (Op::FindCharge, _) => "finds no payment".into(),
        (Op::Lease { item }, Ok(Reply::Token(token))) => {
            format!("takes the lease{}, token {token}", of(item))
        }
        (Op::Unlease { item }, _) if took_effect => format!("gives the lease{} back", of(item)),
        (Op::Unlease { item }, _) => format!("finds its lease{} gone", of(item)),
        (Op::ReadFenced { item, token }, Ok(Reply::Stock(stock))) => {
            format!("reads {stock}{} with token {token}", of(item))
        }
        (Op::ReadFenced { item, token }, _) => format!("is fenced off{}: token {token}", of(item)),
        (Op::WriteFenced { item, token, stock }, _) if took_effect => {
            format!("writes {stock}{} with token {token}", of(item))
        }
        (Op::WriteFenced { item, token, .. }, _) => {
            format!("is fenced off{}: token {token}", of(item))
        }
        (Op::Begin, _) => "begins".into(),
        (Op::Commit, Ok(_)) => "commits".into(),
        (Op::CommitUnsynced, Ok(_)) => "commits, not yet on disk".into(),
        (Op::Rollback, _) => "rolls back".into(),
        (Op::TakeCached { item, qty }, _) if took_effect => {
            format!("takes {qty}{} from the cache", of(item))
        }
        (Op::TakeCached { item, qty }, _) => format!("is refused {qty}{} by the cache", of(item)),
        (Op::AddCached { item, qty }, _) => format!("puts {qty}{} back into the cache", of(item)),
        (Op::TakeFromShard { item, qty }, _) if took_effect => {
            format!("takes {qty}{} from a shard", of(item))
        }
        (Op::TakeFromShard { item, qty }, Ok(_)) => {
            format!("is refused {qty}{} by a shard", of(item))
        }
        (Op::TakeFromAll { item, qty }, _) if took_effect => {
            format!("takes {qty}{} from all shards", of(item))
        }
        (Op::TakeFromAll { item, qty }, Ok(_)) => {
            format!("is refused {qty}{} by all shards", of(item))
        }
        (op, Err(_)) => format!("cannot {}", intention(op, names)),
        (op, reply) => format!("{op:?}: {reply:?}"),
    }
}

/// What happened to a buyer or the worker without a step of its own.
pub(crate) fn happened(act: Act) -> &'static str {
    match act {
        Act::Expire => "its time runs out",
        Act::Crash => "its server dies",
        Act::Redeliver => "the provider tells the shop again",
        Act::Step
        | Act::BackgroundTask
        | Act::Decline
        | Act::LoseAnswer
        | Act::PowerCut
        | Act::StaleRead => "goes on",
    }
}

/// What may happen to a buyer beside a step of its own; empty for a step.
#[cfg(feature = "cli")]
pub(crate) fn could_happen(act: Act) -> &'static str {
    match act {
        Act::Step => "",
        Act::BackgroundTask => "the shop's background task about it makes a step",
        Act::Expire => "its time runs out",
        Act::Decline => "its payment is declined",
        Act::LoseAnswer => "it pays, and the answer is lost",
        Act::Crash => "its server dies",
        Act::Redeliver => "the provider tells the shop again",
        Act::PowerCut => "it makes its step, and the database loses its power",
        Act::StaleRead => "it reads from a copy that is behind",
    }
}

/// An op that has not been made yet.
pub(crate) fn intention(op: Op, names: bool) -> String {
    let of = |item| of(names, item);
    match op {
        Op::Read { item } => format!("read{}", named(names, item)),
        Op::ReadVersioned { item } => format!("read{} with the version", named(names, item)),
        Op::Write { item, stock } => format!("write {stock}{}", of(item)),
        Op::CompareAndSet { item, expected, new } => {
            format!("swap {expected} for {new}{}", of(item))
        }
        Op::WriteIfVersion { item, stock, version } => {
            format!("write {stock}{} if the version is still {version}", of(item))
        }
        Op::Take { item, qty } => format!("take {qty}{} if enough is left", of(item)),
        Op::Add { item, qty } if qty < 0 => format!("take {}{} unseen", -qty, of(item)),
        Op::Add { item, qty } => format!("put {qty}{} back", of(item)),
        Op::Lock { item } => format!("lock{}", named(names, item)),
        Op::Unlock { item } => format!("unlock{}", named(names, item)),
        Op::PlaceOrder(_) => "write its order".into(),
        Op::PlaceOrderOnce(_) => "write its order, unless there is one".into(),
        Op::CancelOrder => "strike its order out".into(),
        Op::FindOrder => "look for its order".into(),
        Op::CountLeft { item } => format!("count what is left{}", of(item)),
        Op::Submit(_) => "join the queue".into(),
        Op::AwaitAnswer => "wait for its answer".into(),
        Op::NextRequest => "take the next request".into(),
        Op::Answer { sold: Some(true) } => "accept the request".into(),
        Op::Answer { sold: Some(false) } => "reject the request".into(),
        Op::Answer { sold: None } => "close the request without an answer".into(),
        Op::Hold { item, qty } => format!("hold {qty}{}", of(item)),
        Op::Confirm { item } => format!("confirm its hold{}", of(item)),
        Op::Release { item } => format!("release its hold{}", of(item)),
        Op::Charge { once: true } => "pay, once".into(),
        Op::Charge { once: false } => "pay".into(),
        Op::Authorize => "have the price set aside".into(),
        Op::Capture => "pay what was set aside".into(),
        Op::Void => "keep what was set aside".into(),
        Op::Refund => "ask for its money back".into(),
        Op::FindCharge => "look for its payment".into(),
        Op::Lease { item } => format!("take the lease{}", of(item)),
        Op::Unlease { item } => format!("give the lease{} back", of(item)),
        Op::ReadFenced { item, token } => format!("read{} with token {token}", named(names, item)),
        Op::WriteFenced { item, token, stock } => {
            format!("write {stock}{} with token {token}", of(item))
        }
        Op::Begin => "begin".into(),
        Op::Commit => "commit".into(),
        Op::CommitUnsynced => "commit before it is on disk".into(),
        Op::Rollback => "roll back".into(),
        Op::TakeCached { item, qty } => format!("take {qty}{} from the cache", of(item)),
        Op::AddCached { item, qty } => format!("put {qty}{} back into the cache", of(item)),
        Op::TakeFromShard { item, qty } => format!("take {qty}{} from the next shard", of(item)),
        Op::TakeFromAll { item, qty } => format!("take {qty}{} from all shards", of(item)),
        Op::Step { number, .. } => format!("make step {}", number + 1),
    }
}

fn of(names: bool, item: Item) -> String {
    if names { format!(" of {item}") } else { String::new() }
}

fn named(names: bool, item: Item) -> String {
    if names { format!(" {item}") } else { String::new() }
}
