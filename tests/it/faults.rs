//! Transactions, holds, money, queues and what goes wrong around them: the model op by op, every claim
//! under every fault, bugs beside their cures, and random checkouts against brute force.

use oversell_sim::prelude::Strategy as Checkout;
use oversell_sim::prelude::{
    About, Attempt, Bought, Claim, Conflict, Connection, Declined, Expired, Item, Missed, Session,
    SoldOut, Want,
};
use oversell_sim::strategies::{every_strategy, find};
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::explore::{self, Limits, Schedule, any_buyers, search_all};
use oversell_sim::unstable::op::{Op, OpKind, Order, Payment, Reply, Units};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::model::{Faults, HeldResources, Model, Standing};
use oversell_sim::{Error, Evidence, Exploration, FindingKind, Isolation, Retries};
use proptest::prelude::*;

use crate::explore::{assert_brute_force_agrees_within, suited};

const ITEM: Item = Item(0);

/// Steps after which brute force gives up on a random checkout.
const MOST_STEPS: usize = 10_000;

fn settings(buyers: u32, stock: i32) -> Settings {
    Settings { buyers, stock, ..Settings::default() }
}

/// The same with faults, or whatever else, by name.
fn with(mut settings: Settings, named: &[(&str, &str)]) -> Settings {
    for (name, text) in named {
        settings.set(name, text).unwrap();
    }
    settings
}

fn searched(strategy: &dyn DynStrategy, settings: &Settings) -> Exploration {
    search_all(strategy, settings, Limits::default(), || false).unwrap()
}

/// What was found, the gravest first.
fn kinds(found: &Exploration) -> Vec<FindingKind> {
    found.findings.iter().map(|told| told.finding.kind).collect()
}

fn assert_proved(strategy: &dyn DynStrategy, settings: &Settings) {
    let found = searched(strategy, settings);
    assert_eq!(
        found.evidence,
        Evidence::Proved,
        "{} with {settings:?}\n{found}",
        strategy.card().name
    );
}

// The model, op by op.

/// A shop with two connections: of two buyers, or of one buyer and its background task.
struct Shop {
    model: Model,
    grips: [HeldResources; 2],
    standings: [Standing; 2],
    /// Whether both connections are about one buyer.
    one_buyer: bool,
}

const A: usize = 0;
const B: usize = 1;

impl Shop {
    fn at(isolation: Isolation, stock: Units) -> Self {
        let model = Model { isolation, ..Model::open(1, stock) };
        Self { model, grips: Default::default(), standings: Default::default(), one_buyer: false }
    }

    /// Stock is what was never ordered.
    fn counting(self) -> Self {
        Self { model: Model { counts_orders: true, ..self.model }, ..self }
    }

    fn of_one_buyer(self) -> Self {
        Self { one_buyer: true, ..self }
    }

    /// A reply; none if it has to wait.
    fn hear(&mut self, who: usize, op: Op) -> Option<Result<Reply, Missed>> {
        let standing = if self.one_buyer { A } else { who };
        self.model.apply(op, &mut self.grips[who], &mut self.standings[standing])
    }

    fn does(&mut self, who: usize, op: Op) {
        assert_eq!(self.hear(who, op), Some(Ok(Reply::Done)), "{op:?}");
    }

    fn reads(&mut self, who: usize, stock: Units) {
        assert_eq!(self.hear(who, Op::Read { item: ITEM }), Some(Ok(Reply::Stock(stock))));
    }

    fn counts(&mut self, who: usize, left: Units) {
        assert_eq!(self.hear(who, Op::CountLeft { item: ITEM }), Some(Ok(Reply::Stock(left))));
    }

    fn applies(&mut self, who: usize, op: Op, applied: bool) {
        assert_eq!(self.hear(who, op), Some(Ok(Reply::Applied(applied))), "{op:?}");
    }

    fn waits(&mut self, who: usize, op: Op) {
        let before = self.model.clone();
        assert_eq!(self.hear(who, op), None, "{op:?}");
        assert_eq!(self.model, before, "who waits changes nothing");
    }

    fn conflicts(&mut self, who: usize, op: Op) {
        assert_eq!(self.hear(who, op), Some(Err(Missed::Conflict)), "{op:?}");
    }

    fn stock(&self) -> Units {
        self.model.shelves[0].stock
    }

    fn orders(&self, who: usize) -> usize {
        self.standings[who].orders.len()
    }
}

const TAKE: Op = Op::Take { item: ITEM, qty: 1 };
const ADD: Op = Op::Add { item: ITEM, qty: 1 };
const LOCK: Op = Op::Lock { item: ITEM };
const UNLOCK: Op = Op::Unlock { item: ITEM };
const fn write(stock: Units) -> Op {
    Op::Write { item: ITEM, stock }
}
fn order() -> Order {
    Order { buyer: 0, want: Want::one(ITEM, 1) }
}

#[test]
fn no_session_sees_what_is_not_committed_and_every_session_what_is() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 5);
        shop.does(A, Op::Begin);
        shop.does(A, write(3));
        shop.reads(A, 3);
        shop.reads(B, 5);
        assert_eq!(shop.stock(), 5);
        shop.does(A, Op::Commit);
        shop.reads(B, 3);
    }
}

#[test]
fn a_snapshot_stays_as_it_was_and_read_committed_has_none() {
    for (isolation, seen) in [
        (Isolation::ReadCommitted, 4),
        (Isolation::RepeatableRead, 5),
        (Isolation::Serializable, 5),
    ] {
        let mut shop = Shop::at(isolation, 5);
        shop.does(B, Op::Begin);
        shop.does(A, Op::Begin);
        shop.applies(A, TAKE, true);
        shop.reads(B, 5);
        shop.does(A, Op::Commit);
        shop.reads(B, seen);
    }
}

#[test]
fn a_writer_waits_for_the_row_and_then_it_depends_on_the_level() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 5);
        shop.does(A, Op::Begin);
        shop.does(B, Op::Begin);
        shop.applies(A, TAKE, true);
        for op in [TAKE, ADD, LOCK, write(1)] {
            shop.waits(B, op);
        }
        shop.does(A, Op::Commit);
        match isolation {
            Isolation::ReadCommitted => {
                shop.applies(B, TAKE, true);
                shop.does(B, Op::Commit);
                assert_eq!(shop.stock(), 3, "it looks again at what it waited for");
            }
            _ => {
                shop.conflicts(B, TAKE);
                assert!(!shop.grips[B].is_in_transaction());
                assert_eq!(shop.stock(), 4);
            }
        }
        assert!(!shop.model.shelves[0].row_locked);
    }
}

#[test]
fn a_row_that_was_locked_and_not_written_is_no_conflict() {
    let mut shop = Shop::at(Isolation::RepeatableRead, 5);
    shop.does(A, Op::Begin);
    shop.does(B, Op::Begin);
    shop.hear(A, LOCK).unwrap().unwrap();
    shop.waits(B, TAKE);
    shop.does(A, Op::Commit);
    shop.applies(B, TAKE, true);
    shop.does(B, Op::Commit);
    assert_eq!(shop.stock(), 4);
}

#[test]
fn a_rollback_gives_back_rows_and_leaves_nothing() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 5);
        shop.does(A, Op::Begin);
        shop.does(B, Op::Begin);
        shop.applies(A, TAKE, true);
        shop.does(A, Op::PlaceOrder(order()));
        shop.waits(B, TAKE);
        shop.does(A, Op::Rollback);
        assert_eq!((shop.stock(), shop.orders(A)), (5, 0));
        shop.applies(B, TAKE, true);
        shop.does(B, Op::Commit);
        assert_eq!(shop.stock(), 4);
    }
}

#[test]
fn a_buyer_that_takes_too_much_touches_no_row_and_waits_for_no_other() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 0);
        shop.does(A, Op::Begin);
        assert_eq!(shop.hear(A, ADD), Some(Ok(Reply::Stock(1))));
        shop.does(B, Op::Begin);
        // There is one in A's transaction, and none for any other.
        shop.applies(B, TAKE, false);
        shop.does(A, Op::Commit);
        match isolation {
            Isolation::ReadCommitted => shop.applies(B, TAKE, true),
            // As of its snapshot there still is none.
            _ => shop.applies(B, TAKE, false),
        }
        match isolation {
            // "None were left" was read, and is no longer so.
            Isolation::Serializable => shop.conflicts(B, Op::Commit),
            _ => shop.does(B, Op::Commit),
        }
    }
}

#[test]
fn what_was_only_read_must_still_be_so_if_it_is_to_be_serializable() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 5);
        shop.does(A, Op::Begin);
        shop.reads(A, 5);
        shop.does(A, Op::PlaceOrder(order()));
        shop.does(B, Op::Begin);
        shop.applies(B, TAKE, true);
        shop.does(B, Op::Commit);
        match isolation {
            Isolation::Serializable => {
                shop.conflicts(A, Op::Commit);
                assert_eq!(shop.orders(A), 0);
            }
            _ => {
                shop.does(A, Op::Commit);
                assert_eq!(shop.orders(A), 1);
            }
        }
    }
}

#[test]
fn write_skew_is_let_through_but_by_serializable() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 1).counting();
        for who in [A, B] {
            shop.does(who, Op::Begin);
        }
        for who in [A, B] {
            shop.counts(who, 1);
            shop.does(who, Op::PlaceOrder(order()));
            shop.counts(who, 0);
        }
        shop.does(A, Op::Commit);
        match isolation {
            Isolation::Serializable => shop.conflicts(B, Op::Commit),
            _ => shop.does(B, Op::Commit),
        }
        assert_eq!(shop.stock(), if isolation == Isolation::Serializable { 0 } else { -1 });
    }
}

#[test]
fn locking_the_row_does_not_help_who_counts_in_an_old_snapshot() {
    let mut shop = Shop::at(Isolation::RepeatableRead, 1).counting();
    for who in [A, B] {
        shop.does(who, Op::Begin);
    }
    shop.hear(A, LOCK).unwrap().unwrap();
    shop.does(A, Op::PlaceOrder(order()));
    shop.does(A, Op::Commit);
    // An order is no write of the product's row.
    assert_eq!(shop.hear(B, LOCK), Some(Ok(Reply::Locked { waited: false })));
    shop.counts(B, 1);
}

#[test]
fn an_order_is_in_the_book_after_the_commit_and_its_own_transaction_sees_it_before() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 5).of_one_buyer();
        shop.does(A, Op::Begin);
        shop.does(A, Op::PlaceOrder(order()));
        shop.applies(A, Op::FindOrder, true);
        shop.applies(A, Op::PlaceOrderOnce(order()), false);
        shop.applies(B, Op::FindOrder, false);
        assert_eq!((shop.orders(A), shop.model.shelves[0].ordered), (0, 0));
        shop.does(A, Op::Commit);
        shop.applies(B, Op::FindOrder, true);
        assert_eq!((shop.orders(A), shop.model.shelves[0].ordered), (1, 1));
    }
}

#[test]
fn an_order_that_is_unique_is_waited_for() {
    for isolation in Isolation::ALL {
        for commits in [true, false] {
            let mut shop = Shop::at(isolation, 5).of_one_buyer();
            shop.does(A, Op::Begin);
            shop.does(B, Op::Begin);
            shop.applies(A, Op::PlaceOrderOnce(order()), true);
            shop.waits(B, Op::PlaceOrderOnce(order()));
            shop.does(A, if commits { Op::Commit } else { Op::Rollback });
            match (commits, isolation) {
                (true, Isolation::ReadCommitted) => {
                    shop.applies(B, Op::PlaceOrderOnce(order()), false);
                    shop.does(B, Op::Commit);
                }
                // There is one that its snapshot does not know.
                (true, _) => shop.conflicts(B, Op::PlaceOrderOnce(order())),
                (false, _) => {
                    shop.applies(B, Op::PlaceOrderOnce(order()), true);
                    shop.does(B, Op::Commit);
                }
            }
            assert_eq!(shop.orders(A), 1);
            assert!(!shop.standings[A].claimed);
        }
    }
    // Outside a transaction, too.
    let mut shop = Shop::at(Isolation::ReadCommitted, 5).of_one_buyer();
    shop.does(A, Op::Begin);
    shop.applies(A, Op::PlaceOrderOnce(order()), true);
    shop.waits(B, Op::PlaceOrderOnce(order()));
    shop.does(A, Op::Commit);
    shop.applies(B, Op::PlaceOrderOnce(order()), false);
}

#[test]
fn an_order_is_struck_out_once_and_counts_until_the_commit() {
    for isolation in Isolation::ALL {
        let mut shop = Shop::at(isolation, 1).counting().of_one_buyer();
        shop.does(A, Op::PlaceOrder(order()));
        shop.does(A, Op::Begin);
        shop.does(B, Op::Begin);
        shop.counts(A, 0);
        shop.applies(A, Op::CancelOrder, true);
        shop.applies(A, Op::CancelOrder, false);
        shop.applies(A, Op::FindOrder, false);
        shop.counts(A, 1);
        shop.counts(B, 0);
        assert_eq!(shop.orders(A), 1);
        shop.waits(B, Op::CancelOrder);
        shop.does(A, Op::Commit);
        assert_eq!((shop.orders(A), shop.stock()), (0, 1));
        match isolation {
            Isolation::ReadCommitted => shop.applies(B, Op::CancelOrder, false),
            _ => shop.conflicts(B, Op::CancelOrder),
        }
    }
    // What it wrote itself is struck out as well, and another order takes its place.
    let mut shop = Shop::at(Isolation::ReadCommitted, 1);
    shop.does(A, Op::Begin);
    shop.does(A, Op::PlaceOrder(order()));
    shop.applies(A, Op::CancelOrder, true);
    shop.applies(A, Op::PlaceOrderOnce(order()), true);
    shop.does(A, Op::Commit);
    assert_eq!(shop.orders(A), 1);
}

#[test]
fn an_order_that_is_struck_out_and_rolled_back_still_stands() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 1);
    shop.does(A, Op::PlaceOrder(order()));
    shop.does(A, Op::Begin);
    shop.applies(A, Op::CancelOrder, true);
    shop.does(A, Op::Rollback);
    shop.applies(A, Op::FindOrder, true);
    assert!(!shop.standings[A].has_cancelled);
}

#[test]
fn a_statement_outside_any_transaction_waits_for_the_row_if_it_would_write_it() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 2);
    shop.does(A, Op::Begin);
    shop.applies(A, TAKE, true);
    let swap = |expected| Op::CompareAndSet { item: ITEM, expected, new: 0 };
    for op in [TAKE, ADD, write(7), swap(2), Op::Hold { item: ITEM, qty: 1 }] {
        shop.waits(B, op);
    }
    shop.applies(B, swap(1), false);
    shop.applies(B, Op::Take { item: ITEM, qty: 3 }, false);
    shop.reads(B, 2);
    shop.does(A, Op::Commit);
    shop.applies(B, TAKE, true);
    assert_eq!(shop.stock(), 0);
}

#[test]
fn a_snapshot_knows_of_what_was_written_outside_any_transaction() {
    let mut shop = Shop::at(Isolation::RepeatableRead, 2);
    shop.does(A, Op::Begin);
    shop.applies(B, TAKE, true);
    shop.reads(A, 2);
    shop.conflicts(A, TAKE);
    assert_eq!(shop.stock(), 1);
}

#[test]
fn a_timer_does_not_run_out_into_a_row_that_is_locked() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 2);
    shop.applies(A, Op::Hold { item: ITEM, qty: 1 }, true);
    shop.does(B, Op::Begin);
    shop.applies(B, TAKE, true);
    assert!(!shop.model.can_expire(&shop.standings[A]));
    shop.waits(A, Op::Release { item: ITEM });
    shop.does(B, Op::Commit);
    assert!(shop.model.can_expire(&shop.standings[A]));
    shop.applies(A, Op::Release { item: ITEM }, true);
    assert_eq!(shop.stock(), 1);
}

#[test]
fn a_lock_and_a_row_are_two_things_and_a_transaction_ends_without_the_lock() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 2);
    shop.hear(A, LOCK).unwrap().unwrap();
    shop.does(A, Op::Begin);
    shop.applies(A, TAKE, true);
    shop.does(A, Op::Commit);
    shop.waits(B, LOCK);
    shop.does(A, UNLOCK);
    shop.hear(B, LOCK).unwrap().unwrap();
}

#[test]
fn what_a_conflict_has_thrown_away_can_be_rolled_back_and_begun_again() {
    let mut shop = Shop::at(Isolation::RepeatableRead, 2);
    shop.does(A, Op::Begin);
    shop.applies(B, TAKE, true);
    shop.conflicts(A, TAKE);
    shop.does(A, Op::Rollback);
    shop.does(A, Op::Begin);
    shop.applies(A, TAKE, true);
    shop.does(A, Op::Commit);
    assert_eq!(shop.stock(), 0);
}

#[test]
fn what_is_in_the_cache_is_in_no_transaction() {
    let mut shop = Shop::at(Isolation::Serializable, 1);
    shop.does(A, Op::Begin);
    shop.applies(A, Op::TakeCached { item: ITEM, qty: 1 }, true);
    shop.applies(B, Op::TakeCached { item: ITEM, qty: 1 }, false);
    assert_eq!(shop.hear(A, Op::Lease { item: ITEM }), Some(Ok(Reply::Token(1))));
    shop.waits(B, Op::Lease { item: ITEM });
    shop.does(A, Op::Rollback);
    shop.applies(B, Op::TakeCached { item: ITEM, qty: 1 }, false);
    shop.applies(A, Op::Unlease { item: ITEM }, true);
}

// Checkouts that are right, and were found wrong; or wrong, and were not.

/// Declares a checkout: what it needs, and its code.
macro_rules! checkout {
    ($(#[$doc:meta])* $name:ident needs [$($need:ident),*];
     $($method:ident($shop:ident, $want:ident) -> $end:ty $body:block)+) => {
        $(#[$doc])*
        struct $name;

        impl Checkout for $name {
            fn about(&self) -> About {
                About::of_type::<Self>().needing(&[$(OpKind::$need),*])
            }

            $(async fn $method<C: Connection>(
                &self,
                $shop: &mut Session<C>,
                $want: Want,
            ) -> $end $body)+
        }
    };
}

checkout! {
    /// Leaves when the payment is declined, and lets the closed connection roll back.
    LeavesTheRollbackToTheServer needs [Transaction, Take, Pay];
    attempt(shop, want) -> Attempt {
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        if shop.charge_once().await? == Payment::Declined {
            return Err(Declined);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        Ok(Bought)
    }
}

#[test]
fn a_declined_payment_that_ends_an_attempt_closes_its_connection() {
    let found =
        searched(&LeavesTheRollbackToTheServer, &with(settings(2, 1), &[("declines", "1")]));
    assert_eq!(kinds(&found), [FindingKind::LeakedLock], "and no buyer waits for it: {found}");
}

checkout! {
    /// Its order is written by the webhook alone, and by every webhook.
    OrdersByWebhook needs [Take, Add, Pay, FindOrder, Webhook];
    attempt(shop, want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        while shop.charge_once().await? == Payment::Unknown {}
        Ok(Bought)
    }
    notified(shop, want) -> Result<(), Missed> {
        shop.place_order(want).await
    }
}

#[test]
fn asking_again_with_the_same_key_moves_no_money_and_sends_no_webhook() {
    assert_proved(&OrdersByWebhook, &with(settings(2, 1), &[("lost-answers", "2")]));
    let again = searched(&OrdersByWebhook, &with(settings(2, 1), &[("redeliveries", "1")]));
    assert_eq!(kinds(&again), [FindingKind::OrderWithoutReceipt]);
}

checkout! {
    /// Looks twice, and loses every time.
    LosesEveryTime needs [Read];
    attempt(shop, want) -> Attempt {
        shop.read(want.item).await?;
        shop.read(want.item).await?;
        Err(Conflict)
    }
}

#[test]
fn a_livelock_is_none_the_less_one_because_a_crash_would_end_it() {
    for crashes in ["0", "1", "2"] {
        let found = searched(&LosesEveryTime, &with(settings(2, 1), &[("crashes", crashes)]));
        assert!(found.amount_of(FindingKind::Livelock) > 0, "{crashes} crashes: {found}");
    }
}

checkout! {
    /// A transaction inside a lock.
    LocksAroundATransaction needs [Lock, Transaction, Read, Write];
    attempt(shop, want) -> Attempt {
        shop.lock(want.item).await?;
        shop.begin().await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.rollback().await?;
            shop.unlock(want.item).await?;
            return Err(SoldOut);
        }
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.commit().await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}

#[test]
fn a_transaction_inside_a_lock_is_safe_at_every_level() {
    for isolation in Isolation::ALL {
        let shop = Settings { isolation, ..settings(3, 2) };
        assert_proved(&LocksAroundATransaction, &shop);
    }
}

checkout! {
    /// Takes in a transaction, and gives back outside of one.
    GivesBackOutside needs [Transaction, Take, Add, Pay, FindOrder];
    attempt(shop, want) -> Attempt {
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        if shop.charge_once().await? == Payment::Declined {
            shop.cancel_order().await?;
            shop.add(want.item, want.qty).await?;
            return Err(Declined);
        }
        Ok(Bought)
    }
}

#[test]
fn who_gives_back_outside_a_transaction_is_not_overwritten_by_one() {
    for isolation in Isolation::ALL {
        for (buyers, stock) in [(2, 1), (2, 2), (3, 2)] {
            let shop =
                with(Settings { isolation, ..settings(buyers, stock) }, &[("declines", "2")]);
            assert_proved(&GivesBackOutside, &shop);
        }
    }
}

checkout! {
    /// The buyer's return and the provider's webhook each finish in a transaction.
    FinishesInTransactions needs [Transaction, Take, Pay, FindOrder, Webhook];
    attempt(shop, want) -> Attempt {
        while shop.charge_once().await? == Payment::Unknown {}
        match finish(shop, want).await? {
            true => Ok(Bought),
            false => {
                shop.refund().await?;
                Err(SoldOut)
            }
        }
    }
    notified(shop, want) -> Result<(), Missed> {
        finish(shop, want).await.map(drop)
    }
}

async fn finish<C: Connection>(shop: &mut Session<C>, want: Want) -> Result<bool, Missed> {
    shop.begin().await?;
    if !shop.place_order_once(want).await? {
        shop.rollback().await?;
        return Ok(true);
    }
    if !shop.take(want.item, want.qty).await? {
        shop.rollback().await?;
        return Ok(false);
    }
    shop.commit().await?;
    Ok(true)
}

#[test]
fn two_transactions_that_finish_one_order_write_one() {
    for isolation in Isolation::ALL {
        for faults in [&[][..], &[("redeliveries", "1")], &[("lost-answers", "1")]] {
            // With a unit for every buyer, so that no webhook comes after a refund.
            assert_proved(
                &FinishesInTransactions,
                &with(Settings { isolation, ..settings(2, 2) }, faults),
            );
        }
    }
}

checkout! {
    /// Reserves a unit, calls it sold and lets the timer have it.
    SellsWhatItHolds needs [Hold];
    attempt(shop, want) -> Attempt {
        if !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

#[test]
fn any_number_of_buyers_come_to_the_same_shop() {
    let any = |strategy: &dyn DynStrategy, isolation| {
        let shop = Settings { isolation, ..settings(2, 1) };
        any_buyers(strategy, &shop, 0, Limits::default(), || false).unwrap()
    };
    let transaction = find("transaction").unwrap();
    assert!(any(transaction, Isolation::ReadCommitted).oversold);
    assert!(!any(transaction, Isolation::Serializable).oversold, "at the level that was asked for");
    let counting = find("count-then-insert").unwrap();
    assert!(any(counting, Isolation::RepeatableRead).oversold);
    assert!(!any(counting, Isolation::Serializable).oversold);
    let held = any(&SellsWhatItHolds, Isolation::ReadCommitted);
    assert!(held.oversold, "timers run out when no buyer is left: {held:?}");
}

/// Says nothing about itself, and takes money twice.
struct ChargesTwiceWithoutACard;

impl Checkout for ChargesTwiceWithoutACard {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.charge().await?;
        shop.charge().await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}

/// Says nothing about itself, and looks for orders.
struct LooksForOrdersWithoutACard;

impl Checkout for LooksForOrdersWithoutACard {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.find_order().await? && !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order_once(want).await?;
        Ok(Bought)
    }
}

#[test]
fn a_checkout_without_a_card_is_audited_by_what_it_does() {
    let found = oversell_sim::explore(ChargesTwiceWithoutACard).run().unwrap();
    assert_eq!(kinds(&found), [FindingKind::DoubleCharge], "{found}");
    let refused = oversell_sim::explore(LooksForOrdersWithoutACard).run().unwrap_err();
    assert!(
        matches!(&refused, Error::Input(why) if why.contains("OpKind::FindOrder")),
        "{refused}"
    );
    let replayed = oversell_sim::explore(LooksForOrdersWithoutACard).replay("AA").unwrap_err();
    assert!(replayed.to_string().contains("OpKind::FindOrder"), "{replayed}");
}

checkout! {
    /// The recovery after a crash believes that every payment goes through.
    RecoversBlindly needs [Transaction, Take, Add, Pay, FindOrder, Recover];
    attempt(shop, want) -> Attempt {
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        if shop.charge_once().await? != Payment::Declined {
            return Ok(Bought);
        }
        shop.begin().await?;
        shop.cancel_order().await?;
        shop.add(want.item, want.qty).await?;
        shop.commit().await?;
        Err(Declined)
    }
    recover(shop, want) -> Result<(), Missed> {
        if shop.find_order().await? && !shop.find_charge().await? {
            shop.charge().await?;
        }
        let _ = want;
        Ok(())
    }
}

#[test]
fn a_payment_in_a_background_task_can_be_declined_too() {
    let shop = with(settings(1, 1), &[("crashes", "1"), ("declines", "1")]);
    let found = searched(&RecoversBlindly, &shop);
    // It dies after the commit; the server that comes after it finds the order, and no money.
    let told =
        found.findings.iter().find(|told| told.finding.kind == FindingKind::UnitWithoutCharge);
    assert!(told.is_some(), "{found}");
    let schedule: Schedule = told.unwrap().schedule.parse().unwrap();
    let again = explore::replay(&RecoversBlindly, &shop, &schedule).unwrap();
    assert!(again.amount_of(FindingKind::UnitWithoutCharge) > 0, "{again}");
}

checkout! {
    /// Pays, is sent away for nothing, and the webhook of its payment comes later.
    SendsAwayWhoHasPaid needs [Pay, Read, Webhook];
    attempt(shop, want) -> Attempt {
        shop.read(want.item).await?;
        shop.charge_once().await?;
        Err(SoldOut)
    }
}

#[test]
fn the_schedule_to_a_false_sold_out_goes_on_to_the_end() {
    for (buyers, stock) in [(1, 1), (2, 1), (2, 3)] {
        let shop = settings(buyers, stock);
        let found = searched(&SendsAwayWhoHasPaid, &shop);
        assert!(kinds(&found).contains(&FindingKind::FalseSoldOut), "{found}");
        for told in &found.findings {
            let again =
                explore::replay(&SendsAwayWhoHasPaid, &shop, &told.schedule.parse().unwrap());
            assert_eq!(again.unwrap().amount_of(told.finding.kind), told.finding.amount, "{found}");
        }
    }
}

checkout! {
    /// The worker takes the money, and the provider's webhook writes the order.
    WorkerTakesMoney needs [Queue, Take, Pay, FindOrder, Webhook];
    attempt(shop, want) -> Attempt {
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }
    serve(shop, want) -> Result<bool, Missed> {
        if !shop.take(want.item, want.qty).await? {
            return Ok(false);
        }
        while shop.charge_once().await? == Payment::Unknown {}
        Ok(true)
    }
    notified(shop, want) -> Result<(), Missed> {
        shop.place_order_once(want).await.map(drop)
    }
}

#[test]
fn what_the_provider_tells_of_a_workers_charge_is_not_lost_with_the_worker() {
    assert_proved(&WorkerTakesMoney, &settings(2, 1));
    assert_proved(&WorkerTakesMoney, &with(settings(2, 1), &[("lost-answers", "1")]));
    let unpaid = searched(&WorkerTakesMoney, &with(settings(2, 1), &[("declines", "1")]));
    assert!(!unpaid.findings.is_empty(), "it does not look whether the money came");
}

// Claims.

/// What each strategy that speaks of faults shows under each of them alone: nothing, where it is not listed,
/// which is then proved. Found with two buyers and one unit, and with three and two.
const SHOWN: &[(&str, &str, &[FindingKind])] = {
    use FindingKind::{
        ChargedWithoutUnit, DoubleCharge, FalseSoldOut, LeakedHold, LeakedStock, LostOrder,
        LostUpdate, NegativeStock, OrderWithoutReceipt, Oversold, Undersold, UnitWithoutCharge,
    };
    &[
        ("copy-trusted", "crashes", &[LeakedStock]),
        ("copy-trusted", "stale-reads", &[Oversold, NegativeStock]),
        ("lease", "crashes", &[LeakedStock]),
        ("lease", "stale-reads", &[Oversold, LostUpdate]),
        ("lease", "expiries", &[Oversold, LostUpdate]),
        // The unit is gone and the order was never written: a lease is no transaction.
        ("fenced-lease", "crashes", &[LeakedStock]),
        ("hold-kept", "crashes", &[ChargedWithoutUnit, LeakedStock]),
        ("hold-kept", "declines", &[LeakedHold]),
        ("confirm-unheeded", "crashes", &[ChargedWithoutUnit, LeakedStock]),
        ("confirm-unheeded", "expiries", &[Oversold, LostUpdate]),
        ("confirm-unheeded", "declines", &[UnitWithoutCharge]),
        ("refund-forgotten", "crashes", &[ChargedWithoutUnit, LeakedStock]),
        ("refund-forgotten", "expiries", &[ChargedWithoutUnit]),
        ("refund-forgotten", "declines", &[UnitWithoutCharge]),
        ("charge-first", "crashes", &[ChargedWithoutUnit, LeakedStock]),
        // Who takes and gives back gets others rejected meanwhile.
        ("charge-first", "declines", &[FalseSoldOut, Undersold]),
        ("order-first", "crashes", &[UnitWithoutCharge, LeakedStock]),
        ("order-first", "declines", &[UnitWithoutCharge]),
        ("charge-again", "crashes", &[ChargedWithoutUnit, LeakedStock]),
        ("charge-again", "declines", &[FalseSoldOut, Undersold]),
        ("charge-again", "lost-answers", &[DoubleCharge]),
        ("capture-forgotten", "crashes", &[UnitWithoutCharge]),
        ("fence-writes-only", "crashes", &[LeakedStock]),
        ("fence-writes-only", "expiries", &[Oversold, LostUpdate]),
        ("fence-writes-only", "stale-reads", &[Oversold, LostUpdate]),
        ("worker-twice", "crashes", &[LeakedStock, OrderWithoutReceipt, Undersold]),
        ("cache-drift", "crashes", &[Undersold]),
        ("commit-unsynced", "power-cuts", &[Oversold, LostUpdate, LostOrder]),
    ]
};

/// Those that claim something about faults, with their claims.
fn about_faults() -> impl Iterator<Item = (&'static dyn DynStrategy, Claim)> {
    let names_a_fault =
        |claim: Claim| claim.when().iter().any(|(name, _)| Faults::NAMES.contains(name));
    let all = every_strategy().map(|strategy| (strategy, strategy.card().claim));
    all.filter(move |(_, claim)| names_a_fault(*claim))
}

#[test]
fn every_fault_alone_shows_what_the_table_says_and_nothing_else() {
    for (strategy, _) in about_faults() {
        let name = strategy.card().name;
        for fault in Faults::NAMES {
            let listed = SHOWN.iter().find(|(of, by, _)| (*of, *by) == (name, fault));
            let shown = listed.map_or(&[][..], |(.., shown)| shown);
            for (buyers, stock) in [(2, 1), (3, 2)] {
                let found = searched(strategy, &with(settings(buyers, stock), &[(fault, "1")]));
                assert_eq!(kinds(&found), shown, "{name} with {fault}\n{found}");
                assert!(found.covered.as_ref().unwrap().complete, "{name} with {fault}\n{found}");
            }
        }
    }
}

#[test]
fn what_is_safe_under_faults_is_proved_under_each_that_it_names_and_all_together() {
    for (strategy, claim) in about_faults() {
        let Claim::SafeWhen(when) = claim else { continue };
        for (buyers, stock) in [(1, 1), (2, 1), (3, 1)] {
            for fault in when {
                assert_proved(strategy, &with(settings(buyers, stock), &[*fault]));
            }
            assert_proved(strategy, &with(settings(buyers, stock), when));
        }
        assert_proved(strategy, &with(settings(2, 2), when));
    }
}

#[test]
fn what_only_a_fault_shows_is_not_there_without_it() {
    for (strategy, claim) in about_faults() {
        let Claim::ShowsWhen(kind, when) = claim else { continue };
        for (buyers, stock) in [(2, 1), (3, 1), (3, 2)] {
            assert_proved(strategy, &settings(buyers, stock));
            let found = searched(strategy, &with(settings(buyers, stock), when));
            assert!(found.amount_of(kind) > 0, "{}\n{found}", strategy.card().name);
        }
    }
}

#[test]
fn the_command_that_is_printed_with_a_fault_shows_the_same_finding() {
    for (strategy, claim) in about_faults() {
        let Claim::ShowsWhen(kind, _) = claim else { continue };
        let found = searched(strategy, &suited(strategy, settings(2, 1)));
        let told = found.findings.iter().find(|told| told.finding.kind == kind).unwrap();
        let words = shlex::split(&told.again).unwrap();
        let (program, arguments): (Vec<String>, Vec<String>) =
            words.into_iter().partition(|word| word == "oversell-sim");
        assert_eq!(program.len(), 1, "{}", told.again);
        let expected = format!("{}={}", kind.name(), told.finding.amount);
        assert_cmd::Command::cargo_bin("oversell-sim")
            .unwrap()
            .args(arguments)
            .args(["--expect", &expected])
            .assert()
            .success();
    }
}

#[test]
fn a_transaction_is_worth_what_its_level_is() {
    use Isolation::{ReadCommitted, RepeatableRead, Serializable};
    for (name, broken, safe) in [
        ("transaction", &[ReadCommitted][..], &[RepeatableRead, Serializable][..]),
        ("count-then-insert", &[ReadCommitted, RepeatableRead], &[Serializable]),
    ] {
        let strategy = find(name).unwrap();
        for (buyers, stock) in [(2, 1), (3, 1), (3, 2), (4, 1)] {
            for isolation in safe {
                let isolation = *isolation;
                assert_proved(strategy, &Settings { isolation, ..settings(buyers, stock) });
            }
            for isolation in broken {
                let isolation = *isolation;
                let found = searched(strategy, &Settings { isolation, ..settings(buyers, stock) });
                assert!(
                    found.amount_of(FindingKind::Oversold) > 0,
                    "{name} at {isolation}\n{found}"
                );
            }
        }
    }
}

#[test]
fn of_twins_one_is_broken_and_one_is_proved_under_the_same_faults() {
    for (bug, cure, faults, kind) in [
        ("confirm-unheeded", "hold", &[("expiries", "1")][..], FindingKind::Oversold),
        ("refund-forgotten", "hold", &[("expiries", "1")], FindingKind::ChargedWithoutUnit),
        ("hold-kept", "hold", &[("declines", "1")], FindingKind::LeakedHold),
        ("lease", "fenced-lease", &[("expiries", "1")], FindingKind::Oversold),
        ("fence-writes-only", "fenced-lease", &[("expiries", "1")], FindingKind::Oversold),
        ("finished-twice", "webhook", &[], FindingKind::OrderWithoutReceipt),
        ("finished-twice", "webhook", &[("redeliveries", "1")], FindingKind::OrderWithoutReceipt),
        ("charge-first", "outbox", &[("crashes", "1")], FindingKind::ChargedWithoutUnit),
        ("order-first", "outbox", &[("crashes", "1")], FindingKind::UnitWithoutCharge),
        ("charge-again", "outbox", &[("lost-answers", "1")], FindingKind::DoubleCharge),
        ("capture-forgotten", "authorize", &[("crashes", "1")], FindingKind::UnitWithoutCharge),
        ("worker-twice", "pipeline", &[("crashes", "1")], FindingKind::LeakedStock),
        ("cache-drift", "pipeline", &[("crashes", "1")], FindingKind::Undersold),
        ("copy-trusted", "cas", &[("stale-reads", "1")], FindingKind::Oversold),
        ("copy-trusted", "cas", &[("stale-reads", "3")], FindingKind::Oversold),
        ("copy-trusted", "conditional", &[("stale-reads", "1")], FindingKind::Oversold),
        (
            "commit-unsynced",
            "transaction",
            &[("power-cuts", "1"), ("isolation", "repeatable-read")],
            FindingKind::Oversold,
        ),
        ("own-shard-only", "sharded", &[("qty", "2"), ("stock", "3")], FindingKind::FalseSoldOut),
    ] {
        for (buyers, stock) in [(2, 1), (3, 2)] {
            let shop = with(settings(buyers, stock), faults);
            let found = searched(find(bug).unwrap(), &shop);
            assert!(found.amount_of(kind) > 0, "{bug}\n{found}");
            assert_proved(find(cure).unwrap(), &shop);
        }
    }
}

/// How many schedules there are.
fn schedules(strategy: &dyn DynStrategy, settings: &Settings) -> u64 {
    let covered = searched(strategy, settings).covered.unwrap();
    assert!(covered.complete);
    covered.interleavings.unwrap().exact().unwrap()
}

#[test]
fn schedules_with_faults_are_counted_exactly() {
    let conditional = find("conditional").unwrap();
    let count = |buyers, crashes| {
        let shop = with(settings(buyers, buyers as i32), &[("crashes", crashes)]);
        schedules(conditional, &shop)
    };
    // Where a server can die, taking and ordering are two steps: (2n)! / 2ⁿ. A buyer that crashes does so
    // instead of ordering, so that each schedule has a twin for each choice of up to c who do.
    assert_eq!(count(2, "1"), 6 * (1 + 2));
    assert_eq!(count(2, "2"), 6 * (1 + 2 + 1));
    assert_eq!(count(3, "1"), 90 * (1 + 3));
    assert_eq!(count(3, "2"), 90 * (1 + 3 + 3));
    let alone = |faults| schedules(find("hold").unwrap(), &with(settings(1, 1), faults));
    assert_eq!(alone(&[]), 1);
    // Paid, or paid and asked again; the key has the answer then, and it cannot be lost once more.
    assert_eq!(alone(&[("lost-answers", "1")]), 2);
    assert_eq!(alone(&[("lost-answers", "5")]), 2);
    // The hold runs out before it pays, after it has paid, or not at all.
    assert_eq!(alone(&[("expiries", "1")]), 3);
    assert_eq!(alone(&[("declines", "1")]), 2);
    // Declined, and before it is released, too late; or it is paid for as above.
    assert_eq!(alone(&[("declines", "1"), ("expiries", "1")]), 3 + 3);
    let commits = |cuts| {
        let shop = with(settings(1, 1), &[("power-cuts", cuts)]);
        schedules(find("commit-unsynced").unwrap(), &shop)
    };
    // No cut, or one after the last of its four steps; or after one of the others, and then it learns of that
    // and begins again, with one cut less to come, or is cut once more as it learns.
    assert_eq!(commits("0"), 1);
    assert_eq!(commits("1"), 2 + 3);
    assert_eq!(commits("2"), 2 + 3 * (5 + 1));
}

#[test]
fn a_copy_shows_what_was_there_before_the_last_write_as_often_as_it_may() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 3);
    shop.model.faults.stale_reads = 1;
    assert_eq!(shop.model.read_behind(ITEM), None, "nothing was written yet");
    shop.applies(A, TAKE, true);
    shop.applies(A, TAKE, true);
    shop.reads(B, 1);
    assert_eq!(shop.model.read_behind(ITEM), Some(2));
    shop.does(A, write(2));
    assert_eq!(shop.model.read_behind(ITEM), Some(1));
    shop.model.faults.stale_reads = 0;
    shop.does(A, write(9));
    assert_eq!(shop.model.read_behind(ITEM), Some(1), "what comes later is forgotten");
}

#[test]
fn money_that_is_set_aside_moves_once_or_not_at_all() {
    use oversell_sim::unstable::op::Payment::{self, Approved, Declined, Unknown};
    let mut buyer = Standing::default();
    let says = |buyer: &mut Standing, op: Op, outcome: Payment| buyer.pay(op, outcome).unwrap();
    assert_eq!(says(&mut buyer, Op::Capture, Approved), Declined, "nothing is set aside");
    assert_eq!(says(&mut buyer, Op::Authorize, Unknown), Unknown);
    assert_eq!(says(&mut buyer, Op::Authorize, Declined), Approved, "the key knows the answer");
    assert_eq!(buyer.net_charges(), 0);
    assert_eq!(says(&mut buyer, Op::Capture, Unknown), Unknown);
    assert_eq!(says(&mut buyer, Op::Capture, Approved), Approved);
    assert_eq!(buyer.net_charges(), 1);
    assert!(!buyer.void(), "it has moved");
    let mut other = Standing::default();
    assert_eq!(says(&mut other, Op::Authorize, Approved), Approved);
    assert!(other.void() && !other.void());
    assert_eq!(says(&mut other, Op::Capture, Approved), Declined);
    assert_eq!(other.net_charges(), 0);
}

#[test]
fn a_power_cut_loses_what_is_not_on_disk_and_nothing_else() {
    let sells = |shop: &mut Shop, who: usize, commit: Op| {
        shop.does(who, Op::Begin);
        shop.applies(who, TAKE, true);
        shop.does(who, Op::PlaceOrder(order()));
        shop.does(who, commit);
    };
    let left = |shop: &mut Shop| {
        shop.model.lose_power();
        for standing in &mut shop.standings {
            shop.model.settle(standing);
        }
        (shop.stock(), shop.orders(A), shop.orders(B))
    };
    let open = || Shop::at(Isolation::ReadCommitted, 3);
    let mut shop = open();
    sells(&mut shop, A, Op::Commit);
    sells(&mut shop, B, Op::CommitUnsynced);
    assert_eq!((shop.stock(), shop.orders(A), shop.orders(B)), (1, 1, 1));
    assert_eq!(left(&mut shop), (2, 1, 0), "the order of B was only in memory");
    assert_eq!(left(&mut shop), (2, 1, 0), "a second cut finds nothing more to lose");
    // The disk is written in order.
    let mut shop = open();
    sells(&mut shop, A, Op::CommitUnsynced);
    sells(&mut shop, B, Op::Commit);
    assert_eq!(left(&mut shop), (1, 1, 1));
    // What a later statement waits for the disk with, too.
    let mut shop = open();
    sells(&mut shop, A, Op::CommitUnsynced);
    shop.applies(B, TAKE, true);
    assert_eq!(left(&mut shop), (1, 1, 0));
    // Who only looks, or has not committed, waits for no disk.
    let mut shop = open();
    sells(&mut shop, A, Op::CommitUnsynced);
    shop.reads(B, 2);
    shop.does(B, Op::Begin);
    shop.applies(B, TAKE, true);
    assert_eq!(left(&mut shop), (3, 0, 0));
    shop.does(B, Op::Rollback);
    assert_eq!(shop.stock(), 3);
}

#[test]
fn a_transaction_does_not_outlive_a_power_cut_and_its_row_is_free() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 3);
    shop.does(A, Op::Begin);
    shop.applies(A, TAKE, true);
    shop.does(B, Op::Begin);
    shop.waits(B, TAKE);
    shop.model.lose_power();
    shop.conflicts(B, TAKE);
    shop.does(B, Op::Begin);
    shop.applies(B, TAKE, true);
    // It learns of it when it comes back, and does not take the row from the buyer that has it by now.
    shop.conflicts(A, Op::Commit);
    shop.does(A, Op::Begin);
    shop.waits(A, TAKE);
    shop.does(B, Op::Commit);
    assert_eq!(shop.stock(), 2);
}

#[test]
fn what_is_cached_or_leased_is_not_the_databases_to_lose() {
    let mut shop = Shop::at(Isolation::ReadCommitted, 1);
    shop.applies(A, Op::TakeCached { item: ITEM, qty: 1 }, true);
    assert!(shop.hear(A, Op::Lease { item: ITEM }).is_some());
    shop.does(B, Op::Begin);
    shop.applies(B, TAKE, true);
    shop.does(B, Op::CommitUnsynced);
    shop.model.lose_power();
    assert_eq!(shop.stock(), 1);
    shop.applies(B, Op::TakeCached { item: ITEM, qty: 1 }, false);
    shop.waits(B, Op::Lease { item: ITEM });
}

// Random checkouts.

/// A random little checkout.
#[derive(Clone, Debug)]
struct Program {
    attempt: Vec<Line>,
    serve: Vec<Line>,
    notified: Vec<Line>,
    recover: Vec<Line>,
    /// What its card says, beside the ops that say themselves: who looks at orders, is told, recovers.
    looks: bool,
    queues: bool,
}

/// One line of it. What was last read is remembered within the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Read,
    WriteOneLess,
    GiveUpIfTooFew,
    Take,
    TakeOrLeave,
    Add,
    Lock,
    Unlock,
    Hold,
    HoldOrLeave,
    Confirm,
    ConfirmOrLeave,
    Release,
    Charge,
    ChargeOnce,
    ChargeOrLeave,
    Authorize,
    Capture,
    Void,
    Refund,
    Lease,
    Unlease,
    TakeCached,
    AddCached,
    Begin,
    Commit,
    CommitUnsynced,
    Rollback,
    Order,
    OrderOnce,
    FindOrderAndLeave,
    CancelOrder,
    CountLeft,
    Queue,
    Again,
}

const LINES: [Line; 35] = [
    Line::Read,
    Line::WriteOneLess,
    Line::GiveUpIfTooFew,
    Line::Take,
    Line::TakeOrLeave,
    Line::Add,
    Line::Lock,
    Line::Unlock,
    Line::Hold,
    Line::HoldOrLeave,
    Line::Confirm,
    Line::ConfirmOrLeave,
    Line::Release,
    Line::Charge,
    Line::ChargeOnce,
    Line::ChargeOrLeave,
    Line::Authorize,
    Line::Capture,
    Line::Void,
    Line::Refund,
    Line::Lease,
    Line::Unlease,
    Line::TakeCached,
    Line::AddCached,
    Line::Begin,
    Line::Commit,
    Line::CommitUnsynced,
    Line::Rollback,
    Line::Order,
    Line::OrderOnce,
    Line::FindOrderAndLeave,
    Line::CancelOrder,
    Line::CountLeft,
    Line::Queue,
    Line::Again,
];

impl Line {
    /// Whether it can tell that an order was written.
    fn looks(self) -> bool {
        matches!(
            self,
            Self::OrderOnce | Self::FindOrderAndLeave | Self::CancelOrder | Self::CountLeft
        )
    }
}

impl Program {
    async fn run<C: Connection>(
        &self,
        lines: &[Line],
        shop: &mut Session<C>,
        want: Want,
    ) -> Attempt {
        let Want { item, qty, .. } = want;
        let mut seen = 0;
        for line in lines.iter().filter(|line| self.looks || !line.looks()) {
            match line {
                Line::Read => seen = shop.read(item).await?,
                Line::WriteOneLess => shop.write(item, seen - qty).await?,
                Line::GiveUpIfTooFew if seen < qty => return Err(SoldOut),
                Line::GiveUpIfTooFew => {}
                Line::Take => drop(shop.take(item, qty).await?),
                Line::TakeOrLeave => {
                    if !shop.take(item, qty).await? {
                        return Err(SoldOut);
                    }
                }
                Line::Add => seen = shop.add(item, qty).await?,
                Line::Lock => shop.lock(item).await?,
                Line::Unlock => shop.unlock(item).await?,
                Line::Hold => drop(shop.hold(item, qty).await?),
                Line::HoldOrLeave => {
                    if !shop.hold(item, qty).await? {
                        return Err(SoldOut);
                    }
                }
                Line::Confirm => drop(shop.confirm(item).await?),
                Line::ConfirmOrLeave => {
                    if !shop.confirm(item).await? {
                        return Err(Expired);
                    }
                }
                Line::Release => drop(shop.release(item).await?),
                Line::Charge => drop(shop.charge().await?),
                Line::ChargeOnce => while shop.charge_once().await? == Payment::Unknown {},
                Line::ChargeOrLeave => {
                    if shop.charge_once().await? == Payment::Declined {
                        return Err(Declined);
                    }
                }
                Line::Authorize => drop(shop.authorize().await?),
                Line::Capture => drop(shop.capture().await?),
                Line::Void => drop(shop.void().await?),
                Line::Refund => drop(shop.refund().await?),
                Line::Lease => drop(shop.lease(item).await?),
                Line::Unlease => drop(shop.unlease(item).await?),
                Line::TakeCached => drop(shop.take_cached(item, qty).await?),
                Line::AddCached => drop(shop.add_cached(item, qty).await?),
                Line::Begin => shop.begin().await?,
                Line::Commit => shop.commit().await?,
                Line::CommitUnsynced => shop.commit_unsynced().await?,
                Line::Rollback => shop.rollback().await?,
                Line::Order => shop.place_order(want).await?,
                Line::OrderOnce => drop(shop.place_order_once(want).await?),
                Line::FindOrderAndLeave => {
                    if shop.find_order().await? {
                        return Ok(Bought);
                    }
                }
                Line::CancelOrder => drop(shop.cancel_order().await?),
                Line::CountLeft => seen = shop.count_left(item).await?,
                Line::Queue if self.queues => {
                    shop.submit(want).await?;
                    if !shop.answer().await? {
                        return Err(SoldOut);
                    }
                }
                Line::Queue => {}
                Line::Again => return Err(Conflict),
            }
        }
        Ok(Bought)
    }
}

impl Checkout for Program {
    fn about(&self) -> About {
        use OpKind::{
            CountLeft, FindOrder, Hold, Lease, Pay, Queue, Recover, Transaction, Webhook,
        };
        let needs: &[OpKind] = match (self.looks, self.queues) {
            (false, false) => &[Hold, Lease, Pay],
            (false, true) => &[Hold, Lease, Pay, Queue],
            (true, false) => {
                &[Hold, Lease, Pay, FindOrder, CountLeft, Transaction, Webhook, Recover]
            }
            (true, true) => {
                &[Hold, Lease, Pay, FindOrder, CountLeft, Transaction, Webhook, Recover, Queue]
            }
        };
        About::of_type::<Self>().needing(needs)
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        self.run(&self.attempt, shop, want).await
    }

    async fn serve<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<bool, Missed> {
        self.run(&self.serve, shop, want).await.map(|Bought| true)
    }

    async fn notified<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        self.run(&self.notified, shop, want).await.map(drop)
    }

    async fn recover<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        self.run(&self.recover, shop, want).await.map(drop)
    }
}

fn lines(most: usize) -> impl proptest::strategy::Strategy<Value = Vec<Line>> {
    prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..=most)
}

fn any_program() -> impl proptest::strategy::Strategy<Value = Program> {
    (lines(6), lines(3), lines(2), lines(2), prop::bool::weighted(0.6), prop::bool::weighted(0.25))
        .prop_map(|(attempt, serve, notified, recover, looks, queues)| Program {
            attempt,
            serve,
            notified,
            recover,
            looks,
            queues,
        })
}

fn any_faults() -> impl proptest::strategy::Strategy<Value = Faults> {
    let times = || prop::sample::select(vec![0_u8, 0, 0, 1]);
    (times(), times(), times(), times(), times(), times(), times()).prop_map(
        |(crashes, expiries, declines, lost_answers, redeliveries, power_cuts, stale_reads)| {
            let mut faults = Faults::default();
            faults.crashes = crashes;
            faults.expiries = expiries;
            faults.declines = declines;
            faults.lost_answers = lost_answers;
            faults.redeliveries = redeliveries;
            faults.power_cuts = power_cuts;
            faults.stale_reads = stale_reads;
            faults
        },
    )
}

/// Cases of the property that takes long: more while it is looked into, by `PROPTEST_CASES`.
fn cases(usual: u32) -> ProptestConfig {
    let named = std::env::var("PROPTEST_CASES").is_ok();
    let config = ProptestConfig::default();
    ProptestConfig { cases: if named { config.cases } else { usual }, ..config }
}

proptest! {
    #![proptest_config(cases(60))]

    /// With a bound on retries, so that brute force comes to an end.
    #[test]
    fn merging_and_remembering_change_no_outcome_whatever_goes_wrong(
        program in any_program(),
        faults in any_faults(),
        isolation in prop::sample::select(Isolation::ALL.to_vec()),
        buyers in 1..3_u32,
        stock in 1..3_i32,
    ) {
        let mut shop = Settings { faults, isolation, ..settings(buyers, stock) };
        shop.retries = Retries::AtMost(1);
        assert_brute_force_agrees_within(MOST_STEPS, &program, &shop);
    }
}

#[test]
fn whom_the_worker_has_answered_has_its_answer_though_the_power_goes_at_that_moment() {
    let program = Program {
        attempt: vec![Line::Queue],
        serve: Vec::new(),
        notified: Vec::new(),
        recover: Vec::new(),
        looks: false,
        queues: true,
    };
    let mut faults = Faults::default();
    faults.power_cuts = 1;
    let shop = Settings { faults, ..settings(2, 1) };
    // Two queue up, and the worker calls and answers each. Without a cut there are two by three ways: who queues
    // first, and whether the other comes before, while or after that one is served. In each there is a cut at one
    // of the six steps, or none.
    assert_eq!(schedules(&program, &shop), 2 * 3 * (6 + 1));
    assert_eq!(assert_brute_force_agrees_within(MOST_STEPS, &program, &shop), 84);
}

#[test]
fn an_order_before_any_step_is_one_of_its_own_so_that_its_conflict_is_tried_again() {
    let program = Program {
        attempt: vec![Line::Order, Line::Again],
        serve: Vec::new(),
        notified: Vec::new(),
        recover: Vec::new(),
        looks: false,
        queues: false,
    };
    let mut shop = settings(2, 1);
    shop.retries = Retries::AtMost(1);
    // Two orders each, one step an order: (4 choose 2).
    assert_eq!(schedules(&program, &shop), 6);
    assert!(assert_brute_force_agrees_within(MOST_STEPS, &program, &shop) > 0);
}
