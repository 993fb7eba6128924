//! Assigns statements to buyers: a tracker stands between connections and the scheduler's gate.
//!
//! A statement does not say which request it belongs to. But the scheduler runs only one buyer's request at a time. So
//! a statement that arrives then belongs to that buyer, on whichever connection. A buyer that is a program has a proxy of
//! its own: whatever comes there is its.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::background::{Background, Client, Sender};
use crate::base::clock::nanos;
use crate::describe::app::Ignored;
use crate::scheduler::{BuyerHandle, Footprint, PendingStatement, Resources, RunningCode};

/// How long a request that has been answered may take to end what it has begun.
const TIDYING_UP: Duration = Duration::from_millis(500);

/// How often a waiting thread checks whether the execution is over.
const GLANCE: Duration = Duration::from_millis(10);

/// How long the code of a request is quiet once it has sent all statements that it sends at once, over several
/// connections: at least, if the application is seen to sleep then, and at most.
const QUIET: Duration = Duration::from_millis(6);
const LONG_QUIET: Duration = Duration::from_millis(30);

/// How long a statement waits at most for others that its request may send at the same time.
const LONGEST_QUIET: Duration = Duration::from_millis(500);

/// How long a connection that was opened may take until it is used.
const OPENING: Duration = Duration::from_millis(200);

/// The number of a connection through the proxy; never given twice.
pub(crate) type ConnectionId = u64;

/// Holds each statement at the gate in the name of its buyer, and then lets it through.
#[derive(Default)]
pub(crate) struct SessionTracker {
    book: Mutex<Book>,
    /// Wakes the threads that wait until another statement of the same buyer has been answered.
    answered: Condvar,
}

/// What the tracker knows.
#[derive(Default)]
struct Book {
    /// The handles of the buyers who are in the shop; empty while nothing is held.
    handles: Vec<BuyerHandle>,
    lines: BTreeMap<ConnectionId, ProxiedConnection>,
    last: ConnectionId,
    /// The ports at which one buyer alone connects, and which buyer.
    own_ports: BTreeMap<u16, usize>,
    /// Buyers that have a statement at the gate or on its way, and over which connection.
    busy: Vec<(usize, ConnectionId)>,
    /// Statements that are the first on their connection, and wait until no other of their buyer is at the gate.
    candidates: Vec<Candidate>,
    /// Whether a request was seen to send statements over several connections at once. In which order they come is
    /// chance then.
    has_parallel: bool,
    background: Background,
    seen: Irregularities,
    deadlocks: u64,
}

/// A connection.
#[derive(Default)]
struct ProxiedConnection {
    client: Client,
    /// The buyer that alone connects at its port.
    only: Option<usize>,
    /// When it was opened, while nothing was sent over it.
    unused_since_ns: Option<u64>,
    /// The transaction whose first statement was seen, and whose it is.
    transaction: Option<(u64, Sender)>,
    /// The number by which the watch knows its session.
    session: i64,
    /// The buyer that used it last in this execution.
    owner: Option<usize>,
    /// The buyers whose statements are on their way, in order; none for a statement that is no buyer's.
    on_its_way: VecDeque<Option<usize>>,
    /// The buyers whose statements have come in and not been sent, in order.
    queue: VecDeque<usize>,
    /// Whether an answer is known and has not been forwarded to the client.
    is_delivering: bool,
    /// Whether a transaction is under way.
    is_open: bool,
    /// Whether the client has closed it, and the server not yet.
    is_closing: bool,
}

/// A statement that waits until no other of its buyer is at the gate. Those of one buyer go in the order of their texts.
#[derive(Clone, Debug)]
struct Candidate {
    place: usize,
    shape: String,
    text: String,
    number: ConnectionId,
    /// How many others of its buyer have gone since it came.
    overtaken: u32,
}

/// How many others may overtake a statement: what polls meanwhile, and is taken for a buyer's, does not end.
const MOST_OVERTAKE: u32 = 16;

/// What the tracker has counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Irregularities {
    /// Statements that are no buyer's, as far as is known: the application's own.
    pub(crate) own: u64,
    /// Statements that a request has sent beside another of its own, over another connection.
    pub(crate) parallel: u64,
    /// Statements that could have been more than one buyer's.
    pub(crate) unclear: u64,
    /// Requests that ended and left a transaction open.
    pub(crate) left_open: u64,
    /// Statements that came over a connection on which another buyer's was held.
    pub(crate) shared: u64,
}

impl SessionTracker {
    /// From now on statements are held, each in the name of one of these buyers.
    pub(crate) fn holds(&self, handles: Vec<BuyerHandle>) {
        let mut book = self.book.lock();
        book.handles = handles;
        book.busy.clear();
        book.candidates.clear();
        for line in book.lines.values_mut() {
            line.owner = None;
        }
    }

    /// From now on every statement is let through.
    pub(crate) fn stands_aside(&self) {
        self.book.lock().handles.clear();
        self.answered.notify_all();
    }

    /// What was counted since the last call.
    pub(crate) fn sightings(&self) -> Irregularities {
        std::mem::take(&mut self.book.lock().seen)
    }

    /// Counts a transaction that a server has ended to break a deadlock.
    pub(crate) fn count_deadlock(&self) {
        self.book.lock().deadlocks += 1;
    }

    /// The deadlocks counted since the last call.
    pub(crate) fn take_deadlocks(&self) -> u64 {
        std::mem::take(&mut self.book.lock().deadlocks)
    }

    /// The application answers at these ports, and these statements are its own.
    pub(crate) fn serves_at(&self, ports: Vec<u16>, ignored: Ignored) {
        self.book.lock().background.serves_at(ports, ignored);
    }

    /// Whatever comes over connections to this port is sent by this buyer.
    pub(crate) fn serves_buyer(&self, port: u16, buyer: usize) {
        self.book.lock().own_ports.insert(port, buyer);
    }

    /// Tables have these names, in the order of their numbers.
    pub(crate) fn knows_tables(&self, names: &[String]) {
        self.book.lock().background.knows_tables(names);
    }

    /// The application has been prepared: what it sends from now on without a request it sends by itself.
    pub(crate) fn is_prepared(&self) {
        self.book.lock().background.is_prepared();
    }

    /// The application was started anew.
    pub(crate) fn has_restarted(&self) {
        self.book.lock().background.has_restarted();
    }

    /// Whether the application does nothing more that may belong to a request.
    pub(crate) fn is_at_rest(&self) -> bool {
        let mut book = self.book.lock();
        let is_answered = book.lines.values().all(|line| line.on_its_way.is_empty());
        is_answered && !book.is_unsettled() && book.background.is_at_rest()
    }

    /// Whether no thread that serves requests runs or could run, and nothing is on its way to one; none if that cannot be
    /// seen.
    pub(crate) fn code_is_asleep(&self) -> Option<bool> {
        let mut book = self.book.lock();
        let is_unsettled = book.is_unsettled();
        book.background.is_asleep().map(|is_asleep| is_asleep && !is_unsettled)
    }

    /// Whether the application has been seen to send anything by itself.
    pub(crate) fn is_busy(&self) -> bool {
        self.book.lock().background.is_busy()
    }

    /// Whether a statement, without its values and in brief, is the application's own and no buyer's.
    pub(crate) fn is_only_own(&self, brief: &str) -> bool {
        self.book.lock().background.is_only_own(brief)
    }

    /// What the application's own statements and those of buyers both touch, and one of them changes: tables by their
    /// numbers. None if the order of the two cannot matter.
    pub(crate) fn disturbed(&self) -> Option<Resources> {
        self.book.lock().background.disturbed()
    }

    /// Sends a request: in the name of this buyer, if it is a part of its checkout.
    pub(crate) fn during_request<T>(&self, buyer: Option<usize>, send: impl FnOnce() -> T) -> T {
        self.book.lock().background.request_begins(buyer);
        let answer = send();
        self.book.lock().background.request_ends();
        answer
    }

    /// Whether a session works for the application itself at this moment.
    pub(crate) fn works_by_itself(&self, session: i64) -> bool {
        let book = self.book.lock();
        let mut its = book.lines.values().filter(|line| line.session == session);
        its.any(|line| {
            line.is_open && line.transaction.is_some_and(|(_, sender)| sender != Sender::Buyer)
                || line.on_its_way.iter().any(Option::is_none)
        })
    }

    /// Adds a connection that this client has opened, and returns its number.
    pub(crate) fn opened(&self, client: Client) -> ConnectionId {
        let mut book = self.book.lock();
        book.last += 1;
        let number = book.last;
        let unused_since_ns = Some(book.background.now());
        let port = client.ports.map(|(_, to)| to);
        let only = port.and_then(|port| book.own_ports.get(&port).copied());
        let line =
            ProxiedConnection { client, only, unused_since_ns, ..ProxiedConnection::default() };
        book.lines.insert(number, line);
        number
    }

    /// The client of this connection gives itself this name.
    pub(crate) fn is_named(&self, number: ConnectionId, name: String) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.client.name = Some(name);
        }
    }

    /// The watch knows this connection's session by this number.
    pub(crate) fn registered(&self, number: ConnectionId, session: i64) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.session = session;
        }
    }

    /// The client has closed the connection.
    pub(crate) fn closing(&self, number: ConnectionId) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.is_closing = true;
        }
    }

    /// The connection is closed. Its unanswered statements count as answered, so that no buyer waits for them any more.
    pub(crate) fn closed(&self, number: ConnectionId) {
        let on_its_way = |line: &ProxiedConnection| line.on_its_way.len();
        let asked = self.book.lock().lines.get(&number).map_or(0, on_its_way);
        for _ in 0..asked {
            self.hear(number, "the connection is closed".into(), false, Some(false));
        }
        self.book.lock().lines.remove(&number);
        self.answered.notify_all();
    }

    /// A buyer's request has ended. Waits until what the request left open has ended, too: a connection that the
    /// application closes, or a transaction that it rolls back when it gives the connection back. Statements sent for
    /// that are held like all others. If none is sent, the wait is short.
    pub(crate) fn leaves(&self, place: usize) {
        let mut book = self.book.lock();
        // At a port of its own, nothing may be left for the next execution.
        while !book.is_over() || book.is_connected(place) {
            let is_saying = book.is_saying(place);
            if !is_saying && !book.has_left_behind(place) && !book.is_connected(place) {
                return;
            }
            let timed_out = self.answered.wait_for(&mut book, TIDYING_UP).timed_out();
            if timed_out && book.is_over() {
                return;
            }
            if timed_out && !is_saying && !book.is_saying(place) {
                book.seen.left_open += u64::from(book.has_left_behind(place));
                return;
            }
        }
    }

    /// A statement has come in: returns the buyer in whose name it is to be held, if it is to be held.
    pub(crate) fn comes(&self, number: ConnectionId, pending: &PendingStatement) -> Option<usize> {
        let mut book = self.book.lock();
        if let Some(line) = book.lines.get_mut(&number) {
            line.unused_since_ns = None;
        }
        if pending.touches == Footprint::NOTHING {
            return None;
        }
        let sender = book.sender(number, pending);
        book.background.notes(pending, sender);
        if sender != Sender::Buyer {
            book.background.lets_through(pending, sender);
        }
        if book.is_over() {
            return None;
        }
        let place = if sender == Sender::Buyer { book.whose(number) } else { None };
        let Some(place) = place else {
            book.seen.own += 1;
            if sender == Sender::Buyer {
                book.background.lets_through(pending, sender);
            }
            return None;
        };
        book.background.is_a_buyers(pending);
        let handle = book.handles.get(place)?.clone();
        let line = book.lines.get_mut(&number)?;
        line.queue.push_back(place);
        let ahead = line.queue.len() - 1;
        if ahead > 0 && line.queue[ahead - 1] != place {
            book.seen.shared += 1;
        }
        drop(book);
        if ahead > 0 {
            handle.stop_behind();
        }
        Some(place)
    }

    /// The statement is the first on its connection. Waits until it may be sent.
    pub(crate) fn steps_up(&self, number: ConnectionId, place: usize, pending: PendingStatement) {
        let mut book = self.book.lock();
        self.await_place(&mut book, Candidate::of(number, place, &pending));
        let behind: Vec<usize> = book
            .lines
            .get(&number)
            .map_or(Vec::new(), |line| line.queue.iter().skip(1).copied().collect());
        let handles: Vec<BuyerHandle> =
            behind.iter().filter_map(|place| book.handles.get(*place)).cloned().collect();
        let Some(handle) = book.handles.get(place).cloned() else {
            book.leave_queue(number);
            return;
        };
        book.busy.push((place, number));
        let session = book.lines.get(&number).map_or(0, |line| line.session);
        drop(book);
        for other in handles.iter().filter(|other| other.place() != place) {
            other.stop_behind();
        }
        handle.register(session);
        // If the execution is closed, the statement goes on without a release: the request has to come to its end.
        handle.await_release(pending);
        self.book.lock().leave_queue(number);
    }

    /// Waits until no other statement of its buyer is at the gate: a request with several connections has one there at a
    /// time. Of several that come at once the first by its text is the first, so that it is the same one each time.
    fn await_place(&self, book: &mut MutexGuard<'_, Book>, candidate: Candidate) {
        let (place, number) = (candidate.place, candidate.number);
        let is_parallel = book.is_beside_another(&candidate);
        book.has_parallel |= is_parallel;
        book.seen.parallel += u64::from(is_parallel);
        book.candidates.push(candidate);
        self.answered.notify_all();
        let begun_ns = book.background.now();
        let mut since_ns = begun_ns;
        let mut known = 0;
        while !book.is_over() {
            let its = book.candidates.iter().filter(|one| one.place == place);
            let (count, first) = (its.clone().count(), its.min_by_key(|one| one.turn()));
            let is_first = first.is_some_and(|first| first.number == number);
            let is_next = !book.is_busy(place) && is_first;
            let waited_ns = book.background.now().saturating_sub(begun_ns);
            if is_next && (!book.has_parallel || waited_ns >= nanos(LONGEST_QUIET)) {
                break;
            }
            if count != known || !is_next || book.is_unsettled() {
                // More may come.
                (known, since_ns) = (count, book.background.now());
            } else {
                let quiet_ns = book.background.now().saturating_sub(since_ns);
                let is_asleep =
                    quiet_ns >= nanos(QUIET) && book.background.is_asleep() == Some(true);
                if is_asleep || quiet_ns >= nanos(LONG_QUIET) {
                    break;
                }
            }
            self.answered.wait_for(book, if is_next { QUIET } else { GLANCE });
        }
        book.candidates.retain(|one| one.number != number);
        for other in book.candidates.iter_mut().filter(|one| one.place == place) {
            other.overtaken += 1;
        }
    }

    /// A statement that the server will answer is now sent.
    pub(crate) fn sends(&self, number: ConnectionId, place: Option<usize>) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.on_its_way.push_back(place);
        }
    }

    /// The server has answered, and told whether a transaction is open, if it says so. Waits until the buyer that asked
    /// may hear the answer.
    pub(crate) fn hear(
        &self,
        number: ConnectionId,
        answer: String,
        is_refused: bool,
        is_open: Option<bool>,
    ) {
        let mut book = self.book.lock();
        let whose = book.lines.get_mut(&number).and_then(|line| line.on_its_way.pop_front());
        let handle = whose.flatten().and_then(|place| book.handles.get(place).cloned());
        if let Some(handle) = &handle {
            drop(book);
            // The buyer counts as answered only once its handle has the answer: from then on it may leave.
            handle.hear(answer, is_refused);
            book = self.book.lock();
        }
        if let Some(place) = whose.flatten() {
            book.busy.retain(|(busy, _)| *busy != place);
        }
        if let Some(line) = book.lines.get_mut(&number) {
            line.is_open = is_open.unwrap_or(line.is_open);
            line.is_delivering = true;
        }
        self.answered.notify_all();
    }

    /// The last answer was forwarded to the client.
    pub(crate) fn delivered(&self, number: ConnectionId) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.is_delivering = false;
        }
    }
}

impl Candidate {
    fn of(number: ConnectionId, place: usize, pending: &PendingStatement) -> Self {
        let text = pending.text.clone();
        let shape = pending.shape.clone().unwrap_or_default();
        Self { place, shape, text, number, overtaken: 0 }
    }

    /// What decides which of a buyer's statements goes first.
    fn turn(&self) -> (bool, &str, &str, ConnectionId) {
        (self.overtaken < MOST_OVERTAKE, &self.shape, &self.text, self.number)
    }
}

impl Book {
    /// Whether no statement is held any more, because every buyer is to come to an end.
    fn is_over(&self) -> bool {
        self.handles.first().is_none_or(BuyerHandle::is_closed)
    }

    /// Whether the application is about to be given an answer, or has opened a connection just now, over which a statement
    /// is still to come.
    fn is_unsettled(&self) -> bool {
        let now = self.background.now();
        let opens = |since: u64| now.saturating_sub(since) < nanos(OPENING);
        self.lines
            .values()
            .any(|line| line.is_delivering || line.unused_since_ns.is_some_and(opens))
    }

    /// Whether a statement of this buyer has come in and has not been answered.
    fn is_saying(&self, place: usize) -> bool {
        let mut lines = self.lines.values();
        self.is_busy(place) || lines.any(|line| line.queue.contains(&place))
    }

    /// Whether a statement of this buyer is at the gate or on its way.
    fn is_busy(&self, place: usize) -> bool {
        self.busy.iter().any(|(busy, _)| *busy == place)
    }

    /// Whether its buyer has another statement that has not been answered, over another connection.
    fn is_beside_another(&self, candidate: &Candidate) -> bool {
        let Candidate { place, number, .. } = candidate;
        let is_other = |one: usize, over: ConnectionId| one == *place && over != *number;
        self.busy.iter().any(|(one, over)| is_other(*one, *over))
            || self.candidates.iter().any(|one| is_other(one.place, one.number))
    }

    /// Whether the buyer has begun something that has not ended: an open transaction, or a closing connection.
    fn has_left_behind(&self, place: usize) -> bool {
        let mut its = self.lines.values().filter(|line| line.owner == Some(place));
        its.any(|line| line.is_open || line.is_closing)
    }

    /// Whether the buyer has a connection at a port of its own.
    fn is_connected(&self, place: usize) -> bool {
        self.lines.values().any(|line| line.only == Some(place))
    }

    /// The first statement of a connection's queue is on its way.
    fn leave_queue(&mut self, number: ConnectionId) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.queue.pop_front();
        }
    }

    /// Whose a statement is: as its transaction, unless it begins one.
    fn sender(&mut self, number: ConnectionId, pending: &PendingStatement) -> Sender {
        let Some(line) = self.lines.get_mut(&number) else { return Sender::Buyer };
        if line.only.is_some() {
            return Sender::Buyer;
        }
        if let (Some(transaction), Some((known, sender))) = (pending.transaction, line.transaction)
            && transaction == known
        {
            return sender;
        }
        let sender = self.background.sender(&mut line.client, pending);
        line.transaction = pending.transaction.map(|transaction| (transaction, sender));
        sender
    }

    /// The buyer of a statement on this connection: the one that alone connects at its port; else the only one whose code
    /// may run; if several may, the one that has used the connection before. If none may, the buyer whose code ran last has
    /// sent one more statement before it was answered.
    fn whose(&mut self, number: ConnectionId) -> Option<usize> {
        let RunningCode { runs, may_run, ran_last } = self.handles.first()?.running();
        let line = self.lines.get_mut(&number)?;
        let may = |place: &usize| runs == Some(*place) || may_run.contains(place);
        if let Some(place) = line.only {
            line.owner = Some(place);
            // What a program has left behind is no buyer's any more.
            let owner = self.handles.get(place).filter(|handle| handle.is_there()).map(|_| place);
            // Another's code, which runs alone, may have this buyer's address.
            self.seen.unclear += u64::from(owner.is_some() && runs.is_some() && !may(&place));
            return owner;
        }
        let programs: Vec<usize> = self.lines.values().filter_map(|line| line.only).collect();
        let line = self.lines.get_mut(&number)?;
        let none_may = runs.is_none() && may_run.is_empty();
        let before = line.owner.filter(|place| may(place) || none_may && ran_last == Some(*place));
        let is_unclear = before.is_none() && usize::from(runs.is_some()) + may_run.len() != 1;
        line.owner = before.or(runs).or(may_run.first().copied()).or(ran_last);
        // A program has an address of its own: what comes by another one may be the application's, and late.
        let is_odd = |place: usize| is_unclear || programs.contains(&place);
        self.seen.unclear += u64::from(line.owner.is_some_and(is_odd));
        line.owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_go_in_the_order_of_their_texts_unless_one_was_overtaken_too_often() {
        let of = |text: &str, number| {
            Candidate::of(number, 0, &PendingStatement::new(text.into(), Footprint::NOTHING))
        };
        let (mut late, poll) = (of("SELECT stock", 1), of("SELECT job", 2));
        assert!(poll.turn() < late.turn());
        late.overtaken = MOST_OVERTAKE;
        assert!(late.turn() < poll.turn());
    }
}
