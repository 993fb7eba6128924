//! Which statement of a transaction takes its snapshot: what it sees of every table is decided then.
//!
//! | database | levels that keep one snapshot | taken by | source |
//! |---|---|---|---|
//! | PostgreSQL | repeatable read, serializable | the first statement that is no transaction control: not `BEGIN`, `SET`, `SAVEPOINT`, `LOCK` | manual, 13.2.2 and `SET TRANSACTION` |
//! | InnoDB | repeatable read, serializable | the first consistent read: a query that locks nothing; or `START TRANSACTION WITH CONSISTENT SNAPSHOT` | MySQL manual, 15.7.2.3 |
//! | SQLite | all | the first statement that reads or writes | *Isolation In SQLite*; `BEGIN` is deferred |
//!
//! At read committed every statement takes its own.
//!
//! What a statement can wait for:
//!
//! | database | a statement waits for another session that | source |
//! |---|---|---|
//! | PostgreSQL | has changed or locked the same row, holds a unique key that it inserts, a table lock, or an advisory lock | manual, 13.3 |
//! | InnoDB | has locked the same row, or the gap that it inserts into; a user-level or metadata lock | MySQL manual, 15.7.1 and 10.11.4 |
//! | SQLite | is writing: there is one writer | *File Locking And Concurrency*, 3 |

use super::reading::{Reading, StatementKind};
use crate::domain::isolation::Isolation;
use crate::domain::store_kind::StoreKind;

/// Whether a statement takes the snapshot of the transaction that it is in, if there is none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// It does not.
    Never,
    /// It may: it counts as taking it, and so do the statements that follow.
    Perhaps,
    /// It does.
    Surely,
}

/// Whether transactions at this level keep one snapshot.
pub(super) fn is_kept(kind: StoreKind, isolation: Isolation) -> bool {
    kind == StoreKind::Sqlite || isolation != Isolation::ReadCommitted
}

/// Whether a statement takes the snapshot.
pub(super) fn takes(kind: StoreKind, reading: &Reading) -> Takes {
    if reading.is_frame() || reading.kind == StatementKind::Sets {
        return Takes::Never;
    }
    if reading.kind == StatementKind::Unknown {
        return Takes::Perhaps;
    }
    match kind {
        StoreKind::Postgres if reading.verb == "lock" => Takes::Never,
        StoreKind::Mysql => match reading.kind {
            StatementKind::Looks if reading.may_read_no_row() => Takes::Perhaps,
            StatementKind::Looks => Takes::Surely,
            // A subquery of a change may read from a snapshot.
            _ if reading.queries > 0 => Takes::Perhaps,
            _ => Takes::Never,
        },
        StoreKind::Sqlite if reading.relations.is_empty() => Takes::Perhaps,
        _ => Takes::Surely,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_holds() {
        use StoreKind::{Mysql, Postgres, Sqlite};
        use Takes::{Never, Perhaps, Surely};
        for (kind, text, expected) in [
            (Postgres, "BEGIN", Never),
            (Postgres, "SET LOCAL lock_timeout = '1s'", Never),
            (Postgres, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", Never),
            (Postgres, "SAVEPOINT s", Never),
            (Postgres, "LOCK TABLE t", Never),
            (Postgres, "SELECT 1", Surely),
            (Postgres, "SELECT 1 FROM t FOR UPDATE", Surely),
            (Postgres, "INSERT INTO t VALUES (1)", Surely),
            (Postgres, "SELECT pg_advisory_lock(1)", Perhaps),
            (Mysql, "START TRANSACTION", Never),
            (Mysql, "SELECT a FROM t", Surely),
            (Mysql, "SELECT 1", Perhaps),
            (Mysql, "SELECT a FROM t WHERE id = :item AND a > 0", Surely),
            (Mysql, "SELECT 1 FROM dual", Perhaps),
            (Mysql, "SELECT a FROM t LIMIT 0", Perhaps),
            (Mysql, "SELECT a FROM t WHERE 1 = 0", Perhaps),
            (Mysql, "SELECT a FROM t WHERE id = 1 AND id = 2", Perhaps),
            (Mysql, "SELECT a FROM t WHERE id = NULL", Perhaps),
            (Mysql, "SELECT count(*) FROM information_schema.columns", Perhaps),
            (Mysql, "SELECT a FROM t FOR UPDATE", Perhaps),
            (Mysql, "UPDATE t SET a = 1", Never),
            (Mysql, "INSERT INTO t SELECT a FROM s", Perhaps),
            (Mysql, "SET @s = (SELECT a FROM t)", Surely),
            (Mysql, "SET @s = 1", Never),
            (Sqlite, "BEGIN", Never),
            (Sqlite, "SELECT a FROM t", Surely),
            (Sqlite, "SELECT 1", Perhaps),
            (Sqlite, "UPDATE t SET a = 1", Surely),
        ] {
            let reading = Reading::of(kind.dialect(), text);
            assert_eq!(takes(kind, &reading), expected, "{kind}: {text}");
        }
    }
}
