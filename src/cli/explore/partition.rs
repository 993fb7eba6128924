//! One part of a search of statement orders, and the report of all parts.

use std::time::Duration;

use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::base::partition::Slice;
use crate::cli::ci::{CiLog, logged};
use crate::cli::interrupt::unless_stopped;
use crate::cli::meaning::refuse;
use crate::cli::merge::MergeFlags;
use crate::cli::output::{Output, tell_password};
use crate::cli::parts::{self, Header, PartReport, PartitionFlag, Parts};
use crate::cli::shop::{OutputFormat, finish};
use crate::cli::{Ended, interrupt};
use crate::command::Command;
use crate::domain::op::Units;
use crate::domain::settings::Settings;
use crate::domain::store_kind::StoreKind;
use crate::explore::{self, PartOfSearch, PartsOfSearch};
use crate::render::TestCase;
use crate::worlds::dyn_strategy::DynStrategy;
use serde::{Deserialize, Serialize};

use super::at_server::{at_server, plan};
use super::flags::ExploreArgs;
use super::hints;

/// What has to be known of a part.
#[derive(Serialize, Deserialize)]
struct Part {
    /// How many products there were, as a described checkout's shop has them.
    items: u8,
    /// Units of each at the start.
    stock: Units,
    /// The seed, which all parts have in common if it was given.
    seed: u64,
    search: PartOfSearch,
}

/// Searches one part of the orders, and writes a part of the report.
pub(super) fn search_slice(args: &ExploreArgs, slice: Slice) -> Result<Ended, Error> {
    let about_all = [
        ("--junit", args.junit.junit.is_some()),
        ("--record", args.search.record.is_some()),
        ("--try", !args.search.tries.is_empty()),
    ];
    args.check_for_parts()?;
    let strategy = args.shop.strategy()?;
    let settings = args.shop.settings_at(strategy, &args.server)?;
    let is_given = args.shop.given().iter().any(|(setting, _)| setting.name == "seed");
    let has_seed = is_given || !settings.has_random_wants();
    let needed = [("--seed", has_seed, "the buyers of all parts draw with the same one")];
    PartitionFlag::check(&needed, args.report.format == OutputFormat::Json, &about_all)?;
    if settings.store == StoreKind::Memory {
        return Err(Error::input(
            "--partition: is for the orders of a real server, and of seeds, rounds and files; name one with --store, or \
             leave it out",
        ));
    }
    let header = Header::new(slice, &whole(args, strategy, &settings), inputs(args, strategy)?);
    args.check_at_server(strategy, &settings)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let control = interrupt::control_telling(args.report.verbose)?;
    tell_password(&args.server.address());
    let searched = at_server(strategy, &settings, args, &control, |search| {
        let plan = explore::Plan { share: Some(slice), preemptions: None, ..search.plan };
        let (servers, settings) = (search.servers, search.settings);
        explore::search_part(strategy, settings, servers, plan, search.monitor, search.log)
    });
    let Some(found) = unless_stopped(searched, &control)?.filter(|_| !control.is_stopped()) else {
        return Ok(Ended::Interrupted);
    };
    if found.found.is_cut_short() {
        return Err(Error::input(
            "--max-memory: a part that was cut short is of no use; allow more, or share the work among more parts",
        ));
    }
    let Settings { items, stock, seed, .. } = found.settings;
    let report = PartReport::at(found.server.version());
    let body = Part { items, stock, seed, search: found.found };
    output.write(&parts::written(&report, &header, &body)?)?;
    Ok(Ended::Well)
}

/// Makes the report of all parts.
pub(in crate::cli) fn merge(
    mut args: ExploreArgs,
    parts: &Parts,
    flags: &MergeFlags,
) -> Result<Ended, Error> {
    refuse(&[("--quiet", flags.quiet)], "a search has no such report; leave it out")?;
    args.report.format = flags.format()?;
    args.report.output.clone_from(&flags.output);
    args.junit = flags.junit.clone();
    let (is_sarif, file) = args.report.sarif();
    let log = CiLog::open("oversell-sim explore", &args.junit, args.report.is_github())?
        .writing_sarif(is_sarif, file)?;
    logged(log, args.shop.file(), &args.shop.named(), |cases| {
        let strategy = args.shop.strategy()?;
        if let Some(file) = args.shop.file() {
            parts.check_inputs(&inputs(&args, strategy)?, file)?;
        }
        let mut settings = args.shop.settings_at(strategy, &args.server)?;
        let output = Output::open(args.report.output.as_deref(), "--output")?;
        let mut all: Option<PartsOfSearch> = None;
        parts.each(|slice, Part { items, stock, seed, search }| {
            if all.is_none() {
                settings = Settings { items, stock, seed, ..settings.clone() };
            }
            if (items, stock) != (settings.items, settings.stock) {
                return Err(
                    "its shop has other products or units than that of the first part".into()
                );
            }
            all = Some(PartsOfSearch::add(all.take(), slice, search)?);
            Ok(())
        })?;
        let all = all.ok_or_else(|| Error::input("there are no parts"))?;
        let plan = explore::Plan { preemptions: None, ..plan(strategy, &args) };
        let report = all.report(strategy, &settings, plan, parts.server().unwrap_or_default());
        let report = report.map_err(|why| Error::input(format!("these parts: {why}")))?;
        let mut report = report.at(&args.server.address());
        report.hints = hints(strategy, &settings, &report);
        let again = args.again(strategy, &settings).at(&args.server.address()).to_string();
        let judgements = report.judge(&args.report.expectations());
        cases.push(TestCase::of_exploration(&report, &judgements, &again, false, Duration::ZERO));
        finish(&report, None, output, &args.report, || Ok(None))
    })
}

/// The command that searches all orders on one machine. A password is left out.
fn whole(args: &ExploreArgs, strategy: &dyn DynStrategy, settings: &Settings) -> Command {
    let command = args.explored(strategy, settings).at(&args.server.address());
    args.report.with_expectations(command)
}

/// What the command reads.
fn inputs(args: &ExploreArgs, strategy: &dyn DynStrategy) -> Result<Inputs, Error> {
    parts::inputs(args.shop.file(), strategy.described().as_deref())
}
