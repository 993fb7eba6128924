//! A search of statement orders in parts, which comes to what one machine finds.

use super::*;

/// The report of parts, as JSON.
fn merged(machine: &Machine, files: &[String]) -> Value {
    let said = machine.merge(files, &["--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

/// The kinds of finding in a report of a search.
fn kinds(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_parts_of_a_search_come_to_one_report_whatever_their_number_and_find_what_one_search_finds() {
    let machine = Machine::new();
    assert_eq!(machine.run(&["init", "sql", "."]).code, 0);
    for (command, store, parts) in [
        (&["--strategy", "naive", "--expect", "oversold = 1"][..], "sqlite", &[2, 7][..]),
        // More orders than are enough once there is a finding.
        (&["--strategy", "naive", "--buyers", "4", "--jobs", "2"], "sqlite", &[2]),
        (
            &["--strategy", "pessimistic", "--buyers", "3", "--expect", "evidence = proved"],
            "sqlite",
            &[2, 7],
        ),
        (
            &["--strategy", "transaction", "--isolation", "serializable", "--no-reduce"],
            "postgres",
            &[3],
        ),
        (&["--checkout", "checkout.toml", "--find", "all"], "postgres", &[2]),
    ] {
        let command = [&["explore", "--store", store, "--seed", "3"], command].concat();
        let alone = machine.run(&[&command[..], &["--format", "json"]].concat());
        let alone: Value = serde_json::from_str(&alone.stdout).unwrap();
        let of_one = machine.parts(&command, 1);
        for of in parts {
            let parts = machine.parts(&command, *of);
            for format in ["json", "table", "html"] {
                let [one, several] =
                    [&of_one, &parts].map(|files| machine.merge(files, &["--format", format]));
                assert_eq!(several.stdout, one.stdout, "{command:?} as {format} in {of} parts");
                assert_eq!((several.stderr, several.code), (one.stderr, one.code), "{command:?}");
            }
        }
        let merged = merged(&machine, &of_one);
        assert_eq!(merged["evidence"], alone["evidence"], "{command:?}");
        assert_eq!(kinds(&merged), kinds(&alone), "{command:?}");
        for same in ["server", "stock", "items", "seed", "failed", "remarks", "incidents"] {
            assert_eq!(merged[same], alone[same], "{same}: {command:?}");
        }
        let is_whole = alone["orders"]["complete"] == true;
        for same in ["run", "outcomes", "broken", "likely", "complete", "reduced"] {
            let is_compared = is_whole || ["complete", "likely"].contains(&same);
            let [merged, alone] = [&merged, &alone].map(|report| &report["orders"][same]);
            assert!(!is_compared || merged == alone, "{same}: {merged}, {alone}: {command:?}");
        }
    }
}

#[test]
fn a_part_of_a_search_is_the_same_at_several_copies_and_where_it_goes_on_from_a_file() {
    let machine = Machine::new();
    let command =
        ["explore", "--store", "sqlite", "--strategy", "naive", "--buyers", "3", "--seed", "3"];
    machine.part(&command, 2, 3, "alone.json");
    machine.part(&[&command[..], &["--jobs", "2"]].concat(), 2, 3, "copies.json");
    let resuming = [&command[..], &["--resume", "orders"]].concat();
    machine.part(&resuming, 2, 3, "first.json");
    // As if it had been stopped in the middle.
    let orders = fs::read_to_string(machine.path("orders")).unwrap();
    let half: Vec<&str> = orders.lines().take(orders.lines().count() / 2).collect();
    fs::write(machine.path("orders"), half.join("\n") + "\n").unwrap();
    machine.part(&resuming, 2, 3, "rest.json");
    let alone = fs::read_to_string(machine.path("alone.json")).unwrap();
    for other in ["copies.json", "first.json", "rest.json"] {
        assert_eq!(fs::read_to_string(machine.path(other)).unwrap(), alone, "{other}");
    }
    let said = machine.part(&resuming, 1, 3, "other.json");
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("it belongs to another search"), "{}", said.stderr);
}

/// Replaces a text that is in a part once or more. (Footprints hold numbers that a JSON value would round.)
fn replace(part: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(part).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(part, text.replace(from, to)).unwrap();
}

#[test]
fn nothing_is_proved_where_the_parts_have_not_seen_the_same_search() {
    let machine = Machine::new();
    let command = ["explore", "--store", "sqlite", "--strategy", "pessimistic", "--seed", "3"];
    let files = machine.parts(&command, 2);
    let part = machine.path("part-2-of-2.json");
    let as_it_was = fs::read_to_string(&part).unwrap();
    assert_eq!(merged(&machine, &files)["evidence"], "proved");
    for (from, to, why) in [
        ("\"partings\": \"", "\"partings\": \"other", "otherwise on one machine than on another"),
        ("\"stable\": []", "\"stable\": [[0, \"id\"]]", "only when the search had come far"),
        ("\"several_rows\": 0", "\"several_rows\": 1", "only when the search had come far"),
        ("\"has_learned\": false", "\"has_learned\": true", "only when the search had come far"),
        ("\"told\": []", "\"told\": [\"a remark\"]", "proved"),
        ("\"hides_orders\": false", "\"hides_orders\": true", ""),
        ("\"complete\": true", "\"complete\": false", "cut short after"),
        ("\"diverged\": 0", "\"diverged\": 1", "did not come out as before"),
        ("\"unheld\": {}", "\"unheld\": { \"UPDATE shelf\": \"a reason\" }", "UPDATE shelf"),
    ] {
        replace(&part, from, to);
        let report = merged(&machine, &files);
        let evidence = if why == "proved" { "proved" } else { "not seen" };
        assert_eq!(report["evidence"], evidence, "{to}");
        let told = format!("{} {} proved", report["incomplete"], report["remarks"]);
        assert!(told.contains(why), "{to}: {told}");
        fs::write(&part, &as_it_was).unwrap();
    }
}

#[test]
fn parts_of_a_search_that_lack_orders_are_refused() {
    let machine = Machine::new();
    let command = ["explore", "--store", "sqlite", "--strategy", "naive", "--seed", "3"];
    let files = machine.parts(&command, 2);
    let part = machine.path("part-2-of-2.json");
    let as_it_was = fs::read_to_string(&part).unwrap();
    let searched = &as_it_was[as_it_was.find("\"searched\": [").unwrap()..];
    let first = &searched[..searched.find('{').unwrap()];
    let all = &as_it_was[as_it_was.find("\"all\": ").unwrap()..];
    let all = &all[..all.find(',').unwrap()];
    let enough = ("\"is_enough\": false", "\"is_enough\": true");
    for (changes, why) in [
        (vec![(first, "\"searched\": [ [ 2, ")], "it does not hold the orders of this part"),
        (vec![(all, "\"all\": 91")], "it does not hold all orders of this part"),
        (vec![(all, "\"all\": 91"), enough], "otherwise on one machine"),
        (vec![("\"tables\": []", "\"tables\": [\"other\"]")], "its orders came out otherwise"),
        (vec![("\"stock\": 1", "\"stock\": 9")], "its shop has other products or units"),
    ] {
        for (from, to) in changes {
            replace(&part, from, to);
        }
        let said = machine.merge(&files, &["--format", "json"]);
        match said.code {
            0 => assert!(said.stdout.contains(why), "{}", said.stdout),
            code => {
                assert_eq!((code, said.stdout.as_str()), (2, ""), "{}", said.stderr);
                assert!(said.stderr.contains(why), "{why}: {}", said.stderr);
            }
        }
        fs::write(&part, &as_it_was).unwrap();
    }
}

#[test]
fn what_no_part_of_a_search_can_do_is_refused() {
    let machine = Machine::new();
    let naive = &["explore", "--strategy", "naive"][..];
    let sqlite = &[naive, &["--store", "sqlite"]].concat()[..];
    for (command, flags, why) in [
        (naive, &[][..], "--partition: is for the orders of a real server"),
        (sqlite, &["--max-time", "1s"], "--max-time: a part that was cut short is of no use"),
        (sqlite, &["--preemptions", "1"], "--preemptions: is no search of every order"),
        (sqlite, &["--random"], "--random: is no search of every order"),
        (sqlite, &["--junit", "x.xml"], "--junit: is about all of the work"),
        (sqlite, &["--record", "x.toml"], "--record: is about all of the work"),
        (sqlite, &["--try", "isolation=serializable"], "--try: is about all of the work"),
        (sqlite, &["--qty", "1..2"], "--partition needs --seed"),
        (sqlite, &["--format=table"], "--partition writes a part of a report, which is JSON"),
        (sqlite, &["--buyers", "any"], "at a real server they have to be counted"),
    ] {
        let json: &[&str] = if flags == ["--format=table"] { &[] } else { &["--format", "json"] };
        let said = machine.run(&[command, flags, json, &["--partition", "slice:1/2"]].concat());
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{flags:?}: {}", said.stderr);
        assert!(said.stderr.contains(why), "{flags:?}: {}", said.stderr);
    }
}
