//! `replay`: one schedule, step by step.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::clock::{Clock, Wall};
use crate::base::error::Error;
use crate::command::{Command, Verb};
use crate::explore::{self, Recording, Schedule, check_counted};
use crate::render::TestCase;
use crate::stores::StoreKind;
use clap::Args;

use super::Ended;
use super::ci::{CiLog, JunitFlag, logged};
use super::interrupt::{self, told_unless_stopped};
use super::meaning::{check_level, check_level_of};
use super::output::{Output, tell_password};
use super::progress::Progress;
use super::shop::{ReportFlags, ServerFlags, ShopFlags, finish};

/// What `replay` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    shop: ShopFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// The schedule, one letter for each step: A to Z, a27, a28 … for buyers, and * for the worker
    #[arg(
        long,
        value_name = "ABAB",
        conflicts_with = "schedule_file",
        required_unless_present = "schedule_file"
    )]
    schedule: Option<Schedule>,
    /// A file with the schedule, as explore --record writes it, or with a schedule alone
    #[arg(long, value_name = "FILE")]
    schedule_file: Option<PathBuf>,
    /// Allow the schedule's file to name an application, whose own file says which programs are run; without this, name it
    /// with --app
    #[arg(long, requires = "schedule_file")]
    allow_commands: bool,
    #[command(flatten)]
    report: ReportFlags,
}

pub(crate) fn run(args: &ReplayArgs) -> Result<Ended, Error> {
    let (is_sarif, file) = args.report.sarif();
    let log = CiLog::open("oversell-sim replay", &JunitFlag::default(), args.report.is_github())?
        .writing_sarif(is_sarif, file)?;
    logged(log, args.shop.file(), &args.shop.named(), |cases| replay(args, cases))
}

/// Follows the schedule, writes the report, and adds a test case.
fn replay(args: &ReplayArgs, cases: &mut Vec<TestCase>) -> Result<Ended, Error> {
    let clock = Wall::start();
    let recording = match (&args.schedule, &args.schedule_file) {
        (Some(schedule), _) => {
            Recording { strategy: None, settings: None, schedule: schedule.clone() }
        }
        (None, Some(path)) => {
            let recording = Recording::read(path)?;
            let named = recording.strategy.as_deref();
            args.shop.check_commands(path, named, args.allow_commands)?;
            recording
        }
        // The command line sees to it that there is one of them.
        (None, None) => return Err(Error::input("--schedule: whose step comes when?")),
    };
    let (strategy, settings) = match (&recording.strategy, recording.settings) {
        (Some(strategy), Some(settings)) => {
            args.shop.as_recorded(strategy, settings, &args.server)?
        }
        _ => {
            let strategy = args.shop.strategy()?;
            (strategy, args.shop.settings_at(strategy, &args.server)?)
        }
    };
    check_counted(strategy, &args.report.expectations())?;
    match settings.store {
        StoreKind::Memory => check_level_of(strategy, args.shop.level()?)?,
        _ => check_level("--isolation", args.shop.level()?, &settings)?,
    }
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let (report, settings) = match settings.store {
        StoreKind::Memory => (explore::replay(strategy, &settings, &recording.schedule)?, settings),
        _ => {
            let control = interrupt::control_telling(args.report.verbose)?;
            let wanted = args.report.shows_progress();
            let progress = Progress { name: "replaying", unit: "schedules", all: Some(1), wanted };
            let address = args.server.address();
            tell_password(&address);
            let replayed = progress.watch(&control, || {
                let server = explore::server_for(strategy, &settings, &address, &control)?;
                let settings = explore::as_furnished(strategy, settings.clone(), &*server)?;
                let report =
                    explore::replay_orders(strategy, &settings, &*server, &recording.schedule)?;
                Ok((report, settings))
            });
            match told_unless_stopped(replayed, &control, "before the schedule was run")? {
                Some((report, settings)) => (report.at(&address), settings),
                None => return Ok(Ended::Interrupted),
            }
        }
    };
    let judgements = report.judge(&args.report.expectations());
    let schedule = recording.schedule.to_string();
    let again = Command::of(Verb::Replay, strategy, &settings).flag("schedule", &schedule);
    let took = Duration::from_nanos(clock.now());
    cases.push(TestCase::of_exploration(&report, &judgements, &again.to_string(), false, took));
    let graph = || match settings.store {
        StoreKind::Memory => explore::play_graph(strategy, &settings, &report).map(Some),
        _ => Ok(None),
    };
    finish(&report, None, output, &args.report, graph)
}
