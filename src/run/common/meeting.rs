//! How the parts of a race know of each other: by notes in the store itself.
//!
//! The first part claims the store, and says which race it is once the shop is there. Every part notes that it has come, a
//! sign of life each second, and that its last buyer has had an answer. All waits are bounded, and end with Ctrl-C.

use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError};
use serde::{Deserialize, Serialize};

use super::roll::{Absence, PartNote, Roll};
use crate::base::chance::fresh_seed;
use crate::base::clock::{Clock, Wall, machine_ns, nanos};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::partition::Slice;
use crate::base::text::quantity::duration;
use crate::describe::checkout::ProductStock;
use crate::domain::op::Units;
use crate::stores::remote::{CommonRace, Notes, Server};

/// The note by which the first part claims the store.
const CLAIM: &str = "claim";

/// The note that says which race it is. The shop is there once it is.
const RACE: &str = "race";

/// How often a part gives a sign of life.
const BEAT: Duration = Duration::from_secs(1);

/// How often notes are read.
const LOOK: Duration = Duration::from_millis(200);

/// How much longer than the patience of the race a part may go without a sign of life.
const SILENCE: Duration = Duration::from_secs(5);

/// Which race it is: what all parts have to have been told alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonWork {
    /// The files that the command reads.
    pub(crate) inputs: Inputs,
    /// How many parts there are.
    pub parts: u32,
    /// The command that does all of the work.
    pub command: Vec<String>,
    /// The program that does it.
    pub build: String,
}

/// The note that says which race it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RaceNote {
    /// No other race has this name.
    race: String,
    work: CommonWork,
    shop: OpenedShop,
}

/// The shop as the first part has stocked it up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenedShop {
    /// How many products there are.
    pub(super) items: u8,
    /// Units of each; of the first, where a checkout that is described in a file says how many.
    pub(super) stock: Units,
    /// The products of such a checkout; none where they go by their numbers.
    pub(super) products: Vec<ProductStock>,
}

/// One part among all parts.
pub(super) struct Meeting<'s> {
    server: &'s dyn Server,
    control: &'s Control,
    notes: Box<dyn Notes>,
    slice: Slice,
    silence: Duration,
    /// The name of the race, once it is known. The names of the parts' notes end with it: a part of an earlier race that is
    /// still at work changes none of them.
    race: String,
    /// Whether the notes are this part's to remove.
    has_claimed: bool,
}

impl<'s> Meeting<'s> {
    pub(super) fn open(
        server: &'s dyn Server,
        control: &'s Control,
        slice: Slice,
        patience: Duration,
    ) -> Result<Self, Error> {
        let (notes, silence) = (server.notes()?, patience.saturating_add(SILENCE));
        let (race, has_claimed) = (String::new(), false);
        Ok(Self { server, control, notes, slice, silence, race, has_claimed })
    }

    /// Claims the store for this race.
    pub(super) fn claim(&mut self) -> Result<(), Error> {
        self.notes.make()?;
        if !self.notes.add(CLAIM, "")? {
            return Err(Error::input(format!(
                "another first part is at work on this store: give each part its own number, as in slice:2/{}\n       \
                 if an earlier one was killed there, remove what it left: {}",
                self.slice.of().max(2),
                self.notes.by_hand()
            )));
        }
        self.has_claimed = true;
        Ok(())
    }

    /// The name of the race; empty until it is known.
    pub(super) fn race(&self) -> String {
        self.race.clone()
    }

    /// Tells all other parts that the shop is there.
    pub(super) fn announce(&mut self, work: &CommonWork, shop: OpenedShop) -> Result<(), Error> {
        self.race = format!("{:x}-{:x}", machine_ns(), fresh_seed());
        let note = RaceNote { race: self.race.clone(), work: work.clone(), shop };
        self.notes.add(RACE, &text(&note)).map(drop)
    }

    /// Waits until the shop is there; none if Ctrl-C came first.
    pub(super) fn await_shop(
        &mut self,
        common: &CommonRace,
        is_mine: impl Fn(&CommonWork) -> Result<(), Error>,
    ) -> Result<Option<OpenedShop>, Error> {
        let clock = Wall::start();
        let most = common.until_start().unwrap_or_default().saturating_add(self.silence);
        loop {
            let notes = self.notes.all()?.unwrap_or_default();
            if let Some(note) = notes.get(RACE) {
                let RaceNote { race, work, shop } = read(note)?;
                is_mine(&work)?;
                self.race = race;
                return Ok(Some(shop));
            }
            if clock.now() >= nanos(most) {
                return Err(Error::world(format!(
                    "{} waited for the shop until {} after the start, and {} has not made it",
                    self.slice,
                    duration(nanos(self.silence)),
                    self.slice.sibling(1)
                )));
            }
            if !self.control.pause(LOOK) {
                return Ok(None);
            }
        }
    }

    /// Makes sure that the shop is still there.
    pub(super) fn check_shop(&mut self) -> Result<(), Error> {
        let notes = self.notes.all()?.unwrap_or_default();
        let is_there = notes.contains_key(&self.name_of(self.slice.part()));
        is_there.then_some(()).ok_or_else(|| gone(self.slice))
    }

    /// The name of a part's note.
    fn name_of(&self, part: u32) -> String {
        format!("part-{part}-{}", self.race)
    }

    /// Tells the others that this part has come.
    pub(super) fn join(&mut self) -> Result<(), Error> {
        let name = self.name_of(self.slice.part());
        match self.notes.add(&name, &text(&PartNote::default()))? {
            true => Ok(()),
            false => Err(Error::input(format!(
                "{} is in this race already: give each part its own number",
                self.slice
            ))),
        }
    }

    /// What gives a sign of life each second, on a thread of its own, until `over` is closed.
    pub(super) fn pulse(&self) -> impl Fn(&Receiver<()>) + Send + use<'s> {
        let (server, name) = (self.server, self.name_of(self.slice.part()));
        move |over| {
            let mut notes: Option<Box<dyn Notes>> = None;
            let mut beat = 0;
            while over.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                beat += 1;
                let note = text(&PartNote { beat, ..PartNote::default() });
                // What cannot be written now is written a second later. The part that audits hears nothing meanwhile.
                let written = match &mut notes {
                    Some(notes) => notes.replace(&name, &note).map(drop),
                    None => server.notes().map(|opened| notes = Some(opened)),
                };
                if written.is_err() {
                    notes = None;
                }
            }
        }
    }

    /// Tells the others that the last buyer has had an answer.
    pub(super) fn end(&mut self, was_interrupted: bool) -> Result<(), Error> {
        let note = text(&PartNote { beat: u64::MAX, has_ended: true, was_interrupted });
        let name = self.name_of(self.slice.part());
        let replaced = self.notes.replace(&name, &note).or_else(|_| {
            self.connect_again()?;
            match self.notes.all()? {
                Some(_) => self.notes.replace(&name, &note),
                None => Ok(false),
            }
        });
        match replaced? {
            true => Ok(()),
            false => Err(gone(self.slice)),
        }
    }

    /// Waits until every other part has ended, or is missing. Returns those that are; none if Ctrl-C came first.
    pub(super) fn await_others(&mut self) -> Result<Option<Vec<Absence>>, Error> {
        let clock = Wall::start();
        let mut roll = Roll::open(self.slice, clock.now());
        loop {
            let notes = self.notes.all()?.ok_or_else(|| gone(self.slice))?;
            for part in 2..=self.slice.of() {
                if let Some(note) = notes.get(&self.name_of(part)) {
                    roll.hear(part, read(note)?, clock.now());
                }
            }
            if let Some(missing) = roll.missing(clock.now(), nanos(self.silence)) {
                return Ok(Some(missing));
            }
            if !self.control.pause(LOOK) {
                return Ok(None);
            }
        }
    }

    /// Opens the connection anew: it may have been idle for longer than something on the way allows.
    pub(super) fn connect_again(&mut self) -> Result<(), Error> {
        self.notes = self.server.notes()?;
        Ok(())
    }

    /// The notes, to read the server's clock.
    pub(super) fn notes(&mut self) -> &mut dyn Notes {
        &mut *self.notes
    }
}

impl Drop for Meeting<'_> {
    fn drop(&mut self) {
        if self.has_claimed && self.notes.remove().is_err() {
            let _ = self.server.notes().map(|mut notes| notes.remove());
        }
    }
}

fn gone(slice: Slice) -> Error {
    Error::world(format!(
        "the notes of this race are gone from the store: {} has ended before all others had, or another program has removed \
         them",
        slice.sibling(1)
    ))
}

fn text(note: &impl Serialize) -> String {
    // Cannot fail: notes hold texts and numbers.
    serde_json::to_string(note).unwrap_or_default()
}

fn read<'n, T: Deserialize<'n>>(note: &'n str) -> Result<T, Error> {
    serde_json::from_str(note).map_err(|_| {
        Error::world(
            "a note in the store is none of this version's: another program has written it",
        )
    })
}
