//! A strategy's card: its name, what it needs of a store, and what it claims of itself.

use super::finding::FindingKind;
use super::op::OpKind;
use super::store_kind::StoreKind;

/// What a strategy claims of itself; tests hold it to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// No finding, ever, as long as nothing goes wrong around it.
    Safe,
    /// No finding, ever, under these settings.
    SafeWhen(When),
    /// Broken on purpose: it can be made to show this.
    Shows(FindingKind),
    /// Broken on purpose: under these settings it can be made to show this.
    ShowsWhen(FindingKind, When),
}

/// Settings by name: what a claim is about, such as a crash.
pub type When = &'static [(&'static str, &'static str)];

impl Claim {
    /// The settings under which it is made, beside the usual ones.
    #[must_use]
    pub fn when(self) -> When {
        match self {
            Self::SafeWhen(when) | Self::ShowsWhen(_, when) => when,
            Self::Safe | Self::Shows(_) => &[],
        }
    }

    /// The finding that it can be made to show, if it is broken.
    #[must_use]
    pub fn shows(self) -> Option<FindingKind> {
        match self {
            Self::Shows(kind) | Self::ShowsWhen(kind, _) => Some(kind),
            Self::Safe | Self::SafeWhen(_) => None,
        }
    }
}

/// What the shop does in a buyer's name beside the buyer's own attempt: each background task is a few ops of its own,
/// and may come at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackgroundTask {
    /// The payment provider has told the shop that money has moved:
    /// [`Strategy::notified`](crate::strategy::Strategy::notified).
    Webhook,
    /// The server that ran the buyer's attempt died, and another server recovers what it left behind:
    /// [`Strategy::recover`](crate::strategy::Strategy::recover).
    Recovery,
}

/// A strategy's card: everything about it but its code.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct About {
    /// The name that `--strategy` takes.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// One line, lower case, no full stop.
    pub summary: &'static str,
    /// The ops it needs of a store, besides placing orders.
    pub needs: &'static [OpKind],
    /// Whether it sells carts of several products. Any other is given one product at a time.
    pub carts: bool,
    /// What it promises.
    pub claim: Claim,
}

impl About {
    /// Whether the card lists this kind of op.
    #[doc(hidden)]
    #[must_use]
    pub fn names(&self, kind: OpKind) -> bool {
        self.needs.contains(&kind)
    }

    /// The stores that offer every op that it needs.
    #[must_use]
    pub fn stores(&self) -> Vec<StoreKind> {
        let offers_all = |store: &StoreKind| self.needs.iter().all(|kind| store.offers(*kind));
        StoreKind::ALL.into_iter().filter(offers_all).collect()
    }

    /// Whether it needs this kind of op. A strategy that does not say what it needs gets everything.
    #[doc(hidden)]
    #[must_use]
    pub fn asks_for(&self, is: impl Fn(OpKind) -> bool) -> bool {
        self.needs.is_empty() || self.needs.iter().any(|kind| is(*kind))
    }

    /// The card of a strategy that did not write one: named after its type, claiming to be safe.
    #[must_use]
    pub fn of_type<S: ?Sized>() -> Self {
        Self {
            name: type_name::<S>(),
            aliases: &[],
            summary: "a strategy of your own",
            needs: &[],
            carts: true,
            claim: Claim::Safe,
        }
    }

    /// The same, with this name.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The same, with this summary.
    #[must_use]
    pub fn summarized(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// The same, with these ops as all that it needs of a store.
    #[must_use]
    pub fn needing(self, needs: &'static [OpKind]) -> Self {
        Self { needs, ..self }
    }

    /// The same; if `carts`, it sells carts of several products.
    #[must_use]
    pub fn selling_carts(self, carts: bool) -> Self {
        Self { carts, ..self }
    }

    /// The same, with this claim.
    #[must_use]
    pub fn claiming(self, claim: Claim) -> Self {
        Self { claim, ..self }
    }
}

/// A type's name without its path.
pub(crate) fn type_name<S: ?Sized>() -> &'static str {
    let path = std::any::type_name::<S>();
    path.rsplit("::").next().unwrap_or(path)
}
