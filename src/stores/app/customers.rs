//! The customers of the shop: the cookies of each, and the values that its preparation steps saved. Their steps are
//! requests or programs.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use super::programs::Programs;
use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::text::printable::printable;
use crate::describe::checkout::{Answer, Call, Shelves, Step, StoreValue, Values};
use crate::proxy::SessionTracker;
use crate::scheduler::{Actor, BuyerHandle, Footprint, PendingStatement, Resources};
use crate::stores::http::HttpExecutor;
use crate::stores::remote::{Refusal, Stays, StepExecutor};

/// How long a request may take to end once its execution is over, and nothing holds it.
const AFTER_CLOSE: Duration = Duration::from_secs(60);

/// The statuses from here on are errors of the server (RFC 9110, 15.6).
const SERVER_ERROR: u16 = 500;

/// The same for a program. It can be killed, and what it has not committed is gone.
const PROGRAM_AFTER_CLOSE: Duration = Duration::from_secs(10);

/// All customers of the shop.
pub(super) struct Customers {
    /// Where each copy of the application answers.
    bases: Vec<String>,
    patience: Duration,
    /// Ends requests early.
    control: Control,
    /// Told of each request.
    tracker: Arc<SessionTracker>,
    /// Runs the steps that are programs; none if there are none.
    programs: Option<Arc<Programs>>,
    all: RwLock<Vec<Customer>>,
    /// Whether a request was answered by an error of the application's own (status 500 or more) since this was taken.
    has_erred: AtomicBool,
}

/// One customer: its HTTP client, and its cookies and values after the preparation.
struct Customer {
    /// One for each copy of the application.
    executors: Vec<HttpExecutor>,
    cookies: Vec<(String, String)>,
    values: Vec<(String, StoreValue)>,
}

impl Customer {
    fn value_of(&self, name: &str) -> Option<StoreValue> {
        let known = self.values.iter().rev().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }
}

impl Customers {
    pub(super) fn new(
        bases: Vec<String>,
        patience: Duration,
        control: &Control,
        tracker: &Arc<SessionTracker>,
        programs: Option<Arc<Programs>>,
    ) -> Self {
        let (control, tracker) = (control.clone(), Arc::clone(tracker));
        let (all, has_erred) = (RwLock::default(), AtomicBool::new(false));
        Self { bases, patience, control, tracker, programs, all, has_erred }
    }

    /// Whether a request was answered by an error of the application's own since this was last asked.
    pub(super) fn take_erred(&self) -> bool {
        self.has_erred.swap(false, Ordering::Relaxed)
    }

    /// Runs a program or code to its end, in the name of the buyer in this place, if it is held.
    fn run(
        &self,
        call: &Call,
        place: Option<usize>,
        value_of: Values<'_>,
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Answer, Refusal> {
        let programs = self.programs.as_ref();
        let programs = programs.ok_or_else(|| Refusal::Wrong("there are no programs".into()))?;
        let ran = programs.run(call, place, value_of, is_given_up);
        match ran {
            // It may have been given up in the middle: how it has ended says nothing.
            Err(Refusal::Wrong(why)) if self.control.is_over() => Err(Refusal::Lost(why)),
            ran => ran,
        }
    }

    /// Says when a program is given up that nothing holds: when the work is over, or when it takes too long.
    fn takes_too_long(&self) -> impl Fn() -> bool {
        let (control, clock, most) = (self.control.clone(), Wall::start(), nanos(self.patience));
        move || control.is_over() || clock.now() >= most
    }

    /// Runs the preparation steps of each of `count` customers, up to the last click. If a step fails, returns that
    /// step and the reason.
    pub(super) fn prepare<'s>(
        &self,
        steps: &'s [Step],
        count: i64,
        shelves: &Shelves,
    ) -> Result<(), (&'s Step, String)> {
        let mut all = Vec::new();
        for number in 1..=count {
            let executor = |base: &String| HttpExecutor::new(base, self.patience, &self.control);
            let executors = self.bases.iter().map(executor).collect();
            let mut customer = Customer { executors, cookies: Vec::new(), values: Vec::new() };
            for step in steps {
                let make = || customer.make(number, step, shelves, self);
                self.tracker.during_request(None, make).map_err(|why| (step, why))?;
            }
            customer.cookies = customer.at(place(number)).cookies();
            customer.put_back();
            all.push(customer);
        }
        *self.all.write() = all;
        Ok(())
    }

    /// Gives each customer the cookies that it had after its preparation.
    pub(super) fn put_back(&self) {
        self.all.read().iter().for_each(Customer::put_back);
    }
}

/// The place of a customer, which is counted from 1.
fn place(number: i64) -> usize {
    usize::try_from(number - 1).unwrap_or_default()
}

impl Customer {
    /// Its client of the copy of the application that serves the buyer in this place.
    fn at(&self, place: usize) -> &HttpExecutor {
        &self.executors[place % self.executors.len()]
    }

    /// Gives it the cookies that it had after its preparation, at every copy.
    fn put_back(&self) {
        self.executors.iter().for_each(|executor| executor.set_cookies(&self.cookies));
    }

    fn make(
        &mut self,
        number: i64,
        step: &Step,
        shelves: &Shelves,
        all: &Customers,
    ) -> Result<(), String> {
        let value_of = |name: &str| match name {
            "buyer" => StoreValue::Int(number),
            "item" => shelves.read().first().map_or(StoreValue::Int(1), |(key, _)| key.clone()),
            "qty" => StoreValue::Int(1),
            "key" => StoreValue::Text(format!("key-{number}")),
            name => self.value_of(name).unwrap_or(StoreValue::Null),
        };
        if step.when.as_ref().is_some_and(|when| !when.holds(value_of)) {
            return Ok(());
        }
        let who =
            format!("`{}` for customer {number}", step.call.shown(|name| format!("{{{name}}}")));
        let answer = match &step.call {
            Call::Http(request) => {
                let heard =
                    self.at(place(number)).ask_unless_over(&all.control, request, &value_of);
                heard.map(|heard| {
                    all.control
                        .tell(|| printable(&format!("{who} → {}", heard.brief())).into_owned());
                    heard.answer(request)
                })
            }
            call @ (Call::Program(_) | Call::Code(_)) => {
                all.run(call, None, &value_of, &all.takes_too_long())
            }
            Call::Sql(_) | Call::Redis(_) | Call::Lua { .. } => return Ok(()),
        };
        let answer = answer.map_err(|refusal| format!("{who}: {}", refusal.text()))?;
        if let Some(trouble) = answer.trouble {
            return Err(format!("{who}: {trouble}"));
        }
        for (place, saved) in step.save.iter().enumerate() {
            let column = answer.column(&saved.name, place);
            let value = column.and_then(|column| answer.rows.first()?.get(column));
            if value.is_none() && !saved.may_be_none {
                return Err(format!("{who}: the answer has no `{}`", saved.name));
            }
            self.values.push((saved.name.clone(), value.cloned().unwrap_or(StoreValue::Null)));
        }
        Ok(())
    }
}

/// Sends the requests of a checkout and runs its programs, each as the customer whose number is the value of `buyer`.
pub(super) struct AppExecutor {
    customers: Arc<Customers>,
    tracker: Arc<SessionTracker>,
    handle: Option<BuyerHandle>,
    /// Which of the buyers it is that come in one customer's name and are not held.
    number: Option<usize>,
}

impl AppExecutor {
    pub(super) fn new(
        customers: Arc<Customers>,
        tracker: Arc<SessionTracker>,
        handle: Option<BuyerHandle>,
        number: Option<usize>,
    ) -> Self {
        Self { customers, tracker, handle, number }
    }

    /// Says when a request or a program is given up that is held: when the work is over, or when its execution was for
    /// this long.
    fn given_up(&self, after_close: Duration) -> impl Fn() -> bool {
        let (control, handle) = (self.customers.control.clone(), self.handle.clone());
        let closed = RefCell::new(None);
        move || {
            let is_closed = handle.as_ref().is_some_and(BuyerHandle::is_closed);
            let is_late = is_closed
                && closed.borrow_mut().get_or_insert_with(Wall::start).now() >= nanos(after_close);
            is_late || control.is_over()
        }
    }
}

impl StepExecutor for AppExecutor {
    fn say(
        &mut self,
        call: &Call,
        value_of: &dyn Fn(&str) -> StoreValue,
    ) -> Result<Answer, Refusal> {
        // Waits until no other buyer's code runs, so that the statements that come in are known to be this request's, and
        // no program meets another otherwise than at its statements.
        if let Some(handle) = &self.handle {
            handle.await_running();
        }
        let all = self.customers.all.read();
        let number = value_of("buyer").as_int().and_then(|number| usize::try_from(number - 1).ok());
        let Some((at, customer)) = number.and_then(|number| Some((number, all.get(number)?)))
        else {
            return Err(Refusal::Wrong("there is no such customer".into()));
        };
        let value_of = |name: &str| match value_of(name) {
            StoreValue::Null => customer.value_of(name).unwrap_or(StoreValue::Null),
            value => value,
        };
        let place = self.handle.as_ref().map(BuyerHandle::place);
        let executor = customer.at(place.or(self.number).unwrap_or(at));
        let told = |answer: &str| {
            let Some(who) = place.map(Actor::buyer) else { return };
            let asked = || call.shown(|name| value_of(name).to_string());
            self.customers
                .control
                .tell(|| printable(&format!("{who}: {} → {answer}", asked())).into_owned());
        };
        self.tracker.during_request(place, || {
            let answer = match (call, place) {
                // In a race, requests are sent as directly as can be.
                (Call::Http(request), None) => {
                    let heard = executor.ask(request, &value_of);
                    heard.map(|heard| heard.answer(request))
                }
                (Call::Http(request), Some(_)) => {
                    let is_given_up = self.given_up(AFTER_CLOSE);
                    let heard = executor.ask_while_held(is_given_up, request, &value_of);
                    heard.map(|heard| {
                        let erred = heard.status >= SERVER_ERROR;
                        self.customers.has_erred.fetch_or(erred, Ordering::Relaxed);
                        told(&heard.brief());
                        heard.answer(request)
                    })
                }
                (Call::Program(_) | Call::Code(_), None) => {
                    let takes_too_long = self.customers.takes_too_long();
                    self.customers.run(call, None, &value_of, &takes_too_long)
                }
                (Call::Program(_) | Call::Code(_), Some(_)) => {
                    let is_given_up = self.given_up(PROGRAM_AFTER_CLOSE);
                    let answer = self.customers.run(call, place, &value_of, &is_given_up);
                    answer.inspect(|answer| told(&answer.to_string()))
                }
                (Call::Sql(_) | Call::Redis(_) | Call::Lua { .. }, _) => Ok(Answer::default()),
            };
            if let Some(place) = place {
                self.tracker.leaves(place);
                if let Some(programs) = &self.customers.programs {
                    programs.hang_up(place);
                }
            }
            answer
        })
    }

    fn told(&self, _: &Call, answer: &Answer) -> String {
        answer.to_string()
    }

    fn pending(
        &mut self,
        _call: &Call,
        text: String,
        _value_of: &dyn Fn(&str) -> StoreValue,
    ) -> PendingStatement {
        PendingStatement::new(text, Footprint::writing(Resources::ALL))
    }

    fn taking_back(&self) -> Vec<Call> {
        Vec::new()
    }

    fn stays(&self, _: &Call) -> Stays {
        Stays::Everything
    }
}
