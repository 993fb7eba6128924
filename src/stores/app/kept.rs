//! The filled databases of an application, kept between commands: schema, seed and setup run once, and later servers
//! begin with what they left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use rustc_hash::FxHasher;

use super::upstreams::server_program;
use crate::base::control::Control;
use crate::base::error::Error;
use crate::describe::app::App;

/// The environment variable that names the directory, in place of one in the user's cache.
const DIRECTORY: &str = "OVERSELL_SIM_KEPT";

/// Folders whose files do not decide what a setup does: packages, what is made of sources, and what is written while an
/// application runs.
const PASSED_OVER: [&str; 10] = [
    "node_modules",
    "target",
    "dist",
    "build",
    "venv",
    "__pycache__",
    "log",
    "logs",
    "tmp",
    "cache",
];

/// How the names of files end that an application writes while it runs.
const WRITTEN: [&str; 2] = ["log", "pid"];

/// How often to check whether another process still works on what is kept.
const GLANCE: Duration = Duration::from_millis(20);

/// The most files that are looked at.
const MOST_FILES: usize = 50_000;

/// Where the filled databases of an application are kept, and of what they were made.
pub(super) struct KeptDatabases {
    directory: PathBuf,
    /// What the names of its files begin with.
    stem: String,
    /// The application's folder, if it is started here, and its log.
    folder: Option<PathBuf>,
    log: Option<PathBuf>,
    /// A file that is locked while anything is looked for, made or removed, by whatever process.
    _lock: File,
}

impl KeptDatabases {
    /// Those of an application, whose file is at `path`. They are made of the servers' programs, of schema, seed, setup
    /// and environment as the file says them, and of every file in the application's folder.
    ///
    /// # Errors
    /// [`Error::Input`] if a database is in a server of the user's, or there are too many files. [`Error::World`] if there
    /// is no directory to keep them in.
    pub(super) fn of(app: &App, path: &str, control: &Control) -> Result<Self, Error> {
        if let Some(upstream) = app.upstreams.iter().find(|upstream| upstream.url.is_some()) {
            let name = upstream.name();
            return Err(Error::input(format!(
                "--keep: what is in a server of yours stays there; leave out --keep, or `url` in [upstream.{name}]"
            )));
        }
        let mut hasher = FxHasher::default();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        for upstream in &app.upstreams {
            let texts = [&upstream.schema, &upstream.seed]
                .map(|script| script.as_ref().map(|script| &script.text));
            let program = server_program(upstream.store)?;
            (upstream.name(), texts, state(&program), program).hash(&mut hasher);
        }
        let folder = app.launch.as_ref().map(|launch| &launch.folder);
        let folder = folder.map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.clone()));
        let launch =
            app.launch.as_ref().map(|launch| format!("{:?} {:?}", launch.setup, launch.env));
        (&folder, launch).hash(&mut hasher);
        let log = app.launch.as_ref().and_then(|launch| launch.log.clone());
        let name = Path::new(path).file_stem().map_or("app".into(), |stem| stem.to_string_lossy());
        let stem = format!("{name}-{:016x}", hasher.finish());
        let directory = directory()?;
        let path = directory.join(format!("{stem}.lock"));
        let cannot =
            |error| Error::world(format!("--keep: cannot lock {}: {error}", path.display()));
        std::fs::create_dir_all(&directory).map_err(cannot)?;
        let lock = File::create(&path).map_err(cannot)?;
        // Another process may be filling databases, which takes as long as that takes.
        while let Err(error) = lock.try_lock() {
            match error {
                TryLockError::WouldBlock if control.pause(GLANCE) => {}
                TryLockError::WouldBlock => {
                    let path = path.display();
                    return Err(Error::world(format!(
                        "--keep: interrupted while {path} was locked"
                    )));
                }
                TryLockError::Error(error) => return Err(cannot(error)),
            }
        }
        Ok(Self { directory, stem, folder, log, _lock: lock })
    }

    /// Whether they were kept, and nothing of what they were made of has changed.
    ///
    /// # Errors
    /// As [`listed`].
    pub(super) fn are_there(&self, app: &App, control: &Control) -> Result<bool, Error> {
        let are_archived =
            app.upstreams.iter().all(|upstream| self.archive(upstream.name()).exists());
        let Ok(kept) = std::fs::read_to_string(self.list()) else { return Ok(false) };
        let now = self.files()?;
        if are_archived && now != kept {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
            let changed = lines(&now).symmetric_difference(&lines(&kept)).next().cloned();
            let path = changed.as_deref().and_then(|line| line.splitn(3, ' ').nth(2));
            let path = path.unwrap_or_default();
            control.tell(|| format!("the databases are filled anew, for {path} has changed"));
        }
        Ok(are_archived && now == kept)
    }

    /// The application's files, each with its size and time.
    ///
    /// # Errors
    /// As [`listed`].
    pub(super) fn files(&self) -> Result<String, Error> {
        let Self { folder, log, .. } = self;
        let files = folder.as_ref().map(|folder| listed(folder, log.as_deref())).transpose()?;
        Ok(files.unwrap_or_default())
    }

    /// The archive of the database of this name.
    pub(super) fn archive(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{}-{name}.tar", self.stem))
    }

    /// Takes away what was kept of an earlier state.
    pub(super) fn remove(&self, app: &App) {
        let archives = app.upstreams.iter().map(|upstream| self.archive(upstream.name()));
        for path in archives.chain([self.list()]) {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Notes what they were made of, once every archive is there. What the setup itself has written counts as it left it:
    /// files that were not there. A file that was there `before` and has changed meanwhile may have been changed by hand, and
    /// the databases made of what it was: it is noted as it was, so that they are filled anew.
    pub(super) fn are_complete(&self, before: &str) -> Result<(), Error> {
        let path = self.list();
        std::fs::write(&path, noted(before, &self.files()?)).map_err(|error| {
            Error::world(format!("--keep: cannot write {}: {error}", path.display()))
        })
    }

    fn list(&self) -> PathBuf {
        self.directory.join(format!("{}.files", self.stem))
    }
}

/// Takes away the filled databases of every application; returns the directory, how many there were, and their
/// bytes.
///
/// # Errors
/// [`Error::World`] when one of them cannot be removed.
pub fn forget_kept() -> Result<(PathBuf, u64, u64), Error> {
    let directory = directory()?;
    let Ok(entries) = std::fs::read_dir(&directory) else { return Ok((directory, 0, 0)) };
    let (mut count, mut bytes) = (0, 0);
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_kept =
            path.extension().is_some_and(|end| end == "tar" || end == "files" || end == "lock");
        if !is_kept {
            continue;
        }
        let size = path.metadata().map_or(0, |about| about.len());
        std::fs::remove_file(&path)
            .map_err(|error| Error::world(format!("cannot remove {}: {error}", path.display())))?;
        count += u64::from(path.extension().is_some_and(|end| end == "tar"));
        bytes += size;
    }
    Ok((directory, count, bytes))
}

fn directory() -> Result<PathBuf, Error> {
    let named =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named(DIRECTORY)
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("oversell-sim")))
        .or_else(|| Some(named("HOME")?.join(".cache/oversell-sim")))
        .ok_or_else(|| {
            Error::world(format!("there is no cache directory: set {DIRECTORY} to a folder"))
        })
}

/// The files that there are now: those that were there before as they were then.
fn noted(before: &str, now: &str) -> String {
    let path = |line: &str| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    let old: BTreeMap<String, &str> = before.lines().map(|line| (path(line), line)).collect();
    let line =
        |line: &'_ str| old.get(&path(line)).map_or(line.to_owned(), |old| (*old).to_owned());
    let mut lines: Vec<String> = now.lines().map(|now| line(now) + "\n").collect();
    lines.sort();
    lines.concat()
}

/// The size of a file and the time at which it was changed.
fn state(path: &Path) -> Option<(u64, u128)> {
    let about = path.metadata().ok()?;
    let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((about.len(), changed.as_nanos()))
}

/// The files of a folder, a line each, with their sizes and times. Without those of folders that are hidden or hold what is
/// made of others, and without the log.
fn listed(folder: &Path, log: Option<&Path>) -> Result<String, Error> {
    let log = log.and_then(|log| log.canonicalize().ok());
    let (mut folders, mut lines) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| {
            Error::world(format!("--keep: cannot read {}: {error}", folder.display()))
        })?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().ok();
            if kind.is_some_and(|kind| kind.is_dir()) {
                if !name.starts_with('.') && !PASSED_OVER.contains(&&*name) {
                    folders.push(path);
                }
            } else if Some(&path) != log.as_ref()
                && !path
                    .extension()
                    .is_some_and(|end| WRITTEN.iter().any(|written| end == *written))
                && let Some((size, time)) = state(&path)
            {
                lines.push(format!("{size} {time} {}\n", path.display()));
            }
        }
        if lines.len() > MOST_FILES {
            return Err(Error::input(format!(
                "--keep: there are more than {MOST_FILES} files in {}; give [app] a smaller `folder`",
                folder.display()
            )));
        }
    }
    lines.sort();
    Ok(lines.concat())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_new_or_has_changed_is_told_and_packages_and_the_log_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let log = folder.join("printed.txt");
        fs::write(&log, "1").unwrap();
        fs::create_dir_all(folder.join("db/node_modules")).unwrap();
        let before = listed(&folder, Some(&log)).unwrap();
        assert_eq!(before, "");
        fs::write(folder.join("db/node_modules/x.js"), "1").unwrap();
        fs::write(folder.join("db/shop.log"), "1").unwrap();
        fs::write(&log, "12").unwrap();
        assert_eq!(listed(&folder, Some(&log)).unwrap(), before);
        fs::write(folder.join("db/1.sql"), "1").unwrap();
        let one = listed(&folder, Some(&log)).unwrap();
        assert_eq!(one.lines().count(), 1);
        fs::write(folder.join("db/1.sql"), "12").unwrap();
        let two = listed(&folder, Some(&log)).unwrap();
        assert_ne!(two, one);
        assert_eq!(noted(&one, &two), one, "it may have been changed by hand");
        assert_eq!(noted(&before, &two), two, "the setup has made it");
    }
}
