//! The orders that a search has run, written down as it goes on, so that a search which was stopped can go on later: a
//! line of JSON for each.

#![cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command keeps a file"))]

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::results::Judged;
use crate::base::error::Error;
use crate::scheduler::PendingStatement;
use crate::worlds::held::ServerStep;

/// Where the lines are kept.
pub(crate) trait OrderFile {
    /// Adds a line, which is there once this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    fn append(&mut self, line: &str) -> Result<(), Error>;

    /// Forgets all lines.
    ///
    /// # Errors
    /// When that cannot be written.
    fn clear(&mut self) -> Result<(), Error>;

    /// The error for what cannot be used, for this reason.
    fn refused(&self, why: &str) -> Error;
}

/// What was known at one point of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoggedPoint {
    /// The buyers that could be chosen, each with the number of its statement.
    pub(super) ready: Vec<(usize, usize)>,
    /// The buyers that may go on with any step of another.
    pub(super) may_go_on: Vec<usize>,
    /// The most futile attempts of any buyer.
    pub(super) futile: u32,
}

/// An order that was run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct LoggedOrder {
    /// Statements that no order before has met; they are numbered in the order of the file.
    statements: Vec<PendingStatement>,
    pub(super) points: Vec<LoggedPoint>,
    pub(super) steps: Vec<ServerStep>,
    /// What came of it, if it was run to its end.
    pub(super) judged: Option<Judged>,
    /// Why it may be that not every order could be chosen, if that was said by then.
    pub(super) hidden: Vec<String>,
}

/// The orders that were run before, and a file for those that are run now.
pub(crate) struct OrderLog<'f> {
    file: &'f mut (dyn OrderFile + Send),
    known: VecDeque<LoggedOrder>,
    statements: Vec<PendingStatement>,
    numbers: BTreeMap<String, Vec<usize>>,
    /// How many of the statements are in the file.
    written: usize,
    /// Whether orders are still written: not once they depend on what the server has learned.
    is_written: bool,
    hidden: Vec<String>,
}

impl<'f> OrderLog<'f> {
    /// The orders in these lines of a file.
    ///
    /// # Errors
    /// [`Error::Input`] for a line that is none.
    pub(crate) fn of(
        file: &'f mut (dyn OrderFile + Send),
        lines: &[String],
    ) -> Result<Self, Error> {
        let mut log = Self {
            file,
            known: VecDeque::new(),
            statements: Vec::new(),
            numbers: BTreeMap::new(),
            written: 0,
            is_written: true,
            hidden: Vec::new(),
        };
        for (line, number) in lines.iter().zip(2..) {
            let order: Result<LoggedOrder, _> = serde_json::from_str(line);
            let mut order = order.map_err(|error| {
                log.file.refused(&format!("line {number} is no order: {error}"))
            })?;
            for statement in order.statements.drain(..) {
                log.number(&statement);
            }
            let is_known = |point: &LoggedPoint| {
                point.ready.iter().all(|(_, number)| *number < log.statements.len())
            };
            if order.points.is_empty() || !order.points.iter().all(is_known) {
                return Err(log.file.refused(&format!("line {number} is no order")));
            }
            log.hidden.clone_from(&order.hidden);
            log.known.push_back(order);
        }
        log.written = log.statements.len();
        Ok(log)
    }

    /// The first of the orders that were run before.
    pub(super) fn first(&self) -> Option<&LoggedOrder> {
        self.known.front()
    }

    /// The next of the orders that were run before.
    pub(super) fn next(&mut self) -> Option<LoggedOrder> {
        self.known.pop_front()
    }

    /// Why it may be that not every order could be chosen, as was said of the orders that were run before.
    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }

    /// The statement of this number.
    pub(super) fn statement(&self, number: usize) -> Option<&PendingStatement> {
        self.statements.get(number)
    }

    /// The number of a statement, which may be new.
    pub(super) fn number(&mut self, statement: &PendingStatement) -> usize {
        let alike = self.numbers.entry(statement.text.clone()).or_default();
        let known = alike.iter().copied().find(|number| self.statements[*number] == *statement);
        known.unwrap_or_else(|| {
            let number = self.statements.len();
            self.statements.push(statement.clone());
            alike.push(number);
            number
        })
    }

    /// Writes an order down.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, mut order: LoggedOrder) -> Result<(), Error> {
        if !self.is_written {
            return Ok(());
        }
        order.statements = self.statements[self.written..].to_vec();
        let line = serde_json::to_string(&order);
        let line = line.map_err(|error| Error::world(format!("an order as JSON: {error}")))?;
        self.file.append(&line)?;
        self.written = self.statements.len();
        Ok(())
    }

    /// Forgets all orders, and writes none from now on.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn give_up(&mut self) -> Result<(), Error> {
        self.known.clear();
        match std::mem::replace(&mut self.is_written, false) {
            true => self.file.clear(),
            false => Ok(()),
        }
    }

    /// The error for orders that cannot be used, for this reason.
    pub(super) fn refused(&self, why: &str) -> Error {
        self.file.refused(why)
    }
}
