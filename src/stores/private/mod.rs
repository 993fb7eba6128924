//! Private servers: started for one run in a directory of their own, and removed after it.
//!
//! However this process ends, the [`ServerSandbox`]'s keeper sees the end of a pipe, ends the server and removes the directory:
//! after a panic, a second Ctrl-C, even a signal that cannot be caught. If the keeper itself was killed, another one takes
//! its place as soon as it is told something, and at the end at the latest. Where both are killed, and this process before
//! it has noticed that, the next run ends what is [left](left_over).

mod home;
mod keeper;
mod left_over;
mod programs;
mod template;
#[cfg(feature = "app")]
mod user_program;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::time::Duration;

use parking_lot::Mutex;
use rand::TryRng;
use rand::rngs::SysRng;
#[cfg(feature = "app")]
use rustix::process::kill_process;
use rustix::process::{Pid, Signal, kill_process_group};

pub(crate) use left_over::end_left_over;
pub(in crate::stores) use programs::Package;
#[cfg(feature = "app")]
pub(in crate::stores) use template::archive;
pub(in crate::stores) use template::{DATA, DataDirOrigin, DataDirTemplate, fill_from};
#[cfg(feature = "app")]
pub(in crate::stores) use user_program::ProgramEnd;

use crate::base::clock::{Clock, Wall, nanos};
use crate::base::control::Control;
use crate::base::error::Error;
use crate::base::text::quantity::duration;
use home::{Home, NOBODY, is_root};
use keeper::Keeper;

/// How long a server may take to answer for the first time.
const STARTING: Duration = Duration::from_secs(60);

/// How long a program may take that sets a server up, or loads a schema into one.
const SETTING_UP: Duration = Duration::from_secs(600);

/// How long a server may take to end.
#[cfg(feature = "app")]
const ENDING: Duration = Duration::from_secs(60);

/// How often to check whether it does.
const GLANCE: Duration = Duration::from_millis(20);

/// The environment variable that marks a user's programs, and all that they start.
#[cfg(feature = "app")]
const MARK: &str = "OVERSELL_SIM_MARK";

/// Once a process, what killed runs have left is looked for.
static LEFT_OVER: Once = Once::new();

/// The log of the programs that set a server up.
const SETUP_LOG: &str = "setup-log";

/// A private directory, with what runs in it: one server, or the members of a group.
pub(in crate::stores) struct ServerSandbox {
    home: Home,
    /// The file to which a user's programs write, instead of one in the directory.
    log_file: Option<PathBuf>,
    /// How many bytes of each log were told.
    told: Mutex<BTreeMap<PathBuf, usize>>,
    inside: Mutex<SandboxProcesses>,
    /// What stops the programs that set a server up.
    control: Control,
}

/// The processes of a sandbox.
struct SandboxProcesses {
    keeper: Keeper,
    servers: Vec<ServerProcess>,
    /// The user's programs that run: the process groups of each.
    #[cfg(feature = "app")]
    programs: Vec<u32>,
    /// Whether processes run that have the mark.
    are_marked: bool,
    /// What was last noted of the servers.
    noted: Vec<String>,
}

/// A server, and how it was started.
struct ServerProcess {
    child: Child,
    /// Whether it may start processes of its own, which have to end with it.
    has_others: bool,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    beside: Beside,
    log: Log,
}

/// Where a server's output goes.
struct Log {
    path: PathBuf,
    /// Opened once, so that a file that gets the same name later is not written to.
    file: File,
}

/// The longest that a program may take, and what sets that.
#[derive(Clone, Copy, Debug)]
pub(in crate::stores) struct TimeLimit {
    pub(in crate::stores) most: Duration,
    /// The key or flag.
    pub(in crate::stores) set_by: &'static str,
}

impl TimeLimit {
    /// What a server of ours may take to answer for the first time: nothing sets that.
    const STARTING: Self = Self { most: STARTING, set_by: "" };

    /// What a program may take that sets one up: nothing sets that.
    const SETTING_UP: Self = Self { most: SETTING_UP, set_by: "" };

    /// How it is told that a program has taken longer.
    fn told(self) -> String {
        let most = duration(nanos(self.most));
        match self.set_by {
            "" => most,
            key => format!("{most} ({key})"),
        }
    }
}

/// What a server is given each time it is started, beside its command.
#[derive(Clone, Debug, Default)]
pub(in crate::stores) struct Beside {
    /// What it reads from its standard input, such as a password.
    pub(in crate::stores) input: Option<String>,
    /// Files that a killed server leaves in the servers' directory, and that would keep the next one from starting.
    pub(in crate::stores) left_over: Vec<String>,
}

impl Beside {
    /// Gives the server this text on its standard input.
    pub(in crate::stores) fn reading(input: String) -> Self {
        Self { input: Some(input), left_over: Vec::new() }
    }
}

impl ServerSandbox {
    /// Creates a directory, and a keeper that ends the servers there with this signal.
    pub(in crate::stores) fn make(signal: &str) -> Result<Self, Error> {
        LEFT_OVER.call_once(|| {
            end_left_over();
        });
        let home = Home::make()
            .map_err(|error| Error::world(format!("cannot make a temporary directory: {error}")))?;
        let keeper = Keeper::start(&home, signal).map_err(|error| {
            let _ = std::fs::remove_dir_all(home.ours());
            Error::world(format!("cannot start a shell: {error}"))
        })?;
        let inside = Mutex::new(SandboxProcesses {
            keeper,
            servers: Vec::new(),
            #[cfg(feature = "app")]
            programs: Vec::new(),
            are_marked: false,
            noted: Vec::new(),
        });
        let (told, control) = (Mutex::default(), Control::default());
        Ok(Self { home, log_file: None, told, inside, control })
    }

    /// The same, where this stops the programs that set a server up.
    pub(in crate::stores) fn heeding(mut self, control: &Control) -> Self {
        self.control = control.clone();
        self
    }

    /// The same, where what the programs print is added to a file.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn logging_to(mut self, file: Option<PathBuf>) -> Self {
        if let Some(file) = &file {
            let length = std::fs::metadata(file).map_or(0, |about| about.len() as usize);
            self.told.lock().insert(file.clone(), length);
        }
        self.log_file = file;
        self
    }

    /// Tells what the servers have printed since this was last done.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn tell_news(&self, control: &Control) {
        for server in &self.inside.lock().servers {
            self.tell_news_of(&server.log, control);
        }
    }

    #[cfg(feature = "app")]
    fn tell_news_of(&self, log: &Log, control: &Control) {
        control.tell(|| {
            let text = std::fs::read(&log.path).unwrap_or_default();
            let mut told = self.told.lock();
            let told = told.entry(log.path.clone()).or_default();
            let news = String::from_utf8_lossy(text.get(*told..).unwrap_or(&[])).into_owned();
            *told = text.len();
            let lines: Vec<String> = news.lines().map(|line| format!("  | {line}")).collect();
            lines.join("\n")
        });
    }

    /// The directory that the servers write in, with their data and their sockets.
    pub(in crate::stores) fn servers_dir(&self) -> &Path {
        self.home.servers()
    }

    /// The process groups of the user's programs that run, to which the processes belong that they start.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn groups(&self) -> Vec<u32> {
        let inside = self.inside.lock();
        let hosts = inside.servers.iter().filter(|server| server.has_others);
        hosts.map(|server| server.child.id()).chain(inside.programs.iter().copied()).collect()
    }

    /// The directory that this program itself writes in, if it has anything to write.
    pub(in crate::stores) fn own_dir(&self) -> &Path {
        self.home.ours()
    }

    /// A command that runs in the servers' directory; as the user `nobody`, if this process runs as root.
    pub(in crate::stores) fn command(&self, program: &Path) -> Command {
        let dir = self.servers_dir();
        let mut command = Command::new(program);
        command.current_dir(dir).env("TMPDIR", dir).env("HOME", dir);
        command.stdin(Stdio::null()).process_group(0);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs a command that sets a server up, to its end.
    pub(in crate::stores) fn run(&self, command: Command, beside: &Beside) -> Result<(), Error> {
        let name = name_of(&command);
        let input = beside.input.as_ref().map(|text| self.home.handed(text)).transpose();
        let input = input.map_err(|error| Error::world(format!("cannot start {name}: {error}")))?;
        self.run_between(command, input, None)
    }

    /// Runs a command that sets a server up, to its end. It reads from one file, and writes to another one.
    fn run_between(
        &self,
        mut command: Command,
        input: Option<File>,
        output: Option<File>,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        let cannot = |error| Error::world(format!("cannot start {name}: {error}"));
        let log = self.log(SETUP_LOG)?;
        let of_log = || log.file.try_clone();
        command.stdout(output.map_or_else(of_log, Ok).map_err(cannot)?);
        command.stderr(of_log().map_err(cannot)?);
        if let Some(input) = input {
            command.stdin(input);
        }
        let mut child = command.spawn().map_err(cannot)?;
        self.inside.lock().tell_keeper(Some(child.id()))?;
        let (within, control) = (TimeLimit::SETTING_UP, &self.control);
        let Some(ended) = ends_within(&mut child, within.most, control) else {
            return Err(self.cut_short(&name, &log, within, control));
        };
        self.inside.lock().tell_keeper(None)?;
        if ended.success() {
            return Ok(());
        }
        Err(Error::world(format!("{name} failed: {}", lines_at_end(&self.said(&log), 6))))
    }

    /// The error for a program that did not come to its end.
    fn cut_short(&self, name: &str, log: &Log, within: TimeLimit, control: &Control) -> Error {
        Error::world(match control.is_over() {
            true => format!("{name} was interrupted"),
            false => {
                let said = last_lines(&self.said(log));
                format!("{name} takes longer than {}: {said}", within.told())
            }
        })
    }

    /// Starts the server, and waits until it answers.
    pub(in crate::stores) fn start(
        &self,
        command: Command,
        beside: Beside,
        control: &Control,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        control.begin(format!("starting {name}"));
        self.launch(command, beside, "log")?;
        self.await_answer(&name, control, answers)
    }

    /// Starts one more server, whose output goes to this file; the others run on.
    pub(in crate::stores) fn launch(
        &self,
        command: Command,
        beside: Beside,
        log: &str,
    ) -> Result<(), Error> {
        self.take_in(command, beside, log, false)
    }

    /// Starts a user's program in a process group of its own, which the processes that it starts share, and waits until
    /// it answers.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn host(
        &self,
        mut command: Command,
        control: &Control,
        within: TimeLimit,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        control.begin(format!("starting {name}"));
        command.stdin(Stdio::null()).process_group(0);
        self.mark(&mut command);
        self.take_in(command, Beside::default(), "log", true)?;
        let answered = self.await_answer_within(&name, control, within, answers);
        self.tell_news(control);
        answered
    }

    /// Marks a user's program, so that the processes that it starts are known.
    #[cfg(feature = "app")]
    fn mark(&self, command: &mut Command) {
        command.env(MARK, self.home.mark());
        self.inside.lock().are_marked = true;
    }

    /// Runs a user's program to its end, for at most `within`.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn oversee(
        &self,
        mut command: Command,
        control: &Control,
        within: TimeLimit,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        control.begin(format!("running {name}"));
        command.stdin(Stdio::null()).process_group(0);
        let log = self.log("command-log")?;
        let mut child = self.spawn(command, &Beside::default(), &log)?;
        self.inside.lock().tell_keeper(Some(child.id()))?;
        let Some(ended) = ends_within(&mut child, within.most, control) else {
            self.tell_news_of(&log, control);
            return Err(self.cut_short(&name, &log, within, control));
        };
        self.inside.lock().tell_keeper(None)?;
        self.tell_news_of(&log, control);
        if ended.success() {
            return Ok(());
        }
        Err(Error::input(format!("{name} failed: {}", last_lines(&self.said(&log)))))
    }

    fn take_in(
        &self,
        command: Command,
        beside: Beside,
        log: &str,
        has_others: bool,
    ) -> Result<(), Error> {
        let owned =
            |(name, value): (&OsStr, Option<&OsStr>)| (name.to_owned(), value.map(OsStr::to_owned));
        let program = PathBuf::from(command.get_program());
        let arguments = command.get_args().map(OsStr::to_owned).collect();
        let environment = command.get_envs().map(owned).collect();
        let log = self.log(log)?;
        let child = self.spawn(command, &beside, &log)?;
        let mut inside = self.inside.lock();
        inside.servers.push(ServerProcess {
            child,
            has_others,
            program,
            arguments,
            environment,
            beside,
            log,
        });
        inside.tell_keeper(None)
    }

    fn log(&self, name: &str) -> Result<Log, Error> {
        let (path, opened) = match &self.log_file {
            Some(path) => (path.clone(), log_options().append(true).open(path)),
            None => (self.own_dir().join(name), self.home.log(name)),
        };
        let cannot = |error| Error::world(format!("cannot write {}: {error}", path.display()));
        let file = opened.map_err(cannot)?;
        Ok(Log { path, file })
    }

    /// What was written to a log.
    fn said(&self, log: &Log) -> String {
        let text = std::fs::read(&log.path).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn spawn(&self, mut command: Command, beside: &Beside, log: &Log) -> Result<Child, Error> {
        let name = name_of(&command);
        let cannot = |error| Error::world(format!("cannot start {name}: {error}"));
        for left in &beside.left_over {
            let _ = std::fs::remove_file(self.servers_dir().join(left));
        }
        if let Some(text) = &beside.input {
            command.stdin(self.home.handed(text).map_err(cannot)?);
        }
        let out = || log.file.try_clone().map_err(cannot);
        command.stdout(out()?).stderr(out()?);
        command.spawn().map_err(|error| match (error.kind(), command.get_current_dir()) {
            (ErrorKind::NotFound, Some(folder)) if !folder.is_dir() => Error::input(format!(
                "cannot start {name}: there is no folder {}",
                folder.display()
            )),
            (ErrorKind::NotFound, _) => Error::input(format!(
                "cannot start {name}: there is no such program; write its path, or add its folder to PATH"
            )),
            _ => cannot(error),
        })
    }

    /// Waits until a server that was started answers.
    pub(in crate::stores) fn await_answer(
        &self,
        name: &str,
        control: &Control,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        self.await_answer_within(name, control, TimeLimit::STARTING, answers)
    }

    fn await_answer_within(
        &self,
        name: &str,
        control: &Control,
        within: TimeLimit,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let clock = Wall::start();
        while !answers() {
            if self.has_ended() {
                return Err(Error::world(format!("{name} ended at once: {}", self.last_words())));
            }
            if clock.now() >= nanos(within.most) {
                let (within, said) = (within.told(), self.last_words());
                let why = format!("{name} does not answer within {within}: {said}");
                return Err(Error::world(why));
            }
            if control.is_over() || !control.pause(GLANCE) {
                return Err(Error::world(format!("interrupted while {name} was starting")));
            }
        }
        Ok(())
    }

    /// The last output of the servers, if one of them has ended by itself.
    pub(in crate::stores) fn obituary(&self) -> Option<String> {
        self.has_ended().then(|| self.last_words())
    }

    fn has_ended(&self) -> bool {
        let mut inside = self.inside.lock();
        inside.servers.iter_mut().any(|server| matches!(server.child.try_wait(), Ok(Some(_))))
    }

    /// The last output of the servers.
    pub(in crate::stores) fn last_words(&self) -> String {
        let inside = self.inside.lock();
        let said = inside.servers.iter().map(|server| self.said(&server.log));
        last_lines(&said.collect::<String>())
    }

    /// Kills a server, whatever it is doing, and starts it again in the same way; several times, if it ends at once
    /// because something of the killed one still exists. The servers are numbered in the order in which they were
    /// started.
    pub(in crate::stores) fn kill_and_restart(
        &self,
        place: usize,
        control: &Control,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        self.kill(place)?;
        let mut left = STARTING;
        loop {
            self.restart(place)?;
            let started = self.await_answer("the server that was killed", control, &answers);
            if started.is_ok() || !self.has_ended() || left.is_zero() || !control.pause(GLANCE) {
                return started;
            }
            left = left.saturating_sub(GLANCE);
        }
    }

    /// Has every server end in its own time, as this signal asks it to, and waits until it has.
    #[cfg(feature = "app")]
    pub(in crate::stores) fn end(&self, signal: Signal, control: &Control) -> Result<(), Error> {
        let mut inside = self.inside.lock();
        let clock = Wall::start();
        for server in &mut inside.servers {
            let cannot = |why: String| Error::world(format!("cannot end a server: {why}"));
            kill_process(Pid::from_child(&server.child), signal)
                .map_err(|error| cannot(error.to_string()))?;
            while matches!(server.child.try_wait(), Ok(None)) {
                if clock.now() >= nanos(ENDING) || control.is_over() || !control.pause(GLANCE) {
                    return Err(cannot("it does not end".into()));
                }
            }
        }
        inside.servers.clear();
        inside.tell_keeper(None)
    }

    /// Kills a server, and waits until it is gone.
    pub(in crate::stores) fn kill(&self, place: usize) -> Result<(), Error> {
        let cannot = |error| Error::world(format!("cannot kill the server: {error}"));
        let mut inside = self.inside.lock();
        let Some(server) = inside.servers.get_mut(place) else { return Ok(()) };
        server.child.kill().and_then(|()| server.child.wait()).map(drop).map_err(cannot)
    }

    /// Restarts a server that has ended.
    pub(in crate::stores) fn restart(&self, place: usize) -> Result<(), Error> {
        let mut inside = self.inside.lock();
        let Some(server) = inside.servers.get_mut(place) else { return Ok(()) };
        let mut command = self.command(&server.program);
        command.args(&server.arguments);
        for (name, value) in &server.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        server.child = self.spawn(command, &server.beside, &server.log)?;
        inside.tell_keeper(None)
    }
}

impl SandboxProcesses {
    fn processes(&self) -> Vec<String> {
        let process = |server: &ServerProcess| match server.has_others {
            true => format!("+{}", server.child.id()),
            false => server.child.id().to_string(),
        };
        let mark = self.are_marked.then(|| format!("@{}", self.keeper.mark()));
        self.servers.iter().map(process).chain(mark).collect()
    }

    /// Which processes the keeper is to end, and which to wait for.
    fn line(&self, setting_up: Option<u32>) -> String {
        let groups = setting_up.into_iter().map(|process| format!("-{process}"));
        #[cfg(feature = "app")]
        let groups = groups.chain(self.programs.iter().map(|group| format!("+{group}")));
        let all = self.processes().into_iter().chain(groups).collect::<Vec<_>>();
        all.join(" ") + "\n"
    }

    /// Tells the keeper which processes to end, and which to wait for. The line is written in one piece: half a line
    /// would name another process.
    fn tell_keeper(&mut self, setting_up: Option<u32>) -> Result<(), Error> {
        let servers = self.processes();
        if servers != self.noted {
            left_over::note(self.keeper.dir(), &servers);
            self.noted = servers;
        }
        let line = self.line(setting_up);
        if self.keeper.hear(&line) {
            return Ok(());
        }
        // Without a keeper, no server may keep running.
        for server in &mut self.servers {
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
        Err(Error::world("cannot keep a private server: its keeper is gone"))
    }
}

impl Drop for ServerSandbox {
    /// Waits until the keeper has ended the servers and removed the directory, which takes a limited time.
    fn drop(&mut self) {
        let inside = self.inside.get_mut();
        let line = inside.line(None);
        let SandboxProcesses { keeper, servers, .. } = inside;
        // A server that has ended is there for the keeper until it has been waited for.
        keeper.dismiss(&line, || {
            for server in servers.iter_mut() {
                let _ = server.child.try_wait();
            }
        });
    }
}

/// How often to check whether a program has ended.
const SOON: Duration = Duration::from_millis(5);

/// Waits until a program ends. One that takes longer than `most`, or is still there when the work is to end, is killed
/// with all that it has started.
fn ends_within(child: &mut Child, most: Duration, control: &Control) -> Option<ExitStatus> {
    let clock = Wall::start();
    loop {
        match child.try_wait() {
            Ok(Some(ended)) => return Some(ended),
            Ok(None) if clock.now() < nanos(most) && !control.is_over() && control.pause(SOON) => {}
            _ => {
                let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// How a log is opened that a user has named: one that is not there yet is made for its owner alone.
pub(in crate::stores) fn log_options() -> OpenOptions {
    let mut options = File::options();
    options.create(true).mode(0o600);
    options
}

/// Ports on which no process listens at this moment.
#[cfg(feature = "app")]
pub(in crate::stores) fn free_ports(count: usize) -> Result<Vec<u16>, Error> {
    use std::net::{Ipv4Addr, TcpListener};

    let cannot = |error| Error::world(format!("no free port on this machine: {error}"));
    // All are taken at once, so that they are different.
    let taken = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(cannot)?;
    let ports = taken.iter().map(|listener| listener.local_addr().map(|address| address.port()));
    ports.collect::<Result<_, _>>().map_err(cannot)
}

/// A random password of 128 bits.
pub(in crate::stores) fn password() -> Result<String, Error> {
    let word = || {
        SysRng.try_next_u64().map_err(|error| {
            Error::world(format!("the operating system gives no random numbers: {error}"))
        })
    };
    Ok(format!("{:016x}{:016x}", word()?, word()?))
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path as it is written in a URL, whatever is in it.
pub(in crate::stores) fn in_url(path: &Path) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let written = path.as_os_str().as_bytes().iter().map(|byte| match is_plain(*byte) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    written.collect()
}

/// The last lines of a program's output, on one line.
fn last_lines(said: &str) -> String {
    lines_at_end(said, 3)
}

/// The last `most` lines of a program's output, on one line.
fn lines_at_end(said: &str, most: usize) -> String {
    let lines: Vec<&str> =
        said.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(most).collect();
    match lines.is_empty() {
        true => "it said nothing".into(),
        false => lines.into_iter().rev().collect::<Vec<_>>().join(" | "),
    }
}
