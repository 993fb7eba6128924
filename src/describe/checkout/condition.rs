//! Conditions: `stock - qty < 0`, `rows = 0 or status = 'paid'`, `location begins with '/thanks'`.

use regex::Regex;

use super::REFUSED;
use super::value::StoreValue;
use crate::base::relation::Relation;
use crate::base::text::nearest::{did_you_mean, shown};

/// What a step's answer is held against.
#[derive(Clone, Debug)]
pub struct Condition(Test);

/// A comparison, or several.
#[derive(Clone, Debug)]
enum Test {
    /// One of these holds.
    Any(Vec<Test>),
    /// All of these hold.
    All(Vec<Test>),
    /// This does not hold.
    Not(Box<Test>),
    /// The store has refused the last step whose refusal does not end the attempt.
    Refused,
    /// Two values stand to each other like this.
    Compares { left: Expression, relation: Relation, right: Expression },
    /// The text of a value begins with the text of another.
    BeginsWith { of: Expression, text: Expression },
    /// The text of a value contains the text of another.
    Contains { of: Expression, text: Expression },
    /// A regular expression matches somewhere in the text of a value.
    Matches { of: Expression, pattern: Regex },
}

/// A value, or what is calculated from several.
#[derive(Clone, Debug)]
enum Expression {
    /// A value by its name.
    Name(String),
    /// The value itself.
    Value(StoreValue),
    /// What comes of two.
    Calculated { left: Box<Expression>, operator: Operator, right: Box<Expression> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

impl Condition {
    /// Reads one, in which some names are known.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str, known: &[String]) -> Result<Self, String> {
        let mut reader = Reader { whole: text, rest: text, known, depth: 0 };
        let test = reader.any()?;
        match reader.rest.trim() {
            "" => Ok(Self(test)),
            _ => Err(reader.expected()),
        }
    }

    /// Whether it depends on more of a named value than whether it is null, and whether it equals another named value.
    pub(crate) fn goes_by(&self, name: &str) -> bool {
        self.0.goes_by(name)
    }

    /// Whether it speaks of a value by this name.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.0.names(name)
    }

    /// Whether it holds, given what each name stands for. Only null equals null. What is calculated from null, or from
    /// what is no number, is null.
    #[must_use]
    pub fn holds(&self, value_of: impl Fn(&str) -> StoreValue) -> bool {
        self.0.holds(&value_of)
    }
}

impl Test {
    fn goes_by(&self, name: &str) -> bool {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().any(|test| test.goes_by(name)),
            Self::Not(test) => test.goes_by(name),
            Self::Compares { left, relation: Relation::Equal | Relation::NotEqual, right }
                if left.is_plain() && right.is_plain() =>
            {
                false
            }
            _ => self.names(name),
        }
    }

    fn names(&self, name: &str) -> bool {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().any(|test| test.names(name)),
            Self::Not(test) => test.names(name),
            Self::Refused => name == REFUSED,
            Self::Compares { left: one, right: other, .. }
            | Self::BeginsWith { of: one, text: other }
            | Self::Contains { of: one, text: other } => one.names(name) || other.names(name),
            Self::Matches { of, .. } => of.names(name),
        }
    }

    fn holds(&self, value_of: &dyn Fn(&str) -> StoreValue) -> bool {
        let text = |of: &Expression| {
            let value = of.value(value_of);
            (!value.is_null()).then(|| value.text())
        };
        match self {
            Self::Any(tests) => tests.iter().any(|test| test.holds(value_of)),
            Self::All(tests) => tests.iter().all(|test| test.holds(value_of)),
            Self::Not(test) => !test.holds(value_of),
            Self::Refused => !value_of(REFUSED).is_null(),
            Self::Compares { left, relation, right } => {
                relation.holds(left.value(value_of), right.value(value_of))
            }
            Self::BeginsWith { of, text: with } => {
                text(of).zip(text(with)).is_some_and(|(of, with)| of.starts_with(&with))
            }
            Self::Contains { of, text: part } => {
                text(of).zip(text(part)).is_some_and(|(of, part)| of.contains(&part))
            }
            Self::Matches { of, pattern } => text(of).is_some_and(|of| pattern.is_match(&of)),
        }
    }
}

impl Expression {
    /// Whether it is a value by its name, or null.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Value(StoreValue::Null))
    }

    fn names(&self, name: &str) -> bool {
        match self {
            Self::Name(known) => known == name,
            Self::Value(_) => false,
            Self::Calculated { left, right, .. } => left.names(name) || right.names(name),
        }
    }

    fn value(&self, value_of: &dyn Fn(&str) -> StoreValue) -> StoreValue {
        match self {
            Self::Name(name) => value_of(name),
            Self::Value(value) => value.clone(),
            Self::Calculated { left, operator, right } => {
                operator.apply(&left.value(value_of), &right.value(value_of))
            }
        }
    }
}

impl Operator {
    /// What comes of two numbers: exactly, as far as 28 digits go, unless one is a binary fraction.
    fn apply(self, one: &StoreValue, other: &StoreValue) -> StoreValue {
        let exact = one.as_decimal().zip(other.as_decimal()).and_then(|(one, other)| match self {
            Self::Plus => one.checked_add(other),
            Self::Minus => one.checked_sub(other),
            Self::Times => one.checked_mul(other),
            Self::Over => one.checked_div(other),
        });
        if let Some(exact) = exact {
            return StoreValue::of_decimal(exact);
        }
        let real = one.as_number().zip(other.as_number()).map(|(one, other)| match self {
            Self::Plus => one + other,
            Self::Minus => one - other,
            Self::Times => one * other,
            Self::Over => one / other,
        });
        real.filter(|real| real.is_finite()).map_or(StoreValue::Null, StoreValue::Real)
    }
}

/// The deepest nesting of parentheses. What stands in one may be read twice, and so on.
const MOST_DEPTH: usize = 10;

/// The most values that are calculated with one after the other.
const MOST_TERMS: usize = 100;

/// Reads a condition from its left to its right. `or` joins what `and` has joined, `+` and `-` what `*` and `/` have.
#[derive(Clone)]
struct Reader<'t> {
    whole: &'t str,
    rest: &'t str,
    known: &'t [String],
    /// In how many parentheses the rest begins.
    depth: usize,
}

impl Reader<'_> {
    fn expected(&self) -> String {
        format!(
            "expected a comparison, such as `rows = 0` or `stock < qty`, not `{}`",
            shown(self.whole.trim())
        )
    }

    fn any(&mut self) -> Result<Test, String> {
        let mut tests = vec![self.all()?];
        while self.takes_word("or") {
            tests.push(self.all()?);
        }
        Ok(one_or(tests, Test::Any))
    }

    fn all(&mut self) -> Result<Test, String> {
        let mut tests = vec![self.test()?];
        while self.takes_word("and") {
            tests.push(self.test()?);
        }
        Ok(one_or(tests, Test::All))
    }

    fn test(&mut self) -> Result<Test, String> {
        match self.takes_word("not") {
            true => Ok(Test::Not(Box::new(self.one()?))),
            false => self.one(),
        }
    }

    fn one(&mut self) -> Result<Test, String> {
        if self.takes_word(REFUSED) {
            return match self.known.iter().any(|known| known == REFUSED) {
                true => Ok(Test::Refused),
                false => {
                    Err("`refused` is known after a step with `if_refused = \"go_on\"`".into())
                }
            };
        }
        let left = match self.in_parentheses() {
            Some(test) => return Ok(test),
            None => self.sum()?,
        };
        self.rest = self.rest.trim_start();
        if let Some((relation, rest)) = Relation::at_start(self.rest) {
            self.rest = rest;
            return Ok(Test::Compares { left, relation, right: self.sum()? });
        }
        if self.takes_word("begins") {
            return match self.takes_word("with") {
                true => Ok(Test::BeginsWith { of: left, text: self.sum()? }),
                false => Err(self.expected()),
            };
        }
        if self.takes_word("contains") {
            return Ok(Test::Contains { of: left, text: self.sum()? });
        }
        if self.takes_word("matches") {
            return Ok(Test::Matches { of: left, pattern: self.pattern()? });
        }
        Err(self.expected())
    }

    /// A condition in parentheses; none if they hold a part of what is calculated.
    fn in_parentheses(&mut self) -> Option<Test> {
        let mut inside = self.clone();
        if !inside.enters().ok()? {
            return None;
        }
        let test = inside.any().ok().filter(|_| inside.leaves())?;
        *self = inside;
        Some(test)
    }

    /// Whether a parenthesis opens, which then is behind it.
    fn enters(&mut self) -> Result<bool, String> {
        let does = self.takes("(");
        self.depth += usize::from(does);
        match self.depth > MOST_DEPTH {
            true => Err(format!("parentheses may be nested {MOST_DEPTH} deep at most")),
            false => Ok(does),
        }
    }

    /// Whether a parenthesis closes, which then is behind it.
    fn leaves(&mut self) -> bool {
        let does = self.takes(")");
        self.depth -= usize::from(does);
        does
    }

    fn pattern(&mut self) -> Result<Regex, String> {
        let pattern = self.quoted().ok_or("`matches` needs a regular expression in 'quotes'")?;
        Regex::new(&pattern).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{}` is no regular expression: {why}", shown(&pattern))
        })
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let signs = [("+", Operator::Plus), ("-", Operator::Minus)];
        self.calculated(&signs, Self::product)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let signs = [("*", Operator::Times), ("/", Operator::Over)];
        self.calculated(&signs, Self::operand)
    }

    /// What these signs join.
    fn calculated(
        &mut self,
        signs: &[(&str, Operator)],
        operand: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = operand(self)?;
        let mut terms = 1;
        while let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes(sign)) {
            terms += 1;
            if terms > MOST_TERMS {
                return Err(format!("at most {MOST_TERMS} values may be calculated with at once"));
            }
            let right = Box::new(operand(self)?);
            left = Expression::Calculated { left: Box::new(left), operator: *operator, right };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        if self.enters()? {
            let inside = self.sum()?;
            return if self.leaves() { Ok(inside) } else { Err(self.expected()) };
        }
        if let Some(text) = self.quoted() {
            return Ok(Expression::Value(StoreValue::Text(text)));
        }
        self.rest = self.rest.trim_start();
        // A name may have signs in it: the longest that is known counts.
        let is_next = |name: &&String| {
            name.as_str() != REFUSED
                && self.rest.strip_prefix(name.as_str()).is_some_and(|rest| !goes_on(rest))
        };
        if let Some(name) = self.known.iter().filter(is_next).max_by_key(|name| name.len()) {
            self.rest = &self.rest[name.len()..];
            return Ok(Expression::Name(name.clone()));
        }
        if let Some(number) = self.number() {
            return Ok(Expression::Value(number));
        }
        let end = self.rest.find(|sign: char| !is_of_name(sign)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.eq_ignore_ascii_case("null") {
            self.rest = rest;
            return Ok(Expression::Value(StoreValue::Null));
        }
        match word {
            "" => Err(self.expected()),
            word => Err(unknown(word, self.known)),
        }
    }

    /// A number: digits, with a sign, a point and an exponent as it may have them.
    fn number(&mut self) -> Option<StoreValue> {
        let mut last = ' ';
        let is_of_number = |sign: char| {
            let is_sign = matches!(sign, '-' | '+') && matches!(last, ' ' | 'e' | 'E');
            let is_exponent = matches!(sign, 'e' | 'E') && last.is_ascii_digit();
            last = sign;
            sign.is_ascii_digit() || sign == '.' || is_exponent || is_sign
        };
        let rest = self.rest.trim_start_matches(is_of_number);
        let text = &self.rest[..self.rest.len() - rest.len()];
        if goes_on(rest) {
            return None;
        }
        let real: f64 = text.parse().ok().filter(|real: &f64| real.is_finite())?;
        self.rest = rest;
        Some(match text.parse() {
            Ok(whole) => StoreValue::Int(whole),
            Err(_) if text.contains(['e', 'E']) => StoreValue::Real(real),
            Err(_) => StoreValue::Decimal(text.to_owned()),
        })
    }

    /// A text in quotes, in which a quote is doubled.
    fn quoted(&mut self) -> Option<String> {
        let mut rest = self.rest.trim_start().strip_prefix('\'')?;
        let mut text = String::new();
        loop {
            let (part, behind) = rest.split_once('\'')?;
            text.push_str(part);
            let Some(more) = behind.strip_prefix('\'') else {
                self.rest = behind;
                return Some(text);
            };
            text.push('\'');
            rest = more;
        }
    }

    /// Whether a sign comes next, which then is behind it.
    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether a word comes next, which then is behind it.
    fn takes_word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word).filter(|rest| !goes_on(rest));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// The only one, or all of them together.
fn one_or(mut tests: Vec<Test>, together: fn(Vec<Test>) -> Test) -> Test {
    match (tests.pop(), tests.is_empty()) {
        (Some(one), true) => one,
        (last, _) => together(tests.into_iter().chain(last).collect()),
    }
}

fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Whether a word does not end before this text.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(is_of_name)
}

/// The message that there is no value of this name.
pub(super) fn unknown(name: &str, known: &[String]) -> String {
    // It stands for no value that could be compared.
    let names = known.iter().map(String::as_str).filter(|known| *known != REFUSED);
    let near = did_you_mean(name, names.clone());
    let names: Vec<&str> = names.collect();
    let there = if names.is_empty() { "none".into() } else { names.join(", ") };
    format!("no value `{}` here{near}; there are {there}", shown(name))
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
    fn conditions_are_joined_and_values_calculated_as_in_a_textbook() {
        assert!(holds("stock = 0 or qty = 2 and state = 'new'"));
        assert!(!holds("(stock = 0 or qty = 2) and state = 'new'"));
        assert!(holds("((stock - qty)) < 0"));
        assert!(holds("stock - qty*2 = -2"));
        assert!(holds("(stock - qty) * 2 = -2 and (qty + 1) / 2 = 1"));
        assert!(holds("7 / 2 = 3.5"));
        assert!(holds("8 / 2 - 1 = 3"));
        assert!(holds("9223372036854775807 + 1 > 9223372036854775807"));
        assert!(holds("0.1 + 0.2 = 0.3 and 19.90 * 3 = 59.7"), "to the cent");
        assert!(holds("1e2 = 100"));
        assert!(holds("qty-1 = 0"), "a minus needs no space");
        for null in ["1 / stock = null", "none + 1 = null", "state * 1 = null"] {
            assert!(holds(null), "{null}");
        }
        assert!(!holds("1 / stock > 0"));
    }

    #[test]
    fn texts_begin_contain_and_match() {
        assert!(holds("state begins with 'pa'"));
        assert!(!holds("state begins with 'ai'"));
        assert!(holds("state contains 'ai'"));
        assert!(holds("state matches '^p.*d$'"));
        assert!(!holds("state matches '^a'"));
        assert!(holds("'it''s' contains ''''"));
        for null in ["none begins with ''", "none contains ''", "none matches ''"] {
            assert!(!holds(null), "{null}");
        }
    }

    #[test]
    fn whether_a_step_was_refused_is_a_condition_and_not_turns_one_round() {
        let known = ["id", "refused"].map(str::to_owned);
        let holds = |text: &str, is_refused: bool| {
            Condition::parse(text, &known).unwrap().holds(|name| match name {
                "refused" if is_refused => StoreValue::Int(1),
                _ => StoreValue::Null,
            })
        };
        for is_refused in [true, false] {
            assert_eq!(holds("refused", is_refused), is_refused);
            assert_eq!(holds("not refused", is_refused), !is_refused);
            assert_eq!(holds("refused and id = null", is_refused), is_refused);
            assert_eq!(holds("not (refused or id = 1)", is_refused), !is_refused);
            assert!(holds("not refused or refused", is_refused));
        }
        let wrong = |text: &str| Condition::parse(text, &known).unwrap_err();
        for text in ["refused = 1", "not", "not id", "refused refused"] {
            assert!(wrong(text).contains("expected a comparison"), "{text}: {}", wrong(text));
        }
        let unknown = Condition::parse("refused", &known[..1]).unwrap_err();
        assert_eq!(unknown, "`refused` is known after a step with `if_refused = \"go_on\"`");
    }

    #[test]
    fn a_name_with_signs_in_it_is_one_name() {
        let known = ["a", "a-b"].map(str::to_owned);
        let holds = |text: &str| {
            let value = |name: &str| StoreValue::Int(if name == "a-b" { 7 } else { 3 });
            Condition::parse(text, &known).unwrap().holds(value)
        };
        assert!(holds("a-b = 7"));
        assert!(holds("a - 1 = 2"));
    }

    #[test]
    fn whether_a_value_is_there_or_the_same_as_another_is_all_that_some_conditions_go_by() {
        let known = ["id", "seen"].map(str::to_owned);
        let goes_by = |text: &str| Condition::parse(text, &known).unwrap().goes_by("id");
        for text in ["id = null", "id != null", "id != seen", "seen = id", "seen < 5"] {
            assert!(!goes_by(text), "{text}");
        }
        for text in [
            "id > 5",
            "id = 5",
            "seen <= id",
            "'x' = id",
            "id + 0 = null",
            "seen = null or id = 5",
            "id contains 'a'",
            "id matches 'a'",
        ] {
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
        assert!(wrong("stock matches '('").starts_with("`(` is no regular expression: "));
        assert_eq!(wrong("stock matches 1"), "`matches` needs a regular expression in 'quotes'");
        let nested = format!("{}1 = 1{}", "(".repeat(90), ")".repeat(90));
        assert!(wrong(&nested).starts_with("parentheses may be nested 10 deep"));
        let long = format!("stock = {}1", "1 + ".repeat(100_000));
        assert_eq!(wrong(&long), "at most 100 values may be calculated with at once");
        for text in [
            "",
            "stock",
            "stock <",
            "= 1",
            "stock ! 1",
            "stock = 1 or",
            "stock = 1 qty = 1",
            "(stock = 1",
            "stock = 'open",
            "stock begins 1",
            "stock begins contains 'x'",
        ] {
            assert!(wrong(text).starts_with("expected a comparison"), "{text}: {}", wrong(text));
        }
    }
}
