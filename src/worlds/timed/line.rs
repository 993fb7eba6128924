//! A strategy's code as a coroutine in virtual time, and its connection. The slot stores what the coroutine asks for;
//! the world answers when the time has come.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::domain::attempt::{Attempt, Missed, OpResult};
use crate::domain::card::{About, BackgroundTask};
use crate::domain::op::{BuyerId, Op, Want};
use crate::domain::session::{Connection, Session};
use crate::strategy::Strategy;

/// What a coroutine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The reply to an op.
    Op(Op),
    /// Time to pass between looking and acting.
    Think,
    /// The buyer to come back from paying.
    Away,
}

/// What the connection and the world share. One serves all coroutines of a world, for only one of them runs at a time.
#[derive(Debug, Default)]
pub(super) struct SimChannel {
    asked: Cell<Option<Asked>>,
    reply: Cell<Option<OpResult>>,
    looked: Cell<bool>,
}

/// The strategy's connection.
pub(super) struct SimConnection(Rc<SimChannel>);

/// A reply that is not there yet.
struct Coming(Rc<SimChannel>);

impl Future for Coming {
    type Output = OpResult;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<OpResult> {
        self.0.reply.take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// The same without its content: only that the reply has come.
struct Passing(Coming);

impl Future for Passing {
    type Output = Result<(), Missed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|heard| heard.map(drop))
    }
}

impl SimConnection {
    fn ask(&self, asked: Asked) -> Coming {
        self.0.asked.set(Some(asked));
        Coming(Rc::clone(&self.0))
    }
}

impl Connection for SimConnection {
    fn call(&mut self, op: Op) -> impl Future<Output = OpResult> + Unpin {
        if matches!(
            op,
            Op::Read { .. }
                | Op::ReadVersioned { .. }
                | Op::ReadFenced { .. }
                | Op::CountLeft { .. }
        ) {
            self.0.looked.set(true);
        }
        self.ask(Asked::Op(op))
    }

    fn think(&mut self) -> impl Future<Output = Result<(), Missed>> + Unpin {
        Passing(self.ask(Asked::Think))
    }

    fn away(&mut self) -> impl Future<Output = Result<(), Missed>> + Unpin {
        Passing(self.ask(Asked::Away))
    }
}

/// How a coroutine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoroutineEnd {
    /// A buyer's attempt.
    Attempt(Attempt),
    /// A background task.
    BackgroundTask(Result<(), Missed>),
    /// A queue worker's request.
    Served(Result<bool, Missed>),
}

/// A piece of a strategy's code that is under way.
pub(super) struct Coroutine<'s> {
    future: Pin<Box<dyn Future<Output = CoroutineEnd> + 's>>,
    slot: Rc<SimChannel>,
    looked: bool,
}

/// What comes next in a coroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for this.
    Waits(Asked),
    /// It has ended.
    Ends(CoroutineEnd),
}

/// What makes coroutines: a strategy of any type. The world has no type of its own for each strategy, for it is
/// the largest piece of code there is, and there are many strategies.
pub(super) trait CoroutineFactory {
    /// The strategy's card.
    fn card(&self) -> About;

    /// A buyer's attempt.
    fn attempt(&self, slot: &Rc<SimChannel>, buyer: BuyerId, want: Want) -> Coroutine<'_>;

    /// A background task about a buyer.
    fn background_task(
        &self,
        slot: &Rc<SimChannel>,
        background_task: BackgroundTask,
        buyer: BuyerId,
        want: Want,
    ) -> Coroutine<'_>;

    /// A queue worker's request.
    fn serve(&self, slot: &Rc<SimChannel>, buyer: BuyerId, want: Want) -> Coroutine<'_>;
}

impl<S: Strategy> CoroutineFactory for S {
    fn card(&self) -> About {
        self.about()
    }

    fn attempt(&self, slot: &Rc<SimChannel>, buyer: BuyerId, want: Want) -> Coroutine<'_> {
        Coroutine::of(slot, buyer, async move |mut shop| {
            CoroutineEnd::Attempt(self.attempt(&mut shop, want).await)
        })
    }

    fn background_task(
        &self,
        slot: &Rc<SimChannel>,
        background_task: BackgroundTask,
        buyer: BuyerId,
        want: Want,
    ) -> Coroutine<'_> {
        Coroutine::of(slot, buyer, async move |mut shop| {
            CoroutineEnd::BackgroundTask(match background_task {
                BackgroundTask::Webhook => self.notified(&mut shop, want).await,
                BackgroundTask::Recovery => self.recover(&mut shop, want).await,
            })
        })
    }

    fn serve(&self, slot: &Rc<SimChannel>, buyer: BuyerId, want: Want) -> Coroutine<'_> {
        Coroutine::of(slot, buyer, async move |mut shop| {
            CoroutineEnd::Served(self.serve(&mut shop, want).await)
        })
    }
}

impl<'s> Coroutine<'s> {
    fn of<F: Future<Output = CoroutineEnd> + 's>(
        slot: &Rc<SimChannel>,
        buyer: BuyerId,
        code: impl FnOnce(Session<SimConnection>) -> F,
    ) -> Self {
        let mut shop = Session::new(SimConnection(Rc::clone(slot)));
        shop.attend(buyer);
        Self { future: Box::pin(code(shop)), slot: Rc::clone(slot), looked: false }
    }

    /// Goes on with a reply, or begins without one.
    pub(super) fn go_on(&mut self, heard: Option<OpResult>) -> Then {
        self.slot.asked.set(None);
        self.slot.reply.set(heard);
        let polled = self.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.looked |= self.slot.looked.take();
        match polled {
            Poll::Ready(end) => Then::Ends(end),
            Poll::Pending => match self.slot.asked.take() {
                Some(asked) => Then::Waits(asked),
                // It awaits something other than its connection, which never comes.
                None => Then::Ends(CoroutineEnd::Attempt(Err(Missed::Failed(
                    crate::domain::attempt::Failure::Suspended,
                )))),
            },
        }
    }

    /// Whether it has looked at the stock.
    pub(super) fn has_looked(&self) -> bool {
        self.looked
    }
}
