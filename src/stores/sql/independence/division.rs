//! Which statements are one step, and which are not.
//!
//! A statement takes its snapshot, reads, and then changes or locks rows one after the other; other sessions can come
//! in between. If it reads nothing but the one row that it writes, that makes no difference: the server reads that row
//! again once it has locked it. Every other statement begins in one step and acts in others. A trigger on the tables
//! that it writes holds it in between (`hold_inside.sql` of each database); if no trigger can hold it, the statement is
//! reported, and nothing is proved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::catalog::Catalog;
use super::reading::{Reading, StatementKind};
use super::transactions::TransactionTracker;
use crate::base::text::sql::{Dialect, TokenKind, pieces};
use crate::domain::store_kind::StoreKind;
use crate::scheduler::Footprint;
use crate::stores::remote::{Matters, OverlapNotes, TRIES};

/// How a statement is divided into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum Division {
    /// It is one step.
    Whole,
    /// It begins in one step, and then acts in others.
    BeginsAndActs,
    /// Other sessions can come in between, but it cannot be held there; with the reason.
    Unheld(&'static str),
    /// As `Unheld`, if another session changes or locks in one statement, which commits at once, what this one locks.
    UnheldBesideCommits(&'static str),
    /// Both: it is held before each change that it makes, and not where it makes none.
    BeginsAndActsBesideCommits(&'static str),
    /// It is held before each change that it makes, and others can come in between elsewhere, too.
    BeginsAndActsUnheld(&'static str),
}

impl Division {
    /// Whether it begins in one step, and then acts in others.
    pub(in crate::stores::sql) fn begins_and_acts(self) -> bool {
        matches!(
            self,
            Self::BeginsAndActs
                | Self::BeginsAndActsBesideCommits(_)
                | Self::BeginsAndActsUnheld(_)
        )
    }
}

/// Why a statement that runs code of the database's own cannot be followed.
const CODE: &str = "a function or trigger that it runs reads more than once";
/// Why one that commits at once cannot be followed.
const CODE_COMMITS: &str =
    "a function or trigger that it runs reads after it was held, and it commits at once";
/// Why a commit that runs code of the database's own cannot be followed.
const DEFERRED: &str = "it runs constraint triggers that were put off until then";
/// Why a change with a query in it cannot be held in InnoDB from repeatable read on.
const LOCKS_READS: &str = "at this level it locks every row that it reads, one after the other";
/// Why a change of a table that a step has made is not held.
const MADE_LATER: &str =
    "a table that it names was made later than the triggers that would hold it";
/// Why nothing is known of a statement.
const UNREADABLE: &str = "it cannot be read";
/// Why a query that locks some rows and reads others cannot be held.
const LOCKS: &str = "it reads other rows than it locks, beside changes that commit at once";
/// Why one that locks several rows cannot be held.
const LOCKS_ROWS: &str = "it locks row after row, beside changes that commit at once";
/// Why one that takes the snapshot which its transaction keeps cannot be held.
const LOCKS_LATE: &str =
    "it takes its snapshot before it locks, beside changes that commit at once";
/// Why a change of several rows cannot be held where it finds none.
const SCANS: &str = "it looks at row after row, beside changes that commit at once";
/// Why one that does not wait for the locks of several rows cannot be held.
const TRIES_ROWS: &str = "it locks row after row, and does not wait for a lock that another holds";
/// Why nothing is proved of a SQLite connection that does not wait as the search has it wait.
const GIVES_UP: &str =
    "after it the connection gives up where another writes, and does not wait for it";
/// Why a statement that asks for locks and sessions cannot be held.
const PEEKS: &str =
    "it asks the server what other sessions do, which they do while a statement runs, too";
/// Why a statement that may commit cannot be followed.
const COMMITS: &str = "it may commit within";

impl Catalog {
    /// How a statement is divided, in this state of its connection.
    pub(in crate::stores::sql) fn division(
        &self,
        reading: &Reading,
        transactions: &TransactionTracker,
    ) -> Division {
        if self.kind() == StoreKind::Sqlite && reading.sets_busy_timeout() {
            return Division::Unheld(GIVES_UP);
        }
        let ends_or_checks =
            matches!(reading.kind, StatementKind::Commits { .. }) || reading.has("constraints");
        if self.defers_code() && ends_or_checks {
            return Division::Unheld(DEFERRED);
        }
        if self.kind() == StoreKind::Sqlite
            || reading.is_frame()
            || reading.kind == StatementKind::Sets
        {
            return Division::Whole;
        }
        let may_commit = match self.kind() {
            StoreKind::Mysql => ["call", "execute"].contains(&reading.verb.as_str()),
            _ => ["call", "execute", "do"].contains(&reading.verb.as_str()),
        };
        if may_commit {
            return Division::Unheld(COMMITS);
        }
        if reading.peeks() {
            return Division::Unheld(PEEKS);
        }
        if reading.tries_locks() {
            let locks_one = reading.verb == "lock" && reading.relations.len() == 1
                || reading.is_locking_query()
                    && reading.queries == 1
                    && self.is_of_one_row(reading);
            return match locks_one {
                true => Division::UnheldBesideCommits(TRIES),
                false => Division::Unheld(TRIES_ROWS),
            };
        }
        let is_unread = reading.unsettles || reading.verb == "explain";
        if reading.kind == StatementKind::Unknown && is_unread {
            return match reading.may_touch_rows() {
                true => Division::Unheld(UNREADABLE),
                // A statement that changes the schema locks what it changes.
                false => Division::Whole,
            };
        }
        let is_one_step = self.changes_one_row(reading);
        if reading.changes_rows() && !is_one_step && !self.were_all_there(reading) {
            return Division::Unheld(MADE_LATER);
        }
        if self.calls_code(reading) && (reading.changes_rows() || !reading.functions.is_empty()) {
            return self.division_of_code(reading, transactions);
        }
        if reading.is_locking_query() {
            return self.division_of_locks(reading, transactions);
        }
        if !reading.changes_rows() {
            return Division::Whole;
        }
        // A row trigger fires too late to hold the statement between the locks of the rows that it reads.
        if self.kind() == StoreKind::Mysql && reading.queries > 0 && transactions.keeps_snapshot() {
            return Division::Unheld(LOCKS_READS);
        }
        // If a snapshot is kept, the server refuses to change a row that has changed since it was taken.
        let may_be_refused = self.kind() == StoreKind::Postgres
            && transactions.keeps_snapshot()
            && transactions.takes_snapshot();
        match is_one_step && !may_be_refused {
            true => Division::Whole,
            // Where it finds no row to change no trigger fires, and a row that it has passed is not locked.
            false
                if self.goes_from_row_to_row(reading, transactions)
                    && self.kind() == StoreKind::Mysql =>
            {
                Division::BeginsAndActsBesideCommits(SCANS)
            }
            false => Division::BeginsAndActs,
        }
    }

    /// A query that locks rows cannot be held between its snapshot and the first lock, nor between two.
    fn division_of_locks(&self, reading: &Reading, transactions: &TransactionTracker) -> Division {
        // If a snapshot is kept, the server refuses to lock a row that has changed since it was taken.
        let may_be_refused = self.kind() == StoreKind::Postgres
            && transactions.keeps_snapshot()
            && transactions.takes_snapshot();
        match () {
            () if may_be_refused => Division::UnheldBesideCommits(LOCKS_LATE),
            () if reading.relations.len() > 1 || reading.queries > 1 => {
                Division::UnheldBesideCommits(LOCKS)
            }
            () if self.goes_from_row_to_row(reading, transactions) => {
                Division::UnheldBesideCommits(LOCKS_ROWS)
            }
            () => Division::Whole,
        }
    }

    /// Which commits of others make a difference to a statement that goes from row to row: one that makes a row match which
    /// it has passed, and one that keeps the next from matching. A change in PostgreSQL finds its rows in its snapshot, after
    /// which it is held: new rows are none of these, and a row that it passes has been kept from matching by one more.
    pub(in crate::stores::sql) fn commits_that_matter(&self, reading: &Reading) -> Matters {
        match self.kind() == StoreKind::Postgres && reading.changes_rows() {
            true => Matters { commits: 3, new_rows: false },
            false => Matters { commits: 2, new_rows: true },
        }
    }

    /// Whether a statement changes or locks one row after the other, and may find each as another commit has left it. Where
    /// a snapshot is kept, PostgreSQL refuses what has changed since, and InnoDB keeps every row locked that it has passed.
    pub(in crate::stores::sql) fn goes_from_row_to_row(
        &self,
        reading: &Reading,
        transactions: &TransactionTracker,
    ) -> bool {
        let acts = match reading.verb.as_str() {
            "update" | "delete" | "merge" => true,
            "with" => reading.changes_rows() || reading.is_locking_query(),
            _ => reading.is_locking_query(),
        };
        acts && self.kind() != StoreKind::Sqlite
            && !self.is_of_one_row(reading)
            && !transactions.surely_keeps_snapshot()
    }

    /// Whether a statement without subqueries names the only row that it changes.
    fn changes_one_row(&self, reading: &Reading) -> bool {
        reading.queries == 0
            && match reading.verb.as_str() {
                "insert" => !reading.has_many_rows,
                "update" | "delete" => self.is_of_one_row(reading),
                _ => false,
            }
    }

    /// Code is held before each change that it makes. So it can be followed if no more than one of its statements reads
    /// between two changes.
    /// One that commits at once shows others what it has written with the last read: nothing holds it in between.
    fn division_of_code(&self, reading: &Reading, transactions: &TransactionTracker) -> Division {
        let texts = self.code_behind(reading);
        let codes: Vec<Code> =
            texts.iter().map(|text| Code::of(self.kind().dialect(), text)).collect();
        let takes_snapshots =
            self.kind() == StoreKind::Postgres && !transactions.surely_keeps_snapshot();
        let commits_at_once = !transactions.is_under_way();
        let shows_both =
            takes_snapshots && commits_at_once && codes.iter().any(|code| code.reads > 0);
        let only_read = codes.iter().filter(|code| code.reads > 0 && code.changes == 0).count();
        // Code that only reads is run for each row, and nothing holds it between two rows.
        let reads_seldom = only_read == 0 || only_read == 1 && self.changes_one_row(reading);
        let can_follow = match self.kind() {
            StoreKind::Postgres => {
                reads_seldom && codes.iter().all(|code| code.reads < 2 && !code.is_dynamic)
            }
            // No source says what a statement inside a routine sees.
            _ => codes.iter().all(|code| code.reads == 0 && !code.is_dynamic),
        };
        match can_follow {
            true if shows_both => Division::BeginsAndActsUnheld(CODE_COMMITS),
            true => Division::BeginsAndActs,
            false => Division::Unheld(CODE),
        }
    }
}

/// What a function or a trigger does, by its words.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    /// Statements that read.
    reads: usize,
    /// Statements that change rows.
    changes: usize,
    /// Whether it builds statements at run time, loops, ends transactions, locks what it reads, or does not wait for a lock.
    is_dynamic: bool,
}

impl Code {
    fn of(dialect: Dialect, text: &str) -> Self {
        let mut code = Self::default();
        let pieces = pieces(dialect, text);
        for statement in pieces.split(|piece| piece.is_sign(";")) {
            let words = || {
                let words = statement.iter().filter(|piece| piece.kind == TokenKind::Word);
                words.map(|piece| piece.text.to_lowercase())
            };
            let has = |names: &[&str]| words().any(|word| names.contains(&word.as_str()));
            let changes = has(&["insert", "update", "delete", "merge"]);
            code.changes += usize::from(changes);
            // An expression of PL/pgSQL may go on like a query.
            let reads = has(&["select", "perform", "fetch", "query", "table"])
                || has(&["from"]) && !has(&["delete"]);
            code.reads += usize::from(reads);
            code.is_dynamic |= reads && has(&["for"]) && has(&["update", "share"]);
            code.is_dynamic |= has(&[
                "execute", "commit", "rollback", "loop", "call", "open", "prepare", "while",
                "repeat", "nowait", "skip",
            ]);
            code.is_dynamic |= words().any(|word| word.contains("try_advisory"));
            code.is_dynamic |= statement.iter().any(|piece| piece.kind == TokenKind::Unreadable);
        }
        code
    }
}

/// Statements that could overlap with others in ways that were not explored.
#[derive(Clone, Debug, Default)]
pub(in crate::stores) struct Overlaps {
    notes: Arc<Mutex<OverlapNotes>>,
    /// How many orders have begun.
    orders: Arc<AtomicU64>,
}

impl Overlaps {
    /// Notes that another order begins.
    pub(in crate::stores::sql) fn begin_order(&self) {
        self.orders.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the order that is under way.
    pub(in crate::stores::sql) fn order(&self) -> u64 {
        self.orders.load(Ordering::Relaxed)
    }

    /// Notes a statement that is about to be sent, and how it is divided.
    pub(in crate::stores::sql) fn note(
        &self,
        division: Division,
        reading: &Reading,
        text: &str,
        touches: &Footprint,
        commits_at_once: bool,
    ) {
        let mut noted = self.notes.lock();
        noted.takes_briefly |= reading.gives_back_locks(commits_at_once);
        if reading.tries_locks_by_name() {
            noted.tries_by_name.insert(text.to_owned());
        }
        if commits_at_once && touches.changes() {
            noted.committed = std::mem::take(&mut noted.committed) | touches;
        }
        match division {
            Division::Unheld(why) | Division::BeginsAndActsUnheld(why) => {
                drop(noted.unheld.insert(text.to_owned(), why.into()))
            }
            Division::UnheldBesideCommits(why) | Division::BeginsAndActsBesideCommits(why) => {
                noted.locking.insert(text.to_owned(), (touches.clone(), why.into()));
            }
            Division::Whole | Division::BeginsAndActs => {}
        }
    }

    /// Notes a statement that goes from row to row, which commits meanwhile matter, and how many other sessions there are.
    pub(in crate::stores::sql) fn note_row_by_row(
        &self,
        text: &str,
        touches: &Footprint,
        matters: Matters,
        others: u32,
    ) {
        let mut noted = self.notes.lock();
        noted.others = noted.others.max(others);
        noted.note_row_by_row(text, touches, matters);
    }

    /// Notes the commits of one session in one order: what each has changed, and whether it has changed rows that were
    /// there before.
    pub(in crate::stores::sql) fn note_commits(&self, commits: &[(Footprint, bool)]) {
        self.notes.lock().note_sequence(commits);
    }

    /// Notes a statement that had to be held inside and was not, with the reason.
    pub(in crate::stores::sql) fn note_unheld(&self, text: &str, why: &'static str) {
        self.notes.lock().unheld.insert(text.to_owned(), why.into());
    }

    /// All that was noted.
    pub(in crate::stores::sql) fn notes(&self) -> OverlapNotes {
        self.notes.lock().clone()
    }

    /// Adds what was noted elsewhere.
    pub(in crate::stores::sql) fn add(&self, notes: OverlapNotes) {
        notes.add_to(&mut self.notes.lock());
    }

    /// Each statement with the reason, as text.
    pub(in crate::stores::sql) fn told(&self) -> Vec<String> {
        self.told_but(|_| false)
    }

    /// The same without these statements, each without its values and in brief.
    pub(in crate::stores::sql) fn told_but(
        &self,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        self.notes.lock().told_but(is_left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::tests::shop;
    use super::super::transactions::StatementOutcome;
    use super::*;
    use crate::domain::isolation::Isolation;

    fn division(kind: StoreKind, text: &str) -> Division {
        let shop = shop(kind, &[]);
        shop.division(&shop.read(text), &TransactionTracker::of(kind, Isolation::ReadCommitted))
    }

    /// A transaction at read committed.
    fn under_way(kind: StoreKind) -> TransactionTracker {
        let mut transactions = TransactionTracker::of(kind, Isolation::ReadCommitted);
        transactions.begins_by_itself();
        transactions
    }

    #[test]
    fn a_statement_that_reads_only_the_row_that_it_writes_is_one_step() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            for text in [
                "UPDATE product SET stock = stock - 1 WHERE id = :item AND stock > 0",
                "INSERT INTO voucher VALUES (:buyer)",
                "DELETE FROM product WHERE id = 1",
                "SELECT stock FROM product",
                "SELECT stock FROM product WHERE id = 1 FOR UPDATE",
            ] {
                assert_eq!(division(kind, text), Division::Whole, "{kind}: {text}");
            }
        }
    }

    #[test]
    fn a_statement_that_reads_anything_else_begins_and_acts() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            for text in [
                "INSERT INTO voucher SELECT 1 WHERE (SELECT count(*) FROM voucher) < 1",
                "UPDATE product SET stock = (SELECT max(stock) + 1 FROM product) WHERE id = 1",
                "UPDATE product SET stock = 0 WHERE stock > 0",
                "UPDATE product SET stock = 0",
                "UPDATE voucher SET used = 1 WHERE id = 1",
                "INSERT INTO voucher VALUES (1), (2)",
                "WITH n AS (SELECT 1) UPDATE product SET stock = 0",
            ] {
                assert!(division(kind, text).begins_and_acts(), "{kind}: {text}");
            }
        }
        let sqlite = division(StoreKind::Sqlite, "UPDATE product SET stock = 0");
        assert_eq!(sqlite, Division::Whole);
    }

    #[test]
    fn in_innodb_a_change_with_a_query_locks_what_it_reads_from_repeatable_read_on() {
        let shop = shop(StoreKind::Mysql, &[]);
        let text = "UPDATE product SET stock = (SELECT max(used) FROM voucher) WHERE id = 1";
        let mut transactions = TransactionTracker::of(StoreKind::Mysql, Isolation::RepeatableRead);
        transactions.begins_by_itself();
        assert_eq!(shop.division(&shop.read(text), &transactions), Division::Unheld(LOCKS_READS));
    }

    #[test]
    fn code_that_reads_once_can_be_followed_and_code_that_reads_twice_cannot() {
        let with = |body| {
            let more = [["code", "on_insert", ""], ["function", "count_rows", body]];
            let shop = shop(StoreKind::Postgres, &more);
            shop.division(&shop.read("INSERT INTO voucher VALUES (1)"), &under_way(shop.kind()))
        };
        let once = "BEGIN SELECT n INTO c FROM t; UPDATE t SET n = c + 1; END";
        assert_eq!(with(once), Division::BeginsAndActs);
        let twice = "BEGIN SELECT n INTO c FROM t; SELECT m INTO d FROM t; UPDATE t SET n = 1; END";
        assert_eq!(with(twice), Division::Unheld(CODE));
        assert_eq!(with("BEGIN EXECUTE 'SELECT 1'; END"), Division::Unheld(CODE));
        let only = "BEGIN PERFORM 1 FROM t; RETURN NEW; END";
        assert_eq!(with(only), Division::BeginsAndActs);
        let more = [["code", "on_insert", ""], ["function", "look", only]];
        let shop = shop(StoreKind::Postgres, &more);
        let two_rows = shop.read("INSERT INTO voucher VALUES (1), (2)");
        let transactions = under_way(shop.kind());
        assert_eq!(shop.division(&two_rows, &transactions), Division::Unheld(CODE));
        let assigns =
            "BEGIN a := v FROM t WHERE id = 1; b := v FROM t WHERE id = 2; RETURN NEW; END";
        assert_eq!(with(assigns), Division::Unheld(CODE));
        let locks = "BEGIN SELECT n INTO c FROM t ORDER BY n LIMIT 1 FOR UPDATE; END";
        assert_eq!(with(locks), Division::Unheld(CODE));
    }

    #[test]
    fn code_that_reads_cannot_be_followed_where_its_statement_commits_at_once() {
        let looks =
            "BEGIN IF (SELECT count(*) FROM t) > 0 THEN RAISE 'full'; END IF; RETURN NEW; END";
        let more = [["code", "on_insert", ""], ["function", "look", looks]];
        let shop = shop(StoreKind::Postgres, &more);
        let insert = shop.read("INSERT INTO voucher VALUES (1)");
        let of =
            |level| shop.division(&insert, &TransactionTracker::of(StoreKind::Postgres, level));
        assert_eq!(of(Isolation::ReadCommitted), Division::BeginsAndActsUnheld(CODE_COMMITS));
        assert_eq!(of(Isolation::RepeatableRead), Division::BeginsAndActs);
        let in_transaction = shop.division(&insert, &under_way(StoreKind::Postgres));
        assert_eq!(in_transaction, Division::BeginsAndActs);
    }

    #[test]
    fn a_commit_that_runs_deferred_triggers_cannot_be_followed() {
        let more = [["code", "check_late", ""], ["deferred", "check_late", ""]];
        let shop = shop(StoreKind::Postgres, &more);
        let of = |text| shop.division(&shop.read(text), &under_way(StoreKind::Postgres));
        assert_eq!(of("COMMIT"), Division::Unheld(DEFERRED));
        assert_eq!(of("SET CONSTRAINTS ALL IMMEDIATE"), Division::Unheld(DEFERRED));
        assert_eq!(of("ROLLBACK"), Division::Whole);
    }

    #[test]
    fn a_query_that_locks_several_rows_or_takes_the_snapshot_that_is_kept_is_named_beside_commits()
    {
        let one = "SELECT stock FROM product WHERE id = 1 FOR UPDATE";
        let several = "SELECT id FROM product WHERE stock > 0 ORDER BY stock LIMIT 1 FOR UPDATE";
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            assert_eq!(division(kind, one), Division::Whole);
            assert_eq!(division(kind, several), Division::UnheldBesideCommits(LOCKS_ROWS));
        }
        for level in [Isolation::RepeatableRead, Isolation::Serializable] {
            let of = |kind, text| {
                let shop = shop(kind, &[]);
                let mut transactions = TransactionTracker::of(kind, level);
                transactions.begins_by_itself();
                shop.division(&shop.read(text), &transactions)
            };
            let late = Division::UnheldBesideCommits(LOCKS_LATE);
            assert_eq!(of(StoreKind::Postgres, one), late);
            assert_eq!(of(StoreKind::Mysql, one), Division::Whole);
            assert_eq!(of(StoreKind::Mysql, several), Division::Whole);
        }
    }

    #[test]
    fn what_goes_from_row_to_row_is_named_where_others_may_commit_twice_what_it_touches() {
        let shop = shop(StoreKind::Postgres, &[]);
        let touches = |text| shop.effect(&shop.read(text)).touches;
        let locks = touches("SELECT id FROM product WHERE stock > 0 FOR UPDATE");
        let [sold, used] =
            ["UPDATE product SET stock = 0", "UPDATE voucher SET used = 1"].map(touches);
        let told = |text, others, commits: &[(&Footprint, bool)]| {
            let overlaps = Overlaps::default();
            let matters = shop.commits_that_matter(&shop.read(text));
            overlaps.note_row_by_row(text, &locks, matters, others);
            let commits = commits.iter().map(|(commit, changes)| ((*commit).clone(), *changes));
            overlaps.note_commits(&commits.collect::<Vec<_>>());
            overlaps.told().len()
        };
        let query = "SELECT id FROM product WHERE stock > 0 FOR UPDATE";
        assert_eq!(told(query, 1, &[(&sold, true)]), 0);
        assert_eq!(told(query, 1, &[(&sold, true), (&used, true)]), 0);
        assert_eq!(told(query, 1, &[(&sold, true), (&used, true), (&sold, false)]), 1);
        assert_eq!(told(query, 2, &[(&sold, true)]), 1);
        assert_eq!(told(query, 2, &[(&used, true)]), 0);
        let change = "UPDATE product SET stock = 0 WHERE stock > 0";
        assert_eq!(told(change, 2, &[(&sold, true)]), 0);
        assert_eq!(told(change, 1, &[(&sold, true), (&sold, true), (&sold, false)]), 0);
        assert_eq!(told(change, 1, &[(&sold, true); 3]), 1);
    }

    #[test]
    fn in_innodb_a_change_of_several_rows_is_held_and_named_beside_commits() {
        let change = division(StoreKind::Mysql, "UPDATE product SET stock = 0 WHERE stock > 0");
        assert_eq!(change, Division::BeginsAndActsBesideCommits(SCANS));
        assert!(change.begins_and_acts());
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let call = division(StoreKind::Postgres, "CALL buy(1)");
        assert_eq!(call, Division::Unheld(COMMITS));
        let locks = "SELECT stock, (SELECT count(*) FROM voucher) FROM product FOR UPDATE";
        let locking = division(StoreKind::Postgres, locks);
        assert_eq!(locking, Division::UnheldBesideCommits(LOCKS));
        let shop = shop(StoreKind::Postgres, &[]);
        let touches = |text| shop.effect(&shop.read(text)).touches;
        let overlaps = Overlaps::default();
        overlaps.note(locking, &shop.read(locks), locks, &touches(locks), false);
        assert_eq!(overlaps.told(), Vec::<String>::new());
        let change = "UPDATE product SET stock = 0";
        overlaps.note(Division::Whole, &shop.read(change), change, &touches(change), true);
        assert_eq!(overlaps.told().len(), 1);
    }

    #[test]
    fn who_does_not_wait_for_a_lock_may_find_another_in_the_middle_of_a_statement() {
        for (kind, text, expected) in [
            (
                StoreKind::Postgres,
                "SELECT stock FROM product WHERE id = 1 FOR UPDATE NOWAIT",
                Division::UnheldBesideCommits(TRIES),
            ),
            (
                StoreKind::Mysql,
                "SELECT stock FROM product WHERE id = 1 FOR UPDATE WAIT 0",
                Division::UnheldBesideCommits(TRIES),
            ),
            (
                StoreKind::Postgres,
                "LOCK TABLE product IN EXCLUSIVE MODE NOWAIT",
                Division::UnheldBesideCommits(TRIES),
            ),
            (
                StoreKind::Mysql,
                "SELECT id FROM product WHERE stock > 0 LIMIT 1 FOR UPDATE SKIP LOCKED",
                Division::Unheld(TRIES_ROWS),
            ),
            (
                StoreKind::Postgres,
                "DELETE FROM product WHERE id = (SELECT id FROM product LIMIT 1 FOR UPDATE SKIP LOCKED)",
                Division::Unheld(TRIES_ROWS),
            ),
            (
                StoreKind::Postgres,
                "LOCK TABLE product, voucher IN EXCLUSIVE MODE NOWAIT",
                Division::Unheld(TRIES_ROWS),
            ),
            (StoreKind::Postgres, "SELECT count(*) FROM pg_locks", Division::Unheld(PEEKS)),
            (StoreKind::Sqlite, "PRAGMA busy_timeout = 0", Division::Unheld(GIVES_UP)),
        ] {
            assert_eq!(division(kind, text), expected, "{kind}: {text}");
        }
    }

    #[test]
    fn a_try_of_a_rows_lock_is_named_beside_an_insert_that_refers_to_the_row() {
        let shop = shop(StoreKind::Postgres, &[]);
        let overlaps = Overlaps::default();
        let tries = "SELECT stock FROM product WHERE id = 1 FOR UPDATE NOWAIT";
        let refers = "INSERT INTO \"order\" VALUES (1)";
        for (text, commits_at_once) in [(tries, false), (refers, true)] {
            let reading = shop.read(text);
            let division = shop.division(
                &reading,
                &TransactionTracker::of(StoreKind::Postgres, Isolation::ReadCommitted),
            );
            overlaps.note(
                division,
                &reading,
                text,
                &shop.effect(&reading).touches,
                commits_at_once,
            );
        }
        assert_eq!(overlaps.told().len(), 1);
    }

    #[test]
    fn a_try_of_a_lock_by_name_is_named_if_a_statement_takes_one_and_gives_it_back() {
        let shop = shop(StoreKind::Postgres, &[]);
        let told = |texts: [&str; 2], commits_at_once| {
            let overlaps = Overlaps::default();
            for text in texts {
                let reading = shop.read(text);
                let touches = &shop.effect(&reading).touches;
                overlaps.note(Division::Whole, &reading, text, touches, commits_at_once);
            }
            overlaps.told().len()
        };
        let tries = "SELECT pg_try_advisory_lock(1)";
        assert_eq!(told([tries, "SELECT pg_advisory_unlock(1)"], true), 0);
        assert_eq!(told([tries, "SELECT pg_advisory_xact_lock(1)"], false), 0);
        assert_eq!(told([tries, "SELECT pg_advisory_xact_lock(1)"], true), 1);
        assert_eq!(told(["SELECT pg_try_advisory_xact_lock(1)", "SELECT 1"], true), 1);
        let both = "SELECT pg_advisory_lock(1), pg_advisory_unlock(1)";
        assert_eq!(told([tries, both], true), 1);
    }

    #[test]
    fn what_cannot_be_read_may_be_anything_but_a_table_that_is_made_is_one_step() {
        for (text, expected) in [
            ("EXPLAIN ANALYZE UPDATE product SET stock = 0", Division::Unheld(UNREADABLE)),
            ("SELECT 1; DELETE FROM product", Division::Unheld(UNREADABLE)),
            ("INSERT INTO U&\"\\0070roduct\" VALUES (1)", Division::Unheld(UNREADABLE)),
            ("CREATE TEMPORARY TABLE cart (id INT)", Division::Whole),
        ] {
            assert_eq!(division(StoreKind::Postgres, text), expected, "{text}");
        }
    }

    #[test]
    fn a_table_that_a_step_has_made_has_no_triggers_and_one_behind_a_view_has() {
        for kind in [StoreKind::Postgres, StoreKind::Mysql] {
            let shop = shop(kind, &[["view", "on_sale", "unheard_of"]]);
            let of = |text| {
                shop.division(
                    &shop.read(text),
                    &TransactionTracker::of(kind, Isolation::ReadCommitted),
                )
            };
            for text in [
                "INSERT INTO made SELECT 1 WHERE (SELECT count(*) FROM made) < 1",
                "UPDATE made SET n = n + 1",
                "UPDATE product SET stock = (SELECT max(n) FROM made) WHERE id = 1",
            ] {
                assert_eq!(of(text), Division::Unheld(MADE_LATER), "{kind}: {text}");
            }
            assert!(of("UPDATE on_sale SET stock = 0").begins_and_acts());
            assert_eq!(of("INSERT INTO made VALUES (1)"), Division::Whole);
        }
    }

    #[test]
    fn where_a_snapshot_is_kept_the_first_change_begins_and_acts() {
        let shop = shop(StoreKind::Postgres, &[]);
        let change = shop.read("UPDATE product SET stock = 0 WHERE id = 1");
        let mut transactions =
            TransactionTracker::of(StoreKind::Postgres, Isolation::RepeatableRead);
        transactions.begins_by_itself();
        assert_eq!(shop.division(&change, &transactions), Division::BeginsAndActs);
        let look = shop.read("SELECT 1 FROM product");
        transactions.note(
            transactions.frame(&look),
            &look,
            &shop.effect(&look),
            StatementOutcome::Done,
        );
        assert_eq!(shop.division(&change, &transactions), Division::Whole);
    }
}
