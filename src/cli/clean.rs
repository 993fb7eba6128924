//! `clean`: removes what `--keep` has kept, and what runs have left that were killed together with their keepers.

use super::Ended;
use super::output::to_stdout;
use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::base::text::quantity::of;
use crate::stores;

pub(crate) fn run() -> Result<Ended, Error> {
    let left = stores::end_left_over();
    if left > 0 {
        to_stdout(&format!(" ended what {} had left\n", of(left as u64, "killed run")))?;
    }
    let (directory, count, size) = stores::forget_kept()?;
    let directory = directory.display().to_string();
    let directory = printable(&directory);
    to_stdout(&match count {
        0 => format!(" nothing was kept in {directory}\n"),
        count => {
            let size = size.div_ceil(1_000_000);
            format!(" removed {} ({size} MB) from {directory}\n", of(count, "database"))
        }
    })?;
    Ok(Ended::Well)
}
