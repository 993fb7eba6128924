//! Checkouts of one's own, described in files.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use assert_cmd::cargo::cargo_bin_cmd;
use oversell_sim::FindingKind::{self, BrokenRule, LeakedStock, LostUpdate, Oversold};
use oversell_sim::Isolation::{self, RepeatableRead, Serializable};
use oversell_sim::strategy::Strategy;
use oversell_sim::unstable::checkout::{Checkout, starter};
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::explore::{
    OrderOutcome, Plan, as_furnished, replay_orders, search_orders, server_for,
};
use oversell_sim::unstable::op::OpKind;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::Address;
use oversell_sim::{Evidence, Exploration, StoreKind};

use crate::listed::{has, miss_program};
use crate::running_shop::RunningShop;
use crate::servers::installed;

/// Bugs of real shops: the folder, what is found, and the weakest level that cures it, if one does.
const REAL_BUGS: [(&str, FindingKind, Option<Isolation>); 13] = [
    ("azuriom-285-gift-card", BrokenRule, None),
    ("be-bop-2778-one-per-buyer", BrokenRule, Some(Serializable)),
    ("django-lfs-201-cart", BrokenRule, Some(RepeatableRead)),
    ("django-oscar-2101-voucher", BrokenRule, None),
    ("django-shop-888-stock", Oversold, Some(RepeatableRead)),
    ("magento-6363-stock", Oversold, Some(Serializable)),
    ("medusa-13301-payment", BrokenRule, None),
    ("nopcommerce-4184-stock", LostUpdate, None),
    ("opencart-4811-stock", Oversold, None),
    ("prestashop-9839-cart-rule", BrokenRule, None),
    ("saleor-544-voucher", BrokenRule, None),
    ("shoppe-403-stock", Oversold, None),
    ("woocommerce-stripe-542-order", LeakedStock, None),
];

/// Orders that are run one by one where there are not too many.
const MOST_ONE_BY_ONE: u32 = 150;

fn real_bugs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/real-bugs")
}

/// The settings of a checkout, for so many of its roles' rounds.
pub(crate) fn settings(checkout: &Checkout, isolation: Option<Isolation>) -> Settings {
    let usual = Settings { buyers: 2, ..Settings::default() };
    let settings = checkout.applied(usual);
    Settings { isolation: isolation.unwrap_or(settings.isolation), ..settings }
}

/// Every order, or as many.
pub(crate) fn search(
    checkout: &Checkout,
    settings: &Settings,
    reduced: bool,
    most: u32,
) -> (Exploration, BTreeSet<OrderOutcome>) {
    let (address, control) = (Address::default(), Control::default());
    let server = server_for(checkout, settings, &address, &control).unwrap();
    let settings = as_furnished(checkout, settings.clone(), &*server).unwrap();
    let asked = AtomicU32::new(0);
    let stopped = || asked.fetch_add(1, Ordering::Relaxed) >= most;
    let plan = Plan { reduced, ..Plan::EVERYTHING };
    search_orders(checkout, &settings, &*server, plan, &stopped).unwrap()
}

pub(crate) fn explore(path: &Path, isolation: Option<Isolation>) -> Exploration {
    let checkout = Checkout::read(path).unwrap();
    search(&checkout, &settings(&checkout, isolation), true, u32::MAX).0
}

/// The bugs whose database is here, with their checkouts.
pub(crate) fn bugs_here() -> impl Iterator<Item = (PathBuf, FindingKind, Option<Isolation>)> {
    let here: Vec<StoreKind> = installed();
    REAL_BUGS.into_iter().filter_map(move |(name, kind, cure)| {
        let folder = real_bugs().join(name);
        let checkout = Checkout::read(&folder.join("broken.toml")).unwrap();
        here.contains(&checkout.store).then_some((folder, kind, cure))
    })
}

#[test]
fn every_bug_of_a_real_shop_is_found_and_its_cure_is_proved() {
    for (folder, kind, _) in bugs_here() {
        let broken = explore(&folder.join("broken.toml"), None);
        assert!(broken.amount_of(kind) > 0, "{}: {broken}", folder.display());
        assert_eq!(broken.findings[0].finding.kind, kind, "{broken}");
        let fixed = explore(&folder.join("fixed.toml"), None);
        assert_eq!(fixed.evidence, Evidence::Proved, "{}: {fixed}", folder.display());
        for report in [broken, fixed] {
            let orders = report.orders.as_ref().unwrap();
            assert!(orders.complete && orders.diverged == 0, "{report}");
            assert_eq!((report.failed, report.incidents.len()), (0, 0), "{report}");
        }
    }
}

#[test]
fn a_stronger_level_cures_the_bugs_that_are_within_one_transaction_and_no_others() {
    for (folder, _, cure) in bugs_here() {
        let broken = folder.join("broken.toml");
        let at = |level| explore(&broken, Some(level)).evidence;
        let what = folder.display();
        match cure {
            Some(level) => assert_eq!(at(level), Evidence::Proved, "{what}"),
            None => assert_eq!(at(Serializable), Evidence::Broken, "{what}"),
        }
        // And no weaker one does.
        if cure == Some(Serializable) {
            assert_eq!(at(RepeatableRead), Evidence::Broken, "{what}");
        }
    }
}

#[test]
fn the_verdict_names_the_level_that_cures_or_says_that_none_does() {
    for (folder, kind, cure) in bugs_here() {
        let checkout = Checkout::read(&folder.join("broken.toml")).unwrap();
        let begins = checkout.about().needs.contains(&OpKind::Transaction);
        let explored = run(&folder, &["explore", "--checkout", "broken.toml"]);
        let told = said(&explored);
        let words = match cure {
            Some(level) => format!(" cure            --isolation {level} (proved: "),
            None if begins => " cure            no isolation level, for it is broken at".into(),
            None => {
                assert!(!told.contains(" cure "), "{told}");
                continue;
            }
        };
        assert!(told.contains(&words), "{kind:?}: {told}");
    }
}

#[test]
fn every_bug_of_a_real_shop_has_its_folder_and_every_folder_its_line() {
    let folders = fs::read_dir(real_bugs()).unwrap().map(|entry| entry.unwrap().path());
    let folders: BTreeSet<String> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed = REAL_BUGS.into_iter().map(|(name, ..)| name.to_owned()).collect();
    assert_eq!(folders, listed);
    let page = fs::read_to_string(real_bugs().join("README.md")).unwrap();
    for name in folders {
        assert!(page.contains(&format!("[`{name}`]({name})")), "README.md lacks {name}");
    }
}

#[test]
fn of_ones_own_statements_what_is_left_out_ends_in_no_other_way() {
    let mut compared = 0;
    for (folder, ..) in bugs_here() {
        for name in ["broken.toml", "fixed.toml"] {
            let checkout = Checkout::read(&folder.join(name)).unwrap();
            let settings = settings(&checkout, None);
            let (slow, all) = search(&checkout, &settings, false, MOST_ONE_BY_ONE);
            if !slow.orders.as_ref().unwrap().complete {
                continue;
            }
            let (fast, some) = search(&checkout, &settings, true, u32::MAX);
            let what = format!("{}/{name}", folder.display());
            assert_eq!(some, all, "{what}");
            let runs = |report: &Exploration| report.orders.as_ref().unwrap().run;
            assert!(runs(&fast) <= runs(&slow), "{what}");
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn a_finding_of_ones_own_checkout_replays_to_the_same_finding() {
    for (folder, ..) in bugs_here().take(3) {
        let checkout = Checkout::read(&folder.join("broken.toml")).unwrap();
        let (address, control) = (Address::default(), Control::default());
        let settings = settings(&checkout, None);
        let server = server_for(&checkout, &settings, &address, &control).unwrap();
        let settings = as_furnished(&checkout, settings, &*server).unwrap();
        let plan = Plan::EVERYTHING;
        let (report, _) = search_orders(&checkout, &settings, &*server, plan, &|| false).unwrap();
        let first = &report.findings[0];
        let schedule = first.schedule.parse().unwrap();
        let again = replay_orders(&checkout, &settings, &*server, &schedule).unwrap();
        assert_eq!(again.findings[0].finding, first.finding);
        assert_eq!(again.findings[0].timeline, first.timeline);
    }
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    cargo_bin_cmd!("oversell-sim").current_dir(folder).args(args).output().unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn what_init_writes_runs_as_it_stands_and_is_not_written_over() {
    for store in installed().into_iter().filter(|store| *store != StoreKind::Etcd) {
        let folder = tempfile::tempdir().unwrap();
        let args = match store {
            StoreKind::Redis => vec!["init", "redis"],
            store => vec!["init", "sql", "--store", store.name()],
        };
        let written = run(folder.path(), &args);
        assert_eq!(written.status.code(), Some(0), "{}", said(&written));
        let again = run(folder.path(), &args);
        assert_eq!(again.status.code(), Some(2), "{}", said(&again));
        assert!(said(&again).contains("is there already"), "{}", said(&again));

        let file = ["--checkout", "checkout/checkout.toml"];
        let checked = run(folder.path(), &[&["check"], &file[..]].concat());
        assert_eq!(checked.status.code(), Some(0), "{store}: {}", said(&checked));
        assert!(said(&checked).contains("rejected · 1 statement"), "{}", said(&checked));
        let explored =
            run(folder.path(), &[&["explore"], &file[..], &["--expect", "oversold = 1"]].concat());
        assert_eq!(explored.status.code(), Some(0), "{store}: {}", said(&explored));
        let raced = run(
            folder.path(),
            &[&["race", "--buyers", "100", "--stock", "40"], &file[..], &["--quiet"]].concat(),
        );
        assert_eq!(raced.status.code(), Some(0), "{store}: {}", said(&raced));
        assert!(said(&raced).contains("40 units"), "{store}: {}", said(&raced));
    }
}

/// Python's own words for its version, if it is here.
fn python() -> Option<String> {
    let asked = Command::new("python3").arg("--version").output();
    let found = asked.ok().filter(|output| output.status.success());
    if found.is_none() {
        miss_program("python3 is not installed");
    }
    found.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_shop_that_init_writes_opens_and_sells_the_last_unit_twice() {
    let folder = tempfile::tempdir().unwrap();
    let written = run(folder.path(), &["init", "http", "."]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    if python().is_none() {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut shop = Command::new("python3")
        .args(["shop.py", &port.to_string()])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(shop.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let url = first.trim().rsplit(' ').next().unwrap();
    let file = ["--checkout", "checkout.toml", "--url", url];
    let checked = run(folder.path(), &[&["check"], &file[..]].concat());
    let raced = run(folder.path(), &[&["race", "--rounds", "5", "--quiet"], &file[..]].concat());
    shop.kill().unwrap();
    shop.wait().unwrap();
    assert!(said(&checked).contains("rejected · 1 statement"), "{}", said(&checked));
    assert!(said(&raced).contains("BROKEN"), "{}", said(&raced));
}

#[test]
fn a_cured_checkout_sells_every_unit_once_in_a_race() {
    let folder = real_bugs().join("opencart-4811-stock");
    if !has(StoreKind::Mysql) {
        return;
    }
    let args = "race --checkout fixed.toml --buyers 200 --rounds 3 --quiet --expect winners=1 \
                --expect findings=0";
    let raced = run(&folder, &args.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>());
    assert_eq!(raced.status.code(), Some(0), "{}", said(&raced));
}

/// A checkout in SQLite with something else in the place of what is there.
fn with(change: impl Fn(&str, String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in starter(StoreKind::Sqlite) {
        fs::write(folder.path().join(name), change(name, text)).unwrap();
    }
    folder
}

/// Every mistake, what it is changed from and to, and what is said of it.
#[test]
fn whatever_makes_no_sense_is_told_with_its_place() {
    let mut otherwise = String::new();
    let look = "SELECT stock FROM product WHERE id = :item";
    for (from, to, words) in [
        (
            "alike = true",
            "alyke = true",
            "checkout.toml:23:1: unknown key `alyke`; did you mean `alike`?",
        ),
        (
            "store  = \"sqlite\"",
            "store  = \"sqlight\"",
            "`store`: no store `sqlight`; there are memory, sqlite",
        ),
        ("store  = \"sqlite\"", "", "`store` is missing"),
        (
            "store  = \"sqlite\"",
            "store  = \"memory\"",
            "a checkout cannot run statements at memory",
        ),
        ("\"schema.sql\"", "\"shema.sql\"", "`schema`: cannot read the schema shema.sql"),
        ("stock < qty", "stok < qty", "`sold_out_if`: no value `stok` here; did you mean `stock`?"),
        ("stock < qty", "stock", "expected a comparison, such as `rows = 0`"),
        ("id = :item\"\nsave", "id = :itm\"\nsave", "no value `itm` here; did you mean `item`?"),
        ("save        = \"stock\"", "save        = \"a b\"", "`save`: `a b` is no name"),
        ("save        = \"stock\"", "save = \"qty\"", "`save`: `qty` is taken"),
        (look, "SELEC stock", "step 1, look, A: SQLite: near \"SELEC\""),
        (look, "SELECT id FROM product", "the answer has no column `stock`; it has id"),
        (
            look,
            "SELECT stock FROM product WHERE id = 7",
            "there is no row, and `stock` is to be saved",
        ),
        (
            "\"UPDATE product SET stock = :stock\",",
            "\"UPDATE product SET stock = :stick\",",
            "did you mean `stock`?",
        ),
        (
            "\"UPDATE product SET stock = :stock\",",
            "\"UPDATE produce SET stock = 1\",",
            "`setup`: SQLite: no such table: produce",
        ),
        (
            "SELECT id, stock FROM product",
            "SELECT id, 'many' FROM product",
            "`audit.stock`: `many` is no number of units",
        ),
        (
            "SELECT buyer, product, qty",
            "SELECT buyer, 7, qty",
            "`audit.orders`: a line is of the product 7",
        ),
        (
            "orders = \"SELECT",
            "ordered = \"SELECT",
            "unknown key `ordered`; did you mean `orders`?",
        ),
        (
            "sold_out_if = \"stock < qty\"",
            "conflict_if = \"qty = 1\"",
            "has said 1000 statements without an end",
        ),
        (
            "name = \"take\"\nsql",
            "name = \"take\"\nredis",
            "`redis` means nothing to sqlite; write `sql`",
        ),
        ("sold_out_if = \"stock < qty\"", "if_refused = \"soldout\"", "did you mean `sold_out`?"),
        (
            "sold_out_if = \"stock < qty\"",
            "json = { id = \"$.id\" }",
            "`json` belongs to `http`, and this step has `sql`",
        ),
    ] {
        let folder = with(|name, text| match name {
            "checkout.toml" => {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            }
            _ => text,
        });
        let output = run(folder.path(), &["explore", "--checkout", "checkout.toml"]);
        let told = said(&output);
        if output.status.code() != Some(2) || !told.contains(words) {
            otherwise += &format!("{to}\n{words}\n{told}\n");
        }
    }
    assert!(otherwise.is_empty(), "{otherwise}");
}

#[test]
fn a_file_that_makes_no_sense_to_the_server_is_named() {
    for (file, text, words) in [
        ("schema.sql", "CREATE TABLE product (", "schema.sql:1: SQLite: incomplete input"),
        (
            "seed.sql",
            "\nINSERT INTO nowhere VALUES (1);",
            "seed.sql:2: SQLite: no such table: nowhere",
        ),
    ] {
        let folder = with(|name, before| if name == file { text.to_owned() } else { before });
        let output = run(folder.path(), &["check", "--checkout", "checkout.toml"]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}

/// A schema whose third statement is no SQL in its third line, and one whose third statement breaks a rule.
const WRONG_SCHEMAS: [(&str, &str, &str); 2] = [
    (
        "-- The shop\nCREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL);\n\nCREATE TABLE purchase (\n  \
         a_long_name_of_a_column INTEGER,\n  another_long_name_of_a_column INTEGER,\n  qty INTEGER NOT NUL\n);\n\
         CREATE TABLE never_reached (id INTEGER);\n",
        "schema.sql:7: ",
        "`CREATE TABLE purchase ( a_long_name_of_a_column INTEGER, ano…`",
    ),
    (
        "-- The shop\nCREATE TABLE product (id INTEGER PRIMARY KEY, stock INTEGER NOT NULL);\n\nINSERT INTO product VALUES (1, \
         1);\n-- Twice\nINSERT INTO product\n  VALUES (1, 1);\nCREATE TABLE never_reached (id INTEGER);\n",
        "schema.sql:6: ",
        "`INSERT INTO product VALUES (1, 1)`",
    ),
];

#[test]
fn a_statement_of_a_file_that_is_wrong_is_told_by_its_line_and_its_beginning() {
    for store in installed().into_iter().filter(|store| store.is_sql()) {
        for (schema, place, statement) in WRONG_SCHEMAS {
            let folder = with(|name, before| match name {
                "schema.sql" => schema.to_owned(),
                _ => before,
            });
            let args = ["check", "--checkout", "checkout.toml", "--store", store.name()];
            let output = run(folder.path(), &args);
            assert_eq!(output.status.code(), Some(2), "{store}: {}", said(&output));
            let (said, lines) = (said(&output), said(&output).trim().lines().count());
            assert!(said.contains(place) && said.contains(statement), "{store}: {said}");
            assert!(lines == 1 && !said.contains("never_reached"), "{store}: {said}");
        }
    }
}

#[test]
fn flags_that_mean_nothing_to_a_file_are_refused() {
    let folder = with(|_, text| text);
    for (args, words) in [
        ("explore --checkout checkout.toml --items 2", "--items means nothing to a checkout"),
        ("explore --checkout checkout.toml --declines 1", "--declines means nothing to a checkout"),
        ("explore --checkout checkout.toml --buyers any", "they have to be counted"),
        ("explore --checkout checkout.toml --store redis", "is written for sqlite"),
        ("explore --checkout checkout.toml --store etcd", "is written for sqlite"),
        ("race --checkout checkout.toml --unit-rows", "--unit-rows is about tables of ours"),
        ("explore --checkout nowhere.toml", "cannot read the checkout nowhere.toml"),
        ("check --checkout checkout.toml --store memory", "is written for sqlite"),
        ("init sql --store redis", "redis does not speak SQL"),
        ("explore --strategy naive --url mine.sqlite", "name the server with --store"),
    ] {
        let output = run(folder.path(), &args.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2), "{args}: {}", said(&output));
        assert!(said(&output).contains(words), "{args}: {}", said(&output));
    }
    let checkout =
        with(|_, text| text.replace("stock = 1\nsetup", "setup").replace(":stock\",", "1\","));
    let output = run(checkout.path(), &["explore", "--checkout", "checkout.toml", "--stock", "3"]);
    assert!(said(&output).contains("does not ask for it"), "{}", said(&output));
}

#[test]
fn a_file_that_is_named_by_its_url_is_gone_afterwards() {
    let folder = with(|_, text| text);
    let output =
        run(folder.path(), &["explore", "--checkout", "checkout.toml", "--url", "mine.sqlite"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn a_recording_names_the_file_and_replays() {
    // Where units are not counted, too.
    let folder = with(|name, text| match name {
        "checkout.toml" => {
            let audit = text.find("[audit]").unwrap();
            let never = text.find("[audit.never]").unwrap();
            let rule = "\n\"two sold\" = \"SELECT product FROM purchase GROUP BY product HAVING COUNT(*) > 1\"\n";
            format!("{}{}{rule}", &text[..audit], &text[never..])
        }
        _ => text,
    });
    record_and_replay(folder.path(), "broken_rule = 1");
    record_and_replay(with(|_, text| text).path(), "oversold = 1");
}

fn record_and_replay(folder: &Path, expected: &str) {
    let recorded =
        run(folder, &["explore", "--checkout", "checkout.toml", "--record", "found.toml"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", said(&recorded));
    let replayed = run(folder, &["replay", "--schedule-file", "found.toml", "--expect", expected]);
    assert_eq!(replayed.status.code(), Some(0), "{}", said(&replayed));
}

/// A running shop's checkout, in a folder of its own, with something else in the place of what is there.
fn with_http(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in starter(StoreKind::Http) {
        if name == "checkout.toml" {
            assert!(text.contains(from), "{from}");
        }
        fs::write(folder.path().join(name), text.replacen(from, to, 1)).unwrap();
    }
    folder
}

#[test]
fn a_running_shop_is_raced_as_it_is_over_connections_that_are_kept() {
    let folder = with_http("", "");
    for is_safe in [true, false] {
        let shop = RunningShop::open(is_safe);
        let race = "race --checkout checkout.toml --buyers 400 --stock 40 --rounds 5 --quiet --url";
        let args = [&race.split(' ').collect::<Vec<_>>()[..], &[shop.url.as_str()]].concat();
        let raced = run(folder.path(), &args);
        assert_eq!(raced.status.code(), Some(0), "{}", said(&raced));
        let words = if is_safe { "200 units, 200 sold" } else { "BROKEN" };
        assert!(said(&raced).contains(words), "{}", said(&raced));
        // Ten for buyers, two for the rehearsal, one for the audit: however many requests there were.
        let connections = shop.connections.load(Ordering::Relaxed);
        assert!(connections <= 13, "{connections}");
    }
}

#[test]
fn what_makes_no_sense_to_a_running_shop_is_told_with_its_place() {
    let shop = RunningShop::open(true);
    for (from, to, words) in [
        ("POST /checkout", "POST /checkup", "step 1, checkout, A: the shop answers 500"),
        ("GET /stock", "GET /stick", "`audit.stock`: the shop answers 500"),
        ("GET /orders", "SELECT 1", "expected a request, such as `GET /stock`"),
        ("POST /checkout", "/checkout", "expected a method and a path, such as `POST /checkout`"),
        ("POST /checkout", "POST checkout", "expected a path behind POST"),
        ("Idempotency-Key: {key}", "Idempotency-Key", "`headers`: expected a name and a value"),
        ("{qty}}'", "{qyt}}'", "no value `qyt` here; did you mean `qty`?"),
        ("\"order?\"", "\"orders\"", "the answer has no column `orders`; it has order, status"),
        ("http        =", "sql         =", "`sql` means nothing to http; write `http`"),
    ] {
        let folder = with_http(from, to);
        let args = ["check", "--checkout", "checkout.toml", "--url", &shop.url];
        let output = run(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", said(&output));
        assert!(said(&output).contains(words), "{to}: {}", said(&output));
    }
    let folder = with_http("", "");
    for (args, code, words) in [
        ("explore --checkout checkout.toml", 2, "cannot be held from here; race it"),
        ("race --checkout checkout.toml --url http://shop.example/", 2, "is not on this machine"),
        (
            "race --checkout checkout.toml --url ftp://localhost/",
            2,
            "expected http://localhost:8080",
        ),
        (
            "race --checkout checkout.toml --url http://127.0.0.1:1",
            3,
            "http://127.0.0.1:1: the shop: ",
        ),
        ("race --checkout checkout.toml --kill 1 --url http://127.0.0.1:1", 2, "--kill"),
    ] {
        let output = run(folder.path(), &args.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(code), "{args}: {}", said(&output));
        assert!(said(&output).contains(words), "{args}: {}", said(&output));
    }
}

#[test]
fn a_running_shop_may_be_reset_and_audited_in_its_own_database() {
    let folder = with_http(
        "setup = [\n    \"POST /reset?stock={stock}\",\n]",
        "setup = \"POST /reset?stock={stock}\"",
    );
    let file = folder.path().join("checkout.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        + "\n[audit.never]\n\"a row\" = \"SELECT x FROM t WHERE x > 1\"\n\
                       [database]\nstore = \"sqlite\"\nurl = \"shop.sqlite\"\n";
    fs::write(&file, text).unwrap();
    let shop = RunningShop::open(true);
    let raced = || {
        let args = ["race", "--checkout", "checkout.toml", "--quiet", "--url", &shop.url];
        said(&run(folder.path(), &args))
    };
    assert!(raced().contains("shop.sqlite: "), "there is no file yet: {}", raced());
    let database = rusqlite::Connection::open(folder.path().join("shop.sqlite")).unwrap();
    database.execute_batch("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1);").unwrap();
    assert!(raced().contains("SAFE SO FAR"), "{}", raced());
    database.execute_batch("INSERT INTO t VALUES (2);").unwrap();
    assert!(raced().contains("broken rule"), "{}", raced());
}

/// The starter, on the database that is built in: the same words everywhere.
#[test]
fn the_starter_is_told_like_this() {
    let folder = with(|_, text| text);
    let told = |args: &[&str]| {
        let output = run(folder.path(), &[args, &["--checkout", "checkout.toml"]].concat());
        // How long it took is never the same.
        let said = said(&output);
        let lines = said.lines().filter(|line| !line.contains("orders a second"));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("starter_checked", told(&["check"]));
    insta::assert_snapshot!("starter_explored", told(&["explore", "--find", "all"]));
}

#[test]
fn without_a_seed_what_the_schema_puts_there_is_there_every_time() {
    let databases = installed().into_iter().filter(|store| store.is_sql());
    for store in databases {
        let folder = with(|name, text| match name {
            "checkout.toml" => text
                .replace("seed   = \"seed.sql\"", "")
                .replace("store  = \"sqlite\"", &format!("store = \"{store}\"")),
            "schema.sql" => {
                let view = "CREATE VIEW sold AS SELECT SUM(qty) AS units FROM purchase;";
                text + "INSERT INTO product (id, stock) VALUES (1, 1);" + view
            }
            _ => text,
        });
        let output = run(
            folder.path(),
            &[
                "explore",
                "--checkout",
                "checkout.toml",
                "--expect",
                "oversold = 1",
                "--find",
                "all",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{store}: {}", said(&output));
        assert!(!said(&output).contains("not as before"), "{store}: {}", said(&output));
    }
}

/// Every try is written down before it fails: one that comes to nothing is not as if it had never been.
#[test]
fn an_attempt_that_has_committed_something_and_begins_again_is_not_in_vain() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("schema.sql", "CREATE TABLE tries (n INT); CREATE TABLE t (v INT);");
    write("seed.sql", "INSERT INTO t VALUES (0);");
    write(
        "checkout.toml",
        "store = \"postgres\"\nschema = \"schema.sql\"\nseed = \"seed.sql\"\nbuyers = 2\n\
         [[role]]\nname = \"tries\"\n\
         [[role.step]]\nsql = \"BEGIN\"\n\
         [[role.step]]\nsql = \"INSERT INTO tries VALUES (1)\"\n\
         [[role.step]]\nsql = \"COMMIT\"\n\
         [[role.step]]\nsql = \"SELECT v FROM t\"\nsave = \"v\"\n\
         [[role.step]]\nsql = \"UPDATE t SET v = v + 1 WHERE v = :v\"\nconflict_if = \"rows = 0\"\n\
         [[role]]\nname = \"moves\"\n\
         [[role.step]]\nsql = \"UPDATE t SET v = v + 1\"\n\
         [[role.step]]\nsql = \"UPDATE t SET v = v + 1\"\n\
         [audit.never]\nthree = \"SELECT COUNT(*) FROM tries HAVING COUNT(*) > 2\"\n",
    );
    let output = run(
        folder.path(),
        &["explore", "--checkout", "checkout.toml", "--expect", "broken_rule = 1"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// A finding on one and the same file that two roles make: who is who is told.
#[test]
fn roles_are_told_by_name() {
    let folder = with(|name, text| match name {
        "checkout.toml" => {
            let steps = text.find("[[step]]").unwrap();
            let audit = text.find("# The audit asks").unwrap();
            let role = |name: &str, buys: bool| {
                let step = "[[role.step]]\nsql = \"UPDATE product SET stock = stock - 1\"\n";
                let order = "[[role.step]]\nsql = \"INSERT INTO purchase VALUES (:buyer, 1, 1)\"\n";
                let order = if buys { order } else { "" };
                format!("[[role]]\nname = \"{name}\"\nbuys = {buys}\n{step}{order}\n")
            };
            let roles = role("customer", true) + &role("webhook", false);
            format!("buyers = 4\n{}{roles}{}", &text[..steps], &text[audit..])
                .replace("stock = 1\n", "stock = 2\n")
        }
        _ => text,
    });
    let output = run(folder.path(), &["explore", "--checkout", "checkout.toml"]);
    let who = " who             A customer of customer 1 · B webhook of customer 1 · C customer of customer 2 \
               · D webhook of customer 2\n";
    assert!(said(&output).contains(who), "{}", said(&output));
    assert!(said(&output).contains("the shelf fell by 4, but 2 units sold"), "{}", said(&output));
}

#[test]
fn a_person_schedules_a_described_checkout_on_its_server() {
    let folder = with(|_, text| text);
    let play = |lines: &str| {
        let output = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin("oversell-sim"))
            .current_dir(folder.path())
            .args(["play", "--checkout", "checkout.toml"])
            .write_stdin(lines)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = play("a\nb\nundo\nb\nababab\n");
    assert!(said.contains("A: about to send"), "{said}");
    assert!(said.contains("Broken: 2 units promised, 1 in stock."), "{said}");
    assert!(play("hint\n").contains("hints are for the model"));
    // To take back the last step when all have left is to run all but it again.
    let lost = play("aaa\nb\nundo\nquit\n");
    assert!(lost.contains("all buyers have left"), "{lost}");
    assert!(lost.contains("Not broken this time"), "{lost}");
}
