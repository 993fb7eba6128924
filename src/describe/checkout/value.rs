//! Values that a checkout gets from a store and hands back to it.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A value, as the store has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StoreValue {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// A number that need not be whole, as far as 64 bits go.
    Real(f64),
    /// A decimal number of any length: `19.90`.
    Decimal(String),
    /// A text, and whatever else can be written as one.
    Text(String),
}

impl StoreValue {
    /// A whole number, if it is one, however it is written.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(*number),
            Self::Real(number) => {
                (number.fract() == 0.0 && number.abs() < 9e15).then_some(*number as i64)
            }
            Self::Decimal(text) | Self::Text(text) => {
                text.trim().parse().ok().or_else(|| Self::Real(number_in(text)?).as_int())
            }
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether both are the same key. Texts are the same if they are written the same, numbers if they are equal to the
    /// last digit; a text is the same as a number that is written like it. So `001` is not `1`, and `1e2` is not `100`.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Real(one), Self::Real(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Text(text), number) | (number, Self::Text(text)) => number.plain() == *text,
            (one, other) => one.plain() == other.plain(),
        }
    }

    /// A number in its shortest form: without trailing zeros behind the point.
    fn plain(&self) -> String {
        let text = self.text();
        match self {
            Self::Decimal(_) if text.contains('.') => {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ => text,
        }
    }

    /// A number, if it is one, as far as 64 bits go.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Decimal(text) | Self::Text(text) => number_in(text),
        }
    }

    /// A decimal number, if it is written as one that has at most 28 digits.
    pub(super) fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Null | Self::Real(_) => None,
            Self::Int(number) => Some(Decimal::from(*number)),
            Self::Decimal(text) | Self::Text(text) => Decimal::from_str_exact(text.trim()).ok(),
        }
    }

    /// A decimal number: whole, if it is a whole number that fits.
    pub(super) fn of_decimal(number: Decimal) -> Self {
        let number = number.normalize();
        match i64::try_from(number) {
            Ok(whole) if number.is_integer() => Self::Int(whole),
            _ => Self::Decimal(number.to_string()),
        }
    }

    fn digits(&self) -> Option<Digits> {
        match self {
            Self::Null | Self::Real(_) => None,
            Self::Int(_) | Self::Decimal(_) | Self::Text(_) => Digits::read(&self.text()),
        }
    }

    /// As it is sent where everything is text; null is the empty text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            other => other.to_string(),
        }
    }
}

/// A number that is written in digits, to be compared to the last of them.
#[derive(Debug, PartialEq, Eq)]
struct Digits {
    is_negative: bool,
    whole: String,
    behind: String,
}

impl Digits {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && behind.is_empty() || !is_digits(whole) || !is_digits(behind) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let behind = behind.trim_end_matches('0').to_owned();
        // There is no -0.
        let is_negative = is_negative && !(whole.is_empty() && behind.is_empty());
        Some(Self { is_negative, whole, behind })
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let size = |of: &Self| (of.whole.len(), of.whole.clone(), of.behind.clone());
        Some(match (self.is_negative, other.is_negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        })
    }
}

fn number_in(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

impl PartialEq for StoreValue {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// Numbers as numbers, however they are written; everything else as texts. No value is less or more than null.
impl PartialOrd for StoreValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Int(one), Self::Int(other)) => one.partial_cmp(other),
            _ => match (self.as_number(), other.as_number()) {
                // To the last digit, as far as both are written in digits.
                (Some(near), Some(far)) => match (self.digits(), other.digits()) {
                    (Some(one), Some(other)) => one.partial_cmp(&other),
                    _ => near.partial_cmp(&far),
                },
                _ => self.text().partial_cmp(&other.text()),
            },
        }
    }
}

impl fmt::Display for StoreValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Int(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Decimal(text) | Self::Text(text) => f.write_str(text),
        }
    }
}

/// What names stand for.
pub type Values<'v> = &'v dyn Fn(&str) -> StoreValue;

/// What a store answers to one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The names of the columns; where they have none, they go by their places. Empty if there is nothing to be had.
    pub columns: Vec<String>,
    /// What there is.
    pub rows: Vec<Vec<StoreValue>>,
    /// How many rows were found or changed; of a reply that is a list, how many elements it has.
    pub count: u64,
    /// What is wrong with it, unless a condition says what it means.
    pub trouble: Option<String>,
}

impl Answer {
    /// One to a statement that has changed so many rows.
    #[must_use]
    pub fn changed(count: u64) -> Self {
        Self { count, ..Self::default() }
    }

    /// One to a query.
    #[must_use]
    pub fn found(columns: Vec<String>, rows: Vec<Vec<StoreValue>>) -> Self {
        Self { count: rows.len() as u64, columns, rows, trouble: None }
    }

    /// The column of this name; or in this place, if they have no names.
    #[must_use]
    pub fn column(&self, name: &str, place: usize) -> Option<usize> {
        match self.columns.iter().all(String::is_empty) {
            true => (place < self.columns.len()).then_some(place),
            false => self.columns.iter().position(|column| column == name),
        }
    }
}

/// As a reader sees it: of several rows the first.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.columns.is_empty(), self.rows.first()) {
            (true, _) if self.count == 1 => f.write_str("1 row"),
            (true, _) => write!(f, "{} rows", self.count),
            (false, None) => f.write_str("nothing"),
            (false, Some(first)) => {
                let values: Vec<String> = first.iter().map(StoreValue::to_string).collect();
                let more = if self.rows.len() > 1 { " …" } else { "" };
                write!(f, "{}{more}", values.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> StoreValue {
        StoreValue::Text(text.into())
    }

    #[test]
    fn numbers_are_compared_as_numbers_however_they_are_written() {
        assert!(StoreValue::Int(9) < text("10.00"));
        assert_eq!(StoreValue::Int(10), text("10.00"));
        assert!(StoreValue::Real(0.5) < StoreValue::Int(1));
        assert!(text("b") > text("a"));
    }

    #[test]
    fn large_numbers_are_compared_to_the_last_digit() {
        let decimal = |text: &str| StoreValue::Decimal(text.into());
        assert!(decimal("9007199254740993") > decimal("9007199254740992"));
        assert!(StoreValue::Int(9_007_199_254_740_993) != text("9007199254740992"));
        assert!(decimal("-10.5") < decimal("-9.75"));
        assert_eq!(text("-0.0"), StoreValue::Int(0));
        assert!(text("1e3") > text("999"));
    }

    #[test]
    fn keys_are_the_same_if_they_are_written_the_same() {
        let (int, decimal) = (StoreValue::Int(1), StoreValue::Decimal("1.00".into()));
        for (one, other) in [
            (&int, &StoreValue::Int(1)),
            (&int, &text("1")),
            (&int, &decimal),
            (&decimal, &text("1")),
            (&text("001"), &text("001")),
            (&StoreValue::Real(1.0), &int),
        ] {
            assert!(one.is_same_key(other) && other.is_same_key(one), "{one:?} {other:?}");
        }
        for (one, other) in [
            (text("001"), text("1")),
            (text("001"), StoreValue::Int(1)),
            (text("1e2"), text("100")),
            (text("1e2"), StoreValue::Int(100)),
            (text("9007199254740993"), text("9007199254740992")),
            (
                StoreValue::Decimal("9007199254740993".into()),
                StoreValue::Decimal("9007199254740992".into()),
            ),
            (StoreValue::Null, text("")),
        ] {
            assert!(!one.is_same_key(&other) && !other.is_same_key(&one), "{one:?} {other:?}");
        }
    }

    #[test]
    fn no_value_is_neither_less_nor_more_than_any() {
        for other in [StoreValue::Int(0), text("")] {
            assert_eq!(StoreValue::Null.partial_cmp(&other), None);
            assert_eq!(other.partial_cmp(&StoreValue::Null), None);
        }
    }

    #[test]
    fn whole_numbers_are_known_by_whatever_they_are_written_as() {
        assert_eq!(text("3.00").as_int(), Some(3));
        assert_eq!(StoreValue::Real(2.5).as_int(), None);
        assert_eq!(text("three").as_int(), None);
    }
}
