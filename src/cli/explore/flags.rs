//! What `explore` takes, and what it refuses.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::error::Error;
use crate::base::memory::resident_bytes;
use crate::base::text::quantity::{exact_duration, parse_count, parse_duration};
use crate::cli::ci::JunitFlag;
use crate::cli::meaning::{check_level, check_level_of, refuse};
use crate::cli::parts::PartitionFlag;
use crate::cli::progress::Progress;
use crate::cli::shop::{ReportFlags, ServerFlags, ShopFlags};
use crate::command::{Command, Verb};
use crate::domain::settings::Settings;
use crate::explore::{self, Cure, Method, Sampling};
use crate::worlds::dyn_strategy::DynStrategy;
use clap::{Args, ValueEnum};

/// Random schedules, if it was not said how many; and at a real server.
pub(super) const SCHEDULES: u64 = 10_000;
pub(super) const SCHEDULES_AT_SERVER: u64 = 1_000;

/// The most copies of a real server.
const MOST_COPIES: u64 = 32;

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
pub(super) struct RandomFlags {
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
pub(super) struct LimitFlags {
    /// Stop a search of the model after N states [default: 50M]
    #[arg(long, value_name = "N", value_parser = number)]
    pub(super) max_states: Option<u64>,
    /// Stop a search of the model when its states take N bytes, and one at a real server when this program does [default:
    /// 2G]
    #[arg(long, value_name = "BYTES", value_parser = number)]
    pub(super) max_memory: Option<u64>,
    /// Stop after this time
    #[arg(long, value_name = "DURATION", value_parser = longest)]
    pub(super) max_time: Option<Duration>,
    /// Search on N threads; at a real server, at N copies of it side by side, except for the searches of --try, which take
    /// one copy. The result is the same [default: one for each processor, at a real server 1]
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub(super) jobs: Option<u64>,
}

pub(crate) fn jobs(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1024)
}

fn longest(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(7 * 24 * 3600))
}

/// What is looked for, how, and what else is written.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The search")]
pub(super) struct SearchFlags {
    /// Which findings to look for [default: first]
    #[arg(long, value_enum)]
    find: Option<FindMode>,
    /// Follow every schedule one by one, without remembering states or merging steps, to check the checker
    #[arg(long)]
    pub(super) no_reduce: bool,
    /// Run only the schedules with at most so many preemptions; a preemption makes a buyer wait that could go on (with
    /// --app, schedules with few preemptions come first in any case)
    #[arg(long, value_name = "N", value_parser = preemptions, conflicts_with_all = ["random", "graph"])]
    pub(super) preemptions: Option<u64>,
    /// Repeat the search with a cure, or with several in turn, and say whether each cures the findings. At a real server:
    /// isolation=LEVEL, a stronger isolation level. With --app also, rewritten on the way to the database: lock, FOR
    /// UPDATE in the query that the finding rests on; guard, a condition in its UPDATE
    #[arg(long = "try", value_name = "CURE", value_parser = Cure::parse, value_delimiter = ',')]
    pub(super) tries: Vec<Cure>,
    /// Write the first schedule that shows a finding to a file, for replay --schedule-file
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// At a real server: keep each order that is run in a file, and go on from there if the search was stopped
    #[arg(long, value_name = "FILE", conflicts_with = "random")]
    pub(super) resume: Option<PathBuf>,
    /// Write the states and the steps between them to a file, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "no_reduce")]
    pub(super) graph: Option<PathBuf>,
}

/// One search by several processes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "One search by several processes, on one machine or on several")]
pub(super) struct ProcessFlags {
    /// Search the model together with other processes, each of which remembers a share of the states: where each of them
    /// listens, such as one:7000,two:7000. Give all the same command
    #[arg(
        long,
        value_name = "ADDRESSES",
        value_delimiter = ',',
        requires = "process",
        conflicts_with_all = ["random", "no_reduce", "preemptions", "graph"]
    )]
    pub(super) processes: Vec<String>,
    /// Which of them this one is, counted from 1
    #[arg(long, value_name = "N", value_parser = number, requires = "processes")]
    pub(super) process: Option<u64>,
}

/// A specification instead of a checkout.
#[cfg(feature = "postgres")]
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "A specification of PostgreSQL's isolation tester")]
pub(super) struct SpecFlags {
    /// Run a specification, or every one (*.spec) of a folder, on a private PostgreSQL server: the permutations that the
    /// file lists. Where ../expected/NAME.out is there, the output is compared with it
    #[arg(
        long,
        value_name = "FILE|FOLDER",
        conflicts_with_all = [
            "strategy", "checkout", "app", "same_buyer", "url", "allow_remote", "allow_triggers", "find", "no_reduce",
            "preemptions", "tries", "record", "graph", "random", "max_states", "max_memory", "jobs",
            "partition", "processes", "expectations", "allow_incomplete",
        ]
    )]
    pub(super) spec: Option<PathBuf>,
    /// Run every order of the sessions' steps instead, and show what they come to
    #[arg(long, requires = "spec")]
    pub(super) every_order: bool,
}

/// What `explore` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExploreArgs {
    #[command(flatten)]
    pub(super) shop: ShopFlags,
    #[command(flatten)]
    pub(super) server: ServerFlags,
    #[cfg(feature = "postgres")]
    #[command(flatten)]
    pub(super) spec: SpecFlags,
    #[command(flatten)]
    pub(super) search: SearchFlags,
    #[command(flatten)]
    pub(super) sampling: RandomFlags,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    pub(super) partition: PartitionFlag,
    #[command(flatten)]
    pub(super) together: ProcessFlags,
    #[command(flatten)]
    pub(super) report: ReportFlags,
    #[command(flatten)]
    pub(super) junit: JunitFlag,
}

fn preemptions(text: &str) -> Result<u64, String> {
    parse_count(text, 0, 1000)
}

fn number(text: &str) -> Result<u64, String> {
    parse_count(text, 1, 1 << 40)
}

impl ExploreArgs {
    /// Whether to be content with the first finding.
    pub(super) fn finds_first(&self) -> bool {
        self.search.find != Some(FindMode::All)
    }

    /// The command that repeats the search.
    pub(super) fn again(&self, strategy: &dyn DynStrategy, settings: &Settings) -> Command {
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

    /// What the search explores, as the command that repeats it without a bound of time.
    pub(super) fn explored(&self, strategy: &dyn DynStrategy, settings: &Settings) -> Command {
        let limits = LimitFlags { max_time: None, ..self.limits.clone() };
        Self { limits, ..self.clone() }.again(strategy, settings)
    }

    /// How its progress is shown: random schedules are as many as was said; how many states or orders there are is not
    /// known before.
    pub(super) fn progress(&self) -> Progress<'static> {
        let is_at_server = self.shop.is_at_server(&self.server);
        let usual = if is_at_server { SCHEDULES_AT_SERVER } else { SCHEDULES };
        let wanted = self.report.shows_progress();
        match self.sampling(usual) {
            Some(Sampling { schedules, .. }) => {
                Progress { name: "exploring", unit: "schedules", all: Some(schedules), wanted }
            }
            None => {
                let unit = match (is_at_server, self.search.preemptions) {
                    (true, _) => "orders",
                    (false, Some(_)) => "schedules",
                    (false, None) => "states",
                };
                Progress { name: "exploring", unit, all: None, wanted }
            }
        }
    }

    /// Refuses what only means something at a real server.
    pub(super) fn check_no_server(&self) -> Result<(), Error> {
        let SearchFlags { tries, resume, .. } = &self.search;
        let given = [("--try", !tries.is_empty()), ("--resume", resume.is_some())];
        refuse(&given, "is for a real server; name one with --store, or leave it out")
    }

    /// Refuses cures that can be tried only at a running application, and a cure that is named twice.
    pub(super) fn check_tries(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
        let tries = &self.search.tries;
        if let Some(cure) = tries.iter().find(|cure| cure.level().is_none() && !strategy.is_app()) {
            return Err(Error::input(format!(
                "--try {cure}: is written into the statements of a running application, which --app names; leave it out, \
                 or --try isolation=LEVEL"
            )));
        }
        let levels: Vec<_> = tries.iter().filter(|cure| cure.level().is_some()).collect();
        if let ([first, second, ..], false) = (&levels[..], strategy.is_app()) {
            return Err(Error::input(format!(
                "--try {second}: one level is tried at a store; leave it out, or --try {first}"
            )));
        }
        let again = tries.iter().enumerate().find(|(at, cure)| tries[..*at].contains(cure));
        match again {
            Some((_, cure)) => Err(Error::input(format!("--try {cure}: is named twice"))),
            None => Ok(()),
        }
    }

    /// Refuses what means nothing to a search of the model of this kind.
    pub(super) fn check_for_model(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
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
    pub(super) fn sampling(&self, usual: u64) -> Option<Sampling> {
        let RandomFlags { random, schedules, depth } = &self.sampling;
        let method = match (*random)? {
            Sampler::Pct => Method::Pct { depth: depth.unwrap_or(2) as u32 },
            Sampler::Plain => Method::Plain,
        };
        let schedules = schedules.unwrap_or(usual);
        Some(Sampling { schedules, method, until_found: self.finds_first() })
    }

    /// Refuses what means nothing to a search at a real server.
    pub(super) fn check_for_server(&self, settings: &Settings) -> Result<(), Error> {
        let LimitFlags { max_states, max_memory, .. } = &self.limits;
        if max_memory.is_some() && resident_bytes().is_none() {
            return Err(Error::input(
                "--max-memory: this system does not say how much memory a program takes; leave it out",
            ));
        }
        if self.jobs_at_server() > MOST_COPIES {
            return Err(Error::input(format!("--jobs: at a real server {MOST_COPIES} at most")));
        }
        let given = [("--graph", self.search.graph.is_some())];
        refuse(&given, "is for the model; at a real server every order is run")?;
        let given = [("--processes", !self.together.processes.is_empty())];
        refuse(&given, "is for the model; leave it out, or --jobs for copies of the server")?;
        if let Some(sampler) = self.sampling.random {
            self.check_depth(sampler)?;
            let given =
                [("--try", !self.search.tries.is_empty()), ("--jobs", self.jobs_at_server() > 1)];
            refuse(&given, "is for a search of every order; leave it out, or --random")?;
        }
        let given = [("--max-states", max_states.is_some())];
        refuse(
            &given,
            "is for the model; at a real server --max-time and --max-memory are the limits",
        )?;
        check_level("--isolation", self.shop.level()?, settings)?;
        let mut levels = self.search.tries.iter().map(|cure| cure.level());
        levels.try_for_each(|level| check_level("--try", level, settings))
    }

    /// At how many copies of a real server to search.
    pub(super) fn jobs_at_server(&self) -> u64 {
        self.limits.jobs.unwrap_or(1)
    }

    /// Refuses what means nothing to a search of every order at a real server.
    pub(super) fn check_at_server(
        &self,
        strategy: &dyn DynStrategy,
        settings: &Settings,
    ) -> Result<(), Error> {
        self.check_for_server(settings)?;
        self.check_resume(strategy)?;
        match self.jobs_at_server() {
            1 => Ok(()),
            _ => explore::can_have_copies(strategy, &self.server.address()),
        }
    }

    /// Refuses what means nothing for one of several parts.
    pub(super) fn check_for_parts(&self) -> Result<(), Error> {
        let given = [
            ("--random", self.sampling.random.is_some()),
            ("--preemptions", self.search.preemptions.is_some()),
            ("--graph", self.search.graph.is_some()),
        ];
        refuse(
            &given,
            "is no search of every order, which is what --partition shares out; leave it out",
        )?;
        refuse(
            &[("--max-time", self.limits.max_time.is_some())],
            "a part that was cut short is of no use; leave it out, and go on with --resume where the part was stopped",
        )
    }

    /// Refuses to resume a search of an application: its code may have changed since, and nothing shows whether it has.
    pub(super) fn check_resume(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
        let given = [("--resume", self.search.resume.is_some() && strategy.is_app())];
        refuse(
            &given,
            "is for stores and described checkouts: whether an application has changed since its orders were written \
             cannot be seen; leave it out",
        )
    }

    /// Refuses what means nothing where any number of buyers may come.
    pub(super) fn check_for_any(&self, strategy: &dyn DynStrategy) -> Result<(), Error> {
        let why = "needs a number of --buyers, not any";
        refuse(&self.server.given()?, why)?;
        let given = [
            ("--random", self.sampling.random.is_some()),
            ("--preemptions", self.search.preemptions.is_some()),
            ("--no-reduce", self.search.no_reduce),
            ("--graph", self.search.graph.is_some()),
            ("--record", self.search.record.is_some()),
            ("--resume", self.search.resume.is_some()),
            ("--processes", !self.together.processes.is_empty()),
        ];
        refuse(&given, why)?;
        self.check_no_server()?;
        check_level_of(strategy, self.shop.level()?)
    }
}
