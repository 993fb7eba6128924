//! Tables that are none of ours, and what statements have to do with them, as far as their words tell.

use super::course::Manner;
use crate::checkout::{Answer, Value};
use crate::stores::StoreKind;
use crate::stores::model::Isolation;
use crate::stores::remote::{Parts, Touches};
use crate::text::sql::{Piece, pieces};

/// What is known of somebody's tables.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    kind: StoreKind,
    /// How far transactions are kept apart that do not say so themselves.
    isolation: Isolation,
    /// The tables, and behind them the views.
    tables: Vec<Table>,
    /// How many of these are no views.
    real: usize,
    /// Whether there is more than tables: what a view, a trigger or a function does is not to be seen.
    has_more: bool,
}

/// A table, and what a change there has to do with beside it.
#[derive(Clone, Debug)]
struct Table {
    name: String,
    own: Parts,
    /// Tables that it refers to, and those that refer to it: whose rows are locked, looked at or changed along with
    /// its own.
    with: Parts,
    /// Of those that it refers to: whose rows must be there.
    parents: Parts,
    /// Of those that refer to it: whose rows may go, or change, along with its own.
    children: Parts,
    /// Of these, whose rows follow a key that changes.
    followers: Parts,
}

impl Table {
    /// Whatever has to do with it has to do with another, too.
    fn also(&mut self, other: &Self) {
        self.own = self.own | other.own;
        self.with = self.with | other.with;
        self.parents = self.parents | other.parents;
        self.children = self.children | other.children;
        self.followers = self.followers | other.followers;
    }
}

/// What a statement does, by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It looks, and keeps nobody from anything.
    Looks,
    /// It may change something, or lock it.
    Changes,
    /// It begins a transaction or ends one.
    Frames(Manner),
    /// It ends one so that it counts.
    Commits,
    /// It is about the connection alone.
    Sets,
    /// Who knows.
    Unknown,
}

impl Deed {
    /// What it does to the transaction that it is in.
    pub(super) fn manner(self) -> Manner {
        match self {
            Self::Frames(manner) => manner,
            Self::Commits => Manner::Ends,
            Self::Looks | Self::Changes | Self::Sets | Self::Unknown => Manner::GoesOn,
        }
    }
}

/// Functions by which a query does more than look.
const LOCKING: [&str; 6] = ["advisory", "get_lock", "release_lock", "nextval", "setval", "sleep"];

impl Layout {
    /// Reads what the database says of itself: a row a thing, with its kind, its name, and what it refers to. Of a
    /// statement that does not say how far it is kept apart, the furthest that any other says holds. Tables are counted from a
    /// number on.
    pub(super) fn of<'t>(
        kind: StoreKind,
        parts: &Answer,
        usual: Isolation,
        texts: impl Iterator<Item = &'t str>,
        first: usize,
    ) -> Self {
        let row = |row: &Vec<Value>| {
            let word =
                |place: usize| row.get(place).map_or(String::new(), Value::text).to_lowercase();
            (word(0), word(1), word(2))
        };
        let things: Vec<_> = parts.rows.iter().map(row).collect();
        let names = things.iter().filter(|(what, ..)| what == "table").map(|(_, name, _)| name);
        let mut tables: Vec<Table> = names
            .enumerate()
            .map(|(place, name)| {
                let own = Parts::table(first + place);
                Table {
                    name: name.clone(),
                    own,
                    with: own,
                    parents: Parts::NONE,
                    children: Parts::NONE,
                    followers: Parts::NONE,
                }
            })
            .collect();
        // What refers to what refers to it may be changed along with it, and so on.
        for _ in 0..tables.len() {
            let refers = |what: &str| matches!(what, "reference" | "following");
            for (what, child, parent) in things.iter().filter(|(what, ..)| refers(what)) {
                let place = |name: &str| tables.iter().position(|table| table.name == name);
                if let (Some(child), Some(parent)) = (place(child), place(parent)) {
                    let Table { own, with, children, followers, .. } = tables[child].clone();
                    let both = own | tables[parent].own;
                    let above = &mut tables[parent];
                    above.with = above.with | with;
                    above.children = above.children | own | children;
                    if what == "following" {
                        above.followers = above.followers | own | followers;
                    }
                    let parent = above.own;
                    tables[child].with = tables[child].with | both;
                    tables[child].parents = tables[child].parents | parent;
                }
            }
        }
        let real = tables.len();
        // A view of views takes as many rounds as there are.
        let views: Vec<_> = things.iter().filter(|(what, ..)| what == "view").collect();
        for _ in 0..views.len() {
            for (_, view, base) in &views {
                let named = |name: &str| tables.iter().position(|table| table.name == name);
                let Some(base) = named(base).map(|place| tables[place].clone()) else { continue };
                match named(view) {
                    Some(place) => tables[place].also(&base),
                    None => tables.push(Table { name: view.clone(), ..base }),
                }
            }
        }
        let isolation = texts.filter_map(level_in).chain([usual]).max().unwrap_or(usual);
        let has_more = things.iter().any(|(what, ..)| what == "other");
        Self { kind, isolation, tables, real, has_more }
    }

    /// Whether there is more than tables.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    /// What a statement does.
    pub(super) fn deed(&self, text: &str) -> Deed {
        let words = words(text);
        let has = |word: &str| words.iter().any(|known| known == word);
        let first = words.first().map_or("", String::as_str);
        match first {
            "begin" | "start" => {
                let locks =
                    self.kind == StoreKind::Sqlite && (has("immediate") || has("exclusive"));
                match locks {
                    true => Deed::Frames(Manner::BeginsLocking),
                    false => Deed::Frames(Manner::Begins(level_in(text).unwrap_or(self.isolation))),
                }
            }
            "commit" | "end" => Deed::Commits,
            // Back to a savepoint: locks may be given back that nobody can tell.
            "rollback" if has("to") => Deed::Unknown,
            "rollback" | "abort" => Deed::Frames(Manner::Ends),
            "set" | "savepoint" | "release" => Deed::Sets,
            "select" | "with" | "values" | "table" => {
                let is_locking = |word: &String| LOCKING.iter().any(|name| word.contains(name));
                let changes = ["insert", "update", "delete", "merge", "into", "for", "lock"];
                if words.iter().any(is_locking) {
                    Deed::Unknown
                } else if changes.into_iter().any(has) {
                    Deed::Changes
                } else {
                    Deed::Looks
                }
            }
            "insert" | "update" | "delete" | "replace" | "merge" | "lock" | "truncate" => {
                Deed::Changes
            }
            _ => Deed::Unknown,
        }
    }

    /// What a statement has to do with by itself.
    pub(super) fn touches(&self, text: &str) -> Touches {
        let deed = self.deed(text);
        if matches!(deed, Deed::Frames(_) | Deed::Commits | Deed::Sets) {
            return Touches::NOTHING;
        }
        if self.has_more || deed == Deed::Unknown {
            return Touches::writing(Parts::ALL);
        }
        let words = words(text);
        let named = self.tables.iter().filter(|table| words.contains(&table.name));
        let all =
            |of: fn(&Table) -> Parts| named.clone().fold(Parts::NONE, |all, table| all | of(table));
        if deed == Deed::Looks {
            return Touches::reading(all(|table| table.own));
        }
        // InnoDB locks the rows that are referred to, so that nobody else can change them.
        if self.kind != StoreKind::Postgres {
            return Touches::writing(all(|table| table.with));
        }
        // PostgreSQL only keeps their keys.
        let refers = Touches::reading(all(|table| table.parents));
        match words.first().map_or("", String::as_str) {
            "insert" | "select" => Touches::writing(all(|table| table.own)) | refers,
            "update" => Touches::writing(all(|table| table.own | table.followers)) | refers,
            _ => Touches::writing(all(|table| table.own | table.children)) | refers,
        }
    }

    /// The names of the tables, in the order of their numbers.
    pub(super) fn names(&self) -> Vec<String> {
        self.tables[..self.real].iter().map(|table| table.name.clone()).collect()
    }

    /// The level of transactions that do not name theirs.
    pub(super) fn isolation(&self) -> Isolation {
        self.isolation
    }
}

/// The words of a statement, and what stands in quotes, in small letters.
fn words(text: &str) -> Vec<String> {
    let word = |piece| match piece {
        Piece::Word(word) => Some(word.to_lowercase()),
        Piece::Other(other) if other.len() > 2 => {
            Some(other.trim_matches(['"', '`', '\'', '$']).to_lowercase())
        }
        Piece::Other(_) | Piece::Parameter(_) | Piece::Comment(_) => None,
    };
    pieces(text).filter_map(word).collect()
}

/// How far a statement says that transactions are to be kept apart.
pub(super) fn level_in(text: &str) -> Option<Isolation> {
    let words = words(text).join(" ");
    let says = |level: &Isolation| words.contains(&level.name().replace('-', " "));
    Isolation::ALL.into_iter().rev().find(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines refer to orders, and those to products.
    fn shop(more: &[&str]) -> Layout {
        let text = |word: &str| Value::Text(word.into());
        let mut rows = vec![
            vec![text("table"), text("Product"), Value::Null],
            vec![text("table"), text("order"), Value::Null],
            vec![text("table"), text("voucher"), Value::Null],
            vec![text("reference"), text("order"), text("product")],
        ];
        rows.extend(more.iter().map(|name| vec![text("other"), text(name), Value::Null]));
        let parts = Answer::found(Vec::new(), rows);
        let level = Isolation::ReadCommitted;
        Layout::of(StoreKind::Postgres, &parts, level, std::iter::empty(), 0)
    }

    #[test]
    fn queries_of_whatever_table_do_not_disturb_each_other_and_changes_of_the_same_do() {
        let touches = |text| shop(&[]).touches(text);
        let look = touches("SELECT stock FROM product WHERE id = :item");
        let change = touches("UPDATE product SET stock = 0");
        let voucher = touches("UPDATE voucher SET used = 1");
        assert!(!look.meets(look));
        assert!(look.meets(change));
        assert!(change.meets(change));
        assert!(!change.meets(voucher));
        assert!(!look.meets(voucher));
    }

    #[test]
    fn a_change_has_to_do_with_what_refers_to_it_and_what_it_refers_to() {
        let touches = |text| shop(&[]).touches(text);
        let order = touches("INSERT INTO \"order\" VALUES (1)");
        assert!(!order.meets(touches("SELECT * FROM product")));
        assert!(order.meets(touches("UPDATE product SET stock = 0")));
        assert!(touches("DELETE FROM product").meets(touches("SELECT * FROM `order`")));
        assert!(!order.meets(touches("SELECT * FROM voucher")));
    }

    #[test]
    fn a_query_that_locks_is_more_than_a_look() {
        let touches = |text| shop(&[]).touches(text);
        let locks = touches("SELECT 1 FROM product FOR UPDATE");
        assert!(locks.meets(touches("SELECT 1 FROM product")));
        let advisory = touches("SELECT pg_advisory_xact_lock(1)");
        assert!(advisory.meets(touches("SELECT 1 FROM voucher")));
    }

    #[test]
    fn where_there_is_more_than_tables_nothing_is_known() {
        let shop = shop(&["on_insert"]);
        let look = shop.touches("SELECT 1 FROM product");
        assert!(look.meets(shop.touches("SELECT 1 FROM voucher")));
    }

    #[test]
    fn whoever_looks_at_a_view_looks_at_its_tables() {
        let text = |word: &str| Value::Text(word.into());
        let row = |what, name, other| vec![text(what), text(name), text(other)];
        let rows = vec![
            row("table", "product", ""),
            row("table", "voucher", ""),
            row("view", "cheap", "shown"),
            row("view", "shown", "product"),
        ];
        let parts = Answer::found(Vec::new(), rows);
        let level = Isolation::ReadCommitted;
        let shop = Layout::of(StoreKind::Postgres, &parts, level, std::iter::empty(), 0);
        let look = shop.touches("SELECT * FROM cheap");
        assert!(look.meets(shop.touches("UPDATE product SET stock = 0")));
        assert!(!look.meets(shop.touches("UPDATE voucher SET used = 1")));
        assert_eq!(shop.names(), ["product", "voucher"]);
    }

    #[test]
    fn a_level_is_taken_from_the_statement_that_names_it() {
        let shop = shop(&[]);
        let begins = |text| shop.deed(text);
        assert_eq!(
            begins("BEGIN ISOLATION LEVEL  Serializable"),
            Deed::Frames(Manner::Begins(Isolation::Serializable))
        );
        assert_eq!(begins("begin"), Deed::Frames(Manner::Begins(Isolation::ReadCommitted)));
        assert_eq!(begins("/* so */ COMMIT"), Deed::Commits);
        assert_eq!(begins("ROLLBACK TO SAVEPOINT a"), Deed::Unknown);
    }
}
