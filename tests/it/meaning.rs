//! No flag is ignored in silence: where it means nothing it is refused, in one line that says what to change.

use oversell_sim::StoreKind;

use crate::bearing::{folder_of, ran};
use crate::servers::installed;

/// A described checkout of SQLite that asks for neither units nor stock.
const CHECKOUT: &str = "store = \"sqlite\"
schema = \"schema.sql\"
[[step]]
sql = \"UPDATE product SET stock = stock - 1 WHERE stock > 0\"
sold_out_if = \"rows = 0\"
[audit.never]
\"below zero\" = \"SELECT 1 FROM product WHERE stock < 0\"
";

const SCENARIO: &str = "strategy = \"cas\"\n[[region]]\nname = \"here\"\n[expect]\noversold = 0\n";

/// Flags that mean nothing, world by world: the command, and what is added to it.
const MEANINGLESS: [(&str, &[&str]); 14] = [
    (
        "explore -S naive",
        &[
            "--preemptions 2 --random",
            "--preemptions 2 --graph g.json",
            "--preemptions 2 --no-reduce",
            "--preemptions 2 --max-memory 1M",
            "--try isolation=serializable",
            "--try lock",
            "--same-buyer",
            "--url redis://127.0.0.1",
            "--allow-remote",
            "--allow-triggers",
            "--schedules 5",
            "--depth 3",
            "--isolation serializable",
            "--find first --graph g.json",
            "--jobs 2 --no-reduce",
            "--no-reduce --graph g.json",
            "--processes a:1,b:1 --process 1 --graph g.json",
            "--processes a:1,b:1 --process 1 --no-reduce",
            "--processes a:1,b:1 --process 1 --random",
            "--processes a:1,b:1 --process 1 --preemptions 2",
        ],
    ),
    (
        "explore -S naive --random",
        &["--max-states 5", "--max-memory 1M", "--no-reduce", "--graph g.json"],
    ),
    ("explore -S naive --random=plain", &["--depth 2"]),
    (
        "explore -S naive --buyers any",
        &[
            "--store sqlite",
            "--store mysql",
            "--url redis://127.0.0.1",
            "--allow-remote",
            "--allow-triggers",
            "--random",
            "--no-reduce",
            "--graph g.json",
            "--record r.toml",
            "--preemptions 2",
            "--try isolation=serializable",
            "--same-buyer",
            "--isolation serializable",
            "--processes a:1,b:1 --process 1",
        ],
    ),
    (
        "explore -S conditional --store sqlite",
        &[
            "--processes a:1,b:1 --process 1",
            "--buyers any",
            "--max-states 5",
            "--jobs 2 --random",
            "--random --try isolation=serializable",
            "--graph g.json",
            "--isolation read-committed",
            "--try isolation=repeatable-read",
            "--try guard",
            "--same-buyer",
            "--allow-remote",
            "--allow-triggers",
            "--crashes 1",
            "--stale-reads 1",
            "--power-cuts 1",
        ],
    ),
    ("explore -S conditional --store sqlite --random=plain", &["--depth 2"]),
    (
        "explore --checkout checkout.toml",
        &[
            "--buyers any",
            "--max-states 5",
            "--jobs 2 --random",
            "--random --preemptions 1",
            "--schedules 5",
            "--graph g.json",
            "--isolation repeatable-read",
            "--same-buyer",
            "--items 2",
            "--cart 2",
            "--qty 2",
            "--stock 2",
            "--expiries 1",
            "--declines 1",
            "--try lock",
            "--try isolation=serializable,guard",
        ],
    ),
    (
        "replay -S naive --schedule AAB",
        &["--isolation serializable", "--same-buyer", "--allow-remote", "--allow-triggers"],
    ),
    (
        "replay --schedule-file recorded.toml",
        &[
            "--store sqlite",
            "--url redis://127.0.0.1",
            "--allow-remote",
            "--allow-triggers",
            "--buyers 3",
            "--buyers any",
            "--allow-commands",
        ],
    ),
    (
        "play -S naive",
        &["--isolation serializable", "--same-buyer", "--buyers any", "--allow-remote"],
    ),
    (
        "race -S naive --buyers 5",
        &[
            "--connections 3",
            "--isolation serializable",
            "--stock-check",
            "--hold-ttl 5s",
            "--lease-ttl 5s",
            "--relaxed",
            "--advisory-locks",
            "--unit-rows",
            "--kill 1",
            "--url redis://127.0.0.1",
            "--allow-remote",
            "--crashes 1",
        ],
    ),
    (
        "race -S naive --buyers 5 --store sqlite",
        &[
            "--isolation read-committed",
            "--lease-ttl 5s",
            "--advisory-locks",
            "--unit-rows",
            "--kill 1",
            "--allow-remote",
        ],
    ),
    (
        "race --checkout checkout.toml --buyers 5",
        &[
            "--isolation read-committed",
            "--lease-ttl 5s",
            "--hold-ttl 5s",
            "--advisory-locks",
            "--unit-rows",
            "--stock-check",
            "--kill 1",
            "--qty 2",
            "--stock 2",
            "--items 2",
            "--cart 2",
        ],
    ),
    ("simulate scenario.toml", &["--hold-ttl 5s"]),
];

/// The same of scenarios and checkouts that are checked, and of servers that need be there.
const ELSEWHERE: [(StoreKind, &str, &[&str]); 4] = [
    (StoreKind::Sqlite, "check scenario.toml", &["--store sqlite", "--url x", "--allow-triggers"]),
    (StoreKind::Sqlite, "check --checkout checkout.toml", &["--junit j.xml", "--output page.html"]),
    (
        StoreKind::Redis,
        "race -S conditional --buyers 5 --store redis",
        &["--isolation serializable", "--stock-check"],
    ),
    (
        StoreKind::Redis,
        "explore -S conditional --store redis",
        &["--isolation serializable", "--try isolation=serializable"],
    ),
];

#[test]
fn a_flag_that_means_nothing_in_a_world_is_refused_there_by_name() {
    let here = folder_of(&[
        (
            "schema.sql",
            "CREATE TABLE product (id int, stock int); INSERT INTO product VALUES (1, 1);",
        ),
        ("checkout.toml", CHECKOUT),
        ("scenario.toml", SCENARIO),
    ]);
    let record = ["explore", "-S", "naive", "--record", "recorded.toml"];
    let (code, said) = ran(here.path(), &record);
    assert_eq!(code, 0, "{said}");
    let installed = installed();
    let elsewhere = ELSEWHERE.iter().filter(|(store, ..)| installed.contains(store));
    let elsewhere = elsewhere.map(|(_, command, flags)| (*command, *flags));
    let mut tried = 0;
    for (command, flags) in MEANINGLESS.into_iter().chain(elsewhere) {
        for flag in flags {
            let args: Vec<&str> = command.split(' ').chain(flag.split(' ')).collect();
            let (code, said) = ran(here.path(), &args);
            assert_eq!(code, 2, "{args:?} is not refused: {said}");
            let name = flag.split(' ').next().unwrap();
            let bare = name.trim_start_matches("--");
            assert!(said.contains(bare), "{args:?}: {said}");
            assert!(said.starts_with("error: "), "{args:?} said something before: {said}");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried}");
}
