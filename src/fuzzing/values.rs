//! Values of flags and keys, recorded clicks, schedules.

use std::fmt::{Debug, Display};
use std::io::Read;
use std::time::Duration;

use super::{assert_line, assert_located, text};
use crate::base::partition::Slice;
use crate::base::text::quantity::{count, exact_duration, parse_count, parse_duration};
use crate::base::text::range::{self, MOST_VALUES};
use crate::check::baseline::MaxRegression;
use crate::check::expect::Expectation;
use crate::check::gauge::Gauge;
use crate::domain::buyer::Demand;
use crate::domain::isolation::Isolation;
use crate::domain::retry::{Backoff, Retries};
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::{Cure, Recording, Schedule, parse_expectation};
use crate::worlds::timed::arrivals::Arrivals;
use crate::worlds::timed::delay::Delay;
use crate::worlds::timed::sim_config::{Balancer, Door, Reads};
use crate::worlds::timed::timestamps::Timestamps;

/// What is read, printed and read again is the same; what is refused is refused in one line.
pub fn values(data: &[u8]) {
    let text = &*text(data);
    same_again(text, Retries::parse);
    same_again(text, Backoff::parse);
    same_again(text, Demand::parse);
    same_again(text, Isolation::parse);
    same_again(text, StoreKind::parse);
    same_again(text, Slice::parse);
    same_again(text, Cure::parse);
    same_again(text, Delay::parse);
    same_again(text, Arrivals::parse);
    refused(Door::parse(text));
    refused(Balancer::parse(text));
    refused(Reads::parse(text));
    refused(Gauge::parse(text));
    refused(parse_expectation(text));
    refused(MaxRegression::parse(text, |share| share.parse().map_err(|_| "no share".to_owned())));
    if let Some(expectation) = refused(Expectation::parse(text)) {
        let again = Expectation::parse(&expectation.to_string()).expect("it was printed by us");
        assert_eq!(again.to_string(), expectation.to_string());
        assert_eq!(again.name(), expectation.name());
    }
    if let Some(number) = refused(parse_count(text, 0, u64::MAX)) {
        assert_eq!(parse_count(&count(number), number, number), Ok(number));
    }
    if let Some(time) = refused(parse_duration(text, Duration::from_nanos(u64::MAX))) {
        assert_eq!(parse_duration(&exact_duration(time), time), Ok(time));
    }
    for points in [None, Some(1), Some(7), Some(MOST_VALUES as u32)] {
        let Some(values) = refused(range::values(text, points)) else { continue };
        assert!((1..=MOST_VALUES).contains(&values.len()), "{} values", values.len());
        // A value that is no range stands there as it was written.
        let again = range::values(&values.join(","), points);
        assert!(again.is_ok_and(|again| again == values), "{values:?}");
    }
    for setting in Settings::TABLE {
        let (mut settings, mut again) = (Settings::default(), Settings::default());
        if refused(settings.set(setting.name, text)).is_none() {
            continue;
        }
        let said = settings.value_of(setting.name);
        again.set(setting.name, &said).expect("it was printed by us");
        assert_eq!(settings, again, "{}", setting.name);
        let _ = settings.check();
        let _ = settings.calls();
    }
}

fn refused<T>(read: Result<T, String>) -> Option<T> {
    read.inspect_err(|why| assert_line(why)).ok()
}

fn same_again<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>)
where
    T: Debug + Display + PartialEq,
{
    if let Some(value) = refused(parse(text)) {
        assert_eq!(parse(&value.to_string()), Ok(value));
    }
}

/// Recorded clicks are read the same in one piece and in two. They begin at 0 and are in order.
pub fn clicks(data: &[u8]) {
    let (cut, data) = match data {
        [first, rest @ ..] => (usize::from(*first) % (rest.len() + 1), rest),
        [] => (0, data),
    };
    let read = Timestamps::from_csv("clicks", data);
    let (one, other) = data.split_at(cut);
    assert_eq!(Timestamps::from_csv("clicks", one.chain(other)), read);
    match &read {
        Err(why) => assert_line(&why.to_string()),
        Ok(read) => {
            assert_eq!(read.clicks().first().map(|click| click.at_ns), Some(0));
            assert!(read.clicks().is_sorted_by_key(|click| click.at_ns));
            let regions = (0..read.clicks().len()).filter_map(|buyer| read.region_of(buyer));
            assert!(read.regions().is_empty() || regions.count() == read.clicks().len());
        }
    }
}

/// A schedule, or a recording of one, is read, written and read again as the same.
pub fn schedules(data: &[u8]) {
    let text = &*text(data);
    if let Some(schedule) = refused(text.parse::<Schedule>()) {
        assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }
    match Recording::parse("x.toml", text) {
        Ok(recording) if recording.strategy.is_some() => {
            let again = Recording::parse("x.toml", &recording.to_string());
            assert_eq!(again.expect("it was written by us"), recording);
        }
        // A schedule alone says too little to be a recording.
        Ok(_) => {}
        Err(error) if text.contains('=') => assert_located(&error, "x.toml", text),
        Err(error) => assert_line(&error.to_string()),
    }
}
