//! Cures that are tried at a running application: its statements are rewritten on their way to the database, and every
//! order is run again.
//!
//! A cure is proved as a search is: with the cure on the wire no order shows the finding, and every order was run. It counts
//! as no proof if the cure was not in every order, or a buyer bought without the statement that was to be rewritten.

use std::sync::Arc;

use super::conflict::{Conflict, Reach, SentOverWire};
use super::cure::{Repeated, gravest, search_again};
use super::named_tables::NamedTables;
use super::orders::server_rewriting;
use super::rehearsal::as_furnished;
use super::results::Costs;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::quantity::of;
use crate::base::text::sql::{Dialect, Rewriting, StatementCure, guard_for, shape, statements};
use crate::check::report::Evidence;
use crate::domain::settings::Settings;
use crate::explore::bound::Plan;
use crate::explore::cure_tried::{Cure, CureTried};
use crate::explore::exploration::{Exploration, OrderCoverage};
use crate::scheduler::SentText;
use crate::stores::Address;
use crate::worlds::dyn_strategy::DynStrategy;

/// A cure that is written into a statement, and how that statement reads before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    rewriting: Rewriting,
    before: String,
    after: String,
}

/// Tries a cure against the gravest finding of a report about an application: runs the orders again, with the cure in the
/// statements, or at the isolation level.
///
/// # Errors
/// As [`server_for`](super::orders::server_for) and [`search_orders`](super::orders::search_orders).
#[expect(clippy::too_many_arguments, reason = "a search, and the cure with which it is made")]
pub fn try_cure(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    cure: Cure,
    report: &Exploration,
    plan: Plan,
    address: &Address,
    control: &Control,
    stopped: &(dyn Monitor + Sync),
) -> Result<CureTried, Error> {
    let checkout = strategy.described();
    let written = match cure {
        Cure::Isolation(_) => None,
        Cure::Lock | Cure::Guard => match written(cure, report) {
            Ok(written) => Some(written),
            Err(why_not) => return Ok(CureTried::impossible(cure, why_not)),
        },
    };
    let isolation = cure.level().unwrap_or(settings.isolation);
    let settings = Settings { isolation, ..settings.clone() };
    let rewriting = written.as_ref().map(|written| Arc::new(written.rewriting.clone()));
    let opened =
        server_rewriting(strategy, &settings, address, control, rewriting).and_then(|server| {
            let settings = as_furnished(strategy, settings, &*server)?;
            Ok((server, settings))
        });
    let (server, settings) = match opened {
        Ok(opened) => opened,
        Err(Error::Input(why)) => {
            let first = why.lines().next().unwrap_or_default();
            let tried = CureTried::impossible(
                cure,
                format!("with it a buyer fails that is alone: {first}"),
            );
            return Ok(with_statement(tried, written));
        }
        Err(error) => return Err(error),
    };
    let kind = gravest(report);
    let Repeated { report: again, costs, evidence, remains } =
        search_again(strategy, &settings, &*server, kind, plan, stopped)?;
    let is_one_role = checkout.is_none_or(|checkout| checkout.roles.len() == 1);
    let not_applied = written.as_ref().and_then(|_| not_applied(costs, is_one_role));
    let evidence = match evidence {
        Evidence::Proved if not_applied.is_some() => Evidence::NotSeen,
        evidence => evidence,
    };
    let why_not = match evidence {
        Evidence::Proved => None,
        _ => not_applied
            .or_else(|| again.incomplete.clone().filter(|_| evidence != Evidence::Broken)),
    };
    let OrderCoverage { run: orders, preemptions, complete, .. } =
        again.orders.clone().unwrap_or_default();
    let tried = CureTried {
        cure: cure.to_string(),
        evidence: Some(evidence),
        why_not,
        before: None,
        statement: None,
        remains,
        orders,
        waited: costs.waited,
        failed: again.failed,
        resolved_deadlocks: again.resolved_deadlocks,
        unheeded: costs.unheeded,
        preemptions: preemptions.filter(|_| !complete),
    };
    Ok(with_statement(tried, written))
}

fn with_statement(tried: CureTried, written: Option<Written>) -> CureTried {
    let (before, statement) = written.map(|written| (written.before, written.after)).unzip();
    CureTried { before, statement, ..tried }
}

/// Why orders in which the cure was not in every statement prove nothing of it; none if it was.
fn not_applied(costs: Costs, is_one_role: bool) -> Option<String> {
    let Costs { missed, without_cure, bought_without, .. } = costs;
    if missed > 0 {
        return Some(format!("in {} the statement was sent without it", of(missed, "order")));
    }
    if without_cure > 0 {
        return Some(format!(
            "in {} the statement was not sent, but others in its place",
            of(without_cure, "order")
        ));
    }
    (is_one_role && bought_without > 0).then(|| {
        format!(
            "in {} a buyer bought without the statement, and with others in its place",
            of(bought_without, "order")
        )
    })
}

/// The cure as it is written into the statement that the report explains its finding by.
fn written(cure: Cure, report: &Exploration) -> Result<Written, String> {
    let Some(first) = report.findings.first() else {
        return Err("nothing was found that it could cure".into());
    };
    let why = report.findings.iter().find_map(|told| told.why.as_ref());
    let why = why.ok_or(match first.serial {
        true => "the finding needs no other buyer in between: it is broken even if buyers come one after the other",
        false => "the report names no read and no write that interfere",
    })?;
    match cure {
        Cure::Guard => guard(why),
        Cure::Lock | Cure::Isolation(_) => lock(why),
    }
}

/// A lock on the rows that were read.
fn lock(why: &Conflict) -> Result<Written, String> {
    let SentOverWire { read, is_read_in_transaction, .. } = &why.sent;
    let read = statement_about(read.as_deref(), |tables| tables.read.contains(&why.table));
    let (dialect, read) = read.ok_or_else(|| {
        format!("what read `{}` at {} is no SQL statement of its own", why.table, why.looked)
    })?;
    if !is_read_in_transaction {
        return Err(format!(
            "the read at {} is in no transaction, so that its lock would be gone at once; begin a transaction before it",
            why.looked
        ));
    }
    if why.reach == Some(Reach::Scope) {
        return Err(format!(
            "the read at {} and the write at {} are in different transactions, so that the lock would be gone before \
             the write; do both in one",
            why.looked, why.acted
        ));
    }
    let cure = StatementCure::Lock { table: why.table.clone() };
    write(cure, &read, why.looked, dialect, None)
}

/// A condition on the rows that were written.
fn guard(why: &Conflict) -> Result<Written, String> {
    let SentOverWire { read, wrote, .. } = &why.sent;
    let wrote = statement_about(wrote.as_deref(), |tables| tables.changed.contains(&why.table));
    let (dialect, wrote) = wrote
        .ok_or_else(|| format!("it is not known which SQL statement changed `{}`", why.table))?;
    let read = statement_about(read.as_deref(), |tables| tables.read.contains(&why.table));
    let read = read.map(|(_, read)| read);
    let no_guard = |reason: String| format!("no guard for the write at {}: {reason}", why.acted);
    let cure = guard_for(dialect, &wrote, read.as_deref().unwrap_or_default()).map_err(no_guard)?;
    if matches!(cure, StatementCure::Unchanged(_)) && why.reach != Some(Reach::Level) {
        return Err(no_guard("the value was not read in the transaction that writes".into()));
    }
    write(cure, &wrote, why.acted, dialect, Some("0"))
}

/// The one of several statements that were sent at once that is about the table, and its dialect.
fn statement_about(
    sent: Option<&SentText>,
    is_about: impl Fn(&NamedTables) -> bool,
) -> Option<(Dialect, String)> {
    let SentText { text, dialect, .. } = sent?;
    let dialect = (*dialect)?;
    let mut all = statements(dialect, text).into_iter();
    let text = all.find(|text| is_about(&NamedTables::of(text)))?;
    Some((dialect, text.trim().to_owned()))
}

/// Writes a cure into a statement. `read` stands for a value that is known only when the statement is sent.
fn write(
    cure: StatementCure,
    text: &str,
    step: usize,
    dialect: Dialect,
    read: Option<&str>,
) -> Result<Written, String> {
    let cured = cure.write_into(dialect, text, read);
    let cured = cured.map_err(|why| format!("the statement at {step} cannot have it: {why}"))?;
    let (before, after) = (shape(dialect, text), shape(dialect, &cured));
    Ok(Written { rewriting: Rewriting { shape: before.clone(), cure }, before, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(
        read: &str,
        wrote: &str,
        reach: Option<Reach>,
        is_read_in_transaction: bool,
    ) -> Conflict {
        let sent = |text: &str| {
            Some(Arc::new(SentText {
                text: text.into(),
                dialect: Some(Dialect::Postgres),
                ..SentText::default()
            }))
        };
        let sent = SentOverWire { read: sent(read), is_read_in_transaction, wrote: sent(wrote) };
        Conflict::of_statements("product", reach, sent)
    }

    const READ: &str = "BEGIN; SELECT stock FROM product WHERE id = 1";

    #[test]
    fn a_lock_is_written_only_where_it_lasts_until_the_write() {
        let wrote = "UPDATE product SET stock = 0 WHERE id = 1";
        let of = |reach, is_in| lock(&why(READ, wrote, reach, is_in));
        let written = of(Some(Reach::Level), true).unwrap();
        assert_eq!(written.before, "SELECT stock FROM product WHERE id = ?");
        assert_eq!(written.after, "SELECT stock FROM product WHERE id = ? FOR UPDATE");
        assert!(of(Some(Reach::Scope), false).unwrap_err().contains("gone at once"));
        assert!(of(Some(Reach::Scope), true).unwrap_err().contains("different transactions"));
        let other = why("SELECT 1 FROM cart", wrote, Some(Reach::Level), true);
        assert!(lock(&other).unwrap_err().contains("no SQL statement"));
    }

    #[test]
    fn a_guard_is_told_as_it_would_stand_in_the_code() {
        let of = |wrote: &str, reach| guard(&why(READ, wrote, reach, true));
        let level = Some(Reach::Level);
        let written = of("UPDATE product SET stock = 0 WHERE id = 1", level).unwrap();
        assert_eq!(written.after, "UPDATE product SET stock = ? WHERE id = ? AND stock = ?");
        let written = of("UPDATE product SET stock = stock - 1 WHERE id = 1", Some(Reach::Scope));
        assert_eq!(
            written.unwrap().after,
            "UPDATE product SET stock = stock - ? WHERE id = ? AND stock >= ?"
        );
        let refused = of("UPDATE product SET stock = 0", Some(Reach::Scope)).unwrap_err();
        assert!(refused.contains("not read in the transaction"), "{refused}");
    }

    #[test]
    fn a_cure_that_was_not_in_every_order_proves_nothing() {
        let costs = Costs::default();
        assert_eq!(not_applied(costs, true), None);
        for (costs, words) in [
            (Costs { missed: 1, ..costs }, "sent without it"),
            (Costs { without_cure: 2, ..costs }, "not sent"),
            (Costs { bought_without: 1, ..costs }, "bought without"),
        ] {
            let why = not_applied(costs, true).unwrap();
            assert!(why.contains(words), "{why}");
        }
        assert_eq!(not_applied(Costs { bought_without: 1, ..costs }, false), None);
    }
}
