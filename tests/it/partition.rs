//! Work that is shared out among several machines comes to the report of one machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use oversell_sim::unstable::attempt::Failure;
use oversell_sim::unstable::buyer::Ending;
use oversell_sim::unstable::logbook::Logbook;
use oversell_sim::unstable::render;
use oversell_sim::unstable::settings::Settings;
use oversell_sim::unstable::threads::Round;
use oversell_sim::{Expectation, Report};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture;

mod orders;

/// A shop in which a broken checkout sells too much with some seeds, and not with all.
const SHOP: &str = "strategy = \"naive, cas\"\nbuyers = 3\nstock = 2\n\
    [[region]]\nname = \"near\"\nway = \"1ms..40ms\"\n[[region]]\nname = \"far\"\nway = \"5ms..90ms\"\n\
    [shop]\nthink = \"1ms..9ms\"\n[expect]\noversold = 0\n";

/// A folder with that shop, and what the program says there.
struct Machine(TempDir);

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Machine {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("shop.toml"), SHOP).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Said {
        let output = Command::new(cargo_bin("oversell-sim"))
            .args(args)
            .current_dir(&self.0)
            .env_remove("COLUMNS")
            .env_remove("GITHUB_STEP_SUMMARY")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Makes part `part` of `of` of the work of a command, in a file of this name.
    fn part(&self, command: &[&str], part: u32, of: u32, file: &str) -> Said {
        let slice = format!("slice:{part}/{of}");
        let json: &[&str] = match command[0] {
            "check" | "survey" => &[],
            _ => &["--format", "json"],
        };
        self.run(&[command, &["--partition", &slice, "--output", file], json].concat())
    }

    /// Makes all parts. Returns their files, in no particular order.
    fn parts(&self, command: &[&str], of: u32) -> Vec<String> {
        let make = |part| {
            let file = format!("part-{part}-of-{of}.json");
            let said = self.part(command, part, of, &file);
            assert_eq!(said.code, 0, "{}", said.stderr);
            file
        };
        let mut files: Vec<String> = (1..=of).map(make).collect();
        files.rotate_left(of as usize / 2);
        files
    }

    fn merge(&self, files: &[String], flags: &[&str]) -> Said {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        self.run(&[&["merge"], &files[..], flags].concat())
    }

    /// What it says is wrong with these parts.
    fn refused(&self, files: &[&str]) -> String {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let said = self.merge(&files, &[]);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{}", said.stderr);
        said.stderr
    }
}

/// A change of a part that is in a file.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut part: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut part);
    fs::write(path, part.to_string()).unwrap();
}

#[test]
fn the_parts_of_a_simulation_come_to_the_report_of_one_machine() {
    let machine = Machine::new();
    let expected = [
        "--expect",
        "latency.p99 < 200ms",
        "--expect",
        "total.winners > 0",
        "--expect",
        "evidence = not seen",
    ];
    for command in [
        // More buyers in all than a list of durations keeps, and fewer.
        [&["simulate", "shop.toml", "--seeds", "1400"], &expected[..]].concat(),
        vec!["simulate", "shop.toml", "--seeds", "100", "--seed", "7", "--strategy", "naive"],
        vec!["simulate", "shop.toml", "--seeds", "5", "--buyers", "20", "--allow-incomplete"],
        vec!["simulate", "shop.toml", "--seeds", "1"],
    ] {
        for of in [1, 2, 7] {
            let parts = machine.parts(&command, of);
            for format in ["json", "table", "html"] {
                let alone = machine.run(&[&command[..], &["--format", format]].concat());
                let merged = machine.merge(&parts, &["--format", format]);
                assert_eq!(merged.stdout, alone.stdout, "{command:?} as {format} in {of} parts");
                assert_eq!(merged.stderr, alone.stderr, "{command:?} as {format} in {of} parts");
                assert_eq!(merged.code, alone.code, "{command:?} as {format} in {of} parts");
                assert!(!alone.stdout.is_empty());
            }
        }
    }
}

/// Rounds of a race of all sizes, some of them alike: right ones, and ones in which too much is sold.
fn rounds(number: u32) -> Vec<Round> {
    let of_number = |number: u32| {
        let buyers = 1 + number * number % 150;
        let visits = (0..buyers).map(|buyer| {
            let ending = match buyer {
                0 => Ending::Bought,
                1..=3 if number % 7 == 4 => Ending::Bought,
                2 if number % 3 == 1 => Ending::Failed(Failure::Refused),
                _ => Ending::Rejected,
            };
            let mut visit = fixture::visit(buyer, 1, ending);
            visit.ended_ns += u64::from(number * 7_919 + buyer * 104_729) % 50_000_000;
            visit.conflicts = (number + buyer) % 5;
            visit
        });
        let mut round = fixture::round_of(1, visits.collect());
        round.number = number;
        round.books.trouble = (number % 5 == 3).then(|| format!("trouble in round {number}"));
        round
    };
    (1..=number).map(of_number).collect()
}

#[test]
fn the_parts_of_a_race_come_to_the_report_of_one_machine_that_had_measured_the_same() {
    let expected = [
        "oversold = 0",
        "buyers < 140",
        "winners > 0",
        "failed < 2",
        "total.buyers > 5",
        "evidence = broken",
    ];
    let expected = expected.map(|text| Expectation::parse(text).unwrap());
    let told = |logbook: Logbook| {
        let settings = Settings::default();
        let run = logbook.close("cas", false, "again".into());
        render::json(&Report::new("memory", settings.in_effect(), vec![run])).unwrap()
    };
    for many in [0, 1, 3, 60, 1_100] {
        let rounds = rounds(many);
        let mut whole = Logbook::open(&expected);
        for round in &rounds {
            whole.enter(round);
        }
        let whole = told(whole);
        for of in [1, 2, 7] {
            let mut merged = Logbook::open(&expected);
            for part in (1..=of).rev() {
                let mut logbook = Logbook::open(&expected);
                for round in rounds.iter().filter(|round| (round.number - 1) % of == part - 1) {
                    logbook.enter(round);
                }
                let text = serde_json::to_string(&logbook.into_part(false)).unwrap();
                merged.add_part(serde_json::from_str(&text).unwrap()).unwrap();
            }
            assert_eq!(told(merged), whole, "{many} rounds in {of} parts");
        }
    }
}

#[test]
fn a_race_is_run_in_parts() {
    let machine = Machine::new();
    let race = ["race", "--buyers", "40", "--stock", "3", "--rounds", "10", "--seed", "5"];
    let expected = ["--expect", "oversold = 0", "--expect", "total.units_sold = 30"];
    let cas = [&race[..], &["--strategy", "cas,optimistic"], &expected].concat();
    let sqlite =
        [&race[..], &["--strategy", "conditional", "--store", "sqlite"], &expected].concat();
    for (command, strategies) in [(cas, 2), (sqlite, 1)] {
        let alone = machine.run(&[&command[..], &["--format", "json"]].concat());
        let alone: Value = serde_json::from_str(&alone.stdout).unwrap();
        for of in [1, 2, 7, 12] {
            let files = machine.parts(&command, of);
            let merged = machine.merge(&files, &["--format", "json"]);
            assert_eq!(merged.code, 0, "{}", merged.stderr);
            let merged: Value = serde_json::from_str(&merged.stdout).unwrap();
            for part in ["schema", "version", "world", "machine", "store", "server", "settings"] {
                assert_eq!(merged[part], alone[part], "{part}");
            }
            assert_eq!(merged["runs"].as_array().unwrap().len(), strategies);
            for (run, alone) in std::iter::zip(
                merged["runs"].as_array().unwrap(),
                alone["runs"].as_array().unwrap(),
            ) {
                for same in
                    ["strategy", "evidence", "rounds", "findings", "again", "hint", "interrupted"]
                {
                    assert_eq!(run[same], alone[same], "{same}");
                }
                for same in ["buyers", "units_sold", "stock_left", "findings"] {
                    assert_eq!(run["figures"][same], alone["figures"][same], "{same}");
                }
                assert_eq!(run["round_times"].as_array().unwrap().len(), 10);
                assert_eq!(run["expectations"].as_array().unwrap().len(), 2);
            }
            if of == 1 {
                let part = fs::read_to_string(machine.path(&files[0])).unwrap();
                let part: Value = serde_json::from_str(&part).unwrap();
                for measured in ["figures", "latencies", "round_times", "worst", "banners"] {
                    assert_eq!(
                        merged["runs"][0][measured], part["runs"][0][measured],
                        "{measured}"
                    );
                }
            }
            let csv = machine.merge(&files, &["--format", "csv"]);
            assert_eq!((csv.code, csv.stdout.lines().count()), (0, 1 + strategies));
        }
    }
}

#[test]
fn parts_of_a_checkout_with_another_seed_are_refused_and_the_file_is_named() {
    let machine = Machine::new();
    assert_eq!(machine.run(&["init", "sql", "--store", "sqlite"]).code, 0);
    let shop = ["race", "--checkout", "checkout/checkout.toml", "--buyers", "4"];
    let race = [&shop[..], &["--rounds", "2", "--seed", "1"]].concat();
    let part = |number, file| assert_eq!(machine.part(&race, number, 2, file).code, 0);
    let seed = machine.path("checkout/seed.sql");
    let text = fs::read_to_string(&seed).unwrap();
    part(1, "one.json");
    fs::write(&seed, format!("{text}-- Another one.\n")).unwrap();
    part(2, "two.json");
    let said = machine.refused(&["one.json", "two.json"]);
    assert!(said.contains("checkout/seed.sql was another file than for one.json"), "{said}");
    part(1, "one.json");
    fs::write(&seed, text).unwrap();
    let said = machine.refused(&["one.json", "two.json"]);
    assert!(said.contains("checkout/seed.sql is not as it was when one.json was made"), "{said}");
}

#[test]
fn what_a_race_lost_in_one_part_is_lost_in_all() {
    let machine = Machine::new();
    let race = ["race", "--strategy", "naive", "--buyers", "30", "--rounds", "4", "--seed", "5"];
    let files = machine.parts(&[&race[..], &["--expect", "oversold = 0"]].concat(), 2);
    let merged = machine.merge(&files, &[]);
    assert_eq!(merged.code, 1, "{}", merged.stdout);
    assert!(merged.stdout.contains("oversold = 0  NOT MET"), "{}", merged.stdout);
}

#[test]
fn parts_of_machines_that_differ_say_nothing_of_a_machine() {
    let machine = Machine::new();
    let race = ["race", "--strategy", "cas", "--buyers", "20", "--rounds", "4", "--seed", "5"];
    let files = machine.parts(&race, 2);
    let of = |files: &[String]| {
        let merged = machine.merge(files, &["--format", "json"]);
        assert_eq!(merged.code, 0, "{}", merged.stderr);
        serde_json::from_str::<Value>(&merged.stdout).unwrap()["machine"].clone()
    };
    assert!(of(&files)["cores"].is_u64());
    change(&machine.path(&files[0]), |part| part["machine"]["cores"] = 512.into());
    assert_eq!(of(&files), Value::Null);
    change(&machine.path(&files[0]), |part| part["server"] = "PostgreSQL 9.1".into());
    let said = machine.refused(&[&files[0], &files[1]]);
    assert!(said.contains("its server is") && said.contains("PostgreSQL 9.1"), "{said}");
}

/// Scenarios: one that holds, two that fall short, a search, and one that is none.
fn scenarios(machine: &Machine) {
    let search =
        "run = \"explore\"\nstrategy = \"cas\"\nbuyers = 2\n[expect]\nevidence = \"proved\"\n";
    let right = SHOP.replace("naive, cas", "cas").replace("stock = 2", "stock = 2\nseeds = 9");
    for (name, text) in [
        ("a.toml", right.as_str()),
        ("b.toml", SHOP),
        ("c.toml", search),
        ("d.toml", "strategy = \"cas\"\n[expect]\nwinners = 2\n"),
        ("e-with-a-long-name.toml", search),
    ] {
        fs::create_dir_all(machine.path("shops")).unwrap();
        fs::write(machine.path("shops").join(name), text).unwrap();
    }
}

#[test]
fn the_parts_of_a_check_come_to_the_lines_of_one_machine() {
    let machine = Machine::new();
    scenarios(&machine);
    for is_wrong in [false, true] {
        if is_wrong {
            fs::write(machine.path("shops/bb.toml"), "strategy = \"cass\"\n").unwrap();
        }
        for of in [1, 2, 7] {
            let mut codes = Vec::new();
            let files: Vec<String> = (1..=of)
                .map(|part| {
                    let file = format!("{part}.json");
                    codes.push(machine.part(&["check", "shops"], part, of, &file).code);
                    file
                })
                .collect();
            let with_errors = codes.iter().filter(|code| **code == 2).count();
            assert_eq!(with_errors, usize::from(is_wrong), "{codes:?}");
            for format in ["table", "github", "sarif"] {
                let alone = machine.run(&["check", "shops", "--format", format]);
                let merged = machine.merge(&files, &["--format", format]);
                assert_eq!(merged.stdout, alone.stdout, "{format} in {of} parts");
                assert_eq!(merged.stderr, alone.stderr, "{format} in {of} parts");
                assert_eq!((merged.code, alone.code), if is_wrong { (2, 2) } else { (1, 1) });
            }
            let merged = machine.merge(&files, &["--format", "html", "--junit", "junit.xml"]);
            assert!(merged.stdout.contains("e-with-a-long-name.toml"), "{}", merged.stderr);
            let junit = fs::read_to_string(machine.path("junit.xml")).unwrap();
            assert_eq!(junit.matches("<testsuite ").count(), 5 + usize::from(is_wrong));
        }
    }
    change(&machine.path("1.json"), |part| {
        part["part"]["checked"].as_array_mut().unwrap().clear();
    });
    let said =
        machine.refused(&["1.json", "2.json", "3.json", "4.json", "5.json", "6.json", "7.json"]);
    assert!(said.contains("1.json: it does not hold its part of 6 scenarios"), "{said}");
    assert!(said.contains("oversell-sim check shops --partition slice:1/7\n"), "{said}");
    machine.part(&["check", "shops"], 1, 2, "1.json");
    fs::write(machine.path("shops/z.toml"), SHOP).unwrap();
    machine.part(&["check", "shops"], 2, 2, "2.json");
    let said = machine.refused(&["1.json", "2.json"]);
    assert!(said.contains("the files that its command reads were others"), "{said}");
}

#[test]
fn the_parts_of_a_survey_come_to_the_page_of_one_machine() {
    let machine = Machine::new();
    let command =
        ["survey", "--store", "sqlite", "--strategy", "naive,pessimistic,conditional,optimistic"];
    for of in [1, 2, 7] {
        let files = machine.parts(&command, of);
        for format in ["markdown", "html"] {
            let alone = machine.run(&[&command[..], &["--format", format]].concat());
            let merged = machine.merge(&files, &["--format", format]);
            assert_eq!((merged.code, &merged.stdout), (0, &alone.stdout), "{}", merged.stderr);
            assert!(alone.stdout.contains("conditional"), "{}", alone.stderr);
        }
    }
    machine.parts(&command, 2);
    change(&machine.path("part-2-of-2.json"), |part| {
        part["part"]["rows"][0]["strategy"] = "cas".into();
    });
    let said = machine.refused(&["part-1-of-2.json", "part-2-of-2.json"]);
    assert!(said.contains("it does not hold the verdicts that belong to it"), "{said}");
}

#[test]
fn a_part_that_was_killed_is_made_again_and_nothing_is_counted_twice() {
    let machine = Machine::new();
    let command = ["simulate", "shop.toml", "--seeds", "60"];
    let mut parts = machine.parts(&command, 2);
    // Of a part that was killed nothing is there, or what was there before.
    fs::remove_file(machine.path("part-2-of-2.json")).unwrap();
    assert_eq!(machine.merge(&parts, &[]).code, 2);
    machine.part(&command, 2, 2, "part-2-of-2.json");
    machine.part(&command, 2, 2, "part-2-of-2.json");
    let alone = machine.run(&[&command[..], &["--format", "json"]].concat());
    let merged = machine.merge(&parts, &["--format", "json", "--output", "all.json"]);
    assert_eq!((merged.code, merged.stdout.as_str()), (alone.code, ""));
    assert_eq!(fs::read_to_string(machine.path("all.json")).unwrap(), alone.stdout);

    machine.part(&command, 2, 2, "again.json");
    parts.push("again.json".into());
    let said = machine.merge(&parts, &[]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("are the same part"), "{}", said.stderr);
    assert!(said.stderr.contains("again.json"), "{}", said.stderr);
}

#[test]
fn a_part_that_is_missing_is_named_with_the_command_that_makes_it() {
    let machine = Machine::new();
    let command = ["simulate", "shop.toml", "--seeds", "40", "--expect", "winners > 0"];
    machine.parts(&command, 7);
    let said = machine.refused(&["part-1-of-7.json", "part-3-of-7.json", "part-7-of-7.json"]);
    assert!(said.contains("of 7 parts 4 are missing"), "{said}");
    assert!(said.contains("slice:2/7, slice:4/7, slice:5/7, slice:6/7\n"), "{said}");
    let again = said.split("to make it: ").nth(1).unwrap().trim();
    let words = shlex::split(again).unwrap();
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let made = machine.run(&words);
    let before = fs::read_to_string(machine.path("part-2-of-7.json")).unwrap();
    let untimed = |text: &str| {
        let mut part: Value = serde_json::from_str(text).unwrap();
        for run in part["part"]["runs"].as_array_mut().unwrap() {
            run["took_ns"] = Value::Null;
        }
        part
    };
    assert_eq!(untimed(&made.stdout), untimed(&before));
}

#[test]
fn a_part_of_other_work_is_named_with_what_differs() {
    let machine = Machine::new();
    let first = ["simulate", "shop.toml", "--seeds", "40"];
    machine.part(&first, 1, 2, "first.json");
    for (command, of, differs) in [
        (
            &["simulate", "shop.toml", "--seeds", "41"][..],
            2,
            "its --seeds is 41, and 40 in first.json",
        ),
        (
            &["simulate", "shop.toml", "--seeds", "40", "--seed", "1"],
            2,
            "--seed is 1, and not given",
        ),
        (&["simulate", "shop.toml", "--seeds", "40", "--buyers", "9"], 2, "--buyers is 9"),
        (&["simulate", "shop.toml", "--seeds", "40", "--expect", "stock = 2"], 2, "--expect is"),
        (&["simulate", "shop.toml", "--seeds", "40"], 3, "number of parts is 3, and 2"),
    ] {
        machine.part(command, 2, of, "second.json");
        let said = machine.refused(&["first.json", "second.json"]);
        assert!(said.contains("second.json: it is a part of other work"), "{said}");
        assert!(said.contains(differs), "{said}");
    }

    // Another machine has another file of the same name.
    fs::write(machine.path("shop.toml"), SHOP.replace("buyers = 3", "buyers = 4")).unwrap();
    machine.part(&first, 2, 2, "second.json");
    let said = machine.refused(&["first.json", "second.json"]);
    assert!(said.contains("its `buyers` is 4, and 3 in first.json"), "{said}");
    fs::write(machine.path("shop.toml"), SHOP.replace("40ms", "41ms")).unwrap();
    machine.part(&first, 2, 2, "second.json");
    let said = machine.refused(&["first.json", "second.json"]);
    assert!(said.contains("the files that its command reads were others"), "{said}");
    machine.part(&first, 1, 2, "first.json");
    fs::write(machine.path("shop.toml"), SHOP).unwrap();
    let said = machine.refused(&["first.json", "second.json"]);
    assert!(said.contains("shop.toml is not as it was when first.json was made"), "{said}");
}

#[test]
fn what_is_no_part_or_not_whole_is_refused() {
    let machine = Machine::new();
    let command = ["simulate", "shop.toml", "--seeds", "40"];
    let make = || machine.part(&command, 2, 2, "second.json");
    machine.part(&command, 1, 2, "first.json");
    let refused = |why: &str| {
        let said = machine.refused(&["first.json", "second.json"]);
        assert!(said.contains("second.json") && said.contains(why), "{said}");
    };
    let second = machine.path("second.json");
    refused("cannot read");
    let all = machine.run(&[&command[..], &["--format", "json"]].concat()).stdout;
    fs::write(&second, all).unwrap();
    refused("only what --partition has written");
    make();
    let whole = fs::read_to_string(&second).unwrap();
    fs::write(&second, &whole[..whole.len() / 2]).unwrap();
    refused("second.json:");

    type Change = (&'static str, fn(&mut Value));
    let changes: [Change; 8] = [
        ("cut short", |part| part["part"]["runs"][1]["interrupted"] = true.into()),
        ("it holds 19 rounds, not 20", |part| {
            part["part"]["runs"][0]["entries"]["rounds"] = 19.into()
        }),
        ("belongs to another part", |part| {
            part["part"]["runs"][0]["entries"]["worst"]["number"] = 3.into();
        }),
        ("belongs to another part", |part| {
            part["part"]["runs"][0]["entries"]["worst"]["number"] = 0.into();
        }),
        ("version 0.0.9", |part| part["version"] = "0.0.9".into()),
        ("version 0.1.0 (0)", |part| part["part"]["build"] = "0.1.0 (0)".into()),
        ("no form that this version knows", |part| part["part"]["form"] = 2.into()),
        ("no form that this version knows", |part| part["part"]["slice"]["part"] = 9.into()),
    ];
    for (why, changed) in changes {
        make();
        change(&second, changed);
        refused(why);
    }
    // Figures that nothing can have are no reason to crash.
    make();
    change(&second, |part| {
        let figures = &mut part["part"]["runs"][0]["entries"]["total"]["figures"];
        for figure in figures.as_object_mut().unwrap().values_mut().filter(|value| value.is_u64()) {
            *figure = u64::MAX.into();
        }
        figures["stock"] = i64::MAX.into();
        figures["units_sold"] = i64::MAX.into();
        figures["stock_left"] = i64::MAX.into();
    });
    let said = machine.merge(&["first.json".into(), "second.json".into()], &[]);
    assert!([0, 1, 2].contains(&said.code) && !said.stderr.contains("panicked"), "{}", said.stderr);
}

#[test]
fn where_a_merged_report_is_written_is_not_for_a_part_to_say() {
    let machine = Machine::new();
    let command = ["simulate", "shop.toml", "--seeds", "4"];
    machine.part(&command, 1, 1, "part.json");
    change(&machine.path("part.json"), |part| {
        let words = part["part"]["command"].as_array_mut().unwrap();
        words.extend(["--output", "elsewhere", "--junit", "there"].map(Value::from));
    });
    let said = machine.merge(&["part.json".into()], &[]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(!machine.path("elsewhere").exists() && !machine.path("there").exists());
}

#[test]
fn a_part_judges_nothing_and_ends_well() {
    let machine = Machine::new();
    let command = ["simulate", "shop.toml", "--seeds", "40", "--expect", "total.winners = 3"];
    for part in 1..=2 {
        let said = machine.part(&command, part, 2, &format!("{part}.json"));
        assert_eq!(said.code, 0, "{}", said.stderr);
        let text = fs::read_to_string(machine.path(&format!("{part}.json"))).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["runs"][0]["rounds"], 20);
        assert_eq!(report["runs"][0]["expectations"], Value::Array(Vec::new()));
    }
    let said = machine.merge(&["1.json".into(), "2.json".into()], &["--junit", "junit.xml"]);
    assert_eq!(said.code, 1);
    assert!(fs::read_to_string(machine.path("junit.xml")).unwrap().contains("total.winners = 3"));
}

#[test]
fn what_means_nothing_for_a_part_is_refused() {
    let machine = Machine::new();
    for (flags, why) in [
        (&["--seeds", "4"][..], "add --format json"),
        (&["--format", "json"], "--partition needs --seeds"),
        (
            &["--seeds", "4", "--format", "json", "--junit", "x"],
            "--junit: is about all of the work",
        ),
    ] {
        let said =
            machine.run(&[&["simulate", "shop.toml", "--partition", "slice:1/2"], flags].concat());
        assert_eq!(said.code, 2);
        assert!(said.stderr.contains(why), "{}", said.stderr);
    }
    for (flags, why) in [
        (&["--seed", "1"][..], "--partition needs --rounds"),
        (&["--rounds", "4"], "--partition needs --seed"),
        (
            &["--rounds", "4", "--seed", "1", "--baseline", "x"],
            "--baseline: is about all of the work",
        ),
        (&["--rounds", "4", "--seed", "1"], "add --format json"),
    ] {
        let said = machine
            .run(&[&["race", "--strategy", "cas", "--partition", "slice:1/2"], flags].concat());
        assert_eq!(said.code, 2);
        assert!(said.stderr.contains(why), "{}", said.stderr);
    }
    for slice in ["1/2", "slice:3/2", "slice:0/2", "hash:1/2", "slice:1/0"] {
        let said = machine.run(&["simulate", "shop.toml", "--seeds", "4", "--partition", slice]);
        assert_eq!(said.code, 2, "{slice}");
        assert!(said.stderr.contains("'--partition <SLICE>'"), "{}", said.stderr);
    }
    machine.part(&["simulate", "shop.toml", "--seeds", "4"], 1, 1, "part.json");
    let said = machine.merge(&["part.json".into()], &["--format", "csv"]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("expected one of table, json, html, github, sarif"),
        "{}",
        said.stderr
    );
}
