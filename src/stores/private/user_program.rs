//! A user's program that is run to its end beside others, and what it has printed.

use std::fs::File;
use std::io::{Error, Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crossbeam::channel::{RecvTimeoutError, bounded};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{ServerSandbox, last_lines, name_of};

/// How often to check whether the end of a program is still waited for.
const GLANCE: Duration = Duration::from_millis(20);

/// The most that is read of what a program prints, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The most that is repeated of its last words, in characters.
const MOST_REPEATED: usize = 400;

/// What a shell adds to the number of the signal that has ended a program.
const OF_SIGNALS: i32 = 128;

/// How a program has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stores) struct ProgramEnd {
    /// Its exit code, as a shell has it; none if it was given up, and killed.
    pub(in crate::stores) code: Option<i32>,
    /// What it has printed to its standard output.
    pub(in crate::stores) output: String,
    /// What it has printed to its standard error.
    pub(in crate::stores) errors: String,
}

impl ProgramEnd {
    /// Its last words, on one line that is not too long.
    pub(in crate::stores) fn last_words(&self) -> String {
        let said = if self.errors.trim().is_empty() { &self.output } else { &self.errors };
        let said = last_lines(said);
        let needless = said.chars().count().saturating_sub(MOST_REPEATED);
        said.chars().skip(needless).collect()
    }
}

impl ServerSandbox {
    /// Runs a user's program to its end, in a process group of its own. It is killed with its group once it is given
    /// up. Processes that it has started do not outlive it. The error is a sentence.
    pub(in crate::stores) fn run_program(
        &self,
        mut command: Command,
        is_given_up: impl Fn() -> bool,
    ) -> Result<ProgramEnd, String> {
        let name = name_of(&command);
        let cannot = |error: Error| format!("cannot start {name}: {error}");
        let file = || tempfile::tempfile_in(self.own_dir());
        let (output, errors) = (file().map_err(cannot)?, file().map_err(cannot)?);
        command.stdin(Stdio::null()).process_group(0);
        self.mark(&mut command);
        command.stdout(output.try_clone().map_err(cannot)?);
        command.stderr(errors.try_clone().map_err(cannot)?);
        let mut child = command.spawn().map_err(|error| match command.get_current_dir() {
            Some(folder) if !folder.is_dir() => {
                format!("cannot start {name}: there is no folder {}", folder.display())
            }
            _ => cannot(error),
        })?;
        let is_kept = self.keep_group(child.id(), true);
        let has_ended = is_kept && ends_unless(&child, is_given_up);
        // The group still has its number, because its first process has not been waited for.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let is_kept = self.keep_group(child.id(), false) && is_kept;
        let status = child.wait().map_err(|error| format!("cannot wait for {name}: {error}"))?;
        if !is_kept {
            return Err(format!("cannot run {name}: its keeper is gone"));
        }
        let code = status.code().or_else(|| Some(OF_SIGNALS + status.signal()?));
        let end = ProgramEnd {
            code: code.filter(|_| has_ended),
            output: read(output),
            errors: read(errors),
        };
        self.add_to_log(&end);
        Ok(end)
    }

    /// Tells the keeper that a program has begun, or has ended.
    fn keep_group(&self, group: u32, runs: bool) -> bool {
        let mut inside = self.inside.lock();
        inside.programs.retain(|known| *known != group);
        inside.programs.extend(runs.then_some(group));
        inside.tell_keeper(None).is_ok()
    }

    /// Adds what a program has printed to the log, if there is one.
    fn add_to_log(&self, end: &ProgramEnd) {
        use std::io::Write;

        let Some(path) = &self.log_file else { return };
        let Ok(mut log) = File::options().append(true).create(true).open(path) else { return };
        let _ = log.write_all((end.errors.clone() + &end.output).as_bytes());
    }
}

/// Waits until a program ends, and leaves it to be waited for; false if it was given up before.
fn ends_unless(child: &Child, is_given_up: impl Fn() -> bool) -> bool {
    let pid = Pid::from_child(child);
    let (tells, ended) = bounded(1);
    let wait = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
        let _ = tells.send(());
    };
    if thread::Builder::new().spawn(wait).is_err() {
        return false;
    }
    loop {
        match ended.recv_timeout(GLANCE) {
            Err(RecvTimeoutError::Timeout) if is_given_up() => return false,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}

/// What is in a file that a program has written to.
fn read(mut file: File) -> String {
    let mut bytes = Vec::new();
    let _ = file.rewind().and_then(|()| file.take(MOST_BYTES).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_prints_and_its_exit_code_are_told() {
        let sandbox = ServerSandbox::make("TERM").unwrap();
        let end = sandbox.run_program(shell("echo yes; echo no >&2; exit 3"), || false).unwrap();
        let (output, errors) = ("yes\n".to_owned(), "no\n".to_owned());
        assert_eq!(end, ProgramEnd { code: Some(3), output, errors });
        assert_eq!(end.last_words(), "no");
        let killed = sandbox.run_program(shell("kill -TERM $$"), || false).unwrap();
        assert_eq!(killed.code, Some(143));
        let unknown = sandbox.run_program(Command::new("no-such-program"), || false).unwrap_err();
        assert!(unknown.starts_with("cannot start no-such-program: "), "{unknown}");
    }

    #[test]
    fn a_program_that_is_given_up_is_killed_with_all_that_it_has_started() {
        let sandbox = ServerSandbox::make("TERM").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let script = format!("exec 9>{0}; flock 9; sleep 1000 & sleep 1000", lock.display());
        let holds = || File::open(&lock).is_ok_and(|file| file.try_lock().is_err());
        let end = sandbox.run_program(shell(&script), holds).unwrap();
        assert_eq!(end.code, None);
        // Both processes had the lock, and so both are gone when it is free.
        let file = File::open(&lock).unwrap();
        file.lock().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_left_the_group_of_its_program_does_not_outlive_the_sandbox_and_others_do() {
        let sandbox = ServerSandbox::make("TERM").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let locked = |name: &str| {
            let lock = folder.path().join(name);
            let script = format!("exec 9>{0}; flock 9; echo >{0}.ready; sleep 60", lock.display());
            (lock, script)
        };
        let (left, script) = locked("left");
        let ready = left.with_extension("ready");
        // Its parent has ended, it has a session of its own, and it does not heed the signal.
        let begins = format!(
            "setsid sh -c \"trap '' TERM; {script}\" & while ! [ -e {} ]; do sleep 0.01; done",
            ready.display()
        );
        let end = sandbox.run_program(shell(&begins), || false).unwrap();
        assert_eq!(end.code, Some(0), "{}", end.errors);
        let is_free = |lock: &std::path::Path| File::open(lock).unwrap().try_lock().is_ok();
        assert!(!is_free(&left), "it has ended by itself");
        let (other, script) = locked("other");
        let mut another = shell(&script);
        another.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
        let mut another = another.spawn().unwrap();
        while !other.with_extension("ready").exists() {
            thread::yield_now();
        }
        drop(sandbox);
        let (is_left_free, is_other_free) = (is_free(&left), is_free(&other));
        let _ = kill_process_group(Pid::from_child(&another), Signal::KILL);
        another.wait().unwrap();
        assert!(is_left_free, "it runs on");
        assert!(!is_other_free, "a process was killed that was not ours");
    }

    #[test]
    fn what_a_program_has_started_does_not_outlive_it() {
        let sandbox = ServerSandbox::make("TERM").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let script = format!("exec 9>{0}; flock 9; sleep 1000 & exit 0", lock.display());
        let end = sandbox.run_program(shell(&script), || false).unwrap();
        assert_eq!(end.code, Some(0));
        File::open(&lock).unwrap().lock().unwrap();
    }
}
