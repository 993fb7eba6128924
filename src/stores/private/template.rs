//! Data directories that were initialized once, kept as archives. A further server unpacks the archive, which takes a
//! small part of the processor time that initializing takes.
//!
//! Within a process the archive is a file without a name, so that nothing of it is left, whatever way the process ends.
//! Most processes start one server of a kind, so an archive is made only when a second one is asked for. Where the
//! environment names a directory ([`DIRECTORY`]), archives are kept there from process to process. They get their name
//! when they are complete.
//!
//! No archive holds a password that a server has.

use std::collections::BTreeMap;
use std::fs::{File, Metadata, Permissions};
use std::hash::{Hash, Hasher};
use std::io::Seek;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHasher;
use rustix::fs::{AtFlags, CWD, linkat};

use super::ServerSandbox;
use crate::base::error::Error;

/// The environment variable that names a directory in which archives are kept. It has to belong to the user, and to be
/// writable by no other user.
const DIRECTORY: &str = "OVERSELL_SIM_TEMPLATES";

/// The data directory, in the directory of a sandbox's servers.
pub(in crate::stores) const DATA: &str = "data";

/// How a data directory is initialized: what the archive depends on.
#[derive(Debug)]
pub(in crate::stores) struct DataDirTemplate {
    /// The name of the archive.
    name: String,
}

/// Whether the passwords of a data directory are those that it was initialized with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stores) enum DataDirOrigin {
    /// It was initialized for this server.
    Initialized,
    /// It is, or is going to be, the data directory of several servers.
    Shared,
}

/// The archive of this process.
#[derive(Default)]
enum ArchiveState {
    /// No server was started yet.
    #[default]
    Nothing,
    /// One server was started, without an archive.
    Unarchived,
    Archived(File),
}

/// The archives of this process, by their names. Each has a lock of its own: who comes second waits for the archive.
static KEPT: Mutex<BTreeMap<String, Arc<Mutex<ArchiveState>>>> = Mutex::new(BTreeMap::new());

impl DataDirTemplate {
    /// What these programs initialize, when called with these arguments. `name` is that of the server.
    pub(in crate::stores) fn of(name: &str, programs: &[&Path], arguments: &[&str]) -> Self {
        let mut hasher = FxHasher::default();
        (env!("CARGO_PKG_VERSION"), arguments).hash(&mut hasher);
        for program in programs {
            let about = program.metadata().ok();
            let version = |about: Metadata| (about.len(), about.mtime(), about.mtime_nsec());
            (program, about.map(version)).hash(&mut hasher);
        }
        Self { name: format!("{name}-{:016x}.tar", hasher.finish()) }
    }

    /// Fills the sandbox's data directory: from the archive if there is one, and else by `initialize`.
    pub(in crate::stores) fn fill(
        &self,
        sandbox: &ServerSandbox,
        initialize: impl Fn(DataDirOrigin) -> Result<(), Error>,
    ) -> Result<DataDirOrigin, Error> {
        match std::env::var_os(DIRECTORY).filter(|named| !named.is_empty()) {
            Some(directory) => self.fill_by_directory(sandbox, Path::new(&directory), initialize),
            None => self.fill_by_process(sandbox, initialize),
        }
    }

    fn fill_by_directory(
        &self,
        sandbox: &ServerSandbox,
        directory: &Path,
        initialize: impl Fn(DataDirOrigin) -> Result<(), Error>,
    ) -> Result<DataDirOrigin, Error> {
        let path = directory.join(&self.name);
        if File::open(&path).is_ok_and(|archive| is_ours(&archive) && unpack(sandbox, archive)) {
            return Ok(DataDirOrigin::Shared);
        }
        initialize(DataDirOrigin::Shared)?;
        // That no archive can be kept there is no reason to run no server.
        let _ = keep_as(sandbox, directory, &path);
        Ok(DataDirOrigin::Shared)
    }

    fn fill_by_process(
        &self,
        sandbox: &ServerSandbox,
        initialize: impl Fn(DataDirOrigin) -> Result<(), Error>,
    ) -> Result<DataDirOrigin, Error> {
        let kept = Arc::clone(KEPT.lock().entry(self.name.clone()).or_default());
        let mut kept = kept.lock();
        match &mut *kept {
            ArchiveState::Nothing => {
                *kept = ArchiveState::Unarchived;
                drop(kept);
                initialize(DataDirOrigin::Initialized)?;
                return Ok(DataDirOrigin::Initialized);
            }
            ArchiveState::Archived(archive) => {
                let archive = archive.rewind().and_then(|()| archive.try_clone());
                if archive.is_ok_and(|archive| unpack(sandbox, archive)) {
                    return Ok(DataDirOrigin::Shared);
                }
                initialize(DataDirOrigin::Shared)?;
            }
            ArchiveState::Unarchived => {
                initialize(DataDirOrigin::Shared)?;
                if let Ok(archive) = tempfile::tempfile_in(sandbox.own_dir())
                    && pack(sandbox, &archive)
                {
                    *kept = ArchiveState::Archived(archive);
                }
            }
        }
        Ok(DataDirOrigin::Shared)
    }
}

/// Fills a sandbox's data directory from an archive of one.
pub(in crate::stores) fn fill_from(sandbox: &ServerSandbox, path: &Path) -> Result<(), Error> {
    let is_unpacked =
        File::open(path).is_ok_and(|archive| is_ours(&archive) && unpack(sandbox, archive));
    match is_unpacked {
        true => Ok(()),
        false => Err(Error::world(format!(
            "cannot use {}; `oversell-sim clean` removes what was kept",
            path.display()
        ))),
    }
}

/// Archives the data directory of a server that has ended.
#[cfg(feature = "app")]
pub(in crate::stores) fn archive(sandbox: &ServerSandbox, path: &Path) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let kept = keep_as(sandbox, directory, path);
    match kept {
        Ok(()) if path.exists() => Ok(()),
        Ok(()) => Err(Error::world(format!("cannot archive the database as {}", path.display()))),
        Err(error) => Err(Error::world(format!("cannot write {}: {error}", path.display()))),
    }
}

/// Whether a file belongs to the user, and only the user can change it.
fn is_ours(archive: &File) -> bool {
    archive.metadata().is_ok_and(|about| {
        about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o022 == 0
    })
}

/// Archives the data directory; whether that went well.
fn pack(sandbox: &ServerSandbox, archive: &File) -> bool {
    let mut tar = sandbox.command(Path::new("tar"));
    tar.args(["-cf", "-", DATA]);
    archive.try_clone().is_ok_and(|archive| sandbox.run_between(tar, None, Some(archive)).is_ok())
}

/// Unpacks an archive as the data directory; whether that went well. If not, no data directory is left.
fn unpack(sandbox: &ServerSandbox, archive: File) -> bool {
    let mut tar = sandbox.command(Path::new("tar"));
    tar.args(["-xpf", "-"]);
    let is_unpacked = sandbox.run_between(tar, Some(archive), None).is_ok();
    if !is_unpacked {
        let _ = std::fs::remove_dir_all(sandbox.servers_dir().join(DATA));
    }
    is_unpacked
}

/// Archives the data directory in a file that has no name until it is complete.
fn keep_as(sandbox: &ServerSandbox, directory: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let archive = tempfile::tempfile_in(directory)?;
    archive.set_permissions(Permissions::from_mode(0o600))?;
    if pack(sandbox, &archive) {
        let unnamed = PathBuf::from(format!("/proc/self/fd/{}", archive.as_raw_fd()));
        linkat(CWD, &unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    fn template(name: &str) -> DataDirTemplate {
        DataDirTemplate::of(name, &[], &[])
    }

    /// Initializes a data directory that says how many there were before.
    fn initialize(sandbox: &ServerSandbox, times: &Cell<u32>) -> Result<(), Error> {
        times.set(times.get() + 1);
        let data = sandbox.servers_dir().join(DATA);
        fs::create_dir(&data).unwrap();
        fs::write(data.join("number"), times.get().to_string()).unwrap();
        Ok(())
    }

    fn number(sandbox: &ServerSandbox) -> String {
        fs::read_to_string(sandbox.servers_dir().join(DATA).join("number")).unwrap()
    }

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn in_one_process_the_third_server_and_all_later_ones_are_copies() {
        let template = template("in-one-process");
        let times = Cell::new(0);
        let filled: Vec<(DataDirOrigin, String)> = (0..4)
            .map(|_| {
                let sandbox = ServerSandbox::make("KILL").unwrap();
                let origin =
                    template.fill_by_process(&sandbox, |_| initialize(&sandbox, &times)).unwrap();
                (origin, number(&sandbox))
            })
            .collect();
        let (origins, numbers): (Vec<DataDirOrigin>, Vec<String>) = filled.into_iter().unzip();
        assert_eq!(origins[0], DataDirOrigin::Initialized);
        assert!(origins[1..].iter().all(|origin| *origin == DataDirOrigin::Shared));
        assert_eq!(numbers, ["1", "2", "2", "2"]);
    }

    /// A sandbox that was filled by way of a directory, and what initialized it.
    fn filled_by(directory: &Path, times: &Cell<u32>) -> String {
        let sandbox = ServerSandbox::make("KILL").unwrap();
        let template = template("by-directory");
        template.fill_by_directory(&sandbox, directory, |_| initialize(&sandbox, times)).unwrap();
        number(&sandbox)
    }

    #[test]
    fn in_a_directory_there_is_one_complete_archive_of_which_later_servers_are_copies() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("not/made/yet");
        let times = Cell::new(0);
        let numbers = [(); 3].map(|()| filled_by(&place, &times));
        assert_eq!(numbers, ["1", "1", "1"]);
        assert_eq!(names(&place), [template("by-directory").name]);
    }

    #[test]
    fn an_archive_that_is_broken_or_that_others_can_write_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        let times = Cell::new(0);
        filled_by(place, &times);
        let archive = place.join(template("by-directory").name);
        fs::set_permissions(&archive, Permissions::from_mode(0o666)).unwrap();
        assert_eq!(filled_by(place, &times), "2");
        fs::set_permissions(&archive, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(filled_by(place, &times), "1");
        fs::write(&archive, "no archive at all").unwrap();
        assert_eq!(filled_by(place, &times), "3");
    }
}
