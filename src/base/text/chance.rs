//! Statements that use randomness: the server's answers to them differ from run to run, so that one run of a statement
//! order says nothing about the next run of the same order.

use super::sql::{Dialect, TokenKind, pieces};

/// Functions of SQL that roll a number, or bytes, in lower case.
const ROLLS: [&str; 6] =
    ["random", "rand", "random_bytes", "random_normal", "randomblob", "gen_random_bytes"];

/// Functions of SQL that make a unique key, in lower case.
const KEYS: [&str; 11] = [
    "gen_random_uuid",
    "uuid",
    "uuid_short",
    "sys_guid",
    "uuidv4",
    "uuidv7",
    "uuid_v4",
    "uuid_v7",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
];

/// Commands of Redis that choose by chance, in lower case.
const COMMANDS: [&str; 5] = ["spop", "srandmember", "hrandfield", "zrandmember", "randomkey"];

/// Words after which a value may decide something.
const DECIDING: [&str; 11] = [
    "on",
    "returning",
    "select",
    "where",
    "from",
    "case",
    "having",
    "order",
    "group",
    "limit",
    "as",
];

/// What a statement does with a value at some place in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It may decide something.
    Decides,
    /// An `INSERT … VALUES` puts it in.
    IsPutIn,
    /// It is answered, or put in place of another: a key decides nothing there.
    IsKept,
}

/// Whether chance may decide something in a statement of SQL, or a command to Redis. It may if a random function or
/// command is named, unless its result is only a value that an `INSERT … VALUES` puts in, or a new key that is
/// answered or put in place of another. If the statement cannot be read, it may.
#[must_use]
pub fn may_decide(text: &str) -> bool {
    let lower = text.to_lowercase();
    // This alone rules out most statements.
    if !["rand", "uuid", "guid", "tablesample", "spop"].iter().any(|part| lower.contains(part)) {
        return false;
    }
    let Some(words) = words(&lower) else { return true };
    let first = words.first().map_or("", |(word, _)| *word);
    if COMMANDS.contains(&first) {
        return true;
    }
    let mut here = if first == "select" { Use::IsKept } else { Use::Decides };
    words.iter().skip(1).any(|(word, sign)| {
        match *word {
            "values" if matches!(first, "insert" | "replace") => here = Use::IsPutIn,
            "set" if first == "update" => here = Use::IsKept,
            // Here `as` only names a column of the answer.
            "as" if here == Use::IsKept => {}
            word if DECIDING.contains(&word) => here = Use::Decides,
            _ => {}
        }
        let is_called = *sign == Some('(');
        match *word {
            "tablesample" => true,
            word if ROLLS.contains(&word) => is_called && here != Use::IsPutIn,
            word if KEYS.contains(&word) => is_called && here == Use::Decides,
            _ => false,
        }
    })
}

/// The words of a statement, each with the sign that follows it, if one does; none if it cannot be read. Words outside
/// of quotes are the same in every dialect.
fn words(text: &str) -> Option<Vec<(&str, Option<char>)>> {
    let mut words: Vec<(&str, Option<char>)> = Vec::new();
    let mut is_open = false;
    for piece in pieces(Dialect::Postgres, text) {
        match piece.kind {
            TokenKind::Word => {
                words.push((piece.text, None));
                is_open = true;
            }
            TokenKind::Space | TokenKind::Comment => {}
            TokenKind::Unreadable => return None,
            _ => {
                if let (Some(last), true) = (words.last_mut(), is_open) {
                    last.1 = piece.text.chars().next();
                }
                is_open = false;
            }
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_decides_wherever_it_is_not_just_a_value_that_is_put_in() {
        for (text, decides) in [
            ("SELECT id FROM seat ORDER BY random() LIMIT 1", true),
            ("UPDATE t SET n = n - 1 WHERE RAND() < 0.5", true),
            ("SELECT RANDOM ( )", true),
            ("SELECT * FROM seat TABLESAMPLE SYSTEM (50)", true),
            ("DELETE FROM t WHERE id = gen_random_uuid()", true),
            ("INSERT INTO t SELECT 1 WHERE random() < 0.5", true),
            ("INSERT INTO t VALUES (gen_random_uuid(), 1)", false),
            ("INSERT INTO t (id) VALUES (UUID()) RETURNING id", false),
            ("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET n = random()", true),
            ("INSERT INTO t VALUES ((SELECT id FROM s ORDER BY random()))", true),
            ("SELECT gen_random_uuid() AS id", false),
            ("SELECT random() AS roll", true),
            ("UPDATE t SET token = gen_random_uuid() WHERE id = 1", false),
            ("UPDATE t SET n = CASE WHEN uuid() < 'a' THEN 1 END", true),
            ("UPDATE t SET n = random()", true),
            ("SELECT random FROM t", false),
            ("SELECT 'random()' FROM t", false),
            ("SELECT 1 -- random()", false),
            ("SPOP seats", true),
            ("GET random", false),
        ] {
            assert_eq!(may_decide(text), decides, "{text}");
        }
    }
}
