//! `explore`: every interleaving, or random ones.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::clock::{self, Clock};
use crate::base::error::Error;
use crate::base::monitor::Monitor;
use crate::base::text::document::MOST_BYTES;
use crate::base::text::quantity::{count, exact_duration, parse_count, parse_duration};
use crate::check::report::{Evidence, Hint, Purpose};
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore::{
    self, ENOUGH_ORDERS, ENOUGH_STATES, Exploration, LevelTried, Limits, Method, Plan, PlayGraph,
    PreemptionBound, Recording, Sampling, StateGraph,
};
use crate::render::{self, TestCase};
use crate::stores::model::Isolation;
use crate::stores::remote::Server;
use crate::stores::{Address, StoreKind};
use crate::worlds::dyn_strategy::DynStrategy;
use crate::worlds::threads::Control;
use clap::{Args, ValueEnum};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::ci::{CiLog, JunitFlag, logged};
use super::meaning::{check_level, check_level_of, refuse};
use super::output::{Output, refuse_same_file, tell_password, to_stderr};
use super::progress::Progress;
use super::shop::{OutputFormat, ReportFlags, ServerFlags, ShopFlags, finish, tell_unmet};
use super::{Ended, interrupt};

/// Which findings to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FindMode {
    /// Stop at the first finding if the rest of the search is large.
    First,
    /// Every kind of finding, each with its shortest schedule.
    All,
}

/// Random schedules.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Random schedules, where there is too much to follow everything")]
struct RandomFlags {
    /// Draw schedules at random: with changing priorities (pct), which finds a bug of a given depth with a known
    /// probability, or plain
    #[arg(
        long,
        value_enum,
        value_name = "METHOD",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "pct",
        conflicts_with_all = ["no_reduce", "graph"]
    )]
    random: Option<Sampler>,
    /// The number of schedules [default: 10k, at a real server 1k]
    #[arg(long, value_name = "N", value_parser = number, requires = "random")]
    schedules: Option<u64>,
    /// For pct: the number of steps that must come in a certain order for the bug to show [default: 2]
    #[arg(long, value_name = "N", value_parser = depth, requires = "random")]
    depth: Option<u64>,
}

/// How random schedules are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sampler {
    /// By priorities that change at random steps (Burckhardt et al., 2010).
    Pct,
    /// Pick each actor that can move with the same probability.
    Plain,
}

fn depth(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 100)
}

/// When to stop, and how many help.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits; a search that reaches one says that it is not complete")]
struct LimitFlags {
    /// Stop a search of the model after N states [default: 50M]
    #[arg(long, value_name = "N", value_parser = number)]
    max_states: Option<u64>,
    /// Stop a search of the model when its states take N bytes [default: 2G]
    #[arg(long, value_name = "BYTES", value_parser = number)]
    max_memory: Option<u64>,
    /// Stop after this time
    #[arg(long, value_name = "DURATION", value_parser = longest)]
    max_time: Option<Duration>,
    /// Search on N threads; the result is the same [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    jobs: Option<u64>,
}

pub(super) fn jobs(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1024)
}

fn longest(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(7 * 24 * 3600))
}

/// What is looked for, how, and what else is written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The search")]
struct SearchFlags {
    /// Which findings to look for [default: first]
    #[arg(long, value_enum)]
    find: Option<FindMode>,
    /// Follow every schedule one by one, without remembering states or merging steps, to check the checker
    #[arg(long)]
    no_reduce: bool,
    /// Run only the schedules with at most so many preemptions; a preemption makes a buyer wait that could go on (with
    /// --app, schedules with few preemptions come first in any case)
    #[arg(long, value_name = "N", value_parser = preemptions, conflicts_with_all = ["random", "graph"])]
    preemptions: Option<u64>,
    /// At a real server: repeat the search at a stronger isolation level, such as isolation=serializable, and say
    /// whether that cures the findings
    #[arg(long = "try", value_name = "isolation=LEVEL", value_parser = level)]
    try_level: Option<Isolation>,
    /// Write the first schedule that shows a finding to a file, for replay --schedule-file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the states and the steps between them to a file, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "no_reduce")]
    graph: Option<PathBuf>,
}

/// What `explore` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExploreArgs {
    #[command(flatten)]
    shop: ShopFlags,
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    search: SearchFlags,
    #[command(flatten)]
    sampling: RandomFlags,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    report: ReportFlags,
    #[command(flatten)]
    junit: JunitFlag,
}

/// A level that is to be tried.
fn level(text: &str) -> Result<Isolation, String> {
    let Some(("isolation", level)) = text.split_once('=') else {
        return Err("expected isolation=LEVEL, such as isolation=serializable".into());
    };
    let mut settings = Settings::default();
    settings.set("isolation", level).map(|()| settings.isolation)
}

fn preemptions(text: &str) -> Result<u64, String> {
    parse_count(text, 0, 1000)
}

fn number(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1 << 40)
}

/// The most states that are drawn.
const MOST_DRAWN: usize = 1_000_000;

/// Random schedules, if it was not said how many; and at a real server.
const SCHEDULES: u64 = 10_000;
const SCHEDULES_AT_SERVER: u64 = 1_000;

pub(crate) fn run(args: &ExploreArgs) -> Result<Ended, Error> {
    refuse_same_file(&[
        ("--output", args.report.output.as_deref()),
        ("--record", args.search.record.as_deref()),
        ("--graph", args.search.graph.as_deref()),
        ("--junit", args.junit.junit.as_deref()),
    ])?;
    let log = CiLog::open("oversell-sim explore", &args.junit, args.report.is_github())?;
    logged(log, args.shop.file(), &args.shop.named(), |cases| search_and_report(args, cases))
}

/// Searches, writes the report, and adds a test case.
fn search_and_report(args: &ExploreArgs, cases: &mut Vec<TestCase>) -> Result<Ended, Error> {
    let strategy = args.shop.strategy()?;
    if args.shop.is_for_any() && strategy.described().is_none() {
        return run_any(strategy, args, cases);
    }
    let settings = args.shop.settings_at(strategy, &args.server)?;
    if settings.store != StoreKind::Memory {
        return run_at_server(strategy, &settings, args, cases);
    }
    args.check_for_model(strategy)?;
    let open = |file: &Option<PathBuf>, flag| {
        file.as_deref().map(|path| Output::open(Some(path), flag)).transpose()
    };
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let record = open(&args.search.record, "--record")?;
    let graph = open(&args.search.graph, "--graph")?;
    let watch = SearchContext::start(&args.limits)?;
    let progress = args.progress();
    let (mut report, drawn) =
        watch.run(progress, |monitor| search(strategy, &settings, args, monitor))?;
    report.hints = hints(strategy, &settings, &report);
    let took = watch.took();
    let again = args.again(strategy, &settings).to_string();
    cases.push(watch.test_case(&report, args, &again, took));
    let to_play = || explore::play_graph(strategy, &settings, &report).map(Some);
    let ended = finish(&report, Some(took), output, &args.report, to_play)?;
    if let Some(record) = record {
        write_recording(record, strategy, &settings, &report)?;
    }
    let ended = watch.ended(ended);
    match (graph, drawn) {
        (Some(graph), Some(drawn)) => graph.write(&render::state_graph(&drawn)?)?,
        (Some(_), None) if ended != Ended::Interrupted => {
            return Err(Error::input(format!(
                "--graph: not written, for the search met a limit, or {} states; draw a smaller shop, \
                 such as --buyers {}",
                count(MOST_DRAWN as i128),
                (settings.buyers / 2).max(1)
            )));
        }
        _ => {}
    }
    Ok(ended)
}

impl ExploreArgs {
    /// Whether to be content with the first finding.
    fn finds_first(&self) -> bool {
        self.search.find != Some(FindMode::All)
    }

    /// The command that repeats the search.
    fn again(&self, strategy: &dyn DynStrategy, settings: &Settings) -> Command {
        let mut again = Command::of(Verb::Explore, strategy, settings);
        if let Some(sampler) = self.sampling.random {
            again = again.switch(if sampler == Sampler::Plain { "random=plain" } else { "random" });
            if !settings.has_random_wants() {
                again = again.flag("seed", &settings.seed.to_string());
            }
        }
        if self.search.no_reduce {
            again = again.switch("no-reduce");
        }
        let all = (self.search.find == Some(FindMode::All)).then(|| "all".to_owned());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let flags = [
            ("find", all),
            ("preemptions", number(self.search.preemptions)),
            ("schedules", number(self.sampling.schedules)),
            ("depth", number(self.sampling.depth)),
            ("max-states", number(self.limits.max_states)),
            ("max-memory", number(self.limits.max_memory)),
            ("max-time", self.limits.max_time.map(exact_duration)),
        ];
        let said = flags.into_iter().filter_map(|(name, text)| Some((name, text?)));
        said.fold(again, |again, (name, text)| again.flag(name, &text))
    }

    /// How its progress is shown: random schedules are as many as was said; how many states or orders there are is not
    /// known before.
    fn progress(&self) -> Progress<'static> {
        let is_at_server = self.shop.is_at_server(&self.server);
        let usual = if is_at_server { SCHEDULES_AT_SERVER } else { SCHEDULES };
        let wanted = !self.report.no_progress;
        match self.sampling(usual) {
            Some(Sampling { schedules, .. }) => {
                Progress { name: "exploring", unit: "schedules", all: Some(schedules), wanted }
            }
            None => {
                let unit = if is_at_server { "orders" } else { "states" };
                Progress { name: "exploring", unit, all: None, wanted }
            }
        }
    }

    /// Refuses what only means something at a real server.
    fn check_no_server(&self) -> Result<(), Error> {
        let given = [("--try", self.search.try_level.is_some())];
        refuse(&given, "is for a real server; name one with --store, or leave it out")
    }

    /// Refuses what means nothing to a search of the model of this kind.
    fn check_for_model(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
        self.check_no_server()?;
        check_level_of(strategy, self.shop.level()?)?;
        let LimitFlags { max_states, max_memory, jobs, .. } = &self.limits;
        let limits =
            [("--max-states", max_states.is_some()), ("--max-memory", max_memory.is_some())];
        if let Some(sampler) = self.sampling.random {
            refuse(&limits, "random schedules remember no states; use --schedules or --max-time")?;
            self.check_depth(sampler)?;
        }
        if self.search.preemptions.is_some() {
            let given = [("--no-reduce", self.search.no_reduce), ("--jobs", jobs.is_some())];
            refuse(
                &given,
                "is for a search of every interleaving; leave it out, or --preemptions",
            )?;
            let given = [("--max-memory", max_memory.is_some())];
            refuse(&given, "schedules with few preemptions remember no states; use --max-states")?;
        }
        if self.search.no_reduce {
            let given = [("--jobs", jobs.is_some())];
            refuse(&given, "schedules that are followed one by one take one thread; leave it out")?;
        }
        let first = self.search.find == Some(FindMode::First) && self.search.graph.is_some();
        refuse(&[("--find first", first)], "--graph draws all states; leave it out")
    }

    /// Refuses a depth where schedules have none.
    fn check_depth(&self, sampler: Sampler) -> Result<(), Error> {
        let deep = sampler == Sampler::Plain && self.sampling.depth.is_some();
        refuse(&[("--depth", deep)], "is for --random=pct; leave it out")
    }

    /// Which random schedules to run, if any; `usual` if it was not said how many.
    fn sampling(&self, usual: u64) -> Option<Sampling> {
        let RandomFlags { random, schedules, depth } = &self.sampling;
        let method = match (*random)? {
            Sampler::Pct => Method::Pct { depth: depth.unwrap_or(2) as u32 },
            Sampler::Plain => Method::Plain,
        };
        let schedules = schedules.unwrap_or(usual);
        Some(Sampling { schedules, method, until_found: self.finds_first() })
    }

    /// Refuses what means nothing to a search at a real server.
    fn check_for_server(&self, settings: &Settings) -> Result<(), Error> {
        let LimitFlags { max_states, max_memory, jobs, .. } = &self.limits;
        let given = [("--graph", self.search.graph.is_some()), ("--jobs", jobs.is_some())];
        refuse(
            &given,
            "is for the model; at a real server every order is run, one after the other",
        )?;
        if let Some(sampler) = self.sampling.random {
            self.check_depth(sampler)?;
            let given = [("--try", self.search.try_level.is_some())];
            refuse(&given, "is for a search of every order; leave it out, or --random")?;
        }
        let given =
            [("--max-states", max_states.is_some()), ("--max-memory", max_memory.is_some())];
        refuse(&given, "is for the model; at a real server --max-time is the limit")?;
        check_level("--isolation", self.shop.level()?, settings)?;
        check_level("--try", self.search.try_level, settings)
    }

    /// Refuses what means nothing where any number of buyers may come.
    fn check_for_any(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
        let why = "needs a number of --buyers, not any";
        refuse(&self.server.given()?, why)?;
        let given = [
            ("--random", self.sampling.random.is_some()),
            ("--preemptions", self.search.preemptions.is_some()),
            ("--no-reduce", self.search.no_reduce),
            ("--graph", self.search.graph.is_some()),
            ("--record", self.search.record.is_some()),
        ];
        refuse(&given, why)?;
        self.check_no_server()?;
        check_level_of(strategy, self.shop.level()?)
    }
}

/// Every statement order at a real server.
fn run_at_server(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    cases: &mut Vec<TestCase>,
) -> Result<Ended, Error> {
    args.check_for_server(settings)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let record = args.search.record.as_deref();
    let record = record.map(|path| Output::open(Some(path), "--record")).transpose()?;
    let control = interrupt::control()?;
    let progress = args.progress();
    let searched = search_at_server(strategy, settings, args, &control, progress);
    let Searched { server, settings, watch, mut report, graph, took } = match searched {
        Ok(searched) => searched,
        // Ctrl-C came while something was started or set up: what was run is known, and it is nothing.
        Err(Error::World(_)) if control.is_stopped() => {
            let report = explore::stopped_before_orders(strategy, settings);
            let judgements = report.judge(&args.report.expectations());
            let again = args.again(strategy, settings).at(&args.server.address()).to_string();
            let took = Duration::ZERO;
            cases.push(TestCase::of_exploration(&report, &judgements, &again, true, took));
            finish(&report, None, output, &args.report, || Ok(None))?;
            return Ok(Ended::Interrupted);
        }
        Err(error) => return Err(error),
    };
    let settings = &settings;
    let plan = plan(strategy, args);
    let sampling = args.sampling(SCHEDULES_AT_SERVER);
    let address = args.server.address();
    tell_password(&address);
    report = report.at(&address);
    let tries_levels = !args.search.no_reduce && sampling.is_none();
    let is_asked = args.search.try_level.is_some() || tries_levels;
    if report.evidence == Evidence::Broken && is_asked {
        let no_level = progress.watch(&watch.control, || {
            explore::no_level(strategy, settings, &*server, &report, &watch.control)
        });
        report.no_level = unless_stopped(no_level, &watch.control)?.flatten();
    }
    drop(server);
    if report.no_level.is_some() {
        // No level does anything about it.
    } else if let Some(isolation) = args.search.try_level {
        let watch = SearchContext::start_with(&args.limits, watch.control.clone())?;
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
        report.cures.extend(unless_stopped(tried, &watch.control)?);
    } else if report.evidence == Evidence::Broken && tries_levels {
        let tried = progress.watch(&watch.control, || {
            explore::try_levels(strategy, settings, &address, &report, &watch.control)
        });
        report.cures = unless_stopped(tried, &watch.control)?.unwrap_or_default();
    }
    report.hints = hints(strategy, settings, &report);
    report.hints.extend(cured(strategy, settings, &report, &address));
    let again = args.again(strategy, settings).at(&address).to_string();
    cases.push(watch.test_case(&report, args, &again, took));
    let ended = finish(&report, Some(took), output, &args.report, || Ok(graph))?;
    if let Some(record) = record {
        write_recording(record, strategy, settings, &report)?;
    }
    Ok(watch.ended(ended))
}

/// What has come of a search, unless Ctrl-C came while something was started or set up.
fn unless_stopped<T>(done: Result<T, Error>, control: &Control) -> Result<Option<T>, Error> {
    match done {
        Err(Error::World(_)) if control.is_stopped() => Ok(None),
        done => done.map(Some),
    }
}

/// A search at a server that has come to its end.
struct Searched {
    server: Box<dyn Server>,
    /// The settings, with products and stock as the server has them.
    settings: Settings,
    watch: SearchContext,
    report: Exploration,
    /// The orders that were run, for a page.
    graph: Option<PlayGraph>,
    took: Duration,
}

/// Starts or finds the server, and searches.
fn search_at_server(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    control: &Control,
    progress: Progress<'_>,
) -> Result<Searched, Error> {
    let address = args.server.address();
    // How long a server takes to start says nothing about the search.
    let (server, settings) = progress.watch(control, || {
        let server = explore::server_for(strategy, settings, &address, control)?;
        let settings = explore::as_furnished(strategy, settings.clone(), &*server)?;
        Ok::<_, Error>((server, settings))
    })?;
    let watch = SearchContext::start_with(&args.limits, control.clone())?;
    let plan = plan(strategy, args);
    let (report, graph) = watch.run(progress, |monitor| {
        match (args.sampling(SCHEDULES_AT_SERVER), args.report.format) {
            (Some(sampling), _) => {
                explore::sample_orders(strategy, &settings, &*server, sampling, monitor)
                    .map(|report| (report, None))
            }
            (None, OutputFormat::Html) => {
                explore::search_orders_to_play(strategy, &settings, &*server, plan, monitor)
            }
            (None, _) => explore::search_orders(strategy, &settings, &*server, plan, monitor)
                .map(|(report, _)| (report, None)),
        }
    })?;
    let took = watch.took();
    Ok(Searched { server, settings, watch, report, graph, took })
}

/// Which orders a search at a real server runs.
fn plan(strategy: &dyn DynStrategy, args: &ExploreArgs) -> Plan {
    let SearchFlags { preemptions, no_reduce, .. } = &args.search;
    Plan {
        preemptions: match preemptions {
            Some(most) => Some(PreemptionBound::AtMost(*most as u32)),
            // One by one is one by one.
            None => (strategy.is_app() && !no_reduce).then_some(PreemptionBound::FewFirst),
        },
        reduced: !no_reduce,
        enough_after_finding: args.finds_first().then_some(ENOUGH_ORDERS),
        ..Plan::EVERYTHING
    }
}

/// What to type after a search.
fn hints(strategy: &dyn DynStrategy, settings: &Settings, report: &Exploration) -> Vec<Hint> {
    let known = explore::after_search(strategy, settings, report);
    let known = known.map(|next| next.command(strategy));
    known.into_iter().chain(instead(strategy, settings, report)).collect()
}

/// A search that is smaller than one of the model which was cut short.
fn instead(strategy: &dyn DynStrategy, settings: &Settings, report: &Exploration) -> Option<Hint> {
    if report.evidence != Evidence::NotSeen || report.covered.is_none() {
        return None;
    }
    // Of so few all can be followed, whatever the strategy.
    let fewer = Settings { buyers: 3, ..settings.small() };
    let command = match settings.buyers {
        0..4 => Command::of(Verb::Explore, strategy, settings).switch("random"),
        _ => Command::of(Verb::Explore, strategy, &fewer),
    };
    Some(Hint::new(Purpose::Instead, command))
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

/// So many threads; one a processor by default.
pub(super) fn pool(jobs: Option<u64>) -> Result<ThreadPool, Error> {
    let threads = ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0) as usize).build();
    threads.map_err(|error| Error::world(format!("cannot start threads: {error}; try --jobs 1")))
}

/// The threads that search, the clock they are timed by, and what may stop them.
struct SearchContext {
    threads: ThreadPool,
    clock: clock::Wall,
    most_ns: u64,
    control: Control,
}

impl SearchContext {
    fn start(limits: &LimitFlags) -> Result<Self, Error> {
        Self::start_with(limits, interrupt::control()?)
    }

    fn start_with(limits: &LimitFlags, control: Control) -> Result<Self, Error> {
        let threads = pool(limits.jobs)?;
        let most_ns = limits.max_time.map_or(u64::MAX, clock::nanos);
        Ok(Self { threads, clock: clock::Wall::start(), most_ns, control })
    }

    /// Works on these threads, and hands on how to ask whether to stop and to tell how far it is.
    fn run<T: Send>(
        &self,
        progress: Progress<'_>,
        work: impl FnOnce(&Watcher<'_>) -> T + Send,
    ) -> T {
        progress.watch(&self.control, || self.threads.install(|| work(&Watcher(self))))
    }

    fn took(&self) -> Duration {
        Duration::from_nanos(self.clock.now())
    }

    /// The test case of a search; `again` is the command that repeats it.
    fn test_case(
        &self,
        report: &Exploration,
        args: &ExploreArgs,
        again: &str,
        took: Duration,
    ) -> TestCase {
        let judgements = report.judge(&args.report.expectations());
        TestCase::of_exploration(report, &judgements, again, self.control.is_stopped(), took)
    }

    /// How a command has ended, if not by Ctrl-C.
    fn ended(&self, ended: Ended) -> Ended {
        if self.control.is_stopped() { Ended::Interrupted } else { ended }
    }
}

/// Stops a search, and hears of its progress.
#[derive(Clone, Copy)]
struct Watcher<'a>(&'a SearchContext);

impl Monitor for Watcher<'_> {
    fn is_stopped(&self) -> bool {
        self.0.control.is_stopped() || self.0.clock.now() >= self.0.most_ns
    }

    fn has_done(&self, more: u64) {
        self.0.control.count_served(more);
    }
}

/// Writes the first schedule that shows something, if there is one.
fn write_recording(
    record: Output,
    strategy: &dyn DynStrategy,
    settings: &Settings,
    report: &Exploration,
) -> Result<(), Error> {
    let Some(first) = report.findings.first() else {
        to_stderr("--record: nothing was found, so there is no schedule to write\n");
        return Ok(());
    };
    let recording = Recording {
        strategy: Some(strategy.card().name.to_owned()),
        settings: Some(settings.clone()),
        schedule: first.schedule.parse().map_err(Error::Input)?,
    };
    let written = recording.to_string();
    if written.len() as u64 > MOST_BYTES {
        to_stderr("--record: not written, for the schedule is longer than replay reads\n");
        return Ok(());
    }
    record.write(&written)
}

/// When to stop.
fn limits_of(args: &ExploreArgs) -> Limits {
    let usual = Limits::default();
    Limits {
        states: args.limits.max_states.map_or(usual.states, |states| states as usize),
        memory: args.limits.max_memory.map_or(usual.memory, |bytes| bytes as usize),
        enough_after_finding: args.finds_first().then_some(ENOUGH_STATES),
    }
}

/// The search that was asked for, and a drawing of it if one was asked for and it is whole.
fn search(
    strategy: &dyn DynStrategy,
    settings: &Settings,
    args: &ExploreArgs,
    monitor: &Watcher<'_>,
) -> Result<(Exploration, Option<StateGraph>), Error> {
    let limits = limits_of(args);
    let stopped = || monitor.is_stopped();
    let report = if let Some(sampling) = args.sampling(SCHEDULES) {
        explore::sample(strategy, settings, sampling, *monitor)?
    } else if let Some(most) = args.search.preemptions {
        explore::search_preempted(strategy, settings, most as u32, limits, &stopped)?
    } else if args.search.no_reduce {
        explore::search_unreduced(strategy, settings, limits, stopped)?
    } else if args.search.graph.is_some() {
        let states = limits.states.min(MOST_DRAWN);
        let limits = Limits { states, enough_after_finding: None, ..limits };
        let (report, drawn) = explore::search_and_draw(strategy, settings, limits, *monitor)?;
        let is_whole = report.covered.as_ref().is_some_and(|covered| covered.complete);
        return Ok((report, is_whole.then_some(drawn)));
    } else {
        explore::search_all(strategy, settings, limits, *monitor)?
    };
    Ok((report, None))
}

/// Any number of buyers.
fn run_any(
    strategy: &dyn DynStrategy,
    args: &ExploreArgs,
    cases: &mut Vec<TestCase>,
) -> Result<Ended, Error> {
    args.check_for_any(strategy)?;
    let settings = args.shop.settings_but_for_buyers(strategy)?;
    let output = Output::open(args.report.output.as_deref(), "--output")?;
    let watch = SearchContext::start(&args.limits)?;
    let limits = limits_of(args);
    let mut report = watch.run(args.progress(), |monitor| {
        let stopped = || monitor.is_stopped();
        explore::any_buyers(strategy, &settings, explore::MOST_BUYERS, limits, stopped)
    })?;
    let known = explore::after_any(strategy, &settings, &report);
    report.hints = known.map(|next| next.command(strategy)).into_iter().collect();
    let took = watch.took();
    let judgements = report.judge(&args.report.expectations());
    let again = args.again(strategy, &settings).for_any_buyers().to_string();
    let is_stopped = watch.control.is_stopped();
    cases.push(TestCase::of_any_buyers(&report, &judgements, &again, is_stopped, took));
    let text = match args.report.format {
        OutputFormat::Table | OutputFormat::Github => {
            render::any_buyers(&report, took, output.width())
        }
        OutputFormat::Json => render::json(&report)?,
        OutputFormat::Html => render::any_buyers_page(&report, took)?,
    };
    output.write(&text)?;
    tell_unmet(judgements, args.report.format).map(|ended| watch.ended(ended))
}
