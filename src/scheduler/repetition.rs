//! Whether an execution whose beginning is repeated goes on as before. After the same choices the same statements are
//! ready, unless chance, a clock or another process has a part in the program. Where it has, schedules that were run say
//! less about those that were not.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::choice::Choice;
use super::execution::Execution;
use super::schedule::Schedule;
use super::statement::PendingStatement;

/// Something that can happen now, with the statement that it sends.
pub(super) type Ready = (Choice, PendingStatement);

/// The points of executions that are remembered at most, each in some dozens of bytes.
const MOST_POINTS: usize = 1 << 20;

/// Whether the same can happen, with the same statements, values aside.
pub(super) fn are_alike(before: &[Ready], now: &[Ready]) -> bool {
    let is_like = |(one, other): (&Ready, &Ready)| one.0 == other.0 && one.1.is_like(&other.1);
    before.len() == now.len() && before.iter().zip(now).all(is_like)
}

/// What can happen, each with its statement, in words.
pub(super) fn said(ready: &[Ready]) -> String {
    let words: Vec<String> =
        ready.iter().map(|(choice, pending)| format!("{choice} `{}`", pending.text)).collect();
    if words.is_empty() { "no buyer".into() } else { words.join(", ") }
}

/// What can happen at one point of an execution, in brief.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadyDigest {
    /// Of the statements with their values.
    texts: u64,
    /// Of the statements without the values that may differ each time.
    shapes: u64,
}

impl ReadyDigest {
    /// What is ready now, and its digest; the digest is always the same where executions are deterministic.
    pub(super) fn now(execution: &mut impl Execution) -> (Vec<Choice>, Self) {
        if execution.is_deterministic() {
            return (execution.choices(), Self::default());
        }
        let ready = execution.ready();
        (ready.iter().map(|(choice, _)| *choice).collect(), Self::of(&ready))
    }

    fn of(ready: &[Ready]) -> Self {
        let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
        for (choice, pending) in ready {
            let PendingStatement { text, touches, shape, begins, phase, .. } = pending;
            let words = [text, shape.as_ref().unwrap_or(text)];
            for (hasher, words) in hashers.iter_mut().zip(words) {
                (choice, words, touches, begins, phase).hash(hasher);
            }
        }
        let [texts, shapes] = hashers.map(|hasher| hasher.finish());
        Self { texts, shapes }
    }

    /// Whether both are digests of the same, values aside.
    pub(super) fn is_like(self, other: Self) -> bool {
        self.texts == other.texts || self.shapes == other.shapes
    }
}

/// The points that executions have come to, and whether any was another one when it was come to again.
#[derive(Debug, Default)]
pub(super) struct Repetition {
    /// By the hash of the choices that lead to each.
    points: BTreeMap<u64, ReadyDigest>,
    differs: Option<String>,
}

impl Repetition {
    /// Takes note of what is ready after these choices.
    pub(super) fn note(&mut self, so_far: &[Choice], execution: &mut impl Execution) {
        if self.differs.is_some() || execution.is_deterministic() {
            return;
        }
        let ready = execution.ready();
        let now = ReadyDigest::of(&ready);
        let mut hasher = DefaultHasher::new();
        so_far.hash(&mut hasher);
        let point = hasher.finish();
        match self.points.get(&point) {
            Some(before) if !before.is_like(now) => {
                let schedule = Schedule(so_far.to_vec());
                self.differs = Some(format!("after {schedule}: {}", said(&ready)));
            }
            None if self.points.len() < MOST_POINTS => drop(self.points.insert(point, now)),
            _ => {}
        }
    }

    /// The first point that was another one when it was come to again, in words.
    pub(super) fn differs(&self) -> Option<&str> {
        self.differs.as_deref()
    }
}
