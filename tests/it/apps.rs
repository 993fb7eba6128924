//! Running applications, unmodified, with a proxy between them and their databases.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::{fs, str};

use assert_cmd::cargo::cargo_bin_cmd;
use oversell_sim::StoreKind::{self, Mysql, Postgres, Redis};
use oversell_sim::unstable::app::{App, starter};
use serde_json::Value;

use crate::listed::has;
use crate::shops::{Place, place, shops};

/// The shop that `init app` writes, in a folder that is removed afterwards.
fn begun() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in starter() {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A place for a language, if its servers are there, too.
pub(crate) fn ready(language: &str, stores: &[StoreKind]) -> Option<Place> {
    match stores.iter().all(|store| has(*store)) {
        true => place(language),
        false => None,
    }
}

pub(crate) fn run(place: &Place, env: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = cargo_bin_cmd!("oversell-sim");
    command.env("PATH", &place.path).env("NODE_PATH", &place.modules);
    command.envs(env.iter().copied()).args(args);
    command.output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// What a search reports.
pub(crate) fn search(place: &Place, env: &[(&str, &str)], file: &Path, args: &[&str]) -> Value {
    let file = file.display().to_string();
    let mut all = vec!["explore", "--app", &file, "--format", "json"];
    all.extend(args);
    let output = run(place, env, &all);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn findings(report: &Value) -> Vec<&str> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn a_search_of_two_copies_of_an_application_says_the_same_as_of_one() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let of = |args: &[&str], jobs| {
        let more = ["--find", "all", "--seed", "1", "--jobs", jobs];
        search(&place, &[], &file, &[args, &more].concat())
    };
    for args in [&[][..], &["--no-reduce"]] {
        let one = of(args, "1");
        assert_eq!(of(args, "2"), one, "{args:?}");
        assert_eq!(one["evidence"], "broken");
    }
}

#[test]
fn an_application_that_fixes_where_it_listens_has_no_copies() {
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let text = fs::read_to_string(&file).unwrap();
    let path = std::env::var("PATH").unwrap();
    let place = Place { path, modules: String::new().into(), folder: String::new().into() };
    for (from, to, words) in [
        (
            "127.0.0.1:{port}\"",
            "127.0.0.1:8000\"",
            "--jobs: copies of an application need a port each",
        ),
        (
            "[upstream.postgres]",
            "[upstream.postgres]\nlisten = 5000",
            "leave out `listen`, or --jobs",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replace(from, to)).unwrap();
        let name = file.display().to_string();
        let output = run(&place, &[], &["explore", "--app", &name, "--jobs", "2"]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

/// All orders of two buyers who look, write, write and commit, where the others wait for the one that writes until it has committed:
/// how many there are, and in how many both look before either commits.
fn by_arithmetic() -> (u64, u64) {
    #[derive(Clone, Copy)]
    struct State {
        done: [u8; 2],
        waits: [bool; 2],
        saw_none: [bool; 2],
    }
    fn follow(state: State) -> (u64, u64) {
        let State { done, waits, saw_none } = state;
        let mut sums = (0, 0);
        let mut is_over = true;
        for buyer in 0..2 {
            let other = 1 - buyer;
            if done[buyer] == 4 || waits[buyer] || saw_none[buyer] {
                continue;
            }
            is_over = false;
            let mut next = state;
            let other_writes = (2..4).contains(&done[other]);
            match done[buyer] {
                0 => {
                    next.saw_none[buyer] = done[other] == 4;
                    next.done[buyer] = 1;
                }
                1 if other_writes => next.waits[buyer] = true,
                3 => {
                    next.done[buyer] = 4;
                    if waits[other] {
                        (next.waits[other], next.done[other]) = (false, 2);
                    }
                }
                _ => next.done[buyer] += 1,
            }
            let (orders, broken) = follow(next);
            sums = (sums.0 + orders, sums.1 + broken);
        }
        match is_over {
            true => (1, u64::from(done == [4, 4])),
            false => sums,
        }
    }
    follow(State { done: [0; 2], waits: [false; 2], saw_none: [false; 2] })
}

#[test]
fn every_order_of_a_shop_in_python_is_run_as_many_as_arithmetic_says() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let all = search(&place, &[], &file, &["--no-reduce", "--find", "all"]);
    let (orders, broken) = by_arithmetic();
    assert_eq!((orders, broken), (24, 22));
    assert_eq!(all["orders"]["run"], orders);
    assert_eq!(all["orders"]["broken"], broken);
    assert_eq!(all["orders"]["diverged"], 0);
    let some = search(&place, &[], &file, &["--find", "all"]);
    assert_eq!(some["orders"]["outcomes"], all["orders"]["outcomes"]);
    assert_eq!(findings(&some), findings(&all));
    assert!(some["orders"]["run"].as_u64().unwrap() < orders);
}

#[test]
fn a_lock_on_the_row_cures_it_and_so_does_a_stronger_level() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    for buyers in ["2", "3"] {
        let cured = search(&place, &[("LOCK", "1")], &file, &["--buyers", buyers]);
        assert_eq!(cured["evidence"], "proved", "{buyers}");
    }
    let broken = search(&place, &[], &file, &["--try", "isolation=serializable"]);
    assert_eq!(broken["evidence"], "broken");
    assert_eq!(broken["findings"][0]["why"]["reach"], "level");
    let tried = &broken["cures"][0];
    assert_eq!(tried["evidence"], "proved");
    assert!(tried["failed"].as_u64().unwrap() > 0, "one buyer comes too late: {tried}");
}

#[test]
fn a_schedule_comes_out_the_same_when_it_is_replayed_and_a_race_goes_without_the_proxy() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml").display().to_string();
    let args = ["replay", "--app", &file, "--buyers", "2", "--schedule", "ABBBBAAA"];
    let again = run(&place, &[], &[&args[..], &["--expect", "oversold = 1"]].concat());
    assert!(again.status.success(), "{}", stderr(&again));
    let record = folder.path().join("schedule.toml").display().to_string();
    let searched = run(&place, &[], &["explore", "--app", &file, "--record", &record]);
    assert!(searched.status.success(), "{}", stderr(&searched));
    let args = ["replay", "--schedule-file", &record, "--expect", "oversold = 1"];
    for named in [&["--app", &file][..], &["--allow-commands"]] {
        let recorded = run(&place, &[], &[&args[..], named].concat());
        assert!(recorded.status.success(), "{}", stderr(&recorded));
    }
    let wrong = run(&place, &[], &["replay", "--app", &file, "--schedule", "C"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    let args = ["race", "--app", &file, "--buyers", "10", "--expect", "undersold = 0"];
    let raced = run(&place, &[("LOCK", "1")], &[&args[..], &["--expect", "winners = 1"]].concat());
    assert!(raced.status.success(), "{}", stderr(&raced));
}

#[test]
fn a_schedule_file_runs_no_program_of_an_application_that_only_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "shop.toml",
        "[app]\nsetup = [[\"touch\", \"was-run\"]]\n[upstream.redis]\n\
         [[step]]\ncommand = [\"touch\", \"was-run\"]\n[audit]\nstock = \"GET http://127.0.0.1/\"\n",
    );
    write("found.toml", "strategy = \"shop.toml\"\nsteps = 2\nschedule = \"AB\"\n");
    let replay = |more: &[&str]| {
        let mut command = cargo_bin_cmd!("oversell-sim");
        command.args(["replay", "--schedule-file", "found.toml"]).args(more);
        command.current_dir(folder.path()).output().unwrap()
    };
    let refused = replay(&[]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    for words in
        ["found.toml names the application shop.toml", "--app shop.toml", "--allow-commands"]
    {
        assert!(stderr(&refused).contains(words), "{}", stderr(&refused));
    }
    assert!(!folder.path().join("was-run").exists());
    // An application that the command line names may run: there is nothing to allow.
    let needless = replay(&["--app", "shop.toml", "--allow-commands"]);
    assert!(
        stderr(&needless).contains("--allow-commands: the schedule's file names no"),
        "{}",
        stderr(&needless)
    );
}

#[test]
fn a_schema_that_is_wrong_is_told_by_its_line_whatever_client_runs_it() {
    for (store, url, line) in [(Postgres, "postgres", 3), (Mysql, "mysql", 2)] {
        if !has(store) {
            continue;
        }
        let folder = begun();
        let file = folder.path().join("shop.toml");
        let text = fs::read_to_string(&file).unwrap().replace("postgres", url);
        fs::write(&file, text).unwrap();
        let schema = "-- The shop\nCREATE TABLE product (\n  id INTEGER NOT NUL\n);\n";
        fs::write(folder.path().join("schema.sql"), schema).unwrap();
        let mut command = cargo_bin_cmd!("oversell-sim");
        let output = command.arg("doctor").arg("--app").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{store}: {}", stderr(&output));
        let told = stderr(&output);
        // psql counts to the end of the statement, and MariaDB's client to its beginning.
        let is_near = (line..=4).any(|line| told.contains(&format!("schema.sql:{line}: ")));
        assert!(
            is_near && told.contains("in `CREATE TABLE product ( id INTEGER NOT NUL )`"),
            "{store}: {told}"
        );
    }
}

#[test]
fn an_application_is_compared_with_its_cure() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml").display().to_string();
    let cured = folder.path().join("cured.toml").display().to_string();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&cured, text.replace("env     = {", "env     = { LOCK = \"1\",")).unwrap();
    let args = ["compare", "--app", &file, "--app", &cured, "--buyers", "6", "--rounds", "3"];
    let compared = run(&place, &[], &[&args[..], &["--warmup", "1", "--format", "json"]].concat());
    assert!(compared.status.success(), "{}", stderr(&compared));
    let report: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let contenders = report["contenders"].as_array().unwrap();
    let names: Vec<&Value> = contenders.iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["shop.toml", "cured.toml"]);
    for one in contenders {
        assert_eq!(
            (&one["run"]["rounds"], one["values"].as_array().unwrap().len()),
            (&4.into(), 3)
        );
    }
    // A race may miss what is wrong with the first; the second has nothing wrong.
    assert_eq!(contenders[1]["run"]["figures"]["oversold"], 0);
    let again = report["again"].as_str().unwrap();
    assert_eq!(again.matches(" --app ").count(), 2, "{again}");
    let refused = run(&place, &[], &[&args[..], &["--store", "postgres"]].concat());
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--store: an application's file says itself"));
}

#[test]
fn a_shop_in_rust_is_broken_and_cured_through_prepared_statements() {
    let Some(place) = ready("rust", &[Postgres]) else { return };
    let file = shops().join("rust/shop.toml");
    let broken = search(&place, &[], &file, &[]);
    assert_eq!(findings(&broken), ["oversold", "negative_stock"]);
    let text = broken.to_string();
    assert!(text.contains("WHERE id = 1"), "values are told: {text}");
    let cured = search(&place, &[("CURE", "conditional")], &file, &[]);
    assert_eq!(cured["evidence"], "proved");
}

#[test]
fn a_shop_in_node_on_mysql_is_broken_and_cured_over_a_pool() {
    let Some(place) = ready("node", &[Mysql]) else { return };
    let file = shops().join("node/mysql.toml");
    let broken = search(&place, &[], &file, &[]);
    assert_eq!(findings(&broken), ["oversold", "lost_update"]);
    assert_eq!(broken["isolation"], "repeatable-read");
    let cured = search(&place, &[("CURE", "lock")], &file, &[]);
    assert_eq!(cured["evidence"], "proved");
    assert_eq!(cured["orders"]["diverged"], 0);
}

#[test]
fn statements_to_two_databases_feed_one_chooser_and_a_shared_connection_is_no_proof() {
    let Some(place) = ready("node", &[Mysql, Redis]) else { return };
    let file = shops().join("node/redis.toml");
    let broken = search(&place, &[], &file, &[]);
    assert!(findings(&broken).contains(&"oversold"));
    assert_eq!(broken["findings"][0]["why"]["table"], "left:1");
    let cured = search(&place, &[("CURE", "atomic")], &file, &[]);
    assert_eq!(cured["evidence"], "not seen");
    let remark = cured["remarks"][0].as_str().unwrap();
    assert!(remark.contains("a connection that buyers share"), "{remark}");
}

#[test]
fn django_oscar_as_it_comes_sells_its_last_unit_twice_within_two_preemptions() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("oscar/shop.toml");
    let broken = search(&place, &[], &file, &["--preemptions", "2"]);
    assert_eq!(findings(&broken)[0], "oversold");
    let orders = &broken["orders"];
    assert!(orders["first_broken"].as_u64().unwrap() <= 3, "{orders}");
    assert!(orders["preemptions"].as_u64().unwrap() <= 2, "{orders}");
    assert_eq!(orders["diverged"], 0, "{orders}");
    let why = &broken["findings"][0]["why"];
    assert_eq!((&why["table"], &why["reach"]), (&"partner_stockrecord".into(), &"scope".into()));
    // The conflicting statements are told whole, and most of the others together.
    let rows = broken["findings"][0]["timeline"].as_array().unwrap();
    assert!(rows.len() < 20, "{}", rows.len());
}

#[test]
fn django_oscar_with_a_lock_in_its_checkout_is_proved() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let cured = search(&place, &[], &shops().join("oscar/cured.toml"), &[]);
    assert_eq!(findings(&cured), Vec::<&str>::new());
    assert_eq!(cured["evidence"], "proved", "{}", cured["remarks"]);
    assert_eq!(cured["orders"]["diverged"], 0);
}

#[test]
fn django_oscars_voucher_that_can_be_used_once_is_not_used_twice_within_one_preemption() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let voucher = search(&place, &[], &shops().join("oscar/voucher.toml"), &["--preemptions", "1"]);
    assert_eq!(findings(&voucher), Vec::<&str>::new());
    assert_eq!(voucher["orders"]["preemptions"], 1);
}

/// A published shop that sells its last unit twice, as it comes, with all that it does by itself; and the table in which it
/// looks at its stock. The schedule that shows it is replayed.
fn sells_its_last_unit_twice(shop: &str, table: &str) {
    let Some(place) = ready(shop, &[Postgres]) else { return };
    let file = place.folder.join("shop.toml");
    let found = || {
        let broken = search(&place, &[], &file, &["--max-time", "120s"]);
        assert_eq!(findings(&broken)[0], "oversold");
        let told = &broken["findings"][0];
        assert_eq!(told["why"]["table"], table, "{}", told["why"]);
        told["schedule"].as_str().unwrap().to_owned()
    };
    let replays = |schedule: &str| {
        let file = file.display().to_string();
        let args = ["replay", "--app", &file, "--buyers", "2", "--schedule", schedule];
        run(&place, &[], &[&args[..], &["--expect", "oversold = 1"]].concat()).status.success()
    };
    // A published shop has clocks and time-outs of its own, which a busy machine can set off: in a replay, and in the search
    // that has found the schedule.
    let is_replayed = (0..3).any(|_| {
        let schedule = found();
        (0..3).any(|_| replays(&schedule))
    });
    assert!(is_replayed, "no schedule of three searches");
}

#[test]
fn vendure_with_its_job_queue_sells_its_last_unit_twice() {
    sells_its_last_unit_twice("vendure", "stock_level");
}

#[test]
fn evershop_with_its_subscribers_and_cron_jobs_sells_its_last_unit_twice() {
    sells_its_last_unit_twice("evershop", "product_inventory");
}

#[test]
fn a_double_click_that_orders_twice_is_found() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let schema = folder.path().join("schema.sql");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("(1, 1)", "(1, 10)")).unwrap();
    let file = folder.path().join("shop.toml");
    let twice = search(&place, &[("LOCK", "1")], &file, &["--same-buyer"]);
    assert_eq!(findings(&twice)[0], "order_without_receipt");
    let again = twice["findings"][0]["again"].as_str().unwrap();
    assert!(again.contains("--same-buyer"), "{again}");
}

#[test]
fn everything_can_be_put_back_in_the_files_own_words() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let script = "import os, psycopg2\n\
                  connection = psycopg2.connect(os.environ['DATABASE_URL'])\n\
                  connection.cursor().execute('DELETE FROM purchase; UPDATE product SET stock = 1')\n\
                  connection.commit()\n";
    fs::write(folder.path().join("reset.py"), script).unwrap();
    let file = folder.path().join("shop.toml");
    let kept = fs::read_to_string(&file).unwrap();
    for reset in [
        "command = [\"python3\", \"reset.py\"]",
        "sql = [\"DELETE FROM purchase\", \"UPDATE product SET stock = 1\"]",
    ] {
        fs::write(&file, kept.replace("[audit]", &format!("[reset]\n{reset}\n\n[audit]"))).unwrap();
        let report = search(&place, &[], &file, &["--preemptions", "1"]);
        assert_eq!(findings(&report)[0], "oversold", "{reset}");
        assert_eq!(report["orders"]["diverged"], 0, "{reset}");
    }
}

#[test]
fn a_schema_is_loaded_by_the_servers_own_client_and_its_mistake_told_with_its_line() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    // As pg_dump writes it.
    let dump = "\\restrict abc\n\
                SELECT pg_catalog.set_config('search_path', '', false);\n\
                CREATE TABLE public.product (id int PRIMARY KEY, stock int NOT NULL);\n\
                CREATE TABLE public.purchase (id serial PRIMARY KEY, buyer int NOT NULL, product int NOT NULL);\n\
                COPY public.product (id, stock) FROM stdin;\n1\t1\n\\.\n\
                \\unrestrict abc\n";
    let schema = folder.path().join("schema.sql");
    let file = folder.path().join("shop.toml").display().to_string();
    let doctor = |text: &str| {
        fs::write(&schema, text).unwrap();
        run(&place, &[], &["doctor", "--app", &file])
    };
    let ready = doctor(dump);
    assert!(String::from_utf8_lossy(&ready.stdout).contains("READY"), "{}", stderr(&ready));
    let wrong = doctor(&dump.replace("stock int NOT NULL", "stock integr"));
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
    let told = ["schema.sql:3: ERROR:", "\"integr\" does not exist"];
    assert!(told.iter().all(|told| stderr(&wrong).contains(told)), "{}", stderr(&wrong));
}

#[test]
fn a_mysql_schema_may_set_its_delimiter() {
    let Some(place) = ready("node", &[Mysql]) else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in ["mysql.toml", "shop.js", "schema.sql"] {
        fs::copy(shops().join("node").join(name), folder.path().join(name)).unwrap();
    }
    let schema = folder.path().join("schema.sql");
    let text = fs::read_to_string(&schema).unwrap();
    let procedure =
        "DELIMITER //\nCREATE PROCEDURE idle() BEGIN SELECT 1; SELECT 2; END//\nDELIMITER ;\n";
    fs::write(&schema, text + procedure).unwrap();
    let file = folder.path().join("mysql.toml").display().to_string();
    let ready = run(&place, &[], &["doctor", "--app", &file]);
    assert!(String::from_utf8_lossy(&ready.stdout).contains("READY"), "{}", stderr(&ready));
}

#[test]
fn a_lock_of_the_applications_own_is_waited_for_and_told() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml");
    let safe = search(&place, &[("MODE", "mutex")], &file, &["--preemptions", "1"]);
    assert_eq!(findings(&safe), Vec::<&str>::new());
    let remarks = safe["remarks"].to_string();
    assert!(remarks.contains("a lock of the application's own"), "{remarks}");
}

#[test]
fn code_that_is_only_slow_is_no_deadlock_and_nothing_is_proved_of_it() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::copy(shops().join("python/odd.py"), folder.path().join("odd.py")).unwrap();
    let file = folder.path().join("odd.toml");
    let text = fs::read_to_string(shops().join("python/odd.toml")).unwrap();
    let schema = shops().join("schema.sql").display().to_string();
    let text = text.replace("../schema.sql", &schema);
    fs::write(&file, text.replace("unseen_after = \"1s\"", "unseen_after = \"100ms\"")).unwrap();
    let slow = search(&place, &[("MODE", "slow")], &file, &["--preemptions", "1"]);
    assert_eq!(findings(&slow), Vec::<&str>::new());
    assert_eq!(slow["evidence"], "vacuous");
    let stalled = &slow["incidents"][0];
    assert_eq!(stalled["kind"], "stalled", "{slow}");
    let proof = stalled["proof"].as_str().unwrap();
    assert!(
        proof.contains("sent no statement for 1.0 s, and no other buyer could move"),
        "{proof}"
    );
    let none = "no buyer bought anything in any order";
    assert_eq!((&slow["incomplete"], &slow["orders"]["preemptions"]), (&none.into(), &Value::Null));
    assert!(slow["remarks"].to_string().contains("not judged"), "{}", slow["remarks"]);
    let schedule = stalled["schedule"].as_str().unwrap();
    let name = file.display().to_string();
    let again = ["replay", "--app", &name, "--schedule", schedule, "--format", "json"];
    let again = run(&place, &[("MODE", "slow")], &again);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(findings(&again), Vec::<&str>::new());
    assert!(again["incomplete"].as_str().unwrap().contains("sent no statement"), "{again}");
}

#[test]
fn what_an_application_takes_back_after_its_answer_is_no_finding() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml");
    let safe = search(&place, &[("MODE", "put-off")], &file, &["--preemptions", "1"]);
    assert_eq!(findings(&safe), Vec::<&str>::new(), "{safe}");
}

#[test]
fn code_that_is_slow_when_it_is_alone_is_told_with_the_key_that_gives_it_more_time() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let program = folder.path().join("shop.py");
    let text = fs::read_to_string(&program).unwrap();
    let sells = "    connection.commit()\n";
    assert!(text.contains(sells), "{text}");
    fs::write(
        &program,
        text.replace(sells, "    import time; time.sleep(3); connection.commit()\n"),
    )
    .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("[app]\n", "[app]\nunseen_after = \"100ms\"\n")).unwrap();
    let name = file.display().to_string();
    let output = run(&place, &[], &["explore", "--app", &name]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("`unseen_after` in [app]"), "{}", stderr(&output));
}

#[test]
fn a_program_that_takes_longer_than_its_time_is_told_with_the_key_that_gives_it_more() {
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let text = fs::read_to_string(&file).unwrap();
    let path = std::env::var("PATH").unwrap();
    let place = Place { path, modules: String::new().into(), folder: String::new().into() };
    if !has(Postgres) {
        return;
    }
    for (keys, words) in [
        (
            "setup = [\"sleep\", \"60\"]\nsetup_timeout = \"200ms\"",
            "sleep takes longer than 200 ms (`setup_timeout` in [app]): it said nothing",
        ),
        (
            "start_timeout = \"200ms\"",
            "sleep does not answer within 200 ms (`start_timeout` in [app]): it said nothing",
        ),
    ] {
        let command = "command = [\"python3\", \"shop.py\"]";
        assert!(text.contains(command), "{text}");
        let changed = text.replace(command, &format!("command = [\"sleep\", \"60\"]\n{keys}"));
        fs::write(&file, changed).unwrap();
        let name = file.display().to_string();
        let output = run(&place, &[], &["doctor", "--app", &name]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn verbose_tells_what_is_asked_and_answered_and_what_the_application_prints() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml").display().to_string();
    let told = run(&place, &[], &["doctor", "--app", &file, "--verbose"]);
    assert!(told.status.success(), "{}", stderr(&told));
    for words in [
        "starting python3\n",
        "`POST /login` for customer 2 → 200: welcome\n",
        "A: POST /buy → 200: bought\n",
        "  | 127.0.0.1 - - ",
    ] {
        assert!(stderr(&told).contains(words), "{words}: {}", stderr(&told));
    }
    let silent = run(&place, &[], &["doctor", "--app", &file]);
    assert_eq!((stderr(&silent), &silent.stdout), ("", &told.stdout));
}

#[test]
fn an_error_of_the_applications_own_is_told_with_what_it_printed_last() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let shop = folder.path().join("shop.py");
    let text = fs::read_to_string(&shop).unwrap();
    let buy = "def buy():\n";
    assert!(text.contains(buy), "{text}");
    let text = text.replace(
        buy,
        &format!("{buy}    if session['buyer'] == 2:\n        raise KeyError('no such price')\n"),
    );
    fs::write(&shop, text).unwrap();
    let file = folder.path().join("shop.toml").display().to_string();
    let failed = run(&place, &[], &["explore", "--app", &file]);
    let said = stderr(&failed);
    assert!(said.contains("B: the shop answers 500: "), "{said}");
    assert!(said.contains("the application printed: "), "{said}");
    assert!(said.contains("KeyError: 'no such price'"), "{said}");
}

#[test]
fn kept_databases_are_begun_with_until_a_file_changes_and_clean_removes_them() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let text = fs::read_to_string(&file).unwrap();
    let setup = "[app]\nsetup = [\"sh\", \"-c\", \"echo set up >> made.log\"]";
    fs::write(&file, text.replace("[app]", setup)).unwrap();
    let kept = tempfile::tempdir().unwrap();
    let env = [("OVERSELL_SIM_KEPT", kept.path().to_str().unwrap())];
    let file = file.display().to_string();
    let times = || fs::read_to_string(folder.path().join("made.log")).unwrap().lines().count();
    for (expected, replaced) in [(1, ""), (1, ""), (2, "shop.py"), (2, "")] {
        if !replaced.is_empty() {
            let path = folder.path().join(replaced);
            fs::write(&path, fs::read_to_string(&path).unwrap() + "\n").unwrap();
        }
        let args = ["explore", "--app", &file, "--keep", "--expect", "oversold = 1"];
        let found = run(&place, &env, &args);
        assert_eq!(found.status.code(), Some(0), "{}", stderr(&found));
        let again = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(again.contains("--schedule ABBBBAAA --keep"), "{again}");
        assert_eq!(times(), expected);
    }
    let cleaned = run(&place, &env, &["clean"]);
    assert!(String::from_utf8_lossy(&cleaned.stdout).starts_with(" removed 1 database ("));
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 0);
}

#[test]
fn a_lock_in_the_memory_of_one_process_does_not_keep_another_copy_out() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let from = shops().join("python");
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(from.join("odd.toml")).unwrap();
    let schema = shops().join("schema.sql").display().to_string();
    let text = text.replace("../schema.sql", &schema);
    let file = folder.path().join("odd.toml");
    fs::copy(from.join("odd.py"), folder.path().join("odd.py")).unwrap();
    fs::write(&file, text.replace("[app]\n", "[app]\ncopies = 2\n")).unwrap();
    let broken = search(&place, &[("MODE", "mutex")], &file, &[]);
    assert_eq!(findings(&broken)[0], "oversold");
    fs::write(&file, text.replace("[app]\n", "[app]\ncopies = 17\n")).unwrap();
    let name = file.display().to_string();
    let refused = run(&place, &[], &["doctor", "--app", &name]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("`copies` is a number from 1 to 16"), "{}", stderr(&refused));
}

#[test]
fn a_shop_that_polls_a_lock_is_taken_to_wait_until_another_buyer_has_moved() {
    let Some(place) = ready("python", &[Postgres, Redis]) else { return };
    let file = shops().join("python/poll.toml");
    let locks = ["set-nx-token", "script", "row", "looked-at", "nowait", "advisory", "inserted"];
    for lock in locks {
        let late =
            search(&place, &[("MODE", "late"), ("LOCK", lock)], &file, &["--preemptions", "0"]);
        assert_eq!(findings(&late), Vec::<&str>::new(), "{lock}");
        assert_ne!(late["evidence"], "proof", "{lock}: how often it asks was not tried");
        assert!(late["orders"]["statements"].as_u64() < Some(2_000), "{lock}: {}", late["orders"]);
        let early = search(&place, &[("MODE", "early"), ("LOCK", lock)], &file, &[]);
        assert_eq!(findings(&early), ["oversold", "lost_update"], "{lock}");
    }
}

#[test]
fn what_a_shop_does_by_itself_is_no_buyers_and_makes_no_order_come_out_otherwise() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/jobs.toml");
    let args = ["--preemptions", "1"];
    for worker in ["thread", "process", "scheduled"] {
        let env = |mode| [("WORKER", worker), ("MODE", mode)];
        let broken = search(&place, &env("naive"), &file, &args);
        assert_eq!(findings(&broken)[0], "oversold", "{worker}");
        assert_eq!(broken["orders"]["diverged"], 0, "{worker}: {}", broken["orders"]);
        let safe = search(&place, &env("conditional"), &file, &args);
        assert_eq!(findings(&safe), Vec::<&str>::new(), "{worker}");
        assert_eq!(safe["orders"]["diverged"], 0, "{worker}: {}", safe["orders"]);
        assert_eq!(
            safe["evidence"], "not seen",
            "{worker}: the queue's own points were not chosen"
        );
        let remarks = safe["remarks"].to_string();
        assert!(remarks.contains("the application's own may touch"), "{worker}: {remarks}");
        assert!(remarks.contains("job"), "{worker}: {remarks}");
    }
}

#[test]
fn a_shop_that_remembers_more_than_its_data_is_started_anew_for_each_order() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml");
    let env = [("MODE", "remember")];
    let broken = search(&place, &env, &file, &[]);
    assert_eq!(findings(&broken)[0], "oversold");
    let why =
        "started anew for each order: once its data was put back, it did not do the same again";
    assert!(broken["remarks"].to_string().contains(why), "{broken}");
    let schedule = broken["findings"][0]["schedule"].as_str().unwrap();
    let file = file.display().to_string();
    let args = ["replay", "--app", &file, "--buyers", "2", "--schedule", schedule];
    let again = run(&place, &env, &[&args[..], &["--expect", "oversold = 1"]].concat());
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
}

/// The tool under a bound: an exit code of 124 says that it took longer.
pub(crate) fn bounded(place: &Place, env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    // In the foreground it passes a signal on once; a second one would end the tool at once.
    command
        .args(["--foreground", "--signal=KILL", "50"])
        .arg(assert_cmd::cargo::cargo_bin!("oversell-sim"));
    command.env("PATH", &place.path).envs(env.iter().copied()).args(args);
    command
}

#[test]
fn a_search_ends_when_its_time_is_up_though_a_request_hangs() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml").display().to_string();
    let args = ["explore", "--app", &file, "--no-reduce", "--max-time", "10s"];
    let output = bounded(&place, &[("MODE", "hang")], &args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = str::from_utf8(&output.stdout).unwrap();
    assert!(report.contains("1 order run"), "{report}");
}

#[test]
fn an_interrupt_ends_a_setup_that_hangs_and_what_it_has_started() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml");
    let has_begun = folder.path().join("begun");
    let waits =
        format!("touch begun; tail -f {} & wait", folder.path().join("schema.sql").display());
    let setup = format!("setup = [\"sh\", \"-c\", \"{waits}\"]\n[upstream.postgres]");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("[upstream.postgres]", &setup)).unwrap();
    let args = ["explore", "--app", file.to_str().unwrap()];
    let mut search =
        bounded(&place, &[], &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !has_begun.exists() && search.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // `timeout` passes the signal on.
    let kill = Command::new("kill").args(["-s", "INT", &search.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(search.wait().unwrap().code(), Some(130));
    // Each test run has a folder of its own.
    let left = Command::new("pgrep").arg("-f").arg(folder.path()).output().unwrap();
    assert!(left.stdout.is_empty(), "what the setup has started runs on");
}

#[test]
fn what_was_found_before_an_application_ended_is_reported() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml").display().to_string();
    let args = ["explore", "--app", &file, "--no-reduce"];
    let ended = run(&place, &[("MODE", "crash-late")], &args);
    assert_eq!(ended.status.code(), Some(3), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("error: the application has ended"), "{}", stderr(&ended));
    let report = str::from_utf8(&ended.stdout).unwrap();
    for told in [" BROKEN ", "oversold", "an error ended the search after"] {
        assert!(report.contains(told), "`{told}` is not in: {report}");
    }
    let unexpected = [&args[..], &["--expect", "oversold = 0"]].concat();
    let ended = run(&place, &[("MODE", "crash-late")], &unexpected);
    assert_eq!(ended.status.code(), Some(1), "a finding goes before the error");
}

#[test]
fn what_a_shop_does_wrong_is_told_with_where_and_what_to_do() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/odd.toml").display().to_string();
    let args = ["explore", "--app", &file];
    let told = |mode: &str, code: i32, words: &[&str]| {
        let output = run(&place, &[("MODE", mode)], &args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{mode}: {said}");
        for word in words {
            assert!(said.contains(word), "{mode}: {said}");
        }
        assert_eq!(said.lines().filter(|line| line.starts_with("error")).count(), 1, "{said}");
    };
    told("crash", 3, &["the application has ended", "in the schedule"]);
    told("refuse", 2, &["odd.toml:13", "500", "out of order"]);

    let folder = begun();
    let path = folder.path().join("shop.toml");
    let good = fs::read_to_string(&path).unwrap();
    let spoiled = |from: &str, to: &str, code: i32, words: &[&str]| {
        assert!(good.contains(from));
        fs::write(&path, good.replace(from, to)).unwrap();
        let output = run(&place, &[], &["doctor", "--app", path.to_str().unwrap()]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{to}: {said}");
        for word in words {
            assert!(said.contains(word), "{to}: {said}");
        }
    };
    spoiled("\"{postgres_url}\"", "\"sqlite://\"", 2, &["shop.toml"]);
    spoiled("{postgres_url}", "{postgre_url}", 2, &["did you mean `postgres_url`?"]);
    spoiled("[upstream.postgres]", "[upstream.oracle]", 2, &["postgres, mysql and redis"]);
    spoiled("health  = \"/\"", "healt = \"/\"", 2, &["did you mean `health`?", "shop.toml:"]);
    spoiled("\"python3\"", "\"python33\"", 2, &["cannot start python33: there is no such program"]);
    spoiled("shop.py\"", "shoop.py\"", 3, &["ended at once", "shoop.py"]);
    let printed = ["404", "the application printed: ", "`log` in [app]"];
    spoiled("\"POST /login\"", "\"POST /missing\"", 2, &printed);
    spoiled("[app]\n", "[app]\nlog = \"no/such/folder\"\n", 3, &["`log`", "no/such/folder"]);
    spoiled("http://127.0.0.1:{port}", "http://192.0.2.1:{port}", 2, &["--allow-remote"]);
    spoiled("[audit]", "[reset]\nsql = \"SELECT 1\"\n\n[audit]", 2, &["[reset]", "was", "is"]);
    spoiled("value=\"{}\"", "valu=\"{}\"", 2, &["shop.toml:35", "find.token"]);
}

#[test]
fn the_doctor_says_what_it_saw() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let file = folder.path().join("shop.toml").display().to_string();
    let output = run(&place, &[], &["doctor", "--app", &file]);
    let said = String::from_utf8(output.stdout).unwrap();
    let told = said.replace(&file, "shop.toml");
    assert!(told.starts_with(" READY           shop.toml on PostgreSQL "), "{told}");
    let rest: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(
        rest,
        [
            " A               4 statements, 1 transaction; bought",
            " B               1 statement, 1 transaction; rejected",
            " changes         product, purchase",
            " looks at        nothing",
            " next            oversell-sim explore --app shop.toml --buyers 2",
        ]
    );
}

#[test]
fn an_interrupt_in_the_middle_of_a_search_leaves_no_application_no_server_and_no_directory() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let folder = begun();
    let temporary = tempfile::tempdir().unwrap();
    // A server that runs as the user `nobody` needs to be let in.
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(temporary.path(), everybody).unwrap();
    let file = folder.path().join("shop.toml");
    let mut search = Command::new(assert_cmd::cargo::cargo_bin!("oversell-sim"))
        .args(["explore", "--no-reduce", "--buyers", "3", "--app"])
        .arg(&file)
        .env("PATH", &place.path)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mine = |name: &str| {
        let mut list = Command::new("pgrep");
        list.args(["-f", name]);
        !list.output().unwrap().stdout.is_empty()
    };
    let shop = folder.path().join("shop.py");
    let _ = &shop;
    let data = temporary.path().display().to_string();
    // It is on its way when its server is.
    for _ in 0..2_000 {
        if mine(&data) {
            break;
        }
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-s", "INT", &search.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let code = search.wait().unwrap().code();
    assert!(matches!(code, Some(130 | 3)), "{code:?}");
    assert!(!mine(&data));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn every_key_of_an_applications_file_is_described() {
    let described = fs::read_to_string("docs/reference/app.md").unwrap();
    for (table, key) in App::keys() {
        let ways = [format!("`{key}`"), format!("`[{key}]`"), format!("`[[{key}]]`")];
        let is_described = ways.iter().any(|way| described.contains(way));
        assert!(is_described, "docs/reference/app.md lacks `{key}` of [{table}]");
    }
}
