//! Events: everything that can happen in a simulated shop.

use super::seat::SubjectId;
use crate::domain::card::BackgroundTask;

/// What happens next, and to which buyer's seat or to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The next buyer clicks.
    Click,
    /// A buyer's packet reaches the door.
    Door(SubjectId),
    /// A buyer is let in.
    Admit(SubjectId),
    /// A task's code goes on.
    Go(SubjectId),
    /// A task's op arrives where it is done.
    Arrive(SubjectId),
    /// A task's buyer goes away to pay.
    Away(SubjectId),
    /// A task's code has ended.
    Done(SubjectId),
    /// A background task about a buyer is due.
    Due(SubjectId, BackgroundTask),
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
    Tick(SubjectId),
    /// A letter between members arrives.
    Letter(SubjectId),
    /// Something happens to members.
    Blow(SubjectId),
    /// This question to the group has waited long enough for its answer.
    TimeOut(SubjectId),
}
