//! Whose statement is whose: a doorman stands between connections and the scheduler's gate.
//!
//! Nobody sees which request a statement belongs to. But as only one buyer's request is let go on at a time, whatever
//! arrives then is its doing, over whichever connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::scheduler::{BuyerHandle, Footprint, PendingStatement, RunningCode};

/// How long a request that has been answered may take to end what it has begun.
const TIDYING_UP: Duration = Duration::from_millis(500);

/// How often one looks up to see whether it is all over.
const GLANCE: Duration = Duration::from_millis(10);

/// The number of a connection through the proxy; never given twice.
pub(crate) type LineNumber = u64;

/// Somebody who lets statements through, held in the name of whose they are.
#[derive(Default)]
pub(crate) struct Doorman {
    book: Mutex<Book>,
    /// Whoever waits until another statement of the same buyer has been answered.
    answered: Condvar,
}

/// What the doorman knows.
#[derive(Default)]
struct Book {
    /// The handles of the buyers who are in the shop; empty while nothing is held.
    handles: Vec<BuyerHandle>,
    lines: BTreeMap<LineNumber, Line>,
    last: LineNumber,
    /// Who has a statement at the gate or on its way.
    busy: Vec<usize>,
    seen: Sightings,
    deadlocks: u64,
}

/// A connection.
#[derive(Default)]
struct Line {
    /// By what number the watch knows its session.
    session: i64,
    /// In whose name it was used last in this execution.
    owner: Option<usize>,
    /// In whose name statements are on their way, in order; nobody's among them.
    on_its_way: VecDeque<Option<usize>>,
    /// Whose statements have come in and not been sent, in order.
    queue: VecDeque<usize>,
    /// Whether a transaction is under way.
    is_open: bool,
    /// Whether the client has left, and the server not yet.
    is_closing: bool,
}

/// What was seen at the door, since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sightings {
    /// Statements that were nobody's: of the application itself, outside of any request.
    pub(crate) nobodys: u64,
    /// Statements that could have been more than one buyer's.
    pub(crate) unclear: u64,
    /// Requests that came to their end and left a transaction open.
    pub(crate) left_open: u64,
    /// Statements that came over a connection on which another buyer's was held.
    pub(crate) shared: u64,
}

impl Doorman {
    /// From now on statements are held, in the name of these.
    pub(crate) fn holds(&self, handles: Vec<BuyerHandle>) {
        let mut book = self.book.lock();
        book.handles = handles;
        for line in book.lines.values_mut() {
            line.owner = None;
        }
    }

    /// From now on everything is let through.
    pub(crate) fn stands_aside(&self) {
        self.book.lock().handles.clear();
        self.answered.notify_all();
    }

    /// What was seen since this was last asked.
    pub(crate) fn sightings(&self) -> Sightings {
        std::mem::take(&mut self.book.lock().seen)
    }

    /// A server has ended a transaction to break a deadlock.
    pub(crate) fn count_deadlock(&self) {
        self.book.lock().deadlocks += 1;
    }

    /// How many were counted since this was last asked.
    pub(crate) fn take_deadlocks(&self) -> u64 {
        std::mem::take(&mut self.book.lock().deadlocks)
    }

    /// A connection is there.
    pub(crate) fn opened(&self) -> LineNumber {
        let mut book = self.book.lock();
        book.last += 1;
        let number = book.last;
        book.lines.insert(number, Line::default());
        number
    }

    /// The watch knows it by this number.
    pub(crate) fn registered(&self, number: LineNumber, session: i64) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.session = session;
        }
    }

    /// The client has left.
    pub(crate) fn closing(&self, number: LineNumber) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.is_closing = true;
        }
    }

    /// It is gone. Whatever it was waiting for, nobody waits for it any more.
    pub(crate) fn closed(&self, number: LineNumber) {
        let on_its_way = |line: &Line| line.on_its_way.len();
        let asked = self.book.lock().lines.get(&number).map_or(0, on_its_way);
        for _ in 0..asked {
            self.hear(number, "the connection is closed".into(), Some(false));
        }
        self.book.lock().lines.remove(&number);
        self.answered.notify_all();
    }

    /// A buyer's request has come to its end. Waits until what it leaves behind is brought to an end, too: a connection that
    /// it has closed, or a transaction that is rolled back when it is given back. What it still has to say for that is held
    /// like everything else; but if it says nothing, nobody waits for long.
    pub(crate) fn leaves(&self, place: usize) {
        let mut book = self.book.lock();
        while !book.is_over() {
            let is_saying = book.is_saying(place);
            if !is_saying && !book.has_left_behind(place) {
                return;
            }
            let timed_out = self.answered.wait_for(&mut book, TIDYING_UP).timed_out();
            if timed_out && !is_saying && !book.is_saying(place) {
                book.seen.left_open += u64::from(book.has_left_behind(place));
                return;
            }
        }
    }

    /// Something has come in to be sent: says whose it is, if it is to be held.
    pub(crate) fn comes(&self, number: LineNumber, pending: &PendingStatement) -> Option<usize> {
        let mut book = self.book.lock();
        if book.is_over() {
            return None;
        }
        let Some(place) = book.whose(number) else {
            book.seen.nobodys += 1;
            return None;
        };
        if pending.touches == Footprint::NOTHING {
            return None;
        }
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

    /// It is the first on its connection. Waits until it may be sent.
    pub(crate) fn steps_up(&self, number: LineNumber, place: usize, pending: PendingStatement) {
        let mut book = self.book.lock();
        // One at a time, if a request has several connections.
        while book.busy.contains(&place) && !book.is_over() {
            self.answered.wait_for(&mut book, GLANCE);
        }
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
        book.busy.push(place);
        let session = book.lines.get(&number).map_or(0, |line| line.session);
        drop(book);
        for other in handles.iter().filter(|other| other.place() != place) {
            other.stop_behind();
        }
        handle.register(session);
        // When everybody is sent home, what is held goes on unheld: the request has to come to its end.
        handle.await_release(pending);
        self.book.lock().leave_queue(number);
    }

    /// Something is sent that will be answered.
    pub(crate) fn sends(&self, number: LineNumber, place: Option<usize>) {
        if let Some(line) = self.book.lock().lines.get_mut(&number) {
            line.on_its_way.push_back(place);
        }
    }

    /// The server has answered, and this is how the connection stands, if it has said so. Waits until whoever asked may
    /// hear it.
    pub(crate) fn hear(&self, number: LineNumber, answer: String, is_open: Option<bool>) {
        let mut book = self.book.lock();
        let whose = book.lines.get_mut(&number).and_then(|line| line.on_its_way.pop_front());
        let handle = whose.flatten().and_then(|place| book.handles.get(place).cloned());
        if let Some(handle) = &handle {
            drop(book);
            // Only when it has heard is it known to have been answered: it may leave at once.
            handle.answer(answer);
            book = self.book.lock();
        }
        if let Some(place) = whose.flatten() {
            book.busy.retain(|busy| *busy != place);
        }
        if let Some(line) = book.lines.get_mut(&number) {
            line.is_open = is_open.unwrap_or(line.is_open);
        }
        self.answered.notify_all();
    }
}

impl Book {
    /// Whether nobody is held any more: everybody is to come to an end, whoever it is.
    fn is_over(&self) -> bool {
        self.handles.first().is_none_or(BuyerHandle::is_closed)
    }

    /// Whether a buyer has something at the gate, or on its way there or from there.
    fn is_saying(&self, place: usize) -> bool {
        let mut lines = self.lines.values();
        self.busy.contains(&place) || lines.any(|line| line.queue.contains(&place))
    }

    /// Whether it has begun something that has not been brought to an end.
    fn has_left_behind(&self, place: usize) -> bool {
        let mut its = self.lines.values().filter(|line| line.owner == Some(place));
        its.any(|line| line.is_open || line.is_closing)
    }

    /// What was the first on a connection is on its way.
    fn leave_queue(&mut self, number: LineNumber) {
        if let Some(line) = self.lines.get_mut(&number) {
            line.queue.pop_front();
        }
    }

    /// Whose a statement on this connection is: of the only one who thinks; if several may, of the one who has used it
    /// before. Where nobody thinks it is one more of somebody who has sent one already and not been answered.
    fn whose(&mut self, number: LineNumber) -> Option<usize> {
        let RunningCode { runs, may_run, ran_last } = self.handles.first()?.running();
        let line = self.lines.get_mut(&number)?;
        let may = |place: &usize| runs == Some(*place) || may_run.contains(place);
        let none_may = runs.is_none() && may_run.is_empty();
        let before = line.owner.filter(|place| may(place) || none_may && ran_last == Some(*place));
        let is_unclear = before.is_none() && usize::from(runs.is_some()) + may_run.len() != 1;
        line.owner = before.or(runs).or(may_run.first().copied()).or(ran_last);
        self.seen.unclear += u64::from(is_unclear && line.owner.is_some());
        line.owner
    }
}
