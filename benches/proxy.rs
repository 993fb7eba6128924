//! What the proxy costs a statement when nothing is held: `cargo bench --bench proxy`.
//!
//! Two connections to one private PostgreSQL server, one through the proxy and one past it, send the same statement in turns.
//! The one past it goes over the server's socket, as the proxy itself does; so what is told is everything that the detour
//! takes, its own connection over loopback among it. The goal is less than 100 µs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use oversell_sim::StoreKind;
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::unstable::stores::Passage;
use tokio::runtime::Builder;
use tokio_postgres::{Client, NoTls};

/// Statements on each way.
const STATEMENTS: usize = 20_000;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn median_us(mut took_ns: Vec<u64>) -> f64 {
    took_ns.sort_unstable();
    took_ns[took_ns.len() / 2] as f64 / 1e3
}

fn main() {
    let passage = Passage::open(StoreKind::Postgres).unwrap();
    let runtime = Builder::new_current_thread().enable_io().enable_time().build().unwrap();
    runtime.block_on(async {
        let through = connect(passage.through()).await;
        let beside = connect(passage.beside()).await;
        let (one, other) = (
            through.prepare("SELECT 1").await.unwrap(),
            beside.prepare("SELECT 1").await.unwrap(),
        );
        let clock = Wall::start();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..STATEMENTS {
            for (client, statement, took) in
                [(&through, &one, &mut with), (&beside, &other, &mut without)]
            {
                let before = clock.now();
                client.query(statement, &[]).await.unwrap();
                took.push(clock.now() - before);
            }
        }
        let (with, without) = (median_us(with), median_us(without));
        println!("a statement, median of {STATEMENTS}: {with:.0} µs through the proxy, {without:.0} µs past it");
        println!("the proxy's own cost: {:.0} µs", with - without);
    });
}
