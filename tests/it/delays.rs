//! Delays roll what they say, and read back from their own words.

use oversell_sim::unstable::chance::{Dice, StreamPurpose};
use oversell_sim::unstable::timed::arrivals::Arrivals;
use oversell_sim::unstable::timed::delay::Delay;
use oversell_sim::unstable::timed::theory::MmcQueue;
use proptest::prelude::*;

const ROLLS: u32 = 200_000;

fn delay(text: &str) -> Delay {
    Delay::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn rolls(text: &str) -> Vec<u64> {
    let delay = delay(text);
    let mut dice = Dice::of(7, StreamPurpose::World, 0, 1);
    (0..ROLLS).map(|_| delay.roll(dice.rng())).collect()
}

fn mean(rolls: &[u64]) -> f64 {
    rolls.iter().map(|ns| *ns as f64).sum::<f64>() / rolls.len() as f64
}

/// What lies above this share of the rolls.
fn quantile(rolls: &[u64], share: f64) -> f64 {
    let mut sorted = rolls.to_vec();
    sorted.sort_unstable();
    sorted[(share * sorted.len() as f64) as usize] as f64
}

fn assert_near(value: f64, expected: f64, within: f64, what: &str) {
    assert!((value / expected - 1.0).abs() <= within, "{what}: {value}, not {expected}");
}

#[test]
fn rolls_have_the_mean_that_is_told_and_are_never_shorter_than_the_shortest() {
    for text in [
        "0",
        "40ms",
        "30ms..50ms",
        "0..10ns",
        "exponential:40ms",
        "exponential:20h",
        "normal:40ms,5ms",
        "normal:5ms,5ms",
        "normal:0,5ms",
        "normal:23h,10h",
        "lognormal:40ms,0.3",
        "lognormal:40ms,1.2",
        "lognormal:20h,0.9",
        "pareto:40ms,2.5",
        "pareto:10h,1.2",
    ] {
        let (delay, rolls) = (delay(text), rolls(text));
        if delay.mean_ns() > 0.0 {
            assert_near(mean(&rolls), delay.mean_ns(), 0.01, text);
        }
        assert!(rolls.iter().all(|ns| *ns >= delay.least_ns()), "{text}");
        assert!(rolls.iter().all(|ns| u128::from(*ns) <= Delay::LONGEST.as_nanos()), "{text}");
    }
}

#[test]
fn means_far_from_24_hours_are_those_of_the_textbook() {
    for (text, mean_ms) in [
        ("30ms..50ms", 40.0),
        ("exponential:40ms", 40.0),
        ("normal:40ms,5ms", 40.0),
        ("normal:0,5ms", 5.0 * (2.0 / std::f64::consts::PI).sqrt()),
        ("lognormal:40ms,0.3", 40.0 * (0.3_f64 * 0.3 / 2.0).exp()),
        ("pareto:40ms,2.5", 40.0 * 2.5 / 1.5),
    ] {
        assert_near(delay(text).mean_ns(), mean_ms * 1e6, 1e-6, text);
    }
}

#[test]
fn quantiles_are_those_of_the_textbook() {
    let ms = |ms: f64| ms * 1e6;
    for (text, share, expected) in [
        ("30ms..50ms", 0.25, ms(35.0)),
        ("exponential:40ms", 0.9, ms(40.0 * 10.0_f64.ln())),
        ("normal:40ms,5ms", 0.8413, ms(45.0)),
        ("normal:0,5ms", 0.6827, ms(5.0)),
        ("lognormal:40ms,0.3", 0.5, ms(40.0)),
        ("lognormal:40ms,0.3", 0.99, ms(40.0 * (0.3_f64 * 2.3263).exp())),
        ("pareto:40ms,2.5", 0.9, ms(40.0 * 10.0_f64.powf(0.4))),
    ] {
        assert_near(quantile(&rolls(text), share), expected, 0.01, text);
    }
}

#[test]
fn the_shortest_are_those_that_can_come() {
    for (text, least_ns) in [
        ("40ms", 40_000_000),
        ("30ms..50ms", 30_000_000),
        ("pareto:40ms,2.5", 40_000_000),
        ("exponential:40ms", 0),
        ("normal:40ms,5ms", 0),
        ("lognormal:40ms,0.3", 0),
    ] {
        assert_eq!(delay(text).least_ns(), least_ns, "{text}");
    }
    let all = rolls("0..3ns");
    assert_eq!((all.iter().min(), all.iter().max()), (Some(&0), Some(&3)), "both ends included");
}

#[test]
fn every_bad_text_has_its_sentence() {
    for (text, why) in [
        ("", "expected a duration with its unit"),
        ("40", "expected a duration with its unit"),
        ("-40ms", "leave out the minus"),
        ("25h", "must be 24h at most"),
        ("1..25h", "expected a duration with its unit"),
        ("50ms..30ms", "upside down; write 30ms..50ms"),
        ("30ms..", "expected a duration with its unit"),
        (
            "gaussian:40ms,5ms",
            "there is no `gaussian`: expected 40ms, 30ms..50ms, exponential:40ms",
        ),
        ("expnential:40ms", "did you mean `exponential`?"),
        ("log-normal:40ms,0.3", "did you mean `lognormal`?"),
        ("paretto", "did you mean `pareto`?"),
        ("normal", "as in normal:40ms,5ms"),
        ("normal:40ms", "as in normal:40ms,5ms"),
        ("normal:40ms,-5ms", "leave out the minus"),
        ("normal:40ms,0", "the standard deviation must be longer than 0"),
        ("exponential:0", "the mean must be longer than 0"),
        ("exponential:40", "expected a duration with its unit"),
        ("exponential:40h", "must be 24h at most"),
        ("lognormal:40ms,0", "sigma must be a number above 0, and 4 at most"),
        ("lognormal:40ms,NaN", "sigma must be a number above 0"),
        ("lognormal:40ms,inf", "sigma must be a number above 0"),
        ("lognormal:40ms,5ms", "sigma must be a number above 0"),
        ("pareto:40ms,1", "the shape must be a number above 1, and 1000 at most"),
        ("pareto:0,2", "the shortest must be longer than 0"),
    ] {
        let error = Delay::parse(text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
        assert_eq!(error.lines().count(), 1, "{text}: {error}");
    }
}

#[test]
fn a_line_before_one_server_is_as_long_as_theory_says() {
    // Lindley's recursion: a buyer waits for what is left of the wait and service of the one
    // before.
    let (service, buyers) = (delay("exponential:600us"), 500_000);
    let rush = Arrivals::parse("poisson:1000/s").unwrap().load(buyers, "".as_ref()).unwrap();
    let mut dice = Dice::of(7, StreamPurpose::World, 0, 1);
    let (mut free_at, mut waited) = (0, 0.0);
    for click in rush.clicks(Dice::of(7, StreamPurpose::World, 0, 0)) {
        let begins = click.max(free_at);
        waited += (begins - click) as f64;
        free_at = begins + service.roll(dice.rng());
    }
    let theory = MmcQueue::new(1000.0, 1e9 / service.mean_ns(), 1).unwrap().mean_wait_s();
    assert_near(waited / buyers as f64 / 1e9, theory, 0.03, "mean wait");
}

fn any_text() -> impl Strategy<Value = String> {
    let ns = 1..=86_400_000_000_000_u64;
    prop_oneof![
        (0..=86_400_000_000_000_u64).prop_map(|ns| format!("{ns}ns")),
        (ns.clone(), ns.clone()).prop_map(|(a, b)| format!("{}ns..{}ns", a.min(b), a.max(b))),
        ns.clone().prop_map(|mean| format!("exponential:{mean}ns")),
        (ns.clone(), ns.clone()).prop_map(|(mean, sd)| format!("normal:{mean}ns,{sd}ns")),
        (ns.clone(), 1e-9..4.0).prop_map(|(median, sigma)| format!("lognormal:{median}ns,{sigma}")),
        (ns, 1.000_001..1000.0).prop_map(|(least, shape)| format!("pareto:{least}ns,{shape}")),
    ]
}

proptest! {
    #[test]
    fn a_delay_reads_back_from_its_own_words_and_rolls_within_bounds(text in any_text()) {
        let delay = Delay::parse(&text).unwrap();
        let said = delay.to_string();
        prop_assert_eq!(Delay::parse(&said), Ok(delay));
        prop_assert_eq!(Delay::parse(&said).unwrap().to_string(), said);
        let longest = Delay::LONGEST.as_nanos() as u64;
        let mean = delay.mean_ns();
        prop_assert!(mean >= delay.least_ns() as f64 * (1.0 - 1e-12), "{}", mean);
        prop_assert!(mean <= longest as f64 * (1.0 + 1e-12), "{}", mean);
        let mut dice = Dice::of(1, StreamPurpose::World, 0, 0);
        for _ in 0..20 {
            prop_assert!((delay.least_ns()..=longest).contains(&delay.roll(dice.rng())));
        }
    }

    #[test]
    fn any_text_is_a_delay_or_refused_on_one_line(text in any::<String>()) {
        if let Err(why) = Delay::parse(&text) {
            prop_assert_eq!(why.lines().count(), 1, "{}", why);
        }
    }
}

#[test]
fn the_words_of_a_delay_are_those_one_would_write() {
    for text in [
        "0ns",
        "40ms",
        "30ms..50ms",
        "exponential:40ms",
        "normal:40ms,5ms",
        "lognormal:40ms,0.3",
        "pareto:40ms,2.5",
    ] {
        assert_eq!(delay(text).to_string(), text);
    }
}

#[test]
fn the_rolls_of_a_seed_stay_the_same_from_release_to_release() {
    for (text, expected) in [
        ("30ms..50ms", [38_825_854, 35_883_635]),
        ("exponential:40ms", [11_743_437, 4_373_802]),
        ("normal:40ms,5ms", [39_481_836, 38_730_313]),
        ("lognormal:40ms,0.3", [38_775_540, 37_065_931]),
        ("pareto:40ms,2.5", [44_984_313, 41_788_345]),
    ] {
        assert_eq!(rolls(text)[..2], expected, "{text}");
    }
}
