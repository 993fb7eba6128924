//! Several machines race on one store together: one shop, one verdict, and none where a part is missing.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, SystemTime};

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::unstable::control::Control;
use serde_json::Value;
use tempfile::TempDir;

use crate::listed::has;
use crate::network::Network;
use crate::servers::eventually;

/// How many machines.
pub(crate) const MACHINES: u32 = 4;

/// The time in so many seconds, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "machines agree on a time of day")]
pub(crate) fn seconds_ahead(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    now.as_secs() + 1 + seconds
}

/// A race on one store.
#[derive(Clone)]
pub(crate) struct Race<'n> {
    pub(crate) network: &'n Network,
    pub(crate) name: &'static str,
    pub(crate) store: &'static str,
    pub(crate) url: String,
    pub(crate) start_at: String,
    pub(crate) flags: Vec<&'static str>,
}

impl Race<'_> {
    pub(crate) fn file(&self, part: u32) -> String {
        format!("{}-{part}.json", self.name)
    }

    pub(crate) fn command(&self, part: u32, of: u32) -> Command {
        let (slice, file) = (format!("slice:{part}/{of}"), self.file(part));
        let common = ["race", "--store", self.store, "--url", &self.url, "--allow-remote"];
        let part_of = ["--partition", &slice, "--start-at", &self.start_at, "--seed", "1"];
        let written = ["--format", "json", "--output", &file, "--no-progress"];
        self.network.tool(part, &[&common[..], &part_of, &self.flags, &written].concat())
    }

    pub(crate) fn start(&self, parts: impl IntoIterator<Item = u32>) -> Vec<Child> {
        parts.into_iter().map(|part| self.command(part, MACHINES).spawn().unwrap()).collect()
    }

    /// Races all parts. All of them end well.
    pub(crate) fn run(&self) {
        for output in ended(self.start(1..=MACHINES)) {
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
    }

    pub(crate) fn merge(&self, parts: impl IntoIterator<Item = u32>, flags: &[&str]) -> Output {
        let files: Vec<String> = parts.into_iter().map(|part| self.file(part)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let args = [&["merge"], &files[..], flags].concat();
        self.network.tool(1, &args).output().unwrap()
    }

    /// The report of all parts.
    pub(crate) fn report(&self) -> Value {
        let merged = self.merge((1..=MACHINES).rev(), &["--format", "json"]);
        assert_eq!(merged.status.code(), Some(0), "{}", said(&merged));
        serde_json::from_slice(&merged.stdout).unwrap()
    }

    /// Makes sure that the parts which are there are not merged, and what is said of it.
    pub(crate) fn refused(&self, parts: impl IntoIterator<Item = u32>) -> String {
        let merged = self.merge(parts, &["--quiet"]);
        assert_eq!((merged.status.code(), merged.stdout.len()), (Some(2), 0), "{}", said(&merged));
        said(&merged)
    }
}

/// Runs two races at one PostgreSQL server at the same time, each in the database of its name and with its flags.
pub(crate) fn raced_at_once<'n>(
    network: &'n Network,
    url: &str,
    races: [(&'static str, Vec<&'static str>); 2],
) -> [Race<'n>; 2] {
    let start_at = seconds_ahead(8).to_string();
    let races = races.map(|(name, flags)| Race {
        network,
        name,
        store: "postgres",
        url: format!("{url}{name}"),
        start_at: start_at.clone(),
        flags,
    });
    std::thread::scope(|scope| {
        let [first, second] = &races;
        scope.spawn(|| first.run());
        second.run();
    });
    races
}

pub(crate) fn ended(parts: Vec<Child>) -> Vec<Output> {
    parts.into_iter().map(|part| part.wait_with_output().unwrap()).collect()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A part of a report says nothing of what was sold.
fn assert_says_nothing(path: &Path) {
    let part: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let run = &part["runs"][0];
    assert_eq!((&run["evidence"], &run["findings"]), (&"vacuous".into(), &Value::Array(vec![])));
    assert!(run["incomplete"].as_str().unwrap().contains("merge"), "{run}");
}

#[test]
fn four_machines_come_to_one_verdict_and_show_their_clocks_as_they_are() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let mut network = Network::of(MACHINES);
    let url = network.start_postgres(&["safe", "broken"]);
    let network = network;
    let broken = ["--strategy", "naive", "--buyers", "40", "--stock", "3", "--think", "20ms"];
    let safe = ["--strategy", "conditional", "--buyers", "42", "--stock", "7"];
    let races = [("safe", safe.to_vec()), ("broken", broken.to_vec())];
    let [safe, broken] = raced_at_once(&network, &url, races);
    assert_says_nothing(&network.path().join(safe.file(1)));

    let report = safe.report();
    let (run, figures) = (&report["runs"][0], &report["runs"][0]["figures"]);
    assert_eq!(figures["buyers"], 42);
    assert_eq!((&figures["winners"], &figures["stock_left"]), (&7.into(), &0.into()));
    assert_eq!((&run["evidence"], &figures["findings"]), (&"not seen".into(), &0.into()));
    // All attempts of all buyers are there, and how long each took.
    assert!(figures["attempts"].as_u64().unwrap() >= 42, "{figures}");
    let classes = run["latencies"].as_array().unwrap().iter();
    assert_eq!(classes.map(|class| class["number"].as_u64().unwrap()).sum::<u64>(), 42);

    // All have the same clock here, so that each difference is within what may be wrong.
    let start = &report["common_start"];
    let machines = start["machines"].as_array().unwrap();
    let buyers: Vec<u64> = machines.iter().map(|one| one["buyers"].as_u64().unwrap()).collect();
    assert_eq!(buyers, [11, 11, 10, 10]);
    for machine in machines {
        let ahead = machine["clock"]["ahead"].as_i64().unwrap().unsigned_abs();
        let wrong = machine["clock"]["uncertain"].as_u64().unwrap();
        assert!(ahead <= wrong, "{machine}");
        assert!(machine["started"].as_i64().unwrap() >= 0, "{machine}");
        assert!(machine["last_answer"].as_u64() > machine["first_click"].as_u64(), "{machine}");
    }
    assert!(start["spread"].is_u64() && start["spread_uncertain"].is_u64(), "{start}");
    let table = safe.merge(1..=MACHINES, &[]);
    let table = String::from_utf8(table.stdout).unwrap();
    for expected in ["its clock", "slice:4/4", "from the first start to the last"] {
        assert!(table.contains(expected), "{expected}\n{table}");
    }

    let report = broken.report();
    let figures = &report["runs"][0]["figures"];
    assert_eq!(report["runs"][0]["evidence"], "broken");
    assert!(figures["oversold"].as_u64().unwrap() > 0, "{figures}");
    let unmet = broken.merge(1..=MACHINES, &["--quiet", "--format", "csv"]);
    assert_eq!(unmet.status.code(), Some(0), "nothing was expected of it");

    // Parts of two races are not mixed, nor is one left out.
    let [one, another] = [&safe, &broken].map(|race| race.file(1));
    let mixed = network.tool(1, &["merge", &one, &another]).output().unwrap();
    assert_eq!(mixed.status.code(), Some(2));
    let missing = safe.refused([1, 2, 4]);
    assert!(missing.contains("slice:3/4\n       start all parts again"), "{missing}");
    // Nothing is left at the server.
    for url in [&safe.url, &broken.url] {
        let query =
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
        assert_eq!(network.ask_postgres(url, query), "");
    }
}

#[test]
fn a_part_that_never_came_and_one_that_was_killed_are_named_and_nothing_is_said_of_what_was_sold() {
    if !has(StoreKind::Redis) {
        return;
    }
    let mut network = Network::of(MACHINES);
    let url = network.start_redis();
    let network = network;
    let absent = Race {
        network: &network,
        name: "absent",
        store: "redis",
        url: format!("{url}1"),
        start_at: seconds_ahead(10).to_string(),
        flags: vec!["--strategy", "cas", "--buyers", "40", "--stock", "3", "--patience", "1s"],
    };
    // Each buyer of the killed part thinks for longer than the part lives.
    let killed = Race {
        name: "killed",
        url: format!("{url}2"),
        flags: [&absent.flags[..], &["--think", "4s"]].concat(),
        ..absent.clone()
    };
    let absent_parts = absent.start([1, 2, 4]);
    let mut killed_parts = killed.start(1..=MACHINES);
    // A second first part, and another part that is there twice, are refused at once.
    eventually("all parts of the race have come", || {
        let notes = network.ask_redis(&killed.url, &["HKEYS", "oversell-sim-parts"]);
        (1..=MACHINES).all(|part| notes.contains(&format!("part-{part}")))
    });
    for (part, expected) in
        [(1, "another first part is at work on this store"), (2, "is in this race already")]
    {
        let doubled = killed.command(part, MACHINES).output().unwrap();
        assert_eq!(doubled.status.code(), Some(2));
        assert!(said(&doubled).contains(expected), "{}", said(&doubled));
    }
    let other = Race { flags: vec!["--strategy", "cas", "--buyers", "41"], ..killed.clone() };
    let other = other.command(3, MACHINES).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("its --buyers is 40, and here it is 41"), "{}", said(&other));
    while seconds_ahead(0).to_string() <= killed.start_at {
        Control::default().pause(Duration::from_millis(50));
    }
    Control::default().pause(Duration::from_millis(500));
    killed_parts[2].kill().unwrap();

    for (race, parts, expected) in [
        (&absent, absent_parts, "slice:3/4 never came"),
        (&killed, killed_parts, "slice:3/4 came, and then gave no sign of life for 6.0 s"),
    ] {
        let first = ended(parts).remove(0);
        assert_eq!(first.status.code(), Some(3), "{}", said(&first));
        let why = said(&first);
        assert!(why.contains("the race is incomplete") && why.contains(expected), "{why}");
        assert_says_nothing(&network.path().join(race.file(1)));
        let why = race.refused([1, 2, 4]);
        assert!(why.contains("slice:3/4"), "{why}");
        // Nor with a file that stands where the missing part's would.
        let forged = fs::read_to_string(network.path().join(race.file(2))).unwrap();
        let forged = forged.replace("\"part\": 2", "\"part\": 3");
        fs::write(network.path().join(race.file(3)), forged).unwrap();
        let why = race.refused(1..=MACHINES);
        assert!(why.contains("the race is incomplete") && why.contains(expected), "{why}");
        assert_eq!(network.ask_redis(&race.url, &["DBSIZE"]), "0\n");
    }
}

#[test]
fn what_cannot_be_raced_together_is_refused_in_one_line() {
    let dir = TempDir::new().unwrap();
    for (store, steps) in [
        ("\"redis\"", "redis = \"DECR stock\""),
        ("[\"postgres\", \"redis\"]", "redis = \"DECR stock\""),
        ("\"http\"", "http = \"POST /buy\""),
    ] {
        let name: String = store.chars().filter(char::is_ascii_alphabetic).collect();
        let schema = if store.contains("postgres") { "schema = \"schema.sql\"\n" } else { "" };
        let never = match store {
            "\"redis\"" => "a = \"GET bad\"",
            "\"http\"" => "a = \"GET /bad\"",
            _ => "a = { redis = \"GET bad\" }",
        };
        let text = format!("store = {store}\n{schema}[[step]]\n{steps}\n[audit.never]\n{never}\n");
        fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    }
    fs::write(dir.path().join("schema.sql"), "CREATE TABLE one (id INT)").unwrap();
    let start_at = seconds_ahead(60).to_string();
    let all = [
        ("race", ""),
        ("--strategy", "cas"),
        ("--store", "postgres"),
        ("--url", "postgres://me@127.0.0.1:1/shop"),
        ("--partition", "slice:1/4"),
        ("--start-at", &start_at),
        ("--seed", "1"),
        ("--format", "json"),
    ];
    // Each is what is said instead of what is usual; nothing for a flag that is left out.
    let of_file =
        |name: &'static str| vec![("--checkout", name), ("--strategy", ""), ("--store", "")];
    let past = "--start-at: 2026-01-01T00:00:00Z is ";
    let far = (seconds_ahead(90_000)).to_string();
    for (changes, expected) in [
        (vec![("--start-at", "2026-01-01T01:00:00+01:00")], past),
        (vec![("--start-at", &far[..])], "is more than a day ahead"),
        (vec![("--start-at", "20:00")], "expected a time such as 2026-11-30T20:00:00Z"),
        (vec![("--start-at", "2026-11-30T20:00:00")], "the zone is missing"),
        (vec![("--url", "")], "--partition needs --url"),
        (vec![("--seed", "")], "--partition needs --seed"),
        (vec![("--format", "table")], "add --format json"),
        (vec![("--store", "memory")], "--store memory: only one machine reaches it"),
        (vec![("--store", "sqlite"), ("--url", "/tmp/x")], "--store sqlite: only one machine"),
        (vec![("--partition", "")], "add --partition, such as slice:1/4"),
        (vec![("--strategy", "cas,naive")], "name one"),
        (vec![("--strategy", "sequencer")], "has one worker that serves all buyers"),
        (vec![("--rounds", "2")], "has one round"),
        (vec![("--buyers", "3")], "there are 3, and 4 parts"),
        (vec![("--app", "x.toml"), ("--strategy", "")], "would start an application of its own"),
        (of_file("redis.toml"), "the keys of a checkout are a whole database"),
        (of_file("postgresredis.toml"), "postgres and redis, are always private servers"),
        (of_file("http.toml"), "cannot leave each other notes"),
    ] {
        let mut words = Vec::new();
        let added = changes.iter().filter(|(flag, _)| all.iter().all(|(known, _)| known != flag));
        for (flag, usual) in all.iter().chain(added) {
            let changed = changes.iter().find(|(changed, _)| changed == flag);
            let value = changed.map_or(usual, |(_, value)| value);
            match (*flag, *value) {
                ("race", _) => words.push(*flag),
                (_, "") => {}
                (flag, value) => words.extend([flag, value]),
            }
        }
        let mut tool = Command::new(cargo_bin("oversell-sim"));
        let output = tool.args(&words).current_dir(&dir).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", said(&output));
        assert!(said(&output).contains(expected), "{words:?}: {}", said(&output));
        assert!(said(&output).lines().count() <= 4, "{}", said(&output));
    }
}
