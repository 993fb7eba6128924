//! One body for all stores: each op's every reply, on the model, in memory, and on every real server.

use std::time::Duration;

use oversell_sim::unstable::attempt::{Failure, Missed};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::op::{Item, Op, OpKind, Order, Payment, Reply, Units, Want};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::{Isolation, StoreKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::counters::{Counter, Left, Say, Street, settings};

const APPLE: Item = Item(0);
const PEAR: Item = Item(1);

type OpResult = Result<Reply, Missed>;

const DONE: OpResult = Ok(Reply::Done);
const YES: OpResult = Ok(Reply::Applied(true));
const NO: OpResult = Ok(Reply::Applied(false));

fn stock(units: Units) -> OpResult {
    Ok(Reply::Stock(units))
}

fn failed(why: Failure) -> OpResult {
    Err(Missed::Failed(why))
}

/// A line of a talk: over which connection (and in the name of the buyer of that number), what, and the reply.
type Line = (usize, Op, OpResult);

/// A talk of a few connections, and the kinds of op that it takes.
struct Talk {
    title: &'static str,
    needs: &'static [OpKind],
    lines: Vec<Line>,
    /// Stock at the end.
    shelves: [Units; 2],
    /// Lines of orders at the end.
    orders: &'static [(u32, u8, Units)],
}

fn read(item: Item) -> Op {
    Op::Read { item }
}

fn take(qty: Units) -> Op {
    Op::Take { item: APPLE, qty }
}

fn add(qty: Units) -> Op {
    Op::Add { item: APPLE, qty }
}

fn write(stock: Units) -> Op {
    Op::Write { item: APPLE, stock }
}

fn hold(qty: Units) -> Op {
    Op::Hold { item: APPLE, qty }
}

const CONFIRM: Op = Op::Confirm { item: APPLE };
const RELEASE: Op = Op::Release { item: APPLE };
const LOCK: Op = Op::Lock { item: APPLE };
const UNLOCK: Op = Op::Unlock { item: APPLE };
const LEASE: Op = Op::Lease { item: APPLE };
const UNLEASE: Op = Op::Unlease { item: APPLE };
const LOCKED: OpResult = Ok(Reply::Locked { waited: false });

fn order(buyer: u32, want: Want) -> Op {
    Op::PlaceOrder(Order { buyer, want })
}

fn order_once(buyer: u32, want: Want) -> Op {
    Op::PlaceOrderOnce(Order { buyer, want })
}

/// Five apples and five pears, and what can be said about them.
fn talks() -> Vec<Talk> {
    use OpKind as K;
    let swap = |expected, new| Op::CompareAndSet { item: APPLE, expected, new };
    let versioned = Op::ReadVersioned { item: APPLE };
    let seen = |stock, version| Ok(Reply::Versioned { stock, version });
    let set = |version, stock| Op::WriteIfVersion { item: APPLE, version, stock };
    let fenced = |token| Op::ReadFenced { item: APPLE, token };
    let write_fenced = |token, stock| Op::WriteFenced { item: APPLE, token, stock };
    let one = Want::one(APPLE, 1);
    let cart = Want::cart([APPLE, PEAR], 2).unwrap();
    let mut talks = vec![
        Talk {
            title: "reading, writing, comparing",
            needs: &[K::Read, K::Write, K::CompareAndSet],
            lines: vec![
                (0, read(APPLE), stock(5)),
                (1, write(3), DONE),
                (0, swap(5, 1), NO),
                (0, swap(3, 2), YES),
                (1, read(APPLE), stock(2)),
                (1, swap(2, 2), YES),
                (2, read(PEAR), stock(5)),
            ],
            shelves: [2, 5],
            orders: &[],
        },
        Talk {
            title: "taking: nothing, all, one over, the most there can be",
            needs: &[K::Take, K::Add, K::Write, K::Read],
            lines: vec![
                (0, take(0), YES),
                (0, take(6), NO),
                (0, take(5), YES),
                (1, take(1), NO),
                (1, take(0), YES),
                (1, add(-4), stock(-4)),
                (0, take(1), NO),
                (0, add(6), stock(2)),
                (0, write(Units::MAX), DONE),
                (1, take(Units::MAX), YES),
                (0, read(APPLE), stock(0)),
            ],
            shelves: [0, 5],
            orders: &[],
        },
        Talk {
            title: "versions: only a versioned write moves them",
            needs: &[K::ReadVersioned, K::WriteIfVersion, K::Take, K::Write, K::Add],
            lines: vec![
                (0, versioned, seen(5, 0)),
                (1, versioned, seen(5, 0)),
                (0, set(0, 4), YES),
                (1, set(0, 9), NO),
                (1, versioned, seen(4, 1)),
                (0, take(1), YES),
                (0, write(7), DONE),
                (1, versioned, seen(7, 1)),
                (1, set(1, 2), YES),
                (0, versioned, seen(2, 2)),
                (0, set(2, 2), YES),
                (0, add(-3), stock(-1)),
                (1, versioned, seen(-1, 3)),
            ],
            shelves: [-1, 5],
            orders: &[],
        },
        Talk {
            title: "orders: a cart has a line a product",
            needs: &[K::Take],
            lines: vec![
                (0, order(0, one), DONE),
                (0, order(0, one), DONE),
                (1, order(1, cart), DONE),
                (2, order(2, Want::one(Item(7), 1)), failed(Failure::NoSuchItem)),
            ],
            shelves: [5, 5],
            orders: &[(0, 0, 1), (0, 0, 1), (1, 0, 2), (1, 1, 2)],
        },
        Talk {
            title: "orders: looked for, written once, struck out",
            needs: &[K::FindOrder],
            lines: vec![
                (0, Op::FindOrder, NO),
                (0, order(0, one), DONE),
                (0, Op::FindOrder, YES),
                (0, order_once(0, one), NO),
                (1, Op::FindOrder, NO),
                (1, order_once(1, cart), YES),
                (2, order_once(2, one), YES),
                (1, order_once(1, cart), NO),
                (1, Op::CancelOrder, YES),
                (1, Op::CancelOrder, NO),
                (1, Op::FindOrder, NO),
                (1, order_once(1, one), YES),
            ],
            shelves: [5, 5],
            orders: &[(0, 0, 1), (1, 0, 1), (2, 0, 1)],
        },
        Talk {
            title: "locks: held by one until given back",
            needs: &[K::Lock, K::Read, K::Write],
            lines: vec![
                (0, UNLOCK, failed(Failure::NotLocked)),
                (0, LOCK, LOCKED),
                (0, read(APPLE), stock(5)),
                (0, write(4), DONE),
                (0, order(0, one), DONE),
                (0, UNLOCK, DONE),
                (0, UNLOCK, failed(Failure::NotLocked)),
                (1, LOCK, LOCKED),
                (1, read(APPLE), stock(4)),
                (1, UNLOCK, DONE),
                (1, LOCK, LOCKED),
                (1, Op::Lock { item: PEAR }, LOCKED),
                (1, UNLOCK, DONE),
                (1, Op::Unlock { item: PEAR }, DONE),
                (0, Op::Lock { item: Item(9) }, failed(Failure::NoSuchItem)),
            ],
            shelves: [4, 5],
            orders: &[(0, 0, 1)],
        },
        Talk {
            title: "holds: reserved, confirmed, given back",
            needs: &[K::Hold, K::Take],
            lines: vec![
                (0, CONFIRM, failed(Failure::NotHeld)),
                (0, RELEASE, NO),
                (0, hold(1), YES),
                (0, hold(1), NO),
                (1, hold(5), NO),
                (1, hold(4), YES),
                (2, take(1), NO),
                (0, CONFIRM, YES),
                (0, CONFIRM, YES),
                (0, RELEASE, NO),
                (0, hold(1), NO),
                (1, Op::Confirm { item: PEAR }, failed(Failure::NotHeld)),
                (1, RELEASE, YES),
                (1, RELEASE, NO),
                (1, CONFIRM, NO),
                (1, hold(2), YES),
                (2, Op::Hold { item: PEAR, qty: 5 }, YES),
                (2, Op::Release { item: PEAR }, YES),
                (2, hold(2), YES),
            ],
            shelves: [0, 5],
            orders: &[],
        },
        Talk {
            title: "transactions: all or nothing, and one sees what it did",
            needs: &[K::Transaction, K::Take, K::Read, K::Add],
            lines: vec![
                (0, Op::Commit, failed(Failure::Transaction)),
                (0, Op::Rollback, DONE),
                (0, Op::Begin, DONE),
                (0, Op::Begin, failed(Failure::Transaction)),
                (0, take(2), YES),
                (0, read(APPLE), stock(3)),
                (0, add(1), stock(4)),
                (0, order(0, one), DONE),
                (1, read(APPLE), stock(5)),
                (0, Op::Rollback, DONE),
                (1, read(APPLE), stock(5)),
                (0, Op::Begin, DONE),
                (0, take(5), YES),
                (0, take(1), NO),
                (0, order(0, cart), DONE),
                (0, Op::Commit, DONE),
                (1, read(APPLE), stock(0)),
                (1, Op::Begin, DONE),
                (1, Op::CommitUnsynced, DONE),
            ],
            shelves: [0, 5],
            orders: &[(0, 0, 2), (0, 1, 2)],
        },
        Talk {
            title: "stock that is what was never ordered",
            needs: &[K::CountLeft, K::Transaction, K::FindOrder],
            lines: vec![
                (0, Op::CountLeft { item: APPLE }, stock(5)),
                (0, order(0, one), DONE),
                (1, Op::CountLeft { item: APPLE }, stock(4)),
                (1, Op::Begin, DONE),
                (1, order(1, cart), DONE),
                (1, Op::CountLeft { item: APPLE }, stock(2)),
                (1, Op::CountLeft { item: PEAR }, stock(3)),
                (0, Op::CountLeft { item: APPLE }, stock(4)),
                (1, Op::Commit, DONE),
                (0, Op::CountLeft { item: APPLE }, stock(2)),
                (0, Op::CancelOrder, YES),
                (0, Op::CountLeft { item: APPLE }, stock(3)),
            ],
            shelves: [3, 3],
            orders: &[(1, 0, 2), (1, 1, 2)],
        },
        Talk {
            title: "leases: tokens rise, and the store heeds the latest that it has seen",
            needs: &[K::Lease, K::Fence],
            lines: vec![
                (0, UNLEASE, NO),
                (0, LEASE, Ok(Reply::Token(1))),
                (1, Op::Lease { item: PEAR }, Ok(Reply::Token(1))),
                (0, fenced(1), stock(5)),
                (0, UNLEASE, YES),
                (0, UNLEASE, NO),
                (1, LEASE, Ok(Reply::Token(2))),
                (0, UNLEASE, NO),
                (0, write_fenced(1, 4), YES),
                (1, fenced(2), stock(4)),
                (0, fenced(1), Err(Missed::Conflict)),
                (0, write_fenced(1, 9), NO),
                (1, write_fenced(2, 3), YES),
                (1, UNLEASE, YES),
            ],
            shelves: [3, 5],
            orders: &[],
        },
    ];
    talks.push(Talk {
        title: "products that there are not",
        needs: &[K::Read],
        lines: [read(Item(2)), Op::Take { item: Item(15), qty: 1 }]
            .map(|op| (0, op, failed(Failure::NoSuchItem)))
            .into(),
        shelves: [5, 5],
        orders: &[],
    });
    talks
}

fn hold_talks(street: &Street) {
    let mut held = 0;
    for Talk { title, needs, lines, shelves, orders } in talks() {
        if !needs.iter().all(|kind| street.offers(*kind)) {
            continue;
        }
        held += 1;
        let left: Left = street.visit(needs, |shop| {
            for (step, (connection, op, reply)) in lines.iter().enumerate() {
                let say = Say { connection: *connection, buyer: *connection as u32, op: *op };
                assert_eq!(
                    shop.say(say),
                    *reply,
                    "{:?}: {title}, line {step}: {op:?}",
                    street.kind
                );
            }
        });
        assert_eq!(
            (&left.0[..], &left.1[..]),
            (&shelves[..], orders),
            "{:?}: {title}",
            street.kind
        );
    }
    assert!(held >= 6, "{:?} held only {held} talks", street.kind);
}

/// What a connection leaves behind, others get.
fn leaving_gives_locks_back(street: &Street) {
    if !street.offers(OpKind::Lock) {
        return;
    }
    let say = |connection, op| Say { connection, buyer: connection as u32, op };
    street.visit(&[OpKind::Lock, OpKind::Write], |shop| {
        assert_eq!(shop.say(say(0, LOCK)), LOCKED);
        assert_eq!(shop.close_attempt(0), 1);
        assert_eq!(shop.say(say(1, LOCK)), LOCKED);
        assert_eq!(shop.say(say(1, UNLOCK)), DONE);
        assert_eq!(shop.close_attempt(1), 0);
    });
}

/// A lock of one product keeps no session from another, but where only one can write.
fn locks_are_a_products_own(street: &Street) {
    if !street.offers(OpKind::Lock) || street.kind == Some(StoreKind::Sqlite) {
        return;
    }
    let say = |connection, op| Say { connection, buyer: connection as u32, op };
    street.visit(&[OpKind::Lock], |shop| {
        assert_eq!(shop.say(say(2, Op::Lock { item: PEAR })), LOCKED);
        assert_eq!(shop.say(say(0, LOCK)), LOCKED);
        assert_eq!(shop.say(say(0, UNLOCK)), DONE);
        assert_eq!(shop.say(say(2, Op::Unlock { item: PEAR })), DONE);
    });
}

/// Who waits for a lock that is not given back gives up in time.
fn waiting_has_a_bound(street: &Street) {
    if !street.offers(OpKind::Lock) {
        return;
    }
    let say = |connection, op| Say { connection, buyer: connection as u32, op };
    street.visit(&[OpKind::Lock], |shop| {
        assert_eq!(shop.say(say(0, LOCK)), LOCKED);
        let in_vain = shop.say(say(1, LOCK));
        // MySQL's own word for it is the one for a deadlock: try again.
        let is_over = [failed(Failure::LockTimeout), Err(Missed::Conflict)];
        assert!(is_over.contains(&in_vain), "{:?}: {in_vain:?}", street.kind);
        assert_eq!(shop.say(say(0, UNLOCK)), DONE);
        assert!(matches!(shop.say(say(1, LOCK)), Ok(Reply::Locked { .. })));
    });
}

/// Asks until the reply is another; there is a bound.
fn ask_until_it_changes(shop: &mut dyn Counter, say: Say, reply: OpResult) -> OpResult {
    let control = Control::default();
    for _ in 0..500 {
        let heard = shop.say(say);
        if heard != reply {
            return heard;
        }
        assert!(control.pause(Duration::from_millis(10)));
    }
    reply
}

/// A hold and a lease end by themselves, and a client that still counts on them is told.
fn timers_run_out(kind: StoreKind) {
    let ttl = Duration::from_millis(100);
    let settings = Settings { hold_ttl: ttl, lease_ttl: ttl, ..settings(kind) };
    let Some(street) = Street::of(settings) else { return };
    let say = |buyer: u32, op| Say { connection: buyer as usize, buyer, op };
    if street.offers(OpKind::Hold) {
        let (shelves, _, given_back) = street.visit(&[OpKind::Hold], |shop| {
            assert_eq!(shop.say(say(0, hold(5))), YES);
            assert_eq!(ask_until_it_changes(shop, say(1, hold(2)), NO), YES);
            assert_eq!(shop.say(say(0, CONFIRM)), NO);
            assert_eq!(shop.say(say(0, RELEASE)), NO);
            assert_eq!(shop.say(say(1, CONFIRM)), YES);
            // A hold that is over makes way for another, also of another product.
            assert_eq!(shop.say(say(2, hold(1))), YES);
            let pear = say(2, Op::Hold { item: PEAR, qty: 1 });
            assert_eq!(ask_until_it_changes(shop, pear, NO), YES);
            assert_eq!(ask_until_it_changes(shop, say(0, hold(3)), NO), YES);
        });
        assert_eq!((&shelves[..], &given_back[..]), (&[0, 4][..], &[6, 0][..]), "{kind}");
    }
    if street.offers(OpKind::Lease) {
        street.visit(&[OpKind::Lease, OpKind::Fence], |shop| {
            assert_eq!(shop.say(say(0, LEASE)), Ok(Reply::Token(1)));
            assert_eq!(shop.say(say(1, LEASE)), Ok(Reply::Token(2)), "it waited for the end");
            assert_eq!(shop.say(say(0, UNLEASE)), NO);
            let fenced = |token| Op::ReadFenced { item: APPLE, token };
            assert_eq!(shop.say(say(1, fenced(2))), stock(5));
            assert_eq!(shop.say(say(0, fenced(1))), Err(Missed::Conflict));
        });
    }
}

/// A session that reads in one transaction and writes what another has written since is told, or not.
fn isolation_is_as_promised(kind: StoreKind) {
    let outcome = |isolation| -> Option<OpResult> {
        let street = Street::of(Settings { isolation, ..settings(kind) })?;
        let say = |buyer: u32, op| Say { connection: buyer as usize, buyer, op };
        let mut heard = DONE;
        street.visit(&[OpKind::Transaction, OpKind::Read, OpKind::Write, OpKind::Take], |shop| {
            assert_eq!(shop.say(say(0, Op::Begin)), DONE);
            assert_eq!(shop.say(say(0, read(APPLE))), stock(5));
            let taken = shop.say(say(1, take(1)));
            heard = match taken {
                YES => shop.say(say(0, write(4))).and_then(|_| shop.say(say(0, Op::Commit))),
                // The reader keeps others from writing.
                refused => refused,
            };
        });
        Some(heard)
    };
    use Isolation::{ReadCommitted, RepeatableRead, Serializable};
    let conflict = Err(Missed::Conflict);
    let blocked = failed(Failure::LockTimeout);
    let expected = match kind {
        // SQLite knows nothing but serializable, whatever is asked for.
        StoreKind::Sqlite => [conflict, conflict, conflict],
        // InnoDB at repeatable read reads a snapshot and writes over what it never saw; serializable
        // readers lock, so that the writer waits in vain.
        StoreKind::Mysql => [DONE, DONE, blocked],
        _ => [DONE, conflict, conflict],
    };
    for (isolation, expected) in
        [ReadCommitted, RepeatableRead, Serializable].into_iter().zip(expected)
    {
        if let Some(heard) = outcome(isolation) {
            assert_eq!(heard, expected, "{kind} at {isolation}");
        }
    }
}

fn any_buyer() -> impl Strategy<Value = u32> {
    0..3_u32
}

/// An op that counts by itself, and never waits.
fn any_op() -> impl Strategy<Value = Op> {
    let item = || prop::sample::select(vec![APPLE, PEAR]);
    let units = || -1..7_i32;
    let qty = || 0..4_i32;
    prop_oneof![
        item().prop_map(|item| Op::Read { item }),
        item().prop_map(|item| Op::ReadVersioned { item }),
        (item(), units()).prop_map(|(item, stock)| Op::Write { item, stock }),
        (item(), units(), units()).prop_map(|(item, expected, new)| Op::CompareAndSet {
            item,
            expected,
            new
        }),
        (item(), 0..3_u32, units()).prop_map(|(item, version, stock)| Op::WriteIfVersion {
            item,
            version,
            stock
        }),
        (item(), qty()).prop_map(|(item, qty)| Op::Take { item, qty }),
        (item(), -3..4_i32).prop_map(|(item, qty)| Op::Add { item, qty }),
        (item(), 1..4_i32).prop_map(|(item, qty)| Op::Hold { item, qty }),
        item().prop_map(|item| Op::Confirm { item }),
        item().prop_map(|item| Op::Release { item }),
        item().prop_map(|item| Op::Lease { item }),
        item().prop_map(|item| Op::Unlease { item }),
        (item(), 0..4_u32).prop_map(|(item, token)| Op::ReadFenced { item, token }),
        (item(), 0..4_u32, units()).prop_map(|(item, token, stock)| Op::WriteFenced {
            item,
            token,
            stock
        }),
        any_order_op(),
    ]
}

fn any_order_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (any_buyer(), 1..3_i32).prop_map(|(buyer, qty)| order(buyer, Want::one(APPLE, qty))),
        (any_buyer(), 1..3_i32)
            .prop_map(|(buyer, qty)| order_once(buyer, Want::cart([PEAR, APPLE], qty).unwrap())),
        Just(Op::FindOrder),
        Just(Op::CancelOrder),
    ]
}

/// The kind of op that an op is.
fn kind_of(op: Op) -> Option<OpKind> {
    Some(match op {
        Op::Hold { .. } | Op::Confirm { .. } | Op::Release { .. } => OpKind::Hold,
        Op::Lease { .. } | Op::Unlease { .. } => OpKind::Lease,
        Op::ReadFenced { .. } | Op::WriteFenced { .. } => OpKind::Fence,
        Op::PlaceOrderOnce(_) | Op::FindOrder | Op::CancelOrder => OpKind::FindOrder,
        Op::Begin | Op::Commit | Op::Rollback => OpKind::Transaction,
        _ => return None,
    })
}

/// Ops in the names of several buyers, some of them in a transaction of one buyer alone.
fn any_talk() -> impl Strategy<Value = Vec<(u32, Op)>> {
    let single = (any_buyer(), any_op()).prop_map(|one| vec![one]);
    let inside = prop_oneof![
        prop::sample::select(vec![APPLE, PEAR]).prop_map(|item| Op::Read { item }),
        (0..7_i32).prop_map(write),
        (0..4_i32).prop_map(take),
        (-3..4_i32).prop_map(add),
        any_order_op(),
    ];
    let ends = prop::sample::select(vec![Op::Commit, Op::Rollback]);
    let together = (any_buyer(), prop::collection::vec(inside, 0..5), ends).prop_map(
        |(buyer, inside, end)| {
            let ops = std::iter::once(Op::Begin).chain(inside).chain([end]);
            ops.map(|op| (buyer, op)).collect()
        },
    );
    prop::collection::vec(prop_oneof![4 => single, 1 => together], 1..25)
        .prop_map(|parts| parts.concat())
}

/// Orders are written in the name of the buyer that speaks.
fn in_the_name_of(buyer: u32, op: Op) -> Op {
    match op {
        Op::PlaceOrder(order) => Op::PlaceOrder(Order { buyer, ..order }),
        Op::PlaceOrderOnce(order) => Op::PlaceOrderOnce(Order { buyer, ..order }),
        op => op,
    }
}

/// The same random talk on the model and on a live store: the same replies, and the same is left.
fn replies_as_the_model_does(street: &Street, kind: StoreKind) {
    const NEEDS: &[OpKind] = &[OpKind::Hold, OpKind::Pay];
    let model = Street::model(settings(kind));
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let done = TestRunner::new(config).run(&any_talk(), |talk| {
        let mut heard = Vec::new();
        let mut leased = [false; 2];
        // A client that waited for a lease would wait for ten seconds.
        let talk: Vec<(u32, Op)> = talk
            .into_iter()
            .filter(|(_, op)| kind_of(*op).is_none_or(|kind| street.offers(kind)))
            .map(|(buyer, op)| (buyer, in_the_name_of(buyer, op)))
            .filter(|(_, op)| match op {
                Op::Lease { item } => !std::mem::replace(&mut leased[usize::from(item.0)], true),
                _ => true,
            })
            .collect();
        let say = |(buyer, op): (u32, Op)| Say { connection: buyer as usize, buyer, op };
        let left = model.visit(NEEDS, |shop| {
            heard.extend(talk.iter().map(|line| shop.say(say(*line))));
        });
        let mut differs = None;
        let also_left = street.visit(NEEDS, |shop| {
            for (line, reply) in talk.iter().zip(&heard) {
                let here = shop.say(say(*line));
                if here != *reply {
                    differs = Some(format!("{line:?}: the model {reply:?}, {kind} {here:?}"));
                    break;
                }
            }
        });
        prop_assert_eq!(differs, None);
        prop_assert_eq!((&left.0, &left.1), (&also_left.0, &also_left.1));
        Ok(())
    });
    done.unwrap();
}

/// A lock that belongs to no row holds back the sessions that ask for it, and no others.
fn advisory_locks_are_locks(kind: StoreKind) {
    let settings = Settings { advisory_locks: true, ..settings(kind) };
    let Some(street) = Street::of(settings) else { return };
    let say = |connection, op| Say { connection, buyer: connection as u32, op };
    street.visit(&[OpKind::Lock, OpKind::Read, OpKind::Write], |shop| {
        assert_eq!(shop.say(say(0, UNLOCK)), failed(Failure::NotLocked));
        assert_eq!(shop.say(say(0, LOCK)), LOCKED);
        assert_eq!(shop.say(say(1, write(4))), DONE, "rows are free");
        assert_eq!(shop.say(say(1, LOCK)), failed(Failure::LockTimeout));
        assert_eq!(shop.say(say(0, read(APPLE))), stock(4));
        assert_eq!(shop.say(say(0, UNLOCK)), DONE);
        assert!(matches!(shop.say(say(1, LOCK)), Ok(Reply::Locked { .. })));
        assert_eq!(shop.close_attempt(1), 1);
        assert_eq!(shop.say(say(2, LOCK)), LOCKED);
        assert_eq!(shop.say(say(2, UNLOCK)), DONE);
    });
    leaving_gives_locks_back(&street);
    locks_are_a_products_own(&street);
}

/// Rows that are units are taken past each other: no buyer waits, and one that finds too few free ones is refused.
fn rows_that_are_units_are_skipped_while_locked(kind: StoreKind) {
    let settings = Settings { unit_rows: true, ..settings(kind) };
    let Some(street) = Street::of(settings) else { return };
    let say = |connection, op| Say { connection, buyer: connection as u32, op };
    let (shelves, ..) = street.visit(&[OpKind::Take, OpKind::Read, OpKind::Transaction], |shop| {
        for (connection, op, reply) in [
            (0, take(0), YES),
            (0, take(6), NO),
            (0, read(APPLE), stock(5)),
            (0, Op::Begin, DONE),
            (0, take(2), YES),
            (1, take(2), YES),
            (2, take(2), NO),
            (2, take(1), YES),
            (2, take(1), NO),
            (0, Op::Rollback, DONE),
            (2, read(APPLE), stock(2)),
            (1, take(2), YES),
            (1, take(1), NO),
            (1, read(PEAR), stock(5)),
        ] {
            assert_eq!(shop.say(say(connection, op)), reply, "{kind}: {connection} {op:?}");
        }
    });
    assert_eq!(shelves, [0, 5]);
}

/// The payment provider beside a store: money moves once a key, and can be set aside.
fn money_is_the_providers(street: &Street) {
    let say = |buyer: u32, op| Say { connection: buyer as usize, buyer, op };
    let paid = Ok(Reply::Payment(Payment::Approved));
    street.visit(&[OpKind::Pay], |shop| {
        assert_eq!(shop.say(say(0, Op::FindCharge)), NO);
        assert_eq!(shop.say(say(0, Op::Charge { once: true })), paid);
        assert_eq!(shop.say(say(0, Op::Charge { once: true })), paid);
        assert_eq!(shop.say(say(0, Op::Refund)), YES);
        assert_eq!(shop.say(say(0, Op::Refund)), NO);
        assert_eq!(shop.say(say(1, Op::Authorize)), paid);
        assert_eq!(shop.say(say(1, Op::FindCharge)), NO);
        assert_eq!(shop.say(say(1, Op::Capture)), paid);
        assert_eq!(shop.say(say(1, Op::Void)), NO);
        assert_eq!(shop.say(say(1, Op::FindCharge)), YES);
    });
}

fn conforms(kind: StoreKind) {
    let Some(street) = Street::of(settings(kind)) else { return };
    hold_talks(&street);
    leaving_gives_locks_back(&street);
    locks_are_a_products_own(&street);
    waiting_has_a_bound(&street);
    replies_as_the_model_does(&street, kind);
    if kind != StoreKind::Memory {
        money_is_the_providers(&street);
        timers_run_out(kind);
    }
    if matches!(kind, StoreKind::Postgres | StoreKind::Mysql) {
        advisory_locks_are_locks(kind);
        rows_that_are_units_are_skipped_while_locked(kind);
    }
    if kind.is_sql() {
        isolation_is_as_promised(kind);
    }
}

#[test]
fn the_model_conforms() {
    let street = Street::model(settings(StoreKind::Memory));
    hold_talks(&street);
    leaving_gives_locks_back(&street);
}

#[test]
fn the_store_in_memory_conforms() {
    conforms(StoreKind::Memory);
}

#[test]
fn sqlite_conforms() {
    conforms(StoreKind::Sqlite);
}

#[test]
fn postgres_conforms() {
    conforms(StoreKind::Postgres);
}

#[test]
fn mysql_conforms() {
    conforms(StoreKind::Mysql);
}

#[test]
fn redis_conforms() {
    conforms(StoreKind::Redis);
}

#[test]
fn etcd_conforms() {
    conforms(StoreKind::Etcd);
}
