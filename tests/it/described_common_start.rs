//! Several machines race a checkout that is described in a file, on one store together.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::StoreKind;
use oversell_sim::unstable::control::Control;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::stores::{Address, RaceTarget};
use serde_json::Value;
use tempfile::TempDir;

use crate::common_start::{MACHINES, Race, ended, raced_at_once, said, seconds_ahead};
use crate::listed::has;
use crate::network::Network;

/// Keys are names, which only the shop knows.
const SCHEMA: &str = "CREATE TABLE product (id VARCHAR(9) PRIMARY KEY, stock INT NOT NULL);
CREATE TABLE purchase (buyer INT NOT NULL, product VARCHAR(9) NOT NULL, qty INT NOT NULL);";
const SEED: &str = "INSERT INTO product VALUES ('cup', 0), ('mug', 0);";

/// What all of them begin and end with.
const SHOP: &str = r#"
schema  = "schema.sql"
seed    = "seed.sql"
setup   = "UPDATE product SET stock = :stock"
retries = 3
"#;
const AUDIT: &str = r#"
[[step]]
sql = "INSERT INTO purchase (buyer, product, qty) VALUES (:buyer, :item, :qty)"
[audit]
stock  = "SELECT id, stock FROM product ORDER BY id"
orders = "SELECT buyer, product, qty FROM purchase"
"#;

/// Looks before it takes, and is slow between the two.
const NAIVE: &str = r#"
[[step]]
sql         = "SELECT stock FROM product WHERE id = :item"
save        = "stock"
sold_out_if = "stock < qty"
[[step]]
sql = "SLOW"
[[step]]
sql = "UPDATE product SET stock = :stock - :qty WHERE id = :item"
"#;

/// Takes only if there is enough.
const SAFE: &str = r#"
[[step]]
sql         = "UPDATE product SET stock = stock - :qty WHERE id = :item AND stock >= :qty"
sold_out_if = "rows = 0"
"#;

/// Writes both checkouts, and the files that they name, into a folder.
fn write_shop(folder: &Path, store: &str, slow: &str) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("schema.sql", SCHEMA);
    write("seed.sql", SEED);
    for (name, steps) in [("naive.toml", NAIVE), ("safe.toml", SAFE)] {
        let steps = steps.replace("SLOW", slow);
        write(name, &format!("store = \"{store}\"\n{SHOP}{steps}{AUDIT}"));
    }
}

/// Each of its two products was sold as often as it was there, and not once more.
fn assert_clean(report: &Value, buyers: u64) {
    let (run, figures) = (&report["runs"][0], &report["runs"][0]["figures"]);
    assert_eq!((&figures["buyers"], &figures["failed"]), (&buyers.into(), &0.into()));
    assert_eq!((&figures["winners"], &figures["stock_left"]), (&14.into(), &0.into()), "{figures}");
    assert_eq!((&run["evidence"], &figures["findings"]), (&"not seen".into(), &0.into()));
    assert_eq!(
        (&report["settings"]["items"], &report["settings"]["stock"]),
        (&2.into(), &7.into())
    );
}

fn assert_oversold(report: &Value) {
    let (run, figures) = (&report["runs"][0], &report["runs"][0]["figures"]);
    assert_eq!((&run["evidence"], &figures["failed"]), (&"broken".into(), &0.into()));
    assert!(figures["oversold"].as_u64().unwrap() > 0, "{figures}");
}

#[test]
fn four_machines_come_to_one_verdict_on_a_described_checkout() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let mut network = Network::of(MACHINES);
    let url = network.start_postgres(&["safe", "naive"]);
    let network = network;
    write_shop(network.path(), "postgres", "SELECT pg_sleep(0.02)");
    let naive = ["--checkout", "naive.toml", "--buyers", "40", "--stock", "3"];
    let safe = ["--checkout", "safe.toml", "--buyers", "42", "--stock", "7"];
    let races = [("safe", safe.to_vec()), ("naive", naive.to_vec())];
    let [safe, naive] = raced_at_once(&network, &url, races);
    assert_clean(&safe.report(), 42);
    assert_oversold(&naive.report());
    let missing = safe.refused([1, 2, 4]);
    assert!(missing.contains("slice:3/4\n       start all parts again"), "{missing}");

    // The files are to be those that were raced, wherever parts are merged.
    fs::write(network.path().join("seed.sql"), format!("{SEED}\n")).unwrap();
    let other = safe.refused(1..=MACHINES);
    assert!(other.contains("seed.sql is not as it was when safe-1.json was made"), "{other}");
    fs::write(network.path().join("seed.sql"), SEED).unwrap();
    // Nor is a part merged that was made with another one.
    let path = network.path().join(safe.file(3));
    let mut part: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    part["part"]["inputs"]["fingerprint"] = "other".into();
    part["part"]["inputs"]["files"]["seed.sql"] = "other".into();
    fs::write(&path, part.to_string()).unwrap();
    let other = safe.refused(1..=MACHINES);
    assert!(other.contains("seed.sql was another file than for safe-1.json"), "{other}");

    // Nothing is left at the server.
    for url in [&safe.url, &naive.url] {
        let query = "SELECT table_schema, table_name FROM information_schema.tables
            WHERE table_schema = 'public' OR table_schema LIKE 'oversell%'";
        assert_eq!(network.ask_postgres(url, query), "");
    }
}

#[test]
fn a_part_with_another_file_or_level_is_refused_and_then_there_is_no_verdict() {
    if !has(StoreKind::Postgres) {
        return;
    }
    let mut network = Network::of(MACHINES);
    let url = network.start_postgres(&["shop"]);
    let network = network;
    write_shop(network.path(), "postgres", "SELECT 1");
    let race = Race {
        network: &network,
        name: "other",
        store: "postgres",
        url: format!("{url}shop"),
        start_at: seconds_ahead(20).to_string(),
        flags: vec![
            "--checkout",
            "safe.toml",
            "--buyers",
            "40",
            "--stock",
            "7",
            "--patience",
            "1s",
        ],
    };
    let others = race.start([1, 2, 4]);
    let folder = network.path().join("third");
    fs::create_dir(&folder).unwrap();
    for (file, text) in [("seed.sql", SEED), ("schema.sql", SCHEMA), ("safe.toml", "")] {
        write_shop(&folder, "postgres", "SELECT 1");
        let text = match text {
            "" => fs::read_to_string(folder.join(file)).unwrap() + "# Another one.\n",
            text => format!("{text}\n-- Another one.\n"),
        };
        fs::write(folder.join(file), text).unwrap();
        let third = race.command(3, MACHINES).current_dir(&folder).output().unwrap();
        assert_eq!(third.status.code(), Some(2), "{}", said(&third));
        let expected = format!(
            "error: the first part has begun another race at this store: its {file} is not as it is here; all parts need the \
             same files\n"
        );
        // Before it stands that the password is not printed.
        let said = said(&third);
        assert!(said.ends_with(&expected) && said.lines().count() == 2, "{said}");
    }
    for (flag, value, theirs) in [
        ("--isolation", "serializable", "not given"),
        ("--retries", "4", "not given"),
        ("--think", "1ms", "not given"),
    ] {
        let third = race.command(3, MACHINES).args([flag, value]).output().unwrap();
        assert_eq!(third.status.code(), Some(2), "{}", said(&third));
        let expected = format!("its {flag} is {theirs}, and here it is {value}");
        assert!(said(&third).contains(&expected), "{}", said(&third));
    }
    let first = ended(others).remove(0);
    assert_eq!(first.status.code(), Some(3), "{}", said(&first));
    assert!(said(&first).contains("slice:3/4 never came"), "{}", said(&first));
    let missing = race.refused([1, 2, 4]);
    assert!(missing.contains("slice:3/4"), "{missing}");
}

/// Two processes that race at one private MySQL server, which belongs to this one.
struct TwoParts {
    folder: TempDir,
    url: String,
    /// Ends the server.
    _server: RaceTarget,
}

impl TwoParts {
    fn new() -> Self {
        let settings = Settings { store: StoreKind::Mysql, connections: 2, ..Settings::default() };
        let target = RaceTarget::open(&settings, None, &Address::default(), &Control::default());
        let target = target.unwrap();
        let url = target.server().unwrap().url();
        Self { folder: TempDir::new().unwrap(), url, _server: target }
    }

    fn tool(&self, args: &[&str]) -> Command {
        let mut tool = Command::new(cargo_bin("oversell-sim"));
        tool.args(args).current_dir(self.folder.path()).env_remove("COLUMNS");
        tool.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        tool
    }

    /// Starts both parts of a race, which begins at this time.
    fn start(&self, name: &str, buyers: &str, stock: &str, start_at: u64) -> Vec<Child> {
        let (file, start_at) = (format!("{name}.toml"), start_at.to_string());
        let part = |number: u32| {
            let (slice, output) = (format!("slice:{number}/2"), format!("{name}-{number}.json"));
            let shop = ["race", "--checkout", &file, "--url", &self.url, "--start-at", &start_at];
            let size = ["--seed", "1", "--buyers", buyers, "--stock", stock];
            let written = ["--partition", &slice, "--format", "json", "--output", &output];
            self.tool(&[&shop[..], &size, &written, &["--no-progress"]].concat()).spawn().unwrap()
        };
        vec![part(1), part(2)]
    }

    /// The merged report of both parts.
    fn raced(&self, name: &str, buyers: &str, stock: &str) -> Value {
        for output in ended(self.start(name, buyers, stock, seconds_ahead(5))) {
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
        let files = [1, 2].map(|number| format!("{name}-{number}.json"));
        let merge = ["merge", &files[0], &files[1], "--format", "json"];
        let merged = self.tool(&merge).output().unwrap();
        assert_eq!(merged.status.code(), Some(0), "{}", said(&merged));
        serde_json::from_slice(&merged.stdout).unwrap()
    }
}

#[test]
fn two_parts_race_a_described_checkout_at_mysql_with_carts_and_roles() {
    if !has(StoreKind::Mysql) {
        return;
    }
    let parts = TwoParts::new();
    write_shop(parts.folder.path(), "mysql", "SELECT SLEEP(0.02)");
    assert_oversold(&parts.raced("naive", "40", "3"));
    assert_clean(&parts.raced("safe", "42", "7"), 42);

    // Customers and the clerks who serve them are on different machines, and each customer buys both products.
    let each = "[[role.step]]\neach = \"item\"\n";
    let (take, order) = (SAFE.replace("\n[[step]]\n", each), AUDIT.replace("\n[[step]]\n", each));
    let clerk = "[[role]]\nname = \"clerk\"\nbuys = false\n[[role.step]]\nsql = \"SELECT COUNT(*) AS sold FROM purchase\"\n";
    let buyer = format!("[[role]]\nname = \"customer\"\n{take}{order}");
    let text = format!("store = \"mysql\"\ncart = 2\n{SHOP}{clerk}{buyer}");
    fs::write(parts.folder.path().join("cart.toml"), text).unwrap();
    let report = parts.raced("cart", "20", "30");
    let figures = &report["runs"][0]["figures"];
    assert_eq!((&figures["units_sold"], &figures["findings"]), (&20.into(), &0.into()), "{report}");
    assert_eq!((&figures["failed"], &figures["stock_left"]), (&0.into(), &40.into()));
}

#[test]
fn of_a_described_race_nothing_is_said_after_a_part_was_killed_and_the_next_race_finds_an_empty_server()
 {
    if !has(StoreKind::Mysql) {
        return;
    }
    let parts = TwoParts::new();
    // Each buyer of the killed part is in its checkout for longer than the part lives.
    write_shop(parts.folder.path(), "mysql", "SELECT SLEEP(3)");
    let start_at = seconds_ahead(20);
    let mut both = parts.start("naive", "8", "3", start_at);
    while seconds_ahead(0) <= start_at {
        Control::default().pause(Duration::from_millis(50));
    }
    Control::default().pause(Duration::from_millis(500));
    both[1].kill().unwrap();

    let first = ended(both).remove(0);
    let why = said(&first);
    assert_eq!(first.status.code(), Some(3), "{why}");
    assert!(why.contains("slice:2/2 came, and then gave no sign of life"), "{why}");
    // It has left no file.
    let merged = parts.tool(&["merge", "naive-1.json", "--quiet"]).output().unwrap();
    assert_eq!((merged.status.code(), merged.stdout.len()), (Some(2), 0), "{}", said(&merged));
    assert_clean(&parts.raced("safe", "42", "7"), 42);
}
