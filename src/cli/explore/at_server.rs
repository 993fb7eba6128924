//! Every statement order at a real server, or some.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::base::error::Error;
use crate::check::report::{Evidence, Hint, Purpose};
use crate::cli::interrupt::unless_stopped;
use crate::cli::output::{Output, tell_password};
use crate::cli::progress::Progress;
use crate::cli::shop::{OutputFormat, finish};
use crate::cli::{Ended, interrupt};
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore::{
    self, Cure, CureTried, ENOUGH_ORDERS, Exploration, LevelTried, OrderLog, Plan, PlayGraph,
    PreemptionBound,
};
use crate::render::TestCase;
use crate::stores::Address;
use crate::stores::remote::Server;
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::threads::Control;

use super::context::{SearchContext, Watcher};
use super::flags::{ExploreArgs, SCHEDULES_AT_SERVER, SearchFlags};
use super::resume::OrdersFile;
use super::{hints, write_recording};

/// How much longer than `--max-time` a rehearsal may take.
const REHEARSING: Duration = Duration::from_secs(5);

/// Every statement order at a real server.
pub(super) fn run_at_server(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    cases: &mut Vec<TestCase>,
) -> Result<Ended, Error> {
    args.check_at_server(strategy, settings)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let record = args.search.record.as_deref();
    let record = record.map(|path| Output::open(Some(path), "--record")).transpose()?;
    let control = interrupt::control_telling(args.report.verbose)?;
    let progress = args.progress();
    let is_late = AtomicBool::new(false);
    let searched = at_server_noting(strategy, settings, args, &control, &is_late, |search| {
        search_all(strategy, args, search)
    });
    let ended_by = || match (control.is_stopped(), is_late.load(Ordering::Relaxed)) {
        (true, _) => Some("interrupted"),
        (false, true) => Some("--max-time was over"),
        (false, false) => None,
    };
    let AtServer { server, settings, watch, found, took } = match (searched, ended_by()) {
        (Ok(searched), _) => searched,
        // Something was being started, set up or rehearsed: what was run is known, and it is nothing.
        (Err(Error::World(_)), Some(how)) => {
            let report = explore::stopped_before_orders(strategy, settings, how);
            let judgements = report.judge(&args.report.expectations());
            let again = args.again(strategy, settings).at(&args.server.address()).to_string();
            let took = Duration::ZERO;
            let is_stopped = control.is_stopped();
            cases.push(TestCase::of_exploration(&report, &judgements, &again, is_stopped, took));
            let ended = finish(&report, None, output, &args.report, || Ok(None))?;
            return Ok(if is_stopped { Ended::Interrupted } else { ended });
        }
        (Err(error), _) => return Err(error),
    };
    let (mut report, graph) = found;
    let settings = &settings;
    let plan = plan(strategy, args);
    let sampling = args.sampling(SCHEDULES_AT_SERVER);
    let address = args.server.address();
    tell_password(&address);
    report = report.at(&address);
    let tries_levels = !args.search.no_reduce && sampling.is_none();
    let tries = &args.search.tries;
    let mut levels = tries.iter().filter_map(|cure| cure.level()).peekable();
    let is_asked = if tries.is_empty() { tries_levels } else { levels.peek().is_some() };
    // What was found is reported, whatever comes after it.
    let is_broken = report.evidence == Evidence::Broken && report.failure.is_none();
    if is_broken && is_asked {
        let no_level = progress.watch(&watch.control, || {
            explore::no_level(strategy, settings, &*server, &report, &watch.control)
        });
        match unless_stopped(no_level, &watch.control) {
            Ok(no_level) => report.no_level = no_level.flatten(),
            Err(error) => report.failure = Some(error),
        }
    }
    drop(server);
    if report.failure.is_some() {
        // Nothing more is tried.
    } else if strategy.is_app() && !tries.is_empty() {
        for cure in tries {
            let tried = try_cure(strategy, settings, *cure, args, &report, &watch, progress);
            match unless_stopped(tried, &watch.control) {
                Ok(Some((tried, level))) => {
                    report.tries.push(tried);
                    report.cures.extend(level);
                }
                Ok(None) => break,
                Err(error) => {
                    report.failure = Some(error);
                    break;
                }
            }
        }
    } else if report.no_level.is_some() {
        // No level does anything about it, or none can be tried.
    } else if let Some(isolation) = levels.next() {
        let watch = SearchContext::start_at_server(&args.limits, watch.control.clone())?;
        let tried = watch.run(progress, |stopped| {
            explore::try_level(
                strategy,
                settings,
                isolation,
                explore::gravest(&report),
                plan,
                &address,
                &watch.control,
                stopped,
            )
        });
        match unless_stopped(tried, &watch.control) {
            Ok(level) => report.cures.extend(level),
            Err(error) => report.failure = Some(error),
        }
    } else if is_broken && tries_levels {
        let tried = progress.watch(&watch.control, || {
            explore::try_levels(strategy, settings, &address, &report, &watch.control)
        });
        match unless_stopped(tried, &watch.control) {
            Ok(levels) => report.cures = levels.unwrap_or_default(),
            Err(error) => report.failure = Some(error),
        }
    }
    report.hints = hints(strategy, settings, &report);
    report.hints.extend(cured(strategy, settings, &report, &address));
    let again = args.again(strategy, settings).at(&address).to_string();
    cases.push(watch.test_case(&report, args, &again, took));
    let ended = finish(&report, Some(took), output, &args.report, || Ok(graph))?;
    let ended = match report.failure {
        Some(ref error) => ended.despite(error),
        None => ended,
    };
    if let Some(record) = record {
        write_recording(record, strategy, settings, &report)?;
    }
    Ok(watch.ended(ended))
}

/// Tries a cure at an application. An isolation level is also told as such.
fn try_cure(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    cure: Cure,
    args: &ExploreArgs,
    report: &Exploration,
    watch: &SearchContext,
    progress: Progress<'_>,
) -> Result<(CureTried, Option<LevelTried>), Error> {
    if let (Some(_), Some(why)) = (cure.level(), &report.no_level) {
        return Ok((CureTried::impossible(cure, why.words()), None));
    }
    let (plan, address) = (plan(strategy, args), args.server.address());
    let watch = SearchContext::start_at_server(&args.limits, watch.control.clone())?;
    watch.run(progress, |stopped| {
        let control = &watch.control;
        let tried =
            explore::try_cure(strategy, settings, cure, report, plan, &address, control, stopped)?;
        let level = LevelTried::of(cure, &tried);
        Ok((tried, level))
    })
}

/// What was found at a server.
pub(super) struct AtServer<T> {
    pub(super) server: Box<dyn Server>,
    /// The settings, with products and stock as the server has them.
    pub(super) settings: Settings,
    watch: SearchContext,
    pub(super) found: T,
    took: Duration,
}

/// What a search at a server is made with.
pub(super) struct SearchAtServer<'s, 'm, 'l, 'f> {
    /// The server, and copies of it.
    pub(super) servers: &'s [&'s dyn Server],
    pub(super) settings: &'s Settings,
    pub(super) plan: Plan,
    pub(super) monitor: &'s Watcher<'m>,
    pub(super) log: Option<&'l mut OrderLog<'f>>,
}

/// Starts or finds the server, and searches.
pub(super) fn at_server<T: Send>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    control: &Control,
    search: impl FnOnce(SearchAtServer<'_, '_, '_, '_>) -> Result<T, Error> + Send,
) -> Result<AtServer<T>, Error> {
    at_server_noting(strategy, settings, args, control, &AtomicBool::new(false), search)
}

/// The same. Notes whether the rehearsal alone took all the time that there is.
fn at_server_noting<T: Send>(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    control: &Control,
    is_late: &AtomicBool,
    search: impl FnOnce(SearchAtServer<'_, '_, '_, '_>) -> Result<T, Error> + Send,
) -> Result<AtServer<T>, Error> {
    let (address, progress) = (args.server.address(), args.progress());
    // How long a server takes to start says nothing about the search.
    let (server, copies, settings) = progress.watch(control, || {
        let server = explore::server_for(strategy, settings, &address, control)?;
        // What an application does when it is walked through has bounds of its own.
        let most = args.limits.max_time.filter(|_| !strategy.is_app());
        control.end_after(most.map(|most| most + REHEARSING));
        let found = explore::as_furnished(strategy, settings.clone(), &*server);
        is_late.store(found.is_err() && control.is_over(), Ordering::Relaxed);
        control.end_after(None);
        let found = found?;
        let (first, copies) = ((&*server, &found), args.jobs_at_server() - 1);
        let copies = explore::open_copies(strategy, settings, first, &address, control, copies)?;
        Ok::<_, Error>((server, copies, found))
    })?;
    let servers: Vec<&dyn Server> =
        std::iter::once(&*server).chain(copies.iter().map(|copy| &**copy)).collect();
    let watch = SearchContext::start_at_server(&args.limits, control.clone())?;
    let resume = args.search.resume.as_deref();
    let resume = resume.map(|path| {
        let explored = args.explored(strategy, &settings).at(&address);
        let explored = args.partition.named(explored).to_string();
        OrdersFile::open(path, strategy, explored, server.version())
    });
    let mut resume = resume.transpose()?;
    let mut log = match &mut resume {
        Some((file, lines)) => Some(OrderLog::of(file, lines)?),
        None => None,
    };
    let found = watch.run(progress, |monitor| {
        let (servers, settings) = (&*servers, &settings);
        let (plan, log) = (plan(strategy, args), log.as_mut());
        search(SearchAtServer { servers, settings, plan, monitor, log })
    })?;
    let took = watch.took();
    drop(servers);
    Ok(AtServer { server, settings, watch, found, took })
}

/// Searches every order, or runs random ones. Also returns the orders that were run, for a page.
fn search_all(
    strategy: &dyn DynStrategy,
    args: &ExploreArgs,
    search: SearchAtServer<'_, '_, '_, '_>,
) -> Result<(Exploration, Option<PlayGraph>), Error> {
    let SearchAtServer { servers, settings, plan, monitor, log } = search;
    let keeps_schedules = args.report.format == OutputFormat::Html;
    let Some(sampling) = args.sampling(SCHEDULES_AT_SERVER) else {
        let plan = Plan { keeps_schedules, ..plan };
        return explore::search_orders_to_play(strategy, settings, servers, plan, monitor, log);
    };
    let [server, ..] = servers else { return Err(Error::world("no server to search at")) };
    if keeps_schedules {
        return explore::sample_orders_to_play(strategy, settings, *server, sampling, monitor);
    }
    let report = explore::sample_orders(strategy, settings, *server, sampling, monitor)?;
    Ok((report, None))
}

/// Which orders a search at a real server runs.
pub(super) fn plan(strategy: &dyn DynStrategy, args: &ExploreArgs) -> Plan {
    let SearchFlags { preemptions, no_reduce, .. } = &args.search;
    Plan {
        preemptions: match preemptions {
            Some(most) => Some(PreemptionBound::AtMost(*most as u32)),
            None => (strategy.is_app() && !no_reduce).then_some(PreemptionBound::FewFirst),
        },
        // One by one is one by one.
        reduced: !no_reduce,
        likely_first: !no_reduce,
        enough_after_finding: args.finds_first().then_some(ENOUGH_ORDERS),
        ..Plan::EVERYTHING
    }
}

/// The search at the level that cures everything.
fn cured(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    report: &Exploration,
    address: &Address,
) -> Option<Hint> {
    let is_cure = |tried: &&LevelTried| {
        tried.evidence == Evidence::Proved
            && tried.remains.is_empty()
            && tried.isolation != settings.isolation
    };
    let LevelTried { isolation, .. } = report.cures.last().filter(is_cure)?;
    let settings = Settings { isolation: *isolation, ..settings.clone() };
    let command = Command::of(Verb::Explore, strategy, &settings).at(address);
    Some(Hint::new(Purpose::ProveIt, command))
}
