//! What the program has written and reads again: reports, parts of reports, points of a sweep, orders of a search.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{assert_line, text};
use crate::base::error::Error;
use crate::base::partition::Slice;
use crate::base::samples::Samples;
use crate::check::baseline::Baseline;
use crate::check::sweep::{Grid, SweepPoint};
use crate::explore::{OrderFile, OrderLog};
use crate::run::logbook::{Logbook, PartOfRun};

/// What is read, written and read again is the same; a part that is taken in can be reported.
pub fn saved(data: &[u8]) {
    let text = &*text(data);
    if let Err(why) = Baseline::parse("x.json", data) {
        assert_line(&why);
    }
    same_again::<Grid>(text);
    same_again::<SweepPoint>(text);
    if let Ok(samples) = Samples::try_from(text.to_owned()) {
        let written = String::from(samples);
        let again = Samples::try_from(written.clone()).expect("it was written by us");
        assert_eq!(String::from(again), written);
    }
    if let Some(part) = same_again::<PartOfRun>(text)
        && part.check(Slice::WHOLE, u32::MAX).is_ok()
    {
        let _ = part.alone().close("naive", part.was_interrupted(), String::new());
        let mut whole = Logbook::open(&[]);
        for part in [serde_json::from_str(text), serde_json::from_str(text)].into_iter().flatten() {
            let _ = whole.add_part(part);
        }
        let _ = whole.close("naive", false, String::new());
    }
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if let Err(why) = OrderLog::of(&mut NoFile, &lines) {
        assert_line(&why.to_string());
    }
}

/// What is written of what was read is read again, and then is written as before.
fn same_again<T: DeserializeOwned + Serialize>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("it was written by us");
    assert_eq!(serde_json::to_string(&again).ok(), Some(written));
    Some(value)
}

/// A file that is not written.
struct NoFile;

impl OrderFile for NoFile {
    fn append(&mut self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn refused(&self, why: &str) -> Error {
        Error::input(format!("--resume x: {why}"))
    }
}
