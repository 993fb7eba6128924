//! Values of any type, which a user's statement takes and returns. They are sent as text, which the server parses as it
//! parses literals in a statement; values that come back are in the server's binary format.

use std::error::Error;

use bytes::BytesMut;
use chrono::{DateTime, Days, NaiveDate, TimeDelta};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::describe::checkout::StoreValue;

type Wrong = Box<dyn Error + Sync + Send>;

/// A value as it is sent to the server.
#[derive(Debug)]
pub(super) struct PostgresValue(pub(super) StoreValue);

/// The type that a value is sent as, as far as it is known; otherwise the server infers the type from the context.
pub(super) fn kind_of(value: &StoreValue) -> Type {
    match value {
        StoreValue::Int(number) if i32::try_from(*number).is_ok() => Type::INT4,
        StoreValue::Int(_) => Type::INT8,
        StoreValue::Real(_) => Type::FLOAT8,
        StoreValue::Decimal(_) => Type::NUMERIC,
        StoreValue::Null | StoreValue::Text(_) => Type::UNKNOWN,
    }
}

impl ToSql for PostgresValue {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Wrong> {
        if matches!(self.0, StoreValue::Null) {
            return Ok(IsNull::Yes);
        }
        out.extend_from_slice(self.0.text().as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value as it is received.
pub(super) struct Received(pub(super) StoreValue);

impl<'r> FromSql<'r> for Received {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Wrong> {
        let value = match *kind {
            Type::BOOL => StoreValue::Int(i64::from(bool::from_sql(kind, raw)?)),
            Type::INT2 => StoreValue::Int(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => StoreValue::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => StoreValue::Int(i64::from_sql(kind, raw)?),
            Type::OID => StoreValue::Int(u32::from_sql(kind, raw)?.into()),
            Type::FLOAT4 => StoreValue::Real(f32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => StoreValue::Real(f64::from_sql(kind, raw)?),
            Type::NUMERIC => {
                StoreValue::Decimal(decimal(raw).ok_or("a decimal in an unknown form")?)
            }
            Type::UUID => StoreValue::Text(uuid(raw)),
            Type::VOID => StoreValue::Null,
            Type::JSONB => text(raw.get(1..).unwrap_or_default())?,
            Type::DATE => StoreValue::Text(date(i32::from_sql(&Type::INT4, raw)?)?),
            Type::TIMESTAMP => StoreValue::Text(moment(i64::from_sql(&Type::INT8, raw)?, "")?),
            Type::TIMESTAMPTZ => StoreValue::Text(moment(i64::from_sql(&Type::INT8, raw)?, "+00")?),
            _ if is_text(kind) => text(raw)?,
            _ => return Err(format!("is of the type {kind}; have it returned as text").into()),
        };
        Ok(Self(value))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Wrong> {
        Ok(Self(StoreValue::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn is_text(kind: &Type) -> bool {
    use tokio_postgres::types::Kind;
    matches!(
        *kind,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON
    ) || matches!(kind.kind(), Kind::Enum(_))
        || kind.name() == "citext"
}

fn text(raw: &[u8]) -> Result<StoreValue, Wrong> {
    Ok(StoreValue::Text(std::str::from_utf8(raw)?.to_owned()))
}

fn uuid(raw: &[u8]) -> String {
    let hex: Vec<String> = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    [0..4, 4..6, 6..8, 8..10, 10..16]
        .map(|part| hex.get(part).unwrap_or_default().concat())
        .join("-")
}

fn date(days: i32) -> Result<String, Wrong> {
    let far = u64::from(days.unsigned_abs());
    let from = NaiveDate::from_ymd_opt(2000, 1, 1);
    let date = from.and_then(|from| match days < 0 {
        true => from.checked_sub_days(Days::new(far)),
        false => from.checked_add_days(Days::new(far)),
    });
    Ok(date.ok_or("a date beyond reckoning")?.to_string())
}

/// A time that is sent as microseconds after the beginning of 2000.
fn moment(us: i64, zone: &str) -> Result<String, Wrong> {
    let from = DateTime::from_timestamp(946_684_800, 0);
    let moment = from.and_then(|from| from.checked_add_signed(TimeDelta::microseconds(us)));
    Ok(format!("{}{zone}", moment.ok_or("a time beyond reckoning")?.naive_utc()))
}

/// A decimal as the server sends it: groups of four digits, the place of the first of them, a sign, and how many
/// digits stand behind the point. (PostgreSQL, `numeric_send`.)
fn decimal(raw: &[u8]) -> Option<String> {
    let word = |place: usize| {
        let bytes = raw.get(2 * place..2 * place + 2)?;
        Some(i16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let (groups, weight, sign, scale) = (word(0)?, word(1)?, word(2)? as u16, word(3)?);
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".into()),
        _ => return None,
    };
    // The group of digits for this power of 10000; a group that is not sent is 0.
    let group = |power: i16| match weight.checked_sub(power) {
        Some(place) if (0..groups).contains(&place) => word(4 + place as usize),
        _ => Some(0),
    };
    let mut whole = String::new();
    for power in (0..=weight.max(0)).rev() {
        whole += &format!("{:04}", group(power)?);
    }
    let whole = whole.trim_start_matches('0');
    let mut behind = String::new();
    let mut power = -1;
    while behind.len() < scale as usize {
        behind += &format!("{:04}", group(power)?);
        power -= 1;
    }
    behind.truncate(scale as usize);
    let point = if behind.is_empty() { "" } else { "." };
    Some(format!("{sign}{}{point}{behind}", if whole.is_empty() { "0" } else { whole }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn decimals_are_read_as_the_server_writes_them() {
        // 12345.6789, 0, -0.05, 10000, 1.10
        assert_eq!(decimal(&raw(&[3, 1, 0, 4, 1, 2345, 6789])).unwrap(), "12345.6789");
        assert_eq!(decimal(&raw(&[0, 0, 0, 0])).unwrap(), "0");
        assert_eq!(decimal(&raw(&[1, -1, 0x4000, 2, 500])).unwrap(), "-0.05");
        assert_eq!(decimal(&raw(&[1, 1, 0, 0, 1])).unwrap(), "10000");
        assert_eq!(decimal(&raw(&[2, 0, 0, 2, 1, 1000])).unwrap(), "1.10");
        assert_eq!(decimal(&raw(&[1, 0])), None);
    }

    #[test]
    fn times_are_counted_from_the_year_2000() {
        assert_eq!(date(0).unwrap(), "2000-01-01");
        assert_eq!(date(-1).unwrap(), "1999-12-31");
        assert_eq!(moment(1_500_000, "+00").unwrap(), "2000-01-01 00:00:01.500+00");
        assert!(moment(i64::MAX, "").is_err());
    }
}
