//! What the tool costs in front of real servers, beside their own: `cargo bench --bench servers`.
//!
//! Each pair runs on one private server, with the same statements and as many connections, in turns; the median
//! of the ratios counts. Servers do not wait for the disk here: what is compared is who stands before them.

#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use oversell_sim::StoreKind;
use oversell_sim::prelude::*;
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::dyn_strategy::DynStrategy;
use oversell_sim::unstable::explore::{self, Plan};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::{Address, RaceTarget};
use oversell_sim::unstable::text::quantity::count;

/// How often each pair is timed.
const TURNS: usize = 5;

/// The same number of connections on both sides.
const CONNECTIONS: u32 = 4;

/// Decrements if enough is left, and nothing more: what `redis-benchmark` can be told to do.
struct TakeOnly;

impl Strategy for TakeOnly {
    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if shop.take(want.item, want.qty).await? { Ok(Bought) } else { Err(SoldOut) }
    }
}

/// So many checkouts, and the processor time that they took, both in seconds.
#[derive(Clone, Copy)]
struct Took {
    checkouts: f64,
    elapsed: f64,
    processor: f64,
}

impl Took {
    fn per_second(self) -> f64 {
        self.checkouts / self.elapsed
    }

    fn processor_us(self) -> f64 {
        self.processor / self.checkouts * 1e6
    }
}

/// One store's bench: ours and the peer's, on one server.
struct Pair<'b> {
    title: &'b str,
    peer: &'b str,
    ours: &'b dyn Fn() -> Took,
    theirs: &'b dyn Fn() -> Took,
}

fn main() {
    println!(
        "{:<34}{:<20}{:>14}{:>12}{:>8}{:>18}",
        "checkout", "peer", "ours, 1/s", "theirs", "ratio", "processor, µs"
    );
    sqlite();
    postgres();
    mysql();
    redis();
    etcd();
    orders();
}

/// Every statement order at each server.
fn orders() {
    println!("\n{:<34}{:<20}{:>14}{:>12}", "every statement order", "server", "orders", "in, ms");
    let cases = [("transaction", 2, false), ("transaction", 3, true), ("pessimistic", 3, true)];
    for store in [StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Mysql, StoreKind::Redis] {
        for (name, buyers, reduced) in cases {
            // In a file a writer meets all others: too many orders are different.
            if store == StoreKind::Sqlite && name == "transaction" && buyers > 2 {
                continue;
            }
            let name = if store == StoreKind::Redis { "optimistic" } else { name };
            let strategy = oversell_sim::strategies::find(name).unwrap();
            let settings = Settings { store, buyers, stock: 1, ..Settings::default() };
            let (address, control) = (Address::default(), Control::default());
            let server = explore::server_for(strategy, &settings, &address, &control).unwrap();
            let plan = Plan { reduced, ..Plan::EVERYTHING };
            let clock = Wall::start();
            let (report, _) =
                explore::search_orders(strategy, &settings, &*server, plan, &|| false).unwrap();
            let took_ms = clock.now() / 1_000_000;
            let orders = report.orders.unwrap();
            assert!(orders.complete, "{orders:?}");
            let how = if reduced { "reduced" } else { "one by one" };
            let title = format!("{name}, {buyers} buyers, {how}");
            println!(
                "{title:<34}{:<20}{:>14}{:>12}",
                store.name(),
                count(orders.run),
                count(took_ms)
            );
        }
    }
}

fn settings(store: StoreKind, buyers: u32) -> Settings {
    let mut settings = Settings {
        buyers,
        stock: buyers as i32,
        store,
        connections: CONNECTIONS,
        threads: Some(CONNECTIONS),
        think: Duration::ZERO,
        relaxed: store != StoreKind::Etcd,
        ..Settings::default()
    };
    settings.patience = Duration::from_secs(60);
    settings
}

/// The private server's URL.
fn url(venue: &RaceTarget) -> String {
    match venue {
        RaceTarget::Backend(site) => site.server().url(),
        RaceTarget::Memory => panic!("there is no server"),
    }
}

fn open(settings: &Settings) -> RaceTarget {
    RaceTarget::open(settings, None, &Address::default(), &Control::default()).unwrap()
}

/// One race.
fn race(strategy: &dyn DynStrategy, venue: &RaceTarget, settings: &Settings) -> Took {
    let before = processor_s(Whose::Ours);
    let clock = Wall::start();
    let round = strategy.race(venue, settings, 1, &clock, &Control::default()).unwrap();
    let processor = processor_s(Whose::Ours) - before;
    let last = round.visits.iter().map(|visit| visit.ended_ns).max().unwrap();
    assert!(round.visits.iter().all(|visit| visit.receipt().is_some()), "a buyer got nothing");
    Took { checkouts: f64::from(settings.buyers), elapsed: last as f64 / 1e9, processor }
}

/// A loop by hand, on as many threads as there are connections.
fn by_hand<T>(
    buyers: u32,
    threads: u32,
    connect: impl Fn() -> T + Sync,
    checkout: impl Fn(&mut T, u32) + Sync,
) -> Took {
    let before = processor_s(Whose::Ours);
    let clock = Wall::start();
    let line_up = Barrier::new(threads as usize);
    let elapsed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                let (clock, line_up, connect, checkout) =
                    (clock.clone(), &line_up, &connect, &checkout);
                scope.spawn(move || {
                    let mut connection = connect();
                    line_up.wait();
                    let began = clock.now();
                    (first..buyers)
                        .step_by(threads as usize)
                        .for_each(|buyer| checkout(&mut connection, buyer));
                    clock.now() - began
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).max().unwrap()
    });
    let processor = processor_s(Whose::Ours) - before;
    Took { checkouts: f64::from(buyers), elapsed: elapsed as f64 / 1e9, processor }
}

#[derive(Clone, Copy)]
enum Whose {
    Ours,
    Childrens,
}

/// Processor time so far, as Linux counts it: hundredths of a second.
fn processor_s(whose: Whose) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let first = match whose {
        Whose::Ours => 11,
        Whose::Childrens => 13,
    };
    (fields[first] + fields[first + 1]) / 100.0
}

/// A peer's own program, and the rate that it prints.
fn run_peer(mut command: Command, checkouts: u32, rate: impl Fn(&str) -> f64) -> Took {
    let before = processor_s(Whose::Childrens);
    let output = command.output().unwrap();
    let processor = processor_s(Whose::Childrens) - before;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let checkouts = f64::from(checkouts);
    Took { checkouts, elapsed: checkouts / rate(&said), processor }
}

fn compare(pair: Pair<'_>) {
    let Pair { title, peer, ours, theirs } = pair;
    let turns: Vec<(Took, Took)> = (0..TURNS).map(|_| (ours(), theirs())).collect();
    let median = |of: &dyn Fn(&(Took, Took)) -> f64| {
        let mut all: Vec<f64> = turns.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[TURNS / 2]
    };
    let rate = |figure: f64| count(figure.round() as i64);
    println!(
        "{title:<34}{peer:<20}{:>14}{:>12}{:>8.2}{:>18}",
        rate(median(&|(ours, _)| ours.per_second())),
        rate(median(&|(_, theirs)| theirs.per_second())),
        median(&|(ours, theirs)| ours.per_second() / theirs.per_second()),
        format!(
            "{:.0} beside {:.0}",
            median(&|(ours, _)| ours.processor_us()),
            median(&|(_, theirs)| theirs.processor_us())
        ),
    );
}

fn conditional() -> &'static dyn DynStrategy {
    oversell_sim::strategies::find("conditional").unwrap()
}

const TAKE: &str = "UPDATE oversell_sim_shelf SET stock = stock - ? WHERE item = ? AND stock >= ?";
const ORDER: &str = "INSERT INTO oversell_sim_orders (buyer, item, qty) VALUES (?, ?, ?)";

fn sqlite() {
    // Only one session can write to SQLite: more connections would only wait.
    let settings =
        Settings { connections: 1, threads: Some(1), ..settings(StoreKind::Sqlite, 20_000) };
    let venue = open(&settings);
    let path = url(&venue);
    compare(Pair {
        title: "sqlite, conditional, 1 connection",
        peer: "rusqlite by hand",
        ours: &|| race(conditional(), &venue, &settings),
        theirs: &|| {
            let connect = || {
                let connection = rusqlite::Connection::open(&path).unwrap();
                connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
                connection.execute("UPDATE oversell_sim_shelf SET stock = 1000000", []).unwrap();
                connection
            };
            by_hand(settings.buyers, 1, connect, |connection, buyer| {
                connection.prepare_cached(TAKE).unwrap().execute((1, 0, 1)).unwrap();
                connection.prepare_cached(ORDER).unwrap().execute((buyer, 0, 1)).unwrap();
            })
        },
    });
}

fn postgres() {
    let settings = settings(StoreKind::Postgres, 20_000);
    let venue = open(&settings);
    let url = url(&venue);
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("checkout.sql");
    let restock = folder.path().join("restock.sql");
    std::fs::write(&restock, "UPDATE oversell_sim_shelf SET stock = 1000000;\n").unwrap();
    std::fs::write(
        &script,
        format!(
            "\\set buyer random(0, {})\n\\set item 0\n\\set qty 1\n\
             UPDATE oversell_sim_shelf SET stock = stock - :qty WHERE item = :item AND stock >= :qty;\n\
             INSERT INTO oversell_sim_orders (buyer, item, qty) VALUES (:buyer, :item, :qty);\n",
            settings.buyers - 1
        ),
    )
    .unwrap();
    compare(Pair {
        title: "postgres, conditional",
        peer: "pgbench -M prepared",
        ours: &|| race(conditional(), &venue, &settings),
        theirs: &|| {
            // Ours has left the shelf empty, and what takes nothing takes less time.
            let mut command = Command::new(pgbench());
            command.args(["-n", "-t", "1", "-f"]).arg(&restock).arg(&url);
            assert!(command.output().unwrap().status.success());
            let mut command = Command::new(pgbench());
            command
                .args(["-n", "-M", "prepared", "-c", &CONNECTIONS.to_string()])
                .args(["-j", &CONNECTIONS.to_string()])
                .args(["-t", &(settings.buyers / CONNECTIONS).to_string(), "-f"])
                .arg(&script)
                .arg(&url);
            run_peer(command, settings.buyers, |said| {
                let line = said.lines().find(|line| line.starts_with("tps =")).unwrap();
                line.split_whitespace().nth(2).unwrap().parse().unwrap()
            })
        },
    });
}

/// Debian keeps it off PATH, beside the server.
fn pgbench() -> String {
    let folders =
        ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];
    let paths = folders.map(|folder| format!("{folder}/pgbench"));
    paths.into_iter().find(|path| std::path::Path::new(path).exists()).unwrap_or("pgbench".into())
}

fn mysql() {
    use ::mysql::prelude::Queryable;
    let settings = settings(StoreKind::Mysql, 20_000);
    let venue = open(&settings);
    let url = url(&venue);
    compare(Pair {
        title: "mysql, conditional",
        peer: "mysql by hand",
        ours: &|| race(conditional(), &venue, &settings),
        theirs: &|| {
            let connect = || {
                let mut conn = ::mysql::Conn::new(url.as_str()).unwrap();
                conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").unwrap();
                conn.query_drop("UPDATE oversell_sim_shelf SET stock = 1000000").unwrap();
                conn
            };
            by_hand(settings.buyers, CONNECTIONS, connect, |conn, buyer| {
                conn.exec_drop(TAKE, (1, 0, 1)).unwrap();
                conn.exec_drop(ORDER, (buyer, 0, 1)).unwrap();
            })
        },
    });
}

fn redis() {
    let settings = settings(StoreKind::Redis, 50_000);
    let venue = open(&settings);
    let url = url(&venue);
    let (socket, password) =
        url.strip_prefix("redis+unix://").unwrap().split_once("?pass=").unwrap();
    let script = ::redis::Script::new(include_str!("../src/stores/redis/scripts/take.lua"));
    compare(Pair {
        title: "redis, the Lua of take",
        peer: "redis-benchmark",
        ours: &|| race(&TakeOnly, &venue, &settings),
        theirs: &|| {
            let mut connection =
                ::redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
            let stock = "oversell-sim:stock:0";
            ::redis::cmd("SET").arg(stock).arg(1_000_000).exec(&mut connection).unwrap();
            let mut command = Command::new("redis-benchmark");
            command
                .args(["-s", socket, "-a", password, "-c", &CONNECTIONS.to_string()])
                .args(["-n", &settings.buyers.to_string(), "--csv"])
                .args(["evalsha", script.get_hash(), "1", stock, "1"]);
            run_peer(command, settings.buyers, |said| {
                let line = said.lines().rfind(|line| line.contains("evalsha")).unwrap();
                line.split(',').nth(1).unwrap().trim_matches('"').parse().unwrap()
            })
        },
    });
}

fn etcd() {
    use base64::Engine;
    let settings = settings(StoreKind::Etcd, 600);
    let venue = open(&settings);
    let members = url(&venue);
    let code = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let stock = code("bench/stock");
    compare(Pair {
        title: "etcd, conditional",
        peer: "ureq by hand",
        ours: &|| race(conditional(), &venue, &settings),
        theirs: &|| {
            let turn = std::sync::atomic::AtomicUsize::new(0);
            let connect = || {
                let place = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let member = members.split(',').nth(place % 3).unwrap().to_owned();
                let connection = (ureq::Agent::new_with_defaults(), member);
                post(
                    &connection,
                    "put",
                    serde_json::json!({ "key": stock, "value": code("1000000") }),
                );
                connection
            };
            by_hand(settings.buyers, CONNECTIONS, connect, |connection, buyer| {
                loop {
                    let seen = post(connection, "range", serde_json::json!({ "key": stock }));
                    let revision = &seen["kvs"][0]["mod_revision"];
                    let taken = post(
                        connection,
                        "txn",
                        serde_json::json!({
                            "compare": [{
                                "key": stock, "target": "MOD", "result": "EQUAL", "mod_revision": revision,
                            }],
                            "success": [{ "request_put": { "key": stock, "value": code("999999") } }],
                        }),
                    );
                    if taken["succeeded"] == true {
                        break;
                    }
                }
                let order = code(&format!("bench/order/{buyer}"));
                post(connection, "put", serde_json::json!({ "key": order, "value": code("1") }));
            })
        },
    });
}

fn post(
    (agent, member): &(ureq::Agent, String),
    what: &str,
    body: serde_json::Value,
) -> serde_json::Value {
    let mut answer = agent.post(format!("{member}/v3/kv/{what}")).send_json(body).unwrap();
    answer.body_mut().read_json().unwrap()
}
