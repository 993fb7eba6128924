//! What a statement does, read from its tokens. What is not understood is said to be unknown; it then counts as
//! touching everything.

use crate::stores::model::Isolation;
use crate::text::sql::{Dialect, Kind, Piece, pieces};

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) enum Deed {
    /// It reads, and keeps no other session from anything.
    Looks,
    /// It may change rows, or lock them.
    Changes,
    /// It begins a transaction, at this level if it names one.
    Begins(Option<Isolation>),
    /// It begins a transaction that holds the write lock from the start (SQLite).
    BeginsLocking,
    /// It begins a transaction that takes its snapshot at once (MySQL, `WITH CONSISTENT SNAPSHOT`).
    BeginsLooking,
    /// It ends a transaction so that it counts; whether the next one begins at once (`AND CHAIN`).
    Commits { chains: bool },
    /// It ends a transaction so that it does not count; whether the next one begins at once.
    RollsBack { chains: bool },
    /// It is about the session or the transaction alone: `SAVEPOINT`, `SET`.
    Sets,
    /// It is not known what it does.
    Unknown,
}

/// What was read in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stores::sql) struct Reading {
    pub(in crate::stores::sql) deed: Deed,
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
    /// Isolation level that it names.
    pub(in crate::stores::sql) level: Option<Isolation>,
    /// Whether it lists the values of more than one row.
    pub(super) has_many_rows: bool,
    /// Whether what later statements on the session do can no longer be read from their words.
    pub(in crate::stores::sql) unsettles: bool,
}

/// Functions that lock, wait, or change what is no row.
const ACTING: [&str; 13] = [
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
    "set_config",
    "load_extension",
];

/// Settings of a session that change what its other statements mean, or where its transactions begin and end.
const UNSETTLING: [&str; 14] = [
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

/// Relations that only say how the database is made.
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

impl Reading {
    /// Of a statement of ours, of which it is known that it begins or ends a transaction.
    pub(in crate::stores::sql) fn of_frame(deed: Deed) -> Self {
        Self { deed, ..Self::of(Dialect::Postgres, "") }
    }

    /// Reads a statement.
    pub(in crate::stores::sql) fn of(dialect: Dialect, text: &str) -> Self {
        let tokens: Vec<Token> = tokens(dialect, text);
        let verb = tokens.first().map_or(String::new(), |token| token.word.clone());
        let words = tokens.iter().filter(|t| t.may_name()).map(|t| t.word.clone()).collect();
        let mut reading = Self {
            deed: Deed::Unknown,
            verb,
            words,
            relations: Vec::new(),
            functions: functions(&tokens),
            queries: tokens.iter().filter(|t| t.is(&["select", "table"])).count(),
            pins: pins(&tokens),
            level: None,
            has_many_rows: has_many_rows(&tokens),
            unsettles: false,
        };
        let is_readable = pieces(dialect, text).iter().all(|piece| piece.kind != Kind::Unreadable);
        let is_one = !tokens.iter().any(|token| token.is_sign(";"));
        if !is_readable || !is_one || has_escaped_name(&tokens) {
            reading.unsettles = true;
            return reading;
        }
        reading.level = level(&reading.words);
        reading.relations = relations(&tokens);
        reading.deed = reading.deed_in(dialect);
        reading.unsettles = reading.does_unsettle(dialect);
        reading
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    fn has_phrase(&self, words: &[&str]) -> bool {
        self.words.windows(words.len()).any(|window| window == words)
    }

    fn deed_in(&self, dialect: Dialect) -> Deed {
        let chains = self.has_phrase(&["and", "chain"]);
        match self.verb.as_str() {
            "begin" | "start" if self.has_phrase(&["consistent", "snapshot"]) => {
                Deed::BeginsLooking
            }
            "begin" | "start"
                if dialect == Dialect::Sqlite
                    && (self.has("immediate") || self.has("exclusive")) =>
            {
                Deed::BeginsLocking
            }
            "begin" => Deed::Begins(self.level),
            "start" if self.has("transaction") => Deed::Begins(self.level),
            "commit" | "end" if !self.has("prepared") => Deed::Commits { chains },
            // Back to a savepoint: locks may be given back that cannot be told.
            "rollback" if self.has("to") || self.has("prepared") => Deed::Unknown,
            "rollback" | "abort" => Deed::RollsBack { chains },
            "savepoint" | "release" => Deed::Sets,
            "set" => self.setting(dialect),
            "select" | "with" | "values" | "table" => {
                let changes = ["insert", "update", "delete", "merge", "into", "for", "lock"];
                match () {
                    () if self.acts() => Deed::Unknown,
                    () if changes.into_iter().any(|word| self.has(word)) => Deed::Changes,
                    () => Deed::Looks,
                }
            }
            "insert" | "update" | "delete" | "replace" | "merge" if self.acts() => Deed::Unknown,
            "insert" | "update" | "delete" | "replace" | "merge" => Deed::Changes,
            // MySQL's `LOCK TABLES` ends the transaction.
            "lock" if dialect == Dialect::Postgres => Deed::Changes,
            _ => Deed::Unknown,
        }
    }

    /// What `SET` sets. One that is about other sessions, too, or that acts at once, is unknown.
    fn setting(&self, dialect: Dialect) -> Deed {
        let acts_at_once = ["constraints", "snapshot", "password", "global", "persist", "default"];
        match () {
            () if acts_at_once.into_iter().any(|word| self.has(word)) || self.acts() => {
                Deed::Unknown
            }
            // A session's variable is given what a query finds.
            () if dialect == Dialect::Mysql && self.queries > 0 => match self.has("for") {
                true => Deed::Changes,
                false => Deed::Looks,
            },
            () if dialect == Dialect::Mysql && !self.functions.is_empty() => Deed::Unknown,
            () => Deed::Sets,
        }
    }

    /// Whether it calls a function that does more than compute.
    fn acts(&self) -> bool {
        self.functions.iter().any(|name| ACTING.iter().any(|acting| name.contains(acting)))
    }

    fn does_unsettle(&self, dialect: Dialect) -> bool {
        match self.verb.as_str() {
            "set" => {
                let says_level = self.level.is_some();
                let is_about_level = self.words.iter().any(|word| word.contains("isolation"));
                UNSETTLING
                    .into_iter()
                    .any(|name| self.words.iter().any(|word| is_setting(word, name)))
                    || is_about_level && !says_level
            }
            "commit" | "rollback" | "end" | "abort" => {
                self.has("prepared")
                    || self.has("release") && !self.has("savepoint") && dialect == Dialect::Mysql
            }
            "begin" | "start" | "savepoint" | "release" | "select" | "with" | "values"
            | "table" | "insert" | "update" | "delete" | "replace" | "merge" => {
                self.functions.iter().any(|name| name == "set_config")
            }
            "lock" => dialect != Dialect::Postgres,
            "show" | "explain" | "analyze" | "notify" | "listen" | "unlisten" => false,
            _ => true,
        }
    }

    /// Whether every name that stands where a table must is a table that is known, or a query's own name.
    pub(super) fn knows_relations(&self, is_known: impl Fn(&str) -> bool) -> bool {
        let is_catalogue =
            |name: &str| OF_THE_CATALOGUE.contains(&name) && self.deed == Deed::Looks;
        self.relations.iter().all(|name| is_known(name) || is_catalogue(name))
    }

    /// Whether it begins or ends a transaction.
    pub(in crate::stores::sql) fn is_frame(&self) -> bool {
        matches!(
            self.deed,
            Deed::Begins(_)
                | Deed::BeginsLocking
                | Deed::BeginsLooking
                | Deed::Commits { .. }
                | Deed::RollsBack { .. }
        )
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
            && self.deed == Deed::Changes
            && !self.changes_rows()
    }
}

/// Whether a word names a setting, whatever stands before it (`@@session.sql_mode`).
fn is_setting(word: &str, name: &str) -> bool {
    word.trim_start_matches('@').rsplit('.').next() == Some(name)
}

/// An isolation level among words.
fn level(words: &[String]) -> Option<Isolation> {
    let all = words.join(" ").replace('-', " ");
    let named = Isolation::ALL
        .into_iter()
        .rev()
        .find(|level| all.contains(&level.name().replace('-', " ")));
    // A level that no store here keeps apart from read committed.
    named.or_else(|| all.contains("read uncommitted").then_some(Isolation::ReadCommitted))
}

/// A token that is neither a space nor a comment.
#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    /// In small letters, without quotes.
    word: String,
}

impl Token {
    fn is(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.contains(&self.word.as_str())
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.word == sign
    }

    fn may_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Name | Kind::Text)
    }

    fn is_value(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Text | Kind::Parameter | Kind::Placeholder)
    }
}

/// The longest name that PostgreSQL keeps, in bytes: it cuts off what is longer.
const LONGEST_NAME: usize = 63;

fn tokens(dialect: Dialect, text: &str) -> Vec<Token> {
    let token = |piece: Piece<'_>| {
        let mut word = piece.text.to_lowercase();
        if matches!(piece.kind, Kind::Name | Kind::Text) {
            let quote = word.chars().next_back().unwrap_or_default();
            let open = if quote == ']' { '[' } else { quote };
            let bare = word.trim_start_matches(open).trim_end_matches(quote);
            word = bare.replace(&format!("{quote}{quote}"), &quote.to_string());
        }
        if dialect == Dialect::Postgres && matches!(piece.kind, Kind::Name | Kind::Word) {
            let cut = (0..=LONGEST_NAME).rev().find(|at| word.is_char_boundary(*at));
            word.truncate(cut.unwrap_or(0).min(word.len()));
        }
        Token { kind: piece.kind, word }
    };
    let says = |piece: &Piece<'_>| !matches!(piece.kind, Kind::Space | Kind::Comment);
    let mut tokens: Vec<Token> =
        pieces(dialect, text).into_iter().filter(says).map(token).collect();
    while tokens.last().is_some_and(|token| token.is_sign(";")) {
        tokens.pop();
    }
    tokens
}

/// `U&"…"`: a name in escapes.
fn has_escaped_name(tokens: &[Token]) -> bool {
    tokens
        .windows(3)
        .any(|three| three[0].is(&["u"]) && three[1].is_sign("&") && three[2].kind == Kind::Name)
}

/// Words behind which a bracket begins no call.
const NO_FUNCTIONS: [&str; 30] = [
    "in",
    "values",
    "exists",
    "and",
    "or",
    "not",
    "where",
    "on",
    "using",
    "as",
    "from",
    "join",
    "select",
    "into",
    "by",
    "having",
    "when",
    "then",
    "else",
    "any",
    "all",
    "some",
    "set",
    "over",
    "filter",
    "materialized",
    "union",
    "except",
    "intersect",
    "conflict",
];

fn functions(tokens: &[Token]) -> Vec<String> {
    let calls = |two: &&[Token]| {
        matches!(two[0].kind, Kind::Word | Kind::Name)
            && two[1].is_sign("(")
            && !(two[0].kind == Kind::Word && NO_FUNCTIONS.contains(&two[0].word.as_str()))
    };
    tokens.windows(2).filter(calls).map(|two| two[0].word.clone()).collect()
}

/// Words between the keyword in front of a table and its name.
const BEFORE_TABLES: [&str; 9] = [
    "only",
    "lateral",
    "ignore",
    "low_priority",
    "high_priority",
    "delayed",
    "quick",
    "table",
    "if",
];

/// Words that end a list of tables, and are no table's other name.
const AFTER_TABLES: [&str; 22] = [
    "where",
    "on",
    "set",
    "values",
    "select",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "full",
    "cross",
    "natural",
    "group",
    "order",
    "limit",
    "for",
    "union",
    "returning",
    "using",
    "having",
    "straight_join",
];

/// Names that stand where a table must, but for those that the statement itself gives to its queries.
fn relations(tokens: &[Token]) -> Vec<String> {
    let own = own_names(tokens);
    let mut relations = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = begins_tables(tokens, at);
        at += 1;
        if !begins {
            continue;
        }
        loop {
            while tokens.get(at).is_some_and(|token| token.is(&BEFORE_TABLES)) {
                at += 1;
            }
            let Some(first) = tokens.get(at).filter(|token| {
                matches!(token.kind, Kind::Word | Kind::Name | Kind::Text)
                    && !token.word.starts_with('@')
            }) else {
                break;
            };
            let mut name = first.word.clone();
            let mut qualified = false;
            at += 1;
            while tokens.get(at).is_some_and(|token| token.is_sign(".")) {
                let Some(next) = tokens.get(at + 1) else { break };
                name.clone_from(&next.word);
                qualified = true;
                at += 2;
            }
            // A call that returns rows is a function.
            let is_call = tokens.get(at).is_some_and(|token| token.is_sign("("));
            let is_insert = tokens[..at].iter().rev().take(4).any(|token| token.is(&["into"]));
            if !(is_call && !is_insert) && (qualified || !own.contains(&name)) {
                relations.push(name);
            }
            // Its other name, and then perhaps the next table.
            if tokens.get(at).is_some_and(|token| token.is_sign("*")) {
                at += 1;
            }
            if tokens.get(at).is_some_and(|token| token.is(&["as"])) {
                at += 1;
            }
            let is_alias = |token: &Token| {
                matches!(token.kind, Kind::Word | Kind::Name) && !token.is(&AFTER_TABLES)
            };
            if tokens.get(at).is_some_and(is_alias) {
                at += 1;
            }
            if !tokens.get(at).is_some_and(|token| token.is_sign(",")) {
                break;
            }
            at += 1;
        }
    }
    relations
}

/// Whether a list of tables begins behind this token.
fn begins_tables(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let before = at.checked_sub(1).map(|at| &tokens[at]);
    let is_before = |words: &[&str]| before.is_some_and(|token| token.is(words));
    if token.is(&["from"]) {
        // `IS DISTINCT FROM`, `extract(day FROM …)`.
        let is_comparison =
            is_before(&["distinct"]) && at >= 2 && tokens[at - 2].is(&["is", "not"]);
        return !is_comparison && !is_argument(tokens, at);
    }
    if token.is(&["update"]) {
        return !is_before(&["for", "key", "on", "do"]);
    }
    if token.is(&["using"]) {
        return !tokens.get(at + 1).is_some_and(|next| next.is_sign("("));
    }
    if token.is(&["insert", "replace"]) {
        let next = tokens.get(at + 1);
        let goes_on =
            next.is_some_and(|next| next.is(&["into", "ignore", "low_priority", "delayed", "or"]));
        return at == 0 && !goes_on;
    }
    if token.is(&["lock", "table", "truncate"]) {
        return at == 0;
    }
    token.is(&["join", "into", "straight_join"])
        || token.is(&["ignore"])
            && is_before(&["insert"])
            && !tokens.get(at + 1).is_some_and(|next| next.is(&["into"]))
}

/// Whether a `FROM` stands inside the brackets of a function that has one in its arguments.
fn is_argument(tokens: &[Token], at: usize) -> bool {
    let mut depth = 0;
    for place in (1..at).rev() {
        if tokens[place].is_sign(")") {
            depth += 1;
        } else if tokens[place].is_sign("(") {
            if depth == 0 {
                return tokens[place - 1].is(&[
                    "extract",
                    "substring",
                    "trim",
                    "overlay",
                    "substr",
                ]);
            }
            depth -= 1;
        } else if depth == 0 && tokens[place].is(&["select"]) {
            return false;
        }
    }
    false
}

/// The names that a statement gives to its own queries: `WITH name AS (…)`, `name (columns) AS (…)`.
fn own_names(tokens: &[Token]) -> Vec<String> {
    if !tokens.first().is_some_and(|token| token.is(&["with"])) {
        return Vec::new();
    }
    let mut names = Vec::new();
    for at in 1..tokens.len() {
        if !tokens[at].is(&["as"]) {
            continue;
        }
        let mut next = at + 1;
        while tokens.get(next).is_some_and(|token| token.is(&["not", "materialized"])) {
            next += 1;
        }
        if !tokens.get(next).is_some_and(|token| token.is_sign("(")) {
            continue;
        }
        let mut name = at - 1;
        if tokens[name].is_sign(")") {
            while name > 0 && !tokens[name].is_sign("(") {
                name -= 1;
            }
            name = name.saturating_sub(1);
        }
        if matches!(tokens[name].kind, Kind::Word | Kind::Name) {
            names.push(tokens[name].word.clone());
        }
    }
    names
}

/// Whether two lists of values stand behind `VALUES`.
fn has_many_rows(tokens: &[Token]) -> bool {
    let values = tokens.iter().position(|token| token.is(&["values", "value"]));
    let lists = values.map_or(&tokens[..0], |at| &tokens[at + 1..]);
    let (mut depth, mut lists_begun) = (0_usize, 0);
    for token in lists {
        if token.is_sign("(") {
            lists_begun += usize::from(depth == 0);
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && !token.is_sign(",") {
            break;
        }
    }
    lists_begun > 1
}

/// The columns that the statement's own `WHERE` compares with a value, where nothing but `AND` joins its conditions.
fn pins(tokens: &[Token]) -> Vec<String> {
    let mut depth = 0_usize;
    let mut start = None;
    let mut end = tokens.len();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(&["where"]) {
            start = Some(at + 1);
        } else if depth == 0
            && start.is_some()
            && token.is(&["returning", "order", "limit", "for", "lock"])
        {
            end = end.min(at);
        }
    }
    let Some(start) = start else { return Vec::new() };
    let conditions = &tokens[start..end.max(start)];
    let mut depth = 0_usize;
    let mut split = vec![Vec::new()];
    for token in conditions {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(&["or", "xor", "between"]) {
            return Vec::new();
        }
        match depth == 0 && token.is(&["and"]) {
            true => split.push(Vec::new()),
            false => split.last_mut().map_or((), |last: &mut Vec<&Token>| last.push(token)),
        }
    }
    split.iter().filter_map(|condition| pin(condition)).collect()
}

/// `column = value`, `t.column = value`, or the other way round.
fn pin(condition: &[&Token]) -> Option<String> {
    let equals = condition.iter().position(|token| token.is_sign("="))?;
    let (left, right) = (&condition[..equals], &condition[equals + 1..]);
    let column = |side: &[&Token]| match side {
        [name] | [_, _, name] if matches!(name.kind, Kind::Word | Kind::Name) => {
            (side.len() == 1 || side[1].is_sign(".")).then(|| name.word.clone())
        }
        _ => None,
    };
    let is_value = |side: &[&Token]| match side {
        [value] => value.is_value(),
        [sign, value] => sign.is_sign("-") && value.is_value(),
        _ => is_sum(side),
    };
    match (column(left), column(right)) {
        (Some(name), _) if is_value(right) => Some(name),
        (_, Some(name)) if is_value(left) => Some(name),
        _ => None,
    }
}

/// Values that are put together: `100 + :buyer`, `'order-' || :buyer`.
fn is_sum(side: &[&Token]) -> bool {
    side.len() % 2 == 1
        && side.iter().enumerate().all(|(at, token)| match at % 2 {
            0 => token.is_value(),
            _ => ["+", "-", "*", "||"].into_iter().any(|sign| token.is_sign(sign)),
        })
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
            postgres("BEGIN ISOLATION LEVEL  Serializable").deed,
            Deed::Begins(serializable)
        );
        assert_eq!(postgres("begin").deed, Deed::Begins(None));
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
        assert_eq!(postgres("/* so */ COMMIT").deed, Deed::Commits { chains: false });
        assert_eq!(postgres("COMMIT AND CHAIN").deed, Deed::Commits { chains: true });
        assert_eq!(postgres("COMMIT AND NO CHAIN").deed, Deed::Commits { chains: false });
        assert_eq!(postgres("ROLLBACK TO SAVEPOINT a").deed, Deed::Unknown);
        assert_eq!(mysql("START TRANSACTION WITH CONSISTENT SNAPSHOT").deed, Deed::BeginsLooking);
        assert_eq!(Reading::of(Dialect::Sqlite, "BEGIN IMMEDIATE").deed, Deed::BeginsLocking);
    }

    #[test]
    fn a_setting_is_of_the_session_alone_unless_it_finds_something_or_reaches_further() {
        assert_eq!(postgres("SET LOCAL lock_timeout = '10s'").deed, Deed::Sets);
        assert_eq!(postgres("SET CONSTRAINTS ALL IMMEDIATE").deed, Deed::Unknown);
        assert_eq!(mysql("SET @s = (SELECT stock FROM product)").deed, Deed::Looks);
        assert_eq!(mysql("SET @s = f(1)").deed, Deed::Unknown);
        assert_eq!(mysql("SET @s = 1").deed, Deed::Sets);
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
        assert!(!postgres("SET LOCAL lock_timeout = '10s'").unsettles);
        assert!(!mysql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").unsettles);
    }

    #[test]
    fn tables_are_the_names_that_stand_where_a_table_must() {
        let of = |text: &str| postgres(text).relations;
        assert_eq!(
            of("SELECT * FROM public.product p, \"order\" AS o, lines"),
            ["product", "order", "lines"]
        );
        assert_eq!(
            of("SELECT a FROM x JOIN y USING (id) LEFT JOIN ONLY z ON true"),
            ["x", "y", "z"]
        );
        assert_eq!(
            of("WITH n AS (SELECT 1 FROM a), m (b) AS (SELECT 2) UPDATE p SET q = 1 FROM n, m"),
            ["a", "p"]
        );
        assert_eq!(
            of("INSERT INTO t (a) SELECT b FROM s ON CONFLICT (a) DO UPDATE SET c = 1"),
            ["t", "s"]
        );
        assert_eq!(of("SELECT extract(day FROM at) FROM t WHERE a IS DISTINCT FROM b"), ["t"]);
        assert_eq!(of("SELECT 1 FROM t FOR UPDATE"), ["t"]);
        assert_eq!(of("SELECT n FROM generate_series(1, 2) AS n"), Vec::<String>::new());
        assert_eq!(of("DELETE FROM a USING b WHERE a.id = b.id"), ["a", "b"]);
        assert_eq!(mysql("INSERT IGNORE t VALUES (1)").relations, ["t"]);
        assert_eq!(mysql("REPLACE shop.`stock$item` VALUES (1)").relations, ["stock$item"]);
        assert_eq!(mysql("SELECT a INTO @x FROM t").relations, ["t"]);
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for text in ["SELECT 'it", "SELECT 1; SELECT 2", "SELECT * FROM U&\"st\\006fck\"", "VACUUM"]
        {
            assert_eq!(postgres(text).deed, Deed::Unknown, "{text}");
        }
        assert_eq!(mysql("SELECT 1 /*M! FROM t */").deed, Deed::Unknown);
        assert_eq!(postgres("SELECT pg_advisory_xact_lock(1)").deed, Deed::Unknown);
    }

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        let long = "a".repeat(70);
        assert_eq!(postgres(&format!("SELECT 1 FROM {long}")).relations, ["a".repeat(63)]);
    }

    #[test]
    fn columns_are_pinned_where_nothing_but_and_joins_conditions() {
        let of = |text: &str| postgres(text).pins;
        assert_eq!(of("UPDATE p SET s = s - 1 WHERE p.id = $1 AND s >= :qty"), ["id"]);
        assert_eq!(of("UPDATE p SET s = 1 WHERE id = 100 + :buyer RETURNING s"), ["id"]);
        assert_eq!(of("UPDATE p SET s = 1 WHERE id = 1 OR s = 2"), Vec::<String>::new());
        assert_eq!(
            of("UPDATE p SET s = 1 WHERE id = (SELECT 1 WHERE a = 1)"),
            Vec::<String>::new()
        );
        assert_eq!(of("UPDATE p SET s = 1"), Vec::<String>::new());
    }
}
