//! Clicks come in order, at the pace that was said, the same for the same seed; or as they were
//! recorded.

use std::fs;
use std::path::Path;

use oversell_sim::Error;
use oversell_sim::unstable::chance::{Dice, StreamPurpose};
use oversell_sim::unstable::timed::arrivals::{Arrivals, Rush};
use oversell_sim::unstable::timed::timestamps::Timestamps;
use proptest::prelude::*;

const MANY: u64 = 200_000;
const SECOND: f64 = 1e9;

fn rush(text: &str, buyers: u64) -> Rush {
    Arrivals::parse(text).unwrap().load(buyers, Path::new("")).unwrap()
}

fn clicks(text: &str, buyers: u64, seed: u64) -> Vec<u64> {
    rush(text, buyers).clicks(Dice::of(seed, StreamPurpose::World, 0, 0)).collect()
}

fn assert_near(value: f64, expected: f64, within: f64) {
    assert!((value / expected - 1.0).abs() <= within, "{value}, not {expected}");
}

fn mean(clicks: &[u64]) -> f64 {
    clicks.iter().map(|ns| *ns as f64).sum::<f64>() / clicks.len() as f64
}

fn read(csv: &str) -> Result<Vec<u64>, String> {
    match Timestamps::from_csv("clicks.csv", csv.as_bytes()) {
        Ok(read) => Ok(read.clicks().iter().map(|click| click.at_ns).collect()),
        Err(Error::Input(why)) => Err(why),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn clicks_are_as_many_as_buyers_in_order_and_the_same_for_the_same_seed() {
    for text in ["same", "uniform:10s", "uniform:3ns", "poisson:1000/s", "burst:5s"] {
        for buyers in [0, 1, 2, MANY] {
            let all = clicks(text, buyers, 1);
            assert_eq!(all.len() as u64, buyers, "{text}");
            assert!(all.is_sorted(), "{text}");
            assert_eq!(all, clicks(text, buyers, 1), "{text}");
        }
        assert_eq!(clicks(text, MANY, 1) == clicks(text, MANY, 2), text == "same", "{text}");
    }
    let mut some = rush("burst:5s", 10).clicks(Dice::of(1, StreamPurpose::World, 0, 0));
    some.next();
    assert_eq!(some.size_hint(), (9, Some(9)));
}

#[test]
fn uniform_clicks_fill_their_span_evenly() {
    let all = clicks("uniform:10s", MANY, 1);
    assert_near(mean(&all), 5.0 * SECOND, 0.01);
    assert!(all.iter().all(|ns| *ns <= 10_000_000_000));
    for tenth in 0..10 {
        let within = all.iter().filter(|ns| **ns / 1_000_000_000 == tenth).count();
        assert_near(within as f64, MANY as f64 / 10.0, 0.02);
    }
}

#[test]
fn the_first_and_last_of_a_few_uniform_clicks_lie_where_order_statistics_have_them() {
    let (mut first, mut last) = (0.0, 0.0);
    for seed in 0..20_000 {
        let all = clicks("uniform:1s", 4, seed);
        first += all[0] as f64 / 20_000.0;
        last += all[3] as f64 / 20_000.0;
    }
    assert_near(first, SECOND / 5.0, 0.02);
    assert_near(last, SECOND * 4.0 / 5.0, 0.01);
}

#[test]
fn a_burst_dies_away_exponentially() {
    let all = clicks("burst:5s", MANY, 1);
    assert_near(mean(&all), 5.0 * SECOND, 0.01);
    assert_near(all[all.len() / 2] as f64, 5.0 * SECOND * 2.0_f64.ln(), 0.01);
    let late = all.iter().filter(|ns| **ns as f64 > 15.0 * SECOND).count();
    assert_near(late as f64 / MANY as f64, (-3.0_f64).exp(), 0.03);
}

#[test]
fn a_poisson_process_keeps_its_rate_and_has_no_memory() {
    for (text, per_s) in [("poisson:1000/s", 1000.0), ("poisson:6k/m", 100.0)] {
        let all = clicks(text, MANY, 1);
        assert_near(MANY as f64 * SECOND / all[all.len() - 1] as f64, per_s, 0.01);
        // As many gaps are longer than the mean as in an exponential distribution: 1/e.
        let gaps = all.windows(2).map(|two| (two[1] - two[0]) as f64 * per_s / SECOND);
        let long = gaps.filter(|gap| *gap > 1.0).count();
        assert_near(long as f64 / MANY as f64, (-1.0_f64).exp(), 0.01);
    }
    assert!(clicks("poisson:5/h", 100, 1)[99] > 3_600_000_000_000);
    let slow = Arrivals::parse("poisson:1/h").unwrap().load(10_000_000, Path::new(""));
    assert_eq!(
        slow.unwrap_err().to_string(),
        "poisson:1/h takes 416,666 days to bring 10,000,000 buyers; 31 at most: raise the rate"
    );
}

#[test]
fn every_bad_text_has_its_sentence() {
    for (text, why) in [
        ("", "expected one of same, uniform:10s, poisson:1000/s, burst:5s, csv:FILE"),
        ("unifrom:10s", "did you mean `uniform`?"),
        ("poison:5/s", "did you mean `poisson`?"),
        ("gamma:3s", "there is no `gamma`"),
        ("same:3s", "for a span write uniform:10s"),
        ("uniform", "as in uniform:10s"),
        ("csv:", "as in csv:FILE"),
        ("uniform:10", "expected a duration with its unit"),
        ("uniform:0", "for one instant write `same`"),
        ("uniform:-1s", "leave out the minus"),
        ("burst:800h", "must be 744h at most"),
        ("poisson:1000", "expected a rate with its unit"),
        ("poisson:1000/day", "expected /s, /m or /h"),
        ("poisson:0/s", "must be from 1 to 1,000,000,000"),
        ("poisson:0.5/s", "for less write 30/m or 5/h"),
        ("poisson:2G/s", "must be from 1 to 1,000,000,000"),
    ] {
        let error = Arrivals::parse(text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{text}: {error}");
    }
}

#[test]
fn all_kinds_of_time_are_read_and_count_from_the_earliest() {
    for (csv, expected) in [
        ("at\n12.5ms\n3s\n", vec![0, 2_987_500_000]),
        ("0.0125\n0.0000000014\n.5\n1e-2", vec![0, 9_999_999, 12_499_999, 499_999_999]),
        ("at\n0.5\n250ms\n1.5e-3\n", vec![0, 248_500_000, 498_500_000]),
        ("1764230400.123456789\n1764230400.123456788\n", vec![0, 1]),
        ("time\n1s\n", vec![0]),
        (
            "at\n2026-11-27T09:00:00.123456Z\n2026-11-27T10:00:00.123457+01:00\n\
             2026-11-27 08:59:59.123456z\n",
            vec![0, 1_000_000_000, 1_000_001_000],
        ),
        ("\u{feff}at\r\n\r\n1s\r\n \r\n2s\r\n", vec![0, 1_000_000_000]),
        ("\n\n\"1s\"\n\"2s\"", vec![0, 1_000_000_000]),
        ("who,AT\nada, 2s\nbob,1s\n", vec![0, 1_000_000_000]),
    ] {
        assert_eq!(read(csv), Ok(expected), "{csv}");
    }
}

#[test]
fn regions_stay_beside_their_clicks_and_equal_times_in_order_of_lines() {
    let csv = "region,at\neu,2s\nus,1s\n\"asia, south\",2s\n,2s\neu,0s\n";
    let read = Timestamps::from_csv("clicks.csv", csv.as_bytes()).unwrap();
    let regions: Vec<_> = (0..6).map(|buyer| read.region_of(buyer)).collect();
    let expected = [Some("eu"), Some("us"), Some("eu"), Some("asia, south"), None, None];
    assert_eq!(regions, expected);
    assert_eq!(read.regions(), ["eu", "us", "asia, south"]);
}

#[test]
fn what_is_wrong_in_a_file_is_said_with_the_first_line_and_how_many_more() {
    let bad_lines = "at\n1s\nsoon\n".to_owned() + &"later\n".repeat(41);
    for (csv, why) in [
        (bad_lines.as_str(), "clicks.csv:3: `soon`: expected a duration with its unit"),
        (bad_lines.as_str(), " (and 41 more lines)"),
        ("at\nx\ny\n", " (and 1 more line)"),
        ("at\r\n\r\n\r\n1s\r\n\r\nsoon\r\n1s", "clicks.csv:6: `soon`: "),
        ("\n\nat\n\n1s\n\nsoon", "clicks.csv:7: `soon`: "),
        ("1s\n,\n", "clicks.csv:2: expected 1 field, found 2"),
        ("at,region\n1s\n", "clicks.csv:2: expected 2 fields, found 1"),
        ("at,region\n,eu\n", "clicks.csv:2: ``: expected a time, such as"),
        ("at\n-1s\n", "clicks.csv:2: `-1s`: nothing takes less than no time"),
        ("at\n-0.5\n", "clicks.csv:2: `-0.5`: nothing takes less than no time"),
        ("at\n1764230400123\n", "plain numbers are seconds, 9,000,000,000 at most"),
        ("at\n1e300\n", "plain numbers are seconds"),
        ("at\n1.2.3\n", "expected a time, such as 12.5ms"),
        ("at\n2026-11-27T09:00:00\n", "expected a moment with its offset"),
        ("at\n2026-02-30T09:00:00Z\n", "expected a moment with its offset"),
        ("at\n9999-11-27T09:00:00Z\n", "from 1678 to 2261"),
        ("at\n1s\n2026-11-27T09:00:00Z\n", "clicks.csv:3: a moment, but the lines above"),
        ("at\n2026-11-27T09:00:00Z\n1s\n", "clicks.csv:3: a time after the beginning, but"),
        ("at\n2026-11-27T09:00:00Z\n2027-11-27T09:00:00Z\n", "clicks.csv spans 365 days"),
        ("when,region\n1s,eu\n", "clicks.csv:1: of several columns one must be named `at`"),
        ("1s,eu\n", "but the first line is `1s,eu`"),
        ("at,regoin\n1s,eu\n", "there is no column `regoin`; did you mean `region`?"),
        ("", "clicks.csv has no clicks"),
        ("at\n", "clicks.csv has no clicks"),
        ("\u{feff}\r\n\r\n", "clicks.csv has no clicks"),
    ] {
        let error = read(csv).expect_err(csv);
        assert!(error.contains(why), "{csv}: {error}");
        assert_eq!(error.lines().count(), 1, "{csv}: {error}");
    }
    let error = Timestamps::from_csv("clicks.csv", &b"at\n1s\n\xff\n"[..]).unwrap_err();
    assert_eq!(error.to_string(), "clicks.csv:3: the text is not UTF-8");
}

#[test]
fn recorded_clicks_are_played_back_whatever_the_number_of_buyers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("clicks.csv"), "at,region\n3s,eu\n1s,us\n").unwrap();
    let arrivals = Arrivals::parse("csv:clicks.csv").unwrap();
    let rush = arrivals.load(1000, folder.path()).unwrap();
    assert_eq!(rush.buyers(), 2);
    assert_eq!(rush.region_of(0), Some("us"));
    let dice = Dice::of(1, StreamPurpose::World, 0, 0);
    assert_eq!(rush.clicks(dice).collect::<Vec<_>>(), [0, 2_000_000_000]);
    let missing = Arrivals::parse("csv:missing.csv").unwrap().load(1, folder.path()).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read the clicks "), "{missing}");
}

fn any_arrivals() -> impl Strategy<Value = String> {
    let span = 1..=2_678_400_000_000_000_u64;
    prop_oneof![
        Just("same".to_owned()),
        span.clone().prop_map(|ns| format!("uniform:{ns}ns")),
        span.prop_map(|ns| format!("burst:{ns}ns")),
        (1..=1_000_000_000_u64, prop::sample::select(vec!["s", "m", "h"]))
            .prop_map(|(clicks, per)| format!("poisson:{clicks}/{per}")),
        "[a-zA-Z0-9/._-]{1,20}".prop_map(|file| format!("csv:{file}")),
    ]
}

proptest! {
    #[test]
    fn arrivals_read_back_from_their_own_words(text in any_arrivals()) {
        let arrivals = Arrivals::parse(&text).unwrap();
        prop_assert_eq!(Arrivals::parse(&arrivals.to_string()), Ok(arrivals));
    }

    #[test]
    fn any_text_is_arrivals_or_refused_on_one_line(text in any::<String>()) {
        if let Err(why) = Arrivals::parse(&text) {
            prop_assert_eq!(why.lines().count(), 1, "{}", why);
        }
    }

    #[test]
    fn any_file_is_read_or_refused(
        bytes in any::<Vec<u8>>(),
        lines in "(at,region\n)?([-0-9.smheEZT:,\"\r\n]{0,12}\n){0,5}",
    ) {
        for source in [bytes.as_slice(), lines.as_bytes()] {
            match Timestamps::from_csv("any.csv", source) {
                Ok(read) => {
                    prop_assert_eq!(read.clicks()[0].at_ns, 0);
                    prop_assert!(read.clicks().is_sorted_by_key(|click| click.at_ns));
                }
                Err(Error::Input(why)) => prop_assert!(why.starts_with("any.csv"), "{}", why),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn the_clicks_of_a_seed_stay_the_same_from_release_to_release() {
    for (text, expected) in [
        ("uniform:10s", [4_988_144_021, 8_495_125_275, 9_203_683_172]),
        ("burst:5s", [3_453_893_958, 9_469_377_188, 12_651_716_206]),
        ("poisson:1000/s", [2_072_336, 4_478_529, 5_114_997]),
    ] {
        assert_eq!(clicks(text, 3, 42), expected, "{text}");
    }
}

#[test]
fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
    use std::io::{Read, repeat};
    let refused = |source: &mut dyn Read| match Timestamps::from_csv("zero.csv", source) {
        Err(Error::Input(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut repeat(0)), "zero.csv:1: longer than 1 MiB");
    // A quotation mark holds lines together.
    let why = refused(&mut b"at\n\"".chain(repeat(b'\n')));
    assert!(why.ends_with(": longer than 1 MiB"), "{why}");
    // Of short lines there may be more.
    assert_eq!(read(&"1s\n".repeat(1_000_000)).map(|clicks| clicks.len()), Ok(1_000_000));
}
