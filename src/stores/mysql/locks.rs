//! Waits for locks that are not InnoDB's: `GET_LOCK`, `LOCK TABLES`, and whatever changes a table while it is in use.

use std::collections::BTreeSet;
use std::time::Duration;

use ::mysql::Conn;
use ::mysql::prelude::Queryable;

use crate::base::control::Control;

/// How long a session that was let go on may still be told of as one that waits: it says itself that it waits no more, when
/// it is its turn on the processor.
const IN_TRANSIT: Duration = Duration::from_millis(5);

/// A session and what the server says that it does.
type Told = (i64, String);

/// What the server says of a session that waits for `GET_LOCK`.
const USER_LOCK: &str = "User lock";

/// Who waits for whom; 0 where that is not known. Sessions that the explorer holds inside a statement are left out: they
/// wait for it.
pub(super) fn waits_beside(
    conn: &mut Conn,
    held_inside: &[i64],
) -> Result<Vec<(i64, i64)>, ::mysql::Error> {
    let mut waiting = told(conn)?;
    waiting.retain(|(who, _)| !held_inside.contains(who));
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let owners = owners(conn);
    if let Some(owners) = &owners {
        let is_known = |(who, state): &Told| state == USER_LOCK && !owners.contains(who);
        if waiting.iter().all(is_known) {
            return Ok(waiting.iter().filter_map(|(who, _)| waits_for(*who, owners)).collect());
        }
    }
    // What it was told last may be over: whoever waits says the same again.
    Control::default().pause(IN_TRANSIT);
    let again = told(conn)?;
    let still = waiting.into_iter().filter(|told| again.contains(told));
    let waits = |(who, state): Told| match &owners {
        Some(owners) if state == USER_LOCK => waits_for(who, owners),
        _ => Some((who, 0)),
    };
    Ok(still.filter_map(waits).collect())
}

fn told(conn: &mut Conn) -> Result<Vec<Told>, ::mysql::Error> {
    conn.query(include_str!("statements/waits.sql"))
}

/// Who owns a lock by `GET_LOCK`, if the server tells. It is told as soon as the lock is given, and so before its new owner
/// knows.
fn owners(conn: &mut Conn) -> Option<BTreeSet<i64>> {
    let owners: Vec<i64> = conn.query(include_str!("statements/lock_owners.sql")).ok()?;
    Some(owners.into_iter().collect())
}

/// For whom somebody waits who waits for some lock of these owners; not at all, if nobody else has any.
fn waits_for(who: i64, owners: &BTreeSet<i64>) -> Option<(i64, i64)> {
    let mut others = owners.iter().filter(|owner| **owner != who);
    let first = others.next()?;
    Some((who, if others.next().is_none() { *first } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_waits_for_the_only_other_owner_and_for_an_unknown_one_of_several() {
        let owners = |all: &[i64]| all.iter().copied().collect::<BTreeSet<i64>>();
        assert_eq!(waits_for(5, &owners(&[4])), Some((5, 4)));
        assert_eq!(waits_for(5, &owners(&[4, 5])), Some((5, 4)));
        assert_eq!(waits_for(5, &owners(&[3, 4])), Some((5, 0)));
        assert_eq!(waits_for(5, &owners(&[5])), None);
    }
}
