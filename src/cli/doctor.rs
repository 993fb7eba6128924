//! `doctor`: an application walked through alone, before anything is searched.

use std::path::PathBuf;

use crate::base::error::Error;
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::stores::Address;
use crate::{explore, render};
use clap::Args;

use super::interrupt::told_unless_stopped;
use super::output::to_stdout;
use super::progress::Progress;
use super::{Ended, flags, interrupt, width};

/// What `doctor` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The application's file (`oversell-sim init app` writes a first one)
    #[arg(long, value_name = "FILE")]
    app: PathBuf,
    /// All requests come in the name of one buyer
    #[arg(long)]
    same_buyer: bool,
    /// Allow the file to name a host that is not this machine
    #[arg(long)]
    allow_remote: bool,
    /// Keep an application's databases as schema, seed and setup have filled them, and begin with them the next time
    /// (`oversell-sim clean` removes them)
    #[arg(long)]
    keep: bool,
    /// Tell on standard error what is started, each request or program of an application with its answer, and what the
    /// application prints
    #[arg(long)]
    verbose: bool,
    /// Show no progress
    #[arg(long)]
    no_progress: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<Ended, Error> {
    let (strategy, checkout) = flags::app(&args.app, args.same_buyer)?;
    let settings = checkout.applied(Settings { buyers: checkout.a_few(), ..Settings::default() });
    let control = interrupt::control_telling(args.verbose)?;
    let DoctorArgs { allow_remote, keep, .. } = *args;
    let address = Address { allow_remote, keep, ..Address::default() };
    let wanted = !args.no_progress && !args.verbose;
    let progress = Progress { name: "walking through", unit: "walks", all: None, wanted };
    let walked = progress.watch(&control, || {
        let server = explore::server_for(strategy, &settings, &address, &control)?;
        Ok((explore::check_up(strategy, &settings, &*server)?, server))
    });
    let Some((checkup, server)) =
        told_unless_stopped(walked, &control, "before the application was walked through")?
    else {
        return Ok(Ended::Interrupted);
    };
    let next = Command::of(Verb::Explore, strategy, &checkup.settings).at(&address).to_string();
    let width = width::of_stdout();
    to_stdout(&render::checkup(&checkup, checkout.path, server.version(), &next, width))?;
    Ok(if control.is_stopped() { Ended::Interrupted } else { Ended::Well })
}
