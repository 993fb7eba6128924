//! Which statements interfere: one buyer reads, another buyer writes what was read, and then the first buyer writes it.
//!
//! Warszawski and Bailis (*ACIDRain*, SIGMOD 2017) distinguish two kinds: conflicts within one transaction, which an
//! isolation level can prevent, and conflicts across several transactions, which no level can.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::named_tables::NamedTables;
use crate::base::text::code_location::CodeLocation;
use crate::domain::buyer::Ending;
use crate::scheduler::{Actor, PendingStatement, Resources, SentText};
use crate::worlds::held::ServerStep;

/// What can cure a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// An isolation level: the buyer reads and writes in one transaction.
    Level,
    /// No level: the buyer reads and writes in different transactions, or in none.
    Scope,
}

/// The statements of a conflict as they were sent, where they came over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::explore) struct SentOverWire {
    /// The one that read.
    pub(in crate::explore) read: Option<Arc<SentText>>,
    /// Whether that was in a transaction.
    pub(in crate::explore) is_read_in_transaction: bool,
    /// The one with which the buyer that had read wrote, if it is known.
    pub(in crate::explore) wrote: Option<Arc<SentText>>,
}

impl SentOverWire {
    fn of(read: &PendingStatement, wrote: Option<&PendingStatement>) -> Self {
        Self {
            read: read.sent.clone(),
            is_read_in_transaction: read.transaction.is_some(),
            wrote: wrote.and_then(|wrote| wrote.sent.clone()),
        }
    }
}

/// Three steps, counted from 1, and the table that they are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Conflict {
    /// The buyer that read, and acted last.
    pub who: String,
    /// The buyer that came in between.
    pub other: String,
    /// The table that was read.
    pub table: String,
    /// The rows that all three steps are about, where that is known: columns and their values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// The step that read.
    pub looked: usize,
    /// The step at which the other wrote the table; if it is not known which did, the one at which it was served.
    pub changed: usize,
    /// The step at which the first buyer wrote the table, after the other, or was served. Whether that rests on what it
    /// had read is not known.
    pub acted: usize,
    /// What can cure it; none if it is not known which steps wrote.
    pub reach: Option<Reach>,
    /// Where in the application's code the statement was made that read, if a tag in its comment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_in: Option<CodeLocation>,
    /// The same of the other's statement that wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_in: Option<CodeLocation>,
    /// The same of the first buyer's statement that wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acted_in: Option<CodeLocation>,
    /// Its statements as they were sent.
    #[serde(skip)]
    pub(in crate::explore) sent: SentOverWire,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences().join(&format!("\n{:LABEL$}", "")))
    }
}

impl Conflict {
    /// What has happened, and what can cure it, each a line of its own.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let Self { who, other, table, rows, looked, changed, acted, reach, .. } = self;
        let at = |step: &usize, code: &Option<CodeLocation>| match code {
            Some(code) => format!("{step} ({code})"),
            None => step.to_string(),
        };
        let looked = at(looked, &self.looked_in);
        let (changed, acted) = (at(changed, &self.changed_in), at(acted, &self.acted_in));
        let rows = rows.as_ref().map_or(String::new(), |rows| format!(" ({rows})"));
        let Some(reach) = reach else {
            return vec![format!(
                "{who} read {table}{rows} at {looked}; {other} was served at {changed}, and {who} at {acted}"
            )];
        };
        let told = format!(
            "{who} read {table}{rows} at {looked}; {other} wrote it at {changed}; {who} wrote it at {acted}"
        );
        let cure = match reach {
            Reach::Level => {
                "all in one transaction: a row lock (FOR UPDATE) or a stronger isolation level can cure it"
            }
            Reach::Scope => {
                "in different transactions: no isolation level cures it; look again, under a lock, where it is changed"
            }
        };
        vec![told, cure.to_owned()]
    }
}

/// As wide as a label in a report.
const LABEL: usize = 17;

/// The answer by which a statement says that it has changed nothing.
pub(super) const NOTHING: &str = "0 rows";

/// What a step does to one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Deed<'s> {
    /// The step that sent it, and the one at which it was answered.
    sent: usize,
    at: usize,
    place: usize,
    /// The rows that it is about, if they are known.
    rows: Option<&'s BTreeMap<String, String>>,
}

impl<'s> Deed<'s> {
    /// Whether both may be about the same row.
    fn may_meet(&self, other: &Deed<'_>) -> bool {
        let (Some(rows), Some(others)) = (self.rows, other.rows) else { return true };
        rows.iter().all(|(column, value)| others.get(column).is_none_or(|other| other == value))
    }
}

/// The steps that read a table, and those that changed it, as far as their own words say so.
struct Deeds<'s> {
    reads: Vec<Deed<'s>>,
    changes: Vec<Deed<'s>>,
}

impl<'s> Deeds<'s> {
    fn of(steps: &'s [ServerStep], named: &[NamedTables], table: &str, number: usize) -> Self {
        let (mut reads, mut changes) = (Vec::new(), Vec::new());
        for (at, (step, tables)) in steps.iter().zip(named).enumerate() {
            let ServerStep { place, statement, .. } = step;
            let footprint = &statement.footprint;
            let is_of = |names: &[String]| names.iter().any(|name| name == table);
            // A command of Redis names its keys, which its footprint has.
            let is_command = *tables == NamedTables::default() && names(&statement.text, table);
            let touches = |touched: Resources| touched.tables().any(|one| one == number);
            let changed =
                is_of(&tables.changed) || is_command && touches(statement.touches.changed());
            let read = is_of(&tables.read) || is_command && touches(statement.touches.tables());
            if changed {
                let rows = footprint.values_written_of(number);
                let deed = |answered| Deed { sent: at, at: answered, place: *place, rows };
                changes.extend(changed_at(steps, at).map(deed));
            } else if read {
                let rows = footprint.values_read_of(number);
                reads.push(Deed { sent: at, at, place: *place, rows });
            }
        }
        Self { reads, changes }
    }
}

/// The step at which the statement of a step was answered, if its buyer was served, did not roll its transaction back, and
/// it did not say that it has changed nothing.
fn changed_at(steps: &[ServerStep], at: usize) -> Option<usize> {
    let (answered, answer) = answer_at(steps, at)?;
    let stays = served_at(steps, steps[at].place).is_some() && !is_rolled_back(steps, at);
    (answer != NOTHING && stays).then_some(answered)
}

/// The step at which the statement of a step was answered, and the answer; none if it had only begun there.
pub(super) fn answer_at(steps: &[ServerStep], at: usize) -> Option<(usize, &String)> {
    let ServerStep { place, answer, has_begun, .. } = &steps[at];
    match answer {
        Some(answer) => Some((at, answer)),
        None if *has_begun => None,
        None => (at + 1..steps.len()).find_map(|at| {
            let (_, answer) = steps[at].went_on.iter().find(|(who, _)| who == place)?;
            Some((at, answer))
        }),
    }
}

/// Whether the transaction of a step was rolled back, in whole or in part.
fn is_rolled_back(steps: &[ServerStep], at: usize) -> bool {
    let transaction = steps[at].statement.transaction;
    let is_rollback = |step: &ServerStep| {
        step.statement.transaction == transaction
            && words(&step.statement.text).next().is_some_and(|word| word == "rollback")
    };
    transaction.is_some() && steps[at..].iter().any(is_rollback)
}

/// The step at which a buyer was served.
fn served_at(steps: &[ServerStep], place: usize) -> Option<usize> {
    steps.iter().position(|step| step.left.contains(&(place, Ending::Bought)))
}

impl Conflict {
    /// The conflict in these steps that matters most: on the table that the audit reads first, if there is one (what is in
    /// stock comes before the orders), with the steps that read and act closest together. `audited` are the audit's tables,
    /// and the first of them is the one that has the stock.
    pub(in crate::explore) fn among(
        steps: &[ServerStep],
        tables: &[String],
        audited: &[String],
    ) -> Option<Self> {
        let named: Vec<NamedTables> =
            steps.iter().map(|step| NamedTables::of(&step.statement.text)).collect();
        let mut found: Vec<(usize, usize, Self)> = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let deeds = Deeds::of(steps, &named, table, number);
            let rank = audited.iter().position(|name| name == table);
            for changed in &deeds.changes {
                let looked = deeds.reads.iter().rev().find(|read| {
                    read.at < changed.at && read.place != changed.place && read.may_meet(changed)
                });
                let Some(looked) = looked else { continue };
                // A buyer that has changed the rows itself since it read them acts on its own change: no conflict.
                let mut its = deeds
                    .changes
                    .iter()
                    .filter(|own| own.place == looked.place && own.may_meet(changed));
                if its.clone().any(|own| (looked.at..changed.at).contains(&own.at)) {
                    continue;
                }
                let Some(acted) = its.find(|own| own.at > changed.at) else { continue };
                let rows = common_rows(&[looked, changed, acted]);
                let is_key = named[changed.sent] == NamedTables::default();
                if rank != Some(0) && rows.is_none() && !is_key || !looked.may_meet(acted) {
                    // Other rows of the table may have been meant.
                    continue;
                }
                let (first, last) = (&steps[looked.sent].statement, &steps[acted.sent].statement);
                let is_one = first.transaction.is_some() && first.transaction == last.transaction;
                let made_in = |deed: &Deed<'_>| steps[deed.sent].statement.code.clone();
                let conflict = Self {
                    who: Actor::buyer(looked.place).to_string(),
                    other: Actor::buyer(changed.place).to_string(),
                    table: table.clone(),
                    rows,
                    looked: looked.at + 1,
                    changed: changed.at + 1,
                    acted: acted.at + 1,
                    reach: Some(if is_one { Reach::Level } else { Reach::Scope }),
                    looked_in: made_in(looked),
                    changed_in: made_in(changed),
                    acted_in: made_in(acted),
                    sent: SentOverWire::of(first, Some(last)),
                };
                found.push((rank.unwrap_or(usize::MAX), acted.at - looked.at, conflict));
            }
        }
        found.sort_by_key(|(rank, far, _)| (*rank, *far));
        let conflict = found.into_iter().next();
        let on_stock = conflict.as_ref().is_some_and(|(rank, ..)| *rank == 0);
        let served =
            if on_stock { None } else { Self::by_service(steps, &named, audited.first()?) };
        served.or(conflict.map(|(.., conflict)| conflict))
    }

    /// Where it is not known which statements changed what is in stock, as where a trigger does: a buyer read it, another
    /// was served, and then the first was served, too.
    fn by_service(steps: &[ServerStep], named: &[NamedTables], stock: &String) -> Option<Self> {
        let served = |place: usize| served_at(steps, place);
        let mut found = Vec::new();
        let reads = named.iter().enumerate().filter(|(_, tables)| tables.read.contains(stock));
        for (looked, _) in reads {
            let who = steps[looked].place;
            let Some(acted) = served(who) else { continue };
            let others = steps.iter().map(|step| step.place).filter(|place| *place != who);
            let between =
                |other: usize| served(other).filter(|changed| (looked..acted).contains(changed));
            let Some((other, changed)) =
                others.filter_map(|other| Some((other, between(other)?))).next()
            else {
                continue;
            };
            found.push(Self {
                who: Actor::buyer(who).to_string(),
                other: Actor::buyer(other).to_string(),
                table: stock.clone(),
                rows: None,
                looked: looked + 1,
                changed: changed + 1,
                acted: acted + 1,
                reach: None,
                looked_in: steps[looked].statement.code.clone(),
                changed_in: None,
                acted_in: None,
                sent: SentOverWire::of(&steps[looked].statement, None),
            });
        }
        found.into_iter().max_by_key(|conflict| conflict.looked)
    }

    /// A conflict on a table, of which only the statements matter.
    #[cfg(test)]
    pub(super) fn of_statements(table: &str, reach: Option<Reach>, sent: SentOverWire) -> Self {
        Self {
            who: "A".into(),
            other: "B".into(),
            table: table.into(),
            rows: None,
            looked: 1,
            changed: 2,
            acted: 3,
            reach,
            looked_in: None,
            changed_in: None,
            acted_in: None,
            sent,
        }
    }

    /// Whether a step, counted from 0, is one of the three.
    pub(in crate::explore) fn is_about(&self, step: usize) -> bool {
        [self.looked, self.changed, self.acted].contains(&(step + 1))
    }
}

/// The columns that have one value in all of these, with that value; none if there are none, or if it is not known.
fn common_rows(deeds: &[&Deed<'_>]) -> Option<String> {
    let mut all = deeds.iter().map(|deed| deed.rows);
    let first = all.next()??;
    let others: Vec<&BTreeMap<String, String>> = all.collect::<Option<_>>()?;
    let is_common = |(column, value): &(&String, &String)| {
        others.iter().all(|rows| rows.get(*column) == Some(*value))
    };
    let common =
        first.iter().filter(is_common).map(|(column, value)| format!("{column} = {value}"));
    let common: Vec<String> = common.collect();
    (!common.is_empty()).then(|| common.join(", "))
}

/// Whether no buyer sent a statement between two of another.
pub(in crate::explore) fn is_serial(steps: &[ServerStep]) -> bool {
    let mut places: Vec<usize> = steps.iter().map(|step| step.place).collect();
    places.dedup();
    let stretches = places.len();
    places.sort_unstable();
    places.dedup();
    stretches == places.len()
}

/// Whether a text names a table or a key: a table as a word, a key, which may have any signs in it, as it is.
pub(in crate::explore) fn names(text: &str, name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    match is_word {
        true => words(text).any(|word| word == name),
        false => text.split(' ').any(|word| word == name),
    }
}

/// The words of a text, in lower case.
pub(in crate::explore) fn words(text: &str) -> impl Iterator<Item = String> {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = text.split(move |c| !is_of_word(c)).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::sql::{Dialect, code_location};
    use crate::scheduler::{Facet, Footprint, PendingStatement, Region, Rows};

    const TABLES: [&str; 2] = ["product", "cart"];

    /// A step of this buyer, about the row of a table with this id, if it names one.
    fn step(place: usize, text: &str, table: usize, id: Option<u32>, answer: &str) -> ServerStep {
        let values = id.map(|id| [("id".to_owned(), id.to_string())].into());
        let region = |facet| match &values {
            Some(values) => Region::of_rows(Rows { table, facet, values: Clone::clone(values) }),
            None => Resources::table(table).into(),
        };
        let footprint = match text.starts_with("SELECT") {
            true => Footprint { reads: region(Facet::Contents), ..Footprint::NOTHING },
            false => Footprint { writes: region(Facet::Locks), ..Footprint::NOTHING },
        };
        let statement = PendingStatement::new(text.into(), Footprint::NOTHING);
        let statement = PendingStatement { transaction: Some(place as u64), ..statement };
        ServerStep {
            place,
            statement: statement.depending_on(footprint),
            answer: Some(answer.into()),
            has_begun: false,
            waits_for: Vec::new(),
            went_on: Vec::new(),
            began: Vec::new(),
            left: Vec::new(),
            footprint: Footprint::NOTHING,
        }
    }

    /// The conflict in these steps, at whose end each buyer is served that was not before.
    fn among(steps: &[ServerStep], audited: &[&str]) -> Option<Conflict> {
        let mut steps = steps.to_vec();
        for place in [0, 1] {
            let is_served = served_at(&steps, place).is_some();
            if let Some(last) = steps.last_mut().filter(|_| !is_served) {
                last.left.push((place, Ending::Bought));
            }
        }
        let steps = &steps[..];

        let owned =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Conflict::among(steps, &owned(&TABLES), &owned(audited))
    }

    const READ: &str = "SELECT stock FROM product WHERE id = 1";
    const WRITE: &str = "UPDATE product SET stock = 0 WHERE id = 1";

    #[test]
    fn a_read_that_another_overtakes_is_named_with_its_rows() {
        let steps = [
            step(0, READ, 0, Some(1), "1"),
            step(1, WRITE, 0, Some(1), "1 row"),
            step(0, WRITE, 0, Some(1), "1 row"),
        ];
        let conflict = among(&steps, &["product"]).unwrap();
        let told = conflict.to_string();
        assert!(told.starts_with("A read product (id = 1) at 1; B wrote it at 2; A wrote it at 3"));
        assert_eq!(conflict.reach, Some(Reach::Level));
    }

    #[test]
    fn the_places_of_its_statements_are_told_with_it() {
        let tagged = |text: &str, line: u32| {
            let text = format!("{text} /*file='shop.py',line='{line}'*/");
            code_location(Dialect::Postgres, &text)
        };
        let mut steps = [
            step(0, READ, 0, Some(1), "1"),
            step(1, WRITE, 0, Some(1), "1 row"),
            step(0, WRITE, 0, Some(1), "1 row"),
        ];
        steps[1].statement.code = tagged(WRITE, 35);
        steps[2].statement.code = tagged(WRITE, 35);
        let told = |steps: &[ServerStep]| {
            let words = among(steps, &["product"]).unwrap().to_string();
            words.lines().next().unwrap().to_owned()
        };
        let words = told(&steps);
        assert_eq!(
            words,
            "A read product (id = 1) at 1; B wrote it at 2 (shop.py:35); A wrote it at 3 (shop.py:35)"
        );
        steps[0].statement.code = tagged(READ, 31);
        let words = told(&steps);
        assert!(words.starts_with("A read product (id = 1) at 1 (shop.py:31); B"), "{words}");
    }

    #[test]
    fn other_rows_and_statements_that_changed_none_are_no_conflict() {
        let with = |id: u32, answer: &str| {
            [
                step(0, READ, 0, Some(1), "1"),
                step(1, WRITE, 0, Some(id), answer),
                step(0, WRITE, 0, Some(1), "1 row"),
            ]
        };
        assert_eq!(among(&with(2, "1 row"), &["product"]), None);
        assert_eq!(among(&with(1, "0 rows"), &["product"]), None);
    }

    #[test]
    fn a_write_that_had_to_wait_is_one_where_it_was_answered() {
        let mut blocked = step(1, WRITE, 0, Some(1), "");
        blocked.answer = None;
        let mut commit = step(0, "COMMIT", 0, None, "");
        commit.went_on = vec![(1, "1 row".into())];
        let steps =
            [step(0, READ, 0, Some(1), "1"), blocked, step(0, WRITE, 0, Some(1), "1 row"), commit];
        assert_eq!(among(&steps, &["product"]), None, "B wrote only after A had committed");
    }

    #[test]
    fn a_write_that_had_to_wait_belongs_to_the_transaction_that_sent_it() {
        let mut blocked = step(0, WRITE, 0, Some(1), "");
        blocked.answer = None;
        let mut commit = step(1, "COMMIT", 0, None, "");
        commit.went_on = vec![(0, "1 row".into())];
        let steps =
            [step(0, READ, 0, Some(1), "1"), step(1, WRITE, 0, Some(1), "1 row"), blocked, commit];
        let conflict = among(&steps, &["product"]).unwrap();
        assert_eq!((conflict.acted, conflict.reach), (4, Some(Reach::Level)));
    }

    #[test]
    fn what_was_rolled_back_was_not_written() {
        let steps = [
            step(0, READ, 0, Some(1), "1"),
            step(1, WRITE, 0, Some(1), "1 row"),
            step(1, "ROLLBACK", 0, None, ""),
            step(0, WRITE, 0, Some(1), "1 row"),
        ];
        assert_eq!(among(&steps, &["product"]).and_then(|conflict| conflict.reach), None);
    }

    #[test]
    fn a_table_of_a_subquery_is_not_changed() {
        let text = "UPDATE cart SET open = 0 WHERE product IN (SELECT id FROM product)";
        let steps = [
            step(0, READ, 0, Some(1), "1"),
            step(1, text, 1, None, "1 row"),
            step(0, text, 1, None, "1 row"),
        ];
        assert_eq!(among(&steps, &["product"]), None);
    }

    #[test]
    fn rows_that_are_not_known_are_told_of_only_where_the_audit_looks_for_the_stock() {
        let steps = [
            step(0, READ, 0, None, "1"),
            step(1, WRITE, 0, None, "1 row"),
            step(0, WRITE, 0, None, "1 row"),
        ];
        assert_eq!(among(&steps, &["product"]).unwrap().rows, None);
        assert_eq!(among(&steps, &["cart", "product"]), None);
    }

    #[test]
    fn where_a_trigger_changes_the_stock_the_explanation_is_who_was_served_when() {
        let buys = |place: usize| ServerStep {
            left: vec![(place, Ending::Bought)],
            ..step(place, "INSERT INTO cart (id) VALUES (1)", 1, None, "1 row")
        };
        let steps =
            [step(0, READ, 0, Some(1), "1"), step(1, READ, 0, Some(1), "1"), buys(1), buys(0)];
        let conflict = among(&steps, &["product"]).unwrap();
        assert_eq!(conflict.to_string(), "A read product at 1; B was served at 3, and A at 4");
        assert!(!is_serial(&steps));
        assert!(is_serial(&[buys(0), buys(0), buys(1)]));
    }
}
