//! Real servers that fall silent, are too few to decide, or reject clients: each is told, and no buyer waits for
//! ever.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use oversell_sim::unstable::attempt::{Failure, Missed};
use oversell_sim::unstable::clock::{Clock, Wall};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::op::{Item, Op, OpKind, Reply};
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::{Address, RaceTarget};
use oversell_sim::{Error, StoreKind};

use crate::counters::{Counter, Say, Street, processes, settings};

const TAKE: Op = Op::Take { item: Item(0), qty: 1 };

/// Patience for tests in which it runs out.
fn impatient(store: StoreKind) -> Settings {
    let mut settings = settings(store);
    settings.patience = Duration::from_secs(1);
    settings
}

fn say(buyer: u32, op: Op) -> Say {
    Say { connection: buyer as usize, buyer, op }
}

fn signal(signal: &str, processes: &[String]) {
    let done = Command::new("kill").arg(signal).args(processes).status().unwrap();
    assert!(done.success());
    if signal == "-STOP" {
        await_stop(processes);
    }
}

/// Waits until every thread of these processes has stopped: until then one of them may still answer.
fn await_stop(processes: &[String]) {
    let is_stopped = |task: &Path| {
        let status = fs::read_to_string(task.join("stat")).unwrap_or_default();
        // The state follows the name, which stands in brackets.
        status.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['T', 't', 'Z']))
    };
    let all_stopped = |process: &String| {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
        tasks.flatten().all(|task| is_stopped(&task.path()))
    };
    let clock = Wall::start();
    while !processes.iter().all(all_stopped) {
        assert!(clock.now() < 10_000_000_000, "{processes:?} do not stop");
        std::thread::yield_now();
    }
}

/// The numbers of processes of which this is true of command line and working directory.
fn numbers(is_meant: impl Fn(&str, &Path) -> bool) -> Vec<String> {
    processes(is_meant).into_iter().map(|(number, _)| number).collect()
}

/// The directory that a private server's URL leads to.
fn nest(url: &str) -> PathBuf {
    let path = ["host=", "socket=", "redis+unix://"]
        .iter()
        .find_map(|before| Some(url.split_once(before)?.1.split(['?', '&']).next().unwrap()))
        .unwrap();
    let path = Path::new(path);
    if path.is_dir() { path.into() } else { path.parent().unwrap().into() }
}

/// Asks again until the reply is this; there is a bound.
fn ask_until(shop: &mut dyn Counter, say: Say, reply: Result<Reply, Missed>) {
    let mut heard = shop.say(say);
    for _ in 0..60 {
        if heard == reply {
            return;
        }
        shop.close_attempt(say.connection);
        Control::default().pause(Duration::from_millis(200));
        heard = shop.say(say);
    }
    panic!("{say:?}: {heard:?}");
}

#[test]
fn a_server_that_falls_silent_holds_up_no_buyer_for_ever() {
    for store in [StoreKind::Postgres, StoreKind::Mysql, StoreKind::Redis] {
        let Some(street) = Street::of(impatient(store)) else { continue };
        let nest = nest(&street.server().url());
        let all = numbers(|line, cwd| cwd.starts_with(&nest) && !line.starts_with("sh "));
        assert!(!all.is_empty(), "{store}: where is its server?");
        street.visit_in_trouble(&[OpKind::Take], |shop| {
            assert_eq!(shop.say(say(0, TAKE)), Ok(Reply::Applied(true)));
            signal("-STOP", &all);
            let silent = shop.say(say(0, TAKE));
            signal("-CONT", &all);
            assert_eq!(silent, Err(Missed::Failed(Failure::Disconnected)), "{store}");
            shop.close_attempt(0);
            ask_until(shop, say(1, TAKE), Ok(Reply::Applied(true)));
        });
    }
}

#[test]
fn a_server_rejects_a_client_that_is_one_too_many_and_says_so() {
    for (store, words) in
        [(StoreKind::Postgres, "too many clients"), (StoreKind::Mysql, "Too many connections")]
    {
        let Some(street) = Street::of(impatient(store)) else { continue };
        let mut links = Vec::new();
        let refused = loop {
            match street.server().connect() {
                Ok(link) if links.len() < 200 => links.push(link),
                Ok(_) => panic!("{store} accepts every client"),
                Err(error) => break error,
            }
        };
        assert!(matches!(&refused, Error::World(why) if why.contains(words)), "{refused}");
    }
}

#[test]
fn a_wrong_password_is_told_in_the_servers_own_words() {
    for (store, words) in [
        (StoreKind::Postgres, "password authentication failed"),
        (StoreKind::Mysql, "Access denied"),
        (StoreKind::Redis, "Password authentication failed"),
    ] {
        let Some(street) = Street::of(impatient(store)) else { continue };
        let url = street.server().url();
        let wrong = match url.split_once("pass=") {
            Some((before, _)) => format!("{before}pass=wrong"),
            None => {
                let (before, rest) = url.split_once('@').unwrap();
                format!("{}:wrong@{rest}", before.rsplit_once(':').unwrap().0)
            }
        };
        let address = Address { url: Some(wrong.into()), ..Address::default() };
        match RaceTarget::open(&impatient(store), None, &address, &Control::default()) {
            Err(Error::World(why)) => assert!(why.contains(words), "{why}"),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{store} let a client in"),
        }
    }
}

/// The members of a private etcd group, by their URLs: process and whether it leads.
fn members(street: &Street) -> Vec<(String, bool)> {
    let url = street.server().url();
    let member = |url: &str| {
        let socket = Path::new(url.strip_prefix("unix://").unwrap());
        let name = socket.file_name().unwrap().to_str().unwrap();
        // Other groups have sockets of the same names in directories of their own.
        let listens = format!("--listen-client-urls unix://{name} ");
        let found = numbers(|line, cwd| line.contains(&listens) && Some(cwd) == socket.parent());
        let status = status(socket, name);
        (found[0].clone(), status["header"]["member_id"] == status["leader"])
    };
    url.split(',').map(member).collect()
}

/// What a member says of itself, over its socket.
fn status(socket: &Path, host: &str) -> serde_json::Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    let request = format!(
        "POST /v3/maintenance/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (begins, ends) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    serde_json::from_str(&answer[begins..=ends]).unwrap()
}

#[test]
fn without_a_majority_no_unit_is_sold_and_every_buyer_is_told() {
    let Some(street) = Street::of(impatient(StoreKind::Etcd)) else { return };
    let members = members(&street);
    let two: Vec<String> = members[1..].iter().map(|(process, _)| process.clone()).collect();
    let (shelves, orders, _) = street.visit_in_trouble(&[OpKind::Take], |shop| {
        signal("-STOP", &two);
        for buyer in 0..3 {
            let told = shop.say(say(buyer, TAKE));
            let words = [Failure::NoMajority, Failure::Disconnected].map(Missed::Failed).map(Err);
            assert!(words.contains(&told), "buyer {buyer} was told {told:?}");
            shop.close_attempt(buyer as usize);
        }
        signal("-CONT", &two);
        ask_until(shop, say(0, TAKE), Ok(Reply::Applied(true)));
    });
    // What no buyer was told of may have counted after all; what was sold has.
    assert!((1..=4).contains(&shelves[0]), "{shelves:?}");
    assert_eq!(orders, []);
}

#[test]
fn a_buyer_that_held_the_lease_when_the_leader_was_paused_cannot_sell_when_it_wakes() {
    let second = Duration::from_secs(1);
    let settings = Settings { lease_ttl: second, ..settings(StoreKind::Etcd) };
    let Some(street) = Street::of(settings) else { return };
    let members = members(&street);
    let leader: Vec<String> =
        members.iter().filter(|(_, leads)| *leads).map(|(process, _)| process.clone()).collect();
    assert_eq!(leader.len(), 1, "{members:?}");
    let item = Item(0);
    let (shelves, ..) = street.visit_in_trouble(&[OpKind::Lease, OpKind::Fence], |shop| {
        assert_eq!(shop.say(say(0, Op::Lease { item })), Ok(Reply::Token(1)));
        assert_eq!(shop.say(say(0, Op::ReadFenced { item, token: 1 })), Ok(Reply::Stock(5)));
        signal("-STOP", &leader);
        // The others elect a leader, who gives the first one's lease its whole time again.
        ask_until(shop, say(1, Op::Lease { item }), Ok(Reply::Token(2)));
        ask_until(shop, say(1, Op::ReadFenced { item, token: 2 }), Ok(Reply::Stock(5)));
        signal("-CONT", &leader);
        ask_until(
            shop,
            say(0, Op::WriteFenced { item, token: 1, stock: 4 }),
            Ok(Reply::Applied(false)),
        );
        ask_until(
            shop,
            say(1, Op::WriteFenced { item, token: 2, stock: 4 }),
            Ok(Reply::Applied(true)),
        );
    });
    assert_eq!(shelves[0], 4);
}
