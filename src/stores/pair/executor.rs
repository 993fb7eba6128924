//! The connections of one buyer to both stores: each step is sent over that to its own store.

use super::{STORES, place_of};
use crate::base::error::Error;
use crate::describe::checkout::{Answer, Call, StoreValue};
use crate::scheduler::{BuyerConnection, BuyerHandle, PendingStatement};
use crate::stores::remote::{Refusal, SessionNumbers, Stays, StepExecutor, StepServer};

/// A connection to one of the stores.
struct PairMember {
    executor: Box<dyn StepExecutor>,
    /// What the gate has to know of it while a statement is sent over it.
    connection: BuyerConnection,
    numbers: SessionNumbers,
}

impl PairMember {
    /// Takes over what the store has noted of its connection, if it has opened one.
    fn take_connection(&mut self, handle: &BuyerHandle) {
        let mut noted = handle.take_connection();
        if noted != BuyerConnection::default() {
            noted.session = self.numbers.number(noted.session);
            self.connection = noted;
        }
    }
}

/// Two connections, over which the steps of a described checkout are sent.
pub(super) struct PairExecutor {
    members: [PairMember; STORES],
    handle: Option<BuyerHandle>,
}

impl PairExecutor {
    /// Opens a connection to each store.
    pub(super) fn open(
        stores: &[Box<dyn StepServer>; STORES],
        handle: Option<BuyerHandle>,
    ) -> Result<Self, Error> {
        let open = |place: usize| {
            let executor = stores[place].executor(handle.as_ref())?;
            let (connection, numbers) =
                (BuyerConnection::default(), SessionNumbers::of_server(place));
            let mut member = PairMember { executor, connection, numbers };
            if let Some(handle) = &handle {
                member.take_connection(handle);
            }
            Ok::<_, Error>(member)
        };
        let members = [open(0)?, open(1)?];
        Ok(Self { members, handle })
    }

    fn executor(&self, call: &Call) -> &dyn StepExecutor {
        &*self.members[place_of(call)].executor
    }
}

impl StepExecutor for PairExecutor {
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal> {
        self.members[place_of(call)].executor.say(call, value_of)
    }

    fn told(&self, call: &Call, answer: &Answer) -> String {
        self.executor(call).told(call, answer)
    }

    fn pending(
        &mut self,
        call: &Call,
        text: String,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement {
        let [database, redis] = &mut self.members;
        let (own, other) = if place_of(call) == 0 { (database, redis) } else { (redis, database) };
        if let Some(handle) = &self.handle {
            handle.use_connection(own.connection);
        }
        other.executor.during(own.executor.pending(call, text, value_of))
    }

    fn is_open(&self) -> bool {
        self.members.iter().any(|member| member.executor.is_open())
    }

    fn taking_back(&self) -> Vec<Call> {
        self.members.iter().flat_map(|member| member.executor.taking_back()).collect()
    }

    fn stays(&self, call: &Call) -> Stays {
        self.executor(call).stays(call)
    }

    fn may_leave_traces(&self) -> bool {
        self.members.iter().any(|member| member.executor.may_leave_traces())
    }

    fn begin_anew(&mut self) -> Result<u64, Refusal> {
        // What the gate knows of the last connection is no news of a new one.
        if let Some(handle) = &self.handle {
            handle.take_connection();
        }
        let mut kept = 0;
        for member in &mut self.members {
            if member.executor.may_leave_traces() {
                kept += member.executor.begin_anew()?;
            }
            if let Some(handle) = &self.handle {
                member.take_connection(handle);
            }
        }
        Ok(kept)
    }
}
