//! What somebody's application says to a database, as far as it has to be known.

use std::sync::Arc;

use parking_lot::RwLock;

use super::course::{Course, Manner};
use super::layout::{Deed, Layout, level_in};
use crate::proxy::{Frame, Said, Seen, Sight};
use crate::stores::StoreKind;
use crate::stores::model::Isolation;
use crate::stores::remote::{Parts, Touches};
use crate::text::sql::{filled, in_brief, shape, statements};

/// What is known of a database's tables, for every connection to it.
pub(in crate::stores) type Known = Arc<RwLock<Layout>>;

/// One connection.
pub(in crate::stores) struct SqlSight {
    known: Known,
    course: Course,
    frame: Frame,
    /// The furthest that the connection has asked to have its transactions kept apart.
    isolation: Isolation,
    /// Transactions that have begun.
    begun: u64,
    /// Statements that were let through since the last that was held, and are told with the next.
    before: Vec<String>,
}

impl SqlSight {
    pub(in crate::stores) fn new(kind: StoreKind, known: &Known) -> Self {
        Self {
            known: Arc::clone(known),
            course: Course::of(kind),
            frame: Frame::NONE,
            isolation: Isolation::ReadCommitted,
            begun: 0,
            before: Vec::new(),
        }
    }

    /// One statement of those that are about to be sent.
    fn see_one(&mut self, text: &str) -> Touches {
        let layout = self.known.read();
        let isolation = layout.isolation().max(self.isolation);
        let deed = layout.deed(text);
        let manner = match deed.manner() {
            Manner::Begins(level) => Manner::Begins(level.max(isolation)),
            manner => manner,
        };
        if deed == Deed::Sets
            && let Some(level) = level_in(text)
        {
            self.isolation = self.isolation.max(level);
            self.course.raise(level);
        }
        let begins = match manner {
            Manner::Begins(_) | Manner::BeginsLocking => true,
            Manner::Ends => false,
            // Whoever does not commit by itself begins by itself.
            Manner::GoesOn => {
                let does = self.frame.begins_by_itself && deed != Deed::Sets;
                let begins = does && !self.course.is_under_way();
                if begins {
                    self.course.note(Manner::Begins(isolation), Touches::NOTHING, true);
                }
                begins
            }
        };
        let touches = self.course.touches(manner, layout.touches(text));
        self.course.note(manner, touches, true);
        self.begun += u64::from(begins);
        touches
    }
}

impl Sight for SqlSight {
    fn see(&mut self, said: &Said) -> Seen {
        let was_under_way = self.course.is_under_way();
        let all = statements(&said.text);
        let touches =
            all.iter().fold(Touches::NOTHING, |touches, text| touches | self.see_one(text));
        let is_framed = was_under_way || self.course.is_under_way();
        let text = in_brief(&filled(&said.text, &said.values));
        let shape = shape(&said.text);
        let transaction = is_framed.then_some(self.begun);
        if touches == Touches::NOTHING {
            // Of what is let through only where transactions begin is of interest.
            if self.course.is_under_way() && !was_under_way {
                self.before.push(text.clone());
            }
            return Seen { text, shape, touches, transaction };
        }
        let mut told = std::mem::take(&mut self.before);
        told.push(text);
        Seen { text: told.join("; "), shape, touches, transaction }
    }

    fn settle(&mut self, frame: Frame) {
        self.frame = frame;
        match (frame.is_open, self.course.is_under_way()) {
            (false, true) => {
                self.course.breaks_off();
                self.before.clear();
            }
            // However that came about: whatever it has done so far may matter when it ends.
            (true, false) => {
                self.begun += 1;
                let isolation = self.known.read().isolation().max(self.isolation);
                self.course.note(Manner::Begins(isolation), Touches::NOTHING, true);
                self.course.note(Manner::GoesOn, Touches::writing(Parts::ALL), true);
            }
            _ => {}
        }
    }
}
