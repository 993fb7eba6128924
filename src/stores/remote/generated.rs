//! Values that a server generates, such as keys from a sequence, uuids and times. They differ in each execution, and a
//! step that sends such a value again is still the same step.
//!
//! A step of a described checkout is identified by its buyer, its number in the file, its text and its values. The
//! search runs each interleaving again and again from the beginning, and an interleaving with a step that differs from
//! before is no part of a proof. So the search has to know which values may differ, and that they only name something:
//!
//! - The rehearsal runs twice from the same beginning, with each buyer alone. What a step saves then is the same,
//!   unless the server generated it. Only a value that was seen to **differ** there is a generated value; stock, or a
//!   counter that was left as it was, is not, and is compared as usual.
//! - It has to **look like a name**: a uuid, a time, a long text without spaces, or a number that has grown, as those
//!   from a sequence do. If the file calls `random()`, a number is no name: a random number may decide something.
//! - It must **decide nothing** that is seen here: a condition may only compare it for equality, with `null` or another
//!   named value; a statement may only compare it for equality or store it, and not use it in a sum or with `<`.
//!
//! Such a value is replaced by the buyer and the step that got it first in this interleaving. So it is still known
//! whether two steps name the same thing. Times are not told apart in this way: two of them may be equal or not.
//!
//! What is not seen: a rule in the database that depends on a generated value, such as a trigger that treats every
//! second key differently, or a time that expires.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use crate::base::text::sql::{Sql, SqlToken, TokenKind, pieces};
use crate::describe::checkout::{Call, Checkout, StoreValue, Template};
use crate::domain::op::BuyerId;

/// Which value: the number of the role that saves it, the step, and the name.
type ValueId = (usize, usize, String);

/// A value that a step has saved.
#[derive(Clone, Debug)]
struct SavedValue {
    buyer: BuyerId,
    origin: ValueId,
    value: StoreValue,
}

/// What is known of the values that a server generates; shared by all links to it.
#[derive(Debug, Default)]
pub(super) struct Generated(Mutex<GeneratedState>);

#[derive(Debug, Default)]
struct GeneratedState {
    /// The number of finished executions in which a value was saved.
    shows: u32,
    /// The values that were saved in the first of them.
    first: Vec<SavedValue>,
    /// How many of these were saved again in this execution, in the same order; none if it went another way.
    again: Option<usize>,
    has_kept: bool,
    generated: BTreeSet<ValueId>,
    /// The name of each generated value in this execution.
    named: BTreeMap<String, String>,
}

impl Generated {
    /// Notes that an execution begins.
    pub(super) fn opens(&self) {
        let mut known = self.0.lock();
        known.named.clear();
        known.shows += u32::from(known.has_kept);
        (known.has_kept, known.again) = (false, Some(0));
    }

    /// Notes a value that a step has saved; returns its name, if it is a generated one. Which values differ is learned
    /// from the first two executions, those of the rehearsal.
    pub(super) fn kept(
        &self,
        checkout: &Checkout,
        buyer: BuyerId,
        step: usize,
        name: &str,
        value: &StoreValue,
    ) -> Option<String> {
        let role = checkout.role_number(buyer);
        let origin = (role, step, name.to_owned());
        let mut known = self.0.lock();
        known.has_kept = true;
        match known.shows {
            0 => {
                known.first.push(SavedValue { buyer, origin: origin.clone(), value: value.clone() })
            }
            1 => known.compare(checkout, buyer, &origin, value),
            _ => {}
        }
        // A missing value, or one of another type, is shown as it is.
        let is_one = match value {
            StoreValue::Int(_) => true,
            StoreValue::Text(text) => is_name(text),
            StoreValue::Null | StoreValue::Real(_) | StoreValue::Decimal(_) => false,
        };
        if !is_one || !known.generated.contains(&origin) {
            return None;
        }
        let given = format!("<{name} of {buyer} in step {}>", step + 1);
        if is_time(&value.text()) {
            return Some(given);
        }
        // A buyer that begins again gets another value.
        let earlier = known.named.values().filter(|told| told.starts_with(&given)).count();
        let told = if earlier == 0 { given } else { format!("{given} #{}", earlier + 1) };
        Some(known.named.entry(value.text()).or_insert(told).clone())
    }
}

impl GeneratedState {
    fn compare(
        &mut self,
        checkout: &Checkout,
        buyer: BuyerId,
        origin: &ValueId,
        value: &StoreValue,
    ) {
        let Some(at) = self.again else { return };
        let before =
            self.first.get(at).filter(|kept| kept.buyer == buyer && kept.origin == *origin);
        let Some(before) = before else {
            self.again = None;
            return;
        };
        self.again = Some(at + 1);
        let is_new = match (&before.value, value) {
            (StoreValue::Int(before), StoreValue::Int(now)) => {
                before < now && !rolls_dice(checkout)
            }
            (StoreValue::Text(before), StoreValue::Text(now)) => {
                before != now && is_name(before) && is_name(now)
            }
            _ => false,
        };
        if is_new && decides_nothing(checkout, origin) {
            self.generated.insert(origin.clone());
        }
    }
}

/// Whether a text looks like a name: a random choice does not give the same one twice.
fn is_name(text: &str) -> bool {
    const LONG: usize = 16;
    is_time(text) || text.len() >= LONG && !text.contains(char::is_whitespace)
}

/// Whether a text is a date with a time, as databases write it.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00 00:00:00";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b' ' => matches!(byte, b' ' | b'T'),
        form => byte == *form,
    };
    text.len() >= FORM.len() && text.bytes().zip(FORM).all(fits)
}

/// Whether anything in the file calls a random function.
fn rolls_dice(checkout: &Checkout) -> bool {
    let rolls = |text: &str| {
        let text: String = text.to_lowercase().split_whitespace().collect();
        ["random(", "rand("].iter().any(|word| text.contains(word))
    };
    let scripts = [&checkout.schema, &checkout.seed];
    let calls = checkout.roles.iter().flat_map(|role| &role.steps).map(|step| &step.call);
    scripts.into_iter().flatten().any(|script| rolls(&script.text))
        || calls.chain(&checkout.setup).any(|call| match call {
            Call::Sql(sql) => rolls(&sql.text),
            Call::Lua { code, .. } => rolls(code),
            Call::Redis(_) | Call::Http(_) | Call::Program(_) | Call::Code(_) => false,
        })
}

/// Whether no condition of a role depends on a value, except on whether it exists, or is the same as another.
fn decides_nothing(checkout: &Checkout, (role, _, name): &ValueId) -> bool {
    let steps = checkout.roles.get(*role).map_or(&[][..], |role| &role.steps);
    let conditions = steps
        .iter()
        .flat_map(|step| step.when.iter().chain(step.ends.iter().map(|(condition, _)| condition)));
    !conditions.into_iter().any(|condition| condition.goes_by(name))
}

/// Whether a call only passes a value on, wherever it uses it.
pub(super) fn hands_on(call: &Call, name: &str) -> bool {
    match call {
        Call::Sql(sql) => only_names(sql, name),
        Call::Redis(words) => only_keeps(words, name),
        Call::Http(_) | Call::Program(_) => true,
        // What a script or code does with the value is not known.
        Call::Lua { .. } | Call::Code(_) => false,
    }
}

/// Commands of Redis that keep, find or compare what they are given, and calculate with none of it, nor order by it.
const KEEPING: [&str; 21] = [
    "SET", "SETNX", "GETSET", "MSET", "MSETNX", "MGET", "DEL", "UNLINK", "EXISTS", "WATCH", "HSET",
    "HSETNX", "HMSET", "HGET", "HMGET", "HDEL", "HEXISTS", "LPUSH", "RPUSH", "SADD", "SREM",
];

/// Whether a command uses a value only as a key, or as what is kept behind one.
fn only_keeps(words: &[Template], name: &str) -> bool {
    let command = words.first().map(|word| word.filled_with(|_| String::new()).to_uppercase());
    let command = command.unwrap_or_default();
    let keeps = KEEPING.contains(&command.as_str());
    words.iter().enumerate().filter(|(_, word)| word.names().any(|known| known == name)).all(
        |(place, _)| match place {
            0 => false,
            // The key; this command has a number there.
            1 => command != "SELECT",
            // Behind the value stand options, such as a time.
            2 => keeps,
            _ => keeps && command != "SET",
        },
    )
}

/// Words before a bracket that lists values or leaves them as they are; any other word may be a function.
const LISTS: [&str; 14] = [
    "",
    "values",
    "in",
    "and",
    "or",
    "not",
    "where",
    "on",
    "set",
    "any",
    "row",
    "cast",
    "coalesce",
    "uuid_to_bin",
];

/// Whether a statement uses a parameter only as a name: not in a sum, not with `<`, and not as an argument of a
/// function.
fn only_names(sql: &Sql, name: &str) -> bool {
    const SIGNS: [char; 9] = ['+', '-', '*', '/', '%', '<', '>', '|', '&'];
    let says = |piece: &SqlToken<'_>| !matches!(piece.kind, TokenKind::Space | TokenKind::Comment);
    let all: Vec<SqlToken<'_>> = pieces(sql.dialect, &sql.text).into_iter().filter(says).collect();
    if all.iter().any(|piece| piece.kind == TokenKind::Unreadable) {
        return false;
    }
    let of_kind = |place: Option<usize>, kind: TokenKind| {
        place.and_then(|place| all.get(place)).filter(|piece| piece.kind == kind)
    };
    let sign = |place: Option<usize>| {
        let first = of_kind(place, TokenKind::Sign)?.text.chars().next();
        first.filter(|sign| SIGNS.contains(sign))
    };
    let is_word = |place: Option<usize>, words: &[&str]| {
        of_kind(place, TokenKind::Word)
            .is_some_and(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word.text)))
    };
    let mut brackets: Vec<&str> = Vec::new();
    for (place, piece) in all.iter().enumerate() {
        match piece.kind {
            TokenKind::Sign if piece.text == "(" => {
                let before = place.checked_sub(1).map(|at| all[at]);
                let is_name =
                    |piece: &SqlToken<'_>| matches!(piece.kind, TokenKind::Word | TokenKind::Name);
                brackets.push(before.filter(is_name).map_or("", |piece| piece.text));
            }
            TokenKind::Sign if piece.text == ")" => {
                brackets.pop();
            }
            TokenKind::Parameter if piece.parameter() == Some(name) => {
                let lists = |word: &&str| LISTS.iter().any(|list| list.eq_ignore_ascii_case(word));
                let before = place.checked_sub(1);
                // In `<=` and `>=`, this sign is one token further to the left.
                let is_equal = before.is_some_and(|at| all[at].is_sign("="));
                let further = if is_equal { place.checked_sub(2) } else { before };
                let is_between = is_word(before, &["between"])
                    || is_word(before, &["and"]) && is_word(place.checked_sub(3), &["between"]);
                if !brackets.iter().all(lists)
                    || is_between
                    || is_word(before, &["limit", "offset", "mod", "div", "like"])
                    || is_word(Some(place + 1), &["mod", "div", "between", "like"])
                    || [before, further, Some(place + 1)].into_iter().any(|at| sign(at).is_some())
                {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::Dialect;

    #[test]
    fn a_value_that_is_compared_for_being_equal_or_written_down_is_a_name() {
        for text in [
            "UPDATE t SET paid = true WHERE id = :id",
            "INSERT INTO line (\"order\", product) VALUES (:id, :item), (:id, 2)",
            "SELECT 1 FROM t WHERE id IN (:id, 1) AND (a = :id OR b != :id)",
            "SELECT * FROM t WHERE id = :id::uuid AND stock - :qty < 0",
            "UPDATE t SET a = CAST(:id AS uuid)",
        ] {
            assert!(only_names(&Sql::new(Dialect::Postgres, text), "id"), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_reckoned_with_or_held_against_an_order_is_none() {
        for text in [
            "SELECT 1 FROM t WHERE :id % 2 = 0",
            "SELECT 1 FROM t WHERE id <= :id",
            "SELECT 1 FROM t WHERE :id > id",
            "SELECT 1 FROM t WHERE id BETWEEN 1 AND :id",
            "SELECT mod(:id, 2)",
            "SELECT pay((:id))",
            "SELECT 1 FROM t LIMIT :id",
            "UPDATE t SET n = n + :id",
        ] {
            assert!(!only_names(&Sql::new(Dialect::Postgres, text), "id"), "{text}");
        }
    }

    #[test]
    fn a_command_that_calculates_with_a_value_or_orders_by_it_does_more_than_keep_it() {
        let keeps = |text: &str| {
            let words: Vec<Template> = text.split(' ').map(Template::parse).collect();
            only_keeps(&words, "id")
        };
        for text in
            ["SET order:{id} 1", "set last {id}", "INCRBY of:{id} 1", "RPUSH orders 1 {id},1"]
        {
            assert!(keeps(text), "{text}");
        }
        for text in [
            "INCRBY n {id}",
            "ZADD z {id} 1",
            "SET a 1 EX {id}",
            "EXPIRE a {id}",
            "SELECT {id}",
            "{id} a",
        ] {
            assert!(!keeps(text), "{text}");
        }
    }

    #[test]
    fn uuids_times_and_long_texts_are_names_and_short_ones_are_not() {
        assert!(is_name("9f2c1d3e-0000-4000-8000-000000000001"));
        assert!(is_time("2030-01-02 03:04:05.678901+00"));
        assert!(is_time("2030-01-02T03:04:05"));
        assert!(!is_time("9f2c1d3e-0000-4000-8000-000000000001"));
        for text in ["A", "paid", "a text of several words", "3.14159"] {
            assert!(!is_name(text), "{text}");
        }
    }
}
