//! `survey`: every strategy at every store.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::stores::{StoreKind, readiness};
use crate::{explore, render, strategies};
use clap::{Args, ValueEnum};

use super::indented;
use super::output::{Output, to_stderr};
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
    /// The form of the page
    #[arg(long, value_enum, default_value_t = SurveyFormat::Markdown)]
    format: SurveyFormat,
    /// The strategies, separated by commas [default: all, with the zoo]
    #[arg(long = "strategy", short = 'S', value_name = "NAME", value_delimiter = ',')]
    strategies: Vec<String>,
    /// Write the page to a file
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

pub(crate) fn run(args: &SurveyArgs) -> Result<Ended, Error> {
    let named = args.strategies.iter().map(|name| strategies::find(name.trim()));
    let named: Vec<_> = named.collect::<Result<_, _>>().map_err(super::race::with_list)?;
    let all = if named.is_empty() { strategies::every_strategy().collect() } else { named };
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
    let cells = explore::verdicts_of_survey(&all, stores.len());
    let wanted = !args.no_progress;
    let progress = Progress { name: "surveying", unit: "verdicts", all: Some(cells), wanted };
    let survey = progress.watch(&control, || explore::survey(&all, &stores, &control))?;
    output.write(&match args.format {
        SurveyFormat::Markdown => render::survey(&survey),
        SurveyFormat::Html => render::survey_page(&survey)?,
    })?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}
