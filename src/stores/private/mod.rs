//! Servers of our own: started in a directory of their own for the occasion, and gone after it.
//!
//! Whatever way this process ends, the [`Nest`]'s keeper sees the end of a pipe, ends the server and removes
//! the directory: after a panic, a second Ctrl-C, even a kill that nobody can catch.

mod programs;

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;

pub(in crate::stores) use programs::Package;

use crate::control::Control;
use crate::error::Error;

/// Servers that refuse to run as root run as nobody.
const NOBODY: u32 = 65_534;

/// How long a server may take to answer for the first time.
const STARTING: Duration = Duration::from_secs(60);

/// How often one looks whether it does.
const GLANCE: Duration = Duration::from_millis(20);

/// A directory of one's own, with what runs in it: one server, or the members of a group.
pub(in crate::stores) struct Nest {
    path: PathBuf,
    keeper: Child,
    servers: Vec<Child>,
}

impl Nest {
    /// Makes a directory whose servers end by this signal.
    pub(in crate::stores) fn make(signal: &str) -> Result<Self, Error> {
        let refused = |error| Error::world(format!("cannot make a temporary directory: {error}"));
        let dir = tempfile::Builder::new().prefix("oversell-sim-").tempdir().map_err(refused)?;
        if is_root() {
            std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).map_err(refused)?;
        }
        let keeper = Command::new("sh")
            .args(["-c", include_str!("keeper.sh"), "keeper"])
            .arg(dir.path())
            .arg(signal)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for whoever started it.
            .process_group(0)
            .spawn()
            .map_err(|error| Error::world(format!("cannot start a shell: {error}")))?;
        Ok(Self { path: dir.keep(), keeper, servers: Vec::new() })
    }

    /// The directory.
    pub(in crate::stores) fn path(&self) -> &Path {
        &self.path
    }

    /// A command that will run here, as nobody if we are root.
    pub(in crate::stores) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.path).env("TMPDIR", &self.path).env("HOME", &self.path);
        command.stdin(Stdio::null()).process_group(0);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs a command to its end.
    pub(in crate::stores) fn run(&self, mut command: Command) -> Result<(), Error> {
        let name = name_of(&command);
        let output = command
            .output()
            .map_err(|error| Error::world(format!("cannot start {name}: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(Error::world(format!("{name} failed: {}", last_lines(&String::from_utf8_lossy(&said)))))
    }

    /// Starts the server, and waits until it answers.
    pub(in crate::stores) fn start(
        &mut self,
        command: Command,
        control: &Control,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        self.launch(command, "log")?;
        self.await_answer(&name, &["log"], control, answers)
    }

    /// Starts one server more, whose output goes to this file; the others run on.
    pub(in crate::stores) fn launch(
        &mut self,
        mut command: Command,
        log: &str,
    ) -> Result<(), Error> {
        let name = name_of(&command);
        let cannot = |error| Error::world(format!("cannot start {name}: {error}"));
        let log = self.path.join(log);
        let file = std::fs::File::options().create(true).append(true).open(log).map_err(cannot)?;
        command.stdout(file.try_clone().map_err(cannot)?).stderr(file);
        self.servers.push(command.spawn().map_err(cannot)?);
        let told = self.tell_keeper();
        if told.is_err()
            && let Some(mut server) = self.servers.pop()
        {
            // Without a keeper it must not stay.
            let _ = server.kill();
            let _ = server.wait();
        }
        told.map_err(|_| Error::world("cannot keep a private server: its keeper is gone"))
    }

    /// Waits until whatever was started answers. What it says until then lies in these files.
    pub(in crate::stores) fn await_answer(
        &mut self,
        name: &str,
        logs: &[&str],
        control: &Control,
        answers: impl Fn() -> bool,
    ) -> Result<(), Error> {
        let path = &self.path;
        let read = |log: &&str| std::fs::read_to_string(path.join(log)).unwrap_or_default();
        let said = || last_lines(&logs.iter().map(read).collect::<String>());
        let mut left = STARTING;
        while !answers() {
            if self.servers.iter_mut().any(|server| matches!(server.try_wait(), Ok(Some(_)))) {
                return Err(Error::world(format!("{name} ended at once: {}", said())));
            }
            if left.is_zero() {
                return Err(Error::world(format!("{name} does not answer: {}", said())));
            }
            if !control.pause(GLANCE) {
                return Err(Error::world(format!("interrupted while {name} was starting")));
            }
            left = left.saturating_sub(GLANCE);
        }
        Ok(())
    }

    /// The process ids of the servers, in the order in which they were started.
    pub(in crate::stores) fn processes(&self) -> Vec<u32> {
        self.servers.iter().map(Child::id).collect()
    }

    /// Tells the keeper whom to end. In one piece: half a line would name another process.
    fn tell_keeper(&mut self) -> std::io::Result<()> {
        let mut line = self.processes().iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        line.push('\n');
        let pipe = self.keeper.stdin.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        pipe.write_all(line.as_bytes())
    }
}

impl Drop for Nest {
    /// Waits until the keeper has done its work, which has a bound.
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        for server in &mut self.servers {
            let _ = server.wait();
        }
        let _ = self.keeper.wait();
    }
}

/// Whether we are root.
pub(in crate::stores) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A password that nobody guesses.
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

/// The end of what a program said, on one line.
fn last_lines(said: &str) -> String {
    let lines: Vec<&str> =
        said.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    match lines.is_empty() {
        true => "it said nothing".into(),
        false => lines.into_iter().rev().collect::<Vec<_>>().join(" | "),
    }
}
