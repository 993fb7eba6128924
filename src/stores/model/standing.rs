//! How one buyer stands with the world: what is kept about it outside its connection, and stays when an
//! attempt is over. The hold is in the shop's cache, the money with the payment provider.

use crate::domain::op::{Item, Op, Payment, Reply, Units, Want};

/// How one buyer stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Standing {
    /// Units reserved for it.
    pub hold: Option<Hold>,
    /// Leases that are running: a bit a product.
    pub leases: u16,
    /// How often money has moved from it.
    pub charges: u8,
    /// How often money has moved back.
    pub refunds: u8,
    /// How the first request with its idempotency key was answered.
    pub keyed: Option<Payment>,
    /// What became of the price that it was to have set aside.
    pub aside: Aside,
    /// Its orders in the book.
    pub orders: Vec<Want>,
    /// Whether a transaction under way has written or struck out an order of it: who wants to do so, too,
    /// waits until that is over.
    pub claimed: bool,
    /// Whether it ever had one that was struck out.
    pub has_cancelled: bool,
    /// Its orders as the disk has them, if they are not as they are.
    pub on_disk: Option<Box<OnDisk>>,
}

/// A buyer's orders as they were before those that are not on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnDisk {
    /// Counts up whenever what was not on disk comes there, or is lost.
    pub(super) era: u16,
    pub(super) orders: Vec<Want>,
}

/// Money that is set aside before it moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aside {
    /// None is, or none any more.
    #[default]
    Nothing,
    /// The provider has declined to.
    Declined,
    /// It is, and waits to be moved.
    Waiting,
    /// It has moved.
    Moved,
}

/// A reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
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
    /// Whether something of it will run out.
    #[must_use]
    pub fn has_timer(&self) -> bool {
        self.leases != 0 || self.is_holding()
    }

    /// Whether a hold of it stands that nobody has confirmed.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        matches!(self.hold, Some(Hold::Standing { .. }))
    }

    /// Whether there may have been too little left for others because of it, though it has nothing now.
    #[must_use]
    pub fn has_stood_in_the_way(&self) -> bool {
        self.hold.is_some() || self.has_cancelled
    }

    /// Payments that the provider has of it.
    #[must_use]
    pub fn net_charges(&self) -> u8 {
        self.charges.saturating_sub(self.refunds)
    }

    /// A request for money, and how it fares; with a key, only the first counts.
    pub fn charge(&mut self, once: bool, outcome: Payment) -> Payment {
        if let (true, Some(answer)) = (once, self.keyed) {
            return answer;
        }
        if once {
            // The provider knows what it did, even where its answer was lost.
            let known = if outcome == Payment::Declined { outcome } else { Payment::Approved };
            self.keyed = Some(known);
        }
        self.charges = self.charges.saturating_add(u8::from(outcome != Payment::Declined));
        outcome
    }

    /// What the payment provider answers to an op about money, if one that may fare in several ways fares like
    /// this; none if the op is about nothing of the kind.
    pub fn at_provider(&mut self, op: Op, outcome: Payment) -> Option<Reply> {
        Some(match op {
            Op::Void => Reply::Applied(self.void()),
            Op::Refund => Reply::Applied(self.refund()),
            Op::FindCharge => Reply::Applied(self.net_charges() > 0),
            op => Reply::Payment(self.pay(op, outcome)?),
        })
    }

    /// A request about money that may move, and how it fares; none if the op is no such request.
    pub fn pay(&mut self, op: Op, outcome: Payment) -> Option<Payment> {
        match op {
            Op::Charge { once } => Some(self.charge(once, outcome)),
            Op::Authorize => Some(self.authorize(outcome)),
            Op::Capture => Some(self.capture(outcome)),
            _ => None,
        }
    }

    /// Whether such a request can fare like this now: what the provider has answered once stands.
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

    /// What was set aside is let go of, if anything was.
    pub fn void(&mut self) -> bool {
        let waits = self.aside == Aside::Waiting;
        if waits {
            self.aside = Aside::Nothing;
        }
        waits
    }

    /// One payment goes back, if there is one.
    pub fn refund(&mut self) -> bool {
        let has_any = self.net_charges() > 0;
        self.refunds += u8::from(has_any);
        has_any
    }
}
