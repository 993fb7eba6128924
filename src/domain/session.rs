//! A session: one buyer's connection to the store, with a typed helper for every op.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::attempt::{Failure, Missed};
use super::op::{BuyerId, Item, Onward, Op, Order, Payment, Reply, Request, Units, Version, Want};

/// The world's side of a session: takes ops, gives replies, in its own time.
pub trait Connection {
    /// One round trip. Every call is a point where the world may let another buyer go first.
    #[doc(hidden)]
    fn call(&mut self, op: Op) -> impl Future<Output = Result<Reply, Missed>> + Unpin;

    /// The time a real shop spends between looking and acting. It touches nothing shared.
    #[doc(hidden)]
    fn think(&mut self) -> impl Future<Output = Result<(), Missed>> + Unpin;

    /// The time a buyer is away to pay: minutes, where time is simulated, and it may never come back.
    #[doc(hidden)]
    fn away(&mut self) -> impl Future<Output = Result<(), Missed>> + Unpin {
        self.think()
    }
}

/// One buyer's connection to the store. Every helper is one op.
///
/// ```
/// use oversell_sim::prelude::*;
///
/// /// Takes a unit if nothing has changed since it looked.
/// async fn take_one<C: Connection>(shop: &mut Session<C>, item: Item) -> Result<bool, Missed> {
///     let (left, version) = shop.read_versioned(item).await?;
///     Ok(left > 0 && shop.write_if_version(item, version, left - 1).await?)
/// }
/// ```
///
/// All helpers end the attempt through `?` when the store cannot answer: see
/// [`Failure`] for why that can be.
#[derive(Debug)]
pub struct Session<C> {
    connection: C,
    buyer: BuyerId,
    looked: bool,
}

/// A reply on its way, and how to open it. A future of its own rather than an `async` block, so that
/// a helper is always inlined into the attempt that awaits it.
struct Opened<F, O> {
    reply: F,
    open: O,
}

impl<T, F, O> Future for Opened<F, O>
where
    F: Future<Output = Result<Reply, Missed>> + Unpin,
    O: Fn(Reply) -> Option<T> + Unpin,
{
    type Output = Result<T, Missed>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.reply).poll(context).map(|reply| {
            // A reply of the wrong form fails the attempt.
            (self.open)(reply?).ok_or(Missed::Failed(Failure::Unsupported))
        })
    }
}

/// What opens a reply of one form.
macro_rules! opening {
    ($pattern:pat => $value:expr) => {
        |reply| match reply {
            $pattern => Some($value),
            _ => None,
        }
    };
}

impl<C: Connection> Session<C> {
    /// A session for buyer 0, until [`Session::attend`] names another.
    #[doc(hidden)]
    pub fn new(connection: C) -> Self {
        Self { connection, buyer: 0, looked: false }
    }

    /// Serves this buyer from now on.
    #[doc(hidden)]
    #[inline(always)]
    pub fn attend(&mut self, buyer: BuyerId) {
        self.buyer = buyer;
        self.looked = false;
    }

    /// The buyer being served.
    pub fn buyer(&self) -> BuyerId {
        self.buyer
    }

    /// Whether the stock was looked at since [`Session::attend`].
    #[doc(hidden)]
    pub fn has_looked(&self) -> bool {
        self.looked
    }

    /// The world's side.
    #[doc(hidden)]
    pub fn connection(&mut self) -> &mut C {
        &mut self.connection
    }

    /// Ends the session and gives the connection back.
    #[doc(hidden)]
    pub fn into_connection(self) -> C {
        self.connection
    }

    #[inline(always)]
    fn ask<T>(
        &mut self,
        op: Op,
        open: impl Fn(Reply) -> Option<T> + Unpin,
    ) -> impl Future<Output = Result<T, Missed>> {
        Opened { reply: self.connection.call(op), open }
    }

    /// Looks at the stock.
    #[inline(always)]
    pub fn read(&mut self, item: Item) -> impl Future<Output = Result<Units, Missed>> {
        self.looked = true;
        self.ask(Op::Read { item }, opening!(Reply::Stock(stock) => stock))
    }

    /// Looks at the stock and its version, of one moment.
    #[inline(always)]
    pub fn read_versioned(
        &mut self,
        item: Item,
    ) -> impl Future<Output = Result<(Units, Version), Missed>> {
        self.looked = true;
        let open = opening!(Reply::Versioned { stock, version } => (stock, version));
        self.ask(Op::ReadVersioned { item }, open)
    }

    /// Overwrites the stock, whatever it is.
    #[inline(always)]
    pub fn write(&mut self, item: Item, stock: Units) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Write { item, stock }, opening!(Reply::Done => ()))
    }

    /// Overwrites the stock if it is still as expected; says whether it did.
    #[inline(always)]
    pub fn compare_and_set(
        &mut self,
        item: Item,
        expected: Units,
        new: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        let op = Op::CompareAndSet { item, expected, new };
        self.ask(op, opening!(Reply::Applied(applied) => applied))
    }

    /// Overwrites the stock if its version is still `version`; says whether it did.
    #[inline(always)]
    pub fn write_if_version(
        &mut self,
        item: Item,
        version: Version,
        stock: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        let op = Op::WriteIfVersion { item, version, stock };
        self.ask(op, opening!(Reply::Applied(applied) => applied))
    }

    /// Takes `qty` units if that many are left; says whether it did.
    #[inline(always)]
    pub fn take(&mut self, item: Item, qty: Units) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Take { item, qty }, opening!(Reply::Applied(applied) => applied))
    }

    /// Adds units (takes them, if negative) without looking; says what is left.
    #[inline(always)]
    pub fn add(&mut self, item: Item, qty: Units) -> impl Future<Output = Result<Units, Missed>> {
        self.ask(Op::Add { item, qty }, opening!(Reply::Stock(stock) => stock))
    }

    /// Waits for the product's lock and takes it.
    ///
    /// # Errors
    /// [`Failure::LockTimeout`] when the buyer's patience runs out first.
    #[inline(always)]
    pub fn lock(&mut self, item: Item) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Lock { item }, opening!(Reply::Locked { .. } => ()))
    }

    /// Gives the product's lock back.
    ///
    /// # Errors
    /// [`Failure::NotLocked`] when this session does not hold it.
    #[inline(always)]
    pub fn unlock(&mut self, item: Item) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Unlock { item }, opening!(Reply::Done => ()))
    }

    /// Writes the order of the buyer being served into the order book, as one row.
    #[inline(always)]
    pub fn place_order(&mut self, want: Want) -> impl Future<Output = Result<(), Missed>> {
        let order = Order { buyer: self.buyer, want };
        self.ask(Op::PlaceOrder(order), opening!(Reply::Done => ()))
    }

    /// Makes a step of a checkout that is described in a file; says how it goes on.
    #[doc(hidden)]
    #[inline(always)]
    pub fn step(
        &mut self,
        number: u16,
        want: Want,
    ) -> impl Future<Output = Result<Onward, Missed>> {
        self.ask(Op::Step { number, want }, opening!(Reply::Went(onward) => onward))
    }

    /// Spends the time a real shop needs between looking and acting.
    #[inline(always)]
    pub fn think(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.connection.think()
    }

    /// Lets the buyer go and pay, and waits until it is back.
    #[inline(always)]
    pub fn away(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.connection.away()
    }

    /// Joins the queue in front of the worker.
    #[inline(always)]
    pub fn submit(&mut self, want: Want) -> impl Future<Output = Result<(), Missed>> {
        let request = Request { buyer: self.buyer, want };
        self.ask(Op::Submit(request), opening!(Reply::Done => ()))
    }

    /// Waits for the worker; says whether the units are ours.
    ///
    /// # Errors
    /// [`Failure::NoAnswer`] when the buyer's patience runs out first.
    #[inline(always)]
    pub fn answer(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::AwaitAnswer, opening!(Reply::Applied(applied) => applied))
    }

    /// Reserves units until a timer runs out; says whether enough was left.
    #[inline(always)]
    pub fn hold(&mut self, item: Item, qty: Units) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Hold { item, qty }, opening!(Reply::Applied(applied) => applied))
    }

    /// Makes the reserved units ours for good; says whether the hold still stood, or had been confirmed
    /// before.
    ///
    /// # Errors
    /// [`Failure::NotHeld`] when this buyer never reserved any.
    #[inline(always)]
    pub fn confirm(&mut self, item: Item) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Confirm { item }, opening!(Reply::Applied(applied) => applied))
    }

    /// Gives reserved units back; says whether there was a hold that still stood.
    #[inline(always)]
    pub fn release(&mut self, item: Item) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Release { item }, opening!(Reply::Applied(applied) => applied))
    }

    /// Asks the payment provider for the price, with the buyer's own idempotency key: however often it
    /// is asked, the money moves once.
    #[inline(always)]
    pub fn charge_once(&mut self) -> impl Future<Output = Result<Payment, Missed>> {
        self.ask(Op::Charge { once: true }, opening!(Reply::Payment(payment) => payment))
    }

    /// Asks the payment provider for the price, without a key: every time it is asked, money moves.
    #[inline(always)]
    pub fn charge(&mut self) -> impl Future<Output = Result<Payment, Missed>> {
        self.ask(Op::Charge { once: false }, opening!(Reply::Payment(payment) => payment))
    }

    /// Has the price set aside by the payment provider, without moving it.
    #[inline(always)]
    pub fn authorize(&mut self) -> impl Future<Output = Result<Payment, Missed>> {
        self.ask(Op::Authorize, opening!(Reply::Payment(payment) => payment))
    }

    /// Moves the money that was set aside.
    #[inline(always)]
    pub fn capture(&mut self) -> impl Future<Output = Result<Payment, Missed>> {
        self.ask(Op::Capture, opening!(Reply::Payment(payment) => payment))
    }

    /// Releases the money that was set aside; says whether any was.
    #[inline(always)]
    pub fn void(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Void, opening!(Reply::Applied(applied) => applied))
    }

    /// Gives one payment back; says whether the provider had one.
    #[inline(always)]
    pub fn refund(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Refund, opening!(Reply::Applied(applied) => applied))
    }

    /// Asks the provider whether it has money of this buyer.
    #[inline(always)]
    pub fn find_charge(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::FindCharge, opening!(Reply::Applied(applied) => applied))
    }

    /// Looks into the order book for an order of this buyer.
    #[inline(always)]
    pub fn find_order(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::FindOrder, opening!(Reply::Applied(applied) => applied))
    }

    /// Writes the order, unless one of this buyer is there; says whether it did.
    #[inline(always)]
    pub fn place_order_once(&mut self, want: Want) -> impl Future<Output = Result<bool, Missed>> {
        let order = Order { buyer: self.buyer, want };
        self.ask(Op::PlaceOrderOnce(order), opening!(Reply::Applied(applied) => applied))
    }

    /// Strikes this buyer's orders out of the book; says whether there were any.
    #[inline(always)]
    pub fn cancel_order(&mut self) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::CancelOrder, opening!(Reply::Applied(applied) => applied))
    }

    /// Where there is no stock column: counts the units that were never ordered.
    #[inline(always)]
    pub fn count_left(&mut self, item: Item) -> impl Future<Output = Result<Units, Missed>> {
        self.looked = true;
        self.ask(Op::CountLeft { item }, opening!(Reply::Stock(units) => units))
    }

    /// Waits for the product's lease, which ends by itself after a while, and takes it; says its token.
    #[inline(always)]
    pub fn lease(&mut self, item: Item) -> impl Future<Output = Result<Version, Missed>> {
        self.ask(Op::Lease { item }, opening!(Reply::Token(token) => token))
    }

    /// Gives the lease back; says whether it still was ours.
    #[inline(always)]
    pub fn unlease(&mut self, item: Item) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::Unlease { item }, opening!(Reply::Applied(applied) => applied))
    }

    /// Looks at the stock and shows the token of our lease.
    ///
    /// # Errors
    /// [`Missed::Conflict`] when the store has seen a later token.
    #[inline(always)]
    pub fn read_fenced(
        &mut self,
        item: Item,
        token: Version,
    ) -> impl Future<Output = Result<Units, Missed>> {
        self.looked = true;
        self.ask(Op::ReadFenced { item, token }, opening!(Reply::Stock(stock) => stock))
    }

    /// Overwrites the stock, unless the store has seen a later token; says whether it did.
    #[inline(always)]
    pub fn write_fenced(
        &mut self,
        item: Item,
        token: Version,
        stock: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        let op = Op::WriteFenced { item, token, stock };
        self.ask(op, opening!(Reply::Applied(applied) => applied))
    }

    /// Begins a transaction, at the store's isolation level.
    #[inline(always)]
    pub fn begin(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Begin, opening!(Reply::Done => ()))
    }

    /// Commits the transaction, all or nothing.
    ///
    /// # Errors
    /// [`Missed::Conflict`] when the isolation level forbids it; the transaction is then rolled back.
    #[inline(always)]
    pub fn commit(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Commit, opening!(Reply::Done => ()))
    }

    /// The same, but the answer comes before it is on disk, and a power cut loses it.
    #[inline(always)]
    pub fn commit_unsynced(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::CommitUnsynced, opening!(Reply::Done => ()))
    }

    /// Rolls the transaction back.
    #[inline(always)]
    pub fn rollback(&mut self) -> impl Future<Output = Result<(), Missed>> {
        self.ask(Op::Rollback, opening!(Reply::Done => ()))
    }

    /// Takes units from the copy of the stock in the cache, if enough is left; says whether it did.
    #[inline(always)]
    pub fn take_cached(
        &mut self,
        item: Item,
        qty: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::TakeCached { item, qty }, opening!(Reply::Applied(applied) => applied))
    }

    /// Adds units to the copy of the stock in the cache; says what the copy is afterwards.
    #[inline(always)]
    pub fn add_cached(
        &mut self,
        item: Item,
        qty: Units,
    ) -> impl Future<Output = Result<Units, Missed>> {
        self.ask(Op::AddCached { item, qty }, opening!(Reply::Stock(stock) => stock))
    }

    /// Takes units from the shard whose turn it is, if enough is left on it; says whether it did.
    #[inline(always)]
    pub fn take_from_shard(
        &mut self,
        item: Item,
        qty: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::TakeFromShard { item, qty }, opening!(Reply::Applied(applied) => applied))
    }

    /// Takes units from all shards together, if enough is left on all of them; says whether it did.
    #[inline(always)]
    pub fn take_from_all(
        &mut self,
        item: Item,
        qty: Units,
    ) -> impl Future<Output = Result<bool, Missed>> {
        self.ask(Op::TakeFromAll { item, qty }, opening!(Reply::Applied(applied) => applied))
    }
}
