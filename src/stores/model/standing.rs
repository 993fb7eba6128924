//! The state of one buyer that is kept outside its connection, and stays when an attempt is over. The hold is in the
//! shop's cache, the money with the payment provider.

use crate::domain::op::{Item, Op, Payment, Reply, Units, Want};

/// The state of one buyer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standing {
    /// Units reserved for it.
    pub hold: Option<Reservation>,
    /// Leases that are running: one bit for each product.
    pub leases: u16,
    /// How often money has moved from the buyer.
    pub charges: u8,
    /// How often money has moved back to the buyer.
    pub refunds: u8,
    /// How the first request with its idempotency key was answered.
    pub keyed: Option<Payment>,
    /// The state of the money that the buyer has authorized.
    pub aside: Aside,
    /// Its orders in the book.
    pub orders: Vec<Want>,
    /// Whether a transaction under way has written or cancelled an order of this buyer. Another transaction that wants
    /// to do the same waits until that one is over.
    pub claimed: bool,
    /// Whether an order of this buyer was ever cancelled.
    pub has_cancelled: bool,
    /// Its orders on disk, if they differ from those in the book.
    pub on_disk: Option<Box<OnDisk>>,
}

/// A buyer's orders on disk, without those that are not on disk yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnDisk {
    /// The journal's era of the first change that is not on disk.
    pub(super) era: u16,
    pub(super) orders: Vec<Want>,
}

/// Money that is authorized before it moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aside {
    /// No money is authorized, or not any more.
    #[default]
    Nothing,
    /// The provider has declined the authorization.
    Declined,
    /// The money is authorized, and waits to be captured.
    Waiting,
    /// The money was captured.
    Moved,
}

/// A reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reservation {
    /// Its timer is running.
    Standing {
        /// The product.
        item: Item,
        /// Units.
        qty: Units,
    },
    /// The units are this buyer's for good.
    Confirmed {
        /// The product.
        item: Item,
    },
    /// The units went back: the timer ran out, or the buyer gave them back.
    Over {
        /// The product.
        item: Item,
    },
}

impl Standing {
    /// Whether it has a hold or a lease that will expire.
    #[must_use]
    pub fn has_timer(&self) -> bool {
        self.leases != 0 || self.is_holding()
    }

    /// Whether it has a standing hold, which it has not confirmed.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        matches!(self.hold, Some(Reservation::Standing { .. }))
    }

    /// Whether other buyers may have found too little stock because of it, though it has nothing now.
    #[must_use]
    pub fn has_stood_in_the_way(&self) -> bool {
        self.hold.is_some() || self.has_cancelled
    }

    /// This buyer's payments, less refunds.
    #[must_use]
    pub fn net_charges(&self) -> u8 {
        self.charges.saturating_sub(self.refunds)
    }

    /// Charges the buyer, with this outcome; with an idempotency key, only the first request counts.
    pub fn charge(&mut self, once: bool, outcome: Payment) -> Payment {
        if let (true, Some(answer)) = (once, self.keyed) {
            return answer;
        }
        if once {
            // The provider knows what it did, even if its answer was lost.
            let known = if outcome == Payment::Declined { outcome } else { Payment::Approved };
            self.keyed = Some(known);
        }
        self.charges = self.charges.saturating_add(u8::from(outcome != Payment::Declined));
        outcome
    }

    /// The payment provider's answer to an op about money; this outcome is used if the op has several. None if the op
    /// is not about money.
    pub fn at_provider(&mut self, op: Op, outcome: Payment) -> Option<Reply> {
        Some(match op {
            Op::Void => Reply::Applied(self.void()),
            Op::Refund => Reply::Applied(self.refund()),
            Op::FindCharge => Reply::Applied(self.net_charges() > 0),
            op => Reply::Payment(self.pay(op, outcome)?),
        })
    }

    /// Charges, authorizes or captures, with this outcome; none if the op is none of these.
    pub fn pay(&mut self, op: Op, outcome: Payment) -> Option<Payment> {
        match op {
            Op::Charge { once } => Some(self.charge(once, outcome)),
            Op::Authorize => Some(self.authorize(outcome)),
            Op::Capture => Some(self.capture(outcome)),
            _ => None,
        }
    }

    /// Whether such a request can have this outcome now: an answer that the provider has given once does not change.
    #[must_use]
    pub fn can_pay(&self, op: Op, outcome: Payment) -> bool {
        match op {
            Op::Charge { once } => !once || self.keyed.is_none(),
            Op::Authorize => self.aside == Aside::Nothing,
            Op::Capture => self.aside == Aside::Waiting && outcome != Payment::Declined,
            _ => false,
        }
    }

    fn authorize(&mut self, outcome: Payment) -> Payment {
        match self.aside {
            Aside::Waiting | Aside::Moved => return Payment::Approved,
            Aside::Declined => return Payment::Declined,
            Aside::Nothing if outcome == Payment::Declined => self.aside = Aside::Declined,
            Aside::Nothing => self.aside = Aside::Waiting,
        }
        outcome
    }

    fn capture(&mut self, outcome: Payment) -> Payment {
        match self.aside {
            Aside::Nothing | Aside::Declined => Payment::Declined,
            Aside::Moved => Payment::Approved,
            Aside::Waiting => {
                self.aside = Aside::Moved;
                self.charges = self.charges.saturating_add(1);
                if outcome == Payment::Declined { Payment::Approved } else { outcome }
            }
        }
    }

    /// Voids the authorization, if there is one; returns whether there was.
    pub fn void(&mut self) -> bool {
        let waits = self.aside == Aside::Waiting;
        if waits {
            self.aside = Aside::Nothing;
        }
        waits
    }

    /// Refunds one payment, if there is one; returns whether there was.
    pub fn refund(&mut self) -> bool {
        let has_any = self.net_charges() > 0;
        self.refunds += u8::from(has_any);
        has_any
    }
}
