//! Clients that want the same and do the same. Of those that have not begun, a search lets only the first begin: it is
//! called A, whichever it would have been.

use std::collections::BTreeMap;

use super::choice::{Actor, Choice};
use super::execution::Execution;

/// For each client the first that is like it.
#[derive(Clone, Debug)]
pub(super) struct Symmetry {
    alike: Vec<(Actor, Actor)>,
    /// Whether a search may use it.
    is_used: bool,
}

impl Symmetry {
    /// The symmetry of an execution's clients; none of them is left out unless it is used.
    pub(super) fn of<E: Execution>(execution: &E, is_used: bool) -> Self {
        let clients = execution.clients().into_iter();
        let alike = clients.map(|client| (client, execution.first_alike(client))).collect();
        Self { alike, is_used }
    }

    /// Whether a client is worth choosing after these choices: it has begun, or all others like it that come before it
    /// have.
    pub(super) fn allows(&self, client: Actor, before: &[Choice]) -> bool {
        let has_begun = |client: Actor| before.iter().any(|choice| choice.who == client);
        if !self.is_used || has_begun(client) {
            return true;
        }
        let first = |of: Actor| self.alike.iter().find(|(one, _)| *one == of).map(|(_, it)| *it);
        let earlier = self.alike.iter().map(|(one, _)| *one).take_while(|one| *one != client);
        earlier.filter(|one| first(*one) == first(client)).all(has_begun)
    }

    /// New names for the clients that move in this order after these choices, so that of clients that are alike and have
    /// not begun the first begins first; clients that keep their names are left out.
    pub(super) fn names(
        &self,
        moving: impl Iterator<Item = Actor>,
        before: &[Choice],
    ) -> BTreeMap<Actor, Actor> {
        let mut names = BTreeMap::new();
        if !self.is_used {
            return names;
        }
        let has_begun = |client: Actor| before.iter().any(|choice| choice.who == client);
        let mut free = self.alike.clone();
        free.retain(|(client, _)| !has_begun(*client));
        for client in moving {
            let Some((_, kind)) = self.alike.iter().find(|(one, _)| *one == client) else {
                continue;
            };
            if has_begun(client) || names.contains_key(&client) {
                continue;
            }
            if let Some(at) = free.iter().position(|(_, other)| other == kind) {
                names.insert(client, free.remove(at).0);
            }
        }
        names.retain(|client, name| client != name);
        names
    }

    /// All clients, in order.
    pub(super) fn clients(&self) -> impl Iterator<Item = Actor> {
        self.alike.iter().map(|(client, _)| *client)
    }
}
