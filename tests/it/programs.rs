//! Buyers that are programs, each with an address of its database that is its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, str};

use assert_cmd::cargo::cargo_bin_cmd;
use oversell_sim::StoreKind::Postgres;

use crate::apps::{bounded, findings, ready, run, search, stderr};
use crate::shops::shops;

fn buy() -> PathBuf {
    shops().join("python/buy.toml")
}

/// The file and its program in a folder that is removed afterwards, and the file's text.
fn copied() -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(shops().join("python/buy.py"), folder.path().join("buy.py")).unwrap();
    fs::copy(shops().join("schema.sql"), folder.path().join("schema.sql")).unwrap();
    let file = folder.path().join("buy.toml");
    let text = fs::read_to_string(buy()).unwrap().replace("../schema.sql", "schema.sql");
    fs::write(&file, &text).unwrap();
    (folder, file, text)
}

/// The same with a program of another text.
fn program(file: &Path, text: &str) {
    fs::write(file.with_file_name("buy.py"), text).unwrap();
}

#[test]
fn a_program_that_looks_and_then_writes_sells_twice_by_a_schedule_that_replays() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let broken = search(&place, &[], &buy(), &[]);
    assert_eq!(findings(&broken), ["oversold", "lost_update"]);
    assert_eq!(broken["orders"]["diverged"], 0);
    let schedule = broken["findings"][0]["schedule"].as_str().unwrap();
    assert_eq!(schedule, "ABBBBAAA");
    let file = buy().display().to_string();
    let args = ["replay", "--app", &file, "--buyers", "2", "--schedule", schedule];
    let again = run(&place, &[], &[&args[..], &["--expect", "oversold = 1"]].concat());
    assert!(again.status.success(), "{}", stderr(&again));
    // In the order that the other buyer's statements come in whole, it is sold out.
    let args = ["replay", "--app", &file, "--buyers", "2", "--schedule", "AAAAB"];
    let again = run(&place, &[], &[&args[..], &["--expect", "oversold = 0"]].concat());
    assert!(again.status.success(), "{}", stderr(&again));
}

#[test]
fn a_program_that_locks_first_is_proved_at_one_copy_of_the_database_and_at_two() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let env = [("MODE", "lock")];
    let one = search(&place, &env, &buy(), &[]);
    assert_eq!(one["evidence"], "proved", "{}", one["remarks"]);
    assert_eq!(one["orders"]["diverged"], 0);
    let two = search(&place, &env, &buy(), &["--jobs", "2"]);
    assert_eq!(two["orders"]["run"], one["orders"]["run"]);
    assert_eq!(two["evidence"], "proved");
    let file = buy().display().to_string();
    let args = ["race", "--app", &file, "--buyers", "4", "--expect", "oversold = 0"];
    let raced = run(&place, &env, &[&args[..], &["--expect", "winners = 1"]].concat());
    assert!(raced.status.success(), "{}", stderr(&raced));
    let doctor = run(&place, &env, &["doctor", "--app", &file]);
    let told = str::from_utf8(&doctor.stdout).unwrap();
    assert!(told.contains("B               1 statement, 1 transaction; rejected"), "{told}");
}

#[test]
fn a_request_and_a_program_meet_at_every_statement() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let file = shops().join("python/delivery.toml");
    let broken = search(&place, &[], &file, &[]);
    assert_eq!(findings(&broken), ["broken_rule"]);
    let schedule = broken["findings"][0]["schedule"].as_str().unwrap();
    let name = file.display().to_string();
    let args = ["replay", "--app", &name, "--buyers", "2", "--schedule", schedule];
    let again = run(&place, &[], &[&args[..], &["--expect", "broken_rule = 1"]].concat());
    assert!(again.status.success(), "{}", stderr(&again));
    let safe = search(&place, &[("MODE", "lock")], &file, &[]);
    assert_eq!(safe["evidence"], "proved", "{}", safe["remarks"]);
    assert_eq!(safe["orders"]["diverged"], 0);
}

#[test]
fn what_a_program_prints_is_its_answer_and_goes_to_later_programs() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let (_folder, file, text) = copied();
    let prepare = "[[prepare]]\n\
                   command = [\"sh\", \"-c\", \"echo '{\\\"cart\\\": {\\\"id\\\": 7{buyer}}}'\"]\n\
                   json    = { cart = \"$.cart.id\" }\n\n[[step]]\n\
                   env     = { CART = \"{cart}\", PLACE = \"{postgres_port}\" }\n";
    let text = text
        .replace("[[step]]\n", prepare)
        .replace("sold_out_if = \"status = 3\"", "sold_out_if = \"output contains 'sold out'\"");
    fs::write(&file, &text).unwrap();
    let lock = fs::read_to_string(shops().join("python/buy.py")).unwrap();
    let asserts = "assert os.environ['CART'] == '7' + sys.argv[1], os.environ['CART']\n\
                   assert os.environ['PLACE'] in os.environ['DATABASE_URL']\n\nSOLD_OUT = 0";
    program(&file, &lock.replace("SOLD_OUT = 3", asserts));
    let proved = search(&place, &[("MODE", "lock")], &file, &[]);
    assert_eq!(proved["evidence"], "proved", "{}", proved["remarks"]);
}

#[test]
fn a_program_that_fails_is_told_with_its_last_words_and_one_that_is_not_there_by_its_name() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let (folder, file, good) = copied();
    let name = file.display().to_string();
    let told = |text: &str, words: &str| {
        fs::write(&file, text).unwrap();
        let output = run(&place, &[], &["explore", "--app", &name]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "`{words}` is not in: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    };
    told(
        &good.replace("sold_out_if", "#"),
        "buy.toml:10: step 1, B: python3 buy.py 2 ended with 3: sold out",
    );
    told(&good.replace("\"python3\"", "\"pythn3\""), "cannot start pythn3: No such file");
    told(&good.replace("env =", "folder = \"shop\"\nenv ="), "there is no folder");
    let output = "[[prepare]]\ncommand = [\"sh\", \"-c\", \"exit 7\"]\n\n[[step]]";
    told(
        &good.replace("[[step]]", output),
        "`sh -c exit 7` for customer 1: sh -c exit 7 ended with 7: it said nothing",
    );
    program(&file, "import os\nos.kill(os.getpid(), 9)\n");
    told(&good, "python3 buy.py 1 ended with 137: it said nothing");
    drop(folder);
}

#[test]
fn a_program_in_a_file_is_told_from_what_is_none() {
    let (_folder, file, good) = copied();
    let command = "command     = [\"python3\", \"buy.py\", \"{buyer}\"]";
    let told = |from: &str, to: &str, words: &str| {
        assert!(good.contains(from), "{from}");
        fs::write(&file, good.replace(from, to)).unwrap();
        let output = cargo_bin_cmd!("oversell-sim").arg("explore").arg("--app").arg(&file).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "`{words}` is not in: {}", stderr(&output));
        assert!(stderr(&output).contains("buy.toml:"), "{}", stderr(&output));
    };
    let both = format!("{command}\nhttp = \"POST /buy\"");
    told(command, &both, "the step says something already; leave out `command`");
    told(command, "command = []", "`command` must be a list of words");
    told(command, "command = \"buy.py\"", "`command` must be a list of words");
    told("{buyer}", "{buyr}", "no value `buyr` here; did you mean `buyer`?");
    told("{postgres_url}", "{postgre_url}", "did you mean `postgres_url`?");
    told(command, &format!("{command}\nform = {{ a = \"b\" }}"), "`form` belongs to `http`");
    told(command, &format!("{command}\nenv = [\"A\"]"), "`env` must be a table");
    told(command, &format!("{command}\nsave = \"output\""), "`output` is taken");
    told("status = 3", "exit = 3", "`sold_out_if`");
    told(command, "http = \"POST /buy\"", "[app] needs `url`");
    told("env = {", "health = \"/\"\nenv = {", "add `url = \"http://127.0.0.1:{port}\"`");
    told("env = {", "fresh = true\nenv = {", "add `command`");
    let checkout = "store = \"sqlite\"\nschema = \"schema.sql\"\n\n[[step]]\ncommand = [\"a\"]\n\n\
                    [audit]\nstock = \"SELECT 1\"\norders = \"SELECT 1\"\n";
    fs::write(&file, checkout).unwrap();
    let mut explore = cargo_bin_cmd!("oversell-sim");
    let output = explore.args(["explore", "--checkout"]).arg(&file).output().unwrap();
    assert!(
        stderr(&output).contains("a program buys only in an application's file"),
        "{}",
        stderr(&output)
    );
}

/// Has the program hang with a child before it writes its order, if it is the buyer that the environment names. Alone
/// the second buyer does not come so far.
fn hangs(file: &Path) {
    let good = fs::read_to_string(shops().join("python/buy.py")).unwrap();
    let hangs = "import subprocess\n\
                 open(\"begun\", \"w\").close()\n\
                 if buyer == int(os.environ[\"HANGS\"]):\n\
                 \x20   subprocess.call([\"tail\", \"-f\", os.path.abspath(\"schema.sql\")])\n\
                 cursor.execute(\"INSERT";
    program(file, &good.replace("cursor.execute(\"INSERT", hangs));
}

/// Whether a process runs whose command names this folder.
fn runs_in(folder: &Path) -> bool {
    let found = Command::new("pgrep").arg("-f").arg(folder.join("schema.sql")).output().unwrap();
    !found.stdout.is_empty()
}

#[test]
fn a_search_ends_when_its_time_is_up_though_a_program_hangs_and_ends_it_with_all_it_has_started() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let (folder, file, _) = copied();
    hangs(&file);
    let name = file.display().to_string();
    let args = ["explore", "--app", &name, "--max-time", "2s"];
    let output = bounded(&place, &[("HANGS", "2")], &args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = str::from_utf8(&output.stdout).unwrap();
    assert!(report.contains("not a proof"), "{report}");
    assert!(!runs_in(folder.path()));
}

#[test]
fn an_interrupt_ends_a_program_that_hangs_and_what_it_has_started() {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let (folder, file, _) = copied();
    hangs(&file);
    let has_begun = folder.path().join("begun");
    let args = ["explore", "--app", file.to_str().unwrap()];
    let mut search = bounded(&place, &[("HANGS", "1")], &args);
    let mut search = search.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !has_begun.exists() && search.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-s", "INT", &search.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(search.wait().unwrap().code(), Some(130));
    assert!(!runs_in(folder.path()));
}

#[test]
fn a_programs_statement_is_its_buyers_though_another_waits_for_a_lock_that_is_not_seen_which_is_no_proof()
 {
    let Some(place) = ready("python", &[Postgres]) else { return };
    let (_folder, file, good) = copied();
    let naive = fs::read_to_string(shops().join("python/buy.py")).unwrap();
    let locks = "import fcntl\n\
                 mutex = open(\"mutex\", \"w\")\n\
                 fcntl.flock(mutex, fcntl.LOCK_EX)\n\
                 cursor.execute(\"SELECT";
    program(&file, &naive.replace("cursor.execute(\"SELECT", locks));
    fs::write(&file, good.replace("env =", "unseen_after = \"1s\"\nenv =")).unwrap();
    let safe = search(&place, &[], &file, &[]);
    assert_eq!(findings(&safe), Vec::<&str>::new());
    assert_eq!(safe["evidence"], "not seen", "{}", safe["remarks"]);
    let remarks = safe["remarks"].to_string();
    assert!(remarks.contains("a buyer waited for something that cannot be seen"), "{remarks}");
    assert!(!remarks.contains("of one buyer or another"), "{remarks}");
}
