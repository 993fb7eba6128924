//! Events: everything that can happen in a simulated shop.

use super::seat::Key;
use crate::domain::card::BackgroundTask;

/// What happens next, and to which buyer's seat or to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next buyer clicks.
    Click,
    /// A buyer's packet reaches the door.
    Door(Key),
    /// A buyer is let in.
    Admit(Key),
    /// A task's code goes on.
    Go(Key),
    /// A task's op arrives where it is done.
    Arrive(Key),
    /// A task's buyer goes away to pay.
    Away(Key),
    /// A task's code has ended.
    Done(Key),
    /// A background task about a buyer is due.
    Due(Key, BackgroundTask),
    /// The queue worker looks whether a request waits.
    QueueWorker,
    /// A queue worker takes the place of one who died.
    QueueWorkerBack,
    /// The first of all holds runs out.
    Holds,
    /// The first of all leases runs out.
    Leases,
    /// Holds have run out, and the group has not agreed on it yet.
    StillHeld,
    /// A member's clock ticks.
    Tick(Key),
    /// A letter between members arrives.
    Letter(Key),
    /// Something happens to members.
    Blow(Key),
    /// This question to the group has waited long enough for its answer.
    TimeOut(Key),
}
