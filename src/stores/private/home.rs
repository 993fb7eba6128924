//! The directory of private servers: who owns it, and who can reach what is in it.
//!
//! ```text
//! oversell-sim-…/      ours: logs, a lock, and whatever else this program writes
//! └── server/          the servers' own: their data and their sockets
//! ```
//!
//! Both are closed to every other user from the moment they are made, and so are the sockets inside. Passwords are in
//! neither: a server is [handed](Home::handed) them on its standard input, in a file without a name.
//!
//! Where this program runs as root, its servers run as `nobody`. The outer directory is root's then, so that no process
//! of `nobody` can put a link in the place of a file that root writes; the group of `nobody` may pass through it, and
//! neither list nor change it. The inner directory is `nobody`'s.
//!
//! **Covered**: a user other than the one that the server runs as cannot list either directory, read a file in them, or
//! connect. **Not covered**: as root, another process of `nobody` is the same user to the kernel. It finds no password,
//! and so cannot log in, but it can change the server's files, or debug the server. A user id that belongs to the
//! server alone would need an entry in the system's list of users, without which `initdb` refuses to run. Where that
//! matters, run this program as an ordinary user.

use std::fs::{self, File, Permissions};
use std::io::{Error, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::TryRng;
use rand::rngs::SysRng;

/// The user and the group of servers that must not run as root.
pub(super) const NOBODY: u32 = 65_534;

/// Open to its owner.
const OWN: u32 = 0o700;

/// Open to its owner; the group may pass through, and do nothing else.
const PASSAGE: u32 = 0o710;

/// A file that its owner reads and writes.
const OWN_FILE: u32 = 0o600;

/// What the name of the outer directory begins with.
pub(super) const PREFIX: &str = "oversell-sim-";

/// The file that is locked as long as this process or its keeper is there. It contains the mark.
pub(super) const LOCK: &str = "lock";

/// The two directories.
#[derive(Clone, Debug)]
pub(super) struct Home {
    ours: PathBuf,
    servers: PathBuf,
    mark: String,
    lock: Option<Arc<File>>,
}

impl Home {
    /// Creates the directories.
    pub(super) fn make() -> Result<Self, Error> {
        let mut builder = tempfile::Builder::new();
        let dir = builder.prefix(PREFIX).permissions(Permissions::from_mode(OWN)).tempdir()?;
        let servers = dir.path().join("server");
        fs::DirBuilder::new().mode(OWN).create(&servers)?;
        if is_root() {
            chown(&servers, Some(NOBODY), Some(NOBODY))?;
            chown(dir.path(), None, Some(NOBODY))?;
            fs::set_permissions(dir.path(), Permissions::from_mode(PASSAGE))?;
        }
        let mark = mark()?;
        // On a file system without locks, what is left when everything is killed stays there.
        let lock = locked(dir.path(), &mark).ok().map(Arc::new);
        Ok(Self { ours: dir.keep(), servers, mark, lock })
    }

    /// Directories of a run that is no longer there, whose lock this process has now.
    pub(super) fn found(ours: &Path, mut lock: File) -> Option<Self> {
        let mut mark = String::new();
        lock.read_to_string(&mut mark).ok()?;
        let servers = ours.join("server");
        Some(Self { ours: ours.to_owned(), servers, mark, lock: Some(Arc::new(lock)) })
    }

    /// What is in the environment of a user's programs, and of all that they start.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// The file that is locked as long as it is open.
    pub(super) fn lock(&self) -> Option<File> {
        self.lock.as_ref()?.try_clone().ok()
    }

    /// The directory that this program writes in.
    pub(super) fn ours(&self) -> &Path {
        &self.ours
    }

    /// The directory that the servers write in.
    pub(super) fn servers(&self) -> &Path {
        &self.servers
    }

    /// Creates a log file, and replaces one with the same name. A link with that name is removed, and its target stays
    /// as it is.
    pub(super) fn log(&self, name: &str) -> Result<File, Error> {
        let path = self.ours.join(name);
        let _ = fs::remove_file(&path);
        // `create_new` fails if anything has this name, and so follows no link.
        File::options().create_new(true).append(true).mode(OWN_FILE).open(path)
    }

    /// A file without a name, with a text that no other user may read. The server gets it as its standard input, and
    /// may open it as `/dev/stdin`.
    pub(super) fn handed(&self, text: &str) -> Result<File, Error> {
        let mut file = tempfile::tempfile_in(&self.ours)?;
        file.set_permissions(fs::Permissions::from_mode(OWN_FILE))?;
        file.write_all(text.as_bytes())?;
        file.rewind()?;
        if is_root() {
            fchown(&file, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(file)
    }
}

/// A mark that nothing else has.
fn mark() -> Result<String, Error> {
    let words = (SysRng.try_next_u64(), SysRng.try_next_u64());
    match words {
        (Ok(first), Ok(second)) => Ok(format!("{PREFIX}{first:016x}{second:016x}")),
        _ => Err(Error::other("the operating system gives no random numbers")),
    }
}

/// A file with this text, which has its name only once it is locked.
fn locked(dir: &Path, text: &str) -> Result<File, Error> {
    let made = dir.join("unlocked");
    let mut file = File::options().create_new(true).write(true).mode(OWN_FILE).open(&made)?;
    file.write_all(text.as_bytes())?;
    file.lock()?;
    fs::rename(made, dir.join(LOCK))?;
    Ok(file)
}

/// Whether this process runs as root.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_link_that_is_planted_where_a_log_is_to_be_is_not_followed() {
        let home = Home::make().unwrap();
        let victim = home.servers().join("victim");
        fs::write(&victim, "as it was").unwrap();
        std::os::unix::fs::symlink(&victim, home.ours().join("log")).unwrap();
        home.log("log").unwrap().write_all(b"a line").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was");
        assert_eq!(fs::read_to_string(home.ours().join("log")).unwrap(), "a line");
        fs::remove_dir_all(home.ours()).unwrap();
    }

    #[test]
    fn only_the_owner_reads_and_only_the_servers_group_passes_through() {
        let home = Home::make().unwrap();
        home.log("log").unwrap();
        assert_eq!(mode(home.ours()), if is_root() { PASSAGE } else { OWN });
        assert_eq!(mode(home.servers()), OWN);
        assert_eq!(mode(&home.ours().join("log")), OWN_FILE);
        fs::remove_dir_all(home.ours()).unwrap();
    }

    #[test]
    fn what_is_handed_to_a_server_has_no_name() {
        let home = Home::make().unwrap();
        let file = home.handed("a password").unwrap();
        let names = |dir| fs::read_dir(dir).unwrap().count();
        // Beside the inner directory, there is the lock.
        assert_eq!((names(home.ours()), names(home.servers())), (2, 0));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);
        fs::remove_dir_all(home.ours()).unwrap();
    }
}
