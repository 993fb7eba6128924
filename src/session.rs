//! A session: one buyer's connection to the store, with a typed helper for every op.

use crate::op::{BuyerId, Item, Op, Order, Reply, Request, Units, Version, Want};
use crate::strategy::{Failure, Missed};

/// The world's side of a session: takes ops, gives replies, in its own time.
pub trait Connection {
    /// One round trip. Every call is a point where the world may let somebody else go first.
    fn call(&mut self, op: Op) -> impl Future<Output = Result<Reply, Missed>>;

    /// The time a real shop spends between looking and acting. Touches nothing shared.
    fn think(&mut self) -> impl Future<Output = Result<(), Missed>>;
}

/// One buyer's connection to the store. Every helper is one [`Op`].
///
/// All helpers end the attempt through `?` when the store cannot answer: see
/// [`Failure`] for why that can be.
#[derive(Debug)]
pub struct Session<C> {
    connection: C,
    buyer: BuyerId,
    looked: bool,
}

/// Opens what a reply holds; a store that answers another question has failed its buyer.
macro_rules! expect_reply {
    ($reply:expr, $pattern:pat => $value:expr) => {
        match $reply? {
            $pattern => Ok($value),
            _ => Err(Missed::Failed(Failure::Unsupported)),
        }
    };
}

impl<C: Connection> Session<C> {
    /// A session for whoever comes first; see [`Session::serve`].
    pub fn new(connection: C) -> Self {
        Self { connection, buyer: 0, looked: false }
    }

    /// The next attempt belongs to this buyer.
    #[inline(always)]
    pub fn serve(&mut self, buyer: BuyerId) {
        self.buyer = buyer;
        self.looked = false;
    }

    /// Whose session this is.
    pub fn buyer(&self) -> BuyerId {
        self.buyer
    }

    /// Whether the stock was looked at since [`Session::serve`].
    pub fn has_looked(&self) -> bool {
        self.looked
    }

    /// The world's side.
    pub fn connection(&mut self) -> &mut C {
        &mut self.connection
    }

    /// Ends the session and gives the connection back.
    pub fn into_connection(self) -> C {
        self.connection
    }

    /// Looks at the stock.
    #[inline(always)]
    pub async fn read(&mut self, item: Item) -> Result<Units, Missed> {
        self.looked = true;
        expect_reply!(self.connection.call(Op::Read { item }).await, Reply::Stock(stock) => stock)
    }

    /// Looks at the stock and its version, of one moment.
    #[inline(always)]
    pub async fn read_versioned(&mut self, item: Item) -> Result<(Units, Version), Missed> {
        self.looked = true;
        expect_reply!(
            self.connection.call(Op::ReadVersioned { item }).await,
            Reply::Versioned { stock, version } => (stock, version)
        )
    }

    /// Overwrites the stock, whatever it is.
    #[inline(always)]
    pub async fn write(&mut self, item: Item, stock: Units) -> Result<(), Missed> {
        expect_reply!(self.connection.call(Op::Write { item, stock }).await, Reply::Done => ())
    }

    /// Overwrites the stock if it is still as expected; says whether it did.
    #[inline(always)]
    pub async fn compare_and_set(
        &mut self,
        item: Item,
        expected: Units,
        new: Units,
    ) -> Result<bool, Missed> {
        expect_reply!(
            self.connection.call(Op::CompareAndSet { item, expected, new }).await,
            Reply::Applied(applied) => applied
        )
    }

    /// Overwrites the stock if nobody has since `version`; says whether it did.
    #[inline(always)]
    pub async fn write_if_version(
        &mut self,
        item: Item,
        version: Version,
        stock: Units,
    ) -> Result<bool, Missed> {
        expect_reply!(
            self.connection.call(Op::WriteIfVersion { item, version, stock }).await,
            Reply::Applied(applied) => applied
        )
    }

    /// Takes `qty` units if that many are left; says whether it did.
    #[inline(always)]
    pub async fn take(&mut self, item: Item, qty: Units) -> Result<bool, Missed> {
        expect_reply!(
            self.connection.call(Op::Take { item, qty }).await,
            Reply::Applied(applied) => applied
        )
    }

    /// Adds units (takes them, if negative) without looking; says what is left.
    #[inline(always)]
    pub async fn add(&mut self, item: Item, qty: Units) -> Result<Units, Missed> {
        expect_reply!(
            self.connection.call(Op::Add { item, qty }).await,
            Reply::Stock(stock) => stock
        )
    }

    /// Waits for the product's lock and takes it.
    ///
    /// # Errors
    /// [`Failure::LockTimeout`] when the buyer's patience runs out first.
    #[inline(always)]
    pub async fn lock(&mut self, item: Item) -> Result<(), Missed> {
        expect_reply!(self.connection.call(Op::Lock { item }).await, Reply::Locked { .. } => ())
    }

    /// Gives the product's lock back.
    ///
    /// # Errors
    /// [`Failure::NotLocked`] when this session does not hold it.
    #[inline(always)]
    pub async fn unlock(&mut self, item: Item) -> Result<(), Missed> {
        expect_reply!(self.connection.call(Op::Unlock { item }).await, Reply::Done => ())
    }

    /// Writes this buyer's order into the order book.
    #[inline(always)]
    pub async fn place_order(&mut self, want: Want) -> Result<(), Missed> {
        self.place_order_for(self.buyer, want).await
    }

    /// Writes somebody's order into the order book, as a clerk does.
    #[inline(always)]
    pub async fn place_order_for(&mut self, buyer: BuyerId, want: Want) -> Result<(), Missed> {
        let order = Order { buyer, item: want.item, qty: want.qty };
        expect_reply!(self.connection.call(Op::PlaceOrder(order)).await, Reply::Done => ())
    }

    /// Spends the time a real shop needs between looking and acting.
    #[inline(always)]
    pub async fn think(&mut self) -> Result<(), Missed> {
        self.connection.think().await
    }

    /// Joins the queue in front of the clerk.
    pub async fn submit(&mut self, want: Want) -> Result<(), Missed> {
        expect_reply!(self.connection.call(Op::Submit(Request { buyer: self.buyer, want })).await, Reply::Done => ())
    }

    /// Waits for the clerk; says whether the units are ours.
    ///
    /// # Errors
    /// [`Failure::NoAnswer`] when the buyer's patience runs out first.
    pub async fn answer(&mut self) -> Result<bool, Missed> {
        expect_reply!(
            self.connection.call(Op::AwaitAnswer).await,
            Reply::Applied(applied) => applied
        )
    }

    /// For a clerk: waits for the next in the queue; `None` when the shop has closed.
    pub async fn next_request(&mut self) -> Result<Option<Request>, Missed> {
        expect_reply!(
            self.connection.call(Op::NextRequest).await,
            Reply::Next(request) => request
        )
    }

    /// For a clerk: tells the buyer being served whether it was sold to.
    pub async fn reply(&mut self, sold: bool) -> Result<(), Missed> {
        expect_reply!(self.connection.call(Op::Answer { sold }).await, Reply::Done => ())
    }
}
