//! The library in a user's test: strategies of their own, well and badly behaved.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use oversell_sim::prelude::*;
use oversell_sim::{Backoff, Error, Evidence, Retries, race};

/// Implements a strategy from the body of its attempt.
macro_rules! checkout {
    ($name:ident, |$shop:ident, $want:ident| $body:block) => {
        struct $name;
        impl Strategy for $name {
            async fn attempt<C: Connection>(&self, $shop: &mut Session<C>, $want: Want) -> Attempt {
                $body
            }
        }
    };
}

checkout!(Locked, |shop, want| {
    shop.lock(want.item).await?;
    let seen = shop.read(want.item).await?;
    if seen >= want.qty {
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
    }
    shop.unlock(want.item).await?;
    if seen >= want.qty { Ok(Bought) } else { Err(SoldOut) }
});

checkout!(Unlocked, |shop, want| {
    let seen = shop.read(want.item).await?;
    if seen < want.qty {
        return Err(SoldOut);
    }
    shop.think().await?;
    shop.write(want.item, seen - want.qty).await?;
    shop.place_order(want).await?;
    Ok(Bought)
});

checkout!(KeepsItsLock, |shop, want| {
    shop.lock(want.item).await?;
    if shop.take(want.item, want.qty).await? {
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        return Ok(Bought);
    }
    Err(SoldOut)
});

checkout!(ForgetsTheOrder, |shop, want| {
    if shop.take(want.item, want.qty).await? { Ok(Bought) } else { Err(SoldOut) }
});

checkout!(UnlocksTwice, |shop, want| {
    shop.lock(want.item).await?;
    shop.unlock(want.item).await?;
    shop.unlock(want.item).await?;
    Err(SoldOut)
});

checkout!(LocksTwice, |shop, want| {
    shop.lock(want.item).await?;
    shop.lock(want.item).await?;
    Err(SoldOut)
});

checkout!(Panics, |_shop, _want| { panic!("the till is on fire") });

checkout!(AwaitsSomethingElse, |_shop, _want| {
    std::future::pending::<()>().await;
    Err(SoldOut)
});

checkout!(AlwaysConflicts, |_shop, _want| { Err(Conflict) });

checkout!(AsksForAnotherItem, |shop, _want| {
    shop.read(Item(7)).await?;
    Err(SoldOut)
});

#[test]
fn a_safe_checkout_of_ones_own_passes() {
    let report = race(Locked).buyers(200).stock(5).rounds(5).assert_no_findings();
    assert_eq!(report.runs[0].strategy, "Locked");
    assert_eq!(report.runs[0].figures.units_sold, 25);
    assert_eq!(report.runs[0].evidence, Evidence::NotSeen);
}

#[test]
fn a_broken_one_fails_with_the_report_as_its_message() {
    let race = race(Unlocked).buyers(200).stock(1).rounds(50);
    let panic = catch_unwind(AssertUnwindSafe(|| race.assert_no_oversell())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("BROKEN"), "{message}");
    assert!(message.contains("oversold"), "{message}");
    let again = "oversell_sim::race(Unlocked).buyers(200).stock(1).rounds(50).seed(0)";
    assert!(message.contains(again), "{message}");
    assert!(!message.contains('\u{1b}'), "no colour codes in a panic: {message}");
}

#[test]
fn a_race_that_could_not_show_anything_does_not_pass() {
    for race in [race(Locked).buyers(1), race(Locked).buyers(100).threads(1)] {
        let panic = catch_unwind(AssertUnwindSafe(|| race.assert_no_oversell())).unwrap_err();
        let message = panic.downcast_ref::<&str>().unwrap();
        assert!(message.contains("proves nothing"), "{message}");
    }
}

#[test]
fn a_kept_lock_is_found_and_does_not_stop_the_next_buyer() {
    let report = race(KeepsItsLock).buyers(20).stock(1).run().unwrap();
    assert_eq!(report.runs[0].figures.leaked_lock, 19, "{report}");
    assert_eq!(report.runs[0].figures.failed, 0, "{report}");
}

#[test]
fn a_receipt_without_an_order_is_a_lost_order() {
    let report = race(ForgetsTheOrder).buyers(20).stock(3).run().unwrap();
    assert_eq!(report.runs[0].figures.lost_order, 3, "{report}");
}

#[test]
fn misused_ops_fail_their_buyer_and_no_other() {
    for report in [
        race(UnlocksTwice).buyers(10).run().unwrap(),
        race(AsksForAnotherItem).buyers(10).run().unwrap(),
        race(AwaitsSomethingElse).buyers(10).run().unwrap(),
    ] {
        assert_eq!(report.runs[0].figures.failed, 10, "{report}");
    }
}

/// Its worker fails the first buyer, and no other.
struct ClumsyWorker;

impl Strategy for ClumsyWorker {
    fn about(&self) -> About {
        About::of_type::<Self>().needing(&[OpKind::Queue])
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }

    async fn serve<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<bool, Missed> {
        if shop.buyer() == 0 {
            shop.lock(want.item).await?;
            shop.unlock(Item(9)).await?;
        }
        shop.take(want.item, want.qty).await
    }
}

#[test]
fn a_buyer_whom_the_worker_fails_is_hung_up_on_and_the_next_is_served() {
    let report = race(ClumsyWorker).buyers(10).stock(3).run().unwrap();
    let figures = &report.runs[0].figures;
    assert_eq!((figures.failed, figures.winners, figures.rejected), (1, 3, 6), "{report}");
    assert_eq!(figures.lost_order, 3, "the worker forgot to write the orders down");
}

/// A sequencer that does not say so, with a worker who takes his time or worse.
struct Queue {
    service: Duration,
    panics: bool,
}

impl Strategy for Queue {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }

    async fn serve<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<bool, Missed> {
        assert!(!self.panics, "the worker has had enough");
        if !self.service.is_zero() {
            shop.think().await?;
        }
        let sold = shop.take(want.item, want.qty).await?;
        if sold {
            shop.place_order(want).await?;
        }
        Ok(sold)
    }
}

#[test]
fn a_queue_that_does_not_say_what_it_needs_has_its_worker_all_the_same() {
    let prompt = Queue { service: Duration::ZERO, panics: false };
    let report = race(prompt).buyers(50).stock(5).assert_no_findings();
    assert_eq!(report.runs[0].figures.units_sold, 5);
}

#[test]
fn buyers_who_lose_patience_in_the_queue_neither_hang_the_shop_nor_break_it() {
    let slow = Queue { service: Duration::from_millis(5), panics: false };
    let race = race(slow).buyers(40).threads(2).stock(20).think(Duration::from_millis(5));
    let report = race.patience(Duration::from_millis(1)).run().unwrap();
    assert!(report.runs[0].figures.failed > 0, "{report}");
    // Units they came for are left, and that is all that is wrong.
    let found: Vec<_> = report.runs[0].findings.iter().map(|found| found.kind).collect();
    assert!(found.iter().all(|kind| *kind == FindingKind::Undersold), "{report}");
}

#[test]
fn a_worker_that_panics_leaves_no_buyer_waiting() {
    let race = race(Queue { service: Duration::ZERO, panics: true }).buyers(200).threads(2);
    // If they were not told, 200 buyers on 2 threads would wait for 100 times this long.
    let race = race.patience(Duration::from_secs(3600));
    let panic = catch_unwind(AssertUnwindSafe(|| race.run())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the worker has had enough"));
}

#[test]
fn backing_off_does_not_outlast_patience() {
    let backoff = Backoff::Fixed(Duration::from_secs(60));
    let race = race(AlwaysConflicts).buyers(2).backoff(backoff).patience(Duration::from_millis(5));
    assert_eq!(race.run().unwrap().runs[0].figures.abandoned, 2);
}

#[test]
fn a_lock_taken_twice_ends_by_patience_not_never() {
    let race = race(LocksTwice).buyers(2).patience(Duration::from_millis(20));
    assert_eq!(race.run().unwrap().runs[0].figures.failed, 2);
}

#[test]
fn a_panic_in_a_checkout_comes_out_as_it_is() {
    let race = race(Panics).buyers(10);
    let panic = catch_unwind(AssertUnwindSafe(|| race.run())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the till is on fire"));
}

#[test]
fn retries_and_patience_both_bound_a_buyer_who_always_loses() {
    let few = race(AlwaysConflicts).buyers(10).retries(Retries::AtMost(3)).run().unwrap();
    assert_eq!(few.runs[0].figures.abandoned, 10);
    assert_eq!(few.runs[0].figures.attempts, 40, "one first attempt and three retries each");
    let short = race(AlwaysConflicts).buyers(2).patience(Duration::from_millis(5)).run().unwrap();
    assert_eq!(short.runs[0].figures.abandoned, 2);
}

#[test]
fn what_each_buyer_wants_depends_on_the_seed_alone() {
    let wanted = |seed, threads| {
        // Stock for all, so that every buyer buys and what was sold is what was wanted.
        let race = race(Locked).buyers(50).stock(500).qty_between(1, 9).seed(seed).threads(threads);
        race.run().unwrap().runs[0].figures.units_sold
    };
    assert_eq!(wanted(3, 50), wanted(3, 2));
    assert_ne!(wanted(3, 2), wanted(4, 2));
}

#[test]
fn impossible_settings_are_named() {
    for (race, name) in [
        (race(Locked).buyers(0), "buyers"),
        (race(Locked).stock(0), "stock"),
        (race(Locked).stock(u32::MAX), "stock"),
        (race(Locked).qty(2), "qty"),
        (race(Locked).stock(9).qty_between(3, 2), "qty"),
        (race(Locked).rounds(0), "rounds"),
        (race(Locked).threads(0), "threads"),
        (race(Locked).patience(Duration::ZERO), "patience"),
        (race(Locked).think(Duration::from_secs(3600)), "think"),
        (race(Locked).buyers(10_000_000).stock(1_000_000_000).qty(1_000), "qty"),
    ] {
        let Err(Error::Input(message)) = race.run() else { panic!("{name} was let through") };
        assert!(message.starts_with(&format!("`{name}`")), "{message}");
    }
}
