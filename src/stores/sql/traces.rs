//! Whether a statement may leave something in its session that outlives the attempt: a lock of the session's own, a
//! variable, a setting, a temporary table, a prepared statement. A statement may, unless it is known to leave nothing.

use super::independence::{Token, tokens};
use crate::base::text::sql::TokenKind;
use crate::domain::store_kind::StoreKind;

/// First words of statements that leave nothing, if nothing else in them does. The end of the attempt rolls back what
/// `BEGIN` and the like have begun.
const HARMLESS: [&str; 13] = [
    "select",
    "insert",
    "update",
    "delete",
    "with",
    "values",
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
];

/// Words that may stand before a parenthesis without calling anything that leaves something: keywords, types, and
/// functions that only compute.
const BEFORE_PARENTHESIS: [&str; 64] = [
    "abs",
    "all",
    "and",
    "any",
    "as",
    "avg",
    "between",
    "bigint",
    "by",
    "case",
    "cast",
    "ceil",
    "char",
    "coalesce",
    "concat",
    "conflict",
    "count",
    "date",
    "decimal",
    "distinct",
    "else",
    "exists",
    "filter",
    "floor",
    "from",
    "greatest",
    "having",
    "if",
    "ifnull",
    "in",
    "insert",
    "integer",
    "interval",
    "into",
    "join",
    "key",
    "least",
    "length",
    "like",
    "lower",
    "max",
    "min",
    "mod",
    "not",
    "now",
    "nullif",
    "numeric",
    "on",
    "or",
    "over",
    "partition",
    "returning",
    "round",
    "select",
    "set",
    "sign",
    "some",
    "sum",
    "then",
    "upper",
    "using",
    "values",
    "varchar",
    "where",
];

/// Words that make a statement do more than its first word says.
const TELLING: [&str; 12] = [
    "chain",
    "release",
    "temp",
    "temporary",
    "prepare",
    "prepared",
    "execute",
    "declare",
    "cursor",
    "outfile",
    "dumpfile",
    "hold",
];

/// Whether a statement may leave something in its session, as far as its words tell.
pub(super) fn may_leave(kind: StoreKind, statement: &str) -> bool {
    let tokens = tokens(kind.dialect(), statement);
    if tokens.is_empty() || tokens.iter().any(is_of_session) {
        return true;
    }
    let word = |place: usize| match tokens.get(place) {
        Some(token) if token.kind == TokenKind::Word => token.word.as_str(),
        _ => "",
    };
    // In PostgreSQL, some settings end with the transaction.
    let is_of_transaction = kind == StoreKind::Postgres
        && word(0) == "set"
        && matches!(word(1), "local" | "transaction" | "constraints");
    if !is_of_transaction && !HARMLESS.contains(&word(0)) {
        return true;
    }
    (1..tokens.len()).any(|place| {
        let before = word(place - 1);
        let is_call = tokens[place].is_sign("(")
            && matches!(
                tokens[place - 1].kind,
                TokenKind::Word | TokenKind::Name | TokenKind::Text
            );
        let is_list_of_columns = place >= 2 && word(place - 2) == "into";
        match word(place) {
            // `SELECT … INTO` makes a table, or sets a variable.
            "into" => !matches!(before, "insert" | "ignore"),
            "" => is_call && !is_list_of_columns && !BEFORE_PARENTHESIS.contains(&before),
            word => TELLING.contains(&word),
        }
    })
}

/// Whether a token is a variable of the session, a second statement, or cannot be read.
fn is_of_session(token: &Token) -> bool {
    token.kind == TokenKind::Unreadable || token.is_sign(";") || token.word.starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_checkouts_usually_say_leaves_nothing() {
        for statement in [
            "BEGIN",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION READ WRITE",
            "SELECT stock FROM product WHERE id = :item FOR UPDATE",
            "SELECT COALESCE(SUM(qty), 0) AS taken FROM \"order\" WHERE product IN (1, 2)",
            "INSERT INTO orders (buyer, product) VALUES (:buyer, 'it''s (so)')",
            "INSERT INTO `orders` (buyer) VALUES (:buyer) ON CONFLICT (buyer) DO NOTHING",
            "UPDATE product SET stock = stock - :qty WHERE id = :item AND (stock >= :qty);",
            "COMMIT",
            "ROLLBACK TO SAVEPOINT a",
            "SAVEPOINT a",
        ] {
            assert!(!may_leave(StoreKind::Mysql, statement), "{statement}");
            assert!(!may_leave(StoreKind::Postgres, statement), "{statement}");
        }
        assert!(!may_leave(StoreKind::Postgres, "SET LOCAL lock_timeout = '1s'"));
    }

    #[test]
    fn what_a_session_keeps_is_known_and_so_is_what_is_not_understood() {
        for statement in [
            "SELECT pg_advisory_lock(7)",
            "SELECT GET_LOCK ('l', 10)",
            "SELECT \"pg_advisory_lock\"(7)",
            "SELECT app.take(1)",
            "SET autocommit = 0",
            "SET SESSION TRANSACTION READ ONLY",
            "COMMIT AND CHAIN",
            "ROLLBACK AND CHAIN",
            "RELEASE SAVEPOINT a",
            "SELECT COALESCE(@seen, 0)",
            "SELECT stock INTO kept FROM product",
            "SELECT stock FROM product INTO OUTFILE 'x'",
            "CREATE TEMP TABLE cart (id INT)",
            "LOCK TABLES product WRITE",
            "PREPARE p AS SELECT 1",
            "PREPARE TRANSACTION 'x'",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "LISTEN orders",
            "PRAGMA foreign_keys = ON",
            "DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$",
            "SELECT 'it\\'s', GET_LOCK('l', 1), ''",
            "SELECT 1; SET @a = 1",
            "SELECT 'not closed",
            "",
        ] {
            assert!(may_leave(StoreKind::Mysql, statement), "{statement}");
            assert!(may_leave(StoreKind::Postgres, statement), "{statement}");
        }
        assert!(may_leave(StoreKind::Mysql, "SELECT 1 /*! , GET_LOCK('l', 1) */"));
        assert!(may_leave(StoreKind::Mysql, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"));
    }
}
