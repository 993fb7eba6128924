//! Waits for locks that are not InnoDB's: `GET_LOCK`, `LOCK TABLES`, and changes of a table's definition while the
//! table is in use.

use std::collections::BTreeSet;
use std::time::Duration;

use ::mysql::Conn;
use ::mysql::prelude::Queryable;

use crate::base::control::Control;

/// How long the server may still report a session as waiting after its wait has ended: the session updates its own
/// state, once its thread runs.
const IN_TRANSIT: Duration = Duration::from_millis(5);

/// A session, and its state as the server reports it.
type SessionState = (i64, String);

/// The state of a session that waits for `GET_LOCK`.
const USER_LOCK: &str = "User lock";

/// Which sessions wait for which others; 0 if the other one is not known. Sessions that the explorer holds inside a
/// statement are left out: they wait for the explorer.
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
        let is_known = |(who, state): &SessionState| state == USER_LOCK && !owners.contains(who);
        if waiting.iter().all(is_known) {
            return Ok(waiting.iter().filter_map(|(who, _)| waits_for(*who, owners)).collect());
        }
    }
    // A wait that the server reported may be over; a session that still waits has the same state again.
    Control::default().pause(IN_TRANSIT);
    let again = told(conn)?;
    let still = waiting.into_iter().filter(|told| again.contains(told));
    let waits = |(who, state): SessionState| match &owners {
        Some(owners) if state == USER_LOCK => waits_for(who, owners),
        _ => Some((who, 0)),
    };
    Ok(still.filter_map(waits).collect())
}

fn told(conn: &mut Conn) -> Result<Vec<SessionState>, ::mysql::Error> {
    conn.query(include_str!("statements/waits.sql"))
}

/// The sessions that own a lock by `GET_LOCK`, if the server can tell. It names a new owner as soon as the lock is
/// granted, before that session goes on.
fn owners(conn: &mut Conn) -> Option<BTreeSet<i64>> {
    let owners: Vec<i64> = conn.query(include_str!("statements/lock_owners.sql")).ok()?;
    Some(owners.into_iter().collect())
}

/// The wait of a session for a lock of these owners: it names the other owner if there is only one, else 0. None if no
/// other session owns a lock.
fn waits_for(who: i64, owners: &BTreeSet<i64>) -> Option<(i64, i64)> {
    let mut others = owners.iter().filter(|owner| **owner != who);
    let first = others.next()?;
    Some((who, if others.next().is_none() { *first } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_session_waits_for_the_only_other_owner_and_for_an_unknown_one_of_several() {
        let owners = |all: &[i64]| all.iter().copied().collect::<BTreeSet<i64>>();
        assert_eq!(waits_for(5, &owners(&[4])), Some((5, 4)));
        assert_eq!(waits_for(5, &owners(&[4, 5])), Some((5, 4)));
        assert_eq!(waits_for(5, &owners(&[3, 4])), Some((5, 0)));
        assert_eq!(waits_for(5, &owners(&[5])), None);
    }
}
