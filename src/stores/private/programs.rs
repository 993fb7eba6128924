//! Finds a server's programs: on PATH, and where distributions install them outside of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::base::error::Error;

/// What has to be installed for a store.
#[derive(Clone, Copy, Debug)]
pub(in crate::stores) struct Package {
    /// The server's usual name.
    pub(in crate::stores) title: &'static str,
    /// The package's name on Debian and Ubuntu.
    pub(in crate::stores) debian: &'static str,
    /// The package's name on Fedora.
    pub(in crate::stores) fedora: &'static str,
    /// The package's name in Homebrew.
    pub(in crate::stores) homebrew: &'static str,
    /// Where its programs may lie off PATH; `*` stands for a version.
    pub(in crate::stores) places: &'static [&'static str],
    /// The server, under all names that it goes by.
    pub(in crate::stores) server: &'static [&'static str],
}

impl Package {
    /// Finds the server's program.
    pub(in crate::stores) fn find_server(&self) -> Result<PathBuf, Error> {
        self.find(self.server)
    }

    /// Finds one of its programs, under the first of these names that exists.
    pub(in crate::stores) fn find(&self, names: &[&str]) -> Result<PathBuf, Error> {
        names.iter().find_map(|name| self.find_path(name)).ok_or_else(|| {
            Error::world(format!(
                "{} is not installed: no `{}` on PATH or in its usual places\n       \
                 {}, or name a running one with --url",
                self.title,
                names.first().unwrap_or(&""),
                self.advice()
            ))
        })
    }

    /// The server's title, version and path.
    pub(in crate::stores) fn found(&self) -> Result<String, Error> {
        let path = self.find_server()?;
        let said = Command::new(&path)
            .arg("--version")
            .output()
            .map_err(|error| Error::world(format!("cannot run {}: {error}", path.display())))?;
        let said = String::from_utf8_lossy(&said.stdout);
        // Only the version number of the output is of interest.
        let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let words = || said.split([' ', '=', '-', '\n']).map(|word| word.trim_start_matches('v'));
        let version = words().filter(|word| word.contains('.')).find(is_number).unwrap_or("");
        Ok(format!("{} {version}, {}", self.title, path.display()))
    }

    /// How to install it.
    pub(in crate::stores) fn advice(&self) -> String {
        let Self { debian, fedora, homebrew, .. } = self;
        format!(
            "install it (Debian: apt-get install {debian} · Fedora: dnf install {fedora} · \
             macOS: brew install {homebrew})"
        )
    }

    fn find_path(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path);
        let elsewhere = self.places.iter().flat_map(|place| unfold(place));
        on_path.chain(elsewhere).map(|folder| folder.join(name)).find(|path| is_program(path))
    }
}

/// The folders that a pattern stands for, the latest version first.
fn unfold(place: &str) -> Vec<PathBuf> {
    let Some((before, after)) = place.split_once('*') else { return vec![PathBuf::from(place)] };
    let (folder, start) = before.rsplit_once('/').unwrap_or((".", before));
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(start)?.split('.').next()?.parse().ok()?;
            Some((version, entry.path().join(after.trim_start_matches('/'))))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
