//! The numbers of sessions where one scheduler steps several servers, which number their sessions alike.

use crate::scheduler::{HELD_INSIDE, Waits};

/// How many low bits of a session's number are its number at its server; the bits above number the server.
const OWN_BITS: u32 = 40;

/// How the sessions of one of several servers are numbered.
#[derive(Clone, Copy, Debug)]
pub(in crate::stores) struct SessionNumbers {
    place: usize,
}

impl SessionNumbers {
    /// Those of the server in this place, counted from 0.
    pub(in crate::stores) fn of_server(place: usize) -> Self {
        Self { place }
    }

    /// What is added to the number by which the server knows a session.
    pub(in crate::stores) fn first(self) -> i64 {
        (self.place as i64 + 1) << OWN_BITS
    }

    /// The number of a session that the server knows by this one. A session without a number has none here, either.
    pub(in crate::stores) fn number(self, session: i64) -> i64 {
        match session {
            0 | HELD_INSIDE => session,
            session => self.first() + session,
        }
    }

    /// Which sessions wait for which others, as the server says.
    pub(in crate::stores) fn waits(self, waits: Waits) -> Waits {
        waits.into_iter().map(|(who, whom)| (self.number(who), self.number(whom))).collect()
    }

    /// The place of a session's server, and the number by which that server knows the session.
    pub(in crate::stores) fn split(session: i64) -> Option<(usize, i64)> {
        let place = usize::try_from((session >> OWN_BITS) - 1).ok()?;
        Some((place, session & ((1 << OWN_BITS) - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_the_same_number_at_two_servers_are_told_apart() {
        let [one, other] = [0, 1].map(SessionNumbers::of_server);
        assert_ne!(one.number(7), other.number(7));
        assert_eq!(SessionNumbers::split(one.number(7)), Some((0, 7)));
        assert_eq!(SessionNumbers::split(other.number(7)), Some((1, 7)));
        assert_eq!(
            other.waits(vec![(7, 8), (9, 0)]),
            [(other.number(7), other.number(8)), (other.number(9), 0)]
        );
    }

    #[test]
    fn a_session_without_a_number_belongs_to_no_server() {
        let numbers = SessionNumbers::of_server(1);
        for session in [0, HELD_INSIDE] {
            assert_eq!(numbers.number(session), session);
            assert_eq!(SessionNumbers::split(session), None);
        }
    }
}
