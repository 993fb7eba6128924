//! `survey`: every strategy at every store.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::base::inputs::Inputs;
use crate::command::Command;
use crate::domain::isolation::Isolation;
use crate::explore::{Survey, SurveyColumn, SurveyRow, SurveyVerdict};
use crate::stores::{StoreKind, readiness};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::{explore, render, strategies};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::indented;
use super::meaning::refuse;
use super::merge::MergeFlags;
use super::output::{Output, to_stderr};
use super::parts::{self, Header, PartReport, PartitionFlag, Parts};
use super::progress::Progress;
use super::{Ended, interrupt};

/// The form of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SurveyFormat {
    /// For a repository.
    Markdown,
    /// A page for a browser.
    Html,
}

/// What `survey` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct SurveyArgs {
    /// The stores, separated by commas [default: all that are ready]
    #[arg(long = "store", value_name = "STORE", value_delimiter = ',', value_parser = steppable)]
    stores: Vec<StoreKind>,
    /// The form of the page [default: markdown]
    #[arg(long, value_enum)]
    format: Option<SurveyFormat>,
    /// The strategies, separated by commas [default: all, with the zoo]
    #[arg(long = "strategy", short = 'S', value_name = "NAME", value_delimiter = ',')]
    strategies: Vec<String>,
    #[command(flatten)]
    partition: PartitionFlag,
    /// Write the page, or a part of it, to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    no_progress: bool,
}

fn steppable(text: &str) -> Result<StoreKind, String> {
    match StoreKind::parse(text)? {
        StoreKind::Memory => Err("the model is there in any case".into()),
        store => Ok(store),
    }
}

/// The strategies that are surveyed.
fn all(args: &SurveyArgs) -> Result<Vec<&'static dyn DynStrategy>, Error> {
    let named = args.strategies.iter().map(|name| strategies::find(name.trim()));
    let named: Vec<_> = named.collect::<Result<_, _>>().map_err(super::race::with_list)?;
    Ok(if named.is_empty() { strategies::every_strategy().collect() } else { named })
}

pub(crate) fn run(args: &SurveyArgs) -> Result<Ended, Error> {
    let slice = args.partition.partition;
    if slice.is_some() {
        PartitionFlag::check(&[], true, &[("--format", args.format.is_some())])?;
    }
    let here: Vec<_> = all(args)?
        .into_iter()
        .enumerate()
        .filter(|(place, _)| slice.is_none_or(|slice| slice.has(*place)))
        .map(|(_, strategy)| strategy)
        .collect();
    let output = Output::open(args.output.as_deref(), "--output")?;
    let control = interrupt::control()?;
    let mut stores = args.stores.clone();
    if stores.is_empty() {
        for store in readiness().into_iter().filter(|store| steppable(store.kind.name()).is_ok()) {
            match store.server {
                Ok(_) => stores.push(store.kind),
                Err(why) => to_stderr(&format!("left out: {}\n", indented(&why.to_string()))),
            }
        }
    }
    let cells = explore::verdicts_of_survey(&here, stores.len());
    let wanted = !args.no_progress;
    let progress = Progress { name: "surveying", unit: "verdicts", all: Some(cells), wanted };
    let survey = progress.watch(&control, || explore::survey(&here, &stores, &control))?;
    let text = match slice {
        None => page(&survey, args)?,
        Some(slice) => {
            let header = Header::new(slice, &whole(args, &stores), Inputs::of(&""));
            let body = PartOfSurvey::of(&survey, control.is_stopped());
            parts::written(&PartReport::default(), &header, &body)?
        }
    };
    output.write(&text)?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}

fn page(survey: &Survey, args: &SurveyArgs) -> Result<String, Error> {
    match args.format.unwrap_or(SurveyFormat::Markdown) {
        SurveyFormat::Markdown => Ok(render::survey(survey)),
        SurveyFormat::Html => render::survey_page(survey),
    }
}

/// The command that surveys all strategies on one machine, at these stores.
fn whole(args: &SurveyArgs, stores: &[StoreKind]) -> Command {
    let names: Vec<&str> = stores.iter().map(|store| store.name()).collect();
    let strategies: Vec<&str> = args.strategies.iter().map(|name| name.trim()).collect();
    [("store", names.join(",")), ("strategy", strategies.join(","))]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .fold(Command::new("survey"), |command, (name, value)| command.flag(name, &value))
}

/// What has to be known of a part.
#[derive(Serialize, Deserialize)]
struct PartOfSurvey {
    interrupted: bool,
    /// The server of each column, if there is one, and any strategy of this part was stepped there.
    servers: Vec<Option<String>>,
    rows: Vec<PartRow>,
}

/// A strategy's verdicts, one for each column.
#[derive(Serialize, Deserialize)]
struct PartRow {
    strategy: String,
    isolation: Option<String>,
    verdicts: Vec<SurveyVerdict>,
}

impl PartOfSurvey {
    fn of(survey: &Survey, interrupted: bool) -> Self {
        let row = |row: &SurveyRow| PartRow {
            strategy: row.strategy.to_owned(),
            isolation: row.isolation.map(|level| level.name().to_owned()),
            verdicts: row.verdicts.clone(),
        };
        Self {
            interrupted,
            servers: survey.places.iter().map(|place| place.server.clone()).collect(),
            rows: survey.rows.iter().map(row).collect(),
        }
    }
}

/// Makes the page of all strategies from its parts.
pub(super) fn merge(args: SurveyArgs, parts: &Parts, flags: &MergeFlags) -> Result<Ended, Error> {
    refuse(
        &[("--quiet", flags.quiet), ("--junit", flags.junit.junit.is_some())],
        "means nothing to a survey; leave it out",
    )?;
    let args = SurveyArgs {
        format: flags.format_if_given()?,
        output: flags.output.clone(),
        partition: PartitionFlag::default(),
        ..args
    };
    let all = all(&args)?;
    let stores = [StoreKind::Memory].into_iter().chain(args.stores.iter().copied());
    let places = stores.map(|store| SurveyColumn { store, server: None });
    let mut survey = Survey { places: places.collect(), rows: Vec::new() };
    parts.each(|slice, part: PartOfSurvey| {
        let here = all.iter().enumerate().filter(|(place, _)| slice.has(*place));
        let here: Vec<_> = here.map(|(_, strategy)| *strategy).collect();
        add(&mut survey, part, &here)
    })?;
    let place = |row: &SurveyRow| all.iter().position(|one| one.card().name == row.strategy);
    survey.rows.sort_by_key(place);
    let output = Output::open(args.output.as_deref(), "--output")?;
    output.write(&page(&survey, &args)?)?;
    Ok(Ended::Well)
}

/// Adds a part with the verdicts on these strategies.
fn add(
    survey: &mut Survey,
    part: PartOfSurvey,
    here: &[&'static dyn DynStrategy],
) -> Result<(), String> {
    let PartOfSurvey { interrupted, servers, rows } = part;
    if interrupted {
        return Err("it was cut short".into());
    }
    let expected = explore::rows_of_survey(here);
    let is_expected = |(row, (strategy, level)): (&PartRow, &(&str, Option<Isolation>))| {
        row.strategy == *strategy
            && row.isolation.as_deref() == level.map(Isolation::name)
            && row.verdicts.len() == survey.places.len()
    };
    let is_whole = rows.len() == expected.len() && servers.len() == survey.places.len();
    if !is_whole || !rows.iter().zip(&expected).all(is_expected) {
        return Err("it does not hold the verdicts that belong to it".into());
    }
    for (place, server) in survey.places.iter_mut().zip(servers) {
        match (&place.server, server) {
            (Some(before), Some(server)) if *before != server => {
                return Err(format!("it was made at {server}, and another part at {before}"));
            }
            (None, server) => place.server = server,
            _ => {}
        }
    }
    let rows = rows.into_iter().zip(expected);
    survey.rows.extend(rows.map(|(row, (strategy, isolation))| SurveyRow {
        strategy,
        isolation,
        verdicts: row.verdicts,
    }));
    Ok(())
}
