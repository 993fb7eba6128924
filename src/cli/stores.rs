//! `stores`: which are ready here, and what each can do.

use crate::base::error::Error;
use crate::base::text::printable::printable;
use crate::domain::op::OpKind;
use crate::stores::{Readiness, StoreKind, readiness};
use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

use super::output::to_stdout;
use super::{Ended, width};

/// Where the text beside a store begins.
const TEXT_AT: usize = 19;

/// What a store can do, by what people call it.
const ABILITIES: [(&str, &[OpKind]); 10] = [
    ("lock", &[OpKind::Lock]),
    ("compare", &[OpKind::CompareAndSet]),
    ("version", &[OpKind::ReadVersioned, OpKind::WriteIfVersion]),
    ("conditional", &[OpKind::Take]),
    ("add", &[OpKind::Add]),
    ("hold", &[OpKind::Hold]),
    ("lease, fence", &[OpKind::Lease, OpKind::Fence]),
    ("transaction", &[OpKind::Transaction]),
    ("count left", &[OpKind::CountLeft]),
    ("queue", &[OpKind::Queue]),
];

pub(crate) fn run() -> Result<Ended, Error> {
    let found = readiness();
    let text: String = found.iter().map(line).collect();
    let text = width::of_stdout().folded(&text, TEXT_AT);
    to_stdout(&format!("{text}\n{}", matrix()))?;
    Ok(Ended::Well)
}

/// A store's line, and what to do about one that is not ready.
fn line(store: &Readiness) -> String {
    let name = store.kind.name();
    let (word, colour, said) = match &store.server {
        Ok(version) => ("ready", AnsiColor::Green, version.clone()),
        Err(why) => ("missing", AnsiColor::Yellow, why.to_string()),
    };
    let style: Style = colour.on_default().bold();
    let mut said = said.lines();
    let first = printable(said.next().unwrap_or_default());
    let rest: String =
        said.map(|line| format!("{:TEXT_AT$}{}\n", "", printable(line.trim()))).collect();
    format!(" {style}{word:<8}{style:#}{name:<9} {first}\n{rest}")
}

/// What each store offers, as a table of a column for each.
fn matrix() -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once("").chain(StoreKind::ALL.iter().map(|kind| kind.name())));
    for (name, kinds) in ABILITIES {
        let cell = |store: &StoreKind| match kinds.iter().all(|op| store.offers(*op)) {
            true => "yes",
            false => "-",
        };
        table.add_row(std::iter::once(name).chain(StoreKind::ALL.iter().map(cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
