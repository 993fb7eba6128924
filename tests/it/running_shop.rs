//! A shop that runs and answers requests over HTTP/1.1, to be raced from outside.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use parking_lot::Mutex;

/// What it has.
#[derive(Default)]
struct Stock {
    units: i64,
    orders: Vec<(i64, i64)>,
}

/// A shop on a port of its own, until the test is over.
pub(crate) struct RunningShop {
    pub(crate) url: String,
    /// Connections that were made to it.
    pub(crate) connections: Arc<AtomicU32>,
}

impl RunningShop {
    /// Opens one, whose checkout looks before it takes in two steps, or in one.
    pub(crate) fn open(is_safe: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        let stock = Arc::new(Mutex::new(Stock::default()));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let stock = Arc::clone(&stock);
                thread::spawn(move || serve(stream, &stock, is_safe));
            }
        });
        Self { url, connections }
    }
}

/// Answers one request after the other.
fn serve(mut stream: TcpStream, stock: &Mutex<Stock>, is_safe: bool) {
    let mut requests = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut first = String::new();
        if requests.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        let mut key = String::new();
        loop {
            let mut header = String::new();
            requests.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "idempotency-key" => value.trim().clone_into(&mut key),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).unwrap();
        let (status, answer) = answer(&first, &key, &body, stock, is_safe);
        let length = answer.len();
        let said = format!("HTTP/1.1 {status} so\r\nContent-Length: {length}\r\n\r\n{answer}");
        if stream.write_all(said.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(
    first: &str,
    key: &str,
    body: &[u8],
    stock: &Mutex<Stock>,
    is_safe: bool,
) -> (u16, String) {
    let words: Vec<&str> = first.split(' ').collect();
    match (words[0], words[1].split('?').next().unwrap()) {
        ("POST", "/reset") => {
            let units = words[1].split_once("stock=").unwrap().1.parse().unwrap();
            *stock.lock() = Stock { units, orders: Vec::new() };
            (200, "null".into())
        }
        ("GET", "/stock") => (200, stock.lock().units.to_string()),
        ("GET", "/orders") => {
            let orders = stock.lock().orders.clone();
            (200, serde_json::to_string(&orders).unwrap())
        }
        ("POST", "/checkout") => {
            let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
            let of = |name: &str| asked[name].as_i64().unwrap();
            let (buyer, qty) = (of("buyer"), of("qty"));
            assert_eq!(key, format!("key-{buyer}"));
            let mut inside = stock.lock();
            if inside.units < qty {
                return (409, "\"sold out\"".into());
            }
            if !is_safe {
                // The door is open between looking and taking.
                let seen = inside.units;
                drop(inside);
                thread::yield_now();
                inside = stock.lock();
                inside.units = seen;
            }
            inside.units -= qty;
            inside.orders.push((buyer, qty));
            (201, format!("{{\"order\": {}}}", inside.orders.len()))
        }
        _ => (500, "\"no such page\"".into()),
    }
}
