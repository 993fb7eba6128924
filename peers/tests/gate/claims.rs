//! What the gate claims.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use shuttle::thread;

use crate::Mutex;
use crate::scheduler::ClientCode;
use crate::schedules::{on_every_schedule, on_random_schedules};
use crate::server::Server;
use crate::shop::{Buyer, Shop, at_most, join};

/// How many schedules of either kind a test is run on.
const SCHEDULES: usize = 1_000;

/// One buyer's code at a time; what runs for longer than this waits for something that the scheduler cannot see.
const APPLICATION: ClientCode = ClientCode::OneAtATime(Duration::from_millis(1));

/// Sends some statements. Between them the buyer's code runs.
fn visit(buyer: &Buyer, statements: &[&str], code: impl Fn(&Buyer)) {
    buyer.handle.await_running();
    code(buyer);
    for text in statements {
        if !buyer.send(text, || ()) {
            break;
        }
        code(buyer);
    }
    buyer.leave();
}

/// Releases one buyer after the other, in an order that `next` chooses, until all have left. Each time they settle, all
/// have come to rest, and the one that was released has been answered.
fn release_all(shop: &Shop, next: impl Fn(&Shop) -> Option<usize>) {
    assert_eq!(shop.settle(), []);
    assert_eq!(shop.moving(), [0; 0]);
    while let Some(place) = next(shop) {
        shop.release(place);
        let answered: Vec<usize> = shop.settle().into_iter().map(|(place, _)| place).collect();
        assert_eq!(answered, [place]);
        assert_eq!(shop.moving(), [0; 0]);
        shop.assert_all_sent();
    }
    assert_eq!(shop.gate.held(), []);
}

/// Two statements a buyer, and code that does nothing.
fn visit_twice(buyer: &Buyer) {
    visit(buyer, &["SELECT", "UPDATE"], |_| ());
}

#[test]
fn buyers_send_as_they_are_released_and_none_moves_once_they_have_settled() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(3, ClientCode::AllAtOnce);
        let buyers = shop.admit(visit_twice);
        release_all(&shop, Shop::any_ready);
        join(buyers);
    });
}

#[test]
fn so_they_do_while_time_passes_and_the_server_is_asked_who_waits() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(2, ClientCode::AllAtOnce);
        let buyers = shop.admit(visit_twice);
        shop.while_time_passes(|| release_all(&shop, Shop::any_ready));
        join(buyers);
    });
}

#[test]
fn so_they_do_on_every_schedule_of_one_buyer_with_a_statement_and_of_two_that_leave() {
    for (buyers, statements) in [(1, &["UPDATE"][..]), (2, &[])] {
        let schedules = on_every_schedule(move || {
            let shop = Shop::open(buyers, ClientCode::AllAtOnce);
            let buyers = shop.admit(move |buyer| {
                for text in statements {
                    buyer.send(text, || ());
                }
                buyer.leave();
            });
            release_all(&shop, Shop::first_ready);
            join(buyers);
        });
        assert!(schedules > 100, "{schedules}");
    }
}

#[test]
fn two_buyers_code_takes_turns_on_every_schedule() {
    let schedules = on_every_schedule(|| {
        let shop = Shop::open(2, APPLICATION);
        let buyers = shop.admit(|buyer| visit(buyer, &[], |_| ()));
        join(buyers);
    });
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn one_buyers_code_runs_at_a_time_and_no_turn_is_lost() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(3, APPLICATION);
        let buyers = shop.admit(|buyer| visit(buyer, &["UPDATE"], Buyer::run_alone));
        release_all(&shop, Shop::any_ready);
        join(buyers);
    });
}

/// Two buyers lock and unlock at a server, in some order, while time passes. Each time they settle, those that the
/// scheduler takes for blocked are those that wait at the server, and no other moves.
fn lock_and_unlock(server: Server) {
    let shop = Shop::open(2, ClientCode::AllAtOnce);
    let server = Arc::new(server);
    let at_server = Arc::clone(&server);
    let buyers = shop.admit(move |buyer| {
        at_server.connect(buyer);
        buyer.send("LOCK", || at_server.lock(buyer));
        buyer.send("UNLOCK", || at_server.unlock());
        buyer.leave();
    });
    let settle = || {
        shop.settle_at(|| Ok(server.who_waits()));
        let blocked = shop.gate.waiting();
        assert!(blocked.is_empty() || server.has_told());
        assert_eq!(blocked, server.waiting());
        assert_eq!(blocked, shop.moving());
    };
    shop.while_time_passes(|| {
        settle();
        while let Some(place) = shop.any_ready() {
            shop.release(place);
            settle();
        }
    });
    assert_eq!(shop.moving(), [0; 0]);
    join(buyers);
}

#[test]
fn a_buyer_is_blocked_for_as_long_as_the_server_makes_it_wait() {
    on_random_schedules(SCHEDULES, || lock_and_unlock(Server::start(false)));
}

#[test]
fn a_buyer_whose_server_tells_it_that_it_waits_is_blocked_only_once_it_was_told() {
    on_random_schedules(SCHEDULES, || lock_and_unlock(Server::start(true)));
}

#[test]
fn a_buyer_behind_anothers_statement_is_held_once_that_is_sent_and_they_have_settled() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(2, APPLICATION);
        let connection = Arc::new(Server::start(false));
        let buyers = shop.admit(move |buyer| {
            buyer.handle.await_running();
            if !connection.request(buyer.place) {
                buyer.stop_behind();
                connection.await_grant(buyer.place);
            }
            buyer.send("UPDATE", || connection.unlock());
            buyer.leave();
        });
        for (first, behind) in [(0, vec![1]), (1, vec![])] {
            shop.settle();
            assert_eq!(shop.moving(), [0; 0]);
            assert_eq!(shop.ready(), [first]);
            shop.release_and(first, &behind);
        }
        shop.settle();
        assert_eq!(shop.moving(), [0; 0]);
        join(buyers);
    });
}

#[test]
fn a_retry_wakes_its_buyer_and_no_other() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(3, ClientCode::AllAtOnce);
        let is_locked = Arc::new(AtomicBool::new(false));
        let tries = Arc::new(AtomicUsize::new(0));
        let (lock, tried) = (Arc::clone(&is_locked), Arc::clone(&tries));
        let buyers = shop.admit(move |buyer| {
            buyer.send("LOCK", || {
                while lock.swap(true, SeqCst) {
                    assert!(buyer.await_retry());
                    tried.fetch_add(1, SeqCst);
                }
            });
            buyer.send("UNLOCK", || lock.store(false, SeqCst));
            buyer.leave();
        });
        let settle = || {
            shop.settle();
            assert_eq!(shop.moving(), [0; 0]);
        };
        settle();
        let mut retries = 0;
        while let Some(place) = shop.any_ready() {
            let waited = shop.gate.waiting();
            assert!(!shop.retry(place), "it is held");
            shop.release(place);
            settle();
            for other in waited {
                assert!(shop.retry(other));
                settle();
                retries += 1;
                assert_eq!(tries.load(SeqCst), retries);
            }
        }
        assert_eq!(shop.gate.waiting(), [0; 0]);
        join(buyers);
    });
}

/// Makes some steps, with and without a wait for what comes of them, and ends the execution in the middle.
fn close_somewhere(shop: &Shop) {
    for _ in 0..at_most(3) {
        if at_most(1) == 1 {
            shop.settle();
        }
        if let Some(place) = shop.any_ready() {
            shop.release(place);
        }
    }
    shop.gate.close();
}

#[test]
fn a_close_lets_every_buyer_leave_wherever_it_is() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(3, ClientCode::AllAtOnce);
        let buyers = shop.admit(|buyer| {
            if buyer.send("SELECT", || ()) && buyer.place == 0 {
                buyer.await_retry();
            }
            buyer.leave();
            buyer.handle.await_close();
        });
        close_somewhere(&shop);
        join(buyers);
    });
}

#[test]
fn a_close_lets_every_buyer_leave_that_waits_for_its_turn() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(3, APPLICATION);
        let buyers = shop.admit(visit_twice);
        close_somewhere(&shop);
        join(buyers);
    });
}

#[test]
fn code_that_waits_for_another_buyer_in_the_application_is_unseen_and_goes_on_once_that_has_moved()
{
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(2, APPLICATION);
        let lock = Arc::new(Mutex::new(()));
        let buyers = shop.admit(move |buyer| visit_locked(buyer, &lock));
        shop.while_time_passes(|| {
            while !shop.have_left() {
                shop.settle();
                if let Some(place) = shop.any_ready() {
                    shop.release(place);
                }
                thread::yield_now();
            }
        });
        shop.assert_all_sent();
        join(buyers);
    });
}

/// Sends a statement while it holds a lock of the application's.
fn visit_locked(buyer: &Buyer, lock: &Mutex<()>) {
    buyer.handle.await_running();
    let locked = lock.lock();
    buyer.send("UPDATE", || ());
    drop(locked);
    buyer.leave();
}

#[test]
fn an_execution_that_is_closed_has_settled_only_once_every_buyer_has_left() {
    on_random_schedules(SCHEDULES, || {
        let shop = Shop::open(2, APPLICATION);
        let lock = Arc::new(Mutex::new(()));
        let execute = || {
            let lock = Arc::clone(&lock);
            let buyers = shop.admit(move |buyer| visit_locked(buyer, &lock));
            shop.settle();
            assert_eq!(shop.gate.held().len() + shop.gate.waiting().len(), 2);
            shop.gate.close();
            // The explorer hears from each buyer that its visit is over, and the gate later.
            while !shop.have_left() {
                thread::yield_now();
            }
            shop.settle();
            assert_eq!(shop.gate.waiting(), [0; 0]);
            buyers
        };
        shop.while_time_passes(|| {
            let before = execute();
            shop.open_again();
            join(execute());
            join(before);
        });
    });
}
