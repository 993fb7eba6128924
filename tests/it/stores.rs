//! The memory store: every op's every reply, one client at a time and several at once.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use oversell_sim::unstable::attempt::Failure;
use oversell_sim::unstable::attempt::Missed::Failed;
use oversell_sim::unstable::op::{Item, Op, Order, Reply, Request, Units, Want};
use oversell_sim::unstable::stores::memory::{Memory, Plain, Versioned, Word};
use oversell_sim::unstable::stores::{Client, LiveStore};

const ITEM: Item = Item(0);
static NEVER: AtomicBool = AtomicBool::new(false);

fn open<W: Word>(stock: Units) -> Memory<'static, W> {
    Memory::open(1, stock, 4, Duration::from_millis(20), &NEVER)
}

/// Calls ops in order on one client and compares their replies.
fn converse<W: Word>(stock: Units, talk: &[(Op, Reply)]) {
    let store = open::<W>(stock);
    let mut client = store.connect();
    for (op, reply) in talk {
        assert_eq!(client.call(*op), Ok(*reply), "{op:?}");
    }
}

#[test]
fn reads_writes_and_conditional_ops_agree_on_both_words() {
    let talk = [
        (Op::Read { item: ITEM }, Reply::Stock(5)),
        (Op::Write { item: ITEM, stock: 3 }, Reply::Done),
        (Op::CompareAndSet { item: ITEM, expected: 5, new: 1 }, Reply::Applied(false)),
        (Op::CompareAndSet { item: ITEM, expected: 3, new: 2 }, Reply::Applied(true)),
        (Op::Take { item: ITEM, qty: 3 }, Reply::Applied(false)),
        (Op::Take { item: ITEM, qty: 2 }, Reply::Applied(true)),
        (Op::Take { item: ITEM, qty: 1 }, Reply::Applied(false)),
        (Op::Add { item: ITEM, qty: -4 }, Reply::Stock(-4)),
        (Op::Take { item: ITEM, qty: 1 }, Reply::Applied(false)),
        (Op::Add { item: ITEM, qty: 6 }, Reply::Stock(2)),
        (Op::Write { item: ITEM, stock: Units::MAX }, Reply::Done),
        (Op::Take { item: ITEM, qty: Units::MAX }, Reply::Applied(true)),
        (Op::Read { item: ITEM }, Reply::Stock(0)),
    ];
    converse::<Plain>(5, &talk);
    converse::<Versioned>(5, &talk);
}

#[test]
fn only_a_versioned_write_moves_the_version_and_it_notices_no_other() {
    let versioned =
        |stock, version| (Op::ReadVersioned { item: ITEM }, Reply::Versioned { stock, version });
    let write = |version, stock, applied| {
        (Op::WriteIfVersion { item: ITEM, version, stock }, Reply::Applied(applied))
    };
    converse::<Versioned>(
        5,
        &[
            versioned(5, 0),
            write(0, 4, true),
            versioned(4, 1),
            write(0, 9, false),
            (Op::Take { item: ITEM, qty: 1 }, Reply::Applied(true)),
            versioned(3, 1),
            (Op::Write { item: ITEM, stock: 7 }, Reply::Done),
            // The stock is not what was last looked at, but the version stands.
            write(1, 2, true),
            versioned(2, 2),
            (Op::Add { item: ITEM, qty: -3 }, Reply::Stock(-1)),
            versioned(-1, 2),
        ],
    );
}

#[test]
fn what_the_store_cannot_do_fails_the_attempt() {
    let store = open::<Plain>(1);
    let mut client = store.connect();
    for (op, why) in [
        (Op::ReadVersioned { item: ITEM }, Failure::Unsupported),
        (Op::WriteIfVersion { item: ITEM, version: 0, stock: 0 }, Failure::Unsupported),
        (Op::Unlock { item: ITEM }, Failure::NotLocked),
        (Op::Read { item: Item(1) }, Failure::NoSuchItem),
        (Op::Lock { item: Item(1) }, Failure::NoSuchItem),
        (Op::PlaceOrder(Order { buyer: 0, want: Want::one(Item(1), 1) }), Failure::NoSuchItem),
        (Op::AwaitAnswer, Failure::Unsupported),
        (Op::Answer { sold: Some(true) }, Failure::Unsupported),
    ] {
        assert_eq!(client.call(op), Err(Failed(why)), "{op:?}");
    }
}

#[test]
fn a_lock_is_held_by_one_until_given_back_and_says_who_waited() {
    let store = open::<Plain>(1);
    let (mut one, mut other) = (store.connect(), store.connect());
    let lock = Op::Lock { item: ITEM };
    assert_eq!(one.call(lock), Ok(Reply::Locked { waited: false }));
    assert_eq!(other.call(lock), Err(Failed(Failure::LockTimeout)));
    assert_eq!(one.call(Op::Unlock { item: ITEM }), Ok(Reply::Done));
    assert_eq!(other.call(lock), Ok(Reply::Locked { waited: false }));
    assert_eq!(other.close_attempt(), 1, "it still held the lock");
    assert_eq!(one.call(lock), Ok(Reply::Locked { waited: false }));
}

#[test]
fn orders_are_in_the_book_when_their_client_has_left() {
    let store = open::<Plain>(1);
    let order = Order { buyer: 4, want: Want::one(ITEM, 2) };
    {
        let mut client = store.connect();
        assert_eq!(client.call(Op::PlaceOrder(order)), Ok(Reply::Done));
    }
    assert_eq!(store.books().unwrap().orders, [order]);
}

#[test]
fn the_worker_serves_in_order_and_answers_each_buyer_alone() {
    let store = open::<Plain>(1);
    let request = |buyer| Request { buyer, want: Want::one(ITEM, 1) };
    let (mut first, mut second, mut worker) = (store.connect(), store.connect(), store.connect());
    assert_eq!(first.call(Op::Submit(request(1))), Ok(Reply::Done));
    assert_eq!(second.call(Op::Submit(request(2))), Ok(Reply::Done));
    for (buyer, sold) in [(1, true), (2, false)] {
        assert_eq!(worker.call(Op::NextRequest), Ok(Reply::Next(Some(request(buyer)))));
        assert_eq!(worker.call(Op::Answer { sold: Some(sold) }), Ok(Reply::Done));
    }
    assert_eq!(second.call(Op::AwaitAnswer), Ok(Reply::Applied(false)));
    assert_eq!(first.call(Op::AwaitAnswer), Ok(Reply::Applied(true)));
    assert_eq!(first.call(Op::Submit(request(1))), Ok(Reply::Done));
    assert_eq!(first.call(Op::AwaitAnswer), Err(Failed(Failure::NoAnswer)), "the worker sleeps");
    store.close();
    assert_eq!(worker.call(Op::NextRequest), Ok(Reply::Next(None)), "the shop has closed");
    assert_eq!(first.call(Op::Submit(request(1))), Err(Failed(Failure::NoAnswer)), "and stays so");
    drop((first, second, worker));
    assert_eq!(store.books().unwrap().deepest_queue, 2);
}

/// Lets four threads hammer one word; each returns how many units it got.
fn hammer<W: Word>(stock: Units, buy: impl Fn(&W) -> bool + Sync) -> (Units, W) {
    let word = W::new(stock);
    let got = thread::scope(|scope| {
        let buyers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..5_000).filter(|_| buy(&word)).count())).collect();
        buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum::<usize>()
    });
    (got as Units, word)
}

#[test]
fn no_word_gives_away_more_than_it_held() {
    let stock = 7_000;
    let (got, word) = hammer::<Plain>(stock, |word| word.take(1));
    assert_eq!((got, word.stock()), (stock, 0));
    let (got, word) = hammer::<Versioned>(stock, |word| word.take(1));
    assert_eq!((got, word.stock()), (stock, 0));
    let swap = |word: &Plain| {
        let seen = word.stock();
        seen > 0 && word.compare_and_set(seen, seen - 1)
    };
    let (got, word) = hammer::<Plain>(stock, swap);
    assert_eq!(word.stock(), stock - got);
    let versioned = |word: &Versioned| {
        let (seen, version) = word.versioned().unwrap();
        seen > 0 && word.set_if_version(version, seen, seen - 1) == Some(true)
    };
    let (got, word) = hammer::<Versioned>(stock, versioned);
    assert_eq!(word.versioned(), Some((stock - got, got as u32)), "a version a sale");
}
