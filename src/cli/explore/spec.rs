//! `explore --spec`: specifications of PostgreSQL's isolation tester.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::{Clock, Wall};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::cli::interrupt;
use crate::cli::meaning::refuse;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::shop::OutputFormat;
use crate::command::quoted;
use crate::describe::spec::Spec;
use crate::explore::{self, SpecAgreement};
use crate::render::{self, TestCase};
use crate::stores::isolation::IsolationServer;

use super::Ended;
use super::context::SearchContext;
use super::flags::ExploreArgs;

/// Runs a file, or all files of a folder.
pub(super) fn run(
    path: &Path,
    args: &ExploreArgs,
    cases: &mut Vec<TestCase>,
) -> Result<Ended, Error> {
    check(path, args)?;
    // What is wrong with any file is told before a server is started.
    let paths = paths(path)?;
    let specs = paths.iter().map(|path| Spec::read(path)).collect::<Result<Vec<_>, _>>()?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let control = interrupt::control_telling(args.report.verbose)?;
    let unit = if args.spec.every_order { "orders" } else { "permutations" };
    let wanted = args.report.shows_progress();
    let progress = Progress { name: "exploring", unit, all: None, wanted };
    let started = progress.watch(&control, || IsolationServer::start(&control));
    let Some(server) =
        interrupt::told_unless_stopped(started, &control, "before the first order was run")?
    else {
        return Ok(Ended::Interrupted);
    };
    let watch = SearchContext::start_with(&args.limits, control)?;
    let (text, ended) = match (args.spec.every_order, specs.first()) {
        (true, Some(spec)) => {
            let report =
                watch.run(progress, |monitor| explore::run_every_order(spec, &server, monitor))?;
            let text = render::spec_orders(&report, watch.took(), output.width());
            cases.push(case(&report.spec, false, &text, args, &watch, watch.took()));
            match args.report.format {
                OutputFormat::Json => (render::json(&report)?, Ended::Well),
                _ => (text, Ended::Well),
            }
        }
        _ => {
            let reports = watch.run(progress, |monitor| run_listed(&specs, &server, monitor))?;
            let mut text = String::new();
            for (report, took) in &reports {
                let told = render::spec_agreement(report, *took, output.width());
                cases.push(case(&report.spec, differs(report), &told, args, &watch, *took));
                text += &told;
            }
            let reports: Vec<SpecAgreement> =
                reports.into_iter().map(|(report, _)| report).collect();
            if path.is_dir() {
                text += "\n";
                text += &render::spec_sum(&reports, watch.took(), output.width());
            }
            let text = match (args.report.format, path.is_dir(), reports.first()) {
                (OutputFormat::Json, false, Some(report)) => render::json(report)?,
                (OutputFormat::Json, ..) => render::json(&reports)?,
                _ => text,
            };
            let differs = reports.iter().any(differs);
            (text, if differs { Ended::ShortOfExpectations } else { Ended::Well })
        }
    };
    output.write(&text)?;
    Ok(watch.ended(ended))
}

/// Runs the permutations of one file after the other, until the monitor says to stop.
fn run_listed(
    specs: &[Spec],
    server: &IsolationServer,
    monitor: &(dyn Monitor + Sync),
) -> Result<Vec<(SpecAgreement, Duration)>, Error> {
    let mut reports = Vec::new();
    for spec in specs {
        if monitor.is_stopped() {
            break;
        }
        let clock = Wall::start();
        let report = explore::run_permutations(spec, server, monitor)?;
        reports.push((report, Duration::from_nanos(clock.now())));
    }
    Ok(reports)
}

fn differs(report: &SpecAgreement) -> bool {
    report.agrees == Some(false)
}

/// The test case of a file.
fn case(
    name: &str,
    differs: bool,
    report: &str,
    args: &ExploreArgs,
    watch: &SearchContext,
    took: Duration,
) -> TestCase {
    let every_order = if args.spec.every_order { " --every-order" } else { "" };
    let again = format!("oversell-sim explore --spec {}{every_order}", quoted(name));
    TestCase::of_spec(name, differs, report, &again, watch.control.is_stopped(), took)
}

/// Refuses what means nothing to a specification.
fn check(path: &Path, args: &ExploreArgs) -> Result<(), Error> {
    let given = [args.shop.given(), args.server.settings().to_vec()].concat();
    if let Some((setting, _)) = given.first() {
        return Err(Error::input(format!(
            "--{}: is for a checkout; a specification has sessions and steps of its own; leave it out",
            setting.name
        )));
    }
    let is_page = args.report.format == OutputFormat::Html;
    refuse(
        &[("--format html", is_page)],
        "there is no page of a specification; use table or json",
    )?;
    let is_sarif = args.report.format == OutputFormat::Sarif;
    refuse(&[("--format sarif", is_sarif)], "a specification has no findings; use table or json")?;
    let is_folder = args.spec.every_order && path.is_dir();
    refuse(&[("--every-order", is_folder)], "takes one specification; name a file with --spec")
}

/// The file, or the specifications in the folder, in the order of their names.
fn paths(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let cannot =
        |error| Error::input(format!("cannot read the folder {}: {error}", path.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|end| end == "spec") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        return Err(Error::input(format!(
            "--spec: the folder {} has no file that ends in .spec",
            path.display()
        )));
    }
    Ok(paths)
}
