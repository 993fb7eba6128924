//! Who says a checkout's own statements to a database.

use std::sync::Arc;

use super::course::Course;
use super::layout::{Deed, Layout};
use super::{Database, SqlError};
use crate::checkout::{Answer, Call, Value};
use crate::stores::StoreKind;
use crate::stores::remote::{Refusal, Speaker, Stays, Touches};

/// One connection, on which statements are said that are none of ours.
pub(super) struct SqlSpeaker<D> {
    database: D,
    layout: Arc<Layout>,
    course: Course,
    /// Whether a step may leave something in the session.
    may_leave_traces: bool,
    /// Whether the transaction that is under way has changed anything.
    has_changed: bool,
}

impl<D: Database> SqlSpeaker<D> {
    pub(super) fn new(
        database: D,
        kind: StoreKind,
        layout: Arc<Layout>,
        may_leave_traces: bool,
    ) -> Self {
        let course = Course::of(kind);
        Self { database, layout, course, may_leave_traces, has_changed: false }
    }
}

/// What a call says here.
fn text(call: &Call) -> &str {
    match call {
        Call::Sql(text) => text,
        // Whoever reads the file sees to it that there is none.
        Call::Redis(_) | Call::Lua { .. } | Call::Http(_) => "",
    }
}

/// What an error means to a checkout of a file's own.
fn refusal(error: SqlError) -> Refusal {
    match error {
        SqlError::Conflict => Refusal::Conflict,
        SqlError::LockTimeout => Refusal::Locked,
        SqlError::Lost(text) => Refusal::Lost(text),
        SqlError::Check => Refusal::Forbidden("a CHECK constraint forbids it".into()),
        SqlError::Forbidden(text) => Refusal::Forbidden(text),
        SqlError::Mistaken(text) | SqlError::Refused(text) => Refusal::Wrong(text),
        SqlError::Misused(why) => Refusal::Wrong(why.to_string()),
    }
}

impl<D: Database> Speaker for SqlSpeaker<D> {
    fn say(&mut self, call: &Call, value_of: &dyn Fn(&str) -> Value) -> Result<Answer, Refusal> {
        let text = text(call);
        let deed = self.layout.deed(text);
        let touches = self.touches(call);
        let answer = self.database.ask(text, value_of);
        self.course.note(deed.manner(), touches, answer.is_ok());
        self.has_changed =
            self.course.is_under_way() && (self.has_changed || deed == Deed::Changes);
        answer.map_err(refusal)
    }

    fn told(&self, call: &Call, answer: &Answer) -> String {
        match self.layout.deed(text(call)) {
            Deed::Frames(_) | Deed::Commits | Deed::Sets => String::new(),
            Deed::Looks | Deed::Changes | Deed::Unknown => answer.to_string(),
        }
    }

    fn touches(&self, call: &Call) -> Touches {
        let text = text(call);
        self.course.touches(self.layout.deed(text).manner(), self.layout.touches(text))
    }

    fn taking_back(&self) -> Option<Call> {
        self.course.is_under_way().then(|| Call::Sql("ROLLBACK".into()))
    }

    fn stays(&self, call: &Call) -> Stays {
        match self.layout.deed(text(call)) {
            Deed::Commits if self.has_changed => Stays::Everything,
            Deed::Changes if !self.course.is_under_way() => Stays::Changes,
            Deed::Unknown => Stays::Everything,
            Deed::Looks | Deed::Sets | Deed::Frames(_) | Deed::Commits | Deed::Changes => {
                Stays::Nothing
            }
        }
    }

    fn may_leave_traces(&self) -> bool {
        self.may_leave_traces
    }

    fn begin_anew(&mut self) -> Result<u64, Refusal> {
        self.course.breaks_off();
        self.has_changed = false;
        self.database.begin_anew().map_err(refusal)
    }
}
