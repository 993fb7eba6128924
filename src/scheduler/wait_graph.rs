//! Which sessions of a server wait for which others, as the server says.

/// Pairs of sessions, by the numbers by which the server knows them: the first waits for the second. 0 stands for a
/// session that the server does not name.
pub(crate) type Waits = Vec<(i64, i64)>;

/// In [`Waits`], the session that holds a statement inside the server: the explorer's own.
pub(crate) const HELD_INSIDE: i64 = i64::MIN;

/// Whether a session waits, directly or through others, for itself: a deadlock.
pub(crate) fn is_in_cycle(session: i64, waits: &Waits) -> bool {
    let mut reached = vec![session];
    let mut next = 0;
    while let Some(here) = reached.get(next).copied() {
        next += 1;
        for (_, blocker) in waits.iter().filter(|(who, _)| *who == here) {
            if *blocker == session {
                return true;
            }
            if !reached.contains(blocker) {
                reached.push(*blocker);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadlock_is_a_session_that_waits_for_itself_through_others() {
        let waits = vec![(1, 2), (2, 3), (3, 2), (4, 1)];
        assert!(is_in_cycle(2, &waits));
        assert!(is_in_cycle(3, &waits));
        assert!(!is_in_cycle(1, &waits));
        assert!(!is_in_cycle(4, &waits));
        assert!(!is_in_cycle(5, &waits));
    }
}
