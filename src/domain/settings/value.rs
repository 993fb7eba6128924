//! The values that settings have: how each type is read, bounded, and written as text, as Rust and in a report.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;

use crate::base::clock::nanos;
use crate::base::text::quantity::{
    count, exact_duration, parse_count, parse_duration, parse_switch,
};
use crate::domain::buyer::Demand;
use crate::domain::isolation::Isolation;
use crate::domain::retry::{Backoff, Retries};
use crate::domain::store_kind::StoreKind;

/// The type of a setting.
pub(super) trait Value: Sized {
    /// What limits a value of this type; `()` if nothing does.
    type Bounds;
    /// The value as a report holds it.
    type Recorded: Serialize;

    /// Reads a text, as it stands behind a flag or a scenario key.
    fn read(text: &str, bounds: &Self::Bounds) -> Result<Self, String>;

    /// Checks a value that was not read from a text.
    fn check(&self, _bounds: &Self::Bounds) -> Result<(), String> {
        Ok(())
    }

    /// The text that [`read`](Self::read) reads.
    fn text(&self) -> String;

    /// The value in Rust.
    fn code(&self) -> String {
        self.text()
    }

    /// The value as a report holds it.
    fn recorded(&self) -> Self::Recorded;
}

/// Checks a whole number.
fn within(number: i128, bounds: &RangeInclusive<u64>) -> Result<(), String> {
    let (least, most) = (*bounds.start(), *bounds.end());
    if (i128::from(least)..=i128::from(most)).contains(&number) {
        return Ok(());
    }
    Err(match least {
        0 => format!("is {}; it must be {} at most", count(number), count(most)),
        _ => format!("is {}; it must be from {} to {}", count(number), count(least), count(most)),
    })
}

/// Whole numbers.
macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl Value for $number {
            type Bounds = RangeInclusive<u64>;
            type Recorded = Self;

            fn read(text: &str, bounds: &Self::Bounds) -> Result<Self, String> {
                let number = parse_count(text, *bounds.start(), *bounds.end())?;
                Self::try_from(number).map_err(|_| format!("{} is too large", count(number)))
            }

            fn check(&self, bounds: &Self::Bounds) -> Result<(), String> {
                within((*self).into(), bounds)
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn recorded(&self) -> Self {
                *self
            }
        }
    )+};
}
whole_numbers!(u8, u32, u64, i32);

impl Value for Option<u32> {
    type Bounds = RangeInclusive<u64>;
    type Recorded = Self;

    fn read(text: &str, bounds: &Self::Bounds) -> Result<Self, String> {
        u32::read(text, bounds).map(Some)
    }

    fn check(&self, bounds: &Self::Bounds) -> Result<(), String> {
        self.map_or(Ok(()), |number| number.check(bounds))
    }

    fn text(&self) -> String {
        self.map_or_else(String::new, |number| number.text())
    }

    fn recorded(&self) -> Self {
        *self
    }
}

impl Value for bool {
    type Bounds = ();
    type Recorded = Self;

    fn read(text: &str, (): &()) -> Result<Self, String> {
        parse_switch(text)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn recorded(&self) -> Self {
        *self
    }
}

impl Value for Duration {
    type Bounds = RangeInclusive<Self>;
    type Recorded = u64;

    fn read(text: &str, bounds: &Self::Bounds) -> Result<Self, String> {
        let duration = parse_duration(text, *bounds.end())?;
        duration.check(bounds).map(|()| duration)
    }

    fn check(&self, bounds: &Self::Bounds) -> Result<(), String> {
        if self < bounds.start() {
            return Err(format!("must be at least {}", exact_duration(*bounds.start())));
        }
        if self > bounds.end() {
            return Err(format!("must be {} at most", exact_duration(*bounds.end())));
        }
        Ok(())
    }

    fn text(&self) -> String {
        exact_duration(*self)
    }

    fn code(&self) -> String {
        format!("Duration::from_nanos({})", self.as_nanos())
    }

    fn recorded(&self) -> u64 {
        nanos(*self)
    }
}

impl Value for Demand {
    type Bounds = RangeInclusive<u64>;
    type Recorded = String;

    fn read(text: &str, _: &Self::Bounds) -> Result<Self, String> {
        Self::parse(text)
    }

    fn check(&self, bounds: &Self::Bounds) -> Result<(), String> {
        within(self.least.into(), bounds)?;
        within(self.most.into(), bounds)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn recorded(&self) -> String {
        self.text()
    }
}

/// Values of types that parse and display themselves: the form in which a report records each, how it comes to that form,
/// and how a call of the library writes it.
macro_rules! parsed {
    ($($kind:ident: $recorded:ty, $record:expr, $code:expr;)+) => {$(
        impl Value for $kind {
            type Bounds = ();
            type Recorded = $recorded;

            fn read(text: &str, (): &()) -> Result<Self, String> {
                Self::parse(text)
            }

            fn text(&self) -> String {
                self.to_string()
            }

            fn code(&self) -> String {
                $code(self)
            }

            fn recorded(&self) -> $recorded {
                $record(self)
            }
        }
    )+};
}
parsed! {
    Retries: String, Value::text, |retries| format!("Retries::{retries:?}");
    Backoff: String, Value::text, code_of_backoff;
    Isolation: Isolation, Clone::clone, |level| format!("Isolation::{level:?}");
    StoreKind: StoreKind, Clone::clone, |kind| format!("StoreKind::{kind:?}");
}

fn code_of_backoff(backoff: &Backoff) -> String {
    match backoff {
        Backoff::None => "Backoff::None".into(),
        Backoff::Fixed(wait) => format!("Backoff::Fixed({})", wait.code()),
        Backoff::Exponential { first, most } => {
            let (first, most) = (first.code(), most.code());
            format!("Backoff::Exponential {{ first: {first}, most: {most} }}")
        }
    }
}
