//! Says which commit is built, for `--version`: of a checkout as git says, of a packaged crate as cargo has noted in it.
//!
//! Debug builds are not told: each commit would compile the whole crate anew.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What cargo puts into a packaged crate.
const NOTED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let is_debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let commit = if is_debug { None } else { of_checkout().or_else(of_package) };
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo:rustc-env=OVERSELL_SIM_VERSION={version}");
}

/// The commit's short hash and its date.
fn of_checkout() -> Option<String> {
    // A crate that lies inside another repository is not that repository's.
    if !Path::new(".git").exists() {
        return None;
    }
    let head = git(&["rev-parse", "--symbolic-full-name", "HEAD"])?;
    for name in ["HEAD", &head, "packed-refs"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["log", "-1", "--abbrev=9", "--date=short", "--format=%h %cd"])
}

/// The commit's short hash.
fn of_package() -> Option<String> {
    let noted = fs::read_to_string(NOTED).ok()?;
    // A checkout that shares this target directory has no such file, and so its commit is read anew. A file that is never
    // there would have cargo compile the crate each time, so none such is named.
    println!("cargo:rerun-if-changed={NOTED}");
    let (_, behind) = noted.split_once("\"sha1\": \"")?;
    let hash: String = behind.chars().take_while(char::is_ascii_hexdigit).take(9).collect();
    (hash.len() == 9).then_some(hash)
}

/// What git prints, on one line; none where there is no git, or it has nothing to say.
fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let said = said.trim();
    (output.status.success() && !said.is_empty()).then(|| said.to_owned())
}
