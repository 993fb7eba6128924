//! Settings of a session that change what its other statements mean, and values of them that do not.

use super::tokens::Token;
use crate::base::text::sql::TokenKind;

/// Settings that change what other statements of the session mean, or where its transactions begin and end.
pub(super) const UNSETTLING: [&str; 14] = [
    "autocommit",
    "completion_type",
    "sql_mode",
    "search_path",
    "role",
    "authorization",
    "schema",
    "session_replication_role",
    "standard_conforming_strings",
    "backslash_quote",
    "foreign_key_checks",
    "unique_checks",
    "default_storage_engine",
    "sql_safe_updates",
];

/// Modes of MySQL (manual, 7.1.11) that say which values are refused or changed, and not how a statement is read. Without
/// any other mode, it is read as it is here.
const MODES_OF_VALUES: [&str; 11] = [
    "allow_invalid_dates",
    "error_for_division_by_zero",
    "no_auto_create_user",
    "no_auto_value_on_zero",
    "no_engine_substitution",
    "no_unsigned_subtraction",
    "no_zero_date",
    "no_zero_in_date",
    "only_full_group_by",
    "strict_all_tables",
    "strict_trans_tables",
];

/// Whether a statement is a `SET` of one such setting, to a value with which statements mean what they are taken to mean
/// here. Clients send such statements when they connect.
pub(super) fn sets_what_is_assumed(tokens: &[Token]) -> bool {
    let [set, rest @ ..] = tokens else { return false };
    let rest = match rest {
        [scope, rest @ ..] if scope.is(&["session"]) => rest,
        rest => rest,
    };
    let [name, equals, value] = rest else { return false };
    if !set.is(&["set"]) || !(equals.is_sign("=") || equals.is(&["to"])) {
        return false;
    }
    match name.word.as_str() {
        _ if name.kind != TokenKind::Word => false,
        "standard_conforming_strings" => value.is(&["on"]),
        "sql_mode" if value.kind == TokenKind::Text => {
            let modes = || value.word.split(',').map(str::trim).filter(|mode| !mode.is_empty());
            // Without a strict mode, a value that does not fit is stored as another.
            modes().any(|mode| mode.starts_with("strict_"))
                && modes().all(|mode| MODES_OF_VALUES.contains(&mode))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::Dialect;
    use crate::stores::sql::independence::tokens;

    #[test]
    fn what_clients_set_when_they_connect_is_what_is_assumed_and_nothing_else_is() {
        let is_assumed = |dialect, text: &str| sets_what_is_assumed(&tokens(dialect, text));
        for text in [
            "SET standard_conforming_strings = on",
            "SET standard_conforming_strings TO on;",
            "SET SESSION standard_conforming_strings = on",
        ] {
            assert!(is_assumed(Dialect::Postgres, text), "{text}");
        }
        for text in [
            "SET standard_conforming_strings = off",
            "SET standard_conforming_strings = on, off",
            "SET LOCAL standard_conforming_strings = on",
            "SET \"standard_conforming_strings\" = on",
            "SET search_path = on",
            "SET search_path TO public",
            "SELECT standard_conforming_strings = on",
        ] {
            assert!(!is_assumed(Dialect::Postgres, text), "{text}");
        }
        for text in [
            "SET SESSION sql_mode='NO_ZERO_IN_DATE,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
            "SET sql_mode = 'STRICT_ALL_TABLES'",
        ] {
            assert!(is_assumed(Dialect::Mysql, text), "{text}");
        }
        for text in [
            "SET sql_mode = 'STRICT_TRANS_TABLES,ANSI_QUOTES'",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "SET sql_mode = strict_all_tables",
            "SET SESSION sql_mode='NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
            "SET sql_mode = ''",
            "SET sql_mode = '', autocommit = 0",
            "SET sql_mode = @@sql_mode",
            "SET GLOBAL sql_mode = ''",
        ] {
            assert!(!is_assumed(Dialect::Mysql, text), "{text}");
        }
    }
}
