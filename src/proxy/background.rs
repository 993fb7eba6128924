//! What an application does beside answering requests: a job queue that polls, a scheduled job, a process that waits for
//! events. Its statements are no buyer's. They are let through, and what they touch is remembered: it may disturb buyers.
//!
//! A statement does not say who sent it. It is taken for the application's own
//! - if the file says so;
//! - if its process serves no requests, and has sent statements while no request was under way, or was started by a
//!   process that has, or that has started such a process: a scheduler starts a new process each time;
//! - if the application has sent one like it while no request was under way: before the first checkout, or after it
//!   without any like it in the first checkout itself, or again and again.
//!
//! All statements of a transaction are taken to have the sender of the first.
//!
//! Only the process, or its absence from any request, makes that certain. What is taken for the application's own by its
//! text may be a buyer's all the same: what it touches counts as touched by both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::peer::{ProcessId, ancestors, are_asleep, connected, listening};
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::text::sql::in_brief;
use crate::describe::app::Ignored;
use crate::scheduler::{Footprint, PendingStatement, Resources};

/// How long after a request what belongs to it may still come.
const AFTER_REQUEST: Duration = Duration::from_millis(100);

/// After how long without a statement an application has done what a request has put off: at least, if its processes are
/// seen to sleep then, and at most.
const REST: Duration = Duration::from_millis(100);
const LONG_REST: Duration = Duration::from_millis(300);

/// How often a statement comes between two requests, at the least, that the application sends again and again; and how
/// long after each other: what a request has put off may well come several times, but at once.
const AGAIN_AND_AGAIN: u32 = 3;
const APART: Duration = Duration::from_millis(50);

/// How often the process of a connection is looked for.
const LOOKS: u32 = 4;

/// What is known of a connection's client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// The port from which it has connected, and the one to which.
    pub(crate) ports: Option<(u16, u16)>,
    /// The name that it gives itself.
    pub(crate) name: Option<String>,
    /// Its process, once that was seen, and how often it was looked for in vain.
    process: Option<ProcessId>,
    looked: u32,
}

impl Client {
    /// A client that has connected between these ports.
    pub(crate) fn between(from: u16, to: u16) -> Self {
        Self { ports: Some((from, to)), ..Self::default() }
    }

    /// Its process, if that can be seen. Likely ones are looked at first. The system's table of sockets may leave one out
    /// while others come and go, so that one look is not enough.
    fn process(&mut self, likely: &BTreeSet<ProcessId>) -> Option<ProcessId> {
        let (from, to) = self.ports?;
        while self.process.is_none() && self.looked < LOOKS {
            self.looked += 1;
            self.process = connected(from, to, likely);
        }
        self.process
    }
}

/// Whose a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A buyer's, as far as is known.
    Buyer,
    /// The application's own.
    Application,
    /// Taken for the application's own, because of its text. It may be a buyer's.
    TakenForApplication,
}

/// Tells the application's own statements from those of buyers.
pub(super) struct Background {
    clock: Wall,
    ignored: Ignored,
    /// The numbers of the tables that the file names.
    ignored_tables: Resources,
    /// Where the application answers.
    ports: Vec<u16>,
    /// The processes that serve requests there.
    serving: BTreeSet<ProcessId>,
    /// Whether a process that serves requests sends statements itself: then others can be told from it.
    serves_by_itself: bool,
    /// Processes that were seen not to serve any.
    others: BTreeSet<ProcessId>,
    /// Processes that were seen to work while no request was under way.
    working: BTreeSet<ProcessId>,
    /// Requests under way, and when the last one ended.
    requests: u64,
    ended_ns: u64,
    checkout: FirstCheckout,
    /// Statements without values that came while no request was under way: before the first checkout, and after it.
    regular: BTreeSet<String>,
    afterwards: BTreeMap<String, Repeated>,
    /// Statements without values of the first checkout.
    checked_out: BTreeSet<String>,
    /// When a statement last came that may belong to a request.
    last_put_off_ns: u64,
    /// When a process that serves requests was last seen to run, as far as was looked.
    last_awake_ns: u64,
    /// The footprints of what was let through, and of what may be a buyer's, in whole tables.
    let_through: Footprint,
    of_buyers: Footprint,
    /// The same statements, without their values and in brief.
    own_texts: BTreeSet<String>,
    buyers_texts: BTreeSet<String>,
}

/// How often a statement has come since the last request, and when it last did.
#[derive(Clone, Copy, Debug, Default)]
struct Repeated {
    after_ns: u64,
    times: u32,
    last_ns: u64,
}

impl Repeated {
    /// Counts one more, unless it comes with the last, and returns whether they come again and again.
    fn comes(&mut self, after_ns: u64, now: u64) -> bool {
        if self.after_ns != after_ns || self.times == 0 {
            *self = Self { after_ns, times: 1, last_ns: now };
        } else if now.saturating_sub(self.last_ns) >= nanos(APART) {
            (self.times, self.last_ns) = (self.times + 1, now);
        }
        self.times >= AGAIN_AND_AGAIN
    }
}

/// How far the first checkout has come, which no other disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstCheckout {
    /// The application is not ready for one.
    Unprepared,
    Awaited,
    /// This buyer makes it.
    UnderWay(usize),
    Over,
}

impl Default for Background {
    fn default() -> Self {
        Self {
            clock: Wall::start(),
            ignored: Ignored::default(),
            ignored_tables: Resources::NONE,
            ports: Vec::new(),
            serving: BTreeSet::new(),
            serves_by_itself: false,
            others: BTreeSet::new(),
            working: BTreeSet::new(),
            requests: 0,
            ended_ns: 0,
            checkout: FirstCheckout::Unprepared,
            regular: BTreeSet::new(),
            afterwards: BTreeMap::new(),
            checked_out: BTreeSet::new(),
            last_put_off_ns: 0,
            last_awake_ns: 0,
            let_through: Footprint::NOTHING,
            of_buyers: Footprint::NOTHING,
            own_texts: BTreeSet::new(),
            buyers_texts: BTreeSet::new(),
        }
    }
}

impl Background {
    /// The application answers at these ports, and these statements are its own.
    pub(super) fn serves_at(&mut self, ports: Vec<u16>, ignored: Ignored) {
        (self.ports, self.ignored) = (ports, ignored);
    }

    /// Tables have these names, in the order of their numbers.
    pub(super) fn knows_tables(&mut self, names: &[String]) {
        let is_ignored = |(_, name): &(usize, &String)| self.ignored.tables.contains(name);
        let numbers = names.iter().enumerate().filter(is_ignored).map(|(number, _)| number);
        self.ignored_tables =
            numbers.fold(Resources::NONE, |all, number| all | Resources::table(number));
    }

    /// The application has been prepared: what it sends from now on without a request it sends by itself.
    pub(super) fn is_prepared(&mut self) {
        if self.checkout == FirstCheckout::Unprepared {
            self.checkout = FirstCheckout::Awaited;
        }
    }

    /// A request is sent: in the name of this buyer, if it is a part of its checkout.
    pub(super) fn request_begins(&mut self, buyer: Option<usize>) {
        self.requests += 1;
        self.checkout = match (self.checkout, buyer) {
            (FirstCheckout::Unprepared | FirstCheckout::Awaited, Some(buyer)) => {
                FirstCheckout::UnderWay(buyer)
            }
            (FirstCheckout::UnderWay(first), Some(buyer)) if first != buyer => FirstCheckout::Over,
            (checkout, _) => checkout,
        };
    }

    /// The application was started anew: its processes are others.
    pub(super) fn has_restarted(&mut self) {
        self.serving.clear();
        self.others.clear();
        self.working.clear();
    }

    /// Whether the processes that serve requests do nothing at this moment; none if that cannot be seen.
    pub(super) fn is_asleep(&mut self) -> Option<bool> {
        if self.serving.is_empty() {
            self.look_who_serves();
        }
        are_asleep(self.serving.iter().copied())
    }

    /// The time, in nanoseconds.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// A request was answered, or has failed.
    pub(super) fn request_ends(&mut self) {
        self.requests -= 1;
        self.ended_ns = self.clock.now();
    }

    /// Whether the application has been seen to do anything by itself.
    pub(super) fn is_busy(&self) -> bool {
        !self.regular.is_empty() || !self.afterwards.is_empty()
    }

    /// Whether no request is under way, and what belonged to the last one has come.
    fn is_idle(&self) -> bool {
        let since = self.clock.now().saturating_sub(self.ended_ns);
        self.checkout != FirstCheckout::Unprepared
            && self.requests == 0
            && since >= nanos(AFTER_REQUEST)
    }

    /// Notes a statement. It may belong to a request, unless it is known to be the application's own.
    pub(super) fn notes(&mut self, pending: &PendingStatement, sender: Sender) {
        let shape = pending.shape.as_ref().unwrap_or(&pending.text);
        if sender != Sender::Application && !self.regular.contains(shape) {
            self.last_put_off_ns = self.clock.now();
        }
    }

    /// Whether, since the last request was answered, no statement that may belong to one has come for a while: a short one
    /// if the processes that serve requests were seen to do nothing meanwhile.
    pub(super) fn is_at_rest(&mut self) -> bool {
        let is_asleep = self.is_asleep();
        let now = self.clock.now();
        if is_asleep == Some(false) {
            self.last_awake_ns = now;
        }
        let since = self.last_put_off_ns.max(self.ended_ns);
        let sleeps = is_asleep == Some(true)
            && now.saturating_sub(since.max(self.last_awake_ns)) >= nanos(REST);
        sleeps || now.saturating_sub(since) >= nanos(LONG_REST)
    }

    /// Takes in a statement that begins a transaction, or is alone, and says whose it is.
    pub(super) fn sender(&mut self, client: &mut Client, pending: &PendingStatement) -> Sender {
        let shape = pending.shape.as_ref().unwrap_or(&pending.text);
        if self.is_idle() {
            if let Some(process) = client.process(&self.serving) {
                self.works(process);
            }
            let is_regular = match &self.checkout {
                FirstCheckout::Unprepared | FirstCheckout::Awaited => true,
                FirstCheckout::UnderWay(_) | FirstCheckout::Over => {
                    let repeated = self.afterwards.entry(shape.clone()).or_default();
                    repeated.comes(self.ended_ns, self.clock.now())
                }
            };
            if is_regular {
                self.regular.insert(shape.clone());
            }
            // After a checkout it may be what a request has put off.
            let is_certain = self.checkout == FirstCheckout::Awaited || self.is_of_worker(client);
            return if is_certain { Sender::Application } else { Sender::TakenForApplication };
        }
        if self.is_of_worker(client) || self.is_named(client) {
            return Sender::Application;
        }
        if self.is_ignored(pending) || self.regular.contains(shape) {
            return Sender::TakenForApplication;
        }
        if matches!(self.checkout, FirstCheckout::UnderWay(_)) {
            self.checked_out.insert(shape.clone());
        }
        match self.afterwards.contains_key(shape) && !self.checked_out.contains(shape) {
            true => Sender::TakenForApplication,
            false => Sender::Buyer,
        }
    }

    /// Whether the file names its client.
    fn is_named(&self, client: &Client) -> bool {
        client.name.as_ref().is_some_and(|name| self.ignored.application_names.contains(name))
    }

    /// Whether the file names its tables, or its text.
    fn is_ignored(&self, pending: &PendingStatement) -> bool {
        let Ignored { tables, statements, .. } = &self.ignored;
        let touched = pending.touches.tables();
        let is_of_tables = !tables.is_empty()
            && touched != Resources::NONE
            && touched | self.ignored_tables == self.ignored_tables;
        is_of_tables || statements.iter().any(|pattern| pattern.is_match(&pending.text))
    }

    /// A process works while no request is under way, and so do those that have started it, as far as they have nothing to
    /// do with requests.
    fn works(&mut self, process: ProcessId) {
        if !self.working.insert(process) || self.ports.is_empty() {
            return;
        }
        if self.serving.is_empty() {
            self.look_who_serves();
        }
        let above: BTreeSet<ProcessId> =
            self.serving.iter().flat_map(|serving| ancestors(*serving)).collect();
        let serves =
            |process: &ProcessId| self.serving.contains(process) || above.contains(process);
        if !self.serving.is_empty() && !serves(&process) {
            self.working.extend(ancestors(process).take_while(|process| !serves(process)));
        }
    }

    /// Sees which processes serve requests.
    fn look_who_serves(&mut self) {
        self.serving = self.ports.iter().flat_map(|port| listening(*port)).collect();
    }

    /// Whether its process serves no requests, and works without any.
    fn is_of_worker(&mut self, client: &mut Client) -> bool {
        if self.ports.is_empty() || self.working.is_empty() {
            return false;
        }
        let Some(process) = client.process(&self.serving) else { return false };
        if !self.serving.contains(&process) && !self.others.contains(&process) {
            // It may have been started to serve requests.
            self.look_who_serves();
        }
        let serves = self.serving.contains(&process);
        if !serves {
            self.others.insert(process);
        }
        self.serves_by_itself |= serves && self.requests > 0;
        let has_worked = |process: ProcessId| self.working.contains(&process);
        self.serves_by_itself
            && !serves
            && (has_worked(process) || ancestors(process).any(has_worked))
    }

    /// A statement that is not held is let through: while buyers are in the shop, or before or after.
    pub(super) fn lets_through(&mut self, pending: &PendingStatement, sender: Sender) {
        note(&mut self.own_texts, pending);
        add(&mut self.let_through, pending);
        if sender != Sender::Application {
            add(&mut self.of_buyers, pending);
        }
    }

    /// A statement is a buyer's.
    pub(super) fn is_a_buyers(&mut self, pending: &PendingStatement) {
        add(&mut self.of_buyers, pending);
        note(&mut self.buyers_texts, pending);
    }

    /// Whether a statement, without its values and in brief, was let through and is in none of the buyers'.
    pub(super) fn is_only_own(&self, brief: &str) -> bool {
        self.own_texts.contains(brief) && !self.buyers_texts.iter().any(|text| text.contains(brief))
    }

    /// What the application's own statements and those of buyers both touch, and one of them changes: tables by their
    /// numbers. None if the order of the two cannot matter.
    pub(super) fn disturbed(&self) -> Option<Resources> {
        let (own, buyers) = (&self.let_through, &self.of_buyers);
        let touched = |one: &Footprint| one.tables();
        own.conflicts_with(buyers).then(|| {
            (own.changed().common(touched(buyers))) | (buyers.changed().common(touched(own)))
        })
    }
}

/// Adds a statement's text, without its values and in brief.
fn note(all: &mut BTreeSet<String>, pending: &PendingStatement) {
    let shape = pending.shape.as_ref().unwrap_or(&pending.text);
    if !all.contains(shape) {
        all.insert(in_brief(shape));
    }
}

/// Adds a statement's footprint, in whole tables.
fn add(all: &mut Footprint, pending: &PendingStatement) {
    *all = std::mem::take(all) | pending.footprint.by_table();
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn statement(text: &str, table: usize) -> PendingStatement {
        PendingStatement::new(text.into(), Footprint::writing(Resources::table(table)))
    }

    /// An application that is prepared, and has been quiet for long enough.
    fn prepared() -> Background {
        let mut background = Background::default();
        background.is_prepared();
        become_idle(&mut background);
        background
    }

    /// As if the last request had ended long ago.
    fn become_idle(background: &mut Background) {
        while !background.is_idle() {
            std::thread::yield_now();
        }
    }

    fn is_own(background: &mut Background, text: &str) -> bool {
        background.sender(&mut Client::default(), &statement(text, 0)) != Sender::Buyer
    }

    #[test]
    fn what_is_sent_before_it_is_prepared_teaches_nothing() {
        let mut background = Background::default();
        assert!(!is_own(&mut background, "CREATE TABLE job"));
        assert!(!background.is_busy());
    }

    #[test]
    fn a_statement_that_came_before_the_first_checkout_without_a_request_is_the_applications() {
        let mut background = prepared();
        assert!(is_own(&mut background, "SELECT job"));
        assert!(background.is_busy());
        background.request_begins(Some(0));
        assert!(is_own(&mut background, "SELECT job"));
        assert!(!is_own(&mut background, "SELECT stock"));
    }

    #[test]
    fn a_statement_that_came_afterwards_is_the_applications_unless_the_first_checkout_had_one() {
        let mut background = prepared();
        background.request_begins(Some(0));
        assert!(!is_own(&mut background, "SELECT stock"));
        background.request_ends();
        become_idle(&mut background);
        for text in ["SELECT stock", "UPDATE job"] {
            assert!(is_own(&mut background, text), "no request is under way");
        }
        background.request_begins(Some(1));
        assert!(!is_own(&mut background, "SELECT stock"));
        assert!(is_own(&mut background, "UPDATE job"));
        assert!(!is_own(&mut background, "INSERT purchase"));
    }

    #[test]
    fn a_statement_of_the_first_checkout_is_the_applications_once_it_comes_again_and_again() {
        let mut background = prepared();
        background.request_begins(Some(0));
        assert!(!is_own(&mut background, "SELECT job"), "it polls, which is not known yet");
        background.request_ends();
        become_idle(&mut background);
        let mut repeated = Repeated::default();
        let [first, soon, later] = [1, 2, 2 * nanos(APART)];
        assert!(!repeated.comes(7, first) && !repeated.comes(7, soon) && !repeated.comes(7, later));
        assert!(!repeated.comes(8, later + nanos(APART)), "another request has come between them");
        for _ in 0..AGAIN_AND_AGAIN {
            assert!(is_own(&mut background, "SELECT job"));
            let since_ns = background.now();
            while background.now() - since_ns < nanos(APART) {
                std::thread::yield_now();
            }
        }
        background.request_begins(Some(1));
        assert!(is_own(&mut background, "SELECT job"));
    }

    #[test]
    fn what_belongs_to_a_request_may_come_shortly_after_it() {
        let mut background = prepared();
        background.request_begins(None);
        background.request_ends();
        assert!(!is_own(&mut background, "UPDATE session"));
        assert!(!background.is_busy());
    }

    #[test]
    fn the_files_own_words_go_before_what_is_seen() {
        let mut background = Background::default();
        let ignored = Ignored {
            tables: vec!["job".into()],
            statements: vec![Regex::new("^DELETE FROM cart").unwrap()],
            application_names: vec!["cron".into()],
        };
        background.serves_at(Vec::new(), ignored);
        background.knows_tables(&["product".into(), "job".into()]);
        background.request_begins(Some(0));
        let mut sends = |name: Option<&str>, statement: &PendingStatement| {
            let mut client = Client { name: name.map(str::to_owned), ..Client::default() };
            background.sender(&mut client, statement) != Sender::Buyer
        };
        assert!(sends(None, &statement("UPDATE job", 1)));
        let both = Resources::table(0) | Resources::table(1);
        let both = PendingStatement::new("UPDATE both".into(), Footprint::writing(both));
        assert!(!sends(None, &both));
        assert!(sends(None, &statement("DELETE FROM cart WHERE old", 0)));
        assert!(!sends(None, &statement("DELETE FROM product", 0)));
        assert!(sends(Some("cron"), &statement("UPDATE product", 0)));
        assert!(!sends(Some("shop"), &statement("UPDATE product", 0)));
    }

    #[test]
    fn a_statement_that_a_buyer_sends_too_is_not_only_the_applications_own() {
        let mut background = Background::default();
        background.lets_through(&statement("UPDATE job", 1), Sender::Application);
        assert!(background.is_only_own("UPDATE job"));
        assert!(!background.is_only_own("UPDATE stock"));
        background.is_a_buyers(&statement("UPDATE stock; UPDATE job", 0));
        assert!(!background.is_only_own("UPDATE job"));
    }

    #[test]
    fn only_what_meets_a_buyers_statement_disturbs_it() {
        let mut background = Background::default();
        background.lets_through(&statement("UPDATE job", 1), Sender::Application);
        background.is_a_buyers(&statement("UPDATE stock", 0));
        assert_eq!(background.disturbed(), None);
        background.is_a_buyers(&statement("INSERT INTO job", 1));
        assert_eq!(background.disturbed(), Some(Resources::table(1)));
        let mut background = Background::default();
        let reads = Footprint::reading(Resources::table(0));
        let look = PendingStatement::new("SELECT".into(), reads.clone());
        background.lets_through(&look, Sender::TakenForApplication);
        background.is_a_buyers(&PendingStatement::new("SELECT".into(), reads));
        assert_eq!(background.disturbed(), None);
    }

    #[test]
    fn what_may_be_a_buyers_disturbs_what_else_may_be_one() {
        let mut background = Background::default();
        background.lets_through(&statement("UPDATE job", 1), Sender::Application);
        assert_eq!(background.disturbed(), None);
        background.lets_through(&statement("UPDATE stock", 0), Sender::TakenForApplication);
        assert_eq!(background.disturbed(), Some(Resources::table(0)));
    }
}
