//! What a statement does, read from its tokens. What is not understood is said to be unknown; it then counts as
//! touching everything.

use super::relations::relations;
use super::rows::{has_many_rows, may_be_misread, pins};
use super::savepoint::SavepointDeed;
use super::settings::{UNSETTLING, sets_what_is_assumed};
use super::tokens::{Token, functions, has_escaped_name, names, tokens};
use crate::base::text::sql::{Dialect, TokenKind};
use crate::domain::isolation::Isolation;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum StatementKind {
    /// It only reads, and blocks no other session.
    Looks,
    /// It may change rows, or lock them.
    Changes,
    /// It begins a transaction, at this level if it names one.
    Begins(Option<Isolation>),
    /// It begins a transaction that holds the write lock from the start (SQLite).
    BeginsLocking,
    /// It begins a transaction that takes its snapshot at once (MySQL, `WITH CONSISTENT SNAPSHOT`).
    BeginsLooking,
    /// It commits a transaction; whether the next one begins at once (`AND CHAIN`).
    Commits { chains: bool },
    /// It rolls a transaction back; whether the next one begins at once.
    RollsBack { chains: bool },
    /// It is about the session or the transaction alone: `SAVEPOINT`, `ROLLBACK TO`, `SET`.
    Sets,
    /// It is not known what it does.
    Unknown,
}

/// What was read in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) struct Reading {
    pub(in crate::stores::sql) kind: StatementKind,
    /// The first word, in small letters.
    pub(super) verb: String,
    /// Every word, every name, and what stands in quotes and could be a name: in small letters, without quotes.
    pub(super) words: Vec<String>,
    /// Names that stand where a table must.
    pub(super) relations: Vec<String>,
    /// Names in front of a bracket: functions, and some that are none.
    pub(super) functions: Vec<String>,
    /// How many queries stand in it, subqueries included.
    pub(super) queries: usize,
    /// Columns that its `WHERE` compares with a value, where nothing but `AND` joins the conditions.
    pub(super) pins: Vec<String>,
    /// Whether it compares two values, so that a condition may hold of no row, or of all, whatever rows there are.
    compares_values: bool,
    /// Isolation level that it names.
    pub(in crate::stores::sql) level: Option<Isolation>,
    /// What it does with a savepoint.
    pub(super) savepoint: Option<SavepointDeed>,
    /// Whether it has parameters, whose values are not in its text.
    has_placeholders: bool,
    /// Whether it lists the values of more than one row.
    pub(super) has_many_rows: bool,
    /// Whether what later statements on the session do can no longer be read from their words.
    pub(in crate::stores::sql) unsettles: bool,
}

/// Functions that lock, wait, or change something other than rows.
const ACTING: [&str; 18] = [
    "advisory",
    "get_lock",
    "release_lock",
    "release_all_locks",
    "is_free_lock",
    "is_used_lock",
    "nextval",
    "setval",
    "lastval",
    "sleep",
    "benchmark",
    "load_extension",
    // Those that read tables which no word names.
    "to_xml",
    "ts_stat",
    "ts_rewrite",
    "crosstab",
    "connectby",
    "dblink",
];

/// Relations that only describe the schema.
const OF_THE_CATALOGUE: [&str; 26] = [
    "dual",
    "pg_type",
    "pg_class",
    "pg_namespace",
    "pg_attribute",
    "pg_attrdef",
    "pg_index",
    "pg_constraint",
    "pg_enum",
    "pg_range",
    "pg_proc",
    "pg_settings",
    "pg_database",
    "pg_roles",
    "pg_extension",
    "pg_description",
    "pg_collation",
    "pg_am",
    "pg_tables",
    "sqlite_master",
    "sqlite_schema",
    "schemata",
    "columns",
    "statistics",
    "key_column_usage",
    "table_constraints",
];

/// Relations and functions that show which locks there are and what sessions do.
const OF_SESSIONS: [&str; 10] = [
    // Which transaction has locked or changed a row, committed or not.
    "xmax",
    "pg_locks",
    "pg_stat_activity",
    "pg_blocking_pids",
    "metadata_lock_info",
    "data_locks",
    "processlist",
    "innodb_trx",
    "innodb_locks",
    "innodb_lock_waits",
];

impl Reading {
    /// The reading of one of our statements that is known to begin or end a transaction.
    pub(in crate::stores::sql) fn of_frame(kind: StatementKind) -> Self {
        Self { kind, unsettles: false, ..Self::of(Dialect::Postgres, "") }
    }

    /// Reads a statement.
    pub(in crate::stores::sql) fn of(dialect: Dialect, text: &str) -> Self {
        let tokens = tokens(dialect, text);
        let verb = tokens.first().map_or(String::new(), |token| token.word.clone());
        let words = names(&tokens).map(str::to_owned).collect();
        let mut reading = Self {
            kind: StatementKind::Unknown,
            verb,
            words,
            relations: Vec::new(),
            functions: functions(&tokens),
            queries: tokens.iter().filter(|t| t.is(&["select", "table"])).count(),
            pins: match may_be_misread(dialect, text) {
                true => Vec::new(),
                false => pins(&tokens),
            },
            compares_values: compares_values(&tokens),
            level: None,
            savepoint: SavepointDeed::of(dialect, text, &tokens),
            has_placeholders: tokens
                .iter()
                .any(|token| matches!(token.kind, TokenKind::Placeholder | TokenKind::Parameter)),
            has_many_rows: has_many_rows(&tokens),
            unsettles: false,
        };
        let is_readable = tokens.iter().all(|token| token.kind != TokenKind::Unreadable);
        let is_one = !tokens.iter().any(|token| token.is_sign(";"));
        if !is_readable || !is_one || has_escaped_name(&tokens) {
            reading.unsettles = true;
            return reading;
        }
        reading.level = levels(&reading.words).first().copied();
        reading.relations = relations(&tokens);
        // MySQL tells `a` from `A`.
        if dialect == Dialect::Mysql && reading.relations.len() > 1 {
            reading.pins.clear();
        }
        // PostgreSQL takes `row.name` for `name(row)` if there is no such column.
        if dialect == Dialect::Postgres {
            let behind_dots = tokens.windows(2).filter(|pair| pair[0].is_sign("."));
            reading.functions.extend(behind_dots.map(|pair| pair[1].word.clone()));
        }
        reading.kind = reading.deed_in(dialect);
        reading.unsettles = reading.does_unsettle(dialect) && !sets_what_is_assumed(&tokens);
        reading
    }

    /// Whether it leaves every row that was there before as it was, if it runs no code.
    pub(in crate::stores::sql) fn changes_no_old_row(&self) -> bool {
        let is_insert = self.verb == "insert" && !self.has("update");
        is_insert
            || self.is_frame()
            || matches!(self.kind, StatementKind::Looks | StatementKind::Sets)
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    fn has_phrase(&self, words: &[&str]) -> bool {
        self.words.windows(words.len()).any(|window| window == words)
    }

    fn deed_in(&self, dialect: Dialect) -> StatementKind {
        let chains = self.has_phrase(&["and", "chain"]);
        match self.verb.as_str() {
            "begin" | "start" if self.has_phrase(&["consistent", "snapshot"]) => {
                StatementKind::BeginsLooking
            }
            "begin" | "start"
                if dialect == Dialect::Sqlite
                    && (self.has("immediate") || self.has("exclusive")) =>
            {
                StatementKind::BeginsLocking
            }
            "begin" => StatementKind::Begins(self.level),
            "start" if self.has("transaction") => StatementKind::Begins(self.level),
            "commit" | "end" if !self.has("prepared") => StatementKind::Commits { chains },
            "savepoint" | "release" | "rollback" if self.savepoint.is_some() => StatementKind::Sets,
            "savepoint" | "release" => StatementKind::Unknown,
            "rollback" if self.has("to") || self.has("prepared") => StatementKind::Unknown,
            "rollback" | "abort" => StatementKind::RollsBack { chains },
            "set" => self.setting(dialect),
            // MySQL's `DO` is a query whose answer is thrown away.
            "do" if dialect == Dialect::Mysql => match self.acts() {
                true => StatementKind::Unknown,
                false => StatementKind::Looks,
            },
            "select" | "with" | "values" | "table" => {
                let changes = ["insert", "update", "delete", "merge", "into", "for", "lock"];
                match () {
                    () if self.acts() => StatementKind::Unknown,
                    () if changes.into_iter().any(|word| self.has(word)) => StatementKind::Changes,
                    () => StatementKind::Looks,
                }
            }
            "insert" | "update" | "delete" | "replace" | "merge" if self.acts() => {
                StatementKind::Unknown
            }
            "insert" | "update" | "delete" | "replace" | "merge" => StatementKind::Changes,
            // MySQL's `LOCK TABLES` ends the transaction.
            "lock" if dialect == Dialect::Postgres => StatementKind::Changes,
            _ => StatementKind::Unknown,
        }
    }

    /// What a `SET` does. One that affects other sessions, too, or that acts at once, is unknown.
    fn setting(&self, dialect: Dialect) -> StatementKind {
        let acts_at_once = ["constraints", "snapshot", "password", "global", "persist", "default"];
        match () {
            () if acts_at_once.into_iter().any(|word| self.has(word)) || self.acts() => {
                StatementKind::Unknown
            }
            // A session's variable is given what a query finds.
            () if dialect == Dialect::Mysql && self.queries > 0 => match self.has("for") {
                true => StatementKind::Changes,
                false => StatementKind::Looks,
            },
            () if dialect == Dialect::Mysql && !self.functions.is_empty() => StatementKind::Unknown,
            () => StatementKind::Sets,
        }
    }

    /// Whether it calls a function that does more than compute.
    fn acts(&self) -> bool {
        self.functions.iter().any(|name| ACTING.iter().any(|acting| name.contains(acting)))
    }

    /// Whether a setting that it names, or may name, changes what later statements mean.
    fn sets_what_matters(&self) -> bool {
        let names = |name: &str| self.words.iter().any(|word| is_setting(word, name));
        let is_about_level = self.words.iter().any(|word| word.contains("isolation"));
        self.has_placeholders || is_about_level || UNSETTLING.into_iter().any(names)
    }

    /// Whether it names one isolation level, and what it sets is called so.
    pub(super) fn is_about_one_level(&self) -> bool {
        levels(&self.words).len() == 1 && self.words.iter().any(|word| word.contains("isolation"))
    }

    fn does_unsettle(&self, dialect: Dialect) -> bool {
        match self.verb.as_str() {
            // Changes that are not committed yet are seen.
            _ if dialect == Dialect::Mysql && self.names_read_uncommitted() => true,
            // MariaDB's `SET STATEMENT … FOR` runs a statement; a password is set by a transaction of its own.
            "set"
                if self
                    .words
                    .get(1)
                    .is_some_and(|word| word == "statement" || word == "password") =>
            {
                true
            }
            "set" => {
                let says_level = self.level.is_some();
                let is_about_level = self.words.iter().any(|word| word.contains("isolation"));
                UNSETTLING
                    .into_iter()
                    .any(|name| self.words.iter().any(|word| is_setting(word, name)))
                    || is_about_level && !says_level
            }
            // A savepoint that is not known by its name.
            "savepoint" | "release" if self.savepoint.is_none() => true,
            "rollback" if self.savepoint.is_some() => false,
            "commit" | "rollback" | "end" | "abort" => {
                self.has("prepared")
                    || self.has("to")
                    || self.has("release") && !self.has("savepoint") && dialect == Dialect::Mysql
            }
            "begin" | "start" | "savepoint" | "release" | "select" | "with" | "values"
            | "table" | "insert" | "update" | "delete" | "replace" | "merge" => {
                self.functions.iter().any(|name| name == "set_config") && self.sets_what_matters()
            }
            "lock" => dialect != Dialect::Postgres,
            "do" => dialect != Dialect::Mysql,
            // MySQL commits first.
            "analyze" => dialect == Dialect::Mysql,
            "show" | "explain" | "notify" | "listen" | "unlisten" => false,
            _ => true,
        }
    }

    fn names_read_uncommitted(&self) -> bool {
        self.words.join(" ").replace('-', " ").contains("read uncommitted")
    }

    /// Whether every name that stands where a table must is a known table or, if the statement only reads, a relation
    /// that describes the schema.
    pub(super) fn knows_relations(&self, is_known: impl Fn(&str) -> bool) -> bool {
        let is_catalogue =
            |name: &str| OF_THE_CATALOGUE.contains(&name) && self.kind == StatementKind::Looks;
        self.relations.iter().all(|name| is_known(name) || is_catalogue(name))
    }

    /// Whether the server may answer it without a look at any row of a user's table: it names none, or takes no row, or has a
    /// condition that no row decides.
    pub(super) fn may_read_no_row(&self) -> bool {
        let takes_none = ["limit", "fetch", "null", "true", "false"];
        let is_pinned_twice =
            (1..self.pins.len()).any(|at| self.pins[..at].contains(&self.pins[at]));
        self.relations.iter().all(|name| OF_THE_CATALOGUE.contains(&name.as_str()))
            || takes_none.into_iter().any(|word| self.has(word))
            || self.compares_values
            || is_pinned_twice
    }

    /// Whether it begins or ends a transaction.
    pub(in crate::stores::sql) fn is_frame(&self) -> bool {
        matches!(
            self.kind,
            StatementKind::Begins(_)
                | StatementKind::BeginsLocking
                | StatementKind::BeginsLooking
                | StatementKind::Commits { .. }
                | StatementKind::RollsBack { .. }
        )
    }

    /// Whether rows may be read or changed by it, as far as any word tells.
    pub(super) fn may_touch_rows(&self) -> bool {
        ["select", "insert", "update", "delete", "merge", "replace", "copy"]
            .into_iter()
            .any(|word| self.has(word))
    }

    /// Whether it does not wait for locks of rows or tables that another session holds.
    pub(super) fn tries_locks(&self) -> bool {
        let may_lock = ["for", "lock", "share"].into_iter().any(|word| self.has(word));
        self.has("nowait")
            || self.has_phrase(&["skip", "locked"])
            // MariaDB: `FOR UPDATE WAIT 0`.
            || self.has("wait") && may_lock
    }

    /// Whether it checks if a lock by name is free.
    pub(super) fn tries_locks_by_name(&self) -> bool {
        let tries = ["try_advisory", "get_lock", "is_free_lock", "is_used_lock"];
        self.functions.iter().any(|name| tries.iter().any(|part| name.contains(part)))
    }

    /// Whether it takes a lock by name and gives it back before it ends.
    pub(super) fn gives_back_locks(&self, commits_at_once: bool) -> bool {
        let calls = |part: &str| self.functions.iter().any(|name| name.contains(part));
        let gives_back = calls("advisory_unlock") || calls("release_");
        commits_at_once && calls("advisory_xact_lock")
            || gives_back && (calls("advisory_lock") || calls("get_lock"))
    }

    /// SQLite: whether it sets how long the connection waits for another that writes.
    pub(super) fn sets_busy_timeout(&self) -> bool {
        self.verb == "pragma" && self.has("busy_timeout")
    }

    /// Whether it asks the server for its locks or sessions.
    pub(super) fn peeks(&self) -> bool {
        OF_SESSIONS.into_iter().any(|name| self.has(name))
    }

    /// Whether it changes rows by its own words.
    pub(super) fn changes_rows(&self) -> bool {
        let is_change = |at: usize| {
            let is_verb = ["insert", "update", "delete", "merge", "replace"]
                .contains(&self.words[at].as_str());
            // `FOR UPDATE`, `FOR NO KEY UPDATE` lock only.
            is_verb && !(at > 0 && ["for", "key"].contains(&self.words[at - 1].as_str()))
        };
        match self.verb.as_str() {
            "insert" | "update" | "delete" | "merge" | "replace" => true,
            "with" => (0..self.words.len()).any(is_change),
            "select" => self.has("into"),
            _ => false,
        }
    }

    /// Whether it is a query that locks rows.
    pub(super) fn is_locking_query(&self) -> bool {
        matches!(self.verb.as_str(), "select" | "with" | "table")
            && self.kind == StatementKind::Changes
            && !self.changes_rows()
    }
}

/// Whether two values stand on both sides of a sign.
fn compares_values(tokens: &[Token]) -> bool {
    let is_value = |token: &Token| {
        use TokenKind::{Number, Parameter, Placeholder, Text};
        matches!(token.kind, Number | Parameter | Placeholder | Text)
    };
    let is_sign = |token: &Token| token.kind == TokenKind::Sign && token.word != ",";
    let compares = |at: usize| {
        let signs = tokens[at + 1..].iter().take_while(|token| is_sign(token)).count();
        let other = tokens.get(at + 1 + signs);
        is_value(&tokens[at]) && signs > 0 && other.is_some_and(is_value)
    };
    (0..tokens.len()).any(compares)
}

/// Whether a word names a setting, whatever stands before it (`@@session.sql_mode`).
fn is_setting(word: &str, name: &str) -> bool {
    word.trim_start_matches('@').rsplit('.').next() == Some(name)
}

/// The isolation levels among words, the highest first.
fn levels(words: &[String]) -> Vec<Isolation> {
    let all = words.join(" ").replace('-', " ");
    let is_named = |level: &Isolation| all.contains(&level.name().replace('-', " "));
    let mut named: Vec<Isolation> = Isolation::ALL.into_iter().rev().filter(is_named).collect();
    // Read uncommitted counts as read committed.
    if all.contains("read uncommitted") {
        named.push(Isolation::ReadCommitted);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> Reading {
        Reading::of(Dialect::Postgres, text)
    }

    fn mysql(text: &str) -> Reading {
        Reading::of(Dialect::Mysql, text)
    }

    #[test]
    fn a_level_is_taken_from_the_statement_that_names_it() {
        let serializable = Some(Isolation::Serializable);
        assert_eq!(
            postgres("BEGIN ISOLATION LEVEL  Serializable").kind,
            StatementKind::Begins(serializable)
        );
        assert_eq!(postgres("begin").kind, StatementKind::Begins(None));
        assert_eq!(
            postgres("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").level,
            Some(Isolation::RepeatableRead)
        );
        assert_eq!(
            mysql("SET @@tx_isolation = 'REPEATABLE-READ'").level,
            Some(Isolation::RepeatableRead)
        );
    }

    #[test]
    fn where_a_transaction_ends_is_read_from_its_words() {
        assert_eq!(postgres("/* so */ COMMIT").kind, StatementKind::Commits { chains: false });
        assert_eq!(postgres("COMMIT AND CHAIN").kind, StatementKind::Commits { chains: true });
        assert_eq!(postgres("COMMIT AND NO CHAIN").kind, StatementKind::Commits { chains: false });
        assert_eq!(postgres("ROLLBACK TO SAVEPOINT a").kind, StatementKind::Sets);
        for unclear in ["SAVEPOINT \"A\"", "ROLLBACK TO SAVEPOINT \"A\"", "RELEASE :name"] {
            let reading = postgres(unclear);
            assert_eq!((reading.kind, reading.unsettles), (StatementKind::Unknown, true));
        }
        assert_eq!(
            mysql("START TRANSACTION WITH CONSISTENT SNAPSHOT").kind,
            StatementKind::BeginsLooking
        );
        assert_eq!(
            Reading::of(Dialect::Sqlite, "BEGIN IMMEDIATE").kind,
            StatementKind::BeginsLocking
        );
    }

    #[test]
    fn what_begins_or_ends_a_transaction_of_ours_unsettles_nothing() {
        for kind in [StatementKind::Begins(None), StatementKind::Commits { chains: false }] {
            assert!(!Reading::of_frame(kind).unsettles);
        }
    }

    #[test]
    fn a_setting_is_of_the_session_alone_unless_it_finds_something_or_reaches_further() {
        assert_eq!(postgres("SET LOCAL lock_timeout = '10s'").kind, StatementKind::Sets);
        assert_eq!(postgres("SET CONSTRAINTS ALL IMMEDIATE").kind, StatementKind::Unknown);
        assert_eq!(mysql("SET @s = (SELECT stock FROM product)").kind, StatementKind::Looks);
        assert_eq!(mysql("SET @s = f(1)").kind, StatementKind::Unknown);
        assert_eq!(mysql("SET @s = 1").kind, StatementKind::Sets);
        for text in [
            "SET autocommit = 0",
            "SET sql_mode = 'ANSI'",
            "SET @@session.sql_mode = ''",
            "CALL buy(1)",
        ] {
            assert!(mysql(text).unsettles, "{text}");
        }
        for text in [
            "SET search_path = other",
            "SET ROLE clerk",
            "DO $$ BEGIN END $$",
            "PREPARE p AS SELECT 1",
        ] {
            assert!(postgres(text).unsettles, "{text}");
        }
        assert!(!postgres("SELECT set_config('TimeZone', 'UTC', false)").unsettles);
        for text in
            ["SELECT set_config('search_path', 'x', false)", "SELECT set_config($1, $2, false)"]
        {
            assert!(postgres(text).unsettles, "{text}");
        }
        assert!(!postgres("SET LOCAL lock_timeout = '10s'").unsettles);
        assert!(!mysql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").unsettles);
    }

    #[test]
    fn a_name_behind_a_dot_may_be_a_function_of_postgresql() {
        for text in ["SELECT r.booked FROM room r", "SELECT (r).booked FROM room r"] {
            assert!(postgres(text).functions.contains(&"booked".to_owned()), "{text}");
        }
    }

    #[test]
    fn functions_that_read_what_no_word_names_make_a_statement_unknown() {
        for text in ["SELECT table_to_xml('t', true, true, '')", "SELECT * FROM crosstab('q')"] {
            assert_eq!(postgres(text).kind, StatementKind::Unknown, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for text in ["SELECT 'it", "SELECT 1; SELECT 2", "SELECT * FROM U&\"st\\006fck\"", "VACUUM"]
        {
            assert_eq!(postgres(text).kind, StatementKind::Unknown, "{text}");
        }
        assert_eq!(mysql("SELECT 1 /*M! FROM t */").kind, StatementKind::Unknown);
        assert_eq!(postgres("SELECT pg_advisory_xact_lock(1)").kind, StatementKind::Unknown);
    }

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        let long = "a".repeat(70);
        assert_eq!(postgres(&format!("SELECT 1 FROM {long}")).relations, ["a".repeat(63)]);
    }
}
