//! Columns whose values can be told apart by what stands in a statement, and those values. Where it is not certain that
//! two values differ in the database, they count as the same.

/// How a column compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    /// Whole numbers.
    Int,
    /// Whole numbers, of which the database makes one up for 0: MySQL's `AUTO_INCREMENT`.
    Serial,
    /// Texts that differ if any letter differs: PostgreSQL's, under a deterministic collation.
    Text,
    /// Texts that may be the same whatever their case, accents or punctuation: MySQL's.
    LooseText,
    /// Universally unique identifiers.
    Uuid,
}

impl ColumnType {
    /// The type by the word in `room_parts.sql`; none for a type whose values are not told apart.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "int" => Self::Int,
            "serial" => Self::Serial,
            "text" => Self::Text,
            "loose" => Self::LooseText,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// A value as it stands in a statement, such that two of the same column differ if they are written differently;
    /// none if that is not certain.
    pub(super) fn canonical(self, literal: &Literal) -> Option<String> {
        let text = literal.text.as_str();
        match self {
            Self::Int => text.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Serial => {
                let number = text.parse::<i64>().ok().filter(|number| *number != 0);
                number.map(|number| number.to_string())
            }
            // Spaces at the end may be cut off.
            Self::Text => Some(text.trim_end_matches(' ').to_owned()),
            // A number is compared as a number, and a text as far as it is one.
            Self::LooseText if literal.is_quoted && text.chars().all(is_plain) => {
                let letters = text.chars().filter(char::is_ascii_alphanumeric);
                Some(letters.collect::<String>().to_ascii_lowercase())
            }
            Self::LooseText => None,
            Self::Uuid => {
                let digits: String = text.chars().filter(|c| *c != '-').collect();
                let is_uuid = digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit());
                is_uuid.then(|| digits.to_ascii_lowercase())
            }
        }
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// A value as it stands in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) text: String,
    /// Whether it stands in quotes.
    pub(super) is_quoted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(of: ColumnType, text: &str, is_quoted: bool) -> Option<String> {
        of.canonical(&Literal { text: text.into(), is_quoted })
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for text in ["7", "07", "+7"] {
            assert_eq!(canonical(ColumnType::Int, text, false).as_deref(), Some("7"), "{text}");
        }
        for text in ["7.0", "7e0", " 7", "7a", ""] {
            assert_eq!(canonical(ColumnType::Int, text, true), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_the_database_makes_up_is_not_known() {
        let [int, serial] =
            [ColumnType::Int, ColumnType::Serial].map(|of| canonical(of, "0", false));
        assert_eq!((int, serial), (Some("0".into()), None));
        assert_eq!(canonical(ColumnType::Serial, "7", false), Some("7".into()));
    }

    #[test]
    fn spaces_at_the_end_make_no_text_different() {
        let text = |text| canonical(ColumnType::Text, text, true);
        assert_eq!(text("ab  "), text("ab"));
    }

    #[test]
    fn texts_of_mysql_differ_only_where_a_letter_or_a_digit_does() {
        let loose = |text| canonical(ColumnType::LooseText, text, true);
        assert_eq!(loose("Ab-1"), loose("aB1"));
        assert_ne!(loose("ab1"), loose("ab2"));
        assert_eq!(loose("straße"), None);
        assert_eq!(loose("a "), None);
        assert_eq!(canonical(ColumnType::LooseText, "7", false), None);
    }

    #[test]
    fn identifiers_are_the_same_with_and_without_hyphens() {
        let one = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
        let other = "a0eebc999c0b4ef8bb6d6bb9bd380a11";
        let of = |text| canonical(ColumnType::Uuid, text, true);
        assert!(of(one).is_some());
        assert_eq!(of(one), of(other));
        assert_eq!(of("a0ee"), None);
    }
}
