//! Conditions: `stock < qty`, `rows = 0`, `status = 'paid'`.

use super::value::StoreValue;
use crate::base::relation::Relation;
use crate::base::text::nearest::{did_you_mean, shown};

/// What a step's answer is held against.
#[derive(Clone, Debug)]
pub struct Condition {
    left: Operand,
    relation: Relation,
    right: Operand,
}

/// One side of it.
#[derive(Clone, Debug)]
enum Operand {
    /// A value by its name.
    Name(String),
    /// The value itself.
    Value(StoreValue),
}

impl Condition {
    /// Reads one, in which some names are known.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str, known: &[String]) -> Result<Self, String> {
        let comparison = || {
            format!(
                "expected a comparison, such as `rows = 0` or `stock < qty`, not `{}`",
                shown(text.trim())
            )
        };
        let at = Relation::find(text).ok_or_else(comparison)?;
        let (left, rest) = text.split_at(at);
        let (relation, right) = Relation::at_start(rest).ok_or_else(comparison)?;
        let operand = |text: &str| match text.trim() {
            "" => Err(comparison()),
            text => Operand::parse(text, known),
        };
        Ok(Self { left: operand(left)?, relation, right: operand(right)? })
    }

    /// Whether it depends on more of a named value than whether it is null, and whether it equals another named value.
    pub(crate) fn goes_by(&self, name: &str) -> bool {
        let is_it = |side: &Operand| matches!(side, Operand::Name(known) if known == name);
        let is_plain = |side: &Operand| match side {
            Operand::Name(_) => true,
            Operand::Value(value) => matches!(value, StoreValue::Null),
        };
        let Self { left, relation, right } = self;
        let is_named = is_it(left) || is_it(right);
        let asks_if_equal = matches!(relation, Relation::Equal | Relation::NotEqual);
        is_named && !(asks_if_equal && is_plain(left) && is_plain(right))
    }

    /// Whether it speaks of a value by this name.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        [&self.left, &self.right].iter().any(|side| matches!(side, Operand::Name(is) if is == name))
    }

    /// Whether it holds, given what each name stands for. Only null equals null.
    #[must_use]
    pub fn holds(&self, value_of: impl Fn(&str) -> StoreValue) -> bool {
        let value = |operand: &Operand| match operand {
            Operand::Name(name) => value_of(name),
            Operand::Value(value) => value.clone(),
        };
        self.relation.holds(value(&self.left), value(&self.right))
    }
}

impl Operand {
    fn parse(text: &str, known: &[String]) -> Result<Self, String> {
        if let Some(quoted) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Ok(Self::Value(StoreValue::Text(quoted.to_owned())));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Value(StoreValue::Int(number)));
        }
        if let Some(number) = text.parse().ok().filter(|number: &f64| number.is_finite()) {
            return Ok(Self::Value(StoreValue::Real(number)));
        }
        if text.eq_ignore_ascii_case("null") {
            return Ok(Self::Value(StoreValue::Null));
        }
        match known.iter().any(|name| name == text) {
            true => Ok(Self::Name(text.to_owned())),
            false => Err(unknown(text, known)),
        }
    }
}

/// The message that there is no value of this name.
pub(super) fn unknown(name: &str, known: &[String]) -> String {
    let names = known.iter().map(String::as_str);
    let near = did_you_mean(name, names.clone());
    let names: Vec<&str> = names.collect();
    format!("no value `{}` here{near}; there are {}", shown(name), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let known = ["stock", "qty", "state", "none"].map(str::to_owned);
        Condition::parse(text, &known).unwrap().holds(|name| match name {
            "stock" => StoreValue::Int(0),
            "qty" => StoreValue::Int(1),
            "state" => StoreValue::Text("paid".into()),
            _ => StoreValue::Null,
        })
    }

    #[test]
    fn a_condition_compares_values_by_name_numbers_and_texts() {
        assert!(holds("stock < qty"));
        assert!(!holds("stock >= qty"));
        assert!(holds("state = 'paid'"));
        assert!(holds("state != 'new'"));
        assert!(holds("qty = 1.0"));
        assert!(holds("none = null"));
        assert!(holds("stock != null"));
        assert!(!holds("none = 0"));
        assert!(!holds("none < 1"));
    }

    #[test]
    fn whether_a_value_is_there_or_the_same_as_another_is_all_that_some_conditions_go_by() {
        let known = ["id", "seen"].map(str::to_owned);
        let goes_by = |text: &str| Condition::parse(text, &known).unwrap().goes_by("id");
        for text in ["id = null", "id != null", "id != seen", "seen = id", "seen < 5"] {
            assert!(!goes_by(text), "{text}");
        }
        for text in ["id > 5", "id = 5", "seen <= id", "'x' = id"] {
            assert!(goes_by(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_with_what_was_expected() {
        let known = ["stock".to_owned(), "qty".to_owned()];
        let wrong = |text: &str| Condition::parse(text, &known).unwrap_err();
        assert_eq!(
            wrong("stok < qty"),
            "no value `stok` here; did you mean `stock`?; there are stock, qty"
        );
        for text in ["", "stock", "stock <", "= 1", "stock ! 1"] {
            assert!(wrong(text).starts_with("expected a comparison"), "{text}: {}", wrong(text));
        }
    }
}
