//! What a run has left that was killed together with its keeper: the next run that starts a server, and `clean`, end it.
//!
//! As long as the run or its keeper is there, a file in the directory is locked. A server is known by its number, by the
//! moment at which it was started and by the boot of the system: no other process is ever taken for it.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::home::{Home, LOCK, PREFIX};
use super::keeper::Keeper;

/// The file that says which servers run.
const SERVERS: &str = "servers";

/// The signal that ends a server, before it is killed.
const SIGNAL: &str = "TERM";

/// Ends the servers of every run that was killed, and removes their directories; returns how many those are.
pub(crate) fn end_left_over() -> usize {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    let ours = rustix::process::geteuid().as_raw();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(PREFIX))
            && fs::symlink_metadata(path).is_ok_and(|it| it.is_dir() && it.uid() == ours)
    };
    entries.map(|entry| entry.path()).filter(is_ours).filter(|path| end(path)).count()
}

/// Ends what a run has left in a directory; false if the run is there, or nothing is known of it.
fn end(dir: &Path) -> bool {
    let Ok(lock) = File::options().read(true).write(true).open(dir.join(LOCK)) else {
        return false;
    };
    if lock.try_lock().is_err() {
        return false;
    }
    let (Some(home), Some(line)) = (Home::found(dir, lock), running(dir)) else { return false };
    let Ok(mut keeper) = Keeper::start(&home, SIGNAL) else { return false };
    if !keeper.hear(&line) {
        return false;
    }
    keeper.dismiss(&line, || {});
    !dir.exists()
}

/// Notes which servers run, with what the keeper is told of each.
pub(super) fn note(dir: &Path, words: &[String]) {
    let Some(system) = system() else { return };
    let known = |word: &String| match number(word) {
        Some(process) => started(process).map(|at| format!("{word} {at}\n")),
        None => Some(format!("{word} -\n")),
    };
    let lines: String = words.iter().filter_map(known).collect();
    let _ = fs::write(dir.join(SERVERS), format!("{system}\n{lines}"));
}

/// What a keeper is to be told of the servers that still run; none if this system is another one, where they are not seen.
fn running(dir: &Path) -> Option<String> {
    let noted = fs::read_to_string(dir.join(SERVERS)).unwrap_or_default();
    let mut lines = noted.lines();
    if lines.next().is_some_and(|noted| system().as_deref() != Some(noted)) {
        return None;
    }
    let runs = |line: &str| {
        let (word, at) = line.split_once(' ')?;
        let is_it = match number(word) {
            Some(process) => started(process).is_some_and(|started| started == at),
            None => true,
        };
        is_it.then(|| word.to_owned())
    };
    Some(lines.filter_map(runs).collect::<Vec<_>>().join(" ") + "\n")
}

/// The number of the process that a keeper is told of.
fn number(word: &str) -> Option<u32> {
    word.trim_start_matches(['+', '-']).parse().ok()
}

/// When a process was started, in the system's own unit since it was booted.
fn started(process: u32) -> Option<String> {
    let about = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of its program may contain anything.
    let (_, after) = about.rsplit_once(") ")?;
    after.split(' ').nth(19).map(str::to_owned)
}

/// The boot of this system, and its set of process numbers; none where the system does not tell.
fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), numbers.display()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_known_again_only_by_its_number_and_by_when_it_was_started() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new("sleep").arg("60").spawn().unwrap();
        let word = format!("+{}", process.id());
        note(dir.path(), &[word.clone(), "@mark".into()]);
        assert_eq!(running(dir.path()).unwrap(), format!("{word} @mark\n"));
        let noted = fs::read_to_string(dir.path().join(SERVERS)).unwrap();
        let at = started(process.id()).unwrap();
        let other = noted.replace(&format!(" {at}\n"), " 1\n");
        fs::write(dir.path().join(SERVERS), other).unwrap();
        assert_eq!(running(dir.path()).unwrap(), "@mark\n");
        // Nothing is said of the processes of another system.
        fs::write(dir.path().join(SERVERS), format!("another one\n{word} {at}\n")).unwrap();
        assert_eq!(running(dir.path()), None);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    #[test]
    fn a_directory_whose_run_is_there_stays() {
        let home = Home::make().unwrap();
        assert!(!end(home.ours()));
        assert!(home.ours().exists());
        let dir = home.ours().to_owned();
        drop(home);
        assert!(end(&dir));
        assert!(!dir.exists());
        // One without a lock is of another version, or is being made.
        let dir = tempfile::tempdir().unwrap();
        assert!(!end(dir.path()));
    }
}
